//! The files of a run folder as names and bytes. The command line writes them to a disk and the
//! browser to an archive; both must write the same, and each can read what the other wrote.
//!
//! A run folder holds `config.toml` and `checkpoints/step_<steps>/` with the parts of a
//! [`Checkpoint`] and their SHA-256 checksums. Front ends decide how the files are stored safely;
//! this module must refuse damaged files.

use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::maze::MazeConfig;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::checkpoint::{Checkpoint, Section, State};
use crate::config::Config;

/// Name of the description of the run in its folder.
pub const CONFIG: &str = "config.toml";
/// Name of the folder of checkpoints in the folder of the run.
pub const CHECKPOINTS: &str = "checkpoints";
/// Name of the file with the state of a checkpoint, which is everything except its sections.
pub const STATE: &str = "state.json";
/// Name of the manifest: the SHA-256 checksums of all other files of a checkpoint.
pub const SUMS: &str = "SHA256SUMS";

/// Prefix of the names of checkpoint folders; see [`checkpoint_name`].
pub const STEP_PREFIX: &str = "step_";
/// Prefix of the name of a folder, in the folder of a run, into which the files of a run that
/// cannot be resumed are moved. Checkpoints in it are ignored.
pub const UNUSABLE_PREFIX: &str = "unusable-";
/// Prefix of the name of a file or folder that is being written. It remains if the process is
/// killed.
pub const WRITING_PREFIX: &str = ".writing_";
/// Suffix of the name of a folder while a newer one replaces it. It remains if the process is
/// killed.
pub const REPLACED_SUFFIX: &str = ".replaced";

/// Name of a checkpoint's folder; the names sort by step up to 10^12 steps.
#[must_use]
pub fn checkpoint_name(global_step: u64) -> String {
    format!("{STEP_PREFIX}{global_step:012}")
}

/// The step of the checkpoint in a folder of this name; `None` for all names that
/// [`checkpoint_name`] does not give, such as that of a copy that a user made.
#[must_use]
pub fn checkpoint_step(name: &str) -> Option<u64> {
    let step = name.strip_prefix(STEP_PREFIX)?.parse().ok()?;
    (checkpoint_name(step) == name).then_some(step)
}

/// Whether a file or folder of this name is a leftover of a process that was killed while it wrote.
#[must_use]
pub fn is_leftover(name: &str) -> bool {
    name.starts_with(WRITING_PREFIX) || name.ends_with(REPLACED_SUFFIX)
}

/// How a run is saved. A continued run keeps to it: with fewer checkpoints to keep, its first save
/// would remove those that the user wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saving {
    /// Agent steps between checkpoints.
    pub every: u64,
    /// Number of newest checkpoints that are kept besides the best.
    pub keep: u64,
}

impl Saving {
    /// How `native train` saves a run if the user does not say.
    pub const DEFAULT: Self = Self { every: 102_400, keep: 3 };
    /// The largest number that `config.toml` can hold: integers of TOML have a sign.
    pub const LARGEST: u64 = i64::MAX as u64;
}

/// Facts about a run besides its hyper-parameters; the `[run]` table of `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The game as CleanRL writes it, or `maze`.
    pub env: String,
    /// Whether the games use sticky actions and long no-op starts.
    pub stochastic: bool,
    /// Device on which the run was trained.
    pub device: String,
    /// Version of this program.
    pub version: String,
    /// Revision of the source it was built from.
    pub revision: String,
    /// Start of the run, in seconds since 1970.
    pub started: u64,
    /// The settings of the maze, if the environment is the maze.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maze: Option<MazeConfig>,
    /// The settings of the game, if the environment is a game; none for runs from before they were
    /// stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atari: Option<AtariTraining>,
    /// How the run is saved; none for runs of the page and those from before this was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saving: Option<Saving>,
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
    /// A file does not exist.
    #[error("{name} is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// The content of a file does not match its checksum.
    #[error("{name} is damaged: its SHA-256 is not the one in {SUMS}")]
    Damaged {
        /// Its name.
        name: String,
    },
    /// A file was not written by this program.
    #[error("{name} is not of this program: {why}")]
    Foreign {
        /// Its name.
        name: String,
        /// What does not fit.
        why: String,
    },
    /// A value that the format cannot hold.
    #[error("{name} cannot be written: {why}")]
    Unwritable {
        /// Its name.
        name: String,
        /// What does not fit.
        why: String,
    },
}

impl RunFilesError {
    fn foreign(name: &str, why: impl std::fmt::Display) -> Self {
        Self::Foreign { name: name.to_owned(), why: why.to_string() }
    }

    fn unwritable(name: &str, why: impl std::fmt::Display) -> Self {
        Self::Unwritable { name: name.to_owned(), why: why.to_string() }
    }
}

