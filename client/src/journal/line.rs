//! The journal's text format. The first line identifies the file. Each record is one line with its own line end on both
//! sides, so that a damaged byte costs at most one record. A line is a checksum, a space, and JSON.

use super::record::Record;

/// One intact line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    Record(Record),
    /// The JSON of a later version, preserved unchanged.
    Later(String),
}

const HEADER: &str = "arr-session journal";

/// The text of a journal with these lines.
pub(super) fn to_text(lines: &[Line]) -> String {
    let mut text = format!("{HEADER}\n");
    for line in lines {
        let json = match line {
            Line::Record(record) => &record.to_json(),
            Line::Later(json) => json,
        };
        text.push_str(&format!("\n{:016x} {json}\n", checksum(json)));
    }
    text
}

/// The intact lines of a journal; `None` if this is not a journal.
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<Line>> {
    let lines: Vec<Line> = bytes.split(|byte| *byte == b'\n').filter_map(parse_line).collect();
    (!lines.is_empty() || has_header(bytes) || is_blank(bytes)).then_some(lines)
}

fn parse_line(line: &[u8]) -> Option<Line> {
    let (sum, json) = std::str::from_utf8(line.trim_ascii()).ok()?.split_once(' ')?;
    if sum != format!("{:016x}", checksum(json)) {
        return None;
    }
    Some(Record::from_json(json).map_or_else(|| Line::Later(json.to_owned()), Line::Record))
}

/// Whether the text starts like a journal, possibly damaged: it may be truncated, and one byte in eight may be wrong.
fn has_header(bytes: &[u8]) -> bool {
    let pairs = || HEADER.bytes().zip(bytes);
    pairs().filter(|(expected, found)| expected != *found).count() * 8 <= pairs().count()
}

/// Some file systems leave a file of zeros after a power failure.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// 64-bit FNV-1a. Changing a single byte always changes it.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::super::record::OwnerId;
    use super::*;
    use crate::model::{Lease, NewSession, SessionSize};
    use crate::wire::tests::service;
    use proptest::prelude::*;
    use std::ops::Range;
    use std::time::Duration;

    fn lines() -> Vec<Line> {
        let new = NewSession::new(SessionSize::Standard, Lease::from_secs(60).unwrap());
        let record = |ms| Line::Record(Record::new(OwnerId::new(), Duration::from_millis(ms), &service(), &new));
        vec![record(1), Line::Later(r#"{"format":2,"name":"Zoë"}"#.into()), record(3), record(4)]
    }

    /// The byte range of each line in the text, including its own line ends.
    fn places(lines: &[Line]) -> Vec<Range<usize>> {
        (0..lines.len()).map(|n| to_text(&lines[..n]).len()..to_text(&lines[..=n]).len()).collect()
    }

    #[test]
    fn a_journal_cut_anywhere_gives_all_records_before_the_cut() {
        let lines = lines();
        let (text, places) = (to_text(&lines), places(&lines));
        for cut in 0..=text.len() {
            // A line without its line end is intact.
            let whole = places.iter().filter(|place| place.end - 1 <= cut).count();
            assert_eq!(parse(&text.as_bytes()[..cut]).as_deref(), Some(&lines[..whole]), "cut at {cut}");
        }
    }

    #[test]
    fn a_journal_with_any_byte_changed_gives_all_other_records() {
        let lines = lines();
        let (text, places) = (to_text(&lines), places(&lines));
        for position in 0..text.len() {
            for flip in [0x01, 0x20, 0x80, 0xff] {
                let mut bytes = text.clone().into_bytes();
                bytes[position] ^= flip;
                let read = parse(&bytes).unwrap_or_else(|| panic!("no journal with byte {position} changed"));
                let mut left = lines.clone();
                if let Some(hit) = places.iter().position(|place| place.contains(&position))
                    && read.len() < lines.len()
                {
                    left.remove(hit);
                }
                assert_eq!(read, left, "byte {position} changed by {flip:#x}");
            }
        }
    }

    #[test]
    fn a_journal_with_a_hole_of_zeros_gives_the_records_around_it() {
        let lines = lines();
        let (text, places) = (to_text(&lines), places(&lines));
        let mut bytes = text.into_bytes();
        bytes[..places[1].start + 5].fill(0);
        assert_eq!(parse(&bytes).unwrap(), lines[2..]);
        bytes.fill(0);
        assert_eq!(parse(&bytes).unwrap(), []);
    }

    #[test]
    fn an_empty_journal_is_one_with_any_byte_changed_and_with_other_line_ends() {
        let text = to_text(&[]);
        for position in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[position] ^= 0xff;
            assert_eq!(parse(&bytes), Some(Vec::new()));
        }
        let lines = lines();
        assert_eq!(parse(to_text(&lines).replace('\n', "\r\n").as_bytes()), Some(lines));
    }

    #[test]
    fn other_files_are_no_journals() {
        for other in ["x", "{}", "\n", "# arr-session journal", "arr-sessions, a list", "\0\0\0\x18ftypmp42"] {
            assert_eq!(parse(other.as_bytes()), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_read(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let sealed = String::from_utf8_lossy(&bytes).replace('\n', "");
            let _ = parse(format!("{:016x} {sealed}", checksum(&sealed)).as_bytes());
        }
    }
}
