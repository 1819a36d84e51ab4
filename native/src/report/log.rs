//! What the log of a run says of its training.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Losses of the world model at the last minibatch of an iteration, as the authors log them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Losses {
    /// Transition loss; none if it was no number.
    pub transition_loss: Option<f64>,
    /// Reward loss; none if it was no number.
    pub reward_loss: Option<f64>,
}

/// Where a run stood after an iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Agent steps.
    pub step: u64,
    /// The authors' training score; none if it was no number.
    pub training: Option<f64>,
    /// The same over environments that have finished a game.
    pub finished: Option<f64>,
    /// Losses of the world model.
    pub losses: Losses,
}

/// The fields of a line that are needed here.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    global_step: Option<u64>,
    avg_episodic_return: Option<f64>,
    finished_return: Option<f64>,
    #[serde(default)]
    last: Losses,
}

/// All iterations that count, ascending; none if there is no log. Steps that a continued run did
/// again are there once, and half a line, which a killed process may leave, is passed over.
///
/// # Errors
/// If the log is there and cannot be read.
pub fn samples(log: &Path) -> Result<Vec<Sample>> {
    let cannot = || format!("cannot read the log {}", log.display());
    let file = match File::open(log) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.with_context(cannot)?,
    };
    let mut samples: Vec<Sample> = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        let Ok(line) = serde_json::from_slice::<Line>(&line.with_context(cannot)?) else {
            continue;
        };
        let Some(step) = line.global_step else { continue };
        match line.kind.as_str() {
            "iteration" => {
                // Whatever a process wrote after the checkpoint that another went on from. Steps
                // ascend, so it is at the end; a look at all would cost the square of their number.
                while samples.pop_if(|sample| sample.step >= step).is_some() {}
                samples.push(Sample {
                    step,
                    training: line.avg_episodic_return,
                    finished: line.finished_return,
                    losses: line.last,
                });
            }
            "resumed" => samples.retain(|sample| sample.step <= step),
            _ => {}
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_done_again_count_once_and_half_a_line_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("metrics.jsonl");
        assert_eq!(samples(&log).expect("no log"), []);
        let text = concat!(
            r#"{"type":"iteration","global_step":16,"avg_episodic_return":1.0,"finished_return":null,"last":{"transition_loss":0.5,"reward_loss":null}}"#,
            "\n",
            r#"{"type":"episode","global_step":20,"raw_return":3.0}"#,
            "\n",
            r#"{"type":"iteration","global_step":32,"avg_episodic_return":9.0}"#,
            "\n{\"type\":\"itera\n",
            r#"{"type":"resumed","global_step":16}"#,
            "\n",
            r#"{"type":"iteration","global_step":32,"avg_episodic_return":2.0,"finished_return":4.0}"#,
        );
        std::fs::write(&log, text).expect("written");
        let found = samples(&log).expect("a log");
        let scores: Vec<_> = found.iter().map(|s| (s.step, s.training, s.finished)).collect();
        assert_eq!(scores, [(16, Some(1.0), None), (32, Some(2.0), Some(4.0))]);
        assert_eq!(found[0].losses, Losses { transition_loss: Some(0.5), reward_loss: None });
    }
}
