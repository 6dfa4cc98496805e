//! Two states of a project to what moved between them. Reads no file and asks nobody; knows no git.

mod locks;
mod references;

use crate::model::facts::ProblemKind;
use crate::model::moves::{Mixed, Motion, Move, Moves, Place};
use crate::model::project::Project;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::str::FromStr;

/// Every pin that moved, in order of files, places and names.
pub fn moves(base: &Project, head: &Project) -> Moves {
    let mut rows = locks::moves(base, head);
    rows.extend(references::moves(base, head));
    rows.sort();
    Moves { rows, unread: unread(base, head), ..Moves::default() }
}

/// Submodules that point to another commit: path and commit on both sides.
pub fn submodules(base: &[(String, String)], head: &[(String, String)]) -> Vec<Move> {
    let paths: BTreeSet<&str> = base.iter().chain(head).map(|(path, _)| path.as_str()).collect();
    let of = |list: &[(String, String)], path: &str| {
        list.iter().find(|(other, _)| other == path).map(|(_, commit)| commit.clone())
    };
    let rows = paths.into_iter().filter_map(|path| {
        let (from, to) = (of(base, path), of(head, path));
        let motion = match (&from, &to) {
            (Some(from), Some(to)) if from == to => return None,
            (Some(_), Some(_)) => Motion::Changed,
            (None, _) => Motion::Added,
            (_, None) => Motion::Removed,
        };
        let pinned = motion == Motion::Changed;
        let (path, name) = (path.to_string(), path.to_string());
        Some(Move { path, place: Place::Submodule, motion, name, from, to, note: String::new(), pinned })
    });
    rows.collect()
}

/// Whether a patch that edits `code` mixes an upgrade into it.
pub fn mixed(rows: &[Move], code: Vec<String>) -> Option<Mixed> {
    let pins = rows.iter().filter(|row| row.pinned).count();
    (pins > 0 && !code.is_empty()).then_some(Mixed { pins, files: code })
}

/// Whether a path is product or test code: neither documentation, nor a version file, nor something that a project's tools are set up with.
pub fn is_code(path: &str) -> bool {
    const ENDS: [&str; 26] = [
        "py", "pyi", "pyx", "js", "mjs", "cjs", "ts", "tsx", "jsx", "vue", "go", "rs", "c", "cc", "cpp", "h", "hpp",
        "java", "kt", "rb", "php", "cs", "swift", "scala", "sql", "ipynb",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, end)) = name.rsplit_once('.') else { return false };
    let version = matches!(stem, "_version" | "version" | "__about__" | "__version__" | "_about");
    let set_up = matches!(name, "setup.py" | "noxfile.py" | "tasks.py" | "conf.py");
    let documentation =
        path.split('/').any(|part| matches!(part, "docs" | "doc" | "changelog" | "changes" | ".github"));
    ENDS.contains(&end) && !version && !set_up && !documentation
}

/// Files with problems on either side.
fn unread(base: &Project, head: &Project) -> Vec<String> {
    let of = |project: &Project| -> BTreeSet<String> {
        project.problems(ProblemKind::Unreadable).map(|problem| project.path(problem.at).to_string()).collect()
    };
    of(base).union(&of(head)).cloned().collect()
}

/// How a version stands to an older one.
fn motion(from: &str, to: &str) -> Motion {
    match order(from, to) {
        Some(Ordering::Less) => Motion::Upgraded,
        Some(Ordering::Greater) => Motion::Downgraded,
        _ => Motion::Changed,
    }
}

fn order(from: &str, to: &str) -> Option<Ordering> {
    let version = |text: &str| pep440_rs::Version::from_str(text.trim_start_matches('v')).ok();
    if let (Some(from), Some(to)) = (version(from), version(to)) {
        return Some(from.cmp(&to));
    }
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let text = text.trim_start_matches(['v', '=', '>', '<', '~', '^', ' ', '!']);
        let head: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let numbers: Option<Vec<u64>> =
            head.split('.').filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| !numbers.is_empty())
    };
    let (from, to) = (numbers(from)?, numbers(to)?);
    (from != to).then(|| from.cmp(&to))
}
