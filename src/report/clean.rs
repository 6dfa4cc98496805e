//! Makes text that came from files harmless for terminals, logs and CI systems that read commands from logs. Knows no output format.

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::borrow::Cow;
use std::io;

/// `text` on one line: controls, bidirectional and invisible marks are spelled out, line ends become spaces.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| !is_hidden(c) && c != '\n') && !text.contains("##") && !text.trim_start().starts_with("::")
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    text.trim_end().chars().filter(|&c| c != '\r').for_each(|c| match c {
        '\n' => out.push(' '),
        c => push(&mut out, c),
    });
    Cow::Owned(no_command(out))
}

/// The same for text of several lines, whose line ends stay.
pub fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A path as it may begin a line.
pub fn path(text: &str) -> String {
    let clean = line(text);
    if clean.starts_with([':', '#', ' ']) { format!("./{clean}") } else { clean.into_owned() }
}

/// Appends `c`, spelled out when it would be hidden or obeyed by a terminal.
pub fn push(out: &mut String, c: char) {
    if is_hidden(c) {
        out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// Whether a terminal would obey `c`, or show nothing for it, or turn the text around because of it.
///
/// The marks are those of the Trojan Source report (CVE-2021-42574) and the format characters without a use in configuration.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' // controls but tab and line feed
        | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Breaks what a CI system would take for a command: `::name::` at the start of a line (GitHub), `##[name]` anywhere (GitHub,
/// Azure's `##vso[`, TeamCity's `##teamcity[`).
fn no_command(text: String) -> String {
    let text = if text.contains("##") { text.replace("##", "# #") } else { text };
    match text.trim_start().strip_prefix("::") {
        Some(rest) => format!(": :{rest}"),
        None => text,
    }
}

/// Writes `value` as indented JSON and a line end. What [`line`] would spell out is escaped, so that parsers get the very text
/// and no log obeys it.
pub fn json(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Escaping(PrettyFormatter::new()));
    value.serialize(&mut serializer).map_err(io::Error::other)?;
    writeln!(out)
}

struct Escaping<'a>(PrettyFormatter<'a>);

impl Formatter for Escaping<'_> {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = awkward(rest) {
            let c = rest[at..].chars().next().unwrap_or_default();
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// Where the first character stands that JSON must escape for us: a hidden one, or the second `#` of `##`.
fn awkward(text: &str) -> Option<usize> {
    let second = |at: usize, c: char| c == '#' && at > 0 && text.as_bytes()[at - 1] == b'#';
    text.char_indices().find(|&(at, c)| is_hidden(c) || second(at, c)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_marks_are_spelled_out() {
        assert_eq!(line("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(line("x\u{202e}y\u{200b}"), "x\\u{202e}y\\u{200b}");
        assert_eq!(line("tab\tand é 漢 stay"), "tab\tand é 漢 stay");
        assert_eq!(line("two\r\nlines\n"), "two lines");
    }

    #[test]
    fn no_line_is_a_command_of_a_ci_system() {
        assert_eq!(line("  ::add-mask::x"), ": :add-mask::x");
        assert_eq!(line("see ##[group]x and ##vso[task.x]"), "see # #[group]x and # #vso[task.x]");
        assert_eq!(lines("a\n\t::stop-commands::t\nb"), "a\n: :stop-commands::t\nb");
        assert_eq!(path("::error::x.yml"), "./: :error::x.yml");
    }

    #[test]
    fn json_keeps_the_text_and_hides_nothing() {
        let mut out = Vec::new();
        let text = "a\u{1b}[0m \u{202e} ##[x] \u{e0041} \n é";
        json(&text, &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        assert!(written.trim_end().chars().all(|c| !is_hidden(c)) && !written.contains("##"), "{written}");
    }
}
