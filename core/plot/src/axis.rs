//! The position of values along an axis, and its ticks.
//!
//! A position is a share of the axis: 0 at its start and 1 at its end. The code that draws the axis
//! converts it to pixels.

use crate::number::{number, scientific, tick_labels};

/// Leading digits of the distance between two ticks of a linear axis.
const STEPS: [f64; 4] = [1.0, 2.0, 2.5, 5.0];
/// Leading digits of the ends of a logarithmic axis, and of its ticks if it is short.
const FINE: [f64; 7] = [1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 7.0];
/// Tolerance, so that rounding errors do not remove the tick at the end of a range.
const SLACK: f64 = 1e-9;

/// How values are mapped to positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences have equal distances.
    #[default]
    Linear,
    /// Equal ratios have equal distances; values of 0 and below have no position.
    Log10,
}

impl Scale {
    /// The quantity in which the axis is linear.
    fn inner(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log10 if value > 0.0 => value.log10(),
            Self::Log10 => f64::NAN,
        }
    }

    fn outer(self, inner: f64) -> f64 {
        if self == Self::Log10 { 10_f64.powf(inner) } else { inner }
    }
}

/// An axis with its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    scale: Scale,
    /// Ends of the range; on a logarithmic axis their logarithms.
    low: f64,
    high: f64,
    /// Distance of the ticks, if the ends were chosen to be ticks.
    step: Option<f64>,
}

/// A labelled position on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// The value at this position.
    pub value: f64,
    /// The position, as a share of the axis.
    pub share: f64,
    /// The value as text.
    pub label: String,
}

impl Default for Axis {
    /// A linear axis from 0 to 1.
    fn default() -> Self {
        Self { scale: Scale::Linear, low: 0.0, high: 1.0, step: None }
    }
}

impl Axis {
    /// An axis from `low` to `high`; `None` if that is not a range on this scale.
    #[must_use]
    pub fn between(scale: Scale, low: f64, high: f64) -> Option<Self> {
        let (low, high) = (scale.inner(low), scale.inner(high));
        let is_range = low.is_finite() && high.is_finite() && low < high;
        is_range.then_some(Self { scale, low, high, step: None })
    }

    /// An axis over the values, with a margin on both sides, the share `margin` of their extent; a
    /// linear axis that begins near 0 begins at 0. `None` if no value has a position on this scale.
    #[must_use]
    pub fn around(
        scale: Scale,
        values: impl IntoIterator<Item = f64>,
        margin: f64,
    ) -> Option<Self> {
        let (low, high) = extent(scale, values)?;
        let (low, high) = widened(low, high, margin, scale);
        Some(Self { scale, low, high, step: None })
    }

    /// An axis over the values with round ends: on a linear axis the ends are ticks, at most `most`
    /// steps apart (`most` rounded up). `None` if no value has a position on this scale.
    #[must_use]
    pub fn rounded(scale: Scale, values: impl IntoIterator<Item = f64>, most: f64) -> Option<Self> {
        let (low, high) = extent(scale, values)?;
        match scale {
            Scale::Linear => Some(Self::with_ticks_at_its_ends(low, high, most)),
            Scale::Log10 => {
                let low = round_down(scale.outer(low), &FINE);
                let high = round_up(scale.outer(high), &FINE);
                let high = if high > low { high } else { round_up(low * 1.5, &FINE) };
                Self::between(scale, low, high)
            }
        }
    }

    fn with_ticks_at_its_ends(low: f64, high: f64, most: f64) -> Self {
        let (low, high) = if is_one_value(low, high) {
            widened(low, high, 0.0, Scale::Linear)
        } else {
            (low, high)
        };
        // A range around a tick needs two steps.
        let most = most.max(2.0);
        let mut step = round_step((high - low) / most);
        loop {
            let first = (low / step + SLACK).floor() * step;
            let last = (high / step - SLACK).ceil() * step;
            if !(first.is_finite() && last.is_finite()) {
                // The range is too large to divide in 64 bits.
                return Self { scale: Scale::Linear, low, high, step: None };
            }
            if (last - first) / step <= most.ceil() + SLACK {
                return Self { scale: Scale::Linear, low: first, high: last, step: Some(step) };
            }
            step = round_step(step * 1.01);
        }
    }

