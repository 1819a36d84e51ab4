//! The colour bar, which shows the value of each colour.

use anyhow::Result;
use deepspi_plot::{Axis, Scale, Tick};

use super::canvas::{Align, Canvas, Stroke};
use super::colour::{FAINT, INK, viridis};
use super::geometry::Rect;
use super::scales::Range;
use super::text::Type;

const BAR: f64 = 13.0;
const TICKS: Type = Type::regular(11.0);
const LABEL: Type = Type::regular(12.0);
/// Longest line of the label, about the height of the smallest bars.
const LINE: f64 = 160.0;
/// Distance between the bar and its tick labels.
const GAP: f64 = 7.0;

/// Width of the bar with its labels.
pub(super) fn width(range: &Range) -> f64 {
    let ticks = ticks(range);
    let widest = TICKS.widest(ticks.iter().map(|tick| &tick.label));
    BAR + GAP + widest + 6.0 + lines(range).len() as f64 * LABEL.line_height()
}

/// Draws the bar with its left side and its ends at those of `area`.
pub(super) fn draw(canvas: &mut Canvas<'_>, range: &Range, area: &Rect) -> Result<()> {
    let bar = Rect { right: area.left + BAR, ..*area };
    // Each stripe reaches down to the end of the bar: between adjacent stripes, seams would be
    // visible.
    const STRIPES: usize = 100;
    for index in 0..STRIPES {
        let top = bar.top + bar.height() * index as f64 / STRIPES as f64;
        let colour = viridis(1.0 - (index as f64 + 0.5) / STRIPES as f64);
        canvas.rect(&Rect { top, ..bar }, colour, 1.0)?;
    }
    let thin = Stroke::solid(FAINT, 0.8);
    let ticks = ticks(range);
    for Tick { share, label, .. } in &ticks {
        let y = bar.bottom - share * bar.height();
        canvas.line((bar.right, y), (bar.right + 3.5, y), thin)?;
        canvas.text(label, (bar.right + GAP, y), TICKS, Align::Left, INK)?;
    }
    let middle = bar.centre().1;
    let lines = lines(range);
    for (index, line) in lines.iter().rev().enumerate() {
        let x = area.left + width(range) - (index as f64 + 0.5) * LABEL.line_height();
        canvas.text_upwards(line, (x, middle), LABEL, Align::Centre, INK)?;
    }
    Ok(())
}

fn lines(range: &Range) -> Vec<String> {
    LABEL.wrap(&range.label, LINE)
}

fn ticks(range: &Range) -> Vec<Tick> {
    // A scale of one value has a single tick, at that value.
    let axis = Axis::around(Scale::Linear, [range.low, range.high], 0.0);
    axis.map_or_else(Vec::new, |axis| axis.ticks(6.0))
}
