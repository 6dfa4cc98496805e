//! `if:` of rules: whether it holds for a kind of pipeline, as far as that can be told.
//!
//! <https://docs.gitlab.com/ci/jobs/job_rules/#cicd-variable-expressions>

/// What a pipeline is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A merge request.
    MergeRequest,
    /// A push to a branch that is proposed as a patch.
    Branch,
    /// A push to the default branch.
    Default,
    /// A tag.
    Tag,
    /// A schedule on the default branch.
    Schedule,
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Is {
    Text(String),
    /// Null: not set.
    Unset,
    /// The name of some branch that is not the default one.
    Feature,
    /// The name of the default branch.
    Default,
    Unknown,
}

fn variable(name: &str, event: Event, literal: &dyn Fn(&str) -> Option<String>) -> Is {
    let text = |text: &str| Is::Text(text.to_string());
    let branch = match event {
        Event::Default | Event::Schedule => Is::Default,
        Event::Tag => Is::Unknown,
        Event::MergeRequest | Event::Branch => Is::Feature,
    };
    match name {
        "CI" | "GITLAB_CI" => text("true"),
        "CI_PIPELINE_SOURCE" => text(match event {
            Event::MergeRequest => "merge_request_event",
            Event::Schedule => "schedule",
            _ => "push",
        }),
        "CI_COMMIT_BRANCH" if matches!(event, Event::MergeRequest | Event::Tag) => Is::Unset,
        "CI_COMMIT_BRANCH" | "CI_COMMIT_REF_NAME" | "CI_COMMIT_REF_SLUG" => branch,
        "CI_COMMIT_TAG" if event != Event::Tag => Is::Unset,
        "CI_COMMIT_REF_PROTECTED" if matches!(event, Event::MergeRequest | Event::Branch) => text("false"),
        "CI_DEFAULT_BRANCH" | "CI_MERGE_REQUEST_TARGET_BRANCH_NAME" if event != Event::Tag => Is::Default,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME" if event == Event::MergeRequest => Is::Feature,
        "CI_MERGE_REQUEST_IID" | "CI_MERGE_REQUEST_ID" if event == Event::MergeRequest => text("1"),
        _ if name.starts_with("CI_MERGE_REQUEST_") && event != Event::MergeRequest => Is::Unset,
        _ if name.starts_with("CI_EXTERNAL_PULL_REQUEST_") => Is::Unset,
        _ => literal(name).map_or(Is::Unknown, Is::Text),
    }
}

