//! The metrics of one update before they are read from the device.

use burn::tensor::Tensor;
use deepspi_run::metrics::Metrics;

/// Named metrics of one update. Each is a tensor `[1]` on the device until all are read in one
/// transfer.
#[derive(Clone, Debug, Default)]
pub struct PendingMetrics {
    names: Vec<&'static str>,
    values: Vec<Tensor<1>>,
}

impl PendingMetrics {
    /// Adds a metric `[1]` under its name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Tensor<1>) -> Self {
        self.names.push(name);
        self.values.push(value);
        self
    }

    /// Reads all values in one transfer.
    ///
    /// # Errors
    /// The device's own error, for example after it was lost.
    pub async fn read(self) -> Result<Metrics, crate::Error> {
        if self.values.is_empty() {
            return Ok(Metrics::default());
        }
        let values = crate::read_floats(Tensor::cat(self.values, 0)).await?;
        Ok(Metrics::new(self.names.into_iter().zip(values)))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn a_value_keeps_its_name_whatever_the_order() {
        let device = Device::flex();
        let value = |x: f32| Tensor::<1>::from_floats([x], &device);
        let pending = |first: (&'static str, f32), second: (&'static str, f32)| {
            PendingMetrics::default().with(first.0, value(first.1)).with(second.0, value(second.1))
        };
        for pending in
            [pending(("loss", 1.0), ("entropy", 2.0)), pending(("entropy", 2.0), ("loss", 1.0))]
        {
            let metrics = pollster::block_on(pending.read()).expect("read");
            assert_eq!((metrics.get("loss"), metrics.get("entropy")), (Some(1.0), Some(2.0)));
        }
        let nothing = pollster::block_on(PendingMetrics::default().read()).expect("read");
        assert_eq!(nothing, Metrics::default());
    }
}
