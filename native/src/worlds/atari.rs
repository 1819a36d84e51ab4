//! Atari games as worlds.

use std::path::Path;

use anyhow::{Context, Result};
use deepspi_ale::{AtariEnvs, Rom, RomFinder};
use deepspi_run::config::Config;
use deepspi_run::network::NetworkSpec;
use deepspi_run::run_files::RunInfo;
use deepspi_run::world::World as Description;
use deepspi_worlds::atari::{AtariOptions, AtariTraining, GAMES, Game};
use deepspi_worlds::env::VectorEnv;

use super::atari_game::AtariGame;
use super::episode::{End, EpisodeRules};
use super::world::{Episode, Episodes, Kind, World, WorldArgs};

/// The entry for Atari games in the list of worlds.
pub static KIND: Kind = Kind {
    title: "Atari games",
    fields: &[
        "stochastic",
        "roms",
        "env_threads",
        "max_episode_steps",
        "emulator_seeds",
        "network",
        "reward_clip",
    ],
    names: || GAMES.iter().map(|game| (game.name, "")).collect(),
    // The last entry: every name that no other world knows is taken for a game.
    knows: |_| true,
    find: |name, args: &WorldArgs| Ok(Box::new(AtariWorld::new(name, args)?)),
};

/// One game with its rules.
#[derive(Clone, Debug)]
pub struct AtariWorld {
    /// The game.
    pub game: &'static Game,
    /// The authors' stochastic variant.
    pub stochastic: bool,
    /// The rules that the run folder records.
    pub training: Option<AtariTraining>,
    /// Emulator options for training.
    pub options: AtariOptions,
    /// Threads of the emulators.
    pub threads: usize,
}

impl AtariWorld {
    /// Looks the game up.
    ///
    /// # Errors
    /// If there is no such game, or a rule is out of range.
    pub fn new(name: &str, args: &WorldArgs) -> Result<Self> {
        let WorldArgs { stochastic, env_threads, atari: training, .. } = *args;
        if let Some(training) = &training {
            training.validate()?;
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            game: Game::find(name)?,
            stochastic,
            training,
            options: AtariOptions::training(stochastic, training.as_ref()),
            threads: env_threads.unwrap_or(cores).max(1),
        })
    }

    /// The world as run folders describe it.
    const fn described(&self) -> Description {
        let Self { game, stochastic, training, .. } = *self;
        Description::Game { game, stochastic, training }
    }

    /// Whole games with the rules of an evaluation.
    fn rules(&self, chosen: &EpisodeRules) -> Result<AtariEpisodes> {
        let stochastic = chosen.stochastic.unwrap_or(self.stochastic);
        let options = AtariOptions {
            // With the resets of training, the environment must report lost lives, although the
            // game goes on after them: see `AtariGame`.
            episodic_life: chosen.training_resets,
            // Raw rewards are always reported, and only they are scored. Clipped rewards are what
            // the critic and the world model were trained on, unless the run did not clip.
            reward_clip: self.options.reward_clip,
            ..AtariOptions::evaluation(stochastic)
        };
        let rom = RomFinder::from_environment(chosen.roms.as_deref()).find(self.game)?;
        Ok(AtariEpisodes::new(rom, options, stochastic))
    }
}

impl World for AtariWorld {
    fn name(&self) -> &'static str {
        self.game.name
    }

    fn defaults(&self) -> Config {
        self.described().defaults()
    }

    fn network(&self) -> NetworkSpec {
        self.described().network()
    }

    fn describe(&self, info: &mut RunInfo) {
        self.described().describe(info);
    }

    fn open(&self, config: &Config, seed: u64, roms: Option<&Path>) -> Result<Box<dyn VectorEnv>> {
        let rom = RomFinder::from_environment(roms).find(self.game)?;
        let envs = AtariEnvs::new(&rom, self.options, config.num_envs, seed, self.threads)
            .context("the emulators could not be started")?;
        Ok(Box::new(envs))
    }

    fn episodes(&self, _gamma: f32, rules: &EpisodeRules) -> Result<Box<dyn Episodes>> {
        Ok(Box::new(self.rules(rules)?))
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn set_sticky_actions(&mut self, probability: f32) {
        self.options.repeat_action_probability = probability;
    }
}

/// Whole games of one cartridge.
#[derive(Clone, Debug)]
pub struct AtariEpisodes {
    rom: Rom,
    options: AtariOptions,
    stochastic: bool,
}

impl AtariEpisodes {
    /// Whole games with these rules.
    #[must_use]
    pub const fn new(rom: Rom, options: AtariOptions, stochastic: bool) -> Self {
        Self { rom, options, stochastic }
    }

