//! The journal's text format. The first line names the format. Each further line is a change: a checksum, a space, and
//! JSON. A record's latest line is the one that counts.

use super::record::{Record, RecordId};
use serde_json::Value;
use std::collections::HashMap;

pub(super) const HEADER: &str = "arr-session journal 2\n";
/// The beginning of every journal, of any format.
const ANY_HEADER: &str = "arr-session journal";

/// The contents of a file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Contents {
    /// The records that are still needed, in the order of their first lines.
    pub(super) records: Vec<Record>,
    /// Whether there are lines of a later version, which this one cannot interpret.
    pub(super) later: bool,
    /// Whether there are complete lines that cannot be read. They may have named sessions.
    pub(super) damaged: bool,
    /// The length up to the end of the last complete line. What follows was cut off during a write.
    pub(super) length: u64,
}

/// Why a file cannot be read as a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    /// A journal of a later or an earlier version.
    Format,
    /// Something else.
    Other,
}

/// The line of a record's current state.
pub(super) fn of_record(record: &Record) -> String {
    line(&record.to_json())
}

/// Why a file no longer needs a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The session has ended, or was certainly not created.
    Ended,
    /// Another file has the record.
    Moved,
}

/// The line of a record that is no longer needed.
pub(super) fn of_end(id: RecordId, why: Why) -> String {
    let word = match why {
        Why::Ended => ENDED,
        Why::Moved => MOVED,
    };
    line(&format!(r#"{{"id":"{id}","state":"{word}"}}"#))
}

fn line(json: &str) -> String {
    format!("{:016x} {json}\n", checksum(json))
}

const ENDED: &str = "ended";
const MOVED: &str = "moved";

/// Reads a whole file. Damaged lines are skipped.
pub(super) fn parse(bytes: &[u8]) -> Result<Contents, Foreign> {
    if HEADER.as_bytes().starts_with(bytes) && bytes.len() < HEADER.len() {
        // Its owner died while creating it.
        return Ok(Contents::default());
    }
    if !bytes.starts_with(HEADER.as_bytes()) {
        return Err(if bytes.starts_with(ANY_HEADER.as_bytes()) { Foreign::Format } else { Foreign::Other });
    }
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (mut records, mut places) = (Vec::new(), HashMap::new());
    let (mut later, mut damaged) = (false, false);
    for line in bytes[HEADER.len()..whole].split(|byte| *byte == b'\n') {
        match parse_line(line) {
            None => damaged |= !line.is_empty(),
            Some(Line::Later) => later = true,
            Some(Line::Ended(id)) => {
                if let Some(place) = places.remove(&id) {
                    records[place] = None;
                }
            }
            Some(Line::Record(record)) => {
                let place = *places.entry(record.id).or_insert_with(|| {
                    records.push(None);
                    records.len() - 1
                });
                records[place] = Some(record);
            }
        }
    }
    let records = records.into_iter().flatten().collect();
    Ok(Contents { records, later, damaged, length: whole as u64 })
}

enum Line {
    Record(Record),
    Ended(RecordId),
    /// Of a later version.
    Later,
}

/// `None` if it is damaged.
fn parse_line(line: &[u8]) -> Option<Line> {
    let (sum, json) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    if sum != format!("{:016x}", checksum(json)) {
        return None;
    }
    if let Some(record) = Record::from_json(json) {
        return Some(Line::Record(record));
    }
    let members: Value = serde_json::from_str(json).unwrap_or_default();
    let has_ended = [ENDED, MOVED].contains(&members["state"].as_str().unwrap_or_default());
    let ended = members["id"].as_str().filter(|_| has_ended).and_then(RecordId::parse);
    Some(ended.map_or(Line::Later, Line::Ended))
}

/// 64-bit FNV-1a. Changing a single byte always changes it.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::super::record::RecordState;
    use super::*;
    use crate::model::{Lease, NewSession, SessionSize};
    use crate::wire::tests::service;
    use proptest::prelude::*;
    use std::time::Duration;

    fn record(ms: u64) -> Record {
        let new = NewSession::new(SessionSize::Standard, Lease::from_secs(60).unwrap());
        Record::new(Duration::from_millis(ms), &service(), &new)
    }

    /// Three records, of which one changes and one ends, and the state after each line.
    fn history() -> (Vec<String>, Vec<Vec<Record>>) {
        let (first, second, third) = (record(1), record(2), record(3));
        let mut lost = first.clone();
        lost.state = RecordState::Lost;
        let lines = vec![
            of_record(&first),
            of_record(&second),
            of_record(&lost),
            of_end(second.id, Why::Ended),
            of_record(&third),
            of_end(third.id, Why::Moved),
        ];
        let known = vec![
            vec![],
            vec![first.clone()],
            vec![first, second.clone()],
            vec![lost.clone(), second],
            vec![lost.clone()],
            vec![lost.clone(), third],
            vec![lost],
        ];
        (lines, known)
    }

    fn text(lines: &[String]) -> String {
        HEADER.to_owned() + &lines.concat()
    }

    #[test]
    fn a_truncated_journal_has_the_records_of_its_complete_lines() {
        let (lines, known) = history();
        let whole = text(&lines);
        let ends: Vec<usize> = (0..=lines.len()).map(|count| text(&lines[..count]).len()).collect();
        for cut in 0..=whole.len() {
            let count = ends.iter().filter(|end| **end <= cut).count();
            let contents = parse(&whole.as_bytes()[..cut]).unwrap();
            assert_eq!(contents.records, known[count.saturating_sub(1)], "cut at {cut}");
            let end = if count == 0 { 0 } else { ends[count - 1] };
            assert_eq!(contents.length, end as u64, "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_byte_costs_at_most_one_line() {
        let (lines, _) = history();
        let whole = text(&lines);
        for position in HEADER.len()..whole.len() {
            for flip in [0x01, 0x20, 0x80, 0xff] {
                let mut bytes = whole.clone().into_bytes();
                bytes[position] ^= flip;
                let read = parse(&bytes).unwrap().records;
                let without = |lost: std::ops::Range<usize>| {
                    let kept: Vec<String> = lines[..lost.start].iter().chain(&lines[lost.end..]).cloned().collect();
                    parse(text(&kept).as_bytes()).unwrap().records
                };
                let mut hit = 0;
                while text(&lines[..=hit]).len() <= position {
                    hit += 1;
                }
                // A damaged line end also costs the following line.
                let allowed = [without(hit..hit + 1), without(hit..(hit + 2).min(lines.len())), without(0..0)];
                assert!(allowed.contains(&read), "byte {position} changed by {flip:#x}: {read:?}");
            }
        }
    }

    #[test]
    fn a_line_of_a_later_version_is_detected() {
        let later = line(r#"{"id":"b9f1a2f0-0000-4000-8000-000000000000","state":"paused","colour":"blue"}"#);
        let contents = parse(text(&[of_record(&record(1)), later]).as_bytes()).unwrap();
        assert!(contents.later && contents.records.len() == 1);
        let (lines, _) = history();
        assert!(!parse(text(&lines).as_bytes()).unwrap().later);
    }

    #[test]
    fn other_files_are_not_journals() {
        for other in ["x", "{}", "\n", "# arr-session journal", "arr-sessions, a list", "\0\0\0\0"] {
            assert_eq!(parse(other.as_bytes()), Err(Foreign::Other), "{other:?}");
        }
        for other in ["arr-session journal\n\n00 {}", "arr-session journal 3\n"] {
            assert_eq!(parse(other.as_bytes()), Err(Foreign::Format), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[HEADER.as_bytes(), &bytes].concat());
            let _ = parse(text(&[line(&String::from_utf8_lossy(&bytes))]).as_bytes());
        }
    }
}
