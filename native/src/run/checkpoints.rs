//! Checkpoints on disk, each complete or absent.
//!
//! A checkpoint is a folder `step_<steps>` with the parts of [`deepspi_core::checkpoint`] and their
//! SHA-256 sums. It is written as a whole: a process killed at any moment leaves the previous
//! checkpoints unchanged. Reading verifies the sums; if they do not match, the checkpoint before is
//! read. A checkpoint counts as damaged only if its files could be read. One that is temporarily
//! out of reach (a server is down, permissions changed) may be the newest and intact, and a run
//! that continued without it would later remove it. Folders and files with other names, such as
//! copies that a user made, are neither read nor removed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use deepspi_run::checkpoint::Checkpoint;
use deepspi_run::run_files::{checkpoint_name, checkpoint_step, is_leftover};

use crate::whole_file::{entries, is_absent, write_whole, write_whole_folder};

/// File that names the best checkpoint, so that pruning keeps it.
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

/// A checkpoint that was read from disk.
#[derive(Debug)]
pub struct Loaded {
    /// Its content.
    pub checkpoint: Checkpoint,
    /// Its folder.
    pub path: PathBuf,
    /// Newer checkpoints that were damaged, each with what is wrong.
    pub skipped: Vec<String>,
}

impl Loaded {
    /// Warns the user about newer checkpoints that were damaged.
    pub fn warn_of_skipped(&self) {
        for problem in &self.skipped {
            tracing::warn!("skipped a damaged checkpoint: {problem}");
        }
    }
}

impl CheckpointStore {
    /// The checkpoints in `folder`; the newest `keep` and the best are kept.
    #[must_use]
    pub fn new(folder: PathBuf, keep: u64) -> Self {
        Self { folder, keep: usize::try_from(keep.max(1)).unwrap_or(usize::MAX) }
    }

    /// Stores a checkpoint; `score` determines which is the best.
    ///
    /// # Errors
    /// If the disk is full or the folder cannot be written; older checkpoints are then unchanged.
    pub fn save(
        &self,
        checkpoint: &Checkpoint,
        global_step: u64,
        score: Option<f64>,
    ) -> Result<PathBuf> {
        let name = checkpoint_name(global_step);
        let path = self.folder.join(&name);
        // After a fall-back the run repeats steps and may find a checkpoint of this step. It may be
        // the damaged one, so it is replaced.
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
        let best = self.update_best(global_step, score)?;
        self.prune(global_step, best.as_ref())?;
        Ok(path)
    }

