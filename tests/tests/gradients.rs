//! Compares the gradient of the complete loss with finite differences, in every variant of the
//! world model and of the objective, because the golden files cover only some of them.
//!
//! Rounding of f32 hides errors of single entries, so derivatives along directions are compared.
//! For each parameter tensor there are three: along its own gradient (which tests its length),
//! along a random half of the gradient (which tests all of its parts), and a random direction
//! (which tests parts whose gradient is missing and which are therefore not in the other two). ReLU
//! and GroupSort have kinks, at which a finite difference is not a derivative. Therefore the change
//! of the loss over a short segment is compared with the mean of the gradient on this segment; the
//! two are equal with kinks as well.

use burn::tensor::{Device, Tensor, TensorData};
use deepspi_core::algorithm::deep_spi::{draw_noise, draw_penalty_noise, objective};
use deepspi_core::data::minibatch::{Minibatch, Targets, vector};
use deepspi_core::model::Model;
use deepspi_core::params::{ParameterInfo, describe, flatten, flatten_grads, split, unflatten};
use deepspi_core::world_model::density::NormalMixture;
use deepspi_run::config::{
    Activation, Algorithm, CategoricalCost, CategoricalNetwork, Config, GradientPenalty,
    LatentDistance, MixtureLayout, Objective, SpectralMode, TransitionDensity, ValueLoss,
    WorldModelConfig,
};
use deepspi_worlds::rng::{Stream, stream};
use rand::RngExt;
use tests::{ACTIONS, dot, floats, norm, spec, uniform};

/// Samples of the minibatch.
const BATCH: usize = 6;
/// Largest error of a slope, relative to the length of the tensor's gradient.
const TOLERANCE: f64 = 0.01;
/// Number of points of the segment at which the gradient is computed; the larger one is for
/// segments across the kink of the clip.
const PARTS: [i32; 2] = [5, 60];

/// A loss as a function of the parameters, and the parameters around which it is tested.
struct Problem {
    config: Config,
    batch: Minibatch,
    model: Model,
    parameters: Vec<ParameterInfo>,
    at: Vec<f32>,
}

impl Problem {
    fn new(config: &Config) -> Self {
        // Large coefficients, so that every term is visible in the loss.
        let mut config = config.clone();
        config.world_model.reward_loss_coef = 0.5;
        config.world_model.transition_loss_coef = 0.1;
        let mut rng = stream(11, Stream::Shuffle);
        let model = Model::new(&spec(), &config, &Device::flex());
        // Initial biases are 0, so a missing bias would not be noticed; initial logits are so small
        // that the policy's gradient hardly reaches the trunk.
        let mut at = floats(flatten(&model));
        for x in &mut at {
            *x += 0.05 * rng.random_range(-1.0..1.0);
        }
        let batch = minibatch(&config, &model);
        Self { parameters: describe(&model), config, batch, model, at }
    }

    fn model(&self, direction: &[f32], step: f64) -> Model {
        let moved = self.at.iter().zip(direction).map(|(x, d)| x + step as f32 * d).collect();
        unflatten(self.model.clone(), &vector(moved, &Device::flex()), true)
    }

    /// The loss at `at + step * direction`.
    fn loss(&self, direction: &[f32], step: f64) -> f64 {
        let model = self.model(direction, step);
        f64::from(floats(objective(&model, &self.batch, &self.config).total.inner())[0])
    }

    /// The gradient at `at + step * direction`.
    fn gradient(&self, direction: &[f32], step: f64) -> Vec<f32> {
        let model = self.model(direction, step);
        let mut grads = objective(&model, &self.batch, &self.config).total.backward();
        floats(flatten_grads(&model, &mut grads))
    }

    /// Slope of the loss between `-step` and `step` along the unit vector `direction`.
    fn slope(&self, direction: &[f32], step: f64) -> f64 {
        (self.loss(direction, step) - self.loss(direction, -step)) / (2.0 * step)
    }

    /// The slope that the gradient predicts: its mean at the midpoints of equal parts of the
    /// segment.
    fn claimed(&self, direction: &[f32], step: f64, parts: i32) -> f64 {
        let middles = (0..parts).map(|i| step * (f64::from(2 * i + 1) / f64::from(parts) - 1.0));
        let sum: f64 = middles.map(|step| dot(&self.gradient(direction, step), direction)).sum();
        sum / f64::from(parts)
    }

