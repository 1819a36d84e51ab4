//! Files of DreamSPI's imagination and of its actor-critic phase.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use deepspi_run::config::{Config, DreamMode, ImaginedEnds};
use serde::Deserialize;

use super::check::{compare, norm, read};
use super::compare::{Check, GRADIENT_TOLERANCE, VALUE_TOLERANCE};
use super::dream::{GroupValues, group, group_checks};
use super::file::{GoldenError, Setting, Summary, Transitions};
use super::fill;
use super::inputs::{filled_model, minibatch};
use super::names::Names;
use crate::algorithm::deep_spi::objective;
use crate::algorithm::dream_spi::imagination::{Dream, DreamedStep, Ends, StepNoise};
use crate::algorithm::dream_spi::{DreamLearner, Group, imagined_objective};
use crate::data::minibatch::Targets;
use crate::model::Model;
use crate::ops::mixture::SampleNoise;
use crate::ops::policy_objective::Mean;
use crate::params::{describe, flatten_grads, split};
use crate::read_floats;
use crate::world_model::TransitionNoise;

/// Imagined steps with hard and soft ends. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ImaginationFile {
    #[serde(flatten)]
    setting: Setting,
    #[serde(rename = "H")]
    horizon: usize,
    z_start: Summary,
    steps: Steps,
    z_after: Summary,
    done_after: Vec<f64>,
    next_value: Vec<f64>,
    advantages: Vec<Vec<f64>>,
    returns: Vec<Vec<f64>>,
    soft_done: SoftDone,
}

/// The same with soft ends.
#[derive(Clone, Debug, Deserialize)]
struct SoftDone {
    #[serde(flatten)]
    steps: Steps,
    z_after: Summary,
    next_value: Vec<f64>,
    advantages: Vec<Vec<f64>>,
    returns: Vec<Vec<f64>>,
}

/// `[H][B]` each.
#[derive(Clone, Debug, Deserialize)]
struct Steps {
    action: Vec<Vec<usize>>,
    logprob: Vec<Vec<f64>>,
    value: Vec<Vec<f64>>,
    reward: Vec<Vec<f64>>,
    done: Vec<Vec<f64>>,
    done_probability: Vec<Vec<f64>>,
    z_prime: Vec<Summary>,
}

/// The rollout of an imagination file, with its noise.
fn dream(setting: &Setting, model: &Model, horizon: usize, soft: bool, device: &Device) -> Dream {
    let (seed, batch, actions) = (setting.seed_offset, setting.batch, setting.actions);
    let [height, width, channels] = model.world_model.latent().shape();
    let components = model.world_model.components();
    let start = fill::fill(seed + 7013, batch * height * width * channels, -0.4, 0.4);
    let start = TensorData::new(start, [batch, height, width, channels]);
    let start = Tensor::<4>::from_data(start, device).clamp_min(0.0);
    let latents = [horizon, batch * components, height, width, channels];
    let latents = fill::noise(seed + 7010, latents, device);
    let uniform: Tensor<3> = fill::uniforms(seed + 7011, [horizon, batch, actions], device);
    let gumbel = uniform.log().neg().log().neg();
    let ends: Tensor<2> = fill::uniforms(seed + 7012, [horizon, batch], device);
    let ends = (ends.clone() / (-ends + 1.0)).log();
    let noise = |t: usize| {
        let natural = latents.clone().narrow(0, t, 1);
        let natural = natural.reshape([batch, components, height, width, channels]);
        let values = model.world_model.alignment().align_components(natural);
        StepNoise {
            actions: gumbel.clone().narrow(0, t, 1).squeeze_dim(0),
            transition: Some(TransitionNoise::Averaged(SampleNoise::Given(values))),
            ends: ends.clone().narrow(0, t, 1).squeeze_dim(0),
        }
    };
    Dream::from(model, start, horizon, Ends { soft, form: ImaginedEnds::Corrected }, noise)
}

