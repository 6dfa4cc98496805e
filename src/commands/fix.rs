//! `pinguard check --fix` and `--diff`: from findings to wishes, to answers, to a proved patch, to files.

mod apply;
mod whole;
mod words;

use super::gather::Gathered;
use super::lookup::{self, Registries};
use crate::check::{self, moved};
use crate::cli;
use crate::model::change::Why;
use crate::model::edit::{Edit, Patch};
use crate::model::finding::{Judged, Remedy, Safety};
use crate::model::pin::{Pin, Strength};
use crate::model::project::Project;
use crate::model::reference::ReferenceId;
use crate::model::rule::Level;
use crate::model::source::Sources;
use crate::model::span::{Location, SourceId};
use crate::model::wish::{Because, Goal, Wishes};
use crate::plan::topic::Places;
use crate::plan::{self, Moves};
use crate::report::fixes::{Done, Fixes, Left};
use crate::world::runtime;
use apply::Dirty;
use std::collections::{BTreeMap, HashMap};
use std::io;

pub use apply::Mode;

/// Which edits may be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Daring {
    /// Those that keep today's behaviour.
    Safe,
    /// Also those that may change it.
    Unsafe,
}

/// What a fix of one project would do.
#[derive(Debug, Default)]
struct Draft {
    /// The edits.
    patch: Patch,
    /// Each change.
    done: Vec<(Location, Done)>,
    /// What is left, with the reason.
    left: Vec<Left>,
}

/// An edit that a rule gives by itself.
struct Direct<'f> {
    judged: &'f Judged,
    edits: &'f [Edit],
}

/// What was done to all projects.
#[derive(Debug)]
pub struct Fixed {
    /// The lists.
    pub fixes: Fixes,
    /// The patch of each project.
    pub patches: Vec<Patch>,
}

/// Fixes the findings of each project as the arguments ask.
pub fn run(
    gathered: &[Gathered],
    findings: &[&[Judged]],
    args: &cli::Check,
    mode: Mode,
    registries: &Registries,
    places: &Places,
) -> io::Result<Fixed> {
    let daring = if args.unsafe_fixes { Daring::Unsafe } else { Daring::Safe };
    let dirty = if args.allow_dirty { Dirty::Allowed } else { Dirty::Refused };
    let mut fixed = Fixed { fixes: Fixes { dry: mode == Mode::Dry, ..Fixes::default() }, patches: Vec::new() };
    for (gathered, findings) in gathered.iter().zip(findings) {
        let asked = &gathered.config.select;
        let draft = runtime::block_on(draft(gathered, findings, asked, daring, registries, places))?;
        let written = apply::write(gathered, draft, dirty, mode)?;
        fixed.fixes.done.extend(written.done);
        fixed.fixes.left.extend(written.left);
        fixed.patches.push(written.patch);
    }
    Ok(fixed)
}

/// Drafts the fix of a project.
async fn draft(
    gathered: &Gathered,
    findings: &[Judged],
    asked: &[String],
    daring: Daring,
    registries: &Registries,
    places: &Places,
) -> Draft {
    let project = &gathered.project;
    let findings: Vec<&Judged> = findings.iter().filter(|judged| is_asked(judged, asked)).collect();
    let wishes = wishes(project, &findings);
    let questions = lookup::questions(project, &wishes, places);
    let mut knowledge = lookup::ask(registries, &questions).await;
    whole::resolve(gathered, &wishes, registries, &mut knowledge);
    let mut moves = plan::moves(project, &wishes, &knowledge, places);
    let mut draft = Draft::default();
    let mut direct = direct(project, &findings, daring, &mut draft);
    prove(gathered, &mut moves, &mut direct, &mut draft);
    draft.patch = moves.patch();
    for (change, edits) in &moves.changes {
        let at = edits.first().map_or(project.reference(change.reference).site.whole, |edit| edit.at);
        draft.done.push((at, words::changed(project, change)));
    }
    for direct in direct {
        match draft.patch.merge(direct.edits.to_vec()) {
            Ok(()) => {
                let at = direct.edits.first().map_or(direct.judged.finding.at, |edit| edit.at);
                draft.done.push((at, words::edited(project, direct.judged)));
            }
            Err(_) => {
                let reason = "another fix changes the same text; run again";
                draft.left.push(words::left(project, direct.judged, reason));
            }
        }
    }
    draft.left.extend(moves.held.iter().map(|held| words::held(project, held)));
    draft.done.sort();
    draft.left.sort();
    draft
}

/// Advice is fixed only when its rule was asked for by name.
fn is_asked(judged: &Judged, asked: &[String]) -> bool {
    let rule = judged.finding.rule;
    let named = || asked.iter().any(|name| name == rule.id || name == rule.group.name());
    judged.level > Level::Advice || judged.level == Level::Advice && named()
}

