//! # What it finds
//!
//! Requirements files that CI installs in which every version is exact and nothing has a hash.
//!
//! # Why
//!
//! An exact version says which release, a hash says which bytes. Hashes guard against an index, a mirror or an account that serves
//! something else under the same name. They do not guard against drift: exact versions do that already.
//!
//! # What is not a finding
//!
//! Files with loose versions (see `req-unpinned`), files with some hashes (pip then asks for all), installs with `--no-index`, inputs.
//!
//! # What to do
//!
//! Compile with `--generate-hashes` (`uv pip compile --generate-hashes`, `pip-compile --generate-hashes`).
//!
//! # Levels
//!
//! `off`; `info` in `strict`, `warning` in `audit`.
//!
//! # Examples
//!
//! ```text requirements.txt bad
//! requests==2.32.3
//! ```
//!
//! ```text requirements.txt good
//! requests==2.32.3 \
//!     --hash=sha256:70761cfe03c773ceb22aa2f671b4757976145175cdfca038c02654d061d6dcc6
//! ```
//!
//! # Measured
//!
//! Profile `audit`: 32 findings in 14 repositories of 52; all read by eye, none false.

use crate::model::finding::Findings;
use crate::model::manifest::ManifestKind;
use crate::model::pin::Strength;
use crate::model::project::Project;
use crate::model::reference::{Origin, Reference};
use crate::model::rule::Level::{Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "req-no-hashes",
    group: Group::Requirement,
    summary: "exact versions that CI installs have no hashes",
    levels: &[("file", levels(Off, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for manifest in project.manifests().filter(|manifest| manifest.kind == ManifestKind::Requirements) {
        let source = manifest.at.source;
        let installs: Vec<_> = project.gate.installs.iter().filter(|install| install.files.contains(&source)).collect();
        let guarded = !installs.is_empty() && installs.iter().all(|install| install.install.no_index);
        let constrains_only =
            installs.is_empty() && project.gate.installs.iter().any(|install| install.constraints.contains(&source));
        if !project.judged(source) || guarded || constrains_only {
            continue;
        }
        let entries: Vec<&Reference> =
            project.entries_of(manifest).filter(|reference| reference.origin == Origin::Registry).collect();
        let exact = entries.iter().all(|reference| reference.strength == Some(Strength::Exact));
        let Some(first) = entries.first().filter(|_| exact) else { continue };
        let path = project.path(manifest.at);
        let number = if entries.len() == 1 { "1 exact version".to_string() } else { format!("{} exact versions", entries.len()) };
        let message = format!("`{path}` has {number} and no hashes; an index could serve other bytes under the same name");
        let help = "compile it with `--generate-hashes`; this guards integrity, the versions guard against drift already";
        let finding = Findings::finding(&RULE, "file", first.site.whole, message);
        findings.push(finding.help(help).about("requirements", ""));
    }
}
