//! What users do to the program: configurations of earlier runs, spellings of numbers, folders on other disks, sessions
//! without a desktop. Each was a fault once.

mod common;

use std::fs;
use std::path::Path;

use common::{Finished, TINY, checkpoint, checkpoints, finish, native, resume};
use sha2::{Digest as _, Sha256};

/// A short run on a world, in this folder.
fn trained(run: &Path, world: &[&str]) -> Finished {
    let mut command = native();
    command.args(world).args(["--device", "cpu", "--total-timesteps", "512", "--run-dir"]).arg(run);
    finish(&mut command)
}

fn printed(arguments: &[&str]) -> Finished {
    finish(native().args(["--print-config"]).args(arguments))
}

#[test]
fn the_configuration_of_a_run_makes_the_same_run_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    trained(&run, &["--env", "maze", "--epsilon", "0.25", "--cue", "0.5"]).succeeded();
    let file = run.join("config.toml").display().to_string();
    let again = printed(&["--config", &file]);
    let table = again.succeeded().stdout.split("[run.maze]").nth(1).expect("the maze").to_owned();
    assert!(table.contains("epsilon = 0.25") && table.contains("cue = 0.5"), "{table}");
    // What was printed is such a file, too, and flags win over it.
    let copy = folder.path().join("copy.toml");
    fs::write(&copy, &again.stdout).expect("written");
    let copy = copy.display().to_string();
    assert_eq!(printed(&["--config", &copy]).succeeded().stdout, again.stdout);
    let changed = printed(&["--config", &copy, "--cue", "1", "--env", "maze"]);
    assert!(changed.succeeded().stdout.contains("cue = 1.0"), "{}", changed.stdout);
    assert!(changed.stdout.contains("epsilon = 0.25"), "{}", changed.stdout);
    // The second run is the first one.
    let second = folder.path().join("second");
    trained(&second, &["--config", &file]).succeeded();
    let sums = |run: &Path| {
        fs::read_to_string(checkpoint(run, 512).join("SHA256SUMS")).expect("a checkpoint")
    };
    assert_eq!(sums(&second), sums(&run));
    // Another kind of world cannot use the settings, and says so.
    let game = printed(&["--config", &file, "--env", "Pong"]);
    let said = &game.succeeded().stderr;
    assert!(said.contains("epsilon = 0.25, cue = 0.5 is not used"), "{said}");
}

#[test]
fn the_rules_of_a_game_come_back_from_its_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    let rules = ["--env", "Pong", "--stochastic", "--max-episode-steps", "500"];
    fs::write(&file, &printed(&rules).succeeded().stdout).expect("written");
    let file = file.display().to_string();
    for more in [&["--env", "Breakout"][..], &[]] {
        let text = printed(&[&["--config", &file], more].concat()).succeeded().stdout.clone();
        assert!(text.contains("stochastic = true"), "{text}");
        assert!(text.contains("max_episode_steps = 500"), "{text}");
    }
    let off = printed(&["--config", &file, "--stochastic", "False"]);
    assert!(off.succeeded().stdout.contains("stochastic = false"), "{}", off.stdout);
}

