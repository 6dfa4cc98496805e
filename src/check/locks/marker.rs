//! Whether two environment markers mean the same, under a range of Python versions. Knows no requirement.

use pep508_rs::{MarkerTree, VerbatimUrl};

/// Longer markers are compared as text: a decision diagram of hostile size helps nobody.
const LONGEST: usize = 4_000;

/// A marker that can be compared and joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// Understood.
    Tree(MarkerTree),
    /// Only its text is known.
    Text(String),
}

impl Marker {
    /// Reads a marker; an empty text is always true.
    pub fn read(text: &str) -> Marker {
        let text = text.trim();
        if text.is_empty() {
            return Marker::Tree(MarkerTree::TRUE);
        }
        let spelled = platforms(text);
        let tree = (text.len() <= LONGEST).then(|| MarkerTree::parse_str::<VerbatimUrl>(&spelled).ok()).flatten();
        tree.map_or_else(|| Marker::Text(text.to_string()), Marker::Tree)
    }

    /// Both.
    pub fn and(&self, other: &Marker) -> Marker {
        match (self, other) {
            (Marker::Tree(a), Marker::Tree(b)) => {
                let mut both = a.clone();
                both.and(b.clone());
                Marker::Tree(both)
            }
            (Marker::Text(text), _) | (_, Marker::Text(text)) => Marker::Text(text.clone()),
        }
    }

    /// Either.
    pub fn or(&self, other: &Marker) -> Marker {
        match (self, other) {
            (Marker::Tree(a), Marker::Tree(b)) => {
                let mut either = a.clone();
                either.or(b.clone());
                Marker::Tree(either)
            }
            (Marker::Text(text), _) | (_, Marker::Text(text)) => Marker::Text(text.clone()),
        }
    }

    /// Not.
    pub fn negate(&self) -> Marker {
        match self {
            Marker::Tree(tree) => Marker::Tree(tree.negate()),
            Marker::Text(text) => Marker::Text(format!("not ({text})")),
        }
    }

    /// Whether nothing fits it.
    pub fn is_never(&self) -> bool {
        matches!(self, Marker::Tree(tree) if tree.is_false())
    }

    /// Whether both are true in the same environments, among those that `within` allows.
    pub fn equals(&self, other: &Marker, within: &Marker) -> bool {
        if self == other {
            return true;
        }
        let apart = self.and(&other.negate()).or(&self.negate().and(other)).and(within);
        match &apart {
            Marker::Tree(tree) => tree.is_false(),
            Marker::Text(_) => false,
        }
    }
}

/// The marker of a range of Python versions.
pub fn of_python(specifiers: &str) -> Marker {
    let clauses = specifiers.split(',').map(str::trim).filter(|clause| !clause.is_empty());
    let clauses = clauses.filter_map(|clause| {
        let end = clause.find(|c: char| !matches!(c, '<' | '>' | '=' | '!' | '~'))?;
        let (operator, version) = clause.split_at(end);
        Some(format!("python_full_version {operator} '{}'", version.trim()))
    });
    Marker::read(&clauses.collect::<Vec<_>>().join(" and "))
}

/// uv writes `sys_platform` for the three platforms that `platform_system` names too.
fn platforms(text: &str) -> String {
    let mut out = text.replace('"', "'");
    if !out.contains("platform_system") {
        return out;
    }
    for (system, platform) in [("Windows", "win32"), ("Darwin", "darwin"), ("Linux", "linux")] {
        for operator in ["==", "!="] {
            for spaced in
                [format!("platform_system {operator} '{system}'"), format!("platform_system{operator}'{system}'")]
            {
                out = out.replace(&spaced, &format!("sys_platform {operator} '{platform}'"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_compare_by_meaning() {
        let within = of_python(">=3.10, <4");
        for (a, b, equal) in [
            ("", "python_version >= '3.8'", true),
            ("python_version < '3.12'", "python_full_version < '3.12'", true),
            ("sys_platform == \"win32\"", "sys_platform=='win32'", true),
            ("platform_system == 'Windows'", "sys_platform == 'win32'", true),
            ("extra == 'a' and os_name == 'nt'", "os_name == 'nt' and extra == 'a'", true),
            ("sys_platform == 'win32'", "sys_platform == 'linux'", false),
            ("", "extra == 'a'", false),
        ] {
            assert_eq!(Marker::read(a).equals(&Marker::read(b), &within), equal, "{a} / {b}");
        }
    }
}
