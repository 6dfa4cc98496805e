//! The two forms of an index page: JSON (PEP 691, with PEP 700 and 792) and HTML (PEP 503). Fetches nothing.

use crate::resolve::listing::Announced;
use crate::resolve::listing::packed::{Entry, Page};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use url::Url;

#[derive(Deserialize)]
struct Json<'t> {
    #[serde(borrow)]
    files: Vec<JsonFile<'t>>,
    #[serde(default, borrow)]
    name: Option<Cow<'t, str>>,
    #[serde(default, rename = "project-status")]
    status: Option<JsonStatus>,
}

#[derive(Deserialize)]
struct JsonStatus {
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct JsonFile<'t> {
    #[serde(borrow)]
    filename: Cow<'t, str>,
    #[serde(borrow)]
    url: Cow<'t, str>,
    #[serde(default)]
    hashes: Hashes,
    #[serde(default, rename = "requires-python", borrow)]
    requires_python: Option<Cow<'t, str>>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default, rename = "upload-time", borrow)]
    uploaded: Option<Cow<'t, str>>,
    #[serde(default, deserialize_with = "yanked")]
    yanked: Option<String>,
    #[serde(default, rename = "core-metadata", deserialize_with = "announced")]
    core: Option<Announced>,
    #[serde(default, rename = "dist-info-metadata", deserialize_with = "announced")]
    dist_info: Option<Announced>,
}

/// A text that is borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// Hashes that a requirements file may hold, as `sha256:…`, in the order of their algorithms.
#[derive(Default)]
struct Hashes(Vec<String>);

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hashes, D::Error> {
        deserializer.deserialize_map(HashesVisitor)
    }
}

struct HashesVisitor;

impl<'de> Visitor<'de> for HashesVisitor {
    type Value = Hashes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hashes by their algorithm")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Hashes, M::Error> {
        let mut hashes = Vec::with_capacity(1);
        while let Some((Text(kind), Text(hash))) = map.next_entry()? {
            if is_strong(&kind) {
                hashes.push(format!("{kind}:{hash}"));
            }
        }
        hashes.sort();
        Ok(Hashes(hashes))
    }
}

/// A value that is true or false, a text, or hashes.
enum Flag {
    Bool(bool),
    Text(String),
    Hashes(Hashes),
    Other,
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Flag, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flag")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag::Bool(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Flag, E> {
        Ok(Flag::Text(value.to_string()))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Flag, M::Error> {
        HashesVisitor.visit_map(map).map(Flag::Hashes)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Flag, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Flag::Other)
    }

    fn visit_unit<E>(self) -> Result<Flag, E> {
        Ok(Flag::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Flag, E> {
        Ok(Flag::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Flag, E> {
        Ok(Flag::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Flag, E> {
        Ok(Flag::Other)
    }
}

fn yanked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Flag::deserialize(deserializer)? {
        Flag::Bool(true) => Some(String::new()),
        Flag::Text(reason) => Some(reason),
        _ => None,
    })
}

fn announced<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Announced>, D::Error> {
    Ok(match Flag::deserialize(deserializer)? {
        Flag::Bool(true) => Some(Announced::Yes(None)),
        Flag::Hashes(hashes) => Some(Announced::Yes(hashes.0.into_iter().find(|hash| hash.starts_with("sha256:")))),
        _ => None,
    })
}

/// Reads a page by its content type. The error says what is wrong.
pub fn read<'t>(kind: &str, body: &'t [u8], at: &Url) -> Result<Page<'t>, String> {
    if kind.contains("json") { read_json(body, at) } else { Ok(read_html(&String::from_utf8_lossy(body), at)) }
}

fn read_json<'t>(body: &'t [u8], at: &Url) -> Result<Page<'t>, String> {
    let page: Json = serde_json::from_slice(body).map_err(|error| format!("it is no index page ({error})"))?;
    let entry = |file: JsonFile<'t>| {
        Some(Entry {
            url: absolute(file.url, at)?,
            hashes: file.hashes.0,
            requires_python: file.requires_python,
            uploaded: file.uploaded.as_deref().and_then(millis),
            yanked: file.yanked,
            size: file.size,
            announced: file.core.or(file.dist_info).unwrap_or(Announced::No),
            name: file.filename,
        })
    };
    let status = page.status.filter(|status| !status.status.is_empty() && status.status != "active");
    let status = status.map(|status| match status.reason {
        Some(reason) => format!("{} ({reason})", status.status),
        None => status.status,
    });
    Ok(Page { name: page.name, entries: page.files.into_iter().filter_map(entry).collect(), status })
}

