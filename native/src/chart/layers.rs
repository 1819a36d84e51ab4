//! Draws the data of a panel: areas first, then lines, then marks, and labels on top.

use anyhow::Result;
use plotters::style::RGBColor;

use super::axis::Resolved;
use super::canvas::{Align, Canvas, Stroke};
use super::colour::{FAINT, INK, MISSING, WHITE, text_on};
use super::figure::{Band, Heatmap, Layer, Marker, Points, Scatter};
use super::geometry::{Rect, Xy};
use super::placement::Placement;
use super::scales::Scales;
use super::text::Type;

const LINE: f64 = 1.8;
const MARK: f64 = 3.8;
const LABEL: Type = Type::regular(11.0);
/// Height of a label. It is lower than a line of text, so that two close reference lines still have
/// room for a label between them.
const LABEL_HEIGHT: f64 = 13.0;

/// Maps the values of a panel to positions in the picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub x: &'a Resolved,
    pub y: &'a Resolved,
    pub area: Rect,
}

impl Place<'_> {
    /// Not finite if the value has no position.
    fn at(&self, x: f64, y: f64) -> Xy {
        (self.area.left + self.x.share(x) * self.area.width(), self.height(y))
    }

    /// Height in the picture of a value of the vertical axis.
    pub fn height(&self, y: f64) -> f64 {
        let share = self.y.share(y);
        let down = if self.y.names().is_some() { share } else { 1.0 - share };
        self.area.top + down * self.area.height()
    }

    /// A mark on the border is drawn whole; a mark beyond the border is not drawn.
    fn shows(&self, point: Xy) -> bool {
        self.area.grown(0.5).contains(point)
    }
}

/// Draws all layers.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    layers: &[Layer],
    place: &Place<'_>,
    scales: &Scales,
) -> Result<()> {
    let mut labels = Placement::default();
    for layer in layers {
        match layer {
            Layer::Heatmap(map) => heatmap(canvas, map, place, scales)?,
            Layer::Band(layer) => band(canvas, layer, place)?,
            _ => {}
        }
    }
    for layer in layers {
        match layer {
            Layer::HorizontalLine(line) => {
                let ends = [place.area.left, place.area.right].map(|x| (x, place.height(line.y)));
                let stroke = Stroke { dashed: true, ..Stroke::solid(FAINT, 1.2) };
                curve(canvas, &ends, place, stroke, &mut labels)?;
            }
            Layer::Line(line) => {
                let points: Vec<Xy> = line.points.iter().map(|&(x, y)| place.at(x, y)).collect();
                let solid = Stroke::solid(line.colour.rgb(), LINE);
                let stroke = Stroke { dashed: line.dashed, ..solid };
                curve(canvas, &points, place, stroke, &mut labels)?;
            }
            Layer::Segment(segment) => {
                let ends = [segment.from, segment.to].map(|(x, y)| place.at(x, y));
                let stroke = Stroke::solid(segment.colour.rgb(), 1.1);
                curve(canvas, &ends, place, stroke, &mut labels)?;
            }
            _ => {}
        }
    }
    for layer in layers {
        match layer {
            Layer::Points(layer) => points(canvas, layer, place, &mut labels)?,
            Layer::Scatter(layer) => scatter(canvas, layer, place, scales, &mut labels)?,
            _ => {}
        }
    }
    write_labels(canvas, layers, place, &mut labels)
}

fn curve(
    canvas: &mut Canvas<'_>,
    points: &[Xy],
    place: &Place<'_>,
    stroke: Stroke,
    labels: &mut Placement,
) -> Result<()> {
    for part in place.area.cut_curve(points) {
        canvas.curve(&part, stroke)?;
        labels.avoid_curve(&part);
    }
    Ok(())
}

