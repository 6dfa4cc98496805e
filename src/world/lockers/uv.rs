//! `uv.lock` by uv. <https://docs.astral.sh/uv/concepts/projects/sync/#upgrading-locked-package-versions>

use super::{Bench, Builds, Made};
use crate::model::change::Why;

const INSTALL: &str = "pipx install uv";

/// Raises the packages to their versions and keeps every other one.
///
/// The cutoff is not given to uv: it would write it into the lock, and `uv lock --check` would then call the lock stale wherever it is
/// not given. What moved is looked at afterwards instead.
pub(super) fn relock(bench: &Bench) -> Result<Made, Why> {
    let tool = bench.version("uv", INSTALL)?;
    let mut arguments = vec!["lock".to_string(), "--no-progress".to_string(), "--color=never".to_string()];
    if bench.order.builds == Builds::Forbidden {
        arguments.push("--no-build".to_string());
    }
    for (name, version) in &bench.order.raise {
        let version = version.as_ref().map_or(String::new(), |version| format!("=={version}"));
        arguments.push(format!("--upgrade-package={name}{version}"));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let task = bench.task("uv", &arguments).set("UV_PYTHON_DOWNLOADS", "never");
    bench.must(&task, "uv", INSTALL)?;
    bench.made(tool, Vec::new())
}
