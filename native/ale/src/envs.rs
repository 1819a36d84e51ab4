//! Many environments, stepped by a thread pool of their own.
//!
//! `send` moves all environments into one task of the pool, and the task spreads them over the
//! threads. `receive` waits until the task returns them through a channel. So the caller can do
//! other work during a step, and no memory is shared. Between the two calls no observations are
//! available.
//!
//! Results do not depend on the number of threads: environments share nothing but the pool, each
//! has its own random generators, and each writes to its own part of the observations. Only the
//! order of the work varies. The cost of an environment varies a lot (a reset emulates over 70
//! frames, a step four), so every environment is a separate piece of work and idle threads take
//! over waiting ones.
//!
//! The pool must not be rayon's global one. A training step that uses the global pool for a long
//! time would then delay the environments, and the environments would delay the training.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};

use deepspi_worlds::atari::{
    AtariEnv, AtariError, AtariOptions, Console, ConsoleError, Game, StepOutcome, set,
};
use deepspi_worlds::env::{EnvError, Outcome, Pending, VectorEnv};
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::snapshot::{Reader, Writer};
use rayon::prelude::*;

use crate::emulator::Emulator;
use crate::rom::Rom;

/// Why the environments could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An environment could not be made.
    #[error(transparent)]
    Environment(#[from] AtariError),
    /// The thread pool could not be started.
    #[error("the environments' threads could not be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// Creates environment `index` of a set with a common `seed`, on an emulator of its own.
///
/// # Errors
/// When an option is out of range or the emulator fails.
pub fn environment(
    rom: &Rom,
    options: AtariOptions,
    seed: u64,
    index: u64,
) -> Result<AtariEnv<Emulator>, AtariError> {
    let sticky = options.repeat_action_probability;
    let console = |seed| Emulator::new(rom, seed, sticky).map_err(ConsoleError::from);
    AtariEnv::new(options, seed, index, console)
}

/// The environment that [`environment`] creates for another seed, on the emulator of `used`.
///
/// # Errors
/// When the emulator fails.
pub fn environment_again(
    used: AtariEnv<Emulator>,
    seed: u64,
    index: u64,
) -> Result<AtariEnv<Emulator>, AtariError> {
    used.again(seed, index, |console, seed| console.renew(seed).map_err(ConsoleError::from))
}

/// One environment with the place for its results.
#[derive(Debug)]
struct Slot {
    env: AtariEnv<Emulator>,
    result: Result<StepOutcome, AtariError>,
    /// The message of a panic; the environment may be in the middle of a step.
    broken: Option<String>,
}

impl Slot {
    fn run(
        &mut self,
        call: impl FnOnce(&mut AtariEnv<Emulator>) -> Result<StepOutcome, AtariError>,
    ) {
        if let Some(message) = &self.broken {
            self.result = Err(AtariError::Panicked(message.clone()));
            return;
        }
        let env = &mut self.env;
        self.result = catch_unwind(AssertUnwindSafe(|| call(env))).unwrap_or_else(|payload| {
            let message = panic_message(&*payload);
            self.broken = Some(message.clone());
            Err(AtariError::Panicked(message))
        });
    }
}

/// All environments with their observations. A step moves them into the pool and gets them back.
#[derive(Debug, Default)]
struct Batch {
    slots: Vec<Slot>,
    /// `[N, F, H, W]`. The frame stacks of all environments; there is no other copy.
    observations: Vec<u8>,
}

/// N environments of one game.
pub struct AtariEnvs {
    game: &'static Game,
    num_envs: usize,
    frame: FrameShape,
    /// Empty while a step is running.
    batch: Batch,
    /// Channel on which the running step returns the environments.
    running: Option<Receiver<Batch>>,
    /// Whether the running step is a reset of all environments.
    resetting: bool,
    results: Vec<StepOutcome>,
    outcomes: Vec<Outcome>,
    pool: rayon::ThreadPool,
}

impl fmt::Debug for AtariEnvs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtariEnvs")
            .field("game", &self.game.name)
            .field("num_envs", &self.num_envs)
            .finish_non_exhaustive()
    }
}

