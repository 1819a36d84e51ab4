//! `native speed`: the benchmark. All performance claims come from it.
//!
//! Reports medians over repetitions after a warm-up. Each part is measured in the way training uses
//! it. On a GPU it also counts launches, uploads and waits, which do not depend on the machine.

mod launches;
#[cfg(feature = "gpu")]
mod observer;
mod timing;
mod update;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use deepspi_core::trainer::Trainer;
use deepspi_options::flags::whole_number;
use deepspi_run::config::{Config, ConfigOverrides};
use deepspi_run::decision::Decision;
use deepspi_run::message::Message;
use deepspi_worlds::atari::{AtariOverrides, AtariTraining};
use deepspi_worlds::env::{self, VectorEnv};
use deepspi_worlds::maze::MazeConfig;
use deepspi_worlds::rng::Generators;
use serde::Serialize;

use self::launches::{Counts, KernelUse, counted, kernels};
use self::timing::quartiles;
use self::update::UpdateBench;
use crate::device::{self, DeviceChoice};
use crate::run::settings;
use crate::stats::Quartiles;
use crate::terminal::{note, say};
use crate::worlds::{self, WorldArgs};

/// Flags of `speed`.
#[derive(Clone, Debug, Args)]
pub struct SpeedArgs {
    /// Device to measure: auto, gpu, gpu:NAME, gpu:NUMBER or cpu.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Atari game.
    #[arg(long, value_name = "GAME", default_value = "Breakout")]
    pub env: String,
    /// Folder with ROMs; else $ALE_ROMS_DIR, the user's cache, an installed ale_py, or a download.
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
    /// Number of threads of the environments; default: all cores.
    #[arg(long, value_name = "N", value_parser = whole_number::<usize>(1..=4096))]
    pub env_threads: Option<usize>,
    /// Number of repetitions; medians are reported.
    #[arg(long, default_value_t = 10, value_parser = whole_number::<u64>(1..=10_000))]
    pub repeats: u64,
    /// Also run this many updates and report the growth of resident memory.
    #[arg(long, value_name = "UPDATES", value_parser = whole_number::<u64>(1..=u64::MAX))]
    pub memory_updates: Option<u64>,
    /// Also list the kernels of one update by time (only on a GPU).
    #[arg(long)]
    pub kernels: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Rules of the games.
    #[command(flatten)]
    pub atari: AtariOverrides,
    /// Hyper-parameters.
    #[command(flatten)]
    pub hyper: ConfigOverrides,
}

/// All measurements.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    env: String,
    revision: &'static str,
    num_envs: usize,
    minibatch: usize,
    env_threads: usize,
    repeats: u64,
    /// Agent steps per second of the environments alone.
    env_steps_per_second: Quartiles,
    /// One forward pass of policy and value for N observations, with upload and readback.
    policy_forward_ms: Quartiles,
    /// One minibatch update: gather, noise, loss, gradient, step, readback of the metrics.
    update_ms: Quartiles,
    /// Latent steps per second of imagined rollouts; only of dream-spi.
    #[serde(skip_serializing_if = "Option::is_none")]
    imagined_steps_per_second: Option<Quartiles>,
    /// Agent steps per second of whole iterations.
    end_to_end_steps_per_second: Quartiles,
    /// Growth of resident memory over `memory_updates` updates, MB.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_growth_mb: Option<f64>,
    /// Growth of the memory of tensors on a GPU over them, MB.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_memory_growth_mb: Option<f32>,
    /// Launches, uploads and waits; only on a GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<AllCounts>,
    /// The kernels of one update, if they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    update_kernels: Vec<KernelUse>,
}

/// What each part of training asks of a GPU.
#[derive(Debug, Serialize)]
struct AllCounts {
    /// One minibatch update.
    update: Counts,
    /// One forward pass of policy and value for N observations.
    policy_pass: Counts,
    /// One imagined rollout, with its advantages; only of dream-spi.
    #[serde(skip_serializing_if = "Option::is_none")]
    imagination: Option<Counts>,
    /// One iteration: the rollout, all updates, the importance ratios, the metrics.
    iteration: Counts,
}

