//! What a project's configuration allows and demands, as rules need it. Does not know how it is written.

use super::pin::Strength;
use super::reference::Ecosystem;

/// What the configuration allows and demands.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Strengths demanded per ecosystem (`[require]`).
    pub require: Vec<(Demand, Strength)>,
    /// Image name patterns that may float.
    pub images: Vec<String>,
    /// Component name patterns that may float.
    pub components: Vec<String>,
    /// Index URLs or hosts that the project uses on purpose.
    pub indexes: Vec<String>,
    /// Days that a locked release must be old (`[lock] cooldown`).
    pub cooldown: Option<u32>,
    /// Organisations whose components count as one's own.
    pub organisations: Vec<String>,
    /// Secrets that may be anywhere, by name.
    pub allowed_secrets: Vec<String>,
    /// Secrets that do little harm, by name.
    pub low_sensitivity: Vec<String>,
    /// Components that take a secret by a variable only.
    pub env_only_components: Vec<String>,
}

/// What a demand of `[require]` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Demand {
    /// `images`.
    Images,
    /// `requirements`.
    Requirements,
    /// `components`.
    Components,
    /// `hooks`.
    Hooks,
}

impl Policy {
    /// The strength demanded of a reference of this kind.
    pub fn demanded(&self, demand: Demand) -> Option<Strength> {
        self.require.iter().find(|(of, _)| *of == demand).map(|(_, strength)| *strength)
    }

    /// Whether a name of an ecosystem is on its allow-list. Patterns know `*` and `**` as in `.gitignore`.
    pub fn allows(&self, ecosystem: Ecosystem, name: &str) -> bool {
        let patterns = match ecosystem {
            Ecosystem::Oci => &self.images,
            Ecosystem::Git | Ecosystem::Orb => &self.components,
            _ => return false,
        };
        patterns.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}
