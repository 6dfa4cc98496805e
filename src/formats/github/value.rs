//! What a variable or an input is set to, and which secrets flow into it. Knows names of secrets, never values.

use super::expression::{self, Expression, Operator, Piece};
use crate::model::pipeline::{Assignment, Scope, Value};
use crate::model::secrets::names::JOB_TOKEN;
use crate::model::text::Mapped;
use crate::syntax::tree::Node;

/// What flows out of an expression.
#[derive(Debug, Default)]
struct Flow {
    names: Vec<String>,
    /// Whether it is one secret as it is.
    whole: bool,
    derived: bool,
}

/// Classifies a text as it is written.
pub fn value(text: &str) -> Value {
    let pieces = expression::pieces(text.trim());
    let text = text.trim();
    let mut names: Vec<String> = Vec::new();
    let (mut whole, mut derived, mut computed) = (pieces.len() == 1, false, false);
    for piece in &pieces {
        let Piece::Expression { inner, .. } = piece else { continue };
        computed = true;
        let flow = expression::parse(&text[inner.clone()]).map(|parsed| flow(&parsed)).unwrap_or_default();
        whole &= flow.whole;
        derived |= flow.derived;
        names.extend(flow.names);
    }
    if names.is_empty() {
        return if computed { Value::Expression(text.to_string()) } else { Value::Literal(text.to_string()) };
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Value::Secret { names, whole, derived }
}

fn flow(expression: &Expression) -> Flow {
    match expression.path().as_deref() {
        Some(["secrets"]) => return Flow { names: vec!["*".to_string()], whole: false, derived: false },
        Some(["secrets", name]) if name.eq_ignore_ascii_case("GITHUB_TOKEN") => return secret(JOB_TOKEN),
        Some(["secrets", name]) => return secret(name),
        Some(["github" | "gitea" | "forgejo", "token"]) => return secret(JOB_TOKEN),
        _ => {}
    }
    match expression {
        Expression::Literal(_) | Expression::Name(_) | Expression::Not(_) => Flow::default(),
        Expression::Index(base, index) => {
            let name = matches!(base.as_ref(), Expression::Name(name) if name == "secrets");
            if name && !matches!(index.as_ref(), Expression::Literal(_)) {
                return secret("*");
            }
            let base = flow(base);
            Flow { derived: !base.names.is_empty(), whole: false, names: base.names }
        }
        Expression::Call(name, arguments) => called(name, arguments),
        Expression::Binary(Operator::And, _, right) => flow(right),
        Expression::Binary(Operator::Or, left, right) => {
            let (mut left, right) = (flow(left), flow(right));
            left.whole = (left.whole || left.names.is_empty()) && (right.whole || right.names.is_empty());
            left.derived |= right.derived;
            left.names.extend(right.names);
            left
        }
        Expression::Binary(..) => Flow::default(),
    }
}

fn secret(name: &str) -> Flow {
    Flow { names: vec![name.to_string()], whole: true, derived: false }
}

/// Functions that answer a question let nothing through; `fromJSON` makes parts that no mask knows.
fn called(name: &str, arguments: &[Expression]) -> Flow {
    if !matches!(name, "format" | "join" | "tojson" | "fromjson" | "case") {
        return Flow::default();
    }
    let mut all = Flow::default();
    for argument in arguments {
        let flow = flow(argument);
        all.derived |= flow.derived || name == "fromjson" && !flow.names.is_empty();
        all.names.extend(flow.names);
    }
    all
}

/// The entries of an `env`, `with` or `secrets` mapping.
pub fn assignments(map: Option<Node<'_>>, scope: Scope, key: &str) -> Vec<Assignment> {
    let entries = map.into_iter().flat_map(Node::entries);
    let assignment = |(name, node): (Node, Node)| {
        let name = name.str()?.to_string();
        let key = format!("{key}.{name}");
        let value = value(node.str().unwrap_or(""));
        Some(Assignment { value, scope, at: node.at(), key, name })
    };
    entries.filter_map(assignment).collect()
}

/// What is pasted into a program text.
pub fn pasted(text: &Mapped, name: &str, key: &str) -> Vec<Assignment> {
    let pieces = expression::pieces(&text.text);
    let expressions = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Expression { whole, .. } => Some(whole),
        Piece::Plain(_) => None,
    });
    let assignment = |whole: std::ops::Range<usize>| Assignment {
        name: name.to_string(),
        value: value(&text.text[whole.clone()]),
        scope: Scope::Step,
        at: text.place(whole).0,
        key: key.to_string(),
    };
    expressions.map(assignment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret_of(text: &str) -> Option<(Vec<String>, bool, bool)> {
        match value(text) {
            Value::Secret { names, whole, derived } => Some((names, whole, derived)),
            _ => None,
        }
    }

    #[test]
    fn secrets_flow_by_name() {
        let cases: [(&str, &[&str], bool, bool); 12] = [
            ("${{ secrets.A }}", &["A"], true, false),
            ("${{ secrets['A'] }}", &["A"], true, false),
            ("${{ github.token }}", &[JOB_TOKEN], true, false),
            ("Bearer ${{ secrets.A }}", &["A"], false, false),
            ("${{ secrets.A }}:${{ secrets.B }}", &["A", "B"], false, false),
            ("${{ secrets.A || github.token }}", &["A", JOB_TOKEN], true, false),
            ("${{ x == 'y' && secrets.A || '' }}", &["A"], true, false),
            ("${{ fromJSON(secrets.A).password }}", &["A"], false, true),
            ("${{ format('{0}', secrets.A) }}", &["A"], false, false),
            ("${{ toJSON(secrets) }}", &["*"], false, false),
            ("${{ secrets[matrix.x] }}", &["*"], true, false),
            ("${{ toJSON(secrets.A) }}", &["A"], false, false),
        ];
        for (text, names, whole, derived) in cases {
            let names = names.iter().map(|name| name.to_string()).collect();
            assert_eq!(secret_of(text), Some((names, whole, derived)), "{text}");
        }
    }

    #[test]
    fn a_question_about_a_secret_is_no_secret() {
        for text in [
            "${{ secrets.A != '' }}",
            "${{ secrets.A && 'true' || 'false' }}",
            "${{ !secrets.A }}",
            "${{ contains(secrets.A, 'x') }}",
            "${{ hashFiles('secrets.txt') }}",
            "${{ vars.A }}",
        ] {
            assert!(matches!(value(text), Value::Expression(_)), "{text}");
        }
        assert_eq!(value("plain"), Value::Literal("plain".to_string()));
    }
}
