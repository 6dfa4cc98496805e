//! What a script does with something it did earlier: runs what it downloaded, checks its sum, checks out a ref of what it cloned, compares
//! a lock that it has just made. Looks at whole scripts; single commands are read elsewhere.

use super::args::Args;
use super::{fetch, prefix};
use crate::ecosystems::git;
use crate::model::facts::Facts;
use crate::model::reference::{ReferenceId, Slot};
use crate::model::script::{Command, Deed, InstallTool, Join, Nest, Script, Word};
use crate::model::span::Location;

/// Joins the commands of a script.
pub fn join(commands: &mut [Command], facts: &mut Facts) {
    for index in 0..commands.len() {
        let downloads = commands[index].deeds.iter().any(|deed| matches!(deed, Deed::Download(_)));
        if downloads {
            let fate = fate(commands, index);
            for deed in &mut commands[index].deeds {
                if let Deed::Download(download) = deed {
                    download.run_by = fate.run_by;
                    download.verified = fate.verified;
                    download.kept_as.clone_from(&fate.kept_as);
                }
            }
        }
        if let Some(id) = clone_of(&commands[index]) {
            check_out(commands, index, id, facts);
        }
    }
    relocks(commands);
}

/// Joins scripts that run after one another on one machine: what one of them downloads, a later one may run.
pub fn join_scripts(mut scripts: Vec<&mut Script>) {
    for index in 0..scripts.len() {
        let (before, later) = scripts.split_at_mut(index + 1);
        let deeds = before[index].commands.iter_mut().flat_map(|command| &mut command.deeds);
        for deed in deeds {
            let Deed::Download(download) = deed else { continue };
            if download.run_by.is_none() && !download.verified && !download.kept_as.is_empty() {
                let commands = later.iter().flat_map(|script| &script.commands);
                let fate = follow(download.kept_as.clone(), commands);
                (download.run_by, download.verified) = (fate.run_by, fate.verified);
            }
        }
    }
}

#[derive(Default)]
struct Fate {
    run_by: Option<Location>,
    verified: bool,
    /// The names of the files that it lies in.
    kept_as: Vec<String>,
}

/// What becomes of the download of command `index`.
fn fate(commands: &[Command], index: usize) -> Fate {
    if let Some(run_by) = piped(commands, index).or_else(|| substituted(commands, index)) {
        return Fate { run_by: Some(run_by), ..Fate::default() };
    }
    let Some(name) = saved_as(&commands[index]).or_else(|| written(commands, index)) else { return Fate::default() };
    follow(vec![name], &commands[index + 1..])
}

/// What commands do with a file of one of these names.
fn follow<'c>(mut names: Vec<String>, commands: impl IntoIterator<Item = &'c Command>) -> Fate {
    let mut verified = false;
    for command in commands {
        if names.iter().any(|name| executes(command, name)) {
            return Fate { run_by: Some(command.at), verified, kept_as: Vec::new() };
        }
        verified |= verifies(command);
        let moved = names.iter().find_map(|name| moved_to(command, name));
        names.extend(moved);
    }
    Fate { run_by: None, verified, kept_as: names }
}

/// The file that a download is piped into: `curl … | sudo tee x`, `curl … | gunzip > x`.
fn written(commands: &[Command], index: usize) -> Option<String> {
    (commands[index].join == Join::Pipe).then_some(())?;
    let last = &commands[next(commands, index)?];
    let target = match program_of(last) {
        "tee" => bare(last).iter().skip(1).find(|word| !word.text.text.starts_with('-')),
        "gunzip" | "zcat" | "gzip" | "xz" | "xzcat" | "bzip2" | "bzcat" | "zstd" => redirected(last),
        _ => None,
    };
    target.and_then(|word| last_part(&word.text.text))
}

