//! The client against real sockets on loopback.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk")]

use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Mutex;

type Reply = Box<dyn Fn(&str, usize) -> String + Send + Sync>;

/// A server that answers by a function of the request's head and its number, one connection a request.
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(reply: Reply) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &reply, &log);
            }
        });
        Server { address, seen }
    }

    fn heads(&self) -> Vec<String> {
        self.seen.lock().expect("nobody panicked").clone()
    }
}

fn serve(mut stream: TcpStream, reply: &Reply, log: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0_u8];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let mut log = log.lock().expect("nobody panicked");
    log.push(head.clone());
    let _ = stream.write_all(reply(&head, log.len()).as_bytes());
}

fn ok(body: &str, headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

fn status(line: &str, headers: &str) -> String {
    format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n{headers}\r\n")
}

fn quick() -> Settings {
    Settings {
        pause: Duration::from_millis(1),
        retries: 2,
        within: Duration::from_millis(500),
        progress: Progress::Silent,
        ..Settings::default()
    }
}

fn send(http: &Http, request: Request) -> Result<Answer, Failure> {
    crate::world::runtime::block_on(http.fetch(&request)).expect("a runtime")
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("pinguard-http-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Folder(folder)
    }

    fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() { walk(&entry.path(), into) } else { into.push(entry.path()) }
            }
        }
        let mut files = Vec::new();
        walk(&self.0, &mut files);
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_passes_is_tried_again_and_retry_after_is_obeyed() {
    let server = Server::start(Box::new(|_, number| match number {
        1 => status("503 Busy", ""),
        2 => status("429 Slow", "retry-after: 1\r\n"),
        _ => ok("done", ""),
    }));
    let http = Http::new(quick());
    let begun = std::time::Instant::now();
    let answer = send(&http, Request::get(&server.address).expect("an address")).expect("an answer");
    assert_eq!((answer.text().as_str(), http.counts().requests), ("done", 3));
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[test]
fn a_host_with_nothing_left_is_left_in_peace_and_that_is_said() {
    let server = Server::start(Box::new(|head, number| match (head.contains("/soon"), number) {
        (true, 1) => status("403 Forbidden", "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1\r\n"),
        (true, _) => ok("done", "ratelimit-limit: 100;w=60\r\nratelimit-remaining: 90;w=60\r\n"),
        _ => ok("last", "ratelimit-limit: 100\r\nratelimit-remaining: 0\r\nratelimit-reset: 9999\r\n"),
    }));
    let http = Http::new(quick());
    let get = |path: &str| Request::get(&format!("{}{path}", server.address)).expect("an address");
    let begun = std::time::Instant::now();
    assert_eq!(send(&http, get("/soon")).expect("an answer").text(), "done");
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
    assert_eq!(http.low_quotas(), [""; 0]);
    assert_eq!(send(&http, get("/late")).expect("an answer").text(), "last");
    let asked = http.counts().requests;
    let after = |failure| matches!(failure, Failure::Limited { after: Some(after), .. } if after.as_secs() > 9000);
    assert!(after(send(&http, get("/later")).expect_err("no more")));
    assert_eq!(http.counts().requests, asked);
    assert!(
        http.low_quotas()[0].ends_with("allows 0 of 100 more requests; full again in 9999 s"),
        "{:?}",
        http.low_quotas()
    );
}

#[test]
fn every_kind_of_failure_has_its_name() {
    let reply = |head: &str, _: usize| -> String {
        let path = head.split(' ').nth(1).unwrap_or("");
        match path {
            "/401" => status("401 No", ""),
            "/403" => status("403 No", ""),
            "/404" => status("404 No", ""),
            "/429" => status("429 No", "retry-after: 9999\r\n"),
            "/500" => status("500 No", ""),
            "/418" => status("418 No", ""),
            "/short" => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nhalf".to_string(),
            "/big" => ok(&"x".repeat(5000), ""),
            "/circle" => status("302 There", "location: /circle\r\n"),
            "/slow" => {
                std::thread::sleep(Duration::from_millis(700));
                ok("late", "")
            }
            _ => String::new(),
        }
    };
    let server = Server::start(Box::new(reply));
    let get = |path: &str| {
        let request = Request::get(&format!("{}{path}", server.address)).expect("an address").limit(1000);
        send(&Http::new(quick()), request).expect_err(path)
    };
    assert!(matches!(get("/401"), Failure::Unauthorized { .. }));
    assert!(matches!(get("/403"), Failure::Forbidden { .. }));
    assert!(matches!(get("/404"), Failure::NotFound { .. }));
    assert!(matches!(get("/429"), Failure::Limited { after: Some(after), .. } if after.as_secs() == 9999));
    assert!(matches!(get("/500"), Failure::Broken { status: 500, .. }));
    assert!(matches!(get("/418"), Failure::Unexpected { status: 418, .. }));
    assert!(matches!(get("/short"), Failure::Truncated { .. }));
    assert!(matches!(get("/big"), Failure::TooBig { .. }));
    assert!(matches!(get("/circle"), Failure::Lying { .. }));
    assert!(matches!(get("/slow"), Failure::Unreachable { .. }));
    assert!(matches!(Request::get("ftp://x/"), Err(Failure::BadAddress { .. })));
}

#[test]
fn a_host_that_never_answered_is_not_asked_for_ever() {
    // A port that nobody listens on: it was free a moment ago.
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let http = Http::new(quick());
    let request = Request::get(&address).expect("an address");
    assert!(matches!(send(&http, request.clone()), Err(Failure::Unreachable { .. })));
    let tried = http.counts().requests;
    assert_eq!(tried, 3);
    assert!(matches!(send(&http, request), Err(Failure::Unreachable { .. })));
    assert_eq!(http.counts().requests, tried);
}

#[test]
fn credentials_stay_with_their_host() {
    let other = Server::start(Box::new(|_, _| ok("there", "")));
    let target = other.address.clone();
    let first = Server::start(Box::new(move |head, _| match head.starts_with("get /a") {
        true => status("302 There", "location: /b\r\n"),
        false => status("302 There", &format!("location: {target}/c\r\n")),
    }));
    let address = first.address.replace("http://", "http://me:hunter2@");
    let request = Request::get(&format!("{address}/a")).expect("an address");
    assert!(!request.what().contains("hunter2"), "{}", request.what());
    let answer = send(&Http::new(quick()), request).expect("an answer");
    assert_eq!(answer.text(), "there");
    let heads = first.heads();
    assert!(heads.iter().all(|head| head.contains("authorization: basic")), "{heads:?}");
    assert!(!other.heads()[0].contains("authorization"), "{:?}", other.heads());
}

#[test]
fn answers_are_kept_confirmed_and_used_without_a_network() {
    let folder = Folder::new("kept");
    let server = Server::start(Box::new(|head, _| match head.contains("if-none-match: \"one\"") {
        true => status("304 Same", "etag: \"one\"\r\n"),
        false => ok("body", "etag: \"one\"\r\n"),
    }));
    let settings = Settings { cache: Some(folder.0.clone()), ..quick() };
    let http = Http::new(settings.clone());
    let request = Request::get(&server.address).expect("an address").caching(Caching::For(Duration::ZERO));
    assert!(!send(&http, request.clone()).expect("an answer").from_cache);
    assert!(send(&http, request.clone()).expect("an answer").from_cache);
    assert_eq!((http.counts().requests, http.counts().confirmed), (2, 1));
    let offline = Http::new(Settings { mode: Mode::Offline, ..settings });
    assert_eq!(send(&offline, request.clone()).expect("an answer").text(), "body");
    assert_eq!((offline.counts().requests, offline.counts().kept), (0, 1));
    let unknown = Request::get(&format!("{}/other", server.address)).expect("an address");
    assert!(matches!(send(&offline, unknown), Err(Failure::Offline { .. })));
    // A file that was cut or changed is no answer.
    for file in folder.files() {
        let mut bytes = std::fs::read(&file).expect("a file");
        bytes.pop();
        std::fs::write(&file, bytes).expect("a file");
    }
    assert!(matches!(send(&offline, request), Err(Failure::Offline { .. })));
}

#[test]
fn what_is_made_of_an_answer_is_kept_in_its_stead() {
    let folder = Folder::new("made");
    let server = Server::start(Box::new(|head, _| match head.contains("if-none-match: \"one\"") {
        true => status("304 Same", "etag: \"one\"\r\n"),
        false => ok("body", "etag: \"one\"\r\n"),
    }));
    let settings = Settings { cache: Some(folder.0.clone()), ..quick() };
    let http = Http::new(settings.clone());
    let plain = Request::get(&server.address).expect("an address").caching(Caching::For(Duration::ZERO));
    let refused = plain.clone().reduced("bad", |answer| Err(format!("no {}", answer.text())));
    assert!(matches!(send(&http, refused.clone()), Err(Failure::Lying { why, .. }) if why == "no body"));
    let first = plain.clone().reduced("half", |answer| Ok(answer.body[..2].to_vec()));
    assert_eq!(send(&http, first.clone()).expect("an answer").text(), "bo");
    assert_eq!((send(&http, first.clone()).expect("an answer").text(), http.counts().confirmed), ("bo".to_string(), 1));
    let offline = Http::new(Settings { mode: Mode::Offline, ..settings });
    assert_eq!(send(&offline, first).expect("an answer").text(), "bo");
    // Another form, what was refused, and the whole are other answers.
    let other = plain.clone().reduced("other", |answer| Ok(answer.body.clone()));
    for request in [plain.clone(), refused, other] {
        assert!(matches!(send(&offline, request), Err(Failure::Offline { .. })));
    }
    let made = plain.made("sum");
    assert!(offline.recall(&made).is_none());
    http.remember(&made, b"sum".to_vec());
    assert_eq!(offline.recall(&made).expect("it was kept").text(), "sum");
    assert!(http.recall(&made).is_none(), "its time is over");
}

#[test]
fn fresh_answers_cost_no_request() {
    let folder = Folder::new("fresh");
    let server = Server::start(Box::new(|head, _| match head.starts_with("get /never") {
        true => ok("x", "cache-control: no-store\r\n"),
        false => ok("x", "cache-control: max-age=600\r\n"),
    }));
    let http = Http::new(Settings { cache: Some(folder.0.clone()), ..quick() });
    for path in ["/a", "/a", "/never", "/never"] {
        let request = Request::get(&format!("{}{path}", server.address)).expect("an address");
        send(&http, request.caching(Caching::For(Duration::ZERO))).expect("an answer");
    }
    assert_eq!(http.counts().requests, 3);
}
