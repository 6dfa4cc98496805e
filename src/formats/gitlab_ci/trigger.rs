//! Which events start a pipeline and a job: `workflow:rules`, `rules`, `only`, `except`, `when`.

use super::condition::{Event, holds};
use super::config::{Config, Layers};
use super::variables::Known;
use crate::model::pipeline::{Job, PushFilter, Triggers};
use crate::syntax::tree::Node;

const PATCHES: [Event; 2] = [Event::MergeRequest, Event::Branch];

/// Whether a proposed patch starts a job by itself; `None`: an expression decides. A path filter (`changes`) counts as yes.
pub fn on_patch(config: &Config<'_>, job: &Layers<'_, '_>) -> Option<bool> {
    any(PATCHES.map(|event| both(pipeline_runs(config, event), job_runs(config, job, event))))
}

/// What starts the pipeline as a whole.
pub fn triggers(config: &Config<'_>, jobs: &[Job]) -> Triggers {
    let runs = |event: Event| {
        let each = config.visible().map(|(name, _)| job_runs(config, &config.job(name), event));
        both(pipeline_runs(config, event), any(each))
    };
    let possible = |event: Event| runs(event) != Some(false);
    let (branch, default) = (runs(Event::Branch), runs(Event::Default));
    let push = match (branch, default, runs(Event::Tag)) {
        (Some(false), Some(false), Some(false)) => None,
        (Some(false), Some(false), _) => Some(PushFilter { branches: Vec::new(), tags_only: true }),
        (Some(false), ..) => Some(PushFilter { branches: vec!["$CI_DEFAULT_BRANCH".to_string()], tags_only: false }),
        _ => Some(PushFilter::default()),
    };
    Triggers {
        patch: jobs.iter().any(|job| job.on_patch != Some(false)),
        push,
        schedule: possible(Event::Schedule) && mentions(config, "schedule"),
        manual: true,
        called: false,
        other: false,
        unseen: PATCHES.into_iter().any(|event| pipeline_runs(config, event).is_none()),
    }
}

/// Whether some rule names a word: without one, a schedule is only a possibility of the server.
fn mentions(config: &Config<'_>, word: &str) -> bool {
    let workflow = config.global().get("workflow").get("rules").items();
    let jobs = config.visible().flat_map(|(name, _)| {
        let job = config.job(name);
        let only = job.get("only");
        [job.get("rules").items(), only.items(), only.get("refs").items()].concat()
    });
    workflow.into_iter().chain(jobs).any(|rule| {
        rule.str().or_else(|| rule.get("if")?.str()).is_some_and(|text| text.contains(word))
    })
}

fn pipeline_runs(config: &Config<'_>, event: Event) -> Option<bool> {
    let rules = config.global().get("workflow").get("rules");
    if rules.is_absent() {
        return Some(true);
    }
    decide(config, &rules.items(), &Layers { config, nodes: Vec::new() }, event)
}

fn job_runs(config: &Config<'_>, job: &Layers<'_, '_>, event: Event) -> Option<bool> {
    let rules = job.get("rules");
    if !rules.is_absent() {
        return decide(config, &rules.items(), job, event);
    }
    if job.get("when").str().is_some_and(|when| when == "manual" || when == "never") {
        return Some(false);
    }
    let (only, except) = (job.get("only"), job.get("except"));
    // Without a word about it, a job runs for branches and tags, not for merge requests.
    let wanted = if only.is_absent() { Some(event != Event::MergeRequest) } else { named(&only, event, true) };
    let unwanted = if except.is_absent() { Some(false) } else { named(&except, event, false) };
    both(wanted, unwanted.map(|unwanted| !unwanted))
}

/// The first rule that fits decides.
fn decide(config: &Config<'_>, rules: &[Node<'_>], job: &Layers<'_, '_>, event: Event) -> Option<bool> {
    let known = Known::new(&[job.get("variables"), config.global().get("variables")]);
    let literal = |name: &str| known.values(name).pop().map(|text| text.text).filter(|text| !text.contains('$'));
    let default = job.get("when").str();
    let (mut seen, mut hidden, mut blocked) = (false, false, false);
    for rule in rules {
        let fits = rule.get("if").and_then(Node::str).map_or(Some(true), |text| holds(text, event, &literal));
        if fits == Some(false) {
            continue;
        }
        let when = rule.get("when").and_then(Node::str).or(default);
        match (matches!(when, Some("never" | "manual")), fits.is_some() && !blocked) {
            (true, _) => blocked |= fits.is_none(),
            (false, true) => seen = true,
            (false, false) => hidden = true,
        }
        let filtered = rule.get("changes").is_some() || rule.get("exists").is_some();
        if fits == Some(true) && !filtered {
            break;
        }
    }
    if seen { Some(true) } else { (!hidden).then_some(false) }
}

/// Whether a list of `only` or `except` names the event.
fn named(list: &Layers<'_, '_>, event: Event, only: bool) -> Option<bool> {
    let refs = list.get("refs");
    let filtered = list.first().is_some_and(Node::is_map);
    if filtered && refs.is_absent() {
        // Filters alone: `only` narrows branches and tags, `except` takes away where they fit.
        return if only { Some(event != Event::MergeRequest) } else { None };
    }
    let items = if filtered { refs.items() } else { list.items() };
    let items = items.into_iter().filter_map(Node::str);
    let found = any(items.map(|word| names(word, event)));
    // A path or variable filter beside `except: refs` takes away only where it fits.
    let narrowed = filtered && !only && ["variables", "changes"].iter().any(|key| !list.get(key).is_absent());
    if narrowed && found == Some(true) { None } else { found }
}

fn names(word: &str, event: Event) -> Option<bool> {
    let branch = matches!(event, Event::Branch | Event::Default);
    match word {
        "merge_requests" => Some(event == Event::MergeRequest),
        "branches" => Some(branch || event == Event::Schedule),
        "tags" => Some(event == Event::Tag),
        "pushes" => Some(branch || event == Event::Tag),
        "schedules" => Some(event == Event::Schedule),
        "api" | "external" | "external_pull_requests" | "pipelines" | "triggers" | "web" | "chat" => Some(false),
        _ if word.starts_with('/') || word.contains('$') => if event == Event::MergeRequest { Some(false) } else { None },
        "main" | "master" => Some(matches!(event, Event::Default | Event::Schedule)),
        // Some branch with a name of its own.
        _ => Some(false),
    }
}

fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn any(all: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut found = Some(false);
    for next in all {
        match next {
            Some(true) => return Some(true),
            Some(false) => {}
            // Unknown here, and still true when another one is.
            None => found = None,
        }
    }
    found
}
