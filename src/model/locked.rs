//! What rules ask of locks: which ones can be trusted, which hosts the project declares, which host looks like another one.
//! Has no opinion on the answers and knows no format.

use super::declared::names_index;
use super::facts::ProblemKind;
use super::lock::Lock;
use super::project::Project;
use super::reference::Origin;
use super::span::SourceId;
use std::collections::BTreeSet;

/// Hosts of the default index and of its files.
const DEFAULT: [&str; 3] = ["pypi.org", "files.pythonhosted.org", "pypi.python.org"];

/// Hosts of the channels that conda and pixi know by name.
const CHANNELS: [&str; 6] =
    ["conda.anaconda.org", "repo.anaconda.com", "anaconda.org", "repo.prefix.dev", "prefix.dev", "fast.prefix.dev"];

/// Indexes whose files stand on other hosts.
const FILES: [(&str, &str); 4] = [
    ("test.pypi.org", "test-files.pythonhosted.org"),
    ("download.pytorch.org", "pypi.nvidia.com"),
    ("pkgs.dev.azure.com", "pkgs.visualstudio.com"),
    ("npm.pkg.github.com", "github.com"),
];

/// Ends of host names below which anybody can have a name.
const SHARED: [&str; 14] = [
    "github.io",
    "gitlab.io",
    "pages.dev",
    "workers.dev",
    "netlify.app",
    "vercel.app",
    "amazonaws.com",
    "cloudfront.net",
    "azurewebsites.net",
    "windows.net",
    "herokuapp.com",
    "co.uk",
    "com.cn",
    "com.au",
];

/// What stands between `://` and the path of a URL; empty when there is no such mark.
pub fn authority(url: &str) -> &str {
    let mark = memchr::memchr_iter(b':', url.as_bytes()).find(|at| url[at + 1..].starts_with("//"));
    mark.map_or("", |at| url[at + 3..].split(['/', '?', '#']).next().unwrap_or(""))
}

/// The host of a URL in lower case, without user and port; empty when there is none.
pub fn host(url: &str) -> String {
    let authority = authority(url);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    port.map_or(host, |(host, _)| host).to_ascii_lowercase()
}

/// Whether a host is this machine or a name that only a private network has.
pub fn is_private(host: &str) -> bool {
    let ends = [".local", ".internal", ".lan", ".localhost", ".svc", ".test"];
    let numbers = ["127.", "10.", "192.168.", "[::1]"];
    host == "localhost"
        || !host.contains('.')
        || ends.iter().any(|end| host.ends_with(end))
        || numbers.iter().any(|lead| host.starts_with(lead))
}

/// The part of a host name that one owner has.
fn owner(host: &str) -> &str {
    let dots = || memchr::memrchr_iter(b'.', host.as_bytes());
    let tail = |count: usize| dots().nth(count - 1).map_or(host, |at| &host[at + 1..]);
    if SHARED.contains(&tail(2)) { tail(3) } else { tail(2) }
}

/// Hosts that a project names as places of packages.
#[derive(Debug, Default)]
pub struct Hosts {
    declared: BTreeSet<String>,
}

impl Hosts {
    /// Whether a host is declared, or belongs to the owner of a declared one.
    pub fn declares(&self, host: &str) -> bool {
        let files = |declared: &str| FILES.iter().any(|(index, files)| *index == declared && host.ends_with(files));
        let owned = owner(host);
        let same_owner = |declared: &str| owned.contains('.') && owner(declared) == owned;
        self.declared.contains(host) || self.declared.iter().any(|declared| files(declared) || same_owner(declared))
    }

    /// The declared host that this one can be taken for.
    pub fn like(&self, host: &str) -> Option<&str> {
        // A trusted name as a part of another one's.
        let words = ["pypi.org", "pythonhosted", "pypi", "anaconda.org"];
        let worn = words.iter().find(|word| host.contains(*word));
        let near = self.declared.iter().find(|declared| {
            declared.len() > 5
                && (distance(declared, host) <= 2
                    || distance(owner(declared), owner(host)) <= 1
                    || host.contains(declared.as_str()))
        });
        let default =
            || worn.and_then(|word| DEFAULT.iter().chain(&CHANNELS).find(|host| host.contains(*word)).copied());
        near.map(String::as_str).or_else(default)
    }
}

/// How many letters must be changed, added or left out to make one word of another; long words that differ in length are far apart.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > 2 || a.len() > 253 || b.len() > 253 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let change = corner + usize::from(left != right);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

impl Project {
    /// Locks that were read in full and whose format is known.
    pub fn trusted_locks(&self) -> impl Iterator<Item = &Lock> {
        self.lock_files().filter(|lock| lock.known && !self.is_broken(lock.at.source))
    }

    /// Whether a part of a source could not be read.
    pub fn is_broken(&self, source: SourceId) -> bool {
        self.facts_of(source).problems.iter().any(|problem| problem.kind == ProblemKind::Unreadable)
    }

