//! Programs that open upgrade patches: what Dependabot, Renovate and updatecli are told to cover. Knows nothing of what they find.
//!
//! <https://docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference>,
//! <https://docs.renovatebot.com/configuration-options/>, <https://www.updatecli.io/docs/core/configuration/>

use super::{Claim, Format, by_path};
use crate::model::age::span_days;
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
        let (name, ecosystems) = ("dependabot".to_string(), vec![name.to_string()]);
        let cooldown = update.get("cooldown");
        let (cooldown_days, cooldown_except) = (cooldown.and_then(dependabot_days), cooldown.map_or_else(Vec::new, exceptions));
        facts.updaters.push(Updater { name, ecosystems, at: ecosystem.at(), cooldown_days, cooldown_except });
    }
}

/// The days that every release must be old. Without a default it is the shortest of those for kinds of releases; with a list of packages that
/// it holds for there is none for all.
fn dependabot_days(cooldown: Node) -> Option<u32> {
    let days = |key: &str| cooldown.get(key).and_then(Node::str).and_then(|days| days.parse().ok());
    if cooldown.get("include").is_some_and(|list| list.items().all(|name| name.str() != Some("*")) && list.items().len() > 0) {
        return None;
    }
    let kinds = ["semver-major-days", "semver-minor-days", "semver-patch-days"];
    days("default-days").or_else(|| kinds.iter().filter_map(|key| days(key)).min())
}

/// Packages that are let through at once.
fn exceptions(cooldown: Node) -> Vec<String> {
    let names = cooldown.get("exclude").into_iter().flat_map(Node::items).filter_map(Node::str);
    names.map(str::to_ascii_lowercase).collect()
}

fn renovate(root: Node, facts: &mut Facts) {
    if root.get("enabled").and_then(Node::bool) == Some(false) {
        return;
    }
    let managers = root.get("enabledManagers").into_iter().flat_map(Node::items).filter_map(Node::str);
    let ecosystems = managers.map(str::to_string).collect();
    let cooldown_days = renovate_days(root);
    let cooldown_except: Vec<String> = Vec::new();
    let at = root.entries().next().map_or(root.at(), |(key, _)| key.at());
    if root.get("enabledManagers").is_none() && hooks_are_on(root) {
        let ecosystems = vec!["pre-commit".to_string()];
        facts.updaters.push(Updater { name: "renovate".to_string(), ecosystems, at, cooldown_days, cooldown_except: Vec::new() });
    }
    facts.updaters.push(Updater { name: "renovate".to_string(), ecosystems, at, cooldown_days, cooldown_except });
    for (ecosystems, days) in renovate_rules(root) {
        let (name, cooldown_except) = ("renovate".to_string(), Vec::new());
        facts.updaters.push(Updater { name, ecosystems, at, cooldown_days: Some(days), cooldown_except });
    }
}

fn renovate_days(node: Node) -> Option<u32> {
    let age = node.get("minimumReleaseAge").or_else(|| node.get("stabilityDays"));
    age.and_then(Node::str).and_then(span_days)
}

/// Ages for whole managers: `packageRules` that match by nothing else, and sections of a manager or language (`"pep621": {…}`).
fn renovate_rules(root: Node) -> Vec<(Vec<String>, u32)> {
    const BY: [&str; 3] = ["matchManagers", "matchDatasources", "matchCategories"];
    let texts = |list: Option<Node>| -> Vec<String> {
        list.into_iter().flat_map(Node::items).filter_map(Node::str).map(str::to_string).collect()
    };
    let rule = |rule: Node| {
        let narrowed = rule.entries().filter_map(|(key, _)| key.str()).any(|key| {
            (key.starts_with("match") || key.starts_with("exclude")) && !BY.contains(&key)
        });
        let ecosystems: Vec<String> = BY.iter().flat_map(|key| texts(rule.get(key))).collect();
        (!narrowed && !ecosystems.is_empty()).then_some((ecosystems, renovate_days(rule)?))
    };
    let rules = root.get("packageRules").into_iter().flat_map(Node::items).filter_map(rule);
    let sections = ["python", "pep621", "pip_requirements", "pip-compile", "poetry", "pipenv", "pixi"].iter();
    let sections = sections.filter_map(|name| Some((vec![name.to_string()], renovate_days(root.get(name)?)?)));
    rules.chain(sections).collect()
}

/// Renovate leaves pre-commit alone unless told otherwise; a preset of another repository may tell it.
/// <https://docs.renovatebot.com/modules/manager/pre-commit/>
fn hooks_are_on(root: Node) -> bool {
    let written = root.path(&["pre-commit", "enabled"]).and_then(Node::bool) == Some(true);
    let mut presets = root.get("extends").into_iter().flat_map(Node::items).filter_map(Node::str);
    written || presets.any(|preset| preset == ":enablePreCommit" || preset.contains('>'))
}

fn updatecli(root: Node, facts: &mut Facts) {
    let Some(sources) = root.get("sources") else { return };
    let mut ecosystems: Vec<String> =
        sources.entries().filter_map(|(_, source)| Some(source.get("kind")?.str()?.to_string())).collect();
    ecosystems.sort();
    ecosystems.dedup();
    let at = root.entry("sources").map_or(sources.at(), |(key, _)| key.at());
    facts.updaters.push(Updater { name: "updatecli".to_string(), ecosystems, at, cooldown_days: None, cooldown_except: Vec::new() });
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
    fn cooldowns_are_read_where_they_hold_for_all_packages() {
        let dependabot = |cooldown: &str| {
            let text = format!("version: 2\nupdates:\n- package-ecosystem: uv\n  cooldown: {cooldown}\n");
            updaters(".github/dependabot.yml", &text)[0].2
        };
        assert_eq!(dependabot("{default-days: 5, exclude: [ruff]}"), Some(5));
        assert_eq!(dependabot("{semver-major-days: 30, semver-patch-days: 3}"), Some(3));
        assert_eq!(dependabot("{default-days: 5, include: [ruff]}"), None);
        assert_eq!(dependabot("{default-days: 5, include: ['*']}"), Some(5));
        let rule = r#"{"packageRules": [{"matchManagers": ["pep621"], "minimumReleaseAge": "7 days"},
            {"matchManagers": ["pep621"], "matchPackageNames": ["x"], "minimumReleaseAge": "9 days"}], "pipenv": {"minimumReleaseAge": "1 week"}}"#;
        let found = updaters("renovate.json", rule);
        let of = |name: &str| found.iter().find(|(_, ecosystems, _)| ecosystems == name).and_then(|(_, _, days)| *days);
        assert_eq!((of("pep621"), of("pipenv"), of("")), (Some(7), Some(7), None));
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
