use super::*;
use crate::model::span::{Location, SourceId, Span};

fn text(text: &str) -> Text {
    let at = Location::new(SourceId(0), Span::new(100, 100 + text.len()));
    Text { text: text.to_string(), at, verbatim: true }
}

fn read(source: &str) -> Reference {
    requirement(&text(source), Role::Runtime, "k").unwrap_or_else(|why| panic!("{source}: {why}"))
}

fn slot(source: &str, slot: Option<Slot>) -> Option<&str> {
    slot.map(|slot| &source[slot.at.span.start as usize - 100..slot.at.span.end as usize - 100])
}

const WORD: Option<Strength> = Some(Strength::Floating(Precision::Word));
const MAJOR: Option<Strength> = Some(Strength::Floating(Precision::Major));
const MINOR: Option<Strength> = Some(Strength::Floating(Precision::Minor));
const EXACT: Option<Strength> = Some(Strength::Exact);
const IMMUTABLE: Option<Strength> = Some(Strength::Immutable);
const UNSPECIFIED: Option<Strength> = Some(Strength::Unspecified);

#[test]
fn names_compare_as_pep_503_says() {
    assert_eq!(normalize("Foo._-Bar"), "foo-bar");
}

#[test]
fn specifiers_have_a_slot_and_a_strength() {
    for (source, name, version, strength) in [
        ("requests", "requests", "", UNSPECIFIED),
        ("requests>=2", "requests", ">=2", WORD),
        ("Requests == 2.32.3", "requests", "== 2.32.3", EXACT),
        ("a===1.0-weird", "a", "===1.0-weird", EXACT),
        ("a==1.*", "a", "==1.*", MAJOR),
        ("a==1.2.*", "a", "==1.2.*", MINOR),
        ("a~=1.4", "a", "~=1.4", MAJOR),
        ("a~=1.4.2", "a", "~=1.4.2", MINOR),
        ("a!=1", "a", "!=1", WORD),
        ("a (>=1,<2)", "a", ">=1,<2", WORD),
        ("a>=1.0,", "a", ">=1.0,", WORD),
        ("a[x,Y_z] >=1 ; python_version<'3'", "a", ">=1", WORD),
        ("a==${VERSION}", "a", "==${VERSION}", None),
        ("zope.interface==6.0;extra == 'x'", "zope-interface", "==6.0", EXACT),
    ] {
        let reference = read(source);
        assert_eq!(reference.subject.name, name, "{source}");
        assert_eq!(reference.strength, strength, "{source}");
        assert_eq!(slot(source, reference.site.version), Some(version), "{source}");
        assert_eq!(reference.pin.version.unwrap_or_default(), version, "{source}");
    }
}

#[test]
fn an_unspecified_version_would_stand_after_the_extras() {
    let source = "celery[redis] ; os_name == 'nt'";
    let reference = read(source);
    assert_eq!(reference.site.version.unwrap().at.span, Span::empty(113));
    assert_eq!(reference.extras, ["redis"]);
    assert_eq!(reference.marker.as_deref(), Some("os_name == 'nt'"));
}

#[test]
fn version_control_urls_have_their_ref_in_the_digest_slot() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let pinned = format!("pkg @ git+https://u:tok@host/o/r.git@{commit}#egg=x");
    for (source, name, reference, strength) in [
        ("git+https://github.com/o/r.git@main#egg=Pkg", "pkg", "@main", WORD),
        ("git+https://github.com/o/r", "o/r", "", UNSPECIFIED),
        ("git+ssh://git@github.com/o/r.git@v1.2.3", "o/r", "@v1.2.3", EXACT),
        ("git+git@github.com:o/r.git@stable/1.2.x", "o/r", "@stable/1.2.x", WORD),
        ("pkg@git+https://github.com/o/r@release-1.2 ; x", "pkg", "@release-1.2", WORD),
        ("pkg @ git+https://github.com/o/r@${REF}", "pkg", "@${REF}", None),
        (&pinned, "pkg", &format!("@{commit}"), IMMUTABLE),
    ] {
        let found = read(source);
        assert_eq!(found.subject.name, name, "{source}");
        assert_eq!(found.strength, strength, "{source}");
        assert_eq!(slot(source, found.site.digest), Some(reference), "{source}");
        assert!(matches!(&found.origin, Origin::Vcs(url) if !url.contains("tok")), "{source}: {:?}", found.origin);
    }
}

