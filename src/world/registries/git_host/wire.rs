//! The pieces of git's wire format that list names: packet lines, protocol 0 and protocol 2. Sends nothing.

use super::named;
use crate::model::knowledge::GitRefs;

/// One packet line.
#[derive(Debug, PartialEq, Eq)]
enum Packet<'b> {
    Flush,
    Delimiter,
    Line(&'b [u8]),
}

/// Packet lines until the bytes end or stop making sense.
struct Packets<'b> {
    bytes: &'b [u8],
    broken: bool,
}

impl<'b> Iterator for Packets<'b> {
    type Item = Packet<'b>;

    fn next(&mut self) -> Option<Packet<'b>> {
        if self.bytes.is_empty() {
            return None;
        }
        let length = self.bytes.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
        let Some(length) = length.and_then(|digits| usize::from_str_radix(digits, 16).ok()) else {
            self.broken = true;
            return None;
        };
        let (packet, used) = match length {
            0 => (Packet::Flush, 4),
            1..=3 => (Packet::Delimiter, 4),
            length => match self.bytes.get(4..length) {
                Some(line) => (Packet::Line(line.strip_suffix(b"\n").unwrap_or(line)), length),
                None => {
                    self.broken = true;
                    return None;
                }
            },
        };
        self.bytes = &self.bytes[used..];
        Some(packet)
    }
}

fn packets(bytes: &[u8]) -> Packets<'_> {
    Packets { bytes, broken: false }
}

fn line(text: &str) -> String {
    format!("{:04x}{text}\n", text.len() + 5)
}

/// The request of protocol 2 that lists branches and tags, with what annotated tags point at.
pub fn list_names(object_format: &str) -> Vec<u8> {
    let mut body = line("command=ls-refs");
    body.push_str(&line(&format!("agent=pinguard/{}", env!("CARGO_PKG_VERSION"))));
    if !object_format.is_empty() && object_format != "sha1" {
        body.push_str(&line(&format!("object-format={object_format}")));
    }
    body.push_str("0001");
    for argument in ["peel", "symrefs", "ref-prefix HEAD", "ref-prefix refs/heads/", "ref-prefix refs/tags/"] {
        body.push_str(&line(argument));
    }
    body.push_str("0000");
    body.into_bytes()
}

/// The answer to [`list_names`]; `None` when it is none.
pub fn listing(bytes: &[u8]) -> Option<GitRefs> {
    let mut refs = GitRefs::default();
    let mut lines = packets(bytes);
    let mut ended = false;
    for packet in lines.by_ref() {
        match packet {
            Packet::Flush => {
                ended = true;
                break;
            }
            Packet::Delimiter => return None,
            Packet::Line(text) => {
                let text = std::str::from_utf8(text).ok()?;
                let mut words = text.split(' ');
                let (object, name) = (words.next()?, words.next()?);
                if object == "unborn" {
                    continue;
                }
                is_object(object).then_some(())?;
                let (mut peeled, mut target) = (None, None);
                for attribute in words {
                    if let Some(commit) = attribute.strip_prefix("peeled:") {
                        peeled = Some(commit).filter(|commit| is_object(commit));
                    }
                    target = attribute.strip_prefix("symref-target:").or(target);
                }
                put(&mut refs, name, object, peeled);
                if let (Some(branch), "HEAD") = (target.and_then(|target| target.strip_prefix("refs/heads/")), name) {
                    refs.default_branch = Some(branch.to_string());
                }
            }
        }
    }
    // A list that was cut is none: what is missing would be taken for gone.
    (ended && !lines.broken).then_some(refs)
}

/// The names of a greeting in protocol 0 or 1; `None` when it is of protocol 2 or no greeting.
pub fn advertisement(bytes: &[u8]) -> Option<GitRefs> {
    let mut refs = GitRefs::default();
    let mut lines = packets(bytes);
    let (mut seen, mut flushes) = (false, 0);
    let mut capabilities = String::new();
    for packet in lines.by_ref() {
        let text = match packet {
            Packet::Flush => {
                flushes += 1;
                continue;
            }
            Packet::Delimiter => continue,
            Packet::Line(text) => std::str::from_utf8(text).ok()?,
        };
        if text.starts_with("# service=") || text == "version 1" {
            continue;
        }
        if text == "version 2" {
            return None;
        }
        let (text, said) = text.split_once('\0').unwrap_or((text, ""));
        capabilities.push_str(said);
        let (object, name) = text.split_once(' ')?;
        is_object(object).then_some(())?;
        seen = true;
        match name.strip_suffix("^{}") {
            Some(name) => peel(&mut refs, name, object),
            None if name == "capabilities" => {}
            None => put(&mut refs, name, object, None),
        }
    }
    let branch = capabilities.split(' ').find_map(|word| word.strip_prefix("symref=HEAD:refs/heads/"));
    refs.default_branch = branch.map(str::to_string);
    (seen && flushes >= 1 && !lines.broken).then_some(refs)
}

