//! Where variables of workflows can be put in and cut out. Only secrets are ever moved, so nothing is noted of a file that names none.

use super::reader::Reader;
use crate::formats::steps::moves;
use crate::syntax::tree::Node;
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// What stands in every expression that gives a secret: `secrets.X`, `secrets: inherit`, `github.token`, `github['token']`.
static SECRETS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = ["secrets", ".token", "'token'"];
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("three short words")
});

/// Whether a text can name a secret.
pub fn names_a_secret(text: &str) -> bool {
    SECRETS.is_match(text)
}

impl Reader<'_> {
    /// Notes where a step takes further variables.
    pub fn note_slot(&mut self, step: Node<'_>, key: &str) {
        if !self.has_secrets {
            return;
        }
        moves::note_slot(self.facts, step, "env", &["run", "uses"], key);
        moves::note_lines(self.facts, step, "env", "env", &format!("{key}.env"));
        moves::note_lines(self.facts, step, "with", "with", &format!("{key}.with"));
    }

    /// Notes where a job takes further permissions.
    pub fn note_permissions(&mut self, job: Node<'_>, key: &str) {
        if self.has_secrets && job.path(&["permissions", "id-token"]).is_none() {
            moves::note_slot(self.facts, job, "permissions", &["steps"], key);
        }
    }

    /// Notes the lines of each variable of an `env` mapping, and those of the mapping as a whole.
    pub fn note_lines(&mut self, holder: Node<'_>, key: &str) {
        if self.has_secrets {
            moves::note_lines(self.facts, holder, "env", "env", key);
        }
    }
}
