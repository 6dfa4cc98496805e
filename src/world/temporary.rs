//! Folders that are gone at the end: of the run, or of the next one where a run was killed.
#![expect(clippy::disallowed_methods, reason = "this is part of the one place that touches the disk")]

use super::failure::Failure;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const LEAD: &str = "pinguard-run-";
/// A folder without a living owner is kept this long, so that two systems which share a folder do not take each other's.
const KEPT: Duration = Duration::from_secs(3600);

/// A private folder; it is removed when this value goes.
#[derive(Debug)]
pub struct Temporary {
    folder: PathBuf,
}

impl Temporary {
    /// Makes an empty folder that only the present user can read.
    pub fn new() -> Result<Temporary, Failure> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let above = std::env::temp_dir();
        sweep(&above);
        for _ in 0..1000 {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let folder = above.join(format!("{LEAD}{}-{number}", std::process::id()));
            match make(&folder) {
                // Symbolic links on the way (macOS) would make paths differ from what programs print.
                Ok(()) => return Ok(Temporary { folder: fs::canonicalize(&folder).unwrap_or(folder) }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(failed(&folder, &error)),
            }
        }
        Err(failed(&above, &std::io::Error::from(std::io::ErrorKind::AlreadyExists)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Writes a file into it, with the folders above.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let full = self.folder.join(path);
        let done = full.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&full, bytes));
        done.map_err(|error| failed(&full, &error))
    }

    /// Makes a folder in it.
    pub fn folder(&self, path: &str) -> Result<PathBuf, Failure> {
        let full = self.folder.join(path);
        fs::create_dir_all(&full).map_err(|error| failed(&full, &error))?;
        Ok(full)
    }

    /// Lets everybody run a file.
    pub fn executable(&self, path: &str) {
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            let _ = fs::set_permissions(self.folder.join(path), mode);
        }
        let _ = path;
    }

    /// Makes a symbolic link that leads to `target` as it is written.
    pub fn link(&self, path: &str, target: &str) -> Result<(), Failure> {
        let full = self.folder.join(path);
        let made = full.parent().map_or(Ok(()), fs::create_dir_all);
        #[cfg(unix)]
        let made = made.and_then(|()| std::os::unix::fs::symlink(target, &full));
        #[cfg(not(unix))]
        let made = made.and_then(|()| fs::write(&full, target));
        made.map_err(|error| failed(&full, &error))
    }

    /// Reads a file of it; `None`: it is not there, or it is a link.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        let full = self.folder.join(path);
        let plain = fs::symlink_metadata(&full).is_ok_and(|meta| meta.is_file());
        if plain { fs::read(full).ok() } else { None }
    }

    /// The files below it that are no links, with `/`, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![String::new()];
        while let Some(prefix) = open.pop() {
            let Ok(entries) = fs::read_dir(self.folder.join(&prefix)) else { continue };
            for entry in entries.flatten() {
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push(format!("{path}/")),
                    Ok(kind) if kind.is_file() => found.push(path),
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Removes what runs that were killed left behind.
fn sweep(above: &Path) {
    let Ok(entries) = fs::read_dir(above) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(owner) = name.strip_prefix(LEAD).and_then(|rest| rest.split('-').next()) else { continue };
        let alive = Path::new("/proc").join(owner).exists();
        let old = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if !alive && old.is_some_and(|age| age > KEPT) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Tool {
        name: "the disk".to_string(),
        why: format!("cannot hold {} ({error})", path.display()),
        next: "set TMPDIR to a folder with space that can be written".to_string(),
    }
}
