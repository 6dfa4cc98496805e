//! From the address of a remote to its forge: which kind, where its interface is, which token may go there.

use super::super::credential::{Authorization, Token};
use super::super::environment::Environment;
use super::super::failure::Failure;

/// Kinds of forges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GitHub, GitHub Enterprise.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea, Forgejo.
    Gitea,
}

impl Kind {
    /// As its users write it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Github => "GitHub",
            Kind::Gitlab => "GitLab",
            Kind::Gitea => "Gitea",
        }
    }

    fn named(word: &str) -> Option<Kind> {
        Some(match word {
            "github" => Kind::Github,
            "gitlab" => Kind::Gitlab,
            "gitea" => Kind::Gitea,
            _ => return None,
        })
    }

    /// Variables that hold tokens for such a forge, by custom.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Kind::Github => &["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
            Kind::Gitlab => &["GITLAB_TOKEN"],
            Kind::Gitea => &["GITEA_TOKEN", "FORGEJO_TOKEN", "CODEBERG_TOKEN"],
        }
    }
}

/// What the configuration says about the forge.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// `forge`.
    pub kind: Option<&'a str>,
    /// `api`.
    pub api: Option<&'a str>,
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Which kind of forge.
    pub kind: Kind,
    /// Where its interface is, without a closing `/`.
    pub api: String,
    /// The repository: `owner/name`, on GitLab perhaps deeper.
    pub repository: String,
    host: String,
}

/// A token, and the variable that it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The token.
    pub token: Token,
    /// The name of the variable.
    pub variable: &'static str,
}

const OWN_VARIABLE: &str = "PINGUARD_TOKEN";

impl Address {
    /// The forge of a remote's address (without credentials).
    pub fn of(remote: &str, named: Named<'_>, environment: &Environment) -> Result<Address, Failure> {
        let unknown = |why: &str| Failure::BadAddress {
            what: remote.to_string(),
            why: format!("{why}; set `[upgrade] forge` (and `api`), or run with --no-request"),
        };
        let (scheme, host, path) = split(remote).ok_or_else(|| unknown("no forge can be told from it"))?;
        let bare = host.split(':').next().unwrap_or(&host).to_string();
        let repository = path.trim_matches('/').trim_end_matches(".git").to_string();
        let kind = named.kind.and_then(Kind::named).or_else(|| kind_of(&bare, environment));
        let kind = kind.ok_or_else(|| unknown("no forge can be told from it"))?;
        if !repository.contains('/') || kind != Kind::Gitlab && repository.matches('/').count() != 1 {
            return Err(unknown("it names no repository of an owner"));
        }
        let api = named.api.map(str::to_string).or_else(|| api_of_ci(kind, &bare, environment));
        let api = api.unwrap_or_else(|| match (kind, bare.as_str()) {
            (Kind::Github, "github.com") => "https://api.github.com".to_string(),
            (Kind::Github, _) => format!("{scheme}://{host}/api/v3"),
            (Kind::Gitlab, _) => format!("{scheme}://{host}/api/v4"),
            (Kind::Gitea, _) => format!("{scheme}://{host}/api/v1"),
        });
        let api = api.trim_end_matches('/').to_string();
        let api_host = split(&api).map(|(_, host, _)| host.split(':').next().unwrap_or("").to_string());
        let at_home = api_host.is_some_and(|at| at == bare || at.strip_prefix("api.") == Some(bare.as_str()));
        if !at_home && api_of_ci(kind, &bare, environment).is_none_or(|of_ci| of_ci.trim_end_matches('/') != api) {
            let why = "`[upgrade] api` is on another host than the remote, and no token goes there".to_string();
            return Err(Failure::BadAddress { what: api, why });
        }
        Ok(Address { kind, api, repository, host: bare })
    }

    /// The token for this forge: `PINGUARD_TOKEN`, else what is set by custom, where it belongs to this host.
    pub fn token(&self, environment: &Environment) -> Option<Found> {
        let get = |variable: &'static str| {
            environment.get(variable).map(|text| Found { token: Token::new(text.trim()), variable })
        };
        let own = get(OWN_VARIABLE);
        own.or_else(|| {
            self.kind.variables().iter().filter(|name| self.belongs(name, environment)).find_map(|name| get(name))
        })
    }

    /// Whether a variable's token is for this host: the tokens of a vendor's CI must not go to another server.
    fn belongs(&self, variable: &str, environment: &Environment) -> bool {
        let of_ci = |name: &str| {
            let url = environment.get(name).and_then(split);
            url.is_some_and(|(_, host, _)| host.split(':').next() == Some(self.host.as_str()))
        };
        match variable {
            "GH_TOKEN" | "GITHUB_TOKEN" => self.host == "github.com" || of_ci("GITHUB_SERVER_URL"),
            "GITLAB_TOKEN" => self.host == "gitlab.com" || of_ci("CI_SERVER_URL") || !environment.is_set("GITLAB_CI"),
            "CODEBERG_TOKEN" => self.host == "codeberg.org",
            _ => self.host != "github.com" && self.host != "gitlab.com",
        }
    }

    /// How the forge wants to be told who asks.
    pub fn authorization(&self, token: &Token) -> Authorization {
        match self.kind {
            Kind::Github => Authorization::Bearer(token.clone()),
            Kind::Gitlab => Authorization::Header("private-token", token.clone()),
            Kind::Gitea => Authorization::Header("authorization", Token::new(format!("token {}", token.expose()))),
        }
    }

    /// What to set so that there is a token.
    pub fn wanted(&self) -> String {
        let custom = self.kind.variables()[0];
        format!(
            "set {OWN_VARIABLE} (or {custom}) to a token that may write branches and requests, or run with --no-request"
        )
    }
}

