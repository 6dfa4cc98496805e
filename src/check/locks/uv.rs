//! `uv.lock`: fresh when what it recorded of every project is what their manifests state now, as `uv lock --check` decides.
//!
//! Source: uv's `ValidatedLock::validate` and `Lock::satisfies`. Indexes and settings of a person's machine are not seen.

mod record;
mod settings;
mod workspace;

use super::marker::{Marker, of_python};
use super::stated::{List, Manifest, extras};
use super::{orphan, reason};
use crate::ecosystems::pypi;
use crate::model::lock::{Lock, Reason, StatedProject, StatedRequirement, Verdict};
use crate::model::project::{LockState, Project};
use crate::model::source::{Source, join};
use crate::syntax::toml;
use crate::syntax::tree::{Node, Tree};
use record::flattened;
pub use workspace::members;
use workspace::outer;

/// How a uv lock stands to its manifests.
pub fn state(project: &Project, lock: &Lock) -> LockState {
    let source = project.source(lock.at.source);
    let script = source.file_name() != "uv.lock";
    let name = if script { source.file_name().trim_end_matches(".lock") } else { "pyproject.toml" };
    let Some(manifest) = super::from(project, source, name) else { return orphan(lock, name) };
    if let Some(outer) = outer(project, manifest).filter(|_| !script) {
        let why = format!(
            "uv does not use it: its folder is a member of the workspace of `{}`, whose lock counts",
            outer.path
        );
        let verdict = Verdict::Undecided(vec![reason(why)]);
        return LockState { lock: source.id, manifest: Some(manifest.id), verdict, strays: Vec::new() };
    }
    let text = if script { script_block(&manifest.text) } else { manifest.text.clone() };
    let tree = toml::parse(manifest.id, &text);
    let verdict = match tree.root().filter(|_| tree.problems.is_empty()) {
        Some(root) => Check::new(project, lock, source, root, script).verdict(),
        None => Verdict::Undecided(vec![reason(format!("`{name}` cannot be read"))]),
    };
    LockState { lock: source.id, manifest: Some(manifest.id), verdict, strays: Vec::new() }
}

/// The inline metadata of a script (PEP 723), its comment marks replaced so that nothing moves.
fn script_block(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for line in text.lines() {
        match (inside, line.trim_end()) {
            (false, "# /// script") => inside = true,
            (true, "# ///") => break,
            (true, line) => {
                out.push_str(line.strip_prefix("# ").or_else(|| line.strip_prefix('#')).unwrap_or(line));
                out.push('\n');
            }
            _ => {}
        }
    }
    out
}

struct Check<'a> {
    project: &'a Project,
    lock: &'a Lock,
    folder: &'a str,
    root: Node<'a>,
    script: bool,
    within: Marker,
    /// Folders of members, from the root of the project.
    members: Vec<String>,
    stale: Vec<Reason>,
    open: Vec<Reason>,
}

