//! The picture of a maze with an agent's values, as colours and numbers, and its policy, as arrows.

use deepspi_playground::axis::Axis;
use deepspi_plot::number;
use deepspi_run::maze::MazeReport;
use deepspi_worlds::maze::{ACTIONS, Action, Maze, Tile};

use super::colour::{SHADES, ink_on, shade, shade_of};
use super::pen::Pen;
use super::{Area, Picture};

/// Smallest sides of a cell in pixels with numbers, with letters and with words.
const WITH_NUMBER: f64 = 38.0;
const WITH_MARK: f64 = 24.0;
const WITH_WORD: f64 = 54.0;
/// Number of rows, the same in every maze.
const ROWS: usize = 5;
/// Number of strengths in which arrows are drawn, by probability.
const STRENGTHS: usize = 6;
/// An action with a smaller probability has no arrow.
const VISIBLE: f64 = 0.02;

/// A maze with the report of an agent.
#[derive(Clone, Debug)]
pub struct MazePlot<'a> {
    /// Title.
    pub title: &'a str,
    /// The maze.
    pub maze: &'a Maze,
    /// The agent's report; none if there is none yet.
    pub report: Option<&'a MazeReport>,
    /// The axis of the colour scale.
    pub scale: &'a Axis,
    /// The selected state, if one is to be marked.
    pub selected: Option<usize>,
    /// Largest side of a cell in pixels.
    pub largest: f64,
    /// Width of the picture.
    pub width: f64,
}

