//! The controls of the form, in its order.

use super::{Control, Scope, Slider};

const fn common(name: &'static str, label: &'static str, slider: Option<Slider>) -> Control {
    Control { name, label, common: true, slider }
}

const fn rare(name: &'static str, label: &'static str, slider: Option<Slider>) -> Control {
    Control { name, label, common: false, slider }
}

/// The seed, which is the same for both agents.
pub const SEED: Control = common("seed", "Seed", None);

/// Controls of the maze, in the order of the form.
pub const MAZE: &[Control] = &[
    common("epsilon", "Lower corridor ε", Some(Slider::Even(0.01, 0.95, 0.01))),
    common("cue", "Cue", Some(Slider::Even(0.0, 1.0, 0.05))),
    common("n_path", "Corridor length n", Some(Slider::Even(2.0, 20.0, 1.0))),
    rare("maze_reset", "End of an episode", None),
    rare("preset", "Frames and networks", None),
];

/// Controls of games on the emulator, in the order of the form.
pub const GAME: &[Control] = &[
    rare("network", "Networks", None),
    rare(
        "max_episode_steps",
        "Longest episode",
        Some(Slider::Stops(&[200.0, 1_000.0, 5_000.0, 27_000.0, 108_000.0])),
    ),
    rare("emulator_seeds", "Seeds of the emulator", None),
    rare("reward_clip", "Clip rewards", None),
];

