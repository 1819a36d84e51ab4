//! Finds equal samples in a batch, so that each is computed once.
//!
//! An environment with few states fills a minibatch with repetitions: the maze has 16 different
//! frames in 512. Networks are applied to the distinct frames, and the results are repeated. Values
//! and gradients must stay the same up to the order of sums. Environments whose observations never
//! repeat (Atari) provide no identifiers, and this module costs them nothing.

use std::collections::HashMap;
use std::hash::Hash;

use burn::tensor::{Device, Int, Tensor};

use crate::traffic::{upload, upload_ints};

/// The distinct elements of a sequence of length B.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distinct {
    /// Index of the first occurrence of each distinct element, `[U]`, ascending.
    pub firsts: Vec<usize>,
    /// For each element, the index of its distinct element, `[B]`.
    pub rows: Vec<usize>,
}

impl Distinct {
    /// Finds equal keys.
    pub fn of<K: Hash + Eq>(keys: impl IntoIterator<Item = K>) -> Self {
        let mut known = HashMap::new();
        let mut firsts = Vec::new();
        let rows = keys.into_iter().enumerate().map(|(i, key)| {
            *known.entry(key).or_insert_with(|| {
                firsts.push(i);
                firsts.len() - 1
            })
        });
        let rows = rows.collect();
        Self { firsts, rows }
    }
}

/// Repeats distinct rows, on the device.
///
/// It multiplies with a one-hot matrix. The gradient of the repetition is then also a matrix
/// product, instead of a sum over indices, element by element, which takes longer than the networks
/// themselves.
#[derive(Clone, Debug)]
pub struct Repeat(Tensor<2>);

impl Repeat {
    /// The repetition that `distinct` describes.
    #[must_use]
    pub fn new(distinct: &Distinct, device: &Device) -> Self {
        let width = distinct.firsts.len();
        let shape = [distinct.rows.len(), width];
        let mut one_hot = vec![0.0; shape[0] * width];
        for (row, &chosen) in one_hot.chunks_mut(width).zip(&distinct.rows) {
            row[chosen] = 1.0;
        }
        Self(upload(one_hot, shape, device))
    }

    /// The repetition of the first `len` elements only.
    #[must_use]
    pub fn first(&self, len: usize) -> Self {
        Self(self.0.clone().narrow(0, 0, len))
    }

    /// Rows `[B, ...]` from distinct rows `[U, ...]`.
    #[must_use]
    pub fn apply<const D: usize>(&self, distinct: Tensor<D>) -> Tensor<D> {
        let mut shape = distinct.dims();
        let rows = distinct.reshape([shape[0] as isize, -1]);
        shape[0] = self.0.dims()[0];
        self.0.clone().matmul(rows).reshape(shape)
    }
}

/// Which samples of a minibatch are equal.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// From distinct observations to all observations, `[B]`, or `[2B]` with next observations.
    pub observations: Repeat,
    /// Index of one sample for each distinct pair of observation and action, `[Q]`.
    pub pair_samples: Tensor<1, Int>,
    /// From distinct pairs to all samples, `[B]`.
    pub pairs: Repeat,
}

impl Sharing {
    /// From the distinct observations of a minibatch and the distinct pairs.
    #[must_use]
    pub fn new(observations: &Distinct, pairs: &Distinct, device: &Device) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            reason = "indices of a minibatch"
        )]
        let samples: Vec<i32> = pairs.firsts.iter().map(|&i| i as i32).collect();
        let len = samples.len();
        Self {
            observations: Repeat::new(observations, device),
            pair_samples: upload_ints(samples, [len], device),
            pairs: Repeat::new(pairs, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_repeated_as_they_were() {
        let device = Device::flex();
        let repeat = Repeat::new(&Distinct::of([7, 5, 7]), &device);
        let rows = Tensor::<3>::from_floats([[[1.0, 2.0]], [[3.0, 4.0]]], &device);
        let all: Vec<f32> = repeat.apply(rows.clone()).into_data().try_to_vec().expect("f32");
        assert_eq!(all, [1.0, 2.0, 3.0, 4.0, 1.0, 2.0]);
        assert_eq!(repeat.first(2).apply(rows).dims(), [2, 1, 2]);
    }

    #[test]
    fn repetitions_point_to_their_first_occurrence() {
        let distinct = Distinct::of(["b", "a", "b", "c", "a"]);
        assert_eq!(distinct.firsts, [0, 1, 3]);
        assert_eq!(distinct.rows, [0, 1, 0, 2, 1]);
    }
}
