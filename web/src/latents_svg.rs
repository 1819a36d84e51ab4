//! The picture of an agent's latents as an SVG file, with the same marks and labels as on the page.
//!
//! It is made from the numbers, because the canvas may belong to the worker. The file does not
//! depend on the page: it contains all colours.

use std::fmt::Write as _;

use deepspi_playground::protocol::LatentScene;
use deepspi_playground::scene::colour::{Rgb, to_css};
use deepspi_playground::scene::labels::{labels, sides};
use deepspi_playground::scene::picture::{Mark, Shape, marks, star_corners, window};
use deepspi_playground::scene::{Roles, Shot};

use crate::plot::{Axis, text_width, wrap};

/// Margins: on the left for the second axis, above for the title.
const LEFT: f64 = 30.0;
const TOP: f64 = 34.0;
const RIGHT: f64 = 10.0;
/// Size of the picture without margins.
const PLATE: [u32; 2] = [640, 480];
/// Font sizes of title, text, numbers and foot.
const TITLE: f64 = 15.0;
const TEXT: f64 = 13.0;
const NUMBER: f64 = 11.0;
const FOOT: f64 = 10.0;
/// Heights of the colour bar and of a line of the foot.
const BAR: f64 = 12.0;
const FOOT_LINE: f64 = 14.0;

/// The content of a saved picture.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// Title.
    pub title: &'a str,
    /// Labels of the two axes, with their shares of the variance.
    pub axes: [&'a str; 2],
    /// Origin of the numbers.
    pub source: &'a str,
    /// Font of the page.
    pub font: &'a str,
    /// Colours and ranges; its size is not used.
    pub scene: &'a LatentScene,
    /// States with special marks.
    pub roles: Roles,
    /// The points.
    pub shot: &'a Shot,
}

impl Sheet<'_> {
    /// Text of the file and its size in pixels.
    #[must_use]
    pub fn draw(&self) -> (String, [f64; 2]) {
        let scene = LatentScene { size: PLATE, scale: 1.0, ..self.scene.clone() };
        let shot = Shot { range: scene.range, extent: scene.extent, ..self.shot.clone() };
        let [width, height] = PLATE.map(f64::from);
        let foot = wrap(self.source, FOOT, LEFT + width);
        let bottom = TOP + height;
        let legend = bottom + 62.0;
        let size =
            [LEFT + width + RIGHT, (foot.len() as f64).mul_add(FOOT_LINE, legend + BAR + 34.0)];
        let mut file = File::new(self, size);
        file.text([LEFT, 22.0], TITLE, "start", self.title);

        file.line(&format!("<g transform=\"translate({LEFT} {TOP})\">"));
        file.rectangle([0.0, 0.0], [width, height], scene.background);
        for mark in marks(&scene, self.roles, &shot) {
            file.mark(&mark);
        }
        self.names(&mut file, &scene, &shot);
        file.line("</g>");
        file.text([LEFT + 0.5 * width, bottom + 17.0], TEXT, "middle", self.axes[0]);
        file.line(&format!("<g transform=\"translate(18 {}) rotate(-90)\">", TOP + 0.5 * height));
        file.text([0.0, 0.0], TEXT, "middle", self.axes[1]);
        file.line("</g>");

        file.colour_bar([LEFT, legend], 0.42 * width);
        file.shapes([LEFT + 0.48 * width, legend + 0.5 * BAR]);
        for (index, line) in foot.iter().enumerate() {
            let baseline = (index as f64).mul_add(FOOT_LINE, legend + BAR + 38.0);
            file.text([LEFT, baseline], FOOT, "start", line);
        }
        (file.finish(), size)
    }

    /// Writes the names of the critical cells and the numbers along the axes.
    fn names(&self, file: &mut File<'_>, scene: &LatentScene, shot: &Shot) {
        let window = window(scene, shot);
        if !window.is_open() {
            return;
        }
        for tick in window.numbers(0) {
            file.halo([tick.at, f64::from(PLATE[1]) - 6.0], NUMBER, "middle", &tick.label);
        }
        for tick in window.numbers(1) {
            file.halo([5.0, tick.at + 4.0], NUMBER, "start", &tick.label);
        }
        let sides = sides(&window, self.roles, &shot.points);
        for label in labels(&window, self.roles, &shot.points, sides).into_iter().flatten() {
            let [x, y] = label.at.map(f64::from);
            file.halo([x, y + 4.0], TEXT, "middle", label.text);
        }
    }
}

/// A file that is being written. Writing to a string cannot fail, so results are ignored.
struct File<'a> {
    text: String,
    scene: &'a LatentScene,
}