/// The name that a file has after `mv a b`, `cp a b`, `install -m 755 a b`, `ln -s a b`; none where it goes into a folder and keeps it.
fn moved_to(command: &Command, name: &str) -> Option<String> {
    matches!(program_of(command), "mv" | "cp" | "install" | "ln").then_some(())?;
    let files: Vec<&Word> = bare(command).iter().skip(1).filter(|word| !word.text.text.starts_with('-')).collect();
    let [.., from, to] = files[..] else { return None };
    let folder =
        to.text.text.ends_with('/') || matches!(to.text.text.as_str(), "." | "..") || to.text.text.ends_with("/bin");
    (names(from, name) && !folder).then(|| last_part(&to.text.text)).flatten()
}

/// The words of a command without prefixes such as `sudo -E`.
fn bare(command: &Command) -> &[Word] {
    let mut words = command.words.as_slice();
    for _ in 0..4 {
        let Some(first) = words.first() else { return words };
        if !matches!(prefix::program(&first.text.text), "sudo" | "env" | "exec" | "time" | "command" | "nohup" | "doas")
        {
            return words;
        }
        words = &words[1..];
        let skip = words.iter().take_while(|word| {
            let text = word.text.text.as_str();
            text.starts_with('-') || prefix::assignment(text).is_some()
        });
        words = &words[skip.count()..];
    }
    words
}

fn program_of(command: &Command) -> &str {
    bare(command).first().map_or("", |word| prefix::program(&word.text.text))
}

/// Programs that run what they read from their input.
fn is_interpreter(command: &Command) -> bool {
    let words = bare(command);
    let program = program_of(command);
    let shell = matches!(
        program,
        "bash"
            | "sh"
            | "zsh"
            | "dash"
            | "ksh"
            | "ash"
            | "fish"
            | "perl"
            | "ruby"
            | "node"
            | "iex"
            | "Invoke-Expression"
    );
    let python = prefix::is_python(program);
    // `python -c '…'` and `python -m json.tool` read data; `bash file` runs the file.
    let first = words.iter().skip(1).map(|word| word.text.text.as_str()).find(|text| *text != "--");
    match first {
        None => shell || python,
        Some("-" | "-s" | "/dev/stdin") => shell || python,
        Some(text) if text.starts_with('-') && !text.starts_with("--") => {
            shell && !text.contains('c') && !matches!(program, "perl" | "ruby" | "node")
        }
        Some(_) => false,
    }
}

/// `curl … | [tee x |] sh`.
fn piped(commands: &[Command], index: usize) -> Option<Location> {
    let mut at = index;
    while commands[at].join == Join::Pipe {
        at = next(commands, at)?;
        if is_interpreter(&commands[at]) {
            return Some(commands[at].at);
        }
    }
    None
}

/// The command that the one at `index` is joined to: the next one that does not stand in its words.
fn next(commands: &[Command], index: usize) -> Option<usize> {
    let base = &commands[index].nesting;
    let is_inner = |command: &Command| {
        let deeper = command.nesting.get(base.len()).filter(|_| command.nesting.starts_with(base));
        matches!(deeper, Some(Nest::Substitution | Nest::Inner))
    };
    (index + 1..commands.len()).find(|&next| !is_inner(&commands[next]))
}

/// `bash -c "$(curl …)"`, `bash <(curl …)`, `eval "$(curl …)"`, `source <(curl …)`.
fn substituted(commands: &[Command], index: usize) -> Option<Location> {
    let inner = &commands[index];
    inner.nesting.contains(&Nest::Substitution).then_some(())?;
    let holds = |outer: &&Command| {
        let spans = (outer.at.span, inner.at.span);
        outer.at.source == inner.at.source && spans.0.contains(spans.1) && spans.0 != spans.1
    };
    let mut around: Vec<&Command> = commands.iter().filter(holds).collect();
    around.sort_by_key(|outer| outer.at.span.len());
    let nearest = around.first()?;
    // In `sh -c "$(curl …)"` the nearest command is the output itself.
    let is_output = bare(nearest)
        .first()
        .is_some_and(|word| word.text.text.starts_with(['$', '`']) && !word.text.text.starts_with("${"));
    let outer = around.get(1).filter(|_| is_output).unwrap_or(nearest);
    (is_output || evaluates(outer)).then_some(outer.at)
}

