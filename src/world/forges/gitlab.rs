//! GitLab: merge requests. <https://docs.gitlab.com/api/merge_requests/>

use super::wire::{Call, Wire, encoded, text};
use super::{Address, Done, Draft, Forge, Opened, State};
use crate::world::failure::Failure;
use serde_json::{Value, json};

/// The forge.
pub struct Gitlab {
    /// Where it is.
    pub address: Address,
    /// The way there.
    pub wire: Wire,
}

impl Gitlab {
    fn requests(&self) -> String {
        format!("/projects/{}/merge_requests", encoded(&self.address.repository))
    }

    fn create(&self, draft: &Draft, reviewers: &[u64]) -> Call {
        let mut body = json!({
            "source_branch": draft.branch,
            "target_branch": draft.base,
            "title": draft.title,
            "description": draft.body,
            "remove_source_branch": true,
        });
        if !draft.labels.is_empty() {
            body["labels"] = json!(draft.labels.join(","));
        }
        if !reviewers.is_empty() {
            body["reviewer_ids"] = json!(reviewers);
        }
        Call::new("POST", self.requests(), body)
    }

    /// GitLab wants reviewers by number.
    fn number_of(&self, user: &str) -> Result<u64, String> {
        let list =
            self.wire.get(&format!("/users?username={}", encoded(user))).map_err(|failure| failure.to_string())?;
        list[0]["id"].as_u64().ok_or_else(|| format!("there is no user `{user}`"))
    }
}

impl Forge for Gitlab {
    fn name(&self) -> &'static str {
        "GitLab"
    }

    fn find(&self, branch: &str) -> Result<Vec<Opened>, Failure> {
        let query = format!("state=all&order_by=created_at&sort=desc&per_page=50&source_branch={}", encoded(branch));
        let list = self.wire.get(&format!("{}?{query}", self.requests()))?;
        let list = list.as_array().cloned().unwrap_or_default();
        let own = |value: &&Value| value["source_project_id"] == value["target_project_id"];
        Ok(list.iter().filter(own).map(opened).filter(|request| request.branch == branch).collect())
    }

    fn calls(&self, draft: &Draft) -> Vec<Call> {
        vec![self.create(draft, &[])]
    }

    fn open(&self, draft: &Draft) -> Result<Done, Failure> {
        let (mut numbers, mut warnings) = (Vec::new(), Vec::new());
        for user in &draft.reviewers {
            match self.number_of(user) {
                Ok(number) => numbers.push(number),
                Err(why) => warnings.push(format!("reviewers: {why}")),
            }
        }
        let request = opened(&self.wire.call(&self.create(draft, &numbers))?);
        Ok(Done { request, warnings })
    }

    fn change(&self, number: u64, draft: &Draft) -> Result<(), Failure> {
        let body = json!({ "title": draft.title, "description": draft.body, "target_branch": draft.base });
        self.wire.call(&Call::new("PUT", format!("{}/{number}", self.requests()), body)).map(drop)
    }

    fn close(&self, number: u64, why: &str) -> Result<(), Failure> {
        self.wire.call(&Call::new("POST", format!("{}/{number}/notes", self.requests()), json!({ "body": why })))?;
        let path = format!("{}/{number}", self.requests());
        self.wire.call(&Call::new("PUT", path, json!({ "state_event": "close" }))).map(drop)
    }
}

fn opened(value: &Value) -> Opened {
    Opened {
        number: value["iid"].as_u64().unwrap_or(0),
        url: text(value, "/web_url"),
        branch: text(value, "/source_branch"),
        base: text(value, "/target_branch"),
        title: text(value, "/title"),
        body: text(value, "/description"),
        state: match text(value, "/state").as_str() {
            "opened" | "locked" => State::Open,
            "merged" => State::Merged,
            _ => State::Closed,
        },
        author: text(value, "/author/username"),
    }
}
