//! Tasks: parameters, steps, sidecars, variables.

use super::File;
use crate::formats::steps::pasted::{parameters, pasted};
use crate::formats::steps::{self, Values, moves};
use crate::model::pipeline::{Assignment, Job, Scope, Service, Setting, Step, StepKind};
use crate::model::reference::Role;
use crate::model::script::{Language, Script, Shell};
use crate::model::source::join;
use crate::model::text::Mapped;
use crate::syntax::tree::Node;

/// Parameters of a task or a pipeline by their defaults, below what is given from outside.
pub fn with_params(spec: Node, outer: &Values) -> Values {
    let mut values = outer.clone();
    for param in spec.get("params").into_iter().flat_map(Node::items) {
        let Some(name) = param.get("name").and_then(Node::str) else { continue };
        if outer.of(&format!("params.{name}")).is_empty() {
            let default = param.get("default").and_then(Node::text);
            values.add(format!("params.{name}"), default.clone());
            // The spelling of before 0.11.
            values.add(format!("inputs.params.{name}"), default);
        }
    }
    values
}

/// Parameters that a run or a pipeline gives. Texts that cannot be seen are no values.
pub fn given(node: Node, outer: &Values) -> Values {
    let mut values = Values::default();
    for param in node.get("params").into_iter().flat_map(Node::items) {
        let Some(name) = param.get("name").and_then(Node::str) else { continue };
        for value in param.get("value").and_then(Node::text).into_iter() {
            for one in outer.resolve(&Mapped::of(&value)) {
                values.add(format!("params.{name}"), Some(one.text(0..one.text.len())));
            }
        }
    }
    values.below(outer)
}

/// `matrix.params` with lists of values, and `matrix.include`.
pub fn with_matrix(node: Node, outer: &Values, job: &mut Job) -> Values {
    let Some(matrix) = node.get("matrix") else { return outer.clone() };
    let mut values = Values::default();
    let mut legs = 1usize;
    let includes = matrix.get("include").into_iter().flat_map(Node::items).filter_map(|one| one.get("params"));
    for param in matrix.get("params").into_iter().chain(includes).flat_map(Node::items) {
        let Some(name) = param.get("name").and_then(Node::str) else { continue };
        let list: Vec<_> = param.get("value").into_iter().flat_map(Node::list).filter_map(Node::text).collect();
        legs = legs.saturating_mul(list.len().max(1));
        for text in list {
            job.matrix.push((name.to_string(), text.text.clone()));
            values.add(format!("params.{name}"), Some(text));
        }
    }
    job.legs = Some(legs);
    values.below(outer)
}

impl File<'_, '_> {
    /// The steps and sidecars of a task.
    pub fn task(&mut self, spec: Node, key: &str, outer: &Values, job: &mut Job) {
        let values = with_params(spec, outer);
        let template = spec.get("stepTemplate");
        let template_key = format!("{key}.stepTemplate");
        job.env.extend(environment(template, Scope::Job, &template_key));
        if let Some(template) = template {
            moves::note_items(self.reader.facts, template, "env", "env", &format!("{template_key}.env"));
            moves::widen(self.reader.facts, spec, "stepTemplate", &format!("{template_key}.env"));
        }
        let default = self.reader.images(
            template.and_then(|node| node.get("image")),
            &values,
            Role::CiImage,
            &format!("{template_key}.image"),
        );
        job.images.extend(default);
        for (index, node) in spec.get("steps").into_iter().flat_map(Node::items).enumerate() {
            let name = node.get("name").and_then(Node::str).map_or(index.to_string(), str::to_string);
            self.step(node, &name, &format!("{key}.steps[{index}]"), &values, job);
        }
        for (index, node) in spec.get("sidecars").into_iter().flat_map(Node::items).enumerate() {
            let key = format!("{key}.sidecars[{index}]");
            let images = self.reader.images(node.get("image"), &values, Role::CiService, &format!("{key}.image"));
            let name = node.get("name").and_then(Node::str).unwrap_or("").to_string();
            let env = environment(Some(node), Scope::Container, &key);
            job.services.push(Service { name, images, env, options: None });
        }
    }

    /// A step of a task, or a step action.
    pub fn step(&mut self, node: Node, name: &str, key: &str, values: &Values, job: &mut Job) {
        let images = self.reader.images(node.get("image"), values, Role::CiImage, &format!("{key}.image"));
        job.images.extend(&images);
        let component = node.get("ref").and_then(|reference| self.reference(reference, "step", &format!("{key}.ref"), values));
        let script = self.script(node, key, values);
        let kind = match (script, component) {
            (Some(script), _) => StepKind::Run(script),
            (None, Some(component)) => StepKind::Uses { component, inputs: Vec::new() },
            (None, None) => images.first().map_or(StepKind::Other, |image| StepKind::Uses { component: *image, inputs: Vec::new() }),
        };
        moves::note_list_slot(self.reader.facts, node, "env", &["script", "command", "args", "image"], key);
        let mut step = Step::new(name, key, node.at(), kind);
        step.shell_written = node.get("script").and_then(Node::str).is_none_or(|text| text.trim_start().starts_with("#!"));
        step.env = environment(Some(node), Scope::Step, key);
        if let Some(text) = node.get("script").and_then(Node::mapped) {
            // The value that the file itself gives is in the repository: the name of a Secret's entry, not what is in it.
            let said = |name: &str| values.of(&format!("params.{name}")).iter().any(|value| !value.text.is_empty() && !value.text.contains('$'));
            let unsaid = parameters(&text.text, "params.").into_iter().filter(|(_, name)| !said(name)).collect();
            step.pasted = pasted(&text, unsaid, &[], &format!("{key}.script"));
        }
        step.tolerated = match node.get("onError").map(|node| (node.str(), node.at())) {
            Some((Some("continue"), at)) => Setting::Plain(true, at),
            Some((Some(text), at)) if text.contains('$') => Setting::Computed(at),
            _ => Setting::Absent,
        };
        job.steps.push(step);
    }

    fn script(&mut self, node: Node, key: &str, values: &Values) -> Option<Script> {
        let folder = node.get("workingDir").and_then(Node::str).filter(|folder| !folder.contains('$'));
        let folder = folder.and_then(|folder| join("", folder)).unwrap_or_default();
        let first = |text: Mapped| values.resolve(&text).into_iter().next().unwrap_or(text);
        if let Some(text) = node.get("script").and_then(Node::mapped) {
            let start = text.text.trim_start();
            let shell = match start.strip_prefix("#!") {
                // `#!win` alone makes a batch file; with words behind it, those read the script.
                Some(rest) if rest.starts_with("win") => {
                    let named = rest["win".len()..].lines().next().is_some_and(|line| !line.trim().is_empty());
                    let language = if named { Language::PowerShell } else { Language::Cmd };
                    Shell { language, ..Shell::PLAIN }
                }
                Some(_) => Shell::PLAIN,
                None => Shell::ERREXIT,
            };
            return self.reader.script(&first(text), shell, &folder, &format!("{key}.script"));
        }
        let list = |name: &str| node.get(name).into_iter().flat_map(Node::items).filter_map(Node::mapped).map(first);
        let words: Vec<Mapped> = list("command").chain(list("args")).collect();
        // Without a command, the image decides what the arguments mean.
        node.get("command")?;
        self.reader.words(words, Shell::PLAIN, &folder, &format!("{key}.command"))
    }
}

/// `env` and `envFrom` of a container.
/// <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables>
pub fn environment(container: Option<Node>, scope: Scope, key: &str) -> Vec<Assignment> {
    let Some(container) = container else { return Vec::new() };
    steps::container_variables(container, scope, key)
}
