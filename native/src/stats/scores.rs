//! The scores of one algorithm: for each game a row of runs.

use anyhow::{Result, bail};

/// One score with its run.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Game.
    pub game: String,
    /// Seed of the run.
    pub seed: u64,
    /// Score of the run, normalised by the caller.
    pub score: f64,
}

/// The runs of one game, sorted by seed; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Game.
    pub game: String,
    /// Seeds, one per score.
    pub seeds: Vec<u64>,
    /// Finite scores.
    pub scores: Vec<f64>,
}

/// The scores of one algorithm, one row per game, sorted by game.
///
/// Rows have different lengths if runs are missing. Pooled metrics then weigh a game by its number
/// of runs. The caller, who knows how many runs there should be, must report this: see
/// [`Self::runs`].
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreMatrix {
    rows: Vec<Row>,
}

impl ScoreMatrix {
    /// Sorts scores into rows. `algorithm` is only used in error messages.
    ///
    /// # Errors
    /// If there is no score, a score is NaN or infinite, or a run has two scores; the message names
    /// game, algorithm and seed.
    pub fn new(algorithm: &str, scores: impl IntoIterator<Item = Scored>) -> Result<Self> {
        let mut scores: Vec<Scored> = scores.into_iter().collect();
        scores.sort_by(|a, b| (&a.game, a.seed).cmp(&(&b.game, b.seed)));
        let mut rows: Vec<Row> = Vec::new();
        for Scored { game, seed, score } in scores {
            if !score.is_finite() {
                bail!(
                    "the score of {game}, {algorithm}, seed {seed} is {score}; a comparison needs finite scores: train or evaluate this run again, or leave it out by name"
                );
            }
            match rows.last_mut().filter(|row| row.game == game) {
                Some(row) if row.seeds.last() == Some(&seed) => {
                    bail!("{game}, {algorithm}, seed {seed} has two scores; a run has one")
                }
                Some(row) => {
                    row.seeds.push(seed);
                    row.scores.push(score);
                }
                None => rows.push(Row { game, seeds: vec![seed], scores: vec![score] }),
            }
        }
        if rows.is_empty() {
            bail!("{algorithm} has no score");
        }
        Ok(Self { rows })
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// All scores, game after game; [`super::stratified`] draws indices into this order.
    #[must_use]
    pub fn pooled(&self) -> Vec<f64> {
        self.rows.iter().flat_map(|row| row.scores.iter().copied()).collect()
    }

    /// Number of runs of each game.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.scores.len()).collect()
    }

    /// The fewest and the most runs of a game.
    #[must_use]
    pub fn runs(&self) -> (usize, usize) {
        let lengths = self.lengths();
        let fewest = lengths.iter().min().copied().unwrap_or(0);
        (fewest, lengths.iter().max().copied().unwrap_or(0))
    }

    /// Only the games that `other` also has, for comparisons game by game; `None` if they have no
    /// common game.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> Option<Self> {
        let has = |row: &&Row| other.rows.iter().any(|theirs| theirs.game == row.game);
        let rows: Vec<Row> = self.rows.iter().filter(has).cloned().collect();
        (!rows.is_empty()).then_some(Self { rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(game: &str, seed: u64, score: f64) -> Scored {
        Scored { game: game.into(), seed, score }
    }

    #[test]
    fn scores_are_sorted_into_rows_of_any_length() {
        let scores = [scored("Pong", 2, 0.5), scored("Alien", 1, 3.0), scored("Pong", 1, 0.25)];
        let matrix = ScoreMatrix::new("ppo", scores).expect("scores");
        assert_eq!(matrix.lengths(), [1, 2]);
        assert_eq!(matrix.pooled(), [3.0, 0.25, 0.5]);
        assert_eq!(matrix.rows()[1].seeds, [1, 2]);
        assert_eq!(matrix.runs(), (1, 2));
        let other = ScoreMatrix::new("ppo", [scored("Pong", 9, 1.0)]).expect("scores");
        assert_eq!(matrix.shared_with(&other).expect("Pong").pooled(), [0.25, 0.5]);
        let other = ScoreMatrix::new("ppo", [scored("Qbert", 9, 1.0)]).expect("scores");
        assert_eq!(matrix.shared_with(&other), None);
    }

    #[test]
    fn a_score_that_is_no_number_is_named() {
        for bad in [f64::NAN, f64::INFINITY] {
            let scores = [scored("Pong", 1, 0.0), scored("Pong", 7, bad)];
            let error = ScoreMatrix::new("deep-spi", scores).expect_err("not finite");
            assert!(error.to_string().contains("Pong, deep-spi, seed 7"), "{error}");
        }
    }

    #[test]
    fn no_score_and_two_scores_of_a_run_are_errors() {
        ScoreMatrix::new("ppo", []).expect_err("nothing");
        let twice = [scored("Pong", 1, 0.0), scored("Pong", 1, 0.0)];
        let error = ScoreMatrix::new("ppo", twice).expect_err("twice");
        assert!(error.to_string().contains("two scores"), "{error}");
    }
}
