//! Chooses the device of the tensors.
//!
//! `auto` takes a real GPU if there is one, else the CPU backend. A software rasteriser (lavapipe,
//! WARP) is slower than the CPU backend by a factor of ten, so it is taken only if the user names
//! it. A program built without the feature `gpu` has the CPU alone.

#[cfg(feature = "gpu")]
mod adapters;
mod choice;

use anyhow::{Result, bail};
use deepspi_core::self_test;
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;

pub use self::choice::{DeviceChoice, Selected, cores, cpu};

/// Opens the chosen device.
///
/// # Errors
/// If the choice needs a GPU and there is none, or the device cannot be opened.
#[cfg(feature = "gpu")]
pub fn select(choice: &DeviceChoice) -> Result<Selected> {
    if *choice == DeviceChoice::Cpu { Ok(cpu()) } else { adapters::select(choice) }
}

/// Opens the chosen device, which must be the CPU: no other one is in this program.
///
/// # Errors
/// If the choice is a GPU.
#[cfg(not(feature = "gpu"))]
pub fn select(choice: &DeviceChoice) -> Result<Selected> {
    match choice {
        DeviceChoice::Cpu | DeviceChoice::Auto => Ok(cpu()),
        DeviceChoice::Gpu | DeviceChoice::Named(_) | DeviceChoice::Numbered(_) => bail!(
            "`--device {choice}`: this program was built without support for GPUs; build it again with `cargo build -p \
             native` (or `./run` without DEEPSPI_GPU=no), or train on the CPU with `--device cpu`"
        ),
    }
}

/// On a GPU, computes one fixed update there and on the CPU; the results must agree, else training
/// is refused.
///
/// # Errors
/// If the results disagree (the message contains the numbers) or the device fails.
pub fn verify(selected: &Selected, config: &Config, spec: &NetworkSpec) -> Result<()> {
    if !selected.is_gpu {
        return Ok(());
    }
    let comparisons = pollster::block_on(self_test::run(config, spec, &selected.device))?;
    let wrong: Vec<String> = comparisons
        .iter()
        .filter(|c| !c.ok())
        .map(|c| {
            format!("{} is {} on this device and {} on the CPU", c.quantity, c.device, c.reference)
        })
        .collect();
    if !wrong.is_empty() {
        bail!(
            "{} computes wrong results ({}; tolerance {}); update its driver or train with `--device cpu`",
            selected.description,
            wrong.join(", "),
            self_test::TOLERANCE
        );
    }
    let worst = comparisons.iter().map(|c| c.error).fold(0.0, f64::max);
    tracing::info!("self-test passed: the device agrees with the CPU within {worst:.1e}");
    Ok(())
}
