//! Lists of values to choose from: name in links and ids, label, value. The first is the default.
//!
//! Names are part of saved links, so they must not change.

/// The name of a value in links; the name of the first offer if the value is not on offer.
#[must_use]
pub fn key_of<T: PartialEq>(offers: &[(&'static str, &'static str, T)], value: &T) -> &'static str {
    offers.iter().find(|offer| offer.2 == *value).map_or_else(|| offers[0].0, |offer| offer.0)
}

/// The value with this name in links.
#[must_use]
pub fn by_key<T: Copy>(offers: &[(&'static str, &'static str, T)], key: &str) -> Option<T> {
    offers.iter().find(|offer| offer.0 == key).map(|offer| offer.2)
}
