//! `pdm.lock` by PDM. <https://pdm-project.org/en/latest/reference/cli/#update>

use super::{Bench, Builds, Made, run};
use crate::model::change::Why;

const INSTALL: &str = "pipx install 'pdm[locked]'";

/// Raises the packages to their versions and keeps every other one. `-k :all` keeps scripts of the repository from running.
pub(super) fn relock(bench: &Bench) -> Result<Made, Why> {
    let tool = bench.version("pdm", INSTALL)?;
    let wanted =
        bench.order.raise.iter().filter_map(|(name, version)| Some(format!("{name}=={}\n", version.as_ref()?)));
    let wanted: String = wanted.collect();
    let exact = bench.copy.aside("wanted.txt", &wanted).map_err(|failure| Why::Other(failure.to_string()))?;
    let exact = exact.to_string_lossy().into_owned();
    let mut arguments = vec!["update", "--no-sync", "--update-reuse", "-k", ":all"];
    if !wanted.is_empty() {
        arguments.extend(["--override", &exact]);
    }
    let names = bench.names();
    arguments.extend(&names);
    let mut task = bench.task("pdm", &arguments).set("PDM_CHECK_UPDATE", "0").set("PDM_IGNORE_SAVED_PYTHON", "1");
    if let Some(cutoff) = bench.order.cutoff {
        // `pdm update` knows no flag for it, and `pdm lock` moves everything when it is given one.
        let text = format!("[strategy]\nexclude-newer = \"{}\"\n", cutoff.date);
        let file = bench.copy.aside("pdm.toml", &text).map_err(|failure| Why::Other(failure.to_string()))?;
        task = task.set("PDM_CONFIG_FILE", file);
    }
    if bench.order.builds == Builds::Forbidden {
        // Told to use no sources PDM would drop their hashes from the lock; so it only has to show that it needs none.
        let before = bench.copy.read(&bench.order.lock).unwrap_or_default();
        let probe = run(&task.clone().set("PDM_ONLY_BINARY", ":all:"), "pdm", INSTALL)?;
        bench
            .copy
            .put(&bench.order.lock, super::Form::File, &before)
            .map_err(|failure| Why::Other(failure.to_string()))?;
        if !probe.is_good() {
            let why = super::words(&probe);
            let text =
                format!("pdm cannot make {} anew without building packages from source: {why}", bench.order.lock);
            return Err(Why::NothingFits(text));
        }
    }
    bench.must(&task, "pdm", INSTALL)?;
    bench.made(tool, Vec::new())
}
