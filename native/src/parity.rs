//! `native parity`: compares each quantity with the authors' implementation.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use deepspi_core::golden;

use crate::device::{self, DeviceChoice};
use crate::exit::Exit;
use crate::terminal::say;

/// Flags of `parity`.
#[derive(Clone, Debug, Args)]
pub struct ParityArgs {
    /// Golden files (JSON).
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Device to check: auto, gpu, gpu:NAME, gpu:NUMBER or cpu.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
}

/// Runs `native parity`.
///
/// # Errors
/// If a file cannot be read or does not have the expected content. A mismatch is not an error; its
/// exit code is 1.
pub fn run(args: &ParityArgs) -> Result<Exit> {
    let selected = device::select(&args.device)?;
    say!("device: {}", selected.description);
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for path in &args.files {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the golden file {}", path.display()))?;
        let checks = pollster::block_on(golden::check(&text, &selected.device))
            .with_context(|| format!("cannot check {}", path.display()))?;
        say!("{}", path.display());
        for check in checks {
            let verdict = if check.ok() { "ok" } else { "FAIL" };
            say!(
                "  {verdict:4} {:9.2e} <= {:.0e}  {}",
                check.error,
                check.tolerance,
                check.quantity
            );
            if check.ok() {
                passed += 1;
            } else {
                failed += 1;
            }
        }
    }
    say!("{passed} ok, {failed} FAIL");
    Ok(if failed == 0 { Exit::Success } else { Exit::Mismatch })
}
