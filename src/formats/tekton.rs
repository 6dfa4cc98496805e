//! Tekton: tasks, pipelines, runs and step actions (`tekton.dev`), and the runs inside of trigger templates. Knows no cluster.
//!
//! <https://tekton.dev/docs/pipelines/>. Parameters stand for their defaults, or for what the pipeline gives. A script without a first line
//! `#!` is read by `/bin/sh` with `set -e`; one with it by what it names, without flags:
//! <https://github.com/tektoncd/pipeline/blob/main/pkg/pod/script.go>. Tekton masks nothing. Runs that Pipelines as Code
//! starts say by annotations what for: <https://pipelinesascode.com/docs/guide/authoringprs/>.

mod refs;
mod starts;
mod task;
#[cfg(test)]
mod tests;

use super::objects::{self, Owner};
use super::steps::{Reader, Values};
use super::{Claim, Format};
use crate::model::dialect::{Dialect, Masks, Rewrites, SecretWords};
use crate::model::facts::Facts;
use crate::model::pipeline::{Job, Pipeline, Setting};
use crate::model::source::{Source, Sources};
use crate::model::span::Location;
use crate::syntax::tree::Node;
use crate::syntax::yaml;

/// The format.
pub static FORMAT: Format = Format { name: "tekton", claims, sniff, read };

/// How Tekton says things. <https://tekton.dev/docs/pipelines/tasks/>
pub static DIALECT: Dialect = Dialect {
    name: "Tekton",
    files: &["*.yaml with `apiVersion: tekton.dev/…`"],
    unread: &["tasks of the cluster, of hubs, bundles and other repositories", "event listeners and their bindings"],
    masks: Masks::Nothing,
    unseen_variables: false,
    present: &[],
    publishes: false,
    identity: "workload identity of the run's service account",
    file: "a volume of the secret, or a workspace that only the one step mounts (`steps[].workspaces`)",
    narrow: "`env` of the one step that needs it",
    report: "- name: environment\n  image: IMAGE_OF_YOUR_TESTS\n  script: pinguard env-report",
    keeps_report: "pytest --junitxml=$(workspaces.source.path)/junit.xml   # and a `finally` task that uploads it",
    keeps_on_success: true,
    bash: false,
    secrets: &SecretWords {
        pipeline: "the parameters of the pipeline",
        rewrites: &Rewrites { cloud: "spec:\n  serviceAccountName: NAME   # of the run; bound to a role of the cloud, not to a key", ..Rewrites::PLAIN },
        job: "`stepTemplate` of the task",
        steps: true,
        private: &["/tmp/", "/dev/shm/", "~/", "$HOME/", "${HOME}/", "/root/", "/run/", "/tekton/home/"],
        plain: "as a parameter, `$(params.NAME)`, or in a ConfigMap",
        unpasted: "give the name of a Secret instead, put it into `env` of the step (`valueFrom.secretKeyRef`) or mount it, and write `\"$NAME\"`",
        ..SecretWords::PLAIN
    },
};

fn claims(path: &str) -> Claim {
    let yaml = path.ends_with(".yaml") || path.ends_with(".yml");
    if yaml { Claim::Maybe } else { Claim::No }
}

fn sniff(text: &str) -> bool {
    objects::has(text, Owner::Tekton)
}

fn read(source: &Source, sources: &Sources, facts: &mut Facts) {
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    if tree.template.is_some() {
        return;
    }
    let mut objects: Vec<(String, Node)> = Vec::new();
    for root in tree.roots().filter(|root| objects::owner_of(*root) == Owner::Tekton) {
        if root.get("kind").and_then(Node::str) == Some("TriggerTemplate") {
            let all = root.path(&["spec", "resourcetemplates"]).into_iter().flat_map(Node::items).enumerate();
            objects.extend(all.map(|(index, inner)| (format!("spec.resourcetemplates[{index}]."), inner)));
        } else {
            objects.push((String::new(), root));
        }
    }
    let several = objects.len() > 1;
    let lone = objects.iter().all(|(_, object)| is_part(*object));
    let pipeline = Pipeline::new(&DIALECT, source.path.clone(), source.top());
    let mut file = File { reader: Reader::new(facts), sources, pipeline, elsewhere: Vec::new() };
    for (within, object) in objects {
        let name = object.path(&["metadata", "name"]).or_else(|| object.path(&["metadata", "generateName"]));
        let name = name.and_then(Node::str).unwrap_or("");
        let prefix = if several { format!("{name}.{within}") } else { within };
        file.object(object, name, &prefix);
    }
    let File { mut pipeline, elsewhere, .. } = file;
    // Something starts it; what, no file of it says.
    pipeline.triggers.called = lone;
    if let Some((_, at)) = elsewhere.first() {
        let names: Vec<&str> = elsewhere.iter().map(|(name, _)| name.as_str()).collect();
        pipeline.unseen.push((format!("{} lies in the cluster or elsewhere", names.join(", ")), *at));
    }
    facts.pipelines.push(pipeline);
}

