//! 2-D convolution in the layout of the specification: images `[B, H, W, C]`, kernels
//! `[KH, KW, C, O]`, zero padding at the end only (SAME for the 2x2 kernels of the world model).
//!
//! burn's CPU convolution spends most of an update in layout changes around small products
//! (`docs/performance.md`). Here the CPU gathers the patches of one image at a time, which stay in
//! cache, and multiplies them; the GPU runs burn's own convolution.

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::ops::ConvOptions;
use burn::backend::{
    Autodiff, Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension, tensor::FloatTensor,
};
use burn::tensor::{Shape, Tensor};

use super::conv_cpu;
pub use super::conv_geometry::ConvGeometry;

/// Convolution of images `[B, H, W, C]` with a kernel `[KH, KW, C, O]` plus bias `[O]`: `[B, OH, OW, O]`.
#[must_use]
pub fn conv2d(
    images: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    geometry: ConvGeometry,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as ConvOp>::conv_nhwc(
        images.into_dispatch(),
        kernel.into_dispatch(),
        bias.into_dispatch(),
        geometry.stride,
        geometry.pad_end,
    ))
}

/// Routing of [`conv2d`] to the backend that holds the tensors.
#[backend_extension(Flex, Cube, Autodiff)]
pub trait ConvOp: Backend {
    /// See [`conv2d`].
    fn conv_nhwc(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        pad_end: usize,
    ) -> FloatTensor<Self>;
}

/// The three products behind a convolution and its gradient.
///
/// The default bodies are burn's convolution between two changes of layout.
pub trait ConvKernels: Backend {
    /// Images `[B, H, W, C]`, kernel `[KH, KW, C, O]`, bias `[O]`: `[B, OH, OW, O]`.
    fn forward(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        let output = Self::conv2d(
            Self::float_permute(images, &TO_NCHW),
            Self::float_permute(kernel, &KERNEL_TO_OIHW),
            Some(bias),
            options(geometry),
        );
        Self::float_permute(output, &TO_NHWC)
    }

    /// Gradient of the kernel from images and the gradient of the output.
    fn kernel_grad(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        let grad = Self::conv2d_weight_backward(
            Self::float_permute(images, &TO_NCHW),
            Self::float_permute(kernel, &KERNEL_TO_OIHW),
            Self::float_permute(output_grad, &TO_NCHW),
            options(geometry),
        );
        Self::float_permute(grad, &OIHW_TO_KERNEL)
    }

    /// Gradient of the images from the kernel and the gradient of the output.
    fn images_grad(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        let grad = Self::conv2d_x_backward(
            Self::float_permute(images, &TO_NCHW),
            Self::float_permute(kernel, &KERNEL_TO_OIHW),
            Self::float_permute(output_grad, &TO_NCHW),
            options(geometry),
        );
        Self::float_permute(grad, &TO_NHWC)
    }

    /// Gradient of the bias `[O]` from the gradient of the output, one axis after the other: a single
    /// reduction over all positions would be one endless loop per channel on a GPU.
    fn bias_grad(output_grad: FloatTensor<Self>) -> FloatTensor<Self> {
        let outputs = output_grad.shape()[3];
        let sum = (0..3).rev().fold(output_grad, Self::float_sum_dim);
        Self::float_reshape(sum, Shape::new([outputs]))
    }
}

const TO_NCHW: [usize; 4] = [0, 3, 1, 2];
const TO_NHWC: [usize; 4] = [0, 2, 3, 1];
const KERNEL_TO_OIHW: [usize; 4] = [3, 2, 0, 1];
const OIHW_TO_KERNEL: [usize; 4] = [2, 3, 1, 0];

fn options(geometry: ConvGeometry) -> ConvOptions<2> {
    ConvOptions::new_with_padding([geometry.stride; 2], [(0, geometry.pad_end); 2], [1, 1], 1)
}

impl ConvKernels for Cube {}

impl ConvKernels for Flex {
    fn forward(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        conv_cpu::forward(&images, &kernel, &bias, geometry)
    }

    fn kernel_grad(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        conv_cpu::kernel_grad(&images, &kernel.shape(), &output_grad, geometry)
    }

    fn images_grad(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        conv_cpu::images_grad(&images.shape(), &kernel, &output_grad, geometry)
    }
}

macro_rules! route {
    ($($backend:ty),+) => {$(
        impl ConvOp for $backend {
            fn conv_nhwc(
                images: FloatTensor<Self>,
                kernel: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                stride: usize,
                pad_end: usize,
            ) -> FloatTensor<Self> {
                let geometry = ConvGeometry { stride, pad_end };
                <Self as ConvKernels>::forward(images, kernel, bias, geometry)
            }
        }
    )+};
}
route!(Flex, Cube);

impl<B: ConvKernels, C: CheckpointStrategy> ConvOp for Autodiff<B, C> {
    fn conv_nhwc(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        pad_end: usize,
    ) -> FloatTensor<Self> {
        let geometry = ConvGeometry { stride, pad_end };
        let parents = [images.node(), kernel.node(), bias.node()];
        let value = |images: FloatTensor<Self>, kernel: FloatTensor<Self>| {
            let (images, kernel) = (images.into_primitive(), kernel.into_primitive());
            B::forward(images, kernel, bias.into_primitive(), geometry)
        };
        match ConvBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = (prep.checkpoint(&images), prep.checkpoint(&kernel), geometry);
                prep.finish(state, value(images, kernel))
            }
            OpsKind::UnTracked(prep) => prep.finish(value(images, kernel)),
        }
    }
}

#[derive(Debug)]
struct ConvBackward;

impl<B: ConvKernels> Backward<B, 3> for ConvBackward {
    type State = (NodeId, NodeId, ConvGeometry);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [images_node, kernel_node, bias_node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (images_state, kernel_state, geometry) = ops.state;
        let images: FloatTensor<B> = checkpointer.retrieve_node_output(images_state);
        let kernel: FloatTensor<B> = checkpointer.retrieve_node_output(kernel_state);
        if let Some(node) = images_node {
            let grad = B::images_grad(images.clone(), kernel.clone(), grad.clone(), geometry);
            grads.register::<B>(node.id, grad);
        }
        if let Some(node) = bias_node {
            grads.register::<B>(node.id, B::bias_grad(grad.clone()));
        }
        if let Some(node) = kernel_node {
            grads.register::<B>(node.id, B::kernel_grad(images, kernel, grad, geometry));
        }
    }
}
