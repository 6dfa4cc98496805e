//! `pinguard check`: gather, find, judge, report.

use super::baselines;
use super::fix::{self, Fixed, Mode};
use super::gather::{Gathered, gather, gather_input, prefixes};
use super::lookup::{self, Registries};
use super::settings::{self, Choice};
use super::{Outcome, Terminal};
use super::{network, online};
use crate::check;
use crate::check::settle::{Settled, settle};
use crate::cli;
use crate::config::Config;
use crate::model::finding::Judged;
use crate::model::rule::{Level, Profile};
use crate::plan::topic::Places;
use crate::report::online::Asked;
use crate::report::{self, Format, Report};
use crate::rules;
use crate::world::environment::Environment;
use crate::world::{clock, console, disk};
use jiff::civil::Date;
use std::io::{self, Write};
use std::path::Path;

/// What a run over one root came to.
struct Verdict {
    judged: Vec<Judged>,
    suppressed: usize,
    fails: bool,
}

/// Runs the command.
pub fn run(
    args: &cli::Check,
    terminal: Terminal,
    environment: &Environment,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    settings::check_names("--select", &args.select)?;
    settings::check_names("--ignore", &args.ignore)?;
    let now = args.now.as_deref().map_or_else(|| Ok(clock::today()), settings::date)?;
    let mut gathered = read(args)?;
    let days = i64::from((now - Date::constant(1970, 1, 1)).get_days());
    gathered.iter_mut().for_each(|gathered| gathered.project.today = Some(days));
    if args.write_baseline {
        return baselines::write(&gathered, args, now, out);
    }
    let registries = (args.online || args.fix || args.diff)
        .then(|| Registries::new(network::client(&args.network, environment), environment));
    let places = lookup::places(environment);
    let mut asked = asks(&mut gathered, args, registries.as_ref(), &places)?;
    let mut verdicts = verdicts(&gathered, args, now)?;
    let mut fixes = None;
    if let Some(registries) = registries.as_ref().filter(|_| args.fix || args.diff) {
        let mode = if args.diff { Mode::Dry } else { Mode::Write };
        let findings: Vec<&[Judged]> = verdicts.iter().map(|verdict| verdict.judged.as_slice()).collect();
        let fixed = fix::run(&gathered, &findings, args, mode, registries, &places)?;
        if mode == Mode::Dry {
            return show_diff(&gathered, &fixed, out);
        }
        // What is reported is what remains.
        gathered = read(args)?;
        asked = asks(&mut gathered, args, Some(registries), &places)?;
        verdicts = self::verdicts(&gathered, args, now)?;
        fixes = Some(fixed.fixes);
    }
    let prefixes = prefixes(&gathered);
    let roots = gathered.iter().zip(&verdicts).zip(&prefixes).map(|((gathered, verdict), prefix)| report::Root {
        prefix,
        project: &gathered.project,
        findings: &verdict.judged,
    });
    let mut report = Report {
        roots: roots.collect(),
        manual: rules::manual_of,
        fail_on: gathered.first().map_or(Level::Warning, |gathered| fail_on(&gathered.config)),
        suppressed: verdicts.iter().map(|verdict| verdict.suppressed).sum(),
        colour: terminal.colour,
        fixes: fixes.as_ref(),
        asked: asked.as_ref(),
    };
    let format = Format::named(&args.format).unwrap_or_default();
    format.write(&report, out)?;
    if format != Format::Human {
        asked.as_ref().map_or(Ok(()), |asked| note(|out| report::online::write(asked, out)))?;
        fixes.as_ref().map_or(Ok(()), |fixes| note(|out| report::fixes::write(fixes, out)))?;
    }
    report.colour = report::Colour::Plain;
    for output in &args.output {
        let (format, path) = split_output(output)?;
        let mut bytes = Vec::new();
        format.write(&report, &mut bytes)?;
        disk::write_whole(Path::new(path), &bytes)?;
    }
    let fails = verdicts.iter().any(|verdict| verdict.fails);
    // The process ends here: giving back every small piece of a large project takes longer than writing its report.
    std::mem::forget((gathered, verdicts));
    if asked.is_some_and(|asked| asked.is_silent()) {
        return Ok(Outcome::Failed);
    }
    Ok(if fails && !args.exit_zero { Outcome::Found } else { Outcome::Clean })
}

