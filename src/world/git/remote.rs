//! A remote: its branches listed, fetched, pushed and deleted by the user's own git. Touches only what it is told by full name.

use super::scratch::Scratch;
use super::{Local, failed};
use crate::world::credential::Token;
use crate::world::failure::Failure;
use git2::Oid;

/// A remote of a repository.
pub struct Remote {
    /// Its name, or the name that its address got for this run.
    name: String,
    /// Its address for people, without credentials.
    pub address: String,
    /// Settings on top of the user's: the address, the token.
    more: Vec<(String, String)>,
    token: Option<Token>,
    is_http: bool,
    /// The address that credentials belong to.
    bare: String,
}

/// Hands the token to git; it is in the environment of that one process.
const HELPER: &str =
    "!f() { test \"$1\" = get && echo \"username=$PINGUARD_GIT_USER\" && echo \"password=$PINGUARD_GIT_TOKEN\"; }; f";

/// A ref of a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Full name: `refs/heads/main`.
    pub name: String,
    /// Its commit.
    pub commit: Oid,
}

/// What a remote answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The branch that its `HEAD` names, without `refs/heads/`.
    pub default: Option<String>,
    /// The refs that were asked for.
    pub refs: Vec<Branch>,
}

/// A ref that is to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Full name.
    pub name: String,
    /// What it must be at now; `None`: it must not be there. So nothing that somebody else did meanwhile is lost.
    pub from: Option<Oid>,
    /// Where it goes; `None`: away.
    pub to: Option<Oid>,
}

/// Why a push did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// Somebody moved the ref meanwhile.
    Moved,
    /// The remote refuses it: a protected branch, a hook, a missing permission; in its words.
    Refused(String),
    /// The way to it, or git itself.
    World(Failure),
}

const OWN_NAME: &str = "pinguard";

impl Remote {
    /// The remote with this name or address. A token given here goes before the credentials that git would find by itself.
    pub fn of(scratch: &Scratch, local: &Local, named: &str, token: Option<&Token>) -> Result<Remote, Failure> {
        let known = scratch.setting(&format!("remote.{named}.url"));
        if known.is_none() && !named.contains(['/', ':']) {
            let names = local.remotes().join(", ");
            let have = if names.is_empty() { "there is none".to_string() } else { format!("there are: {names}") };
            return Err(failed(format!("has no remote `{named}` here ({have})"), "name one with --remote"));
        }
        let written = known.unwrap_or(named);
        let raw = scratch.setting(&format!("remote.{named}.pushurl")).unwrap_or(written).to_string();
        let full = rewritten(scratch, &raw);
        let is_http = full.starts_with("http://") || full.starts_with("https://");
        let token = token.filter(|token| is_http && !token.is_empty()).cloned();
        let name = if known.is_some() && token.is_none() { named } else { OWN_NAME };
        let mut more = Vec::new();
        let mut set = |key: String, value: &str| more.push((key, value.to_string()));
        if name == OWN_NAME {
            let bare = if token.is_some() { without_user(&full) } else { raw.clone() };
            set(format!("remote.{OWN_NAME}.url"), &bare);
            if token.is_some() {
                // Empty values take away what checkouts left behind, which would be sent instead of the token.
                set(format!("http.{bare}.extraheader"), "");
                set("credential.helper".to_string(), "");
                set(format!("credential.{bare}.helper"), "");
                set(format!("credential.{bare}.helper"), HELPER);
            }
        }
        Ok(Remote { name: name.to_string(), address: shown(&full), more, token, is_http, bare: without_user(&full) })
    }

    /// A remote's name or address as people may see it: without credentials.
    pub fn for_people(named: &str) -> String {
        shown(named)
    }

    /// A token for when git finds no credentials by itself: what CI or the user set up goes first.
    pub fn fall_back(&mut self, token: &Token) {
        if self.token.is_none() && self.is_http && !token.is_empty() {
            self.token = Some(token.clone());
            self.more.push((format!("credential.{}.helper", self.bare), HELPER.to_string()));
        }
    }

    /// The branch of its `HEAD` and the refs that fit the patterns (`refs/heads/pinguard/*`).
    pub fn list(&self, scratch: &Scratch, patterns: &[&str]) -> Result<Listing, Failure> {
        let mut arguments = vec!["ls-remote", "--symref", "--", &self.name, "HEAD"];
        arguments.extend(patterns);
        let out = self.run(scratch, &arguments)?;
        let mut listing = Listing::default();
        for line in out.lines() {
            let Some((value, name)) = line.split_once('\t') else { continue };
            match value.strip_prefix("ref: refs/heads/") {
                Some(branch) if name == "HEAD" => listing.default = Some(branch.to_string()),
                _ if name == "HEAD" => {}
                _ => {
                    if let Ok(commit) = Oid::from_str(value) {
                        listing.refs.push(Branch { name: name.to_string(), commit });
                    }
                }
            }
        }
        Ok(listing)
    }

    /// Brings a commit and its tree here, without its history.
    pub fn fetch(&self, scratch: &Scratch, branch: &Branch) -> Result<(), Failure> {
        if scratch.has(branch.commit) {
            return Ok(());
        }
        let from = branch.name.as_str();
        self.run(scratch, &["fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head", &self.name, from])?;
        match scratch.has(branch.commit) {
            true => Ok(()),
            false => Err(failed(format!("found that {} moved while it was read", branch.name), "run again")),
        }
    }

