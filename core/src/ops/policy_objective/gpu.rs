//! The objective on a GPU: one workgroup, each unit takes every 256th sample.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;
use deepspi_run::config::Auxiliary;

use super::{Mean, ObjectiveKernels, ObjectiveOp, Settings, places};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{
    CubeTensor, UNITS, contiguous, covering, sum_of_units, uninitialised, workgroup,
};

/// What a kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shape {
    actions: usize,
    normalise: bool,
    huber: bool,
    is_drift: bool,
    has_auxiliary: bool,
    inside: bool,
    outside: bool,
}

impl ObjectiveOp for Cube {
    fn objective(
        outputs: CubeTensor,
        transition: CubeTensor,
        reward: CubeTensor,
        targets: CubeTensor,
        settings: Settings,
    ) -> (CubeTensor, CubeTensor) {
        let [batch, width] = outputs.shape().dims();
        let actions = width - 1;
        let [outputs, transition, reward, targets] =
            [outputs, transition, reward, targets].map(contiguous);
        let total = uninitialised(&outputs, [1]);
        let packed = uninitialised(&outputs, [places(batch, actions).len]);
        let Settings { clip, entropy, value, drift, normalise, auxiliary, .. } = settings;
        objective_kernel::launch(
            &outputs.client.clone(),
            CubeCount::Static(1, 1, 1),
            workgroup(),
            outputs.into_buffer_arg(),
            transition.into_buffer_arg(),
            reward.into_buffer_arg(),
            targets.into_buffer_arg(),
            packed.clone().into_buffer_arg(),
            total.clone().into_buffer_arg(),
            clip,
            entropy,
            value,
            drift.unwrap_or(0.0),
            settings.reward,
            settings.transition,
            batch as u32,
            Shape {
                actions,
                normalise,
                huber: settings.huber,
                is_drift: drift.is_some(),
                has_auxiliary: auxiliary != Auxiliary::Absent,
                inside: auxiliary == Auxiliary::InsideClip,
                outside: auxiliary == Auxiliary::OutsideClip,
            },
        );
        (total, made(Made::Objective, packed))
    }
}

impl ObjectiveKernels for Cube {
    fn objective_grads(
        packed: CubeTensor,
        grad: CubeTensor,
        [batch, width]: [usize; 2],
        settings: Settings,
    ) -> [CubeTensor; 3] {
        let [packed, grad] = [packed, grad].map(contiguous);
        let outputs = uninitialised(&packed, [batch, width]);
        let [transition, reward] = [(); 2].map(|()| uninitialised(&packed, [batch]));
        grads_kernel::launch(
            &packed.client.clone(),
            covering(batch * width),
            workgroup(),
            packed.into_buffer_arg(),
            grad.into_buffer_arg(),
            outputs.clone().into_buffer_arg(),
            transition.clone().into_buffer_arg(),
            reward.clone().into_buffer_arg(),
            settings.transition,
            settings.reward,
            batch as u32,
            width,
        );
        [outputs, transition, reward].map(|grad| made(Made::ObjectiveGradients, grad))
    }
}

