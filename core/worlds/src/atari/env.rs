//! One Atari environment with EnvPool's semantics.
//!
//! Scores of published PPO agents were obtained with these rules, several of which look like
//! accidents and still change what an agent learns. They must be kept as they are:
//! - The number of idle frames is drawn before it is known whether the reset is a real one.
//! - A lost life ends the episode for the learner only: the game goes on, with idle frames and FIRE
//!   again, and the frames from before the loss stay in the stack.
//! - The step counter survives lost lives; it starts above the limit, so that the first reset is
//!   real.
//! - A game that ends in the first or second frame of a step shows the picture of the step before.
//! - The step after a `done` ignores its action and resets (next-step autoreset).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    emulator::{Emulator, EmulatorError, FRAME_HEIGHT, FRAME_PIXELS, FRAME_WIDTH},
    games::{FIRE, Game, NOOP},
    preprocess::{AreaResize, GrayPool},
    rom::Rom,
};

/// Height and width of an observation frame.
pub const OBS_SIDE: usize = 84;
/// Bytes of one observation frame.
pub const OBS_PIXELS: usize = OBS_SIDE * OBS_SIDE;

/// Rules of an environment. The defaults are EnvPool's as CleanRL uses them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnvOptions {
    /// Probability that a frame repeats the previous frame's action instead of taking the new one;
    /// 0 = never.
    pub repeat_action_probability: f32,
    /// Most idle frames after a reset; 0 = none. With FIRE reset in effect they are 0..=max-1, else
    /// 1..=max.
    pub noop_max: u32,
    /// Whether a lost life ends the learner's episode. No effect where [`Game::lives_constant`].
    pub episodic_life: bool,
    /// Whether rewards become their sign. Raw rewards are reported in any case.
    pub reward_clip: bool,
    /// Whether FIRE is pressed for one frame after a reset, in games that have it.
    pub use_fire_reset: bool,
    /// Agent steps after which the episode is truncated; at least 1.
    pub max_episode_steps: u32,
    /// Frames per agent step; at least 1. The last two are pooled.
    pub frame_skip: u32,
    /// Frames in an observation; at least 1.
    pub stack: usize,
}

impl Default for EnvOptions {
    fn default() -> Self {
        Self {
            repeat_action_probability: 0.0,
            noop_max: 30,
            episodic_life: true,
            reward_clip: true,
            use_fire_reset: true,
            max_episode_steps: 27_000,
            frame_skip: 4,
            stack: 4,
        }
    }
}

impl EnvOptions {
    /// The stochastic setting of the DeepSPI paper: sticky actions 0.3, up to 60 idle frames.
    #[must_use]
    pub fn stochastic() -> Self {
        Self { repeat_action_probability: 0.3, noop_max: 60, ..Self::default() }
    }

    /// The setting of a training: the stochastic one, or the default.
    #[must_use]
    pub fn training(stochastic: bool) -> Self {
        if stochastic { Self::stochastic() } else { Self::default() }
    }

    /// The rules in words.
    #[must_use]
    pub fn describe(&self) -> String {
        // No `..`: a new rule must be put into words, or left out here by name.
        let Self {
            repeat_action_probability,
            noop_max,
            episodic_life,
            reward_clip,
            use_fire_reset,
            max_episode_steps,
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
        rules.push(format!("at most {max_episode_steps} steps of {frame_skip} frames"));
        rules.push(format!("{stack} frames seen at a time"));
        rules.join(", ")
    }

    /// Bytes of one environment's observation, F x H x W.
    #[must_use]
    pub const fn observation_len(&self) -> usize {
        self.stack * OBS_PIXELS
    }

    fn check(&self) -> Result<(), EnvError> {
        if !(0.0..=1.0).contains(&self.repeat_action_probability) {
            return Err(EnvError::Options("repeat_action_probability must lie in 0..=1"));
        }
        for (value, text) in [
            (u64::from(self.max_episode_steps), "max_episode_steps must be at least 1"),
            (u64::from(self.frame_skip), "frame_skip must be at least 1"),
            (self.stack as u64, "stack must be at least 1"),
        ] {
            if value == 0 {
                return Err(EnvError::Options(text));
            }
        }
        Ok(())
    }
}

/// Why an environment could not be made or stepped.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// The emulator failed.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// An option is out of its range.
    #[error("invalid environment option: {0}")]
    Options(&'static str),
    /// The action is not an index into the minimal action set.
    #[error("action {action} is out of range: {game} has the actions 0..={}", n_actions - 1)]
    Action {
        /// Name of the game.
        game: &'static str,
        /// The offending index.
        action: u32,
        /// Size of the action set.
        n_actions: usize,
    },
    /// A slice has the wrong length.
    #[error("{what}: expected {expected} elements, got {found}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Required length.
        expected: usize,
        /// Given length.
        found: usize,
    },
    /// The ROM is that of another game.
    #[error("the ROM is that of {rom}, the environment was asked for {game}")]
    OtherGame {
        /// Asked for.
        game: &'static str,
        /// Game of the ROM.
        rom: &'static str,
    },
    /// The thread pool could not be started.
    #[error("the environments' threads could not be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// One of several environments failed.
    #[error("environment {index}: {source}")]
    InEnv {
        /// Which one.
        index: usize,
        /// Its error.
        source: Box<EnvError>,
    },
    /// An environment panicked; it cannot be used again.
    #[error("the environment panicked: {0}")]
    Panicked(String),
}

