//! The picture of a scatter plot: dots coloured by a value, on two axes with the same scale.

use std::sync::Arc;

use deepspi_playground::axis::Axis;
use deepspi_plot::number;

use super::colour::{SHADES, shade, shade_of};
use super::pen::Pen;
use super::{Area, Dash, Picture, Stroke, TEXT};

/// Largest number of dots that are drawn; of more dots, every n-th is drawn.
const MOST_DOTS: usize = 4000;
/// Points, each with a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dots {
    /// `[x, y]`; points that are not finite are not drawn.
    pub points: Arc<[[f64; 2]]>,
    /// One value for each point, shown as its colour.
    pub values: Arc<[f64]>,
}

/// The content of a scatter plot.
#[derive(Clone, Debug)]
pub struct DotPlot<'a> {
    /// Title.
    pub title: &'a str,
    /// Name of the x axis.
    pub x_label: &'a str,
    /// Name of the y axis.
    pub y_label: &'a str,
    /// Name of the value that the colour shows.
    pub value_label: &'a str,
    /// Name of the line y = x.
    pub diagonal: &'a str,
    /// The points.
    pub dots: &'a Dots,
    /// Range that the colour scale covers at least, for example the values of another chart.
    pub value_range: Option<[f64; 2]>,
    /// Width of the picture.
    pub width: f64,
    /// Index of the point at the cursor.
    pub cursor: Option<usize>,
}

