use super::parse;
use crate::model::script::{Command, Join, Language, Nest, Shell};
use crate::model::span::SourceId;
use crate::model::text::Mapped;

fn read(text: &str) -> Vec<Command> {
    parse(&Mapped::verbatim(text, SourceId(0), 0), Shell::ERREXIT)
}

fn nest(nest: &Nest) -> char {
    match nest {
        Nest::Substitution => '$',
        Nest::Subshell => '(',
        Nest::Group => '{',
        Nest::Condition => '?',
        Nest::Branch => 'b',
        Nest::Loop => 'l',
        Nest::Function => 'f',
        Nest::Inner => 'i',
    }
}

fn join(join: Join) -> &'static str {
    match join {
        Join::End => "",
        Join::Semicolon => " ;",
        Join::And => " &&",
        Join::Or => " ||",
        Join::Pipe => " |",
        Join::Background => " &",
    }
}

/// One line per command: nesting, assignments, words, redirections, join.
fn show(commands: &[Command]) -> Vec<String> {
    let line = |command: &Command| {
        let mut parts = Vec::new();
        if !command.nesting.is_empty() {
            parts.push(format!("{}:", command.nesting.iter().map(nest).collect::<String>()));
        }
        parts.extend(command.assigns.iter().map(|(name, value)| format!("{name}={}", value.text)));
        parts.extend(command.words.iter().map(|word| word.text.text.clone()));
        let redirect = |one: &crate::model::script::Redirect| format!("{}{}", one.operator, one.target.text.text);
        parts.extend(command.redirects.iter().map(redirect));
        parts.join(" ") + join(command.join)
    };
    commands.iter().map(line).collect()
}

#[test]
fn commands_and_how_they_are_joined() {
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        ("a b\nc", &["a b", "c"]),
        ("a && b || c | d |& e & f; g", &["a &&", "b ||", "c |", "d |", "e &", "f ;", "g"]),
        ("a \\\n  b\\\nc", &["a bc"]),
        ("a &&\n\n # why\n b", &["a &&", "b"]),
        ("a; # why\nb # c && d", &["a", "b"]),
        ("a#b '#' c", &["a#b # c"]),
        ("X=1 Y=\"2 3\" a Z=4\nW=", &["X=1 Y=2 3 a Z=4", "W="]),
        ("x=(a 'b c' $(d))\nx+=(e)\ny[1]=f", &["x=(a 'b c' $(d))", "$: d", "x=(e)", "y=f"]),
        ("a >b 2>>c 2>&1 &>d <e <<<'f g'", &["a >b 2>>c 2>&1 &>d <e <<<f g"]),
        ("a>/dev/null;b", &["a >/dev/null ;", "b"]),
        ("a 2 > b", &["a 2 >b"]),
        ("a\r\nb \\\r\n c\r\n", &["a", "b c"]),
        ("! a | b\nc", &["?: a |", "?: b", "c"]),
        ("time a", &["time a"]),
        ("a () { b; }\nc", &["f: b", "c"]),
        ("function a { b; }; function c() (d)\ne", &["f: b", "f(: d", "e"]),
        ("pip install 'a>=1' b>=2", &["pip install a>=1 b >=2"]),
        ("curl http://x/?a=b&c", &["curl http://x/?a=b &", "c"]),
        ("[[ -n $a && ( b < c || d =~ ^(x|y)$ ) ]] && e", &["[[ -n $a && ( b < c || d =~ ^ ( x | y ) $ ) ]] &&", "e"]),
        ("(( a > 1 )) && b", &["(( a > 1 )) &&", "b"]),
        ("((a); (b)) || c", &["((: a ;", "((: b ||", "c"]),
        ("(cd a && b) || true", &["(: cd a &&", "(: b ||", "true"]),
        ("{ a; b; } | tee c", &["{: a ;", "{: b |", "tee c"]),
        ("{ a; b | c; } >> d", &["{: a >>d ;", "{: b |", "{: c >>d"]),
        ("if a; then b; elif c; then d; else e; fi || f", &["?: a", "b: b", "?: c", "b: d", "b: e ||", "f"]),
        ("while read x; do a; done < <(b)", &["?: read x", "l: a", "$: b"]),
        ("for i in a $(b); do c; d; done; e", &["$: b", "l: c ;", "l: d ;", "e"]),
        ("for ((i=0;i<3;i++)); do a; done", &["l: a"]),
        ("for x\ndo a\ndone", &["l: a"]),
        ("case $x in a|b) c ;; (d) e;; *) f\nesac && g", &["b: c", "b: e", "b: f &&", "g"]),
        ("case x in esac; a", &["a"]),
        ("a; done; b; fi; c }", &["a ;", "b ;", "c }"]),
        ("echo ) a", &["echo", "a"]),
    ];
    for (text, expected) in table {
        assert_eq!(show(&read(text)), *expected, "{text}");
    }
}

