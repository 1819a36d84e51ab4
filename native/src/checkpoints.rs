//! Checkpoints on disk: complete or absent, never half.
//!
//! A checkpoint is a folder `step_<steps>` with the parts of [`deepspi_core::checkpoint`] and their
//! SHA-256 sums, written whole: a process killed at any moment leaves the previous checkpoints as they
//! were. Reading verifies the sums and falls back to the one before. Only what was read can be found
//! damaged: a file out of reach (a server that is down, rights that changed) may be the newest and
//! intact, and going on without it would end in its removal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use deepspi_run::checkpoint::Checkpoint;
use deepspi_run::run_files::checkpoint_name;

use crate::whole_file::{is_absent, is_leftover, write_whole, write_whole_folder};

/// Names the best checkpoint, so that pruning keeps it.
const BEST: &str = "best.json";

/// The checkpoints of one run.
#[derive(Clone, Debug)]
pub struct CheckpointStore {
    folder: PathBuf,
    keep: usize,
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
        Self { folder, keep: keep.max(1) }
    }

    /// Stores a checkpoint; `score` decides which is the best.
    ///
    /// # Errors
    /// If the disk is full or the folder unwritable; older checkpoints are then untouched.
    pub fn save(
        &self,
        checkpoint: &Checkpoint,
        global_step: u64,
        score: Option<f64>,
    ) -> Result<PathBuf> {
        let name = checkpoint_name(global_step);
        let path = self.folder.join(&name);
        // A run that repeats itself after a fall-back finds a checkpoint of this step: perhaps the
        // damaged one, so it is replaced.
        let written = checkpoint
            .to_files()
            .map_err(Error::new)
            .and_then(|files| write_whole_folder(&path, &files));
        written.with_context(|| {
            format!(
                "cannot save a checkpoint in {}; free some space or make it writable, then go on with \
                 --resume (older checkpoints are intact)",
                self.folder.display()
            )
        })?;
        let mut best = self.best()?;
        if let Some(score) = score
            && best.as_ref().is_none_or(|best| score >= best.score)
        {
            let better = Best { name, score };
            write_whole(&self.folder.join(BEST), &serde_json::to_vec(&better)?)?;
            best = Some(better);
        }
        self.prune(&path, best.as_ref())?;
        Ok(path)
    }

    /// The best so far; none if nothing says which that is.
    fn best(&self) -> Result<Option<Best>> {
        let path = self.folder.join(BEST);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| {
                format!(
                    "cannot read {}, which says what checkpoint to keep; make it readable, or remove \
                     it, then go on with --resume (all checkpoints are intact)",
                    path.display()
                )
            }),
        }
    }

    /// Removes what is no longer wanted after `newest` was written: checkpoints beyond `keep` except
    /// the best, those of later steps (a run that fell back repeats them; they were damaged), and what
    /// a killed process left half-written.
    fn prune(&self, newest: &Path, best: Option<&Best>) -> Result<()> {
        let best = best.map(|best| self.folder.join(&best.name));
        let steps = self.list()?;
        let (kept, later): (Vec<_>, Vec<_>) =
            steps.into_iter().partition(|path| path.as_path() <= newest);
        let old = kept.into_iter().rev().skip(self.keep).filter(|path| best.as_ref() != Some(path));
        let left = self.entries()?.into_iter().filter(|path| is_leftover(&name_of(path)));
        for path in old.chain(later).chain(left) {
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<PathBuf>> {
        let listed = || -> io::Result<Vec<PathBuf>> {
            fs::read_dir(&self.folder)?.map(|entry| Ok(entry?.path())).collect()
        };
        match listed() {
            Err(error) if is_absent(&error) => Ok(Vec::new()),
            entries => entries.with_context(|| {
                format!(
                    "the checkpoints in {} cannot be listed now; nothing was changed, try again",
                    self.folder.display()
                )
            }),
        }
    }

    /// Finished checkpoints, oldest first.
    fn list(&self) -> Result<Vec<PathBuf>> {
        let mut steps = self.entries()?;
        steps.retain(|path| path.extension().is_none() && name_of(path).starts_with("step_"));
        steps.sort();
        Ok(steps)
    }

    /// Whether there is a checkpoint of this step or a later one.
    #[must_use]
    pub fn reaches(&self, step: u64) -> bool {
        let newest = self.list().ok().and_then(|mut steps| steps.pop());
        newest.is_some_and(|path| path >= self.folder.join(checkpoint_name(step)))
    }

    /// The newest checkpoint that is intact.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub fn load_newest(&self) -> Result<Loaded> {
        self.newest()?.map_err(Error::msg)
    }

    /// The newest checkpoint that is intact, or why there is none.
    ///
    /// # Errors
    /// If one cannot be read: whether it is intact is then not known.
    pub fn newest(&self) -> Result<std::result::Result<Loaded, String>> {
        let mut skipped = Vec::new();
        for path in self.list()?.into_iter().rev() {
            match read(&path) {
                Ok(checkpoint) => return Ok(Ok(Loaded { checkpoint, path, skipped })),
                Err(error) if error.downcast_ref().is_some_and(|error| !is_absent(error)) => {
                    return Err(error.context(
                        "a checkpoint cannot be read now, which says nothing of what is in it; nothing \
                         was changed: try again, or remove that checkpoint to go on from the one before",
                    ));
                }
                Err(error) => skipped.push(format!("{error:#}")),
            }
        }
        let folder = self.folder.display();
        Ok(Err(if skipped.is_empty() {
            format!("there is no checkpoint in {folder} yet; start a new run")
        } else {
            format!("no checkpoint in {folder} can be read: {}", skipped.join("; "))
        }))
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
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

#[cfg(test)]
mod tests {
    use deepspi_core::trainer::Trainer;
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::MazePreset;

    use super::*;

    /// File of the parameters.
    const MODEL: &str = "model.safetensors";

    /// A run with a checkpoint at each of `steps`, of which it keeps the newest and the best.
    fn saved(folder: &Path, steps: &[(u64, f64)]) -> CheckpointStore {
        let store = CheckpointStore::new(folder.to_owned(), 1);
        for (step, score) in steps {
            store.save(&checkpoint(), *step, Some(*score)).expect("written");
        }
        store
    }

    fn checkpoint() -> Checkpoint {
        let preset = MazePreset::Small;
        let device = crate::device::cpu().device;
        let trainer = Trainer::new(preset.hyper_parameters(), preset.network(), &device);
        pollster::block_on(trainer.expect("valid").checkpoint()).expect("encodes")
    }

    fn names(store: &CheckpointStore) -> Vec<String> {
        store.list().expect("readable").iter().map(|path| name_of(path)).collect()
    }

    #[test]
    fn the_best_stays_for_whoever_goes_on() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path().join("checkpoints");
        saved(&folder, &[(1, 5.0), (2, 1.0)]);
        let store = saved(&folder, &[(3, 2.0), (4, 3.0)]);
        assert_eq!(names(&store), ["step_000000000001", "step_000000000004"]);
        saved(&folder, &[(5, 5.0)]);
        assert_eq!(names(&store), ["step_000000000005"], "of two equally good ones the newer");
        assert!(store.reaches(5) && store.reaches(4) && !store.reaches(6));
        assert!(!CheckpointStore::new(folder.join("none"), 1).reaches(0));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode();
            let model = folder.join("step_000000000005").join(MODEL);
            assert_eq!(mode(folder.join(BEST)), mode(model), "who may read one may read the other");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_out_of_reach_is_neither_damaged_nor_absent() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("checkpoints");
        let store = saved(&path, &[(1, 5.0), (2, 1.0)]);
        let is_refused = |words: [&str; 2]| {
            let error = format!("{:#}", store.load_newest().expect_err("out of reach"));
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        };
        let aside = folder.path().join("aside");
        // A link to itself: not even root can read it, and yet it is there.
        for (file, words) in [
            (path.join("step_000000000002").join(MODEL), ["nothing was changed", MODEL]),
            (path.clone(), ["nothing was changed", "try again"]),
        ] {
            move_to(&file, &aside);
            symlink(&file, &file).expect("linked");
            is_refused(words);
            fs::remove_file(&file).expect("removed");
            move_to(&aside, &file);
        }
        // Nor is another checkpoint the best because it is not known which is.
        let best = path.join(BEST);
        move_to(&best, &aside);
        symlink(&best, &best).expect("linked");
        let error = store.save(&checkpoint(), 3, Some(2.0)).expect_err("out of reach");
        assert!(format!("{error:#}").contains(BEST), "{error:#}");
        assert!(names(&store).contains(&"step_000000000001".into()), "the best is still there");
        // What is not there or was changed is another matter.
        fs::remove_file(path.join("step_000000000003").join(MODEL)).expect("removed");
        let loaded = store.load_newest().expect("the one before is intact");
        assert!(loaded.path.ends_with("step_000000000002") && loaded.skipped.len() == 1);
    }

    #[expect(clippy::disallowed_methods, reason = "nothing here has to outlive the test")]
    fn move_to(from: &Path, to: &Path) {
        fs::rename(from, to).expect("moved");
    }
}
