//! The training loop of a run, for every algorithm: iterate, report, store, restore.
//!
//! One call of [`Trainer::iterate`] is one iteration of the algorithm. The loop is asynchronous
//! only because a browser cannot block on a GPU; natively it runs to completion. Between two
//! iterations the trainer can be stored. No algorithm may be named here: see [`crate::algorithm`].

use burn::tensor::{Device, Tensor};
use deepspi_options::ConfigError;
use deepspi_run::checkpoint::{Checkpoint, ENVIRONMENTS, Encoding, FORMAT, Section, State};
use deepspi_run::config::Config;
use deepspi_run::message::{Iteration, Message};
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::{EnvError, VectorEnv, reset};

use crate::algorithm::{self, Algorithm, IterationReport};
use crate::checkpoint::{CheckpointError, check_interface, check_state, model_section};
use crate::model::Model;
use crate::optim::ParameterGroup;
use crate::run_state::{RunState, TrainError};

/// A run between two iterations.
#[derive(Debug)]
pub struct Trainer {
    run: RunState,
    algorithm: Box<dyn Algorithm>,
}

impl Clone for Trainer {
    fn clone(&self) -> Self {
        Self { run: self.run.clone(), algorithm: self.algorithm.boxed_clone() }
    }
}

impl Trainer {
    /// A run at its start, on `device` (without autodiff).
    ///
    /// # Errors
    /// If the configuration is out of range.
    pub fn new(config: Config, spec: NetworkSpec, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let algorithm = algorithm::new(&config, &spec, device);
        Ok(Self { run: RunState::new(config, spec, device), algorithm })
    }

