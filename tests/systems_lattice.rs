//! Every kind of problem at every place of every CI system, written in every way that its syntax has: found at the exact key and the exact
//! text, and nothing else beside it; with a value as it should be, nothing at all. `support/lattice.rs` says how places are listed.
#![allow(clippy::disallowed_methods, reason = "tests touch the environment")]

mod support;

use pinguard::check;
use pinguard::model::project::Project;
use pinguard::model::rule::{Level, Profile};
use std::fmt::Write;
use support::lattice::{Plant, REQUIREMENTS, Site, Way, sites, ways};

/// The project that a value at a place makes.
fn project(site: &Site, way: &Way, crlf: bool) -> Project {
    let mut text = format!("{}{}", way.ahead, site.text.replace('§', &way.text));
    if crlf {
        text = text.replace('\n', "\r\n");
    }
    let files = [(site.path.as_str(), text.as_str()), ("requirements.txt", REQUIREMENTS)].into_iter();
    support::project(files.chain(site.with.iter().map(|(path, text)| (path.as_str(), text.as_str()))))
}

/// What is found: rule, key, marked text. What no file can show is said of the best file too.
fn found(site: &Site, project: &Project) -> Vec<(String, String, String)> {
    let all = check::findings(project).into_iter().filter(|one| !site.aside.iter().any(|rule| rule == one.rule.id));
    let told =
        all.filter(|one| one.levels.in_profile(Profile::Default) >= Level::Info && one.rule.id != "opaque-reference");
    told.map(|one| {
        let source = project.source(one.at.source);
        (one.rule.id.to_string(), one.key.clone(), source.text[one.at.span.range()].to_string())
    })
    .collect()
}

/// What is wrong about what was found where one value was planted.
fn complaint(site: &Site, plant: &Plant, way: &Way, found: &[(String, String, String)]) -> Option<String> {
    let (ours, others): (Vec<_>, Vec<_>) = found.iter().partition(|(rule, ..)| *rule == plant.rule);
    let [(_, key, marked)] = &ours[..] else {
        return Some(format!("found {} times; beside it: {others:?}", ours.len()));
    };
    if !plant.key.is_empty() && *key != plant.key {
        return Some(format!("key is {key}, not {}", plant.key));
    }
    // Part of a block scalar that is no script has no place of its own.
    let exact = way.verbatim && (site.kind != "value" || !way.text.contains('\n'));
    let fits = if exact {
        *marked == plant.marked
    } else {
        marked.contains(&plant.marked[1..]) || way.text.contains(marked.as_str())
    };
    if !fits {
        return Some(format!("marks {marked:?}, not {:?}", plant.marked));
    }
    (!others.is_empty()).then(|| format!("also finds {others:?}"))
}

#[test]
fn each_problem_is_found_however_it_is_written() {
    let only = std::env::var("LATTICE").unwrap_or_default();
    let (mut wrong, mut count) = (String::new(), 0);
    for (number, site) in sites().iter().enumerate().filter(|(_, site)| site.system.contains(&only)) {
        for plant in &site.plants {
            for (index, way) in ways(site, &plant.bad).into_iter().enumerate() {
                count += 1;
                // Line ends of Windows, for one of the ways.
                let crlf = index % 5 == 1 && !way.text.contains('\n');
                if let Some(text) = complaint(site, plant, &way, &found(site, &project(site, &way, crlf))) {
                    writeln!(
                        wrong,
                        "{} {number} {} {} {:?} {}: {text}",
                        site.system, site.kind, plant.rule, plant.bad, way.name
                    )
                    .expect("text grows");
                }
            }
            for way in ways(site, &plant.clean) {
                count += 1;
                let all = found(site, &project(site, &way, false));
                if !all.is_empty() {
                    writeln!(
                        wrong,
                        "{} {number} {} {:?} {}: not clean: {all:?}",
                        site.system, site.kind, plant.clean, way.name
                    )
                    .expect("text grows");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{count} files\n{wrong}");
}
