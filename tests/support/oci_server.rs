//! Debian's `docker-registry` on loopback, with images made by hand and pushed by `skopeo`.

use super::Folder;
use sha2::{Digest, Sha256};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A registry that ends with the test. Its address is not the usual one of this machine, whose images rules take for ones made here.
pub struct Registry {
    pub host: String,
    folder: Folder,
    child: Child,
}

impl Registry {
    /// A registry without logins.
    pub fn start() -> Registry {
        Registry::with("")
    }

    /// A registry that asks for user `me` with the password `hunter2`.
    pub fn with_password() -> Registry {
        let line = "me:$2b$05$woxCu9.UclB/9VA2cHPcOuSsTvHacIdNATd9oYrks9fKjIYZrirvq";
        Registry::with(line)
    }

    fn with(password_line: &str) -> Registry {
        let folder = Folder::new("registry");
        let port = TcpListener::bind("127.0.0.2:0").expect("a free port").local_addr().expect("an address").port();
        let data = folder.0.join("data");
        let mut config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  delete:\n    enabled: true\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: 127.0.0.2:{port}\n",
            data.display()
        );
        if !password_line.is_empty() {
            let file = folder.0.join("htpasswd");
            fs::write(&file, format!("{password_line}\n")).expect("a file");
            config.push_str(&format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", file.display()));
        }
        let file = folder.0.join("config.yml");
        fs::write(&file, config).expect("a file");
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed (test.sh installs it)");
        let host = format!("127.0.0.2:{port}");
        let registry = Registry { host, folder, child };
        for _ in 0..200 {
            if TcpStream::connect(&registry.host).is_ok() {
                return registry;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("docker-registry did not start");
    }

    /// Pushes an image for two platforms under several tags and returns the digest of its index.
    pub fn push(&self, name: &str, tags: &[&str], content: &str) -> String {
        let layout = self.folder.0.join(format!("layout-{}", &sha256(format!("{name}{content}").as_bytes())[7..19]));
        let digest = write_layout(&layout, content);
        for tag in tags {
            let done = Command::new("skopeo")
                .args([
                    "copy",
                    "--all",
                    "--preserve-digests",
                    "--quiet",
                    "--dest-tls-verify=false",
                    "--dest-creds",
                    "me:hunter2",
                ])
                .arg(format!("oci:{}:it", layout.display()))
                .arg(format!("docker://{}/{name}:{tag}", self.host))
                .output()
                .expect("skopeo is installed (test.sh installs it)");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        digest
    }

    /// Removes a manifest, as owners of registries do.
    pub fn delete(&self, name: &str, digest: &str) {
        let path = format!("docker://{}/{name}@{digest}", self.host);
        let done = Command::new("skopeo").args(["delete", "--tls-verify=false", &path]).output().expect("skopeo runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An OCI layout with an index over `linux/amd64` and `linux/arm64`; the digest of the index.
fn write_layout(folder: &Path, content: &str) -> String {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");
    let blob = |bytes: &[u8]| {
        let digest = sha256(bytes);
        fs::write(blobs.join(&digest[7..]), bytes).expect("a blob");
        (digest, bytes.len())
    };
    let mut entries = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let (layer, layer_size) = blob(format!("{content} for {architecture}").as_bytes());
        let config = serde_json::json!({
            "architecture": architecture, "os": "linux", "created": "2026-05-04T03:02:01Z",
            "rootfs": {"type": "layers", "diff_ids": [layer]}, "config": {},
        });
        let (config, config_size) = blob(config.to_string().as_bytes());
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": config_size},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": layer_size}],
        });
        let (digest, size) = blob(manifest.to_string().as_bytes());
        entries.push(serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size,
            "platform": {"architecture": architecture, "os": "linux"},
        }));
    }
    let index = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries,
    });
    let (digest, size) = blob(index.to_string().as_bytes());
    let top = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": size,
        "annotations": {"org.opencontainers.image.ref.name": "it"},
    }]});
    fs::write(folder.join("index.json"), top.to_string()).expect("a file");
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
    digest
}

pub fn sha256(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
