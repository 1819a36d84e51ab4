//! One line that tells how something goes: a progress bar, or where there is no terminal (a log, a job
//! of a cluster) a plain line now and then.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between plain lines.
const QUIET: Duration = Duration::from_secs(30);

/// The line. Shared by threads.
#[derive(Debug)]
pub struct LiveLine {
    bar: ProgressBar,
    plain: bool,
    /// When the last plain line was written; none: the next may be written at once.
    last: Mutex<Option<Instant>>,
}

impl LiveLine {
    /// A bar of `total`, drawn by a template of indicatif; where there is no terminal the first plain
    /// line comes with the first [`Self::show`].
    #[must_use]
    pub fn new(template: &str, total: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let target =
            if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, plain, last: Mutex::new(None) }
    }

    /// Lets the first plain line wait: what is done before it is due needs none.
    #[must_use]
    pub fn quiet_at_first(self) -> Self {
        Self { last: Mutex::new(Some(Instant::now())), ..self }
    }

    /// The bar, for its length and position.
    #[must_use]
    pub const fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Shows `message` beside the bar, or `plain` as a line if one is due or this is the `last`.
    pub fn show(&self, message: String, last: bool, plain: impl FnOnce(&str) -> String) {
        if self.plain {
            let Ok(mut written) = self.last.lock() else { return };
            if last || written.is_none_or(|time| time.elapsed() >= QUIET) {
                *written = Some(Instant::now());
                eprintln!("{}", plain(&message));
            }
        }
        self.bar.set_message(message);
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
