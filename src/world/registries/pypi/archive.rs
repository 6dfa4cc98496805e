//! Metadata out of archives: a wheel's central directory read by ranges, and the files at the top of a source distribution.
//!
//! A wheel is never downloaded as a whole. The format is PKWARE's APPNOTE: the directory stands at the end, with 64-bit fields where a
//! file has more than 4 GiB or 65,535 entries. Local headers are read only for their length.

use flate2::Crc;
use flate2::read::{DeflateDecoder, GzDecoder};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// The end record without its comment.
const END: usize = 22;
/// The largest metadata that is read.
const MOST: u64 = 16 << 20;

/// What the end of a zip file says about its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// An entry of a zip file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub name: String,
    /// Where its local header begins.
    pub offset: u64,
    /// Its size in the archive.
    pub packed: u64,
    /// Its size.
    pub size: u64,
    method: u16,
    crc: u32,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Finds the directory in the last bytes of a file of `size` bytes. `None`: it is no zip file, or more bytes are needed.
pub fn directory(tail: &[u8], size: u64) -> Option<Directory> {
    let from = size.checked_sub(tail.len() as u64)?;
    let last = tail.len().checked_sub(END)?;
    let at = (0..=last).rev().find(|&at| {
        tail[at..].starts_with(b"PK\x05\x06") && u16_at(tail, at + 20) == Some((tail.len() - at - END) as u64)
    })?;
    let (mut length, mut start) = (u32_at(tail, at + 12)?, u32_at(tail, at + 16)?);
    let locator = at.checked_sub(20).filter(|&at| tail[at..].starts_with(b"PK\x06\x07"));
    if let Some(locator) = locator {
        let record = u64_at(tail, locator + 8)?.checked_sub(from)? as usize;
        if !tail.get(record..)?.starts_with(b"PK\x06\x06") {
            return None;
        }
        (length, start) = (u64_at(tail, record + 40)?, u64_at(tail, record + 48)?);
    }
    let end = start.checked_add(length)?;
    (end <= size).then_some(Directory { start, end })
}

/// Reads a directory. `None`: it is broken.
pub fn entries(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut list = Vec::new();
    let mut at = 0;
    while bytes.get(at..)?.starts_with(b"PK\x01\x02") {
        let (name, extra, comment) =
            (u16_at(bytes, at + 28)? as usize, u16_at(bytes, at + 30)? as usize, u16_at(bytes, at + 32)? as usize);
        let text = String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name)?).into_owned();
        let mut entry = Entry {
            name: text,
            method: u16_at(bytes, at + 10)? as u16,
            crc: u32_at(bytes, at + 16)? as u32,
            packed: u32_at(bytes, at + 20)?,
            size: u32_at(bytes, at + 24)?,
            offset: u32_at(bytes, at + 42)?,
        };
        widen(&mut entry, bytes.get(at + 46 + name..at + 46 + name + extra)?)?;
        list.push(entry);
        at += 46 + name + extra + comment;
    }
    Some(list)
}

/// 64-bit sizes stand in an extra field, in this order, for those fields that are full.
fn widen(entry: &mut Entry, extra: &[u8]) -> Option<()> {
    const FULL: u64 = 0xffff_ffff;
    if entry.size != FULL && entry.packed != FULL && entry.offset != FULL {
        return Some(());
    }
    let mut at = 0;
    while at + 4 <= extra.len() {
        let (id, length) = (u16_at(extra, at)?, u16_at(extra, at + 2)? as usize);
        if id == 1 {
            let mut next = at + 4;
            for field in [&mut entry.size, &mut entry.packed, &mut entry.offset] {
                if *field == FULL {
                    *field = u64_at(extra, next)?;
                    next += 8;
                }
            }
            return Some(());
        }
        at += 4 + length;
    }
    None
}

/// The `METADATA` of the wheel itself, among what it carries.
pub fn metadata_entry(entries: &[Entry]) -> Option<&Entry> {
    let top = |entry: &&Entry| {
        entry
            .name
            .strip_suffix("/METADATA")
            .is_some_and(|folder| folder.ends_with(".dist-info") && !folder.contains('/'))
    };
    entries.iter().find(top)
}

/// How many bytes from an entry's offset hold it for sure, but for an uncommonly long local header.
pub fn reach(entry: &Entry) -> u64 {
    30 + entry.name.len() as u64 + 512 + entry.packed
}

