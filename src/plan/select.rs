//! Which pin a reference gets: the goal and what the registries answered decide. Asks nobody.

use super::topic::{self, Places};
use super::{images, order, packages, refs, versions};
use crate::ecosystems::{git, oci};
use crate::model::change::Why;
use crate::model::knowledge::{
    Closed, ClosedRelease, GitRefs, ImageRepository, IndexProject, Knowledge, Known, Published,
};
use crate::model::pin::{Pin, Strength};
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Origin, Reference, Role};
use crate::model::wish::{Goal, Reach};
use std::collections::BTreeSet;

/// What a reference moves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The pin.
    pub to: Pin,
    /// A word that the pin does not say.
    pub remark: Option<String>,
}

impl Target {
    fn of(version: Option<String>, digest: Option<String>) -> Target {
        Target { to: Pin { version, digests: digest.into_iter().collect() }, remark: None }
    }
}

/// What a run of today takes for a reference, held as firmly as the goal asks.
pub fn target(
    project: &Project,
    reference: &Reference,
    goal: Goal,
    knowledge: &Knowledge,
    places: &Places,
) -> Result<Target, Why> {
    if reference.strength.is_none() {
        return Err(Why::Computed);
    }
    if goal.reach == Reach::Written && reference.strength >= Some(goal.strength) {
        return Ok(Target { to: reference.pin.clone(), remark: None });
    }
    if needs_its_file(reference) {
        return of_file(project, reference, goal, knowledge);
    }
    if let Some(closed) = knowledge.together(reference.site.whole) {
        return of_set(project, reference, goal, closed);
    }
    if reference.subject.ecosystem == Ecosystem::Conda {
        let what =
            "conda solves an environment as a whole: lock it (`conda-lock -f FILE`, `pixi lock`) and install the lock";
        return Err(Why::NeedsResolution(what.to_string()));
    }
    let topic = topic::of(reference, places).ok_or_else(|| topic::nobody(reference))?;
    match knowledge.of(&topic) {
        None => Err(Why::NoRegistry),
        Some(Err(miss)) => Err(Why::Unknown(miss.clone())),
        Some(Ok(Known::Registry(images))) => image(reference, images),
        Some(Ok(Known::Host(refs))) => commit(reference, goal, refs),
        Some(Ok(Known::Index(index))) => release(project, reference, index),
        Some(Ok(Known::Versions(published))) => listed(reference, published),
    }
}

/// A version of a list that a run of today takes.
fn listed(reference: &Reference, published: &Published) -> Result<Target, Why> {
    let written = reference.pin.version.as_deref().unwrap_or("");
    let name = &reference.subject.name;
    let version = versions::fitting(written, published).map_err(|why| Why::NothingFits(format!("{why} ({name})")))?;
    Ok(Target::of(Some(versions::spelled(written, version)), None))
}

/// The tag that an engine takes when none is written.
pub const NO_TAG: &str = "latest";

fn image(reference: &Reference, images: &ImageRepository) -> Result<Target, Why> {
    let name = &reference.subject.name;
    let written = reference.pin.version.as_deref();
    let tag = written.unwrap_or(NO_TAG);
    let Some(Some(digest)) = images.digests.get(tag) else {
        return Err(Why::NothingFits(format!("the registry has no tag `{tag}` of {name}")));
    };
    let same = |candidate: &&str| images.digests.get(*candidate).is_some_and(|other| other.as_ref() == Some(digest));
    let tags = images.tags.as_deref().unwrap_or_default();
    let exact = images::more_exact(name, tag, tags).into_iter().find(|candidate| same(candidate));
    let is_exact = oci::tag_strength(name, tag) >= Strength::Exact;
    let can_move = reference.site.version.is_some();
    // Also where a rule asks for an exact tag only: tags are moved, and the digest costs nothing more.
    let digest = Some(digest.clone()).filter(|_| reference.site.digest.is_some());
    match exact.filter(|_| can_move) {
        Some(exact) => Ok(Target::of(Some(exact.to_string()), digest)),
        None if digest.is_none() && !is_exact => Err(Why::NothingFits(format!(
            "no more exact tag of {name} names the content of `{tag}`, and a digest has no place here"
        ))),
        None => {
            let mut target = Target::of(written.map(str::to_string).or_else(|| Some(tag.to_string())), digest);
            if !is_exact {
                let why = if images.tags.is_none() {
                    "its tags cannot be listed"
                } else {
                    "no more exact tag names the same content"
                };
                target.remark = Some(format!("{why}, so the tag stays"));
            }
            Ok(target)
        }
    }
}

fn commit(reference: &Reference, goal: Goal, refs: &GitRefs) -> Result<Target, Why> {
    let name = &reference.subject.name;
    let written = reference.pin.version.as_deref();
    let commit = match written {
        Some(rev) => refs.commit_of(rev).or_else(|| abbreviated(refs, rev)),
        None => refs.head.as_deref(),
    };
    let Some(commit) = commit else {
        let rev = written.unwrap_or("HEAD");
        return Err(Why::NothingFits(format!("`{rev}` is neither a tag nor a branch of {name} today")));
    };
    let exact = written.filter(|rev| git::ref_strength(rev) == Strength::Exact && refs.commit_of(rev).is_some());
    let named = exact.map(|rev| rev.strip_prefix("refs/tags/").unwrap_or(rev).to_string());
    let named = named.or_else(|| refs::most_exact(refs, commit, written).map(|tag| tag.name.clone()));
    let note = named.or_else(|| written.map(str::to_string)).or_else(|| refs.default_branch.clone());
    // A pipe names a version and can hold no commit.
    if reference.site.version.is_some() {
        let whole = note.filter(|note| git::ref_strength(note) >= Strength::Exact);
        let none = || Why::NothingFits(format!("no tag of {name} names a whole version of this commit"));
        return whole.map(|version| Target::of(Some(version), None)).ok_or_else(none);
    }
    match goal.strength {
        Strength::Immutable => Ok(Target::of(note, Some(commit.to_string()))),
        _ => match note.filter(|note| git::ref_strength(note) >= goal.strength) {
            Some(version) => Ok(Target::of(Some(version), None)),
            None => Ok(Target::of(None, Some(commit.to_string()))),
        },
    }
}

