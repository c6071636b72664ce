//! Dates with a time as REST 2021-01-01 writes them, such as `2021-01-29T16:04:29.1569219+00:00`.

use std::time::Duration;

use time::OffsetDateTime;

/// 9999-12-31T23:59:59Z since 1970: the date formats, here and in HTTP, have four digits for the year.
pub(crate) const LAST_SECOND: u64 = 253_402_300_799;

/// A time since 1970 as .NET writes a `DateTimeOffset`: in units of 100 ns, without trailing zeros.
pub(crate) fn format(unix_time: Duration) -> String {
    without_zone(unix_time) + "+00:00"
}

/// A time since 1970 as .NET writes a `DateTime` in UTC, which ends in `Z`.
pub(crate) fn format_utc(unix_time: Duration) -> String {
    without_zone(unix_time) + "Z"
}

fn without_zone(unix_time: Duration) -> String {
    let time = seconds(unix_time);
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        time.year(),
        time.month() as u8,
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    let fraction = format!(".{:07}", unix_time.subsec_nanos() / 100);
    text.push_str(fraction.trim_end_matches('0').trim_end_matches('.'));
    text
}

/// The time in whole seconds.
fn seconds(unix_time: Duration) -> OffsetDateTime {
    let seconds = unix_time.as_secs().min(LAST_SECOND);
    OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_no_trailing_zeros() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "1970-01-01T00:00:00+00:00"),
            (1_611_936_269, 156_921_999, "2021-01-29T16:04:29.1569219+00:00"),
            (1_616_433_083, 214_787_000, "2021-03-22T17:11:23.214787+00:00"),
            (1_709_210_096, 99, "2024-02-29T12:34:56+00:00"),
            (u64::MAX, 500_000_000, "9999-12-31T23:59:59.5+00:00"),
        ] {
            assert_eq!(format(Duration::new(seconds, nanoseconds)), text);
        }
        assert_eq!(format_utc(Duration::new(1_663_117_419, 687_130_000)), "2022-09-14T01:03:39.68713Z");
    }
}