#[test]
fn substitutions_are_commands_of_their_own() {
    let table: &[(&str, &[&str])] = &[
        ("a $(b | c) d", &["a $(b | c) d", "$: b |", "$: c"]),
        ("a \"x$(b \"$(c)\")\" | d", &["a x$(b \"$(c)\") |", "$: b $(c)", "$$: c", "d"]),
        ("a `b c`", &["a `b c`", "$: b c"]),
        ("X=$(a)", &["X=$(a)", "$: a"]),
        ("a <(b) > >(c)", &["a <(b) >>(c)", "$: b", "$: c"]),
        ("a $((1 + $(b)))", &["a $((1 + $(b)))", "$: b"]),
        ("a $((b); (c))", &["a $((b); (c))", "$(: b ;", "$(: c"]),
        ("a ${X:-$(b)} '$(c)' \\$(d)", &["a ${X:-$(b)} $(c) $", "$: b"]),
    ];
    for (text, expected) in table {
        assert_eq!(show(&read(text)), *expected, "{text}");
    }
}

#[test]
fn template_expressions_are_one_word() {
    let table: &[(&str, &[&str])] = &[
        ("a ${{ b && 'c }}' || d }} e", &["a ${{ b && 'c }}' || d }} e"]),
        ("a '${{ b == 'c' }}' | d", &["a ${{ b == 'c' }} |", "d"]),
        ("a \"${{ b[\"c\"] }}\" d", &["a ${{ b[\"c\"] }} d"]),
        ("a $[[ inputs.b ]] c", &["a $[[ inputs.b ]] c"]),
        ("a << parameters.b >> c", &["a << parameters.b >> c"]),
        ("a ${{ b", &["a ${{ b"]),
    ];
    for (text, expected) in table {
        let commands = read(text);
        assert_eq!(show(&commands), *expected, "{text}");
        assert!(commands[0].words[1].expands, "{text}");
    }
}

#[test]
fn here_documents_are_the_target_of_their_redirection() {
    let table: &[(&str, &[&str])] = &[
        ("cat <<EOF | a\nx $(b)\nEOF\nc", &["cat <<x $(b)\n |", "a", "c"]),
        ("cat <<-'A' <<B\n\tx\n\tA\ny\nB\nc", &["cat <<-\tx\n <<y\n", "c"]),
        ("x=$(cat <<EOF\n) a\nEOF\n)\nb", &["x=$(cat <<EOF\n) a\nEOF\n)", "$: cat <<) a\n", "b"]),
        ("cat <<EOF\nx", &["cat <<x"]),
        ("while a; do b; done <<EOF\nc\nEOF\nd", &["?: a", "l: b", "d"]),
        ("bash -e <<EOF\na\nb\nEOF\nc", &["bash -e <<a\nb\n", "i: a", "i: b", "c"]),
    ];
    for (text, expected) in table {
        assert_eq!(show(&read(text)), *expected, "{text}");
    }
}

