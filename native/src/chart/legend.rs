//! The legend, in rows above the data and never over it.

use anyhow::Result;

use super::canvas::{Align, Canvas, Stroke};
use super::colour::{Colour, INK};
use super::figure::{Layer, Marker, Panel};
use super::geometry::Xy;
use super::layers::marker;
use super::text::Type;

const TEXT: Type = Type::regular(12.0);
/// Length of the sample of a line.
const SAMPLE: f64 = 24.0;
const GAP: f64 = 6.0;
/// Distance between two entries.
const SPACE: f64 = 20.0;
/// Distance from one row to the next.
pub(super) const ROW: f64 = 18.0;

/// One entry: a name with a sample of its line or mark.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    label: String,
    colour: Colour,
    /// Whether the line is dashed; `None` without a line.
    line: Option<bool>,
    marker: Option<Marker>,
}

impl Entry {
    fn width(&self) -> f64 {
        SAMPLE + GAP + TEXT.width(&self.label)
    }
}

/// Entries in rows, each with its distance from the left.
#[derive(Clone, Debug, Default)]
pub(super) struct Legend {
    rows: Vec<Vec<(f64, Entry)>>,
}

impl Legend {
    /// The legend of some panels, in rows no wider than `width`; each name appears once.
    pub fn new<'a>(panels: impl IntoIterator<Item = &'a Panel>, width: f64) -> Self {
        let mut rows: Vec<Vec<(f64, Entry)>> = Vec::new();
        let mut end = f64::INFINITY;
        for entry in entries(panels) {
            let room = entry.width();
            if end + SPACE + room > width {
                rows.push(Vec::new());
                end = -SPACE;
            }
            let start = end + SPACE;
            end = start + room;
            if let Some(row) = rows.last_mut() {
                row.push((start, entry));
            }
        }
        Self { rows }
    }

    pub fn height(&self) -> f64 {
        self.rows.len() as f64 * ROW
    }

    /// Draws the legend with its upper left corner at `corner`.
    pub fn draw(&self, canvas: &mut Canvas<'_>, corner: Xy) -> Result<()> {
        for (index, row) in self.rows.iter().enumerate() {
            let y = corner.1 + (index as f64 + 0.5) * ROW;
            for (start, entry) in row {
                let x = corner.0 + start;
                let colour = entry.colour.rgb();
                if let Some(dashed) = entry.line {
                    let stroke = Stroke { dashed, ..Stroke::solid(colour, 2.2) };
                    canvas.line((x, y), (x + SAMPLE, y), stroke)?;
                }
                if let Some(shape) = entry.marker {
                    marker(canvas, shape, (x + SAMPLE / 2.0, y), 4.0, colour)?;
                }
                canvas.text(&entry.label, (x + SAMPLE + GAP, y), TEXT, Align::Left, INK)?;
            }
        }
        Ok(())
    }
}

/// One entry for each pair of name and colour, in the order in which the layers first use them.
fn entries<'a>(panels: impl IntoIterator<Item = &'a Panel>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for layer in panels.into_iter().flat_map(|panel| &panel.layers) {
        let (label, colour, line, marker) = match layer {
            Layer::Line(line) => (&line.label, line.colour, Some(line.dashed), None),
            Layer::Points(points) => (&points.label, points.colour, None, Some(points.marker)),
            _ => continue,
        };
        if label.is_empty() {
            continue;
        }
        let same = |entry: &&mut Entry| entry.label == *label && entry.colour == colour;
        if let Some(entry) = entries.iter_mut().find(same) {
            entry.line = entry.line.or(line);
            entry.marker = entry.marker.or(marker);
        } else {
            entries.push(Entry { label: label.clone(), colour, line, marker });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Line, Points};
    use super::*;

    fn line(label: &str, colour: Colour) -> Layer {
        Layer::Line(Line { label: label.to_owned(), colour, points: Vec::new(), dashed: false })
    }

    #[test]
    fn a_name_appears_once_with_all_it_stands_for() {
        let marks = Points {
            label: "PPO".to_owned(),
            colour: Colour::PPO,
            marker: Marker::Square,
            points: Vec::new(),
        };
        let layers = vec![line("PPO", Colour::PPO), line("", Colour::Grey), Layer::Points(marks)];
        let panel = Panel { layers, ..Panel::default() };
        let found = entries([&panel, &panel]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].marker), (Some(false), Some(Marker::Square)));
    }

    #[test]
    fn what_does_not_fit_goes_into_the_next_row() {
        let layers = (0..6).map(|i| line(&format!("algorithm {i}"), Colour::Series(i))).collect();
        let panel = Panel { layers, ..Panel::default() };
        let legend = Legend::new([&panel], 300.0);
        assert!(legend.rows.len() > 1);
        assert!(legend.rows.iter().flatten().all(|(start, e)| start + e.width() <= 300.0));
        assert!(Legend::new([], 300.0).rows.is_empty());
    }
}
