//! JUnit XML, as CI systems read it: one failed test a finding that fails the gate, one passed test a file without any.
//! Knows nothing of tests.

use super::view::{Row, View};
use super::{Report, clean};
use std::collections::BTreeSet;
use std::io;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let view = View::of(report);
    let (failed, passed): (Vec<&Row>, Vec<&Row>) = view.rows.iter().partition(|row| row.level >= report.fail_on);
    let failing: BTreeSet<&str> = failed.iter().map(|row| row.place.path.as_str()).collect();
    let files: BTreeSet<String> = files(report).filter(|path| !failing.contains(path.as_str())).collect();
    let counts = format!("tests=\"{}\" failures=\"{}\" errors=\"0\"", view.rows.len() + files.len(), failed.len());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"pinguard\" {counts}>\n  <testsuite name=\"pinguard\" {counts}>")?;
    for path in &files {
        let path = xml(path);
        writeln!(out, "    <testcase classname=\"{path}\" name=\"read and clean\" file=\"{path}\"/>")?;
    }
    for row in passed {
        let text = xml(&format!("{}: {}\n{}", row.level.name(), row.message, row.help));
        writeln!(out, "    {}\n      <system-out>{text}</system-out>\n    </testcase>", case(row))?;
    }
    for row in failed {
        let (level, rule, message) = (row.level.name(), row.rule.id, xml(&row.message));
        let place = format!("{}:{}:{}", row.place.path, row.place.start.line, row.place.start.column);
        let text = xml(&format!("{place}\n{}\n{}", row.message, row.help));
        writeln!(out, "    {}", case(row))?;
        writeln!(
            out,
            "      <failure type=\"{level}[{rule}]\" message=\"{message}\">{text}</failure>\n    </testcase>"
        )?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn files<'a>(report: &'a Report) -> impl Iterator<Item = String> + 'a {
    report.roots.iter().flat_map(|root| {
        let read = root.project.facts.iter().filter(|facts| !facts.format.is_empty()).filter_map(|facts| facts.source);
        read.map(|source| format!("{}{}", root.prefix, root.project.source(source).path))
    })
}

fn case(row: &Row) -> String {
    let (path, start) = (xml(&row.place.path), row.place.start);
    let name = format!("{} at {}:{}", row.rule.id, start.line, start.column);
    format!("<testcase classname=\"{path}\" name=\"{name}\" file=\"{path}\" line=\"{}\">", start.line)
}

/// Text as XML: what XML 1.0 cannot hold is spelled out, and no line can be a command of a CI system.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = '\n';
    for c in clean::lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            ':' if before == ':' => out.push_str("&#58;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
        before = c;
    }
    out
}
