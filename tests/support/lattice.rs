//! Places of CI systems where a value may stand, and every way to write one there.
//!
//! A system lists its places in `fixtures/systems/NAME/lattice`. A place begins with `=== KIND PATH`, then come lines of settings, a line
//! `---`, and the file with `§` where the value stands. Kinds: `image`, `script` (commands, `key` is that of the script, `step` that of
//! the step), `value` (what `plant` lines say: rule, key, bad, clean, and the text that is marked where it is not the bad value).
//! Settings: `key`, `step`, `before N` (commands of the script that stand before), `pipefail`, `cmd` (no shell of Unix), `marks` (the text
//! that is marked, with `§` for the value), `with PATH TEXT` (a file beside it), `aside RULES` (what they say of the place itself does not
//! count), `beyond` (the system takes what its public schema does not), `ways` (`yaml` by default, `flow`, `groovy`, `json`, `hcl`, `raw` …).
#![allow(dead_code, reason = "each test crate uses its part")]

use std::fs;

/// A value that is planted: rule, key, the value, the text that the finding marks, and the value as it should be.
#[derive(Clone)]
pub struct Plant {
    pub rule: String,
    pub key: String,
    pub bad: String,
    pub marked: String,
    pub clean: String,
}

/// A place of a system where a value may stand.
pub struct Site {
    pub system: String,
    pub path: String,
    pub kind: String,
    pub ways: String,
    /// Rules that say something of the place itself.
    pub aside: Vec<String>,
    /// Whether it is written as the system takes it and its public schema does not.
    pub beyond: bool,
    /// Files beside it.
    pub with: Vec<(String, String)>,
    pub plants: Vec<Plant>,
    pub text: String,
}

/// How a value is written: the text at the place, and whether it stands there letter by letter.
pub struct Way {
    pub name: &'static str,
    pub text: String,
    /// A line before the file.
    pub ahead: String,
    pub verbatim: bool,
}

pub const DIGEST: &str = "@sha256:1f8a3b5c7d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192";
pub const REQUIREMENTS: &str =
    "pytest==8.3.4 \\\n    --hash=sha256:3f8a3b5c7d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192\n";

/// A token that no service gave out, put together here so that nothing finds it in this file.
pub fn token() -> String {
    format!("ghp_{}", "a1B2c3D4e5F6".repeat(3))
}

pub fn images(key: &str) -> Vec<Plant> {
    let clean = format!("acme/python:3.13.2-slim-bookworm{DIGEST}");
    let one = |rule: &str, bad: &str| Plant {
        rule: rule.into(),
        key: key.into(),
        bad: bad.into(),
        marked: bad.into(),
        clean: clean.clone(),
    };
    vec![
        one("image-tag-missing", "acme/python"),
        one("image-tag-missing", "registry.example.com:5000/acme/python"),
        one("image-tag-latest", "acme/python:latest"),
        one("image-tag-floating", "acme/python:3"),
    ]
}

/// Commands; `posix` says that a shell of Unix reads them.
pub fn scripts(key: &str, step: &str, before: usize, pipefail: bool, posix: bool) -> Vec<Plant> {
    let one = |rule: &str, key: String, bad: &str, marked: &str, clean: &str| Plant {
        rule: rule.into(),
        key,
        bad: bad.into(),
        marked: marked.into(),
        clean: clean.into(),
    };
    let at = |name: &str| format!("{key}[{before}].{name}");
    let install = "pip install --require-hashes -r requirements.txt";
    let run = format!("docker run --rm acme/lint:1.4.2{DIGEST}");
    let mut all = vec![
        one("req-adhoc-install", at("requests"), "pip install requests", "requests", install),
        one("req-adhoc-install", at("requests"), "python3 -m pip install 'requests>=2'", "requests>=2", install),
        one("tool-run-unpinned", at("black"), "pip install black", "black", install),
        one("image-tag-missing", at("acme/lint"), "docker run --rm acme/lint", "acme/lint", &run),
        one("image-tag-latest", at("acme/lint"), "docker run --rm acme/lint:latest", "acme/lint:latest", &run),
        one("gate-exit-swallowed", step.into(), "pytest -v || true", "pytest -v", "pytest -v --junitxml=junit.xml"),
        one(
            "download-unverified",
            String::new(),
            "curl -fsSL https://example.com/x.sh | bash",
            "curl -fsSL https://example.com/x.sh",
            "make all",
        ),
    ];
    all.retain(|plant| posix || !plant.bad.contains('\''));
    if !pipefail && posix {
        all.push(one("gate-pipe-masks-exit", step.into(), "pytest -v | tee log.txt", "pytest -v", "make all"));
    }
    all
}

