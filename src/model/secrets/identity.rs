//! An upload to PyPI by the identity of its job instead of a stored token: the edits. Knows no rule.

use super::filed::without;
use super::names::JOB_TOKEN;
use crate::model::edit::Edit;
use crate::model::pipeline::{Assignment, Job, Pipeline, Step, StepKind, Value};
use crate::model::project::Project;
use crate::model::script::Command;
use crate::model::span::Location;

/// What a tool takes a user and a token from: its name, variables, options. These find the identity by themselves when none is given:
/// twine since 6.1, uv always. <https://docs.astral.sh/uv/guides/package/#publishing-your-package>
const TOOLS: &[(&str, &[&str], &[&str])] = &[
    ("twine", &["TWINE_PASSWORD", "TWINE_USERNAME"], &["-p", "--password", "-u", "--username"]),
    (
        "uv",
        &["UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD", "UV_PUBLISH_USERNAME"],
        &["-t", "--token", "-p", "--password", "-u", "--username"],
    ),
];

/// The edits, where everything that names the token can be taken out of the one job.
pub fn edits(project: &Project, pipeline: &Pipeline, job: &Job, index: usize) -> Option<Vec<Edit>> {
    let grant = pipeline.system.secrets.grants?;
    let step = &job.steps[index];
    let source = job.at.source;
    let known = &project.facts_of(source).variable_edits;
    let slot = known.slots.iter().find(|slot| slot.step == job.key && slot.word == grant.word)?;
    let own = !slot.lead.is_empty();
    if own && !grant.beside.is_empty() && !job.steps.iter().all(|step| is_content(project, step, grant.content)) {
        return None;
    }
    let texts: Vec<String> = [grant.beside, grant.entry]
        .iter()
        .skip(usize::from(!own))
        .filter(|text| !text.is_empty())
        .map(|text| text.to_string())
        .collect();
    let mut all = slot.put(&texts);
    let taken = match &step.kind {
        StepKind::Uses { inputs, .. } => {
            let token: Vec<&Assignment> =
                inputs.iter().filter(|one| matches!(one.name.as_str(), "password" | "user" | "username")).collect();
            cut(project, &token, inputs)?
        }
        StepKind::Run(script) => {
            let (command, (_, variables, options)) =
                script.commands.iter().find_map(|command| Some((command, tool(command)?)))?;
            let mut taken = Vec::new();
            let (mut rest, mut arguments) = (options.to_vec(), Vec::new());
            while let Some(at) =
                rest.iter().position(|option| command.words.iter().any(|word| word.text.text == *option))
            {
                arguments.extend(without(project, command, &[rest[at]])?);
                rest.remove(at);
            }
            // Joined to its value, or twice, it is left to a person.
            let joined =
                |option: &&&str| command.words.iter().any(|word| word.text.text.starts_with(&format!("{option}=")));
            if options.iter().any(|option| joined(&option)) {
                return None;
            }
            // What the step has only for such an argument, it needs no more.
            let text = project.sources.text(script.at);
            let gone: String = arguments.iter().map(|edit| project.sources.text(edit.at)).collect::<Vec<_>>().join(" ");
            let spare = |one: &&Assignment| {
                let secret = matches!(one.value, Value::Secret { .. });
                secret
                    && gone.contains(one.name.as_str())
                    && text.matches(one.name.as_str()).count() == gone.matches(one.name.as_str()).count()
            };
            taken.extend(arguments);
            for env in [&step.env, &job.env] {
                let is_step = std::ptr::eq(env, &step.env);
                let token = env.iter().filter(|one| variables.contains(&one.name.as_str()) || is_step && spare(one));
                let token: Vec<&Assignment> = token.collect();
                if !token.is_empty() {
                    taken.extend(cut(project, &token, env)?);
                }
            }
            taken
        }
        StepKind::Other => return None,
    };
    if taken.is_empty() || all.iter().chain(&taken).any(|edit| edit.at.source != source) {
        return None;
    }
    all.extend(taken);
    all.sort();
    Some(all)
}

/// Whether a step needs no more of its job's token than to read the repository.
fn is_content(project: &Project, step: &Step, known: &[&str]) -> bool {
    match &step.kind {
        StepKind::Uses { component, .. } => {
            let name = project.reference(*component).subject.name.to_ascii_lowercase();
            known.iter().any(|lead| name.starts_with(lead))
        }
        StepKind::Run(script) => {
            let pushes = |command: &Command| {
                let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
                words.first() == Some(&"gh") || words.first() == Some(&"git") && words.contains(&"push")
            };
            let token = |one: &Assignment| matches!(&one.value, Value::Secret { names, .. } if names.iter().any(|name| name == JOB_TOKEN));
            !script.commands.iter().any(pushes) && !step.env.iter().chain(&step.pasted).any(token)
        }
        StepKind::Other => true,
    }
}

fn tool(command: &Command) -> Option<&'static (&'static str, &'static [&'static str], &'static [&'static str])> {
    TOOLS.iter().find(|(tool, ..)| command.words.iter().any(|word| word.names(tool)))
}

/// The lines of some variables, or of their block when nothing else stands in it.
fn cut(project: &Project, token: &[&Assignment], all: &[Assignment]) -> Option<Vec<Edit>> {
    let known = &project.facts_of(token.first()?.at.source).variable_edits;
    let entries = token.iter().map(|one| known.entry(&one.key)).collect::<Option<Vec<_>>>()?;
    let block = &entries[0].block;
    if all.iter().filter(|one| one.key.starts_with(block.as_str())).count() == token.len() {
        return Some(vec![Edit::replace(known.lines_of(block)?, "")]);
    }
    let places: Vec<Location> = entries.iter().map(|entry| entry.at).collect();
    Some(places.into_iter().map(|at| Edit::replace(at, "")).collect())
}
