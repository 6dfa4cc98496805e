//! # What it finds
//!
//! A secret as an argument of a program: `docker login -p "$P"`, `curl -H "Authorization: Bearer $T"`, `twine upload -p "$T"`,
//! `git clone https://x:$T@…`.
//!
//! # Why
//!
//! Every process of the machine can read the arguments of every other, audit logs keep them, and `set -x`, `-v` and error messages
//! print them.
//!
//! # What is not a finding
//!
//! - What the shell does itself: `echo`, `printf`, `[ -n "$T" ]`, `read`, assignments, functions of the script and of files that it sources.
//! - A variable that holds the path of a file, as those of the type file do: another command of the job takes it where only a file can
//!   stand (`cat "$KEY"`, `chmod 600 "$KEY"`, `ssh -i "$KEY"`, `--kubeconfig "$CONFIG"`, `< "$KEY"`).
//! - In a script of its own, a variable that the jobs which run it write out: the password of a database that lives as long as the job.
//! - A here-string or a here-document, `--password-stdin`.
//! - A variable that nothing sets and for which the script has a value of its own: `PASSWORD=${PASSWORD:-changeme}`.
//! - The URL of a package index (`secret-in-index-url`), `--build-arg` (`secret-in-image`), what is pasted into the text
//!   (`secret-inline-expansion`).
//!
//! # What to do
//!
//! Through standard input or a file:
//!
//! ```sh
//! printf '%s' "$P" | docker login -u joe --password-stdin registry.example.org
//! curl -H @"$HEADER_FILE" https://api.example.org        # or --netrc-file, or: printf … | curl -K -
//! mysql --defaults-extra-file="$RUNNER_TEMP/my.cnf"
//! gh auth login --with-token <<< "$T"
//! ```
//!
//! `--fix` rewrites `docker login`; `--fix --unsafe-fixes` lets curl read one header from standard input (curl 7.55 and later) and twine its
//! password from a settings file below the folder of the job for temporary files.
//!
//! # Levels
//!
//! `warning`, `error` in `audit`. Job tokens, addresses of web hooks and secrets that do little harm are one level lower. One finding a
//! command.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: docker login -u joe -p "$PASSWORD" registry.example.org
//!         env:
//!           PASSWORD: ${{ secrets.PASSWORD }}
//! ```
//!
//! ```yaml .github/workflows/ci.yml fixed
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: printf '%s' "$PASSWORD" | docker login -u joe --password-stdin registry.example.org
//!         env:
//!           PASSWORD: ${{ secrets.PASSWORD }}
//! ```
//!
//! ```yaml .gitlab-ci.yml bad default
//! deploy:
//!   script:
//!     - curl -H "PRIVATE-TOKEN:$DEPLOY_TOKEN" https://example.org
//! ```
//!
//! ```yaml .gitlab-ci.yml good
//! test:
//!   script:
//!     - chmod 0600 "$SSH_KEY" && ssh -i "$SSH_KEY" host && gcloud auth login --cred-file="$GCP_CREDENTIALS"
//!     - PASSWORD=${PASSWORD:-changeme}
//!     - ./wait-for "postgres://me:$PASSWORD@db/x"
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! jobs:
//!   build:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: |
//!           [ -n "$T" ] || exit 1
//!           echo "$T" | docker login -u joe --password-stdin registry.example.org
//!           gh auth login --with-token <<< "$T"
//!           test -z "${T:+x}"
//!           length=${#T}
//!           ./report --length ${#T} --has ${T:+yes}
//!         env:
//!           T: ${{ secrets.T }}
//! ```
//!
//! ```yaml .gitlab-ci.yml good
//! deploy:
//!   script:
//!     - cp "$AWS_CREDENTIALS" ~/.aws/credentials
//!     - chmod 600 "$SSH_PRIVATE_KEY"
//!     - rsync -e "ssh -i $SSH_PRIVATE_KEY" dist/ host:/srv
//!     - gpg --batch --import "$GPG_PRIVATE_KEY"
//!     - kubectl --kubeconfig "$KUBE_SECRET" get pods
//! ```
//!
//! ```sh ci/database.sh with
//! psql -c "ALTER USER app PASSWORD '$APP_PASSWORD'"
//! ```
//!
//! ```sh ci/keys.sh with
//! add_key() { ssh-add - <<< "$1"; }
//! ```
//!
//! ```yaml .gitlab-ci.yml good
//! test:
//!   variables:
//!     APP_PASSWORD: app
//!   script:
//!     - ./ci/database.sh
//!     - source ci/keys.sh
//!     - add_key "$DEPLOY_PASSWORD"
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: 28 findings in 10 of them. In 11 further ones: 9. Read by eye: 37, false: 0.
//! Ledger: `docs/evidence/secret-in-argv.tsv`.

