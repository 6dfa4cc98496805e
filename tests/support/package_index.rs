//! A package index on loopback by PEP 691 and 658: projects whose releases can be added while it runs.
#![allow(dead_code, reason = "each test crate uses its part")]

use super::host::{Asked, Given, Host};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone)]
pub struct Wheel {
    pub version: String,
    /// `Requires-Dist` lines.
    pub requires: Vec<String>,
    pub uploaded: String,
}

#[derive(Default)]
struct Memory {
    projects: BTreeMap<String, Vec<Wheel>>,
    /// Vulnerabilities of `name/version`: id, and the versions without it.
    dangers: BTreeMap<String, Vec<(String, Vec<String>)>>,
    /// Answers everything with this status, when set.
    fails: Option<u16>,
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

    pub fn add(&self, name: &str, version: &str, requires: &[&str], uploaded: &str) {
        let requires = requires.iter().map(ToString::to_string).collect();
        let wheel = Wheel { version: version.into(), requires, uploaded: uploaded.into() };
        self.memory.lock().expect("memory").projects.entry(name.into()).or_default().push(wheel);
    }

    /// States a vulnerability of a release.
    pub fn endanger(&self, name: &str, version: &str, id: &str, fixed_in: &[&str]) {
        let fixed_in = fixed_in.iter().map(ToString::to_string).collect();
        let mut memory = self.memory.lock().expect("memory");
        memory.dangers.entry(format!("{name}/{version}")).or_default().push((id.into(), fixed_in));
    }

    pub fn fail(&self, status: Option<u16>) {
        self.memory.lock().expect("memory").fails = status;
    }
}

fn answer(memory: &Memory, asked: &Asked) -> Given {
    if let Some(status) = memory.fails {
        return Given::status(status);
    }
    let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    match parts[..] {
        ["simple", name] => match memory.projects.get(name) {
            Some(wheels) => {
                let files: Vec<Value> = wheels.iter().map(|wheel| file(name, wheel)).collect();
                let versions: Vec<&str> = wheels.iter().map(|wheel| wheel.version.as_str()).collect();
                let body =
                    json!({ "meta": { "api-version": "1.1" }, "name": name, "files": files, "versions": versions });
                let body = body.to_string();
                Given::status(200).with("content-type", "application/vnd.pypi.simple.v1+json").body(body)
            }
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
            let found =
                memory.projects.iter().flat_map(|(project, wheels)| wheels.iter().map(move |wheel| (project, wheel)));
            let found = found.into_iter().find(|(project, wheel)| name.starts_with(&file_name(project, wheel)));
            match found {
                Some((project, wheel)) => Given::status(200).body(metadata(project, wheel)),
                None => Given::status(404),
            }
        }
        _ => Given::status(404),
    }
}

fn file_name(project: &str, wheel: &Wheel) -> String {
    format!("{}-{}-py3-none-any.whl", project.replace('-', "_"), wheel.version)
}

fn metadata(project: &str, wheel: &Wheel) -> String {
    let requires: String = wheel.requires.iter().map(|line| format!("Requires-Dist: {line}\n")).collect();
    format!("Metadata-Version: 2.1\nName: {project}\nVersion: {}\n{requires}", wheel.version)
}

fn file(project: &str, wheel: &Wheel) -> Value {
    let name = file_name(project, wheel);
    let hash: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let of: String =
        Sha256::digest(metadata(project, wheel).as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let uploaded = if wheel.uploaded.is_empty() { Value::Null } else { json!(wheel.uploaded) };
    json!({
        "filename": name, "url": format!("/files/{name}"), "hashes": { "sha256": hash }, "size": 1000,
        "upload-time": uploaded, "yanked": false, "core-metadata": { "sha256": of },
    })
}