    /// Every chosen tensor whose gradient, multiplied by `factor`, disagrees with the loss.
    fn wrong(&self, chosen: impl Fn(&str) -> bool, factor: f64) -> Vec<String> {
        let mut rng = stream(5, Stream::Actions);
        let mut wrong = Vec::new();
        let gradient = self.gradient(&vec![0.0; self.at.len()], 0.0);
        let mut offset = 0;
        for parameter in &self.parameters {
            let range = offset..offset + parameter.len();
            offset += parameter.padded_len();
            if !chosen(&parameter.name) {
                continue;
            }
            let own = &gradient[range.clone()];
            let size = norm(own);
            if size == 0.0 {
                wrong.push(format!("{}: the gradient is 0", parameter.name));
                continue;
            }
            let half: Vec<f32> =
                own.iter().map(|x| if rng.random::<bool>() { *x } else { 0.0 }).collect();
            let random = uniform(&mut rng, own.len());
            for (what, values) in [("all", own), ("half", &half), ("random", &random)] {
                let length = norm(values);
                if length == 0.0 {
                    continue;
                }
                let mut direction = vec![0.0; self.at.len()];
                for (d, x) in direction[range.clone()].iter_mut().zip(values) {
                    *d = (f64::from(*x) / length) as f32;
                }
                // A short step that changes the loss far more than rounding does.
                let step = (5e-3 / size).min(2e-2);
                let found = self.slope(&direction, step);
                let fits = |claimed: f64| (found - claimed).abs() / size <= TOLERANCE;
                let claims =
                    PARTS.iter().map(|&parts| factor * self.claimed(&direction, step, parts));
                let mut last = f64::NAN;
                if !claims.inspect(|claimed| last = *claimed).any(fits) {
                    wrong.push(format!(
                        "{} ({what}): slope {found:.4e}, gradient {last:.4e}, length {size:.1e}",
                        parameter.name
                    ));
                }
            }
        }
        wrong
    }
}

fn minibatch(config: &Config, model: &Model) -> Minibatch {
    let device = Device::flex().autodiff();
    let mut rng = stream(3, Stream::Noise);
    let frame = spec().frame;
    let images = if config.uses_world_model() { 2 * BATCH } else { BATCH };
    let pixels: Vec<f32> = (0..images * frame.len()).map(|_| rng.random_range(0.0..1.0)).collect();
    let shape = [images, frame.height, frame.width, frame.channels];
    let mut actions = vec![0.0; BATCH * ACTIONS];
    for (i, row) in actions.chunks_mut(ACTIONS).enumerate() {
        row[i % ACTIONS] = 1.0;
    }
    let mut values =
        |low: f32, high: f32| (0..BATCH).map(|_| rng.random_range(low..high)).collect::<Vec<f32>>();
    let (log_probs, advantages) = (values(-1.3, -0.9), values(-2.0, 2.0));
    let (returns, rewards) = (values(-1.0, 3.0), vector(values(-1.0, 1.0), &device));
    let chosen = (0..BATCH as u32).map(|i| i % ACTIONS as u32).collect();
    let dones = vector((0..BATCH).map(|i| f32::from(u8::from(i == 4))).collect(), &device);
    let noise = draw_noise(model, config, BATCH, &mut stream(9, Stream::Noise), &device);
    Minibatch {
        observations: Tensor::from_data(TensorData::new(pixels, shape), &device),
        sharing: None,
        actions: Tensor::from_data(TensorData::new(actions, [BATCH, ACTIONS]), &device),
        targets: Targets { log_probs, advantages, returns, actions: chosen }.upload(&device),
        rewards,
        dones,
        noise,
        penalty: draw_penalty_noise(
            model,
            config,
            [BATCH, ACTIONS],
            &mut stream(10, Stream::Noise),
            &device,
        ),
        ends: config
            .has_done_predictor()
            .then(|| vector((0..BATCH).map(|i| (i % 2) as f32).collect(), &device)),
    }
}

fn must_be_exact(config: &Config) {
    must_be_exact_in(config, |_| true);
}

/// Only of the parameters with the chosen names.
fn must_be_exact_in(config: &Config, chosen: impl Fn(&str) -> bool) {
    config.validate().expect("a configuration that is accepted");
    let wrong = Problem::new(config).wrong(chosen, 1.0);
    assert!(wrong.is_empty(), "these gradients are not the slope of the loss: {wrong:#?}");
}

/// The configuration of the free world model with the given density and layout.
fn with(world_model: WorldModelConfig) -> Config {
    Config { world_model, ..Config::default() }
}

fn free(transition_density: TransitionDensity, mixture_layout: MixtureLayout) -> Config {
    with(WorldModelConfig {
        lipschitz_nets: false,
        transition_density,
        mixture_layout,
        ..WorldModelConfig::DEFAULT
    })
}

#[test]
fn lipschitz_mixture_parity() {
    must_be_exact(&Config::default());
}

#[test]
fn lipschitz_mixture_exact() {
    let spectral_mode = SpectralMode::Exact;
    must_be_exact(&with(WorldModelConfig { spectral_mode, ..WorldModelConfig::DEFAULT }));
}

#[test]
fn lipschitz_normal() {
    let transition_density = TransitionDensity::Normal;
    must_be_exact(&with(WorldModelConfig { transition_density, ..WorldModelConfig::DEFAULT }));
}