impl<'a> Check<'a> {
    fn new(project: &'a Project, lock: &'a Lock, source: &'a Source, root: Node<'a>, script: bool) -> Check<'a> {
        let folder = source.folder();
        let within = of_python(lock.statement.requires_python.as_deref().unwrap_or(""));
        let mut check = Check {
            project,
            lock,
            folder,
            root,
            script,
            within,
            members: Vec::new(),
            stale: Vec::new(),
            open: Vec::new(),
        };
        check.members = check.member_sources().iter().map(|source| source.folder().to_string()).collect();
        check
    }

    fn verdict(mut self) -> Verdict {
        self.lists();
        self.options();
        if self.script {
            self.python(vec![self.root.get("requires-python")]);
        } else {
            self.membership();
            self.projects();
        }
        match (self.stale.is_empty(), self.open.is_empty()) {
            (false, _) => Verdict::Stale(self.stale),
            (true, true) => Verdict::Fresh,
            (true, false) => Verdict::Undecided(self.open),
        }
    }

    fn manifest(&self) -> Manifest<'_> {
        let (node, folder) = (self.root, self.folder);
        Manifest { node, folder, root: node, root_folder: folder, members: &self.members }
    }

    /// The root's manifest, when it has a project, and those of the members.
    fn member_sources(&self) -> Vec<&'a Source> {
        let own = join(self.folder, "pyproject.toml").and_then(|path| self.project.sources.find(&path));
        let own = own.filter(|_| self.root.get("project").is_some() && !self.script);
        let workspace = self.root.path(&["tool", "uv", "workspace"]);
        let texts = |key: &str| -> Vec<&str> {
            let list = workspace.and_then(|table| table.get(key));
            list.into_iter().flat_map(|list| list.items()).filter_map(Node::str).collect()
        };
        let members = members(self.project, self.folder, &texts("members"), &texts("exclude"));
        own.into_iter().chain(members.into_iter().map(|(_, source)| source)).collect()
    }

    fn membership(&mut self) {
        let mut names = Vec::new();
        let mut pythons = Vec::new();
        let trees: Vec<(&Source, Tree)> =
            self.member_sources().into_iter().map(|source| (source, toml::parse(source.id, &source.text))).collect();
        for (source, tree) in &trees {
            let Some(root) = tree.root() else { continue };
            if root.path(&["tool", "uv", "managed"]).and_then(Node::bool) == Some(false) {
                continue;
            }
            let name = root.path(&["project", "name"]).and_then(Node::str).map(pypi::normalize);
            names.extend(name.map(|name| (name, *source)));
            pythons.push(root.path(&["project", "requires-python"]));
        }
        self.python(pythons);
        let alone = names.len() == 1 && self.root.get("project").is_some();
        let recorded = &self.lock.statement.members;
        if alone && recorded.is_empty() {
            return;
        }
        for (name, source) in &names {
            if !recorded.contains(name) {
                let text = format!("`{name}` is a member of the workspace and was none when it was locked");
                self.stale.push(Reason { text, at: Some(source.top()) });
            }
        }
        for name in recorded.iter().filter(|name| !names.iter().any(|(known, _)| known == *name)) {
            self.stale
                .push(reason(format!("`{name}` was a member of the workspace when it was locked and is none now")));
        }
    }

    /// The range of Python versions is that of all members together.
    fn python(&mut self, written: Vec<Option<Node>>) {
        let Some(was) = self.lock.statement.requires_python.as_deref() else { return };
        let always = Marker::read("");
        let all = written
            .iter()
            .flatten()
            .filter_map(|node| node.str())
            .fold(always.clone(), |all, one| all.and(&of_python(one)));
        let at = written.iter().flatten().last().map(|node| node.at());
        // Without one uv takes the interpreter that it runs on.
        if at.is_some() && !all.equals(&of_python(was), &always) {
            let text = format!("`requires-python` differs from `{was}`, for which it was locked");
            self.stale.push(Reason { text, at });
        }
    }

    /// Constraints, overrides and the like of the root, and requirements that are no project's.
    fn lists(&mut self) {
        let keys = [
            ("constraints", "constraint-dependencies"),
            ("overrides", "override-dependencies"),
            ("build-constraints", "build-constraint-dependencies"),
        ];
        for (recorded, key) in keys {
            let list = self.root.path(&["tool", "uv", key]);
            // An override can also be a table that speaks of one package.
            if list.is_some_and(|list| list.items().any(Node::is_map)) {
                continue;
            }
            let wanted = self.manifest().list(list, List::Main);
            self.compare(&wanted, &self.list(recorded), &format!("`{key}`"));
        }
        if self.script {
            let wanted = self.manifest().list(self.root.get("dependencies"), List::Main);
            return self.compare(&wanted, &self.list("requirements"), "the script");
        }
        if self.root.get("project").is_none() {
            for (group, wanted) in self.manifest().groups() {
                self.compare(
                    &wanted,
                    &self.list(&format!("dependency-groups.{group}")),
                    &format!("the group `{group}`"),
                );
            }
            self.root_defaults();
            let known: Vec<String> = self.manifest().groups().into_iter().map(|(name, _)| name).collect();
            let gone = self.lock.statement.lists.iter().filter_map(|(key, _)| key.strip_prefix("dependency-groups."));
            let gone: Vec<Reason> = gone
                .filter(|name| !known.iter().any(|k| k == name))
                .map(|name| reason(format!("the group `{name}` was removed")))
                .collect();
            self.stale.extend(gone);
        }
    }

    fn list(&self, name: &str) -> Vec<StatedRequirement> {
        let list = self.lock.statement.lists.iter().find(|(key, _)| key == name);
        list.map_or(Vec::new(), |(_, list)| list.clone())
    }

    pub(super) fn setting(&self, name: &str) -> Option<&'a str> {
        self.lock.statement.settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn projects(&mut self) {
        let lock = self.lock;
        for stated in &lock.statement.projects {
            let Some(path) = join(self.folder, &stated.path).and_then(|folder| join(&folder, "pyproject.toml")) else {
                continue;
            };
            // Other kinds of manifests, and projects outside of the tree, cannot be seen.
            let Some(source) = self.project.sources.find(&path) else { continue };
            let tree = toml::parse(source.id, &source.text);
            if let Some(node) = tree.root().filter(|node| tree.problems.is_empty() && node.get("project").is_some()) {
                self.one(stated, node, source);
            }
        }
        for source in self.member_sources() {
            let tree = toml::parse(source.id, &source.text);
            let Some(name) = tree.root().and_then(|root| root.path(&["project", "name"])).and_then(Node::text) else {
                continue;
            };
            let known = lock.statement.projects.iter().any(|stated| stated.name == pypi::normalize(&name.text));
            if !known {
                let text = format!("the project `{}` is not in the lock", name.text);
                self.stale.push(Reason { text, at: Some(name.at) });
            }
        }
    }

    fn one(&mut self, stated: &StatedProject, node: Node, source: &Source) {
        let project = node.get("project");
        let dynamic: Vec<&str> = project
            .and_then(|table| table.get("dynamic"))
            .into_iter()
            .flat_map(|list| list.items())
            .filter_map(Node::str)
            .collect();
        let is_member = self.members.iter().any(|folder| folder == source.folder());
        self.version(stated, project, &dynamic);
        if is_member {
            self.link(stated, node, source);
        }
        let members = self.members.clone();
        let root = if is_member { self.root } else { node };
        let root_folder = if is_member { self.folder } else { source.folder() };
        let manifest = Manifest { node, folder: source.folder(), root, root_folder, members: &members };
        let unseen = dynamic.iter().find(|key| matches!(**key, "dependencies" | "optional-dependencies"));
        match unseen {
            Some(key) => {
                let text = format!("the `{key}` of `{}` are dynamic: its build makes them", stated.name);
                self.open.push(Reason { text, at: project.map(Node::at) });
            }
            None => self.requires(stated, manifest, &dynamic),
        }
        self.groups(stated, manifest);
        self.defaults(stated, manifest);
    }

    fn version(&mut self, stated: &StatedProject, project: Option<Node>, dynamic: &[&str]) {
        let written = project.and_then(|table| table.get("version"));
        let at = written.map(Node::at);
        let mut differs = |text: String| self.stale.push(Reason { text, at });
        match (written.and_then(Node::str), &stated.version) {
            (Some(new), Some(old)) if new != old && pypi::satisfies(&format!("=={old}"), new) != Some(true) => {
                differs(format!("the version of `{}` is {new} and was {old} when it was locked", stated.name));
            }
            (None, Some(_)) if dynamic.contains(&"version") => {
                differs(format!("the version of `{}` is dynamic and was not when it was locked", stated.name));
            }
            (Some(_), None) => differs(format!("the version of `{}` was dynamic when it was locked", stated.name)),
            _ => {}
        }
    }

    /// A project without a build system is virtual, unless it says otherwise or another member needs it.
    fn link(&mut self, stated: &StatedProject, node: Node, source: &Source) {
        let says = node.path(&["tool", "uv", "package"]);
        let package = match says.and_then(Node::bool) {
            Some(package) => package,
            None if node.get("build-system").is_some() => true,
            // A member that another one needs is built by uv's default build system.
            None if self.is_needed(&stated.name) => return,
            None => false,
        };
        let was = stated.link != "virtual";
        if package != was {
            let (now, then) = if package { ("a package", "none") } else { ("no package", "one") };
            let text = format!("`{}` is {now} and was {then} when it was locked", stated.name);
            self.stale.push(Reason { text, at: Some(says.map_or(source.top(), Node::at)) });
        }
    }

    /// Whether a member names this project as a source in the workspace.
    fn is_needed(&self, name: &str) -> bool {
        self.member_sources().iter().any(|source| {
            let tree = toml::parse(source.id, &source.text);
            let table = tree.root().and_then(|root| root.path(&["tool", "uv", "sources"]));
            table.into_iter().flat_map(|table| table.entries()).any(|(key, value)| {
                let tables = value.is_map().then_some(value).into_iter().chain(value.items());
                key.str().map(pypi::normalize).as_deref() == Some(name)
                    && tables.into_iter().any(|table| table.get("workspace").and_then(Node::bool) == Some(true))
            })
        })
    }

    /// From revision 5 on uv records the default groups that are not its own default, which is `dev`.
    fn defaults(&mut self, stated: &StatedProject, manifest: Manifest) {
        self.compare_defaults(manifest.uv("default-groups"), stated.defaults.as_deref(), &stated.name);
    }

    /// A root without a project has its default groups beside its constraints.
    fn root_defaults(&mut self) {
        self.compare_defaults(
            self.root.path(&["tool", "uv", "default-groups"]),
            self.setting("default-groups"),
            "the root",
        );
    }

    fn compare_defaults(&mut self, node: Option<Node>, was: Option<&str>, what: &str) {
        let written = node.map(|node| match node.str() {
            Some(word) => word.to_string(),
            None => {
                let names: Vec<String> = node.items().filter_map(Node::str).map(pypi::normalize).collect();
                format!("[{}]", names.join(", "))
            }
        });
        let written = written.filter(|text| text != "[dev]");
        if self.revision() >= 5 && written.as_deref() != was {
            let text = format!("`default-groups` of `{what}` differs from what it was locked with");
            self.stale.push(Reason { text, at: node.map(Node::at) });
        }
    }

    /// The part of the format behind the dot: later ones record more.
    fn revision(&self) -> u32 {
        self.lock.format.split_once('.').and_then(|(_, revision)| revision.parse().ok()).unwrap_or(0)
    }

    fn requires(&mut self, stated: &StatedProject, manifest: Manifest, dynamic: &[&str]) {
        let what = format!("`{}`", stated.name);
        let wanted = manifest.requires();
        let reasons = self.differences(&wanted, &stated.requires, &what);
        // Some build backends flatten extras that name the project itself; uv takes both for a dynamic project.
        let flat = !dynamic.is_empty() && !reasons.is_empty() && {
            self.differences(&flattened(&wanted, &stated.name), &stated.requires, &what).is_empty()
        };
        if !flat {
            self.stale.extend(reasons);
        }
        let Some(recorded) = &stated.extras else { return };
        let written: Vec<String> = extras(manifest.node.get("project")).into_iter().map(|(name, _)| name).collect();
        for name in written.iter().filter(|name| !recorded.contains(name)) {
            self.stale.push(reason(format!("the extra `{name}` of {what} is new")));
        }
        for name in recorded.iter().filter(|name| !written.contains(name)) {
            self.stale.push(reason(format!("the extra `{name}` of {what} was removed")));
        }
    }

    fn groups(&mut self, stated: &StatedProject, manifest: Manifest) {
        let written = manifest.groups();
        for (group, wanted) in &written {
            let recorded =
                stated.groups.iter().find(|(name, _)| name == group).map_or(&[][..], |(_, list)| list.as_slice());
            self.compare(wanted, recorded, &format!("the group `{group}` of `{}`", stated.name));
            // Revision 1 began to record empty groups too.
            let known = stated.groups.iter().any(|(name, _)| name == group);
            if self.revision() >= 1 && wanted.is_empty() && !known {
                self.stale.push(reason(format!("the group `{group}` of `{}` is new", stated.name)));
            }
        }
        let gone = stated
            .groups
            .iter()
            .filter(|(name, list)| !list.is_empty() && !written.iter().any(|(known, _)| known == name));
        let gone: Vec<Reason> =
            gone.map(|(name, _)| reason(format!("the group `{name}` of `{}` was removed", stated.name))).collect();
        self.stale.extend(gone);
    }
}
