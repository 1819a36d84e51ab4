//! The colour scale of values, and ink that can be read on it.

/// Colours a scale is drawn with; more could not be told apart, and all that has the same colour is
/// drawn by one path.
pub const SHADES: usize = 32;

/// Index of the colour at a share of the scale; outside [0, 1] the nearest end, as the lowest what is
/// not a number.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the shades")]
pub fn shade_of(share: f64) -> usize {
    (share * SHADES as f64).clamp(0.0, SHADES as f64 - 1.0) as usize
}

/// A colour of the scale (viridis) as CSS.
#[must_use]
pub fn shade(index: usize) -> String {
    let [r, g, b] = viridis(index);
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Black or white, whichever has the larger contrast (WCAG) on a colour of the scale.
#[must_use]
pub fn ink_on(index: usize) -> &'static str {
    // Where the contrasts to black and to white are equal.
    if luminance(viridis(index)) > 0.179 { "#000000" } else { "#ffffff" }
}

fn viridis(index: usize) -> [u8; 3] {
    colorous::VIRIDIS.eval_continuous((index as f64 + 0.5) / SHADES as f64).into_array()
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [r, g, b] = colour.map(|channel| {
        let x = f64::from(channel) / 255.0;
        if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_of_the_scale_has_ink_of_enough_contrast() {
        for index in 0..SHADES {
            let light = luminance(viridis(index)) + 0.05;
            let contrast = if ink_on(index) == "#000000" { light / 0.05 } else { 1.05 / light };
            assert!(contrast >= 4.5, "{index} {contrast}");
        }
    }

    #[test]
    fn shares_outside_the_scale_have_the_colour_of_its_end() {
        let shares = [f64::NAN, -1.0, 0.0, 0.5, 1.0, 7.0];
        assert_eq!(shares.map(shade_of), [0, 0, 0, 16, 31, 31]);
        assert_eq!(shade(0), "#45065a");
    }
}
