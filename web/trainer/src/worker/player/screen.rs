//! One screen: a console in an emulator worker, and the agent that plays on it, if there is one.

use std::collections::VecDeque;

use deepspi_core::dreamer::{RecentSteps, SeenLatents};
use deepspi_core::pca::principal_components;
use deepspi_core::player::{PlayedStep, Player};
use deepspi_playground::emulator::{Answer, Games, Opened, Request};
use deepspi_playground::play::{Chooser, Judged, LONGEST_DREAM, LatentPicture, ScreenDream, Step};
use deepspi_run::decision::Decision;
use deepspi_run::network::interface;
use deepspi_run::playing::{Perception, StepTerms};
use deepspi_worlds::atari::{FRAME_PIXELS, StepOutcome};
use deepspi_worlds::env::{EnvError, Outcome};
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::rng::{Stream, stream};
use js_sys::Uint8Array;
use rand_chacha::ChaCha8Rng;
use web_sys::MessagePort;

use crate::worker::emulators::EmulatorPort;
use crate::worker::time;

/// Steps whose latents are kept.
const LATENTS: usize = 1_000;

/// Why a screen could not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The emulator worker failed.
    #[error(transparent)]
    Emulator(#[from] EnvError),
    /// The agent cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] deepspi_core::checkpoint::CheckpointError),
    /// The device failed.
    #[error(transparent)]
    Core(#[from] deepspi_core::Error),
    /// The agent was trained on another game.
    #[error(
        "the agent was trained with {found}, but this game has {expected}; choose an agent of this game, or its game for this screen"
    )]
    OtherGame {
        /// Actions and frames of the agent.
        found: String,
        /// Actions and frames of the game.
        expected: String,
    },
    /// There is no game, or no agent.
    #[error("{0}")]
    Missing(&'static str),
    /// The worker answered something else than it was asked.
    #[error("the emulator gave an answer to another request; reload the page")]
    Unexpected,
}

/// A step with the arrays that belong to it.
#[derive(Debug)]
pub struct Played {
    /// What happened.
    pub step: Step,
    /// `[k, 210, 160]`.
    pub frames: Option<Uint8Array>,
    /// `[F, 84, 84]`.
    pub observation: Option<Uint8Array>,
}

/// A screen.
#[derive(Debug, Default)]
pub struct Screen {
    console: Option<Console>,
    player: Option<Player>,
}

/// A game in an emulator worker.
#[derive(Debug)]
struct Console {
    port: EmulatorPort,
    game: u64,
    frame: FrameShape,
    actions: usize,
    rng: ChaCha8Rng,
    /// `[F, H, W]`; empty before the first reset.
    observation: Vec<u8>,
    /// What the agent sees in it; none without an agent.
    perception: Option<Perception>,
    /// Time that this took, in milliseconds.
    decision_ms: f64,
    outcome: StepOutcome,
    number: u64,
    latents: VecDeque<Latent>,
    recent: RecentSteps,
    /// How often the networks of the screen have changed.
    networks: u64,
}

#[derive(Debug)]
struct Latent {
    step: u64,
    /// [`Console::networks`] when it was computed.
    networks: u64,
    value: f32,
    latent: Vec<f32>,
}

impl Screen {
    /// Puts a cartridge into a new console. `game` is the page's number of it.
    pub async fn insert(
        &mut self,
        game: u64,
        games: Games,
        port: Option<MessagePort>,
    ) -> Result<Opened, ScreenError> {
        let port = EmulatorPort::new(port.ok_or(ScreenError::Missing("no emulator was given"))?);
        let seed = games.seed;
        let answered = port.ask(&Request::Open(Box::new(games))).await?;
        let Answer::Opened(opened) = answered.answer else { return Err(ScreenError::Unexpected) };
        let (frame, actions) = (opened.frame, opened.actions.len());
        if let Some(player) = &self.player
            && fits(player, frame, actions).is_err()
        {
            self.player = None;
        }
        self.console = Some(Console {
            port,
            game,
            frame,
            actions,
            rng: stream(seed, Stream::Actions),
            observation: Vec::new(),
            perception: None,
            decision_ms: 0.0,
            outcome: StepOutcome::default(),
            number: 0,
            latents: VecDeque::new(),
            recent: RecentSteps::new(LONGEST_DREAM),
            networks: 0,
        });
        Ok(*opened)
    }

