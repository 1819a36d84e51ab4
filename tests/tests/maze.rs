//! Tests the maze through the complete trainer: computing equal frames once changes no result, and
//! a certified run stays within its neighbourhood.

use burn::tensor::{Device, Tensor};
use deepspi_core::algorithm::deep_spi::{Learner, draw_noise, objective};
use deepspi_core::data::minibatch::Minibatch;
use deepspi_core::data::rollout::Rollout;
use deepspi_core::maze::probe;
use deepspi_core::model::Model;
use deepspi_core::params::flatten_grads;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::{Algorithm, Config, TransitionDensity, WorldModelConfig};
use deepspi_run::decision::Decision;
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::message::{Iteration, Message};
use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazePreset, MazeView, SeenMaze};
use deepspi_worlds::rng::{Generators, Stream, stream};
use tests::floats;

fn maze(gamma: f32) -> Maze {
    Maze::new(MazeConfig::DEFAULT, gamma.into()).expect("valid")
}

fn small(config: &Config) -> Config {
    Config { num_envs: 16, num_steps: 8, num_minibatches: 2, update_epochs: 2, ..config.clone() }
}

/// A rollout of random actions.
fn rollout(config: &Config) -> Rollout {
    let mut env = MazeEnvs::new(maze(config.gamma), config.num_envs, 5);
    let mut generators = Generators::new(5);
    let mut rollout = Rollout::start(&env, &vec![false; config.num_envs], config.num_steps);
    let random =
        Decision::from_logits(&vec![0.0; config.num_envs * 4], vec![0.5; config.num_envs], 4);
    for _ in 0..config.num_steps {
        let actions = random.sample(4, &mut generators.actions);
        env.step(&actions);
        rollout.push(random.clone(), actions, &env);
    }
    rollout.finish(random.values);
    rollout
}

/// Loss terms per sample and the gradient of all parameters.
fn loss_and_gradient(model: &Model, batch: &Minibatch, config: &Config) -> Vec<Vec<f32>> {
    let terms = objective(model, batch, config);
    let read = |x: Tensor<1>| floats(x.inner());
    let mut all = vec![read(terms.total.clone()), read(terms.ratios), read(terms.state.values())];
    all.extend([terms.transition, terms.reward].into_iter().flatten().map(read));
    let mut grads = terms.total.backward();
    all.push(floats(flatten_grads(model, &mut grads)));
    all
}

#[test]
fn computing_equal_frames_once_changes_neither_losses_nor_gradients() {
    let lifted = Device::flex().autodiff();
    for (algo, transition_density, lipschitz_nets) in [
        (Algorithm::Ppo, TransitionDensity::MixtureNormal, true),
        (Algorithm::DeepSpi, TransitionDensity::MixtureNormal, true),
        (Algorithm::DeepSpi, TransitionDensity::MixtureNormal, false),
        (Algorithm::DeepMdp, TransitionDensity::Normal, true),
        (Algorithm::DeepSpi, TransitionDensity::Deterministic, true),
    ] {
        let world_model =
            WorldModelConfig { transition_density, lipschitz_nets, ..WorldModelConfig::DEFAULT };
        let base = Config { algo, world_model, ..Config::DEFAULT };
        for config in [small(&base), small(&Config { gamma: 0.9, ..base.clone() }.certify())] {
            let world_model = WorldModelConfig { lipschitz_nets, ..config.world_model };
            let config = Config { world_model, ..config };
            let rollout = rollout(&config);
            let targets = rollout.advantages(config.gamma, config.gae_lambda);
            let model = Model::new(&MazePreset::Small.network(), &config, &Device::flex());
            let model = Learner::new(model, &config).trainable().clone();
            let indices: Vec<usize> = (0..rollout.len()).step_by(2).collect();
            let with_next = config.uses_world_model();
            let mut shared = rollout.minibatch(&indices, &targets, with_next, &lifted);
            let mut rng = stream(3, Stream::Noise);
            shared.noise = draw_noise(&model, &config, indices.len(), &mut rng, &lifted);
            let sharing = shared.sharing.clone().expect("the maze names its states");
            let whole = Minibatch {
                observations: sharing.observations.apply(shared.observations.clone()),
                sharing: None,
                ..shared.clone()
            };
            assert!(shared.observations.dims()[0] * 4 < whole.observations.dims()[0]);
            let (found, expected) = (
                loss_and_gradient(&model, &shared, &config),
                loss_and_gradient(&model, &whole, &config),
            );
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                let size = expected.iter().fold(0.0_f32, |m, x| m.max(x.abs())).max(1e-3);
                for (a, b) in found.iter().zip(expected) {
                    assert!((a - b).abs() <= 2e-5 * size, "{config:?}: {a} against {b}");
                }
            }
        }
    }
}

