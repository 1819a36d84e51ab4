//! All statistics of a sweep, computed from its runs: the content of the page, the tables and the
//! JSON file.

use anyhow::Result;
use deepspi_run::config::{Algorithm, Config};
use serde::Serialize;
use serde_json::{Value, json};

use super::baselines::{Baselines, Comparison};
use super::losses::{self, LossComparison};
use super::request::Effort;
use super::runs::{RunData, places};
use super::score::{Score, ScoreKind};
use super::selection::{Missing, Selection};
use super::warnings::{scale, warnings};
use crate::figures::methods::METHODS;
use crate::run::output::Losses;
use crate::stats::{
    Interval, Point, ScoreMatrix, Scored, Summary, aggregates, curve, improvement,
    improvement_interval, interquartile_mean, mean, profile_with_band, thresholds,
};
use crate::sweep::Sweep;

/// Results of one algorithm with one kind of score, on the games that all algorithms have.
#[derive(Clone, Debug, Serialize)]
pub struct AlgorithmSummary {
    /// The algorithm.
    pub algo: Algorithm,
    /// The fewest and the most runs of a game.
    pub runs: (usize, usize),
    /// Human-normalised aggregates.
    pub aggregates: Vec<Summary>,
    /// Share of runs above each human-normalised score.
    pub profile: Vec<Point>,
    /// IQM over training; empty for evaluations.
    pub curve: Vec<Point>,
}

/// P(X > Y).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Improvement {
    /// X.
    pub x: Algorithm,
    /// Y.
    pub y: Algorithm,
    /// Mean over games.
    pub value: f64,
    /// 95 % interval.
    pub interval: Interval,
}

/// Scores of one algorithm on one game.
#[derive(Clone, Debug, Serialize)]
pub struct GameScore {
    /// Game.
    pub game: String,
    /// Algorithm.
    pub algo: Algorithm,
    /// Raw scores by seed.
    pub scores: Vec<(u64, f64)>,
    /// Mean raw score; `None` without a finished run.
    pub mean: Option<f64>,
    /// Mean human-normalised score.
    pub normalised: Option<f64>,
}

/// All results for one kind of score.
#[derive(Clone, Debug, Serialize)]
pub struct KindSummary {
    /// The kind of score.
    pub kind: ScoreKind,
    /// Games on which every algorithm has a score; only these are compared.
    pub games: Vec<String>,
    /// The other games.
    pub left_out: Vec<String>,
    /// Runs without such a score, each with the reason.
    pub missing: Missing,
    /// In the order of the paper; empty if there is no game to compare.
    pub algorithms: Vec<AlgorithmSummary>,
    /// One entry for each pair of algorithms.
    pub improvements: Vec<Improvement>,
    /// One entry for each game and algorithm, including games that are not compared.
    pub scores: Vec<GameScore>,
}

/// A whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// All runs, in the order of `sweep.toml`.
    #[serde(serialize_with = "runs_as_json")]
    pub runs: Vec<RunData>,
    /// Algorithms, in the order of the paper.
    pub algos: Vec<Algorithm>,
    /// Kinds of score; evaluation only if all finished runs have one.
    pub kinds: Vec<KindSummary>,
    /// Empty unless the sweep has both DeepSPI and DeepMDP.
    pub losses: Vec<LossComparison>,
    /// Published scores on the games of the training-time score.
    pub baselines: Option<Comparison>,
    /// Warnings for the reader, one sentence each.
    pub warnings: Vec<String>,
}

impl Report {
    /// Computes all statistics.
    ///
    /// # Errors
    /// If the sweep has invalid settings, or the games of two algorithms differ.
    pub fn new(
        sweep: &Sweep,
        runs: Vec<RunData>,
        baselines: Option<Baselines>,
        effort: Effort,
    ) -> Result<Self> {
        let algos: Vec<Algorithm> =
            METHODS.into_iter().filter(|algo| sweep.algos.contains(algo)).collect();
        let first = algos.first().copied().unwrap_or(Config::DEFAULT.algo);
        let settings = sweep.settings(first, 1)?;
        let places = places(&settings);
        let scores = ScoreKind::ALL.map(|kind| (kind, kind.select(&runs, &algos)));
        let both = losses::select(&runs);
        let mut warnings = warnings(&runs, &scores, both.as_ref());
        warnings.extend(scale(sweep.games.len(), settings.total_timesteps));
        warnings.extend(baselines.as_ref().and_then(Baselines::warning));
        let kinds = scores
            .iter()
            .filter(|(kind, selection)| kind.is_reported(selection))
            .map(|(kind, selection)| KindSummary::new(*kind, &algos, selection, &places, effort))
            .collect::<Result<Vec<_>>>()?;
        let compared = kinds.first().map(|kind| kind.games.clone()).unwrap_or_default();
        let baselines = baselines.map(|table| table.on(&compared)).transpose()?;
        let compare = |both: &Selection<'_, Losses>| losses::compare(both, &places, effort);
        let losses = both.as_ref().map(compare).unwrap_or_default();
        Ok(Self { runs, algos, kinds, losses, baselines, warnings })
    }