fn band(canvas: &mut Canvas<'_>, band: &Band, place: &Place<'_>) -> Result<()> {
    let whole = |&(x, low, high): &(f64, f64, f64)| {
        let (low, high) = (place.at(x, low), place.at(x, high));
        [low.0, low.1, high.1].iter().all(|v| v.is_finite()).then_some((low, high))
    };
    let points: Vec<Option<(Xy, Xy)>> = band.points.iter().map(whole).collect();
    for part in points.split(Option::is_none) {
        let lower = part.iter().flatten().map(|pair| pair.0);
        let upper = part.iter().flatten().map(|pair| pair.1);
        let outline: Vec<Xy> = lower.chain(upper.rev()).collect();
        let inside = place.area.cut_area(&outline);
        if inside.len() > 2 {
            canvas.area(&inside, band.colour.rgb(), 0.2)?;
        }
    }
    Ok(())
}

fn points(
    canvas: &mut Canvas<'_>,
    layer: &Points,
    place: &Place<'_>,
    labels: &mut Placement,
) -> Result<()> {
    let colour = layer.colour.rgb();
    for mark in &layer.points {
        let at = place.at(mark.x, mark.y);
        if !place.shows(at) {
            continue;
        }
        // An interval of width 0 has no bar: a line of length 0 cannot be drawn.
        if let Some((low, high)) = mark.error.filter(|(low, high)| low < high) {
            let ends = [low, high].map(|y| (at.0, place.height(y)));
            curve(canvas, &ends, place, Stroke::solid(colour, 1.3), labels)?;
            for end in ends.into_iter().filter(|&end| place.shows(end)) {
                let cap = Stroke::solid(colour, 1.3);
                canvas.line((end.0 - 3.5, end.1), (end.0 + 3.5, end.1), cap)?;
            }
        }
        marker(canvas, layer.marker, at, MARK, colour)?;
        labels.avoid_point(at, MARK);
    }
    Ok(())
}

fn scatter(
    canvas: &mut Canvas<'_>,
    layer: &Scatter,
    place: &Place<'_>,
    scales: &Scales,
    labels: &mut Placement,
) -> Result<()> {
    for spot in &layer.points {
        let at = place.at(spot.x, spot.y);
        if place.shows(at) {
            // A dark edge, because the light end of the scale is hardly visible on white.
            marker(canvas, layer.marker, at, MARK + 1.8, INK)?;
            marker(canvas, layer.marker, at, MARK + 1.0, scales.colour(&layer.scale, spot.value))?;
            labels.avoid_point(at, MARK + 1.8);
        }
    }
    Ok(())
}

/// Draws a mark.
pub(super) fn marker(
    canvas: &mut Canvas<'_>,
    shape: Marker,
    (x, y): Xy,
    radius: f64,
    colour: RGBColor,
) -> Result<()> {
    // The square and the triangle have about the area of the disc.
    let (side, tip) = (radius * 0.89, radius * 1.25);
    match shape {
        Marker::Circle => canvas.disc((x, y), radius, colour),
        Marker::Square => {
            let square = Rect { left: x, top: y, right: x, bottom: y }.grown(side);
            canvas.rect(&square, colour, 1.0)
        }
        Marker::Triangle => {
            let base = y + tip * 0.65;
            canvas.area(&[(x, y - tip), (x + tip, base), (x - tip, base)], colour, 1.0)
        }
        Marker::Diamond => {
            let corners = [(x, y - tip), (x + tip, y), (x, y + tip), (x - tip, y)];
            canvas.area(&corners, colour, 1.0)
        }
    }
}

