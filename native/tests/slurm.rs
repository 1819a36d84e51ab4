//! A sweep as a job array of a real Slurm with one node, which the test starts on loopback and
//! stops at the end. It needs Debian's package `slurm-wlm`; without it the test says that it was
//! skipped.
//!
//! Scripts with the names of Slurm's programs replace it for cases that one node cannot show:
//! several clusters, a controller that is down, many runs.
#![cfg(unix)]

mod common;

use std::env;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{ITERATION, TINY, checkpoints, finish, native};
use native::sweep::RecordedStatus;
use native::sweep::{RunId, RunRecord, RunStatus, Sweep};

/// Agent steps of a run.
const STEPS: u64 = 80 * ITERATION;
/// Longer than any wait of these tests on a busy machine; Slurm checks its queue every few seconds.
const LIMIT: Duration = Duration::from_secs(400);
const DAEMONS: [&str; 3] = ["munged", "slurmctld", "slurmd"];

/// The path of a program; daemons are not in the `PATH` of ordinary users.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[track_caller]
fn wait_until(what: &str, slurm: &Slurm, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < LIMIT,
            "{what} did not happen within {LIMIT:?}: {}",
            slurm.logs()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A Slurm cluster on this machine.
struct Slurm {
    folder: PathBuf,
    daemons: Vec<Child>,
}

impl Slurm {
    /// Starts the cluster as the user who runs the test; all of its files are in `folder`.
    fn start(folder: &Path) -> Self {
        for name in ["state", "spool"] {
            fs::create_dir(folder.join(name)).expect("created");
        }
        let key = folder.join("munge.key");
        // The key is not secret, because only this test uses the cluster.
        fs::write(&key, [7; 128]).expect("written");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("changed");
        let host = hostname::get().expect("a name").to_string_lossy().into_owned();
        let host = host.split('.').next().expect("a first part").to_owned();
        fs::write(folder.join("slurm.conf"), configuration(folder, &host)).expect("written");
        let mut slurm = Self { folder: folder.to_owned(), daemons: Vec::new() };
        let file = |name: &str| folder.join(name).display().to_string();
        slurm.daemon(
            "munged",
            &[
                "--foreground".into(),
                format!("--key-file={}", key.display()),
                format!("--socket={}", file("munge.socket")),
                format!("--pid-file={}", file("munged.pid")),
                format!("--log-file={}", file("munged.log")),
                format!("--seed-file={}", file("munged.seed")),
            ],
        );
        wait_until("munge", &slurm, || folder.join("munge.socket").exists());
        slurm.daemon("slurmctld", &["-D".into()]);
        slurm.daemon("slurmd", &["-D".into(), "-N".into(), host]);
        wait_until("a node that is ready", &slurm, || {
            slurm.ask("sinfo", &["-h", "-o", "%T"]) == "idle"
        });
        slurm
    }

    fn daemon(&mut self, name: &str, arguments: &[String]) {
        let output = fs::File::create(self.folder.join(format!("{name}.out"))).expect("created");
        let child = Command::new(find(name).expect("looked for before"))
            .args(arguments)
            .env("SLURM_CONF", self.folder.join("slurm.conf"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn();
        self.daemons.push(child.expect("the daemon starts"));
    }

    /// The output of a command of Slurm.
    fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(arguments).env("SLURM_CONF", self.folder.join("slurm.conf"));
        let output = command.output().expect("the program starts");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// This program, with an environment in which it finds the cluster.
    fn native(&self) -> Command {
        let mut command = native();
        command.env("SLURM_CONF", self.folder.join("slurm.conf"));
        command
    }

    fn logs(&self) -> String {
        let names = ["munged.log", "slurmctld.log", "slurmd.log", "slurmctld.out", "slurmd.out"];
        let read = |name: &&str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let end = |text: String| {
            let lines: Vec<_> = text.lines().collect();
            lines[lines.len().saturating_sub(15)..].join("\n")
        };
        names.iter().map(|name| format!("\n--- {name}\n{}", end(read(name)))).collect()
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Jobs continue to run after their daemons end.
            self.ask("scancel", &["--me"]);
            std::thread::sleep(Duration::from_secs(3));
        }
        for daemon in self.daemons.iter_mut().rev() {
            // A daemon that has already ended cannot be killed.
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }
}

/// The configuration avoids everything that a sandbox may forbid: no control groups, no accounting,
/// no other host.
fn configuration(folder: &Path, host: &str) -> String {
    // Both ports are held until both are known, so that they differ.
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let [controller, node] = held.each_ref().map(|l| l.local_addr().expect("bound").port());
    let user = Command::new("id").arg("-un").output().expect("id exists").stdout;
    let user = String::from_utf8_lossy(&user).trim().to_owned();
    let folder = folder.display();
    format!(
        "ClusterName=test\n\
         SlurmctldHost={host}(127.0.0.1)\n\
         SlurmctldPort={controller}\n\
         SlurmdPort={node}\n\
         SlurmUser={user}\n\
         SlurmdUser={user}\n\
         AuthType=auth/munge\n\
         CredType=cred/munge\n\
         # A job that is put back waits until its old credential has expired.\n\
         AuthInfo=socket={folder}/munge.socket,cred_expire=5\n\
         StateSaveLocation={folder}/state\n\
         SlurmdSpoolDir={folder}/spool\n\
         SlurmctldPidFile={folder}/slurmctld.pid\n\
         SlurmdPidFile={folder}/slurmd.pid\n\
         SlurmctldLogFile={folder}/slurmctld.log\n\
         SlurmdLogFile={folder}/slurmd.log\n\
         ProctrackType=proctrack/pgid\n\
         TaskPlugin=task/none\n\
         JobAcctGatherType=jobacct_gather/none\n\
         AccountingStorageType=accounting_storage/none\n\
         SelectType=select/cons_tres\n\
         SelectTypeParameters=CR_CPU\n\
         SlurmdParameters=config_overrides\n\
         SwitchType=switch/none\n\
         MpiDefault=none\n\
         ReturnToService=2\n\
         KillWait=20\n\
         NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN\n\
         PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
    )
}

#[test]
fn a_job_array_trains_a_sweep_and_survives_a_requeue() {
    if DAEMONS.iter().chain(&["sbatch", "squeue"]).any(|program| find(program).is_none()) {
        // Written directly to standard error, because the harness hides what a passing test prints.
        drop(std::io::stderr().write_all(b"SKIPPED: slurm-wlm is not installed\n"));
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cluster = folder.path().join("slurm");
    fs::create_dir(&cluster).expect("created");
    let slurm = Slurm::start(&cluster);

    let suite = folder.path().join("suite.txt");
    fs::write(&suite, "Breakout\n").expect("written");
    // A name that a shell would split.
    let sweep_folder = folder.path().join("a sweep");
    let bench = || {
        let mut command = slurm.native();
        command.args(["bench", "--launcher", "slurm", "--slurm-args", "--time=30 --comment='a b'"]);
        command.arg("--suite").arg(&suite).arg("--out").arg(&sweep_folder);
        command.args(["--algos", "ppo", "--seeds", "2", "--device", "cpu", "--env-threads", "1"]);
        command.args(["--total-timesteps", &STEPS.to_string(), "--save-every", "80"]).args(TINY);
        command
    };
    let submitted = finish(&mut bench());
    submitted.succeeded();
    assert!(submitted.stdout.contains("with 2 runs"), "{}", submitted.stdout);
    for more in [&[][..], &["--overwrite"]] {
        finish(bench().args(more))
            .refused_in_one_paragraph(&["still in Slurm's queue", "`scancel "]);
    }

    let sweep = Sweep::open(&sweep_folder).expect("a sweep");
    let statuses = || -> Vec<RunStatus> {
        sweep.runs().into_iter().map(|id| RunStatus::read(&sweep_folder, id, STEPS)).collect()
    };
    let first = sweep.runs()[0].folder(&sweep_folder);
    wait_until("the first checkpoint", &slurm, || !checkpoints(&first).is_empty());
    let job = fs::read_to_string(sweep_folder.join("slurm").join("job_id")).expect("written");
    slurm.ask("scontrol", &["requeue", &format!("{job}_0")]);
    // This waits for the record and not for the folder's lock: the run releases its folder some
    // time before the task that started it records how it ended.
    let record = || RunRecord::read(&first).expect("a record");
    wait_until("the end of the task that was put back", &slurm, || {
        record().status != RecordedStatus::Running
    });
    let stopped = record();
    assert_ne!(
        stopped.status,
        RecordedStatus::Done,
        "it ended before it could be put back: make STEPS larger"
    );
    assert_eq!(
        stopped.status,
        RecordedStatus::Stopped,
        "Slurm's signal must be a stop: {stopped:?}"
    );
    let at = statuses()[0].step;
    assert_eq!(checkpoints(&first).last(), Some(&at), "and a stop must save");

    let status = || finish(slurm.native().args(["bench", "status"]).arg(&sweep_folder));
    wait_until("the end of the sweep", &slurm, || {
        let record = |id: RunId| RunRecord::read(&id.folder(&sweep_folder));
        let is_done = |id| record(id).is_some_and(|record| record.status == RecordedStatus::Done);
        sweep.runs().into_iter().all(is_done)
    });
    assert!(status().succeeded().stdout.contains("2 of 2 runs finished"));
    wait_until("an empty queue", &slurm, || slurm.ask("squeue", &["-h"]).is_empty());
    let log = fs::read_to_string(first.join("metrics.jsonl")).expect("a log");
    let resumed: Vec<_> = log.lines().filter(|line| line.contains("\"resumed\"")).collect();
    assert_eq!(resumed.len(), 1, "put back once, continued once");
    assert!(resumed[0].contains(&format!("{at}")), "from where it saved: {resumed:?}");
    for (id, attempts) in sweep.runs().into_iter().zip([2, 1]) {
        let record = RunRecord::read(&id.folder(&sweep_folder)).expect("a record");
        assert_eq!((record.status, record.attempts), (RecordedStatus::Done, attempts), "{id}");
    }

    // Nothing is left to submit, so the report is made.
    finish(&mut bench()).succeeded();
    assert!(sweep_folder.join("report/index.html").is_file());

    // A job that Slurm has forgotten does not prevent anything.
    fs::write(sweep_folder.join("slurm").join("job_id"), "424242").expect("written");
    let anew = finish(bench().arg("--overwrite"));
    assert!(anew.succeeded().stdout.contains("with 2 runs"), "{}", anew.stdout);
    slurm.ask("scancel", &["--me"]);
    wait_until("an empty queue", &slurm, || slurm.ask("squeue", &["-h"]).is_empty());
}

/// Scripts with the names of Slurm's programs. Jobs get the numbers 1, 2 and so on, on the cluster
/// `east`.
struct Scripted {
    folder: PathBuf,
}

impl Scripted {
    fn new(folder: &Path) -> Self {
        let script = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, format!("#!/bin/sh\nhere=$(dirname \"$0\")\n{text}\n"))
                .expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("changed");
        };
        script(
            "sbatch",
            "[ \"$1\" = --version ] && exit\n\
             echo \"$@\" >> \"$here/submitted\"\n\
             echo \"$(($(wc -l < \"$here/submitted\")));east\"",
        );
        script("squeue", ". \"$here/answer\"");
        Self { folder: folder.to_owned() }
    }

    /// Sets what `squeue` does from now on.
    fn answer(&self, script: &str) {
        fs::write(self.folder.join("answer"), script).expect("written");
    }

    /// Number of submitted jobs.
    fn jobs(&self) -> usize {
        let submitted = fs::read_to_string(self.folder.join("submitted")).unwrap_or_default();
        submitted.lines().count()
    }

    /// This program, with a `PATH` in which it finds the scripts first.
    fn native(&self) -> Command {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.folder.clone()).chain(env::split_paths(&path));
        let mut command = native();
        command.env("PATH", env::join_paths(folders).expect("plain names"));
        command
    }
}

#[test]
fn nothing_is_submitted_or_deleted_while_slurm_may_have_the_sweep() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let slurm = Scripted::new(folder);
    let suite = folder.join("suite.txt");
    fs::write(&suite, "Breakout\n").expect("written");
    let sweep = folder.join("sweep");
    let bench = |arguments: &[&str]| {
        let mut command = slurm.native();
        command.arg("bench").arg("--suite").arg(&suite).arg("--out").arg(&sweep);
        command.args(["--algos", "ppo", "--seeds", "1001", "--device", "cpu"]).args(TINY);
        finish(command.args(arguments))
    };
    let submit = ["--launcher", "slurm"];

    // More runs than one array may have tasks.
    let submitted = bench(&submit);
    submitted.succeeded();
    for words in ["job array 1;east with 1000 runs", "job array 2;east with 1 runs"] {
        assert!(submitted.stdout.contains(words), "{}", submitted.stdout);
    }
    let text = |name: &str| fs::read_to_string(sweep.join("slurm").join(name)).expect("written");
    assert_eq!(text("job_id"), "1;east\n2;east");
    assert!(text("job-1.sh").contains("--array=0-999\n"), "numbers up to 1000 are allowed");
    let second = text("job-2.sh");
    assert!(second.contains("--array=0-0\n") && second.contains(" Breakout__ppo__1001\n"));

    let forgotten = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1";
    let only_the_second = format!(
        "case \"$*\" in *'--clusters=east --jobs 2') echo 2_0 test;; *) {forgotten};; esac"
    );
    let down = "echo 'Unable to contact slurm controller' >&2; exit 1";
    let in_queue = ["array 2;east of this sweep is still", "`scancel --clusters=east 2`"];
    let unknown = ["array 1;east", "Unable to contact slurm controller", "job_id", "try again"];
    for (answer, words) in [(only_the_second.as_str(), &in_queue[..]), (down, &unknown)] {
        slurm.answer(answer);
        for arguments in [&submit[..], &["--launcher", "slurm", "--overwrite"], &["--overwrite"]] {
            bench(arguments).refused_in_one_paragraph(words);
        }
    }
    assert_eq!(slurm.jobs(), 2, "what is refused is not submitted");
    assert_eq!(text("job_id"), "1;east\n2;east", "and deletes nothing");

    for (answer, arguments, jobs) in [
        (forgotten, ["--launcher", "slurm", "--overwrite"], "3;east\n4;east"),
        // `squeue` prints the name of the cluster even when it has no such job.
        ("echo 'CLUSTER: east'", ["--launcher", "slurm", "--jobs=2"], "5;east\n6;east"),
    ] {
        slurm.answer(answer);
        bench(&arguments).succeeded();
        assert_eq!(text("job_id"), jobs);
    }
    assert!(text("job-2.sh").contains("--array=0-0%2\n"), "the limit is that of each array");
}
