//! Atari games as environments of the core.

use std::path::Path;

use anyhow::{Context, Result};
use deepspi_atari::{EnvError, EnvOptions, Game, RomFinder, VecEnv};
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::{self, Outcome, Pending, VectorEnv, ready};
use deepspi_worlds::frame::FrameShape;

/// Frames of the preprocessed games.
pub const FRAME: FrameShape = FrameShape { channels: 4, height: 84, width: 84 };

/// Which game to play, and how.
#[derive(Clone, Debug)]
pub struct AtariSettings {
    /// The game.
    pub game: &'static Game,
    /// The authors' stochastic variant.
    pub stochastic: bool,
    /// Preprocessing and stochasticity.
    pub options: EnvOptions,
    /// Threads of the emulators.
    pub threads: usize,
}

impl AtariSettings {
    /// Looks the game up.
    ///
    /// # Errors
    /// If there is no such game.
    pub fn new(name: &str, stochastic: bool, threads: Option<usize>) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            game: Game::find(name)?,
            stochastic,
            options: EnvOptions::training(stochastic),
            threads: threads.unwrap_or(cores).max(1),
        })
    }

    /// Sizes of the paper's networks for this game.
    #[must_use]
    pub fn network(&self) -> NetworkSpec {
        NetworkSpec::atari(FRAME, self.game.actions.len())
    }
}

/// N environments of one game.
#[derive(Debug)]
pub struct AtariEnvs {
    envs: VecEnv,
    actions: usize,
    observations: Vec<u8>,
    outcomes: Vec<Outcome>,
}

impl AtariEnvs {
    /// Finds the ROM and starts the emulators; environment i gets seed `seed + i`.
    ///
    /// # Errors
    /// If there is no usable ROM or an emulator does not start.
    pub fn new(
        settings: &AtariSettings,
        roms: Option<&Path>,
        num_envs: usize,
        seed: u64,
    ) -> Result<Self> {
        let rom = RomFinder::from_environment(roms).find(settings.game)?;
        let envs =
            VecEnv::new(settings.game, &rom, settings.options, num_envs, seed, settings.threads)
                .context("the emulators could not be started")?;
        Ok(Self {
            envs,
            actions: settings.game.actions.len(),
            observations: vec![0; num_envs * FRAME.len()],
            outcomes: vec![Outcome::default(); num_envs],
        })
    }

    /// Starts new games everywhere, at once.
    ///
    /// # Errors
    /// The first failed environment.
    pub fn reset(&mut self) -> Result<(), EnvError> {
        let view = self.envs.reset()?;
        self.observations.copy_from_slice(view.observations);
        self.outcomes.fill(Outcome::default());
        Ok(())
    }

    /// Takes one action per environment, at once.
    ///
    /// # Errors
    /// If an action is out of range, or the first failed environment.
    pub fn step(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        let view = self.envs.step(actions)?;
        self.observations.copy_from_slice(view.observations);
        for (i, outcome) in self.outcomes.iter_mut().enumerate() {
            *outcome = Outcome {
                reward: view.rewards[i],
                raw_reward: view.raw_rewards[i],
                done: view.dones[i],
                game_over: view.terminated[i] || view.truncated[i],
            };
        }
        Ok(())
    }
}

impl VectorEnv for AtariEnvs {
    fn num_envs(&self) -> usize {
        self.outcomes.len()
    }

    fn frame(&self) -> FrameShape {
        FRAME
    }

    fn actions(&self) -> usize {
        self.actions
    }

    fn send_reset(&mut self) -> Result<(), env::EnvError> {
        self.reset().map_err(env::EnvError::new)
    }

    fn send(&mut self, actions: &[u32]) -> Result<(), env::EnvError> {
        self.step(actions).map_err(env::EnvError::new)
    }

    fn receive(&mut self) -> Pending<'_> {
        ready()
    }

    fn observations(&self) -> &[u8] {
        &self.observations
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
}