    /// Moves one ref, or finds out that it may not.
    pub fn push(&self, scratch: &Scratch, push: &Push) -> Result<(), Rejected> {
        let lease = push.from.map_or(String::new(), |oid| oid.to_string());
        let lease = format!("--force-with-lease={}:{lease}", push.name);
        let what = format!("{}:{}", push.to.map_or(String::new(), |oid| oid.to_string()), push.name);
        let arguments = ["push", "--porcelain", "--no-verify", "--no-follow-tags", &lease, &self.name, &what];
        let done = scratch.run(&arguments, &self.more, self.token.as_ref()).map_err(Rejected::World)?;
        let text = done.text();
        let status = text.lines().find(|line| line.starts_with('!'));
        match status {
            Some(line) if ["stale info", "fetch first", "already exists"].iter().any(|word| line.contains(word)) => {
                Err(Rejected::Moved)
            }
            Some(line) => Err(Rejected::Refused(self.clean(&refusal(line, &done.err)))),
            None if done.is_good() => Ok(()),
            None => Err(Rejected::World(self.failure(&done.err))),
        }
    }

    fn run(&self, scratch: &Scratch, arguments: &[&str]) -> Result<String, Failure> {
        let done = scratch.run(arguments, &self.more, self.token.as_ref())?;
        if done.is_good() { Ok(done.text()) } else { Err(self.failure(&done.err)) }
    }

    /// What git said, as a failure with a way out.
    fn failure(&self, err: &str) -> Failure {
        let said = self.clean(err);
        let lower = said.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let what = self.address.clone();
        if has(&["error: 401", "authentication failed", "could not read username", "could not read password"]) {
            return Failure::Unauthorized { what };
        }
        if has(&["error: 403", "write access", "permission denied", "permission to"]) {
            return Failure::Forbidden { what };
        }
        if has(&["error: 404", "not found", "does not appear to be a git repository", "does not exist"]) {
            return Failure::NotFound { what };
        }
        if has(&["error: 429"]) {
            return Failure::Limited { host: what, after: None };
        }
        if has(&["could not resolve host", "failed to connect", "timed out", "connection refused", "unable to access"])
        {
            return Failure::Unreachable { host: what, why: first_line(&said) };
        }
        failed(format!("cannot talk to {what} ({})", first_line(&said)), "try `git ls-remote` by hand")
    }

    fn clean(&self, text: &str) -> String {
        let text = match &self.token {
            Some(token) => text.replace(token.expose(), "***"),
            None => text.to_string(),
        };
        without_credentials(&text)
    }
}

/// The address after the user's `url.X.insteadOf`, as git applies it: the longest that fits.
fn rewritten(scratch: &Scratch, url: &str) -> String {
    let mut best: Option<(usize, String)> = None;
    for (key, lead) in scratch.settings_of("url.", ".insteadof") {
        if let Some(rest) = url.strip_prefix(lead)
            && best.as_ref().is_none_or(|(length, _)| lead.len() > *length)
        {
            best = Some((lead.len(), format!("{key}{rest}")));
        }
    }
    best.map_or_else(|| url.to_string(), |(_, url)| url)
}

/// The line of a porcelain report and what the remote said before it, in one line.
fn refusal(line: &str, err: &str) -> String {
    let reason = line.rsplit('\t').next().unwrap_or(line).trim();
    let said: Vec<&str> = err
        .lines()
        .filter_map(|line| line.strip_prefix("remote:"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(4)
        .collect();
    if said.is_empty() { reason.to_string() } else { format!("{reason}: {}", said.join(" ")) }
}

/// What went wrong, of all that git wrote.
pub(super) fn first_line(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let fatal = lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    fatal.or(lines().next_back()).unwrap_or("no reason given").chars().take(300).collect()
}

fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{scheme}://{host}/{path}")
}

/// An address without credentials; ssh's `git@host:path` holds none.
fn shown(url: &str) -> String {
    let Some(rest) = url.strip_prefix("ssh://") else {
        return if url.contains("://") { without_credentials(url) } else { url.to_string() };
    };
    // The user is a part of an address of ssh, a password behind it is not.
    let end = rest.find('/').unwrap_or(rest.len());
    let Some(at) = rest[..end].rfind('@') else { return url.to_string() };
    let user = rest[..at].split(':').next().unwrap_or("");
    format!("ssh://{user}{}", &rest[at..])
}

/// Takes `user:password@` out of every address in a text.
pub(in crate::world) fn without_credentials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(['/', ' ', '\'', '"', '\n', '?']).unwrap_or(after.len());
        let host = after[..end].rfind('@').map_or(0, |at| at + 1);
        rest = &after[host..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_every_address() {
        let text = "fatal: unable to access 'https://me:hunter2@host.example/x.git/': https://t@b/ and git@host:x";
        let clean = without_credentials(text);
        assert_eq!(clean, "fatal: unable to access 'https://host.example/x.git/': https://b/ and git@host:x");
        assert_eq!(without_user("https://u:p@h.example:8443/a/b.git"), "https://h.example:8443/a/b.git");
        assert_eq!(shown("ssh://git:hunter2@h.example:22/a/b.git"), "ssh://git@h.example:22/a/b.git");
        assert_eq!(shown("ssh://git:hunter:2@h/a@b"), "ssh://git@h/a@b");
        assert_eq!(shown("ssh://git@h.example/a"), "ssh://git@h.example/a");
        assert_eq!(shown("ssh://h.example/a"), "ssh://h.example/a");
    }
}
