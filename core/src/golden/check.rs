//! Recomputes the quantities of a golden file and compares them.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Config, CostTarget, SoftMoeLayout};

use super::compare::{Check, GRADIENT_TOLERANCE, VALUE_TOLERANCE};
use super::file::{GoldenError, GoldenFile, Outputs, Setting, Summary};
use super::inputs::{filled_model, minibatch};
use super::names::Names;
use crate::algorithm::deep_spi::{Learner, LossTerms, gradient_penalty, objective};
use crate::data::minibatch::Minibatch;
use crate::model::Model;
use crate::ops::policy_objective::Mean;
use crate::params::{ParameterInfo, describe, flatten_grads, split};
use crate::read_floats;

/// Largest size of a gradient that is 0 in exact arithmetic, relative to the largest of all.
const ROUNDING_NOISE: f64 = 1e-6;

/// Recomputes one golden file on `device` (without autodiff) and compares every quantity in it.
///
/// # Errors
/// If the file describes another network, or the device fails. A mismatch is not an error.
pub async fn run(file: &GoldenFile, device: &Device) -> Result<Vec<Check>, GoldenError> {
    let config = file.setting.config()?;
    let (learner, parameters, batch) = prepared(file, &config, device)?;

    let terms = objective(learner.trainable(), &batch, &config);
    let mut checks = forward(&file.setting, &file.outputs, &terms).await?;
    checks.extend(networks(file, learner.trainable(), &batch, &terms).await?);
    let names = Names::new(&config);
    checks.extend(penalty(file, &names, learner.trainable(), &batch, &terms).await?);
    let grads = gradients(learner.trainable(), terms.total).await?;
    checks.push(norm(&grads, file.outputs.grad_global_norm));
    let of_rounding = &file.rounding_noise_gradients;
    let expected = precise(&file.grads, file.grads_f64.as_ref());
    checks.extend(compare(&names, "grad", &parameters, &grads, &expected, of_rounding)?);

    let (learner, _) = learner.update(&batch, &config, &[config.learning_rate]);
    let stepped = read_floats(learner.parameters().clone()).await?;
    let expected = &file.params_after_one_step;
    checks.extend(compare(&names, "after step", &parameters, &stepped, expected, &[])?);
    checks.extend(corrected(file, device).await?);
    Ok(checks)
}

/// The networks and the minibatch of a file.
fn prepared(
    file: &GoldenFile,
    config: &Config,
    device: &Device,
) -> Result<(Learner, Vec<ParameterInfo>, Minibatch), GoldenError> {
    let model = filled_model(&file.setting, config, device)?;
    let parameters = describe(&model);
    let learner = Learner::new(model, config);
    let world_model = &learner.trainable().world_model;
    let batch = minibatch(&file.setting, &file.transitions, config, world_model, device);
    Ok((learner, parameters, batch))
}

/// What the networks and losses give, except for what only some files have.
pub(super) async fn forward(
    setting: &Setting,
    file: &Outputs,
    terms: &LossTerms,
) -> Result<Vec<Check>, GoldenError> {
    let mut checks = vec![
        summary("z", terms.latents.clone(), &file.z).await?,
        summary("hidden", terms.state.hidden.clone(), &file.hidden).await?,
    ];
    for (name, found, expected) in [
        ("logits", read(terms.state.logits()).await?, &file.logits.concat()),
        ("value", read(terms.state.values()).await?, &file.value),
        ("entropy", read(terms.entropy.clone()).await?, &file.entropy),
    ] {
        checks.push(Check::values(name, &found, expected, VALUE_TOLERANCE));
    }
    for (name, found, expected) in [
        ("transition_loss", &terms.transition, &file.transition_loss),
        ("reward_loss", &terms.reward, &file.reward_loss),
    ] {
        let found = match found {
            Some(found) => read(found.clone()).await?,
            None => vec![0.0; setting.batch],
        };
        checks.push(Check::per_sample(name, &found, expected));
    }
    let means = read(terms.means.clone()).await?;
    let drift = if setting.drift_formulation { means[Mean::Drift as usize] } else { 0.0 };
    checks.push(Check::scalar("drift", drift, file.drift));
    checks.push(Check::scalar("loss", read(terms.total.clone()).await?[0], file.loss));
    for (name, found, expected) in [
        ("pg_loss", Mean::Policy, file.pg_loss),
        ("v_loss", Mean::Value, file.v_loss),
        ("entropy_mean", Mean::Entropy, file.entropy_mean),
        ("approx_kl", Mean::ApproxKl, file.approx_kl),
    ] {
        checks.push(Check::scalar(name, means[found as usize], expected));
    }
    Ok(checks)
}