/// What one step or reset gave, besides the observation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepOutcome {
    /// Reward for the learner: the sign of the raw reward when clipping is on.
    pub reward: f32,
    /// Sum of the game's rewards over the frames of the step.
    pub raw_reward: f32,
    /// End of the learner's episode: game over, step limit, or a lost life with episodic life.
    pub done: bool,
    /// ALE's game over: the real end. False for lost lives and at the limit.
    pub terminated: bool,
    /// `done`, and the step limit was reached.
    pub truncated: bool,
    /// Lives left.
    pub lives: i32,
    /// Agent steps since the last real reset.
    pub elapsed_steps: u32,
}

/// One environment. It keeps no copy of its frame stack: that lives in the caller's buffer, which
/// must be handed to every call unchanged, so that a step moves no more than the frames it shifts.
#[derive(Debug)]
pub struct AtariEnv {
    emulator: Emulator,
    options: EnvOptions,
    rng: ChaCha8Rng,
    pool: GrayPool,
    resize: AreaResize,
    /// `[210, 160]`: palette indices of the last frame but one of the step under way.
    earlier: Vec<u8>,
    /// `[210, 160]`: EnvPool's buffer 0. It outlives the step on purpose: see "stale" in
    /// [`AtariEnv::step`].
    gray: Vec<u8>,
    fire: bool,
    elapsed: u32,
    lives: i32,
    done: bool,
}

impl AtariEnv {
    /// Creates environment `index` of a set with a common `seed`.
    ///
    /// ALE's seed is `seed + index`, wrapped into `1..=i32::MAX`: distinct for any 2^31 - 1
    /// neighbours. (ALE reads 0 as "use the clock", so 0 becomes `i32::MAX`.) The idle frames come
    /// from `ChaCha8`, key `seed`, stream `index`.
    ///
    /// # Errors
    /// When an option is out of range or the emulator fails.
    pub fn new(rom: &Rom, options: EnvOptions, seed: u64, index: u64) -> Result<Self, EnvError> {
        options.check()?;
        let emulator =
            Emulator::new(rom, ale_seed(seed, index), options.repeat_action_probability)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index);
        Ok(Self {
            pool: GrayPool::new(emulator.palette()),
            resize: AreaResize::new((FRAME_HEIGHT, FRAME_WIDTH), (OBS_SIDE, OBS_SIDE)),
            earlier: vec![0; FRAME_PIXELS],
            gray: vec![0; FRAME_PIXELS],
            fire: options.use_fire_reset && rom.game().has_fire(),
            elapsed: options.max_episode_steps.saturating_add(1),
            lives: 0,
            // A step before the first reset resets, as after the end of an episode.
            done: true,
            emulator,
            options,
            rng,
        })
    }

    /// The game.
    #[must_use]
    pub const fn game(&self) -> &'static Game {
        self.emulator.game()
    }

    /// The console, for pictures and RAM.
    #[must_use]
    pub const fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// Starts a new game, whatever the state of the current one. `stack`: `[F, H, W]`, overwritten.
    ///
    /// # Errors
    /// When `stack` has the wrong length or the emulator fails.
    pub fn reset(&mut self, stack: &mut [u8]) -> Result<StepOutcome, EnvError> {
        self.restart(true, stack)
    }

    /// Plays one agent step with an index into the minimal action set, or resets if the last step
    /// was `done`. `stack`: `[F, H, W]`, as the last call left it; shifted by one frame, newest
    /// last.
    ///
    /// # Errors
    /// When the action or the length of `stack` is out of range (nothing has then moved), or the
    /// emulator fails.
    pub fn step(&mut self, action: u32, stack: &mut [u8]) -> Result<StepOutcome, EnvError> {
        let game = self.game();
        let id = usize::try_from(action).ok().and_then(|index| game.actions.get(index).copied());
        let id =
            id.ok_or(EnvError::Action { game: game.name, action, n_actions: game.n_actions() })?;
        self.check_stack(stack)?;
        if self.done {
            return self.restart(false, stack);
        }

        let skip = self.options.frame_skip;
        let mut raw_reward = 0;
        let mut frames = 0;
        let mut terminated = false;
        while frames < skip && !terminated {
            raw_reward += self.emulator.act(id)?;
            terminated = self.emulator.game_over();
            frames += 1;
            if frames + 1 == skip {
                self.earlier.copy_from_slice(self.emulator.screen());
            }
        }
        if frames == skip && skip > 1 {
            self.pool.max(&self.earlier, self.emulator.screen(), &mut self.gray);
        } else if frames == skip || frames + 1 == skip {
            self.pool.gray(self.emulator.screen(), &mut self.gray);
        }
        // Otherwise the game ended before a frame was kept, and `gray` is stale: the last picture
        // is pushed again.
        self.push(stack, false);

        self.elapsed += 1;
        let lives = self.emulator.lives();
        let limit = self.elapsed >= self.options.max_episode_steps;
        let life_lost = self.options.episodic_life && lives > 0 && lives < self.lives;
        self.lives = lives;
        self.done = terminated || limit || life_lost;
        #[expect(clippy::cast_precision_loss, reason = "scores of one step are far below 2^24")]
        let raw_reward_f32 = raw_reward as f32;
        Ok(StepOutcome {
            #[expect(clippy::cast_precision_loss, reason = "-1, 0 or 1")]
            reward: if self.options.reward_clip {
                raw_reward.signum() as f32
            } else {
                raw_reward_f32
            },
            raw_reward: raw_reward_f32,
            done: self.done,
            terminated,
            truncated: self.done && limit,
            lives,
            elapsed_steps: self.elapsed,
        })
    }

    /// EnvPool's `Reset`, after lost lives too.
    fn restart(&mut self, force: bool, stack: &mut [u8]) -> Result<StepOutcome, EnvError> {
        self.check_stack(stack)?;
        let noops = match self.options.noop_max {
            0 => 0,
            max => self.rng.random_range(0..max) + u32::from(!self.fire),
        };
        let mut fill = false;
        let limit = self.elapsed >= self.options.max_episode_steps;
        if force || !self.options.episodic_life || self.emulator.game_over() || limit {
            self.emulator.reset()?;
            self.elapsed = 0;
            fill = true;
        }
        for _ in 0..noops {
            self.emulator.act(NOOP)?;
            if self.emulator.game_over() {
                self.emulator.reset()?;
                fill = true;
            }
        }
        if self.fire {
            self.emulator.act(FIRE)?;
        }
        self.pool.gray(self.emulator.screen(), &mut self.gray);
        self.push(stack, fill);
        self.lives = self.emulator.lives();
        self.done = false;
        Ok(StepOutcome {
            terminated: self.emulator.game_over(),
            lives: self.lives,
            elapsed_steps: self.elapsed,
            ..StepOutcome::default()
        })
    }

    /// Resizes `gray` into the newest slot; the older frames move up, or with `fill` become copies
    /// of the new one.
    fn push(&mut self, stack: &mut [u8], fill: bool) {
        let older = stack.len() - OBS_PIXELS;
        if !fill {
            stack.copy_within(OBS_PIXELS.., 0);
        }
        self.resize.resize(&self.gray, &mut stack[older..]);
        if fill {
            let (older, newest) = stack.split_at_mut(older);
            older.chunks_exact_mut(OBS_PIXELS).for_each(|frame| frame.copy_from_slice(newest));
        }
    }

    const fn check_stack(&self, stack: &[u8]) -> Result<(), EnvError> {
        let expected = self.options.observation_len();
        if stack.len() == expected {
            Ok(())
        } else {
            Err(EnvError::Length { what: "observation stack", expected, found: stack.len() })
        }
    }
}

