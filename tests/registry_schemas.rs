//! Fixtures and good examples are what the vendors' own schemas allow, so that rules are not tried on files that could never run.
//!
//! Needs check-jsonschema, which carries the schemas and asks no network; `./test.sh` installs it from PyPI.
#![allow(clippy::disallowed_methods, reason = "tests touch the disk and start programs")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use support::Repository;
use support::lattice::{Site, sites, ways};

fn schema_of(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        _ if path.starts_with(".github/workflows/") && !name.ends_with(".lock") => Some("vendor.github-workflows"),
        ".gitlab-ci.yml" => Some("vendor.gitlab-ci"),
        "compose.yaml" | "compose.yml" | "docker-compose.yml" => Some("vendor.compose-spec"),
        "dependabot.yml" => Some("vendor.dependabot"),
        "action.yml" | "action.yaml" => Some("vendor.github-actions"),
        _ if path.starts_with(".circleci/") => Some("vendor.circle-ci"),
        _ if path.contains("azure-pipelines") && name.ends_with(".yml") => Some("vendor.azure-pipelines"),
        "bitbucket-pipelines.yml" => Some("vendor.bitbucket-pipelines"),
        ".travis.yml" => Some("vendor.travis"),
        ".woodpecker.yml" => Some("vendor.woodpecker-ci"),
        ".drone.yml" => Some("vendor.drone-ci"),
        _ if path.starts_with(".woodpecker/") => Some("vendor.woodpecker-ci"),
        _ if path.starts_with(".buildkite/") && name.ends_with(".yml") => Some("vendor.buildkite"),
        "cloudbuild.yaml" | "cloudbuild.json" => Some("vendor.cloudbuild"),
        ".readthedocs.yaml" | ".readthedocs.yml" => Some("vendor.readthedocs"),
        _ => None,
    }
}

/// Every place of the lattice with its first clean value, written plainly.
fn places() -> Vec<Repository> {
    let one = |(number, site): (usize, &Site)| {
        let plain =
            ways(site, &site.plants[0].clean).into_iter().find(|way| matches!(way.name, "plain" | "raw" | "double"))?;
        let files = vec![(site.path.clone(), site.text.replace('§', &plain.text))];
        Some(Repository { name: format!("{} place {number}", site.system), files })
    };
    sites().iter().filter(|site| !site.beyond).enumerate().filter_map(one).collect()
}

#[test]
fn good_examples_fit_the_schemas_of_their_vendors() {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/bin/check-jsonschema");
    assert!(tool.exists(), "{} is not installed: run ./test.sh", tool.display());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemas");
    let _ = fs::remove_dir_all(&folder);
    let mut by_schema: std::collections::BTreeMap<&str, Vec<(String, std::path::PathBuf)>> = Default::default();
    let examples = support::good_examples().into_iter().chain(support::planted_repositories()).chain(places());
    for (number, repository) in examples.enumerate() {
        for (path, text) in repository.files {
            let Some(schema) = schema_of(&path) else { continue };
            // The schema is one of documents, of which a file of Drone may have several.
            for (part, text) in text.split("\n---\n").enumerate() {
                let file = folder.join(format!("{number}-{part}")).join(&path);
                fs::create_dir_all(file.parent().expect("a file has a folder")).expect("folder");
                fs::write(&file, text).expect("file");
                by_schema.entry(schema).or_default().push((repository.name.clone(), file));
            }
        }
    }
    assert!(by_schema.contains_key("vendor.github-workflows"));
    let mut wrong = Vec::new();
    for (schema, files) in by_schema {
        let mut command = Command::new(&tool);
        // This schema has patterns that the default engine does not take.
        if schema == "vendor.azure-pipelines" {
            command.args(["--regex-variant", "nonunicode"]);
        }
        command.args(["--builtin-schema", schema]).args(files.iter().map(|(_, file)| file));
        let output = command.output().expect("check-jsonschema runs");
        if !output.status.success() {
            wrong.push(format!("{schema}:\n{}", String::from_utf8_lossy(&output.stdout)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
