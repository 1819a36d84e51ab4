//! A run folder as one zip file: what the page saves, loads and keeps in case the worker dies.
//!
//! The folder inside has the layout of a native run folder: `native --resume` continues it once it
//! is unpacked, and the page reads a zipped native run folder or one checkpoint of it. An upload is
//! not trusted until [`Archive::open`] has read and verified all of it. The unpacked size is
//! limited because a small zip file can unpack to any size.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use deepspi_run::checkpoint::{Checkpoint, Section};
use deepspi_run::run_files::{
    CHECKPOINTS, CONFIG, RunFilesError, RunInfo, STATE, SUMS, UNUSABLE_PREFIX, checkpoint_name,
    checkpoint_step, is_leftover,
};
use serde::{Deserialize, Serialize};
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

use crate::unzip::{Limits, Unzip, UnzipError};

/// A checkpoint of the Atari networks has a tenth of this size, and a folder with many runs has some
/// thousand files.
const LIMITS: Limits = Limits { files: 100_000, file: 256 << 20, unpacked: 256 << 20 };

/// A zip file that holds a run folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Name of the run folder.
    pub name: String,
    /// The zip file.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The zip file cannot be read.
    #[error(
        "{0}; load a checkpoint saved by this page, a zipped run folder, or all files of a checkpoint"
    )]
    Unzip(#[from] UnzipError),
    /// The zip file cannot be written.
    #[error("the zip file cannot be written: {0}")]
    Pack(#[from] ZipError),
    /// A file of the checkpoint is missing, damaged or foreign.
    #[error("the checkpoint cannot be used: {0}")]
    Files(#[from] RunFilesError),
}

/// What an archive holds.
#[derive(Debug)]
pub struct Contents {
    /// Description of the run that wrote the checkpoint; none if only a checkpoint was given.
    pub info: Option<RunInfo>,
    /// The newest checkpoint of all runs in the archive.
    pub checkpoint: Checkpoint,
}

impl Archive {
    /// Packs a run folder with one checkpoint.
    ///
    /// # Errors
    /// If a value cannot be written.
    pub fn new(
        info: &RunInfo,
        checkpoint: &Checkpoint,
        global_step: u64,
    ) -> Result<Self, ArchiveError> {
        let config = &checkpoint.state.config;
        let name = info.folder_name(config);
        let folder = format!("{name}/{CHECKPOINTS}/{}", checkpoint_name(global_step));
        let mut files = vec![(format!("{name}/{CONFIG}"), info.describe(config)?.into_bytes())];
        for (part, bytes) in checkpoint.to_files()? {
            files.push((format!("{folder}/{part}"), bytes));
        }
        let bytes = pack(&files)?;
        Ok(Self { name, bytes })
    }

    /// Packs files of one folder, which has the name of the archive.
    ///
    /// # Errors
    /// If the zip file cannot be written.
    pub fn of_files<'a>(
        name: String,
        files: impl IntoIterator<Item = (&'a str, Vec<u8>)>,
    ) -> Result<Self, ArchiveError> {
        let within = |(file, bytes)| (format!("{name}/{file}"), bytes);
        let files: Vec<_> = files.into_iter().map(within).collect();
        Ok(Self { bytes: pack(&files)?, name })
    }

    /// Makes an archive from the files that a user chose: one zip file, or the files of a
    /// checkpoint (and `config.toml`).
    ///
    /// # Errors
    /// If they are not a checkpoint, or it is damaged.
    pub fn from_upload(files: &[(String, Vec<u8>)]) -> Result<Self, ArchiveError> {
        let archive = match files {
            [(name, bytes)] => {
                let name = name.strip_suffix(".zip").unwrap_or(name).to_owned();
                Self { name, bytes: bytes.clone() }
            }
            _ => Self { name: "checkpoint".to_owned(), bytes: pack(files)? },
        };
        archive.open()?;
        Ok(archive)
    }

    /// Reads and verifies the archive. Only the files that are used are unpacked.
    ///
    /// # Errors
    /// If it is not a checkpoint of this program, or it is damaged.
    pub fn open(&self) -> Result<Contents, ArchiveError> {
        self.open_within(LIMITS)
    }

    fn open_within(&self, limits: Limits) -> Result<Contents, ArchiveError> {
        let mut zip = Unzip::open(&self.bytes, limits)?;
        let paths = zip.names().to_vec();
        let (config, mut parts) = choose(&paths);
        let mut read = |index: usize| zip.read(index).map_err(ArchiveError::from);
        let config = config.map(&mut read).transpose()?;
        let info =
            config.map(|bytes| RunInfo::read(&String::from_utf8_lossy(&bytes))).transpose()?;
        let checkpoint = Checkpoint::from_files(|name| {
            let missing = ArchiveError::Files(RunFilesError::Missing { name: name.to_owned() });
            read(parts.remove(name).ok_or(missing)?)
        })?;
        Ok(Contents { info, checkpoint })
    }
}

/// Whether files of these paths look like a checkpoint, whole or not.
pub fn looks_like_checkpoint<'a>(paths: impl IntoIterator<Item = &'a str>) -> bool {
    // Not `is_part`: sections of binary data have the ending of cartridges.
    let tells = |name: &str| [STATE, SUMS].contains(&name) || name.ends_with(".safetensors");
    paths.into_iter().any(|path| tells(split(path).1))
}

/// Whether a file of this name may belong to a checkpoint.
fn is_part(name: &str) -> bool {
    [STATE, SUMS].contains(&name) || Section::is_file_name(name)
}

/// Finds the newest checkpoint among these paths. Returns the index of its run's `config.toml`, and
/// the indices of the checkpoint's files by name.
fn choose(paths: &[String]) -> (Option<usize>, BTreeMap<&str, usize>) {
    let files = || paths.iter().enumerate().map(|(index, path)| (index, split(path)));
    let folders = files().filter(|(_, (folder, name))| {
        // `native` moves unusable runs to such folders, and leaves one when it is killed while it
        // writes or replaces a checkpoint.
        let set_aside = |part: &str| part.starts_with(UNUSABLE_PREFIX) || is_leftover(part);
        is_part(name) && !folder.split('/').any(set_aside)
    });
    /// Other folders count only if no folder has the name of a checkpoint.
    fn age<'a>(folder: &&'a str) -> (Option<u64>, &'a str) {
        (checkpoint_step(split(folder).1), folder)
    }
    let Some(newest) = folders.map(|(_, (folder, _))| folder).max_by_key(age) else {
        return (None, BTreeMap::new());
    };
    // The `config.toml` in the nearest enclosing folder belongs to this run, any other to another
    // run.
    let encloses = |folder: &str| {
        let rest = newest.strip_prefix(folder);
        rest.is_some_and(|rest| folder.is_empty() || rest.is_empty() || rest.starts_with('/'))
    };
    let configs = files().filter(|(_, (folder, name))| *name == CONFIG && encloses(folder));
    let config = configs.max_by_key(|(_, (folder, _))| folder.len()).map(|(index, _)| index);
    let parts = files().filter(|(_, (folder, _))| *folder == newest);
    (config, parts.map(|(index, (_, name))| (name, index)).collect())
}

