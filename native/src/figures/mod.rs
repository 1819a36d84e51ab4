//! `native figures`: the maze experiment and the theory as pictures, each from one command.
//!
//! A figure is a pure function of kept training runs (`batch`) or of the exact theory; each writes
//! SVG, PNG, the numbers as CSV and its configuration as JSON. Seeds are always 1 to N: none is ever
//! left out or chosen.

mod batch;
mod certified;
pub mod experiment;
mod latents;
pub(crate) mod layers;
mod maze;
pub(crate) mod methods;
mod oot;
pub(crate) mod output;
mod phase;
mod progress;
mod sir;
mod sweep;
mod theory;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use batch::Batch;
use clap::ValueEnum;
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_worlds::maze::{Maze, MazeConfig, MazePreset};
use experiment::Experiment;
use output::Output;
pub use sweep::Sweep;

use crate::cli::FiguresArgs;
use crate::{device, settings};

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// V(s_I) and distance of the critical cells over training; with --sweep, end points.
    Maze,
    /// Where each method separates the critical cells: cue by epsilon and corridor length.
    Phase,
    /// Importance ratios over training against 1 +- eps and 1/gamma.
    Sir,
    /// Exact safe policy iteration, and Theorem 2 against the gap it bounds.
    Theory,
    /// The out-of-trajectory example.
    Oot,
    /// Principal components of the latents, early and late.
    Latents,
    /// A run that keeps the ratio premise of Theorem 3 beside one that does not.
    Certified,
    /// All of them, with all sweeps.
    All,
}

/// Runs `native figures`.
///
/// # Errors
/// Bad input, or a run or file that cannot be made; finished runs are kept.
pub fn run(args: &FiguresArgs) -> Result<ExitCode> {
    if args.sweep.is_some() && args.which != Which::Maze {
        bail!(
            "--sweep belongs to `figures maze`; leave it out, or ask for `figures maze --sweep ...`"
        );
    }
    let selected = device::select(&args.device)?;
    let preset =
        args.preset.unwrap_or(if selected.is_gpu { MazePreset::Paper } else { MazePreset::Small });
    let mut config = preset.hyper_parameters();
    if let Some(file) = &args.config {
        config = settings::from_file(file, &config)?;
    }
    let mut base = Experiment { config, maze: maze_of(args, preset) };
    if let Some(iterations) = args.iterations {
        base.config.total_timesteps = iterations * base.config.batch_size() as u64;
    }
    Maze::new(base.maze, base.config.gamma.into()).context("no such maze")?;
    device::verify(&selected, &base.config, &preset.network())?;
    let batch = Batch::new(&args.out, selected, args.jobs)?;
    eprintln!("figures in {}, on {}", args.out.display(), batch.device().description);
    for (which, sweep) in parts(args) {
        for output in make(which, sweep, &batch, &base, args.seeds)? {
            for path in output.write(&args.out)? {
                println!("{}", path.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn maze_of(args: &FiguresArgs, preset: MazePreset) -> MazeConfig {
    let default = MazeConfig { preset, ..MazeConfig::DEFAULT };
    MazeConfig {
        n_path: args.n_path.unwrap_or(default.n_path),
        epsilon: args.epsilon.unwrap_or(default.epsilon),
        cue: args.cue.unwrap_or(default.cue),
        maze_reset: args.maze_reset.unwrap_or(default.maze_reset),
        ..default
    }
}

/// What was asked for, the quick ones first.
fn parts(args: &FiguresArgs) -> Vec<(Which, Option<Sweep>)> {
    if args.which != Which::All {
        return vec![(args.which, args.sweep)];
    }
    let single = [
        Which::Theory,
        Which::Oot,
        Which::Maze,
        Which::Sir,
        Which::Latents,
        Which::Certified,
        Which::Phase,
    ];
    let sweeps = Sweep::value_variants().iter().map(|sweep| (Which::Maze, Some(*sweep)));
    single.into_iter().map(|which| (which, None)).chain(sweeps).collect()
}

fn make(
    which: Which,
    sweep: Option<Sweep>,
    batch: &Batch,
    base: &Experiment,
    seeds: u64,
) -> Result<Vec<Output>> {
    match (which, sweep) {
        (Which::Maze, Some(sweep)) => sweep::make(batch, base, seeds, sweep),
        (Which::Maze, None) => maze::make(batch, base, seeds),
        (Which::Phase, _) => phase::make(batch, base, seeds),
        (Which::Sir, _) => sir::make(batch, base, seeds),
        (Which::Theory, _) => theory::make(base),
        (Which::Oot, _) => oot::make(),
        (Which::Latents, _) => latents::make(batch, base),
        (Which::Certified, _) => certified::make(batch, base, seeds),
        // `parts` takes it apart.
        (Which::All, _) => Ok(Vec::new()),
    }
}
