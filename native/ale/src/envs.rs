//! Many environments, stepped by a thread pool of their own.
//!
//! Results do not depend on the number of threads: environments share nothing but the pool, each
//! has its own generators, and each writes to its own part of the output. What differs is only who
//! runs what when. Environments cost very different amounts of time (a reset emulates over 70
//! frames, a step four), so every environment is a task of its own and idle threads take over
//! waiting ones.
//!
//! The pool must not be rayon's global one: a training step that uses that pool for something long
//! would then delay the environments, and the other way round.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rayon::prelude::*;

use crate::{
    env::{AtariEnv, EnvError, EnvOptions, StepOutcome},
    games::Game,
    rom::Rom,
};

/// Results of one step of all environments, borrowed until the next call.
#[derive(Debug, Clone, Copy)]
pub struct StepView<'a> {
    /// `[B, F, H, W]`: luminance, oldest frame first.
    pub observations: &'a [u8],
    /// `[B]`: rewards for the learner, clipped to their sign when clipping is on.
    pub rewards: &'a [f32],
    /// `[B]`: rewards of the game.
    pub raw_rewards: &'a [f32],
    /// `[B]`: end of the learner's episode; the next step resets that environment and ignores its
    /// action.
    pub dones: &'a [bool],
    /// `[B]`: ALE's game over; false for lost lives and at the step limit.
    pub terminated: &'a [bool],
    /// `[B]`: the episode was cut at the step limit.
    pub truncated: &'a [bool],
    /// `[B]`: lives left.
    pub lives: &'a [i32],
    /// `[B]`: agent steps since the last real reset.
    pub elapsed_steps: &'a [u32],
}

/// One environment with the place for its results.
struct Slot {
    env: AtariEnv,
    result: Result<StepOutcome, EnvError>,
    /// Set by a panic: the environment may be half-way through a step.
    broken: Option<String>,
}

impl Slot {
    fn run(&mut self, call: impl FnOnce(&mut AtariEnv) -> Result<StepOutcome, EnvError>) {
        if let Some(message) = &self.broken {
            self.result = Err(EnvError::Panicked(message.clone()));
            return;
        }
        let env = &mut self.env;
        self.result = catch_unwind(AssertUnwindSafe(|| call(env))).unwrap_or_else(|payload| {
            let message = panic_message(&*payload);
            self.broken = Some(message.clone());
            Err(EnvError::Panicked(message))
        });
    }
}

/// The vectors that [`StepView`] shows.
#[derive(Default)]
struct Columns {
    rewards: Vec<f32>,
    raw_rewards: Vec<f32>,
    dones: Vec<bool>,
    terminated: Vec<bool>,
    truncated: Vec<bool>,
    lives: Vec<i32>,
    elapsed_steps: Vec<u32>,
}

impl Columns {
    fn clear(&mut self) {
        self.rewards.clear();
        self.raw_rewards.clear();
        self.dones.clear();
        self.terminated.clear();
        self.truncated.clear();
        self.lives.clear();
        self.elapsed_steps.clear();
    }

    fn push(&mut self, outcome: StepOutcome) {
        self.rewards.push(outcome.reward);
        self.raw_rewards.push(outcome.raw_reward);
        self.dones.push(outcome.done);
        self.terminated.push(outcome.terminated);
        self.truncated.push(outcome.truncated);
        self.lives.push(outcome.lives);
        self.elapsed_steps.push(outcome.elapsed_steps);
    }
}

/// B environments of one game.
pub struct VecEnv {
    game: &'static Game,
    slots: Vec<Slot>,
    /// `[B, F, H, W]`. Each environment's stack lives here and nowhere else.
    observations: Vec<u8>,
    stack_len: usize,
    columns: Columns,
    pool: rayon::ThreadPool,
}

impl fmt::Debug for VecEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VecEnv")
            .field("game", &self.game.name)
            .field("num_envs", &self.slots.len())
            .finish_non_exhaustive()
    }
}

impl VecEnv {
    /// Creates `num_envs` environments, seeded `seed`, `seed + 1`, .. (see [`AtariEnv::new`]), and
    /// `threads` threads (0 = one per core). Call [`VecEnv::reset`] before the first step.
    ///
    /// # Errors
    /// When the ROM is another game's, an option is out of range, or an environment or the pool
    /// cannot be made.
    pub fn new(
        game: &'static Game,
        rom: &Rom,
        options: EnvOptions,
        num_envs: usize,
        seed: u64,
        threads: usize,
    ) -> Result<Self, EnvError> {
        if rom.game() != game {
            return Err(EnvError::OtherGame { game: game.name, rom: rom.game().name });
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("atari-{i}"))
            .build()?;
        let stack_len = options.observation_len();
        let slots = pool.install(|| {
            (0..num_envs)
                .into_par_iter()
                .with_max_len(1)
                .map(|index| {
                    let env = AtariEnv::new(rom, options, seed, index as u64)
                        .map_err(|error| in_env(index, error))?;
                    Ok(Slot { env, result: Ok(StepOutcome::default()), broken: None })
                })
                .collect::<Result<Vec<_>, EnvError>>()
        })?;
        Ok(Self {
            game,
            slots,
            observations: vec![0; num_envs * stack_len],
            stack_len,
            columns: Columns::default(),
            pool,
        })
    }

