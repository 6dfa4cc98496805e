//! Settings of uv that change what it locks: how it chooses, how new a release may be, for which environments, and what conflicts.

use super::Check;
use crate::check::locks::marker::Marker;
use crate::check::locks::reason;
use crate::model::lock::Reason;
use crate::model::source::join;
use crate::syntax::toml;
use crate::syntax::tree::{Node, Tree};

impl Check<'_> {
    /// A setting of `uv.toml`, which hides those of `[tool.uv]`, or of `[tool.uv]`.
    pub(super) fn options(&mut self) {
        let file = join(self.folder, "uv.toml").and_then(|path| self.project.sources.find(&path));
        let tree = file.map(|file| toml::parse(file.id, &file.text));
        let own = tree.as_ref().and_then(Tree::root);
        let own = own.or_else(|| self.root.path(&["tool", "uv"]));
        let of = |key: &str| own.and_then(|table| table.get(key));
        let modes = [
            ("options.resolution-mode", "resolution", "highest"),
            ("options.prerelease-mode", "prerelease", "if-necessary-or-explicit"),
            ("options.fork-strategy", "fork-strategy", "requires-python"),
        ];
        for (recorded, key, default) in modes {
            let written = of(key).and_then(Node::str).unwrap_or(default);
            let was = self.setting(recorded).unwrap_or(default);
            if of(key).is_none_or(Node::is_scalar) && once_one(written) != once_one(was) {
                let text = format!("`{key}` is `{written}` and was `{was}` when it was locked");
                self.stale.push(Reason { text, at: of(key).map(Node::at) });
            }
        }
        self.exclude_newer(of("exclude-newer"));
        for (recorded, key) in [("supported-markers", "environments"), ("required-markers", "required-environments")] {
            self.environments(recorded, key);
        }
        self.conflicts();
    }

    fn exclude_newer(&mut self, written: Option<Node>) {
        let span = self.setting("options.exclude-newer-span");
        let recorded = span.or(self.setting("options.exclude-newer"));
        let at = written.map(Node::at);
        match (written.and_then(Node::str), recorded) {
            (Some(text), None) => {
                let text = format!("`exclude-newer` is `{text}` and was not set when it was locked");
                self.stale.push(Reason { text, at });
            }
            (None, Some(was)) => {
                let text = format!("it was locked with `exclude-newer` `{was}`, which no configuration here sets");
                self.stale.push(reason(text));
            }
            // A later bound allows all that is locked, so uv keeps the lock.
            (Some(text), Some(was)) if span.is_none() && is_earlier(text, was) => {
                let text = format!("`exclude-newer` is `{text}` and was `{was}` when it was locked");
                self.stale.push(Reason { text, at });
            }
            _ => {}
        }
    }

    fn environments(&mut self, recorded: &str, key: &str) {
        let node = self.root.path(&["tool", "uv", key]);
        let written: Vec<&str> = node.into_iter().flat_map(|node| node.list()).filter_map(Node::str).collect();
        let was = listed(self.setting(recorded).unwrap_or("[]"));
        let equal = written.len() == was.len()
            && written.iter().zip(&was).all(|(a, b)| Marker::read(a).equals(&Marker::read(b), &self.within));
        if !equal {
            let text = format!("`{key}` differs from what it was locked for");
            self.stale.push(Reason { text, at: node.map(Node::at) });
        }
    }

    /// Includes of groups bring conflicts of their own into the lock, so it may hold more than is written.
    fn conflicts(&mut self) {
        let node = self.root.path(&["tool", "uv", "conflicts"]);
        let sets = node.into_iter().flat_map(|list| list.items());
        let written: Vec<String> = sets
            .flat_map(|set| set.items())
            .filter_map(|item| {
                ["extra", "group"].iter().find_map(|kind| Some(format!("{kind} = {}", item.get(kind)?.str()?)))
            })
            .collect();
        let was = self.setting("conflicts").unwrap_or("");
        let missing = written.iter().any(|item| !was.contains(item.as_str()));
        if missing || written.is_empty() && !was.is_empty() && node.is_none_or(|node| node.items().len() == 0) {
            let text = "`conflicts` differs from what it was locked with".to_string();
            self.stale.push(Reason { text, at: node.map(Node::at) });
        }
    }
}

/// The items of a list that [`crate::model::lock::Statement`] holds in one spelling; markers hold no `, `.
fn listed(text: &str) -> Vec<String> {
    let inner = text.trim_start_matches('[').trim_end_matches(']');
    inner.split(", ").filter(|item| !item.is_empty()).map(str::to_string).collect()
}

/// Whether one bound is plainly earlier than another. A date alone means its end in the zone of the machine that locked, so days
/// that touch are not told apart.
fn is_earlier(text: &str, was: &str) -> bool {
    let instants = text.len() >= 19 && was.len() >= 19 && text.ends_with('Z') && was.ends_with('Z');
    let day = |text: &str| {
        let mut parts = text.get(..10)?.split('-').map(|part| part.parse::<i32>().ok());
        Some((parts.next()?? * 12 + parts.next()??) * 31 + parts.next()??)
    };
    match (day(text), day(was)) {
        (Some(new), Some(old)) => new + 1 < old || instants && text < was,
        _ => false,
    }
}

/// A mode under the one name that two have. A lock records no mode that is the default, and with uv 0.12 the default went from
/// `if-necessary-or-explicit` to `if-necessary`, of which the old name is an alias; which uv locked is in no file.
/// <https://github.com/astral-sh/uv/blob/main/CHANGELOG.md#0120>
fn once_one(mode: &str) -> &str {
    if mode == "if-necessary-or-explicit" { "if-necessary" } else { mode }
}
