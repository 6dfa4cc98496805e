//! What moved between two states of a project: one row a pin. Plain data; does not know how it was found.

/// What kind of place holds a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A lock file.
    Lock,
    /// A requirement of a manifest.
    Manifest,
    /// A container image.
    Image,
    /// An action, an include, a hook, an orb.
    Component,
    /// An interpreter, a tool, a machine.
    Tool,
    /// A submodule.
    Submodule,
}

impl Place {
    /// The word of the output formats.
    pub fn name(self) -> &'static str {
        match self {
            Place::Lock => "lock",
            Place::Manifest => "manifest",
            Place::Image => "image",
            Place::Component => "component",
            Place::Tool => "tool",
            Place::Submodule => "submodule",
        }
    }
}

/// What happened to a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Motion {
    /// The bytes behind a version are others.
    HashChanged,
    /// The same version comes from elsewhere.
    SourceChanged,
    /// To a lower version.
    Downgraded,
    /// To a higher version.
    Upgraded,
    /// To something that cannot be ordered (a commit, a tag, a range).
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

impl Motion {
    /// Every motion, the most telling first.
    pub const ALL: [Motion; 7] = [
        Motion::HashChanged,
        Motion::SourceChanged,
        Motion::Downgraded,
        Motion::Upgraded,
        Motion::Changed,
        Motion::Added,
        Motion::Removed,
    ];

    /// The words of the output formats.
    pub fn name(self) -> &'static str {
        match self {
            Motion::HashChanged => "hash changed",
            Motion::SourceChanged => "source changed",
            Motion::Downgraded => "downgraded",
            Motion::Upgraded => "upgraded",
            Motion::Changed => "changed",
            Motion::Added => "added",
            Motion::Removed => "removed",
        }
    }

    /// Whether no release explains it: what is installed under one version is no longer the same.
    pub fn is_error(self) -> bool {
        matches!(self, Motion::HashChanged | Motion::SourceChanged)
    }
}

/// One row: a pin and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// The file.
    pub path: String,
    /// What kind of place it is.
    pub place: Place,
    /// What happened.
    pub motion: Motion,
    /// The name.
    pub name: String,
    /// What it was.
    pub from: Option<String>,
    /// What it is.
    pub to: Option<String>,
    /// A word more, where versions do not say it all.
    pub note: String,
    /// Whether something that was held exactly is held elsewhere now: the kind of move that an upgrade patch is made of.
    pub pinned: bool,
}

/// A patch as a whole: what rules see of how a project came to be as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    /// Files whose pins moved, one entry a pin: something that was held exactly is held elsewhere now.
    pub pins: Vec<String>,
    /// Product and test code that was edited.
    pub files: Vec<String>,
    /// The program that opened the patch, when one did.
    pub updater: Option<String>,
}

/// What is said of a patch that moves pins and edits code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixed {
    /// How many pins moved.
    pub pins: usize,
    /// The code that was edited.
    pub files: Vec<String>,
    /// The level in force: `error`, `warning`, `info`, `advice`.
    pub level: String,
    /// What is said.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// All that moved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moves {
    /// The older state, as it was named.
    pub base: String,
    /// The newer state, as it was named; `work tree` when it is the one on disk.
    pub head: String,
    /// Rows in order of files.
    pub rows: Vec<Move>,
    /// Set when pins and code moved in one patch.
    pub mixed: Option<Mixed>,
    /// Files of one side that could not be read, so that what moved in them is not known.
    pub unread: Vec<String>,
}

impl Moves {
    /// How many rows have a motion.
    pub fn count(&self, motion: Motion) -> usize {
        self.rows.iter().filter(|row| row.motion == motion).count()
    }
}
