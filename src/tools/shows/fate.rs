//! What is left of a command's output after the pipe behind it, and where it goes.

use super::{bare, text};
use crate::model::script::{Command, DumpSink, Join, Kept, Nest};
use crate::tools::prefix::program;

/// Programs that hand on what they read, perhaps in another order or form.
const HAND_ON: &[&str] = &[
    "sort",
    "uniq",
    "tee",
    "cat",
    "less",
    "more",
    "head",
    "tail",
    "nl",
    "column",
    "tr",
    "sed",
    "awk",
    "gawk",
    "fold",
    "jq",
    "xargs",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "Sort-Object",
    "Format-Table",
    "ft",
    "fl",
    "Format-List",
    "Out-String",
    "Tee-Object",
    "Select-Object",
    "Out-File",
    "Set-Content",
    "ConvertTo-Json",
    "sort.exe",
    "findstr",
    "Where-Object",
    "more.com",
    "base64",
    "xxd",
    "od",
    "hexdump",
    "gzip",
    "rev",
    "base32",
    "openssl",
];

/// Programs that send what they read.
const SEND: &[&str] = &[
    "curl",
    "wget",
    "nc",
    "ncat",
    "netcat",
    "socat",
    "telnet",
    "http",
    "https",
    "httpie",
    "Invoke-WebRequest",
    "Invoke-RestMethod",
    "iwr",
    "irm",
    "mail",
    "sendmail",
];

/// Whether a client of a forge or a server puts what it reads where people see it.
fn posts(name: &str, arguments: &[&str]) -> bool {
    match name {
        "buildkite-agent" => arguments.first() == Some(&"annotate"),
        "gh" => arguments.iter().any(|word| matches!(*word, "comment" | "gist" | "-F" | "--body-file")),
        "glab" => arguments.contains(&"note"),
        _ => false,
    }
}

/// What is left of an output after the pipe behind it, and where it goes; `None` when nothing of the values comes out.
pub(super) fn fate(commands: &[Command], index: usize) -> Option<(Kept, Vec<DumpSink>)> {
    let mut kept = Kept::All;
    let mut sinks = Vec::new();
    let mut at = index;
    loop {
        let command = &commands[at];
        let mut to_file = false;
        for redirect in
            command.redirects.iter().filter(|one| one.operator.contains('>') && !one.operator.starts_with('2'))
        {
            let target = text(&redirect.target);
            match target {
                "/dev/null" | "$null" | "nul" | "NUL" => return None,
                "&1" | "&2" | "1" | "2" | "/dev/stdout" | "/dev/stderr" | "/dev/tty" => {}
                _ if target.starts_with("/dev/tcp/") => sinks.push(DumpSink::Network),
                _ => {
                    to_file = true;
                    sinks.push(DumpSink::File(redirect.target.clone()));
                }
            }
        }
        if to_file {
            return Some((kept, sinks));
        }
        let inside = command.nesting.iter().rposition(|nest| *nest == Nest::Substitution);
        if let Some(depth) = inside.filter(|_| command.join != Join::Pipe) {
            // What stands in `$( )` is handed to another command; one that says it is a print of its own.
            let outer = commands[..at].iter().rposition(|other| other.nesting == command.nesting[..depth])?;
            let name = program(text(bare(&commands[outer].words).first()?));
            return SEND.contains(&name).then(|| (kept, vec![DumpSink::Network]));
        }
        if command.join != Join::Pipe {
            break;
        }
        at = next(commands, at)?;
        let reader = &commands[at];
        let words = bare(&reader.words);
        let (first, rest) = words.split_first()?;
        let name = program(text(first));
        let arguments: Vec<&str> = rest.iter().map(text).collect();
        if SEND.contains(&name) || posts(name, &arguments) {
            sinks.push(DumpSink::Network);
            return Some((kept, sinks));
        }
        if !HAND_ON.contains(&name) || counts_or_names(name, &arguments) {
            return None;
        }
        match name {
            "tee" | "Tee-Object" => {
                let files = rest.iter().filter(|word| !text(word).starts_with('-') && !text(word).starts_with("/dev/"));
                sinks.extend(files.map(|word| DumpSink::File(word.clone())));
            }
            "Out-File" | "Set-Content" => {
                sinks.extend(
                    rest.iter().rfind(|word| !text(word).starts_with('-')).map(|word| DumpSink::File(word.clone())),
                );
                return Some((kept, sinks));
            }
            "base64" | "xxd" | "od" | "hexdump" | "gzip" | "rev" | "base32" | "openssl" if kept == Kept::All => {
                kept = Kept::Encoded
            }
            "grep" | "egrep" | "fgrep" | "rg" | "findstr" => {
                if let Some(patterns) = patterns(&arguments) {
                    kept = Kept::Only(patterns);
                }
            }
            _ => {}
        }
    }
    sinks.push(DumpSink::Log);
    Some((kept, sinks))
}

