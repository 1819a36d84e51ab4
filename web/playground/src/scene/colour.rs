//! Colours of the page's tokens, and the colour scale of the values.

/// sRGB, components in [0, 1].
pub type Rgb = [f32; 3];

/// Number of colours of the palette; between two of them colours are interpolated linearly.
const STOPS: usize = 33;

/// The viridis palette from low to high. Its steps look even, also to people who cannot tell red
/// from green.
#[must_use]
pub fn viridis() -> Vec<Rgb> {
    let stop = |index: usize| {
        let colour = deepspi_plot::colour::viridis(index as f64 / (STOPS - 1) as f64);
        colour.map(|c| f32::from(c) / 255.0)
    };
    (0..STOPS).map(stop).collect()
}

/// Colour of `value` if the palette goes from `range[0]` to `range[1]`; grey for NaN.
#[must_use]
pub fn of_value(value: f32, range: [f32; 2], palette: &[Rgb]) -> Rgb {
    let share = (value - range[0]) / (range[1] - range[0]);
    let (Some(last), false) = (palette.len().checked_sub(1), share.is_nan()) else {
        return [0.5; 3];
    };
    let place = share.clamp(0.0, 1.0) * last as f32;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the palette"
    )]
    let index = (place.floor() as usize).min(last.saturating_sub(1));
    let (from, to) = (palette[index], palette[(index + 1).min(last)]);
    let rest = place - index as f32;
    std::array::from_fn(|c| rest.mul_add(to[c] - from[c], from[c]))
}

/// The colour of a CSS token, written `#rgb` or `#rrggbb`.
#[must_use]
pub fn from_hex(text: &str) -> Option<Rgb> {
    let digits = text.trim().strip_prefix('#')?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    let components = match digits.len() {
        3 => [8, 4, 0].map(|shift| (number >> shift & 0xf) * 0x11),
        6 => [16, 8, 0].map(|shift| number >> shift & 0xff),
        _ => return None,
    };
    Some(components.map(|c| c as f32 / 255.0))
}

/// A colour in CSS notation.
#[must_use]
pub fn to_css(colour: Rgb) -> String {
    let [r, g, b] = colour.map(|c| (c * 255.0).round());
    format!("rgb({r} {g} {b})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_and_written() {
        assert_eq!(from_hex(" #ff8000").map(to_css).as_deref(), Some("rgb(255 128 0)"));
        assert_eq!(from_hex("#f80"), from_hex("#ff8800"));
        for text in ["", "red", "#12", "#12345g", "#12345678"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn values_run_through_the_palette_and_stop_at_its_ends() {
        let palette = viridis();
        let at = |value| of_value(value, [-1.0, 3.0], &palette);
        assert_eq!((at(-1.0), at(-7.0)), (palette[0], palette[0]));
        assert_eq!((at(3.0), at(9.0)), (palette[STOPS - 1], palette[STOPS - 1]));
        assert_eq!(at(1.0), palette[STOPS / 2]);
        assert_eq!(at(f32::NAN), [0.5; 3]);
        assert_eq!(of_value(0.0, [0.0, 1.0], &[]), [0.5; 3]);
        assert_eq!(of_value(0.7, [0.0, 1.0], &palette[..1]), palette[0]);
        // The palette becomes lighter in every step.
        let light = |c: Rgb| 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
        assert!(palette.windows(2).all(|pair| light(pair[1]) > light(pair[0])));
    }
}
