//! The environment report: sections of lines, folded as the CI system in whose log it stands folds. Decides nothing: what must not be
//! shown is not in it.

use super::{clean, redact};
use std::io;

/// How a log folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Folding {
    /// It does not.
    #[default]
    None,
    /// `::group::` (GitHub, Gitea, Forgejo).
    Github,
    /// `section_start` (GitLab), with the second of the run.
    Gitlab(i64),
    /// `##[group]`.
    Azure,
    /// `---`.
    Buildkite,
    /// `travis_fold`.
    Travis,
    /// `##teamcity[blockOpened]`.
    TeamCity,
}

/// Variables by which systems are known, the more particular first.
const KNOWN: &[(&str, Folding)] = &[
    ("GITHUB_ACTIONS", Folding::Github),
    ("GITEA_ACTIONS", Folding::Github),
    ("FORGEJO_ACTIONS", Folding::Github),
    ("GITLAB_CI", Folding::Gitlab(0)),
    ("TF_BUILD", Folding::Azure),
    ("BUILDKITE", Folding::Buildkite),
    ("TRAVIS", Folding::Travis),
    ("TEAMCITY_VERSION", Folding::TeamCity),
];

impl Folding {
    /// That of the system whose variables are set; `second` is the time now.
    pub fn of(is_set: &dyn Fn(&str) -> bool, second: i64) -> Folding {
        match KNOWN.iter().find(|(name, _)| is_set(name)).map(|(_, folding)| *folding) {
            Some(Folding::Gitlab(_)) => Folding::Gitlab(second),
            other => other.unwrap_or_default(),
        }
    }

    /// What opens and what closes a section; titles are our own words.
    fn marks(self, title: &str) -> (String, String) {
        let id = format!("pinguard_{}", title.replace(' ', "_"));
        match self {
            Folding::None => (format!("{title}:\n"), String::new()),
            Folding::Github => (format!("::group::{title}\n"), "::endgroup::\n".to_string()),
            Folding::Gitlab(second) => (
                format!("\x1b[0Ksection_start:{second}:{id}[collapsed=true]\r\x1b[0K{title}\n"),
                format!("\x1b[0Ksection_end:{second}:{id}\r\x1b[0K\n"),
            ),
            Folding::Azure => (format!("##[group]{title}\n"), "##[endgroup]\n".to_string()),
            Folding::Buildkite => (format!("--- {title}\n"), String::new()),
            Folding::Travis => {
                (format!("travis_fold:start:{id}\r\x1b[0K{title}\n"), format!("travis_fold:end:{id}\r\x1b[0K"))
            }
            Folding::TeamCity => (
                format!("##teamcity[blockOpened name='{title}']\n"),
                format!("##teamcity[blockClosed name='{title}']\n"),
            ),
        }
    }
}

/// A section: a title in our own words, and lines as the machine gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Its lines; none may hold a secret.
    pub lines: Vec<String>,
}

/// Lines of one section that are shown at most.
const MOST: usize = 2000;
/// Characters of one line that are shown at most.
const LONGEST: usize = 2000;

/// Writes a section. Nothing in a line is obeyed by a terminal or a CI system, and tokens of known shape are hidden.
pub fn write(section: &Section, folding: Folding, out: &mut dyn io::Write) -> io::Result<()> {
    let (open, close) = folding.marks(section.title);
    out.write_all(open.as_bytes())?;
    for line in section.lines.iter().take(MOST) {
        writeln!(out, "  {}", harmless(line))?;
    }
    if section.lines.len() > MOST {
        writeln!(out, "  and {} more lines", section.lines.len() - MOST)?;
    }
    out.write_all(close.as_bytes())
}

/// A line as it may stand in a log.
fn harmless(line: &str) -> String {
    // Line ends are spelled out, so that a value of many lines is one line and none of them begins a command.
    let one = line.trim_end().replace('\n', "\\n").replace('\r', "\\r");
    let hidden = redact::hide_shapes(&one);
    let mut clean = clean::line(&hidden).into_owned();
    if clean.chars().count() > LONGEST {
        clean = clean.chars().take(LONGEST).collect::<String>() + "…";
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(folding: Folding, lines: &[&str]) -> String {
        let section = Section { title: "environment", lines: lines.iter().map(ToString::to_string).collect() };
        let mut out = Vec::new();
        write(&section, folding, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_system_folds_in_its_own_way() {
        let of = |name: &str| Folding::of(&|known| known == name, 7);
        assert_eq!(shown(of("X"), &["a"]), "environment:\n  a\n");
        assert_eq!(shown(of("GITHUB_ACTIONS"), &["a"]), "::group::environment\n  a\n::endgroup::\n");
        assert_eq!(
            shown(of("GITLAB_CI"), &["a"]),
            "\x1b[0Ksection_start:7:pinguard_environment[collapsed=true]\r\x1b[0Kenvironment\n  a\n\x1b[0Ksection_end:7:pinguard_environment\r\x1b[0K\n"
        );
        assert_eq!(shown(of("TF_BUILD"), &["a"]), "##[group]environment\n  a\n##[endgroup]\n");
        assert_eq!(shown(of("BUILDKITE"), &["a"]), "--- environment\n  a\n");
        assert_eq!(
            shown(of("TRAVIS"), &[]),
            "travis_fold:start:pinguard_environment\r\x1b[0Kenvironment\ntravis_fold:end:pinguard_environment\r\x1b[0K"
        );
        assert_eq!(
            shown(of("TEAMCITY_VERSION"), &[]),
            "##teamcity[blockOpened name='environment']\n##teamcity[blockClosed name='environment']\n"
        );
    }

    #[test]
    fn nothing_in_a_line_is_obeyed() {
        let token = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
        let text = shown(
            Folding::Github,
            &["A=1\n::set-output name=x::y", "::error::x", "B=\x1b[31mred", "C=##vso[task.x]y", "D=\rE", &token],
        );
        for line in text.lines().filter(|line| !line.contains("group::")) {
            assert!(!line.trim_start().starts_with("::") && !line.contains('\x1b') && !line.contains("##"), "{line}");
        }
        assert!(!text.contains(&token[..20]) && !text.contains('\r'));
    }
}
