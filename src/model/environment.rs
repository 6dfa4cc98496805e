//! Variables of processes that no pipeline starts, and how a variable of any file can be moved. Does not know which format wrote them.

use super::edit::Edit;
use super::pipeline::Assignment;
use super::span::{Location, Span};

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
    /// What is cut out to remove a variable, and what of it is put in elsewhere.
    pub lines: Vec<VariableLines>,
}

/// What is written for a variable, or for all of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableLines {
    /// Structural key path of the assignment, or of the block.
    pub key: String,
    /// Structural key path of the block that it stands in; its own for a block.
    pub block: String,
    /// What is cut out to remove it.
    pub at: Location,
    /// Which kinds of slots take it, and as which text: without indentation, lines parted by `\n`. None for a block.
    pub forms: Vec<(&'static str, String)>,
}

/// A place where a step takes further variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableSlot {
    /// Structural key path of the step.
    pub step: String,
    /// What it takes, by the word that stands before such variables (`env`, `secretEnv`).
    pub word: &'static str,
    /// An empty place.
    pub at: Location,
    /// What goes before the first.
    pub lead: String,
    /// What goes between two.
    pub between: String,
    /// What goes between two lines of one.
    pub newline: String,
    /// What goes after the last.
    pub tail: String,
    /// A second place and what goes there, where variables are put around something.
    pub close: Option<(Location, String)>,
}

impl VariableSlot {
    /// A slot before a place, without any texts around the variables.
    pub fn at(at: Location, word: &'static str) -> VariableSlot {
        VariableSlot {
            step: String::new(),
            word,
            at: Location { span: Span::empty(at.span.start as usize), ..at },
            lead: String::new(),
            between: String::new(),
            newline: String::new(),
            tail: String::new(),
            close: None,
        }
    }

    /// Puts variables in: name and value as the format writes them.
    pub fn insert(&self, variables: &[(String, String)]) -> Edit {
        let texts: Vec<String> = variables.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        self.texts(&texts)
    }

    /// Puts variables in by their texts.
    pub fn put(&self, texts: &[String]) -> Vec<Edit> {
        let close = self.close.iter().map(|(at, text)| Edit::replace(*at, text.clone()));
        std::iter::once(self.texts(texts)).chain(close).collect()
    }

    fn texts(&self, texts: &[String]) -> Edit {
        let texts: Vec<String> = texts.iter().map(|text| text.replace('\n', &self.newline)).collect();
        Edit::replace(self.at, format!("{}{}{}", self.lead, texts.join(&self.between), self.tail))
    }
}

impl VariableEdits {
    /// The first place where a step takes further variables.
    pub fn slot(&self, step: &str) -> Option<&VariableSlot> {
        self.slots.iter().find(|slot| slot.step == step)
    }

    /// What is written for an assignment or a block.
    pub fn entry(&self, key: &str) -> Option<&VariableLines> {
        self.lines.iter().find(|known| known.key == key)
    }

    /// What is cut out to remove an assignment.
    pub fn lines_of(&self, key: &str) -> Option<Location> {
        self.entry(key).map(|known| known.at)
    }

    /// Where a step takes some variables, and their texts there; all of them in one place.
    pub fn place_for(&self, step: &str, keys: &[&str]) -> Option<(&VariableSlot, Vec<String>)> {
        self.slots.iter().filter(|slot| slot.step == step).find_map(|slot| {
            let text = |key: &&str| {
                let forms = &self.entry(key)?.forms;
                forms.iter().find(|(word, _)| *word == slot.word).map(|(_, text)| text.clone())
            };
            keys.iter().map(text).collect::<Option<Vec<String>>>().map(|texts| (slot, texts))
        })
    }
}
