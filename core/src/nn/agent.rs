//! Encoder phi, shared trunk, actor and critic (docs/deepspi.md, section 3.2).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::layers::{Conv, Dense};
use crate::ops::conv::ConvGeometry;
use crate::ops::heads::actor_and_critic;
use crate::sharing::Repeat;

/// The networks that the policy needs.
#[derive(Module, Debug)]
pub struct Agent {
    /// Convolutions of phi.
    pub encoder: Vec<Conv>,
    /// Dense layer shared by actor and critic.
    pub trunk: Dense,
    /// Logits of the policy.
    pub actor: Dense,
    /// State value.
    pub critic: Dense,
    #[module(skip)]
    strides: Vec<usize>,
}

/// Outputs of actor and critic for a batch of states.
#[derive(Clone, Debug)]
pub struct PolicyValue {
    /// Activations of the trunk, `[B, hidden]`.
    pub hidden: Tensor<2>,
    /// Unnormalised log-probabilities, then the value, `[B, A + 1]`.
    pub outputs: Tensor<2>,
}

impl PolicyValue {
    /// Unnormalised log-probabilities, `[B, A]`.
    #[must_use]
    pub fn logits(&self) -> Tensor<2> {
        let actions = self.outputs.dims()[1] - 1;
        self.outputs.clone().narrow(1, 0, actions)
    }

    /// Values, `[B]`.
    #[must_use]
    pub fn values(&self) -> Tensor<1> {
        let actions = self.outputs.dims()[1] - 1;
        self.outputs.clone().narrow(1, actions, 1).squeeze_dim(1)
    }

    /// Repeats the outputs for distinct states, so that every sample of the batch has its own.
    #[must_use]
    pub fn repeat(self, rows: &Repeat) -> Self {
        Self { hidden: rows.apply(self.hidden), outputs: rows.apply(self.outputs) }
    }
}

impl Agent {
    /// Initial parameters; the same state of the generator gives the same agent on every device.
    pub fn new(spec: &NetworkSpec, rng: &mut impl Rng, device: &Device) -> Self {
        let gain = 2.0_f32.sqrt();
        let mut channels = spec.frame.channels;
        let encoder = spec
            .encoder
            .iter()
            .map(|layer| {
                let shape = [layer.kernel, layer.kernel, channels, layer.outputs];
                channels = layer.outputs;
                Conv::orthogonal(rng, shape, gain, device)
            })
            .collect();
        Self {
            encoder,
            trunk: Dense::orthogonal(rng, [spec.latent_len(), spec.hidden], gain, device),
            actor: Dense::orthogonal(rng, [spec.hidden, spec.actions], 0.01, device),
            critic: Dense::orthogonal(rng, [spec.hidden, 1], 1.0, device),
            strides: spec.encoder.iter().map(|layer| layer.stride).collect(),
        }
    }

    /// Latent z = phi(s), `[B, h, w, c]`, never negative; observations `[B, H, W, C]` are scaled to
    /// [0, 1].
    #[must_use]
    pub fn encode(&self, observations: Tensor<4>) -> Tensor<4> {
        self.encoder.iter().zip(&self.strides).fold(observations, |x, (layer, &stride)| {
            layer.forward_relu(x, ConvGeometry { stride, pad_end: 0 })
        })
    }

    /// Policy and value of latents `[B, h, w, c]`.
    #[must_use]
    pub fn act(&self, latents: Tensor<4>) -> PolicyValue {
        let hidden = self.trunk.forward_relu(latents.flatten(1, 3));
        let layer = |layer: &Dense| (layer.kernel.val(), layer.bias.val());
        let outputs = actor_and_critic(hidden.clone(), layer(&self.actor), layer(&self.critic));
        PolicyValue { hidden, outputs }
    }
}
