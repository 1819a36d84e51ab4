//! What the user sees of a training.

use deepspi_run::message::{Iteration, Message};
use deepspi_run::metrics::MetricInfo;

use super::Rates;
use crate::terminal::LiveLine;

/// How far it is and how it goes.
#[derive(Debug)]
pub struct Progress {
    live: LiveLine,
    total: u64,
    /// What the algorithm reports.
    metrics: &'static [MetricInfo],
    /// V(s_I) of a maze agent after the iteration before.
    start_value: Option<f64>,
}

impl Progress {
    pub fn new(total: u64, global_step: u64, metrics: &'static [MetricInfo]) -> Self {
        let style = "{bar:24} {percent:>3} % {human_pos}/{human_len} | {msg}";
        let live = LiveLine::new(style, total);
        live.bar().set_position(global_step);
        Self { live, total, metrics, start_value: None }
    }

    pub fn show(&mut self, message: &Message, rates: &Rates) {
        match message {
            Message::Episode(_) | Message::Batch(_) => {}
            Message::Maze(status) => self.start_value = Some(status.start_value),
            Message::Iteration(iteration) => {
                let text = self.describe(iteration, rates);
                let (step, total) = (iteration.global_step, self.total);
                self.live.bar().set_position(step);
                self.live.show(text, step >= total, |text| format!("step {step}/{total} | {text}"));
            }
            Message::CheckpointWritten { location, .. } => {
                self.live.line(&format!("saved {location}"));
            }
            Message::Warning { text } => self.live.line(&format!("warning: {text}")),
            Message::Failure { text } => self.live.line(&format!("stopped: {text}")),
        }
    }

    pub fn finish(&self) {
        self.live.bar().abandon();
    }

    fn describe(&self, iteration: &Iteration, rates: &Rates) -> String {
        let left = self.total.saturating_sub(iteration.global_step) as f64 / rates.short.max(1e-9);
        let score = iteration.finished_return.map_or_else(|| "-".to_owned(), |r| format!("{r:.1}"));
        let losses: Vec<_> = self
            .metrics
            .iter()
            .filter_map(|info| {
                Some(format!("{} {:.4}", info.short?, iteration.mean.get(info.name)?))
            })
            .collect();
        let losses = losses.join(" ");
        let value = self.start_value.map_or_else(String::new, |v| format!(" V(s_I) {v:.2} |"));
        format!(
            "{:.0} SPS ({:.0} overall) | return {score} |{value} {losses} | \
             ratio <= {:.2} | {} left",
            rates.short,
            rates.long,
            iteration.ratios.sup,
            duration(left),
        )
    }
}

/// Hours and minutes, or minutes and seconds.
fn duration(seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 1e9) as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    if hours > 0 {
        format!("{hours}h{minutes:02}m")
    } else {
        format!("{minutes}m{:02}s", seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(59.0), "0m59s");
        assert_eq!(duration(3720.0), "1h02m");
        assert_eq!(duration(f64::INFINITY), "277777h46m");
    }
}
