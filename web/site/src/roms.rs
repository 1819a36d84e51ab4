//! The ROMs on this machine, which the server offers to the page that it serves.
//!
//! They are not ours to give away, so no site contains one: they are read from the user's own folder
//! while the server runs, and only a browser on this machine gets them. The page finds the folder in
//! a `meta` element, which only this server adds; without it the page asks for nothing
//! (`web/src/page/atari/machine.rs`).

use std::path::{Path, PathBuf};

/// Address of the folder, relative to the page.
const FOLDER: &str = "roms/";
/// The list of the ROMs, in that folder.
const INDEX: &str = "index.json";
/// End of the names of ROMs.
const ENDING: &str = ".bin";

/// What the folder answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A list in JSON.
    List(String),
    /// A file.
    File(PathBuf),
}

/// The page with the element that says where the ROMs are.
#[must_use]
pub fn announce(page: &str) -> String {
    let element = format!("<meta name=\"deepspi-roms\" content=\"{FOLDER}\">\n  </head>");
    page.replacen("</head>", &element, 1)
}

/// What an address in the site means; none if there is no such ROM.
#[must_use]
pub fn answer(folder: &Path, address: &str) -> Option<Answer> {
    let name = address.strip_prefix(FOLDER)?;
    if name == INDEX {
        let stems: Vec<String> =
            stems(folder).into_iter().map(|stem| format!("\"{stem}\"")).collect();
        return Some(Answer::List(format!("[{}]", stems.join(","))));
    }
    let stem = stem_of(name)?;
    let file = folder.join(format!("{stem}{ENDING}"));
    file.is_file().then_some(Answer::File(file))
}

/// The names of all ROMs without their endings, in alphabetical order.
fn stems(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(Result::ok).filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        stem_of(&name).map(str::to_owned)
    });
    let mut stems: Vec<String> = names.collect();
    stems.sort();
    stems
}

/// The name of a ROM without its ending. Games have names of lower-case letters, digits and
/// underscores, so no name leads out of the folder.
fn stem_of(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(ENDING)?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!stem.is_empty() && stem.chars().all(allowed)).then_some(stem)
}

/// Whether a request was made to this machine by its own name. Otherwise a foreign page could read
/// the ROMs with a name of its own that leads here.
#[must_use]
pub fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Folder;

    #[test]
    fn only_roms_are_listed_and_read() {
        let folder = Folder::new();
        for name in ["pong.bin", "alien.bin", "md5.json", "My Game.bin", ".bin", "x.bin.txt"] {
            std::fs::write(folder.path().join(name), name).expect("written");
        }
        let answer = |address| answer(folder.path(), address);
        assert_eq!(answer("roms/index.json"), Some(Answer::List("[\"alien\",\"pong\"]".into())));
        let pong = Answer::File(folder.path().join("pong.bin"));
        assert_eq!(answer("roms/pong.bin"), Some(pong));
        for address in
            ["roms/md5.json", "roms/../pong.bin", "roms/breakout.bin", "roms/", "pong.bin"]
        {
            assert_eq!(answer(address), None, "{address}");
        }
        assert_eq!(
            super::answer(Path::new("/no/such/folder"), "roms/index.json"),
            Some(Answer::List("[]".into()))
        );
    }

    #[test]
    fn the_page_is_told_once() {
        let page = announce("<html><head><title>a</title></head><body></head></body>");
        assert_eq!(page.matches("<meta name=\"deepspi-roms\" content=\"roms/\">").count(), 1);
        assert!(page.find("<meta").expect("there") < page.find("</head>").expect("there"));
    }

    #[test]
    fn a_name_that_leads_here_is_not_local() {
        for host in ["127.0.0.1:8080", "localhost", "localhost:1"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["evil.example:8080", "127.0.0.1.evil.example", ""] {
            assert!(!is_local(host), "{host}");
        }
    }
}
