//! DeepSPI's losses of the world model against DeepMDP's, game by game, as in the paper.

use deepspi_core::config::Algorithm;
use serde::Serialize;

use super::analysis::Effort;
use super::log::Losses;
use super::runs::RunData;
use crate::comparison::{Curves, Paired, Point, curve, paired};
use crate::statistics::{mean, median};

/// A loss of the world model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Of the next latent state.
    Transition,
    /// Of the reward.
    Reward,
}

impl Loss {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Transition, Self::Reward];

    /// Name in tables and figures.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Transition => "transition loss",
            Self::Reward => "reward loss",
        }
    }

    fn of(self, losses: &Losses) -> Option<f64> {
        let value = match self {
            Self::Transition => losses.transition_loss,
            Self::Reward => losses.reward_loss,
        };
        value.filter(|value| value.is_finite())
    }
}

/// The means over seeds of one game at the end of training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GameLoss {
    /// Game.
    pub game: String,
    /// Of DeepSPI.
    pub deep_spi: f64,
    /// Of DeepMDP.
    pub deep_mdp: f64,
}

/// One loss, compared.
#[derive(Clone, Debug, Serialize)]
pub struct LossComparison {
    /// Which.
    pub loss: Loss,
    /// Games with a finished run of both.
    pub games: Vec<GameLoss>,
    /// DeepSPI - DeepMDP over these games; none without any.
    pub difference: Option<Paired>,
    /// Median over the runs of these games, over training.
    pub curves: Vec<(Algorithm, Vec<Point>)>,
}

/// Both losses; nothing if the sweep does not have both algorithms.
pub fn compare(runs: &[RunData], places: &[u64], effort: Effort) -> Vec<LossComparison> {
    let both = [Algorithm::DeepSpi, Algorithm::DeepMdp];
    if !both.iter().all(|algo| runs.iter().any(|run| run.id.algo == *algo)) {
        return Vec::new();
    }
    Loss::ALL.into_iter().map(|loss| of(loss, runs, places, effort)).collect()
}

fn of(loss: Loss, runs: &[RunData], places: &[u64], effort: Effort) -> LossComparison {
    let counts = |run: &&RunData| run.is_finished() && loss.of(&run.losses).is_some();
    let of_game = |algo: Algorithm, game: &str| -> Vec<&RunData> {
        let wanted = |run: &&RunData| run.id.algo == algo && run.id.game.name == game;
        runs.iter().filter(wanted).filter(counts).collect()
    };
    let mut names: Vec<&str> = runs.iter().map(|run| run.id.game.name).collect();
    names.dedup();
    let mean_of = |algo: Algorithm, game: &str| {
        let values: Vec<f64> =
            of_game(algo, game).iter().filter_map(|run| loss.of(&run.losses)).collect();
        mean(&values)
    };
    let games: Vec<GameLoss> = names
        .into_iter()
        .filter_map(|game| {
            let deep_spi = mean_of(Algorithm::DeepSpi, game)?;
            let deep_mdp = mean_of(Algorithm::DeepMdp, game)?;
            Some(GameLoss { game: game.into(), deep_spi, deep_mdp })
        })
        .collect();
    let differences: Vec<f64> = games.iter().map(|game| game.deep_spi - game.deep_mdp).collect();
    let curve_of = |algo: Algorithm| {
        let rows: Vec<Vec<&RunData>> = games.iter().map(|g| of_game(algo, &g.game)).collect();
        let value = |run: &RunData, place: usize| {
            run.curve[place].and_then(|sample| loss.of(&sample.losses)).unwrap_or(f64::NAN)
        };
        let curves = Curves {
            places: places.iter().map(|place| *place as f64).collect(),
            lengths: rows.iter().map(Vec::len).collect(),
            values: rows
                .iter()
                .flatten()
                .map(|run| (0..places.len()).map(|place| value(run, place)).collect())
                .collect(),
        };
        (algo, curve(&curves, median, effort.resamples_of_curves))
    };
    LossComparison {
        loss,
        difference: paired(&differences),
        curves: [Algorithm::DeepMdp, Algorithm::DeepSpi].map(curve_of).to_vec(),
        games,
    }
}
