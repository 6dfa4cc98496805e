//! Programs that open upgrade patches: what Dependabot, Renovate and updatecli are told to cover. Knows nothing of what they find.
//!
//! <https://docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference>,
//! <https://docs.renovatebot.com/configuration-options/>, <https://www.updatecli.io/docs/core/configuration/>

use super::{Claim, Format, by_path};
use crate::model::facts::{Facts, Updater};
use crate::model::source::{Source, Sources};
use crate::syntax::tree::{Node, Tree};
use crate::syntax::{json, yaml};

/// The format.
pub static FORMAT: Format = Format { name: "updater", claims, sniff: by_path, read };

enum Kind {
    Dependabot,
    Renovate,
    Updatecli,
}

fn kind(path: &str) -> Option<Kind> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    let in_folder = |wanted: &str| folder == wanted || folder.ends_with(&format!("/{wanted}"));
    match name {
        "dependabot.yml" | "dependabot.yaml" if in_folder(".github") => Some(Kind::Dependabot),
        ".renovaterc" | ".renovaterc.json" | ".renovaterc.json5" | "renovate.json" | "renovate.json5" => Some(Kind::Renovate),
        "updatecli.yaml" | "updatecli.yml" => Some(Kind::Updatecli),
        _ if yaml && folder.split('/').any(|part| part == "updatecli.d") => Some(Kind::Updatecli),
        _ => None,
    }
}

fn claims(path: &str) -> Claim {
    if kind(path).is_some() { Claim::Yes } else { Claim::No }
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let (id, text) = (source.id, source.text.as_str());
    let (tree, read): (Tree, fn(Node, &mut Facts)) = match kind(&source.path) {
        Some(Kind::Dependabot) => (yaml::parse(id, text), dependabot),
        Some(Kind::Renovate) => (json::parse(id, text), renovate),
        Some(Kind::Updatecli) => (yaml::parse(id, text), updatecli),
        None => return,
    };
    // updatecli's own files are Go templates by design.
    if !matches!(kind(&source.path), Some(Kind::Updatecli)) {
        tree.report(facts);
        if tree.template.is_some() {
            return;
        }
    }
    tree.roots().for_each(|root| read(root, facts));
}

/// One updater per entry: each has its own ecosystem and its own cooldown.
fn dependabot(root: Node, facts: &mut Facts) {
    for update in root.get("updates").into_iter().flat_map(Node::items) {
        let Some((ecosystem, name)) = update.get("package-ecosystem").and_then(|node| Some((node, node.str()?))) else {
            continue;
        };
        // With a limit of zero only security updates are opened.
        if update.get("open-pull-requests-limit").and_then(Node::str) == Some("0") {
            continue;
        }
        let days = update.path(&["cooldown", "default-days"]).and_then(Node::str).and_then(|days| days.parse().ok());
        let (name, ecosystems) = ("dependabot".to_string(), vec![name.to_string()]);
        facts.updaters.push(Updater { name, ecosystems, at: ecosystem.at(), cooldown_days: days });
    }
}

fn renovate(root: Node, facts: &mut Facts) {
    if root.get("enabled").and_then(Node::bool) == Some(false) {
        return;
    }
    let managers = root.get("enabledManagers").into_iter().flat_map(Node::items).filter_map(Node::str);
    let ecosystems = managers.map(str::to_string).collect();
    let age = root.get("minimumReleaseAge").or_else(|| root.get("stabilityDays"));
    let cooldown_days = age.and_then(Node::str).and_then(days);
    let at = root.entries().next().map_or(root.at(), |(key, _)| key.at());
    if root.get("enabledManagers").is_none() && hooks_are_on(root) {
        let ecosystems = vec!["pre-commit".to_string()];
        facts.updaters.push(Updater { name: "renovate".to_string(), ecosystems, at, cooldown_days });
    }
    facts.updaters.push(Updater { name: "renovate".to_string(), ecosystems, at, cooldown_days });
}

/// Renovate leaves pre-commit alone unless told otherwise; a preset of another repository may tell it.
/// <https://docs.renovatebot.com/modules/manager/pre-commit/>
fn hooks_are_on(root: Node) -> bool {
    let written = root.path(&["pre-commit", "enabled"]).and_then(Node::bool) == Some(true);
    let mut presets = root.get("extends").into_iter().flat_map(Node::items).filter_map(Node::str);
    written || presets.any(|preset| preset == ":enablePreCommit" || preset.contains('>'))
}

/// `3 days`, `1 week`, `14`: whole days.
fn days(text: &str) -> Option<u32> {
    let number: u32 = text.split_whitespace().next()?.parse().ok()?;
    match text.split_whitespace().nth(1).map(|unit| unit.trim_end_matches('s')) {
        None | Some("day" | "d") => Some(number),
        Some("week" | "w") => number.checked_mul(7),
        Some("month") => number.checked_mul(30),
        _ => None,
    }
}

fn updatecli(root: Node, facts: &mut Facts) {
    let Some(sources) = root.get("sources") else { return };
    let mut ecosystems: Vec<String> =
        sources.entries().filter_map(|(_, source)| Some(source.get("kind")?.str()?.to_string())).collect();
    ecosystems.sort();
    ecosystems.dedup();
    let at = root.entry("sources").map_or(sources.at(), |(key, _)| key.at());
    facts.updaters.push(Updater { name: "updatecli".to_string(), ecosystems, at, cooldown_days: None });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::facts_of;

    fn updaters(path: &str, text: &str) -> Vec<(String, String, Option<u32>)> {
        let facts = facts_of(&FORMAT, path, text);
        facts.updaters.into_iter().map(|updater| (updater.name, updater.ecosystems.join(","), updater.cooldown_days)).collect()
    }

    #[test]
    fn each_program_says_what_it_covers() {
        let text = "version: 2\nupdates:\n- package-ecosystem: pip\n  cooldown: {default-days: 7}\n- package-ecosystem: \"docker\"\n- package-ecosystem: npm\n  \
                    open-pull-requests-limit: 0\n";
        let want = [("dependabot".into(), "pip".into(), Some(7)), ("dependabot".into(), "docker".into(), None)];
        assert_eq!(updaters(".github/dependabot.yml", text), want);
        let text = "{extends: ['config:recommended'], minimumReleaseAge: '2 weeks', \"enabledManagers\": [\"pep621\"],}";
        assert_eq!(updaters("renovate.json5", text), [("renovate".into(), "pep621".into(), Some(14))]);
        assert_eq!(updaters(".renovaterc", "{\"enabled\": false}"), []);
        let text = "sources:\n  a: {kind: dockerimage}\n  b: {kind: dockerimage}\ntargets: {}\n";
        assert_eq!(updaters("updatecli/updatecli.d/x.yaml", text), [("updatecli".into(), "dockerimage".into(), None)]);
    }

    #[test]
    fn hooks_are_moved_by_renovate_only_when_it_is_told_to() {
        let rows = [
            (r#"{"extends": ["config:recommended"]}"#, 1),
            (r#"{"extends": [":enablePreCommit"]}"#, 2),
            (r#"{"pre-commit": {"enabled": true}}"#, 2),
            (r#"{"extends": ["github>acme/presets"]}"#, 2),
            (r#"{"enabledManagers": ["npm"], "extends": [":enablePreCommit"]}"#, 1),
        ];
        for (text, count) in rows {
            assert_eq!(updaters("renovate.json", text).len(), count, "{text}");
        }
    }
}
