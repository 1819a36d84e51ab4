//! `native train`: one run from its arguments to its last checkpoint.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{ArgMatches, parser::ValueSource};
use deepspi_core::trainer::Trainer;
use deepspi_run::checkpoint::{ENVIRONMENTS, State};
use deepspi_run::config::Config;
use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::env::{self, VectorEnv};
use deepspi_worlds::maze::MazeConfig;

use crate::checkpoints::{CheckpointStore, Loaded};
use crate::claim::{Claim, claim};
use crate::cli::{EXIT_BUSY, TrainArgs};
use crate::device::{self, Selected};
use crate::folder_lock::FolderLock;
use crate::run_folder::RunFolder;
use crate::session::Session;
use crate::settings;
use crate::worlds::{self, Analysis, World, WorldArgs};

/// Runs `native train`.
///
/// # Errors
/// Bad input, or a failure of disk, device or emulator; checkpoints already written are intact.
pub fn run(args: &TrainArgs, matches: &ArgMatches) -> Result<ExitCode> {
    if let Some(folder) = &args.resume {
        return resume(folder, args, matches);
    }
    let world = if args.env.is_some() || !args.print_config {
        Some(chosen_world(args, matches)?)
    } else {
        None
    };
    let defaults = world.as_ref().map_or(Config::DEFAULT, |world| world.defaults());
    let config = settings::resolve(&args.hyper, matches, args.config.as_deref(), &defaults)?;
    match (world, &args.run_dir) {
        (Some(world), Some(folder)) if !args.print_config => {
            start_or_continue(folder, &*world, &config, args)
        }
        (Some(world), None) if !args.print_config => start(&*world, &config, args),
        _ => print_config(&config),
    }
}

fn chosen_world(args: &TrainArgs, matches: &ArgMatches) -> Result<Box<dyn World>> {
    let said = WorldArgs {
        stochastic: args.stochastic,
        env_threads: args.env_threads,
        maze: Some(args.maze),
        atari: Some(args.atari),
    };
    let given = |field: &str| matches.value_source(field) == Some(ValueSource::CommandLine);
    worlds::choose(args.env.as_deref(), &said, given)
}

/// The configuration as `--config` takes it.
fn print_config(config: &Config) -> Result<ExitCode> {
    print!("{}", toml::to_string(config)?);
    Ok(ExitCode::SUCCESS)
}

fn start(world: &dyn World, config: &Config, args: &TrainArgs) -> Result<ExitCode> {
    let new = New::prepare(world, config, args)?;
    let info = worlds::describe(world, &new.selected.description);
    let folder = RunFolder::create(&args.runs_dir, info, config)?;
    match FolderLock::take(&folder.path)? {
        Some(lock) => new.train(&folder, args, &lock),
        None => Ok(busy(&folder.path)),
    }
}

/// The run of a folder of a given name, wherever it stands.
fn start_or_continue(
    path: &Path,
    world: &dyn World,
    config: &Config,
    args: &TrainArgs,
) -> Result<ExitCode> {
    // The device is not known yet; another one does not make it another run.
    match claim(path, &worlds::describe(world, ""), config)? {
        Claim::Busy => Ok(busy(path)),
        Claim::Finished => {
            eprintln!("{} is finished already", path.display());
            Ok(ExitCode::SUCCESS)
        }
        Claim::New(lock) => {
            let new = New::prepare(world, config, args)?;
            let info = worlds::describe(world, &new.selected.description);
            let folder = RunFolder { path: path.to_owned(), info };
            folder.describe(config)?;
            new.train(&folder, args, &lock)
        }
        Claim::Unfinished(folder, loaded, lock) => go_on(&folder, *loaded, args, &lock),
    }
}

fn resume(path: &Path, args: &TrainArgs, matches: &ArgMatches) -> Result<ExitCode> {
    let folder = RunFolder::open(path)?;
    let Some(lock) = FolderLock::take(path)? else { return Ok(busy(path)) };
    let store = CheckpointStore::new(folder.checkpoints(), args.keep_checkpoints as usize);
    let mut loaded = store.load_newest()?;
    change_length(&mut loaded.checkpoint.state, &args.hyper, matches)?;
    if args.print_config {
        return print_config(&loaded.checkpoint.state.config);
    }
    go_on(&folder, loaded, args, &lock)
}