/// Hashes that a requirements file may hold.
fn is_strong(kind: &str) -> bool {
    matches!(kind, "sha256" | "sha384" | "sha512")
}

/// The time of an upload in milliseconds since 1970.
pub fn millis(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond())
}

/// A file's address without credentials and fragment.
fn absolute<'t>(url: Cow<'t, str>, at: &Url) -> Option<Cow<'t, str>> {
    if is_plain(&url) {
        return Some(url);
    }
    let mut url = at.join(&url).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Some(url.to_string().into())
}

/// Whether an address is absolute and written as it would be written anew: so are nearly all of the large indexes.
fn is_plain(url: &str) -> bool {
    let Some((host, path)) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else { return false };
    let is_name = |c: u8| c.is_ascii_lowercase() || c == b'.' || c == b'-';
    let is_path = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_' | b'/' | b'+' | b'!');
    // A name of digits can be an address in another spelling.
    !host.is_empty()
        && host.bytes().all(is_name)
        && path.bytes().all(is_path)
        && !path.contains("./")
        && !path.ends_with('.')
}

fn read_html<'t>(text: &str, at: &Url) -> Page<'t> {
    let base =
        tags(text, "base").into_iter().find_map(|tag| attribute(tag, "href").and_then(|href| at.join(&href).ok()));
    let at = base.as_ref().unwrap_or(at);
    let file = |tag: &str| {
        let href = attribute(tag, "href")?;
        let url = at.join(&href).ok()?;
        let name = url.path_segments()?.next_back()?.to_string();
        let name = percent_encoding_free(&name);
        let hashes = url.fragment().unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
        let hashes = hashes.filter(|(kind, _)| is_strong(kind)).map(|(kind, hash)| format!("{kind}:{hash}")).collect();
        let flag = |name: &str| attribute(tag, name);
        let announced = flag("data-core-metadata").or_else(|| flag("data-dist-info-metadata"));
        let announced = match announced.as_deref() {
            None | Some("false") => Announced::No,
            Some(value) => Announced::Yes(value.strip_prefix("sha256=").map(|hash| format!("sha256:{hash}"))),
        };
        Some(Entry {
            url: absolute(href.into(), at)?,
            hashes,
            requires_python: flag("data-requires-python").map(Cow::Owned),
            uploaded: flag("data-upload-time").as_deref().and_then(millis),
            yanked: flag("data-yanked"),
            size: None,
            announced,
            name: name.into(),
        })
    };
    let status = tags(text, "meta").into_iter().find_map(|tag| {
        let named = attribute(tag, "name").as_deref() == Some("pypi:project-status");
        named.then(|| attribute(tag, "content")).flatten().filter(|status| status != "active")
    });
    Page { name: None, entries: tags(text, "a").into_iter().filter_map(file).collect(), status }
}

/// `%2B` in file names is `+`.
fn percent_encoding_free(text: &str) -> String {
    text.replace("%2B", "+").replace("%2b", "+").replace("%21", "!").replace("%20", " ")
}

/// The insides of all start tags of a kind.
fn tags<'t>(text: &'t str, kind: &str) -> Vec<&'t str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end..]);
            continue;
        }
        let own = rest.get(..kind.len()).is_some_and(|name| name.eq_ignore_ascii_case(kind));
        if own && rest[kind.len()..].starts_with(|c: char| c.is_ascii_whitespace()) {
            let end = tag_end(rest);
            out.push(&rest[kind.len()..end]);
            rest = &rest[end..];
        }
    }
    out
}

