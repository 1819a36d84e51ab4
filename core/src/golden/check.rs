//! Recomputes the quantities of a golden file and compares them.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor};

use super::file::{GoldenError, GoldenFile, PerSample, Summary, local_name};
use super::fill;
use crate::algorithm::deep_spi::{Learner, objective};
use crate::data::minibatch::{Minibatch, Targets, vector};
use crate::model::Model;
use crate::nn::StartVector;
use crate::ops::mixture::SampleNoise;
use crate::ops::policy_objective::Mean;
use crate::params::{ParameterInfo, describe, flatten_grads, joined, split};
use crate::read_floats;
use crate::world_model::TransitionNoise;

/// Relative tolerance of losses, latents and logits.
const VALUE_TOLERANCE: f64 = 1e-4;
/// Relative tolerance of gradients and of parameters after one step.
const GRADIENT_TOLERANCE: f64 = 1e-3;

/// One compared quantity.
#[derive(Clone, Debug)]
pub struct Check {
    /// Name of the quantity.
    pub quantity: String,
    /// Largest relative error over its entries. The error of an entry is divided by the entry or by
    /// the root mean square of its tensor, whichever is larger, because entries near 0 have no
    /// accurate relative digits.
    pub error: f64,
    /// Largest error allowed.
    pub tolerance: f64,
}

impl Check {
    /// Whether the error is within the tolerance; false for NaN.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.error <= self.tolerance
    }

    fn scalar(quantity: &str, found: f64, expected: f64) -> Self {
        Self::values(quantity, &[found], &[expected], VALUE_TOLERANCE)
    }

    fn values(quantity: &str, found: &[f64], expected: &[f64], tolerance: f64) -> Self {
        let square: f64 = expected.iter().map(|x| x * x).sum();
        let typical = (square / expected.len().max(1) as f64).sqrt();
        let pairs = found.iter().zip(expected).map(|(a, b)| (*a, *b, typical));
        Self { quantity: quantity.to_owned(), error: worst(pairs), tolerance }
    }

    fn per_sample(quantity: &str, found: &[f64], expected: &PerSample) -> Self {
        match expected {
            PerSample::Values(expected) => Self::values(quantity, found, expected, VALUE_TOLERANCE),
            PerSample::Scalar(expected) => {
                let mean = found.iter().sum::<f64>() / found.len().max(1) as f64;
                Self::scalar(quantity, mean, *expected)
            }
        }
    }

    fn summary(quantity: &str, found: &[f32], expected: &Summary, tolerance: f64) -> Self {
        let values = || found.iter().map(|x| f64::from(*x));
        let l2 = values().map(|x| x * x).sum::<f64>().sqrt();
        let typical = expected.l2 / (found.len() as f64).sqrt();
        let at = |i: usize| found.get(i).map_or(f64::NAN, |x| f64::from(*x));
        let entries = expected.at.iter().map(|&(i, value)| (at(i), value, typical));
        // The error of a sum is divided by the size of its mean entry. Division by the sum itself
        // would compare rounding noise with rounding noise where entries cancel: the gradients of
        // softmax logits sum to exactly 0.
        let count = found.len() as f64;
        let mean = values().sum::<f64>() / count;
        let totals = [(mean, expected.sum / count, typical), (l2, expected.l2, expected.l2)];
        Self { quantity: quantity.to_owned(), error: worst(entries.chain(totals)), tolerance }
    }
}

/// The largest `|found - expected| / max(|expected|, typical)`; infinite if a value is not finite.
fn worst(triples: impl Iterator<Item = (f64, f64, f64)>) -> f64 {
    triples.fold(0.0, |worst, (found, expected, typical)| {
        let difference = (found - expected).abs();
        let error = if difference == 0.0 { 0.0 } else { difference / expected.abs().max(typical) };
        if error.is_finite() { worst.max(error) } else { f64::INFINITY }
    })
}

