//! Where the checkouts of a job put this repository, so that paths of its commands are looked for in the right tree.
//! Knows checkouts by what `actions/checkout` documents; other systems have one checkout at the root.

use crate::model::pipeline::{Assignment, Job, StepKind, Value};
use crate::model::project::Project;
use crate::model::script::Command;
use crate::model::source::join;

/// Where the checkouts of a job put what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspace {
    /// Folders, other than the root, that hold this repository.
    own: Vec<String>,
    /// Folders, other than the root, that hold another one.
    foreign: Vec<String>,
    /// The root holds another repository: what is installed there is that project's business.
    pub foreign_root: bool,
}

impl Workspace {
    /// What the checkout steps of a job say.
    pub fn of(project: &Project, job: &Job) -> Workspace {
        let mut workspace = Workspace::default();
        let mut own_root = false;
        for step in &job.steps {
            if let StepKind::Run(script) = &step.kind {
                workspace.foreign_root |= script.commands.iter().any(clones_here);
            }
            let StepKind::Uses { component, inputs } = &step.kind else { continue };
            if !project.reference(*component).subject.name.eq_ignore_ascii_case("actions/checkout") {
                continue;
            }
            let path = literal(inputs, "path").and_then(|path| join("", path)).unwrap_or_default();
            let foreign = literal(inputs, "repository").is_some_and(|repository| is_foreign(project, repository));
            match (path.is_empty(), foreign) {
                (true, true) => workspace.foreign_root = true,
                (true, false) => own_root = true,
                (false, true) => workspace.foreign.push(path),
                (false, false) => workspace.own.push(path),
            }
        }
        // The last checkout of the same folder counts; a job that has both at its root works on ours at some point.
        workspace.foreign_root &= !own_root;
        workspace
    }

    /// Where a path of the workspace is in this repository; `None`: it is not of this repository.
    pub fn locate(&self, full: &str) -> Option<String> {
        if self.foreign.iter().any(|folder| below(full, folder).is_some()) {
            return None;
        }
        match self.own.iter().find_map(|folder| below(full, folder)) {
            Some(rest) => Some(rest.to_string()),
            None if self.foreign_root => None,
            None => Some(full.to_string()),
        }
    }
}

/// `git clone URL .`: another repository fills the workspace.
fn clones_here(command: &Command) -> bool {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
    words.len() > 3 && words[..2] == ["git", "clone"] && words.last() == Some(&".")
}

/// The rest of `full` below `folder`.
fn below<'f>(full: &'f str, folder: &str) -> Option<&'f str> {
    let rest = full.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn literal<'a>(inputs: &'a [Assignment], name: &str) -> Option<&'a str> {
    inputs.iter().find(|input| input.name == name).and_then(|input| match &input.value {
        Value::Literal(text) => Some(text.trim()),
        _ => None,
    })
}

/// Whether `owner/name` names another repository. A workflow may name its own; then the name is that of a project in it.
fn is_foreign(project: &Project, repository: &str) -> bool {
    let name = repository.rsplit('/').next().unwrap_or(repository);
    let same = |own: &str| own.replace(['_', '.'], "-").eq_ignore_ascii_case(&name.replace(['_', '.'], "-"));
    !project.manifests().filter_map(|manifest| manifest.name.as_deref()).any(same)
}

#[cfg(test)]
mod tests {
    use super::Workspace;

    #[test]
    fn paths_are_found_behind_their_checkouts() {
        let workspace = Workspace { own: vec!["ours".into()], foreign: vec!["docs".into()], foreign_root: true };
        assert_eq!(workspace.locate("ours/requirements.txt").as_deref(), Some("requirements.txt"));
        assert_eq!(workspace.locate("ours").as_deref(), Some(""));
        assert_eq!(workspace.locate("requirements.txt"), None);
        assert_eq!(workspace.locate("docs/requirements.txt"), None);
        assert_eq!(Workspace::default().locate("a/b").as_deref(), Some("a/b"));
    }
}
