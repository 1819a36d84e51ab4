//! Compares the losses of DeepSPI's world model with those of DeepMDP's, game by game, as in the
//! paper.

use deepspi_run::config::Algorithm;
use serde::Serialize;

use super::request::Effort;
use super::runs::RunData;
use super::selection::{Missing, Selection};
use crate::run::output::Losses;
use crate::stats::{Paired, Point, curve, mean, median, paired};

/// A loss of the world model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Loss of the next latent state.
    Transition,
    /// Loss of the reward.
    Reward,
}

impl Loss {
    /// Both losses.
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
    /// Loss of DeepSPI.
    pub deep_spi: f64,
    /// Loss of DeepMDP.
    pub deep_mdp: f64,
}

/// The comparison of one loss.
#[derive(Clone, Debug, Serialize)]
pub struct LossComparison {
    /// The loss.
    pub loss: Loss,
    /// Games on which both algorithms have a finished run.
    pub games: Vec<GameLoss>,
    /// The other games.
    pub left_out: Vec<String>,
    /// Runs of both algorithms that do not count, each with the reason.
    pub missing: Missing,
    /// DeepSPI - DeepMDP over these games; `None` without games.
    pub difference: Option<Paired>,
    /// Median over the runs of these games, as a curve over training.
    pub curves: Vec<(Algorithm, Vec<Point>)>,
}

/// The runs that have both losses; `None` if the sweep does not have both algorithms.
pub fn select(runs: &[RunData]) -> Option<Selection<'_, Losses>> {
    let both = [Algorithm::DeepMdp, Algorithm::DeepSpi];
    let have = both.iter().all(|algo| runs.iter().any(|run| run.id.algo == *algo));
    let losses = |run: &RunData| {
        Loss::ALL.iter().all(|loss| loss.of(&run.losses).is_some()).then_some(run.losses)
    };
    have.then(|| Selection::new(runs, &both, "without losses that are numbers", losses))
}

/// Compares both losses, over the same runs.
pub fn compare(
    selection: &Selection<'_, Losses>,
    places: &[u64],
    effort: Effort,
) -> Vec<LossComparison> {
    Loss::ALL.into_iter().map(|loss| of(loss, selection, places, effort)).collect()
}

fn of(
    loss: Loss,
    selection: &Selection<'_, Losses>,
    places: &[u64],
    effort: Effort,
) -> LossComparison {
    let mean_of = |algo: Algorithm, game: &str| {
        let losses = selection.of_game(game, algo).filter_map(|(_, losses)| loss.of(losses));
        mean(&losses.collect::<Vec<f64>>())
    };
    let of_game = |game: &String| {
        let deep_spi = mean_of(Algorithm::DeepSpi, game)?;
        let deep_mdp = mean_of(Algorithm::DeepMdp, game)?;
        Some(GameLoss { game: game.clone(), deep_spi, deep_mdp })
    };
    let games: Vec<GameLoss> = selection.games.iter().filter_map(of_game).collect();
    let differences: Vec<f64> = games.iter().map(|game| game.deep_spi - game.deep_mdp).collect();
    let curve_of = |algo: Algorithm| {
        let curves = selection.curves(algo, places, |_, sample| loss.of(&sample.losses));
        (algo, curve(&curves, median, effort.resamples_of_curves))
    };
    LossComparison {
        loss,
        left_out: selection.left_out.clone(),
        missing: selection.missing.clone(),
        difference: paired(&differences),
        curves: [Algorithm::DeepMdp, Algorithm::DeepSpi].map(curve_of).to_vec(),
        games,
    }
}
