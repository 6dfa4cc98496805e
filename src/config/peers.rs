//! Other tools and the rules that they have too. Knows rules by their ids only.

/// A tool, the files it looks at, and the rules of ours that it has there.
struct Peer {
    name: &'static str,
    looks_at: fn(&str) -> bool,
    rules: &'static [&'static str],
}

const PEERS: &[Peer] = &[
    Peer {
        name: "zizmor",
        looks_at: is_github,
        rules: &[
            "component-mutable-branch",
            "component-floating-tag",
            "component-not-sha",
            "component-tool-latest",
            "image-tag-latest",
            "image-tag-missing",
            "secret-inline-expansion",
            "secret-env-bulk",
            "secret-derived-unmasked",
            "secret-publish-token",
            "upgrade-no-cooldown",
        ],
    },
    Peer {
        name: "hadolint",
        looks_at: is_dockerfile,
        rules: &["image-tag-latest", "image-tag-missing", "secret-in-image"],
    },
    Peer {
        name: "poutine",
        looks_at: is_github,
        rules: &["component-mutable-branch", "download-unverified", "debug-mode-committed", "secret-env-bulk"],
    },
    Peer { name: "ghalint", looks_at: is_github, rules: &["secret-env-workflow-scope", "secret-env-job-scope"] },
];

/// The names that `peers` knows.
pub fn names() -> Vec<&'static str> {
    PEERS.iter().map(|peer| peer.name).collect()
}

/// Whether one of the named tools reports the rule in this file already.
pub fn covered(named: &[String], rule: &str, path: &str) -> bool {
    let mut named = PEERS.iter().filter(|peer| named.iter().any(|name| name == peer.name));
    named.any(|peer| peer.rules.contains(&rule) && (peer.looks_at)(path))
}

fn is_github(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.starts_with(".github/") || path.contains("/.github/") || matches!(name, "action.yml" | "action.yaml")
}

fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.starts_with("dockerfile") || name.ends_with(".dockerfile") || name.starts_with("containerfile")
}
