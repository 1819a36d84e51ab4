//! Replaces the names of files in the page by the names that they have in the site.
//!
//! The page is not parsed: only attribute values with one of two beginnings are looked at, and the
//! rest stays as it is, byte for byte.

use anyhow::{Context, Result};

/// Beginnings of the values that are replaced: a file of the repository, and a built file.
pub const BEGINNINGS: [&str; 2] = ["web/", "site:"];

/// The page with `name(value)` in place of each attribute value with one of the [`BEGINNINGS`].
///
/// # Errors
/// If a value has no end, or `name` fails.
pub fn rewrite(page: &str, mut name: impl FnMut(&str) -> Result<String>) -> Result<String> {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(at) = rest.find("=\"") {
        let (before, value) = rest.split_at(at + 2);
        out.push_str(before);
        rest = value;
        if BEGINNINGS.iter().any(|beginning| value.starts_with(beginning)) {
            let end = value.find('"').context("an attribute of the page has no closing quote")?;
            out.push_str(&name(&value[..end])?);
            rest = &value[end..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_site_get_other_names() {
        let page = r#"<link rel="icon" href="web/icon.svg"><a href="https://x/web/">web/</a>
            <script data-program="site:web.js" src="web/start.js"></script>"#;
        let new = rewrite(page, |value| Ok(format!("<{value}>"))).expect("valid");
        let expected = r#"<link rel="icon" href="<web/icon.svg>"><a href="https://x/web/">web/</a>
            <script data-program="<site:web.js>" src="<web/start.js>"></script>"#;
        assert_eq!(new, expected);
    }

    #[test]
    fn a_file_that_is_not_there_and_an_open_quote_are_errors() {
        assert!(rewrite(r#"<a href="web/x">"#, |_| anyhow::bail!("missing")).is_err());
        assert!(rewrite(r#"<a href="web/x>"#, |value| Ok(value.to_owned())).is_err());
    }
}
