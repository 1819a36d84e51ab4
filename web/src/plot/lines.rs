//! The picture of a line chart: title, legend with the values, axes, reference lines, curves.
//!
//! The legend is part of the picture, so that a saved file contains it. It is also the chart's
//! read-out: it shows the values at the cursor, or the latest values if there is no cursor.

use deepspi_playground::axis::Axis;
use deepspi_plot::number;

use super::pen::Pen;
use super::thin::thin;
use super::words::text_width;
use super::{Area, Dash, Picture, ROW, Reference, Series, Stroke, TEXT};

/// Largest number of points that are drawn for one series.
const MOST_POINTS: usize = 400;
/// Length of a line sample in the legend, its distance to its text, and the distance to the next
/// sample.
const SAMPLE: f64 = 24.0;
const SPACE: f64 = 6.0;
const BETWEEN: f64 = 14.0;
/// Kinds of y axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum YAxis {
    /// Linear, over the values.
    #[default]
    Linear,
    /// Linear, over the values and 0.
    FromZero,
    /// Logarithmic; values that are not positive are gaps.
    Log,
}

/// The content of a line chart.
#[derive(Clone, Debug)]
pub struct LinePlot<'a> {
    /// Title.
    pub title: &'a str,
    /// Name of the x axis, with unit.
    pub x_label: &'a str,
    /// Name of the y axis, with unit.
    pub y_label: &'a str,
    /// Curves.
    pub series: &'a [Series],
    /// Values to compare with.
    pub references: &'a [Reference],
    /// Kind of the y axis.
    pub y_axis: YAxis,
    /// Range that the x axis covers at least, for example the length of the training; none: the
    /// range of the data.
    pub x_range: Option<[f64; 2]>,
    /// Width of the picture.
    pub width: f64,
    /// The x at the cursor.
    pub cursor: Option<f64>,
}

