//! The latent world model: it predicts the next latent and the reward from the agent's own latents.
//!
//! - [`latent`]: what a latent is;
//! - [`architecture`]: the architecture of all networks, chosen once when the model is built;
//! - [`categories`]: what the networks of categorical latents have in common;
//! - [`dynamics`]: transition networks, one file per architecture;
//! - [`density`]: distributions of the next latent, one file each, and the only list of them;
//! - [`soft_moe`]: the mixture of experts that transition and reward of categories may use;
//! - [`reward`], [`continuation`](ImaginedStep::continuation): the other parts of a step;
//! - [`discriminator`]: tells true next latents from imagined ones;
//! - [`loss`]: l_P and l_R on real transitions;
//! - [`penalty`]: gradient penalties of the plain networks.
//!
//! The model can be stepped: [`WorldModel::step`] takes and returns latents in their natural
//! layout, so that an imagined rollout is a loop. The step must sample in the same way as the loss
//! does: equal noise gives equal samples.

pub mod architecture;
pub mod categories;
pub mod continuation;
pub mod density;
pub mod discriminator;
pub mod dynamics;
pub mod latent;
pub mod loss;
pub mod penalty;
pub mod reward;
pub mod soft_moe;

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Config, LatentDistance};
use deepspi_run::network::NetworkSpec;
use rand_chacha::ChaCha8Rng;

use self::architecture::Architecture;
use self::continuation::DonePredictor;
use self::density::Density;
pub use self::density::{Statistics, TransitionNoise};
use self::dynamics::Dynamics;
use self::latent::{Alignment, Latent};
pub use self::loss::{LatentTransitions, WorldModelLosses};
use self::reward::RewardNetwork;
use crate::nn::StartVector;

/// The latent world model.
#[derive(Module, Debug)]
pub struct WorldModel {
    /// The transition network `Pbar`.
    pub transition: Dynamics,
    /// The reward network `Rbar`.
    pub reward: RewardNetwork,
    /// Predicts the ends of episodes; none if imagined episodes never end.
    pub done: Option<DonePredictor>,
    #[module(skip)]
    latent: Latent,
    #[module(skip)]
    density: Arc<dyn Density>,
    #[module(skip)]
    distance: LatentDistance,
    /// Share of the prediction in the gradient of l_P; 0 if prediction and target get all of it.
    #[module(skip)]
    balance: f32,
}

/// One step of B imagined episodes.
#[derive(Clone, Debug)]
pub struct ImaginedStep {
    /// Next latents `[B, h, w, c]`: one sample each, or the predicted point. Unlike an encoder's
    /// latents they may have negative entries, except with free deterministic networks.
    pub latents: Tensor<4>,
    /// Predicted rewards `[B]` of the step.
    pub rewards: Tensor<1>,
    /// Probability `[B]` that the episode continues in the next latents; 1 without a done predictor.
    pub continuation: Tensor<1>,
}

impl WorldModel {
    /// Initial parameters; `start` is the start vector of the power iterations.
    #[must_use]
    pub fn new(
        spec: &NetworkSpec,
        config: &Config,
        start: StartVector,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let architecture = Architecture::of(config, start);
        let latent = Latent::of(spec, config);
        let density = density::of(config.world_model.transition_density, &architecture);
        Self {
            transition: Dynamics::new(spec, latent, &architecture, density.as_ref(), rng, device),
            reward: RewardNetwork::new(spec, latent, &architecture, rng, device),
            done: config
                .has_done_predictor()
                .then(|| DonePredictor::new(spec, latent, config, rng, device)),
            latent,
            density,
            distance: config.world_model.latent_distance,
            balance: config.world_model.transition_balance,
        }
    }