/// Outputs of single networks, as far as the file has them.
async fn networks(
    file: &GoldenFile,
    model: &Model,
    batch: &Minibatch,
    terms: &LossTerms,
) -> Result<Vec<Check>, GoldenError> {
    let mut checks = Vec::new();
    let observations = batch.observations.clone().narrow(0, 0, file.setting.batch);
    if let Some((expected, found)) =
        file.encoder_logits.as_ref().zip(model.agent.latent_logits(observations.clone()))
    {
        checks.push(summary("encoder_logits", found, expected).await?);
    }
    if let Some((features, hidden)) = model.agent.critic_features(observations) {
        if let Some(expected) = &file.critic_z {
            checks.push(summary("critic_z", features, expected).await?);
        }
        if let Some(expected) = &file.critic_hidden {
            checks.push(summary("critic_hidden", hidden, expected).await?);
        }
    }
    if let Some(expected) = &file.outputs.z_classes {
        checks.push(classes("z_classes", terms.latents.clone(), expected).await?);
    }
    if let Some(expected) = &file.outputs.z_prime_classes {
        let next = batch.observations.clone().narrow(0, file.setting.batch, file.setting.batch);
        let both = Tensor::cat(vec![terms.latents.clone(), model.agent.encode(next)], 0);
        let aligned = model.world_model.alignment().targets(both, batch.dones.clone());
        let targets = model.world_model.alignment().natural(aligned);
        checks.push(classes("z_prime_classes", targets, expected).await?);
    }
    let Some(expected) = &file.world_model else {
        return Ok(checks);
    };
    let (latents, actions) = (terms.latents.clone(), batch.actions.clone());
    let world_model = &model.world_model;
    let reward = read(world_model.predict_reward(latents.clone(), actions.clone())).await?;
    checks.push(Check::values("reward", &reward, &expected.reward, VALUE_TOLERANCE));
    let statistics = world_model.predict(latents, actions);
    if let Some(expected) = &expected.weights {
        let found = read(statistics.weights.clone()).await?;
        checks.push(Check::values("weights", &found, &expected.concat(), VALUE_TOLERANCE));
    }
    if let Some(expected) = &expected.logits {
        let values = statistics.values.clone();
        checks.push(summary("transition_logits", values, expected).await?);
    }
    if batch.noise.is_some() {
        let sample = world_model.sample(statistics, batch.noise.clone());
        if let Some(expected) = &expected.sampled_classes {
            checks.push(classes("sampled_classes", sample.clone(), expected).await?);
        }
        if let Some(expected) = &expected.sample {
            checks.push(summary("sample", sample, expected).await?);
        }
    }
    Ok(checks)
}

/// The gradient penalty and its own gradient, if the file has them.
async fn penalty(
    file: &GoldenFile,
    names: &Names<'_>,
    model: &Model,
    batch: &Minibatch,
    terms: &LossTerms,
) -> Result<Vec<Check>, GoldenError> {
    let (Some(expected), Some(noise)) = (file.gradient_penalty, &batch.penalty) else {
        return Ok(Vec::new());
    };
    let size = file.setting.batch;
    let next = model.agent.encode(batch.observations.clone().narrow(0, size, size));
    let both = Tensor::cat(vec![terms.latents.clone(), next], 0);
    let alignment = model.world_model.alignment();
    let next = alignment.natural(alignment.targets(both, batch.dones.clone()));
    let (latents, actions) = (terms.latents.clone(), batch.actions.clone());
    let parts = gradient_penalty(model, latents, next, actions, noise);
    let [transition, reward] = parts.expect("a plain network");
    let all = transition.clone() + reward.clone();
    let mut checks = Vec::new();
    for (name, found, expected) in [
        ("gradient_penalty", all.clone(), Some(expected)),
        ("transition_gradient_penalty", transition, file.transition_gradient_penalty),
        ("reward_gradient_penalty", reward, file.reward_gradient_penalty),
    ] {
        if let Some(expected) = expected {
            checks.push(Check::scalar(name, read(found).await?[0], expected));
        }
    }
    if let Some(expected) = &file.gradient_penalty_grads {
        let parameters = describe(model);
        let grads = gradients(model, all).await?;
        // Only the world model learns from it.
        let mine = |p: &ParameterInfo| p.name.starts_with("world_model.");
        let others = split(&parameters, &grads).filter(|(p, _)| !mine(p));
        let largest = others.flat_map(|(_, values)| values).fold(0.0_f32, |m, x| m.max(x.abs()));
        checks.push(Check {
            quantity: "gradient of the penalty by the agent".to_owned(),
            error: largest.into(),
            tolerance: 0.0,
        });
        let checked = |name: &String| name.starts_with("world_model/");
        let expected: BTreeMap<String, Summary> = expected
            .iter()
            .filter(|(name, _)| checked(name))
            .map(|(name, summary)| (name.clone(), summary.clone()))
            .collect();
        let (parameters, grads): (Vec<_>, Vec<_>) = split(&parameters, &grads)
            .filter(|(p, _)| mine(p))
            .map(|(p, values)| (p.clone(), values.to_vec()))
            .unzip();
        let flat = crate::params::joined(grads);
        checks.extend(compare(names, "penalty grad", &parameters, &flat, &expected, &[])?);
    }
    Ok(checks)
}

