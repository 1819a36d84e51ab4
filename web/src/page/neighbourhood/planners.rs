//! The two planners of the out-of-trajectory example: one greedy, one in the neighbourhood.

use deepspi_theory::out_of_trajectory::{Comparison, Record};

/// Names of the planners, in the order of [`both`].
pub const PLANNERS: [&str; 2] = ["greedy", "in N^C"];

/// The records of both planners, those of the greedy planner first.
pub fn both(comparison: &Comparison) -> [&[Record]; 2] {
    [&comparison.unconstrained, &comparison.constrained]
}
