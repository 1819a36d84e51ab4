//! Encoding the tensors of a checkpoint as bytes, and decoding them.
//!
//! A section of tensors is a safetensors file whose tensors carry the parameter names of the
//! modules. Equal tensors must give equal bytes. A section is checked completely before it changes
//! any part of a running trainer.

use std::collections::{BTreeMap, BTreeSet};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use burn_store::{ModuleSnapshot, ModuleStore, SafetensorsStore};
use deepspi_run::checkpoint::{Checkpoint, Encoding, FORMAT, MODEL, Section, State};
use deepspi_run::network::{NetworkSpec, SpecError};
use deepspi_worlds::env::EnvError;

use crate::data::minibatch::vector;
use crate::data::replay_bytes::ReplayError;
use crate::model::Model;
use crate::params::{flatten, unflatten, zeros_on};
use crate::read_floats;

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Written by another version of this program.
    #[error("the checkpoint has format {found}, this program reads format {FORMAT}")]
    Format {
        /// Format of the checkpoint.
        found: u32,
    },
    /// Made for other observations or actions.
    #[error("the checkpoint was made for {found}, but the environment has {expected}")]
    Spec {
        /// In the checkpoint.
        found: String,
        /// In the environment.
        expected: String,
    },
    /// The sizes of the networks are no sizes.
    #[error("the checkpoint's networks cannot be built: {0}")]
    Networks(#[from] SpecError),
    /// Tensors are missing, superfluous, of another shape or unreadable.
    #[error("the checkpoint's tensors do not fit the networks: {0}")]
    Tensors(String),
    /// The stored configuration is out of range.
    #[error("the checkpoint's configuration is invalid: {0}")]
    Config(#[from] deepspi_options::ConfigError),
    /// The stored replay buffer cannot be used.
    #[error("the checkpoint's replay buffer cannot be used: {0}")]
    Replay(#[from] ReplayError),
    /// Reading from the device failed.
    #[error(transparent)]
    Core(#[from] crate::Error),
    /// The state of the environments could not be read.
    #[error("the state of the environments cannot be stored: {0}")]
    Environments(#[from] EnvError),
}

impl CheckpointError {
    /// The error for a checkpoint whose networks do not fit the environment.
    pub(crate) fn spec(found: &NetworkSpec, expected: &NetworkSpec) -> Self {
        let text = |s: &NetworkSpec| {
            let f = s.frame;
            format!("{} actions and {}x{}x{} frames", s.actions, f.channels, f.height, f.width)
        };
        Self::Spec { found: text(found), expected: text(expected) }
    }
}

/// The section [`MODEL`] with the parameters of a model.
///
/// # Errors
/// If reading from the device or encoding fails.
pub(crate) async fn model_section(model: Model) -> Result<Section, CheckpointError> {
    // Encode on the CPU: the encoder of burn-store reads tensors synchronously.
    let bytes = model_bytes(&on_cpu(model).await?)?;
    Ok(Section { name: MODEL.to_owned(), encoding: Encoding::Safetensors, bytes })
}

/// A model with the same parameters on the CPU, without autodiff.
///
/// # Errors
/// If reading from the device fails.
pub async fn on_cpu(model: Model) -> Result<Model, crate::Error> {
    let cpu = Device::flex();
    let parameters = vector(read_floats(flatten(&model)).await?, &cpu);
    Ok(unflatten(zeros_on(model, &cpu), &parameters, false))
}

/// The parameters of a model on the CPU ([`on_cpu`]) as a safetensors file, by their names.
///
/// # Errors
/// If they cannot be encoded.
pub fn model_bytes(model: &Model) -> Result<Vec<u8>, CheckpointError> {
    encode(model)
}

/// Whether this program can read a checkpoint with this state.
///
/// # Errors
/// If it is of another format, or contains values out of range.
pub(crate) fn check_state(state: &State) -> Result<(), CheckpointError> {
    if state.format != FORMAT {
        return Err(CheckpointError::Format { found: state.format });
    }
    state.config.validate()?;
    state.spec.check()?;
    let num_envs = state.config.num_envs;
    let other = |what: &str| {
        Err(CheckpointError::Tensors(format!("{what} of another number of environments")))
    };
    if state.dones.len() != num_envs {
        return other("done flags");
    }
    if !state.tracker.fits(num_envs) {
        return other("returns");
    }
    let steps = state.iteration.checked_mul(state.config.batch_size() as u64);
    if steps.is_none_or(|steps| i64::try_from(steps).is_err()) {
        return Err(CheckpointError::Tensors(format!(
            "{} iterations, which no run reaches",
            state.iteration
        )));
    }
    Ok(())
}

/// Whether networks have the frames and actions of an environment, for which new networks would be
/// `wanted`.
///
/// # Errors
/// If not.
pub fn check_interface(own: &NetworkSpec, wanted: &NetworkSpec) -> Result<(), CheckpointError> {
    if (own.frame, own.actions) == (wanted.frame, wanted.actions) {
        return Ok(());
    }
    Err(CheckpointError::spec(own, wanted))
}

/// The networks of a checkpoint on `device`, without autodiff. Its other sections, such as the
/// moments of an optimiser, are not needed.
///
/// # Errors
/// If the checkpoint is of another format, or is damaged.
pub fn read_model(checkpoint: &Checkpoint, device: &Device) -> Result<Model, CheckpointError> {
    let state = &checkpoint.state;
    check_state(state)?;
    let cpu = Device::flex();
    let mut model = zeros_on(Model::new(&state.spec, &state.config, &cpu), &cpu);
    decode(required(checkpoint, MODEL)?, &mut model)?;
    let parameters = Tensor::<1>::from_data(flatten(&model).into_data(), device);
    Ok(unflatten(zeros_on(model, device), &parameters, false))
}

/// The bytes of a section; an error if the checkpoint has no such section.
pub(crate) fn required<'a>(
    checkpoint: &'a Checkpoint,
    name: &str,
) -> Result<&'a [u8], CheckpointError> {
    let missing = || CheckpointError::Tensors(format!("the section `{name}` is missing"));
    checkpoint.section(name).ok_or_else(missing)
}

/// A module as a section; its tensors must be on the CPU.
pub(crate) fn encode<M: ModuleSnapshot>(module: &M) -> Result<Vec<u8>, CheckpointError> {
    let mut store = SafetensorsStore::from_bytes(None).skip_enum_variants(true);
    store.collect_from(module).map_err(|error| CheckpointError::Tensors(error.to_string()))?;
    let bytes = store.get_bytes().map_err(|error| CheckpointError::Tensors(error.to_string()))?;
    with_sorted_header(&bytes).ok_or_else(|| {
        CheckpointError::Tensors("what burn-store wrote is not a safetensors file".to_owned())
    })
}

/// The same safetensors file with the entries of its header sorted by name.
///
/// burn-store keeps metadata in a hash map, so equal tensors would give different bytes each time.
/// Offsets in the header count from its end, so the header can be replaced.
fn with_sorted_header(bytes: &[u8]) -> Option<Vec<u8>> {
    const LENGTH: usize = size_of::<u64>();
    let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
    let (header, tensors) = rest.split_at_checked(u64::from_le_bytes(*length).try_into().ok()?)?;
    let header: BTreeMap<String, BTreeMap<String, serde_json::Value>> =
        serde_json::from_slice(header).ok()?;
    let mut header = serde_json::to_vec(&header).ok()?;
    // Tensors must begin at a multiple of eight bytes; the format pads the header with spaces.
    header.resize(header.len().next_multiple_of(LENGTH), b' ');
    let length = u64::try_from(header.len()).ok()?.to_le_bytes();
    Some([&length[..], &header, tensors].concat())
}

/// Reads a section into a module of the same shapes.
pub(crate) fn decode<M: ModuleSnapshot>(
    bytes: &[u8],
    module: &mut M,
) -> Result<(), CheckpointError> {
    let expected: BTreeSet<String> = module_names(module);
    let mut store = SafetensorsStore::from_bytes(Some(bytes.to_vec())).skip_enum_variants(true);
    let found = store.keys().map_err(|error| CheckpointError::Tensors(error.to_string()))?;
    let found: BTreeSet<String> = found.into_iter().collect();
    if let Some(name) = expected.symmetric_difference(&found).next() {
        let what = if expected.contains(name) { "missing" } else { "unknown" };
        return Err(CheckpointError::Tensors(format!("`{name}` is {what}")));
    }
    let result =
        store.apply_to(module).map_err(|error| CheckpointError::Tensors(error.to_string()))?;
    if let Some(error) = result.errors.first() {
        return Err(CheckpointError::Tensors(error.to_string()));
    }
    Ok(())
}

fn module_names<M: Module>(module: &M) -> BTreeSet<String> {
    crate::params::describe(module).into_iter().map(|parameter| parameter.name).collect()
}

#[cfg(test)]
mod tests {
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::MazePreset;

    use super::*;

    fn model(seed: u64) -> Model {
        let config = deepspi_run::config::Config { seed, ..MazePreset::Small.hyper_parameters() };
        Model::new(&MazePreset::Small.network(), &config, &Device::flex())
    }

    #[test]
    fn equal_tensors_give_equal_bytes_which_are_read_again() {
        let bytes = encode(&model(1)).expect("encodes");
        for _ in 0..20 {
            assert!(encode(&model(1)).expect("encodes") == bytes, "the same model, other bytes");
        }
        let mut read = model(2);
        decode(&bytes, &mut read).expect("decodes");
        assert_eq!(flatten(&read).into_data(), flatten(&model(1)).into_data());
    }
}
