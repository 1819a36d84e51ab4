//! Texts in pictures: estimated width, line breaks, and file names.

/// Estimated width of a text in the page's font, at this font size in pixels.
///
/// It is only used to keep texts apart. The font is not known here, so the width cannot be
/// measured; an estimate that is slightly too wide does no harm.
#[must_use]
pub fn text_width(text: &str, size: f64) -> f64 {
    let width = |letter: char| match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | '\'' | '|' | '(' | ')' => 0.32,
        ' ' | 'f' | 't' | 'r' | '/' | '-' => 0.40,
        'm' | 'w' | 'M' | 'W' => 0.88,
        'A'..='Z' => 0.70,
        _ => 0.58,
    };
    text.chars().map(width).sum::<f64>() * size
}

/// Breaks a text into lines of at most this width in pixels; a longer word is not broken.
#[must_use]
pub fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(line, size) + text_width(word, size) + size * 0.4 <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A file name without extension: lower case letters, digits and single hyphens.
#[must_use]
pub fn file_name(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_lowercase());
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_all_words_and_are_not_too_wide() {
        let text = "PPO and DeepSPI, seed 1, on the CPU, DeepSPI playground 0.1.0";
        let lines = wrap(text, 11.0, 120.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| text_width(line, 11.0) <= 120.0));
        assert_eq!(lines.join(" "), text);
        assert_eq!(wrap("unbreakable", 11.0, 5.0), ["unbreakable"]);
    }

    #[test]
    fn a_file_name_is_plain() {
        assert_eq!(file_name("Value at the start, V(s_I)"), "value-at-the-start-v-s-i");
        assert_eq!(file_name("../<b>"), "b");
    }
}
