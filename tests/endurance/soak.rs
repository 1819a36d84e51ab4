//! Hours of work in a memory that does not grow: a training that is stopped at the end, and an evaluation.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::campaign::size;
use crate::common::{finish, native};

/// Growth that counts as none: allocators keep a little more now and then.
const ALLOWED_SHARE: f64 = 0.05;
const ALLOWED_MB: f64 = 8.0;

/// Seconds of a soak; `DEEPSPI_SOAK_MINUTES` gives another length than an hour.
fn duration() -> Duration {
    let minutes =
        std::env::var("DEEPSPI_SOAK_MINUTES").ok().and_then(|text| text.parse::<u64>().ok());
    Duration::from_secs(size(10, minutes.unwrap_or(60) * 60))
}

/// Resident memory of a process in MB; none if it has ended.
fn resident(id: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// Waits until a process has what it needs, for which a busy machine takes long: the memory of three seconds is equal to
/// a hundredth.
fn warm_up(child: &Child) {
    let (start, mut samples) = (Instant::now(), Vec::new());
    while start.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(250));
        samples.extend(resident(child.id()));
        let last = &samples[samples.len().saturating_sub(12)..];
        let (low, high) = last.iter().fold((f64::MAX, 0.0_f64), |(l, h), x| (l.min(*x), h.max(*x)));
        if last.len() == 12 && high <= low * 1.01 {
            return;
        }
    }
}

/// Watches a process for the time of a soak.
fn watch(what: &str, child: &mut Child, time: Duration) {
    warm_up(child);
    let (start, mut samples) = (Instant::now(), Vec::new());
    while start.elapsed() < time {
        std::thread::sleep((time / 400).max(Duration::from_millis(25)));
        assert!(child.try_wait().expect("a child").is_none(), "{what} ended too early");
        samples.extend(resident(child.id()));
    }
    // The second and the last quarter: the first one fills buffers.
    let quarter = samples.len() / 4;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (early, late) = (mean(&samples[quarter..2 * quarter]), mean(&samples[3 * quarter..]));
    println!(
        "{what}: {:.0} s, {early:.1} MB in the second quarter, {late:.1} MB in the last one; by tenths {:.1?}",
        time.as_secs_f64(),
        samples.chunks(samples.len().div_ceil(10)).map(mean).collect::<Vec<_>>()
    );
    assert!(
        late <= early * (1.0 + ALLOWED_SHARE) + ALLOWED_MB,
        "{what} grew from {early:.1} MB to {late:.1} MB"
    );
}

fn training(run: &Path, steps: &str) -> Command {
    let mut command = native();
    command.args([
        "--env",
        "Breakout",
        "--network",
        "small",
        "--num-envs",
        "8",
        "--num-steps",
        "16",
    ]);
    command.args([
        "--num-minibatches",
        "4",
        "--update-epochs",
        "1",
        "--device",
        "cpu",
        "--total-timesteps",
        steps,
    ]);
    command
        .args(["--save-every", "2048", "--run-dir"])
        .arg(run)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn a_training_stays_as_large_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let mut child = training(&run, "1e12").spawn().expect("starts");
    watch("training", &mut child, duration());
    let stopped = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(stopped.expect("kill exists").success());
    assert_eq!(child.wait().expect("ends").code(), Some(0), "a stop is no error");
    let kept = crate::common::checkpoints(&run);
    assert!(!kept.is_empty() && kept.len() <= 4, "old checkpoints are removed: {kept:?}");
}

#[test]
fn an_evaluation_stays_as_large_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    finish(&mut training(&run, "128")).succeeded();
    let mut evaluate = native();
    evaluate.args(["evaluate", "--episodes", "100000", "--device", "cpu"]).arg(&run);
    let mut child = evaluate.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    watch("evaluation", &mut child, duration());
    child.kill().expect("killed");
    child.wait().expect("ended");
}