impl RunInfo {
    /// Default name of the run's folder: `<env>__<algo>__<seed>__<start>`.
    #[must_use]
    pub fn folder_name(&self, config: &Config) -> String {
        format!("{}__{}__{}__{}", self.env, config.algo.name(), config.seed, self.started)
    }

    /// SHA-256 of what decides which agent a run trains: world and hyper-parameters, except for the
    /// length, which may grow.
    ///
    /// # Errors
    /// If a value cannot be written.
    pub fn digest(&self, config: &Config) -> Result<String, RunFilesError> {
        let config = Config { total_timesteps: 0, ..config.clone() };
        let all = (&self.env, self.stochastic, &self.maze, &self.atari, config.identity());
        let text =
            serde_json::to_vec(&all).map_err(|why| RunFilesError::unwritable(CONFIG, why))?;
        Ok(sha256(&text))
    }

    /// Text of `config.toml`.
    ///
    /// # Errors
    /// If a value cannot be written as TOML.
    pub fn describe(&self, config: &Config) -> Result<String, RunFilesError> {
        let unwritable = |why: toml::ser::Error| RunFilesError::unwritable(CONFIG, why);
        let config = toml::Table::try_from(config).map_err(unwritable)?;
        toml::to_string(&Description { config, run: self.clone() }).map_err(unwritable)
    }

    /// Reads the text of `config.toml`.
    ///
    /// # Errors
    /// If it is not the description of a run.
    pub fn read(text: &str) -> Result<Self, RunFilesError> {
        toml::from_str::<Description>(text)
            .map(|description| description.run)
            .map_err(|error| RunFilesError::foreign(CONFIG, error))
    }
}

impl Checkpoint {
    /// Names and bytes of the checkpoint's files: the sections, the state, and last the manifest.
    ///
    /// # Errors
    /// If the state cannot be written as JSON.
    pub fn to_files(&self) -> Result<Vec<(String, Vec<u8>)>, RunFilesError> {
        let state =
            serde_json::to_vec(&self.state).map_err(|why| RunFilesError::unwritable(STATE, why))?;
        let sections = self.sections.iter();
        let mut files: Vec<_> = sections.map(|s| (s.file_name(), s.bytes.clone())).collect();
        files.push((STATE.to_owned(), state));
        let lines = files.iter().map(|(name, bytes)| sum_line(name, bytes) + "\n");
        let sums: String = lines.collect();
        files.push((SUMS.to_owned(), sums.into_bytes()));
        Ok(files)
    }

    /// Reads a checkpoint from its files; `file` returns a file by its name. The manifest
    /// ([`SUMS`]) says which files there are.
    ///
    /// # Errors
    /// Errors of `file`; or if a file is missing, damaged or not written by this program.
    pub fn from_files<E: From<RunFilesError>>(
        mut file: impl FnMut(&str) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let sums =
            String::from_utf8(file(SUMS)?).map_err(|error| RunFilesError::foreign(SUMS, error))?;
        let (mut sections, mut state) = (Vec::new(), None);
        for line in sums.lines() {
            let name = line.split_once("  ").map(|(_, name)| name).ok_or_else(|| {
                RunFilesError::foreign(SUMS, format!("`{line}` is not a sum and a name"))
            })?;
            // Checked before anything is read: a manifest from another source may name any path.
            if name != STATE && !Section::is_file_name(name) {
                return Err(RunFilesError::foreign(SUMS, format!("it names `{name}`")).into());
            }
            let bytes = file(name)?;
            if sum_line(name, &bytes) != line {
                return Err(RunFilesError::Damaged { name: name.to_owned() }.into());
            }
            if name == STATE {
                state = Some(bytes);
            } else {
                sections.extend(Section::from_file(name, bytes));
            }
        }
        let state = state.ok_or_else(|| RunFilesError::Missing { name: STATE.to_owned() })?;
        let state: State =
            serde_json::from_slice(&state).map_err(|error| RunFilesError::foreign(STATE, error))?;
        Ok(Self { sections, state })
    }
}

/// A line of the manifest.
fn sum_line(name: &str, bytes: &[u8]) -> String {
    format!("{}  {name}", sha256(bytes))
}

