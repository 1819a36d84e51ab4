//! `sweep.toml`: which runs belong to the folder of a sweep.
//!
//! This file is the only place that defines the sweep. A run is named after its game, algorithm and
//! seed, which give its folder; all other settings are the same for all runs.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use deepspi_run::config::{Algorithm, Config, ConfigOverrides};
use deepspi_worlds::atari::AtariTraining;
use deepspi_worlds::atari::Game;
use serde::{Deserialize, Serialize};

use super::suite::known_games;
use crate::run::settings;
use crate::whole_file::write_whole;

/// Name of the file, in the folder of the sweep.
pub const SPECIFICATION: &str = "sweep.toml";
/// Folder that contains the run folders, in the folder of the sweep.
pub const RUNS: &str = "runs";
/// Largest number of seeds; a larger number is a typing error.
const MOST_SEEDS: u64 = 10_000;

/// The runs of a sweep: all combinations of games, algorithms and seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Name of the suite of games.
    pub suite: String,
    /// Names of the games, as CleanRL writes them.
    pub games: Vec<String>,
    /// Algorithms that are compared.
    pub algos: Vec<Algorithm>,
    /// Seeds 1 to N.
    pub seeds: u64,
    /// Whether it is the authors' stochastic variant.
    pub stochastic: bool,
    /// Rules of the games; `None` for sweeps that began before the rules were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atari: Option<AtariTraining>,
    /// Revision of the program that began the sweep.
    pub revision: String,
    /// Hyper-parameters that were set, by their names in `config.toml`; all others have their
    /// defaults.
    pub config: ConfigOverrides,
}

