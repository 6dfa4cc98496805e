//! What GitLab makes of the files: jobs by name, layers of one key, `extends`, `default` and `!reference`.
//!
//! <https://docs.gitlab.com/ci/yaml/yaml_optimization/>: mappings merge deeply, everything else is replaced as a whole.

use super::files::File;
use crate::syntax::tree::Node;
use std::collections::{HashMap, HashSet};

/// How deep `extends` and `!reference` nest at most, as on the server.
const MAX_DEPTH: usize = 11;

/// How many items one list holds at most, references followed, and how many steps are made to find them: lists that name themselves
/// several times would grow without end.
const MAX_ITEMS: usize = 10_000;

/// Keys at the top that are no jobs.
const GLOBAL: [&str; 12] = [
    "default",
    "include",
    "stages",
    "types",
    "variables",
    "workflow",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "spec",
];

/// All files of a pipeline as one.
pub struct Config<'t> {
    roots: Vec<Node<'t>>,
    /// Where a job is written, most important first.
    jobs: HashMap<&'t str, Vec<Node<'t>>>,
    /// Names of jobs in the order of the files, with the key's node.
    order: Vec<(&'t str, Node<'t>)>,
}

impl<'t> Config<'t> {
    pub fn new(files: &'t [File<'t>]) -> Config<'t> {
        // A first document with `spec` declares inputs; the pipeline follows it.
        let roots: Vec<Node<'t>> =
            files.iter().flat_map(|file| file.tree.roots()).filter(|root| root.is_map() && root.get("spec").is_none()).collect();
        let mut config = Config { roots, jobs: HashMap::new(), order: Vec::new() };
        for root in config.roots.clone() {
            for (key, value) in root.entries() {
                let Some(name) = key.str().filter(|name| !GLOBAL.contains(name) && value.is_map()) else { continue };
                let layers = config.jobs.entry(name).or_default();
                if layers.is_empty() {
                    config.order.push((name, key));
                }
                layers.push(value);
            }
        }
        config
    }

    /// What stands at the top of all files.
    pub fn global(&self) -> Layers<'t, '_> {
        Layers { config: self, nodes: self.roots.clone() }
    }

    /// Jobs that run: hidden ones left out.
    pub fn visible(&self) -> impl Iterator<Item = (&'t str, Node<'t>)> {
        self.order.iter().copied().filter(|(name, _)| !name.starts_with('.'))
    }

    /// A job with everything that it extends.
    pub fn job(&self, name: &str) -> Layers<'t, '_> {
        let mut nodes = Vec::new();
        let mut open = HashSet::new();
        self.extend(name, &mut nodes, &mut open);
        Layers { config: self, nodes }
    }

    fn extend(&self, name: &str, nodes: &mut Vec<Node<'t>>, open: &mut HashSet<String>) {
        if open.len() >= MAX_DEPTH || nodes.len() > 200 || !open.insert(name.to_string()) {
            return;
        }
        let own = self.jobs.get(name).map_or(&[][..], Vec::as_slice);
        nodes.extend(own);
        let extends = own.iter().find_map(|node| node.get("extends"));
        let parents: Vec<&str> = extends.into_iter().flat_map(Node::list).filter_map(Node::str).collect();
        // The last of several wins.
        parents.iter().rev().for_each(|parent| self.extend(parent, nodes, open));
        open.remove(name);
    }

    /// The node that a `!reference [job, key, …]` names; any other node is itself.
    pub fn deref(&self, node: Node<'t>) -> Option<Node<'t>> {
        let mut node = node;
        for _ in 0..MAX_DEPTH {
            if node.tag() != Some("!reference") {
                return Some(node);
            }
            let path: Vec<&str> = node.items().filter_map(Node::str).collect();
            let (job, keys) = path.split_first()?;
            let layers = self.jobs.get(job).map_or(&[][..], Vec::as_slice);
            let global = self.roots.iter().filter_map(|root| root.get(job)).filter(|_| layers.is_empty());
            node = layers.iter().copied().chain(global).find_map(|layer| layer.path(keys))?;
        }
        None
    }

    /// The items of a list, lists inside it opened and references followed.
    pub fn flatten(&self, list: Node<'t>) -> Vec<Node<'t>> {
        let mut found = Vec::new();
        let mut waiting = vec![(list, 0)];
        let mut steps = 0;
        while let Some((node, depth)) = waiting.pop() {
            steps += 1;
            if steps > 4 * MAX_ITEMS || found.len() >= MAX_ITEMS {
                break;
            }
            let Some(node) = self.deref(node).filter(|_| depth <= MAX_DEPTH) else { continue };
            if node.is_seq() {
                waiting.extend(node.items().rev().map(|item| (item, depth + 1)));
            } else {
                found.push(node);
            }
        }
        found
    }
}

/// One value as it stands in several places, most important first.
#[derive(Clone)]
pub struct Layers<'t, 'c> {
    pub config: &'c Config<'t>,
    pub nodes: Vec<Node<'t>>,
}

impl<'t> Layers<'t, '_> {
    /// A key of a mapping: mappings of all layers down to the first that is none.
    pub fn get(&self, key: &str) -> Self {
        let values = self.nodes.iter().filter_map(|node| self.config.deref(node.get(key)?));
        let mut nodes: Vec<Node<'t>> = Vec::new();
        for value in values {
            let is_map = value.is_map();
            if nodes.is_empty() || is_map {
                nodes.push(value);
            }
            if !is_map {
                break;
            }
        }
        Layers { config: self.config, nodes }
    }

    /// The most important value.
    pub fn first(&self) -> Option<Node<'t>> {
        self.nodes.first().copied()
    }

    /// Whether the key is not written anywhere.
    pub fn is_absent(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The text, if it is one.
    pub fn str(&self) -> Option<&'t str> {
        self.first()?.str()
    }

    /// Keys and values of all layers, each key once.
    pub fn entries(&self) -> Vec<(Node<'t>, Node<'t>)> {
        let mut seen = HashSet::new();
        let all = self.nodes.iter().flat_map(|node| node.entries());
        let once = all.filter(|(key, _)| key.str().is_some_and(|name| seen.insert(name)));
        once.filter_map(|(key, value)| Some((key, self.config.deref(value)?))).collect()
    }

    /// The items of the list.
    pub fn items(&self) -> Vec<Node<'t>> {
        self.first().map_or(Vec::new(), |node| self.config.flatten(node))
    }
}
