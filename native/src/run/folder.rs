//! The folder of one run: its files and its description.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use deepspi_run::config::Config;
use deepspi_run::run_files::{CHECKPOINTS, CONFIG, RunInfo, Saving};
use deepspi_worlds::atari::AtariTraining;

use super::settings;
use crate::whole_file::write_whole;
use crate::worlds::World;

/// Log in the run folder: every message as one line.
pub const METRICS: &str = "metrics.jsonl";
/// Summary, protocol and origin of an evaluation; in the run folder unless the user names another.
pub const EVALUATION_JSON: &str = "evaluation.json";
/// Episodes of an evaluation, in the same folder as the summary.
pub const EVALUATION_CSV: &str = "evaluation.csv";
/// Both files of an evaluation.
pub const EVALUATION: [&str; 2] = [EVALUATION_JSON, EVALUATION_CSV];

/// An existing run folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    /// Its path.
    pub path: PathBuf,
    /// Its description.
    pub info: RunInfo,
}

/// The description of a world for the folder of a run that starts now.
#[must_use]
pub fn info_of(world: &dyn World, device: &str) -> RunInfo {
    let mut info = info_now(world.name(), false, device);
    world.describe(&mut info);
    info
}

/// The description of a run that starts now.
#[must_use]
pub fn info_now(env: &str, stochastic: bool, device: &str) -> RunInfo {
    RunInfo {
        env: env.to_owned(),
        stochastic,
        device: device.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: env!("DEEPSPI_REVISION").to_owned(),
        started: seconds_since_1970(),
        maze: None,
        atari: None,
        saving: None,
    }
}

#[expect(clippy::disallowed_methods, reason = "needs a calendar date and measures nothing")]
fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

impl RunFolder {
    /// Creates `<runs_dir>/<env>__<algo>__<seed>__<time>/` with its `config.toml`.
    ///
    /// # Errors
    /// If the folder cannot be created or written; existing files are unchanged.
    pub fn create(runs_dir: &Path, info: RunInfo, config: &Config) -> Result<Self> {
        let remedy = || {
            format!(
                "cannot create a run folder in {}; choose a writable place with --runs-dir",
                runs_dir.display()
            )
        };
        fs::create_dir_all(runs_dir).with_context(remedy)?;
        let name = info.folder_name(config);
        // Runs started in the same second get a counter.
        for attempt in 1..1000 {
            let suffix = if attempt == 1 { String::new() } else { format!("-{attempt}") };
            let path = runs_dir.join(format!("{name}{suffix}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let folder = Self { path, info };
                    if let Err(error) = folder.describe(config) {
                        // The new folder is removed; the error to report is that of writing.
                        drop(fs::remove_dir_all(&folder.path));
                        return Err(error.context(remedy()));
                    }
                    return Ok(folder);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(remedy),
            }
        }
        bail!(
            "there are already 999 runs called {name} in {}; choose another folder with --runs-dir",
            runs_dir.display()
        )
    }

    /// Writes `config.toml`, whole or not at all.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn describe(&self, config: &Config) -> Result<()> {
        write_whole(&self.path.join(CONFIG), self.info.describe(config)?.as_bytes())
    }

    /// Records in `config.toml` how the run is saved from now on; all else in the file stays as it
    /// is.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn record_saving(&self, saving: Saving) -> Result<()> {
        let file = self.path.join(CONFIG);
        let read = || -> Result<toml::Table> { Ok(toml::from_str(&fs::read_to_string(&file)?)?) };
        let mut table = read().with_context(|| format!("cannot read {}", file.display()))?;
        if let Some(run) = table.get_mut("run").and_then(toml::Value::as_table_mut) {
            run.insert("saving".to_owned(), toml::Value::try_from(saving)?);
        }
        write_whole(&file, toml::to_string(&table)?.as_bytes())
    }

    /// Opens an existing run.
    ///
    /// # Errors
    /// If the folder is not a run folder.
    pub fn open(path: &Path) -> Result<Self> {
        let file = path.join(CONFIG);
        let text = fs::read_to_string(&file).with_context(|| {
            format!("{} is not a run folder: cannot read {}", path.display(), file.display())
        })?;
        let info = RunInfo::read(&text)
            .with_context(|| format!("{} is not the configuration of a run", file.display()))?;
        Ok(Self { path: path.to_owned(), info })
    }

    /// The folder of its checkpoints.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join(CHECKPOINTS)
    }
}

/// Hyper-parameters of the run in a folder; fields that an old `config.toml` lacks have their
/// defaults.
///
/// # Errors
/// If `config.toml` cannot be read or is malformed, or a value is out of range.
pub fn read_config(run: &Path) -> Result<Config> {
    settings::from_file(&run.join(CONFIG), &Config::DEFAULT)
}

/// The settings in which the run that was found differs from the run that was asked for, one phrase
/// each. Device, time and program revision are not compared.
#[must_use]
pub fn differences(
    found: &RunInfo,
    found_config: &Config,
    wanted: &RunInfo,
    wanted_config: &Config,
) -> Vec<String> {
    let mut all = Vec::new();
    let mut compare = |name: &str, found: String, wanted: String| {
        if found != wanted {
            all.push(format!("`{name}` is {found}, not {wanted}"));
        }
    };
    compare("env", found.env.clone(), wanted.env.clone());
    compare("stochastic", found.stochastic.to_string(), wanted.stochastic.to_string());
    compare("maze", format!("{:?}", found.maze), format!("{:?}", wanted.maze));
    let (found, wanted) = (found.atari.as_ref(), wanted.atari.as_ref());
    for (field, found, wanted) in AtariTraining::differences(found, wanted) {
        compare(field, found, wanted);
    }
    all.extend(settings::differences(found_config, wanted_config));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_of_one_second_get_two_folders_and_reopen() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let info = info_now("Pong", true, "cpu");
        let first =
            RunFolder::create(folder.path(), info.clone(), &Config::default()).expect("created");
        let second = RunFolder::create(folder.path(), info, &Config::default()).expect("created");
        assert_ne!(first.path, second.path);
        let opened = RunFolder::open(&second.path).expect("a run folder");
        assert!(opened.info.env == "Pong" && opened.info.stochastic);
        RunFolder::open(folder.path()).expect_err("not a run folder");
    }

    #[test]
    fn what_makes_another_run_is_named() {
        let config = Config { gamma: 0.9, ..Config::DEFAULT };
        let info = info_now("Pong", false, "cpu");
        let later = RunInfo {
            device: "gpu".into(),
            started: info.started + 1,
            revision: "later".into(),
            ..info.clone()
        };
        assert!(differences(&info, &config, &later, &config).is_empty());
        let other = info_now("Pong", true, "cpu");
        assert_eq!(
            differences(&info, &config, &other, &Config::DEFAULT),
            ["`stochastic` is false, not true", "`gamma` is 0.9, not 0.99"]
        );
        let today = RunInfo { atari: Some(AtariTraining::DEFAULT), ..info.clone() };
        let found = differences(&info, &config, &today, &config);
        assert_eq!(found[0], "`max_episode_steps` is 27000, not 108000", "an old run says nothing");
    }
}
