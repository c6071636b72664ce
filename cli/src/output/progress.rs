//! What a command is doing, on standard error: a spinner on a terminal, otherwise a line for each change.

use std::io;
use std::time::{Duration, Instant};

use console::{Term, truncate_str, user_attended_stderr};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::duration::short;
use crate::failure::{printable, say};

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
            let bar =
                ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(Narrower(Term::stderr()))));
            // A template that is wrong shows the default.
            if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg}") {
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
        let state = printable(&state.into());
        let elapsed = self.begun.elapsed();
        let separator = if detail.is_empty() { "" } else { ", " };
        match &self.spinner {
            Some(spinner) => {
                let room = usize::from(Narrower(Term::stderr()).width()).saturating_sub(2);
                let message = format!("{state}, {}{separator}{detail}", short(elapsed));
                spinner.set_message(truncate_str(&message, room, "…").into_owned());
            }
            None if state != self.state => say(&state),
            None if self.printed.elapsed() >= REPEAT => {
                say(format_args!("{state}, {}{separator}{detail}", short(elapsed)));
            }
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
            Some(spinner) => spinner.suspend(|| say(line)),
            None => say(line),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.spinner.iter().for_each(ProgressBar::finish_and_clear);
    }
}

/// A terminal without its last columns. The spinner fills its line with spaces; the ^C that the terminal echoes after them
/// would start another line, and the spinner would stay on the first.
#[derive(Debug)]
struct Narrower(Term);

impl TermLike for Narrower {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(4).max(10)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