/// One run of a sweep. Its name is also the name of its folder: `<Game>__<algo>__<seed>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunId {
    /// The game.
    pub game: &'static Game,
    /// The algorithm.
    pub algo: Algorithm,
    /// The seed.
    pub seed: u64,
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` applies the width of the format string, for tables.
        f.pad(&format!("{}__{}__{}", self.game.name, self.algo.name(), self.seed))
    }
}

impl RunId {
    /// Its folder in the folder of a sweep.
    #[must_use]
    pub fn folder(&self, sweep: &Path) -> PathBuf {
        sweep.join(RUNS).join(self.to_string())
    }
}

impl Sweep {
    /// Reads `sweep.toml` in the folder of a sweep.
    ///
    /// # Errors
    /// If the folder is not a sweep, or this program cannot run the sweep.
    pub fn open(folder: &Path) -> Result<Self> {
        let file = folder.join(SPECIFICATION);
        let text = fs::read_to_string(&file).with_context(|| {
            format!(
                "{} is not the folder of a sweep: cannot read {}; begin one with `native bench`",
                folder.display(),
                file.display()
            )
        })?;
        let foreign = || format!("{} is not the specification of a sweep", file.display());
        let sweep: Self = toml::from_str(&text).with_context(foreign)?;
        sweep.validate().with_context(foreign)?;
        Ok(sweep)
    }

    /// Writes `sweep.toml`, whole or not at all.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        write_whole(&folder.join(SPECIFICATION), toml::to_string(self)?.as_bytes())
    }

    /// Checks all settings of the sweep.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn validate(&self) -> Result<()> {
        known_games(&self.games)?;
        for (field, remedy) in
            [("algo", format!("--algos {}", Algorithm::NAMES)), ("seed", "--seeds 5".to_owned())]
        {
            if self.config.is_given(field) {
                bail!("`{field}` differs between the runs of a sweep; use {remedy} instead");
            }
        }
        if let Some(atari) = &self.atari {
            atari.validate()?;
        }
        for (i, algo) in self.algos.iter().enumerate() {
            if self.algos[..i].contains(algo) {
                bail!("the algorithm {algo} is named twice; leave one of them out");
            }
            self.settings(*algo, 1)
                .with_context(|| format!("{algo} cannot be trained with these settings"))?;
        }
        if self.algos.is_empty() {
            bail!("no algorithm is named; name at least one of {}", names(&Algorithm::ALL));
        }
        if !(1..=MOST_SEEDS).contains(&self.seeds) {
            bail!("the number of seeds is {}; allowed: 1 to {MOST_SEEDS}", self.seeds);
        }
        Ok(())
    }

    /// All runs: by game, then algorithm, then seed. A game that [`Self::validate`] would refuse
    /// has no runs.
    #[must_use]
    pub fn runs(&self) -> Vec<RunId> {
        let games = self.games.iter().filter_map(|name| Game::find(name).ok());
        games
            .flat_map(|game| {
                self.algos.iter().flat_map(move |&algo| {
                    (1..=self.seeds).map(move |seed| RunId { game, algo, seed })
                })
            })
            .collect()
    }

    /// All hyper-parameters of a run.
    ///
    /// # Errors
    /// If a hyper-parameter is unknown or out of range.
    pub fn settings(&self, algo: Algorithm, seed: u64) -> Result<Config> {
        let given = ConfigOverrides { algo: Some(algo), seed: Some(seed), ..self.config.clone() };
        settings::complete(&given, &Config::DEFAULT)
    }

    /// The run with this name.
    #[must_use]
    pub fn run(&self, name: &str) -> Option<RunId> {
        self.runs().into_iter().find(|id| id.to_string() == name)
    }

    /// The reasons why this sweep cannot be continued as the sweep `wanted`, one line each. Games,
    /// algorithms and seeds may be added but not removed; runs are named after them, so existing
    /// runs stay the same. The program revision is not compared, and a default that is written
    /// explicitly is no difference.
    ///
    /// # Errors
    /// If a hyper-parameter of either sweep is unknown or out of range.
    pub fn conflicts(&self, wanted: &Self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut compare = |name: &str, fits: bool, here: String, there: String| {
            if !fits {
                found.push(format!("{name} is {here}, not {there}"));
            }
        };
        let games = self.games.iter().all(|game| wanted.games.contains(game));
        compare("the list of games", games, self.games.join(", "), wanted.games.join(", "));
        let algos = self.algos.iter().all(|algo| wanted.algos.contains(algo));
        compare("the list of algorithms", algos, names(&self.algos), names(&wanted.algos));
        let seeds = |sweep: &Self| sweep.seeds.to_string();
        compare("the number of seeds", self.seeds <= wanted.seeds, seeds(self), seeds(wanted));
        let stochastic = |sweep: &Self| sweep.stochastic.to_string();
        let same = self.stochastic == wanted.stochastic;
        compare("`stochastic`", same, stochastic(self), stochastic(wanted));
        let rules = AtariTraining::differences(self.atari.as_ref(), wanted.atari.as_ref());
        for (field, here, there) in rules {
            compare(&format!("`{field}`"), false, here, there);
        }
        let all = |sweep: &Self| sweep.settings(Algorithm::DeepSpi, 1);
        found.extend(settings::differences(&all(self)?, &all(wanted)?));
        Ok(found)
    }

    /// This sweep with the games, algorithms and seeds of `wanted` added. The two must have no
    /// [conflict](Self::conflicts).
    #[must_use]
    pub fn extended(&self, wanted: &Self) -> Self {
        let Self { suite, games, algos, seeds, .. } = wanted.clone();
        Self { suite, games, algos, seeds, ..self.clone() }
    }
}

fn names(algos: &[Algorithm]) -> String {
    algos.iter().map(|algo| algo.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Two games, two algorithms, two seeds of two tiny iterations.
    pub(in crate::sweep) fn tiny() -> Sweep {
        let text = "num_envs = 4\nnum_steps = 4\ntotal_timesteps = 32\ngamma = 0.9\n";
        Sweep {
            suite: "tiny".into(),
            games: vec!["Pong".into(), "Breakout".into()],
            algos: vec![Algorithm::Ppo, Algorithm::DeepSpi],
            seeds: 2,
            stochastic: false,
            atari: None,
            revision: "unknown".into(),
            config: toml::from_str(text).expect("a table"),
        }
    }

    #[test]
    fn a_specification_comes_back_from_its_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = Sweep::open(folder.path()).expect_err("empty").to_string();
        assert!(error.contains("not the folder of a sweep"), "{error}");
        tiny().save(folder.path()).expect("written");
        assert_eq!(Sweep::open(folder.path()).expect("read"), tiny());
        fs::write(folder.path().join(SPECIFICATION), "suite = \"ti").expect("written");
        Sweep::open(folder.path()).expect_err("half a file");
    }

    #[test]
    fn a_specification_of_before_there_were_tables_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = "suite = \"tiny\"\ngames = [\"Pong\", \"Breakout\"]\nalgos = [\"ppo\", \"deep-spi\"]\n\
                    seeds = 2\nstochastic = false\nrevision = \"unknown\"\n\n[config]\nlipschitz_nets = false\n\
                    gamma = 0.9\nnum_envs = 4\nnum_steps = 4\ntotal_timesteps = 32\n";
        fs::write(folder.path().join(SPECIFICATION), text).expect("written");
        let mut expected = tiny();
        expected.config.world_model.lipschitz_nets = Some(false);
        assert_eq!(Sweep::open(folder.path()).expect("read"), expected);
        expected.save(folder.path()).expect("written");
        let written = fs::read_to_string(folder.path().join(SPECIFICATION)).expect("there");
        assert!(written.contains("[config.world_model]\nlipschitz_nets = false"), "{written}");
        assert!(written.contains("gamma = 0.9\n"), "as it was given: {written}");
        assert_eq!(Sweep::open(folder.path()).expect("read"), expected);
    }

    #[test]
    fn every_combination_is_one_run_and_has_its_settings() {
        let sweep = tiny();
        let names: Vec<_> = sweep.runs().iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), 8);
        assert_eq!(names[..3], ["Pong__ppo__1", "Pong__ppo__2", "Pong__deep-spi__1"]);
        assert_eq!(sweep.run("Pong__ppo__2"), Some(sweep.runs()[1]));
        assert_eq!(sweep.run("Pong__ppo__3"), None);
        let config = sweep.settings(Algorithm::DeepMdp, 7).expect("valid");
        assert_eq!((config.algo, config.seed, config.num_envs), (Algorithm::DeepMdp, 7, 4));
        assert_eq!((config.gamma, config.gae_lambda), (0.9, Config::DEFAULT.gae_lambda));
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        let config = |text: &str| toml::from_str::<ConfigOverrides>(text).expect("fields");
        for (sweep, word) in [
            (Sweep { games: vec!["Pong".into(), "pong".into()], ..tiny() }, "twice"),
            (Sweep { algos: vec![], ..tiny() }, "algorithm"),
            (Sweep { algos: vec![Algorithm::Ppo; 2], ..tiny() }, "twice"),
            (Sweep { seeds: 0, ..tiny() }, "seeds"),
            (Sweep { config: config("seed = 4"), ..tiny() }, "--seeds"),
            (Sweep { config: config("gamma = 2.0"), ..tiny() }, "`gamma` is 2"),
            (Sweep { config: config("certified = true"), ..tiny() }, "ppo"),
        ] {
            let error = format!("{:#}", sweep.validate().expect_err(word));
            assert!(error.contains(word), "{error}");
        }
        let error = toml::from_str::<ConfigOverrides>("gama = 0.9").expect_err("typo").to_string();
        assert!(error.contains("gama"), "{error}");
    }

    #[test]
    fn conflicts_are_named_and_the_revision_is_none() {
        let none = |wanted: &Sweep| tiny().conflicts(wanted).expect("valid").is_empty();
        assert!(none(&Sweep { revision: "another".into(), ..tiny() }));
        let mut other = tiny();
        other.config.gae_lambda = Some(0.95);
        assert!(none(&other), "0.95 is the default");
        let mut other = Sweep { seeds: 1, algos: vec![Algorithm::DeepMdp], ..tiny() };
        other.config.gamma = None;
        assert_eq!(
            tiny().conflicts(&other).expect("valid"),
            [
                "the list of algorithms is ppo, deep-spi, not deep-mdp",
                "the number of seeds is 2, not 1",
                "`gamma` is 0.9, not 0.99"
            ]
        );
    }

    #[test]
    fn a_larger_sweep_is_the_same_one_extended() {
        let wanted = Sweep {
            suite: "larger".into(),
            games: ["Alien", "Breakout", "Pong"].map(Into::into).into(),
            algos: vec![Algorithm::DeepSpi, Algorithm::DeepMdp, Algorithm::Ppo],
            seeds: 3,
            revision: "later".into(),
            ..tiny()
        };
        assert!(tiny().conflicts(&wanted).expect("valid").is_empty());
        let extended = tiny().extended(&wanted);
        assert_eq!(extended, Sweep { revision: tiny().revision, ..wanted.clone() });
        let all = extended.runs();
        assert!(tiny().runs().iter().all(|run| all.contains(run)));
        assert_eq!(wanted.conflicts(&tiny()).expect("valid").len(), 3, "nothing is taken away");
    }
}
