//! The algorithms and everything about them that is not mathematics: one entry per algorithm.
//!
//! Front ends loop over [`Algorithm::ALL`] and read names, colours and the configuration fields of
//! an algorithm from [`Algorithm::info`]. A new entry here appears in all of them, so no front end
//! may keep its own list.

use deepspi_options::choices;

use crate::metrics::{self, MetricInfo};

choices! {
    /// How a policy is improved. The first three are one update, and differ only in where the
    /// auxiliary loss enters.
    Algorithm = DeepSpi {
        /// Auxiliary losses inside the clipped objective: `U = A - a_R l_R - a_P l_P` (Eq. 6).
        "deep-spi" DeepSpi,
        /// The same losses added to the total loss outside the clip.
        "deep-mdp" DeepMdp,
        /// No world model: both coefficients count as 0.
        "ppo" Ppo,
        /// DeepSPI's objective for encoder and world model on real steps; actor and critic learn in
        /// imagination.
        "dream-spi" DreamSpi,
    }
}

/// Where the weighted losses of the world model enter an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auxiliary {
    /// They are taken off the advantage, inside the clip (Eq. 6).
    InsideClip,
    /// They are added to the total loss, outside the clip.
    OutsideClip,
    /// There are none: both coefficients count as 0.
    Absent,
}

/// How an algorithm is shown, and which configuration it reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlgorithmInfo {
    /// Its displayed name, as the paper writes it.
    pub label: &'static str,
    /// Index of its colour and marker in figures, which is also its position there; each algorithm
    /// has its own index.
    pub colour: usize,
    /// Parts of the configuration, and single fields of other parts, that it reads in addition to
    /// the top-level fields, which all algorithms read.
    pub reads: &'static [&'static str],
    /// Where the losses of the world model enter.
    pub auxiliary: Auxiliary,
    /// The metrics that it reports for every update.
    pub metrics: &'static [MetricInfo],
    /// Time of an agent step relative to DeepSPI. It only affects the order of runs and time
    /// estimates.
    pub step_cost: f64,
}

const DEEP_SPI: AlgorithmInfo = AlgorithmInfo {
    label: "DeepSPI",
    colour: 2,
    reads: &["networks", "world_model", "deep_spi"],
    auxiliary: Auxiliary::InsideClip,
    metrics: metrics::UPDATE,
    step_cost: 1.0,
};

const DEEP_MDP: AlgorithmInfo = AlgorithmInfo {
    label: "DeepMDP",
    colour: 1,
    reads: &["networks", "world_model", "deep_spi"],
    auxiliary: Auxiliary::OutsideClip,
    metrics: metrics::UPDATE,
    step_cost: 0.95,
};

const PPO: AlgorithmInfo = AlgorithmInfo {
    label: "PPO",
    colour: 0,
    // The density of the transition decides what a latent is.
    reads: &["networks", "transition_density"],
    auxiliary: Auxiliary::Absent,
    metrics: metrics::UPDATE,
    step_cost: 0.4,
};

const DREAM_SPI: AlgorithmInfo = AlgorithmInfo {
    label: "DreamSPI",
    colour: 3,
    reads: &["networks", "world_model", "piecewise_auxiliary_ratio", "dream"],
    auxiliary: Auxiliary::InsideClip,
    metrics: metrics::DREAM,
    step_cost: 3.0,
};

impl Algorithm {
    /// All algorithms in the order of figures and tables, which is the order of their colours.
    pub const IN_ORDER_OF_COLOUR: [Self; Self::ALL.len()] = {
        let mut all = Self::ALL;
        let mut sorted = 1;
        while sorted < all.len() {
            let mut at = sorted;
            while at > 0 && all[at - 1].info().colour > all[at].info().colour {
                all.swap(at - 1, at);
                at -= 1;
            }
            sorted += 1;
        }
        all
    };

    /// How the algorithm is shown, and which configuration it reads.
    #[must_use]
    pub const fn info(self) -> &'static AlgorithmInfo {
        match self {
            Self::DeepSpi => &DEEP_SPI,
            Self::DeepMdp => &DEEP_MDP,
            Self::Ppo => &PPO,
            Self::DreamSpi => &DREAM_SPI,
        }
    }

    /// Its displayed name, as the paper writes it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.info().label
    }
}
