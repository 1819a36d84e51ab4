//! Layout, transitions and rewards (docs/theory.md, section 7).
//!
//! ```text
//! row 0  # # # # # G # #      G goal (0, n)
//! row 1  # > > > > * W #      > corridor, columns 1 to n - 1; * star, column n; W exit
//! row 2  I @ # # # F # #      I start, @ hazard, F trap (2, n)
//! row 3  # > > > > * W #
//! row 4  # # # # # # # #
//! ```

use deepspi_options::ConfigError;
use deepspi_theory::{Mdp, MdpParts, Policy, TheoryError};
use serde::{Deserialize, Serialize};

use super::config::MazeConfig;

/// Number of actions.
pub const ACTIONS: usize = 4;
/// Rows of the grid.
pub(super) const ROWS: usize = 5;
/// Rows of the upper and the lower corridor.
const CORRIDORS: [usize; 2] = [1, 3];
/// Row of start, hazard and trap.
const MIDDLE: usize = 2;
/// The largest reward or cost at which single precision still resolves rewards of 1.
const LARGEST_REWARD: f64 = 1e6;

/// The actions, in the order of the policy's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Row - 1.
    Up,
    /// Row + 1.
    Down,
    /// Column - 1; never useful.
    Left,
    /// Column + 1.
    Right,
}

impl Action {
    /// All actions in the order of the policy's outputs.
    pub const ALL: [Self; ACTIONS] = [Self::Up, Self::Down, Self::Left, Self::Right];
}

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tile {
    /// Not a state.
    Wall,
    /// Where episodes start.
    Start,
    /// Leads to the upper corridor, or with probability epsilon to the lower one.
    Hazard,
    /// A cell of a corridor before its star.
    Corridor,
    /// The critical cell at a corridor's end.
    Star,
    /// Behind a star: ends the episode.
    Exit,
    /// Above the upper star: ends the episode with the large reward.
    Goal,
    /// Above the lower star, reached by the same action: ends the episode with the large cost.
    Trap,
}

impl Tile {
    /// Whether an episode ends here.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Exit | Self::Goal | Self::Trap)
    }
}

/// The possible next states of an action: one or two `(probability, state)`.
pub type Outcomes = Vec<(f64, usize)>;

/// One maze with its discount factor; the rewards depend on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Maze {
    config: MazeConfig,
    gamma: f64,
    /// `(row, column)` of every state, row-major.
    cells: Vec<(usize, usize)>,
}

impl Maze {
    /// The maze of a configuration.
    ///
    /// # Errors
    /// If a parameter is out of range, or gamma is so small that `n / gamma^n` cannot be
    /// represented.
    pub fn new(config: MazeConfig, gamma: f64) -> Result<Self, ConfigError> {
        config.validate()?;
        let mut maze = Self { config, gamma, cells: Vec::new() };
        let cost = maze.trap_reward().abs();
        if !(gamma > 0.0 && gamma < 1.0 && cost < LARGEST_REWARD) {
            return Err(ConfigError {
                field: "gamma",
                value: gamma.to_string(),
                allowed: "for the maze below 1 and large enough that 2 n / (epsilon gamma^n), the \
                          cost of the trap, stays below a million",
            });
        }
        let grid = (0..ROWS).flat_map(|row| (0..maze.columns()).map(move |column| (row, column)));
        maze.cells =
            grid.filter(|&(row, column)| maze.tile_at(row, column) != Tile::Wall).collect();
        Ok(maze)
    }

    /// Parameters.
    #[must_use]
    pub const fn config(&self) -> &MazeConfig {
        &self.config
    }

    /// Discount factor.
    #[must_use]
    pub const fn gamma(&self) -> f64 {
        self.gamma
    }

