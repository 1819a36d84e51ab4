//! Axes: from values to pixels, and where the ticks are.

use super::number::number;

/// Steps between ticks, times a power of ten.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];
/// Ends of a logarithmic axis, and its ticks where it is short.
const FINE: [f64; 7] = [1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 7.0];
/// A logarithmic axis reaches at most from the smallest to the largest number that is of use.
const DECADES: i32 = 300;

/// An axis with round ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    is_log: bool,
    step: f64,
}

/// A labelled place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Pixel.
    pub at: f64,
    /// The value there.
    pub label: String,
}

impl Axis {
    /// Over the finite ones of `values`, drawn between the pixels `from` and `to`, with a tick about
    /// every `spacing` pixels.
    #[must_use]
    pub fn linear(values: impl Iterator<Item = f64>, pixels: [f64; 2], spacing: f64) -> Self {
        let (mut low, mut high) = extent(values.filter(|x| x.is_finite())).unwrap_or((0.0, 1.0));
        if high - low <= 1e-9 * low.abs().max(high.abs()) {
            let margin = if low == 0.0 { 0.5 } else { 0.1 * low.abs() };
            (low, high) = (low - margin, high + margin);
        }
        let [from, to] = pixels;
        let ticks = ((to - from).abs() / spacing).max(1.0);
        let step = round_step((high - low) / ticks);
        let low = (low / step + 1e-9).floor() * step;
        let high = (high / step - 1e-9).ceil() * step;
        Self { low, high, from, to, is_log: false, step }
    }

    /// As [`linear`](Self::linear), but with fixed ends, which need not be round.
    #[must_use]
    pub fn between(low: f64, high: f64, pixels: [f64; 2], spacing: f64) -> Self {
        let round = Self::linear([low, high].into_iter(), pixels, spacing);
        if low < high { Self { low, high, ..round } } else { round }
    }

    /// Logarithmic, over the positive finite ones of `values`.
    #[must_use]
    pub fn log(values: impl Iterator<Item = f64>, pixels: [f64; 2]) -> Self {
        let positive = values.filter(|x| x.is_finite() && *x > 0.0);
        let (low, high) = extent(positive).unwrap_or((1.0, 10.0));
        let low = round_down(low, &FINE);
        let mut high = round_up(high, &FINE);
        if high <= low {
            high = round_up(low * 1.5, &FINE);
        }
        Self { low, high, from: pixels[0], to: pixels[1], is_log: true, step: 0.0 }
    }

    /// Whether there is a place for this value.
    #[must_use]
    pub fn has(&self, value: f64) -> bool {
        value.is_finite() && (!self.is_log || value > 0.0)
    }

    /// Pixel of a value that [`has`](Self::has) a place.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let [low, high, value] = [self.low, self.high, value].map(|x| self.inner(x));
        self.from + (value - low) / (high - low) * (self.to - self.from)
    }

    /// Smallest and largest value on the axis.
    #[must_use]
    pub const fn ends(&self) -> [f64; 2] {
        [self.low, self.high]
    }

    /// The ticks, lowest value first.
    #[must_use]
    pub fn ticks(&self) -> Vec<Tick> {
        let tick = |value: f64| Tick { at: self.at(value), label: number(value) };
        if self.is_log {
            return self.log_ticks().into_iter().map(tick).collect();
        }
        let first = (self.low / self.step - 1e-9).ceil();
        let count = (self.high / self.step + 1e-9).floor() - first;
        // From whole multiples, so that nothing adds up and 0 is 0.
        (0..=count.clamp(0.0, 100.0) as usize)
            .map(|i| tick((first + i as f64) * self.step))
            .collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let decade = |x: f64| (x.log10() + 1e-9).floor() as i32;
        let (first, last) = (decade(self.low), decade(self.high).min(DECADES));
        let (digits, every): (&[f64], _) = match self.high / self.low {
            ..2.1 => (&FINE, 1),
            ..11.0 => (&[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], 1),
            ..1100.0 => (&STEPS, 1),
            _ => (&[1.0], (last - first) as usize / 6 + 1),
        };
        let on_axis = |x: &f64| (self.low * 0.999..=self.high * 1.001).contains(x);
        let decades = (first..=last).step_by(every);
        let ticks = decades.flat_map(|k| digits.iter().map(move |digit| digit * 10_f64.powi(k)));
        ticks.filter(on_axis).collect()
    }

    fn inner(&self, value: f64) -> f64 {
        if self.is_log { value.ln() } else { value }
    }
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, x| {
        let (low, high) = ends.unwrap_or((x, x));
        Some((low.min(x), high.max(x)))
    })
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `x`.
fn round_step(x: f64) -> f64 {
    round_up(x, &STEPS)
}

fn round_up(x: f64, digits: &[f64]) -> f64 {
    let power = 10_f64.powf(x.log10().floor());
    let digit = digits.iter().find(|digit| *digit * power >= x * (1.0 - 1e-9));
    digit.unwrap_or(&10.0) * power
}

fn round_down(x: f64, digits: &[f64]) -> f64 {
    let power = 10_f64.powf(x.log10().floor());
    let digit = digits.iter().rev().find(|digit| *digit * power <= x * (1.0 + 1e-9));
    digit.unwrap_or(&1.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn a_linear_axis_has_round_ends_and_ticks() {
        let axis = Axis::linear([-4.29, f64::NAN, 8.01].into_iter(), [200.0, 0.0], 40.0);
        assert_eq!(labels(&axis), ["−5", "0", "5", "10"]);
        assert_eq!((axis.at(-5.0), axis.at(10.0)), (200.0, 0.0));
    }

    #[test]
    fn an_axis_without_extent_still_has_one() {
        for value in [0.0, 5.0, -1e-12, 1e9] {
            let axis = Axis::linear([value].into_iter(), [0.0, 100.0], 40.0);
            assert!(axis.at(value).is_finite() && axis.ticks().len() > 1, "{value}");
        }
        let empty = Axis::linear([].into_iter(), [0.0, 100.0], 40.0);
        assert_eq!(empty.ends(), [0.0, 1.0]);
        assert!(Axis::log([1.0, 1.0].into_iter(), [0.0, 100.0]).at(1.0).is_finite());
        assert_eq!(Axis::log([0.0, -1.0].into_iter(), [0.0, 100.0]).ends(), [1.0, 10.0]);
    }

    #[test]
    fn a_logarithmic_axis_labels_few_or_many_decades() {
        let axis = Axis::log([1.0, 1.0101, 7.3].into_iter(), [100.0, 0.0]);
        assert_eq!(labels(&axis), ["1", "1.5", "2", "3", "5", "7", "10"]);
        let short = Axis::log([1.01, 1.9].into_iter(), [100.0, 0.0]);
        assert_eq!(labels(&short), ["1", "1.2", "1.5", "2"]);
        assert!(!axis.has(0.0) && !axis.has(f64::INFINITY) && axis.has(1.0));
        let wide = Axis::log([1e-6, 3e5].into_iter(), [100.0, 0.0]);
        assert!((4..=8).contains(&wide.ticks().len()), "{:?}", labels(&wide));
    }

    #[test]
    fn fixed_ends_are_kept_and_ticks_stay_inside() {
        let axis = Axis::between(0.0, 65_536.0, [0.0, 400.0], 80.0);
        assert_eq!(axis.ends(), [0.0, 65_536.0]);
        assert_eq!(labels(&axis), ["0", "20k", "40k", "60k"]);
    }
}
