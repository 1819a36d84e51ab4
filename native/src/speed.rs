//! `native speed`: the one tool every performance claim comes from.
//!
//! Medians over repetitions after a warm-up; each part is measured as training uses it.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use deepspi_core::algorithm::deep_spi::{Learner, draw_noise};
use deepspi_core::collect::evaluate;
use deepspi_core::data::rollout::{Rollout, observations};
use deepspi_core::model::Model;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::{Config, ConfigOverrides};
use deepspi_run::decision::Decision;
use deepspi_run::message::Message;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::atari::{AtariOverrides, AtariTraining};
use deepspi_worlds::env::{self, VectorEnv};
use deepspi_worlds::maze::MazeConfig;
use deepspi_worlds::rng::Generators;
use serde::Serialize;

use crate::device::{self, DeviceChoice};
use crate::run::output::resident_memory_mb;
use crate::run::settings;
use crate::stats::Quartiles;
use crate::worlds::{self, WorldArgs};

/// Flags of `speed`.
#[derive(Clone, Debug, Args)]
pub struct SpeedArgs {
    /// Device to measure: auto, gpu, gpu:NAME or cpu.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Atari game.
    #[arg(long, value_name = "GAME", default_value = "Breakout")]
    pub env: String,
    /// Folder with ROMs; else $ALE_ROMS_DIR, the user's cache, an installed ale_py, or a download.
    #[arg(long, value_name = "DIR")]
    pub roms: Option<PathBuf>,
    /// Threads of the environments; default: all cores.
    #[arg(long, value_name = "N")]
    pub env_threads: Option<usize>,
    /// Repetitions; medians are reported.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub repeats: u64,
    /// Also run this many updates and report how resident memory grows.
    #[arg(long, value_name = "UPDATES")]
    pub memory_updates: Option<u64>,
    /// One JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
    /// How games are played.
    #[command(flatten)]
    pub atari: AtariOverrides,
    /// Hyper-parameters.
    #[command(flatten)]
    pub hyper: ConfigOverrides,
}

/// Everything measured.
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
    /// One policy and value forward pass of N observations, with upload and read.
    policy_forward_ms: Quartiles,
    /// One minibatch update: gather, noise, loss, gradient, step, read of the metrics.
    update_ms: Quartiles,
    /// Agent steps per second of whole iterations.
    end_to_end_steps_per_second: Quartiles,
    /// Growth of resident memory over `memory_updates` updates, MB.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_growth_mb: Option<f64>,
}

/// Runs `native speed`.
///
/// # Errors
/// If the world, its ROM or the device is not there.
pub fn run(args: &SpeedArgs) -> Result<()> {
    let config = settings::resolve(&args.hyper, None, &Config::DEFAULT)?;
    let said = WorldArgs {
        env_threads: args.env_threads,
        maze: Some(MazeConfig::DEFAULT),
        atari: Some(AtariTraining::DEFAULT.with(&args.atari)),
        ..WorldArgs::default()
    };
    let mut world = worlds::choose(Some(&args.env), &said, |_| false)?;
    // Sticky actions as in the usual protocol, so that peers can be run with the same setting.
    world.set_sticky_actions(0.25);
    let spec = world.network();
    let selected = device::select(&args.device)?;
    device::verify(&selected, &config, &spec)?;
    let mut envs = world.open(&config, config.seed, args.roms.as_deref())?;
    pollster::block_on(env::reset(&mut *envs))?;

    let env_steps = environments(&mut *envs, args.repeats)?;
    let mut bench = UpdateBench::new(&config, &spec, &selected.device, &mut *envs)?;
    let forward = bench.forward(&*envs, args.repeats)?;
    let updates = bench.updates(args.repeats)?;
    let memory_growth_mb =
        args.memory_updates.map(|count| bench.memory_growth(count)).transpose()?;
    let mut trainer = Trainer::new(config.clone(), spec.clone(), &selected.device)?;
    let end_to_end = end_to_end(&mut trainer, &mut *envs, args.repeats.div_ceil(3), drop)?;

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
        end_to_end_steps_per_second: end_to_end,
        memory_growth_mb,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, args.memory_updates);
    }
    Ok(())
}

