//! In `exact` mode the world model must be 1-Lipschitz for all parameters: Lemma 1 of the paper
//! depends on it. Random pairs of points are rarely near the worst case, so each map is also
//! searched for its steepest direction.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use deepspi_core::data::minibatch::vector;
use deepspi_core::model::Model;
use deepspi_core::nn::{Spectral, StartVector, group_sort};
use deepspi_core::ops::conv::{ConvGeometry, conv2d};
use deepspi_core::ops::mixture::SampleNoise;
use deepspi_core::params::{flatten, unflatten};
use deepspi_core::world_model::{Statistics, TransitionNoise};
use deepspi_run::config::{Config, SpectralMode, TransitionDensity, WorldModelConfig};
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::rng::{Stream, stream};
use proptest::prelude::*;
use rand::Rng;
use tests::{ACTIONS, floats, norm, spec, uniform};

/// Excess over 1 that rounding in f32 may cause.
const SLACK: f64 = 1e-4;

fn row(values: Vec<f32>, device: &Device) -> Tensor<2> {
    let shape = [1, values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn unit(values: &[f32], length: f64) -> Vec<f32> {
    let factor = length / norm(values).max(1e-30);
    values.iter().map(|x| (f64::from(*x) * factor) as f32).collect()
}

/// The largest `|f(x) - f(y)| / |x - y|` that was found for a map of `[1, len]`: at random points,
/// and along the steepest direction at a point (by power iteration on the derivative there).
fn steepness(f: impl Fn(Tensor<2>) -> Tensor<2>, len: usize, rng: &mut impl Rng) -> f64 {
    let plain = Device::flex();
    let ratio = |x: &[f32], y: &[f32]| {
        let difference = floats(f(row(x.to_vec(), &plain)) - f(row(y.to_vec(), &plain)));
        let distance: Vec<f32> = x.iter().zip(y).map(|(x, y)| x - y).collect();
        norm(&difference) / norm(&distance)
    };
    let plus = |x: &[f32], d: &[f32]| -> Vec<f32> { x.iter().zip(d).map(|(x, d)| x + d).collect() };
    let mut worst = 0.0_f64;
    for _ in 0..4 {
        worst = worst.max(ratio(&uniform(rng, len), &uniform(rng, len)));
    }
    let x = uniform(rng, len);
    let mut direction = unit(&uniform(rng, len), 0.1);
    for _ in 0..16 {
        let minus: Vec<f32> = direction.iter().map(|d| -d).collect();
        let (ahead, behind) = (plus(&x, &direction), plus(&x, &minus));
        worst = worst.max(ratio(&ahead, &behind));
        let rise = f(row(ahead, &plain)) - f(row(behind, &plain));
        let input = row(x.clone(), &Device::flex().autodiff()).require_grad();
        let rise = Tensor::<2>::from_data(rise.into_data(), &input.device());
        let grads = (f(input.clone()) * rise).sum().backward();
        match input.grad(&grads) {
            Some(gradient) => direction = unit(&floats(gradient), 0.1),
            None => break,
        }
    }
    worst
}

fn spectral(mode: SpectralMode) -> Spectral {
    Spectral { mode, start: StartVector::constant() }
}

fn kernel<const D: usize>(rng: &mut impl Rng, shape: [usize; D], scale: f32) -> Tensor<D> {
    let values = uniform(rng, shape.iter().product()).into_iter().map(|x| scale * x).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

/// A copy of the tensor on the device of `like`, which may record gradients.
fn beside<const D: usize, const E: usize>(tensor: &Tensor<D>, like: &Tensor<E>) -> Tensor<D> {
    Tensor::from_data(tensor.clone().into_data(), &like.device())
}

/// The world model of the small networks, with parameters drawn from `[-scale, scale]`.
fn model(density: TransitionDensity, spec: &NetworkSpec, scale: f32, rng: &mut impl Rng) -> Model {
    let spectral_mode = SpectralMode::Exact;
    let world_model = WorldModelConfig {
        transition_density: density,
        spectral_mode,
        ..WorldModelConfig::DEFAULT
    };
    let config = Config { world_model, ..Config::default() };
    let model = Model::new(spec, &config, &Device::flex());
    let count = floats(flatten(&model)).len();
    let values = uniform(rng, count).into_iter().map(|x| scale * x).collect();
    unflatten(model, &vector(values, &Device::flex()), false)
}

/// A copy of `model` on the device of `like`.
fn model_beside(model: &Model, like: &Tensor<2>) -> Model {
    model.clone().to_device(&like.device())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dense_layers(seed: u64, power in -1.0_f32..1.0, inputs in 1_usize..24, outputs in 1_usize..24) {
        let mut rng = stream(seed, Stream::Parameters);
        let raw = kernel(&mut rng, [inputs, outputs], 10.0_f32.powf(power));
        let kernel = spectral(SpectralMode::Exact).dense(raw);
        let found = steepness(|x| { let k = beside(&kernel, &x); x.matmul(k) }, inputs, &mut rng);
        prop_assert!(found <= 1.0 + SLACK, "a dense layer of {inputs} to {outputs} stretches by {found}");
    }

    #[test]
    fn convolutions(seed: u64, power in -1.0_f32..1.0, channels in 1_usize..4, outputs in 1_usize..6) {
        let mut rng = stream(seed, Stream::Parameters);
        let raw = kernel(&mut rng, [2, 2, channels, outputs], 10.0_f32.powf(power));
        let kernel = spectral(SpectralMode::Exact).conv(raw, 1);
        let (side, geometry) = (5, ConvGeometry { stride: 1, pad_end: 1 });
        let map = |x: Tensor<2>| {
            let kernel = beside(&kernel, &x);
            let bias = Tensor::zeros([outputs], &x.device());
            conv2d(x.reshape([1, side, side, channels]), kernel, bias, geometry).flatten::<2>(1, 3)
        };
        let found = steepness(map, side * side * channels, &mut rng);
        prop_assert!(found <= 1.0 + SLACK, "a convolution of {channels} to {outputs} stretches by {found}");
    }

    #[test]
    fn group_sort_keeps_distances(seed: u64, len in 1_usize..20) {
        let mut rng = stream(seed, Stream::Parameters);
        let found = steepness(group_sort, len, &mut rng);
        prop_assert!(found <= 1.0 + SLACK, "GroupSort of {len} values stretches by {found}");
        let x = uniform(&mut rng, len);
        let sorted = floats(group_sort(row(x.clone(), &Device::flex())));
        prop_assert!((norm(&sorted) - norm(&x)).abs() < 1e-5, "GroupSort must only reorder {x:?}, not {sorted:?}");
    }

    #[test]
    fn the_reward_network(seed: u64, power in -1.0_f32..1.0, action in 0..ACTIONS) {
        let mut rng = stream(seed, Stream::Parameters);
        let spec = spec();
        let model = model(TransitionDensity::MixtureNormal, &spec, 10.0_f32.powf(power), &mut rng);
        let [h, w, c] = spec.latent();
        let map = |x: Tensor<2>| {
            let network = model_beside(&model, &x).world_model;
            let chosen = one_hot(action, ACTIONS, &x.device());
            network.predict_reward(x.reshape([1, h, w, c]), chosen).unsqueeze_dim(1)
        };
        let found = steepness(map, spec.latent_len(), &mut rng);
        prop_assert!(found <= 1.0 + SLACK, "the reward network stretches by {found}");
    }

    #[test]
    fn every_component_of_the_transition_network(
        seed: u64, power in -1.0_f32..1.0, action in 0..ACTIONS, mixture: bool
    ) {
        let mut rng = stream(seed, Stream::Parameters);
        let spec = spec();
        let density = if mixture { TransitionDensity::MixtureNormal } else { TransitionDensity::Deterministic };
        let model = model(density, &spec, 10.0_f32.powf(power), &mut rng);
        let [h, w, c] = spec.latent();
        let components = model.world_model.components();
        for component in 0..components {
            let [rows, latents] = model.world_model.alignment().shape();
            let shape = [1, rows, components, latents];
            let noise = uniform(&mut rng, shape.iter().product());
            let map = |x: Tensor<2>| {
                let network = model_beside(&model, &x).world_model;
                let device = x.device();
                let chosen = one_hot(action, ACTIONS, &device);
                let Statistics { values, .. } = network.predict(x.reshape([1, h, w, c]), chosen);
                let noise = Tensor::from_data(TensorData::new(noise.clone(), shape), &device);
                let only = Statistics { values, weights: one_hot(component, components, &device) };
                let noise = TransitionNoise::Averaged(SampleNoise::Given(noise));
                network.sample(only, Some(noise)).flatten::<2>(1, 3)
            };
            let found = steepness(map, spec.latent_len(), &mut rng);
            prop_assert!(found <= 1.0 + SLACK, "component {component} of {density:?} stretches by {found}");
        }
    }
}

fn one_hot(index: usize, len: usize, device: &Device) -> Tensor<2> {
    row((0..len).map(|i| f32::from(u8::from(i == index))).collect(), device)
}

#[test]
fn parity_mode_is_not_lipschitz() {
    // The estimate of parity mode approaches the square of the norm, so the normalised kernel of a
    // small one is too large. The search above must find this; otherwise it could not find a
    // violation in exact mode either.
    let mut rng = stream(4, Stream::Parameters);
    for (scale, expected) in [(0.02, 2.0), (0.002, 20.0)] {
        let raw = kernel(&mut rng, [12, 12], scale);
        let kernel = spectral(SpectralMode::Parity).dense(raw);
        let found = steepness(
            |x| {
                let k = beside(&kernel, &x);
                x.matmul(k)
            },
            12,
            &mut rng,
        );
        assert!(
            found > expected,
            "a parity layer with entries up to {scale} should stretch by more than {expected}, not {found}"
        );
    }
}

#[test]
fn exact_layers_are_nearly_as_steep_as_allowed() {
    // A normalisation with a divisor that is far too large would satisfy every bound above.
    let mut rng = stream(4, Stream::Parameters);
    let kernel = spectral(SpectralMode::Exact).dense(kernel(&mut rng, [24, 24], 0.3));
    let found = steepness(
        |x| {
            let k = beside(&kernel, &x);
            x.matmul(k)
        },
        24,
        &mut rng,
    );
    assert!(
        found > 0.95,
        "the steepest direction of an exact layer should keep its length, not {found}"
    );
}
