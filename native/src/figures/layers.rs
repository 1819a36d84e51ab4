//! Layers that several figures use.

use super::experiment::{Point, Record};
use super::methods::{BOOTSTRAP_SEED, RESAMPLES};
use crate::chart::{Band, Colour, HorizontalLine, Layer, Line};
use crate::stats::band_over_seeds;

/// A reference value.
pub fn reference(label: impl Into<String>, y: f64) -> Layer {
    Layer::HorizontalLine(HorizontalLine { label: label.into(), y })
}

/// A solid curve.
pub fn line(
    label: impl Into<String>,
    colour: Colour,
    points: impl IntoIterator<Item = (f64, f64)>,
) -> Layer {
    let points = points.into_iter().collect();
    Layer::Line(Line { label: label.into(), colour, points, dashed: false })
}

/// Median of curves over the same positions, with its 95 % bootstrap band.
pub fn banded(label: impl Into<String>, colour: Colour, curves: &[Vec<(f64, f64)>]) -> [Layer; 2] {
    let band = band_over_seeds(curves, RESAMPLES, BOOTSTRAP_SEED);
    [
        Layer::Band(Band { colour, points: band.iter().map(|p| (p.x, p.low, p.high)).collect() }),
        line(label, colour, band.iter().map(|p| (p.x, p.median))),
    ]
}

/// A quantity of each run over its agent steps, from the point with index `first`; 0 is the
/// untrained agent.
pub fn over_training<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    first: usize,
    quantity: impl Fn(&Point) -> f64,
) -> Vec<Vec<(f64, f64)>> {
    let curve = |record: &Record| {
        let points = record.points.iter().skip(first);
        points.map(|point| (point.global_step as f64, quantity(point))).collect()
    };
    records.into_iter().map(curve).collect()
}