#[test]
fn numbers_and_switches_have_the_spellings_that_people_use() {
    let text = printed(&["--total-timesteps", "1e6", "--anneal-lr", "False", "--certified"]);
    let text = &text.succeeded().stdout;
    for line in ["total_timesteps = 1000000", "anneal_lr = false", "certified = true"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let text = printed(&["--total-timesteps", "10_000_000", "--norm-adv=0"]);
    assert!(text.succeeded().stdout.contains("total_timesteps = 10000000"), "{}", text.stdout);
    assert!(text.stdout.contains("norm_adv = false"), "{}", text.stdout);
    for (flag, value, allowed) in [
        ("--seed", "-1", "at least 0"),
        ("--total-timesteps", "1.5", "a whole number"),
        ("--total-timesteps", "ten", "a whole number"),
        ("--env-threads", "0", "1 to 4096"),
        ("--save-every", "-5", "a whole number"),
        ("--gamma", "much", "a number"),
        ("--anneal-lr", "perhaps", "true"),
        ("--seed", "9223372036854775808", "TOML"),
    ] {
        let refused = printed(&[flag, value]);
        refused.refused(&[value, allowed]);
        let name = flag.trim_start_matches("--");
        let named = refused.stderr.contains(flag) || refused.stderr.contains(name);
        assert!(named, "{}", refused.stderr);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hyper.toml");
    let path = file.display().to_string();
    fs::write(&file, "total_timesteps = 1e6\nseed = 3\n").expect("written");
    let text = printed(&["--config", &path]);
    assert!(text.succeeded().stdout.contains("total_timesteps = 1000000"), "{}", text.stdout);
    fs::write(&file, "seed = -1\n").expect("written");
    printed(&["--config", &path]).refused_in_one_paragraph(&[&path, "`seed`", "-1", "at least 0"]);
}

#[test]
fn an_environment_without_a_name_lists_them_all() {
    let listed = finish(native().arg("--env"));
    let names: Vec<&str> = listed.succeeded().stdout.lines().collect();
    assert_eq!(names.len(), 57 + 2);
    for name in ["maze ", "MazeCartridge ", "Breakout", "Zaxxon"] {
        assert!(names.iter().any(|line| line.starts_with(name)), "{name} is not in {names:?}");
    }
}

#[cfg(unix)]
#[test]
fn checkpoints_may_be_on_another_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    trained(&run, &["--env", "maze"]).succeeded();
    let scratch = folder.path().join("scratch");
    fs::create_dir(&scratch).expect("created");
    // The rename is not of the program; it need not be durable.
    let moved =
        std::process::Command::new("mv").arg(run.join("checkpoints")).arg(&scratch).status();
    assert!(moved.expect("mv starts").success());
    std::os::unix::fs::symlink(scratch.join("checkpoints"), run.join("checkpoints"))
        .expect("linked");
    let newest = checkpoint(&run, 512);
    let mut evaluate = native();
    evaluate.args(["evaluate", "--episodes", "2", "--device", "cpu"]).arg(&newest);
    finish(&mut evaluate).succeeded();
    assert!(run.join("evaluation.json").is_file());
    // In the folder itself, as a shell shows it.
    let mut here = native();
    here.args(["evaluate", "--episodes", "2", "--device", "cpu", "step_000000000512"]);
    here.current_dir(run.join("checkpoints")).env("PWD", run.join("checkpoints"));
    finish(&mut here).succeeded();
    // Training goes on there as well.
    let mut on = native();
    on.args(["--device", "cpu", "--total-timesteps", "1024", "--resume"]).arg(&run);
    finish(&mut on).succeeded();
    assert!(scratch.join("checkpoints/step_000000001024").is_dir());
}

#[test]
fn a_continued_run_is_saved_as_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let mut first = native();
    first.args(["--env", "maze", "--device", "cpu", "--total-timesteps", "160"]).args(TINY);
    first.args(["--save-every", "16", "--keep-checkpoints", "8", "--run-dir"]).arg(&run);
    finish(&mut first).succeeded();
    let goes_on = |steps: &str, more: &[&str]| {
        finish(resume(&run).args(["--total-timesteps", steps]).args(more)).succeeded();
        checkpoints(&run)
    };
    // The newest, and perhaps the best of all.
    let newest = |kept: &[u64], count: usize| kept[kept.len() - count..].to_vec();
    let kept = goes_on("192", &[]);
    assert!(kept.len() <= 9, "{kept:?}");
    assert_eq!(newest(&kept, 8), [80, 96, 112, 128, 144, 160, 176, 192]);
    // What is asked for now holds from now on.
    assert!(goes_on("224", &["--keep-checkpoints", "2"]).len() <= 3);
    let kept = goes_on("272", &[]);
    assert!(kept.len() <= 3 && newest(&kept, 2) == [256, 272], "{kept:?}");
    let text = fs::read_to_string(run.join("config.toml")).expect("there");
    assert!(text.contains("every = 16") && text.contains("keep = 2"), "{text}");
    // Also if it begins anew, because it was killed before its first checkpoint.
    fs::remove_dir_all(run.join("checkpoints")).expect("removed");
    let mut again = native();
    again.args(["--env", "maze", "--device", "cpu", "--total-timesteps", "160"]).args(TINY);
    finish(again.arg("--run-dir").arg(&run)).succeeded();
    let kept = checkpoints(&run);
    assert!(kept.len() <= 3 && newest(&kept, 2) == [144, 160], "{kept:?}");
}

