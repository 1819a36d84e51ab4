//! Reads `metrics.jsonl`, which [`super::jsonl`] writes.
//!
//! What must not be broken: all readers count the same lines. A process that continues a run writes
//! the step from which it continues (`resumed`). Lines of later steps that earlier processes wrote
//! no longer count, because those steps are repeated. An incomplete line of a killed process is
//! skipped.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line of a log, with the fields that this program reads. NaN and infinite values are written as
/// `null`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// A finished iteration.
    Iteration(Sample),
    /// A finished game.
    Episode {
        /// Agent steps of the run when it ended.
        global_step: u64,
        /// Sum of the raw rewards.
        raw_return: Option<f64>,
    },
    /// Another process continued the run.
    Resumed {
        /// Agent steps of the checkpoint from which it continued.
        global_step: u64,
    },
    /// Any other line.
    #[serde(other)]
    Other,
}

/// Values of a run after an iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Sample {
    /// Agent steps.
    #[serde(rename = "global_step")]
    pub step: u64,
    /// Learning rate of the iteration.
    pub learning_rate: Option<f64>,
    /// The authors' training score.
    #[serde(rename = "avg_episodic_return")]
    pub training: Option<f64>,
    /// The same score over the environments that have finished a game; also `None` before the first
    /// finished game.
    #[serde(rename = "finished_return")]
    pub finished: Option<f64>,
    /// Losses of the world model.
    #[serde(default, rename = "last")]
    pub losses: Losses,
}

/// Losses of the world model in the last minibatch of an iteration, as the authors log them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Losses {
    /// Loss of the next latent state.
    pub transition_loss: Option<f64>,
    /// Loss of the reward.
    pub reward_loss: Option<f64>,
}

/// The results of `pick` for the lines that count, in the order of the log; nothing if there is no
/// log. `pick` returns the step of a line with its result.
///
/// # Errors
/// If the log exists and cannot be read.
pub fn read_log<T>(log: &Path, pick: impl Fn(Line) -> Option<(u64, T)>) -> Result<Vec<T>> {
    read_lines(log, |line| match serde_json::from_slice(line).ok()? {
        Line::Resumed { global_step } => Some(Read::Resumed(global_step)),
        line => pick(line).map(|(step, picked)| Read::Counted(step, picked)),
    })
}

/// All lines that count and have a step, whole, in the order of the log; nothing if there is no log.
///
/// # Errors
/// If the log exists and cannot be read.
pub fn read_whole_lines(log: &Path) -> Result<Vec<Value>> {
    read_lines(log, |line| {
        let line: Value = serde_json::from_slice(line).ok()?;
        let step = line.get("global_step")?.as_u64()?;
        Some(if line["type"] == "resumed" {
            Read::Resumed(step)
        } else {
            Read::Counted(step, line)
        })
    })
}

/// What a line says.
enum Read<T> {
    /// A process continued the run at this step.
    Resumed(u64),
    /// Something of this step.
    Counted(u64, T),
}

fn read_lines<T>(log: &Path, read: impl Fn(&[u8]) -> Option<Read<T>>) -> Result<Vec<T>> {
    let cannot = || format!("cannot read the log {}", log.display());
    let file = match File::open(log) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.with_context(cannot)?,
    };
    let mut counted: Vec<(u64, T)> = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        match read(&line.with_context(cannot)?) {
            Some(Read::Resumed(from)) => counted.retain(|(step, _)| *step <= from),
            Some(Read::Counted(step, picked)) => counted.push((step, picked)),
            None => {}
        }
    }
    Ok(counted.into_iter().map(|(_, picked)| picked).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_done_again_count_once_and_half_a_line_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("metrics.jsonl");
        let samples = || {
            let picked = read_log(&log, |line| match line {
                Line::Iteration(sample) => Some((sample.step, sample)),
                _ => None,
            });
            picked.expect("readable")
        };
        assert_eq!(samples(), [], "there is no log");
        let text = concat!(
            r#"{"type":"iteration","global_step":16,"learning_rate":0.5,"avg_episodic_return":1.0,"finished_return":null,"last":{"transition_loss":0.5,"reward_loss":null}}"#,
            "\n",
            r#"{"type":"episode","global_step":16,"raw_return":3.0}"#,
            "\n",
            r#"{"type":"episode","global_step":20,"raw_return":9.0}"#,
            "\n",
            r#"{"type":"iteration","global_step":32,"avg_episodic_return":9.0}"#,
            "\n{\"type\":\"itera\n",
            r#"{"type":"warning","text":"no step"}"#,
            "\n",
            r#"{"type":"resumed","global_step":16}"#,
            "\n",
            r#"{"type":"iteration","global_step":32,"avg_episodic_return":2.0,"finished_return":4.0}"#,
            "\n",
            r#"{"type":"episode","global_step":40,"raw_return":null}"#,
        );
        std::fs::write(&log, text).expect("written");
        let expected = [
            Sample {
                step: 16,
                learning_rate: Some(0.5),
                training: Some(1.0),
                losses: Losses { transition_loss: Some(0.5), reward_loss: None },
                ..Sample::default()
            },
            Sample { step: 32, training: Some(2.0), finished: Some(4.0), ..Sample::default() },
        ];
        assert_eq!(samples(), expected);
        let episodes = read_log(&log, |line| match line {
            Line::Episode { global_step, raw_return } => {
                Some((global_step, (global_step, raw_return)))
            }
            _ => None,
        });
        assert_eq!(episodes.expect("readable"), [(16, Some(3.0)), (40, None)]);
    }
}
