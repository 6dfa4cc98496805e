//! `noxfile.py`: what sessions install and run, as far as it is written literally. Runs no Python.
//!
//! Source: nox's documentation, "Configuration & API".

use super::requires::{Collector, Place, script_block};
use super::{Claim, Format, by_path};
use crate::ecosystems::conda;
use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::manifest::{Group, Manifest, ManifestKind};
use crate::model::pipeline::{Assignment, Scope};
use crate::model::reference::Role;
use crate::model::script::{Command, Deed, Enforcement, InstallTool, Script, Shell, Word};
use crate::model::secrets::handed;
use crate::model::source::{Source, Sources};
use crate::model::text::{Mapped, Text};
use crate::syntax::python::{self, Call, Function, Module, Value};
use crate::tools;

/// The format.
pub static FORMAT: Format = Format { name: "noxfile", claims, sniff: by_path, read };

fn claims(path: &str) -> Claim {
    if path.rsplit('/').next() == Some("noxfile.py") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let module = python::read(&Mapped::verbatim(source.text.as_str(), source.id, 0));
    let mut to = Collector { facts, manifest: Manifest::new(ManifestKind::Nox, source.whole()) };
    script_block(source, &mut to);
    let sessions: Vec<(usize, Text)> = module.functions.iter().enumerate().filter_map(session).collect();
    default_entry(&module, &sessions, source, &mut to);
    for (index, name) in &sessions {
        pythons(&module.functions[*index], &mut to);
        to.manifest.entry_points.push(name.text.clone());
        let mut reader = Session { name, group: Group::Named(name.text.clone()), source, commands: Vec::new() };
        for call in module.calls.iter().filter(|call| call.function == Some(*index)) {
            reader.call(call, &mut to);
        }
        let shell = Shell::ERREXIT;
        let script = Script { at: name.at, shell, commands: reader.commands, cwd: source.folder().to_string() };
        to.facts.scripts.push((name.text.clone(), script));
    }
    to.finish();
}

/// A function with the decorator `nox.session`, by the name that it gets.
fn session((index, function): (usize, &Function)) -> Option<(usize, Text)> {
    let decorator = function.decorators.iter().find(|call| is_session(&call.name))?;
    let named = decorator.keyword("name").and_then(|values| values.first()).and_then(Value::literal);
    Some((index, named.unwrap_or(&function.name).clone()))
}

fn is_session(name: &str) -> bool {
    matches!(name, "nox.session" | "session" | "nox_session" | "nox_poetry.session" | "nox_uv.session")
}

/// Without `-s`, nox runs `nox.options.sessions`, or all of them: the script without a name stands for that.
fn default_entry(module: &Module, sessions: &[(usize, Text)], source: &Source, to: &mut Collector) {
    let Some((_, first)) = sessions.first() else { return };
    let chosen = module.constants.get("nox.options.sessions");
    let chosen: Vec<String> = match chosen {
        Some(values) => values.iter().filter_map(Value::literal).map(|text| text.text.clone()).collect(),
        None => sessions.iter().map(|(_, name)| name.text.clone()).collect(),
    };
    let commands = vec![tools::runs(first.at, "nox", chosen)];
    let script = Script { at: source.whole(), shell: Shell::ERREXIT, commands, cwd: source.folder().to_string() };
    to.facts.scripts.push((String::new(), script));
}

fn pythons(function: &Function, to: &mut Collector) {
    let values = function.decorators.iter().filter_map(|call| call.keyword("python")).flatten().filter_map(Value::literal);
    let dotted = values.filter(|text| text.text.starts_with(|c: char| c.is_ascii_digit()) && text.text.contains('.'));
    to.manifest.python_versions.extend(dotted.cloned());
}

struct Session<'a> {
    name: &'a Text,
    group: Group,
    source: &'a Source,
    commands: Vec<Command>,
}

