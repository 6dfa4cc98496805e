//! Jenkins: `Jenkinsfile`, declarative pipelines; of scripted ones the images, scripts and secrets. Knows no server and runs no Groovy.
//!
//! <https://www.jenkins.io/doc/book/pipeline/syntax/>. Files of Groovy that a Jenkinsfile loads, and the steps of a shared library
//! (`vars/name.groovy`), are read too; what starts the Jenkinsfiles that name them starts them.
//! <https://www.jenkins.io/doc/book/pipeline/shared-libraries/#directory-structure>

mod agent;
mod environment;
mod methods;
mod moves;
mod stage;
mod steps;
#[cfg(test)]
mod tests;

use super::{Claim, Format};
use crate::ecosystems::git;
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords, Unpaste};
use crate::model::facts::Facts;
use crate::model::pipeline::{Job, Pipeline, PushFilter, Setting, Triggers};
use crate::model::reference::{Role, Slot};
use crate::model::source::{Source, Sources};
use crate::model::text::Text;
use crate::syntax::groovy::{self, Call, Item, Str, Value};
use methods::Methods;
use stage::{Around, Reader};

/// The format.
pub static FORMAT: Format = Format { name: "jenkins", claims, sniff, read };

/// How Jenkins says things. <https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#handling-credentials>
pub static DIALECT: Dialect = Dialect {
    name: "Jenkins",
    files: &["Jenkinsfile*", "*jenkinsfile", "*.groovy, *.jenkins with steps", "vars/*.groovy"],
    unread: &["control flow of scripted pipelines and `script` blocks", "shared libraries of other repositories, and classes", "credentials, agents and settings of the server"],
    masks: Masks::Values,
    unseen_variables: true,
    present: &[],
    publishes: false,
    identity: "the identity of the agent's machine, or a token of an OpenID Connect plugin",
    file: "`withCredentials([file(credentialsId: 'id', variable: 'NAME_FILE')])`: the variable holds a path",
    narrow: "`withCredentials([string(credentialsId: 'id', variable: 'NAME')])` around the one `sh '…'` that reads it",
    report: "sh 'pinguard env-report'",
    keeps_report: "pytest --junitxml=junit.xml   # and post { always { junit 'junit.xml' } }",
    keeps_on_success: false,
    bash: false,
    secrets: &WORDS,
};

static WORDS: SecretWords = SecretWords {
    pipeline: "`environment` of the pipeline",
        rewrites: &Rewrites { cloud: "// an id token of the plugin oidc-provider, of the kind that is a file\nwithCredentials([file(credentialsId: 'aws', variable: 'AWS_WEB_IDENTITY_TOKEN_FILE')]) {\n  withEnv(['AWS_ROLE_ARN=arn:aws:iam::ACCOUNT:role/ROLE']) {\n    sh './deploy'\n  }\n}", ..Rewrites::PLAIN },
    job: "`environment` of the stage",
    steps: true,
    apart: "`when { not { changeRequest() } }` of the stage",
    plain: "in `environment { NAME = '…' }`, or as a parameter",
    temp: "\"$WORKSPACE_TMP\"",
    private: &["$WORKSPACE_TMP", "${WORKSPACE_TMP}", "/tmp/", "/dev/shm/", "~/", "$HOME/", "${HOME}/", "/root/", "/run/"],
    workspace: &["$WORKSPACE/", "${WORKSPACE}/"],
    unpasted: "put the script into single quotes, so that the shell reads the variable",
    unpaste: Unpaste::Quotes,
    ..SecretWords::PLAIN
};

fn claims(path: &str) -> Claim {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let lower = name.to_ascii_lowercase();
    if name.starts_with("Jenkinsfile") || lower.ends_with("jenkinsfile") {
        return Claim::Yes;
    }
    // Below `src` are the classes of a library, and tests of them.
    let program = folder.split('/').any(|part| matches!(part, "src" | "test" | "tests"));
    let groovy = lower.ends_with(".groovy") || lower.ends_with(".jenkins");
    if groovy && !program { Claim::Maybe } else { Claim::No }
}

/// Whether a file of Groovy has a pipeline, or steps that run commands.
fn sniff(text: &str) -> bool {
    let starts = |line: &str, name: &str, marks: &[char]| {
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start_matches(' ').starts_with(marks))
    };
    text.lines().map(str::trim_start).any(|line| {
        let runs = ["sh", "bat", "powershell", "pwsh"].iter().any(|name| starts(line, name, &['\'', '"', '(']));
        runs || starts(line, "pipeline", &['{']) || starts(line, "node", &['{', '('])
    })
}

/// Whether a file is a pipeline by its name; others are loaded.
fn is_jenkinsfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.contains("jenkinsfile") || name.ends_with(".jenkins")
}

