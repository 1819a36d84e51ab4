//! The soft mixture of experts as nodes.

use deepspi_core::world_model::soft_moe::SoftMoe;
use deepspi_run::config::SoftMoeLayout;

use crate::error::ExportError;
use crate::graph::{Graph, Value, int};
use crate::layers::{chosen, parameter};
use crate::place::Place;
use crate::step::Step;

/// The outputs `[categories, classes]` of the sample's action.
///
/// # Errors
/// If a parameter cannot be read.
pub fn soft_moe(
    graph: &mut Graph,
    place: &Place,
    step: &Step<'_>,
    network: &SoftMoe,
) -> Result<Value, ExportError> {
    let [_, categories, classes] = step.shape;
    let [_, experts, per_expert] = network.phi.dims();
    let (choices, slots) = (step.actions, experts * per_expert);
    let part = |name: &str| place.node(name);
    let rows = graph.reshape(&part("rows"), &step.latent, &[categories, classes]);
    let phi = network.phi.val().reshape([classes, slots]);
    let phi = parameter(graph, &place.parameter("phi"), phi)?;
    let upscale = parameter(graph, &place.parameter("upscale"), network.upscale.val())?;
    let factors = network.upscale.val().reshape([choices, 1]);
    let factors = parameter(graph, &place.parameter("upscale.factors"), factors)?;

    // Logits of every token and slot; a category has one token for each action.
    let of_rows = graph.matmul(&part("of_rows"), &rows, &phi);
    let by_token = graph.reshape(&part("by_token"), &of_rows, &[categories, 1, slots]);
    let shape = [categories, choices, slots];
    let scaled = graph.node(&part("scaled"), "Mul", &[&by_token, &factors], Vec::new(), &shape);
    let logits = graph.reshape(&part("logits"), &scaled, &[categories * choices, slots]);

    let dispatch = graph.softmax(&part("dispatch/weights"), &logits, 0);
    let dispatch = graph.reshape(&part("dispatch/by_action"), &dispatch, &shape);
    let dispatch = graph.pair(&part("dispatch/scaled"), "Mul", &dispatch, &factors);
    let dispatch = graph.sum(&part("dispatch/sum"), &dispatch, &[1]);
    let dispatch = graph.transpose(&part("dispatch"), &dispatch, &[1, 0]);
    let inputs = graph.matmul(&part("slots"), &dispatch, &rows);
    let outputs = expert_outputs(graph, place, network, &inputs)?;

    let combine = match network_layout(step) {
        SoftMoeLayout::Corrected => {
            let attributes = vec![int("axis", 0)];
            let inputs = [&upscale, &step.action];
            let factor = graph.node(&part("factor"), "Gather", &inputs, attributes, &[1]);
            let factor = graph.reshape(&part("factor/row"), &factor, &[1, 1]);
            graph.pair(&part("combine/logits"), "Mul", &of_rows, &factor)
        }
        SoftMoeLayout::Parity => {
            // The authors read the same rows as actions outside of categories.
            let shape = [choices, categories, slots];
            let blocks = graph.reshape(&part("combine/blocks"), &logits, &shape);
            chosen(graph, &part("combine/logits"), &blocks, &step.action)
        }
    };
    let combine = graph.softmax(&part("combine"), &combine, 1);
    Ok(graph.matmul(&part("outputs"), &combine, &outputs))
}

const fn network_layout(step: &Step<'_>) -> SoftMoeLayout {
    step.config.world_model.softmoe_layout
}

/// Outputs `[experts * slots, classes]` of the experts for their slots.
fn expert_outputs(
    graph: &mut Graph,
    place: &Place,
    network: &SoftMoe,
    slots: &Value,
) -> Result<Value, ExportError> {
    let [_, experts, per_expert] = network.phi.dims();
    let [_, classes, _] = network.hidden_kernel.dims();
    let at = place.at("experts");
    let shape = [experts, per_expert, classes];
    let rows = graph.reshape(&at.node("slots"), slots, &shape);
    let kernel = parameter(graph, &place.parameter("hidden_kernel"), network.hidden_kernel.val())?;
    let bias = network.hidden_bias.val().unsqueeze_dim::<3>(1);
    let bias = parameter(graph, &place.parameter("hidden_bias"), bias)?;
    let hidden = graph.matmul(&at.node("hidden/product"), &rows, &kernel);
    let hidden = graph.pair(&at.node("hidden"), "Add", &hidden, &bias);
    let hidden = graph.map(&at.node("hidden/relu"), "Relu", &hidden);
    let kernel = parameter(graph, &place.parameter("output_kernel"), network.output_kernel.val())?;
    let bias = network.output_bias.val().unsqueeze_dim::<3>(1);
    let bias = parameter(graph, &place.parameter("output_bias"), bias)?;
    let outputs = graph.matmul(&at.node("output/product"), &hidden, &kernel);
    let outputs = graph.pair(&at.node("output"), "Add", &outputs, &bias);
    Ok(graph.reshape(&at.node("outputs"), &outputs, &[experts * per_expert, classes]))
}