#[cube(launch)]
fn objective_kernel(
    outputs: &[f32],
    transition: &[f32],
    reward: &[f32],
    targets: &[f32],
    packed: &mut [f32],
    total: &mut [f32],
    clip: f32,
    entropy_coef: f32,
    value_coef: f32,
    drift_coef: f32,
    reward_coef: f32,
    transition_coef: f32,
    batch: u32,
    #[comptime] s: Shape,
) {
    let batch = batch as usize;
    let mut shared = Shared::new_slice(UNITS);
    let places = places(batch, s.actions);
    let unit = UNIT_POS as usize;
    let count = batch as f32;
    let weight = 1.0f32 / count;

    let mut centre = 0.0f32;
    let mut deviation = 1.0f32;
    if comptime!(s.normalise) {
        let mut sum = 0.0f32;
        let mut b = unit;
        while b < batch {
            sum += targets[batch + b];
            b += UNITS;
        }
        centre = sum_of_units(sum, &mut shared) / count;
        let mut squares = 0.0f32;
        let mut b = unit;
        while b < batch {
            let difference = targets[batch + b] - centre;
            squares += difference * difference;
            b += UNITS;
        }
        deviation = (sum_of_units(squares, &mut shared) / count).sqrt() + 1e-8f32;
    }

    let mut policy_sum = 0.0f32;
    let mut value_sum = 0.0f32;
    let mut entropy_sum = 0.0f32;
    let mut kl_sum = 0.0f32;
    let mut clipped_sum = 0.0f32;
    let mut drift_sum = 0.0f32;
    let mut transition_sum = 0.0f32;
    let mut reward_sum = 0.0f32;
    let mut b = unit;
    while b < batch {
        let row = b * (s.actions + 1usize);
        let mut largest = outputs[row];
        for a in 1..s.actions {
            if outputs[row + a] > largest {
                largest = outputs[row + a];
            }
        }
        let mut exponentials = 0.0f32;
        for a in 0..s.actions {
            exponentials += (outputs[row + a] - largest).exp();
        }
        let log_sum = exponentials.ln() + largest;
        let mut entropy = 0.0f32;
        for a in 0..s.actions {
            let log_prob = outputs[row + a] - log_sum;
            entropy -= log_prob.exp() * log_prob;
        }
        let action = targets[3usize * batch + b] as usize;
        let log_ratio = outputs[row + action] - log_sum - targets[b];
        let ratio = log_ratio.exp();
        let mut utility = (targets[batch + b] - centre) / deviation;
        if comptime!(s.inside) {
            utility -= reward[b] * reward_coef + transition[b] * transition_coef;
        }

        let mut clipped = ratio;
        if ratio < 1.0f32 - clip {
            clipped = 1.0f32 - clip;
        }
        if ratio > 1.0f32 + clip {
            clipped = 1.0f32 + clip;
        }
        let beyond = (ratio - clipped) * utility;
        let mut loss = -utility * ratio;
        let mut drift = 0.0f32;
        let mut by_ratio = -utility;
        let mut by_utility = -ratio;
        if beyond > 0.0f32 {
            drift = beyond;
            if comptime!(s.is_drift) {
                loss += drift_coef * drift;
                by_ratio += drift_coef * utility;
                by_utility += drift_coef * (ratio - clipped);
            } else {
                loss = -utility * clipped;
                by_ratio = 0.0f32;
                by_utility = -clipped;
            }
        }
        let error = outputs[row + s.actions] - targets[2usize * batch + b];
        let mut value_loss = 0.5f32 * error * error;
        let mut value_slope = error;
        if comptime!(s.huber) {
            value_loss = select(error.abs() > 1.0f32, error.abs() - 0.5f32, value_loss);
            value_slope = error.clamp(-1.0f32, 1.0f32);
        }

        for a in 0..s.actions {
            let log_prob = outputs[row + a] - log_sum;
            let probability = log_prob.exp();
            let mut of_choice = -probability;
            if a == action {
                of_choice = 1.0f32 - probability;
            }
            packed[places.outputs + row + a] = weight
                * (by_ratio * ratio * of_choice
                    + entropy_coef * probability * (log_prob + entropy));
        }
        packed[places.outputs + row + s.actions] = value_coef * weight * value_slope;
        if comptime!(s.inside) {
            packed[places.auxiliary + b] = -weight * by_utility;
        } else if comptime!(s.outside) {
            packed[places.auxiliary + b] = weight;
        } else {
            packed[places.auxiliary + b] = 0.0f32;
        }
        packed[places.utilities + b] = utility;
        packed[places.ratios + b] = ratio;
        packed[places.entropy + b] = entropy;

        policy_sum += loss;
        value_sum += value_loss;
        entropy_sum += entropy;
        kl_sum += ratio - 1.0f32 - log_ratio;
        if (ratio - 1.0f32).abs() > clip {
            clipped_sum += 1.0f32;
        }
        drift_sum += drift;
        if comptime!(s.has_auxiliary) {
            transition_sum += transition[b];
            reward_sum += reward[b];
        }
        b += UNITS;
    }
    let policy = sum_of_units(policy_sum, &mut shared) / count;
    let value = sum_of_units(value_sum, &mut shared) / count;
    let entropy = sum_of_units(entropy_sum, &mut shared) / count;
    let kl = sum_of_units(kl_sum, &mut shared) / count;
    let clipped = sum_of_units(clipped_sum, &mut shared) / count;
    let drift = sum_of_units(drift_sum, &mut shared) / count;
    let transition = sum_of_units(transition_sum, &mut shared) / count;
    let reward = sum_of_units(reward_sum, &mut shared) / count;
    if unit == 0usize {
        let mut loss = policy - entropy_coef * entropy + value_coef * value;
        if comptime!(s.outside) {
            loss += reward_coef * reward + transition_coef * transition;
        }
        total[0usize] = loss;
        packed[comptime!(Mean::Loss as usize)] = loss;
        packed[comptime!(Mean::Policy as usize)] = policy;
        packed[comptime!(Mean::Value as usize)] = value;
        packed[comptime!(Mean::Entropy as usize)] = entropy;
        packed[comptime!(Mean::ApproxKl as usize)] = kl;
        packed[comptime!(Mean::ClipFraction as usize)] = clipped;
        packed[comptime!(Mean::Drift as usize)] = drift;
        packed[comptime!(Mean::Transition as usize)] = transition;
        packed[comptime!(Mean::Reward as usize)] = reward;
    }
}

#[cube(launch)]
fn grads_kernel(
    packed: &[f32],
    grad: &[f32],
    outputs: &mut [f32],
    transition: &mut [f32],
    reward: &mut [f32],
    transition_coef: f32,
    reward_coef: f32,
    batch: u32,
    #[comptime] width: usize,
) {
    let batch = batch as usize;
    let places = places(batch, comptime!(width - 1));
    let factor = grad[0usize];
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < batch * width {
        outputs[i] = packed[places.outputs + i] * factor;
        if i < batch {
            transition[i] = packed[places.auxiliary + i] * factor * transition_coef;
            reward[i] = packed[places.auxiliary + i] * factor * reward_coef;
        }
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}
