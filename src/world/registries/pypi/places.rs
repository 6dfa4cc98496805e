//! Which indexes are asked, in which order, and who asks: as pip and uv read their flags, environment and files.

use crate::resolve::requirement::Name;
use crate::world::credential::{Authorization, Token};
use crate::world::environment::Environment;
use crate::world::http::shown;
use std::path::PathBuf;
use url::Url;

/// The index that is asked when nothing else is said.
pub const PYPI: &str = "https://pypi.org/simple";

/// An index.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its address without credentials and without a slash at the end.
    pub url: String,
    /// Its name in uv's settings.
    pub name: Option<String>,
    /// Credentials of its address or of the environment.
    pub authorization: Option<Authorization>,
    /// The user that its address names without a password.
    pub user: Option<String>,
    /// Whether it is asked only for packages that name it.
    pub explicit: bool,
}

/// How indexes are named.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The default index.
    pub default: Option<String>,
    /// Further ones, asked first.
    pub extra: Vec<String>,
    /// Whether no index may be asked at all.
    pub none: bool,
}

/// The indexes of a run.
#[derive(Debug, Clone)]
pub struct Places {
    /// In the order in which they are asked.
    pub list: Vec<Place>,
    /// Packages that are tied to an index, by its name.
    pub tied: Vec<(Name, String)>,
    /// Whether the keyring program may be asked.
    pub keyring: bool,
}

impl Place {
    /// Reads an address as it is written: `name=https://user:password@host/simple`.
    pub fn read(text: &str, environment: &Environment) -> Option<Place> {
        let (name, address) = match text.split_once('=') {
            Some((name, rest)) if rest.contains("://") && !name.contains([':', '/']) => (Some(name.to_string()), rest),
            _ => (None, text),
        };
        let mut url = Url::parse(address.trim()).ok()?;
        let (user, password) = (decoded(url.username()), url.password().map(decoded));
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        let mut authorization = None;
        let mut only_user = None;
        match (user.is_empty(), password) {
            (true, None) => {}
            (false, None) => only_user = Some(user),
            (_, Some(password)) => authorization = Some(Authorization::Basic(user, Token::new(password))),
        }
        if let Some(name) = &name {
            let key: String =
                name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
            let user = environment.get(&format!("UV_INDEX_{key}_USERNAME"));
            let password = environment.get(&format!("UV_INDEX_{key}_PASSWORD"));
            if user.is_some() || password.is_some() {
                let password = Token::new(password.unwrap_or_default());
                authorization = Some(Authorization::Basic(user.unwrap_or_default().to_string(), password));
            }
        }
        let url = url.to_string().trim_end_matches('/').to_string();
        Some(Place { url, name, authorization, user: only_user, explicit: false })
    }

