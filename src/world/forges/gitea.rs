//! Gitea and Forgejo: pull requests. <https://docs.gitea.com/api/>

use super::wire::{Call, Wire, text};
use super::{Address, Done, Draft, Forge, Opened, State, beside, people_and_teams};
use crate::world::failure::Failure;
use serde_json::{Value, json};

/// Requests per page; servers may give fewer, never more.
const PAGE: usize = 50;

/// The forge.
pub struct Gitea {
    /// Where it is.
    pub address: Address,
    /// The way there.
    pub wire: Wire,
}

impl Gitea {
    fn repository(&self) -> String {
        format!("/repos/{}", self.address.repository)
    }

    fn create(&self, draft: &Draft) -> Call {
        let body = json!({ "title": draft.title, "head": draft.branch, "base": draft.base, "body": draft.body });
        Call::new("POST", format!("{}/pulls", self.repository()), body)
    }

    fn reviewers(&self, number: u64, reviewers: &[String]) -> Option<Call> {
        let (people, teams) = people_and_teams(reviewers);
        let path = format!("{}/pulls/{number}/requested_reviewers", self.repository());
        let body = json!({ "reviewers": people, "team_reviewers": teams });
        (!reviewers.is_empty()).then(|| Call::new("POST", path, body))
    }

    /// Gitea wants labels by number; those that are not there are made.
    fn label(&self, number: u64, labels: &[String]) -> Result<(), Failure> {
        let known = self.wire.pages(&format!("{}/labels?limit={PAGE}", self.repository()), PAGE)?;
        let mut numbers = Vec::new();
        for name in labels {
            let known =
                known.iter().find(|label| label["name"] == name.as_str()).and_then(|label| label["id"].as_u64());
            let id = match known {
                Some(id) => id,
                None => {
                    let body = json!({ "name": name, "color": "#0366d6" });
                    let made = self.wire.call(&Call::new("POST", format!("{}/labels", self.repository()), body))?;
                    made["id"].as_u64().unwrap_or(0)
                }
            };
            numbers.push(id);
        }
        let path = format!("{}/issues/{number}/labels", self.repository());
        self.wire.call(&Call::new("POST", path, json!({ "labels": numbers }))).map(drop)
    }
}

impl Forge for Gitea {
    fn name(&self) -> &'static str {
        "Gitea"
    }

    fn find(&self, branch: &str) -> Result<Vec<Opened>, Failure> {
        // The list knows no filter for branches.
        let path = format!("{}/pulls?state=all&sort=recentupdate&limit={PAGE}", self.repository());
        let list = self.wire.pages(&path, PAGE)?;
        let mut found: Vec<Opened> = list.iter().map(opened).filter(|request| request.branch == branch).collect();
        found.sort_by_key(|request| std::cmp::Reverse(request.number));
        Ok(found)
    }

    fn calls(&self, draft: &Draft) -> Vec<Call> {
        std::iter::once(self.create(draft)).chain(self.reviewers(0, &draft.reviewers)).collect()
    }

    fn open(&self, draft: &Draft) -> Result<Done, Failure> {
        let request = opened(&self.wire.call(&self.create(draft))?);
        let mut warnings = Vec::new();
        if !draft.labels.is_empty() {
            beside(&mut warnings, "labels", self.label(request.number, &draft.labels));
        }
        if let Some(call) = self.reviewers(request.number, &draft.reviewers) {
            beside(&mut warnings, "reviewers", self.wire.call(&call).map(drop));
        }
        Ok(Done { request, warnings })
    }

    fn change(&self, number: u64, draft: &Draft) -> Result<(), Failure> {
        self.wire.reword(&self.address.repository, number, draft)
    }

    fn close(&self, number: u64, why: &str) -> Result<(), Failure> {
        self.wire.close(&self.address.repository, number, why)
    }
}

fn opened(value: &Value) -> Opened {
    Opened {
        number: value["number"].as_u64().unwrap_or(0),
        url: text(value, "/html_url"),
        branch: text(value, "/head/ref"),
        base: text(value, "/base/ref"),
        title: text(value, "/title"),
        body: text(value, "/body"),
        state: match text(value, "/state").as_str() {
            "open" => State::Open,
            _ if value["merged"] == true => State::Merged,
            _ => State::Closed,
        },
        author: text(value, "/user/login"),
    }
}
