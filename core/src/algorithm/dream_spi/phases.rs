//! The phases of an iteration of DreamSPI: on real steps, of the discriminator, and in imagination.

use burn::tensor::{Device, Int, Tensor};
use deepspi_run::config::Config;

use super::groups::Group;
use super::imagination::{Dream, Ends, StepNoise};
use super::imagined_objective;
use super::learner::DreamLearner;
use super::maximiser::{self, maximiser_loss};
use super::metrics::{IMAGINED_METRICS, MAXIMISER_METRICS};
use super::replayed::{Replayed, means, replayed_objective};
use crate::algorithm::deep_spi::{LossTerms, minibatch, objective};
use crate::algorithm::metrics::PendingMetrics;
use crate::data::minibatch::Minibatch;
use crate::data::rollout::{Rollout, permutation};
use crate::model::Model;
use crate::returns::Advantages;
use crate::run_state::RunState;
use crate::sharing::Repeat;
use crate::traffic::upload_ints;

/// The groups that learn on real steps, and with `dyna_style`.
const REAL: [Group; 2] = [Group::Encoder, Group::WorldModel];
pub(super) const REAL_DYNA: [Group; 4] =
    [Group::Encoder, Group::WorldModel, Group::Actor, Group::Critic];
/// The groups that learn in imagination.
const IMAGINED: [Group; 2] = [Group::Actor, Group::Critic];

/// The terms of an update on real steps, `[1]` and the means `[9]`.
struct RealTerms {
    total: Tensor<1>,
    means: Tensor<1>,
    penalty: Option<Tensor<1>>,
}

/// All updates on the steps of this iteration. Their metrics are not read yet.
pub(super) fn world_model_phase(
    learner: &mut DreamLearner,
    run: &mut RunState,
    rollout: &Rollout,
    targets: &Advantages,
) -> Vec<PendingMetrics> {
    let size = run.config.minibatch_size();
    real_phase(learner, run, (rollout, targets), size, |model, batch, _, config| {
        let LossTerms { total, means, penalty, .. } = objective(model, batch, config);
        RealTerms { total, means, penalty }
    })
}

/// All updates on sequences of a replay buffer. Their metrics are not read yet.
pub(super) fn replayed_phase(
    learner: &mut DreamLearner,
    run: &mut RunState,
    replayed: &Replayed,
) -> Vec<PendingMetrics> {
    let rollout = &replayed.sampled.rollout;
    let size = rollout.len() / run.config.num_minibatches;
    let lifted = run.device.clone().autodiff();
    real_phase(learner, run, (rollout, &replayed.targets), size, |model, batch, indices, config| {
        let (terms, networks) =
            replayed_objective(model, batch, replayed, indices, config, &lifted);
        let means = means(&terms, &networks);
        RealTerms { total: terms.total, means, penalty: networks.penalty }
    })
}

/// All updates on real steps in minibatches of `size`; `terms_of` gives the loss of a minibatch and of
/// the indices of its samples.
fn real_phase(
    learner: &mut DreamLearner,
    run: &mut RunState,
    (rollout, targets): (&Rollout, &Advantages),
    size: usize,
    terms_of: impl Fn(&Model, &Minibatch, &[usize], &Config) -> RealTerms,
) -> Vec<PendingMetrics> {
    let config = run.config.of_world_model_phase();
    let lifted = run.device.clone().autodiff();
    let phase: &[Group] = if config.is_dyna() { &REAL_DYNA } else { &REAL };
    let mut pending = Vec::with_capacity(config.update_epochs * config.num_minibatches);
    for _ in 0..config.update_epochs {
        let order = permutation(rollout.len(), &mut run.generators.shuffle);
        for indices in order.chunks_exact(size) {
            let model = learner.trainable();
            let batch = minibatch(model, run, rollout, indices, targets, &lifted);
            let RealTerms { total, means, penalty } = terms_of(model, &batch, indices, &config);
            let mut norms = learner.update(&total, &config, phase);
            let norm = norms[Group::Encoder as usize].take().expect("the encoder is in the phase");
            let (means, penalty) = (means.inner(), penalty.map(Tensor::inner));
            pending.push(PendingMetrics::of_update(means, norm, total.inner(), penalty));
        }
    }
    learner.synchronise();
    pending
}

/// All updates of the discriminator; none without one.
pub(super) fn maximise(
    learner: &mut DreamLearner,
    run: &mut RunState,
    rollout: &Rollout,
    targets: &Advantages,
) -> Vec<PendingMetrics> {
    let (config, device) = (run.config.clone(), run.device.clone());
    let mut pending = Vec::new();
    if !config.has_discriminator() {
        return pending;
    }
    let plain = learner.plain();
    let size = rollout.len().div_ceil(maximiser::MINIBATCHES);
    for _ in 0..maximiser::EPOCHS {
        let order = permutation(rollout.len(), &mut run.generators.shuffle);
        for indices in order.chunks(size) {
            let batch = minibatch(&plain, run, rollout, indices, targets, &device);
            let model = learner.trainable();
            let Some(terms) = maximiser_loss(model, &plain, &batch, &config) else { continue };
            let _ = learner.update(&terms.loss, &config, &[Group::Maximiser]);
            pending.push(PendingMetrics::new(vec![terms.loss.inner()], &MAXIMISER_METRICS));
        }
    }
    learner.synchronise();
    pending
}

/// One imagined rollout from every state of the real one, and all updates on it.
pub(super) fn imagine_and_learn(
    learner: &mut DreamLearner,
    run: &mut RunState,
    rollout: &Rollout,
) -> Vec<PendingMetrics> {
    let model = learner.plain();
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
            let terms = imagined_objective(learner.trainable(), latents, targets, &config);
            let mut norms = learner.update(&(terms.total * alpha), &config, &IMAGINED);
            let mut parts = vec![terms.means.inner()];
            parts.extend(norms[Group::Actor as usize].take());
            parts.push(about.clone());
            pending.push(PendingMetrics::new(parts, &IMAGINED_METRICS));
        }
    }
    learner.synchronise();
    pending
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
fn as_indices(indices: &[usize], device: &Device) -> Tensor<1, Int> {
    upload_ints(indices.iter().map(|&i| i as i32).collect(), [indices.len()], device)
}
