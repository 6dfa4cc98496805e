//! Today's date and the time of a report, for suppressions and baselines that expire. Verdicts never ask it by themselves: `--now` replaces it.

use jiff::civil::Date;

/// Today in UTC.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Now.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The second of now, as Unix counts.
pub fn second() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Now in UTC, to the second: `2026-01-31T12:00:00Z`.
pub fn stamp() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

/// Now in milliseconds since 1970, for ages of releases.
pub fn now_millis() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
