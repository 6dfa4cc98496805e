//! Whether a variable of a running process may be printed. Asked before the environment is shown; in doubt the answer is no.

use super::value::{self, Strength};
use super::{shapes, urls};
use crate::model::secrets::{self, names};

/// Why a variable must not be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposed {
    /// Its name is that of a secret.
    Name,
    /// Its value has the shape of a token or of a private key.
    Shape,
    /// Its value is a URL with a password.
    Url,
}

impl Exposed {
    /// In words.
    pub fn reason(self) -> &'static str {
        match self {
            Exposed::Name => "its name is that of a secret",
            Exposed::Shape => "its value has the shape of a token",
            Exposed::Url => "its value is a URL with a password",
        }
    }
}

/// Tokens of systems that are in the environment of every job beyond those that end with it.
const PRESENT: &[&str] = &[
    "GITHUB_TOKEN",
    "CI_DEPLOY_PASSWORD",
    "CI_NETRC_PASSWORD",
    "DRONE_NETRC_PASSWORD",
    "CI_SERVER_TLS_KEY_FILE",
    "ACTIONS_RESULTS_TOKEN",
    "ACTIONS_CACHE_TOKEN",
    "RUNNER_TOKEN",
    "TRAVIS_ARTIFACTS_SECRET",
    "SEMAPHORE_OIDC_TOKEN",
    "JENKINS_NODE_COOKIE",
];

/// Whether a system puts a token into every job under this name, so that nobody chose it to be there.
pub fn is_always_there(name: &str) -> bool {
    secrets::names::is_short_lived(name) || PRESENT.contains(&name)
}

/// Why a variable must not be printed; `None` when it may.
pub fn exposed(name: &str, text: &str) -> Option<Exposed> {
    if text.is_empty() {
        return None;
    }
    if !shapes::find(text).is_empty() {
        return Some(Exposed::Shape);
    }
    if urls::find(text).iter().any(|url| is_secret_url(url)) {
        return Some(Exposed::Url);
    }
    let named = secrets::looks_secret(name) || names::may_be_secret(name);
    (named && !is_harmless(name, text)).then_some(Exposed::Name)
}

fn is_secret_url(url: &urls::Userinfo) -> bool {
    let throw_away = url.is_local() && value::password(url.secret()) == Strength::Weak;
    let account = url.is_account() || url.password.is_empty() && value::password(url.user) == Strength::Weak;
    !url.is_computed() && !throw_away && !account
}

/// Paths, sockets, switches and numbers are no secrets under any name; nor is the fingerprint that Python's images have in `GPG_KEY`.
fn is_harmless(name: &str, text: &str) -> bool {
    let path = text.starts_with(['/', '~']) && !text.contains(char::is_whitespace) || text.starts_with("./");
    let drive = text.as_bytes().get(1..3) == Some(b":\\");
    let switch = matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "none");
    let number = text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let fingerprint = name == "GPG_KEY" && text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    path || drive || switch || number || fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name_or_shape() {
        let token = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
        assert_eq!(exposed("PLAIN", &token), Some(Exposed::Shape));
        assert_eq!(exposed("PIP_INDEX_URL", "https://joe:w7Rk2Lq9Zx4T@pypi.corp.io/simple"), Some(Exposed::Url));
        for name in ["DB_PASSWORD", "API_KEY", "PYPI_TOKEN", "sshPrivateKey", "AWS_SECRET_ACCESS_KEY"] {
            assert_eq!(exposed(name, "hunter2"), Some(Exposed::Name), "{name}");
        }
    }

    #[test]
    fn what_is_plain_may_be_printed() {
        for (name, text) in [
            ("PATH", "/usr/bin:/bin"),
            ("SSH_AUTH_SOCK", "/tmp/ssh-1/agent.2"),
            ("TOKEN_FILE", "/run/secrets/token"),
            ("DB_PASSWORD", ""),
            ("USE_AUTH", "true"),
            ("GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568"),
            ("DATABASE_URL", "postgres://postgres:postgres@localhost/db"),
            ("GIT_REMOTE", "ssh://git@github.com/a/b"),
            ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
        ] {
            assert_eq!(exposed(name, text), None, "{name}");
        }
        assert!(is_always_there("GITHUB_TOKEN") && is_always_there("CI_JOB_TOKEN") && !is_always_there("PYPI_TOKEN"));
    }
}