/// Recomputes one golden file on `device` (without autodiff) and compares every quantity in it.
///
/// # Errors
/// If the file describes another network, or the device fails. A mismatch is not an error.
pub async fn run(file: &GoldenFile, device: &Device) -> Result<Vec<Check>, GoldenError> {
    let config = file.config()?;
    let model = filled_model(file, device)?;
    let parameters = describe(&model);
    let learner = Learner::new(model, &config);
    let batch = minibatch(file, &learner, device)?;

    let terms = objective(learner.trainable(), &batch, &config);
    let mut checks = vec![
        Check::summary(
            "z",
            &read_floats(terms.latents.clone().inner()).await?,
            &file.z,
            VALUE_TOLERANCE,
        ),
        Check::summary(
            "hidden",
            &read_floats(terms.state.hidden.clone().inner()).await?,
            &file.hidden,
            VALUE_TOLERANCE,
        ),
    ];
    let logits: Vec<f64> = file.logits.concat();
    checks.push(Check::values(
        "logits",
        &read(terms.state.logits()).await?,
        &logits,
        VALUE_TOLERANCE,
    ));
    checks.push(Check::values(
        "value",
        &read(terms.state.values()).await?,
        &file.value,
        VALUE_TOLERANCE,
    ));
    checks.push(Check::values(
        "entropy",
        &read(terms.entropy.clone()).await?,
        &file.entropy,
        VALUE_TOLERANCE,
    ));
    for (name, found, expected) in [
        ("transition_loss", &terms.transition, &file.transition_loss),
        ("reward_loss", &terms.reward, &file.reward_loss),
    ] {
        let found = match found {
            Some(found) => read(found.clone()).await?,
            None => vec![0.0; file.batch],
        };
        checks.push(Check::per_sample(name, &found, expected));
    }
    let means = read(terms.means.clone()).await?;
    let drift = if file.drift_formulation { means[Mean::Drift as usize] } else { 0.0 };
    checks.push(Check::scalar("drift", drift, file.drift));
    for (name, found, expected) in [
        ("loss", Mean::Loss, file.loss),
        ("pg_loss", Mean::Policy, file.pg_loss),
        ("v_loss", Mean::Value, file.v_loss),
        ("entropy_mean", Mean::Entropy, file.entropy_mean),
        ("approx_kl", Mean::ApproxKl, file.approx_kl),
    ] {
        checks.push(Check::scalar(name, means[found as usize], expected));
    }

    let mut grads = terms.total.backward();
    let grads = read_floats(flatten_grads(learner.trainable(), &mut grads)).await?;
    let norm = grads.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    checks.push(Check::values(
        "grad_global_norm",
        &[norm],
        &[file.grad_global_norm],
        GRADIENT_TOLERANCE,
    ));
    checks.extend(compare("grad", &parameters, &grads, &file.grads)?);

    let (learner, _) = learner.update(&batch, &config, &[file.learning_rate_at_step_0]);
    let stepped = read_floats(learner.parameters().clone()).await?;
    checks.extend(compare("after step", &parameters, &stepped, &file.params_after_one_step)?);
    Ok(checks)
}

async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, crate::Error> {
    Ok(read_floats(tensor.inner()).await?.into_iter().map(f64::from).collect())
}

fn filled_model(file: &GoldenFile, device: &Device) -> Result<Model, GoldenError> {
    let config = file.config()?;
    let offset = file.seed_offset;
    let start = StartVector::new(move |len| fill::start_vector(offset, len));
    let model = Model::with_start_vector(&file.spec(), &config, start, device);
    let mut given = BTreeMap::new();
    for fill in &file.params {
        if let Some(name) = local_name(&fill.name)? {
            given.insert(name, fill);
        }
    }
    let mut values = Vec::new();
    for parameter in describe(&model) {
        let fill = given
            .remove(&parameter.name)
            .ok_or_else(|| GoldenError::MissingParameter(parameter.name.clone()))?;
        if fill.shape != parameter.shape {
            return Err(GoldenError::Shape {
                name: fill.name.clone(),
                found: fill.shape.clone(),
                expected: parameter.shape,
            });
        }
        values.push(fill::fill(fill.seed, parameter.len(), -fill.bound, fill.bound));
    }
    if let Some((_, fill)) = given.pop_first() {
        return Err(GoldenError::UnknownParameter(fill.name.clone()));
    }
    let flat = vector(joined(values), device);
    Ok(crate::params::unflatten(model, &flat, false))
}

fn minibatch(
    file: &GoldenFile,
    learner: &Learner,
    device: &Device,
) -> Result<Minibatch, GoldenError> {
    let (config, spec) = (file.config()?, file.spec());
    let lifted = device.clone().autodiff();
    let [height, width, channels] = spec.latent();
    let world_model = &learner.trainable().world_model;
    let with_next = config.uses_world_model();
    let noise = (with_next && world_model.loss_is_sampled()).then(|| {
        let shape = [file.batch, world_model.components(), height, width, channels];
        let natural = fill::noise(file.seed_offset, shape, &lifted);
        let values = world_model.alignment().align_components(natural);
        TransitionNoise::Averaged(SampleNoise::Given(values))
    });
    Ok(Minibatch {
        observations: fill::frames(&spec, file.batch, file.seed_offset, with_next, &lifted),
        sharing: None,
        actions: fill::actions(file.actions, file.batch, &lifted),
        targets: Targets {
            log_probs: file.old_logprob.clone(),
            advantages: file.advantage.clone(),
            returns: file.returns.clone(),
            actions: (0..file.batch as u32).map(|i| i % file.actions as u32).collect(),
        }
        .upload(&lifted),
        rewards: vector(file.reward.clone(), &lifted),
        dones: vector(file.done.clone(), &lifted),
        noise,
    })
}

/// Compares each parameter's part of a flat vector with the file's fingerprints.
fn compare(
    label: &str,
    parameters: &[ParameterInfo],
    flat: &[f32],
    expected: &BTreeMap<String, Summary>,
) -> Result<Vec<Check>, GoldenError> {
    let mut summaries = BTreeMap::new();
    for (name, summary) in expected {
        if let Some(local) = local_name(name)? {
            summaries.insert(local, summary);
        }
    }
    let known: BTreeSet<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    if let Some(name) = summaries.keys().find(|name| !known.contains(name.as_str())) {
        return Err(GoldenError::UnknownParameter(name.clone()));
    }
    split(parameters, flat)
        .map(|(parameter, values)| {
            let summary = summaries
                .get(&parameter.name)
                .ok_or_else(|| GoldenError::MissingParameter(parameter.name.clone()))?;
            Ok(Check::summary(
                &format!("{label} {}", parameter.name),
                values,
                summary,
                GRADIENT_TOLERANCE,
            ))
        })
        .collect()
}