/// Folder and name of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn pack(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, ZipError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        // Parameters hardly compress; the state and the configuration are small.
        let stored =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        writer.start_file(path.as_str(), stored)?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use deepspi_run::checkpoint::{Encoding, FORMAT, State};
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_run::monitor::EpisodeTracker;
    use deepspi_worlds::maze::MazeConfig;
    use deepspi_worlds::rng::Generators;

    use super::*;

    fn info(maze: MazeConfig) -> RunInfo {
        RunInfo {
            env: "maze".into(),
            stochastic: false,
            device: "cpu".into(),
            version: "0.1.0".into(),
            revision: String::new(),
            started: 5,
            maze: Some(maze),
            atari: None,
            saving: None,
        }
    }

    /// A checkpoint before the first iteration. No test here reads its tensors.
    fn checkpoint() -> Checkpoint {
        let preset = MazeConfig::DEFAULT.preset;
        let config = preset.hyper_parameters();
        let environments = config.num_envs;
        let section = |name: &str, length| Section {
            name: name.to_owned(),
            encoding: Encoding::Safetensors,
            bytes: (0..=255).cycle().take(length).collect(),
        };
        Checkpoint {
            sections: vec![section("model", 4096), section("optimiser", 8192)],
            state: State {
                format: FORMAT,
                spec: preset.network(),
                iteration: 0,
                optimiser_steps: vec![0],
                generators: Generators::new(config.seed),
                tracker: EpisodeTracker::new(environments),
                dones: vec![false; environments],
                config,
            },
        }
    }

    fn archive() -> Archive {
        Archive::new(&info(MazeConfig::DEFAULT), &checkpoint(), 512).expect("packed")
    }

    /// The files of a checkpoint in a folder.
    fn files_in(folder: &str, checkpoint: &Checkpoint) -> Vec<(String, Vec<u8>)> {
        let files = checkpoint.to_files().expect("writable");
        let within = |(name, bytes)| (format!("{folder}/{name}"), bytes);
        files.into_iter().map(within).collect()
    }

    fn zip(files: &[(String, Vec<u8>)]) -> Archive {
        Archive { name: "several".into(), bytes: pack(files).expect("packed") }
    }

    #[test]
    fn archives_packed_on_windows_and_macos_are_read() {
        let mut files = vec![(
            "run/config.toml".to_owned(),
            info(MazeConfig::DEFAULT)
                .describe(&checkpoint().state.config)
                .expect("written")
                .into_bytes(),
        )];
        files.extend(files_in("run/checkpoints/step_000000000512", &checkpoint()));
        let windows: Vec<_> =
            files.iter().map(|(path, bytes)| (path.replace('/', "\\"), bytes.clone())).collect();
        let mut mac = Vec::new();
        for (path, bytes) in &files {
            let (folder, name) = split(path);
            mac.push((format!("__MACOSX/{folder}/._{name}"), b"attributes".to_vec()));
            mac.push((path.clone(), bytes.clone()));
            // Without the folder __MACOSX, as on a disk that macOS wrote to.
            mac.push((format!("{folder}/._{name}"), b"attributes".to_vec()));
        }
        for files in [windows, mac] {
            let contents = zip(&files).open().expect("a run");
            assert_eq!(contents.checkpoint.sections, checkpoint().sections);
            assert_eq!(contents.info, Some(info(MazeConfig::DEFAULT)));
        }
    }

    #[test]
    fn a_run_comes_back_with_its_maze() {
        let archive = archive();
        assert_eq!(archive.name, "maze__deep-spi__1__5");
        let uploaded =
            Archive::from_upload(&[("x.zip".into(), archive.bytes.clone())]).expect("whole");
        let contents = uploaded.open().expect("whole");
        assert_eq!(contents.info.and_then(|info| info.maze), Some(MazeConfig::DEFAULT));
        assert_eq!(contents.checkpoint.state.iteration, 0);
    }

    #[test]
    fn the_newest_of_several_runs_comes_with_its_own_maze_and_not_what_was_set_aside() {
        let mut checkpoint = checkpoint();
        let mut run = |name: &str, cue: f64, iterations: &[u64]| {
            let info = info(MazeConfig { cue, ..MazeConfig::DEFAULT });
            let text = info.describe(&checkpoint.state.config).expect("writable");
            let mut files = vec![(format!("runs/{name}/{CONFIG}"), text.into_bytes())];
            for iteration in iterations {
                checkpoint.state.iteration = *iteration;
                let step = checkpoint_name(iteration * 512);
                files.extend(files_in(&format!("runs/{name}/{CHECKPOINTS}/{step}"), &checkpoint));
            }
            files
        };
        let runs = [run("a", 0.1, &[2]), run("b", 0.2, &[10, 9]), run("ba", 0.3, &[1])];
        let mut files = runs.concat();
        let later = checkpoint_name(999_999);
        for folder in [
            &*format!("unusable-1/checkpoints/{later}"),
            &*format!(".writing_{later}"),
            &*format!("{later}.replaced"),
            "checkpoints/step_best",
        ] {
            files.push((format!("runs/b/{folder}/{STATE}"), b"no checkpoint".to_vec()));
        }
        let contents = zip(&files).open().expect("one is whole");
        assert_eq!(contents.checkpoint.state.iteration, 10);
        assert_eq!(contents.info.and_then(|info| info.maze).map(|maze| maze.cue), Some(0.2));
    }

    #[test]
    fn all_that_is_unpacked_has_one_limit_and_the_rest_is_not_unpacked() {
        let checkpoint = checkpoint();
        let mut files = files_in("run/checkpoints/step_000000000512", &checkpoint);
        let size = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let older = "run/checkpoints/step_000000000256/model.safetensors";
        files.push((older.to_owned(), vec![0; 1 << 20]));
        let archive = zip(&files);
        let limits = |unpacked| Limits { unpacked, ..LIMITS };
        archive.open_within(limits(size)).expect("as large as allowed");
        let error = archive.open_within(limits(size - 1)).expect_err("one byte more");
        assert!(matches!(error, ArchiveError::Unzip(UnzipError::TooLarge(_))), "{error}");
    }

    #[test]
    fn loose_files_are_a_checkpoint_too() {
        let files = archive().open().expect("whole").checkpoint.to_files().expect("writable");
        assert!(Archive::from_upload(&files).expect("whole").open().expect("whole").info.is_none());
        let error = Archive::from_upload(&files[..3]).expect_err("no sums").to_string();
        assert_eq!(error, "the checkpoint cannot be used: SHA256SUMS is missing");
    }

    #[test]
    fn a_file_of_a_checkpoint_is_known_by_its_name() {
        for path in ["model.safetensors", "run/checkpoints/step_512/SHA256SUMS", "state.json"] {
            assert!(looks_like_checkpoint([path, "readme.txt"]), "{path}");
        }
        assert!(!looks_like_checkpoint(["pong.bin", "ale_py/roms/md5.json", "ale_py/state.py"]));
    }

    #[test]
    fn foreign_and_damaged_files_are_refused() {
        let upload = |bytes: Vec<u8>| {
            Archive::from_upload(&[("a.zip".into(), bytes)]).expect_err("refused").to_string()
        };
        assert!(upload(b"hello".to_vec()).starts_with("this is not a zip file"));
        let empty = pack(&[("readme.txt".into(), b"hi".to_vec())]).expect("packed");
        assert!(upload(empty).contains("SHA256SUMS is missing"));
        let mut bytes = archive().bytes;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        let error = upload(bytes);
        assert!(error.contains("damaged"), "{error}");
    }
}
