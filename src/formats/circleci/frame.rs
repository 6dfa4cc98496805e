//! `<< parameters.x >>`: what names stand for at a place, and texts with their values put in.
//!
//! <https://circleci.com/docs/reusing-config/#parameter-syntax>. A value keeps its place: an image whose tag is a parameter is pinned there.

use crate::model::span::Location;
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use std::ops::Range;
use std::rc::Rc;

/// How often a value may lead to another.
const MAX_STEPS: usize = 8;

/// Names and what they stand for, each with the frame in which that is read.
#[derive(Default)]
pub struct Frame<'t> {
    bound: Vec<(String, Node<'t>, Rc<Frame<'t>>)>,
}

impl<'t> Frame<'t> {
    /// The frame of `parameters` of a job, a command or an executor: arguments that are given, else defaults.
    pub fn call(
        declared: Option<Node<'t>>,
        given: &[(&'t str, Node<'t>)],
        caller: &Rc<Frame<'t>>,
        root: &Rc<Frame<'t>>,
    ) -> Rc<Frame<'t>> {
        // What the pipeline knows is known everywhere.
        let mut frame = Frame { bound: root.bound.iter().map(|(name, node, frame)| (name.clone(), *node, frame.clone())).collect() };
        for (name, declared) in declared.into_iter().flat_map(Node::entries) {
            let Some(name) = name.str() else { continue };
            let argument = given.iter().find(|(other, _)| *other == name).map(|(_, node)| (*node, caller.clone()));
            let default = declared.get("default").map(|node| (node, root.clone()));
            frame.bound.extend(argument.or(default).map(|(node, of)| (format!("parameters.{name}"), node, of)));
        }
        Rc::new(frame)
    }

    /// The frame of the file: parameters of the pipeline with their defaults.
    pub fn root(config: Node<'t>) -> Rc<Frame<'t>> {
        let declared = config.get("parameters").into_iter().flat_map(Node::entries);
        let empty = Rc::new(Frame::default());
        let bind = |(name, node): (Node<'t>, Node<'t>)| {
            Some((format!("pipeline.parameters.{}", name.str()?), node.get("default")?, empty.clone()))
        };
        Rc::new(Frame { bound: declared.filter_map(bind).collect() })
    }

    /// This frame with a leg of a matrix.
    pub fn with_leg(self: &Rc<Frame<'t>>, leg: &[(&'t str, Node<'t>)]) -> Rc<Frame<'t>> {
        let mut bound: Vec<_> = self.bound.iter().map(|(name, node, frame)| (name.clone(), *node, frame.clone())).collect();
        bound.extend(leg.iter().map(|(name, node)| (format!("matrix.{name}"), *node, self.clone())));
        Rc::new(Frame { bound })
    }

    fn get(&self, name: &str) -> Option<&(String, Node<'t>, Rc<Frame<'t>>)> {
        self.bound.iter().rev().find(|(known, ..)| known == name)
    }

    /// The node that a value stands for when it is one expression and nothing else, with the frame to read it in.
    pub fn deref(self: &Rc<Frame<'t>>, node: Node<'t>) -> (Node<'t>, Rc<Frame<'t>>) {
        let (mut node, mut frame) = (node, self.clone());
        for _ in 0..MAX_STEPS {
            let Some(text) = node.str() else { break };
            let [(part, name)] = &expressions(text)[..] else { break };
            if text[..part.start].trim() != "" || text[part.end..].trim() != "" {
                break;
            }
            let Some((_, next, of)) = frame.get(name).map(|(name, node, of)| (name, *node, of.clone())) else { break };
            (node, frame) = (next, of);
        }
        (node, frame)
    }

    /// The text of a scalar with all known values put in; what is not known stays behind as `${name}`.
    pub fn text(self: &Rc<Frame<'t>>, node: Node<'t>) -> Option<Mapped> {
        self.put_in(node, MAX_STEPS)
    }

    fn put_in(self: &Rc<Frame<'t>>, node: Node<'t>, steps: usize) -> Option<Mapped> {
        let written = node.mapped()?;
        let found = expressions(&written.text);
        if found.is_empty() {
            return Some(written);
        }
        let mut out = Mapped { text: String::new(), at: written.at, segments: Vec::new() };
        let mut done = 0;
        for (part, name) in found {
            out.append(&written.slice(done..part.start));
            let value = self.get(&name).filter(|_| steps > 0).and_then(|(_, node, of)| of.put_in(*node, steps - 1));
            out.append(&value.unwrap_or_else(|| Mapped::opaque(format!("${{{name}}}"), written.at)));
            done = part.end;
        }
        out.append(&written.slice(done..written.text.len()));
        Some(out)
    }

    /// The same as one piece.
    pub fn piece(self: &Rc<Frame<'t>>, node: Node<'t>) -> Option<Text> {
        let mapped = self.text(node)?.trimmed();
        Some(mapped.text(0..mapped.text.len()))
    }
}

/// The expressions of a text: where, and the name in them.
pub fn expressions(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("<<").map(|at| at + from) {
        from = at + 2;
        // `\<<` is a here-document.
        if text[..at].ends_with('\\') {
            continue;
        }
        let Some(len) = text[from..].find(">>") else { break };
        let name = text[from..from + len].trim();
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '#' | '/' | '^');
        if !name.is_empty() && name.contains('.') && name.chars().all(named) {
            found.push((at..from + len + 2, name.to_string()));
            from += len + 2;
        }
    }
    found
}

/// A script without the backslash that keeps CircleCI from reading a here-document as an expression.
pub fn unescaped(text: Mapped) -> Mapped {
    if !text.text.contains("\\<<") {
        return text;
    }
    let mut out = Mapped { text: String::new(), at: text.at, segments: Vec::new() };
    let mut done = 0;
    for (at, _) in text.text.match_indices("\\<<") {
        out.append(&text.slice(done..at));
        done = at + 1;
    }
    out.append(&text.slice(done..text.text.len()));
    out
}

/// The place of a text in the source.
pub fn place(text: &Mapped) -> Location {
    text.place(0..text.text.len()).0
}
