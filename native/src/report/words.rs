//! Numbers with nouns as text.

use deepspi_plot::thousands;

/// `1 game`, `2 games`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
}