/// What the findings want of references, those of aggregates too.
fn wishes(project: &Project, findings: &[&Judged]) -> Wishes {
    let mut by_place: HashMap<Location, Vec<ReferenceId>> = HashMap::new();
    for (id, reference) in project.references() {
        by_place.entry(reference.site.whole).or_default().push(id);
    }
    let mut wishes = Wishes::default();
    for judged in findings {
        let Some(Remedy::Tighten { reference, to }) = judged.finding.remedy else { continue };
        let (goal, because) = (Goal::hold(to), Because::Rule(judged.finding.rule.id));
        wishes.add(reference, goal, because.clone());
        let ecosystem = project.reference(reference).subject.ecosystem;
        let members = judged.finding.labels.iter().filter_map(|label| by_place.get(&label.at)).flatten();
        for &id in members {
            let member = project.reference(id);
            let looser = member.strength.is_some_and(|strength: Strength| strength < to);
            if id != reference && looser && member.subject.ecosystem == ecosystem {
                wishes.add(id, goal, because.clone());
            }
        }
    }
    wishes
}

fn direct<'f>(project: &Project, findings: &[&'f Judged], daring: Daring, draft: &mut Draft) -> Vec<Direct<'f>> {
    let mut list = Vec::new();
    for judged in findings {
        let Some(Remedy::Replace { edits, safety }) = &judged.finding.remedy else { continue };
        match safety {
            Safety::Safe | Safety::SafeOnline => list.push(Direct { judged, edits }),
            Safety::Unsafe if daring == Daring::Unsafe => list.push(Direct { judged, edits }),
            Safety::Unsafe => {
                let reason = "its fix may change what the run does; --unsafe-fixes applies it";
                draft.left.push(words::left(project, judged, reason));
            }
            Safety::Guided => draft.left.push(words::left(project, judged, "a person has to decide")),
        }
    }
    list.sort_by_key(|direct| (direct.judged.finding.at, direct.judged.finding.rule.id));
    list
}

/// Reads the project as it would be, and takes back every change after which a file reads differently from what was meant.
fn prove(gathered: &Gathered, moves: &mut Moves, direct: &mut Vec<Direct<'_>>, draft: &mut Draft) {
    let project = &gathered.project;
    let wrong = wrong(gathered, &moves.patch(), &intended(moves));
    for source in wrong.into_keys() {
        // One by one, so that only the culprit is held; what only fails together is held as a whole.
        let of_source: Vec<usize> = (0..moves.changes.len())
            .filter(|&index| moves.changes[index].1.iter().any(|edit| edit.at.source == source))
            .collect();
        let mut culprits = Vec::new();
        for &index in &of_source {
            let (change, edits) = &moves.changes[index];
            let one = Moves { changes: vec![(change.clone(), edits.clone())], held: Vec::new() };
            if let Some(why) = self::wrong(gathered, &one.patch(), &intended(&one)).into_values().next() {
                culprits.push((change.reference, why));
            }
        }
        if culprits.is_empty() {
            let all = of_source.iter().map(|&index| moves.changes[index].0.reference);
            culprits =
                all.map(|reference| (reference, "changes of this file disturb each other".to_string())).collect();
        }
        for (reference, why) in culprits {
            moves.take_back(reference, &Why::Other(format!("after the edit {why}; change it by hand")));
        }
    }
    let mut all = Patch::default();
    let disjoint = direct.iter().all(|one| all.merge(one.edits.to_vec()).is_ok());
    if disjoint && wrong_after(gathered, &all).is_empty() {
        return;
    }
    direct.retain(|one| {
        let mut patch = Patch::default();
        let fits = patch.merge(one.edits.to_vec()).is_ok() && wrong_after(gathered, &patch).is_empty();
        if !fits {
            draft.left.push(words::left(
                project,
                one.judged,
                "after the edit the file would read differently; change it by hand",
            ));
        }
        fits
    });
}

fn wrong_after(gathered: &Gathered, patch: &Patch) -> BTreeMap<SourceId, String> {
    wrong(gathered, patch, &BTreeMap::new())
}

fn intended(moves: &Moves) -> BTreeMap<ReferenceId, Pin> {
    moves.changes.iter().map(|(change, _)| (change.reference, change.to.clone())).collect()
}

fn wrong(gathered: &Gathered, patch: &Patch, intended: &BTreeMap<ReferenceId, Pin>) -> BTreeMap<SourceId, String> {
    if patch.is_empty() {
        return BTreeMap::new();
    }
    let before = &gathered.project;
    let mut sources = Sources::default();
    for source in before.sources.iter() {
        sources.add(source.path.as_str(), patch.apply(source.id, &source.text));
    }
    let after = check::read(sources, Vec::new(), before.policy.clone());
    moved::wrong(before, &after, intended)
}
