//! `native train`: one run from its arguments to its last checkpoint.

mod args;
mod estimate;
mod memory;

use std::path::Path;

use anyhow::{Context, Result, bail};
pub use args::TrainArgs;
use deepspi_core::trainer::Trainer;
use deepspi_run::checkpoint::State;
use deepspi_run::config::Config;
use deepspi_run::run_files::{RunInfo, Saving};
use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::env::{self, VectorEnv};
use deepspi_worlds::maze::MazeConfig;
use serde::Serialize;

use crate::device::{self, Selected};
use crate::exit::Exit;
use crate::run::checkpoints::{CheckpointStore, Loaded};
use crate::run::claim::{Claim, claim};
use crate::run::config_file::{ConfigFile, WorldTable};
use crate::run::folder::{RunFolder, info_of};
use crate::run::lock::FolderLock;
use crate::run::session::{Session, SessionOptions, TrainingEnd};
use crate::run::settings;
use crate::terminal::{note, say};
use crate::worlds::{self, Analysis, World, WorldArgs};

/// Folder of the run folders if `--runs-dir` is not given.
const RUNS_DIR: &str = "runs";

/// Runs `native train`.
///
/// # Errors
/// Bad input, or a failure of disk, device or emulator; checkpoints that were already written are
/// intact.
pub fn run(args: &TrainArgs) -> Result<Exit> {
    if let Some(folder) = &args.resume {
        return resume(folder, args);
    }
    if args.env.as_deref() == Some("") {
        list_worlds();
        return Ok(Exit::Success);
    }
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
    let env = args.env.as_deref().or(file.world.env.as_deref());
    let world = (env.is_some() || !args.print_config).then(|| chosen_world(env, args, &file));
    let world = world.transpose()?;
    let defaults = world.as_ref().map_or(Config::DEFAULT, |world| world.defaults());
    let config = settings::resolve(&args.hyper, Some(&file), &defaults)?;
    match (world, &args.run_dir) {
        (Some(world), Some(folder)) if !args.print_config => {
            start_or_continue(folder, &*world, &config, args)
        }
        (Some(world), None) if !args.print_config => start(&*world, &config, args),
        (world, _) => {
            print_config(&config, world.map(|world| WorldTable::of(&info_of(&*world, ""))))
        }
    }
}

fn list_worlds() {
    for (name, about) in worlds::names() {
        say!("{}", format!("{name:16}{about}").trim_end());
    }
}

/// The world `env`, with the rules of the configuration file and, over them, those of the command line.
fn chosen_world(env: Option<&str>, args: &TrainArgs, file: &ConfigFile) -> Result<Box<dyn World>> {
    let WorldTable { stochastic, maze, atari, .. } = &file.world;
    let fields = env.map_or(&[][..], worlds::fields);
    let stochastic = stochastic.filter(|_| fields.contains(&"stochastic"));
    let said = WorldArgs {
        stochastic: args.stochastic.or(stochastic).unwrap_or_default(),
        env_threads: args.env_threads,
        maze: Some(MazeConfig::DEFAULT.with(maze).with(&args.maze)),
        atari: Some(AtariTraining::DEFAULT.with(atari).with(&args.atari)),
    };
    let world = worlds::choose(env, &said, |field| args.gives(field));
    let world = if file.world == WorldTable::default() {
        world?
    } else {
        let path = file.path.display();
        world.with_context(|| format!("{path} and the command line together give no world"))?
    };
    let reason = format!("{} has no such setting", world.name());
    file.note_useless(&reason, |field| fields.contains(&field));
    Ok(world)
}

/// Prints the configuration in the format of `--config`, with the world if one was chosen.
fn print_config(config: &Config, world: Option<WorldTable>) -> Result<Exit> {
    #[derive(Serialize)]
    struct Printed {
        #[serde(flatten)]
        config: toml::Table,
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<WorldTable>,
    }
    let printed = Printed { config: toml::Table::try_from(config)?, run: world };
    say!("{}", toml::to_string(&printed)?.trim_end());
    Ok(Exit::Success)
}

