//! The kinds of score of a run. They are not interchangeable, and every table names its kind.

use deepspi_run::config::Algorithm;
use serde::Serialize;

use super::runs::RunData;
use super::selection::Selection;
use crate::run::output::Sample;
use crate::stats::reference_scores::human_normalized;

/// A score of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Raw score of the game.
    pub raw: f64,
    /// Human-normalised.
    pub normalised: f64,
}

/// A kind of score; a run has at most one score of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreKind {
    /// The authors' score of the last iteration of training.
    Training,
    /// The same score without environments that have not finished a game.
    Finished,
    /// Whole games in separate environments.
    Evaluation,
}

impl ScoreKind {
    /// All kinds, beginning with the one that the paper reports.
    pub const ALL: [Self; 3] = [Self::Training, Self::Finished, Self::Evaluation];

    /// Stem of the names of its files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Finished => "finished-games",
            Self::Evaluation => "evaluation",
        }
    }

    /// Heading of its section.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Training => "Training-time score",
            Self::Finished => "Training-time score, finished games only",
            Self::Evaluation => "Evaluation",
        }
    }

    /// Its definition.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::Training => {
                "As the authors define it: at the last iteration of training, the mean over environments of the raw return of the game that each finished last, with 0 for an environment that has not finished any."
            }
            Self::Finished => {
                "As the training-time score, but over environments that have finished a game: without the zeros of the others."
            }
            Self::Evaluation => {
                "Mean raw return over whole games of the trained agent, in environments of their own (`native evaluate`)."
            }
        }
    }

    /// Selects the runs that have such a score.
    pub fn select<'a>(self, runs: &'a [RunData], algos: &[Algorithm]) -> Selection<'a, Score> {
        let lack = match self {
            Self::Training => "without a training-time score",
            Self::Finished => "without a finished game",
            Self::Evaluation => "without an evaluation",
        };
        let score =
            |run: &RunData| Some(Score { raw: self.of(run)?, normalised: self.normalised(run)? });
        Selection::new(runs, algos, lack, score)
    }

    /// Whether the report has a section for it; for evaluations, only if all finished runs have
    /// one.
    pub fn is_reported(self, selection: &Selection<'_, Score>) -> bool {
        self != Self::Evaluation || (selection.len() > 0 && selection.missing.lacking() == 0)
    }

    /// Human-normalised score of a run after an iteration of its training.
    pub fn during_training(self, run: &RunData, sample: &Sample) -> Option<f64> {
        let raw = match self {
            Self::Training => sample.training,
            Self::Finished => sample.finished,
            Self::Evaluation => None,
        };
        human_normalized(run.id.game.name, raw?)
    }

    /// Raw score of a run; `None` if the run has no such score.
    pub fn of(self, run: &RunData) -> Option<f64> {
        let score = match self {
            Self::Training => run.training,
            Self::Finished => run.finished,
            Self::Evaluation => run.evaluated().map(|evaluation| evaluation.mean),
        };
        score.filter(|score| score.is_finite())
    }

    /// Human-normalised score of a run; `None` if the run has no such score.
    pub fn normalised(self, run: &RunData) -> Option<f64> {
        human_normalized(run.id.game.name, self.of(run)?)
    }
}
