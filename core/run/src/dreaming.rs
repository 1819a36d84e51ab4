//! Imagined steps beside what really happened, as plain numbers.

use serde::{Deserialize, Serialize};

/// One imagined step, beside the real one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DreamtStep {
    /// The action that was really taken, and is imagined.
    pub action: u32,
    /// Predicted reward.
    pub imagined_reward: f32,
    /// Received reward, as the agent learns from it.
    pub reward: f32,
    /// Value of the imagined latent after the step.
    pub imagined_value: f32,
    /// Value of the observation after the step.
    pub value: f32,
    /// Predicted probability that the episode goes on; 1 without a done predictor.
    pub continuation: f32,
    /// Euclidean distance of the imagined latent to that of the observation after the step.
    pub distance: f32,
    /// Number of the observation of the run whose latent is nearest to the imagined one, and its
    /// distance; none if none was seen.
    pub nearest: Option<(usize, f32)>,
    /// The sum of Theorem 2 up to this step.
    pub bound: f32,
}

/// Imagined steps from one observation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LookedAhead {
    /// The steps, from the first.
    pub steps: Vec<DreamtStep>,
}

/// Mean errors after a number of imagined steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanErrors {
    /// Imagined rollouts that are counted.
    pub count: usize,
    /// `|predicted - received|` of the step's reward.
    pub reward: f64,
    /// `|V(imagined) - V(true)|` after the step.
    pub value: f64,
    /// Distance to the true latent.
    pub distance: f64,
    /// The sum of Theorem 2.
    pub bound: f64,
}

/// Mean errors by the number of imagined steps, from 1.
#[must_use]
pub fn mean_errors(all: &[LookedAhead]) -> Vec<MeanErrors> {
    let horizon = all.iter().map(|looked| looked.steps.len()).max().unwrap_or(0);
    let at = |h: usize| {
        let steps: Vec<&DreamtStep> = all.iter().filter_map(|looked| looked.steps.get(h)).collect();
        #[expect(clippy::cast_precision_loss, reason = "a count of steps")]
        let mean = |of: &dyn Fn(&DreamtStep) -> f32| {
            steps.iter().map(|step| f64::from(of(step))).sum::<f64>() / steps.len().max(1) as f64
        };
        MeanErrors {
            count: steps.len(),
            reward: mean(&|step| (step.imagined_reward - step.reward).abs()),
            value: mean(&|step| (step.imagined_value - step.value).abs()),
            distance: mean(&|step| step.distance),
            bound: mean(&|step| step.bound),
        }
    };
    (0..horizon).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_over_the_rollouts_that_are_long_enough() {
        let step = |reward: f32| DreamtStep {
            action: 0,
            imagined_reward: reward,
            reward: 1.0,
            imagined_value: 0.0,
            value: 2.0,
            continuation: 1.0,
            distance: reward,
            nearest: None,
            bound: 0.0,
        };
        let all = [
            LookedAhead { steps: vec![step(2.0), step(5.0)] },
            LookedAhead { steps: vec![step(0.0)] },
        ];
        let means = mean_errors(&all);
        assert_eq!((means[0].count, means[0].reward, means[0].distance), (2, 1.0, 1.0));
        assert_eq!((means[1].count, means[1].reward, means[1].value), (1, 4.0, 2.0));
        assert_eq!(mean_errors(&[]), []);
    }
}
