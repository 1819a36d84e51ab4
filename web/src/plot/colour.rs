//! The stepped colour scale of values, and a text colour that can be read on it.

use deepspi_plot::colour::{hex, readable_on, viridis};

/// Number of colours of a scale. More could not be told apart, and everything of one colour is
/// drawn by one path.
pub const SHADES: usize = 32;

/// Index of the colour at a share of the scale. A share outside [0, 1] has the colour of the nearer
/// end; NaN has the colour of 0.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the shades")]
pub fn shade_of(share: f64) -> usize {
    (share * SHADES as f64).clamp(0.0, SHADES as f64 - 1.0) as usize
}

/// A colour of the scale in CSS notation.
#[must_use]
pub fn shade(index: usize) -> String {
    hex(colour(index))
}

/// Black or white: the one with the larger contrast on this colour of the scale.
#[must_use]
pub fn ink_on(index: usize) -> &'static str {
    let (black, white) = ([0; 3], [255; 3]);
    if readable_on(colour(index), [black, white]) == black { "#000000" } else { "#ffffff" }
}

fn colour(index: usize) -> [u8; 3] {
    viridis((index as f64 + 0.5) / SHADES as f64)
}

#[cfg(test)]
mod tests {
    use deepspi_plot::colour::contrast;

    use super::*;

    #[test]
    fn every_colour_of_the_scale_has_ink_of_enough_contrast() {
        for index in 0..SHADES {
            let ink = if ink_on(index) == "#000000" { [0; 3] } else { [255; 3] };
            let found = contrast(colour(index), ink);
            assert!(found >= 4.5, "{index} {found}");
        }
    }

    #[test]
    fn shares_outside_the_scale_have_the_colour_of_its_end() {
        let shares = [f64::NAN, -1.0, 0.0, 0.5, 1.0, 7.0];
        assert_eq!(shares.map(shade_of), [0, 0, 0, 16, 31, 31]);
        assert_eq!(shade(0), "#450659");
    }
}
