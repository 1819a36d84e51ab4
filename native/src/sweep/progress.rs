//! Progress of a sweep on the terminal: one bar for all runs.

use std::time::{Duration, Instant};

use indicatif::HumanDuration;

use super::plan::total_and_left;
use super::run_status::{RunState, RunStatus};
use crate::terminal::LiveLine;

/// The progress display of a running sweep.
#[derive(Debug)]
pub struct SweepProgress {
    live: LiveLine,
    started: Instant,
    /// Remaining work at the start.
    left_then: Option<f64>,
}

impl SweepProgress {
    /// A display that shows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let live = LiveLine::new("{bar:24} {percent:>3} % | {msg}", 0);
        Self { live, started: Instant::now(), left_then: None }
    }

    /// Shows the state of all runs. `active` of them are trained by this process; it is 0 in the
    /// `last` call, and while other processes train all remaining runs.
    pub fn show(&mut self, runs: &[RunStatus], active: usize, last: bool) {
        let (total, left) = total_and_left(runs);
        let left_then = *self.left_then.get_or_insert(left);
        let text = summary(runs, active, self.time_left(left_then, left));
        self.live.bar().set_length(total as u64);
        self.live.bar().set_position((total - left) as u64);
        self.live.show(text, last, str::to_owned);
    }

    /// Estimates the remaining time from the pace since the start.
    fn time_left(&self, left_then: f64, left: f64) -> Option<Duration> {
        let done = left_then - left;
        let seconds = self.started.elapsed().as_secs_f64() * left / done;
        (done > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok())?
    }

    /// Prints a line that stays above the bar.
    pub fn line(&self, text: &str) {
        self.live.line(text);
    }

    /// Ends the progress bar and leaves it on the terminal.
    pub fn finish(&self) {
        self.live.bar().abandon();
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
