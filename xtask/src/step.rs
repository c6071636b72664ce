//! A list of checks: run one after another, each told with its name and time, and counted at the end.

use std::env;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::EXIT_UNUSABLE;

/// One check. `C` is what the checks share.
pub(crate) struct Step<C> {
    name: &'static str,
    needs: &'static [&'static str],
    unavailable: Option<&'static str>,
    bare: bool,
    run: fn(&mut C) -> Result<Report>,
}

impl<C> Step<C> {
    pub(crate) const fn new(name: &'static str, run: fn(&mut C) -> Result<Report>) -> Self {
        Self { name, needs: &[], unavailable: None, bare: false, run }
    }

    /// The steps before it that must have passed, by their names.
    pub(crate) const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    /// Why it cannot be run on this system, if so.
    pub(crate) const fn unless(self, unavailable: Option<&'static str>) -> Self {
        Self { unavailable, ..self }
    }

    /// It reads the sources, and calls nothing but cargo and git.
    pub(crate) const fn bare(self) -> Self {
        Self { bare: true, ..self }
    }

    pub(crate) fn is_bare(&self) -> bool {
        self.bare
    }
}

impl<C> std::fmt::Display for Step<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)?;
        if !self.needs.is_empty() {
            write!(f, " (needs: {})", self.needs.join(", "))?;
        }
        Ok(())
    }
}

/// What a passed step has to say for itself: the first line goes behind its name, further ones below.
pub(crate) struct Report(pub(crate) String);

impl Report {
    /// Passes with `summary` unless there are problems, which are then told all together.
    pub(crate) fn unless(problems: Vec<String>, summary: String) -> Result<Self> {
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        Ok(Self(summary))
    }
}