/// Unpacks an entry out of bytes that begin with its local header. `None`: more bytes are needed, or they are broken.
pub fn unpack(entry: &Entry, bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"PK\x03\x04") || entry.size > MOST || entry.packed > MOST {
        return None;
    }
    let start = 30 + u16_at(bytes, 26)? as usize + u16_at(bytes, 28)? as usize;
    let packed = bytes.get(start..start.checked_add(entry.packed as usize)?)?;
    let mut out = Vec::with_capacity(entry.size as usize);
    match entry.method {
        0 => out.extend_from_slice(packed),
        8 => {
            DeflateDecoder::new(packed).take(entry.size + 1).read_to_end(&mut out).ok()?;
        }
        _ => return None,
    }
    let mut crc = Crc::new();
    crc.update(&out);
    (out.len() as u64 == entry.size && crc.sum() == entry.crc).then_some(out)
}

/// What a source distribution says about itself: the text of its `PKG-INFO` and `pyproject.toml`, when they are there.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `NAME-VERSION/PKG-INFO`.
    pub info: Option<String>,
    /// `NAME-VERSION/pyproject.toml`.
    pub project: Option<String>,
}

/// Reads a source distribution. `None`: it is broken.
pub fn source(file: &str, bytes: &[u8]) -> Option<Source> {
    if file.ends_with(".zip") { source_zip(bytes) } else { source_tar(bytes) }
}

fn source_zip(bytes: &[u8]) -> Option<Source> {
    let directory = directory(bytes, bytes.len() as u64)?;
    let entries = entries(bytes.get(directory.start as usize..directory.end as usize)?)?;
    let mut source = Source::default();
    for entry in entries {
        if let Some(slot) = source.slot(&entry.name) {
            let unpacked = unpack(&entry, bytes.get(entry.offset as usize..)?)?;
            *slot = Some(String::from_utf8_lossy(&unpacked).into_owned());
        }
    }
    Some(source)
}

impl Source {
    /// Where the text of a path goes: of files in the one folder at the top.
    fn slot(&mut self, path: &str) -> Option<&mut Option<String>> {
        let (_, name) = path.trim_start_matches("./").split_once('/')?;
        match name {
            "PKG-INFO" => Some(&mut self.info),
            "pyproject.toml" => Some(&mut self.project),
            _ => None,
        }
    }
}

/// Far more than any real source distribution unpacks to.
const MOST_UNPACKED: u64 = 2 << 30;

/// What the beginning of a source distribution holds. Many have `PKG-INFO` there, before anything big.
pub fn source_head(file: &str, bytes: &[u8]) -> Source {
    let mut source = Source::default();
    if !file.ends_with(".zip") {
        // It ends in the middle of something.
        let _ = fill(&mut source, bytes);
    }
    source
}

fn source_tar(bytes: &[u8]) -> Option<Source> {
    let mut source = Source::default();
    fill(&mut source, bytes)?;
    Some(source)
}

fn fill(source: &mut Source, bytes: &[u8]) -> Option<()> {
    let mut tar = GzDecoder::new(bytes).take(MOST_UNPACKED);
    let mut long_name: Option<String> = None;
    let mut header = [0_u8; 512];
    while tar.read_exact(&mut header).is_ok() && header.iter().any(|byte| *byte != 0) {
        let size = octal(&header[124..136])?;
        let kind = header[156];
        let path = long_name.take().unwrap_or_else(|| tar_path(&header));
        let wanted = matches!(kind, b'0' | 0) && source.slot(&path).is_some() && size <= MOST;
        let padded = size.div_ceil(512) * 512;
        match kind {
            // Names that are too long for the header: GNU's way, and that of POSIX (pax).
            b'L' => long_name = Some(text(&read(&mut tar, size, padded)?)),
            b'x' => long_name = pax_path(&read(&mut tar, size, padded)?),
            _ if wanted => {
                let content = read(&mut tar, size, padded)?;
                if let Some(slot) = source.slot(&path) {
                    *slot = Some(String::from_utf8_lossy(&content).into_owned());
                }
            }
            _ => {
                let skipped = std::io::copy(&mut (&mut tar).take(padded), &mut std::io::sink()).ok()?;
                if skipped < size {
                    return None;
                }
            }
        }
        if source.info.is_some() && source.project.is_some() {
            break;
        }
    }
    Some(())
}

