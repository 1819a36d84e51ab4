//! What random play returns, as hashes: `cargo run --workspace --example trace [GAME] [SEEDS]
//! [STEPS]`. Defaults: Breakout, 30 seeds, 1,000 steps. `MazeCartridge` is the free cartridge.
//!
//! Prints JSON: the game, its ROM, the options, for each seed the hash of everything that a
//! reset and the steps return, and the emulated frames per second of this one thread. The browser
//! tests (`tests/browser/emulator.test.mjs`) play the same games in the emulator worker and compare
//! the hashes. The hash is the SHA-256 over the results, one after another: the SHA-256 of the
//! observation, reward and raw reward (`f32`), `done`, `terminated`, `truncated` (a byte each),
//! lives (`i32`), elapsed steps (`u32`), all little-endian.

use std::{env, error::Error, time::Duration, time::Instant};

use deepspi_ale::{Rom, RomFinder, environment};
use deepspi_worlds::atari::{AtariOptions, Game, StepOutcome};
use deepspi_worlds::cartridge;
use deepspi_worlds::maze::{Maze, MazeConfig};
use sha2::{Digest, Sha256};

/// The generator of `tests/common/mod.rs` and of the browser tests.
struct Actions(u32);

impl Actions {
    const fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453))
    }

    const fn next(&mut self, n_actions: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) % n_actions
    }
}

fn add(hasher: &mut Sha256, observation: &[u8], outcome: &StepOutcome) {
    hasher.update(Sha256::digest(observation));
    hasher.update(outcome.reward.to_le_bytes());
    hasher.update(outcome.raw_reward.to_le_bytes());
    hasher.update([outcome.done, outcome.terminated, outcome.truncated].map(u8::from));
    hasher.update(outcome.lives.to_le_bytes());
    hasher.update(outcome.elapsed_steps.to_le_bytes());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |index: usize, default: u32| {
        arguments.get(index).map_or(Ok(default), |text| text.parse::<u32>())
    };
    let name = arguments.first().map_or("Breakout", String::as_str);
    let (seeds, steps) = (number(1, 30)?, number(2, 1_000)?);
    let (rom, options) = if cartridge::is_name(name) {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99)?;
        (Rom::maze_cartridge()?, cartridge::options(&maze, true))
    } else {
        let rom = RomFinder::from_environment(None).find(Game::find(name)?)?;
        (rom, AtariOptions::stochastic())
    };
    let game = rom.game();
    let n_actions = u32::try_from(game.n_actions())?;

    let mut hashes = Vec::new();
    let mut playing = Duration::ZERO;
    for seed in 0..seeds {
        let mut env = environment(&rom, options, seed.into(), 0)?;
        let mut stack = vec![0; options.observation_len()];
        let mut actions = Actions::new(seed);
        let mut hasher = Sha256::new();
        let outcome = env.reset(&mut stack)?;
        add(&mut hasher, &stack, &outcome);
        for _ in 0..steps {
            let begin = Instant::now();
            let outcome = env.step(actions.next(n_actions), &mut stack)?;
            playing += begin.elapsed();
            add(&mut hasher, &stack, &outcome);
        }
        hashes.push(serde_json::json!({ "seed": seed, "hash": hex(&hasher.finalize()) }));
    }
    let frames = f64::from(seeds * steps * options.frame_skip);
    let trace = serde_json::json!({
        "game": game.name,
        "rom": hex(rom.bytes()),
        "options": options,
        "steps": steps,
        "seeds": hashes,
        "frames_per_second": (frames / playing.as_secs_f64()).round(),
    });
    println!("{}", serde_json::to_string_pretty(&trace)?);
    Ok(())
}