/// Why a step cannot be run here, where only the step itself finds out. Like any skipped step it is an error where CI=true.
#[derive(Debug)]
pub(crate) struct Unavailable(pub(crate) String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

enum Outcome {
    Passed,
    Failed,
    Skipped(String),
    NotRun { needs: &'static str },
}

struct Told {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// How many steps ended in which way.
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

/// On a build server a check that does not run is a check that is believed to pass.
pub(crate) fn skips_are_forbidden() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

/// Ends a chore of which nothing can be run here: where nothing may be skipped, that is an error.
pub(crate) fn skip_all(reason: &str) -> ExitCode {
    if skips_are_forbidden() {
        eprintln!("{reason}");
        return ExitCode::from(EXIT_UNUSABLE);
    }
    println!("skipped: {reason}");
    ExitCode::SUCCESS
}

/// The steps that have `part` in their names, in whatever case, and those that they need. Empty if none has.
pub(crate) fn choose<C>(steps: &[Step<C>], part: &str) -> Vec<Step<C>> {
    let part = part.to_lowercase();
    let mut chosen: Vec<bool> = steps.iter().map(|step| step.name.to_lowercase().contains(&part)).collect();
    // From the end: what a step needs stands before it.
    for (index, step) in steps.iter().enumerate().rev() {
        if chosen[index] {
            for (chosen, earlier) in chosen.iter_mut().zip(&steps[..index]) {
                *chosen |= step.needs.contains(&earlier.name);
            }
        }
    }
    steps.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(step, _)| Step { ..*step }).collect()
}

/// Runs all steps, going on after a failure.
pub(crate) fn run_all<C>(steps: &[Step<C>], shared: &mut C) -> Result<Tally> {
    let mut told: Vec<Told> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        print!("[{:>2}/{}] {} … ", index + 1, steps.len(), step.name);
        std::io::stdout().flush()?;
        let started = Instant::now();
        let outcome = run_one(step, shared, &told, started);
        told.push(Told { name: step.name, outcome, took: started.elapsed() });
    }
    print_table(&told);
    Ok(count(&told))
}

fn run_one<C>(step: &Step<C>, shared: &mut C, before: &[Told], started: Instant) -> Outcome {
    if let Some(reason) = step.unavailable {
        return skipped(reason);
    }
    let was_skipped =
        |name: &&&str| before.iter().any(|told| told.name == **name && matches!(told.outcome, Outcome::Skipped(_)));
    if let Some(needs) = step.needs.iter().find(was_skipped) {
        return skipped(&format!("it needs {needs}"));
    }
    let passed = |name: &str| before.iter().any(|told| told.name == name && matches!(told.outcome, Outcome::Passed));
    if let Some(needs) = step.needs.iter().copied().find(|name| !passed(name)) {
        println!("not run: needs {needs}");
        return Outcome::NotRun { needs };
    }
    match (step.run)(shared) {
        Ok(Report(text)) => {
            println!(
                "ok, {}{}{}",
                seconds(started.elapsed()),
                if text.is_empty() { "" } else { ": " },
                indented(&text)
            );
            Outcome::Passed
        }
        Err(error) if error.is::<Unavailable>() => skipped(&format!("{error:#}")),
        Err(error) => {
            println!("FAILED, {}\n        {}", seconds(started.elapsed()), indented(&format!("{error:#}")));
            Outcome::Failed
        }
    }
}

fn skipped(reason: &str) -> Outcome {
    println!("skipped: {}", indented(reason));
    Outcome::Skipped(reason.to_owned())
}

fn print_table(told: &[Told]) {
    println!();
    for Told { name, outcome, took } in told {
        let took = seconds(*took);
        match outcome {
            Outcome::Passed => println!("  ok       {took:>9}  {name}"),
            Outcome::Failed => println!("  FAILED   {took:>9}  {name}"),
            Outcome::Skipped(reason) => {
                println!("  skipped  {:>9}  {name}: {}", "", reason.lines().next().unwrap_or_default());
            }
            Outcome::NotRun { needs } => println!("  not run  {:>9}  {name}: needs {needs}", ""),
        }
    }
    println!();
}

/// A step that could not be run because of another is one more thing that is not known to work: it counts as failed.
fn count(told: &[Told]) -> Tally {
    let mut tally = Tally { passed: 0, failed: 0, skipped: 0 };
    for Told { outcome, .. } in told {
        match outcome {
            Outcome::Passed => tally.passed += 1,
            Outcome::Failed | Outcome::NotRun { .. } => tally.failed += 1,
            Outcome::Skipped(_) => tally.skipped += 1,
        }
    }
    tally
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// All lines but the first are set below the step's name.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n        ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(ran: &mut u32) -> Result<Report> {
        *ran += 1;
        Ok(Report(String::new()))
    }

    fn fail(ran: &mut u32) -> Result<Report> {
        *ran += 1;
        bail!("no")
    }

    #[test]
    fn goes_on_after_a_failure_and_leaves_out_what_needs_it() {
        let mut ran = 0;
        let steps = [
            Step::new("first", fail),
            Step::new("second", pass).needs(&["first"]),
            Step::new("third", pass).needs(&["second"]),
            Step::new("fourth", pass),
            Step::new("fifth", pass).needs(&["fourth"]),
        ];
        let tally = run_all(&steps, &mut ran).unwrap();
        assert_eq!(ran, 3);
        assert_eq!(tally.to_string(), "2 passed, 3 failed");
    }

    #[test]
    fn a_part_brings_what_it_needs_and_nothing_else() {
        let steps = [
            Step::new("library", pass),
            Step::new("formatting", pass),
            Step::new("emulator", pass).needs(&["library"]),
            Step::new("C++ programs", pass).needs(&["emulator"]),
            Step::new("C programs", pass).needs(&["library"]),
        ];
        let names = |part| choose(&steps, part).iter().map(|step| step.name).collect::<Vec<_>>();
        assert_eq!(names("c++"), ["library", "emulator", "C++ programs"]);
        assert_eq!(names("programs"), ["library", "emulator", "C++ programs", "C programs"]);
        assert_eq!(names("Java"), [""; 0]);
    }

    #[test]
    fn what_a_step_lacks_is_no_failure_but_a_skip() {
        let lacks =
            |_: &mut u32| Err(anyhow::Error::new(Unavailable("no such tool".to_owned())).context("while looking"));
        let tally = run_all(&[Step::new("first", lacks), Step::new("second", pass)], &mut 0).unwrap();
        assert_eq!(tally.to_string(), "1 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn what_needs_a_skipped_step_is_skipped_too() {
        let steps = [Step::new("first", fail).unless(Some("not here")), Step::new("second", fail).needs(&["first"])];
        assert_eq!(run_all(&steps, &mut 0).unwrap().to_string(), "0 passed, 0 failed, 2 skipped");
    }

    #[test]
    fn counts_what_this_system_cannot_run() {
        let steps = [Step::new("first", fail).unless(Some("not here")), Step::new("second", pass)];
        let tally = run_all(&steps, &mut 0).unwrap();
        assert_eq!(tally.to_string(), "1 passed, 0 failed, 1 skipped");
    }
}
