//! DeepSPI: policy improvement that stays safe while representation and world model are learned.
//!
//! This crate is the algorithm alone. It performs no I/O and reads no clock, and uses threads in one
//! place only ([`parallel`], native), so that the same code trains natively and in a browser; front
//! ends feed it environments and consume its [`message::Message`]s. Data flows one way:
//! [`mod@env`] -> [`rollout`] -> [`loss`] -> [`objective`] -> [`learner`] -> [`trainer`] ->
//! messages.
//!
//! Letters used in all shapes: `T` time steps, `N` environments, `B` samples of a minibatch,
//! `A` actions, `H W C` rows, columns and channels of a frame or latent, `K` mixture components,
//! `P` parameters. Latent z = phi(s); policy pi; importance ratio r = pi'(a|s) / pi(a|s).

pub mod batch_view;
pub mod checkpoint;
pub mod golden;
pub mod learner;
pub mod loss;
pub mod maze;
pub mod metrics;
pub mod model;
pub mod nn;
pub mod objective;
pub mod ops;
pub mod optim;
pub mod params;
pub mod pca;
pub mod returns;
pub mod rollout;
pub mod self_test;
pub mod sharing;
pub mod trainer;
pub mod world_model;

use burn::tensor::Tensor;

/// Why the core could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The device failed: lost, out of memory, or a kernel it refused.
    #[error("the device failed while reading results: {0}")]
    Device(String),
}

/// Reads a vector from the device without blocking, as a browser requires.
///
/// # Errors
/// The device's own error.
pub async fn read_floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Error> {
    let data =
        tensor.into_data_async().await.map_err(|error| Error::Device(format!("{error:?}")))?;
    data.try_into_vec().map_err(|error| Error::Device(format!("{error:?}")))
}
