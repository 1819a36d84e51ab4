//! The environments of a run, spread over emulator workers.
//!
//! Environment `i` plays the same games in whichever worker it is, so results do not depend on the
//! number of workers. Between `send` and `receive` all workers emulate at the same time.

use std::rc::Rc;

use deepspi_playground::emulator::{Answer, Games, Request};
use deepspi_worlds::atari::{AtariOptions, Game, set};
use deepspi_worlds::env::{EnvError, Outcome, Pending, VectorEnv};
use deepspi_worlds::frame::FrameShape;
use serde_bytes::ByteBuf;

use super::port::{Answered, EmulatorError, EmulatorPort, unexpected};

/// N environments of one game.
#[derive(Debug)]
pub struct EmulatorEnvs {
    game: &'static Game,
    frame: FrameShape,
    workers: Vec<Share>,
    /// `[N, F, H, W]`.
    observations: Vec<u8>,
    outcomes: Vec<Outcome>,
}

/// The environments of one worker: `count` from index `first`.
#[derive(Debug)]
struct Share {
    port: Rc<EmulatorPort>,
    first: usize,
    count: usize,
}

impl EmulatorEnvs {
    /// Creates `num_envs` environments in the workers at the other ends of the ports, as evenly as
    /// possible. They must be reset or restored before the first step.
    ///
    /// # Errors
    /// If a worker refuses the game, its cartridge or its rules.
    pub async fn open(
        game: &'static Game,
        rom: &[u8],
        options: AtariOptions,
        num_envs: usize,
        seed: u64,
        ports: &[Rc<EmulatorPort>],
    ) -> Result<Self, EnvError> {
        if ports.is_empty() {
            return Err(EnvError::new(EmulatorError("there is none".to_owned())));
        }
        let shares = ports.len().min(num_envs);
        let mut workers = Vec::with_capacity(shares);
        for (index, port) in ports.iter().take(shares).enumerate() {
            let [first, end] = [index, index + 1].map(|i| i * num_envs / shares);
            let share = Share { port: port.clone(), first, count: end - first };
            share.port.send(&Request::Open(Box::new(Games {
                game: game.name.to_owned(),
                rom: ByteBuf::from(rom),
                options,
                seed,
                first_index: first as u64,
                envs: u32::try_from(share.count).unwrap_or(u32::MAX),
                film: false,
            })))?;
            workers.push(share);
        }
        for share in &workers {
            let Answer::Opened(_) = share.port.answer().await?.answer else {
                return Err(unexpected());
            };
        }
        let frame = options.frame();
        Ok(Self {
            game,
            frame,
            workers,
            observations: vec![0; num_envs * frame.len()],
            outcomes: vec![Outcome::default(); num_envs],
        })
    }

    /// Asks every worker; `request` gets the range of its environments.
    fn ask_all(&self, request: impl Fn(std::ops::Range<usize>) -> Request) -> Result<(), EnvError> {
        for share in &self.workers {
            share.port.send(&request(share.first..share.first + share.count))?;
        }
        Ok(())
    }

    /// Takes the results of a step from every worker, even if one of them fails, so that no answer is
    /// left over for the next request. The first error is returned.
    async fn take_results(&mut self) -> Result<(), EnvError> {
        let mut result = Ok(());
        for share in &self.workers {
            let answered = share.port.answer().await;
            let taken = answered.and_then(|answered| {
                let len = self.frame.len();
                let pixels =
                    &mut self.observations[share.first * len..(share.first + share.count) * len];
                let outcomes = &mut self.outcomes[share.first..share.first + share.count];
                take(answered, pixels, outcomes)
            });
            result = result.and(taken);
        }
        result
    }

    async fn store(&self) -> Result<Option<Vec<u8>>, EnvError> {
        self.ask_all(|_| Request::Store)?;
        let mut stored = Some(Vec::new());
        let mut result = Ok(());
        for share in &self.workers {
            match share.port.answer().await {
                Ok(Answered { answer: Answer::Stored { games }, .. }) => {
                    stored = stored.zip(games).map(|(all, games)| [all, games].concat());
                }
                Ok(_) => result = result.and(Err(unexpected())),
                Err(error) => result = result.and(Err(error)),
            }
        }
        result.map(|()| stored.map(|stored| set::join(self.game, &stored)))
    }

    async fn load(&mut self, bytes: &[u8]) -> Result<(), EnvError> {
        let games = set::split(bytes, self.game, self.outcomes.len()).map_err(EnvError::new)?;
        self.ask_all(|range| Request::Load {
            games: games[range].iter().map(|game| ByteBuf::from(*game)).collect(),
        })?;
        self.take_results().await
    }
}

/// Copies the results of a step.
fn take(answered: Answered, pixels: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
    let Answer::Stepped { outcomes: found, .. } = answered.answer else {
        return Err(unexpected());
    };
    let observations = answered.observations.ok_or_else(unexpected)?;
    if found.len() != outcomes.len() || observations.length() as usize != pixels.len() {
        return Err(unexpected());
    }
    observations.copy_to(pixels);
    for (outcome, found) in outcomes.iter_mut().zip(found) {
        *outcome = found.outcome();
    }
    Ok(())
}

impl VectorEnv for EmulatorEnvs {
    fn num_envs(&self) -> usize {
        self.outcomes.len()
    }

    fn frame(&self) -> FrameShape {
        self.frame
    }

    fn actions(&self) -> usize {
        self.game.n_actions()
    }

    fn send_reset(&mut self) -> Result<(), EnvError> {
        self.ask_all(|_| Request::Reset)
    }

    fn send(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        set::check_actions(self.game, self.outcomes.len(), actions).map_err(EnvError::new)?;
        self.ask_all(|range| Request::Step { actions: actions[range].to_vec() })
    }

    fn receive(&mut self) -> Pending<'_> {
        Box::pin(self.take_results())
    }

    fn observations(&self) -> &[u8] {
        &self.observations
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    fn snapshot(&mut self) -> Pending<'_, Option<Vec<u8>>> {
        Box::pin(self.store())
    }

    fn restore<'a>(&'a mut self, snapshot: &'a [u8]) -> Pending<'a> {
        Box::pin(self.load(snapshot))
    }
}
