//! What one update reports, by name.

macro_rules! update_metrics {
    ($( $(#[doc = $doc:literal])+ $name:ident, )+) => {
        /// What one update reports.
        #[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct UpdateMetrics {
            $( $(#[doc = $doc])+ pub $name: f32, )+
        }

        impl UpdateMetrics {
            /// Number of metrics.
            pub const COUNT: usize = [$( stringify!($name) ),+].len();

            /// From values in the order of the fields.
            #[must_use]
            pub const fn from_values([$( $name ),+]: [f32; Self::COUNT]) -> Self {
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
