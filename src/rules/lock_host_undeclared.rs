//! # What it finds
//!
//! A lock that takes packages from a host that the project names nowhere, and says so when the host looks like one that is trusted; a package
//! that is asked for from an index and locked from version control, a URL or a path.
//!
//! # Why
//!
//! Whoever edits a lock by hand can send every install to a server of their own, with hashes that fit. Tools install by what the lock says,
//! and a change of one host in ten thousand lines is not seen in review.
//!
//! # What is not a finding
//!
//! The default index (`pypi.org`, `files.pythonhosted.org`); hosts of indexes in `tool.uv`, `uv.toml`, poetry and pdm sources, `Pipfile`, `pip.conf`,
//! `poetry.toml`, `pdm.toml`, `.condarc`, `--index-url` of requirements files and commands, index variables (`PIP_INDEX_URL`, `UV_DEFAULT_INDEX`,
//! `PIPENV_PYPI_MIRROR` …) of pipelines, image builds, compose files, tox and `.env`, the command in the header of a compiled file, `[policy] indexes`;
//! hosts of the same owner; channels that conda knows by name.
//!
//! # What to do
//!
//! Lock again from the declared index. If the host is right, declare it (`[[tool.uv.index]]`, or `[policy] indexes` of pinguard).
//!
//! # Levels
//!
//! `error`. A well-known public mirror of PyPI is a `warning`; a file of a declared index of one's own that stands on another host is `info`,
//! as indexes may do so.
//!
//! # Examples
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock bad default
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! dependencies = [{ name = "idna" }]
//!
//! [package.metadata]
//! requires-dist = [{ name = "idna", specifier = ">=3" }]
//!
//! [[package]]
//! name = "idna"
//! version = "3.10"
//! source = { registry = "https://pypi.org/simple" }
//! wheels = [{ url = "https://files.pythonh0sted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock bad default
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! dependencies = [{ name = "idna" }]
//!
//! [package.metadata]
//! requires-dist = [{ name = "idna", specifier = ">=3" }]
//!
//! [[package]]
//! name = "idna"
//! version = "3.10"
//! source = { git = "https://github.com/example/idna?rev=main#0123456789abcdef0123456789abcdef01234567" }
//! #wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
//! ```
//!
//! ```toml pyproject.toml with
//! [project]
//! name = "demo"
//! version = "1"
//! requires-python = ">=3.12"
//! dependencies = ["idna>=3"]
//! ```
//!
//! ```toml uv.lock good
//! version = 1
//! revision = 3
//! requires-python = ">=3.12"
//!
//! [[package]]
//! name = "demo"
//! version = "1"
//! source = { virtual = "." }
//! dependencies = [{ name = "idna" }]
//!
//! [package.metadata]
//! requires-dist = [{ name = "idna", specifier = ">=3" }]
//!
//! [[package]]
//! name = "idna"
//! version = "3.10"
//! source = { registry = "https://pypi.org/simple" }
//! wheels = [{ url = "https://files.pythonhosted.org/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3" }]
//! ```
//!
//! # Measured
//!
//! No finding in 52 public repositories. The edits of `fixtures/locks/tampered.json` are found, near misses are in the ledger.

use crate::model::finding::Findings;
use crate::model::project::Project;
use crate::model::rule::Level::{Error, Info, Warning};
use crate::model::rule::{Group, Rule, levels};
use crate::model::lock::{ArtifactKind, Lock, LockTool, LockedPackage, Provenance};
use crate::model::locked::{Hosts, authority, host, is_private, several, verb};
use crate::model::reference::{Origin, Role};
use crate::model::span::Location;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-host-undeclared",
    group: Group::Lock,
    summary: "a lock takes packages from a host that the project does not declare",
    levels: &[("undeclared", levels(Error, Error, Error)), ("mirror", levels(Warning, Error, Error)), ("elsewhere", levels(Info, Warning, Error)), ("source", levels(Error, Error, Error))],
    since: "0.1.0",
    check,
};

/// Public mirrors of PyPI. Their bytes are those of PyPI, and hashes hold them to it.
const MIRRORS: [&str; 9] = [
    "pypi.tuna.tsinghua.edu.cn", "mirrors.tuna.tsinghua.edu.cn", "mirrors.aliyun.com", "pypi.doubanio.com", "mirrors.ustc.edu.cn",
    "pypi.mirrors.ustc.edu.cn", "mirrors.cloud.tencent.com", "mirrors.huaweicloud.com", "repo.huaweicloud.com",
];

/// Wheels that Pyodide itself publishes; its tools write them into pylocks.
const PYODIDE: &str = "https://cdn.jsdelivr.net/pyodide/";

/// Most places that one finding lists.
const LISTED: usize = 10;

