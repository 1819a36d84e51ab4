//! 2-D convolution in the layout of this crate: images `[B, H, W, C]`, kernels `[KH, KW, C, O]`,
//! zero padding at the end only (SAME for the 2x2 kernels of the world model). A dense layer is a
//! convolution of one pixel.
//!
//! burn's CPU convolution spends most of an update on changing layouts around small products
//! (`docs/performance.md`), and its GPU convolutions are loops over single pixels between changes of
//! layout. Here the CPU gathers the patches of one image at a time, which fit into the cache, and
//! multiplies them; the GPU multiplies tiles of patches that it gathers into shared memory. Bias and
//! ReLU are part of the product.

mod cpu;
mod geometry;
#[cfg(feature = "gpu")]
mod gpu;

use burn::backend::autodiff::{
    NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;
use burn::tensor::activation::relu as rectified;

pub use self::geometry::ConvGeometry;
use super::cpu::on_cpu;

/// Convolution of images `[B, H, W, C]` with a kernel `[KH, KW, C, O]` plus bias `[O]`:
/// `[B, OH, OW, O]`.
#[must_use]
pub fn conv2d(
    images: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    geometry: ConvGeometry,
) -> Tensor<4> {
    convolution(images, kernel, bias, ConvForm { geometry, relu: false })
}

/// [`conv2d`], then ReLU.
#[must_use]
pub fn conv2d_relu(
    images: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    geometry: ConvGeometry,
) -> Tensor<4> {
    convolution(images, kernel, bias, ConvForm { geometry, relu: true })
}

/// `[B, in]` times a kernel `[in, out]` plus bias `[out]`, then ReLU if wanted.
#[must_use]
pub fn dense(input: Tensor<2>, kernel: Tensor<2>, bias: Tensor<1>, relu: bool) -> Tensor<2> {
    if on_cpu(&input.device()) {
        // burn's product of two matrices is a good one there.
        let output = input.matmul(kernel) + bias.unsqueeze();
        return if relu { rectified(output) } else { output };
    }
    let ([batch, inputs], outputs) = (input.dims(), bias.dims()[0]);
    let geometry = ConvGeometry { stride: 1, pad_end: 0 };
    let (images, kernel) =
        (input.reshape([batch, 1, 1, inputs]), kernel.reshape([1, 1, inputs, outputs]));
    convolution(images, kernel, bias, ConvForm { geometry, relu }).reshape([batch, outputs])
}

fn convolution(images: Tensor<4>, kernel: Tensor<4>, bias: Tensor<1>, form: ConvForm) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as ConvOp>::conv_nhwc(
        images.into_dispatch(),
        kernel.into_dispatch(),
        bias.into_dispatch(),
        form,
    ))
}

/// Dispatches [`conv2d`] to the backend that holds the tensors.
#[backend_extension(Flex, Cube: cfg(feature = "gpu"), Autodiff)]
pub trait ConvOp: Backend {
    /// See [`conv2d`].
    fn conv_nhwc(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: ConvForm,
    ) -> FloatTensor<Self>;
}

/// A convolution and its gradients on one backend.
pub trait ConvKernels: Backend {
    /// Images `[B, H, W, C]`, kernel `[KH, KW, C, O]`, bias `[O]`: `[B, OH, OW, O]`.
    fn forward(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: ConvForm,
    ) -> FloatTensor<Self>;

    /// Gradients of images, kernel and bias from the gradient of the output; the first only if it is
    /// wanted. `output` is the convolution's result.
    fn grads(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        form: ConvForm,
        wants_images: bool,
    ) -> (Option<FloatTensor<Self>>, FloatTensor<Self>, FloatTensor<Self>);
}

/// What is computed besides the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvForm {
    /// Stride and padding.
    pub geometry: ConvGeometry,
    /// Whether negative outputs are replaced by 0.
    pub relu: bool,
}

macro_rules! route {
    ($backend:ty) => {
        impl ConvOp for $backend {
            fn conv_nhwc(
                images: FloatTensor<Self>,
                kernel: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                form: ConvForm,
            ) -> FloatTensor<Self> {
                <Self as ConvKernels>::forward(images, kernel, bias, form)
            }
        }
    };
}
route!(Flex);
#[cfg(feature = "gpu")]
route!(burn::backend::Cube);

impl<B: ConvKernels, C: CheckpointStrategy> ConvOp for Autodiff<B, C> {
    fn conv_nhwc(
        images: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: ConvForm,
    ) -> FloatTensor<Self> {
        let parents = [images.node(), kernel.node(), bias.node()];
        let value = |images: FloatTensor<Self>, kernel: FloatTensor<Self>| {
            let (images, kernel) = (images.into_primitive(), kernel.into_primitive());
            B::forward(images, kernel, bias.into_primitive(), form)
        };
        match ConvBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let (images_node, kernel_node) =
                    (prep.checkpoint(&images), prep.checkpoint(&kernel));
                let output = value(images, kernel);
                prep.finish((images_node, kernel_node, output.clone(), form), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(value(images, kernel)),
        }
    }
}

#[derive(Debug)]
struct ConvBackward;

impl<B: ConvKernels> Backward<B, 3> for ConvBackward {
    type State = (NodeId, NodeId, FloatTensor<B>, ConvForm);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [images_node, kernel_node, bias_node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (images_state, kernel_state, output, form) = ops.state;
        let images: FloatTensor<B> = checkpointer.retrieve_node_output(images_state);
        let kernel: FloatTensor<B> = checkpointer.retrieve_node_output(kernel_state);
        let (images_grad, kernel_grad, bias_grad) =
            B::grads(images, kernel, output, grad, form, images_node.is_some());
        if let Some((node, grad)) = images_node.zip(images_grad) {
            grads.register::<B>(node.id, grad);
        }
        if let Some(node) = kernel_node {
            grads.register::<B>(node.id, kernel_grad);
        }
        if let Some(node) = bias_node {
            grads.register::<B>(node.id, bias_grad);
        }
    }
}
