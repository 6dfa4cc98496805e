//! Variables of processes that no pipeline starts, and how a variable of any file can be moved. Does not know which format wrote them.

use super::edit::Edit;
use super::pipeline::Assignment;
use super::span::Location;

/// Whose variables they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EnvironmentKind {
    /// A service of a compose file.
    Compose,
    /// Arguments of an image build that a file asks for (`build.args`).
    BuildArguments,
    /// A development container: everybody who can inspect it reads them.
    DevContainer,
    /// The processes that a person starts in a development container.
    DevRemote,
    /// A container of a Kubernetes manifest.
    Kubernetes,
    /// An environment of tox.
    Tox,
    /// A session of nox.
    Nox,
    /// A settings file of a client (`pip.conf`, `.pypirc`, `.netrc`), or a file of variables (`.env`).
    Settings,
}

/// The variables of one service, container or test environment.
///
/// A variable that is handed through (`pass_env = X`, `environment: [X]`) has the value `Secret` when its name is that of a secret, else
/// `Expression`. One entry for many (`pass_env = *`, `envFrom`, `env_file`) is an assignment with the name of the set or the pattern, and the
/// secret `*` or the pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Whose.
    pub kind: EnvironmentKind,
    /// Name of the service, container or test environment.
    pub name: String,
    /// Where it stands.
    pub at: Location,
    /// Its variables.
    pub assignments: Vec<Assignment>,
}

/// How the variables of a source can be moved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VariableEdits {
    /// Where a step takes further variables.
    pub slots: Vec<VariableSlot>,
    /// What is cut out to remove a variable: the key of its assignment, and the lines.
    pub lines: Vec<(String, Location)>,
}

/// A place where a step takes further variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableSlot {
    /// Structural key path of the step.
    pub step: String,
    /// An empty place.
    pub at: Location,
    /// What goes before the first.
    pub lead: String,
    /// What goes between two.
    pub between: String,
    /// What goes after the last.
    pub tail: String,
}

impl VariableSlot {
    /// Puts variables in: name and value as the format writes them.
    pub fn insert(&self, variables: &[(String, String)]) -> Edit {
        let lines: Vec<String> = variables.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        Edit::replace(self.at, format!("{}{}{}", self.lead, lines.join(&self.between), self.tail))
    }
}

impl VariableEdits {
    /// The place where a step takes further variables.
    pub fn slot(&self, step: &str) -> Option<&VariableSlot> {
        self.slots.iter().find(|slot| slot.step == step)
    }

    /// What is cut out to remove an assignment.
    pub fn lines_of(&self, key: &str) -> Option<Location> {
        self.lines.iter().find(|(known, _)| known == key).map(|(_, at)| *at)
    }
}