    /// One imagined step from latents `[B, h, w, c]` with one-hot actions `[B, A]`.
    ///
    /// `noise` comes from [`Self::sample_noise`] for B states. Gradients flow through the step:
    /// detach the latents where none are wanted.
    ///
    /// # Panics
    /// If the density is sampled and no noise is given.
    #[must_use]
    pub fn step(
        &self,
        latents: Tensor<4>,
        actions: Tensor<2>,
        noise: Option<TransitionNoise>,
    ) -> ImaginedStep {
        let statistics = self.predict(latents.clone(), actions.clone());
        let next = self.sample(statistics, noise);
        ImaginedStep {
            rewards: self.predict_reward(latents, actions),
            continuation: self.continuation(next.clone()),
            latents: next,
        }
    }

    /// Probability `[B]` that the episode continues in latents `[B, h, w, c]`; 1 without a done
    /// predictor.
    #[must_use]
    pub fn continuation(&self, latents: Tensor<4>) -> Tensor<1> {
        match &self.done {
            Some(predictor) => -predictor.probabilities(latents) + 1.0,
            None => Tensor::ones([latents.dims()[0]], &latents.device()),
        }
    }

    /// Next latents of B states from the same `draws` noises: `draws` tensors `[B, h, w, c]`, or
    /// one tensor if the next latent is a point.
    ///
    /// States with equal predictions therefore get equal samples, and a difference between sampled
    /// distributions comes from the model and not from chance.
    #[must_use]
    pub fn draws(
        &self,
        latents: Tensor<4>,
        actions: Tensor<2>,
        draws: usize,
        rng: &mut ChaCha8Rng,
    ) -> Vec<Tensor<4>> {
        let (batch, device) = (latents.dims()[0], latents.device());
        let statistics = self.predict(latents, actions);
        let noises = (0..draws).map_while(|_| self.sample_noise(1, rng, &device));
        let draw =
            |noise: TransitionNoise| self.sample(statistics.clone(), Some(noise.repeat(batch)));
        let drawn: Vec<Tensor<4>> = noises.map(draw).collect();
        if drawn.is_empty() { vec![self.sample(statistics, None)] } else { drawn }
    }

