//! How many requests a server still allows, as its headers say: the drafts of `RateLimit`, and the forms of GitHub, GitLab and Docker.
//! Sends nothing.

use super::request::Answer;
use std::time::Duration;

/// What is left at a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Requests that are left.
    pub left: u64,
    /// Of how many.
    pub of: Option<u64>,
    /// When it is full again.
    pub reset: Option<Duration>,
}

impl Quota {
    /// What the headers of an answer say; `now` in seconds since 1970. `None`: they say nothing.
    pub fn of(answer: &Answer, now: u64) -> Option<Quota> {
        let header = |names: [&str; 2]| names.iter().find_map(|name| answer.header(name));
        let number = |text: &str| text.trim().split([';', ',']).next().and_then(|text| text.trim().parse::<u64>().ok());
        // `RateLimit: "default";r=50;t=30` of the newer drafts.
        if let Some(text) = answer.header("ratelimit").filter(|text| text.contains("r=")) {
            let part = |name: &str| {
                let found = text.split([';', ',']).find_map(|part| part.trim().strip_prefix(name));
                found.and_then(|value| value.trim().parse::<u64>().ok())
            };
            return Some(Quota { left: part("r=")?, of: None, reset: part("t=").map(Duration::from_secs) });
        }
        let left = number(header(["ratelimit-remaining", "x-ratelimit-remaining"])?)?;
        let of = header(["ratelimit-limit", "x-ratelimit-limit"]).and_then(number);
        let reset = header(["ratelimit-reset", "x-ratelimit-reset"]).and_then(number);
        // Seconds from now, or a moment.
        let reset = reset.map(|at| if at > 1_000_000_000 { at.saturating_sub(now) } else { at });
        Some(Quota { left, of, reset: reset.map(Duration::from_secs) })
    }

    /// Whether so little is left that the reader should know.
    pub fn is_low(&self) -> bool {
        self.left == 0 || self.of.is_some_and(|of| self.left.saturating_mul(5) < of)
    }

    /// In words.
    pub fn words(&self, host: &str) -> String {
        let of = self.of.map_or(String::new(), |of| format!(" of {of}"));
        let reset = self.reset.map_or(String::new(), |at| format!("; full again in {} s", at.as_secs()));
        format!("{host} allows {}{of} more requests{reset}", self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    fn quota(headers: &[(&'static str, &'static str)]) -> Option<Quota> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let url = url::Url::parse("https://h/").expect("an address");
        Quota::of(&Answer { status: 200, url, headers: map, body: Vec::new(), from_cache: false }, 1_700_000_000)
    }

    #[test]
    fn every_form_is_read() {
        let seconds = |count| Some(Duration::from_secs(count));
        let docker = quota(&[("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "7;w=21600")]);
        assert_eq!(docker, Some(Quota { left: 7, of: Some(100), reset: None }));
        let github =
            quota(&[("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700000030")]);
        assert_eq!(github, Some(Quota { left: 0, of: Some(60), reset: seconds(30) }));
        let draft = quota(&[("ratelimit", "\"default\";r=50;t=30")]);
        assert_eq!(draft, Some(Quota { left: 50, of: None, reset: seconds(30) }));
        assert_eq!(quota(&[("ratelimit-remaining", "many")]), None);
        assert!(docker.is_some_and(|quota| quota.is_low() && quota.words("h") == "h allows 7 of 100 more requests"));
    }
}
