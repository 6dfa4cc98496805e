//! `env`: texts of assignments, mappings, and encrypted values. Knows names of secrets, never values.

use crate::ecosystems::variable;
use crate::model::pipeline::{Assignment, Scope, Value};
use crate::model::text::Text;
use crate::syntax::tree::Node;

/// What `env` or a part of it assigns.
pub fn assignments(node: Node<'_>, scope: Scope, key: &str) -> Vec<Assignment> {
    let mut all = Vec::new();
    if node.is_seq() {
        for (index, item) in node.items().enumerate() {
            all.extend(one(item, scope, &format!("{key}[{index}]")));
        }
        return all;
    }
    one(node, scope, key)
}

fn one(node: Node<'_>, scope: Scope, key: &str) -> Vec<Assignment> {
    if let Some(text) = node.text() {
        return of_text(&text, scope, key);
    }
    let mut all = Vec::new();
    for (name, value) in node.entries() {
        let Some(name) = name.str() else { continue };
        // `secure: …` alone hides the name too.
        let at = value.get("secure").unwrap_or(value).at();
        let value = match name == "secure" || value.get("secure").is_some() {
            true => Value::Secret { names: vec![name.to_string()], whole: true, derived: false },
            false => variable::value(value.str().unwrap_or(""), |_| false),
        };
        all.push(Assignment { name: name.to_string(), value, scope, at, key: format!("{key}.{name}") });
    }
    all
}

/// `A=1 B="x y"`: words as a shell splits them.
fn of_text(text: &Text, scope: Scope, key: &str) -> Vec<Assignment> {
    let mut all = Vec::new();
    let mut start = 0;
    for word in words(&text.text) {
        let at = text.text[start..].find(word).map_or(start, |at| at + start);
        start = at + word.len();
        let Some((name, value)) = word.split_once('=') else { continue };
        let from = at + name.len() + 1;
        let bare = value.trim_matches(['"', '\'']);
        let place = text.place(from..from + value.len());
        let key = format!("{key}.{name}");
        all.push(Assignment { name: name.to_string(), value: variable::value(bare, |_| false), scope, at: place, key });
    }
    all
}

fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => {
                quote = Some(c);
                start = start.or(Some(at));
            }
            (c, None) if c.is_whitespace() => words.extend(start.take().map(|start| &text[start..at])),
            _ => start = start.or(Some(at)),
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}
