//! Pictures of data: what a chart draws, worked out without a browser.
//!
//! Charts are redrawn many times a second while training runs. So a picture is a flat list of paths
//! and labels, which the page can update in place, and lines are thinned before they become text.
//! Coordinates are CSS pixels from the upper left corner. Colours are names of CSS tokens, because
//! only the page knows which theme is on.

mod bars;
mod colour;
mod csv;
mod dots;
mod lines;
mod maze;
mod pen;
mod thin;
mod words;

use std::borrow::Cow;
use std::sync::Arc;

/// Size of most letters and of those of the title; `charts.css` has the same.
const TEXT: f64 = 12.0;
const TITLE: f64 = 14.0;
/// From one line of text to the next.
const ROW: f64 = 18.0;
/// Room for the menu in the upper right corner.
const MENU: f64 = 64.0;

pub use bars::bars;
pub use colour::{SHADES, ink_on, shade, shade_of};
pub use csv::{dots_csv, field as csv_field, lines_csv};
pub use deepspi_playground::axis::{Axis, Tick};
pub use deepspi_plot::number;
pub use dots::{DotPlot, Dots};
pub use lines::{LinePlot, YAxis};
pub use maze::MazePlot;
pub use pen::Pen;
pub use words::{file_name, text_width, wrap};

/// A curve: its name, how it is drawn, and its points by rising x. A value that is not finite (or
/// not positive, on a logarithmic axis) is a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub label: Cow<'static, str>,
    /// A CSS colour, usually a token such as `var(--agent-0)`.
    pub colour: &'static str,
    /// Pattern of the line, so that colour is not the only difference.
    pub dash: Dash,
    /// `[x, y]`.
    pub points: Arc<[[f64; 2]]>,
}

/// A horizontal line at a value to compare with.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// What the value is; the value itself is written behind it.
    pub label: Cow<'static, str>,
    /// Where.
    pub value: f64,
}

/// Pattern of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    #[default]
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots.
    Dotted,
    /// Dashes and dots in turn.
    Mixed,
}

impl Dash {
    /// All patterns.
    pub const ALL: [Self; 4] = [Self::Solid, Self::Dashed, Self::Dotted, Self::Mixed];

    /// As the attribute `stroke-dasharray`.
    #[must_use]
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Solid => "none",
            Self::Dashed => "7 4",
            Self::Dotted => "1 4",
            Self::Mixed => "8 4 1 4",
        }
    }
}

/// What is drawn: paths first, labels on top.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Width and height.
    pub size: [f64; 2],
    /// Lines, dots and areas, lowest first.
    pub strokes: Vec<Stroke>,
    /// Texts.
    pub labels: Vec<Label>,
    /// Where the data are.
    pub area: Area,
    /// Values of x at its left and right edge.
    pub ends: [f64; 2],
    /// The picture in one or two sentences, for those who do not see it.
    pub summary: String,
}

/// One path.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// CSS class: how thick it is and what colour it has if none is named.
    pub class: &'static str,
    /// The path itself, as the attribute `d`.
    pub path: String,
    /// A CSS colour; none if the class says it.
    pub colour: Option<Cow<'static, str>>,
    /// Pattern of the line.
    pub dash: Dash,
}

/// One line of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// CSS class: size, weight and anchor.
    pub class: &'static str,
    /// Its anchor.
    pub at: [f64; 2],
    /// The text.
    pub text: Cow<'static, str>,
    /// A CSS colour; none if the class says it.
    pub colour: Option<&'static str>,
}

/// A rectangle inside a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Area {
    /// Its width.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

impl Picture {
    /// Value of x at so many pixels from the left edge of the data.
    #[must_use]
    pub fn x_at(&self, pixels: f64) -> f64 {
        let [low, high] = self.ends;
        low + (pixels / self.area.width()).clamp(0.0, 1.0) * (high - low)
    }

    fn stroke(&mut self, class: &'static str, pen: Pen) {
        self.strokes.push(Stroke { class, path: pen.into(), colour: None, dash: Dash::Solid });
    }

