//! Travis CI: `.travis.yml`. Knows no server.
//!
//! <https://config.travis-ci.com/>, <https://docs.travis-ci.com/user/job-lifecycle/>. Each line of a phase is evaluated on its own, and its
//! exit code alone counts: in an item of several lines that is the code of the last one.

mod env;
mod job;
#[cfg(test)]
mod tests;

use super::{Claim, Format};
use crate::ecosystems::git;
use crate::model::dialect::{Dialect, Masks, SecretWords};
use crate::model::facts::Facts;
use crate::model::pipeline::{Pipeline, PushFilter, Scope, Triggers};
use crate::model::reference::{Role, Slot};
use crate::model::source::{Source, Sources};
use crate::model::text::Text;
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "travis", claims, sniff: super::by_path, read };

/// How Travis says things. <https://docs.travis-ci.com/user/environment-variables/>, <https://docs.travis-ci.com/user/encryption-keys/>
pub static DIALECT: Dialect = Dialect {
    name: "Travis CI",
    files: &[".travis.yml"],
    unread: &["configurations imported from other repositories", "variables, cron jobs and settings of the server"],
    masks: Masks::Values,
    unseen_variables: true,
    present: &[],
    publishes: false,
    identity: "",
    file: "an encrypted file that the deploy phase decrypts",
    narrow: "`secure:` as an option of the `deploy:` provider, or in `env:` of the one job that needs it",
    report: "before_script:\n  - pinguard env-report",
    keeps_report: "pytest --junitxml=junit.xml   # and a line in after_script that uploads it",
    keeps_on_success: false,
    bash: true,
    secrets: &WORDS,
};

static WORDS: SecretWords = SecretWords {
    pipeline: "`env.global`",
    job: "`env` of the job",
    apart: "`if: type != pull_request`",
    plain: "in `env:` without `secure:`",
    workspace: &["$TRAVIS_BUILD_DIR/", "${TRAVIS_BUILD_DIR}/"],
    unpasted: "read the variable in the script and write `\"$NAME\"` with quotes",
    ..SecretWords::PLAIN
};

fn claims(path: &str) -> Claim {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, ".travis.yml" | ".travis.yaml") { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    let Some(root) = tree.root().filter(|root| root.is_map() && tree.template.is_none()) else { return };
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    let env = root.get("env");
    let global = match env.and_then(|env| env.get("global")) {
        Some(global) => Some((global, "env.global")),
        // A list or a text is a matrix; a plain mapping is for all jobs.
        None => env.filter(|env| env.is_map() && env.get("jobs").or_else(|| env.get("matrix")).is_none()).map(|env| (env, "env")),
    };
    pipeline.env = global.map_or(Vec::new(), |(node, key)| env::assignments(node, Scope::Pipeline, key));
    imports(root, facts, &mut pipeline);
    let base = source.folder().to_string();
    let has_requirements = sources.find_from(&base, "requirements.txt").is_some();
    pipeline.jobs = job::Reader::new(root, facts, has_requirements).jobs();
    pipeline.triggers = Triggers {
        patch: pipeline.jobs.iter().any(|job| job.on_patch != Some(false)),
        push: Some(PushFilter::default()),
        ..Triggers::default()
    };
    // Travis reads the file at the root only.
    if base.is_empty() { facts.pipelines.push(pipeline) } else { facts.components.push(pipeline) }
}

/// `import: owner/repository:path@ref`, alone or in a list, perhaps as `source` of a mapping.
fn imports(root: Node<'_>, facts: &mut Facts, pipeline: &mut Pipeline) {
    let node = root.get("import");
    let one = node.filter(|node| node.is_map());
    for (index, import) in one.into_iter().chain(node.into_iter().flat_map(Node::list)).enumerate() {
        let node = import.get("source").unwrap_or(import);
        let Some(text) = node.text() else { continue };
        let (place, rev) = text.text.rsplit_once('@').map_or((text.text.as_str(), None), |(place, rev)| (place, Some(rev)));
        // A path alone is a file of this repository.
        let Some((repository, _)) = place.split_once(':') else { continue };
        let key = format!("import[{index}]");
        let start = place.len() + usize::from(rev.is_some());
        let part = start..text.text.len();
        let rev_text = Text { text: rev.unwrap_or("").to_string(), at: text.place(part.clone()), verbatim: text.verbatim };
        let mut reference = git::pinned_at(repository, &rev_text, node.comment(), Role::CiInclude, &key);
        reference.site.whole = text.at;
        git::note_at_end(&mut reference, node.free_end());
        reference.site.digest = text.verbatim.then(|| Slot { at: text.at.slice(place.len()..text.text.len()), lead: "@" });
        facts.push(reference);
        pipeline.unseen.push((format!("a configuration is imported from `{repository}`"), text.at));
    }
}
