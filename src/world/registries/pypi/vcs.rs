//! Requirements that lead to a git repository: `git+https://host/project@ref#subdirectory=x`. What they need is read from the
//! `pyproject.toml` of the commit, when that says it for good; nothing is built.

use super::fetch::{named, unusable};
use super::{Shared, absent};
use crate::resolve::listing::{Absent, Direct};
use crate::resolve::metadata::Metadata;
use crate::resolve::requirement::Name;
use crate::world::failure::Failure;
use crate::world::git_files;
use crate::world::http::{Mode, shown};
use crate::world::registries::git_host::GitHost;

/// The parts of an address.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'u> {
    repository: &'u str,
    revision: Option<&'u str>,
    fragment: &'u str,
    folder: &'u str,
}

impl Shared {
    /// What a repository holds at what is asked for; the address with the commit is what a lock writes.
    pub(super) async fn version_controlled(&self, name: &Name, address: &str) -> Result<Direct, Absent> {
        let parts = parts(address);
        let commit = self.commit(&parts).await.map_err(absent)?;
        let path = match parts.folder {
            "" => "pyproject.toml".to_string(),
            folder => format!("{}/pyproject.toml", folder.trim_matches('/')),
        };
        let text = self.file(parts.repository, &commit, path).await.map_err(absent)?;
        // Without one there is a `setup.py`, which would have to be run.
        let text = text.ok_or(Absent::NeedsBuild)?;
        let metadata = Metadata::of_pyproject(&text, None).map_err(unusable)?;
        let fragment = if parts.fragment.is_empty() { String::new() } else { format!("#{}", parts.fragment) };
        named(name, metadata, Vec::new(), &format!("git+{}@{commit}{fragment}", parts.repository))
    }

    async fn commit(&self, parts: &Parts<'_>) -> Result<String, Failure> {
        let revision = parts.revision.unwrap_or("HEAD");
        if revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(revision.to_ascii_lowercase());
        }
        let git = self.git.get_or_init(|| GitHost::new(self.http.clone(), &self.environment));
        let refs = git.refs(parts.repository).await?;
        let missing = || Failure::NotFound { what: format!("`{revision}` of {}", shown(parts.repository)) };
        refs.commit_of(revision).map(str::to_string).ok_or_else(missing)
    }

    async fn file(&self, repository: &str, commit: &str, path: String) -> Result<Option<String>, Failure> {
        if self.http.mode() == Mode::Offline {
            return Err(Failure::Offline { what: shown(repository) });
        }
        let (repository, commit) = (repository.to_string(), commit.to_string());
        let asked = tokio::task::spawn_blocking(move || git_files::text(&repository, &commit, &path)).await;
        asked.unwrap_or_else(|_| {
            let next = "run again".to_string();
            Err(Failure::Tool { name: "git".to_string(), why: "did not end as it should".to_string(), next })
        })
    }
}

fn parts(address: &str) -> Parts<'_> {
    let (address, fragment) = address.split_once('#').unwrap_or((address, ""));
    // An `@` before the path belongs to the login.
    let path = address.find("://").map_or(0, |at| at + 3);
    let path = address[path..].find('/').map_or(address.len(), |at| path + at);
    let (repository, revision) = match address[path..].rfind('@') {
        Some(at) => (&address[..path + at], Some(&address[path + at + 1..])),
        None => (address, None),
    };
    let folder = fragment.split('&').find_map(|pair| pair.strip_prefix("subdirectory=")).unwrap_or("");
    Parts { repository, revision: revision.filter(|revision| !revision.is_empty()), fragment, folder }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let all = parts("ssh://git@host/a/b.git@v1.0#subdirectory=x/y&egg=z");
        let want = Parts {
            repository: "ssh://git@host/a/b.git",
            revision: Some("v1.0"),
            fragment: "subdirectory=x/y&egg=z",
            folder: "x/y",
        };
        assert_eq!(all, want);
        assert_eq!(parts("https://host/a/b").revision, None);
    }
}
