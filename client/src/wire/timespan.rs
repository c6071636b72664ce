//! The service's time spans: .NET's `TimeSpan` as text, `[-][d.]h:m:s[.f]` (docs/service.md, "Time spans").

use std::time::Duration;

/// Parses a time span. `None` if it is malformed, negative, or has a field out of range.
///
/// 24 hours or more are rejected, not guessed at: .NET reads `24:00:00` as 24 *days*.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (days_and_hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (days, hours) = match days_and_hours.split_once('.') {
        Some((days, hours)) => (number(days, 8, u64::MAX)?, hours),
        None => (0, days_and_hours),
    };
    let (seconds, nanoseconds) = match seconds.split_once('.') {
        Some((seconds, fraction)) => (seconds, fraction_in_nanoseconds(fraction)?),
        None => (seconds, 0),
    };
    let minutes = number(hours, 2, 23)? * 60 + number(minutes, 2, 59)?;
    Some(Duration::new(days * 86_400 + minutes * 60 + number(seconds, 2, 59)?, nanoseconds))
}

/// Formats whole seconds: `hh:mm:ss` below 24 hours, `d.hh:mm:ss` from there.
pub(crate) fn format(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let clock = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if days == 0 { clock } else { format!("{days}.{clock}") }
}

fn number(digits: &str, longest: usize, largest: u64) -> Option<u64> {
    let plain = !digits.is_empty() && digits.len() <= longest && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok().filter(|value| *value <= largest) } else { None }
}

/// .NET writes seven digits (ticks of 100 ns) and drops trailing zeros; one to seven are accepted.
fn fraction_in_nanoseconds(digits: &str) -> Option<u32> {
    let value = u32::try_from(number(digits, 7, u64::MAX)?).ok()?;
    Some(value * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_seen_in_traffic_is_read() {
        for (text, seconds) in [
            ("4:0:0", 14_400),
            ("00:00:01", 1),
            ("04:00:00", 14_400),
            ("23:59:59", 86_399),
            ("1.00:00:00", 86_400),
            ("10.2:03:04", 871_384),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("00:00:01.5"), Some(Duration::from_millis(1_500)));
        assert_eq!(parse("00:00:00.0000001"), Some(Duration::from_nanos(100)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "4",
            "4:0",
            "24:00:00",
            "0:60:0",
            "0:0:60",
            "-1:00:00",
            "1:2:3:4",
            "+1:00:00",
            " 1:00:00",
            "1:00:00.",
            "1:00:00.12345678",
            "1..0:00:00",
            "a:b:c",
            "١:0:0",
            "123456789.00:00:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn written_time_spans_are_padded_and_never_have_24_hours() {
        assert_eq!(format(Duration::from_secs(14_400)), "04:00:00");
        assert_eq!(format(Duration::from_secs(86_399)), "23:59:59");
        assert_eq!(format(Duration::from_secs(86_400)), "1.00:00:00");
    }

    #[test]
    fn written_time_spans_are_read_back() {
        for seconds in (0..10_000_000).step_by(9_973) {
            let span = Duration::from_secs(seconds);
            assert_eq!(parse(&format(span)), Some(span));
        }
    }
}
