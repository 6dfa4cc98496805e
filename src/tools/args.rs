//! The words after a program, sorted into options with their values and plain words. Knows no program: a [`Spec`] says which options take
//! a value, because `-i URL` read as a flag makes a package of the URL.

use crate::model::script::Word;
use crate::model::text::Text;
use std::ops::Range;

/// How a program reads its words.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spec {
    /// Long options that take a value in the next word (or after `=`), with their dashes.
    pub long: &'static [&'static str],
    /// Short options that take a value, as letters.
    pub short: &'static str,
    /// Whether options end at the first plain word (`uv run`, `docker run`).
    pub leading: bool,
    /// Whether every long option without `=` takes a value unless it is in `flags`, for programs with more options than can be listed.
    pub greedy: bool,
    /// For greedy programs: long options without a value.
    pub flags: &'static [&'static str],
    /// Whether long options begin with one dash (`go install -ldflags x`).
    pub single_dash: bool,
}

/// An option of a command line.
#[derive(Debug, Clone)]
pub struct Opt {
    /// Its name with dashes: `--upgrade`, `-U`.
    pub name: String,
    /// Its value, when it has one.
    pub value: Option<Word>,
}

/// A command line after its program.
#[derive(Debug, Clone, Default)]
pub struct Args<'c> {
    /// Options in order.
    pub options: Vec<Opt>,
    /// Plain words in order, with their place among the words.
    pub plain: Vec<(usize, &'c Word)>,
}

impl<'c> Args<'c> {
    /// Sorts `words` as `spec` says. Several specs (those of the program and of its subcommand) count as one.
    pub fn read(words: &'c [Word], specs: &[Spec]) -> Args<'c> {
        let mut args = Args::default();
        let leading = specs.iter().any(|spec| spec.leading);
        let mut at = 0;
        while at < words.len() {
            let word = &words[at];
            let text = word.text.text.as_str();
            at += 1;
            if text == "--" {
                args.plain.extend(words.iter().enumerate().skip(at));
                break;
            }
            let dashes = text.len() > 1 && text.starts_with('-');
            if !dashes {
                args.plain.push((at - 1, word));
                if leading {
                    args.plain.extend(words.iter().enumerate().skip(at));
                    break;
                }
                continue;
            }
            let single = specs.iter().any(|spec| spec.single_dash);
            at += if text.starts_with("--") || single {
                args.long(word, words.get(at), specs)
            } else {
                args.short(word, words.get(at), specs)
            };
        }
        args
    }

    /// Takes one long option; says how many further words it took.
    fn long(&mut self, word: &Word, next: Option<&Word>, specs: &[Spec]) -> usize {
        let text = &word.text.text;
        if let Some(equals) = text.find('=') {
            self.options
                .push(Opt { name: text[..equals].to_string(), value: Some(part(word, equals + 1..text.len())) });
            return 0;
        }
        let listed = |names: &[&str]| names.contains(&text.as_str());
        let takes = specs.iter().any(|spec| listed(spec.long) || spec.greedy && !listed(spec.flags) && !word.expands);
        let value = if takes { next.cloned() } else { None };
        let taken = usize::from(value.is_some());
        self.options.push(Opt { name: text.clone(), value });
        taken
    }

    /// Takes a cluster of short options (`-qU`, `-rfile`, `-r file`); says how many further words it took.
    fn short(&mut self, word: &Word, next: Option<&Word>, specs: &[Spec]) -> usize {
        let text = &word.text.text;
        for (offset, letter) in text.char_indices().skip(1) {
            let end = offset + letter.len_utf8();
            let name = format!("-{letter}");
            if !specs.iter().any(|spec| spec.short.contains(letter)) {
                self.options.push(Opt { name, value: None });
                continue;
            }
            let inside = end < text.len();
            let skip = usize::from(inside && text[end..].starts_with('='));
            let value = if inside { Some(part(word, end + skip..text.len())) } else { next.cloned() };
            let taken = usize::from(!inside && value.is_some());
            self.options.push(Opt { name, value });
            return taken;
        }
        0
    }

    /// Whether one of these options is given.
    pub fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|option| names.contains(&option.name.as_str()))
    }

    /// The values of these options in order.
    pub fn values(&self, names: &[&str]) -> impl Iterator<Item = &Word> {
        self.options
            .iter()
            .filter(move |option| names.contains(&option.name.as_str()))
            .filter_map(|option| option.value.as_ref())
    }

    /// The last value of these options: what counts where an option may be given once.
    pub fn value(&self, names: &[&str]) -> Option<&Word> {
        self.values(names).last()
    }

    /// The plain word with this number.
    pub fn word(&self, number: usize) -> Option<&'c Word> {
        self.plain.get(number).map(|&(_, word)| word)
    }

    /// The text of the plain word with this number; empty when there is none.
    pub fn text(&self, number: usize) -> &'c str {
        self.word(number).map_or("", |word| word.text.text.as_str())
    }

    /// The plain words from this number on.
    pub fn rest(&self, number: usize) -> impl Iterator<Item = &'c Word> {
        self.plain.iter().skip(number).map(|&(_, word)| word)
    }

    /// The words from this plain word on, options included: the command that a launcher starts.
    pub fn tail(&self, number: usize, words: &'c [Word]) -> &'c [Word] {
        self.plain.get(number).map_or(&[], |&(at, _)| &words[at..])
    }
}

/// A part of a word as a word of its own. Parts of a word that was escaped or joined have its place as a whole.
pub fn part(word: &Word, range: Range<usize>) -> Word {
    let text = word.text.text[range.clone()].to_string();
    let expands = word.expands && expansion(&text).is_some();
    Word { text: Text { at: word.text.place(range), text, verbatim: word.text.verbatim }, expands, quoted: word.quoted }
}

/// Where the first expansion of a word begins: `$X`, `${X}`, `$(x)`, `${{ x }}`, a backquote, `%X%` is not looked for.
pub fn expansion(text: &str) -> Option<usize> {
    text.find(['$', '`', '{', '*', '?']).or_else(|| text.find('%'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::tests::words;

    const SPEC: Spec =
        Spec { long: &["--index-url"], short: "ir", leading: false, greedy: false, flags: &[], single_dash: false };

    fn shown(line: &str, spec: Spec) -> String {
        let words = words(line);
        let args = Args::read(&words, &[spec]);
        let options = args.options.iter().map(|option| {
            let value = option.value.as_ref().map_or(String::new(), |value| format!("={}", value.text.text));
            format!("{}{value}", option.name)
        });
        let plain = args.plain.iter().map(|(_, word)| word.text.text.clone());
        options.chain(plain).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn options_with_values_take_the_next_word() {
        for (line, expected) in [
            ("-i URL foo", "-i=URL foo"),
            ("-iURL foo", "-i=URL foo"),
            ("-qr f.txt", "-q -r=f.txt"),
            ("--index-url=U x", "--index-url=U x"),
            ("--index-url U x", "--index-url=U x"),
            ("--flag x -- -i y", "--flag x -i y"),
            ("-", "-"),
            ("-r", "-r"),
        ] {
            assert_eq!(shown(line, SPEC), expected, "{line}");
        }
    }

    #[test]
    fn a_launcher_stops_at_its_first_plain_word() {
        assert_eq!(shown("-r f cmd -i x", Spec { leading: true, ..SPEC }), "-r=f cmd -i x");
    }

    #[test]
    fn parts_keep_their_place() {
        let words = words("--index-url=https://x");
        let value = part(&words[0], 12..21);
        assert_eq!((value.text.at.span.start, value.text.text.as_str()), (12, "https://x"));
    }
}