/// The commit of a tag or branch that an abbreviated commit means, when it is one.
fn abbreviated<'r>(refs: &'r GitRefs, rev: &str) -> Option<&'r str> {
    let is_short = (7..40).contains(&rev.len()) && rev.bytes().all(|byte| byte.is_ascii_hexdigit());
    let all = refs.tags.iter().chain(&refs.branches).map(|one| one.commit.as_str()).chain(refs.head.as_deref());
    let mut found: Vec<&str> = all.filter(|commit| is_short && commit.starts_with(&rev.to_ascii_lowercase())).collect();
    found.sort_unstable();
    found.dedup();
    if let [only] = found[..] { Some(only) } else { None }
}

/// Whether a requirement can be pinned only together with the others of its file, which limit each other.
pub fn needs_its_file(reference: &Reference) -> bool {
    // A tool, a package on a command line or of a hook is installed with nothing beside it that could disagree.
    let alone = matches!(reference.role, Role::Tool | Role::Install | Role::HookDependency);
    reference.subject.ecosystem == Ecosystem::Pypi && reference.origin == Origin::Registry && !alone
}

fn of_file(project: &Project, reference: &Reference, goal: Goal, knowledge: &Knowledge) -> Result<Target, Why> {
    match knowledge.closed(reference.site.whole.source) {
        None => Err(Why::NeedsResolution(
            "the ranges that a project publishes are left as they are; lock them (`uv lock`, `pinguard lock`) and install the lock".to_string(),
        )),
        Some(closed) => of_set(project, reference, goal, closed),
    }
}

fn of_set(project: &Project, reference: &Reference, goal: Goal, closed: &Closed) -> Result<Target, Why> {
    let name = &reference.subject.name;
    match closed {
        Err(why) => Err(Why::NeedsResolution(why.clone())),
        Ok(versions) => match versions.get(name).map(Vec::as_slice) {
            Some([release]) => {
                let mut target = Target::of(Some(spelled(reference, &release.version)), None);
                if goal.strength >= Strength::Immutable || holds_hashes(project, reference) {
                    target.to.digests = hashes(reference, release)?;
                }
                Ok(target)
            }
            None | Some([]) => {
                Err(Why::NothingFits(format!("{name} is not installed on any Python and platform of this project")))
            }
            Some(several) => Err(Why::NothingFits(format!(
                "Pythons or platforms take different versions of {name} ({}); compile the file instead (`pinguard lock`)",
                several.iter().map(|release| release.version.as_str()).collect::<Vec<_>>().join(", ")
            ))),
        },
    }
}

/// Whether the file of a requirement holds hashes: pip then asks for them on every line.
fn holds_hashes(project: &Project, reference: &Reference) -> bool {
    let facts = project.facts_of(reference.site.whole.source);
    let hashed = |other: &Reference| other.subject.ecosystem == Ecosystem::Pypi && !other.pin.digests.is_empty();
    facts.references.iter().any(|other| other.origin == Origin::Registry && hashed(other))
}

fn hashes(reference: &Reference, release: &ClosedRelease) -> Result<Vec<String>, Why> {
    let name = &reference.subject.name;
    if reference.site.digest.is_none() {
        let what = format!("the hashes of {name} stand in a form that is not rewritten; put each behind a `--hash=`");
        return Err(Why::Ceiling(what));
    }
    if release.hashes.is_empty() {
        return Err(Why::NothingFits(format!("the index publishes no hashes of {name} {}", release.version)));
    }
    Ok(release.hashes.clone())
}

fn release(project: &Project, reference: &Reference, index: &IndexProject) -> Result<Target, Why> {
    let name = &reference.subject.name;
    let written =
        reference.pin.version.as_deref().filter(|version| *version != "latest" && *version != "*").unwrap_or("");
    let list = packages::fitting(written, index);
    let Some(newest) = list.first() else {
        return Err(Why::NothingFits(format!("no release of {name} fits `{written}`")));
    };
    let pythons = pythons(project);
    match packages::runs_on(newest, &pythons) {
        Some(true) => Ok(Target::of(Some(spelled(reference, &newest.version)), None)),
        _ => Err(Why::NothingFits(format!(
            "the newest release of {name} ({}) does not run on every Python of this project, so that each takes another one",
            newest.version
        ))),
    }
}

/// A version as the site of a Python reference spells it.
fn spelled(reference: &Reference, version: &str) -> String {
    let bare = reference.site.version.is_some_and(|slot| slot.lead == "@");
    if bare { version.to_string() } else { format!("=={version}") }
}

/// The Python minor versions that the project's own files name for its runs, sorted.
pub fn pythons(project: &Project) -> Vec<String> {
    let of = |(_, reference): (_, &Reference)| {
        let toolchain = reference.subject.ecosystem == Ecosystem::Toolchain && reference.role == Role::Python;
        let version = reference.pin.version.as_deref().filter(|_| toolchain)?;
        let number = order::read(version).filter(|number| number.before.trim_start_matches("python").is_empty())?;
        let [major, minor, ..] = number.numbers[..] else { return None };
        Some((major, minor))
    };
    let minors: BTreeSet<(u64, u64)> = project.references().filter_map(of).collect();
    minors.into_iter().map(|(major, minor)| format!("{major}.{minor}")).collect()
}
