//! What a reference could move to within the policy, newest first, and which of it is old enough. Asks nobody.

use super::topic::{self, Places};
use super::{images, lines, packages, ranges, refs, spell, versions};
use super::{security, select};
use crate::config::upgrade::{RangeStrategy, Upgrade};
use crate::ecosystems::{git, oci, pypi};
use crate::model::change::Why;
use crate::model::edit::Edit;
use crate::model::knowledge::{IndexProject, Knowledge, Known, Topic};
use crate::model::manifest::ManifestKind;
use crate::model::pin::{Pin, Strength};
use crate::model::policy::Demand;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Origin, Reference, ReferenceId, Role};
use crate::model::span::SourceId;
use crate::model::wish::{Because, Goal, Reach};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// When candidates were released, by topic and name of the candidate (a tag, a version, a digest). `None`: nobody knows.
pub type Dates = BTreeMap<(Topic, String), Option<Timestamp>>;

/// What stands before a tag that is written in full.
const FULL: &str = "refs/tags/";

/// How many candidates of one thing are looked at, newest first, for one that is old enough.
pub const MOST: usize = 5;

/// A reference that may move, before anything about its targets is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub reference: ReferenceId,
    /// What to ask about.
    pub topic: Topic,
    /// How far it may go.
    pub reach: Reach,
    /// What it is at: a tag, a version, as compared with candidates.
    pub now: String,
    /// How firmly it should be held afterwards.
    pub strength: Strength,
    /// What happens to its range, if it has one.
    pub range: RangeStrategy,
}

/// A reference that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub reference: ReferenceId,
    /// What it is at, in words.
    pub from: String,
    /// What it moves to, in words.
    pub to: String,
    /// The edits of its file; none when only a lock moves.
    pub edits: Vec<Edit>,
    /// The lock that has to be made anew, and the version that it should hold then. The file of the reference itself: its lines are
    /// raised together with what has to move with them.
    pub relock: Option<(SourceId, String)>,
    /// When the target was released.
    pub released: Option<Timestamp>,
    /// Why.
    pub because: Vec<Because>,
    /// A word that the pin does not say.
    pub remark: Option<String>,
}

impl Step {
    /// Whether it mends a known vulnerability.
    pub fn is_security(&self) -> bool {
        self.because.iter().any(|because| matches!(because, Because::Vulnerable(_)))
    }

    /// Whether it is a line of a requirements file that is raised by editing.
    pub fn is_line(&self) -> bool {
        self.relock.as_ref().is_some_and(|(lock, _)| *lock == self.reference.source)
    }
}

/// The references that the policy lets move. What it leaves alone comes back with the reason; what no registry knows is left out.
pub fn wanted(project: &Project, policy: &Upgrade, places: &Places) -> (Vec<Wanted>, Vec<(ReferenceId, Why)>) {
    let (mut list, mut held) = (Vec::new(), Vec::new());
    for (id, reference) in project.references() {
        if project.asleep(id.source) || matches!(reference.origin, Origin::Url(_)) {
            continue;
        }
        let Some(topic) = topic::of(reference, places) else {
            // What runs in CI and moves is not left out in silence.
            let moves = matches!(reference.subject.ecosystem, Ecosystem::Orb | Ecosystem::Git);
            if moves && reference.origin != Origin::Local && reference.strength < Some(Strength::Immutable) {
                held.push((id, topic::nobody(reference)));
            }
            continue;
        };
        match one(project, id, reference, topic, policy) {
            Ok(Some(wanted)) => list.push(wanted),
            Ok(None) => {}
            Err(why) => held.push((id, why)),
        }
    }
    held.extend(lines::orphans(project).into_iter().filter(|(id, _)| !project.asleep(id.source)));
    (list, held)
}

