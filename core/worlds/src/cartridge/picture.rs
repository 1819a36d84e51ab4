//! The cartridge's picture without an emulator, drawn from the tables in its bytes.
//!
//! So a page can show the game before it loads the emulator. A line here must have the colours that
//! the kernel in `maze.asm` gives it; a test plays the game and compares every state.

use super::game::{Cell, ROM};
use crate::atari::{FRAME_HEIGHT, FRAME_PIXELS, FRAME_WIDTH};

/// Palette index and colour (red, green, blue) of everything in the picture.
const COLOURS: [(u8, [u8; 3]); 8] = [
    (BLACK, [0, 0, 0]),
    (AGENT, [236, 236, 236]),
    (STAR, [232, 232, 74]),
    (PELLET, [213, 130, 74]),
    (TRAP, [184, 50, 50]),
    (HAZARD, [146, 70, 192]),
    (WALL, [45, 50, 184]),
    (GOAL, [111, 210, 111]),
];
const BLACK: u8 = 0;
const AGENT: u8 = 0x0E;
const STAR: u8 = 0x1C;
const PELLET: u8 = 0x38;
const TRAP: u8 = 0x44;
const HAZARD: u8 = 0x66;
const WALL: u8 = 0x84;
const GOAL: u8 = 0xCA;

/// Lines of a row of the maze.
const ROW: usize = 35;
/// First line of the wall above the rows, of the rows, and of the wall below them; end of that wall.
const LINES: [usize; 4] = [3, 15, 15 + 4 * ROW, 195];
/// Columns of the console's picture for a column of the maze, a pixel of the playfield, and a pixel
/// of a sprite.
const COLUMN: usize = 20;
const PIXEL: usize = 4;
const SPRITE_PIXEL: usize = 2;
/// Columns of the console's picture before a sprite, within its column of the maze.
const MARGIN: usize = 2;
/// The column of the maze with goal, stars and trap.
const MIDDLE: usize = 5;

/// Where the tables of [`ROW`] bytes begin in the cartridge, in the order of the source.
mod table {
    pub const AGENT: usize = 0x000;
    pub const STAR: usize = 0x046;
    pub const PELLET_A: usize = 0x069;
    pub const PELLET_B: usize = 0x08C;
    pub const EXIT_A: usize = 0x0AF;
    pub const EXIT_B: usize = 0x0D2;
    pub const GOAL: usize = 0x100;
    pub const TRAP: usize = 0x123;
    pub const CHECKER: usize = 0x146;
    pub const TRAP_ROW: usize = 0x169;
}

/// The picture with the agent in a cell, `[210, 160]`, as palette indices.
#[must_use]
pub fn picture(agent: Cell) -> Vec<u8> {
    let mut pixels = vec![BLACK; FRAME_PIXELS];
    for (line, row) in pixels.chunks_exact_mut(FRAME_WIDTH).enumerate() {
        let [wall, maze, below, end] = LINES;
        if (wall..maze).contains(&line) || (below..end).contains(&line) {
            row.fill(WALL);
        } else if (maze..below).contains(&line) {
            let (number, within) = ((line - maze) / ROW, (line - maze) % ROW);
            draw(row, number, ROW - 1 - within, agent);
        }
    }
    debug_assert_eq!(pixels.len(), FRAME_HEIGHT * FRAME_WIDTH, "all lines are drawn");
    pixels
}

/// Red, green and blue of a palette index of [`picture`]; black for any other.
#[must_use]
pub fn colour(index: u8) -> [u8; 3] {
    COLOURS.iter().find(|(known, _)| *known == index).map_or([0; 3], |(_, colour)| *colour)
}

/// Draws a line of a row of the maze; lines count down to 0, as in the tables.
fn draw(row: &mut [u8], number: usize, line: usize, agent: Cell) {
    let of = |table: usize| ROM[table + line];
    // The registers PF0, PF1 and PF2 for the left half, and again for the right half.
    let (field, sprite) = match number {
        0 => ([0xF0, 0xFF, 0xFF, 0xF0, 0x83, 0xFF], (of(table::GOAL), GOAL)),
        2 => {
            let field = [0x00, of(table::CHECKER), 0xFF, 0xF0, of(table::TRAP_ROW), 0xFF];
            (field, (of(table::TRAP), TRAP))
        }
        _ => {
            let [a, b] = [of(table::PELLET_A), of(table::PELLET_B)];
            let field = [0xF0, 0x80, a, b, of(table::EXIT_A), of(table::EXIT_B)];
            (field, (of(table::STAR), STAR))
        }
    };
    let [left, right] =
        [playfield([field[0], field[1], field[2]]), playfield([field[3], field[4], field[5]])];
    for (at, on) in left.into_iter().chain(right).enumerate() {
        // The kernel changes the colour while the beam draws the line.
        let colour = match (number, at) {
            (2, 0..=8) => HAZARD,
            (1 | 3, 5..=33) => PELLET,
            _ => WALL,
        };
        if on {
            row[at * PIXEL..][..PIXEL].fill(colour);
        }
    }
    stamp(row, MIDDLE, sprite);
    // The agent is in front of everything.
    if agent.0 == number {
        stamp(row, agent.1, (of(table::AGENT), AGENT));
    }
}

/// The 20 pixels of half a line, from the registers.
fn playfield([first, second, third]: [u8; 3]) -> [bool; 20] {
    std::array::from_fn(|at| match at {
        0..4 => first >> (4 + at) & 1 == 1,
        4..12 => second >> (11 - at) & 1 == 1,
        _ => third >> (at - 12) & 1 == 1,
    })
}

/// Draws a line of a sprite of double width into a column of the maze.
fn stamp(row: &mut [u8], column: usize, (shape, colour): (u8, u8)) {
    for bit in (0..8).filter(|bit| shape >> (7 - bit) & 1 == 1) {
        let x = column * COLUMN + MARGIN + bit * SPRITE_PIXEL;
        row[x..x + SPRITE_PIXEL].fill(colour);
    }
}
