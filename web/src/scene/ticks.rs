//! Round numbers along an axis.

/// The step of 1, 2 or 5 times a power of ten with which `span` has about `parts` parts, rather fewer
/// than more.
#[must_use]
pub fn nice_step(span: f32, parts: f32) -> f32 {
    let rough = span / parts;
    let decade = 10.0_f32.powf(rough.log10().floor());
    let factor = rough / decade;
    // The margin keeps 1.0000001 from becoming 2.
    decade * [1.0, 2.0, 5.0].into_iter().find(|nice| factor <= nice * 1.001).unwrap_or(10.0)
}

/// Round numbers from `low` to `high`, and how to write them.
#[must_use]
pub fn ticks(low: f32, high: f32, parts: f32) -> Vec<(f32, String)> {
    let step = nice_step(high - low, parts);
    if !step.is_finite() || step <= 0.0 {
        return Vec::new();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few digits")]
    let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let margin = step * 1e-3;
    let mut found = Vec::new();
    let mut index = ((low - margin) / step).ceil();
    while index * step <= high + margin {
        // `+ 0.0` makes a positive zero of a negative one.
        let value = index * step + 0.0;
        found.push((value, format!("{value:.digits$}").replace('-', "\u{2212}")));
        index += 1.0;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f32, high: f32, parts: f32) -> Vec<String> {
        ticks(low, high, parts).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn steps_are_round() {
        for (span, step) in [(4.0, 1.0), (5.0, 2.0), (11.0, 5.0), (0.04, 0.01), (3000.0, 1000.0)] {
            assert!((nice_step(span, 4.0) / step - 1.0).abs() < 1e-5, "{span}");
        }
    }

    #[test]
    fn ticks_include_the_ends_and_are_written_with_the_digits_they_need() {
        assert_eq!(texts(-5.0, 10.0, 4.0), ["\u{2212}5", "0", "5", "10"]);
        assert_eq!(texts(-0.07, 0.07, 4.0), ["\u{2212}0.05", "0.00", "0.05"]);
        assert_eq!(texts(f32::NAN, 1.0, 4.0), [""; 0]);
        assert_eq!(texts(1.0, 1.0, 4.0), [""; 0]);
    }
}
