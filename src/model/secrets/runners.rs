//! Which steps run a command, through scripts, task runners and composite actions, and what each of them can read. Knows no rule.

use super::names::is_short_lived;
use super::{Harm, Reach, Readable};
use crate::model::environment::EnvironmentKind;
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Step, StepKind, Value};
use crate::model::policy;
use crate::model::project::{Project, Site};
use crate::model::script::{Command, Deed, Word};
use crate::model::span::{Location, SourceId};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

/// How far calls are followed.
const MAX_DEPTH: usize = 4;

/// A step that runs a command.
#[derive(Debug, Clone, Copy)]
pub struct Runner<'p> {
    /// The pipeline.
    pub pipeline: &'p Pipeline,
    /// The job.
    pub job: &'p Job,
    /// The step, by number.
    pub index: usize,
    /// The command that starts the script, when the command stands in another file.
    pub call: Option<&'p Command>,
    /// The file of the test environment that lets only some variables through.
    filter: Option<SourceId>,
}

impl<'p> Runner<'p> {
    /// A step that does itself what is asked about.
    pub fn of_step(pipeline: &'p Pipeline, job: &'p Job, index: usize) -> Runner<'p> {
        Runner { pipeline, job, index, call: None, filter: None }
    }

    /// The narrowest variable of this name that files set, with its text when that is plain.
    pub fn plain(&self, variable: &str) -> Option<(&'p Assignment, &'p str)> {
        let scopes = self.job.steps[self.index].env.iter().chain(&self.job.env).chain(&self.pipeline.env);
        let found = scopes.into_iter().find(|one| one.name == variable && one.scope != Scope::Input)?;
        match &found.value {
            Value::Literal(text) => Some((found, text)),
            _ => None,
        }
    }

    /// The step.
    pub fn step(&self) -> &'p Step {
        &self.job.steps[self.index]
    }

    /// Where the step starts the script, or stands itself.
    pub fn at(&self) -> Location {
        self.call.map_or(self.step().at, |call| call.at)
    }

    /// Whether a variable of this name may come from a server: a set of secrets is attached, or the system hands out variables that no file
    /// shows, and no file says that it is something else.
    pub fn may_hold(&self, readable: &[Readable], variable: &str) -> bool {
        let set = readable.iter().any(|one| one.secrets.iter().any(|name| name == "*"));
        let scopes = self.step().env.iter().chain(&self.job.env).chain(&self.pipeline.env);
        let plain = scopes.filter(|one| one.name == variable).any(|one| !matches!(one.value, Value::Secret { .. }));
        (set || self.pipeline.system.unseen_variables) && !plain
    }

    /// The secrets that the command can read.
    pub fn secrets(&self, project: &Project) -> Vec<Readable> {
        let mut found = project.secrets_at(self.pipeline, self.job, self.index);
        if let Some(source) = self.filter {
            let environments = &project.facts_of(source).environments;
            let tox = environments.iter().filter(|one| one.kind == EnvironmentKind::Tox);
            let passed: Vec<&str> = tox.flat_map(|one| &one.assignments).map(|one| one.name.as_str()).collect();
            found.retain(|readable| passed.iter().any(|pattern| policy::matches(pattern, &readable.variable)));
        }
        found
    }
}

/// The steps of a project, by the places of what they run.
pub struct Runners<'p> {
    project: &'p Project,
    /// Made when the first command of another file than a pipeline's is asked for.
    holders: OnceCell<HashMap<Location, Vec<Holder<'p>>>>,
}

#[derive(Clone, Copy)]
struct Holder<'p> {
    source: SourceId,
    step: Option<(&'p Pipeline, &'p Job, usize)>,
    command: Option<&'p Command>,
}

/// How far up the calls a walk is.
#[derive(Clone, Copy)]
struct Way<'p> {
    call: Option<&'p Command>,
    filter: Option<SourceId>,
    depth: usize,
}

impl<'p> Runners<'p> {
    /// Of all pipelines, components and scripts.
    pub fn of(project: &'p Project) -> Runners<'p> {
        Runners { project, holders: OnceCell::new() }
    }

    fn holders(&self) -> HashMap<Location, Vec<Holder<'p>>> {
        let mut holders: HashMap<Location, Vec<Holder>> = HashMap::new();
        for facts in &self.project.facts {
            let Some(source) = facts.source else { continue };
            for pipeline in facts.pipelines.iter().chain(&facts.components) {
                for job in &pipeline.jobs {
                    for (index, step) in job.steps.iter().enumerate() {
                        let holder = Holder { source, step: Some((pipeline, job, index)), command: None };
                        holders.entry(step.at).or_default().push(holder);
                        let StepKind::Run(script) = &step.kind else { continue };
                        for command in &script.commands {
                            let holder = Holder { command: Some(command), ..holder };
                            holders.entry(command.at).or_default().push(holder);
                        }
                    }
                }
            }
            for command in facts.scripts.iter().flat_map(|(_, script)| &script.commands) {
                holders.entry(command.at).or_default().push(Holder { source, step: None, command: Some(command) });
            }
        }
        holders
    }

