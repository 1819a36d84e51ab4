//! The settings of an Atari environment: sticky actions, no-ops, episodes, rewards.

use serde::{Deserialize, Serialize};

use super::error::AtariError;
use super::rewards::Rewards;
use super::training::{AtariTraining, EmulatorSeeds};
use crate::frame::FrameShape;

/// Height and width of an observation frame.
pub const OBS_SIDE: usize = 84;
/// Bytes of one observation frame.
pub const OBS_PIXELS: usize = OBS_SIDE * OBS_SIDE;

/// Rules of an environment. The defaults are EnvPool's as CleanRL uses them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtariOptions {
    /// Probability that a frame repeats the previous frame's action instead of taking the new one;
    /// 0 = never.
    pub repeat_action_probability: f32,
    /// Largest number of no-ops after a reset; 0 = none. With FIRE reset in effect the number is in
    /// 0..=max-1, else in 1..=max.
    pub noop_max: u32,
    /// Whether a lost life ends the learner's episode. No effect where
    /// [`super::Game::lives_constant`].
    pub episodic_life: bool,
    /// Whether rewards are replaced by their sign. Raw rewards are reported in either case.
    pub reward_clip: bool,
    /// What a reward of the console is worth, before any clipping.
    pub rewards: Rewards,
    /// Whether FIRE is pressed for one frame after a reset, in games that have it.
    pub use_fire_reset: bool,
    /// Agent steps after which the episode is truncated; at least 1.
    pub max_episode_steps: u32,
    /// Whether the step counter restarts after every lost life, as in EnvPool up to 0.6.6, or only
    /// with a new game. No effect without `episodic_life`.
    pub limit_per_life: bool,
    /// Where the emulator's seeds come from.
    pub emulator_seeds: EmulatorSeeds,
    /// Frames per agent step; at least 1. The last two are pooled.
    pub frame_skip: u32,
    /// Frames in an observation; at least 1.
    pub stack: usize,
}

impl Default for AtariOptions {
    fn default() -> Self {
        Self {
            repeat_action_probability: 0.0,
            noop_max: 30,
            episodic_life: true,
            reward_clip: true,
            rewards: Rewards::Points,
            use_fire_reset: true,
            max_episode_steps: AtariTraining::DEFAULT.max_episode_steps,
            limit_per_life: true,
            emulator_seeds: EmulatorSeeds::Hashed,
            frame_skip: 4,
            stack: 4,
        }
    }
}

impl AtariOptions {
    /// The stochastic setting of the DeepSPI paper: sticky actions 0.3, up to 60 idle frames.
    #[must_use]
    pub fn stochastic() -> Self {
        Self { repeat_action_probability: 0.3, noop_max: 60, ..Self::default() }
    }

    /// The settings for training: the stochastic ones, or the defaults. `run` holds the run's own
    /// settings; none for a run that was started before run folders stored them.
    #[must_use]
    pub fn training(stochastic: bool, run: Option<&AtariTraining>) -> Self {
        let base = if stochastic { Self::stochastic() } else { Self::default() };
        let AtariTraining { max_episode_steps, emulator_seeds, reward_clip, network: _ } =
            *run.unwrap_or(&AtariTraining::UNSAID);
        let limit_per_life = run.is_some();
        Self { max_episode_steps, emulator_seeds, limit_per_life, reward_clip, ..base }
    }

    /// The settings for evaluation: those of training, but with at most 27,000 agent steps (108,000
    /// frames) for a whole game. The emulator gets the seed of the episode itself.
    #[must_use]
    pub fn evaluation(stochastic: bool) -> Self {
        let base = if stochastic { Self::stochastic() } else { Self::default() };
        Self {
            max_episode_steps: 27_000,
            limit_per_life: false,
            emulator_seeds: EmulatorSeeds::Envpool,
            ..base
        }
    }

    /// The rules in words.
    #[must_use]
    pub fn describe(&self) -> String {
        // No `..`: a new rule must be described here, or left out here by name.
        let Self {
            repeat_action_probability,
            noop_max,
            episodic_life,
            reward_clip,
            rewards,
            use_fire_reset,
            max_episode_steps,
            limit_per_life,
            emulator_seeds,
            frame_skip,
            stack,
        } = self;
        let mut rules = vec![
            if *repeat_action_probability > 0.0 {
                format!("sticky actions {repeat_action_probability}")
            } else {
                "no sticky actions".to_owned()
            },
            format!("up to {noop_max} no-ops at the start of a game"),
        ];
        let kept = [
            (*use_fire_reset, "then FIRE where the game has it"),
            (*episodic_life, "a lost life ends an episode"),
            (*reward_clip, "rewards are clipped to their sign"),
        ];
        rules.extend(kept.iter().filter(|(on, _)| *on).map(|(_, rule)| (*rule).to_owned()));
        if let Rewards::Codes(_) = rewards {
            rules.push("rewards are those that its codes stand for".to_owned());
        }
        let anew = if *limit_per_life && *episodic_life { " between two lost lives" } else { "" };
        rules.push(format!("at most {max_episode_steps} steps of {frame_skip} frames{anew}"));
        rules.push(format!("{stack} frames seen at a time"));
        if *emulator_seeds == EmulatorSeeds::Envpool {
            rules.push("emulator seeds as in EnvPool".to_owned());
        }
        rules.join(", ")
    }

    /// Size of an observation, `[F, H, W]`.
    #[must_use]
    pub const fn frame(&self) -> FrameShape {
        FrameShape { channels: self.stack, height: OBS_SIDE, width: OBS_SIDE }
    }

    /// Bytes of one environment's observation, F x H x W.
    #[must_use]
    pub const fn observation_len(&self) -> usize {
        self.stack * OBS_PIXELS
    }

    /// Checks every option against its range.
    ///
    /// # Errors
    /// The first option out of range.
    pub fn check(&self) -> Result<(), AtariError> {
        if !(0.0..=1.0).contains(&self.repeat_action_probability) {
            return Err(AtariError::Options("repeat_action_probability must lie in 0..=1"));
        }
        if self.reward_clip && self.rewards != Rewards::Points {
            return Err(AtariError::Options("rewards that are codes cannot be clipped"));
        }
        for (value, text) in [
            (u64::from(self.max_episode_steps), "max_episode_steps must be at least 1"),
            (u64::from(self.frame_skip), "frame_skip must be at least 1"),
            (self.stack as u64, "stack must be at least 1"),
        ] {
            if value == 0 {
                return Err(AtariError::Options(text));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_said_as_they_are() {
        let default = AtariOptions::default();
        assert_eq!(
            default.describe(),
            "no sticky actions, up to 30 no-ops at the start of a game, then FIRE where the game has \
             it, a lost life ends an episode, rewards are clipped to their sign, at most 108000 steps \
             of 4 frames between two lost lives, 4 frames seen at a time"
        );
        for other in [
            AtariOptions { repeat_action_probability: 0.3, ..default },
            AtariOptions { noop_max: 60, ..default },
            AtariOptions { episodic_life: false, ..default },
            AtariOptions { reward_clip: false, ..default },
            AtariOptions { rewards: Rewards::Codes([0.0; 4]), ..default },
            AtariOptions { use_fire_reset: false, ..default },
            AtariOptions { max_episode_steps: 100, ..default },
            AtariOptions { limit_per_life: false, ..default },
            AtariOptions { emulator_seeds: EmulatorSeeds::Envpool, ..default },
            AtariOptions { frame_skip: 3, ..default },
            AtariOptions { stack: 2, ..default },
        ] {
            assert_ne!(other.describe(), default.describe(), "{other:?}");
        }
    }
}
