//! What a version needs in an environment: extras decided, self-references expanded, overrides and constraints applied.

use super::fork::{Environment, python_marker};
use crate::resolve::bounds::PythonRange;
use crate::resolve::marker::Marker;
use crate::resolve::metadata::Metadata;
use crate::resolve::requirement::{Name, Requirement, Source};
use std::collections::{HashMap, HashSet, VecDeque};

/// Requirements that change others.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Limits on projects that something else asks for.
    pub constraints: HashMap<Name, Vec<Requirement>>,
    /// What is asked for in place of what projects ask for.
    pub overrides: HashMap<Name, Vec<Requirement>>,
}

/// For which environments needs are gathered.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The environments.
    pub environment: &'a Environment,
    /// The Pythons.
    pub pythons: &'a PythonRange,
}

impl Rules {
    /// By name.
    pub fn new(constraints: &[Requirement], overrides: &[Requirement]) -> Rules {
        let by_name = |list: &[Requirement]| {
            let mut map: HashMap<Name, Vec<Requirement>> = HashMap::new();
            for one in list {
                map.entry(one.name.clone()).or_default().push(one.clone());
            }
            map
        };
        Rules { constraints: by_name(constraints), overrides: by_name(overrides) }
    }

    /// What the inputs need.
    pub fn of_inputs(&self, requirements: &[Requirement], scope: Scope) -> Vec<Requirement> {
        let needs: Vec<Requirement> =
            requirements.iter().map(|one| Requirement { marker: one.marker.without_extras(), ..one.clone() }).collect();
        self.applied(&needs, scope)
    }

    /// What a version, or an extra of it, needs.
    pub fn of_version(&self, metadata: &Metadata, extra: Option<&Name>, scope: Scope) -> Vec<Requirement> {
        let needs = self.applied(&metadata.needs(extra), scope);
        let refers_to_itself = |one: &Requirement| one.name == metadata.name && !one.extras.is_empty();
        if needs.iter().any(refers_to_itself) { self.expanded(metadata, needs, scope) } else { needs }
    }

    /// Replaces `project[extra]` in the needs of that project by what the extra needs.
    fn expanded(&self, metadata: &Metadata, mut needs: Vec<Requirement>, scope: Scope) -> Vec<Requirement> {
        let name = &metadata.name;
        let of_itself = |one: &Requirement| one.name == *name;
        let extras_of = |one: &Requirement, marker: &Marker| {
            one.extras.iter().map(|extra| (extra.clone(), marker.clone())).collect::<Vec<_>>()
        };
        let mut queue: VecDeque<(Name, Marker)> =
            needs.iter().filter(|one| of_itself(one)).flat_map(|one| extras_of(one, &one.marker)).collect();
        let mut seen = HashSet::new();
        let pythons = python_marker(scope.pythons);
        while let Some((extra, marker)) = queue.pop_front() {
            if !seen.insert((extra.clone(), marker.clone())) {
                continue;
            }
            // An extra brings what is always needed too, as its marker says.
            let both = metadata.needs(Some(&extra));
            for mut one in self.applied(&both, scope) {
                one.marker = one.marker.and(&marker);
                if one.marker.is_disjoint(&pythons) || !scope.environment.meets(&one.marker) {
                    continue;
                }
                if of_itself(&one) {
                    queue.extend(extras_of(&one, &one.marker));
                }
                needs.push(one);
            }
        }
        let limits: Vec<Requirement> = needs
            .iter()
            .filter(|one| of_itself(one) && !one.extras.is_empty())
            .filter(|one| !matches!(&one.source, Source::Index(specifiers) if specifiers.is_empty()))
            .map(|one| Requirement { extras: Vec::new(), ..one.clone() })
            .collect();
        needs.retain(|one| !of_itself(one) || one.extras.is_empty());
        needs.extend(limits);
        needs
    }

    fn applied(&self, needs: &[Requirement], scope: Scope) -> Vec<Requirement> {
        let mut out = Vec::new();
        for one in needs {
            for one in self.overridden(one) {
                if !applies(&one, scope) {
                    continue;
                }
                let limits = self.limits(&one, scope);
                out.push(one);
                out.extend(limits);
            }
        }
        out
    }

    fn overridden(&self, one: &Requirement) -> Vec<Requirement> {
        let Some(overrides) = self.overrides.get(&one.name) else { return vec![one.clone()] };
        // An override counts where what it replaces would have counted.
        let replace = |new: &Requirement| Requirement { marker: new.marker.and(&one.marker), ..new.clone() };
        overrides.iter().map(replace).collect()
    }

    fn limits(&self, one: &Requirement, scope: Scope) -> Vec<Requirement> {
        let limits = self.constraints.get(&one.name).into_iter().flatten();
        let limit = |limit: &Requirement| {
            let marker = limit.marker.and(&one.marker);
            let narrowed = Requirement { marker, extras: Vec::new(), ..limit.clone() };
            (!narrowed.marker.is_never() && applies(&narrowed, scope)).then_some(narrowed)
        };
        limits.filter_map(limit).collect()
    }
}

fn applies(one: &Requirement, scope: Scope) -> bool {
    scope.environment.holds(&one.marker)
        && (one.marker.is_always()
            || !python_marker(scope.pythons).is_disjoint(&one.marker) && scope.environment.meets(&one.marker))
}
