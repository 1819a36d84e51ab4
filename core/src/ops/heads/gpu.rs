//! Actor and critic on a GPU: one launch forward and two backward.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{HeadsKernels, HeadsOp};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{
    CubeTensor, UNITS, contiguous, covering, sum_of_units, uninitialised, workgroup,
};

/// Sizes that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sizes {
    hidden: usize,
    actions: usize,
}

impl Sizes {
    fn of(actor: &CubeTensor) -> Self {
        let [hidden, actions]: [usize; 2] = actor.shape().dims();
        Self { hidden, actions }
    }
}

impl HeadsOp for Cube {
    fn heads(
        hidden: CubeTensor,
        actor: CubeTensor,
        actor_bias: CubeTensor,
        critic: CubeTensor,
        critic_bias: CubeTensor,
    ) -> CubeTensor {
        let s = Sizes::of(&actor);
        let batch = hidden.shape().dims::<2>()[0];
        let inputs = [hidden, actor, actor_bias, critic, critic_bias].map(contiguous);
        let [hidden, actor, actor_bias, critic, critic_bias] = inputs;
        let outputs = uninitialised(&hidden, [batch, s.actions + 1]);
        heads_kernel::launch(
            &hidden.client.clone(),
            CubeCount::Static(batch.min(65_535) as u32, 1, 1),
            workgroup(),
            hidden.into_buffer_arg(),
            actor.into_buffer_arg(),
            actor_bias.into_buffer_arg(),
            critic.into_buffer_arg(),
            critic_bias.into_buffer_arg(),
            outputs.clone().into_buffer_arg(),
            batch as u32,
            s,
        );
        made(Made::ActorAndCritic, outputs)
    }
}

impl HeadsKernels for Cube {
    fn heads_grads(
        hidden: CubeTensor,
        actor: CubeTensor,
        critic: CubeTensor,
        grad: CubeTensor,
    ) -> [CubeTensor; 5] {
        let s = Sizes::of(&actor);
        let batch = hidden.shape().dims::<2>()[0];
        let [hidden, actor, critic, grad] = [hidden, actor, critic, grad].map(contiguous);
        let client = hidden.client.clone();
        let of_hidden = uninitialised(&hidden, [batch, s.hidden]);
        hidden_grad_kernel::launch(
            &client,
            covering(batch * s.hidden),
            workgroup(),
            actor.into_buffer_arg(),
            critic.into_buffer_arg(),
            grad.clone().into_buffer_arg(),
            of_hidden.clone().into_buffer_arg(),
            batch as u32,
            s,
        );
        let of_actor = uninitialised(&hidden, [s.hidden, s.actions]);
        let of_actor_bias = uninitialised(&hidden, [s.actions]);
        let of_critic = uninitialised(&hidden, [s.hidden, 1]);
        let of_critic_bias = uninitialised(&hidden, [1]);
        layers_grad_kernel::launch(
            &client,
            covering((s.hidden + 1) * (s.actions + 1)),
            workgroup(),
            hidden.into_buffer_arg(),
            grad.into_buffer_arg(),
            of_actor.clone().into_buffer_arg(),
            of_actor_bias.clone().into_buffer_arg(),
            of_critic.clone().into_buffer_arg(),
            of_critic_bias.clone().into_buffer_arg(),
            batch as u32,
            s,
        );
        [of_hidden, of_actor, of_actor_bias, of_critic, of_critic_bias]
            .map(|grad| made(Made::ActorAndCriticGradients, grad))
    }
}

/// One workgroup for a sample.
#[cube(launch)]
fn heads_kernel(
    hidden: &[f32],
    actor: &[f32],
    actor_bias: &[f32],
    critic: &[f32],
    critic_bias: &[f32],
    outputs: &mut [f32],
    batch: u32,
    #[comptime] s: Sizes,
) {
    let mut shared = Shared::new_slice(UNITS);
    let mut sample = CUBE_POS_X as usize;
    while sample < batch as usize {
        for output in 0..s.actions + 1usize {
            let mut sum = 0.0f32;
            let mut h = UNIT_POS as usize;
            while h < s.hidden {
                let mut weight = critic[h];
                if output < s.actions {
                    weight = actor[h * s.actions + output];
                }
                sum += hidden[sample * s.hidden + h] * weight;
                h += UNITS;
            }
            let sum = sum_of_units(sum, &mut shared);
            if UNIT_POS == 0 {
                let mut bias = critic_bias[0usize];
                if output < s.actions {
                    bias = actor_bias[output];
                }
                outputs[sample * (s.actions + 1usize) + output] = sum + bias;
            }
        }
        sample += CUBE_COUNT_X as usize;
    }
}

#[cube(launch)]
fn hidden_grad_kernel(
    actor: &[f32],
    critic: &[f32],
    grad: &[f32],
    of_hidden: &mut [f32],
    batch: u32,
    #[comptime] s: Sizes,
) {
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < batch as usize * s.hidden {
        let (sample, h) = (i / s.hidden, i % s.hidden);
        let first = sample * (s.actions + 1usize);
        let mut sum = grad[first + s.actions] * critic[h];
        for output in 0..s.actions {
            sum += grad[first + output] * actor[h * s.actions + output];
        }
        of_hidden[i] = sum;
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

/// One unit for each entry of both kernels and of their biases, which come after the last activation:
/// neighbours read neighbouring activations. The sums are over the samples.
#[cube(launch)]
fn layers_grad_kernel(
    hidden: &[f32],
    grad: &[f32],
    of_actor: &mut [f32],
    of_actor_bias: &mut [f32],
    of_critic: &mut [f32],
    of_critic_bias: &mut [f32],
    batch: u32,
    #[comptime] s: Sizes,
) {
    let width = comptime!(s.actions + 1);
    let rows = comptime!(s.hidden + 1);
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < comptime!(width * rows) {
        let (output, h) = (i / rows, i % rows);
        let mut sum = 0.0f32;
        for b in 0..batch as usize {
            let mut input = 1.0f32;
            if h < s.hidden {
                input = hidden[b * s.hidden + h];
            }
            sum += input * grad[b * width + output];
        }
        if h < s.hidden {
            if output < s.actions {
                of_actor[h * s.actions + output] = sum;
            } else {
                of_critic[h] = sum;
            }
        } else if output < s.actions {
            of_actor_bias[output] = sum;
        } else {
            of_critic_bias[0usize] = sum;
        }
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}
