//! The Python resolver: requirements and the answers of an index to one closed set of versions. Asks the world through
//! [`listing::Index`] and nothing else; builds nothing.
//!
//! # For callers
//!
//! Fill a [`Request`] and call [`resolve`]:
//!
//! - `requirements`, `constraints`, `overrides`: what the inputs say (`inputs::read` gathers them from files, with file and line).
//! - `pins`: what the file to be replaced holds. A package that nobody asks to move stays where it is; leave a pin out to let it move.
//! - `fixed`: versions that must come out, such as the target of an upgrade (`X==V`). Choose V first, then fix it: so nothing moves but what
//!   has to.
//! - `policy.cutoff`: the newest upload time that counts, for the whole closure.
//! - `target`: one environment, or universal.
//!
//! The [`Solution`] holds every package with version, marker, hashes, the dates of its files, and who asks for it;
//! `write` turns it into the text of a requirements file or a `pylock.toml`. A version that could be known only by a build ends in an
//! error that says so, unless `known` has its needs from the old lock.

pub mod bounds;
pub mod choose;
pub mod file;
pub mod graph;
pub mod inputs;
pub mod listing;
pub mod marker;
pub mod metadata;
pub mod odds;
mod report;
pub mod requirement;
pub mod solve;
pub mod standing;
pub mod wheel;
pub mod write;

use bounds::PythonRange;
use choose::{Chooser, Policy, Preference, Prereleases, Target};
use listing::Index;
use marker::Marker;
use metadata::Metadata;
use pep440_rs::{Operator, Version};
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};
use requirement::{Name, Requirement, Source};
use solve::fork::Environment;
use solve::needs::Rules;
use solve::{Failed, Solver};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use wheel::{Os, Platform};

/// A question to the resolver.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the inputs ask for.
    pub requirements: Vec<Requirement>,
    /// What limits versions without asking for them.
    pub constraints: Vec<Requirement>,
    /// What replaces the needs of packages.
    pub overrides: Vec<Requirement>,
    /// What the earlier file holds, to be kept where nothing else is asked.
    pub pins: Vec<Pin>,
    /// Versions that must come out.
    pub fixed: Vec<(Name, Version)>,
    /// For which Pythons and platforms.
    pub target: For,
    /// How versions are chosen.
    pub policy: Policy,
    /// Needs of versions from an earlier lock, for source distributions whose metadata is not static.
    pub known: HashMap<(Name, Version), Arc<Metadata>>,
}

/// For which Pythons and platforms.
#[derive(Debug, Clone)]
pub enum For {
    /// CPython of a version on a platform.
    One {
        /// Such as `3.12` or `3.12.4`.
        python: Version,
        /// The platform.
        platform: Platform,
    },
    /// Every platform, for a range of Pythons.
    Universal {
        /// The range.
        python: PythonRange,
    },
}

/// A version that an earlier file holds.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The project.
    pub name: Name,
    /// The version.
    pub version: Version,
    /// Where it holds.
    pub marker: Marker,
    /// Its hashes.
    pub hashes: Vec<String>,
}

/// A closed set.
#[derive(Debug)]
pub struct Solution {
    /// The packages, by name and version.
    pub packages: Vec<graph::Package>,
    /// The Pythons it is for.
    pub python: PythonRange,
    /// The parts it was solved in, when there was more than one.
    pub forks: Vec<Marker>,
    /// Every version with each of its extras, for layouts that keep extras apart.
    pub with_extras: Vec<(Name, Version, Option<Name>, Marker)>,
}

/// Why there is no closed set. The text says what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsolved {
    /// The requirements contradict each other, or the index does not have what they ask for.
    Contradiction(Contradiction),
    /// The world did not answer.
    World(String),
}

/// What contradicts what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The chain of facts.
    pub text: String,
    /// Where it is one.
    pub holds: Holds,
}

/// Where something cannot be resolved, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// In some of the environments that were asked for.
    InPart,
    /// In all of them.
    Here,
    /// In all of them, and for any later range of Pythons as well: no fact of the chain speaks of a Python or a platform.
    Always,
}

impl fmt::Display for Unsolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsolved::Contradiction(Contradiction { text, .. }) | Unsolved::World(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Unsolved {}

impl Unsolved {
    /// What is wrong with the inputs themselves.
    pub fn said(text: String) -> Unsolved {
        Unsolved::Contradiction(Contradiction { text, holds: Holds::Here })
    }
}

/// The environment of CPython `python` on a platform, as uv fills it in.
pub fn environment(python: &Version, platform: Platform) -> Option<MarkerEnvironment> {
    let release = python.release();
    let (major, minor) = (release.first().copied()?, release.get(1).copied().unwrap_or(0));
    let full = match release.get(2) {
        Some(_) => python.to_string(),
        None => format!("{major}.{minor}.0"),
    };
    let (os, system, name) = match platform.os {
        Os::Windows => ("nt", "Windows", "win32"),
        Os::Mac(..) => ("posix", "Darwin", "darwin"),
        Os::Glibc(_) | Os::Musl(_) => ("posix", "Linux", "linux"),
    };
    let builder = MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: os,
        platform_machine: platform.machine,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: system,
        platform_version: "",
        python_full_version: &full,
        python_version: &format!("{major}.{minor}"),
        sys_platform: name,
    };
    MarkerEnvironment::try_from(builder).ok()
}

