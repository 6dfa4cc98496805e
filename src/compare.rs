//! Two states of a project to what moved between them. Reads no file and asks nobody; knows no git.

mod locks;
mod references;

use crate::model::facts::ProblemKind;
use crate::model::moves::{Motion, Move, Moves, Patch, Place};
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

/// What a patch is: the pins that it moves, the code among the files that it edits, and who opened it.
pub fn patch(rows: &[Move], changed: Vec<String>, updater: Option<String>) -> Patch {
    let pins = rows.iter().filter(|row| row.pinned).map(|row| row.path.clone()).collect();
    Patch { pins, files: changed.into_iter().filter(|path| is_code(path)).collect(), updater }
}

/// The program that opened a patch, by the name of its branch or the authors of its commits. People add fixes to such branches.
pub fn updater(branch: Option<&str>, authors: &[String]) -> Option<String> {
    const BRANCHES: [(&str, &str); 4] = [
        ("pinguard/", "pinguard"),
        ("dependabot/", "Dependabot"),
        ("renovate/", "Renovate"),
        ("pre-commit-ci-update-config", "pre-commit.ci"),
    ];
    const AUTHORS: [(&str, &str); 5] = [
        ("pinguard", "pinguard"),
        ("dependabot", "Dependabot"),
        ("renovate", "Renovate"),
        ("mend-bot", "Renovate"),
        ("pre-commit-ci", "pre-commit.ci"),
    ];
    let branch = branch.unwrap_or("");
    let branch = branch.strip_prefix("refs/heads/").or(branch.strip_prefix("refs/remotes/")).unwrap_or(branch);
    let branch = branch.strip_prefix("origin/").unwrap_or(branch);
    let by_branch = BRANCHES.iter().find(|(lead, _)| branch.starts_with(lead));
    let by_author = || {
        let bot = |name: &str| authors.iter().any(|author| author.to_ascii_lowercase().contains(name));
        AUTHORS.iter().find(|(name, _)| bot(name))
    };
    by_branch.or_else(by_author).map(|(_, name)| name.to_string())
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
