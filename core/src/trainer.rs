//! The training loop: rollout, advantages, updates, report.
//!
//! One call of [`Trainer::iterate`] is one iteration of the paper's algorithm. The loop is
//! asynchronous only because a browser cannot wait for a GPU; natively it is run to completion.
//! Between two iterations the trainer is a value that can be stored ([`crate::checkpoint`]).

mod certified;

use burn::tensor::{Device, Tensor};
use deepspi_options::ConfigError;
use deepspi_run::batch_view::BatchView;
use deepspi_run::certificate::Projection;
use deepspi_run::config::Config;
use deepspi_run::decision::Decision;
use deepspi_run::message::{Iteration, Message};
use deepspi_run::metrics::UpdateMetrics;
use deepspi_run::monitor::{EpisodeTracker, RatioBounds};
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::{self, EnvError, VectorEnv};
use deepspi_worlds::rng::Generators;

use crate::batch_view::batch_view;
use crate::learner::Learner;
use crate::metrics::PendingMetrics;
use crate::nn::Model;
use crate::objective::{Minibatch, draw_noise};
use crate::optim::total;
use crate::read_floats;
use crate::returns::Advantages;
use crate::returns::explained_variance;
use crate::rollout::{Rollout, observations, permutation};
use crate::sharing::Distinct;

/// Why an iteration could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A value outside its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The environment failed.
    #[error("the environment failed: {0}")]
    Environment(#[source] EnvError),
    /// The device failed.
    #[error(transparent)]
    Core(#[from] crate::Error),
    /// A loss, gradient or parameter is no longer a number.
    #[error("{0}")]
    NotFinite(NotFinite),
}

/// The first quantity that was NaN or infinite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// Name of the quantity.
    pub quantity: String,
    /// NaN or infinity, as text.
    pub value: String,
    /// Iteration from 0.
    pub iteration: u64,
    /// Update within the iteration from 0; none for a quantity of the whole iteration.
    pub update: Option<usize>,
}

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { quantity, value, iteration, update } = self;
        write!(f, "{quantity} became {value} in iteration {iteration}")?;
        update.map_or(Ok(()), |update| write!(f, ", update {update}"))
    }
}

/// A run between two iterations.
#[derive(Clone, Debug)]
pub struct Trainer {
    pub(crate) config: Config,
    pub(crate) spec: NetworkSpec,
    pub(crate) device: Device,
    pub(crate) learner: Learner,
    pub(crate) generators: Generators,
    pub(crate) iteration: u64,
    pub(crate) tracker: EpisodeTracker,
    /// Done flags of the environments' current observations.
    pub(crate) dones: Vec<bool>,
    /// Whether every iteration also reports its batch.
    pub(crate) watches_batches: bool,
}

impl Trainer {
    /// A run at its start on `device` (without autodiff).
    ///
    /// # Errors
    /// If the configuration is out of range.
    pub fn new(config: Config, spec: NetworkSpec, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let model = Model::new(&spec, &config, device);
        Ok(Self {
            learner: Learner::new(model),
            generators: Generators::new(config.seed),
            iteration: 0,
            tracker: EpisodeTracker::new(config.num_envs),
            dones: vec![false; config.num_envs],
            watches_batches: false,
            device: device.clone(),
            config,
            spec,
        })
    }

    /// Hyper-parameters.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Iterations completed.
    #[must_use]
    pub const fn iteration(&self) -> u64 {
        self.iteration
    }

    /// Agent steps taken.
    #[must_use]
    pub const fn global_step(&self) -> u64 {
        self.iteration * self.config.batch_size() as u64
    }

