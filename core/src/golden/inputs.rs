//! The model and the minibatch of a golden file, made again from its seeds.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::config::{Config, GradientPenalty, TransitionDensity};

use super::file::{Fill, GoldenError, Setting, Transitions};
use super::fill;
use super::names::Names;
use crate::data::minibatch::{Minibatch, Targets, vector};
use crate::model::Model;
use crate::nn::StartVector;
use crate::ops::mixture::SampleNoise;
use crate::params::{describe, joined, unflatten};
use crate::world_model::density::ClassNoise;
use crate::world_model::penalty::{Between, PenaltyNoise};
use crate::world_model::{TransitionNoise, WorldModel};

/// The model with the parameters of a file, without autodiff.
pub(super) fn filled_model(
    setting: &Setting,
    config: &Config,
    device: &Device,
) -> Result<Model, GoldenError> {
    let offset = setting.seed_offset;
    let start = StartVector::new(move |len| fill::start_vector(offset, len));
    let model = Model::with_start_vector(&setting.spec(), config, start, device);
    fill_module(&setting.params, config, model, device)
}

/// A module with the parameters that `fills` describe, without autodiff.
pub(super) fn fill_module<M: Module>(
    fills: &[Fill],
    config: &Config,
    module: M,
    device: &Device,
) -> Result<M, GoldenError> {
    let names = Names::new(config);
    let mut given = BTreeMap::new();
    for fill in fills {
        if let Some(name) = names.local(&fill.name)? {
            given.insert(name, fill);
        }
    }
    let mut values = Vec::new();
    for parameter in describe(&module) {
        let fill = given
            .remove(&parameter.name)
            .ok_or_else(|| GoldenError::MissingParameter(parameter.name.clone()))?;
        if !is_merged(&fill.shape, &parameter.shape) {
            return Err(GoldenError::Shape {
                name: fill.name.clone(),
                found: fill.shape.clone(),
                expected: parameter.shape,
            });
        }
        let (low, high) = (fill.offset - fill.bound, fill.offset + fill.bound);
        values.push(fill::fill(fill.seed, parameter.len(), low, high));
    }
    if let Some((_, fill)) = given.pop_first() {
        return Err(GoldenError::UnknownParameter(fill.name.clone()));
    }
    let flat = vector(joined(values), device);
    Ok(unflatten(module, &flat, false))
}

/// Whether neighbouring axes of the authors' shape can be merged to give the shape here: they keep the
/// heads of an attention apart, for example. The order of the numbers is then the same.
fn is_merged(theirs: &[usize], ours: &[usize]) -> bool {
    let mut axes = theirs.iter().peekable();
    for &size in ours {
        let mut product = 1;
        while product < size {
            match axes.next() {
                Some(axis) => product *= axis,
                None => return false,
            }
        }
        if product != size {
            return false;
        }
    }
    axes.all(|axis| *axis == 1)
}

/// The minibatch of a file, on the autodiff device.
pub(super) fn minibatch(
    setting: &Setting,
    transitions: &Transitions,
    config: &Config,
    world_model: &WorldModel,
    device: &Device,
) -> Minibatch {
    let spec = setting.spec();
    let lifted = device.clone().autodiff();
    let with_next = config.uses_world_model();
    let is_sampled = with_next && (world_model.loss_is_sampled() || config.has_discriminator());
    Minibatch {
        observations: fill::frames(&spec, setting.batch, setting.seed_offset, with_next, &lifted),
        sharing: None,
        actions: fill::actions(setting.actions, transitions.first, setting.batch, &lifted),
        targets: Targets {
            log_probs: transitions.old_logprob.clone(),
            advantages: transitions.advantage.clone(),
            returns: transitions.returns.clone(),
            actions: (transitions.first..transitions.first + setting.batch)
                .map(|i| (i % setting.actions) as u32)
                .collect(),
        }
        .upload(&lifted),
        rewards: vector(transitions.reward.clone(), &lifted),
        dones: vector(transitions.done.clone(), &lifted),
        noise: is_sampled.then(|| noise(setting, config, world_model, &lifted)),
        penalty: config
            .has_gradient_penalty()
            .then(|| penalty(setting, config, world_model, &lifted)),
        ends: config
            .has_done_predictor()
            .then_some(transitions.next_done.clone())
            .flatten()
            .map(|ends| vector(ends, &lifted)),
    }
}

/// The noise of the transition sample.
fn noise(
    setting: &Setting,
    config: &Config,
    world_model: &WorldModel,
    device: &Device,
) -> TransitionNoise {
    transition_noise(setting, 7002, config, world_model, device)
}

/// The noise of a transition sample from a stream.
pub(super) fn transition_noise(
    setting: &Setting,
    stream: u64,
    config: &Config,
    world_model: &WorldModel,
    device: &Device,
) -> TransitionNoise {
    let [height, width, channels] = world_model.latent().shape();
    if config.world_model.transition_density == TransitionDensity::Categorical {
        let shape = [setting.batch, width, channels];
        let uniform: Tensor<3> = fill::uniforms(setting.seed_offset + stream, shape, device);
        return TransitionNoise::Classes(ClassNoise::Given(uniform.log().neg().log().neg()));
    }
    let shape = [setting.batch, world_model.components(), height, width, channels];
    let natural = fill::noise(setting.seed_offset + stream, shape, device);
    let values = world_model.alignment().align_components(natural);
    TransitionNoise::Averaged(SampleNoise::Given(values))
}

/// The random numbers of the gradient penalty.
fn penalty(
    setting: &Setting,
    config: &Config,
    world_model: &WorldModel,
    device: &Device,
) -> PenaltyNoise {
    let (seed, batch) = (setting.seed_offset, setting.batch);
    let [height, width, channels] = world_model.latent().shape();
    let shape = [batch, world_model.components(), height, width, channels];
    let normal = |stream| {
        let natural = fill::free_noise(seed + stream, shape, device);
        world_model.alignment().align_components(natural)
    };
    let is_between = config.world_model.gradient_penalty == GradientPenalty::Wgan;
    let between = is_between.then(|| Between {
        imagined: normal(7002),
        actions: [7003, 7004].map(|stream| {
            let uniform: Tensor<2> =
                fill::uniforms(seed + stream, [batch, setting.actions], device);
            uniform.log().neg().log().neg()
        }),
        shares: [7005, 7006]
            .map(|stream| vector(fill::fill(seed + stream, batch, 0.0, 1.0), device)),
    });
    PenaltyNoise { sample: normal(7007), between }
}
