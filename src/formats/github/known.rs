//! What can be known of an expression from the file alone: matrix members, literal variables, input defaults, the event.
//! What is set on a server or by an earlier step stays unknown.

use super::expression::{self, Expression, Operator, Piece};
use super::matrix::{Leg, Matrix};
use crate::model::text::Text;
use crate::syntax::tree::Node;

/// What is known at a place.
#[derive(Clone, Default)]
pub struct Known<'t> {
    /// `env` mappings, the widest first.
    pub env: Vec<Node<'t>>,
    /// `inputs` mappings, with their defaults.
    pub inputs: Vec<Node<'t>>,
    /// Folder of a composite action.
    pub action_path: Option<String>,
}

/// The event for which a condition is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event<'e> {
    /// Its name: `pull_request`.
    pub name: &'e str,
    /// Whether the patch comes from a fork.
    pub fork: bool,
}

/// A value, as far as it is known.
#[derive(Clone)]
enum Val<'t> {
    Unknown,
    Text(String),
    Bool(bool),
    Node(Node<'t>),
    /// The project's own name, which a condition compares with to keep forks out.
    Own,
}

/// A text after its expressions were put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What it says, and where that stands: at the member when it is nothing but a member.
    pub text: Text,
    /// The member, when it is only a part of the text.
    pub part: Option<Text>,
    /// Whether every expression was known. If not, the text is the one written.
    pub known: bool,
}

/// How often a value may lead to another.
const MAX_STEPS: usize = 4;

struct Scene<'k, 't> {
    known: &'k Known<'t>,
    leg: &'k Leg<'t>,
    /// Whether a name that the leg lacks may exist all the same.
    open: bool,
    event: Option<Event<'k>>,
}

impl<'t> Known<'t> {
    /// Every distinct text that `text` becomes over the legs of a job. Empty ones are left out: GitHub takes them for absent.
    pub fn resolve(&self, text: &Text, matrix: &Matrix<'t>) -> Vec<Resolved> {
        if !expression::computes(&text.text) {
            return vec![Resolved { text: text.clone(), part: None, known: true }];
        }
        let pieces = expression::pieces(&text.text);
        let mut list: Vec<Resolved> = Vec::new();
        for leg in &matrix.legs {
            let scene = Scene { known: self, leg, open: matrix.computed, event: None };
            let resolved = scene.put_in(text, &pieces).unwrap_or_else(|| Resolved {
                text: text.clone(),
                part: None,
                known: false,
            });
            let is_new = list.iter().all(|other| other.text.text != resolved.text.text);
            if is_new && !resolved.text.text.trim().is_empty() {
                list.push(resolved);
            }
        }
        list
    }

    /// The one text that `text` becomes, if it is one and known.
    pub fn only(&self, text: &Text, matrix: &Matrix<'t>) -> Option<String> {
        match self.resolve(text, matrix).as_slice() {
            [one] if one.known => Some(one.text.text.clone()),
            _ => None,
        }
    }

    /// Whether a condition holds for an event; `None`: cannot be seen.
    pub fn holds(&self, condition: &str, event: Event<'_>) -> Option<bool> {
        let condition = condition.trim();
        let inner = match expression::pieces(condition).as_slice() {
            [Piece::Expression { inner, .. }] => &condition[inner.clone()],
            [Piece::Plain(_)] => condition,
            // Text around an expression makes a text that is never empty.
            _ => return Some(true),
        };
        let scene = Scene { known: self, leg: &Vec::new(), open: true, event: Some(event) };
        scene.truth(&expression::parse(inner)?, 0)
    }
}

