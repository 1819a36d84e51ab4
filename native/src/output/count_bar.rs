//! Progress over things that are counted: a bar, or plain lines where there is no terminal.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between plain lines where there is no terminal.
const QUIET: Duration = Duration::from_secs(30);

/// So many of so many, and what happens at the moment. Shared by threads.
#[derive(Debug)]
pub struct CountBar {
    label: String,
    unit: &'static str,
    bar: ProgressBar,
    last_line: Mutex<Instant>,
    plain: bool,
}

impl CountBar {
    /// `total` things, which are called `unit` in the plural.
    #[must_use]
    pub fn new(label: &str, unit: &'static str, total: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain || total == 0 {
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new(total)
        };
        let style = format!("{{prefix}} {{bar:24}} {{pos}}/{{len}} {unit}, {{eta}} left | {{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&style) {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_owned());
        Self { label: label.to_owned(), unit, bar, last_line: Mutex::new(Instant::now()), plain }
    }

    /// `more` are done; `text` says how it goes.
    pub fn advance(&self, more: u64, text: impl Into<String>) {
        self.bar.inc(more);
        let text = text.into();
        let Ok(mut last) = self.last_line.lock() else { return };
        if self.plain && last.elapsed() >= QUIET {
            *last = Instant::now();
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            // Nothing is known before the first is done.
            let left = match (done, self.bar.eta().as_secs()) {
                (0, _) => String::new(),
                (_, seconds) => format!(", about {seconds} s left"),
            };
            eprintln!("{}: {done}/{all} {}{left} | {text}", self.label, self.unit);
        }
        self.bar.set_message(text);
    }

    /// Leaves the terminal in order.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        if self.plain {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }
}