    /// The position of a value: 0 at the start of the axis, 1 at its end, smaller or larger
    /// outside; not finite if the value has no position.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        (self.scale.inner(value) - self.low) / (self.high - self.low)
    }

    /// Smallest and largest value.
    #[must_use]
    pub fn ends(&self) -> [f64; 2] {
        [self.scale.outer(self.low), self.scale.outer(self.high)]
    }

    /// Ticks at round values, in ascending order, at most about `most` steps apart; an axis made by
    /// [`rounded`](Self::rounded) keeps its steps.
    #[must_use]
    pub fn ticks(&self, most: f64) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => self.linear_ticks(most),
            Scale::Log10 => self.log_ticks(most),
        }
    }

    fn linear_ticks(&self, most: f64) -> Vec<Tick> {
        let step = self.step.unwrap_or_else(|| round_step((self.high - self.low) / most.max(1.0)));
        let first = (self.low / step - SLACK).ceil();
        let last = (self.high / step + SLACK).floor();
        // Ticks are whole multiples of the step, so that errors do not add up and 0 is exactly 0.
        let count = (last - first).max(0.0) as usize + 1;
        let values: Vec<f64> = (0..count).map(|index| (first + index as f64) * step).collect();
        let labels = tick_labels(&values, step);
        let ticks = values.into_iter().zip(labels);
        ticks
            .map(|(value, label)| Tick { value, share: self.share(value), label })
            .filter(|tick| (-SLACK..=1.0 + SLACK).contains(&tick.share))
            .collect()
    }

    fn log_ticks(&self, most: f64) -> Vec<Tick> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let at = |digits: &[f64], every: i32| -> Vec<f64> {
            (first..=last)
                .filter(|power| power.rem_euclid(every) == 0)
                .flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)))
                .filter(|value| (-SLACK..=1.0 + SLACK).contains(&self.share(*value)))
                .collect()
        };
        let every = ((self.high - self.low) / most.max(1.0)).ceil().max(1.0) as i32;
        // The finest division that fits, else powers of ten, else every second one of them, and so
        // on.
        let choices = [at(&[1.0, 2.0, 5.0], 1), at(&[1.0, 3.0], 1), at(&[1.0], every)];
        let fits = |values: &&Vec<f64>| values.len() >= 2 && values.len() as f64 <= most.max(2.0);
        let Some(mut values) = choices.iter().find(fits).or(choices.last()).cloned() else {
            return Vec::new();
        };
        if values.len() == 2 {
            // Two ticks do not show that the axis is logarithmic.
            let fine = at(&FINE, 1);
            if fine.len() >= 3 && fine.len() as f64 <= most {
                values = fine;
            }
        }
        if values.len() < 2 {
            // Less than a decade: equal steps show more than a single power of ten.
            let [low, high] = self.ends();
            let plain = Self { scale: Scale::Linear, low, high, step: None };
            let ticks = plain.linear_ticks(most).into_iter();
            return ticks.map(|tick| Tick { share: self.share(tick.value), ..tick }).collect();
        }
        // One notation along the axis: 0.01 next to 1e-4 would hide that they are two decades
        // apart.
        let powers = values.iter().any(|&value| value < 9e-3);
        let label = |value| if powers { scientific(value) } else { number(value) };
        values
            .into_iter()
            .map(|value| Tick { value, share: self.share(value), label: label(value) })
            .collect()
    }
}

/// Smallest and largest of the values that have a position, in the quantity in which the axis is
/// linear.
fn extent(scale: Scale, values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let values = values.into_iter().map(|value| scale.inner(value)).filter(|v| v.is_finite());
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    (low <= high).then_some((low, high))
}

fn is_one_value(low: f64, high: f64) -> bool {
    high - low <= 1e-12 * low.abs().max(high.abs())
}

/// A range around the data; if all values are equal, a range around that value.
fn widened(low: f64, high: f64, margin: f64, scale: Scale) -> (f64, f64) {
    let span = high - low;
    if is_one_value(low, high) {
        let around = match scale {
            Scale::Log10 => 0.5,
            Scale::Linear => (low.abs() * 0.1).max(if low == 0.0 { 1.0 } else { 0.0 }),
        };
        return (low - around, high + around);
    }
    let (wider_low, wider_high) = (low - margin * span, high + margin * span);
    // An axis without negative values starts at 0 if 0 is near.
    if scale == Scale::Linear && low >= 0.0 && wider_low < 0.05 * span {
        (0.0, wider_high)
    } else {
        (wider_low, wider_high)
    }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let digit = STEPS.into_iter().find(|digit| digit * power >= step * 0.999);
    digit.unwrap_or(10.0) * power
}

fn round_up(x: f64, digits: &[f64]) -> f64 {
    let power = 10_f64.powf(x.log10().floor());
    let digit = digits.iter().find(|digit| *digit * power >= x * (1.0 - SLACK));
    digit.unwrap_or(&10.0) * power
}

fn round_down(x: f64, digits: &[f64]) -> f64 {
    let power = 10_f64.powf(x.log10().floor());
    let digit = digits.iter().rev().find(|digit| *digit * power <= x * (1.0 + SLACK));
    digit.unwrap_or(&1.0) * power
}

#[cfg(test)]
mod tests {
    use super::Scale::{Linear, Log10};
    use super::*;

    fn labels(axis: &Axis, most: f64) -> Vec<String> {
        axis.ticks(most).into_iter().map(|tick| tick.label).collect()
    }

    fn around(scale: Scale, values: &[f64], most: f64) -> Vec<String> {
        let axis = Axis::around(scale, values.iter().copied(), 0.0).expect("a range");
        labels(&axis, most)
    }

