//! Every game against the real emulator and the real ROMs.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers as well")]

mod common;

use common::{Actions, rom};
use deepspi_ale::{Emulator, environment};
use deepspi_worlds::atari::{AtariOptions, Console as _, GAMES};
use rayon::prelude::*;

/// Plays random agent steps to the end of one whole game and returns the score.
fn one_game(name: &str, seed: u64) -> (f32, Vec<u8>) {
    let rom = rom(name);
    let options = AtariOptions {
        repeat_action_probability: 0.25,
        episodic_life: false,
        reward_clip: false,
        ..AtariOptions::default()
    };
    let mut env = environment(&rom, options, seed, 0).unwrap();
    let mut stack = vec![0; options.observation_len()];
    let mut actions = Actions::new(u32::try_from(seed).unwrap());
    env.reset(&mut stack).unwrap();
    assert_eq!(env.console().ram()[0x79], 1, "Surround must be the one-player game after a reset");
    let mut score = 0.0;
    loop {
        let outcome = env.step(actions.next(env.game().n_actions()), &mut stack).unwrap();
        score += outcome.raw_reward;
        if outcome.done {
            assert!(outcome.terminated && !outcome.truncated);
            return (score, env.console().ram().to_vec());
        }
    }
}

#[test]
fn all_57_load_and_run() {
    GAMES.par_iter().for_each(|game| {
        let rom = rom(game.name);
        let options = AtariOptions { repeat_action_probability: 0.25, ..AtariOptions::default() };
        let mut stack = vec![0; options.observation_len()];
        // `new` fails if ALE's minimal action set differs from the table, or the screen is not 210
        // x 160.
        let mut env = environment(&rom, options, 7, 0)
            .unwrap_or_else(|error| panic!("{}: {error}", game.name));
        let mut actions = Actions::new(7);
        let first_lives = env.reset(&mut stack).unwrap().lives;
        assert!(stack.iter().any(|&pixel| pixel != stack[0]), "{}: an empty screen", game.name);
        let first = stack.clone();
        let mut changed = false;
        for _ in 0..300 {
            let outcome = env.step(actions.next(game.n_actions()), &mut stack).unwrap();
            changed |= stack != first;
            if game.lives_constant && !outcome.terminated {
                assert_eq!(outcome.lives, first_lives, "{}: the life counter moved", game.name);
            }
        }
        assert!(changed, "{}: the screen never changed", game.name);
        // With `lives_constant` the counter stays at 0, in Surround at 1 until the end.
        if !game.lives_constant {
            assert!(first_lives > 0, "{}: no lives at the start", game.name);
        }
    });
}

#[test]
fn a_used_console_is_renewed_to_what_a_new_one_is() {
    // With sticky actions, so that the emulator's generator matters in every frame.
    fn play(emulator: &mut Emulator, actions: u32, frames: usize) -> Vec<Vec<u8>> {
        let (game, mut actions) = (emulator.game(), Actions::new(actions));
        let mut seen = vec![emulator.ram().to_vec(), emulator.screen().to_vec()];
        for _ in 0..frames {
            emulator.act(game.actions[actions.next(game.n_actions()) as usize]).unwrap();
            seen.push(emulator.ram().to_vec());
            if emulator.game_over() {
                emulator.reset().unwrap();
            }
        }
        seen.push(emulator.screen().to_vec());
        seen
    }
    GAMES.par_iter().for_each(|game| {
        let rom = rom(game.name);
        let mut used = Emulator::new(&rom, 7, 0.3).unwrap();
        used.set_left_difficulty_a(true);
        for seed in [3, 5] {
            play(&mut used, 1, 997);
            used.renew(seed).unwrap();
            let mut new = Emulator::new(&rom, seed, 0.3).unwrap();
            assert!(
                play(&mut used, 2, 1500) == play(&mut new, 2, 1500),
                "{}: an earlier game left a trace with seed {seed}",
                game.name
            );
        }
        let error = used.renew(0).unwrap_err().to_string();
        assert!(error.contains("at least 1"), "{error}");
    });
}

#[test]
fn surround_is_lost_by_ten_to_nothing() {
    let (score, ram) = one_game("Surround", 3);
    assert_eq!(
        score, -10.0,
        "a random player loses 10 : 0 against the console, and only against the console"
    );
    assert_eq!((ram[0x76], ram[0x77]), (0x10, 0x00), "scores in RAM");
}

#[test]
fn wizard_of_wor_obeys_the_joystick() {
    let rom = rom("WizardOfWor");
    // No sticky actions and one seed: the runs can differ only because of the actions.
    let play = |id: u8| {
        let mut emulator = Emulator::new(&rom, 1, 0.0).unwrap();
        for frame in 0..600 {
            // Nothing happens before the player walks into the maze, so alternate.
            emulator.act(if frame / 30 % 2 == 0 { 2 } else { id }).unwrap();
        }
        (emulator.screen().to_vec(), emulator.ram())
    };
    assert_eq!(play(4), play(4), "the same actions give the same game");
    assert_ne!(
        play(4).1,
        play(3).1,
        "left and right give the same game: the ports are not swapped"
    );
    assert_ne!(play(4).0, play(0).0, "left and nothing give the same picture");
}

#[test]
fn chopper_command_ends() {
    let rom = rom("ChopperCommand");
    let mut emulator = Emulator::new(&rom, 5, 0.25).unwrap();
    let mut actions = Actions::new(5);
    let mut frames = 0;
    let mut id = 0;
    while !emulator.game_over() {
        if frames % 4 == 0 {
            id = u8::try_from(actions.next(18)).unwrap();
        }
        emulator.act(id).unwrap();
        frames += 1;
        assert!(frames < 108_000, "the end of the game was missed");
    }
    assert_eq!(emulator.ram()[0x64] & 0xF, 0, "the game ended with lives left");
    assert_eq!(emulator.act(0).unwrap(), 0, "nothing is emulated after the end");
}