#[test]
fn inner_shells_are_read() {
    let table: &[(&str, &[&str])] = &[
        ("bash -c 'a | b' || c", &["bash -c a | b ||", "i: a |", "i: b", "c"]),
        ("sudo sh -lc \"a $X\"", &["sudo sh -lc a $X", "i: a $X"]),
        ("docker run x bash -euo pipefail -c 'a'", &["docker run x bash -euo pipefail -c a", "i: a"]),
        ("bash -c \"a $(b)\"", &["bash -c a $(b)", "$: b", "i: a $(b)"]),
        ("bash -c 'a '\"'b'\"", &["bash -c a 'b'", "i: a b"]),
        ("eval \"a; b\"", &["eval a; b", "i: a ;", "i: b"]),
        ("eval a b", &["eval a b", "i: a b"]),
        ("bash a.sh -c b", &["bash a.sh -c b"]),
        ("echo bash -c 'a'", &["echo bash -c a"]),
    ];
    for (text, expected) in table {
        assert_eq!(show(&read(text)), *expected, "{text}");
    }
}

#[test]
fn inner_shells_start_with_their_own_flags() {
    let commands = read("bash -euo pipefail -c 'a'; bash -c 'b'; eval c");
    let flags: Vec<(bool, bool)> = commands.iter().map(|one| (one.shell.errexit, one.shell.pipefail)).collect();
    let outer = (true, false);
    assert_eq!(flags, [outer, (true, true), outer, (false, false), outer, outer]);
}

#[test]
fn words_know_their_place() {
    let text = "pip install \"a==1\" 'b' c\\ d e\"f\" $'g' $X";
    let commands = parse(&Mapped::verbatim(text, SourceId(0), 100), Shell::ERREXIT);
    let words = &commands[0].words;
    let table = [("pip", true), ("install", true), ("a==1", true), ("b", true), ("c d", false), ("ef", false)];
    for (word, (expected, verbatim)) in words.iter().zip(table) {
        assert_eq!((word.text.text.as_str(), word.text.verbatim), (expected, verbatim));
        let range = word.text.at.span.range();
        if verbatim {
            assert_eq!(&text[range.start - 100..range.end - 100], expected);
        }
    }
    assert!(words[2].quoted && !words[0].quoted && words[7].expands && !words[6].expands);
    assert_eq!(commands[0].at.span.range(), 100..100 + text.len());
}

#[test]
fn inner_commands_know_their_place() {
    let text = "x \"$(pip install a)\"; bash -c 'pip install b'; y <<E\nE\nbash <<'E'\npip install c\nE\n";
    let commands = read(text);
    let places: Vec<&str> = commands
        .iter()
        .filter(|command| command.words[0].text.text == "pip")
        .map(|command| &text[command.words[2].text.at.span.range()])
        .collect();
    assert_eq!(places, ["a", "b", "c"]);
}

#[test]
fn flags_are_followed() {
    let table: &[(&str, &str)] = &[
        ("a", "e"),
        ("set +e\na", "e -"),
        ("set -euo pipefail\na", "e ep"),
        ("set -o pipefail; a", "e ep"),
        ("set -x\na\nset +x; b", "e ex ex e"),
        ("(set +e; a)\nb", "e - e"),
        ("set -- -x\na", "e e"),
        ("shopt -so pipefail\na", "e ep"),
        ("f() { set +e; a; }\nb", "e - e"),
        ("#!/bin/bash -x\na", "ex"),
        ("#!/usr/bin/env -S bash -o pipefail\na", "ep"),
    ];
    for (text, expected) in table {
        let letter = |on: bool, letter: &'static str| if on { letter } else { "" };
        let flags: Vec<String> = read(text)
            .iter()
            .map(|one| {
                let shell = one.shell;
                let all = [letter(shell.errexit, "e"), letter(shell.pipefail, "p"), letter(shell.xtrace, "x")].concat();
                if all.is_empty() { "-".to_string() } else { all }
            })
            .collect();
        assert_eq!(flags.join(" "), *expected, "{text}");
    }
    assert!(read("#!/usr/bin/env python3\nimport a").is_empty());
}

#[test]
fn folders_are_followed() {
    let table: &[(&str, &str)] = &[
        ("cd a && x", "|a"),
        ("cd a/b/..; cd ../..\nx", "|a|.."),
        ("(cd a; x); y", "|a|"),
        ("pushd a; x; popd; y", "|a|a|"),
        ("cd \"$X\"; x", "|?"),
        ("cd /a; x", "|?"),
        ("cd a; x; cd -; y", "|a|a|"),
        ("if x; then cd a; fi; y", "||?"),
        ("for x in y; do cd a; z; cd ..; done; w", "|a|a|"),
        ("docker run i sh -c 'x'; bash -c 'cd a; y'; z", "|?|||a|"),
    ];
    for (text, expected) in table {
        let folders: Vec<String> = read(text).iter().map(|one| one.cwd.clone().unwrap_or("?".into())).collect();
        assert_eq!(folders.join("|"), *expected, "{text}");
    }
}

