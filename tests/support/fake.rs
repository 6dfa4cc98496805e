//! A server that answers by a function of the request's head: for what real servers on loopback do not do (limits, lies, loops).

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A fake server; one request a connection.
pub struct Fake {
    pub address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Answers each request by its head (in lower case but for the request line) and the server's own address.
    pub fn start(reply: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, own, reply) = (Arc::clone(&seen), address.clone(), Arc::new(reply));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, own, reply) = (Arc::clone(&log), own.clone(), Arc::clone(&reply));
                std::thread::spawn(move || serve(stream, &log, |head| reply(head, &own)));
            }
        });
        Fake { address, seen }
    }

    /// Host and port.
    pub fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// Request lines so far.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().expect("nobody panicked").clone()
    }

    pub fn json(body: &str) -> Vec<u8> {
        Fake::answer("200 OK", "content-type: application/json\r\n", body)
    }

    pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
            .into_bytes()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<String>>, reply: impl Fn(&str) -> Vec<u8>) {
    let mut head = Vec::new();
    let mut byte = [0_u8];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (line, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
    log.lock().expect("nobody panicked").push(line.to_string());
    let mut answer = reply(&format!("{line}\r\n{}", rest.to_ascii_lowercase()));
    if line.starts_with("HEAD ") {
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        answer.truncate(end);
    }
    let _ = stream.write_all(&answer);
}
