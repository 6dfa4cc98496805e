//! What the name of a variable or a secret says about its value. Knows no value.

/// Words that make a name the name of a secret.
const SECRET: &[&str] = &[
    "token",
    "tokens",
    "secret",
    "secrets",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "pw",
    "credential",
    "credentials",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "authtoken",
];

/// Words that do so for a variable, and are too short or too common to look for in every line of a file.
const BARE: &[&str] = &["pat", "passcode", "webhook", "dsn"];

/// Words that are too vague without a value beside them.
const VAGUE: &[&str] = &["auth"];

/// Words before `key` that make it one.
const KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "signing",
    "encryption",
    "deploy",
    "auth",
    "account",
    "master",
    "ssh",
    "gpg",
    "license",
    "user",
    "service",
    "subscription",
    "upload",
    "write",
    "admin",
];

/// Words behind it that say that the value is something about a secret and surely none itself.
const ABOUT: &[&str] = &[
    "file", "path", "dir", "url", "uri", "endpoint", "host", "name", "version", "type", "mode", "enabled", "enable",
    "method", "provider", "backend", "length", "ttl", "timeout", "user", "username", "id",
];

/// More of them: enough to judge a value by, too few to print one.
const RATHER_ABOUT: &[&str] = &[
    "files",
    "paths",
    "names",
    "ids",
    "directory",
    "folder",
    "disable",
    "disabled",
    "plugin",
    "fingerprint",
    "size",
    "count",
    "header",
    "prefix",
    "suffix",
    "alias",
    "policy",
    "required",
    "issuer",
    "audience",
    "email",
    "bucket",
    "region",
    "keyring",
    "keys",
    "algorithm",
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
    "expiration",
    "lifetime",
    "rotation",
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
    "location",
    "arn",
    "label",
    "title",
    "hook",
];

/// Words that say the same wherever they stand.
const HARMLESS: &[&str] = &[
    "public",
    "publishable",
    "pub",
    "fake",
    "dummy",
    "example",
    "disable",
    "enable",
    "use",
    "no",
    "skip",
    "allow",
    "has",
    "is",
    "max",
    "min",
    "num",
];

/// Variables of tools that hold the path of a file, whatever their names say.
/// <https://cloud.google.com/docs/authentication/application-default-credentials#GAC>
const PATHS: &[&str] = &["GOOGLE_APPLICATION_CREDENTIALS"];

/// Last words of names of plain configuration.
const PLAIN: &[&str] = &[
    "region",
    "bucket",
    "slug",
    "user",
    "username",
    "email",
    "host",
    "hostname",
    "url",
    "endpoint",
    "org",
    "organization",
    "repo",
    "repository",
    "project",
    "account",
    "channel",
    "port",
    "role",
    "arn",
    "domain",
    "registry",
];

/// Words that say that it is a secret after all.
const NOT_PLAIN: &[&str] = &[
    "token",
    "key",
    "password",
    "passwd",
    "secret",
    "webhook",
    "hook",
    "credential",
    "credentials",
    "dsn",
    "pass",
    "private",
    "auth",
    "ssh",
    "upload",
];

/// Last words of names that tell things apart.
const IDENTIFIERS: &[&str] = &[
    "id",
    "ids",
    "schema",
    "path",
    "dir",
    "namespace",
    "zone",
    "branch",
    "tag",
    "image",
    "prefix",
    "database",
    "warehouse",
    "cluster",
    "name",
    "ip",
    "address",
    "server",
    "site",
    "version",
    "env",
    "environment",
    "stage",
    "group",
    "team",
    "space",
    "workspace",
    "location",
];

/// Words of addresses that often hold a password.
const STORES: &[&str] = &[
    "database",
    "db",
    "mongo",
    "mongodb",
    "postgres",
    "postgresql",
    "pg",
    "mysql",
    "redis",
    "amqp",
    "broker",
    "connection",
    "rabbitmq",
];

/// Tokens that a system makes for one job and that end with it.
const SHORT_LIVED: &[&str] = &[
    "GITHUB.TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "GITEA_TOKEN",
    "FORGEJO_TOKEN",
    "CI_JOB_TOKEN",
    "CI_JOB_JWT",
    "CI_JOB_JWT_V1",
    "CI_JOB_JWT_V2",
    "CI_REGISTRY_PASSWORD",
    "CI_DEPENDENCY_PROXY_PASSWORD",
    "CI_REPOSITORY_URL",
    "CIRCLE_OIDC_TOKEN",
    "CIRCLE_OIDC_TOKEN_V2",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM.ACCESSTOKEN",
    "BITBUCKET_STEP_OIDC_TOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
];

/// What the token of a GitHub job is called in the model, wherever it is written and in whichever variable: a variable of another system
/// that is named `GITHUB_TOKEN` holds a token that somebody made.
pub const JOB_TOKEN: &str = "github.token";