fn heatmap(
    canvas: &mut Canvas<'_>,
    map: &Heatmap,
    place: &Place<'_>,
    scales: &Scales,
) -> Result<()> {
    canvas.rect(&place.area, MISSING, 1.0)?;
    let cells = map.cells.iter().map(|cell| {
        let (x, y) = (cell.x as f64, cell.y as f64);
        let (a, b) = (place.at(x - 0.5, y - 0.5), place.at(x + 0.5, y + 0.5));
        (cell, Rect { left: a.0, top: a.1.min(b.1), right: b.0, bottom: a.1.max(b.1) })
    });
    let cells: Vec<_> = cells.filter(|(_, rect)| place.area.grown(0.5).encloses(rect)).collect();
    for (cell, rect) in &cells {
        let colour = scales.colour(&map.scale, cell.value);
        // A white seam keeps neighbours of nearly the same value apart.
        canvas.rect(rect, WHITE, 1.0)?;
        canvas.rect(&rect.grown(-0.6), colour, 1.0)?;
        let full = LABEL.width(&cell.text).max(1.0);
        let size = (LABEL.size * ((rect.width() - 5.0) / full).min(1.0)).max(6.5);
        canvas.text(
            &cell.text,
            rect.centre(),
            Type::regular(size),
            Align::Centre,
            text_on(colour),
        )?;
    }
    // After all cells, so that no neighbour covers half of the frame.
    for (_, rect) in cells.iter().filter(|(cell, _)| cell.marked) {
        canvas.frame(&rect.grown(-1.8), Stroke::solid(WHITE, 4.2))?;
        canvas.frame(&rect.grown(-0.8), Stroke::solid(INK, 2.4))?;
    }
    Ok(())
}

/// Writes the names of reference lines and of marks.
fn write_labels(
    canvas: &mut Canvas<'_>,
    layers: &[Layer],
    place: &Place<'_>,
    labels: &mut Placement,
) -> Result<()> {
    let area = &place.area;
    for layer in layers {
        match layer {
            Layer::HorizontalLine(line) => {
                let y = place.height(line.y);
                if y.is_finite() && area.grown(0.5).contains((area.left, y)) {
                    let places = beside_line(area, y, LABEL.width(&line.label));
                    write(canvas, &line.label, labels.choose(&places, area), FAINT)?;
                }
            }
            Layer::Scatter(scatter) => {
                for spot in &scatter.points {
                    let at = place.at(spot.x, spot.y);
                    if let Some(label) = spot.label.as_ref().filter(|_| place.shows(at)) {
                        let places = beside_mark(at, LABEL.width(label));
                        write(canvas, label, labels.choose(&places, area), INK)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn write(canvas: &mut Canvas<'_>, label: &str, at: Option<Rect>, colour: RGBColor) -> Result<()> {
    let Some(rect) = at else { return Ok(()) };
    canvas.rect(&rect, WHITE, 0.7)?;
    canvas.text(label, rect.centre(), LABEL, Align::Centre, colour)
}

/// Places for a label above and below a line across the panel, from its right end to its left.
fn beside_line(area: &Rect, y: f64, width: f64) -> Vec<Rect> {
    let height = LABEL_HEIGHT;
    let room = (area.width() - width - 8.0).max(0.0);
    let shares = [0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0];
    let places = shares.iter().flat_map(|share| {
        let right = area.right - 4.0 - share * room;
        [y - 1.5 - height, y + 1.5].map(|top| Rect {
            left: right - width,
            top,
            right,
            bottom: top + height,
        })
    });
    places.collect()
}

/// Places for a label to the right of a mark, to its left, above, below, and at its corners.
fn beside_mark((x, y): Xy, width: f64) -> Vec<Rect> {
    let height = LABEL_HEIGHT;
    let away = MARK + 4.5;
    let (right, left, middle) = (x + away, x - away - width, x - width / 2.0);
    let (up, down, level) = (y - away - height + 2.0, y + away - 2.0, y - height / 2.0);
    let corners = [
        (right, level),
        (left, level),
        (middle, up),
        (middle, down),
        (right - 3.0, up + 3.0),
        (right - 3.0, down - 3.0),
        (left + 3.0, up + 3.0),
        (left + 3.0, down - 3.0),
    ];
    let rect = |(left, top)| Rect { left, top, right: left + width, bottom: top + height };
    corners.map(rect).to_vec()
}
