//! EnvPool's rules, each on a real game.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers as well")]

mod common;
#[path = "common/trace.rs"]
mod trace;

use common::{Actions, rom};
use deepspi_ale::{AtariEnvs, Emulator, environment};
use deepspi_worlds::atari::preprocess::{AreaResize, GrayPool};
use deepspi_worlds::atari::{AtariError, AtariOptions, Console as _, EmulatorSeeds, OBS_PIXELS};
use deepspi_worlds::env::VectorEnv as _;
use pollster::block_on;
use trace::{reset, step, trace};

/// Options with EnvPool's seeds: the emulator gets the seed of the environment, like the bare
/// emulator of the comparison.
fn envpool() -> AtariOptions {
    AtariOptions { emulator_seeds: EmulatorSeeds::Envpool, ..AtariOptions::default() }
}

/// The picture of one step, made from single frames: the reference for the pooling rule.
fn picture(first: &[u8], second: &[u8], emulator: &Emulator) -> Vec<u8> {
    let mut gray = vec![0; first.len()];
    GrayPool::new(emulator.palette()).max(first, second, &mut gray);
    let mut out = vec![0; OBS_PIXELS];
    AreaResize::new((210, 160), (84, 84)).resize(&gray, &mut out);
    out
}

fn vec_env(options: AtariOptions, num_envs: usize, seed: u64, threads: usize) -> AtariEnvs {
    let rom = rom("Breakout");
    AtariEnvs::new(&rom, options, num_envs, seed, threads).unwrap()
}

#[test]
fn the_seed_decides_the_trace_and_the_threads_do_not() {
    let options = AtariOptions::stochastic();
    let reference = trace(&mut vec_env(options, 6, 11, 1), 250, 1);
    assert_eq!(trace(&mut vec_env(options, 6, 11, 1), 250, 1), reference, "same seed, other trace");
    assert_eq!(
        trace(&mut vec_env(options, 6, 11, 2), 250, 1),
        reference,
        "the thread count changes results"
    );
    assert_eq!(
        trace(&mut vec_env(options, 6, 11, 5), 250, 1),
        reference,
        "the thread count changes results"
    );
    assert_ne!(
        trace(&mut vec_env(options, 6, 12, 2), 250, 1),
        reference,
        "the seed changes nothing"
    );
    assert_ne!(
        trace(&mut vec_env(options, 6, 11, 2), 250, 2),
        reference,
        "the actions change nothing"
    );
}

#[test]
fn environment_i_does_not_depend_on_its_neighbours() {
    let options = AtariOptions::stochastic();
    let len = options.observation_len();
    let (mut few, mut many) = (vec_env(options, 2, 5, 1), vec_env(options, 5, 5, 2));
    assert_eq!(reset(&mut few).observations, reset(&mut many).observations[..2 * len]);
    for action in [1, 2, 3, 0, 2, 2, 3, 1] {
        let all = step(&mut many, &[action; 5]).observations[..2 * len].to_vec();
        assert_eq!(step(&mut few, &[action; 2]).observations, all);
    }
}

#[test]
fn a_reset_is_noops_then_fire_and_fills_the_stack() {
    let rom = rom("Breakout");
    let options = envpool();
    let mut env = environment(&rom, options, 9, 0).unwrap();
    let mut stack = vec![0; options.observation_len()];
    let outcome = env.reset(&mut stack).unwrap();
    assert_eq!(
        (outcome.lives, outcome.elapsed_steps, outcome.done, outcome.reward),
        (5, 0, false, 0.0)
    );
    let newest = stack[3 * OBS_PIXELS..].to_vec();
    assert!(stack.chunks(OBS_PIXELS).all(|frame| frame == newest), "a real reset fills all slots");

    // Exactly one number of idle frames in 0..=29, then one FIRE, gives this RAM. (The RAM has a
    // frame counter.)
    let after = |noops: u32, fire: bool| {
        let mut emulator = Emulator::new(&rom, 9, 0.0).unwrap();
        emulator.reset().unwrap();
        (0..noops).for_each(|_| assert_eq!(emulator.act(0).unwrap(), 0));
        if fire {
            emulator.act(1).unwrap();
        }
        emulator.ram()
    };
    let matching: Vec<u32> =
        (0..60).filter(|&noops| after(noops, true) == env.console().ram()).collect();
    assert_eq!(matching.len(), 1, "{matching:?}");
    assert!(matching[0] < 30, "{matching:?}");

    // Without FIRE reset: 1..=30 idle frames and nothing else.
    let options = AtariOptions { use_fire_reset: false, ..envpool() };
    let mut env = environment(&rom, options, 9, 0).unwrap();
    env.reset(&mut stack).unwrap();
    assert_eq!(
        env.console().ram(),
        after(matching[0] + 1, false),
        "the same draw, one more idle frame, no FIRE"
    );

    // No idle frames at all.
    let options = AtariOptions { noop_max: 0, ..envpool() };
    let mut env = environment(&rom, options, 9, 0).unwrap();
    env.reset(&mut stack).unwrap();
    assert_eq!(env.console().ram(), after(0, true));
}

