//! The folder of a sweep: begun, gone on with, or refused.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::sweep::{RUNS, SPECIFICATION, Sweep};
use crate::folder_lock::{FolderLock, is_held};

/// What else a sweep makes in its folder.
const REPORT: &str = "report";
/// Where the script for Slurm is.
pub const SLURM: &str = "slurm";

/// Takes the folder for a sweep: it is made if it is not there, and gone on with if it holds the same
/// one or a part of it. Returns the sweep with the revision that began it, and the right to change
/// the folder.
///
/// # Errors
/// If it holds something else and `overwrite` is not given, another process is at it, or it cannot be
/// written.
pub fn take(folder: &Path, wanted: &Sweep, overwrite: bool) -> Result<(Sweep, FolderLock)> {
    let shown = folder.display();
    let begun = folder.join(SPECIFICATION).exists();
    if folder.exists() && !begun && !is_empty(folder) {
        bail!("{shown} is not empty and not the folder of a sweep; choose another one with --out");
    }
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {shown}; choose a writable place with --out"))?;
    let Some(lock) = FolderLock::take(folder)? else {
        bail!(
            "another `native bench` runs the sweep in {shown}; `native bench status {shown}` tells how far it is"
        );
    };
    if begun && overwrite {
        remove(folder)?;
    } else if begun {
        let found = Sweep::open(folder)?;
        require_part(folder, &found, wanted)?;
        let extended = found.extended(wanted);
        if found.revision != wanted.revision {
            tracing::warn!(
                "the sweep was begun with revision {} of this program, this is {}",
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

/// Refuses a folder that holds something else than the wanted sweep or a part of it.
///
/// # Errors
/// If it does: with what differs, and what can be done.
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

/// Whether nothing is in the folder but what a killed process may have left, whose names are hidden.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.filter_map(Result::ok).all(|e| e.file_name().to_string_lossy().starts_with('.'))
    })
}

/// Deletes a sweep, and nothing else that may be in its folder. The specification goes last, so that
/// what a killed process left is still known to be a sweep.
fn remove(folder: &Path) -> Result<()> {
    for run in fs::read_dir(folder.join(RUNS)).into_iter().flatten().filter_map(Result::ok) {
        if is_held(&run.path()) {
            bail!("{} is still being trained; stop that first", run.path().display());
        }
    }
    let remove = |path: &Path| match fs::metadata(path) {
        Err(_) => Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    for name in [RUNS, REPORT, SLURM, SPECIFICATION] {
        let path = folder.join(name);
        remove(&path).with_context(|| format!("cannot delete {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sweep::tests::tiny;
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
        drop(take(path, &other, true).expect("overwritten"));
        assert_eq!(Sweep::open(path).expect("new"), other);
        assert!(!run.exists() && path.join("notes.txt").exists());
    }
}
