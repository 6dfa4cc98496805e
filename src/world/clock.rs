//! Today's date, for suppressions and baselines that expire. Verdicts never ask it by themselves: `--now` replaces it.

use jiff::civil::Date;

/// Today in UTC.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
