//! `pinguard explain RULE`: the manual of a rule.

use super::Outcome;
use crate::rules;
use std::io::{self, Write};

/// Runs the command. An unknown rule is an error that names the nearest known ones.
pub fn run(id: &str, out: &mut dyn Write) -> io::Result<Outcome> {
    let Some(registered) = rules::named(id) else {
        let near: Vec<&str> = near(id);
        let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
        let text = format!("no rule is named `{}`{hint} (`pinguard rules` prints them all)", id.escape_debug());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    };
    let rule = registered.rule;
    writeln!(out, "{} ({}): {}\n", rule.id, rule.group.name(), rule.summary)?;
    for (kind, levels) in rule.levels {
        let [default, strict, audit] = [levels.default, levels.strict, levels.audit].map(|level| level.name());
        writeln!(out, "  {kind}: default {default}, strict {strict}, audit {audit}")?;
    }
    writeln!(out, "\n{}", registered.manual())?;
    Ok(Outcome::Clean)
}

/// Rules that share a word with the id.
fn near(id: &str) -> Vec<&'static str> {
    let words: Vec<&str> = id.split('-').filter(|word| word.len() > 2).collect();
    let shared = |rule: &str| words.iter().filter(|word| rule.contains(**word)).count();
    let best = rules::RULES.iter().map(|registered| shared(registered.rule.id)).max().unwrap_or(0);
    let ids = rules::RULES.iter().map(|registered| registered.rule.id);
    ids.filter(|rule| best > 0 && shared(rule) == best).take(3).collect()
}
