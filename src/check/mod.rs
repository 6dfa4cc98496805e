//! Sources and configuration to findings: facts of every source, what the gate reaches, every rule, then levels.
//! Touches no disk and no clock.

mod called;
pub mod gate;
mod image;
pub mod judge;
pub mod locks;
pub mod moved;
mod relock;
pub mod settle;
mod workspace;

use crate::formats;
use crate::model::facts::{Facts, ProblemKind};
use crate::model::finding::{Finding, Findings};
use crate::model::policy::Policy;
use crate::model::project::Project;
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, SourceId, Span};
use crate::rules;
use rayon::prelude::*;

/// How many unreadable places of one source are told one by one: a broken file is mended from its top.
const MAX_UNREADABLE: usize = 100;

/// Reads every source to facts and joins them to a project.
pub fn read(sources: Sources, unreadable: Vec<(Location, String)>, policy: Policy) -> Project {
    let mut facts = facts_of_all(&sources);
    for (at, why) in unreadable {
        facts[at.source.0 as usize].problem(ProblemKind::Unreadable, at, why);
    }
    called::started_by_callers(&sources, &mut facts);
    let mut project = Project { sources, facts, policy, ..Project::default() };
    project.locks = locks::states(&project);
    locks::hold(&mut project);
    project.find_dormant();
    project.gate = gate::reach(&project);
    project
}

/// The facts of every source, by its number. The largest texts come first: no thread is left with one at the end, and what its tree took
/// is used again for the many small ones.
fn facts_of_all(sources: &Sources) -> Vec<Facts> {
    let mut ids: Vec<SourceId> = sources.iter().map(|source| source.id).collect();
    ids.sort_by_key(|&id| std::cmp::Reverse(sources.get(id).text.len()));
    let mut facts: Vec<(SourceId, Facts)> =
        ids.into_par_iter().with_max_len(1).map(|id| (id, facts_of(sources, id))).collect();
    facts.sort_unstable_by_key(|(id, _)| *id);
    facts.into_iter().map(|(_, facts)| facts).collect()
}

fn facts_of(sources: &Sources, id: SourceId) -> Facts {
    let source = sources.get(id);
    let Some(format) = formats::of(source, sources) else { return Facts::of(id, "") };
    let mut facts = Facts::of(id, format.name);
    (format.read)(source, sources, &mut facts);
    for other in formats::beside(source, format) {
        // What does not parse was said by the first.
        let said = facts.problems.len();
        (other.read)(source, sources, &mut facts);
        facts.problems.truncate(said);
    }
    formats::finish(&mut facts);
    conflict(source, &mut facts);
    facts.keep_unreadable(MAX_UNREADABLE);
    facts.give_back_room();
    facts
}

/// Both sides of a merge in one file: said once, in the place of all that does not parse because of it.
fn conflict(source: &Source, facts: &mut Facts) {
    let broken = facts.problems.iter().any(|problem| problem.kind == ProblemKind::Unreadable);
    if facts.locks.is_empty() && !broken {
        return;
    }
    let Some(start) =
        line_that_begins(&source.text, "<<<<<<< ").filter(|_| line_that_begins(&source.text, ">>>>>>> ").is_some())
    else {
        return;
    };
    let mend = match (facts.format.contains("lock"), source.file_name()) {
        (_, "uv.lock") => "take one side (`git checkout --theirs uv.lock`) and run `uv lock`",
        (_, "poetry.lock") => "take one side (`git checkout --theirs poetry.lock`) and run `poetry lock`",
        (_, "Pipfile.lock") => "take one side (`git checkout --theirs Pipfile.lock`) and run `pipenv lock`",
        (_, "pixi.lock") => "take one side (`git checkout --theirs pixi.lock`) and run `pixi lock`",
        (_, name) if name.starts_with("pdm") => {
            "take one side (`git checkout --theirs`) and run `pdm lock --update-reuse`"
        }
        (true, _) => "take one side (`git checkout --theirs`) and lock again",
        _ => "decide for one side, and remove the marks",
    };
    facts.problems.retain(|problem| problem.kind != ProblemKind::Unreadable);
    let at = Location::new(source.id, Span::new(start, start + 7));
    let text = format!("an unresolved merge conflict begins here (`<<<<<<<`): {mend}");
    facts.problem(ProblemKind::Unreadable, at, text);
}

fn line_that_begins(text: &str, mark: &str) -> Option<usize> {
    if text.starts_with(mark) {
        return Some(0);
    }
    memchr::memmem::find(text.as_bytes(), format!("\n{mark}").as_bytes()).map(|at| at + 1)
}

/// What every rule says of a project, in the order of the rules.
pub fn findings(project: &Project) -> Vec<Finding> {
    let per_rule: Vec<Vec<Finding>> = rules::RULES
        .par_iter()
        .map(|registered| {
            let mut findings = Findings::default();
            (registered.rule.check)(project, &mut findings);
            findings.into_vec()
        })
        .collect();
    per_rule.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::images::ImagePlace;

    #[test]
    fn an_image_of_a_task_that_ci_does_not_run_is_nobodys_gate() {
        let makefile = "test: db\n\tpytest\ndb:\n\tdocker run postgres:latest\ndev:\n\tdocker run redis:latest\n";
        let places = |run: &str| {
            let workflow =
                format!("on: push\njobs:\n  t:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: {run}\n");
            let mut sources = Sources::default();
            sources.add("Makefile", makefile);
            sources.add(".github/workflows/ci.yml", workflow);
            let project = read(sources, Vec::new(), Policy::default());
            project.image_uses().iter().map(|image| image.place).collect::<Vec<_>>()
        };
        assert_eq!(places("make test"), [ImagePlace::Ci, ImagePlace::Other]);
        assert_eq!(places("make dev"), [ImagePlace::Other, ImagePlace::Ci]);
        assert_eq!(places("make ${{ matrix.task }}"), [ImagePlace::Ci, ImagePlace::Ci], "it cannot be told");
    }
}
