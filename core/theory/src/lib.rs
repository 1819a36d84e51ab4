//! Exact theory of safe policy improvement on finite MDPs.
//!
//! Training can only estimate the terms of the theorems. Here every term is computed exactly, so
//! that the theorems can be tested, shown and compared with what training reports. The crate must
//! not depend on networks: plain `f64`, one thread, no clock, and random numbers only from given
//! seeds.
//!
//! Letters used in all shapes: `S` states, `A` actions, `Z` latents. A table `[S, A]` is one vector
//! with entry `s * A + a`. Policies pi, latent policies pibar, encoder phi, model Mbar.
//!
//! Conventions of all modules:
//! - A terminal state ends the episode; its value is 0 and its rows are never read.
//! - The return is discounted and stops at the end of the episode; the reward of the last step
//!   counts.
//! - Entering a terminal state puts the process back at the start within the same step: the reset
//!   takes no step and no discount ([`chain`]).
//! - No result that is `Ok` contains NaN; every linear solve is checked by its residual
//!   ([`values`], [`chain`]).
//!
//! ```
//! use deepspi_theory::{
//!     Metric, Neighbourhood, TheoryError, Unvisited, WorldModel, evaluate, random_abstraction,
//!     random_mdp, random_policy, theorem_three, theorem_two,
//! };
//!
//! fn main() -> Result<(), TheoryError> {
//!     let mdp = random_mdp(12, 3, 3, 0.9, 1)?; // states, actions, successors, gamma, seed
//!     let phi = random_abstraction(&mdp, 5, 2)?; // 5 latents, the last one terminal
//!     let old = random_policy(phi.latents(), mdp.actions(), 3)?;
//!     let behaviour = phi.lift(&old)?;
//!     let metric = Metric::discrete(phi.latents());
//!     let model = WorldModel::counted(&mdp, phi, &behaviour, Unvisited::Absorb, metric)?;
//!     // One exact step in the model, with C below 1 / gamma = 1.11.
//!     let scores = evaluate(model.model(), &old)?.advantage;
//!     let new = Neighbourhood::new(1.05)?.step(model.model(), &old, &scores)?;
//!     let two = theorem_two(&mdp, &model, &behaviour, &new)?;
//!     println!("gap {}, tight {:?}, bound {:?}", two.gap, two.tight, two.right_hand_side);
//!     let three = theorem_three(&mdp, &model, &old, &new)?;
//!     println!("true {}, guaranteed {:?}", three.improvement_true, three.guaranteed());
//!     Ok(())
//! }
//! ```

pub mod abstraction;
pub mod bounds;
pub mod chain;
pub mod error;
mod linear;
pub mod lipschitz;
pub mod mdp;
pub mod metric;
pub mod neighbourhood;
pub mod optimal;
pub mod out_of_trajectory;
pub mod policy;
pub mod random;
pub mod safe_step;
pub mod values;
pub mod wasserstein;
pub mod world_model;

pub use abstraction::Abstraction;
pub use bounds::{
    Behaviour, Premise, Terms, TheoremFour, TheoremThree, TheoremTwo, Theorems, theorem_four,
    theorem_three, theorem_two, theorems,
};
pub use chain::{Chain, discounted_occupancy, episodic_chain};
pub use error::{TheoryError, Violation};
pub use lipschitz::{LatentLipschitz, latent_lipschitz};
pub use mdp::{Mdp, MdpParts};
pub use metric::Metric;
pub use neighbourhood::{Neighbourhood, Ratios, ratios};
pub use optimal::{Optimum, optimal};
pub use out_of_trajectory::OutOfTrajectory;
pub use policy::Policy;
pub use random::{random_abstraction, random_mdp, random_policy};
pub use safe_step::{SafePolicyIteration, SafeStep};
pub use values::{Values, evaluate};
pub use wasserstein::{total_variation, wasserstein};
pub use world_model::{ModelLosses, Unvisited, WorldModel};
