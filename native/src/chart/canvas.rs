//! The SVG, in pixels with fractions.
//!
//! plotters' SVG back end uses whole units. So that curves are not drawn as staircases, one pixel
//! is `UNITS` of them, and the size in the head of the file is corrected afterwards. The axes and
//! legends of plotters are not used, because they cut off labels and draw the legend over the data.

use anyhow::{Context, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::geometry::{Rect, Xy, dashes};
use super::text::{FAMILIES, Type, Weight};

const UNITS: f64 = 10.0;

/// plotters divides font sizes by this when it writes them.
const FONT_SIZE: f64 = 1.24;

/// plotters writes a text that is anchored at its top as if the font had this height above its
/// baseline.
const ASCENT: f64 = 0.76;

/// How a line looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub colour: RGBColor,
    /// Width in pixels.
    pub width: f64,
    pub dashed: bool,
}

impl Stroke {
    pub const fn solid(colour: RGBColor, width: f64) -> Self {
        Self { colour, width, dashed: false }
    }
}

/// The part of a text that is at the given position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// A picture being drawn.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Draws a picture of the given size, in pixels, and returns it as SVG.
pub(super) fn svg(
    size: (f64, f64),
    draw: impl FnOnce(&mut Canvas<'_>) -> Result<()>,
) -> Result<String> {
    let (width, height) = (size.0.ceil() as u32, size.1.ceil() as u32);
    let units = (width * UNITS as u32, height * UNITS as u32);
    let mut text = String::new();
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut text, units) };
    draw(&mut canvas)?;
    canvas.backend.present()?;
    drop(canvas);
    let drawn = format!("width=\"{}\" height=\"{}\"", units.0, units.1);
    let (head, body) =
        text.split_once(&drawn).context("plotters wrote an SVG without the size expected")?;
    Ok(format!("{head}width=\"{width}\" height=\"{height}\"{body}"))
}

impl Canvas<'_> {
    pub fn line(&mut self, from: Xy, to: Xy, stroke: Stroke) -> Result<()> {
        self.curve(&[from, to], stroke)
    }

    pub fn curve(&mut self, points: &[Xy], stroke: Stroke) -> Result<()> {
        let width = (stroke.width * UNITS).round() as u32;
        let style = stroke.colour.stroke_width(width);
        let parts = if stroke.dashed {
            dashes(points, stroke.width * 4.0, stroke.width * 2.5)
        } else {
            vec![points.to_vec()]
        };
        for part in parts {
            match part[..] {
                [from, to] => self.backend.draw_line(units(from), units(to), &style)?,
                _ => self.backend.draw_path(part.into_iter().map(units), &style)?,
            }
        }
        Ok(())
    }

    pub fn area(&mut self, points: &[Xy], colour: RGBColor, opacity: f64) -> Result<()> {
        let style = colour.mix(opacity).filled();
        Ok(self.backend.fill_polygon(points.iter().copied().map(units), &style)?)
    }

    pub fn rect(&mut self, rect: &Rect, colour: RGBColor, opacity: f64) -> Result<()> {
        let corners = (units((rect.left, rect.top)), units((rect.right, rect.bottom)));
        Ok(self.backend.draw_rect(corners.0, corners.1, &colour.mix(opacity).filled(), true)?)
    }

    pub fn frame(&mut self, rect: &Rect, stroke: Stroke) -> Result<()> {
        // The first side is repeated so that the last corner is filled too.
        let corners = [
            (rect.left, rect.top),
            (rect.right, rect.top),
            (rect.right, rect.bottom),
            (rect.left, rect.bottom),
            (rect.left, rect.top),
            (rect.right, rect.top),
        ];
        self.curve(&corners, stroke)
    }

    pub fn disc(&mut self, centre: Xy, radius: f64, colour: RGBColor) -> Result<()> {
        let radius = (radius * UNITS).round() as u32;
        Ok(self.backend.draw_circle(units(centre), radius, &colour.filled(), true)?)
    }

    /// One line of text, vertically centred on `at`.
    pub fn text(
        &mut self,
        text: &str,
        at: Xy,
        style: Type,
        align: Align,
        colour: RGBColor,
    ) -> Result<()> {
        // The anchor of plotters is `ASCENT` above the baseline. Digits and capitals reach as far
        // above their centre as the baseline is below it.
        let hang = style.size * (ASCENT - CAPITAL / 2.0);
        self.put(text, (at.0, at.1 - hang), style, align, colour, FontTransform::None)
    }

    /// One line of text that reads upwards, with its middle at `at`.
    pub fn text_upwards(
        &mut self,
        text: &str,
        at: Xy,
        style: Type,
        align: Align,
        colour: RGBColor,
    ) -> Result<()> {
        let hang = style.size * (ASCENT - CAPITAL / 2.0);
        self.put(text, (at.0 - hang, at.1), style, align, colour, FontTransform::Rotate270)
    }

    fn put(
        &mut self,
        text: &str,
        at: Xy,
        style: Type,
        align: Align,
        colour: RGBColor,
        transform: FontTransform,
    ) -> Result<()> {
        let weight = match style.weight {
            Weight::Regular => FontStyle::Normal,
            Weight::Bold => FontStyle::Bold,
        };
        let side = match align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let font = FontDesc::new(
            FontFamily::Name(FAMILIES),
            (style.size * UNITS).round() * FONT_SIZE,
            weight,
        );
        let style = TextStyle::from(font.transform(transform))
            .color(&colour)
            .pos(Pos::new(side, VPos::Top));
        Ok(self.backend.draw_text(text, &style, units(at))?)
    }
}

/// Height of capitals and digits of the font, in font sizes.
const CAPITAL: f64 = 0.729;

fn units((x, y): Xy) -> (i32, i32) {
    ((x * UNITS).round() as i32, (y * UNITS).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_size_in_pixels_and_fractions_inside() {
        let text = svg((20.0, 10.0), |canvas| {
            canvas.line((0.5, 1.0), (2.0, 3.0), Stroke::solid(BLACK, 1.5))?;
            canvas.text("a < b", (1.0, 5.0), Type::bold(10.0), Align::Left, BLACK)
        })
        .expect("a picture");
        assert!(text.starts_with("<svg width=\"20\" height=\"10\" viewBox=\"0 0 200 100\""));
        assert!(text.contains("stroke-width=\"15\" x1=\"5\" y1=\"10\""));
        assert!(text.contains("font-size=\"100\"") && text.contains("font-weight=\"bold\""));
        assert!(text.contains("a &lt; b"));
    }
}
