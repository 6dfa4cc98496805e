//! What was asked online and what stays open: lines for people, fields for JSON.

use super::fixes::Shown;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// Names shown for one reason.
const SHOWN: usize = 8;

/// How the questions of a run went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Asked {
    /// How many things were asked about.
    pub asked: usize,
    /// How many of them were answered.
    pub answered: usize,
    /// What is open, and why.
    pub inconclusive: Vec<Inconclusive>,
}

/// Something that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Inconclusive {
    /// Where it stands first.
    pub path: Shown,
    /// The line.
    pub line: usize,
    /// What.
    pub name: Shown,
    /// Why, and what to do.
    pub reason: Shown,
}

impl Asked {
    /// Takes those of a further project.
    pub fn join(&mut self, other: Asked) {
        self.asked += other.asked;
        self.answered += other.answered;
        self.inconclusive.extend(other.inconclusive);
    }

    /// Whether there was something to ask and nobody answered.
    pub fn is_silent(&self) -> bool {
        self.asked > 0 && self.answered == 0
    }
}

/// Writes it for people: one line for each reason.
pub fn write(asked: &Asked, out: &mut dyn io::Write) -> io::Result<()> {
    let things = |count: usize| if count == 1 { "1 thing".to_string() } else { format!("{count} things") };
    let open = asked.inconclusive.len();
    let rest = if open == 0 { String::new() } else { format!(", {open} inconclusive (neither clean nor a finding)") };
    writeln!(out, "asked about {} online: {} answered{rest}", things(asked.asked), asked.answered)?;
    let mut by_reason: BTreeMap<&Shown, Vec<&Inconclusive>> = BTreeMap::new();
    for one in &asked.inconclusive {
        by_reason.entry(&one.reason).or_default().push(one);
    }
    for (reason, list) in by_reason {
        let names: Vec<String> = list
            .iter()
            .take(SHOWN)
            .map(|one| format!("{} ({}:{})", one.name.text(), one.path.text(), one.line))
            .collect();
        let more = if list.len() > SHOWN { format!(" and {} more", list.len() - SHOWN) } else { String::new() };
        writeln!(out, "  inconclusive: {}{more}: {}", names.join(", "), reason.text())?;
    }
    Ok(())
}