fn start(world: &dyn World, config: &Config, args: &TrainArgs) -> Result<Exit> {
    let prepared = PreparedRun::prepare(world, config, args)?;
    let info = prepared.info(world, args, None);
    let runs_dir = args.runs_dir.as_deref().unwrap_or(Path::new(RUNS_DIR));
    let folder = RunFolder::create(runs_dir, info, config)?;
    match FolderLock::take(&folder.path)? {
        Some(lock) => prepared.train(&folder, args, &lock),
        None => Ok(busy(&folder.path)),
    }
}

/// Begins the run of a given folder, continues it, or reports that it is finished.
fn start_or_continue(
    path: &Path,
    world: &dyn World,
    config: &Config,
    args: &TrainArgs,
) -> Result<Exit> {
    // The device is not known yet. It does not matter here, because a run may continue on another
    // device.
    match claim(path, &info_of(world, ""), config)? {
        Claim::Busy => Ok(busy(path)),
        Claim::Finished => {
            note!("{} is finished already", path.display());
            Ok(Exit::Success)
        }
        Claim::New(lock) => {
            let prepared = PreparedRun::prepare(world, config, args)?;
            // A run that was killed before its first checkpoint begins anew, and is saved as before.
            let before = RunFolder::open(path).ok().and_then(|before| before.info.saving);
            let info = prepared.info(world, args, before);
            let folder = RunFolder { path: path.to_owned(), info };
            folder.describe(config)?;
            prepared.train(&folder, args, &lock)
        }
        Claim::Unfinished(folder, loaded, lock) => go_on(&folder, *loaded, args, &lock),
    }
}

fn resume(path: &Path, args: &TrainArgs) -> Result<Exit> {
    let folder = RunFolder::open(path)?;
    let Some(lock) = FolderLock::take(path)? else { return Ok(busy(path)) };
    // The number of checkpoints to keep does not matter, because this only reads.
    let mut loaded = CheckpointStore::new(folder.checkpoints(), 1).load_newest()?;
    change_length(&mut loaded.checkpoint.state, args)?;
    if args.print_config {
        return print_config(&loaded.checkpoint.state.config, Some(WorldTable::of(&folder.info)));
    }
    if is_finished(&loaded)? {
        return Ok(finished(path, &loaded));
    }
    go_on(&folder, loaded, args, &lock)
}

/// Continues a run from its newest checkpoint. The caller holds the lock of the folder.
fn go_on(folder: &RunFolder, loaded: Loaded, args: &TrainArgs, _: &FolderLock) -> Result<Exit> {
    loaded.warn_of_skipped();
    let Loaded { checkpoint, path: checkpoint_path, .. } = loaded;
    let world = worlds::of_run(&folder.info, args.env_threads)?;
    let state = &checkpoint.state;
    let replay = memory::of_replay(&state.config, state.spec.frame, true)
        .with_context(|| format!("cannot continue {}", checkpoint_path.display()))?;
    let selected = device::select(&args.device)?;
    let mut trainer = Trainer::restore(&checkpoint, &world.network(), &selected.device)
        .with_context(|| format!("cannot continue {}", checkpoint_path.display()))?;
    if *trainer.spec() != world.network() {
        tracing::info!(
            "the run goes on with the networks of its checkpoint; new runs of {} have others",
            world.name()
        );
    }
    let config = trainer.config().clone();
    let mut opened = Opened::new(&*world, &config, trainer.environment_seed(), args)?;
    tracing::info!("restoring the environments");
    pollster::block_on(trainer.restore_environments(&checkpoint, &mut *opened.envs)).with_context(
        || format!("cannot restore the environments of {}", checkpoint_path.display()),
    )?;
    // With a replay buffer it may be as large as the trainer.
    drop(checkpoint);
    device::verify(&selected, &config, trainer.spec())?;
    let saving = args.saving(folder.info.saving);
    let is_asked = args.save_every.is_some() || args.keep_checkpoints.is_some();
    if is_asked && folder.info.saving != Some(saving) {
        folder.record_saving(saving)?;
    }
    let left = config.total_timesteps.saturating_sub(trainer.global_step());
    let estimate = estimate::text(&*world, &config, trainer.spec(), left, &selected, args);
    announce(folder, &config, &selected, &estimate);
    if let Some(text) = replay {
        tracing::info!("{text}");
    }
    tracing::info!(
        "continuing at step {} from {}",
        trainer.global_step(),
        checkpoint_path.display()
    );
    opened.train(trainer, folder, args)
}

