//! The convolution of the chosen action on a GPU.
//!
//! One workgroup computes one group of one sample: its numbers stay in the cache. The gradient of the
//! kernel is a sum over the samples that chose an action; it is cut into parts of the batch, which a
//! second kernel adds.

use burn::backend::{Cube, TensorMetadata};
use burn::cubecl;
use burn::cubecl::prelude::*;

use super::{ChosenConvKernels, ChosenConvOp, Layout, TAPS};
use crate::ops::broken::{Made, made};
use crate::ops::choice::action_of;
use crate::ops::gpu::{CubeTensor, UNITS, contiguous, covering, uninitialised, workgroup};

/// Workgroups among which the gradient of the kernel is divided, about.
const WANTED_WORKGROUPS: usize = 256;

/// All sizes. What kernels are compiled for must not depend on the number of samples: see `compiled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sizes {
    layout: Layout,
    batch: usize,
    height: usize,
    width: usize,
    choices: usize,
    /// Features F of all groups.
    features: usize,
    /// Features of a group.
    own: usize,
    /// Outputs S K D of a group for one action.
    outputs: usize,
    /// Outputs of the kernel.
    all_outputs: usize,
    /// Parts of the batch, and samples of a part.
    parts: usize,
    part: usize,
}

impl Sizes {
    fn new(features: &CubeTensor, actions: &CubeTensor, layout: Layout) -> Self {
        let [batch, height, width, features]: [usize; 4] = features.shape().dims();
        let [_, choices]: [usize; 2] = actions.shape().dims();
        let Layout { groups, per_group, components, statistics } = layout;
        let outputs = per_group * components * statistics;
        let parts = (WANTED_WORKGROUPS / (groups * choices)).clamp(1, batch);
        let part = batch.div_ceil(parts);
        Self {
            layout,
            batch,
            height,
            width,
            choices,
            features,
            own: features / groups,
            outputs,
            all_outputs: groups * outputs * choices,
            parts: batch.div_ceil(part),
            part,
        }
    }

    /// The sizes without those that depend on the number of samples.
    const fn compiled(self) -> Self {
        Self { batch: 0, parts: 0, part: 0, ..self }
    }

    const fn positions(&self) -> usize {
        self.height * self.width
    }

    const fn taps(&self) -> usize {
        TAPS * self.own
    }

    /// Numbers of the gradients of kernel and bias of one group and action.
    const fn entries(&self) -> usize {
        (self.taps() + 1) * self.outputs
    }
}

impl ChosenConvOp for Cube {
    fn chosen_conv(
        features: CubeTensor,
        kernel: CubeTensor,
        bias: CubeTensor,
        actions: CubeTensor,
        layout: Layout,
    ) -> CubeTensor {
        let s = Sizes::new(&features, &actions, layout);
        let [features, kernel, bias, actions] = [features, kernel, bias, actions].map(contiguous);
        let Layout { groups, per_group, components, statistics } = layout;
        let shape = [s.batch, groups * s.positions(), statistics, components, per_group];
        let values = uninitialised(&features, shape);
        chosen_conv_kernel::launch(
            &features.client.clone(),
            CubeCount::Static(s.batch as u32, groups as u32, 1),
            workgroup(),
            features.into_buffer_arg(),
            kernel.into_buffer_arg(),
            bias.into_buffer_arg(),
            actions.into_buffer_arg(),
            values.clone().into_buffer_arg(),
            s.compiled(),
        );
        made(Made::ChosenConvolution, values)
    }
}

impl ChosenConvKernels for Cube {
    fn chosen_conv_grads(
        features: CubeTensor,
        kernel: CubeTensor,
        actions: CubeTensor,
        grad: CubeTensor,
        layout: Layout,
    ) -> [CubeTensor; 3] {
        let s = Sizes::new(&features, &actions, layout);
        let kernel_shape: [usize; 4] = kernel.shape().dims();
        let [features, kernel, actions, grad] = [features, kernel, actions, grad].map(contiguous);
        let client = features.client.clone();
        let of_features = uninitialised(&features, [s.batch, s.height, s.width, s.features]);
        features_grad_kernel::launch(
            &client,
            CubeCount::Static(s.batch as u32, layout.groups as u32, 1),
            workgroup(),
            grad.clone().into_buffer_arg(),
            kernel.into_buffer_arg(),
            actions.clone().into_buffer_arg(),
            of_features.clone().into_buffer_arg(),
            s.compiled(),
        );
        let cells = layout.groups * s.choices;
        let parts = uninitialised(&features, [s.parts * cells * s.entries()]);
        parts_kernel::launch(
            &client,
            CubeCount::Static(cells as u32, s.parts as u32, 1),
            workgroup(),
            features.clone().into_buffer_arg(),
            grad.into_buffer_arg(),
            actions.into_buffer_arg(),
            parts.clone().into_buffer_arg(),
            s.batch as u32,
            s.part as u32,
            s.compiled(),
        );
        let of_kernel = uninitialised(&features, kernel_shape);
        let of_bias = uninitialised(&features, [s.all_outputs]);
        add_parts_kernel::launch(
            &client,
            covering(cells * s.entries()),
            workgroup(),
            parts.into_buffer_arg(),
            of_kernel.clone().into_buffer_arg(),
            of_bias.clone().into_buffer_arg(),
            s.parts as u32,
            s.compiled(),
        );
        [
            made(Made::ChosenConvolutionFeaturesGradient, of_features),
            made(Made::ChosenConvolutionKernelGradient, of_kernel),
            made(Made::ChosenConvolutionBiasGradient, of_bias),
        ]
    }
}