fn kind_of(host: &str, environment: &Environment) -> Option<Kind> {
    let is =
        |name: &str| environment.get(name).and_then(split).is_some_and(|(_, at, _)| at.split(':').next() == Some(host));
    let gitea_ci = environment.is_set("GITEA_ACTIONS") || environment.is_set("FORGEJO_ACTIONS");
    if host == "github.com" || host.ends_with(".ghe.com") || is("GITHUB_SERVER_URL") && !gitea_ci {
        return Some(Kind::Github);
    }
    if is("GITHUB_SERVER_URL") || ["gitea", "forgejo", "codeberg.org"].iter().any(|word| host.contains(word)) {
        return Some(Kind::Gitea);
    }
    if host == "gitlab.com" || is("CI_SERVER_URL") || host.contains("gitlab") {
        return Some(Kind::Gitlab);
    }
    host.contains("github").then_some(Kind::Github)
}

/// What the CI of this very host says about its interface.
fn api_of_ci(kind: Kind, host: &str, environment: &Environment) -> Option<String> {
    let (server, api) = match kind {
        Kind::Github | Kind::Gitea => ("GITHUB_SERVER_URL", "GITHUB_API_URL"),
        Kind::Gitlab => ("CI_SERVER_URL", "CI_API_V4_URL"),
    };
    let (_, at, _) = split(environment.get(server)?)?;
    (at.split(':').next() == Some(host)).then(|| environment.get(api).map(str::to_string)).flatten()
}

/// Scheme for the interface, host with port, path.
fn split(address: &str) -> Option<(&'static str, String, String)> {
    if let Some((scheme, rest)) = address.split_once("://") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit('@').next().unwrap_or(host);
        return match scheme {
            "https" => Some(("https", host.to_string(), path.to_string())),
            "http" => Some(("http", host.to_string(), path.to_string())),
            // The port of ssh is not that of the interface.
            "ssh" | "git+ssh" => Some(("https", host.split(':').next()?.to_string(), path.to_string())),
            _ => None,
        };
    }
    let (host, path) = address.split_once(':')?;
    let host = host.rsplit('@').next().unwrap_or(host);
    (!host.contains('/') && host.len() > 1).then(|| ("https", host.to_string(), path.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(remote: &str, environment: &Environment) -> Option<(Kind, String, String)> {
        let address = Address::of(remote, Named::default(), environment).ok()?;
        Some((address.kind, address.api, address.repository))
    }

    #[test]
    fn a_remote_tells_its_forge() {
        let none = Environment::default();
        let expect = |kind, api: &str, repository: &str| Some((kind, api.to_string(), repository.to_string()));
        let github = expect(Kind::Github, "https://api.github.com", "acme/shop");
        for remote in
            ["https://github.com/acme/shop", "git@github.com:acme/shop.git", "ssh://git@github.com:22/acme/shop.git"]
        {
            assert_eq!(of(remote, &none), github, "{remote}");
        }
        let gitlab = expect(Kind::Gitlab, "https://gitlab.com/api/v4", "a/b/c");
        assert_eq!(of("https://gitlab.com/a/b/c.git", &none), gitlab);
        assert_eq!(of("https://codeberg.org/a/b", &none), expect(Kind::Gitea, "https://codeberg.org/api/v1", "a/b"));
        assert_eq!(of("https://git.example.org/a/b", &none), None);
        let ci = Environment::of([
            ("GITHUB_SERVER_URL", "https://git.example.org"),
            ("GITHUB_API_URL", "https://git.example.org/api/v3"),
        ]);
        let enterprise = expect(Kind::Github, "https://git.example.org/api/v3", "a/b");
        assert_eq!(of("https://git.example.org/a/b", &ci), enterprise);
    }

    #[test]
    fn tokens_go_to_their_own_host_only() {
        let set = Environment::of([("GITHUB_TOKEN", "one"), ("GITEA_TOKEN", "two")]);
        let variable = |remote: &str, kind: Option<&str>, environment: &Environment| {
            let named = Named { kind, api: None };
            Address::of(remote, named, environment).ok()?.token(environment).map(|found| found.variable)
        };
        assert_eq!(variable("https://github.com/a/b", None, &set), Some("GITHUB_TOKEN"));
        assert_eq!(variable("https://evil.example/a/b", Some("github"), &set), None);
        assert_eq!(variable("https://git.example/a/b", Some("gitea"), &set), Some("GITEA_TOKEN"));
        let own = Environment::of([("GITHUB_TOKEN", "one"), ("PINGUARD_TOKEN", "three")]);
        assert_eq!(variable("https://github.com/a/b", None, &own), Some("PINGUARD_TOKEN"));
        let elsewhere = Named { kind: Some("github"), api: Some("https://evil.example/api") };
        assert!(Address::of("https://github.com/a/b", elsewhere, &own).is_err());
    }
}
