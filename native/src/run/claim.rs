//! Claims a run folder for training: it holds a new run, a run to continue, or a finished one.
//!
//! Sweeps and cluster schedulers, which restart a job after a failure, repeat the same command. The
//! command must therefore work after any kill, and also when two processes run it at the same time.
//! Nothing that an earlier process wrote is deleted.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use deepspi_run::config::Config;
use deepspi_run::run_files::{CHECKPOINTS, CONFIG, RunInfo, UNUSABLE_PREFIX};

use super::checkpoints::{CheckpointStore, Loaded};
use super::folder::{EVALUATION, METRICS, RunFolder, differences, read_config};
use super::lock::FolderLock;
use super::settings;
use crate::whole_file::entries;

/// What to do with a run folder.
#[derive(Debug)]
pub enum Claim {
    /// Another process trains in it.
    Busy,
    /// All steps of the run are done.
    Finished,
    /// It contains nothing that can be continued: the run begins at its first step.
    New(FolderLock),
    /// It contains a checkpoint from which the run continues.
    Unfinished(Box<RunFolder>, Box<Loaded>, FolderLock),
}

/// Claims the folder `path`, which is created if it does not exist, for the run that `info` and
/// `config` describe.
///
/// # Errors
/// If it contains another run, or cannot be read or written.
pub fn claim(path: &Path, info: &RunInfo, config: &Config) -> Result<Claim> {
    fs::create_dir_all(path).with_context(|| {
        format!("cannot create {}; choose a writable place with --run-dir", path.display())
    })?;
    let Some(lock) = FolderLock::take(path)? else { return Ok(Claim::Busy) };
    // A run that is only temporarily out of reach must not begin anew.
    let begun = path.join(CONFIG).try_exists().with_context(|| {
        format!("{} cannot be read now; nothing was changed, try again", path.display())
    })?;
    if !begun {
        set_aside(path)?;
        return Ok(Claim::New(lock));
    }
    // `config.toml` is written whole or not at all, so this program did not write a malformed one.
    let unknown = || {
        format!(
            "{} cannot be continued; if its {CONFIG} is damaged, and not only out of reach for a moment, \
             remove the folder to begin anew",
            path.display()
        )
    };
    let folder = RunFolder::open(path).with_context(unknown)?;
    let found = read_config(path).with_context(unknown)?;
    let differences = differences(&folder.info, &found, info, config);
    if !differences.is_empty() {
        bail!(
            "{} holds another run: {}; choose another folder with --run-dir, or remove this one",
            path.display(),
            differences.join(", ")
        );
    }
    // The number of checkpoints to keep does not matter, because this only reads.
    match CheckpointStore::new(folder.checkpoints(), 1).newest()? {
        Ok(mut loaded) => {
            let state = &mut loaded.checkpoint.state;
            state.config.total_timesteps = config.total_timesteps;
            require_same(&loaded.path, &state.config, config)?;
            if state.iteration >= state.config.num_iterations() {
                return Ok(Claim::Finished);
            }
            Ok(Claim::Unfinished(Box::new(folder), Box::new(loaded), lock))
        }
        Err(why) => {
            tracing::warn!("the run in {} begins again at its first step: {why}", path.display());
            set_aside(path)?;
            Ok(Claim::New(lock))
        }
    }
}

/// Checks the configuration in the checkpoint, because `config.toml` alone is not enough: a process
/// on a machine whose locks are not visible here may have saved a checkpoint of an earlier run in
/// this folder.
fn require_same(checkpoint: &Path, found: &Config, wanted: &Config) -> Result<()> {
    let differences = settings::differences(found, wanted);
    if !differences.is_empty() {
        bail!(
            "{} is a checkpoint of another run than that of its folder: {}; stop the process that wrote it, then remove the \
             folder of the run to begin anew",
            checkpoint.display(),
            differences.join(", ")
        );
    }
    Ok(())
}

