//! One training run on the maze for a figure: its definition, and the results that are kept.

use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use deepspi_core::maze::{dream_errors, probe};
use deepspi_core::{run_state::TrainError, trainer::Trainer};
use deepspi_options::Flat;
use deepspi_run::certificate::Certificate;
use deepspi_run::config::{Algorithm, Config, TransitionDensity};
use deepspi_run::maze::HorizonError;
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::message::Message;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazeView, SeenMaze};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::run::signals::StopFlag;

/// Longest imagined rollout that is measured, and the number of rollouts.
const HORIZON: usize = 16;
const ROLLOUTS: usize = 512;

/// Everything that determines a run, including its seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Hyper-parameters.
    pub config: Config,
    /// The maze.
    pub maze: MazeConfig,
}

/// State of the run after one iteration; iteration 0 is the untrained agent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Iterations completed.
    pub iteration: u64,
    /// Agent steps taken.
    pub global_step: u64,
    /// Exact V(s_I) of the stochastic policy.
    pub start_value: f64,
    /// See [`deepspi_run::maze::MazeReport::star_distance`].
    pub star_distance: f64,
    /// See [`deepspi_run::maze::MazeReport::relative_star_distance`].
    pub relative_star_distance: f64,
    /// `D_IR^sup` of the iteration over the batch. It may be infinite; JSON then has `null`. It is never
    /// NaN, because a run with NaN has failed.
    #[serde(deserialize_with = "null_is_infinite")]
    pub ratio_sup: f32,
    /// `D_IR^inf` of the iteration over the batch.
    pub ratio_inf: f32,
    /// Mean l_R of the iteration.
    pub reward_loss: f32,
    /// Mean l_P of the iteration.
    pub transition_loss: f32,
    /// Certificate of Theorem 3, for certified runs.
    pub certificate: Option<Certificate>,
}

fn null_is_infinite<'de, D: Deserializer<'de>>(value: D) -> Result<f32, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or(f32::INFINITY))
}

/// Latents of all states after one iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Iterations completed.
    pub iteration: u64,
    /// Latents `[S, D]`.
    pub latents: Vec<f32>,
    /// Exact values `[S]`.
    pub values: Vec<f64>,
}

/// Errors of imagined rollouts at one time of a run of DreamSPI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dreams {
    /// Agent steps taken.
    pub global_step: u64,
    /// By horizon, from 1.
    pub errors: Vec<HorizonError>,
}

/// A finished run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The experiment that was run.
    pub experiment: Experiment,
    /// Device that trained.
    pub device: String,
    /// Revision of the program's source.
    pub revision: String,
    /// Duration in seconds.
    pub seconds: f64,
    /// One point per iteration.
    pub points: Vec<Point>,
    /// Latents early and late in training.
    pub snapshots: Vec<Snapshot>,
    /// Errors of imagined rollouts early, in the middle and late in training; only of DreamSPI.
    #[serde(default)]
    pub dreams: Vec<Dreams>,
    /// Why the run ended early, if a quantity became NaN or infinite.
    pub failure: Option<String>,
}

/// The content from which the name of a kept run is computed.
#[derive(Serialize)]
struct FlatExperiment<'a> {
    config: Flat,
    maze: &'a MazeConfig,
}

impl Experiment {
    /// Name of the file of the kept run. It is readable, and it differs whenever anything in the
    /// experiment differs.
    ///
    /// # Errors
    /// Never; encoding plain numbers cannot fail.
    pub fn key(&self) -> Result<String> {
        // The networks of the preset are part of the digest: if they change, kept runs are no
        // longer the same runs. All fields are on one level, because runs were named so before the
        // configuration had parts, and fields that came later count only if they differ from their
        // defaults.
        let flat = FlatExperiment { config: self.config.identity(), maze: &self.maze };
        let all = (flat, self.maze.preset.network());
        let digest = Sha256::digest(serde_json::to_vec(&all)?);
        let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{}-{}-{short}", self.config.algo.name(), self.config.seed))
    }

    /// The preset in words, with the kind of latents if it is not the usual one.
    #[must_use]
    pub fn preset(&self) -> String {
        let latents = match self.config.world_model.transition_density {
            TransitionDensity::Categorical => ", categorical latents",
            _ => "",
        };
        format!("{}{latents}", self.maze.preset.name())
    }

