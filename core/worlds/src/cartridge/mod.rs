//! The maze of the paper as a cartridge for the Atari 2600, which this project may give away.
//!
//! So there is a game on the emulator that needs no ROM of others and whose exact values are known.
//! `core/worlds/cartridge/maze.asm` is its source, `maze.bin` what [`assembler`] makes of it
//! (docs/cartridge.md). One agent step of four frames is one step of [`Maze`](crate::maze::Maze):
//! states, transitions, ends and rewards must stay those of the maze with n = 5 and epsilon = 1/5.
//!
//! ALE's games know no such cartridge. It is therefore no entry of
//! [`GAMES`](crate::atari::GAMES), and belongs into no benchmark and no score.

pub mod assembler;
mod game;
mod picture;
mod states;

pub use game::{
    ACTIONS, CARTRIDGE_NAME, Cell, FRAME, MAZE_CARTRIDGE, ROM, SOURCE, cell, check_maze, is_name,
    options,
};
pub use picture::{colour, picture};
pub use states::{StatesError, view};
