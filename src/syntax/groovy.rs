//! Enough of Groovy to read a Jenkinsfile: strings of all kinds, calls with arguments and blocks, assignments.
//!
//! The reader is tolerant: any text gives items, and nothing fails. What it does not know (classes, operators, control flow) is passed over,
//! and the calls and strings inside of it are found all the same. <https://groovy-lang.org/syntax.html>

mod parser;
mod string;

use crate::model::span::Location;
use crate::model::text::Mapped;
pub use parser::parse;
use std::ops::Range;

/// A string.
#[derive(Debug, Clone)]
pub struct Str {
    /// What it says, with its places.
    pub text: Mapped,
    /// What the program puts in: places in the text, and the expression.
    pub puts_in: Vec<(Range<usize>, String)>,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// A string.
    Text(Str),
    /// A list or a map.
    List(Vec<Argument>),
    /// A call with arguments.
    Call(Box<Call>),
    /// A closure.
    Block(Vec<Item>),
    /// A name, a number, a word.
    Word(String, Location),
    /// Several values with operators between them.
    Joined(Vec<Value>),
}

/// An argument, perhaps with a name.
#[derive(Debug, Clone)]
pub struct Argument {
    /// `name:` before it.
    pub name: Option<String>,
    /// The value.
    pub value: Value,
}

/// A call: `sh 'x'`, `stage('x') { … }`, `agent any`, `steps { … }`.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its name with dots: `docker.image`. Annotations keep their mark.
    pub name: String,
    /// Where the name stands.
    pub at: Location,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// The block behind it, its own or that of a call on its result (`docker.image('x').inside { … }`).
    pub block: Option<Vec<Item>>,
}

/// A statement.
#[derive(Debug, Clone)]
pub enum Item {
    /// A call.
    Call(Call),
    /// `name = value`.
    Assign(String, Location, Value),
}

impl Call {
    /// The value of a named argument.
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name)).map(|argument| &argument.value)
    }

    /// The first argument without a name.
    pub fn first(&self) -> Option<&Value> {
        self.arguments.iter().find(|argument| argument.name.is_none()).map(|argument| &argument.value)
    }

    /// Calls of its block.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        calls(self.block.as_deref().unwrap_or(&[]))
    }

    /// The first call of its block with a name.
    pub fn call(&self, name: &str) -> Option<&Call> {
        self.calls().find(|call| call.name == name)
    }
}

impl Value {
    /// The string, if it is one.
    pub fn text(&self) -> Option<&Str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// What it says: a string's text, or a word.
    pub fn says(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(&text.text.text),
            Value::Word(word, _) => Some(word),
            _ => None,
        }
    }
}

/// The calls among items.
pub fn calls(items: &[Item]) -> impl Iterator<Item = &Call> {
    items.iter().filter_map(|item| if let Item::Call(call) = item { Some(call) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    fn items(text: &str) -> Vec<Item> {
        parse(SourceId(0), text)
    }

    #[test]
    fn calls_have_arguments_and_blocks() {
        let text = "@Library('x@v1') _\npipeline {\n  agent any // why\n  stage('A') { steps { sh 'a'\n sh(script: \"b ${c.d}\", returnStatus: true) } }\n}\n";
        let all = items(text);
        let [Item::Call(library), .., Item::Call(pipeline)] = &all[..] else { panic!("{all:?}") };
        assert_eq!((library.name.as_str(), library.first().and_then(Value::says)), ("@Library", Some("x@v1")));
        assert_eq!(pipeline.call("agent").and_then(|call| call.first()).and_then(Value::says), Some("any"));
        let steps = pipeline.call("stage").and_then(|stage| stage.call("steps")).expect("steps");
        let shs: Vec<_> = steps.calls().collect();
        assert_eq!(shs[0].first().and_then(Value::says), Some("a"));
        let script = shs[1].named("script").and_then(Value::text).expect("a string");
        assert_eq!((script.text.text.as_str(), script.puts_in[0].1.as_str()), ("b ${c.d}", "c.d"));
        assert_eq!(&text[script.text.place(0..1).0.span.range()], "b");
    }

    #[test]
    fn strings_of_all_kinds_keep_their_places() {
        let text = "a '''x\\\ny'''\nb \"\"\"p\n$q.r\\$s\"\"\"\nc $/d/$\ne 'f\\'g'\nh 'i'.trim()\n";
        let said: Vec<String> =
            calls(&items(text)).filter_map(|call| Some(call.first()?.says()?.to_string())).collect();
        assert_eq!(said, ["xy", "p\n$q.r$s", "d", "f'g", "i"]);
    }

    #[test]
    fn patterns_hide_no_statements() {
        let text = "a {\n  when { branch pattern: /^x.*(?i)[\\.-]\\/y$/, comparator: 'REGEXP' }\n  if (v ==~ /${r}|s/) { sh 'a' }\n  x = (p / 2) // half/whole\n}\nvoid b() { sh 'c' }\n";
        let all = items(text);
        let [Item::Call(first), Item::Call(_)] = &all[..] else { panic!("{all:?}") };
        let pattern =
            first.call("when").and_then(|when| when.call("branch")).and_then(|branch| branch.named("pattern"));
        assert_eq!(pattern.and_then(Value::says), Some("^x.*(?i)[\\.-]\\/y$"));
        assert!(first.calls().any(|call| call.name == "if" && call.calls().any(|call| call.name == "sh")));
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let text = "def x = docker.image('a:1')\nif (x == 1) { sh 'b' } else { sh 'c' }\ndocker.image(\"d:2\").inside('-u 0') { sh 'e' }\nparallel a: { sh 'f' }, b: { sh 'g' }\nx.each { y -> sh \"h\" }\n} ) ]";
        let all = items(text);
        assert!(
            matches!(&all[0], Item::Assign(name, _, Value::Call(call)) if name == "x" && call.name == "docker.image")
        );
        let image = calls(&all).find(|call| call.name == "docker.image").expect("a call");
        assert_eq!(image.calls().count(), 1);
        let parallel = calls(&all).find(|call| call.name == "parallel").expect("a call");
        assert!(matches!(parallel.named("b"), Some(Value::Block(items)) if items.len() == 1));
        assert!(calls(&all).any(|call| call.name == "x.each" && call.calls().any(|call| call.name == "sh")));
        for cut in 0..text.len() {
            items(&text[..cut]);
        }
        items(&"{[(".repeat(5_000));
        items(&"a {".repeat(5_000));
    }
}