/// A `>` in quotes ends no tag.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('=') {
            Some(value) => {
                let value = value.trim_start();
                match value.chars().next() {
                    Some(quote @ ('"' | '\'')) => {
                        let inner = &value[1..];
                        let end = inner.find(quote).unwrap_or(inner.len());
                        (&inner[..end], inner.get(end + 1..).unwrap_or(""))
                    }
                    _ => {
                        let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
                        value.split_at(end)
                    }
                }
            }
            None => ("", after),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(unescaped(value));
        }
        rest = next;
    }
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_string();
    }
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#62;", ">"),
        ("&#60;", "<"),
    ];
    pairs.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to)).replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::listing::Listing;
    use crate::resolve::listing::packed::{pack, unpack};

    fn listing(kind: &str, text: &str) -> Listing {
        let at = Url::parse("https://index.example/simple/a/").unwrap();
        let packed = pack("a", &read(kind, text.as_bytes(), &at).unwrap());
        unpack("a", packed, &"https://index.example/simple".into()).unwrap().1
    }

    #[test]
    fn both_forms_say_the_same() {
        let json = listing(
            "application/vnd.pypi.simple.v1+json",
            r#"{"meta":{"api-version":"1.4"},"name":"a","project-status":{"status":"archived","reason":"old"},"files":[
              {"filename":"a-1.0-py3-none-any.whl","url":"../../f/a-1.0-py3-none-any.whl","hashes":{"sha256":"00","md5":"11"},
               "requires-python":">=3.8","yanked":"bad","core-metadata":{"sha256":"22"},"upload-time":"2024-01-02T03:04:05.678901Z","size":5},
              {"filename":"a-1.0.exe","url":"x","hashes":{}},
              {"filename":"a-1.0.tar.gz","url":"https://u:p@f.example/a-1.0.tar.gz","hashes":{},"yanked":false,"core-metadata":false}]}"#,
        );
        let html = listing(
            "text/html",
            r#"<html><meta name="pypi:project-status" content="archived"><!-- <a href="no.whl">x</a> -->
            <a href="../../f/a-1.0-py3-none-any.whl#sha256=00" data-requires-python="&gt;=3.8" data-yanked="bad" data-core-metadata="sha256=22"
              data-upload-time="2024-01-02T03:04:05.678901Z">a</a>
            <A HREF='https://u:p@f.example/a-1.0.tar.gz'>b</A><a href="x.exe">c</a></html>"#,
        );
        for page in [&json, &html] {
            let [release] = &page.releases[..] else { panic!("one version is wanted: {page:?}") };
            let [wheel, source] = release.files() else { panic!("two files are wanted: {page:?}") };
            assert_eq!(wheel.url, "https://index.example/f/a-1.0-py3-none-any.whl");
            assert_eq!(
                (wheel.hashes.as_slice(), wheel.yanked.as_deref()),
                (&["sha256:00".to_string()][..], Some("bad"))
            );
            assert_eq!(wheel.announced, Announced::Yes(Some("sha256:22".to_string())));
            assert_eq!(wheel.requires_python.as_ref().unwrap().to_string(), ">=3.8");
            assert_eq!(wheel.uploaded, Some(1_704_164_645_678));
            assert_eq!((source.url.as_str(), source.yanked.as_ref()), ("https://f.example/a-1.0.tar.gz", None));
            assert!(page.status.as_deref().unwrap().starts_with("archived"));
        }
    }

    #[test]
    fn pages_that_are_none_say_so() {
        let at = Url::parse("https://index.example/").unwrap();
        assert!(read("application/json", b"<html>", &at).is_err());
        assert!(listing("text/html", "<a href=\"").releases.is_empty());
    }

    #[test]
    fn addresses_are_written_anew_where_that_changes_them() {
        let at = Url::parse("https://index.example/simple/a/").unwrap();
        for text in ["https://f.example/p/4e/a-1.0+cpu.tar.gz", "https://f.example/a.whl"] {
            assert!(is_plain(text));
            assert_eq!(at.join(text).unwrap().as_str(), text);
        }
        for (text, wanted) in [
            ("https://F.example/a.whl", "https://f.example/a.whl"),
            ("https://f.example/x/../a.whl#sha256=0", "https://f.example/a.whl"),
            ("https://f.example/..", "https://f.example/"),
            ("https://u:p@f.example/a b.whl", "https://f.example/a%20b.whl"),
            ("https://f.example:443/a.whl", "https://f.example/a.whl"),
            ("//f.example/a.whl", "https://f.example/a.whl"),
        ] {
            assert_eq!(absolute(text.into(), &at).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(absolute("ftp://f.example/a.whl".into(), &at), None);
    }
}
