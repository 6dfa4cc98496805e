//! What the file defines by name: jobs, commands, executors, and orbs, inline ones included.

use super::frame::Frame;
use crate::syntax::tree::Node;
use std::rc::Rc;

/// How deep inline orbs may hold orbs.
const MAX_DEPTH: usize = 4;

/// A configuration.
pub struct Config<'t> {
    pub root: Node<'t>,
    /// What the pipeline's own parameters stand for.
    pub frame: Rc<Frame<'t>>,
}

/// A room of names: the file, or an inline orb.
#[derive(Clone, Copy)]
pub struct Room<'t> {
    pub node: Node<'t>,
    depth: usize,
}

/// What a name like `orb/thing` leads to.
pub enum Found<'t> {
    /// Something of the file: its node, the room that it stands in, its key path.
    Here(Node<'t>, Room<'t>, String),
    /// Something of an orb of the registry: the name of the entry in `orbs`.
    Orb(&'t str),
    /// Nothing.
    Nowhere,
}

impl<'t> Config<'t> {
    pub fn new(root: Node<'t>) -> Config<'t> {
        Config { root, frame: Frame::root(root) }
    }

    /// The room of the file.
    pub fn room(&self) -> Room<'t> {
        Room { node: self.root, depth: 0 }
    }
}

impl<'t> Room<'t> {
    /// What `name` means as one of `kind` (`jobs`, `commands`, `executors`).
    pub fn find(self, kind: &str, name: &str) -> Found<'t> {
        self.find_below(kind, name, "")
    }

    fn find_below(self, kind: &str, name: &str, key: &str) -> Found<'t> {
        if let Some(node) = self.node.get(kind).and_then(|map| map.get(name)) {
            return Found::Here(node, self, format!("{key}{kind}.{name}"));
        }
        let Some((orb, rest)) = name.split_once('/') else { return Found::Nowhere };
        let entry = self.node.get("orbs").into_iter().flat_map(Node::entries).find(|(key, _)| key.str() == Some(orb));
        match entry {
            Some((_, node)) if node.is_map() && self.depth < MAX_DEPTH => {
                Room { node, depth: self.depth + 1 }.find_below(kind, rest, &format!("{key}orbs.{orb}."))
            }
            Some((key, _)) => key.str().map_or(Found::Nowhere, Found::Orb),
            None => Found::Nowhere,
        }
    }
}
