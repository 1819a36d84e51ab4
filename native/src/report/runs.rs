//! Reads the run folders of a sweep and determines what is wrong with each of them.
//!
//! A damaged run is not an error of the report: the report names it, and the run does not count.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use deepspi_run::config::Config;
use deepspi_run::run_files::RunInfo;
use deepspi_worlds::atari::AtariTraining;
use rayon::prelude::*;

use crate::evaluate::{Evaluation, Protocol};
use crate::run::folder::{METRICS, RunFolder, read_config};
use crate::run::output::{Line, Losses, Sample, read_log};
use crate::sweep::{RunId, RunState, RunStatus, Sweep};

/// Largest number of points of a curve over training.
const PLACES: u64 = 100;

/// Progress of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// All steps are done.
    Finished,
    /// Some steps are done; with the reason if its processes failed.
    Unfinished(Option<String>),
    /// It has no folder.
    Missing,
    /// Its folder cannot be used.
    Damaged(String),
}

/// An evaluation of the trained agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// Mean raw return.
    pub mean: f64,
    /// How it was played.
    pub protocol: Protocol,
}

/// One run of a sweep.
#[derive(Clone, Debug)]
pub struct RunData {
    /// The run.
    pub id: RunId,
    /// Its progress.
    pub state: State,
    /// Agent steps done, of those that count.
    pub step: u64,
    /// Agent steps at its end.
    pub total: u64,
    /// Agent steps in its log: more than `total` if the run was made longer by hand.
    pub logged: u64,
    /// Description of the run and of the program that made it.
    pub info: Option<RunInfo>,
    /// The authors' training score after the last step; `None` if it was NaN or infinite.
    pub training: Option<f64>,
    /// The same score over the environments that have finished a game.
    pub finished: Option<f64>,
    /// Its evaluation; an error with the reason if there is one that cannot be used.
    pub evaluation: Result<Option<Evaluated>, String>,
    /// Losses after the last step.
    pub losses: Losses,
    /// The newest iteration at each of [`places`]; `None` before the first and after the last
    /// iteration.
    pub curve: Vec<Option<Sample>>,
}

impl RunData {
    /// A run of which only the progress is known.
    pub fn new(id: RunId, total: u64, state: State) -> Self {
        Self {
            id,
            state,
            step: 0,
            total,
            logged: 0,
            info: None,
            training: None,
            finished: None,
            evaluation: Ok(None),
            losses: Losses::default(),
            curve: Vec::new(),
        }
    }

    /// Its evaluation, if it has one that can be used.
    pub fn evaluated(&self) -> Option<&Evaluated> {
        self.evaluation.as_ref().ok()?.as_ref()
    }

    /// Whether its numbers count.
    pub fn is_finished(&self) -> bool {
        self.state == State::Finished
    }

    /// Its progress in words.
    pub fn status(&self) -> String {
        match &self.state {
            State::Finished => "finished".into(),
            State::Missing => "missing: it has not begun".into(),
            State::Damaged(why) => format!("unusable: {why}"),
            State::Unfinished(failure) => {
                let step = format!("unfinished at step {} of {}", self.step, self.total);
                failure
                    .as_ref()
                    .map_or_else(|| step.clone(), |why| format!("{step}; failed: {why}"))
            }
        }
    }
}

/// Agent steps at which curves are evaluated: ends of iterations, at most [`PLACES`], including the
/// last.
pub fn places(config: &Config) -> Vec<u64> {
    let iterations = config.num_iterations();
    let count = iterations.clamp(1, PLACES);
    (1..=count).map(|i| iterations * i / count * config.batch_size() as u64).collect()
}

/// Reads all runs, in the order of the sweep.
///
/// # Errors
/// If the sweep has invalid settings.
pub fn load(folder: &Path, sweep: &Sweep) -> Result<Vec<RunData>> {
    sweep.runs().into_par_iter().map(|id| one(folder, sweep, id)).collect()
}

