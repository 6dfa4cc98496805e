//! `${{ … }}`: finds the expressions of a text and parses them (<https://docs.github.com/actions/reference/evaluate-expressions-in-workflows-and-actions>).
//! Does not know any value.

use std::ops::Range;

/// An expression, parsed.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// `'text'`, numbers, `true`, `null`: as a text.
    Literal(String),
    /// A context: `matrix`, `secrets`.
    Name(String),
    /// `x.name`, `x['name']`, `x.*`, `x[0]`.
    Index(Box<Expression>, Box<Expression>),
    /// `format('…', x)`; the name in lower case.
    Call(String, Vec<Expression>),
    /// `!x`.
    Not(Box<Expression>),
    /// `x && y`, `x == y` …
    Binary(Operator, Box<Expression>, Box<Expression>),
}

/// An operator between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `||`.
    Or,
    /// `&&`.
    And,
    /// `==`.
    Equal,
    /// `!=`.
    Unequal,
    /// `<`, `<=`, `>`, `>=`: nobody needs to know which.
    Order,
}

/// A part of a text with expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Plain text.
    Plain(Range<usize>),
    /// `${{ … }}`: the whole of it, and what is between the braces.
    Expression {
        /// With `${{` and `}}`.
        whole: Range<usize>,
        /// Without them.
        inner: Range<usize>,
    },
}

/// The plain and computed parts of `text` in order. An expression without end is plain text.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = 0;
    while let Some(start) = text[plain..].find("${{").map(|at| plain + at) {
        let Some(end) = end_of(text, start + 3) else { break };
        if plain < start {
            pieces.push(Piece::Plain(plain..start));
        }
        pieces.push(Piece::Expression { whole: start..end + 2, inner: start + 3..end });
        plain = end + 2;
    }
    if plain < text.len() {
        pieces.push(Piece::Plain(plain..text.len()));
    }
    pieces
}

/// Whether an expression is in it.
pub fn computes(text: &str) -> bool {
    text.find("${{").is_some_and(|at| text[at..].contains("}}"))
}

/// Where `}}` stands, those inside of quotes left out.
fn end_of(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quoted = false;
    for at in from..bytes.len() {
        match bytes[at] {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
    }
    None
}

/// Parses what stands between the braces, or a whole `if`. `None`: it is not an expression.
pub fn parse(text: &str) -> Option<Expression> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let expression = parser.binary(0)?;
    (parser.at == parser.tokens.len()).then_some(expression)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Literal(String),
    Name(String),
    Mark(&'static str),
}

/// Longer expressions are not looked into; the limit also bounds the depth of the parsed tree.
const MAX_TOKENS: usize = 600;
const MARKS: [&str; 17] = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", ".", "*", "-"];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '\'' {
            let length = quoted(rest)?;
            tokens.push(Token::Literal(rest[1..length - 1].replace("''", "'")));
            length
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Literal(rest[..end].to_string()));
            end
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
            tokens.push(word(&rest[..end]));
            end
        } else {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark))?;
            tokens.push(Token::Mark(mark));
            mark.len()
        };
        rest = rest[length..].trim_start();
        if tokens.len() > MAX_TOKENS {
            return None;
        }
    }
    Some(tokens)
}

fn word(text: &str) -> Token {
    match text {
        "true" | "false" => Token::Literal(text.to_string()),
        "null" => Token::Literal(String::new()),
        _ => Token::Name(text.to_string()),
    }
}

