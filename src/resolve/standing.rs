//! Whether a closed set stays closed when some of its packages get other versions and all others stay: what is asked of them still fits,
//! and what they ask for is there. It proves a step without a search; where it says no, the resolver has to be asked.

use super::Solution;
use super::bounds::{Versions, allowed};
use super::listing::{File, Index, Kind, Release};
use super::marker::Marker;
use super::metadata::Metadata;
use super::requirement::{Name, Requirement, Source};
use super::solve::fork::python_marker;
use pep440_rs::Version;
use std::collections::HashMap;
use std::sync::Arc;

/// A closed set with all that its packages ask of each other.
#[derive(Debug)]
pub struct Standing {
    solution: Solution,
    /// By project: who asks for which versions of it.
    asked: HashMap<Name, Vec<(Name, Versions)>>,
}

impl Standing {
    /// Looks through the metadata of a set's packages. What has none asks for nothing, as it does in the resolution.
    pub fn of(solution: Solution, index: &dyn Index) -> Standing {
        let mut asked: HashMap<Name, Vec<(Name, Versions)>> = HashMap::new();
        for package in &solution.packages {
            let metadata = package.file.as_ref().and_then(|file| index.metadata(file).ok());
            let extras = std::iter::once(None).chain(package.extras.iter().map(Some));
            let needs = metadata.iter().flat_map(|metadata| extras.clone().map(|extra| metadata.needs(extra)));
            for need in needs.collect::<Vec<_>>().iter().flat_map(|needs| needs.iter()) {
                if let Source::Index(specifiers) = &need.source
                    && !need.marker.is_disjoint(&package.marker)
                {
                    asked.entry(need.name.clone()).or_default().push((package.name.clone(), allowed(specifiers)));
                }
            }
        }
        Standing { solution, asked }
    }

    /// Whether the set is closed with these versions in it. `limits` are what the inputs ask for then.
    pub fn holds(&self, index: &dyn Index, raised: &HashMap<Name, Version>, limits: &[&Requirement]) -> bool {
        raised.iter().all(|(name, version)| {
            let fits = |requirement: &&Requirement| match &requirement.source {
                Source::Index(specifiers) => allowed(specifiers).contains(version),
                Source::Direct(_) => false,
            };
            let asked = self.asked.get(name).into_iter().flatten();
            let mut staying = asked.filter(|(asker, _)| !raised.contains_key(asker));
            limits.iter().filter(|limit| limit.name == *name).all(fits)
                && staying.all(|(_, versions)| versions.contains(version))
                && self.finds_all(index, name, version, raised).unwrap_or(false)
        })
    }

    /// Whether what a version asks for is in the set. `None`: it cannot be told.
    fn finds_all(
        &self,
        index: &dyn Index,
        name: &Name,
        version: &Version,
        raised: &HashMap<Name, Version>,
    ) -> Option<bool> {
        let mut places = self.solution.packages.iter().filter(|package| package.name == *name);
        let (Some(package), None) = (places.next(), places.next()) else { return None };
        if package.direct.is_some() {
            return None;
        }
        let listing = index.listing(name).ok()?;
        let file = self.file(listing.release(version)?)?;
        let metadata: Arc<Metadata> = index.metadata(file).ok()?;
        let python = &self.solution.python;
        let right = metadata.name == *name && metadata.version == *version;
        if !right || metadata.requires_python.as_ref().is_some_and(|asked| !python.is_served_by(asked)) {
            return None;
        }
        let pythons = python_marker(python);
        let own = self.solution.with_extras.iter().filter(|(of, ..)| of == name);
        for (_, _, extra, at) in own {
            if extra.as_ref().is_some_and(|extra| !metadata.extras.contains(extra)) {
                return None;
            }
            let at = at.and(&pythons);
            if !metadata.needs(extra.as_ref()).iter().all(|need| self.has(need, &need.marker.and(&at), raised)) {
                return Some(false);
            }
        }
        Some(true)
    }

