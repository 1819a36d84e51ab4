//! Derivatives of the plain networks by their input, as tensors in which gradients flow to the
//! parameters.
//!
//! A gradient penalty is a function of such a derivative, and its gradient is a second derivative. burn
//! has only first derivatives, so the first is written out here: each function maps the derivative by a
//! layer's output to the derivative by its input.

use burn::tensor::Tensor;

use super::{TAPS, shifts};

/// Through a 2x2 SAME convolution with a kernel `[2, 2, C, O]`: from `[B, h, w, O]` to `[B, h, w, C]`.
pub(super) fn through_convolution(slope: Tensor<4>, kernel: Tensor<4>) -> Tensor<4> {
    let [batch, height, width, outputs] = slope.dims();
    let channels = kernel.dims()[2];
    let kernel = kernel.reshape([TAPS, channels, outputs]);
    let taps = shifted_back(slope).into_iter().enumerate().map(|(tap, slope)| {
        let kernel = kernel.clone().narrow(0, tap, 1).squeeze_dim::<2>(0).transpose();
        slope.reshape([batch * height * width, outputs]).matmul(kernel)
    });
    let sum = taps.reduce(|a, b| a + b).expect("a kernel has four taps");
    sum.reshape([batch, height, width, channels])
}

/// Through a depthwise 2x2 SAME convolution with a kernel `[B, 4, 1, O]` for each sample; both are
/// `[B, h, w, O]`.
pub(super) fn through_depthwise(slope: Tensor<4>, kernel: &Tensor<4>) -> Tensor<4> {
    let taps = shifted_back(slope).into_iter().enumerate();
    let taps = taps.map(|(tap, slope)| slope * kernel.clone().narrow(1, tap, 1));
    taps.reduce(|a, b| a + b).expect("a kernel has four taps")
}

/// Through a softmax over the last axis: `weights` is its result.
pub(super) fn through_softmax(slope: Tensor<2>, weights: Tensor<2>) -> Tensor<2> {
    let along = (slope.clone() * weights.clone()).sum_dim(1);
    weights * (slope - along)
}

/// For each tap the derivatives by the outputs that read a pixel with it; 0 outside of the image.
fn shifted_back(slope: Tensor<4>) -> [Tensor<4>; TAPS] {
    let [batch, height, width, _] = slope.dims();
    let padded = slope.pad([(0, 0), (1, 0), (1, 0), (0, 0)], 0.0);
    shifts().map(|[dy, dx]| {
        let (y, x) = (1 - dy, 1 - dx);
        padded.clone().slice([0..batch, y..y + height, x..x + width])
    })
}
