//! From a path on the command line to the sources of its project. Knows no format: it asks which files are wanted.
#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the disk")]

use crate::model::source::Sources;
use crate::model::span::{Location, Span};
use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

/// Files above this size are not read: the largest real lock file met has 8 MiB.
pub const MAX_BYTES: u64 = 48 << 20;

/// Folders that hold installed packages or build output, whatever the ignore files say.
pub const SKIPPED_FOLDERS: &[&str] =
    &[".git", ".hg", ".svn", ".jj", "node_modules", ".venv", ".tox", ".nox", "__pycache__"];

/// A place to check: a project root and the part of it that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The folder that paths are relative to.
    pub folder: PathBuf,
    /// Paths inside it (with `/`) that findings are limited to; empty means all.
    pub scope: Vec<String>,
    /// Whether files, not folders, were named: then nothing is said about the repository as a whole.
    pub files_named: bool,
}

impl Root {
    /// Whether a path was asked for, by itself or by a folder above it.
    pub fn asks_for(&self, path: &str) -> bool {
        self.scope.is_empty() || self.scope.iter().any(|part| is_below(path, part))
    }
}

/// Whether `path` is `folder` or lies in it.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The texts.
    pub sources: Sources,
    /// Files that are there and could not be read, and why.
    pub unreadable: Vec<(Location, String)>,
    /// How many files the walk saw.
    pub seen: usize,
}

/// Finds the project roots of paths, joining those of one root.
pub fn roots(paths: &[PathBuf]) -> io::Result<Vec<Root>> {
    let mut roots: Vec<Root> = Vec::new();
    for path in paths {
        let full = fs::canonicalize(path).map_err(|error| named(path, &error))?;
        let folder = root_of(&full);
        let part = relative(&folder, &full);
        let is_file = full.is_file();
        let scope = if part.is_empty() { Vec::new() } else { vec![part] };
        match roots.iter_mut().find(|root| root.folder == folder) {
            Some(root) => {
                let whole = root.scope.is_empty() || scope.is_empty();
                root.scope.extend(scope);
                if whole {
                    root.scope.clear();
                }
                root.files_named &= is_file;
            }
            None => roots.push(Root { folder, scope, files_named: is_file }),
        }
    }
    Ok(roots)
}

/// The root of a file that is given by another way than the disk; the file itself need not be there, its folder has to.
pub fn root_of_given(path: &Path) -> io::Result<Root> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above = fs::canonicalize(folder).map_err(|error| named(path, &error))?;
    let full = above.join(path.file_name().unwrap_or_default());
    let folder = root_of(&above);
    let scope = vec![relative(&folder, &full)];
    Ok(Root { folder, scope, files_named: true })
}

/// Standard input as text.
pub fn read_input() -> io::Result<String> {
    let mut text = String::new();
    io::Read::read_to_string(&mut io::Read::take(io::stdin(), MAX_BYTES), &mut text)?;
    Ok(text)
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The nearest folder with `.git`, else the nearest with `pinguard.toml`, else the folder itself.
fn root_of(full: &Path) -> PathBuf {
    let start = if full.is_dir() { full } else { full.parent().unwrap_or(full) };
    let holding = |name: &str| start.ancestors().find(|folder| folder.join(name).exists());
    holding(".git").or_else(|| holding("pinguard.toml")).unwrap_or(start).to_path_buf()
}

fn relative(folder: &Path, full: &Path) -> String {
    // Most paths are text with `/` already, and this is asked for every file of a tree.
    if let (true, Some(folder), Some(full)) = (cfg!(unix), folder.to_str(), full.to_str())
        && let Some(rest) = full.strip_prefix(folder)
    {
        return rest.trim_start_matches('/').to_string();
    }
    let rest = full.strip_prefix(folder).unwrap_or(full);
    let mut path = String::with_capacity(rest.as_os_str().len());
    for part in rest.components() {
        if let Component::Normal(name) = part {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&name.to_string_lossy());
        }
    }
    path
}

