//! What the user sees of a sweep: one bar for all of it, or plain lines where there is no terminal.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::plan::total_and_left;
use super::run_status::{RunState, RunStatus};

/// Time between plain lines.
const QUIET: Duration = Duration::from_secs(30);

/// The display of a sweep that is running.
#[derive(Debug)]
pub struct SweepProgress {
    bar: ProgressBar,
    plain: bool,
    started: Instant,
    /// What was left at the start.
    left_then: Option<f64>,
    last_line: Option<Instant>,
}

impl SweepProgress {
    /// Shows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain {
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new(0)
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3} % | {msg}") {
            bar.set_style(style);
        }
        Self { bar, plain, started: Instant::now(), left_then: None, last_line: None }
    }

    /// The state of all runs, of which this process has `active` under way.
    pub fn show(&mut self, runs: &[RunStatus], active: usize) {
        let (total, left) = total_and_left(runs);
        let left_then = *self.left_then.get_or_insert(left);
        let text = summary(runs, active, self.time_left(left_then, left));
        self.bar.set_length(total as u64);
        self.bar.set_position((total - left) as u64);
        self.bar.set_message(text.clone());
        let due = self.last_line.is_none_or(|last| last.elapsed() >= QUIET) || active == 0;
        if self.plain && due {
            self.last_line = Some(Instant::now());
            eprintln!("{text}");
        }
    }

    /// What is left, at the pace since the start.
    fn time_left(&self, left_then: f64, left: f64) -> Option<Duration> {
        let done = left_then - left;
        let seconds = self.started.elapsed().as_secs_f64() * left / done;
        (done > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok())?
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        if self.plain {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }

    /// Leaves the terminal in order.
    pub fn finish(&self) {
        self.bar.abandon();
    }
}

impl Default for SweepProgress {
    fn default() -> Self {
        Self::new()
    }
}

/// One line about all runs.
#[must_use]
pub fn summary(runs: &[RunStatus], active: usize, time_left: Option<Duration>) -> String {
    let count = |state| runs.iter().filter(|run| run.state == state).count();
    let (total, left) = total_and_left(runs);
    let mut text = format!(
        "{} of {} runs finished, {active} running, {} failed, {:.0} % of the work done",
        count(RunState::Finished),
        runs.len(),
        count(RunState::Failed),
        100.0 * (1.0 - left / total.max(1.0)),
    );
    if let Some(time) = time_left.filter(|_| left > 0.0) {
        text.push_str(&format!(", about {} left", HumanDuration(time)));
    }
    text
}
