//! Scripts given to another shell: `bash -c '…'`, `eval "…"`, `sh <<EOF`. Does not know what other programs do with their words.

use super::MAX_DEPTH;
use super::parser::{EDGE, Parser};
use super::state::{State, is_shell, set_flags};
use super::word::Piece;
use crate::model::script::{Command, Nest, Shell};
use crate::model::text::Mapped;
use std::ops::Range;

/// Shells in shells beyond this are not looked into: each reads its text once more.
const MAX_SHELLS: usize = 4;

impl Parser<'_> {
    /// Reads the script that the command in `slot` gives to a shell, if it does.
    pub(super) fn inner_shell(&mut self, slot: usize, pieces: &[Piece]) {
        if self.is_deep() {
            return;
        }
        let command = &self.out[slot];
        let Some(program) = command.words.first() else { return };
        if program.text.text == "eval" {
            let whole = command.words.len() == 2;
            let text = match &command.words[1..] {
                [one] => one.text.text.clone(),
                several => several.iter().map(|word| word.text.text.as_str()).collect::<Vec<_>>().join(" "),
            };
            let plain = pieces.get(1).and_then(|piece| piece.plain.clone()).filter(|_| whole);
            let read = pieces.iter().any(|piece| piece.read);
            let at = command.words.get(1).map_or(command.at, |word| word.text.at);
            let state = self.state.clone();
            return self.read_inner(plain, Mapped::opaque(text, at), read, state);
        }
        let Some((index, shell)) = script_argument(command) else { return };
        let mut state = self.state.clone();
        state.shell = shell;
        if is_elsewhere(&program.text.text) {
            state.cwd = None;
        }
        let word = &command.words[index];
        let Some(piece) = pieces.get(index) else { return };
        let text = Mapped::opaque(word.text.text.clone(), word.text.at);
        self.read_inner(piece.plain.clone(), text, piece.read, state);
    }

    /// Reads the here-document at `body` as a script when the command in `slot` is a shell that reads one.
    pub(super) fn inner_document(&mut self, slot: usize, body: Range<usize>) {
        let command = &self.out[slot];
        let position = command.words.iter().position(|word| is_shell(&word.text.text));
        let Some(position) = position.filter(|_| !self.is_deep()) else { return };
        let flags = &command.words[position + 1..];
        let reads = |text: &str| text.starts_with(['-', '+']) && !text.starts_with("-c") || text == "pipefail";
        if !flags.iter().all(|word| reads(&word.text.text)) {
            return;
        }
        let mut state = State::new(started(&command.shell, flags.iter().map(|word| word.text.text.as_str())));
        state.cwd = if position == 0 { command.cwd.clone() } else { None };
        let nesting = std::mem::replace(&mut self.nesting, command.nesting.clone());
        self.read_inner(Some(body), Mapped::opaque("", self.map.at), false, state);
        self.nesting = nesting;
    }

    fn is_deep(&self) -> bool {
        let shells = self.nesting.iter().filter(|nest| **nest == Nest::Inner).count();
        self.depth >= MAX_DEPTH || shells >= MAX_SHELLS
    }

    /// Reads a script at its place when it has one, else from its text.
    fn read_inner(&mut self, plain: Option<Range<usize>>, text: Mapped, read: bool, state: State) {
        let skips = self.skips || read;
        let Some(plain) = plain else {
            let nesting = self.nesting.iter().copied().chain([Nest::Inner]).collect();
            let mut parser = Parser::inside(&text, state, nesting, self.depth + 1);
            parser.skips = skips;
            self.out.extend(parser.run());
            return;
        };
        let outer = (self.pos, self.end, self.skips);
        let pending = std::mem::take(&mut self.pending);
        (self.pos, self.end, self.skips) = (plain.start, plain.end, skips);
        self.within(Nest::Inner, |parser| {
            parser.state = state;
            parser.list(EDGE)
        });
        (self.pos, self.end, self.skips) = outer;
        self.pending = pending;
    }
}

/// The word that is a script for a shell (`bash -c …`, also behind `sudo`, `docker run IMAGE` and the like), and how that shell starts.
fn script_argument(command: &Command) -> Option<(usize, Shell)> {
    let words = &command.words;
    if matches!(words[0].text.text.as_str(), "echo" | "printf" | "grep" | "which" | "apt-get" | "apk") {
        return None;
    }
    let position = words.iter().position(|word| is_shell(&word.text.text))?;
    let mut takes_script = false;
    let mut index = position + 1;
    while let Some(word) = words.get(index) {
        let text = word.text.text.as_str();
        if !text.starts_with(['-', '+']) || word.quoted {
            break;
        }
        takes_script |= !text.starts_with("--") && text.starts_with('-') && text.contains('c');
        index += if !text.starts_with("--") && text.ends_with('o') { 2 } else { 1 };
    }
    let flags = words.get(position + 1..index)?.iter().map(|word| word.text.text.as_str());
    (takes_script && index < words.len()).then(|| (index, started(&command.shell, flags)))
}

/// A shell of its own: it inherits no flags.
fn started<'a>(outer: &Shell, flags: impl Iterator<Item = &'a str>) -> Shell {
    let mut shell = Shell { language: outer.language, ..Shell::PLAIN };
    set_flags(&mut shell, flags);
    shell
}

/// Whether a program runs its arguments on another file system.
fn is_elsewhere(program: &str) -> bool {
    matches!(
        program,
        "docker" | "podman" | "nerdctl" | "kubectl" | "ssh" | "vagrant" | "docker-compose" | "chroot" | "wsl"
    )
}
