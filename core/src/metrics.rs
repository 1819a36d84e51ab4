//! What one update reports; a tensor until the trainer reads it, once per update.

use burn::tensor::Tensor;
use deepspi_run::metrics::UpdateMetrics;

use crate::objective::LossTerms;

/// The [`UpdateMetrics`] of one update, still on the device.
#[derive(Clone, Debug)]
pub struct PendingMetrics(Tensor<1>);

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
