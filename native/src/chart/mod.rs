//! Figures: described as data, drawn as SVG, and converted from that SVG to PNG.
//!
//! The same figure gives the same bytes on every machine: the font is part of the program, and
//! nothing depends on time, threads or chance. What must not be broken: no label is cut off, no
//! legend covers data, and a value that is not finite spoils nothing but itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::whole_file::write_whole;

mod axis;
mod canvas;
mod colour;
mod colour_bar;
mod figure;
mod geometry;
mod layers;
mod layout;
mod legend;
mod panel;
mod placement;
pub(crate) mod png;
mod scales;
pub mod table;
mod text;

pub use colour::Colour;
pub use figure::{
    Axis, Band, Cell, ColourScale, Figure, Heatmap, HorizontalLine, Layer, Line, Mark, Marker,
    Panel, Points, Scale, Scatter, Segment, Spot,
};

/// A figure as SVG.
///
/// # Errors
/// If the drawing library fails; values that are not finite are no error.
pub fn svg(figure: &Figure) -> Result<String> {
    layout::draw(figure)
}

/// Writes a figure as `stem` with `.svg` and with `.png` appended, each file whole or not at all;
/// returns the two paths.
///
/// # Errors
/// If the folder cannot be written; the message names the file.
pub fn write(figure: &Figure, stem: &Path) -> Result<Vec<PathBuf>> {
    let path = |ending: &str| {
        // Not `with_extension`, which would cut off the end of a name like `lr_0.001`.
        let mut name = stem.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let cannot = || format!("cannot draw {}", stem.display());
    let svg = svg(figure).with_context(cannot)?;
    let png = png::png(&svg).with_context(cannot)?;
    let paths = vec![path(".svg"), path(".png")];
    for (path, bytes) in paths.iter().zip([svg.as_bytes(), &png]) {
        write_whole(path, bytes)?;
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: Vec<(f64, f64)>) -> Layer {
        Layer::Line(Line {
            label: "DeepSPI".into(),
            colour: Colour::DEEP_SPI,
            points,
            dashed: true,
        })
    }

    fn figure(layers: Vec<Layer>) -> Figure {
        let panel = Panel { title: "panel".into(), layers, legend: true, ..Panel::default() };
        Figure { title: "figure".into(), panels: vec![panel], ..Figure::default() }
    }

    #[test]
    fn the_same_figure_gives_the_same_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let figure = figure(vec![line(vec![(0.0, 1.0), (1.0, 2.0)])]);
        let read = |name: &str| {
            let paths = write(&figure, &folder.path().join(name)).expect("a figure");
            paths.iter().map(|path| std::fs::read(path).expect("written")).collect::<Vec<_>>()
        };
        assert_eq!(read("lr_0.001"), read("b"));
        assert!(folder.path().join("lr_0.001.svg").exists());
        assert!(folder.path().join("lr_0.001.png").exists());
    }

    #[test]
    fn what_cannot_be_drawn_is_no_error() {
        let nan = f64::NAN;
        let band = |low| Layer::Band(Band { colour: Colour::PPO, points: vec![(0.0, low, nan)] });
        let reference = HorizontalLine { label: "random".into(), y: 1.0 };
        let cases = [
            vec![],
            vec![line(vec![])],
            vec![line(vec![(nan, 1.0), (1.0, f64::INFINITY)]), band(nan)],
            vec![Layer::HorizontalLine(reference)],
        ];
        for layers in cases {
            let svg = layout::draw(&figure(layers.clone())).expect("a figure");
            assert!(svg.contains("no data") && !svg.contains("NaN"), "{layers:?}");
        }
        let nothing = Figure { columns: 3, ..Figure::default() };
        assert!(layout::draw(&nothing).expect("a figure").contains("</svg>"));
    }

    #[test]
    fn equal_values_and_single_points_are_drawn() {
        for points in [vec![(1.0, 5.0)], vec![(0.0, 0.0), (1.0, 0.0)]] {
            let svg = layout::draw(&figure(vec![line(points)])).expect("a figure");
            assert!(!svg.contains("no data") && !svg.contains("NaN"));
        }
    }
}
