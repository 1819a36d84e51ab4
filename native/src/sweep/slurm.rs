//! Sweeps on a cluster: job arrays of Slurm, with one task per run.
//!
//! Slurm decides where and when each run is trained, and what happens after a node fails. It only
//! needs tasks that can be started again at any time. `native bench task` is such a task, because a
//! run continues from its own folder. The script of an array lists the run of each task, and Slurm
//! copies the script. So a sweep can grow, and a second array can train the runs that the first
//! left, while the tasks of the first keep their runs.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::args::RunOptions;
use super::child::Starter;
use super::run_status::{RunState, RunStatus};
use super::specification::RunId;
use crate::terminal::say;
use crate::whole_file::{is_absent, write_whole};

/// Folder of Slurm's scripts and logs, in the folder of the sweep.
pub const FOLDER: &str = "slurm";
/// Seconds before its time limit at which a task is told to save and end. An iteration takes a
/// fraction of this time.
const GRACE: u32 = 120;
/// File with the numbers of the newest job arrays, one per line, in the folder of Slurm's files:
/// `number`, or with several clusters `number;cluster`.
const JOBS: &str = "job_id";
/// Largest number of tasks in one array: Slurm's default limit for task numbers is 1000.
const MOST_TASKS: usize = 1000;

/// Checks that Slurm is installed.
///
/// # Errors
/// If it is not; the message says what to install, or how to work without it.
pub fn require() -> Result<()> {
    slurm(Command::new("sbatch").arg("--version")).map(drop).context(
        "submit from a machine of the cluster, or leave out --launcher slurm to run the sweep on this one",
    )
}

/// Submits job arrays for all runs that are neither finished nor running.
///
/// # Errors
/// If Slurm is not installed, refuses a job, or still has an earlier job of this sweep.
pub fn submit(
    starter: &Starter,
    runs: &[RunStatus],
    jobs: Option<u64>,
    arguments: Option<&str>,
) -> Result<()> {
    refuse_if_queued(&starter.folder)?;
    let further = match arguments {
        None => Vec::new(),
        Some(text) => shlex::split(text)
            .with_context(|| format!("--slurm-args has an unclosed quotation mark: {text}"))?,
    };
    let open = |run: &&RunStatus| !run.is_complete() && run.state != RunState::Running;
    let open: Vec<RunId> = runs.iter().filter(open).map(|run| run.id).collect();
    if open.is_empty() {
        bail!("every run is being trained; `native bench status` shows the progress");
    }
    let folder = absolute(&starter.folder)?.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut submitted: Vec<String> = Vec::new();
    for (number, runs) in (1..).zip(open.chunks(MOST_TASKS)) {
        let script = folder.join(format!("job-{number}.sh"));
        write_whole(&script, job_script(starter, &folder, runs, jobs)?.as_bytes())?;
        let output = slurm(Command::new("sbatch").arg("--parsable").args(&further).arg(&script))?;
        if !output.status.success() {
            bail!(
                "Slurm refuses {}: {}; change the options of sbatch with --slurm-args{}",
                script.display(),
                said(&output.stderr),
                if submitted.is_empty() { "" } else { " (the arrays before it are in the queue)" }
            );
        }
        let job = said(&output.stdout);
        say!("job array {job} with {} runs", runs.len());
        submitted.push(job);
        // Written after each array, because a later one may be refused.
        write_whole(&folder.join(JOBS), submitted.join("\n").as_bytes())?;
    }
    say!(
        "`native bench status {}` shows the progress; the same command submits the runs that are left",
        starter.folder.display()
    );
    Ok(())
}

