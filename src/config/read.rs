//! A text to a [`Config`], with every mistake in it at once.

use super::keys::{self, Key, Kind};
use super::upgrade;
use super::{Config, Ignore, Mistake, PathLevel, Pattern};
use crate::model::pin::{Precision, Strength};
use crate::model::policy::Demand;
use crate::model::rule::{Group, Level, Profile};
use crate::model::source::Source;
use crate::model::span::Location;
use crate::syntax::toml;
use crate::syntax::tree::Node;
use jiff::civil::Date;

/// Reads a configuration: the whole of `pinguard.toml`, or `[tool.pinguard]` of a `pyproject.toml`. `rules` are the ids that exist.
///
/// What is wrong is left out of the result and said; nothing is guessed.
pub fn parse(source: &Source, rules: &[&str]) -> (Config, Vec<Mistake>) {
    let tree = toml::parse(source.id, &source.text);
    let in_pyproject = source.file_name() == "pyproject.toml";
    let mut reader = Reader { rules, config: Config::default(), mistakes: Vec::new() };
    let table = match in_pyproject {
        true => tree.root().and_then(|root| root.path(&["tool", "pinguard"])),
        false => tree.root(),
    };
    // Mistakes of syntax in a pyproject.toml that does not configure pinguard are none of its configuration.
    if !in_pyproject || table.is_some() {
        let mistakes = tree.problems.iter().map(|(at, text)| Mistake { at: *at, text: text.clone(), help: None });
        reader.mistakes.extend(mistakes);
    }
    match table {
        Some(table) if table.is_map() => reader.table(table, ""),
        Some(table) => reader.wrong(table, "`tool.pinguard` is not a table"),
        None => {}
    }
    reader.mistakes.sort_by_key(|mistake| mistake.at);
    (reader.config, reader.mistakes)
}

