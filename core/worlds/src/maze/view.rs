//! What an agent sees of a maze: the analysis of agents must not know where the pictures come from.

use super::rules::{ACTIONS, Action, Maze};
use crate::frame::FrameShape;

/// What an agent sees in every state of a maze, and how it numbers the actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MazeView {
    /// Size of an observation.
    pub shape: FrameShape,
    /// Observation `[C, H, W]` of every state, `[S]`.
    pub frames: Vec<Vec<u8>>,
    /// What the agent's action `k` means.
    pub actions: [Action; ACTIONS],
}

impl MazeView {
    /// The view of an agent that was trained on the pictures of the maze itself.
    #[must_use]
    pub fn of(maze: &Maze) -> Self {
        Self {
            shape: maze.config().preset.frame(),
            frames: (0..maze.states()).map(|state| maze.frame(state)).collect(),
            actions: Action::ALL,
        }
    }

    /// The agent's number of an action.
    #[must_use]
    pub fn number(&self, action: Action) -> usize {
        self.actions.iter().position(|&one| one == action).unwrap_or(action as usize)
    }

    /// Entries for each action, `[S, A]`, from the agent's order into that of [`Action::ALL`].
    #[must_use]
    pub fn in_order_of_maze<T: Copy>(&self, entries: &[T]) -> Vec<T> {
        let row = |row: &[T]| Action::ALL.map(|action| row[self.number(action)]);
        entries.chunks_exact(ACTIONS).flat_map(row).collect()
    }
}

/// A maze and what an agent sees of it.
#[derive(Clone, Copy, Debug)]
pub struct SeenMaze<'a> {
    /// The rules.
    pub maze: &'a Maze,
    /// The agent's side of them.
    pub view: &'a MazeView,
}

#[cfg(test)]
mod tests {
    use super::super::MazeConfig;
    use super::*;

    #[test]
    fn entries_of_other_numbers_come_into_the_order_of_the_maze() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let own = MazeView::of(&maze);
        assert_eq!(own.in_order_of_maze(&[1, 2, 3, 4]), [1, 2, 3, 4]);
        let actions = [Action::Up, Action::Right, Action::Left, Action::Down];
        let other = MazeView { actions, ..own };
        let [up, right, left, down] = [1, 2, 3, 4];
        assert_eq!(other.in_order_of_maze(&[up, right, left, down]), [up, down, left, right]);
    }
}
