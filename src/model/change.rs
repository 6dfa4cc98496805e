//! What will move and what will not, and why. Plain data between thinking and acting.

use super::knowledge::Miss;
use super::pin::Pin;
use super::reference::ReferenceId;
use super::wish::Because;

/// A reference that gets another pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub reference: ReferenceId,
    /// As written now.
    pub from: Pin,
    /// As it will be. For git: the commit as digest, its tag as version (which goes into the note).
    pub to: Pin,
    /// Who wants it.
    pub because: Vec<Because>,
    /// A word to the reader that the pin does not say: "no more exact tag has this digest".
    pub remark: Option<String>,
}

/// A reference of which something was wanted that will not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub reference: ReferenceId,
    /// Why.
    pub why: Why,
    /// Who wanted it.
    pub because: Vec<Because>,
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// No answer to the look-up.
    Unknown(Miss),
    /// The text is escaped, folded or computed: it can be read, not rewritten.
    ReadOnly,
    /// An expression decides.
    Computed,
    /// The place cannot hold so firm a pin; what it needs instead.
    Ceiling(String),
    /// Nothing that the registry has fits what is written; in words.
    NothingFits(String),
    /// There is no registry for this kind of thing.
    NoRegistry,
    /// Two changes want different texts at one place (a shared `ARG`, an anchor).
    Shared,
    /// It cannot be done alone: the requirements have to be resolved as a whole; in words.
    NeedsResolution(String),
    /// The release is younger than the policy allows; when it may be taken.
    TooYoung(String),
    /// Its age is not known, and the policy asks for one.
    AgeUnknown,
    /// The policy leaves it alone; which part of it.
    Policy(String),
    /// Some other reason, in words.
    Other(String),
}

impl Why {
    /// In words for people, without a full stop.
    pub fn text(&self) -> String {
        match self {
            Why::Unknown(miss) => miss.text.clone(),
            Why::ReadOnly => {
                "the text is escaped, folded or joined, so that it cannot be rewritten in place".to_string()
            }
            Why::Computed => "an expression decides, which has to be changed by hand".to_string(),
            Why::Ceiling(instead) => format!("this place cannot hold a firmer pin; {instead}"),
            Why::NothingFits(what) => what.clone(),
            Why::NoRegistry => "there is no registry to ask for this; write the version by hand".to_string(),
            Why::Shared => "another reference shares this text and needs a different one".to_string(),
            Why::NeedsResolution(what) => what.clone(),
            Why::TooYoung(until) => {
                format!("the release is younger than the cooldown; it may be taken from {until} on")
            }
            Why::AgeUnknown => "its age is not known, and the policy asks for a cooldown".to_string(),
            Why::Policy(what) => format!("the configuration leaves it alone ({what})"),
            Why::Other(text) => text.clone(),
        }
    }
}
