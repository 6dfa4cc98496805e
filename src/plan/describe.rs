//! What a request says: title, body, and by which mark a later run knows that nothing changed. Markdown that names from files cannot
//! break out of. Asks nobody.

use super::group::Group;
use super::newer::Step;
use crate::model::change::Why;
use crate::model::project::Project;
use crate::model::reference::{Ecosystem, Origin, ReferenceId, Subject};
use crate::model::wish::Because;
use jiff::Timestamp;
use std::fmt::Write as _;

/// Forges cut longer bodies off, or refuse them.
const LONGEST: usize = 60_000;
/// Rows of a table of indirect movements.
const MOST_ROWS: usize = 200;

/// A package of a lock that moved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockMove {
    /// The lock's path.
    pub lock: String,
    /// The package.
    pub name: String,
    /// Before; none: it is new.
    pub from: Option<String>,
    /// Afterwards; none: it is gone.
    pub to: Option<String>,
}

/// Everything that a request tells.
#[derive(Debug, Clone, Copy)]
pub struct Story<'a> {
    /// The facts of the base.
    pub project: &'a Project,
    /// What moves.
    pub group: &'a Group,
    /// What moved in locks, the asked packages too.
    pub locks: &'a [LockMove],
    /// What is wanted of this group and not done.
    pub held: &'a [(ReferenceId, Why)],
    /// Words about how it was made.
    pub remarks: &'a [String],
    /// Commands that check the branch, after it is checked out.
    pub commands: &'a [String],
    /// The remote's name.
    pub remote: &'a str,
}

/// One line that says what moves.
pub fn title(project: &Project, group: &Group) -> String {
    let first = &group.steps[0];
    let same = |of: fn(&Step) -> &str| group.steps.iter().all(|step| of(step) == of(first));
    let names: Vec<&str> = group.subjects.iter().map(|subject| subject.name.as_str()).collect();
    let text = match names[..] {
        [only] if same(|step| &step.from) && same(|step| &step.to) => format!("{only} {} to {}", first.from, first.to),
        [only] if same(|step| &step.to) => format!("{only} to {}", first.to),
        [only] => only.to_string(),
        [one, two] => format!("{one} and {two}"),
        [one, two, ..] => format!("{one}, {two} and {} more", names.len() - 2),
        [] => String::new(),
    };
    let _ = project;
    let security = if group.steps.iter().any(Step::is_security) { " [security]" } else { "" };
    let text: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
    format!("{text}{security}")
}

/// The body of a request, ended by its mark. `now` gives ages; they are no part of the mark, so that they alone change nothing.
pub fn body(story: &Story<'_>, now: Timestamp) -> String {
    let plain = text(story, None);
    let told = text(story, Some(now));
    format!("{told}\n{}\n", mark(&story.group.branch, &plain, &targets(story.group)))
}

/// What a body says of itself: which branch, which targets, which words.
fn mark(branch: &str, plain: &str, targets: &str) -> String {
    format!("<!-- pinguard branch={branch} targets={:016x} words={:016x} -->", hash(targets), hash(plain))
}

/// The mark of a body; empty when it has none.
pub fn mark_of(body: &str) -> &str {
    body.lines().rev().find(|line| line.starts_with("<!-- pinguard branch=")).unwrap_or("").trim_end()
}

/// A body whose request is closed because nothing needs it any more: its targets may be proposed again when something does.
pub fn superseded(body: &str) -> String {
    match mark_of(body) {
        "" => body.to_string(),
        mark => body.replace(mark, &mark.replace(" targets=", " superseded=")),
    }
}

/// Whether two bodies propose the same targets.
pub fn same_targets(a: &str, b: &str) -> bool {
    let targets = |body| mark_of(body).split(' ').find(|word| word.starts_with("targets=")).map(str::to_string);
    targets(a).is_some() && targets(a) == targets(b)
}

fn targets(group: &Group) -> String {
    let mut list: Vec<String> =
        group.steps.iter().map(|step| format!("{:?} {}", step.reference.index, step.to)).collect();
    list.sort();
    list.join("\n")
}

