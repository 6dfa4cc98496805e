//! From an image's name to the address of its registry, by the rules of Docker and of `registries.conf`.
//!
//! Mirrors come from the machine's own `registries.conf` (`man containers-registries.conf`), never from a project: a project must not
//! say where credentials go.

use crate::world::disk;
use crate::world::environment::Environment;
use crate::world::failure::Failure;
use serde::Deserialize;
use std::path::PathBuf;

/// Where an image is pulled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `https://host/v2/path`.
    pub base: String,
    /// The name that logins are kept under.
    pub login: String,
    /// The repository at the registry.
    pub repository: String,
}

/// Which registries are reached by another address.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, Deserialize)]
struct Rule {
    prefix: Option<String>,
    location: Option<String>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror: Vec<Mirror>,
}

#[derive(Debug, Clone, Deserialize)]
struct Mirror {
    location: String,
    #[serde(default)]
    insecure: bool,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    registry: Vec<Rule>,
}

impl Rules {
    /// The rules of `CONTAINERS_REGISTRIES_CONF`, else of the user, else of the machine. A file that cannot be read gives none.
    pub fn of(environment: &Environment) -> Rules {
        let named = environment.get("CONTAINERS_REGISTRIES_CONF").map(PathBuf::from);
        let own = environment.home().map(|home| home.join(".config/containers/registries.conf"));
        let files = [named, own, Some(PathBuf::from("/etc/containers/registries.conf"))];
        let found = files.into_iter().flatten().find(|path| disk::exists(path));
        let text = found.and_then(|path| disk::read_named(&path).ok()).unwrap_or_default();
        Rules::parse(&text)
    }

    fn parse(text: &str) -> Rules {
        Rules { rules: toml::from_str::<File>(text).map(|file| file.registry).unwrap_or_default() }
    }

    /// Where an image (`python`, `ghcr.io/a/b`, `127.0.0.1:5000/x`) is pulled from.
    pub fn place(&self, image: &str) -> Result<Place, Failure> {
        let bad = |why: String| Failure::BadAddress { what: image.to_string(), why };
        let parsed: oci_client::Reference =
            image.parse().map_err(|error: oci_client::ParseError| bad(error.to_string()))?;
        let (registry, repository) = (parsed.registry(), parsed.repository());
        let full = format!("{registry}/{repository}");
        let Some(rule) = self.rule(&full) else { return Ok(place(registry, repository, registry, false)) };
        if rule.blocked {
            return Err(bad("registries.conf blocks this registry".to_string()));
        }
        let prefix = rule.prefix.as_deref().or(rule.location.as_deref()).unwrap_or(registry);
        let rest = full.strip_prefix(prefix).unwrap_or(&full);
        let (location, insecure) = match (rule.mirror.first(), &rule.location) {
            (Some(mirror), _) => (mirror.location.as_str(), mirror.insecure),
            (None, Some(location)) => (location.as_str(), rule.insecure),
            (None, None) => (prefix, rule.insecure),
        };
        let joined = format!("{location}{rest}");
        let (host, path) =
            joined.split_once('/').ok_or_else(|| bad("registries.conf names no registry".to_string()))?;
        Ok(place(host, path, host, insecure))
    }

    /// The rule with the longest prefix.
    fn rule(&self, full: &str) -> Option<&Rule> {
        let prefix = |rule: &Rule| rule.prefix.clone().or_else(|| rule.location.clone()).unwrap_or_default();
        let fits = |rule: &&Rule| {
            let prefix = prefix(rule);
            full.strip_prefix(&prefix)
                .is_some_and(|rest| !prefix.is_empty() && (rest.is_empty() || rest.starts_with('/')))
        };
        self.rules.iter().filter(fits).max_by_key(|rule| prefix(rule).len())
    }
}

fn place(registry: &str, repository: &str, login: &str, insecure: bool) -> Place {
    let (host, login) = match registry {
        "docker.io" | "index.docker.io" => ("registry-1.docker.io", "https://index.docker.io/v1/"),
        _ => (registry, login),
    };
    // As Docker does: a registry on this machine speaks plain HTTP.
    let scheme = if insecure || is_loopback(host) { "http" } else { "https" };
    Place {
        base: format!("{scheme}://{host}/v2/{repository}"),
        login: login.to_string(),
        repository: repository.to_string(),
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.starts_with("127.") || name == "[::1]"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(rules: &str, image: &str) -> String {
        Rules::parse(rules).place(image).map_or_else(|failure| failure.to_string(), |place| place.base)
    }

    #[test]
    fn names_lead_to_registries() {
        for (image, want) in [
            ("python", "https://registry-1.docker.io/v2/library/python"),
            ("grafana/grafana", "https://registry-1.docker.io/v2/grafana/grafana"),
            ("ghcr.io/a/b", "https://ghcr.io/v2/a/b"),
            ("127.0.0.1:5000/x", "http://127.0.0.1:5000/v2/x"),
            ("localhost:5000/x", "http://localhost:5000/v2/x"),
        ] {
            assert_eq!(base("", image), want, "{image}");
        }
        assert!(base("", "a/${B}").contains("is no address"));
    }

    #[test]
    fn mirrors_are_those_of_the_machine() {
        let rules = "[[registry]]\nprefix = \"docker.io\"\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"mirror.example/hub\"\n\
                     [[registry]]\nprefix = \"docker.io/library\"\nlocation = \"127.0.0.1:5000/lib\"\n\
                     [[registry]]\nlocation = \"bad.example\"\nblocked = true\n";
        assert_eq!(base(rules, "grafana/grafana"), "https://mirror.example/v2/hub/grafana/grafana");
        assert_eq!(base(rules, "python"), "http://127.0.0.1:5000/v2/lib/python");
        assert!(base(rules, "bad.example/x").contains("blocks"));
        assert_eq!(base(rules, "quay.io/x/y"), "https://quay.io/v2/x/y");
    }
}
