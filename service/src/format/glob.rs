//! Path patterns: `*` matches anything within one segment, `**` anything.

/// A pattern for paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Byte(u8),
    WithinSegment,
    Anything,
}

impl Glob {
    pub(crate) fn new(text: &str) -> Glob {
        Glob { text: text.to_owned() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole path matches. For each byte, it keeps the set of positions in the pattern that the path can
    /// have reached, so the time is bounded by the product of the two lengths.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let parts = self.parts();
        let mut reached = vec![false; parts.len() + 1];
        reached[0] = true;
        skip_stars(&parts, &mut reached);
        for byte in path.bytes() {
            let mut next = vec![false; parts.len() + 1];
            for (place, part) in parts.iter().enumerate().filter(|(place, _)| reached[*place]) {
                match part {
                    Part::Byte(expected) => next[place + 1] |= byte == *expected,
                    Part::WithinSegment => next[place] |= byte != b'/',
                    Part::Anything => next[place] = true,
                }
            }
            skip_stars(&parts, &mut next);
            reached = next;
        }
        reached[parts.len()]
    }

    fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut bytes = self.text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            parts.push(match byte {
                b'*' if bytes.next_if_eq(&b'*').is_some() => Part::Anything,
                b'*' => Part::WithinSegment,
                other => Part::Byte(other),
            });
        }
        parts
    }
}

/// A star may match nothing.
fn skip_stars(parts: &[Part], reached: &mut [bool]) {
    for (place, part) in parts.iter().enumerate() {
        if reached[place] && !matches!(part, Part::Byte(_)) {
            reached[place + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn a_star_stays_within_its_segment_and_two_do_not() {
        for (pattern, path, fits) in [
            ("/v1/accounts/*/sessions/create", "/v1/accounts/a-1/sessions/create", true),
            ("/v1/accounts/*/sessions/create", "/v1/accounts/a/b/sessions/create", false),
            ("/v1/accounts/*/sessions", "/v1/accounts/a/sessions/create", false),
            ("/v1/accounts/*/sessions/*/properties", "/v1/accounts/a/sessions/b/properties", true),
            ("/v1/**", "/v1/accounts/a/sessions/b/properties", true),
            ("**/properties", "/v1/accounts/a/sessions/b/properties", true),
            ("**", "/", true),
            ("*", "/", false),
            ("/*", "/", true),
            ("/a*c", "/abc", true),
            ("/a*c", "/ac", true),
            ("/a*c", "/acb", false),
            ("/accounts/*/token", "/accounts/a/token", true),
            ("/accounts/x/token", "/accounts/x/token", true),
            ("/accounts/x/token", "/accounts/x/toke", false),
            ("", "", true),
            ("/é*", "/éa", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn a_malicious_pattern_is_matched_quickly() {
        let pattern = Glob::new(&"*a".repeat(100));
        assert!(!pattern.matches(&"a".repeat(5_000).replace('a', "b")));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(5_000))));
    }
}