    /// Gives the screen an agent, or takes it away. With `update` the new networks are those of the
    /// same agent after an update.
    pub async fn set_player(
        &mut self,
        player: Option<Player>,
        update: bool,
    ) -> Result<(), ScreenError> {
        if let (Some(player), Some(console)) = (&player, &self.console) {
            fits(player, console.frame, console.actions)?;
        }
        let old = self.player.take();
        self.player = match (old, player) {
            (Some(old), Some(new)) if update => Some(old.updated(new)),
            (_, player) => player,
        };
        if let Some(console) = &mut self.console {
            console.networks += 1;
            if !update {
                console.latents.clear();
            }
            if !console.observation.is_empty() {
                console.perceive(self.player.as_ref()).await?;
            }
        }
        Ok(())
    }

    /// What the agent sees in the picture that is there; none without an agent or before the first
    /// game.
    pub fn judged(&self) -> Option<Judged> {
        let console = self.console.as_ref()?;
        let sees = console.perception.clone()?;
        Some(Judged { number: console.number, sees, decision_ms: console.decision_ms })
    }

    /// Starts a new game.
    pub async fn reset(&mut self) -> Result<Played, ScreenError> {
        let console =
            self.console.as_mut().ok_or(ScreenError::Missing("no game is on this screen"))?;
        let (frames, observation) = console.advance(&Request::Reset).await?;
        console.perceive(self.player.as_ref()).await?;
        console.outcome = StepOutcome::default();
        console.recent.restart(&console.observation);
        Ok(console.report(None, (None, None), frames, observation))
    }

    /// Plays one agent step.
    pub async fn step(&mut self, chooser: Chooser) -> Result<Played, ScreenError> {
        let console =
            self.console.as_mut().ok_or(ScreenError::Missing("no game is on this screen"))?;
        if console.observation.is_empty() {
            return Err(ScreenError::Missing("the game was not started"));
        }
        let action = console.choose(chooser)?;
        let (before, after_end) = (console.observation.clone(), console.outcome.done);
        let seen = console.perception.take();
        let advanced = console.advance(&Request::Step { actions: vec![action] }).await;
        let (frames, observation) = match advanced {
            Ok(arrays) => arrays,
            Err(error) => {
                console.perception = seen;
                return Err(error);
            }
        };
        let Outcome { reward, done, .. } = console.outcome.outcome();
        console.recent.push(action, reward, done, &console.observation);
        console.perceive(self.player.as_ref()).await?;
        let terms = match (&mut self.player, &seen, &console.perception) {
            (Some(player), Some(seen), Some(sees)) => {
                let step = PlayedStep {
                    observation: &before,
                    perception: seen,
                    after_end,
                    action,
                    outcome: console.outcome.outcome(),
                    next: &console.observation,
                    next_value: sees.value,
                };
                Some(player.terms(step).await?)
            }
            _ => None,
        };
        Ok(console.report(Some((action, chooser)), (seen, terms), frames, observation))
    }

    /// The latents of the last steps on their principal components.
    pub fn latents(&self) -> Option<LatentPicture> {
        let kept = &self.console.as_ref()?.latents;
        let rows: Vec<f32> = kept.iter().flat_map(|kept| &kept.latent).copied().collect();
        let last = kept.len().checked_sub(1)?;
        let projection = principal_components(&rows, kept.len(), [last, 0])?;
        Some(LatentPicture {
            steps: kept.iter().map(|kept| kept.step).collect(),
            values: kept.iter().map(|kept| kept.value).collect(),
            points: projection.points,
            explained: projection.explained,
        })
    }

