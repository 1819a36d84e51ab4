//! Statistics of the episodes of an evaluation.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::chart::table::Table;
use crate::stats::reference_scores;
use crate::stats::{RESAMPLES, bootstrap, mean, median};
use crate::worlds::End;

/// One whole game.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Episode {
    /// Index in the evaluation, from 0.
    pub episode: u64,
    /// Seed of the game.
    pub seed: u64,
    /// Sum of the raw rewards.
    pub score: f64,
    /// Length in agent steps.
    pub length: u64,
    /// Frames of these steps, without the idle frames at the start.
    pub frames: u64,
    /// Why it ended.
    pub ended: End,
}

/// Scores of all episodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Mean return.
    pub mean: f64,
    /// Lower end of the 95 % interval of the mean (percentile bootstrap over episodes). The
    /// interval covers the uncertainty of this agent's mean; it says nothing about other training
    /// seeds.
    pub mean_low: f64,
    /// Upper end.
    pub mean_high: f64,
    /// Median return.
    pub median: f64,
    /// Lowest return.
    pub min: f64,
    /// Highest return.
    pub max: f64,
    /// Human-normalised mean return, 0 random and 1 human; `None` for an environment outside the
    /// table.
    pub human_normalized_mean: Option<f64>,
    /// Mean length in agent steps.
    pub mean_length: f64,
    /// Episodes that were cut at the time limit.
    pub time_limits: usize,
}

impl Summary {
    /// Summarises at least one episode; `seed` is the seed of the bootstrap.
    ///
    /// # Errors
    /// If there is no episode with a finite return.
    pub fn of(env: &str, episodes: &[Episode], seed: u64) -> Result<Self> {
        let scores: Vec<f64> = episodes.iter().map(|one| one.score).collect();
        let lengths: Vec<f64> = episodes.iter().map(|one| one.length as f64).collect();
        let nothing = "no episode was played to its end";
        let average = mean(&scores).context(nothing)?;
        let interval = bootstrap(&scores, mean, RESAMPLES, seed).context(nothing)?;
        Ok(Self {
            mean: average,
            mean_low: interval.low,
            mean_high: interval.high,
            median: median(&scores).context(nothing)?,
            min: scores.iter().copied().fold(f64::INFINITY, f64::min),
            max: scores.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            human_normalized_mean: reference_scores::human_normalized(env, average),
            mean_length: mean(&lengths).context(nothing)?,
            time_limits: episodes.iter().filter(|one| one.ended == End::TimeLimit).count(),
        })
    }
}

/// One row for each episode.
///
/// # Errors
/// Never: each row has as many fields as the table has columns.
pub fn table(env: &str, episodes: &[Episode]) -> Result<Table> {
    let header = ["episode", "seed", "return", "length", "frames", "human_normalized", "ended"];
    let mut table = Table::new(&header);
    for one in episodes {
        let normalised = reference_scores::human_normalized(env, one.score);
        let normalised = normalised.map_or_else(String::new, |score| score.to_string());
        let Episode { episode, seed, score, length, frames, ended } = one;
        table.push(&[episode, seed, score, length, frames, &normalised, ended])?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episodes() -> Vec<Episode> {
        let one = |(episode, score): (u64, f64)| Episode {
            episode,
            seed: 100 + episode,
            score,
            length: 10 * (episode + 1),
            frames: 40 * (episode + 1),
            ended: if episode == 2 { End::TimeLimit } else { End::GameOver },
        };
        (0..).zip([1.7, 30.5, 3.7, 10.0]).map(one).collect()
    }

    #[test]
    fn a_summary_agrees_with_hand_computed_values() {
        let summary = Summary::of("Breakout", &episodes(), 1).expect("four episodes");
        assert!((summary.mean - 11.475).abs() < 1e-12);
        assert!((summary.median - 6.85).abs() < 1e-12);
        assert_eq!((summary.min, summary.max), (1.7, 30.5));
        assert_eq!((summary.mean_length, summary.time_limits), (25.0, 1));
        // Random 1.7, human 30.5.
        let normalised = summary.human_normalized_mean.expect("in the table");
        assert!((normalised - (11.475 - 1.7) / 28.8).abs() < 1e-12);
        assert!(1.7 < summary.mean_low && summary.mean_low < 11.475);
        assert!(11.475 < summary.mean_high && summary.mean_high < 30.5);
        assert_eq!(Summary::of("maze", &episodes(), 1).expect("four").human_normalized_mean, None);
        Summary::of("Breakout", &[], 1).expect_err("no episode");
    }

    #[test]
    fn the_table_has_a_row_for_each_episode() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        table("Breakout", &episodes()[1..3]).expect("fits").write(&path).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        let expected = "episode,seed,return,length,frames,human_normalized,ended\n\
                        1,101,30.5,20,80,1,game_over\n\
                        2,102,3.7,30,120,0.06944444444444445,time_limit\n";
        assert_eq!(text, expected);
        table("maze", &episodes()[..1]).expect("fits").write(&path).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(text.ends_with("0,100,1.7,10,40,,game_over\n"), "{text}");
    }
}
