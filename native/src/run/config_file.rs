//! Files of `--config`: hyper-parameters, and in a table `run` the world.
//!
//! The `config.toml` of a run folder is such a file, and so is what `--print-config` prints: a new run from it must be
//! on the same world, with the same rules. What a command cannot use is named; nothing is dropped in silence.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use deepspi_run::config::ConfigOverrides;
use deepspi_run::run_files::RunInfo;
use deepspi_worlds::atari::{AtariOverrides, AtariTraining};
use deepspi_worlds::maze::{MazeConfig, MazeOverrides};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::terminal::note;

/// A configuration file.
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// The hyper-parameters that it gives.
    pub hyper: ConfigOverrides,
    /// The world that it describes.
    pub world: WorldTable,
}

/// The table `run` of a configuration file, as far as it describes the world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorldTable {
    /// Name of the world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The authors' stochastic variant of games.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stochastic: Option<bool>,
    /// Settings of the maze.
    #[serde(skip_serializing_if = "MazeOverrides::is_empty")]
    pub maze: MazeOverrides,
    /// Rules of games.
    #[serde(skip_serializing_if = "AtariOverrides::is_empty")]
    pub atari: AtariOverrides,
}

/// All keys of the table `run`. Those that describe how an earlier run was made are not read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunTable {
    env: Option<String>,
    stochastic: Option<bool>,
    #[serde(default)]
    maze: MazeOverrides,
    atari: Option<AtariOverrides>,
    started: Option<IgnoredAny>,
    #[serde(rename = "device")]
    _device: Option<IgnoredAny>,
    #[serde(rename = "version")]
    _version: Option<IgnoredAny>,
    #[serde(rename = "revision")]
    _revision: Option<IgnoredAny>,
    #[serde(rename = "saving")]
    _saving: Option<IgnoredAny>,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or parsed.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        let malformed = || format!("the configuration {} is malformed", path.display());
        let mut table = toml::from_str::<toml::Table>(&text).with_context(malformed)?;
        let run = table.remove("run").map(RunTable::deserialize).transpose();
        let run = run.context("table [run]").with_context(malformed)?;
        let hyper = ConfigOverrides::deserialize(table).with_context(malformed)?;
        let world = run.map(WorldTable::from).unwrap_or_default();
        Ok(Self { path: path.to_owned(), hyper, world })
    }

    /// Names the settings of the world that a command cannot use, with the reason.
    pub fn note_useless(&self, reason: &str, usable: impl Fn(&str) -> bool) {
        let useless = self.world.useless(usable);
        if !useless.is_empty() {
            note!("of {}, {} is not used: {reason}", self.path.display(), useless.join(", "));
        }
    }
}

impl From<RunTable> for WorldTable {
    fn from(run: RunTable) -> Self {
        let RunTable { env, stochastic, maze, atari, started, .. } = run;
        // A run from before the rules of games were recorded followed other rules than today's.
        let is_old = started.is_some() && atari.is_none() && maze.is_empty();
        let unsaid = is_old.then(|| AtariTraining::UNSAID.to_overrides());
        Self { env, stochastic, maze, atari: atari.or(unsaid).unwrap_or_default() }
    }
}

impl WorldTable {
    /// The world of a run, as a table.
    #[must_use]
    pub fn of(info: &RunInfo) -> Self {
        let maze = info.maze.map(|maze| maze.to_overrides()).unwrap_or_default();
        let atari = info.atari.map(|rules| rules.to_overrides()).unwrap_or_default();
        Self { env: Some(info.env.clone()), stochastic: Some(info.stochastic), maze, atari }
    }

    /// The settings that differ from the defaults and that a world without these fields cannot use, such as
    /// `cue = 0.5`.
    fn useless(&self, usable: impl Fn(&str) -> bool) -> Vec<String> {
        let stochastic =
            self.stochastic.filter(|yes| *yes).map(|_| ("stochastic", "true".to_owned()));
        let value = |field: &&'static str, found: Option<String>, default: Option<String>| {
            (found != default).then_some(found).flatten().map(|value| (*field, value))
        };
        let maze = MazeConfig::FIELDS.iter();
        let maze = maze.filter_map(|f| value(f, self.maze.get(f), MazeConfig::DEFAULT.get(f)));
        let atari = AtariTraining::FIELDS.iter();
        let atari =
            atari.filter_map(|f| value(f, self.atari.get(f), AtariTraining::DEFAULT.get(f)));
        let all = stochastic.into_iter().chain(maze).chain(atari);
        all.filter(|(field, _)| !usable(field))
            .map(|(field, value)| format!("{field} = {value}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use deepspi_run::run_files::Saving;

    use super::*;

    fn read(text: &str) -> Result<ConfigFile> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text)?;
        ConfigFile::read(&path)
    }

    #[test]
    fn the_file_of_a_run_describes_its_world() {
        let maze = MazeConfig { n_path: 7, cue: 0.5, ..MazeConfig::DEFAULT };
        let info = RunInfo {
            env: "maze".into(),
            stochastic: false,
            device: "cpu".into(),
            version: "1".into(),
            revision: "abc".into(),
            started: 5,
            maze: Some(maze),
            atari: None,
            saving: Some(Saving { every: 7, keep: 2 }),
        };
        let text = info.describe(&deepspi_run::config::Config::DEFAULT).expect("writable");
        let file = read(&text).expect("readable");
        assert_eq!(file.world, WorldTable::of(&info));
        assert_eq!(MazeConfig::DEFAULT.with(&file.world.maze), maze);
        assert_eq!(file.world.useless(|_| true), Vec::<String>::new());
        assert_eq!(file.world.useless(|field| field != "cue"), ["cue = 0.5"]);
    }

    #[test]
    fn an_old_run_on_a_game_keeps_its_rules() {
        let file =
            read("[run]\nenv = \"Pong\"\nstochastic = true\nstarted = 7\n").expect("readable");
        assert_eq!(AtariTraining::DEFAULT.with(&file.world.atari), AtariTraining::UNSAID);
        let file = read("[run]\nenv = \"Pong\"\n").expect("written by hand");
        assert!(file.world.atari.is_empty() && file.world.stochastic.is_none());
    }

    #[test]
    fn a_typing_error_in_the_table_is_named() {
        let error = format!("{:#}", read("[run]\nstochastc = true").expect_err("refused"));
        assert!(error.contains("config.toml") && error.contains("stochastc"), "{error}");
    }
}
