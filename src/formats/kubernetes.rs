//! Kubernetes manifests: the images of every container, in workloads of any kind. Knows no cluster and renders no template.
//!
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>; Argo's and Tekton's own kinds hold containers too.

use super::objects::{self, Owner};
use super::{Claim, Format};
use crate::ecosystems::oci;
use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::facts::{Facts, ProblemKind};
use crate::model::pipeline::{Assignment, Scope, Value};
use crate::model::reference::Role;
use crate::model::secrets::handed;
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, Span};
use crate::syntax::tree::{Node, looks_like_template};
use crate::syntax::yaml;
use std::collections::HashSet;

/// The format.
pub static FORMAT: Format = Format { name: "kubernetes", claims, sniff, read };

fn claims(path: &str) -> Claim {
    let yaml = path.ends_with(".yaml") || path.ends_with(".yml");
    if yaml { Claim::Maybe } else { Claim::No }
}

/// Both keys stand at the beginning of a line, as in every object of the interface (also after `- ` in a list).
fn sniff(text: &str) -> bool {
    let has = |key: &str| {
        text.match_indices(key).any(|(at, _)| at == 0 || matches!(text.as_bytes()[at - 1], b'\n' | b' ' | b'"' | b'\xbf'))
    };
    has("apiVersion:") && has("kind:")
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    if let Some(at) = chart_template(source) {
        if may_run_images(&source.text) {
            facts.problem(ProblemKind::Template, at, TEMPLATE);
        }
        return;
    }
    let tree = yaml::parse(source.id, &source.text);
    tree.report(facts);
    if tree.template.is_some() {
        return;
    }
    let mut seen = HashSet::new();
    for root in tree.roots().filter(|root| objects::owner_of(*root) == Owner::Cluster) {
        read_object(root, &mut seen, facts);
    }
}

const TEMPLATE: &str = "this is a template, which cannot be read before it is rendered: its images are not checked; \
                        check what it renders to, or pin the images where its values are set";

/// Where a file of a chart's `templates` folder holds template syntax; such a file may parse by luck and still say nothing.
fn chart_template(source: &Source) -> Option<Location> {
    let in_chart = source.path.split('/').any(|part| part == "templates");
    let at = looks_like_template(&source.text).filter(|_| in_chart)?;
    Some(Location::new(source.id, Span::new(at, at + 2)))
}

/// Kinds of objects that run nothing: what a template makes of them holds no image.
const IDLE: &[&str] = &[
    "APIService",
    "Certificate",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "Gateway",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Issuer",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "PodMonitor",
    "PriorityClass",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Route",
    "Secret",
    "Service",
    "ServiceAccount",
    "ServiceMonitor",
    "StorageClass",
];

/// Whether what a template makes can hold images: one of its objects is of a kind that may run something.
fn may_run_images(text: &str) -> bool {
    let kinds = text.lines().filter_map(|line| line.strip_prefix("kind:").or_else(|| line.strip_prefix("- kind:")));
    let mut kinds = kinds.map(|kind| kind.split('#').next().unwrap_or("").trim().trim_matches(['"', '\''])).peekable();
    text.contains("ontainers:") || kinds.peek().is_none() || kinds.any(|kind| !IDLE.contains(&kind))
}

fn read_object(object: Node, seen: &mut HashSet<Location>, facts: &mut Facts) {
    let kind = object.get("kind").and_then(Node::str).unwrap_or("");
    if kind == "CustomResourceDefinition" || object.get("apiVersion").is_none() {
        return;
    }
    let name = object.path(&["metadata", "name"]).and_then(Node::str).unwrap_or("");
    let mut walk = Walk { key: format!("{kind}.{name}"), seen, facts };
    walk.search(object);
}

struct Walk<'w> {
    /// Kind and name of the object.
    key: String,
    seen: &'w mut HashSet<Location>,
    facts: &'w mut Facts,
}

/// Keys with a list of containers.
const LISTS: [&str; 6] = ["containers", "initContainers", "ephemeralContainers", "sidecars", "steps", "initContainerTemplates"];
/// Keys with one container: Argo's templates, Tekton's step template.
const SINGLE: [&str; 4] = ["container", "script", "sidecar", "stepTemplate"];

