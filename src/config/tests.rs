//! Configuration, suppressions and baseline by example.

use super::baseline::Baseline;
use super::suppress::{self, Around, Note};
use super::{Asked, Config, Mistake, SAMPLE, keys, parse, schema};
use crate::model::finding::{Finding, Findings, Judged};
use crate::model::pin::Strength;
use crate::model::policy::Demand;
use crate::model::project::Project;
use crate::model::rule::{Group, Level, Profile, Rule, levels};
use crate::model::source::{Source, Sources};
use crate::model::span::{Location, SourceId, Span};
use jiff::civil::{Date, date};

const RULES: [&str; 4] = ["image-tag-latest", "image-no-digest", "secret-env-job-scope", "image-tag-floating"];

fn check(_: &Project, _: &mut Findings) {}

static LATEST: Rule = Rule {
    id: "image-tag-latest",
    group: Group::Image,
    summary: "",
    levels: &[("site", levels(Level::Error, Level::Error, Level::Error))],
    since: "0.1.0",
    check,
};

fn read(path: &str, text: &str) -> (Config, Vec<Mistake>, Source) {
    let source = Source::new(SourceId(0), path, text);
    let (config, mistakes) = parse(&source, &RULES);
    (config, mistakes, source)
}

fn told(text: &str) -> Vec<(String, String, Option<String>)> {
    let (_, mistakes, source) = read("pinguard.toml", text);
    let tell = |mistake: Mistake| (source.slice(mistake.at.span).to_string(), mistake.text, mistake.help);
    mistakes.into_iter().map(tell).collect()
}

/// The sample with every key switched on; of the two forms of `ignore` the tables.
fn switched_on() -> String {
    let lines = SAMPLE.lines().filter(|line| !line.starts_with("#ignore = [\"test-no-junit"));
    let on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') && !rest.is_empty() => rest.to_string(),
        _ => line.to_string(),
    };
    lines.map(on).collect::<Vec<_>>().join("\n").replace("test-no-junit", "image-no-digest")
}

#[test]
fn the_sample_is_clean_as_it_is_and_switched_on() {
    assert_eq!(told(SAMPLE), []);
    let (config, mistakes, source) = read("pinguard.toml", &switched_on());
    let texts: Vec<_> = mistakes.iter().map(|mistake| (source.slice(mistake.at.span), &mistake.text)).collect();
    assert!(texts.is_empty(), "{texts:?}");
    assert_eq!(config.profile, Some(Profile::Default));
    assert_eq!(config.policy.demanded(Demand::Images), Some(Strength::Immutable));
    assert_eq!((config.ignores.len(), config.paths.len(), config.rules.len()), (1, 1, 2));
    assert_eq!(config.ignores[0].until, Some(date(2027, 1, 31)));
}

#[test]
fn the_sample_describes_every_key() {
    for key in keys::KEYS {
        assert!(
            !schema::description(key.path).is_empty(),
            "docs/pinguard.sample.toml says nothing about `{}`",
            key.path
        );
    }
}

#[test]
fn a_pyproject_is_read_at_its_table_only() {
    let (config, mistakes, _) = read("pyproject.toml", "[tool.pinguard]\nprofile = \"strict\"\n[tool.ruff]\nx = 1\n");
    assert_eq!((config.profile, mistakes.len()), (Some(Profile::Strict), 0));
    assert_eq!(read("pyproject.toml", "[project\nname = 1").1, []);
}

