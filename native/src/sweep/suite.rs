//! Suites of games, with their usual settings.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use deepspi_run::config::ConfigOverrides;
use deepspi_worlds::atari::{GAMES, Game};
use serde::Deserialize;

/// Number of seeds for a suite that does not give one, as in the paper's comparison.
const SEEDS: u64 = 5;

/// A set of games on which algorithms are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Name of the suite, or of its file without the ending.
    pub name: String,
    /// At least one game; no game appears twice.
    pub games: Vec<&'static Game>,
    /// Number of seeds, 1 to N, unless the command line gives it.
    pub seeds: u64,
    /// Hyper-parameters that differ from the defaults, unless the command line gives them.
    pub config: ConfigOverrides,
}

/// Content of a suite file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    games: Vec<String>,
    seeds: Option<u64>,
    #[serde(default)]
    config: ConfigOverrides,
}

impl Suite {
    /// Finds a suite by name, or reads it from a file. A file that ends in `.toml` has `games`, and
    /// optionally `seeds` and a table `config`; any other file has one game per line, with comments
    /// after `#`.
    ///
    /// # Errors
    /// If there is no suite and no file of this name, or a game is unknown or named twice.
    pub fn find(name: &str) -> Result<Self> {
        match name {
            "ale57" => {
                let games = GAMES.iter().collect();
                Ok(Self {
                    name: name.to_owned(),
                    games,
                    seeds: SEEDS,
                    config: ConfigOverrides::default(),
                })
            }
            "ale26" => Self::of(name, list(include_str!("../../data/suites/ale26.txt"))),
            "smoke" => {
                Self::of(name, toml::from_str(include_str!("../../data/suites/smoke.toml"))?)
            }
            _ => Self::read(Path::new(name)),
        }
    }

    fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| {
            format!(
                "there is no suite and no readable file {shown}; the suites are ale57, ale26 and smoke, and a file has one game per line"
            )
        })?;
        let file = if path.extension().is_some_and(|ending| ending == "toml") {
            toml::from_str(&text).with_context(|| {
                format!(
                    "{shown} is not a suite; it needs `games = [\"Pong\", ...]`, and may have `seeds` and a table `[config]`"
                )
            })?
        } else {
            list(&text)
        };
        let name =
            path.file_stem().map_or_else(|| shown.to_string(), |n| n.to_string_lossy().into());
        Self::of(&name, file).with_context(|| format!("the suite {shown} cannot be used"))
    }

    fn of(name: &str, file: SuiteFile) -> Result<Self> {
        let games = known_games(&file.games)?;
        let seeds = file.seeds.unwrap_or(SEEDS);
        Ok(Self { name: name.to_owned(), games, seeds, config: file.config })
    }
}

/// Reads one game per line.
fn list(text: &str) -> SuiteFile {
    let without_comment = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let games = text.lines().map(without_comment).filter(|game| !game.is_empty()).collect();
    SuiteFile { games, seeds: None, config: ConfigOverrides::default() }
}

/// The games with these names.
///
/// # Errors
/// If there is no name, or a game is unknown or named twice; its runs would have equal names.
pub fn known_games(names: &[String]) -> Result<Vec<&'static Game>> {
    if names.is_empty() {
        bail!("no game is named; name at least one");
    }
    let mut seen = HashSet::new();
    let mut games = Vec::with_capacity(names.len());
    for name in names {
        let game = Game::find(name)?;
        if !seen.insert(game.name) {
            bail!("{} is named twice; leave one of them out", game.name);
        }
        games.push(game);
    }
    Ok(games)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(name: &str, text: &str) -> Result<Suite> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        Suite::find(path.to_str().expect("a plain name"))
    }

    #[test]
    fn suites_have_the_games_of_their_names() {
        for (name, games, seeds) in [("ale57", 57, 5), ("ale26", 26, 5), ("smoke", 3, 2)] {
            let suite = Suite::find(name).expect(name);
            let distinct: HashSet<_> = suite.games.iter().map(|game| game.name).collect();
            assert_eq!((suite.games.len(), distinct.len(), suite.seeds), (games, games, seeds));
        }
    }

    #[test]
    fn a_file_is_a_list_or_a_table() {
        let suite =
            from_file("mine.txt", "# two\nPong\n\n ms_pacman # by its stem\n").expect("list");
        assert_eq!(suite.games.iter().map(|g| g.name).collect::<Vec<_>>(), ["Pong", "MsPacman"]);
        assert_eq!(suite.name, "mine");
        let text = "games = [\"Pong\"]\nseeds = 3\n[config]\ngamma = 0.9\n";
        let suite = from_file("mine.toml", text).expect("a table");
        assert_eq!((suite.seeds, suite.config.gamma), (3, Some(0.9)));
    }

    #[test]
    fn errors_name_what_is_wrong() {
        for (name, text, words) in [
            ("a.txt", "Pong\nBrakeout\n", "Breakout"),
            ("a.txt", "MsPacman\nms_pacman\n", "MsPacman is named twice"),
            ("a.txt", "# nothing\n", "no game is named"),
            ("a.toml", "game = [\"Pong\"]\n", "games"),
        ] {
            let error = format!("{:#}", from_file(name, text).expect_err(words));
            assert!(error.contains(words) && error.contains(name), "{error}");
        }
        let error = Suite::find("ale75").expect_err("no such suite").to_string();
        assert!(error.contains("ale57"), "{error}");
    }
}
