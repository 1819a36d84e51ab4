//! What the rewards of a console are worth.
//!
//! ALE's rewards are whole numbers. A cartridge of this project can have others: its rewards are
//! then codes, and the values are here, in the rules, so that every front end has the same ones.

use super::error::AtariError;

use serde::{Deserialize, Serialize};

/// Number of codes that a cartridge can return.
pub const CODES: usize = 4;

/// What a reward of the console is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Rewards {
    /// Points, as in all games of the benchmark.
    Points,
    /// A code from 0; the value of each. Code 0, of most frames, should be worth 0.
    Codes([f64; CODES]),
}

impl Rewards {
    /// The value of one frame's reward.
    ///
    /// # Errors
    /// If there is no such code.
    pub fn value(&self, reward: i32) -> Result<f64, AtariError> {
        match self {
            Self::Points => Ok(f64::from(reward)),
            Self::Codes(values) => {
                let value = usize::try_from(reward).ok().and_then(|code| values.get(code));
                value.copied().ok_or(AtariError::RewardCode(reward))
            }
        }
    }
}
