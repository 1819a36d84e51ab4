//! One client of the worker: its environments, and the answers to its requests.
//!
//! Nothing here knows how messages travel. A request that cannot be carried out becomes a
//! [`Answer::Failed`] with a sentence for the user; the environments of the client, and those of
//! other clients, go on. No cartridge reaches the emulator before its checksum was accepted.

use deepspi_options::ConfigError;
use deepspi_playground::emulator::{Answer, Games, MAX_ENVS, Opened, Request};
use deepspi_worlds::atari::{
    AtariEnv, AtariError, AtariOptions, Console, ConsoleError, Game, StepOutcome, roms, set,
};
use deepspi_worlds::cartridge::{self, MAZE_CARTRIDGE};
use deepspi_worlds::maze::{Maze, MazeConfig};
use deepspi_worlds::snapshot::{Reader, Writer};
use serde_bytes::ByteBuf;

use crate::film::Film;

/// Largest values of these options, far above what any experiment uses: a mistyped number must not
/// fill the memory of the page or stop the worker for minutes.
const LARGEST_FRAME_SKIP: usize = 64;
const LARGEST_NOOP_MAX: usize = 1_000;
const LARGEST_STACK: usize = 16;

/// An emulator that has been switched on and makes consoles.
pub trait Emulator {
    /// What it makes.
    type Console: Console;

    /// Puts the cartridge of a game into a new console. The bytes are those of the game.
    ///
    /// # Errors
    /// When the emulator fails.
    fn insert(
        &self,
        game: &'static Game,
        rom: &[u8],
        seed: i32,
        repeat_action_probability: f32,
    ) -> Result<Self::Console, ConsoleError>;
}

