//! Workflows that others of the repository call: what starts the callers starts them. Looks at nothing outside of the repository.
//!
//! Source: GitHub's "Reuse workflows": a called workflow runs on the event of its caller.

use crate::model::facts::Facts;
use crate::model::pipeline::{Pipeline, PushFilter};
use crate::model::reference::Origin;
use crate::model::source::Sources;

/// GitHub stops at ten levels of workflows.
const MAX_DEPTH: usize = 10;

/// What starts a pipeline.
#[derive(Clone)]
struct Start {
    /// A proposed patch; `None`: it cannot be told.
    patch: Option<bool>,
    push: Option<PushFilter>,
}

/// A job that calls a workflow.
struct Call<'f> {
    caller: &'f Pipeline,
    callee: &'f str,
    on_patch: Option<bool>,
}

/// Gives each called workflow what starts its callers. One that nobody calls stays as it is: other repositories may.
pub fn started_by_callers(sources: &Sources, facts: &mut [Facts]) {
    let starts: Vec<(usize, usize, Start)> = {
        let calls = calls(facts);
        let all = facts.iter().enumerate().flat_map(|(at, facts)| {
            facts.pipelines.iter().enumerate().map(move |(index, pipeline)| (at, index, pipeline))
        });
        let called = all.filter(|(_, _, pipeline)| pipeline.triggers.called && !pipeline.triggers.patch);
        called.map(|(at, index, pipeline)| (at, index, start(sources, &calls, pipeline, 0))).collect()
    };
    for (at, index, start) in starts {
        let pipeline = &mut facts[at].pipelines[index];
        pipeline.triggers.patch = start.patch == Some(true);
        if pipeline.triggers.push.is_none() {
            pipeline.triggers.push = start.push;
        }
        for job in pipeline.jobs.iter_mut().filter(|_| start.patch == Some(false)) {
            job.on_patch = job.on_patch.or(Some(false));
        }
    }
}

fn calls(facts: &[Facts]) -> Vec<Call<'_>> {
    let mut calls = Vec::new();
    for facts in facts {
        for caller in &facts.pipelines {
            for job in &caller.jobs {
                let Some(id) = job.calls else { continue };
                let Origin::Path(path) = &facts.references[id.index as usize].origin else { continue };
                let callee = path.strip_prefix("./").unwrap_or(path);
                calls.push(Call { caller, callee, on_patch: job.on_patch });
            }
        }
    }
    calls
}

fn start(sources: &Sources, calls: &[Call<'_>], pipeline: &Pipeline, depth: usize) -> Start {
    let triggers = &pipeline.triggers;
    let own = Start { patch: Some(triggers.patch), push: triggers.push.clone() };
    if triggers.patch || !triggers.called {
        return Start { patch: own.patch.filter(|patch| *patch || !triggers.unseen), ..own };
    }
    let path = sources.get(pipeline.at.source).path.as_str();
    let callers: Vec<&Call> = calls.iter().filter(|call| call.callee == path).collect();
    if callers.is_empty() || depth >= MAX_DEPTH {
        return Start { patch: None, ..own };
    }
    let mut patch = Some(false);
    let mut push = own.push;
    for call in callers {
        let of_caller = start(sources, calls, call.caller, depth + 1);
        let by_patch = if call.on_patch == Some(false) { Some(false) } else { of_caller.patch };
        patch = match (patch, by_patch) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (None, _) | (_, None) => None,
            _ => Some(false),
        };
        push = push.or(of_caller.push);
    }
    Start { patch, push }
}

#[cfg(test)]
mod tests {
    use crate::check;
    use crate::model::check::is_on_patch;
    use crate::model::policy::Policy;
    use crate::model::project::Project;
    use crate::model::source::Sources;

    const CALLED: &str =
        "on: workflow_call\njobs:\n  t:\n    runs-on: ubuntu-24.04\n    steps: [{run: pip install -U tox}]\n";

    fn project(files: &[(&str, &str)]) -> Project {
        let mut sources = Sources::default();
        for (name, text) in files {
            sources.add(format!(".github/workflows/{name}.yml"), text.to_string());
        }
        check::read(sources, Vec::new(), Policy::default())
    }

    /// Whether patches start the jobs of `called.yml`, and whether the file says so of the whole.
    fn reached(callers: &[(&str, &str)]) -> (bool, bool) {
        let mut files = vec![("called", CALLED)];
        files.extend_from_slice(callers);
        let project = project(&files);
        let mut jobs =
            project.jobs().filter(|(pipeline, _)| pipeline.triggers.called && pipeline.name.ends_with("called.yml"));
        let (pipeline, job) = jobs.next().unwrap();
        (is_on_patch(pipeline, job), pipeline.triggers.patch)
    }

    #[test]
    fn a_called_workflow_starts_with_its_callers() {
        let on = |event: &str, more: &str| {
            format!("on: {event}\njobs:\n  c:\n    uses: ./.github/workflows/called.yml\n{more}")
        };
        let (patch, release, call) = (on("pull_request", ""), on("release", ""), on("workflow_call", ""));
        let not_there = on("[pull_request, push]", "    if: github.event_name == 'push'\n");
        let through = "on: pull_request\njobs: {d: {uses: ./.github/workflows/middle.yml}}\n";
        assert_eq!(reached(&[]), (true, false), "by whom cannot be told");
        assert_eq!(reached(&[("a", &patch)]), (true, true));
        assert_eq!(reached(&[("a", &release)]), (false, false));
        assert_eq!(reached(&[("a", &release), ("b", &patch)]), (true, true));
        assert_eq!(reached(&[("a", &not_there)]), (false, false));
        assert_eq!(reached(&[("middle", &call), ("a", through)]), (true, true));
        assert_eq!(reached(&[("middle", &call)]), (true, false), "by whom cannot be told");
    }

    #[test]
    fn pushes_that_start_callers_count_where_no_patch_starts_anything() {
        let caller = "on: {push: {branches: [main]}}\njobs:\n  c:\n    uses: ./.github/workflows/called.yml\n";
        let project = project(&[("called", CALLED), ("a", caller)]);
        assert_eq!(project.gate_commands().len(), 1);
    }

    #[test]
    fn workflows_that_call_each_other_end() {
        let own = "on: workflow_call\njobs: {c: {uses: ./.github/workflows/called.yml}}\n";
        assert_eq!(project(&[("called", own)]).jobs().count(), 1);
    }
}