impl Session<'_> {
    fn call(&mut self, call: &Call, to: &mut Collector) {
        let Some((object, method)) = call.name.rsplit_once('.') else { return };
        if !matches!(object, "session" | "s" | "session.poetry") {
            return;
        }
        match method {
            "install" => self.install(call, to),
            "conda_install" => self.conda(call, to),
            "run" | "run_always" | "run_install" => self.run(call, to),
            "notify" => self.commands.push(tools::runs(call.at, "nox", literals(call).map(|text| text.text.clone()).collect())),
            _ => {}
        }
    }

    fn key(&self) -> String {
        format!("{}.install", self.name.text)
    }

    /// What pip takes: packages are requirements of the session; the project itself is an install.
    fn install(&mut self, call: &Call, to: &mut Collector) {
        let key = self.key();
        let place = Place { role: Role::Dev, group: &self.group, key: &key };
        let mut found = tools::install(InstallTool::Pip, Enforcement::NoLock);
        let mut args = call.args.iter().peekable();
        while let Some(value) = args.next() {
            let Some(text) = value.literal() else {
                unseen(value.text(), to);
                continue;
            };
            let option = text.text.as_str();
            match option {
                "-r" | "--requirement" | "-c" | "--constraint" => {
                    if let Some(path) = args.next_if(|next| next.literal().is_some()) {
                        to.include(path.text().clone(), option.contains('c'), &self.group);
                    }
                }
                "-e" | "--editable" => found.projects.extend(args.next().map(|value| word(value.text()))),
                _ if VALUES.contains(&option) => drop(args.next()),
                _ if option.starts_with(['.', '/']) => found.projects.push(word(text)),
                _ => to.pip_line(text, place),
            }
        }
        if !found.projects.is_empty() {
            let mut command = tools::runs(call.at, "", Vec::new());
            command.deeds = vec![Deed::Install(found)];
            self.commands.push(command);
        }
    }

    fn conda(&mut self, call: &Call, to: &mut Collector) {
        let key = self.key();
        for text in literals(call).filter(|text| !text.text.starts_with('-')) {
            match conda::requirement(text, Role::Dev, &key) {
                Ok(reference) => to.push(reference, &self.group),
                Err(why) => to.refused(text, &why),
            }
        }
    }

    /// A command: its words are known without a shell.
    fn run(&mut self, call: &Call, to: &mut Collector) {
        let words = call.args.iter().map(|value| match value {
            Value::Literal(text) => text.clone(),
            Value::Unseen(text) => Text { text: format!("${{{}}}", text.text), at: text.at, verbatim: false },
        });
        let words: Vec<Text> = words.collect();
        let key = format!("{}.run[{}]", self.name.text, self.commands.len());
        self.variables(call, &key, to);
        if words.is_empty() {
            return;
        }
        let script = tools::read_words(words, call.at, self.source.folder(), &key, to.facts);
        self.commands.extend(script.commands);
    }
}

impl Session<'_> {
    /// `env=` of a call: names that it takes from the environment outside, or all of it.
    fn variables(&self, call: &Call, key: &str, to: &mut Collector) {
        let mut assignments = Vec::new();
        for value in call.keyword("env").into_iter().flatten() {
            let Value::Unseen(text) = value else { continue };
            let mut push = |name: &str, value| {
                let (name, key) = (name.to_string(), format!("{key}.env.{name}"));
                assignments.push(Assignment { name, value, scope: Scope::Container, at: text.at, key });
            };
            if hands_everything(&text.text) {
                push("*", handed::set("*"));
            }
            taken(&text.text).into_iter().for_each(|name| push(name, handed::by_name(name)));
        }
        if !assignments.is_empty() {
            let (kind, name) = (EnvironmentKind::Nox, self.name.text.clone());
            to.facts.environments.push(Environment { kind, name, at: call.at, assignments });
        }
    }
}