/// The command that reads the output of the one at `at`.
fn next(commands: &[Command], at: usize) -> Option<usize> {
    let base = &commands[at].nesting;
    let inner = |command: &Command| {
        let deeper = command.nesting.get(base.len()).filter(|_| command.nesting.starts_with(base));
        matches!(deeper, Some(Nest::Substitution | Nest::Inner))
    };
    (at + 1..commands.len()).find(|&next| !inner(&commands[next]))
}

/// Whether a filter lets no value through: it counts, answers, or keeps what stands before `=`.
fn counts_or_names(name: &str, arguments: &[&str]) -> bool {
    let joined = arguments.join(" ");
    let short = |letters: &[char]| {
        arguments.iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letters))
    };
    match name {
        "grep" | "egrep" | "fgrep" | "rg" => {
            let names = joined.contains("[^=]*") || joined.contains("[^=]+") || joined.contains("[A-Z_]");
            short(&['c', 'q', 'l'])
                || arguments.iter().any(|word| matches!(*word, "--count" | "--quiet" | "--silent"))
                || short(&['o']) && names
        }
        "sed" => {
            arguments.iter().any(|word| word.starts_with('s') && (word.contains("=.*") || word.contains("=\\(.*")))
        }
        "awk" | "gawk" => {
            let splits =
                joined.contains("-F=") || joined.contains("-F =") || joined.contains("FS=") || joined.contains("FS =");
            splits && joined.contains("$1") && !joined.contains("$2") && !joined.contains("$0")
        }
        "xargs" => {
            !arguments.is_empty()
                && !arguments.iter().all(|word| word.starts_with('-') || matches!(*word, "echo" | "1" | "\\n"))
        }
        "Select-Object" => {
            arguments.iter().any(|word| word.eq_ignore_ascii_case("name"))
                && !joined.to_ascii_lowercase().contains("value")
        }
        _ => false,
    }
}

/// What a search keeps: its patterns, alternatives apart; `None` when it leaves out instead, or when that cannot be told.
fn patterns(arguments: &[&str]) -> Option<Vec<String>> {
    let short = |letter: char| {
        arguments.iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letter))
    };
    if short('v') || arguments.contains(&"--invert-match") || short('f') {
        return None;
    }
    let explicit = arguments.iter().any(|word| *word == "-e" || *word == "--regexp");
    let mut found: Vec<&str> = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match *word {
            "-e" | "--regexp" => found.extend(words.next()),
            "-A" | "-B" | "-C" | "-m" => drop(words.next()),
            word if word.starts_with('-') => {}
            word if !explicit && found.is_empty() => found.push(word),
            _ => {}
        }
    }
    let mut parts = Vec::new();
    for pattern in found {
        parts
            .extend(pattern.replace("\\|", "|").split('|').map(|part| part.trim_matches(['(', ')', '\\']).to_string()));
    }
    let sensitive = !short('i') && !arguments.contains(&"--ignore-case");
    let parts: Vec<String> =
        parts.into_iter().map(|part| if sensitive { part } else { format!("(?i){part}") }).collect();
    (!parts.is_empty()).then_some(parts)
}
