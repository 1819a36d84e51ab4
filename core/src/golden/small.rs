//! Files of single functions: done predictor, weight decay, schedules, V-trace, off-policy losses.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use deepspi_run::config::{Config, DreamMode, Objective, ValueLoss};
use deepspi_run::schedule::UpdateSchedule;
use deepspi_worlds::rng::{Stream, stream};
use serde::Deserialize;

use super::check::{compare, read, summary};
use super::compare::{Check, GRADIENT_TOLERANCE, VALUE_TOLERANCE};
use super::file::{Fill, GoldenError, Summary};
use super::fill;
use super::inputs::fill_module;
use super::names::Names;
use crate::algorithm::dream_spi::Group;
use crate::algorithm::off_policy::{Targets, off_policy_objective};
use crate::optim::Optimiser;
use crate::params::{describe, flatten, flatten_grads, unflatten};
use crate::read_floats;
use crate::returns::{Steps, Weighting, v_trace};
use crate::world_model::continuation::DonePredictor;
use crate::world_model::latent::Latent;

/// The done predictor. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DoneFile {
    seed_offset: u64,
    #[serde(rename = "B")]
    batch: usize,
    params: Vec<Fill>,
    z: Summary,
    next_done: Vec<f32>,
    logit: Vec<f64>,
    probability: Vec<f64>,
    done_loss: Vec<f64>,
    mean_done_loss: f64,
    grads: BTreeMap<String, Summary>,
    grad_z: Summary,
    uniform: Vec<f32>,
    sample: Vec<f64>,
    layer_norm: DoneWithLayerNorm,
}

#[derive(Clone, Debug, Deserialize)]
struct DoneWithLayerNorm {
    params: Vec<Fill>,
    logit: Vec<f64>,
    probability: Vec<f64>,
}

/// So that the names of the parameters are those of the whole model.
#[derive(Module, Debug)]
struct OnlyDone {
    world_model: OnlyDoneModel,
}

#[derive(Module, Debug)]
struct OnlyDoneModel {
    done: DonePredictor,
}

fn predictor(fills: &[Fill], config: &Config, device: &Device) -> Result<OnlyDone, GoldenError> {
    let frame = deepspi_worlds::frame::FrameShape { channels: 4, height: 84, width: 84 };
    let spec = deepspi_run::network::NetworkSpec::atari(frame, 4);
    let latent = Latent::of(&spec, config);
    let mut rng = stream(1, Stream::Parameters);
    let done = DonePredictor::new(&spec, latent, config, &mut rng, device);
    let module = OnlyDone { world_model: OnlyDoneModel { done } };
    fill_module(fills, config, module, device)
}

