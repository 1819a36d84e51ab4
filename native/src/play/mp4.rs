//! A film as MP4, which ffmpeg encodes: there is no small encoder to ship.

use std::io::{ErrorKind, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use resvg::tiny_skia::Pixmap;
use tempfile::TempDir;

use super::frame_rate::RATE;

const FFMPEG: &str = "ffmpeg";

/// Whether there is an ffmpeg.
///
/// # Errors
/// If there is none; the message says what to do.
pub(super) fn find() -> Result<()> {
    let started = Command::new(FFMPEG)
        .arg("-version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match started {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            bail!("ffmpeg does not work here ({status}); record a GIF: --record FILE.gif")
        }
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "an MP4 needs the program ffmpeg, which is not on the PATH; install it (Debian: `apt install \
             ffmpeg`), or record a GIF, which needs nothing: --record FILE.gif"
        ),
        Err(error) => {
            Err(error).context("ffmpeg cannot be started; record a GIF: --record FILE.gif")
        }
    }
}

/// An ffmpeg at work. Its file is elsewhere until it is whole.
pub(super) struct Mp4 {
    child: Child,
    folder: TempDir,
}

/// Name of its file in its folder.
const FILE: &str = "film.mp4";

impl Mp4 {
    /// A film of pictures of this size, which must be even.
    pub fn start((width, height): (u32, u32)) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let mut command = Command::new(FFMPEG);
        command
            .args(["-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba"])
            .args(["-video_size", &format!("{width}x{height}"), "-framerate", &RATE.to_string()])
            // What every player can show, and a page can begin to play before it has all of it.
            .args(["-i", "-", "-pix_fmt", "yuv420p", "-movflags", "+faststart"])
            .arg(folder.path().join(FILE));
        let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().context("cannot start ffmpeg")?;
        Ok(Self { child, folder })
    }

    pub fn push(&mut self, picture: &Pixmap) -> Result<()> {
        let sent = self.child.stdin.as_mut().map(|pipe| pipe.write_all(picture.data()));
        if let Some(Ok(())) = sent {
            return Ok(());
        }
        bail!("ffmpeg stopped: {}", complaint(&mut self.child));
    }

    /// The bytes of the file.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        // The end of its input is the end of the film.
        drop(self.child.stdin.take());
        let text = complaint(&mut self.child);
        let status = self.child.wait().context("cannot wait for ffmpeg")?;
        if !status.success() {
            bail!("ffmpeg failed ({status}): {text}");
        }
        std::fs::read(self.folder.path().join(FILE)).context("ffmpeg has left no film")
    }
}

impl Drop for Mp4 {
    fn drop(&mut self) {
        // After an error it still waits for pictures.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What ffmpeg says until it ends.
fn complaint(child: &mut Child) -> String {
    drop(child.stdin.take());
    let text = child.stderr.take().map(std::io::read_to_string);
    text.and_then(Result::ok).unwrap_or_default().trim().to_owned()
}
