//! A list of checks. Two run in parallel, each as soon as its needs have passed: while one waits for sessions or for cargo's lock,
//! the other computes.

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail};

/// The exit code for an invalid command line, and for a machine that lacks something.
pub(crate) const EXIT_UNUSABLE: u8 = 2;

const SIDE_BY_SIDE: usize = 2;

/// One check. `C` is the state that the checks share.
pub(crate) struct Step<C> {
    name: &'static str,
    needs: &'static [&'static str],
    after: &'static [&'static str],
    takes_tools: bool,
    unavailable: Option<&'static str>,
    run: fn(&C) -> Result<Report>,
}

impl<C> Step<C> {
    pub(crate) const fn new(name: &'static str, run: fn(&C) -> Result<Report>) -> Self {
        Self { name, needs: &[], after: &[], takes_tools: false, unavailable: None, run }
    }

    /// The names of earlier steps that must have passed.
    pub(crate) const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    /// The names of earlier steps that must have ended, passed or not.
    pub(crate) const fn after(self, after: &'static [&'static str]) -> Self {
        Self { after, ..self }
    }

    /// The step needs more than cargo and git. `unavailable` is why it cannot run on this system, if so.
    pub(crate) const fn unless(self, unavailable: Option<&'static str>) -> Self {
        Self { takes_tools: true, unavailable, ..self }
    }

    pub(crate) fn takes_tools(&self) -> bool {
        self.takes_tools
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

/// The report of a step that passed: the first line follows its name, the others are below it.
pub(crate) struct Report(pub(crate) String);

impl Report {
    /// Passes with `summary`, or fails with all problems.
    pub(crate) fn unless(problems: Vec<String>, summary: String) -> Result<Self> {
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        Ok(Self(summary))
    }
}

/// Why a step cannot run here, if only the step can find out. Like any skipped step, this is an error where CI=true.
#[derive(Debug)]
pub(crate) struct Unavailable(pub(crate) String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Waiting,
    Running,
    Passed,
    Failed,
    Skipped,
}

#[derive(Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: Vec<&'static str>,
    skipped: usize,
}

/// On a build server, a skipped check would be taken for one that passed.
pub(crate) fn skips_are_forbidden() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

/// Ends a task that cannot run here: an error where nothing may be skipped.
pub(crate) fn skip_all(reason: &str) -> ExitCode {
    if skips_are_forbidden() {
        eprintln!("{reason}");
        return ExitCode::from(EXIT_UNUSABLE);
    }
    println!("skipped: {reason}");
    ExitCode::SUCCESS
}

/// The steps with `part` in their names, in any letter case, and those that they need.
pub(crate) fn choose<C>(steps: &[Step<C>], part: &str) -> Vec<Step<C>> {
    let part = part.to_lowercase();
    let mut chosen: Vec<bool> = steps.iter().map(|step| step.name.to_lowercase().contains(&part)).collect();
    // From the end: a step's needs come before it.
    for (index, step) in steps.iter().enumerate().rev() {
        if chosen[index] {
            for (chosen, earlier) in chosen.iter_mut().zip(&steps[..index]) {
                *chosen |= step.needs.contains(&earlier.name);
            }
        }
    }
    steps.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(step, _)| Step { ..*step }).collect()
}

/// Runs all steps, and continues after a failure.
pub(crate) fn run_all<C: Sync>(steps: &[Step<C>], shared: &C) -> Tally {
    let states = Mutex::new(vec![State::Waiting; steps.len()]);
    let changed = Condvar::new();
    let work = || {
        let mut now = states.lock().expect("no step panics with the states");
        loop {
            if let Some(index) = next(steps, &now) {
                now[index] = State::Running;
                let verdict = verdict_without_running(&steps[index], steps, &now);
                drop(now);
                let state = verdict.unwrap_or_else(|| run_one(&steps[index], shared));
                now = states.lock().expect("no step panics with the states");
                now[index] = state;
                changed.notify_all();
            } else if now.contains(&State::Waiting) {
                now = changed.wait(now).expect("no step panics with the states");
            } else {
                return;
            }
        }
    };
    thread::scope(|scope| (0..SIDE_BY_SIDE).for_each(|_| drop(scope.spawn(work))));
    let mut tally = Tally::default();
    for (step, state) in steps.iter().zip(states.into_inner().expect("no step panics with the states")) {
        match state {
            State::Passed => tally.passed += 1,
            State::Skipped => tally.skipped += 1,
            _ => tally.failed.push(step.name),
        }
    }
    tally
}

