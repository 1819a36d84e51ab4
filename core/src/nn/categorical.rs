//! One-hot classes through which gradients flow (straight-through estimator).

use burn::tensor::Tensor;

/// The class with the largest score in every category, one-hot, `[B, categories, classes]`. Its
/// gradient is that of `relaxed`, of the same shape: `onehot(argmax scores) + relaxed - sg(relaxed)`.
///
/// The sum is not computed as written, because 1 + p - p need not be 1.
#[must_use]
pub fn straight_through(scores: Tensor<3>, relaxed: Tensor<3>) -> Tensor<3> {
    let chosen = one_hot_of_largest(scores);
    let nothing = relaxed.clone() - relaxed.detach();
    chosen + nothing
}

/// One-hot of the first largest entry along the last axis.
#[must_use]
pub fn one_hot_of_largest(scores: Tensor<3>) -> Tensor<3> {
    let classes = scores.dims()[2];
    let device = scores.device();
    let winners = scores.detach().argmax(2);
    let numbers = Tensor::<1, burn::tensor::Int>::arange(0..classes as i64, &device);
    winners.equal(numbers.reshape([1, 1, classes])).float()
}