#[test]
fn urls_and_paths_are_read_by_their_file_names() {
    for (source, name, strength) in [
        ("https://x.org/a/foo_bar-1.2-py3-none-any.whl", "foo-bar", EXACT),
        ("x @ https://x.org/a/foo.tar.gz#sha256=abc", "x", IMMUTABLE),
        ("x @ https://github.com/o/r/archive/refs/heads/main.zip", "x", UNSPECIFIED),
        ("x @ https://github.com/o/r/archive/v1.2.3.zip", "x", EXACT),
        ("https://github.com/o/r/archive/devel.tar.gz", "o/r", UNSPECIFIED),
        ("https://github.com/o/r/archive/refs/tags/v1.2.3.zip", "o/r", EXACT),
        ("./dist/foo-1.0.tar.gz", "foo", IMMUTABLE),
        (".[test]", ".", IMMUTABLE),
    ] {
        let found = read(source);
        assert_eq!((found.subject.name.as_str(), found.strength), (name, strength), "{source}");
    }
    assert_eq!(read(".[test,b]").extras, ["b", "test"]);
}

#[test]
fn what_is_installed_editable_is_a_folder_or_version_control() {
    for (source, name, strength) in [
        ("worker", "worker", IMMUTABLE),
        (" master[tls,test] ", "master", IMMUTABLE),
        ("git+https://github.com/o/r@main#egg=x", "x", WORD),
        ("x @ git+https://github.com/o/r", "x", UNSPECIFIED),
    ] {
        let found = editable(&text(source), Role::Runtime, "k").unwrap();
        assert_eq!((found.subject.name.as_str(), found.strength), (name, strength), "{source}");
        assert_eq!(matches!(found.origin, Origin::Path(_)), !source.contains("git"), "{source}");
    }
    assert_eq!(editable(&text("master[tls,test]"), Role::Runtime, "").unwrap().extras, ["test", "tls"]);
    for source in ["", "$FOLDER"] {
        assert!(editable(&text(source), Role::Runtime, "").is_err(), "{source}");
    }
}

#[test]
fn what_is_no_requirement_is_said() {
    for source in ["", "  ", "foo=1.2", "foo bar", "$PKG", "foo[x", "foo @ ", "==1"] {
        assert!(requirement(&text(source), Role::Runtime, "").is_err(), "{source}");
    }
}

#[test]
fn an_escaped_text_has_no_slots() {
    let escaped = Text { verbatim: false, ..text("a>=1") };
    let found = requirement(&escaped, Role::Runtime, "").unwrap();
    assert_eq!((found.site.version, found.strength), (None, WORD));
}

#[test]
fn tools_may_be_named_with_a_bare_version() {
    for (source, strength) in
        [("ruff@0.5.0", EXACT), ("ruff@latest", WORD), ("ruff==1", EXACT), ("ruff", UNSPECIFIED), ("ruff@$V", None)]
    {
        assert_eq!(tool(&text(source), Role::Tool, "").unwrap().strength, strength, "{source}");
    }
}

#[test]
fn versions_fit_specifiers_leniently() {
    for (specifiers, version, fits) in [
        (">=1,<2", "1.5", Some(true)),
        (">=1.0,", "2", Some(true)),
        (">=3.6.*", "3.6.1", Some(true)),
        ("", "1", Some(true)),
        ("<1||>=2", "1.5", Some(false)),
        ("<1||>=2", "2.5", Some(true)),
        ("~=1", "1.9", Some(true)),
        ("==1.2.*", "1.2.9", Some(true)),
        ("nonsense", "1", None),
        (">=1", "x", None),
    ] {
        assert_eq!(satisfies(specifiers, version), fits, "{specifiers} {version}");
    }
    assert_eq!(python_minors(">=3.11.5,<3.14", 15), ["3.11", "3.12", "3.13"]);
    assert_eq!(python_floor(">=3.9,<4").as_deref(), Some("3.9"));
}

#[test]
fn poetry_constraints_are_read_and_spelled() {
    for (source, strength, spelled) in [
        ("^1.2", MAJOR, ">=1.2,<2"),
        ("^0.2.3", MINOR, ">=0.2.3,<0.3"),
        ("^0", MAJOR, ">=0,<1"),
        ("~1.2", MINOR, ">=1.2,<1.3"),
        ("~1", MAJOR, ">=1,<2"),
        ("~=1.4", MAJOR, "~=1.4"),
        ("1.2.3", EXACT, "==1.2.3"),
        ("1.2.*", MINOR, "==1.2.*"),
        ("*", WORD, ""),
        ("", UNSPECIFIED, ""),
        (">=1, <2", WORD, ">=1,<2"),
        (">= 1 < 2", WORD, ">=1,<2"),
        ("==1.2.3", EXACT, "==1.2.3"),
        ("^1 || ^2", MAJOR, ">=1,<2||>=2,<3"),
    ] {
        assert_eq!(poetry_strength(source), strength, "{source}");
        assert_eq!(poetry_to_pep440(source), spelled, "{source}");
    }
}