impl Walk<'_> {
    /// Looks for containers in the whole object, in the order of the text.
    fn search(&mut self, object: Node) {
        let mut waiting = vec![object];
        while let Some(node) = waiting.pop() {
            let start = waiting.len();
            for (key, value) in node.entries() {
                match key.str() {
                    // A list of objects: each has its own name.
                    Some("items") if node.get("kind").and_then(Node::str) == Some("List") => {
                        value.items().for_each(|item| read_object(item, self.seen, self.facts));
                    }
                    Some(key) if LISTS.contains(&key) => {
                        value.items().for_each(|item| self.container(item, key));
                        waiting.extend(value.items());
                    }
                    // Custom kinds name theirs so: `migrationContainerSpec`, `mainContainer`.
                    Some(key) if SINGLE.contains(&key) || key.ends_with("Container") || key.ends_with("ContainerSpec") => {
                        self.container(value, key);
                        waiting.push(value);
                    }
                    _ => waiting.push(value),
                }
            }
            waiting.extend(node.items());
            waiting[start..].reverse();
        }
    }

    /// `env` and `envFrom`: literals, single keys of secrets, whole secrets.
    fn environment(&mut self, container: Node, name: &str, key: &str) {
        let mut assignments = Vec::new();
        for entry in container.get("env").into_iter().flat_map(Node::items) {
            let Some(variable) = entry.get("name").and_then(Node::str) else { continue };
            let secret = entry.path(&["valueFrom", "secretKeyRef"]);
            let (value, at) = match (secret, entry.get("value").filter(|value| value.is_scalar())) {
                (Some(secret), _) => {
                    let whose = secret.get("name").and_then(Node::str).unwrap_or("");
                    let which = secret.get("key").and_then(Node::str).unwrap_or("");
                    (Value::Secret { names: vec![format!("{whose}/{which}")], whole: true, derived: false }, secret.at())
                }
                (None, Some(value)) => (Value::Literal(value.str().unwrap_or("").to_string()), value.at()),
                _ => continue,
            };
            let key = format!("{key}.env.{variable}");
            assignments.push(Assignment { name: variable.to_string(), value, scope: Scope::Container, at, key });
        }
        for (index, entry) in container.get("envFrom").into_iter().flat_map(Node::items).enumerate() {
            let Some(secret) = entry.path(&["secretRef", "name"]) else { continue };
            let (name, key) = (secret.str().unwrap_or("").to_string(), format!("{key}.envFrom[{index}]"));
            assignments.push(Assignment { name, value: handed::set("*"), scope: Scope::Container, at: secret.at(), key });
        }
        if !assignments.is_empty() && self.seen.insert(container.whole()) {
            let (kind, name) = (EnvironmentKind::Kubernetes, name.to_string());
            self.facts.environments.push(Environment { kind, name, at: container.at(), assignments });
        }
    }

    fn container(&mut self, container: Node, list: &str) {
        let Some(image) = container.get("image") else { return };
        // `image: {{ .Values.image }}` is valid YAML: a mapping in a mapping.
        if image.is_map() {
            let said = self.facts.problems.iter().any(|problem| problem.kind == ProblemKind::Template);
            if !said {
                self.facts.problem(ProblemKind::Template, image.at(), TEMPLATE);
            }
            return;
        }
        let name = container.get("name").and_then(Node::str).unwrap_or("");
        self.environment(container, name, &format!("{}.{list}.{name}", self.key));
        let key = format!("{}.{list}.{name}.image", self.key);
        let reference = image.text().and_then(|text| oci::image(&text, Role::Container, &key));
        if let Some(reference) = reference.filter(|reference| self.seen.insert(reference.site.whole)) {
            self.facts.push(reference);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{facts_of, names};

    #[test]
    fn containers_of_any_workload_are_found() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      initContainers:\n      - name: i\n        \
                    image: busybox\n      containers:\n      - name: a\n        image: 'nginx:1.25'\n        env: [{name: image, value: x}]\n---\n\
                    apiVersion: v1\nkind: List\nitems:\n- {apiVersion: x.io/v1, kind: Own, spec: {jobContainerSpec: {image: own}}}\n- apiVersion: batch/v1\n  kind: CronJob\n  metadata: {name: c}\n  spec: {jobTemplate: {spec: {template: \
                    {spec: {containers: [{name: b, image: 'a.b/c:1'}]}}}}}\n";
        let facts = facts_of(&FORMAT, "k8s/all.yaml", text);
        assert_eq!(names(&facts), ["busybox", "nginx:1.25", "own", "a.b/c:1"]);
        assert_eq!(facts.references[1].key, "Deployment.web.containers.a.image");
        assert_eq!(facts.references[3].key, "CronJob.c.containers.b.image");
        assert!(facts.problems.is_empty());
    }

    #[test]
    fn templates_are_said_once() {
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {{ .Values.image }}\n  - image: {{ .x }}\n";
        for path in ["chart/templates/pod.yaml", "pod.yaml"] {
            let facts = facts_of(&FORMAT, path, text);
            assert_eq!(facts.problems.len(), 1, "{:?}", facts.problems);
            assert_eq!(facts.problems[0].kind, ProblemKind::Template);
        }
    }

    #[test]
    fn templates_of_what_runs_nothing_are_not_said() {
        let read = |text: &str| facts_of(&FORMAT, "chart/templates/x.yaml", text).problems.len();
        let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n";
        assert_eq!(read(service), 0);
        assert_eq!(read(&format!("{service}---\napiVersion: v1\nkind: {{{{ .Values.kind }}}}\n")), 1);
        assert_eq!(read(&format!("{service}---\napiVersion: apps/v1\nkind: Deployment # x\nspec: {{{{ .x }}}}\n")), 1);
        assert_eq!(read("{{- if .x }}\n  apiVersion: v1\n  kind: Pod\n{{- end }}\n"), 1);
    }

    #[test]
    fn only_objects_are_wanted() {
        assert!(sniff("# x\napiVersion: v1\nkind: Pod\n"));
        assert!(!sniff("on: push\n# apiVersion and kind: no\n"));
    }
}
