//! Workflows: which job runs with which arguments, when, and with which contexts.

use super::config::Config;
use crate::model::pipeline::{Job, PushFilter, Triggers};
use crate::model::span::Location;
use crate::syntax::tree::Node;

/// How many legs of one matrix are made.
const MAX_LEGS: usize = 64;

/// Keys of an entry that are no arguments.
const OWN: [&str; 13] = [
    "name", "context", "contexts", "requires", "filters", "type", "matrix", "pre-steps", "post-steps", "serial-group",
    "override-with", "max_auto_reruns", "branches",
];

/// One entry of `workflows.W.jobs`.
pub struct Invocation<'t> {
    pub job: &'t str,
    pub at: Location,
    pub key: String,
    pub arguments: Vec<(&'t str, Node<'t>)>,
    /// Legs of the matrix; one without names when there is none.
    pub legs: Vec<Vec<(&'t str, Node<'t>)>>,
    /// Contexts by name, with place and key.
    pub contexts: Vec<(String, Location, String)>,
    pub requires: Vec<String>,
    pub on_patch: Option<bool>,
    /// Steps before and after those of the job, with their keys.
    pub extra: Vec<(Node<'t>, String)>,
    /// How often a failed job is run again by itself.
    pub reruns: Option<(u32, Location)>,
}

/// What all workflows run. A configuration without workflows runs the job `build`.
pub fn invocations<'t>(config: &Config<'t>) -> Vec<Invocation<'t>> {
    let mut all = Vec::new();
    let Some(workflows) = config.root.get("workflows") else {
        let build = config.root.get("jobs").into_iter().flat_map(Node::entries).find(|(name, _)| name.str() == Some("build"));
        all.extend(build.map(|(name, node)| Invocation { on_patch: branches(node.get("branches")), ..bare("build", name.at(), "jobs.build") }));
        return all;
    };
    for (name, workflow) in workflows.entries() {
        let Some(name) = name.str() else { continue };
        let runs = workflow_on_patch(workflow);
        for (index, entry) in workflow.get("jobs").into_iter().flat_map(Node::items).enumerate() {
            let key = format!("workflows.{name}.jobs[{index}]");
            all.extend(invocation(entry, &key, runs, workflow));
        }
    }
    all
}

fn bare<'t>(job: &'t str, at: Location, key: &str) -> Invocation<'t> {
    Invocation {
        job,
        at,
        key: key.to_string(),
        arguments: Vec::new(),
        legs: vec![Vec::new()],
        contexts: Vec::new(),
        requires: Vec::new(),
        on_patch: Some(true),
        extra: Vec::new(),
        reruns: None,
    }
}

fn invocation<'t>(entry: Node<'t>, key: &str, runs: Option<bool>, workflow: Node<'t>) -> Option<Invocation<'t>> {
    let reruns = workflow.get("max_auto_reruns").and_then(|node| Some((node.str()?.parse().ok()?, node.at())));
    if let Some(name) = entry.str() {
        return Some(Invocation { on_patch: runs, reruns, ..bare(name, entry.at(), key) });
    }
    let (name, node) = entry.entries().next()?;
    // An approval waits for a person and runs nothing.
    if node.get("type").and_then(Node::str).is_some_and(|kind| matches!(kind, "approval" | "no-op")) {
        return None;
    }
    let name_text = name.str()?;
    let mut one = bare(name_text, name.at(), &format!("{key}.{name_text}"));
    one.reruns = reruns;
    one.arguments = node.entries().filter_map(|(key, value)| Some((key.str()?, value))).filter(|(key, _)| !OWN.contains(key)).collect();
    one.legs = legs(node.get("matrix"));
    let contexts = node.get("context").or_else(|| node.get("contexts"));
    for (index, context) in contexts.into_iter().flat_map(Node::list).enumerate() {
        let listed = contexts.is_some_and(Node::is_seq);
        let place = if listed { format!("{}.context[{index}]", one.key) } else { format!("{}.context", one.key) };
        one.contexts.extend(context.str().filter(|name| *name != "org-global").map(|name| (name.to_string(), context.at(), place)));
    }
    let requires = node.get("requires").into_iter().flat_map(Node::items);
    let required = |node: Node<'t>| node.str().or_else(|| node.entries().next()?.0.str()).map(str::to_string);
    one.requires = requires.filter_map(required).collect();
    one.on_patch = match (runs, branches(node.path(&["filters", "branches"]))) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    for part in ["pre-steps", "post-steps"] {
        one.extra.extend(node.get(part).map(|steps| (steps, format!("{}.{part}", one.key))));
    }
    Some(one)
}

