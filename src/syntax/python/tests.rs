use super::{Module, Value, read, script_metadata};
use crate::model::span::SourceId;
use crate::model::text::Mapped;

fn module(text: &str) -> Module {
    read(&Mapped::verbatim(text, SourceId(0), 0))
}

fn show(values: &[Value]) -> String {
    let one = |value: &Value| match value {
        Value::Literal(text) => format!("'{}'", text.text),
        Value::Unseen(text) => format!("<{}>", text.text),
    };
    values.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn calls_have_literal_arguments() {
    for (text, expected) in [
        ("session.install('a', \"b>=1\")", "session.install('a' 'b>=1')"),
        ("f(['a', ('b', 'c')], x)", "f('a' 'b' 'c' <x>)"),
        ("f('a' 'b', f'c{d}', *e)", "f('ab' 'c{d}' <e>)"),
        ("f(\n  'a',  # why\n  r'b\\c',\n)", "f('a' 'b\\c')"),
        ("D = ['a', 'b']\nf(*D, 'c')\ng(D + ['d'])", "f('a' 'b' 'c') g('a' 'b' 'd')"),
        ("D: list[str] = ['a']\nf(*D)", "f('a')"),
        ("f('a' if x else 'b', [y for y in z])", "f(<'a' if x else 'b'> <[y for y in z]>)"),
        ("f(g('a'), 'b')", "f(<g('a')> 'b') g('a')"),
        ("f('it\\'s', '''x\ny''')", "f('it's' 'x\ny')"),
        ("f(", ""),
        ("'f(1)' # f(2)", ""),
        ("a.b.c('x').d('y')", "a.b.c('x')"),
    ] {
        let found = module(text);
        let calls: Vec<String> =
            found.calls.iter().map(|call| format!("{}({})", call.name, show(&call.args))).collect();
        assert_eq!(calls.join(" "), expected, "{text}");
    }
}

#[test]
fn keywords_and_functions_are_known() {
    let text = "import nox\n@nox.session(python=['3.11', \"3.12\"], name='t')\n@other\ndef tests(session):\n    session.install('a', env={'X': 'y'})\n\n    if x:\n        session.run('b', success_codes=[0])\n\ndef plain(): pass\nz('c')\n";
    let found = module(text);
    let functions: Vec<&str> = found.functions.iter().map(|function| function.name.text.as_str()).collect();
    assert_eq!(functions, ["tests", "plain"]);
    let session = &found.functions[0].decorators[0];
    assert_eq!(
        (session.name.as_str(), show(session.keyword("python").unwrap())),
        ("nox.session", "'3.11' '3.12'".to_string())
    );
    assert_eq!(found.functions[0].decorators[1].name, "other");
    let places: Vec<(&str, Option<usize>)> =
        found.calls.iter().map(|call| (call.name.as_str(), call.function)).collect();
    assert_eq!(places, [("session.install", Some(0)), ("session.run", Some(0)), ("z", None)]);
}

#[test]
fn strings_keep_their_place() {
    let text = "é = 1\nf(\"ab\")";
    let found = module(text);
    let literal = found.calls[0].args[0].literal().unwrap();
    assert_eq!((&text[literal.at.span.range()], literal.verbatim), ("ab", true));
}

#[test]
fn every_prefix_of_a_hostile_text_is_read() {
    let text =
        "@a.b(c='é')\nasync def f(x=g('''é\n''')):\n\tD = [*E, \"\\\n\"] + (1, {2: [3]})\n\t\\\nh(rb'x', **k)\u{feff}";
    for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
        module(&text[..end]);
        script_metadata(&text[..end]);
    }
    module(&"a(".repeat(20_000));
    module(&"[".repeat(50_000));
}

#[test]
fn script_metadata_keeps_its_place() {
    let text = "#!/usr/bin/env python\n# /// script\n# dependencies = [\n#   \"é>=2\",\n# ]\n#\n# ///\nimport x\n";
    let toml = script_metadata(text).unwrap();
    assert_eq!(toml.len(), text.len());
    assert_eq!(toml.trim(), "dependencies = [\n    \"é>=2\",\n  ]");
    let at = text.find("é>=2").unwrap();
    assert_eq!(&toml[at..at + 5], "é>=2");
}

#[test]
fn only_one_whole_block_counts() {
    for text in
        ["# /// script\n# x = 1\n", "# /// other\n# x = 1\n# ///\n", "# /// script\n# ///\n\n# /// script\n# ///\n", ""]
    {
        assert_eq!(script_metadata(text), None, "{text}");
    }
    assert!(script_metadata("# /// script\r\n# x = 1\r\n# ///").unwrap().contains("x = 1"));
}