    fn rounded(scale: Scale, values: &[f64], most: f64) -> Axis {
        Axis::rounded(scale, values.iter().copied(), most).expect("a range")
    }

    #[test]
    fn ticks_are_round_and_include_both_ends() {
        assert_eq!(around(Linear, &[0.0, 1.0], 5.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(around(Linear, &[0.0, 1e7], 4.0), ["0", "2.5M", "5.0M", "7.5M", "10.0M"]);
        assert_eq!(around(Log10, &[1e-4, 1e-1], 5.0), ["1e-4", "1e-3", "1e-2", "1e-1"]);
        assert_eq!(around(Log10, &[0.1, 10.0], 7.0), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(around(Log10, &[2.2, 4.4], 5.0), ["2.5", "3.0", "3.5", "4.0"]);
        assert_eq!(around(Log10, &[22.0, 94.0], 5.0), ["40", "60", "80"]);
        assert_eq!(around(Log10, &[1.0, 2.0], 5.0), ["1", "1.2", "1.5", "2"]);
        assert_eq!(around(Log10, &[1e-6, 1e6], 5.0), ["1e-6", "1e-3", "1e0", "1e3", "1e6"]);
    }

    #[test]
    fn equal_values_have_a_range() {
        for value in [0.0, 3.0, -7e-9, -1e-12, 1e9] {
            let axis = Axis::around(Linear, [value, value], 0.05).expect("a range");
            assert!((axis.share(value) - 0.5).abs() < 1e-9, "{value} is in the middle");
            assert!(!axis.ticks(5.0).is_empty());
            let axis = rounded(Linear, &[value], 5.0);
            assert!(
                (0.0..=1.0).contains(&axis.share(value)) && axis.ticks(5.0).len() > 1,
                "{value}"
            );
        }
        for axis in [Axis::around(Log10, [1e-3], 0.05), Axis::rounded(Log10, [1e-3], 5.0)] {
            let axis = axis.expect("a range");
            assert!((0.0..=1.0).contains(&axis.share(1e-3)), "{axis:?}");
        }
    }

    #[test]
    fn what_has_no_place_is_not_finite() {
        let values = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1.0, 100.0];
        let log = Axis::around(Log10, values, 0.0).expect("a range");
        assert!(!log.share(0.0).is_finite() && !log.share(-1.0).is_finite());
        assert!((log.share(10.0) - 0.5).abs() < 1e-9);
        for scale in [Linear, Log10] {
            assert!(Axis::around(scale, [f64::NAN], 0.0).is_none(), "nothing to show");
            assert!(Axis::rounded(scale, [f64::INFINITY], 5.0).is_none());
            assert!(Axis::between(scale, 2.0, 2.0).is_none());
        }
        assert!(Axis::between(Log10, 0.0, 2.0).is_none());
    }

    #[test]
    fn a_rounded_axis_has_ticks_at_its_ends_and_no_more_than_asked_for() {
        let axis = rounded(Linear, &[-4.29, f64::NAN, 8.01], 5.0);
        assert_eq!(labels(&axis, 5.0), ["\u{2212}5", "0", "5", "10"]);
        assert_eq!(axis.ends(), [-5.0, 10.0]);
        assert_eq!((axis.share(-5.0), axis.share(10.0)), (0.0, 1.0));
        for (low, high) in [(0.1, 4.9), (-0.5, 2.4), (-1.0, 1.0), (8.6, 17.0), (-3e-3, 4e3)] {
            for most in [1.0, 2.0, 2.5, 3.3, 4.0, 5.7, 12.0] {
                let axis = rounded(Linear, &[low, high], most);
                let ticks = axis.ticks(most);
                let shares = (ticks[0].share, ticks[ticks.len() - 1].share);
                assert!(shares.0.abs() < 1e-9 && (shares.1 - 1.0).abs() < 1e-9, "{axis:?}");
                assert!(ticks.len() as f64 <= most.ceil().max(2.0) + 1.0, "{axis:?} {most}");
                assert!(axis.ends()[0] <= low && axis.ends()[1] >= high, "{axis:?}");
            }
        }
        // The range is too large to divide in 64 bits.
        assert!(rounded(Linear, &[-f64::MAX, f64::MAX], 5.0).ends()[0].is_finite());
    }

    #[test]
    fn a_rounded_logarithmic_axis_labels_few_or_many_decades() {
        let axis = rounded(Log10, &[1.0, 1.0101, 7.3], 5.0);
        assert_eq!(labels(&axis, 5.0), ["1", "2", "5", "10"]);
        assert_eq!(labels(&rounded(Log10, &[1.01, 1.9], 5.0), 5.0), ["1", "1.2", "1.5", "2"]);
        let wide = rounded(Log10, &[1e-6, 3e5], 5.0);
        assert!((4..=6).contains(&wide.ticks(5.0).len()), "{:?}", labels(&wide, 5.0));
    }
}