/// What the caller thinks of paths (relative to the root, with `/`).
pub trait Wanted: Sync {
    /// Whether the file is worth opening.
    fn wants(&self, path: &str) -> bool;
    /// Whether the folder or file is left out by configuration.
    fn excludes(&self, path: &str) -> bool;
    /// Whether a file that cannot be read is one of those: by its name, and by what is left of its text when bytes that are no text are
    /// left out. Most files that only may be of a format are none (programs in `bin/`, texts of other times), and nobody misses them.
    fn misses(&self, path: &str, text: Option<&str>) -> bool;
}

/// Reads every wanted file of a root. Ignore files are respected; links are followed only inside of the tree.
pub fn discover(root: &Root, wanted: &dyn Wanted) -> Discovered {
    let (mut found, seen) = walk(root, wanted);
    found.sort_unstable();
    let readings: Vec<Reading> = found.par_iter().map(|found| read(&root.folder, found)).collect();
    let mut discovered = Discovered { seen, ..Discovered::default() };
    let mut links = Vec::new();
    for (found, reading) in found.into_iter().zip(readings) {
        match reading {
            Reading::Link(target) => links.push((found.path, target)),
            reading => discovered.take(found.path, reading, wanted),
        }
    }
    for (path, target) in links {
        match discovered.sources.find(&target).map(|source| source.id) {
            Some(id) => discovered.sources.alias(path, id),
            None => discovered.take(path, read_text(&root.folder.join(target)), wanted),
        }
    }
    discovered
}

impl Discovered {
    fn take(&mut self, path: String, reading: Reading, wanted: &dyn Wanted) {
        match reading {
            Reading::Text(text) => {
                self.sources.add(path, text);
            }
            Reading::Broken { rest, .. } if !wanted.misses(&path, rest.as_deref()) => {}
            Reading::Broken { text, why, .. } => {
                let end = text.len();
                let id = self.sources.add(path, text);
                self.unreadable.push((Location::new(id, Span::empty(end)), why));
            }
            Reading::Link(_) | Reading::Gone => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    path: String,
    is_link: bool,
}

fn walk(root: &Root, wanted: &dyn Wanted) -> (Vec<Found>, usize) {
    let found = Mutex::new((Vec::new(), 0_usize));
    let mut builder = WalkBuilder::new(&root.folder);
    builder.hidden(false).require_git(false).follow_links(false).threads(rayon::current_num_threads().min(8));
    builder.filter_entry(|entry| entry.depth() == 0 || !is_skipped(entry));
    builder.build_parallel().run(|| {
        let mut batch = Batch { list: Vec::new(), seen: 0, into: &found };
        Box::new(move |entry| match entry {
            Ok(entry) if entry.depth() > 0 => batch.look_at(&entry, root, wanted),
            _ => WalkState::Continue,
        })
    });
    found.into_inner().unwrap_or_default()
}

/// What one walker thread found; handed over when the thread ends.
struct Batch<'f> {
    list: Vec<Found>,
    seen: usize,
    into: &'f Mutex<(Vec<Found>, usize)>,
}

impl Batch<'_> {
    fn look_at(&mut self, entry: &DirEntry, root: &Root, wanted: &dyn Wanted) -> WalkState {
        let path = relative(&root.folder, entry.path());
        // What was asked for by name is read even where configuration leaves it out.
        let asked = || root.scope.iter().any(|part| is_below(&path, part) || is_below(part, &path));
        if wanted.excludes(&path) && !asked() {
            return WalkState::Skip;
        }
        if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
            self.seen += 1;
            let is_link = entry.file_type().is_some_and(|kind| kind.is_symlink());
            // Opening a pipe would wait for its writer for ever.
            let can_be_read = is_link || entry.file_type().is_some_and(|kind| kind.is_file());
            if can_be_read && wanted.wants(&path) {
                self.list.push(Found { path, is_link });
            }
        }
        WalkState::Continue
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if let Ok(mut into) = self.into.lock() {
            into.0.append(&mut self.list);
            into.1 += self.seen;
        }
    }
}

fn is_skipped(entry: &DirEntry) -> bool {
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    is_dir && entry.file_name().to_str().is_some_and(|name| SKIPPED_FOLDERS.contains(&name))
}

