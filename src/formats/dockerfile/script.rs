//! What a `RUN` runs: which shell, and its text with the place of every part. Knows no command.

use crate::model::script::{Language, Shell};
use crate::model::text::{Mapped, Text};
use crate::syntax::dockerfile::{Document, Instruction, words};

/// The text of a `RUN` and the shell that reads it.
pub fn text_of(run: &Instruction, shell: Shell) -> (Mapped, Shell) {
    if let Some(words) = words::array(&run.body) {
        return (joined(&run.body, &words), Shell::PLAIN);
    }
    match run.documents.as_slice() {
        [] => (run.body.clone(), shell),
        [document] if is_announcement(&run.body.text) => (document.body.clone(), interpreter(&document.body.text, shell)),
        documents => (with_documents(&run.body, documents), shell),
    }
}

/// Whether a text is nothing but `<<WORD`.
fn is_announcement(text: &str) -> bool {
    text.starts_with("<<") && text.split_whitespace().count() == 1
}

/// The shell that a `#!` line asks for.
fn interpreter(text: &str, shell: Shell) -> Shell {
    let Some(line) = text.strip_prefix("#!").and_then(|rest| rest.lines().next()) else { return shell };
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.ends_with("/env") && *word != "-S").collect();
    shell_of(&words)
}

/// The command line followed by its here-documents, as the shell gets it.
fn with_documents(body: &Mapped, documents: &[Document]) -> Mapped {
    let mut text = body.clone();
    for document in documents {
        text.text.push('\n');
        text.append(&document.body);
        text.text.push_str(&document.name);
    }
    if let Some(last) = documents.last() {
        text.at.span = text.at.span.to(last.at.span);
    }
    text
}

/// The words of an exec form as one command line.
fn joined(body: &Mapped, words: &[Text]) -> Mapped {
    let mut line = Mapped { text: String::new(), at: body.at, segments: Vec::new() };
    for word in words {
        if !line.text.is_empty() {
            line.text.push(' ');
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./=:@%+,-[]".contains(c);
        let plain = !word.text.is_empty() && word.text.chars().all(is_plain);
        let quote = if plain { "" } else { "'" };
        line.text.push_str(quote);
        match word.text.contains('\'') {
            false if word.verbatim => line.push(&word.text, word.at.span.start as usize),
            false => line.text.push_str(&word.text),
            true => line.text.push_str(&word.text.replace('\'', "'\\''")),
        }
        line.text.push_str(quote);
    }
    line
}

/// The shell that the words of `SHELL` (or of a `#!` line) start.
pub fn shell_of(words: &[&str]) -> Shell {
    let Some(program) = words.first() else { return Shell::PLAIN };
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    let language = match name {
        "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" => Language::Posix,
        "powershell" | "pwsh" => Language::PowerShell,
        "cmd" => Language::Cmd,
        name if name.starts_with("python") => Language::Python,
        _ => Language::Other,
    };
    let mut shell = Shell { language, ..Shell::PLAIN };
    if language != Language::Posix {
        return shell;
    }
    let mut rest = words[1..].iter();
    while let Some(word) = rest.next() {
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.starts_with('-')) else { continue };
        shell.errexit |= flags.contains('e');
        shell.xtrace |= flags.contains('x');
        if flags.contains('o') {
            match rest.next().copied() {
                Some("pipefail") => shell.pipefail = true,
                Some("errexit") => shell.errexit = true,
                Some("xtrace") => shell.xtrace = true,
                _ => {}
            }
        }
    }
    shell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;
    use crate::syntax::dockerfile::parse;

    fn script(text: &str) -> (String, Shell) {
        let file = parse(SourceId(0), text);
        let (text, shell) = text_of(&file.instructions[0], Shell::PLAIN);
        (text.text, shell)
    }

    #[test]
    fn every_form_becomes_a_text_for_a_shell() {
        let rows = [
            ("RUN a && \\\n b\n", "a &&  b"),
            ("RUN [\"pip\", \"install\", \"a>=1\"]\n", "pip install 'a>=1'"),
            ("RUN <<EOF\na\nb\nEOF\n", "a\nb\n"),
            ("RUN cat <<EOF > /x\na\nEOF\n", "cat <<EOF > /x\na\nEOF"),
        ];
        for (text, want) in rows {
            assert_eq!(script(text).0, want, "{text}");
        }
        assert_eq!(script("RUN <<EOF\n#!/usr/bin/env python3\nimport x\nEOF\n").1.language, Language::Python);
    }

    #[test]
    fn shells_are_known_by_name_and_flags() {
        assert_eq!(shell_of(&["/bin/bash", "-o", "pipefail", "-c"]), Shell { pipefail: true, ..Shell::PLAIN });
        assert_eq!(shell_of(&["/bin/bash", "-euxo", "pipefail", "-c"]), Shell { xtrace: true, ..Shell::PIPEFAIL });
        assert_eq!(shell_of(&["powershell", "-Command"]).language, Language::PowerShell);
        assert_eq!(shell_of(&["C:\\x\\cmd.exe", "/S", "/C"]).language, Language::Cmd);
        assert_eq!(shell_of(&[]), Shell::PLAIN);
    }
}
