//! A run is a function of its configuration, and a checkpoint must store all of it. The comparison
//! is bit for bit, because a tolerance would hide a missing generator, moment or flag.

use burn::tensor::Device;
use deepspi_core::trainer::Trainer;
use deepspi_run::checkpoint::Checkpoint;
use deepspi_run::config::{
    Algorithm, CategoricalNetwork, Config, DreamMode, GradientPenalty, Objective, Progressive,
    TransitionDensity, WorldModelConfig,
};
use deepspi_run::message::Message;
use tests::{CueEnv, config, floats, spec, train};

/// All numbers on which an optimiser step depends, as bits.
fn bits(trainer: &Trainer) -> Vec<u32> {
    let checkpoint = pollster::block_on(trainer.checkpoint()).expect("the state can be read");
    let moments = checkpoint.section("optimiser").expect("the moments are a section");
    let parameters = floats(trainer.parameters()).into_iter().map(f32::to_bits);
    parameters.chain(moments.iter().map(|byte| u32::from(*byte))).collect()
}

/// Messages as text: in this form NaN equals NaN, and 0 differs from -0.
fn text(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| format!("{message:?}")).collect()
}

fn fresh(config: &Config) -> (Trainer, CueEnv) {
    let trainer =
        Trainer::new(config.clone(), spec(), &Device::flex()).expect("valid configuration");
    (trainer, CueEnv::at(config.num_envs, 0))
}

/// The checkpoint of a trainer, encoded and decoded as on disk.
fn stored(trainer: &Trainer) -> Checkpoint {
    let checkpoint = pollster::block_on(trainer.checkpoint()).expect("the state can be read");
    let state = serde_json::to_string(&checkpoint.state).expect("the state is JSON");
    Checkpoint {
        state: serde_json::from_str(&state).expect("the state was written by this test"),
        ..checkpoint
    }
}

/// A report of a sweep knows by these rates whether a run was continued with another length.
fn reports_its_learning_rate(config: &Config, messages: &[Message]) {
    let rates = messages.iter().filter_map(|message| match message {
        Message::Iteration(iteration) => Some(iteration.learning_rate),
        _ => None,
    });
    for (iteration, found) in (0..).zip(rates) {
        let wanted = config.reported_learning_rate_at(iteration);
        assert!((found - wanted).abs() <= 1e-9 * wanted.abs(), "{iteration}: {found} {wanted}");
    }
}

fn repeats_and_resumes(config: &Config) {
    let iterations = config.num_iterations();
    let (mut whole, mut env) = fresh(config);
    let messages = train(&mut whole, &mut env, iterations);
    reports_its_learning_rate(config, &messages);
    let expected = text(&messages);
    assert!(whole.is_finished(), "the run must be over after {iterations} iterations");

    let (mut repeated, mut env) = fresh(config);
    let found = text(&train(&mut repeated, &mut env, iterations));
    assert_eq!(found, expected, "the same seed must give the same messages");
    assert!(
        bits(&repeated) == bits(&whole),
        "the same seed must give the same parameters and moments"
    );

    let half = iterations / 2;
    let (mut first, mut env) = fresh(config);
    let mut found = text(&train(&mut first, &mut env, half));
    let checkpoint = stored(&first);
    let at_checkpoint = bits(&first);
    drop((first, env));
    let mut second =
        Trainer::restore(&checkpoint, &spec(), &Device::flex()).expect("an intact checkpoint");
    assert!(bits(&second) == at_checkpoint, "restoring must not change parameters or moments");
    assert_eq!(second.iteration(), half, "the restored run must be where it was");
    let mut env = CueEnv::at(config.num_envs, half * config.num_steps as u64);
    found.extend(text(&train(&mut second, &mut env, iterations - half)));
    assert_eq!(found, expected, "a continued run must say what the uninterrupted one says");
    assert!(
        bits(&second) == bits(&whole),
        "a continued run must reach the parameters of the uninterrupted one"
    );
    let parameters = floats(whole.parameters());
    let (start, _) = fresh(config);
    assert!(parameters != floats(start.parameters()), "training must change parameters");
}

#[test]
fn deep_spi_repeats_and_resumes() {
    repeats_and_resumes(&config());
}

#[test]
fn deep_mdp_repeats_and_resumes() {
    // The normal density draws its noise in a different way than the mixture.
    let transition_density = TransitionDensity::Normal;
    let world_model = WorldModelConfig { transition_density, ..config().world_model };
    repeats_and_resumes(&Config { algo: Algorithm::DeepMdp, world_model, ..config() });
}

#[test]
fn ppo_repeats_and_resumes() {
    repeats_and_resumes(&Config { algo: Algorithm::Ppo, ..config() });
}

/// DreamSPI with a setting.
fn dream(set: impl Fn(&mut Config)) -> Config {
    let mut config = Config { algo: Algorithm::DreamSpi, ..config() };
    config.dream.imagination_horizon = 3;
    set(&mut config);
    config.validate().expect("a configuration that is accepted");
    config
}

fn categorical(config: &mut Config) {
    config.world_model.transition_density = TransitionDensity::Categorical;
    (config.networks.n_cat, config.networks.n_cls) = (4, 3);
}

#[test]
fn dream_spi_repeats_and_resumes() {
    repeats_and_resumes(&dream(|_| {}));
    repeats_and_resumes(&dream(|config| {
        config.dream.dream_mode = DreamMode::Parity;
        config.dream.progressive = Progressive::Exponential;
        config.dream.n_imagination_rollouts = 2;
        config.dream.soft_done = true;
    }));
}