/// Compares every quantity of the file.
pub(super) async fn done_predictor(
    file: &DoneFile,
    device: &Device,
) -> Result<Vec<Check>, GoldenError> {
    let mut config = Config::default();
    let lifted = device.clone().autodiff();
    let module = predictor(&file.params, &config, device)?;
    let module = unflatten(module.clone(), &flatten(&module), true);
    let len = file.batch * 7 * 7 * 64;
    let start = fill::fill(file.seed_offset + 7013, len, -0.4, 0.4);
    let start = TensorData::new(start, [file.batch, 7, 7, 64]);
    let z = Tensor::<4>::from_data(start, device).clamp_min(0.0).autodiff().require_grad();
    let done = &module.world_model.done;
    let ends = crate::data::minibatch::vector(file.next_done.clone(), &lifted);
    let (logits, loss) = (done.logits(z.clone()), done.loss(z.clone(), ends));
    let mut checks = vec![summary("z", z.clone(), &file.z).await?];
    for (name, found, expected) in [
        ("logit", logits.clone(), &file.logit),
        ("probability", done.probabilities(z.clone()), &file.probability),
        ("done_loss", loss.clone(), &file.done_loss),
    ] {
        checks.push(Check::values(name, &read(found).await?, expected, VALUE_TOLERANCE));
    }
    let mean = loss.mean();
    checks.push(Check::scalar("mean_done_loss", read(mean.clone()).await?[0], file.mean_done_loss));
    let mut grads = mean.backward();
    let of_z = read_floats(z.grad(&grads).expect("tracked")).await?;
    checks.push(Check::summary("grad z", &of_z, &file.grad_z, GRADIENT_TOLERANCE));
    let flat = read_floats(flatten_grads(&module, &mut grads)).await?;
    let names = Names::new(&config);
    checks.extend(compare(&names, "grad", &describe(&module), &flat, &file.grads, &[])?);
    let logistic: Vec<f32> = file.uniform.iter().map(|u| (u / (1.0 - u)).ln()).collect();
    let drawn = read(logits).await?;
    let drawn: Vec<f64> = drawn
        .iter()
        .zip(&logistic)
        .map(|(logit, noise)| f64::from(u8::from(logit + f64::from(*noise) > 0.0)))
        .collect();
    let error = f64::from(u8::from(drawn != file.sample));
    checks.push(Check { quantity: "sample".to_owned(), error, tolerance: 0.0 });

    config.networks.use_layer_norm = true;
    let module = predictor(&file.layer_norm.params, &config, device)?;
    let (done, z) = (&module.world_model.done, z.inner());
    for (name, found, expected) in [
        ("layer norm logit", done.logits(z.clone()), &file.layer_norm.logit),
        ("layer norm probability", done.probabilities(z), &file.layer_norm.probability),
    ] {
        let found: Vec<f64> = read_floats(found).await?.into_iter().map(f64::from).collect();
        checks.push(Check::values(name, &found, expected, VALUE_TOLERANCE));
    }
    Ok(checks)
}

/// A step of the heads with weight decay. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WeightDecayFile {
    seed_offset: u64,
    weight_decay: f32,
    actions: usize,
    grads_made_by: Vec<Fill>,
    official: BTreeMap<String, BTreeMap<String, Summary>>,
    corrected: BTreeMap<String, BTreeMap<String, Summary>>,
}

#[derive(Module, Debug)]
struct OnlyHeads {
    agent: Heads,
}

#[derive(Module, Debug)]
struct Heads {
    actor: Head,
    critic: Head,
}

#[derive(Module, Debug)]
struct Head {
    kernel: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

/// Compares every quantity of the file.
pub(super) async fn weight_decay(
    file: &WeightDecayFile,
    device: &Device,
) -> Result<Vec<Check>, GoldenError> {
    let mut checks = Vec::new();
    let zeros = |outputs: usize| Head {
        kernel: Param::from_tensor(Tensor::zeros([512, outputs], device)),
        bias: Param::from_tensor(Tensor::zeros([outputs], device)),
    };
    let module = OnlyHeads { agent: Heads { actor: zeros(file.actions), critic: zeros(1) } };
    // Seeds and bounds of the parameters are those of the default networks.
    let shape = |name: &str, outputs: usize| match name {
        "kernel" => (vec![512, outputs], (3.0 / 512.0_f64).sqrt()),
        _ => (vec![outputs], 0.05),
    };
    let fills: Vec<Fill> = [("actor", file.actions, 116), ("critic", 1, 118)]
        .into_iter()
        .flat_map(|(head, outputs, seed)| {
            ["bias", "kernel"].into_iter().zip(seed..).map(move |(leaf, seed)| {
                let (shape, bound) = shape(leaf, outputs);
                let name = format!("agent/{head}_params/params/Dense_0/{leaf}");
                let seed = file.seed_offset + seed;
                Fill { name, shape, seed, bound, offset: 0.0 }
            })
        })
        .collect();
    let grads_by: Vec<Fill> = file
        .grads_made_by
        .iter()
        .zip(&fills)
        .map(|(grad, fill)| Fill { shape: fill.shape.clone(), ..grad.clone() })
        .collect();
    for (mode, label, expected) in [
        (DreamMode::Parity, "official", &file.official),
        (DreamMode::Corrected, "corrected", &file.corrected),
    ] {
        let mut config =
            Config { algo: deepspi_run::config::Algorithm::DreamSpi, ..Config::default() };
        config.dream.dream_mode = mode;
        config.dream.dream_weight_decay = file.weight_decay;
        let start = fill_module(&fills, &config, module.clone(), device)?;
        let grads = flatten(&fill_module(&grads_by, &config, module.clone(), device)?);
        let parameters = flatten(&start);
        let infos = describe(&start);
        let lengths: Vec<usize> =
            infos.iter().map(crate::params::ParameterInfo::padded_len).collect();
        let groups = [
            (Group::Actor.settings(&config), lengths[0] + lengths[1]),
            (Group::Critic.settings(&config), lengths[2] + lengths[3]),
        ];
        let mut optimiser = Optimiser::new(&parameters, &groups);
        let rates = optimiser.rates_at(0);
        let (after, _) = optimiser.step(&parameters, &grads, &rates);
        let after = read_floats(after).await?;
        let all: BTreeMap<String, Summary> =
            expected.values().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        checks.extend(compare(&Names::new(&config), label, &infos, &after, &all, &[])?);
    }
    Ok(checks)
}

/// Learning rates after some numbers of updates. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ScheduleFile {
    deep_spi: Rates,
    dream_spi: BTreeMap<String, Rates>,
    dream_spi_two_rollouts: BTreeMap<String, Rates>,
}

