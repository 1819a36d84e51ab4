//! Files of the world-model phase of DreamSPI, with and without a discriminator.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use deepspi_run::config::Config;
use serde::Deserialize;

use super::check::{classes, compare, forward, norm, read, summary};
use super::compare::{Check, VALUE_TOLERANCE};
use super::file::{GoldenError, Outputs, Setting, Summary, Transitions};
use super::inputs::{filled_model, minibatch, transition_noise};
use super::names::Names;
use crate::algorithm::deep_spi::{LossTerms, objective};
use crate::algorithm::dream_spi::{DreamLearner, Group, MaximiserTerms, maximiser_loss};
use crate::data::minibatch::Minibatch;
use crate::model::Model;
use crate::params::{ParameterInfo, describe, flatten_grads, joined, split};
use crate::read_floats;

/// A file of the world-model phase. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WorldModelFile {
    #[serde(flatten)]
    setting: Setting,
    #[serde(flatten)]
    transitions: Transitions,
    #[serde(flatten)]
    outputs: Outputs,
    z_prime: Summary,
    z_prime_sampled: Summary,
    reward_prediction: Vec<f64>,
    done_logit: Vec<f64>,
    done_probability: Vec<f64>,
    sampled_classes: Option<Vec<Vec<u32>>>,
    discriminator_true: Option<Vec<f64>>,
    discriminator_imagined: Option<Vec<f64>>,
    groups: BTreeMap<String, GroupValues>,
    groups_dyna_style: Option<BTreeMap<String, GroupValues>>,
    maximiser: Option<MaximiserValues>,
}

/// Gradients and step of one group.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct GroupValues {
    pub(super) grad_norm: f64,
    pub(super) grads: BTreeMap<String, Summary>,
    pub(super) params_after_one_step: Option<BTreeMap<String, Summary>>,
}

/// One step of the discriminator.
#[derive(Clone, Debug, Deserialize)]
struct MaximiserValues {
    loss: f64,
    z_prime_unmasked: Summary,
    z_prime_sampled: Summary,
    discriminator_true: Vec<f64>,
    discriminator_imagined: Vec<f64>,
    sampled_classes: Option<Vec<Vec<u32>>>,
    #[serde(flatten)]
    group: GroupValues,
}

/// The group with a name in a file.
pub(super) fn group(name: &str) -> Result<Group, GoldenError> {
    match name {
        "encoder" => Ok(Group::Encoder),
        "world_model" => Ok(Group::WorldModel),
        "actor" => Ok(Group::Actor),
        "critic" => Ok(Group::Critic),
        _ => Err(GoldenError::UnknownParameter(name.to_owned())),
    }
}

/// Compares every quantity of the file.
pub(super) async fn world_model_phase(
    file: &WorldModelFile,
    device: &Device,
) -> Result<Vec<Check>, GoldenError> {
    let setting = &file.setting;
    setting.check_lengths(&file.transitions, &file.outputs)?;
    let config = setting.dream_config()?;
    let learner = DreamLearner::new(filled_model(setting, &config, device)?, &config);
    let world_model = &learner.trainable().world_model;
    let batch = minibatch(setting, &file.transitions, &config, world_model, device);
    let terms = objective(learner.trainable(), &batch, &config);
    let mut checks = forward(setting, &file.outputs, &terms).await?;
    checks.extend(predictions(file, learner.trainable(), &batch, &terms).await?);

    let mut grads = terms.total.clone().backward();
    let grads = read_floats(flatten_grads(learner.trainable(), &mut grads)).await?;
    let parameters = describe(learner.trainable());
    // The authors' norm over everything does not see the discriminator.
    let all = part(&parameters, &grads, |group| group != Group::Maximiser);
    checks.push(norm(&all.1, file.outputs.grad_global_norm));
    let phases = [Some(&file.groups), file.groups_dyna_style.as_ref()];
    for groups in phases.into_iter().flatten() {
        let names: Vec<Group> = groups.keys().map(|name| group(name)).collect::<Result<_, _>>()?;
        let mut learner = learner.clone();
        let terms = objective(learner.trainable(), &batch, &config);
        let _ = learner.update(&terms.total, &config, &names);
        let stepped = read_floats(learner.parameters().clone()).await?;
        let names = Names::new(&config);
        for (name, expected) in groups {
            let of = group(name)?;
            checks.extend(group_checks(&names, name, of, &parameters, &grads, &stepped, expected)?);
        }
    }
    if let Some(expected) = &file.maximiser {
        checks.extend(maximiser(file, expected, learner, &config, device).await?);
    }
    Ok(checks)
}

/// The parameters of some groups, and their part of a flat vector.
fn part(
    parameters: &[ParameterInfo],
    flat: &[f32],
    chosen: impl Fn(Group) -> bool,
) -> (Vec<ParameterInfo>, Vec<f32>) {
    let (parameters, values): (Vec<_>, Vec<_>) = split(parameters, flat)
        .filter(|(parameter, _)| chosen(Group::of(&parameter.name)))
        .map(|(parameter, values)| (parameter.clone(), values.to_vec()))
        .unzip();
    (parameters, joined(values))
}

/// Norm, gradients and step of one group.
pub(super) fn group_checks(
    names: &Names,
    label: &str,
    of: Group,
    parameters: &[ParameterInfo],
    grads: &[f32],
    stepped: &[f32],
    expected: &GroupValues,
) -> Result<Vec<Check>, GoldenError> {
    let (own, grads) = part(parameters, grads, |group| group == of);
    let length = norm(&grads, expected.grad_norm);
    let mut checks = vec![Check { quantity: format!("{label} grad_norm"), ..length }];
    let label_of = |what: &str| format!("{label} {what}");
    checks.extend(compare(names, &label_of("grad"), &own, &grads, &expected.grads, &[])?);
    if let Some(expected) = &expected.params_after_one_step {
        let (own, stepped) = part(parameters, stepped, |group| group == of);
        checks.extend(compare(names, &label_of("after step"), &own, &stepped, expected, &[])?);
    }
    Ok(checks)
}

