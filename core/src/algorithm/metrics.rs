//! The metrics of updates before they are read from the device.

use burn::tensor::Tensor;
use deepspi_run::metrics::Metrics;

use crate::ops::ALIGNMENT;
use crate::ops::join::join;
use crate::traffic::read_floats;

/// A metric's name, the part that holds it, and its index there.
pub type Place = (&'static str, usize, usize);

/// Named metrics of one update on the device. All updates of an iteration are read in one transfer.
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

    /// Reads the metrics of one update.
    ///
    /// # Errors
    /// The device's own error, for example after it was lost.
    pub async fn read(self) -> Result<Metrics, crate::Error> {
        Ok(Self::read_all(vec![self]).await?.pop().unwrap_or_default())
    }

    /// Reads the metrics of several updates in one transfer.
    ///
    /// # Errors
    /// The device's own error.
    pub async fn read_all(updates: Vec<Self>) -> Result<Vec<Metrics>, crate::Error> {
        let parts: Vec<Tensor<1>> =
            updates.iter().flat_map(|update| update.parts.iter().cloned()).collect();
        if parts.is_empty() {
            return Ok(updates.iter().map(|_| Metrics::default()).collect());
        }
        let mut starts = Vec::with_capacity(parts.len());
        let mut len = 0;
        for part in &parts {
            starts.push(len);
            len += part.dims()[0].next_multiple_of(ALIGNMENT);
        }
        let values = read_floats(join(parts, &starts, len)).await?;
        let mut starts = starts.into_iter();
        let read = |update: &Self| {
            let starts: Vec<usize> = starts.by_ref().take(update.parts.len()).collect();
            Metrics::new(
                update.places.iter().map(|&(name, part, i)| (name, values[starts[part] + i])),
            )
        };
        Ok(updates.iter().map(read).collect())
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
        let read = pollster::block_on(PendingMetrics::read_all(both)).expect("read");
        assert_eq!(read.len(), 2);
        for metrics in read {
            let found = ["loss", "entropy", "norm"].map(|name| metrics.get(name));
            assert_eq!(found, [Some(1.0), Some(2.0), Some(3.0)]);
        }
        let nothing = pollster::block_on(PendingMetrics::new(vec![], &[]).read()).expect("read");
        assert_eq!(nothing, Metrics::default());
    }
}
