//! Generalised advantage estimation.

/// Advantages and returns, both `[T, N]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Advantages {
    /// `A_t`
    pub advantages: Vec<f32>,
    /// `A_t + V_t`
    pub returns: Vec<f32>,
}

/// `A_t = delta_t + gamma lambda (1 - d_{t+1}) A_{t+1}` with
/// `delta_t = r_t + gamma (1 - d_{t+1}) V_{t+1} - V_t` and `A_T = 0`.
///
/// `rewards` is `[T, N]`. `dones` is `[T + 1, N]`: the flags from *before* each step, then those
/// that the last step returned. `values` is `[T + 1, N]`; its last row belongs to the observations
/// after the last step. A time limit counts as the end of an episode, as in the authors' code.
///
/// # Panics
/// If the lengths do not match.
#[must_use]
pub fn gae(
    rewards: &[f32],
    dones: &[bool],
    values: &[f32],
    num_envs: usize,
    gamma: f32,
    lambda: f32,
) -> Advantages {
    assert_eq!(values.len(), rewards.len() + num_envs, "values must be [T + 1, N]");
    assert_eq!(dones.len(), values.len(), "dones must be [T + 1, N]");
    let mut advantages = vec![0.0; rewards.len()];
    let mut following = vec![0.0; num_envs];
    for t in (0..rewards.len() / num_envs).rev() {
        for (n, next) in following.iter_mut().enumerate() {
            let (now, then) = (t * num_envs + n, (t + 1) * num_envs + n);
            let goes_on = if dones[then] { 0.0 } else { 1.0 };
            let delta = rewards[now] + gamma * goes_on * values[then] - values[now];
            *next = delta + gamma * lambda * goes_on * *next;
            advantages[now] = *next;
        }
    }
    let returns = advantages.iter().zip(values).map(|(a, v)| a + v).collect();
    Advantages { advantages, returns }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Compares with the definition: a sum over the future up to the first end of an episode.
        #[test]
        fn equals_the_sum_of_discounted_errors(
            steps in prop::collection::vec((-1.0_f32..1.0, any::<bool>(), -2.0_f32..2.0), 2..12),
            gamma in 0.0_f32..0.999,
            lambda in 0.0_f32..1.0,
        ) {
            let rewards: Vec<f32> = steps[1..].iter().map(|s| s.0).collect();
            let dones: Vec<bool> = steps.iter().map(|s| s.1).collect();
            let values: Vec<f32> = steps.iter().map(|s| s.2).collect();
            let found = gae(&rewards, &dones, &values, 1, gamma, lambda);
            for t in 0..rewards.len() {
                let (mut expected, mut weight) = (0.0_f64, 1.0_f64);
                for k in t..rewards.len() {
                    let goes_on = if dones[k + 1] { 0.0 } else { 1.0 };
                    let delta = rewards[k] + gamma * goes_on * values[k + 1] - values[k];
                    expected += weight * f64::from(delta);
                    weight *= f64::from(gamma * lambda * goes_on);
                }
                prop_assert!((f64::from(found.advantages[t]) - expected).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn an_end_cuts_the_bootstrap() {
        let result = gae(&[1.0, 2.0], &[false, true, false], &[0.5, 7.0, 3.0], 1, 0.9, 0.8);
        assert_eq!(result.advantages[0], 1.0 - 0.5);
        assert!((result.advantages[1] - (2.0 + 0.9 * 3.0 - 7.0)).abs() < 1e-6);
        assert_eq!(result.returns[0], 1.0);
    }
}
