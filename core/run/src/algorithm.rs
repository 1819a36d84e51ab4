//! The algorithms, and everything about them that is not mathematics: one entry an algorithm.
//!
//! Front ends loop over [`Algorithm::ALL`] and take names, colours and the fields an algorithm reads from
//! [`Algorithm::info`]. An algorithm that is added here appears in all of them; none may keep a list of its own.

use deepspi_options::choices;

use crate::metrics::{self, MetricInfo};

choices! {
    /// Which objective the one update computes; they differ only in where the auxiliary loss enters.
    Algorithm = DeepSpi {
        /// Auxiliary losses inside the clipped objective: `U = A - a_R l_R - a_P l_P` (Eq. 6).
        "deep-spi" DeepSpi,
        /// The same losses added to the total loss outside the clip.
        "deep-mdp" DeepMdp,
        /// No world model: both coefficients count as 0.
        "ppo" Ppo,
    }
}

/// How an algorithm is shown, and what it reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlgorithmInfo {
    /// Its name for people, as the paper writes it.
    pub label: &'static str,
    /// Index of its colour and marker in figures, and its place among the others there; each algorithm
    /// has an index of its own.
    pub colour: usize,
    /// Parts of the configuration that it reads besides the fields at the top level, which all read.
    pub reads: &'static [&'static str],
    /// What it reports of every update.
    pub metrics: &'static [MetricInfo],
    /// Time of an agent step relative to DeepSPI's. Only the order of runs and estimates depend on it.
    pub step_cost: f64,
}

const DEEP_SPI: AlgorithmInfo = AlgorithmInfo {
    label: "DeepSPI",
    colour: 2,
    reads: &["world_model", "deep_spi"],
    metrics: metrics::UPDATE,
    step_cost: 1.0,
};

const DEEP_MDP: AlgorithmInfo = AlgorithmInfo {
    label: "DeepMDP",
    colour: 1,
    reads: &["world_model", "deep_spi"],
    metrics: metrics::UPDATE,
    step_cost: 0.95,
};

const PPO: AlgorithmInfo =
    AlgorithmInfo { label: "PPO", colour: 0, reads: &[], metrics: metrics::UPDATE, step_cost: 0.4 };

impl Algorithm {
    /// All algorithms in the order of figures and tables: that of their colours.
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

    /// How it is shown, and what it reads.
    #[must_use]
    pub const fn info(self) -> &'static AlgorithmInfo {
        match self {
            Self::DeepSpi => &DEEP_SPI,
            Self::DeepMdp => &DEEP_MDP,
            Self::Ppo => &PPO,
        }
    }

    /// Its name for people, as the paper writes it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.info().label
    }
}