/// Moves logs, checkpoints and evaluations into a separate folder. A new log must not begin with
/// the steps of another process, and a new agent must not keep the scores of another. The old files
/// are kept because they may show what went wrong.
#[expect(
    clippy::disallowed_methods,
    reason = "moves unusable files aside; the files that replace them are written durably"
)]
fn set_aside(run: &Path) -> Result<()> {
    let is_of_a_run = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let mut own = [METRICS, CHECKPOINTS].iter().chain(&EVALUATION);
        name.is_some_and(|n| own.any(|own| n == *own) || n.starts_with("events.out."))
    };
    let moved = || -> Result<()> {
        let left: Vec<PathBuf> = entries(run)?.into_iter().filter(is_of_a_run).collect();
        if left.is_empty() {
            return Ok(());
        }
        let mut number = 1;
        let aside = loop {
            let aside = run.join(format!("{UNUSABLE_PREFIX}{number}"));
            if !aside.exists() {
                break aside;
            }
            number += 1;
        };
        fs::create_dir(&aside)?;
        for path in left {
            if let Some(name) = path.file_name() {
                fs::rename(&path, aside.join(name))?;
            }
        }
        tracing::warn!("files of an earlier process were moved to {}", aside.display());
        Ok(())
    };
    moved().with_context(|| {
        format!(
            "the run in {} cannot begin again; remove the folder, or make it writable",
            run.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use deepspi_core::trainer::Trainer;
    use deepspi_run::config::Algorithm;
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::MazePreset;

    use super::*;
    use crate::run::folder::info_now;

    fn config() -> Config {
        MazePreset::Small.hyper_parameters()
    }

    fn info() -> RunInfo {
        info_now("Pong", false, "cpu")
    }

    /// Makes a folder with a run that has a log and a checkpoint before its first step.
    fn begun(folder: &Path) {
        begun_as(folder, config());
    }

    /// The same, with a checkpoint of another configuration.
    fn begun_as(folder: &Path, trained: Config) {
        let run = RunFolder { path: folder.to_owned(), info: info() };
        run.describe(&config()).expect("written");
        fs::write(folder.join(METRICS), "{}\n").expect("written");
        let network = MazePreset::Small.network();
        let trainer = Trainer::new(trained, network, &crate::device::cpu().device).expect("valid");
        let checkpoint = pollster::block_on(trainer.checkpoint()).expect("encodes");
        CheckpointStore::new(run.checkpoints(), 1).save(&checkpoint, 0, None).expect("written");
    }

    #[test]
    fn a_folder_is_new_then_unfinished_and_has_one_owner() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep").join("run");
        let first = claim(&path, &info(), &config()).expect("writable");
        assert!(matches!(first, Claim::New(_)));
        assert!(matches!(claim(&path, &info(), &config()).expect("readable"), Claim::Busy));
        drop(first);
        begun(&path);
        let again = claim(&path, &info(), &config()).expect("readable");
        assert!(matches!(again, Claim::Unfinished(..)));
        drop(again);
        let short = Config { total_timesteps: config().batch_size() as u64, ..config() };
        claim(&path, &info(), &short).expect_err("another length is another run");
    }

    #[test]
    fn another_run_is_refused_and_what_differs_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        begun(folder.path());
        let other = Config { algo: Algorithm::Ppo, gamma: 0.5, ..config() };
        let error = claim(folder.path(), &info_now("Breakout", true, "cpu"), &other);
        let error = error.expect_err("another run").to_string();
        for word in ["`env` is Pong", "`stochastic`", "`algo` is deep-spi", "not 0.5", "--run-dir"]
        {
            assert!(error.contains(word), "{word}: {error}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_run_is_not_gone_on_from() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let longer = Config { total_timesteps: 2 * config().total_timesteps, ..config() };
        begun_as(folder.path(), longer);
        let claimed = claim(folder.path(), &info(), &config()).expect("made longer by --resume");
        assert!(matches!(claimed, Claim::Unfinished(..)));
        drop(claimed);
        begun_as(folder.path(), Config { gamma: 0.5, ..config() });
        let error = claim(folder.path(), &info(), &config()).expect_err("of another").to_string();
        for word in ["step_000000000000", "`gamma` is 0.5", "begin anew"] {
            assert!(error.contains(word), "{word}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_out_of_reach_is_not_begun_anew() {
        for name in [CONFIG, CHECKPOINTS] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            begun(folder.path());
            let file = folder.path().join(name);
            if file.is_dir() {
                fs::remove_dir_all(&file).expect("removed");
            } else {
                fs::remove_file(&file).expect("removed");
            }
            // A link to itself exists but cannot be read, not even by root.
            std::os::unix::fs::symlink(&file, &file).expect("linked");
            let error = claim(folder.path(), &info(), &config()).expect_err("out of reach");
            assert!(format!("{error:#}").contains("nothing was changed"), "{error:#}");
            assert!(folder.path().join(METRICS).exists(), "nothing is set aside");
        }
    }

    #[test]
    fn what_cannot_be_gone_on_with_is_kept_aside() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        // Killed twice before the first checkpoint.
        for number in 1..=2 {
            RunFolder { path: path.to_owned(), info: info() }.describe(&config()).expect("written");
            fs::write(path.join(METRICS), "{}\n").expect("written");
            let claimed = claim(path, &info(), &config()).expect("writable");
            assert!(matches!(claimed, Claim::New(_)));
            assert!(!path.join(METRICS).exists());
            assert!(path.join(format!("{UNUSABLE_PREFIX}{number}")).join(METRICS).exists());
        }
        // A log without its configuration belongs to no run; the same holds for an evaluation.
        fs::remove_file(path.join(CONFIG)).expect("removed");
        for name in [METRICS].iter().chain(&EVALUATION) {
            fs::write(path.join(name), "{}\n").expect("written");
        }
        assert!(matches!(claim(path, &info(), &config()).expect("writable"), Claim::New(_)));
        for name in [METRICS].iter().chain(&EVALUATION) {
            assert!(!path.join(name).exists(), "{name} is of an agent that is gone");
            assert!(path.join(format!("{UNUSABLE_PREFIX}3")).join(name).exists());
        }
    }
}
