//! Credentials in URLs: `scheme://user:password@host`. Knows no scheme and asks no host.

use memchr::memmem::Finder;
use std::sync::LazyLock;

static MARK: LazyLock<Finder> = LazyLock::new(|| Finder::new("://"));

/// Credentials that a URL carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Userinfo<'t> {
    /// Where the URL begins.
    pub url: usize,
    /// Where user and password begin.
    pub start: usize,
    /// Where they end, which is where `@` stands.
    pub end: usize,
    /// The user.
    pub user: &'t str,
    /// The password; empty when only a user is given.
    pub password: &'t str,
    /// The host, without port.
    pub host: &'t str,
}

/// Every URL with credentials in a text, in order.
pub fn find(text: &str) -> Vec<Userinfo<'_>> {
    let mut found = Vec::new();
    for at in MARK.find_iter(text.as_bytes()) {
        let start = at + 3;
        let stop = |c: char| {
            c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>' | '`' | '?' | '#' | '\\' | ',' | '|')
        };
        let upto = text[start..].find(stop).map_or(text.len(), |end| start + end);
        let Some(end) = text[start..upto].rfind('@').map(|end| start + end) else { continue };
        let (user, password) = text[start..end].split_once(':').unwrap_or((&text[start..end], ""));
        let host = &text[end + 1..upto];
        let host = host.split([':', ')', ']', '}', ';']).next().unwrap_or(host);
        let scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let url = at - text.as_bytes()[..at].iter().rev().take_while(|byte| scheme(byte)).count();
        found.push(Userinfo { url, start, end, user, password, host });
    }
    found
}

impl Userinfo<'_> {
    /// What of it is secret: the password, or a user that stands alone.
    pub fn secret(&self) -> &str {
        if self.password.is_empty() { self.user } else { self.password }
    }

    /// Whether the secret is put in later: `$X`, `${X}`, `%s`, `{password}`, `<token>`, `***`.
    pub fn is_computed(&self) -> bool {
        let secret = self.secret();
        let hex = |at: usize| secret.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
        let format = secret.match_indices('%').any(|(at, _)| !(hex(at + 1) && hex(at + 2)));
        secret.is_empty() || format || secret.contains(['$', '{', '}', '<', '>', '*', '[', '('])
    }

    /// Whether the user is an account that everybody has: `git@`.
    pub fn is_account(&self) -> bool {
        self.password.is_empty() && matches!(self.user, "git" | "hg" | "svn" | "oauth2accesstoken" | "ssh")
    }

    /// Whether the host is one of this machine or of a network that only the job sees.
    pub fn is_local(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        let known = ["localhost", "127.0.0.1", "0.0.0.0", "::1"].contains(&host) || host.starts_with("[::1");
        let private = host.starts_with("10.") || host.starts_with("192.168.") || host.starts_with("127.");
        let ends = [".local", ".localhost", ".internal", ".svc", ".test", ".invalid", ".localdomain", ".lan"];
        known || private || ends.iter().any(|end| host.ends_with(end)) || !host.contains('.')
    }

    /// Whether the host is one of documentations, or no host yet.
    pub fn is_sample(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        let sample =
            ["example.com", "example.org", "example.net", "mycompany.com", "company.com", "domain.com", "host.com"];
        let named = sample.iter().any(|name| host == *name || host.ends_with(&format!(".{name}")));
        named
            || host.is_empty()
            || host.contains(['$', '{', '<', '*', '%', '['])
            || host.ends_with(".example")
            || host.starts_with("your")
    }
}
