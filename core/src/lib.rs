//! DeepSPI: safe policy improvement while a representation and a world model are learned.
//!
//! This crate holds everything with tensors: networks, world model, losses, algorithms and the
//! trainer. It must not read files or a clock, so that the same code trains natively and in a
//! browser. Front ends give it environments (`deepspi_worlds`) and receive its messages
//! (`deepspi_run`). Data flows one way: environment -> [`collect`] -> [`data`] -> [`loss`] ->
//! [`algorithm`] -> [`optim`] -> [`trainer`] -> messages.
//!
//! Start reading at [`algorithm::deep_spi::objective()`], the loss of a minibatch, and
//! [`ops::policy_objective::composed()`], the plain form of its part that computes the utility U
//! of the paper's Eq. 6.
//!
//! Letters used in all shapes: `T` time steps, `N` environments, `B` samples of a minibatch,
//! `A` actions, `H W C` rows, columns and channels of a frame or latent, `K` mixture components,
//! `P` parameters. Latent z = phi(s); policy pi; importance ratio r = pi'(a|s) / pi(a|s).

pub mod algorithm;
pub mod checkpoint;
pub mod collect;
pub mod data;
pub mod dreamer;
mod error;
pub mod golden;
pub mod loss;
pub mod maze;
pub mod model;
pub mod nn;
pub mod ops;
pub mod optim;
pub mod params;
pub mod pca;
pub mod player;
pub mod readback;
pub mod returns;
pub mod run_state;
pub mod self_test;
pub mod sharing;
pub mod traffic;
pub mod trainer;
pub mod world_model;

pub use error::Error;
pub use traffic::read_floats;