#[test]
fn every_mistake_is_told_at_once_and_in_its_place() {
    let text = "profil = \"strict\"\nprofile = \"strickt\"\nselect = \"images\"\nexclude = [\"a[\"]\n[rules]\nimage-tag-lates = \"off\"\n\
                image-no-digest = \"warn\"\n[require]\nimages = true\nimage = 1\n[[ignore]]\nrule = \"images\"\nreason = \"\"\nuntil = \"soon\"\n\
                [[paths]]\nlevel = \"info\"\n";
    let told = told(text);
    let short: Vec<(&str, &str)> = told.iter().map(|(at, text, _)| (at.as_str(), text.as_str())).collect();
    let starts = [
        ("profil", "unknown key `profil`"),
        ("\"strickt\"", "expected one of"),
        ("\"images\"", "`select` is not a list"),
        ("\"a[\"", "this is not a path pattern"),
        ("image-tag-lates", "no rule or group is named"),
        ("\"warn\"", "expected one of"),
        ("true", "expected one of"),
        ("image", "unknown key `image` of `[require]`"),
        ("\"\"", "`reason` is empty"),
        ("\"soon\"", "this is not a date"),
    ];
    for (found, expected) in short.iter().filter(|found| !found.1.contains("[[paths]]")).zip(starts) {
        assert_eq!(found.0, expected.0, "{short:?}");
        assert!(found.1.starts_with(expected.1), "{found:?}");
    }
    assert_eq!(short.len(), starts.len() + 1, "{short:?}");
    assert_eq!(told[0].2.as_deref(), Some("did you mean `profile`?"));
    assert!(told.iter().any(|(.., help)| help.as_deref() == Some("did you mean `image-tag-latest`?")));
    assert!(told.iter().any(|(.., help)| help.as_deref() == Some("did you mean \"warning\"?")));
}

#[test]
fn an_upgrade_is_read_and_its_mistakes_are_told_at_once() {
    use super::upgrade::{Builds, Lockers, Upgrade};
    use crate::model::reference::{Ecosystem, Subject};
    use crate::model::wish::Reach;
    assert_eq!(read("pinguard.toml", "").0.upgrade, Upgrade::default());
    let upgrade = read("pinguard.toml", &switched_on()).0.upgrade;
    let subject = |ecosystem, name: &str| Subject { ecosystem, name: name.to_string() };
    assert_eq!(upgrade.reach(&subject(Ecosystem::Pypi, "django")), Reach::Minor);
    assert_eq!(upgrade.reach(&subject(Ecosystem::Pypi, "postgres")), Reach::Major);
    assert_eq!(upgrade.refuses(&subject(Ecosystem::Oci, "postgres")), None);
    assert!(upgrade.refuses(&subject(Ecosystem::Npm, "prettier")).is_some());
    assert!(upgrade.refuses(&subject(Ecosystem::Pypi, "internal-x")).is_some());
    assert_eq!(upgrade.group(&subject(Ecosystem::Pypi, "pytest-cov")).map(|group| group.name.as_str()), Some("pytest"));
    assert_eq!((upgrade.days(Ecosystem::Git), upgrade.days(Ecosystem::Conda)), (7, 3));
    assert_eq!((upgrade.lockers, upgrade.builds, upgrade.limit), (Lockers::Tool, Builds::Forbidden, 10));
    let text = "[upgrade]\nlevel = \"huge\"\nlimit = \"ten\"\nprefix = \"main\"\nauthor = \"me\"\nmessage = \"deps\"\nallow-builds = 1\n\
                api = \"host\"\n[upgrade.cooldown]\npypi = -1\nconda = 3\n[[upgrade.groups]]\nname = \"a b\"\nmatch = [\"x\"]\n\
                [[upgrade.levels]]\nmatch = \"x\"\nlevel = \"minor\"\n[[upgrade.groups]]\nmatch = []\n";
    let told = told(text);
    let places: Vec<&str> = told.iter().map(|(at, ..)| at.as_str()).collect();
    let expected =
        ["\"huge\"", "\"ten\"", "\"main\"", "\"me\"", "\"deps\"", "1", "\"host\"", "-1", "conda", "\"a b\"", "\"x\""];
    assert_eq!(places[..expected.len()], expected, "{told:?}");
    assert_eq!(told.len(), expected.len() + 1, "{told:?}");
}

