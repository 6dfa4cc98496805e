//! Tokens that say by their shape whose they are: a public beginning and so many characters of a known kind. Vendors' documentations of
//! their token formats, checked against the rules of gitleaks. Knows no file.

use super::{entropy, is_fake};
use memchr::memmem::Finder;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

/// The characters of a token after its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// `0-9a-f`.
    Hex,
    /// `2-7A-Z`.
    Base32,
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_` and `-`.
    Url,
    /// Letters, digits, `_`, `-` and `.`.
    Dotted,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
    /// All of the above and `~`.
    Any,
}

impl Set {
    fn has(self, byte: u8) -> bool {
        match self {
            Set::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Set::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Set::Alnum => byte.is_ascii_alphanumeric(),
            Set::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Set::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Set::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Set::Any => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=' | b'~'),
        }
    }
}

/// One kind of token.
struct Shape {
    kind: &'static str,
    lead: &'static str,
    set: Set,
    /// How many characters follow at least and at most.
    least: usize,
    most: usize,
    /// A watermark that every token of this kind has in it.
    mark: &'static str,
    /// How many characters stand before `lead`, which is then no beginning.
    before: usize,
}

const fn shape(kind: &'static str, lead: &'static str, set: Set, least: usize, most: usize) -> Shape {
    Shape { kind, lead, set, least, most, mark: "", before: 0 }
}

const fn marked(kind: &'static str, lead: &'static str, set: Set, least: usize, mark: &'static str) -> Shape {
    Shape { kind, lead, set, least, most: 400, mark, before: 0 }
}

/// The kinds. A lead that is the beginning of another one stands after it.
const SHAPES: &[Shape] = &[
    shape("AWS access key", "AKIA", Set::Base32, 16, 16),
    shape("AWS access key", "ASIA", Set::Base32, 16, 16),
    shape("AWS access key", "ABIA", Set::Base32, 16, 16),
    shape("AWS access key", "ACCA", Set::Base32, 16, 16),
    shape("AWS access key", "A3T", Set::Base32, 17, 17),
    shape("Amazon Bedrock key", "ABSK", Set::Base64, 109, 271),
    shape("GitHub token", "ghp_", Set::Alnum, 36, 255),
    shape("GitHub token", "gho_", Set::Alnum, 36, 255),
    shape("GitHub token", "ghu_", Set::Alnum, 36, 255),
    shape("GitHub token", "ghr_", Set::Alnum, 36, 255),
    shape("GitHub token", "ghs_", Set::Dotted, 36, 2000),
    shape("GitHub token", "github_pat_", Set::Url, 82, 255),
    shape("GitLab token", "glpat-", Set::Dotted, 20, 400),
    shape("GitLab deploy token", "gldt-", Set::Dotted, 20, 400),
    shape("GitLab runner token", "glrt-", Set::Dotted, 20, 400),
    shape("GitLab runner token", "GR1348941", Set::Url, 20, 50),
    shape("GitLab trigger token", "glptt-", Set::Dotted, 20, 400),
    shape("GitLab job token", "glcbt-", Set::Dotted, 20, 2000),
    shape("GitLab agent token", "glagent-", Set::Dotted, 50, 400),
    shape("GitLab application secret", "gloas-", Set::Dotted, 64, 400),
    shape("GitLab SCIM token", "glsoat-", Set::Dotted, 20, 400),
    shape("GitLab mail token", "glimt-", Set::Dotted, 25, 400),
    shape("GitLab feed token", "glft-", Set::Dotted, 20, 400),
    shape("PyPI token", "pypi-AgE", Set::Url, 50, 1000),
    shape("npm token", "npm_", Set::Alnum, 36, 36),
    shape("Slack token", "xoxb-", Set::Url, 26, 120),
    shape("Slack token", "xoxp-", Set::Url, 26, 120),
    shape("Slack token", "xoxa-", Set::Url, 20, 120),
    shape("Slack token", "xoxr-", Set::Url, 20, 120),
    shape("Slack token", "xoxs-", Set::Url, 20, 120),
    shape("Slack token", "xoxe-", Set::Url, 100, 200),
    shape("Slack token", "xoxe.xox", Set::Url, 100, 200),
    shape("Slack application token", "xapp-", Set::Url, 40, 200),
    shape("Slack web hook", "hooks.slack.com/services/", Set::Base64, 40, 60),
    shape("Slack web hook", "hooks.slack.com/workflows/", Set::Base64, 40, 80),
    shape("Slack web hook", "hooks.slack.com/triggers/", Set::Base64, 40, 80),
    shape("Discord web hook", "discord.com/api/webhooks/", Set::Any, 80, 100),
    shape("Discord web hook", "discordapp.com/api/webhooks/", Set::Any, 80, 100),
    shape("Stripe key", "sk_live_", Set::Alnum, 16, 200),
    shape("Stripe key", "rk_live_", Set::Alnum, 16, 200),
    shape("Stripe signing secret", "whsec_", Set::Base64, 32, 80),
    shape(TEST, "sk_test_", Set::Alnum, 16, 200),
    shape(TEST, "rk_test_", Set::Alnum, 16, 200),
    shape("SendGrid key", "SG.", Set::Dotted, 66, 66),
    marked("Anthropic key", "sk-ant-", Set::Url, 80, "AA"),
    marked("OpenAI key", "sk-proj-", Set::Url, 60, "T3BlbkFJ"),
    marked("OpenAI key", "sk-svcacct-", Set::Url, 60, "T3BlbkFJ"),
    marked("OpenAI key", "sk-admin-", Set::Url, 60, "T3BlbkFJ"),
    marked("OpenAI key", "sk-", Set::Alnum, 48, "T3BlbkFJ"),
    shape("Hugging Face token", "hf_", Set::Alnum, 34, 37),
    shape("Google API key", "AIza", Set::Url, 35, 35),
    shape("Google access token", "ya29.", Set::Dotted, 60, 2000),
    shape("Google client secret", "GOCSPX-", Set::Url, 28, 28),
    shape("DigitalOcean token", "dop_v1_", Set::Hex, 64, 64),
    shape("DigitalOcean token", "doo_v1_", Set::Hex, 64, 64),
    shape("DigitalOcean token", "dor_v1_", Set::Hex, 64, 64),
    shape("Docker Hub token", "dckr_pat_", Set::Url, 26, 60),
    shape("Docker Hub token", "dckr_oat_", Set::Url, 26, 60),
    shape("Vault token", "hvs.", Set::Url, 24, 300),
    shape("Vault token", "hvb.", Set::Url, 100, 400),
    Shape { before: 14, ..shape("Terraform token", ".atlasv1.", Set::Url, 60, 70) },
    shape("Doppler token", "dp.pt.", Set::Alnum, 40, 44),
    shape("Doppler token", "dp.st.", Set::Dotted, 40, 80),
    shape("Databricks token", "dapi", Set::Hex, 32, 32),
    shape("Linear key", "lin_api_", Set::Alnum, 40, 40),
    shape("Shopify token", "shpat_", Set::Hex, 32, 32),
    shape("Shopify token", "shpca_", Set::Hex, 32, 32),
    shape("Shopify token", "shppa_", Set::Hex, 32, 32),
    shape("Shopify secret", "shpss_", Set::Hex, 32, 32),
    shape("RubyGems key", "rubygems_", Set::Hex, 48, 48),
    shape("crates.io token", "cio", Set::Alnum, 32, 32),
    shape("Sentry token", "sntrys_", Set::Any, 80, 500),
    shape("Sentry token", "sntryu_", Set::Hex, 64, 64),
    shape("Grafana token", "glsa_", Set::Url, 41, 41),
    shape("Grafana token", "glc_", Set::Base64, 60, 400),
    shape("age key", "AGE-SECRET-KEY-1", Set::Alnum, 58, 58),
    shape("1Password token", "ops_eyJ", Set::Base64, 200, 2000),
    Shape { before: 4, ..shape("Azure client secret", "Q~", Set::Any, 31, 34) },
    shape("Atlassian token", "ATATT3", Set::Any, 150, 300),
    shape("Bitbucket token", "ATCTT3", Set::Any, 150, 300),
    shape("Bitbucket password", "ATBB", Set::Alnum, 32, 40),
    shape("CircleCI token", "CCIPAT_", Set::Url, 50, 80),
    shape("Buildkite token", "bkua_", Set::Hex, 40, 40),
    shape("Pulumi token", "pul-", Set::Hex, 40, 40),
    shape("Postman key", "PMAK-", Set::Url, 59, 59),
    shape("PlanetScale token", "pscale_tkn_", Set::Any, 32, 64),
    shape("PlanetScale password", "pscale_pw_", Set::Any, 32, 64),
    shape("New Relic key", "NRAK-", Set::Alnum, 27, 27),
    shape("Brevo key", "xkeysib-", Set::Url, 81, 81),
    shape("Dynatrace token", "dt0c01.", Set::Dotted, 89, 89),
    shape("Notion token", "ntn_", Set::Alnum, 46, 46),
    shape("Perplexity key", "pplx-", Set::Alnum, 48, 48),
    shape("Replicate token", "r8_", Set::Alnum, 37, 37),
    shape("Groq key", "gsk_", Set::Alnum, 52, 52),
    shape("NVIDIA key", "nvapi-", Set::Url, 60, 70),
    shape("Artifactory key", "AKCp", Set::Alnum, 69, 69),
    shape("Artifactory token", "cmVmd", Set::Alnum, 59, 59),
    shape("Sourcegraph token", "sgp_", Set::Url, 40, 70),
    shape("Alibaba key", "LTAI", Set::Alnum, 20, 20),
    shape("Cloudflare key", "v1.0-", Set::Url, 171, 171),
    shape("Figma token", "figd_", Set::Url, 40, 40),
    shape("Fly token", "fm2_", Set::Base64, 100, 1000),
    shape("Fly token", "fo1_", Set::Url, 43, 43),
    shape("Heroku key", "HRKU-AA", Set::Url, 58, 58),
    shape("OpenShift token", "sha256~", Set::Url, 43, 43),
    shape("ReadMe key", "rdme_", Set::Alnum, 70, 70),
    shape("Netlify token", "nfp_", Set::Alnum, 36, 40),
    shape("Tailscale key", "tskey-auth-", Set::Url, 28, 70),
    shape("Tailscale key", "tskey-api-", Set::Url, 28, 70),
    shape("Clojars token", "CLOJARS_", Set::Hex, 60, 60),
    shape("EasyPost key", "EZAK", Set::Alnum, 54, 54),
    shape(JWT, "eyJ", Set::Dotted, 40, 8000),
];

const TEST: &str = "Stripe test key";
const JWT: &str = "JSON web token";

/// How much a token can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// What its kind allows.
    Live,
    /// Little: made for tests, public by design, or expired.
    Harmless,
}

/// A token in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose: `GitHub token`.
    pub kind: &'static str,
    /// Its beginning, which is public; at most four characters.
    pub lead: &'static str,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How much it can do.
    pub grade: Grade,
}

/// Every token of a known shape in a text, in order, samples left out.
pub fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    candidates(text, &mut |shape, start, end| {
        let token = &text[start..end];
        let tail = &text[start + if shape.before > 0 { 0 } else { shape.lead.len() }..end];
        let tail_len = tail.len() - if shape.before > 0 { shape.before + shape.lead.len() } else { 0 };
        let fits = (shape.least..=shape.most).contains(&tail_len) && token.contains(shape.mark);
        // Words joined by `_` and `-` have letters of one case and no digit.
        let mixed = tail.bytes().any(|byte| byte.is_ascii_digit())
            || shape.set == Set::Base32
            || shape.kind == "Hugging Face token";
        if !fits || !mixed || entropy(tail) < 3.0 || is_fake(token) || is_fake(tail) {
            return false;
        }
        let grade = match shape.kind {
            TEST => Some(Grade::Harmless),
            JWT => web_token(token),
            "Azure client secret" => token.as_bytes()[3].is_ascii_digit().then_some(Grade::Live),
            _ => Some(Grade::Live),
        };
        let Some(grade) = grade else { return false };
        let lead = if shape.before > 0 { "" } else { &shape.lead[..shape.lead.len().min(4)] };
        let lead = if shape.lead.contains('/') { "" } else { lead };
        found.push(Found { kind: shape.kind, lead, start, end, grade });
        true
    });
    found.extend(private_keys(text).into_iter().filter(|key| key.real).map(|key| Found {
        kind: "private key",
        lead: "----",
        start: key.start,
        end: key.end,
        grade: Grade::Live,
    }));
    found.sort_by_key(|found| found.start);
    found
}

/// Everything that could be a token, for hiding: also those that are too short or too plain to be reported.
pub fn find_loose(text: &str, hide: &mut dyn FnMut(usize, usize)) {
    candidates(text, &mut |shape, start, end| {
        let least = (shape.least / 2).clamp(10, 24);
        let rare = shape.mark.is_empty() || text[start..end].contains(shape.mark);
        let fits = end - start >= shape.before + shape.lead.len() + least && rare;
        if fits {
            hide(start, end);
        }
        fits
    });
    for key in private_keys(text) {
        hide(key.body, key.end);
    }
}

/// Calls `take` with every place that begins as a token does and the end of its characters, until it takes one.
fn candidates(text: &str, take: &mut dyn FnMut(&Shape, usize, usize) -> bool) {
    let bytes = text.as_bytes();
    let leads = leads();
    let mut done = 0;
    for (at, begin) in bytes.windows(3).enumerate() {
        if !leads.may_begin(begin) {
            continue;
        }
        for &index in leads.of(begin) {
            let shape = &SHAPES[index as usize];
            if let Some((start, end)) = shape.at(bytes, at).filter(|(start, _)| *start >= done)
                && take(shape, start, end)
            {
                done = end;
            }
        }
    }
}

impl Shape {
    /// Where the token begins and ends whose lead stands at `at`, if one does.
    fn at(&self, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let start = at.checked_sub(self.before)?;
        let from = at + self.lead.len();
        if !bytes[at..].starts_with(self.lead.as_bytes())
            || !bytes[start..at].iter().all(|&byte| self.set.has(byte))
            || !is_edge(bytes, start, self.before > 0)
        {
            return None;
        }
        let mut end = from + bytes[from..].iter().take_while(|&&byte| self.set.has(byte)).count();
        // A sentence or a quotation may end here.
        while end > from && matches!(bytes[end - 1], b'.' | b'-') {
            end -= 1;
        }
        let ends = bytes.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        ends.then_some((start, end))
    }
}

/// Whether a token can begin here: not in the middle of a word, and not after a `\n` that is written out.
fn is_edge(bytes: &[u8], start: usize, inner: bool) -> bool {
    let Some(before) = start.checked_sub(1).map(|at| bytes[at]) else { return true };
    let escaped = start >= 2 && bytes[start - 2] == b'\\' && matches!(before, b'n' | b't' | b'r');
    let word = before.is_ascii_alphanumeric() || before == b'_' || inner && Set::Any.has(before) && before != b'=';
    !word || escaped
}

/// The shapes by the beginnings of their leads: one bit tells nearly every place of a text that nothing begins there.
struct Leads {
    /// A bit per number that three bytes give.
    begins: [u64; 1 << (BITS - 6)],
    /// Shapes by their first two bytes, the shortest lead first.
    shapes: HashMap<[u8; 2], Vec<u8>>,
}

/// How many bits the number of three bytes has.
const BITS: u32 = 16;

impl Leads {
    fn new() -> Leads {
        let mut leads = Leads { begins: [0; 1 << (BITS - 6)], shapes: HashMap::new() };
        let mut order: Vec<u8> = (0..SHAPES.len() as u8).collect();
        order.sort_by_key(|&index| SHAPES[index as usize].lead.len());
        for index in order {
            let lead = SHAPES[index as usize].lead.as_bytes();
            // Behind a lead of two bytes stands any byte.
            let thirds = lead.get(2).map_or(0..=u8::MAX, |&third| third..=third);
            for third in thirds {
                let number = Leads::number(&[lead[0], lead[1], third]);
                leads.begins[number >> 6] |= 1 << (number & 63);
            }
            leads.shapes.entry([lead[0], lead[1]]).or_default().push(index);
        }
        leads
    }

    /// Spreads three bytes over all numbers, so that few texts share one with a lead.
    fn number(begin: &[u8]) -> usize {
        let three = u32::from(begin[0]) << 16 | u32::from(begin[1]) << 8 | u32::from(begin[2]);
        (three.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
    }

    fn may_begin(&self, begin: &[u8]) -> bool {
        let number = Leads::number(begin);
        self.begins[number >> 6] >> (number & 63) & 1 != 0
    }

    fn of(&self, begin: &[u8]) -> &[u8] {
        self.shapes.get(&[begin[0], begin[1]]).map_or(&[], Vec::as_slice)
    }
}

fn leads() -> &'static Leads {
    static LEADS: OnceLock<Leads> = OnceLock::new();
    LEADS.get_or_init(Leads::new)
}

/// More shapes than a byte counts would be a mistake of this file.
const _: () = assert!(SHAPES.len() < 256);

/// The moment before which every token has expired by now, in seconds: the first of 2026. A clock would turn runs red by the calendar.
const LONG_AGO: u64 = 1_767_225_600;
/// A token that lives no longer than this is dead when somebody reads the repository.
const SHORT: u64 = 7 * 24 * 3600;

/// Whether three parts with dots are a signed token, and what it can do.
fn web_token(token: &str) -> Option<Grade> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return None };
    let object = |part: &str| serde_json::from_slice::<serde_json::Value>(&base64(part)?).ok();
    let (header, claims) = (object(header)?, object(claims)?);
    header.get("alg")?.as_str().filter(|alg| *alg != "none")?;
    if signature.len() < 20 {
        return None;
    }
    let number = |name: &str| claims.get(name).and_then(serde_json::Value::as_u64);
    let expired = number("exp").is_some_and(|exp| {
        exp < LONG_AGO || number("iat").or(number("nbf")).is_some_and(|from| exp.saturating_sub(from) <= SHORT)
    });
    // Supabase hands this one to every browser.
    let public = claims.get("role").and_then(serde_json::Value::as_str) == Some("anon");
    let sample = claims.get("name").and_then(serde_json::Value::as_str) == Some("John Doe");
    Some(if expired || public || sample { Grade::Harmless } else { Grade::Live })
}

/// The bytes of a base64 text of either alphabet, padded or not.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

/// A PEM block.
struct Key {
    start: usize,
    body: usize,
    end: usize,
    /// Whether its body is long and varied enough.
    real: bool,
}

static BEGIN: LazyLock<Finder> = LazyLock::new(|| Finder::new("-----BEGIN"));

/// PEM private keys of any kind, on many lines or with `\n` written out.
fn private_keys(text: &str) -> Vec<Key> {
    const MARK: &str = "PRIVATE KEY";
    let mut keys = Vec::new();
    let mut from = 0;
    while let Some(at) = BEGIN.find(&text.as_bytes()[from..]).map(|at| from + at) {
        let begin = at + "-----BEGIN".len();
        from = begin;
        let line = &text[begin..text[begin..].find("\n").map_or(text.len(), |end| begin + end)];
        let Some(close) = line.find("-----").filter(|&close| line[..close].contains(MARK)) else { continue };
        let body = begin + close + "-----".len();
        let closed = text[body..].find("-----END").map(|end| body + end);
        let mut end = closed.unwrap_or_else(|| text.len().min(body + 8192));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let inside = text[body..end].replace("\\n", "");
        let inside: String = inside.bytes().filter(|&byte| Set::Base64.has(byte)).map(char::from).collect();
        let real = closed.is_some() && inside.len() >= 64 && entropy(&inside) >= 4.0 && !is_fake(&inside);
        keys.push(Key { start: at, body, end, real });
        from = end;
    }
    keys
}