    /// Columns of the grid.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.config.n_path + 3
    }

    /// Number S of states: the cells that are not walls, row-major.
    #[must_use]
    pub fn states(&self) -> usize {
        self.cells.len()
    }

    /// `(row, column)` of a state.
    #[must_use]
    pub fn cell(&self, state: usize) -> (usize, usize) {
        self.cells[state]
    }

    /// What the cell at `(row, column)` is.
    #[must_use]
    pub fn tile_at(&self, row: usize, column: usize) -> Tile {
        let n = self.config.n_path;
        match (row, column) {
            (0, c) if c == n => Tile::Goal,
            (MIDDLE, 0) => Tile::Start,
            (MIDDLE, 1) => Tile::Hazard,
            (MIDDLE, c) if c == n => Tile::Trap,
            (row, c) if CORRIDORS.contains(&row) && (1..n).contains(&c) => Tile::Corridor,
            (row, c) if CORRIDORS.contains(&row) && c == n => Tile::Star,
            (row, c) if CORRIDORS.contains(&row) && c == n + 1 => Tile::Exit,
            _ => Tile::Wall,
        }
    }

    /// What the cell of a state is.
    #[must_use]
    pub fn tile(&self, state: usize) -> Tile {
        let (row, column) = self.cells[state];
        self.tile_at(row, column)
    }

    /// State s_I in which episodes start.
    #[must_use]
    pub const fn start(&self) -> usize {
        self.config.n_path + 2
    }

    /// The critical states: upper and lower star.
    #[must_use]
    pub const fn stars(&self) -> [usize; 2] {
        [self.config.n_path, 2 * self.config.n_path + 4]
    }

    /// The possible next states of `action` in `state`.
    #[must_use]
    pub fn outcomes(&self, state: usize, action: Action) -> Outcomes {
        let (row, column) = self.cells[state];
        let next = match (self.tile(state), action) {
            (Tile::Hazard, _) => {
                let entry = CORRIDORS.map(|row| self.state_at(row, 1));
                return vec![
                    (1.0 - self.config.epsilon, entry[0]),
                    (self.config.epsilon, entry[1]),
                ];
            }
            (Tile::Start | Tile::Corridor | Tile::Star, Action::Right) => {
                self.state_at(row, column + 1)
            }
            (Tile::Star, Action::Up) => self.state_at(row - 1, column),
            _ => state,
        };
        vec![(1.0, next)]
    }

    /// Reward of `action` in `state`.
    #[must_use]
    pub fn reward(&self, state: usize, action: Action) -> f64 {
        match (self.tile(state), action) {
            (Tile::Corridor | Tile::Star, Action::Right) => 1.0,
            (Tile::Star, Action::Up) if state == self.stars()[0] => self.goal_reward(),
            (Tile::Star, Action::Up) => self.trap_reward(),
            _ => 0.0,
        }
    }

    /// `n / gamma^n`.
    fn goal_reward(&self) -> f64 {
        self.config.n_path as f64 / self.gamma.powi(self.config.n_path as i32)
    }

    /// `-(2 - epsilon) n / (epsilon gamma^n)`: averaged over both stars, going up costs
    /// `n / gamma^n`.
    fn trap_reward(&self) -> f64 {
        let epsilon = self.config.epsilon;
        -(2.0 - epsilon) / epsilon * self.goal_reward()
    }

    /// The exact model.
    ///
    /// # Errors
    /// Never for a maze that was constructed; the conditions are those of [`Mdp::new`].
    pub fn mdp(&self) -> Result<Mdp, TheoryError> {
        let pairs = || {
            (0..self.states()).flat_map(|s| Action::ALL.into_iter().map(move |action| (s, action)))
        };
        let row = |(state, action)| {
            self.outcomes(state, action).into_iter().map(|(p, next)| (next, p)).collect()
        };
        Mdp::new(MdpParts {
            states: self.states(),
            actions: ACTIONS,
            transitions: pairs().map(row).collect(),
            rewards: pairs().map(|(state, action)| self.reward(state, action)).collect(),
            gamma: self.gamma,
            start: self.start(),
            terminal: (0..self.states()).map(|s| self.tile(s).is_terminal()).collect(),
        })
    }

    /// The deterministic policy that takes the given actions at the two stars and goes right
    /// everywhere else.
    ///
    /// # Errors
    /// Never for a maze that was constructed.
    pub fn policy_with_stars(&self, at_stars: [Action; 2]) -> Result<Policy, TheoryError> {
        let mut actions = vec![Action::Right as usize; self.states()];
        for (star, action) in self.stars().into_iter().zip(at_stars) {
            actions[star] = action as usize;
        }
        Policy::deterministic(&actions, ACTIONS)
    }

    fn state_at(&self, row: usize, column: usize) -> usize {
        // The caller must name a cell that is not a wall; cells are sorted row-major.
        self.cells.partition_point(|&cell| cell < (row, column))
    }
}

