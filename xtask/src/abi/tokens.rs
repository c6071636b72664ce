//! C and C# in words, for simple readers of both.

/// The words of a source, without its comments. Names and numbers are words, with the points in them; a text in quotes is
/// one; so is a line that begins with `#`; any other character is one by itself.
pub(crate) fn tokens(source: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let line_begins =
            tokens.is_empty() || source[..source.len() - rest.len()].trim_end_matches([' ', '\t']).ends_with('\n');
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '#' if line_begins => {
                let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
                tokens.push(without_remark(line).to_owned());
                line.len()
            }
            '"' | '\'' => {
                let verbatim = source[..source.len() - rest.len()].ends_with('@') && first == '"';
                let length = quoted(rest, first, verbatim);
                tokens.push(rest[..length].to_owned());
                length
            }
            _ if is_word(first) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                tokens.push(rest[..length].to_owned());
                length
            }
            _ => {
                if !first.is_whitespace() {
                    tokens.push(first.to_string());
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

/// `@` stands before C# names that would be keywords.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '@')
}

fn without_remark(line: &str) -> &str {
    let end = [line.find("//"), line.find("/*")].into_iter().flatten().min().unwrap_or(line.len());
    line[..end].trim_end()
}

/// How long a text in quotes is, with them. In a verbatim one, as C# has them behind an `@`, a backslash is just one.
fn quoted(text: &str, quote: char, verbatim: bool) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = !verbatim,
            _ if c == quote => return index + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A whole number as both languages write them, in parentheses or not.
pub(crate) fn number(tokens: &[String]) -> Option<i64> {
    let words: Vec<&str> = tokens.iter().map(String::as_str).filter(|token| !matches!(*token, "(" | ")")).collect();
    match words[..] {
        ["UINT32_MAX" | "uint.MaxValue"] => Some(u32::MAX.into()),
        ["-", number] => number.parse::<i64>().ok().map(|number| -number),
        [number] => number.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_both_kinds_are_no_words() {
        let source = "int /* see f(x)\n // not a line */ a; // b /* not a block\nchar c; /** open(";
        assert_eq!(tokens(source), ["int", "a", ";", "char", "c", ";"]);
    }

    #[test]
    fn texts_and_directives_are_one_word_each() {
        let source = "  #define A (-1) // one\nuse(\"http://a \\\" b\", '\"', @event.Name);\n#if B && C";
        assert_eq!(
            tokens(source),
            [
                "#define A (-1)",
                "use",
                "(",
                "\"http://a \\\" b\"",
                ",",
                "'\"'",
                ",",
                "@event.Name",
                ")",
                ";",
                "#if B && C"
            ]
        );
    }

    #[test]
    fn a_backslash_ends_a_verbatim_text() {
        assert_eq!(tokens(r#"a(@"C:\", "\"") b"#), ["a", "(", "@", r#""C:\""#, ",", r#""\"""#, ")", "b"]);
    }

    #[test]
    fn reads_numbers_as_both_languages_write_them() {
        let read = |text: &str| number(&tokens(text));
        assert_eq!(read("(-101)"), Some(-101));
        assert_eq!(read("-101"), Some(-101));
        assert_eq!(read("UINT32_MAX"), read("uint.MaxValue"));
        assert_eq!(read("1 << 2"), None);
    }
}
