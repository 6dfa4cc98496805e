//! Whether the files of a repository say that a pipeline is uploaded without replacing variables in it. Knows no server: what its settings
//! upload with no file showing is uploaded as agents do by default.
//!
//! <https://github.com/buildkite/agent/blob/main/clicommand/pipeline_upload.go>

use crate::model::source::{Source, Sources, join};

/// The flag, and the variable that stands for it.
const FLAG: &str = "--no-interpolation";
const VARIABLE: &str = "BUILDKITE_PIPELINE_NO_INTERPOLATION";

/// What an upload without a file takes: the one of these that is there.
const DEFAULTS: [&str; 6] = [
    "buildkite.yml",
    "buildkite.yaml",
    ".buildkite/pipeline.yml",
    ".buildkite/pipeline.yaml",
    "buildkite/pipeline.yml",
    "buildkite/pipeline.yaml",
];

/// Options of an upload that a value follows.
const WITH_VALUE: [&str; 9] = [
    "--job",
    "--format",
    "--agent-access-token",
    "--endpoint",
    "--redacted-vars",
    "--git-diff-base",
    "--jwks-file",
    "--jwks-key-id",
    "--signing-aws-kms-key",
];

/// Whether a pipeline is uploaded by commands of the repository, and all of them leave its variables alone.
pub fn leaves_variables(source: &Source, sources: &Sources) -> bool {
    if sources.holding(FLAG).is_empty() && sources.holding(VARIABLE).is_empty() {
        return false;
    }
    let mut said = false;
    for id in sources.holding("pipeline upload").iter() {
        let other = sources.get(*id);
        for command in commands(&other.text) {
            match upload(&command, source, sources) {
                Some(true) => said = true,
                Some(false) => return false,
                None => {}
            }
        }
    }
    said
}

/// The lines of a text, those that a backslash continues as one; what stands behind `#` left out.
fn commands(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim) {
        let (part, goes_on) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        match all.last_mut().filter(|_| open) {
            Some(last) => {
                last.push(' ');
                last.push_str(part);
            }
            None => all.push(part.to_string()),
        }
        open = goes_on;
    }
    all.retain(|line| line.contains("pipeline upload") && !line.starts_with('#'));
    all
}

/// Whether a command uploads the pipeline, and then whether it leaves its variables alone.
fn upload(command: &str, source: &Source, sources: &Sources) -> Option<bool> {
    let (before, after) = command.split_once("pipeline upload")?;
    let after = after.split(['|', ';', '&']).next().unwrap_or("");
    let mut files = Vec::new();
    let mut words = after.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let word = bare(word);
        match word {
            "<" => files.extend(words.next().map(bare)),
            _ if WITH_VALUE.contains(&word) => drop(words.next()),
            _ if word.starts_with('-') || word.starts_with("2>") || word.is_empty() => {}
            _ => files.push(word.trim_start_matches('<')),
        }
    }
    // What a program writes may have any file in it: those that it names.
    let piped = before.contains('|');
    if files.is_empty() && piped {
        files.extend(before.split_whitespace().map(bare));
    }
    let is_it = |path: &&str| join("", path).is_some_and(|path| path == source.path);
    let named = match files.is_empty() {
        true => {
            let known = DEFAULTS.iter().filter(|path| sources.find(path).is_some());
            known.into_iter().any(|path| *path == source.path)
        }
        false => files.iter().any(is_it),
    };
    let set = before.contains(&format!("{VARIABLE}=true")) || before.contains(&format!("{VARIABLE}=1"));
    named.then(|| set || after.split_whitespace().any(|word| matches!(bare(word), FLAG | "--no-interpolation=true")))
}

/// A word without the quotes that a shell or a list of a document has around it.
fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\'', '[', ']', ','])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(path: &str, others: &[(&str, &str)]) -> bool {
        let mut sources = Sources::default();
        let id = sources.add(path, "steps: []\n");
        for (path, text) in others {
            sources.add(*path, *text);
        }
        leaves_variables(sources.get(id), &sources)
    }

    #[test]
    fn only_the_files_that_are_named_count() {
        let deploy = ".buildkite/deploy.yml";
        for text in [
            "steps:\n- command: buildkite-agent pipeline upload --no-interpolation .buildkite/deploy.yml\n",
            "steps:\n- command: 'buildkite-agent pipeline upload .buildkite/deploy.yml --no-interpolation'\n",
            "steps:\n- commands: [\"buildkite-agent pipeline upload --replace --no-interpolation ./.buildkite/deploy.yml\"]\n",
            "buildkite-agent pipeline upload \\\n  --no-interpolation \\\n  .buildkite/deploy.yml\n",
            "BUILDKITE_PIPELINE_NO_INTERPOLATION=true buildkite-agent pipeline upload .buildkite/deploy.yml\n",
            "cat .buildkite/deploy.yml | buildkite-agent pipeline upload --no-interpolation\n",
            "buildkite-agent pipeline upload --no-interpolation < .buildkite/deploy.yml\n",
            "buildkite-agent pipeline upload --job x --no-interpolation .buildkite/deploy.yml && echo .buildkite/a.yml\n",
        ] {
            assert!(leaves(deploy, &[("ci/upload.sh", text)]), "{text}");
        }
        for text in [
            "buildkite-agent pipeline upload .buildkite/deploy.yml\n",
            "buildkite-agent pipeline upload --no-interpolation .buildkite/other.yml\n",
            "buildkite-agent pipeline upload --no-interpolation\n",
            "# buildkite-agent pipeline upload --no-interpolation .buildkite/deploy.yml\n",
            "buildkite-agent pipeline upload --no-interpolation .buildkite/deploy.yml\nbuildkite-agent pipeline upload .buildkite/deploy.yml\n",
        ] {
            assert!(!leaves(deploy, &[("ci/upload.sh", text)]), "{text}");
        }
        assert!(leaves(".buildkite/pipeline.yml", &[("a.sh", "buildkite-agent pipeline upload --no-interpolation\n")]));
        assert!(!leaves(".buildkite/pipeline.yml", &[]));
    }
}
