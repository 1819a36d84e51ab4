//! The content of a figure as plain data; nothing here is in pixels.
//!
//! A value that is not finite is left out of the drawing, as a gap in a line. It is not an error,
//! because one diverged run must not prevent the figure of all the others.

use serde::Serialize;

use super::colour::Colour;

/// One picture: a title, panels in rows of `columns`, and a footnote.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// Bold, at the top.
    pub title: String,
    /// Below the title, smaller.
    pub subtitle: Option<String>,
    /// Panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels per row; 0 counts as 1.
    pub columns: usize,
    /// Whether one legend of all panels is drawn below the title, instead of one in each panel.
    pub shared_legend: bool,
    /// Small print below the panels, wrapped to the width.
    pub footnote: Option<String>,
}

/// One pair of axes and the layers drawn on them, in the order of `layers` within each kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Panel {
    /// Bold, above the axes.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn.
    pub layers: Vec<Layer>,
    /// Whether a legend is drawn between title and axes; ignored if the figure has a shared one.
    pub legend: bool,
}

/// What an axis measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Axis {
    /// Name and unit.
    pub label: String,
    /// How values become positions.
    pub scale: Scale,
    /// First and last value; taken from the data if `None`.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis with equal distances for equal differences.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// An axis with equal distances for equal ratios; values of 0 and below are left out.
    pub fn log10(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Log10, range: None }
    }

    /// An axis of names; the first is at 0, the second at 1. On a vertical axis the first is at the
    /// top.
    pub fn category(label: impl Into<String>, names: Vec<String>) -> Self {
        Self { label: label.into(), scale: Scale::Category(names), range: None }
    }

    /// The same axis from `low` to `high`.
    #[must_use]
    pub fn with_range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }
}

/// How values become positions on an axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub enum Scale {
    /// Equal differences, equal distances.
    #[default]
    Linear,
    /// Equal ratios, equal distances.
    Log10,
    /// Names at 0, 1, 2 and so on.
    Category(Vec<String>),
}

/// One thing drawn on the axes of a panel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Layer {
    /// A curve.
    Line(Line),
    /// An area around a curve.
    Band(Band),
    /// Marks, perhaps with error bars.
    Points(Points),
    /// A reference value.
    HorizontalLine(HorizontalLine),
    /// A straight connection of two points.
    Segment(Segment),
    /// Marks coloured by a value.
    Scatter(Scatter),
    /// Coloured cells with their value, on two category axes.
    Heatmap(Heatmap),
}

/// A curve through points in the order given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Name in the legend; not shown if empty.
    pub label: String,
    /// Colour of the line.
    pub colour: Colour,
    /// `(x, y)`.
    pub points: Vec<(f64, f64)>,
    /// Whether the line is dashed.
    pub dashed: bool,
}

/// The area between two curves. It is not in the legend; the text of the figure must explain it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// Colour of the area, drawn mostly transparent.
    pub colour: Colour,
    /// `(x, low, high)`.
    pub points: Vec<(f64, f64, f64)>,
}

/// Marks of one series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Points {
    /// Name in the legend; not shown if empty.
    pub label: String,
    /// Colour of marks and error bars.
    pub colour: Colour,
    /// Shape of the marks.
    pub marker: Marker,
    /// Positions of the marks.
    pub points: Vec<Mark>,
}

/// One mark.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Position on the vertical axis.
    pub y: f64,
    /// Ends of the error bar on the vertical axis.
    pub error: Option<(f64, f64)>,
}

/// Shape of a mark: a second cue for readers who cannot tell the colours apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Marker {
    /// A disc.
    #[default]
    Circle,
    /// A square.
    Square,
    /// A triangle, tip up.
    Triangle,
    /// A square on its tip.
    Diamond,
}

/// A dashed reference value over the whole width, with its name at the right end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HorizontalLine {
    /// Text beside the line.
    pub label: String,
    /// Its value.
    pub y: f64,
}

/// A straight connection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Segment {
    /// `(x, y)` of the start.
    pub from: (f64, f64),
    /// `(x, y)` of the end.
    pub to: (f64, f64),
    /// Colour of the line.
    pub colour: Colour,
}

/// Marks coloured by a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scatter {
    /// Shape of the marks.
    pub marker: Marker,
    /// The marks.
    pub points: Vec<Spot>,
    /// Maps values to colours.
    pub scale: ColourScale,
}

/// One mark of a [`Scatter`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spot {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Position on the vertical axis.
    pub y: f64,
    /// Value shown as the colour; grey if it is not finite.
    pub value: f64,
    /// Text beside the mark.
    pub label: Option<String>,
}

/// Coloured cells with their value printed in them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heatmap {
    /// Cells in any order; a position without a cell stays grey.
    pub cells: Vec<Cell>,
    /// Maps values to colours.
    pub scale: ColourScale,
}

/// One cell of a [`Heatmap`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Index of its name on the horizontal axis.
    pub x: usize,
    /// Index of its name on the vertical axis.
    pub y: usize,
    /// Value shown as the colour; grey if it is not finite.
    pub value: f64,
    /// Text printed in the cell.
    pub text: String,
    /// Whether the cell is framed, as the chosen or best one.
    pub marked: bool,
}

/// Maps values to colours, shown as a colour bar.
///
/// Scales of one figure with the same label are one scale: the same colour means the same value in
/// all panels. A figure with only one scale has one colour bar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColourScale {
    /// Text beside the colour bar.
    pub label: String,
    /// Values of the first and the last colour; taken from the data of all panels if `None`.
    pub range: Option<(f64, f64)>,
}
