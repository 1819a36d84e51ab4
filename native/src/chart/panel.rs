//! One panel: the space that its labels need, and its axes.
//!
//! Tick labels are measured before anything is placed. So none is ever cut off, and the panels of
//! one column or row can leave the space of the widest label.

use anyhow::Result;
use deepspi_plot::Tick;

use super::axis::Resolved;
use super::canvas::{Align, Canvas, Stroke};
use super::colour::{FAINT, GRID, INK};
use super::figure::{Axis, Layer, Panel, Scale};
use super::geometry::Rect;
use super::layers::{self, Place};
use super::scales::Scales;
use super::text::Type;

const TICKS: Type = Type::regular(11.0);
const LABEL: Type = Type::regular(12.0);
/// Length of a tick, and the distance from its end to the label.
const TICK: f64 = 4.0;
const TICK_GAP: f64 = 3.0;
/// Distance between tick labels and the name of the axis.
const LABEL_GAP: f64 = 6.0;
/// Longest name of a category in one line.
const NAME: f64 = 170.0;
/// Longest name of a category that reads upwards.
const UPRIGHT: f64 = 110.0;

/// A panel whose vertical axis is known.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub panel: &'a Panel,
    x: Option<Resolved>,
    y: Option<Resolved>,
    /// Ticks, each with the lines of its label.
    y_ticks: Vec<(f64, Vec<String>)>,
    y_label: Vec<String>,
}

/// A [`Plan`] whose horizontal axis is known too.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    plan: Plan<'a>,
    x_ticks: Vec<(f64, Vec<String>)>,
    /// Whether tick labels read upwards, because side by side they would overlap.
    upright: bool,
    x_label: Vec<String>,
}

/// Height that the axes of a panel ask for.
pub(super) fn wanted_height(panel: &Panel, usual: f64) -> f64 {
    match &panel.y.scale {
        Scale::Category(names) => (names.len() as f64 * 30.0).max(60.0),
        _ => usual,
    }
}

impl<'a> Plan<'a> {
    /// Plans axes of this height.
    pub fn new(panel: &'a Panel, height: f64) -> Self {
        let points = drawable(panel);
        let (xs, mut ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let marks = panel
            .layers
            .iter()
            .any(|layer| matches!(layer, Layer::Points(_) | Layer::Scatter(_) | Layer::Segment(_)));
        let empty = points.is_empty();
        if !empty {
            ys.extend(panel.layers.iter().filter_map(|layer| match layer {
                Layer::HorizontalLine(line) => Some(line.y),
                _ => None,
            }));
        }
        let resolve = |axis: &Axis, values: &[f64], margin: f64| {
            if empty { None } else { Resolved::new(axis, values, margin) }
        };
        let x = resolve(&panel.x, &xs, if marks { 0.06 } else { 0.0 });
        let y = resolve(&panel.y, &ys, 0.06);
        let most = (height / 40.0).clamp(3.0, 8.0) as usize;
        let ticks = y.as_ref().map_or_else(Vec::new, |axis| axis.ticks(most));
        let lines = |tick: Tick| (tick.share, TICKS.wrap(&tick.label, NAME));
        let y_ticks = ticks.into_iter().map(lines).collect();
        Self { panel, x, y, y_ticks, y_label: LABEL.wrap(&panel.y.label, height.max(120.0)) }
    }

    /// Space to the left of the axes.
    pub fn left(&self) -> f64 {
        let widest = TICKS.widest(self.y_ticks.iter().flat_map(|(_, lines)| lines));
        let label = self.y_label.len() as f64 * LABEL.line_height();
        TICK + TICK_GAP + widest + LABEL_GAP + label
    }

    /// Plans the horizontal axis for this width.
    pub fn with_width(self, width: f64) -> Ready<'a> {
        let x_label = LABEL.wrap(&self.panel.x.label, width + 20.0);
        let Some(axis) = &self.x else {
            return Ready { plan: self, x_ticks: Vec::new(), upright: false, x_label };
        };
        let (ticks, upright) = match axis.names() {
            Some(names) => {
                let slot = width / names.len() as f64 - 6.0;
                let ticks = axis.ticks(names.len());
                let wrapped = ticks.iter().map(|tick| (tick.share, TICKS.wrap(&tick.label, slot)));
                let wrapped: Vec<_> = wrapped.collect();
                let fits = TICKS.widest(wrapped.iter().flat_map(|(_, lines)| lines)) <= slot;
                if fits { (wrapped, false) } else { (upright_lines(ticks, slot), true) }
            }
            None => (single_lines(widest_fit(axis, width)), false),
        };
        Ready { plan: self, x_ticks: ticks, upright, x_label }
    }
}

