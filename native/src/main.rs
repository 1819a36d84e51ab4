//! `native`: train, check and measure DeepSPI agents from the command line.

use std::process::ExitCode;

use clap::Parser;
use native::cli::{Cli, Command};
use native::{benchmark, curve, evaluation, figures, parity, report, speed, train};

// Training allocates and frees the same large buffers in every update; the system allocator returns
// them to the kernel each time, and the page faults cost more than the arithmetic on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    native::output::install_log();
    let result = match cli.command {
        None => train::run(&cli.train),
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Parity(args)) => parity::run(&args),
        Some(Command::Speed(args)) => speed::run(&args),
        Some(Command::Figures(args)) => figures::run(&args),
        Some(Command::Bench(args)) => benchmark::run(&args),
        Some(Command::Curve(args)) => curve::run(&args),
        Some(Command::Report(args)) => report::run(&args),
        Some(Command::Evaluate(args)) => evaluation::run(&args),
        Some(Command::Play(args)) => evaluation::play::run(&args),
    };
    result.unwrap_or_else(|error| {
        // One paragraph: what failed, then each cause after a colon.
        eprintln!("error: {error:#}");
        ExitCode::from(native::cli::EXIT_BAD_INPUT)
    })
}
