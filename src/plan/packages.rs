//! Releases of a package: which fit what is written, and which are newer. Asks no index.

use super::images::within;
use crate::ecosystems::pypi;
use crate::model::knowledge::{IndexProject, Release};
use crate::model::wish::Reach;
use pep440_rs::Version;
use std::str::FromStr;

/// Releases that fit `written` (specifiers, perhaps empty), newest first: those that an installer of today would take.
///
/// Yanked ones are left out, and pre-releases unless one is asked for or there is nothing else.
pub fn fitting<'p>(written: &str, project: &'p IndexProject) -> Vec<&'p Release> {
    let wants_pre = written.split(',').any(|clause| {
        let version = clause.trim_start_matches(|c: char| !c.is_ascii_digit());
        Version::from_str(version.trim()).is_ok_and(|version| version.any_prerelease())
    });
    let mut list: Vec<(Version, &Release)> = project
        .releases
        .iter()
        .filter(|release| release.yanked.is_none())
        .filter_map(|release| Some((Version::from_str(&release.version).ok()?, release)))
        .filter(|(version, _)| {
            written.trim().is_empty() || pypi::satisfies(written, &version.to_string()) == Some(true)
        })
        .collect();
    list.sort_by(|a, b| b.0.cmp(&a.0));
    if !wants_pre && list.iter().any(|(version, _)| !version.any_prerelease()) {
        list.retain(|(version, _)| !version.any_prerelease());
    }
    list.into_iter().map(|(_, release)| release).collect()
}

/// Releases newer than `now` within a reach, newest first; no pre-releases, nothing yanked.
pub fn newer<'p>(now: &str, project: &'p IndexProject, reach: Reach) -> Vec<&'p Release> {
    let Ok(now) = Version::from_str(now) else { return Vec::new() };
    let distance = |version: &Version| {
        let at = |version: &Version, index: usize| version.release().get(index).copied().unwrap_or(0);
        let longest = now.release().len().max(version.release().len());
        if version.epoch() != now.epoch() {
            return 0;
        }
        (0..longest).find(|&index| at(&now, index) != at(version, index)).unwrap_or(2)
    };
    let fits = |release: &&Release| {
        Version::from_str(&release.version).is_ok_and(|version| {
            version > now && within(distance(&version), reach) && (!version.any_prerelease() || now.any_prerelease())
        })
    };
    fitting("", project).into_iter().filter(fits).collect()
}

/// Whether every Python of `pythons` (`3.12`) may install a release. `None`: its `requires-python` cannot be read.
pub fn runs_on(release: &Release, pythons: &[String]) -> Option<bool> {
    let Some(requires) = &release.requires_python else { return Some(true) };
    let allowed = pythons.iter().map(|minor| pypi::python_allows(requires, minor));
    allowed.into_iter().try_fold(true, |all, allowed| Some(all && allowed?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(list: &[&str]) -> IndexProject {
        let release = |text: &&str| {
            let (version, yanked) =
                text.strip_suffix('!').map_or((*text, None), |version| (version, Some(String::new())));
            Release { version: version.to_string(), yanked, ..Release::default() }
        };
        IndexProject { releases: list.iter().map(release).collect(), ..IndexProject::default() }
    }

    fn versions(list: Vec<&Release>) -> Vec<&str> {
        list.into_iter().map(|release| release.version.as_str()).collect()
    }

    #[test]
    fn what_an_installer_takes_fits() {
        let project = project(&["1.0", "1.2", "1.10", "2.0!", "2.1rc1"]);
        assert_eq!(versions(fitting("", &project)), ["1.10", "1.2", "1.0"]);
        assert_eq!(versions(fitting(">=1,<1.5", &project)), ["1.2", "1.0"]);
        assert_eq!(versions(fitting(">=2.1rc0", &project)), ["2.1rc1"]);
        assert_eq!(versions(fitting(">=3", &project)), [""; 0]);
        assert_eq!(versions(newer("1.0", &project, Reach::Minor)), ["1.10", "1.2"]);
        assert_eq!(versions(newer("1.10", &project, Reach::Major)), [""; 0]);
    }

    #[test]
    fn releases_say_which_pythons_they_run_on() {
        let release = Release { requires_python: Some(">=3.10".into()), ..Release::default() };
        let on = |list: &[&str]| runs_on(&release, &list.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!((on(&["3.12", "3.10"]), on(&["3.9", "3.12"]), on(&[])), (Some(true), Some(false), Some(true)));
    }
}
