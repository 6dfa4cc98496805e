//! A made package index on loopback: wheels and source distributions out of a few words, served as JSON or HTML, with ranges.

use super::fake::Fake;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file of a made project.
#[derive(Clone)]
pub struct Made {
    pub project: String,
    pub name: String,
    pub bytes: Vec<u8>,
    pub metadata: Option<String>,
    /// Further fields of its JSON (`"yanked": "why"`).
    pub fields: Vec<(String, String)>,
}

/// A wheel with these requirements; `tags` is `py3-none-any` and the like.
pub fn wheel(project: &str, version: &str, tags: &str, requires: &[&str]) -> Made {
    let metadata = metadata(project, version, requires);
    let stem = project.replace('-', "_");
    let bytes = zip(&format!("{stem}-{version}.dist-info/METADATA"), metadata.as_bytes());
    let name = format!("{stem}-{version}-{tags}.whl");
    Made { project: project.to_string(), name, bytes, metadata: Some(metadata), fields: Vec::new() }
}

pub fn pure(project: &str, version: &str, requires: &[&str]) -> Made {
    wheel(project, version, "py3-none-any", requires)
}

fn metadata(project: &str, version: &str, requires: &[&str]) -> String {
    let mut text = format!("Metadata-Version: 2.3\nName: {project}\nVersion: {version}\n");
    for line in requires {
        let field = if line.contains(": ") { line.to_string() } else { format!("Requires-Dist: {line}") };
        text += &format!("{field}\n");
    }
    text + "\nA made package.\n"
}

impl Made {
    pub fn with(mut self, field: &str, json: &str) -> Made {
        self.fields.push((field.to_string(), json.to_string()));
        self
    }

    pub fn hash(&self) -> String {
        use sha2::Digest;
        sha2::Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn json(&self) -> String {
        let mut fields: BTreeMap<&str, String> = BTreeMap::new();
        fields.insert("filename", format!("\"{}\"", self.name));
        fields.insert("url", format!("\"/files/{}\"", self.name));
        fields.insert("hashes", format!("{{\"sha256\": \"{}\"}}", self.hash()));
        fields.insert("upload-time", "\"2024-01-01T00:00:00Z\"".to_string());
        for (field, json) in &self.fields {
            fields.insert(field, json.clone());
        }
        let list: Vec<String> = fields.iter().map(|(field, json)| format!("\"{field}\": {json}")).collect();
        format!("{{{}}}", list.join(", "))
    }
}

/// A zip file with one stored entry.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let (sum, length) = (crc.sum().to_le_bytes(), (content.len() as u32).to_le_bytes());
    let name_length = (name.len() as u16).to_le_bytes();
    let mut out = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0".to_vec();
    for part in [&sum[..], &length, &length, &name_length, &[0, 0], name.as_bytes(), content] {
        out.extend_from_slice(part);
    }
    let start = (out.len() as u32).to_le_bytes();
    let mut directory = b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0".to_vec();
    for part in [&sum[..], &length, &length, &name_length, &[0; 12], &[0; 4], name.as_bytes()] {
        directory.extend_from_slice(part);
    }
    let length = (directory.len() as u32).to_le_bytes();
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    for part in [&length[..], &start, &[0, 0]] {
        out.extend_from_slice(part);
    }
    out
}

/// A source distribution with these files at its top.
pub fn source(project: &str, version: &str, files: &[(&str, &str)]) -> Made {
    use std::io::Write;
    let mut tar = Vec::new();
    for (path, content) in files {
        let mut header = [0_u8; 512];
        let full = format!("{project}-{version}/{path}");
        header[..full.len()].copy_from_slice(full.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[156] = b'0';
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content.as_bytes());
        tar.resize(tar.len().div_ceil(512) * 512, 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&tar).expect("memory");
    let bytes = packed.finish().expect("memory");
    Made {
        project: project.to_string(),
        name: format!("{project}-{version}.tar.gz"),
        bytes,
        metadata: None,
        fields: Vec::new(),
    }
}

/// What an index does beyond serving.
pub type Twist = Box<dyn Fn(&str, &str) -> Option<Vec<u8>> + Send + Sync>;

/// Starts an index under `/simple`. `twist` sees each request's head first, and may answer it.
pub fn start(files: Vec<Made>, twist: Twist) -> Fake {
    let files = Arc::new(files);
    Fake::start(move |head, own| {
        if let Some(answer) = twist(head, own) {
            return answer;
        }
        let path = head.split(' ').nth(1).unwrap_or("");
        match path.strip_prefix("/files/") {
            Some(name) => file(&files, name, head),
            None => page(&files, path.trim_start_matches("/simple/").trim_end_matches('/'), head),
        }
    })
}

pub fn plain(files: Vec<Made>) -> Fake {
    start(files, Box::new(|_, _| None))
}

fn page(files: &[Made], project: &str, head: &str) -> Vec<u8> {
    let own: Vec<&Made> = files.iter().filter(|file| file.project == project).collect();
    if own.is_empty() {
        return Fake::answer("404 Not Found", "", "");
    }
    if head.contains("/html-only/") {
        let links: String = own.iter().map(|file| format!("<a href=\"/files/{}\">x</a>\n", file.name)).collect();
        return Fake::answer("200 OK", "content-type: text/html\r\n", &links);
    }
    let list: Vec<String> = own.iter().map(|file| file.json()).collect();
    let body = format!(
        "{{\"meta\": {{\"api-version\": \"1.1\"}}, \"name\": \"{project}\", \"files\": [{}]}}",
        list.join(", ")
    );
    Fake::answer("200 OK", "content-type: application/vnd.pypi.simple.v1+json\r\n", &body)
}

fn file(files: &[Made], name: &str, head: &str) -> Vec<u8> {
    if let Some(of) = name.strip_suffix(".metadata") {
        let found = files.iter().find(|file| file.name == of).and_then(|file| file.metadata.clone());
        return found.map_or_else(|| Fake::answer("404 Not Found", "", ""), |text| Fake::answer("200 OK", "", &text));
    }
    let Some(file) = files.iter().find(|file| file.name == name) else { return Fake::answer("404 Not Found", "", "") };
    bytes(&file.bytes, head)
}

/// Bytes, or the range of them that is asked for.
pub fn bytes(all: &[u8], head: &str) -> Vec<u8> {
    let asked = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
    let range = asked.map(|asked| {
        let (from, to) = asked.trim().split_once('-').expect("a range");
        match (from.parse::<usize>(), to.parse::<usize>()) {
            (Ok(from), Ok(to)) => from..(to + 1).min(all.len()),
            (Err(_), Ok(last)) => all.len().saturating_sub(last)..all.len(),
            _ => 0..all.len(),
        }
    });
    let (status, extra, part) = match range {
        Some(range) => {
            let extra = format!("content-range: bytes {}-{}/{}\r\n", range.start, range.end - 1, all.len());
            ("206 Partial Content", extra, &all[range])
        }
        None => ("200 OK", String::new(), all),
    };
    let mut answer =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{extra}\r\n", part.len()).into_bytes();
    answer.extend_from_slice(part);
    answer
}
