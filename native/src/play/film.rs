//! The output of a film: a GIF, an MP4, or a folder of pictures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use resvg::tiny_skia::Pixmap;

use super::gif_colours::ColourGif;
use super::mp4::Mp4;
use crate::whole_file::{parent, replace_files, require_writable, write_whole};

/// Kind of the film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gif,
    Mp4,
    Frames,
}

/// A place that a film may be written to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// File or folder.
    pub path: PathBuf,
    kind: Kind,
}

impl Target {
    /// The target that `--record` names.
    ///
    /// # Errors
    /// If no film of this kind can be made, or if a film exists already and `overwrite` is off.
    pub fn new(path: &Path, overwrite: bool) -> Result<Self> {
        let kind = kind(path)?;
        let path = path.to_owned();
        if kind == Kind::Mp4 {
            super::mp4::find()?;
        }
        let taken = match kind {
            Kind::Gif | Kind::Mp4 => path.exists(),
            Kind::Frames => !pictures(&path)?.is_empty(),
        };
        if taken && !overwrite {
            bail!(
                "{} exists already; record under another name, or replace it with --overwrite",
                path.display()
            );
        }
        Ok(Self { path, kind })
    }

    /// Fails if the film cannot be written, before hours are spent on it. The folder for it is created.
    ///
    /// # Errors
    /// If its folder cannot be created or written.
    pub fn require_writable(&self) -> Result<()> {
        require_writable(self.folder()).context("choose another place with --record")
    }

    /// The folder that will hold the film.
    fn folder(&self) -> &Path {
        match self.kind {
            Kind::Gif | Kind::Mp4 => parent(&self.path),
            Kind::Frames => &self.path,
        }
    }
}

fn kind(path: &Path) -> Result<Kind> {
    let text = path.to_string_lossy();
    if text.ends_with(['/', std::path::MAIN_SEPARATOR]) || path.is_dir() {
        return Ok(Kind::Frames);
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("gif") => Ok(Kind::Gif),
        Some("mp4") => Ok(Kind::Mp4),
        None => Ok(Kind::Frames),
        Some(other) => bail!(
            "cannot record as .{other}; --record takes FILE.gif, FILE.mp4, or a folder for PNG files \
             (such as frames/)"
        ),
    }
}

/// The pictures in a folder; none if the folder does not exist.
fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let cannot = || format!("cannot list the folder {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("frame_") && name.ends_with(".png") {
            found.push(path);
        }
    }
    Ok(found)
}

/// A film in the making. The target is written only when the film is finished.
pub(super) enum Film {
    Gif(Box<ColourGif>),
    Mp4(Mp4),
    Frames(Vec<Vec<u8>>),
}

impl Film {
    /// Starts a film of pictures of this size; `palette` is the game's.
    ///
    /// # Errors
    /// If ffmpeg cannot be started.
    pub fn start(target: &Target, size: (u32, u32), palette: &[[u8; 3]; 128]) -> Result<Self> {
        Ok(match target.kind {
            Kind::Gif => Self::Gif(Box::new(ColourGif::start(size, palette)?)),
            Kind::Mp4 => Self::Mp4(Mp4::start(size, target.folder())?),
            Kind::Frames => Self::Frames(Vec::new()),
        })
    }

    /// Appends a picture, which must be opaque.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub fn push(&mut self, picture: &Pixmap) -> Result<()> {
        match self {
            Self::Gif(gif) => gif.push(picture),
            Self::Mp4(mp4) => mp4.push(picture),
            Self::Frames(frames) => {
                frames.push(picture.encode_png().context("cannot encode a picture")?);
                Ok(())
            }
        }
    }

    /// Writes the film to its target. In a folder, it takes the place of all pictures of an older film.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self, target: &Target) -> Result<()> {
        let path = &target.path;
        match self {
            Self::Gif(gif) => write_whole(path, &gif.finish()?),
            Self::Mp4(mp4) => write_whole(path, &mp4.finish()?),
            Self::Frames(frames) => {
                fs::create_dir_all(path)
                    .with_context(|| format!("cannot create {}", path.display()))?;
                let named = |(step, bytes)| (format!("frame_{step:06}.png"), bytes);
                let files: Vec<_> = frames.into_iter().enumerate().map(named).collect();
                replace_files(path, &pictures(path)?, &files)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_is_made() {
        for (path, expected) in [
            ("a.gif", Kind::Gif),
            ("b/A.GIF", Kind::Gif),
            ("a.mp4", Kind::Mp4),
            ("frames", Kind::Frames),
            ("v1.2/", Kind::Frames),
        ] {
            assert_eq!(kind(Path::new(path)).expect("known"), expected, "{path}");
        }
        let error = kind(Path::new("a.avi")).expect_err("unknown").to_string();
        assert!(error.contains(".avi") && error.contains("FILE.gif"), "{error}");
    }

    #[test]
    fn what_is_there_is_not_replaced_unless_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let gif = folder.path().join("a.gif");
        fs::write(&gif, "old").expect("written");
        let error = Target::new(&gif, false).expect_err("taken").to_string();
        assert!(error.contains("--overwrite"), "{error}");
        Target::new(&gif, true).expect("replaced");
        let frames = folder.path().join("frames");
        Target::new(&frames, false).expect("nothing there");
        fs::create_dir(&frames).expect("created");
        fs::write(frames.join("notes.txt"), "").expect("written");
        Target::new(&frames, false).expect("no picture there");
        fs::write(frames.join("frame_000007.png"), "").expect("written");
        Target::new(&frames, false).expect_err("taken");
        Film::Frames(vec![vec![1], vec![2]])
            .finish(&Target::new(&frames, true).expect("replaced"))
            .expect("written");
        let mut left: Vec<_> = fs::read_dir(&frames)
            .expect("listed")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        assert_eq!(left, ["frame_000000.png", "frame_000001.png", "notes.txt"]);
    }
}
