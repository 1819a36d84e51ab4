//! `native bench`: a sweep of many runs, each in a separate process, in a folder that records their
//! progress.
//!
//! All state is on disk, so that any process, on any machine that sees the folder, can continue a
//! sweep or show its status. What must not be broken: no state of a sweep exists only in memory.

mod args;
mod child;
mod estimate;
mod folder;
mod plan;
mod processes;
mod progress;
mod record;
mod run_status;
mod slurm;
mod specification;
mod status;
mod suite;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
pub use args::{BenchArgs, RunOptions};
use args::{BenchCommand, Launcher};
pub use child::Starter;
use deepspi_ale::RomFinder;
use deepspi_worlds::atari::AtariTraining;
pub use folder::REPORT;
use processes::{Outcome, train_all};
use progress::SweepProgress;
pub use record::{RecordedStatus, RunRecord};
pub use run_status::{RunState, RunStatus};
pub use specification::{RunId, Sweep};
use suite::Suite;

use crate::device::{self, Selected};
use crate::run::config_file::ConfigFile;
use crate::run::settings;
use crate::run::signals::StopFlag;
use crate::terminal::note;
use crate::worlds;

/// How `native bench` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepEnd {
    /// Every run of the sweep in this folder is finished, so its report can be made.
    Finished(PathBuf),
    /// The command is done and needs no report: a plan, a status, runs queued on a cluster, or a
    /// single run.
    Answered,
    /// Some runs failed, or a stop was requested.
    Unfinished,
}

/// Runs `native bench` and its subcommands.
///
/// # Errors
/// Bad input; runs that were trained before are kept.
pub fn run(args: &BenchArgs) -> Result<SweepEnd> {
    match &args.command {
        Some(BenchCommand::Status { folder }) => {
            status::run(folder.as_deref())?;
            Ok(SweepEnd::Answered)
        }
        Some(BenchCommand::Task { folder, name, options }) => task(folder, name, options),
        None => sweep(args),
    }
}

fn sweep(args: &BenchArgs) -> Result<SweepEnd> {
    let wanted = wanted(args)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new(status::SWEEPS).join(&wanted.suite));
    if args.dry_run {
        return dry_run(args, wanted, folder);
    }
    // The requirements of the sweep are checked first: nothing is deleted for a sweep that cannot
    // run.
    let launch = match args.launcher {
        Launcher::Slurm => {
            slurm::require()?;
            None
        }
        Launcher::Local => {
            find_roms(&wanted, &args.options)?;
            Some(device::select(&args.options.device)?)
        }
    };
    let (sweep, lock) = folder::take(&folder, &wanted, args.overwrite)?;
    let runs = plan::read(&folder, &sweep)?;
    if runs.iter().all(RunStatus::is_complete) {
        return Ok(SweepEnd::Finished(folder));
    }
    let starter = starter(folder, sweep, &args.options)?;
    let Some(selected) = launch else {
        slurm::submit(&starter, &runs, args.jobs, args.slurm_args.as_deref())?;
        return Ok(SweepEnd::Answered);
    };
    let outcome = here(starter.clone(), runs, args.jobs, &selected)?;
    drop(lock);
    if outcome.failures.is_empty() && outcome.left == 0 {
        return Ok(SweepEnd::Finished(starter.folder));
    }
    Ok(unfinished(&starter.folder, &outcome))
}

/// The sweep that the command line describes.
fn wanted(args: &BenchArgs) -> Result<Sweep> {
    let Some(name) = &args.suite else {
        bail!(
            "no suite was given; name one with --suite: ale57, ale26, smoke, or a file with one game per line"
        );
    };
    if args.slurm_args.is_some() && args.launcher != Launcher::Slurm {
        bail!("--slurm-args is for `--launcher slurm` only; leave it out, or give both");
    }
    let suite = Suite::find(name)?;
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
    let config = suite.config.with(&settings::explicit(&args.hyper, Some(&file)));
    let usable = |field: &str| worlds::atari::KIND.fields.contains(&field);
    file.note_useless("a sweep is on Atari games", usable);
    let world = file.world;
    let sweep = Sweep {
        suite: suite.name,
        games: suite.games.iter().map(|game| game.name.to_owned()).collect(),
        algos: args.algos.clone(),
        seeds: args.seeds.unwrap_or(suite.seeds),
        stochastic: args.stochastic.or(world.stochastic).unwrap_or_default(),
        atari: Some(AtariTraining::DEFAULT.with(&world.atari).with(&args.atari)),
        revision: env!("DEEPSPI_REVISION").to_owned(),
        config,
    };
    sweep.validate()?;
    Ok(sweep)
}