#[test]
fn a_step_is_four_frames_and_shows_the_brighter_of_the_last_two() {
    let rom = rom("Breakout");
    let options = AtariOptions { noop_max: 0, ..envpool() };
    let mut env = environment(&rom, options, 4, 0).unwrap();
    let mut stack = vec![0; options.observation_len()];
    env.reset(&mut stack).unwrap();
    let mut emulator = Emulator::new(&rom, 4, 0.0).unwrap();
    emulator.reset().unwrap();
    emulator.act(1).unwrap();
    let mut actions = Actions::new(4);
    for step in 1..=60 {
        let before = stack.clone();
        let action = actions.next(4);
        let outcome = env.step(action, &mut stack).unwrap();
        let mut reward = 0;
        let mut third = Vec::new();
        for frame in 0..4 {
            reward += emulator.act(rom.game().actions[action as usize]).unwrap();
            if frame == 2 {
                third = emulator.screen().to_vec();
            }
        }
        assert_eq!(outcome.raw_reward, reward as f32, "step {step}");
        assert_eq!(outcome.elapsed_steps, step);
        assert_eq!(stack[..3 * OBS_PIXELS], before[OBS_PIXELS..], "older frames move up by one");
        assert!(
            stack[3 * OBS_PIXELS..] == picture(&third, emulator.screen(), &emulator),
            "step {step}: newest frame"
        );
        if outcome.done {
            break;
        }
    }
}

#[test]
fn a_lost_life_ends_the_episode_and_the_game_goes_on() {
    let rom = rom("Breakout");
    let options = AtariOptions { limit_per_life: false, ..AtariOptions::default() };
    let mut env = environment(&rom, options, 2, 0).unwrap();
    let mut stack = vec![0; options.observation_len()];
    env.reset(&mut stack).unwrap();
    let mut actions = Actions::new(2);
    let (mut lives, mut elapsed) = (5, 0);
    for life in 0..5 {
        let outcome = loop {
            let outcome = env.step(actions.next(4), &mut stack).unwrap();
            elapsed += 1;
            assert_eq!(outcome.elapsed_steps, elapsed, "the counter runs on over lost lives");
            if outcome.done {
                break outcome;
            }
            assert_eq!(outcome.lives, lives, "a life went without a done");
        };
        lives -= 1;
        assert_eq!(outcome.lives, lives);
        assert_eq!(outcome.terminated, life == 4, "only the last life ends the game");
        assert!(!outcome.truncated);

        // Next-step autoreset: the action is ignored, the reward is 0 and the step is not done.
        let before = stack.clone();
        let outcome = env.step(3, &mut stack).unwrap();
        assert_eq!(
            (outcome.reward, outcome.raw_reward, outcome.done, outcome.terminated),
            (0.0, 0.0, false, false)
        );
        if life < 4 {
            assert_eq!(
                (outcome.lives, outcome.elapsed_steps),
                (lives, elapsed),
                "the game did not go on"
            );
            assert_eq!(
                stack[..3 * OBS_PIXELS],
                before[OBS_PIXELS..],
                "frames from before the loss stay in the stack"
            );
        } else {
            assert_eq!(
                (outcome.lives, outcome.elapsed_steps),
                (5, 0),
                "a game over is followed by a new game"
            );
            assert!(
                stack.chunks(OBS_PIXELS).all(|frame| frame == &stack[..OBS_PIXELS]),
                "a new game fills the stack"
            );
        }
    }
}

