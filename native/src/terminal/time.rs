//! Long times in words.

use std::time::Duration;

use indicatif::HumanDuration;

/// A number of seconds in words, such as `10 hours`.
pub fn time_in_words(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) => HumanDuration(time).to_string(),
        Err(_) => "a million years or more".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_words_however_long_they_are() {
        assert_eq!(time_in_words(36_000.0), "10 hours");
        assert_eq!(time_in_words(1e30), "a million years or more");
        assert_eq!(time_in_words(f64::INFINITY), "a million years or more");
    }
}