#[derive(Clone, Debug, Deserialize)]
struct Rates {
    num_iterations: u64,
    updates_per_iteration: u64,
    at: Vec<(u64, f64)>,
}

/// Compares every rate of the file.
pub(super) fn schedules(file: &ScheduleFile) -> Result<Vec<Check>, GoldenError> {
    let mut checks = Vec::new();
    let mut check = |name: String, rates: &Rates, found: UpdateSchedule| {
        let found = UpdateSchedule { goes_below_zero: true, ..found };
        let same = (found.updates, found.rounds)
            == (rates.updates_per_iteration, Some(rates.num_iterations));
        let error = f64::from(u8::from(!same));
        checks.push(Check { quantity: format!("{name} counts"), error, tolerance: 0.0 });
        let values: Vec<f64> = rates.at.iter().map(|(count, _)| found.rate_after(*count)).collect();
        let expected: Vec<f64> = rates.at.iter().map(|(_, rate)| *rate).collect();
        checks.push(Check::values(&name, &values, &expected, VALUE_TOLERANCE));
    };
    let config = Config::default();
    check(
        "deep_spi".to_owned(),
        &file.deep_spi,
        UpdateSchedule {
            start: config.learning_rate,
            updates: (config.update_epochs * config.num_minibatches) as u64,
            rounds: Some(config.num_iterations()),
            goes_below_zero: true,
        },
    );
    for (label, rollouts, all) in [
        ("dream_spi", 1, &file.dream_spi),
        ("dream_spi, two rollouts", 2, &file.dream_spi_two_rollouts),
    ] {
        let mut config =
            Config { algo: deepspi_run::config::Algorithm::DreamSpi, ..Config::default() };
        config.dream.dream_mode = DreamMode::Parity;
        config.dream.n_imagination_rollouts = rollouts;
        for (name, rates) in all {
            let schedule = super::dream::group(name)?.schedule(&config);
            check(format!("{label} {name}"), rates, schedule);
        }
    }
    Ok(checks)
}

/// V-trace and generalised advantage estimation. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct VTraceFile {
    #[serde(rename = "B")]
    batch: usize,
    gamma: f32,
    gae_lambda: f32,
    values: Vec<Vec<f32>>,
    next_value: Vec<f32>,
    rewards: Vec<Vec<f32>>,
    done: Vec<Vec<f32>>,
    next_done: Vec<f32>,
    logprob: Vec<Vec<f32>>,
    hist_logprob: Vec<Vec<f32>>,
    clip: VTraceValues,
    drift: VTraceValues,
    gae: VTraceValues,
}

