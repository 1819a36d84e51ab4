//! What the user sees while runs are done.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::experiment::Record;

/// Time between plain lines where there is no terminal.
const QUIET: Duration = Duration::from_secs(30);

/// A bar over runs, or plain lines.
#[derive(Debug)]
pub struct RunProgress {
    label: String,
    bar: ProgressBar,
    last_line: Mutex<Instant>,
    plain: bool,
}

impl RunProgress {
    /// `missing` runs to do; `kept` are there already.
    pub fn new(label: &str, missing: usize, kept: usize) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain || missing == 0 {
            ProgressBar::with_draw_target(Some(missing as u64), ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new(missing as u64)
        };
        let style = "{prefix} {bar:24} {pos}/{len} runs, {eta} left | {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_owned());
        if missing > 0 {
            eprintln!("{label}: {missing} runs to do, {kept} kept from before");
        }
        Self { label: label.to_owned(), bar, last_line: Mutex::new(Instant::now()), plain }
    }

    /// One run is done.
    pub fn finished(&self, record: &Record) {
        let value = record.points.last().map_or(f64::NAN, |point| point.start_value);
        let name = record.experiment.config.algo.name();
        let seed = record.experiment.config.seed;
        let text = format!("{name} seed {seed}: V(s_I) {value:.2} in {:.0} s", record.seconds);
        if let Some(failure) = &record.failure {
            self.line(&format!("warning: {name} seed {seed} diverged: {failure}"));
        }
        self.bar.inc(1);
        let Ok(mut last) = self.last_line.lock() else { return };
        if self.plain && last.elapsed() >= QUIET {
            *last = Instant::now();
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            let left = self.bar.eta().as_secs();
            eprintln!("{}: {done}/{all} runs, about {left} s left | {text}", self.label);
        }
        self.bar.set_message(text);
    }

    /// Leaves the terminal in order.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        if self.plain {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }
}