use crate::model::edit::Edit;
use crate::model::finding::{Finding, Findings, Remedy, Safety};
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::pipeline::{Step, StepKind};
use crate::model::script::{Command, Join, Language, Script};
use crate::model::secrets::filed::{beginning, pypirc, quoted};
use crate::model::secrets::flow::{Carry, Flow, Part};
use crate::model::secrets::sinks::is_setter;
use crate::model::secrets::names::words;
use crate::model::secrets::paths;
use crate::model::secrets::place::listed;
use crate::model::secrets::{Harm, Weight, looks_secret};
use crate::model::span::Location;
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-in-argv",
    group: Group::Secret,
    summary: "a secret is an argument of a program",
    levels: &[("argument", levels(Warning, Warning, Error))],
    since: "0.1.0",
    check,
};

/// What the shell does without starting a program.
const BUILTINS: &[&str] = &[
    "echo", "printf", "[", "[[", "test", "read", "export", "local", "declare", "typeset", "readonly", "set", "unset", "eval", ":", "true", "false",
    "cd", "exit", "return", "shift", "trap", "if", "case", "for", "while", "let", "((", "source", ".", "write-host", "write-output", "set-item",
    "add-content", "out-file", "set-content", "convertto-securestring", "alias", "command", "builtin", "exec", "wait",
];

/// Programs that start another one with variables of their own: `env T="$T" ./x`.
const STARTERS: &[&str] = &["env", "sudo", "doas", "xargs", "timeout", "nohup", "nice", "time"];

fn check(project: &Project, findings: &mut Findings) {
    let mut seen: HashSet<Location> = HashSet::new();
    for flow in project.flows() {
        let names = Names { functions: functions_at(project, &flow), files: files_at(&flow) };
        let mut commands: Vec<usize> = flow.carries.iter().map(|carry| carry.command).collect();
        commands.dedup();
        for index in commands {
            let carries: Vec<&Carry> = flow.carries.iter().filter(|carry| carry.command == index && counts(project, &flow, &names, carry)).collect();
            // Jobs that share a script share its findings.
            if !carries.is_empty() && seen.insert(flow.script.commands[index].at) {
                findings.push(report(project, &flow, &carries));
            }
        }
    }
}

/// Names that mean something else in a script than they say.
struct Names<'p> {
    /// Functions, which are no programs.
    functions: HashSet<&'p str>,
    /// Variables that hold the path of a file.
    files: HashSet<String>,
}

/// The scripts that run in one environment: those of the job, or the one alone.
fn scripts<'p>(flow: &Flow<'p>) -> Vec<&'p Script> {
    let Some((_, job)) = flow.job else { return vec![flow.script] };
    let of = |step: &'p Step| match &step.kind {
        StepKind::Run(script) => Some(script),
        _ => None,
    };
    job.steps.iter().filter_map(of).collect()
}

/// Functions that the script defines, and those of the files that its job sources.
fn functions_at<'p>(project: &'p Project, flow: &Flow<'p>) -> HashSet<&'p str> {
    let mut names = functions(project.sources.text(flow.script.at));
    for command in scripts(flow).into_iter().flat_map(|script| &script.commands) {
        let [program, path, ..] = &command.words[..] else { continue };
        if !matches!(program.text.text.as_str(), "source" | ".") {
            continue;
        }
        let path = path.text.text.as_str();
        let file = path.rsplit('/').next().unwrap_or(path);
        let sourced = project.sources.iter().filter(|source| source.file_name() == file);
        names.extend(sourced.flat_map(|source| functions(&source.text)));
    }
    names
}

/// Variables that hold the path of a file.
fn files_at(flow: &Flow) -> HashSet<String> {
    scripts(flow).into_iter().flat_map(paths::of).collect()
}

/// Names of the functions that a script defines, as `name()`, `name ()` and `function name`.
fn functions(text: &str) -> HashSet<&str> {
    let mut names = HashSet::new();
    for line in text.lines().map(str::trim_start) {
        match (line.split_once("()"), line.strip_prefix("function ")) {
            (_, Some(rest)) => names.extend(rest.split([' ', '(', '{']).next()),
            (Some((name, _)), None) => drop(names.insert(name.trim_end())),
            _ => {}
        }
    }
    names
}

