//! Every text that a project writes under a name: variables, inputs, arguments of images, assignments and options of scripts, settings
//! files. What is a pin, a digest or a cache key is no such text. Judges nothing.

use super::value::{self, Strength};
use crate::model::container::{Instruction, Variable};
use crate::model::dialect::Dialect;
use crate::model::environment::EnvironmentKind;
use crate::model::pipeline::{Assignment, Job, StepKind, Value};
use crate::model::project::Project;
use crate::model::script::{Command, Redirect, Script, Word};
use crate::model::secrets::names;
use crate::model::source::Sources;
use crate::model::span::Location;
use crate::model::text::Text;
use std::collections::HashSet;

/// What holds a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A variable of a pipeline, a job or a step, or an input of a component.
    Pipeline,
    /// A throw-away service beside a job, or a database of a compose file.
    Service,
    /// `ARG` or `ENV`.
    Image,
    /// A command of a script.
    Script,
    /// A container, a test environment, a settings file.
    Environment,
    /// A settings file that is a sample.
    Sample,
}

/// A text under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The name.
    pub name: String,
    /// The text. Never printed.
    pub text: String,
    /// Where the text stands.
    pub at: Location,
    /// Structural key path.
    pub key: String,
    /// What holds it.
    pub place: Place,
    /// The system whose pipeline holds it, where one does.
    pub system: Option<&'static Dialect>,
}

/// Beginnings of variables by which images of databases and the like are set up.
const SERVICES: &[&str] = &[
    "POSTGRES",
    "MYSQL_",
    "MARIADB_",
    "MONGO",
    "RABBITMQ_",
    "REDIS_",
    "MINIO_",
    "OPENSEARCH_",
    "ELASTIC",
    "KEYCLOAK_",
    "KC_",
    "CLICKHOUSE_",
    "NEO4J_",
    "COUCHDB_",
    "MSSQL_",
    "SA_PASSWORD",
    "ACCEPT_EULA",
    "LOCALSTACK",
    "GRAFANA_",
    "GF_SECURITY_",
    "PGADMIN_",
    "INFLUXDB_",
    "DOCKER_INFLUXDB_",
    "ARANGO_",
    "VAULT_DEV_",
    "ORACLE_PASSWORD",
];

impl Project {
    /// Every text under a name that is wanted by its name and its place, in the order of the sources.
    pub fn literals(&self, wanted: &dyn Fn(&str, Location) -> bool) -> Vec<Literal> {
        let mut out = Out { sources: &self.sources, wanted, list: Vec::new(), system: None };
        for facts in &self.facts {
            for pipeline in facts.pipelines.iter().chain(&facts.components) {
                out.system = Some(pipeline.system);
                out.assignments(&pipeline.env, Place::Pipeline);
                pipeline.jobs.iter().for_each(|job| out.job(job));
            }
            out.system = None;
            for environment in &facts.environments {
                let sample = is_sample(self.path(environment.at));
                for one in &environment.assignments {
                    let database = SERVICES.iter().any(|lead| one.name.starts_with(lead));
                    let place = match environment.kind {
                        _ if sample => Place::Sample,
                        EnvironmentKind::Compose if database => Place::Service,
                        EnvironmentKind::BuildArguments => Place::Image,
                        _ => Place::Environment,
                    };
                    out.assignments(std::slice::from_ref(one), place);
                }
            }
            for build in &facts.builds {
                build.args.iter().for_each(|variable| out.variable(variable));
                for instruction in build.stages.iter().flat_map(|stage| &stage.instructions) {
                    match instruction {
                        Instruction::Arg(variable) | Instruction::Env(variable) => out.variable(variable),
                        Instruction::Run { script, .. } => out.script(script, "RUN"),
                        _ => {}
                    }
                }
            }
            facts.scripts.iter().for_each(|(name, script)| out.script(script, name));
        }
        out.list
    }
}

