//! A progress bar that counts finished items.

use super::live_line::LiveLine;

/// Counts items up to a total and shows what is happening. Can be shared by threads.
#[derive(Debug)]
pub struct CountBar {
    label: String,
    unit: &'static str,
    live: LiveLine,
}

impl CountBar {
    /// A bar for `total` items; `unit` is their name in the plural.
    #[must_use]
    pub fn new(label: &str, unit: &'static str, total: u64) -> Self {
        let style = format!("{{prefix}} {{bar:24}} {{pos}}/{{len}} {unit}, {{eta}} left | {{msg}}");
        let live = LiveLine::new(&style, total).quiet_at_first();
        live.bar().set_prefix(label.to_owned());
        Self { label: label.to_owned(), unit, live }
    }

    /// Records that `more` items are done; `text` describes the latest.
    pub fn advance(&self, more: u64, text: impl Into<String>) {
        let bar = self.live.bar();
        bar.inc(more);
        self.live.show(text.into(), false, |text| {
            let (done, all) = (bar.position(), bar.length().unwrap_or_default());
            // No estimate is possible before the first item is done.
            let left = match (done, bar.eta().as_secs()) {
                (0, _) => String::new(),
                (_, seconds) => format!(", about {seconds} s left"),
            };
            format!("{}: {done}/{all} {}{left} | {text}", self.label, self.unit)
        });
    }

    /// Removes the progress bar.
    pub fn finish(&self) {
        self.live.bar().finish_and_clear();
    }

    /// Prints a line that stays above the bar.
    pub fn line(&self, text: &str) {
        self.live.line(text);
    }
}
