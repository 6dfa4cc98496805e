//! What rules ask of installs: which packages are loose, who installs a file, which lock belongs to a project.
//! Has no opinion on the answers and knows no command line.

use super::lock::{Lock, LockTool, Verdict};
use super::manifest::{Manifest, ManifestKind};
use super::pin::Strength;
use super::pipeline::Job;
use super::project::{GateInstall, Project};
use super::reference::{Ecosystem, Origin, Reference};
use super::script::{Enforcement, InstallTool};
use super::source::join;
use super::span::SourceId;

/// Packages that install other packages: every job bootstraps with them.
const BOOTSTRAP: [&str; 3] = ["pip", "setuptools", "wheel"];

/// Programs that people install by name to run them: linters, builders, runners, uploaders.
const TOOLS: [&str; 48] = [
    "autoflake",
    "bandit",
    "black",
    "build",
    "bump2version",
    "check-jsonschema",
    "check-manifest",
    "cibuildwheel",
    "codecov",
    "codespell",
    "commitizen",
    "coverage",
    "coveralls",
    "cpplint",
    "detect-secrets",
    "djlint",
    "flake8",
    "flit",
    "hatch",
    "invoke",
    "isort",
    "j2lint",
    "maturin",
    "mypy",
    "nox",
    "pdm",
    "pip-audit",
    "pip-tools",
    "pipenv",
    "pipx",
    "poetry",
    "pre-commit",
    "prek",
    "pydocstyle",
    "pylint",
    "pyright",
    "pyupgrade",
    "reuse",
    "ruff",
    "safety",
    "semgrep",
    "tox",
    "tox-uv",
    "towncrier",
    "twine",
    "uv",
    "yamllint",
    "zizmor",
];

/// The lock that a tool keeps for its project.
pub fn own_lock(tool: InstallTool) -> Option<LockTool> {
    match tool {
        InstallTool::Uv => Some(LockTool::Uv),
        InstallTool::Poetry => Some(LockTool::Poetry),
        InstallTool::Pdm => Some(LockTool::Pdm),
        InstallTool::Pipenv => Some(LockTool::Pipenv),
        InstallTool::Pixi => Some(LockTool::Pixi),
        _ => None,
    }
}

/// Whether a package installs other packages (`pip`, `setuptools`, `wheel`).
pub fn is_bootstrap(name: &str) -> bool {
    BOOTSTRAP.contains(&name)
}

/// Whether a package is a program that people run by name, rather than a library that code imports.
pub fn is_tool(name: &str) -> bool {
    TOOLS.contains(&name) || name.starts_with("flake8-") || name.starts_with("mypy-")
}

/// Whether words say that something tests against the newest releases on purpose: there, loose is right.
pub fn speaks_of_newest(words: &str) -> bool {
    const WORDS: [&str; 12] = [
        "latest",
        "upstream",
        "nightly",
        "canary",
        "newest",
        "bleeding",
        "prerelease",
        "prereleases",
        "unpinned",
        "unlocked",
        "devdeps",
        "scientific-python-nightly-wheels",
    ];
    words.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
}

impl Reference {
    /// Whether a package of an index, or one behind a plain URL, can become another one without an edit. What cannot be seen is not loose;
    /// version control URLs and local paths are asked about elsewhere.
    pub fn is_loose(&self) -> bool {
        matches!(self.subject.ecosystem, Ecosystem::Pypi | Ecosystem::Conda)
            && matches!(self.origin, Origin::Registry | Origin::Url(_))
            && self.effective().is_some_and(|strength| strength < Strength::Exact)
    }

    /// As a person would write it: name and version.
    pub fn shown(&self) -> String {
        match &self.pin.version {
            Some(version) if matches!(self.subject.ecosystem, Ecosystem::Npm | Ecosystem::Go) => {
                format!("{}@{version}", self.subject.name)
            }
            Some(version) if version.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '*') => {
                format!("{} {version}", self.subject.name)
            }
            Some(version) => format!("{}{version}", self.subject.name),
            None => self.subject.name.clone(),
        }
    }
}

impl GateInstall {
    /// Whether pip or `uv pip` runs it: installers that know requirements files and constraints.
    pub fn is_pip(&self) -> bool {
        matches!(self.install.tool, InstallTool::Pip | InstallTool::UvPip | InstallTool::PipSync)
    }
}

impl Project {
    /// The job that runs an install, when a job does.
    pub fn job_of(&self, install: &GateInstall) -> Option<&Job> {
        let &(source, pipeline, job) = self.gate.jobs.get(&install.reach.who)?;
        self.facts_of(source).pipelines.get(pipeline)?.jobs.get(job)
    }

    /// Whether the job's key, name or file says that it tests against the newest releases.
    pub fn wants_newest(&self, install: &GateInstall) -> bool {
        speaks_of_newest(&install.reach.who) || self.job_of(install).is_some_and(|job| speaks_of_newest(&job.name))
    }