fn print(report: &Report, memory_updates: Option<u64>) {
    println!("{} | {} | revision {}", report.device, report.env, report.revision);
    println!(
        "{} environments, {} threads, minibatch {}",
        report.num_envs, report.env_threads, report.minibatch
    );
    println!("{:32} {:>10} {:>22}", "median of repeats", "median", "quartiles");
    for (name, q) in [
        ("environments, agent steps/s", report.env_steps_per_second),
        ("policy forward, ms", report.policy_forward_ms),
        ("minibatch update, ms", report.update_ms),
        ("end to end, agent steps/s", report.end_to_end_steps_per_second),
    ] {
        println!("{name:32} {:>10.1} {:>10.1} .. {:>8.1}", q.median, q.low, q.high);
    }
    if let (Some(growth), Some(updates)) = (report.memory_growth_mb, memory_updates) {
        println!("resident memory over {updates} updates: {growth:+.1} MB");
    }
}

/// Summary of repeated measurements.
fn quartiles(measured: impl Iterator<Item = Result<f64>>) -> Result<Quartiles> {
    let values: Vec<f64> = measured.collect::<Result<_>>()?;
    Quartiles::of(&values).context("nothing was measured; repeat at least once")
}

/// Agent steps per second under random actions, in windows of 20 steps of all environments.
fn environments(envs: &mut dyn VectorEnv, repeats: u64) -> Result<Quartiles> {
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

/// One rollout of real frames and a learner to update on it.
struct UpdateBench {
    config: Config,
    spec: NetworkSpec,
    device: burn::tensor::Device,
    learner: Learner,
    rollout: Rollout,
    generators: Generators,
}

impl UpdateBench {
    fn new(
        config: &Config,
        spec: &NetworkSpec,
        device: &burn::tensor::Device,
        envs: &mut dyn VectorEnv,
    ) -> Result<Self> {
        let mut generators = Generators::new(config.seed);
        let mut rollout = Rollout::start(envs, &vec![false; config.num_envs]);
        let random = Decision::from_logits(
            &vec![0.0; config.num_envs * spec.actions],
            vec![0.0; config.num_envs],
            spec.actions,
        );
        for _ in 0..config.num_steps {
            let actions = random.sample(spec.actions, &mut generators.actions);
            pollster::block_on(env::step(envs, &actions))?;
            rollout.push(random.clone(), actions, envs);
        }
        rollout.finish(random.values);
        Ok(Self {
            learner: Learner::new(Model::new(spec, config, device), config),
            config: config.clone(),
            spec: spec.clone(),
            device: device.clone(),
            rollout,
            generators,
        })
    }

    fn forward(&self, envs: &dyn VectorEnv, repeats: u64) -> Result<Quartiles> {
        let model = self.learner.plain();
        let once = || -> Result<f64> {
            let start = Instant::now();
            let (frame, pixels) = (envs.frame(), envs.observations());
            let input = observations(frame, envs.num_envs(), &self.device, |i| {
                &pixels[i * frame.len()..(i + 1) * frame.len()]
            });
            pollster::block_on(evaluate(&model, input, self.spec.actions))?;
            Ok(milliseconds(start))
        };
        once()?;
        once()?;
        quartiles((0..repeats).map(|_| once()))
    }

    fn update_once(&mut self, round: usize) -> Result<f64> {
        let config = &self.config;
        let targets = self.rollout.advantages(config.gamma, config.gae_lambda);
        let lifted = self.device.clone().autodiff();
        let start = Instant::now();
        let size = config.minibatch_size();
        let indices: Vec<usize> =
            (0..size).map(|i| (i * config.num_minibatches + round) % self.rollout.len()).collect();
        let mut batch =
            self.rollout.minibatch(&indices, &targets, config.uses_world_model(), &lifted);
        let (model, rng) = (self.learner.trainable(), &mut self.generators.noise);
        batch.noise = draw_noise(model, config, size, rng, &lifted);
        let (learner, pending) = self.learner.clone().update(&batch, config, &[2.5e-4]);
        self.learner = learner;
        pollster::block_on(pending.read())?;
        Ok(milliseconds(start))
    }

    fn updates(&mut self, repeats: u64) -> Result<Quartiles> {
        const WARM_UP: usize = 3;
        for round in 0..WARM_UP {
            self.update_once(round)?;
        }
        quartiles((0..repeats as usize).map(|round| self.update_once(round)))
    }

    fn memory_growth(&mut self, updates: u64) -> Result<f64> {
        const WARM_UP: usize = 20;
        for round in 0..WARM_UP {
            self.update_once(round)?;
        }
        let before = resident_memory_mb();
        for round in 0..updates as usize {
            self.update_once(round)?;
        }
        Ok(resident_memory_mb() - before)
    }
}

/// Agent steps per second of whole iterations, after one to warm up; `message` gets what they report.
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

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