/// FNV: the same on every machine and for ever.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn text(story: &Story<'_>, now: Option<Timestamp>) -> String {
    let mut out = String::new();
    moves(story, now, &mut out);
    links(story, &mut out);
    indirect(story, &mut out);
    list("How it was made", story.remarks.iter().cloned(), &mut out);
    let held = story.held.iter().map(|(id, why)| {
        let reference = story.project.reference(*id);
        format!("{} in {}: {}", code(&reference.subject.name), place(story.project, *id), plain(&why.text()))
    });
    list("Held back", held, &mut out);
    check(story, &mut out);
    if out.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(end);
        out.push_str("\n\n(cut off here: the forge takes no longer text)\n");
    }
    out
}

fn moves(story: &Story<'_>, now: Option<Timestamp>, out: &mut String) {
    out.push_str("| what | where | from | to | released | why |\n| --- | --- | --- | --- | --- | --- |\n");
    for step in &story.group.steps {
        let reference = story.project.reference(step.reference);
        let released = step.released.map_or("not known".to_string(), |at| day(at, now));
        let because: Vec<String> = step.because.iter().map(why).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {released} | {} |",
            code(&reference.subject.name),
            place(story.project, step.reference),
            code(&step.from),
            code(&step.to),
            because.join(", ")
        );
    }
    out.push('\n');
    let remarks: std::collections::BTreeSet<&str> =
        story.group.steps.iter().filter_map(|step| step.remark.as_deref()).collect();
    for remark in remarks {
        let _ = writeln!(out, "{}.", plain(remark));
    }
}

fn day(at: Timestamp, now: Option<Timestamp>) -> String {
    let date = at.strftime("%Y-%m-%d");
    match now {
        Some(now) => format!("{date}, {} days ago", (now.as_second() - at.as_second()).max(0) / 86_400),
        None => date.to_string(),
    }
}

fn why(because: &Because) -> String {
    match because {
        Because::Rule(id) => format!("`{id}`"),
        Because::Newer => "newer".to_string(),
        Because::Vulnerable(id) => format!("mends {}", code(id)),
        Because::Yanked(reason) if reason.is_empty() => "the old one was yanked".to_string(),
        Because::Yanked(reason) => format!("the old one was yanked: {}", plain(reason)),
    }
}

/// Where changes are told.
fn links(story: &Story<'_>, out: &mut String) {
    let mut found: Vec<String> = story.group.steps.iter().filter_map(|step| link(story.project, step)).collect();
    found.sort();
    found.dedup();
    list("Changes", found.into_iter(), out);
}

fn link(project: &Project, step: &Step) -> Option<String> {
    let Subject { ecosystem, name } = &project.reference(step.reference).subject;
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./+!@".contains(c));
    let version = step.to.split(' ').next().unwrap_or("");
    let before = step.from.split(' ').next().unwrap_or("");
    if !is_plain(name) || !is_plain(version) || !is_plain(before) {
        return None;
    }
    match ecosystem {
        Ecosystem::Pypi if matches!(project.reference(step.reference).origin, Origin::Vcs(_)) => None,
        Ecosystem::Pypi => Some(format!("<https://pypi.org/project/{name}/{version}/>")),
        Ecosystem::Git => {
            let parts: Vec<&str> = name.split('/').collect();
            let [owner, repository, ..] = parts[..] else { return None };
            if owner.contains('.') || version.is_empty() {
                return None;
            }
            let at = format!("https://github.com/{owner}/{repository}");
            let short = |tag: &str| tag.strip_prefix("refs/tags/").unwrap_or(tag).to_string();
            let (before, version) = (short(before), short(version));
            Some(format!("<{at}/releases/tag/{version}>, <{at}/compare/{before}...{version}>"))
        }
        Ecosystem::Npm => Some(format!("<https://www.npmjs.com/package/{name}/v/{version}>")),
        Ecosystem::Cargo => Some(format!("<https://crates.io/crates/{name}/{version}>")),
        Ecosystem::Go => Some(format!("<https://pkg.go.dev/{name}@{version}>")),
        Ecosystem::Orb => Some(format!("<https://circleci.com/developer/orbs/orb/{name}?version={version}>")),
        Ecosystem::Oci if !name.contains('.') && !name.contains('/') => {
            Some(format!("<https://hub.docker.com/_/{name}>"))
        }
        Ecosystem::Oci if !name.contains('.') => Some(format!("<https://hub.docker.com/r/{name}>")),
        _ => None,
    }
}

