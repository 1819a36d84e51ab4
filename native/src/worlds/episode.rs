//! Whole episodes for an evaluation: their seeds, rules and ends.

use std::path::PathBuf;

use deepspi_worlds::rng::{Stream, stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Seeds of episodes 0, 1, .. of an evaluation. Each seed determines its game and the draws from
/// the policy. With more episodes the first ones stay the same.
pub fn episode_seeds(seed: u64) -> impl Iterator<Item = u64> {
    let mut rng = stream(seed, Stream::Evaluation);
    // 32 bits, so that programs that read the table as floating point do not round the seeds.
    std::iter::repeat_with(move || u64::from(rng.random::<u32>()))
}

/// Why an episode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The game was over.
    GameOver,
    /// The game was not over, but the time limit was reached.
    TimeLimit,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::GameOver => "game_over",
            Self::TimeLimit => "time_limit",
        })
    }
}

/// Rules of episodes that the user gave; rules that were not given are those of the agent's
/// training.
#[derive(Clone, Debug, Default)]
pub struct EpisodeRules {
    /// Whether Atari games are the authors' stochastic variant.
    pub stochastic: Option<bool>,
    /// Whether lost lives are followed by no-ops and FIRE, as in training.
    pub training_resets: bool,
    /// Folder with ROMs.
    pub roms: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_episodes_begin_with_the_same_ones_and_seeds_differ() {
        let seeds = |seed, n| episode_seeds(seed).take(n).collect::<Vec<_>>();
        assert_eq!(seeds(1, 30), seeds(1, 60)[..30]);
        assert_ne!(seeds(1, 30), seeds(2, 30));
        let mut distinct = seeds(1, 1000);
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 1000);
    }
}
