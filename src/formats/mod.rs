//! One file per format: a source to facts. No format has an opinion, and none imports another.

pub mod builds;
pub mod locked;
pub mod objects;
pub mod requires;
pub mod steps;

use crate::model::container::Instruction;
use crate::model::facts::Facts;
use crate::model::pipeline::StepKind;
use crate::model::source::{Source, Sources};
use crate::tools;

/// Whether a format wants a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Not by its path.
    No,
    /// Perhaps: its text decides ([`Format::sniff`]).
    Maybe,
    /// Yes.
    Yes,
}

/// A format.
pub struct Format {
    /// Its name in the closing line and in `docs/formats.md`: `github workflow`, `requirements`.
    pub name: &'static str,
    /// Whether it wants the file at this path (relative to the root, with `/`). Pure and cheap: it is asked for every file of a tree.
    pub claims: fn(&str) -> Claim,
    /// For [`Claim::Maybe`]: whether the text is of this format. Looks for words, does not parse.
    pub sniff: fn(&str) -> bool,
    /// Reads it to facts. Other sources may be looked at (templates, includes, scripts), never the disk. Never fails: what cannot be
    /// read becomes a problem in the facts.
    pub read: fn(&Source, &Sources, &mut Facts),
}

/// A [`Format::sniff`] for formats that know their files by path alone.
pub fn by_path(_: &str) -> bool {
    false
}

#[cfg(test)]
pub(crate) mod testing;

macro_rules! formats {
    ($($module:ident,)*) => {
        $(pub mod $module;)*

        /// Every format. The first that claims a file reads it.
        pub static FORMATS: &[&Format] = &[$(&$module::FORMAT,)*];
    };
}

// Order matters where two formats may claim one file: the more particular one stands first.
formats! {
    github,
    actions_lock,
    uv_lock,
    poetry_lock,
    pdm_lock,
    pipfile_lock,
    pylock,
    pixi_lock,
    conda_lock,
    dockerignore,
    dockerfile,
    requirements,
    pyproject,
    pixi,
    gitlab_ci,
    circleci,
    drone,
    woodpecker,
    buildkite,
    cloudbuild,
    codebuild,
    bitbucket,
    travis,
    appveyor,
    tekton,
    argo,
    skaffold,
    docker_bake,
    ansible,
    cirrus,
    azure,
    jenkins,
    compose,
    pre_commit,
    updaters,
    devcontainer,
    kustomize,
    kubernetes,
    helm_values,
    setup_cfg,
    setup_py,
    pipfile,
    tool_versions,
    readthedocs,
    pytest_ini,
    conda_environment,
    tox,
    makefile,
    justfile,
    noxfile,
    settings_file,
    shell_script,
    inline_script,
    python_script,
}

/// Ends of files that no format wants, whatever stands before them. Most files of most trees end here.
const FOREIGN: &[&str] = &[
    "c", "cc", "cpp", "css", "csv", "gif", "go", "h", "hpp", "html", "ico", "ipynb", "java", "jpeg", "jpg", "js",
    "jsx", "kt", "map", "md", "mdx", "mjs", "parquet", "pdf", "pl", "png", "po", "proto", "pyc", "pyi", "rb", "rs",
    "rst", "scala", "scss", "so", "sql", "svg", "swift", "ts", "tsx", "vue", "webp", "whl", "woff", "woff2", "xml",
    "zip",
];

/// Whether a path can be told by its end alone to be of no format.
pub fn is_foreign(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, end)) = name.rsplit_once('.') else { return false };
    // `Dockerfile.go` is a Dockerfile.
    FOREIGN.binary_search(&end).is_ok() && !stem.ends_with("ockerfile") && !stem.ends_with("ontainerfile")
}

/// What the formats say of a path: `Yes` and `Maybe` files are worth opening.
pub fn claim(path: &str) -> Claim {
    let mut claim = Claim::No;
    for format in FORMATS {
        match (format.claims)(path) {
            Claim::Yes => return Claim::Yes,
            Claim::Maybe => claim = Claim::Maybe,
            Claim::No => {}
        }
    }
    claim
}

/// Whether a path and a text tell that a file is of some format.
pub fn is_of_one(path: &str, text: &str) -> bool {
    FORMATS.iter().any(|format| match (format.claims)(path) {
        Claim::Yes => true,
        Claim::Maybe => (format.sniff)(text),
        Claim::No => false,
    })
}

