//! Comparison with the authors' implementation, number by number.
//!
//! A golden file holds what the authors' JAX code computes for one minibatch: losses, gradients and
//! parameters after one step. It does not store parameters and inputs: a counter-based generator
//! ([`fill`]) makes them again, so that a file can have any batch size, action count, channel count
//! and seed. The generator must never change.

mod check;
mod compare;
mod dream;
mod file;
pub mod fill;
mod imagined;
mod inputs;
mod names;
mod small;

use burn::tensor::Device;
use serde::de::DeserializeOwned;

pub use check::run;
pub use compare::Check;
pub use file::{GoldenError, GoldenFile, Outputs, Setting, Transitions};

/// Recomputes a golden file of any kind on `device` (without autodiff) and compares every quantity in it.
///
/// # Errors
/// If the text is no golden file, describes another network, or the device fails. A mismatch is not an
/// error.
pub async fn check(text: &str, device: &Device) -> Result<Vec<Check>, GoldenError> {
    let content: serde_json::Value = serde_json::from_str(text)?;
    let has = |field: &str| content.get(field).is_some();
    // Each kind is recognised by a field that only it has.
    if has("groups_dyna_style") || has("maximiser") {
        return dream::world_model_phase(&read(text)?, device).await;
    }
    if has("soft_done") {
        return imagined::imagination(&read(text)?, device).await;
    }
    if has("ratio_one") {
        return imagined::actor_critic(&read(text)?, device).await;
    }
    if has("world_model_phase") {
        return imagined::synchronisation(&read(text)?, device).await;
    }
    if has("done_loss") {
        return small::done_predictor(&read(text)?, device).await;
    }
    if has("grads_made_by") {
        return small::weight_decay(&read(text)?, device).await;
    }
    if has("dream_spi_two_rollouts") {
        return small::schedules(&read(text)?);
    }
    if has("log_ratio_clip") {
        return Ok(small::v_trace_file(&read(text)?));
    }
    if has("cases") {
        return small::off_policy(&read(text)?, device).await;
    }
    run(&GoldenFile::parse(text)?, device).await
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, GoldenError> {
    Ok(serde_json::from_str(text)?)
}
