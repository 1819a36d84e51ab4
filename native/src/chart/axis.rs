//! The axis of a panel once its range is known: an axis of numbers or of category names.

use deepspi_plot::Tick;

use super::figure::{Axis, Scale};

/// An axis whose range is known.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    numbers: deepspi_plot::Axis,
    /// Names of a category axis, the first at 0, the second at 1; `None` for an axis of numbers.
    names: Option<Vec<String>>,
}

impl Resolved {
    /// Takes the range from the axis, or else from the values, extended by `margin` of it on both
    /// sides.
    ///
    /// Returns `None` if neither gives a range.
    pub fn new(axis: &Axis, values: &[f64], margin: f64) -> Option<Self> {
        let scale = match &axis.scale {
            Scale::Linear => deepspi_plot::Scale::Linear,
            Scale::Log10 => deepspi_plot::Scale::Log10,
            Scale::Category(names) => {
                let end = names.len() as f64 - 0.5;
                let numbers = deepspi_plot::Axis::between(deepspi_plot::Scale::Linear, -0.5, end)?;
                return Some(Self { numbers, names: Some(names.clone()) });
            }
        };
        let given =
            axis.range.and_then(|(low, high)| deepspi_plot::Axis::between(scale, low, high));
        let around = || deepspi_plot::Axis::around(scale, values.iter().copied(), margin);
        Some(Self { numbers: given.or_else(around)?, names: None })
    }

    /// Position of a value on the axis, 0 at its start and 1 at its end; not finite if the value
    /// has no position.
    pub fn share(&self, value: f64) -> f64 {
        self.numbers.share(value)
    }

    /// Names of a category axis.
    pub fn names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    /// About `most` ticks or fewer, at round values; on a category axis one tick for each name.
    pub fn ticks(&self, most: usize) -> Vec<Tick> {
        let Some(names) = &self.names else { return self.numbers.ticks(most as f64) };
        let tick = |(index, name): (usize, &String)| {
            let value = index as f64;
            Tick { value, share: self.share(value), label: name.clone() }
        };
        names.iter().enumerate().map(tick).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64]) -> Vec<String> {
        let resolved = Resolved::new(axis, values, 0.0).expect("a range");
        resolved.ticks(5).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn a_range_that_is_given_wins_over_the_data_unless_it_is_none() {
        let axis = Axis::linear("");
        let values = [0.0, 4.0];
        assert_eq!(labels(&axis, &values), ["0", "1", "2", "3", "4"]);
        assert_eq!(labels(&axis.clone().with_range(0.0, 2.0), &values).last().unwrap(), "2.0");
        assert_eq!(labels(&axis.with_range(2.0, f64::NAN), &values), ["0", "1", "2", "3", "4"]);
        assert_eq!(
            labels(&Axis::log10("").with_range(-1.0, 1.0), &[1.0, 100.0]),
            ["1", "3", "10", "30", "100"]
        );
    }

    #[test]
    fn names_are_at_whole_numbers() {
        let names: Vec<_> = ["a", "b"].map(String::from).into();
        let resolved = Resolved::new(&Axis::category("", names), &[], 0.0).expect("a range");
        let found: Vec<_> = resolved.ticks(9).into_iter().map(|t| (t.share, t.label)).collect();
        assert_eq!(found, [(0.25, "a".into()), (0.75, "b".into())]);
        assert!(Resolved::new(&Axis::category("", vec![]), &[1.0], 0.0).is_none());
    }
}
