//! Logins of `~/.netrc`, by host. <https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html>

use super::credential::Token;
use super::disk;
use super::environment::Environment;
use std::path::PathBuf;

/// The entries of a netrc file.
#[derive(Debug, Clone, Default)]
pub struct Netrc {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    /// `None`: the default for every host.
    machine: Option<String>,
    login: String,
    password: Option<Token>,
}

impl Netrc {
    /// `$NETRC`, else `~/.netrc` or `~/_netrc`. A file that is not there or cannot be read has no entries.
    pub fn of(environment: &Environment) -> Netrc {
        let named = environment.get("NETRC").map(PathBuf::from);
        let home = environment.home();
        let usual = |name: &str| home.as_ref().map(|home| home.join(name)).filter(|path| disk::exists(path));
        let path = named.or_else(|| usual(".netrc")).or_else(|| usual("_netrc"));
        Netrc::parse(&path.and_then(|path| disk::read_named(&path).ok()).unwrap_or_default())
    }

    fn parse(text: &str) -> Netrc {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let line = line.split(" #").next().unwrap_or("");
            let mut words = line.split_whitespace().peekable();
            while let Some(word) = words.next() {
                match word {
                    "machine" => entries.push(Entry { machine: words.next().map(str::to_string), ..Entry::default() }),
                    "default" => entries.push(Entry::default()),
                    "login" | "password" | "account" => {
                        let value = words.next().unwrap_or("").trim_matches('"');
                        match (entries.last_mut(), word) {
                            (Some(entry), "login") => entry.login = value.to_string(),
                            (Some(entry), "password") => entry.password = Some(Token::new(value)),
                            _ => {}
                        }
                    }
                    // A macro runs up to the next empty line.
                    "macdef" => {
                        while lines.next().is_some_and(|line| !line.trim().is_empty()) {}
                        break;
                    }
                    word if word.starts_with('#') => break,
                    _ => {}
                }
            }
        }
        Netrc { entries }
    }

    /// User and password for a host.
    pub fn find(&self, host: &str) -> Option<(String, Token)> {
        let named = self.entries.iter().find(|entry| entry.machine.as_deref() == Some(host));
        let entry = named.or_else(|| self.entries.iter().find(|entry| entry.machine.is_none()))?;
        Some((entry.login.clone(), entry.password.clone()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_host() {
        let netrc = Netrc::parse(
            "# mine\nmachine a.example login me password one\nmachine b.example\n  login you\n  password \"two\"\n\
             macdef init\nmachine c.example login x password y\n\nmachine d.example login only\n",
        );
        let found = |host: &str| netrc.find(host).map(|(user, token)| (user, token.expose().to_string()));
        assert_eq!(found("a.example"), Some(("me".into(), "one".into())));
        assert_eq!(found("b.example"), Some(("you".into(), "two".into())));
        assert_eq!(found("c.example"), None);
        assert_eq!(found("d.example"), None);
        let with_default = Netrc::parse("default login any password x");
        assert_eq!(with_default.find("z").map(|(user, _)| user), Some("any".into()));
    }
}
