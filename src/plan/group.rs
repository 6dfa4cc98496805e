//! Steps to groups: what moves in one branch, and how the branch is called. A name depends on nothing but the group.

use super::newer::Step;
use crate::config::upgrade::Upgrade;
use crate::model::project::Project;
use crate::model::reference::{ReferenceId, Subject};
use std::collections::BTreeMap;

/// What moves in one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The subjects, sorted.
    pub subjects: Vec<Subject>,
    /// What moves.
    pub steps: Vec<Step>,
}

/// The branch of a subject: that of its group in the configuration, else one of its own.
pub fn branch_of(subject: &Subject, policy: &Upgrade) -> String {
    match policy.group(subject) {
        Some(group) => format!("{}group-{}", policy.prefix, group.name),
        None => format!("{}{}-{}", policy.prefix, subject.ecosystem.name(), slug(&subject.name)),
    }
}

/// The branch of a step that mends a known vulnerability: it waits for nobody else.
pub fn security_branch_of(subject: &Subject, policy: &Upgrade) -> String {
    format!("{}security-{}-{}", policy.prefix, subject.ecosystem.name(), slug(&subject.name))
}

/// Sorts steps into groups, in the order of branch names.
pub fn groups(project: &Project, steps: Vec<Step>, policy: &Upgrade) -> Vec<Group> {
    let mut by_branch: BTreeMap<String, Vec<Step>> = BTreeMap::new();
    for step in steps {
        let subject = &project.reference(step.reference).subject;
        let branch = if step.is_security() { security_branch_of(subject, policy) } else { branch_of(subject, policy) };
        by_branch.entry(branch).or_default().push(step);
    }
    let group = |(branch, steps): (String, Vec<Step>)| {
        let subjects = subjects(project, steps.iter().map(|step| step.reference));
        Group { branch, subjects, steps }
    };
    by_branch.into_iter().map(group).collect()
}

/// The subjects of references, sorted, each once.
pub fn subjects(project: &Project, references: impl Iterator<Item = ReferenceId>) -> Vec<Subject> {
    let mut list: Vec<Subject> = references.map(|id| project.reference(id).subject.clone()).collect();
    list.sort();
    list.dedup();
    list
}

/// A name as a part of a branch name. Two names that differ in what is left out get different ends.
fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' { c } else { '-' };
    let mut slug: String = name.chars().map(plain).collect();
    while slug.contains("..") {
        slug = slug.replace("..", ".");
    }
    let slug: String = slug.trim_matches(['-', '.']).chars().take(60).collect();
    let slug = slug.trim_end_matches(['-', '.']).trim_end_matches(".lock").to_string();
    if slug == name.replace('/', "-") && name.matches('/').count() <= 1 {
        return slug;
    }
    let sum = name.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{slug}-{:06x}", sum & 0xff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reference::Ecosystem;

    #[test]
    fn names_of_branches_depend_on_the_group_only() {
        let policy = Upgrade::default();
        let branch = |ecosystem, name: &str| branch_of(&Subject { ecosystem, name: name.to_string() }, &policy);
        assert_eq!(branch(Ecosystem::Pypi, "requests"), "pinguard/pypi-requests");
        assert_eq!(branch(Ecosystem::Git, "actions/checkout"), "pinguard/git-actions-checkout");
        assert_eq!(
            branch(Ecosystem::Oci, "ghcr.io/acme/Base_x").len(),
            "pinguard/oci-ghcr.io-acme--ase-x-123456".len()
        );
        assert_ne!(branch(Ecosystem::Oci, "a/b/c"), branch(Ecosystem::Oci, "a-b/c"));
        assert_ne!(branch(Ecosystem::Oci, "a_b"), branch(Ecosystem::Oci, "a-b"));
    }
}