/// Packages that nobody asked for and that moved with the others.
fn indirect(story: &Story<'_>, out: &mut String) {
    let asked = |row: &&LockMove| !story.group.subjects.iter().any(|subject| subject.name == row.name);
    let rows: Vec<&LockMove> = story.locks.iter().filter(asked).collect();
    if rows.is_empty() {
        return;
    }
    out.push_str("\n**What moves with it**\n\n| lock | package | from | to |\n| --- | --- | --- | --- |\n");
    for row in rows.iter().take(MOST_ROWS) {
        let shown = |version: &Option<String>| version.as_deref().map_or("-".to_string(), code);
        let _ =
            writeln!(out, "| {} | {} | {} | {} |", code(&row.lock), code(&row.name), shown(&row.from), shown(&row.to));
    }
    if rows.len() > MOST_ROWS {
        let _ = writeln!(out, "\n{} more are in the files.", rows.len() - MOST_ROWS);
    }
}

fn list(head: &str, lines: impl Iterator<Item = String>, out: &mut String) {
    let mut begun = false;
    for line in lines {
        if !begun {
            let _ = writeln!(out, "\n**{head}**\n");
            begun = true;
        }
        let _ = writeln!(out, "- {line}");
    }
}

fn check(story: &Story<'_>, out: &mut String) {
    let branch = &story.group.branch;
    let _ =
        writeln!(out, "\n**Check it yourself**\n\n```sh\ngit fetch {} {branch}\ngit checkout FETCH_HEAD", story.remote);
    for command in story.commands {
        let _ = writeln!(out, "{command}");
    }
    out.push_str("```\n\n**Not this one?** ");
    let names: Vec<String> = story.group.subjects.iter().take(20).map(pattern).collect();
    let _ = writeln!(
        out,
        "Close this request: the same step is not proposed again, a newer one is. To stay where you are for good, write \
         `ignore = [{}]` under `[upgrade]` in `pinguard.toml`. After a merge, `git revert` takes files and lock back together.",
        names.join(", ").replace('`', "")
    );
    let _ = writeln!(out, "\nCommits that you push to `{branch}` stay: pinguard then leaves the branch to you.");
}

fn pattern(subject: &Subject) -> String {
    format!("\"{}:{}\"", subject.ecosystem.name(), subject.name.replace(['"', '\\'], ""))
}

fn place(project: &Project, id: ReferenceId) -> String {
    let at = project.reference(id).site.whole;
    let source = project.source(at.source);
    code(&format!("{}:{}", source.path, source.position(at.span.start).line))
}

/// A text as code, on one line of a table.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c }).collect();
    format!("`{}`", text.replace('|', "\\|"))
}

/// A text as words: nothing in it is Markdown, a mention or a link, but for what stands between two single backticks, which stays as it
/// is written: there a backslash would be seen.
pub fn plain(text: &str) -> String {
    let has_code = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
    let mut out = String::with_capacity(text.len());
    let mut is_code = false;
    for c in text.chars() {
        match c {
            c if c.is_control() => out.push(' '),
            '`' if has_code => {
                is_code = !is_code;
                out.push(c);
            }
            '|' => out.push_str("\\|"),
            c if is_code => out.push(c),
            '<' => out.push_str("&lt;"),
            '@' => out.push_str("@\u{200b}"),
            '[' | ']' | '*' | '_' | '`' | '\\' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_files_stay_words() {
        assert_eq!(plain("see [x](http://y) @me <b>"), "see \\[x\\](http://y) @\u{200b}me &lt;b>");
        assert_eq!(plain("`[upgrade] ignore` has _x_"), "`[upgrade] ignore` has \\_x\\_", "code is not escaped");
        assert_eq!(plain("`` <b>` @me `"), "\\`\\` &lt;b>\\` @\u{200b}me \\`", "what may be no code is");
        assert_eq!(plain("a ` <b>"), "a \\` &lt;b>");
        assert_eq!(code("a`|b\n"), "` a \\|b `".replace("` a", "`a"));
    }

    #[test]
    fn a_mark_is_found_and_compared() {
        let body = format!("text\n{}\n", mark("pinguard/x", "words", "targets"));
        let other = format!("more text\n{}\n", mark("pinguard/x", "other", "targets"));
        assert!(same_targets(&body, &other) && mark_of(&body) != mark_of(&other));
        assert!(!same_targets("nothing", "nothing"));
        assert!(!same_targets(&superseded(&body), &other) && superseded("nothing") == "nothing");
    }
}
