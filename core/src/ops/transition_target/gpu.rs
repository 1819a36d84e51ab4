//! The targets of the transition network on a GPU: one unit for a number.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;
use burn::tensor::Shape;

use super::{Sizes, TargetKernels, TargetOp, natural};
use crate::ops::broken::{Made, made};
use crate::ops::gpu::{CubeTensor, contiguous, covering, uninitialised, workgroup};

impl TargetOp for Cube {
    fn target(latents: CubeTensor, dones: CubeTensor, groups: usize) -> CubeTensor {
        let (batch, s) = Sizes::new(&latents.shape(), groups);
        let [latents, dones] = [latents, dones].map(contiguous);
        let target = uninitialised(&latents, [batch, groups * s.positions, s.per_group]);
        target_kernel::launch(
            &latents.client.clone(),
            covering(batch * s.len()),
            workgroup(),
            latents.into_buffer_arg(),
            dones.into_buffer_arg(),
            target.clone().into_buffer_arg(),
            batch as u32,
            s,
        );
        made(Made::TransitionTarget, target)
    }
}

impl TargetKernels for Cube {
    fn target_grad(dones: CubeTensor, grad: CubeTensor, shape: [usize; 4]) -> CubeTensor {
        let per_group = grad.shape().dims::<3>()[2];
        let (batch, s) = Sizes::new(&Shape::from(shape), shape[3] / per_group);
        let [dones, grad] = [dones, grad].map(contiguous);
        let latents = uninitialised(&grad, shape);
        target_grad_kernel::launch(
            &grad.client.clone(),
            covering(batch * s.len()),
            workgroup(),
            dones.into_buffer_arg(),
            grad.into_buffer_arg(),
            latents.clone().into_buffer_arg(),
            batch as u32,
            s,
        );
        made(Made::TransitionTargetGradient, latents)
    }
}

#[cube(launch)]
fn target_kernel(
    latents: &[f32],
    dones: &[f32],
    target: &mut [f32],
    batch: u32,
    #[comptime] s: Sizes,
) {
    let len = comptime!(s.len());
    let total = batch as usize * len;
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < total {
        let at = i / len * len + natural(i % len, s.positions, s.channels, s.per_group);
        let next = latents[total + at];
        target[i] = next + (latents[at] - next) * dones[i / len];
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

#[cube(launch)]
fn target_grad_kernel(
    dones: &[f32],
    grad: &[f32],
    latents: &mut [f32],
    batch: u32,
    #[comptime] s: Sizes,
) {
    let len = comptime!(s.len());
    let total = batch as usize * len;
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < total {
        let at = i / len * len + natural(i % len, s.positions, s.channels, s.per_group);
        let done = dones[i / len];
        latents[at] = grad[i] * done;
        latents[total + at] = grad[i] * (1.0f32 - done);
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}
