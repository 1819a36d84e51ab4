//! What one update reports; a tensor until the trainer reads it, once per update.

use burn::tensor::Tensor;

use crate::objective::LossTerms;

/// The [`UpdateMetrics`] of one update, still on the device.
#[derive(Clone, Debug)]
pub struct PendingMetrics(Tensor<1>);

macro_rules! update_metrics {
    ($( $(#[doc = $doc:literal])+ $name:ident, )+) => {
        /// What one update reports.
        #[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct UpdateMetrics {
            $( $(#[doc = $doc])+ pub $name: f32, )+
        }

        impl UpdateMetrics {
            const COUNT: usize = [$( stringify!($name) ),+].len();

            const fn from_values([$( $name ),+]: [f32; Self::COUNT]) -> Self {
                Self { $( $name ),+ }
            }

            /// Names and values, for checks and logs.
            #[must_use]
            pub const fn named(&self) -> [(&'static str, f32); Self::COUNT] {
                [$( (stringify!($name), self.$name) ),+]
            }
        }
    };
}

// In the order in which `PendingMetrics` puts them together.
update_metrics! {
    /// Total loss.
    loss,
    /// Policy loss.
    policy_loss,
    /// Value loss.
    value_loss,
    /// Mean entropy.
    entropy,
    /// Approximate KL divergence from the behaviour policy.
    approx_kl,
    /// Share of samples whose ratio left the clip range.
    clip_fraction,
    /// Mean drift.
    drift,
    /// Norm of the gradient before clipping.
    gradient_norm,
    /// Mean l_P; 0 without a world model.
    transition_loss,
    /// Mean l_R; 0 without a world model.
    reward_loss,
}

impl UpdateMetrics {
    /// Field-wise mean; zeros for no update.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a handful of updates")]
    pub fn mean(all: &[Self]) -> Self {
        let mut sums = [0.0; Self::COUNT];
        for metrics in all {
            for (sum, (_, value)) in sums.iter_mut().zip(metrics.named()) {
                *sum += value / all.len() as f32;
            }
        }
        Self::from_values(sums)
    }
}

impl PendingMetrics {
    pub(crate) fn new(terms: &LossTerms, gradient_norm: &Tensor<1>, clip: f32) -> Self {
        let mean = |x: &Option<Tensor<1>>| {
            x.as_ref().map_or_else(|| gradient_norm.zeros_like(), |x| x.clone().mean().inner())
        };
        let clipped = (terms.ratios.clone().inner() - 1.0).abs().greater_elem(clip).float().mean();
        Self(Tensor::cat(
            vec![
                terms.total.clone().inner(),
                terms.policy.clone().inner(),
                terms.value.clone().inner(),
                terms.entropy.clone().mean().inner(),
                terms.approx_kl.clone().inner(),
                clipped,
                terms.drift.clone().inner(),
                gradient_norm.clone(),
                mean(&terms.transition),
                mean(&terms.reward),
            ],
            0,
        ))
    }

    /// Reads the metrics of several updates in one transfer.
    ///
    /// # Errors
    /// The device's own error, for example after it was lost.
    pub async fn read(pending: Vec<Self>) -> Result<Vec<UpdateMetrics>, crate::Error> {
        let all = Tensor::cat(pending.into_iter().map(|m| m.0).collect(), 0);
        let values = crate::read_floats(all).await?;
        let (rows, _) = values.as_chunks::<{ UpdateMetrics::COUNT }>();
        Ok(rows.iter().copied().map(UpdateMetrics::from_values).collect())
    }
}
