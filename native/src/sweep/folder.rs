//! Claims the folder of a sweep: it holds a new sweep, one to continue, or it is refused.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::record::RunRecord;
use super::run_status::is_trained;
use super::slurm;
use super::specification::{RUNS, SPECIFICATION, Sweep};
use crate::run::lock::FolderLock;
use crate::whole_file::{entries, is_absent};

/// Folder of the report, in the folder of the sweep.
pub const REPORT: &str = "report";

/// Claims the folder for a sweep. The folder is created if it does not exist, and continued if it
/// contains the same sweep or a part of it. Returns the sweep with the revision that began it, and
/// the lock that permits changes in the folder.
///
/// # Errors
/// If it contains something else and `overwrite` is not given, another process works in it, or it
/// cannot be written.
pub fn take(folder: &Path, wanted: &Sweep, overwrite: bool) -> Result<(Sweep, FolderLock)> {
    let shown = folder.display();
    // A sweep writes `sweep.toml` first. It is checked after the other files, so that a sweep that
    // begins in between is recognised.
    if folder.exists() && !is_empty(folder) && !is_begun(folder)? {
        bail!("{shown} is not empty and not the folder of a sweep; choose another one with --out");
    }
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {shown}; choose a writable place with --out"))?;
    let Some(lock) = FolderLock::take(folder)? else {
        bail!(
            "another `native bench` runs the sweep in {shown}; `native bench status {shown}` shows its progress"
        );
    };
    // Checked again with the lock: the process that had it before may have begun the sweep.
    let begun = is_begun(folder)?;
    if begun && overwrite {
        remove(folder)?;
    } else if begun {
        let found = Sweep::open(folder)?;
        require_part(folder, &found, wanted)?;
        let extended = found.extended(wanted);
        if found.revision != wanted.revision {
            tracing::warn!(
                "the sweep began with revision {} of this program; this is revision {}",
                found.revision,
                wanted.revision
            );
        }
        if extended != found {
            extended.save(folder)?;
        }
        return Ok((extended, lock));
    }
    wanted.save(folder)?;
    Ok((wanted.clone(), lock))
}

/// Refuses a folder that contains neither the sweep that was asked for nor a part of it.
///
/// # Errors
/// If it contains neither; the message says what differs and what the user can do.
pub fn require_part(folder: &Path, found: &Sweep, wanted: &Sweep) -> Result<()> {
    let conflicts = found.conflicts(wanted)?;
    if !conflicts.is_empty() {
        bail!(
            "{} holds another sweep: {}; choose another folder with --out, or delete that sweep with --overwrite",
            folder.display(),
            conflicts.join("; ")
        );
    }
    Ok(())
}

fn is_begun(folder: &Path) -> Result<bool> {
    let file = folder.join(SPECIFICATION);
    match file.try_exists() {
        Err(error) if is_absent(&error) => Ok(false),
        found => found.with_context(|| {
            format!("cannot tell whether {} exists; make it readable, or try again", file.display())
        }),
    }
}

/// Whether the folder contains only what a killed process may have left, whose names begin with a
/// dot.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.filter_map(Result::ok).all(|e| e.file_name().to_string_lossy().starts_with('.'))
    })
}