    /// Updates `best.json` after the checkpoint of step `saved` was written, so that it names a
    /// checkpoint that is kept, with the score of that checkpoint.
    fn update_best(&self, saved: u64, score: Option<f64>) -> Result<Option<Best>> {
        let file = self.folder.join(BEST);
        let found = self.best()?;
        let was_named = found.is_some();
        // A run that fell back repeats steps: the checkpoint of this step was just replaced, and
        // those of later steps are about to be removed. Their recorded scores are no longer valid.
        let still_there = |best: &Best| {
            checkpoint_step(&best.name).is_some_and(|step| step < saved)
                && self.folder.join(&best.name).is_dir()
        };
        let best = found.filter(still_there);
        if let Some(score) = score
            && best.as_ref().is_none_or(|best| score >= best.score)
        {
            let better = Best { name: checkpoint_name(saved), score };
            write_whole(&file, &serde_json::to_vec(&better)?)?;
            return Ok(Some(better));
        }
        if was_named && best.is_none() {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        Ok(best)
    }

    /// The best checkpoint so far; `None` if `best.json` is missing or unreadable as JSON.
    fn best(&self) -> Result<Option<Best>> {
        let path = self.folder.join(BEST);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| {
                format!(
                    "cannot read {}, which names the best checkpoint; make it readable, or remove \
                     it, then go on with --resume (all checkpoints are intact)",
                    path.display()
                )
            }),
        }
    }

    /// Removes what is obsolete after the checkpoint of step `newest` was written: checkpoints beyond `keep` except the
    /// best, checkpoints of later steps (they were damaged, and a run that fell back repeats their
    /// steps), and incomplete folders of a killed process.
    fn prune(&self, newest: u64, best: Option<&Best>) -> Result<()> {
        let best = best.and_then(|best| checkpoint_step(&best.name));
        let (kept, later): (Vec<_>, Vec<_>) =
            self.list()?.into_iter().partition(|(step, _)| *step <= newest);
        let old = kept.into_iter().rev().skip(self.keep).filter(|(step, _)| best != Some(*step));
        let obsolete = old.chain(later).map(|(_, path)| path);
        let left = self.entries()?.into_iter().filter(|path| is_leftover(&name_of(path)));
        for path in obsolete.chain(left) {
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<PathBuf>> {
        entries(&self.folder).with_context(|| {
            format!(
                "the checkpoints in {} cannot be listed now; nothing was changed, try again",
                self.folder.display()
            )
        })
    }

    /// Complete checkpoints with their steps, oldest first.
    fn list(&self) -> Result<Vec<(u64, PathBuf)>> {
        let entries = self.entries()?.into_iter();
        let mut steps: Vec<_> =
            entries.filter_map(|path| Some((checkpoint_step(&name_of(&path))?, path))).collect();
        steps.sort();
        Ok(steps)
    }

    /// Whether there is a checkpoint of this step or a later one.
    #[must_use]
    pub fn reaches(&self, step: u64) -> bool {
        let newest = self.list().ok().and_then(|mut steps| steps.pop());
        newest.is_some_and(|(newest, _)| newest >= step)
    }

    /// The newest intact checkpoint.
    ///
    /// # Errors
    /// If there is none, or a checkpoint cannot be read.
    pub fn load_newest(&self) -> Result<Loaded> {
        self.newest()?.map_err(Error::msg)
    }

    /// The newest intact checkpoint, or the reason why there is none.
    ///
    /// # Errors
    /// If a checkpoint cannot be read, so that it is unknown whether it is intact.
    pub fn newest(&self) -> Result<std::result::Result<Loaded, String>> {
        let mut skipped = Vec::new();
        for (_, path) in self.list()?.into_iter().rev() {
            match read(&path) {
                Ok(checkpoint) => return Ok(Ok(Loaded { checkpoint, path, skipped })),
                Err(error) if error.downcast_ref().is_some_and(|error| !is_absent(error)) => {
                    return Err(error.context(
                        "a checkpoint cannot be read now, so it may still be intact; nothing \
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
/// If a file is missing, damaged, or not written by this program.
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

    /// File with the parameters.
    const MODEL: &str = "model.safetensors";

    /// A run with a checkpoint at each of `steps`; it keeps the newest and the best.
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
        store.list().expect("readable").iter().map(|(_, path)| name_of(path)).collect()
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

    #[test]
    fn the_best_is_one_that_is_there_after_a_fall_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path().join("checkpoints");
        let store = CheckpointStore::new(folder.clone(), 3);
        let save = |step, score| {
            store.save(&checkpoint(), step, score).expect("written");
            let best = store.best().expect("readable")?;
            assert!(folder.join(&best.name).is_dir(), "{best:?} is not there");
            Some((best.name, best.score))
        };
        let named = |step, score| Some((checkpoint_name(step), score));
        assert_eq!(save(200, Some(1.0)), named(200, 1.0));
        assert_eq!(save(300, Some(50.0)), named(300, 50.0));
        fs::write(folder.join(checkpoint_name(300)).join(MODEL), "damaged").expect("written");
        let loaded = store.load_newest().expect("the one before is intact");
        assert!(loaded.path.ends_with(checkpoint_name(200)));
        assert_eq!(save(250, Some(40.0)), named(250, 40.0), "that of step 300 is removed");
        assert_eq!(save(250, Some(7.0)), named(250, 7.0), "that with score 40 is replaced");
        assert_eq!(save(260, None), named(250, 7.0), "without a score none is better");
        assert_eq!(save(240, None), None, "no score is known of any that is left");
        assert!(!folder.join(BEST).exists());
        assert_eq!(save(270, Some(-3.0)), named(270, -3.0));
    }

    #[test]
    fn copies_that_a_user_made_are_neither_read_nor_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("checkpoints");
        saved(&path, &[(1, 5.0), (2, 6.0)]);
        let copies = ["step_best", "step_000000000002 copy", "step_3", "notes.txt"];
        for copy in copies {
            fs::create_dir(path.join(copy)).expect("created");
            for file in fs::read_dir(path.join(checkpoint_name(2))).expect("listed") {
                let file = file.expect("an entry");
                fs::copy(file.path(), path.join(copy).join(file.file_name())).expect("copied");
            }
        }
        let store = saved(&path, &[(4, 7.0), (10_u64.pow(12), 8.0), (10_u64.pow(12) + 1, 9.0)]);
        assert_eq!(names(&store), ["step_1000000000001"], "in the order of the steps");
        assert!(store.load_newest().expect("intact").path.ends_with("step_1000000000001"));
        assert!(!store.reaches(10_u64.pow(12) + 2));
        assert!(copies.iter().all(|copy| path.join(copy).join(MODEL).exists()));
        fs::remove_dir_all(path.join("step_1000000000001")).expect("removed");
        store.load_newest().expect_err("a copy is no checkpoint of the run");
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
        // A link to itself exists but cannot be read, not even by root.
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
        // While `best.json` cannot be read, no other checkpoint becomes the best.
        let best = path.join(BEST);
        move_to(&best, &aside);
        symlink(&best, &best).expect("linked");
        let error = store.save(&checkpoint(), 3, Some(2.0)).expect_err("out of reach");
        assert!(format!("{error:#}").contains(BEST), "{error:#}");
        assert!(names(&store).contains(&"step_000000000001".into()), "the best is still there");
        // A checkpoint with a missing or changed file is damaged, not unreadable.
        fs::remove_file(path.join("step_000000000003").join(MODEL)).expect("removed");
        let loaded = store.load_newest().expect("the one before is intact");
        assert!(loaded.path.ends_with("step_000000000002") && loaded.skipped.len() == 1);
    }

    #[expect(clippy::disallowed_methods, reason = "nothing here has to outlive the test")]
    fn move_to(from: &Path, to: &Path) {
        fs::rename(from, to).expect("moved");
    }
}