#[test]
fn autoreset_ignores_the_action() {
    // Two environments that differ only in the actions of their reset steps stay equal.
    let rom = rom("Breakout");
    let options = AtariOptions::default();
    let run = |ignored: u32| {
        let mut env = environment(&rom, options, 6, 0).unwrap();
        let mut stack = vec![0; options.observation_len()];
        // The first step without a reset is a reset, too.
        assert_eq!(env.step(ignored, &mut stack).unwrap().elapsed_steps, 0);
        let mut actions = Actions::new(6);
        let mut done = false;
        let mut resets = 0;
        for _ in 0..300 {
            let chosen = actions.next(4);
            resets += u32::from(done);
            done = env.step(if done { ignored } else { chosen }, &mut stack).unwrap().done;
        }
        assert!(resets > 0, "no episode ended, nothing was tested");
        stack
    };
    assert_eq!(run(0), run(3));
}

#[test]
fn a_forced_reset_starts_a_new_game() {
    let mut envs = vec_env(AtariOptions::default(), 1, 2, 1);
    reset(&mut envs);
    let mut actions = Actions::new(2);
    while !step(&mut envs, &[actions.next(4)]).dones[0] {}
    let view = reset(&mut envs);
    assert_eq!((view.lives[0], view.elapsed_steps[0]), (5, 0));
}

#[test]
fn the_step_limit_truncates() {
    for episodic_life in [true, false] {
        let options =
            AtariOptions { max_episode_steps: 5, episodic_life, ..AtariOptions::default() };
        let mut envs = vec_env(options, 2, 1, 2);
        reset(&mut envs);
        for _ in 0..2 {
            for count in 1..=5 {
                let view = step(&mut envs, &[0, 0]);
                assert_eq!(view.elapsed_steps, [count, count]);
                assert_eq!(view.dones, [count == 5; 2]);
                assert_eq!(view.truncated, [count == 5; 2]);
                assert_eq!(view.terminated, [false; 2], "the limit is no end of the game");
            }
            let view = step(&mut envs, &[0, 0]);
            assert_eq!(
                (view.elapsed_steps, view.dones),
                (vec![0, 0], vec![false; 2]),
                "the limit leads to a real reset"
            );
        }
    }
}

#[test]
fn rewards_are_clipped_to_their_sign_and_full_games_are_not() {
    let rom = rom("Pong");
    let mut lost = 0.0;
    let full_game =
        AtariOptions { episodic_life: false, reward_clip: false, ..AtariOptions::default() };
    let mut env = environment(&rom, full_game, 1, 0).unwrap();
    let mut stack = vec![0; AtariOptions::default().observation_len()];
    env.reset(&mut stack).unwrap();
    loop {
        let outcome = env.step(0, &mut stack).unwrap();
        assert_eq!(outcome.reward, outcome.raw_reward);
        lost += outcome.reward;
        if outcome.done {
            break;
        }
    }
    assert_eq!(lost, -21.0, "an idle Pong player loses every point");

    let rom = self::rom("Alien");
    let mut env = environment(&rom, AtariOptions::default(), 1, 0).unwrap();
    env.reset(&mut stack).unwrap();
    let mut actions = Actions::new(1);
    let mut large = false;
    for _ in 0..300 {
        let outcome = env.step(actions.next(18), &mut stack).unwrap();
        assert_eq!(
            outcome.reward,
            if outcome.raw_reward == 0.0 { 0.0 } else { outcome.raw_reward.signum() }
        );
        large |= outcome.raw_reward >= 10.0;
    }
    assert!(large, "no large reward in Alien, nothing was tested");
}

