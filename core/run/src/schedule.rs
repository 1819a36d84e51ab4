//! The learning rate as a function of the iteration.

/// A learning rate as a function of the iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    start: f64,
    /// Number of iterations in which the rate falls linearly to 0; none if it is constant.
    until_zero: Option<u64>,
}

impl Schedule {
    /// A constant rate.
    #[must_use]
    pub const fn constant(rate: f64) -> Self {
        Self { start: rate, until_zero: None }
    }

    /// A rate that falls linearly from `start` in iteration 0 to 0 in iteration `iterations`, and
    /// is constant within an iteration.
    #[must_use]
    pub const fn linear(start: f64, iterations: u64) -> Self {
        Self { start, until_zero: Some(iterations) }
    }

    /// The rate of an iteration, counted from 0; never negative.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "iteration counts stay far below 2^52")]
    pub fn rate_at(self, iteration: u64) -> f64 {
        self.until_zero.map_or(self.start, |iterations| {
            self.start * (1.0 - iteration as f64 / iterations as f64).max(0.0)
        })
    }
}

/// The learning rate of a group of parameters as a function of the updates that it has had: linear, and
/// constant within the updates of a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdateSchedule {
    /// Rate of the first round.
    pub start: f64,
    /// Updates of a round.
    pub updates: u64,
    /// Rounds after which the rate is 0; none if it is constant.
    pub rounds: Option<u64>,
    /// Whether the rate becomes negative after that, as in the authors' code (docs/deepspi.md, D21).
    pub goes_below_zero: bool,
}

impl UpdateSchedule {
    /// The rate after `count` updates.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn rate_after(self, count: u64) -> f64 {
        let share = self.rounds.map_or(1.0, |rounds| {
            1.0 - (count / self.updates.max(1)) as f64 / rounds.max(1) as f64
        });
        self.start * if self.goes_below_zero { share } else { share.max(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_by_updates_falls_after_each_round() {
        let schedule =
            UpdateSchedule { start: 1.0, updates: 3, rounds: Some(4), goes_below_zero: false };
        let rates = [0, 2, 3, 11, 12, 15].map(|count| schedule.rate_after(count));
        assert_eq!(rates, [1.0, 1.0, 0.75, 0.25, 0.0, 0.0]);
        let authors = UpdateSchedule { goes_below_zero: true, ..schedule };
        assert_eq!(authors.rate_after(15), -0.25);
        assert_eq!(UpdateSchedule { rounds: None, ..schedule }.rate_after(99), 1.0);
    }

    #[test]
    fn a_linear_rate_reaches_zero_and_stays_there() {
        let rates = [0, 1, 4, 5].map(|i| Schedule::linear(2.0, 4).rate_at(i));
        assert_eq!(rates, [2.0, 1.5, 0.0, 0.0]);
        assert_eq!(Schedule::constant(2.0).rate_at(9), 2.0);
    }
}
