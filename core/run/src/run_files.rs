//! The files of a run folder, as names and bytes: what is written natively to a disk and in the browser
//! to an archive is the same, and each reads what the other wrote.
//!
//! A run folder holds `config.toml` and `checkpoints/step_<steps>/` with the parts of a
//! [`Checkpoint`] and their SHA-256 sums. How they are stored safely is the front end's business; that
//! nothing damaged is read is decided here.

use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::maze::MazeConfig;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::checkpoint::{Checkpoint, State};
use crate::config::Config;

/// Description of the run, in its folder.
pub const CONFIG: &str = "config.toml";
/// Folder of the checkpoints, in the folder of the run.
pub const CHECKPOINTS: &str = "checkpoints";
/// Parameters.
pub const MODEL: &str = "model.safetensors";
/// Moments of Adam.
pub const OPTIMISER: &str = "optimiser.safetensors";
/// Everything else.
pub const STATE: &str = "state.json";
/// SHA-256 sums of the three.
pub const SUMS: &str = "SHA256SUMS";

/// Name of the folder of a checkpoint; sorts by step.
#[must_use]
pub fn checkpoint_name(global_step: u64) -> String {
    format!("step_{global_step:012}")
}

/// What is true of a run besides its hyper-parameters; the `[run]` table of `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Game as CleanRL writes it, or `maze`.
    pub env: String,
    /// Sticky actions and long no-op starts.
    pub stochastic: bool,
    /// Device that trained.
    pub device: String,
    /// Version of this program.
    pub version: String,
    /// Revision of the source it was built from.
    pub revision: String,
    /// Start, seconds since 1970.
    pub started: u64,
    /// The maze, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maze: Option<MazeConfig>,
    /// How the games are played, if it is one; none for runs that were begun before it was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atari: Option<AtariTraining>,
}

#[derive(Serialize, Deserialize)]
struct Description {
    #[serde(flatten)]
    config: toml::Table,
    run: RunInfo,
}

/// Why the files of a run cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunFilesError {
    /// A file is not there.
    #[error("{name} is missing")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A file is not what was written.
    #[error("{name} is damaged: its SHA-256 is not the one in {SUMS}")]
    Damaged {
        /// Its name.
        name: &'static str,
    },
    /// A file of another program.
    #[error("{name} is not of this program: {why}")]
    Foreign {
        /// Its name.
        name: &'static str,
        /// What does not fit.
        why: String,
    },
    /// A value that the format cannot hold.
    #[error("{name} cannot be written: {why}")]
    Unwritable {
        /// Its name.
        name: &'static str,
        /// What does not fit.
        why: String,
    },
}

impl RunInfo {
    /// Text of `config.toml`.
    ///
    /// # Errors
    /// If a value cannot be written as TOML.
    pub fn describe(&self, config: &Config) -> Result<String, RunFilesError> {
        let unwritable = |why: toml::ser::Error| RunFilesError::Unwritable {
            name: CONFIG,
            why: why.to_string(),
        };
        let config = toml::Table::try_from(config).map_err(unwritable)?;
        toml::to_string(&Description { config, run: self.clone() }).map_err(unwritable)
    }

    /// From the text of `config.toml`.
    ///
    /// # Errors
    /// If it is not the description of a run.
    pub fn read(text: &str) -> Result<Self, RunFilesError> {
        toml::from_str::<Description>(text)
            .map(|description| description.run)
            .map_err(|error| RunFilesError::Foreign { name: CONFIG, why: error.to_string() })
    }
}

