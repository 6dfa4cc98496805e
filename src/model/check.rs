//! Commands whose verdict counts, as rules see them: which check, with which arguments, run by the gate or not.
//! Knows tools only by the deeds that were recognised.

use super::pipeline::{Job, Pipeline, Step, StepKind, Value};
use super::project::{Project, Site};
use super::script::{CheckKind, Command, Deed, Join, Script, Word};
use super::span::SourceId;
use std::collections::HashSet;

/// A command whose verdict counts.
#[derive(Debug, Clone, Copy)]
pub struct Check<'c> {
    /// Which kind.
    pub kind: CheckKind,
    /// The tool, perhaps with what it was asked for: `pytest`, `make test`.
    pub tool: &'c str,
    /// The words after the tool's name.
    pub arguments: &'c [Word],
}

impl Check<'_> {
    /// The program alone: `make` of `make test`.
    pub fn program(&self) -> &str {
        self.tool.split(' ').next().unwrap_or(self.tool)
    }

    /// The arguments up to `--`, which is where those of another program begin.
    pub fn own_arguments(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(|word| word.text.text.as_str()).take_while(|text| *text != "--")
    }

    /// Whether an argument is one of these, or one of these with a value (`--tb=no`).
    pub fn has(&self, flags: &[&str]) -> bool {
        self.own_arguments().any(|text| {
            let name = if text.starts_with("--") { text.split('=').next().unwrap_or(text) } else { text };
            flags.contains(&name) || flags.contains(&text)
        })
    }
}

/// Words in the name of a task that say that it prepares, cleans or serves rather than checks.
const CHORES: &[&str] = &[
    "teardown",
    "clean",
    "setup",
    "install",
    "deps",
    "dependencies",
    "requirements",
    "up",
    "down",
    "start",
    "stop",
    "logs",
    "image",
    "images",
    "env",
    "venv",
    "data",
    "upload",
    "publish",
    "deploy",
    "push",
    "pull",
    "list",
    "summary",
    "report",
    "html",
    "xml",
    "prepare",
    "init",
    "destroy",
    "delete",
    "remove",
    "fix",
    "update",
    "compile",
    "docs",
    "server",
    "shell",
    "create",
];

/// Parts of the names of environments and sessions (tox, nox) that say that these are no tests.
const OTHER_ENTRIES: &[(&[&str], CheckKind)] = &[
    (
        &[
            "lint",
            "linters",
            "linting",
            "flake8",
            "ruff",
            "style",
            "format",
            "formatting",
            "fmt",
            "black",
            "isort",
            "precommit",
            "commit",
            "pylint",
            "codespell",
            "quality",
            "bandit",
            "spelling",
            "static",
            "security",
            "pep8",
            "checkqa",
            "manifest",
        ],
        CheckKind::Lint,
    ),
    (&["mypy", "types", "typing", "typecheck", "type", "pyright", "stubtest"], CheckKind::Types),
    (
        &["docs", "doc", "build", "linkcheck", "package", "packaging", "dist", "sphinx", "html", "readme", "changelog"],
        CheckKind::Build,
    ),
];

impl Command {
    /// The check that the command is, if it is one. Listing tests, asking for a version, printing a table and rewriting files are none.
    pub fn check(&self) -> Option<Check<'_>> {
        let (kind, tool) = self.deeds.iter().find_map(|deed| match deed {
            Deed::Check { kind, tool } => Some((*kind, tool.as_str())),
            _ => None,
        })?;
        let task = tool.split_once(' ').map_or("", |(_, task)| task);
        let is_chore = task.split([' ', '-', '_', ':', '/', '.']).any(|part| CHORES.contains(&part));
        let kind = match tool {
            "tox" | "nox" => self.entries_kind()?,
            _ => kind,
        };
        let check = Check { kind, tool, arguments: self.arguments_of(tool.split(' ').next().unwrap_or(tool)) };
        (!is_chore && check.gives_verdict()).then_some(check)
    }

    /// What kind of check the named environments of tox or sessions of nox are; `None`: none at all.
    fn entries_kind(&self) -> Option<CheckKind> {
        let entries = self.deeds.iter().find_map(|deed| match deed {
            Deed::RunEntry { entries, .. } => Some(entries.as_slice()),
            _ => None,
        });
        entry_kind(entries.unwrap_or(&[]).iter().map(String::as_str))
    }

    /// The words after the one that names `program`; none when no word does.
    pub fn arguments_of(&self, program: &str) -> &[Word] {
        let position = self.words.iter().position(|word| word.names(program));
        position.map_or(&[], |position| &self.words[position + 1..])
    }

    /// Whether any word, assignment or redirection has `part` in it.
    pub fn mentions(&self, part: &str) -> bool {
        self.words.iter().any(|word| word.text.text.contains(part))
            || self.assigns.iter().any(|(_, value)| value.text.contains(part))
            || self.redirects.iter().any(|redirect| redirect.target.text.text.contains(part))
    }
}

