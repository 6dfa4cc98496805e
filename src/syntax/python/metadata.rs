//! Inline script metadata: the comment block `# /// script` (PEP 723).
//!
//! Source: <https://packaging.python.org/en/latest/specifications/inline-script-metadata/>. Does not know what the keys mean.

use std::ops::Range;

/// Whether a text looks as if it had such a block.
pub fn has_script_metadata(text: &str) -> bool {
    text.starts_with("# /// script") || text.contains("\n# /// script") || text.starts_with("\u{feff}# /// script")
}

/// The block's TOML, with blanks for everything else: each byte of it stands at the place that it has in `text`, so that a tree of
/// the result has the places of the source. `None`: there is no block, or more than one (which is an error).
pub fn script_metadata(text: &str) -> Option<String> {
    let mut blocks = blocks(text);
    let lines = blocks.next()?;
    if blocks.next().is_some() {
        return None;
    }
    let mut out: Vec<u8> = text.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' }).collect();
    for line in lines {
        out[line.clone()].copy_from_slice(&text.as_bytes()[line]);
    }
    String::from_utf8(out).ok()
}

/// The lines of each block of type `script`, without `# `.
fn blocks(text: &str) -> impl Iterator<Item = Vec<Range<usize>>> {
    let mut found = Vec::new();
    let mut open: Option<Vec<(Range<usize>, bool)>> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n').chain(std::iter::once("")) {
        let bare = line.trim_end_matches(['\n', '\r']).trim_start_matches('\u{feff}');
        let comment = bare == "#" || bare.starts_with("# ");
        match &mut open {
            Some(lines) if comment => {
                let lead = bare.len().min(2);
                lines.push((start + lead..start + bare.len(), bare == "# ///"));
            }
            Some(lines) => {
                // The last closing line counts: the content itself may hold such lines.
                if let Some(end) = lines.iter().rposition(|(_, closes)| *closes) {
                    found.push(lines.drain(..end).map(|(range, _)| range).collect());
                }
                open = None;
            }
            None if bare.trim_end() == "# /// script" => open = Some(Vec::new()),
            None => {}
        }
        start += line.len();
    }
    found.into_iter()
}
