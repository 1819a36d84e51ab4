//! Writes a film as MP4 with the program ffmpeg, because there is no small encoder to include.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use deepspi_run::run_files::WRITING_PREFIX;
use resvg::tiny_skia::Pixmap;
use tempfile::TempDir;

use super::frame_rate::RATE;

const FFMPEG: &str = "ffmpeg";

/// Checks that ffmpeg is installed.
///
/// # Errors
/// If it is not; the message says what to do.
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
            bail!("ffmpeg does not work here ({status}); record a GIF instead: --record FILE.gif")
        }
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "an MP4 needs the program ffmpeg, which is not on the PATH; install it (Debian: `apt install \
             ffmpeg`), or record a GIF, which needs nothing: --record FILE.gif"
        ),
        Err(error) => {
            Err(error).context("ffmpeg cannot be started; record a GIF instead: --record FILE.gif")
        }
    }
}

/// A running ffmpeg. It writes to a temporary folder until the file is complete.
pub(super) struct Mp4 {
    child: Child,
    folder: TempDir,
}

/// Name of the file in the temporary folder.
const FILE: &str = "film.mp4";

impl Mp4 {
    /// Starts a film of pictures of this size, which must be even. It grows in a temporary folder in
    /// `folder`: the system's own may be in memory, too small for a long film.
    pub fn start((width, height): (u32, u32), folder: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(WRITING_PREFIX).tempdir_in(folder);
        let folder = folder.context("cannot make a temporary folder for the film")?;
        let mut command = Command::new(FFMPEG);
        command
            .args(["-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba"])
            .args(["-video_size", &format!("{width}x{height}"), "-framerate", &RATE.to_string()])
            // `yuv420p` works in every player, and `+faststart` lets a page play before it has the
            // whole file.
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
        // The end of the input ends the film.
        drop(self.child.stdin.take());
        let text = complaint(&mut self.child);
        let status = self.child.wait().context("cannot wait for ffmpeg")?;
        if !status.success() {
            bail!("ffmpeg failed ({status}): {text}");
        }
        std::fs::read(self.folder.path().join(FILE)).context("ffmpeg wrote no film")
    }
}

impl Drop for Mp4 {
    fn drop(&mut self) {
        // After an error ffmpeg would still wait for pictures.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Error output of ffmpeg until it ends.
fn complaint(child: &mut Child) -> String {
    drop(child.stdin.take());
    let text = child.stderr.take().map(std::io::read_to_string);
    text.and_then(Result::ok).unwrap_or_default().trim().to_owned()
}
