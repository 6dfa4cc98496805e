//! A private copy of a tree, for tools that want a folder.

use super::super::failure::Failure;
use super::super::temporary::Temporary;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A folder with the files of a commit, and beside it an empty home.
pub struct PrivateCopy {
    temporary: Temporary,
    folder: PathBuf,
    home: PathBuf,
    written: std::cell::RefCell<BTreeMap<String, Option<Vec<u8>>>>,
}

/// What stands at a path of the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A file.
    File,
    /// A file that can be run.
    Executable,
    /// A link.
    Link,
}

/// Folders of a project that its tool runs code from.
const PLUGINS: &[&str] = &[".poetry", ".pdm-plugins"];

impl PrivateCopy {
    /// An empty copy.
    pub fn new() -> Result<PrivateCopy, Failure> {
        let temporary = Temporary::new()?;
        let folder = temporary.folder("tree")?;
        let home = temporary.folder("home")?;
        Ok(PrivateCopy { temporary, folder, home, written: Default::default() })
    }

    /// Puts a file or a link into it. A link out of the tree is left out: a tool must not write through it. So are the folders that Poetry
    /// and PDM load plugins from: that would be code of the repository.
    pub fn put(&self, path: &str, form: Form, bytes: &[u8]) -> Result<(), Failure> {
        if path.split('/').any(|part| PLUGINS.contains(&part)) {
            return Ok(());
        }
        let inside = format!("tree/{path}");
        match form {
            Form::Link => {
                let target = String::from_utf8_lossy(bytes);
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                match crate::model::source::join(folder, &target) {
                    Some(_) => self.temporary.link(&inside, &target),
                    None => Ok(()),
                }
            }
            _ => {
                self.temporary.write(&inside, bytes)?;
                if form == Form::Executable {
                    self.temporary.executable(&inside);
                }
                Ok(())
            }
        }
    }

    /// Writes files over those of the copy until [`PrivateCopy::restore`].
    pub fn change(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
        for (path, bytes) in files {
            self.written.borrow_mut().entry(path.clone()).or_insert_with(|| self.read(path));
            self.temporary.write(&format!("tree/{path}"), bytes)?;
        }
        Ok(())
    }

    /// Notes that a file may be changed by a tool.
    pub fn lend(&self, path: &str) {
        self.written.borrow_mut().entry(path.to_string()).or_insert_with(|| self.read(path));
    }

    /// Puts back what was there before.
    pub fn restore(&self) -> Result<(), Failure> {
        for (path, bytes) in std::mem::take(&mut *self.written.borrow_mut()) {
            self.temporary.write(&format!("tree/{path}"), &bytes.unwrap_or_default())?;
        }
        Ok(())
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// An empty home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.temporary.read(&format!("tree/{path}"))
    }

    /// Writes a file beside the tree, for the tool to read, and gives its path.
    pub fn aside(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        self.temporary.write(&format!("aside/{name}"), text.as_bytes())?;
        Ok(self.temporary.path().join("aside").join(name))
    }
}