#[test]
fn an_evaluation_that_cannot_be_written_is_refused_before_it_is_played() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    trained(&run, &["--env", "maze"]).succeeded();
    // A file in the place of a folder: permissions would not stop a test that runs as root.
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let mut evaluate = native();
    evaluate.args(["evaluate", "--episodes", "3", "--device", "cpu", "--out"]);
    let refused = finish(evaluate.arg(file.join("out")).arg(&run));
    refused.refused_in_one_paragraph(&["--out", "cannot create"]);
    assert!(!refused.stderr.contains("episodes"), "nothing was played: {}", refused.stderr);
}

#[test]
fn a_curve_does_not_replace_the_tables_of_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    trained(&run, &["--env", "maze"]).succeeded();
    let mut on = native();
    on.args(["--device", "cpu", "--total-timesteps", "4096", "--resume"]).arg(&run);
    finish(&mut on).succeeded();
    fs::write(run.join("evaluation.csv"), "episode,seed\n").expect("written");
    let out = run.join("evaluation.svg").display().to_string();
    let mut curve = native();
    finish(curve.args(["curve", "--out", &out]).arg(&run)).refused(&["--out"]);
    let kept = fs::read_to_string(run.join("evaluation.csv")).expect("there");
    assert_eq!(kept, "episode,seed\n");
}

#[test]
fn a_world_that_cannot_be_is_named_with_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    fs::write(&file, "[run]\nenv = \"myze\"\n").expect("written");
    let path = file.display().to_string();
    printed(&["--config", &path]).refused_in_one_paragraph(&[&path, "myze"]);
}

/// The manifest fits, so only the content can tell.
#[test]
fn a_checkpoint_with_returns_of_other_environments_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    trained(&run, &["--env", "maze"]).succeeded();
    let newest = checkpoint(&run, 512);
    let state = fs::read_to_string(newest.join("state.json")).expect("a state");
    let mut state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    state["tracker"]["running"].as_array_mut().expect("a list").pop();
    let state = state.to_string();
    fs::write(newest.join("state.json"), &state).expect("written");
    let digest: String = Sha256::digest(&state).iter().map(|byte| format!("{byte:02x}")).collect();
    let sums = fs::read_to_string(newest.join("SHA256SUMS")).expect("a manifest");
    let sums = sums.lines().map(|line| match line.split_once("  ") {
        Some((_, "state.json")) => format!("{digest}  state.json\n"),
        _ => format!("{line}\n"),
    });
    fs::write(newest.join("SHA256SUMS"), sums.collect::<String>()).expect("written");
    let mut on = native();
    on.args(["--device", "cpu", "--total-timesteps", "1024", "--resume"]).arg(&run);
    finish(&mut on).refused_in_one_paragraph(&["another number of environments"]);
}

/// Without the variable, Wayland's library prints lines of its own that start with `error:`.
#[cfg(target_os = "linux")]
#[test]
fn a_session_without_a_desktop_is_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for value in [None, Some("relative")] {
        let mut command = native();
        command.env_remove("XDG_RUNTIME_DIR").args(["--env", "maze", "--total-timesteps", "512"]);
        command.arg("--run-dir").arg(folder.path().join(value.unwrap_or("run")));
        if let Some(value) = value {
            command.env("XDG_RUNTIME_DIR", value);
        }
        let run = finish(&mut command);
        assert!(!run.succeeded().stderr.contains("XDG_RUNTIME_DIR"), "{}", run.stderr);
    }
}