#[derive(Clone, Debug, Deserialize)]
struct VTraceValues {
    returns: Vec<Vec<f64>>,
    advantages: Vec<Vec<f64>>,
}

/// Compares every quantity of the file.
pub(super) fn v_trace_file(file: &VTraceFile) -> Vec<Check> {
    let mut values = file.values.concat();
    values.extend(&file.next_value);
    let mut dones: Vec<f32> = file.done.concat();
    dones.extend(&file.next_done);
    let dones: Vec<bool> = dones.iter().map(|d| *d > 0.5).collect();
    let (rewards, log_probs) = (file.rewards.concat(), file.logprob.concat());
    let behaviour = file.hist_logprob.concat();
    let steps = Steps {
        rewards: &rewards,
        dones: &dones,
        values: &values,
        log_probs: &log_probs,
        behaviour: &behaviour,
    };
    let traced = |weighting| v_trace(steps, file.batch, file.gamma, file.gae_lambda, weighting);
    let gae =
        crate::returns::gae(&rewards, &dones, &values, file.batch, file.gamma, file.gae_lambda);
    let mut checks = Vec::new();
    for (label, found, expected) in [
        ("clip", traced(Weighting::Clip), &file.clip),
        ("drift", traced(Weighting::Drift), &file.drift),
        ("gae", gae, &file.gae),
    ] {
        let as_f64 = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        for (name, found, expected) in [
            ("returns", as_f64(&found.returns), &expected.returns),
            ("advantages", as_f64(&found.advantages), &expected.advantages),
        ] {
            let name = format!("{label} {name}");
            checks.push(Check::values(&name, &found, &expected.concat(), VALUE_TOLERANCE));
        }
    }
    checks
}

/// Off-policy losses. Field names are the file's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct OffPolicyFile {
    variant: String,
    clip_coef: f32,
    ent_coef: f32,
    vf_coef: f32,
    transition_loss_coef: f32,
    reward_loss_coef: f32,
    norm_adv: bool,
    logits: Vec<Vec<f32>>,
    action: Vec<u32>,
    old_logprob: Vec<f32>,
    hist_logprob: Vec<f32>,
    hist_logprob_extreme: Vec<f32>,
    advantage: Vec<f32>,
    returns: Vec<f32>,
    value: Vec<f32>,
    transition_loss: Vec<f32>,
    reward_loss: Vec<f32>,
    done: Vec<f32>,
    cases: BTreeMap<String, OffPolicyCase>,
}

#[derive(Clone, Debug, Deserialize)]
struct OffPolicyCase {
    loss: f64,
    pg_loss: f64,
    v_loss: f64,
    entropy_mean: f64,
    approx_kl: f64,
    drift: f64,
    pg_grad_logits: Vec<Vec<f64>>,
    pg_grad_transition_loss: Vec<f64>,
    pg_grad_reward_loss: Vec<f64>,
    loss_grad_logits: Vec<Vec<f64>>,
    loss_grad_value: Vec<f64>,
}