fn read(tar: &mut impl Read, size: u64, padded: u64) -> Option<Vec<u8>> {
    if size > MOST {
        return None;
    }
    let mut content = Vec::new();
    tar.take(padded).read_to_end(&mut content).ok()?;
    content.truncate(size as usize);
    (content.len() as u64 == size).then_some(content)
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn tar_path(header: &[u8]) -> String {
    let name = text(&header[..100]);
    let prefix = if header[257..].starts_with(b"ustar\0") { text(&header[345..500]) } else { String::new() };
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

fn pax_path(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().find_map(|line| line.split_once(" path=").map(|(_, path)| path.to_string()))
}

fn octal(field: &[u8]) -> Option<u64> {
    // Sizes above 8 GiB are binary; no source distribution has one.
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Write;

    /// A stored zip file with these entries and a comment.
    pub(in crate::world::registries::pypi) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let mut crc = Crc::new();
            crc.update(content);
            let (sum, length) = (crc.sum().to_le_bytes(), (content.len() as u32).to_le_bytes());
            let (name_length, offset) = ((name.len() as u16).to_le_bytes(), (out.len() as u32).to_le_bytes());
            out.extend_from_slice(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0");
            for part in [&sum[..], &length, &length, &name_length, &[0, 0], name.as_bytes(), content] {
                out.extend_from_slice(part);
            }
            directory.extend_from_slice(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0");
            for part in [&sum[..], &length, &length, &name_length, &[0; 12], &offset, name.as_bytes()] {
                directory.extend_from_slice(part);
            }
        }
        let start = (out.len() as u32).to_le_bytes();
        let (count, length) = ((files.len() as u16).to_le_bytes(), (directory.len() as u32).to_le_bytes());
        out.extend_from_slice(&directory);
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        for part in [&count[..], &count, &length, &start, &[2, 0], b"hi"] {
            out.extend_from_slice(part);
        }
        out
    }

    #[test]
    fn metadata_is_found_through_the_directory() {
        let file = zip(&[("a-1.dist-info/METADATA", b"Name: a\n")]);
        let place = directory(&file, file.len() as u64).unwrap();
        let list = entries(&file[place.start as usize..place.end as usize]).unwrap();
        let entry = metadata_entry(&list).unwrap();
        assert_eq!(unpack(entry, &file[entry.offset as usize..]).unwrap(), b"Name: a\n");
        let vendored = zip(&[("a/_vendor/b-1.dist-info/METADATA", b"")]);
        let place = directory(&vendored, vendored.len() as u64).unwrap();
        assert_eq!(metadata_entry(&entries(&vendored[place.start as usize..place.end as usize]).unwrap()), None);
    }

    /// A gzipped tar of files, in this order.
    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        for (name, content) in files {
            let mut header = [0_u8; 512];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
            header[156] = b'0';
            out.write_all(&header).unwrap();
            out.write_all(content).unwrap();
            out.write_all(&vec![0; content.len().next_multiple_of(512) - content.len()]).unwrap();
        }
        out.write_all(&[0; 1024]).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn the_beginning_of_a_source_distribution_can_be_enough() {
        let (info, big) = (&b"Name: a\n"[..], vec![7; 5000]);
        let file = tar(&[("a-1/PKG-INFO", info), ("a-1/big", &big), ("a-1/pyproject.toml", b"[project]\n")]);
        let whole = source("a-1.tar.gz", &file).unwrap();
        assert_eq!((whole.info.as_deref(), whole.project.as_deref()), (Some("Name: a\n"), Some("[project]\n")));
        let head = &file[..3000];
        assert_eq!(source("a-1.tar.gz", head), None, "it is not whole");
        assert_eq!(source_head("a-1.tar.gz", head), Source { info: whole.info, project: None });
        // Behind something big it is not found, and a cut `PKG-INFO` is none.
        let file = tar(&[("a-1/big", &big), ("a-1/PKG-INFO", info)]);
        assert_eq!(source_head("a-1.tar.gz", &file[..3000]), Source::default());
        let file = tar(&[("a-1/PKG-INFO", &big)]);
        assert_eq!(source_head("a-1.tar.gz", &file[..3000]), Source::default());
        assert_eq!(source_head("a-1.zip", &file), Source::default());
    }

    #[test]
    fn broken_archives_are_none() {
        let file = zip(&[("a-1.dist-info/METADATA", b"Name: a\n")]);
        for length in 0..file.len() {
            let _ = directory(&file[..length], file.len() as u64);
            let _ = entries(&file[..length]);
            assert!(directory(&file[..length], length as u64).is_none());
            let _ = source("a.tar.gz", &file[..length]);
        }
        for at in 0..file.len() {
            let mut broken = file.clone();
            broken[at] ^= 0xff;
            if let Some(place) = directory(&broken, broken.len() as u64) {
                let list = broken.get(place.start as usize..place.end as usize).and_then(entries).unwrap_or_default();
                if let Some(entry) = metadata_entry(&list) {
                    let _ = broken.get(entry.offset as usize..).and_then(|bytes| unpack(entry, bytes));
                }
            }
        }
    }

    #[test]
    fn sizes_of_64_bits_are_read() {
        let mut entry = Entry { name: String::new(), offset: 0xffff_ffff, packed: 1, size: 1, method: 0, crc: 0 };
        let mut extra = vec![1, 0, 8, 0];
        extra.extend_from_slice(&(5_u64 << 32).to_le_bytes());
        widen(&mut entry, &extra).unwrap();
        assert_eq!(entry.offset, 5 << 32);
    }
}
