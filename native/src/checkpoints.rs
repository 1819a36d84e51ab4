//! Checkpoints on disk: complete or absent, never half.
//!
//! A checkpoint is a folder `step_<steps>` with the parts of [`deepspi_core::checkpoint`] and their
//! SHA-256 sums. It is written under a temporary name, every file and the folder are flushed to the
//! disk, then it is renamed: a process killed at any moment leaves the previous checkpoints as they
//! were. Reading verifies the sums and falls back to the one before.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use deepspi_core::checkpoint::Checkpoint;
use deepspi_core::run_files::checkpoint_name;

/// Names the best checkpoint, so that pruning keeps it.
const BEST: &str = "best.json";
/// Names of what is being written begin with this.
const TEMPORARY: &str = ".writing_";
/// A checkpoint that is being replaced carries this at its end for a moment.
const REPLACED: &str = ".replaced";

/// The checkpoints of one run.
#[derive(Clone, Debug)]
pub struct CheckpointStore {
    folder: PathBuf,
    keep: usize,
    best: Option<Best>,
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Best {
    name: String,
    score: f64,
}

/// A checkpoint read back.
#[derive(Debug)]
pub struct Loaded {
    /// Its content.
    pub checkpoint: Checkpoint,
    /// Where it was.
    pub path: PathBuf,
    /// Newer ones that were damaged, with what is wrong with them.
    pub skipped: Vec<String>,
}

impl CheckpointStore {
    /// The checkpoints in `folder`, of which the newest `keep` and the best stay.
    #[must_use]
    pub fn new(folder: PathBuf, keep: usize) -> Self {
        let best =
            fs::read_to_string(folder.join(BEST)).ok().and_then(|t| serde_json::from_str(&t).ok());
        Self { folder, keep: keep.max(1), best }
    }

    /// Stores a checkpoint; `score` decides which is the best.
    ///
    /// # Errors
    /// If the disk is full or the folder unwritable; older checkpoints are then untouched.
    pub fn save(
        &mut self,
        checkpoint: &Checkpoint,
        global_step: u64,
        score: Option<f64>,
    ) -> Result<PathBuf> {
        let name = checkpoint_name(global_step);
        let path = self.folder.join(&name);
        let temporary = self.folder.join(format!("{TEMPORARY}{name}"));
        let written = self.write(checkpoint, &temporary, &path);
        if written.is_err() {
            // The error of writing is the one to report; what is left over goes with the next prune.
            drop(fs::remove_dir_all(&temporary));
        }
        written.with_context(|| {
            format!(
                "cannot save a checkpoint in {}; free some space or make it writable, then go on with \
                 --resume (older checkpoints are intact)",
                self.folder.display()
            )
        })?;
        if let Some(score) = score
            && self.best.as_ref().is_none_or(|best| score >= best.score)
        {
            let best = Best { name, score };
            let text = serde_json::to_string(&best)?;
            let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&self.folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(self.folder.join(BEST))?;
            self.best = Some(best);
        }
        self.prune(&path)?;
        Ok(path)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that renames: files and folder are flushed first"
    )]
    fn write(&self, checkpoint: &Checkpoint, temporary: &Path, path: &Path) -> Result<()> {
        if temporary.exists() {
            fs::remove_dir_all(temporary)?;
        }
        fs::create_dir_all(temporary)?;
        for (name, bytes) in checkpoint.to_files()? {
            write_durably(&temporary.join(name), &bytes)?;
        }
        sync_folder(temporary)?;
        // A run that repeats itself after a fall-back finds a checkpoint of this step: perhaps the
        // damaged one, so it is replaced, and only removed once the new one is in place.
        let replaced = path.with_extension(&REPLACED[1..]);
        if path.exists() {
            fs::rename(path, &replaced)?;
        }
        fs::rename(temporary, path)?;
        sync_folder(&self.folder)?;
        if replaced.exists() {
            fs::remove_dir_all(&replaced)?;
        }
        Ok(())
    }

    /// Removes what is no longer wanted after `newest` was written: checkpoints beyond `keep` except
    /// the best, those of later steps (a run that fell back repeats them; they were damaged), and what
    /// a killed process left half-written.
    fn prune(&self, newest: &Path) -> Result<()> {
        let best = self.best.as_ref().map(|best| self.folder.join(&best.name));
        let steps = self.list()?;
        let (kept, later): (Vec<_>, Vec<_>) =
            steps.into_iter().partition(|path| path.as_path() <= newest);
        let old = kept.into_iter().rev().skip(self.keep).filter(|path| best.as_ref() != Some(path));
        for path in old.chain(later).chain(self.leftovers()?) {
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Temporary files and folders that no longer have a writer.
    fn leftovers(&self) -> Result<Vec<PathBuf>> {
        let unfinished = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|n| n.starts_with(TEMPORARY) || n.ends_with(REPLACED))
        };
        Ok(self.entries()?.into_iter().filter(unfinished).collect())
    }

    fn entries(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.folder).with_context(|| {
            format!("there is no checkpoint in {} yet; start a new run", self.folder.display())
        })?;
        Ok(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
    }

    /// Finished checkpoints, oldest first.
    fn list(&self) -> Result<Vec<PathBuf>> {
        let mut steps = self.entries()?;
        steps.retain(|path| {
            path.extension().is_none()
                && path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("step_"))
        });
        steps.sort();
        Ok(steps)
    }

    /// The newest checkpoint that is intact.
    ///
    /// # Errors
    /// If there is none.
    pub fn load_newest(&self) -> Result<Loaded> {
        let mut skipped = Vec::new();
        for path in self.list()?.into_iter().rev() {
            match read(&path) {
                Ok(checkpoint) => return Ok(Loaded { checkpoint, path, skipped }),
                Err(error) => skipped.push(format!("{error:#}")),
            }
        }
        if skipped.is_empty() {
            bail!("there is no checkpoint in {} yet; start a new run", self.folder.display());
        }
        bail!("no checkpoint in {} can be read: {}", self.folder.display(), skipped.join("; "))
    }
}

/// Reads and verifies one checkpoint folder.
///
/// # Errors
/// If a file is missing, damaged or not of this program.
pub fn read(path: &Path) -> Result<Checkpoint> {
    Checkpoint::from_files(|name| {
        let file = path.join(name);
        fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
    })
    .with_context(|| format!("{} cannot be used", path.display()))
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

/// Flushes the entries of a folder; without it a rename may be lost with the power.
fn sync_folder(path: &Path) -> Result<()> {
    // Windows cannot open a folder for this; its renames are journalled.
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
