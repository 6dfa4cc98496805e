//! What names stand for in one file: parameters, variables that are known before the run, and the members of `each`.

use super::expression::{self, Known};
use crate::model::source::Source;
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use std::rc::Rc;

/// How often a value may lead to another.
const MAX_STEPS: usize = 8;
/// How many items a list may become.
const MAX_ITEMS: usize = 5_000;

/// Names and what they stand for, each with the frame in which that is read.
pub struct Frame<'t> {
    pub source: &'t Source,
    bound: Vec<(String, Node<'t>, Option<Rc<Frame<'t>>>)>,
}

/// A value with the frame to read it in and its key path.
#[derive(Clone)]
pub struct Item<'t> {
    pub node: Node<'t>,
    pub frame: Rc<Frame<'t>>,
    pub key: String,
}

impl<'t> Frame<'t> {
    /// The frame of a file whose root is `root`, called with arguments.
    pub fn of_file(source: &'t Source, root: Node<'t>, given: Option<(Node<'t>, Rc<Frame<'t>>)>) -> Rc<Frame<'t>> {
        let mut frame = Frame { source, bound: Vec::new() };
        let declared = root.get("parameters");
        for (name, default) in declared.into_iter().flat_map(defaults) {
            frame.bound.extend(default.map(|default| (format!("parameters.{name}"), default, None)));
        }
        if let Some((map, caller)) = given {
            for (name, node) in caller.entries(map) {
                frame.bound.push((format!("parameters.{name}"), node.node, Some(node.frame)));
            }
        }
        frame.with_variables(root.get("variables"));
        Rc::new(frame)
    }

    fn with_variables(&mut self, node: Option<Node<'t>>) {
        let Some(node) = node else { return };
        let pairs = node.entries().filter_map(|(name, value)| Some((name.str()?, value)));
        let list = node.items().filter_map(|item| Some((item.get("name")?.str()?, item.get("value")?)));
        let all: Vec<_> = pairs.chain(list).map(|(name, value)| (format!("variables.{name}"), value, None)).collect();
        self.bound.extend(all);
    }

    /// This frame with further variables of a stage, a job or a leg of a matrix.
    pub fn inside(self: &Rc<Self>, variables: Option<Node<'t>>) -> Rc<Frame<'t>> {
        let mut frame = Frame { source: self.source, bound: self.copy() };
        frame.with_variables(variables);
        Rc::new(frame)
    }

    fn with(self: &Rc<Self>, name: &str, node: Node<'t>, of: Rc<Frame<'t>>) -> Rc<Frame<'t>> {
        let mut bound = self.copy();
        bound.push((name.to_string(), node, Some(of)));
        Rc::new(Frame { source: self.source, bound })
    }

    fn copy(self: &Rc<Self>) -> Vec<(String, Node<'t>, Option<Rc<Frame<'t>>>)> {
        self.bound.iter().map(|(name, node, of)| (name.clone(), *node, of.clone())).collect()
    }

    /// What a path like `parameters.x.y` or `variables['x']` leads to.
    fn look_up(self: &Rc<Self>, path: &str) -> Option<(Node<'t>, Rc<Frame<'t>>)> {
        let plain = path.replace("['", ".").replace("']", "").replace("parameters[", "parameters.");
        let exact = self.bound.iter().rev().find(|(name, ..)| name.eq_ignore_ascii_case(&plain));
        let start = exact.or_else(|| {
            let part = |name: &str| plain.len() > name.len() && plain[..name.len()].eq_ignore_ascii_case(name) && plain.as_bytes()[name.len()] == b'.';
            self.bound.iter().rev().find(|(name, ..)| plain.is_char_boundary(name.len()) && part(name))
        });
        let (name, node, of) = start?;
        let of = of.clone().unwrap_or_else(|| self.clone());
        let rest = plain[name.len()..].split('.').filter(|part| !part.is_empty());
        let node = rest.into_iter().try_fold(*node, |node, part| node.get(part))?;
        Some((node, of))
    }

    /// Whether a variable of this name is set in the files.
    pub fn defines(self: &Rc<Self>, name: &str) -> bool {
        self.look_up(&format!("variables.{name}")).is_some()
    }

    /// The node that an expression stands for when that is all of a value.
    pub fn deref(self: &Rc<Self>, node: Node<'t>) -> (Node<'t>, Rc<Frame<'t>>) {
        let (mut node, mut frame) = (node, self.clone());
        for _ in 0..MAX_STEPS {
            let inner = node.str().and_then(expression::whole);
            let Some((next, of)) = inner.and_then(|inner| frame.look_up(inner)) else { break };
            (node, frame) = (next, of);
        }
        (node, frame)
    }

    fn known(self: &Rc<Self>, expression: &str, steps: usize) -> Known {
        let name = |path: &str| {
            let (node, of) = self.look_up(path).filter(|_| steps > 0)?;
            let text = of.put_in(node, false, steps - 1)?.text;
            (!text.contains("${{") && !text.contains("$(")).then_some(text)
        };
        expression::value(expression, &name, 0)
    }

    /// Whether a condition holds; `None`: that cannot be seen.
    pub fn holds(self: &Rc<Self>, condition: &str) -> Option<bool> {
        self.known(condition, MAX_STEPS).map(|value| expression::is_true(&value))
    }

    /// The text of a scalar with what is known before the run put in.
    pub fn mapped(self: &Rc<Self>, node: Node<'t>) -> Option<Mapped> {
        self.put_in(node, false, MAX_STEPS)
    }

    /// The same with `$(name)` of known variables put in too.
    pub fn full(self: &Rc<Self>, node: Node<'t>) -> Option<Mapped> {
        self.put_in(node, true, MAX_STEPS)
    }

    /// The same as one piece.
    pub fn text(self: &Rc<Self>, node: Node<'t>) -> Option<Text> {
        let mapped = self.full(node)?.trimmed();
        Some(mapped.text(0..mapped.text.len()))
    }

    fn put_in(self: &Rc<Self>, node: Node<'t>, macros: bool, steps: usize) -> Option<Mapped> {
        let (node, frame) = self.deref(node);
        let written = node.mapped()?;
        let mut parts: Vec<(std::ops::Range<usize>, String)> =
            expression::find(&written.text).into_iter().map(|(part, inner)| (part, inner.to_string())).collect();
        if macros {
            let found = super::variables::macros(&written.text).into_iter();
            parts.extend(found.map(|(part, name)| (part, format!("variables.{name}"))));
            parts.extend(super::variables::at_run_time(&written.text).map(|path| (0..written.text.len(), path.to_string())));
            parts.sort_by_key(|(part, _)| part.start);
        }
        if parts.is_empty() || steps == 0 {
            return Some(written);
        }
        let mut out = Mapped { text: String::new(), at: written.at, segments: Vec::new() };
        let mut done = 0;
        for (part, inner) in parts {
            if part.start < done {
                continue;
            }
            out.append(&written.slice(done..part.start));
            let value = match frame.look_up(&inner) {
                Some((node, of)) => of.put_in(node, macros, steps - 1),
                None => frame.known(&inner, steps).map(|value| Mapped::opaque(value, written.at)),
            };
            match value {
                Some(value) if value.at.source == written.at.source => out.append(&value),
                Some(value) => out.append(&Mapped::opaque(value.text, written.at)),
                None => out.append(&written.slice(part.clone())),
            }
            done = part.end;
        }
        out.append(&written.slice(done..written.text.len()));
        Some(out)
    }

    /// Entries of a mapping, conditional ones decided.
    pub fn entries(self: &Rc<Self>, map: Node<'t>) -> Vec<(String, Item<'t>)> {
        let mut all = Vec::new();
        let (map, frame) = self.deref(map);
        frame.collect(map, &mut all, MAX_STEPS);
        all
    }

    fn collect(self: &Rc<Self>, map: Node<'t>, all: &mut Vec<(String, Item<'t>)>, steps: usize) {
        let mut taken = Some(false);
        for (name_node, value) in map.entries() {
            let Some(name) = name_node.str() else { continue };
            match expression::whole(name) {
                Some(inner) if steps > 0 => {
                    if self.chosen(inner, &mut taken) {
                        let (value, frame) = self.deref(value);
                        frame.collect(value, all, steps - 1);
                    }
                }
                _ => {
                    let name = self.mapped(name_node).map_or_else(|| name.to_string(), |text| text.text);
                    all.push((name, Item { node: value, frame: self.clone(), key: String::new() }));
                }
            }
        }
    }

    /// Whether a branch of conditional insertion is taken, and what that means for the branches after it.
    fn chosen(self: &Rc<Self>, inner: &str, taken: &mut Option<bool>) -> bool {
        let (word, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        let holds = match word {
            "if" => {
                *taken = Some(false);
                self.holds(rest)
            }
            "elseif" => self.holds(rest),
            "else" => Some(true),
            // `insert` and `each` over a mapping.
            _ => return true,
        };
        if *taken == Some(true) || holds == Some(false) {
            return false;
        }
        *taken = if holds == Some(true) && *taken == Some(false) { Some(true) } else { None };
        true
    }

    /// Items of a list: conditional ones decided, loops run, lists of parameters opened.
    pub fn items(self: &Rc<Self>, list: Node<'t>, key: &str) -> Vec<Item<'t>> {
        let mut all = Vec::new();
        let (list, frame) = self.deref(list);
        frame.collect_items(list, key, &mut all, MAX_STEPS);
        all
    }

    fn collect_items(self: &Rc<Self>, list: Node<'t>, key: &str, all: &mut Vec<Item<'t>>, steps: usize) {
        let mut taken = Some(false);
        for (index, item) in list.items().enumerate() {
            let key = format!("{key}[{index}]");
            if all.len() > MAX_ITEMS {
                return;
            }
            let (opened, frame) = self.deref(item);
            if opened.is_seq() && steps > 0 {
                frame.collect_items(opened, &key, all, steps - 1);
                continue;
            }
            let only = if opened.is_map() && opened.entries().count() == 1 { opened.entries().next() } else { None };
            let conditional = only.and_then(|(name, value)| Some((expression::whole(name.str()?)?, value)));
            let Some((inner, value)) = conditional.filter(|_| steps > 0) else {
                all.push(Item { node: opened, frame, key });
                continue;
            };
            if let Some(rest) = inner.strip_prefix("each ") {
                self.each(rest, value, &key, all, steps - 1);
            } else if self.chosen(inner, &mut taken) {
                let (value, frame) = self.deref(value);
                frame.collect_items(value, &key, all, steps - 1);
            }
        }
    }

    /// `each x in parameters.list`: once for each member; once with an open name when the list cannot be seen.
    fn each(self: &Rc<Self>, rest: &str, value: Node<'t>, key: &str, all: &mut Vec<Item<'t>>, steps: usize) {
        let Some((name, list)) = rest.split_once(" in ") else { return };
        let members = self.look_up(list.trim()).map_or((Vec::new(), self.clone()), |(node, of)| {
            let (node, of) = of.deref(node);
            (node.items().chain(node.entries().map(|(_, value)| value)).take(200).collect::<Vec<_>>(), of)
        });
        let (members, of) = members;
        if members.is_empty() {
            return self.collect_items(value, key, all, steps);
        }
        for member in members {
            self.with(name.trim(), member, of.clone()).collect_items(value, key, all, steps);
        }
    }
}

/// Declared parameters with their defaults: a list of mappings, or a mapping of defaults.
fn defaults(node: Node<'_>) -> Vec<(&str, Option<Node<'_>>)> {
    let list = node.items().filter_map(|item| Some((item.get("name")?.str()?, item.get("default"))));
    let map = node.entries().filter_map(|(name, value)| Some((name.str()?, Some(value))));
    list.chain(map).collect()
}
