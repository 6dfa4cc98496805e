//! Which format reads which object of a file of a cluster: Tekton's, Argo's, or anything else. Is no format itself and claims no file.
//!
//! Objects of several kinds may stand in one file, as documents; each is read as what it is.

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