impl DotPlot<'_> {
    /// Draws the scatter plot.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let (mut picture, baseline) = Picture::titled(self.title, self.width);
        let scale = self.scale();
        let baseline = picture.colour_bar(baseline, self.value_label, &scale);
        let all = || self.dots.points.iter().flatten().copied();
        let height = (0.7 * self.width).clamp(180.0, 320.0);
        let y = picture.frame(baseline, height, |pixels| Axis::linear(all(), pixels, 42.0));
        let x = Axis::linear(all(), [picture.area.left, picture.area.right], 60.0);
        picture.ends = x.ends();
        picture.axes(&x, &y, self.x_label, self.y_label);
        if self.dots.points.is_empty() {
            picture.empty();
        } else {
            self.diagonal(&mut picture, &x, &y);
            self.draw_dots(&mut picture, &x, &y, &scale);
        }
        picture.summary = self.summary();
        picture
    }

    /// Index of the point nearest to a pixel of the picture.
    #[must_use]
    pub fn nearest(dots: &Dots, picture: &Picture, at: [f64; 2]) -> Option<usize> {
        let (low, high) = (picture.ends[0], picture.ends[1]);
        let Area { left, right, top, bottom } = picture.area;
        let all = || dots.points.iter().flatten().copied();
        let (x, y) = (
            Axis::between(low, high, [left, right], 60.0),
            Axis::linear(all(), [bottom, top], 42.0),
        );
        let distance = |point: &[f64; 2]| (x.at(point[0]) - at[0]).hypot(y.at(point[1]) - at[1]);
        let finite =
            dots.points.iter().enumerate().filter(|(_, point)| point.iter().all(|v| v.is_finite()));
        finite.min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b))).map(|(index, _)| index)
    }

    /// Index of the point this number of places to the right in the order of x; the leftmost point
    /// if there is no cursor yet.
    #[must_use]
    pub fn step(dots: &Dots, from: Option<usize>, by: isize) -> Option<usize> {
        let mut order: Vec<usize> = (0..dots.points.len()).collect();
        order.sort_by(|a, b| dots.points[*a][0].total_cmp(&dots.points[*b][0]));
        let last = order.len().checked_sub(1)?;
        let here = from.and_then(|from| order.iter().position(|index| *index == from));
        let place = here.map_or(0, |here| here.saturating_add_signed(by).min(last));
        order.get(place).copied()
    }

    /// The colour scale, which always includes 0.
    fn scale(&self) -> Axis {
        let values = self.dots.values.iter().copied().chain(self.value_range.into_iter().flatten());
        let used: Vec<f64> = values.chain([0.0]).filter(|x| x.is_finite()).collect();
        let shares = [0.0, 1.0];
        if used.iter().all(|x| *x == 0.0) {
            return Axis::between(0.0, 1.0, shares, 0.25);
        }
        Axis::linear(used.into_iter(), shares, 0.25)
    }

    fn diagonal(&self, picture: &mut Picture, x: &Axis, y: &Axis) {
        let (a, b) = (x.ends(), y.ends());
        let (low, high) = (a[0].max(b[0]), a[1].min(b[1]));
        if low >= high {
            return;
        }
        let mut pen = Pen::new();
        pen.line([x.at(low), y.at(low)], [x.at(high), y.at(high)]);
        picture.strokes.push(Stroke {
            class: "reference",
            path: pen.into(),
            colour: None,
            dash: Dash::Dotted,
        });
        let at = [x.at(high) - 8.0, (y.at(high) + 14.0).max(picture.area.top + TEXT)];
        picture.label("reference", [at[0] - 14.0, at[1]], self.diagonal.to_owned());
    }

    /// Draws one path for each colour; a path for each dot would be thousands of elements.
    fn draw_dots(&self, picture: &mut Picture, x: &Axis, y: &Axis, scale: &Axis) {
        let every = self.dots.points.len().div_ceil(MOST_DOTS).max(1);
        let mut pens = vec![Pen::new(); SHADES];
        // Rims below the dots, so that both ends of the scale can be seen on a light and on a dark
        // page.
        let mut rims = Pen::new();
        let dots = self.dots.points.iter().zip(self.dots.values.iter());
        for (point, value) in dots.step_by(every) {
            if point.iter().all(|v| v.is_finite()) {
                let at = [x.at(point[0]), y.at(point[1])];
                rims.dot(at);
                pens[shade_of(scale.at(*value))].dot(at);
            }
        }
        picture.stroke("rims", rims);
        for (i, pen) in pens.into_iter().enumerate() {
            picture.coloured("dots", pen, shade(i));
        }
        if every > 1 && self.cursor.is_none() {
            let Area { right, top, .. } = picture.area;
            picture.label("readout", [right, top - 12.0], format!("one dot in {every} is drawn"));
        }
        let read = self.cursor.and_then(|i| Some((i, *self.dots.points.get(i)?)));
        if let Some((i, point)) = read.filter(|(_, point)| point.iter().all(|v| v.is_finite())) {
            let mut pen = Pen::new();
            let [left, top] = [x.at(point[0]) - 5.0, y.at(point[1]) - 5.0];
            pen.rectangle([left, top], [10.0, 10.0]);
            picture.stroke("cursor", pen);
            let Area { right, top, .. } = picture.area;
            picture.label("readout", [right, top - 12.0], self.describe(i));
        }
    }

    fn describe(&self, index: usize) -> String {
        let [x, y] = self.dots.points[index].map(number);
        let value = self.dots.values.get(index).map_or(f64::NAN, |value| *value);
        format!("{x}, {y}: {}", number(value))
    }

    fn summary(&self) -> String {
        let count = self.dots.points.len();
        if let Some(index) = self.cursor.filter(|index| *index < count) {
            let [x, y] = self.dots.points[index].map(number);
            let value = number(self.dots.values.get(index).copied().unwrap_or(f64::NAN));
            let [first, second, third] = [self.x_label, self.y_label, self.value_label];
            return format!("{first} {x}, {second} {y}, {third} {value}");
        }
        if count == 0 {
            return format!("{}. No data yet.", self.title);
        }
        let finite = || self.dots.values.iter().copied().filter(|value| value.is_finite());
        let mean = finite().sum::<f64>() / finite().count() as f64;
        let [title, value] = [self.title, self.value_label];
        format!("{title}. {count} points; {value} is {} on average", number(mean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dots() -> Dots {
        Dots {
            points: [[-1.0, -2.0], [3.0, 3.0], [f64::NAN, 1.0], [0.5, 0.25]].into(),
            values: [1.0, 0.0, 0.5, 0.25].into(),
        }
    }

    fn plot(dots: &Dots) -> DotPlot<'_> {
        DotPlot {
            title: "Utility against advantage",
            x_label: "advantage A",
            y_label: "utility U",
            value_label: "A - U",
            diagonal: "U = A",
            dots,
            value_range: None,
            width: 360.0,
            cursor: None,
        }
    }

    #[test]
    fn each_finite_dot_is_drawn_once_and_found_again() {
        let dots = dots();
        let picture = plot(&dots).draw();
        let drawn = picture.strokes.iter().filter(|stroke| stroke.class == "dots");
        assert_eq!(drawn.map(|stroke| stroke.path.matches("h0").count()).sum::<usize>(), 3);
        let Area { right, top, .. } = picture.area;
        assert_eq!(DotPlot::nearest(&dots, &picture, [right, top]), Some(1));
        assert_eq!(DotPlot::step(&dots, None, 1), Some(0));
        assert_eq!(DotPlot::step(&dots, Some(0), 1), Some(3));
        assert_eq!(DotPlot::step(&dots, Some(3), 9), Some(2), "a gap is last");
    }

    #[test]
    fn the_read_out_names_all_three_numbers() {
        let dots = dots();
        let picture = DotPlot { cursor: Some(3), ..plot(&dots) }.draw();
        assert_eq!(picture.summary, "advantage A 0.5, utility U 0.25, A - U 0.25");
        let of_all = plot(&dots).draw().summary;
        assert!(of_all.ends_with("4 points; A - U is 0.438 on average"), "{of_all}");
        let gone = DotPlot { cursor: Some(99), ..plot(&dots) }.draw();
        assert!(gone.summary.contains("4 points"));
        assert!(plot(&Dots::default()).draw().summary.contains("No data yet"));
    }
}
