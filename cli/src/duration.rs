//! Lengths of time, as people write and read them, and as .NET does.

use std::time::Duration;

/// Parses `1h30m`, `90m`, or .NET's `1:30:00`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if text.contains(':') {
        return time_span(text);
    }
    humantime::parse_duration(text).map_err(|cause| format!("{cause}; write it like 1h30m, 45m or 1:30:00"))
}

/// Parses a .NET TimeSpan: `[d.]hh:mm[:ss[.fraction]]`, or days.
pub(crate) fn time_span(text: &str) -> Result<Duration, String> {
    let bad = || format!("\"{text}\" is not a time span; it looks like 1:30:00, or 1.00:00:00 for a day");
    let number = |text: &str| text.parse::<u64>().map_err(|_| bad());
    if !text.contains(':') {
        return Ok(Duration::from_secs(number(text)?.checked_mul(86_400).ok_or_else(bad)?));
    }
    let mut parts = text.split(':');
    let (first, minutes) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let seconds = parts.next().unwrap_or("0");
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let seconds = seconds.split('.').next().unwrap_or_default();
    let [days, hours, minutes, seconds] = [number(days)?, number(hours)?, number(minutes)?, number(seconds)?];
    if hours > 23 && days == 0 {
        return Err(format!("\"{text}\" has more than 23 hours, which .NET reads as days; write 1.00:00:00 for a day"));
    }
    if hours > 23 || minutes > 59 || seconds > 59 || parts.next().is_some() || days > 100_000 {
        return Err(bad());
    }
    Ok(Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60 + seconds))
}

/// A length for people: days with hours, hours with minutes, or less with seconds.
pub(crate) fn short(length: Duration) -> String {
    let seconds = length.as_secs();
    let unit = match seconds {
        86_400.. => 3_600,
        3_600.. => 60,
        _ => 1,
    };
    humantime::format_duration(Duration::from_secs(seconds - seconds % unit)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_in_both_forms() {
        for (text, seconds) in [
            ("1h30m", 5_400),
            ("90m", 5_400),
            ("1:30:00", 5_400),
            ("4:0:0", 14_400),
            ("1.00:00:00", 86_400),
            ("0:05", 300),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(time_span("1"), Ok(Duration::from_secs(86_400)));
        assert_eq!(time_span("01:00:00.5000000"), Ok(Duration::from_secs(3_600)));
        for bad in ["", "1", "soon", "24:00:00", "1:60:00", "1:00:00:00", "-1:00:00", "a:b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths_are_written_with_two_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_599, "59m 59s"),
            (5_400, "1h 30m"),
            (86_459, "1day"),
            (90_000, "1day 1h"),
        ] {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
    }
}
