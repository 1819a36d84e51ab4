//! `native parity`: compares each quantity with the authors' implementation.

use std::panic;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::Args;
use deepspi_core::golden::{self, Check};

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

/// The checks of one file. The numbers of a damaged file may not fit each other, which is noticed deep inside the
/// tensors; that is an error of the file and not of the program.
fn checks(text: &str, device: &Device) -> Result<Vec<Check>> {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let checked = panic::catch_unwind(|| pollster::block_on(golden::check(text, device)));
    panic::set_hook(usual);
    match checked {
        Ok(checks) => Ok(checks?),
        Err(why) => {
            let why = why.downcast_ref::<String>().cloned();
            let why = why.unwrap_or_else(|| "a size is wrong".to_owned());
            bail!(
                "its numbers do not fit each other: {}",
                why.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        }
    }
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
        let checks = checks(&text, &selected.device)
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