/// Refuses an action that is impossible while Slurm has jobs of the sweep in the folder `sweep`: a
/// second array would only wait for the first, and a task whose run was deleted would begin it
/// again.
///
/// # Errors
/// If Slurm has such jobs, or cannot tell.
pub fn refuse_if_queued(sweep: &Path) -> Result<()> {
    let file = sweep.join(FOLDER).join(JOBS);
    let jobs = match fs::read_to_string(&file) {
        Err(error) if is_absent(&error) => return Ok(()),
        jobs => jobs.with_context(|| format!("cannot read {}", file.display()))?,
    };
    for job in jobs.lines().filter(|line| !line.is_empty()) {
        let is_queued = is_queued(job).with_context(|| {
            format!(
                "cannot tell whether job array {job} of this sweep is still in Slurm's queue; try again \
                 later, or remove {} if you know that it is not",
                file.display()
            )
        })?;
        if is_queued {
            bail!(
                "job array {job} of this sweep is still in Slurm's queue; wait for it, or end it with `scancel {}`",
                named(job).join(" ")
            );
        }
    }
    Ok(())
}

/// Arguments that name a job to Slurm's commands.
fn named(job: &str) -> Vec<String> {
    match job.split_once(';') {
        Some((number, cluster)) => vec![format!("--clusters={cluster}"), number.to_owned()],
        None => vec![job.to_owned()],
    }
}

fn is_queued(job: &str) -> Result<bool> {
    let mut words = named(job);
    words.insert(words.len() - 1, "--jobs".into());
    let output = slurm(Command::new("squeue").arg("--noheader").args(words))?;
    // Slurm forgets jobs some minutes after their end. Other errors say nothing about the job.
    let error = said(&output.stderr);
    if !output.status.success() {
        return if error.contains("Invalid job id") { Ok(false) } else { Err(anyhow!(error)) };
    }
    // For another cluster, Slurm may first print the name of the cluster.
    Ok(said(&output.stdout).lines().any(|line| !line.starts_with("CLUSTER:")))
}

/// Output of a command of Slurm as text.
fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn slurm(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!(
            "Slurm is not installed here: there is no `{name}` (package slurm-wlm of Debian and Ubuntu)"
        ),
        _ => anyhow::Error::new(error).context(format!("cannot start `{name}`")),
    })
}

/// The job script for Slurm.
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
        let words: Vec<&str> = words.iter().map(|word| text(word)).collect::<Result<_>>()?;
        shlex::try_join(words).context("a path with a zero byte cannot be written into a script")
    };
    let last = runs.len().saturating_sub(1);
    let at_a_time = jobs.map(|jobs| format!("%{jobs}")).unwrap_or_default();
    // The names contain no character that is special in a shell: `Breakout__deep-spi__1`.
    let names: String = runs.iter().map(|id| format!(" {id}")).collect();
    // In file names Slurm replaces what follows a percent sign.
    let logs = text(folder.as_os_str())?.replace('%', "%%");
    ensure!(
        !logs.contains(['"', '\n']),
        "{logs} cannot be named in a script for Slurm, because of its quotation mark or line break; choose another folder with --out"
    );
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

/// A word or path as text. A script is text, and another path than the one that is meant must not be written into it.
fn text(word: &OsStr) -> Result<&str> {
    word.to_str().with_context(|| {
        format!(
            "{} is not Unicode, so it cannot be written into a script for Slurm; choose other folders",
            word.display()
        )
    })
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} has no absolute path", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::specification::tests::tiny;
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
                keep_checkpoints: Some(2),
            },
            threads: None,
        };
        let folder = starter.folder.join(FOLDER);
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

    #[cfg(unix)]
    #[test]
    fn a_folder_that_no_script_can_name_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        for odd in [&b"/data/caf\xe9"[..], b"/data/\"quoted\"", b"/data/two\nlines"] {
            let starter = Starter {
                program: "native".into(),
                folder: OsStr::from_bytes(odd).into(),
                sweep: tiny(),
                options: RunOptions {
                    device: DeviceChoice::Gpu,
                    roms: None,
                    env_threads: None,
                    save_every: None,
                    keep_checkpoints: None,
                },
                threads: None,
            };
            let folder = starter.folder.join(FOLDER);
            let error = job_script(&starter, &folder, &tiny().runs(), None).expect_err("refused");
            let error = error.to_string();
            assert!(error.contains("/data/") && error.contains("Slurm"), "{error}");
        }
    }
}
