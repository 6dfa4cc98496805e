//! Stages: each that does something is a job.

use super::methods::Methods;
use super::{environment, moves};
use crate::model::facts::Facts;
use crate::model::pipeline::{Assignment, Job, Scope, Setting};
use crate::model::reference::ReferenceId;
use crate::model::script::Script;
use crate::model::source::Sources;
use crate::model::span::Location;
use crate::syntax::groovy::{Call, Str, Value};
use std::collections::HashMap;

/// Reads a file into facts.
pub struct Reader<'r> {
    pub facts: &'r mut Facts,
    pub sources: &'r Sources,
    pub images: HashMap<Location, Vec<ReferenceId>>,
    pub scripts: HashMap<(Location, String), Script>,
    /// Names of variables of the pipeline that hold secrets.
    pub secrets: Vec<String>,
    /// How many blocks were gone into.
    pub depth: usize,
    /// Methods and closures of the file, which are read where they are called.
    pub methods: Methods<'r>,
    /// What variables were set to, as far as it is text.
    pub texts: HashMap<String, Str>,
}

/// What a stage has from what it stands in.
#[derive(Clone, Default)]
pub struct Around<'c> {
    pub agent: Option<&'c Call>,
    pub agent_key: String,
    /// Variables of the stages around.
    pub env: Vec<Assignment>,
    /// Variables of `withCredentials` and `withEnv` around a step.
    pub bound: Vec<Assignment>,
    pub on_patch: Answer,
    pub timeout: Written,
    pub retry: Written,
    pub key: String,
    pub cwd: String,
    pub matrix: Vec<(String, String)>,
    /// Whether failures are caught.
    pub caught: Option<Location>,
    /// `post`: whatever the verdict.
    pub after: bool,
    /// Whether `post` runs after a failure.
    pub on_failure: bool,
}

/// A number and where it stands, if it is written.
pub type Written = Option<(u32, Location)>;

/// Whether a proposed patch starts something; `Open`: an expression decides.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Answer {
    #[default]
    Yes,
    No,
    Open,
}

