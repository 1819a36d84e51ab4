//! The cartridge as a game: its bytes, its actions, its rewards, and where its RAM holds the state.

use deepspi_options::ConfigError;

use crate::atari::games::normalised;
use crate::atari::{AtariOptions, EmulatorSeeds, Game, OBS_SIDE, RAM_BYTES, Rewards};
use crate::frame::FrameShape;
use crate::maze::{self, Action, LIMIT, Maze, MazeConfig, MazeReset};

/// Name on the command line and in run folders.
pub const CARTRIDGE_NAME: &str = "MazeCartridge";

/// The source in 6502 assembly.
pub const SOURCE: &str = include_str!("../../cartridge/maze.asm");

/// The assembled bytes. A test assembles the source again and compares.
pub const ROM: &[u8; 2048] = include_bytes!("../../cartridge/maze.bin");

/// The cartridge as a game. It is not in the table of games: see the module documentation.
pub static MAZE_CARTRIDGE: Game = Game {
    name: CARTRIDGE_NAME,
    stem: "maze_cartridge",
    md5: "846de4a20c83a6add099cd9800b9a248",
    // UP, RIGHT, LEFT, DOWN: the rules must not press FIRE, which starts a new episode.
    actions: &[2, 3, 4, 5],
    lives_constant: true,
};

/// What the agent's actions mean, in the order of [`Game::actions`].
pub const ACTIONS: [Action; maze::ACTIONS] =
    [Action::Up, Action::Right, Action::Left, Action::Down];

/// Size of an observation: a single frame shows the whole state, and with a stack, a state would
/// have many observations.
pub const FRAME: FrameShape = FrameShape { channels: 1, height: OBS_SIDE, width: OBS_SIDE };

/// RAM bytes with row and column of the agent.
const CELL: [usize; 2] = [0x02, 0x03];

/// A row and a column.
pub type Cell = (usize, usize);

/// Whether a name on the command line means the cartridge, in any of the spellings of a game.
#[must_use]
pub fn is_name(name: &str) -> bool {
    normalised(name) == normalised(MAZE_CARTRIDGE.stem)
}

/// Where the agent is, from the console's RAM.
#[must_use]
pub fn cell(ram: &[u8; RAM_BYTES]) -> Cell {
    let [row, column] = CELL.map(|at| usize::from(ram[at]));
    (row, column)
}

/// Checks that the cartridge has this maze.
///
/// # Errors
/// The first field with another value than that of the cartridge.
pub fn check_maze(config: &MazeConfig) -> Result<(), ConfigError> {
    let MazeConfig { n_path, epsilon, cue, maze_reset, preset: _ } = *config;
    let only = MazeConfig::DEFAULT;
    for (field, right, value, allowed) in [
        (
            "n_path",
            n_path == only.n_path,
            n_path.to_string(),
            "5 on the cartridge, whose maze is fixed; `--env maze` has others",
        ),
        (
            "epsilon",
            epsilon.to_bits() == only.epsilon.to_bits(),
            epsilon.to_string(),
            "0.2 on the cartridge, whose maze is fixed; `--env maze` has others",
        ),
        (
            "cue",
            cue.to_bits() == only.cue.to_bits(),
            cue.to_string(),
            "1 on the cartridge, whose picture is fixed; `--env maze` has others",
        ),
        (
            "maze_reset",
            maze_reset == MazeReset::Terminal,
            maze_reset.to_string(),
            "terminal on the cartridge",
        ),
    ] {
        if !right {
            return Err(ConfigError { field, value, allowed });
        }
    }
    Ok(())
}

/// The rules under which an agent step is a step of `maze`. With `stochastic`, sticky actions and
/// no-ops are those of the paper's Atari games, and values of the maze are no longer exact.
#[must_use]
pub fn options(maze: &Maze, stochastic: bool) -> AtariOptions {
    let base = if stochastic {
        AtariOptions::stochastic()
    } else {
        // Each game has a seed of its own, so that no-ops would only cost time.
        AtariOptions { noop_max: 0, ..AtariOptions::default() }
    };
    let [upper, lower] = maze.stars();
    let values = [(upper, Action::Right), (upper, Action::Up), (lower, Action::Up)]
        .map(|(state, action)| maze.reward(state, action));
    AtariOptions {
        episodic_life: false,
        reward_clip: false,
        rewards: Rewards::Codes([0.0, values[0], values[1], values[2]]),
        use_fire_reset: false,
        max_episode_steps: LIMIT,
        limit_per_life: false,
        emulator_seeds: EmulatorSeeds::Hashed,
        stack: FRAME.channels,
        ..base
    }
}

#[cfg(test)]
mod tests {
    use super::super::assembler::assemble;
    use super::*;
    use crate::atari::{GAMES, Game};

    #[test]
    fn the_bytes_are_those_of_the_source() {
        let assembled = assemble(SOURCE).expect("the source is right");
        assert_eq!(assembled.len(), ROM.len());
        let differ = assembled.iter().zip(ROM).position(|(a, b)| a != b);
        assert_eq!(
            differ, None,
            "maze.bin is not maze.asm: write it again with `cargo run -p native --example \
             cartridge`"
        );
    }

    #[test]
    fn no_bytes_look_like_another_kind_of_cartridge() {
        for sequence in [[0x9D, 0xFF, 0xF3], [0x99, 0x00, 0xF4]] {
            assert!(!ROM.windows(3).any(|bytes| bytes == sequence), "{sequence:x?}");
        }
        assert_eq!(ROM[0x7FC..0x7FE], ROM[0x7FE..], "reset and break go to the same place");
    }

    #[test]
    fn it_is_no_game_of_the_benchmark() {
        assert!(GAMES.iter().all(|game| *game != MAZE_CARTRIDGE));
        Game::find(CARTRIDGE_NAME).expect_err("only its own world knows it");
        for name in ["MazeCartridge", "maze_cartridge", "MazeCartridge-v5", "MAZECARTRIDGE"] {
            assert!(is_name(name), "{name}");
        }
        assert!(!is_name("maze") && !is_name("Maze-v5"));
    }

    #[test]
    fn another_maze_is_refused_with_its_field() {
        let right = MazeConfig::DEFAULT;
        check_maze(&right).expect("the maze of the cartridge");
        for (config, words) in [
            (MazeConfig { n_path: 6, ..right }, "`n_path` is 6; allowed: 5"),
            (MazeConfig { epsilon: 0.3, ..right }, "`epsilon` is 0.3; allowed: 0.2"),
            (MazeConfig { cue: 0.5, ..right }, "`cue` is 0.5; allowed: 1"),
            (MazeConfig { maze_reset: MazeReset::Parity, ..right }, "`maze_reset` is parity"),
        ] {
            let error = check_maze(&config).expect_err("another maze").to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn codes_are_worth_what_the_maze_pays() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let rewards = options(&maze, false).rewards;
        let value = |code| rewards.value(code).expect("a code");
        assert!((value(2) - 5.0 / 0.99_f64.powi(5)).abs() < 1e-12);
        assert!((value(3) + 9.0 * value(2)).abs() < 1e-9);
        assert_eq!([value(0), value(1)], [0.0, 1.0]);
        for code in [-1, 4] {
            assert!(rewards.value(code).is_err(), "{code}");
        }
    }
}
