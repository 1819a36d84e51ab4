//! Parameters and moments of an algorithm as sections of a checkpoint.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use deepspi_run::checkpoint::{Checkpoint, Encoding, MODEL, Section};

use crate::checkpoint::{CheckpointError, decode, encode, model_section, required};
use crate::data::minibatch::vector;
use crate::model::Model;
use crate::optim::Optimiser;
use crate::params::{flatten, unflatten, zeros_on};
use crate::read_floats;

/// Name of the checkpoint section with both moments of Adam.
const OPTIMISER: &str = "optimiser";

/// Both moments of Adam in one section: the field names are the prefixes of their tensors.
#[derive(Module, Debug)]
struct Moments {
    moment_1: Model,
    moment_2: Model,
}

/// The sections of a model, without autodiff, and of its optimiser.
pub(super) async fn sections(
    model: Model,
    optimiser: &Optimiser,
) -> Result<Vec<Section>, CheckpointError> {
    // Encode on the CPU: the encoder of burn-store reads tensors synchronously.
    let template = zeros_on(model.clone(), &Device::flex());
    let on_cpu = async |flat: Tensor<1>| -> Result<Model, crate::Error> {
        let flat = vector(read_floats(flat).await?, &Device::flex());
        Ok(unflatten(template.clone(), &flat, false))
    };
    let [moment_1, moment_2] = optimiser.moments();
    let moments = Moments { moment_1: on_cpu(moment_1).await?, moment_2: on_cpu(moment_2).await? };
    let moments = Section {
        name: OPTIMISER.to_owned(),
        encoding: Encoding::Safetensors,
        bytes: encode(&moments)?,
    };
    Ok(vec![model_section(model).await?, moments])
}

/// The parameters `[P]` of a checkpoint on `device`, for networks like `model`; `optimiser` gets its
/// moments and steps.
pub(super) fn restore(
    checkpoint: &Checkpoint,
    model: Model,
    optimiser: &mut Optimiser,
    device: &Device,
) -> Result<Tensor<1>, CheckpointError> {
    let template = zeros_on(model, &Device::flex());
    let mut moments = Moments { moment_1: template.clone(), moment_2: template.clone() };
    decode(required(checkpoint, OPTIMISER)?, &mut moments)?;
    let mut parameters = template;
    decode(required(checkpoint, MODEL)?, &mut parameters)?;
    let to_device = |module: &Model| Tensor::<1>::from_data(flatten(module).into_data(), device);
    let moments = [to_device(&moments.moment_1), to_device(&moments.moment_2)];
    let steps = &checkpoint.state.optimiser_steps;
    if !optimiser.restore(moments, steps) {
        let groups = optimiser.groups().count();
        let text = format!("steps of {} parameter groups, not of {groups}", steps.len());
        return Err(CheckpointError::Tensors(text));
    }
    Ok(to_device(&parameters))
}
