//! Encoder phi, trunk, actor and critic (docs/deepspi.md, section 3.2).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Activation, Config};
use deepspi_run::network::NetworkSpec;
use rand::Rng;

use super::encoder::{Encoder, EncoderForm};
use super::layers::Dense;
use super::trunk::Trunk;
use crate::ops::heads::actor_and_critic;
use crate::sharing::Repeat;

/// The networks that the policy needs.
#[derive(Module, Debug)]
pub struct Agent {
    /// phi.
    pub encoder: Encoder,
    /// Trunk of the actor, and of the critic unless it has its own.
    pub trunk: Trunk,
    /// Logits of the policy.
    pub actor: Dense,
    /// State value.
    pub critic: Dense,
    /// Networks that only the critic uses; none if it shares those of the actor.
    pub critic_network: Option<CriticNetwork>,
    #[module(skip)]
    form: EncoderForm,
    #[module(skip)]
    activation: Activation,
}

/// The critic's own networks.
#[derive(Module, Debug)]
pub struct CriticNetwork {
    /// Its encoder, to features of the image even if phi's latents are categorical; none if it reads
    /// phi's latents.
    pub encoder: Option<Encoder>,
    /// Its trunk.
    pub trunk: Trunk,
    #[module(skip)]
    form: EncoderForm,
}

/// Outputs of actor and critic for a batch of states.
#[derive(Clone, Debug)]
pub struct PolicyValue {
    /// Activations of the actor's trunk, `[B, hidden]`.
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
    pub fn new(spec: &NetworkSpec, config: &Config, rng: &mut impl Rng, device: &Device) -> Self {
        let networks = &config.networks;
        let form = EncoderForm::new(spec, config);
        let inputs = form.latent_len(spec);
        let encoder = Encoder::new(spec, networks, &form, rng, device);
        let trunk = Trunk::new(spec, config, inputs, networks.use_attention, rng, device);
        let hidden = trunk.outputs();
        let actor = Dense::orthogonal(rng, [hidden, spec.actions], 0.01, device);
        let own = networks.decoupled_repr;
        let mut own_network = || {
            let form = form.clone().of_images();
            // What is imagined has no image, so in DreamSPI the critic reads phi's latents.
            let encoder =
                (!config.is_dream()).then(|| Encoder::new(spec, networks, &form, rng, device));
            let inputs = if encoder.is_some() { spec.latent_len() } else { inputs };
            let trunk = Trunk::new(spec, config, inputs, false, rng, device);
            CriticNetwork { encoder, trunk, form }
        };
        let critic_network = own.then(&mut own_network);
        let hidden = critic_network.as_ref().map_or(hidden, |network| network.trunk.outputs());
        Self {
            encoder,
            trunk,
            actor,
            critic: Dense::orthogonal(rng, [hidden, 1], 1.0, device),
            critic_network,
            form,
            activation: networks.activation,
        }
    }

    /// Latent z = phi(s), `[B, h, w, c]`; observations `[B, H, W, C]` are scaled to [0, 1].
    #[must_use]
    pub fn encode(&self, observations: Tensor<4>) -> Tensor<4> {
        self.encoder.encode(observations, &self.form)
    }

    /// Logits `[B, categories, classes]` from which the classes of categorical latents are chosen;
    /// none if latents are not categorical.
    #[must_use]
    pub fn latent_logits(&self, observations: Tensor<4>) -> Option<Tensor<3>> {
        self.encoder.logits(observations, &self.form)
    }

    /// Latents `[B, h, w, c]` of observations `[B, H, W, C]`, and policy and value.
    #[must_use]
    pub fn perceive(&self, observations: Tensor<4>) -> (Tensor<4>, PolicyValue) {
        let latents = self.encode(observations.clone());
        let output = self.act_on(observations, latents.clone());
        (latents, output)
    }

    /// Policy and value of observations `[B, H, W, C]` with the latents `[B, h, w, c]` that
    /// [`Self::encode`] gives for them.
    #[must_use]
    pub fn act_on(&self, observations: Tensor<4>, latents: Tensor<4>) -> PolicyValue {
        match &self.critic_network {
            Some(CriticNetwork { encoder: Some(encoder), form, .. }) => {
                let features = encoder.encode(observations, form);
                self.heads(latents, features)
            }
            _ => self.act(latents),
        }
    }

    /// Unnormalised log-probabilities `[B, A]` of the policy in latents `[B, h, w, c]`.
    #[must_use]
    pub fn policy_logits(&self, latents: Tensor<4>) -> Tensor<2> {
        self.actor.forward(self.trunk.forward(latents, self.activation))
    }

    /// Policy and value of latents `[B, h, w, c]`.
    ///
    /// # Panics
    /// If the critic has an encoder of its own: use [`Self::act_on`].
    #[must_use]
    pub fn act(&self, latents: Tensor<4>) -> PolicyValue {
        match &self.critic_network {
            None => {
                let hidden = self.trunk.forward(latents, self.activation);
                let outputs =
                    actor_and_critic(hidden.clone(), layer(&self.actor), layer(&self.critic));
                PolicyValue { hidden, outputs }
            }
            Some(network) => {
                assert!(network.encoder.is_none(), "the critic needs observations: use `act_on`");
                self.heads(latents.clone(), latents)
            }
        }
    }

    /// Features and activations of the critic's own networks; none if it shares those of the actor.
    #[must_use]
    pub fn critic_features(&self, observations: Tensor<4>) -> Option<(Tensor<4>, Tensor<2>)> {
        let CriticNetwork { encoder, trunk, form } = self.critic_network.as_ref()?;
        let features = encoder.as_ref()?.encode(observations, form);
        Some((features.clone(), trunk.forward(features, self.activation)))
    }

    /// Policy of latents, and the value of what the critic's own trunk reads.
    fn heads(&self, latents: Tensor<4>, critic_latents: Tensor<4>) -> PolicyValue {
        let hidden = self.trunk.forward(latents, self.activation);
        let logits = self.actor.forward(hidden.clone());
        let trunk = self.critic_network.as_ref().map_or(&self.trunk, |network| &network.trunk);
        let value = self.critic.forward(trunk.forward(critic_latents, self.activation));
        PolicyValue { hidden, outputs: Tensor::cat(vec![logits, value], 1) }
    }
}

fn layer(layer: &Dense) -> (Tensor<2>, Tensor<1>) {
    (layer.kernel.val(), layer.bias.val())
}