impl Ready<'_> {
    /// Space below the axes.
    pub fn bottom(&self) -> f64 {
        let labels = if self.upright {
            TICKS.widest(self.x_ticks.iter().flat_map(|(_, lines)| lines))
        } else {
            let most = self.x_ticks.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
            most as f64 * TICKS.line_height()
        };
        let label = self.x_label.len() as f64 * LABEL.line_height();
        TICK + TICK_GAP + labels + LABEL_GAP + label
    }

    /// Draws axes and data.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: &Rect, scales: &Scales) -> Result<()> {
        let Plan { panel, x, y, y_ticks, y_label } = &self.plan;
        let (Some(x), Some(y)) = (x, y) else {
            canvas.text("no data", area.centre(), LABEL, Align::Centre, FAINT)?;
            borders(canvas, area)?;
            return self.names(canvas, area, y_label);
        };
        let place = Place { x, y, area: *area };
        let thin = Stroke::solid(FAINT, 0.9);
        let grid = Stroke::solid(GRID, 0.8);
        let upside_down = y.names().is_some();
        for (share, lines) in y_ticks {
            let down = if upside_down { *share } else { 1.0 - share };
            let at = area.top + down * area.height();
            if !upside_down {
                canvas.line((area.left, at), (area.right, at), grid)?;
            }
            canvas.line((area.left - TICK, at), (area.left, at), thin)?;
            let first = at - (lines.len() as f64 - 1.0) / 2.0 * TICKS.line_height();
            for (index, line) in lines.iter().enumerate() {
                let y = first + index as f64 * TICKS.line_height();
                canvas.text(line, (area.left - TICK - TICK_GAP, y), TICKS, Align::Right, INK)?;
            }
        }
        for (share, lines) in &self.x_ticks {
            let at = area.left + share * area.width();
            if x.names().is_none() {
                canvas.line((at, area.top), (at, area.bottom), grid)?;
            }
            canvas.line((at, area.bottom), (at, area.bottom + TICK), thin)?;
            let top = area.bottom + TICK + TICK_GAP;
            for (index, line) in lines.iter().enumerate() {
                if self.upright {
                    let x = at
                        + (index as f64 - (lines.len() as f64 - 1.0) / 2.0) * TICKS.line_height();
                    canvas.text_upwards(line, (x, top), TICKS, Align::Right, INK)?;
                } else {
                    let y = top + (index as f64 + 0.5) * TICKS.line_height();
                    canvas.text(line, (at, y), TICKS, Align::Centre, INK)?;
                }
            }
        }
        borders(canvas, area)?;
        layers::draw(canvas, &panel.layers, &place, scales)?;
        self.names(canvas, area, y_label)
    }

    /// Draws the names of the axes.
    fn names(&self, canvas: &mut Canvas<'_>, area: &Rect, y_label: &[String]) -> Result<()> {
        let height = LABEL.line_height();
        let (middle_x, middle_y) = area.centre();
        let first = area.left - self.plan.left() + height / 2.0;
        for (index, line) in y_label.iter().enumerate() {
            let x = first + index as f64 * height;
            canvas.text_upwards(line, (x, middle_y), LABEL, Align::Centre, INK)?;
        }
        let last = area.bottom + self.bottom() - height / 2.0;
        for (index, line) in self.x_label.iter().rev().enumerate() {
            let y = last - index as f64 * height;
            canvas.text(line, (middle_x, y), LABEL, Align::Centre, INK)?;
        }
        Ok(())
    }
}

/// Draws the borders. This happens before the data, so that a mark at 0 is whole.
fn borders(canvas: &mut Canvas<'_>, area: &Rect) -> Result<()> {
    let stroke = Stroke::solid(FAINT, 0.9);
    let corner = (area.left, area.bottom);
    canvas.line((area.left, area.top), corner, stroke)?;
    canvas.line(corner, (area.right, area.bottom), stroke)
}

