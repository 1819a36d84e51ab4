//! Positions of title, legend, the grid of panels, colour bars and footnote.
//!
//! The size of a figure follows from its panels. Panels of one column have the same left edge and
//! width, and panels of one row have the same height, so that they can be compared by eye.

use anyhow::Result;

use super::canvas::{Align, Canvas, svg};
use super::colour::{FAINT, INK, WHITE};
use super::colour_bar;
use super::figure::{Figure, Panel};
use super::geometry::{Rect, Xy};
use super::legend::Legend;
use super::panel::{Plan, Ready, wanted_height};
use super::scales::Scales;
use super::text::Type;

const TITLE: Type = Type::bold(16.0);
const SUBTITLE: Type = Type::regular(12.5);
const PANEL_TITLE: Type = Type::bold(12.5);
const FOOTNOTE: Type = Type::regular(11.0);
const MARGIN: f64 = 16.0;
/// Distance between two columns, two rows, and the blocks above and below the panels.
const COLUMN_GAP: f64 = 14.0;
const ROW_GAP: f64 = 16.0;
const BLOCK_GAP: f64 = 10.0;
/// Space to the right of the axes for half of the last tick label.
const RIGHT: f64 = 20.0;

/// Height of a colour bar for all panels, unless there is less space.
const BAR: f64 = 260.0;

/// A row of panels with the space that it needs above and below the axes.
struct Row<'a> {
    panels: Vec<Placed<'a>>,
    titles: f64,
    legends: f64,
    axes: f64,
    bottom: f64,
}

/// A panel with its horizontal position in the figure.
struct Placed<'a> {
    panel: &'a Panel,
    ready: Ready<'a>,
    left: f64,
    width: f64,
    title: Vec<String>,
    legend: Legend,
}

/// Draws a figure as SVG.
pub(super) fn draw(figure: &Figure) -> Result<String> {
    let columns = figure.columns.clamp(1, figure.panels.len().max(1));
    let width = match columns {
        1 => 760.0,
        2 => 860.0,
        more => 330.0 * more as f64,
    };
    let scales = Scales::of(figure);
    let inner = width - 2.0 * MARGIN;
    let title = TITLE.wrap(&figure.title, inner);
    let subtitle = SUBTITLE.wrap(figure.subtitle.as_deref().unwrap_or_default(), inner);
    let footnote = FOOTNOTE.wrap(figure.footnote.as_deref().unwrap_or_default(), inner);
    let shared: &[Panel] = if figure.shared_legend { &figure.panels } else { &[] };
    let legend = Legend::new(shared, inner);

    let bar = scales.only().map_or(0.0, |range| colour_bar::width(range) + COLUMN_GAP);
    let rows = rows(figure, columns, inner - bar, &scales);
    let head = block(&title, TITLE) + block(&subtitle, SUBTITLE);
    let legend_height = if legend.height() > 0.0 { legend.height() + BLOCK_GAP } else { 0.0 };
    let panels_top = MARGIN + head + if head > 0.0 { BLOCK_GAP } else { 0.0 } + legend_height;
    let panels =
        rows.iter().map(Row::height).sum::<f64>() + ROW_GAP * rows.len().saturating_sub(1) as f64;
    let foot = if footnote.is_empty() { 0.0 } else { BLOCK_GAP + block(&footnote, FOOTNOTE) };
    let height = panels_top + panels + foot + MARGIN;

    svg((width, height), |canvas| {
        canvas.rect(&Rect { left: 0.0, top: 0.0, right: width, bottom: height }, WHITE, 1.0)?;
        let mut y = paragraph(canvas, &title, (MARGIN, MARGIN), TITLE, false)?;
        y = paragraph(canvas, &subtitle, (MARGIN, y), SUBTITLE, true)?;
        legend.draw(canvas, (MARGIN, if head > 0.0 { y + BLOCK_GAP } else { y }))?;
        if let (Some(range), Some(first)) = (scales.only(), rows.first()) {
            let top = panels_top + first.titles + first.legends;
            // Beside low panels the bar continues beside the next row.
            let last = panels_top + panels - rows.last().map_or(0.0, |row| row.bottom);
            let bottom = last.min(top + first.axes.max(BAR));
            let left = width - MARGIN - bar + COLUMN_GAP;
            colour_bar::draw(canvas, range, &Rect { left, top, right: width, bottom })?;
        }
        let mut top = panels_top;
        for row in &rows {
            row.draw(canvas, top, &scales)?;
            top += row.height() + ROW_GAP;
        }
        let end = height - MARGIN - block(&footnote, FOOTNOTE);
        paragraph(canvas, &footnote, (MARGIN, end), FOOTNOTE, true)?;
        Ok(())
    })
}

