//! What systems share whose steps run in containers: images with values put in, scripts, `sh -c`, variables. Is no format itself and
//! claims no file.

pub mod moves;
pub mod pasted;
pub mod plugin;
pub mod when;

use crate::ecosystems::{oci, variable};
use crate::model::facts::{Facts, ProblemKind, Shared};
use crate::model::pipeline::{Assignment, Scope, Setting, Value};
use crate::model::reference::{Reference, ReferenceId, Role};
use crate::model::script::{Script, Shell};
use crate::model::source::join;
use crate::model::span::Location;
use crate::model::text::{Mapped, Text};
use crate::syntax::tree::Node;
use crate::tools;
use std::collections::HashMap;

/// How many bytes of scripts all jobs of a file have at most: anchors and matrices multiply them.
const MAX_SCRIPTS: usize = 8 << 20;

/// What names stand for: values of a matrix, defaults of parameters, substitutions. A name may have several values.
#[derive(Debug, Clone, Default)]
pub struct Values {
    list: Vec<(String, Text)>,
}

impl Values {
    /// Adds a value of a name.
    pub fn add(&mut self, name: impl Into<String>, value: Option<Text>) {
        self.list.extend(value.map(|value| (name.into(), value)));
    }

    /// The values of a name; none when it is not known.
    pub fn of(&self, name: &str) -> Vec<Text> {
        self.list.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    }

    /// These values, and those of `outer` for names that have none here.
    pub fn below(mut self, outer: &Values) -> Values {
        let more = outer.list.iter().filter(|(name, _)| self.list.iter().all(|(known, _)| known != name));
        let more: Vec<_> = more.cloned().collect();
        self.list.extend(more);
        self
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every text that a text becomes.
    pub fn resolve(&self, text: &Mapped) -> Vec<Mapped> {
        variable::resolve(text, &|name| self.of(name))
    }
}

/// Puts references and scripts of one file into its facts, those that anchors share only once.
pub struct Reader<'f> {
    /// Where they go.
    pub facts: &'f mut Facts,
    references: Shared,
    scripts: HashMap<(Location, usize), Script>,
    bytes: usize,
    told: bool,
}