impl MazePlot<'_> {
    /// A colour scale for these values, with round ends. It goes up to `best`, the largest possible
    /// value, and down to 0 or to the lowest value, but not below `-best`: the value of one trap
    /// would make all other cells the same colour.
    pub fn scale(values: impl Iterator<Item = f64>, best: f64) -> Axis {
        let lowest = values.filter(|x| x.is_finite()).fold(0.0, f64::min);
        Axis::linear([lowest.max(-best), best].into_iter(), [0.0, 1.0], 0.25)
    }

    /// Draws the maze.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let (mut picture, baseline) = Picture::titled(self.title, self.width);
        let top = picture.colour_bar(baseline, "value V", self.scale) + 12.0;
        let side = (self.width / self.maze.columns() as f64).min(self.largest);
        let [width, height] = [self.maze.columns() as f64 * side, ROWS as f64 * side];
        picture.area = Area { left: 0.0, top, right: width, bottom: top + height };
        picture.size = [self.width, top + height + 2.0];
        let mut walls = Pen::new();
        walls.rectangle([0.0, top], [width, height]);
        picture.stroke("wall", walls);
        self.floor(&mut picture);
        self.arrows(&mut picture, side);
        self.words(&mut picture, side);
        if let Some(selected) = self.selected {
            let (corner, mut pen) = (self.corner(&picture, selected), Pen::new());
            pen.rectangle(corner, [side, side]);
            picture.stroke("selected", pen);
        }
        picture.summary = self.summary();
        picture
    }

    /// Upper left corner of a state's cell.
    #[must_use]
    pub fn corner(&self, picture: &Picture, state: usize) -> [f64; 2] {
        let (row, column) = self.maze.cell(state);
        let side = picture.area.width() / self.maze.columns() as f64;
        [picture.area.left + column as f64 * side, picture.area.top + row as f64 * side]
    }

    /// Colour of a state's value; none for a state without a value.
    fn shade(&self, state: usize) -> Option<usize> {
        let value = *self.report?.values.get(state)?;
        let shown = !self.maze.tile(state).is_terminal() && value.is_finite();
        shown.then(|| shade_of(self.scale.at(value)))
    }

    fn floor(&self, picture: &mut Picture) {
        let side = picture.area.width() / self.maze.columns() as f64;
        let mut shades = vec![Pen::new(); SHADES];
        let mut plain = Pen::new();
        for state in 0..self.maze.states() {
            let pen = self.shade(state).map_or(&mut plain, |shade| &mut shades[shade]);
            let [x, y] = self.corner(picture, state);
            pen.rectangle([x + 0.5, y + 0.5], [side - 1.0, side - 1.0]);
        }
        picture.stroke("plain", plain);
        for (index, pen) in shades.into_iter().enumerate() {
            picture.coloured("patch", pen, shade(index));
        }
    }

    /// Draws triangles, which are longer and stronger for more probable actions.
    fn arrows(&self, picture: &mut Picture, side: f64) {
        let Some(report) = self.report else { return };
        let inks = ["#000000", "#ffffff"];
        let mut pens = vec![Pen::new(); inks.len() * STRENGTHS];
        for state in 0..self.maze.states() {
            let Some(shade) = self.shade(state) else { continue };
            let ink = usize::from(ink_on(shade) == inks[1]);
            let [x, y] = self.corner(picture, state);
            // The centre is lower if the cell has a number.
            let lower = if side >= WITH_NUMBER { 0.56 } else { 0.5 };
            let centre = [x + 0.5 * side, y + lower * side];
            for action in Action::ALL {
                let Some(p) = report.policy.get(state * ACTIONS + action as usize) else {
                    continue;
                };
                if *p >= VISIBLE {
                    let strength = strength_of(*p);
                    triangle(&mut pens[ink * STRENGTHS + strength], centre, action, *p, side);
                }
            }
        }
        for (index, pen) in pens.into_iter().enumerate() {
            picture.coloured(ARROWS[index % STRENGTHS], pen, inks[index / STRENGTHS]);
        }
    }

    fn words(&self, picture: &mut Picture, side: f64) {
        for state in 0..self.maze.states() {
            let [x, y] = self.corner(picture, state);
            let colour = self.shade(state).map(ink_on);
            if side >= WITH_NUMBER
                && let Some((report, _)) = self.report.zip(colour)
            {
                let text = number(report.values[state]);
                picture.label("cell-value", [x + 4.0, y + 13.0], text).colour = colour;
            }
            let tile = self.maze.tile(state);
            if side < WITH_MARK {
                continue;
            }
            if tile.is_terminal() {
                let at = [x + 0.5 * side, y + 0.5 * side + 5.0];
                picture.label("cell-end", at, mark(tile, side));
            } else if tile != Tile::Corridor {
                let at = [x + side - 4.0, y + side - 5.0];
                picture.label("cell-mark", at, mark(tile, side)).colour = colour;
            }
        }
    }

    fn summary(&self) -> String {
        match self.report {
            None => format!("{}. The agent is not there yet.", self.title),
            Some(report) => {
                let [upper, lower] = report.up_at_stars(self.maze).map(|p| 100.0 * p);
                format!(
                    "{}. Value at the start {}. Probability of going up: {upper:.0} % at the upper \
                     star, {lower:.0} % at the lower star.",
                    self.title,
                    number(report.start_value),
                )
            }
        }
    }
}

/// CSS classes of the arrows, weakest first.
const ARROWS: [&str; STRENGTHS] =
    ["arrow-1", "arrow-2", "arrow-3", "arrow-4", "arrow-5", "arrow-6"];

fn strength_of(p: f64) -> usize {
    (p * STRENGTHS as f64).clamp(0.0, STRENGTHS as f64 - 1.0) as usize
}

fn triangle(pen: &mut Pen, [x, y]: [f64; 2], action: Action, p: f64, side: f64) {
    let (dx, dy) = match action {
        Action::Up => (0.0, -1.0),
        Action::Down => (0.0, 1.0),
        Action::Left => (-1.0, 0.0),
        Action::Right => (1.0, 0.0),
    };
    let (foot, tip, half) = (0.05 * side, (0.13 + 0.25 * p) * side, (0.04 + 0.04 * p) * side);
    let at = |along: f64, across: f64| [x + dx * along - dy * across, y + dy * along + dx * across];
    pen.polygon(&[at(foot, -half), at(tip, 0.0), at(foot, half)]);
}