fn one(
    project: &Project,
    id: ReferenceId,
    reference: &Reference,
    topic: Topic,
    policy: &Upgrade,
) -> Result<Option<Wanted>, Why> {
    let written = match reference.strength {
        None => return Err(Why::Computed),
        Some(written) => written,
    };
    let Some(now) = now(project, reference) else { return Ok(None) };
    if let Some(why) = policy.refuses(&reference.subject) {
        return Err(Why::Policy(why));
    }
    let demand = match (reference.subject.ecosystem, reference.role) {
        (_, Role::Hook) => Demand::Hooks,
        (Ecosystem::Git, _) => Demand::Components,
        (Ecosystem::Oci, _) => Demand::Images,
        _ => Demand::Requirements,
    };
    // What is loose gets the form that `check --fix` gives; what is exact keeps the form that its owner chose.
    let own = if written == Strength::Exact { Strength::Exact } else { Strength::Immutable };
    let strength = own.max(project.policy.demanded(demand).unwrap_or(Strength::Exact));
    let strength = if topic.subject.ecosystem == Ecosystem::Pypi { Strength::Exact } else { strength };
    let range = range_strategy(project, reference, policy.ranges);
    if range == RangeStrategy::InRangeOnly
        && topic.subject.ecosystem == Ecosystem::Pypi
        && range_of(reference).is_none()
    {
        return Err(Why::Policy(
            "`[upgrade] range-strategy` is \"in-range-only\", and this is one version".to_string(),
        ));
    }
    Ok(Some(Wanted { reference: id, topic, reach: policy.reach(&reference.subject), now, strength, range }))
}

/// The ranges that a project publishes are never made narrower: whoever installs it has to live with them.
fn range_strategy(project: &Project, reference: &Reference, wanted: RangeStrategy) -> RangeStrategy {
    let kinds = [ManifestKind::Pyproject, ManifestKind::Setup];
    let manifests = &project.facts_of(reference.site.whole.source).manifests;
    let published = manifests.iter().any(|manifest| kinds.contains(&manifest.kind))
        && matches!(reference.role, Role::Runtime | Role::Extra | Role::Build);
    match wanted {
        RangeStrategy::Pin | RangeStrategy::Bump | RangeStrategy::Replace if published => RangeStrategy::Auto,
        wanted => wanted,
    }
}

/// What a reference is at. `None`: it names nothing that has a successor (a range without a lock takes the newest by itself).
fn now(project: &Project, reference: &Reference) -> Option<String> {
    let written = reference.pin.version.as_deref();
    match reference.subject.ecosystem {
        // A release that is taken from its repository: the tag moves, where no lock holds it.
        Ecosystem::Pypi if matches!(reference.origin, Origin::Vcs(_)) => {
            let free = reference.held.is_none() && lines::are_own(project, reference.site.whole.source);
            let tag = reference.noted.as_deref().or(written).filter(|_| free)?;
            (git::ref_strength(tag) == Strength::Exact).then(|| tag.to_string())
        }
        Ecosystem::Pypi => {
            let held = reference.held.as_ref().map(|held| held.version.clone()).filter(|version| !version.is_empty());
            // The lines of a compiled file are a lock's: what asks for them moves them.
            let source = reference.site.whole.source;
            let in_lock = !project.facts_of(source).locks.is_empty() && !lines::are_own(project, source);
            held.or_else(|| exact(written?)).filter(|_| !in_lock)
        }
        Ecosystem::Git => {
            let name = reference.noted.as_deref().or(written)?;
            Some(name.strip_prefix(FULL).unwrap_or(name).to_string())
        }
        Ecosystem::Oci => Some(written.unwrap_or(select::NO_TAG).to_string()),
        // What is loose is for `check --fix` to pin; here whole versions move on.
        _ => written.filter(|_| reference.strength == Some(Strength::Exact)).map(|text| text.trim().to_string()),
    }
}

/// The version of `==X`, or of `X` where only a version can stand.
pub fn exact(written: &str) -> Option<String> {
    let bare = written.trim().trim_start_matches("==").trim();
    let is_version =
        bare.starts_with(|c: char| c.is_ascii_digit()) && !bare.contains([',', '*', ' ', '<', '>', '!', '~', ';']);
    is_version.then(|| bare.to_string())
}

