//! Thousands of damaged inputs: the program never panics, aborts or hangs, and each error names the thing.
//!
//! Every input goes to a process of its own, so that an abort or a hang of one is seen and stops nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::campaign::{Ended, copy_folder, is_full, run_within, seed, size, small_maze};
use crate::common::{finish, native};
use crate::mutation::{Mutation, Mutator, mutated, smallest};

/// A process that takes longer hangs; it usually takes a hundredth of a second.
const LIMIT: Duration = Duration::from_secs(30);

/// A kind of input.
struct Target<'a> {
    name: &'a str,
    /// Valid files, of which one is changed.
    seeds: Vec<PathBuf>,
    /// Starts the program on this changed file, of the seed of this number.
    run: &'a (dyn Fn(&Path, usize) -> Command + Sync),
    /// Puts the changed bytes where the program reads them; returns the file.
    place: &'a (dyn Fn(&Path, usize, &[u8]) -> PathBuf + Sync),
    /// Words of which an error must contain one.
    words: &'a [&'a str],
    /// Exit codes that say something else than bad input.
    other_codes: &'a [i32],
}

impl Target<'_> {
    /// Whether the input was refused; or the fault.
    fn judge(&self, folder: &Path, number: usize, bytes: &[u8]) -> Result<bool, String> {
        let file = (self.place)(folder, number, bytes);
        let ended: Ended = run_within(&mut (self.run)(&file, number), LIMIT);
        let unexplained = || {
            let named = self.words.iter().any(|word| ended.stderr.contains(word));
            (ended.code == Some(2) && !named)
                .then(|| format!("the error names nothing: {}", ended.stderr))
        };
        match ended.fault(self.other_codes).or_else(unexplained) {
            Some(fault) => Err(fault),
            None => Ok(ended.code != Some(0)),
        }
    }

    /// Tries `count` changed inputs.
    fn campaign(&self, short: u64, full: u64) {
        let count = size(short, full);
        let threads =
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8) as u64;
        let refused: u64 = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads)
                .map(|part| scope.spawn(move || self.part(part, count.div_ceil(threads))))
                .collect();
            parts.into_iter().map(|part| part.join().expect("a fault was found")).sum()
        });
        println!(
            "{}: {count} changed inputs, {refused} of them refused; no panic, abort or hang",
            self.name
        );
    }

    fn part(&self, part: u64, count: u64) -> u64 {
        let folder = tempfile::tempdir().expect("a folder");
        let seeds: Vec<Vec<u8>> =
            self.seeds.iter().map(|path| fs::read(path).expect("a seed")).collect();
        let mut mutator = Mutator::new(seed() * 1000 + part);
        let mut refused = 0;
        for _ in 0..count {
            let number = mutator.below(seeds.len());
            let changes = mutator.changes();
            let bytes = mutated(&seeds[number], &changes);
            let refusal = self.judge(folder.path(), number, &bytes);
            refused += u64::from(refusal == Ok(true));
            if let Err(fault) = refusal {
                let fails = |fewer: &[Mutation]| {
                    self.judge(folder.path(), number, &mutated(&seeds[number], fewer)).is_err()
                };
                let fewest = smallest(&changes, fails);
                panic!("{}: {} with {fewest:?}: {fault}", self.name, self.seeds[number].display());
            }
        }
        refused
    }
}

/// A short run on the maze with two checkpoints.
fn trained(run: &Path) {
    let mut command = small_maze(run, 64);
    command.args(["--total-timesteps", "1024", "--save-every", "512"]);
    finish(&mut command).succeeded();
}

/// Places the bytes as a file of this name.
fn as_file(name: &'static str) -> impl Fn(&Path, usize, &[u8]) -> PathBuf + Sync {
    move |folder, _, bytes| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("written");
        path
    }
}

#[test]
fn configurations() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    trained(&run);
    let game = folder.path().join("game.toml");
    let printed = finish(native().args([
        "--print-config",
        "--env",
        "Pong",
        "--stochastic",
        "--algo",
        "dream-spi",
    ]));
    fs::write(&game, &printed.succeeded().stdout).expect("written");
    let target = Target {
        name: "configurations",
        seeds: vec![run.join("config.toml"), game],
        run: &|file, _| {
            let mut command = native();
            command.args(["--print-config", "--config"]).arg(file);
            command
        },
        place: &as_file("changed.toml"),
        words: &["changed.toml", "config field"],
        other_codes: &[],
    };
    target.campaign(150, 10_000);
}

#[test]
fn suites_and_sweeps() {
    let folder = tempfile::tempdir().expect("a folder");
    let suite = folder.path().join("suite.toml");
    fs::write(&suite, "games = [\"Pong\", \"Breakout\"]\nseeds = 3\n\n[config]\ngamma = 0.9\nnum_envs = 4\nnum_steps = 8\n")
        .expect("written");
    let list = folder.path().join("list.txt");
    fs::write(&list, "Pong\n# a comment\nMsPacman # another\nBreakout\n").expect("written");
    let target = Target {
        name: "suites",
        seeds: vec![suite, list],
        run: &|file, _| {
            let mut command = native();
            // Without `sbatch` it ends when it has read all it needs.
            command
                .args(["bench", "--launcher", "slurm", "--algos", "ppo", "--out"])
                .env("PATH", "");
            command.arg(file.with_file_name("sweep")).arg("--suite").arg(file);
            command
        },
        place: &|folder, number, bytes| {
            let path = folder.join(["changed.toml", "changed.txt"][number]);
            fs::write(&path, bytes).expect("written");
            path
        },
        words: &["changed", "config field", "seeds", "sbatch"],
        other_codes: &[],
    };
    target.campaign(60, 10_000);
}

