//! Tokens of categorical latents and transformer blocks as nodes.

use burn::nn::Linear;
use deepspi_core::nn::attention::TransformerBlock;
use deepspi_core::nn::tokens::TokenTable;

use crate::error::ExportError;
use crate::graph::{Graph, Value};
use crate::layers::{dense_on_rows, gelu, layer_norm, parameter};
use crate::place::Place;

/// Tokens `[categories, width]` of latents `[categories, classes]`.
///
/// # Errors
/// If a parameter cannot be read.
pub fn embedded(
    graph: &mut Graph,
    place: &Place,
    tokens: &TokenTable,
    latent: &Value,
) -> Result<Value, ExportError> {
    let &[categories, classes] = latent.shape() else {
        return Err(ExportError::Shape {
            what: place.node("latent"),
            found: format!("{:?}", latent.shape()),
            expected: "categories and classes".to_owned(),
        });
    };
    let table = tokens.table.val();
    let width = table.dims()[1];
    let table = table.reshape([categories, classes, width]);
    let table = parameter(graph, &place.parameter("table"), table)?;
    let rows = graph.reshape(&place.node("rows"), latent, &[categories, 1, classes]);
    let products = graph.matmul(&place.node("products"), &rows, &table);
    Ok(graph.reshape(&place.node("tokens"), &products, &[categories, width]))
}

/// One block on tokens `[len, width]`; with `causal` no token sees a later one.
///
/// # Errors
/// If a parameter cannot be read.
pub fn transformer_block(
    graph: &mut Graph,
    place: &Place,
    block: &TransformerBlock,
    causal: bool,
    tokens: &Value,
) -> Result<Value, ExportError> {
    let normed = layer_norm(graph, &place.at("attention_norm"), &block.attention_norm, tokens)?;
    let attended = attention(graph, &place.at("attention"), block, causal, &normed)?;
    let tokens = graph.pair(&place.node("attended"), "Add", tokens, &attended);
    let normed = layer_norm(graph, &place.at("hidden_norm"), &block.hidden_norm, &tokens)?;
    let hidden = dense_on_rows(graph, &place.at("hidden"), &block.hidden, &normed)?;
    let hidden = gelu(graph, &place.node("hidden/gelu"), &hidden);
    let output = dense_on_rows(graph, &place.at("output"), &block.output, &hidden)?;
    Ok(graph.pair(&place.node("block"), "Add", &tokens, &output))
}

fn attention(
    graph: &mut Graph,
    place: &Place,
    block: &TransformerBlock,
    causal: bool,
    tokens: &Value,
) -> Result<Value, ExportError> {
    let layer = &block.attention;
    if layer.quiet_softmax {
        return Err(ExportError::Unsupported { option: "attention with the quiet softmax" });
    }
    let &[len, width] = tokens.shape() else { return Ok(tokens.clone()) };
    let (heads, of_head) = (layer.n_heads, layer.d_k);
    let mut by_heads = |name: &str, layer: &Linear, order: [usize; 3]| {
        let at = place.at(name);
        let all = linear(graph, &at, layer, tokens)?;
        let split = graph.reshape(&at.node("heads"), &all, &[len, heads, of_head]);
        Ok::<Value, ExportError>(graph.transpose(&at.node("by_head"), &split, &order))
    };
    let query = by_heads("query", &layer.query, [1, 0, 2])?;
    let key = by_heads("key", &layer.key, [1, 2, 0])?;
    let value = by_heads("value", &layer.value, [1, 0, 2])?;
    let scores = graph.node(
        &place.node("products"),
        "MatMul",
        &[&query, &key],
        Vec::new(),
        &[heads, len, len],
    );
    let mut scores =
        graph.with_number(&place.node("scores"), "Div", &scores, (of_head as f32).sqrt());
    if causal {
        let later: Vec<bool> = (0..len * len).map(|place| place % len > place / len).collect();
        let later = graph.truths(&place.node("later"), &[len, len], &later);
        let hidden = graph.weights(&place.node("hidden"), &[], &[layer.min_float as f32]);
        let inputs = [&later, &hidden, &scores];
        scores = graph.node(&place.node("seen"), "Where", &inputs, Vec::new(), scores.shape());
    }
    let weights = graph.softmax(&place.node("weights"), &scores, 2);
    let shape = [heads, len, of_head];
    let context =
        graph.node(&place.node("context"), "MatMul", &[&weights, &value], Vec::new(), &shape);
    let context = graph.transpose(&place.node("by_token"), &context, &[1, 0, 2]);
    let context = graph.reshape(&place.node("joined"), &context, &[len, width]);
    linear(graph, &place.at("output"), &layer.output, &context)
}

/// A layer of burn on the last axis.
fn linear(
    graph: &mut Graph,
    place: &Place,
    layer: &Linear,
    input: &Value,
) -> Result<Value, ExportError> {
    let weight = parameter(graph, &place.parameter("weight"), layer.weight.val())?;
    let product = graph.matmul(&place.node("product"), input, &weight);
    let Some(bias) = &layer.bias else { return Ok(product) };
    let bias = parameter(graph, &place.parameter("bias"), bias.val())?;
    Ok(graph.pair(&place.node("linear"), "Add", &product, &bias))
}
