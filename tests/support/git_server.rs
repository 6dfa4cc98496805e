//! `git http-backend` behind a small CGI host on loopback: what git hosts serve, without a git host.

use super::Folder;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// What the server asks of its callers.
#[derive(Clone, Default)]
pub struct Terms {
    /// Basic credentials `user:password`, as the header has them.
    pub login: Option<(&'static str, &'static str)>,
    /// Whether protocol 2 is refused, as old servers do.
    pub old: bool,
}

/// A git host.
pub struct GitServer {
    pub address: String,
    pub folder: Folder,
    seen: Arc<Mutex<Vec<String>>>,
}

impl GitServer {
    pub fn start(terms: Terms) -> GitServer {
        let folder = Folder::new("git-server");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (root, log) = (folder.0.clone(), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, log, terms) = (root.clone(), Arc::clone(&log), terms.clone());
                std::thread::spawn(move || serve(stream, &root, &terms, &log));
            }
        });
        GitServer { address, folder, seen }
    }

    /// Request lines so far.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().expect("nobody panicked").clone()
    }

    /// Makes the bare repository `name` with one commit for each entry: its tags (`a:` in front makes an annotated one). Returns the
    /// commits.
    pub fn repository(&self, name: &str, commits: &[&[&str]]) -> Vec<String> {
        let bare = self.folder.0.join(name);
        let work = self.folder.0.join("work").join(name);
        std::fs::create_dir_all(&work).expect("a folder");
        git(&work, &["init", "--quiet", "--initial-branch=main"]);
        let mut made = Vec::new();
        for (index, tags) in commits.iter().enumerate() {
            std::fs::write(work.join("file"), index.to_string()).expect("a file");
            git(&work, &["add", "."]);
            git(&work, &["commit", "--quiet", "-m", &format!("commit {index}")]);
            for tag in *tags {
                match tag.strip_prefix("a:") {
                    Some(tag) => git(&work, &["tag", "-a", "-m", tag, tag]),
                    None => git(&work, &["tag", tag]),
                };
            }
            made.push(git(&work, &["rev-parse", "HEAD"]));
        }
        git(&self.folder.0, &["clone", "--quiet", "--bare", &work.to_string_lossy(), &bare.to_string_lossy()]);
        git(&bare, &["config", "http.receivepack", "true"]);
        made
    }
}

/// Runs git in a folder and returns what it prints; nothing of this machine's configuration counts.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for (name, value) in [("NAME", "A Person"), ("EMAIL", "person@example.org"), ("DATE", "2026-05-04T03:02:01Z")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    let output = command.output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

struct Asked {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn serve(mut stream: TcpStream, root: &Path, terms: &Terms, log: &Mutex<Vec<String>>) {
    let Some(asked) = read(&mut stream) else { return };
    log.lock().expect("nobody panicked").push(format!("{} {}", asked.method, asked.target));
    if let Some((user, password)) = terms.login {
        let expected = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
        if asked.header("authorization") != Some(expected.as_str()) {
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"git\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
            return;
        }
    }
    let answer = backend(&asked, root, terms);
    let _ = stream.write_all(&answer);
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    let mut byte = [0_u8];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
    let header = |line: &str| line.split_once(':').map(|(k, v)| (k.to_ascii_lowercase(), v.trim().to_string()));
    let headers: Vec<(String, String)> = lines.filter_map(header).collect();
    let mut asked = Asked { method, target, headers, body: Vec::new() };
    if asked.header("expect").is_some() {
        let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
    }
    if asked.header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        asked.body = chunks(stream)?;
    } else if let Some(length) = asked.header("content-length").and_then(|value| value.parse().ok()) {
        asked.body = vec![0; length];
        stream.read_exact(&mut asked.body).ok()?;
    }
    Some(asked)
}

fn chunks(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        let mut byte = [0_u8];
        while !line.ends_with(b"\r\n") {
            stream.read_exact(&mut byte).ok()?;
            line.push(byte[0]);
        }
        let size = usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

fn backend(asked: &Asked, root: &Path, terms: &Terms) -> Vec<u8> {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let mut command = Command::new("git");
    command.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1").env("PATH_INFO", path);
    command.env("QUERY_STRING", query).env("REQUEST_METHOD", &asked.method).env("REMOTE_USER", "tester");
    command.env("CONTENT_LENGTH", asked.body.len().to_string()).env("REMOTE_ADDR", "127.0.0.1");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    if let Some(value) = asked.header("content-type") {
        command.env("CONTENT_TYPE", value);
    }
    if let Some(value) = asked.header("content-encoding") {
        command.env("HTTP_CONTENT_ENCODING", value);
    }
    if let Some(value) = asked.header("git-protocol").filter(|_| !terms.old) {
        command.env("GIT_PROTOCOL", value);
    }
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("git http-backend runs");
    let (mut stdin, body) = (child.stdin.take().expect("a pipe"), asked.body.clone());
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&body);
    });
    let output = child.wait_with_output().expect("git http-backend ends");
    let _ = writer.join();
    let split = output.stdout.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&output.stdout[..split]).into_owned();
    let body = output.stdout.get(split + 4..).unwrap_or_default();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_string();
    let mut answer = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for line in head.lines().filter(|line| !line.starts_with("Status: ")) {
        answer.extend_from_slice(format!("{line}\r\n").as_bytes());
    }
    answer.extend_from_slice(format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()).as_bytes());
    answer.extend_from_slice(body);
    answer
}

pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at) & 63) as usize] as char;
            out.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

/// The path of a repository as `file://`.
pub fn file_url(path: &Path) -> String {
    let path: PathBuf = path.to_path_buf();
    format!("file://{}", path.display())
}
