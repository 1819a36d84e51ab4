//! What room 1 shows, without the browser: settings, and what `deepspi_core::theory` says of them.
//!
//! The settings are one plain value, so that the room can be left and entered again, and everything
//! it draws follows from that value alone.

pub mod iteration;
pub mod one_state;

use deepspi_core::theory::OutOfTrajectory;

use self::one_state::OneState;

/// Steps of both iterations that can be shown.
pub const STEPS: usize = 40;

/// Everything the user can set in the room.
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
    /// The wrong model.
    pub example: OutOfTrajectory,
    /// Steps of both iterations that are shown, at most [`STEPS`].
    pub step: usize,
}

impl Default for Settings {
    /// A neighbourhood large enough to be seen, and within `1 / gamma`.
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
