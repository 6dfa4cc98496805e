//! Names of variables under which a random text is a secret, and those under which any text is hidden. Knows no value.

use crate::model::secrets::names::words;

/// Words that make a name the name of a secret.
const SECRET: &[&str] = &[
    "secret",
    "secrets",
    "token",
    "tokens",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "credential",
    "credentials",
    "auth",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "authtoken",
    "pw",
];

/// Words before `key` that make it one.
const KEYS: &[&str] =
    &["api", "access", "secret", "private", "signing", "encryption", "auth", "account", "master", "license", "deploy"];

/// Words that make a name the name of something about a secret.
const ABOUT: &[&str] = &[
    "public",
    "pub",
    "file",
    "files",
    "path",
    "paths",
    "dir",
    "directory",
    "folder",
    "url",
    "uri",
    "endpoint",
    "host",
    "name",
    "names",
    "id",
    "ids",
    "version",
    "type",
    "mode",
    "enable",
    "enabled",
    "disable",
    "disabled",
    "plugin",
    "fingerprint",
    "length",
    "size",
    "ttl",
    "timeout",
    "header",
    "prefix",
    "suffix",
    "alias",
    "policy",
    "required",
    "issuer",
    "audience",
    "user",
    "username",
    "bucket",
    "region",
    "keyring",
    "algorithm",
    "provider",
    "backend",
    "method",
    "registry",
    "breached",
    "hash",
    "sha",
    "sha256",
    "digest",
    "checksum",
    "commit",
    "rev",
    "ref",
    "integrity",
    "cache",
    "template",
    "expiry",
    "expires",
    "count",
    "class",
    "scheme",
    "realm",
    "scope",
    "scopes",
    "docs",
    "regex",
    "pattern",
    "format",
    "store",
    "manager",
    "service",
    "domain",
    "arn",
    "email",
    "label",
    "title",
];

/// The same for what is hidden: fewer, because hiding too much harms nobody.
const ABOUT_WIDE: &[&str] = &[
    "public", "pub", "file", "path", "dir", "url", "uri", "endpoint", "host", "name", "version", "type", "mode",
    "enabled", "enable", "method", "provider", "backend", "length", "ttl", "timeout", "user", "username", "id",
];

/// Whether the value under this name is a secret.
pub fn is_secret(name: &str) -> bool {
    says(name, ABOUT)
}

/// Whether the value under this name could be a secret, for hiding and refusing.
pub fn may_be_secret(name: &str) -> bool {
    says(name, ABOUT_WIDE)
}

/// Words of which every such name has one: what a quick search looks for, in any case.
pub fn words_to_search() -> impl Iterator<Item = &'static str> {
    SECRET.iter().copied().chain(["key"])
}

fn says(name: &str, about: &[&str]) -> bool {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let key =
        words.windows(2).any(|pair| matches!(pair[1].as_str(), "key" | "keys") && KEYS.contains(&pair[0].as_str()));
    (has(SECRET) || key) && !has(about)
}
