//! Steps: scripts with the secrets bound around them, images, kept files. Blocks of any name are gone into.

use super::agent::piece;
use super::environment::{self, secrets_in};
use super::moves;
use super::stage::{Around, Reader};
use crate::model::pipeline::{Artifact, Assignment, Job, Phase, Scope, Setting, Step, StepKind, Value as Is};
use crate::model::reference::Role;
use crate::model::script::{Language, Shell};
use crate::model::source::join;
use crate::model::span::Location;
use crate::model::text::Mapped;
use crate::syntax::groovy::{Argument, Call, Item, Str, Value};
use crate::tools;

/// How deep blocks are gone into.
const MAX_DEPTH: usize = 60;

/// `sh` runs `sh -xe`: every command is printed with its values.
const SH: Shell = Shell { language: Language::Posix, errexit: true, pipefail: false, xtrace: true };

impl<'r> Reader<'r> {
    /// Reads statements into a job.
    pub fn steps(&mut self, items: &[Item], around: &Around<'_>, job: &mut Job) {
        self.depth += 1;
        if self.depth < MAX_DEPTH {
            for (index, item) in items.iter().enumerate() {
                let key = if around.key.is_empty() { format!("[{index}]") } else { format!("{}[{index}]", around.key) };
                match item {
                    _ if self.methods.defines(item) => {}
                    Item::Call(call) => self.step(call, &key, around, job),
                    Item::Assign(name, _, value) => {
                        self.value(value, &key, around, job);
                        match self.text(value) {
                            Some(text) => self.texts.insert(name.clone(), text),
                            None => self.texts.remove(name),
                        };
                    }
                }
            }
        }
        self.depth -= 1;
    }

    /// Calls and blocks inside of a value.
    fn value(&mut self, value: &Value, key: &str, around: &Around<'_>, job: &mut Job) {
        match value {
            Value::Call(call) => self.step(call, key, around, job),
            Value::Block(items) => self.steps(items, &Around { key: key.to_string(), ..around.clone() }, job),
            Value::List(list) => list.iter().for_each(|argument| self.value(&argument.value, key, around, job)),
            Value::Joined(list) => list.iter().for_each(|value| self.value(value, key, around, job)),
            Value::Text(_) | Value::Word(..) => {}
        }
    }

    fn step(&mut self, call: &Call, key: &str, around: &Around<'_>, job: &mut Job) {
        let mut inner = Around { key: format!("{key}.{}", call.name), ..around.clone() };
        match call.name.as_str() {
            "sh" | "bat" | "powershell" | "pwsh" => return self.script(call, key, around, job),
            "echo" | "println" | "print" => return self.said(call, key, around, job),
            "junit" | "archiveArtifacts" | "xunit" | "publishHTML" => return artifact(call, around, job),
            "recordIssues" | "recordCoverage" | "publishCoverage" | "stash" => {
                let paths = patterns(&call.arguments);
                job.artifacts.push(Artifact { at: call.at, paths, report: false, on_failure: around.on_failure });
                return;
            }
            "dir" => {
                let folder = call.first().and_then(Value::says).unwrap_or(".");
                inner.cwd = join(&around.cwd, folder).unwrap_or_else(|| folder.to_string());
            }
            "withCredentials" => inner.bound.extend(environment::bindings(call, Scope::Step, &inner.key)),
            "withEnv" => {
                let secrets = self.known(around, job);
                inner.bound.extend(environment::with_env(call, Scope::Step, &inner.key, &secrets));
            }
            "catchError" => inner.caught = kept_green(call).or(inner.caught),
            "retry" => {
                if let Some(times) = call.first().and_then(Value::says).and_then(|text| text.parse::<u32>().ok()) {
                    job.retry = Setting::Plain(times.saturating_sub(1), call.at);
                }
            }
            "docker.image" => {
                if let Some(text) = call.first().and_then(Value::text) {
                    let ids = self.image(&piece(text), Role::CiImage, &inner.key);
                    job.images.extend(ids.into_iter().filter(|id| !job.images.contains(id)).collect::<Vec<_>>());
                }
            }
            "containerTemplate" => {
                if let Some(text) = call.named("image").and_then(Value::text) {
                    let ids = self.image(&piece(text), Role::CiImage, &format!("{}.image", inner.key));
                    job.images.extend(ids);
                }
            }
            _ => {}
        }
        for argument in &call.arguments {
            self.value(&argument.value, &inner.key, &inner, job);
        }
        match (&call.block, self.methods.enter(&call.name)) {
            (Some(block), _) => self.steps(block, &inner, job),
            (None, Some(body)) => {
                self.steps(body, &inner, job);
                self.methods.leave(&call.name);
            }
            (None, None) => {}
        }
    }

