//! A secret of a command line or a variable put into a file that its owner alone can read, which the one command then names: the edits.
//! Knows no rule.

use super::flow::{Carry, Flow, Part};
use super::unpaste::quote_at;
use crate::model::container::Instruction;
use crate::model::edit::Edit;
use crate::model::pipeline::{Assignment, Scope, Step, StepKind};
use crate::model::project::Project;
use crate::model::script::{Command, Join, Language, Word};
use crate::model::span::{Location, Span};

/// Where a command begins, and the quote that the document has open there.
pub fn beginning(project: &Project, command: &Command) -> (Location, Option<char>) {
    let start = command.at.span.start as usize;
    let text = &project.source(command.at.source).text[..start];
    let line = &text[text.rfind('\n').map_or(0, |end| end + 1)..];
    (Location { span: Span::empty(start), ..command.at }, quote_at(line))
}

/// A word with its quotes.
pub fn quoted(project: &Project, word: &Word) -> Option<Location> {
    let text = &project.source(word.text.at.source).text;
    let span = word.text.at.span;
    let (start, end) = (span.start as usize, span.end as usize);
    // A doubled dollar is one of the shell.
    let start = start - usize::from(text[..start].ends_with('$') && word.text.text.starts_with('$'));
    let around = (text[..start].chars().next_back(), text[end..].chars().next());
    let inside = word.quoted && around == (Some('"'), Some('"'));
    if !word.text.verbatim && !inside {
        // `--password="$P"`: the place is the whole word as it is written.
        return text
            .get(start..end)
            .filter(|written| written.contains('"') && !written.contains('\n'))
            .map(|_| word.text.at);
    }
    let span = if inside { Span::new(start - 1, end + 1) } else { Span::new(start, end) };
    Some(Location { span, ..word.text.at })
}

/// A text that is one variable of the shell and nothing else, as it is written: `$X`, `${X}`, `$$X`.
fn is_variable(text: &str) -> bool {
    let name = text.trim_start_matches('$');
    let name = name.strip_prefix('{').map_or(name, |name| name.strip_suffix('}').unwrap_or(""));
    text.starts_with('$') && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Letters that a netrc file, a settings file and every shell take as they are.
fn is_plain(text: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'+');
    !text.is_empty() && text.bytes().all(harmless)
}

/// Whether a command can have another one before it.
fn can_follow(flow: &Flow, carry: &Carry) -> bool {
    let command = flow.command(carry);
    let piped = carry.command.checked_sub(1).is_some_and(|before| {
        flow.script.commands[before].join == Join::Pipe && flow.script.commands[before].nesting == command.nesting
    });
    command.shell.language == Language::Posix && !command.shell.xtrace && !piped && command.join != Join::Background
}

/// `twine upload -u __token__ -p "$T" dist/*` as `(umask 077 && printf … > FILE) && twine upload --config-file FILE dist/*`.
/// <https://twine.readthedocs.io/en/stable/#configuration>
pub fn pypirc(project: &Project, flow: &Flow, carries: &[&Carry]) -> Option<Vec<Edit>> {
    let ([carry], command) = (carries, flow.command(carries[0])) else { return None };
    let Part::Word(at) = carry.part else { return None };
    let words: Vec<&str> = command.words.iter().map(|word| word.text.text.as_str()).collect();
    let upload =
        words.windows(2).position(|pair| pair[0].rsplit('/').next() == Some("twine") && pair[1] == "upload")?;
    let known = words[upload..].iter().any(|word| {
        let option = word.split('=').next().unwrap_or(word);
        matches!(option, "--repository-url" | "-r" | "--repository" | "--config-file")
    });
    if known || !can_follow(flow, carry) || !matches!(words.get(at.checked_sub(1)?), Some(&("-p" | "--password"))) {
        return None;
    }
    let value = quoted(project, &command.words[at])?;
    let secret = project.sources.text(value).trim_matches('"');
    let (option, plain) = (&command.words[at - 1].text, is_variable(secret));
    let user = words.iter().position(|word| matches!(*word, "-u" | "--username"));
    let name = user.map_or(Some("__token__"), |user| words.get(user + 1).copied()).filter(|name| is_plain(name))?;
    let (start, open) = beginning(project, command);
    if !plain || !option.verbatim || open == Some('"') {
        return None;
    }
    let file = format!("{}/pypirc", folder(flow));
    let print = match open {
        // No quote may end the one that the document has around the script.
        Some(_) => format!(
            "echo \"[pypi]\" > {file} && echo username = {name} >> {file} && echo password = \"{secret}\" >> {file}"
        ),
        None => format!("printf '[pypi]\\nusername = {name}\\npassword = %s\\n' \"{secret}\" > {file}"),
    };
    let cut = Location { span: option.at.span.to(value.span), ..value };
    let mut edits = vec![
        Edit::replace(start, format!("(umask 077 && {print}) && ")),
        Edit::replace(cut, format!("--config-file {file}")),
    ];
    if let Some(user) = user {
        edits.push(Edit::replace(with_blank(project, command, user)?, ""));
    }
    edits.sort();
    Some(edits)
}