#[test]
fn lipschitz_deterministic() {
    let transition_density = TransitionDensity::Deterministic;
    must_be_exact(&with(WorldModelConfig { transition_density, ..WorldModelConfig::DEFAULT }));
}

#[test]
fn free_mixture_in_both_layouts() {
    must_be_exact(&free(TransitionDensity::MixtureNormal, MixtureLayout::Corrected));
    must_be_exact(&free(TransitionDensity::MixtureNormal, MixtureLayout::Parity));
}

#[test]
fn free_normal_and_deterministic() {
    must_be_exact(&free(TransitionDensity::Normal, MixtureLayout::Corrected));
    must_be_exact(&free(TransitionDensity::Deterministic, MixtureLayout::Corrected));
}

#[test]
fn euclidean_distance_with_every_kind_of_density() {
    let euclidean = |mut config: Config| {
        config.world_model.latent_distance = LatentDistance::Euclidean;
        config
    };
    must_be_exact(&euclidean(Config { gamma: 0.9, ..Config::default() }.certify()));
    must_be_exact(&euclidean(Config::default()));
    must_be_exact(&euclidean(free(TransitionDensity::MixtureNormal, MixtureLayout::Corrected)));
    must_be_exact(&euclidean(free(TransitionDensity::Deterministic, MixtureLayout::Corrected)));
}

#[test]
fn hubers_value_loss() {
    must_be_exact(&Config { value_loss: ValueLoss::Huber, ..Config::default() });
}

/// One option on the default networks.
fn option(set: impl Fn(&mut Config)) -> Config {
    let mut config = Config::default();
    set(&mut config);
    config
}

#[test]
fn options_of_the_agents_networks() {
    must_be_exact(&option(|c| {
        (c.networks.use_layer_norm, c.networks.layer_norm_cnn_output) = (true, true);
    }));
    must_be_exact(&option(|c| c.networks.hadamard_representation = true));
    must_be_exact(&option(|c| c.networks.dreamer_architecture = true));
    must_be_exact(&option(|c| c.networks.decoupled_repr = true));
    must_be_exact(&option(|c| {
        c.networks.hadamard_representation = true;
        c.networks.dreamer_architecture = true;
        c.networks.use_layer_norm = true;
        c.networks.decoupled_repr = true;
        c.networks.activation = Activation::Silu;
    }));
}

#[test]
fn every_activation_with_every_plain_network() {
    for activation in Activation::ALL {
        for grouped in [true, false] {
            let mut config = free(TransitionDensity::MixtureNormal, MixtureLayout::Corrected);
            config.networks.activation = activation;
            config.world_model.use_feature_group = grouped;
            must_be_exact(&config);
        }
    }
}

#[test]
fn networks_without_feature_groups() {
    let without = |mut config: Config| {
        config.world_model.use_feature_group = false;
        config
    };
    must_be_exact(&without(Config::default()));
    must_be_exact(&without(free(TransitionDensity::MixtureNormal, MixtureLayout::Parity)));
    must_be_exact(&without(free(TransitionDensity::Normal, MixtureLayout::Corrected)));
    must_be_exact(&without(free(TransitionDensity::Deterministic, MixtureLayout::Corrected)));
}

#[test]
fn batch_means_and_the_done_predictor() {
    must_be_exact(&option(|c| c.deep_spi.piecewise_auxiliary_ratio = false));
    must_be_exact(&option(|c| c.world_model.done_predictor = true));
}

/// Only the world model learns from a penalty. With ReLU the slope of a network jumps, so that the
/// penalty has no derivative there; the other activations are smooth.
#[test]
fn gradient_penalties() {
    for penalty in GradientPenalty::ALL {
        for (density, grouped, layout) in [
            (TransitionDensity::MixtureNormal, true, MixtureLayout::Corrected),
            (TransitionDensity::MixtureNormal, true, MixtureLayout::Parity),
            (TransitionDensity::MixtureNormal, false, MixtureLayout::Corrected),
            (TransitionDensity::MixtureNormal, false, MixtureLayout::Parity),
            (TransitionDensity::Normal, true, MixtureLayout::Corrected),
            (TransitionDensity::Deterministic, false, MixtureLayout::Corrected),
        ] {
            let mut config = free(density, layout);
            config.networks.activation = Activation::Silu;
            config.world_model.use_feature_group = grouped;
            config.world_model.lambda_gp = 0.3;
            config.world_model.gradient_penalty = penalty;
            // The imagined latent at which WGAN-GP takes the slope is a constant for the gradient, but
            // not for the loss: only parameters that do not move it can be compared.
            let is_wgan = penalty == GradientPenalty::Wgan;
            must_be_exact_in(&config, |name| {
                let part = if is_wgan { "world_model.reward" } else { "world_model." };
                name.starts_with(part)
            });
        }
    }
}

