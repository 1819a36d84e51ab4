//! The project's own cartridge on the real emulator: it is the maze, whatever the rules around it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers as well")]

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use deepspi_ale::{AtariEnvs, Emulator, Rom, environment};
use deepspi_theory::evaluate;
use deepspi_worlds::atari::{AtariEnv, AtariOptions, Console, ConsoleError, OBS_SIDE, StepOutcome};
use deepspi_worlds::cartridge::{self, ACTIONS, cell};
use deepspi_worlds::env::{VectorEnv as _, reset, step};
use deepspi_worlds::maze::{Action, Maze, MazeConfig, MazeView, Tile};
use deepspi_worlds::numbered::Numbered;
use pollster::block_on;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// ALE's ids of actions.
const NOOP: u8 = 0;
const FIRE: u8 = 1;
const RIGHT: u8 = 3;

/// Random numbers below a bound.
struct Actions(ChaCha8Rng);

impl Actions {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn next(&mut self, bound: u32) -> u32 {
        self.0.random_range(0..bound)
    }
}

fn maze() -> Maze {
    Maze::new(MazeConfig::DEFAULT, 0.99).unwrap()
}

fn emulator(seed: i32, sticky: f32) -> Emulator {
    let mut emulator = Emulator::new(&Rom::maze_cartridge().unwrap(), seed, sticky).unwrap();
    emulator.reset_with_seed(seed).unwrap();
    emulator
}

fn view(maze: &Maze) -> MazeView {
    cartridge::view(maze, |seed| Ok::<_, ConsoleError>(emulator(seed, 0.0))).unwrap()
}

/// The agent's number of an action of the maze.
fn number(action: Action) -> u32 {
    ACTIONS.iter().position(|&one| one == action).unwrap() as u32
}

/// An environment with its observation, which is one frame.
struct Played {
    env: AtariEnv<Emulator>,
    seen: Vec<u8>,
}

impl Played {
    fn new(options: AtariOptions, seed: u64) -> Self {
        let env = environment(&Rom::maze_cartridge().unwrap(), options, seed, 0).unwrap();
        Self { env, seen: vec![0; options.observation_len()] }
    }

    fn reset(&mut self) {
        self.env.reset(&mut self.seen).unwrap();
    }

    fn step(&mut self, action: u32) -> StepOutcome {
        self.env.step(action, &mut self.seen).unwrap()
    }

    fn cell(&self) -> (usize, usize) {
        cell(&self.env.console().ram())
    }
}

/// State of an observation.
fn state_of(view: &MazeView, seen: &[u8]) -> usize {
    view.frames.iter().position(|frame| frame == seen).expect("the observation of a state")
}

#[test]
fn every_action_in_every_state_does_what_it_does_in_the_maze() {
    let maze = maze();
    let view = view(&maze);
    let mut played = Played::new(cartridge::options(&maze, false), 5);
    let mut actions = Actions::new(5);
    let mut tried = HashSet::new();
    for _ in 0..150 {
        played.reset();
        let mut state = state_of(&view, &played.seen);
        assert_eq!(state, maze.start());
        let mut done = false;
        while !done {
            let chosen = actions.next(4);
            let action = ACTIONS[chosen as usize];
            let outcome = played.step(chosen);
            let next = state_of(&view, &played.seen);
            let possible = maze.outcomes(state, action);
            assert!(
                possible.iter().any(|&(_, to)| to == next),
                "{action:?} in {state} led to {next}"
            );
            let reward = maze.reward(state, action) as f32;
            assert_eq!(
                (outcome.reward, outcome.raw_reward),
                (reward, reward),
                "{state} {action:?}"
            );
            done = outcome.done;
            assert_eq!(done, maze.tile(next).is_terminal() || outcome.truncated);
            tried.insert((state, chosen));
            state = next;
        }
    }
    let live = (0..maze.states()).filter(|&state| !maze.tile(state).is_terminal()).count();
    assert_eq!(tried.len(), live * ACTIONS.len(), "not all states and actions were tried");
}

