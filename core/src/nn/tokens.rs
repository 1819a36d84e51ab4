//! Embeddings of categorical latents: one token per category.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// A table with a vector of the same width for every class of every category.
#[derive(Module, Debug)]
pub struct TokenTable {
    /// `[categories * classes, width]`, all classes of the first category first.
    pub table: Param<Tensor<2>>,
}

/// Entries of a table, drawn from a normal distribution.
pub(crate) fn normal_table(
    rng: &mut impl Rng,
    shape: [usize; 2],
    deviation: f32,
    device: &Device,
) -> Param<Tensor<2>> {
    let values: Vec<f32> = (0..shape[0] * shape[1]).map(|_| deviation * normal(rng)).collect();
    Param::from_data(TensorData::new(values, shape), device)
}

fn normal(rng: &mut impl Rng) -> f32 {
    StandardNormal.sample(rng)
}

impl TokenTable {
    /// A table with entries of the given standard deviation.
    pub fn new(
        [categories, classes]: [usize; 2],
        width: usize,
        deviation: f32,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        Self { table: normal_table(rng, [categories * classes, width], deviation, device) }
    }

    /// Tokens `[B, categories, width]` of latents `[B, categories, classes]`: the classes' vectors
    /// weighted with the latent, in which gradients flow to every class.
    #[must_use]
    pub fn embed(&self, latents: Tensor<3>) -> Tensor<3> {
        let [_, categories, classes] = latents.dims();
        let table = self.table.val();
        let width = table.dims()[1];
        let table = table.reshape([categories, classes, width]);
        latents.swap_dims(0, 1).matmul(table).swap_dims(0, 1)
    }
}