impl Check<'_> {
    /// Whether its exit code is about the code that it looks at.
    fn gives_verdict(&self) -> bool {
        let only = match self.program() {
            "pytest" | "py.test" => {
                self.has(&["--collect-only", "--co", "--collectonly", "--fixtures", "--markers", "--setup-plan"])
            }
            "mypy" => self.has(&["--install-types", "-c", "--command"]),
            // Without a threshold it prints a table.
            "coverage" => !self.has(&["--fail-under"]),
            _ => false,
        };
        let writes = self.kind == CheckKind::Lint && self.has(&["--fix", "--fix-only", "--write", "--autofix"]);
        !only && !writes
    }
}

/// What kind of check environments or sessions of these names are; tests when one of them may be. `None`: they are chores.
pub fn entry_kind<'e>(names: impl Iterator<Item = &'e str>) -> Option<CheckKind> {
    let mut found = None;
    let mut chores = 0;
    let mut count = 0;
    for name in names {
        count += 1;
        let has = |list: &[&str]| name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| list.contains(&part));
        match OTHER_ENTRIES.iter().find(|(list, _)| has(list)) {
            Some((_, kind)) => found = Some(*kind),
            None if has(CHORES) || has(&["release", "bump", "docker"]) => chores += 1,
            None => return Some(CheckKind::Test),
        }
    }
    if count > 0 && chores == count { None } else { found.or(Some(CheckKind::Test)) }
}

impl Word {
    /// Whether it names a program: with any folder, `.exe`, or a version after it (`pytest-3`, `python3.12` for `python`).
    pub fn names(&self, program: &str) -> bool {
        let text = self.text.text.as_str();
        let name = text.rsplit(['/', '\\', ':']).next().unwrap_or(text);
        let name = name.strip_suffix(".exe").unwrap_or(name);
        // An entry may ask for a version: `uvx ruff@0.6.0`.
        let name = name.split(['@', '=']).next().unwrap_or(name);
        name == program
            || name.strip_prefix(program).is_some_and(|rest| {
                !rest.is_empty()
                    && rest.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            })
    }
}

impl Script {
    /// The commands of the list `a && b || c` from `index` on, in order.
    pub fn list_from(&self, index: usize) -> Vec<usize> {
        let mut list = vec![index];
        let mut at = index;
        while matches!(self.commands[at].join, Join::And | Join::Or | Join::Pipe) {
            let Some(next) = self.next(at) else { break };
            list.push(next);
            at = next;
        }
        list
    }

    /// The commands that read the output of the one at `index` one after another, itself left out.
    pub fn pipe_from(&self, index: usize) -> Vec<usize> {
        let list = self.list_from(index);
        let piped = list.iter().take_while(|&&at| self.commands[at].join == Join::Pipe).count();
        list.into_iter().skip(1).take(piped).collect()
    }
}

