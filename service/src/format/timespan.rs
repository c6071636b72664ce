//! Time spans as the service writes them: `[-][d.]h:m:s[.f]` (`docs/service.md`, "Time spans").

use std::time::Duration;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;
/// The most days in `MOST_UNITS`.
const MOST_DAYS: u64 = 10_675_199;
/// The longest span, in units of 100 ns: .NET counts them in 64 bits.
const MOST_UNITS: u128 = i64::MAX as u128;

/// Why a text is not a time span that the service can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeSpanError {
    #[error("\"{0}\" is not a time span; write hours:minutes:seconds such as 4:0:0, or d.hh:mm:ss")]
    Unreadable(String),
    /// The service's parser reads such fields as days, hours and minutes, which is never what the client meant.
    #[error("\"{given}\" would be read as {hours} days; write {meant} for {hours} hours")]
    HoursReadAsDays { given: String, hours: u64, meant: String },
    #[error("\"{0}\" has a field out of range: hours go to 23, minutes and seconds to 59, days to {MOST_DAYS}")]
    OutOfRange(String),
    #[error("\"{0}\" is negative")]
    Negative(String),
}

/// Reads a time span.
pub(crate) fn parse(given: &str) -> Result<Duration, TimeSpanError> {
    let unreadable = || TimeSpanError::Unreadable(excerpt(given));
    let out_of_range = || TimeSpanError::OutOfRange(excerpt(given));

    let text = given.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut fields = text.split(':');
    let (Some(first), Some(minutes), Some(last), None) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(unreadable());
    };
    let (days, hours) = match first.split_once('.') {
        Some((days, hours)) => (Some(number(days).ok_or_else(unreadable)?), hours),
        None => (None, first),
    };
    let (seconds, nanoseconds) = match last.split_once('.') {
        Some((seconds, digits)) => (seconds, fraction(digits).ok_or_else(unreadable)?),
        None => (last, 0),
    };
    let [hours, minutes, seconds] = [hours, minutes, seconds].map(number);
    let (Some(hours), Some(minutes), Some(seconds)) = (hours, minutes, seconds) else {
        return Err(unreadable());
    };

    if hours > 23 && days.is_none() && hours <= MOST_DAYS && minutes < 60 && seconds < 60 {
        let meant = Duration::from_secs(hours * 3600 + minutes * 60 + seconds);
        return Err(TimeSpanError::HoursReadAsDays { given: excerpt(given), hours, meant: format(meant) });
    }
    let days = days.unwrap_or(0);
    if hours > 23 || minutes > 59 || seconds > 59 || days > MOST_DAYS {
        return Err(out_of_range());
    }
    let whole = days * SECONDS_A_DAY + hours * 3600 + minutes * 60 + seconds;
    let span = Duration::new(whole, nanoseconds);
    if span.as_nanos() / 100 > MOST_UNITS {
        return Err(out_of_range());
    }
    if negative && !span.is_zero() {
        return Err(TimeSpanError::Negative(excerpt(given)));
    }
    Ok(span)
}

/// Writes a time span: `hh:mm:ss`, or `d.hh:mm:ss` from one day on, with seven more digits for a fraction of a second.
pub(crate) fn format(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours) = (seconds / SECONDS_A_DAY, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    let days = if days > 0 { format!("{days}.") } else { String::new() };
    let fraction = match span.subsec_nanos() / 100 {
        0 => String::new(),
        units => format!(".{units:07}"),
    };
    format!("{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
}

/// Digits only: the standard library's parser would also take a sign.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit are still a number, one that is out of every range.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The digits after the point, 1 to 7 of them, in nanoseconds.
fn fraction(digits: &str) -> Option<u32> {
    if digits.len() > 7 {
        return None;
    }
    number(digits)?;
    format!("{digits:0<9}").parse().ok()
}

/// The text for an error message: enough to recognise it.
fn excerpt(text: &str) -> String {
    const MOST_CHARACTERS: usize = 40;
    text.chars().take(MOST_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> f64 {
        parse(text).unwrap_or_else(|error| panic!("{error}")).as_secs_f64()
    }

    #[test]
    fn every_spelling_of_the_service_is_read() {
        assert_eq!(seconds("4:0:0"), 14_400.0);
        assert_eq!(seconds("04:00:00"), 14_400.0);
        assert_eq!(seconds(" 0:0:1 "), 1.0);
        assert_eq!(seconds("23:59:59"), 86_399.0);
        assert_eq!(seconds("1.00:00:00"), 86_400.0);
        assert_eq!(seconds("10.1:2:3"), 867_723.0);
        assert_eq!(seconds("0:0:0.5"), 0.5);
        assert_eq!(seconds("0:0:0.0000001"), 0.000_000_1);
        assert_eq!(seconds("-0:0:0"), 0.0);
    }

    #[test]
    fn hours_from_24_on_are_refused_with_the_right_spelling() {
        let error = parse("24:00:00").expect_err("a trap");
        assert_eq!(error.to_string(), "\"24:00:00\" would be read as 24 days; write 1.00:00:00 for 24 hours");
        let error = parse("49:30:00").expect_err("a trap");
        assert!(error.to_string().contains("write 2.01:30:00 for 49 hours"), "{error}");
    }

    #[test]
    fn malformed_time_spans_are_refused() {
        for text in [
            "",
            "4",
            "4:0",
            "4:0:0:0",
            "a:b:c",
            "4::0",
            "+4:0:0",
            "4:+1:0",
            "1.2.3:0:0",
            ".4:0:0",
            "4.:0:0",
            "4:0:0.",
            "4:0:0.12345678",
            "4:0:0.1x",
            "--4:0:0",
            "٤:0:0",
            "4:0:0 h",
            "PT4H",
        ] {
            assert!(matches!(parse(text), Err(TimeSpanError::Unreadable(_))), "{text:?}");
        }
    }

    #[test]
    fn fields_out_of_range_are_refused() {
        for text in [
            "4:60:0",
            "4:0:60",
            "1.24:0:0",
            "10675200.00:00:00",
            "99999999999999999999:0:0",
            "99999999999999999999.0:0:0",
            "24:60:0",
            "10675199.02:48:05.4775808",
            "10675199.23:59:59",
        ] {
            assert!(matches!(parse(text), Err(TimeSpanError::OutOfRange(_))), "{text:?}");
        }
        assert!(parse("10675199.02:48:05.4775807").is_ok(), "the longest there is");
        assert!(matches!(parse("-4:0:0"), Err(TimeSpanError::Negative(_))));
    }

    #[test]
    fn days_are_written_from_one_day_on() {
        assert_eq!(format(Duration::ZERO), "00:00:00");
        assert_eq!(format(Duration::from_secs(1)), "00:00:01");
        assert_eq!(format(Duration::from_secs(14_400)), "04:00:00");
        assert_eq!(format(Duration::from_secs(86_399)), "23:59:59");
        assert_eq!(format(Duration::from_secs(86_400)), "1.00:00:00");
        assert_eq!(format(Duration::from_millis(500)), "00:00:00.5000000");
    }

    #[test]
    fn formatted_time_spans_parse_back() {
        for units in [0, 1, 10_000_000, 863_999_999_999, 864_000_000_000, 9_223_372_036_854_775_807_u64] {
            let span = Duration::new(units / 10_000_000, (units % 10_000_000) as u32 * 100);
            assert_eq!(parse(&format(span)), Ok(span));
        }
    }

    #[test]
    fn a_huge_text_gets_a_short_error_message() {
        let error = parse(&"9".repeat(100_000)).expect_err("no time span");
        assert!(error.to_string().len() < 200);
    }
}
