//! The world-model phase on sequences of a replay buffer: the policy that acted is an older one
//! (docs/dream-spi.md).

use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Config, Objective};

use crate::algorithm::deep_spi::{NetworkTerms, network_terms, with_penalty};
use crate::algorithm::off_policy::{OffPolicyTerms, Targets, off_policy_objective};
use crate::collect::evaluate;
use crate::data::minibatch::{Minibatch, vector};
use crate::data::replay::Sampled;
use crate::model::Model;
use crate::returns::{Advantages, Steps, Weighting, v_trace};

/// Sequences that the current policy has judged.
#[derive(Clone, Debug)]
pub(super) struct Replayed {
    /// The sequences, with the current policy's log-probabilities and values.
    pub(super) sampled: Sampled,
    /// Their advantages and returns.
    pub(super) targets: Advantages,
}

/// Evaluates the current policy on sequences, in parts of `part` observations, and estimates advantages.
pub(super) async fn judged(
    model: &Model,
    mut sampled: Sampled,
    actions: usize,
    part: usize,
    config: &Config,
    device: &Device,
) -> Result<Replayed, crate::Error> {
    let rollout = &mut sampled.rollout;
    let (distinct, rows) = rollout.every_observation();
    let (mut log_probs, mut values) = (Vec::new(), Vec::new());
    for indices in distinct.chunks(part) {
        let decision = evaluate(model, rollout.frames(indices, device), actions).await?;
        log_probs.extend(decision.log_probs);
        values.extend(decision.values);
    }
    if let Some(rows) = rows {
        let all = |of: &[f32], width: usize| -> Vec<f32> {
            rows.iter().flat_map(|&i| &of[i * width..][..width]).copied().collect()
        };
        (log_probs, values) = (all(&log_probs, actions), all(&values, 1));
    }
    log_probs.truncate(rollout.len() * actions);
    rollout.judge(log_probs, values);
    let chosen: Vec<f32> = (0..rollout.len()).map(|i| rollout.chosen_log_prob(i)).collect();
    let targets = if config.replays_with_v_trace() {
        let steps = Steps {
            rewards: rollout.rewards(),
            dones: rollout.all_dones(),
            values: rollout.all_values(),
            log_probs: &chosen,
            behaviour: &sampled.behaviour,
        };
        let weighting = match config.objective {
            Objective::Clip => Weighting::Clip,
            Objective::Drift => Weighting::Drift,
        };
        let (gamma, lambda) = (config.gamma, config.gae_lambda);
        v_trace(steps, rollout.num_envs(), gamma, lambda, weighting)
    } else {
        rollout.advantages(config.gamma, config.gae_lambda)
    };
    Ok(Replayed { sampled, targets })
}

/// The loss of a minibatch of the sequences and its terms; `indices` are those of its samples.
pub(super) fn replayed_objective(
    model: &Model,
    batch: &Minibatch,
    replayed: &Replayed,
    indices: &[usize],
    config: &Config,
    device: &Device,
) -> (OffPolicyTerms, NetworkTerms) {
    let terms = network_terms(model, batch);
    let behaviour = indices.iter().map(|&i| replayed.sampled.behaviour[i]).collect();
    let size = indices.len();
    let row = |i: usize| batch.targets.clone().narrow(0, i, 1).reshape([size]);
    let targets = Targets {
        old: row(0),
        behaviour: Some(vector(behaviour, device)),
        advantages: row(1),
        returns: row(2),
        dones: batch.dones.clone(),
        actions: batch.actions.clone(),
        v_trace: config.replays_with_v_trace(),
    };
    let (logits, values) = (terms.state.logits(), terms.state.values());
    let mut off_policy =
        off_policy_objective(logits, values, terms.auxiliary.clone(), targets, config);
    off_policy.total = with_penalty(off_policy.total, terms.penalty.as_ref(), config);
    (off_policy, terms)
}

/// The metrics of an update, `[9]`, in the order of [`crate::ops::policy_objective::Mean`].
pub(super) fn means(terms: &OffPolicyTerms, networks: &NetworkTerms) -> Tensor<1> {
    let zero = terms.total.zeros_like();
    let mean = |losses: &Tensor<1>| losses.clone().mean();
    let (transition, reward) = match &networks.auxiliary {
        Some((transition, reward)) => (mean(transition), mean(reward)),
        None => (zero.clone(), zero),
    };
    Tensor::cat(
        vec![
            terms.total.clone(),
            terms.policy.clone(),
            terms.value.clone(),
            terms.entropy.clone(),
            terms.approx_kl.clone(),
            terms.clip_fraction.clone(),
            terms.drift.clone(),
            transition,
            reward,
        ],
        0,
    )
}
