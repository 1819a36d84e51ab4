//! `native`: train, check and measure DeepSPI agents from the command line.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use native::cli;
use native::exit::Exit;
use native::terminal;

// Training allocates and frees the same large buffers in every update. The system allocator returns
// them to the kernel each time, and the page faults cost more than the arithmetic on the buffers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    terminal::provide_runtime_folder();
    let cli = cli::parse();
    terminal::install_log();
    let exit = cli::run(cli).unwrap_or_else(|error| {
        // One paragraph: what failed, then each cause after a colon.
        terminal::to_stderr(format_args!("error: {error:#}"));
        Exit::BadInput
    });
    let exit = match terminal::output_failure() {
        Some(why) if exit == Exit::Success => {
            terminal::to_stderr(format_args!(
                "error: results could not be written to standard output: {why}; free some space, or write \
                 them elsewhere"
            ));
            Exit::BadInput
        }
        _ => exit,
    };
    exit.into()
}
