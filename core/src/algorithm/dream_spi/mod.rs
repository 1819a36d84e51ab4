//! DreamSPI: encoder and world model learn on real steps with DeepSPI's objective; the policy is
//! improved inside of the world model (docs/dream-spi.md).
//!
//! To follow one iteration from top to bottom, read `DreamSpi::iteration`: it collects a rollout, runs
//! the world-model phase on it, imagines rollouts from all of its states, and runs the actor-critic
//! phase on those. [`imagination`] is a rollout in the world model; [`DreamLearner`] holds the groups of
//! parameters and says at which parameters gradients are taken.

mod actor_critic;
mod groups;
pub mod imagination;
mod learner;
mod maximiser;

use burn::tensor::{Int, Tensor};
use deepspi_run::certificate::Certificate;
use deepspi_run::checkpoint::{Checkpoint, Section};
use deepspi_run::config::Config;
use deepspi_run::message::Message;
use deepspi_run::metrics::Metrics;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::VectorEnv;

pub use self::actor_critic::imagined_objective;
pub use self::groups::Group;
use self::imagination::{Dream, Ends, StepNoise};
pub use self::learner::DreamLearner;
pub use self::maximiser::{MaximiserTerms, maximiser_loss};
use super::deep_spi::{batch_view, minibatch, objective};
use super::metrics::{PendingMetrics, Place};
use super::seam::{Algorithm, IterationReport, Working};
use super::stored;
use crate::checkpoint::CheckpointError;
use crate::collect::{PendingRatios, collect};
use crate::data::rollout::{Rollout, permutation};
use crate::model::Model;
use crate::ops::policy_objective::Mean;
use crate::optim::{ParameterGroup, total};
use crate::readback::read_together;
use crate::returns::{Advantages, explained_variance};
use crate::run_state::{RunState, TrainError};
use crate::sharing::Repeat;
use crate::traffic::upload_ints;

/// The groups that learn on real steps, and with `dyna_style`.
const REAL: [Group; 2] = [Group::Encoder, Group::WorldModel];
const REAL_DYNA: [Group; 4] = [Group::Encoder, Group::WorldModel, Group::Actor, Group::Critic];
/// The groups that learn in imagination.
const IMAGINED: [Group; 2] = [Group::Actor, Group::Critic];

/// DreamSPI between two iterations.
#[derive(Clone, Debug)]
pub struct DreamSpi {
    learner: DreamLearner,
}

impl DreamSpi {
    /// The algorithm at the start of a run, with initial parameters.
    #[must_use]
    pub fn new(config: &Config, spec: &NetworkSpec, device: &burn::tensor::Device) -> Self {
        Self { learner: DreamLearner::new(Model::new(spec, config, device), config) }
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
        let real = self.world_model_phase(run, &rollout, &targets);
        let maximised = self.maximise(run, &rollout, &targets);
        let mut imagined = Vec::new();
        for _ in 0..run.config.dream.n_imagination_rollouts {
            imagined.extend(self.imagine_and_learn(run, &rollout));
        }
        let model = self.learner.plain();
        let ratios = PendingRatios::of(&model, &rollout, run);
        // One read for everything: each one waits for the device.
        let all = || real.iter().chain(&imagined).chain(&maximised);
        let mut parts: Vec<Tensor<1>> =
            all().flat_map(|update| update.parts().iter().cloned()).collect();
        parts.extend_from_slice(ratios.parts());
        parts.push(total(self.learner.parameters().clone()));
        let mut values = read_together(parts).await?.into_iter();
        let mut resolve = |updates: &[PendingMetrics]| -> Vec<Metrics> {
            updates.iter().map(|update| update.resolve(&mut values)).collect()
        };
        let (real, imagined) = (resolve(&real), resolve(&imagined));
        let maximised = resolve(&maximised);
        for (update, metrics) in real.iter().chain(&imagined).chain(&maximised).enumerate() {
            for (name, value) in metrics.iter() {
                run.check_finite(name, &[value], Some(update))?;
            }
        }
        let ratios = ratios.resolve(&mut values);
        let parameter_sum = values.next().map_or(f32::NAN, |sum| sum[0]);
        let batch = if run.watches_batches {
            // Watching must not change the run: the noise comes from a copy of its generator.
            let mut noise = run.generators.noise.clone();
            let config = run.config.of_world_model_phase();
            Some(batch_view(&model, &rollout, &targets, &config, &mut noise, &run.device).await?)
        } else {
            None
        };
        let last = |all: &[Metrics]| all.last().cloned().unwrap_or_default();
        let certificate: Option<Certificate> = None;
        Ok(IterationReport {
            learning_rate: rates[Group::Encoder as usize].unwrap_or(0.0),
            last: last(&real).and(last(&imagined)).and(last(&maximised)),
            mean: Metrics::mean(&real).and(Metrics::mean(&imagined)).and(Metrics::mean(&maximised)),
            parameter_sum,
            explained_variance: explained_variance(rollout.values(), &targets.returns),
            ratios,
            certificate,
            batch,
        })
    }

