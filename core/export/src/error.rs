//! Why an agent cannot be exported.

use deepspi_core::checkpoint::CheckpointError;
use deepspi_run::run_files::RunFilesError;

/// Errors of an export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A parameter does not have the shape that the configuration implies.
    #[error("{what} has {found} where the configuration implies {expected}")]
    Shape {
        /// Which parameter.
        what: String,
        /// Its size.
        found: String,
        /// The size that is expected.
        expected: String,
    },
    /// An option has no translation into an ONNX graph.
    #[error(
        "an agent with {option} cannot be written as an ONNX graph yet; train one without this option"
    )]
    Unsupported {
        /// The option and its value.
        option: &'static str,
    },
    /// A parameter is NaN or infinite.
    #[error("the parameter `{0}` has values that are NaN or infinite; use an earlier checkpoint")]
    NotFinite(String),
    /// The numbers of a parameter could not be read.
    #[error("the parameter `{0}` could not be read: {1}")]
    Unreadable(String, String),
    /// A description could not be written as JSON.
    #[error("the description could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The parameters could not be written as a file.
    #[error(transparent)]
    Parameters(#[from] CheckpointError),
    /// The description of the run could not be written.
    #[error(transparent)]
    Run(#[from] RunFilesError),
    /// The world has no such rules.
    #[error("the rules of the world are not valid: {0}")]
    World(String),
}