    /// The hosts of every index that the project names, of direct URLs of its requirements, and those that need no name.
    pub fn declared_hosts(&self) -> Hosts {
        let mut declared: BTreeSet<String> = DEFAULT.iter().map(|host| host.to_string()).collect();
        let mut take = |url: &str| {
            declared.insert(host(url));
        };
        // What a compiled file says is what its compiler wrote, or somebody after it.
        let written = |source: SourceId| self.facts_of(source).locks.is_empty();
        for index in
            self.manifests().filter(|manifest| written(manifest.at.source)).flat_map(|manifest| &manifest.indexes)
        {
            take(&index.url);
        }
        for manifest in self.manifests() {
            let command = manifest.compiled.as_ref().and_then(|compiled| compiled.command.as_deref());
            urls_in(command.unwrap_or("")).for_each(&mut take);
        }
        for lock in self.lock_files() {
            let commands = lock.statement.settings.iter().filter(|(key, _)| key == "command");
            commands.for_each(|(_, command)| urls_in(command).for_each(&mut take));
        }
        for (_, reference) in self.references().filter(|(id, _)| written(id.source)) {
            if let Origin::Url(url) | Origin::Vcs(url) = &reference.origin {
                take(url);
            }
        }
        self.command_hosts(&mut take);
        self.variable_hosts(&mut take);
        self.settings_hosts(&mut take);
        for allowed in &self.policy.indexes {
            if allowed.contains("://") { take(allowed) } else { take(&format!("https://{allowed}")) }
        }
        declared.remove("");
        Hosts { declared }
    }

    fn command_hosts(&self, take: &mut dyn FnMut(&str)) {
        const OPTIONS: [&str; 11] = [
            "--index-url",
            "-i",
            "--extra-index-url",
            "--default-index",
            "--index",
            "--find-links",
            "-f",
            "--pypi-mirror",
            "config",
            "source",
            "--channel",
        ];
        for site in self.commands() {
            let words = &site.command.words;
            let options =
                words.iter().any(|word| OPTIONS.iter().any(|option| word.text.text.split('=').next() == Some(*option)));
            // `PIP_INDEX_URL=… pip install`, `export UV_INDEX_URL=…`.
            let assigned = site.command.assigns.iter().filter(|(name, _)| names_index(name));
            assigned.for_each(|(_, value)| urls_in(&value.text).for_each(&mut *take));
            let exported = words
                .iter()
                .map(|word| word.text.text.as_str())
                .filter(|word| word.split_once('=').is_some_and(|(name, _)| names_index(name)));
            exported.for_each(|word| urls_in(word).for_each(&mut *take));
            if options {
                words.iter().for_each(|word| urls_in(&word.text.text).for_each(&mut *take));
            }
        }
    }

    /// Hosts of channels: those known by name, and those that a manifest of conda or pixi writes.
    pub fn declared_channels(&self, lock: &Lock) -> Hosts {
        let mut declared: BTreeSet<String> = CHANNELS.iter().map(|host| host.to_string()).collect();
        let folder = self.source(lock.at.source).folder();
        let near =
            self.sources.iter().filter(|source| source.folder() == folder && self.facts_of(source.id).locks.is_empty());
        for source in near {
            declared.extend(source.text.lines().flat_map(urls_in).map(host));
        }
        // The files that the lock says it was made from stand elsewhere at times.
        let sources = lock.statement.settings.iter().filter(|(key, _)| key == "source").map(|(_, path)| path.as_str());
        let named = sources.filter_map(|path| self.beside(lock.at.source, path));
        let named = named.filter(|&source| self.facts_of(source).locks.is_empty());
        declared.extend(named.flat_map(|source| self.source(source).text.lines()).flat_map(urls_in).map(host));
        declared.remove("");
        Hosts { declared }
    }
}

/// The URLs in a text, cut at white space, quotes and commas.
pub(super) fn urls_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '(' | ')' | '[' | ']'));
    words.filter_map(|word| {
        let at = word.find("://")?;
        let scheme =
            word[..at].rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).map_or(0, |before| before + 1);
        word.get(scheme..)
    })
}

/// `one` behind a single name, else `many`.
pub fn verb(names: &[&str], one: &'static str, many: &'static str) -> &'static str {
    if names.len() == 1 { one } else { many }
}

/// A few of many names, as a person lists them.
pub fn several(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => String::new(),
        1 => shown[0].clone(),
        len if len <= SHOWN => format!("{} and {}", shown[..len - 1].join(", "), shown[len - 1]),
        len => format!("{} and {} more", shown.join(", "), len - SHOWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[&str]) -> Hosts {
        Hosts { declared: list.iter().map(|host| host.to_string()).collect() }
    }

    #[test]
    fn hosts_are_compared_by_owner_and_by_look() {
        let known = hosts(&["pypi.org", "files.pythonhosted.org", "download.pytorch.org", "acme.github.io"]);
        for host in ["files.pythonhosted.org", "download-r2.pytorch.org", "acme.github.io"] {
            assert!(known.declares(host), "{host}");
        }
        for host in ["evil.github.io", "files.pythonhosted.org.evil.com", "github.com"] {
            assert!(!known.declares(host), "{host}");
        }
        for (host, like) in [
            ("files.pythonhosted.org.evil.com", Some("files.pythonhosted.org")),
            ("files.pythonh0sted.org", Some("files.pythonhosted.org")),
            ("files.python-hosted.org", Some("files.pythonhosted.org")),
            ("pypl.org", Some("pypi.org")),
            ("packages.acme.example", None),
        ] {
            assert_eq!(known.like(host), like, "{host}");
        }
    }

    #[test]
    fn hosts_are_taken_out_of_urls() {
        assert_eq!(host("https://u:p@X.org:8080/a"), "x.org");
        assert_eq!(host("./local"), "");
        assert!(is_private("devpi") && is_private("127.0.0.1") && !is_private("pypi.org"));
    }
}
