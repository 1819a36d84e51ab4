//! V-trace: returns of one policy from steps of another (Espeholt et al., ICML 2018; docs/deepspi.md,
//! section 4.6).

use super::Advantages;

/// Log-ratios are clipped to plus and minus this.
const LARGEST_LOG_RATIO: f32 = 3.0;

/// Which advantages are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighting {
    /// Those of the clipped loss, `r_t + gamma vhat_{t+1} - V_t`, not weighted.
    Clip,
    /// Those of the drift loss, `vhat_t - V_t`, weighted by truncated ratios.
    Drift,
}

/// What V-trace needs to know of T steps in N environments, time-major.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// `[T, N]`
    pub rewards: &'a [f32],
    /// `[T + 1, N]`: the flags from *before* each step, then those that the last step returned.
    pub dones: &'a [bool],
    /// `[T + 1, N]`, of the current critic.
    pub values: &'a [f32],
    /// Log-probabilities `[T, N]` of the actions under the current policy.
    pub log_probs: &'a [f32],
    /// Log-probabilities `[T, N]` under the behaviour policy.
    pub behaviour: &'a [f32],
}

/// Returns vhat and advantages, both `[T, N]`, with `rho_bar = c_bar = 1` and
/// `w = exp(clip(log pi - log mu, -3, 3))`:
///
/// `vhat_t = V_t + rho delta_t + gamma (1 - d_{t+1}) c (vhat_{t+1} - V_{t+1})` with
/// `rho = min(1, w)`, `c = lambda min(1, w)`, and `delta_t` as in [`super::gae`].
///
/// # Panics
/// If the lengths do not match.
#[must_use]
pub fn v_trace(
    steps: Steps<'_>,
    num_envs: usize,
    gamma: f32,
    lambda: f32,
    weighting: Weighting,
) -> Advantages {
    let Steps { rewards, dones, values, log_probs, behaviour } = steps;
    assert_eq!(values.len(), rewards.len() + num_envs, "values must be [T + 1, N]");
    assert_eq!(dones.len(), values.len(), "dones must be [T + 1, N]");
    assert_eq!((log_probs.len(), behaviour.len()), (rewards.len(), rewards.len()), "[T, N]");
    let (mut advantages, mut returns) = (vec![0.0; rewards.len()], vec![0.0; rewards.len()]);
    // vhat_{t+1} - V_{t+1}
    let mut following = vec![0.0; num_envs];
    for t in (0..rewards.len() / num_envs).rev() {
        for (n, excess) in following.iter_mut().enumerate() {
            let (now, then) = (t * num_envs + n, (t + 1) * num_envs + n);
            let goes_on = if dones[then] { 0.0 } else { 1.0 };
            let log_ratio = log_probs[now] - behaviour[now];
            let ratio = log_ratio.clamp(-LARGEST_LOG_RATIO, LARGEST_LOG_RATIO).exp();
            let rho = ratio.min(1.0);
            let delta = rewards[now] + gamma * goes_on * values[then] - values[now];
            let plain = rewards[now] + gamma * goes_on * (values[then] + *excess) - values[now];
            *excess = rho * delta + gamma * goes_on * lambda * rho * *excess;
            returns[now] = values[now] + *excess;
            advantages[now] = match weighting {
                Weighting::Clip => plain,
                Weighting::Drift => *excess,
            };
        }
    }
    Advantages { advantages, returns }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::returns::gae;

    proptest! {
        /// On the policy's own steps all ratios are 1, and V-trace is generalised advantage estimation.
        #[test]
        fn of_own_steps_it_is_gae(
            steps in prop::collection::vec((-1.0_f32..1.0, any::<bool>(), -2.0_f32..2.0), 2..12),
            gamma in 0.0_f32..0.999,
            lambda in 0.0_f32..1.0,
        ) {
            let (rewards, rest): (Vec<f32>, Vec<(bool, f32)>) =
                steps.iter().map(|(r, d, v)| (*r, (*d, *v))).unzip();
            let (dones, values): (Vec<bool>, Vec<f32>) = rest.into_iter().unzip();
            let rewards = &rewards[1..];
            let log_probs = vec![-0.7; rewards.len()];
            let all = Steps {
                rewards,
                dones: &dones,
                values: &values,
                log_probs: &log_probs,
                behaviour: &log_probs,
            };
            let found = v_trace(all, 1, gamma, lambda, Weighting::Drift);
            let expected = gae(rewards, &dones, &values, 1, gamma, lambda);
            for (a, b) in found.advantages.iter().zip(&expected.advantages) {
                prop_assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
            for (a, b) in found.returns.iter().zip(&expected.returns) {
                prop_assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }
}
