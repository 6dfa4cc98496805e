//! Where variables of workflows can be put in and cut out.

use super::reader::Reader;
use crate::formats::steps::moves;
use crate::syntax::tree::Node;

impl Reader<'_> {
    /// Notes where a step takes further variables.
    pub fn note_slot(&mut self, step: Node<'_>, key: &str) {
        moves::note_slot(self.facts, step, "env", &["run", "uses"], key);
        moves::note_lines(self.facts, step, "env", "env", &format!("{key}.env"));
        moves::note_lines(self.facts, step, "with", "with", &format!("{key}.with"));
    }

    /// Notes where a job takes further permissions.
    pub fn note_permissions(&mut self, job: Node<'_>, key: &str) {
        if job.path(&["permissions", "id-token"]).is_none() {
            moves::note_slot(self.facts, job, "permissions", &["steps"], key);
        }
    }

    /// Notes the lines of each variable of an `env` mapping, and those of the mapping as a whole.
    pub fn note_lines(&mut self, holder: Node<'_>, key: &str) {
        moves::note_lines(self.facts, holder, "env", "env", key);
    }
}
