//! Sums of long vectors.

use burn::tensor::Tensor;

/// Sum of a long vector `[P]` as `[1]`: first along rows, then over the rows.
///
/// A full `sum` may use float atomics, whose order is not fixed. A reduction along one long axis is
/// a single loop on a GPU: it is slow everywhere, and Mesa's software renderer stops it after
/// 65,535 rounds.
#[must_use]
pub fn total(values: Tensor<1>) -> Tensor<1> {
    const ROW: usize = 2048;
    let len = values.dims()[0];
    let device = values.device();
    let body = len / ROW * ROW;
    let rest = (body < len).then(|| values.clone().narrow(0, body, len - body).sum_dim(0));
    let sum = (body > 0).then(|| {
        let rows = values.narrow(0, 0, body).reshape([body / ROW, ROW]);
        rows.sum_dim(1).sum_dim(0).reshape([1])
    });
    match (sum, rest) {
        (Some(sum), Some(rest)) => sum + rest,
        (Some(sum), None) | (None, Some(sum)) => sum,
        // Only an empty vector has neither part.
        (None, None) => Tensor::zeros([1], &device),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn total_counts_every_entry() {
        for len in [1, 2047, 2048, 5000, 6144] {
            let sum: f32 = total(Tensor::ones([len], &Device::flex())).into_scalar();
            assert_eq!(sum, len as f32);
        }
    }
}
