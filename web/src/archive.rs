//! A run folder as one file: what the page saves, loads and keeps in case the worker dies.

use serde::{Deserialize, Serialize};

/// A zip file that holds a run folder with one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Name of the run folder.
    pub name: String,
    /// The zip file.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}
