//! Arguments in, exit code out.

use clap::{CommandFactory, Parser};
use pinguard::cli::{Cli, Color, Command};
use pinguard::commands::{self, Outcome, Terminal, env_report::Strict, init::Target};
use pinguard::report::Colour;
use pinguard::world::environment::Environment;
use std::io::{self, IsTerminal, Write};
use std::panic::catch_unwind;
use std::process::ExitCode;

fn main() -> ExitCode {
    pinguard::world::panic::quiet();
    // What a panic has to say was said by its hook.
    catch_unwind(start).unwrap_or_else(|_| ExitCode::from(Outcome::Failed.code()))
}

fn start() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let done = run(&cli, &mut out).and_then(|outcome| out.flush().map(|()| outcome));
    match done {
        Ok(outcome) => ExitCode::from(outcome.code()),
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "pinguard: {error}");
            ExitCode::from(Outcome::Failed.code())
        }
    }
}

/// Makes the main thread one of those that share the reading, instead of a waiting one beside them. With one thread alone, nobody else
/// would be there for what is asked from outside.
fn take_part() {
    if std::thread::available_parallelism().is_ok_and(|count| count.get() > 1) {
        // It fails only when there are such threads already.
        let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
    }
}

fn run(cli: &Cli, out: &mut dyn Write) -> io::Result<Outcome> {
    if matches!(cli.command, Command::Check(_) | Command::List(_)) {
        take_part();
    }
    let terminal = Terminal { colour: colour(cli.color) };
    match &cli.command {
        Command::Check(args) => commands::check::run(args, terminal, &Environment::of_process(), out),
        Command::List(args) => commands::list::run(args, terminal, out),
        Command::Lock(args) => commands::lock::run(args, &Environment::of_process(), out),
        Command::Upgrade(args) => commands::upgrade::run(args, &Environment::of_process(), terminal, out),
        Command::Diff(args) => commands::diff::run(args, out),
        Command::Explain { rule } => commands::explain::run(rule, out),
        Command::Rules { format } => commands::rules::run(format, out),
        Command::Init { stdout } => {
            let target = if *stdout { Target::Stdout } else { Target::File };
            commands::init::run(pinguard::config::SAMPLE, target, out)
        }
        Command::EnvReport { strict } => {
            let strict = if *strict { Strict::Yes } else { Strict::No };
            commands::env_report::run(strict, &Environment::of_process(), out)
        }
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "pinguard", out);
            Ok(Outcome::Clean)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "`main` reads the environment and hands it down as values")]
fn colour(asked: Color) -> Colour {
    let wanted = match asked {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    if wanted { Colour::Styled } else { Colour::Plain }
}
