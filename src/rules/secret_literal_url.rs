//! # What it finds
//!
//! A URL with a password in it (`https://user:password@host`), in any file that CI, an image build or an install reads: package indexes,
//! git remotes, databases, proxies.
//!
//! # Why
//!
//! It is in the history, and tools print URLs: pip names its indexes, git its remotes, and both end up in lock files and `pip freeze`.
//!
//! # What is not a finding
//!
//! - Passwords that are variables or placeholders (`${TOKEN}`, `{password}`, `user:pass`, `changeme`, `x-oauth-basic`).
//! - Hosts of this machine and of networks that only the job sees: `localhost`, `127.0.0.1`, `*.local`, names without a dot (services).
//! - Hosts of documentations (`example.org`); `git@` and other accounts that everybody has.
//! - Lock files: `lock-credentials` speaks of them. Lines with `# nosec` and its kind.
//!
//! # What to do
//!
//! Change the password first. Then name the host without it and keep it in a `.netrc` file that a step writes (pip, uv, curl and git read
//! it), or take a credential helper.
//!
//! # Levels
//!
//! `error` when the password was made at random, `warning` when it is a plain word; `info` for addresses that are made to be public (Sentry's
//! DSN).
//!
//! # Examples
//!
//! ```text requirements.txt bad default
//! --extra-index-url https://deploy:w7Rk2Lq9Zx4T@pypi.corp.io/simple
//! requests==2.32.3
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! env:
//!   DATABASE_URL: postgres://postgres:postgres@localhost/db
//!   BROKER: amqp://app:w7Rk2Lq9Zx4T@rabbit:5672
//!   INDEX: https://deploy:${{ secrets.T }}@pypi.corp.io/simple
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: git clone "https://x:$TOKEN@github.com/a/b" && git clone ssh://git@github.com/a/b
//!       - run: curl https://user:password@example.com https://user:pass@corp.io
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding.

use crate::model::finding::{Findings, Remedy};
use crate::model::literal::urls::{self, Userinfo};
use crate::model::literal::value::{self, Strength};
use crate::model::literal::{is_excused, shapes};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::span::{Location, Span};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-literal-url",
    group: Group::Secret,
    summary: "a URL has a password in it",
    levels: &[
        ("random", levels(Error, Error, Error)),
        ("word", levels(Warning, Error, Error)),
        ("public", levels(Info, Info, Warning)),
    ],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        let Some(source) = facts.source.filter(|_| !facts.format.is_empty() && facts.locks.is_empty()) else { continue };
        let source = project.source(source);
        for url in urls::find(&source.text) {
            let line = source.line_text(source.line_of(url.start as u32));
            let known = !shapes::find(url.secret()).is_empty();
            let Some(site) = site(&url, line).filter(|_| !known && !is_excused(line)) else { continue };
            let at = Location::new(source.id, Span::new(url.start, url.end));
            report(at, &url, site, findings);
        }
    }
}

/// How bad it is; `None` when there is nothing to say.
fn site(url: &Userinfo, line: &str) -> Option<&'static str> {
    let secret = url.secret();
    if url.is_computed() || url.is_account() || url.is_sample() || url.is_local() {
        return None;
    }
    let strength = value::password(secret);
    if url.password.is_empty() {
        // A name alone is an account, unless it is a random text.
        let random = value::strength("", secret) == Strength::Strong;
        return random.then_some(if url.host.contains("sentry") { "public" } else { "random" });
    }
    let remark = line.trim_start().starts_with(['#', ';']) || line.trim_start().starts_with("//");
    match strength {
        Strength::Strong | Strength::Uuid => Some("random"),
        Strength::Weak if remark || is_placeholder(url) => None,
        Strength::Weak => Some("word"),
    }
}

/// Whether people would read it as a form to be filled in.
fn is_placeholder(url: &Userinfo) -> bool {
    let word = url.password.to_ascii_lowercase();
    let parts = ["pass", "pwd", "secret", "token", "xxx", "test", "example", "foo", "bar", "admin", "user", "key", "changeme", "dummy", "guest", "root", "demo", "your", "my", "redacted", "...", "x-oauth"];
    word == url.user.to_ascii_lowercase() || word.len() < 4 || parts.iter().any(|part| word.contains(part)) || url.user.is_empty() && word.len() < 8
}

fn report(at: Location, url: &Userinfo, site: &'static str, findings: &mut Findings) {
    let len = url.secret().chars().count();
    let what = if url.password.is_empty() { "a token" } else { "a password" };
    let host = url.host;
    let fact = if site == "public" { "it is made to be public, and anybody can send to it" } else { "whoever can read the repository or its history has it" };
    let message = format!("the address of {host} carries {what} of {len} characters; {fact}");
    let guide = "change the password first: this one stays in the history. Then name the host without it, and keep it in a netrc file that a \
                 step writes outside of the workspace with `umask 077`, or take a credential helper";
    let finding = Findings::finding(&RULE, site, at, message).help(guide).about("", host).remedy(Remedy::Guide(guide.to_string()));
    findings.push(finding);
}