/// The paper's letter for a cell, with its meaning if there is room.
fn mark(tile: Tile, side: f64) -> &'static str {
    let text = match tile {
        Tile::Start => "I start",
        Tile::Hazard => "? fork",
        Tile::Star => "★",
        Tile::Exit => "W exit",
        Tile::Goal => "G goal",
        Tile::Trap => "F trap",
        Tile::Corridor | Tile::Wall => "",
    };
    if side < WITH_WORD { text.split(' ').next().unwrap_or_default() } else { text }
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::maze::MazeConfig;

    use super::*;

    fn report(maze: &Maze) -> MazeReport {
        let states = maze.states();
        MazeReport {
            start_value: 1.5,
            star_distance: 0.0,
            relative_star_distance: 0.0,
            policy: [0.7, 0.0, 0.1, 0.2].repeat(states),
            values: (0..states).map(|state| state as f64 - 3.0).collect(),
            q: vec![0.0; states * ACTIONS],
            advantage: vec![0.0; states * ACTIONS],
            critic: vec![0.0; states],
            latents: vec![0.0; states * 3],
        }
    }

    fn picture(n_path: usize, width: f64, known: bool) -> (Maze, Picture) {
        let maze = Maze::new(MazeConfig { n_path, ..MazeConfig::DEFAULT }, 0.99).expect("valid");
        let report = report(&maze);
        let scale = MazePlot::scale(report.values.iter().copied(), 12.0);
        let picture = MazePlot {
            title: "PPO",
            maze: &maze,
            report: known.then_some(&report),
            scale: &scale,
            selected: Some(maze.start()),
            largest: 76.0,
            width,
        }
        .draw();
        (maze, picture)
    }

    #[test]
    fn every_live_cell_has_its_number_and_three_arrows() {
        let (maze, picture) = picture(5, 600.0, true);
        let values = picture.labels.iter().filter(|label| label.class == "cell-value").count();
        let live = (0..maze.states()).filter(|s| !maze.tile(*s).is_terminal()).count();
        assert_eq!(values, live);
        let arrows = picture.strokes.iter().filter(|stroke| stroke.class.starts_with("arrow"));
        assert_eq!(arrows.map(|s| s.path.matches('M').count()).sum::<usize>(), 3 * live);
        assert!(picture.summary.contains("70 % at the upper"), "{}", picture.summary);
        assert!(picture.labels.iter().all(|label| label.at[0] < 600.0));
    }

    #[test]
    fn a_cell_is_marked_on_request_only_and_none_is_larger_than_allowed() {
        let maze = Maze::new(MazeConfig::DEFAULT, 0.99).expect("valid");
        let scale = MazePlot::scale(std::iter::empty(), 12.0);
        for (selected, largest) in [(None, 40.0), (Some(maze.start()), 90.0)] {
            let (title, maze, width) = ("PPO", &maze, 2000.0);
            let plot =
                MazePlot { title, maze, report: None, scale: &scale, selected, largest, width };
            let picture = plot.draw();
            let marked = picture.strokes.iter().any(|stroke| stroke.class == "selected");
            assert_eq!(marked, selected.is_some());
            assert_eq!(picture.area.width(), largest * maze.columns() as f64);
        }
    }

    #[test]
    fn one_trap_does_not_take_all_colours() {
        let ends = |values: &[f64]| MazePlot::scale(values.iter().copied(), 8.6).ends();
        assert_eq!(ends(&[5.0, -205.0]), [-10.0, 10.0]);
        assert!(ends(&[5.0, f64::NAN, -0.5])[0] >= -5.0);
        assert_eq!(ends(&[5.0]), [0.0, 10.0]);
    }

    #[test]
    fn a_long_maze_has_no_numbers_and_few_paths_and_an_unknown_agent_none_at_all() {
        let (_, long) = picture(25, 330.0, true);
        assert!(long.labels.iter().all(|label| label.class != "cell-value"));
        let (_, short) = picture(5, 330.0, true);
        assert_eq!(long.strokes.len(), short.strokes.len());
        let (_, unknown) = picture(5, 600.0, false);
        assert!(unknown.labels.iter().all(|label| label.class != "cell-value"));
    }
}
