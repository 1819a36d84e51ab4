//! `native figures`: the figures of the maze experiment and of the theory, each made by one
//! command.
//!
//! A figure is a pure function of kept training runs (`kept_runs`) or of the exact theory. Each
//! figure writes SVG, PNG, its numbers as CSV and its configuration as JSON. Seeds are always 1 to
//! N: none is left out or selected.

mod args;
mod certified;
mod dream;
pub mod experiment;
mod kept_runs;
mod latents;
pub(crate) mod layers;
mod maze;
mod maze_sweep;
pub(crate) mod methods;
mod oot;
pub(crate) mod output;
mod phase;
mod progress;
mod sir;
mod theory;

use anyhow::{Context, Result, bail};
use args::FigureName;
pub use args::FiguresArgs;
use clap::ValueEnum;
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeOverrides, MazePreset};
use experiment::Experiment;
use kept_runs::KeptRuns;
use maze_sweep::SweptQuantity;
use output::Output;

use crate::device;
use crate::run::config_file::ConfigFile;
use crate::run::settings;
use crate::terminal::{note, say};

/// Runs `native figures`.
///
/// # Errors
/// Bad input, or a run or file that fails; finished runs are kept.
pub fn run(args: &FiguresArgs) -> Result<()> {
    if args.sweep.is_some() && args.figure != FigureName::Maze {
        bail!(
            "--sweep works only with `figures maze`; leave it out, or use `figures maze --sweep ...`"
        );
    }
    let selected = device::select(&args.device)?;
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
    file.note_useless("the figures are of the maze", |field| MazeConfig::FIELDS.contains(&field));
    let usual = if selected.is_gpu { MazePreset::Paper } else { MazePreset::Small };
    let preset = args.preset.or(file.world.maze.preset).unwrap_or(usual);
    let config = settings::complete(&file.hyper, &preset.hyper_parameters())?;
    let mut base = Experiment { config, maze: maze_of(args, &file.world.maze, preset) };
    if let Some(iterations) = args.iterations {
        base.config.total_timesteps = iterations * base.config.batch_size() as u64;
    }
    Maze::new(base.maze, base.config.gamma.into()).context("no such maze")?;
    device::verify(&selected, &base.config, &preset.network())?;
    let kept_runs = KeptRuns::new(&args.out, selected, args.jobs)?;
    note!("figures in {}, on {}", args.out.display(), kept_runs.device().description);
    for (figure, sweep) in parts(args) {
        for output in make(figure, sweep, &kept_runs, &base, args.seeds)? {
            output.require_own(&args.out)?;
            for path in output.write(&args.out)? {
                say!("{}", path.display());
            }
        }
    }
    Ok(())
}

fn maze_of(args: &FiguresArgs, file: &MazeOverrides, preset: MazePreset) -> MazeConfig {
    let default = MazeConfig { preset, ..MazeConfig::DEFAULT.with(file) };
    MazeConfig {
        n_path: args.n_path.unwrap_or(default.n_path),
        epsilon: args.epsilon.unwrap_or(default.epsilon),
        cue: args.cue.unwrap_or(default.cue),
        maze_reset: args.maze_reset.unwrap_or(default.maze_reset),
        ..default
    }
}

/// The figures to make, the quick ones first.
fn parts(args: &FiguresArgs) -> Vec<(FigureName, Option<SweptQuantity>)> {
    if args.figure != FigureName::All {
        return vec![(args.figure, args.sweep)];
    }
    let single = [
        FigureName::Theory,
        FigureName::Oot,
        FigureName::Maze,
        FigureName::Sir,
        FigureName::Latents,
        FigureName::Certified,
        FigureName::Dream,
        FigureName::Phase,
    ];
    let sweeps =
        SweptQuantity::value_variants().iter().map(|sweep| (FigureName::Maze, Some(*sweep)));
    single.into_iter().map(|figure| (figure, None)).chain(sweeps).collect()
}

fn make(
    figure: FigureName,
    sweep: Option<SweptQuantity>,
    kept_runs: &KeptRuns,
    base: &Experiment,
    seeds: u64,
) -> Result<Vec<Output>> {
    match (figure, sweep) {
        (FigureName::Maze, Some(sweep)) => maze_sweep::make(kept_runs, base, seeds, sweep),
        (FigureName::Maze, None) => maze::make(kept_runs, base, seeds),
        (FigureName::Phase, _) => phase::make(kept_runs, base, seeds),
        (FigureName::Sir, _) => sir::make(kept_runs, base, seeds),
        (FigureName::Theory, _) => theory::make(base),
        (FigureName::Oot, _) => oot::make(),
        (FigureName::Latents, _) => latents::make(kept_runs, base),
        (FigureName::Certified, _) => certified::make(kept_runs, base, seeds),
        (FigureName::Dream, _) => dream::make(kept_runs, base, seeds),
        // `parts` splits this into the single figures.
        (FigureName::All, _) => Ok(Vec::new()),
    }
}
