//! All statistics of a sweep, from its runs; the content of the page, of the tables and of the JSON.

use deepspi_core::config::{Algorithm, Config};
use serde::Serialize;
use serde_json::{Value, json};

use super::baselines::{Baselines, Comparison};
use super::losses::{LossComparison, compare};
use super::runs::{RunData, places};
use super::score::ScoreKind;
use super::warnings::{scale, warnings};
use crate::benchmark::Sweep;
use crate::comparison::{
    Curves, Point, RESAMPLES, RESAMPLES_OF_CURVES, ScoreMatrix, Scored, Summary, aggregates, curve,
    improvement, improvement_interval, profile_with_band, thresholds,
};
use crate::figures::methods::METHODS;
use crate::statistics::{Interval, interquartile_mean, mean};

/// Resamples of the bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Effort {
    /// Of aggregates and probabilities of improvement.
    pub resamples: usize,
    /// Of profiles and curves.
    pub resamples_of_curves: usize,
}

impl Effort {
    /// As many as the field uses.
    pub const FULL: Self = Self { resamples: RESAMPLES, resamples_of_curves: RESAMPLES_OF_CURVES };
}

/// One algorithm, one kind of score, the games that all algorithms have.
#[derive(Clone, Debug, Serialize)]
pub struct AlgorithmSummary {
    /// Which.
    pub algo: Algorithm,
    /// The fewest and the most runs a game has.
    pub runs: (usize, usize),
    /// Human-normalised.
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
    /// Averaged over games.
    pub value: f64,
    /// 95 %.
    pub interval: Interval,
}

/// One game and algorithm.
#[derive(Clone, Debug, Serialize)]
pub struct GameScore {
    /// Game.
    pub game: String,
    /// Algorithm.
    pub algo: Algorithm,
    /// Raw scores by seed.
    pub scores: Vec<(u64, f64)>,
    /// Mean raw score; none without a finished run.
    pub mean: Option<f64>,
    /// Mean human-normalised score.
    pub normalised: Option<f64>,
}

/// Everything about one kind of score.
#[derive(Clone, Debug, Serialize)]
pub struct KindSummary {
    /// Which.
    pub kind: ScoreKind,
    /// Games with a score of every algorithm: those that are compared.
    pub games: Vec<String>,
    /// The other games.
    pub left_out: Vec<String>,
    /// Runs without such a score, each with the reason.
    pub missing: Vec<String>,
    /// In the order of the paper; empty if there is no game to compare.
    pub algorithms: Vec<AlgorithmSummary>,
    /// Each pair.
    pub improvements: Vec<Improvement>,
    /// Each game and algorithm, also those that are not compared.
    pub scores: Vec<GameScore>,
}

/// A whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// All runs, in the order of the specification.
    #[serde(serialize_with = "runs_as_json")]
    pub runs: Vec<RunData>,
    /// Algorithms, in the order of the paper.
    pub algos: Vec<Algorithm>,
    /// Kinds of score; evaluation only where all finished runs have one.
    pub kinds: Vec<KindSummary>,
    /// Empty without DeepSPI and DeepMDP.
    pub losses: Vec<LossComparison>,
    /// On the games of the training-time score.
    pub baselines: Option<Comparison>,
    /// What the reader must be told, a sentence each.
    pub warnings: Vec<String>,
}

impl Report {
    /// Computes everything.
    ///
    /// # Errors
    /// If the specification has settings that cannot be, or the games do not fit each other.
    pub fn new(
        sweep: &Sweep,
        runs: Vec<RunData>,
        baselines: Option<Baselines>,
        effort: Effort,
    ) -> Result<Self, anyhow::Error> {
        let algos: Vec<Algorithm> =
            METHODS.into_iter().filter(|algo| sweep.algos.contains(algo)).collect();
        let first = algos.first().copied().unwrap_or(Config::DEFAULT.algo);
        let settings = sweep.settings(first, 1)?;
        let places = places(&settings);
        let mut warnings = warnings(&runs, sweep.seeds);
        warnings.extend(scale(sweep.games.len(), settings.total_timesteps));
        warnings.extend(baselines.as_ref().and_then(Baselines::warning));
        let finished = || runs.iter().filter(|run| run.is_finished());
        let all_evaluated = finished().count() > 0 && finished().all(|r| r.evaluated().is_some());
        let kinds = ScoreKind::ALL
            .into_iter()
            .filter(|kind| *kind != ScoreKind::Evaluation || all_evaluated)
            .map(|kind| KindSummary::new(kind, &algos, &runs, &places, effort))
            .collect::<Result<Vec<_>, _>>()?;
        let compared = kinds.first().map(|kind| kind.games.clone()).unwrap_or_default();
        let baselines = baselines.map(|table| table.on(&compared)).transpose()?;
        let losses = compare(&runs, &places, effort);
        Ok(Self { runs, algos, kinds, losses, baselines, warnings })
    }

    /// Whether a run is missing, unfinished or unusable.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        !self.runs.iter().all(RunData::is_finished)
    }

    /// `INCOMPLETE (3 of 18 runs): ` if there is something to say.
    #[must_use]
    pub fn mark(missing: usize, all: usize) -> String {
        if missing == 0 {
            String::new()
        } else {
            format!("INCOMPLETE ({missing} of {all} runs are not finished): ")
        }
    }
}

