//! YAML to a [`Tree`]: ordinary texts in one pass, all others over the events of granit-parser. Knows no format.
//!
//! What breaks in the middle keeps what was read before it, and later documents of the text are read too.

#[cfg(test)]
mod agreement;
mod scalars;
mod stream;

use super::tree::{Builder, Quotes, Style, Tree, looks_like_template};
use crate::model::span::{Location, SourceId, Span};
use granit_parser::{Event, Options, Parser, ScalarStyle};
use std::borrow::Cow;

/// Parses `text`. Aliases and merge keys are followed on access; duplicate keys are problems.
pub fn parse(source: SourceId, text: &str) -> Tree<'_> {
    stream::parse(source, text).unwrap_or_else(|| whole(source, text))
}

/// Parses whatever is YAML, and tells of what is not.
fn whole(source: SourceId, text: &str) -> Tree<'_> {
    let mut builder = Builder::new(source, text);
    builder.merges = true;
    let mut parser = Parser::new_from_str_with_options(text, options());
    loop {
        match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => take(&mut builder, text, event, &span),
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                builder.problem(character_at(text, at), sentence(&error));
                builder.close_all();
                // A parser that cannot find the next document has nothing more to say.
                if !parser.proceed_next_document().unwrap_or(false) {
                    break;
                }
            }
        }
    }
    let mut tree = builder.finish();
    let broken = tree.problems.iter().any(|(_, text)| text.starts_with(BROKEN));
    if let Some(at) = looks_like_template(text).filter(|_| broken) {
        tree.template = Some(Location::new(source, Span::new(at, at + 2)));
    }
    tree
}

const BROKEN: &str = "this is not valid YAML";

fn options() -> Options {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    // Long comment blocks are valid; what they cost is bounded by the text itself.
    options.max_buffered_comment_events = usize::MAX;
    options
}

fn take(builder: &mut Builder<'_>, text: &str, event: Event<'_>, span: &granit_parser::Span) {
    let at = bytes(span);
    let tag = || span.tag_span().map_or(Span::empty(0), |tag| bytes(&tag));
    match event {
        Event::DocumentStart(..) => builder.document(),
        Event::DocumentEnd => builder.close_all(),
        Event::Alias(anchor) => builder.alias(at, anchor),
        Event::UnresolvedAlias(name) => {
            builder.problem(
                at,
                format!("the alias `*{name}` names no anchor before it; define `&{name}` or correct the name"),
            );
            builder.null(at, 0, Span::empty(0));
        }
        Event::Comment(..) => builder.comment(at),
        Event::Scalar(value, style, anchor, _) => scalar(builder, text, at, (value, style), anchor, tag()),
        Event::SequenceStart(_, anchor, _) => builder.open(false, at, anchor, tag()),
        Event::MappingStart(_, anchor, _) => builder.open(true, at, anchor, tag()),
        Event::SequenceEnd | Event::MappingEnd => {
            let closed = text.get(at.range()).is_some_and(|mark| mark == "]" || mark == "}");
            builder.close(closed.then_some(at.end as usize));
        }
        _ => {}
    }
}

fn scalar(
    builder: &mut Builder<'_>,
    text: &str,
    at: Span,
    (value, style): (Cow<'_, str>, ScalarStyle),
    anchor: usize,
    tag: Span,
) {
    let tagged_text = text.get(tag.range()).is_some_and(|tag| tag == "!!str" || tag == "!");
    match style {
        ScalarStyle::Plain if is_null(&value) && !tagged_text => builder.null(at, anchor, tag),
        ScalarStyle::Plain => builder.scalar(at, Quotes::NONE, Style::Plain, value, anchor, tag),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            builder.scalar(at, Quotes::ONE, Style::Quoted, value, anchor, tag);
        }
        ScalarStyle::Literal => builder.scalar(at, Quotes::NONE, Style::Literal, value, anchor, tag),
        ScalarStyle::Folded => builder.scalar(at, Quotes::NONE, Style::Folded, value, anchor, tag),
    }
}

