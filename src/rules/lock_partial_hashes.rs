//! # What it finds
//!
//! A requirements file in which some requirements have a `--hash` and others have none.
//!
//! # Why
//!
//! pip takes one hash as a demand for all and refuses the file; `uv pip` without `--require-hashes` installs the bare lines unchecked. Taking
//! one hash out is how a line is exchanged unseen.
//!
//! # What is not a finding
//!
//! Files without any hash (see `req-no-hashes`); paths in the tree.
//!
//! # What to do
//!
//! Compile the file again with `--generate-hashes`. `--fix` resolves a file that is written by hand, and adds the hashes that the index
//! publishes, in the form of the other lines.
//!
//! # Levels
//!
//! `error`.
//!
//! # Examples
//!
//! ```text requirements.txt bad default
//! idna==3.10 \
//!     --hash=sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3
//! six==1.17.0
//! ```
//!
//! ```text requirements.txt good
//! idna==3.10 \
//!     --hash=sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories. The edits of `fixtures/locks/tampered.json` are found, near misses are in the ledger.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::finding::Remedy;
use crate::model::pin::Strength;
use crate::model::rule::Level::{Error};
use crate::model::rule::{Group, Rule, levels};
use crate::model::locked::several;
use crate::model::manifest::ManifestKind;
use crate::model::reference::{Origin, Reference};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-partial-hashes",
    group: Group::Lock,
    summary: "only some lines of a requirements file have hashes",
    levels: &[("file", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

/// Lines that are named one by one, and fixed in one go.
const MOST: usize = 100;

fn check(project: &Project, findings: &mut Findings) {
    let files = [ManifestKind::Requirements, ManifestKind::RequirementsInput, ManifestKind::Constraints];
    for manifest in project.manifests().filter(|manifest| files.contains(&manifest.kind)) {
        let fetched = |reference: &&Reference| matches!(reference.origin, Origin::Registry | Origin::Url(_));
        let (hashed, bare): (Vec<&Reference>, Vec<&Reference>) =
            project.entries_of(manifest).filter(fetched).partition(|reference| !reference.pin.digests.is_empty());
        let (Some(first), false) = (bare.first(), hashed.is_empty()) else { continue };
        let names: Vec<&str> = bare.iter().map(|reference| reference.subject.name.as_str()).collect();
        let message = format!(
            "{} of {} requirements in `{}` have hashes, {} have none: pip refuses the file, and `uv pip` installs those unchecked",
            hashed.len(), hashed.len() + bare.len(), project.path(manifest.at), several(&names)
        );
        let mut finding = Findings::finding(&RULE, "file", first.site.whole, message);
        let fixable = manifest.compiled.is_none() && bare.iter().all(|reference| reference.site.digest.is_some());
        let id = manifest.entries.iter().map(|entry| entry.reference).find(|id| project.reference(*id).site.whole == first.site.whole);
        if let Some(reference) = id.filter(|_| fixable) {
            finding = finding.remedy(Remedy::Tighten { reference, to: Strength::Immutable });
        }
        for reference in bare.iter().skip(1).take(MOST) {
            finding = finding.label(reference.site.whole, "no hash here either");
        }
        findings.push(finding.help("compile the file again with `--generate-hashes`").about("hashes", ""));
    }
}
