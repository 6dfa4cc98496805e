//! From what rules say to what is reported: the level in force, the fingerprint, the order.

use crate::model::finding::{Finding, Judged};
use crate::model::project::Project;
use crate::model::rule::Level;
use crate::model::text::hex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Judges every finding: its level by `level_of`, then lowered to `info` where nothing runs it. Those that are off are left out.
///
/// The order is that of reading: path, place, rule.
pub fn judge(project: &Project, found: Vec<Finding>, level_of: &dyn Fn(&Finding) -> Level) -> Vec<Judged> {
    let mut found: Vec<(Finding, Level)> = found
        .into_iter()
        .map(|finding| {
            let level = level_of(&finding);
            let asleep = level > Level::Info && project.asleep(finding.at.source);
            (finding, if asleep { Level::Info } else { level })
        })
        .filter(|(_, level)| *level > Level::Off)
        .collect();
    found.sort_by(|(a, _), (b, _)| {
        let place = |finding: &Finding| (finding.at.span.start, finding.at.span.end);
        let path = project.path(a.at).cmp(project.path(b.at));
        path.then(place(a).cmp(&place(b))).then(a.rule.id.cmp(b.rule.id)).then(a.message.cmp(&b.message))
    });
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut judged = Vec::with_capacity(found.len());
    for (finding, level) in found {
        let mut fingerprint = fingerprint(project, &finding);
        let count = seen.entry(fingerprint.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            fingerprint.push_str(&format!("-{count}"));
        }
        judged.push(Judged { finding, level, fingerprint });
    }
    judged
}

/// Rule, path, structural key and name: the same when lines move or values change.
fn fingerprint(project: &Project, finding: &Finding) -> String {
    let mut hash = Sha256::new();
    for part in [finding.rule.id, project.path(finding.at), &finding.key, &finding.name] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()[..16])
}