/// The places that a system lists.
pub fn sites() -> Vec<Site> {
    let mut all = Vec::new();
    let mut folders: Vec<_> = fs::read_dir("fixtures/systems").expect("fixtures of systems").flatten().collect();
    folders.sort_by_key(fs::DirEntry::file_name);
    for folder in folders {
        let system = folder.file_name().to_string_lossy().into_owned();
        let text =
            fs::read_to_string(folder.path().join("lattice")).unwrap_or_else(|_| panic!("{system} lists no places"));
        for part in format!("\n{text}").split("\n=== ").skip(1) {
            all.push(site(&system, part));
        }
    }
    assert!(all.len() > 50, "{} places", all.len());
    all
}

pub fn site(system: &str, part: &str) -> Site {
    let (head, text) = part.split_once("\n---\n").unwrap_or_else(|| panic!("{system}: {part}"));
    let mut lines = head.lines();
    let (kind, path) = lines.next().and_then(|line| line.split_once(' ')).expect("a kind and a path");
    let settings: Vec<(&str, &str)> = lines.map(|line| line.split_once(' ').unwrap_or((line, ""))).collect();
    let get = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let key = get("key").unwrap_or("");
    let mut plants = match kind {
        "image" => images(key),
        "script" => {
            let before = get("before").map_or(0, |text| text.parse().expect("a number"));
            scripts(key, get("step").unwrap_or(key), before, get("pipefail").is_some(), get("cmd").is_none())
        }
        _ => settings.iter().filter(|(name, _)| *name == "plant").map(|(_, value)| plant(value)).collect(),
    };
    for plant in &mut plants {
        plant.marked = get("marks").map_or(std::mem::take(&mut plant.marked), |marked| marked.replace('§', &plant.bad));
    }
    let with = settings.iter().filter(|(name, _)| *name == "with").filter_map(|(_, value)| value.split_once(' '));
    let with = with.map(|(path, text)| (path.to_string(), text.replace("\\n", "\n"))).collect();
    let beyond = get("beyond").is_some();
    let aside = get("aside").into_iter().flat_map(str::split_whitespace).map(str::to_string).collect();
    assert!(!plants.is_empty(), "{system}: nothing is planted: {head}");
    assert_eq!(text.matches('§').count(), 1, "{system}: one place: {text}");
    let ways = get("ways").unwrap_or("yaml").to_string();
    Site {
        system: system.into(),
        path: path.into(),
        kind: kind.into(),
        ways,
        aside,
        beyond,
        with,
        plants,
        text: format!("{}\n", text.trim_end()),
    }
}

/// `RULE KEY = BAD = CLEAN`, or with the marked text as a fourth part.
pub fn plant(line: &str) -> Plant {
    let line = line.replace("TOKEN_LITERAL", &token());
    let mut parts = line.split(" = ").map(str::to_string);
    let mut next = || parts.next().unwrap_or_else(|| panic!("{line}"));
    let (head, bad, clean) = (next(), next(), next());
    let (rule, key) = head.split_once(' ').expect("a rule and a key");
    let marked = parts.next().unwrap_or_else(|| bad.clone());
    Plant { rule: rule.into(), key: key.into(), bad, marked, clean }
}

/// Every way to write a value at the place of a site.
///
/// Tokens are looked for as they stand in the file: one whose letters are escapes is not found, and hides from no one but tools.
pub fn ways(site: &Site, value: &str) -> Vec<Way> {
    let token = value.contains(&token());
    all_ways(site, value).into_iter().filter(|way| !token || way.name != "escaped").collect()
}