/// Runs `native speed`.
///
/// # Errors
/// If the world, its ROM or the device is not available.
pub fn run(args: &SpeedArgs) -> Result<()> {
    let config = settings::resolve(&args.hyper, None, &Config::DEFAULT)?;
    let said = WorldArgs {
        env_threads: args.env_threads,
        maze: Some(MazeConfig::DEFAULT),
        atari: Some(AtariTraining::DEFAULT.with(&args.atari)),
        ..WorldArgs::default()
    };
    let mut world = worlds::choose(Some(&args.env), &said, |_| false)?;
    // Sticky actions as in the usual protocol, so that other implementations can be run with the
    // same setting.
    world.set_sticky_actions(0.25);
    let spec = world.network();
    let selected = device::select(&args.device)?;
    device::verify(&selected, &config, &spec)?;
    let mut envs = world.open(&config, config.seed, args.roms.as_deref())?;
    pollster::block_on(env::reset(&mut *envs))?;

    let env_steps = environments(&mut *envs, args.repeats)?;
    let mut bench = UpdateBench::new(&config, &spec, &selected.device, &mut *envs)?;
    let forward = bench.forward(&mut *envs, args.repeats)?;
    let updates = bench.updates(args.repeats)?;
    let imagination = config.is_dream().then(|| bench.imagination(args.repeats)).transpose()?;
    let memory = args.memory_updates.map(|count| bench.memory_growth(count)).transpose()?;
    let mut trainer = Trainer::new(config.clone(), spec.clone(), &selected.device)?;
    let end_to_end = end_to_end(&mut trainer, &mut *envs, args.repeats.div_ceil(3), drop)?;

    let counts = if selected.is_gpu {
        let (update, time) = counted(|| bench.update_once(0));
        time?;
        let rollout = bench.one_step(&mut *envs)?;
        let (policy_pass, time) = counted(|| bench.forward_once(&rollout));
        time?;
        let (iteration, done) = counted(|| pollster::block_on(trainer.iterate(&mut *envs, |_| ())));
        done?;
        let imagination = if config.is_dream() {
            let start = bench.latents();
            let (imagination, time) = counted(|| bench.imagined_once(&start));
            time?;
            Some(imagination)
        } else {
            None
        };
        Some(AllCounts { update, policy_pass, imagination, iteration })
    } else {
        None
    };
    if args.kernels && !selected.is_gpu {
        note!("--kernels lists the kernels of a GPU; this is the CPU, so there is no list");
    }
    let update_kernels = if args.kernels && selected.is_gpu {
        let (kernels, time) = kernels(|| bench.update_once(0));
        time?;
        kernels
    } else {
        Vec::new()
    };

    let report = Report {
        device: selected.description,
        env: world.name().to_owned(),
        revision: env!("DEEPSPI_REVISION"),
        num_envs: config.num_envs,
        minibatch: config.minibatch_size(),
        env_threads: world.threads(),
        repeats: args.repeats,
        env_steps_per_second: env_steps,
        policy_forward_ms: forward,
        update_ms: updates,
        imagined_steps_per_second: imagination,
        end_to_end_steps_per_second: end_to_end,
        memory_growth_mb: memory.map(|(host, _)| host),
        device_memory_growth_mb: memory.and_then(|(_, device)| device),
        counts,
        update_kernels,
    };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, args.memory_updates);
    }
    Ok(())
}

fn print(report: &Report, memory_updates: Option<u64>) {
    say!("{} | {} | revision {}", report.device, report.env, report.revision);
    say!(
        "{} environments, {} threads, minibatch {}",
        report.num_envs,
        report.env_threads,
        report.minibatch
    );
    say!("{:32} {:>10} {:>22}", "median of repeats", "median", "quartiles");
    for (name, q) in [
        ("environments, agent steps/s", Some(report.env_steps_per_second)),
        ("policy forward, ms", Some(report.policy_forward_ms)),
        ("minibatch update, ms", Some(report.update_ms)),
        ("imagination, latent steps/s", report.imagined_steps_per_second),
        ("end to end, agent steps/s", Some(report.end_to_end_steps_per_second)),
    ] {
        let Some(q) = q else { continue };
        say!("{name:32} {:>10.1} {:>10.1} .. {:>8.1}", q.median, q.low, q.high);
    }
    if let (Some(growth), Some(updates)) = (report.memory_growth_mb, memory_updates) {
        say!("resident memory over {updates} updates: {growth:+.1} MB");
        if let Some(growth) = report.device_memory_growth_mb {
            say!("memory of tensors on the device: {growth:+.1} MB");
        }
    }
    if let Some(AllCounts { update, policy_pass, imagination, iteration }) = &report.counts {
        say!("\n{:32} {:>10} {:>12} {:>10}", "counts", "launches", "upload, kB", "waits");
        for (name, counts) in [
            ("minibatch update", Some(update)),
            ("policy forward", Some(policy_pass)),
            ("imagined rollout", imagination.as_ref()),
            ("iteration", Some(iteration)),
        ] {
            let Some(counts) = counts else { continue };
            let Counts { launches, uploaded_bytes, host_waits } = *counts;
            say!("{name:32} {launches:>10} {:>12.1} {host_waits:>10}", uploaded_bytes as f64 / 1e3);
        }
    }
    if !report.update_kernels.is_empty() {
        say!("\n{:>8} {:>10}  kernels of one update, each waited for", "launches", "ms");
        for KernelUse { kernel, launches, total_ms } in &report.update_kernels {
            say!("{launches:>8} {total_ms:>10.2}  {kernel}");
        }
    }
}

/// Agent steps per second with random actions, in windows of 20 steps of all environments.
///
/// # Errors
/// If the environments fail.
pub fn environments(envs: &mut dyn VectorEnv, repeats: u64) -> Result<Quartiles> {
    const STEPS: usize = 20;
    let mut generators = Generators::new(1);
    let actions = envs.actions();
    let random = Decision::from_logits(&vec![0.0; envs.num_envs() * actions], Vec::new(), actions);
    let mut window = |envs: &mut dyn VectorEnv| -> Result<f64> {
        let start = Instant::now();
        for _ in 0..STEPS {
            let chosen = random.sample(actions, &mut generators.actions);
            pollster::block_on(env::step(envs, &chosen))?;
        }
        Ok((STEPS * envs.num_envs()) as f64 / start.elapsed().as_secs_f64())
    };
    window(envs)?;
    quartiles((0..repeats).map(|_| window(envs)))
}

/// Agent steps per second of whole iterations, after one warm-up iteration; `message` gets their
/// messages.
///
/// # Errors
/// If training fails.
pub fn end_to_end(
    trainer: &mut Trainer,
    envs: &mut dyn VectorEnv,
    repeats: u64,
    mut message: impl FnMut(Message),
) -> Result<Quartiles> {
    let steps = trainer.config().batch_size() as f64;
    let mut once = || -> Result<f64> {
        let start = Instant::now();
        pollster::block_on(trainer.iterate(envs, &mut message))?;
        Ok(steps / start.elapsed().as_secs_f64())
    };
    once()?;
    quartiles((0..repeats).map(|_| once()))
}
