//! A run between two iterations as bytes.
//!
//! A checkpoint is a list of named sections and a [`State`]. The algorithm (parameters, optimiser
//! moments) and the environments decide which sections there are; this module must not know them.
//! Front ends decide where and how a checkpoint is stored safely ([`crate::run_files`] has file
//! names and checksums).

use deepspi_worlds::rng::Generators;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::monitor::EpisodeTracker;
use crate::network::NetworkSpec;

/// Version of the layout of [`State`]; checkpoints of other versions are refused.
pub const FORMAT: u32 = 1;

/// Name of the section with the parameters of all networks.
pub const MODEL: &str = "model";

/// Name of the section with the stored environments. It is absent if the environments cannot be
/// stored and in old checkpoints: a resumed run then resets its environments.
pub const ENVIRONMENTS: &str = "environments";

/// A checkpoint.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The state of the algorithm and of the environments.
    pub sections: Vec<Section>,
    /// The rest of the run's state.
    pub state: State,
}

/// One part of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, unique in the checkpoint: lower-case letters, digits and underscores.
    pub name: String,
    /// The format of the bytes.
    pub encoding: Encoding,
    /// The content.
    pub bytes: Vec<u8>,
}

/// How a section is encoded; it determines the extension of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Tensors, under the parameter names of their modules.
    Safetensors,
    /// A format that the owner of the section defines.
    Binary,
}

impl Encoding {
    /// All encodings.
    pub const ALL: [Self; 2] = [Self::Safetensors, Self::Binary];

    /// Extension of file names.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Binary => "bin",
        }
    }
}

impl Section {
    /// Name of its file in the folder of a checkpoint.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.encoding.extension())
    }

    /// Whether a file of this name can hold a section.
    #[must_use]
    pub fn is_file_name(file_name: &str) -> bool {
        split(file_name).is_some()
    }

    /// The section in a file; none if the file name is not that of a section.
    #[must_use]
    pub fn from_file(file_name: &str, bytes: Vec<u8>) -> Option<Self> {
        let (name, encoding) = split(file_name)?;
        Some(Self { name: name.to_owned(), encoding, bytes })
    }
}

/// Name and encoding of a section from the name of its file.
fn split(file_name: &str) -> Option<(&str, Encoding)> {
    let (name, extension) = file_name.rsplit_once('.')?;
    let encoding = Encoding::ALL.into_iter().find(|e| e.extension() == extension)?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(allowed)).then_some((name, encoding))
}

impl Checkpoint {
    /// The bytes of a section; none if the checkpoint has no such section.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&[u8]> {
        self.sections.iter().find(|section| section.name == name).map(|s| s.bytes.as_slice())
    }
}

/// What a checkpoint holds besides its sections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// See [`FORMAT`].
    pub format: u32,
    /// Hyper-parameters of the run.
    pub config: Config,
    /// Sizes of the networks, and with them frames and action count.
    pub spec: NetworkSpec,
    /// Iterations completed.
    pub iteration: u64,
    /// Steps of the optimiser, one entry for each parameter group.
    #[serde(with = "one_or_many")]
    pub optimiser_steps: Vec<u64>,
    /// Generators of the run.
    pub generators: Generators,
    /// Returns of finished and running episodes.
    pub tracker: EpisodeTracker,
    /// Done flags of the environments' current observations.
    pub dones: Vec<bool>,
}

/// A list that is written to files as a plain number if it has one entry, as in files from before
/// parameter groups. In messages, which have no types, it is always a list.
mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(u64),
        Many(Vec<u64>),
    }

    pub(super) fn serialize<S: Serializer>(
        steps: &[u64],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match steps {
            [one] if serializer.is_human_readable() => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u64>, D::Error> {
        if !deserializer.is_human_readable() {
            return Vec::deserialize(deserializer);
        }
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        })
    }
}