#[cube(launch)]
fn chosen_conv_kernel(
    features: &[f32],
    kernel: &[f32],
    bias: &[f32],
    actions: &[f32],
    values: &mut [f32],
    #[comptime] s: Sizes,
) {
    let (sample, group) = (CUBE_POS_X as usize, CUBE_POS_Y as usize);
    let action = action_of(actions, sample, s.choices);
    let (positions, taps) = comptime!((s.positions(), s.taps()));
    let first = (sample * s.layout.groups + group) * positions * s.outputs;
    let mut i = UNIT_POS as usize;
    while i < comptime!(positions * s.outputs) {
        let position = i / s.outputs;
        let column = column_of(group, i % s.outputs, action, s);
        let mut sum = bias[column];
        for tap in 0..taps {
            let feature = feature_at(features, sample, group, position, tap, s);
            sum += feature * kernel[tap * s.all_outputs + column];
        }
        values[first + i] = sum;
        i += UNITS;
    }
}

#[cube(launch)]
fn features_grad_kernel(
    grad: &[f32],
    kernel: &[f32],
    actions: &[f32],
    of_features: &mut [f32],
    #[comptime] s: Sizes,
) {
    let (sample, group) = (CUBE_POS_X as usize, CUBE_POS_Y as usize);
    let action = action_of(actions, sample, s.choices);
    let positions = comptime!(s.positions());
    let first = (sample * s.layout.groups + group) * positions * s.outputs;
    let mut i = UNIT_POS as usize;
    while i < comptime!(positions * s.own) {
        let (pixel, own) = (i / s.own, i % s.own);
        let (y, x) = (pixel / s.width, pixel % s.width);
        let mut sum = 0.0f32;
        for shift in 0..TAPS {
            let (dy, dx) = (shift / 2usize, shift % 2usize);
            if y >= dy && x >= dx {
                let position = (y - dy) * s.width + x - dx;
                let row = (shift * s.own + own) * s.all_outputs;
                for output in 0..s.outputs {
                    let column = column_of(group, output, action, s);
                    sum += grad[first + position * s.outputs + output] * kernel[row + column];
                }
            }
        }
        of_features[(sample * positions + pixel) * s.features + group * s.own + own] = sum;
        i += UNITS;
    }
}

/// For one group, one action and one part of the batch: gradients of the kernel's entries, then of the
/// bias.
#[cube(launch)]
fn parts_kernel(
    features: &[f32],
    grad: &[f32],
    actions: &[f32],
    parts: &mut [f32],
    batch: u32,
    part: u32,
    #[comptime] s: Sizes,
) {
    let (group, action) = (CUBE_POS_X as usize / s.choices, CUBE_POS_X as usize % s.choices);
    let (positions, taps, entries) = comptime!((s.positions(), s.taps(), s.entries()));
    let cells = comptime!(s.layout.groups * s.choices);
    let first = (CUBE_POS_Y as usize * cells + CUBE_POS_X as usize) * entries;
    let begin = CUBE_POS_Y as usize * part as usize;
    let mut i = UNIT_POS as usize;
    while i < entries {
        let (tap, output) = (i / s.outputs, i % s.outputs);
        let mut sum = 0.0f32;
        for offset in 0..part as usize {
            let sample = begin + offset;
            if sample < batch as usize && action_of(actions, sample, s.choices) == action {
                let from = (sample * s.layout.groups + group) * positions * s.outputs;
                // A sum for each sample keeps the terms of one size.
                let mut own = 0.0f32;
                for position in 0..positions {
                    let slope = grad[from + position * s.outputs + output];
                    if tap == taps {
                        own += slope;
                    } else {
                        own += slope * feature_at(features, sample, group, position, tap, s);
                    }
                }
                sum += own;
            }
        }
        parts[first + i] = sum;
        i += UNITS;
    }
}

#[cube(launch)]
fn add_parts_kernel(
    parts: &[f32],
    of_kernel: &mut [f32],
    of_bias: &mut [f32],
    count: u32,
    #[comptime] s: Sizes,
) {
    let (taps, entries) = comptime!((s.taps(), s.entries()));
    let cells = comptime!(s.layout.groups * s.choices);
    let mut i = (CUBE_POS_X * CUBE_DIM + UNIT_POS) as usize;
    while i < comptime!(cells * entries) {
        let (cell, entry) = (i / entries, i % entries);
        let (tap, output) = (entry / s.outputs, entry % s.outputs);
        let column = column_of(cell / s.choices, output, cell % s.choices, s);
        let mut sum = 0.0f32;
        for part in 0..count as usize {
            sum += parts[part * comptime!(cells * entries) + i];
        }
        if tap == taps {
            of_bias[column] = sum;
        } else {
            of_kernel[tap * s.all_outputs + column] = sum;
        }
        i += (CUBE_COUNT_X * CUBE_DIM) as usize;
    }
}

/// Column of the kernel of an output, which is numbered by statistic, component and channel.
#[cube]
fn column_of(group: usize, output: usize, action: usize, #[comptime] s: Sizes) -> usize {
    let Layout { per_group, components, statistics, .. } = comptime!(s.layout);
    let channel = output % per_group;
    let component = output / per_group % components;
    let statistic = output / comptime!(per_group * components);
    (((group * per_group + channel) * components + component) * statistics + statistic) * s.choices
        + action
}

/// The feature under a tap at a position; 0 over the padding.
#[cube]
fn feature_at(
    features: &[f32],
    sample: usize,
    group: usize,
    position: usize,
    tap: usize,
    #[comptime] s: Sizes,
) -> f32 {
    let (shift, own) = (tap / s.own, tap % s.own);
    let y = position / s.width + shift / 2usize;
    let x = position % s.width + shift % 2usize;
    let mut value = 0.0f32;
    if y < s.height && x < s.width {
        let pixel = (sample * s.height + y) * s.width + x;
        value = features[pixel * s.features + group * s.own + own];
    }
    value
}
