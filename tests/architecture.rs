//! The code keeps to the table of imports in `docs/architecture.md`.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string("docs/architecture.md").expect("docs/architecture.md is there");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_string).collect::<BTreeSet<_>>();
        (cells[1].trim_matches('`').to_string(), words(cells[2]))
    };
    rows.map(row).collect()
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folder can be read") {
        let path = entry.expect("entry can be read").path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push(path);
        }
    }
}

/// Words after `crate::` in code lines above the tests, with the second part.
fn imports(text: &str) -> BTreeSet<(String, String)> {
    let code = text.lines().take_while(|line| !line.contains("#[cfg(test)]"));
    let code = code.filter(|line| !line.trim_start().starts_with("//"));
    let mut found = BTreeSet::new();
    for line in code {
        for (at, _) in line.match_indices("crate::") {
            let mut parts = line[at + 7..]
                .split("::")
                .map(|part| part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>());
            let first = parts.next().unwrap_or_default();
            found.insert((first, parts.next().unwrap_or_default()));
        }
    }
    found
}

#[test]
fn imports_point_down_only() {
    let table = table();
    let mut wrong = Vec::new();
    let mut all = Vec::new();
    files(Path::new("src"), &mut all);
    for path in all {
        let inside = path.strip_prefix("src").expect("walked from src").to_string_lossy().replace('\\', "/");
        if matches!(inside.as_str(), "lib.rs" | "main.rs") {
            continue;
        }
        let module = inside.split('/').next().unwrap_or("").trim_end_matches(".rs").to_string();
        let Some(allowed) = table.get(&module) else {
            wrong.push(format!("{inside}: module `{module}` is not in the table of docs/architecture.md"));
            continue;
        };
        for (import, _) in imports(&fs::read_to_string(&path).expect("source can be read")) {
            if import != module && !import.is_empty() && !allowed.contains(&import) {
                wrong.push(format!("{inside} imports `{import}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_rule_or_format_never_imports_another() {
    let mut wrong = Vec::new();
    for module in ["rules", "formats"] {
        let mut all = Vec::new();
        files(&Path::new("src").join(module), &mut all);
        // What the registry's file declares by hand is no rule and no format: parts that several of them share.
        let registry = fs::read_to_string(format!("src/{module}/mod.rs")).expect("registry is there");
        let shared = |name: &str| registry.lines().any(|line| line.trim().ends_with(&format!("mod {name};")));
        for path in all {
            let inside = path.strip_prefix("src").expect("walked from src").to_string_lossy().replace('\\', "/");
            let own = inside.split('/').nth(1).unwrap_or("").trim_end_matches(".rs").to_string();
            if own == "mod" {
                continue;
            }
            for (first, second) in imports(&fs::read_to_string(&path).expect("source can be read")) {
                let registry = second.chars().next().is_none_or(|c| c.is_ascii_uppercase());
                if first == module && !registry && second != own && second != "by_path" && !shared(&second) {
                    wrong.push(format!("{inside} imports {first}::{second}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_of_rules_and_formats_is_registered() {
    for module in ["rules", "formats"] {
        let registry = fs::read_to_string(format!("src/{module}/mod.rs")).expect("registry is there");
        for entry in fs::read_dir(format!("src/{module}")).expect("folder is there") {
            let name = entry.expect("entry").file_name().to_string_lossy().trim_end_matches(".rs").to_string();
            let known = registry.lines().any(|line| {
                let line = line.trim();
                line == format!("{name},") || line.ends_with(&format!("mod {name};"))
            });
            assert!(name == "mod" || known, "src/{module}/{name} is not registered");
        }
    }
}