impl Project {
    /// Every text that is a secret by its name and by itself.
    pub fn written_secrets(&self) -> &[(Literal, Strength)] {
        self.derived.written.get_or_init(|| self.find_secrets())
    }

    fn find_secrets(&self) -> Vec<(Literal, Strength)> {
        let mut found: Vec<(Literal, Strength)> = Vec::new();
        let mut seen = HashSet::new();
        for literal in self.literals(&|name, _| names::holds_secret(name)) {
            let strength = value::strength(&literal.name, &literal.text);
            // One anchor may stand in many places.
            if strength != Strength::Weak && seen.insert(literal.at) {
                found.push((literal, strength));
            }
        }
        found
    }
}

/// `.env.example` and its kind: copied by people, used by nobody.
fn is_sample(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let parts: Vec<&str> = name.split(['.', '-', '_']).collect();
    parts.iter().any(|part| {
        matches!(*part, "example" | "sample" | "template" | "dist" | "tmpl" | "tpl" | "default" | "defaults")
    })
}

struct Out<'p> {
    sources: &'p Sources,
    wanted: &'p dyn Fn(&str, Location) -> bool,
    list: Vec<Literal>,
    system: Option<&'static Dialect>,
}

impl<'p> Out<'p> {
    fn push(&mut self, name: &str, text: &str, at: Location, key: &str, place: Place) {
        if !(self.wanted)(name, at) {
            return;
        }
        let system = self.system;
        let literal =
            Literal { name: name.to_string(), text: text.to_string(), at, key: key.to_string(), place, system };
        self.list.push(literal);
    }

    fn job(&mut self, job: &'p Job) {
        self.assignments(&job.env, Place::Pipeline);
        self.assignments(&job.inputs, Place::Pipeline);
        job.services.iter().for_each(|service| self.assignments(&service.env, Place::Service));
        for step in &job.steps {
            self.assignments(&step.env, Place::Pipeline);
            match &step.kind {
                StepKind::Run(script) => self.script(script, &step.key),
                StepKind::Uses { inputs, .. } => self.assignments(inputs, Place::Pipeline),
                StepKind::Other => {}
            }
        }
    }

    fn assignments(&mut self, list: &[Assignment], place: Place) {
        for one in list {
            match &one.value {
                Value::Literal(text) => self.named(&one.name, text, one.at, &one.key, place),
                // What stands in for a variable that is not set is written here.
                Value::Expression(text) if default_of(text).len() < text.len() => {
                    self.named(&one.name, text, one.at, &one.key, place);
                }
                _ => {}
            }
        }
    }

    fn variable(&mut self, variable: &Variable) {
        if let Some(text) = &variable.value {
            self.named(&variable.name, &text.text, text.at, &variable.name, Place::Image);
        }
    }

    /// A text and what it holds under names of its own: lines `NAME=value`, parts of connection strings.
    fn named(&mut self, name: &str, text: &str, at: Location, key: &str, place: Place) {
        if !text.contains('\n') {
            let text = default_of(text);
            self.push(name, text, self.place(at, text), key, place);
        }
        for part in text.split(['\n', ';']) {
            if part.len() < text.len() {
                self.pair(part.trim(), at, key, place);
            }
        }
    }

    /// `NAME=value`, `name: value`.
    fn pair(&mut self, part: &str, at: Location, key: &str, place: Place) {
        let part = part.strip_prefix("export ").unwrap_or(part);
        let Some(end) = part.find(['=', ':']) else { return };
        let name = part[..end].trim_matches(|c: char| c == '"' || c == '\'' || c.is_whitespace());
        let text = part[end + 1..].trim();
        let text = text.split_once(" #").map_or(text, |(text, _)| text.trim_end());
        let text = text.trim_matches(['"', '\'', ',']);
        let is_name =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if is_name && !text.is_empty() {
            self.push(name, text, self.place(at, text), key, place);
        }
    }

