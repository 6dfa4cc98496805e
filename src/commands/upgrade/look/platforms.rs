//! Which platforms of images a repository uses. Asks nobody.

use crate::model::project::Project;

/// Whether an image of this platform (`linux/arm64`, `linux/arm/v7`) is used here.
///
/// That of the usual machines of CI is. Another one is where any file names it: `FROM --platform`, `platform:` of a service,
/// `platforms:` of a build, an option on a command line; or where a job runs on a machine of that kind. A name too many only lets an
/// image move that could have stayed.
pub(super) fn is_used(project: &Project, platform: &str) -> bool {
    if platform == "linux/amd64" {
        return true;
    }
    let family: Vec<&str> = platform.splitn(3, '/').take(2).collect();
    let family = family.join("/");
    let on_arm = |text: &str| MACHINES.iter().any(|machine| text.contains(machine));
    project.sources.iter().any(|source| {
        // Locks name the platforms of wheels.
        let is_lock = !project.facts_of(source.id).locks.is_empty();
        !is_lock && (names(&source.text, &family) || family == "linux/arm64" && on_arm(&source.text))
    })
}

/// How machines with ARM processors are asked for: labels of runners, classes of CircleCI.
const MACHINES: [&str; 5] = ["-arm\n", "-arm\r", "-arm]", "-arm,", "resource_class: arm."];

/// Whether a text has this platform, and not as the begin of a longer word.
fn names(text: &str, platform: &str) -> bool {
    let ends = |at: usize| !text[at + platform.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
    text.match_indices(platform).any(|(at, _)| ends(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_ends_where_its_word_ends() {
        assert!(names("FROM --platform=linux/arm64 x", "linux/arm64"));
        assert!(names("platforms: linux/amd64,linux/arm/v7", "linux/arm"));
        assert!(!names("platform: linux/arm64", "linux/arm"));
    }
}
