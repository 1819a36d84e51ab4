//! One Atari environment with EnvPool's semantics.
//!
//! The published scores of PPO agents were obtained with these rules. Several of them look like
//! accidents, but they influence what an agent learns, so they must not change:
//! - The number of no-ops is drawn before it is known whether the reset is a real one.
//! - A lost life ends the episode for the learner only. The game continues, with no-ops and FIRE
//!   again, and the frames from before the loss stay in the stack.
//! - The step counter starts above the limit, so that the first reset is real. In the version that
//!   the authors pin (0.6.6) every reset sets it to 0, also after a lost life; in later versions
//!   only a real reset does.
//! - If a game ends in the first or second frame of a step, the observation repeats the last frame
//!   of the step before.
//! - The step after a `done` ignores its action and resets (next-step autoreset).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::console::{Console, ConsoleError, FRAME_HEIGHT, FRAME_PIXELS, FRAME_WIDTH};
use super::error::AtariError;
use super::games::{FIRE, Game, NOOP};
use super::options::{AtariOptions, OBS_PIXELS, OBS_SIDE};
use super::preprocess::{AreaResize, GrayPool};
use super::seeds;
use super::training::EmulatorSeeds;
use crate::env::Outcome;
use crate::snapshot::{Reader, SnapshotError, Writer};

/// Result of one step or reset, besides the observation.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct StepOutcome {
    /// Reward for the learner: the sign of the raw reward when clipping is on.
    pub reward: f32,
    /// Sum of the game's rewards over the frames of the step.
    pub raw_reward: f32,
    /// End of the learner's episode: game over, step limit, or a lost life with episodic life.
    pub done: bool,
    /// Game over on the console, as EnvPool reports it: false at lost lives and at the limit, and twice true for a
    /// game that FIRE ends in a reset.
    pub terminated: bool,
    /// The episode is `done` because the step limit was reached.
    pub truncated: bool,
    /// A whole game has ended; true once a game. Besides the steps that are `terminated` or `truncated`, this is a
    /// reset after a lost life whose no-ops or FIRE ended the game. A game that ends before the agent can act in it
    /// is not counted.
    pub game_over: bool,
    /// Lives left.
    pub lives: i32,
    /// Agent steps that count towards the limit.
    pub elapsed_steps: u32,
}

impl StepOutcome {
    /// The part of the result that training uses.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        Outcome {
            reward: self.reward,
            raw_reward: self.raw_reward,
            done: self.done,
            game_over: self.game_over,
            reported_end: self.terminated || self.truncated,
        }
    }
}

/// The start of the running game and the actions since then: all that is needed to replay it.
#[derive(Debug, Clone, PartialEq)]
struct Record {
    /// Number of the game; its seed depends on it.
    game: u64,
    /// No-ops between the real reset and the first frame for the agent.
    noops: u32,
    /// Step counter at that frame.
    elapsed: u32,
    /// Generator of the numbers of no-ops, at that frame.
    rng: ChaCha8Rng,
    /// One action for each step since then, the ignored actions of resets after lost lives
    /// included.
    actions: Vec<u8>,
}

/// One environment. It keeps no copy of its frame stack: the stack is in the caller's buffer, which
/// the caller must pass unchanged to every call, so that a step copies only the frames it shifts.
#[derive(Debug)]
pub struct AtariEnv<C> {
    console: C,
    options: AtariOptions,
    /// Common seed of the set of environments, and the index of this environment in it.
    seed: (u64, u64),
    /// Number of real resets so far.
    games: u64,
    /// None before the first reset, and if games have no seeds of their own.
    record: Option<Record>,
    rng: ChaCha8Rng,
    pool: GrayPool,
    resize: AreaResize,
    /// `[210, 160]`: palette indices of the second-to-last frame of the current step.
    earlier: Vec<u8>,
    /// `[210, 160]`: EnvPool's buffer 0. It is kept after the step on purpose: see "stale" in
    /// [`AtariEnv::step`].
    gray: Vec<u8>,
    fire: bool,
    elapsed: u32,
    lives: i32,
    done: bool,
    /// The end of the running game was reported, or it ended before the agent could act in it.
    counted: bool,
}

impl<C: Console> AtariEnv<C> {
    /// Creates environment `index` of a set with a common `seed`. `console` makes the console for
    /// an emulator seed; it is called after the options were checked.
    ///
    /// # Errors
    /// When an option is out of range or the emulator fails.
    pub fn new(
        options: AtariOptions,
        seed: u64,
        index: u64,
        console: impl FnOnce(i32) -> Result<C, ConsoleError>,
    ) -> Result<Self, AtariError> {
        options.check()?;
        let console = console(match options.emulator_seeds {
            EmulatorSeeds::Envpool => seeds::envpool_seed(seed, index),
            // Every game sets its own seed, so this one has no effect.
            EmulatorSeeds::Hashed => 1,
        })?;
        Ok(Self {
            pool: GrayPool::new(console.palette()),
            resize: AreaResize::new((FRAME_HEIGHT, FRAME_WIDTH), (OBS_SIDE, OBS_SIDE)),
            earlier: vec![0; FRAME_PIXELS],
            gray: vec![0; FRAME_PIXELS],
            fire: options.use_fire_reset && console.game().has_fire(),
            elapsed: options.max_episode_steps.saturating_add(1),
            lives: 0,
            // A step before the first reset resets, as it does after the end of an episode.
            done: true,
            counted: true,
            console,
            options,
            seed: (seed, index),
            games: 0,
            record: None,
            rng: seeds::noops(seed, index),
        })
    }