impl Checkpoint {
    /// Names and bytes of its files, the sums last.
    ///
    /// # Errors
    /// If the state cannot be written as JSON.
    pub fn to_files(&self) -> Result<[(&'static str, Vec<u8>); 4], RunFilesError> {
        let state = serde_json::to_vec(&self.state)
            .map_err(|why| RunFilesError::Unwritable { name: STATE, why: why.to_string() })?;
        let parts =
            [(MODEL, self.model.clone()), (OPTIMISER, self.optimiser.clone()), (STATE, state)];
        let lines = parts.iter().map(|(name, bytes)| sum_line(name, bytes) + "\n");
        let sums: String = lines.collect();
        let [model, optimiser, state] = parts;
        Ok([model, optimiser, state, (SUMS, sums.into_bytes())])
    }

    /// From its files, which `file` finds by name.
    ///
    /// # Errors
    /// What `file` says, or if a file is missing, damaged or not of this program.
    pub fn from_files<E: From<RunFilesError>>(
        mut file: impl FnMut(&'static str) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let foreign = |name, why: &dyn std::fmt::Display| RunFilesError::Foreign {
            name,
            why: why.to_string(),
        };
        let sums = String::from_utf8(file(SUMS)?).map_err(|error| foreign(SUMS, &error))?;
        let mut verified = |name| {
            let bytes = file(name)?;
            let line = sum_line(name, &bytes);
            if sums.lines().any(|l| l == line) {
                Ok(bytes)
            } else {
                Err(E::from(RunFilesError::Damaged { name }))
            }
        };
        let (model, optimiser, state) = (verified(MODEL)?, verified(OPTIMISER)?, verified(STATE)?);
        let state: State =
            serde_json::from_slice(&state).map_err(|error| foreign(STATE, &error))?;
        Ok(Self { model, optimiser, state })
    }
}

/// A line of the file of sums.
fn sum_line(name: &str, bytes: &[u8]) -> String {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}  {name}")
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::maze::MazePreset;
    use deepspi_worlds::rng::Generators;

    use super::*;
    use crate::checkpoint::FORMAT;
    use crate::maze_preset::TrainingPreset;
    use crate::monitor::EpisodeTracker;

    fn checkpoint() -> Checkpoint {
        let preset = MazePreset::Small;
        Checkpoint {
            model: (0..200).collect(),
            optimiser: vec![1, 2, 3],
            state: State {
                format: FORMAT,
                config: preset.hyper_parameters(),
                spec: preset.network(),
                iteration: 3,
                optimiser_steps: 24,
                generators: Generators::new(1),
                tracker: EpisodeTracker::new(4),
                dones: vec![false; 4],
            },
        }
    }

    #[test]
    fn files_come_back_and_a_changed_byte_is_noticed() {
        let checkpoint = checkpoint();
        let mut files = checkpoint.to_files().expect("writable");
        let read = |files: &[(&'static str, Vec<u8>)]| {
            Checkpoint::from_files(|name| {
                let file = files.iter().find(|(n, _)| *n == name);
                file.map(|(_, bytes)| bytes.clone()).ok_or(RunFilesError::Missing { name })
            })
        };
        let found = read(&files).expect("whole");
        assert_eq!((found.model, found.optimiser), (checkpoint.model, checkpoint.optimiser));
        assert_eq!(found.state.config, checkpoint.state.config);
        assert_eq!(
            read(&files[1..]).expect_err("no model").to_string(),
            "model.safetensors is missing"
        );
        files[0].1[100] ^= 1;
        let error = read(&files).expect_err("damaged").to_string();
        assert!(error.starts_with("model.safetensors is damaged"), "{error}");
    }

    #[test]
    fn a_description_comes_back_and_another_file_is_refused() {
        let info = RunInfo {
            env: "maze".into(),
            stochastic: false,
            device: "cpu".into(),
            version: "0.1.0".into(),
            revision: "unknown".into(),
            started: 7,
            maze: Some(MazeConfig { cue: 0.3, ..MazeConfig::DEFAULT }),
            atari: Some(AtariTraining { max_episode_steps: 5, ..AtariTraining::DEFAULT }),
        };
        let text = info.describe(&Config::DEFAULT).expect("writable");
        assert_eq!(RunInfo::read(&text).expect("read"), info);
        let old = RunInfo { maze: None, atari: None, ..info };
        let text = old.describe(&Config::DEFAULT).expect("writable");
        assert!(!text.contains("atari"), "{text}");
        assert_eq!(RunInfo::read(&text).expect("read"), old);
        RunInfo::read("gamma = 0.9").expect_err("no run");
    }
}
