//! Times as the API shows them: RFC 3339 in UTC with `Z`.

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};

/// The first second whose year has four digits, as RFC 3339 requires: 0000-01-01. jiff's last
/// second is in the year 9999.
const FIRST: Timestamp = Timestamp::constant(-62_167_219_200, 0);

/// Formats milliseconds since the epoch. Whole seconds are shown without a fraction.
pub(crate) fn from_millis(millis: i64) -> String {
    text(Timestamp::from_millisecond(millis))
}

/// Formats seconds since the epoch.
pub(crate) fn from_seconds(seconds: i64) -> String {
    text(Timestamp::from_second(seconds))
}

fn text(time: Result<Timestamp, jiff::Error>) -> String {
    shown(time).map_or_else(String::new, |time| time.to_string())
}

/// Appends seconds since the epoch without an allocation. Appends nothing for a year that does not
/// have four digits.
pub(crate) fn write_seconds(out: &mut Vec<u8>, seconds: i64) {
    const PRINTER: DateTimePrinter = DateTimePrinter::new();
    if let Some(time) = shown(Timestamp::from_second(seconds)) {
        // Writing to a vector can't fail.
        let _ = PRINTER.print_timestamp(&time, out);
    }
}

fn shown(time: Result<Timestamp, jiff::Error>) -> Option<Timestamp> {
    time.ok().filter(|time| *time >= FIRST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn written(seconds: i64) -> String {
        let mut out = Vec::new();
        write_seconds(&mut out, seconds);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        for (millis, text) in [
            (1_767_225_600_000, "2026-01-01T00:00:00Z"),
            (1_767_225_600_250, "2026-01-01T00:00:00.25Z"),
            (1_767_225_600_005, "2026-01-01T00:00:00.005Z"),
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (-1000, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(from_millis(millis), text);
        }
        assert_eq!(from_seconds(1_767_225_600), "2026-01-01T00:00:00Z");
        assert_eq!(written(1_767_225_600), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn only_years_of_four_digits_are_shown() {
        let (first, last) = (FIRST.as_second(), Timestamp::MAX.as_second());
        for (seconds, text) in [
            (first, "0000-01-01T00:00:00Z"),
            (last, "9999-12-30T22:00:00Z"),
            (first - 1, ""),
            (last + 1, ""),
            (i64::MIN, ""),
            (i64::MAX, ""),
        ] {
            assert_eq!(
                (written(seconds).as_str(), from_seconds(seconds).as_str()),
                (text, text)
            );
        }
        assert_eq!(from_millis(i64::MAX), "");
        assert_eq!(from_millis(i64::MIN), "");
    }
}