    /// For people and locks: without credentials.
    pub fn shown(&self) -> String {
        shown(&self.url)
    }
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|_| bytes[at] == b'%') {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Places {
    /// The indexes that the inputs name, else those of uv's environment, else those of pip's, else of pip's files, else PyPI.
    ///
    /// `read` gives the text of a file of the user; it is asked for pip's configuration only.
    pub fn of(
        inputs: &Named,
        environment: &Environment,
        read: &dyn Fn(&PathBuf) -> Option<String>,
    ) -> Result<Places, String> {
        let named = if inputs.none {
            Named { none: true, ..Named::default() }
        } else {
            let around = around(environment, read);
            Named {
                default: inputs.default.clone().or(around.default),
                // An input that names its own default says all that there is to ask.
                extra: if inputs.default.is_some() || !inputs.extra.is_empty() {
                    inputs.extra.clone()
                } else {
                    around.extra
                },
                none: false,
            }
        };
        let mut list: Vec<Place> = Vec::new();
        let default = named.default.unwrap_or_else(|| PYPI.to_string());
        let all = named.extra.iter().chain(std::iter::once(&default)).filter(|_| !named.none);
        for text in all {
            if text.contains("${") {
                return Err(format!(
                    "the index `{}` holds a variable, which is not filled in from the environment; set PIP_INDEX_URL or UV_DEFAULT_INDEX",
                    shown_raw(text)
                ));
            }
            let place = Place::read(text, environment)
                .ok_or_else(|| format!("`{}` is no address of an index; mend it", shown_raw(text)))?;
            if !list.iter().any(|known| known.url == place.url) {
                list.push(place);
            }
        }
        let provider = ["UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER"];
        let keyring = provider.iter().any(|name| environment.get(name) == Some("subprocess"));
        Ok(Places { list, tied: Vec::new(), keyring })
    }
}

fn shown_raw(text: &str) -> String {
    shown(text)
}

fn around(environment: &Environment, read: &dyn Fn(&PathBuf) -> Option<String>) -> Named {
    let words = |name: &str| -> Vec<String> {
        environment.get(name).unwrap_or("").split_whitespace().map(str::to_string).collect()
    };
    let first = |names: &[&str]| names.iter().find_map(|name| environment.get(name)).map(str::to_string);
    let uv = Named {
        default: first(&["UV_DEFAULT_INDEX", "UV_INDEX_URL"]),
        extra: words("UV_INDEX").into_iter().chain(words("UV_EXTRA_INDEX_URL")).collect(),
        none: false,
    };
    if uv.default.is_some() || !uv.extra.is_empty() {
        return uv;
    }
    let pip = Named { default: first(&["PIP_INDEX_URL"]), extra: words("PIP_EXTRA_INDEX_URL"), none: false };
    let files = pip_files(environment).into_iter().filter_map(|path| read(&path));
    let mut from_files = Named::default();
    for text in files {
        let found = pip_file(&text);
        from_files.default = found.default.or(from_files.default);
        if !found.extra.is_empty() {
            from_files.extra = found.extra;
        }
    }
    Named {
        default: pip.default.or(from_files.default),
        extra: if pip.extra.is_empty() { from_files.extra } else { pip.extra },
        none: false,
    }
}

/// pip's configuration files, weakest first.
fn pip_files(environment: &Environment) -> Vec<PathBuf> {
    if let Some(path) = environment.get("PIP_CONFIG_FILE") {
        return vec![PathBuf::from(path)];
    }
    let mut paths = vec![PathBuf::from("/etc/pip.conf")];
    if let Some(home) = environment.home() {
        let config = environment.get("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        paths.extend([home.join(".pip/pip.conf"), config.join("pip/pip.conf")]);
        if cfg!(target_os = "macos") {
            paths.push(home.join("Library/Application Support/pip/pip.conf"));
        }
    }
    if let Some(data) = environment.get("APPDATA") {
        paths.push(PathBuf::from(data).join("pip/pip.ini"));
    }
    if let Some(own) = environment.get("VIRTUAL_ENV") {
        paths.push(PathBuf::from(own).join("pip.conf"));
    }
    paths
}

/// The indexes of a `pip.conf`: sections `global` and `install`.
fn pip_file(text: &str) -> Named {
    let mut named = Named::default();
    let mut counts = false;
    let mut in_extra = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            counts = matches!(section.trim(), "global" | "install");
            in_extra = false;
            continue;
        }
        if !counts {
            continue;
        }
        // A value can go on in lines that are indented.
        if line.starts_with([' ', '\t']) {
            if in_extra {
                named.extra.extend(trimmed.split_whitespace().map(str::to_string));
            }
            continue;
        }
        let Some((key, value)) = trimmed.split_once(['=', ':']) else { continue };
        let key = key.trim().replace('_', "-");
        in_extra = key == "extra-index-url";
        match key.as_str() {
            "index-url" => named.default = Some(value.trim().to_string()),
            "extra-index-url" => named.extra = value.split_whitespace().map(str::to_string).collect(),
            _ => {}
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(inputs: &Named, variables: &[(&str, &str)], file: Option<&str>) -> Vec<String> {
        let environment = Environment::of(variables.iter().copied());
        let read = |_: &PathBuf| file.map(str::to_string);
        Places::of(inputs, &environment, &read).unwrap().list.into_iter().map(|place| place.url).collect()
    }

    #[test]
    fn the_nearest_setting_decides() {
        let nothing = Named::default();
        assert_eq!(urls(&nothing, &[], None), [PYPI]);
        assert_eq!(
            urls(
                &nothing,
                &[("PIP_INDEX_URL", "https://a/simple/"), ("PIP_EXTRA_INDEX_URL", "https://b https://c")],
                None
            ),
            ["https://b", "https://c", "https://a/simple"]
        );
        assert_eq!(
            urls(&nothing, &[("UV_DEFAULT_INDEX", "https://u"), ("PIP_INDEX_URL", "https://a")], None),
            ["https://u"]
        );
        let file = "[global]\nindex-url = https://f/simple\nextra-index-url =\n    https://g\n    https://h\n[list]\nindex-url = https://no\n";
        assert_eq!(
            urls(&nothing, &[("HOME", "/h"), ("PIP_CONFIG_FILE", "/x")], Some(file)),
            ["https://g", "https://h", "https://f/simple"]
        );
        let inputs = Named { default: Some("https://i".to_string()), ..Named::default() };
        assert_eq!(urls(&inputs, &[("PIP_EXTRA_INDEX_URL", "https://b")], None), ["https://i"]);
        assert!(urls(&Named { none: true, ..Named::default() }, &[], None).is_empty());
    }

    #[test]
    fn credentials_leave_the_address() {
        let environment =
            Environment::of([("UV_INDEX_MY_CORP_USERNAME", "me"), ("UV_INDEX_MY_CORP_PASSWORD", "secret")]);
        let place = Place::read("https://me:se%40cret@h/simple/", &environment).unwrap();
        assert_eq!(place.url, "https://h/simple");
        assert_eq!(place.authorization, Some(Authorization::Basic("me".into(), Token::new("se@cret"))));
        let place = Place::read("my-corp=https://h/simple", &environment).unwrap();
        assert_eq!(place.authorization, Some(Authorization::Basic("me".into(), Token::new("secret"))));
        assert!(!format!("{place:?}").contains("secret"));
    }

    #[test]
    fn variables_in_addresses_are_not_filled_in() {
        let inputs = Named { default: Some("https://${TOKEN}@h/simple".to_string()), ..Named::default() };
        let error = Places::of(&inputs, &Environment::of([("TOKEN", "secret")]), &|_| None).unwrap_err();
        assert!(error.contains("not filled in") && !error.contains("secret"), "{error}");
    }
}
