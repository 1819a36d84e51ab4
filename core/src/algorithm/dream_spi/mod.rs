//! DreamSPI: encoder and world model learn on real steps with DeepSPI's objective; the policy is
//! improved inside of the world model (docs/dream-spi.md).
//!
//! To follow one iteration from top to bottom, read `DreamSpi::iteration`: it collects a rollout, runs
//! the world-model phase on it or on sequences of the replay buffer, imagines rollouts from all of those
//! states, and runs the actor-critic phase on them. `phases` are these phases; [`imagination`] is a
//! rollout in the world model; [`DreamLearner`] holds the groups of parameters and says at which
//! parameters gradients are taken.

mod actor_critic;
mod groups;
pub mod imagination;
mod learner;
mod maximiser;
mod metrics;
mod phases;
mod replayed;

use burn::tensor::{Device, Tensor};
use deepspi_run::checkpoint::{Checkpoint, Encoding, Section};
use deepspi_run::config::Config;
use deepspi_run::message::Message;
use deepspi_run::metrics::Metrics;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::VectorEnv;

pub use self::actor_critic::imagined_objective;
pub use self::groups::Group;
pub use self::learner::DreamLearner;
pub use self::maximiser::{MaximiserTerms, maximiser_loss};
use self::phases::{REAL_DYNA, imagine_and_learn, maximise, replayed_phase, world_model_phase};
use self::replayed::{Replayed, judged};
use super::deep_spi::batch_view;
use super::metrics::{PendingMetrics, Read, read_iteration};
use super::seam::{Algorithm, IterationReport, Working};
use super::stored;
use crate::checkpoint::{CheckpointError, required};
use crate::collect::{PendingRatios, collect};
use crate::data::replay::ReplayBuffer;
use crate::data::rollout::Rollout;
use crate::model::Model;
use crate::optim::ParameterGroup;
use crate::returns::{Advantages, explained_variance};
use crate::run_state::{RunState, TrainError};

/// Name of the checkpoint section with the replay buffer.
const REPLAY: &str = "replay";

/// DreamSPI between two iterations.
#[derive(Clone, Debug)]
pub struct DreamSpi {
    learner: DreamLearner,
    replay: Option<ReplayBuffer>,
}

/// The metrics of the updates of an iteration, not read yet.
#[derive(Debug, Default)]
struct Updates {
    real: Vec<PendingMetrics>,
    imagined: Vec<PendingMetrics>,
    maximised: Vec<PendingMetrics>,
}

impl DreamSpi {
    /// The algorithm at the start of a run, with initial parameters and an empty replay buffer.
    #[must_use]
    pub fn new(config: &Config, spec: &NetworkSpec, device: &Device) -> Self {
        let replay = config
            .dream
            .use_replay_buffer
            .then(|| ReplayBuffer::new(spec.frame, config.num_envs, config.dream.replay_capacity));
        Self { learner: DreamLearner::new(Model::new(spec, config, device), config), replay }
    }

    /// One iteration of the algorithm.
    async fn iteration(
        &mut self,
        run: &mut RunState,
        env: &mut dyn VectorEnv,
        emit: &mut dyn FnMut(Message),
    ) -> Result<IterationReport, TrainError> {
        let rollout = collect(&self.learner.plain(), run, env, emit).await?;
        let targets = rollout.advantages(run.config.gamma, run.config.gae_lambda);
        let rates = self.learner.rates(&run.config, &REAL_DYNA);
        let updates = match &mut self.replay {
            None => self.learn(run, &rollout, &targets),
            Some(replay) => {
                replay.push(&rollout);
                self.learn_from_replay(run).await?
            }
        };
        let model = self.learner.plain();
        let ratios = PendingRatios::of(&model, &rollout, run);
        let Updates { real, imagined, maximised } = updates;
        let Read { metrics: [real, imagined, maximised], ratios, parameter_sum } =
            read_iteration(run, [real, imagined, maximised], ratios, self.learner.parameters())
                .await?;
        let batch = if run.watches_batches {
            // Watching must not change the run: the noise comes from a copy of its generator.
            let mut noise = run.generators.noise.clone();
            let config = run.config.of_world_model_phase();
            Some(batch_view(&model, &rollout, &targets, &config, &mut noise, &run.device).await?)
        } else {
            None
        };
        let last = |all: &[Metrics]| all.last().cloned().unwrap_or_default();
        Ok(IterationReport {
            learning_rate: rates[Group::Encoder as usize].unwrap_or(0.0),
            last: last(&real).and(last(&imagined)).and(last(&maximised)),
            mean: Metrics::mean(&real).and(Metrics::mean(&imagined)).and(Metrics::mean(&maximised)),
            parameter_sum,
            explained_variance: explained_variance(rollout.values(), &targets.returns),
            ratios,
            certificate: None,
            batch,
        })
    }

