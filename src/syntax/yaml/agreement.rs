//! What is read in one pass is the tree of the whole parser, node by node, or it is not read in one pass.
#![expect(clippy::disallowed_methods, reason = "tests read the fixtures")]

use super::stream;
use super::tests::TRICKY;
use super::whole;
use crate::model::span::SourceId;
use std::path::Path;

/// Whether a text is read in one pass; then the tree is compared.
fn agrees(text: &str) -> bool {
    let Some(tree) = stream::parse(SourceId(0), text) else { return false };
    assert!(tree == whole(SourceId(0), text), "{text:?} gives two trees:\n{tree:?}\n{:?}", whole(SourceId(0), text));
    true
}

/// Every YAML text below a folder.
fn texts(folder: &Path, found: &mut Vec<String>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let is_yaml = [".yml", ".yaml", "pixi.lock"].iter().any(|end| path.to_string_lossy().ends_with(end));
        match path.is_dir() {
            true if !path.is_symlink() => texts(&path, found),
            false if is_yaml => found.extend(std::fs::read_to_string(&path)),
            _ => {}
        }
    }
}

/// The texts of `fixtures/`, and those below the folder that `PINGUARD_CORPUS` names.
fn all() -> Vec<String> {
    let mut found = Vec::new();
    texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut found);
    if let Some(folder) = std::env::var_os("PINGUARD_CORPUS") {
        texts(Path::new(&folder), &mut found);
    }
    found
}

#[test]
fn both_ways_give_one_tree() {
    let all = all();
    let read = all.iter().filter(|text| agrees(text)).count();
    assert!(read * 10 > all.len() * 8, "only {read} of {} texts are read in one pass", all.len());
    TRICKY.iter().for_each(|text| {
        agrees(text);
    });
}

#[test]
fn what_is_ordinary_is_read_in_one_pass() {
    for text in [
        "",
        "# nothing\n\n",
        "a: 1\nb:\n  - x\n  - y: 2\n    z:\n  -\n  - # none\n  -   \nc: # why\n  d: |\n    text\n\n    more\n\n# end\ne:\n- q\n- - r\n  - s\n",
        "---\na: b\n---\n# two\nc:\n  d\n",
        "a: one\n  two\n\n  three # why\nb: 'it''s'\nc: \"x\\n\\\"y\\\" \\\\\"\n'd' : \"e\n  f\n\n  g\"\n~: null\n",
        "a: |-\n\n    one\n      two\n    three\n   # out\nb: >+\n  one\n  two\n\n  three\n    four\n\n  five\n\n\nc: >\n  x\n   \n  y",
        "a: [b, 'c', \"d\", [e, {f: g, \"h\": [i], j: {}}], http://x:80/y,]\nb: {}\nc: [\n  d, # why\n  -e,\n  ]\n",
        "on:\n  push:\n    branches: [main]\njobs:\n  a:\n    steps:\n    - uses: a/b@v1 # v1\n      with: {x: 1}\n    - run: echo\n",
        "a: -1\nb: a:b\nc: a#b\nd: - \n",
    ] {
        // A list may not begin behind a key: the last text is read by nobody.
        assert_eq!(agrees(text), !text.contains(": - "), "{text:?}");
    }
}

#[test]
fn what_is_out_of_the_ordinary_is_left_to_the_whole_parser() {
    for text in [
        "a: &x 1\n",
        "a: *x\n",
        "a: !t 1\n",
        "? a\n: b\n",
        "a: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "a: b\r\n",
        "\u{feff}a: b\n",
        "a:\tb\n",
        "a: \"\\x41\"\n",
        "a: |2\n  b\n",
        "a: |\nb: c\n",
        "a: [\n]\n",
        "a: [b: c]\n",
        "a: {b, c: }\n",
        "text\n",
        "[a]\n",
        "---\n",
        "a: b\n  c: d\n",
        "a: b # c\n  d\n",
        "- a\nb: c\n",
        "a\nb: c\n",
        "a: 'b'c\n",
        "a: 'b\n'\n",
        "a: [b, c\n",
        "a: [b]]\n",
        "a: [b}\n",
        "a: \u{7f}\n",
    ] {
        assert!(stream::parse(SourceId(0), text).is_none(), "{text:?}");
    }
}

/// Pieces that make a difference in YAML.
const PIECES: [&str; 45] = [
    " ", "  ", "   ", "\n", "\n\n", ":", ": ", "- ", "- x\n", "#", " #", "# c\n", "'", "''", "\"", "[", "]", "{", "}",
    ",", "[a, b]", "{a: b}", "|", "|-", "|2", ">", ">+", "\t", "\r\n", "&a ", "*a", "!t ", "? ", "\\", "\\n", "---\n",
    "...\n", "~", "null", "<<: ", "%", "@", "a: 1\n", "é", "\u{85}",
];

/// Numbers at random, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit.max(1)
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        let at = self.below(text.len() + 1);
        (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
    }
}

/// Changes a text at one place.
fn mutate(text: &mut String, dice: &mut Dice) {
    let at = dice.place(text);
    match dice.below(5) {
        0 => text.truncate(at),
        1 => {
            let len = text[at..].chars().take(1 + dice.below(3)).map(char::len_utf8).sum::<usize>();
            text.replace_range(at..at + len, "");
        }
        2 => {
            let line = text[..at].rfind('\n').map_or(0, |found| found + 1);
            if text[line..].starts_with(' ') {
                text.remove(line);
            } else {
                text.insert(line, ' ');
            }
        }
        _ => text.insert_str(at, PIECES[dice.below(PIECES.len())]),
    }
}

#[test]
fn mutated_texts_give_one_tree_or_are_left_to_the_whole_parser() {
    let mut all = all();
    all.retain(|text| text.len() < 8000);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut read = 0;
    for _ in 0..20_000 {
        let lines: Vec<&str> = all[dice.below(all.len())].split_inclusive('\n').collect();
        let from = dice.below(lines.len()) * dice.below(2);
        let mut text: String = lines[from..].iter().take(1 + dice.below(25)).copied().collect();
        (0..dice.below(4)).for_each(|_| mutate(&mut text, &mut dice));
        read += usize::from(agrees(&text));
    }
    assert!(read > 5_000, "only {read} texts were read in one pass");
}