#[cfg(test)]
mod tests {
    use deepspi_theory::{evaluate, optimal};

    use super::*;

    fn maze(n_path: usize) -> Maze {
        Maze::new(MazeConfig { n_path, ..MazeConfig::DEFAULT }, 0.99).expect("valid")
    }

    /// Values at the start of four policies: optimal, always right, up at both stars, the wrong
    /// action at both stars.
    fn values(n_path: usize) -> [f64; 4] {
        let maze = maze(n_path);
        let mdp = maze.mdp().expect("valid");
        [
            [Action::Up, Action::Right],
            [Action::Right, Action::Right],
            [Action::Up, Action::Up],
            [Action::Right, Action::Up],
        ]
        .map(|stars| {
            let policy = maze.policy_with_stars(stars).expect("valid");
            evaluate(&mdp, &policy).expect("solvable").v[maze.start()]
        })
    }

    #[test]
    fn states_are_numbered_row_by_row() {
        let maze = maze(5);
        assert_eq!((maze.states(), maze.start(), maze.stars()), (16, 7, [5, 14]));
        assert_eq!(maze.tile(maze.start()), Tile::Start);
        assert_eq!(maze.stars().map(|s| maze.tile(s)), [Tile::Star; 2]);
        assert_eq!(maze.cell(0), (0, 5));
    }

    #[test]
    fn values_equal_the_analytic_ones() {
        for (found, expected) in values(5).into_iter().zip([8.0103, 4.8035, -1.0880, -4.2948]) {
            assert!((found - expected).abs() < 5e-5, "{found} against {expected}");
        }
        for (n, best, right) in [
            (3, 4.5185, 2.9110),
            (8, 13.1770, 7.5718),
            (10, 16.5752, 9.3715),
            (15, 24.9145, 13.7157),
            (20, 33.0392, 17.8469),
        ] {
            let found = values(n);
            assert!((found[0] - best).abs() < 5e-5 && (found[1] - right).abs() < 5e-5, "n {n}");
            let exact = optimal(&maze(n).mdp().expect("valid")).expect("solvable");
            assert!((exact.values.v[maze(n).start()] - found[0]).abs() < 1e-9, "n {n}: optimal");
        }
    }

    #[test]
    fn up_at_merged_stars_costs_the_same_for_every_epsilon() {
        for epsilon in [0.05, 0.2, 0.7] {
            let config = MazeConfig { epsilon, ..MazeConfig::DEFAULT };
            let maze = Maze::new(config, 0.99).expect("valid");
            let [top, bottom] = maze.stars().map(|star| maze.reward(star, Action::Up));
            let mean = (1.0 - epsilon) * top + epsilon * bottom;
            assert!((mean + 5.0 / 0.99_f64.powi(5)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_discount_that_makes_the_rewards_explode_is_refused() {
        for gamma in [0.0, 1.0, 0.01, f64::NAN] {
            let error = Maze::new(MazeConfig::DEFAULT, gamma).expect_err("refused");
            assert_eq!(error.field, "gamma");
        }
    }
}
