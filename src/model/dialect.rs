//! How a CI system says things: its name, what it masks, where it keeps a secret better, how it prints an environment report.
//! A format gives its own as one value; rules speak every system through it and name none.

/// What of a log a system blanks. Used to word and rank, never to excuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Masks {
    /// The exact text of a secret.
    Values,
    /// The values of variables with secret-looking names.
    Names,
    /// Nothing.
    Nothing,
}

/// A CI system in its own words. One value per format; equal when the names are.
#[derive(Debug)]
pub struct Dialect {
    /// As its users write it.
    pub name: &'static str,
    /// What its logs blank.
    pub masks: Masks,
    /// Whether jobs hold variables that no file shows (settings of the project or the agent).
    pub unseen_variables: bool,
    /// Short-lived tokens that are in the environment of every job, whether asked for or not.
    pub present: &'static [&'static str],
    /// Whether PyPI takes its identity tokens (trusted publishing).
    pub publishes: bool,
    /// How a job gets an identity instead of a long-lived secret; empty when it cannot.
    pub identity: &'static str,
    /// How a secret reaches a job as a file, or the next best that is no variable.
    pub file: &'static str,
    /// The narrowest variable that it has, when nothing better serves.
    pub narrow: &'static str,
    /// A step that prints the environment report, in its own syntax.
    pub report: &'static str,
    /// How a test report is kept although tests failed.
    pub keeps_report: &'static str,
    /// Whether an artifact that says nothing else is kept only of jobs that passed.
    pub keeps_on_success: bool,
    /// Whether scripts without a written shell are read by bash on the machine itself.
    pub bash: bool,
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Dialect) -> bool {
        self.name == other.name
    }
}

impl Eq for Dialect {}