/// Compares every quantity of an imagination file.
pub(super) async fn imagination(
    file: &ImaginationFile,
    device: &Device,
) -> Result<Vec<Check>, GoldenError> {
    let config = file.setting.dream_config()?;
    let model = filled_model(&file.setting, &config, device)?;
    let hard = dream(&file.setting, &model, file.horizon, false, device);
    let mut checks =
        vec![summary_of("z_start", hard.steps[0].latents.clone(), &file.z_start).await?];
    checks.extend(steps("", &hard, &file.steps).await?);
    let last = &hard.steps[hard.steps.len() - 1];
    checks.push(summary_of("z_after", last.next.clone(), &file.z_after).await?);
    checks.push(exact("done_after", &floats(last.ends.clone()).await?, &file.done_after));
    let expected = [&file.advantages, &file.returns];
    checks.extend(targets("", &hard, &file.next_value, expected, &config).await?);

    let soft = dream(&file.setting, &model, file.horizon, true, device);
    let expected = &file.soft_done;
    checks.extend(steps("soft ", &soft, &expected.steps).await?);
    let last = &soft.steps[soft.steps.len() - 1];
    checks.push(summary_of("soft z_after", last.next.clone(), &expected.z_after).await?);
    let both = [&expected.advantages, &expected.returns];
    checks.extend(targets("soft ", &soft, &expected.next_value, both, &config).await?);
    Ok(checks)
}

async fn steps(label: &str, dream: &Dream, expected: &Steps) -> Result<Vec<Check>, GoldenError> {
    let mut checks = Vec::new();
    let choices = dream.steps[0].actions.dims()[1];
    let chosen = floats(Tensor::cat(
        dream.steps.iter().map(|step| step.actions.clone()).collect::<Vec<_>>(),
        0,
    ));
    let chosen = chosen.await?;
    let found: Vec<f64> = chosen
        .chunks(choices)
        .map(|row| row.iter().position(|x| *x > 0.5).unwrap_or(usize::MAX) as f64)
        .collect();
    let wanted: Vec<f64> = expected.action.concat().iter().map(|a| *a as f64).collect();
    checks.push(exact(&format!("{label}action"), &found, &wanted));
    type Quantity = fn(&DreamedStep) -> Tensor<1>;
    let quantities: [(&str, Quantity, &Vec<Vec<f64>>); 4] = [
        ("logprob", |step| step.log_probs.clone(), &expected.logprob),
        ("value", |step| step.values.clone(), &expected.value),
        ("reward", |step| step.rewards.clone(), &expected.reward),
        ("done_probability", |step| step.end_probabilities.clone(), &expected.done_probability),
    ];
    for (name, quantity, expected) in quantities {
        let found = floats(dream.all(quantity)).await?;
        let name = format!("{label}{name}");
        checks.push(Check::values(&name, &found, &expected.concat(), VALUE_TOLERANCE));
    }
    let found = floats(dream.all(|step| step.ends.clone())).await?;
    let done = expected.done.concat();
    let name = format!("{label}done");
    let is_hard = done.iter().all(|x| *x == 0.0 || *x == 1.0);
    checks.push(if is_hard {
        exact(&name, &found, &done)
    } else {
        Check::values(&name, &found, &done, VALUE_TOLERANCE)
    });
    for (t, (step, expected)) in dream.steps.iter().zip(&expected.z_prime).enumerate() {
        checks.push(summary_of(&format!("{label}z_prime {t}"), step.next.clone(), expected).await?);
    }
    Ok(checks)
}

async fn targets(
    label: &str,
    dream: &Dream,
    next_value: &[f64],
    [advantages, returns]: [&Vec<Vec<f64>>; 2],
    config: &Config,
) -> Result<Vec<Check>, GoldenError> {
    let found = dream.targets(config.gamma, config.gae_lambda);
    let mut checks = Vec::new();
    for (name, found, expected) in [
        ("next_value", floats(dream.last_values.clone()).await?, next_value.to_vec()),
        ("advantages", floats(found.advantages).await?, advantages.concat()),
        ("returns", floats(found.returns).await?, returns.concat()),
    ] {
        let name = format!("{label}{name}");
        checks.push(Check::values(&name, &found, &expected, VALUE_TOLERANCE));
    }
    Ok(checks)
}