impl LinePlot<'_> {
    /// Draws the chart.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let (mut picture, baseline) = Picture::titled(self.title, self.width);
        let baseline = self.legend(&mut picture, baseline);
        let height = (0.5 * self.width).clamp(140.0, 220.0);
        let y = picture.frame(baseline, height, |pixels| self.y_axis(pixels));
        let x = self.x_axis([picture.area.left, picture.area.right]);
        picture.ends = x.ends();
        picture.axes(&x, &y, self.x_label, self.y_label);
        if self.series.iter().all(|series| series.points.is_empty()) {
            picture.empty();
        }
        self.reference_lines(&mut picture, &y);
        for series in self.series {
            picture.strokes.push(Stroke {
                class: "series",
                path: curve(series, &x, &y).into(),
                colour: Some(series.colour.into()),
                dash: series.dash,
            });
        }
        self.cursor_line(&mut picture, &x, &y);
        picture.summary = self.summary();
        picture
    }

    /// The x nearest to `x` at which the longest series has a point.
    #[must_use]
    pub fn snap(series: &[Series], x: f64) -> Option<f64> {
        let points = longest(series)?;
        Some(points[nearest(points, x)?][0])
    }

    /// The x this number of points to the right of `x`; counted from the last point if there is no
    /// `x` yet.
    #[must_use]
    pub fn step(series: &[Series], x: Option<f64>, by: isize) -> Option<f64> {
        let points = longest(series)?;
        let last = points.len().checked_sub(1)?;
        let here = match x {
            Some(x) => nearest(points, x)?,
            None => last,
        };
        Some(points[here.saturating_add_signed(by).min(last)][0])
    }

    fn y_axis(&self, pixels: [f64; 2]) -> Axis {
        let data = self.series.iter().flat_map(|series| series.points.iter().map(|point| point[1]));
        let values = data.chain(self.references.iter().map(|reference| reference.value));
        match self.y_axis {
            YAxis::Linear => Axis::linear(values, pixels, 42.0),
            YAxis::FromZero => Axis::linear(values.chain([0.0]), pixels, 42.0),
            YAxis::Log => Axis::log(values, pixels, 42.0),
        }
    }

    fn x_axis(&self, pixels: [f64; 2]) -> Axis {
        let ends = |series: &Series| {
            let points = &series.points;
            points
                .first()
                .into_iter()
                .chain(points.last())
                .map(|point| point[0])
                .collect::<Vec<_>>()
        };
        let all = self.series.iter().flat_map(ends).chain(self.x_range.into_iter().flatten());
        let (low, high) = all
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low < high {
            Axis::between(low, high, pixels, 60.0)
        } else {
            Axis::linear([low].into_iter(), pixels, 60.0)
        }
    }

    /// Draws line samples with names and values, in rows. Returns the baseline of the last row.
    fn legend(&self, picture: &mut Picture, first: f64) -> f64 {
        let (mut left, mut baseline) = (4.0, first);
        for series in self.series {
            let text = format!("{} {}", series.label, number(self.read(series)));
            // The width of the longest number, so that nothing moves when numbers change.
            let name = text_width(&series.label, TEXT);
            let width = SAMPLE + SPACE + name + text_width(" −0.00312", TEXT) + BETWEEN;
            if left + width > self.width && left > 4.0 {
                (left, baseline) = (4.0, baseline + ROW);
            }
            let mut pen = Pen::new();
            pen.line([left, baseline - 4.0], [left + SAMPLE, baseline - 4.0]);
            picture.strokes.push(Stroke {
                class: "series",
                path: pen.into(),
                colour: Some(series.colour.into()),
                dash: series.dash,
            });
            picture.label("legend", [left + SAMPLE + SPACE, baseline], text);
            left += width;
        }
        baseline
    }

    fn reference_lines(&self, picture: &mut Picture, y: &Axis) {
        let Area { left, right, top, .. } = picture.area;
        let mut taken: Vec<f64> = Vec::new();
        for reference in self.references.iter().filter(|reference| y.has(reference.value)) {
            let at = y.at(reference.value);
            let mut pen = Pen::new();
            pen.line([left, at], [right, at]);
            picture.strokes.push(Stroke {
                class: "reference",
                path: pen.into(),
                colour: None,
                dash: Dash::Dotted,
            });
            let baseline = if at - top < TEXT + 2.0 { at + TEXT } else { at - 4.0 };
            let text = format!("{} {}", reference.label, number(reference.value));
            // If another label has the same height, there is only room at the other end.
            if taken.iter().any(|other| (other - baseline).abs() < TEXT) {
                picture.label("reference-left", [left + 4.0, baseline], text);
            } else {
                picture.label("reference", [right - 2.0, baseline], text);
                taken.push(baseline);
            }
        }
    }

    fn cursor_line(&self, picture: &mut Picture, x: &Axis, y: &Axis) {
        let Some(cursor) = self.cursor else { return };
        let Area { top, right, bottom, .. } = picture.area;
        let at = x.at(cursor);
        let mut pen = Pen::new();
        pen.line([at, top], [at, bottom]);
        picture.stroke("cursor", pen);
        for series in self.series {
            let value = self.read(series);
            if !y.has(value) {
                continue;
            }
            let mut pen = Pen::new();
            pen.dot([at, y.at(value)]);
            picture.strokes.push(Stroke {
                class: "dot",
                path: pen.into(),
                colour: Some(series.colour.into()),
                dash: Dash::Solid,
            });
        }
        picture.label("readout", [right, top - 12.0], format!("at {}", number(cursor)));
    }

    /// The value of a series at the cursor, or its latest value without a cursor; NaN if there is
    /// none.
    fn read(&self, series: &Series) -> f64 {
        let points = &series.points;
        let index = match self.cursor {
            Some(x) => nearest(points, x),
            None => points.len().checked_sub(1),
        };
        index.map_or(f64::NAN, |index| points[index][1])
    }

    fn summary(&self) -> String {
        let last = longest(self.series).and_then(<[_]>::last).map(|point| point[0]);
        let mut text = match self.cursor.or(last) {
            Some(x) => format!("{}. {} {}: ", self.title, self.x_label, number(x)),
            None => format!("{}. No data yet. ", self.title),
        };
        let values = self.series.iter().map(|s| format!("{} {}", s.label, number(self.read(s))));
        let references = self.references.iter().map(|r| format!("{} {}", r.label, number(r.value)));
        text.push_str(&values.chain(references).collect::<Vec<_>>().join(", "));
        text
    }
}

fn longest(series: &[Series]) -> Option<&[[f64; 2]]> {
    series.iter().map(|series| &*series.points).max_by_key(|points| points.len())
}

fn nearest(points: &[[f64; 2]], x: f64) -> Option<usize> {
    let right = points.partition_point(|point| point[0] < x);
    let left = right.saturating_sub(1);
    [left, right]
        .into_iter()
        .filter(|index| *index < points.len())
        .min_by(|a, b| (points[*a][0] - x).abs().total_cmp(&(points[*b][0] - x).abs()))
}

