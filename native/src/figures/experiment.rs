//! One training run on the maze, for a figure: what defines it, and what is kept of it.

use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use deepspi_core::maze::probe;
use deepspi_core::{run_state::TrainError, trainer::Trainer};
use deepspi_run::certificate::Certificate;
use deepspi_run::config::{Algorithm, Config};
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::message::Message;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::signals::StopFlag;

/// Everything that decides a run, its seed included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Hyper-parameters.
    pub config: Config,
    /// The maze.
    pub maze: MazeConfig,
}

/// The run after one iteration; iteration 0 is the untrained agent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Iterations done.
    pub iteration: u64,
    /// Agent steps done.
    pub global_step: u64,
    /// Exact V(s_I) of the stochastic policy.
    pub start_value: f64,
    /// See [`deepspi_run::maze::MazeReport::star_distance`].
    pub star_distance: f64,
    /// See [`deepspi_run::maze::MazeReport::relative_star_distance`].
    pub relative_star_distance: f64,
    /// `D_IR^sup` of the iteration over the batch.
    pub ratio_sup: f32,
    /// `D_IR^inf` of the iteration over the batch.
    pub ratio_inf: f32,
    /// Mean l_R of the iteration.
    pub reward_loss: f32,
    /// Mean l_P of the iteration.
    pub transition_loss: f32,
    /// Theorem 3, for certified runs.
    pub certificate: Option<Certificate>,
}

/// Latents of all states at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Iterations done.
    pub iteration: u64,
    /// Latents `[S, D]`.
    pub latents: Vec<f32>,
    /// Exact values `[S]`.
    pub values: Vec<f64>,
}

/// A finished run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// What was run.
    pub experiment: Experiment,
    /// Device that trained.
    pub device: String,
    /// Revision of the source.
    pub revision: String,
    /// Duration.
    pub seconds: f64,
    /// One point an iteration.
    pub points: Vec<Point>,
    /// Latents early and late in training.
    pub snapshots: Vec<Snapshot>,
    /// Why it ended early, if a quantity was no longer a number.
    pub failure: Option<String>,
}

impl Experiment {
    /// Name under which the run is kept: readable, and different whenever anything differs.
    ///
    /// # Errors
    /// Never; encoding plain numbers cannot fail.
    pub fn key(&self) -> Result<String> {
        // A preset names its networks; should they change, kept runs are no longer the same runs.
        let all = (self, self.maze.preset.network());
        let digest = Sha256::digest(serde_json::to_vec(&all)?);
        let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{}-{}-{short}", self.config.algo.name(), self.config.seed))
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

    /// Iteration after which the early latents are kept.
    const fn early(&self) -> u64 {
        self.config.num_iterations() / 10
    }

    /// Trains; none if the user stopped it.
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
        let mut points = Vec::new();
        let mut snapshots = Vec::new();
        let mut last = None;
        let mut failure = None;
        loop {
            let report = pollster::block_on(probe(&trainer.policy(), &maze, device))?;
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
            failure,
        }))
    }
}

/// What is known before the first update.
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