async fn floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, crate::Error> {
    Ok(read_floats(tensor).await?.into_iter().map(f64::from).collect())
}

async fn summary_of<const D: usize>(
    name: &str,
    found: Tensor<D>,
    expected: &Summary,
) -> Result<Check, crate::Error> {
    Ok(Check::summary(name, &read_floats(found).await?, expected, VALUE_TOLERANCE))
}

/// A comparison in which no difference is allowed.
fn exact(name: &str, found: &[f64], expected: &[f64]) -> Check {
    let error = f64::from(u8::from(found != expected));
    Check { quantity: name.to_owned(), error, tolerance: 0.0 }
}

/// The actor-critic phase on an imagined rollout as one minibatch. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ActorCriticFile {
    #[serde(flatten)]
    setting: Setting,
    #[serde(rename = "H")]
    horizon: usize,
    rollout: Steps,
    next_value: Vec<f64>,
    advantages: Vec<Vec<f64>>,
    returns: Vec<Vec<f64>>,
    action: Vec<u32>,
    rollout_logprob: Vec<f64>,
    old_logprob: Vec<f32>,
    advantage: Vec<f32>,
    flat_returns: Vec<f32>,
    loss: f64,
    pg_loss: f64,
    v_loss: f64,
    entropy_mean: f64,
    approx_kl: f64,
    entropy: Vec<f64>,
    value: Vec<f64>,
    grad_global_norm: f64,
    groups: BTreeMap<String, GroupValues>,
    ratio_one: RatioOne,
}

/// The same with the rollout's own log-probabilities.
#[derive(Clone, Debug, Deserialize)]
struct RatioOne {
    loss: f64,
    v_loss: f64,
    groups: BTreeMap<String, GroupValues>,
}

/// Compares every quantity of an actor-critic file.
pub(super) async fn actor_critic(
    file: &ActorCriticFile,
    device: &Device,
) -> Result<Vec<Check>, GoldenError> {
    let config = file.setting.dream_config()?;
    let model = filled_model(&file.setting, &config, device)?;
    let dream = dream(&file.setting, &model, file.horizon, false, device);
    let mut checks = steps("", &dream, &file.rollout).await?;
    let both = [&file.advantages, &file.returns];
    checks.extend(targets("", &dream, &file.next_value, both, &config).await?);
    let own = floats(dream.all(|step| step.log_probs.clone())).await?;
    checks.push(Check::values("rollout_logprob", &own, &file.rollout_logprob, VALUE_TOLERANCE));

    let learner = DreamLearner::new(model, &config);
    let imagination = config.of_imagination();
    let with = |log_probs: Vec<f32>| {
        let targets = Targets {
            log_probs,
            advantages: file.advantage.clone(),
            returns: file.flat_returns.clone(),
            actions: file.action.clone(),
        };
        imagined_objective(
            learner.trainable(),
            dream.latents(),
            targets.upload(device),
            &imagination,
        )
    };
    let terms = with(file.old_logprob.clone());
    let means = read(terms.means.clone().autodiff()).await?;
    for (name, found, expected) in [
        ("loss", Mean::Loss, file.loss),
        ("pg_loss", Mean::Policy, file.pg_loss),
        ("v_loss", Mean::Value, file.v_loss),
        ("entropy_mean", Mean::Entropy, file.entropy_mean),
        ("approx_kl", Mean::ApproxKl, file.approx_kl),
    ] {
        checks.push(Check::scalar(name, means[found as usize], expected));
    }
    let entropy = read(terms.entropy.clone()).await?;
    checks.push(Check::values("entropy", &entropy, &file.entropy, VALUE_TOLERANCE));
    let values = floats(dream.all(|step| step.values.clone())).await?;
    checks.push(Check::values("value", &values, &file.value, VALUE_TOLERANCE));
    checks.extend(
        group_steps(
            &learner,
            || with(file.old_logprob.clone()).total,
            &config,
            "",
            &file.groups,
            Some(file.grad_global_norm),
        )
        .await?,
    );

    let expected = &file.ratio_one;
    let own = read_floats(dream.all(|step| step.log_probs.clone())).await?;
    let terms = with(own.clone());
    let means = read(terms.means.clone().autodiff()).await?;
    checks.push(Check::scalar("ratio_one loss", means[Mean::Loss as usize], expected.loss));
    checks.push(Check::scalar("ratio_one v_loss", means[Mean::Value as usize], expected.v_loss));
    checks.extend(
        group_steps(
            &learner,
            || with(own.clone()).total,
            &config,
            "ratio_one ",
            &expected.groups,
            None,
        )
        .await?,
    );
    Ok(checks)
}

