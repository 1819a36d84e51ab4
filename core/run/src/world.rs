//! What a run trains on: the maze, the maze on a cartridge, or an Atari game.
//!
//! Front ends run worlds in different ways (threads, web workers), but the same world must have the
//! same rules, networks and defaults everywhere, and a run folder must mean the same world on either
//! side. All of that is decided here.

use deepspi_options::ConfigError;
use deepspi_worlds::atari::{AtariOptions, AtariTraining, Game, UnknownGame};
use deepspi_worlds::cartridge::{self, CARTRIDGE_NAME, MAZE_CARTRIDGE};
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::maze::{Maze, MazeConfig};
use serde::{Deserialize, Serialize};

use crate::atari_network::FrameNetwork as _;
use crate::config::Config;
use crate::maze_preset::TrainingPreset as _;
use crate::network::NetworkSpec;
use crate::run_files::RunInfo;

/// Name of the maze on the command line and in run folders.
pub const MAZE_NAME: &str = "maze";

/// A world to train on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Description", into = "Description")]
pub enum World {
    /// The maze of the paper.
    Maze(MazeConfig),
    /// The same maze on a cartridge, played by the emulator.
    Cartridge {
        /// The maze, and the size of the networks.
        maze: MazeConfig,
        /// Sticky actions and no-ops, with which the values of the maze are not exact.
        stochastic: bool,
    },
    /// An Atari game.
    Game {
        /// Which game.
        game: &'static Game,
        /// The authors' stochastic variant.
        stochastic: bool,
        /// The rules that the run folder records; none for a run from before they were recorded.
        training: Option<AtariTraining>,
    },
}

/// Why a description is not a world.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorldError {
    /// No game has this name.
    #[error(transparent)]
    Game(#[from] UnknownGame),
    /// A setting is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The description has no settings of the maze.
    #[error("the run does not describe its maze")]
    NoMaze,
}

/// A world in the words of [`RunInfo`].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Description {
    env: String,
    stochastic: bool,
    maze: Option<MazeConfig>,
    atari: Option<AtariTraining>,
}

impl World {
    /// The world with this name. `maze` are the settings of a maze, `training` those of a game; a
    /// world reads those that it has.
    ///
    /// # Errors
    /// If no world has the name, or a setting is out of range.
    pub fn find(
        name: &str,
        stochastic: bool,
        maze: Option<MazeConfig>,
        training: Option<AtariTraining>,
    ) -> Result<Self, WorldError> {
        if name.eq_ignore_ascii_case(MAZE_NAME) {
            let maze = maze.ok_or(WorldError::NoMaze)?;
            maze.validate()?;
            return Ok(Self::Maze(maze));
        }
        if cartridge::is_name(name) {
            let maze = maze.ok_or(WorldError::NoMaze)?;
            cartridge::check_maze(&maze)?;
            return Ok(Self::Cartridge { maze, stochastic });
        }
        if let Some(training) = &training {
            training.validate()?;
        }
        Ok(Self::Game { game: Game::find(name)?, stochastic, training })
    }

    /// The world of a run.
    ///
    /// # Errors
    /// As in [`Self::find`].
    pub fn of_run(info: &RunInfo) -> Result<Self, WorldError> {
        Self::find(&info.env, info.stochastic, info.maze, info.atari)
    }

    /// Adds to the description of a run what is needed to find this world again.
    pub fn describe(&self, info: &mut RunInfo) {
        let Description { env, stochastic, maze, atari } = (*self).into();
        *info = RunInfo { env, stochastic, maze, atari, ..info.clone() };
    }