/// `seed + index` wrapped into `1..=i32::MAX`.
fn ale_seed(seed: u64, index: u64) -> i32 {
    const SEEDS: u128 = i32::MAX as u128;
    let wrapped = (u128::from(seed) + u128::from(index) + SEEDS - 1) % SEEDS;
    i32::try_from(wrapped + 1).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_said_as_they_are() {
        let default = EnvOptions::default();
        assert_eq!(
            default.describe(),
            "no sticky actions, up to 30 no-ops at the start of a game, then FIRE where the game has \
             it, a lost life ends an episode, rewards are clipped to their sign, at most 27000 steps of \
             4 frames, 4 frames seen at a time"
        );
        for other in [
            EnvOptions { repeat_action_probability: 0.3, ..default },
            EnvOptions { noop_max: 60, ..default },
            EnvOptions { episodic_life: false, ..default },
            EnvOptions { reward_clip: false, ..default },
            EnvOptions { use_fire_reset: false, ..default },
            EnvOptions { max_episode_steps: 100, ..default },
            EnvOptions { frame_skip: 3, ..default },
            EnvOptions { stack: 2, ..default },
        ] {
            assert_ne!(other.describe(), default.describe(), "{other:?}");
        }
    }

    #[test]
    fn ale_seeds_stay_positive_and_distinct() {
        assert_eq!(ale_seed(1, 0), 1);
        assert_eq!(ale_seed(42, 7), 49);
        assert_eq!(ale_seed(0, 0), i32::MAX);
        assert_eq!(ale_seed(0, 1), 1);
        assert_eq!(ale_seed(i32::MAX as u64, 0), i32::MAX);
        assert_eq!(ale_seed(i32::MAX as u64, 1), 1);
        for seed in [0, u64::MAX, 1 << 40] {
            let mut seeds: Vec<_> = (0..1000).map(|index| ale_seed(seed, index)).collect();
            assert!(seeds.iter().all(|&seed| seed >= 1));
            seeds.sort_unstable();
            seeds.dedup();
            assert_eq!(seeds.len(), 1000, "environments share a seed");
        }
    }
}
