use super::expansion::expands;
use super::names::{is_plain, looks_secret, may_be_secret, words, words_to_search};
use super::weight::{Harm, Weight};
use crate::model::rule::Level::{Error, Info, Off, Warning};
use crate::model::rule::levels;

#[test]
fn names_say_what_they_hold() {
    for name in [
        "PYPI_TOKEN",
        "dbPassword",
        "AWS_SECRET_ACCESS_KEY",
        "TWINE_PASSWORD",
        "npm.authToken",
        "SIGNING_KEY",
        "GH_PAT",
        "SLACK_WEBHOOK",
        "SLACK_WEBHOOK_URL",
        "REGISTRY_PASSWORD",
        "DB_USER_PASSWORD",
    ] {
        assert!(looks_secret(name), "{name}");
    }
    for name in [
        "TOKEN_FILE",
        "SECRETS_DIR",
        "PUBLIC_KEY",
        "STRIPE_PUBLISHABLE_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "MAX_TOKENS",
        "WEBHOOK_IMAGE_PATH",
        "RELEASE_KEY_FINGERPRINT",
        "USE_GKE_GCLOUD_AUTH_PLUGIN",
        "AWS_ACCESS_KEY_ID",
        "PATH",
        "CACHE_KEY",
        "PRIVATE_REGISTRY_KEYS",
        "PASS_ENV_NAME",
        "compass",
        "HAS_TOKEN",
        "PWD",
        "OLDPWD",
    ] {
        assert!(!looks_secret(name), "{name}");
    }
    // A quick search finds every name that is asked for.
    for name in ["PYPI_TOKEN", "x.auth", "API_KEYS", "EXAMPLE_PASSWORD"] {
        assert!(may_be_secret(name) && words_to_search().any(|word| name.to_lowercase().contains(word)), "{name}");
    }
    assert_eq!(words("awsSecretAccess_Key"), ["aws", "secret", "access", "key"]);
    assert!(is_plain("AWS_REGION") && is_plain("AZURE_CLIENT_ID") && !is_plain("SLACK_WEBHOOK_URL"));
}

#[test]
fn only_expansions_that_give_the_value_count() {
    for text in ["$T", "x${T}y", "${T:-z}", "$env:T", "${env:T}", "%T%", "a $(cat $T)"] {
        assert!(expands(text, "T"), "{text}");
    }
    assert!(expands("$T_PSW", "T") && !expands("$T_USR", "T"));
    for text in ["$TX", "${#T}", "${T:+yes}", "${T+yes}", "\\$T", "T", "$XT", "%T"] {
        assert!(!expands(text, "T"), "{text}");
    }
}

#[test]
fn a_default_is_a_value_that_the_text_has() {
    use super::expansion::expansions;
    let has = |text: &str| expansions(text).first().is_some_and(|found| found.has_default(text));
    for text in ["${T:-changeme}", "${T-x}", "${T:=x}", "a${T=\"x\"}b"] {
        assert!(has(text), "{text}");
    }
    for text in ["$T", "${T}", "${T:-}", "${T:-\"\"}", "${T:-$U}", "${T:-none}", "${T%-x}", "${T:?x}"] {
        assert!(!has(text), "{text}");
    }
}

#[test]
fn weights_move_levels_within_their_ladder() {
    let base = levels(Warning, Error, Error);
    let weight = |harm, exposed, protected| Weight { harm, exposed, protected };
    assert_eq!(weight(Harm::Full, true, false).weigh(base), levels(Error, Error, Error));
    assert_eq!(weight(Harm::Low, true, false).weigh(base), levels(Info, Warning, Warning));
    assert_eq!(weight(Harm::Full, false, true).weigh(base), levels(Info, Warning, Warning));
    assert_eq!(weight(Harm::Low, false, true).weigh(base), levels(Info, Info, Info));
    assert_eq!(weight(Harm::Full, true, true).weigh(levels(Off, Info, Info)), levels(Off, Info, Info));
}

#[test]
fn what_has_no_name_is_counted() {
    use super::place::listed;
    assert_eq!(listed(["A", "A", "B"]), "`A` and `B`");
    assert_eq!(listed(["A", "B", "C", "D", "E", "F"]), "`A`, `B`, `C`, `D` and 2 more");
    assert_eq!(listed(["secure"]), "an encrypted variable whose name the file does not show");
    assert_eq!(listed(["A", "secure", "secure"]), "`A` and 2 encrypted variables whose names the file does not show");
    assert_eq!(listed([]), "");
}

#[test]
fn entries_of_a_secret_are_judged_by_their_own_names() {
    use super::names::is_identifier;
    for name in ["db/username", "cloud-sql-admin/connectionName", "s/host"] {
        assert!(is_identifier(name), "{name}");
    }
    for name in ["db/password", "db/url", "username/key", "s/k"] {
        assert!(!is_identifier(name), "{name}");
    }
}
