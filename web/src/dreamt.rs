//! What the dream room shows of imagined steps: the plan that the visitor makes, returns, and the table.

use std::fmt::Write as _;

use deepspi_run::dreaming::{DreamtStep, LookedAhead};
use deepspi_run::maze::{DreamPlan, MazeDream};
use deepspi_worlds::maze::{Action, Maze};

use crate::cells::{self, ACTION_NAMES};
use crate::plot::{csv_field, number};

/// Most steps that are imagined.
pub const LONGEST: usize = deepspi_playground::play::LONGEST_DREAM;

/// Who chooses the actions, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// The actions of the visitor; none if the agent acts.
    pub own: Vec<Action>,
    /// Steps that are imagined if the agent acts.
    pub horizon: usize,
    /// Seed of all chance.
    pub seed: u64,
}

impl Default for Choices {
    fn default() -> Self {
        Self { own: Vec::new(), horizon: 8, seed: 1 }
    }
}

impl Choices {
    /// The plan from a state. The agent acts until the visitor presses an action.
    #[must_use]
    pub fn plan(&self, start: usize) -> DreamPlan {
        let follow = if self.own.is_empty() { self.horizon } else { 0 };
        DreamPlan { start, actions: self.own.clone(), follow, seed: self.seed }
    }

    /// Adds an action of the visitor, if there is room for it.
    pub fn press(&mut self, action: Action) {
        if self.own.len() < LONGEST {
            self.own.push(action);
        }
    }
}

/// Differences after each step, from 1: of the imagined return to the real one, and its bound.
///
/// A return is `sum_t gamma^t r_t` up to the step, plus `gamma^(t + 1) V` of where it leads.
#[must_use]
pub fn return_errors(looked: &LookedAhead, gamma: f64) -> Vec<[f64; 2]> {
    let (mut imagined, mut real, mut discount) = (0.0, 0.0, 1.0);
    let error = |step: &DreamtStep| {
        imagined += discount * f64::from(step.imagined_reward);
        real += discount * f64::from(step.reward);
        discount *= gamma;
        let rest = |value: f32| discount * f64::from(value);
        let difference = (imagined + rest(step.imagined_value)) - (real + rest(step.value));
        [difference.abs(), f64::from(step.bound)]
    };
    looked.steps.iter().map(error).collect()
}

/// How far an imagined latent is from the nearest and from the true latent, in units of the mean distance
/// of two `things`.
#[must_use]
pub fn sentence_of_distances([nearest, truth]: [f32; 2], typical: f64, things: &str) -> String {
    let relative = |distance: f32| number(f64::from(distance) / typical);
    format!(
        "Its latent is {} away and the true one {}, where two {things} are 1 apart on average.",
        relative(nearest),
        relative(truth)
    )
}

/// A short name of a state's cell.
#[must_use]
pub fn cell(maze: &Maze, state: usize) -> String {
    let (row, column) = maze.cell(state);
    format!("{} ({row}, {column})", cells::name(maze, state))
}

/// Name of an action.
#[must_use]
pub const fn action(action: Action) -> &'static str {
    ACTION_NAMES[action as usize]
}

/// The steps as CSV.
#[must_use]
pub fn csv(maze: &Maze, dream: &MazeDream, source: &str) -> String {
    let mut text = String::from(
        "step,action,cell,imagined_cell,distance,reward,imagined_reward,value,imagined_value,continuation,\
         bound,source\n",
    );
    let rows = dream.actions.iter().zip(&dream.states).zip(&dream.looked.steps);
    for (k, ((taken, state), step)) in rows.enumerate() {
        let near = step.nearest.map_or_else(String::new, |(state, _)| cell(maze, state));
        // Writing to a string cannot fail.
        let _written = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{}",
            k + 1,
            action(*taken),
            csv_field(&cell(maze, *state)),
            csv_field(&near),
            step.distance,
            step.reward,
            step.imagined_reward,
            step.value,
            step.imagined_value,
            step.continuation,
            step.bound,
            csv_field(source)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::maze::MazeConfig;

    use super::*;

    fn dream() -> MazeDream {
        let step = DreamtStep {
            action: 3,
            imagined_reward: 2.0,
            reward: 1.0,
            imagined_value: 4.0,
            value: 6.0,
            continuation: 0.5,
            distance: 1.5,
            nearest: Some((1, 0.25)),
            bound: 7.0,
        };
        MazeDream {
            plan: DreamPlan::default(),
            actions: vec![Action::Right; 2],
            states: vec![1, 2],
            looked: LookedAhead { steps: vec![step; 2] },
            typical_distance: 3.0,
        }
    }

    #[test]
    fn the_agent_acts_until_the_visitor_does() {
        let mut choices = Choices::default();
        assert_eq!((choices.plan(5).start, choices.plan(5).follow), (5, 8));
        for _ in 0..20 {
            choices.press(Action::Up);
        }
        let plan = choices.plan(5);
        assert_eq!((plan.actions.len(), plan.follow), (LONGEST, 0));
    }

    #[test]
    fn returns_are_discounted_and_end_with_the_value() {
        let errors = return_errors(&dream().looked, 0.5);
        // 2 + 0.5 * 4 against 1 + 0.5 * 6, then 3 + 0.25 * 4 against 1.5 + 0.25 * 6.
        assert_eq!(errors, [[0.0, 7.0], [1.0, 7.0]]);
    }

    #[test]
    fn a_row_for_every_step() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let text = csv(&maze, &dream(), "seed 1");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].starts_with("1,right,"), "{text}");
        assert!(lines[2].ends_with(",seed 1"), "{text}");
    }
}
