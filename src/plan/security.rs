//! Known vulnerabilities of the version in use: which releases mend them, and how that is told. Asks nobody.

use crate::model::knowledge::{IndexProject, Vulnerability};
use crate::model::wish::Because;
use pep440_rs::Version;
use std::str::FromStr;

/// What is known against a version.
#[derive(Debug)]
pub struct Danger<'i>(Vec<&'i Vulnerability>);

impl<'i> Danger<'i> {
    /// What the index states about a version, as far as it names a release that mends it.
    pub fn of(version: &str, index: &'i IndexProject) -> Option<Danger<'i>> {
        let list = index.vulnerabilities.as_deref().unwrap_or_default();
        let known: Vec<&Vulnerability> =
            list.iter().filter(|one| one.version == version && !one.fixed_in.is_empty()).collect();
        (!known.is_empty()).then_some(Danger(known))
    }

    /// Whether a release mends all of it.
    pub fn is_mended_by(&self, candidate: &str) -> bool {
        Version::from_str(candidate).is_ok_and(|version| self.0.iter().all(|one| mends(&version, &one.fixed_in)))
    }

    /// By their names.
    pub fn because(&self) -> Vec<Because> {
        let mut list: Vec<Because> = self.0.iter().map(|one| Because::Vulnerable(one.id.clone())).collect();
        list.sort();
        list.dedup();
        list
    }

    /// What a request says of it; `days`: the cooldown that the release does not wait for.
    pub fn words(&self, name: &str, to: &str, days: Option<u32>) -> String {
        let one = |one: &&Vulnerability| match one.aliases.iter().find(|alias| alias.starts_with("CVE-")) {
            Some(cve) if *cve != one.id => format!("{} ({cve})", one.id),
            _ => one.id.clone(),
        };
        let list: Vec<String> = self.0.iter().map(one).collect();
        let haste = match days {
            Some(days) if days > 0 => {
                format!("; as a security release it does not wait for the cooldown of {days} days")
            }
            _ => String::new(),
        };
        format!("Security: {name} {to} mends {}{haste}", list.join(", "))
    }
}

/// Whether a version has a fix: it is at or above the fix of its own line, or above the newest of all fixes.
fn mends(version: &Version, fixed_in: &[String]) -> bool {
    let mut fixes: Vec<Version> = fixed_in.iter().filter_map(|text| Version::from_str(text).ok()).collect();
    fixes.sort();
    let of_line = |fix: &Version| {
        let line = fix.release().len().saturating_sub(1).max(1);
        version.release().get(..line).is_some_and(|own| own == &fix.release()[..line])
    };
    fixes.last().is_some_and(|newest| version >= newest) || fixes.iter().any(|fix| of_line(fix) && version >= fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_counts_for_its_line_and_for_all_that_is_newer() {
        let fixed = ["4.2.11".to_string(), "5.0.3".to_string()];
        let mends = |text: &str| mends(&Version::from_str(text).expect("a version"), &fixed);
        assert_eq!(
            ["4.2.10", "4.2.11", "4.3.0", "5.0.2", "5.0.3", "6.0"].map(mends),
            [false, true, false, false, true, true]
        );
    }
}