/// Compares every quantity of the file.
pub(super) async fn off_policy(
    file: &OffPolicyFile,
    device: &Device,
) -> Result<Vec<Check>, GoldenError> {
    let lifted = device.clone().autodiff();
    let is_drift = file.variant.starts_with("drift");
    let mut checks = Vec::new();
    for (case, expected) in &file.cases {
        let mut config = Config {
            clip_coef: file.clip_coef,
            ent_coef: file.ent_coef,
            vf_coef: file.vf_coef,
            norm_adv: file.norm_adv,
            objective: if is_drift { Objective::Drift } else { Objective::Clip },
            ..Config::default()
        };
        config.world_model.transition_loss_coef = file.transition_loss_coef;
        config.world_model.reward_loss_coef = file.reward_loss_coef;
        config.deep_spi.piecewise_auxiliary_ratio = !case.contains("batch_means");
        config.drift_coef = if case.contains("half") { 0.5 } else { 1.0 };
        if case.contains("huber") {
            config.value_loss = ValueLoss::Huber;
        }
        let behaviour = match case.as_str() {
            name if name.contains("extreme") => &file.hist_logprob_extreme,
            "hist_equals_old" => &file.old_logprob,
            _ => &file.hist_logprob,
        };
        // The surrogate of own steps, with or without V-trace's weights.
        let is_on_policy = case.contains("on_policy");
        let is_v_trace = case.contains("v_trace");
        let vector = |values: &[f32]| crate::data::minibatch::vector(values.to_vec(), &lifted);
        let leaf = |values: &[f32]| vector(values).require_grad();
        let (width, batch) = (file.logits[0].len(), file.logits.len());
        let logits =
            Tensor::<2>::from_data(TensorData::new(file.logits.concat(), [batch, width]), &lifted)
                .require_grad();
        let values = leaf(&file.value);
        let (transition, reward) = (leaf(&file.transition_loss), leaf(&file.reward_loss));
        let targets = Targets {
            old: vector(&file.old_logprob),
            behaviour: (!is_on_policy).then(|| vector(behaviour)),
            advantages: vector(&file.advantage),
            returns: vector(&file.returns),
            dones: vector(&file.done),
            actions: {
                let mut one_hot = vec![0.0; batch * width];
                for (row, action) in one_hot.chunks_mut(width).zip(&file.action) {
                    row[*action as usize] = 1.0;
                }
                Tensor::from_data(TensorData::new(one_hot, [batch, width]), &lifted)
            },
            v_trace: is_v_trace,
        };
        let compute = || {
            let auxiliary = Some((transition.clone(), reward.clone()));
            let (logits, values) = (logits.clone(), values.clone());
            off_policy_objective(logits, values, auxiliary, targets.clone(), &config)
        };
        let terms = compute();
        let label = |name: &str| format!("{case} {name}");
        for (name, found, expected) in [
            ("loss", terms.total.clone(), expected.loss),
            ("pg_loss", terms.policy.clone(), expected.pg_loss),
            ("v_loss", terms.value.clone(), expected.v_loss),
            ("entropy_mean", terms.entropy.clone(), expected.entropy_mean),
            ("approx_kl", terms.approx_kl.clone(), expected.approx_kl),
        ] {
            checks.push(Check::scalar(&label(name), read(found).await?[0], expected));
        }
        if is_drift {
            let drift = read(terms.drift.clone()).await?[0];
            checks.push(Check::scalar(&label("drift"), drift, expected.drift));
        }
        let mut gradient = |name: &str, found: Vec<f64>, expected: &[f64]| {
            checks.push(Check::values(&label(name), &found, expected, GRADIENT_TOLERANCE));
        };
        let grads = terms.policy.backward();
        let flat = |grad: Option<Tensor<1>>| grad.expect("tracked");
        let of = async |grad: Tensor<1>| -> Result<Vec<f64>, crate::Error> {
            Ok(read_floats(grad).await?.into_iter().map(f64::from).collect())
        };
        let by_logits = of(flat(logits.grad(&grads).map(|g| g.flatten(0, 1)))).await?;
        gradient("pg_grad_logits", by_logits, &expected.pg_grad_logits.concat());
        let by_transition = of(flat(transition.grad(&grads))).await?;
        gradient("pg_grad_transition_loss", by_transition, &expected.pg_grad_transition_loss);
        let by_reward = of(flat(reward.grad(&grads))).await?;
        gradient("pg_grad_reward_loss", by_reward, &expected.pg_grad_reward_loss);
        // Each backward pass consumes its graph.
        let grads = compute().total.backward();
        let by_logits = of(flat(logits.grad(&grads).map(|g| g.flatten(0, 1)))).await?;
        gradient("loss_grad_logits", by_logits, &expected.loss_grad_logits.concat());
        let by_value = of(flat(values.grad(&grads))).await?;
        gradient("loss_grad_value", by_value, &expected.loss_grad_value);
    }
    Ok(checks)
}
