//! `action.yml`: a composite action to a component, the image of a container action to a reference
//! (<https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax>).

use super::known::Known;
use super::matrix;
use super::reader::{Around, Reader};
use super::shell;
use super::steps::Room;
use crate::model::pipeline::{Job, Pipeline, Setting, Triggers};
use crate::model::reference::Role;
use crate::model::script::Shell;
use crate::syntax::tree::Node;

impl Reader<'_> {
    /// Reads an action.
    pub fn action(&mut self, root: Node<'_>) {
        let Some(runs) = root.get("runs").filter(|runs| runs.is_map()) else {
            return self.refuse(self.source.top(), "this action has no mapping `runs`");
        };
        let known = Known {
            env: Vec::new(),
            inputs: root.get("inputs").into_iter().collect(),
            action_path: Some(self.source.folder().to_string()),
        };
        let matrix = matrix::read(None);
        let around = Around { known: &known, matrix: &matrix };
        match runs.get("using").and_then(Node::str) {
            Some("composite") => self.composite(root, runs, around),
            Some("docker") => self.image_of(runs, around),
            Some(_) => {}
            None => self.refuse(runs.at(), "`runs` of this action has no `using`"),
        }
    }

    fn composite<'t>(&mut self, root: Node<'t>, runs: Node<'t>, around: Around<'_, 't>) {
        let Some(list) = runs.get("steps").filter(|steps| steps.is_seq()) else {
            return self.refuse(runs.at(), "this composite action has no list `steps`");
        };
        let mut job = Job::new("runs", "runs", self.source.top());
        // Each `run` of an action has to name its shell; what lacks one is refused by GitHub.
        let mut room = Room {
            around,
            default_shell: shell::default(shell::Windows::No),
            shell: None::<Shell>,
            cwd: None,
            checkout: None,
        };
        self.steps(list, "runs.steps", &mut job, &mut room);
        let name = root.get("name").and_then(Node::str).unwrap_or(&self.source.path).to_string();
        self.facts.components.push(Pipeline {
            system: &super::DIALECT,
            name,
            at: self.source.whole(),
            triggers: Triggers { called: true, ..Triggers::default() },
            env: Vec::new(),
            jobs: vec![job],
            cancel: Setting::Absent,
            unseen: Vec::new(),
        });
    }

    /// `image: docker://…` is fetched; anything else is a Dockerfile beside the action.
    fn image_of(&mut self, runs: Node<'_>, around: Around<'_, '_>) {
        let Some(text) = runs.get("image").and_then(Node::text) else {
            return self.refuse(runs.at(), "this container action has no `image`");
        };
        if text.text.starts_with("docker://") {
            self.images(&text, Role::CiImage, "runs.image", around);
        } else {
            self.facts.builds_of.push((text.text.clone(), text.at));
        }
    }
}