impl Project {
    /// Every command that the verdict over a proposed patch depends on, as far as files tell: those of jobs that a patch can start, of
    /// what they call, and of image builds.
    ///
    /// When no pipeline is started by patches, those that pushes to branches start count instead: they are the first to say anything.
    pub fn gate_commands(&self) -> Vec<Site<'_>> {
        let kept = self.derived.gate.get_or_init(|| self.in_gate());
        self.commands().zip(kept).filter(|(_, kept)| **kept).map(|(site, _)| site).collect()
    }

    fn in_gate(&self) -> Vec<bool> {
        let any_patch =
            self.jobs().any(|(pipeline, job)| is_on_patch(pipeline, job) && !self.asleep(pipeline.at.source));
        let entries = self.entries();
        let keeps = |site: &Site| match (site.pipeline, site.job) {
            (Some(pipeline), Some(job)) => {
                let component = self.facts_of(site.source).components.iter().any(|one| std::ptr::eq(one, pipeline));
                let on_push = pipeline.triggers.push.as_ref().is_some_and(|push| !push.tags_only);
                if site.step.is_some_and(|step| step.not_on_patch) && (any_patch || !on_push) {
                    return false;
                }
                if component { self.judged(site.source) } else { is_on_patch(pipeline, job) || on_push && !any_patch }
            }
            _ => site.build.is_some() || self.judged(site.source) && self.is_run(site, &entries),
        };
        self.commands().map(|site| !self.asleep(site.source) && keeps(&site)).collect()
    }

    /// Every command that CI runs, whatever starts it: those of all jobs, of what they call, and of image builds.
    pub fn run_commands(&self) -> Vec<Site<'_>> {
        let kept = self.derived.run.get_or_init(|| self.in_ci());
        self.commands().zip(kept).filter(|(_, kept)| **kept).map(|(site, _)| site).collect()
    }

    fn in_ci(&self) -> Vec<bool> {
        let entries = self.entries();
        let keeps = |site: Site| match site.pipeline {
            Some(pipeline) => {
                let component = self.facts_of(site.source).components.iter().any(|one| std::ptr::eq(one, pipeline));
                !component || self.judged(site.source)
            }
            None => site.build.is_some() || self.judged(site.source) && self.is_run(&site, &entries),
        };
        self.commands().map(keeps).collect()
    }

    /// Names that commands give to task runners.
    fn entries(&self) -> HashSet<&str> {
        let deeds = self.commands().flat_map(|site| &site.command.deeds);
        let entries = deeds.filter_map(|deed| match deed {
            Deed::RunEntry { entries, .. } => Some(entries),
            _ => None,
        });
        entries.flatten().map(String::as_str).collect()
    }

    /// Whether a script that stands alone is run: of a file with many tasks only those that are named somewhere.
    fn is_run(&self, site: &Site, entries: &HashSet<&str>) -> bool {
        let scripts = &self.facts_of(site.source).scripts;
        let file = self.source(site.source).path.rsplit('/').next().unwrap_or("");
        let has_tasks =
            matches!(file.to_ascii_lowercase().as_str(), "makefile" | "gnumakefile" | "justfile" | "package.json");
        let name = scripts.iter().find(|(_, script)| std::ptr::eq(script, site.script)).map_or("", |(name, _)| name);
        !has_tasks || scripts.len() == 1 || entries.contains(name)
    }

    /// Whether `source` holds something that only a person starts: no pipeline, no image build, and nobody calls it.
    pub fn is_local(&self, source: SourceId) -> bool {
        let facts = self.facts_of(source);
        facts.pipelines.is_empty() && facts.builds.is_empty() && self.gate.seen && self.reached_by(source).is_empty()
    }
}

/// Whether a proposed patch can start the job, or whether it cannot be told.
pub fn is_on_patch(pipeline: &Pipeline, job: &Job) -> bool {
    let triggers = &pipeline.triggers;
    job.on_patch != Some(false) && (triggers.patch || triggers.called || triggers.unseen || job.on_patch == Some(true))
}

/// The commands of a job that are checks of `kind`, with the step that each stands in.
pub fn checks_of(job: &Job, kind: CheckKind) -> impl Iterator<Item = (usize, &Command)> {
    job.steps.iter().enumerate().flat_map(move |(index, step)| {
        let commands: &[Command] = match &step.kind {
            StepKind::Run(script) => &script.commands,
            _ => &[],
        };
        let is = move |command: &&Command| check_in(job, Some(step), command).is_some_and(|check| check.kind == kind);
        commands.iter().filter(is).map(move |command| (index, command))
    })
}

/// The check that a command of a job is: tox also takes its environments from `TOXENV`.
pub fn check_in<'c>(job: &Job, step: Option<&Step>, command: &'c Command) -> Option<Check<'c>> {
    let mut check = command.check()?;
    let named = command.deeds.iter().any(|deed| matches!(deed, Deed::RunEntry { entries, .. } if !entries.is_empty()));
    if check.tool == "tox" && !named {
        let all = step.into_iter().flat_map(|step| &step.env).chain(&job.env);
        let value = all.filter(|one| one.name == "TOXENV").find_map(|one| match &one.value {
            Value::Literal(text) => Some(text.as_str()),
            _ => None,
        });
        check.kind =
            entry_kind(value.into_iter().flat_map(|text| text.split([',', ' '])).filter(|name| !name.is_empty()))?;
    }
    Some(check)
}

impl Site<'_> {
    /// The check that the command is, with what its job says around it.
    pub fn check(&self) -> Option<Check<'_>> {
        match self.job {
            Some(job) => check_in(job, self.step, self.command),
            None => self.command.check(),
        }
    }
}
