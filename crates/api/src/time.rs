//! Times as the API shows them: RFC 3339 in UTC with `Z`.

/// The seconds since the epoch that have a year of four digits, as RFC 3339 wants it: of 0000-01-01
/// to 9999-12-31.
const SHOWN: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

/// Milliseconds since the epoch; whole seconds are shown without a fraction.
pub(crate) fn from_millis(millis: i64) -> String {
    let mut text = Vec::with_capacity("0000-00-00T00:00:00.000Z".len());
    write_seconds(&mut text, millis.div_euclid(1000));
    let fraction = millis.rem_euclid(1000);
    if fraction > 0 && text.pop().is_some() {
        let digits = [fraction / 100, fraction / 10 % 10, fraction % 10].map(|digit| b'0' + digit as u8);
        text.push(b'.');
        text.extend_from_slice(&digits);
        while text.pop_if(|digit| *digit == b'0').is_some() {}
        text.push(b'Z');
    }
    String::from_utf8(text).unwrap_or_default()
}

/// Seconds since the epoch.
pub(crate) fn from_seconds(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}

/// Appends seconds since the epoch, without an allocation; nothing for a year that does not have
/// four digits.
pub(crate) fn write_seconds(out: &mut Vec<u8>, seconds: i64) {
    if !SHOWN.contains(&seconds) {
        return;
    }
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let mut text = *b"0000-00-00T00:00:00Z";
    let pairs = [
        (0, year / 100),
        (2, year % 100),
        (5, month),
        (8, day),
        (11, second / 3600),
        (14, second / 60 % 60),
        (17, second % 60),
    ];
    for (at, number) in pairs {
        text[at] += (number / 10) as u8;
        text[at + 1] += (number % 10) as u8;
    }
    out.extend_from_slice(&text);
}

/// Year, month and day of a number of days since the epoch: `civil_from_days` of Howard Hinnant's
/// "chrono-Compatible Low-Level Date Algorithms".
fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that a leap day is the last of its year; 146,097 days are 400
    // years.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(from_millis(1_767_225_600_000), "2026-01-01T00:00:00Z");
        assert_eq!(from_millis(1_767_225_600_250), "2026-01-01T00:00:00.25Z");
        assert_eq!(from_seconds(1_767_225_600), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn parts_of_a_second_are_shown_as_far_as_they_go() {
        for millis in [0, 1, 10, 100, 120, 123, 999, 1000, -1, -999, -1000, 1_767_225_600_005] {
            let time = jiff::Timestamp::from_millisecond(millis).unwrap();
            assert_eq!(from_millis(millis), time.to_string());
        }
        assert_eq!(from_millis(i64::MAX), "");
        assert_eq!(from_millis(i64::MIN), "");
    }

    #[test]
    fn the_quick_way_writes_the_same() {
        // A prime step of about eleven days passes every month, leap year and time of day.
        let known = *SHOWN.start()..jiff::Timestamp::MAX.as_second();
        for seconds in known.step_by(999_983).chain([-1, 0]) {
            let mut out = Vec::new();
            write_seconds(&mut out, seconds);
            assert_eq!(String::from_utf8(out).unwrap(), from_seconds(seconds));
        }
        let mut out = Vec::new();
        write_seconds(&mut out, *SHOWN.end());
        assert_eq!(out, b"9999-12-31T23:59:59Z");
        out.clear();
        for beyond in [*SHOWN.start() - 1, *SHOWN.end() + 1, i64::MIN, i64::MAX] {
            write_seconds(&mut out, beyond);
        }
        assert!(out.is_empty());
    }
}
