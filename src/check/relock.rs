//! What a job did with locks before a command: which ones it verified, which ones it made anew; which variables enforce one, and what
//! components install.

use crate::model::pipeline::{Assignment, Value};
use crate::model::script::{Command, Deed, Enforcement, FileArg, Install, InstallTool, Script, Word};
use crate::model::source::join;
use crate::model::text::Text;

/// What a job did with locks so far.
#[derive(Debug, Clone, Default)]
pub struct LocksOfJob {
    /// Tools whose lock was seen to fit its manifest: a stale one has stopped the job.
    pub verified: Vec<InstallTool>,
    /// Tools that made their lock anew.
    tools: Vec<InstallTool>,
    /// Compiled files that were made anew, by their paths.
    outputs: Vec<String>,
}

impl LocksOfJob {
    /// Takes in what the commands of a script do.
    pub fn after(&mut self, script: &Script) {
        for command in &script.commands {
            let cwd = command.cwd.as_deref().and_then(|cwd| join(&script.cwd, cwd));
            self.after_command(command, cwd.as_deref().unwrap_or(&script.cwd));
        }
    }

    /// Takes in what a command does that runs in `cwd`.
    pub fn after_command(&mut self, command: &Command, cwd: &str) {
        for deed in &command.deeds {
            match deed {
                Deed::VerifyLock { tool } => self.verified.push(*tool),
                Deed::Relock { tool: InstallTool::PipSync, output } => {
                    self.outputs.extend(output.as_ref().and_then(|word| join(cwd, &word.text.text)));
                }
                Deed::Relock { tool, .. } => {
                    self.verified.retain(|verified| verified != tool);
                    self.tools.push(*tool);
                }
                // It stopped the job if the lock did not fit; what runs after it finds a lock that does.
                Deed::Install(install) if install.enforcement == Enforcement::Checked => {
                    self.verified.push(install.tool);
                }
                _ => {}
            }
        }
    }

    /// Whether the lock of a tool, or one of the files that it installs, was made anew.
    pub fn remade<'t>(&self, tool: InstallTool, mut files: impl Iterator<Item = &'t str>) -> bool {
        self.tools.contains(&tool) || files.any(|file| self.outputs.iter().any(|output| output == file))
    }
}

/// Variables that make a tool keep to its lock, or keep from installing.
pub fn enforcing(tool: InstallTool) -> &'static [&'static str] {
    match tool {
        // With the last one `uv run` installs nothing.
        InstallTool::Uv => &["UV_LOCKED", "UV_FROZEN", "UV_NO_SYNC"],
        InstallTool::Pdm => &["PDM_FROZEN_LOCKFILE"],
        InstallTool::Pipenv => &["PIPENV_DEPLOY", "PIPENV_IGNORE_PIPFILE"],
        InstallTool::Pixi => &["PIXI_LOCKED", "PIXI_FROZEN"],
        _ => &[],
    }
}

/// The environment file that a component creates an environment from.
pub fn environment_of(component: &str, inputs: &[Assignment]) -> Option<Install> {
    const COMPONENTS: [&str; 3] =
        ["conda-incubator/setup-miniconda", "mamba-org/setup-micromamba", "mamba-org/provision-with-micromamba"];
    let input = inputs.iter().find(|input| input.name == "environment-file")?;
    let Value::Literal(path) = &input.value else { return None };
    if !COMPONENTS.contains(&component) || path.trim().is_empty() {
        return None;
    }
    let text = Text { text: path.trim().to_string(), at: input.at, verbatim: false };
    let path = Word { text, expands: false, quoted: false };
    Some(Install {
        tool: InstallTool::Conda,
        references: Vec::new(),
        files: vec![FileArg { path, constraint: false }],
        projects: Vec::new(),
        opaque: Vec::new(),
        enforcement: Enforcement::NoLock,
        no_deps: false,
        require_hashes: false,
        upgrade: false,
        no_index: false,
        local_links: false,
        extra_indexes: Vec::new(),
        groups: Vec::new(),
    })
}

/// `prefix-dev/setup-pixi` installs with `--locked` where a lock is, unless it is told otherwise: a stale lock fails the job there.
pub fn installs_locked(component: &str, inputs: &[Assignment]) -> Option<InstallTool> {
    let told = |name: &str, not: &str| {
        inputs
            .iter()
            .any(|input| input.name == name && !matches!(&input.value, Value::Literal(text) if text.trim() != not))
    };
    let locked = component == "prefix-dev/setup-pixi"
        && !told("run-install", "false")
        && !told("locked", "false")
        && !told("frozen", "true");
    locked.then_some(InstallTool::Pixi)
}
