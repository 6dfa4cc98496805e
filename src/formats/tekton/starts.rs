//! What starts a run, as annotations of Pipelines as Code say, and time limits. Knows no event listener.

use super::{File, refs};
use crate::model::pipeline::{PushFilter, Setting};
use crate::model::text::Text;
use crate::syntax::tree::Node;

const PREFIX: &str = "pipelinesascode.tekton.dev/";

/// Reads the annotations of an object into the pipeline of its file.
pub fn read(object: Node, file: &mut File) {
    let annotations = object.path(&["metadata", "annotations"]);
    let of = |name: &str| annotations.and_then(|all| all.get(&format!("{PREFIX}{name}")));
    let triggers = &mut file.pipeline.triggers;
    triggers.manual = true;
    let (event, expression) = (of("on-event"), of("on-cel-expression"));
    let comment = of("on-comment").is_some();
    let text = |node: Option<Node>| node.and_then(Node::str).unwrap_or("").to_string();
    let events = text(event) + &text(expression);
    if events.is_empty() && !comment {
        // A listener of the cluster, or somebody by hand.
        triggers.unseen = true;
    } else {
        triggers.patch |= events.contains("pull_request") || comment;
        if events.contains("push") {
            let branches = text(of("on-target-branch"));
            let branches = branches.trim_matches(['[', ']']).split(',').map(str::trim).filter(|name| !name.is_empty());
            triggers.push = Some(PushFilter { branches: branches.map(str::to_string).collect(), tags_only: false });
        }
        triggers.unseen |= expression.is_some() && !events.contains("push") && !events.contains("pull_request");
    }
    if let Some(node) = of("cancel-in-progress") {
        let on = node.str().and_then(|text| text.parse().ok());
        file.pipeline.cancel = on.map_or(Setting::Computed(node.at()), |on| Setting::Plain(on, node.at()));
    }
    for (name, value) in annotations.into_iter().flat_map(Node::entries) {
        let Some(name) = name.str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let what = if name == "pipeline" { "pipeline" } else { "task" };
        let tail = name.strip_prefix("task").map(|tail| tail.trim_start_matches('-'));
        let is_task = tail.is_some_and(|tail| tail.is_empty() || tail.parse::<u32>().is_ok());
        if let Some(text) = value.text().filter(|_| is_task || name == "pipeline") {
            remote(&text, what, &format!("metadata.annotations.{PREFIX}{name}"), file);
        }
    }
}

/// `[git-clone, maven:0.2, https://…, ./task.yaml]`.
fn remote(text: &Text, what: &str, key: &str, file: &mut File) {
    let mut start = 0;
    for part in text.text.split(',') {
        let trimmed = part.trim_matches([' ', '[', ']', '"', '\'', '\n']);
        let from = start + (part.len() - part.trim_start_matches([' ', '[', '"', '\'', '\n']).len());
        start += part.len() + 1;
        let one = Text { text: trimmed.to_string(), at: text.place(from..from + trimmed.len()), verbatim: text.verbatim };
        if trimmed.contains("://") && !trimmed.contains("{{") && !trimmed.contains("://hub") {
            file.address(&one, what, key);
        } else if !trimmed.is_empty() && !trimmed.contains(['/', '{']) && !trimmed.ends_with("ml") {
            let (name, version) = trimmed.split_once(':').map_or((trimmed, None), |(name, version)| (name, Some(version)));
            let cut = |text: &str| Text { text: text.to_string(), at: one.at, verbatim: false };
            file.reader.push(refs::hub(cut(name), version.map(cut), key));
        }
    }
}

/// `1h30m0s`: minutes, rounded up; `0` is no limit.
pub fn timeout(node: Option<Node>) -> Setting<u32> {
    let Some(node) = node else { return Setting::Absent };
    match node.str().and_then(minutes) {
        Some(0) => Setting::Absent,
        Some(minutes) => Setting::Plain(minutes, node.at()),
        None => Setting::Computed(node.at()),
    }
}

fn minutes(text: &str) -> Option<u32> {
    let mut seconds = 0f64;
    let mut rest = text.trim();
    if rest == "0" {
        return Some(0);
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |len| digits + len);
        seconds += number
            * match &rest[digits..unit] {
                "h" => 3_600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" | "us" | "ns" => 0.0,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    Some((seconds / 60.0).ceil().clamp(0.0, 1e9) as u32)
}