/// Whether an object is a part that pipelines and runs use: by itself it starts nothing.
fn is_part(object: Node) -> bool {
    matches!(object.get("kind").and_then(Node::str), Some("Task" | "ClusterTask" | "StepAction"))
}

/// What is read of one file.
struct File<'f, 's> {
    reader: Reader<'f>,
    sources: &'s Sources,
    pipeline: Pipeline,
    /// Tasks and pipelines that are named and cannot be read.
    elsewhere: Vec<(String, Location)>,
}

impl File<'_, '_> {
    fn object(&mut self, object: Node, name: &str, prefix: &str) {
        starts::read(object, self);
        let Some(spec) = object.get("spec") else { return };
        let at = object.path(&["metadata", "name"]).unwrap_or(object).at();
        let spec_key = format!("{prefix}spec");
        let values = Values::default();
        match object.get("kind").and_then(Node::str) {
            Some("Task" | "ClusterTask") => {
                let mut job = Job::new(name, &spec_key, at);
                self.task(spec, &spec_key, &values, &mut job);
                self.pipeline.jobs.push(job);
            }
            Some("StepAction") => {
                let mut job = Job::new(name, &spec_key, at);
                let values = task::with_params(spec, &values);
                self.step(spec, name, &spec_key, &values, &mut job);
                self.pipeline.jobs.push(job);
            }
            Some("Pipeline") => self.tasks(spec, &spec_key, &values),
            Some("PipelineRun") => self.run(spec, &spec_key),
            Some("TaskRun") => {
                let mut job = Job::new(name, &spec_key, at);
                let values = task::given(spec, &values);
                job.timeout = starts::timeout(spec.get("timeout"));
                self.task_or_ref(spec, &spec_key, &values, &mut job);
                self.pipeline.jobs.push(job);
            }
            _ => {}
        }
    }

    fn run(&mut self, spec: Node, key: &str) {
        let limit = spec.path(&["timeouts", "pipeline"]).or_else(|| spec.get("timeout"));
        let timeout = starts::timeout(limit);
        let first = self.pipeline.jobs.len();
        if let Some(inner) = spec.get("pipelineSpec") {
            self.tasks(inner, &format!("{key}.pipelineSpec"), &task::given(spec, &Values::default()));
        }
        if let Some(reference) = spec.get("pipelineRef") {
            self.reference(reference, "pipeline", &format!("{key}.pipelineRef"), &task::given(spec, &Values::default()));
        }
        for job in &mut self.pipeline.jobs[first..] {
            if job.timeout == Setting::Absent {
                job.timeout = timeout.clone();
            }
        }
    }

    /// `tasks` and `finally` of a pipeline: each is a job.
    fn tasks(&mut self, spec: Node, key: &str, outer: &Values) {
        let values = task::with_params(spec, outer);
        for list in ["tasks", "finally"] {
            for (index, node) in spec.get(list).into_iter().flat_map(Node::items).enumerate() {
                let key = format!("{key}.{list}[{index}]");
                let name = node.get("name").and_then(Node::str).unwrap_or("");
                let mut job = Job::new(name, &key, node.get("name").unwrap_or(node).at());
                let inner = task::with_matrix(node, &task::given(node, &values), &mut job);
                let needs = node.get("runAfter").into_iter().flat_map(Node::list).filter_map(Node::str);
                job.needs = needs.map(str::to_string).collect();
                job.timeout = starts::timeout(node.get("timeout"));
                job.tolerated = match node.get("onError").map(|node| (node.str(), node.at())) {
                    Some((Some("continue"), at)) => Setting::Plain(true, at),
                    _ => Setting::Absent,
                };
                job.retry = match node.get("retries") {
                    None => Setting::Absent,
                    Some(node) => node.str().and_then(|text| text.parse().ok()).map_or(Setting::Computed(node.at()), |times| {
                        Setting::Plain(times, node.at())
                    }),
                };
                self.task_or_ref(node, &key, &inner, &mut job);
                self.pipeline.jobs.push(job);
            }
        }
    }

    /// `taskSpec` inline, or `taskRef`.
    fn task_or_ref(&mut self, node: Node, key: &str, values: &Values, job: &mut Job) {
        if let Some(spec) = node.get("taskSpec") {
            self.task(spec, &format!("{key}.taskSpec"), values, job);
        }
        if let Some(reference) = node.get("taskRef") {
            job.calls = self.reference(reference, "task", &format!("{key}.taskRef"), values);
        }
    }
}
