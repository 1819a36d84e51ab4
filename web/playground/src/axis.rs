//! Axes whose ends are pixels.

use deepspi_plot::Scale;

/// An axis between two pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    axis: deepspi_plot::Axis,
    from: f64,
    to: f64,
    /// Largest number of intervals between ticks.
    most: f64,
}

/// A tick with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Position in pixels.
    pub at: f64,
    /// The value at the tick, as text.
    pub label: String,
}

impl Axis {
    /// A linear axis over the finite `values`, with ticks at both ends, between the two `pixels`.
    /// Ticks are at least `spacing` pixels apart. Without a finite value the axis goes from 0 to 1.
    #[must_use]
    pub fn linear(values: impl Iterator<Item = f64>, pixels: [f64; 2], spacing: f64) -> Self {
        Self::rounded(Scale::Linear, values, [0.0, 1.0], pixels, spacing)
    }

    /// Like [`linear`](Self::linear), but with fixed ends, which need not be ticks.
    #[must_use]
    pub fn between(low: f64, high: f64, pixels: [f64; 2], spacing: f64) -> Self {
        let round = Self::linear([low, high].into_iter(), pixels, spacing);
        match deepspi_plot::Axis::between(Scale::Linear, low, high) {
            Some(axis) => Self { axis, ..round },
            None => round,
        }
    }

    /// A logarithmic axis over the positive finite `values`, with round ends. Without such a value
    /// the axis goes from 1 to 10.
    #[must_use]
    pub fn log(values: impl Iterator<Item = f64>, pixels: [f64; 2], spacing: f64) -> Self {
        Self::rounded(Scale::Log10, values, [1.0, 10.0], pixels, spacing)
    }

    fn rounded(
        scale: Scale,
        values: impl Iterator<Item = f64>,
        otherwise: [f64; 2],
        [from, to]: [f64; 2],
        spacing: f64,
    ) -> Self {
        let most = ((to - from).abs() / spacing).max(1.0);
        let values: Vec<f64> = values.collect();
        let over =
            |values: &[f64]| deepspi_plot::Axis::rounded(scale, values.iter().copied(), most);
        let axis = over(&values).or_else(|| over(&otherwise)).unwrap_or_default();
        Self { axis, from, to, most }
    }

    /// Whether the axis can show this value (a logarithmic axis shows positive values only).
    #[must_use]
    pub fn has(&self, value: f64) -> bool {
        self.axis.share(value).is_finite()
    }

    /// Pixel of a value that the axis can show (see [`has`](Self::has)).
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        self.from + self.axis.share(value) * (self.to - self.from)
    }

    /// Smallest and largest value on the axis.
    #[must_use]
    pub fn ends(&self) -> [f64; 2] {
        self.axis.ends()
    }

    /// The ticks, lowest value first.
    #[must_use]
    pub fn ticks(&self) -> Vec<Tick> {
        let at = |share: f64| self.from + share * (self.to - self.from);
        let ticks = self.axis.ticks(self.most).into_iter();
        ticks.map(|tick| Tick { at: at(tick.share), label: tick.label }).collect()
    }
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
        assert!(Axis::log([1.0, 1.0].into_iter(), [0.0, 100.0], 40.0).at(1.0).is_finite());
        assert_eq!(Axis::log([0.0, -1.0].into_iter(), [0.0, 100.0], 40.0).ends(), [1.0, 10.0]);
    }

    #[test]
    fn a_logarithmic_axis_labels_few_or_many_decades() {
        let axis = Axis::log([1.0, 1.0101, 7.3].into_iter(), [200.0, 0.0], 40.0);
        assert_eq!(labels(&axis), ["1", "2", "5", "10"]);
        let short = Axis::log([1.01, 1.9].into_iter(), [200.0, 0.0], 40.0);
        assert_eq!(labels(&short), ["1", "1.2", "1.5", "2"]);
        assert!(!axis.has(0.0) && !axis.has(f64::INFINITY) && axis.has(1.0));
        let wide = Axis::log([1e-6, 3e5].into_iter(), [200.0, 0.0], 40.0);
        assert!((4..=8).contains(&wide.ticks().len()), "{:?}", labels(&wide));
    }

    #[test]
    fn fixed_ends_are_kept_and_ticks_stay_inside() {
        let axis = Axis::between(0.0, 65_536.0, [0.0, 400.0], 80.0);
        assert_eq!(axis.ends(), [0.0, 65_536.0]);
        assert_eq!(labels(&axis), ["0", "20,000", "40,000", "60,000"]);
    }
}