    /// Hyper-parameters.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.run.config
    }

    /// Sizes of its networks.
    #[must_use]
    pub const fn spec(&self) -> &NetworkSpec {
        &self.run.spec
    }

    /// Iterations completed.
    #[must_use]
    pub const fn iteration(&self) -> u64 {
        self.run.iteration
    }

    /// Agent steps taken.
    #[must_use]
    pub const fn global_step(&self) -> u64 {
        self.run.global_step()
    }

    /// Whether all iterations are done.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.run.iteration >= self.run.config.num_iterations()
    }

    /// Device of its tensors.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.run.device
    }

    /// The networks for rollouts and evaluation, without autodiff.
    #[must_use]
    pub fn policy(&self) -> Model {
        self.algorithm.policy()
    }

    /// All parameters, `[P]`, without autodiff.
    #[must_use]
    pub fn parameters(&self) -> Tensor<1> {
        self.algorithm.parameters()
    }

    /// The groups of parameters, in the order of the flat vector.
    #[must_use]
    pub fn groups(&self) -> Vec<ParameterGroup> {
        self.algorithm.groups()
    }

    /// Sets whether every iteration also emits [`Message::Batch`], after its
    /// [`Message::Iteration`]. This costs one more pass over the batch and does not change the run.
    /// It is off at the start and not part of a checkpoint.
    pub const fn watch_batches(&mut self, on: bool) {
        self.run.watches_batches = on;
    }

    /// Runs one iteration; the environment must be reset before the first one.
    ///
    /// # Errors
    /// If the environment or the device fails, or a quantity is not finite. The trainer is then no
    /// longer consistent with its environment: resume from a checkpoint.
    pub async fn iterate(
        &mut self,
        env: &mut dyn VectorEnv,
        mut emit: impl FnMut(Message),
    ) -> Result<(), TrainError> {
        let report = self.algorithm.iterate(&mut self.run, env, &mut emit).await?;
        self.run.check_finite("a parameter", &[report.parameter_sum], None)?;
        self.run.iteration += 1;
        let (message, batch) = self.message(report);
        emit(message);
        if let Some(batch) = batch {
            emit(batch);
        }
        Ok(())
    }

    /// The messages about the completed iteration.
    fn message(&self, report: IterationReport) -> (Message, Option<Message>) {
        let IterationReport {
            learning_rate,
            last,
            mean,
            parameter_sum: _,
            explained_variance,
            ratios,
            certificate,
            batch,
        } = report;
        let tracker = &self.run.tracker;
        let (avg_episodic_return, avg_episodic_length) = tracker.mean_with_zeros();
        let iteration = Iteration {
            iteration: self.run.iteration - 1,
            global_step: self.global_step(),
            learning_rate,
            last,
            mean,
            explained_variance,
            ratios,
            certificate,
            avg_episodic_return,
            finished_return: tracker.mean_finished(),
            avg_episodic_length,
            episodes: tracker.episodes(),
        };
        (Message::Iteration(Box::new(iteration)), batch.map(|view| Message::Batch(Box::new(view))))
    }

    /// The checkpoint of the run and its environments at its current iteration. Without a section
    /// of environments if they cannot be stored.
    ///
    /// # Errors
    /// If reading from the device, from the environments, or encoding fails.
    pub async fn checkpoint_with(
        &self,
        env: &mut dyn VectorEnv,
    ) -> Result<Checkpoint, CheckpointError> {
        let mut checkpoint = self.checkpoint().await?;
        if let Some(bytes) = env.snapshot().await? {
            let (name, encoding) = (ENVIRONMENTS.to_owned(), Encoding::Binary);
            checkpoint.sections.push(Section { name, encoding, bytes });
        }
        Ok(checkpoint)
    }

    /// The checkpoint of the run without its environments.
    ///
    /// # Errors
    /// If reading from the device or encoding fails.
    pub async fn checkpoint(&self) -> Result<Checkpoint, CheckpointError> {
        Ok(Checkpoint { sections: self.algorithm.sections().await?, state: self.state() })
    }

    /// A checkpoint with the networks alone, from which an agent can play but not learn. It leaves
    /// out the moments of the optimiser, which are twice as large and slow to encode.
    ///
    /// # Errors
    /// If reading from the device or encoding fails.
    pub async fn networks(&self) -> Result<Checkpoint, CheckpointError> {
        Ok(Checkpoint { sections: vec![model_section(self.policy()).await?], state: self.state() })
    }

    fn state(&self) -> State {
        let run = &self.run;
        State {
            format: FORMAT,
            config: run.config.clone(),
            spec: run.spec.clone(),
            iteration: run.iteration,
            optimiser_steps: self.algorithm.optimiser_steps(),
            generators: run.generators.clone(),
            tracker: run.tracker.clone(),
            dones: run.dones.clone(),
        }
    }

    /// Resumes a run from a checkpoint on `device`, for an environment for which new networks would
    /// be `spec`. The sizes of the networks are those of the checkpoint: another version of this
    /// program may have other ones for the same environment.
    ///
    /// # Errors
    /// If the checkpoint is of another format, was made for another environment, or is damaged.
    pub fn restore(
        checkpoint: &Checkpoint,
        spec: &NetworkSpec,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let state = &checkpoint.state;
        check_state(state)?;
        let own = &state.spec;
        check_interface(own, spec)?;
        let mut algorithm = algorithm::new(&state.config, own, device);
        algorithm.restore(checkpoint)?;
        let run = RunState {
            generators: state.generators.clone(),
            iteration: state.iteration,
            tracker: state.tracker.clone(),
            dones: state.dones.clone(),
            ..RunState::new(state.config.clone(), own.clone(), device)
        };
        Ok(Self { run, algorithm })
    }

    /// Seed for environments that are made now. That of a continued run differs from that of its
    /// start: environments that cannot be restored must not repeat the random numbers from the
    /// start. Restored environments continue their stored random numbers, whatever this seed is.
    #[must_use]
    pub const fn environment_seed(&self) -> u64 {
        self.config().seed.wrapping_add(self.global_step())
    }

    /// Brings new environments, made with [`Self::environment_seed`], to the point of the
    /// checkpoint from which this trainer was restored. If they are not stored in it, they are
    /// reset, and running episodes are forgotten.
    ///
    /// # Errors
    /// If the stored environments are damaged or others; errors of the environment.
    pub async fn restore_environments(
        &mut self,
        checkpoint: &Checkpoint,
        env: &mut dyn VectorEnv,
    ) -> Result<(), EnvError> {
        if let Some(stored) = checkpoint.section(ENVIRONMENTS) {
            return env.restore(stored).await;
        }
        reset(env).await?;
        self.run.tracker.abandon_running();
        self.run.dones.fill(false);
        Ok(())
    }
}
