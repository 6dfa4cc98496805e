//! `environment`, `withEnv`, `withCredentials`: variables, and which of them are secrets.

use super::agent::piece;
use crate::model::pipeline::{Assignment, Scope, Value as Is};
use crate::model::secrets::looks_secret;
use crate::syntax::groovy::{Call, Item, Str, Value};

/// The variables of an `environment` block inside of a call.
pub fn block(call: &Call, scope: Scope, key: &str) -> Vec<Assignment> {
    let block = call.call("environment").and_then(|environment| environment.block.as_deref());
    let mut all = Vec::new();
    for item in block.unwrap_or(&[]) {
        let Item::Assign(name, at, value) = item else { continue };
        let (value, at) = match value {
            // A secret file is a path; nothing but its name says so.
            Value::Call(call) if call.name == "credentials" && !is_path(name) => (secret(name), call.at),
            Value::Text(text) => (classify(text), piece(text).at),
            Value::Word(word, at) => (Is::Expression(word.clone()), *at),
            _ => (Is::Expression(name.clone()), *at),
        };
        all.push(Assignment { name: name.clone(), value, scope, at, key: format!("{key}.{name}") });
    }
    all
}

fn is_path(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["_FILE", "_PATH", "KEYFILE", "KUBECONFIG", "GOOGLE_APPLICATION_CREDENTIALS"].iter().any(|end| upper.ends_with(end))
}

fn secret(name: &str) -> Is {
    Is::Secret { names: vec![name.to_string()], whole: true, derived: false }
}

fn classify(text: &Str) -> Is {
    if text.puts_in.is_empty() { Is::Literal(text.text.text.clone()) } else { Is::Expression(text.text.text.clone()) }
}

/// The variables of `withEnv(['A=b'])`.
pub fn with_env(call: &Call, scope: Scope, key: &str, secrets: &[String]) -> Vec<Assignment> {
    let list = call.arguments.iter().flat_map(|argument| super::texts(&argument.value));
    let assignment = |text: &Str| {
        let (name, _) = text.text.text.split_once('=')?;
        let from = name.len() + 1;
        let put_in = secrets_in(text, secrets);
        let value = match (put_in.is_empty(), classify(text)) {
            (false, _) => Is::Secret { names: put_in, whole: false, derived: false },
            (true, Is::Literal(whole)) => Is::Literal(whole[from..].to_string()),
            (true, other) => other,
        };
        let at = text.text.place(from..text.text.text.len()).0;
        Some(Assignment { name: name.to_string(), value, scope, at, key: format!("{key}.{name}") })
    };
    list.filter_map(assignment).collect()
}

/// The variables of `withCredentials([string(credentialsId: 'x', variable: 'X')])`. A file is a path, and so is a key file.
pub fn bindings(call: &Call, scope: Scope, key: &str) -> Vec<Assignment> {
    let mut all = Vec::new();
    let mut add = |binding: &Call, word: &str| {
        if let Some(text) = binding.named(word).and_then(Value::text) {
            let name = text.text.text.clone();
            all.push(Assignment { value: secret(&name), scope, at: piece(text).at, key: format!("{key}.{name}"), name });
        }
    };
    for binding in inner_calls(call) {
        match binding.name.as_str() {
            "string" | "usernameColonPassword" => add(binding, "variable"),
            "usernamePassword" | "certificate" => add(binding, "passwordVariable"),
            "sshUserPrivateKey" => add(binding, "passphraseVariable"),
            "file" | "zip" | "dockerCert" | "kubeconfigFile" => {}
            "aws" | "amazonWebServicesCredentialsBinding" => add(binding, "secretKeyVariable"),
            _ => add(binding, "variable"),
        }
    }
    all
}

/// The calls of a call's arguments: bindings stand in a list, with or without `$class`.
fn inner_calls(call: &Call) -> Vec<&Call> {
    fn walk<'c>(value: &'c Value, found: &mut Vec<&'c Call>) {
        match value {
            Value::Call(call) => found.push(call),
            Value::List(list) => list.iter().for_each(|argument| walk(&argument.value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    call.arguments.iter().for_each(|argument| walk(&argument.value, &mut found));
    found
}

/// Names of variables that hold secrets.
pub fn secret_names(env: &[Assignment]) -> Vec<String> {
    env.iter().filter(|one| matches!(one.value, Is::Secret { .. })).map(|one| one.name.clone()).collect()
}

/// The secrets that the program itself puts into a text, by name.
pub fn secrets_in(text: &Str, secrets: &[String]) -> Vec<String> {
    let name = |expression: &String| {
        let name = expression.strip_prefix("env.").or_else(|| expression.strip_prefix("params.")).unwrap_or(expression);
        let of_parameter = expression.starts_with("params.") && looks_secret(name);
        // `credentials()` of a user and a password makes two more variables.
        let whole = name.strip_suffix("_PSW").unwrap_or(name);
        (of_parameter || secrets.iter().any(|secret| secret == whole)).then(|| name.to_string())
    };
    text.puts_in.iter().filter_map(|(_, expression)| name(expression)).collect()
}
