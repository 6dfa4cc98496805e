//! `pinguard check`: gather, find, judge, report.

use super::gather::{Gathered, gather};
use super::{Outcome, Terminal};
use crate::check;
use crate::cli;
use crate::model::finding::{Finding, Judged};
use crate::model::rule::{Level, Profile};
use crate::report::{self, Format, Report};
use crate::rules;
use crate::world::disk;
use std::io::{self, Write};
use std::path::Path;

/// Runs the command.
pub fn run(args: &cli::Check, terminal: Terminal, out: &mut dyn Write) -> io::Result<Outcome> {
    let gathered = gather(&args.paths)?;
    let profile = profile(args);
    let judged: Vec<Vec<Judged>> = gathered.iter().map(|gathered| judge(gathered, args, profile)).collect();
    let fail_on = args.fail_on.as_deref().and_then(Level::named).unwrap_or(Level::Warning);
    let prefixes = prefixes(&gathered);
    let roots = gathered.iter().zip(&judged).zip(&prefixes).map(|((gathered, findings), prefix)| report::Root {
        prefix,
        project: &gathered.project,
        findings,
    });
    let mut report =
        Report { roots: roots.collect(), manual: rules::manual_of, fail_on, suppressed: 0, colour: terminal.colour };
    Format::named(&args.format).unwrap_or_default().write(&report, out)?;
    report.colour = report::Colour::Plain;
    for output in &args.output {
        let (format, path) = split_output(output)?;
        let mut bytes = Vec::new();
        format.write(&report, &mut bytes)?;
        disk::write_whole(Path::new(path), &bytes)?;
    }
    let fails = judged.iter().flatten().any(|judged| judged.level >= fail_on);
    Ok(if fails && !args.exit_zero { Outcome::Found } else { Outcome::Clean })
}

fn profile(args: &cli::Check) -> Profile {
    let named = args.profile.as_deref();
    Profile::ALL.into_iter().find(|profile| Some(profile.name()) == named).unwrap_or_default()
}

fn judge(gathered: &Gathered, args: &cli::Check, profile: Profile) -> Vec<Judged> {
    let Gathered { root, project } = gathered;
    let names = |list: &[String], finding: &Finding| {
        list.iter().any(|name| name == finding.rule.id || name == finding.rule.group.name())
    };
    let level_of = |finding: &Finding| {
        let selected = args.select.is_empty() || names(&args.select, finding);
        if selected && !names(&args.ignore, finding) { finding.levels.in_profile(profile) } else { Level::Off }
    };
    let mut judged = check::judge::judge(project, check::findings(project), &level_of);
    judged.retain(|judged| root.asks_for(project.path(judged.finding.at)));
    if root.files_named {
        judged.retain(|judged| judged.level != Level::Advice);
    }
    judged
}

/// What stands before the paths of each root when there are several.
fn prefixes(gathered: &[Gathered]) -> Vec<String> {
    if gathered.len() < 2 {
        return vec![String::new(); gathered.len()];
    }
    let name = |gathered: &Gathered| gathered.root.folder.file_name().map(|name| name.to_string_lossy().into_owned());
    gathered.iter().map(|gathered| name(gathered).map_or_else(String::new, |name| name + "/")).collect()
}

fn split_output(output: &str) -> io::Result<(Format, &str)> {
    let wrong = || {
        let text =
            format!("--output {output}: expected FORMAT=FILE with FORMAT one of {}", cli::CHECK_FORMATS.join(", "));
        io::Error::new(io::ErrorKind::InvalidInput, text)
    };
    let (format, path) = output.split_once('=').ok_or_else(wrong)?;
    Ok((Format::named(format).ok_or_else(wrong)?, path))
}
