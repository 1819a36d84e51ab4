//! The one font of all figures, and the size of a text in it.
//!
//! The font is part of the program, so a machine without fonts draws the same picture, and labels
//! can be measured before anything is placed. DejaVu is a wide font: a viewer of the SVG that lacks
//! it uses another font, which needs less space and not more.

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// Font families for viewers of the SVG: the measured one first, the most general one last.
pub(super) const FAMILIES: &str = "DejaVu Sans, Verdana, sans-serif";

/// Weight of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Size and weight of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Type {
    /// Height of the font in pixels.
    pub size: f64,
    pub weight: Weight,
}

impl Type {
    pub const fn regular(size: f64) -> Self {
        Self { size, weight: Weight::Regular }
    }

    pub const fn bold(size: f64) -> Self {
        Self { size, weight: Weight::Bold }
    }

    /// Distance from one line of text to the next.
    pub fn line_height(self) -> f64 {
        (self.size * 1.3).ceil()
    }

    /// Width of a text on one line, in pixels.
    pub fn width(self, text: &str) -> f64 {
        // An unknown character is drawn as a box of about this width.
        let unknown = self.size * 0.6;
        let Ok(font) = FontRef::new(bytes(self.weight)) else {
            return unknown * text.chars().count() as f64;
        };
        let glyphs = font.charmap();
        let metrics = font.glyph_metrics(Size::new(self.size as f32), LocationRef::default());
        text.chars()
            .map(|letter| {
                let advance = glyphs.map(letter).and_then(|glyph| metrics.advance_width(glyph));
                advance.map_or(unknown, f64::from)
            })
            .sum()
    }

    /// Lines that fit into `width`, broken at spaces. Only a word that is longer than `width`
    /// exceeds it.
    pub fn wrap(self, text: &str, width: f64) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split_whitespace() {
                let longer =
                    if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if line.is_empty() || self.width(&longer) <= width {
                    line = longer;
                } else {
                    lines.push(std::mem::replace(&mut line, word.to_owned()));
                }
            }
            if !line.is_empty() {
                lines.push(line);
            }
        }
        lines
    }

    /// Width of the longest line.
    pub fn widest<'a>(self, lines: impl IntoIterator<Item = &'a String>) -> f64 {
        lines.into_iter().map(|line| self.width(line)).fold(0.0, f64::max)
    }
}

/// The font file.
pub(super) fn bytes(weight: Weight) -> &'static [u8] {
    match weight {
        Weight::Regular => dejavu::sans::regular(),
        Weight::Bold => dejavu::sans::bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_read() {
        let text = Type::regular(10.0);
        // Every digit of this font is 1303 of 2048 units wide.
        assert!((text.width("00") - 2.0 * 10.0 * 1303.0 / 2048.0).abs() < 0.02);
        assert!(Type::bold(10.0).width("policy") > text.width("policy"));
    }

    #[test]
    fn long_text_becomes_lines_without_losing_words() {
        let text = "the quick brown fox jumps over the lazy dog";
        let lines = Type::regular(12.0).wrap(text, 100.0);
        assert!(lines.len() > 2);
        assert!(lines.iter().all(|line| Type::regular(12.0).width(line) <= 100.0));
        assert_eq!(lines.join(" "), text);
    }
}
