//! Pictures of data: the content of charts, computed without a browser.
//!
//! Charts are redrawn many times a second during training. So a picture is a flat list of paths and
//! labels, which the page can update in place, and lines are thinned before they become text.
//! Coordinates are CSS pixels from the upper left corner. Colours are names of CSS tokens, because
//! only the page knows the current theme.

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

/// Font sizes of most texts and of the title; they must equal those in `charts.css`.
const TEXT: f64 = 12.0;
const TITLE: f64 = 14.0;
/// Distance between two lines of text.
const ROW: f64 = 18.0;
/// Width of the menu in the upper right corner.
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

/// A curve: its name, its style, and its points in ascending order of x. A value that is not finite
/// (or not positive, on a logarithmic axis) is a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub label: Cow<'static, str>,
    /// A CSS colour, usually a token such as `var(--agent-0)`.
    pub colour: &'static str,
    /// Pattern of the line, so that curves differ not only by colour.
    pub dash: Dash,
    /// `[x, y]`.
    pub points: Arc<[[f64; 2]]>,
}

/// A horizontal reference line.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Name of the value; the value itself is written after it.
    pub label: Cow<'static, str>,
    /// The value.
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

    /// The value of the attribute `stroke-dasharray`.
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

/// A picture: paths, and labels on top of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Width and height.
    pub size: [f64; 2],
    /// Lines, dots and areas, from back to front.
    pub strokes: Vec<Stroke>,
    /// Texts.
    pub labels: Vec<Label>,
    /// The rectangle of the data.
    pub area: Area,
    /// Values of x at the left and right edge of `area`.
    pub ends: [f64; 2],
    /// Description of the picture in one or two sentences, for screen readers.
    pub summary: String,
}

/// One path.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// CSS class, which sets the thickness, and the colour if `colour` is none.
    pub class: &'static str,
    /// The path as the attribute `d`.
    pub path: String,
    /// A CSS colour; none if the class sets it.
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
    /// A CSS colour; none if the class sets it.
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
    /// Value of x at this distance in pixels from the left edge of the data.
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

    /// A picture of this width with its title, and the baseline of the next row.
    fn titled(title: &str, width: f64) -> (Self, f64) {
        let mut picture = Self { size: [width, 0.0], ..Self::default() };
        let mut baseline = 2.0;
        for line in wrap(title, TITLE * 1.05, width - MENU) {
            baseline += ROW;
            picture.label("title", [4.0, baseline], line);
        }
        (picture, baseline + ROW + 2.0)
    }

    /// Draws the name and the colours of a scale. Returns the last baseline.
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
            // Slightly wider, so that no gap is visible.
            let corner = [from + index as f64 * step, baseline - TEXT + 2.0];
            pen.rectangle(corner, [step + 0.5, TEXT - 2.0]);
            self.coloured("patch", pen, shade(index));
        }
        self.label("legend", [4.0, first], name.to_owned());
        self.label("bar-low", [from - 4.0, baseline], low);
        self.label("legend", [to + 4.0, baseline], high);
        baseline
    }

    /// Places the rectangle of the data below a row of text. The widths of the y axis's labels
    /// determine its left edge.
    fn frame(&mut self, baseline: f64, height: f64, y_axis: impl FnOnce([f64; 2]) -> Axis) -> Axis {
        let top = baseline + ROW + 14.0;
        let bottom = top + height;
        let y = y_axis([bottom, top]);
        let widest = y.ticks().iter().map(|t| text_width(&t.label, TEXT)).fold(24.0, f64::max);
        self.area = Area { left: widest + 12.0, top, right: self.size[0] - 12.0, bottom };
        self.size[1] = bottom + 40.0;
        y
    }

    /// Writes that there are no data yet.
    fn empty(&mut self) {
        let Area { left, top, right, bottom } = self.area;
        let middle = [f64::midpoint(left, right), f64::midpoint(top, bottom)];
        self.label("empty", middle, "no data yet");
    }

    /// Draws the grid, the tick labels of both axes, and their names.
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
