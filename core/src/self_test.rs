//! One fixed update on a device, compared with the CPU before training is allowed.
//!
//! Some driver and kernel faults give plausible but wrong numbers and no error
//! (tracel-ai/burn#5257, tracel-ai/cubecl#1641). This test is the only defence against them and
//! must run before every training on a GPU.

use burn::tensor::Device;
use deepspi_run::config::{Config, TransitionDensity};
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::rng::{Stream, stream};

use crate::algorithm::deep_spi::{Learner, draw_noise, model_losses, objective};
use crate::data::minibatch::{Minibatch, Targets, vector};
use crate::golden::fill;
use crate::model::Model;
use crate::ops::noise::{Bound, CounterNoise};
use crate::params::{ParameterInfo, describe, flatten_grads, split};
use crate::read_floats;

/// Largest relative difference accepted, in Euclidean norm: for losses, for the gradient of each
/// parameter and for the parameters after the step.
pub const TOLERANCE: f64 = 5e-3;
/// Quantities below this size are compared absolutely.
const NEGLIGIBLE: f64 = 1e-5;
/// Samples of the fixed minibatch.
const BATCH: usize = 8;

/// One compared quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Name of the quantity.
    pub quantity: String,
    /// Norm on the device under test.
    pub device: f64,
    /// Norm on the CPU.
    pub reference: f64,
    /// Norm of the difference divided by the norm on the CPU.
    pub error: f64,
}

impl Comparison {
    /// Whether the difference is acceptable; false for NaN.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.error <= TOLERANCE
    }
}

/// Runs the fixed update on `device` and on the CPU.
///
/// # Errors
/// If a device fails.
pub async fn run(
    config: &Config,
    spec: &NetworkSpec,
    device: &Device,
) -> Result<Vec<Comparison>, crate::Error> {
    let (found, expected) = (
        fixed_update(config, spec, device).await?,
        fixed_update(config, spec, &Device::flex()).await?,
    );
    let norm = |values: &[f32]| values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let compare = |(quantity, device): (String, Vec<f32>), reference: Vec<f32>| {
        let difference: Vec<f32> = device.iter().zip(&reference).map(|(a, b)| a - b).collect();
        let (difference, size) = (norm(&difference), norm(&reference));
        let error = if difference == 0.0 { 0.0 } else { difference / size.max(NEGLIGIBLE) };
        Comparison { quantity, device: norm(&device), reference: size, error }
    };
    let references = expected.into_iter().map(|(_, values)| values);
    Ok(found
        .into_iter()
        .zip(references)
        .map(|(found, reference)| compare(found, reference))
        .collect())
}

/// Losses, the gradient of each parameter, and all parameters after the step.
async fn fixed_update(
    config: &Config,
    spec: &NetworkSpec,
    device: &Device,
) -> Result<Vec<(String, Vec<f32>)>, crate::Error> {
    let learner = Learner::new(Model::new(spec, config, device), config);
    let lifted = device.clone().autodiff();
    let batch = fixed_minibatch(&learner, spec, config, BATCH, &lifted);
    let mut grads = objective(learner.trainable(), &batch, config).total.backward();
    let grads = read_floats(flatten_grads(learner.trainable(), &mut grads)).await?;
    let parameters = describe(learner.trainable());
    let world_model = world_model_alone(learner.trainable(), &batch, &parameters).await?;
    let imagined = imagined_step(learner.trainable(), &batch, config, &lifted).await?;
    let (learner, pending) = learner.update(&batch, config, &[config.learning_rate]);
    let metrics = pending.read().await?;
    let after = read_floats(learner.parameters().clone()).await?;
    let [moment_1, moment_2] = learner.optimiser.moments();
    // The update computes its noise inside another kernel, which draws the same numbers.
    let noise = CounterNoise { key: [1, 2], bound: Bound::Clipped, common: false };
    let noise = noise.values([2, 3, 4, 5], device);
    let mut quantities: Vec<(String, Vec<f32>)> =
        metrics.iter().map(|(name, value)| (name.to_owned(), vec![value])).collect();
    for (parameter, values) in split(&parameters, &grads) {
        quantities.push((format!("gradient of {}", parameter.name), values.to_vec()));
    }
    quantities.extend(world_model);
    quantities.extend(imagined);
    quantities.push(("parameters after the step".to_owned(), after));
    quantities.push(("first moments".to_owned(), read_floats(moment_1).await?));
    quantities.push(("second moments".to_owned(), read_floats(moment_2).await?));
    quantities.push(("noise".to_owned(), read_floats(noise).await?));
    Ok(quantities)
}

