//! What is fetched ahead of the search.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::resolve::listing::{Absent, Direct, File, Guess, Index, Listing};
use crate::resolve::metadata::Metadata;
use crate::resolve::requirement::Name;
use crate::resolve::resolve;
use crate::resolve::standing::tests::{Made, request};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Notes which files are foretold and which are read.
struct Noting {
    made: Made,
    foretold: Mutex<BTreeSet<String>>,
    read: Mutex<BTreeSet<String>>,
}

impl Index for Noting {
    fn listing(&self, name: &Name) -> Result<Arc<Listing>, Absent> {
        self.made.listing(name)
    }

    fn metadata(&self, file: &Arc<File>) -> Result<Arc<Metadata>, Absent> {
        self.read.lock().unwrap().insert(file.name.clone());
        self.made.metadata(file)
    }

    fn direct(&self, name: &Name, url: &str) -> Result<Arc<Direct>, Absent> {
        self.made.direct(name, url)
    }

    fn ready(&self, name: &Name) -> Option<Arc<Listing>> {
        self.made.listing(name).ok()
    }

    fn soon(&self, _: &Name, _: Option<Guess>) {}

    fn soon_metadata(&self, file: &Arc<File>) {
        self.foretold.lock().unwrap().insert(file.name.clone());
    }
}

/// The files that were foretold, and those that were read.
fn noted(made: Made, lines: &[&str]) -> (BTreeSet<String>, BTreeSet<String>) {
    let index = Noting { made, foretold: Mutex::default(), read: Mutex::default() };
    resolve(&request(lines), &index).unwrap();
    (index.foretold.into_inner().unwrap(), index.read.into_inner().unwrap())
}

#[test]
fn the_next_versions_are_fetched_together_in_the_order_of_the_search() {
    let mut releases: Vec<(&str, &str, &[&str])> = vec![("lib", "1", &[])];
    releases.extend(["2", "3", "4", "5", "6", "7", "8"].map(|version| ("app", version, &[][..])));
    releases.extend(["9", "10", "11", "12"].map(|version| ("app", version, &["lib<1"][..])));
    releases.extend(["13a1", "13a2", "13a3"].map(|version| ("app", version, &[][..])));
    let (foretold, read) = noted(Made(releases), &["app", "lib==1"]);
    assert_eq!(read.len(), 6, "{read:?}");
    assert!(foretold.is_superset(&read) && foretold.len() > read.len(), "{foretold:?}");
    assert!(!foretold.iter().any(|file| file.contains("13a")), "pre-releases come last: {foretold:?}");
}

#[test]
fn one_version_under_several_names_is_tried_once() {
    let releases: Vec<(&str, &str, &[&str])> = vec![
        ("web", "1", &["Provides-Extra: x"]),
        ("web", "2", &["Provides-Extra: x"]),
        ("web", "3", &["Provides-Extra: x", "lib ; extra == 'x'"]),
        ("lib", "1", &[]),
    ];
    let (foretold, _) = noted(Made(releases), &["web", "web[x] ; sys_platform == 'win32'"]);
    assert_eq!(
        foretold.iter().map(String::as_str).collect::<Vec<_>>(),
        ["lib-1-py3-none-any.whl", "web-3-py3-none-any.whl"]
    );
}
