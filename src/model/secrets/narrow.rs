//! How variables that hold secrets move to the one place that reads them: the edits. Knows no rule.

use crate::model::dialect::Unpaste;
use crate::model::edit::Edit;
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope, Step, StepKind};
use crate::model::project::Project;
use crate::model::secrets::place::Usage;
use crate::model::span::{Location, SourceId, Span};
use crate::model::text::Text;

/// How many places take a secret before a person has to decide: with more of them, one private file serves better.
const MAX_PLACES: usize = 3;

/// A step or a job, and the variables that it should have of its own.
#[derive(Debug)]
pub struct Place<'p> {
    key: &'p str,
    env: &'p [Assignment],
    source: SourceId,
    wants: Vec<&'p Assignment>,
}

impl<'p> Place<'p> {
    /// The steps of a job that read one of the variables, each with those that it reads.
    pub fn of_steps(project: &Project, job: &'p Job, held: &[&'p Assignment]) -> Vec<Place<'p>> {
        let usages: Vec<Usage> = held.iter().map(|one| project.usage(job, &one.name)).collect();
        let place = |(index, step): (usize, &'p Step)| {
            let wanted = held.iter().zip(&usages).filter(|(_, usage)| usage.steps.contains(&index));
            let wants: Vec<&Assignment> = wanted.map(|(one, _)| *one).collect();
            (!wants.is_empty()).then_some(Place { key: &step.key, env: &step.env, source: step.at.source, wants })
        };
        job.steps.iter().enumerate().filter_map(place).collect()
    }

    /// A job with the variables that its steps read.
    pub fn of_job(project: &Project, job: &'p Job, held: &[&'p Assignment]) -> Option<Place<'p>> {
        let reads = |one: &&&'p Assignment| !project.usage(job, &one.name).steps.is_empty();
        let wants: Vec<&Assignment> = held.iter().filter(reads).copied().collect();
        (!wants.is_empty()).then_some(Place { key: &job.key, env: &job.env, source: job.at.source, wants })
    }
}

/// The variables in the places that read them, and out of the scope that they are in. `job` has that scope.
pub fn into(
    project: &Project,
    pipeline: &Pipeline,
    job: &Job,
    places: &[Place],
    held: &[&Assignment],
) -> Option<Vec<Edit>> {
    let first = held.first()?;
    let edits = &project.facts_of(first.at.source).variable_edits;
    let too_many = places.is_empty() || places.len() > MAX_PLACES;
    // What nobody names may be read by anything.
    let unread = |one: &&Assignment| !places.iter().any(|place| place.wants.iter().any(|want| want.key == one.key));
    if too_many || held.iter().any(|one| one.scope == Scope::Container || unread(one)) {
        return None;
    }
    // The system itself puts such a variable into texts, and knows those of a step too late for that.
    if pipeline.system.secrets.unpaste == Unpaste::Variable("$(") {
        let macros: Vec<String> = held.iter().map(|one| format!("$({})", one.name)).collect();
        let mut texts = pipeline.jobs.iter().flat_map(|job| &job.steps).map(|step| text_of(project, step));
        if texts.any(|text| macros.iter().any(|one| text.contains(one))) {
            return None;
        }
    }
    let mut all = Vec::new();
    for place in places {
        let hidden = place.wants.iter().any(|one| place.env.iter().any(|own| own.name == one.name));
        // Variables of one step do not see each other.
        let told = |own: &Assignment, one: &Assignment| {
            let text = project.sources.text(own.at);
            text.contains(&format!("env.{}", one.name)) || text.contains(&format!("$({})", one.name))
        };
        let hidden = hidden || place.wants.iter().any(|one| place.env.iter().any(|own| told(own, one)));
        if hidden || held.iter().any(|one| one.at.source != place.source) {
            return None;
        }
        let keys: Vec<&str> = place.wants.iter().map(|one| one.key.as_str()).collect();
        let (slot, texts) = edits.place_for(place.key, &keys)?;
        all.extend(slot.put(&texts));
    }
    all.extend(taken_out(project, pipeline, job, held)?);
    all.sort();
    Some(all)
}

/// What a step runs, as it is written.
fn text_of<'p>(project: &'p Project, step: &Step) -> &'p str {
    match &step.kind {
        StepKind::Run(script) => project.sources.text(script.at),
        _ => project.sources.text(step.at),
    }
}

/// Name and value of a variable as they are written; `None` where they are not written on one line of their own.
fn written(project: &Project, one: &Assignment) -> Option<(String, String)> {
    let lines = project.facts_of(one.at.source).variable_edits.lines_of(&one.key)?;
    let line = project.sources.text(lines).trim();
    let (name, value) = line.split_once(':')?;
    // A value of several lines keeps its own indentation, and a comment belongs to its line.
    (name == one.name && !line.contains('\n') && !value.contains(" #"))
        .then(|| (one.name.clone(), value.trim().to_string()))
}