/// Whether the name of a file says what it is, with nothing seen of its text. A name that any text, script or manifest may have does not.
pub fn is_told_by_name(path: &str) -> bool {
    const COMMON: [&Format; 9] = [
        &argo::FORMAT,
        &conda_environment::FORMAT,
        &conda_lock::FORMAT,
        &inline_script::FORMAT,
        &kubernetes::FORMAT,
        &python_script::FORMAT,
        &requirements::FORMAT,
        &shell_script::FORMAT,
        &tekton::FORMAT,
    ];
    let is_common = |format: &Format| COMMON.iter().any(|common| std::ptr::eq(*common, format));
    FORMATS.iter().any(|format| match (format.claims)(path) {
        Claim::Yes => true,
        Claim::Maybe => !is_common(format),
        Claim::No => false,
    })
}

/// The format that reads this source, if any: its path and its text tell, else what the other files do with it.
pub fn of(source: &Source, sources: &Sources) -> Option<&'static Format> {
    let own = FORMATS.iter().copied().find(|format| match (format.claims)(&source.path) {
        Claim::Yes => true,
        Claim::Maybe => (format.sniff)(&source.text),
        Claim::No => false,
    });
    own.or_else(|| requirements::is_handed_over(source, sources).then_some(&requirements::FORMAT))
}

/// The formats that read the rest of a source: documents of one file may be of several.
pub fn beside(source: &Source, first: &Format) -> Vec<&'static Format> {
    use objects::Owner;
    const SHARING: [(&Format, Owner); 3] =
        [(&tekton::FORMAT, Owner::Tekton), (&argo::FORMAT, Owner::Argo), (&kubernetes::FORMAT, Owner::Cluster)];
    let is_first = |format: &Format| std::ptr::eq(format, first);
    if !SHARING.iter().any(|(format, _)| is_first(format)) {
        return Vec::new();
    }
    let others = SHARING.into_iter().filter(|(format, owner)| !is_first(format) && objects::has(&source.text, *owner));
    others.map(|(format, _)| format).collect()
}

/// Joins what a source says in several places: a later step runs what an earlier one downloaded.
pub fn finish(facts: &mut Facts) {
    for job in facts.pipelines.iter_mut().chain(&mut facts.components).flat_map(|pipeline| &mut pipeline.jobs) {
        // Where each step has an image of its own, so has it the programs of that name.
        if job.images.len() < 2 || !job.matrix.is_empty() {
            let scripts = job
                .steps
                .iter_mut()
                .filter_map(|step| if let StepKind::Run(script) = &mut step.kind { Some(script) } else { None });
            tools::join_scripts(scripts.collect());
        }
    }
    for stage in facts.builds.iter_mut().flat_map(|build| &mut build.stages) {
        let scripts = stage
            .instructions
            .iter_mut()
            .filter_map(|one| if let Instruction::Run { script, .. } = one { Some(script) } else { None });
        tools::join_scripts(scripts.collect());
    }
}

#[cfg(test)]
mod ends {
    use super::{Claim, FOREIGN, claim, is_foreign, is_of_one, is_told_by_name};

    #[test]
    fn names_that_any_file_may_have_tell_nothing() {
        for (path, told) in [
            ("Dockerfile.dev", true),
            (".github/workflows/ci.yml", true),
            ("README.txt", false),
            ("bin/protoc", false),
            ("setup.txt", false),
            ("x.py", false),
            ("data/list.yaml", false),
        ] {
            assert_eq!(is_told_by_name(path), told, "{path}");
        }
        assert!(is_of_one("deps.txt", "requests>=2\n") && is_of_one("bin/x", "#!/bin/sh\n"));
        assert!(!is_of_one("deps.txt", "Dear reader,\n") && !is_of_one("bin/x", "\u{7f}ELF"));
    }

    #[test]
    fn no_format_wants_a_foreign_end() {
        assert!(FOREIGN.is_sorted());
        for end in FOREIGN {
            for folder in ["", "ci/", "requirements/", ".github/workflows/", "a/b/"] {
                let path = format!("{folder}requirements.{end}");
                assert!(is_foreign(&path) && claim(&path) == Claim::No, "{path}");
            }
            assert!(!is_foreign(&format!("docker/Dockerfile.{end}")));
        }
    }
}