    /// The last steps of the game as the agent imagines them.
    pub async fn dream(&mut self, horizon: usize) -> Result<ScreenDream, ScreenError> {
        let (Some(console), Some(player)) = (&self.console, &mut self.player) else {
            return Ok(ScreenDream::Nothing);
        };
        if !player.can_imagine() {
            return Ok(ScreenDream::Impossible);
        }
        let Some(real) = console.recent.last(horizon.min(LONGEST_DREAM)) else {
            return Ok(ScreenDream::Nothing);
        };
        // Latents of other networks are not comparable.
        let (mut seen, mut steps) = (SeenLatents::new(LATENTS), Vec::new());
        for kept in console.latents.iter().filter(|kept| kept.networks == console.networks) {
            seen.push(&kept.latent);
            steps.push(kept.step);
        }
        let mut looked = player.look_ahead(&real, &seen).await?;
        for step in &mut looked.steps {
            // A step's number is far below the limits of both types.
            step.nearest = step.nearest.map(|(index, distance)| (steps[index] as usize, distance));
        }
        let last = console.number;
        Ok(ScreenDream::Steps {
            numbers: (0..real.actions.len() as u64).rev().map(|back| last - back).collect(),
            looked,
            typical_distance: seen.typical_distance(),
            gamma: player.gamma(),
        })
    }
}

impl Console {
    fn choose(&mut self, chooser: Chooser) -> Result<u32, ScreenError> {
        let policy = || {
            let seen = self.perception.as_ref();
            let seen = seen.ok_or(ScreenError::Missing("no agent plays on this screen"))?;
            Ok::<_, ScreenError>(Decision {
                log_probs: seen.log_probs.clone(),
                values: vec![seen.value],
            })
        };
        Ok(match chooser {
            Chooser::Person(action) => action,
            Chooser::Greedy => policy()?.greedy(self.actions)[0],
            Chooser::Sampled => policy()?.sample(self.actions, &mut self.rng)[0],
        })
    }

    /// Lets the game move on. Returns the filmed screens and the new observation.
    async fn advance(
        &mut self,
        request: &Request,
    ) -> Result<(Option<Uint8Array>, Option<Uint8Array>), ScreenError> {
        let answered = self.port.ask(request).await?;
        let Answer::Stepped { outcomes, .. } = answered.answer else {
            return Err(ScreenError::Unexpected);
        };
        let [outcome] = outcomes[..] else { return Err(ScreenError::Unexpected) };
        self.outcome = outcome;
        self.observation =
            answered.observations.as_ref().map(Uint8Array::to_vec).unwrap_or_default();
        self.number += 1;
        Ok((answered.frames, answered.observations))
    }

    /// Lets the agent look at the current observation.
    async fn perceive(&mut self, player: Option<&Player>) -> Result<(), ScreenError> {
        self.perception = None;
        let Some(player) = player else { return Ok(()) };
        let start = time::now_ms();
        let mut perception = player.perceive(&self.observation).await?;
        self.decision_ms = time::now_ms() - start;
        if self.latents.back().is_none_or(|last| last.step != self.number) {
            if self.latents.len() == LATENTS {
                self.latents.pop_front();
            }
            self.latents.push_back(Latent {
                step: self.number,
                networks: self.networks,
                value: perception.value,
                latent: std::mem::take(&mut perception.latent),
            });
        }
        perception.latent.clear();
        self.perception = Some(perception);
        Ok(())
    }

    fn report(
        &self,
        played: Option<(u32, Chooser)>,
        (seen, terms): (Option<Perception>, Option<StepTerms>),
        frames: Option<Uint8Array>,
        observation: Option<Uint8Array>,
    ) -> Played {
        const SCREEN: u32 = FRAME_PIXELS as u32;
        let filmed = frames.as_ref().map_or(0, |frames| frames.length() / SCREEN);
        let step = Step {
            game: self.game,
            number: self.number,
            action: played.map(|(action, _)| action),
            chooser: played.map(|(_, chooser)| chooser),
            seen,
            terms,
            outcome: self.outcome,
            sees: self.perception.clone(),
            filmed,
            decision_ms: self.decision_ms,
        };
        Played { step, frames, observation }
    }
}

/// Checks that an agent can play a game.
fn fits(player: &Player, frame: FrameShape, actions: usize) -> Result<(), ScreenError> {
    let spec = player.spec();
    if (spec.frame, spec.actions) == (frame, actions) {
        return Ok(());
    }
    Err(ScreenError::OtherGame { found: spec.interface(), expected: interface(frame, actions) })
}