fn replay(config: &mut Config) {
    config.dream.use_replay_buffer = true;
    config.dream.replay_capacity = 20 * config.num_envs;
    config.dream.replay_start = config.num_envs * config.num_steps;
    (config.dream.replay_sequences, config.dream.replay_length) = (8, 4);
    config.dream.env_steps_per_wm_update = config.batch_size() / 2;
}

#[test]
fn dream_spi_with_replay_repeats_and_resumes() {
    repeats_and_resumes(&dream(replay));
    repeats_and_resumes(&dream(|config| {
        replay(config);
        config.dream.dream_mode = DreamMode::Parity;
    }));
    repeats_and_resumes(&dream(|config| {
        replay(config);
        config.objective = Objective::Drift;
        config.dream.dyna_style = true;
        config.dream.prioritize_new_samples = 0.5;
    }));
}

#[test]
fn a_replay_buffer_that_is_missing_or_damaged_is_refused() {
    let (mut trainer, mut env) = fresh(&dream(replay));
    train(&mut trainer, &mut env, 1);
    let good = stored(&trainer);
    let restore = |checkpoint: &Checkpoint| {
        let restored = Trainer::restore(checkpoint, &spec(), &Device::flex());
        restored.map(|_| ()).map_err(|error| error.to_string())
    };
    restore(&good).expect("an intact checkpoint");
    let mut missing = good.clone();
    missing.sections.retain(|section| section.name != "replay");
    let error = restore(&missing).expect_err("no buffer");
    assert!(error.contains("`replay` is missing"), "{error}");
    let mut damaged = good;
    let section = damaged.sections.iter_mut().find(|section| section.name == "replay");
    let bytes = &mut section.expect("a buffer").bytes;
    bytes.truncate(bytes.len() - 1);
    let error = restore(&damaged).expect_err("a damaged buffer");
    assert!(error.contains("replay buffer cannot be used: it is damaged"), "{error}");
}

#[test]
fn dream_spi_with_a_discriminator_repeats_and_resumes() {
    repeats_and_resumes(&dream(|config| {
        config.dream.wasserstein_discriminator = true;
        config.dream.discriminator_obs_encoder = true;
    }));
    repeats_and_resumes(&dream(|config| {
        categorical(config);
        config.dream.wasserstein_discriminator = true;
        config.networks.decoupled_repr = true;
    }));
}

#[test]
fn every_network_of_categorical_latents_repeats_and_resumes() {
    for network in CategoricalNetwork::ALL {
        let mut config = Config { algo: Algorithm::DeepSpi, ..config() };
        categorical(&mut config);
        config.world_model.categorical_network = network;
        config.world_model.use_feature_group = false;
        config.networks.use_attention = network == CategoricalNetwork::SoftMoe;
        repeats_and_resumes(&config);
    }
}

#[test]
fn penalties_and_predicted_ends_repeat_and_resume() {
    for gradient_penalty in GradientPenalty::ALL {
        let mut config = config();
        config.world_model.lipschitz_nets = false;
        config.world_model.lambda_gp = 0.01;
        config.world_model.gradient_penalty = gradient_penalty;
        config.world_model.done_predictor = true;
        config.networks.decoupled_repr = true;
        repeats_and_resumes(&config);
    }
}

#[test]
fn a_checkpoint_of_another_kind_of_latents_is_refused() {
    let (trainer, _) = fresh(&config());
    let mut checkpoint = stored(&trainer);
    categorical(&mut checkpoint.state.config);
    let error = Trainer::restore(&checkpoint, &spec(), &Device::flex()).expect_err("refused");
    assert!(error.to_string().contains("do not fit the networks"), "{error}");
}

#[test]
fn another_seed_is_another_run() {
    let (mut one, mut env) = fresh(&config());
    let said = text(&train(&mut one, &mut env, 1));
    let (mut other, mut env) = fresh(&Config { seed: 2, ..config() });
    assert_ne!(text(&train(&mut other, &mut env, 1)), said, "the seed must reach the generators");
    assert!(bits(&one) != bits(&other), "the seed must reach the parameters");
}

#[test]
fn a_checkpoint_for_other_actions_is_refused() {
    let (trainer, _) = fresh(&config());
    let mut other = spec();
    other.actions += 1;
    let error = Trainer::restore(&stored(&trainer), &other, &Device::flex())
        .expect_err("another action count");
    let error = error.to_string();
    assert!(
        error.contains("3 actions") && error.contains("4 actions"),
        "the message must name what was found and what is needed: {error}"
    );
}

#[test]
fn a_checkpoint_goes_on_with_its_own_networks() {
    let (mut whole, mut env) = fresh(&config());
    let expected = text(&train(&mut whole, &mut env, 2));
    let (mut first, mut env) = fresh(&config());
    let mut found = text(&train(&mut first, &mut env, 1));
    // Another version of the program has other networks for the same environment.
    let mut today = spec();
    today.encoder.truncate(1);
    today.hidden *= 2;
    let mut second =
        Trainer::restore(&stored(&first), &today, &Device::flex()).expect("its own networks");
    assert_eq!(*second.spec(), spec());
    found.extend(text(&train(&mut second, &mut env, 1)));
    assert_eq!(found, expected);
    assert!(bits(&second) == bits(&whole), "it must go on bit for bit");
}

#[test]
fn networks_that_cannot_be_built_are_refused() {
    let mut checkpoint = stored(&fresh(&config()).0);
    checkpoint.state.spec.encoder[1].kernel = 100;
    let error = Trainer::restore(&checkpoint, &spec(), &Device::flex()).expect_err("refused");
    let text =
        "the checkpoint's networks cannot be built: the kernel of a layer: 100; allowed: 1 to 5";
    assert_eq!(error.to_string(), text);
    let error = deepspi_core::player::Player::load(&checkpoint, &Device::flex());
    assert_eq!(error.expect_err("refused").to_string(), text);
}
