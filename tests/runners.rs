//! Task runners and scripts, from a workflow to what they install: the repository `fixtures/runners` as a whole.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use pinguard::model::project::Project;
use std::collections::BTreeSet;

fn runners() -> Project {
    let all = support::repositories();
    let found = all.into_iter().find(|repository| repository.name.ends_with("runners"));
    found.expect("fixtures/runners is there").project()
}

/// Every package that an install of the gate names, and every file that it reads.
fn installed(project: &Project) -> BTreeSet<String> {
    let installs = || project.gate.installs.iter();
    let packages = installs()
        .flat_map(|install| &install.install.references)
        .map(|id| project.reference(*id).subject.name.clone());
    let files = installs().flat_map(|install| &install.files).map(|source| project.source(*source).path.clone());
    packages.chain(files).collect()
}

#[test]
fn the_gate_follows_runners_to_what_they_install() {
    let project = runners();
    let expected = ["bandit", "common-tools", "sphinx", "tools/report.py", "vulture"];
    assert_eq!(installed(&project), expected.map(str::to_string).into());
}

#[test]
fn the_gate_reaches_the_files_that_environments_pull_in() {
    let project = runners();
    let reached: BTreeSet<&str> =
        project.gate.reached.keys().map(|source| project.source(*source).path.as_str()).collect();
    for path in [
        "tox.ini",
        "requirements/test.txt",
        "noxfile.py",
        "requirements/nox.txt",
        "Makefile",
        "docs/Makefile",
        "justfile",
        "ci/test.sh",
        "ci/common",
        "tools/report.py",
    ] {
        assert!(reached.contains(path), "{path} of {reached:?}");
    }
    // `python x.py` installs nothing from the comment block of x.py.
    assert!(!reached.contains("tools/plain.py"));
}

#[test]
fn findings_speak_of_what_is_reached_and_of_nothing_else() {
    let project = runners();
    let findings = pinguard::check::findings(&project);
    let shown = |finding: &pinguard::model::finding::Finding| {
        format!("{} {}: {}", finding.rule.id, project.path(finding.at), finding.message)
    };
    let all: Vec<String> = findings.iter().map(shown).collect();
    for (rule, path, word) in [
        ("req-unpinned", "requirements/test.txt", "pytest"),
        ("req-unpinned", "tools/report.py", "requests"),
        ("req-adhoc-install", "docs/Makefile", "sphinx"),
        ("tool-run-unpinned", "justfile", "pyupgrade"),
        ("image-tag-missing", "ci/test.sh", "redis"),
        ("gate-exit-swallowed", "tox.ini", "`-`"),
        ("gate-exit-swallowed", "Makefile", "`-`"),
        ("gate-pipe-masks-exit", "Makefile", "pytest"),
    ] {
        let fits = |line: &&String| line.starts_with(&format!("{rule} {path}: ")) && line.contains(word);
        assert!(all.iter().any(|line| fits(&line)), "{rule} {path} {word} is not in\n{}", all.join("\n"));
    }
    for word in ["httpx", "hypothesis", "rich"] {
        assert!(!all.iter().any(|line| line.contains(word)), "{word} is in\n{}", all.join("\n"));
    }
}
