//! Names of the cells of a maze, moves between cells by arrow keys, and tables of cells as CSV.

use std::fmt::Write as _;

use deepspi_playground::experiment::AGENTS;
use deepspi_playground::protocol::AgentView;
use deepspi_run::maze::{MazeCells, MazeReport};
use deepspi_worlds::maze::{ACTIONS, Action, Maze, Tile};

use crate::plot::csv_field;

/// Names of the actions, in the order of their indices.
pub const ACTION_NAMES: [&str; ACTIONS] = ["up", "down", "left", "right"];

/// Describes the cell of a state in words.
#[must_use]
pub fn name(maze: &Maze, state: usize) -> &'static str {
    let [upper, _] = maze.stars();
    match maze.tile(state) {
        Tile::Wall => "wall",
        Tile::Start => "start",
        Tile::Hazard => "fork, where chance decides",
        Tile::Corridor if state < maze.start() => "upper corridor",
        Tile::Corridor => "lower corridor",
        Tile::Star if state == upper => "upper star",
        Tile::Star => "lower star",
        Tile::Exit => "exit",
        Tile::Goal => "goal",
        Tile::Trap => "trap",
    }
}

/// Describes the cell of a state and its position in words.
#[must_use]
pub fn heading(maze: &Maze, state: usize) -> String {
    let (row, column) = maze.cell(state);
    format!("Cell in row {row}, column {column}: {}", name(maze, state))
}

/// Axis label for a batch's advantages, which may have been divided by their standard deviation.
#[must_use]
pub const fn advantage_of_batch(normalised: bool) -> &'static str {
    if normalised { "advantage A, normalised" } else { "advantage A" }
}

/// Describes which advantage enters the utilities of the two agents.
#[must_use]
pub const fn advantage_in_utility(normalised: [bool; AGENTS]) -> &'static str {
    match normalised {
        [true, true] => "A divided by its standard deviation in the batch",
        [true, false] => {
            "A (that of the first agent divided by its standard deviation in the batch)"
        }
        [false, true] => {
            "A (that of the second agent divided by its standard deviation in the batch)"
        }
        [false, false] => "A",
    }
}

/// The next state in a direction: in the same row or column if possible, else the nearest state on
/// that side.
#[must_use]
pub fn neighbour(maze: &Maze, state: usize, direction: Action) -> Option<usize> {
    let place = |state| {
        let (row, column) = maze.cell(state);
        (row as i32, column as i32)
    };
    let (row, column) = place(state);
    let distance = |other: usize| {
        let (down, right) = (place(other).0 - row, place(other).1 - column);
        let (ahead, aside) = match direction {
            Action::Up => (-down, right),
            Action::Down => (down, right),
            Action::Left => (-right, down),
            Action::Right => (right, down),
        };
        (ahead > 0).then_some(ahead + 3 * aside.abs())
    };
    (0..maze.states())
        .filter_map(|other| Some((distance(other)?, other)))
        .min()
        .map(|(_, other)| other)
}

/// One row for each state, with its latent projected on two principal components.
#[must_use]
pub fn latents_csv(maze: &Maze, view: &AgentView, source: &str) -> String {
    let mut text = "state,row,column,cell,first_component,second_component,V,source\n".to_owned();
    let points = view.points.iter().flatten();
    for (state, ([x, y], value)) in points.zip(&view.report.values).enumerate() {
        let ((row, column), source) = (maze.cell(state), csv_field(source));
        let name = csv_field(name(maze, state));
        // Writing to a string cannot fail.
        let _written = writeln!(text, "{state},{row},{column},{name},{x},{y},{value},{source}");
    }
    text
}

