//! Which format reads which object of a file of a cluster: Tekton's, Argo's, or anything else. Is no format itself and claims no file.
//!
//! Objects of several kinds may stand in one file, as documents; each is read as what it is.

use crate::model::source::Sources;
use crate::syntax::tree::Node;

/// Who reads an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Tekton and its triggers.
    Tekton,
    /// Argo Workflows.
    Argo,
    /// What a cluster runs.
    Cluster,
}

/// Kinds of Argo that hold workflows; its other kinds are objects of a cluster.
const WORKFLOWS: [&str; 4] = ["Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"];

fn owner(version: &str, kind: &str) -> Owner {
    if version.starts_with("tekton.dev/") || version.starts_with("triggers.tekton.dev/") {
        Owner::Tekton
    } else if version.starts_with("argoproj.io/") && WORKFLOWS.contains(&kind) {
        Owner::Argo
    } else {
        Owner::Cluster
    }
}

/// Who reads a document.
pub fn owner_of(root: Node) -> Owner {
    let word = |key: &str| root.get(key).and_then(Node::str).unwrap_or("");
    owner(word("apiVersion"), word("kind"))
}

/// Whether some document of a text is of this owner. Looks at the beginnings of lines only.
pub fn has(text: &str, wanted: Owner) -> bool {
    let documents = text.split("\n---");
    let of = |document: &str| {
        let word = |key: &str| {
            let line = document.lines().find_map(|line| line.trim_start_matches('\u{feff}').strip_prefix(key))?;
            Some(line.split(" #").next().unwrap_or("").trim().trim_matches(['"', '\'']).to_string())
        };
        word("apiVersion:").map(|version| owner(&version, &word("kind:").unwrap_or_default()))
    };
    documents.filter_map(of).any(|owner| owner == wanted)
}

/// Whether some file of the repository that holds `group` (`tekton.dev/`) has an object of this name.
pub fn is_held(sources: &Sources, group: &'static str, name: &str) -> bool {
    let all = sources.holding(group);
    let mut files = all.iter().map(|&id| sources.get(id)).filter(|source| source.path.ends_with("ml"));
    files.any(|source| source.text.contains(name) && is_named(&source.text, name))
}

/// Whether an object of a text has this name: `name` between `metadata` and `spec`.
fn is_named(text: &str, name: &str) -> bool {
    let heads = text.match_indices("metadata:").map(|(at, _)| &text[at..]);
    let heads = heads.map(|rest| rest.split("spec:").next().unwrap_or(rest));
    let names = heads.flat_map(|head| head.split("name:").skip(1));
    names
        .map(|rest| rest.trim_start().split(['\n', ',', '}', ' ', '\r']).next().unwrap_or(""))
        .any(|word| word.trim_matches(['"', '\'']) == name)
}
