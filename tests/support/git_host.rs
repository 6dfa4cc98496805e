//! A real git server over smart HTTP: `git http-backend` behind the small host, with a token.
#![allow(dead_code, reason = "each test crate uses its part")]

use super::host::{Asked, Given, Host};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs git in a folder, without the settings of whoever runs the tests.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]).args(arguments);
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "A Person"),
        ("GIT_AUTHOR_EMAIL", "person@example.org"),
        ("GIT_COMMITTER_NAME", "A Person"),
        ("GIT_COMMITTER_EMAIL", "person@example.org"),
    ] {
        command.env(name, value);
    }
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let output = command.current_dir(folder).output().expect("git runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_string();
    assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// A server with one repository, `/acme/shop.git`.
pub struct GitHost {
    pub host: Host,
    /// The bare repository.
    pub bare: PathBuf,
}

pub const TOKEN: &str = "s3cr3t-token-of-the-tests";

impl GitHost {
    /// Serves a new bare repository below `folder`. Only who has [`TOKEN`] may write; with `private` also read.
    pub fn start(folder: &Path, private: bool) -> GitHost {
        let bare = folder.join("srv/acme/shop.git");
        fs::create_dir_all(&bare).expect("folder");
        git(&bare, &["init", "--quiet", "--bare", "."]);
        git(&bare, &["config", "http.receivepack", "true"]);
        let root = folder.join("srv");
        let host = Host::start(move |asked| backend(&root, private, asked));
        GitHost { host, bare }
    }

    pub fn url(&self) -> String {
        format!("{}/acme/shop.git", self.host.url())
    }

    /// A hook that refuses whatever `test` (shell, with `$ref` set) lets pass.
    pub fn refuse(&self, test: &str, words: &str) {
        let script =
            format!("#!/bin/sh\nwhile read old new ref; do if {test}; then echo '{words}' >&2; exit 1; fi; done\n");
        let path = self.bare.join("hooks/pre-receive");
        fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        fs::write(&path, script).expect("hook");
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("mode");
    }

    pub fn allow_all(&self) {
        let _ = fs::remove_file(self.bare.join("hooks/pre-receive"));
    }

    /// Names and commits below a lead.
    pub fn refs(&self, lead: &str) -> Vec<(String, String)> {
        let out = git(&self.bare, &["for-each-ref", "--format=%(refname) %(objectname)", lead]);
        let split = |line: &str| line.split_once(' ').map(|(name, id)| (name.to_string(), id.to_string()));
        out.lines().filter_map(split).collect()
    }
}

fn backend(root: &Path, private: bool, asked: &Asked) -> Given {
    let writes = asked.path.ends_with("/git-receive-pack") || asked.query.contains("git-receive-pack");
    if (writes || private) && !is_authorized(asked) {
        return Given::status(401).with("www-authenticate", "Basic realm=\"git\"");
    }
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", &asked.path)
        .env("QUERY_STRING", &asked.query)
        .env("REQUEST_METHOD", &asked.method)
        .env("CONTENT_TYPE", asked.header("content-type"))
        .env("CONTENT_LENGTH", asked.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", asked.header("content-encoding"))
        .env("GIT_PROTOCOL", asked.header("git-protocol"))
        .env("REMOTE_USER", "bot")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git http-backend runs");
    let mut stdin = child.stdin.take().expect("input");
    let body = asked.body.clone();
    let feed = std::thread::spawn(move || stdin.write_all(&body));
    let out = child.wait_with_output().expect("git http-backend ends").stdout;
    let _ = feed.join();
    let split = out.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
    let mut given = Given::status(200).body(out.get(split + 4..).unwrap_or_default());
    for line in String::from_utf8_lossy(&out[..split]).lines() {
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("status") => {
                given.status = value.trim().split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500);
            }
            Some((name, value)) => given.headers.push((name.to_string(), value.trim().to_string())),
            None => {}
        }
    }
    given
}

/// Basic with the token as password, whatever the user's name.
fn is_authorized(asked: &Asked) -> bool {
    let Some(code) =
        asked.header("authorization").strip_prefix("Basic ").or(asked.header("authorization").strip_prefix("basic "))
    else {
        return false;
    };
    let plain = decoded(code);
    plain.split_once(':').is_some_and(|(_, password)| password == TOKEN)
}

fn decoded(code: &str) -> String {
    let value = |c: u8| match c {
        b'A'..=b'Z' => Some(u32::from(c - b'A')),
        b'a'..=b'z' => Some(u32::from(c - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(c - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bits, mut held, mut bytes) = (0, 0, Vec::new());
    for part in code.bytes().filter_map(value) {
        held = held << 6 | part;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What git sends for a user and a password.
pub fn basic(password: &str) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("x-access-token:{password}");
    let mut code = String::new();
    for three in text.as_bytes().chunks(3) {
        let held = three.iter().fold(0_u32, |held, byte| held << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let sign = SIGNS[(held >> (18 - 6 * at) & 63) as usize];
            code.push(if at <= three.len() { sign as char } else { '=' });
        }
    }
    format!("AUTHORIZATION: basic {code}")
}
