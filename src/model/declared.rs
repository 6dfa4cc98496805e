//! Where settings name package indexes: variables of pipelines, builds and services, and the settings files of clients. Has no opinion.

use super::container::{Instruction, Variable};
use super::environment::EnvironmentKind;
use super::locked::urls_in;
use super::pipeline::Assignment;
use super::project::Project;

/// Variables, or keys of settings files, that name an index: `PIP_INDEX_URL`, `UV_DEFAULT_INDEX`, `PIPENV_PYPI_MIRROR`, `POETRY_REPOSITORIES_X_URL`.
pub(super) fn names_index(name: &str) -> bool {
    let name = name.trim_start_matches("export ");
    let repository = name.starts_with("POETRY_") && (name.ends_with("_URL") || name.ends_with("_MIRROR"));
    name.contains("INDEX")
        || name.contains("FIND_LINKS")
        || name.ends_with("PYPI_MIRROR")
        || name.starts_with("PDM_PYPI")
        || repository
}

impl Project {
    /// URLs in variables that name an index, wherever variables are set.
    pub(super) fn variable_hosts(&self, take: &mut dyn FnMut(&str)) {
        let mut of = |list: &[Assignment]| {
            for assignment in list.iter().filter(|assignment| names_index(&assignment.name)) {
                // Also beside a secret: `https://u:${{ secrets.T }}@host/simple` names its host.
                urls_in(&plain(self.sources.text(assignment.at))).for_each(&mut *take);
            }
        };
        for pipeline in self.facts.iter().flat_map(|facts| facts.pipelines.iter().chain(&facts.components)) {
            of(&pipeline.env);
            for job in &pipeline.jobs {
                of(&job.env);
                job.steps.iter().for_each(|step| of(&step.env));
            }
        }
        for environment in self.facts.iter().flat_map(|facts| &facts.environments) {
            of(&environment.assignments);
        }
        for variable in self.builds().flat_map(|build| {
            build.args.iter().chain(build.stages.iter().flat_map(|stage| &stage.instructions).filter_map(variable))
        }) {
            if let Some(value) = variable.value.as_ref().filter(|_| names_index(&variable.name)) {
                urls_in(&value.text).for_each(&mut *take);
            }
        }
    }

    /// URLs in settings files of installers (`pip.conf`, `poetry.toml`, `pdm.toml`): whatever they name, the project named it.
    pub(super) fn settings_hosts(&self, take: &mut dyn FnMut(&str)) {
        const FILES: [&str; 7] = ["pip.conf", "pip.ini", "poetry.toml", "pdm.toml", ".pdm.toml", ".condarc", "condarc"];
        let settings =
            self.facts.iter().filter(|facts| facts.environments.iter().any(|e| e.kind == EnvironmentKind::Settings));
        for source in settings
            .filter_map(|facts| facts.source)
            .map(|id| self.source(id))
            .filter(|source| FILES.contains(&source.file_name()))
        {
            let lines = source.text.lines().filter(|line| !line.trim_start().starts_with(['#', ';']));
            lines.filter(|line| !line.contains("proxy")).for_each(|line| urls_in(line).for_each(&mut *take));
        }
    }
}

/// A text with a letter in the place of each `${{ … }}`, whose spaces would cut a URL in two.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        out.push_str(before);
        out.push('x');
        rest = after.split_once("}}").map_or("", |(_, behind)| behind);
    }
    out + rest
}

fn variable(instruction: &Instruction) -> Option<&Variable> {
    match instruction {
        Instruction::Env(variable) | Instruction::Arg(variable) => Some(variable),
        _ => None,
    }
}
