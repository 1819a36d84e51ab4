//! Texts and bars of a picture as SVG, which is then converted to pixels with the font of the
//! program.

use crate::chart::png::Reader;

/// Which end of a text is at its position.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    End,
}

/// A picture under construction; coordinates are pixels.
#[derive(Debug)]
pub(super) struct Svg(String);

impl Svg {
    /// An empty picture.
    pub fn new((width, height): (u32, u32)) -> Self {
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             font-family=\"{}\">",
            Reader::FAMILIES
        ))
    }

    /// One line of text on the baseline `at`, with size and colour of `style`; no `<`, `>` or `&`.
    pub fn text(&mut self, text: &str, at: (f32, f32), style: (u32, &str), anchor: Anchor) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::End => "end",
        };
        let ((x, y), (size, colour)) = (at, style);
        self.push(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\" \
             text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// A filled rectangle; nothing is drawn if its area is 0.
    pub fn rect(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), colour: &str) {
        if width <= 0.0 || height <= 0.0 {
            return;
        }
        self.push(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{colour}\"/>"
        ));
    }

    /// A line through points; nothing is drawn for a single point.
    pub fn curve(&mut self, points: impl Iterator<Item = (f32, f32)>, colour: &str) {
        let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        if points.len() < 2 {
            return;
        }
        let text = points.join(" ");
        self.push(&format!(
            "<polyline points=\"{text}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"
        ));
    }

    /// The complete SVG.
    pub fn finish(mut self) -> String {
        self.0.push_str("</svg>");
        self.0
    }

    fn push(&mut self, part: &str) {
        self.0.push_str(part);
    }
}
