//! `variables` and `env`: what is assigned, and which of it is secret by name. Secret variables of the server are in no environment before
//! a step asks for them by `$(name)`.

use super::frame::Frame;
use crate::model::pipeline::{Assignment, Scope, Value};
use crate::model::secrets::looks_secret;
use crate::model::text::Mapped;
use crate::syntax::tree::Node;
use std::ops::Range;
use std::rc::Rc;

/// `$(name)` in a text: where, and the name. `$(git log)` of a shell is none.
pub fn macros(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("$(") {
        let Some(len) = text[at..].find(')') else { break };
        let name = &text[at + 2..at + len];
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !name.is_empty() && name.chars().all(named) {
            found.push((at..at + len + 1, name.to_string()));
        }
    }
    found
}

/// The path in `$[ variables['name'] ]`, which must be all of a value. Other expressions of the run stay open.
/// <https://learn.microsoft.com/azure/devops/pipelines/process/variables#understand-variable-syntax>
pub fn at_run_time(text: &str) -> Option<&str> {
    let path = text.trim().strip_prefix("$[")?.strip_suffix(']')?.trim();
    let rest = path.strip_prefix("variables")?;
    let name = rest.strip_prefix("['").and_then(|rest| rest.strip_suffix("']")).or_else(|| rest.strip_prefix('.'))?;
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.chars().all(named).then_some(path)
}

/// What a text is: secrets in it are names that the files do not define and that are named like one.
pub fn value<'t>(text: &str, frame: &Rc<Frame<'t>>) -> Value {
    let found = macros(text);
    if found.is_empty() {
        return if text.contains("${{") || text.contains("$[") { Value::Expression(text.to_string()) } else { Value::Literal(text.to_string()) };
    }
    let secret = |name: &String| name.eq_ignore_ascii_case("System.AccessToken") || !frame.defines(name) && looks_secret(name);
    let names: Vec<String> = found.iter().map(|(_, name)| name.clone()).filter(secret).collect();
    if names.is_empty() {
        return Value::Expression(text.to_string());
    }
    Value::Secret { whole: found.len() == 1 && found[0].0 == (0..text.len()), names, derived: false }
}

/// A mapping, or a list of `name` and `value`. Groups and templates of a list are left out.
pub fn assignments<'t>(node: Option<Node<'t>>, frame: &Rc<Frame<'t>>, scope: Scope, key: &str) -> Vec<Assignment> {
    let Some(node) = node else { return Vec::new() };
    let mut all = Vec::new();
    let mut push = |name: String, node: Node<'t>, frame: &Rc<Frame<'t>>| {
        let text = frame.mapped(node).map_or(String::new(), |text| text.trimmed().text);
        let key = format!("{key}.{name}");
        all.push(Assignment { value: value(&text, frame), scope, at: node.at(), key, name });
    };
    let (node, frame) = frame.deref(node);
    if node.is_map() {
        for (name, item) in frame.entries(node) {
            push(name, item.node, &item.frame);
        }
    }
    for item in frame.items(node, "") {
        if let (Some(name), Some(value)) = (item.node.get("name").and_then(Node::str), item.node.get("value")) {
            push(name.to_string(), value, &item.frame);
        }
    }
    all
}

/// Secrets that are put into a script before it runs.
pub fn pasted<'t>(text: &Mapped, frame: &Rc<Frame<'t>>, name: &str, key: &str) -> Vec<Assignment> {
    let assignment = |(part, _): (Range<usize>, String)| {
        let value = value(&text.text[part.clone()], frame);
        let secret = matches!(value, Value::Secret { .. });
        let at = text.place(part).0;
        secret.then(|| Assignment { name: name.to_string(), value, scope: Scope::Step, at, key: key.to_string() })
    };
    macros(&text.text).into_iter().filter_map(assignment).collect()
}
