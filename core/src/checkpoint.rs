//! Encoding the tensors of a checkpoint as bytes, and decoding them.
//!
//! A section of tensors is a safetensors file whose tensors carry the parameter names of the
//! modules. Equal tensors must give equal bytes. A section is checked completely before it changes
//! any part of a running trainer.

use std::collections::BTreeSet;

use burn::module::Module;
use burn_store::{ModuleSnapshot, ModuleStore, SafetensorsStore};
use deepspi_run::checkpoint::{Checkpoint, FORMAT};
use deepspi_run::network::NetworkSpec;

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
    /// Tensors are missing, superfluous, of another shape or unreadable.
    #[error("the checkpoint's tensors do not fit the networks: {0}")]
    Tensors(String),
    /// The stored configuration is out of range.
    #[error("the checkpoint's configuration is invalid: {0}")]
    Config(#[from] deepspi_options::ConfigError),
    /// Reading from the device failed.
    #[error(transparent)]
    Core(#[from] crate::Error),
}

impl CheckpointError {
    /// The error for a checkpoint whose networks are not those that the environment needs.
    pub(crate) fn spec(found: &NetworkSpec, expected: &NetworkSpec) -> Self {
        let text = |s: &NetworkSpec| {
            let f = s.frame;
            format!("{} actions and {}x{}x{} frames", s.actions, f.channels, f.height, f.width)
        };
        Self::Spec { found: text(found), expected: text(expected) }
    }
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
    store.get_bytes().map_err(|error| CheckpointError::Tensors(error.to_string()))
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
