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
        /// Latents of `n-cat` categories with `n-cls` classes each, and a distribution over the
        /// classes of every category.
        "categorical" Categorical,
    }

    /// Activation of hidden layers.
    Activation = Relu {
        /// `max(x, 0)`
        "relu" Relu,
        /// `x`, below 0 `exp(x) - 1`
        "elu" Elu,
        /// The tanh approximation of `x Phi(x)`
        "gelu" Gelu,
        /// `x sigmoid(x)`, also called swish
        "silu" Silu,
        /// Hyperbolic tangent
        "tanh" Tanh,
    }

    /// Transition network of categorical latents.
    CategoricalNetwork = Fc {
        /// Fully connected, over embeddings of the categories.
        "fc" Fc,
        /// Two 2x2 convolutions over the table of categories and classes; without feature groups.
        "conv" Conv,
        /// A soft mixture of experts with one token per category and action.
        "softmoe" SoftMoe,
        /// A causal transformer with one token per category.
        "transformer" Transformer,
    }

    /// How far a predicted categorical latent is from the true one.
    CategoricalCost = L2 {
        /// Smooth-L1 of the differences of one-hot classes, summed, divided by the categories.
        "l2" L2,
        /// Share of the categories with another class.
        "hamming" Hamming,
        /// Cross-entropy of the true classes.
        "cross-entropy" CrossEntropy,
        /// Root of the Jensen-Shannon divergence, summed over categories.
        "jensen-shannon" JensenShannon,
    }

    /// Which latent the costs `cross-entropy` and `jensen-shannon` compare the prediction with
    /// (docs/deepspi.md, D16).
    CostTarget = Next {
        /// The next latent.
        "next" Next,
        /// The current latent, as in the authors' code, which therefore learns to predict no change.
        "parity" Parity,
    }

    /// How the soft mixture of experts reads the outputs of the chosen action (docs/deepspi.md,
    /// D18).
    SoftMoeLayout = Corrected {
        /// In the order in which the tokens were made: category, then action.
        "corrected" Corrected,
        /// The authors' reshape, which exchanges categories and actions.
        "parity" Parity,
    }

    /// Labels of the done predictor (docs/deepspi.md, D22).
    DoneLabels = Corrected {
        /// 1 in the step that ends the episode and in the step after it, whose latents are the same.
        "corrected" Corrected,
        /// As in the authors' code 1, then 0: of an end the predictor then learns one half.
        "parity" Parity,
    }

    /// What a gradient penalty wants of the world model's slope.
    GradientPenalty = Lipschitz {
        /// Slope 0 at the latents of the batch.
        "lipschitz" Lipschitz,
        /// Slope 1 between true and imagined latents (WGAN-GP).
        "wgan" Wgan,
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

    /// Parameters at which DreamSPI takes gradients (docs/dream-spi.md).
    DreamMode = Corrected {
        /// At the current ones: all groups are synchronised after every minibatch; rates are never
        /// negative.
        "corrected" Corrected,
        /// As in the authors' code: at the current ones of the first group of a phase, and at those
        /// from the start of the phase of all others (docs/deepspi.md, D19, D20, D21).
        "parity" Parity,
    }

    /// How the ends of imagined episodes are drawn (docs/deepspi.md, D30).
    ImaginedEnds = Corrected {
        /// With the predicted probability.
        "corrected" Corrected,
        /// As in the authors' code, in which rounding loses about a quarter of the ends.
        "parity" Parity,
    }

    /// How the weight of imagined steps grows over training.
    Progressive = Off {
        /// It is 1.
        "off" Off,
        /// The share of the training that is done.
        "linear" Linear,
        /// From 1e-8 to 1, exponentially in that share.
        "exponential" Exponential,
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
