//! Numbers as a reader writes them.

use indicatif::HumanCount;

/// `1 game`, `2 games`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// A number with its digits in groups.
pub fn thousands(value: u64) -> String {
    HumanCount(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_groups_of_three() {
        let found = [0, 999, 1_000, 10_000_000].map(thousands);
        assert_eq!(found, ["0", "999", "1,000", "10,000,000"]);
        assert_eq!([count(1, "game"), count(2000, "game")], ["1 game", "2,000 games"]);
    }
}
