//! `variables`: their literal values for other keys, and what they are as part of an environment.
//!
//! <https://docs.gitlab.com/ci/variables/#cicd-variable-precedence>. Variables of the server win over those of the file; they cannot be seen.

use super::config::{Config, Layers};
use crate::ecosystems::variable;
use crate::model::pipeline::{Assignment, Scope, Value};
use crate::model::secrets::looks_secret;
use crate::model::text::Text;
use crate::syntax::tree::Node;

/// The variables that a job sees, most important first.
pub struct Known<'t> {
    scopes: Vec<Vec<(&'t str, Node<'t>)>>,
}

impl<'t> Known<'t> {
    pub fn new(scopes: &[Layers<'t, '_>]) -> Known<'t> {
        let named = |layers: &Layers<'t, '_>| {
            layers.entries().into_iter().filter_map(|(key, value)| Some((key.str()?, value))).collect()
        };
        Known { scopes: scopes.iter().map(named).collect() }
    }

    /// The values of the matrix go before everything else.
    pub fn with_matrix(mut self, matrix: Vec<(&'t str, Node<'t>)>) -> Known<'t> {
        self.scopes.insert(0, matrix);
        self
    }

    /// What a variable may be: one value, or several from a matrix.
    pub fn values(&self, name: &str) -> Vec<Text> {
        for scope in &self.scopes {
            let found: Vec<Text> =
                scope.iter().filter(|(known, _)| *known == name).filter_map(|(_, value)| text(*value)).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}

/// The text of a value: plain, or with a description beside it.
fn text(value: Node<'_>) -> Option<Text> {
    if value.is_map() { value.get("value")?.text() } else { value.text() }
}

/// The name in `$NAME` or `${NAME}`.
pub fn name_of(written: &str) -> Option<&str> {
    let name = written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).or_else(|| written.strip_prefix('$'))?;
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then_some(name)
}

/// A mapping of variables as assignments.
pub fn assignments(config: &Config<'_>, layers: &Layers<'_, '_>, scope: Scope, key: &str) -> Vec<Assignment> {
    let global = Known::new(&[config.global().get("variables")]);
    let read = |(name, value): (Node<'_>, Node<'_>)| {
        let (name, text) = (name.str()?, text(value)?);
        let key = format!("{key}.{name}");
        Some(Assignment { name: name.to_string(), value: classify(&text.text, &global), scope, at: text.at, key })
    };
    layers.entries().into_iter().filter_map(read).collect()
}

/// A text with variables that the file does not define takes them from the server: a secret when one is named like one.
fn classify(text: &str, global: &Known<'_>) -> Value {
    let found = variable::find(text);
    if found.is_empty() {
        return Value::Literal(text.to_string());
    }
    let names = found.iter().filter_map(|variable| name_of(&text[variable.at.clone()]));
    let names: Vec<String> =
        names.filter(|name| global.values(name).is_empty() && is_secret(name)).map(str::to_string).collect();
    if names.is_empty() {
        return Value::Expression(text.to_string());
    }
    Value::Secret { whole: found.len() == 1 && found[0].at == (0..text.len()), names, derived: false }
}

/// Tokens that every job has, and names that say what they hold. Other names of GitLab's own hold no secret.
fn is_secret(name: &str) -> bool {
    const TOKENS: [&str; 3] = ["CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD"];
    if name.starts_with("CI_") { TOKENS.contains(&name) } else { looks_secret(name) }
}