fn taken_out(project: &Project, pipeline: &Pipeline, job: &Job, held: &[&Assignment]) -> Option<Vec<Edit>> {
    let edits = &project.facts_of(held[0].at.source).variable_edits;
    let block = &edits.entry(&held[0].key)?.block;
    if held.iter().any(|one| edits.entry(&one.key).is_none_or(|entry| entry.block != *block)) {
        return None;
    }
    let list = if held[0].scope == Scope::Pipeline { &pipeline.env } else { &job.env };
    let inside =
        |one: &&Assignment| one.key.strip_prefix(block.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']));
    if list.iter().filter(inside).count() == held.len() {
        return Some(vec![Edit::replace(edits.lines_of(block)?, "")]);
    }
    // Items of one line share their commas.
    let cuts: Vec<Location> = held.iter().map(|one| edits.lines_of(&one.key)).collect::<Option<_>>()?;
    let whole_lines = |at: &Location| project.sources.text(*at).ends_with('\n');
    (cuts.len() == 1 || cuts.iter().all(whole_lines))
        .then(|| cuts.into_iter().map(|at| Edit::replace(at, "")).collect())
}

/// How many steps may ask for a secret before a person has to decide.
const MAX_ASKING: usize = 3;

/// A question in place of a secret that conditions ask for: `HAS_X: ${{ secrets.X != '' }}` in the scope, the secret in the steps that name it
/// or run only where it is set. `question` is the value of the new variable, `SECRET` standing for the secret's expression.
pub fn asked(project: &Project, job: &Job, held: &[&Assignment], usage: &Usage, question: &str) -> Option<Vec<Edit>> {
    let mut steps: Vec<usize> = usage.steps.iter().chain(&usage.conditions).copied().collect();
    steps.sort_unstable();
    steps.dedup();
    let ([one], true) = (held, !steps.is_empty() && steps.len() <= MAX_ASKING) else { return None };
    let edits = &project.facts_of(one.at.source).variable_edits;
    let (name, value) = written(project, one)?;
    let secret = value.strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let has = format!("HAS_{name}");
    let free = |list: &[Assignment]| list.iter().all(|other| other.name != has);
    if secret.contains([' ', '\'', '"']) || !free(&job.env) {
        return None;
    }
    let place = project.sources.text(edits.lines_of(&one.key)?);
    let from = place.find(name.as_str())?;
    let lines = edits.lines_of(&one.key)?;
    let whole = Location { span: Span::new(lines.span.start as usize + from, one.at.span.end as usize), ..lines };
    let mut all = vec![Edit::replace(whole, format!("{has}: {}", question.replace("SECRET", secret)))];
    for index in steps {
        let step = &job.steps[index];
        let mut wants = usage.steps.contains(&index);
        if let Some(condition) = &step.condition {
            let (edits, asks) = questions(condition, &name, &has)?;
            all.extend(edits);
            wants |= asks;
        }
        if !wants {
            continue;
        }
        if step.env.iter().any(|own| own.name == name) || step.at.source != one.at.source {
            return None;
        }
        all.push(edits.slot(&step.key)?.insert(&[(name.clone(), value.clone())]));
    }
    all.sort();
    Some(all)
}

/// `env.X != ''`, `env.X == ''` and a bare `env.X` of a condition as questions for a boolean, and whether one of them wants it to be set.
fn questions(condition: &Text, name: &str, has: &str) -> Option<(Vec<Edit>, bool)> {
    let variable = format!("env.{name}");
    let (mut edits, mut wants) = (Vec::new(), false);
    let text = &condition.text;
    for (at, _) in text.match_indices(&variable) {
        let rest = &text[at + variable.len()..];
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let plain = rest.trim_start();
        let operator = ["!=", "=="].into_iter().find(|operator| plain.starts_with(operator));
        let (end, asks) = match operator {
            Some(operator) => {
                let value = plain[2..].trim_start();
                let empty = ["''", "\"\""].into_iter().find(|empty| value.starts_with(empty))?;
                (text.len() - value.len() + empty.len(), operator == "!=")
            }
            None => (at + variable.len(), true),
        };
        if !condition.verbatim || text[..at].trim_end().ends_with('!') {
            return None;
        }
        wants |= asks;
        let compare = if asks { "==" } else { "!=" };
        edits.push(Edit::replace(condition.place(at..end), format!("env.{has} {compare} 'true'")));
    }
    Some((edits, wants))
}