/// Deletes a sweep, and nothing else in its folder. `sweep.toml` is deleted last, so that the rest
/// after a kill is still recognised as a sweep.
fn remove(folder: &Path) -> Result<()> {
    // Tasks in Slurm's queue may be between two attempts, or not have begun.
    slurm::refuse_if_queued(folder)?;
    for run in runs(folder)? {
        if is_trained(&run, RunRecord::read(&run).as_ref()) {
            bail!(
                "{} is still being trained, or was some minutes ago on another machine; stop that first",
                run.display()
            );
        }
    }
    let remove = |path: &Path| match fs::metadata(path) {
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(error),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    for name in [RUNS, REPORT, slurm::FOLDER, SPECIFICATION] {
        let path = folder.join(name);
        remove(&path).with_context(|| format!("cannot delete {}", path.display()))?;
    }
    Ok(())
}

/// All entries of the folder of the runs.
fn runs(folder: &Path) -> Result<Vec<PathBuf>> {
    let path = folder.join(RUNS);
    entries(&path).with_context(|| {
        format!(
            "cannot tell whether a process trains in {}; make the folder readable",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::super::specification::tests::tiny;
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_sweep_and_one_process() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("sweep");
        let (_, lock) = take(&path, &tiny(), false).expect("new");
        let error = take(&path, &tiny(), false).expect_err("in use").to_string();
        assert!(error.contains("bench status"), "{error}");
        drop(lock);
        let later = Sweep { revision: "later".into(), ..tiny() };
        let (found, lock) = take(&path, &later, false).expect("the same");
        assert_eq!(found, tiny(), "as it was begun");
        drop(lock);
        let other = Sweep { seeds: 1, ..tiny() };
        let error = take(&path, &other, false).expect_err("another").to_string();
        for word in ["the number of seeds is 2, not 1", "--out", "--overwrite"] {
            assert!(error.contains(word), "{error}");
        }
        assert_eq!(Sweep::open(&path).expect("untouched"), tiny());
        let larger = Sweep { seeds: 3, ..tiny() };
        assert_eq!(take(&path, &larger, false).expect("extended").0, larger);
        assert_eq!(Sweep::open(&path).expect("read"), larger);
    }

    #[test]
    fn only_a_sweep_is_overwritten_and_only_when_nobody_trains_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        fs::write(path.join("thesis.tex"), "").expect("written");
        let error = take(path, &tiny(), true).expect_err("not ours").to_string();
        assert!(error.contains("--out"), "{error}");
        fs::remove_file(path.join("thesis.tex")).expect("removed");
        drop(take(path, &tiny(), false).expect("empty"));
        let run = tiny().runs()[0].folder(path);
        fs::create_dir_all(&run).expect("created");
        fs::write(path.join("notes.txt"), "").expect("written");
        let other = Sweep { seeds: 3, ..tiny() };
        let lock = FolderLock::take(&run).expect("writable").expect("free");
        let error = take(path, &other, true).expect_err("in use").to_string();
        assert!(error.contains("still being trained"), "{error}");
        drop(lock);
        let elsewhere = RunRecord { host: "another".into(), ..RunRecord::started_here() };
        elsewhere.save(&run).expect("written");
        let error = take(path, &other, true).expect_err("in use elsewhere").to_string();
        assert!(error.contains("another machine"), "{error}");
        assert_eq!(Sweep::open(path).expect("untouched"), tiny());
        RunRecord::started_here().save(&run).expect("written");
        drop(take(path, &other, true).expect("overwritten"));
        assert_eq!(Sweep::open(path).expect("new"), other);
        assert!(!run.exists() && path.join("notes.txt").exists());
    }

    #[test]
    fn of_two_first_commands_at_once_one_is_refused() {
        for _ in 0..10 {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join("sweep");
            let sweeps = [tiny(), Sweep { stochastic: true, ..tiny() }];
            let start = Barrier::new(2);
            let begin = &|sweep: &Sweep| {
                start.wait();
                // The lock is released at once, so that the other process gets it.
                take(&path, sweep, false).map(|(sweep, _)| sweep)
            };
            let begun: Vec<Result<Sweep>> = std::thread::scope(|scope| {
                let both = sweeps.each_ref().map(|sweep| scope.spawn(move || begin(sweep)));
                both.into_iter().map(|thread| thread.join().expect("no panic")).collect()
            });
            let begun: Vec<Sweep> = begun.into_iter().filter_map(Result::ok).collect();
            assert_eq!(begun, [Sweep::open(&path).expect("there is one")]);
        }
    }
}
