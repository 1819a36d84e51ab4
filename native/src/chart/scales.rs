//! The colour scales of a figure: a colour means the same value in all of its panels.

use plotters::style::RGBColor;

use super::colour::{MISSING, viridis};
use super::figure::{ColourScale, Figure, Layer, Panel};

/// A scale with its range.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range {
    pub label: String,
    pub low: f64,
    pub high: f64,
}

/// All scales of a figure, one for each label.
#[derive(Debug, Default)]
pub(super) struct Scales {
    ranges: Vec<Range>,
}

impl Scales {
    pub fn of(figure: &Figure) -> Self {
        let mut scales = Self::default();
        for (scale, values) in figure.panels.iter().flat_map(coloured) {
            let same =
                |other: &ColourScale| if other.label == scale.label { other.range } else { None };
            let all = figure.panels.iter().flat_map(coloured);
            let given = all.map(|(other, _)| same(other)).find(Option::is_some).flatten();
            let ends = given.map_or(values, |(low, high)| vec![low, high]);
            let ends = ends.into_iter().filter(|value| value.is_finite());
            scales.widen(&scale.label, ends);
        }
        scales.ranges.retain(|range| range.low <= range.high);
        scales
    }

    fn widen(&mut self, label: &str, values: impl Iterator<Item = f64>) {
        let index = self.ranges.iter().position(|range| range.label == label);
        let index = index.unwrap_or_else(|| {
            let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
            self.ranges.push(Range { label: label.to_owned(), low, high });
            self.ranges.len() - 1
        });
        for value in values {
            let range = &mut self.ranges[index];
            (range.low, range.high) = (range.low.min(value), range.high.max(value));
        }
    }

    /// The scale of the figure, if it has exactly one.
    pub fn only(&self) -> Option<&Range> {
        if let [range] = &self.ranges[..] { Some(range) } else { None }
    }

    /// The scales of one panel, each once.
    pub fn of_panel(&self, panel: &Panel) -> Vec<&Range> {
        let used: Vec<_> = coloured(panel).map(|(scale, _)| &scale.label).collect();
        self.ranges.iter().filter(|range| used.contains(&&range.label)).collect()
    }

    pub fn colour(&self, scale: &ColourScale, value: f64) -> RGBColor {
        let Some(range) = self.ranges.iter().find(|range| range.label == scale.label) else {
            return MISSING;
        };
        if range.low == range.high && value.is_finite() {
            return viridis(0.5);
        }
        viridis((value - range.low) / (range.high - range.low))
    }
}

/// Scales of a panel, each with the values that it colours.
fn coloured(panel: &Panel) -> impl Iterator<Item = (&ColourScale, Vec<f64>)> {
    panel.layers.iter().filter_map(|layer| match layer {
        Layer::Scatter(scatter) => {
            Some((&scatter.scale, scatter.points.iter().map(|spot| spot.value).collect()))
        }
        Layer::Heatmap(map) => Some((&map.scale, map.cells.iter().map(|c| c.value).collect())),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Cell, Heatmap};
    use super::*;

    fn panel(label: &str, range: Option<(f64, f64)>, values: &[f64]) -> Panel {
        let cell = |&value: &f64| Cell { x: 0, y: 0, value, text: String::new(), marked: false };
        let scale = ColourScale { label: label.to_owned(), range };
        let cells = values.iter().map(cell).collect();
        Panel { layers: vec![Layer::Heatmap(Heatmap { cells, scale })], ..Panel::default() }
    }

    #[test]
    fn panels_share_the_range_of_a_label() {
        let panels = vec![panel("a", None, &[1.0, f64::NAN]), panel("a", None, &[5.0])];
        let scales = Scales::of(&Figure { panels, ..Figure::default() });
        assert_eq!(scales.only(), Some(&Range { label: "a".to_owned(), low: 1.0, high: 5.0 }));
        let scale = ColourScale { label: "a".to_owned(), range: None };
        assert_eq!(scales.colour(&scale, 5.0), viridis(1.0));
        assert_eq!(scales.colour(&scale, f64::NAN), MISSING);
    }

    #[test]
    fn a_given_range_holds_for_all_panels() {
        let panels = vec![panel("a", None, &[70.0]), panel("a", Some((0.0, 1.0)), &[5.0])];
        let scales = Scales::of(&Figure { panels, ..Figure::default() });
        assert_eq!(scales.only(), Some(&Range { label: "a".to_owned(), low: 0.0, high: 1.0 }));
    }

    #[test]
    fn different_labels_are_different_scales() {
        let panels = vec![panel("a", None, &[1.0]), panel("b", None, &[2.0])];
        let scales = Scales::of(&Figure { panels: panels.clone(), ..Figure::default() });
        assert!(scales.only().is_none());
        assert_eq!(scales.of_panel(&panels[1])[0].label, "b");
        let scale = ColourScale { label: "b".to_owned(), range: None };
        assert_eq!(scales.colour(&scale, 2.0), viridis(0.5), "a single value has a colour");
    }
}
