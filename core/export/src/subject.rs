//! The agent that is exported: its run, its hyper-parameters and where it was saved.

use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;
use deepspi_run::run_files::RunInfo;
use deepspi_run::world::World;
use deepspi_worlds::atari::action_name;
use deepspi_worlds::maze::Action;

use crate::error::ExportError;

/// A trained agent and its origin.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its run.
    pub run: &'a RunInfo,
    /// Hyper-parameters.
    pub config: &'a Config,
    /// Sizes of its networks.
    pub spec: &'a NetworkSpec,
    /// Name of its checkpoint.
    pub checkpoint: &'a str,
    /// Agent steps it was trained for.
    pub steps: u64,
    /// Version of the program that exports it.
    pub version: &'a str,
    /// Revision of its source.
    pub revision: &'a str,
}

impl Subject<'_> {
    /// The world of its run.
    ///
    /// # Errors
    /// If this program does not know the world.
    pub fn world(&self) -> Result<World, ExportError> {
        World::of_run(self.run).map_err(|error| ExportError::World(error.to_string()))
    }

    /// `deep-spi on Breakout`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} on {}", self.config.algo.name(), self.run.env)
    }

    /// The facts that the graphs carry.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        vec![
            ("algorithm", self.config.algo.name().to_owned()),
            ("world", self.run.env.clone()),
            ("seed", self.config.seed.to_string()),
            ("agent_steps", self.steps.to_string()),
            ("checkpoint", self.checkpoint.to_owned()),
            ("discount", self.config.gamma.to_string()),
            ("version", self.version.to_owned()),
            ("revision", self.revision.to_owned()),
        ]
    }

    /// Names of the actions, in the order of the policy's outputs.
    ///
    /// # Errors
    /// If this program does not know the world.
    pub fn action_names(&self) -> Result<Vec<String>, ExportError> {
        let world = self.world()?;
        Ok(match world.game() {
            Some(game) => game.actions.iter().map(|&id| action_name(id).words.to_owned()).collect(),
            None => Action::ALL.iter().map(|action| format!("{action:?}").to_lowercase()).collect(),
        })
    }
}
