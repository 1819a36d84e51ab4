//! The gradient of the whole loss against finite differences, in every variant of the world model and
//! of the objective: the golden files cover only some of them.
//!
//! Single entries drown in the rounding of f32, so derivatives along directions are compared: for each
//! parameter tensor along its own gradient (its length), along a random half of it (every part of it),
//! and at random (a part whose gradient is missing would be no part of the other two). ReLU and
//! GroupSort have kinks, and a step across one is no slope; therefore the change of the loss over a
//! short way is compared with the mean of the gradient on that way, which holds with kinks as well.

use burn::tensor::{Device, Tensor, TensorData};
use deepspi_core::loss::{Draw, TransitionNoise, transition_loss};
use deepspi_core::nn::{Model, TransitionOutput};
use deepspi_core::params::{ParameterInfo, describe, flatten, flatten_grads, split, unflatten};
use deepspi_core::{
    algorithm::deep_spi::{noise_shape, objective},
    data::minibatch::{Minibatch, vector},
};
use deepspi_run::config::{
    Algorithm, Config, LatentDistance, MixtureLayout, Objective, SpectralMode, TransitionDensity,
};
use deepspi_worlds::rng::{Stream, stream};
use rand::RngExt;
use tests::{ACTIONS, dot, floats, norm, spec, uniform};

/// Samples of the minibatch.
const BATCH: usize = 6;
/// Largest error of a slope, relative to the length of the tensor's gradient.
const TOLERANCE: f64 = 0.01;
/// Points at which the gradient is taken on a way; more where the clip, a large kink, lies on it.
const PARTS: [i32; 2] = [5, 60];

/// A loss around given parameters.
struct Problem {
    config: Config,
    batch: Minibatch,
    model: Model,
    parameters: Vec<ParameterInfo>,
    at: Vec<f32>,
}

impl Problem {
    fn new(config: &Config) -> Self {
        // Large coefficients, so that no term drowns in another.
        let config = Config { reward_loss_coef: 0.5, transition_loss_coef: 0.1, ..config.clone() };
        let mut rng = stream(11, Stream::Shuffle);
        let model = Model::new(&spec(), &config, &Device::flex());
        // Initial biases are 0, where nothing depends on whether they are added; initial logits are
        // so small that the policy's gradient hardly reaches the trunk.
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

    /// The gradient there.
    fn gradient(&self, direction: &[f32], step: f64) -> Vec<f32> {
        let model = self.model(direction, step);
        let mut grads = objective(&model, &self.batch, &self.config).total.backward();
        floats(flatten_grads(&model, &mut grads))
    }

    /// Slope of the loss between `-step` and `step` along the unit vector `direction`.
    fn slope(&self, direction: &[f32], step: f64) -> f64 {
        (self.loss(direction, step) - self.loss(direction, -step)) / (2.0 * step)
    }

    /// The slope that the gradient claims: its mean at the middles of equal parts of the way.
    fn claimed(&self, direction: &[f32], step: f64, parts: i32) -> f64 {
        let middles = (0..parts).map(|i| step * (f64::from(2 * i + 1) / f64::from(parts) - 1.0));
        let sum: f64 = middles.map(|step| dot(&self.gradient(direction, step), direction)).sum();
        sum / f64::from(parts)
    }

    /// Every chosen tensor whose gradient, times `factor`, disagrees with the loss.
    fn wrong(&self, chosen: impl Fn(&str) -> bool, factor: f64) -> Vec<String> {
        let mut rng = stream(5, Stream::Actions);
        let mut wrong = Vec::new();
        let gradient = self.gradient(&vec![0.0; self.at.len()], 0.0);
        let mut offset = 0;
        for parameter in &self.parameters {
            let range = offset..offset + parameter.len();
            offset = range.end;
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
                // A change of the loss far above its rounding, by a short way.
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
    let mut values = |low: f32, high: f32| {
        vector((0..BATCH).map(|_| rng.random_range(low..high)).collect(), &device)
    };
    let (log_probs, advantages) = (values(-1.3, -0.9), values(-2.0, 2.0));
    let (returns, rewards) = (values(-1.0, 3.0), values(-1.0, 1.0));
    let dones = vector((0..BATCH).map(|i| f32::from(u8::from(i == 4))).collect(), &device);
    let noise = noise_shape(model, config, BATCH).map(|shape| {
        TransitionNoise::draw(
            config.transition_density,
            shape,
            &mut stream(9, Stream::Noise),
            &device,
        )
    });
    Minibatch {
        observations: Tensor::from_data(TensorData::new(pixels, shape), &device),
        sharing: None,
        actions: Tensor::from_data(TensorData::new(actions, [BATCH, ACTIONS]), &device),
        log_probs,
        advantages,
        returns,
        rewards,
        dones,
        noise,
    }
}

fn must_be_exact(config: &Config) {
    let wrong = Problem::new(config).wrong(|_| true, 1.0);
    assert!(wrong.is_empty(), "these gradients are not the slope of the loss: {wrong:#?}");
}

/// The free world model with one density and layout.
fn free(transition_density: TransitionDensity, mixture_layout: MixtureLayout) -> Config {
    Config { lipschitz_nets: false, transition_density, mixture_layout, ..Config::default() }
}

#[test]
fn lipschitz_mixture_parity() {
    must_be_exact(&Config::default());
}

#[test]
fn lipschitz_mixture_exact() {
    must_be_exact(&Config { spectral_mode: SpectralMode::Exact, ..Config::default() });
}

#[test]
fn lipschitz_normal() {
    must_be_exact(&Config { transition_density: TransitionDensity::Normal, ..Config::default() });
}

#[test]
fn lipschitz_deterministic() {
    must_be_exact(&Config {
        transition_density: TransitionDensity::Deterministic,
        ..Config::default()
    });
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
    let euclidean = |config| Config { latent_distance: LatentDistance::Euclidean, ..config };
    must_be_exact(&euclidean(Config { gamma: 0.9, ..Config::default() }.certify()));
    must_be_exact(&euclidean(Config::default()));
    must_be_exact(&euclidean(free(TransitionDensity::MixtureNormal, MixtureLayout::Corrected)));
    must_be_exact(&euclidean(free(TransitionDensity::Deterministic, MixtureLayout::Corrected)));
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

/// l_P of one sample with one latent dimension, which is smooth-L1 of the expected distance.
fn expected_distance_loss(location: f32, scale: f32, target: f32) -> f64 {
    let scalar =
        |x: f32| Tensor::<4>::from_data(TensorData::new(vec![x], [1, 1, 1, 1]), &Device::flex());
    let weights = Tensor::ones([1, 1], &Device::flex());
    let (location, scale) = (scalar(location), scalar(scale));
    let output = TransitionOutput::Free { location, scale, weights };
    let draw = Draw { rows: None, noise: None, distance: LatentDistance::SmoothL1 };
    f64::from(floats(transition_loss(output, scalar(target).squeeze_dim(3), draw))[0])
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
