//! GitHub and GitHub Enterprise: pull requests. <https://docs.github.com/rest/pulls>

use super::wire::{Call, Wire, encoded, text};
use super::{Address, Done, Draft, Forge, Opened, State, beside, people_and_teams};
use crate::world::failure::Failure;
use serde_json::{Value, json};

/// Headers of every call.
pub const HEADERS: &[(&str, &str)] =
    &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];

/// Requests opened by the token of a workflow run start no workflows: <https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/trigger-a-workflow>.
const NO_CI: &str = "this request was opened with the workflow's own token, which starts no workflows: its checks will not run. Give a \
                     token of an app or a person as PINGUARD_TOKEN, or close and open the request by hand";

/// The forge.
pub struct Github {
    /// Where it is.
    pub address: Address,
    /// The way there.
    pub wire: Wire,
}

impl Github {
    fn repository(&self) -> String {
        format!("/repos/{}", self.address.repository)
    }

    fn labels(&self, number: u64, labels: &[String]) -> Option<Call> {
        let path = format!("{}/issues/{number}/labels", self.repository());
        (!labels.is_empty()).then(|| Call::new("POST", path, json!({ "labels": labels })))
    }

    fn reviewers(&self, number: u64, reviewers: &[String]) -> Option<Call> {
        let (people, teams) = people_and_teams(reviewers);
        let path = format!("{}/pulls/{number}/requested_reviewers", self.repository());
        let body = json!({ "reviewers": people, "team_reviewers": teams });
        (!reviewers.is_empty()).then(|| Call::new("POST", path, body))
    }

    fn create(&self, draft: &Draft) -> Call {
        let body = json!({
            "title": draft.title,
            "head": draft.branch,
            "base": draft.base,
            "body": draft.body,
            "maintainer_can_modify": true,
        });
        Call::new("POST", format!("{}/pulls", self.repository()), body)
    }
}

impl Forge for Github {
    fn name(&self) -> &'static str {
        "GitHub"
    }

    fn find(&self, branch: &str) -> Result<Vec<Opened>, Failure> {
        let owner = self.address.repository.split('/').next().unwrap_or("");
        let head = encoded(&format!("{owner}:{branch}"));
        let path = format!("{}/pulls?state=all&sort=created&direction=desc&per_page=50&head={head}", self.repository());
        let list = self.wire.get(&path)?;
        let list = list.as_array().cloned().unwrap_or_default();
        // A server that does not know the filter lists everything.
        Ok(list.iter().map(opened).filter(|request| request.branch == branch).collect())
    }

    fn calls(&self, draft: &Draft) -> Vec<Call> {
        let beside = [self.labels(0, &draft.labels), self.reviewers(0, &draft.reviewers)];
        std::iter::once(self.create(draft)).chain(beside.into_iter().flatten()).collect()
    }

    fn open(&self, draft: &Draft) -> Result<Done, Failure> {
        let request = opened(&self.wire.call(&self.create(draft))?);
        let mut warnings = Vec::new();
        if let Some(call) = self.labels(request.number, &draft.labels) {
            beside(&mut warnings, "labels", self.wire.call(&call).map(drop));
        }
        if let Some(call) = self.reviewers(request.number, &draft.reviewers) {
            beside(&mut warnings, "reviewers", self.wire.call(&call).map(drop));
        }
        if request.author == "github-actions[bot]" {
            warnings.push(NO_CI.to_string());
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
    let merged = value["merged_at"].is_string() || value["merged"] == true;
    Opened {
        number: value["number"].as_u64().unwrap_or(0),
        url: text(value, "/html_url"),
        branch: text(value, "/head/ref"),
        base: text(value, "/base/ref"),
        title: text(value, "/title"),
        body: text(value, "/body"),
        state: match text(value, "/state").as_str() {
            "open" => State::Open,
            _ if merged => State::Merged,
            _ => State::Closed,
        },
        author: text(value, "/user/login"),
    }
}
