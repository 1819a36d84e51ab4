//! A run folder as one zip file: what the page saves, loads and keeps in case the worker dies.
//!
//! The folder inside is the native one: unpacked, `native --resume` continues it; packed, a native
//! run folder (or one checkpoint of it) is read here. Whatever is uploaded is foreign until
//! [`Archive::open`] has read it whole; sizes are limited because a small zip can unpack to anything.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use deepspi_core::checkpoint::Checkpoint;
use deepspi_core::run_files::{
    CHECKPOINTS, CONFIG, MODEL, OPTIMISER, RunFilesError, RunInfo, STATE, SUMS, checkpoint_name,
};
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Bytes a file may have; a checkpoint of the Atari networks has a tenth of it.
const LARGEST_FILE: u64 = 256 << 20;

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
    /// Not a zip file.
    #[error(
        "this is not a zip file ({0}); load a checkpoint saved by this page, a zipped run folder, or the four files of a checkpoint"
    )]
    Zip(#[from] zip::result::ZipError),
    /// A file inside cannot be unpacked.
    #[error("the archive is damaged: {0}")]
    Unpack(#[from] std::io::Error),
    /// A file inside is too large.
    #[error("{name} has more than {} MiB: this is not a checkpoint", LARGEST_FILE >> 20)]
    TooLarge {
        /// Its name.
        name: String,
    },
    /// A file of the checkpoint is missing, damaged or foreign.
    #[error("the checkpoint cannot be used: {0}")]
    Files(#[from] RunFilesError),
}

/// What an archive holds.
#[derive(Debug)]
pub struct Contents {
    /// Description of the run; none if only the checkpoint was given.
    pub info: Option<RunInfo>,
    /// The newest checkpoint.
    pub checkpoint: Checkpoint,
}

impl Archive {
    /// The run folder of one checkpoint.
    ///
    /// # Errors
    /// If a value cannot be written.
    pub fn new(
        info: &RunInfo,
        checkpoint: &Checkpoint,
        global_step: u64,
    ) -> Result<Self, ArchiveError> {
        let config = &checkpoint.state.config;
        let name =
            format!("{}__{}__{}__{}", info.env, config.algo.name(), config.seed, info.started);
        let folder = format!("{name}/{CHECKPOINTS}/{}", checkpoint_name(global_step));
        let mut files = vec![(format!("{name}/{CONFIG}"), info.describe(config)?.into_bytes())];
        for (part, bytes) in checkpoint.to_files()? {
            files.push((format!("{folder}/{part}"), bytes));
        }
        let bytes = pack(&files)?;
        Ok(Self { name, bytes })
    }

    /// From the files a user chose: one zip file, or the files of a checkpoint (and `config.toml`).
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

    /// Reads and verifies it.
    ///
    /// # Errors
    /// If it is not a checkpoint of this program, or it is damaged.
    pub fn open(&self) -> Result<Contents, ArchiveError> {
        let mut zip = ZipArchive::new(Cursor::new(self.bytes.as_slice()))?;
        // Folder of a checkpoint -> its files; the names sort by step, so the last is the newest.
        let mut checkpoints: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        let mut info = None;
        for index in 0..zip.len() {
            let entry = zip.by_index(index)?;
            let path = entry.name()?.into_owned();
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path.as_str()));
            if ![CONFIG, MODEL, OPTIMISER, STATE, SUMS].contains(&name) {
                continue;
            }
            let mut bytes = Vec::new();
            entry.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > LARGEST_FILE {
                return Err(ArchiveError::TooLarge { name: name.to_owned() });
            }
            if name == CONFIG {
                info = Some(RunInfo::read(&String::from_utf8_lossy(&bytes))?);
            } else {
                checkpoints.entry(folder.to_owned()).or_default().insert(name.to_owned(), bytes);
            }
        }
        let (_, mut newest) = checkpoints.pop_last().unwrap_or_default();
        let checkpoint = Checkpoint::from_files(|name| {
            newest.remove(name).ok_or(ArchiveError::Files(RunFilesError::Missing { name }))
        })?;
        Ok(Contents { info, checkpoint })
    }
}

fn pack(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, ArchiveError> {
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
    use burn::tensor::Device;
    use deepspi_core::maze::MazeConfig;
    use deepspi_core::trainer::Trainer;

    use super::*;

    fn archive() -> Archive {
        let maze = MazeConfig::DEFAULT;
        let device = Device::flex();
        let trainer = Trainer::new(maze.preset.hyper_parameters(), maze.preset.network(), &device);
        let checkpoint = pollster::block_on(trainer.expect("valid").checkpoint()).expect("encodes");
        let info = RunInfo {
            env: "maze".into(),
            stochastic: false,
            device: "cpu".into(),
            version: "0.1.0".into(),
            revision: String::new(),
            started: 5,
            maze: Some(maze),
        };
        Archive::new(&info, &checkpoint, 512).expect("packed")
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
    fn loose_files_are_a_checkpoint_too() {
        let files = archive().open().expect("whole").checkpoint.to_files().expect("writable");
        let files = files.map(|(name, bytes)| (name.to_owned(), bytes));
        assert!(Archive::from_upload(&files).expect("whole").open().expect("whole").info.is_none());
        let error = Archive::from_upload(&files[..3]).expect_err("no sums").to_string();
        assert_eq!(error, "the checkpoint cannot be used: SHA256SUMS is missing");
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