impl Row<'_> {
    fn height(&self) -> f64 {
        self.titles + self.legends + self.axes + self.bottom
    }

    fn draw(&self, canvas: &mut Canvas<'_>, top: f64, scales: &Scales) -> Result<()> {
        let axes = top + self.titles + self.legends;
        for placed in &self.panels {
            let (left, right) = (placed.left, placed.left + placed.width);
            // A title with few lines ends at the same distance from its axes as the longest title
            // of the row.
            let start = top + self.titles - block(&placed.title, PANEL_TITLE);
            paragraph(canvas, &placed.title, (left, start), PANEL_TITLE, false)?;
            placed.legend.draw(canvas, (left, top + self.titles))?;
            let area = Rect { left, top: axes, right, bottom: axes + self.axes };
            placed.ready.draw(canvas, &area, scales)?;
            if scales.only().is_none() {
                let mut left = right + COLUMN_GAP;
                for range in scales.of_panel(placed.panel) {
                    colour_bar::draw(canvas, range, &Rect { left, ..area })?;
                    left += colour_bar::width(range) + COLUMN_GAP;
                }
            }
        }
        Ok(())
    }
}

/// The panels in rows within `width`, with aligned columns.
fn rows<'a>(figure: &'a Figure, columns: usize, width: f64, scales: &Scales) -> Vec<Row<'a>> {
    let usual = match columns {
        1 => 330.0,
        2 => 250.0,
        _ => 200.0,
    };
    let rows: Vec<(f64, Vec<Plan<'a>>)> = figure
        .panels
        .chunks(columns)
        .map(|panels| {
            let height = panels.iter().map(|p| wanted_height(p, usual)).fold(0.0, f64::max);
            (height, panels.iter().map(|panel| Plan::new(panel, height)).collect())
        })
        .collect();
    let bars = |panel: &Panel| -> f64 {
        if scales.only().is_some() {
            return 0.0;
        }
        let ranges = scales.of_panel(panel);
        ranges.into_iter().map(|range| colour_bar::width(range) + COLUMN_GAP).sum()
    };
    let widest = |column: usize, of: &dyn Fn(&Plan<'a>) -> f64| {
        rows.iter().filter_map(|(_, row)| row.get(column)).map(of).fold(0.0, f64::max)
    };
    let lefts: Vec<f64> = (0..columns).map(|column| widest(column, &Plan::left)).collect();
    let rights: Vec<f64> =
        (0..columns).map(|column| widest(column, &|plan| RIGHT.max(bars(plan.panel)))).collect();
    // All axes have the same width, whatever their labels need.
    let taken = lefts.iter().chain(&rights).sum::<f64>() + COLUMN_GAP * (columns - 1) as f64;
    let axes_width = ((width - taken) / columns as f64).max(80.0);
    rows.into_iter()
        .map(|(axes, plans)| {
            let mut start = MARGIN;
            let mut placed = Vec::with_capacity(plans.len());
            for ((plan, gutter), right) in plans.into_iter().zip(&lefts).zip(&rights) {
                let (panel, left) = (plan.panel, start + gutter);
                start = left + axes_width + right + COLUMN_GAP;
                let title = PANEL_TITLE.wrap(&panel.title, axes_width + right);
                let own = (panel.legend && !figure.shared_legend).then_some(panel);
                let legend = Legend::new(own, axes_width + right);
                let ready = plan.with_width(axes_width);
                placed.push(Placed { panel, ready, left, width: axes_width, title, legend });
            }
            let most = |of: &dyn Fn(&Placed<'a>) -> f64| placed.iter().map(of).fold(0.0, f64::max);
            let titles = most(&|p| block(&p.title, PANEL_TITLE));
            let legends = most(&|p| p.legend.height());
            let bottom = most(&|p| p.ready.bottom());
            let space = if titles + legends > 0.0 { 6.0 } else { 0.0 };
            Row { titles, legends: legends + space, axes, bottom, panels: placed }
        })
        .collect()
}

/// Height of lines of text.
fn block(lines: &[String], style: Type) -> f64 {
    lines.len() as f64 * style.line_height()
}

/// Draws lines of text with their upper left corner at `corner`; returns where they end.
fn paragraph(
    canvas: &mut Canvas<'_>,
    lines: &[String],
    corner: Xy,
    style: Type,
    faint: bool,
) -> Result<f64> {
    let mut y = corner.1;
    for line in lines {
        let middle = (corner.0, y + style.line_height() / 2.0);
        canvas.text(line, middle, style, Align::Left, if faint { FAINT } else { INK })?;
        y += style.line_height();
    }
    Ok(y)
}

#[cfg(test)]
mod tests {
    use resvg::usvg::{Group, Node};

    use super::super::png::Reader;
    use super::*;
    use crate::chart::{
        Axis, Cell, Colour, ColourScale, Heatmap, HorizontalLine, Layer, Line, Mark, Marker, Points,
    };

    /// Boxes of all texts, as a renderer places them.
    fn texts(group: &Group, found: &mut Vec<(String, Rect)>) {
        for node in group.children() {
            match node {
                Node::Group(group) => texts(group, found),
                Node::Text(text) => {
                    let area = text.abs_bounding_box();
                    let [left, top, right, bottom] =
                        [area.left(), area.top(), area.right(), area.bottom()].map(f64::from);
                    let words = text.chunks().iter().map(|chunk| chunk.text()).collect();
                    found.push((words, Rect { left, top, right, bottom }));
                }
                _ => {}
            }
        }
    }

    fn assert_texts_are_whole_and_apart(figure: &Figure) {
        let tree = Reader::new().tree(&draw(figure).expect("a figure")).expect("an SVG");
        let page = Rect {
            left: 0.0,
            top: 0.0,
            right: f64::from(tree.size().width()),
            bottom: f64::from(tree.size().height()),
        };
        let mut found = Vec::new();
        texts(tree.root(), &mut found);
        assert!(found.len() > 10, "only {} texts", found.len());
        for (index, (text, area)) in found.iter().enumerate() {
            assert!(page.encloses(area), "{text:?} is cut off: {area:?} of {page:?}");
            for (other, its) in &found[index + 1..] {
                // Boxes have the height of the font, which letters do not fill.
                assert!(!area.grown(-1.5).overlaps(its), "{text:?} is over {other:?}");
            }
        }
    }

    fn named(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("variant {index} with its long name")).collect()
    }

    #[test]
    fn labels_of_curves_are_whole_and_apart() {
        let line = |index: usize, scale: f64| {
            Layer::Line(Line {
                label: named(5)[index].clone(),
                colour: Colour::Series(index),
                points: (0..50).map(|x| (f64::from(x) * 2e5, scale * f64::from(x))).collect(),
                dashed: false,
            })
        };
        let panel = |scale: f64| Panel {
            title: "A game with a name that is too long for one line of one panel".into(),
            x: Axis::linear("environment frames, of which four make a step"),
            y: Axis::linear("return of finished games, and a unit that does not fit here either"),
            layers: (0..5)
                .map(|index| line(index, scale))
                .chain([1.0, 2.5].map(|y| {
                    Layer::HorizontalLine(HorizontalLine { label: "human".into(), y: y * scale })
                }))
                .collect(),
            legend: true,
        };
        for (columns, shared_legend) in [(1, true), (2, false), (3, true), (4, false)] {
            let figure = Figure {
                title: "A title of many words ".repeat(8),
                subtitle: Some("A subtitle of many words ".repeat(8)),
                panels: [1e-6, 1.0, -300.0, 1e9, 0.02].map(panel).to_vec(),
                columns,
                shared_legend,
                footnote: Some("Small print ".repeat(40)),
            };
            assert_texts_are_whole_and_apart(&figure);
        }
    }

    #[test]
    fn labels_of_categories_and_colour_bars_are_whole_and_apart() {
        let cells = (0..12).map(|index| Cell {
            x: index % 4,
            y: index / 4,
            value: index as f64 * 1234.5,
            text: "1.23".into(),
            marked: index == 5,
        });
        let scale = ColourScale { label: "a score with a rather long name".into(), range: None };
        let map = Panel {
            title: "map".into(),
            x: Axis::category("x", named(4)),
            y: Axis::category("y", named(3)),
            layers: vec![Layer::Heatmap(Heatmap { cells: cells.collect(), scale })],
            legend: false,
        };
        let mark = |index: i32| Mark { x: f64::from(index), y: 10_f64.powi(-index), error: None };
        let points = Points {
            label: String::new(),
            colour: Colour::PPO,
            marker: Marker::Diamond,
            points: (0..9).map(mark).collect(),
        };
        let marks = Panel {
            x: Axis::category("variant", named(9)),
            y: Axis::log10("loss"),
            layers: vec![Layer::Points(points)],
            ..Panel::default()
        };
        for columns in 1..4 {
            let panels = vec![map.clone(), marks.clone(), map.clone()];
            assert_texts_are_whole_and_apart(&Figure { panels, columns, ..Figure::default() });
        }
    }
}
