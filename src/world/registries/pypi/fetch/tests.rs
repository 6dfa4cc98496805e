//! How much is asked of a server for the metadata of a wheel. Against a server on loopback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::super::archive::tests::zip;
use super::super::{Named, Places, Pypi};
use super::TAIL;
use crate::resolve::listing::{Absent, Index};
use crate::resolve::metadata::Metadata;
use crate::world::environment::Environment;
use crate::world::http::{Http, Mode, Settings};
use crate::world::progress::Progress;
use crate::world::runtime::Kept;
use crate::world::temporary::Temporary;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: lib<2\n\n";

/// A file as an index lists it, and the ranges of it that were asked for.
struct Served {
    name: &'static str,
    /// What the index says of its length.
    size: u64,
    bytes: Vec<u8>,
    ranges: Mutex<Vec<(usize, usize)>>,
}

/// Serves the file by ranges, and the page that lists it.
fn serve(mut stream: TcpStream, file: &Served) {
    let mut head = Vec::new();
    let mut byte = [0_u8];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let range = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
    let all = file.bytes.len();
    let (line, body) = match range.and_then(|range| range.split_once('-')) {
        Some((start, end)) => {
            let end: usize = end.parse().unwrap();
            let (start, end) = start.parse().map_or((all.saturating_sub(end), all), |start| (start, all.min(end + 1)));
            file.ranges.lock().unwrap().push((start, end));
            let line = format!("206 Partial\r\ncontent-range: bytes {start}-{}/{all}", end - 1);
            (line, file.bytes[start..end].to_vec())
        }
        None => {
            let (name, size) = (file.name, file.size);
            let entry = format!(r#"{{"filename": "{name}", "url": "/{name}", "hashes": {{}}, "size": {size}}}"#);
            let page = format!(r#"{{"meta": {{"api-version": "1.1"}}, "name": "a", "files": [{entry}]}}"#);
            ("200 OK\r\ncontent-type: application/vnd.pypi.simple.v1+json".to_string(), page.into_bytes())
        }
    };
    let _ = write!(stream, "HTTP/1.1 {line}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(&body);
}

/// The address of an index that lists a file.
fn index(file: &Arc<Served>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/simple", listener.local_addr().unwrap());
    let file = Arc::clone(file);
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &file)));
    address
}

fn served(name: &'static str, size: u64, bytes: Vec<u8>) -> Arc<Served> {
    Arc::new(Served { name, size, bytes, ranges: Mutex::default() })
}

/// The metadata of the one file of an index.
fn metadata(address: &str, settings: Settings) -> Result<Arc<Metadata>, Absent> {
    let environment = Environment::of([("PIP_CONFIG_FILE", "/dev/null")]);
    let named = Named { default: Some(address.to_string()), ..Named::default() };
    let places = Places::of(&named, &environment, &|_| None).unwrap();
    let http = Http::new(Settings { progress: Progress::Silent, ..settings });
    let kept = Kept::start().unwrap();
    let pypi = kept.within(|| Pypi::new(http, places, &environment, PathBuf::new()));
    let listing = pypi.listing(&"a".into())?;
    pypi.metadata(&listing.releases[0].files()[0])
}

/// The ranges that are asked for until the metadata of a wheel is known.
fn asked(wheel: Vec<u8>) -> Vec<(usize, usize)> {
    let file = served("a-1-py3-none-any.whl", wheel.len() as u64, wheel);
    let metadata = metadata(&index(&file), Settings::default()).unwrap();
    assert_eq!(metadata.needs(None).len(), 1);
    let ranges = file.ranges.lock().unwrap();
    ranges.clone()
}

#[test]
fn a_source_distribution_that_is_too_big_is_looked_at_once() {
    let folder = Temporary::new().unwrap();
    let settings = |mode| Settings { mode, cache: Some(folder.path().to_path_buf()), ..Settings::default() };
    let file = served("a-1.tar.gz", super::LARGEST_SOURCE + 1, b"no PKG-INFO in sight".to_vec());
    let address = index(&file);
    for mode in [Mode::Online, Mode::Online, Mode::Offline] {
        assert!(matches!(metadata(&address, settings(mode)), Err(Absent::NeedsBuild)), "{mode:?}");
        assert_eq!(file.ranges.lock().unwrap().len(), 1);
    }
}

#[test]
fn what_stands_before_a_long_directory_comes_with_it() {
    let metadata = ("a-1.dist-info/METADATA", METADATA);
    let many: Vec<String> = (0..600).map(|at| format!("a/a_module_with_a_longer_name_{at}.py")).collect();
    let others = || many.iter().map(|name| (name.as_str(), &b"pass\n"[..]));
    // A small wheel: its end holds everything.
    let small = zip(&[("a/big", &vec![7; 20_000]), metadata]);
    assert_eq!(asked(small.clone()), [(small.len() - TAIL as usize, small.len())]);
    // A directory longer than that: the rest of it comes with what stands before it, and nothing comes twice.
    let large = zip(&others().chain([metadata]).collect::<Vec<_>>());
    let [(first, end), (second, middle)] = asked(large.clone())[..] else { panic!("two ranges are enough") };
    assert_eq!((end, middle), (large.len(), first));
    assert!(second < first);
    // Metadata in front of everything takes a third.
    let front = zip(&[metadata].into_iter().chain(others()).collect::<Vec<_>>());
    assert_eq!(asked(front).len(), 3);
}
