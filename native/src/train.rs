//! `native train`: one run from its arguments to its last checkpoint.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{ArgMatches, parser::ValueSource};
use deepspi_core::checkpoint::State;
use deepspi_core::config::Config;
use deepspi_core::env::VectorEnv;
use deepspi_core::message::Message;
use deepspi_core::trainer::{TrainError, Trainer};

use crate::atari::{AtariEnvs, AtariSettings};
use crate::checkpoints::{CheckpointStore, Loaded};
use crate::cli::{EXIT_NOT_FINITE, TrainArgs};
use crate::device::{self, Selected};
use crate::output::Outputs;
use crate::run_folder::{RunFolder, RunInfo};
use crate::settings;
use crate::signals::StopFlag;

/// Runs `native train`.
///
/// # Errors
/// Bad input, or a failure of disk, device or emulator; checkpoints already written are intact.
pub fn run(args: &TrainArgs, matches: &ArgMatches) -> Result<ExitCode> {
    if let (Some(folder), false) = (&args.resume, args.print_config) {
        return resume(folder, args, matches)?.train();
    }
    let config = settings::resolve(&args.hyper, matches, args.config.as_deref())?;
    if args.print_config {
        print!("{}", toml::to_string(&config)?);
        return Ok(ExitCode::SUCCESS);
    }
    start(&config, args)?.train()
}

/// Everything a running training owns.
struct Session {
    trainer: Trainer,
    envs: AtariEnvs,
    outputs: Outputs,
    store: CheckpointStore,
    save_every: u64,
    stop: StopFlag,
}

fn start(config: &Config, args: &TrainArgs) -> Result<Session> {
    let Some(game) = &args.env else {
        bail!(
            "which game? Name one with --env, for example `--env Breakout`, or continue a run with --resume RUN"
        );
    };
    let settings = AtariSettings::new(game, args.stochastic, args.env_threads)?;
    let spec = settings.network();
    let selected = device::select(&args.device)?;
    let envs = AtariEnvs::new(&settings, args.roms.as_deref(), config.num_envs, config.seed)?;
    device::verify(&selected, config, &spec)?;
    let trainer = Trainer::new(config.clone(), spec, &selected.device)?;
    let info = RunInfo::now(settings.game.name, args.stochastic, &selected.description);
    let folder = RunFolder::create(&args.runs_dir, info, config)?;
    announce(&folder, config, &selected);
    Session::new(trainer, envs, &folder, args)
}

fn resume(path: &Path, args: &TrainArgs, matches: &ArgMatches) -> Result<Session> {
    let folder = RunFolder::open(path)?;
    let store = CheckpointStore::new(folder.checkpoints(), args.keep_checkpoints as usize);
    let Loaded { mut checkpoint, path: checkpoint_path, skipped } = store.load_newest()?;
    for problem in skipped {
        tracing::warn!("skipped a damaged checkpoint: {problem}");
    }
    change_length(&mut checkpoint.state, &args.hyper, matches)?;
    let settings = AtariSettings::new(&folder.info.env, folder.info.stochastic, args.env_threads)?;
    let spec = settings.network();
    let selected = device::select(&args.device)?;
    let mut trainer = Trainer::restore(checkpoint, &spec, &selected.device)
        .with_context(|| format!("cannot continue {}", checkpoint_path.display()))?;
    let config = trainer.config().clone();
    // An emulator's game cannot be stored exactly: the games start anew, with seeds of their own.
    let seed = config.seed.wrapping_add(trainer.global_step());
    let envs = AtariEnvs::new(&settings, args.roms.as_deref(), config.num_envs, seed)?;
    trainer.environments_were_reset();
    device::verify(&selected, &config, &spec)?;
    announce(&folder, &config, &selected);
    tracing::info!(
        "continuing at step {} from {}",
        trainer.global_step(),
        checkpoint_path.display()
    );
    Session::new(trainer, envs, &folder, args)
}

/// A resumed run keeps its hyper-parameters, except that it may be made longer or shorter.
fn change_length(state: &mut State, given: &Config, matches: &ArgMatches) -> Result<()> {
    if matches.value_source("runs_dir") == Some(ValueSource::CommandLine) {
        bail!("--runs-dir cannot be given with --resume: a continued run stays in its folder");
    }
    for field in Config::FIELDS {
        if matches.value_source(field) != Some(ValueSource::CommandLine) {
            continue;
        }
        if *field != "total_timesteps" {
            bail!(
                "--{} cannot be changed when a run is continued; start a new run, or leave the flag out",
                field.replace('_', "-")
            );
        }
        state.config.total_timesteps = given.total_timesteps;
    }
    Ok(())
}

fn announce(folder: &RunFolder, config: &Config, selected: &Selected) {
    eprintln!(
        "{} on {}{}, {} steps, seed {}, on {}\nrun folder: {}",
        config.algo.name(),
        folder.info.env,
        if folder.info.stochastic { " (stochastic)" } else { "" },
        config.total_timesteps,
        config.seed,
        selected.description,
        folder.path.display()
    );
}

impl Session {
    fn new(
        trainer: Trainer,
        mut envs: AtariEnvs,
        folder: &RunFolder,
        args: &TrainArgs,
    ) -> Result<Self> {
        envs.reset().context("the emulators could not be reset")?;
        let outputs =
            Outputs::open(&folder.path, &folder.info.env, trainer.config(), trainer.global_step())?;
        Ok(Self {
            trainer,
            envs,
            outputs,
            store: CheckpointStore::new(folder.checkpoints(), args.keep_checkpoints as usize),
            save_every: args.save_every.max(1),
            stop: StopFlag::install()?,
        })
    }

    fn train(mut self) -> Result<ExitCode> {
        let mut saved_at = self.trainer.global_step();
        let mut score = None;
        while !self.trainer.is_finished() {
            let mut messages = Vec::new();
            let outcome = pollster::block_on(
                self.trainer.iterate(&mut self.envs, |message| messages.push(message)),
            );
            for message in &messages {
                if let Message::Iteration(iteration) = message {
                    score = iteration.finished_return;
                }
                self.outputs.handle(message)?;
            }
            match outcome {
                Ok(()) => {}
                Err(error @ TrainError::NotFinite(_)) => return self.fail(&error),
                Err(error) => return Err(error.into()),
            }
            let due = self.trainer.global_step() - saved_at >= self.save_every;
            // Read once: a signal between two looks would end the run without saving it.
            let stop = self.stop.is_set();
            if due || stop || self.trainer.is_finished() {
                self.save(score)?;
                saved_at = self.trainer.global_step();
            }
            if stop {
                break;
            }
        }
        self.outputs.finish();
        Ok(ExitCode::SUCCESS)
    }

    fn save(&mut self, score: Option<f64>) -> Result<()> {
        let global_step = self.trainer.global_step();
        let checkpoint = pollster::block_on(self.trainer.checkpoint())?;
        let path = self.store.save(&checkpoint, global_step, score)?;
        let location = path.display().to_string();
        self.outputs.handle(&Message::CheckpointWritten { global_step, location })
    }

    /// The state in memory is spoilt; the last checkpoint is the last good one.
    fn fail(mut self, error: &dyn std::error::Error) -> Result<ExitCode> {
        let text = format!("{error}; checkpoints already written are intact");
        self.outputs.handle(&Message::Failure { text: text.clone() })?;
        self.outputs.finish();
        eprintln!("error: {text}");
        Ok(ExitCode::from(EXIT_NOT_FINITE))
    }
}