/// Names that a reference could move to, newest first: tags of images and of git, versions of packages.
pub fn candidates(project: &Project, wanted: &Wanted, knowledge: &Knowledge) -> Vec<String> {
    let reference = project.reference(wanted.reference);
    match knowledge.of(&wanted.topic) {
        Some(Ok(Known::Registry(repository))) => {
            let tags = repository.tags.as_deref().unwrap_or_default();
            images::newer(&wanted.now, tags, wanted.reach).into_iter().map(str::to_string).take(MOST).collect()
        }
        Some(Ok(Known::Host(refs))) => {
            let tag = wanted.now.as_str();
            refs::newer(tag, refs, wanted.reach).into_iter().map(|tag| tag.name.clone()).take(MOST).collect()
        }
        Some(Ok(Known::Versions(published))) => {
            let newer = versions::newer(&wanted.now, published, wanted.reach);
            newer.into_iter().map(str::to_string).take(MOST).collect()
        }
        Some(Ok(Known::Index(index))) => {
            let pythons = select::pythons(project);
            let range = range_of(reference);
            packages::newer(&wanted.now, index, wanted.reach)
                .into_iter()
                .filter(|release| packages::runs_on(release, &pythons) != Some(false))
                .filter(|release| {
                    range.is_none_or(|range| {
                        pypi::satisfies(range, &release.version) != Some(false)
                            || ranges::moved(wanted.range, range, &release.version).is_some()
                    })
                })
                .map(|release| release.version.clone())
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The range that a lock moves within: what is written stays as it is.
fn range_of(reference: &Reference) -> Option<&str> {
    let written = reference.pin.version.as_deref()?;
    (reference.held.is_some() && exact(written).is_none()).then_some(written)
}

/// Tags whose digests have to be known before an image can move to `candidate`.
pub fn tags_to_ask(project: &Project, wanted: &Wanted, candidate: &str, tags: &[String]) -> Vec<String> {
    let name = &project.reference(wanted.reference).subject.name;
    let more = images::more_exact(name, candidate, tags);
    let more = more.into_iter().filter(|_| oci::tag_strength(name, candidate) < Strength::Exact);
    std::iter::once(candidate).chain(more).map(str::to_string).collect()
}

/// What the cooldown says of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Age {
    /// It may be taken; when it was released, where that is known.
    Ripe(Option<Timestamp>),
    /// It may be taken from then on.
    Young(Timestamp),
    /// Nobody knows.
    Unknown,
}

/// Whether a candidate is old enough.
pub fn age(wanted: &Wanted, candidate: &str, days: u32, dates: &Dates, now: Timestamp) -> Age {
    let released = dates.get(&(wanted.topic.clone(), candidate.to_string())).copied().flatten();
    let wait = i64::from(days) * 24;
    match released {
        None if days == 0 => Age::Ripe(None),
        None => Age::Unknown,
        Some(at) => match at.checked_add(wait.hours()) {
            Ok(ripe) if ripe > now => Age::Young(ripe),
            _ => Age::Ripe(Some(at)),
        },
    }
}

/// What a run is decided with.
pub struct Around<'a> {
    /// The facts of the base.
    pub project: &'a Project,
    /// What registries answered.
    pub knowledge: &'a Knowledge,
    /// When candidates were released.
    pub dates: &'a Dates,
    /// What the configuration wants.
    pub policy: &'a Upgrade,
    /// Servers of names without a host.
    pub places: &'a Places,
    /// Now.
    pub now: Timestamp,
}

/// Decides one reference: `None` when it is at the newest that it may be at.
pub fn step(around: &Around<'_>, wanted: &Wanted) -> Result<Option<Step>, Why> {
    let Around { project, knowledge, dates, policy, now, .. } = *around;
    let reference = project.reference(wanted.reference);
    match knowledge.of(&wanted.topic) {
        None => return Err(Why::NoRegistry),
        Some(Err(miss)) => return Err(Why::Unknown(miss.clone())),
        Some(Ok(_)) => {}
    }
    let list = candidates(project, wanted, knowledge);
    let index = knowledge.index(&wanted.topic);
    if let Some(danger) = index.and_then(|index| security::Danger::of(&wanted.now, index))
        && let Some(step) = mended(around, wanted, &list, &danger)?
    {
        return Ok(Some(step));
    }
    let (days, because) = match index.and_then(|index| yanked(&wanted.now, index)) {
        Some(because) => (policy.security_days(reference.subject.ecosystem), because),
        None => (policy.days(reference.subject.ecosystem), Because::Newer),
    };
    let mut young = None;
    for candidate in &list {
        match age(wanted, candidate, days, dates, now) {
            Age::Ripe(released) => return moved(around, wanted, candidate, released, because).map(Some),
            Age::Young(ripe) => young = young.or(Some(Why::TooYoung(ripe.strftime("%Y-%m-%d").to_string()))),
            Age::Unknown => young = young.or(Some(Why::AgeUnknown)),
        }
    }
    match young {
        Some(why) => Err(why),
        None => refreshed(around, wanted),
    }
}

/// Whether a version was withdrawn, and why.
fn yanked(version: &str, index: &IndexProject) -> Option<Because> {
    let release = index.releases.iter().find(|release| release.version == version)?;
    release.yanked.clone().map(Because::Yanked)
}

/// The step to a release without the known vulnerabilities: the newest that is old enough, else the nearest one, which does not wait.
fn mended(
    around: &Around<'_>,
    wanted: &Wanted,
    list: &[String],
    danger: &security::Danger<'_>,
) -> Result<Option<Step>, Why> {
    let Around { policy, dates, now, .. } = *around;
    let ecosystem = wanted.topic.subject.ecosystem;
    let good: Vec<&String> = list.iter().filter(|candidate| danger.is_mended_by(candidate)).collect();
    let within =
        |days: u32| move |candidate: &&&String| matches!(age(wanted, candidate, days, dates, now), Age::Ripe(_));
    let days = policy.days(ecosystem);
    let ripe = good.iter().find(within(days));
    let waits = ripe.is_some();
    let Some(found) = ripe.or_else(|| good.iter().rev().find(within(policy.security_days(ecosystem)))) else {
        return Ok(None);
    };
    let released = dates.get(&(wanted.topic.clone(), found.to_string())).copied().flatten();
    let mut step = moved(around, wanted, found, released, Because::Newer)?;
    step.because = danger.because();
    step.remark = Some(danger.words(&wanted.topic.subject.name, found, (!waits).then_some(days)));
    Ok(Some(step))
}

/// The step to a candidate.
fn moved(
    around: &Around<'_>,
    wanted: &Wanted,
    candidate: &str,
    released: Option<Timestamp>,
    because: Because,
) -> Result<Step, Why> {
    let project = around.project;
    let reference = project.reference(wanted.reference);
    if wanted.topic.subject.ecosystem == Ecosystem::Pypi {
        return package(project, wanted, candidate, released, because);
    }
    let (to, mut remark) = target(around, wanted, candidate)?;
    let edits = spell::edits(&project.sources, reference, &to)?;
    let from = shown(&reference.pin, reference.noted.as_deref());
    let to = shown(&to, None);
    if reference.subject.ecosystem == Ecosystem::Pypi {
        remark = Some("What it needs at the new tag was not resolved with the other requirements".to_string());
    }
    let reference = wanted.reference;
    Ok(Step { reference, from, to, edits, relock: None, released, because: vec![because], remark })
}

/// The same name with what it stands for today: a digest-only step, or a loose reference that gets held.
fn refreshed(around: &Around<'_>, wanted: &Wanted) -> Result<Option<Step>, Why> {
    let Around { project, dates, policy, now, .. } = *around;
    let reference = project.reference(wanted.reference);
    let ecosystem = reference.subject.ecosystem;
    let loose = reference.strength < Some(Strength::Exact);
    let has_digest = !reference.pin.digests.is_empty();
    // A tag of git does not move by right; what a moved one stands for is for `check` to say.
    let by_name = matches!(ecosystem, Ecosystem::Oci | Ecosystem::Git);
    if !by_name || ecosystem == Ecosystem::Git && has_digest || !loose && !has_digest {
        return Ok(None);
    }
    if ecosystem == Ecosystem::Git
        && git::ref_strength(&wanted.now) <= Strength::Floating(crate::model::pin::Precision::Word)
    {
        return Err(Why::Policy("it follows a branch; `pinguard check --fix` holds it".to_string()));
    }
    if has_digest && reference.pin.version.is_none() {
        return Err(Why::NothingFits("a digest without a tag says nothing of what is newer".to_string()));
    }
    let (to, remark) = target(around, wanted, &wanted.now)?;
    let edits = spell::edits(&project.sources, reference, &to)?;
    if edits.is_empty() {
        return Ok(None);
    }
    let digest = to.digests.first().cloned().unwrap_or_default();
    let mut released = None;
    if has_digest {
        match age(wanted, &digest, policy.days(ecosystem), dates, now) {
            Age::Ripe(at) => released = at,
            Age::Young(ripe) => return Err(Why::TooYoung(ripe.strftime("%Y-%m-%d").to_string())),
            Age::Unknown => return Err(Why::AgeUnknown),
        }
    }
    let (from, to) = (shown(&reference.pin, reference.noted.as_deref()), shown(&to, None));
    let because = vec![Because::Newer];
    Ok(Some(Step { reference: wanted.reference, from, to, edits, relock: None, released, because, remark }))
}

/// The pin that a name stands for, held as firmly as wanted.
fn target(around: &Around<'_>, wanted: &Wanted, name: &str) -> Result<(Pin, Option<String>), Why> {
    let reference = around.project.reference(wanted.reference);
    if let Some(Ok(Known::Versions(_))) = around.knowledge.of(&wanted.topic) {
        let version = versions::spelled(&wanted.now, name);
        return Ok((Pin { version: Some(version), digests: Vec::new() }, None));
    }
    let is_exact = match reference.subject.ecosystem {
        Ecosystem::Oci => oci::tag_strength(&reference.subject.name, name) >= Strength::Exact,
        _ => git::ref_strength(name) >= Strength::Exact,
    };
    if wanted.strength < Strength::Immutable && is_exact {
        // A tag that is written in full stays so.
        let full = reference.pin.version.as_deref().is_some_and(|written| written.starts_with(FULL));
        let version = if full { format!("{FULL}{name}") } else { name.to_string() };
        return Ok((Pin { version: Some(version), digests: Vec::new() }, None));
    }
    let mut there = reference.clone();
    // It is asked what the new name stands for, not whether the old pin is firm enough.
    there.strength = Some(Strength::Unspecified);
    there.pin = Pin { version: Some(name.to_string()), digests: Vec::new() };
    let goal = Goal::hold(Strength::Immutable);
    let target = select::target(around.project, &there, goal, around.knowledge, around.places)?;
    Ok((target.to, target.remark))
}

fn package(
    project: &Project,
    wanted: &Wanted,
    version: &str,
    released: Option<Timestamp>,
    because: Because,
) -> Result<Step, Why> {
    let reference = project.reference(wanted.reference);
    let written = reference.pin.version.as_deref().unwrap_or("");
    let mut edits = Vec::new();
    if exact(written).is_some() {
        let text = written.replacen(&wanted.now, version, 1);
        let to = Pin { version: Some(text), digests: Vec::new() };
        edits = spell::edits(&project.sources, reference, &to)?;
    } else if let Some(text) = ranges::moved(wanted.range, written, version) {
        let to = Pin { version: Some(text), digests: Vec::new() };
        edits = spell::edits(&project.sources, reference, &to)?;
    }
    let mut relock = reference.held.as_ref().map(|held| (held.lock, version.to_string()));
    if relock.is_none() && lines::are_own(project, wanted.reference.source) {
        relock = Some((wanted.reference.source, version.to_string()));
        edits.clear();
    }
    let (from, to, reference) = (wanted.now.clone(), version.to_string(), wanted.reference);
    Ok(Step { reference, from, to, edits, relock, released, because: vec![because], remark: None })
}

/// A pin in words: its name, else the beginning of its digest.
fn shown(pin: &Pin, noted: Option<&str>) -> String {
    let digest = pin.digests.first().map(|digest| {
        let bare = digest.strip_prefix("sha256:").unwrap_or(digest);
        bare.chars().take(12).collect::<String>()
    });
    match (pin.version.as_deref().or(noted), digest) {
        (Some(version), Some(digest)) => format!("{version} ({digest})"),
        (Some(version), None) => version.to_string(),
        (None, Some(digest)) => digest,
        (None, None) => "nothing".to_string(),
    }
}
