//! The settings of a run on an Atari game that are not hyper-parameters, as the run folder stores
//! them.

use deepspi_options::{ConfigError, choices, fields};

choices! {
    /// Where the emulator's seeds come from.
    EmulatorSeeds = Hashed {
        /// Each game has its own seed: a hash of the run's seed, the environment and the number of
        /// the game.
        "hashed" Hashed,
        /// EnvPool's rule: environment i gets seed + i once, for all its games. Runs with
        /// neighbouring seeds share all but one of these seeds.
        "envpool" Envpool,
    }

    /// Size of the networks.
    AtariNetwork = Paper {
        /// The networks of the paper.
        "paper" Paper,
        /// Networks for a CPU or a browser: a third of the multiplications of the paper's policy.
        "small" Small,
    }
}

fields! {
    /// How the games of a training run are played. Run folders from before these settings were
    /// stored have none: their games followed [`AtariTraining::UNSAID`].
    #[derive(Copy, Eq)]
    pub struct AtariTraining, overrides AtariOverrides {
        /// Agent steps after which an episode of a game is truncated, at least 1. The authors'
        /// EnvPool 0.6.6 has 108000 and restarts the count after a lost life. `evaluate` has its
        /// own limit, 27000 for a whole game.
        ["Environment"] #[cfg_attr(feature = "cli", arg(value_name = "STEPS"))]
        max_episode_steps: u32 = 108_000;
        /// Where the emulator's seeds come from; the sticky actions depend on them.
        ["Environment"] #[cfg_attr(feature = "cli", arg(value_enum))]
        emulator_seeds: EmulatorSeeds = EmulatorSeeds::Hashed;
        /// Size of the networks: those of the paper, or small ones for a CPU or a browser.
        ["Environment"] #[cfg_attr(feature = "cli", arg(value_enum))]
        network: AtariNetwork = AtariNetwork::Paper;
        /// Clip rewards to their sign, as in the paper; scores are never clipped.
        ["Environment"]
        reward_clip: bool = true;
    }
}

impl AtariTraining {
    /// The settings of runs that do not store them. Their step limit applied to the whole game,
    /// lost lives included.
    pub const UNSAID: Self = Self {
        max_episode_steps: 27_000,
        emulator_seeds: EmulatorSeeds::Envpool,
        network: AtariNetwork::Paper,
        reward_clip: true,
    };

    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.max_episode_steps == 0 {
            let value = self.max_episode_steps.to_string();
            return Err(ConfigError { field: "max_episode_steps", value, allowed: "at least 1" });
        }
        Ok(())
    }

    /// The settings in which two runs differ: name, first value, second value.
    #[must_use]
    pub fn differences(
        found: Option<&Self>,
        wanted: Option<&Self>,
    ) -> Vec<(&'static str, String, String)> {
        let [found, wanted] = [found, wanted].map(|run| run.unwrap_or(&Self::UNSAID));
        let values = Self::FIELDS.iter().map(|&field| {
            let value = |run: &Self| run.get(field).unwrap_or_default();
            (field, value(found), value(wanted))
        });
        values.filter(|(_, found, wanted)| found != wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_says_nothing_differs_from_one_with_todays_defaults() {
        let today = AtariTraining::DEFAULT;
        today.validate().expect("valid");
        assert!(AtariTraining::differences(Some(&today), Some(&today)).is_empty());
        let unsaid = Some(&AtariTraining::UNSAID);
        assert!(AtariTraining::differences(None, unsaid).is_empty());
        assert_eq!(
            AtariTraining::differences(None, Some(&today))[0],
            ("max_episode_steps", "27000".to_owned(), "108000".to_owned())
        );
        assert_eq!(
            AtariTraining::differences(None, Some(&today))[1],
            ("emulator_seeds", "envpool".to_owned(), "hashed".to_owned())
        );
        let none = AtariTraining { max_episode_steps: 0, ..today };
        assert!(none.validate().expect_err("no step").to_string().contains("max_episode_steps"));
    }
}