    /// The file that speaks for a version: the first wheel that some Python of the set can use.
    fn file<'r>(&self, release: &'r Release) -> Option<&'r Arc<File>> {
        let python = &self.solution.python;
        release.files().iter().find(|file| {
            let serves = matches!(&file.kind, Kind::Wheel(wheel) if wheel.serves(python));
            let runs = file.requires_python.as_ref().is_none_or(|asked| python.is_served_by(asked));
            serves && runs && file.yanked.is_none()
        })
    }

    /// Whether a need is met everywhere where it is one.
    fn has(&self, need: &Requirement, wanted: &Marker, raised: &HashMap<Name, Version>) -> bool {
        if wanted.is_never() {
            return true;
        }
        let Source::Index(specifiers) = &need.source else { return false };
        let versions = allowed(specifiers);
        std::iter::once(None).chain(need.extras.iter().map(Some)).all(|extra| {
            let mut left = wanted.clone();
            for (name, version, of, at) in &self.solution.with_extras {
                if *name != need.name || of.as_ref() != extra || at.is_disjoint(wanted) {
                    continue;
                }
                if !versions.contains(raised.get(name).unwrap_or(version)) {
                    return false;
                }
                left = left.and(&at.not());
            }
            left.is_never()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::bounds::PythonRange;
    use crate::resolve::listing::packed::{Entry, Page, pack, unpack};
    use crate::resolve::listing::{Absent, Announced, Direct, Guess, Listing};
    use crate::resolve::{For, Request, resolve};
    use std::str::FromStr;

    /// Versions with the lines of their metadata; `Python` in front of a line is what the index says.
    struct Made(Vec<(&'static str, &'static str, &'static [&'static str])>);

    impl Index for Made {
        fn listing(&self, name: &Name) -> Result<Arc<Listing>, Absent> {
            let entry = |(project, version, lines): &(&str, &str, &[&str])| Entry {
                name: format!("{project}-{version}-py3-none-any.whl").into(),
                url: format!("https://f.example/{project}-{version}-py3-none-any.whl").into(),
                hashes: Vec::new(),
                requires_python: lines
                    .iter()
                    .find_map(|line| line.strip_prefix("Python "))
                    .map(|text| text.to_string().into()),
                uploaded: None,
                yanked: None,
                size: None,
                announced: Announced::No,
            };
            let entries: Vec<Entry> = self.0.iter().filter(|(project, ..)| *project == &**name).map(entry).collect();
            if entries.is_empty() {
                return Err(Absent::NotFound);
            }
            let page = Page { entries, ..Page::default() };
            Ok(Arc::new(unpack(name, pack(name, &page), &"https://i.example".into()).unwrap().1))
        }

        fn metadata(&self, file: &Arc<File>) -> Result<Arc<Metadata>, Absent> {
            let of = |(project, version, _): &&(&str, &str, &[&str])| {
                file.name.starts_with(&format!("{project}-{version}-"))
            };
            let (project, version, lines) = self.0.iter().find(of).ok_or(Absent::NotFound)?;
            let mut text = format!("Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n");
            for line in lines.iter().filter(|line| !line.starts_with("Python ")) {
                let extra = line.starts_with("Provides-Extra:");
                text.push_str(&if extra { format!("{line}\n") } else { format!("Requires-Dist: {line}\n") });
            }
            Ok(Arc::new(Metadata::of_wheel(&text).unwrap()))
        }

        fn direct(&self, _: &Name, _: &str) -> Result<Arc<Direct>, Absent> {
            Err(Absent::NotFound)
        }

        fn ready(&self, _: &Name) -> Option<Arc<Listing>> {
            None
        }

        fn soon(&self, _: &Name, _: Option<Guess>) {}

        fn soon_metadata(&self, _: &Arc<File>) {}
    }

    fn requirements(lines: &[&str]) -> Vec<Requirement> {
        lines.iter().map(|line| Requirement::parse(line).unwrap()).collect()
    }

    fn solved(index: &Made, lines: &[&str]) -> Option<Solution> {
        let request = Request {
            requirements: requirements(lines),
            constraints: Vec::new(),
            overrides: Vec::new(),
            pins: Vec::new(),
            fixed: Vec::new(),
            target: For::Universal { python: PythonRange::from(&Version::from_str("3.9").unwrap()) },
            policy: Default::default(),
            known: HashMap::new(),
        };
        resolve(&request, index).ok()
    }

    fn world() -> Made {
        Made(vec![
            ("app", "1.0", &["lib>=1", "win ; sys_platform == 'win32'"]),
            ("lib", "1.0", &[]),
            ("lib", "1.1", &["win"]),
            ("lib", "1.2", &["win ; sys_platform == 'win32'"]),
            ("lib", "1.3", &["other"]),
            ("lib", "1.4", &["tool>=2"]),
            ("lib", "1.5", &["tool[cli]"]),
            ("lib", "1.6", &["tool<2"]),
            ("lib", "1.7", &["Python >=3.10"]),
            ("lib", "1.8", &["app @ https://f.example/app-1.0-py3-none-any.whl"]),
            ("lib", "2.0", &[]),
            ("win", "1.0", &[]),
            ("other", "1.0", &[]),
            ("tool", "1.0", &["lib<2", "Provides-Extra: cli"]),
            ("tool", "2.0", &["lib>=1.4", "Provides-Extra: cli"]),
        ])
    }

    #[test]
    fn what_it_says_yes_to_resolves() {
        let index = world();
        let lines = |lib: &str, tool: &str| ["app==1.0".to_string(), format!("lib=={lib}"), format!("tool=={tool}")];
        let resolves = |lib: &str, tool: &str| {
            let lines = lines(lib, tool);
            solved(&index, &lines.iter().map(String::as_str).collect::<Vec<_>>()).is_some()
        };
        let base = solved(&index, &["app==1.0", "lib==1.0", "tool==1.0"]).unwrap();
        let standing = Standing::of(base, &index);
        let holds = |pairs: &[(&str, &str)]| {
            let raised: HashMap<Name, Version> =
                pairs.iter().map(|(name, version)| ((*name).into(), Version::from_str(version).unwrap())).collect();
            let of = |name: &str, now: &str| raised.get(name).map_or(now.to_string(), ToString::to_string);
            let lines = lines(&of("lib", "1.0"), &of("tool", "1.0"));
            let limits = requirements(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            let said = standing.holds(&index, &raised, &limits.iter().collect::<Vec<_>>());
            assert!(!said || resolves(&of("lib", "1.0"), &of("tool", "1.0")), "{pairs:?}");
            said
        };
        let alone: Vec<&str> = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "2.0"]
            .into_iter()
            .filter(|version| holds(&[("lib", version)]))
            .collect();
        // 1.1 needs `win` where it is not, 1.3 what is not there, 1.4 a newer tool, 1.5 an extra nobody asked for, 1.7 a newer Python,
        // 1.8 a URL, and the tool wants no 2.0.
        assert_eq!(alone, ["1.0", "1.2", "1.6"]);
        assert!(!holds(&[("tool", "2.0")]), "it needs a newer lib");
        assert!(holds(&[("tool", "2.0"), ("lib", "1.4")]));
        assert!(!holds(&[("tool", "2.0"), ("lib", "1.6")]));
        // A limit of the inputs counts, too, and a version that nobody lists is none.
        let raised = HashMap::from([("lib".into(), Version::from_str("1.2").unwrap())]);
        assert!(!standing.holds(&index, &raised, &requirements(&["lib<1.2"]).iter().collect::<Vec<_>>()));
        assert!(!holds(&[("lib", "1.9")]));
    }
}
