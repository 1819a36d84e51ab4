//! The share of the variance of the returns that the critic explains.

/// `1 - Var(returns - values) / Var(returns)`; NaN when the returns do not vary.
#[must_use]
pub fn explained_variance(values: &[f32], returns: &[f32]) -> f32 {
    let errors: Vec<f32> = returns.iter().zip(values).map(|(r, v)| r - v).collect();
    let variance = variance(returns);
    if variance == 0.0 { f32::NAN } else { (1.0 - self::variance(&errors) / variance) as f32 }
}

fn variance(values: &[f32]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
    values.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explained_variance_is_one_for_perfect_values_and_zero_for_constant_ones() {
        let returns = [1.0, 2.0, 4.0];
        assert!((explained_variance(&returns, &returns) - 1.0).abs() < 1e-6);
        assert!(explained_variance(&[5.0; 3], &returns).abs() < 1e-6);
        assert!(explained_variance(&[5.0; 3], &[1.0; 3]).is_nan());
    }
}