/// The same minibatch without a defect of the authors' code, if the file has it.
async fn corrected(file: &GoldenFile, device: &Device) -> Result<Vec<Check>, GoldenError> {
    let config = file.setting.config()?;
    let mut checks = Vec::new();
    let (mut target, mut layout) = (config.clone(), config);
    target.world_model.cost_target = CostTarget::Next;
    layout.world_model.softmoe_layout = SoftMoeLayout::Corrected;
    for (config, expected) in
        [(target, &file.corrected_target_z_prime), (layout, &file.corrected_axis_order)]
    {
        let Some(expected) = expected else {
            continue;
        };
        let (learner, parameters, batch) = prepared(file, &config, device)?;
        let terms = objective(learner.trainable(), &batch, &config);
        for (name, found, expected) in [
            ("corrected transition_loss", &terms.transition, &expected.transition_loss),
            ("corrected reward_loss", &terms.reward, &expected.reward_loss),
        ] {
            let found = found.clone().expect("a file of the world model");
            checks.push(Check::per_sample(name, &read(found).await?, expected));
        }
        let means = read(terms.means.clone()).await?;
        let (loss, policy) = (means[Mean::Loss as usize], means[Mean::Policy as usize]);
        checks.push(Check::scalar("corrected loss", loss, expected.loss));
        checks.push(Check::scalar("corrected pg_loss", policy, expected.pg_loss));
        let grads = gradients(learner.trainable(), terms.total).await?;
        checks.push(norm(&grads, expected.grad_global_norm));
        let names = Names::new(&config);
        let noise = &file.rounding_noise_gradients;
        let expected = precise(&expected.grads, expected.grads_f64.as_ref());
        checks.extend(compare(&names, "corrected grad", &parameters, &grads, &expected, noise)?);
    }
    Ok(checks)
}

/// The gradients of a file, those that it also has with double precision from there.
fn precise(
    grads: &BTreeMap<String, Summary>,
    in_f64: Option<&BTreeMap<String, Summary>>,
) -> BTreeMap<String, Summary> {
    let mut all = grads.clone();
    all.extend(in_f64.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    all
}

pub(super) async fn gradients(model: &Model, loss: Tensor<1>) -> Result<Vec<f32>, crate::Error> {
    let mut grads = loss.backward();
    read_floats(flatten_grads(model, &mut grads)).await
}

pub(super) fn norm(grads: &[f32], expected: f64) -> Check {
    let norm = grads.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    Check::values("grad_global_norm", &[norm], &[expected], GRADIENT_TOLERANCE)
}

pub(super) async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, crate::Error> {
    Ok(read_floats(tensor.inner()).await?.into_iter().map(f64::from).collect())
}

pub(super) async fn summary<const D: usize>(
    name: &str,
    found: Tensor<D>,
    expected: &Summary,
) -> Result<Check, crate::Error> {
    let found = read_floats(found.inner()).await?;
    Ok(Check::summary(name, &found, expected, VALUE_TOLERANCE))
}

/// Compares one-hot classes `[B, 1, categories, classes]` with their numbers; no difference is allowed.
pub(super) async fn classes(
    name: &str,
    one_hot: Tensor<4>,
    expected: &[Vec<u32>],
) -> Result<Check, crate::Error> {
    let classes = one_hot.dims()[3];
    let found = read_floats(one_hot.inner()).await?;
    let found = found.chunks(classes).map(|row| row.iter().position(|x| *x > 0.5));
    let expected = expected.iter().flatten().map(|class| Some(*class as usize));
    Ok(Check {
        quantity: name.to_owned(),
        error: f64::from(u8::from(!found.eq(expected))),
        tolerance: 0.0,
    })
}

/// Compares each parameter's part of a flat vector with the file's fingerprints. Of the parameters in
/// `of_rounding` it only has to be tiny.
pub(super) fn compare(
    names: &Names,
    label: &str,
    parameters: &[ParameterInfo],
    flat: &[f32],
    expected: &BTreeMap<String, Summary>,
    of_rounding: &[String],
) -> Result<Vec<Check>, GoldenError> {
    let mut summaries = BTreeMap::new();
    for (name, summary) in expected {
        if let Some(local) = names.local(name)? {
            summaries.insert(local, (summary, of_rounding.contains(name)));
        }
    }
    let known: BTreeSet<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    if let Some(name) = summaries.keys().find(|name| !known.contains(name.as_str())) {
        return Err(GoldenError::UnknownParameter(name.clone()));
    }
    let largest = |values: &[f32]| values.iter().fold(0.0, |m, x| f64::from(x.abs()).max(m));
    let scale = largest(flat);
    split(parameters, flat)
        .map(|(parameter, values)| {
            let &(summary, is_rounding) = summaries
                .get(&parameter.name)
                .ok_or_else(|| GoldenError::MissingParameter(parameter.name.clone()))?;
            let quantity = format!("{label} {}", parameter.name);
            if is_rounding {
                let error = largest(values) / scale;
                return Ok(Check { quantity, error, tolerance: ROUNDING_NOISE });
            }
            Ok(Check::summary(&quantity, values, summary, GRADIENT_TOLERANCE))
        })
        .collect()
}
