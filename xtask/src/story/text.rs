//! Compares output with the texts in `tests/story`.

use anyhow::{Context as _, Result, anyhow};
use regex::Regex;
use snapbox::{Assert, Data, IntoData as _, Redactions};

use crate::process::Finished;
use crate::workspace::Workspace;

/// The ports of every session at the emulator, which would otherwise invent them.
pub(crate) const PORTS: &str = "50051,50052";

/// The placeholders in `tests/story` for parts that differ between runs.
const VARIABLE: [(&str, &str); 4] = [
    ("[HOST]", r"(?m)^  hostname   (?<redacted>[A-Za-z0-9.-]+)$"),
    ("[DOTS]", r"(?m)^  starting (?<redacted>\.+) ready"),
    ("[N]", r" ready after about (?<redacted>[0-9]+) s\n"),
    ("[N]", r" s, of which (?<redacted>[0-9]+) s are left\n"),
];

/// Compares standard output with a text of `tests/story`.
pub(crate) fn expect(workspace: &Workspace, name: &str, Finished { stdout, .. }: &Finished) -> Result<()> {
    let mut redactions = Redactions::new();
    redactions.insert("[VERSION]", workspace.version.clone())?;
    for (placeholder, pattern) in VARIABLE {
        redactions.insert(placeholder, regex(pattern)?)?;
    }
    if let Some((_, rest)) = stdout.split_once("  id         ") {
        // Everywhere: all lines must name the same session.
        redactions.insert("[SESSION]", rest.lines().next().unwrap_or_default().to_owned())?;
    }
    let wanted = Data::read_from(&workspace.root.join(format!("tests/story/{name}.txt")), None);
    let compared = Assert::new().redact_with(redactions).try_eq(Some(&"standard output"), stdout.into_data(), wanted);
    compared.map_err(|difference| anyhow!("{difference}"))
}

fn regex(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).with_context(|| format!("`{pattern}` is not a pattern"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::End;

    const OUTPUT: &str = "\
arr_session 0.1.0
Creating a rendering session
  id         12345678-90ab-cdef-1234-567890abcdef
Waiting until it is ready
  starting .. ready after about 1 s
  status     ready
  hostname   a1.example-b.com
  ports      50052 handshake, 50051 inspector
  lease      1800 s, of which 1799 s are left
Extending its lease to an hour in all
Stopping it
  status     stopped
";

    fn is_the_same(stdout: &str) -> bool {
        let workspace = Workspace::find().unwrap();
        let stdout = stdout.replacen("0.1.0", &workspace.version, 1);
        let run = Finished { end: End::TooLong(std::time::Duration::ZERO), stdout, stderr: String::new() };
        expect(&workspace, "no-lease", &run).is_ok()
    }

    #[test]
    fn only_placeholders_may_differ_between_runs() {
        assert!(is_the_same(OUTPUT));
        let other = OUTPUT
            .replace("12345678-90ab", "00000000-0000")
            .replace(" .. ready after about 1 s", " ..... ready after about 23 s");
        assert!(is_the_same(&other.replace("a1.example-b.com", "c.example.com").replace("1799 s are", "7 s are")));
        for (from, to) in [
            ("starting .. ready", "starting ready"),
            ("about 1 s", "about 1.5 s"),
            ("a1.example-b.com", "a1 example"),
            ("1800 s", "1801 s"),
            ("  status     ready\n", ""),
            ("stopped\n", "stopped"),
        ] {
            assert!(!is_the_same(&OUTPUT.replacen(from, to, 1)), "{from:?} -> {to:?}");
        }
    }
}