impl KindSummary {
    fn new(
        kind: ScoreKind,
        algos: &[Algorithm],
        runs: &[RunData],
        places: &[u64],
        effort: Effort,
    ) -> Result<Self, anyhow::Error> {
        let usable: Vec<&RunData> =
            runs.iter().filter(|run| run.is_finished() && kind.normalised(run).is_some()).collect();
        let has = |game: &str, algo: Algorithm| {
            usable.iter().any(|run| run.id.game.name == game && run.id.algo == algo)
        };
        let mut names: Vec<String> = runs.iter().map(|run| run.id.game.name.to_owned()).collect();
        names.sort();
        names.dedup();
        let complete = |game: &String| algos.iter().all(|&algo| has(game, algo));
        let (games, left_out): (Vec<_>, Vec<_>) = names.iter().cloned().partition(complete);
        let why = |run: &RunData| match kind {
            _ if !run.is_finished() => format!("{}: {}", run.id, run.status()),
            ScoreKind::Finished => format!("{}: it has not finished a single game", run.id),
            _ => format!("{}: it has no such score", run.id),
        };
        let not_usable = |run: &&RunData| !run.is_finished() || kind.normalised(run).is_none();
        let missing = runs.iter().filter(not_usable).map(why).collect();

        let of = |algo: Algorithm| -> Vec<&RunData> {
            let mut mine: Vec<&RunData> = usable
                .iter()
                .copied()
                .filter(|run| run.id.algo == algo && games.iter().any(|g| g == run.id.game.name))
                .collect();
            // As the rows of a score matrix.
            mine.sort_by_key(|run| (run.id.game.name, run.id.seed));
            mine
        };
        let matrix = |algo: Algorithm| {
            let scored = of(algo).into_iter().filter_map(|run| {
                let score = kind.normalised(run)?;
                Some(Scored { game: run.id.game.name.to_owned(), seed: run.id.seed, score })
            });
            ScoreMatrix::new(algo.name(), scored)
        };
        let mut algorithms = Vec::new();
        let mut improvements = Vec::new();
        if !games.is_empty() {
            let matrices = algos.iter().map(|&a| matrix(a)).collect::<Result<Vec<_>, _>>()?;
            for (&algo, matrix) in algos.iter().zip(&matrices) {
                let curve = if kind == ScoreKind::Evaluation {
                    Vec::new()
                } else {
                    let curves = over_training(kind, &of(algo), matrix.lengths(), places);
                    curve(&curves, interquartile_mean, effort.resamples_of_curves)
                };
                algorithms.push(AlgorithmSummary {
                    algo,
                    runs: matrix.runs(),
                    aggregates: aggregates(matrix, effort.resamples),
                    profile: profile_with_band(matrix, &thresholds(), effort.resamples_of_curves),
                    curve,
                });
            }
            // The newer algorithm of the paper first: P(DeepSPI > PPO).
            for (i, x) in matrices.iter().enumerate().rev() {
                for (j, y) in matrices[..i].iter().enumerate() {
                    improvements.push(Improvement {
                        x: algos[i],
                        y: algos[j],
                        value: improvement(x, y)?,
                        interval: improvement_interval(x, y, effort.resamples)?,
                    });
                }
            }
        }
        let scores = names
            .iter()
            .flat_map(|game| algos.iter().map(move |&algo| (game, algo)))
            .map(|(game, algo)| {
                let mine =
                    || usable.iter().filter(|run| run.id.game.name == game && run.id.algo == algo);
                let raw: Vec<(u64, f64)> =
                    mine().filter_map(|run| Some((run.id.seed, kind.of(run)?))).collect();
                let values: Vec<f64> = raw.iter().map(|score| score.1).collect();
                let normalised: Vec<f64> = mine().filter_map(|run| kind.normalised(run)).collect();
                GameScore {
                    game: game.clone(),
                    algo,
                    scores: raw,
                    mean: mean(&values),
                    normalised: mean(&normalised),
                }
            })
            .collect();
        Ok(Self { kind, games, left_out, missing, algorithms, improvements, scores })
    }
}

fn over_training(
    kind: ScoreKind,
    runs: &[&RunData],
    lengths: Vec<usize>,
    places: &[u64],
) -> Curves {
    let value = |run: &RunData, place: usize| {
        let sample = run.curve[place]?;
        let raw = if kind == ScoreKind::Finished { sample.finished } else { sample.training };
        crate::output::scores::human_normalized(run.id.game.name, raw?)
    };
    Curves {
        places: places.iter().map(|place| *place as f64).collect(),
        lengths,
        values: runs
            .iter()
            .map(|run| {
                (0..places.len()).map(|place| value(run, place).unwrap_or(f64::NAN)).collect()
            })
            .collect(),
    }
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
            "evaluation_protocol": run.evaluated().map(|e| e.protocol.clone()),
            "transition_loss": run.losses.transition_loss,
            "reward_loss": run.losses.reward_loss,
            "info": run.info,
        })
    };
    out.collect_seq(runs.iter().map(run))
}