    /// The predicted distribution of the next latent, from latents `[B, h, w, c]` and one-hot
    /// actions `[B, A]`.
    #[must_use]
    pub fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        self.transition.predict(latents, actions)
    }

    /// Probability `[B]` that a predicted latent is another one than the aligned target `[B, M, D]`; none
    /// if latents are not categorical.
    #[must_use]
    pub fn mismatch(
        &self,
        latents: Tensor<4>,
        actions: Tensor<2>,
        targets: Tensor<3>,
    ) -> Option<Tensor<1>> {
        self.density.mismatch(self.predict(latents, actions), targets)
    }

    /// Predicted reward `[B]` of latents `[B, h, w, c]` and one-hot actions `[B, A]`.
    #[must_use]
    pub fn predict_reward(&self, latents: Tensor<4>, actions: Tensor<2>) -> Tensor<1> {
        self.reward.forward(latents, actions)
    }

    /// One sample `[B, h, w, c]` of predicted latents.
    ///
    /// # Panics
    /// If the density is sampled and no noise is given.
    #[must_use]
    pub fn sample(&self, statistics: Statistics, noise: Option<TransitionNoise>) -> Tensor<4> {
        self.alignment().natural(self.density.sample(statistics, noise))
    }

    /// Noise of one sample for each of `batch` states; none if the next latent is a point.
    #[must_use]
    pub fn sample_noise(
        &self,
        batch: usize,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Option<TransitionNoise> {
        let [rows, per_group] = self.alignment().shape();
        self.density.noise([batch, rows, per_group], rng, device)
    }

    /// Noise for l_P of `batch` transitions; none if the loss has a closed form.
    #[must_use]
    pub fn loss_noise(
        &self,
        batch: usize,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Option<TransitionNoise> {
        if self.loss_is_sampled() { self.sample_noise(batch, rng, device) } else { None }
    }

    /// Whether l_P is computed from one sample, and so depends on noise.
    #[must_use]
    pub fn loss_is_sampled(&self) -> bool {
        self.density.loss_is_sampled()
    }

    /// Mixture components K of the predicted distribution.
    #[must_use]
    pub fn components(&self) -> usize {
        self.density.components()
    }

    /// The kind and shape of its latents.
    #[must_use]
    pub const fn latent(&self) -> Latent {
        self.latent
    }

    /// The order of latent dimensions in [`Statistics`].
    #[must_use]
    pub const fn alignment(&self) -> Alignment {
        self.transition.alignment(self.latent)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use deepspi_run::config::{Activation, MixtureLayout, TransitionDensity};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::{ACTIONS, MazePreset};
    use deepspi_worlds::rng::{Stream, stream};
    use rand::RngExt;

    use super::density::NormalMixture;
    use super::*;

    const BATCH: usize = 6;
    const PRESET: MazePreset = MazePreset::Small;

    /// Every density with every architecture, for the small maze.
    fn all_kinds() -> Vec<(TransitionDensity, bool, WorldModel)> {
        let densities = [
            TransitionDensity::Deterministic,
            TransitionDensity::Normal,
            TransitionDensity::MixtureNormal,
        ];
        let layouts = [
            (true, MixtureLayout::Corrected),
            (false, MixtureLayout::Corrected),
            (false, MixtureLayout::Parity),
        ];
        let kinds = densities.iter().flat_map(|density| layouts.map(|layout| (*density, layout)));
        let build = |(transition_density, (lipschitz_nets, mixture_layout))| {
            let mut config = PRESET.hyper_parameters();
            config.world_model.transition_density = transition_density;
            config.world_model.lipschitz_nets = lipschitz_nets;
            config.world_model.mixture_layout = mixture_layout;
            let mut rng = stream(3, Stream::Parameters);
            let (start, device) = (StartVector::constant(), Device::flex());
            let model = WorldModel::new(&PRESET.network(), &config, start, &mut rng, &device);
            (transition_density, lipschitz_nets, model)
        };
        kinds.map(build).collect()
    }

    /// Non-negative latents of [`BATCH`] states, and actions.
    fn states() -> (Tensor<4>, Tensor<2>) {
        let device = Device::flex();
        let [height, width, channels] = PRESET.network().latent();
        let shape = [BATCH, height, width, channels];
        let mut rng = stream(4, Stream::Shuffle);
        let values: Vec<f32> =
            (0..shape.iter().product()).map(|_| rng.random_range(0.0..2.0)).collect();
        let latents = Tensor::from_data(TensorData::new(values, shape), &device);
        let actions = Tensor::<2>::eye(ACTIONS, &device).repeat_dim(0, 2).narrow(0, 0, BATCH);
        (latents, actions)
    }

    fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("f32")
    }

    #[test]
    fn five_imagined_steps_are_a_loop() {
        for (density, lipschitz, model) in all_kinds() {
            let device = Device::flex();
            let mut rng = stream(5, Stream::Noise);
            let (mut latents, actions) = states();
            let shape = latents.dims();
            for k in 0..5 {
                let what = format!("step {k} of {density:?}, Lipschitz {lipschitz}");
                let noise = model.sample_noise(BATCH, &mut rng, &device);
                let step = model.step(latents.clone(), actions.clone(), noise);
                assert_eq!(step.latents.dims(), shape, "{what}");
                assert_eq!(step.rewards.dims(), [BATCH], "{what}");
                assert_eq!(read(step.continuation), [1.0; BATCH], "{what}");
                let (before, after) = (read(latents), read(step.latents.clone()));
                assert!(after.iter().all(|x| x.is_finite()), "{what}");
                assert!(read(step.rewards).iter().all(|x| x.is_finite()), "{what}");
                assert_ne!(before, after, "{what} must lead somewhere");
                latents = step.latents;
            }
        }
    }

    #[test]
    fn the_loss_samples_what_a_step_gives_from_the_same_noise() {
        for (density, lipschitz, model) in all_kinds() {
            let device = Device::flex();
            let what = format!("{density:?}, Lipschitz {lipschitz}");
            let (latents, actions) = states();
            let noise = model.sample_noise(BATCH, &mut stream(6, Stream::Noise), &device);
            assert_eq!(noise.is_some(), density != TransitionDensity::Deterministic, "{what}");
            let step = model.step(latents.clone(), actions.clone(), noise);
            let losses = |next: Tensor<4>| {
                let noise = model.loss_noise(BATCH, &mut stream(6, Stream::Noise), &device);
                assert_eq!(noise.is_some(), model.loss_is_sampled(), "{what}");
                let both = Tensor::cat(vec![latents.clone(), next], 0);
                model.losses(LatentTransitions {
                    latents: latents.clone(),
                    targets: model.alignment().targets(both, Tensor::zeros([BATCH], &device)),
                    actions: actions.clone(),
                    rewards: step.rewards.clone(),
                    ends: None,
                    judge: None,
                    noise,
                    sharing: None,
                })
            };
            let own = losses(step.latents.clone());
            assert_eq!(read(own.reward), [0.0; BATCH], "{what}: the reward is the step's");
            let other = read(losses(latents.clone()).transition);
            assert!(other.iter().all(|x| *x > 0.0 && x.is_finite()), "{what}: {other:?}");
            if lipschitz || density == TransitionDensity::Deterministic {
                // Every bit of every dimension must be equal, or the distance is not 0.
                assert_eq!(read(own.transition), [0.0; BATCH], "{what}: the latent is the step's");
            } else {
                // The loss is an expectation over the density: it includes the variance and samples
                // nothing.
                assert!(!model.loss_is_sampled(), "{what}");
                assert!(read(own.transition).iter().all(|x| *x > 0.0), "{what}");
            }
        }
    }

    #[test]
    fn a_step_of_a_free_mixture_without_noise_is_the_location_of_its_component() {
        let device = Device::flex();
        for (_, _, model) in all_kinds().into_iter().filter(|(density, lipschitz, _)| {
            !lipschitz && *density != TransitionDensity::Deterministic
        }) {
            let (latents, actions) = states();
            let statistics = model.predict(latents.clone(), actions.clone());
            let mixture = NormalMixture::of(statistics, Activation::Relu);
            let [_, rows, components, per_group] = mixture.location.dims();
            // The middle of the first component's share, then the middle of the last component's.
            let first = mixture.weights.clone().narrow(1, 0, 1) * 0.5;
            let last = mixture.weights.clone().narrow(1, components - 1, 1) * -0.5 + 1.0;
            for (component, choice) in [(0, first), (components - 1, last)] {
                let values = Tensor::zeros([BATCH, rows, 1, per_group], &device);
                let noise = TransitionNoise::Selected { values, choice };
                let step = model.step(latents.clone(), actions.clone(), Some(noise));
                let location = mixture.location.clone().narrow(2, component, 1).squeeze_dim(2);
                let expected = model.alignment().natural(location);
                assert_eq!(read(step.latents), read(expected), "component {component}");
            }
        }
    }

    #[test]
    fn states_that_predict_alike_are_drawn_alike_and_a_point_is_drawn_once() {
        for (density, lipschitz, model) in all_kinds() {
            let what = format!("{density:?}, Lipschitz {lipschitz}");
            let (latents, actions) = states();
            let twice = |x: Tensor<4>| x.narrow(0, 0, 1).repeat_dim(0, 2);
            let actions = actions.narrow(0, 0, 1).repeat_dim(0, 2);
            let mut rng = stream(7, Stream::Noise);
            let drawn = model.draws(twice(latents), actions, 4, &mut rng);
            let point = density == TransitionDensity::Deterministic;
            assert_eq!(drawn.len(), if point { 1 } else { 4 }, "{what}");
            for draw in &drawn {
                let values = read(draw.clone());
                let (first, second) = values.split_at(values.len() / 2);
                assert_eq!(first, second, "{what}");
            }
            if !point {
                assert_ne!(read(drawn[0].clone()), read(drawn[1].clone()), "{what}");
            }
        }
    }
}