    /// Name in run folders and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Maze(_) => MAZE_NAME,
            Self::Cartridge { .. } => CARTRIDGE_NAME,
            Self::Game { game, .. } => game.name,
        }
    }

    /// Default hyper-parameters.
    #[must_use]
    pub fn defaults(&self) -> Config {
        match self {
            Self::Maze(maze) | Self::Cartridge { maze, .. } => maze.preset.hyper_parameters(),
            Self::Game { .. } => Config::DEFAULT,
        }
    }

    /// Sizes of the networks.
    #[must_use]
    pub fn network(&self) -> NetworkSpec {
        match self {
            Self::Maze(maze) => maze.preset.network(),
            Self::Cartridge { maze, .. } => {
                maze.preset.for_frames(cartridge::FRAME, MAZE_CARTRIDGE.n_actions())
            }
            Self::Game { game, stochastic, training } => {
                let frame = AtariOptions::training(*stochastic, training.as_ref()).frame();
                let network = training.unwrap_or(AtariTraining::UNSAID).network;
                network.for_frames(frame, game.n_actions())
            }
        }
    }

    /// The settings of its maze; none for a game.
    #[must_use]
    pub const fn maze(&self) -> Option<&MazeConfig> {
        match self {
            Self::Maze(maze) | Self::Cartridge { maze, .. } => Some(maze),
            Self::Game { .. } => None,
        }
    }

    /// The game for the emulator; none for the maze itself.
    #[must_use]
    pub const fn game(&self) -> Option<&'static Game> {
        match self {
            Self::Maze(_) => None,
            Self::Cartridge { .. } => Some(&MAZE_CARTRIDGE),
            Self::Game { game, .. } => Some(game),
        }
    }

    /// The rules of training on the emulator; none for the maze itself.
    ///
    /// # Errors
    /// If the discount is out of range for the maze.
    pub fn options(&self, gamma: f32) -> Result<Option<AtariOptions>, ConfigError> {
        Ok(match self {
            Self::Maze(_) => None,
            Self::Cartridge { maze, stochastic } => {
                Some(cartridge::options(&Maze::new(*maze, gamma.into())?, *stochastic))
            }
            Self::Game { stochastic, training, .. } => {
                Some(AtariOptions::training(*stochastic, training.as_ref()))
            }
        })
    }

    /// Whether every policy has exact values, those of the maze: not with sticky actions, under which
    /// a step is no step of the maze.
    #[must_use]
    pub const fn has_exact_values(&self) -> bool {
        matches!(self, Self::Maze(_) | Self::Cartridge { stochastic: false, .. })
    }

    /// Size of an observation.
    #[must_use]
    pub fn frame(&self) -> FrameShape {
        self.network().frame
    }
}

impl From<World> for Description {
    fn from(world: World) -> Self {
        let env = world.name().to_owned();
        let (stochastic, maze, atari) = match world {
            World::Maze(maze) => (false, Some(maze), None),
            World::Cartridge { maze, stochastic } => (stochastic, Some(maze), None),
            World::Game { stochastic, training, .. } => (stochastic, None, training),
        };
        Self { env, stochastic, maze, atari }
    }
}

impl TryFrom<Description> for World {
    type Error = WorldError;

    fn try_from(description: Description) -> Result<Self, WorldError> {
        let Description { env, stochastic, maze, atari } = description;
        Self::find(&env, stochastic, maze, atari)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_survives_its_description() {
        let maze = MazeConfig { cue: 0.5, ..MazeConfig::DEFAULT };
        let training = Some(AtariTraining { max_episode_steps: 7, ..AtariTraining::DEFAULT });
        let worlds = [
            World::find("Maze", true, Some(maze), training),
            World::find("maze_cartridge", true, Some(MazeConfig::DEFAULT), training),
            World::find("ms_pacman", true, Some(maze), training),
        ];
        let names = worlds.map(|world| {
            let world = world.expect("it exists");
            let text = serde_json::to_string(&world).expect("encodes");
            assert_eq!(serde_json::from_str::<World>(&text).expect("decodes"), world);
            let mut info = RunInfo {
                env: String::new(),
                stochastic: false,
                device: String::new(),
                version: String::new(),
                revision: String::new(),
                started: 0,
                maze: None,
                atari: None,
                saving: None,
            };
            world.describe(&mut info);
            assert_eq!(World::of_run(&info), Ok(world));
            world.name()
        });
        assert_eq!(names, [MAZE_NAME, CARTRIDGE_NAME, "MsPacman"]);
    }

    #[test]
    fn what_is_no_world_is_refused() {
        let maze = Some(MazeConfig { cue: 0.5, ..MazeConfig::DEFAULT });
        let find = |name, maze| World::find(name, false, maze, None).expect_err("no world");
        assert_eq!(find("maze", None), WorldError::NoMaze);
        assert!(matches!(find("MazeCartridge", maze), WorldError::Config(_)));
        assert!(find("Brekout", maze).to_string().contains("Breakout"));
        let training = Some(AtariTraining { max_episode_steps: 0, ..AtariTraining::DEFAULT });
        World::find("Pong", false, None, training).expect_err("no step");
    }

    #[test]
    fn networks_fit_the_rules() {
        for (name, actions) in [("MazeCartridge", 4), ("Breakout", 4), ("Pong", 6)] {
            let training = Some(AtariTraining::DEFAULT);
            let world = World::find(name, false, Some(MazeConfig::DEFAULT), training);
            let world = world.expect("it exists");
            let options = world.options(0.99).expect("in range").expect("it is on the emulator");
            assert_eq!((world.frame(), world.network().actions), (options.frame(), actions));
            assert_eq!(world.game().map(|game| game.n_actions()), Some(actions));
        }
    }
}
