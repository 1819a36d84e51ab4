//! A soft mixture of experts over the tokens of categories and actions (docs/deepspi.md, section 3.6;
//! Puigcerver et al., ICLR 2024).
//!
//! A token is a category's row of the latent, once for every action. The network is asked for the
//! outputs of one action; slots and experts see the tokens of all.

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Tensor, TensorData};
use deepspi_run::config::SoftMoeLayout;
use rand::{Rng, RngExt};

use super::categories::CategorySizes;
use crate::nn::init;

/// Experts with two layers each, on slots that are mixtures of all tokens.
#[derive(Module, Debug)]
pub struct SoftMoe {
    /// Factor of the tokens of each action, `[A]`.
    pub upscale: Param<Tensor<1>>,
    /// From a token to the logits of all slots, `[classes, experts, slots of an expert]`.
    pub phi: Param<Tensor<3>>,
    /// Kernels of the experts' hidden layers, `[experts, classes, hidden]`.
    pub hidden_kernel: Param<Tensor<3>>,
    /// `[experts, hidden]`
    pub hidden_bias: Param<Tensor<2>>,
    /// Kernels of their output layers, `[experts, hidden, classes]`.
    pub output_kernel: Param<Tensor<3>>,
    /// `[experts, classes]`
    pub output_bias: Param<Tensor<2>>,
    #[module(skip)]
    layout: SoftMoeLayout,
}

impl SoftMoe {
    /// Initial parameters: two experts for each action.
    pub fn new(
        sizes: &CategorySizes,
        layout: SoftMoeLayout,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let CategorySizes { categories, classes, actions, expert, .. } = *sizes;
        let (experts, slots) = (2 * actions, categories.div_ceil(2));
        let param = |values: Vec<f32>, shape: [usize; 3]| {
            Param::from_data(TensorData::new(values, shape), device)
        };
        let phi = init::lecun_normal(rng, classes * experts * slots, classes * experts);
        let hidden =
            (0..experts).flat_map(|_| init::orthogonal(rng, classes, expert, 2.0_f32.sqrt()));
        let hidden: Vec<f32> = hidden.collect();
        let bound = (6.0 / (expert + classes) as f32).sqrt();
        let output = (0..experts * expert * classes).map(|_| rng.random_range(-bound..bound));
        let output = output.collect();
        Self {
            upscale: Param::from_tensor(Tensor::ones([actions], device)),
            phi: param(phi, [classes, experts, slots]),
            hidden_kernel: param(hidden, [experts, classes, expert]),
            hidden_bias: Param::from_tensor(Tensor::zeros([experts, expert], device)),
            output_kernel: param(output, [experts, expert, classes]),
            output_bias: Param::from_tensor(Tensor::zeros([experts, classes], device)),
            layout,
        }
    }

    /// The outputs `[B, categories, classes]` of the chosen action, from latents
    /// `[B, 1, categories, classes]` and one-hot actions `[B, A]`.
    #[must_use]
    pub fn forward(&self, latents: Tensor<4>, actions: Tensor<2>) -> Tensor<3> {
        let [batch, _, categories, classes] = latents.dims();
        let [_, experts, per_expert] = self.phi.dims();
        let (choices, slots) = (actions.dims()[1], experts * per_expert);
        let rows = latents.squeeze_dim::<3>(1);
        let upscale = self.upscale.val();

        // Logits of every token and slot. The tokens of a category differ only by their factors.
        let phi = self.phi.val().reshape([classes, slots]);
        let of_rows = rows.clone().reshape([batch * categories, classes]).matmul(phi);
        let of_rows = of_rows.reshape([batch, categories, 1, slots]);
        let factors = upscale.clone().reshape([1, 1, choices, 1]);
        let logits = of_rows.clone() * factors.clone();
        let logits = logits.reshape([batch, categories * choices, slots]);

        let dispatch = softmax(logits.clone(), 1).reshape([batch, categories, choices, slots]);
        let dispatch = (dispatch * factors).sum_dim(2).squeeze_dim::<3>(2);
        let inputs = dispatch.swap_dims(1, 2).matmul(rows);
        let outputs = self.experts(inputs, [batch, experts, per_expert, classes]);

        let combine = match self.layout {
            SoftMoeLayout::Corrected => {
                let factor = (actions * upscale.unsqueeze_dim(0)).sum_dim(1);
                of_rows.squeeze_dim::<3>(2) * factor.unsqueeze_dim(2)
            }
            SoftMoeLayout::Parity => {
                let blocks = logits.reshape([batch, choices, categories, slots]);
                let chosen = actions.reshape([batch, choices, 1, 1]);
                (blocks * chosen).sum_dim(1).squeeze_dim(1)
            }
        };
        softmax(combine, 2).matmul(outputs)
    }

    /// Outputs `[B, experts * slots, classes]` of the experts for their slots, of the same shape.
    fn experts(
        &self,
        slots: Tensor<3>,
        [batch, experts, per_expert, classes]: [usize; 4],
    ) -> Tensor<3> {
        let rows = slots.reshape([batch, experts, per_expert, classes]).swap_dims(0, 1).reshape([
            experts,
            batch * per_expert,
            classes,
        ]);
        let hidden = rows.matmul(self.hidden_kernel.val());
        let hidden = relu(hidden + self.hidden_bias.val().unsqueeze_dim::<3>(1));
        let outputs = hidden.matmul(self.output_kernel.val());
        let outputs = outputs + self.output_bias.val().unsqueeze_dim::<3>(1);
        outputs.reshape([experts, batch, per_expert, classes]).swap_dims(0, 1).reshape([
            batch,
            experts * per_expert,
            classes,
        ])
    }
}
