//! The variables of the environment as a value, read once in `main` and handed down. Knows no variable's meaning but that of folders.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Variables by name. Their values may be secrets: `Debug` prints the names only.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// That of this process; variables that are not text are left out.
    pub fn of_process() -> Environment {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Environment(std::env::vars_os().filter_map(text).collect())
    }

    /// These variables.
    pub fn of<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Environment {
        Environment(variables.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is set and not empty.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The user's home.
    pub fn home(&self) -> Option<PathBuf> {
        self.get("HOME").or_else(|| self.get("USERPROFILE")).map(PathBuf::from)
    }

    /// Where pinguard keeps answers between runs: `XDG_CACHE_HOME/pinguard`, else `~/.cache/pinguard`.
    pub fn cache_folder(&self) -> Option<PathBuf> {
        let xdg = self.get("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        xdg.or_else(|| Some(self.home()?.join(".cache"))).map(|folder| folder.join("pinguard"))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_folder_follows_xdg() {
        let both = Environment::of([("HOME", "/home/me"), ("XDG_CACHE_HOME", "/tmp/cache")]);
        assert_eq!(both.cache_folder(), Some(PathBuf::from("/tmp/cache/pinguard")));
        let home = Environment::of([("HOME", "/home/me"), ("XDG_CACHE_HOME", "")]);
        assert_eq!(home.cache_folder(), Some(PathBuf::from("/home/me/.cache/pinguard")));
        assert_eq!(Environment::default().cache_folder(), None);
        assert!(!format!("{both:?}").contains("/tmp/cache"));
    }
}
