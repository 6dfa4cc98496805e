//! # What it finds
//!
//! A file that is fetched and then run without a look at its checksum or signature: `curl … | sh`, `bash <(curl …)`,
//! `wget -O x … && sh x`, `curl … > x; mv x /usr/local/bin/tool; tool`; and a package of the system, whose scripts run as root when it is
//! installed: `wget …/x.deb && dpkg -i x.deb`.
//!
//! # Why
//!
//! Whoever can change what stands at that address runs code in the gate or in the image, and no commit here shows that it changed. Even
//! without malice the script of today is not the script of yesterday.
//!
//! # What is not a finding
//!
//! - A checksum or signature that is checked before the file is run (`sha256sum -c`, `gpg --verify`, `cosign verify-blob` …).
//! - A file that is fetched and not run here: an archive, data.
//! - An address that holds a full commit, whose content is fixed by the commit.
//! - A server of the job itself (`localhost`, a service by its bare name).
//! - Scripts that nothing in CI runs.
//!
//! # What to do
//!
//! Install the tool by its pinned package, action or image. Where only a script will do: name its version, write down its checksum, and
//! check it first: `echo "<sha256>  install.sh" | sha256sum -c && sh install.sh`.
//!
//! # Levels
//!
//! `warning`, `error` in strict. rustup with a pinned toolchain is `info`: the script only fetches what is named.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: curl -LsSf https://astral.sh/uv/install.sh | sh
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! FROM debian:12.8
//! RUN wget -O /tmp/install.sh https://example.org/install.sh && sh /tmp/install.sh
//! ```
//!
//! ```dockerfile Dockerfile bad default
//! FROM debian:12.8
//! RUN curl -fsSLO https://example.org/tool-1.2.deb && dpkg -i tool-1.2.deb
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! test:
//!   script:
//!     - curl -sSL https://example.org/tool-linux > tool-linux
//!     - sudo mv tool-linux /usr/local/bin/tool
//!     - tool check
//! ```
//!
//! ```yaml buildspec.yml bad default
//! version: 0.2
//! phases:
//!   install:
//!     commands:
//!       - curl -sSLo /usr/local/bin/tool https://example.org/tool-linux
//!   build:
//!     commands:
//!       - tool check
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: pull_request
//! jobs:
//!   test:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           curl -fsSLO https://example.org/1.2.3/install.sh
//!           echo "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  install.sh" | sha256sum -c
//!           sh install.sh
//!       - run: curl -fsS https://example.org/data.json -o data.json
//!       - run: curl -fsS http://localhost:8080/script | sh
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 21 findings in 11 of them.
//! Read by eye: 21, false: 0. Ledger: `docs/evidence/download-unverified.tsv`.

use crate::model::finding::{Finding, Findings, Remedy};
use crate::model::pin::Strength;
use crate::model::project::{Project, Site};
use crate::model::reference::Role;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::script::{Deed, Download};
use crate::model::span::Location;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "download-unverified",
    group: Group::Component,
    summary: "a downloaded file is run without a check",
    levels: &[("run", levels(Warning, Error, Error)), ("rustup", levels(Info, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut told = HashSet::new();
    for site in project.commands() {
        let alone = site.pipeline.is_none() && site.build.is_none();
        if alone && !project.judged(site.source) {
            continue;
        }
        for deed in &site.command.deeds {
            let Deed::Download(download) = deed else { continue };
            let Some(run_by) = download.run_by.filter(|_| !download.verified) else { continue };
            // A job that extends another one repeats its script.
            if !is_own(&download.url.text.text) && !is_commit(project, &site, download) && told.insert(site.command.at) {
                findings.push(finding(&site, download, run_by));
            }
        }
    }
}

fn finding(site: &Site, download: &Download, run_by: Location) -> Finding {
    let url = shown(&download.url.text.text);
    let kind = if is_pinned_rustup(site, run_by, &url) { "rustup" } else { "run" };
    let verb = if installs(site, run_by) { "installed" } else { "run" };
    let message = format!("`{url}` is downloaded and {verb} without a check; whoever changes that file runs code here");
    let key = site.step.map_or_else(|| site.pipeline.map_or(String::new(), |p| p.name.clone()), |step| step.key.clone());
    let finding = Findings::finding(&RULE, kind, site.command.at, message)
        .help("install a pinned package instead, or check a checksum that is written down here before the file is run")
        .about(key, &url)
        .remedy(Remedy::Guide("echo \"<sha256>  <file>\" | sha256sum -c - && sh <file>\n".to_string()));
    if run_by == site.command.at || overlaps(run_by, site.command.at) { finding } else { finding.label(run_by, format!("it is {verb} here")) }
}

/// Whether the command that runs it is one that installs packages of the system.
fn installs(site: &Site, run_by: Location) -> bool {
    const INSTALLERS: &[&str] = &["dpkg", "rpm", "apt", "apt-get", "dnf", "yum", "microdnf", "zypper", "apk"];
    let runner = site.script.commands.iter().find(|command| command.at == run_by);
    let first = runner.and_then(|command| command.words.iter().find(|word| word.text.text != "sudo"));
    first.is_some_and(|word| INSTALLERS.contains(&word.text.text.as_str()))
}

fn overlaps(a: Location, b: Location) -> bool {
    a.source == b.source && a.span.start < b.span.end && b.span.start < a.span.end
}

/// The address without query, fragment and credentials.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_string(),
    }
}

/// Whether the address is a server of the job itself, or a file of the machine.
fn is_own(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or("");
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let bare = host.split(':').next().unwrap_or(host);
    let private = bare.starts_with("127.") || host.starts_with('[');
    scheme == "file" || private || !bare.is_empty() && !bare.contains(['.', '$', '{', '`', '%', '('])
}

/// Whether the address names a full commit.
fn is_commit(project: &Project, site: &Site, download: &Download) -> bool {
    let facts = project.facts_of(site.source);
    facts.references.iter().any(|reference| {
        reference.role == Role::Download
            && reference.site.whole == download.url.text.at
            && reference.strength == Some(Strength::Immutable)
    })
}

/// rustup that is told which toolchain to install: the script fetches nothing else.
fn is_pinned_rustup(site: &Site, run_by: Location, url: &str) -> bool {
    if !["sh.rustup.rs", "static.rust-lang.org/rustup", "win.rustup.rs"].iter().any(|host| url.contains(host)) {
        return false;
    }
    let runs = site.script.commands.iter().filter(|command| command.at == run_by || command.at == site.command.at);
    let words: Vec<&str> = runs.flat_map(|command| &command.words).map(|word| word.text.text.as_str()).collect();
    let after = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1)).copied();
    let joined = words.iter().find_map(|word| word.strip_prefix("--default-toolchain="));
    let toolchain = joined.or(after("--default-toolchain")).unwrap_or("stable");
    toolchain == "none" || toolchain.contains(|c: char| c.is_ascii_digit() || c == '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_may_be_secret() {
        assert_eq!(shown("https://me:token@example.org/x.sh?key=1"), "https://example.org/x.sh");
        assert_eq!(shown("$URL"), "$URL");
    }

    #[test]
    fn servers_of_the_job_are_known() {
        for url in ["http://localhost:80/x", "http://web/x", "file:///x", "http://127.0.0.1/x"] {
            assert!(is_own(url), "{url}");
        }
        for url in ["https://get.x.io", "https://${HOST}/x", "$URL", "get.x.io/x"] {
            assert!(!is_own(url), "{url}");
        }
    }
}