/// An option and its value with the blank before them.
fn with_blank(project: &Project, command: &Command, at: usize) -> Option<Location> {
    let (option, value) = (&command.words.get(at)?.text, quoted(project, command.words.get(at + 1)?)?);
    let start = option.at.span.start as usize;
    let before = &project.source(option.at.source).text[..start];
    (option.verbatim && before.ends_with(' '))
        .then(|| Location { span: Span::new(start - 1, value.span.end as usize), ..value })
}

/// An option with a value, taken out of a command.
pub fn without(project: &Project, command: &Command, options: &[&str]) -> Option<Vec<Edit>> {
    let at = command.words.iter().position(|word| options.contains(&word.text.text.as_str()))?;
    Some(vec![Edit::replace(with_blank(project, command, at)?, "")])
}

/// `pip install --index-url "https://joe:$T@HOST/simple"` as `(umask 077 && printf … > FILE) && NETRC=FILE pip install --index-url
/// "https://HOST/simple"`: pip, uv and everything else that is made of requests read it.
/// <https://pip.pypa.io/en/stable/topics/authentication/#netrc-support>, <https://docs.astral.sh/uv/concepts/authentication/http/>
pub fn netrc(project: &Project, flow: &Flow, carry: &Carry) -> Option<Vec<Edit>> {
    let (command, text) = (flow.command(carry), flow.text(carry));
    let word = |index: usize| command.words.get(index).map_or("", |word| word.text.text.as_str());
    if matches!(word(0), "sudo" | "docker" | "podman") || word(1) == "config" || !can_follow(flow, carry) {
        return None;
    }
    let written = project.sources.text(text.at);
    let url = Url::of(written)?;
    let (start, open) = beginning(project, command);
    let exported = matches!(word(0), "export");
    // After a declaration the variable has to live on as long as what it declares.
    let lasting = exported || command.words.is_empty();
    let file = format!("{}/netrc", folder(flow));
    let lead = if lasting { format!("export NETRC={file} && ") } else { format!("NETRC={file} ") };
    Some(vec![
        Edit::replace(start, format!("{} && {lead}", url.print(open, url.password, &file)?)),
        Edit::replace(text.at.slice(url.userinfo.clone()), ""),
    ])
}

/// `PIP_INDEX_URL: https://joe:${{ secrets.T }}@HOST/simple` of a step as a URL without a credential, and the secret in a variable of its own
/// that the first command of the step puts into a netrc file.
pub fn netrc_of_step(
    project: &Project,
    step: &Step,
    one: &Assignment,
    names: &[String],
    folder: &str,
) -> Option<Vec<Edit>> {
    let (StepKind::Run(script), [name]) = (&step.kind, names) else { return None };
    let first = script.commands.first()?;
    let free = step.env.iter().all(|own| own.name != *name);
    let shell = first.shell.language == Language::Posix && !first.shell.xtrace && first.nesting.is_empty();
    if one.scope != Scope::Step || !free || !shell || !is_variable(&format!("${name}")) {
        return None;
    }
    let edits = &project.facts_of(one.at.source).variable_edits;
    let url = Url::of(project.sources.text(one.at))?;
    let expression = url.password;
    if !expression.starts_with("${{") && !expression.starts_with("$(") {
        return None;
    }
    let (start, open) = beginning(project, first);
    let file = format!("{folder}/netrc");
    let print = url.print(open, &format!("${name}"), &file)?;
    let slot = edits.slot(&step.key)?;
    let mut all = vec![
        Edit::replace(start, format!("{print} && export NETRC={file} && ")),
        Edit::replace(one.at.slice(url.userinfo.clone()), ""),
        slot.insert(&[(name.clone(), expression.to_string())]),
    ];
    all.sort();
    Some(all)
}

