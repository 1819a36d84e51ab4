//! Transformer blocks with normalisation before attention and before the perceptron.

use burn::module::{Module, Param};
use burn::nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::{Initializer, LayerNorm, Linear};
use burn::tensor::activation::gelu_approximate;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rand::Rng;

use super::layers::Dense;
use super::{init, layer_norm};

/// Heads of every attention.
pub const HEADS: usize = 4;

/// Attention and a perceptron with one hidden layer, each added to its input.
#[derive(Module, Debug)]
pub struct TransformerBlock {
    /// Before the attention.
    pub attention_norm: LayerNorm,
    /// Four heads; no dropout.
    pub attention: MultiHeadAttention,
    /// Before the perceptron.
    pub hidden_norm: LayerNorm,
    /// To the hidden layer, whose activation is GELU.
    pub hidden: Dense,
    /// Back to the width of a token.
    pub output: Dense,
}

impl TransformerBlock {
    /// A block for tokens of `width`, a multiple of the four heads; the hidden layer is four times
    /// as wide.
    pub fn new(width: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let mut attention = MultiHeadAttentionConfig::new(width, HEADS)
            .with_dropout(0.0)
            .with_initializer(Initializer::Zeros)
            .init(device);
        for layer in
            [&mut attention.query, &mut attention.key, &mut attention.value, &mut attention.output]
        {
            *layer = linear(width, rng, device);
        }
        Self {
            attention_norm: layer_norm(width, device),
            attention,
            hidden_norm: layer_norm(width, device),
            hidden: Dense::lecun_normal(rng, [width, 4 * width], device),
            output: Dense::lecun_normal(rng, [4 * width, width], device),
        }
    }

    /// `[B, L, width]` to the same shape. `hidden_from` is `[L, L]`: true where the token of the row
    /// must not see the token of the column.
    #[must_use]
    pub fn forward(&self, tokens: Tensor<3>, hidden_from: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let [batch, len, width] = tokens.dims();
        let mut input = MhaInput::self_attn(self.attention_norm.forward(tokens.clone()));
        if let Some(mask) = hidden_from {
            input = input.mask_attn(mask.unsqueeze_dim::<3>(0).expand([batch, len, len]));
        }
        let tokens = tokens + self.attention.forward(input).context;
        let rows = self.hidden_norm.forward(tokens.clone()).reshape([batch * len, width]);
        let hidden = gelu_approximate(self.hidden.forward(rows));
        tokens + self.output.forward(hidden).reshape([batch, len, width])
    }
}

/// A square layer with truncated normal weights of variance `1 / width` and bias 0.
fn linear(width: usize, rng: &mut impl Rng, device: &Device) -> Linear {
    let weight = init::lecun_normal(rng, width * width, width);
    Linear {
        weight: Param::from_data(TensorData::new(weight, [width, width]), device),
        bias: Some(Param::from_tensor(Tensor::zeros([width], device))),
    }
}