#[test]
fn levels_come_from_the_nearest_word() {
    let text = "ignore = [\"secrets\"]\npeers = [\"hadolint\"]\n[rules]\nimages = \"info\"\nimage-no-digest = \"error\"\n\
                [[paths]]\nglob = \"examples\"\nlevel = \"info\"\n[[paths]]\nglob = \"k8s/**\"\nlevel = \"error\"\nrules = [\"images\"]\n";
    let (config, mistakes, _) = read("pinguard.toml", text);
    assert_eq!(mistakes, []);
    let level = |rule, group, path| {
        let levels = levels(Level::Warning, Level::Error, Level::Error);
        config.level(Profile::Default, Asked { rule, group, levels, path })
    };
    let cases = [
        ("image-tag-latest", Group::Image, "ci.yml", Level::Info),
        ("image-no-digest", Group::Image, "ci.yml", Level::Error),
        ("image-no-digest", Group::Image, "examples/a/ci.yml", Level::Info),
        ("image-tag-latest", Group::Image, "k8s/a.yml", Level::Error),
        ("image-tag-latest", Group::Image, "docker/Dockerfile", Level::Off),
        ("secret-env-job-scope", Group::Secret, "ci.yml", Level::Off),
        ("other", Group::Gate, "ci.yml", Level::Warning),
    ];
    for (rule, group, path, expected) in cases {
        assert_eq!(level(rule, group, path), expected, "{rule} in {path}");
    }
}

fn around<'a>(now: Date) -> Around<'a> {
    Around { now, known: &RULES, in_force: &|_, _| true }
}

fn finding(source: SourceId, at: usize, name: &str) -> Finding {
    let at = Location::new(source, Span::new(at, at + 1));
    Findings::finding(&LATEST, "site", at, "m").about("jobs.a", name)
}

fn judged(source: SourceId, at: usize, name: &str, count: usize) -> Judged {
    let suffix = if count > 1 { format!("-{count}") } else { String::new() };
    Judged { finding: finding(source, at, name), level: Level::Error, fingerprint: format!("f{name}{suffix}") }
}

/// Findings at each `X` of a text: the lines of those that stay, and what is said about the suppressions.
fn suppressed(text: &str) -> (Vec<usize>, Vec<Note>) {
    let mut sources = Sources::default();
    let id = sources.add("ci.yml", text);
    let findings = text.match_indices('X').map(|(at, _)| finding(id, at, "n")).collect();
    let comments = suppress::collect(&sources);
    let applied = suppress::apply(findings, &comments, &Config::default(), &sources, &around(date(2026, 11, 1)));
    let line = |finding: &Finding| sources.get(id).position(finding.at.span.start).line;
    (applied.kept.iter().map(line).collect(), applied.notes)
}

