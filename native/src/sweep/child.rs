//! The process of one run: `native train --run-dir`, with its output in a file.
//!
//! The process stops when its standard input ends, which only the sweep's process holds open. So it
//! also saves and stops when the sweep's process is killed, and no signals are needed, which differ
//! between systems.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use deepspi_run::config::Config;
use deepspi_run::run_files::Saving;
use deepspi_worlds::atari::AtariTraining;

use super::args::RunOptions;
use super::record::{OUTPUT, RecordedStatus, RunRecord};
use super::specification::{RunId, Sweep};
use crate::run::folder::RunFolder;

/// Number of output lines kept to explain a failure.
const LAST_LINES: usize = 8;
/// Number of newest checkpoints that a run keeps if the user does not say.
pub(super) const KEEP_CHECKPOINTS: u64 = 2;

/// The settings with which the runs of a sweep are started.
#[derive(Clone, Debug)]
pub struct Starter {
    /// Path of this program.
    pub program: PathBuf,
    /// Folder of the sweep.
    pub folder: PathBuf,
    /// The sweep.
    pub sweep: Sweep,
    /// Options that the user gave.
    pub options: RunOptions,
    /// Number of threads of one run; `None`: no limit.
    pub threads: Option<usize>,
}

impl Starter {
    /// Command-line arguments of the run.
    ///
    /// # Errors
    /// If the hyper-parameters of the sweep are not valid.
    pub fn arguments(&self, id: RunId) -> Result<Vec<OsString>> {
        let config = self.sweep.settings(id.algo, id.seed)?;
        let mut all: Vec<OsString> = vec!["train".into(), "--env".into(), id.game.name.into()];
        let chosen = Config::FIELDS.iter().filter(|field| {
            matches!(**field, "algo" | "seed") || self.sweep.config.is_given(field)
        });
        for field in chosen {
            let flag = format!("--{}", field.replace('_', "-"));
            match *field {
                // The only flag that takes no value.
                "certified" => all.extend(config.deep_spi.certified.then(|| flag.into())),
                _ => all.extend([flag.into(), config.get(field).unwrap_or_default().into()]),
            }
        }
        if self.sweep.stochastic {
            all.push("--stochastic".into());
        }
        let atari = self.sweep.atari.unwrap_or(AtariTraining::UNSAID);
        for field in AtariTraining::FIELDS {
            let flag = format!("--{}", field.replace('_', "-"));
            all.extend([flag.into(), atari.get(field).unwrap_or_default().into()]);
        }
        let folder = id.folder(&self.folder);
        // A run that has begun goes on as it was saved before, unless the user says otherwise.
        let is_recorded = RunFolder::open(&folder).is_ok_and(|run| run.info.saving.is_some());
        let or_default = |given: Option<u64>, default| given.or((!is_recorded).then_some(default));
        all.extend(["--run-dir".into(), folder.into()]);
        let tenth = (config.total_timesteps / 10).max(1);
        let options = RunOptions {
            env_threads: self.options.env_threads.or(self.threads),
            save_every: or_default(self.options.save_every, Saving::DEFAULT.every.min(tenth)),
            keep_checkpoints: or_default(self.options.keep_checkpoints, KEEP_CHECKPOINTS),
            ..self.options.clone()
        };
        all.extend(options.arguments());
        Ok(all)
    }

    /// Starts a process for the run.
    ///
    /// # Errors
    /// If its folder cannot be written or the process cannot be started.
    pub fn start(&self, id: RunId) -> Result<Attempt> {
        let folder = id.folder(&self.folder);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the run folder {}", folder.display()))?;
        let before = RunRecord::read(&folder).unwrap_or_default();
        let record = RunRecord {
            attempts: before.attempts + 1,
            seconds: before.seconds,
            last_error: before.last_error,
            ..RunRecord::started_here()
        };
        let arguments = self.arguments(id)?;
        let path = folder.join(OUTPUT);
        let cannot = || format!("cannot write {}", path.display());
        let mut output =
            OpenOptions::new().create(true).append(true).open(&path).with_context(cannot)?;
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
        writeln!(
            output,
            "--- attempt {} on {}: native {}",
            record.attempts,
            record.host,
            words.join(" ")
        )
        .with_context(cannot)?;
        let output_from = output.metadata().with_context(cannot)?.len();
        let mut command = Command::new(&self.program);
        command
            .args(&arguments)
            .arg("--stop-with-parent")
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output);
        if let Some(threads) = self.threads {
            // Without it, tensors on the CPU use all cores in each of the processes.
            command.env("RAYON_NUM_THREADS", threads.to_string());
        }
        record.save(&folder)?;
        let child =
            command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        Ok(Attempt { id, folder, child, started: Instant::now(), output_from, record })
    }
}

/// A process that trains a run. When this value is dropped, its standard input ends, which asks it
/// to stop.
#[derive(Debug)]
pub struct Attempt {
    /// The run.
    pub id: RunId,
    folder: PathBuf,
    child: Child,
    started: Instant,
    /// Position in the output file where the output of this process begins.
    output_from: u64,
    record: RunRecord,
}

impl Attempt {
    /// Its exit status; `None` while it runs.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot wait for the run {}", self.id))
    }

    /// Asks it to save after the current iteration and to end.
    pub fn ask_to_stop(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Ends it at once; checkpoints that it saved before stay.
    pub fn kill(&mut self) {
        // It may have ended in the meantime.
        drop(self.child.kill());
    }

    /// Records in the run folder how the process ended.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn note(self, status: RecordedStatus, exit: ExitStatus) -> Result<RunRecord> {
        let failed = status == RecordedStatus::Failed;
        let record = RunRecord {
            status,
            exit_code: exit.code(),
            seconds: self.record.seconds + self.started.elapsed().as_secs_f64(),
            last_error: if failed {
                Some(format!("{exit}\n{}", last_lines(&self.folder.join(OUTPUT), self.output_from)))
            } else {
                self.record.last_error
            },
            ..self.record
        };
        record.save(&self.folder)?;
        Ok(record)
    }
}

/// The last lines of a file, which may be long, from byte `from` on.
fn last_lines(path: &Path, from: u64) -> String {
    const ENOUGH: u64 = 16 * 1024;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(ENOUGH).max(from);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_explains() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(OUTPUT);
        let old = "an earlier failure\n";
        let text: String = (0..10_000).map(|i| format!("line {i}\n\n")).collect();
        fs::write(&path, format!("{old}{text}error: no ROM\n")).expect("written");
        let found = last_lines(&path, old.len() as u64);
        assert_eq!(found.lines().count(), LAST_LINES);
        assert!(found.starts_with("line 9993\n") && found.ends_with("\nerror: no ROM"), "{found}");
        fs::write(&path, format!("{old}only this\n")).expect("written");
        assert_eq!(last_lines(&path, old.len() as u64), "only this");
    }
}
