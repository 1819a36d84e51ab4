//! The observation of every state, taken from the console by playing.

use super::game::{self, MAZE_CARTRIDGE, cell, options};
use crate::atari::{AtariEnv, AtariError, Console, ConsoleError};
use crate::maze::{Action, Maze, MazeView};

/// Common seed of the games that are played; the states do not depend on it.
const SEED: u64 = 0;
/// Games after which something must be wrong: about ten show all states.
const GAMES: u32 = 1000;

/// Why the observations of all states could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum StatesError {
    /// The emulator failed.
    #[error(transparent)]
    Atari(#[from] AtariError),
    /// The console shows a cell that the maze does not have.
    #[error("the cartridge shows the agent in row {0}, column {1}, which is no state of the maze")]
    Cell(usize, usize),
    /// A state was seen with two observations.
    #[error("state {0} of the maze does not always look the same")]
    Ambiguous(usize),
    /// A state was never reached.
    #[error("state {0} of the maze was not reached in 1000 games of the cartridge")]
    Unseen(usize),
}

/// What an agent sees in every state of the maze. `console` makes the console with the cartridge.
///
/// The games are always the same: RIGHT everywhere, and at a star the action whose end has not been
/// seen yet.
///
/// # Errors
/// If the emulator fails or does not play this maze.
pub fn view<C: Console>(
    maze: &Maze,
    console: impl FnOnce(i32) -> Result<C, ConsoleError>,
) -> Result<MazeView, StatesError> {
    let options = options(maze, false);
    let mut env = AtariEnv::new(options, SEED, 0, console)?;
    let mut stack = vec![0; options.observation_len()];
    let mut frames: Vec<Option<Vec<u8>>> = vec![None; maze.states()];
    for _ in 0..GAMES {
        env.reset(&mut stack)?;
        loop {
            let state = look(maze, &env, &stack, &mut frames)?;
            if maze.tile(state).is_terminal() {
                break;
            }
            let above = maze.outcomes(state, Action::Up)[0].1;
            let new = maze.stars().contains(&state) && frames[above].is_none();
            let action = if new { Action::Up } else { Action::Right };
            let number = game::ACTIONS.iter().position(|&one| one == action);
            let number = number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
            env.step(number, &mut stack)?;
        }
        if frames.iter().all(Option::is_some) {
            break;
        }
    }
    let seen = frames.into_iter().enumerate();
    let frames = seen.map(|(state, frame)| frame.ok_or(StatesError::Unseen(state)));
    Ok(MazeView {
        shape: options.frame(),
        frames: frames.collect::<Result<_, _>>()?,
        actions: game::ACTIONS,
    })
}

/// Remembers the observation of the console's state, and returns that state.
fn look<C: Console>(
    maze: &Maze,
    env: &AtariEnv<C>,
    stack: &[u8],
    frames: &mut [Option<Vec<u8>>],
) -> Result<usize, StatesError> {
    debug_assert_eq!(env.game(), &MAZE_CARTRIDGE, "another cartridge is in the console");
    let (row, column) = cell(&env.console().ram());
    let state = (0..maze.states()).find(|&state| maze.cell(state) == (row, column));
    let state = state.ok_or(StatesError::Cell(row, column))?;
    match &frames[state] {
        None => frames[state] = Some(stack.to_vec()),
        Some(before) if before == stack => {}
        Some(_) => return Err(StatesError::Ambiguous(state)),
    }
    Ok(state)
}
