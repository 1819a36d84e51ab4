//! The additional work of a certified run: every update is brought back into `N^C`, and every
//! iteration ends with the terms of Theorem 3. [`deepspi_run::certificate`] says what these terms
//! prove and what they only estimate.

use burn::tensor::Tensor;
use deepspi_run::certificate::{Certificate, Projection, Terms};
use deepspi_run::monitor::RatioBounds;

use super::batch::minibatch;
use super::learner::Learner;
use super::objective::{largest_reward, metric_losses};
use crate::collect::PendingRatios;
use crate::data::rollout::Rollout;
use crate::model::Model;
use crate::read_floats;
use crate::returns::Advantages;
use crate::run_state::RunState;

/// A certified run halves an update that leaves the neighbourhood this many times, then drops it.
const HALVINGS: u32 = 6;

/// Shortens an update by halving until its policy stays in `N^C` of the behaviour policy over the
/// batch's states. The moments of Adam are those of the whole update.
pub(super) async fn project(
    run: &RunState,
    rollout: &Rollout,
    before: &Tensor<1>,
    updated: Learner,
    projection: &mut Projection,
) -> Result<Learner, crate::Error> {
    let radius = run.config.clip_coef;
    let step = updated.parameters().clone() - before.clone();
    let mut part = 1.0_f32;
    let mut candidate = updated;
    for halving in 0..=HALVINGS {
        let ratios = PendingRatios::of(&candidate.plain(), rollout, run).read().await?;
        if ratios.within(radius) {
            let count =
                if halving == 0 { &mut projection.whole } else { &mut projection.shortened };
            *count += 1;
            return Ok(candidate);
        }
        part *= 0.5;
        candidate = candidate.with_parameters(before.clone() + step.clone() * part);
    }
    projection.rejected += 1;
    Ok(candidate.with_parameters(before.clone()))
}

/// Theorem 3 for this iteration, with the updated model's losses on the batch.
pub(super) async fn certificate(
    model: &Model,
    run: &mut RunState,
    rollout: &Rollout,
    targets: &Advantages,
    ratios: RatioBounds,
    projection: Projection,
) -> Result<Certificate, crate::Error> {
    let config = run.config.clone();
    let device = run.device.clone();
    // Steps after the end of an episode only return the next start: the theorem does not count
    // them.
    let real: Vec<usize> = (0..rollout.len()).filter(|&i| !rollout.dones()[i]).collect();
    let (mut reward_loss, mut transition_loss, mut largest_of_all) = (0.0, 0.0, 0.0_f64);
    for indices in real.chunks(config.minibatch_size()) {
        let batch = minibatch(model, run, rollout, indices, targets, &device);
        let Some((transition, reward)) = metric_losses(model, &batch) else {
            continue;
        };
        let largest = largest_reward(model, &batch);
        let parts = vec![transition.sum(), reward.sum(), largest];
        let sums = read_floats(Tensor::cat(parts, 0)).await?;
        transition_loss += f64::from(sums[0]);
        reward_loss += f64::from(sums[1]);
        largest_of_all = largest_of_all.max(f64::from(sums[2]));
    }
    // For the discrete distance; else the constant of the networks.
    let reward_lipschitz =
        if config.has_categorical_latents() { 2.0 * largest_of_all } else { 1.0 };
    let count = real.len().max(1) as f64;
    let terms = Terms {
        gamma: config.gamma.into(),
        average_episode_length: rollout.average_episode_length(),
        reward_loss: reward_loss / count,
        transition_loss: transition_loss / count,
        reward_lipschitz,
        importance_ratio_sup: ratios.sup.into(),
    };
    Ok(Certificate::new(terms, projection))
}
