//! What is said to hold is held against the resolver.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::resolve::bounds::PythonRange;
use crate::resolve::listing::File;
use crate::resolve::listing::packed::{Entry, Page, pack, unpack};
use crate::resolve::listing::{Absent, Announced, Direct, Guess, Listing};
use crate::resolve::metadata::Metadata;
use crate::resolve::requirement::Requirement;
use crate::resolve::{For, Request, resolve};
use std::str::FromStr;
use std::sync::Arc;

/// Versions with the lines of their metadata; `Python` in front of a line is what the index says, `Tag` what the wheel is for.
pub(in crate::resolve) struct Made(pub Vec<(&'static str, &'static str, &'static [&'static str])>);

impl Index for Made {
    fn listing(&self, name: &Name) -> Result<Arc<Listing>, Absent> {
        let tag =
            |lines: &[&str]| lines.iter().find_map(|line| line.strip_prefix("Tag ")).unwrap_or("py3-none").to_string();
        let entry = |(project, version, lines): &(&str, &str, &[&str])| Entry {
            name: format!("{project}-{version}-{}-any.whl", tag(lines)).into(),
            url: format!("https://f.example/{project}-{version}-py3-none-any.whl").into(),
            hashes: Vec::new(),
            requires_python: lines
                .iter()
                .find_map(|line| line.strip_prefix("Python "))
                .map(|text| text.to_string().into()),
            uploaded: None,
            yanked: None,
            size: None,
            announced: Announced::No,
        };
        let entries: Vec<Entry> = self.0.iter().filter(|(project, ..)| *project == &**name).map(entry).collect();
        if entries.is_empty() {
            return Err(Absent::NotFound);
        }
        let page = Page { entries, ..Page::default() };
        Ok(Arc::new(unpack(name, pack(name, &page), &"https://i.example".into()).unwrap().1))
    }

    fn metadata(&self, file: &Arc<File>) -> Result<Arc<Metadata>, Absent> {
        let of =
            |(project, version, _): &&(&str, &str, &[&str])| file.name.starts_with(&format!("{project}-{version}-"));
        let (project, version, lines) = self.0.iter().find(of).ok_or(Absent::NotFound)?;
        let mut text = format!("Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n");
        for line in lines.iter().filter(|line| !line.starts_with("Python ") && !line.starts_with("Tag ")) {
            let extra = line.starts_with("Provides-Extra:");
            text.push_str(&if extra { format!("{line}\n") } else { format!("Requires-Dist: {line}\n") });
        }
        Ok(Arc::new(Metadata::of_wheel(&text).unwrap()))
    }

    fn direct(&self, _: &Name, _: &str) -> Result<Arc<Direct>, Absent> {
        Err(Absent::NotFound)
    }

    fn ready(&self, _: &Name) -> Option<Arc<Listing>> {
        None
    }

    fn soon(&self, _: &Name, _: Option<Guess>) {}

    fn soon_metadata(&self, _: &Arc<File>) {}
}

fn requirements(lines: &[&str]) -> Vec<Requirement> {
    lines.iter().map(|line| Requirement::parse(line).unwrap()).collect()
}

pub(in crate::resolve) fn request(lines: &[&str]) -> Request {
    Request {
        requirements: requirements(lines),
        constraints: Vec::new(),
        overrides: Vec::new(),
        pins: Vec::new(),
        fixed: Vec::new(),
        target: For::Universal { python: PythonRange::from(&Version::from_str("3.9").unwrap()) },
        policy: Default::default(),
        known: HashMap::new(),
    }
}

fn solved(index: &Made, lines: &[&str]) -> Option<Solution> {
    resolve(&request(lines), index).ok()
}