/// What the world model predicts.
async fn predictions(
    file: &WorldModelFile,
    model: &Model,
    batch: &Minibatch,
    terms: &LossTerms,
) -> Result<Vec<Check>, GoldenError> {
    let (size, world_model) = (file.setting.batch, &model.world_model);
    let next = model.agent.encode(batch.observations.clone().narrow(0, size, size));
    let both = Tensor::cat(vec![terms.latents.clone(), next], 0);
    let alignment = world_model.alignment();
    let next = alignment.natural(alignment.targets(both, batch.dones.clone()));
    let (latents, actions) = (terms.latents.clone(), batch.actions.clone());
    let sampled = world_model
        .sample(world_model.predict(latents.clone(), actions.clone()), batch.noise.clone());
    let predictor = world_model.done.as_ref().expect("DreamSPI predicts ends");
    let mut checks = vec![
        summary("z_prime", next.clone(), &file.z_prime).await?,
        summary("z_prime_sampled", sampled.clone(), &file.z_prime_sampled).await?,
    ];
    for (name, found, expected) in [
        (
            "reward_prediction",
            world_model.predict_reward(latents, actions),
            &file.reward_prediction,
        ),
        ("done_logit", predictor.logits(next.clone()), &file.done_logit),
        ("done_probability", predictor.probabilities(next.clone()), &file.done_probability),
    ] {
        checks.push(Check::values(name, &read(found).await?, expected, VALUE_TOLERANCE));
    }
    for (name, found, expected) in [
        ("z_classes", terms.latents.clone(), &file.outputs.z_classes),
        ("z_prime_classes", next.clone(), &file.outputs.z_prime_classes),
        ("sampled_classes", sampled.clone(), &file.sampled_classes),
    ] {
        if let Some(expected) = expected {
            checks.push(classes(name, found, expected).await?);
        }
    }
    if let Some(discriminator) = &model.discriminator {
        let judged = crate::world_model::discriminator::Judged {
            observations: crate::algorithm::deep_spi::seen_by(discriminator, batch),
            actions: batch.actions.clone(),
            latents: terms.latents.clone(),
        };
        for (name, next, expected) in [
            ("discriminator_true", next, &file.discriminator_true),
            ("discriminator_imagined", sampled, &file.discriminator_imagined),
        ] {
            let found = read(discriminator.judge(judged.clone(), next)).await?;
            let expected = expected.as_deref().unwrap_or_default();
            checks.push(Check::values(name, &found, expected, VALUE_TOLERANCE));
        }
    }
    Ok(checks)
}

/// One step of the discriminator.
async fn maximiser(
    file: &WorldModelFile,
    expected: &MaximiserValues,
    mut learner: DreamLearner,
    config: &Config,
    device: &Device,
) -> Result<Vec<Check>, GoldenError> {
    let setting = &file.setting;
    let plain = learner.plain();
    let on_inner = device.clone().inner();
    let mut batch = minibatch(setting, &file.transitions, config, &plain.world_model, &on_inner);
    batch = without_autodiff(batch);
    let noise = transition_noise(setting, 7008, config, &plain.world_model, &on_inner);
    batch.noise = Some(noise);
    let terms = |learner: &DreamLearner| {
        let terms = maximiser_loss(learner.trainable(), &plain, &batch, config);
        terms.expect("a file with a discriminator")
    };
    let MaximiserTerms { loss, next, imagined, of_true, of_imagined } = terms(&learner);
    let mut checks = vec![
        Check::scalar("maximiser loss", read(loss.clone()).await?[0], expected.loss),
        summary("maximiser z_prime_unmasked", next, &expected.z_prime_unmasked).await?,
        summary("maximiser z_prime_sampled", imagined.clone(), &expected.z_prime_sampled).await?,
    ];
    if let Some(expected) = &expected.sampled_classes {
        checks.push(classes("maximiser sampled_classes", imagined, expected).await?);
    }
    for (name, found, expected) in [
        ("maximiser discriminator_true", of_true, &expected.discriminator_true),
        ("maximiser discriminator_imagined", of_imagined, &expected.discriminator_imagined),
    ] {
        checks.push(Check::values(name, &read(found).await?, expected, VALUE_TOLERANCE));
    }
    let mut grads = loss.backward();
    let grads = read_floats(flatten_grads(learner.trainable(), &mut grads)).await?;
    let parameters = describe(learner.trainable());
    // Each backward pass consumes its graph.
    let loss = terms(&learner).loss;
    let _ = learner.update(&loss, config, &[Group::Maximiser]);
    let stepped = read_floats(learner.parameters().clone()).await?;
    let (names, of) = (Names::new(config), Group::Maximiser);
    checks.extend(group_checks(
        &names,
        "maximiser",
        of,
        &parameters,
        &grads,
        &stepped,
        &expected.group,
    )?);
    Ok(checks)
}

/// The same minibatch on the device without autodiff.
fn without_autodiff(batch: Minibatch) -> Minibatch {
    Minibatch {
        observations: batch.observations.inner(),
        sharing: None,
        actions: batch.actions.inner(),
        targets: batch.targets.inner(),
        rewards: batch.rewards.inner(),
        dones: batch.dones.inner(),
        noise: None,
        penalty: None,
        ends: batch.ends.map(Tensor::inner),
    }
}