/// The SHA-256 of bytes, in hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::maze::MazePreset;
    use deepspi_worlds::rng::Generators;

    use super::*;
    use crate::checkpoint::{Encoding, FORMAT};
    use crate::maze_preset::TrainingPreset;
    use crate::monitor::EpisodeTracker;

    fn checkpoint() -> Checkpoint {
        let preset = MazePreset::Small;
        let section = |name: &str, encoding, bytes| Section { name: name.into(), encoding, bytes };
        Checkpoint {
            sections: vec![
                section("model", Encoding::Safetensors, (0..200).collect()),
                section("replay_buffer", Encoding::Binary, vec![1, 2, 3]),
            ],
            state: State {
                format: FORMAT,
                config: preset.hyper_parameters(),
                spec: preset.network(),
                iteration: 3,
                optimiser_steps: vec![24],
                generators: Generators::new(1),
                tracker: EpisodeTracker::new(4),
                dones: vec![false; 4],
            },
        }
    }

    fn info() -> RunInfo {
        RunInfo {
            env: "maze".into(),
            stochastic: false,
            device: "cpu".into(),
            version: "0.1.0".into(),
            revision: "unknown".into(),
            started: 7,
            maze: Some(MazeConfig::DEFAULT),
            atari: None,
            saving: None,
        }
    }

    fn read(files: &[(String, Vec<u8>)]) -> Result<Checkpoint, RunFilesError> {
        Checkpoint::from_files(|name| {
            let file = files.iter().find(|(found, _)| found == name);
            let missing = || RunFilesError::Missing { name: name.to_owned() };
            file.map(|(_, bytes)| bytes.clone()).ok_or_else(missing)
        })
    }

    #[test]
    fn only_names_of_checkpoints_have_a_step() {
        for step in [0, 1, 102_400, 999_999_999_999, 1_000_000_000_000, u64::MAX] {
            assert_eq!(checkpoint_step(&checkpoint_name(step)), Some(step));
        }
        for other in
            ["step_best", "step_1", "step_000000000001 copy", "step_+00000000001", "step_", ""]
        {
            assert_eq!(checkpoint_step(other), None, "{other}");
        }
    }

    #[test]
    fn all_sections_come_back_and_a_changed_byte_is_noticed() {
        let checkpoint = checkpoint();
        let mut files = checkpoint.to_files().expect("writable");
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["model.safetensors", "replay_buffer.bin", STATE, SUMS]);
        let found = read(&files).expect("whole");
        assert_eq!(found.sections, checkpoint.sections);
        assert_eq!(found.section("replay_buffer"), Some(&[1, 2, 3][..]));
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
    fn a_manifest_cannot_name_a_file_outside_the_folder() {
        let mut files = checkpoint().to_files().expect("writable");
        let (name, bytes) = ("../model.safetensors".to_owned(), vec![7]);
        let sums = &mut files.last_mut().expect("the manifest").1;
        sums.extend((sum_line(&name, &bytes) + "\n").into_bytes());
        files.insert(0, (name, bytes));
        let error = read(&files).expect_err("outside").to_string();
        assert!(error.contains("../model.safetensors"), "{error}");
    }

    #[test]
    fn steps_of_one_group_are_written_as_before_there_were_groups() {
        let mut state = checkpoint().state;
        let json = serde_json::to_value(&state).expect("writable");
        assert_eq!(json["optimiser_steps"], 24);
        state.optimiser_steps = vec![1, 2];
        let json = serde_json::to_string(&state).expect("writable");
        let read: State = serde_json::from_str(&json).expect("readable");
        assert_eq!(read.optimiser_steps, [1, 2]);
    }

    #[test]
    fn a_digest_is_of_the_agent_and_not_of_its_circumstances() {
        let info = info();
        let digest = |info: &RunInfo, config: &Config| info.digest(config).expect("plain values");
        let one = digest(&info, &Config::DEFAULT);
        let elsewhere = RunInfo { device: "gpu".into(), started: 8, ..info.clone() };
        assert_eq!(digest(&elsewhere, &Config { total_timesteps: 5, ..Config::DEFAULT }), one);
        assert_ne!(digest(&info, &Config { learning_rate: 0.5, ..Config::DEFAULT }), one);
        let maze = Some(MazeConfig { cue: 0.3, ..MazeConfig::DEFAULT });
        assert_ne!(digest(&RunInfo { maze, ..info }, &Config::DEFAULT), one);
    }

    #[test]
    fn a_description_comes_back_and_another_file_is_refused() {
        let info = RunInfo {
            maze: Some(MazeConfig { cue: 0.3, ..MazeConfig::DEFAULT }),
            atari: Some(AtariTraining { max_episode_steps: 5, ..AtariTraining::DEFAULT }),
            saving: Some(Saving { every: 7, keep: 2 }),
            ..info()
        };
        let text = info.describe(&Config::DEFAULT).expect("writable");
        assert_eq!(RunInfo::read(&text).expect("read"), info);
        let old = RunInfo { maze: None, atari: None, saving: None, ..info };
        let text = old.describe(&Config::DEFAULT).expect("writable");
        assert!(!text.contains("atari"), "{text}");
        assert_eq!(RunInfo::read(&text).expect("read"), old);
        RunInfo::read("gamma = 0.9").expect_err("no run");
    }
}
