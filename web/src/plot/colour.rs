//! The colour scale of values, and ink that can be read on it.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Colours a scale is drawn with; more cannot be told apart.
pub const VIRIDIS_STEPS: usize = 32;

/// Viridis at a share of the scale; outside [0, 1] the nearest end, and grey where there is no number.
#[must_use]
pub fn viridis(share: f64) -> Rgb {
    if share.is_nan() {
        return [128; 3];
    }
    colorous::VIRIDIS.eval_continuous(share.clamp(0.0, 1.0)).into_array()
}

/// Black or white, whichever has the larger contrast on this colour (WCAG).
#[must_use]
pub fn ink_on(colour: Rgb) -> &'static str {
    // Where the contrasts to black and to white are equal.
    if luminance(colour) > 0.179 { "#000000" } else { "#ffffff" }
}

fn luminance(colour: Rgb) -> f64 {
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
        for step in 0..=100 {
            let colour = viridis(f64::from(step) / 100.0);
            let light = luminance(colour) + 0.05;
            let contrast = if ink_on(colour) == "#000000" { light / 0.05 } else { 1.05 / light };
            assert!(contrast >= 4.5, "{colour:?} {contrast}");
        }
        assert_eq!(viridis(f64::NAN), [128; 3]);
        assert_eq!(viridis(2.0), viridis(1.0));
    }
}