    fn coloured(&mut self, class: &'static str, pen: Pen, colour: impl Into<Cow<'static, str>>) {
        let (path, colour) = (pen.into(), Some(colour.into()));
        self.strokes.push(Stroke { class, path, colour, dash: Dash::Solid });
    }

    fn label(
        &mut self,
        class: &'static str,
        at: [f64; 2],
        text: impl Into<Cow<'static, str>>,
    ) -> &mut Label {
        self.labels.push_mut(Label { class, at, text: text.into(), colour: None })
    }

    /// A picture of this width with its title; also the baseline of the next row.
    fn titled(title: &str, width: f64) -> (Self, f64) {
        let mut picture = Self { size: [width, 0.0], ..Self::default() };
        let mut baseline = 2.0;
        for line in wrap(title, TITLE * 1.05, width - MENU) {
            baseline += ROW;
            picture.label("title", [4.0, baseline], line);
        }
        (picture, baseline + ROW + 2.0)
    }

    /// Name and colours of a scale, whose axis goes from 0 to 1; returns the last baseline.
    fn colour_bar(&mut self, first: f64, name: &str, scale: &Axis) -> f64 {
        let width = self.size[0];
        let room = text_width(name, TEXT) + 16.0;
        let own_row = room + 140.0 > width;
        let baseline = if own_row { first + ROW } else { first };
        let [low, high] = scale.ends().map(number);
        let from = if own_row { 4.0 } else { room } + text_width(&low, TEXT) + 6.0;
        let to = (width - text_width(&high, TEXT) - 14.0).min(from + 160.0);
        let step = (to - from) / SHADES as f64;
        for index in 0..SHADES {
            let mut pen = Pen::new();
            // A little wider, so that no seam shows.
            let corner = [from + index as f64 * step, baseline - TEXT + 2.0];
            pen.rectangle(corner, [step + 0.5, TEXT - 2.0]);
            self.coloured("patch", pen, shade(index));
        }
        self.label("legend", [4.0, first], name.to_owned());
        self.label("bar-low", [from - 4.0, baseline], low);
        self.label("legend", [to + 4.0, baseline], high);
        baseline
    }

    /// Room for the data below a row of text; left of it the labels of the y axis, from which the
    /// left edge follows.
    fn frame(&mut self, baseline: f64, height: f64, y_axis: impl FnOnce([f64; 2]) -> Axis) -> Axis {
        let top = baseline + ROW + 14.0;
        let bottom = top + height;
        let y = y_axis([bottom, top]);
        let widest = y.ticks().iter().map(|t| text_width(&t.label, TEXT)).fold(24.0, f64::max);
        self.area = Area { left: widest + 12.0, top, right: self.size[0] - 12.0, bottom };
        self.size[1] = bottom + 40.0;
        y
    }

    /// Says that there is nothing to show yet.
    fn empty(&mut self) {
        let Area { left, top, right, bottom } = self.area;
        let middle = [f64::midpoint(left, right), f64::midpoint(top, bottom)];
        self.label("empty", middle, "no data yet");
    }

    /// Grid and tick labels of both axes, and their names.
    fn axes(&mut self, x: &Axis, y: &Axis, x_label: &str, y_label: &str) {
        let Area { left, top, right, bottom } = self.area;
        let mut grid = Pen::new();
        for tick in y.ticks() {
            grid.line([left, tick.at], [right, tick.at]);
            self.label("tick-y", [left - 6.0, tick.at + 4.0], tick.label);
        }
        self.stroke("grid", grid);
        let mut frame = Pen::new();
        frame.line([left, bottom], [right, bottom]);
        for tick in x.ticks() {
            frame.line([tick.at, bottom], [tick.at, bottom + 4.0]);
            // A label at an end of the axis stays inside the picture.
            let half = 0.5 * text_width(&tick.label, TEXT);
            let at = tick.at.min(self.size[0] - half - 1.0).max(half + 1.0);
            self.label("tick-x", [at, bottom + 16.0], tick.label);
        }
        self.stroke("axis", frame);
        self.label("name-x", [f64::midpoint(left, right), bottom + 32.0], x_label.to_owned());
        self.label("name-y", [4.0, top - 12.0], y_label.to_owned());
    }
}
