//! Forges: requests found, opened, changed and closed. Knows no plan and no git; a request is a branch, a base and words.

mod address;
mod gitea;
mod github;
mod gitlab;
mod wire;

pub use address::{Address, Found, Kind, Named};
pub use wire::Call;
use wire::Wire;

use super::credential::Token;
use super::failure::Failure;
use super::http::Http;

/// A request that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The branch that it goes to.
    pub base: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// Labels.
    pub labels: Vec<String>,
    /// User names; `team:NAME` for teams where the forge has them.
    pub reviewers: Vec<String>,
}

/// A request that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Its branch.
    pub branch: String,
    /// The branch that it goes to.
    pub base: String,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
    /// How it stands.
    pub state: State,
    /// Who opened it.
    pub author: String,
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Open.
    Open,
    /// Closed without being merged.
    Closed,
    /// Merged.
    Merged,
}

/// What opening a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The request.
    pub request: Opened,
    /// What did not work but does not matter much: a label, a reviewer.
    pub warnings: Vec<String>,
}

/// A forge.
pub trait Forge {
    /// As its users write it.
    fn name(&self) -> &'static str;

    /// The requests of a branch, newest first, closed ones too.
    fn find(&self, branch: &str) -> Result<Vec<Opened>, Failure>;

    /// What [`Forge::open`] sends, in order, as far as it is known beforehand.
    fn calls(&self, draft: &Draft) -> Vec<Call>;

    /// Opens a request.
    fn open(&self, draft: &Draft) -> Result<Done, Failure>;

    /// Gives a request another title, body and base.
    fn change(&self, number: u64, draft: &Draft) -> Result<(), Failure>;

    /// Closes a request and says why.
    fn close(&self, number: u64, why: &str) -> Result<(), Failure>;
}

/// The forge at an address.
pub fn at(address: Address, http: Http, token: Option<&Token>) -> Result<Box<dyn Forge>, Failure> {
    let authorization = token.map(|token| address.authorization(token));
    let headers = if address.kind == Kind::Github { github::HEADERS } else { &[] };
    let wire = Wire::to(http, address.kind.name(), &address.api, authorization, headers)?;
    Ok(match address.kind {
        Kind::Github => Box::new(github::Github { address, wire }),
        Kind::Gitlab => Box::new(gitlab::Gitlab { address, wire }),
        Kind::Gitea => Box::new(gitea::Gitea { address, wire }),
    })
}

/// Runs what is wanted beside the request itself: what fails becomes a warning.
fn beside(warnings: &mut Vec<String>, what: &str, done: Result<(), Failure>) {
    if let Err(failure) = done {
        warnings.push(format!("{what}: {failure}"));
    }
}

/// Reviewers in two lists: people, teams.
fn people_and_teams(reviewers: &[String]) -> (Vec<&str>, Vec<&str>) {
    let teams = reviewers.iter().filter_map(|name| name.strip_prefix("team:")).collect();
    (reviewers.iter().filter(|name| !name.starts_with("team:")).map(String::as_str).collect(), teams)
}
