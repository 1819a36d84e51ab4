//! Sweeps on a cluster: one job array of Slurm, one task a run.
//!
//! Slurm decides what runs where and when, and what happens after a node fails. All it needs for that
//! is a task that can be started again at any time, which `native bench task` is: a run goes on from
//! its own folder. Which task is which run stands in the script of its array, which Slurm copies: the
//! sweep can grow, and a second array take what the first left over, and still a task of the first
//! means the run that it meant.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use super::child::Starter;
use super::folder::SLURM;
use super::run_status::{RunState, RunStatus};
use super::sweep::RunId;
use crate::cli::RunOptions;
use crate::whole_file::write_whole;

/// Seconds before its time limit that a task is told to save and end. An iteration takes a fraction.
const GRACE: u32 = 120;
/// Number of the newest job array, in the folder of Slurm's files.
const JOB: &str = "job_id";

/// Makes sure that there is Slurm.
///
/// # Errors
/// If there is not: with what to install, or to do without it.
pub fn require() -> Result<()> {
    slurm(Command::new("sbatch").arg("--version")).map(drop)
}

/// Submits a job array for all runs that are neither finished nor under way.
///
/// # Errors
/// If Slurm is not there, refuses the job, or still has an earlier one of this sweep.
pub fn submit(
    starter: &Starter,
    runs: &[RunStatus],
    jobs: Option<u64>,
    arguments: Option<&str>,
) -> Result<()> {
    let folder = absolute(&starter.folder)?.join(SLURM);
    if let Ok(job) = fs::read_to_string(folder.join(JOB)) {
        refuse_if_queued(job.trim())?;
    }
    let further = match arguments {
        None => Vec::new(),
        Some(text) => shlex::split(text).with_context(|| {
            format!("--slurm-args has a quotation mark without its partner: {text}")
        })?,
    };
    let open = |run: &&RunStatus| !run.is_complete() && run.state != RunState::Running;
    let open: Vec<RunId> = runs.iter().filter(open).map(|run| run.id).collect();
    if open.is_empty() {
        bail!("every run is under way; `native bench status` tells how far they are");
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let script = folder.join("job.sh");
    write_whole(&script, job_script(starter, &folder, &open, jobs)?.as_bytes())?;
    let output = slurm(Command::new("sbatch").arg("--parsable").args(further).arg(&script))?;
    if !output.status.success() {
        bail!(
            "Slurm refuses {}: {}; change what it says with --slurm-args",
            script.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    // On several clusters: `number;cluster`.
    let text = String::from_utf8_lossy(&output.stdout);
    let job = text.trim().split(';').next().unwrap_or_default();
    write_whole(&folder.join(JOB), job.as_bytes())?;
    println!(
        "job array {job} with {} runs; `native bench status {}` tells how far they are, the same command submits what is left",
        open.len(),
        starter.folder.display()
    );
    Ok(())
}

/// A second array would only wait for the first.
fn refuse_if_queued(job: &str) -> Result<()> {
    let output = slurm(Command::new("squeue").args(["--noheader", "--jobs", job]))?;
    // Slurm forgets jobs some minutes after their end, and calls their numbers invalid.
    if output.status.success() && !output.stdout.trim_ascii().is_empty() {
        bail!(
            "job array {job} of this sweep is still in Slurm's queue; wait for it, or end it with `scancel {job}`"
        );
    }
    Ok(())
}

fn slurm(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!(
            "Slurm is not installed here: there is no `{name}` (package slurm-wlm of Debian and Ubuntu); submit from a machine of the cluster, or leave out --launcher slurm to run the sweep on this machine"
        ),
        _ => anyhow::Error::new(error).context(format!("cannot start `{name}`")),
    })
}

/// The script that Slurm gets.
fn job_script(
    starter: &Starter,
    folder: &Path,
    runs: &[RunId],
    jobs: Option<u64>,
) -> Result<String> {
    let sweep = absolute(&starter.folder)?;
    let options = RunOptions {
        roms: starter.options.roms.as_deref().map(absolute).transpose()?,
        ..starter.options.clone()
    };
    let mut words: Vec<OsString> = vec![(&starter.program).into(), "bench".into(), "task".into()];
    words.push(sweep.into());
    let quoted = |words: Vec<OsString>| -> Result<String> {
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        shlex::try_join(words.iter().map(AsRef::as_ref))
            .context("a path with a zero byte cannot be written into a script")
    };
    let last = runs.len().saturating_sub(1);
    let at_a_time = jobs.map(|jobs| format!("%{jobs}")).unwrap_or_default();
    // Names without anything that a shell would take apart: `Breakout__deep-spi__1`.
    let names: String = runs.iter().map(|id| format!(" {id}")).collect();
    // In names of files Slurm replaces what follows a percent sign.
    let logs = folder.display().to_string().replace('%', "%%");
    Ok(format!(
        "#!/bin/sh\n\
         # Written by `native bench --launcher slurm`.\n\
         #SBATCH --job-name=native-bench\n\
         #SBATCH --array=0-{last}{at_a_time}\n\
         #SBATCH --output=\"{logs}/task-%A_%a.log\"\n\
         #SBATCH --open-mode=append\n\
         #SBATCH --requeue\n\
         #SBATCH --signal=B:TERM@{GRACE}\n\
         # The runs, from task 0 on.\n\
         set --{names}\n\
         shift \"$SLURM_ARRAY_TASK_ID\"\n\
         # `exec`: the signal must reach the program and not a shell that waits for it.\n\
         exec {} \"$1\" {}\n",
        quoted(words)?,
        quoted(options.arguments())?
    ))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} has no absolute path", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::sweep::tests::tiny;
    use super::*;
    use crate::device::DeviceChoice;

    #[test]
    fn the_script_survives_odd_names() {
        let starter = Starter {
            program: "/opt/my programs/native".into(),
            folder: "/data/100%a/it's a sweep".into(),
            sweep: tiny(),
            options: RunOptions {
                device: DeviceChoice::Gpu,
                roms: Some("/my roms".into()),
                env_threads: None,
                save_every: None,
                keep_checkpoints: 2,
            },
            threads: None,
        };
        let folder = starter.folder.join(SLURM);
        let runs = tiny().runs();
        let script = job_script(&starter, &folder, &runs, Some(2)).expect("no zero bytes");
        assert!(script.contains("#SBATCH --array=0-7%2\n"), "{script}");
        assert!(script.contains("\nset -- Pong__ppo__1 Pong__ppo__2 "), "{script}");
        let one = job_script(&starter, &folder, &runs[..1], None).expect("no zero bytes");
        assert!(one.contains("#SBATCH --array=0-0\n"), "{one}");
        assert!(script.contains("#SBATCH --requeue\n"), "{script}");
        let last = script.lines().last().expect("lines");
        let words = shlex::split(last).expect("quoted as a shell reads it");
        let expected = [
            "exec",
            "/opt/my programs/native",
            "bench",
            "task",
            "/data/100%a/it's a sweep",
            "$1",
            "--device",
            "gpu",
            "--roms",
            "/my roms",
            "--keep-checkpoints",
            "2",
        ];
        assert_eq!(words, expected);
        assert!(
            script.contains("/slurm/task-%A_%a.log\"") && script.contains("/100%%a/"),
            "{script}"
        );
    }
}
