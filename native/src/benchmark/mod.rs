//! `native bench`: many runs, as separate processes, in a folder that says how far each of them is.
//!
//! All state is on disk, so that any process, on any machine that sees the folder, can go on with a
//! sweep or tell how it stands: nothing of a sweep may live in memory only.

mod child;
mod estimate;
mod folder;
pub mod plan;
mod progress;
pub mod run_status;
mod runner;
mod slurm;
mod status;
pub mod suite;
pub mod sweep;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use child::Starter;
use clap::ArgMatches;
use deepspi_ale::RomFinder;
use progress::SweepProgress;
pub use run_status::{RunRecord, RunState, RunStatus};
use runner::{Outcome, Runner};
use suite::Suite;
pub use sweep::{RunId, Sweep};

use crate::cli::{BenchArgs, BenchCommand, EXIT_UNFINISHED, Launcher, RunOptions};
use crate::device::{self, Selected};
use crate::report;
use crate::settings;
use crate::signals::StopFlag;

/// Runs `native bench` and its subcommands.
///
/// # Errors
/// Bad input; whatever was trained before is kept.
pub fn run(args: &BenchArgs, matches: &ArgMatches) -> Result<ExitCode> {
    match &args.command {
        Some(BenchCommand::Status { folder }) => status::run(folder.as_deref()),
        Some(BenchCommand::Task { folder, name, options }) => task(folder, name, options),
        None => sweep(args, matches),
    }
}

fn sweep(args: &BenchArgs, matches: &ArgMatches) -> Result<ExitCode> {
    let wanted = wanted(args, matches)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new(status::SWEEPS).join(&wanted.suite));
    if args.dry_run {
        return dry_run(args, wanted, folder);
    }
    // What the sweep needs comes first: nothing is deleted for one that cannot be run.
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
        return conclude(&folder);
    }
    let starter = starter(folder, sweep, &args.options)?;
    let Some(selected) = launch else {
        slurm::submit(&starter, &runs, args.jobs, args.slurm_args.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    };
    let outcome = here(starter.clone(), runs, args.jobs, &selected)?;
    drop(lock);
    if outcome.failures.is_empty() && outcome.left == 0 {
        return conclude(&starter.folder);
    }
    Ok(unfinished(&starter.folder, &outcome))
}

/// The sweep that the command line describes.
fn wanted(args: &BenchArgs, matches: &ArgMatches) -> Result<Sweep> {
    let Some(name) = &args.suite else {
        bail!(
            "which suite? Name one with --suite: ale57, ale26, smoke, or a file with one game a line"
        );
    };
    if args.slurm_args.is_some() && args.launcher != Launcher::Slurm {
        bail!("--slurm-args is for `--launcher slurm` only; leave it out, or give both");
    }
    let suite = Suite::find(name)?;
    let mut config = suite.config;
    config.extend(settings::explicit(&args.hyper, matches, args.config.as_deref())?);
    let sweep = Sweep {
        suite: suite.name,
        games: suite.games.iter().map(|game| game.name.to_owned()).collect(),
        algos: args.algos.clone(),
        seeds: args.seeds.unwrap_or(suite.seeds),
        stochastic: args.stochastic,
        atari: Some(args.atari),
        revision: env!("DEEPSPI_REVISION").to_owned(),
        config,
    };
    sweep.validate()?;
    Ok(sweep)
}

/// All that is missing, before hours are spent on what is there.
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
    let program = std::env::current_exe().context("this program does not know where it is")?;
    Ok(Starter { program, folder, sweep, options: options.clone(), threads: None })
}

/// Prints what would be done; changes nothing.
fn dry_run(args: &BenchArgs, wanted: Sweep, folder: PathBuf) -> Result<ExitCode> {
    if folder.join(sweep::SPECIFICATION).exists() {
        folder::require_part(&folder, &Sweep::open(&folder)?, &wanted)?;
    }
    let runs = plan::read(&folder, &wanted)?;
    estimate::print_plan(&runs);
    let selected = device::select(&args.options.device)?;
    estimate::print(&starter(folder, wanted, &args.options)?, &runs, &selected)?;
    Ok(ExitCode::SUCCESS)
}

/// Does the runs as processes of this machine: by default one a core on the CPU, and one on a GPU.
fn here(
    mut starter: Starter,
    runs: Vec<RunStatus>,
    jobs: Option<u64>,
    selected: &Selected,
) -> Result<Outcome> {
    let stop = StopFlag::install_for_children()?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let open = runs.iter().filter(|run| !run.is_complete()).count().max(1);
    let default = if selected.is_gpu { 1 } else { cores };
    let jobs = jobs.map_or(default, |jobs| jobs as usize).min(open);
    starter.threads = Some((cores / jobs).max(1));
    eprintln!(
        "{} in {}: {open} of {} runs to do, {jobs} at a time, on {}",
        starter.sweep.suite,
        starter.folder.display(),
        runs.len(),
        selected.description
    );
    let mut progress = SweepProgress::new();
    let outcome = Runner::new(starter, runs, jobs, stop).run(&mut progress);
    progress.finish();
    outcome
}

/// One run of the sweep, with the cores that Slurm gives it.
fn task(folder: &Path, name: &str, options: &RunOptions) -> Result<ExitCode> {
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
    let outcome = Runner::new(starter, runs, 1, stop).run(&mut progress)?;
    if outcome.failures.is_empty() && outcome.left == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(unfinished(folder, &outcome))
}

/// What is not finished, and why.
fn unfinished(folder: &Path, outcome: &Outcome) -> ExitCode {
    for failure in &outcome.failures {
        let run = failure.id.folder(folder);
        eprintln!(
            "\n{} failed; the end of {}:",
            failure.id,
            run.join(run_status::OUTPUT).display()
        );
        for line in failure.why.lines() {
            eprintln!("    {line}");
        }
    }
    eprintln!(
        "error: {} runs failed, {} are not finished; the same command tries them again and goes on, and \
         `native report {}` shows what is finished",
        outcome.failures.len(),
        outcome.left,
        folder.display()
    );
    ExitCode::from(EXIT_UNFINISHED)
}

/// A sweep whose runs are all finished ends in its report.
fn conclude(folder: &Path) -> Result<ExitCode> {
    eprintln!("every run in {} is finished; making the report", folder.display());
    let page = report::make(&report::Request {
        sweep: folder,
        out: &folder.join("report"),
        baselines: None,
        overwrite: false,
        arguments: vec!["report".into(), folder.into()],
        effort: report::Effort::FULL,
    })
    .with_context(|| {
        format!("the runs are kept; `native report {}` tries the report again", folder.display())
    })?;
    println!("{}", page.display());
    Ok(ExitCode::SUCCESS)
}
