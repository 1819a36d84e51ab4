//! All trainable parameters of a run in one module, so that one optimiser and one checkpoint hold them.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::rng::{Stream, stream};

use super::agent::Agent;
use super::reward::RewardNetwork;
use super::spectral::{Spectral, StartVector};
use super::transition::{Prediction, TransitionNetwork, TransitionOutput};

/// Agent and world model.
#[derive(Module, Debug)]
pub struct Model {
    /// Encoder, policy and value.
    pub agent: Agent,
    /// Latent transition and reward.
    pub world_model: WorldModel,
}

impl Model {
    /// Initial parameters of a run.
    #[must_use]
    pub fn new(spec: &NetworkSpec, config: &Config, device: &Device) -> Self {
        let mut rng = stream(config.seed, Stream::Parameters);
        let agent = Agent::new(spec, &mut rng, device);
        let world_model = WorldModel {
            transition: TransitionNetwork::new(
                spec,
                config.transition_density,
                config.lipschitz_nets,
                config.mixture_layout,
                &mut rng,
                device,
            ),
            reward: RewardNetwork::new(spec, config.lipschitz_nets, &mut rng, device),
            spectral: config.lipschitz_nets.then(|| Spectral {
                mode: config.spectral_mode,
                start: StartVector::normal(config.seed),
            }),
        };
        Self { agent, world_model }
    }
}

/// The latent world model.
#[derive(Module, Debug)]
pub struct WorldModel {
    /// `Pbar`.
    pub transition: TransitionNetwork,
    /// `Rbar`.
    pub reward: RewardNetwork,
    /// Normalisation of the Lipschitz networks; none for the free ones.
    #[module(skip)]
    pub spectral: Option<Spectral>,
}

impl WorldModel {
    /// Distribution of the next latent given latents `[B, h, w, c]` and one-hot actions `[B, A]`.
    #[must_use]
    pub fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> TransitionOutput {
        self.transition.forward(latents, actions, self.spectral.as_ref())
    }

    /// Predicted reward `[B]`.
    #[must_use]
    pub fn predict_reward(&self, latents: Tensor<4>, actions: Tensor<2>) -> Tensor<1> {
        self.reward.forward(latents, actions, self.spectral.as_ref())
    }

    /// See [`TransitionNetwork::align`].
    #[must_use]
    pub fn align(&self, latents: Tensor<4>) -> Prediction {
        self.transition.align(latents, self.spectral.is_some())
    }

    /// See [`TransitionNetwork::align_noise`].
    #[must_use]
    pub fn align_noise(&self, noise: Tensor<5>) -> Tensor<4> {
        self.transition.align_noise(noise, self.spectral.is_some())
    }

    /// Shape `[B, M, K, D]` of the noise of one sample of the transition per state.
    #[must_use]
    pub const fn noise_shape(&self, batch: usize) -> [usize; 4] {
        self.transition.noise_shape(batch, self.spectral.is_some())
    }
}