impl<'a> File<'a> {
    fn new(sheet: &Sheet<'a>, [width, height]: [f64; 2]) -> Self {
        let mut file = Self { text: String::new(), scene: sheet.scene };
        file.line(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"{}\">\n<title>{}</title>",
            escape(sheet.font),
            escape(sheet.title),
        ));
        file.rectangle([0.0; 2], [width, height], sheet.scene.background);
        file
    }

    fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }

    fn line(&mut self, markup: &str) {
        self.text.push_str(markup);
        self.text.push('\n');
    }

    fn rectangle(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], fill: Rgb) {
        self.line(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"/>",
            to_css(fill)
        ));
    }

    fn text(&mut self, at: [f64; 2], size: f64, anchor: &str, text: &str) {
        self.write(at, size, anchor, text, "");
    }

    /// A text with an outline, so that it can be read on points and lines.
    fn halo(&mut self, at: [f64; 2], size: f64, anchor: &str, text: &str) {
        let halo = format!(
            " stroke=\"{}\" stroke-width=\"4\" stroke-linejoin=\"round\" paint-order=\"stroke\"",
            to_css(self.scene.background)
        );
        self.write(at, size, anchor, text, &halo);
    }

    fn write(&mut self, [x, y]: [f64; 2], size: f64, anchor: &str, text: &str, more: &str) {
        self.line(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
             fill=\"{}\"{more}>{}</text>",
            to_css(self.scene.outline),
            escape(text)
        ));
    }

    fn mark(&mut self, mark: &Mark) {
        let [[x, y], [to_x, to_y]] = mark.ends;
        let (fill, edge) = (to_css(mark.fill), to_css(mark.edge));
        // The border of a mark lies inside its edge, but SVG draws half of a stroke outside its
        // path.
        let radius = mark.radius - 0.5 * mark.border;
        let look = format!("fill=\"{fill}\" stroke=\"{edge}\" stroke-width=\"{}\"", mark.border);
        self.line(&match mark.shape {
            Shape::Disc => format!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\" {look}/>"),
            Shape::Square => format!(
                "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{side}\" height=\"{side}\" {look}/>",
                x - radius,
                y - radius,
                side = 2.0 * radius,
            ),
            Shape::StarUp | Shape::StarDown => {
                let corners = star_corners([x, y], radius, mark.shape == Shape::StarUp);
                let corners = corners.map(|[x, y]| format!("{x:.2},{y:.2}")).join(" ");
                format!("<polygon points=\"{corners}\" stroke-linejoin=\"round\" {look}/>")
            }
            Shape::Segment => format!(
                "<line x1=\"{x:.2}\" y1=\"{y:.2}\" x2=\"{to_x:.2}\" y2=\"{to_y:.2}\" \
                 stroke=\"{fill}\" stroke-width=\"{}\" stroke-linecap=\"round\"/>",
                2.0 * mark.radius
            ),
        });
    }

    fn colour_bar(&mut self, [x, y]: [f64; 2], width: f64) {
        self.text([x, y - 7.0], NUMBER, "start", "colour: exact value V of the policy in the cell");
        let palette = &self.scene.palette;
        let last = palette.len().saturating_sub(1).max(1);
        let mut stops = String::new();
        for (index, colour) in palette.iter().enumerate() {
            let (offset, colour) = (100.0 * index as f64 / last as f64, to_css(*colour));
            let _written = write!(stops, "<stop offset=\"{offset:.2}%\" stop-color=\"{colour}\"/>");
        }
        self.line(&format!(
            "<defs><linearGradient id=\"values\">{stops}</linearGradient></defs>\n\
             <rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" fill=\"url(#values)\"/>"
        ));
        let [low, high] = self.scene.range.map(f64::from);
        for tick in Axis::between(low, high, [0.0, width], 0.25 * width).ticks() {
            let half = 0.5 * text_width(&tick.label, NUMBER);
            let middle = tick.at.clamp(half, (width - half).max(half));
            self.text([x + middle, y + BAR + 14.0], NUMBER, "middle", &tick.label);
        }
    }

    /// Writes the legend of the shapes.
    fn shapes(&mut self, [x, y]: [f64; 2]) {
        let grey = [0.5; 3];
        let shapes = [
            (Shape::StarUp, 9.0, "upper star"),
            (Shape::StarDown, 9.0, "lower star"),
            (Shape::Square, 6.0, "start"),
            (Shape::Disc, 5.5, "any other cell"),
        ];
        let mut at = x;
        for (shape, radius, name) in shapes {
            #[expect(clippy::cast_possible_truncation, reason = "pixels")]
            let centre = [(at + 8.0) as f32, y as f32];
            let ends = [centre; 2];
            self.mark(&Mark { shape, ends, radius, border: 0.0, fill: grey, edge: grey });
            self.text([at + 20.0, y + 4.0], NUMBER, "start", name);
            at += 32.0 + text_width(name, NUMBER);
        }
    }
}

/// Escapes a text for use as content or attribute value in XML.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use deepspi_playground::scene::colour::viridis;

    use super::*;

    fn sheet(title: &str, points: Vec<[f32; 2]>) -> String {
        let values = (0..points.len()).map(|state| state as f32).collect();
        let shot = Shot { points, values, ..Shot::default() };
        let scene = LatentScene {
            extent: 1.0,
            range: [0.0, 3.0],
            palette: viridis(),
            ..LatentScene::default()
        };
        let sheet = Sheet {
            title,
            axes: ["first component: 62 % of the variance", "second"],
            source: "PPO 1 and PPO 2, seed 1",
            font: "\"DejaVu Sans\", sans-serif",
            scene: &scene,
            roles: Roles { stars: [1, 2], start: 3 },
            shot: &shot,
        };
        let (file, [width, height]) = sheet.draw();
        assert!(file.contains(&format!("viewBox=\"0 0 {width} {height}\"")), "{file}");
        file
    }

    #[test]
    fn every_state_is_drawn_with_names_axes_and_source() {
        let points = vec![[0.0, 0.0], [0.5, 0.5], [-0.5, 0.5], [0.0, -0.5], [0.9, 0.1]];
        let file = sheet("Latents of PPO", points);
        // Two states are discs, and the legend has one more.
        assert_eq!(file.matches("<circle").count(), 2 + 1);
        assert_eq!(file.matches("<polygon").count(), 2 + 2);
        for text in ["upper star", "lower star", ">start<", "62 %", "seed 1", "Latents of PPO"] {
            assert!(file.contains(text), "{text} is missing in {file}");
        }
    }

    #[test]
    fn texts_are_no_markup_and_an_empty_picture_is_whole() {
        let file = sheet("<b> & \"c\"", Vec::new());
        assert!(file.contains("&lt;b&gt; &amp; &quot;c&quot;") && !file.contains("<b>"));
        assert!(file.ends_with("</svg>\n"));
    }
}
