//! A world that was opened for training: its environments, and its maze if it has one.

use std::rc::Rc;

use deepspi_options::ConfigError;
use deepspi_playground::emulator::{Answer, Request};
use deepspi_run::config::Config;
use deepspi_run::world::{World, WorldError};
use deepspi_worlds::cartridge;
use deepspi_worlds::env::{EnvError, VectorEnv};
use deepspi_worlds::maze::{Maze, MazeEnvs, MazeView, SeenMaze};
use deepspi_worlds::numbered::Numbered;

use super::emulators::{EmulatorEnvs, EmulatorPort, unexpected};

/// What an Atari world needs besides its settings.
#[derive(Clone, Debug, Default)]
pub struct Emulators {
    /// Connections to emulator workers, for one agent.
    pub ports: Vec<Rc<EmulatorPort>>,
    /// The cartridge of a game; not needed for the cartridge with the maze.
    pub rom: Option<Rc<[u8]>>,
}

/// Environments of a world.
#[derive(Debug)]
pub struct OpenWorld {
    /// Which world.
    pub world: World,
    /// Its environments.
    pub envs: Box<dyn VectorEnv>,
    /// Its maze and what an agent sees of it; none for a game, and with sticky actions.
    seen: Option<(Maze, MazeView)>,
}

/// Why a world could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no such world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// An emulator failed or refused the game.
    #[error(transparent)]
    Environment(#[from] EnvError),
    /// The cartridge is missing.
    #[error("the cartridge of {0} is not here; drop its file or the ale-py wheel on the page")]
    NoRom(&'static str),
}

impl OpenWorld {
    /// Environments that are not reset yet.
    ///
    /// # Errors
    /// If a setting is out of range, or an emulator worker refuses the game.
    pub async fn open(
        world: World,
        config: &Config,
        seed: u64,
        emulators: &Emulators,
    ) -> Result<Self, OpenError> {
        let gamma = config.gamma;
        let Some((game, options)) = world.game().zip(world.options(gamma)?) else {
            let maze = Maze::new(world.maze().copied().unwrap_or_default(), gamma.into())?;
            let view = MazeView::of(&maze);
            let envs = Box::new(MazeEnvs::new(maze.clone(), config.num_envs, seed));
            return Ok(Self { world, envs, seen: Some((maze, view)) });
        };
        let rom = match (&world, &emulators.rom) {
            (World::Cartridge { .. }, _) => &cartridge::ROM[..],
            (_, Some(rom)) => rom,
            (_, None) => return Err(OpenError::NoRom(game.name)),
        };
        let ports = &emulators.ports;
        let envs = EmulatorEnvs::open(game, rom, options, config.num_envs, seed, ports).await?;
        let World::Cartridge { maze, .. } = world else {
            return Ok(Self { world, envs: Box::new(envs), seen: None });
        };
        let seen = if world.has_exact_values() {
            let maze = Maze::new(maze, gamma.into())?;
            Some((maze, view_of_cartridge(ports).await?))
        } else {
            None
        };
        Ok(Self { world, envs: Box::new(Numbered::new(envs)), seen })
    }

    /// Its maze and what an agent sees of it, if policies have exact values.
    pub fn seen(&self) -> Option<SeenMaze<'_>> {
        self.seen.as_ref().map(|(maze, view)| SeenMaze { maze, view })
    }
}

/// The pictures of the cartridge's states, which an emulator worker takes.
async fn view_of_cartridge(ports: &[Rc<EmulatorPort>]) -> Result<MazeView, EnvError> {
    let port = ports.first().ok_or_else(unexpected)?;
    match port.ask(&Request::MazeView).await?.answer {
        Answer::MazeView { frames } => Ok(MazeView {
            shape: cartridge::FRAME,
            frames: frames.into_iter().map(serde_bytes::ByteBuf::into_vec).collect(),
            actions: cartridge::ACTIONS,
        }),
        _ => Err(unexpected()),
    }
}