/// Whether all steps of a run are done.
fn is_finished(loaded: &Loaded) -> Result<bool> {
    let state = &loaded.checkpoint.state;
    // An invalid length is an error.
    state
        .config
        .validate()
        .with_context(|| format!("cannot continue {}", loaded.path.display()))?;
    Ok(state.iteration >= state.config.num_iterations())
}

/// Reports that the run is finished, and how it can be made longer. Nothing is written.
fn finished(path: &Path, loaded: &Loaded) -> Exit {
    loaded.warn_of_skipped();
    let state = &loaded.checkpoint.state;
    let batch = state.config.batch_size() as u64;
    let step = state.iteration * batch;
    note!(
        "{} is finished: its newest checkpoint is at step {step}, and --total-timesteps is {}. Nothing was \
         changed. To train it further, give more steps, for example --total-timesteps {}",
        path.display(),
        state.config.total_timesteps,
        2 * step.max(batch)
    );
    Exit::Success
}

/// Reports that another process trains in the folder. This is not a failure, but nothing was done.
fn busy(path: &Path) -> Exit {
    note!("error: another process trains {}; wait until it ends, or stop it", path.display());
    Exit::Busy
}

/// A new run that is ready to begin and has not written anything yet.
struct PreparedRun {
    selected: Selected,
    trainer: Trainer,
    opened: Opened,
    /// How long it will take; the end of the first line.
    estimate: String,
}

impl PreparedRun {
    fn prepare(world: &dyn World, config: &Config, args: &TrainArgs) -> Result<Self> {
        let replay = memory::of_replay(config, world.network().frame, false)?;
        let selected = device::select(&args.device)?;
        let mut opened = Opened::new(world, config, config.seed, args)?;
        device::verify(&selected, config, &world.network())?;
        opened.reset()?;
        let trainer = Trainer::new(config.clone(), world.network(), &selected.device)?;
        if let Some(text) = replay {
            note!("{text}");
        }
        let spec = trainer.spec();
        let estimate = estimate::text(world, config, spec, config.total_timesteps, &selected, args);
        Ok(Self { selected, trainer, opened, estimate })
    }

    /// What the folder of the run says of it.
    fn info(&self, world: &dyn World, args: &TrainArgs, before: Option<Saving>) -> RunInfo {
        let info = info_of(world, &self.selected.description);
        RunInfo { saving: Some(args.saving(before)), ..info }
    }

    /// Trains the run. The caller holds the lock of the folder.
    fn train(self, folder: &RunFolder, args: &TrainArgs, _: &FolderLock) -> Result<Exit> {
        announce(folder, self.trainer.config(), &self.selected, &self.estimate);
        self.opened.train(self.trainer, folder, args)
    }
}

/// The environments and the analysis of a world that was opened for training.
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

    fn train(self, trainer: Trainer, folder: &RunFolder, args: &TrainArgs) -> Result<Exit> {
        let options = SessionOptions {
            saving: args.saving(folder.info.saving),
            stop_with_parent: args.stop_with_parent,
        };
        let session = Session::new(trainer, self.envs, self.analysis, folder, options)?;
        Ok(match session.train()? {
            TrainingEnd::Saved => Exit::Success,
            TrainingEnd::NotFinite => Exit::NotFinite,
        })
    }
}

/// A resumed run keeps its hyper-parameters; only its length may be changed.
fn change_length(state: &mut State, args: &TrainArgs) -> Result<()> {
    if args.runs_dir.is_some() {
        bail!("--runs-dir cannot be given with --resume: a continued run stays in its folder");
    }
    let mut given = args.hyper.given().chain(args.maze.given()).chain(args.atari.given());
    if let Some(field) = given.find(|field| *field != "total_timesteps") {
        bail!(
            "--{} cannot be changed when a run is continued; start a new run, or leave the flag out",
            field.replace('_', "-")
        );
    }
    if let Some(steps) = args.hyper.total_timesteps {
        state.config.total_timesteps = steps;
    }
    Ok(())
}

fn announce(folder: &RunFolder, config: &Config, selected: &Selected, estimate: &str) {
    note!(
        "{} on {}{}, {} steps, seed {}, on {}{estimate}\nrun folder: {}",
        config.algo.name(),
        folder.info.env,
        if folder.info.stochastic { " (stochastic)" } else { "" },
        config.total_timesteps,
        config.seed,
        selected.description,
        folder.path.display()
    );
}