/// The words of the core schema for null; granit gives an absent value as `~`.
fn is_null(value: &str) -> bool {
    matches!(value, "" | "~" | "null" | "Null" | "NULL")
}

fn bytes(span: &granit_parser::Span) -> Span {
    let range = span.byte_range().unwrap_or(0..0);
    Span::new(range.start, range.end)
}

/// The character at `at`, so that a problem has something to underline.
fn character_at(text: &str, at: usize) -> Span {
    let at = (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let len = text[at..].chars().next().filter(|c| !c.is_control()).map_or(0, char::len_utf8);
    Span::new(at, at + len)
}

fn sentence(error: &granit_parser::ScanError) -> String {
    use granit_parser::ErrorKind as Kind;
    match error.kind() {
        Kind::RecursionLimitExceeded => {
            "values nest deeper than 255 levels here, and what follows in this document was not read; flatten it"
                .to_string()
        }
        Kind::TabInIndentation | Kind::TabInBlockIndentation | Kind::TabNotAllowed => {
            format!("{BROKEN}: a tab stands in the indentation; indent with spaces. What follows was not read")
        }
        _ => format!("{BROKEN}: {}; correct it, since what follows was not read", error.info()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{MAX_DEPTH, Node};
    use super::*;

    fn tree(text: &str) -> Tree<'_> {
        parse(SourceId(0), text)
    }

    fn words(text: &str) -> Vec<String> {
        tree(text).problems.iter().map(|(_, text)| text.clone()).collect()
    }

    /// Every scalar of the tree, found by a walk.
    fn walk<'t>(node: Node<'t>, found: &mut Vec<Node<'t>>) {
        found.push(node);
        for (key, value) in node.entries() {
            found.push(key);
            walk(value, found);
        }
        node.items().for_each(|item| walk(item, found));
    }

    /// Every place is on character boundaries; verbatim texts and mapped lines are what the source holds.
    fn check_slices(text: &str) -> Vec<String> {
        let tree = tree(text);
        let (mut found, mut texts) = (Vec::new(), Vec::new());
        tree.roots().for_each(|root| walk(root, &mut found));
        for node in found {
            for at in [node.at(), node.whole()] {
                assert!(text.get(at.span.range()).is_some(), "{at:?} in {text:?}");
            }
            if let Some(piece) = node.text() {
                assert!(!piece.verbatim || text[piece.at.span.range()] == piece.text, "{piece:?} in {text:?}");
                texts.push(piece.text);
            }
            let Some(mapped) = node.mapped() else { continue };
            let mut done = 0;
            for segment in &mapped.segments {
                let (from, to, len) = (segment.from as usize, segment.to as usize, segment.len as usize);
                assert_eq!(text[to..to + len], mapped.text[from..from + len], "{text:?}");
                assert!(from >= done, "segments overlap in {text:?}");
                done = from + len;
            }
        }
        for (at, _) in &tree.problems {
            assert!(text.get(at.span.range()).is_some(), "problem {at:?} in {text:?}");
        }
        for at in &tree.comments {
            assert!(tree.slice(*at).starts_with('#'), "{:?} in {text:?}", tree.slice(*at));
        }
        texts
    }

    pub(super) const TRICKY: &[&str] = &[
        "a: 1\nb: 'it''s'\nc: \"x\\ty\"\nd: \"plain\"\n",
        "\u{feff}ä: ö\nü:\n  - ß # straße\n",
        "a: |\r\n  one\r\n\r\n  two\r\nb: >-\r\n  x\r\n  y\r\n",
        "a: |2\n    deep\n  flat\nb: |+\n  keep\n\n\nc: end\n",
        "a: |\n\n\n  late\n   more\n# no part\nb: >\n  one\n  two\n\n  three\n    four\n  five\n\n\nc: x",
        "a: one\n  two\n  three\n\n  four\nb: 'q1\n  q2'\nc: \"r1\n  r2 \\\n  r3\"\n",
        "k: &x {image: 'a:b', tag: [1, 2]} # c\nl: *x\nm:\n  <<: *x\n  tag: 3\n",
        "---\na: 1\n---\n- b\n...\n---\nc\n",
        "? complex\n: value\n? [a, b]\n: c\n",
        "- - - a\n    - b\n- ? x\n- !t {}\n- !reference [.a, b]\n- []\n-\n- ''\n",
        "a:\n- |\n x\n- >\n y\n- z\n",
        "script:\n  - |-\n    set -e\n    echo \"ä\"\n\n    if x; then\n      y\n    fi\n  - echo\n",
        "a: |\n  x\n  \nb: >\n  \n  x\n   \n  y\n",
        "only comment? # no\n# yes\n",
        "",
        "\n\n",
        "# nothing\n",
    ];

    #[test]
    fn every_span_slices_to_its_text() {
        for text in TRICKY {
            check_slices(text);
            assert_eq!(words(text), [] as [&str; 0], "{text:?}");
        }
    }

    #[test]
    fn any_prefix_and_any_hole_gives_a_tree() {
        for text in TRICKY {
            for at in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
                check_slices(&text[..at]);
                check_slices(&text[at..]);
                check_slices(&format!("{}\t{}", &text[..at], &text[at..]));
                check_slices(&format!("{}[{}", &text[..at], &text[at..]));
            }
        }
    }

    #[test]
    fn every_line_of_a_block_has_a_place() {
        let text = "a: |\n\n  one\n    two\n\n  three\n# out\nb: >-\n  x y\n  z\n\n  w\nc: one\n  two\n";
        let tree = tree(text);
        let root = tree.root().unwrap();
        let lines = |key: &str| {
            let mapped = root.get(key).unwrap().mapped().unwrap();
            let segments = mapped.segments.iter().filter(|segment| segment.len > 0);
            segments.map(|segment| text[segment.to as usize..][..segment.len as usize].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(lines("a"), ["one", "  two", "three"]);
        assert_eq!(lines("b"), ["x y", "z", "w"]);
        assert_eq!(lines("c"), ["one", "two"]);
        assert_eq!(root.get("a").unwrap().str(), Some("\none\n  two\n\nthree"), "the closing line end is left out");
        assert_eq!(tree.slice(root.get("a").unwrap().at()), "one\n    two\n\n  three");
        let mapped = root.get("a").unwrap().mapped().unwrap();
        let at = mapped.text.find("wo").unwrap();
        let (place, verbatim) = mapped.place(at..at + 2);
        assert_eq!((place.span.start as usize, verbatim), (text.find("wo").unwrap(), true));
    }

    #[test]
    fn quotes_are_left_out_and_escapes_are_not_verbatim() {
        let tree = tree("a: 'x'\nb: \"y\"\nc: 'it''s'\nd: \"\\u00e4\"\ne: z # why\nf: [1, 2] # both\n");
        let root = tree.root().unwrap();
        let of = |key: &str| root.get(key).unwrap().text().map(|text| (text.text, text.verbatim)).unwrap();
        assert_eq!(of("a"), ("x".into(), true));
        assert_eq!(of("b"), ("y".into(), true));
        assert_eq!(of("c"), ("it's".into(), false));
        assert_eq!(of("d"), ("ä".into(), false));
        assert_eq!(tree.slice(root.get("a").unwrap().whole()), "'x'");
        assert_eq!(root.get("e").unwrap().comment().unwrap().text, "# why");
        assert_eq!(root.get("f").unwrap().comment().unwrap().text, "# both");
        assert_eq!(root.get("a").unwrap().comment(), None);
        assert_eq!(tree.slice(root.get("f").unwrap().whole()), "[1, 2]");
    }

    #[test]
    fn merge_keys_bring_in_and_own_keys_win() {
        let text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  y: 0\n  <<: [*a, *b]\nd:\n  <<: *a\n  <<: *b\ne: {<<: {<<: *a}}\n";
        let tree = tree(text);
        let root = tree.root().unwrap();
        let c = root.get("c").unwrap();
        let all: Vec<_> =
            c.entries().map(|(key, value)| format!("{}{}", key.str().unwrap(), value.str().unwrap())).collect();
        assert_eq!(all, ["y0", "x1", "z2"]);
        assert_eq!(c.get("z").unwrap().str(), Some("2"));
        assert_eq!(root.path(&["d", "y"]).unwrap().str(), Some("1"));
        assert_eq!(root.path(&["e", "x"]).unwrap().str(), Some("1"));
        assert!(tree.problems.is_empty());
    }

    #[test]
    fn duplicate_keys_are_told_with_both_places_and_the_last_wins() {
        let tree = tree("a: 1\nb: 2\n'a': 3\n");
        assert_eq!(tree.root().unwrap().get("a").unwrap().str(), Some("3"));
        assert_eq!(tree.problems.len(), 1);
        assert_eq!(tree.slice(tree.problems[0].0), "'a'");
        assert!(tree.problems[0].1.contains("first on line 1"), "{:?}", tree.problems);
    }

    #[test]
    fn null_and_truth_are_words_without_quotes() {
        let tree = tree("a:\nb: ~\nc: null\nd: 'null'\ne: yes\nf: 'true'\ng: !!str null\nh: False\n");
        let root = tree.root().unwrap();
        let null = |key: &str| root.get(key).unwrap().is_null();
        assert_eq!(["a", "b", "c", "d", "g"].map(null), [true, true, true, false, false]);
        assert_eq!(["e", "f", "h"].map(|key| root.get(key).unwrap().bool()), [Some(true), None, Some(false)]);
    }

    #[test]
    fn hostile_aliases_and_nesting_are_problems_not_walks() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_string();
        for level in 1..12 {
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", "));
        }
        let bomb = tree(&bomb);
        assert!(bomb.problems[0].1.contains("too many values"));
        assert!(walk_count(&bomb) < 4_000_000);
        assert!(words("a: &a [*a]\n")[0].contains("without end"));
        assert!(words("a: *b\n")[0].contains("names no anchor"));
        let mut deep = "a0: &a0 [[[[[[[[x]]]]]]]]\n".to_string();
        (1..60).for_each(|level| deep += &format!("a{level}: &a{level} [[[[[[[[*a{}]]]]]]]]\n", level - 1));
        assert!(words(&deep)[0].contains("deeper than 255"));
        assert!(words(&"[".repeat(100_000))[0].contains("deeper than 255"));
        assert!(words(&"- ".repeat(100_000))[0].contains("deeper than 255"));
        assert!(words(&"? ".repeat(20_000))[0].contains("deeper than 255"));
        assert_eq!(MAX_DEPTH, 255);
    }

    fn walk_count(tree: &Tree<'_>) -> usize {
        let mut found = Vec::new();
        tree.roots().for_each(|root| walk(root, &mut found));
        found.len()
    }

    #[test]
    fn what_breaks_keeps_what_was_before_and_after() {
        let tree = tree("a: 1\nb: [1, 2\nc: }\n---\nd: 4\n");
        let roots: Vec<_> = tree.roots().collect();
        assert_eq!(roots[0].get("a").unwrap().str(), Some("1"));
        assert_eq!(roots[1].get("d").unwrap().str(), Some("4"));
        assert_eq!(tree.problems.len(), 1, "{:?}", tree.problems);
        assert_eq!(tree.template, None);
    }

    #[test]
    fn a_broken_template_is_called_one() {
        let text = "a: 1\n{{- if .Values.x }}\nb: 2\n{{- end }}\n";
        let tree = tree(text);
        assert_eq!(tree.template.map(|at| tree.slice(at)), Some("{{"));
        assert_eq!(self::tree("a: ${{ x }}\n").template, None);
        assert_eq!(self::tree("a: \"{{ x }}\"\n").template, None);
        assert_eq!(looks_like_template("a: ${{ x }} '{{ y }}' # {{ z }}\nb: don't {% if %}"), Some(41));
    }

    #[test]
    fn tags_are_given_as_written() {
        let tree = tree("a: !reference [.x, script]\nb: !!str 1\nc: 1\n");
        let root = tree.root().unwrap();
        assert_eq!(root.get("a").unwrap().tag(), Some("!reference"));
        assert_eq!(root.get("b").unwrap().tag(), Some("!!str"));
        assert_eq!(root.get("c").unwrap().tag(), None);
    }
}