#[test]
fn logs_of_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    trained(&run);
    let config = run.join("config.toml");
    let target = Target {
        name: "run folders: metrics.jsonl and config.toml, read by curve",
        seeds: vec![run.join("metrics.jsonl"), config.clone()],
        run: &|file, _| {
            let run = file.parent().expect("a folder");
            let mut command = native();
            command
                .args(["curve", "--window", "64", "--out"])
                .arg(run.with_file_name("curve.svg"))
                .arg(run);
            command
        },
        place: &|folder, number, bytes| {
            let run = folder.join("run");
            fs::create_dir_all(&run).expect("created");
            fs::copy(&config, run.join("config.toml")).expect("copied");
            fs::copy(config.with_file_name("metrics.jsonl"), run.join("metrics.jsonl"))
                .expect("copied");
            let path = run.join(["metrics.jsonl", "config.toml"][number]);
            fs::write(&path, bytes).expect("written");
            path
        },
        words: &["run"],
        other_codes: &[],
    };
    target.campaign(100, 10_000);
}

/// Files of a checkpoint, in the order of [`CHECKPOINT`]; the manifest fits the changed file, so that what reads it is
/// reached.
const CHECKPOINT: [&str; 5] =
    ["state.json", "model.safetensors", "optimiser.safetensors", "environments.bin", "SHA256SUMS"];

fn checkpoint_target(name: &str, run: &(dyn Fn(&Path, usize) -> Command + Sync), short: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let original = folder.path().join("run");
    trained(&original);
    let newest = original.join("checkpoints/step_000000001024");
    let target = Target {
        name,
        seeds: CHECKPOINT.iter().map(|file| newest.join(file)).collect(),
        run,
        place: &|folder, number, bytes| {
            let run = folder.join("run");
            if run.exists() {
                fs::remove_dir_all(&run).expect("removed");
            }
            copy_folder(&original, &run);
            // Only one checkpoint, so that no other one takes its place.
            fs::remove_dir_all(run.join("checkpoints/step_000000000512")).expect("removed");
            let checkpoint = run.join("checkpoints/step_000000001024");
            fs::write(checkpoint.join(CHECKPOINT[number]), bytes).expect("written");
            if CHECKPOINT[number] != "SHA256SUMS" {
                let lines = CHECKPOINT[..4]
                    .iter()
                    .filter(|name| checkpoint.join(name).exists())
                    .map(|name| {
                        let bytes = fs::read(checkpoint.join(name)).expect("there");
                        let digest: String = Sha256::digest(&bytes)
                            .iter()
                            .map(|byte| format!("{byte:02x}"))
                            .collect();
                        format!("{digest}  {name}\n")
                    });
                fs::write(checkpoint.join("SHA256SUMS"), lines.collect::<String>())
                    .expect("written");
            }
            run
        },
        words: &["step_000000001024", "checkpoint", "run"],
        other_codes: &[],
    };
    target.campaign(short, 10_000);
}

#[test]
fn checkpoints_that_are_continued() {
    let on = |run: &Path, _: usize| {
        let mut command = native();
        command.args(["--device", "cpu", "--total-timesteps", "1536", "--resume"]).arg(run);
        command
    };
    checkpoint_target("checkpoints, continued", &on, 100);
}

#[test]
fn checkpoints_that_are_evaluated() {
    let evaluate = |run: &Path, _: usize| {
        let mut command = native();
        command.args(["evaluate", "--episodes", "1", "--overwrite", "--device", "cpu"]).arg(run);
        command
    };
    checkpoint_target("checkpoints, evaluated", &evaluate, 80);
}

#[test]
fn golden_files() {
    let Some(root) = std::env::var_os("CARGO_MANIFEST_DIR") else { return };
    let fixtures = Path::new(&root).join("../tests/fixtures/golden");
    let mut seeds: Vec<PathBuf> = fs::read_dir(fixtures)
        .expect("listed")
        .map(|entry| entry.expect("listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    seeds.sort();
    if !is_full() {
        // The smallest files, which take the least time.
        seeds.sort_by_key(|path| fs::metadata(path).expect("there").len());
        seeds.truncate(8);
    }
    let target = Target {
        name: "golden files",
        seeds,
        run: &|file, _| {
            let mut command = native();
            command.args(["parity", "--device", "cpu"]).arg(file);
            command
        },
        place: &as_file("changed.json"),
        words: &["changed.json"],
        // Numbers that differ.
        other_codes: &[1],
    };
    target.campaign(40, 10_000);
}

#[test]
fn cartridges() {
    let folder = tempfile::tempdir().expect("a folder");
    let cartridge = folder.path().join("rom.a26");
    fs::write(&cartridge, deepspi_worlds::cartridge::ROM).expect("written");
    let target = Target {
        name: "cartridges",
        seeds: vec![cartridge],
        run: &|file, _| {
            let mut command = native();
            command
                .args([
                    "--env",
                    "Pong",
                    "--device",
                    "cpu",
                    "--num-envs",
                    "1",
                    "--num-steps",
                    "4",
                    "--num-minibatches",
                    "1",
                    "--total-timesteps",
                    "4",
                    "--roms",
                ])
                .arg(file);
            command.arg("--runs-dir").arg(file.with_file_name("runs"));
            command
        },
        place: &as_file("changed.a26"),
        words: &["changed.a26"],
        other_codes: &[],
    };
    target.campaign(60, 10_000);
}