    /// The game that `seed` determines, at its start.
    ///
    /// # Errors
    /// If the emulator fails.
    pub fn game(&self, seed: u64) -> Result<AtariGame> {
        AtariGame::start(&self.rom, self.options, seed)
    }
}

impl Episodes for AtariEpisodes {
    fn stochastic(&self) -> bool {
        self.stochastic
    }

    fn frame_skip(&self) -> u64 {
        u64::from(self.options.frame_skip)
    }

    fn rules(&self) -> String {
        format!(
            "whole games over all lives, raw rewards, at most {} steps of {} frames, sticky actions {}, \
             up to {} no-ops{}",
            self.options.max_episode_steps,
            self.options.frame_skip,
            self.options.repeat_action_probability,
            self.options.noop_max,
            if self.options.episodic_life {
                ", after lost lives as well, and then FIRE"
            } else {
                ""
            }
        )
    }

    #[expect(clippy::cast_possible_truncation, reason = "points of a step are below 2^24")]
    fn learned_reward(&self, raw: f64) -> f32 {
        match self.options.reward_clip {
            true if raw == 0.0 => 0.0,
            true => raw.signum() as f32,
            false => raw as f32,
        }
    }

    fn start(&self, seed: u64) -> Result<Box<dyn Episode>> {
        Ok(Box::new(self.game(seed)?))
    }

    fn start_on_console(&self, seed: u64) -> Option<Result<AtariGame>> {
        Some(self.game(seed))
    }
}

impl Episode for AtariGame {
    fn observation(&self) -> &[u8] {
        self.observations()
    }

    fn step(&mut self, action: u32) -> Result<(f64, Option<End>)> {
        Self::step(self, &[action]).context("the game failed")?;
        Ok((f64::from(self.last().raw_reward), self.end()))
    }

    fn again(self: Box<Self>, seed: u64) -> Result<Box<dyn Episode>> {
        Ok(Box::new(Self::again(*self, seed)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breakout(stochastic: bool) -> AtariWorld {
        let args =
            WorldArgs { stochastic, atari: Some(AtariTraining::DEFAULT), ..WorldArgs::default() };
        AtariWorld::new("Breakout", &args).expect("a game")
    }

    #[test]
    fn training_and_evaluation_have_limits_of_their_own() {
        let world = breakout(false);
        assert_eq!(world.options.max_episode_steps, 108_000);
        let games = world.rules(&EpisodeRules::default()).expect("a ROM");
        assert!(games.rules().contains("at most 27000 steps"), "{}", games.rules());
    }

    #[test]
    fn a_lost_life_ends_nothing_and_returns_are_raw() {
        let settings = breakout(true);
        let games = settings.rules(&EpisodeRules::default()).expect("a ROM");
        assert!(games.stochastic() && games.rules().contains("sticky actions 0.3"));
        let mut game = games.game(3).expect("started");
        let mut lives = vec![game.last().lives];
        for step in 0_u32.. {
            // Fire first, then other actions.
            game.step(&[if step % 4 == 0 { 1 } else { step / 7 % 4 }]).expect("played");
            let last = game.last();
            if lives.last() != Some(&last.lives) {
                lives.push(last.lives);
            }
            assert_eq!(last.done, last.lives == 0, "only the last life ends a game");
            assert_eq!(last.reward, if last.raw_reward > 0.0 { 1.0 } else { 0.0 });
            if let Some(end) = game.end() {
                assert_eq!(end, End::GameOver);
                break;
            }
        }
        assert_eq!(lives, [5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn resets_of_training_bring_the_next_ball_and_end_nothing() {
        let settings = breakout(false);
        // Lives after each step of an agent that does nothing, until the game ends.
        let lives = |training_resets, steps| {
            let chosen = EpisodeRules { training_resets, ..EpisodeRules::default() };
            let games = settings.rules(&chosen).expect("a ROM");
            assert_eq!(games.rules().contains("after lost lives as well"), training_resets);
            let mut game = games.game(3).expect("started");
            let mut lives = vec![game.last().lives];
            for _ in 0..steps {
                game.step(&[0]).expect("played");
                lives.push(game.last().lives);
                assert_eq!(game.outcomes()[0].done, game.end().is_some());
                if game.end().is_some() {
                    break;
                }
            }
            lives.dedup();
            (lives, game.end())
        };
        assert_eq!(lives(false, 1000), (vec![5, 4], None), "nobody presses FIRE");
        assert_eq!(lives(true, 1000), (vec![5, 4, 3, 2, 1, 0], Some(End::GameOver)));
    }
}
