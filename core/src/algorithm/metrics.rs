//! The metrics of updates before they are read from the device.

use burn::tensor::Tensor;
use deepspi_run::metrics::Metrics;
use deepspi_run::monitor::RatioBounds;

use crate::collect::PendingRatios;
use crate::ops::policy_objective::Mean;
use crate::ops::total;
use crate::readback::read_together;
use crate::run_state::{RunState, TrainError};

/// A metric's name, the part that holds it, and its index there.
pub type Place = (&'static str, usize, usize);

/// Named metrics of one update on the device.
#[derive(Clone, Debug)]
pub struct PendingMetrics {
    parts: Vec<Tensor<1>>,
    places: &'static [Place],
}

impl PendingMetrics {
    /// Metrics in several vectors, in the order of their places.
    #[must_use]
    pub const fn new(parts: Vec<Tensor<1>>, places: &'static [Place]) -> Self {
        Self { parts, places }
    }

    /// The metrics of an update on real steps, under the names that `AlgorithmInfo::metrics` lists:
    /// means of the minibatch, norm of a gradient, and with a gradient penalty the total loss and the
    /// penalty.
    #[must_use]
    pub fn of_update(
        means: Tensor<1>,
        norm: Tensor<1>,
        total: Tensor<1>,
        penalty: Option<Tensor<1>>,
    ) -> Self {
        match penalty {
            None => Self::new(vec![means, norm], &UPDATE),
            Some(penalty) => Self::new(vec![means, norm, total, penalty], &UPDATE_WITH_PENALTY),
        }
    }

    /// The vectors to read, for [`Self::resolve`].
    #[must_use]
    pub fn parts(&self) -> &[Tensor<1>] {
        &self.parts
    }

    /// The metrics, from the next values of each part in the order of [`Self::parts`].
    #[must_use]
    pub fn resolve(&self, values: &mut impl Iterator<Item = Vec<f32>>) -> Metrics {
        let values: Vec<Vec<f32>> = values.take(self.parts.len()).collect();
        Metrics::new(self.places.iter().map(|&(name, part, i)| (name, values[part][i])))
    }

    /// Reads the metrics of one update.
    ///
    /// # Errors
    /// The device's own error, for example after it was lost.
    pub async fn read(self) -> Result<Metrics, crate::Error> {
        let values = read_together(self.parts.clone()).await?;
        Ok(self.resolve(&mut values.into_iter()))
    }
}

/// The metrics of an update: means of the minibatch (part 0), and the norm of a gradient (part 1).
const UPDATE: [Place; 10] = [
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

/// [`UPDATE`] with the penalty (part 3), which is also in the loss (part 2).
const UPDATE_WITH_PENALTY: [Place; UPDATE.len() + 1] = {
    let mut all = [("gradient_penalty", 3, 0); UPDATE.len() + 1];
    let mut i = 0;
    while i < UPDATE.len() {
        all[i] = UPDATE[i];
        i += 1;
    }
    all[0] = ("loss", 2, 0);
    all
};

/// What is read of an iteration.
#[derive(Debug)]
pub struct Read<const KINDS: usize> {
    /// Metrics of the updates of each kind.
    pub metrics: [Vec<Metrics>; KINDS],
    /// Extremes of the importance ratios.
    pub ratios: RatioBounds,
    /// Sum of all parameters.
    pub parameter_sum: f32,
}

/// Reads updates of several kinds, the ratios and the sum of `parameters` `[P]`, all at once: each read
/// waits for the device.
///
/// # Errors
/// If the device fails or a metric is not finite.
pub async fn read_iteration<const KINDS: usize>(
    run: &RunState,
    updates: [Vec<PendingMetrics>; KINDS],
    ratios: PendingRatios,
    parameters: &Tensor<1>,
) -> Result<Read<KINDS>, TrainError> {
    let all = updates.iter().flatten();
    let mut parts: Vec<Tensor<1>> = all.flat_map(|update| update.parts().to_vec()).collect();
    parts.extend_from_slice(ratios.parts());
    parts.push(total(parameters.clone()));
    let mut values = read_together(parts).await?.into_iter();
    let metrics = updates.map(|updates| -> Vec<Metrics> {
        updates.iter().map(|update| update.resolve(&mut values)).collect()
    });
    for (update, metrics) in metrics.iter().flatten().enumerate() {
        for (name, value) in metrics.iter() {
            run.check_finite(name, &[value], Some(update))?;
        }
    }
    let ratios = ratios.resolve(&mut values);
    let parameter_sum = values.next().map_or(f32::NAN, |sum| sum[0]);
    Ok(Read { metrics, ratios, parameter_sum })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn a_value_keeps_its_name_whatever_the_order() {
        let device = Device::flex();
        let part = |x: &[f32]| Tensor::<1>::from_floats(x, &device);
        let one = |places| PendingMetrics::new(vec![part(&[1.0, 2.0]), part(&[3.0])], places);
        let both = vec![
            one(&[("loss", 0, 0), ("norm", 1, 0), ("entropy", 0, 1)]),
            one(&[("norm", 1, 0), ("entropy", 0, 1), ("loss", 0, 0)]),
        ];
        for pending in both {
            let metrics = pollster::block_on(pending.read()).expect("read");
            let found = ["loss", "entropy", "norm"].map(|name| metrics.get(name));
            assert_eq!(found, [Some(1.0), Some(2.0), Some(3.0)]);
        }
        let nothing = pollster::block_on(PendingMetrics::new(vec![], &[]).read()).expect("read");
        assert_eq!(nothing, Metrics::default());
    }
}
