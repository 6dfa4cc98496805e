//! Whether an image build brings a lock to the command that installs by it: copies, mounts, and what `.dockerignore` leaves out.
//! Does not know which tool installs.

use crate::model::container::{ContainerBuild, Instruction};
use crate::model::project::{LockInImage, Project};
use crate::model::script::Deed;
use crate::model::source::{Source, join};
use crate::model::span::Location;

/// An instruction of a build: where a command of it stands.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'p> {
    /// The build.
    pub build: &'p ContainerBuild,
    /// The number of its stage.
    pub stage: usize,
    /// The number of the instruction in the stage.
    pub index: usize,
}

impl<'p> Layer<'p> {
    /// What happened before the command: the stages that this one builds on, then its own instructions.
    fn before(self) -> Vec<&'p Instruction> {
        let mut stages = vec![self.stage];
        // A stage builds on an earlier one, so this ends.
        while let Some(parent) = self.build.stages[stages[stages.len() - 1]].parent {
            stages.push(parent);
        }
        let upto = |stage: usize| if stage == self.stage { self.index } else { usize::MAX };
        let instructions = |stage: usize| self.build.stages[stage].instructions.iter().take(upto(stage));
        stages.into_iter().rev().flat_map(instructions).collect()
    }
}

/// How a build treats `lock`, the lock of `manifest`, for a command in `layer`. Paths are those of the repository.
///
/// Only what is plain counts: the manifest is seen to be copied, and nothing else could have brought the lock.
pub fn lock_in_image(project: &Project, layer: Layer, manifest: &str, lock: &str) -> LockInImage {
    let before = layer.before();
    let here = layer.build.stages[layer.stage].instructions.get(layer.index);
    if before.iter().any(|instruction| brings_unseen(instruction)) || mounts(here, lock) {
        return LockInImage::Unknown;
    }
    let file = project.source(layer.build.at.source);
    let mut found = LockInImage::Unknown;
    for context in folders_up(file.folder()) {
        let (Some(manifest), Some(lock)) = (below(manifest, context), below(lock, context)) else { continue };
        let left_out = |path: &str| left_out(project, file, context, path);
        if left_out(manifest).is_some() || !before.iter().any(|instruction| copies(instruction, manifest)) {
            continue;
        }
        match (before.iter().any(|instruction| copies(instruction, lock)), left_out(lock)) {
            (true, None) => return LockInImage::Unknown,
            (true, Some(pattern)) => found = LockInImage::Ignored(pattern),
            (false, _) if found == LockInImage::Unknown => found = LockInImage::Never,
            (false, _) => {}
        }
    }
    found
}

/// Whether an instruction can bring files of which nothing is known: a copy from elsewhere that is no plain program, a clone.
fn brings_unseen(instruction: &Instruction) -> bool {
    match instruction {
        Instruction::Copy { from, foreign: true, .. } => from.iter().any(|path| !is_program(&path.text)),
        Instruction::Copy { from, .. } => from.iter().any(|path| path.text.contains("://") || path.text.contains('$')),
        Instruction::Run { script, .. } => {
            script.commands.iter().flat_map(|command| &command.deeds).any(|deed| matches!(deed, Deed::Clone(_)))
        }
        _ => false,
    }
}

/// Whether a path of another image is one of its programs or libraries: no project stands there.
fn is_program(path: &str) -> bool {
    let folders = ["/usr/", "/bin/", "/sbin/", "/lib", "/root/.", "/opt/", "/etc/"];
    matches!(path, "/uv" | "/uvx") || folders.iter().any(|folder| path.starts_with(folder))
}

/// `RUN --mount=type=bind,source=uv.lock,target=uv.lock`, or a mount of a folder: nobody looks into those.
fn mounts(instruction: Option<&Instruction>, lock: &str) -> bool {
    let Some(Instruction::Run { mounts, .. }) = instruction else { return false };
    let name = lock.rsplit('/').next().unwrap_or(lock);
    mounts.iter().filter(|mount| mount.text.contains("bind") || !mount.text.contains("type=")).any(|mount| {
        let source = mount.text.split(',').find_map(|part| part.strip_prefix("source=").or(part.strip_prefix("src=")));
        // A mount of a single file is that file and no other.
        source.is_none_or(|source| source.ends_with(name) || !source.rsplit('/').next().unwrap_or("").contains('.'))
            || source == Some(".")
    })
}

/// Whether a copy from the context covers a path: by name, by a folder above it, by a pattern.
fn copies(instruction: &Instruction, path: &str) -> bool {
    let Instruction::Copy { from, foreign: false, .. } = instruction else { return false };
    from.iter().any(|from| {
        let from = from.text.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
        from.is_empty() || from == "." || covers(from, path)
    })
}

