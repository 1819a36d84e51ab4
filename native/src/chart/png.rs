//! Converts SVG to pixels with the font of the program. The PNG of a figure is made from its SVG,
//! so that the two cannot differ; the texts of recorded games are made here as well.

use std::sync::Arc;

use anyhow::{Context, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::text::{FAMILIES, Weight, bytes};

/// Pixels of the PNG per pixel of the SVG; 2 is sharp on dense screens and in print.
const SCALE: f32 = 2.0;

/// The bytes of a PNG.
pub(super) fn png(svg: &str) -> Result<Vec<u8>> {
    let tree = Reader::new().tree(svg)?;
    let size = tree.size().to_int_size().scale_by(SCALE).context("the figure is too large")?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).context("the figure is too large for a PNG")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().context("cannot encode the PNG")
}

/// Reads SVG and lays out its texts in the font of the program only.
#[derive(Debug)]
pub(crate) struct Reader(Options<'static>);

impl Reader {
    /// The font families that an SVG must ask for.
    pub const FAMILIES: &'static str = FAMILIES;

    pub fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        for weight in [Weight::Regular, Weight::Bold] {
            fonts.load_font_data(bytes(weight).to_vec());
        }
        Self(Options { fontdb: Arc::new(fonts), ..Options::default() })
    }

    pub fn tree(&self, svg: &str) -> Result<Tree> {
        Tree::from_str(svg, &self.0).context("the SVG of the figure is not valid")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_drawn_without_fonts_of_the_machine() {
        let svg = |text: &str| {
            format!(
                "<svg width=\"40\" height=\"20\" xmlns=\"http://www.w3.org/2000/svg\">\
                 <text x=\"2\" y=\"15\" font-family=\"{}\">{text}</text></svg>",
                FAMILIES
            )
        };
        let (empty, word) = (png(&svg("")).expect("a PNG"), png(&svg("PPO")).expect("a PNG"));
        assert!(word.len() > empty.len() + 50, "the word has left pixels");
        assert_eq!(word, png(&svg("PPO")).expect("a PNG"), "same figure, same bytes");
    }
}