impl<'t> Scene<'_, 't> {
    fn put_in(&self, text: &Text, pieces: &[Piece]) -> Option<Resolved> {
        let mut out = String::new();
        let mut members = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Plain(range) => out.push_str(&text.text[range.clone()]),
                Piece::Expression { inner, .. } => {
                    let value = self.value(&expression::parse(&text.text[inner.clone()])?, 0);
                    out.push_str(&self.text_of(&value, 0)?);
                    if let Val::Node(node) = value {
                        members.extend(node.text());
                    }
                }
            }
        }
        let single = members.len() == 1 && pieces.iter().filter(|p| matches!(p, Piece::Expression { .. })).count() == 1;
        let part = members.into_iter().next().filter(|part| single && !expression::computes(&part.text));
        Some(match part {
            Some(part) if part.text == out => Resolved { text: part, part: None, known: true },
            Some(part) => {
                let text = Text { text: out, at: part.at, verbatim: false };
                Resolved { text, part: Some(part), known: true }
            }
            None => Resolved { text: Text { text: out, at: text.at, verbatim: false }, part: None, known: true },
        })
    }

    fn text_of(&self, value: &Val<'t>, steps: usize) -> Option<String> {
        match value {
            Val::Unknown | Val::Own => None,
            Val::Text(text) => Some(text.clone()),
            Val::Bool(value) => Some(value.to_string()),
            Val::Node(node) if node.is_null() => Some(String::new()),
            Val::Node(node) => {
                let text = node.str()?;
                if !expression::computes(text) {
                    return Some(text.to_string());
                }
                self.nested(text, steps)
            }
        }
    }

    /// A variable whose value is an expression again.
    fn nested(&self, text: &str, steps: usize) -> Option<String> {
        if steps >= MAX_STEPS {
            return None;
        }
        let mut out = String::new();
        for piece in expression::pieces(text) {
            match piece {
                Piece::Plain(range) => out.push_str(&text[range]),
                Piece::Expression { inner, .. } => {
                    let value = self.value(&expression::parse(&text[inner])?, steps + 1);
                    out.push_str(&self.text_of(&value, steps + 1)?);
                }
            }
        }
        Some(out)
    }

    fn value(&self, expression: &Expression, steps: usize) -> Val<'t> {
        match expression {
            Expression::Literal(text) => match text.as_str() {
                "true" | "false" => Val::Bool(text == "true"),
                _ => Val::Text(text.clone()),
            },
            Expression::Name(_) => Val::Unknown,
            Expression::Index(base, index) => match expression.path() {
                Some(path) => self.look_up(&path),
                None => self.member(self.value(base, steps), index, steps),
            },
            Expression::Call(name, arguments) => self.call(name, arguments, steps),
            Expression::Binary(Operator::And, left, right) => match self.truth(left, steps) {
                Some(true) => self.value(right, steps),
                Some(false) => self.value(left, steps),
                None => Val::Unknown,
            },
            Expression::Binary(Operator::Or, left, right) => match self.truth(left, steps) {
                Some(true) => self.value(left, steps),
                Some(false) => self.value(right, steps),
                None => Val::Unknown,
            },
            Expression::Not(_) | Expression::Binary(..) => self.truth(expression, steps).map_or(Val::Unknown, Val::Bool),
        }
    }

    fn member(&self, base: Val<'t>, index: &Expression, steps: usize) -> Val<'t> {
        let name = match index {
            Expression::Literal(name) => Some(name.clone()),
            _ => self.text_of(&self.value(index, steps), steps),
        };
        let (Val::Node(node), Some(name)) = (base, name) else { return Val::Unknown };
        below(node, &name)
    }

    fn look_up(&self, path: &[&str]) -> Val<'t> {
        match path {
            ["matrix", name, rest @ ..] => {
                match self.leg.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
                    Some((_, node)) => rest.iter().fold(Val::Node(*node), |value, name| match value {
                        Val::Node(node) => below(node, name),
                        other => other,
                    }),
                    None if self.open => Val::Unknown,
                    None => Val::Text(String::new()),
                }
            }
            ["env", name] => {
                self.known.env.iter().rev().find_map(|env| env.get(name)).map_or(Val::Unknown, Val::Node)
            }
            ["inputs", name] | ["github", "event", "inputs", name] => {
                let input = self.known.inputs.iter().find_map(|inputs| inputs.get(name));
                input.and_then(|input| input.get("default")).map_or(Val::Unknown, Val::Node)
            }
            ["github", "workspace"] => Val::Text(".".to_string()),
            ["github", "action_path"] => {
                self.known.action_path.clone().map_or(Val::Unknown, |path| Val::Text(format!("./{path}")))
            }
            ["github", rest @ ..] => self.event.map_or(Val::Unknown, |event| of_event(event, rest)),
            ["needs", _, "result"] if self.event.is_some() => Val::Text("success".to_string()),
            _ => Val::Unknown,
        }
    }

    fn call(&self, name: &str, arguments: &[Expression], steps: usize) -> Val<'t> {
        let text = |index: usize| {
            arguments.get(index).and_then(|argument| self.text_of(&self.value(argument, steps), steps))
        };
        let compare = |with: fn(&str, &str) -> bool| match (text(0), text(1)) {
            (Some(a), Some(b)) => Val::Bool(with(&a.to_ascii_lowercase(), &b.to_ascii_lowercase())),
            _ => Val::Unknown,
        };
        match name {
            "always" | "success" => Val::Bool(true),
            // Steps and jobs before it may fail or not: `failure()` and `!failure()` are both met by patches.
            "cancelled" => Val::Bool(false),
            "startswith" => compare(|a, b| a.starts_with(b)),
            "endswith" => compare(|a, b| a.ends_with(b)),
            "contains" => match (json_list(arguments.first()), text(1)) {
                (Some(list), Some(item)) => Val::Bool(list.iter().any(|other| other.eq_ignore_ascii_case(&item))),
                (Some(_), None) => Val::Unknown,
                (None, _) => compare(|a, b| a.contains(b)),
            },
            "format" => self.format(arguments, steps).map_or(Val::Unknown, Val::Text),
            _ => Val::Unknown,
        }
    }

    fn format(&self, arguments: &[Expression], steps: usize) -> Option<String> {
        let mut text = self.text_of(&self.value(arguments.first()?, steps), steps)?;
        for (index, argument) in arguments.iter().skip(1).take(10).enumerate() {
            let part = self.text_of(&self.value(argument, steps), steps)?;
            text = text.replace(&format!("{{{index}}}"), &part);
        }
        Some(text)
    }

    fn truth(&self, expression: &Expression, steps: usize) -> Option<bool> {
        match expression {
            Expression::Not(inner) => self.truth(inner, steps).map(|value| !value),
            Expression::Binary(Operator::And, left, right) => {
                match (self.truth(left, steps), self.truth(right, steps)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                }
            }
            Expression::Binary(Operator::Or, left, right) => {
                match (self.truth(left, steps), self.truth(right, steps)) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                }
            }
            Expression::Binary(Operator::Equal, left, right) => self.equal(left, right, steps),
            Expression::Binary(Operator::Unequal, left, right) => self.equal(left, right, steps).map(|equal| !equal),
            Expression::Binary(Operator::Order, ..) => None,
            _ => match self.value(expression, steps) {
                Val::Unknown => None,
                Val::Own => Some(true),
                Val::Bool(value) => Some(value),
                Val::Node(node) if node.is_map() || node.is_seq() => Some(true),
                // An unquoted `false` or `0` of a matrix is no text.
                Val::Node(node) if node.bool() == Some(false) || node.plain() && node.str() == Some("0") => Some(false),
                value => self.text_of(&value, steps).map(|text| !text.is_empty()),
            },
        }
    }

    fn equal(&self, left: &Expression, right: &Expression, steps: usize) -> Option<bool> {
        match (self.value(left, steps), self.value(right, steps)) {
            (Val::Own, Val::Own) => Some(true),
            (Val::Own, other) | (other, Val::Own) => {
                let other = self.text_of(&other, steps)?;
                Some(other != FORK)
            }
            (left, right) => {
                let (left, right) = (self.text_of(&left, steps)?, self.text_of(&right, steps)?);
                Some(left.eq_ignore_ascii_case(&right))
            }
        }
    }
}