/// Whether some Jenkinsfile names a file of Groovy: by its path (`load 'ci/x.groovy'`), or by the step that it defines.
fn is_named(source: &Source, sources: &Sources) -> bool {
    let name = source.file_name();
    let step = source.path.rsplit('/').nth(1) == Some("vars");
    let word = if step { name.split('.').next().unwrap_or(name) } else { name };
    sources.iter().any(|other| is_jenkinsfile(&other.path) && other.text.contains(word))
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    let items = groovy::parse(source.id, &source.text);
    let mut pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    libraries(&items, facts, &mut pipeline);
    let declared = declared(&items);
    // Which patches start it is set on the server; where they do not, no file says so.
    pipeline.triggers = Triggers { patch: true, push: Some(PushFilter::default()), unseen: true, ..Triggers::default() };
    let library = source.path.rsplit('/').nth(1) == Some("vars");
    if !is_jenkinsfile(&source.path) && (library || declared.is_none()) && !is_named(source, sources) {
        pipeline.triggers = Triggers { called: true, unseen: true, ..Triggers::default() };
    }
    let mut reader = Reader::new(facts, sources, Methods::of(&items));
    match declared {
        Some(call) => declarative(call, &mut reader, &mut pipeline),
        None => {
            let mut job = Job::new("script", "script", source.top());
            job.on_patch = None;
            reader.steps(&items, &Around::default(), &mut job);
            // What a shared library calls by its name is read as well.
            while let Some(name) = reader.methods.uncalled() {
                let body = reader.methods.enter(name).unwrap_or_default();
                reader.steps(body, &Around { key: name.to_string(), ..Around::default() }, &mut job);
                reader.methods.leave(name);
            }
            if job.steps.is_empty() && job.images.is_empty() {
                return;
            }
            let text = match library {
                true => "these are steps in Groovy: their images, scripts and secrets were read, their control flow was not",
                false => "this is a scripted pipeline: its images, scripts and secrets were read, its control flow was not",
            };
            pipeline.unseen.push((text.to_string(), source.top()));
            pipeline.jobs.push(job);
        }
    }
    facts.pipelines.push(pipeline);
}

/// `pipeline { … }`, at the top or in the method that a shared library calls.
fn declared(items: &[Item]) -> Option<&Call> {
    let among = |items| groovy::calls(items).find(|call: &&Call| call.name == "pipeline" && call.block.is_some());
    among(items).or_else(|| items.iter().filter_map(methods::definition).find_map(|(_, body)| among(body)))
}

fn declarative(call: &Call, reader: &mut Reader<'_>, pipeline: &mut Pipeline) {
    pipeline.at = call.at;
    pipeline.env = environment::block(call, crate::model::pipeline::Scope::Pipeline, "environment");
    moves::note_lines(reader.facts, &reader.sources.get(call.at.source).text, call, "environment");
    if let Some(triggers) = call.call("triggers") {
        pipeline.triggers.schedule = triggers.call("cron").is_some();
    }
    let around = Around { agent: call.call("agent"), agent_key: "agent".to_string(), ..Around::default() };
    let options = call.call("options");
    if let Some(option) = options.and_then(|options| options.call("disableConcurrentBuilds")) {
        let abort = option.named("abortPrevious").and_then(Value::says) == Some("true");
        pipeline.cancel = Setting::Plain(abort, option.at);
    }
    let around = Around { timeout: stage::timeout(options), retry: stage::retry(options), ..around };
    // It stands for the whole pipeline, and its container runs beside those of the stages that have an agent of their own.
    reader.agent(&around, &mut Job::new("agent", "agent", call.at));
    reader.secrets = environment::secret_names(&pipeline.env);
    if let Some(stages) = call.call("stages") {
        reader.stages(stages, "stages", &around, &mut pipeline.jobs);
    }
    if let Some(post) = call.call("post") {
        let mut job = Job::new("post", "post", post.at);
        reader.agent(&around, &mut job);
        reader.post(post, "post", &around, &mut job);
        if !job.steps.is_empty() {
            job.on_patch = Some(true);
            pipeline.jobs.push(job);
        }
    }
}

/// `@Library('name@ref') _`, `library 'name@ref'`, `libraries { lib('name@ref') }`, and those of methods.
fn libraries(items: &[Item], facts: &mut Facts, pipeline: &mut Pipeline) {
    for (_, body) in items.iter().filter_map(methods::definition) {
        libraries(body, facts, pipeline);
    }
    for call in groovy::calls(items) {
        match call.name.as_str() {
            // What comes with the pipeline's own commit moves with it.
            "library" if call.named("retriever").is_some_and(|from| matches!(from, Value::Call(from) if from.name == "legacySCM")) => {}
            "@Library" | "library" | "lib" => {
                let first = call.first().or_else(|| call.named("identifier"));
                for text in first.into_iter().flat_map(texts) {
                    library(text, facts, pipeline);
                }
            }
            "pipeline" | "libraries" => libraries(call.block.as_deref().unwrap_or(&[]), facts, pipeline),
            _ => {}
        }
    }
}

fn library(written: &Str, facts: &mut Facts, pipeline: &mut Pipeline) {
    let text = written.text.text(0..written.text.text.len());
    let (name, rev) = text.text.split_once('@').map_or((text.text.as_str(), None), |(name, rev)| (name, Some(rev)));
    if name.is_empty() || !written.puts_in.is_empty() {
        return;
    }
    let what = format!("steps of the shared library `{name}` are used");
    pipeline.unseen.push((what, text.at));
    // Without a ref, the server's own setting decides.
    let Some(rev) = rev else { return };
    let start = name.len() + 1;
    let rev_text = Text { text: rev.to_string(), at: text.place(start..start + rev.len()), verbatim: text.verbatim };
    let mut reference = git::pinned_at(name, &rev_text, None, Role::CiInclude, &format!("library.{name}"));
    reference.site.whole = text.at;
    reference.site.note = None;
    reference.site.digest = text.verbatim.then_some(Slot { at: rev_text.at, lead: "" });
    facts.push(reference);
}

/// The strings of a value: one, or those of a list.
fn texts(value: &Value) -> Vec<&Str> {
    match value {
        Value::Text(text) => vec![text],
        Value::List(list) => list.iter().flat_map(|argument| texts(&argument.value)).collect(),
        _ => Vec::new(),
    }
}
