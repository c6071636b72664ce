//! The quickstarts tell the same story, word for word: every language, every runtime, both versions of the REST API.

mod failures;
pub(crate) mod normalise;
pub(crate) mod tellers;

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::context::{Context, STARTUP};
use crate::emulator::{ApiVersion, Emulator, Scheme};
use crate::parallel;
use crate::step::Report;
use crate::story::normalise::normalise;
use crate::story::tellers::{Teller, Telling};
use crate::workspace::Workspace;

/// The ports that the emulator leads every session to; it would invent others for each.
pub(crate) const PORTS: &str = "50051,50052";

/// How the story ends: a program that says nothing at all would agree with another of its kind.
pub(crate) const LAST_WORDS: &str = "Stopping it\n  status     stopped\n";

/// They all tell the same story, and fail in the same way.
pub(crate) fn check(context: &Context) -> Result<Report> {
    let tellers = tellers::compile(context)?;
    let Story { mut problems, lines } = compare(&context.workspace, &context.emulators()?.program, &tellers);
    if problems.is_empty() {
        problems = failures::check(context, &tellers)?;
    }
    let names: Vec<&str> = tellers.iter().map(|teller| &*teller.name).collect();
    let summary = format!(
        "{}: {lines} lines over HTTPS with both REST versions, all equal but for ids, hosts and times\n\
         a wrong key, a closed port and a refused lease end with an error message, and no session is left, even if nobody \
         reads on",
        names.join(", ")
    );
    Report::unless(problems, summary)
}

/// What came of having it told.
pub(crate) struct Story {
    pub(crate) problems: Vec<String>,
    /// How long it is.
    pub(crate) lines: usize,
}

/// Has each of them tell it with each version of the REST API; the first one's is the model.
pub(crate) fn compare(workspace: &Workspace, emulator: &Path, tellers: &[Teller]) -> Story {
    let runs: Vec<(&Teller, ApiVersion)> =
        ApiVersion::BOTH.into_iter().flat_map(|version| tellers.iter().map(move |teller| (teller, version))).collect();
    let tellings = parallel::map(&runs, |&(teller, version)| tell(workspace, emulator, teller, version));

    let mut problems = Vec::new();
    let mut told = Vec::new();
    for (&(teller, version), telling) in runs.iter().zip(tellings) {
        let name = format!("{}, REST {version}", teller.name);
        match telling.and_then(accept) {
            Ok(text) => told.push((name, text)),
            Err(error) => problems.push(format!("{name}: {error:#}")),
        }
    }
    if let Some((model, others)) = told.split_first() {
        problems.extend(others.iter().filter_map(|other| difference(model, other)));
    }
    let lines = told.first().map_or(0, |(_, text)| text.lines().count());
    Story { problems, lines }
}

/// Each telling has an emulator of its own: in a list of sessions there are no others then.
fn tell(workspace: &Workspace, program: &Path, teller: &Teller, version: ApiVersion) -> Result<Telling> {
    let name: String = teller.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let folder = workspace.scratch(&format!("xtask/story/{name}-{version}"))?;
    let emulator = Emulator::start(program, &folder, Scheme::Https, &["--startup", STARTUP, "--session-ports", PORTS])?;
    let telling = teller.tell(&emulator, version, &[])?;
    emulator.stop()?;
    Ok(telling)
}

/// What it has told, without what may differ; if it has told it well.
fn accept(telling: Telling) -> Result<String> {
    let good = telling.end.exit_code() == Some(0) && telling.stderr.is_empty();
    let text = normalise(&telling.stdout);
    let whole = text.ends_with(LAST_WORDS);
    (good && whole)
        .then_some(text)
        .with_context(|| format!("it should end well, with nothing on standard error: {}", telling.in_words()))
}

/// What two programs have told differently, line by line; `None` if it is the same.
fn difference((one, one_told): &(String, String), (other, other_told): &(String, String)) -> Option<String> {
    if one_told == other_told {
        return None;
    }
    // With their ends, so that one that is missing shows.
    let mut ones: Vec<&str> = one_told.split_inclusive('\n').collect();
    let mut others: Vec<&str> = other_told.split_inclusive('\n').collect();
    let same = ones.iter().zip(&others).take_while(|(one, other)| one == other).count();
    ones.drain(..same);
    others.drain(..same);
    while let (Some(last), Some(other_last)) = (ones.last(), others.last())
        && last == other_last
    {
        ones.pop();
        others.pop();
    }
    let mut lines = vec![format!("--- {one}"), format!("+++ {other}"), format!("@@ from line {} @@", same + 1)];
    lines.extend(ones.iter().map(|line| format!("-{}", line.escape_debug())));
    lines.extend(others.iter().map(|line| format!("+{}", line.escape_debug())));
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn the_same_is_no_difference() {
        assert_eq!(difference(&told("C", "a\nb\n"), &told("Rust", "a\nb\n")), None);
    }

    #[test]
    fn a_difference_names_both_programs_and_shows_where_they_part() {
        let diff = difference(&told("C", "a\nb\nc\nd\n"), &told("Rust", "a\nB\nB\nc\nd\n")).unwrap();
        assert_eq!(diff, "--- C\n+++ Rust\n@@ from line 2 @@\n-b\\n\n+B\\n\n+B\\n");
        let diff = difference(&told("C", "a\nb\n"), &told("Rust", "a\nb")).unwrap();
        assert_eq!(diff, "--- C\n+++ Rust\n@@ from line 2 @@\n-b\\n\n+b");
        let diff = difference(&told("C", "a\na\n"), &told("Rust", "a\n")).unwrap();
        assert_eq!(diff, "--- C\n+++ Rust\n@@ from line 2 @@\n-a\\n");
    }
}