/// A repository name that no project has.
const FORK: &str = "\0fork";

fn of_event<'t>(event: Event<'_>, path: &[&str]) -> Val<'t> {
    let queue = event.name == "merge_group";
    let text = |text: &str| Val::Text(text.to_string());
    match path {
        ["event_name"] => text(event.name),
        ["repository" | "repository_owner"] | ["event", "repository", ..] => Val::Own,
        ["event", "pull_request", "base", "repo", "full_name"] if !queue => Val::Own,
        ["ref"] if event.name == "pull_request" => text("refs/pull/1/merge"),
        ["ref"] if queue => text("refs/heads/gh-readonly-queue/main/pr-1"),
        ["ref_name"] if event.name == "pull_request" => text("1/merge"),
        ["ref_type"] => text("branch"),
        // A person's patch that is ready for review.
        ["actor" | "triggering_actor"] | ["event", "pull_request", "user", "login"] => text("\0person"),
        ["event", "pull_request", "draft"] => Val::Bool(false),
        ["event", "pull_request", "head", "repo", "full_name"] if !queue => {
            if event.fork { text(FORK) } else { Val::Own }
        }
        ["event", "pull_request", "head", "repo", "fork"] if !queue => Val::Bool(event.fork),
        ["event", "schedule" | "inputs" | "release" | "ref" | "before" | "head_commit", ..] => text(""),
        _ => Val::Unknown,
    }
}