fn check(project: &Project, findings: &mut Findings) {
    if project.trusted_locks().next().is_none() {
        return;
    }
    let hosts = project.declared_hosts();
    let asked = OnceCell::new();
    for lock in project.trusted_locks().filter(|lock| lock.tool != LockTool::Actions) {
        let channels = matches!(lock.tool, LockTool::CondaLock | LockTool::Pixi).then(|| project.declared_channels(lock));
        let text = project.source(lock.at.source).text.as_str();
        let mut by_host: BTreeMap<(String, &str), Vec<(&str, Location)>> = BTreeMap::new();
        let mut asked_hosts: HashMap<(&str, bool), Option<String>> = HashMap::new();
        for package in &lock.packages {
            let channels = channels.as_ref().filter(|_| package.groups.iter().any(|group| group == "conda") || lock.format == "explicit");
            let mut last = None;
            for (url, at, kind) in places(package, text, &hosts) {
                // Thousands of files come from the same few hosts, and those of one package mostly from one.
                if last == Some(authority(url)) {
                    continue;
                }
                let unknown = asked_hosts.entry((authority(url), channels.is_some())).or_insert_with(|| {
                    let found = host(url);
                    let known = found.is_empty() || is_private(&found) || hosts.declares(&found) || channels.is_some_and(|hosts| hosts.declares(&found));
                    (!known).then_some(found)
                });
                match unknown {
                    Some(found) => by_host.entry((found.clone(), kind)).or_default().push((&package.name, at)),
                    None => last = Some(authority(url)),
                }
            }
        }
        for index in &lock.indexes {
            let found = host(&index.url);
            let known = found.is_empty() || is_private(&found) || hosts.declares(&found) || channels.as_ref().is_some_and(|hosts| hosts.declares(&found));
            // The index of a compiled file is the one that it was compiled from, unless it is made to be taken for another.
            if !known && (lock.tool != LockTool::Compiled || hosts.like(&found).is_some()) {
                by_host.entry((found, "undeclared")).or_default().push(("its packages", index.at));
            }
        }
        for ((found, kind), places) in &by_host {
            report(project, lock, (found, kind), places, (&hosts, channels.as_ref()), findings);
        }
        sources(project, lock, &asked, findings);
    }
}

/// Every place that a package is fetched from, and what an undeclared host would be there.
fn places<'l>(package: &'l LockedPackage, text: &'l str, hosts: &Hosts) -> impl Iterator<Item = (&'l str, Location, &'static str)> {
    let (url, own) = match &package.from {
        Provenance::Registry(url) => (url.as_str(), !url.is_empty() && !host(url).ends_with("pypi.org") && hosts.declares(&host(url))),
        Provenance::Git(source) => (source.url.as_str(), false),
        Provenance::Url(url) => (url.as_str(), false),
        Provenance::Path(_) => ("", false),
    };
    let path = matches!(package.from, Provenance::Path(_));
    let kind = if own { "elsewhere" } else { "undeclared" };
    let files = package.artifacts.iter().filter(|artifact| !artifact.url(text).starts_with(PYODIDE)).filter(|artifact| artifact.kind != ArtifactKind::Unnamed);
    let files = files.map(move |artifact| (artifact.url(text), artifact.at, kind));
    std::iter::once((url, package.from_at, "undeclared")).chain(files).filter(move |_| !path)
}

fn report(project: &Project, lock: &Lock, (found, kind): (&str, &str), places: &[(&str, Location)], hosts: (&Hosts, Option<&Hosts>), findings: &mut Findings) {
    let like = hosts.0.like(found).or_else(|| hosts.1.and_then(|hosts| hosts.like(found)));
    let kind = match kind {
        _ if MIRRORS.contains(&found) => "mirror",
        _ if like.is_some() => "undeclared",
        kind => kind,
    };
    let mut names: Vec<&str> = places.iter().map(|(name, _)| *name).collect();
    names.dedup();
    let what = match (kind, like) {
        ("mirror", _) => "is a public mirror that no file of the project names".to_string(),
        (_, Some(like)) => format!("looks like `{like}` and is not: this is how a lock is turned against its users"),
        ("elsewhere", None) => "is not the host of the index that they come from".to_string(),
        _ => "is named as an index nowhere in the project".to_string(),
    };
    let message = format!("{} in `{}` {} from `{found}`, which {what}",
        several(&names), project.path(lock.at), verb(&names, "comes", "come"));
    let help = "lock again from the declared index; if the host is right, declare it as an index of the project or under `[policy] indexes`";
    let mut finding = Findings::finding(&RULE, kind, places[0].1, message).help(help).about("host", found);
    for (name, at) in places.iter().skip(1).take(LISTED) {
        finding = finding.label(*at, format!("`{name}` too"));
    }
    findings.push(finding);
}

/// Names that are asked for, and whether always from an index.
type Asked<'p> = HashMap<&'p str, bool>;

fn asked_of_indexes(project: &Project) -> Asked<'_> {
    let mut asked = Asked::new();
    for (id, reference) in project.references().filter(|(_, reference)| !matches!(reference.role, Role::Build | Role::Tool)) {
        // What a lock says of itself is no request.
        if project.facts_of(id.source).locks.is_empty() {
            *asked.entry(reference.subject.name.as_str()).or_insert(true) &= reference.origin == Origin::Registry;
        }
    }
    asked
}

/// Packages that are asked for from an index and are locked from elsewhere.
fn sources<'p>(project: &'p Project, lock: &Lock, asked: &OnceCell<Asked<'p>>, findings: &mut Findings) {
    for package in &lock.packages {
        let moved = matches!(package.from, Provenance::Git(_) | Provenance::Url(_));
        // Most locks have no such package, and then nothing needs to be known of the requests.
        if !moved || asked.get_or_init(|| asked_of_indexes(project)).get(package.name.as_str()) != Some(&true) {
            continue;
        }
        let message = format!(
            "`{}` is asked for from an index and `{}` takes it from {}: what is installed is no release",
            package.name, project.path(lock.at), package.from.kind()
        );
        let help = "lock again; if this source is wanted, write it into the manifest";
        findings.push(Findings::finding(&RULE, "source", package.from_at, message).help(help).about("source", package.name.as_str()));
    }
}
