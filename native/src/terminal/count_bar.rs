//! Progress over things that are counted.

use super::live_line::LiveLine;

/// So many of so many, and what happens at the moment. Shared by threads.
#[derive(Debug)]
pub struct CountBar {
    label: String,
    unit: &'static str,
    live: LiveLine,
}

impl CountBar {
    /// `total` things, which are called `unit` in the plural.
    #[must_use]
    pub fn new(label: &str, unit: &'static str, total: u64) -> Self {
        let style = format!("{{prefix}} {{bar:24}} {{pos}}/{{len}} {unit}, {{eta}} left | {{msg}}");
        let live = LiveLine::new(&style, total).quiet_at_first();
        live.bar().set_prefix(label.to_owned());
        Self { label: label.to_owned(), unit, live }
    }

    /// `more` are done; `text` says how it goes.
    pub fn advance(&self, more: u64, text: impl Into<String>) {
        let bar = self.live.bar();
        bar.inc(more);
        self.live.show(text.into(), false, |text| {
            let (done, all) = (bar.position(), bar.length().unwrap_or_default());
            // Nothing is known before the first is done.
            let left = match (done, bar.eta().as_secs()) {
                (0, _) => String::new(),
                (_, seconds) => format!(", about {seconds} s left"),
            };
            format!("{}: {done}/{all} {}{left} | {text}", self.label, self.unit)
        });
    }

    /// Leaves the terminal in order.
    pub fn finish(&self) {
        self.live.bar().finish_and_clear();
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        self.live.line(text);
    }
}