/// The first waiting step whose needs have ended.
fn next<C>(steps: &[Step<C>], states: &[State]) -> Option<usize> {
    let ended = |name: &&str| {
        let found = steps.iter().zip(states).find(|(step, _)| step.name == *name);
        found.is_none_or(|(_, state)| !matches!(state, State::Waiting | State::Running))
    };
    (0..steps.len()).find(|&index| {
        states[index] == State::Waiting && steps[index].needs.iter().chain(steps[index].after).all(ended)
    })
}

/// The result of a step that cannot run here, or whose needs have not passed.
fn verdict_without_running<C>(step: &Step<C>, steps: &[Step<C>], states: &[State]) -> Option<State> {
    if let Some(reason) = step.unavailable {
        return Some(skipped(step.name, reason));
    }
    let state_of = |name: &str| steps.iter().zip(states).find(|(step, _)| step.name == name).map(|(_, state)| *state);
    let needs = step.needs.iter().find(|name| state_of(name) != Some(State::Passed))?;
    if state_of(needs) == Some(State::Skipped) {
        return Some(skipped(step.name, &format!("it needs {needs}")));
    }
    println!("  not run            {}: it needs {needs}", step.name);
    Some(State::Failed)
}

fn run_one<C>(step: &Step<C>, shared: &C) -> State {
    let name = step.name;
    println!("  …                  {name}");
    let started = Instant::now();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| (step.run)(shared))).unwrap_or_else(|_| bail!("it panicked"));
    let seconds = started.elapsed().as_secs_f64();
    match outcome {
        Ok(Report(text)) => {
            let colon = if text.is_empty() { "" } else { ": " };
            println!("  ok       {seconds:>7.1} s {name}{colon}{}", indented(&text));
            State::Passed
        }
        Err(error) if error.is::<Unavailable>() => skipped(name, &format!("{error:#}")),
        Err(error) => {
            println!("  FAILED   {seconds:>7.1} s {name}\n        {}", indented(&format!("{error:#}")));
            State::Failed
        }
    }
}

fn skipped(name: &str, reason: &str) -> State {
    println!("  skipped            {name}: {}", indented(reason));
    State::Skipped
}

/// All lines but the first go below the step's name.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n        ")
}

impl Tally {
    /// Counts an action after the steps.
    pub(crate) fn add(&mut self, name: &'static str, outcome: Result<()>) {
        if let Err(error) = outcome {
            println!("  FAILED             {name}\n        {}", indented(&format!("{error:#}")));
            self.failed.push(name);
        }
    }

    /// Prints the result. The last line has the counts.
    pub(crate) fn finish(&self, started: Instant) -> ExitCode {
        println!();
        if !self.failed.is_empty() {
            println!("failed: {}", self.failed.join(", "));
        }
        let forbidden = self.skipped > 0 && skips_are_forbidden();
        if forbidden {
            println!("a step was skipped, which is an error where CI=true");
        }
        println!("{:.0} s in all", started.elapsed().as_secs_f64());
        println!("{self}");
        if self.failed.is_empty() && !forbidden { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed.len())?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(ran: &Mutex<Vec<&str>>) -> Result<Report> {
        ran.lock().unwrap().push("passed");
        Ok(Report(String::new()))
    }

    fn fail(ran: &Mutex<Vec<&str>>) -> Result<Report> {
        ran.lock().unwrap().push("failed");
        bail!("no")
    }

    fn run(steps: &[Step<Mutex<Vec<&str>>>]) -> (usize, String) {
        let ran = Mutex::new(Vec::new());
        let tally = run_all(steps, &ran);
        (ran.into_inner().unwrap().len(), tally.to_string())
    }

    #[test]
    fn a_failure_stops_only_the_steps_that_need_it() {
        let steps = [
            Step::new("first", fail),
            Step::new("second", pass).needs(&["first"]),
            Step::new("third", pass).needs(&["second"]),
            Step::new("fourth", pass),
            Step::new("fifth", pass).needs(&["fourth"]),
        ];
        assert_eq!(run(&steps), (3, "2 passed, 3 failed".to_owned()));
    }

    #[test]
    fn a_part_includes_only_its_needs() {
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
    fn a_step_that_cannot_run_is_skipped_with_those_that_need_it() {
        let lacks = |_: &Mutex<Vec<&str>>| Err(anyhow::Error::new(Unavailable("no such tool".to_owned())));
        let steps = [
            Step::new("first", fail).unless(Some("not here")),
            Step::new("second", fail).needs(&["first"]),
            Step::new("third", lacks),
            Step::new("fourth", pass),
        ];
        assert_eq!(run(&steps), (1, "1 passed, 0 failed, 3 skipped".to_owned()));
    }
}
