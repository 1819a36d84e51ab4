//! What devices there are to choose from, and the one that is always there.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

/// The device that the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU, else the CPU.
    Auto,
    /// A real GPU or an error.
    Gpu,
    /// The adapter whose name contains this text, whatever its kind.
    Named(String),
    /// The adapter with this number in the list of adapters.
    Numbered(usize),
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
            Self::Numbered(number) => write!(f, "gpu:{number}"),
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
                Some(name) if !name.is_empty() => {
                    Ok(name.parse().map_or_else(|_| Self::Named(name.to_owned()), Self::Numbered))
                }
                _ => Err("allowed: auto, gpu, gpu:NAME, gpu:NUMBER, cpu".to_owned()),
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

/// The CPU, which is always there.
#[must_use]
pub fn cpu() -> Selected {
    Selected {
        device: Device::flex(),
        description: format!("cpu (flex, {} threads)", cores()),
        is_gpu: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_parse_and_others_are_refused() {
        assert_eq!("gpu:llvmpipe".parse(), Ok(DeviceChoice::Named("llvmpipe".into())));
        assert_eq!("gpu:1".parse(), Ok(DeviceChoice::Numbered(1)));
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        for text in ["auto", "gpu", "gpu:llvmpipe", "gpu:1", "cpu"] {
            assert_eq!(
                text.parse::<DeviceChoice>().map(|choice| choice.to_string()),
                Ok(text.into())
            );
        }
        for text in ["gpu:", "cuda", ""] {
            text.parse::<DeviceChoice>().expect_err("not a device");
        }
    }
}
