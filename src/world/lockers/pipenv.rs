//! `Pipfile.lock` by Pipenv. <https://pipenv.pypa.io/en/latest/cli.html#upgrade>

use super::{Bench, Builds, Made};
use crate::model::change::Why;

const INSTALL: &str = "pipx install pipenv";

/// Raises the packages to the newest release that the Pipfile allows. Pipenv cannot be told an exact version without changing the
/// Pipfile; its pip takes a cutoff from the environment (since 26.0, where the index tells ages).
pub(super) fn relock(bench: &Bench) -> Result<Made, Why> {
    let tool = bench.version("pipenv", INSTALL)?;
    let mut arguments = vec!["upgrade", "--lock-only"];
    let names = bench.names();
    arguments.extend(&names);
    let mut task = bench.task("pipenv", &arguments);
    for (name, value) in [("PIPENV_NOSPIN", "1"), ("PIPENV_YES", "1"), ("PIPENV_IGNORE_VIRTUALENVS", "1"), ("CI", "1")]
    {
        task = task.set(name, value);
    }
    // Variables of a file of the repository would stand above ours.
    task = task.set("PIPENV_DONT_LOAD_ENV", "1");
    if let Some(cutoff) = bench.order.cutoff {
        task = task.set("PIP_UPLOADED_PRIOR_TO", cutoff.date.to_string());
    }
    task = task.set("WORKON_HOME", bench.copy.home().join("environments"));
    if bench.order.builds == Builds::Forbidden {
        task = task.set("PIP_ONLY_BINARY", ":all:");
    }
    bench.must(&task, "pipenv", INSTALL)?;
    bench.made(tool, Vec::new())
}