fn iterations(config: &Config, count: usize) -> Vec<Iteration> {
    let mut env = MazeEnvs::new(maze(config.gamma), config.num_envs, config.seed);
    let network = MazePreset::Small.network();
    let mut trainer = Trainer::new(config.clone(), network, &Device::flex()).expect("valid");
    let mut seen = Vec::new();
    for _ in 0..count {
        let emit = |message| {
            if let Message::Iteration(iteration) = message {
                seen.push(*iteration);
            }
        };
        pollster::block_on(trainer.iterate(&mut env, emit)).expect("trains");
    }
    seen
}

#[test]
fn a_certified_run_never_leaves_the_neighbourhood_and_reports_the_bound() {
    // The learning rate is far too large for the neighbourhood, so updates have to be shortened.
    let config = small(&Config { gamma: 0.9, learning_rate: 0.01, ..Config::DEFAULT }.certify());
    config.validate().expect("valid");
    let seen = iterations(&config, 6);
    let mut projected = 0;
    for iteration in &seen {
        let radius = config.clip_coef + 1e-6;
        assert!(iteration.ratios.within(radius), "{:?}", iteration.ratios);
        assert!(iteration.ratios.premise_holds);
        let certificate = iteration.certificate.expect("a certified run reports one");
        let projection = certificate.projection;
        assert_eq!(projection.whole + projection.shortened + projection.rejected, 4);
        projected += projection.shortened + projection.rejected;
        assert!(certificate.reward_loss > 0.0 && certificate.transition_loss > 0.0);
        assert_eq!(certificate.zeta.is_some(), certificate.average_episode_length.is_some());
    }
    assert!(projected > 0, "the test is only about a projection that happens");

    let mut free = Config { clip_coef: 0.1, ..config };
    free.deep_spi.certified = false;
    let seen = iterations(&free, 6);
    assert!(seen.iter().all(|iteration| iteration.certificate.is_none()));
    assert!(
        seen.iter().any(|iteration| !iteration.ratios.premise_holds),
        "without the projection the same learning rate must leave the neighbourhood"
    );
}

#[test]
fn ppo_solves_the_maze_of_the_paper() {
    let config = Config { algo: Algorithm::Ppo, ..MazePreset::Small.hyper_parameters() };
    let maze = maze(config.gamma);
    let mut env = MazeEnvs::new(maze.clone(), config.num_envs, config.seed);
    let network = MazePreset::Small.network();
    let device = Device::flex();
    let mut trainer = Trainer::new(config, network, &device).expect("valid");
    while !trainer.is_finished() {
        pollster::block_on(trainer.iterate(&mut env, |_| {})).expect("trains");
    }
    let view = MazeView::of(&maze);
    let seen = SeenMaze { maze: &maze, view: &view };
    let report = pollster::block_on(probe(&trainer.policy(), seen, &device));
    let report = report.expect("probed");
    assert!(report.start_value > 7.5, "{}", report.start_value);
    let [upper, lower] = report.up_at_stars(&maze);
    assert!(upper > 0.9 && lower < 0.1, "up at the upper star {upper}, at the lower {lower}");
}
