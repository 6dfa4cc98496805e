//! TOML values as Python's `json.dumps(…, sort_keys=True)` writes them, byte for byte: what poetry, pdm and pipenv hash.

use crate::syntax::tree::Node;

/// What stands between items and after keys.
#[derive(Debug, Clone, Copy)]
pub struct Separators {
    /// Between items.
    pub item: &'static str,
    /// Between key and value.
    pub key: &'static str,
}

/// Python's default.
pub const SPACED: Separators = Separators { item: ", ", key: ": " };
/// `separators=(",", ":")`.
pub const TIGHT: Separators = Separators { item: ",", key: ":" };

/// The value as JSON. Trees of this crate are bounded in depth.
pub fn value(node: Node, separators: Separators) -> String {
    if node.is_seq() {
        return list(node.items().map(|item| value(item, separators)), separators);
    }
    if node.is_map() {
        let pairs = node.entries().map(|(key, item)| (key.str().unwrap_or("").to_string(), value(item, separators)));
        return object(pairs.collect(), separators);
    }
    let text = node.str().unwrap_or("");
    if node.plain() { plain(text) } else { string(text) }
}

/// An array of values that are JSON already.
pub fn list(items: impl Iterator<Item = String>, separators: Separators) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(separators.item))
}

/// An object of values that are JSON already, keys sorted as Python sorts them: by code point, as UTF-8 does.
pub fn object(mut pairs: Vec<(String, String)>, separators: Separators) -> String {
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let pairs: Vec<String> =
        pairs.iter().map(|(key, item)| format!("{}{}{item}", string(key), separators.key)).collect();
    format!("{{{}}}", pairs.join(separators.item))
}

/// Truth values and numbers; Python writes integers in decimal and without underscores.
fn plain(text: &str) -> String {
    if matches!(text, "true" | "false") {
        return text.to_string();
    }
    let digits = text.replace('_', "");
    let based = [("0x", 16), ("0o", 8), ("0b", 2)];
    for (lead, base) in based {
        if let Some(number) = digits.strip_prefix(lead).and_then(|rest| i64::from_str_radix(rest, base).ok()) {
            return number.to_string();
        }
    }
    if let Ok(number) = digits.parse::<i64>() {
        return number.to_string();
    }
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => format!("{number:?}"),
        _ => string(text),
    }
}

/// A string with everything outside of ASCII escaped.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='\u{7f}' => out.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;
    use crate::syntax::toml;

    #[test]
    fn values_read_as_python_writes_them() {
        let text = "b = [1_000, 0x10, 1.0, true, \"true\", 'a\"\\é😀']\na = { z = \"1\", B = \"2\" }\n";
        let tree = toml::parse(SourceId(0), text);
        let root = tree.root().expect("the text is TOML");
        let expected = r#"{"a": {"B": "2", "z": "1"}, "b": [1000, 16, 1.0, true, "true", "a\"\\\u00e9\ud83d\ude00"]}"#;
        assert_eq!(value(root, SPACED), expected);
        assert_eq!(value(root.get("a").expect("it is there"), TIGHT), r#"{"B":"2","z":"1"}"#);
    }
}
