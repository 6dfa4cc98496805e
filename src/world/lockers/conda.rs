//! `conda-lock.yml` by conda-lock. <https://conda.github.io/conda-lock/basic_usage/>

use super::{Bench, Builds, Made};
use crate::model::change::Why;
use crate::model::source::join;

const INSTALL: &str = "pipx install conda-lock";

/// Programs that solve for it, the one that moves least first: mamba cannot raise a package without holding all others.
const SOLVERS: [&str; 3] = ["micromamba", "conda", "mamba"];

/// The program that solves, and where it is. With its whole path: conda-lock looks for a name in the folder of the project first, and
/// would run what the repository has there.
fn solver(bench: &Bench) -> Option<(&'static str, String)> {
    let folders: Vec<_> =
        std::env::split_paths(bench.environment.get("PATH")?).filter(|path| path.is_absolute()).collect();
    SOLVERS.iter().find_map(|solver| {
        let found = folders.iter().map(|folder| folder.join(solver)).find(|path| path.is_file())?;
        Some((*solver, found.to_str()?.to_string()))
    })
}

/// Raises the packages to the newest release that the sources allow. conda-lock cannot be told an exact version, nor a day: how old
/// what comes along is has to be looked at afterwards.
///
/// Sources and platforms are named as the lock records them: without them it takes `environment.yml` (before its version 3), and all
/// platforms that it knows. The solver is named, too, for otherwise conda-lock fetches one and runs it.
pub(super) fn relock(bench: &Bench) -> Result<Made, Why> {
    let (folder, lock) = bench.place();
    let recorded = |key: &'static str| bench.order.recorded.iter().filter(move |(name, _)| name == key);
    let sources: Vec<&str> = recorded("source").map(|(_, path)| path.as_str()).collect();
    if sources.is_empty() {
        return Err(Why::Other(format!("{} does not say from which files conda-lock made it", bench.order.lock)));
    }
    for source in &sources {
        if join(folder, source).is_none_or(|path| bench.copy.read(&path).is_none()) {
            return Err(Why::Other(format!("{} was made from {source}, which is not here", bench.order.lock)));
        }
    }
    let tool = bench.version("conda-lock", INSTALL)?;
    let Some((solver, path)) = solver(bench) else {
        let text = "conda-lock needs micromamba, conda or mamba, and none is installed here: see https://conda-forge.org/download";
        return Err(Why::Other(text.to_string()));
    };
    let mut arguments = vec!["lock", "--conda", path.as_str(), "--kind", "lock", "--lockfile", lock];
    arguments.extend(sources.iter().flat_map(|source| ["--file", *source]));
    arguments.extend(recorded("platform").flat_map(|(_, platform)| ["--platform", platform.as_str()]));
    arguments.extend(bench.names().into_iter().flat_map(|name| ["--update", name]));
    let mut task = bench.task("conda-lock", &arguments);
    // What the solver unpacks or remembers belongs to the copy.
    task = task.set("MAMBA_ROOT_PREFIX", bench.copy.home().join("mamba")).set("POETRY_KEYRING_ENABLED", "false");
    if bench.order.builds == Builds::Forbidden {
        // Its resolver of packages from PyPI is Poetry's, and builds in a virtual environment, too.
        task = task.set("VIRTUALENV_CREATOR", "builds-are-forbidden");
    }
    bench.must(&task, "conda-lock", INSTALL)?;
    let mut remarks = vec![format!("solved by {solver}")];
    if bench.order.cutoff.is_some() {
        remarks.push(
            "conda-lock cannot be told how old a release must be: what came along was looked at afterwards".to_string(),
        );
    }
    bench.made(tool, remarks)
}
