//! What a command is doing, on standard error: a spinner on a terminal, otherwise a line for each change.

use std::time::{Duration, Instant};

use console::{Term, user_attended_stderr};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::duration::short;

pub(crate) struct Progress {
    /// On a terminal.
    spinner: Option<ProgressBar>,
    begun: Instant,
    state: String,
    /// When the last line was printed.
    printed: Instant,
}

/// Without a terminal, a state that lasts is repeated at this interval.
const REPEAT: Duration = Duration::from_secs(30);

impl Progress {
    pub(crate) fn begin(state: impl Into<String>) -> Progress {
        let spinner = user_attended_stderr().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term(Term::stderr(), 10));
            // A template that is wrong shows the default.
            if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let now = Instant::now();
        let mut progress = Progress { spinner, begun: now, state: String::new(), printed: now };
        progress.state(state);
        progress
    }

    /// What happens now; `detail` may change at any time.
    pub(crate) fn state(&mut self, state: impl Into<String>) {
        self.state_with(state, "");
    }

    pub(crate) fn state_with(&mut self, state: impl Into<String>, detail: &str) {
        let state = state.into();
        let elapsed = self.begun.elapsed();
        let separator = if detail.is_empty() { "" } else { ", " };
        match &self.spinner {
            Some(spinner) => spinner.set_message(format!("{state}, {}{separator}{detail}", short(elapsed))),
            None if state != self.state => eprintln!("{state}"),
            None if self.printed.elapsed() >= REPEAT => eprintln!("{state}, {}{separator}{detail}", short(elapsed)),
            None => return,
        }
        if state != self.state || self.printed.elapsed() >= REPEAT {
            self.printed = Instant::now();
        }
        self.state = state;
    }

    /// Prints a line that stays.
    pub(crate) fn say(&self, line: &str) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.spinner.iter().for_each(ProgressBar::finish_and_clear);
    }
}
