//! `on`: what starts a workflow (<https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows>).
//! Does not know conditions of jobs.

use super::known::{Event, Known};
use crate::model::pipeline::{PushFilter, Triggers};
use crate::syntax::tree::Node;

/// Events that carry a proposed patch.
const PATCH: [&str; 3] = ["pull_request", "pull_request_target", "merge_group"];

/// What starts a workflow, and by which of the patch events.
pub struct On {
    /// In the words of the model.
    pub triggers: Triggers,
    /// Names out of [`PATCH`].
    pub patch_events: Vec<&'static str>,
}

/// Reads the value of `on`: a name, a list of names, or a mapping.
pub fn read(on: Option<Node<'_>>) -> On {
    let mut read = On { triggers: Triggers::default(), patch_events: Vec::new() };
    let Some(on) = on else { return read };
    for name in on.list().filter_map(Node::str) {
        event(&mut read, name, None);
    }
    for (name, filter) in on.entries() {
        if let Some(name) = name.str() {
            event(&mut read, name, Some(filter));
        }
    }
    read
}

fn event(on: &mut On, name: &str, filter: Option<Node<'_>>) {
    let triggers = &mut on.triggers;
    match name {
        "push" => triggers.push = Some(push(filter)),
        "schedule" => triggers.schedule = true,
        "workflow_dispatch" | "repository_dispatch" => triggers.manual = true,
        "workflow_call" => triggers.called = true,
        _ => match PATCH.into_iter().find(|patch| *patch == name && opens(filter)) {
            Some(patch) => {
                triggers.patch = true;
                on.patch_events.push(patch);
            }
            None => triggers.other = true,
        },
    }
}

/// Whether a patch event comes when a patch is opened or changed, and not only when it is closed or labelled.
fn opens(filter: Option<Node<'_>>) -> bool {
    let Some(types) = filter.and_then(|filter| filter.get("types")) else { return true };
    let mut names = types.list().filter_map(Node::str);
    names.any(|name| matches!(name, "opened" | "synchronize" | "reopened" | "ready_for_review" | "checks_requested"))
}

fn push(filter: Option<Node<'_>>) -> PushFilter {
    let list = |key: &str| -> Option<Vec<String>> {
        let node = filter?.get(key)?;
        Some(node.list().filter_map(Node::str).map(str::to_string).collect())
    };
    let ignored = list("branches-ignore").map(|names| {
        let names = names.into_iter().map(|name| format!("!{name}"));
        std::iter::once("**".to_string()).chain(names).collect()
    });
    let branches: Option<Vec<String>> = list("branches").or(ignored);
    let tags = list("tags").is_some() || list("tags-ignore").is_some();
    PushFilter { tags_only: tags && branches.is_none(), branches: branches.unwrap_or_default() }
}

impl On {
    /// Whether a job with this condition can be started by a patch; `None`: an expression decides that cannot be seen.
    pub fn on_patch(&self, condition: Option<&str>, known: &Known<'_>) -> Option<bool> {
        if self.patch_events.is_empty() {
            // Who calls a called workflow, and from what, is not in this file.
            return if self.triggers.called { None } else { Some(false) };
        }
        let Some(condition) = condition else { return Some(true) };
        let mut answer = Some(false);
        for name in &self.patch_events {
            for fork in [false, true] {
                match known.holds(condition, Event { name, fork }) {
                    Some(true) => return Some(true),
                    None => answer = None,
                    Some(false) => {}
                }
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;
    use crate::syntax::yaml;

    fn on(text: &str) -> On {
        read(yaml::parse(SourceId(0), text).root().unwrap().get("on"))
    }

    #[test]
    fn triggers_are_read_in_each_form() {
        for text in ["on: pull_request", "on: [push, pull_request]", "'on':\n  pull_request:\n    branches: [main]"] {
            assert!(on(text).triggers.patch, "{text}");
        }
        assert!(!on("on:\n  pull_request:\n    types: [closed]").triggers.patch);
        assert!(on("on:\n  push:\n    tags: ['v*']").triggers.push.unwrap().tags_only);
        assert_eq!(on("on:\n  push:\n    branches-ignore: [x]").triggers.push.unwrap().branches, ["**", "!x"]);
        assert!(on("on: workflow_call").triggers.called);
    }

    #[test]
    fn a_job_is_on_patches_by_its_condition() {
        let known = Known::default();
        let both = on("on: [push, pull_request]");
        assert_eq!(both.on_patch(None, &known), Some(true));
        assert_eq!(both.on_patch(Some("github.event_name == 'push'"), &known), Some(false));
        let forks = "github.event_name == 'push' || github.event.pull_request.head.repo.full_name != github.repository";
        assert_eq!(both.on_patch(Some(forks), &known), Some(true));
        assert_eq!(both.on_patch(Some("vars.RUN"), &known), None);
        assert_eq!(on("on: push").on_patch(None, &known), Some(false));
        assert_eq!(on("on: workflow_call").on_patch(None, &known), None);
    }
}