impl AtariEnvs {
    /// Creates `num_envs` environments of the ROM's game (see [`AtariEnv::new`] for their seeds)
    /// and `threads` threads (0 = one per core). They must be reset before the first step.
    ///
    /// # Errors
    /// When an option is out of range, or an environment or the pool cannot be made.
    pub fn new(
        rom: &Rom,
        options: AtariOptions,
        num_envs: usize,
        seed: u64,
        threads: usize,
    ) -> Result<Self, StartError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("atari-{i}"))
            .build()?;
        let slots = pool.install(|| {
            (0..num_envs)
                .into_par_iter()
                .with_max_len(1)
                .map(|index| {
                    let env = environment(rom, options, seed, index as u64)
                        .map_err(|error| error.in_env(index))?;
                    Ok(Slot { env, result: Ok(StepOutcome::default()), broken: None })
                })
                .collect::<Result<Vec<_>, AtariError>>()
        })?;
        let observations = vec![0; num_envs * options.observation_len()];
        Ok(Self {
            game: rom.game(),
            num_envs,
            frame: options.frame(),
            batch: Batch { slots, observations },
            running: None,
            resetting: false,
            results: vec![StepOutcome::default(); num_envs],
            outcomes: vec![Outcome::default(); num_envs],
            pool,
        })
    }

    /// The game.
    #[must_use]
    pub const fn game(&self) -> &'static Game {
        self.game
    }

    /// Everything that the last step or reset returned, `[N]`; [`VectorEnv::outcomes`] is the part
    /// that training needs.
    #[must_use]
    pub fn results(&self) -> &[StepOutcome] {
        &self.results
    }

    /// The console of environment `index`, for pictures and RAM; `None` if there is no such
    /// environment, or while a step is running.
    #[must_use]
    pub fn console(&self, index: usize) -> Option<&impl Console> {
        Some(self.batch.slots.get(index)?.env.console())
    }

    /// Starts new games in all environments and waits for them.
    ///
    /// # Errors
    /// The error of the failed environment with the lowest index.
    pub fn reset(&mut self) -> Result<(), AtariError> {
        self.start_reset()?;
        self.wait()
    }

    /// Plays one agent step in every environment and waits for the results. Environments whose last
    /// step was done are reset instead. `actions`: `[N]`, indices into [`Game::actions`].
    ///
    /// # Errors
    /// When an action or the number of actions is out of range (no environment has then moved), or
    /// an environment fails; the error is that of the failed environment with the lowest index.
    pub fn step(&mut self, actions: &[u32]) -> Result<(), AtariError> {
        self.start_step(actions)?;
        self.wait()
    }

    /// Stores all games so that they can be replayed from their seeds; `None` if the games have no
    /// seeds of their own.
    fn store(&self) -> Result<Option<Vec<u8>>, AtariError> {
        if self.running.is_some() {
            return Err(AtariError::NotReady);
        }
        let mut stored = Vec::with_capacity(self.num_envs);
        for slot in &self.batch.slots {
            let mut writer = Writer::default();
            if !slot.env.store(&mut writer) {
                return Ok(None);
            }
            stored.push(writer.finish());
        }
        Ok(Some(set::join(self.game, &stored)))
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), AtariError> {
        if self.running.is_some() {
            return Err(AtariError::NotReady);
        }
        let stored = set::split(bytes, self.game, self.num_envs)?;
        let Batch { slots, observations } = &mut self.batch;
        let stack_len = self.frame.len();
        self.pool.install(|| {
            slots
                .par_iter_mut()
                .zip(observations.par_chunks_mut(stack_len))
                .zip(stored)
                .with_max_len(1)
                .for_each(|((slot, stack), stored)| {
                    slot.run(|env| {
                        let mut reader = Reader::continued(stored);
                        let outcome = env.load(&mut reader, stack)?;
                        reader.finish()?;
                        Ok(outcome)
                    });
                });
        });
        self.resetting = false;
        self.read_results()
    }

    fn start_reset(&mut self) -> Result<(), AtariError> {
        self.start(|_, env, stack| env.reset(stack))?;
        self.resetting = true;
        Ok(())
    }

    fn start_step(&mut self, actions: &[u32]) -> Result<(), AtariError> {
        set::check_actions(self.game, self.num_envs, actions)?;
        let actions = actions.to_vec();
        self.start(move |index, env, stack| env.step(actions[index], stack))?;
        self.resetting = false;
        Ok(())
    }

    /// Moves all environments into the pool and runs `call` on each of them there.
    fn start<F>(&mut self, call: F) -> Result<(), AtariError>
    where
        F: Fn(usize, &mut AtariEnv<Emulator>, &mut [u8]) -> Result<StepOutcome, AtariError>
            + Send
            + Sync
            + 'static,
    {
        if self.running.is_some() || self.batch.slots.len() != self.num_envs {
            return Err(AtariError::NotReady);
        }
        let mut batch = std::mem::take(&mut self.batch);
        let stack_len = self.frame.len();
        let (sender, receiver) = channel();
        self.running = Some(receiver);
        self.pool.spawn(move || {
            let Batch { slots, observations } = &mut batch;
            slots
                .par_iter_mut()
                .zip(observations.par_chunks_mut(stack_len))
                .enumerate()
                .with_max_len(1)
                .for_each(|(index, (slot, stack))| slot.run(|env| call(index, env, stack)));
            // The receiver is gone if the environments were dropped in the meantime.
            drop(sender.send(batch));
        });
        Ok(())
    }

    /// Takes the environments back and reads their results.
    fn wait(&mut self) -> Result<(), AtariError> {
        // The sender disappears without a message only if the task itself panicked. The
        // environments are then lost.
        let batch = self.running.take().and_then(|running| running.recv().ok());
        self.batch = batch.ok_or(AtariError::NotReady)?;
        self.read_results()
    }

    fn read_results(&mut self) -> Result<(), AtariError> {
        for (index, slot) in self.batch.slots.iter_mut().enumerate() {
            let result = std::mem::replace(&mut slot.result, Ok(StepOutcome::default()));
            let result = result.map_err(|error| error.in_env(index))?;
            self.results[index] = result;
            self.outcomes[index] =
                if self.resetting { Outcome::default() } else { result.outcome() };
        }
        Ok(())
    }
}