    /// All updates on real steps. Their metrics are not read yet.
    fn world_model_phase(
        &mut self,
        run: &mut RunState,
        rollout: &Rollout,
        targets: &Advantages,
    ) -> Vec<PendingMetrics> {
        let config = run.config.of_world_model_phase();
        let lifted = run.device.clone().autodiff();
        let phase: &[Group] = if config.is_dyna() { &REAL_DYNA } else { &REAL };
        let mut pending = Vec::with_capacity(config.update_epochs * config.num_minibatches);
        for _ in 0..config.update_epochs {
            let order = permutation(rollout.len(), &mut run.generators.shuffle);
            for indices in order.chunks_exact(config.minibatch_size()) {
                let model = self.learner.trainable();
                let batch = minibatch(model, run, rollout, indices, targets, &lifted);
                let terms = objective(model, &batch, &config);
                let mut norms = self.learner.update(&terms.total, &config, phase);
                let mut parts = vec![terms.means.inner()];
                parts.extend(norms[Group::Encoder as usize].take());
                pending.push(match terms.penalty {
                    None => PendingMetrics::new(parts, &REAL_METRICS),
                    Some(penalty) => {
                        parts.extend([terms.total.inner(), penalty.inner()]);
                        PendingMetrics::new(parts, &REAL_METRICS_WITH_PENALTY)
                    }
                });
            }
        }
        self.learner.synchronise();
        pending
    }

    /// All updates of the discriminator; none without one.
    fn maximise(
        &mut self,
        run: &mut RunState,
        rollout: &Rollout,
        targets: &Advantages,
    ) -> Vec<PendingMetrics> {
        let (config, device) = (run.config.clone(), run.device.clone());
        let mut pending = Vec::new();
        if !config.has_discriminator() {
            return pending;
        }
        let plain = self.learner.plain();
        let size = rollout.len().div_ceil(maximiser::MINIBATCHES);
        for _ in 0..maximiser::EPOCHS {
            let order = permutation(rollout.len(), &mut run.generators.shuffle);
            for indices in order.chunks(size) {
                let batch = minibatch(&plain, run, rollout, indices, targets, &device);
                let model = self.learner.trainable();
                let Some(terms) = maximiser_loss(model, &plain, &batch, &config) else { continue };
                let _ = self.learner.update(&terms.loss, &config, &[Group::Maximiser]);
                pending.push(PendingMetrics::new(vec![terms.loss.inner()], &MAXIMISER_METRICS));
            }
        }
        self.learner.synchronise();
        pending
    }

    /// One imagined rollout from every state of the real one, and all updates on it.
    fn imagine_and_learn(&mut self, run: &mut RunState, rollout: &Rollout) -> Vec<PendingMetrics> {
        let model = self.learner.plain();
        let start = start_latents(&model, rollout, run);
        let dream = dream(&model, start, run);
        let config = run.config.of_imagination();
        let step = (run.iteration + 1) * config.batch_size() as u64;
        let alpha = config.imagination_weight(step, config.whole_steps());
        let targets = dream.targets(config.gamma, config.gae_lambda);
        let (latents, targets) = (dream.latents(), dream.policy_targets(targets));
        let about = imagined_summary(&dream, alpha);
        let samples = latents.dims()[0];
        let size = samples / config.imagination_minibatches();
        let mut pending = Vec::new();
        for _ in 0..config.dream.imagination_epochs {
            let order = permutation(samples, &mut run.generators.shuffle);
            for indices in order.chunks_exact(size) {
                let chosen = as_indices(indices, &run.device);
                let latents = latents.clone().select(0, chosen.clone());
                let targets = targets.clone().select(1, chosen);
                let terms = imagined_objective(self.learner.trainable(), latents, targets, &config);
                let mut norms = self.learner.update(&(terms.total * alpha), &config, &IMAGINED);
                let mut parts = vec![terms.means.inner()];
                parts.extend(norms[Group::Actor as usize].take());
                parts.push(about.clone());
                pending.push(PendingMetrics::new(parts, &IMAGINED_METRICS));
            }
        }
        self.learner.synchronise();
        pending
    }
}