/// Whether a carry is an argument of a program.
fn counts(project: &Project, flow: &Flow, names: &Names, carry: &Carry) -> bool {
    let Part::Word(index) = carry.part else { return false };
    let command = flow.command(carry);
    let Some(program) = program(command) else { return false };
    // What it keeps is worse than that it is seen, and another rule's.
    if is_setter(flow, command) {
        return false;
    }
    // Of a whole set nobody knows which secret it is: then the variable's name has to say it.
    let set = carry.secrets.iter().any(|name| name == "*");
    let harm = match &carry.variable {
        None => return false,
        Some(variable) if names.files.contains(variable) => return false,
        Some(variable) if set && !looks_secret(variable) => Harm::None,
        Some(_) => project.worst(carry.secrets.iter().map(String::as_str)),
    };
    if index <= program.0 || matches!(harm, Harm::None | Harm::Plain) {
        return false;
    }
    let name = program.1.to_ascii_lowercase();
    let name = name.rsplit('/').next().unwrap_or(&name);
    let word = &command.words[index].text.text;
    let before = command.words[index - 1].text.text.as_str();
    let other_rule = is_index(before, word) || before == "--build-arg" || word.starts_with("--build-arg");
    // The number of a key, which git and gpg show to everybody.
    let number = ["user.signingkey", "--local-user", "--default-key", "--recipient", "--recv-keys"].contains(&before);
    // A parser that lost its way gives words of several lines.
    let strange = name.contains(['$', '(', '{', '"', '\'', '<']) || name.is_empty();
    !strange && !number && !other_rule && !BUILTINS.contains(&name) && !names.functions.contains(name)
}

/// The program that is started in the end, and the number of its word.
fn program(command: &Command) -> Option<(usize, &str)> {
    let mut index = 0;
    loop {
        let word = command.words.get(index)?.text.text.as_str();
        let starter = STARTERS.contains(&word.rsplit('/').next().unwrap_or(word));
        let skipped = index > 0 && (word.starts_with('-') || word.contains('=') && !word.starts_with(['/', '.']));
        if !starter && !skipped {
            return Some((index, word));
        }
        index += 1;
    }
}

/// The URL of a package index.
fn is_index(before: &str, word: &str) -> bool {
    const OPTIONS: [&str; 8] =
        ["-i", "--index-url", "--extra-index-url", "--index", "--default-index", "--pypi-mirror", "global.index-url", "global.extra-index-url"];
    word.contains("://") && (OPTIONS.contains(&before) || OPTIONS.iter().any(|option| word.starts_with(&format!("{option}="))))
}

fn report(project: &Project, flow: &Flow, carries: &[&Carry]) -> Finding {
    let command = flow.command(carries[0]);
    let names: Vec<&str> = carries.iter().filter_map(|carry| carry.variable.as_deref()).collect();
    let (_, program) = program(command).unwrap_or((0, ""));
    let program = program.rsplit('/').next().unwrap_or(program);
    let at = flow.text(carries[0]).at;
    let message = format!("{} is an argument of `{program}`: seen in process lists, audit logs and traces", listed(names.iter().copied()));
    let message = if names.iter().any(|name| *name != names[0]) { message.replacen(" is an argument", " are arguments", 1) } else { message };
    let key = flow.step().map_or(String::new(), |step| step.key.clone());
    let mut finding = Findings::finding(&RULE, "argument", at, message).help(help(command, program)).about(key, format!("{program} {}", names.join(" ")));
    let harm = project.worst(carries.iter().flat_map(|carry| carry.secrets.iter().map(String::as_str)));
    // The address of a web hook is what programs that post to it take; who reads it can post too.
    let hooks = names.iter().all(|name| words(name).iter().any(|word| word == "webhook"));
    let harm = if hooks { harm.min(Harm::Low) } else { harm };
    finding.levels = Weight { harm, exposed: false, protected: false }.weigh(finding.levels);
    if let Some(edits) = login(project, command) {
        return finding.remedy(Remedy::Replace { edits, safety: Safety::Safe });
    }
    match header(project, flow, carries).or_else(|| pypirc(project, flow, carries)) {
        Some(edits) => finding.remedy(Remedy::Replace { edits, safety: Safety::Unsafe }),
        None => finding,
    }
}

/// What belongs to the program.
fn help(command: &Command, program: &str) -> &'static str {
    let has = |word: &str| command.words.iter().any(|known| known.text.text == word);
    match program {
        "docker" | "podman" | "helm" | "skopeo" | "crane" | "buildah" | "oras" if has("login") => {
            "pipe it: `printf '%s' \"$PASSWORD\" | docker login -u USER --password-stdin REGISTRY`"
        }
        "docker" | "podman" => "name the variable alone, `-e NAME`, or mount a file",
        "curl" => "read the header from a file (`curl -H @FILE`), or use `--netrc-file FILE`, or `printf … | curl -K -`",
        "wget" | "http" => "put it into a netrc file that the program reads",
        "git" => "use a credential helper, or `git -c credential.helper=…` that reads a file; an URL with it is kept in `.git/config`",
        "twine" => "use trusted publishing, or `twine upload --config-file FILE`",
        "mysql" | "mysqldump" | "mysqladmin" => "read it from a file: `--defaults-extra-file=FILE`",
        "psql" | "pg_dump" => "read it from a file: `PGPASSFILE`",
        "sshpass" => "read it from a file: `sshpass -f FILE`",
        "kubectl" => "read it from a file: `--from-file`",
        "gh" => "pipe it: `gh auth login --with-token < FILE`",
        "az" => "sign in with an identity, or read it from a file: `--password @FILE`",
        "aws" | "gcloud" => "use an identity of the job instead of a key",
        "npm" | "yarn" | "pnpm" => "let `.npmrc` name the variable: `_authToken=${NPM_TOKEN}`",
        "poetry" => "let poetry read `POETRY_PYPI_TOKEN_…` in this one step, or use trusted publishing",
        _ => "hand it over by standard input or by a file that the program reads",
    }
}

