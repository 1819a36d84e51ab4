//! The command line: lists the commands, runs the chosen one, and turns its result into an exit
//! code.
//!
//! Every command owns its arguments. This module imports all commands, and no command imports it.

use anyhow::Result;
use clap::{Command as Definition, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::curve::{self, CurveArgs};
use crate::evaluate::{self, EvaluateArgs};
use crate::exit::Exit;
use crate::export::{self, ExportArgs};
use crate::figures::{self, FiguresArgs};
use crate::metrics_table::{self, MetricsArgs};
use crate::parity::{self, ParityArgs};
use crate::play::{self, PlayArgs};
use crate::report::{self, ReportArgs};
use crate::speed::{self, SpeedArgs};
use crate::sweep::{self, BenchArgs, SweepEnd};
use crate::train::{self, TrainArgs};

/// Trains DeepSPI agents on Atari games and the maze, draws the figures of the theory, and checks
/// and measures this implementation.
///
/// Without a subcommand it trains: `native --env Breakout` is `native train --env Breakout`.
#[derive(Debug, Parser)]
#[command(name = "native", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Training is the default.
    #[command(flatten)]
    pub train: TrainArgs,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent (the default).
    Train(TrainArgs),
    /// Compare this implementation with golden files of the authors' implementation, number by
    /// number.
    Parity(ParityArgs),
    /// Measure the speed of environments, policy, updates and the whole training loop.
    Speed(SpeedArgs),
    /// Draw the figures of the maze experiment and of the theory; trains the runs that they need.
    Figures(FiguresArgs),
    /// Train all runs of a sweep: games x algorithms x seeds. The same command continues it.
    Bench(BenchArgs),
    /// Draw the learning curve of a run as SVG, with the numbers as CSV beside it.
    Curve(CurveArgs),
    /// Write the numbers of every iteration of a run as one CSV table.
    Metrics(MetricsArgs),
    /// Make the report of a sweep: one page, its figures, and all numbers as CSV and JSON.
    Report(ReportArgs),
    /// Evaluate a trained agent on whole games in separate environments: scores with intervals.
    Evaluate(EvaluateArgs),
    /// Export a trained agent for other programs: ONNX graphs, parameters, a description and a model card.
    Export(ExportArgs),
    /// Record a trained agent as a film: the game, its observations, its policy and its values.
    Play(PlayArgs),
}

/// The command line of this process; ends it after help and after an error.
#[must_use]
pub fn parse() -> Cli {
    let definition = with_negative_numbers(Cli::command());
    Cli::from_arg_matches(&definition.get_matches()).unwrap_or_else(|error| error.exit())
}

/// The definition, in which a negative number is the value of a flag and not an unknown flag, so that the error names
/// the flag and its range.
fn with_negative_numbers(definition: Definition) -> Definition {
    let accepts = |arg: clap::Arg| {
        let takes_value = arg.get_action().takes_values() && !arg.is_positional();
        if takes_value { arg.allow_negative_numbers(true) } else { arg }
    };
    definition.mut_args(accepts).mut_subcommands(with_negative_numbers)
}

/// Runs the command that the arguments name.
///
/// # Errors
/// Those of the command.
pub fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        None => return train::run(&cli.train),
        Some(Command::Train(args)) => return train::run(&args),
        Some(Command::Parity(args)) => return parity::run(&args),
        Some(Command::Bench(args)) => return bench(&args),
        Some(Command::Speed(args)) => speed::run(&args)?,
        Some(Command::Figures(args)) => figures::run(&args)?,
        Some(Command::Curve(args)) => curve::run(&args)?,
        Some(Command::Metrics(args)) => metrics_table::run(&args)?,
        Some(Command::Report(args)) => report::run(&args)?,
        Some(Command::Evaluate(args)) => evaluate::run(&args)?,
        Some(Command::Export(args)) => export::run(&args)?,
        Some(Command::Play(args)) => play::run(&args)?,
    }
    Ok(Exit::Success)
}

/// Runs `native bench`. When all runs of a sweep are finished, its report is made. This happens
/// here because reports read sweeps, so the module of sweeps must not import reports.
fn bench(args: &BenchArgs) -> Result<Exit> {
    match sweep::run(args)? {
        SweepEnd::Finished(folder) => {
            report::of_finished_sweep(&folder)?;
            Ok(Exit::Success)
        }
        SweepEnd::Answered => Ok(Exit::Success),
        SweepEnd::Unfinished => Ok(Exit::Unfinished),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use deepspi_run::config::{Algorithm, Config};
    use deepspi_worlds::atari::AtariTraining;

    use super::*;
    use crate::device::DeviceChoice;
    use crate::run::settings;
    use crate::sweep::{RunOptions, Starter, Sweep};

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn training_is_the_default_command() {
        for arguments in [
            vec!["native", "--env", "Pong", "--clip-coef", "0.2"],
            vec!["native", "train", "--env", "Pong", "--clip-coef", "0.2"],
        ] {
            let cli = Cli::try_parse_from(arguments).expect("valid");
            let args = match cli.command {
                Some(Command::Train(args)) => args,
                _ => cli.train,
            };
            assert_eq!(args.env.as_deref(), Some("Pong"));
            assert_eq!(args.hyper.given().collect::<Vec<_>>(), ["clip_coef"]);
            assert_eq!(args.hyper.get("clip_coef").as_deref(), Some("0.2"));
        }
    }

    #[test]
    fn a_run_gets_the_hyper_parameters_of_the_sweep() {
        let text =
            "num_envs = 4\nnum_steps = 4\ntotal_timesteps = 32\ngamma = 0.9\ncertified = true\n";
        let sweep = Sweep {
            suite: "tiny".into(),
            games: vec!["Pong".into(), "Breakout".into()],
            algos: vec![Algorithm::DeepMdp],
            seeds: 2,
            stochastic: true,
            atari: Some(AtariTraining { max_episode_steps: 9, ..AtariTraining::DEFAULT }),
            revision: "unknown".into(),
            config: toml::from_str(text).expect("a table"),
        };
        let options = RunOptions {
            device: DeviceChoice::Named("llvmpipe".into()),
            roms: Some("my roms".into()),
            env_threads: None,
            save_every: None,
            keep_checkpoints: None,
        };
        let starter = Starter {
            program: "native".into(),
            folder: "a sweep".into(),
            sweep: sweep.clone(),
            options,
            threads: Some(3),
        };
        let id = sweep.runs()[1];
        let mut words = starter.arguments(id).expect("valid");
        words.insert(0, "native".into());
        let cli = Cli::try_parse_from(words).expect("as the command line has it");
        let Some(Command::Train(args)) = cli.command else { panic!("not train") };
        let config = settings::resolve(&args.hyper, None, &Config::DEFAULT).expect("valid");
        assert_eq!(config, sweep.settings(id.algo, id.seed).expect("valid"));
        assert_eq!(args.env.as_deref(), Some("Pong"));
        assert_eq!(args.run_dir, Some(id.folder(Path::new("a sweep"))));
        assert_eq!(args.roms.as_deref(), Some(Path::new("my roms")));
        assert_eq!(args.device, DeviceChoice::Named("llvmpipe".into()));
        assert_eq!(
            (args.env_threads, args.save_every, args.keep_checkpoints),
            (Some(3), Some(3), Some(2))
        );
        assert!(args.stochastic == Some(true) && args.atari.max_episode_steps == Some(9));
        assert!(
            Cli::try_parse_from(["native", "train", "--run-dir", "a", "--resume", "b"]).is_err()
        );
    }
}
