//! Thins a curve without changing its picture.

/// Indices of at most about `most` values, so that a curve through them looks the same: the
/// smallest and the largest value of each section, and the last value, which is the current one.
///
/// Missing values (`None`) are kept as a gap only if a whole section is missing.
pub fn thin(values: &[Option<f64>], most: usize) -> Vec<usize> {
    if values.len() <= most {
        return (0..values.len()).collect();
    }
    let stretch = values.len().div_ceil((most / 2).max(1));
    let mut kept = Vec::with_capacity(most + 1);
    for (part, values) in values.chunks(stretch).enumerate() {
        let first = part * stretch;
        let present = || values.iter().enumerate().filter_map(|(i, value)| Some((i, (*value)?)));
        let lowest = present().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = present().max_by(|a, b| a.1.total_cmp(&b.1));
        match (lowest, highest) {
            (Some((a, _)), Some((b, _))) => {
                kept.push(first + a.min(b));
                if a != b {
                    kept.push(first + a.max(b));
                }
            }
            _ => kept.push(first),
        }
    }
    if kept.last() != Some(&(values.len() - 1)) {
        kept.push(values.len() - 1);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_gaps_and_the_last_value_survive() {
        let mut values: Vec<Option<f64>> = (0..5000).map(|i| Some(f64::from(i % 7))).collect();
        values[1234] = Some(99.0);
        values[2345] = Some(-99.0);
        values[3000..3200].fill(None);
        let kept = thin(&values, 400);
        assert!(kept.len() <= 401 && kept.is_sorted());
        assert!([1234, 2345, 4999].iter().all(|i| kept.contains(i)));
        assert!(kept.iter().any(|i| values[*i].is_none()));
    }

    #[test]
    fn few_values_stay_as_they_are() {
        assert_eq!(thin(&[None, Some(1.0)], 400), [0, 1]);
        assert!(thin(&[], 400).is_empty());
    }
}