#[test]
fn windows_shells_give_their_commands() {
    let table: &[(Language, &str, &[&str])] = &[
        (Language::PowerShell, "pip install `\n  x; a | b\n# c\nd", &["pip install x ;", "a |", "b", "d"]),
        (Language::PowerShell, "if ($a -eq 'b') { pip install \"x y\" }", &["if", "$a -eq b", "pip install x y"]),
        (Language::PowerShell, "$env:X = 'y'\n& a.exe -b $(c d) > e", &["X=y", "a.exe -b $(c d) >e"]),
        (Language::PowerShell, "<# a\nb #> c && d", &["c &&", "d"]),
        (Language::Cmd, "@echo off\nREM a\n:: b\ncall x ^\n y & z %A%", &["echo off", "call x y ;", "z %A%"]),
        (Language::Python, "import os", &[]),
    ];
    for (language, text, expected) in table {
        let shell = Shell { language: *language, ..Shell::PLAIN };
        assert_eq!(show(&parse(&Mapped::verbatim(*text, SourceId(0), 0), shell)), *expected, "{text}");
    }
}

const TRICKY: [&str; 4] = [
    "#!/bin/bash -e\nfor x in a \"$(b '`c`' \"${D:-$(e)}\")\"; do case $x in (é|*) f <<-E >&2 ;; esac; done\n\té\n\tE\n",
    "if [[ $a =~ ^(b|ü)$ && ! -f c ]]; then x=(1 $((2*(3)))); else function g() { h & }; fi 2>&1 | tee >(i) || :\n",
    "bash -c \"ö 'a' \\\"b\\\" $(c)\" && eval 'd' \"e\" $'f\\n\\'' `g \\`h\\`` ${{ i['j'] || '}}' }} $[[ k ]] << parameters.l >>\n",
    "pip install \\\r\n  \"a[b]>=1;python_version<'3'\" {1,2} @(x|y) \u{a0}z \\é # w\n",
];

#[test]
fn every_prefix_and_suffix_is_read() {
    for script in TRICKY {
        for (at, _) in script.char_indices() {
            for language in [Language::Posix, Language::PowerShell, Language::Cmd] {
                let shell = Shell { language, ..Shell::PLAIN };
                for part in [&script[..at], &script[at..]] {
                    for command in parse(&Mapped::verbatim(part, SourceId(0), 0), shell) {
                        for word in command.words.iter().filter(|word| word.text.verbatim) {
                            assert_eq!(part[word.text.at.span.range()], word.text.text);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn hostile_scripts_take_linear_time() {
    let pieces = [
        "$(",
        "(",
        "((",
        "$((",
        "${",
        "`",
        "\"",
        "'",
        "{ ",
        "if ",
        "<<E ",
        "case x in a) ",
        "f() ",
        "bash -c ",
        "eval ",
        "x=(",
        "[[ ",
        "${{ ",
        "$[[ ",
        "\"$(",
        "a | ",
        "! ",
        "while ",
        "cd a; ",
        "pushd a; ",
        "<(",
        "@(",
        "function ",
        "`\"",
        "\\",
        "bash -c \"$(",
        "1",
        "<< parameters.",
        "for x in ",
        "$'",
        "((a) ",
        "a[",
        "cat <<E\n",
        "bash <<E\n",
    ];
    for piece in pieces {
        let text = piece.repeat(100_000 / piece.len());
        for language in [Language::Posix, Language::PowerShell] {
            let begin = std::time::Instant::now();
            parse(&Mapped::verbatim(text.as_str(), SourceId(0), 0), Shell { language, ..Shell::PLAIN });
            let elapsed = begin.elapsed().as_millis();
            assert!(elapsed < 3000, "{piece:?} in {language:?} took {elapsed} ms");
        }
    }
}
