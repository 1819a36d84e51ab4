//! What the states of the maze are called.

use deepspi_core::maze::{Maze, Tile};

/// What a state is, with its place: "upper star, row 2, column 6" (both from 1).
#[must_use]
pub fn describe(maze: &Maze, state: usize) -> String {
    let (row, column) = maze.cell(state);
    format!("{}, row {}, column {}", name(maze, state), row + 1, column + 1)
}

fn name(maze: &Maze, state: usize) -> &'static str {
    let upper = maze.cell(state).0 < maze.cell(maze.start()).0;
    match (maze.tile(state), upper) {
        (Tile::Start, _) => "start",
        (Tile::Hazard, _) => "hazard",
        (Tile::Corridor, true) => "upper corridor",
        (Tile::Corridor, false) => "lower corridor",
        (Tile::Star, true) => "upper star",
        (Tile::Star, false) => "lower star",
        (Tile::Exit, true) => "upper exit",
        (Tile::Exit, false) => "lower exit",
        (Tile::Goal, _) => "goal",
        (Tile::Trap, _) => "trap",
        (Tile::Wall, _) => "wall",
    }
}

#[cfg(test)]
mod tests {
    use deepspi_core::maze::MazeConfig;

    use super::*;

    #[test]
    fn every_state_has_a_description_of_its_own() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let [upper, lower] = maze.stars();
        assert_eq!(describe(&maze, upper), "upper star, row 2, column 6");
        assert_eq!(describe(&maze, lower), "lower star, row 4, column 6");
        let all: std::collections::HashSet<_> =
            (0..maze.states()).map(|state| describe(&maze, state)).collect();
        assert_eq!(all.len(), maze.states());
    }
}