/// What an encrypted value is called in the model when the file hides the name of its variable too (`- secure: …` of Travis).
pub const UNNAMED: &str = "secure";

/// Secrets that do little harm: who has them can upload reports.
const LOW: &[&str] = &[
    "CODECOV_TOKEN",
    "COVERALLS_REPO_TOKEN",
    "COVERALLS_TOKEN",
    "CODACY_PROJECT_TOKEN",
    "CODECLIMATE_REPO_TOKEN",
    "CODSPEED_TOKEN",
    "CC_TEST_REPORTER_ID",
    "SENTRY_DSN",
];

/// The words of a name, in lower case: split at every mark and at humps.
pub fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let hump = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (hump || !c.is_ascii_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut().expect("one word is always there").push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a variable of this name holds a secret, as far as the name tells: `PYPI_TOKEN`, `dbPassword`, `AWS_SECRET_ACCESS_KEY`; not
/// `TOKEN_FILE`, `SECRETS_DIR`, `PUBLIC_KEY`, `RELEASE_KEY_FINGERPRINT`.
pub fn looks_secret(name: &str) -> bool {
    says(name, &[SECRET, BARE], &["key"], &[ABOUT, RATHER_ABOUT]) && !has(name, HARMLESS) && !PATHS.contains(&name)
}

/// Whether a text under this name is a secret if it looks like one: wider than [`looks_secret`], because the value decides too.
pub fn holds_secret(name: &str) -> bool {
    says(name, &[SECRET, BARE, VAGUE], &["key", "keys"], &[ABOUT, RATHER_ABOUT]) && !has(name, HARMLESS)
}

/// Whether the value under this name could be a secret, for hiding and refusing: in doubt it could.
pub fn may_be_secret(name: &str) -> bool {
    says(name, &[SECRET, VAGUE], &["key", "keys"], &[ABOUT]) && !has(name, &["public", "pub"])
}

/// Words of which every name of [`may_be_secret`] has one: what a quick search looks for, in any case.
pub fn words_to_search() -> impl Iterator<Item = &'static str> {
    SECRET.iter().chain(VAGUE).copied().chain(["key"])
}

/// Whether a name has a secret's word and none behind it that is about one.
fn says(name: &str, secret: &[&[&str]], key: &[&str], about: &[&[&str]]) -> bool {
    let words = words(name);
    let is = |lists: &[&[&str]], word: &str| lists.iter().any(|list| list.contains(&word));
    let ends = |at: usize| {
        is(secret, &words[at]) || at > 0 && key.contains(&words[at].as_str()) && KEYS.contains(&words[at - 1].as_str())
    };
    let Some(last) = (0..words.len()).rev().find(|at| ends(*at)) else { return false };
    // The working folder has the name of a password.
    if words.len() == 1 && words[0] == "pwd" || name == "OLDPWD" {
        return false;
    }
    // The address of a web hook is all that its users need.
    let address = |word: &String| words[last] == "webhook" && matches!(word.as_str(), "url" | "uri" | "endpoint");
    !words[last + 1..].iter().any(|word| is(about, word) && !address(word))
}

fn has(name: &str, list: &[&str]) -> bool {
    words(name).iter().any(|word| list.contains(&word.as_str()))
}

/// Whether a name is that of plain configuration: a region, a bucket, a user name, an account number. The address of a database is none: it
/// often holds a password.
pub fn is_plain(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split('_').collect();
    let last_is_plain = words.last().is_some_and(|word| PLAIN.contains(word));
    let is_id = ["account_id", "client_id", "tenant_id", "app_id", "project_id"].iter().any(|end| lower.ends_with(end));
    let store = lower.ends_with("url") && words.iter().any(|word| STORES.contains(word));
    (last_is_plain || is_id) && !store && !words.iter().any(|word| NOT_PLAIN.contains(word))
}

/// Whether a name is that of something that only tells things apart or says where they are: wider than [`is_plain`], for weighing and not
/// for judging.
pub fn is_identifier(name: &str) -> bool {
    let words = words(name);
    let last = words.last().map_or("", String::as_str);
    // A Secret of a cluster names its entries, and what it is called says nothing of each; an address may hold a password.
    let entry = name.rsplit_once('/').map(|(_, entry)| entry).filter(|entry| !matches!(*entry, "url" | "endpoint"));
    is_plain(name)
        || entry.is_some_and(is_plain)
        || IDENTIFIERS.contains(&last) && !words.iter().any(|word| NOT_PLAIN.contains(&word.as_str()))
}

/// Whether a name is that of a token that ends with its job.
pub fn is_short_lived(name: &str) -> bool {
    SHORT_LIVED.contains(&name.to_ascii_uppercase().as_str())
}

/// Whether a name is that of a secret that does little harm.
pub fn is_low(name: &str) -> bool {
    LOW.contains(&name.to_ascii_uppercase().as_str())
}
