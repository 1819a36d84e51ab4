//! One line of progress: a progress bar, or, without a terminal (in a log file or a cluster job), a
//! plain line from time to time.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::note;

/// Time between two plain lines.
const QUIET: Duration = Duration::from_secs(30);

/// The progress line. Can be shared by threads.
#[derive(Debug)]
pub struct LiveLine {
    bar: ProgressBar,
    plain: bool,
    /// When the last plain line was written; `None`: the next may be written at once.
    last: Mutex<Option<Instant>>,
}

impl LiveLine {
    /// A bar of `total` with a template of indicatif. Without a terminal, the first call of
    /// [`Self::show`] writes the first plain line.
    #[must_use]
    pub fn new(template: &str, total: u64) -> Self {
        let plain = !super::is_capable_terminal();
        let target =
            if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, plain, last: Mutex::new(None) }
    }

    /// Delays the first plain line, so that short work prints none.
    #[must_use]
    pub fn quiet_at_first(self) -> Self {
        Self { last: Mutex::new(Some(Instant::now())), ..self }
    }

    /// The bar, for setting its length and position.
    #[must_use]
    pub const fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Shows `message` beside the bar. Without a terminal, prints `plain` as a line if one is due
    /// or this is the `last` call.
    pub fn show(&self, message: String, last: bool, plain: impl FnOnce(&str) -> String) {
        if self.plain {
            let Ok(mut written) = self.last.lock() else { return };
            if last || written.is_none_or(|time| time.elapsed() >= QUIET) {
                *written = Some(Instant::now());
                note!("{}", plain(&message));
            }
        }
        self.bar.set_message(message);
    }

    /// Prints a line that stays above the bar.
    pub fn line(&self, text: &str) {
        if self.plain {
            note!("{text}");
        } else {
            self.bar.println(text);
        }
    }
}
