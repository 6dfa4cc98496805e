//! What becomes of a file that a step wrote: kept as an artifact or a cache, sent, posted as a comment, put into an image. Knows no file's
//! content.

use super::container::Instruction;
use super::pipeline::{Assignment, Job, Pipeline, StepKind, Value};
use super::project::Project;
use super::script::{Command, Deed, Word};
use super::source::join;
use super::span::Location;
use super::text::Text;

/// Programs that send files, and the words that make them do so.
const SENDERS: &[(&str, &[&str])] = &[
    ("curl", &["-F", "-T", "--upload-file", "-d", "--data", "--data-binary", "--form"]),
    ("aws", &["s3", "s3api"]),
    ("gsutil", &["cp", "rsync"]),
    ("gcloud", &["storage"]),
    ("az", &["storage"]),
    ("scp", &[]),
    ("rsync", &[]),
    ("sftp", &[]),
    ("rclone", &[]),
    ("gh", &["comment", "release", "gist", "create"]),
    ("glab", &["note", "release"]),
    ("buildkite-agent", &["artifact", "annotate"]),
    ("wget", &["--post-file"]),
];

/// Words in the name of a component that keeps what it is given.
const KEEPERS: &[&str] =
    &["upload", "artifact", "cache", "comment", "release", "gist", "pages", "publish", "store", "deploy"];

/// Where a later step, or the job, keeps or sends `file`; with words for it, behind "which".
pub fn kept(project: &Project, job: &Job, from: usize, file: &str) -> Option<(Location, &'static str)> {
    let file = file.trim_start_matches("./").trim_matches(['"', '\'']);
    let name = file.rsplit(['/', '\\']).next().filter(|name| !name.is_empty() && !name.contains('$'))?;
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let held = |paths: &[String]| paths.iter().any(|path| holds(path, name, folder));
    if let Some(artifact) = job.artifacts.iter().find(|one| held(&one.paths)) {
        return Some((artifact.at, "becomes an artifact"));
    }
    if let Some(cache) = job.caches.iter().find(|one| held(&one.paths)) {
        return Some((cache.at, "becomes a cache"));
    }
    for (index, step) in job.steps.iter().enumerate().skip(from) {
        match &step.kind {
            StepKind::Uses { component, inputs } if index > from => {
                let named = project.reference(*component).subject.name.to_ascii_lowercase();
                if named.ends_with("/build-push-action") && context_holds(project, inputs, file) {
                    return Some((step.at, "goes into an image"));
                }
                let Some(word) = KEEPERS.iter().find(|word| named.contains(**word)) else { continue };
                if inputs.iter().any(|input| input_holds(input, name, folder)) {
                    let what = match *word {
                        "cache" => "becomes a cache",
                        "comment" => "becomes a comment",
                        _ => "becomes an artifact",
                    };
                    return Some((step.at, what));
                }
            }
            StepKind::Run(script) => {
                for command in &script.commands {
                    if sends(command, name) {
                        let comments = command
                            .words
                            .iter()
                            .any(|word| matches!(word.text.text.as_str(), "comment" | "note" | "annotate"));
                        return Some((
                            command.at,
                            if comments { "becomes a comment" } else { "goes to another machine" },
                        ));
                    }
                    if builds_with(project, command, file) {
                        return Some((command.at, "goes into an image"));
                    }
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether an image is built whose Dockerfile copies a file of the workspace.
fn builds_with(project: &Project, command: &Command, file: &str) -> bool {
    command.deeds.iter().any(|deed| match deed {
        Deed::BuildImage(build) => {
            let text = |word: &Option<Word>| word.as_ref().map(|word| word.text.text.clone());
            copies(project, &text(&build.context).unwrap_or_else(|| ".".to_string()), text(&build.file), file)
        }
        _ => false,
    })
}

/// The same for a component: without a context, it takes the repository and not the workspace.
fn context_holds(project: &Project, inputs: &[Assignment], file: &str) -> bool {
    let input = |name: &str| {
        inputs.iter().find(|one| one.name == name).and_then(|one| match &one.value {
            Value::Literal(text) => Some(text.clone()),
            _ => None,
        })
    };
    input("context").is_some_and(|context| copies(project, &context, input("file"), file))
}

fn copies(project: &Project, context: &str, dockerfile: Option<String>, file: &str) -> bool {
    let Some(context) = join("", context.trim_end_matches('/')) else { return false };
    let path = match dockerfile {
        Some(path) => join("", &path),
        None => join(&context, "Dockerfile"),
    };
    let inside = match context.as_str() {
        "" | "." => Some(file),
        context => file.strip_prefix(context).and_then(|rest| rest.strip_prefix('/')),
    };
    let (Some(path), Some(inside)) = (path, inside.filter(|inside| !inside.starts_with(['/', '$', '~']))) else {
        return false;
    };
    let builds = project.builds().filter(|build| project.source(build.at.source).path == path);
    let takes = |from: &Text| {
        let from = from.text.trim_start_matches("./").trim_end_matches('/');
        matches!(from, "" | "." | "*")
            || from == inside
            || inside.strip_prefix(from).is_some_and(|rest| rest.starts_with('/'))
    };
    builds.flat_map(|build| &build.stages).flat_map(|stage| &stage.instructions).any(|one| match one {
        Instruction::Copy { from, foreign: false, .. } => from.iter().any(takes),
        _ => false,
    })
}

fn input_holds(input: &Assignment, name: &str, folder: &str) -> bool {
    let paths = [
        "path",
        "paths",
        "files",
        "file",
        "body-path",
        "body_path",
        "body-file",
        "folder",
        "publish_dir",
        "artifacts",
        "report_paths",
    ];
    match &input.value {
        Value::Literal(text) | Value::Expression(text) => {
            paths.contains(&input.name.as_str()) && text.lines().any(|line| holds(line.trim(), name, folder))
        }
        Value::Secret { .. } => false,
    }
}

/// Whether a path, a pattern or a folder has the file in it.
fn holds(path: &str, name: &str, folder: &str) -> bool {
    let path = path.trim_start_matches("./").trim_end_matches('/').trim_end_matches("/**").trim_end_matches("/*");
    if path.starts_with('!') || path.is_empty() {
        return path.is_empty();
    }
    let last = path.rsplit('/').next().unwrap_or(path);
    let ending = last.strip_prefix('*').is_some_and(|end| end.is_empty() || name.ends_with(end));
    path == "."
        || path == "**"
        || last == name
        || ending
        || !folder.is_empty()
            && (folder == path || folder.ends_with(&format!("/{path}")) || folder.starts_with(&format!("{path}/")))
}

fn sends(command: &Command, name: &str) -> bool {
    let Some(program) = command.words.first().map(|word| word.text.text.rsplit('/').next().unwrap_or("")) else {
        return false;
    };
    let known = SENDERS.iter().find(|(sender, _)| *sender == program);
    let asked = known.is_some_and(|(_, words)| {
        words.is_empty() || command.words.iter().any(|word| words.contains(&word.text.text.as_str()))
    });
    asked
        && command
            .words
            .iter()
            .skip(1)
            .any(|word| word.text.text.split(['@', '=', ':']).any(|part| part.rsplit('/').next() == Some(name)))
}

/// Whether every job of a system has a token, so that a file with the environment holds one.
pub fn always_holds(pipeline: &Pipeline) -> bool {
    !pipeline.system.present.is_empty()
}