#[test]
fn a_comment_speaks_of_its_line_or_the_next_or_the_item() {
    let cases: [(&str, &[usize]); 11] = [
        ("a: X # pinguard: ignore[image-tag-latest] why\nb: X\n", &[2]),
        ("# pinguard: ignore[images] why\na: X\nb: X\n", &[3]),
        ("# pinguard: ignore[images] why\n# more words\na: X\n", &[]),
        ("# pinguard: ignore[images] why\n\na: X\n", &[3]),
        ("jobs:\n  # pinguard: ignore[images] why\n  a:\n    image: X\n\n    more: X\n  b: X\n", &[7]),
        ("jobs:\n  a: # pinguard: ignore[images] why\n    image: X\n  b: X\n", &[4]),
        ("steps:\n  - uses: X # pinguard: ignore[images] why\n    with: X\n  - uses: X\n", &[4]),
        ("run: | # pinguard: ignore[images] why\n  X\nb: X\n", &[3]),
        ("// pinguard: ignore[images] why\n\"image\": \"X\",\n\"b\": X\n", &[3]),
        ("# pinguard: ignore[images] why\nRUN a \\\n  X \\\n  X\nRUN X\n", &[5]),
        ("# pinguard: ignore[images] why\nFROM X AS a\nRUN X\nFROM X\n", &[4]),
    ];
    for (text, expected) in cases {
        let (kept, notes) = suppressed(text);
        assert_eq!(kept, expected, "{text}");
        let unused = notes.iter().filter(|note| note.rule != "ignore-unused").count();
        assert_eq!(unused, 0, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_suppression_is_said() {
    let cases: [(&str, &[&str]); 8] = [
        ("a: X # pinguard: ignore[images]\n", &["ignore-no-reason"]),
        ("a: Y # pinguard: ignore[images] why\n", &["ignore-unused"]),
        ("a: X # pinguard: ignore[image-tag-lates] why\n", &["ignore-unknown-rule"]),
        ("a: X # pinguard: ignore why\n", &["ignore-unknown-rule"]),
        ("a: X # pinguard: ignore[images] why until=2026-10-31\n", &["ignore-expired"]),
        ("a: X # pinguard: ignore[images] why until=2026-11-01\n", &[]),
        ("a: X # pinguard: ignore[images] why until=soon\n", &["ignore-expired"]),
        ("<!-- pinguard: ignore[images] why -->\nX\n", &[]),
    ];
    for (text, expected) in cases {
        let rules: Vec<&str> = suppressed(text).1.iter().map(|note| note.rule).collect();
        assert_eq!(rules, expected, "{text}");
    }
    // An expired suppression still holds: nothing turns red by the calendar.
    assert!(suppressed(cases[4].0).0.is_empty());
    assert_eq!(suppressed("say: pinguard: ignore[images] in words\nX\n"), (vec![2], Vec::new()));
}

#[test]
fn the_configuration_suppresses_by_rule_path_and_name() {
    let text = "[[ignore]]\nrule = \"images\"\npath = \"deploy\"\nname = \"acme/*\"\nreason = \"ours\"\n";
    let (config, _, _) = read("pinguard.toml", text);
    let mut sources = Sources::default();
    sources.add("pinguard.toml", text);
    let inside = sources.add("deploy/a.json", "x");
    let outside = sources.add("b.json", "x");
    let findings = vec![finding(inside, 0, "acme/a"), finding(inside, 0, "b"), finding(outside, 0, "acme/a")];
    let applied = suppress::apply(findings, &[], &config, &sources, &around(date(2026, 1, 1)));
    assert_eq!((applied.kept.len(), applied.suppressed, applied.notes.len()), (2, 1, 0));
    let applied = suppress::apply(Vec::new(), &[], &config, &sources, &around(date(2026, 1, 1)));
    assert_eq!(applied.notes[0].rule, "ignore-unused");
}

#[test]
fn a_baseline_hides_what_was_there_and_no_more() {
    let mut sources = Sources::default();
    let id = sources.add("ci.yml", "x\ny\n");
    let day: Date = date(2026, 1, 1);
    let old = Baseline::of(&[judged(id, 0, "a", 1), judged(id, 1, "a", 2)], &sources, day, None);
    let old = Baseline::parse(&old.to_text()).unwrap();
    // Moved, and one more of the same.
    let now = vec![judged(id, 3, "a", 1), judged(id, 3, "a", 2), judged(id, 3, "a", 3), judged(id, 3, "b", 1)];
    let applied = old.apply(now.clone(), date(2026, 3, 1));
    assert_eq!((applied.kept.len(), applied.hidden, applied.expired, applied.gone), (2, 2, 0, 0));
    let applied = old.apply(now.clone(), date(2027, 3, 1));
    assert_eq!((applied.kept.len(), applied.expired), (4, 2));
    assert_eq!(applied.kept[0].level, Level::Info);
    assert_eq!(old.apply(Vec::new(), day).gone, 1);
    let new = Baseline::of(&now, &sources, date(2026, 3, 1), Some(&old)).to_text();
    assert!(new.contains("2026-01-01") && new.contains("2026-03-01") && new.contains("\"count\": 3"), "{new}");
}

#[test]
fn a_baseline_of_somebody_else_is_refused_in_words() {
    for text in ["", "{}", "{\"version\": 9, \"findings\": []}", "[1]"] {
        assert!(Baseline::parse(text).unwrap_err().contains("--write-baseline"), "{text}");
    }
}

#[test]
fn the_published_schema_is_the_one_of_the_code() {
    let published = include_str!("../../docs/pinguard.schema.json");
    let expected = serde_json::to_string_pretty(&schema::schema()).unwrap() + "\n";
    assert_eq!(published, expected, "write what `schema()` gives into docs/pinguard.schema.json");
}