#[test]
fn later_pythons_count_where_everything_can_be_installed_on_them() {
    let on = |lines: &[&str], python: &str| {
        let mut request = request(lines);
        request.target = For::Universal { python: PythonRange::from(&Version::from_str(python).unwrap()) };
        request
    };
    // Wheels for one Python only stand for "3.9 and later", and not for "3.11 and later".
    let mut index = world();
    let raised = |index: &Made, base: &[&str], after: &[&str]| {
        let standing = Standing::of(solved(index, base).unwrap(), index);
        let raised = BTreeMap::from([("lib".into(), Version::from_str("1.7").unwrap())]);
        ["3.9", "3.11"].map(|python| standing.mended(index, &raised, &on(after, python)).is_some())
    };
    let (base, after) = (["app==1.0", "lib==1.0"], ["app==1.0", "lib==1.7"]);
    assert_eq!(raised(&index, &base, &after), [false, true]);
    index.0.push(("old", "1.0", &["Tag cp310-cp310"]));
    let with_old = |lines: [&'static str; 2]| [lines[0], lines[1], "old==1.0"];
    assert_eq!(raised(&index, &with_old(base), &with_old(after)), [false, false]);
}

fn world() -> Made {
    Made(vec![
        ("app", "1.0", &["lib>=1", "win ; sys_platform == 'win32'"]),
        ("lib", "1.0", &[]),
        ("lib", "1.1", &["win"]),
        ("lib", "1.2", &["win ; sys_platform == 'win32'"]),
        ("lib", "1.3", &["other"]),
        ("lib", "1.4", &["tool>=2"]),
        ("lib", "1.5", &["tool[cli]"]),
        ("lib", "1.6", &["tool<2"]),
        ("lib", "1.7", &["Python >=3.10"]),
        ("lib", "1.8", &["app @ https://f.example/app-1.0-py3-none-any.whl"]),
        ("lib", "2.0", &[]),
        ("win", "1.0", &[]),
        ("other", "1.0", &[]),
        ("tool", "1.0", &["lib<2", "Provides-Extra: cli"]),
        ("tool", "2.0", &["lib>=1.4", "Provides-Extra: cli"]),
    ])
}

/// What moves when lines are raised, as `name version` in the order of names. The lines are those of the inputs then.
fn mended(index: &Made, base: &[&str], after: &[&str], raised: &[&str]) -> Option<Vec<String>> {
    let standing = Standing::of(solved(index, base).unwrap(), index);
    let pair = |text: &&str| {
        let (name, version) = text.split_once("==").unwrap();
        (Name::from(name), Version::from_str(version).unwrap())
    };
    let moved = standing.mended(index, &raised.iter().map(pair).collect(), &request(after))?;
    // Whatever moves: the resolver has to find the same versions possible.
    let fixed: Vec<String> = moved.iter().map(|(name, version)| format!("{name}=={version}")).collect();
    let mut lines = request(after);
    lines.constraints = requirements(&fixed.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(resolve(&lines, index).is_ok(), "{fixed:?}");
    Some(moved.into_iter().map(|(name, version)| format!("{name} {version}")).collect())
}

#[test]
fn what_stays_need_not_be_searched_for_and_what_is_absent_comes_in() {
    let index = world();
    let step = |lib: &str, tool: &str, raised: &[&str]| {
        let (lib, tool) = (format!("lib=={lib}"), format!("tool=={tool}"));
        mended(&index, &["app==1.0", "lib==1.0", "tool==1.0"], &["app==1.0", &lib, &tool], raised)
    };
    let lib = |version: &str| step(version, "1.0", &[&format!("lib=={version}")]);
    for (version, moved) in [
        // `win` is needed where it is not yet: it stays in its version.
        ("1.1", Some(vec!["lib 1.1"])),
        ("1.2", Some(vec!["lib 1.2"])),
        // It needs something that is not there.
        ("1.3", Some(vec!["lib 1.3", "other 1.0"])),
        // The tool is a line that stays.
        ("1.4", None),
        // An extra that nobody asked for so far.
        ("1.5", Some(vec!["lib 1.5"])),
        ("1.6", Some(vec!["lib 1.6"])),
        // A newer Python, a URL, and a version that the tool does not take.
        ("1.7", None),
        ("1.8", None),
        ("2.0", None),
        // Nobody lists it.
        ("1.9", None),
    ] {
        let moved: Option<Vec<String>> = moved.map(|list| list.into_iter().map(str::to_string).collect());
        assert_eq!(lib(version), moved, "{version}");
    }
    assert_eq!(step("1.0", "2.0", &["tool==2.0"]), None, "it needs a newer lib");
    assert!(step("1.4", "2.0", &["tool==2.0", "lib==1.4"]).is_some());
    assert_eq!(step("1.6", "2.0", &["tool==2.0", "lib==1.6"]), None);
}

#[test]
fn lines_that_may_move_come_along() {
    let index = world();
    let base = ["app==1.0", "lib==1.0", "tool==1.0"];
    // The newest of the library that the tool takes would need a URL or a newer Python: older ones are tried.
    let moved = mended(&index, &base, &["app==1.0", "lib>=1.0", "tool==2.0"], &["tool==2.0"]).unwrap();
    assert_eq!(moved, ["lib 2.0", "tool 2.0"]);
    let moved = mended(&index, &base, &["app==1.0", "lib>=1.0,<2", "tool==2.0"], &["tool==2.0"]).unwrap();
    assert_eq!(moved, ["lib 1.5", "tool 2.0"]);
    // The tool does not take the library, and a newer one does.
    let moved = mended(&index, &base, &["app==1.0", "lib==2.0", "tool>=1.0"], &["lib==2.0"]).unwrap();
    assert_eq!(moved, ["lib 2.0", "tool 2.0"]);
    // A limit of the inputs counts.
    assert_eq!(mended(&index, &base, &["app==1.0", "lib==1.2", "lib<1.2", "tool==1.0"], &["lib==1.2"]), None);
}
