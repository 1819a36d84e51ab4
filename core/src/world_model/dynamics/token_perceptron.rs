//! The fully connected transition network of categorical latents (docs/deepspi.md, section 3.6).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::nn::Dense;
use crate::nn::perceptron::{HiddenLayers, Perceptron};
use crate::nn::tokens::TokenTable;
use crate::world_model::categories::{CategorySizes, action_table, statistics};
use crate::world_model::density::Statistics;

/// Beside the token of every category the embedding of the action; hidden layers on all of them; logits.
#[derive(Module, Debug)]
pub struct TokenPerceptron {
    /// Tokens of the categories.
    pub tokens: TokenTable,
    /// Embeddings of the actions, `[A, width of a token]`.
    pub actions: Param<Tensor<2>>,
    /// Hidden layers.
    pub hidden: Perceptron,
    /// To the logits of all classes.
    pub output: Dense,
}

impl TokenPerceptron {
    pub(super) fn new(
        sizes: &CategorySizes,
        hidden: HiddenLayers,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Self {
        let CategorySizes { categories, classes, token, .. } = *sizes;
        let mut widths = vec![categories * 2 * token];
        widths.extend(&sizes.hidden);
        let last = widths[widths.len() - 1];
        Self {
            tokens: TokenTable::new([categories, classes], token, 1.0, rng, device),
            actions: action_table(sizes, rng, device),
            hidden: Perceptron::new(&widths, hidden, rng, device),
            output: Dense::lecun_normal(rng, [last, categories * classes], device),
        }
    }

    pub(super) fn predict(&self, latents: Tensor<4>, actions: Tensor<2>) -> Statistics {
        let [batch, _, categories, classes] = latents.dims();
        let tokens = self.tokens.embed(latents.squeeze_dim(1));
        let action = actions.matmul(self.actions.val());
        let width = action.dims()[1];
        let action = action.unsqueeze_dim::<3>(1).expand([batch, categories, width]);
        let both = Tensor::cat(vec![tokens, action], 2).flatten::<2>(1, 2);
        let logits = self.output.forward(self.hidden.forward(both));
        statistics(logits.reshape([batch, categories, classes]))
    }
}
