//! Collecting a rollout: the policy chooses actions, the environments return observations and
//! rewards.
//!
//! Everything here runs without autodiff. A forward pass on the autodiff device that is never
//! followed by a backward pass keeps its graph, so memory would grow with every step.

use burn::tensor::{Device, Tensor};
use deepspi_run::decision::Decision;
use deepspi_run::message::Message;
use deepspi_run::monitor::RatioBounds;
use deepspi_worlds::env::{self, VectorEnv};

use crate::data::rollout::Rollout;
use crate::model::Model;
use crate::read_floats;
use crate::readback::read_together;
use crate::run_state::{RunState, TrainError};

/// Takes T steps in all environments with a policy. Emits a message for every episode that ends.
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
    let mut rollout = Rollout::start(env, &run.dones, run.config.num_steps);
    for step in 0..run.config.num_steps {
        let decision = decide(model, &rollout, run.spec.actions, &run.device).await?;
        let actions = decision.sample(run.spec.actions, &mut run.generators.actions);
        env::step(env, &actions).await.map_err(TrainError::Environment)?;
        let global_step = run.global_step() + ((step + 1) * num_envs) as u64;
        for episode in run.tracker.step(env.outcomes(), global_step) {
            emit(Message::Episode(episode));
        }
        rollout.push(decision, actions, env);
    }
    run.check_finite("a reward", rollout.rewards(), None)?;
    let last = decide(model, &rollout, run.spec.actions, &run.device).await?;
    rollout.finish(last.values);
    run.dones = rollout.last_dones().to_vec();
    Ok(rollout)
}

/// Log-probabilities and values of the last observations of a rollout, in one read.
///
/// # Errors
/// The device's own error.
pub async fn decide(
    model: &Model,
    rollout: &Rollout,
    actions: usize,
    device: &Device,
) -> Result<Decision, crate::Error> {
    let (indices, rows) = rollout.last_observations();
    let decision = evaluate(model, rollout.frames(&indices, device), actions).await?;
    Ok(match rows {
        Some(rows) => decision.select(&rows),
        None => decision,
    })
}

/// Log-probabilities and values of observations `[B, H, W, C]`, in one read.
///
/// # Errors
/// The device's own error.
pub async fn evaluate(
    model: &Model,
    input: Tensor<4>,
    actions: usize,
) -> Result<Decision, crate::Error> {
    Ok(decision(&read_floats(outputs(model, input)).await?, actions))
}

/// Logits and value of each observation, `[B, A + 1]`.
fn outputs(model: &Model, input: Tensor<4>) -> Tensor<2> {
    model.agent.perceive(input).1.outputs
}

/// The decision that [`outputs`] describe.
fn decision(outputs: &[f32], actions: usize) -> Decision {
    let (mut logits, mut values) = (Vec::new(), Vec::new());
    for row in outputs.chunks(actions + 1) {
        logits.extend_from_slice(&row[..actions]);
        values.extend_from_slice(&row[actions..]);
    }
    Decision::from_logits(&logits, values, actions)
}

/// What the importance ratios of a policy are computed from, before it is read.
#[derive(Clone, Debug)]
pub struct PendingRatios {
    /// Logits and values of the updated policy, `[B (A + 1)]` for each part of the states.
    parts: Vec<Tensor<1>>,
    /// Log-probabilities of the behaviour policy in the same states.
    behaviour: Vec<f32>,
    actions: usize,
    gamma: f32,
}

impl PendingRatios {
    /// Importance ratios of the policy of `model` to the policy that collected a rollout, over the
    /// distinct states of the rollout.
    #[must_use]
    pub fn of(model: &Model, rollout: &Rollout, run: &RunState) -> Self {
        let actions = run.spec.actions;
        let (mut behaviour, mut parts) = (Vec::new(), Vec::new());
        for indices in rollout.distinct().chunks(run.config.minibatch_size()) {
            let input = rollout.frames(indices, &run.device);
            parts.push(outputs(model, input).flatten(0, 1));
            let rows = indices.iter().map(|&i| &rollout.log_probs()[i * actions..][..actions]);
            behaviour.extend(rows.flatten().copied());
        }
        Self { parts, behaviour, actions, gamma: run.config.gamma }
    }

    /// The vectors to read, for [`Self::resolve`].
    #[must_use]
    pub fn parts(&self) -> &[Tensor<1>] {
        &self.parts
    }

    /// The bounds, from the next values of each part in the order of [`Self::parts`].
    #[must_use]
    pub fn resolve(&self, values: &mut impl Iterator<Item = Vec<f32>>) -> RatioBounds {
        let all: Vec<f32> = values.take(self.parts.len()).flatten().collect();
        let updated = decision(&all, self.actions).log_probs;
        RatioBounds::from_log_probs(&self.behaviour, &updated, self.gamma)
    }

    /// Reads the bounds.
    ///
    /// # Errors
    /// The device's own error.
    pub async fn read(self) -> Result<RatioBounds, crate::Error> {
        let values = read_together(self.parts.clone()).await?;
        Ok(self.resolve(&mut values.into_iter()))
    }
}
