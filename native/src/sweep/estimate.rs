//! Estimates time and disk space of a sweep, from a short measurement on its device.

use anyhow::Result;
use deepspi_core::trainer::Trainer;
use deepspi_run::checkpoint::Checkpoint;
use deepspi_run::config::Algorithm;
use deepspi_worlds::env;
use indicatif::{HumanBytes, HumanCount};

use super::child::{KEEP_CHECKPOINTS, Starter};
use super::run_status::{RunState, RunStatus};
use crate::device::Selected;
use crate::speed::end_to_end;
use crate::terminal::{say, time_in_words};
use crate::worlds::{self, WorldArgs};

/// Number of timed iterations, after one warm-up iteration.
const ITERATIONS: u64 = 3;
/// Size of the log and the TensorBoard file together, relative to the messages: measured on Qbert.
const LOGS: f64 = 2.2;

/// The measurements of one algorithm.
#[derive(Clone, Copy, Debug)]
struct Measured {
    algo: Algorithm,
    /// Agent steps per second of one run that uses the machine alone.
    steps_per_second: f64,
    checkpoint_bytes: f64,
    /// Bytes of all logs per agent step.
    log_bytes: f64,
}

/// Measures every algorithm of the sweep on its first game and prints an estimate for all runs.
///
/// # Errors
/// If the game, its ROM or the device does not work.
pub fn print(starter: &Starter, runs: &[RunStatus], selected: &Selected) -> Result<()> {
    let open = |run: &&RunStatus| !run.is_complete();
    let (mut seconds, mut bytes, mut bytes_of_all) = (0.0, 0.0, 0.0);
    say!("measured on {}, one run at a time:", selected.description);
    for algo in &starter.sweep.algos {
        let one = measure(starter, *algo, selected)?;
        // The newest checkpoints, and the best.
        let kept = (starter.options.keep_checkpoints.unwrap_or(KEEP_CHECKPOINTS) + 1) as f64;
        let mut seconds_of_one = 0.0;
        for run in runs.iter().filter(|run| run.id.algo == *algo) {
            let size = one.checkpoint_bytes * kept + one.log_bytes * run.total as f64;
            bytes_of_all += size;
            seconds_of_one = run.total as f64 / one.steps_per_second;
            if open(&run) {
                seconds += (run.total - run.step.min(run.total)) as f64 / one.steps_per_second;
                bytes += size;
            }
        }
        say!(
            "{:9} {:>8.0} agent steps/s, a run takes {}, its checkpoints {} each",
            one.algo.name(),
            one.steps_per_second,
            time_in_words(seconds_of_one),
            HumanBytes(one.checkpoint_bytes as u64)
        );
    }
    let left = runs.iter().filter(open).count();
    say!(
        "{left} of {} runs to do: about {} on this machine, {} on the disk ({} for all runs); parallel runs share the machine and take less time in total if one run does not fill it",
        runs.len(),
        time_in_words(seconds),
        HumanBytes(bytes as u64),
        HumanBytes(bytes_of_all as u64)
    );
    Ok(())
}

/// Prints the runs in the order in which they will start.
pub fn print_plan(runs: &[RunStatus]) {
    for (number, run) in runs.iter().enumerate() {
        let state = match run.state {
            _ if run.is_complete() => "finished".to_owned(),
            RunState::Running => "running".to_owned(),
            _ if run.step > 0 => format!("continues after step {}", HumanCount(run.step)),
            _ => "to do".to_owned(),
        };
        say!("{:4} {:36} {} steps, {state}", number + 1, run.id, HumanCount(run.total));
    }
}

fn measure(starter: &Starter, algo: Algorithm, selected: &Selected) -> Result<Measured> {
    let sweep = &starter.sweep;
    let config = sweep.settings(algo, 1)?;
    let game = sweep.games.first().map_or("", String::as_str);
    let said = WorldArgs {
        stochastic: sweep.stochastic,
        env_threads: starter.options.env_threads,
        atari: sweep.atari,
        ..WorldArgs::default()
    };
    let world = worlds::choose(Some(game), &said, |_| false)?;
    let mut envs = world.open(&config, config.seed, starter.options.roms.as_deref())?;
    pollster::block_on(env::reset(&mut *envs))?;
    let steps = config.batch_size() as f64;
    let mut trainer = Trainer::new(config, world.network(), &selected.device)?;
    let mut lines = 0;
    let speed = end_to_end(&mut trainer, &mut *envs, ITERATIONS, |message| {
        lines += serde_json::to_vec(&message).map_or(0, |line| line.len() + 1);
    })?;
    let checkpoint: Checkpoint = pollster::block_on(trainer.checkpoint())?;
    let files = checkpoint.to_files()?;
    Ok(Measured {
        algo,
        steps_per_second: speed.median,
        checkpoint_bytes: files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() as f64,
        log_bytes: LOGS * lines as f64 / (steps * (ITERATIONS + 1) as f64),
    })
}
