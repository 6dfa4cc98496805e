//! # What it finds
//!
//! Kubernetes containers that take secrets as variables: `secretKeyRef`, `envFrom` with a whole `secretRef`. One finding a file.
//!
//! # Why
//!
//! Every process of the container inherits the variable, crash reports and error pages print it, and it stays as it was when the secret is
//! rotated. A volume is a file with a mode, and follows the rotation.
//!
//! # What is not a finding
//!
//! - Secret volumes, projected tokens, `configMapKeyRef`. Literals are another rule's.
//! - Plain configuration by name that a Secret keeps beside its passwords: a user name, a host, the name of a connection.
//!
//! # What to do
//!
//! Mount the secret as a volume and let the program read the file; the secrets store driver where there is one.
//!
//! # Levels
//!
//! Off in `default`, `info` in `strict`, `warning` in `audit`.
//!
//! # Examples
//!
//! ```yaml deploy/web.yaml bad strict
//! apiVersion: v1
//! kind: Pod
//! metadata: {name: web}
//! spec:
//!   containers:
//!     - name: web
//!       image: acme/web:1.2.3
//!       env:
//!         - name: DB_PASSWORD
//!           valueFrom:
//!             secretKeyRef: {name: db, key: password}
//!       envFrom:
//!         - secretRef: {name: all}
//! ```
//!
//! ```yaml deploy/web.yaml good
//! apiVersion: v1
//! kind: Pod
//! metadata: {name: web}
//! spec:
//!   containers:
//!     - name: web
//!       image: acme/web:1.2.3
//!       env:
//!         - {name: MODE, value: production}
//!         - name: HOST
//!           valueFrom:
//!             configMapKeyRef: {name: web, key: host}
//!         - name: DB_USER
//!           valueFrom:
//!             secretKeyRef: {name: db, key: username}
//!       volumeMounts:
//!         - {name: db, mountPath: /run/secrets/db, readOnly: true}
//!   volumes:
//!     - name: db
//!       secret: {secretName: db}
//! ```
//!
//! # Measured
//!
//! In 52 public repositories, profile `audit`: 7 findings in 1 of them. Read by eye: 7, false: 0.
//! Ledger: `docs/evidence/secret-k8s-env.tsv`.

use crate::model::environment::{Environment, EnvironmentKind};
use crate::model::finding::Findings;
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Off, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::secrets::Harm;
use crate::model::secrets::place::{are, listed};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-k8s-env",
    group: Group::Secret,
    summary: "Kubernetes containers take secrets as variables instead of files",
    levels: &[("container", levels(Off, Info, Warning))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for facts in &project.facts {
        let environments = facts.environments.iter().filter(|one| one.kind == EnvironmentKind::Kubernetes);
        let held: Vec<(&Environment, &Assignment)> = environments
            .flat_map(|environment| environment.assignments.iter().map(move |one| (environment, one)))
            .filter(|(_, one)| is_secret(project, one))
            .collect();
        let Some((_, first)) = held.first() else { continue };
        let names = listed(held.iter().map(|(_, one)| one.name.as_str()));
        let them = if held.len() == 1 { "it" } else { "them" };
        let message = format!("{names} {} in the environment of containers: every process inherits {them}, and rotation does not reach {them}", are(held.len()));
        let help = "mount the secret as a volume and let the program read the file";
        let mut finding = Findings::finding(&RULE, "container", first.at, message).help(help).about(&first.key, &first.name);
        for (environment, other) in &held[1..] {
            finding = finding.label(other.at, format!("`{}` of `{}`", other.name, environment.name));
        }
        findings.push(finding);
    }
}

/// Whether it is a secret, or a whole set: the user name or the host that a Secret keeps beside the password is none.
fn is_secret(project: &Project, one: &Assignment) -> bool {
    let Value::Secret { names, .. } = &one.value else { return false };
    let set = names.iter().any(|name| name == "*");
    set || !matches!(project.worst(names.iter().map(String::as_str)), Harm::None | Harm::Plain)
}
