//! One agent: its trainer, its mazes, and the view that is computed after an iteration.

use burn::tensor::Device;
use deepspi_core::maze::{ProbeError, assess, cells, probe};
use deepspi_core::pca::principal_components;
use deepspi_core::{run_state::TrainError, trainer::Trainer};
use deepspi_options::ConfigError;
use deepspi_playground::archive::{Archive, ArchiveError, Contents};
use deepspi_playground::protocol::{AgentView, Watch};
use deepspi_playground::scene::keep_facing;
use deepspi_run::batch_view::BatchView;
use deepspi_run::config::Config;
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::message::{MazeStatus, Message};
use deepspi_run::run_files::RunInfo;
use deepspi_worlds::env::{EnvError, VectorEnv as _};
use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs};

use super::time;

/// A trainer and its environments.
#[derive(Debug)]
pub struct Agent {
    trainer: Trainer,
    envs: MazeEnvs,
    started: u64,
    /// The batch of the last iteration, if it was watched.
    batch: Option<BatchView>,
    /// Its policy at the last call of [`Self::look`], and the one before its last iteration, `[S,
    /// A]`.
    policy: Option<Vec<f64>>,
    before: Option<Vec<f64>>,
    /// The last projection of the latents, which fixes the orientation of the next one.
    points: Vec<[f64; 2]>,
}

/// Slack epsilon of Theorem 4; small relative to the maze's values.
const EPSILON: f64 = 0.1;

/// Why a checkpoint cannot be continued.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is not a checkpoint.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The checkpoint belongs to another game.
    #[error("this is a run of {env}; the page trains on the maze only")]
    OtherGame {
        /// Name of the game.
        env: String,
    },
    /// The maze or a hyper-parameter is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The checkpoint does not fit the networks.
    #[error(transparent)]
    Checkpoint(#[from] deepspi_core::checkpoint::CheckpointError),
    /// The environments in the checkpoint do not fit the run.
    #[error("the environments of the checkpoint cannot be restored: {0}")]
    Environments(#[from] EnvError),
}

impl Agent {
    /// A new agent at its first iteration.
    ///
    /// # Errors
    /// If a value is out of range.
    pub fn new(maze: MazeConfig, config: &Config, device: &Device) -> Result<Self, ConfigError> {
        let trainer = Trainer::new(config.clone(), maze.preset.network(), device)?;
        let mut agent = Self::with(trainer, maze, time::unix_seconds())?;
        agent.envs.reset();
        Ok(agent)
    }

    /// Continues a checkpoint; `fallback` is the maze if the contents do not name one.
    ///
    /// # Errors
    /// If it is not a checkpoint of the maze, or if it is damaged.
    pub async fn restore(
        contents: Contents,
        fallback: MazeConfig,
        device: &Device,
    ) -> Result<Self, RestoreError> {
        let Contents { info, checkpoint } = contents;
        let (maze, started) = match info {
            Some(RunInfo { maze: Some(maze), started, .. }) => (maze, started),
            Some(RunInfo { env, .. }) => return Err(RestoreError::OtherGame { env }),
            None => (fallback, time::unix_seconds()),
        };
        let trainer = Trainer::restore(&checkpoint, &maze.preset.network(), device)?;
        let mut agent = Self::with(trainer, maze, started)?;
        agent.trainer.restore_environments(&checkpoint, &mut agent.envs).await?;
        Ok(agent)
    }

    fn with(trainer: Trainer, maze: MazeConfig, started: u64) -> Result<Self, ConfigError> {
        let config = trainer.config();
        let maze = Maze::new(maze, config.gamma.into())?;
        let envs = MazeEnvs::new(maze, config.num_envs, trainer.environment_seed());
        Ok(Self {
            trainer,
            envs,
            started,
            batch: None,
            policy: None,
            before: None,
            points: Vec::new(),
        })
    }

    /// Its maze.
    pub const fn maze(&self) -> &Maze {
        self.envs.maze()
    }

    /// Its trainer.
    pub const fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// Trains one iteration: a rollout and its updates. The batch is kept for [`Self::look`] if it
    /// is `watched`.
    ///
    /// # Errors
    /// If the device fails or a quantity is not finite; the agent can then only be restored from a
    /// checkpoint.
    pub async fn iterate(
        &mut self,
        watched: bool,
        mut emit: impl FnMut(Message),
    ) -> Result<(), TrainError> {
        self.trainer.watch_batches(watched);
        let mut batch = None;
        let result = self.trainer.iterate(&mut self.envs, |message| match message {
            Message::Batch(view) => batch = Some(*view),
            message => emit(message),
        });
        result.await?;
        self.batch = batch;
        self.before = self.policy.take();
        Ok(())
    }

    /// The status of the agent, and a view if `wanted` is given, with the slow parts that `wanted`
    /// names.
    ///
    /// # Errors
    /// If the device fails or the policy is not a distribution.
    pub async fn look(
        &mut self,
        wanted: Option<Watch>,
    ) -> Result<(MazeStatus, Option<AgentView>), ProbeError> {
        let maze = self.envs.maze();
        let model = self.trainer.policy();
        let report = probe(&model, maze, self.trainer.device()).await?;
        let status = MazeStatus::new(&report, maze, self.trainer.global_step());
        let Some(wanted) = wanted else {
            self.policy = Some(report.policy);
            return Ok((status, None));
        };
        // The two stars determine the orientation of the first picture; later pictures keep it.
        let mut projection = principal_components(&report.latents, maze.states(), maze.stars());
        if let Some(projection) = &mut projection {
            keep_facing(&self.points, &mut projection.points);
            self.points.clone_from(&projection.points);
        }
        let explained = projection.as_ref().map_or([0.0; 2], |p| p.explained);
        let (config, device) = (self.trainer.config(), self.trainer.device());
        let deviation = self.batch.as_ref().and_then(|batch| batch.deviation);
        let cells = if wanted.details {
            Some(cells(&model, maze, &report, config, deviation, device).await?)
        } else {
            None
        };
        let assessment = if wanted.theory {
            let before = self.before.as_ref().unwrap_or(&report.policy);
            Some(assess(&model, maze, before, &report, config, EPSILON, device).await?)
        } else {
            None
        };
        self.policy = Some(report.policy.clone());
        let view = AgentView {
            cells,
            batch: self.batch.clone().filter(|_| wanted.details),
            assessment,
            global_step: self.trainer.global_step(),
            points: projection.map(|p| p.points),
            explained,
            report,
        };
        Ok((status, Some(view)))
    }

    /// Its checkpoint, as a native run folder in a zip file.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn archive(&mut self, device: &str) -> Result<Archive, RestoreError> {
        let checkpoint = self.trainer.checkpoint_with(&mut self.envs).await?;
        let info = RunInfo {
            env: "maze".to_owned(),
            stochastic: false,
            device: device.to_owned(),
            version: deepspi_playground::VERSION.to_owned(),
            revision: deepspi_playground::REVISION.to_owned(),
            started: self.started,
            maze: Some(*self.maze().config()),
            atari: None,
        };
        Ok(Archive::new(&info, &checkpoint, self.trainer.global_step())?)
    }
}
