//! Parameters of dense and convolutional layers, and GroupSort.
//!
//! A layer only holds its parameters: spectral networks normalise the kernel before use
//! ([`super::spectral`]), plain networks use it unchanged. burn's own layers are not used because
//! their layouts differ.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use deepspi_run::config::Activation;
use rand::Rng;

use super::spectral::Spectral;
use super::{activate, init};
use crate::ops;
use crate::ops::conv::{ConvGeometry, conv2d, conv2d_relu, dense};

/// Kernel `[in, out]` and bias `[out]`.
#[derive(Module, Debug)]
pub struct Dense {
    /// `[in, out]`
    pub kernel: Param<Tensor<2>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
}

impl Dense {
    /// Orthogonal columns times `gain`, bias 0.
    pub fn orthogonal(
        rng: &mut impl Rng,
        [inputs, outputs]: [usize; 2],
        gain: f32,
        device: &Device,
    ) -> Self {
        Self::from_values(init::orthogonal(rng, inputs, outputs, gain), [inputs, outputs], device)
    }

    /// Truncated normal of variance `1 / in`, bias 0.
    pub fn lecun_normal(
        rng: &mut impl Rng,
        [inputs, outputs]: [usize; 2],
        device: &Device,
    ) -> Self {
        Self::from_values(
            init::lecun_normal(rng, inputs * outputs, inputs),
            [inputs, outputs],
            device,
        )
    }

    fn from_values(kernel: Vec<f32>, shape: [usize; 2], device: &Device) -> Self {
        Self {
            kernel: Param::from_data(TensorData::new(kernel, shape), device),
            bias: Param::from_tensor(Tensor::zeros([shape[1]], device)),
        }
    }

    /// `[B, in]` to `[B, out]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        self.forward_spectral(input, None)
    }

    /// [`Self::forward`], then an activation.
    #[must_use]
    pub fn forward_activated(&self, input: Tensor<2>, activation: Activation) -> Tensor<2> {
        if activation == Activation::Relu {
            return dense(input, self.kernel.val(), self.bias.val(), true);
        }
        activate(activation, self.forward(input))
    }

    /// [`Self::forward`] with the kernel normalised, if `spectral` is given.
    #[must_use]
    pub fn forward_spectral(&self, input: Tensor<2>, spectral: Option<&Spectral>) -> Tensor<2> {
        let kernel = self.kernel.val();
        let kernel = match spectral {
            Some(spectral) => spectral.dense(kernel),
            None => kernel,
        };
        dense(input, kernel, self.bias.val(), false)
    }
}

/// Kernel `[KH, KW, C, O]` and bias `[O]`.
#[derive(Module, Debug)]
pub struct Conv {
    /// `[KH, KW, C, O]`; C counts the channels of one group.
    pub kernel: Param<Tensor<4>>,
    /// `[O]`
    pub bias: Param<Tensor<1>>,
}

impl Conv {
    /// Orthogonal in the view `[KH * KW * C, O]` times `gain`, bias 0.
    pub fn orthogonal(rng: &mut impl Rng, shape: [usize; 4], gain: f32, device: &Device) -> Self {
        let [height, width, channels, outputs] = shape;
        let kernel = init::orthogonal(rng, height * width * channels, outputs, gain);
        Self::from_values(kernel, shape, device)
    }

    /// Truncated normal of variance `1 / (KH * KW * C)`, bias 0.
    pub fn lecun_normal(rng: &mut impl Rng, shape: [usize; 4], device: &Device) -> Self {
        let fan_in = shape[0] * shape[1] * shape[2];
        Self::from_values(init::lecun_normal(rng, fan_in * shape[3], fan_in), shape, device)
    }

    fn from_values(kernel: Vec<f32>, shape: [usize; 4], device: &Device) -> Self {
        Self {
            kernel: Param::from_data(TensorData::new(kernel, shape), device),
            bias: Param::from_tensor(Tensor::zeros([shape[3]], device)),
        }
    }

    /// `[B, H, W, C]` to `[B, OH, OW, O]`.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>, geometry: ConvGeometry) -> Tensor<4> {
        self.forward_with(images, self.kernel.val(), geometry)
    }

    /// [`Self::forward`], then an activation.
    #[must_use]
    pub fn forward_activated(
        &self,
        images: Tensor<4>,
        geometry: ConvGeometry,
        activation: Activation,
    ) -> Tensor<4> {
        if activation == Activation::Relu {
            return conv2d_relu(images, self.kernel.val(), self.bias.val(), geometry);
        }
        activate(activation, self.forward(images, geometry))
    }

    /// [`Self::forward`] with another kernel (a normalised one) and this layer's bias.
    #[must_use]
    pub fn forward_with(
        &self,
        images: Tensor<4>,
        kernel: Tensor<4>,
        geometry: ConvGeometry,
    ) -> Tensor<4> {
        conv2d(images, kernel, self.bias.val(), geometry)
    }
}

/// GroupSort of size 2 on the last axis: sorts the pairs (0,1), (2,3), ... in ascending order.
///
/// An odd number of channels is padded with one zero, as the authors do.
#[must_use]
pub fn group_sort(input: Tensor<2>) -> Tensor<2> {
    let [rows, channels] = input.dims();
    let input = if channels.is_multiple_of(2) {
        input
    } else {
        let pad = Tensor::zeros([rows, 1], &input.device());
        Tensor::cat(vec![input, pad], 1)
    };
    ops::group_sort::group_sort(input)
}
