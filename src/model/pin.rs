//! How firmly a reference is held. One total order, so that almost every pinning rule is a comparison.

/// How much of a floating version is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// A word that moves with everything: `latest`, `main`, `slim`, `>=2`.
    Word,
    /// The major version: `3`, `v4`, `==1.*`.
    Major,
    /// The minor version: `3.12`, `~=1.4.2`.
    Minor,
}

/// How firmly a reference is held, from not at all to for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// No version is named.
    Unspecified,
    /// A version that can move without an edit.
    Floating(Precision),
    /// One version by its name; its content rests on the registry's promise.
    Exact,
    /// One content: a digest, a full commit, a hash.
    Immutable,
}

/// What is pinned: the version says which, the digests say what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pin {
    /// As written: `v4`, `>=2`, `3.12-slim`.
    pub version: Option<String>,
    /// `sha256:…` for images and files, 40 hex digits for git.
    pub digests: Vec<String>,
}