impl<'f> Reader<'f> {
    /// A reader that has seen nothing.
    pub fn new(facts: &'f mut Facts) -> Reader<'f> {
        Reader { facts, references: Shared::default(), scripts: HashMap::new(), bytes: 0, told: false }
    }

    /// Adds a reference, or finds the one that stands at the same place and says the same.
    pub fn push(&mut self, reference: Reference) -> ReferenceId {
        self.references.push(self.facts, reference)
    }

    /// The images that a text stands for.
    pub fn images(&mut self, node: Option<Node>, values: &Values, role: Role, key: &str) -> Vec<ReferenceId> {
        let Some(text) = node.and_then(Node::text) else { return Vec::new() };
        if values.is_empty() || !variable::is_variable(&text.text) {
            return oci::image(&text, role, key).into_iter().map(|reference| self.push(reference)).collect();
        }
        let all = values.resolve(&Mapped::of(&text));
        let references: Vec<_> = all.iter().filter_map(|one| oci::mapped(one, role, key)).collect();
        references.into_iter().map(|reference| self.push(reference)).collect()
    }

    /// Reads a script. One that a file shares between thousands of jobs is given to the first of them only.
    pub fn script(&mut self, text: &Mapped, shell: Shell, cwd: &str, key: &str) -> Option<Script> {
        self.bytes += text.text.len();
        if self.bytes > MAX_SCRIPTS {
            if !std::mem::replace(&mut self.told, true) {
                let what =
                    "this file runs more than 8 MiB of scripts, shared ones counted each time; the rest was not read";
                self.facts.problem(ProblemKind::Unreadable, text.at, what);
            }
            return None;
        }
        let place = (text.at, text.text.len());
        if let Some(script) = self.scripts.get(&place) {
            return Some(script.clone());
        }
        let script = tools::read_script(text, shell, cwd, key, self.facts);
        self.scripts.insert(place, script.clone());
        Some(script)
    }

    /// Reads a command that is given as words: what follows `sh -c` is a script, everything else one command.
    pub fn words(&mut self, words: Vec<Mapped>, shell: Shell, cwd: &str, key: &str) -> Option<Script> {
        let first = words.first()?;
        if let Some((flags, text)) = shell_call(&words) {
            return self.script(text, Shell { xtrace: flags.xtrace || shell.xtrace, ..flags }, cwd, key);
        }
        let at = Location::new(first.at.source, words.iter().fold(first.at.span, |span, word| span.to(word.at.span)));
        let texts = words.iter().map(|word| word.text(0..word.text.len())).collect();
        Some(tools::read_words(texts, at, cwd, key, self.facts))
    }
}

/// The script of `sh -c SCRIPT`, `bash -euo pipefail -c SCRIPT`, with the flags that are given.
fn shell_call(words: &[Mapped]) -> Option<(Shell, &Mapped)> {
    let (program, mut rest) = words.split_first()?;
    let name = program.text.rsplit('/').next().unwrap_or("");
    // `env bash -c`, `tini -- sh -c` are followed by the shell parser itself.
    if !matches!(name, "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh") {
        return None;
    }
    let mut shell = Shell::PLAIN;
    let mut asked = false;
    while let Some((word, next)) = rest.split_first() {
        let Some(flags) = word.text.strip_prefix(['-', '+']).filter(|flags| !flags.is_empty()) else { break };
        rest = next;
        if flags.starts_with('-') {
            continue;
        }
        asked |= flags.contains('c');
        shell.errexit |= flags.contains('e');
        shell.xtrace |= flags.contains('x');
        if flags.ends_with('o')
            && let Some((option, next)) = rest.split_first()
        {
            shell.pipefail |= option.text == "pipefail";
            shell.errexit |= option.text == "errexit";
            shell.xtrace |= option.text == "xtrace";
            rest = next;
        }
    }
    rest.first().filter(|_| asked).map(|text| (shell, text))
}

/// Follows `cd` from one script to the next that runs in the same shell.
pub fn follow(script: &Script, cwd: &mut String) {
    for command in script.commands.iter().filter(|command| command.nesting.is_empty()) {
        let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
        if let ["cd", folder] = words[..] {
            *cwd = join(cwd, folder).unwrap_or_else(|| cwd.clone());
        }
    }
}

/// A switch: `true`, `false`, or something else.
pub fn switch(node: Option<Node>) -> Setting<bool> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Setting::Absent };
    node.bool().map_or(Setting::Computed(node.at()), |value| Setting::Plain(value, node.at()))
}

/// The items of a list of commands, or one text, as one script: they run in one shell.
pub fn commands(node: Option<Node>) -> Option<Mapped> {
    Mapped::lines(node?.list().filter_map(Node::mapped))
}

/// A script as its shell gets it, where the system takes `$$NAME` and `$${NAME}` for an escaped dollar.
pub fn dollars(text: Mapped) -> Mapped {
    let bytes = text.text.as_bytes();
    let is_name =
        |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'{'));
    let doubled = text.text.match_indices("$$").map(|(at, _)| at).filter(|at| is_name(at + 2));
    let mut out = Mapped::opaque("", text.at);
    let mut done = 0;
    for at in doubled {
        out.append(&text.slice(done..at));
        done = at + 1;
    }
    if done == 0 {
        return text;
    }
    out.append(&text.slice(done..text.text.len()));
    out
}

/// The values of a mapping of variables or settings. `secret` says which secret a value names that is no plain text.
pub fn assignments(node: Option<Node>, scope: Scope, key: &str, secret: fn(Node) -> Option<String>) -> Vec<Assignment> {
    let mut found = Vec::new();
    for (name, value) in node.into_iter().flat_map(Node::entries) {
        if let Some(name) = name.str() {
            assign(name, value, scope, &format!("{key}.{name}"), secret, &mut found);
        }
    }
    found
}

fn assign(
    name: &str,
    value: Node,
    scope: Scope,
    key: &str,
    secret: fn(Node) -> Option<String>,
    found: &mut Vec<Assignment>,
) {
    if let Some(one) = secret(value) {
        let value_of = Value::Secret { names: vec![one], whole: true, derived: false };
        found.push(Assignment { name: name.to_string(), value: value_of, scope, at: value.at(), key: key.to_string() });
    } else if let Some(text) = value.str() {
        let one =
            Assignment { name: name.to_string(), value: plain(text), scope, at: value.at(), key: key.to_string() };
        found.push(one);
    } else {
        // Settings of a plugin may nest; what matters in them is which secrets they name.
        for (inner, node) in value.entries() {
            let inner = inner.str().unwrap_or("");
            assign(name, node, scope, &format!("{key}.{inner}"), secret, found);
        }
        for (index, node) in value.items().enumerate() {
            assign(name, node, scope, &format!("{key}[{index}]"), secret, found);
        }
    }
}