fn curve(series: &Series, x: &Axis, y: &Axis) -> Pen {
    let points = &series.points;
    let values: Vec<Option<f64>> =
        points.iter().map(|point| y.has(point[1]).then(|| point[1])).collect();
    let kept = thin(&values, MOST_POINTS);
    let mut pen = Pen::new();
    pen.curve(kept.into_iter().map(|i| values[i].map(|value| [x.at(points[i][0]), y.at(value)])));
    pen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(label: &'static str, points: Vec<[f64; 2]>) -> Series {
        Series { label: label.into(), colour: "red", dash: Dash::Dashed, points: points.into() }
    }

    fn plot<'a>(series: &'a [Series], references: &'a [Reference]) -> LinePlot<'a> {
        LinePlot {
            title: "Value at the start",
            x_label: "agent steps",
            y_label: "V(s_I)",
            series,
            references,
            y_axis: YAxis::Linear,
            x_range: None,
            width: 360.0,
            cursor: None,
        }
    }

    fn texts(picture: &Picture, class: &str) -> Vec<String> {
        let labels = picture.labels.iter().filter(|label| label.class == class);
        labels.map(|label| label.text.to_string()).collect()
    }

    #[test]
    fn the_legend_shows_the_latest_values_or_those_at_the_cursor() {
        let all = [
            series("PPO", vec![[0.0, -4.0], [512.0, 4.8], [1024.0, 7.9]]),
            series("DeepSPI", vec![[0.0, -3.0], [512.0, f64::NAN], [1024.0, 8.0]]),
        ];
        let references = [Reference { label: "optimum".into(), value: 8.01 }];
        let plot = plot(&all, &references);
        let picture = plot.draw();
        assert_eq!(texts(&picture, "legend"), ["PPO 7.9", "DeepSPI 8"]);
        assert_eq!(texts(&picture, "reference"), ["optimum 8.01"]);
        let words = "Value at the start. agent steps 1,024: PPO 7.9, DeepSPI 8, optimum 8.01";
        assert_eq!(picture.summary, words);
        let cursor = LinePlot::snap(&all, 500.0);
        assert_eq!(cursor, Some(512.0));
        let picture = LinePlot { cursor, ..plot }.draw();
        assert_eq!(texts(&picture, "legend"), ["PPO 4.8", "DeepSPI –"]);
        assert_eq!(texts(&picture, "readout"), ["at 512"]);
        assert_eq!(LinePlot::step(&all, cursor, 5), Some(1024.0));
        assert_eq!(LinePlot::step(&all, cursor, -5), Some(0.0));
        assert_eq!(LinePlot::step(&all, None, 0), Some(1024.0));
    }

    #[test]
    fn everything_is_inside_the_picture() {
        let all = [
            series("PPO", (0..3000).map(|i| [f64::from(i), f64::from(i).sin()]).collect()),
            series("DeepSPI with a long name", vec![]),
            series("another", vec![[1.0, f64::INFINITY], [2.0, 3.0]]),
        ];
        let references = [
            Reference { label: "one".into(), value: 3.0 },
            Reference { label: "two".into(), value: 3.001 },
        ];
        for width in [280.0, 640.0] {
            let picture = LinePlot { width, ..plot(&all, &references) }.draw();
            let [right, bottom] = picture.size;
            for label in &picture.labels {
                let [x, y] = label.at;
                assert!((0.0..=right).contains(&x) && (8.0..=bottom).contains(&y), "{label:?}");
            }
            assert_eq!(
                (texts(&picture, "reference").len(), texts(&picture, "reference-left").len()),
                (1, 1)
            );
            assert!(picture.strokes.iter().all(|s| !s.path.contains("NaN") && s.path.len() < 8000));
        }
    }

    #[test]
    fn a_chart_without_data_says_so() {
        let all = [series("PPO", vec![])];
        let picture = plot(&all, &[]).draw();
        assert_eq!(texts(&picture, "empty"), ["no data yet"]);
        assert_eq!((LinePlot::snap(&all, 3.0), LinePlot::step(&all, None, 1)), (None, None));
        assert!(plot(&[], &[]).draw().summary.contains("No data yet"));
    }

    #[test]
    fn a_logarithmic_chart_skips_what_has_no_logarithm() {
        let all = [series("sup", vec![[0.0, 0.0], [1.0, 2.0], [2.0, 1.0]])];
        let references = [Reference { label: "limit".into(), value: 0.0 }];
        let picture = LinePlot { y_axis: YAxis::Log, ..plot(&all, &references) }.draw();
        assert!(texts(&picture, "reference").is_empty());
        assert!(picture.strokes.iter().all(|stroke| !stroke.path.contains("1000000")));
    }
}
