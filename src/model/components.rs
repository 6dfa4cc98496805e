//! What rules ask about components (actions, includes, features): whose they are, and what their ref means. Judges nothing.

use super::pin::{Pin, Precision, Strength};
use super::project::Project;
use super::reference::{Ecosystem, Origin, Reference, ReferenceId, Role};
use super::span::Location;

/// Who owns a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The vendor of the CI system itself.
    Vendor,
    /// An organisation that the configuration names as one's own.
    Own,
    /// Anybody else.
    Third,
}

/// What the ref of a component says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefKind {
    /// A branch, or nothing.
    Branch,
    /// A branch that its owner documents as the way to use it.
    Documented,
    /// The ref is an argument: it names a toolchain or a tool, not a version of the component.
    Argument,
    /// A tag that is moved by convention: `v4`.
    Floating,
    /// A tag that names one version.
    Exact,
    /// A full commit, a digest.
    Immutable,
}

/// A component that one file uses, perhaps several times in the same way.
#[derive(Debug, Clone)]
pub struct ComponentUse<'p> {
    /// The first that names it.
    pub id: ReferenceId,
    /// The same as data.
    pub reference: &'p Reference,
    /// Where the others stand.
    pub others: Vec<Location>,
    /// Whose it is.
    pub owner: Owner,
    /// What its ref says.
    pub kind: RefKind,
}

impl ComponentUse<'_> {
    /// `actions/checkout@v4`.
    pub fn shown(&self) -> String {
        let mark = if self.reference.subject.ecosystem == Ecosystem::Oci { ':' } else { '@' };
        match &self.reference.pin.version {
            Some(version) => format!("{}{mark}{version}", self.reference.subject.name),
            None => self.reference.subject.name.clone(),
        }
    }
}

impl ComponentUse<'_> {
    /// Whether it follows the releases of a catalogue: `~latest` of GitLab.
    pub fn is_newest(&self) -> bool {
        self.reference.pin.version.as_deref().is_some_and(|version| version.starts_with('~'))
    }

    /// Whether it is a file by its address, whose path names no ref.
    pub fn is_address(&self) -> bool {
        matches!(self.reference.origin, Origin::Url(_)) && self.reference.pin == Pin::default()
    }

    /// What to write so that it stays the same, as its ecosystem can say it.
    pub fn how_to_hold(&self) -> String {
        let name = &self.reference.subject.name;
        match self.reference.subject.ecosystem {
            _ if self.is_address() => {
                "take the file from a full commit of its repository, or hold it by its hash where the system takes one (`integrity: 'sha256-…'`)".to_string()
            }
            Ecosystem::Orb => format!("write a whole version, which nobody can publish again: `{name}@X.Y.Z`"),
            Ecosystem::Oci => {
                format!("write a whole version: `{name}:X.Y.Z`, with a digest where the system takes one")
            }
            _ if self.reference.site.note.as_ref().is_some_and(|note| note.lead.contains("frozen")) => {
                "write the full commit in place of the ref, and the version in a comment behind it".to_string()
            }
            _ if self.reference.role == Role::Manifests => format!("name the version or the full commit: `{name}?ref=vX.Y.Z`"),
            _ => format!("write the full commit and the version as a comment: `{name}@<40 hex digits> # vX.Y.Z`"),
        }
    }

    /// Whether it can be held more firmly than by a version.
    pub fn takes_digest(&self) -> bool {
        self.reference.site.digest.is_some() || matches!(self.reference.subject.ecosystem, Ecosystem::Git)
    }
}

/// Organisations of the vendors of CI systems: GitHub, GitLab, CircleCI, Atlassian, and Microsoft's features.
const VENDORS: [&str; 7] = [
    "actions/",
    "github/",
    "gitlab.com/components/",
    "components/",
    "circleci/",
    "atlassian/",
    "ghcr.io/devcontainers/",
];

/// Actions whose branch is what their owners document.
/// <https://github.com/pypa/gh-action-pypi-publish#usage>, <https://github.com/re-actors/alls-green#usage>,
/// <https://hatch.pypa.io/latest/install/#github-actions>
const DOCUMENTED: [(&str, &str); 5] = [
    ("ansible-community/ansible-test-gh-action", "release/"),
    ("pypa/gh-action-pypi-publish", "release/"),
    ("pypa/hatch", "install"),
    ("re-actors/alls-green", "release/"),
    ("re-actors/checkout-python-sdist", "release/"),
];

/// Actions whose ref is an argument. <https://github.com/dtolnay/rust-toolchain#inputs>, <https://github.com/taiki-e/install-action>
const ARGUMENTS: [&str; 3] =
    ["dtolnay/rust-toolchain", "taiki-e/install-action", "taiki-e/setup-cross-toolchain-action"];