/// `docker login -u u -p "$P" r` as `printf '%s' "$P" | docker login -u u --password-stdin r`.
fn login(project: &Project, command: &Command) -> Option<Vec<Edit>> {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
    let tool = words.iter().position(|word| matches!(*word, "docker" | "podman"))?;
    let piped = command.redirects.iter().any(|redirect| redirect.operator.starts_with('<'));
    if words.get(tool + 1) != Some(&"login") || command.shell.language != Language::Posix || piped || command.join == Join::Background {
        return None;
    }
    let at = words.iter().position(|word| matches!(*word, "-p" | "--password") || word.starts_with("--password="))?;
    let (option, value) = (&command.words[at], command.words.get(at + 1));
    let (span, secret) = match words[at].strip_prefix("--password=") {
        Some(_) => {
            let whole = quoted(project, option)?;
            let text = project.sources.text(whole);
            (whole, text.strip_prefix("--password=")?.to_string())
        }
        None => {
            let value = quoted(project, value?)?;
            (Location { span: option.text.at.span.to(value.span), ..value }, project.sources.text(value).to_string())
        }
    };
    // One word of the shell, in its quotes or alone.
    let simple = secret.starts_with("\"$") && secret.ends_with('"') || secret.starts_with('$');
    if !simple || secret.contains([' ', '\n', '`', '(']) || !option.text.verbatim {
        return None;
    }
    let (start, open) = beginning(project, command);
    if is_apart(project, start, span) {
        return None;
    }
    let bare = secret.starts_with('$') && open != Some('"');
    // Where the document would put in a value itself, `\$` keeps the dollar for the shell.
    let before = value.and_then(|value| value.text.at.span.start.checked_sub(1));
    let escaped = before.is_some_and(|at| project.source(option.text.at.source).text.as_bytes()[at as usize] == b'\\');
    let secret = if escaped { secret.replacen('$', "\\$", 1) } else { secret };
    let secret = if bare { format!("\"{secret}\"") } else { secret };
    // No quote may end the one that the document has around the script.
    let format = if open == Some('\'') { "%s" } else { "'%s'" };
    Some(vec![
        Edit::replace(start, format!("printf {format} {secret} | ")),
        Edit::replace(span, "--password-stdin"),
    ])
}

/// Whether two places of a command may stand in strings that the document joins, each with quotes of its own.
fn is_apart(project: &Project, start: Location, end: Location) -> bool {
    let text = &project.source(start.source).text;
    let Some(between) = text.get(start.span.end as usize..end.span.start as usize) else { return true };
    between.contains('+') || between.contains('\n') && between.contains('=') && between.contains(['"', '\''])
}

/// `curl -H "Authorization: Bearer $T" …` as `printf '%s\n' "Authorization: Bearer $T" | curl -H @- …`: curl reads headers from a file since
/// 7.55. <https://curl.se/docs/manpage.html#-H>
fn header(project: &Project, flow: &Flow, carries: &[&Carry]) -> Option<Vec<Edit>> {
    let ([carry], command) = (carries, flow.command(carries[0])) else { return None };
    let Part::Word(at) = carry.part else { return None };
    let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
    let reads = words.iter().any(|word| word.ends_with("@-") || *word == "-" || *word == "-K" || *word == "--config");
    let fed = command.redirects.iter().any(|redirect| redirect.operator.starts_with('<'))
        || carry.command.checked_sub(1).is_some_and(|before| flow.script.commands[before].join == Join::Pipe);
    let is_header = words.first() == Some(&"curl") && matches!(words[at - 1], "-H" | "--header");
    if !is_header || reads || fed || command.shell.language != Language::Posix {
        return None;
    }
    let place = quoted(project, &command.words[at])?;
    let text = project.sources.text(place);
    let plain = text.starts_with('"') && text.ends_with('"') && !text[1..text.len() - 1].contains(['"', '\\', '`', '(', '\n']);
    let (start, open) = beginning(project, command);
    let print = if open.is_some() { "echo" } else { "printf '%s\\n'" };
    let plain = plain && !is_apart(project, start, place);
    plain.then(|| vec![Edit::replace(start, format!("{print} {text} | ")), Edit::replace(place, "@-")])
}