/// The entries of a list of named things or of a mapping: key, name, value.
pub fn named<'t>(node: Option<Node<'t>>, key: &str) -> Vec<(String, String, Node<'t>)> {
    let Some(node) = node else { return Vec::new() };
    let name =
        |node: Node, index: usize| node.get("name").and_then(Node::str).map_or(index.to_string(), str::to_string);
    let items = node.items().enumerate().map(|(index, item)| (format!("{key}[{index}]"), name(item, index), item));
    let entries = node.entries().filter_map(|(name, value)| {
        let name = name.str()?;
        Some((format!("{key}.{name}"), name.to_string(), value))
    });
    items.chain(entries).collect()
}

/// A text without expressions is what it says.
pub fn plain(text: &str) -> Value {
    if variable::is_variable(text) { Value::Expression(text.to_string()) } else { Value::Literal(text.to_string()) }
}

/// `NAME=VALUE` as an assignment.
pub fn pair(node: Node, scope: Scope, key: &str) -> Option<Assignment> {
    let text = node.text()?;
    let (name, value) = text.text.split_once('=')?;
    let at = text.place(name.len() + 1..text.text.len());
    Some(Assignment { name: name.to_string(), value: plain(value), scope, at, key: format!("{key}.{name}") })
}

/// `env` and `envFrom` of a container of a cluster. A whole set is a variable with the name of the set and the secret `*`.
/// <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables>
pub fn container_variables(container: Node, scope: Scope, key: &str) -> Vec<Assignment> {
    let mut found = Vec::new();
    for (index, one) in container.get("env").into_iter().flat_map(Node::items).enumerate() {
        let Some(name) = one.get("name").and_then(Node::str) else { continue };
        let key = format!("{key}.env[{index}]");
        if let Some(reference) = one.path(&["valueFrom", "secretKeyRef"]) {
            let part = |name: &str| reference.get(name).and_then(Node::str).unwrap_or("");
            let of = format!("{}/{}", part("name"), part("key"));
            found.push(secret(name, &of, scope, reference.at(), &key));
        } else if let Some(value) = one.get("value").filter(|value| value.is_scalar()) {
            let text = value.str().unwrap_or("");
            found.push(Assignment { name: name.to_string(), value: plain(text), scope, at: value.at(), key });
        }
    }
    for (index, one) in container.get("envFrom").into_iter().flat_map(Node::items).enumerate() {
        if let Some(set) = one.path(&["secretRef", "name"]) {
            let name = set.str().unwrap_or("");
            found.push(secret(name, "*", scope, set.at(), &format!("{key}.envFrom[{index}]")));
        }
    }
    found
}

/// A variable that holds one secret.
pub fn secret(name: &str, secret: &str, scope: Scope, at: Location, key: &str) -> Assignment {
    let value = Value::Secret { names: vec![secret.to_string()], whole: true, derived: false };
    Assignment { name: name.to_string(), value, scope, at, key: key.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;

    #[test]
    fn escaped_dollars_are_dollars() {
        let out = dollars(Mapped::verbatim("a $$X $${Y} $$ $Z", SourceId(0), 10));
        assert_eq!(out.text, "a $X ${Y} $$ $Z");
        assert_eq!(out.place(3..4).0.span.start, 14);
    }

    #[test]
    fn the_flags_of_a_shell_are_those_that_are_given() {
        let word = |text: &str| Mapped::verbatim(text, SourceId(0), 0);
        let call = |text: &str| {
            let words: Vec<Mapped> = text.split(' ').map(word).collect();
            shell_call(&words).map(|(shell, text)| (shell.errexit, shell.pipefail, shell.xtrace, text.text.clone()))
        };
        let want = |e, p, x, text: &str| Some((e, p, x, text.to_string()));
        assert_eq!(call("bash -c pytest"), want(false, false, false, "pytest"));
        assert_eq!(call("bash -ceu pytest"), want(true, false, false, "pytest"));
        assert_eq!(call("/bin/bash -exo pipefail -c pytest"), want(true, true, true, "pytest"));
        assert_eq!(call("sh run.sh"), None);
        assert_eq!(call("pip install x"), None);
    }
}
