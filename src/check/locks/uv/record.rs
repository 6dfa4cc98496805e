//! Requirements as they are asked for now beside those that the lock recorded: the differences, in words.

use super::Check;
use crate::check::locks::marker::Marker;
use crate::check::locks::stated::{Wanted, recorded, specifier};
use crate::model::lock::{Reason, StatedRequirement};
use crate::model::span::Location;

impl Check<'_> {
    pub(super) fn compare(&mut self, wanted: &[Wanted], recorded: &[StatedRequirement], what: &str) {
        let reasons = self.differences(wanted, recorded, what);
        self.stale.extend(reasons);
    }

    /// One name under one marker is one requirement, however many texts ask for it.
    fn merged(&self, list: &[Wanted]) -> Vec<Wanted> {
        let mut out: Vec<Wanted> = Vec::with_capacity(list.len());
        for one in list {
            let same = |old: &&mut Wanted| {
                let (name, extras, _, source) = one.key();
                let (old_name, old_extras, _, old_source) = old.key();
                (name, extras, source) == (old_name, old_extras, old_source)
                    && old.marker.equals(&one.marker, &self.within)
            };
            match out.iter_mut().find(same) {
                Some(old) => old.specifier = specifier(&format!("{},{}", old.specifier, one.specifier)),
                None => out.push(one.clone()),
            }
        }
        out
    }

    pub(super) fn differences(&self, wanted: &[Wanted], stated: &[StatedRequirement], what: &str) -> Vec<Reason> {
        let was: Vec<Wanted> = stated.iter().map(|one| recorded(one, self.folder, &self.members)).collect();
        let (wanted, was) = (&self.merged(wanted), &self.merged(&was));
        let mut reasons = Vec::new();
        let missing = |one: &Wanted, other: &[Wanted], mine: &[Wanted]| {
            // What is asked for nowhere is recorded all the same.
            let never = |one: &Wanted| one.marker.and(&self.within).is_never();
            if never(one) {
                !other.iter().any(|other| other.key() == one.key() && never(other))
            } else {
                !joined(one, mine).equals(&joined(one, other), &self.within)
            }
        };
        for one in wanted.iter().filter(|one| missing(one, was, wanted)) {
            reasons.push(Reason { text: change(one, was, what), at: one.at });
        }
        let told = |name: &str| wanted.iter().any(|one| one.name == name && missing(one, was, wanted));
        for one in was.iter().filter(|one| missing(one, wanted, was) && !told(&one.name)) {
            reasons.push(Reason {
                text: format!("{what} does not ask for `{}` any more", one.shown()),
                at: None::<Location>,
            });
        }
        reasons
    }
}

/// When a requirement that is equal but for its marker is asked for.
fn joined(one: &Wanted, all: &[Wanted]) -> Marker {
    let equal = all.iter().filter(|other| other.key() == one.key()).map(|other| other.marker.clone());
    equal.reduce(|joined, other| joined.or(&other)).unwrap_or_else(|| Marker::read("python_version < '0'"))
}

fn change(one: &Wanted, was: &[Wanted], what: &str) -> String {
    let old = was.iter().find(|old| old.name == one.name);
    match old {
        Some(old) if old.key() == one.key() => {
            format!("{what} asks for `{}` under another marker than when it was locked", one.shown())
        }
        Some(old) => format!("{what} asks for `{}`; it was locked for `{}`", one.shown(), old.shown()),
        None => format!("{what} asks for `{}`, which is not in the lock's record", one.shown()),
    }
}

/// Extras that name the project itself replaced by what they stand for.
pub fn flattened(wanted: &[Wanted], name: &str) -> Vec<Wanted> {
    let mut out: Vec<Wanted> = wanted.iter().filter(|one| one.name != name).cloned().collect();
    let mut waiting: Vec<(Wanted, usize)> =
        wanted.iter().filter(|one| one.name == name).map(|one| (one.clone(), 0)).collect();
    while let Some((own, depth)) = waiting.pop() {
        if depth > 16 || out.len() > 10_000 {
            break;
        }
        for extra in &own.extras {
            let when = Marker::read(&format!("extra == '{extra}'"));
            // Those that are asked for with this extra only.
            for one in wanted.iter().filter(|one| one.marker.and(&when.negate()).is_never()) {
                let inner = without_extra(&one.marker, extra);
                let flat = Wanted { marker: own.marker.and(&inner), ..one.clone() };
                if one.name == name { waiting.push((flat, depth + 1)) } else { out.push(flat) }
            }
        }
    }
    out
}

/// A marker when an extra is asked for.
fn without_extra(marker: &Marker, extra: &str) -> Marker {
    match marker {
        Marker::Tree(tree) => Marker::Tree(tree.clone().simplify_extras_with(|name| name.to_string() == extra)),
        Marker::Text(text) => Marker::Text(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, extras: &[&str], marker: &str) -> Wanted {
        Wanted {
            name: name.to_string(),
            extras: extras.iter().map(|extra| extra.to_string()).collect(),
            specifier: String::new(),
            source: String::new(),
            marker: Marker::read(marker),
            at: None,
        }
    }

    #[test]
    fn extras_of_extras_are_followed_however_many_there_are() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let mut all: Vec<Wanted> = names.iter().map(|name| wanted(name, &[], &format!("extra == 'x{name}'"))).collect();
        all.push(wanted("numpy", &[], ""));
        all.push(wanted("own", &["xa"], "extra == 'xg'"));
        all.push(wanted("own", &["xb", "xg"], "extra == 'xh'"));
        all.push(wanted("own", &["xb", "xc", "xd", "xe", "xf", "xh"], "python_version < '3.14' and extra == 'all'"));
        let flat = flattened(&all, "own");
        let when = |name: &str, marker: &str| {
            let marker = Marker::read(marker);
            flat.iter().any(|one| one.name == name && one.marker.equals(&marker, &Marker::read("")))
        };
        assert!(flat.iter().all(|one| one.name != "own"));
        assert!(when("a", "extra == 'xg'") && when("a", "extra == 'xh'"));
        assert!(names.iter().all(|name| when(name, "python_version < '3.14' and extra == 'all'")));
        assert_eq!(flat.iter().filter(|one| one.name == "numpy").count(), 1);
    }
}