    /// Whether a run is missing, unfinished or unusable.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        !self.runs.iter().all(RunData::is_finished)
    }
}

impl KindSummary {
    fn new(
        kind: ScoreKind,
        algos: &[Algorithm],
        selection: &Selection<'_, Score>,
        places: &[u64],
        effort: Effort,
    ) -> Result<Self> {
        let (mut algorithms, mut pairs) = (Vec::new(), Vec::new());
        if !selection.games.is_empty() {
            let matrix = |&algo: &Algorithm| matrix(selection, algo);
            let matrices = algos.iter().map(matrix).collect::<Result<Vec<_>>>()?;
            pairs = improvements(algos, &matrices, effort)?;
            let summary = |(&algo, matrix): (&Algorithm, &ScoreMatrix)| AlgorithmSummary {
                algo,
                runs: matrix.runs(),
                aggregates: aggregates(matrix, effort.resamples),
                profile: profile_with_band(matrix, &thresholds(), effort.resamples_of_curves),
                curve: over_training(kind, selection, algo, places, effort),
            };
            algorithms = algos.iter().zip(&matrices).map(summary).collect();
        }
        Ok(Self {
            kind,
            games: selection.games.clone(),
            left_out: selection.left_out.clone(),
            missing: selection.missing.clone(),
            algorithms,
            improvements: pairs,
            scores: game_scores(algos, selection),
        })
    }
}

/// Human-normalised scores of an algorithm on the games that are compared.
fn matrix(selection: &Selection<'_, Score>, algo: Algorithm) -> Result<ScoreMatrix> {
    let scored = selection.compared(algo).map(|(run, score)| Scored {
        game: run.id.game.name.to_owned(),
        seed: run.id.seed,
        score: score.normalised,
    });
    ScoreMatrix::new(algo.name(), scored)
}

/// All pairs, with the later algorithm of the paper first: P(DeepSPI > PPO).
fn improvements(
    algos: &[Algorithm],
    matrices: &[ScoreMatrix],
    effort: Effort,
) -> Result<Vec<Improvement>> {
    let mut all = Vec::new();
    for (i, x) in matrices.iter().enumerate().rev() {
        for (j, y) in matrices[..i].iter().enumerate() {
            all.push(Improvement {
                x: algos[i],
                y: algos[j],
                value: improvement(x, y)?,
                interval: improvement_interval(x, y, effort.resamples)?,
            });
        }
    }
    Ok(all)
}

fn over_training(
    kind: ScoreKind,
    selection: &Selection<'_, Score>,
    algo: Algorithm,
    places: &[u64],
    effort: Effort,
) -> Vec<Point> {
    if kind == ScoreKind::Evaluation {
        return Vec::new();
    }
    let curves = selection.curves(algo, places, |run, sample| kind.during_training(run, sample));
    curve(&curves, interquartile_mean, effort.resamples_of_curves)
}

/// Scores of each game and algorithm, sorted by the name of the game.
fn game_scores(algos: &[Algorithm], selection: &Selection<'_, Score>) -> Vec<GameScore> {
    let mut games: Vec<&String> = selection.games.iter().chain(&selection.left_out).collect();
    games.sort();
    let of = |(game, algo): (&String, Algorithm)| {
        let runs = || selection.of_game(game, algo);
        let raw: Vec<f64> = runs().map(|(_, score)| score.raw).collect();
        let normalised: Vec<f64> = runs().map(|(_, score)| score.normalised).collect();
        GameScore {
            game: game.clone(),
            algo,
            scores: runs().map(|(run, score)| (run.id.seed, score.raw)).collect(),
            mean: mean(&raw),
            normalised: mean(&normalised),
        }
    };
    let pairs = games.into_iter().flat_map(|game| algos.iter().map(move |&algo| (game, algo)));
    pairs.map(of).collect()
}

fn runs_as_json<S: serde::Serializer>(runs: &[RunData], out: S) -> Result<S::Ok, S::Error> {
    let run = |run: &RunData| -> Value {
        json!({
            "run": run.id.to_string(),
            "game": run.id.game.name,
            "algo": run.id.algo.name(),
            "seed": run.id.seed,
            "status": run.status(),
            "finished": run.is_finished(),
            "step": run.step,
            "total_steps": run.total,
            "training_score": run.training,
            "finished_games_score": run.finished,
            "evaluation_score": run.evaluated().map(|evaluation| evaluation.mean),
            "evaluation_protocol": run.evaluated().map(|e| e.protocol.describe()),
            "transition_loss": run.losses.transition_loss,
            "reward_loss": run.losses.reward_loss,
            "info": run.info,
        })
    };
    out.collect_seq(runs.iter().map(run))
}