/// Whether a reference names a component of a pipeline, a development container or a deployment.
pub fn is_component(reference: &Reference) -> bool {
    let image = reference.subject.ecosystem == Ecosystem::Oci && reference.role == Role::CiStep;
    let component = matches!(reference.role, Role::CiStep | Role::CiInclude | Role::DevFeature | Role::Manifests)
        // A task of the system itself, by its major version: nothing firmer can be written.
        && reference.subject.ecosystem != Ecosystem::Toolchain;
    component && !image && !matches!(reference.origin, Origin::Local | Origin::Path(_))
}

impl Project {
    /// Every component that policy does not allow to float and whose ref can be seen, one entry per file and spelling.
    pub fn component_uses(&self) -> Vec<ComponentUse<'_>> {
        let mut uses: Vec<ComponentUse<'_>> = Vec::new();
        let mut known = std::collections::HashMap::new();
        for (id, reference) in self.references().filter(|(_, reference)| is_component(reference)) {
            let name = reference.subject.name.as_str();
            let Some(kind) = ref_kind(reference) else { continue };
            if self.policy.allows(Ecosystem::Git, name) {
                continue;
            }
            let key = (id.source, name, reference.pin.version.as_deref(), reference.pin.digests.as_slice());
            match known.get(&key) {
                Some(&index) => {
                    let of: &mut ComponentUse = &mut uses[index];
                    of.others.push(reference.site.whole);
                }
                None => {
                    known.insert(key, uses.len());
                    let owner = self.owner(name);
                    uses.push(ComponentUse { id, reference, others: Vec::new(), owner, kind });
                }
            }
        }
        uses
    }

    /// Whose a component is.
    pub fn owner(&self, name: &str) -> Owner {
        let lower = name.to_ascii_lowercase();
        let first = lower.split('/').next().unwrap_or("");
        if self
            .policy
            .organisations
            .iter()
            .any(|own| own.eq_ignore_ascii_case(first) || lower.starts_with(&format!("{}/", own.to_ascii_lowercase())))
        {
            return Owner::Own;
        }
        if VENDORS.iter().any(|vendor| lower.starts_with(vendor)) { Owner::Vendor } else { Owner::Third }
    }
}

/// What the ref says; `None` when an expression decides. What a lock holds counts as held.
pub fn ref_kind(reference: &Reference) -> Option<RefKind> {
    let name = reference.subject.name.to_ascii_lowercase();
    let version = reference.pin.version.as_deref().unwrap_or("");
    let is = |action: &str| name == action || name.strip_prefix(action).is_some_and(|rest| rest.starts_with('/'));
    Some(match reference.effective()? {
        Strength::Immutable => RefKind::Immutable,
        Strength::Exact if reference.held.is_some() => RefKind::Immutable,
        _ if ARGUMENTS.iter().any(|action| is(action)) && !is_version(version) => RefKind::Argument,
        Strength::Exact if ARGUMENTS[0] == name => RefKind::Argument,
        Strength::Exact => RefKind::Exact,
        Strength::Floating(Precision::Word)
            if DOCUMENTED.iter().any(|(action, start)| is(action) && version.starts_with(start)) =>
        {
            RefKind::Documented
        }
        Strength::Floating(Precision::Word) | Strength::Unspecified => RefKind::Branch,
        Strength::Floating(_) => RefKind::Floating,
    })
}

/// `v2`, `v2.1.0`: a version of the component itself. `1.80` of a toolchain action is not.
fn is_version(version: &str) -> bool {
    version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pin::Pin;
    use crate::model::span::{Location, SourceId, Span};

    fn kind(name: &str, version: &str, strength: Strength) -> Option<RefKind> {
        let mut reference =
            Reference::new(Ecosystem::Git, name, Role::CiStep, Location::new(SourceId(0), Span::new(0, 0)));
        reference.pin = Pin { version: Some(version.into()), digests: Vec::new() };
        reference.strength = Some(strength);
        ref_kind(&reference)
    }

    #[test]
    fn refs_say_what_they_are() {
        let word = Strength::Floating(Precision::Word);
        let major = Strength::Floating(Precision::Major);
        let rows = [
            ("a/b", "main", word, RefKind::Branch),
            ("a/b", "v4", major, RefKind::Floating),
            ("a/b", "v4.1.0", Strength::Exact, RefKind::Exact),
            ("pypa/gh-action-pypi-publish", "release/v1", word, RefKind::Documented),
            ("pypa/gh-action-pypi-publish", "master", word, RefKind::Branch),
            ("dtolnay/rust-toolchain", "stable", word, RefKind::Argument),
            ("dtolnay/rust-toolchain", "1.80.0", Strength::Exact, RefKind::Argument),
            ("dtolnay/rust-toolchain", "v1", major, RefKind::Floating),
            ("taiki-e/install-action", "nextest", word, RefKind::Argument),
            ("taiki-e/install-action", "v2", major, RefKind::Floating),
        ];
        for (name, version, strength, want) in rows {
            assert_eq!(kind(name, version, strength), Some(want), "{name}@{version}");
        }
    }
}