    /// All updates of an iteration that learns from its own steps.
    fn learn(&mut self, run: &mut RunState, rollout: &Rollout, targets: &Advantages) -> Updates {
        let learner = &mut self.learner;
        let real = world_model_phase(learner, run, rollout, targets);
        let maximised = maximise(learner, run, rollout, targets);
        let mut imagined = Vec::new();
        for _ in 0..run.config.dream.n_imagination_rollouts {
            imagined.extend(imagine_and_learn(learner, run, rollout));
        }
        Updates { real, imagined, maximised }
    }

    /// All updates of an iteration that learns from the replay buffer; none until it is filled. Only the
    /// metrics of the last update are returned, as the authors log them. However many imagined rollouts
    /// are configured, there is one for each update.
    async fn learn_from_replay(&mut self, run: &mut RunState) -> Result<Updates, TrainError> {
        let mut updates = Updates::default();
        let Some(replay) = &self.replay else { return Ok(updates) };
        if run.iteration + 1 < run.config.replay_warm_up() {
            return Ok(updates);
        }
        let config = run.config.clone();
        let dream = &config.dream;
        for _ in 0..config.replay_updates() {
            let sampled = replay.sample(
                dream.replay_sequences,
                dream.replay_length,
                dream.prioritize_new_samples,
                run.spec.actions,
                &mut run.generators.shuffle,
            );
            let (model, actions) = (self.learner.plain(), run.spec.actions);
            let part = config.imagined_starts() / config.num_minibatches;
            let replayed: Replayed =
                judged(&model, sampled, actions, part, &config, &run.device).await?;
            let learner = &mut self.learner;
            let real = replayed_phase(learner, run, &replayed);
            let rollout = &replayed.sampled.rollout;
            let maximised = maximise(learner, run, rollout, &replayed.targets);
            let imagined = imagine_and_learn(learner, run, rollout);
            updates = Updates { real, imagined, maximised };
        }
        Ok(updates)
    }
}

impl Algorithm for DreamSpi {
    fn groups(&self) -> Vec<ParameterGroup> {
        self.learner.optimiser.groups().cloned().collect()
    }

    fn parameters(&self) -> Tensor<1> {
        self.learner.parameters().clone()
    }

    fn policy(&self) -> Model {
        self.learner.plain()
    }

    fn iterate<'a>(
        &'a mut self,
        run: &'a mut RunState,
        env: &'a mut dyn VectorEnv,
        emit: &'a mut dyn FnMut(Message),
    ) -> Working<'a, Result<IterationReport, TrainError>> {
        Box::pin(self.iteration(run, env, emit))
    }

    fn sections(&self) -> Working<'_, Result<Vec<Section>, CheckpointError>> {
        Box::pin(async {
            let mut sections =
                stored::sections(self.learner.plain(), &self.learner.optimiser).await?;
            sections.extend(self.replay.as_ref().map(|replay| Section {
                name: REPLAY.to_owned(),
                encoding: Encoding::Binary,
                bytes: replay.to_bytes(),
            }));
            Ok(sections)
        })
    }

    fn optimiser_steps(&self) -> Vec<u64> {
        self.learner.optimiser.steps()
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let device = self.learner.parameters().device();
        let model = self.learner.plain();
        if self.replay.is_some() {
            let (config, frame) = (&checkpoint.state.config, checkpoint.state.spec.frame);
            let bytes = required(checkpoint, REPLAY)?;
            let capacity = config.dream.replay_capacity;
            let replay = ReplayBuffer::from_bytes(bytes, frame, config.num_envs, capacity)?;
            self.replay = Some(replay);
        }
        let optimiser = &mut self.learner.optimiser;
        let parameters = stored::restore(checkpoint, model, optimiser, &device)?;
        self.learner.set_parameters(parameters);
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Algorithm> {
        Box::new(self.clone())
    }
}