/// The prediction of the world model, and the gradients of l_P alone: in the whole objective both are too
/// small a part to be noticed. Nothing without a world model.
async fn world_model_alone(
    model: &Model,
    batch: &Minibatch,
    parameters: &[ParameterInfo],
) -> Result<Vec<(String, Vec<f32>)>, crate::Error> {
    let Some((transition, _)) = model_losses(model, batch) else {
        return Ok(Vec::new());
    };
    let samples = batch.actions.dims()[0];
    let latents = model.agent.encode(batch.observations.clone().narrow(0, 0, samples));
    let prediction = model.world_model.predict(latents, batch.actions.clone());
    let mut quantities = vec![
        ("predicted statistics".to_owned(), read_floats(prediction.values.inner()).await?),
        ("predicted weights".to_owned(), read_floats(prediction.weights.inner()).await?),
    ];
    let mut grads = transition.sum().backward();
    let grads = read_floats(flatten_grads(model, &mut grads)).await?;
    for (parameter, values) in split(parameters, &grads) {
        quantities.push((format!("gradient of l_P by {}", parameter.name), values.to_vec()));
    }
    Ok(quantities)
}

/// One imagined step, if the algorithm learns from imagined steps. Categorical latents are left out: a draw
/// between two classes that are almost equal may differ between devices that are both right.
async fn imagined_step(
    model: &Model,
    batch: &Minibatch,
    config: &Config,
    lifted: &Device,
) -> Result<Vec<(String, Vec<f32>)>, crate::Error> {
    let is_categorical = config.world_model.transition_density == TransitionDensity::Categorical;
    if !config.is_dream() || is_categorical {
        return Ok(Vec::new());
    }
    let samples = batch.actions.dims()[0];
    let latents = model.agent.encode(batch.observations.clone().narrow(0, 0, samples));
    let mut rng = stream(config.seed, Stream::Noise);
    let noise = model.world_model.sample_noise(samples, &mut rng, lifted);
    let step = model.world_model.step(latents, batch.actions.clone(), noise);
    let output = model.agent.act(step.latents.clone());
    Ok(vec![
        ("imagined rewards".to_owned(), read_floats(step.rewards.inner()).await?),
        ("imagined continuation".to_owned(), read_floats(step.continuation.inner()).await?),
        ("imagined logits".to_owned(), read_floats(output.logits().inner()).await?),
        ("imagined values".to_owned(), read_floats(output.values().inner()).await?),
        ("imagined latents".to_owned(), read_floats(step.latents.inner()).await?),
    ])
}

/// A minibatch of `batch` samples that is the same on every device, on the autodiff device `lifted`.
#[must_use]
pub fn fixed_minibatch(
    learner: &Learner,
    spec: &NetworkSpec,
    config: &Config,
    batch: usize,
    lifted: &Device,
) -> Minibatch {
    let log_prob = -(spec.actions as f64).ln();
    let mut rng = stream(config.seed, Stream::Noise);
    Minibatch {
        observations: fill::frames(spec, batch, 0, config.uses_world_model(), lifted),
        sharing: None,
        actions: fill::actions(spec.actions, 0, batch, lifted),
        targets: Targets {
            log_probs: fill::fill(6, batch, log_prob - 0.3, log_prob + 0.3),
            advantages: fill::fill(4, batch, -2.0, 2.0),
            returns: fill::fill(5, batch, -1.0, 3.0),
            actions: (0..batch as u32).map(|i| i % spec.actions as u32).collect(),
        }
        .upload(lifted),
        rewards: vector(fill::fill(3, batch, -1.0, 1.0), lifted),
        dones: vector((0..batch).map(|i| f32::from(u8::from(i % 4 == 0))).collect(), lifted),
        noise: draw_noise(learner.trainable(), config, batch, &mut rng, lifted),
        penalty: None,
        ends: None,
    }
}