/// Controls of an agent, in the order of the form; without the seed.
pub const AGENT: &[Control] = &[
    common("algo", "Algorithm", None),
    common("learning_rate", "Learning rate", Some(Slider::Decades(-5, -1))),
    common("clip_coef", "Clip range C − 1", Some(Slider::Even(0.005, 0.995, 0.005))),
    common(
        "gamma",
        "Discount γ",
        Some(Slider::Stops(&[
            0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.999,
        ])),
    ),
    common("reward_loss_coef", "α_R, reward loss", Some(Slider::ZeroAndDecades(-5, 0))),
    common("transition_loss_coef", "α_P, transition loss", Some(Slider::ZeroAndDecades(-5, 0))),
    common("num_envs", "Environments N", Some(Slider::Powers(0, 9))),
    common("num_steps", "Steps T per iteration", Some(Slider::Powers(0, 9))),
    common("total_timesteps", "Total steps", Some(Slider::Powers(12, 20))),
    common("certified", "Certified run", None),
    rare("gae_lambda", "GAE λ", Some(Slider::Even(0.0, 1.0, 0.01))),
    rare("update_epochs", "Epochs per iteration", Some(Slider::Even(1.0, 20.0, 1.0))),
    rare("num_minibatches", "Minibatches per epoch", Some(Slider::Powers(0, 6))),
    rare("anneal_lr", "Decay the learning rate", None),
    rare("adam_eps", "Adam's epsilon", Some(Slider::Decades(-8, -2))),
    rare("max_grad_norm", "Largest gradient norm", Some(Slider::Decades(-2, 2))),
    rare("norm_adv", "Normalise advantages", None),
    rare("objective", "Surrogate", None),
    rare("drift_coef", "Drift weight", Some(Slider::ZeroAndDecades(-2, 1))),
    rare("ent_coef", "Entropy bonus", Some(Slider::ZeroAndDecades(-4, 0))),
    rare("vf_coef", "Value loss weight", Some(Slider::ZeroAndDecades(-2, 1))),
    rare("value_loss", "Value loss", None),
    rare("transition_density", "Transition model", None),
    rare("lipschitz_nets", "Lipschitz networks", None),
    rare("spectral_mode", "Spectral normalisation", None),
    rare("mixture_layout", "Mixture layout", None),
    rare("latent_distance", "Latent distance", None),
    rare(
        "transition_balance",
        "Gradient of l_P to the prediction",
        Some(Slider::Even(0.0, 0.95, 0.05)),
    ),
    rare("use_feature_group", "Feature groups", None),
    rare("done_predictor", "Predict ends of episodes", None),
    rare("done_labels", "Labels after an end", None),
    rare("lambda_gp", "Gradient penalty", Some(Slider::ZeroAndDecades(-4, 0))),
    rare("gradient_penalty", "Wanted slope", None),
    rare("piecewise_auxiliary_ratio", "Losses per sample in the clip", None),
    rare("n_cat", "Categories", Some(Slider::Powers(0, 6))),
    rare("n_cls", "Classes of a category", Some(Slider::Powers(1, 6))),
    rare("categorical_network", "Network of categories", None),
    rare("categorical_cost", "l_P of categories", None),
    rare("cost_target", "Target of the cost", None),
    rare("softmoe_layout", "Order of expert outputs", None),
    rare("use_gumbel_softmax", "Gumbel-softmax samples", None),
    rare("clip_reward_net_output", "Bound predicted rewards", None),
    rare("weight_decay", "Weight decay (transformer)", Some(Slider::ZeroAndDecades(-6, -2))),
    rare("activation", "Activation", None),
    rare("use_layer_norm", "Layer normalisation", None),
    rare("layer_norm_cnn_output", "Layer normalisation of latents", None),
    rare("hadamard_representation", "Hadamard representation", None),
    rare("dreamer_architecture", "Networks of Dreamer's size", None),
    rare("decoupled_repr", "Own networks of the critic", None),
    rare("use_attention", "Attention over categories", None),
    rare("encoder_learning_rate", "Learning rate, encoder", Some(Slider::Decades(-5, -1))),
    rare("world_model_learning_rate", "Learning rate, world model", Some(Slider::Decades(-5, -1))),
    rare("actor_learning_rate", "Learning rate, actor", Some(Slider::Decades(-5, -1))),
    rare("critic_learning_rate", "Learning rate, critic", Some(Slider::Decades(-5, -1))),
    rare("imagination_horizon", "Imagined steps H", Some(Slider::Powers(0, 6))),
    rare("wm_clip_coef", "Clip range, real steps", Some(Slider::Even(0.005, 0.995, 0.005))),
    rare("progressive", "Growth of imagination", None),
    rare("dyna_style", "Policy learns on real steps, too", None),
    rare("n_imagination_rollouts", "Imagined rollouts", Some(Slider::Even(1.0, 8.0, 1.0))),
    rare("imagination_epochs", "Epochs, imagined steps", Some(Slider::Even(1.0, 20.0, 1.0))),
    rare(
        "imagination_num_minibatches",
        "Minibatches, imagined steps (0: automatic)",
        Some(Slider::Stops(&[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])),
    ),
    rare("soft_done", "Soft imagined ends", None),
    rare("imagined_ends", "Drawn imagined ends", None),
    rare("wasserstein_discriminator", "Discriminator for l_P", None),
    rare("discriminator_obs_encoder", "Discriminator sees frames", None),
    rare("dream_weight_decay", "Weight decay", Some(Slider::ZeroAndDecades(-6, -2))),
    rare("disable_wd_ac", "No weight decay of the policy", None),
    rare("use_replay_buffer", "Replay buffer", None),
    rare(
        "replay_capacity",
        "Steps of the buffer",
        Some(Slider::Stops(&[20_000.0, 50_000.0, 100_000.0, 200_000.0, 500_000.0])),
    ),
    rare(
        "replay_start",
        "Steps before the first update",
        Some(Slider::Stops(&[1_000.0, 2_500.0, 5_000.0, 12_500.0, 20_000.0])),
    ),
    rare("replay_sequences", "Sequences of an update", Some(Slider::Powers(2, 8))),
    rare("replay_length", "Steps of a sequence", Some(Slider::Powers(1, 6))),
    rare("env_steps_per_wm_update", "Real steps per update", Some(Slider::Powers(0, 10))),
    rare("prioritize_new_samples", "Share of new sequences", Some(Slider::Even(0.0, 1.0, 0.05))),
    rare("use_v_trace", "V-trace", None),
    rare("dream_mode", "Order of updates", None),
];

/// Headings of an agent's controls that are not always shown, in the order of the form, each once.
#[must_use]
pub fn rare_headings() -> Vec<&'static str> {
    let mut headings = Vec::new();
    for control in AGENT.iter().filter(|control| !control.common) {
        let heading = control.info(Scope::Agent(0)).heading;
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_heading_is_there_once() {
        let mut headings = rare_headings();
        assert!(
            headings.contains(&"World model") && headings.contains(&"DreamSPI"),
            "{headings:?}"
        );
        headings.sort_unstable();
        let count = headings.len();
        headings.dedup();
        assert_eq!(headings.len(), count, "{headings:?}");
    }
}