/// Finds a closed set.
pub fn resolve(request: &Request, index: &dyn Index) -> Result<Solution, Unsolved> {
    let (environment, pythons, target) = place(&request.target)?;
    let mut chooser = chooser_of(request, &environment, target);
    let holds = |one: &Requirement| environment.holds(&one.marker) && environment.meets(&one.marker);
    let mut constraints = request.constraints.clone();
    for (name, version) in &request.fixed {
        chooser.pinned.entry(name.clone()).or_default().insert(version.clone());
        constraints.push(fixed(name, version));
    }
    let pins: Vec<&Pin> = request.pins.iter().filter(|pin| environment.holds(&pin.marker)).collect();
    let mut preferences: HashMap<Name, Vec<Preference>> = HashMap::new();
    for pin in &pins {
        chooser.pinned.entry(pin.name.clone()).or_default().insert(pin.version.clone());
        let one = Preference { marker: Marker::always(), version: pin.version.clone(), earlier: true };
        preferences.entry(pin.name.clone()).or_default().push(one);
    }
    let chooser = Arc::new(chooser);
    let rules = Rules::new(&constraints, &request.overrides);
    let names: HashSet<&Name> = request.requirements.iter().filter(|one| holds(one)).map(|one| &one.name).collect();
    names.into_iter().for_each(|name| index.soon(name, None));
    let solver = Solver {
        index,
        chooser: &chooser,
        requirements: &request.requirements,
        rules: &rules,
        environment: environment.clone(),
        pythons: pythons.clone(),
        preferences,
        earlier: &request.known,
        missing: HashMap::new(),
    };
    let parts = solver.solve().map_err(|failed| match failed {
        Failed::Stopped(text) => Unsolved::World(text),
        Failed::NoSolution(tree, part) => {
            let words = report::Words {
                requirements: &request.requirements,
                constraints: &constraints,
                overrides: &request.overrides,
                index,
                chooser: &chooser,
            };
            Unsolved::Contradiction(words.explain(&tree, &part))
        }
    })?;
    let sources = graph::Sources {
        index,
        chooser: &chooser,
        inputs: [&request.requirements, &request.constraints, &request.overrides],
        earlier: &request.pins,
        counts: &|one| environment.holds(&one.marker),
    };
    Ok(graph::join(&parts, pythons, &sources))
}

/// Chooses as a request wants it.
fn chooser_of(request: &Request, environment: &Environment, target: Target) -> Chooser {
    let mut chooser = Chooser::new(request.policy.clone(), target);
    let holds = |one: &Requirement| environment.holds(&one.marker) && environment.meets(&one.marker);
    let all = || request.requirements.iter().chain(&request.constraints).chain(&request.overrides);
    for one in all().filter(|one| holds(one)) {
        if let Some(version) = one.exact() {
            chooser.pinned.entry(one.name.clone()).or_default().insert(version.clone());
        }
        if request.policy.prereleases == Prereleases::Named && names_prerelease(one) {
            chooser.named_prereleases.insert(one.name.clone());
        }
    }
    chooser.direct = request.requirements.iter().filter(|one| holds(one)).map(|one| one.name.clone()).collect();
    chooser
}

fn place(target: &For) -> Result<(Environment, PythonRange, Target), Unsolved> {
    match target {
        For::One { python, platform } => {
            let own = environment(python, *platform)
                .ok_or_else(|| Unsolved::said(format!("`{python}` is no version of Python")))?;
            let minor = python.release().get(1).copied().unwrap_or(0);
            let one = Environment::One(Box::new(own));
            Ok((one, PythonRange::from(python), Target::One(minor, *platform)))
        }
        For::Universal { python } => {
            let all = Environment::Many(Marker::always());
            Ok((all, python.clone(), Target::Universal(python.clone())))
        }
    }
}

fn fixed(name: &Name, version: &Version) -> Requirement {
    let one = pep440_rs::VersionSpecifier::equals_version(version.clone());
    Requirement {
        name: name.clone(),
        extras: Vec::new(),
        source: Source::Index([one].into_iter().collect()),
        marker: Marker::always(),
        origin: None,
    }
}

fn names_prerelease(one: &Requirement) -> bool {
    let Source::Index(specifiers) = &one.source else { return false };
    let counts = |operator: &Operator| !matches!(operator, Operator::NotEqual | Operator::NotEqualStar);
    specifiers.iter().any(|one| counts(one.operator()) && one.any_prerelease())
}
