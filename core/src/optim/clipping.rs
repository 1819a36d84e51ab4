//! Norms of long vectors, and clipping of gradients by their norm.

use burn::tensor::Tensor;

/// Scales `grads` `[P]` so that their Euclidean norm is at most `max_norm`. Also returns the norm
/// before clipping, `[1]`. No value is read from the device.
#[must_use]
pub fn clip_by_global_norm(grads: Tensor<1>, max_norm: f32) -> (Tensor<1>, Tensor<1>) {
    let norm = total(grads.clone() * grads.clone()).sqrt();
    let factor = (norm.clone().recip() * max_norm).clamp_max(1.0);
    (grads * factor, norm)
}

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

    #[test]
    fn clipping_keeps_the_direction_and_small_gradients() {
        let device = Device::flex();
        let read = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().expect("f32");
        let (grads, norm) = clip_by_global_norm(Tensor::from_floats([3.0, -4.0], &device), 0.5);
        assert_eq!(read(norm), [5.0]);
        assert!(read(grads).iter().zip([0.3, -0.4]).all(|(a, b)| (a - b).abs() < 1e-6));
        let (grads, _) = clip_by_global_norm(Tensor::from_floats([0.3, 0.0], &device), 0.5);
        assert_eq!(read(grads), [0.3, 0.0]);
        let (grads, _) = clip_by_global_norm(Tensor::zeros([2], &device), 0.5);
        assert_eq!(read(grads), [0.0, 0.0]);
    }
}