/// Labels that read upwards, in more than one line where the distance to the next label allows it.
fn upright_lines(ticks: Vec<Tick>, slot: f64) -> Vec<(f64, Vec<String>)> {
    let lines = |tick: Tick| {
        let wrapped = TICKS.wrap(&tick.label, UPRIGHT);
        let fits = wrapped.len() as f64 * TICKS.line_height() <= slot + 6.0;
        (tick.share, if fits { wrapped } else { vec![tick.label] })
    };
    ticks.into_iter().map(lines).collect()
}

fn single_lines(ticks: Vec<Tick>) -> Vec<(f64, Vec<String>)> {
    ticks.into_iter().map(|tick| (tick.share, vec![tick.label])).collect()
}

/// As many ticks as possible without labels that touch.
fn widest_fit(axis: &Resolved, width: f64) -> Vec<Tick> {
    let apart = |pair: &[Tick]| {
        let room = (pair[1].share - pair[0].share) * width;
        room >= (TICKS.width(&pair[0].label) + TICKS.width(&pair[1].label)) / 2.0 + 10.0
    };
    let choices = (2..=10).rev().map(|most| axis.ticks(most));
    let mut fitting = choices.filter(|ticks| ticks.windows(2).all(apart));
    fitting.next().unwrap_or_else(|| axis.ticks(1))
}

/// All points that have a position on both axes.
fn drawable(panel: &Panel) -> Vec<(f64, f64)> {
    let all = panel.layers.iter().flat_map(|layer| -> Vec<(f64, f64)> {
        match layer {
            Layer::Line(line) => line.points.clone(),
            Layer::Band(band) => {
                band.points.iter().flat_map(|&(x, low, high)| [(x, low), (x, high)]).collect()
            }
            Layer::Points(points) => {
                let ends = |error: Option<(f64, f64)>| error.map_or([f64::NAN; 2], |e| [e.0, e.1]);
                let all = points.points.iter().flat_map(|mark| {
                    let [low, high] = ends(mark.error);
                    [(mark.x, mark.y), (mark.x, low), (mark.x, high)]
                });
                all.collect()
            }
            Layer::Segment(segment) => vec![segment.from, segment.to],
            Layer::Scatter(scatter) => scatter.points.iter().map(|s| (s.x, s.y)).collect(),
            Layer::Heatmap(map) => map.cells.iter().map(|c| (c.x as f64, c.y as f64)).collect(),
            // A reference line alone is not data.
            Layer::HorizontalLine(_) => Vec::new(),
        }
    });
    let on =
        |axis: &Axis, value: f64| value.is_finite() && (value > 0.0 || axis.scale != Scale::Log10);
    all.filter(|&(x, y)| on(&panel.x, x) && on(&panel.y, y)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::figure::Line;
    use super::*;
    use crate::chart::Colour;

    fn panel(points: &[(f64, f64)]) -> Panel {
        let points = points.to_vec();
        let line = Line { label: String::new(), colour: Colour::PPO, points, dashed: false };
        Panel { x: Axis::log10("x"), layers: vec![Layer::Line(line)], ..Panel::default() }
    }

    #[test]
    fn only_what_can_be_drawn_counts() {
        let points = [(0.0, 1.0), (1.0, f64::NAN), (f64::INFINITY, 2.0), (10.0, 3.0)];
        assert_eq!(drawable(&panel(&points)), [(10.0, 3.0)], "0 has no logarithm");
        assert!(Plan::new(&panel(&points[..3]), 200.0).x.is_none(), "no data");
    }

    #[test]
    fn tick_labels_do_not_touch() {
        let axis = Resolved::new(&Axis::linear(""), &[0.0, 900_000.0], 0.0).expect("a range");
        for width in [60.0, 150.0, 700.0] {
            let ticks = widest_fit(&axis, width);
            let room: f64 = ticks.iter().map(|tick| TICKS.width(&tick.label)).sum();
            assert!(ticks.len() < 3 || room < width, "{} ticks in {width}", ticks.len());
        }
    }
}
