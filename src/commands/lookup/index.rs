//! What a package index knows of a project, as the model has it, and the vulnerabilities that its JSON states.

use crate::model::knowledge::{IndexProject, Miss, MissKind, ProjectStatus, Release, ReleaseFile, Vulnerability};
use crate::resolve::listing::{Absent, File, Listing};
use crate::world::http::{Caching, Http, Request};
use crate::world::registries::pypi::Pypi;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Vulnerabilities are published at any time; a run soon after takes the same answer.
const FRESH: Duration = Duration::from_secs(600);

/// What is of interest of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All that the index tells.
    Whole,
    /// What a step to a newer release is chosen by: no files, which are most of a listing, and no vulnerabilities of a version that nothing
    /// could take the place of.
    Steps,
}

/// Asks about a project; `versions` are those in use.
pub async fn project(
    pypi: &Pypi,
    http: &Http,
    name: &str,
    versions: &BTreeSet<String>,
    scope: Scope,
) -> Result<IndexProject, Miss> {
    let listing = pypi.look_up_once(&name.into()).await.map_err(|absent| miss(name, absent))?;
    let mut project = of_listing(&listing, scope);
    drop(listing);
    for version in versions.iter().filter(|version| project.release(version).is_none()).cloned().collect::<Vec<_>>() {
        if is_listed(http, &project.index, name, &version).await != Some(false) {
            project.releases.push(Release { version, ..Release::default() });
        }
    }
    let Some(base) = project.index.strip_suffix("/simple").map(str::to_string) else { return Ok(project) };
    let newest = project.releases.iter().rev().find(|release| release.yanked.is_none());
    let newest = newest.map(|newest| newest.version.clone());
    for version in versions {
        let is_newest = newest.as_ref() == Some(version);
        if is_newest && scope == Scope::Steps {
            continue;
        }
        let known = vulnerabilities(http, &base, name, version, is_newest).await;
        project.vulnerabilities = match (project.vulnerabilities, known) {
            (Some(mut all), Some(more)) => {
                all.extend(more);
                Some(all)
            }
            (all, more) => all.or(more),
        };
    }
    Ok(project)
}

/// Whether a file of a release is listed that no installer of today takes (`.tar.bz2`, `.egg`): it is there all the same. `None`: the
/// page cannot be had.
async fn is_listed(http: &Http, index: &str, name: &str, version: &str) -> Option<bool> {
    let request = Request::get(&format!("{index}/{name}/")).ok()?;
    let answer = http.fetch(&request.caching(Caching::For(FRESH))).await.ok()?;
    let text = answer.text();
    Some(
        ["-", ".t", ".zip", ".egg", ".exe", ".msi", ".rpm"]
            .iter()
            .any(|end| text.contains(&format!("-{version}{end}"))),
    )
}

fn miss(name: &str, absent: Absent) -> Miss {
    let (kind, text) = match absent {
        Absent::NotFound => (MissKind::Absent, format!("no index has {name}; a private one may need credentials")),
        Absent::Failed(text) => (MissKind::Unreachable, text),
        Absent::Broken(text) => (MissKind::Lying, format!("the index's answer about {name} cannot be read: {text}")),
        Absent::NeedsBuild => (MissKind::Unsupported, format!("{name} would have to be built, which is not done")),
    };
    Miss { kind, text }
}

fn of_listing(listing: &Listing, scope: Scope) -> IndexProject {
    let first = listing.releases.iter().flat_map(|release| release.files()).next();
    let (status, reason) = listing.status.as_deref().map_or((None, None), |text| {
        let (word, reason) = text.split_once(' ').unwrap_or((text, ""));
        let reason = reason.trim_start_matches('(').trim_end_matches(')');
        (Some(word.to_string()), Some(reason.to_string()).filter(|reason| !reason.is_empty()))
    });
    IndexProject {
        index: first.map_or(String::new(), |file| file.index.trim_end_matches('/').to_string()),
        releases: listing.releases.iter().map(|one| release(one, scope)).collect(),
        status: status.map(|status| ProjectStatus { status, reason }),
        vulnerabilities: None,
    }
}

