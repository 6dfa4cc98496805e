//! Methods and closures that a Jenkinsfile defines: `def test() { … }`, `void test(image) { … }`, `test = { … }`. Knows no steps.
//!
//! They are read where they are called, with the variables that are bound there. What is handed over as an argument is not followed.
//! <https://groovy-lang.org/objectorientation.html#_method_definition>

use crate::syntax::groovy::{Call, Item, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What a file defines, and what of it is being read.
#[derive(Debug, Default)]
pub struct Methods<'r> {
    bodies: BTreeMap<&'r str, &'r [Item]>,
    entered: BTreeSet<String>,
    open: Vec<String>,
}

impl<'r> Methods<'r> {
    /// Definitions at the top of a file, and closures that they assign.
    pub fn of(items: &'r [Item]) -> Methods<'r> {
        let mut methods = Methods::default();
        for (name, body) in items.iter().filter_map(definition) {
            methods.bodies.insert(name, body);
            let closures = body.iter().filter(|item| matches!(item, Item::Assign(..)));
            methods.bodies.extend(closures.filter_map(definition));
        }
        methods
    }

    /// Whether a statement is a definition that is read at its calls.
    pub fn defines(&self, item: &Item) -> bool {
        definition(item).is_some_and(|(name, body)| self.bodies.get(name).is_some_and(|known| std::ptr::eq(*known, body)))
    }

    /// The body of a method whose calls are gone into now; none while it is open: what calls itself is followed once.
    pub fn enter(&mut self, name: &str) -> Option<&'r [Item]> {
        let body = *self.bodies.get(name)?;
        if self.open.iter().any(|open| open == name) {
            return None;
        }
        self.open.push(name.to_string());
        self.entered.insert(name.to_string());
        Some(body)
    }

    /// Ends what [`Methods::enter`] began.
    pub fn leave(&mut self, name: &str) {
        self.open.retain(|open| open != name);
    }

    /// A definition that no call was seen of.
    pub fn uncalled(&self) -> Option<&'r str> {
        self.bodies.keys().find(|name| !self.entered.contains(**name)).copied()
    }
}

/// The name and the body of a definition.
pub fn definition(item: &Item) -> Option<(&str, &[Item])> {
    match item {
        Item::Assign(name, _, Value::Block(body)) => Some((name, body)),
        // `def name(…) { … }` and `void name() { … }` read as a call of their first word with one argument.
        Item::Call(Call { arguments, block: None, .. }) => match &arguments[..] {
            [one] if one.name.is_none() => match &one.value {
                Value::Call(call) => Some((&call.name, call.block.as_deref()?)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