    /// The steps that run a command, each once.
    pub fn of_site(&self, site: &Site<'p>) -> Vec<Runner<'p>> {
        let mut found: Vec<Runner> = Vec::new();
        let step = site.pipeline.zip(site.job).zip(site.step).and_then(|((pipeline, job), step)| {
            Some((pipeline, job, job.steps.iter().position(|one| std::ptr::eq(one, step))?))
        });
        let scripts = &self.project.facts_of(site.source).scripts;
        let name = scripts.iter().find(|(_, script)| std::ptr::eq(script, site.script)).map(|(name, _)| name.as_str());
        let mut walked = HashSet::new();
        let start = Holder { source: site.source, step, command: None };
        self.walk(start, name, Way { call: None, filter: None, depth: 0 }, &mut walked, &mut found);
        let mut seen = Vec::new();
        found.retain(|runner| {
            let key = (std::ptr::from_ref(runner.job), runner.index);
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
        found
    }

    fn walk(
        &self,
        holder: Holder<'p>,
        entry: Option<&str>,
        way: Way<'p>,
        walked: &mut HashSet<(SourceId, usize, Option<SourceId>)>,
        found: &mut Vec<Runner<'p>>,
    ) {
        let Way { call, filter, depth } = way;
        let component = |pipeline: &Pipeline| {
            self.project.facts_of(holder.source).components.iter().any(|one| std::ptr::eq(one, pipeline))
        };
        if let Some((pipeline, job, index)) = holder.step.filter(|(pipeline, ..)| !component(pipeline)) {
            return found.push(Runner { pipeline, job, index, call, filter });
        }
        // Files that call each other many times over are walked once at each depth.
        if depth > MAX_DEPTH || !walked.insert((holder.source, depth, filter)) {
            return;
        }
        let several = self.project.facts_of(holder.source).scripts.len() > 1;
        for reach in self.project.reached_by(holder.source).iter().filter(|reach| reach.ci) {
            let holders = self.holders.get_or_init(|| self.holders());
            for above in holders.get(&reach.at).into_iter().flatten().filter(|above| above.source != holder.source) {
                let asked = above.command.and_then(entries);
                // Of a file with many tasks only those that are asked for run, as far as names tell.
                if let (Some((_, entries)), Some(entry)) = (asked, entry.filter(|_| several)) {
                    let general = entry == "testenv";
                    if !entries.is_empty() && !general && !entries.iter().any(|name| name == entry) {
                        continue;
                    }
                }
                let filter = filter.or(asked.filter(|(tool, _)| *tool == "tox").map(|_| holder.source));
                let way = Way { call: above.command.or(call), filter, depth: depth + 1 };
                self.walk(*above, None, way, walked, found);
            }
        }
    }
}

fn entries(command: &Command) -> Option<(&str, &[String])> {
    command.deeds.iter().find_map(|deed| match deed {
        Deed::RunEntry { tool, entries } => Some((tool.as_str(), entries.as_slice())),
        _ => None,
    })
}

/// What a command can read, by how much it matters.
#[derive(Debug, Clone, Default)]
pub struct Sorted {
    /// Secrets that outlive the job.
    pub secrets: Vec<Readable>,
    /// Secrets that do little harm, and plain configuration that is kept as one.
    pub minor: Vec<Readable>,
    /// Tokens that end with the job, and those that the system puts into every job.
    pub tokens: Vec<Readable>,
}

impl Sorted {
    /// Sorts what a command can read.
    pub fn of(project: &Project, readable: Vec<Readable>) -> Sorted {
        let mut sorted = Sorted::default();
        for one in readable {
            let harm = project.worst(one.secrets.iter().map(String::as_str));
            let token = one.short_lived || one.reach == Reach::Present;
            match harm {
                _ if token => sorted.tokens.push(one),
                Harm::Full => sorted.secrets.push(one),
                _ => sorted.minor.push(one),
            }
        }
        sorted
    }
}

impl Command {
    /// Whether the command names a variable so that its value is a part of it, or has a secret pasted into it by the system.
    pub fn uses(&self, step: Option<&Step>, variable: &str, secrets: &[String]) -> bool {
        let named = |word: &Word| word.expands && super::expansion::expands(&word.text.text, variable);
        let here_document = |operator: &str| operator.starts_with("<<") && operator != "<<<";
        let redirects = self.redirects.iter().filter(|one| !here_document(&one.operator));
        let words = self.words.iter().chain(redirects.map(|one| &one.target)).any(named);
        let assigns = self.assigns.iter().any(|(_, text)| super::expansion::expands(&text.text, variable));
        words || assigns || step.is_some_and(|step| self.is_given(step, secrets))
    }

    /// The variables of the command whose names are those of secrets, expanded where a trace would show them.
    pub fn named_secrets(&self) -> Vec<String> {
        let words = self.words.iter().filter(|word| word.expands).map(|word| word.text.text.as_str());
        let texts = words.chain(self.assigns.iter().map(|(_, text)| text.text.as_str()));
        let names = texts.flat_map(|text| text.split('$').skip(1)).map(|rest| {
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())]
        });
        names.filter(|name| super::looks_secret(name) && !is_short_lived(name)).map(str::to_string).collect()
    }

    /// Whether the system pastes one of these secrets into the command.
    pub fn is_given(&self, step: &Step, secrets: &[String]) -> bool {
        let inside = |at: Location| self.at.source == at.source && self.at.span.contains(at.span);
        step.pasted.iter().filter(|one| inside(one.at)).any(|one| match &one.value {
            Value::Secret { names, .. } => names.iter().any(|name| secrets.contains(name)),
            _ => false,
        })
    }
}