    /// Names of variables that hold secrets at a step.
    fn known(&self, around: &Around<'_>, job: &Job) -> Vec<String> {
        let mut names = self.secrets.clone();
        names.extend(environment::secret_names(&around.bound));
        names.extend(environment::secret_names(&job.env));
        names
    }

    fn script(&mut self, call: &Call, key: &str, around: &Around<'_>, job: &mut Job) {
        let value = call.named("script").or_else(|| call.first());
        let joined = value.and_then(|value| self.text(value));
        let Some(text) = joined.as_ref().or_else(|| value.and_then(first_text)) else { return };
        // Without a first line of its own, the script is run by `sh -xe`.
        let posix = if text.text.text.starts_with("#!") { Shell::PLAIN } else { SH };
        let shell = match call.name.as_str() {
            "sh" => posix,
            "bat" => Shell { language: Language::Cmd, ..Shell::PLAIN },
            _ => Shell { language: Language::PowerShell, errexit: true, ..Shell::PLAIN },
        };
        let key = format!("{key}.{}", call.name);
        let place = (text.text.at, around.cwd.clone());
        let script = match self.scripts.get(&place) {
            Some(script) => script.clone(),
            None => tools::read_script(&text.text, shell, &around.cwd, &key, self.facts),
        };
        self.scripts.insert(place, script.clone());
        let name = text.text.text.trim().lines().next().unwrap_or("").to_string();
        let mut step = Step::new(name, &key, call.at, StepKind::Run(script));
        step.env.clone_from(&around.bound);
        step.pasted = self.pasted(text, &key, around, job);
        let asked = ["returnStatus"].iter().any(|name| call.named(name).and_then(Value::says) == Some("true"));
        step.tolerated = match around.caught {
            Some(at) => Setting::Plain(true, at),
            // The program looks at the code, or does not.
            None if asked => Setting::Computed(call.at),
            None => Setting::Absent,
        };
        step.phase = if around.after { Phase::After } else { Phase::Main };
        if let Some(text) = value.and_then(first_text).filter(|first| first.text == text.text) {
            moves::note_step(self.facts, &self.sources.get(call.at.source).text, call, text, &step);
        }
        job.steps.push(step);
    }

