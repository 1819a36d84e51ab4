//! All files of an export, as names and bytes.

use deepspi_core::checkpoint::model_bytes;
use deepspi_core::model::Model;

use crate::card::{self, Contents};
use crate::config::{self, AGENT_FILE, CONFIG_FILE, PARAMETERS_FILE, WORLD_MODEL_FILE};
use crate::error::ExportError;
use crate::onnx;
use crate::subject::Subject;

/// The files of an agent, whose networks are on the CPU ([`deepspi_core::checkpoint::on_cpu`]). The learning
/// curve, which only the owner of a log can draw, is not among them.
///
/// # Errors
/// If the agent cannot be written as a graph, or a description cannot be written.
pub fn files(
    model: &Model,
    subject: &Subject<'_>,
    contents: &Contents,
) -> Result<Vec<(&'static str, Vec<u8>)>, ExportError> {
    let Subject { run, config, spec, .. } = *subject;
    let facts = subject.facts();
    let mut files = vec![
        (AGENT_FILE, onnx::agent(model, config, spec, &facts)?),
        (PARAMETERS_FILE, model_bytes(model)?),
        (CONFIG_FILE, config::text(subject)?.into_bytes()),
        (card::CARD_FILE, card::text(subject, contents)?.into_bytes()),
        (card::RUN_FILE, run.describe(config)?.into_bytes()),
    ];
    let world_model = onnx::world_model_step(model, config, spec, &facts)?;
    files.extend(world_model.map(|bytes| (WORLD_MODEL_FILE, bytes)));
    Ok(files)
}
