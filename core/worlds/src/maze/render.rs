//! Pictures of the maze, as the agent sees them.

use super::rules::{Maze, ROWS, Tile};

/// Grey level of the agent.
const AGENT: f64 = 255.0;

impl Tile {
    const fn grey(self) -> f64 {
        match self {
            Self::Wall => 50.0,
            Self::Corridor | Self::Star => 100.0,
            Self::Start => 120.0,
            Self::Hazard => 180.0,
            Self::Exit => 200.0,
            Self::Goal | Self::Trap => 220.0,
        }
    }
}

impl Maze {
    /// Frame `[1, H, W]` of a state: one grey level per cell, blended with its mirror image by the
    /// cue, and enlarged to the preset's size with the nearest cell.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
    pub fn frame(&self, state: usize) -> Vec<u8> {
        let grey = |row, column| {
            if self.cell(state) == (row, column) { AGENT } else { self.tile_at(row, column).grey() }
        };
        let weight = f64::midpoint(1.0, self.config().cue);
        let blended = |row: usize, column: usize| {
            weight * grey(row, column) + (1.0 - weight) * grey(ROWS - 1 - row, column)
        };
        let shape = self.config().preset.frame();
        // The cell under the centre of a pixel.
        let nearest =
            |pixel: usize, pixels: usize, cells: usize| (2 * pixel + 1) * cells / (2 * pixels);
        (0..shape.height)
            .flat_map(|y| (0..shape.width).map(move |x| (y, x)))
            .map(|(y, x)| {
                let row = nearest(y, shape.height, ROWS);
                let column = nearest(x, shape.width, self.columns());
                blended(row, column).round() as u8
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MazeConfig, MazePreset};
    use super::*;

    fn maze(cue: f64, preset: MazePreset) -> Maze {
        Maze::new(MazeConfig { cue, preset, ..MazeConfig::DEFAULT }, 0.99).expect("valid")
    }

    #[test]
    fn every_state_has_a_picture_of_its_own_at_full_cue() {
        for preset in MazePreset::ALL {
            let maze = maze(1.0, preset);
            let frames: std::collections::HashSet<_> =
                (0..maze.states()).map(|state| maze.frame(state)).collect();
            assert_eq!(frames.len(), maze.states());
            assert!(frames.iter().all(|frame| frame.len() == preset.frame().len()));
        }
    }

    #[test]
    fn the_agent_is_where_it_is() {
        let maze = maze(1.0, MazePreset::Paper);
        // 84 pixels over 5 rows and 8 columns: the centre of cell (2, 0) is pixel (42, 5).
        let frame = maze.frame(maze.start());
        assert_eq!((frame[42 * 84 + 5], frame[42 * 84 + 15], frame[0]), (255, 180, 50));
    }

    #[test]
    fn without_a_cue_the_corridors_look_the_same_and_with_a_little_they_do_not() {
        let [upper, lower] = maze(1.0, MazePreset::Small).stars();
        let frames = |cue| {
            let maze = maze(cue, MazePreset::Small);
            [maze.frame(upper), maze.frame(lower)]
        };
        let [a, b] = frames(0.0);
        assert_eq!(a, b);
        let [a, b] = frames(0.1);
        let largest = a.iter().zip(&b).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(largest.is_some_and(|d| (5..40).contains(&d)), "{largest:?}");
    }
}