impl<'r> Reader<'r> {
    pub fn new(facts: &'r mut Facts, sources: &'r Sources, methods: Methods<'r>) -> Reader<'r> {
        Reader { facts, sources, images: HashMap::new(), scripts: HashMap::new(), secrets: Vec::new(), depth: 0, methods, texts: HashMap::new() }
    }

    /// The stages of a `stages` or `parallel` block.
    pub fn stages(&mut self, list: &Call, key: &str, around: &Around<'_>, jobs: &mut Vec<Job>) {
        for stage in list.calls().filter(|call| call.name == "stage") {
            let name = stage.first().and_then(Value::says).unwrap_or("stage").to_string();
            self.stage(stage, &name, &format!("{key}.{name}"), around, jobs);
        }
    }

    fn stage(&mut self, stage: &Call, name: &str, key: &str, around: &Around<'_>, jobs: &mut Vec<Job>) {
        self.depth += 1;
        let matrix = stage.call("matrix");
        let body = matrix.unwrap_or(stage);
        let mut inner = around.clone();
        let of_matrix = matrix.map(|matrix| (matrix, format!("{key}.matrix")));
        for (part, key) in std::iter::once((stage, key.to_string())).chain(of_matrix) {
            if let Some(agent) = part.call("agent") {
                inner.agent = Some(agent);
                inner.agent_key = format!("{key}.agent");
            }
            let env = format!("{key}.environment");
            inner.env.extend(environment::block(part, Scope::Job, &env));
            moves::note_lines(self.facts, &self.sources.get(part.at.source).text, part, &env);
            inner.on_patch = both(inner.on_patch, part.call("when"));
            let options = part.call("options");
            inner.timeout = timeout(options).or(inner.timeout);
            inner.retry = retry(options).or(inner.retry);
        }
        inner.matrix.extend(matrix.map_or(Vec::new(), axes));
        if let Some(steps) = stage.call("steps") {
            let mut job = self.job(name, key, stage, &inner);
            moves::note_stage(self.facts, &self.sources.get(stage.at.source).text, stage, key);
            let within = Around { key: format!("{key}.steps"), ..inner.clone() };
            self.steps(steps.block.as_deref().unwrap_or(&[]), &within, &mut job);
            if let Some(post) = stage.call("post") {
                self.post(post, &format!("{key}.post"), &inner, &mut job);
            }
            jobs.push(job);
        }
        if self.depth < 40 {
            for part in ["stages", "parallel"] {
                if let Some(list) = body.call(part) {
                    let key = if matrix.is_some() { format!("{key}.matrix.{part}") } else { format!("{key}.{part}") };
                    self.stages(list, &key, &inner, jobs);
                }
            }
        }
        self.depth -= 1;
    }

    fn job(&mut self, name: &str, key: &str, stage: &Call, around: &Around<'_>) -> Job {
        let mut job = Job::new(name, key, stage.at);
        job.env.clone_from(&around.env);
        self.agent(around, &mut job);
        let setting = |setting: Written| setting.map_or(Setting::Absent, |(value, at)| Setting::Plain(value, at));
        job.timeout = setting(around.timeout);
        job.retry = setting(around.retry);
        job.on_patch = match around.on_patch {
            Answer::Yes => Some(true),
            Answer::No => Some(false),
            Answer::Open => None,
        };
        job.matrix.clone_from(&around.matrix);
        let mut legs = 1usize;
        let names: std::collections::BTreeSet<&str> = around.matrix.iter().map(|(name, _)| name.as_str()).collect();
        for name in names {
            legs = legs.saturating_mul(around.matrix.iter().filter(|(other, _)| other == name).count());
        }
        job.legs = Some(legs);
        job
    }
}

/// `axis { name 'X' values 'a', 'b' }` as pairs.
fn axes(matrix: &Call) -> Vec<(String, String)> {
    let axes = matrix.call("axes").into_iter().flat_map(Call::calls).filter(|call| call.name == "axis");
    let pairs = axes.flat_map(|axis| {
        let name = axis.call("name").and_then(Call::first).and_then(Value::says).unwrap_or("").to_string();
        let values = axis.call("values").map_or(Vec::new(), |values| values.arguments.iter().filter_map(|one| one.value.says()).collect());
        values.into_iter().map(move |value| (name.clone(), value.to_string())).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// `timeout(time: 1, unit: 'HOURS')` in minutes.
pub fn timeout(options: Option<&Call>) -> Written {
    let call = options?.call("timeout")?;
    let time: u32 = call.named("time").or_else(|| call.first())?.says()?.parse().ok()?;
    let minutes = match call.named("unit").and_then(Value::says).unwrap_or("MINUTES") {
        "SECONDS" => time.div_ceil(60),
        "HOURS" => time.saturating_mul(60),
        "DAYS" => time.saturating_mul(24 * 60),
        _ => time,
    };
    Some((minutes, call.at))
}

/// `retry(3)`: how often a failure is run again.
pub fn retry(options: Option<&Call>) -> Written {
    let call = options?.call("retry")?;
    let times: u32 = call.first().or_else(|| call.named("count"))?.says()?.parse().ok()?;
    Some((times.saturating_sub(1), call.at))
}

/// Whether a patch starts a stage, with its own `when`.
fn both(around: Answer, when: Option<&Call>) -> Answer {
    let own = when.map_or(Answer::Yes, all);
    match (around, own) {
        (Answer::No, _) | (_, Answer::No) => Answer::No,
        (Answer::Yes, Answer::Yes) => Answer::Yes,
        _ => Answer::Open,
    }
}

/// All conditions of a block. The branch of a patch is called after the patch, not after the branch it goes into.
fn all(when: &Call) -> Answer {
    let mut answer = Answer::Yes;
    for call in when.calls() {
        let one = match call.name.as_str() {
            "branch" if call.first().and_then(Value::says).is_some_and(|name| !name.contains(['*', '?'])) => Answer::No,
            "changeRequest" | "beforeAgent" | "changeset" => Answer::Yes,
            "buildingTag" | "tag" | "triggeredBy" => Answer::No,
            "allOf" => all(call),
            "not" if call.call("changeRequest").is_some() => Answer::No,
            "not" if call.call("branch").is_some() || call.call("buildingTag").is_some() => Answer::Yes,
            _ => Answer::Open,
        };
        answer = match (answer, one) {
            (Answer::No, _) | (_, Answer::No) => Answer::No,
            (Answer::Yes, Answer::Yes) => Answer::Yes,
            _ => Answer::Open,
        };
    }
    answer
}
