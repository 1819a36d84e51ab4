//! Agent steps per second: `cargo run --release -p deepspi-ale --example throughput [GAME] [ENVS]
//! [THREADS] [SECONDS]`.
//!
//! Defaults: Breakout, 128 environments, 2 threads, 10 seconds, sticky actions 0.25, random
//! actions.

use std::{env, error::Error, time::Instant};

use deepspi_ale::{AtariEnvs, RomFinder};
use deepspi_worlds::atari::{AtariOptions, Game};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |index: usize, default: usize| {
        arguments.get(index).map_or(Ok(default), |text| text.parse::<usize>())
    };
    let game = Game::find(arguments.first().map_or("Breakout", String::as_str))?;
    let (num_envs, threads, seconds) = (number(1, 128)?, number(2, 2)?, number(3, 10)?);

    let rom = RomFinder::from_environment(None).find(game)?;
    let options = AtariOptions { repeat_action_probability: 0.25, ..AtariOptions::default() };
    let begin = Instant::now();
    let mut envs = AtariEnvs::new(&rom, options, num_envs, 1, threads)?;
    let created = begin.elapsed();
    envs.reset()?;
    println!(
        "{num_envs} environments of {} created in {:.2} s, reset in {:.2} s",
        game.name,
        created.as_secs_f64(),
        (begin.elapsed() - created).as_secs_f64()
    );

    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let n_actions = u32::try_from(game.n_actions())?;
    let mut actions = vec![0; num_envs];
    let begin = Instant::now();
    let mut steps = 0_u32;
    while begin.elapsed().as_secs() < seconds as u64 {
        actions.fill_with(|| rng.random_range(0..n_actions));
        envs.step(&actions)?;
        steps += u32::try_from(num_envs)?;
    }
    println!(
        "{:.0} agent steps/s over {threads} threads",
        f64::from(steps) / begin.elapsed().as_secs_f64()
    );
    Ok(())
}
