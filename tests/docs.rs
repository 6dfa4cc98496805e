//! The rule pages under `docs/rules/` are made of the rules themselves and are current.
//!
//! `PINGUARD_WRITE=1 cargo test --test docs` writes them anew: read the diff.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk")]

use pinguard::rules::{RULES, Registered};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Every page by its file name.
fn pages() -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> =
        RULES.iter().map(|rule| (format!("{}.md", rule.rule.id), page(rule))).collect();
    pages.insert("README.md".to_string(), index());
    pages
}

/// One rule: what `pinguard explain` prints, as Markdown.
fn page(registered: &Registered) -> String {
    let rule = registered.rule;
    let mut page = format!(
        "# {}\n\n{} Group `{}`, since {}.\n\n| site | default | strict | audit |\n| --- | --- | --- | --- |\n",
        rule.id,
        sentence(rule.summary),
        rule.group.name(),
        rule.since
    );
    for (kind, levels) in rule.levels {
        let [default, strict, audit] = [levels.default, levels.strict, levels.audit].map(|level| level.name());
        let _ = writeln!(page, "| {kind} | {default} | {strict} | {audit} |");
    }
    let mut fenced = false;
    let _ = writeln!(page);
    for line in registered.manual().lines() {
        fenced ^= line.starts_with("```");
        let heading = !fenced && line.starts_with('#');
        let _ = writeln!(page, "{}{line}", if heading { "#" } else { "" });
    }
    page
}

/// All rules by group.
fn index() -> String {
    let mut index = "# Rules\n\nLevels are those of the profiles default / strict / audit at the main kind of site. `pinguard explain RULE` prints a page.\n".to_string();
    let mut groups: Vec<&str> = Vec::new();
    for group in RULES.iter().map(|registered| registered.rule.group.name()) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    for group in groups {
        let _ = write!(index, "\n## {group}\n\n| rule | levels | what it finds |\n| --- | --- | --- |\n");
        for rule in RULES.iter().map(|registered| registered.rule).filter(|rule| rule.group.name() == group) {
            let levels = rule.levels[0].1;
            let [default, strict, audit] = [levels.default, levels.strict, levels.audit].map(|level| level.name());
            let _ = writeln!(
                index,
                "| [{0}]({0}.md) | {default} / {strict} / {audit} | {1} |",
                rule.id,
                rule.summary.replace('|', "\\|")
            );
        }
    }
    index
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[test]
fn rule_pages_are_those_of_the_rules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let pages = pages();
    if std::env::var_os("PINGUARD_WRITE").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        pages.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
    }
    let hint = "run PINGUARD_WRITE=1 cargo test --test docs and read the diff";
    let stands = std::fs::read_dir(&folder).expect(hint);
    let mut names: Vec<String> =
        stands.map(|entry| entry.unwrap().file_name().into_string().expect("page names are text")).collect();
    names.sort();
    assert_eq!(names, pages.keys().cloned().collect::<Vec<_>>(), "{hint}");
    for (name, text) in &pages {
        assert_eq!(&std::fs::read_to_string(folder.join(name)).unwrap(), text, "docs/rules/{name} is old: {hint}");
    }
}
