//! The metrics of updates before they are read from the device.

use burn::tensor::Tensor;
use deepspi_run::metrics::Metrics;

use crate::readback::read_together;

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