/// Reads what the arguments name.
fn read(args: &cli::Check) -> io::Result<Vec<Gathered>> {
    let choice = Choice::of(args.config.as_deref(), args.isolated);
    let mut gathered = match (args.paths.as_slice(), &args.stdin_filename) {
        ([only], Some(name)) if only.as_os_str() == "-" => {
            if args.fix && !args.diff {
                let text = "--fix cannot write to standard input; --diff prints the changes";
                return Err(settings::wrong_input(text.to_string()));
            }
            gather_input(name, choice)?
        }
        (paths, None) if paths.iter().any(|path| path.as_os_str() == "-") => {
            let text = "`-` needs --stdin-filename PATH: the path says how the text is read";
            return Err(settings::wrong_input(text.to_string()));
        }
        (paths, _) => gather(paths, choice)?,
    };
    gathered.iter_mut().for_each(|gathered| overrule(&mut gathered.config, args));
    Ok(gathered)
}

fn verdicts(gathered: &[Gathered], args: &cli::Check, now: Date) -> io::Result<Vec<Verdict>> {
    gathered.iter().map(|gathered| verdict(gathered, args, now)).collect()
}

/// Prints a dry fix: the diff to standard output, the rest beside it.
fn show_diff(gathered: &[Gathered], fixed: &Fixed, out: &mut dyn Write) -> io::Result<Outcome> {
    let prefixes = prefixes(gathered);
    for ((gathered, patch), prefix) in gathered.iter().zip(&fixed.patches).zip(&prefixes) {
        report::diff::write(&gathered.project.sources, patch, prefix, out)?;
    }
    out.flush()?;
    note(|out| report::fixes::write(&fixed.fixes, out))?;
    let changes = fixed.patches.iter().any(|patch| !patch.is_empty());
    Ok(if changes { Outcome::Found } else { Outcome::Clean })
}

/// Says something on standard error.
fn note(words: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut text = Vec::new();
    words(&mut text)?;
    console::note(&String::from_utf8_lossy(&text));
    Ok(())
}

/// Asks about the pins, when that is wanted.
fn asks(
    gathered: &mut [Gathered],
    args: &cli::Check,
    registries: Option<&Registries>,
    places: &Places,
) -> io::Result<Option<Asked>> {
    let registries = registries.filter(|_| args.online);
    registries.map(|registries| online::ask(gathered, registries, places)).transpose()
}

/// What the command line says goes before what the configuration says.
fn overrule(config: &mut Config, args: &cli::Check) {
    let named = args.profile.as_deref();
    config.profile = Profile::ALL.into_iter().find(|profile| Some(profile.name()) == named).or(config.profile);
    config.fail_on = args.fail_on.as_deref().and_then(Level::named).or(config.fail_on);
    if !args.select.is_empty() {
        config.select = args.select.clone();
    }
    config.ignore.extend(args.ignore.iter().cloned());
}

fn fail_on(config: &Config) -> Level {
    config.fail_on.unwrap_or(Level::Warning)
}

/// Everything that counts in a project, before a baseline and before the paths that were asked for.
pub(super) fn settled(gathered: &Gathered, now: Date) -> Settled {
    let Gathered { config, project, .. } = gathered;
    settle(project, check::findings(project), config, config.profile.unwrap_or_default(), now)
}

fn verdict(gathered: &Gathered, args: &cli::Check, now: Date) -> io::Result<Verdict> {
    let Gathered { root, config, project } = gathered;
    let Settled { mut judged, mut suppressed } = settled(gathered, now);
    if let Some(baseline) = baselines::read(gathered, args)? {
        let applied = baseline.apply(judged, now);
        judged = applied.kept;
        suppressed += applied.hidden;
    }
    judged.retain(|judged| root.asks_for(project.path(judged.finding.at)));
    if root.files_named {
        judged.retain(|judged| judged.level != Level::Advice);
    }
    let fails = judged.iter().any(|judged| judged.level >= fail_on(config));
    Ok(Verdict { judged, suppressed, fails })
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