/// Whether a command runs the text that a substitution in its words gives.
fn evaluates(command: &Command) -> bool {
    let first = bare(command).get(1).map_or("", |word| word.text.text.as_str());
    match program_of(command) {
        "eval" | "source" | "." | "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" => true,
        program => prefix::is_python(program) && (first == "-c" || first.starts_with("<(")),
    }
}

/// The file that a download is written to, by its last part.
fn saved_as(command: &Command) -> Option<String> {
    let words = bare(command);
    let program = program_of(command);
    let spec = if program == "curl" { fetch::CURL } else { fetch::WGET };
    let args = Args::read(words.get(1..)?, &[spec]);
    let target = args
        .value(&["-o", "--output"])
        .filter(|_| program == "curl")
        .or_else(|| args.value(&["-O", "--output-document"]).filter(|_| program == "wget"));
    let from_url = || {
        let named =
            program == "wget" || args.has(&["-O", "--remote-name", "-J", "--remote-header-name", "--remote-name-all"]);
        let url = args.rest(0).next().filter(|_| named)?;
        Some(url.text.text.split(['?', '#']).next().unwrap_or("").to_string())
    };
    let to_output = target.is_some_and(|word| word.text.text == "-");
    let path = match target.filter(|_| !to_output).or_else(|| redirected(command)) {
        Some(word) => word.text.text.clone(),
        None if to_output => return None,
        None => from_url()?,
    };
    last_part(&path)
}

fn redirected(command: &Command) -> Option<&Word> {
    let writes = |operator: &str| matches!(operator, ">" | ">>" | "1>");
    command.redirects.iter().find(|redirect| writes(&redirect.operator)).map(|redirect| &redirect.target)
}

fn last_part(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or("");
    (!name.is_empty()).then(|| name.to_string())
}

fn names(word: &Word, name: &str) -> bool {
    word.text.text.rsplit('/').next() == Some(name)
}

/// `sh file`, `./file`, `source file`, `python file`: runs the file. So does what installs it as a package of the system: its scripts run as root.
fn executes(command: &Command, name: &str) -> bool {
    let words = bare(command);
    let Some(first) = words.first() else { return false };
    let called = names(first, name) && !matches!(program_of(command), "curl" | "wget");
    let program = program_of(command);
    let runner = matches!(
        program,
        "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" | "source" | "." | "perl" | "ruby" | "node" | "pwsh"
    );
    let argument = words.iter().skip(1).find(|word| !word.text.text.starts_with('-'));
    let given = |flags: &[&str]| words.iter().any(|word| flags.contains(&word.text.text.as_str()));
    let installs = match program {
        "dpkg" => given(&["-i", "--install"]),
        "rpm" => words.iter().any(|word| {
            ["-i", "-U", "-F"].iter().any(|flag| word.text.text.starts_with(flag)) || word.text.text == "--install"
        }),
        "apt" | "apt-get" | "dnf" | "yum" | "microdnf" | "zypper" => given(&["install"]),
        "apk" => given(&["add"]),
        _ => false,
    };
    called
        || installs && words.iter().skip(1).any(|word| names(word, name))
        || (runner || prefix::is_python(program)) && argument.is_some_and(|word| names(word, name))
}

/// A sum or a signature is checked.
fn verifies(command: &Command) -> bool {
    let program = program_of(command);
    let given = |name: &str| command.words.iter().any(|word| word.text.text == name);
    match program {
        "sha256sum" | "sha512sum" | "sha1sum" | "sha384sum" | "shasum" | "b2sum" | "b3sum" | "md5sum" | "rhash" => true,
        "gpg" | "gpg2" => given("--verify"),
        "gpgv" | "minisign" | "signify" | "slsa-verifier" => true,
        "cosign" | "rekor-cli" => command.words.iter().any(|word| word.text.text.starts_with("verify")),
        "openssl" => given("dgst") || given("sha256"),
        "gh" => given("attestation"),
        "Get-FileHash" | "certutil" => true,
        _ => false,
    }
}

