//! Collecting a rollout: the policy acts, the environments answer.
//!
//! Everything here runs on plain values. A forward pass on the autodiff device that is never followed by a
//! backward pass keeps its graph, and memory would grow with every step.

use burn::tensor::{Device, Tensor};
use deepspi_run::decision::Decision;
use deepspi_run::message::Message;
use deepspi_run::monitor::RatioBounds;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::{self, VectorEnv};

use crate::data::rollout::{Rollout, observations};
use crate::model::Model;
use crate::read_floats;
use crate::run_state::{RunState, TrainError};
use crate::sharing::Distinct;

/// T steps in all environments with a policy. Emits the games that end.
///
/// # Errors
/// If the environment or the device fails, or a reward is not finite.
pub async fn collect(
    model: &Model,
    run: &mut RunState,
    env: &mut dyn VectorEnv,
    emit: &mut dyn FnMut(Message),
) -> Result<Rollout, TrainError> {
    let num_envs = run.config.num_envs;
    let mut rollout = Rollout::start(env, &run.dones);
    for step in 0..run.config.num_steps {
        let decision = decide(model, env, &run.spec, &run.device).await?;
        let actions = decision.sample(run.spec.actions, &mut run.generators.actions);
        env::step(env, &actions).await.map_err(TrainError::Environment)?;
        let global_step = run.global_step() + ((step + 1) * num_envs) as u64;
        for episode in run.tracker.step(env.outcomes(), global_step) {
            emit(Message::Episode(episode));
        }
        rollout.push(decision, actions, env);
    }
    run.check_finite("a reward", rollout.rewards(), None)?;
    rollout.finish(decide(model, env, &run.spec, &run.device).await?.values);
    run.dones = rollout.last_dones().to_vec();
    Ok(rollout)
}

/// Policy and value of an environment's current observations, in one read.
///
/// # Errors
/// The device's own error.
pub async fn decide(
    model: &Model,
    env: &dyn VectorEnv,
    spec: &NetworkSpec,
    device: &Device,
) -> Result<Decision, crate::Error> {
    let (frame, pixels) = (spec.frame, env.observations());
    let distinct = match env.observation_ids() {
        Some(ids) => Distinct::of(ids),
        None => Distinct { firsts: (0..env.num_envs()).collect(), rows: Vec::new() },
    };
    let input = observations(frame, distinct.firsts.len(), device, |i| {
        &pixels[distinct.firsts[i] * frame.len()..][..frame.len()]
    });
    let decision = evaluate(model, input, spec.actions).await?;
    Ok(match env.observation_ids() {
        Some(_) => decision.select(&distinct.rows),
        None => decision,
    })
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

/// Importance ratios between the policy that collected a rollout and the policy of `model`, over the
/// distinct states of the rollout.
///
/// # Errors
/// The device's own error.
pub async fn ratio_bounds(
    model: &Model,
    rollout: &Rollout,
    run: &RunState,
) -> Result<RatioBounds, crate::Error> {
    let actions = run.spec.actions;
    let (mut behaviour, mut updated) = (Vec::new(), Vec::new());
    for indices in rollout.distinct().chunks(run.config.minibatch_size()) {
        let input = rollout.frames(indices, &run.device);
        updated.extend(evaluate(model, input, actions).await?.log_probs);
        let rows = indices.iter().map(|&i| &rollout.log_probs()[i * actions..][..actions]);
        behaviour.extend(rows.flatten().copied());
    }
    Ok(RatioBounds::from_log_probs(&behaviour, &updated, run.config.gamma))
}