#[test]
fn wrong_calls_are_errors_and_move_nothing() {
    let mut envs = vec_env(AtariOptions::default(), 3, 1, 2);
    let first = reset(&mut envs).observations.to_vec();
    for action in [4, 40, 1000, u32::MAX] {
        let error = envs.step(&[0, 0, action]).unwrap_err();
        assert!(
            matches!(&error, AtariError::InEnv { index: 2, source } if matches!(**source, AtariError::Action { .. })),
            "{error}"
        );
        assert!(
            error.to_string().contains("environment 2") && error.to_string().contains("Breakout"),
            "{error}"
        );
    }
    assert!(matches!(envs.step(&[0, 0]), Err(AtariError::Length { expected: 3, found: 2, .. })));
    assert!(matches!(envs.step(&[0; 4]), Err(AtariError::Length { expected: 3, found: 4, .. })));
    assert!(envs.console(3).is_none());
    assert_eq!(envs.console(2).unwrap().screen_rgb().len(), 210 * 160 * 3);
    // The failed calls have changed nothing: one good step equals that of untouched environments.
    let mut untouched = vec_env(AtariOptions::default(), 3, 1, 1);
    assert_eq!(reset(&mut untouched).observations, first);
    assert_eq!(
        step(&mut envs, &[1, 2, 3]).observations,
        step(&mut untouched, &[1, 2, 3]).observations
    );

    let rom = rom("Pong");
    for options in [
        AtariOptions { stack: 0, ..AtariOptions::default() },
        AtariOptions { frame_skip: 0, ..AtariOptions::default() },
        AtariOptions { max_episode_steps: 0, ..AtariOptions::default() },
        AtariOptions { repeat_action_probability: 1.5, ..AtariOptions::default() },
        AtariOptions { repeat_action_probability: f32::NAN, ..AtariOptions::default() },
    ] {
        assert!(
            matches!(environment(&rom, options, 1, 0), Err(AtariError::Options(_))),
            "{options:?}"
        );
    }
    let mut env = environment(&rom, AtariOptions::default(), 1, 0).unwrap();
    assert!(matches!(env.reset(&mut [0; 7]), Err(AtariError::Length { .. })));
    assert!(Emulator::new(&rom, 0, 0.0).is_err(), "seed 0 would be the clock");
    assert!(Emulator::new(&rom, -1, 0.0).is_err());
    assert!(Emulator::new(&rom, 1, 0.0).unwrap().act(18).is_err());
}

#[test]
fn sixteen_threads_create_play_and_destroy() {
    let roms = ["Pong", "Breakout", "Qbert", "Surround"].map(rom);
    let reference: Vec<_> = roms.iter().map(|rom| play(rom, 50)).collect();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (roms, reference) = (&roms, &reference);
            scope.spawn(move || {
                for round in 0..6 {
                    let k = (thread + round) % roms.len();
                    assert_eq!(
                        play(&roms[k], 50),
                        reference[k],
                        "another thread changed a game of {}",
                        roms[k].game().name
                    );
                }
            });
        }
    });

    fn play(rom: &deepspi_ale::Rom, frames: usize) -> [u8; 128] {
        let mut emulator = Emulator::new(rom, 3, 0.25).unwrap();
        let mut actions = Actions::new(3);
        for _ in 0..frames {
            emulator
                .act(rom.game().actions[actions.next(rom.game().n_actions()) as usize])
                .unwrap();
        }
        emulator.ram()
    }
}

#[test]
fn a_seed_decides_the_game_whatever_was_played_before() {
    // With sticky actions, so that the emulator's generator matters in every frame.
    for name in ["Breakout", "Pong", "Seaquest", "Surround", "Qbert"] {
        let rom = rom(name);
        let mut used = Emulator::new(&rom, 7, 0.3).unwrap();
        let mut fresh = Emulator::new(&rom, 1, 0.3).unwrap();
        let play = |emulator: &mut Emulator, seed, frames| {
            emulator.reset_with_seed(seed).unwrap();
            let mut actions = Actions::new(2);
            let mut seen = vec![emulator.ram().to_vec()];
            for _ in 0..frames {
                let id = rom.game().actions[actions.next(rom.game().n_actions()) as usize];
                emulator.act(id).unwrap();
                seen.push(emulator.ram().to_vec());
            }
            seen.push(emulator.screen().to_vec());
            seen
        };
        play(&mut used, 3, 1000);
        let again = play(&mut used, 5, 1500);
        assert!(again == play(&mut fresh, 5, 1500), "{name}: an earlier game left a trace");
        assert!(again != play(&mut fresh, 6, 1500), "{name}: the seed changes nothing");
    }
    let mut emulator = Emulator::new(&rom("Pong"), 1, 0.0).unwrap();
    assert!(emulator.reset_with_seed(0).is_err(), "0 would be the clock");
}