/// An answer with the arrays that are sent beside it.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The message.
    pub answer: Answer,
    /// `[n, F, 84, 84]`, after a step.
    pub observations: Option<&'a [u8]>,
    /// `[k, 210, 160]`, after a step of games that are filmed.
    pub frames: Option<Vec<u8>>,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Name(#[from] deepspi_worlds::atari::UnknownGame),
    #[error(transparent)]
    Rom(#[from] roms::WrongRom),
    #[error(transparent)]
    Environment(#[from] AtariError),
    #[error(transparent)]
    Console(#[from] ConsoleError),
    #[error(transparent)]
    States(#[from] cartridge::StatesError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{what} is {value} for games in the browser; it may be at most {largest}")]
    TooLarge { what: &'static str, value: usize, largest: usize },
    #[error("{0} environments were asked for; a worker plays 1 to {MAX_ENVS}")]
    Count(u32),
    #[error("no game is open; a game must be opened first")]
    NotOpen,
}

/// A client and its environments, if it has opened some.
pub struct Client<E: Emulator> {
    switch_on: Box<dyn Fn() -> Result<E, ConsoleError>>,
    open: Option<Open<E::Console>>,
}

impl<E: Emulator> std::fmt::Debug for Client<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("open", &self.open).finish_non_exhaustive()
    }
}

/// The environments of a client.
#[derive(Debug)]
struct Open<C> {
    game: &'static Game,
    film: bool,
    envs: Vec<AtariEnv<Film<C>>>,
    /// `[n, F, 84, 84]`: the frame stacks of all environments.
    observations: Vec<u8>,
    outcomes: Vec<StepOutcome>,
}

impl<E: Emulator> Client<E> {
    /// A client without environments. `switch_on` starts an emulator whose failure does not reach
    /// the emulators of others; it is called for every request to open games.
    pub fn new(switch_on: impl Fn() -> Result<E, ConsoleError> + 'static) -> Self {
        Self { switch_on: Box::new(switch_on), open: None }
    }

    /// Carries out a request. None: there is no answer, and the client has left.
    pub fn serve(&mut self, request: Request) -> Option<Reply<'_>> {
        let answer = match request {
            Request::Open(games) => self.open(&games),
            Request::Reset => self.advance(Open::reset),
            Request::Step { actions } => self.advance(|open| open.step(&actions)),
            Request::Load { games } => self.advance(|open| open.load(&games)),
            Request::Store => self.store(),
            Request::MazeView => self.maze_view(),
            Request::Close => {
                self.open = None;
                return None;
            }
        };
        Some(match answer {
            Err(failure) => Reply {
                answer: Answer::Failed { text: failure.to_string() },
                observations: None,
                frames: None,
            },
            Ok(Done { answer, stepped, frames }) => {
                let observations =
                    self.open.as_ref().filter(|_| stepped).map(|open| open.observations.as_slice());
                Reply { answer, observations, frames }
            }
        })
    }

    fn open(&mut self, games: &Games) -> Result<Done, Failure> {
        let game = match cartridge::is_name(&games.game) {
            true => &MAZE_CARTRIDGE,
            false => Game::find(&games.game)?,
        };
        roms::check(game, &games.rom)?;
        games.options.check()?;
        let AtariOptions { frame_skip, noop_max, stack, .. } = games.options;
        for (what, value, largest) in [
            ("frame_skip", frame_skip as usize, LARGEST_FRAME_SKIP),
            ("noop_max", noop_max as usize, LARGEST_NOOP_MAX),
            ("stack", stack, LARGEST_STACK),
        ] {
            if value > largest {
                return Err(Failure::TooLarge { what, value, largest });
            }
        }
        if !(1..=MAX_ENVS).contains(&games.envs) {
            return Err(Failure::Count(games.envs));
        }
        // The old environments go first, so that their memory can be used again.
        self.open = None;
        let emulator = (self.switch_on)()?;
        let open = Open::new(&emulator, game, games)?;
        let palette = open.envs[0].console().palette();
        let opened = Opened {
            game: game.name.to_owned(),
            actions: game.actions.to_vec(),
            frame: games.options.frame(),
            rgb: ByteBuf::from(palette.rgb.concat()),
            gray: ByteBuf::from(palette.gray),
        };
        self.open = Some(open);
        Ok(Done::with(Answer::Opened(Box::new(opened))))
    }

    /// Lets all environments move on by `call` and reports where they are.
    fn advance(
        &mut self,
        call: impl FnOnce(&mut Open<E::Console>) -> Result<(), AtariError>,
    ) -> Result<Done, Failure> {
        let open = self.open.as_mut().ok_or(Failure::NotOpen)?;
        let moved = call(open);
        let mut frames = Vec::new();
        let filmed = open.envs.iter().map(|env| env.console().take(&mut frames)).collect();
        moved?;
        let answer = Answer::Stepped {
            outcomes: open.outcomes.clone(),
            filmed: if open.film { filmed } else { Vec::new() },
        };
        Ok(Done { answer, stepped: true, frames: open.film.then_some(frames) })
    }

    /// The pictures of the free cartridge's maze. Its values do not matter here, so any discount will
    /// do.
    fn maze_view(&self) -> Result<Done, Failure> {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99)?;
        let emulator = (self.switch_on)()?;
        let insert = |seed| emulator.insert(&MAZE_CARTRIDGE, &cartridge::ROM[..], seed, 0.0);
        let view = cartridge::view(&maze, insert)?;
        let frames = view.frames.into_iter().map(ByteBuf::from).collect();
        Ok(Done::with(Answer::MazeView { frames }))
    }

    fn store(&self) -> Result<Done, Failure> {
        let open = self.open.as_ref().ok_or(Failure::NotOpen)?;
        let games = open.envs.iter().map(|env| {
            let mut writer = Writer::default();
            env.store(&mut writer).then(|| ByteBuf::from(writer.finish()))
        });
        Ok(Done::with(Answer::Stored { games: games.collect() }))
    }
}

/// What a request led to.
struct Done {
    answer: Answer,
    /// Whether the observations belong to the answer.
    stepped: bool,
    frames: Option<Vec<u8>>,
}

impl Done {
    const fn with(answer: Answer) -> Self {
        Self { answer, stepped: false, frames: None }
    }
}

impl<C: Console> Open<C> {
    fn new<E: Emulator<Console = C>>(
        emulator: &E,
        game: &'static Game,
        games: &Games,
    ) -> Result<Self, AtariError> {
        let options = games.options;
        let make = |seed| {
            let sticky = options.repeat_action_probability;
            let film = Film::new(emulator.insert(game, &games.rom, seed, sticky)?);
            if games.film {
                film.start();
            }
            Ok(film)
        };
        let envs = (0..u64::from(games.envs))
            .map(|offset| {
                let index = games.first_index.wrapping_add(offset);
                AtariEnv::new(options, games.seed, index, make)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            game,
            film: games.film,
            observations: vec![0; envs.len() * options.observation_len()],
            outcomes: vec![StepOutcome::default(); envs.len()],
            envs,
        })
    }

    /// Calls `call` with each environment and its frame stack. After an error the environments
    /// before the failed one have moved, and those after it have not.
    fn each(
        &mut self,
        mut call: impl FnMut(
            usize,
            &mut AtariEnv<Film<C>>,
            &mut [u8],
        ) -> Result<StepOutcome, AtariError>,
    ) -> Result<(), AtariError> {
        let stack_len = self.observations.len() / self.envs.len();
        let stacks = self.observations.chunks_exact_mut(stack_len);
        for (index, (env, stack)) in self.envs.iter_mut().zip(stacks).enumerate() {
            self.outcomes[index] = call(index, env, stack).map_err(|error| error.in_env(index))?;
        }
        Ok(())
    }

    fn reset(&mut self) -> Result<(), AtariError> {
        self.each(|_, env, stack| env.reset(stack))
    }

    fn step(&mut self, actions: &[u32]) -> Result<(), AtariError> {
        set::check_actions(self.game, self.envs.len(), actions)?;
        self.each(|index, env, stack| env.step(actions[index], stack))
    }

    fn load(&mut self, games: &[ByteBuf]) -> Result<(), AtariError> {
        let (expected, found) = (self.envs.len(), games.len());
        if expected != found {
            return Err(AtariError::Length { what: "stored games", expected, found });
        }
        let film = self.film;
        self.each(|index, env, stack| {
            // The film would hold the whole game.
            env.console().stop();
            let mut reader = Reader::continued(&games[index]);
            let outcome = env.load(&mut reader, stack);
            if film {
                env.console().start();
            }
            let outcome = outcome?;
            reader.finish()?;
            if film {
                env.console().shoot();
            }
            Ok(outcome)
        })
    }
}