/// Latents `[T N, h, w, c]` of all observations of a rollout from before its steps.
fn start_latents(model: &Model, rollout: &Rollout, run: &RunState) -> Tensor<4> {
    let (distinct, rows) = rollout.all_observations();
    let parts = distinct.chunks(run.config.minibatch_size());
    let parts = parts.map(|part| model.agent.encode(rollout.frames(part, &run.device)));
    let latents = Tensor::cat(parts.collect(), 0);
    match rows {
        None => latents,
        Some(rows) => Repeat::new(&rows, &run.device).apply(latents),
    }
}

/// An imagined rollout of the configured length.
fn dream(model: &Model, start: Tensor<4>, run: &mut RunState) -> Dream {
    let size = [start.dims()[0], run.spec.actions];
    let (device, horizon) = (run.device.clone(), run.config.dream.imagination_horizon);
    let rng = &mut run.generators.noise;
    Dream::from(model, start, horizon, Ends::of(&run.config), |_| {
        StepNoise::draw(model, size, rng, &device)
    })
}

/// Mean imagined reward, share of steps that end, and the weight of the loss, `[3]`.
fn imagined_summary(dream: &Dream, alpha: f32) -> Tensor<1> {
    let rewards = dream.all(|step| step.rewards.clone()).mean();
    let ends = dream.all(|step| step.ends.clone()).mean();
    let alpha = ends.zeros_like() + alpha;
    Tensor::cat(vec![rewards, ends, alpha], 0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "samples of a batch"
)]
fn as_indices(indices: &[usize], device: &burn::tensor::Device) -> Tensor<1, Int> {
    upload_ints(indices.iter().map(|&i| i as i32).collect(), [indices.len()], device)
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
        Box::pin(stored::sections(self.learner.plain(), &self.learner.optimiser))
    }

    fn optimiser_steps(&self) -> Vec<u64> {
        self.learner.optimiser.steps()
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let device = self.learner.parameters().device();
        let model = self.learner.plain();
        let optimiser = &mut self.learner.optimiser;
        let parameters = stored::restore(checkpoint, model, optimiser, &device)?;
        self.learner.set_parameters(parameters);
        Ok(())
    }

    fn boxed_clone(&self) -> Box<dyn Algorithm> {
        Box::new(self.clone())
    }
}

/// Metrics of an update on real steps: means (part 0), norm of the encoder's gradient (part 1).
const REAL_METRICS: [Place; 10] = [
    ("loss", 0, Mean::Loss as usize),
    ("policy_loss", 0, Mean::Policy as usize),
    ("value_loss", 0, Mean::Value as usize),
    ("entropy", 0, Mean::Entropy as usize),
    ("approx_kl", 0, Mean::ApproxKl as usize),
    ("clip_fraction", 0, Mean::ClipFraction as usize),
    ("drift", 0, Mean::Drift as usize),
    ("gradient_norm", 1, 0),
    ("transition_loss", 0, Mean::Transition as usize),
    ("reward_loss", 0, Mean::Reward as usize),
];

/// The same with the gradient penalty (part 3), which is also in the loss (part 2).
const REAL_METRICS_WITH_PENALTY: [Place; 11] = {
    let mut all = [("gradient_penalty", 3, 0); 11];
    let mut i = 1;
    while i < REAL_METRICS.len() {
        all[i] = REAL_METRICS[i];
        i += 1;
    }
    all[0] = ("loss", 2, 0);
    all
};

/// The metric of an update of the discriminator.
const MAXIMISER_METRICS: [Place; 1] = [("maximizer_loss", 0, 0)];

/// Metrics of an update on imagined steps: means (part 0), norm of the actor's gradient (part 1), and of
/// the imagined rollout (part 2).
const IMAGINED_METRICS: [Place; 10] = [
    ("imagined_loss", 0, Mean::Loss as usize),
    ("imagined_policy_loss", 0, Mean::Policy as usize),
    ("imagined_value_loss", 0, Mean::Value as usize),
    ("imagined_entropy", 0, Mean::Entropy as usize),
    ("imagined_approx_kl", 0, Mean::ApproxKl as usize),
    ("imagined_clip_fraction", 0, Mean::ClipFraction as usize),
    ("actor_gradient_norm", 1, 0),
    ("imagined_reward", 2, 0),
    ("imagined_end_rate", 2, 1),
    ("alpha", 2, 2),
];
