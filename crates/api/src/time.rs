//! Times as the API shows them: RFC 3339 in UTC with `Z`.

/// Milliseconds since the epoch; whole seconds are shown without a fraction.
pub fn from_millis(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| String::new(), |time| time.to_string())
}

/// Seconds since the epoch.
pub fn from_seconds(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(from_millis(1_767_225_600_000), "2026-01-01T00:00:00Z");
        assert_eq!(from_millis(1_767_225_600_250), "2026-01-01T00:00:00.25Z");
        assert_eq!(from_seconds(1_767_225_600), "2026-01-01T00:00:00Z");
    }
}