/// Gradients of a loss and one step of the groups.
async fn group_steps(
    learner: &DreamLearner,
    loss: impl Fn() -> Tensor<1>,
    config: &Config,
    label: &str,
    groups: &BTreeMap<String, GroupValues>,
    global_norm: Option<f64>,
) -> Result<Vec<Check>, GoldenError> {
    // Each backward pass consumes its graph.
    let mut grads = loss().backward();
    let grads = read_floats(flatten_grads(learner.trainable(), &mut grads)).await?;
    let mut checks: Vec<Check> =
        global_norm.map(|expected| norm(&grads, expected)).into_iter().collect();
    let parameters = describe(learner.trainable());
    let phase: Vec<Group> = groups.keys().map(|name| group(name)).collect::<Result<_, _>>()?;
    let (mut stepped, names) = (learner.clone(), Names::new(config));
    let _ = stepped.update(&loss(), config, &phase);
    let stepped = read_floats(stepped.parameters().clone()).await?;
    for (name, expected) in groups {
        let (of, label) = (group(name)?, format!("{label}{name}"));
        checks.extend(group_checks(&names, &label, of, &parameters, &grads, &stepped, expected)?);
    }
    Ok(checks)
}

/// Two minibatches of each phase, in the authors' order of updates and corrected. Field names are the
/// file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SyncFile {
    #[serde(flatten)]
    setting: Setting,
    #[serde(flatten)]
    transitions: Transitions,
    world_model_phase: Forms,
    actor_critic_phase: ActorCriticPhase,
}

#[derive(Clone, Debug, Deserialize)]
struct ActorCriticPhase {
    old_logprob: Vec<f32>,
    advantage: Vec<f32>,
    returns: Vec<f32>,
    action: Vec<u32>,
    #[serde(flatten)]
    forms: Forms,
}

#[derive(Clone, Debug, Deserialize)]
struct Forms {
    official: Phase,
    corrected: Phase,
}

#[derive(Clone, Debug, Deserialize)]
struct Phase {
    minibatches: Vec<MinibatchValues>,
    params_after: BTreeMap<String, Summary>,
}

#[derive(Clone, Debug, Deserialize)]
struct MinibatchValues {
    loss: f64,
    grad_norm: BTreeMap<String, f64>,
}

