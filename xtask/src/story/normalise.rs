//! What may differ between two tellings of one story: session ids, host names, times and MS-CV; and nothing else.

use std::collections::BTreeMap;

/// Puts `{…}` in the place of what differs from run to run. Where it stands, and that it stands there, is kept; and so is
/// which session is which.
pub(crate) fn normalise(text: &str) -> String {
    let mut sessions = Sessions::default();
    text.split_inclusive('\n').map(|line| normalise_line(line, &mut sessions)).collect()
}

fn normalise_line(line: &str, sessions: &mut Sessions) -> String {
    let (line, end) = match line.strip_suffix('\n') {
        Some(line) => (line, "\n"),
        None => (line, ""),
    };
    // The host first: its name may begin with something that looks like an id.
    let line = after(line, "  hostname   ", "{host}", |c| c.is_ascii_alphanumeric() || ".-".contains(c));
    let line = sessions.name(&line);
    let line = after(&line, "  starting ", "{dots}", |c| c == '.');
    let line = after(&line, " ready after about ", "{n}", |c| c.is_ascii_digit());
    let line = after(&line, " s, of which ", "{n}", |c| c.is_ascii_digit());
    let line = after(&line, "MS-CV ", "{cv}", |c| c.is_ascii_alphanumeric() || "+/=.".contains(c));
    line + end
}

/// Replaces the characters of this kind that follow a mark, if there is at least one.
fn after(line: &str, mark: &str, placeholder: &str, is_one: impl Fn(char) -> bool) -> String {
    let Some((before, rest)) = line.split_once(mark) else {
        return line.to_owned();
    };
    let end = rest.find(|c| !is_one(c)).unwrap_or(rest.len());
    if end == 0 {
        return line.to_owned();
    }
    format!("{before}{mark}{placeholder}{}", &rest[end..])
}

/// The ids that were seen, in their order.
#[derive(Default)]
struct Sessions(BTreeMap<String, usize>);

impl Sessions {
    /// Replaces each GUID by a number that is that session's wherever it stands.
    fn name(&mut self, line: &str) -> String {
        let mut named = String::new();
        let mut rest = line;
        while let Some(start) = (0..rest.len()).find(|&start| rest.get(start..).is_some_and(begins_with_guid)) {
            let (guid, behind) = rest[start..].split_at(GUID_LENGTH);
            let next = self.0.len() + 1;
            let number = *self.0.entry(guid.to_owned()).or_insert(next);
            named.push_str(&format!("{}{{session {number}}}", &rest[..start]));
            rest = behind;
        }
        named + rest
    }
}

const GUID_LENGTH: usize = 36;

fn begins_with_guid(text: &str) -> bool {
    let Some(guid) = text.get(..GUID_LENGTH) else {
        return false;
    };
    guid.chars().enumerate().all(|(index, c)| match index {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_digit() || ('a'..='f').contains(&c),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\
arr_session 0.1.0
Creating a rendering session
  id         12345678-90ab-cdef-1234-567890abcdef
Waiting until it is ready
  starting .. ready after about 1 s
  status     ready
  hostname   a1.example-b.com
  ports      50051 handshake, 50052 inspector
  lease      1800 s, of which 1799 s are left
Listing the account's sessions
  12345678-90ab-cdef-1234-567890abcdef   ready, ours
";

    const NORMAL: &str = "\
arr_session 0.1.0
Creating a rendering session
  id         {session 1}
Waiting until it is ready
  starting {dots} ready after about {n} s
  status     ready
  hostname   {host}
  ports      50051 handshake, 50052 inspector
  lease      1800 s, of which {n} s are left
Listing the account's sessions
  {session 1}   ready, ours
";

    #[test]
    fn ids_hosts_times_and_correlation_vectors_are_replaced() {
        assert_eq!(normalise(TOLD), NORMAL);
        let error = "error: no\n       ARR_ERROR_UNAUTHORIZED, HTTP 401, MS-CV Ab+/1c.0\n";
        assert_eq!(normalise(error), "error: no\n       ARR_ERROR_UNAUTHORIZED, HTTP 401, MS-CV {cv}\n");
    }

    #[test]
    fn another_run_of_the_same_story_is_the_same() {
        let other = TOLD
            .replace("12345678-90ab", "00000000-0000")
            .replace(" .. ready after about 1 s", " ..... ready after about 23 s")
            .replace("a1.example-b.com", "aaaaaaaa-90ab-cdef-1234-567890abcdef.example.com")
            .replace("1799 s are", "7 s are");
        assert_eq!(normalise(&other), NORMAL);
    }

    /// Each changes one thing that matters.
    #[test]
    fn nothing_else_is_hidden() {
        for (from, to) in [
            ("0.1.0", "0.1.1"),
            ("  id         1", "  id        1"),
            ("  id         12345678-90ab-cdef-1234-567890abcdef", "  id         "),
            ("  12345678-90ab-cdef-1234-567890abcdef   ready", "  00000000-90ab-cdef-1234-567890abcdef   ready"),
            ("90abcdef\nWaiting", "90abcdef1\nWaiting"),
            ("12345678-90ab", "12345678-90AB"),
            ("starting .. ready", "starting ready"),
            ("starting .. ready", "starting ..  ready"),
            ("starting .. ready", "starting .. stopped"),
            ("about 1 s", "about 1.5 s"),
            ("about 1 s", "about  s"),
            ("about 1 s\n", "about 1 s \n"),
            ("a1.example-b.com", ""),
            ("a1.example-b.com", "a1 example"),
            ("50051", "50053"),
            ("1800 s", "1801 s"),
            ("1799 s are", "-1 s are"),
            ("1799 s are", "1799s are"),
            ("  status     ready\n", ""),
            ("ready, ours\n", "ready, ours\r\n"),
            ("ready, ours\n", "ready, ours"),
            ("ready, ours", "ready, somebody else's"),
            ("ours\n", "ours\n\n"),
        ] {
            let changed = TOLD.replacen(from, to, 1);
            assert_ne!(changed, TOLD, "{from} is not there");
            assert_ne!(normalise(&changed), NORMAL, "{from:?} -> {to:?}");
        }
    }
}
