//! The picture of one step: the game on the left, the agent's observation on the right, its values
//! and its policy below. Everything belongs to one transition: state, action, reward, and U.

use anyhow::{Context, Result};
use deepspi_run::config::Auxiliary;
use deepspi_worlds::atari::{FRAME_HEIGHT, FRAME_WIDTH, OBS_SIDE, action_name};
use resvg::tiny_skia::{Pixmap, PremultipliedColorU8, Transform};

use super::recording::{Moment, Recording, points};
use super::svg::{Anchor, Svg};
use crate::chart::png::Reader;
use crate::evaluate::agent::Agent;

/// Colours that are not in the game's palette, for a film with a fixed palette.
pub(super) const COLOURS: [&str; 8] =
    [BACKGROUND, TRACK, FAINT, TEXT, CHOSEN, BAR, POSITIVE, NEGATIVE];
const BACKGROUND: &str = "#15181d";
const TRACK: &str = "#2a2f37";
const FAINT: &str = "#9aa3ad";
const TEXT: &str = "#eceff3";
const CHOSEN: &str = "#f2a33a";
const BAR: &str = "#4f9dea";
const POSITIVE: &str = "#46b36b";
const NEGATIVE: &str = "#e2604f";

const WIDTH: u32 = 704;
const MARGIN: f32 = 16.0;
/// Left edge of the right half; the left half ends a margin before it.
const RIGHT: f32 = 352.0;
/// Right edge of the right half.
const END: f32 = WIDTH as f32 - MARGIN;
/// Upper edge of the images.
const TOP: usize = 48;
/// Enlargement of the game.
const GAME_SCALE: usize = 2;
/// Enlargement of the observation.
const SEEN_SCALE: usize = 4;
/// Upper and lower edge of the curve of V.
const CURVE: (f32, f32) = (408.0, 466.0);
/// Number of steps in that curve: 8 s.
const CURVE_STEPS: usize = 120;
/// First baseline of the bars.
const BARS: f32 = 492.0;
/// Distance from one bar to the next.
const ROW: f32 = 20.0;
/// Baseline of the caption of the policy.
const POLICY: f32 = 582.0;
/// Largest number of actions in a row.
const COLUMNS: usize = 3;

/// Distance between two columns of actions.
const GUTTER: f32 = 22.0;
/// Width for the name of an action.
const NAME: f32 = 112.0;

/// Draws the steps of a recording.
#[derive(Debug)]
pub(super) struct Painter<'a> {
    recording: &'a Recording,
    reader: Reader,
    /// The parts that are the same in every step.
    empty: Pixmap,
    actions: Vec<&'static str>,
    /// Largest magnitudes of V, and of A and U, so that bars have the same scale in all pictures.
    largest: [f32; 2],
    /// Lowest and highest V.
    range: (f32, f32),
}

impl<'a> Painter<'a> {
    /// A painter for all steps of a recording.
    ///
    /// # Errors
    /// If the picture cannot be made; this does not happen with a recorded game.
    pub fn new(agent: &Agent, recording: &'a Recording) -> Result<Self> {
        let ids = recording.actions.iter();
        let actions: Vec<_> = ids.map(|&id| action_name(id).words).collect();
        let values = recording.moments.iter().map(|moment| moment.value);
        let range = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let judged = recording.view.advantage.iter().chain(&recording.view.utility);
        let judged = judged.fold(0.0_f32, |most, x| most.max(x.abs()));
        let largest = [range.0.abs().max(range.1.abs()), judged];

        let size = size(actions.len());
        let mut empty = Pixmap::new(size.0, size.1).context("the picture is too large")?;
        let reader = Reader::new();
        render(&reader, fixed(agent, recording.clipped, size), &mut empty)?;
        Ok(Self { recording, reader, empty, actions, largest, range })
    }

    /// Width and height in pixels, both even.
    pub fn size(&self) -> (u32, u32) {
        (self.empty.width(), self.empty.height())
    }