    /// The same with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// The same with another algorithm.
    #[must_use]
    pub const fn with_algorithm(mut self, algo: Algorithm) -> Self {
        self.config.algo = algo;
        self
    }

    /// Iteration after which the early latents are saved.
    const fn early(&self) -> u64 {
        self.config.num_iterations() / 10
    }

    /// Trains the run; returns `None` if the user stopped it.
    ///
    /// # Errors
    /// If a parameter is out of range, the device fails, or the run diverges.
    pub fn train(
        &self,
        device: &Device,
        device_name: &str,
        stop: &StopFlag,
    ) -> Result<Option<Record>> {
        let start = Instant::now();
        let maze = Maze::new(self.maze, self.config.gamma.into())?;
        let mut envs = MazeEnvs::new(maze.clone(), self.config.num_envs, self.config.seed);
        let mut trainer = Trainer::new(self.config.clone(), self.maze.preset.network(), device)?;
        envs.reset();
        let view = MazeView::of(&maze);
        let seen = SeenMaze { maze: &maze, view: &view };
        let mut points = Vec::new();
        let mut snapshots = Vec::new();
        let mut dreams = Vec::new();
        let mut last = None;
        let mut failure = None;
        loop {
            let report = pollster::block_on(probe(&trainer.policy(), seen, device))?;
            let iteration = trainer.iteration();
            points.push(Point {
                iteration,
                global_step: trainer.global_step(),
                start_value: report.start_value,
                star_distance: report.star_distance,
                relative_star_distance: report.relative_star_distance,
                ..last.take().unwrap_or(UNTRAINED)
            });
            if iteration == self.early() || trainer.is_finished() {
                let (latents, values) = (report.latents, report.values);
                snapshots.push(Snapshot { iteration, latents, values });
            }
            let iterations = self.config.num_iterations();
            let is_measured = [self.early(), iterations / 3, 2 * iterations / 3, iterations];
            if self.config.can_imagine() && is_measured.contains(&iteration) {
                let (model, seed) = (trainer.policy(), self.config.seed);
                let errors = dream_errors(&model, seen, HORIZON, ROLLOUTS, seed, device);
                let errors = pollster::block_on(errors)?;
                dreams.push(Dreams { global_step: trainer.global_step(), errors });
            }
            if trainer.is_finished() {
                break;
            }
            if stop.is_set() {
                return Ok(None);
            }
            let emit = |message| {
                if let Message::Iteration(iteration) = message {
                    last = Some(Point {
                        ratio_sup: iteration.ratios.sup,
                        ratio_inf: iteration.ratios.inf,
                        reward_loss: iteration.mean.get("reward_loss").unwrap_or(0.0),
                        transition_loss: iteration.mean.get("transition_loss").unwrap_or(0.0),
                        certificate: iteration.certificate,
                        ..UNTRAINED
                    });
                }
            };
            match pollster::block_on(trainer.iterate(&mut envs, emit)) {
                Ok(()) => {}
                Err(TrainError::NotFinite(what)) => {
                    failure = Some(what.to_string());
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(Record {
            experiment: self.clone(),
            device: device_name.to_owned(),
            revision: env!("DEEPSPI_REVISION").to_owned(),
            seconds: start.elapsed().as_secs_f64(),
            points,
            snapshots,
            dreams,
            failure,
        }))
    }
}

/// Values of the fields before the first update.
const UNTRAINED: Point = Point {
    iteration: 0,
    global_step: 0,
    start_value: 0.0,
    star_distance: 0.0,
    relative_star_distance: 0.0,
    ratio_sup: 1.0,
    ratio_inf: 1.0,
    reward_loss: 0.0,
    transition_loss: 0.0,
    certificate: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_keeps_the_name_it_had_when_the_configuration_was_flat() {
        let experiment = Experiment { config: Config::DEFAULT, maze: MazeConfig::DEFAULT };
        // Computed with revision 9aa1139. With another name, the runs that users have kept would be
        // trained again.
        assert_eq!(experiment.key().expect("a key"), "deep-spi-1-dba8410a3942b496");
        let mut other = experiment;
        other.config.world_model.transition_balance = 0.8;
        assert_ne!(other.key().expect("a key"), "deep-spi-1-dba8410a3942b496");
    }
}
