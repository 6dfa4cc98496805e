//! Planted tokens are put together at run time, so that no scanner takes this file for a leak.

use super::shapes::{Grade, find, find_loose};
use super::urls;
use super::value::{Strength, password, strength};
use crate::model::secrets::names;

fn random(len: usize, alphabet: &str) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[(state % letters.len() as u64) as usize]
    };
    (0..len).map(|_| next()).collect()
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn kinds(text: &str) -> Vec<&'static str> {
    find(text).into_iter().map(|found| found.kind).collect()
}

#[test]
fn tokens_are_known_by_their_shape() {
    for (lead, len, alphabet, kind) in [
        ("AKIA", 16, BASE32, "AWS access key"),
        ("ghp_", 36, ALNUM, "GitHub token"),
        ("github_pat_", 82, ALNUM, "GitHub token"),
        ("glpat-", 20, ALNUM, "GitLab token"),
        ("pypi-AgE", 150, ALNUM, "PyPI token"),
        ("npm_", 36, ALNUM, "npm token"),
        ("xoxb-", 40, ALNUM, "Slack token"),
        ("https://hooks.slack.com/services/", 44, ALNUM, "Slack web hook"),
        ("sk_live_", 24, ALNUM, "Stripe key"),
        ("AIza", 35, ALNUM, "Google API key"),
        ("dop_v1_", 64, HEX, "DigitalOcean token"),
        ("dapi", 32, HEX, "Databricks token"),
        ("hvs.", 95, ALNUM, "Vault token"),
        ("hf_", 34, ALNUM, "Hugging Face token"),
    ] {
        let token = format!("{lead}{}", random(len, alphabet));
        for text in [format!("X: {token}\n"), format!("\"{token}\""), format!("a={token}."), format!("x\\n{token}\\n")]
        {
            assert_eq!(kinds(&text), [kind], "{lead} in {}", text.replace(&token, "TOKEN"));
        }
        assert!(kinds(&format!("prefix{token}")).is_empty() || lead.starts_with("https"), "{lead} in a word");
        assert!(kinds(&format!("{token}{}", "Z".repeat(400))).len() <= 1);
    }
    let openai = format!("sk-{}T3Blbk{}{}", random(20, ALNUM), "FJ", random(20, ALNUM));
    assert_eq!(kinds(&openai), ["OpenAI key"]);
    let azure = format!("=\"{}8Q~{}\"", random(3, ALNUM), random(34, ALNUM));
    assert_eq!(kinds(&azure), ["Azure client secret"]);
    let terraform = format!("{}.atlasv1.{}", random(14, ALNUM), random(65, ALNUM));
    assert_eq!(kinds(&terraform), ["Terraform token"]);
}

#[test]
fn pins_samples_and_repetitions_are_no_tokens() {
    for text in [
        "uses: actions/checkout@0123456789abcdef0123456789abcdef01234567".to_string(),
        format!("image: a@sha256:{}", random(64, HEX)),
        format!("--hash=sha256:{}", random(64, HEX)),
        format!("integrity: sha512-{}==", random(86, ALNUM)),
        "AKIAIOSFODNN7EXAMPLE".to_string(),
        format!("ghp_{}", "x".repeat(36)),
        format!("ghp_{}", "abcdefghijklmnopqrstuvwxyz0123456789"),
        "npm_config_cache_folder_of_the_whole_job_x".to_string(),
        "hf_transfer_is_a_package_for_large_downloads".to_string(),
        format!("sk_{}_4eC39HqLyjWDarjtT1zdp7dc", "test"),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----".to_string(),
        "grep -q 'BEGIN RSA PRIVATE KEY-----' file".to_string(),
    ] {
        assert!(kinds(&text).is_empty(), "{text}");
    }
}

#[test]
fn private_keys_need_a_body() {
    let body: Vec<String> = (0..4).map(|at| random(64 + at, ALNUM)).collect();
    let key = format!("-----BEGIN RSA {0}-----\n{1}\n-----END RSA {0}-----", "PRIVATE KEY", body.join("\n"));
    assert_eq!(kinds(&key), ["private key"]);
    assert_eq!(kinds(&key.replace('\n', "\\n")), ["private key"]);
    let mut hidden = key.clone();
    find_loose(&key, &mut |start, end| hidden = format!("{}***{}", &key[..start], &key[end..]));
    assert!(!hidden.contains(&body[1]));
}

