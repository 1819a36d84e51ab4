//! All trainable parameters of a run in one module, so that one optimiser and one checkpoint hold
//! them.
//!
//! Saved checkpoints and golden files name the parameters by their paths, and the flat vector has
//! their order. Neither may change.

use burn::module::Module;
use burn::tensor::Device;
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::rng::{Stream, stream};

use crate::nn::{Agent, StartVector};
use crate::world_model::WorldModel;
use crate::world_model::discriminator::Discriminator;

/// Agent and world model.
#[derive(Module, Debug)]
pub struct Model {
    /// Encoder, trunk, policy and value heads.
    pub agent: Agent,
    /// Networks that predict the next latent and the reward.
    pub world_model: WorldModel,
    /// What judges next latents; only in DreamSPI, if wanted.
    pub discriminator: Option<Discriminator>,
}

impl Model {
    /// Initial parameters of a run.
    #[must_use]
    pub fn new(spec: &NetworkSpec, config: &Config, device: &Device) -> Self {
        Self::with_start_vector(spec, config, StartVector::constant(), device)
    }

    /// [`Self::new`] with a given start vector of the power iterations.
    #[must_use]
    pub fn with_start_vector(
        spec: &NetworkSpec,
        config: &Config,
        start: StartVector,
        device: &Device,
    ) -> Self {
        // One generator, in this order: a seed must give the same parameters in every version.
        let mut rng = stream(config.seed, Stream::Parameters);
        let agent = Agent::new(spec, config, &mut rng, device);
        let world_model = WorldModel::new(spec, config, start.clone(), &mut rng, device);
        let discriminator = config
            .has_discriminator()
            .then(|| Discriminator::new(spec, config, start, &mut rng, device));
        Self { agent, world_model, discriminator }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::MazePreset;

    use super::*;
    use crate::params::{describe, flatten, unflatten};

    const AGENT: [&str; 10] = [
        "agent.encoder.0.kernel",
        "agent.encoder.0.bias",
        "agent.encoder.1.kernel",
        "agent.encoder.1.bias",
        "agent.trunk.kernel",
        "agent.trunk.bias",
        "agent.actor.kernel",
        "agent.actor.bias",
        "agent.critic.kernel",
        "agent.critic.bias",
    ];
    const WORLD_MODEL: [&str; 10] = [
        "world_model.transition.first.kernel",
        "world_model.transition.first.bias",
        "world_model.transition.second.kernel",
        "world_model.transition.second.bias",
        "world_model.transition.logits.kernel",
        "world_model.transition.logits.bias",
        "world_model.reward.layers.0.kernel",
        "world_model.reward.layers.0.bias",
        "world_model.reward.layers.1.kernel",
        "world_model.reward.layers.1.bias",
    ];
    /// The third layer of the Lipschitz reward network.
    const THIRD_REWARD_LAYER: [&str; 2] =
        ["world_model.reward.layers.2.kernel", "world_model.reward.layers.2.bias"];

    #[test]
    fn runs_of_different_seeds_start_the_power_iteration_alike() {
        let preset = MazePreset::Small;
        let device = Device::flex();
        let [first, second] = [1, 2].map(|seed| {
            Model::new(&preset.network(), &Config { seed, ..preset.hyper_parameters() }, &device)
        });
        // Both models get the same parameters, so that any difference comes from the seed.
        let second = unflatten(second, &flatten(&first), false);
        let [height, width, channels] = preset.network().latent();
        let latents = Tensor::<4>::ones([1, height, width, channels], &device);
        let actions = Tensor::<2>::from_floats([[1.0, 0.0, 0.0, 0.0]], &device);
        let [(values, reward), other] = [first, second].map(|model| {
            let statistics = model.world_model.predict(latents.clone(), actions.clone());
            let reward = model.world_model.predict_reward(latents.clone(), actions.clone());
            (statistics.values.into_data(), reward.into_data())
        });
        assert_eq!((values, reward), other);
    }

    #[test]
    fn parameters_keep_the_names_and_the_order_of_saved_checkpoints() {
        let preset = MazePreset::Small;
        for lipschitz_nets in [true, false] {
            let mut config = preset.hyper_parameters();
            config.world_model.lipschitz_nets = lipschitz_nets;
            let model = Model::new(&preset.network(), &config, &Device::flex());
            let mut expected = [AGENT, WORLD_MODEL].concat();
            if lipschitz_nets {
                expected.extend(THIRD_REWARD_LAYER);
            }
            let names: Vec<String> = describe(&model).into_iter().map(|p| p.name).collect();
            assert_eq!(names, expected, "with lipschitz_nets = {lipschitz_nets}");
        }
    }
}
