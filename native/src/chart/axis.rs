//! From values to places along an axis, and the ticks between.

use super::figure::{Axis, Scale};
use super::number::{labels, scientific, short};

/// An axis whose range is known.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    scale: Scale,
    /// Ends of the range; logarithms on a logarithmic axis.
    low: f64,
    high: f64,
}

/// A label at a place between 0 and 1 along the axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub share: f64,
    pub label: String,
}

impl Resolved {
    /// Range from the axis, or else from the values with `margin` of it on both sides.
    ///
    /// `None` if neither says anything.
    pub fn new(axis: &Axis, values: &[f64], margin: f64) -> Option<Self> {
        let log = axis.scale == Scale::Log10;
        let inner = |value: f64| if log { value.log10() } else { value };
        if let Scale::Category(names) = &axis.scale {
            let high = names.len() as f64 - 0.5;
            return (!names.is_empty()).then(|| Self {
                scale: axis.scale.clone(),
                low: -0.5,
                high,
            });
        }
        let given = axis.range.map(|(low, high)| (inner(low), inner(high)));
        let given = given.filter(|(low, high)| low.is_finite() && high.is_finite() && low < high);
        let (low, high) = if let Some(range) = given {
            range
        } else {
            let values = values.iter().map(|&value| inner(value)).filter(|v| v.is_finite());
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
            if low > high {
                return None;
            }
            widened(low, high, margin, log)
        };
        Some(Self { scale: axis.scale.clone(), low, high })
    }

    /// Where a value is, 0 at the start of the axis and 1 at its end; not finite where it has no
    /// place.
    pub fn share(&self, value: f64) -> f64 {
        let value = if self.scale == Scale::Log10 {
            if value > 0.0 { value.log10() } else { f64::NAN }
        } else {
            value
        };
        (value - self.low) / (self.high - self.low)
    }

    /// Names of a category axis.
    pub fn names(&self) -> Option<&[String]> {
        match &self.scale {
            Scale::Category(names) => Some(names),
            _ => None,
        }
    }

    /// At most about `most` ticks at round values.
    pub fn ticks(&self, most: usize) -> Vec<Tick> {
        match &self.scale {
            Scale::Category(names) => names
                .iter()
                .enumerate()
                .map(|(index, name)| Tick { share: self.share(index as f64), label: name.clone() })
                .collect(),
            Scale::Linear => self.linear_ticks(most),
            Scale::Log10 => self.log_ticks(most),
        }
    }

    fn linear_ticks(&self, most: usize) -> Vec<Tick> {
        let step = round_step((self.high - self.low) / most.max(1) as f64);
        // A rounding error must not cost the tick at the end of the range.
        let slack = 1e-9;
        let first = (self.low / step - slack).ceil();
        let last = (self.high / step + slack).floor();
        // Rounded to its own digits: 3 steps of 0.1 are not 0.3 otherwise.
        let count = (last - first).max(0.0) as usize + 1;
        let values: Vec<f64> = (0..count).map(|index| (first + index as f64) * step).collect();
        let texts = labels(&values, step);
        values
            .iter()
            .zip(texts)
            .map(|(&value, label)| Tick { share: self.share(value), label })
            .filter(|tick| (-slack..=1.0 + slack).contains(&tick.share))
            .collect()
    }

    fn log_ticks(&self, most: usize) -> Vec<Tick> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let slack = 1e-9;
        let at = |digits: &[f64], every: i32| -> Vec<f64> {
            (first..=last)
                .filter(|power| power.rem_euclid(every) == 0)
                .flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)))
                .filter(|value| (-slack..=1.0 + slack).contains(&self.share(*value)))
                .collect()
        };
        let every = ((self.high - self.low) / most.max(1) as f64).ceil().max(1.0) as i32;
        // The finest division that still fits, else powers of ten, else each second of them...
        let choices = [at(&[1.0, 2.0, 5.0], 1), at(&[1.0, 3.0], 1), at(&[1.0], every)];
        let fits = |values: &&Vec<f64>| values.len() >= 2 && values.len() <= most.max(2);
        let Some(values) = choices.iter().find(fits).or(choices.last()) else {
            return Vec::new();
        };
        if values.len() < 2 {
            // Less than a decade: equal steps say more than a lone power of ten.
            let plain = Self {
                scale: Scale::Linear,
                low: 10_f64.powf(self.low),
                high: 10_f64.powf(self.high),
            };
            let span = plain.high - plain.low;
            let mut ticks = plain.linear_ticks(most);
            for tick in &mut ticks {
                tick.share = self.share(plain.low + tick.share * span);
            }
            return ticks;
        }
        // One notation along the axis: 0.01 beside 1e-4 would hide that they are two decades apart.
        let powers = values.iter().any(|&value| value < 9e-3);
        values
            .iter()
            .map(|&value| Tick {
                share: self.share(value),
                label: if powers { scientific(value) } else { short(value) },
            })
            .collect()
    }
}

/// A range around the data; one around a single value where all are equal.
fn widened(low: f64, high: f64, margin: f64, log: bool) -> (f64, f64) {
    let span = high - low;
    if span <= 1e-12 * low.abs().max(high.abs()) {
        let around =
            if log { 0.5 } else { (low.abs() * 0.1).max(if low == 0.0 { 1.0 } else { 0.0 }) };
        return (low - around, high + around);
    }
    let (wider_low, wider_high) = (low - margin * span, high + margin * span);
    // An axis of what is not negative starts at 0 if that is near.
    if !log && low >= 0.0 && wider_low < 0.05 * span {
        (0.0, wider_high)
    } else {
        (wider_low, wider_high)
    }
}

/// The next larger of 1, 2, 2.5 and 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let digit = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|digit| digit * power >= step * 0.999);
    digit.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis, values: &[f64], most: usize) -> Vec<String> {
        let resolved = Resolved::new(axis, values, 0.0).expect("a range");
        resolved.ticks(most).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_include_both_ends() {
        assert_eq!(
            texts(&Axis::linear(""), &[0.0, 1.0], 5),
            ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            texts(&Axis::linear(""), &[0.0, 1e7], 4),
            ["0", "2.5M", "5.0M", "7.5M", "10.0M"]
        );
        assert_eq!(texts(&Axis::log10(""), &[1e-4, 1e-1], 5), ["1e-4", "1e-3", "1e-2", "1e-1"]);
        assert_eq!(
            texts(&Axis::log10(""), &[0.1, 10.0], 7),
            ["0.1", "0.2", "0.5", "1", "2", "5", "10"]
        );
        assert_eq!(texts(&Axis::log10(""), &[2.2, 4.4], 5), ["2.5", "3.0", "3.5", "4.0"]);
    }

    #[test]
    fn equal_values_have_a_range() {
        for value in [0.0, 3.0, -7e-9] {
            let axis = Resolved::new(&Axis::linear(""), &[value, value], 0.05).expect("a range");
            assert!((axis.share(value) - 0.5).abs() < 1e-9, "{value} is in the middle");
            assert!(!axis.ticks(5).is_empty());
        }
        let log = Resolved::new(&Axis::log10(""), &[1e-3], 0.05).expect("a range");
        assert!((log.share(1e-3) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn what_has_no_place_is_not_finite() {
        let values = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1.0, 100.0];
        let log = Resolved::new(&Axis::log10(""), &values, 0.0).expect("a range");
        assert!(!log.share(0.0).is_finite() && !log.share(-1.0).is_finite());
        assert!((log.share(10.0) - 0.5).abs() < 1e-9);
        assert!(Resolved::new(&Axis::linear(""), &[f64::NAN], 0.0).is_none(), "nothing to show");
    }
}
