//! Parts of an environment report, and clients that are asked to print what they send.

use super::{after, text};
use crate::model::script::{Command, Reported, Word};
use crate::tools::prefix::{is_python, program};

/// Which part of an environment report a command prints.
pub(super) fn reports(words: &[Word]) -> Option<Reported> {
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
pub(super) fn reveals(command: &Command, words: &[Word]) -> Option<&'static str> {
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