    /// The game.
    #[must_use]
    pub const fn game(&self) -> &'static Game {
        self.game
    }

    /// B.
    #[must_use]
    pub const fn num_envs(&self) -> usize {
        self.slots.len()
    }

    /// Size of the action set; actions are `0..n_actions`.
    #[must_use]
    pub const fn n_actions(&self) -> usize {
        self.game.n_actions()
    }

    /// Starts a new game in every environment.
    ///
    /// # Errors
    /// The first failed environment, by index.
    pub fn reset(&mut self) -> Result<StepView<'_>, EnvError> {
        self.for_each(|_, env, stack| env.reset(stack))
    }

    /// Plays one agent step in every environment; those that were done reset instead. `actions`:
    /// `[B]`, indices into [`Game::actions`].
    ///
    /// # Errors
    /// When an action or the number of actions is out of range (nothing has then moved), or the
    /// first failed environment, by index.
    pub fn step(&mut self, actions: &[u32]) -> Result<StepView<'_>, EnvError> {
        if actions.len() != self.slots.len() {
            return Err(EnvError::Length {
                what: "actions",
                expected: self.slots.len(),
                found: actions.len(),
            });
        }
        let n_actions = self.n_actions();
        for (index, &action) in actions.iter().enumerate() {
            if usize::try_from(action).is_ok_and(|action| action < n_actions) {
                continue;
            }
            return Err(in_env(
                index,
                EnvError::Action { game: self.game.name, action, n_actions },
            ));
        }
        self.for_each(|index, env, stack| env.step(actions[index], stack))
    }

    /// The last frame of environment `index` in colour, `[210, 160, 3]`; `None` when there is no
    /// such environment.
    #[must_use]
    pub fn screen_rgb(&self, index: usize) -> Option<Vec<u8>> {
        Some(self.slots.get(index)?.env.emulator().screen_rgb())
    }

    /// The console's RAM of environment `index`; `None` when there is no such environment.
    #[must_use]
    pub fn ram(&self, index: usize) -> Option<[u8; 128]> {
        Some(self.slots.get(index)?.env.emulator().ram())
    }

    fn for_each<F>(&mut self, call: F) -> Result<StepView<'_>, EnvError>
    where
        F: Fn(usize, &mut AtariEnv, &mut [u8]) -> Result<StepOutcome, EnvError> + Sync,
    {
        let Self { slots, observations, stack_len, pool, .. } = self;
        let stack_len = *stack_len;
        pool.install(|| {
            slots
                .par_iter_mut()
                .zip(observations.par_chunks_mut(stack_len))
                .enumerate()
                .with_max_len(1)
                .for_each(|(index, (slot, stack))| slot.run(|env| call(index, env, stack)));
        });
        self.columns.clear();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let outcome = std::mem::replace(&mut slot.result, Ok(StepOutcome::default()));
            self.columns.push(outcome.map_err(|error| in_env(index, error))?);
        }
        Ok(self.view())
    }

    fn view(&self) -> StepView<'_> {
        StepView {
            observations: &self.observations,
            rewards: &self.columns.rewards,
            raw_rewards: &self.columns.raw_rewards,
            dones: &self.columns.dones,
            terminated: &self.columns.terminated,
            truncated: &self.columns.truncated,
            lives: &self.columns.lives,
            elapsed_steps: &self.columns.elapsed_steps,
        }
    }
}

fn in_env(index: usize, source: EnvError) -> EnvError {
    EnvError::InEnv { index, source: Box::new(source) }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rom::RomFinder;

    #[test]
    fn a_panic_in_one_environment_is_an_error_that_names_it() {
        let game = Game::find("Pong").unwrap();
        let rom = RomFinder::from_environment(None).find(game).unwrap();
        let mut envs = VecEnv::new(game, &rom, EnvOptions::default(), 3, 1, 2).unwrap();
        envs.reset().unwrap();
        let error = envs
            .for_each(
                |index, _, _| if index == 1 { panic!("boom") } else { Ok(StepOutcome::default()) },
            )
            .unwrap_err();
        assert_eq!(error.to_string(), "environment 1: the environment panicked: boom");
        // It stays broken, and says so, instead of playing on from a half-made step.
        let again = envs.step(&[0; 3]).unwrap_err();
        assert_eq!(again.to_string(), "environment 1: the environment panicked: boom");
    }
}
