//! # What it finds
//!
//! A build secret that is mounted as a variable: `RUN --mount=type=secret,id=t,env=T`.
//!
//! # Why
//!
//! The layers stay clean, and still every process of this `RUN` inherits the variable. Where the tool reads a file, the file is better.
//!
//! # What is not a finding
//!
//! `--mount=type=secret,id=t` and `…,target=/root/.netrc`: a file.
//!
//! # What to do
//!
//! Leave `env=` out and read `/run/secrets/ID`, or name a `target` that the tool reads by itself.
//!
//! # Levels
//!
//! Off in `default`, `info` in `strict` and `audit`.
//!
//! # Examples
//!
//! ```docker Dockerfile bad strict
//! FROM python:3.12.7
//! RUN --mount=type=secret,id=token,env=TOKEN ./fetch
//! ```
//!
//! ```docker Dockerfile good
//! FROM python:3.12.7
//! RUN --mount=type=secret,id=netrc,target=/root/.netrc pip install -r requirements.txt
//! RUN --mount=type=cache,target=/root/.cache ./fetch
//! ```

use crate::model::container::Instruction;
use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::{Info, Off};
use crate::model::rule::{Group, Rule, levels};

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-mount-as-env",
    group: Group::Secret,
    summary: "a build secret is mounted as a variable instead of a file",
    levels: &[("mount", levels(Off, Info, Info))],
    since: "0.1.0",
    check,
};

fn check(project: &Project, findings: &mut Findings) {
    for (number, stage) in project.builds().flat_map(|build| build.stages.iter().enumerate()) {
        for (index, instruction) in stage.instructions.iter().enumerate() {
            let Instruction::Run { mounts, .. } = instruction else { continue };
            for mount in mounts {
                let value = |key: &str| mount.text.split(',').find_map(|part| part.trim().strip_prefix(key));
                if let (Some("secret"), Some(name)) = (value("type="), value("env=")) {
                    let message = format!("the build secret is mounted as the variable `{name}`, which every process of this `RUN` inherits");
                    let finding = Findings::finding(&RULE, "mount", mount.at, message)
                        .help("leave `env=` out and read the file below `/run/secrets`, or name a `target` that the tool reads")
                        .about(format!("stages[{number}].instructions[{index}]"), name);
                    findings.push(finding);
                }
            }
        }
    }
}
