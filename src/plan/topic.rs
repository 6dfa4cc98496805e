//! What there is to ask about a reference, and where. Asks nobody.

use crate::ecosystems::git;
use crate::model::change::Why;
use crate::model::knowledge::Topic;
use crate::model::reference::{Ecosystem, Origin, Reference, Role, Subject};

/// The servers that names without a host belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// `owner/repo` of actions and hooks: `https://github.com`, or the server of an enterprise.
    pub github: String,
    /// `group/project` of GitLab's includes.
    pub gitlab: String,
}

impl Default for Places {
    fn default() -> Places {
        Places { github: "https://github.com".to_string(), gitlab: "https://gitlab.com".to_string() }
    }
}

/// The topic of a reference; `None`: there is no registry for it, or it is a part of this repository.
pub fn of(reference: &Reference, places: &Places) -> Option<Topic> {
    if matches!(reference.origin, Origin::Local | Origin::Path(_)) {
        return None;
    }
    match (&reference.origin, reference.subject.ecosystem) {
        // A server that only the system knows.
        (Origin::Vcs(url), _) if url.contains("$(") => None,
        (Origin::Vcs(url), _) => Some(repository(git::name_of(url), url.clone())),
        (Origin::Url(url), Ecosystem::Git) => raw_file(url),
        (Origin::Registry, Ecosystem::Git) => by_name(reference, places),
        (Origin::Registry, Ecosystem::Toolchain) => {
            let known = reference.subject.name == "python" && reference.role == Role::Python;
            let place = Some(CPYTHON.to_string());
            known.then(|| Topic { subject: reference.subject.clone(), place })
        }
        (Origin::Registry, Ecosystem::Npm | Ecosystem::Cargo | Ecosystem::Go | Ecosystem::Orb) => {
            Some(Topic::usual(reference.subject.clone()))
        }
        (Origin::Registry, Ecosystem::Oci | Ecosystem::Pypi) => Some(Topic::usual(reference.subject.clone())),
        _ => None,
    }
}

/// Why there is nobody to ask about a reference without a topic, and the way out.
pub fn nobody(reference: &Reference) -> Why {
    let name = &reference.subject.name;
    match reference.subject.ecosystem {
        Ecosystem::Git if !matches!(reference.origin, Origin::Local | Origin::Path(_)) => Why::Other(format!(
            "no file says which server holds `{name}`; look up the commit there (`git ls-remote`) and write it"
        )),
        _ => Why::NoRegistry,
    }
}

/// The releases of CPython are the tags of its repository.
const CPYTHON: &str = "https://github.com/python/cpython";

fn repository(name: String, url: String) -> Topic {
    let url = url.strip_prefix("git+").map(str::to_string).unwrap_or(url);
    Topic { subject: Subject { ecosystem: Ecosystem::Git, name }, place: Some(url) }
}

fn by_name(reference: &Reference, places: &Places) -> Option<Topic> {
    let name = reference.subject.name.trim_end_matches('/');
    let parts: Vec<&str> = name.split('/').collect();
    let has_host = parts[0].contains(['.', ':']);
    let included = reference.role == Role::CiInclude && reference.key.starts_with("include.");
    if name.contains(['$', '{', ' ']) || parts.len() < 2 {
        return None;
    }
    Some(match (has_host, included) {
        // The last part of a component's address is the component.
        (true, true) => {
            let project = parts[..parts.len() - 1].join("/");
            repository(project.clone(), format!("https://{project}"))
        }
        (true, false) => repository(name.to_string(), format!("https://{name}")),
        (false, true) => repository(name.to_string(), format!("{}/{name}", places.gitlab)),
        (false, false) => {
            let project = parts[..2].join("/");
            repository(project.clone(), format!("{}/{project}", places.github))
        }
    })
}

/// The repository behind the address of one of its files.
fn raw_file(url: &str) -> Option<Topic> {
    if let Some(rest) = url.strip_prefix("https://raw.githubusercontent.com/") {
        let parts: Vec<&str> = rest.splitn(3, '/').collect();
        let [owner, name, _] = parts[..] else { return None };
        return Some(repository(format!("{owner}/{name}"), format!("https://github.com/{owner}/{name}")));
    }
    let (project, _) = url.split_once("/-/raw/")?;
    Some(repository(git::name_of(project), project.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::{Location, SourceId, Span};

    fn place(name: &str, role: Role, key: &str, origin: Origin) -> Option<String> {
        let mut reference = Reference::new(Ecosystem::Git, name, role, Location::new(SourceId(0), Span::new(0, 1)));
        reference.key = key.to_string();
        reference.origin = origin;
        of(&reference, &Places::default())?.place
    }

    #[test]
    fn names_lead_to_repositories() {
        let registry = || Origin::Registry;
        for (name, role, key, want) in [
            ("actions/checkout", Role::CiStep, "jobs.a", Some("https://github.com/actions/checkout")),
            ("github/codeql-action/init", Role::CiStep, "jobs.a", Some("https://github.com/github/codeql-action")),
            ("o/r/.github/workflows/x.yml", Role::CiInclude, "jobs.a", Some("https://github.com/o/r")),
            ("group/sub/ci", Role::CiInclude, "include.group/sub/ci", Some("https://gitlab.com/group/sub/ci")),
            ("gitlab.com/g/p/sast", Role::CiInclude, "include.gitlab.com/g/p/sast", Some("https://gitlab.com/g/p")),
            ("$CI_SERVER_FQDN/g/p", Role::CiInclude, "include.x", None),
            ("gitlab.com/a/b", Role::Hook, "repos", Some("https://gitlab.com/a/b")),
        ] {
            assert_eq!(place(name, role, key, registry()).as_deref(), want, "{name}");
        }
        let ssh = Origin::Vcs("git+ssh://git@host/a/b".into());
        assert_eq!(place("x", Role::Runtime, "", ssh).as_deref(), Some("ssh://git@host/a/b"));
        let raw = Origin::Url("https://gitlab.example/a/b/-/raw/v1/x.yml".into());
        assert_eq!(place("x", Role::CiInclude, "", raw).as_deref(), Some("https://gitlab.example/a/b"));
        assert_eq!(place("./x", Role::CiStep, "", Origin::Local), None);
    }
}
