//! One agent: its trainer, its environments, and the view that is computed after an iteration.

use burn::tensor::Device;
use deepspi_core::checkpoint::{CheckpointError, on_cpu};
use deepspi_core::maze::{ProbeError, assess, cells, dream, probe};
use deepspi_core::pca::principal_components;
use deepspi_core::{run_state::TrainError, trainer::Trainer};
use deepspi_export::card::{Contents as Card, UNKNOWN_LICENSE};
use deepspi_export::{ExportError, Subject};
use deepspi_options::ConfigError;
use deepspi_playground::archive::{Archive, ArchiveError, Contents};
use deepspi_playground::play::Networks;
use deepspi_playground::protocol::{AgentView, Watch};
use deepspi_playground::scene::keep_facing;
use deepspi_run::batch_view::BatchView;
use deepspi_run::config::Config;
use deepspi_run::maze::{DreamPlan, MazeDream};
use deepspi_run::message::{MazeStatus, Message};
use deepspi_run::run_files::{RunInfo, checkpoint_name};
use deepspi_run::world::World;
use deepspi_worlds::env::{self, EnvError};
use deepspi_worlds::maze::Maze;

use super::open_world::{Emulators, OpenError, OpenWorld};
use super::time;

/// A trainer and its environments.
#[derive(Debug)]
pub struct Agent {
    trainer: Trainer,
    world: OpenWorld,
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

/// Why an agent cannot be created or continued.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The file is not a checkpoint.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A hyper-parameter is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The world cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The checkpoint does not fit the networks.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The agent has no form for other programs.
    #[error("{0}")]
    Export(#[from] ExportError),
    /// The parameters cannot be read from the device.
    #[error(transparent)]
    Device(#[from] deepspi_core::Error),
    /// The environments failed, or those in the checkpoint do not fit the run.
    #[error("the environments cannot be started: {0}")]
    Environments(#[from] EnvError),
}

impl Agent {
    /// A new agent at its first iteration.
    ///
    /// # Errors
    /// If a value is out of range or the emulator fails.
    pub async fn new(
        world: World,
        config: &Config,
        emulators: &Emulators,
        device: &Device,
    ) -> Result<Self, AgentError> {
        let trainer = Trainer::new(config.clone(), world.network(), device)?;
        let mut agent = Self::with(trainer, world, emulators, time::unix_seconds()).await?;
        env::reset(&mut *agent.world.envs).await?;
        Ok(agent)
    }

    /// Continues a checkpoint of this world.
    ///
    /// # Errors
    /// If it does not fit the world, or if it is damaged.
    pub async fn restore(
        contents: Contents,
        world: World,
        emulators: &Emulators,
        device: &Device,
    ) -> Result<Self, AgentError> {
        let Contents { info, checkpoint } = contents;
        let started = info.map_or_else(time::unix_seconds, |info| info.started);
        let trainer = Trainer::restore(&checkpoint, &world.network(), device)?;
        let mut agent = Self::with(trainer, world, emulators, started).await?;
        agent.trainer.restore_environments(&checkpoint, &mut *agent.world.envs).await?;
        Ok(agent)
    }

    async fn with(
        trainer: Trainer,
        world: World,
        emulators: &Emulators,
        started: u64,
    ) -> Result<Self, AgentError> {
        let (config, seed) = (trainer.config(), trainer.environment_seed());
        Ok(Self {
            world: OpenWorld::open(world, config, seed, emulators).await?,
            trainer,
            started,
            batch: None,
            policy: None,
            before: None,
            points: Vec::new(),
        })
    }

    /// Its maze, if its policies have exact values.
    pub fn maze(&self) -> Option<&Maze> {
        self.world.seen().map(|seen| seen.maze)
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
        let result = self.trainer.iterate(&mut *self.world.envs, |message| match message {
            Message::Batch(view) => batch = Some(*view),
            message => emit(message),
        });
        result.await?;
        self.batch = batch;
        self.before = self.policy.take();
        Ok(())
    }

    /// The status of the agent in its maze, and a view if `wanted` is given, with the slow parts
    /// that `wanted` names. None without exact values.
    ///
    /// # Errors
    /// If the device fails or the policy is not a distribution.
    pub async fn look(
        &mut self,
        wanted: Option<Watch>,
    ) -> Result<Option<(MazeStatus, Option<AgentView>)>, ProbeError> {
        let Some(seen) = self.world.seen() else { return Ok(None) };
        let maze = seen.maze;
        let model = self.trainer.policy();
        let report = probe(&model, seen, self.trainer.device()).await?;
        let status = MazeStatus::new(&report, maze, self.trainer.global_step());
        let Some(wanted) = wanted else {
            self.policy = Some(report.policy);
            return Ok(Some((status, None)));
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
            Some(cells(&model, seen, &report, config, deviation, device).await?)
        } else {
            None
        };
        let assessment = if wanted.theory {
            let before = self.before.as_ref().unwrap_or(&report.policy);
            Some(assess(&model, seen, before, &report, config, EPSILON, device).await?)
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
        Ok(Some((status, Some(view))))
    }

    /// Imagined steps in its maze. None without exact values, without a world model, if its critic cannot
    /// judge imagined latents, and for a plan that starts outside of the maze.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn dream(&self, plan: &DreamPlan) -> Result<Option<MazeDream>, TrainError> {
        let config = self.trainer.config();
        let Some(seen) = self.world.seen().filter(|_| config.can_imagine()) else {
            return Ok(None);
        };
        if plan.start >= seen.maze.states() {
            return Ok(None);
        }
        let model = self.trainer.policy();
        let found = dream(&model, seen, plan.clone(), config.gamma, self.trainer.device());
        Ok(Some(found.await?))
    }

    /// Its networks without the state of the optimiser, for a player.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn networks(&self) -> Result<Option<Networks>, AgentError> {
        Ok(Networks::of(&self.trainer.networks().await?))
    }

    /// Its checkpoint, as a native run folder in a zip file.
    ///
    /// # Errors
    /// If the device or the emulator fails.
    pub async fn archive(&mut self, device: &str) -> Result<Archive, AgentError> {
        let checkpoint = self.trainer.checkpoint_with(&mut *self.world.envs).await?;
        Ok(Archive::new(&self.info(device), &checkpoint, self.trainer.global_step())?)
    }

    /// The agent as files for other programs, in one zip file: those of `native export`, without a learning
    /// curve and scores.
    ///
    /// # Errors
    /// If the device fails, or the agent cannot be written as a graph.
    pub async fn export(&self, device: &str) -> Result<Archive, AgentError> {
        let (trainer, info) = (&self.trainer, self.info(device));
        let (config, steps) = (trainer.config(), trainer.global_step());
        let subject = Subject {
            run: &info,
            config,
            spec: trainer.spec(),
            checkpoint: &checkpoint_name(steps),
            steps,
            version: &info.version,
            revision: &info.revision,
        };
        let card = Card { license: UNKNOWN_LICENSE.to_owned(), ..Card::default() };
        let model = on_cpu(trainer.policy()).await?;
        let files = deepspi_export::files(&model, &subject, &card)?;
        Ok(Archive::of_files(format!("{}__{steps}", info.folder_name(config)), files)?)
    }

    /// The description of its run.
    fn info(&self, device: &str) -> RunInfo {
        let mut info = RunInfo {
            env: String::new(),
            stochastic: false,
            device: device.to_owned(),
            version: deepspi_playground::VERSION.to_owned(),
            revision: deepspi_playground::REVISION.to_owned(),
            started: self.started,
            maze: None,
            atari: None,
            saving: None,
        };
        self.world.world.describe(&mut info);
        info
    }
}