fn clone_of(command: &Command) -> Option<ReferenceId> {
    command.deeds.iter().find_map(|deed| match deed {
        Deed::Clone(id) => Some(*id),
        _ => None,
    })
}

/// `git clone URL dir`, then `git -C dir checkout REF` or `cd dir; git checkout REF`: the ref holds the clone.
fn check_out(commands: &[Command], index: usize, id: ReferenceId, facts: &mut Facts) {
    let words = bare(&commands[index]);
    let global = Args::read(words.get(1..).unwrap_or(&[]), &[fetch::GIT]);
    let tail = global.tail(0, words.get(1..).unwrap_or(&[]));
    let args = Args::read(tail.get(1..).unwrap_or(&[]), &[fetch::CLONE]);
    let url = args.text(0).trim_end_matches('/');
    let named = args.word(1).map_or(url, |word| word.text.text.trim_end_matches('/'));
    let folder = named.rsplit('/').next().unwrap_or("").trim_end_matches(".git").to_string();
    for command in &commands[index + 1..] {
        if clone_of(command).is_some()
            && command.cwd.as_deref() == commands[index].cwd.as_deref()
            && program_of(command) == "git"
        {
            continue;
        }
        if let Some(rev) = checked_out(command, &folder) {
            pin(rev, id, facts);
            return;
        }
    }
}

/// The ref that a command checks out in `folder`.
fn checked_out<'c>(command: &'c Command, folder: &str) -> Option<&'c Word> {
    let words = bare(command);
    if program_of(command) != "git" {
        return None;
    }
    let global = Args::read(words.get(1..)?, &[fetch::GIT]);
    let place = global.value(&["-C"]).map(|word| word.text.text.as_str()).or(command.cwd.as_deref()).unwrap_or("");
    if place.trim_end_matches('/').rsplit('/').next() != Some(folder) {
        return None;
    }
    let tail = global.tail(0, words.get(1..)?);
    let args = Args::read(tail.get(1..)?, &[]);
    match global.text(0) {
        "checkout" | "switch" if !args.has(&["-b", "-B", "-c"]) => {}
        "reset" if args.has(&["--hard"]) => {}
        _ => return None,
    }
    let at = args.plain.first().map(|&(at, _)| at + 1)?;
    tail.get(at).filter(|word| word.text.text != "." && word.text.text != "--")
}

fn pin(rev: &Word, id: ReferenceId, facts: &mut Facts) {
    let Some(reference) = facts.references.get_mut(id.index as usize) else { return };
    reference.strength = if rev.expands { None } else { Some(git::ref_strength(&rev.text.text)) };
    reference.pin.version = Some(rev.text.text.clone());
    if git::is_commit(&rev.text.text) {
        reference.pin.digests = vec![rev.text.text.clone()];
    }
    reference.site.version = rev.text.verbatim.then_some(Slot { at: rev.text.at, lead: "" });
    reference.site.digest = None;
}

/// Where a compiler writes when its output is redirected; and a lock that is made anew only to see that nothing changes is verified.
fn relocks(commands: &mut [Command]) {
    let compared = commands.iter().rposition(compares);
    for (index, command) in commands.iter_mut().enumerate() {
        let target = command.redirects.first().map(|redirect| redirect.target.clone());
        for deed in &mut command.deeds {
            let Deed::Relock { tool, output } = deed else { continue };
            if *tool == InstallTool::PipSync && output.is_none() {
                *output = target.clone();
            }
            if compared.is_some_and(|at| at > index) {
                *deed = Deed::VerifyLock { tool: *tool };
            }
        }
    }
}

/// `git diff --exit-code` and its kind: fails when the commands before it changed a file.
fn compares(command: &Command) -> bool {
    let words = bare(command);
    let given = |names: &[&str]| words.iter().any(|word| names.contains(&word.text.text.as_str()));
    program_of(command) == "git" && given(&["diff"]) && given(&["--exit-code", "--quiet"])
}