#[test]
fn environments_of_neighbouring_seeds_play_other_games() {
    // EnvPool's rule makes environment 1 of seed 1 and environment 0 of seed 2 the same console.
    let rom = rom("Breakout");
    let ram = |options, seed, index| {
        let mut env = environment(&rom, options, seed, index).unwrap();
        env.reset(&mut vec![0; options.observation_len()]).unwrap();
        // The actions change; otherwise sticky actions would have no effect.
        let mut actions = Actions::new(3);
        for _ in 0..200 {
            env.step(actions.next(4), &mut vec![0; options.observation_len()]).unwrap();
        }
        env.console().ram()
    };
    let still = AtariOptions { noop_max: 0, repeat_action_probability: 0.3, ..envpool() };
    assert_eq!(ram(still, 1, 1), ram(still, 2, 0));
    let hashed = AtariOptions { emulator_seeds: EmulatorSeeds::Hashed, ..still };
    assert_ne!(ram(hashed, 1, 1), ram(hashed, 2, 0));
    assert_eq!(ram(hashed, 1, 1), ram(hashed, 1, 1));
}

#[test]
fn stored_games_go_on_as_the_others() {
    // With sticky actions and no-ops. The stored moments include lost lives, ends of games and
    // their fake steps.
    let options = AtariOptions::stochastic();
    let make = |seed| vec_env(options, 3, seed, 2);
    let mut original = make(4);
    reset(&mut original);
    let mut actions = Actions::new(4);
    let random = |actions: &mut Actions| [0; 3].map(|_| actions.next(4));
    let (mut lost, mut ended, mut fake) = (false, false, false);
    let mut before = vec![false; 3];
    let mut restarts = 0;
    for played in 0..900 {
        let view = step(&mut original, &random(&mut actions));
        let lost_now = view.dones.iter().zip(&view.terminated).any(|(done, over)| *done && !over);
        let ended_now = view.terminated.iter().any(|&over| over);
        let fake_now = before.iter().any(|&done| done);
        before = view.dones.clone();
        // Stores each kind of moment once, and some others.
        let new = (lost_now && !lost) || (ended_now && !ended) || (fake_now && !fake);
        lost |= lost_now;
        ended |= ended_now;
        fake |= fake_now;
        if !new && played % 300 != 0 {
            continue;
        }
        restarts += 1;
        let bytes = block_on(original.snapshot()).unwrap().unwrap();
        // The environments are made with other seeds: the stored state must decide everything.
        let [mut one, mut other] = [make(9), make(10)];
        block_on(one.restore(&bytes)).unwrap();
        block_on(other.restore(&bytes)).unwrap();
        assert!(one.observations() == original.observations(), "step {played}");
        assert_eq!(one.outcomes(), original.outcomes());
        assert!(block_on(one.snapshot()).unwrap().unwrap() == bytes);
        let mut later = Actions::new(played + 1);
        for _ in 0..300 {
            let chosen = random(&mut later);
            let (one, other) = (step(&mut one, &chosen), step(&mut other, &chosen));
            assert!(one.observations == other.observations && one.dones == other.dones);
        }
    }
    assert!(lost && ended && fake && restarts >= 4, "{lost} {ended} {fake} {restarts}");

    // The original itself is compared with a restored one.
    let mut restored = make(11);
    let bytes = block_on(original.snapshot()).unwrap().unwrap();
    block_on(restored.restore(&bytes)).unwrap();
    for _ in 0..300 {
        let chosen = random(&mut actions);
        let (one, other) = (step(&mut original, &chosen), step(&mut restored, &chosen));
        assert!(one.observations == other.observations);
        assert_eq!(
            (one.raw_rewards, one.dones, one.lives),
            (other.raw_rewards, other.dones, other.lives)
        );
        assert_eq!((one.elapsed_steps, one.terminated), (other.elapsed_steps, other.terminated));
    }

    let bytes = block_on(original.snapshot()).unwrap().unwrap();
    assert!(
        block_on(vec_env(options, 2, 4, 1).restore(&bytes)).is_err(),
        "another number of games"
    );
    assert!(block_on(make(4).restore(&bytes[..bytes.len() - 1])).is_err(), "damaged");
    assert!(block_on(vec_env(envpool(), 3, 4, 1).snapshot()).unwrap().is_none());
}