/// A run from its newest checkpoint. Who has the lock may write into the folder.
fn go_on(folder: &RunFolder, loaded: Loaded, args: &TrainArgs, _: &FolderLock) -> Result<ExitCode> {
    let Loaded { checkpoint, path: checkpoint_path, skipped } = loaded;
    for problem in skipped {
        tracing::warn!("skipped a damaged checkpoint: {problem}");
    }
    let world = worlds::of_run(&folder.info, args.env_threads)?;
    let selected = device::select(&args.device)?;
    let mut trainer = Trainer::restore(&checkpoint, &world.network(), &selected.device)
        .with_context(|| format!("cannot continue {}", checkpoint_path.display()))?;
    let config = trainer.config().clone();
    let stored = checkpoint.section(ENVIRONMENTS);
    // Environments that begin anew must not repeat those from the start of the run.
    let seed = if stored.is_some() {
        config.seed
    } else {
        config.seed.wrapping_add(trainer.global_step())
    };
    let mut opened = Opened::new(&*world, &config, seed, args)?;
    if let Some(stored) = stored {
        tracing::info!("bringing the environments back to where they were");
        opened.envs.restore(stored).with_context(|| {
            format!("cannot restore the environments of {}", checkpoint_path.display())
        })?;
    } else {
        opened.reset()?;
        trainer.environments_were_reset();
    }
    device::verify(&selected, &config, &world.network())?;
    announce(folder, &config, &selected);
    tracing::info!(
        "continuing at step {} from {}",
        trainer.global_step(),
        checkpoint_path.display()
    );
    opened.train(trainer, folder, args)
}

/// Another process trains the folder; not a fault, but nothing was done either.
fn busy(path: &Path) -> ExitCode {
    eprintln!("error: another process trains {}; wait until it ends, or stop it", path.display());
    ExitCode::from(EXIT_BUSY)
}

/// A run that is ready to begin and has written nothing yet.
struct New {
    selected: Selected,
    trainer: Trainer,
    opened: Opened,
}

impl New {
    fn prepare(world: &dyn World, config: &Config, args: &TrainArgs) -> Result<Self> {
        let selected = device::select(&args.device)?;
        let mut opened = Opened::new(world, config, config.seed, args)?;
        device::verify(&selected, config, &world.network())?;
        opened.reset()?;
        let trainer = Trainer::new(config.clone(), world.network(), &selected.device)?;
        Ok(Self { selected, trainer, opened })
    }

    /// Trains it; who has the lock may write into the folder.
    fn train(self, folder: &RunFolder, args: &TrainArgs, _: &FolderLock) -> Result<ExitCode> {
        announce(folder, self.trainer.config(), &self.selected);
        self.opened.train(self.trainer, folder, args)
    }
}

/// A world whose environments are running.
struct Opened {
    envs: Box<dyn VectorEnv>,
    analysis: Option<Box<dyn Analysis>>,
}

impl Opened {
    fn new(world: &dyn World, config: &Config, seed: u64, args: &TrainArgs) -> Result<Self> {
        let envs = world.open(config, seed, args.roms.as_deref())?;
        Ok(Self { envs, analysis: world.analysis(config)? })
    }

    fn reset(&mut self) -> Result<()> {
        pollster::block_on(env::reset(&mut *self.envs))
            .context("the environments could not be reset")
    }

    fn train(self, trainer: Trainer, folder: &RunFolder, args: &TrainArgs) -> Result<ExitCode> {
        Session::new(trainer, self.envs, self.analysis, folder, args)?.train()
    }
}

/// A resumed run keeps its hyper-parameters, except that it may be made longer or shorter.
fn change_length(state: &mut State, given: &Config, matches: &ArgMatches) -> Result<()> {
    if matches.value_source("runs_dir") == Some(ValueSource::CommandLine) {
        bail!("--runs-dir cannot be given with --resume: a continued run stays in its folder");
    }
    let fields = Config::FIELDS.iter().chain(MazeConfig::FIELDS).chain(AtariTraining::FIELDS);
    for field in fields {
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