/// Finds all ROMs before hours of training, so that missing ones are reported at once.
fn find_roms(sweep: &Sweep, options: &RunOptions) -> Result<()> {
    let finder = RomFinder::from_environment(options.roms.as_deref());
    let games = suite::known_games(&sweep.games)?;
    let missing: Vec<_> =
        games.into_iter().filter_map(|game| Some((game, finder.find(game).err()?))).collect();
    let names: Vec<_> = missing.iter().map(|(game, _)| game.name).collect();
    match missing.into_iter().next() {
        None => Ok(()),
        Some((_, error)) => Err(error).with_context(|| {
            format!(
                "{} of {} games cannot be run ({})",
                names.len(),
                sweep.games.len(),
                names.join(", ")
            )
        }),
    }
}

fn starter(folder: PathBuf, sweep: Sweep, options: &RunOptions) -> Result<Starter> {
    let program = std::env::current_exe().context("the path of this program is unknown")?;
    Ok(Starter { program, folder, sweep, options: options.clone(), threads: None })
}

/// Prints what would be done, and changes nothing.
fn dry_run(args: &BenchArgs, wanted: Sweep, folder: PathBuf) -> Result<SweepEnd> {
    if folder.join(specification::SPECIFICATION).exists() {
        folder::require_part(&folder, &Sweep::open(&folder)?, &wanted)?;
    }
    let runs = plan::read(&folder, &wanted)?;
    estimate::print_plan(&runs);
    let selected = device::select(&args.options.device)?;
    estimate::print(&starter(folder, wanted, &args.options)?, &runs, &selected)?;
    Ok(SweepEnd::Answered)
}

/// Trains the runs in processes on this machine: by default one per core on the CPU, and one on a
/// GPU.
fn here(
    mut starter: Starter,
    runs: Vec<RunStatus>,
    jobs: Option<u64>,
    selected: &Selected,
) -> Result<Outcome> {
    let stop = StopFlag::install_for_children()?;
    let open = runs.iter().filter(|run| !run.is_complete()).count().max(1);
    let jobs = jobs.map_or_else(|| selected.runs_at_a_time(), |jobs| jobs as usize).min(open);
    starter.threads = Some((device::cores() / jobs).max(1));
    note!(
        "{} in {}: {open} of {} runs to do, {jobs} at a time, on {}",
        starter.sweep.suite,
        starter.folder.display(),
        runs.len(),
        selected.description
    );
    let mut progress = SweepProgress::new();
    let outcome = train_all(starter, runs, jobs, &stop, &mut progress);
    progress.finish();
    outcome
}

/// Trains one run of the sweep with the cores that Slurm provides.
fn task(folder: &Path, name: &str, options: &RunOptions) -> Result<SweepEnd> {
    let sweep = Sweep::open(folder)?;
    let id = sweep.run(name).with_context(|| {
        format!(
            "there is no run {name} in the sweep in {}; `native bench status` lists its runs",
            folder.display()
        )
    })?;
    let runs = plan::read(folder, &sweep)?.into_iter().filter(|run| run.id == id).collect();
    let starter = starter(folder.to_owned(), sweep, options)?;
    let mut progress = SweepProgress::new();
    let stop = StopFlag::install_for_children()?;
    let outcome = train_all(starter, runs, 1, &stop, &mut progress)?;
    if outcome.failures.is_empty() && outcome.left == 0 {
        return Ok(SweepEnd::Answered);
    }
    Ok(unfinished(folder, &outcome))
}

/// Reports the unfinished runs and the reasons.
fn unfinished(folder: &Path, outcome: &Outcome) -> SweepEnd {
    for failure in &outcome.failures {
        let run = failure.id.folder(folder);
        note!("\n{} failed; last lines of {}:", failure.id, run.join(record::OUTPUT).display());
        for line in failure.why.lines() {
            note!("    {line}");
        }
    }
    note!(
        "error: {} runs failed, {} are unfinished; the same command tries them again and continues, and \
         `native report {}` shows what is finished",
        outcome.failures.len(),
        outcome.left,
        folder.display()
    );
    SweepEnd::Unfinished
}
