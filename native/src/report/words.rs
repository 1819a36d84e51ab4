//! Numbers as a reader writes them.

use deepspi_plot::thousands;

/// `1 game`, `2 games`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_its_noun_in_the_right_number() {
        assert_eq!([count(1, "game"), count(2000, "game")], ["1 game", "2,000 games"]);
    }
}