/// `os.environ`, `os.environ.copy()`, `{**os.environ, …}`, `dict(os.environ)`: the whole environment outside.
fn hands_everything(text: &str) -> bool {
    text.match_indices("os.environ").any(|(at, found)| {
        let rest = text[at + found.len()..].trim_start();
        !rest.starts_with('[') && !rest.starts_with(".get") && !rest.starts_with(".pop")
    })
}

/// Names in `os.environ["X"]`, `os.environ.get("X")`, `os.getenv("X")`.
fn taken(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for lead in ["os.environ[", "os.environ.get(", "os.getenv("] {
        for (at, _) in text.match_indices(lead) {
            let rest = text[at + lead.len()..].trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            names.extend(rest[1..].split(quote).next());
        }
    }
    names
}

/// Options of pip with a value that is no package.
const VALUES: [&str; 14] = [
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "--prefix", "--no-binary", "--only-binary",
    "--group", "--config-settings", "-C", "--upgrade-strategy",
];

fn literals(call: &Call) -> impl Iterator<Item = &Text> {
    call.args.iter().filter_map(Value::literal)
}

/// Arguments from the command line, and groups that nox reads from pyproject.toml itself, say nothing here.
fn unseen(text: &Text, to: &mut Collector) {
    let known = ["posargs", "dependency_groups", "load_toml", "project[", "PYPROJECT"];
    if !known.iter().any(|part| text.text.contains(part)) {
        to.facts.problem(ProblemKind::Opaque, text.at, "an expression decides what this session installs");
    }
}

fn word(text: &Text) -> Word {
    Word { text: text.clone(), expands: text.text.contains('{'), quoted: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    const TEXT: &str = "import nox

nox.options.sessions = [\"lint\"]
DEPS = [\"pytest>=8\", \"coverage\"]

@nox.session(python=[\"3.11\", \"3.12\"])
@nox.parametrize(\"dj\", [\"4\", \"5\"])
def tests(session, dj):
    session.install(*DEPS, f\"django=={dj}\")
    session.install(\"-r\", \"requirements/test.txt\", \"-c\", \"c.txt\", \"-e\", \".[test]\")
    session.install(\"--index-url\", \"https://x\", extra)
    session.run(\"pytest\", \"-q\", *session.posargs)
    session.notify(\"cov\")

@nox.session(name=\"lint\", venv_backend=\"uv\")
def _lint(session: nox.Session) -> None:
    session.install(\"ruff==0.5.0\")
    session.run(\"ruff\", \"check\", \".\")
    session.run_always(\"pip\", \"install\", \"x\")

def helper(session):
    session.install(\"no\")
";

    #[test]
    fn sessions_install_and_run() {
        let facts = facts_of(&FORMAT, "noxfile.py", TEXT);
        assert_eq!(names(&facts), ["pytest:>=8", "coverage", "django:=={dj}", "ruff:==0.5.0", "x"]);
        assert_eq!(facts.references[2].strength, None);
        assert_eq!(&TEXT[facts.references[0].site.version.unwrap().at.span.range()], ">=8");
        let manifest = &facts.manifests[0];
        assert_eq!(manifest.entry_points, ["tests", "lint"]);
        assert_eq!(manifest.includes.len(), 2);
        assert_eq!(manifest.entries.len(), 4);
        assert_eq!(manifest.python_versions[1].text, "3.12");
        let scripts: Vec<&str> = facts.scripts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(scripts, ["", "tests", "lint"]);
        let tests = &facts.scripts[1].1.commands;
        assert!(matches!(&tests[0].deeds[0], Deed::Install(install) if install.projects[0].text.text == ".[test]"));
        assert!(matches!(&tests[1].deeds[0], Deed::Check { tool, .. } if tool == "pytest"));
        assert!(matches!(&facts.scripts[0].1.commands[0].deeds[0], Deed::RunEntry { entries, .. } if entries == &["lint"]));
        assert_eq!(facts.problems.len(), 1);
    }
}
