//! A package index on loopback by PEP 691 and 658: projects whose releases can be added while it runs.
#![allow(dead_code, reason = "each test crate uses its part")]

use super::host::{Asked, Given, Host};
use super::index::{Made, pure, source};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

struct Release {
    file: Made,
    version: String,
    uploaded: String,
}

/// What the index does instead of serving.
type Twist = Box<dyn Fn(&Asked) -> Option<Given> + Send + Sync>;

#[derive(Default)]
struct Memory {
    projects: BTreeMap<String, Vec<Release>>,
    twist: Option<Twist>,
    /// Vulnerabilities of `name/version`: id, and the versions without it.
    dangers: BTreeMap<String, Vec<(String, Vec<String>)>>,
}

pub struct PackageIndex {
    pub host: Host,
    memory: Arc<Mutex<Memory>>,
}

impl PackageIndex {
    pub fn start() -> PackageIndex {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let shared = Arc::clone(&memory);
        let host = Host::start(move |asked| answer(&shared.lock().expect("memory"), asked));
        PackageIndex { host, memory }
    }

    pub fn url(&self) -> String {
        format!("{}/simple", self.host.url())
    }

    /// A wheel for every Python.
    pub fn add(&self, name: &str, version: &str, requires: &[&str], uploaded: &str) {
        self.put(pure(name, version, requires), version, uploaded);
    }

    /// States a vulnerability of a release.
    pub fn endanger(&self, name: &str, version: &str, id: &str, fixed_in: &[&str]) {
        let fixed_in = fixed_in.iter().map(ToString::to_string).collect();
        let mut memory = self.memory.lock().expect("memory");
        memory.dangers.entry(format!("{name}/{version}")).or_default().push((id.into(), fixed_in));
    }

    /// A source distribution that has to be built, and whose code leaves a file at `trace` when it is run.
    pub fn add_source(&self, name: &str, version: &str, trace: &std::path::Path, uploaded: &str) {
        let code = format!(
            "open({:?}, 'w').write('run')\nfrom setuptools import setup\nsetup(name={name:?}, version={version:?})\n",
            trace.display().to_string()
        );
        let about = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        self.put(source(name, version, &[("setup.py", &code), ("PKG-INFO", &about)]), version, uploaded);
    }

    fn put(&self, file: Made, version: &str, uploaded: &str) {
        let release = Release { version: version.into(), uploaded: uploaded.into(), file };
        let mut memory = self.memory.lock().expect("memory");
        memory.projects.entry(release.file.project.clone()).or_default().push(release);
    }

    /// The SHA-256 of a release's file.
    pub fn hash(&self, name: &str, version: &str) -> String {
        let memory = self.memory.lock().expect("memory");
        memory.projects[name].iter().find(|release| release.version == version).expect("a release").file.hash()
    }

    pub fn remove(&self, name: &str, version: &str) {
        let mut memory = self.memory.lock().expect("memory");
        memory.projects.get_mut(name).expect("a project").retain(|release| release.version != version);
    }

    /// Answers everything with this status.
    pub fn fail(&self, status: Option<u16>) {
        match status {
            Some(status) => self.twist(move |_| Some(Given::status(status))),
            None => self.memory.lock().expect("memory").twist = None,
        }
    }

    /// Answers by `twist` what it answers.
    pub fn twist(&self, twist: impl Fn(&Asked) -> Option<Given> + Send + Sync + 'static) {
        self.memory.lock().expect("memory").twist = Some(Box::new(twist));
    }
}

fn answer(memory: &Memory, asked: &Asked) -> Given {
    if let Some(given) = memory.twist.as_ref().and_then(|twist| twist(asked)) {
        return given;
    }
    let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    match parts[..] {
        ["simple", name] => match memory.projects.get(name) {
            Some(releases) => page(name, releases),
            None => Given::status(404),
        },
        ["pypi", name, version, "json"] => {
            let list = memory.dangers.get(&format!("{name}/{version}")).cloned().unwrap_or_default();
            let list: Vec<Value> =
                list.iter().map(|(id, fixed_in)| json!({ "id": id, "aliases": [], "fixed_in": fixed_in })).collect();
            let body = json!({ "info": { "version": version }, "vulnerabilities": list }).to_string();
            Given::status(200).with("content-type", "application/json").body(body)
        }
        ["files", name] => {
            let stem = name.trim_end_matches(".metadata");
            let mut all = memory.projects.values().flatten();
            match all.find(|release| release.file.name == stem).map(|release| &release.file) {
                Some(file) if name == stem => Given::status(200).body(file.bytes.clone()),
                Some(Made { metadata: Some(metadata), .. }) => Given::status(200).body(metadata.clone()),
                _ => Given::status(404),
            }
        }
        _ => Given::status(404),
    }
}

fn page(name: &str, releases: &[Release]) -> Given {
    let files: Vec<Value> = releases.iter().map(file).collect();
    let versions: Vec<&str> = releases.iter().map(|release| release.version.as_str()).collect();
    let body = json!({ "meta": { "api-version": "1.1" }, "name": name, "files": files, "versions": versions });
    Given::status(200).with("content-type", "application/vnd.pypi.simple.v1+json").body(body.to_string())
}

fn file(release: &Release) -> Value {
    let made = &release.file;
    let uploaded = if release.uploaded.is_empty() { Value::Null } else { json!(release.uploaded) };
    let mut file = json!({
        "filename": made.name, "url": format!("/files/{}", made.name), "hashes": { "sha256": made.hash() },
        "size": made.bytes.len(), "upload-time": uploaded, "yanked": false,
    });
    if let Some(metadata) = &made.metadata {
        let of: String = Sha256::digest(metadata.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        file["core-metadata"] = json!({ "sha256": of });
    }
    file
}
