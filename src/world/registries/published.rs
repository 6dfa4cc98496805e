//! Registries that are asked for the versions of a name and nothing more: npm, crates.io, Go's module proxy, CircleCI's orbs, and tags of
//! git where they are the releases. Each has its own words; the answer is the same list. Decides nothing.

use super::git_host::GitHost;
use crate::model::knowledge::{GitRef, GitRefs, Published, PublishedVersion};
use crate::model::reference::Ecosystem;
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use crate::world::http::{Caching, Http, Request, shown};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Releases may appear at any time; a run soon after takes the same answer.
const FRESH: Duration = Duration::from_secs(600);
/// Go's proxy tells the date of one version at a time: of so many, newest first.
const DATED: usize = 5;
/// Orb versions that are asked for.
const ORBS: u32 = 200;

/// The client of all of them.
#[derive(Debug)]
pub struct Lists {
    http: Http,
    npm: String,
    crates: String,
    go: String,
    circleci: String,
}

impl Lists {
    /// A client with the addresses that npm, cargo, go and CircleCI's own program take from the environment, else the public ones.
    pub fn new(http: Http, environment: &Environment) -> Lists {
        let of = |name: &str, usual: &str| environment.get(name).unwrap_or(usual).trim_end_matches('/').to_string();
        let crates = of("CARGO_REGISTRIES_CRATES_IO_INDEX", "sparse+https://index.crates.io");
        let proxies = of("GOPROXY", "https://proxy.golang.org");
        let first = proxies.split([',', '|']).find(|one| one.contains("://")).unwrap_or("https://proxy.golang.org");
        Lists {
            npm: environment.get("npm_config_registry").map_or_else(
                || of("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org"),
                |url| url.trim_end_matches('/').to_string(),
            ),
            crates: crates.trim_start_matches("sparse+").to_string(),
            go: first.trim_end_matches('/').to_string(),
            circleci: of("CIRCLECI_CLI_HOST", "https://circleci.com"),
            http,
        }
    }

    /// The versions of a name.
    pub async fn of(&self, ecosystem: Ecosystem, name: &str) -> Result<Published, Failure> {
        match ecosystem {
            Ecosystem::Npm => self.npm(name).await,
            Ecosystem::Cargo => self.crates(name).await,
            Ecosystem::Go => self.go(name).await,
            _ => self.orb(name).await,
        }
    }

    /// <https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md#getpackage>: the short form has no dates.
    async fn npm(&self, name: &str) -> Result<Published, Failure> {
        #[derive(Deserialize)]
        struct Document {
            #[serde(default, rename = "dist-tags")]
            tags: BTreeMap<String, String>,
            #[serde(default)]
            versions: BTreeMap<String, Release>,
            #[serde(default)]
            time: BTreeMap<String, Value>,
        }
        #[derive(Deserialize)]
        struct Release {
            #[serde(default)]
            deprecated: Option<Value>,
        }
        let address = format!("{}/{}", self.npm, name.replace('/', "%2F"));
        let document: Document = self.fetch(&address).await?.json()?;
        let of = |(version, release): (String, Release)| PublishedVersion {
            released: document.time.get(&version).and_then(Value::as_str).and_then(|text| text.parse().ok()),
            withdrawn: release.deprecated.is_some_and(|word| word != Value::Bool(false) && word != json!("")),
            version,
        };
        let usual = document.tags.get("latest").cloned();
        Ok(Published { versions: document.versions.into_iter().map(of).collect(), usual })
    }

    /// <https://doc.rust-lang.org/cargo/reference/registry-index.html>: one line of JSON a version.
    async fn crates(&self, name: &str) -> Result<Published, Failure> {
        #[derive(Deserialize)]
        struct Line {
            vers: String,
            #[serde(default)]
            yanked: bool,
            pubtime: Option<String>,
        }
        let lower = name.to_ascii_lowercase();
        let folder = match lower.len() {
            0..=2 => lower.len().to_string(),
            3 => format!("3/{}", &lower[..1]),
            _ => format!("{}/{}", &lower[..2], &lower[2..4]),
        };
        let address = format!("{}/{folder}/{lower}", self.crates);
        let answer = self.fetch(&address).await?;
        let mut versions = Vec::new();
        for line in answer.text().lines().filter(|line| !line.trim().is_empty()) {
            let line: Line = serde_json::from_str(line).map_err(|error| lying(&address, error.to_string()))?;
            let released = line.pubtime.and_then(|text| text.parse().ok());
            versions.push(PublishedVersion { version: line.vers, released, withdrawn: line.yanked });
        }
        Ok(Published { versions, usual: None })
    }

