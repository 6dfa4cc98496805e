//! How variables that hold secrets move to the one place that reads them: the edits. Knows no rule.

use crate::model::edit::Edit;
use crate::model::pipeline::{Assignment, Job, Pipeline, Scope};
use crate::model::project::Project;
use crate::model::secrets::place::Usage;
use crate::model::span::{Location, Span};
use crate::model::text::Text;

/// The variables in one step, and out of the scope that they are in.
pub fn into_step(
    project: &Project,
    pipeline: &Pipeline,
    job: &Job,
    step: usize,
    held: &[&Assignment],
) -> Option<Vec<Edit>> {
    let step = &job.steps[step];
    let hidden = held.iter().any(|one| step.env.iter().any(|own| own.name == one.name));
    if hidden || held.iter().any(|one| one.at.source != step.at.source) {
        return None;
    }
    moved(project, pipeline, job, &step.key, held)
}

/// The variables in one job, and out of the pipeline.
pub fn into_job(project: &Project, pipeline: &Pipeline, job: &Job, held: &[&Assignment]) -> Option<Vec<Edit>> {
    let hidden = held.iter().any(|one| job.env.iter().any(|own| own.name == one.name));
    if hidden || held.iter().any(|one| one.at.source != job.at.source) {
        return None;
    }
    moved(project, pipeline, job, &job.key, held)
}

fn moved(project: &Project, pipeline: &Pipeline, job: &Job, to: &str, held: &[&Assignment]) -> Option<Vec<Edit>> {
    let edits = &project.facts_of(held.first()?.at.source).variable_edits;
    let slot = edits.slot(to)?;
    if held.iter().any(|one| one.scope == Scope::Container) {
        return None;
    }
    let variables: Vec<(String, String)> = held.iter().map(|one| written(project, one)).collect::<Option<_>>()?;
    let mut all = vec![slot.insert(&variables)];
    all.extend(taken_out(project, pipeline, job, held)?);
    Some(all)
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
    let block = held[0].key.strip_suffix(&format!(".{}", held[0].name))?;
    let list = if held[0].scope == Scope::Pipeline { &pipeline.env } else { &job.env };
    if list.iter().filter(|one| one.key.starts_with(block)).count() == held.len() {
        return Some(vec![Edit::replace(edits.lines_of(block)?, "")]);
    }
    held.iter().map(|one| Some(Edit::replace(edits.lines_of(&one.key)?, ""))).collect()
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