/// Whether an expression holds; `None`: cannot be told. `literal` gives the values of variables that the file sets.
pub fn holds(text: &str, event: Event, literal: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, event, literal };
    let found = parser.or(0)?;
    (parser.at == tokens.len()).then_some(found)?
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'e> {
    Variable(&'e str),
    Text(&'e str),
    Regex(&'e str),
    Null,
    Sign(&'static str),
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    const SIGNS: [&str; 9] = ["==", "!=", "=~", "!~", "&&", "||", "(", ")", "!"];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if first == '"' || first == '\'' {
            let end = rest[1..].find(first)?;
            tokens.push(Token::Text(&rest[1..=end]));
            end + 2
        } else if first == '/' {
            let end = regex_end(rest)?;
            tokens.push(Token::Regex(&rest[1..end]));
            let flags = rest[end + 1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - end - 1);
            end + 1 + flags
        } else {
            let start = usize::from(first == '$') + usize::from(rest.starts_with("${"));
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = start + rest[start..].find(|c| !is_name(c)).unwrap_or(rest.len() - start);
            let word = &rest[start..end];
            match (start, word) {
                (0, "null") => tokens.push(Token::Null),
                (0, _) | (_, "") => return None,
                _ => tokens.push(Token::Variable(word)),
            }
            end + usize::from(start == 2)
        };
        rest = rest.get(len..)?.trim_start();
    }
    Some(tokens)
}

fn regex_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'/' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

struct Parser<'p, 'e> {
    tokens: &'p [Token<'e>],
    at: usize,
    event: Event,
    literal: &'p dyn Fn(&str) -> Option<String>,
}

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 32;

impl Parser<'_, '_> {
    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(other)) if *other == sign);
        self.at += usize::from(found);
        found
    }

    /// The outer `None`: not understood.
    fn or(&mut self, depth: usize) -> Option<Option<bool>> {
        let mut value = self.and(depth)?;
        while self.sign("||") {
            let other = self.and(depth)?;
            value = match (value, other) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        Some(value)
    }

    fn and(&mut self, depth: usize) -> Option<Option<bool>> {
        let mut value = self.compare(depth)?;
        while self.sign("&&") {
            let other = self.compare(depth)?;
            value = match (value, other) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        Some(value)
    }

    fn compare(&mut self, depth: usize) -> Option<Option<bool>> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.sign("!") {
            return Some(self.compare(depth + 1)?.map(|value| !value));
        }
        if self.sign("(") {
            let value = self.or(depth + 1)?;
            return self.sign(")").then_some(value);
        }
        let left = self.operand()?;
        for (sign, wanted) in [("==", true), ("!=", false)] {
            if self.sign(sign) {
                let right = self.operand()?;
                return Some(equal(&left, &right).map(|same| same == wanted));
            }
        }
        for (sign, wanted) in [("=~", true), ("!~", false)] {
            if self.sign(sign) {
                let pattern = match self.tokens.get(self.at)? {
                    Token::Regex(pattern) => Some(*pattern),
                    Token::Variable(_) | Token::Text(_) => None,
                    _ => return None,
                };
                self.at += 1;
                return Some(fits(&left, pattern).map(|fits| fits == wanted));
            }
        }
        Some(truth(&left))
    }

    fn operand(&mut self) -> Option<Is> {
        let is = match self.tokens.get(self.at)? {
            Token::Variable(name) => variable(name, self.event, self.literal),
            Token::Text(text) => Is::Text((*text).to_string()),
            Token::Null => Is::Unset,
            Token::Regex(_) | Token::Sign(_) => return None,
        };
        self.at += 1;
        Some(is)
    }
}

fn truth(is: &Is) -> Option<bool> {
    match is {
        Is::Text(text) => Some(!text.is_empty()),
        Is::Unset => Some(false),
        Is::Feature | Is::Default => Some(true),
        Is::Unknown => None,
    }
}

/// A branch of a patch has no name that somebody wrote into the file.
fn equal(left: &Is, right: &Is) -> Option<bool> {
    match (left, right) {
        (Is::Text(left), Is::Text(right)) => Some(left == right),
        (Is::Unset, Is::Unset) | (Is::Default, Is::Default) => Some(true),
        (Is::Unknown, _) | (_, Is::Unknown) | (Is::Feature, Is::Feature) => None,
        (Is::Default, Is::Text(name)) | (Is::Text(name), Is::Default) => {
            matches!(name.as_str(), "main" | "master").then_some(true)
        }
        _ => Some(false),
    }
}

/// Whether a value fits a pattern of words (`/^(push|web)$/`); of other patterns nothing is said.
fn fits(left: &Is, pattern: Option<&str>) -> Option<bool> {
    if *left == Is::Unset {
        return Some(false);
    }
    let pattern = pattern?;
    let (start, end) = (pattern.starts_with('^'), pattern.ends_with('$'));
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    let inner = inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(inner);
    let words: Vec<&str> = inner.split('|').collect();
    let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !words.iter().all(plain) {
        return None;
    }
    let fit = |text: &str| {
        words.iter().any(|word| match (start, end) {
            (true, true) => text == *word,
            (true, false) => text.starts_with(word),
            (false, true) => text.ends_with(word),
            (false, false) => text.contains(word),
        })
    };
    match left {
        Is::Text(text) => Some(fit(text)),
        Is::Default if fit("main") && fit("master") => Some(true),
        _ => None,
    }
}
