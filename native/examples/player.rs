//! How an agent plays natively on a screen of the playground: `cargo run --workspace --example player
//! RUN [STEPS] [SEED]`. RUN is a run folder; defaults: 200 steps, seed 1.
//!
//! Prints JSON with two games, one with the most probable actions and one with actions drawn from the
//! policy. `actions` and `rewards` have one number for each step, `values` the agent's value before
//! it, and `policy` its probabilities. A browser test (`tests/browser/atari-actions.test.mjs`) plays
//! the same games in the room Atari and compares. The rules and the random stream must therefore be
//! those of the page's screens: no sticky actions, no no-ops, and games go on after a lost life
//! (`web/trainer/src/worker/player/screen.rs`, `web/src/page/atari/state.rs`).

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use deepspi_ale::{Rom, RomFinder, environment};
use deepspi_core::player::Player;
use deepspi_run::checkpoint::Checkpoint;
use deepspi_run::decision::Decision;
use deepspi_run::world::World;
use deepspi_worlds::atari::AtariOptions;
use deepspi_worlds::rng::{Stream, stream};
use native::run::checkpoints::CheckpointStore;
use native::run::folder::RunFolder;
use serde_json::{Value, json};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| {
        arguments.get(index).map_or(Ok(default), |text| text.parse::<u64>())
    };
    let run = arguments.first().context("which run? player RUN [STEPS] [SEED]")?;
    let (steps, seed) = (number(1, 200)?, number(2, 1)?);
    let folder = RunFolder::open(Path::new(run))?;
    let checkpoint = CheckpointStore::new(folder.checkpoints(), 1).load_newest()?.checkpoint;
    let world = World::of_run(&folder.info)?;
    let game = world.game().context("this run is not on the emulator")?;
    let rom = match world {
        World::Cartridge { .. } => Rom::maze_cartridge()?,
        _ => RomFinder::from_environment(None).find(game)?,
    };
    let options = world.options(checkpoint.state.config.gamma)?.context("no game")?;
    let options = AtariOptions {
        repeat_action_probability: 0.0,
        noop_max: 0,
        episodic_life: false,
        ..options
    };
    let games = json!({
        "greedy": play(&checkpoint, &rom, options, seed, steps, true)?,
        "sampled": play(&checkpoint, &rom, options, seed, steps, false)?,
    });
    println!("{games}");
    Ok(())
}

fn play(
    checkpoint: &Checkpoint,
    rom: &Rom,
    options: AtariOptions,
    seed: u64,
    steps: u64,
    greedy: bool,
) -> Result<Value> {
    let player = Player::load(checkpoint, &Device::flex())?;
    let count = player.spec().actions;
    let mut draws = stream(seed, Stream::Actions);
    let mut env = environment(rom, options, seed, 0)?;
    let mut stack = vec![0; options.observation_len()];
    env.reset(&mut stack)?;
    let (mut actions, mut rewards) = (Vec::new(), Vec::new());
    let (mut values, mut policy) = (Vec::new(), Vec::new());
    for _ in 0..steps {
        let seen = pollster::block_on(player.perceive(&stack))?;
        let decision = Decision { log_probs: seen.log_probs, values: vec![seen.value] };
        let chosen = match greedy {
            true => decision.greedy(count),
            false => decision.sample(count, &mut draws),
        };
        let outcome = env.step(chosen[0], &mut stack)?;
        actions.push(chosen[0]);
        rewards.push(outcome.raw_reward);
        values.push(seen.value);
        policy.push(decision.log_probs.iter().map(|log| log.exp()).collect::<Vec<_>>());
    }
    Ok(json!({ "actions": actions, "rewards": rewards, "values": values, "policy": policy }))
}