    /// <https://go.dev/ref/mod#goproxy-protocol>. A package is named by its path, which begins with that of its module.
    async fn go(&self, name: &str) -> Result<Published, Failure> {
        let mut module = name;
        let (module, text) = loop {
            match self.fetch(&format!("{}/{}/@v/list", self.go, escaped(module))).await {
                Ok(answer) => break (module, answer.text()),
                Err(Failure::NotFound { .. }) if module.matches('/').count() > 1 => {
                    module = module.rsplit_once('/').map_or(module, |(above, _)| above);
                }
                Err(failure) => return Err(failure),
            }
        };
        let mut list: Vec<String> = text.split_whitespace().map(str::to_string).collect();
        list.sort_by_key(|version| std::cmp::Reverse(numbers(version)));
        if list.is_empty() {
            return Err(Failure::NotFound { what: format!("a released version of {module}") });
        }
        let dated = list.iter().filter(|version| !version.contains('-')).take(DATED);
        let asked = join_all(dated.map(|version| self.go_date(module, version))).await;
        let dates: BTreeMap<String, Timestamp> = asked.into_iter().flatten().collect();
        let of =
            |version: String| PublishedVersion { released: dates.get(&version).copied(), version, withdrawn: false };
        Ok(Published { versions: list.into_iter().map(of).collect(), usual: None })
    }

    async fn go_date(&self, module: &str, version: &str) -> Option<(String, Timestamp)> {
        let address = format!("{}/{}/@v/{version}.info", self.go, escaped(module));
        let request = Request::get(&address).ok()?.caching(Caching::Immutable);
        let info: Value = self.http.fetch(&request).await.ok()?.json().ok()?;
        Some((version.to_string(), info["Time"].as_str()?.parse().ok()?))
    }

    /// The question that CircleCI's own program asks.
    async fn orb(&self, name: &str) -> Result<Published, Failure> {
        let query = "query($name: String!, $count: Int!) { orb(name: $name) { versions(count: $count) { version createdAt } } }";
        let body = json!({ "query": query, "variables": { "name": name, "count": ORBS } });
        let address = format!("{}/graphql-unstable", self.circleci);
        let request =
            Request::post(&address, body.to_string())?.repeatable().header("content-type", "application/json");
        let answer: Value = self.http.fetch(&request).await?.json()?;
        let orb = &answer["data"]["orb"];
        let Some(list) = orb["versions"].as_array() else {
            return Err(match answer["errors"][0]["message"].as_str() {
                Some(message) => lying(&address, message.chars().filter(|c| !c.is_control()).take(200).collect()),
                None => Failure::NotFound { what: format!("the orb {name}") },
            });
        };
        let of = |one: &Value| {
            let released = one["createdAt"].as_str().and_then(|text| text.parse().ok());
            Some(PublishedVersion { version: one["version"].as_str()?.to_string(), released, withdrawn: false })
        };
        Ok(Published { versions: list.iter().filter_map(of).collect(), usual: None })
    }

    async fn fetch(&self, address: &str) -> Result<crate::world::http::Answer, Failure> {
        self.http.fetch(&Request::get(address)?.caching(Caching::For(FRESH))).await
    }
}

/// The tags of a repository whose tags are its releases.
pub async fn of_tags(hosts: &GitHost, url: &str) -> Result<Published, Failure> {
    Ok(of_refs(&hosts.refs(url).await?))
}

/// Tags as versions, without the `v` before a number.
pub fn of_refs(refs: &GitRefs) -> Published {
    let of = |tag: &GitRef| {
        let bare = tag.name.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let version = bare.unwrap_or(&tag.name).to_string();
        PublishedVersion { version, released: tag.date, withdrawn: false }
    };
    Published { versions: refs.tags.iter().map(of).collect(), usual: None }
}

fn lying(address: &str, why: String) -> Failure {
    Failure::Lying { what: shown(address), why }
}

/// Capital letters of a module's path are written as `!` and the small one.
fn escaped(module: &str) -> String {
    let mut out = String::with_capacity(module.len());
    for c in module.chars() {
        if c.is_ascii_uppercase() {
            out.push('!');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn numbers(version: &str) -> Vec<u64> {
    let bare = version.trim_start_matches('v').split(['-', '+']).next().unwrap_or("");
    bare.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_modules_are_escaped_and_versions_are_numbers() {
        assert_eq!(escaped("github.com/BurntSushi/toml"), "github.com/!burnt!sushi/toml");
        assert!(numbers("v1.10.0") > numbers("v1.9.3"));
    }
}
