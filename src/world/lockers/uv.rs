//! `uv.lock` by uv. <https://docs.astral.sh/uv/concepts/projects/sync/#upgrading-locked-package-versions>

use super::{Bench, Builds, Made};
use crate::model::change::Why;

const INSTALL: &str = "pipx install uv";

/// Raises the packages to their versions and keeps every other one.
///
/// uv writes a cutoff into the lock, and `uv lock --check` would then call the lock stale wherever it is not given. So a second run,
/// without the cutoff and with nothing to raise, takes that line out again and keeps what the first one chose.
pub(super) fn relock(bench: &Bench) -> Result<Made, Why> {
    let tool = bench.version("uv", INSTALL)?;
    let mut usual = vec!["lock".to_string(), "--no-progress".to_string(), "--color=never".to_string()];
    if bench.order.builds == Builds::Forbidden {
        usual.push("--no-build".to_string());
    }
    let mut first = usual.clone();
    for (name, version) in &bench.order.raise {
        let version = version.as_ref().map_or(String::new(), |version| format!("=={version}"));
        first.push(format!("--upgrade-package={name}{version}"));
    }
    first.extend(bench.order.cutoff.map(|cutoff| format!("--exclude-newer={}", cutoff.date)));
    let runs = if bench.order.cutoff.is_some() { vec![first, usual] } else { vec![first] };
    for arguments in &runs {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let task = bench.task("uv", &arguments).set("UV_PYTHON_DOWNLOADS", "never");
        bench.must(&task, "uv", INSTALL)?;
    }
    bench.made(tool, Vec::new())
}