#[test]
fn web_tokens_are_judged_by_what_they_claim() {
    let encode = |text: &str| {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
        let chunks = bits.as_bytes().chunks(6).map(|chunk| format!("{:0<6}", String::from_utf8_lossy(chunk)));
        chunks.map(|chunk| LETTERS[usize::from_str_radix(&chunk, 2).unwrap()] as char).collect::<String>()
    };
    let token = |claims: &str| format!("{}.{}.{}", encode("{\"alg\":\"HS256\"}"), encode(claims), random(43, ALNUM));
    let grade = |claims: &str| find(&token(claims)).first().map(|found| found.grade);
    assert_eq!(grade("{\"sub\":\"deploy\"}"), Some(Grade::Live));
    assert_eq!(grade("{\"sub\":\"deploy\",\"exp\":1600000000}"), Some(Grade::Harmless));
    assert_eq!(grade("{\"iat\":1900000000,\"exp\":1900003600}"), Some(Grade::Harmless));
    assert_eq!(grade("{\"iat\":1900000000,\"exp\":2900000000}"), Some(Grade::Live));
    assert_eq!(grade("{\"role\":\"anon\",\"exp\":2900000000}"), Some(Grade::Harmless));
    assert_eq!(grade("no claims"), None);
}

#[test]
fn names_say_what_is_a_secret_and_what_is_about_one() {
    for name in
        ["API_KEY", "clientSecret", "DB_PASSWORD", "deploy-token", "passphrase", "AWS_SECRET_ACCESS_KEY", "x.auth"]
    {
        assert!(names::holds_secret(name), "{name}");
    }
    for name in [
        "SECRETS_DIR",
        "secret_name",
        "RELEASE_KEY_FINGERPRINT",
        "USE_GKE_GCLOUD_AUTH_PLUGIN",
        "PLUGIN_REGISTRY_KEYS",
        "TOKEN_URL",
        "cache-key",
        "key",
        "AUTHOR",
        "PASSENGER_COUNT",
        "COMPASS",
    ] {
        assert!(!names::holds_secret(name), "{name}");
    }
}

#[test]
fn only_random_values_are_strong() {
    for value in ["Zk9vTq4mWx7RbN2y", "q8Lr2vXz6Tn4Wb9kPm3s", "9f86d081884c7d659a2feaa0", "p5nJ+2xVq0/aZ8rTeGm4Lw=="] {
        assert_eq!(strength("API_KEY", value), Strength::Strong, "{value}");
    }
    for value in [
        "changeme1234567890abc",
        "ChangeMe123ChangeMe456",
        "my-test-password-0001",
        "${TOKEN_FROM_SOMEWHERE_1}",
        "{{ token_of_the_vault_1 }}",
        "/run/secrets/token1234567",
        "https://vault.corp.io/v1/x",
        "projects/123/secrets/deploy/versions/4",
        "kubernetes-cluster-production-token-2",
        "abcdefghij1234567890",
        "short1A",
        "onlyletterswithoutanydigit",
        "1234567890123456789012",
        "API_KEY_0123456789_API",
        "true",
        "",
        "aaaaaaaaaaaaaaaaaaaa1",
        "dGhpcyBpcyBhIHBsYWluIHNlbnRlbmNlIDEyMzQ=",
    ] {
        assert_eq!(strength("API_KEY", value), Strength::Weak, "{value}");
    }
    assert_eq!(strength("API_KEY", "3f2b8c1e-9d4a-4f6b-8e21-7c5d9a0b1e3f"), Strength::Uuid);
    assert_eq!(password("w7Rk2Lq9Zx4T"), Strength::Strong);
    assert_eq!(password("hunter2"), Strength::Weak);
}

#[test]
fn credentials_of_urls_are_found_with_their_host() {
    let found =
        urls::find("a https://joe:pw@x.org:80/p ssh://git@h 'postgres://u:p@db/x' https://x.org/@y https://$A:$B@h.io");
    let shown: Vec<(&str, &str, &str)> = found.iter().map(|url| (url.user, url.password, url.host)).collect();
    assert_eq!(shown, [("joe", "pw", "x.org"), ("git", "", "h"), ("u", "p", "db"), ("$A", "$B", "h.io")]);
    assert!(found[1].is_account() && found[2].is_local() && found[3].is_computed() && !found[0].is_local());
}