    /// Whether all iterations are done.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.iteration >= self.config.num_iterations()
    }

    /// Where its tensors are.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// Parameters and optimiser.
    #[must_use]
    pub const fn learner(&self) -> &Learner {
        &self.learner
    }

    /// Whether every iteration also emits [`Message::Batch`], after its [`Message::Iteration`]. Costs
    /// one more pass over the batch and changes nothing of the run; off at the start, and no part of
    /// a checkpoint.
    pub const fn watch_batches(&mut self, on: bool) {
        self.watches_batches = on;
    }

    /// One iteration; the environment must have been reset before the first.
    ///
    /// # Errors
    /// If the environment or the device fails or a quantity is not finite. The trainer is then no
    /// longer consistent with its environment: continue from a checkpoint.
    pub async fn iterate(
        &mut self,
        env: &mut dyn VectorEnv,
        mut emit: impl FnMut(Message),
    ) -> Result<(), TrainError> {
        let rollout = self.collect(env, &mut emit).await?;
        let targets = rollout.advantages(self.config.gamma, self.config.gae_lambda);
        let (metrics, projection) = self.learn(&rollout, &targets).await?;
        let ratios = self.ratio_bounds(&rollout, &self.learner).await?;
        let certificate = if self.config.deep_spi.certified {
            Some(self.certificate(&rollout, &targets, ratios, projection).await?)
        } else {
            None
        };
        self.check_finite(
            "a parameter",
            &[read_floats(total(self.learner.parameters().clone())).await?[0]],
            None,
        )?;
        let view = if self.watches_batches {
            Some(self.batch_view(&rollout, &targets).await?)
        } else {
            None
        };

        let learning_rate = self.config.learning_rate_at(self.iteration);
        self.iteration += 1;
        let (avg_episodic_return, avg_episodic_length) = self.tracker.mean_with_zeros();
        emit(Message::Iteration(Box::new(Iteration {
            iteration: self.iteration - 1,
            global_step: self.global_step(),
            learning_rate,
            last: metrics.last().copied().unwrap_or_default(),
            mean: UpdateMetrics::mean(&metrics),
            explained_variance: explained_variance(rollout.values(), &targets.returns),
            ratios,
            certificate,
            avg_episodic_return,
            finished_return: self.tracker.mean_finished(),
            avg_episodic_length,
            episodes: self.tracker.episodes(),
        })));
        if let Some(view) = view {
            emit(Message::Batch(Box::new(view)));
        }
        Ok(())
    }

    /// T steps with the current policy, on plain values: nothing is recorded for a gradient.
    async fn collect(
        &mut self,
        env: &mut dyn VectorEnv,
        emit: &mut impl FnMut(Message),
    ) -> Result<Rollout, TrainError> {
        let model = self.learner.plain();
        let num_envs = self.config.num_envs;
        let mut rollout = Rollout::start(env, &self.dones);
        for step in 0..self.config.num_steps {
            let decision = self.decide(&model, env).await?;
            let actions = decision.sample(self.spec.actions, &mut self.generators.actions);
            env::step(env, &actions).await.map_err(TrainError::Environment)?;
            let global_step = self.global_step() + ((step + 1) * num_envs) as u64;
            for episode in self.tracker.step(env.outcomes(), global_step) {
                emit(Message::Episode(episode));
            }
            rollout.push(decision, actions, env);
        }
        self.check_finite("a reward", rollout.rewards(), None)?;
        rollout.finish(self.decide(&model, env).await?.values);
        self.dones = rollout.last_dones().to_vec();
        Ok(rollout)
    }

    /// Policy and value of an environment's current observations, in one read.
    async fn decide(&self, model: &Model, env: &dyn VectorEnv) -> Result<Decision, crate::Error> {
        let (frame, pixels) = (self.spec.frame, env.observations());
        let distinct = match env.observation_ids() {
            Some(ids) => Distinct::of(ids),
            None => Distinct { firsts: (0..env.num_envs()).collect(), rows: Vec::new() },
        };
        let input = observations(frame, distinct.firsts.len(), &self.device, |i| {
            &pixels[distinct.firsts[i] * frame.len()..][..frame.len()]
        });
        let decision = evaluate(model, input, self.spec.actions).await?;
        Ok(match env.observation_ids() {
            Some(_) => decision.select(&distinct.rows),
            None => decision,
        })
    }

    /// All updates of an iteration, with one read each (a certified run reads the ratios, too).
    async fn learn(
        &mut self,
        rollout: &Rollout,
        targets: &Advantages,
    ) -> Result<(Vec<UpdateMetrics>, Projection), TrainError> {
        let mut projection = Projection::default();
        let config = self.config.clone();
        let rate = config.learning_rate_at(self.iteration);
        let lifted = self.device.clone().autodiff();
        let mut all = Vec::with_capacity(config.update_epochs * config.num_minibatches);
        for _ in 0..config.update_epochs {
            let order = permutation(rollout.len(), &mut self.generators.shuffle);
            for indices in order.chunks_exact(config.minibatch_size()) {
                let batch = self.minibatch(rollout, indices, targets, &lifted);
                let before = self.learner.parameters().clone();
                let (learner, pending) = self.learner.clone().update(&batch, &config, rate);
                self.learner = if config.deep_spi.certified {
                    self.project(rollout, &before, learner, &mut projection).await?
                } else {
                    learner
                };
                // Reading every update also keeps the queue short: long unsynchronised loops gave
                // wrong values on some drivers (tracel-ai/burn#5563).
                let metrics = PendingMetrics::read(vec![pending]).await?;
                for (name, value) in metrics.iter().flat_map(UpdateMetrics::named) {
                    self.check_finite(name, &[value], Some(all.len()))?;
                }
                all.extend(metrics);
            }
        }
        Ok((all, projection))
    }

    /// The transitions `indices` on `device`, with the noise the world model's loss needs.
    fn minibatch(
        &mut self,
        rollout: &Rollout,
        indices: &[usize],
        targets: &Advantages,
        device: &Device,
    ) -> Minibatch {
        let config = &self.config;
        let mut batch = rollout.minibatch(indices, targets, config.uses_world_model(), device);
        let (model, rng) = (self.learner.trainable(), &mut self.generators.noise);
        batch.noise = draw_noise(model, config, indices.len(), rng, device);
        batch
    }

    /// The batch as the updated model sees it. Its noise comes from copies of the generators: looking
    /// must not change the run.
    async fn batch_view(
        &self,
        rollout: &Rollout,
        targets: &Advantages,
    ) -> Result<BatchView, crate::Error> {
        let mut generators = self.generators.clone();
        let (model, config) = (self.learner.plain(), &self.config);
        batch_view(&model, rollout, targets, config, &mut generators.noise, &self.device).await
    }

    /// Importance ratios of a learner's policy over the states of the rollout.
    async fn ratio_bounds(
        &self,
        rollout: &Rollout,
        learner: &Learner,
    ) -> Result<RatioBounds, crate::Error> {
        let model = learner.plain();
        let actions = self.spec.actions;
        let (mut behaviour, mut updated) = (Vec::new(), Vec::new());
        for indices in rollout.distinct().chunks(self.config.minibatch_size()) {
            let input = rollout.frames(indices, &self.device);
            updated.extend(evaluate(&model, input, actions).await?.log_probs);
            let rows = indices.iter().map(|&i| &rollout.log_probs()[i * actions..][..actions]);
            behaviour.extend(rows.flatten().copied());
        }
        Ok(RatioBounds::from_log_probs(&behaviour, &updated, self.config.gamma))
    }

    fn check_finite(
        &self,
        quantity: &str,
        values: &[f32],
        update: Option<usize>,
    ) -> Result<(), TrainError> {
        values.iter().find(|x| !x.is_finite()).map_or(Ok(()), |value| {
            Err(TrainError::NotFinite(NotFinite {
                quantity: quantity.to_owned(),
                value: value.to_string(),
                iteration: self.iteration,
                update,
            }))
        })
    }
}

/// Policy and value of observations `[B, H, W, C]`, read together.
///
/// # Errors
/// The device's own error.
pub async fn evaluate(
    model: &Model,
    input: Tensor<4>,
    actions: usize,
) -> Result<Decision, crate::Error> {
    let state = model.agent.act(model.agent.encode(input));
    let both = Tensor::cat(vec![state.logits, state.values.unsqueeze_dim(1)], 1);
    let both = read_floats(both).await?;
    let (mut logits, mut values) = (Vec::new(), Vec::new());
    for row in both.chunks(actions + 1) {
        logits.extend_from_slice(&row[..actions]);
        values.extend_from_slice(&row[actions..]);
    }
    Ok(Decision::from_logits(&logits, values, actions))
}