    /// The environment that [`AtariEnv::new`] with the same options creates for `seed` and `index`,
    /// on the console of this one. `renew` makes the console what it is when it is new, with an
    /// emulator seed.
    ///
    /// # Errors
    /// When the emulator fails.
    pub fn again(
        self,
        seed: u64,
        index: u64,
        renew: impl FnOnce(&mut C, i32) -> Result<(), ConsoleError>,
    ) -> Result<Self, AtariError> {
        let Self { mut console, options, .. } = self;
        Self::new(options, seed, index, |seed| renew(&mut console, seed).map(|()| console))
    }

    /// The game.
    #[must_use]
    pub fn game(&self) -> &'static Game {
        self.console.game()
    }

    /// Its rules.
    #[must_use]
    pub const fn options(&self) -> &AtariOptions {
        &self.options
    }

    /// The console, for its pictures and RAM.
    #[must_use]
    pub const fn console(&self) -> &C {
        &self.console
    }

    /// Starts a new game, even if the current one has not ended. `stack`: `[F, H, W]`, overwritten.
    ///
    /// # Errors
    /// When `stack` has the wrong length or the emulator fails.
    pub fn reset(&mut self, stack: &mut [u8]) -> Result<StepOutcome, AtariError> {
        self.restart(true, stack)
    }

    /// Plays one agent step with an index into the minimal action set, or resets if the last step
    /// was `done`. `stack`: `[F, H, W]`, unchanged since the last call; it is shifted by one frame,
    /// the newest is last.
    ///
    /// # Errors
    /// When the action or the length of `stack` is out of range (nothing has changed then), or the
    /// emulator fails.
    pub fn step(&mut self, action: u32, stack: &mut [u8]) -> Result<StepOutcome, AtariError> {
        let game = self.game();
        let id = usize::try_from(action).ok().and_then(|index| game.actions.get(index).copied());
        let id =
            id.ok_or(AtariError::Action { game: game.name, action, n_actions: game.n_actions() })?;
        self.check_stack(stack)?;
        if let Some(record) = &mut self.record {
            // The index is below 18, the largest size of a minimal action set.
            record.actions.push(u8::try_from(action).unwrap_or(u8::MAX));
        }
        if self.done {
            return self.restart(false, stack);
        }

        let skip = self.options.frame_skip;
        let mut raw_reward = 0.0;
        let mut frames = 0;
        let mut terminated = false;
        while frames < skip && !terminated {
            raw_reward += self.options.rewards.value(self.console.act(id)?)?;
            terminated = self.console.game_over();
            frames += 1;
            if frames + 1 == skip {
                self.earlier.copy_from_slice(self.console.screen());
            }
        }
        if frames == skip && skip > 1 {
            self.pool.max(&self.earlier, self.console.screen(), &mut self.gray);
        } else if frames == skip || frames + 1 == skip {
            self.pool.gray(self.console.screen(), &mut self.gray);
        }
        // Otherwise the game ended before a frame was kept, and `gray` is stale: the last frame is
        // pushed again.
        self.push(stack, false);

        self.elapsed = self.elapsed.saturating_add(1);
        let lives = self.console.lives();
        let limit = self.elapsed >= self.options.max_episode_steps;
        let life_lost = self.options.episodic_life && lives > 0 && lives < self.lives;
        self.lives = lives;
        self.done = terminated || limit || life_lost;
        let game_over = (terminated || limit) && !self.counted;
        self.counted |= game_over;
        #[expect(clippy::cast_possible_truncation, reason = "points of a step are below 2^24")]
        let raw_reward = raw_reward as f32;
        // `signum` of 0 is 1 for floating point numbers.
        let clipped = if raw_reward == 0.0 { 0.0 } else { raw_reward.signum() };
        Ok(StepOutcome {
            reward: if self.options.reward_clip { clipped } else { raw_reward },
            raw_reward,
            done: self.done,
            terminated,
            truncated: self.done && limit,
            game_over,
            lives,
            elapsed_steps: self.elapsed,
        })
    }

    /// EnvPool's `Reset`, which also runs after lost lives.
    fn restart(&mut self, force: bool, stack: &mut [u8]) -> Result<StepOutcome, AtariError> {
        self.check_stack(stack)?;
        let noops = match self.options.noop_max {
            0 => 0,
            max => self.rng.random_range(0..max) + u32::from(!self.fire),
        };
        // Number of no-ops after the last real reset, if there was one: the stack is then filled.
        let mut after_reset = None;
        let mut game_over = false;
        let limit = self.elapsed >= self.options.max_episode_steps;
        if force || !self.options.episodic_life || self.console.game_over() || limit {
            self.new_game()?;
            self.elapsed = 0;
            after_reset = Some(noops);
        }
        if self.options.limit_per_life {
            self.elapsed = 0;
        }
        for left in (0..noops).rev() {
            self.console.act(NOOP)?;
            if self.console.game_over() {
                // The agent played in this game, unless it began in this reset.
                game_over |= after_reset.is_none() && !self.counted;
                self.new_game()?;
                after_reset = Some(left);
            }
        }
        if let Some(noops) = after_reset
            && self.options.emulator_seeds == EmulatorSeeds::Hashed
        {
            self.record = Some(Record {
                game: self.games.wrapping_sub(1),
                noops,
                elapsed: self.elapsed,
                rng: self.rng.clone(),
                actions: Vec::new(),
            });
        }
        let first = self.begin(after_reset.is_some(), stack)?;
        Ok(StepOutcome { game_over: game_over || first.game_over, ..first })
    }

    /// Pushes the first frame after a reset and its no-ops. With `fill` it fills the whole stack.
    fn begin(&mut self, fill: bool, stack: &mut [u8]) -> Result<StepOutcome, AtariError> {
        if self.fire {
            self.console.act(FIRE)?;
        }
        self.pool.gray(self.console.screen(), &mut self.gray);
        self.push(stack, fill);
        self.lives = self.console.lives();
        self.done = false;
        let terminated = self.console.game_over();
        // FIRE can end a game; the next step will be `terminated`, too.
        let game_over = terminated && !fill && !self.counted;
        self.counted |= terminated;
        Ok(StepOutcome {
            terminated,
            game_over,
            lives: self.lives,
            elapsed_steps: self.elapsed,
            ..StepOutcome::default()
        })
    }

    /// Writes what is needed to replay the running game. Returns false and writes nothing if games
    /// have no seeds of their own.
    pub fn store(&self, writer: &mut Writer) -> bool {
        if self.options.emulator_seeds != EmulatorSeeds::Hashed {
            return false;
        }
        writer.u64(self.seed.0);
        writer.u64(self.games);
        writer.rng(&self.rng);
        writer.u8(u8::from(self.record.is_some()));
        if let Some(record) = &self.record {
            writer.u64(record.game);
            writer.u32(record.noops);
            writer.u32(record.elapsed);
            writer.rng(&record.rng);
            writer.bytes(&record.actions);
        }
        true
    }

    /// Replays a stored game up to the point where it was stored: real reset, no-ops, then every
    /// action. `stack` and the returned outcome are those of the last step. It takes as long as the
    /// game took.
    ///
    /// # Errors
    /// When the replayed game differs from the stored one, or the emulator fails; the environment
    /// must then be reset.
    pub fn load(
        &mut self,
        reader: &mut Reader<'_>,
        stack: &mut [u8],
    ) -> Result<StepOutcome, AtariError> {
        self.check_stack(stack)?;
        if self.options.emulator_seeds != EmulatorSeeds::Hashed {
            return Err(misfit("games with EnvPool's emulator seeds are never stored"));
        }
        self.seed.0 = reader.u64()?;
        let (games, rng) = (reader.u64()?, reader.rng()?);
        self.done = true;
        self.record = None;
        if reader.u8()? == 0 {
            self.elapsed = self.options.max_episode_steps.saturating_add(1);
            (self.games, self.rng) = (games, rng);
            return Ok(StepOutcome::default());
        }
        self.games = reader.u64()?;
        let (noops, elapsed) = (reader.u32()?, reader.u32()?);
        self.rng = reader.rng()?;
        let actions = reader.bytes()?;
        let (game, start) = (self.games, self.rng.clone());
        self.new_game()?;
        self.elapsed = elapsed;
        for _ in 0..noops {
            self.console.act(NOOP)?;
        }
        let mut outcome = self.begin(true, stack)?;
        let record = Record { game, noops, elapsed, rng: start, actions: Vec::new() };
        self.record = Some(record);
        for &action in actions {
            outcome = self.step(action.into(), stack)?;
        }
        if (self.games, &self.rng) == (games, &rng) {
            Ok(outcome)
        } else {
            Err(misfit("a game came out differently when it was played again"))
        }
    }

    /// Resets the console for a new game.
    fn new_game(&mut self) -> Result<(), AtariError> {
        let ((seed, index), game) = (self.seed, self.games);
        self.games = self.games.wrapping_add(1);
        self.counted = false;
        Ok(match self.options.emulator_seeds {
            EmulatorSeeds::Envpool => self.console.reset(),
            EmulatorSeeds::Hashed => {
                self.console.reset_with_seed(seeds::hashed_seed(seed, index, game))
            }
        }?)
    }

    /// Resizes `gray` into the newest slot of the stack; the older frames move up, or with `fill`
    /// become copies of the new one.
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

    const fn check_stack(&self, stack: &[u8]) -> Result<(), AtariError> {
        let expected = self.options.observation_len();
        if stack.len() == expected {
            Ok(())
        } else {
            Err(AtariError::Length { what: "observation stack", expected, found: stack.len() })
        }
    }
}

fn misfit(what: &str) -> AtariError {
    SnapshotError::Misfit(what.to_owned()).into()
}