/// One row for each state and action.
#[must_use]
pub fn csv(maze: &Maze, report: &MazeReport, cells: Option<&MazeCells>, source: &str) -> String {
    let mut text = "state,row,column,cell,action,probability,V,critic,Q,advantage,utility,\
                    reward_loss,transition_loss,source\n"
        .to_owned();
    let losses = cells.and_then(|cells| cells.losses.as_ref());
    for state in (0..maze.states()).filter(|state| !maze.tile(*state).is_terminal()) {
        let (row, column) = maze.cell(state);
        for action in Action::ALL {
            let index = state * ACTIONS + action as usize;
            let numbers = [
                Some(report.policy[index]),
                Some(report.values[state]),
                Some(report.critic[state]),
                Some(report.q[index]),
                Some(report.advantage[index]),
                cells.map(|cells| cells.utility[index]),
                losses.map(|losses| losses.reward[index]),
                losses.map(|losses| losses.transition[index]),
            ];
            let numbers = numbers.map(|x| x.map_or_else(String::new, |x| x.to_string())).join(",");
            let (cell, action) = (name(maze, state), ACTION_NAMES[action as usize]);
            // Writing to a string cannot fail.
            let _written = writeln!(
                text,
                "{state},{row},{column},\"{cell}\",{action},{numbers},\"{}\"",
                source.replace('"', "\"\"")
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::maze::MazeConfig;

    use super::*;

    fn maze() -> Maze {
        Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid")
    }

    #[test]
    fn advantages_are_called_normalised_only_where_they_are() {
        for normalised in [[true, true], [true, false], [false, true], [false, false]] {
            for agent in normalised {
                assert_eq!(advantage_of_batch(agent).contains("normalised"), agent);
            }
            let text = advantage_in_utility(normalised);
            assert_eq!(text.contains("deviation"), normalised.contains(&true), "{text}");
            assert_eq!(text.contains("first"), normalised == [true, false], "{text}");
            assert_eq!(text.contains("second"), normalised == [false, true], "{text}");
        }
    }

    #[test]
    fn arrow_keys_reach_every_state_from_the_start() {
        let maze = maze();
        let mut reached = vec![maze.start()];
        let mut next = 0;
        while let Some(state) = reached.get(next).copied() {
            next += 1;
            for direction in Action::ALL {
                let found = neighbour(&maze, state, direction);
                reached.extend(found.filter(|found| !reached.contains(found)));
            }
        }
        assert_eq!(reached.len(), maze.states());
    }

    #[test]
    fn arrow_keys_go_along_a_corridor_and_stop_at_the_edge() {
        let maze = maze();
        let [upper, lower] = maze.stars();
        assert_eq!(neighbour(&maze, upper, Action::Left), Some(upper - 1));
        assert_eq!(maze.tile(neighbour(&maze, upper, Action::Up).expect("there")), Tile::Goal);
        assert_eq!(maze.tile(neighbour(&maze, lower, Action::Up).expect("there")), Tile::Trap);
        assert_eq!(neighbour(&maze, maze.start(), Action::Left), None);
        assert_eq!((name(&maze, upper), name(&maze, lower)), ("upper star", "lower star"));
        assert_eq!(heading(&maze, upper), "Cell in row 1, column 5: upper star");
    }

    #[test]
    fn the_table_has_a_row_for_each_state_and_action_where_one_is_taken() {
        let maze = maze();
        let table = vec![0.25; maze.states() * ACTIONS];
        let report = MazeReport {
            start_value: 0.0,
            star_distance: 0.0,
            relative_star_distance: 0.0,
            policy: table.clone(),
            values: vec![1.5; maze.states()],
            q: table.clone(),
            advantage: table,
            critic: vec![0.0; maze.states()],
            latents: Vec::new(),
        };
        let text = csv(&maze, &report, None, "seed 1, cpu");
        assert_eq!(text.lines().count(), 1 + 12 * ACTIONS);
        let start = text.lines().find(|line| line.contains("\"start\",right")).expect("there");
        assert_eq!(start, "7,2,0,\"start\",right,0.25,1.5,0,0.25,0.25,,,,\"seed 1, cpu\"");
    }
}