enum Reading {
    Text(String),
    /// What of it is text, why the rest is not, and the whole with a mark for what is none, where it could be opened.
    Broken {
        text: String,
        why: String,
        rest: Option<String>,
    },
    /// A link to this path inside the tree.
    Link(String),
    /// Not a file after all (a link to a folder, a socket, removed meanwhile).
    Gone,
}

fn broken(why: impl Into<String>) -> Reading {
    Reading::Broken { text: String::new(), why: why.into(), rest: None }
}

fn read(folder: &Path, found: &Found) -> Reading {
    let path = folder.join(&found.path);
    if !found.is_link {
        return read_text(&path);
    }
    let Ok(target) = fs::canonicalize(&path) else {
        return broken("this is a symbolic link that leads nowhere or in a circle; remove it or mend its target");
    };
    if !target.starts_with(folder) {
        return broken("this is a symbolic link out of the repository and was not followed; keep the file itself here");
    }
    if target.is_file() { Reading::Link(relative(folder, &target)) } else { Reading::Gone }
}

fn read_text(path: &Path) -> Reading {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Reading::Gone,
        Err(error) => return broken(format!("this cannot be opened: {}", error.kind())),
    };
    let Ok(meta) = file.metadata() else { return Reading::Gone };
    if !meta.is_file() {
        return Reading::Gone;
    }
    if meta.len() > MAX_BYTES {
        let (size, limit) = (meta.len() >> 20, MAX_BYTES >> 20);
        return broken(format!("this has {size} MiB and was not read; the limit is {limit} MiB"));
    }
    // Files that tell no length (those of the kernel) are read to their end; all others are taken at their word, without asking for more.
    let limit = if meta.len() == 0 { MAX_BYTES } else { meta.len() };
    let mut bytes = Vec::with_capacity(meta.len() as usize);
    match io::Read::read_to_end(&mut io::Read::take(file, limit), &mut bytes) {
        Ok(_) => decode(bytes),
        Err(error) => broken(format!("this cannot be read: {}", error.kind())),
    }
}

/// Bytes that do not come from the disk, as a source would be read: what of them is text, and why the rest is not.
pub fn text_of(bytes: Vec<u8>) -> (String, Option<String>) {
    match decode(bytes) {
        Reading::Broken { text, why, .. } => (text, Some(why)),
        Reading::Text(text) => (text, None),
        Reading::Link(_) | Reading::Gone => (String::new(), None),
    }
}

/// What git-crypt writes before a file that it encrypted: such a file is not to be read.
const ENCRYPTED: &[u8] = b"\0GITCRYPT\0";

fn decode(bytes: Vec<u8>) -> Reading {
    if bytes.starts_with(ENCRYPTED) {
        return Reading::Gone;
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let unit = if bytes[0] == 0xff { u16::from_le_bytes } else { u16::from_be_bytes };
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        let why = "this is UTF-16; save it as UTF-8".to_string();
        return Reading::Broken { text: String::new(), why, rest: Some(String::from_utf16_lossy(&units)) };
    }
    match String::from_utf8(bytes) {
        Ok(text) => Reading::Text(text),
        Err(error) => {
            let upto = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            let bad = bytes.get(upto).copied().unwrap_or_default();
            let rest = Some(String::from_utf8_lossy(&bytes).into_owned());
            bytes.truncate(upto);
            let text = String::from_utf8(bytes).unwrap_or_default();
            let why = format!("this is not UTF-8: byte 0x{bad:02x} is not text here; save it as UTF-8");
            Reading::Broken { text, why, rest }
        }
    }
}

/// Reads one file that the user named (a configuration, a baseline).
pub fn read_named(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| named(path, &error))
}

/// Writes a file as a whole: first beside it, then renamed, so that nothing is ever half written.
pub fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.pinguard-{}", std::process::id()));
    let done = fs::write(&beside, text).and_then(|()| {
        if let Ok(meta) = fs::metadata(path) {
            fs::set_permissions(&beside, meta.permissions())?;
        }
        fs::rename(&beside, path)
    });
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done.map_err(|error| named(path, &error))
}

/// The file itself behind a path: links are followed.
pub fn resolved(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path).map_err(|error| named(path, &error))
}

/// Whether something is there.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Reads one file that an input names, as bytes.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| named(path, &error))
}