#[test]
fn the_lower_corridor_has_probability_epsilon_and_the_best_policy_its_exact_value() {
    const GAMES: u64 = 2400;
    const SETS: u64 = 8;
    let maze = maze();
    let view = view(&maze);
    let best = maze.policy_with_stars([Action::Up, Action::Right]).unwrap();
    let exact = evaluate(&maze.mdp().unwrap(), &best).unwrap().v[maze.start()];
    let options = cartridge::options(&maze, false);
    // Row of the corridor and discounted return of every game.
    let games: Vec<(usize, f64)> = (0..SETS)
        .into_par_iter()
        .flat_map_iter(|seed| {
            let mut played = Played::new(options, seed);
            let mut one = || {
                played.reset();
                let (mut row, mut total, mut discount) = (0, 0.0, 1.0);
                for _ in 0..7 {
                    let state = state_of(&view, &played.seen);
                    if maze.tile(state) == Tile::Star {
                        row = maze.cell(state).0;
                    }
                    let up = state == maze.stars()[0];
                    let outcome = played.step(number(if up { Action::Up } else { Action::Right }));
                    total += discount * f64::from(outcome.raw_reward);
                    discount *= maze.gamma();
                }
                (row, total)
            };
            (0..GAMES / SETS).map(|_| one()).collect::<Vec<_>>()
        })
        .collect();
    let count = games.len() as f64;
    let low: Vec<bool> = games.iter().map(|game| game.0 == 3).collect();
    let share = low.iter().filter(|&&low| low).count() as f64 / count;
    // Three standard deviations: a right cartridge fails for one choice of seeds in 370.
    let bound = 3.0 * (0.2 * 0.8 / count).sqrt();
    assert!((share - 0.2).abs() < bound, "P(down) is {share:.4}, not 0.2 +- {bound:.4}");
    // Neighbouring games are independent: both in one corridor with probability .68.
    let same = low.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64 / count;
    let bound = 3.0 * (0.68 * 0.32 / count).sqrt();
    assert!((same - 0.68).abs() < 1.5 * bound, "equal neighbours: {same:.4}");
    let mean = games.iter().map(|game| game.1).sum::<f64>() / count;
    let square = games.iter().map(|game| (game.1 - mean).powi(2)).sum::<f64>() / count;
    let bound = 3.0 * (square / count).sqrt();
    println!("P(down) {share:.4}, mean return {mean:.4} +- {:.4}, exact {exact:.4}", bound / 1.5);
    assert!((mean - exact).abs() < bound, "{mean:.4} +- {bound:.4}, exact {exact:.4}");
}

#[test]
fn the_picture_without_an_emulator_is_the_console_s_in_every_state() {
    let maze = maze();
    let mut played = Played::new(cartridge::options(&maze, false), 7);
    let mut actions = Actions::new(7);
    let mut seen = HashSet::new();
    for _ in 0..150 {
        played.reset();
        loop {
            let (cell, console) = (played.cell(), played.env.console());
            let drawn = cartridge::picture(cell);
            let wrong = drawn.iter().zip(console.screen()).position(|(a, b)| a != b);
            assert_eq!(wrong.map(|at| (at / 160, at % 160)), None, "line and column, at {cell:?}");
            let colours = drawn.iter().flat_map(|&index| cartridge::colour(index));
            let wrong = colours.zip(console.screen_rgb()).position(|(a, b)| a != b);
            let index = wrong
                .map(|at| (drawn[at / 3], console.palette().rgb[usize::from(drawn[at / 3] >> 1)]));
            assert_eq!(index, None, "palette index and its colour");
            seen.insert(cell);
            if played.step(actions.next(4)).done {
                let cell = played.cell();
                assert_eq!(cartridge::picture(cell), played.env.console().screen(), "at {cell:?}");
                seen.insert(cell);
                break;
            }
        }
    }
    assert_eq!(seen.len(), maze.states(), "not all states were seen");
}

#[test]
fn the_two_stars_differ_in_the_agents_row_alone() {
    let maze = maze();
    let view = view(&maze);
    let distinct: HashSet<_> = view.frames.iter().collect();
    assert_eq!(distinct.len(), maze.states(), "two states look the same");
    let [upper, lower] = maze.stars().map(|star| &view.frames[star]);
    // A row of the grid is 14 rows of the observation, from row 6; a column 10.5 columns.
    let mut changed = [0; 5];
    for (at, (a, b)) in upper.iter().zip(lower).enumerate() {
        if a != b {
            let (row, column) = (at / OBS_SIDE, at % OBS_SIDE);
            changed[(row - 6) / 14] += 1;
            assert!((52..=63).contains(&column), "column {column} differs");
        }
    }
    println!("pixels that differ, by rows of the grid: {changed:?}");
    assert!(changed[1] > 50 && changed[3] > 50, "{changed:?}");
    assert_eq!([changed[0], changed[2], changed[4]], [0; 3]);
}

#[test]
fn no_ops_before_a_game_change_nothing_but_the_chance() {
    let maze = maze();
    let view = view(&maze);
    let options = AtariOptions { noop_max: 30, ..cartridge::options(&maze, false) };
    let mut played = Played::new(options, 9);
    let mut rows = HashSet::new();
    for _ in 0..30 {
        played.reset();
        assert_eq!(state_of(&view, &played.seen), maze.start());
        for column in [1, 1, 2, 3, 4, 5] {
            played.step(number(Action::Right));
            assert_eq!(played.cell().1, column, "one step is one move");
        }
        rows.insert(played.cell().0);
    }
    assert_eq!(rows, HashSet::from([1, 3]), "both corridors");
}

