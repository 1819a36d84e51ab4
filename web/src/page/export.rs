//! Offers the numbers of the page as files.

use leptos::prelude::*;

use super::download::offer;
use super::state::Playground;
use crate::export::{Export, bug_report};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One row per agent and iteration.
    Csv,
    /// All data.
    Json,
}

/// Lets the browser save everything reported so far.
pub fn save(playground: Playground, format: Format) {
    let experiment = playground.opened.read_untracked();
    let device = playground.device.read_untracked();
    let [a, b] = playground.agents;
    let (a, b) = (a.run.read_untracked(), b.run.read_untracked());
    let histories = [a.history(), b.history()];
    let export = Export { experiment: &experiment, device: device.as_ref(), histories };
    match format {
        Format::Csv => {
            offer(&format!("{}.csv", export.name()), "text/csv", export.csv().as_bytes());
        }
        Format::Json => {
            let name = format!("{}.json", export.name());
            offer(&name, "application/json", export.json().as_bytes());
        }
    }
}

/// The text to paste into a bug report.
#[must_use]
pub fn report(playground: Playground, fault: &str) -> String {
    let browser = window().navigator().user_agent().unwrap_or_default();
    let device = playground.device.read_untracked();
    bug_report(&playground.opened.read_untracked(), device.as_ref(), &browser, fault)
}