impl VectorEnv for AtariEnvs {
    fn num_envs(&self) -> usize {
        self.num_envs
    }

    fn frame(&self) -> FrameShape {
        self.frame
    }

    fn actions(&self) -> usize {
        self.game.n_actions()
    }

    fn send_reset(&mut self) -> Result<(), EnvError> {
        self.start_reset().map_err(EnvError::new)
    }

    fn send(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        self.start_step(actions).map_err(EnvError::new)
    }

    fn receive(&mut self) -> Pending<'_> {
        Box::pin(async move { self.wait().map_err(EnvError::new) })
    }

    fn observations(&self) -> &[u8] {
        &self.batch.observations
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    fn snapshot(&mut self) -> Pending<'_, Option<Vec<u8>>> {
        Box::pin(async move { self.store().map_err(EnvError::new) })
    }

    fn restore<'a>(&'a mut self, snapshot: &'a [u8]) -> Pending<'a> {
        Box::pin(async move { self.load(snapshot).map_err(EnvError::new) })
    }
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

    fn pong() -> AtariEnvs {
        let rom = RomFinder::from_environment(None).find(Game::find("Pong").unwrap()).unwrap();
        AtariEnvs::new(&rom, AtariOptions::default(), 3, 1, 2).unwrap()
    }

    #[test]
    fn a_panic_in_one_environment_is_an_error_that_names_it() {
        let mut envs = pong();
        envs.reset().unwrap();
        envs.start(
            |index, _, _| if index == 1 { panic!("boom") } else { Ok(StepOutcome::default()) },
        )
        .unwrap();
        let error = envs.wait().unwrap_err();
        assert_eq!(error.to_string(), "environment 1: the environment panicked: boom");
        // The environment stays broken and reports it, instead of continuing from an incomplete
        // step.
        let again = envs.step(&[0; 3]).unwrap_err();
        assert_eq!(again.to_string(), "environment 1: the environment panicked: boom");
    }

    #[test]
    fn a_step_is_sent_once_and_received_once() {
        let mut envs = pong();
        envs.send_reset().unwrap();
        assert!(envs.send(&[0; 3]).is_err(), "a second step before the first was received");
        assert!(envs.observations().is_empty() && envs.console(0).is_none());
        pollster::block_on(envs.receive()).unwrap();
        assert_eq!(envs.observations().len(), 3 * 4 * 84 * 84);
        assert!(pollster::block_on(envs.receive()).is_err(), "nothing was sent");
        envs.send(&[0; 3]).unwrap();
        // Dropped in the middle of a step: the pool ends by itself.
        drop(envs);
    }
}