fn below<'t>(node: Node<'t>, name: &str) -> Val<'t> {
    if let Ok(index) = name.parse::<usize>()
        && node.is_seq()
    {
        return node.items().nth(index).map_or(Val::Text(String::new()), Val::Node);
    }
    match node.get(name) {
        Some(node) => Val::Node(node),
        None if node.is_map() => Val::Text(String::new()),
        None => Val::Unknown,
    }
}

/// The items of `fromJSON('["a", "b"]')`.
fn json_list(expression: Option<&Expression>) -> Option<Vec<String>> {
    let Some(Expression::Call(name, arguments)) = expression else { return None };
    let [Expression::Literal(text)] = arguments.as_slice() else { return None };
    if name != "fromjson" {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::matrix;
    use super::*;
    use crate::model::span::{Location, SourceId, Span};
    use crate::syntax::yaml;

    fn resolved(yaml: &str, text: &str) -> Vec<(String, bool)> {
        let tree = yaml::parse(SourceId(0), yaml);
        let root = tree.root().unwrap();
        let known = Known { env: root.get("env").into_iter().collect(), ..Known::default() };
        let matrix = matrix::read(root.get("matrix"));
        let at = Location::new(SourceId(0), Span::empty(0));
        let text = Text { text: text.to_string(), at, verbatim: true };
        known.resolve(&text, &matrix).into_iter().map(|r| (r.text.text, r.known)).collect()
    }

    fn known(texts: &[&str]) -> Vec<(String, bool)> {
        texts.iter().map(|text| (text.to_string(), true)).collect()
    }

    #[test]
    fn members_variables_and_defaults_are_put_in() {
        let yaml = "env: {V: '3.12', W: '${{ matrix.py }}'}\nmatrix: {py: ['3.9', '3.10', ''], db: [{image: 'a:1'}]}\n";
        assert_eq!(resolved(yaml, "${{ matrix.py }}"), known(&["3.9", "3.10"]));
        assert_eq!(resolved(yaml, "x:${{ env.V }}-slim"), known(&["x:3.12-slim"]));
        assert_eq!(resolved(yaml, "${{ env.W }}"), known(&["3.9", "3.10"]));
        assert_eq!(resolved(yaml, "${{ matrix.db.image }}"), known(&["a:1"]));
        assert_eq!(resolved(yaml, "${{ matrix.none || '3.11' }}"), known(&["3.11"]));
        assert_eq!(resolved(yaml, "${{ matrix.py == '3.9' && 'a' || 'b' }}"), known(&["a", "b"]));
    }

    #[test]
    fn what_a_server_decides_stays_unknown() {
        assert_eq!(resolved("env: {}\n", "${{ vars.X }}"), [("${{ vars.X }}".to_string(), false)]);
        assert_eq!(resolved("matrix: ${{ fromJSON(x.y) }}\n", "${{ matrix.a }}"), [("${{ matrix.a }}".to_string(), false)]);
    }

    #[test]
    fn conditions_on_events_are_decided() {
        let known = Known::default();
        let cases = [
            ("github.event_name == 'pull_request'", Some(true)),
            ("${{ github.event_name != 'pull_request' }}", Some(false)),
            ("github.event_name == 'push' && vars.X", Some(false)),
            ("startsWith(github.ref, 'refs/tags/')", Some(false)),
            ("github.ref == 'refs/heads/main' || always()", Some(true)),
            ("github.repository == 'a/b'", Some(true)),
            ("github.actor != 'dependabot[bot]'", Some(true)),
            ("contains(fromJSON('[\"push\", \"schedule\"]'), github.event_name)", Some(false)),
            ("vars.X == 'y'", None),
            ("needs.a.outputs.b", None),
            ("!cancelled()", Some(true)),
            ("failure()", None),
            ("!failure() && github.event_name == 'pull_request'", None),
            ("failure() && github.event_name == 'push'", Some(false)),
            ("success() || failure()", Some(true)),
            ("false", Some(false)),
        ];
        for (condition, expected) in cases {
            let event = Event { name: "pull_request", fork: false };
            assert_eq!(known.holds(condition, event), expected, "{condition}");
        }
    }
}
