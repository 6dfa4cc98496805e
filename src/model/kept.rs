//! What becomes of a file that a step wrote: kept as an artifact or a cache, sent, posted as a comment, put into an image. Knows no file's
//! content.

use super::pipeline::{Assignment, Job, Pipeline, StepKind, Value};
use super::script::{Command, Deed};
use super::span::Location;

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

/// Where a later step, or the job, keeps or sends `file`; with a word for it.
pub fn kept(
    job: &Job,
    from: usize,
    file: &str,
    component: &dyn Fn(usize) -> String,
) -> Option<(Location, &'static str)> {
    let file = file.trim_start_matches("./").trim_matches(['"', '\'']);
    let name = file.rsplit(['/', '\\']).next().filter(|name| !name.is_empty() && !name.contains('$'))?;
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    if let Some(artifact) = job.artifacts.iter().find(|one| one.paths.iter().any(|path| holds(path, name, folder))) {
        return Some((artifact.at, "an artifact"));
    }
    for (index, step) in job.steps.iter().enumerate().skip(from) {
        match &step.kind {
            StepKind::Uses { inputs, .. } if index > from => {
                let named = component(index).to_ascii_lowercase();
                let Some(word) = KEEPERS.iter().find(|word| named.contains(**word)) else { continue };
                if inputs.iter().any(|input| input_holds(input, name, folder)) {
                    let what = match *word {
                        "cache" => "a cache",
                        "comment" => "a comment",
                        _ => "an artifact",
                    };
                    return Some((step.at, what));
                }
            }
            StepKind::Run(script) => {
                if let Some(command) = script.commands.iter().find(|command| sends(command, name)) {
                    return Some((command.at, "another machine"));
                }
            }
            _ => {}
        }
    }
    None
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
        || command.deeds.iter().any(|deed| matches!(deed, Deed::BuildImage(_))) && name.starts_with(".env")
}

/// Whether every job of a system has a token, so that a file with the environment holds one.
pub fn always_holds(pipeline: &Pipeline) -> bool {
    !pipeline.system.present.is_empty()
}
