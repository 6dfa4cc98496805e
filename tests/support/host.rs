//! A small HTTP/1.1 host on loopback for tests: real sockets, chunked bodies, one thread a connection.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a client asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    /// Path without the query, percent-encoding kept.
    pub path: String,
    pub query: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }
}

/// What it gets.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Given {
    pub fn status(status: u16) -> Given {
        Given { status, ..Given::default() }
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Given {
        Given::status(status).with("content-type", "application/json").body(body.to_string())
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Given {
        self.headers.push((name.to_string(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Given {
        self.body = body.into();
        self
    }
}

/// A running host; it stops with this value.
pub struct Host {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
}

impl Host {
    pub fn start(answer: impl Fn(&Asked) -> Given + Send + Sync + 'static) -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let port = listener.local_addr().expect("an address").port();
        let (asked, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let answer = Arc::new(answer);
        let (log, stop) = (Arc::clone(&asked), Arc::clone(&over));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(stream, &*answer, &log));
            }
        });
        Host { port, asked, over }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything that was asked so far.
    pub fn log(&self) -> Vec<Asked> {
        self.asked.lock().expect("log").clone()
    }

    pub fn forget(&self) {
        self.asked.lock().expect("log").clear();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&Asked) -> Given, log: &Mutex<Vec<Asked>>) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    while let Some(asked) = read(&mut input, &mut out) {
        log.lock().expect("log").push(asked.clone());
        let given = answer(&asked);
        let mut head = format!("HTTP/1.1 {} X\r\n", given.status);
        for (name, value) in &given.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !given.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            head.push_str(&format!("content-length: {}\r\n", given.body.len()));
        }
        head.push_str("\r\n");
        let body: &[u8] = if asked.method == "HEAD" { &[] } else { &given.body };
        let closes = given.headers.iter().any(|(name, value)| name == "connection" && value == "close");
        if out.write_all(head.as_bytes()).and_then(|()| out.write_all(body)).is_err() || closes {
            return;
        }
    }
}

fn read(input: &mut BufReader<TcpStream>, out: &mut TcpStream) -> Option<Asked> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut asked = Asked { method, path: path.to_string(), query: query.to_string(), ..Asked::default() };
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        asked.headers.insert(name.to_ascii_lowercase(), value.trim().to_string());
    }
    if asked.header("expect").eq_ignore_ascii_case("100-continue") {
        out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    if asked.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        loop {
            let mut size = String::new();
            input.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            input.read_exact(&mut chunk).ok()?;
            asked.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    } else if let Ok(size) = asked.header("content-length").parse::<usize>() {
        asked.body = vec![0; size];
        input.read_exact(&mut asked.body).ok()?;
    }
    Some(asked)
}