/// With cross-entropy and Jensen-Shannon no class is drawn, so that the loss is differentiable in the
/// parameters of the world model. The gradient of the encoder goes straight through its classes and is
/// the slope of nothing; the golden files fix it.
#[test]
fn networks_of_categorical_latents() {
    for network in CategoricalNetwork::ALL {
        for cost in [CategoricalCost::CrossEntropy, CategoricalCost::JensenShannon] {
            let config = option(|c| {
                c.world_model.transition_density = TransitionDensity::Categorical;
                (c.networks.n_cat, c.networks.n_cls) = (4, 5);
                c.world_model.categorical_network = network;
                c.world_model.categorical_cost = cost;
                c.world_model.use_feature_group = false;
                c.networks.use_layer_norm = true;
                c.networks.use_attention = network == CategoricalNetwork::Transformer;
            });
            // A softmax does not see what is added to all of its inputs; and of the loss, rounded to
            // single precision, too little changes with the factors of a soft mixture's tokens.
            let has_no_effect = |name: &str| {
                name.ends_with("key.bias")
                    || name.ends_with("upscale")
                    || network == CategoricalNetwork::Conv
                        && ["world_model.transition.bias", "world_model.transition.second.bias"]
                            .contains(&name)
            };
            must_be_exact_in(&config, |name| {
                let is_after_classes = name.starts_with("world_model.")
                    || name.starts_with("agent.trunk")
                    || name.starts_with("agent.actor");
                is_after_classes && !has_no_effect(name)
            });
        }
    }
}

#[test]
fn deep_mdp() {
    must_be_exact(&Config { algo: Algorithm::DeepMdp, ..Config::default() });
}

#[test]
fn drift_with_another_coefficient_than_the_clip() {
    must_be_exact(&Config { objective: Objective::Drift, drift_coef: 2.5, ..Config::default() });
}

#[test]
fn ppo_trains_the_agent_and_nothing_else() {
    let problem = Problem::new(&Config { algo: Algorithm::Ppo, ..Config::default() });
    let wrong = problem.wrong(|name| name.starts_with("agent."), 1.0);
    assert!(wrong.is_empty(), "these gradients are not the slope of the loss: {wrong:#?}");
    let gradient = problem.gradient(&problem.at, 0.0);
    let world =
        split(&problem.parameters, &gradient).filter(|(p, _)| p.name.starts_with("world_model."));
    for (parameter, values) in world {
        assert!(
            norm(values) == 0.0,
            "{} must have no gradient without auxiliary losses",
            parameter.name
        );
    }
}

#[test]
fn a_wrong_gradient_is_noticed() {
    let problem = Problem::new(&Config::default());
    for name in ["agent.encoder.0.kernel", "world_model.transition.first.kernel"] {
        let wrong = problem.wrong(|other| other == name, 1.03);
        assert!(!wrong.is_empty(), "3 % of error in the gradient of {name} must not pass");
    }
}

/// l_P of one sample with one latent dimension: smooth-L1 of the expected distance.
fn expected_distance_loss(location: f32, scale: f32, target: f32) -> f64 {
    let scalar =
        |x: f32| Tensor::<4>::from_data(TensorData::new(vec![x], [1, 1, 1, 1]), &Device::flex());
    let weights = Tensor::ones([1, 1], &Device::flex());
    let (location, scale) = (scalar(location), scalar(scale));
    let mixture = NormalMixture { location, scale, weights };
    f64::from(floats(mixture.loss(scalar(target).squeeze_dim(3), LatentDistance::SmoothL1))[0])
}

#[test]
fn expected_distance_is_the_integral() {
    let mut rng = stream(2, Stream::Noise);
    for values in uniform(&mut rng, 3 * 200).chunks_exact(3) {
        let (location, target) = (2.0 * values[0], 2.0 * values[1]);
        let scale = 10.0_f32.powf(values[2] * 1.5);
        let (mean, deviation, point) = (f64::from(location), f64::from(scale), f64::from(target));
        // The trapezium rule over +-10 standard deviations.
        let (count, width) = (20_000, 20.0 / 20_000.0);
        let integral: f64 = (0..=count)
            .map(|i| {
                let u = f64::from(i) * width - 10.0;
                let density = (-0.5 * u * u).exp() / (2.0 * std::f64::consts::PI).sqrt();
                width * density * (mean + deviation * u - point).abs()
            })
            .sum();
        let expected = if integral < 1.0 { 0.5 * integral * integral } else { integral - 0.5 };
        let found = expected_distance_loss(location, scale, target);
        assert!(
            (found - expected).abs() < 1e-4 * expected.max(1e-2),
            "E|X - {target}| for X ~ N({location}, {scale}^2) is {integral}, so the loss is {expected}, not {found}"
        );
    }
}
