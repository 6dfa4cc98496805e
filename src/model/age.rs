//! Ages as tools write them: days of timestamps, and spans such as `7 days` or `P7D`. Knows no tool.

/// The day of `2024-09-15T18:07:37Z`, or of milliseconds since 1970, counted from 1970.
pub fn day(text: &str) -> Option<i64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(|milliseconds| milliseconds / 86_400_000);
    }
    let mut parts = text.get(..10)?.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // Days of the civil calendar, years from March.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Whole days of a span: `7 days`, `1 week 2 days`, `24h`, `14`, `P7D`, `PT36H`. Parts of a day count as one.
pub fn span_days(text: &str) -> Option<u32> {
    let text = text.trim();
    let (text, mut time) = match text.strip_prefix(['P', 'p']) {
        Some(rest) => (rest, false),
        None => (text, true),
    };
    if let Some(days) = text.parse().ok().filter(|_| time) {
        return Some(days);
    }
    let mut hours: u64 = 0;
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T').filter(|_| !time) {
            (rest, time) = (after, true);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
        let number: u64 = rest[..end].parse().ok()?;
        let unit = rest[end..].trim_start();
        let len = unit.find(|c: char| !c.is_ascii_alphabetic() || c == 'T').unwrap_or(unit.len());
        hours = hours.checked_add(number.checked_mul(hours_of(&unit[..len], time)?)?)?;
        rest = unit[len..].trim_start_matches([' ', ',']);
    }
    (hours > 0 || text.starts_with('0')).then(|| hours.div_ceil(24) as u32)
}

/// The hours of a unit; `M` is a month before the `T` of ISO 8601 and minutes behind it.
fn hours_of(unit: &str, time: bool) -> Option<u64> {
    Some(match unit.to_ascii_lowercase().trim_end_matches('s') {
        "h" | "hr" | "hour" => 1,
        "d" | "day" => 24,
        "w" | "wk" | "week" => 7 * 24,
        "mo" | "month" => 30 * 24,
        "y" | "yr" | "year" => 365 * 24,
        "m" if !time => 30 * 24,
        // Less than an hour is no age of a release.
        "m" | "min" | "minute" | "" | "sec" | "second" => 0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970() {
        assert_eq!(day("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(day("2024-02-29"), Some(19_782));
        assert_eq!(day("1578324546067"), Some(18_267));
        assert_eq!((day("soon"), day("")), (None, None));
    }

    #[test]
    fn spans_are_read_in_every_spelling() {
        for (text, days) in [
            ("7 days", Some(7)),
            ("1 week", Some(7)),
            ("1 week, 2 days", Some(9)),
            ("24 hours", Some(1)),
            ("30h", Some(2)),
            ("14", Some(14)),
            ("P7D", Some(7)),
            ("P1W", Some(7)),
            ("PT36H", Some(2)),
            ("P1DT12H", Some(2)),
            ("P1M", Some(30)),
            ("2024-01-01", None),
            ("a while", None),
            ("", None),
        ] {
            assert_eq!(span_days(text), days, "{text}");
        }
    }
}
