//! Makefiles: each target with a recipe becomes a script, and its prerequisites are entries that it runs first.
//!
//! Reads what GNU make's manual calls explicit rules, simple assignments and line prefixes. Runs no function, follows no include and
//! expands no pattern: what it cannot expand stays as written and counts as unseen.

mod parse;

use super::{Claim, Format};
use crate::model::facts::Facts;
use crate::model::script::{Script, Shell};
use crate::model::source::{Source, Sources};
use crate::tools::{Line, Recipe, read_recipe, runs};
use parse::{Makefile, Rule};

/// The format.
pub static FORMAT: Format = Format { name: "makefile", claims, sniff: super::by_path, read };

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    let named = matches!(name, "Makefile" | "makefile" | "GNUmakefile") || name.starts_with("Makefile.");
    // `Makefile.in` and `Makefile.am` are inputs of a generator.
    let generated = [".in", ".am", ".j2", ".tmpl"].iter().any(|end| name.ends_with(end));
    if (named || name.ends_with(".mk")) && !generated { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let makefile = parse::parse(source);
    let shell = makefile.shell();
    for rule in &makefile.rules {
        let Some(name) = rule.targets.first() else { continue };
        let script = script(source, &makefile, rule, shell, facts);
        if script.commands.is_empty() {
            continue;
        }
        for target in rule.targets.iter().skip(1) {
            let same = vec![runs(target.at, "make", vec![name.text.clone()])];
            facts.scripts.push((target.text.clone(), Script { commands: same, at: target.at, ..script.clone() }));
        }
        facts.scripts.push((name.text.clone(), script));
    }
    default_first(&makefile, facts);
}

/// make's default goal stands first: `.DEFAULT_GOAL`, or the first target that begins with no dot.
fn default_first(makefile: &Makefile, facts: &mut Facts) {
    let first = makefile.rules.iter().flat_map(|rule| &rule.targets).next();
    let goal = makefile.value(".DEFAULT_GOAL").or(first.map(|target| target.text.as_str()));
    if let Some(place) = goal.and_then(|goal| facts.scripts.iter().position(|(name, _)| name == goal)) {
        facts.scripts[..=place].rotate_right(1);
    }
}

fn script(source: &Source, makefile: &Makefile, rule: &Rule, shell: Shell, facts: &mut Facts) -> Script {
    let target = rule.targets.first().map_or("", |target| target.text.as_str());
    let mut lines: Vec<Line> = Vec::new();
    for line in &rule.recipe {
        let text = makefile.expand(&line.text);
        match lines.last_mut().filter(|_| makefile.one_shell) {
            Some(whole) => {
                whole.text.text.push('\n');
                whole.text.append(&text);
                whole.text.at.span = whole.text.at.span.to(text.at.span);
            }
            None => lines.push(Line { text, tolerated: line.tolerated }),
        }
    }
    let needs = rule.prerequisites.clone();
    let recipe = Recipe { tool: "make", needs, lines, shell, at: rule.at, cwd: source.folder(), key: target };
    read_recipe(recipe, facts)
}

#[cfg(test)]
mod tests;