/// `RUN pip install --index-url https://joe:$T@HOST/simple` with a netrc file that is mounted, and without the argument `T` when nothing else
/// reads it. <https://docs.docker.com/build/building/secrets/>
pub fn mounted(project: &Project, flow: &Flow, carry: &Carry) -> Option<Vec<Edit>> {
    let text = flow.text(carry);
    let url = Url::of(project.sources.text(text.at))?;
    let builds = &project.facts_of(flow.script.at.source).builds;
    let instructions = || builds.iter().flat_map(|build| &build.stages).flat_map(|stage| &stage.instructions);
    let at = instructions().find_map(|one| match one {
        Instruction::Run { at, script, mounts } if std::ptr::eq(script, flow.script) && mounts.is_empty() => Some(*at),
        _ => None,
    })?;
    let source = &project.source(at.source).text;
    let start = at.span.start as usize;
    let run = source.get(start..start + 4).filter(|word| word.eq_ignore_ascii_case("run "))?;
    let mount = Location { span: Span::empty(start + run.len()), ..at };
    let mut edits = vec![
        Edit::replace(mount, "--mount=type=secret,id=netrc,target=/root/.netrc "),
        Edit::replace(text.at.slice(url.userinfo.clone()), ""),
    ];
    let name = url.password.trim_matches(['$', '{', '}']);
    let line = format!("ARG {name}");
    if source.matches(name).count() == 2
        && let Some(found) = source.match_indices(&line).map(|(found, _)| found).find(|found| {
            let alone = source[..*found].ends_with('\n') || *found == 0;
            alone && source[found + line.len()..].starts_with('\n')
        })
    {
        edits.push(Edit::replace(Location { span: Span::new(found, found + line.len() + 1), ..at }, ""));
    }
    edits.sort();
    Some(edits)
}

/// The folder for files that nothing keeps.
fn folder(flow: &Flow) -> &'static str {
    flow.job.map_or("/tmp", |(pipeline, _)| pipeline.system.secrets.temp)
}

/// The parts of a URL with a user and a password that is a variable.
struct Url<'t> {
    userinfo: std::ops::Range<usize>,
    user: &'t str,
    password: &'t str,
    host: &'t str,
}

impl<'t> Url<'t> {
    fn of(text: &'t str) -> Option<Url<'t>> {
        let from = text.find("://")? + 3;
        let rest = &text[from..];
        let end = rest.rfind('@')?;
        let (user, password) = rest[..end].split_once(':')?;
        let host = rest[end + 1..].split(['/', ':', '"', '\'', ' ']).next()?;
        let expression =
            password.starts_with("${{") && password.ends_with("}}") && password.matches("${{").count() == 1
                || password.starts_with("$(") && password.ends_with(')') && is_plain(&password[2..password.len() - 1]);
        let plain = is_plain(user) && is_plain(host) && (is_variable(password) || expression);
        plain.then_some(Url { userinfo: from..from + end + 1, user, password, host })
    }

    /// Puts the credential into a file.
    fn print(&self, open: Option<char>, secret: &str, file: &str) -> Option<String> {
        let entry = format!("machine {} login {} password", self.host, self.user);
        match open {
            Some('"') => None,
            Some(_) => Some(format!("(umask 077 && echo {entry} \"{secret}\" > {file})")),
            None => Some(format!("(umask 077 && printf '{entry} %s\\n' \"{secret}\" > {file})")),
        }
    }
}
