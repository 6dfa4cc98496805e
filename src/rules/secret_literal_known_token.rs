//! # What it finds
//!
//! A token whose shape says whose it is, written into a file that CI, an image build or an install reads: about a hundred kinds, from AWS
//! keys, GitHub and GitLab tokens, PyPI and npm tokens to web hooks, signed web tokens and private keys.
//!
//! # Why
//!
//! Everybody who can read the repository can use it, and it stays in the history when the line is gone.
//!
//! # What is not a finding
//!
//! - Commits, digests, hashes, `uses:`, lock files: no shape is made of plain hexadecimal digits.
//! - Samples of documentations (AWS's `…EXAMPLE`, Stripe's and jwt.io's, Google's sample keys), the keys of Azurite and Cosmos emulators,
//!   sequences and repetitions, texts of low entropy.
//! - Lines with `# example`, `# nosec`, `gitleaks:allow`, `pragma: allowlist secret`.
//! - Web tokens without a signature.
//!
//! # What to do
//!
//! Revoke it first; then keep its successor as a secret of the CI system and hand it over in the narrowest place. Removing the line alone
//! mends nothing. The report shows the kind, the length and the public beginning, never the token.
//!
//! # Levels
//!
//! `error`. `info` (`warning` in `audit`) for Stripe's test keys and for web tokens that have expired, live for less than a week, or are
//! made for every browser.
//!
//! # Examples
//!
//! ```yaml .github/workflows/ci.yml bad default
//! on: push
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - run: vault login -no-print hvs.dR8vKq2LxZt5WmYb3NcJp7Gs
//! ```
//!
//! ```yaml .github/workflows/ci.yml good
//! on: push
//! env:
//!   AWS_ACCESS_KEY_ID: AKIAIOSFODNN7EXAMPLE
//! jobs:
//!   a:
//!     runs-on: ubuntu-24.04
//!     steps:
//!       - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567
//!       - run: vault login -no-print hvs.aaaaaaaaaaaaaaaaaaaaaaaaaaaa
//!       - run: echo ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx npm_this_is_no_token_but_a_name
//! ```
//!
//! # Measured
//!
//! In 52 public repositories: no finding.

use crate::model::finding::{Findings, Remedy};
use crate::model::literal::shapes::{self, Found, Grade};
use crate::model::literal::sites::Literal;
use crate::model::literal::is_excused;
use crate::model::dialect::Dialect;
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::source::Source;
use crate::model::span::{Location, SourceId, Span};
use std::collections::HashSet;

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-literal-known-token",
    group: Group::Secret,
    summary: "a token is written into a file",
    levels: &[("token", levels(Error, Error, Error)), ("harmless", levels(Info, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    let mut tokens = Vec::new();
    for facts in &project.facts {
        let Some(source) = facts.source.filter(|_| !facts.format.is_empty() && facts.locks.is_empty()) else { continue };
        let source = project.source(source);
        for found in shapes::find(&source.text) {
            if excused(source, &found) {
                continue;
            }
            tokens.push((Location::new(source.id, Span::new(found.start, found.end)), found));
        }
    }
    if tokens.is_empty() {
        return;
    }
    // Texts of sources without a token need not be kept.
    let sources: HashSet<SourceId> = tokens.iter().map(|(at, _)| at.source).collect();
    let literals = project.literals(&|_, at| sources.contains(&at.source));
    for (at, found) in &tokens {
        let holder = literals.iter().find(|literal| literal.covers(*at));
        report(project.source(at.source), *at, found, holder, findings);
    }
}

fn excused(source: &Source, found: &Found) -> bool {
    let (first, last) = (source.line_of(found.start as u32), source.line_of(found.end as u32));
    is_excused(source.line_text(first)) || is_excused(source.line_text(last))
}

fn report(source: &Source, at: Location, found: &Found, holder: Option<&Literal>, findings: &mut Findings) {
    let Found { kind, lead, .. } = found;
    let len = at.span.len();
    let shown = if lead.is_empty() { String::new() } else { format!("`{lead}…`, ") };
    let place = match holder {
        Some(literal) => format!("`{}`", literal.name),
        None => format!("`{}`", source.file_name()),
    };
    let (site, fact) = match found.grade {
        Grade::Live => ("token", "whoever can read the repository can use it, and so can everybody who reads its history"),
        Grade::Harmless => ("harmless", "it opens little, yet it is written down for everybody"),
    };
    let article = if kind.starts_with(['A', 'a', 'O', 'E', 'n', 'N']) && !kind.starts_with("Ne") && !kind.starts_with("No") { "an" } else { "a" };
    let message = format!("looks like {article} {kind} ({shown}{len} characters) in {place}; {fact}");
    let file = holder.and_then(|literal| literal.system).map_or("a secret of the system that runs it".to_string(), home);
    let guide = format!("revoke it first: it stays in the history. Then keep its successor as {file}");
    let key = holder.map_or("", |literal| literal.key.as_str());
    let name = holder.map_or(*kind, |literal| literal.name.as_str());
    let finding = Findings::finding(&RULE, site, at, message)
        .help(guide.clone())
        .about(key, format!("{kind} {name}"))
        .remedy(Remedy::Guide(guide));
    findings.push(finding);
}

/// Where a secret lives on the system of a pipeline.
fn home(system: &Dialect) -> String {
    format!("a secret of {}, handed over by {}", system.name, system.file)
}