    /// Where a part stands: exactly, when the source holds it as it is.
    fn place(&self, at: Location, part: &str) -> Location {
        let found = self.sources.text(at).find(part).filter(|_| !part.is_empty());
        found.map_or(at, |start| at.slice(start..start + part.len()))
    }

    fn script(&mut self, script: &Script, key: &str) {
        for command in &script.commands {
            for (name, text) in &command.assigns {
                self.push(name, &text.text, text.at, key, Place::Script);
            }
            self.words(command, key);
            for redirect in &command.redirects {
                self.document(redirect, key);
            }
        }
    }

    /// `NAME=value` and `--password value` among the words, `user:password` of curl, headers.
    fn words(&mut self, command: &Command, key: &str) {
        let words = &command.words;
        let program = words.first().map_or("", |word| word.text.text.as_str());
        for (index, word) in words.iter().enumerate() {
            let text = word.text.text.as_str();
            let next = words.get(index + 1);
            let option = text.starts_with("--") && !text.contains('=');
            match (option, next) {
                (true, Some(next)) if !next.text.text.starts_with('-') => {
                    self.word(text.trim_start_matches('-'), next, 0..next.text.text.len(), key);
                }
                _ => {}
            }
            if let Some(equals) = text.find('=').filter(|_| index > 0) {
                let name = text[..equals].trim_start_matches('-');
                let is_name =
                    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
                if is_name {
                    self.word(name, word, equals + 1..text.len(), key);
                }
            }
            if let Some(start) = header(text) {
                self.word("authorization token", word, start..text.len(), key);
            }
            let login = matches!(text, "-u" | "--user") && matches!(program.rsplit('/').next(), Some("curl"));
            if let Some(next) = next.filter(|_| login) {
                let text = &next.text.text;
                text.find(':').into_iter().for_each(|colon| self.word("password", next, colon + 1..text.len(), key));
            }
        }
    }

    fn word(&mut self, name: &str, word: &Word, part: std::ops::Range<usize>, key: &str) {
        let text: &Text = &word.text;
        self.push(name, &text.text[part.clone()], text.place(part), key, Place::Script);
    }

    /// The lines of a here-document.
    fn document(&mut self, redirect: &Redirect, key: &str) {
        if redirect.operator.starts_with("<<") {
            for line in redirect.target.text.text.lines() {
                self.pair(line.trim(), redirect.target.text.at, key, Place::Script);
            }
        }
    }
}

/// What `${NAME:-text}` falls back to; any other text is itself.
fn default_of(text: &str) -> &str {
    let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let Some(inner) = inner.filter(|inner| !inner.contains('{')) else { return text };
    inner.split_once(":-").or_else(|| inner.split_once('-')).map_or(text, |(_, text)| text)
}

/// Where the credential of an HTTP header begins: `Authorization: Bearer x`, `X-Api-Key: x`, `PRIVATE-TOKEN: x`.
fn header(text: &str) -> Option<usize> {
    let colon = text.find(':')?;
    let name = text[..colon].to_ascii_lowercase();
    let known = matches!(
        name.as_str(),
        "authorization"
            | "proxy-authorization"
            | "x-api-key"
            | "api-key"
            | "private-token"
            | "job-token"
            | "x-auth-token"
            | "x-vault-token"
            | "deploy-token"
    );
    if !known {
        return None;
    }
    let rest = text[colon + 1..].trim_start();
    let start = text.len() - rest.len();
    let schemes = ["bearer ", "token ", "basic ", "apikey "];
    let scheme = schemes.iter().find(|scheme| rest.to_ascii_lowercase().starts_with(**scheme));
    Some(start + scheme.map_or(0, |scheme| scheme.len()))
}

impl Literal {
    /// Whether it covers these bytes of its source.
    pub fn covers(&self, at: Location) -> bool {
        self.at.source == at.source && self.at.span.contains(at.span)
    }
}
