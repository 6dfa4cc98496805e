//! Whether packages that moved in a lock are old enough: nobody asked for them, and the cooldown is for them too.

use super::look;
use super::relock::Relocker;
use crate::model::change::Why;
use crate::plan::describe::LockMove;
use crate::world::registries::pypi::{Places, Pypi};
use crate::world::runtime;
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// When versions of packages were released.
pub type Released = BTreeMap<(String, String), Timestamp>;

/// The first package that is too young, or whose age nobody knows, holds the whole; else when each was released.
pub fn check(rows: &[&LockMove], days: u32, now: Timestamp, with: &Relocker<'_>) -> Result<Released, Why> {
    let mut dates = Released::new();
    let named = look::named(&with.base.project, |_| true);
    let places = Places::of(&named, with.environment, &|_| None).map_err(Why::Other)?;
    let asked = runtime::block_on(async {
        let pypi = Pypi::new(with.http.clone(), places, with.environment, with.folder.clone());
        join_all(rows.iter().map(|row| {
            let pypi = &pypi;
            async move { pypi.look_up(&row.name.as_str().into()).await }
        }))
        .await
    });
    let asked = asked.map_err(|error| Why::Other(error.to_string()))?;
    for (row, listing) in rows.iter().zip(asked) {
        let Ok(listing) = listing else { return Err(unknown(row)) };
        for version in row.to.iter().flat_map(|to| to.split(", ")) {
            let known = row.from.as_deref().is_some_and(|from| from.split(", ").any(|old| old == version));
            if known || version.is_empty() {
                continue;
            }
            let release = listing.releases.iter().find(|release| release.version.to_string() == version);
            let uploaded = release.and_then(|release| release.oldest);
            let Some(at) = uploaded.and_then(|at| Timestamp::from_millisecond(at).ok()) else {
                return Err(unknown(row));
            };
            match at.checked_add((i64::from(days) * 24).hours()) {
                Ok(ripe) if ripe > now => {
                    let text = format!(
                        "it would take {} {version} along, which may be taken from {} on",
                        row.name,
                        ripe.strftime("%Y-%m-%d")
                    );
                    return Err(Why::NothingFits(text));
                }
                _ => dates.insert((row.name.clone(), version.to_string()), at),
            };
        }
    }
    Ok(dates)
}

fn unknown(row: &LockMove) -> Why {
    let version = row.to.as_deref().unwrap_or("");
    Why::NothingFits(format!("it would take {} {version} along, whose age is not known", row.name))
}