fn release(release: &crate::resolve::listing::Release, scope: Scope) -> Release {
    let files = release.files();
    let yanked = files.iter().all(|file| file.yanked.is_some()) && !files.is_empty();
    let mut requires = files.iter().filter_map(|file| file.requires_python.as_ref());
    Release {
        version: release.version.to_string(),
        uploaded: files.iter().filter_map(|file| time(file)).min(),
        yanked: files.first().filter(|_| yanked).and_then(|file| file.yanked.clone()),
        // A file without a limit makes the release installable everywhere.
        requires_python: requires.next().filter(|_| requires.count() + 1 == files.len()).map(ToString::to_string),
        files: if scope == Scope::Whole { files.iter().map(file).collect() } else { Vec::new() },
    }
}

fn file(file: &Arc<File>) -> ReleaseFile {
    let hashes = file.hashes.iter().filter_map(|hash| hash.split_once(':'));
    ReleaseFile {
        name: file.name.clone(),
        url: file.url.clone(),
        hashes: hashes.map(|(algorithm, hex)| (algorithm.to_string(), hex.to_string())).collect(),
        uploaded: time(file),
        yanked: file.yanked.clone(),
    }
}

fn time(file: &File) -> Option<Timestamp> {
    Timestamp::from_millisecond(file.uploaded?).ok()
}

#[derive(Deserialize)]
struct Document {
    info: Info,
    #[serde(default)]
    vulnerabilities: Vec<Known>,
}

#[derive(Deserialize)]
struct Info {
    version: String,
}

#[derive(Deserialize)]
struct Known {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    fixed_in: Vec<String>,
    summary: Option<String>,
    withdrawn: Option<String>,
}

/// What the index's JSON states about a release. `None`: it states nothing, as most indexes do.
async fn vulnerabilities(
    http: &Http,
    base: &str,
    name: &str,
    version: &str,
    is_newest: bool,
) -> Option<Vec<Vulnerability>> {
    let of_release = format!("{base}/pypi/{name}/{version}/json");
    // Where there is no document for each release, that of the project speaks of its newest. It can be a hundred times as long.
    let of_project = is_newest.then(|| format!("{base}/pypi/{name}/json"));
    for address in std::iter::once(of_release).chain(of_project) {
        let request = Request::get(&address).ok()?.caching(Caching::For(FRESH));
        let Ok(answer) = http.fetch(&request).await else { continue };
        let Ok(document) = answer.json::<Document>() else { continue };
        let of = document.info.version;
        let known = document.vulnerabilities.into_iter().filter(|known| known.withdrawn.is_none());
        return Some(known.map(|known| vulnerability(known, &of)).collect());
    }
    None
}

fn vulnerability(known: Known, version: &str) -> Vulnerability {
    let Known { id, aliases, fixed_in, summary, .. } = known;
    Vulnerability { id, aliases, version: version.to_string(), fixed_in, summary }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::listing::Announced;
    use crate::resolve::listing::packed::{Entry, Page, pack, unpack};

    #[test]
    fn a_plan_is_told_the_same_of_releases_without_their_files() {
        let entry = |name: &'static str, python: Option<&'static str>, yanked: Option<&str>| Entry {
            name: name.into(),
            url: format!("https://f.example/{name}").into(),
            hashes: vec!["sha256:00".to_string()],
            requires_python: python.map(Into::into),
            uploaded: Some(1000),
            yanked: yanked.map(str::to_string),
            size: None,
            announced: Announced::No,
        };
        let entries = vec![
            entry("a-1.tar.gz", Some(">=3.8"), None),
            entry("a-1-py3-none-any.whl", Some(">=3.8"), None),
            entry("a-2-py3-none-any.whl", Some(">=3.9"), Some("broken")),
            // One file without a limit makes the release installable everywhere.
            entry("a-3.tar.gz", None, None),
            entry("a-3-py3-none-any.whl", Some(">=3.9"), None),
        ];
        let page = Page { entries, ..Page::default() };
        let (_, listing) = unpack("a", pack("a", &page), &"https://i.example/simple".into()).expect("a listing");
        let mut whole = of_listing(&listing, Scope::Whole);
        let python: Vec<Option<&str>> = whole.releases.iter().map(|one| one.requires_python.as_deref()).collect();
        assert_eq!(python, [Some(">=3.8"), Some(">=3.9"), None]);
        assert_eq!(whole.releases.iter().map(|one| one.files.len()).collect::<Vec<_>>(), [2, 1, 2]);
        whole.releases.iter_mut().for_each(|one| one.files.clear());
        assert_eq!(whole, of_listing(&listing, Scope::Steps));
    }
}
