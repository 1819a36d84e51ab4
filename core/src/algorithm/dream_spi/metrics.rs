//! The metrics of updates of DreamSPI, under the names that `AlgorithmInfo::metrics` lists.

use crate::algorithm::metrics::Place;
use crate::ops::policy_objective::Mean;

/// Metrics of an update on real steps: means (part 0), norm of the encoder's gradient (part 1).
pub(super) const REAL_METRICS: [Place; 10] = [
    ("loss", 0, Mean::Loss as usize),
    ("policy_loss", 0, Mean::Policy as usize),
    ("value_loss", 0, Mean::Value as usize),
    ("entropy", 0, Mean::Entropy as usize),
    ("approx_kl", 0, Mean::ApproxKl as usize),
    ("clip_fraction", 0, Mean::ClipFraction as usize),
    ("drift", 0, Mean::Drift as usize),
    ("gradient_norm", 1, 0),
    ("transition_loss", 0, Mean::Transition as usize),
    ("reward_loss", 0, Mean::Reward as usize),
];

/// The same with the gradient penalty (part 3), which is also in the loss (part 2).
pub(super) const REAL_METRICS_WITH_PENALTY: [Place; 11] = {
    let mut all = [("gradient_penalty", 3, 0); 11];
    let mut i = 1;
    while i < REAL_METRICS.len() {
        all[i] = REAL_METRICS[i];
        i += 1;
    }
    all[0] = ("loss", 2, 0);
    all
};

/// The metric of an update of the discriminator.
pub(super) const MAXIMISER_METRICS: [Place; 1] = [("maximizer_loss", 0, 0)];

/// Metrics of an update on imagined steps: means (part 0), norm of the actor's gradient (part 1), and of
/// the imagined rollout (part 2).
pub(super) const IMAGINED_METRICS: [Place; 10] = [
    ("imagined_loss", 0, Mean::Loss as usize),
    ("imagined_policy_loss", 0, Mean::Policy as usize),
    ("imagined_value_loss", 0, Mean::Value as usize),
    ("imagined_entropy", 0, Mean::Entropy as usize),
    ("imagined_approx_kl", 0, Mean::ApproxKl as usize),
    ("imagined_clip_fraction", 0, Mean::ClipFraction as usize),
    ("actor_gradient_norm", 1, 0),
    ("imagined_reward", 2, 0),
    ("imagined_end_rate", 2, 1),
    ("alpha", 2, 2),
];
