//! The manual of a rule as data: its text and the examples in it. Knows no rule.

/// What an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The rule finds something.
    Bad,
    /// It finds nothing.
    Good,
    /// A further file for the example that follows.
    With,
    /// What the example before it becomes when its remedy is applied.
    Fixed,
}

/// A fenced block of a manual: ```` ```yaml ci.yml bad strict ````.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The path that the text is read at.
    pub path: String,
    /// What it shows.
    pub kind: Kind,
    /// The profile, when one is named.
    pub profile: Option<String>,
    /// The text.
    pub text: String,
}

/// The examples of a manual in order.
pub fn examples(manual: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut lines = manual.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let fence: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        if let Some(example) = example(info, fence.join("\n") + "\n") {
            examples.push(example);
        }
    }
    examples
}

fn example(info: &str, text: String) -> Option<Example> {
    let words: Vec<&str> = info.split_whitespace().collect();
    let [_language, path, kind, rest @ ..] = words.as_slice() else { return None };
    let kind = match *kind {
        "bad" => Kind::Bad,
        "good" => Kind::Good,
        "with" => Kind::With,
        "fixed" => Kind::Fixed,
        _ => return None,
    };
    Some(Example { path: path.to_string(), kind, profile: rest.first().map(|word| word.to_string()), text })
}
