//! The transformer of categorical latents (docs/deepspi.md, section 3.6).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::nn::Dense;
use crate::nn::attention::TransformerBlock;
use crate::nn::tokens::{TokenTable, normal_table};
use crate::world_model::categories::{CategorySizes, action_table, statistics};
use crate::world_model::density::Statistics;

/// Number of blocks.
const BLOCKS: usize = 3;
/// Standard deviation of the initial positions.
const POSITION_DEVIATION: f32 = 0.01;

/// The action's token, then a token for each category of the *current* latent; a causal mask; logits of
/// a category from its own token.
#[derive(Module, Debug)]
pub struct Transformer {
    /// Tokens of the categories.
    pub tokens: TokenTable,
    /// Tokens of the actions, `[A, width]`.
    pub actions: Param<Tensor<2>>,
    /// Added to the sequence, `[1 + categories, width]`.
    pub positions: Param<Tensor<2>>,
    /// Three blocks.
    pub blocks: Vec<TransformerBlock>,
    /// From a token to the logits of a category's classes.
    pub output: Dense,
}

impl Transformer {
    pub(super) fn new(sizes: &CategorySizes, rng: &mut impl Rng, device: &Device) -> Self {
        let CategorySizes { categories, classes, token, .. } = *sizes;
        Self {
            tokens: TokenTable::new([categories, classes], token, 1.0, rng, device),
            actions: action_table(sizes, rng, device),
            positions: normal_table(rng, [1 + categories, token], POSITION_DEVIATION, device),
            blocks: (0..BLOCKS).map(|_| TransformerBlock::new(token, rng, device)).collect(),
            output: Dense::lecun_normal(rng, [token, classes], device),
        }
    }

    pub(super) fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        let [batch, _, categories, classes] = latents.dims();
        let action = actions.matmul(self.actions.val());
        let width = action.dims()[1];
        let action = action.unsqueeze_dim::<3>(1);
        let tokens = self.tokens.embed(latents.squeeze_dim(1)) + action.clone();
        let sequence = Tensor::cat(vec![action, tokens], 1);
        let sequence = sequence + self.positions.val().unsqueeze_dim(0);
        let len = 1 + categories;
        let device = sequence.device();
        let later = Tensor::<2>::ones([len, len], &device).triu(1).greater_elem(0.5);
        let sequence = self
            .blocks
            .iter()
            .fold(sequence, |sequence, block| block.forward(sequence, Some(later.clone())));
        let rows = sequence.narrow(1, 1, categories).reshape([batch * categories, width]);
        statistics(self.output.forward(rows).reshape([batch, categories, classes]))
    }
}