pub fn all_ways(site: &Site, value: &str) -> Vec<Way> {
    let line = site.text.lines().find(|line| line.contains('§')).expect("a place");
    match site.ways.as_str() {
        "yaml" => yaml(value, line, &site.text),
        "flow" => yaml(value, line, &site.text).into_iter().filter(|way| !flow_breaks(way)).collect(),
        "groovy" => groovy(value),
        "json" | "hcl" => vec![way("double", format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))],
        "hcl-docker" => vec![way("double", format!("\"docker-image://{value}\""))],
        // What stands before the value is plain text.
        "docker" => yaml(value, line, &site.text).into_iter().filter(|way| way.name.starts_with("plain")).collect(),
        "raw" => vec![way("raw", value.into())],
        other => panic!("no ways {other}"),
    }
}

pub fn way(name: &'static str, text: String) -> Way {
    Way { name, text, ahead: String::new(), verbatim: true }
}

/// A flow collection stands on one line, and plain text in it may hold none of its marks.
pub fn flow_breaks(way: &Way) -> bool {
    let one_line = !way.text.contains('\n') && !way.text.contains(" #");
    !one_line || !way.text.contains(['"', '\'']) && way.text.contains([',', '[', ']', '{', '}'])
}

pub fn yaml(value: &str, line: &str, file: &str) -> Vec<Way> {
    let indent = line.len() - line.trim_start().len();
    let inside = " ".repeat(indent + 2 + 2 * line.trim_start().matches("- ").count().min(2));
    let block = |mark: &str, lines: &str| {
        format!(
            "{mark}\n{}",
            lines
                .lines()
                .map(|line| if line.is_empty() { line.into() } else { format!("{inside}{line}") })
                .collect::<Vec<_>>()
                .join("\n")
        )
    };
    let marks = ['&', '*', '!', '|', '>', '%', '@', '`', '{', '[', '#', '"', '\'', '-', '?'];
    let is_plain = !value.starts_with(marks) && !value.contains(": ") && !value.contains(" #") && !value.ends_with(':');
    let double = value.replace('\\', "\\\\").replace('"', "\\\"");
    let (first, rest) = value.split_at(1);
    let mut all = vec![
        Way { verbatim: !value.contains('\''), ..way("single", format!("'{}'", value.replace('\'', "''"))) },
        Way { verbatim: !value.contains(['"', '\\']), ..way("double", format!("\"{double}\"")) },
        Way {
            verbatim: false,
            ..way(
                "escaped",
                format!("\"\\x{:02x}{}\"", first.as_bytes()[0], rest.replace('\\', "\\\\").replace('"', "\\\"")),
            )
        },
        way("literal", block("|", value)),
        way("literal strip", block("|-", value)),
        way("literal keep", block("|+", value)),
        way("folded", block(">", value)),
        way("folded strip", block(">-", value)),
        Way { verbatim: !value.contains('\''), ..way("tag", format!("!!str '{}'", value.replace('\'', "''"))) },
        Way { verbatim: !value.contains('\''), ..way("anchor", format!("&here '{}'", value.replace('\'', "''"))) },
    ];
    if is_plain {
        all.push(way("plain", value.into()));
        all.push(way("plain with a comment", format!("{value}  # as it is")));
    }
    if !file.starts_with('-') && !file.contains("\n---\n") && !value.contains('\'') {
        all.push(Way { ahead: format!(".anchors: [&there '{value}']\n"), ..way("alias", "*there".into()) });
    }
    all
}

pub fn groovy(value: &str) -> Vec<Way> {
    let plain = |text: &str| !text.contains(['\'', '"', '$', '\\']);
    let mut all = Vec::new();
    for (name, quote) in [("single", "'"), ("double", "\""), ("triple single", "'''"), ("triple double", "\"\"\"")] {
        if plain(value) || quote.len() == 3 && !value.contains(['$', '\\']) && !value.ends_with('\'') {
            all.push(way(name, format!("{quote}{value}{quote}")));
        }
    }
    all
}
