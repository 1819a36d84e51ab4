//! Progress on the terminal while the runs of the figures are trained.

use super::experiment::Record;
use crate::terminal::{CountBar, note};

/// A progress bar over runs, or plain lines.
#[derive(Debug)]
pub struct RunProgress(CountBar);

impl RunProgress {
    /// Starts the display; `missing` runs are to be trained, `kept` exist already.
    pub fn new(label: &str, missing: usize, kept: usize) -> Self {
        if missing > 0 {
            note!("{label}: {missing} runs to do, {kept} kept from before");
        }
        Self(CountBar::new(label, "runs", missing as u64))
    }

    /// Reports that one run is finished.
    pub fn finished(&self, record: &Record) {
        let value = record.points.last().map_or(f64::NAN, |point| point.start_value);
        let name = record.experiment.config.algo.name();
        let seed = record.experiment.config.seed;
        if let Some(failure) = &record.failure {
            self.0.line(&format!("warning: {name} seed {seed} diverged: {failure}"));
        }
        self.0.advance(
            1,
            format!("{name} seed {seed}: V(s_I) {value:.2} in {:.0} s", record.seconds),
        );
    }

    /// Clears the progress bar.
    pub fn finish(&self) {
        self.0.finish();
    }
}