    /// Whether the install stands in an environment of tox or nox, which are judged by themselves.
    pub fn is_in_environment(&self, install: &GateInstall) -> bool {
        let manifests = &self.facts_of(install.source).manifests;
        manifests.iter().any(|manifest| matches!(manifest.kind, ManifestKind::Tox | ManifestKind::Nox))
    }

    /// The references of a manifest in order.
    pub fn entries_of<'p>(&'p self, manifest: &'p Manifest) -> impl Iterator<Item = &'p Reference> {
        manifest.entries.iter().map(|entry| self.reference(entry.reference))
    }

    /// Whether these files hold `name`: by a line for every environment, or by lines for several that are all pinned.
    pub fn holds(&self, files: &[SourceId], name: &str) -> bool {
        let manifests = files.iter().flat_map(|&source| &self.facts_of(source).manifests);
        let lines = manifests.flat_map(|manifest| self.entries_of(manifest));
        let lines: Vec<&Reference> = lines.filter(|reference| reference.subject.name == name).collect();
        let pinned = |reference: &Reference| reference.effective().is_some_and(|strength| strength >= Strength::Exact);
        let everywhere = lines.iter().any(|line| line.marker.is_none() && pinned(line));
        everywhere || !lines.is_empty() && lines.iter().all(|line| pinned(line))
    }

    /// Packages that an install names on its command line and that nothing holds.
    pub fn loose_names<'p>(&'p self, install: &'p GateInstall) -> Vec<&'p Reference> {
        if install.install.no_index {
            return Vec::new();
        }
        // A project's own package without its requirements is one that was built before.
        let built = |name: &str| {
            let own = || self.manifests().any(|manifest| manifest.name.as_deref() == Some(name));
            install.install.no_deps && (install.install.local_links || own())
        };
        let held = |name: &str| self.holds(&install.constraints, name) || self.holds(&install.files, name);
        let named = install.install.references.iter().map(|&id| self.reference(id));
        named
            .filter(|reference| {
                let name = &reference.subject.name;
                reference.is_loose() && !held(name) && !built(name) && !self.synced_before(install, name)
            })
            .collect()
    }

    /// Whether a locked sync earlier in the job put the package there: `uv pip install NAME` without `-U` then leaves it alone.
    fn synced_before(&self, install: &GateInstall, name: &str) -> bool {
        let before = self.gate.installs.iter().take_while(|other| !std::ptr::eq(*other, install));
        let is_sync = |other: &&GateInstall| {
            let locked = matches!(other.install.enforcement, Enforcement::Checked | Enforcement::Frozen);
            other.install.tool == InstallTool::Uv && (locked || other.enforced) && other.reach.who == install.reach.who
        };
        let locks = before.filter(is_sync).flat_map(|other| &other.projects);
        let mut locks = locks.filter_map(|&project| self.lock_above(self.source(project).folder(), &[LockTool::Uv]));
        install.install.tool == InstallTool::UvPip
            && !install.install.upgrade
            && locks.any(|lock| lock.packages.iter().any(|package| package.name == name))
    }

    /// Files that a manifest only constrains with (`-c`).
    pub fn own_constraints(&self, manifest: &Manifest) -> Vec<SourceId> {
        let folder = self.source(manifest.at.source).folder();
        let paths = manifest.includes.iter().filter(|include| include.constraint);
        paths.filter_map(|include| Some(self.sources.find_from(folder, &include.path.text)?.id)).collect()
    }

    /// The lock that `tools` keep for the project in `folder`: there, or above it for a workspace.
    pub fn lock_above(&self, folder: &str, tools: &[LockTool]) -> Option<&Lock> {
        let mut at = Some(folder);
        while let Some(here) = at {
            let found = self.lock_files().find(|lock| {
                tools.contains(&lock.tool)
                    && self.source(lock.at.source).folder() == here
                    && !is_script_lock(self.path(lock.at))
            });
            if found.is_some() {
                return found;
            }
            at = if here.is_empty() { None } else { Some(here.rsplit_once('/').map_or("", |(above, _)| above)) };
        }
        None
    }

    /// Whether a lock is known to describe its manifest.
    pub fn is_fresh(&self, lock: &Lock) -> bool {
        self.locks.iter().any(|state| state.lock == lock.at.source && matches!(state.verdict, Verdict::Fresh))
    }

    /// The file at a path as seen from the folder of `source`.
    pub fn beside(&self, source: SourceId, path: &str) -> Option<SourceId> {
        let found = join(self.source(source).folder(), path)?;
        self.sources.find(&found).map(|source| source.id)
    }
}

/// `script.py.lock` belongs to a script and to no project.
fn is_script_lock(path: &str) -> bool {
    path.ends_with(".py.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_jobs_tell_when_loose_is_wanted() {
        for who in
            ["job `upstream-dev` of ci.yml", "job `test-latest` of x", "job `x` of .github/workflows/nightly.yml"]
        {
            assert!(speaks_of_newest(who), "{who}");
        }
        assert!(!speaks_of_newest("job `test` of .github/workflows/ci.yml"));
    }
}
