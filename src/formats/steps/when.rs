//! Conditions on events, as Drone and Woodpecker write them: `event`, `branch`, `ref`, `cron`, in a mapping or a list of mappings.

use crate::model::pipeline::{PushFilter, Triggers};
use crate::syntax::tree::Node;

/// Whether conditions let an event through: one mapping of them, or a list of which one has to fit. Nothing written lets all through.
pub fn allows(conditions: Option<Node>, event: &str) -> bool {
    let Some(node) = conditions.filter(|node| !node.is_null()) else { return true };
    if node.is_seq() { node.items().any(|one| fits(one, event)) } else { fits(node, event) }
}

fn fits(condition: Node, event: &str) -> bool {
    let by_event = condition.get("event").map(|list| listed(list, |word| word == event));
    // Without `event`, other keys tell: a schedule by name, a tag by its ref.
    let implied = || {
        let refs = condition.get("ref").is_none_or(|list| {
            listed(list, |word| match event {
                "tag" => !word.starts_with("refs/heads/") && !word.starts_with("refs/pull/"),
                "pull_request" => !word.starts_with("refs/heads/") && !word.starts_with("refs/tags/"),
                _ => !word.starts_with("refs/tags/") && !word.starts_with("refs/pull/"),
            })
        });
        let named = |key: &str, own: &str| condition.get(key).is_none() || event == own;
        refs && named("cron", "cron") && named("target", "promote")
    };
    by_event.unwrap_or(true) && (by_event.is_some() || implied())
}

/// Whether a list, or `include` and `exclude` lists, take a word in.
fn listed(node: Node, is: impl Fn(&str) -> bool) -> bool {
    let any = |node: Node| node.list().filter_map(Node::str).any(&is);
    if !node.is_map() {
        return any(node);
    }
    node.get("include").is_none_or(any) && !node.get("exclude").is_some_and(any)
}

/// What starts a pipeline with these conditions.
pub fn triggers(conditions: Option<Node>) -> Triggers {
    let push = allows(conditions, "push");
    let tag = allows(conditions, "tag");
    let filter = || PushFilter { branches: branches(conditions), tags_only: !push };
    Triggers {
        patch: allows(conditions, "pull_request"),
        push: (push || tag).then(filter),
        schedule: mentions(conditions, "cron"),
        manual: allows(conditions, "manual") || allows(conditions, "custom"),
        called: false,
        other: allows(conditions, "release") || allows(conditions, "promote") || allows(conditions, "deployment"),
        unseen: false,
    }
}

/// Two sets of conditions of one file: started when either is.
pub fn either(one: Triggers, other: Triggers) -> Triggers {
    let push = match (one.push, other.push) {
        (Some(one), Some(other)) if one.branches.is_empty() && !one.tags_only => {
            Some(PushFilter { ..one }).or(Some(other))
        }
        (Some(one), Some(other)) if one.tags_only => Some(other).or(Some(one)),
        (Some(one), Some(other)) if other.tags_only => Some(one),
        (Some(_), Some(other)) if other.branches.is_empty() => Some(other),
        (Some(mut one), Some(other)) => {
            one.branches.extend(other.branches);
            Some(one)
        }
        (one, other) => one.or(other),
    };
    Triggers {
        patch: one.patch || other.patch,
        push,
        schedule: one.schedule || other.schedule,
        manual: one.manual || other.manual,
        called: one.called || other.called,
        other: one.other || other.other,
        unseen: one.unseen || other.unseen,
    }
}

fn each(conditions: Option<Node<'_>>) -> impl Iterator<Item = Node<'_>> {
    let one = conditions.filter(|node| node.is_map());
    one.into_iter().chain(conditions.into_iter().flat_map(Node::items))
}

/// Branches of pushes, when every condition that lets pushes through names some.
fn branches(conditions: Option<Node>) -> Vec<String> {
    let mut all = Vec::new();
    for condition in each(conditions).filter(|condition| fits(*condition, "push")) {
        let list = condition.get("branch").map(|node| node.get("include").unwrap_or(node));
        let names: Vec<&str> = list.into_iter().flat_map(Node::list).filter_map(Node::str).collect();
        if names.is_empty() {
            return Vec::new();
        }
        all.extend(names.into_iter().map(str::to_string));
    }
    all
}

/// Whether an event is named: a schedule exists on the server only, and without a word about it nobody knows of one.
fn mentions(conditions: Option<Node>, event: &str) -> bool {
    each(conditions).any(|condition| {
        let list = condition.get("event").map(|node| node.get("include").unwrap_or(node));
        let named = list.into_iter().flat_map(Node::list).filter_map(Node::str).any(|word| word == event);
        named || condition.get(event).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;
    use crate::syntax::yaml;

    #[test]
    fn conditions_let_events_through() {
        let rows = [
            ("event: [push, pull_request]", true, true, false),
            ("event: tag", false, false, true),
            ("event: {exclude: [pull_request]}", true, false, true),
            ("branch: main", true, true, true),
            ("ref: [refs/tags/**]", false, false, true),
            ("cron: nightly", false, false, false),
            ("[{event: tag}, {event: pull_request}]", false, true, true),
        ];
        for (text, push, patch, tag) in rows {
            let tree = yaml::parse(SourceId(0), text);
            let root = tree.root();
            let got = (allows(root, "push"), allows(root, "pull_request"), allows(root, "tag"));
            assert_eq!(got, (push, patch, tag), "{text}");
        }
        assert!(allows(None, "pull_request"));
        let tree = yaml::parse(SourceId(0), "- event: [push, cron]\n  branch: [main, dev]\n- event: tag\n");
        let triggers = triggers(tree.root());
        assert_eq!(triggers.push.expect("pushes count").branches, ["main", "dev"]);
        assert!(triggers.schedule && !triggers.patch);
    }
}