/// The last pattern that leaves a path out, unless a later one brings it back.
fn left_out(project: &Project, file: &Source, context: &str, path: &str) -> Option<Location> {
    // A list for one Dockerfile takes the place of the one for all.
    let own = project.sources.find(&format!("{}.dockerignore", file.path));
    let list = own.or_else(|| project.sources.find_from(context, ".dockerignore"))?;
    let mut found = None;
    for (pattern, at) in &project.facts_of(list.id).unseen {
        let (pattern, back) = pattern.strip_prefix('!').map_or((pattern.as_str(), false), |rest| (rest, true));
        let pattern = pattern.trim().trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
        if pattern == "." || covers(pattern, path) {
            found = (!back).then_some(*at);
        }
    }
    found
}

/// Whether a pattern of Docker names a path or a folder above it.
fn covers(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let parts: Vec<&str> = path.split('/').collect();
    (1..=parts.len()).any(|len| fits(&pattern, &parts[..len]))
}

/// Part by part; `**` stands for any number of parts.
fn fits(pattern: &[&str], parts: &[&str]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, None) => true,
        // More of these than a path has parts say nothing more.
        (Some((&"**", rest)), _) => (0..=parts.len()).any(|skip| fits(rest, &parts[skip..])),
        (Some((first, rest)), Some((part, others))) => part_fits(first, part) && fits(rest, others),
        _ => false,
    }
}

/// `*` and `?` inside of one part; a character class counts as any one character.
fn part_fits(pattern: &str, part: &str) -> bool {
    let mut plain = pattern.replace('?', "*");
    while let Some((start, len)) = plain.find('[').and_then(|start| Some((start, plain[start..].find(']')?))) {
        plain.replace_range(start..=start + len, "*");
    }
    crate::model::policy::matches(&plain, part)
}

/// A path as seen from a folder above it.
fn below<'t>(path: &'t str, folder: &str) -> Option<&'t str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

/// A folder and every folder above it, up to the root (the empty path).
pub fn folders_up(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| {
        if folder.is_empty() { None } else { Some(folder.rsplit_once('/').map_or("", |(above, _)| above)) }
    })
}

/// A path inside an image, traced back through the build's copies to a file of the repository.
pub fn resolve_copied(project: &Project, path: &str, build: &ContainerBuild) -> Option<crate::model::span::SourceId> {
    let sources = &project.sources;
    let folder = sources.get(build.at.source).folder();
    let contexts: Vec<&str> = folders_up(folder).collect();
    let name = path.rsplit('/').next().unwrap_or(path);
    let copies = build.stages.iter().flat_map(|stage| &stage.instructions).filter_map(|i| match i {
        Instruction::Copy { from, foreign: false, .. } => Some(from),
        _ => None,
    });
    let mut whole_tree = false;
    for from in copies.flatten() {
        let from = from.text.trim_start_matches('/');
        whole_tree |= from == "." || from == "./" || from == "*";
        for context in &contexts {
            let direct = (from.rsplit('/').next() == Some(name)).then(|| sources.find_from(context, from)).flatten();
            let below = || sources.find_from(&join(context, from)?, path.trim_start_matches('/'));
            let named = || sources.find_from(&join(context, from)?, name);
            if let Some(found) = direct.or_else(below).or_else(named) {
                return Some(found.id);
            }
        }
    }
    let stripped = path.trim_start_matches('/');
    let tails = || std::iter::successors(Some(stripped), |tail| tail.split_once('/').map(|(_, rest)| rest));
    let contexts = if whole_tree { contexts } else { vec![folder] };
    contexts.iter().find_map(|context| tails().find_map(|tail| sources.find_from(context, tail))).map(|s| s.id)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn patterns_of_docker_name_files_and_folders() {
        for (pattern, path) in [
            ("*", "a/b"),
            ("*.lock", "uv.lock"),
            ("**/*.lock", "a/b/uv.lock"),
            ("**/uv.lock", "uv.lock"),
            ("uv.lock*", "uv.lock"),
            ("a", "a/b/c"),
            ("uv.loc[k]", "uv.lock"),
            ("pyproject.toml", "pyproject.toml"),
        ] {
            assert!(covers(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [("*.lock", "a/uv.lock"), ("lock", "uv.lock"), ("a/b", "a"), ("src", "srcs/x")] {
            assert!(!covers(pattern, path), "{pattern} {path}");
        }
    }
}
