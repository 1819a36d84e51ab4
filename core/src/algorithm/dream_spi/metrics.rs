//! The metrics of updates of DreamSPI that are not on real steps, under the names that `AlgorithmInfo::metrics` lists.

use crate::algorithm::metrics::Place;
use crate::ops::policy_objective::Mean;

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
