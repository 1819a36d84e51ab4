//! Chooses the device of the tensors.
//!
//! `auto` takes a real GPU if there is one, else the CPU backend. A software rasteriser (lavapipe,
//! WARP) is slower than the CPU backend by a factor of ten, so it is taken only if the user names
//! it.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use burn::tensor::wgpu::wgpu::{AdapterInfo, Backends, DeviceType, Instance, InstanceDescriptor};
use burn::tensor::{Device, DeviceKind};
use deepspi_core::self_test;
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;

/// The device that the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU, else the CPU.
    Auto,
    /// A real GPU or an error.
    Gpu,
    /// The adapter whose name contains this text, whatever its kind.
    Named(String),
    /// The CPU.
    Cpu,
}

impl fmt::Display for DeviceChoice {
    /// The text as on the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Gpu => f.write_str("gpu"),
            Self::Named(name) => write!(f, "gpu:{name}"),
            Self::Cpu => f.write_str("cpu"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "gpu" => Ok(Self::Gpu),
            "cpu" => Ok(Self::Cpu),
            _ => match text.strip_prefix("gpu:") {
                Some(name) if !name.is_empty() => Ok(Self::Named(name.to_owned())),
                _ => Err("allowed: auto, gpu, gpu:NAME, cpu".to_owned()),
            },
        }
    }
}

/// A device ready for tensors.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The device, without autodiff.
    pub device: Device,
    /// Adapter, driver and API, or the CPU; goes into logs and `config.toml`.
    pub description: String,
    /// Whether the device must pass the self-test before training.
    pub is_gpu: bool,
}

impl Selected {
    /// Number of runs trained at a time by default: one per core on the CPU, and one on a GPU,
    /// because a single run fills it.
    #[must_use]
    pub fn runs_at_a_time(&self) -> usize {
        if self.is_gpu { 1 } else { cores() }
    }
}

/// Cores that this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Opens the chosen device.
///
/// # Errors
/// If the choice needs a GPU and there is none, or the device cannot be opened.
pub fn select(choice: &DeviceChoice) -> Result<Selected> {
    if *choice == DeviceChoice::Cpu {
        return Ok(cpu());
    }
    // OpenGL is left out: its loader prints error messages on machines without a desktop.
    let descriptor = InstanceDescriptor {
        backends: Backends::PRIMARY,
        ..InstanceDescriptor::new_without_display_handle()
    };
    let adapters =
        pollster::block_on(Instance::new(descriptor).enumerate_adapters(Backends::PRIMARY));
    let infos: Vec<AdapterInfo> =
        adapters.iter().map(burn::tensor::wgpu::wgpu::Adapter::get_info).collect();
    match pick(choice, &infos) {
        Some(kind) => open(kind),
        None if *choice == DeviceChoice::Auto => Ok(cpu()),
        None => {
            let found: Vec<String> = infos.iter().map(describe).collect();
            let found = if found.is_empty() { "none".to_owned() } else { found.join("; ") };
            let wanted = match choice {
                DeviceChoice::Named(name) => {
                    format!("no adapter that can be used is called `{name}`")
                }
                _ => "no GPU was found".to_owned(),
            };
            bail!(
                "{wanted} (adapters here: {found}); install the GPU's Vulkan driver, name another \
                 adapter with `--device gpu:NAME`, or train on the CPU with `--device cpu`"
            )
        }
    }
}

/// The CPU, which is always there.
#[must_use]
pub fn cpu() -> Selected {
    Selected {
        device: Device::flex(),
        description: format!("cpu (flex, {} threads)", cores()),
        is_gpu: false,
    }
}

fn open(kind: DeviceKind) -> Result<Selected> {
    let (device, setup) = Device::wgpu_options()
        .device_kind(kind)
        .init_with_setup()
        .context("the graphics adapter was found but could not be opened; try `--device cpu`")?;
    Ok(Selected { device, description: describe(&setup.adapter.get_info()), is_gpu: true })
}

fn describe(info: &AdapterInfo) -> String {
    let driver = [info.driver.as_str(), info.driver_info.as_str()].join(" ");
    format!("{} ({:?}, {:?}, {})", info.name, info.device_type, info.backend, driver.trim())
}

/// The adapter to open, as its kind and index among adapters of that kind.
fn pick(choice: &DeviceChoice, adapters: &[AdapterInfo]) -> Option<DeviceKind> {
    let wanted: Vec<DeviceType> = match choice {
        DeviceChoice::Cpu => return None,
        DeviceChoice::Auto | DeviceChoice::Gpu => {
            vec![DeviceType::DiscreteGpu, DeviceType::IntegratedGpu, DeviceType::VirtualGpu]
        }
        DeviceChoice::Named(name) => {
            let name = name.to_lowercase();
            let named = adapters.iter().find(|info| info.name.to_lowercase().contains(&name))?;
            let index = adapters
                .iter()
                .filter(|info| info.device_type == named.device_type)
                .position(|info| info.name == named.name)?;
            return kind(named.device_type, index);
        }
    };
    wanted
        .into_iter()
        .find(|wanted| adapters.iter().any(|info| info.device_type == *wanted))
        .and_then(|wanted| kind(wanted, 0))
}

const fn kind(device_type: DeviceType, index: usize) -> Option<DeviceKind> {
    match device_type {
        DeviceType::DiscreteGpu => Some(DeviceKind::DiscreteGpu(index)),
        DeviceType::IntegratedGpu => Some(DeviceKind::IntegratedGpu(index)),
        DeviceType::VirtualGpu => Some(DeviceKind::VirtualGpu(index)),
        DeviceType::Cpu => Some(DeviceKind::Cpu),
        DeviceType::Other => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_parse_and_others_are_refused() {
        assert_eq!("gpu:llvmpipe".parse(), Ok(DeviceChoice::Named("llvmpipe".into())));
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        for text in ["auto", "gpu", "gpu:llvmpipe", "cpu"] {
            assert_eq!(
                text.parse::<DeviceChoice>().map(|choice| choice.to_string()),
                Ok(text.into())
            );
        }
        for text in ["gpu:", "cuda", ""] {
            text.parse::<DeviceChoice>().expect_err("not a device");
        }
    }

    #[test]
    fn no_adapter_means_cpu_for_auto_and_an_error_for_gpu() {
        assert!(pick(&DeviceChoice::Auto, &[]).is_none());
        assert!(pick(&DeviceChoice::Gpu, &[]).is_none());
        assert!(pick(&DeviceChoice::Named("x".into()), &[]).is_none());
    }
}
