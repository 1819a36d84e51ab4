//! What a figure shows, as plain data: whoever makes one says nothing about pixels.
//!
//! A value that is not finite is left out of the drawing, as a gap in a line; it is no error, because
//! a run that diverged must not cost the figure of all the others.

use serde::Serialize;

use super::colour::Colour;

/// One picture: a title, panels in rows of `columns`, and what the reader must know below them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// Bold, at the top.
    pub title: String,
    /// Below the title, smaller.
    pub subtitle: Option<String>,
    /// Filled in row by row.
    pub panels: Vec<Panel>,
    /// Panels in a row; 0 counts as 1.
    pub columns: usize,
    /// One legend of all panels below the title, instead of one in each.
    pub shared_legend: bool,
    /// Small print below the panels, wrapped to the width.
    pub footnote: Option<String>,
}

/// One pair of axes and what is drawn on them, in the order of `layers` within each kind.
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
    /// A legend between title and axes; ignored where the figure has a shared one.
    pub legend: bool,
}

/// What an axis measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Axis {
    /// Name and unit.
    pub label: String,
    /// How values become positions.
    pub scale: Scale,
    /// First and last value; from the data where `None`.
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

    /// An axis of names; the first is at 0, the second at 1. Upright, the first is at the top.
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
    /// In the legend; none if empty.
    pub label: String,
    /// Of the line.
    pub colour: Colour,
    /// `(x, y)`.
    pub points: Vec<(f64, f64)>,
    /// Broken into dashes.
    pub dashed: bool,
}

/// The area between two curves; not in the legend: the figure's text says what it means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// Of the area, drawn mostly transparent.
    pub colour: Colour,
    /// `(x, low, high)`.
    pub points: Vec<(f64, f64, f64)>,
}

/// Marks of one series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Points {
    /// In the legend; none if empty.
    pub label: String,
    /// Of marks and error bars.
    pub colour: Colour,
    /// Shape of the marks.
    pub marker: Marker,
    /// Where they are.
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

/// Shape of a mark: a second cue for those who cannot tell the colours apart.
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

/// A dashed reference value over the whole width, named at its right end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HorizontalLine {
    /// Beside the line.
    pub label: String,
    /// Its value.
    pub y: f64,
}

/// A straight connection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Segment {
    /// `(x, y)` of one end.
    pub from: (f64, f64),
    /// `(x, y)` of the other.
    pub to: (f64, f64),
    /// Of the line.
    pub colour: Colour,
}

/// Marks coloured by a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scatter {
    /// Shape of the marks.
    pub marker: Marker,
    /// The marks.
    pub points: Vec<Spot>,
    /// From value to colour.
    pub scale: ColourScale,
}

/// One mark of a [`Scatter`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spot {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Position on the vertical axis.
    pub y: f64,
    /// Becomes the colour; grey where it is not finite.
    pub value: f64,
    /// Text beside the mark.
    pub label: Option<String>,
}

/// Coloured cells with their value printed in them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heatmap {
    /// In any order; a place without a cell stays grey.
    pub cells: Vec<Cell>,
    /// From value to colour.
    pub scale: ColourScale,
}

/// One cell of a [`Heatmap`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Index of its name on the horizontal axis.
    pub x: usize,
    /// Index of its name on the vertical axis.
    pub y: usize,
    /// Becomes the colour; grey where it is not finite.
    pub value: f64,
    /// Printed in the cell.
    pub text: String,
    /// Framed, as the chosen or best one.
    pub marked: bool,
}

/// From values to colours, shown as a colour bar.
///
/// Scales of one figure with the same label are one scale: the same colour means the same value in
/// all panels. Where a figure has only one, it has one colour bar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColourScale {
    /// Beside the colour bar.
    pub label: String,
    /// Values of the first and the last colour; from the data of all panels where `None`.
    pub range: Option<(f64, f64)>,
}