    /// The picture of a step.
    ///
    /// # Errors
    /// If it cannot be drawn; this does not happen with a recorded game.
    pub fn paint(&self, step: usize) -> Result<Pixmap> {
        let moment = self.recording.moments.get(step).context("there is no such step")?;
        let mut picture = self.empty.clone();
        let palette = &self.recording.palette;
        let colour = |index: u8| palette[usize::from(index >> 1)];
        let screen = (&moment.screen[..], FRAME_WIDTH, FRAME_HEIGHT);
        enlarge(&mut picture, MARGIN as usize, GAME_SCALE, screen, colour);
        let seen = (&moment.seen[..], OBS_SIDE, OBS_SIDE);
        enlarge(&mut picture, RIGHT as usize, SEEN_SCALE, seen, |gray| [gray; 3]);

        let mut svg = Svg::new(self.size());
        let status =
            format!("step {step} · score {} · lives {}", points(moment.score), moment.lives.max(0));
        svg.text(&status, (END, 24.0), (14, TEXT), Anchor::End);
        self.curve(&mut svg, step);
        self.judgement(&mut svg, step, moment);
        self.policy(&mut svg, moment);
        render(&self.reader, svg, &mut picture)?;
        Ok(picture)
    }

    /// Draws V over the last seconds.
    fn curve(&self, svg: &mut Svg, step: usize) {
        let first = (step + 1).saturating_sub(CURVE_STEPS);
        let (low, high) = self.range;
        let (width, height) = (END - RIGHT, CURVE.1 - CURVE.0 - 4.0);
        let points = self.recording.moments[first..=step].iter().enumerate().map(|(i, moment)| {
            let share = (moment.value - low) / (high - low).max(1e-6);
            let x = RIGHT + width * i as f32 / (CURVE_STEPS - 1) as f32;
            (x, CURVE.1 - 2.0 - height * share)
        });
        svg.curve(points, BAR);
    }

    /// Draws V, A, U and the rewards.
    fn judgement(&self, svg: &mut Svg, step: usize, moment: &Moment) {
        let view = &self.recording.view;
        let (advantage, utility) = (view.advantage[step], view.utility[step]);
        let left = [
            (moment.value, self.largest[0]),
            (advantage, self.largest[1]),
            (utility, self.largest[1]),
        ];
        let predicted = self.recording.predicted.as_ref().map(|all| all[step]);
        let right = [(Some(moment.reward), 1.0), (predicted, 1.0)];
        for (row, (value, largest)) in left.into_iter().enumerate() {
            bar(svg, (MARGIN, RIGHT - MARGIN), row, value, largest);
        }
        for (row, (value, largest)) in right.into_iter().enumerate() {
            match value {
                Some(value) => bar(svg, (RIGHT, END), row, value, largest),
                None => {
                    let at = (END, BARS + row as f32 * ROW);
                    svg.text("no world model", at, (12, FAINT), Anchor::End);
                }
            }
        }
        if let Some(losses) = &view.losses {
            let text =
                format!("l_R {:.4} · l_P {:.2}", losses.reward[step], losses.transition[step]);
            svg.text(&text, (END, BARS + 2.0 * ROW), (12, TEXT), Anchor::End);
        }
    }

    /// Draws the probabilities of all actions.
    fn policy(&self, svg: &mut Svg, moment: &Moment) {
        let rows = self.actions.len().div_ceil(COLUMNS);
        let columns = self.actions.len().div_ceil(rows.max(1)).max(1);
        let width = (END - MARGIN + GUTTER) / columns as f32;
        let track = width - GUTTER - NAME - 42.0;
        let named = self.actions.iter().zip(&moment.probabilities).enumerate();
        for (action, (name, &probability)) in named {
            let x = MARGIN + width * (action / rows) as f32;
            let y = POLICY + ROW * (1 + action % rows) as f32;
            let chosen = action == moment.action;
            let (text, bar) = if chosen { (CHOSEN, CHOSEN) } else { (TEXT, BAR) };
            svg.text(name, (x, y), (12, text), Anchor::Start);
            svg.rect((x + NAME, y - 10.0), (track, 12.0), TRACK);
            svg.rect((x + NAME, y - 10.0), (track * probability, 12.0), bar);
            let share = format!("{:.0} %", 100.0 * probability);
            svg.text(&share, (x + width - GUTTER, y), (12, text), Anchor::End);
        }
    }
}

/// Size of a picture, with space for the policy at the bottom.
fn size(actions: usize) -> (u32, u32) {
    let height = POLICY as u32 + ROW as u32 * actions.div_ceil(COLUMNS) as u32 + 14;
    (WIDTH, height.next_multiple_of(2))
}

