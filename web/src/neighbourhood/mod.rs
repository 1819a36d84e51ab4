//! The content of room 1 without the browser: its settings, and the results that `deepspi_theory`
//! computes for them.
//!
//! The settings are one plain value that outlives the room, and everything in the room is computed
//! from that value.

pub mod iteration;
pub mod link;
pub mod one_state;

use deepspi_theory::OutOfTrajectory;

use self::one_state::OneState;

/// Number of steps of both iterations that can be shown.
pub const STEPS: usize = 40;

/// Smallest and largest value of each setting.
pub mod range {
    /// `C`.
    pub const C: [f64; 2] = [1.001, 1.999];
    /// Discount.
    pub const GAMMA: [f64; 2] = [0.4, 0.999];
    /// Value of an action.
    pub const VALUE: [f64; 2] = [-2.0, 2.0];
    /// Amount of data between two steps in the example with the wrong model.
    pub const DATA: [f64; 2] = [0.0, 2000.0];
    /// `C` in that example.
    pub const TRAP_C: [f64; 2] = [1.001, 1.1];
    /// Probability of the action that is rare in the old data.
    pub const EPSILON: [f64; 2] = [0.001, 0.3];
    /// Reward that the model predicts.
    pub const BELIEF: [f64; 2] = [-10.0, 40.0];
    /// Largest seed that a number box can hold without rounding it.
    pub const LARGEST_SEED: u64 = 999_999;
}

/// All settings of the room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The policies of the triangle.
    pub state: OneState,
    /// `C`, in `(1, 2)`.
    pub c: f64,
    /// Discount, in `(0, 1)`.
    pub gamma: f64,
    /// Seed of the MDP for safe policy iteration.
    pub seed: u64,
    /// The example with the wrong model.
    pub example: OutOfTrajectory,
    /// The step of both iterations that is shown, at most [`STEPS`].
    pub step: usize,
}

impl Default for Settings {
    /// The default neighbourhood is large enough to be seen, and its radius is below `1 / gamma`.
    fn default() -> Self {
        Self {
            state: OneState::default(),
            c: 1.4,
            gamma: 0.6,
            seed: 1,
            example: OutOfTrajectory { iterations: STEPS, ..OutOfTrajectory::default() },
            step: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_opens_on_something_that_can_be_computed() {
        let settings = Settings::default();
        assert!(settings.c < 1.0 / settings.gamma, "the premise holds at first");
        let found = settings.state.findings(settings.c, settings.gamma).expect("valid");
        assert!(found.violation.is_some(), "there is something to mend: {found:?}");
        let iteration = iteration::SafeIteration::new(settings.seed, settings.gamma, settings.c);
        assert!(iteration.expect("valid").last(STEPS).is_some());
        settings.example.run().expect("valid");
    }
}
