//! The one type for everything that is fetched by name: a requirement, an image, an action, a hook, a toolchain.
//! Does not know which format wrote it.

use super::pin::{Pin, Strength};
use super::span::{Location, SourceId};

/// The registry kind a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Python packages.
    Pypi,
    /// Container images, pipes, devcontainer features.
    Oci,
    /// Anything fetched from a git host: actions, hooks, includes.
    Git,
    /// CircleCI orbs.
    Orb,
    /// Conda packages.
    Conda,
    /// Node packages.
    Npm,
    /// Rust crates.
    Cargo,
    /// Go modules.
    Go,
    /// Debian packages.
    Apt,
    /// Interpreters, runners, tools named by version only.
    Toolchain,
}

impl Ecosystem {
    /// The word of the output formats.
    pub fn name(self) -> &'static str {
        match self {
            Ecosystem::Pypi => "pypi",
            Ecosystem::Oci => "oci",
            Ecosystem::Git => "git",
            Ecosystem::Orb => "orb",
            Ecosystem::Conda => "conda",
            Ecosystem::Npm => "npm",
            Ecosystem::Cargo => "cargo",
            Ecosystem::Go => "go",
            Ecosystem::Apt => "apt",
            Ecosystem::Toolchain => "toolchain",
        }
    }
}

/// What is referred to: a name as its registry knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// Which kind of registry.
    pub ecosystem: Ecosystem,
    /// `python` (not `library/python`), `owner/repo/sub`, PEP 503 form for Python packages.
    pub name: String,
}

macro_rules! roles {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a reference is for, at the place where it stands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role { $($(#[$doc])* $variant,)* }

        impl Role {
            /// Every role, in the order of the printed list.
            pub const ALL: &'static [Role] = &[$(Role::$variant,)*];

            /// The word of the output formats.
            pub fn name(self) -> &'static str {
                match self { $(Role::$variant => $name,)* }
            }
        }
    };
}

roles! {
    /// A requirement of the product.
    Runtime = "runtime",
    /// A requirement of an extra.
    Extra = "extra",
    /// A requirement of development, tests, documentation.
    Dev = "dev",
    /// A build requirement.
    Build = "build",
    /// An entry of a constraints file.
    Constraint = "constraint",
    /// A package named on an install command line.
    Install = "install",
    /// A tool run or installed by a command (`uvx`, `pipx`, `npx`, `cargo install`).
    Tool = "tool",
    /// A package of the operating system.
    System = "system",
    /// A component that a step uses (an action).
    CiStep = "ci-step",
    /// A reusable workflow, template, include or component of a pipeline.
    CiInclude = "ci-include",
    /// The image that a job runs in.
    CiImage = "ci-image",
    /// The image of a service beside a job.
    CiService = "ci-service",
    /// An image that a script runs or pulls.
    ScriptImage = "script-image",
    /// `FROM` of a Dockerfile.
    BaseImage = "base-image",
    /// `COPY --from`, `ADD --from`.
    CopyFrom = "copy-from",
    /// `RUN --mount=from=`.
    MountFrom = "mount-from",
    /// `# syntax=` of a Dockerfile.
    Frontend = "frontend",
    /// A service of a compose file.
    ComposeService = "compose-service",
    /// A container of a Kubernetes manifest, a kustomize image.
    Container = "container",
    /// The image of a development container.
    DevImage = "dev-image",
    /// A feature of a development container.
    DevFeature = "dev-feature",
    /// Manifests of another repository that a kustomization takes in.
    Manifests = "manifests",
    /// A pre-commit hook repository.
    Hook = "hook",
    /// An additional dependency of a hook.
    HookDependency = "hook-dependency",
    /// A Python interpreter.
    Python = "python",
    /// Another language or tool version.
    Toolchain = "toolchain",
    /// The machine that a job runs on.
    Runner = "runner",
    /// A repository cloned by a script.
    Clone = "clone",
    /// A file downloaded by a script.
    Download = "download",
}

/// Where the content of a reference comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The registry of its ecosystem.
    Registry,
    /// A version control URL (without credentials).
    Vcs(String),
    /// A direct URL (without credentials).
    Url(String),
    /// A path in the tree.
    Path(String),
    /// This repository itself (a local action, a stage).
    Local,
}

/// A place for one part of a pin: empty when the part is absent, else lead and part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// What is replaced.
    pub at: Location,
    /// What stands before the part: `:`, `@`, `  # frozen: `, an empty text.
    pub lead: &'static str,
}

/// Where a reference stands and where the parts of its pin are, or would be, written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The reference as a whole (`python:3.12@sha256:…`).
    pub whole: Location,
    /// Where the version is written.
    pub version: Option<Slot>,
    /// Where the digest is written.
    pub digest: Option<Slot>,
    /// Where the comment is that names the version of a digest.
    pub note: Option<Slot>,
}

impl Site {
    /// A place that can be read but not rewritten.
    pub fn read_only(whole: Location) -> Site {
        Site { whole, version: None, digest: None, note: None }
    }
}

/// What a lock file says of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The lock's source.
    pub lock: SourceId,
    /// The version in the lock.
    pub version: String,
    /// [`Strength::Immutable`] when the lock has hashes, else [`Strength::Exact`].
    pub strength: Strength,
}

/// Number of a reference: the source whose facts hold it, and its place in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceId {
    /// The source that was read.
    pub source: SourceId,
    /// Index into its facts' references.
    pub index: u32,
}

/// Something that is fetched by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What.
    pub subject: Subject,
    /// Held how, as written.
    pub pin: Pin,
    /// How firmly, as written. `None`: an expression decides that cannot be seen.
    pub strength: Option<Strength>,
    /// What for.
    pub role: Role,
    /// From where.
    pub origin: Origin,
    /// At which place.
    pub site: Site,
    /// The structural key path: `jobs.build.steps[2].uses`. Stable when lines move.
    pub key: String,
    /// Extras asked for (Python), sorted.
    pub extras: Vec<String>,
    /// Environment marker (Python), as written.
    pub marker: Option<String>,
    /// The version that a comment beside it names (`# v4.1.0`, `# frozen: v4.1.0`).
    pub noted: Option<String>,
    /// What a lock says of it, filled in when all sources have been read.
    pub held: Option<Held>,
}

impl Reference {
    /// A reference with nothing but a name, a role and a read-only place; builders set the rest.
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>, role: Role, whole: Location) -> Reference {
        Reference {
            subject: Subject { ecosystem, name: name.into() },
            pin: Pin::default(),
            strength: Some(Strength::Unspecified),
            role,
            origin: Origin::Registry,
            site: Site::read_only(whole),
            key: String::new(),
            extras: Vec::new(),
            marker: None,
            noted: None,
            held: None,
        }
    }

    /// How firmly it is held, locks included. `None`: cannot be seen.
    pub fn effective(&self) -> Option<Strength> {
        match (&self.held, self.strength) {
            (Some(held), Some(written)) => Some(held.strength.max(written)),
            (Some(held), None) => Some(held.strength),
            (None, written) => written,
        }
    }
}