/// Draws background, headings and names.
fn fixed(agent: &Agent, clipped: bool, size: (u32, u32)) -> Svg {
    let mut svg = Svg::new(size);
    svg.rect((0.0, 0.0), (size.0 as f32, size.1 as f32), BACKGROUND);
    svg.text(&agent.title(), (MARGIN, 24.0), (14, TEXT), Anchor::Start);
    let frame = agent.spec.frame;
    let which = match frame.channels {
        1 => "one frame".to_owned(),
        more => format!("the newest of {more} frames"),
    };
    let seen = format!("what the agent sees: {which}, {} x {}", frame.height, frame.width);
    for (text, at) in [
        ("the game", (MARGIN, 42.0)),
        (seen.as_str(), (RIGHT, 42.0)),
        ("V(s), the last 8 s", (RIGHT, CURVE.0 - 6.0)),
        ("policy; the action taken is orange", (MARGIN, POLICY)),
    ] {
        svg.text(text, at, (12, FAINT), Anchor::Start);
    }
    svg.rect((RIGHT, CURVE.0), (END - RIGHT, CURVE.1 - CURVE.0), TRACK);
    let advantage = if agent.config.norm_adv { "A, normalised" } else { "advantage A" };
    for (row, name) in ["value V(s)", advantage, "utility U"].into_iter().enumerate() {
        svg.text(name, (MARGIN, BARS + row as f32 * ROW), (12, TEXT), Anchor::Start);
    }
    let model = if agent.config.uses_world_model() { "losses of the model" } else { "" };
    let reward = if clipped { "reward (clipped)" } else { "reward" };
    for (row, name) in [reward, "predicted", model].into_iter().enumerate() {
        svg.text(name, (RIGHT, BARS + row as f32 * ROW), (12, TEXT), Anchor::Start);
    }
    let at = (MARGIN, BARS + 3.0 * ROW + 2.0);
    svg.text(&formula(agent), at, (12, FAINT), Anchor::Start);
    svg
}

/// The definition of U for this agent; U is multiplied with the clipped ratio.
fn formula(agent: &Agent) -> String {
    let (reward, transition) = agent.config.auxiliary_coefficients();
    let name = agent.config.algo.name();
    match (agent.config.uses_world_model(), agent.config.algo.info().auxiliary) {
        (true, Auxiliary::InsideClip) => {
            format!("U = A - {reward} l_R - {transition} l_P: what {name} improves")
        }
        (true, Auxiliary::OutsideClip) => {
            format!("U = A: {name} keeps l_R and l_P outside the clip")
        }
        (true, Auxiliary::Absent) | (false, _) => format!("U = A: {name} has no world model"),
    }
}

/// A signed bar with its number, within the half between two edges.
fn bar(svg: &mut Svg, (left, right): (f32, f32), row: usize, value: f32, largest: f32) {
    let y = BARS + row as f32 * ROW;
    let (left, width) = (left + 116.0, 140.0);
    svg.rect((left, y - 10.0), (width, 12.0), TRACK);
    let middle = left + width / 2.0;
    let length = width / 2.0 * (value.abs() / largest.max(1e-6)).min(1.0);
    let (start, colour) =
        if value < 0.0 { (middle - length, NEGATIVE) } else { (middle, POSITIVE) };
    svg.rect((start, y - 10.0), (length, 12.0), colour);
    svg.rect((middle - 0.5, y - 11.0), (1.0, 14.0), FAINT);
    // A minus sign before a number shown as zero would be misleading.
    let shown = if value.abs() < 0.0005 { 0.0 } else { value };
    svg.text(&format!("{shown:.3}"), (right, y), (12, TEXT), Anchor::End);
}

fn render(reader: &Reader, svg: Svg, picture: &mut Pixmap) -> Result<()> {
    let tree = reader.tree(&svg.finish())?;
    resvg::render(&tree, Transform::identity(), &mut picture.as_mut());
    Ok(())
}

/// Copies an image (pixels, width, height) with its upper left corner at `(left, TOP)`, every pixel
/// `scale` times `scale` large.
fn enlarge(
    picture: &mut Pixmap,
    left: usize,
    scale: usize,
    (pixels, width, height): (&[u8], usize, usize),
    colour: impl Fn(u8) -> [u8; 3],
) {
    let row_length = picture.width() as usize;
    let target = picture.pixels_mut();
    for y in 0..height * scale {
        let source = &pixels[y / scale * width..][..width];
        let row = &mut target[(TOP + y) * row_length + left..][..width * scale];
        for (pixels, &source) in row.chunks_mut(scale).zip(source) {
            let [red, green, blue] = colour(source);
            if let Some(pixel) = PremultipliedColorU8::from_rgba(red, green, blue, u8::MAX) {
                pixels.fill(pixel);
            }
        }
    }
}