fn one(sweep_folder: &Path, sweep: &Sweep, id: RunId) -> Result<RunData> {
    let expected = sweep.settings(id.algo, id.seed)?;
    let total = expected.whole_steps();
    let folder = id.folder(sweep_folder);
    if !folder.exists() {
        return Ok(RunData::new(id, total, State::Missing));
    }
    let read = || -> Result<RunData> {
        let info = RunFolder::open(&folder)?.info;
        let config = read_config(&folder)?;
        belongs(&info, &config, &expected, sweep, id)?;
        let mut samples = samples(&folder.join(METRICS))?;
        let logged = samples.last().map_or(0, |sample| sample.step);
        // A run that was made longer would show a better score than the others had time to reach.
        samples.truncate(samples.partition_point(|sample| sample.step <= total));
        samples.iter().try_for_each(|sample| is_of_length(sample, &expected))?;
        let evaluation = evaluation(&folder, id, total).map_err(|error| format!("{error:#}"));
        let last = samples.last().copied();
        let step = last.map_or(0, |sample| sample.step);
        let training = last.and_then(|sample| sample.training);
        ensure!(
            last.is_none() || training.is_some(),
            "its score after {step} steps is not a number (NaN); the run diverged"
        );
        let state = if step >= total {
            State::Finished
        } else {
            let status = RunStatus::read(sweep_folder, id, total);
            let error = status.record.and_then(|record| record.last_error);
            State::Unfinished(error.filter(|_| status.state == RunState::Failed))
        };
        let at = |place: u64| {
            let until = samples.partition_point(|sample| sample.step <= place);
            (place <= step).then(|| samples[..until].last().copied()).flatten()
        };
        Ok(RunData {
            step,
            logged,
            info: Some(info),
            training,
            finished: last.and_then(|sample| sample.finished),
            evaluation,
            losses: last.map(|sample| sample.losses).unwrap_or_default(),
            curve: places(&expected).into_iter().map(at).collect(),
            ..RunData::new(id, total, state)
        })
    };
    Ok(read().unwrap_or_else(|error| RunData::new(id, total, State::Damaged(format!("{error:#}")))))
}

/// Checks that the run folder contains the run that its place in the sweep names.
fn belongs(
    info: &RunInfo,
    config: &Config,
    expected: &Config,
    sweep: &Sweep,
    id: RunId,
) -> Result<()> {
    ensure!(
        info.env == id.game.name && info.stochastic == sweep.stochastic,
        "its config.toml is of {} ({}), not of {} ({})",
        info.env,
        protocol(info.stochastic),
        id.game.name,
        protocol(sweep.stochastic)
    );
    let rules = AtariTraining::differences(info.atari.as_ref(), sweep.atari.as_ref());
    if let Some((field, found, wanted)) = rules.first() {
        bail!("its config.toml is not of this sweep: `{field}` is {found}, not {wanted}");
    }
    let (found, wanted) = (toml::Table::try_from(config)?, toml::Table::try_from(expected)?);
    for (key, wanted) in &wanted {
        let found = found.get(key).map_or_else(|| "missing".to_owned(), ToString::to_string);
        let wanted = wanted.to_string();
        ensure!(
            found == wanted,
            "its config.toml is not of this sweep: `{key}` is {found}, not {wanted}"
        );
    }
    Ok(())
}

/// The kind of environments in one word.
pub const fn protocol(stochastic: bool) -> &'static str {
    if stochastic { "stochastic" } else { "deterministic" }
}

/// All iterations of a log that count, ascending.
fn samples(log: &Path) -> Result<Vec<Sample>> {
    read_log(log, |line| match line {
        Line::Iteration(sample) => Some((sample.step, sample)),
        _ => None,
    })
}

/// Checks by the learning rate, which falls to 0 at the end, that an iteration belongs to a run as
/// long as `expected`. A run that was continued with another length does not belong to the sweep.
fn is_of_length(sample: &Sample, expected: &Config) -> Result<()> {
    let Some(found) = sample.learning_rate else { return Ok(()) };
    let iterations = sample.step / expected.batch_size() as u64;
    let wanted = expected.reported_learning_rate_at(iterations.saturating_sub(1));
    ensure!(
        (found - wanted).abs() <= 1e-9 * expected.learning_rate,
        "its learning rate at step {} was {found}, not {wanted}: it was continued with another --total-timesteps; train it anew",
        sample.step
    );
    Ok(())
}

/// The evaluation in a run folder; `None` if it has none.
fn evaluation(folder: &Path, id: RunId, total: u64) -> Result<Option<Evaluated>> {
    let Some(found) = Evaluation::read(folder)? else { return Ok(None) };
    let of = format!("{}__{}__{}", found.env, found.algo, found.training_seed);
    ensure!(of == id.to_string(), "its evaluation is of the run {of}");
    let step = found.global_step;
    ensure!(step >= total, "it is of the agent after {step} of {total} steps; evaluate it again");
    ensure!(
        step == total,
        "it is of the agent after {step} steps, more than the {total} of this sweep; evaluate the checkpoint of step {total} instead"
    );
    ensure!(found.summary.mean.is_finite(), "its evaluation is not a number (NaN)");
    Ok(Some(Evaluated { mean: found.summary.mean, protocol: found.protocol }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ends_of_iterations() {
        let config = |total| Config { total_timesteps: total, ..Config::DEFAULT };
        assert_eq!(places(&config(3 * 1024)), [1024, 2048, 3072]);
        let long = places(&config(10_000_000));
        assert_eq!((long.len(), long[99]), (100, 9765 * 1024));
        assert!(long.iter().all(|place| place % 1024 == 0));
    }
}
