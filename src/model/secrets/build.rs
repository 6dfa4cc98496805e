//! Which secrets a command of an image build can read from its environment. Knows names only, and no Dockerfile syntax.

use super::expansion::expands;
use super::names::looks_secret;
use super::{Reach, Readable};
use crate::model::container::{ContainerBuild, Instruction, Stage, Variable};
use crate::model::project::Project;
use crate::model::script::{Command, Script};
use crate::model::span::Location;
use crate::model::text::Text;

/// Whether an argument of a build holds a secret by its name, and its default is none that says otherwise.
pub fn is_secret(variable: &Variable) -> bool {
    let harmless = |value: &str| {
        let value = value.trim_matches(['"', '\'']);
        let word = value.to_ascii_lowercase();
        value.is_empty()
            || value.parse::<f64>().is_ok()
            || matches!(word.as_str(), "true" | "false" | "none" | "yes" | "no" | "off" | "on")
    };
    looks_secret(&variable.name) && !variable.value.as_ref().is_some_and(|value| harmless(&value.text))
}

impl Project {
    /// Every secret in the environment of a `RUN`: arguments of its stage and of the stages that it builds on, variables made of them, and
    /// secrets that it mounts as a variable. Secrets that the configuration allows anywhere are left out.
    pub fn secrets_in_build(&self, build: &ContainerBuild, script: &Script) -> Vec<Readable> {
        let mut found = Vec::new();
        let Some((stage, index)) = place(build, script) else { return found };
        if let Instruction::Run { mounts, .. } = &build.stages[stage].instructions[index] {
            found.extend(mounts.iter().filter_map(mounted));
        }
        let mut chain = vec![(stage, index)];
        while let Some(parent) = chain.last().and_then(|(stage, _)| build.stages[*stage].parent) {
            // A stage builds on an earlier one, so this ends.
            if chain.iter().any(|(known, _)| *known == parent) {
                break;
            }
            chain.push((parent, build.stages[parent].instructions.len()));
        }
        for (stage, end) in chain {
            variables(&build.stages[stage], stage, end, &mut found);
        }
        found.retain(|one| self.worst(one.secrets.iter().map(String::as_str)) > super::Harm::None);
        found
    }
}

/// A secret that a `RUN` mounts as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    /// Its id.
    pub id: String,
    /// Where it stands in the container.
    pub path: String,
    /// Where it is mounted.
    pub at: Location,
}

impl SecretFile {
    /// Whether a command puts the text of the file into its words: `$(cat FILE)`, `$(< FILE)`.
    pub fn pasted(&self, command: &Command) -> bool {
        let reads = |text: &Text| {
            ["$(cat ", "`cat ", "$(<", "$(head -n1 "].iter().any(|lead| {
                text.text.match_indices(lead).any(|(at, _)| {
                    let rest = text.text[at + lead.len()..].trim_start().trim_start_matches(['"', '\'']);
                    let rest = rest.strip_prefix(self.path.as_str());
                    rest.is_some_and(|rest| rest.starts_with([')', '`', ' ', '"', '\'']))
                })
            })
        };
        let words = command.words.iter().filter(|word| word.expands).map(|word| &word.text);
        words.chain(command.assigns.iter().map(|(_, text)| text)).any(reads)
    }

    /// Whether a command names the file.
    pub fn named(&self, command: &Command) -> bool {
        let ends = |rest: &str| rest.is_empty() || rest.starts_with([')', '`', ' ', '"', '\'']);
        command.words.iter().any(|word| {
            let text = &word.text.text;
            text.match_indices(self.path.as_str()).any(|(at, found)| ends(&text[at + found.len()..]))
        })
    }
}

/// The secrets that the `RUN` of a script mounts as files. <https://docs.docker.com/reference/dockerfile/#run---mounttypesecret>
pub fn secret_files(build: &ContainerBuild, script: &Script) -> Vec<SecretFile> {
    let Some((stage, index)) = place(build, script) else { return Vec::new() };
    let Instruction::Run { mounts, .. } = &build.stages[stage].instructions[index] else { return Vec::new() };
    let file = |mount: &Text| {
        let part =
            |name: &str| mount.text.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let target = part("target").or_else(|| part("dst")).or_else(|| part("destination"));
        let id = part("id").or_else(|| target?.rsplit('/').next())?;
        let variable = part("env").is_some() && target.is_none();
        (mount.text.contains("type=secret") && !variable).then(|| SecretFile {
            id: id.to_string(),
            path: target.map_or_else(|| format!("/run/secrets/{id}"), str::to_string),
            at: mount.at,
        })
    };
    mounts.iter().filter_map(file).collect()
}

/// The plain value that `ENV` gives to a variable before a `RUN`, its own stage and those that it builds on.
pub fn env<'p>(build: &'p ContainerBuild, script: &Script, name: &str) -> Option<&'p Variable> {
    let (mut stage, mut end) = place(build, script)?;
    loop {
        let before = build.stages[stage].instructions.iter().take(end).rev();
        let found = before.filter_map(|one| match one {
            Instruction::Env(variable) if variable.name == name => Some(variable),
            _ => None,
        });
        if let Some(found) = found.into_iter().next() {
            return Some(found);
        }
        // A stage builds on an earlier one, so this ends.
        let parent = build.stages[stage].parent.filter(|parent| *parent < stage)?;
        (stage, end) = (parent, build.stages[parent].instructions.len());
    }
}

fn place(build: &ContainerBuild, script: &Script) -> Option<(usize, usize)> {
    build.stages.iter().enumerate().find_map(|(number, stage)| {
        let runs = |instruction: &Instruction| matches!(instruction, Instruction::Run { script: own, .. } if std::ptr::eq(own, script));
        stage.instructions.iter().position(runs).map(|index| (number, index))
    })
}

/// `ARG TOKEN`, and `ENV X=$TOKEN`.
fn variables(stage: &Stage, number: usize, end: usize, found: &mut Vec<Readable>) {
    for (index, instruction) in stage.instructions.iter().enumerate().take(end) {
        let (variable, secret) = match instruction {
            Instruction::Arg(variable) if is_secret(variable) => (variable, variable.name.clone()),
            Instruction::Env(variable) => {
                let value = variable.value.as_ref().map_or("", |value| value.text.as_str());
                let Some(source) = found.iter().find(|one| expands(value, &one.variable)) else { continue };
                (variable, source.secrets.join(" "))
            }
            _ => continue,
        };
        if found.iter().any(|one| one.variable == variable.name) {
            continue;
        }
        let key = format!("stages[{number}].instructions[{index}]");
        found.push(readable(&variable.name, secret, variable.at, key));
    }
}

/// `--mount=type=secret,id=x,env=NAME`.
fn mounted(mount: &Text) -> Option<Readable> {
    let part = |name: &str| mount.text.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let name = part("env").filter(|_| mount.text.contains("type=secret"))?;
    Some(readable(name, part("id").unwrap_or(name).to_string(), mount.at, String::new()))
}

fn readable(variable: &str, secret: String, at: Location, key: String) -> Readable {
    Readable {
        variable: variable.to_string(),
        secrets: vec![secret],
        reach: Reach::Job,
        at,
        key,
        whole: true,
        short_lived: false,
    }
}
