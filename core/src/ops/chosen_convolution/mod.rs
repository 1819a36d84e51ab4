//! A grouped 2x2 SAME convolution with outputs for every action, of which each sample needs those of
//! its own action.
//!
//! On the CPU the kernel of the chosen action is selected by a product, and the patches are multiplied
//! with it ([`composed`], which is also the definition). On a GPU that is fifty kernels, most of which
//! move numbers; there each unit reads what it needs where it is.

#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

use super::cpu::on_cpu;

/// Taps of the kernel.
const TAPS: usize = 4;

/// Sizes of the convolution. An output of the kernel is, in this order, a group, one of its D channels,
/// a component, a statistic, and an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Groups G of channels.
    pub groups: usize,
    /// Channels D of a group.
    pub per_group: usize,
    /// Mixture components K.
    pub components: usize,
    /// Statistics S of each component.
    pub statistics: usize,
}

/// `[B, G P, S, K, D]` from features `[B, h, w, F]` (P = h w positions), a kernel `[2, 2, F / G, O]`, a
/// bias `[O]` and one-hot actions `[B, A]`; O = G D K S A.
#[must_use]
pub fn chosen_convolution(
    features: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    actions: Tensor<2>,
    layout: Layout,
) -> Tensor<5> {
    if on_cpu(&features.device()) {
        return composed(features, kernel, bias, actions, layout);
    }
    Tensor::from_dispatch(<Dispatch as ChosenConvOp>::chosen_conv(
        features.into_dispatch(),
        kernel.into_dispatch(),
        bias.into_dispatch(),
        actions.into_dispatch(),
        layout,
    ))
}

/// [`chosen_convolution`] as plain tensor operations.
#[must_use]
pub fn composed(
    features: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    actions: Tensor<2>,
    layout: Layout,
) -> Tensor<5> {
    let [batch, height, width, channels] = features.dims();
    let [_, choices] = actions.dims();
    let Layout { groups, per_group, components, statistics } = layout;
    let positions = height * width;
    // One product [positions, taps] x [taps, outputs] per sample and group.
    let outputs = statistics * components * per_group;
    let taps = TAPS * channels / groups;
    let kernel = kernel
        .reshape([taps, groups, per_group, components, statistics, choices])
        .permute([5, 1, 0, 4, 3, 2])
        .reshape([choices, groups * taps * outputs]);
    let kernel = actions.clone().matmul(kernel).reshape([batch, groups, taps, outputs]);
    let bias = bias
        .reshape([groups, per_group, components, statistics, choices])
        .permute([4, 0, 3, 2, 1])
        .reshape([choices, groups * outputs]);
    let bias = actions.matmul(bias).reshape([batch, groups, 1, outputs]);
    let values = group_patches(features, groups).matmul(kernel) + bias;
    values.reshape([batch, groups * positions, statistics, components, per_group])
}

/// Patches of features `[B, h, w, F]` for a grouped 2x2 SAME convolution, `[B, G, P, taps]`.
fn group_patches(features: Tensor<4>, groups: usize) -> Tensor<4> {
    let [batch, height, width, channels] = features.dims();
    let padded = features.pad([(0, 0), (0, 1), (0, 1), (0, 0)], 0.0);
    let taps = [[0, 0], [0, 1], [1, 0], [1, 1]]
        .map(|[dy, dx]| padded.clone().slice([0..batch, dy..dy + height, dx..dx + width]))
        .map(|tap| tap.reshape([batch, height * width, 1, channels]));
    Tensor::cat(taps.to_vec(), 2)
        .reshape([batch, height * width, TAPS, groups, channels / groups])
        .permute([0, 3, 1, 2, 4])
        .reshape([batch, groups, height * width, TAPS * channels / groups])
}

/// Dispatches [`chosen_convolution`] to a GPU.
#[backend_extension(Cube: cfg(feature = "gpu"), Autodiff)]
trait ChosenConvOp: Backend {
    /// See [`chosen_convolution`].
    fn chosen_conv(
        features: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        actions: FloatTensor<Self>,
        layout: Layout,
    ) -> FloatTensor<Self>;
}

/// Gradients on one backend.
trait ChosenConvKernels: ChosenConvOp {
    /// Gradients of features, kernel and bias from the gradient of the output.
    fn chosen_conv_grads(
        features: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        actions: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        layout: Layout,
    ) -> [FloatTensor<Self>; 3];
}

impl<B: ChosenConvKernels, C: CheckpointStrategy> ChosenConvOp for Autodiff<B, C> {
    fn chosen_conv(
        features: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        actions: FloatTensor<Self>,
        layout: Layout,
    ) -> FloatTensor<Self> {
        let parents = [features.node(), kernel.node(), bias.node()];
        let actions = actions.into_primitive();
        let value = |features: FloatTensor<Self>, kernel: FloatTensor<Self>, actions| {
            let (features, kernel) = (features.into_primitive(), kernel.into_primitive());
            B::chosen_conv(features, kernel, bias.into_primitive(), actions, layout)
        };
        match ChosenConvBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let nodes = (prep.checkpoint(&features), prep.checkpoint(&kernel));
                let state = (nodes.0, nodes.1, actions.clone(), layout);
                prep.finish(state, value(features, kernel, actions))
            }
            OpsKind::UnTracked(prep) => prep.finish(value(features, kernel, actions)),
        }
    }
}

#[derive(Debug)]
struct ChosenConvBackward;

impl<B: ChosenConvKernels> Backward<B, 3> for ChosenConvBackward {
    type State = (NodeId, NodeId, FloatTensor<B>, Layout);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (features, kernel, actions, layout) = ops.state;
        let features: FloatTensor<B> = checkpointer.retrieve_node_output(features);
        let kernel: FloatTensor<B> = checkpointer.retrieve_node_output(kernel);
        let all = B::chosen_conv_grads(features, kernel, actions, grad, layout);
        for (node, grad) in ops.parents.into_iter().zip(all) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}