struct Reader<'r> {
    rules: &'r [&'r str],
    config: Config,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn mistake(&mut self, at: Location, text: impl Into<String>, help: Option<String>) {
        self.mistakes.push(Mistake { at, text: text.into(), help });
    }

    fn wrong(&mut self, node: Node<'_>, text: &str) {
        self.mistake(node.whole(), text, None);
    }

    /// Reads every key of a table.
    fn table(&mut self, table: Node<'_>, path: &str) {
        for (name, value) in table.entries() {
            let Some(word) = name.str() else { continue };
            let full = if path.is_empty() { word.to_string() } else { format!("{path}.{word}") };
            match keys::find(&full).filter(|key| key.path == full) {
                Some(key) => self.value(key, value),
                None => self.unknown(name, word, path),
            }
        }
    }

    fn unknown(&mut self, name: Node<'_>, word: &str, path: &str) {
        let last = |key: &Key| key.path.rsplit('.').next().unwrap_or(key.path);
        let known: Vec<&str> = keys::in_table(path).map(last).collect();
        let near = keys::nearest(word, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let elsewhere = || {
            let key = keys::KEYS.iter().find(|key| key.path.contains('.') && last(key) == word)?;
            Some(format!("`{word}` belongs to `[{}]`", key.path.rsplit_once('.')?.0))
        };
        let help = near.or_else(elsewhere).unwrap_or_else(|| format!("known keys here: {}", known.join(", ")));
        let place = if path.is_empty() { String::new() } else { format!(" of `[{path}]`") };
        self.mistake(name.whole(), format!("unknown key `{word}`{place}"), Some(help));
    }

    fn value(&mut self, key: &Key, node: Node<'_>) {
        match key.kind {
            Kind::Table if node.is_map() => self.table(node, key.path),
            Kind::Levels if node.is_map() => self.levels(node),
            Kind::Tables | Kind::RulesOrTables if node.is_seq() => {
                for item in node.items() {
                    match item.is_map() {
                        true => self.item(key.path, item),
                        false if matches!(key.kind, Kind::RulesOrTables) => {
                            if let Some(name) = self.rule(item) {
                                self.config.ignore.push(name);
                            }
                        }
                        false => self.wrong(item, &format!("an item of `{}` is not a table", key.path)),
                    }
                }
            }
            Kind::Table | Kind::Levels => {
                self.wrong(node, &format!("`{}` is not a table: write `[{}]`", key.path, key.path))
            }
            Kind::Tables | Kind::RulesOrTables => {
                self.wrong(node, &format!("`{}` is not a list: write `[[{}]]`", key.path, key.path));
            }
            Kind::Texts | Kind::Words(_) | Kind::Globs | Kind::Rules => self.list(key, node),
            Kind::Number => self.number(key, node),
            Kind::Flag => self.flag(key, node),
            Kind::Word(_) | Kind::Text | Kind::Glob | Kind::Date | Kind::Rule => self.scalar(key, node),
        }
    }

    fn list(&mut self, key: &Key, node: Node<'_>) {
        if !node.is_seq() {
            return self.wrong(node, &format!("`{}` is not a list: write `[\"…\"]`", key.path));
        }
        for item in node.items() {
            let text = match key.kind {
                Kind::Rules => self.rule(item),
                Kind::Words(words) => self.word(item, &words()),
                _ => self.text(item, key.path),
            };
            let Some(text) = text else { continue };
            let config = &mut self.config;
            match key.path {
                "select" => config.select.push(text),
                "organisations" => config.policy.organisations.push(text),
                "peers" => config.peers.push(text),
                "policy.images" => config.policy.images.push(text),
                "policy.components" => config.policy.components.push(text),
                "policy.indexes" => config.policy.indexes.push(text),
                "secrets.allow" => config.policy.allowed_secrets.push(text),
                "secrets.low-sensitivity" => config.policy.low_sensitivity.push(text),
                "secrets.env-only-components" => config.policy.env_only_components.push(text),
                "upgrade.allow" => config.upgrade.allow.push(text),
                "upgrade.ignore" => config.upgrade.ignore.push(text),
                "upgrade.labels" => config.upgrade.labels.push(text),
                "upgrade.reviewers" => config.upgrade.reviewers.push(text),
                "exclude" => {
                    let pattern = self.pattern(item, &text);
                    self.config.exclude.extend(pattern);
                }
                _ => {}
            }
        }
    }

    fn scalar(&mut self, key: &Key, node: Node<'_>) {
        let text = match key.kind {
            Kind::Word(words) => self.word(node, &words()),
            _ => self.text(node, key.path),
        };
        let Some(text) = text else { return };
        match key.path {
            "profile" => self.config.profile = Profile::ALL.into_iter().find(|profile| profile.name() == text),
            "fail-on" => self.config.fail_on = Level::named(&text),
            "baseline" => self.config.baseline = Some(text),
            path if path.starts_with("upgrade.") => self.upgrade(path, node, text),
            "require.images" => self.require(Demand::Images, &text),
            "require.requirements" => self.require(Demand::Requirements, &text),
            "require.components" => self.require(Demand::Components, &text),
            "require.hooks" => self.require(Demand::Hooks, &text),
            _ => {}
        }
    }

    /// A text or word of `[upgrade]`.
    fn upgrade(&mut self, path: &str, node: Node<'_>, text: String) {
        let wrong = match path {
            "upgrade.prefix" => upgrade::prefix_mistake(&text),
            "upgrade.author" if upgrade::author_parts(&text).is_none() => Some("write `author` as \"Name <address>\""),
            "upgrade.message" if !text.contains("{title}") => {
                Some("`message` has no `{title}`: what moves is put there")
            }
            "upgrade.message" if text.contains('\n') => {
                Some("`message` is one line: what is below it is written by the run")
            }
            "upgrade.api" if !text.starts_with("https://") && !text.starts_with("http://") => {
                Some("`api` is no address: write it as \"https://github.example.org/api/v3\"")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            return self.wrong(node, wrong);
        }
        let into = &mut self.config.upgrade;
        match path {
            "upgrade.level" => into.level = upgrade::reach_named(&text),
            "upgrade.range-strategy" => into.ranges = upgrade::range_strategy_named(&text),
            "upgrade.base" => into.base = Some(text),
            "upgrade.remote" => into.remote = text,
            "upgrade.prefix" => into.prefix = text,
            "upgrade.author" => into.author = text,
            "upgrade.message" => into.message = text,
            "upgrade.lockers" if text == "off" => into.lockers = upgrade::Lockers::Off,
            "upgrade.forge" => into.forge = Some(text),
            "upgrade.api" => into.api = Some(text),
            _ => {}
        }
    }

    fn number(&mut self, key: &Key, node: Node<'_>) {
        let number = node.str().filter(|_| node.is_scalar() && node.plain()).and_then(|text| text.parse::<u32>().ok());
        let Some(number) = number else {
            return self.wrong(node, &format!("`{}` takes a whole number", key.path));
        };
        if key.path == "lock.cooldown" {
            self.config.policy.cooldown = Some(number);
            return;
        }
        let into = &mut self.config.upgrade;
        match key.path.rsplit('.').next().unwrap_or("") {
            "limit" => into.limit = number,
            "all" => into.cooldown.all = Some(number),
            "security" => into.cooldown.security = Some(number),
            word => into.cooldown.by.extend(upgrade::ecosystem_named(word).map(|ecosystem| (ecosystem, number))),
        }
    }

    fn flag(&mut self, key: &Key, node: Node<'_>) {
        match node.str().filter(|_| node.is_scalar() && node.plain()) {
            Some("true") => self.config.upgrade.builds = upgrade::Builds::Allowed,
            Some("false") => {}
            _ => self.wrong(node, &format!("`{}` takes true or false", key.path)),
        }
    }

    fn upgrade_level(&mut self, table: Node<'_>) {
        let patterns = self.patterns(table);
        let level = table.get("level").and_then(|node| self.word(node, &upgrade::reaches()));
        if let (Some(patterns), Some(level)) = (patterns, level) {
            self.config.upgrade.levels.push((patterns, upgrade::reach_named(&level)));
        }
    }

    fn upgrade_group(&mut self, table: Node<'_>) {
        let matches = self.patterns(table);
        let Some((node, name)) = self.field(table, "name") else { return };
        let sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(sign) {
            return self.wrong(node, "`name` becomes a part of a branch name: use letters, digits, `-` and `_`");
        }
        if self.config.upgrade.groups.iter().any(|group| group.name == name) {
            return self.wrong(node, "a group of this name is there already");
        }
        if let Some(matches) = matches {
            self.config.upgrade.groups.push(upgrade::Group { name, matches });
        }
    }

    /// The patterns of `match`.
    fn patterns(&mut self, table: Node<'_>) -> Option<Vec<String>> {
        let list = table.get("match")?;
        if !list.is_seq() {
            self.wrong(list, "`match` is not a list: write `[\"…\"]`");
            return None;
        }
        let patterns: Vec<String> = list.items().filter_map(|item| self.text(item, "match")).collect();
        (!patterns.is_empty()).then_some(patterns)
    }

    fn require(&mut self, demand: Demand, word: &str) {
        let strength = match word {
            "major" => Strength::Floating(Precision::Major),
            "minor" => Strength::Floating(Precision::Minor),
            "immutable" => Strength::Immutable,
            _ => Strength::Exact,
        };
        self.config.policy.require.push((demand, strength));
    }

    /// `[rules]`: the keys are rules and groups.
    fn levels(&mut self, table: Node<'_>) {
        for (name, value) in table.entries() {
            let rule = self.rule(name);
            let level = self.word(value, &keys::levels()).and_then(|word| Level::named(&word));
            if let (Some(rule), Some(level)) = (rule, level) {
                self.config.rules.push((rule, level));
            }
        }
    }

    /// One table of `[[paths]]` or `[[ignore]]`.
    fn item(&mut self, path: &str, table: Node<'_>) {
        self.unknown_of(path, table);
        for key in keys::in_table(path).filter(|key| key.required) {
            let name = key.path.rsplit('.').next().unwrap_or(key.path);
            if table.get(name).is_none() {
                self.mistake(table.whole(), format!("this `[[{path}]]` has no `{name}`"), None);
            }
        }
        match path {
            "paths" => self.path_level(table),
            "upgrade.levels" => self.upgrade_level(table),
            "upgrade.groups" => self.upgrade_group(table),
            _ => self.ignore(table),
        }
    }

    fn unknown_of(&mut self, path: &str, table: Node<'_>) {
        for (name, _) in table.entries() {
            if let Some(word) = name.str().filter(|word| keys::find(&format!("{path}.{word}")).is_none()) {
                self.unknown(name, word, path);
            }
        }
    }

    fn path_level(&mut self, table: Node<'_>) {
        let glob = self.field(table, "glob").and_then(|(node, text)| self.pattern(node, &text));
        let level = table.get("level").and_then(|node| self.word(node, &keys::levels()));
        let mut rules = Vec::new();
        if let Some(list) = table.get("rules") {
            if !list.is_seq() {
                self.wrong(list, "`rules` is not a list: write `[\"…\"]`");
            }
            rules = list.items().filter_map(|item| self.rule(item)).collect();
            // Rules that do not exist must not turn into all rules.
            if rules.is_empty() {
                return;
            }
        }
        if let (Some(glob), Some(level)) = (glob, level.and_then(|word| Level::named(&word))) {
            self.config.paths.push(PathLevel { glob, level, rules });
        }
    }

    fn ignore(&mut self, table: Node<'_>) {
        let rule = table.get("rule").and_then(|node| self.rule(node));
        let path = self.field(table, "path").map(|(node, text)| self.pattern(node, &text));
        let name = self.field(table, "name").map(|(_, text)| text);
        let reason = self.field(table, "reason").map(|(node, text)| {
            if text.trim().is_empty() {
                self.wrong(node, "`reason` is empty: say why, so that the next reader can judge it");
            }
            text
        });
        let until = table.get("until").map(|node| self.date(node));
        // A part that could not be read must not widen the suppression.
        if path.as_ref().is_some_and(Option::is_none) || until.as_ref().is_some_and(Option::is_none) {
            return;
        }
        if let (Some(rule), Some(reason)) = (rule, reason) {
            let (path, until) = (path.flatten(), until.flatten());
            self.config.ignores.push(Ignore { rule, path, name, reason, until, at: table.whole() });
        }
    }

    fn field<'t>(&mut self, table: Node<'t>, name: &str) -> Option<(Node<'t>, String)> {
        let node = table.get(name)?;
        Some((node, self.text(node, name)?))
    }

    /// A text in quotes.
    fn text(&mut self, node: Node<'_>, name: &str) -> Option<String> {
        let text = node.str().filter(|_| node.is_scalar() && !node.plain());
        if text.is_none() {
            self.wrong(node, &format!("`{name}` takes a text in quotes"));
        }
        text.map(str::to_string)
    }

    fn word(&mut self, node: Node<'_>, words: &[&str]) -> Option<String> {
        let text = node.str().filter(|_| !node.plain()).unwrap_or("");
        if words.contains(&text) {
            return Some(text.to_string());
        }
        let near = keys::nearest(text, words.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
        let list = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        self.mistake(node.whole(), format!("expected one of {list}"), near);
        None
    }

    /// The id of a rule or the name of a group.
    fn rule(&mut self, node: Node<'_>) -> Option<String> {
        let text = node.str().filter(|_| node.is_scalar()).unwrap_or("");
        let groups = Group::ALL.map(Group::name);
        let mut known = self.rules.iter().copied().chain(groups);
        if known.clone().any(|name| name == text) {
            return Some(text.to_string());
        }
        let near = keys::nearest(text, &mut known).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| "`pinguard rules` prints every rule and group".to_string());
        self.mistake(node.whole(), format!("no rule or group is named `{}`", text.escape_debug()), Some(help));
        None
    }

    fn pattern(&mut self, node: Node<'_>, text: &str) -> Option<Pattern> {
        match Pattern::new(text) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                self.mistake(node.whole(), format!("this is not a path pattern: {why}"), None);
                None
            }
        }
    }

    /// A date, with or without quotes.
    fn date(&mut self, node: Node<'_>) -> Option<Date> {
        let date = node.str().and_then(|text| text.trim().parse::<Date>().ok());
        if date.is_none() {
            let help = Some("write it as `2027-01-31`".to_string());
            self.mistake(node.whole(), "this is not a date", help);
        }
        date
    }
}
