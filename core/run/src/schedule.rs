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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_rate_reaches_zero_and_stays_there() {
        let rates = [0, 1, 4, 5].map(|i| Schedule::linear(2.0, 4).rate_at(i));
        assert_eq!(rates, [2.0, 1.5, 0.0, 0.0]);
        assert_eq!(Schedule::constant(2.0).rate_at(9), 2.0);
    }
}
