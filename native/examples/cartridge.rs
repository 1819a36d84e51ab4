//! Assembles the project's cartridge and makes the picture of it: `cargo run -p native --example
//! cartridge`.
//!
//! `core/worlds/cartridge/maze.bin` is written if it is not what the source gives. The checksums in
//! `core/worlds/src/cartridge/game.rs` (MD5) and `check` (SHA-256) must then be replaced by those
//! that are printed, and the program be built again. If it is, `docs/cartridge.png` is written:
//! above, the screen at the start and at both stars; below, what the agent sees there.

use std::path::Path;

use deepspi_ale::{Emulator, Rom, RomError};
use deepspi_worlds::atari::{Console, ConsoleError, FRAME_HEIGHT, FRAME_WIDTH, OBS_SIDE};
use deepspi_worlds::cartridge::{self, MAZE_CARTRIDGE, ROM, SOURCE, assembler::assemble};
use deepspi_worlds::maze::{Maze, MazeConfig};
use resvg::tiny_skia::{Pixmap, PremultipliedColorU8};
use sha2::{Digest as _, Sha256};

/// ALE's id of RIGHT.
const RIGHT: u8 = 3;
/// Enlargement of the screen, whose pixels are about twice as wide as high, and of an observation.
const SCREEN: (usize, usize) = (2, 1);
const SEEN: (usize, usize) = (3, 3);
/// Width of a picture with its margin; height of a screen with its margin.
const CELL: (usize, usize) = (FRAME_WIDTH * SCREEN.0 + 8, FRAME_HEIGHT * SCREEN.1 + 8);

fn main() -> Result<(), ConsoleError> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .join("..")
        .canonicalize()?;
    let bytes = assemble(SOURCE)?;
    if bytes[..] != ROM[..] {
        let path = root.join("core/worlds/cartridge/maze.bin");
        std::fs::write(&path, &bytes)?;
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        println!("wrote {}; SHA-256 {sum}", path.display());
        if let Err(RomError::Checksum { found, .. }) = Rom::new(&MAZE_CARTRIDGE, bytes, path) {
            println!("MD5 {found}");
        }
        return Ok(());
    }
    println!("maze.bin is what maze.asm gives");
    let path = root.join("docs/cartridge.png");
    picture()?.save_png(&path)?;
    println!("wrote {}", path.display());
    Ok(())
}

/// Start and both stars, as on the screen and as an agent sees them.
fn picture() -> Result<Pixmap, ConsoleError> {
    let rom = Rom::maze_cartridge()?;
    let console = |seed| Emulator::new(&rom, seed, 0.0).map_err(ConsoleError::from);
    let maze = Maze::new(MazeConfig::DEFAULT, 0.99)?;
    let view = cartridge::view(&maze, console)?;
    let [upper, lower] = maze.stars();
    let states = [maze.start(), upper, lower];
    let height = CELL.1 + OBS_SIDE * SEEN.1;
    let size = |pixels: usize| u32::try_from(pixels);
    let mut picture = Pixmap::new(size(CELL.0 * states.len() - 8)?, size(height)?)
        .ok_or("the picture is too large")?;
    for (column, state) in states.into_iter().enumerate() {
        let screen = screen_of(&maze, state, console(1)?)?;
        draw(&mut picture, (column * CELL.0, 0), SCREEN, (&screen, FRAME_WIDTH));
        let seen: Vec<[u8; 3]> = view.frames[state].iter().map(|&gray| [gray; 3]).collect();
        let left = column * CELL.0 + (CELL.0 - 8 - OBS_SIDE * SEEN.0) / 2;
        draw(&mut picture, (left, CELL.1), SEEN, (&seen, OBS_SIDE));
    }
    Ok(picture)
}

/// The screen with the agent in a state to which RIGHT leads.
fn screen_of(
    maze: &Maze,
    state: usize,
    mut console: Emulator,
) -> Result<Vec<[u8; 3]>, ConsoleError> {
    for seed in 1..1000 {
        console.reset_with_seed(seed)?;
        while !console.game_over() {
            if cartridge::cell(&console.ram()) == maze.cell(state) {
                return Ok(console.screen_rgb().as_chunks::<3>().0.to_vec());
            }
            console.act(RIGHT)?;
        }
    }
    Err("the state was not reached".into())
}

/// Copies an image with its upper left corner at `(left, top)`, enlarged.
fn draw(
    picture: &mut Pixmap,
    (left, top): (usize, usize),
    scale: (usize, usize),
    (pixels, width): (&[[u8; 3]], usize),
) {
    let row_length = picture.width() as usize;
    for (y, source) in pixels.chunks_exact(width).enumerate() {
        for line in 0..scale.1 {
            let start = (top + y * scale.1 + line) * row_length + left;
            let row = &mut picture.pixels_mut()[start..start + width * scale.0];
            for (target, &[red, green, blue]) in row.chunks_exact_mut(scale.0).zip(source) {
                if let Some(colour) = PremultipliedColorU8::from_rgba(red, green, blue, u8::MAX) {
                    target.fill(colour);
                }
            }
        }
    }
}