    /// A value that is text: a string, a variable that was set to one, or several of them with `+` between them. What is put in and
    /// cannot be told stands as `${name}`.
    fn text(&self, value: &Value) -> Option<Str> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Word(name, _) => self.texts.get(name).cloned(),
            Value::Joined(list) => {
                let plus = list.windows(2).all(|two| match (place(&two[0]), place(&two[1])) {
                    (Some(first), Some(second)) if first.span.end <= second.span.start => {
                        let between = &self.sources.get(first.source).text[first.span.end as usize..second.span.start as usize];
                        between.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"')) == "+"
                    }
                    _ => false,
                });
                let mut parts = list.iter().filter(|_| plus).map(|value| match value {
                    Value::Word(name, at) => Some(self.texts.get(name).cloned().unwrap_or_else(|| unknown(name, *at))),
                    other => self.text(other),
                });
                let mut all = parts.next()??;
                for part in parts {
                    let part = part?;
                    let base = all.text.text.len();
                    all.text.append(&part.text);
                    all.puts_in.extend(part.puts_in.into_iter().map(|(range, name)| (range.start + base..range.end + base, name)));
                    if all.text.at.source == part.text.at.source && all.text.at.span.start <= part.text.at.span.start {
                        all.text.at = Location::new(all.text.at.source, all.text.at.span.to(part.text.at.span));
                    }
                }
                Some(all)
            }
            Value::Call(_) | Value::Block(_) | Value::List(_) => None,
        }
    }

    /// `echo "${env.getEnvironment()}"` prints every variable; other texts are looked into for calls like any value.
    fn said(&mut self, call: &Call, key: &str, around: &Around<'_>, job: &mut Job) {
        let text = call.named("message").or_else(|| call.first()).and_then(first_text);
        let whole = |text: &&Str| text.puts_in.iter().any(|(_, expression)| expression.replace(' ', "") == "env.getEnvironment()");
        let Some(text) = text.filter(whole) else {
            return call.arguments.iter().for_each(|argument| self.value(&argument.value, key, around, job));
        };
        let script = tools::dump("env.getEnvironment()", text.text.at, SH);
        let mut step = Step::new("env.getEnvironment()", format!("{key}.{}", call.name), call.at, StepKind::Run(script));
        step.env.clone_from(&around.bound);
        job.steps.push(step);
    }

    /// Secrets that the program puts into the text of a script.
    fn pasted(&self, text: &Str, key: &str, around: &Around<'_>, job: &Job) -> Vec<Assignment> {
        let known = self.known(around, job);
        let assignment = |(part, expression): &(std::ops::Range<usize>, String)| {
            let one = Str { text: text.text.clone(), puts_in: vec![(part.clone(), expression.clone())] };
            let names = secrets_in(&one, &known);
            let value = match names.is_empty() {
                true => Is::Expression(text.text.text[part.clone()].to_string()),
                false => Is::Secret { names, whole: true, derived: false },
            };
            Assignment { name: "script".to_string(), value, scope: Scope::Step, at: text.text.place(part.clone()).0, key: key.to_string() }
        };
        text.puts_in.iter().map(assignment).collect()
    }

    /// `post`: what runs after the stages, by condition.
    pub fn post(&mut self, post: &Call, key: &str, around: &Around<'_>, job: &mut Job) {
        for part in post.calls() {
            let on_failure = matches!(part.name.as_str(), "always" | "failure" | "unsuccessful" | "unstable" | "cleanup" | "regression");
            let inner = Around { key: format!("{key}.{}", part.name), after: true, on_failure, ..around.clone() };
            self.steps(part.block.as_deref().unwrap_or(&[]), &inner, job);
        }
    }
}

/// Where `catchError` says that the build stays green: by default it fails all the same, and `warnError` makes it unstable, which is not green.
/// <https://github.com/jenkinsci/workflow-basic-steps-plugin/blob/master/src/main/java/org/jenkinsci/plugins/workflow/steps/CatchErrorStep.java>
fn kept_green(call: &Call) -> Option<Location> {
    match call.named("buildResult")? {
        Value::Text(text) if text.text.text == "SUCCESS" => Some(piece(text).at),
        Value::Word(word, at) if matches!(word.as_str(), "null" | "Result.SUCCESS") => Some(*at),
        _ => None,
    }
}

/// Where a string or a word stands.
fn place(value: &Value) -> Option<Location> {
    match value {
        Value::Text(text) => Some(text.text.at),
        Value::Word(_, at) => Some(*at),
        _ => None,
    }
}

/// What a variable says of which nothing is known.
fn unknown(name: &str, at: Location) -> Str {
    let text = format!("${{{name}}}");
    let puts_in = vec![(0..text.len(), name.to_string())];
    Str { text: Mapped::opaque(text, at), puts_in }
}

/// The string of a value: itself, or the first of several that are joined.
fn first_text(value: &Value) -> Option<&Str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Joined(list) => list.iter().find_map(first_text),
        _ => None,
    }
}

/// Files that a step names, its own and those of the tools that it is given: `recordIssues(tools: [flake8(pattern: 'x.log')])`.
fn patterns(arguments: &[Argument]) -> Vec<String> {
    let of = |argument: &Argument| -> Vec<String> {
        match &argument.value {
            Value::Text(text) if matches!(argument.name.as_deref(), Some("pattern" | "includes" | "path")) => vec![text.text.text.clone()],
            Value::Call(call) => patterns(&call.arguments),
            Value::List(list) => patterns(list),
            _ => Vec::new(),
        }
    };
    arguments.iter().flat_map(of).collect()
}

fn artifact(call: &Call, around: &Around<'_>, job: &mut Job) {
    let value = call.first().or_else(|| call.named("testResults")).or_else(|| call.named("artifacts"));
    let paths = value.into_iter().flat_map(super::texts).map(|text| text.text.text.clone()).collect();
    let report = matches!(call.name.as_str(), "junit" | "xunit");
    job.artifacts.push(Artifact { at: call.at, paths, report, on_failure: around.on_failure });
}
