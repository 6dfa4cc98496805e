//! A variable of a compose service handed over as a file instead: the edits. Knows which images read `NAME_FILE` in place of `NAME`.

use crate::model::edit::Edit;
use crate::model::environment::Environment;
use crate::model::pipeline::{Assignment, Value};
use crate::model::project::Project;
use crate::model::span::{Location, Span};

/// Images and the variables that they also take as `NAME_FILE`, by their own documents (<https://hub.docker.com/_/postgres>, `/_/mysql`,
/// `/_/mariadb`, `/_/mongo`, `/_/wordpress`, `/_/nextcloud`).
const READS_FILES: &[(&str, &[&str])] = &[
    ("postgres", &["POSTGRES_PASSWORD"]),
    ("mysql", &["MYSQL_ROOT_PASSWORD", "MYSQL_PASSWORD"]),
    ("mariadb", &["MARIADB_ROOT_PASSWORD", "MARIADB_PASSWORD", "MYSQL_ROOT_PASSWORD", "MYSQL_PASSWORD"]),
    ("mongo", &["MONGO_INITDB_ROOT_PASSWORD"]),
    ("wordpress", &["WORDPRESS_DB_PASSWORD"]),
    ("nextcloud", &["NEXTCLOUD_ADMIN_PASSWORD", "POSTGRES_PASSWORD", "MYSQL_PASSWORD"]),
];

/// `POSTGRES_PASSWORD: ${DB_PASSWORD}` as `POSTGRES_PASSWORD_FILE: /run/secrets/db_password`, for every variable whose image reads such a
/// file. The file holds what the variable held: `secrets: {db_password: {environment: DB_PASSWORD}}`.
/// <https://docs.docker.com/reference/compose-file/secrets/>
pub fn edits(project: &Project, held: &[(&Environment, &Assignment)]) -> Option<Vec<Edit>> {
    let source = held.first()?.1.at.source;
    let known = &project.facts_of(source).variable_edits;
    let text = &project.source(source).text;
    let root = known.slots.iter().find(|slot| slot.step.is_empty() && slot.word == "secrets")?;
    let (mut all, mut declared): (Vec<Edit>, Vec<String>) = (Vec::new(), Vec::new());
    let mut services: Vec<(&str, Vec<String>)> = Vec::new();
    for (service, one) in held {
        let Value::Secret { names, whole: true, .. } = &one.value else { continue };
        let ([from], true) = (names.as_slice(), reads_file(project, service, &one.name, source)) else { continue };
        let id = from.to_ascii_lowercase();
        let Some(edits) = renamed(text, one, &id) else { continue };
        if text.contains(&format!("{id}:")) {
            continue;
        }
        all.extend(edits);
        let entry = format!("{id}:\n  environment: {from}");
        if !declared.contains(&entry) {
            declared.push(entry);
        }
        match services.iter_mut().find(|(name, _)| *name == service.name) {
            Some((_, list)) if list.contains(&id) => {}
            Some((_, list)) => list.push(id),
            None => services.push((&service.name, vec![id])),
        }
    }
    for (name, ids) in &services {
        let slot = known.slots.iter().find(|slot| slot.step == format!("services.{name}") && slot.word == "secrets")?;
        all.extend(slot.put(ids));
    }
    if all.is_empty() {
        return None;
    }
    all.extend(root.put(&declared));
    all.sort();
    Some(all)
}

fn reads_file(project: &Project, service: &Environment, variable: &str, source: crate::model::span::SourceId) -> bool {
    let key = format!("services.{}.image", service.name);
    let image = project.facts_of(source).references.iter().find(|one| one.key == key);
    image.is_some_and(|image| {
        READS_FILES.iter().any(|(name, variables)| image.subject.name == *name && variables.contains(&variable))
    })
}

/// The name with `_FILE` and the path in place of the value.
fn renamed(text: &str, one: &Assignment, id: &str) -> Option<Vec<Edit>> {
    let start = one.at.span.start as usize;
    let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
    // Behind the name stand a colon, a blank and perhaps a quote, or an equals sign.
    let behind = text[line..start].rfind(one.name.as_str()).map(|at| line + at + one.name.len())?;
    let between = &text[behind..start];
    let plain = matches!(between, ": " | ": \"" | ": '" | "=");
    let written = &text[one.at.span.range()];
    let variable =
        written.strip_prefix("${").and_then(|name| name.strip_suffix('}')).or_else(|| written.strip_prefix('$'))?;
    if !plain || variable.is_empty() || !variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let place = Location { span: Span::empty(behind), ..one.at };
    Some(vec![Edit::replace(place, "_FILE"), Edit::replace(one.at, format!("/run/secrets/{id}"))])
}
