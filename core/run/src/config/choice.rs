//! The hyper-parameters that are a choice between named values.

use deepspi_options::choices;

choices! {
    /// How the spectral layers bound their Lipschitz constant.
    SpectralMode = Parity {
        /// What the authors' code does: two power iterations whose estimate approaches the
        /// *squared* spectral norm. The layers are then not 1-Lipschitz (docs/deepspi.md, D2 to
        /// D4).
        "parity" Parity,
        /// Guaranteed 1-Lipschitz: divides by an upper bound of the operator norm (Gram iteration)
        /// that counts the overlap of convolution patches.
        "exact" Exact,
    }

    /// Family of the latent transition model.
    TransitionDensity = MixtureNormal {
        /// A point prediction.
        "deterministic" Deterministic,
        /// One normal distribution per latent dimension.
        "normal" Normal,
        /// A mixture of five normals with state-wide weights.
        "mixture-normal" MixtureNormal,
    }

    /// How the unconstrained mixture network reads its components from the last convolution
    /// (docs/deepspi.md, D17).
    MixtureLayout = Corrected {
        /// The component is part of the channel axis.
        "corrected" Corrected,
        /// The authors' reshape, which mixes space and component.
        "parity" Parity,
    }

    /// How far a predicted latent is from the true one, and a predicted reward from the received
    /// one.
    LatentDistance = SmoothL1 {
        /// Smooth-L1, what the authors' code minimises. Not a metric, so the theorems do not
        /// apply to it.
        "smooth-l1" SmoothL1,
        /// The Euclidean metric for latents, the absolute difference for rewards
        /// (docs/deepspi.md, D6).
        "euclidean" Euclidean,
    }

    /// What the error of a value costs.
    ValueLoss = Squared {
        /// Half its square.
        "squared" Squared,
        /// Huber's loss with threshold 1: half the square below 1, then linear.
        "huber" Huber,
    }

    /// Shape of the surrogate objective; with `drift-coef` 1 the two are equal in value and
    /// gradient.
    Objective = Clip {
        /// The clipped surrogate of PPO.
        "clip" Clip,
        /// The mirror-learning drift form of the same objective.
        "drift" Drift,
    }
}