/// Compares every quantity of a file of two minibatches.
pub(super) async fn synchronisation(
    file: &SyncFile,
    device: &Device,
) -> Result<Vec<Check>, GoldenError> {
    let mut checks = Vec::new();
    for (mode, name) in [(DreamMode::Parity, "official"), (DreamMode::Corrected, "corrected")] {
        let mut config = file.setting.dream_config()?;
        config.dream.dream_mode = mode;
        let model = filled_model(&file.setting, &config, device)?;
        let is_official = mode == DreamMode::Parity;
        let pick = |forms: &Forms| {
            if is_official { forms.official.clone() } else { forms.corrected.clone() }
        };

        let learner = DreamLearner::new(model.clone(), &config);
        let halves = [0, 1].map(|half| half_of(&file.setting, &file.transitions, half));
        let phase = [Group::Encoder, Group::WorldModel];
        let expected = pick(&file.world_model_phase);
        let label = format!("world model, {name}");
        let loss = |model: &Model, half: usize| {
            let (setting, transitions) = &halves[half];
            let frames = half * setting.batch;
            let mut batch = minibatch(setting, transitions, &config, &model.world_model, device);
            batch.observations = both_halves(&file.setting, frames, setting.batch, device);
            objective(model, &batch, &config).total
        };
        checks.extend(phase_checks(learner, loss, &phase, &config, &label, &expected).await?);

        // The rollout that is in `dream_actor_critic.json` for this batch size.
        let horizon = file.actor_critic_phase.action.len() / file.setting.batch;
        let dream = dream(&file.setting, &model, horizon, false, device);
        let latents = dream.latents();
        let values = &file.actor_critic_phase;
        let size = values.action.len() / 2;
        let learner = DreamLearner::new(model, &config);
        let expected = pick(&values.forms);
        let label = format!("actor-critic, {name}");
        let imagination = config.of_imagination();
        let loss = |model: &Model, half: usize| {
            let range = half * size..(half + 1) * size;
            let targets = Targets {
                log_probs: values.old_logprob[range.clone()].to_vec(),
                advantages: values.advantage[range.clone()].to_vec(),
                returns: values.returns[range.clone()].to_vec(),
                actions: values.action[range.clone()].to_vec(),
            };
            let latents = latents.clone().narrow(0, range.start, size);
            imagined_objective(model, latents, targets.upload(device), &imagination).total
        };
        let phase = [Group::Actor, Group::Critic];
        checks.extend(phase_checks(learner, loss, &phase, &config, &label, &expected).await?);
    }
    Ok(checks)
}

/// The first or second half of a minibatch.
fn half_of(setting: &Setting, transitions: &Transitions, half: usize) -> (Setting, Transitions) {
    let size = setting.batch / 2;
    let pick = |values: &[f32]| values[half * size..(half + 1) * size].to_vec();
    let setting = Setting { batch: size, ..setting.clone() };
    let transitions = Transitions {
        old_logprob: pick(&transitions.old_logprob),
        reward: pick(&transitions.reward),
        advantage: pick(&transitions.advantage),
        returns: pick(&transitions.returns),
        done: pick(&transitions.done),
        next_done: transitions.next_done.as_deref().map(pick),
        first: half * size,
    };
    (setting, transitions)
}

/// Observations, then next observations, of `len` samples from sample `first` on.
fn both_halves(setting: &Setting, first: usize, len: usize, device: &Device) -> Tensor<4> {
    let lifted = device.clone().autodiff();
    let all = fill::frames(&setting.spec(), setting.batch, setting.seed_offset, true, &lifted);
    let part = |start: usize| all.clone().narrow(0, start + first, len);
    Tensor::cat(vec![part(0), part(setting.batch)], 0)
}

/// Two updates of a phase.
async fn phase_checks(
    mut learner: DreamLearner,
    loss: impl Fn(&Model, usize) -> Tensor<1>,
    phase: &[Group],
    config: &Config,
    label: &str,
    expected: &Phase,
) -> Result<Vec<Check>, GoldenError> {
    let mut checks = Vec::new();
    for (half, expected) in expected.minibatches.iter().enumerate() {
        let label = format!("{label}, minibatch {half}");
        let loss = loss(learner.trainable(), half);
        let value = read(loss.clone()).await?[0];
        checks.push(Check::scalar(&format!("{label} loss"), value, expected.loss));
        let norms = learner.update(&loss, config, phase);
        for (name, expected) in &expected.grad_norm {
            let found = norms[group(name)? as usize].clone().expect("a group of the phase");
            let name = format!("{label} norm of {name}");
            let found = floats(found).await?;
            checks.push(Check::values(&name, &found, &[*expected], GRADIENT_TOLERANCE));
        }
    }
    let parameters = describe(learner.trainable());
    let flat = read_floats(learner.parameters().clone()).await?;
    let own = |name: &str| phase.contains(&Group::of(name));
    let (own, values): (Vec<_>, Vec<_>) = split(&parameters, &flat)
        .filter(|(parameter, _)| own(&parameter.name))
        .map(|(parameter, values)| (parameter.clone(), values.to_vec()))
        .unzip();
    let flat = crate::params::joined(values);
    let names = Names::new(config);
    let label = format!("{label} after");
    checks.extend(compare(&names, &label, &own, &flat, &expected.params_after, &[])?);
    Ok(checks)
}
