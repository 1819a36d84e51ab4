//! A run between two iterations as bytes, and back.
//!
//! Three parts: parameters and moments as safetensors, everything else as JSON. Where and how safely
//! they are stored is the front end's business. A checkpoint is refused before anything of the
//! running trainer is touched.

use std::collections::BTreeSet;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use burn_store::{ModuleSnapshot, ModuleStore, SafetensorsStore};
use deepspi_run::checkpoint::{Checkpoint, FORMAT, State};
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;

use crate::learner::Learner;
use crate::nn::Model;
use crate::objective::vector;
use crate::optim::Adam;
use crate::params::{flatten, unflatten};
use crate::read_floats;
use crate::trainer::Trainer;

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Written by another version of this program.
    #[error("the checkpoint has format {found}, this program reads format {FORMAT}")]
    Format {
        /// Format in the checkpoint.
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

/// Both moments, so that one file holds them under two prefixes.
#[derive(Module, Debug)]
struct Moments {
    moment_1: Model,
    moment_2: Model,
}

impl Trainer {
    /// The run as it stands.
    ///
    /// # Errors
    /// If reading from the device or encoding fails.
    pub async fn checkpoint(&self) -> Result<Checkpoint, CheckpointError> {
        let template = cpu_template(&self.spec, &self.config);
        let on_cpu = async |flat: &Tensor<1>| -> Result<Model, crate::Error> {
            let flat = vector(read_floats(flat.clone()).await?, &Device::flex());
            Ok(unflatten(template.clone(), &flat, false))
        };
        let optimiser = &self.learner.optimiser;
        let moments = Moments {
            moment_1: on_cpu(&optimiser.moment_1).await?,
            moment_2: on_cpu(&optimiser.moment_2).await?,
        };
        Ok(Checkpoint {
            model: encode(&on_cpu(self.learner.parameters()).await?)?,
            optimiser: encode(&moments)?,
            state: State {
                format: FORMAT,
                config: self.config.clone(),
                spec: self.spec.clone(),
                iteration: self.iteration,
                optimiser_steps: optimiser.steps,
                generators: self.generators.clone(),
                tracker: self.tracker.clone(),
                dones: self.dones.clone(),
            },
        })
    }

    /// Continues a checkpoint on `device`, for an environment with the networks `spec`.
    ///
    /// # Errors
    /// If the checkpoint is of another format, was made for another environment, or is damaged.
    pub fn restore(
        checkpoint: Checkpoint,
        spec: &NetworkSpec,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let Checkpoint { model, optimiser, state } = checkpoint;
        if state.format != FORMAT {
            return Err(CheckpointError::Format { found: state.format });
        }
        if state.spec != *spec {
            let text = |s: &NetworkSpec| {
                let f = s.frame;
                format!("{} actions and {}x{}x{} frames", s.actions, f.channels, f.height, f.width)
            };
            return Err(CheckpointError::Spec { found: text(&state.spec), expected: text(spec) });
        }
        state.config.validate()?;
        if state.dones.len() != state.config.num_envs {
            return Err(CheckpointError::Tensors(
                "done flags of another number of environments".into(),
            ));
        }
        let template = cpu_template(spec, &state.config);
        let mut moments = Moments { moment_1: template.clone(), moment_2: template.clone() };
        decode(optimiser, &mut moments)?;
        let mut parameters = template;
        decode(model, &mut parameters)?;

        let to_device = |module: &Model| {
            let flat = flatten(module);
            Tensor::<1>::from_data(flat.into_data(), device)
        };
        let fresh = Model::new(spec, &state.config, device);
        let learner = Learner::new(fresh).with_parameters(to_device(&parameters));
        Ok(Self {
            learner: Learner {
                optimiser: Adam {
                    moment_1: to_device(&moments.moment_1),
                    moment_2: to_device(&moments.moment_2),
                    steps: state.optimiser_steps,
                },
                ..learner
            },
            generators: state.generators,
            iteration: state.iteration,
            tracker: state.tracker,
            dones: state.dones,
            watches_batches: false,
            device: device.clone(),
            config: state.config,
            spec: state.spec,
        })
    }

    /// After a restore with environments that start anew: their running games are forgotten.
    pub fn environments_were_reset(&mut self) {
        self.tracker.abandon_running();
        self.dones.fill(false);
    }
}

fn cpu_template(spec: &NetworkSpec, config: &Config) -> Model {
    Model::new(spec, config, &Device::flex())
}

fn encode<M: ModuleSnapshot>(module: &M) -> Result<Vec<u8>, CheckpointError> {
    let mut store = SafetensorsStore::from_bytes(None).skip_enum_variants(true);
    store.collect_from(module).map_err(|error| CheckpointError::Tensors(error.to_string()))?;
    store.get_bytes().map_err(|error| CheckpointError::Tensors(error.to_string()))
}

fn decode<M: ModuleSnapshot>(bytes: Vec<u8>, module: &mut M) -> Result<(), CheckpointError> {
    let expected: BTreeSet<String> = module_names(module);
    let mut store = SafetensorsStore::from_bytes(Some(bytes)).skip_enum_variants(true);
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
