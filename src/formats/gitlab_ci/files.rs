//! The files of one pipeline: the first and those of this repository that it includes.

use crate::model::policy;
use crate::model::source::{Source, Sources};
use crate::syntax::tree::{Node, Tree};
use crate::syntax::yaml;
use std::collections::HashSet;

/// How many files GitLab itself includes at most, by default.
const MAX_FILES: usize = 150;

/// A file of the pipeline.
pub struct File<'s> {
    pub source: &'s Source,
    pub tree: Tree<'s>,
}

/// The files of a pipeline, most important first: a file goes before what it includes, a later include before an earlier one.
pub fn load<'s>(first: &'s Source, sources: &'s Sources) -> Vec<File<'s>> {
    let mut files: Vec<File<'s>> = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![first];
    while let Some(source) = waiting.pop() {
        if files.len() >= MAX_FILES || !seen.insert(source.id) {
            continue;
        }
        let tree = yaml::parse(source.id, &source.text);
        for include in tree.roots().flat_map(includes) {
            let found = local(include).into_iter().flat_map(|path| find(path, source, sources));
            waiting.extend(found);
        }
        files.push(File { source, tree });
    }
    files
}

/// Whether the pipeline of the root, or of a folder above, includes this file: then it holds what stands here.
pub fn is_included(source: &Source, sources: &Sources) -> bool {
    let folders = std::iter::successors(Some(source.folder()), |folder| {
        (!folder.is_empty()).then(|| folder.rsplit_once('/').map_or("", |(above, _)| above))
    });
    let names = [".gitlab-ci.yml", ".gitlab-ci.yaml"];
    let roots = folders.flat_map(|folder| names.map(|name| sources.find_from(folder, name)));
    let mut waiting: Vec<&Source> = roots.flatten().filter(|root| root.id != source.id).collect();
    let mut seen = HashSet::new();
    while let Some(next) = waiting.pop() {
        if !seen.insert(next.id) || seen.len() > MAX_FILES {
            continue;
        }
        // Every included file asks this, so the whole text is not parsed again: the includes are enough.
        let tree = yaml::parse(next.id, include_part(&next.text));
        let paths = tree.roots().flat_map(includes).filter_map(local);
        let found: Vec<&Source> = paths.flat_map(|path| find(path, next, sources)).collect();
        if found.iter().any(|found| found.id == source.id) {
            return true;
        }
        waiting.extend(found);
    }
    false
}

/// The lines of the key `include` at the top.
fn include_part(text: &str) -> &str {
    let starts = |line: &str| line.starts_with("include:") || line.starts_with("\"include\"") || line.starts_with("'include'");
    let (mut start, mut end) = (None, 0);
    for line in text.split_inclusive('\n') {
        if start.is_some() && line.starts_with(|c: char| !c.is_whitespace() && c != '-' && c != '#') {
            break;
        }
        if start.is_none() && starts(line.trim_start_matches('\u{feff}')) {
            start = Some(end);
        }
        end += line.len();
    }
    start.map_or("", |start| &text[start..end])
}

/// The entries of `include`: a text, a mapping, or a list of both.
pub fn includes(root: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    root.get("include").into_iter().flat_map(|node| node.is_map().then_some(node).into_iter().chain(node.list()))
}

/// The path of an include of this repository.
pub fn local(include: Node<'_>) -> Option<&str> {
    let path = include.str().or_else(|| include.get("local")?.str())?;
    (!path.contains("://")).then_some(path)
}

/// The sources that a local path names: seen from the repository, with `*` and `**`.
pub fn find<'s>(path: &str, from: &Source, sources: &'s Sources) -> Vec<&'s Source> {
    let path = path.trim_start_matches('/');
    if path.contains('*') {
        return sources.iter().filter(|source| policy::matches(path, &source.path)).collect();
    }
    let found = sources.find_from("", path).or_else(|| sources.find_from(base(from), path));
    found.into_iter().collect()
}

/// The folder of the repository when it is not the project's root: above `.gitlab`, else the file's own.
fn base(from: &Source) -> &str {
    let folder = from.folder();
    folder.find(".gitlab").map_or(folder, |at| folder[..at].trim_end_matches('/'))
}