/// How a server of protocol 2 names its objects; `None` when the bytes are no such greeting.
pub fn object_format(bytes: &[u8]) -> Option<String> {
    let mut version = false;
    let mut format = "sha1".to_string();
    for packet in packets(bytes) {
        let Packet::Line(text) = packet else { continue };
        let text = String::from_utf8_lossy(text);
        version |= text == "version 2";
        if let Some(name) = text.strip_prefix("object-format=") {
            format = name.to_string();
        }
    }
    version.then_some(format)
}

/// What `git ls-remote --symref` prints.
pub fn printed(text: &str) -> GitRefs {
    let mut refs = GitRefs::default();
    for line in text.lines() {
        let Some((object, name)) = line.split_once('\t') else { continue };
        if let Some(target) = object.strip_prefix("ref: refs/heads/") {
            refs.default_branch = (name == "HEAD").then(|| target.to_string()).or(refs.default_branch);
        } else if let Some(name) = name.strip_suffix("^{}") {
            peel(&mut refs, name, object);
        } else if is_object(object) {
            put(&mut refs, name, object, None);
        }
    }
    refs
}

fn put(refs: &mut GitRefs, name: &str, object: &str, peeled: Option<&str>) {
    if name == "HEAD" {
        refs.head = Some(object.to_string());
    } else if let Some(tag) = name.strip_prefix("refs/tags/") {
        let mut tag = named(tag, peeled.unwrap_or(object));
        tag.object = peeled.map(|_| object.to_string());
        refs.tags.push(tag);
    } else if let Some(branch) = name.strip_prefix("refs/heads/") {
        refs.branches.push(named(branch, object));
    }
}

/// The line after an annotated tag says what it points at.
fn peel(refs: &mut GitRefs, name: &str, commit: &str) {
    let last = refs.tags.last_mut().filter(|tag| name.strip_prefix("refs/tags/") == Some(tag.name.as_str()));
    if let Some(tag) = last.filter(|_| is_object(commit)) {
        tag.object = Some(std::mem::replace(&mut tag.commit, commit.to_string()));
    }
}

fn is_object(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn both_protocols_give_the_same_names() {
        let two = [
            line(&format!("{A} HEAD symref-target:refs/heads/main")),
            line(&format!("{A} refs/heads/main")),
            line(&format!("{B} refs/tags/v1 peeled:{A}")),
            line(&format!("{A} refs/tags/v1.0")),
            "0000".to_string(),
        ]
        .concat();
        let zero = [
            line("# service=git-upload-pack"),
            "0000".to_string(),
            line(&format!("{A} HEAD\0symref=HEAD:refs/heads/main agent=git/2")),
            line(&format!("{A} refs/heads/main")),
            line(&format!("{B} refs/tags/v1")),
            line(&format!("{A} refs/tags/v1^{{}}")),
            line(&format!("{A} refs/tags/v1.0")),
            "0000".to_string(),
        ]
        .concat();
        let refs = listing(two.as_bytes()).expect("a listing");
        assert_eq!(advertisement(zero.as_bytes()).as_ref(), Some(&refs));
        assert_eq!((refs.commit_of("v1"), refs.commit_of("main")), (Some(A), Some(A)));
        assert_eq!(refs.tags[0].object.as_deref(), Some(B));
        assert_eq!(refs.default_branch.as_deref(), Some("main"));
        assert_eq!(refs.tags_of(A).map(|tag| tag.name.as_str()).collect::<Vec<_>>(), ["v1", "v1.0"]);
    }

    #[test]
    fn cut_and_foreign_answers_are_none() {
        let whole = [line(&format!("{A} refs/heads/main")), "0000".to_string()].concat();
        assert!(listing(whole.as_bytes()).is_some());
        for cut in 0..whole.len() {
            assert_eq!(listing(&whole.as_bytes()[..cut]), None, "{cut}");
        }
        for foreign in ["<html>no</html>", "0008NAK\n", "zzzz"] {
            assert_eq!(listing(foreign.as_bytes()), None, "{foreign}");
            assert_eq!(advertisement(foreign.as_bytes()), None, "{foreign}");
            assert_eq!(object_format(foreign.as_bytes()), None, "{foreign}");
        }
    }

    #[test]
    fn greetings_of_protocol_two_name_their_objects() {
        let greeting =
            [line("# service=git-upload-pack"), "0000".into(), line("version 2"), line("object-format=sha256")];
        assert_eq!(object_format(greeting.concat().as_bytes()).as_deref(), Some("sha256"));
        assert_eq!(advertisement(greeting.concat().as_bytes()), None);
    }
}