/// Length of the quoted text at the start of `text`; two quotes inside stand for one.
fn quoted(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        at += memchr::memchr(b'\'', bytes.get(at..)?)?;
        if bytes.get(at + 1) != Some(&b'\'') {
            return Some(at + 1);
        }
        at += 2;
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// Operators by how loosely they bind, loosest first.
const OPERATORS: [&[(&str, Operator)]; 4] = [
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[("==", Operator::Equal), ("!=", Operator::Unequal)],
    &[("<", Operator::Order), ("<=", Operator::Order), (">", Operator::Order), (">=", Operator::Order)],
];

impl Parser {
    fn take(&mut self, mark: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Mark(found)) if *found == mark);
        self.at += usize::from(found);
        found
    }

    fn binary(&mut self, level: usize) -> Option<Expression> {
        let Some(operators) = OPERATORS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(mark, _)| self.take(mark)) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(*operator, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > 50 {
            return None;
        }
        let expression = if self.take("!") {
            Expression::Not(Box::new(self.unary()?))
        } else if self.take("-") {
            match self.unary()? {
                Expression::Literal(number) => Expression::Literal(format!("-{number}")),
                _ => return None,
            }
        } else {
            let first = self.primary()?;
            self.indexed(first)?
        };
        self.depth -= 1;
        Some(expression)
    }

    fn primary(&mut self) -> Option<Expression> {
        if self.take("(") {
            let inner = self.binary(0)?;
            return self.take(")").then_some(inner);
        }
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        match token {
            Token::Literal(text) => Some(Expression::Literal(text)),
            Token::Name(name) if self.take("(") => Some(Expression::Call(name.to_ascii_lowercase(), self.arguments()?)),
            Token::Name(name) => Some(Expression::Name(name.to_ascii_lowercase())),
            Token::Mark(_) => None,
        }
    }

    fn arguments(&mut self) -> Option<Vec<Expression>> {
        let mut arguments = Vec::new();
        if self.take(")") {
            return Some(arguments);
        }
        loop {
            arguments.push(self.binary(0)?);
            if self.take(")") {
                return Some(arguments);
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn indexed(&mut self, mut base: Expression) -> Option<Expression> {
        loop {
            let index = if self.take(".") {
                match self.tokens.get(self.at)?.clone() {
                    Token::Name(name) | Token::Literal(name) => {
                        self.at += 1;
                        Expression::Literal(name)
                    }
                    Token::Mark(_) if self.take("*") => Expression::Literal("*".to_string()),
                    Token::Mark(_) => return None,
                }
            } else if self.take("[") {
                let star = self.take("*");
                let index = if star { Expression::Literal("*".to_string()) } else { self.binary(0)? };
                if !self.take("]") {
                    return None;
                }
                index
            } else {
                return Some(base);
            };
            base = Expression::Index(Box::new(base), Box::new(index));
        }
    }
}

impl Expression {
    /// The dotted path of plain names (`github.event_name`), in the spelling of the text but for the context's name.
    pub fn path(&self) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        let mut here = self;
        loop {
            match here {
                Expression::Name(name) => {
                    names.push(name.as_str());
                    names.reverse();
                    return Some(names);
                }
                Expression::Index(base, index) => {
                    let Expression::Literal(name) = index.as_ref() else { return None };
                    names.push(name.as_str());
                    here = base;
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_ends_at_braces_outside_of_quotes() {
        let text = "a${{ format('{0}}}', x) }}b";
        let expected = [
            Piece::Plain(0..1),
            Piece::Expression { whole: 1..26, inner: 4..24 },
            Piece::Plain(26..27),
        ];
        assert_eq!(pieces(text), expected);
        assert_eq!(pieces("${{ open"), [Piece::Plain(0..8)]);
    }

    #[test]
    fn paths_are_read_in_each_spelling() {
        for text in ["secrets.A_B", "secrets['A_B']", " Secrets.A_B "] {
            assert_eq!(parse(text).unwrap().path(), Some(vec!["secrets", "A_B"]), "{text}");
        }
        assert_eq!(parse("matrix.a.b[0]").unwrap().path(), Some(vec!["matrix", "a", "b", "0"]));
        assert_eq!(parse("secrets[matrix.x]").unwrap().path(), None);
    }

    #[test]
    fn operators_bind_as_documented() {
        let Some(Expression::Binary(Operator::Or, left, _)) = parse("a == 'x' && !b || c") else { panic!() };
        assert!(matches!(*left, Expression::Binary(Operator::And, ..)));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["", "a ||", "(a", "f(a,", "'open", "a b", "a.", "\u{1f600}"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"(".repeat(10_000)), None);
        assert_eq!(parse(&"a||".repeat(10_000)), None);
        assert_eq!(parse(&"!".repeat(500)), None);
    }
}