#[test]
fn sticky_actions_never_move_twice_in_a_step() {
    let maze = maze();
    let options = AtariOptions {
        repeat_action_probability: 0.25,
        noop_max: 30,
        ..cartridge::options(&maze, false)
    };
    let values: Vec<f32> = (0..4).map(|code| options.rewards.value(code).unwrap() as f32).collect();
    let mut played = Played::new(options, 2);
    let mut actions = Actions::new(2);
    let (mut still, mut moved) = (0, 0);
    for game in 0..120 {
        played.reset();
        let mut done = false;
        while !done {
            let before = played.cell();
            // Half of the games run to the right, where a wrong lock would move most.
            let action = if game % 2 == 0 { number(Action::Right) } else { actions.next(4) };
            let outcome = played.step(action);
            let after = played.cell();
            let distance = before.0.abs_diff(after.0) + before.1.abs_diff(after.1);
            assert!(distance <= 1, "from {before:?} to {after:?} in a step");
            assert!(values.contains(&outcome.raw_reward), "two rewards: {}", outcome.raw_reward);
            (still, moved) = (still + u32::from(distance == 0), moved + u32::from(distance == 1));
            done = outcome.done;
        }
    }
    assert!(moved > 700 && still > 100, "{moved} steps moved, {still} did not");
}

/// Digest of screen and RAM over random frames.
fn digest(emulator: &mut Emulator) -> u64 {
    let mut actions = Actions::new(3);
    let mut hasher = DefaultHasher::new();
    for _ in 0..400 {
        let id = 2 + actions.next(4);
        emulator.act(u8::try_from(id).unwrap()).unwrap();
        (emulator.screen(), emulator.ram()).hash(&mut hasher);
    }
    hasher.finish()
}

#[test]
fn a_seed_determines_the_game() {
    let first = digest(&mut emulator(1, 0.25));
    let mut second = emulator(2, 0.25);
    assert_ne!(digest(&mut second), first, "another seed, another game");
    second.reset_with_seed(1).unwrap();
    assert_eq!(digest(&mut second), first, "whatever was played before");
}

#[test]
fn every_frame_has_262_lines() {
    let mut emulator = emulator(1, 0.0);
    let mut actions = Actions::new(8);
    for game in 1..=20 {
        emulator.reset_with_seed(game).unwrap();
        for _ in 0..100 {
            emulator.act(u8::try_from(actions.next(18)).unwrap()).unwrap();
            assert_eq!(emulator.scanlines(), 262);
        }
    }
}

#[test]
fn for_people_a_push_is_a_move_and_fire_starts_again() {
    let mut emulator = emulator(4, 0.0);
    let column = |emulator: &Emulator| cell(&emulator.ram()).1;
    let frames = |emulator: &mut Emulator, id: u8, count: usize| {
        for _ in 0..count {
            emulator.act(id).unwrap();
        }
    };
    // Left difficulty B: a held stick moves every four frames.
    frames(&mut emulator, RIGHT, 12);
    assert_eq!(column(&emulator), 2, "start, hazard, corridor: three moves");
    emulator.act(FIRE).unwrap();
    assert_eq!(cell(&emulator.ram()), (2, 0), "FIRE begins a new episode");
    emulator.set_left_difficulty_a(true);
    frames(&mut emulator, NOOP, 4);
    frames(&mut emulator, RIGHT, 60);
    assert_eq!(column(&emulator), 1, "one push, one move");
    frames(&mut emulator, NOOP, 1);
    frames(&mut emulator, RIGHT, 60);
    frames(&mut emulator, NOOP, 1);
    frames(&mut emulator, RIGHT, 60);
    assert_eq!(column(&emulator), 2, "two pushes more: into the corridor, and on");
    // The end stays until something starts again.
    emulator.set_left_difficulty_a(false);
    frames(&mut emulator, RIGHT, 60);
    assert!(emulator.game_over());
    emulator.reset().unwrap();
    assert_eq!(cell(&emulator.ram()), (2, 0), "RESET begins a new episode");
    assert!(!emulator.game_over());
}

#[test]
fn restored_games_go_on_as_the_others() {
    let maze = maze();
    let options = cartridge::options(&maze, true);
    let envs = |seed| {
        let rom = Rom::maze_cartridge().unwrap();
        Numbered::new(AtariEnvs::new(&rom, options, 5, seed, 2).unwrap())
    };
    let mut original = envs(1);
    let mut actions = Actions::new(6);
    let mut chosen = || -> Vec<u32> { (0..5).map(|_| actions.next(4)).collect() };
    block_on(reset(&mut original)).unwrap();
    for _ in 0..3 {
        for _ in 0..37 {
            block_on(step(&mut original, &chosen())).unwrap();
        }
        let bytes = block_on(original.snapshot()).unwrap().expect("games have seeds of their own");
        let mut restored = envs(99);
        block_on(restored.restore(&bytes)).unwrap();
        let mut ends = 0;
        for _ in 0..60 {
            assert!(restored.observations() == original.observations());
            assert_eq!(restored.outcomes(), original.outcomes());
            let actions = chosen();
            block_on(step(&mut original, &actions)).unwrap();
            block_on(step(&mut restored, &actions)).unwrap();
            ends += original.outcomes().iter().filter(|outcome| outcome.done).count();
        }
        assert!(ends > 2, "no episode ended, little was tested");
    }
}
