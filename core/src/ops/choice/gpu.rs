//! The outputs of the chosen action on a GPU: one unit for a sample.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{ChoiceKernels, ChoiceOp};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, contiguous, covering, uninitialised, workgroup};

impl ChoiceOp for Cube {
    fn choose(all: CubeTensor, actions: CubeTensor, softmax: bool) -> CubeTensor {
        let shape: [usize; 3] = all.shape().dims();
        let [all, actions] = [all, actions].map(contiguous);
        let result = uninitialised(&all, [shape[0], shape[1]]);
        choose_kernel::launch(
            &all.client.clone(),
            covering(shape[0]),
            workgroup(),
            all.into_buffer_arg(),
            actions.into_buffer_arg(),
            result.clone().into_buffer_arg(),
            shape[0] as u32,
            [shape[1], shape[2]],
            softmax,
        );
        made(Made::ChosenOutputs, result)
    }
}

impl ChoiceKernels for Cube {
    fn choose_grad(
        result: CubeTensor,
        actions: CubeTensor,
        grad: CubeTensor,
        softmax: bool,
    ) -> CubeTensor {
        let [batch, len]: [usize; 2] = result.shape().dims();
        let [_, choices]: [usize; 2] = actions.shape().dims();
        let [result, actions, grad] = [result, actions, grad].map(contiguous);
        let of_all = uninitialised(&result, [batch, len, choices]);
        choose_grad_kernel::launch(
            &result.client.clone(),
            covering(batch),
            workgroup(),
            result.into_buffer_arg(),
            actions.into_buffer_arg(),
            grad.into_buffer_arg(),
            of_all.clone().into_buffer_arg(),
            batch as u32,
            [len, choices],
            softmax,
        );
        made(Made::ChosenOutputsGradient, of_all)
    }
}

/// One unit computes a sample: there are few numbers.
#[cube(launch)]
fn choose_kernel(
    all: &[f32],
    actions: &[f32],
    result: &mut [f32],
    batch: u32,
    #[comptime] shape: [usize; 2],
    #[comptime] softmax: bool,
) {
    let (len, choices) = comptime!((shape[0], shape[1]));
    let mut b = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while b < batch as usize {
        let action = action_of(actions, b, choices);
        let first = b * len * choices + action;
        if comptime!(softmax) {
            let mut largest = all[first];
            for n in 1..len {
                largest = largest.max(all[first + n * choices]);
            }
            let mut sum = 0.0f32;
            for n in 0..len {
                sum += (all[first + n * choices] - largest).exp();
            }
            for n in 0..len {
                result[b * len + n] = (all[first + n * choices] - largest).exp() / sum;
            }
        } else {
            for n in 0..len {
                result[b * len + n] = all[first + n * choices];
            }
        }
        b += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

#[cube(launch)]
fn choose_grad_kernel(
    result: &[f32],
    actions: &[f32],
    grad: &[f32],
    of_all: &mut [f32],
    batch: u32,
    #[comptime] shape: [usize; 2],
    #[comptime] softmax: bool,
) {
    let (len, choices) = comptime!((shape[0], shape[1]));
    let mut b = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while b < batch as usize {
        let action = action_of(actions, b, choices);
        let mut along = 0.0f32;
        if comptime!(softmax) {
            for n in 0..len {
                along += result[b * len + n] * grad[b * len + n];
            }
        }
        for n in 0..len {
            let mut slope = grad[b * len + n];
            if comptime!(softmax) {
                slope = result[b * len + n] * (slope - along);
            }
            for a in 0..choices {
                of_all[(b * len + n) * choices + a] = select(a == action, slope, 0.0f32);
            }
        }
        b += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

/// The action of a sample: the index of the 1 in its row.
#[cube]
pub(in crate::ops) fn action_of(
    actions: &[f32],
    sample: usize,
    #[comptime] choices: usize,
) -> usize {
    let mut action = 0usize;
    for a in 1..choices {
        if actions[sample * choices + a] > 0.5f32 {
            action = a;
        }
    }
    action
}