/// Whether a workflow as a whole starts for a proposed patch: not when it is scheduled, and nobody knows where parameters decide.
fn workflow_on_patch(workflow: Node<'_>) -> Option<bool> {
    if workflow.get("triggers").is_some_and(|triggers| triggers.items().any(|one| one.get("schedule").is_some())) {
        return Some(false);
    }
    let decided = workflow.get("when").is_some_and(|when| when.bool() != Some(true)) || workflow.get("unless").is_some();
    if decided { None } else { Some(true) }
}

/// Whether `filters: branches` lets the branch of a patch through.
fn branches(filter: Option<Node<'_>>) -> Option<bool> {
    let Some(filter) = filter.filter(|filter| filter.is_map()) else { return Some(true) };
    let everything = |pattern: &str| matches!(pattern, "/.*/" | "/^.*$/" | "/^.*/" | "/.+/");
    if let Some(ignored) = filter.get("ignore") {
        return Some(!ignored.list().filter_map(Node::str).any(everything));
    }
    let only: Vec<&str> = filter.get("only").into_iter().flat_map(Node::list).filter_map(Node::str).collect();
    if only.is_empty() || only.iter().any(|pattern| everything(pattern)) {
        return Some(true);
    }
    // A pattern may be that of branches of patches; names alone are branches that patches go into.
    let pattern = only.iter().any(|pattern| pattern.starts_with('/'));
    if pattern { None } else { Some(false) }
}

/// `matrix`: every combination of its parameters but the excluded ones.
fn legs<'t>(matrix: Option<Node<'t>>) -> Vec<Vec<(&'t str, Node<'t>)>> {
    let mut legs: Vec<Vec<(&str, Node)>> = vec![Vec::new()];
    let Some(matrix) = matrix else { return legs };
    for (name, values) in matrix.get("parameters").into_iter().flat_map(Node::entries) {
        let Some(name) = name.str() else { continue };
        let values: Vec<Node> = values.items().collect();
        // An expression decides: the axis stays unknown.
        if values.is_empty() {
            continue;
        }
        let longer = |leg: Vec<(&'t str, Node<'t>)>| {
            values.clone().into_iter().map(move |value| [leg.as_slice(), &[(name, value)]].concat())
        };
        legs = legs.into_iter().flat_map(longer).take(MAX_LEGS).collect();
    }
    let excluded: Vec<Node> = matrix.get("exclude").into_iter().flat_map(Node::items).collect();
    let fits = |leg: &[(&str, Node)], rule: &Node| {
        rule.entries().all(|(key, value)| leg.iter().any(|(name, node)| key.str() == Some(name) && node.str() == value.str()))
    };
    legs.retain(|leg| !excluded.iter().any(|rule| fits(leg, rule)));
    legs
}

/// What starts the pipeline: pushes, and schedules where a workflow has one.
pub fn triggers(root: Node<'_>, jobs: &[Job]) -> Triggers {
    let workflows: Vec<Node> = root.get("workflows").into_iter().flat_map(Node::entries).map(|(_, node)| node).collect();
    let scheduled = |workflow: &Node| workflow.get("triggers").is_some();
    let only_scheduled = !workflows.is_empty() && workflows.iter().filter(|node| node.is_map()).all(scheduled);
    Triggers {
        patch: jobs.iter().any(|job| job.on_patch != Some(false)),
        push: (!only_scheduled).then(PushFilter::default),
        schedule: workflows.iter().any(scheduled),
        manual: true,
        ..Triggers::default()
    }
}
