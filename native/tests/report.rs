//! `native report` on made-up sweeps: the text of the page, the agreement of all files, and a
//! message for every problem with a run or an argument.

mod common;
#[path = "common/made_up.rs"]
mod made_up;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{finish, native};
use deepspi_run::config::Algorithm;
use made_up::{
    BATCH, ITERATIONS, find, finished_sweep, log, log_planned, score, specification,
    write_evaluation, write_run,
};
use native::report::{Effort, Request, make};
use native::stats::reference_scores::human_normalized;
use native::stats::{interquartile_mean, mean, median};
use native::sweep::{RunId, Sweep};
use serde_json::{Value, json};

const EFFORT: Effort = Effort { resamples: 500, resamples_of_curves: 100 };

/// Makes a report in the folder `report` of the sweep; returns the page and all data.
fn report(folder: &Path, baselines: Option<&Path>) -> (String, Value) {
    let out = folder.join("report");
    let request = Request {
        sweep: folder,
        out: &out,
        baselines,
        overwrite: false,
        arguments: vec!["report".into(), "<test>".into()],
        effort: EFFORT,
    };
    let page = make(&request).expect("a report");
    let data = fs::read(out.join("report.json")).expect("data");
    let data = serde_json::from_slice(&data).expect("JSON");
    (fs::read_to_string(page).expect("a page"), data)
}

/// Rows of a table, each as a map from column names to fields.
fn rows(folder: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let path = folder.join("report").join(format!("{name}.csv"));
    let mut reader = csv::Reader::from_path(path).expect("a table");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

#[track_caller]
fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn a_finished_sweep_is_reported_whole() {
    let (folder, sweep) = finished_sweep();
    let (page, data) = report(folder.path(), None);
    assert!(!page.to_lowercase().contains("incomplete"), "everything is finished");
    assert!(page.contains("3 of 57 games, and 64 of 10,000,000 agent steps"), "the scale is said");
    for fact in [
        "made-up device",
        "Pong, Breakout, Freeway",
        "stochastic: sticky actions 0.3",
        "native report '&lt;test&gt;'",
        env!("CARGO_PKG_VERSION"),
        "num_envs",
    ] {
        assert!(page.contains(fact), "the page must say {fact}");
    }
    // The expected aggregates are computed here from the raw scores.
    let shown = Algorithm::IN_ORDER_OF_COLOUR.iter().filter(|algo| sweep.algos.contains(algo));
    for (i, algo) in shown.enumerate() {
        let found = &data["report"]["kinds"][0]["algorithms"][i];
        assert_eq!(found["algo"], algo.name());
        let normalised = |game: &str, seed| {
            let id = find(&sweep, &format!("{game}__{}__{seed}", algo.name()));
            human_normalized(game, score(&id, ITERATIONS)).expect("in the table")
        };
        let games: Vec<Vec<f64>> = sweep
            .games
            .iter()
            .map(|game| (1..=2).map(|seed| normalised(game, seed)).collect())
            .collect();
        let means: Vec<f64> = games.iter().filter_map(|game| mean(game)).collect();
        let capped: Vec<f64> = games.concat().iter().map(|score| score.min(1.0)).collect();
        let expected = [
            ("median", median(&means)),
            ("iqm", interquartile_mean(&games.concat())),
            ("mean", mean(&means)),
            ("optimality_gap", mean(&capped).map(|mean| 1.0 - mean)),
        ];
        for (metric, value) in expected {
            let aggregates = found["aggregates"].as_array().expect("a list");
            let found = aggregates.iter().find(|a| a["metric"] == metric).expect("there");
            let value = value.expect("a value");
            close(found["value"].as_f64().expect("a number"), value);
            let end = |name: &str| found["interval"][name].as_f64().expect("a number");
            assert!(end("low") <= value && value <= end("high"), "{found}");
            let label = metric.replace("optimality_gap", "optimality gap").replace("iqm", "IQM");
            let table = rows(folder.path(), "training-aggregates");
            let row = table
                .iter()
                .find(|row| row["algorithm"] == algo.name() && row["metric"] == label)
                .expect("a row");
            close(number(&row["value"]), value);
            close(number(&row["low"]), end("low"));
        }
    }
    // DeepSPI beats the others in every game, and DeepMDP by less than the spread over seeds.
    let improvements = rows(folder.path(), "training-improvement");
    let found: Vec<_> = improvements
        .iter()
        .map(|row| (row["x"].as_str(), row["y"].as_str(), number(&row["probability_x_better"])))
        .collect();
    let expected =
        [("deep-spi", "ppo", 1.0), ("deep-spi", "deep-mdp", 1.0), ("deep-mdp", "ppo", 1.0)];
    assert_eq!(found, expected);
    // Three games with the same difference: the exact p is 2 / 2^3.
    let difference = &data["report"]["losses"][0]["difference"];
    close(difference["mean"].as_f64().expect("a number"), -0.25 / ITERATIONS as f64);
    close(difference["wilcoxon"]["p"].as_f64().expect("a number"), 0.25);
    let paired = rows(folder.path(), "losses-paired");
    close(number(&paired[0]["p"]), 0.25);
    // The reward loss is the same in all runs, so there is nothing to test.
    assert_eq!((paired[1]["mean_difference"].as_str(), paired[1]["p"].as_str()), ("0", ""));
    let games = rows(folder.path(), "losses-by-game");
    assert_eq!(games.len(), 2 * 3);
    close(number(&games[0]["difference"]), -0.25 / ITERATIONS as f64);
    assert_eq!(rows(folder.path(), "runs").len(), 18);
    assert_eq!(rows(folder.path(), "games").len(), 2 * 9);
    let curve = rows(folder.path(), "training-curves");
    assert_eq!(curve.len(), 3 * ITERATIONS as usize);
    assert_eq!(curve[0]["step"], BATCH.to_string());
}

#[test]
fn the_page_stands_alone_and_all_its_files_are_there() {
    let (folder, _) = finished_sweep();
    let (page, _) = report(folder.path(), None);
    for attribute in ["href=\"", "src=\"", "url(", "@import"] {
        for part in page.split(attribute).skip(1) {
            let target = part.split(['"', ')']).next().expect("a value");
            assert!(!target.contains("//") && !target.starts_with("data:"), "{target}");
            if let Some(anchor) = target.strip_prefix('#') {
                assert!(page.contains(&format!("id=\"{anchor}\"")), "{target} leads nowhere");
            } else if attribute == "href=\"" {
                let path = folder.path().join("report").join(target);
                assert!(
                    fs::metadata(&path).is_ok_and(|file| file.len() > 0),
                    "{target} is missing"
                );
            }
        }
    }
    assert!(!page.contains("<script") && !page.contains("<link"));
    // The report is made again in its place; its numbers do not depend on the time.
    let (again, _) = report(folder.path(), None);
    assert_eq!(page, again);
}

#[test]
fn what_is_missing_is_said_and_left_out() {
    let (folder, sweep) = finished_sweep();
    let path = |name: &str| find(&sweep, name).folder(folder.path());
    // Runs that are missing, unfinished, incomplete on disk, of other settings, diverged, and
    // killed while writing.
    fs::remove_dir_all(path("Pong__ppo__1")).expect("removed");
    write_run(folder.path(), &sweep, &find(&sweep, "Pong__deep-mdp__2"), 2);
    fs::remove_file(path("Breakout__ppo__1").join("config.toml")).expect("removed");
    let other = Sweep { config: toml::from_str("gamma = 0.5").expect("fields"), ..sweep.clone() };
    write_run(folder.path(), &other, &find(&sweep, "Breakout__deep-spi__2"), ITERATIONS);
    let diverged = find(&sweep, "Pong__deep-spi__1");
    let text = log(&diverged, ITERATIONS)
        .replace("avg_episodic_return\":", "avg_episodic_return\":null,\"x\":");
    fs::write(path("Pong__deep-spi__1").join("metrics.jsonl"), text).expect("written");
    let killed = find(&sweep, "Freeway__ppo__1");
    let text = log(&killed, ITERATIONS) + "{\"type\":\"itera";
    fs::write(path("Freeway__ppo__1").join("metrics.jsonl"), text).expect("written");

    let (page, data) = report(folder.path(), None);
    assert!(page.contains("Incomplete"), "five runs are not finished");
    for words in [
        "Pong__ppo__1: missing",
        "Pong__deep-mdp__2: unfinished at step 32 of 64",
        "Breakout__ppo__1: unusable",
        "Breakout__deep-spi__2: unusable: its config.toml is not of this sweep: `gamma` is 0.5",
        "Pong__deep-spi__1: unusable: its score after 64 steps is not a number (NaN)",
    ] {
        assert!(page.contains(words), "the page must say {words}");
    }
    assert!(!page.contains("Freeway__ppo__1: "), "half a line at the end costs nothing");
    let kind = &data["report"]["kinds"][0];
    assert_eq!(kind["missing"].as_array().map(Vec::len), Some(5));
    assert_eq!(kind["games"], json!(["Breakout", "Freeway", "Pong"]));
    let svg =
        fs::read_to_string(folder.path().join("report/training-profiles.svg")).expect("a figure");
    assert!(svg.contains("INCOMPLETE (5 of 18"), "the figure itself must say it");
    let statuses = rows(folder.path(), "runs");
    assert_eq!(statuses.iter().filter(|row| row["status"] == "finished").count(), 13);

    // A game that an algorithm has not finished in any run is no longer compared.
    fs::remove_dir_all(path("Pong__ppo__2")).expect("removed");
    let (page, data) = report(folder.path(), None);
    assert_eq!(data["report"]["kinds"][0]["left_out"], json!(["Pong"]));
    assert!(page.contains("not compared, because an algorithm has none: Pong"));
}

#[test]
fn nothing_to_compare_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let sweep = specification();
    sweep.save(folder.path()).expect("written");
    write_run(folder.path(), &sweep, &sweep.runs()[0], ITERATIONS);
    let (page, _) = report(folder.path(), None);
    assert!(page.contains("nothing can be compared") && page.contains("Incomplete"));
}

#[test]
fn evaluations_are_reported_when_all_runs_have_one() {
    let (folder, sweep) = finished_sweep();
    let runs = sweep.runs();
    for (i, id) in runs.iter().enumerate() {
        write_evaluation(folder.path(), id, 64, &json!({}));
        if i == 0 {
            let (page, data) = report(folder.path(), None);
            assert!(page.contains("1 of 18 finished runs are evaluated"));
            assert_eq!(data["report"]["kinds"].as_array().map(Vec::len), Some(2));
        }
    }
    let (page, data) = report(folder.path(), None);
    assert!(page.contains("3 episodes, actions drawn from the policy, seed 1, stochastic env"));
    assert!(!page.contains("not all evaluations were played"));
    let kind = &data["report"]["kinds"][2];
    assert_eq!(kind["kind"], "evaluation");
    // All algorithms have the same score in each game.
    assert!(kind["improvements"].as_array().expect("a list").iter().all(|p| p["value"] == 0.5));
    let file = runs[3].folder(folder.path()).join("evaluation.json");
    fs::write(&file, "{\"env\":").expect("written");
    let (page, _) = report(folder.path(), None);
    assert!(page.contains("evaluation.json is no evaluation"), "half a file is said");
    assert!(!page.contains("Incomplete"), "the training itself is finished");
    let other = runs[0].folder(folder.path()).join("evaluation.json");
    fs::copy(other, &file).expect("copied");
    let (page, _) = report(folder.path(), None);
    assert!(
        page.contains("its evaluation is of the run"),
        "an evaluation of another run is no good"
    );
}

#[test]
fn an_evaluation_is_of_the_end_of_its_run_and_played_as_the_others() {
    let (folder, sweep) = finished_sweep();
    for id in sweep.runs() {
        write_evaluation(folder.path(), &id, 64, &json!({}));
    }
    let odd = find(&sweep, "Pong__ppo__2");
    write_evaluation(folder.path(), &odd, 64, &json!({"training_resets": true}));
    let (page, _) = report(folder.path(), None);
    assert!(page.contains("not all evaluations were played in the same way"));
    assert!(page.contains("--training-resets false, not true"));
    assert!(page.contains("resets as in training: whole games"), "both protocols are shown");
    // Evaluated before the end of its training; and evaluated after longer training than the others
    // had.
    for (step, words) in [
        (
            32,
            "Pong__ppo__2 is left out: it is of the agent after 32 of 64 steps; evaluate it again",
        ),
        (80, "it is of the agent after 80 steps, more than the 64 of this sweep"),
    ] {
        write_evaluation(folder.path(), &odd, step, &json!({}));
        let (page, data) = report(folder.path(), None);
        assert!(page.contains(words), "the page must say {words}");
        assert!(page.contains("17 of 18 finished runs are evaluated"));
        assert_eq!(data["report"]["kinds"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn only_the_steps_of_the_sweep_count() {
    let (folder, sweep) = finished_sweep();
    let (_, before) = report(folder.path(), None);
    // Trained on by hand after its end, and then until its values were NaN.
    let longer = find(&sweep, "Pong__ppo__1");
    let log_of = |id: &RunId| id.folder(folder.path()).join("metrics.jsonl");
    let more = log_planned(&longer, 2 * ITERATIONS, 2 * ITERATIONS)
        .replace("avg_episodic_return\":", "avg_episodic_return\":null,\"x\":");
    let more: Vec<&str> = more.lines().skip(ITERATIONS as usize).collect();
    let resumed = json!({"type": "resumed", "global_step": ITERATIONS * BATCH});
    let text = format!("{}{resumed}\n{}\n", log(&longer, ITERATIONS), more.join("\n"));
    fs::write(log_of(&longer), text).expect("written");
    let (page, after) = report(folder.path(), None);
    assert!(page.contains("Pong__ppo__1 was trained on to step 128"));
    assert_eq!(before["report"]["kinds"], after["report"]["kinds"]);
    assert_eq!(before["report"]["runs"], after["report"]["runs"]);
    assert_eq!(before["report"]["losses"], after["report"]["losses"]);
    // Made longer half-way: the learning rate differs, so it is another run.
    fs::write(log_of(&longer), log_planned(&longer, 2 * ITERATIONS, 2 * ITERATIONS))
        .expect("written");
    let (page, _) = report(folder.path(), None);
    assert!(page.contains("Pong__ppo__1: unusable: its learning rate at step 32"));
}

#[test]
fn figures_say_why_runs_are_missing_in_them() {
    let (folder, sweep) = finished_sweep();
    let id = find(&sweep, "Pong__deep-spi__1");
    let text = log(&id, ITERATIONS).replace("finished_return\":", "x\":");
    fs::write(id.folder(folder.path()).join("metrics.jsonl"), text).expect("written");
    let id = find(&sweep, "Pong__deep-mdp__1");
    let text = log(&id, ITERATIONS).replace("transition_loss\":", "x\":");
    fs::write(id.folder(folder.path()).join("metrics.jsonl"), text).expect("written");
    let (page, data) = report(folder.path(), None);
    let title = |name: &str| {
        let path = folder.path().join("report").join(format!("{name}.svg"));
        fs::read_to_string(path).expect("a figure")
    };
    assert!(!title("training-profiles").contains("INCOMPLETE"), "all runs are finished");
    for (name, mark) in [
        ("finished-games-profiles", "INCOMPLETE (1 of 18 runs without"),
        // PPO has no world model.
        ("losses", "INCOMPLETE (1 of 12 runs without"),
    ] {
        assert!(title(name).contains(mark), "{name}");
    }
    assert!(page.contains("Pong__deep-spi__1: without a finished game"));
    assert!(page.contains("Pong__deep-mdp__1: without losses that are numbers"));
    assert!(!page.contains("runs not finished"));
    assert_eq!(data["report"]["losses"][1]["missing"].as_array().map(Vec::len), Some(1));
    assert_eq!(data["report"]["kinds"][0]["missing"], json!([]));
}

#[test]
fn few_runs_and_few_games_are_judged_by_what_is_finished() {
    let folder = tempfile::tempdir().expect("a folder");
    let games = ["Alien", "Breakout", "Freeway", "Pong", "Qbert", "Seaquest"];
    let sweep = Sweep {
        games: games.map(String::from).to_vec(),
        algos: vec![Algorithm::DeepSpi, Algorithm::DeepMdp],
        ..specification()
    };
    sweep.save(folder.path()).expect("written");
    let write = |wanted: &dyn Fn(&RunId) -> bool| {
        for id in sweep.runs().iter().filter(|id| wanted(id)) {
            write_run(folder.path(), &sweep, id, ITERATIONS);
        }
        report(folder.path(), None).0
    };
    let (all, some, few) =
        ("one finished run a game", "pairs of game and algorithm", "fewer than 6");
    let page = write(&|id| id.seed == 1 && id.game.name != "Pong");
    assert!(page.contains(all) && !page.contains(some), "seed 2 has not begun");
    assert!(page.contains(few), "five games are compared");
    let page = write(&|id| id.game.name != "Alien" || id.seed == 1);
    assert!(page.contains("2 of 12 pairs of game and algorithm") && !page.contains(all));
    assert!(!page.contains(few), "six games are compared");
    assert!(!write(&|_| true).contains(some));
}

#[test]
fn baselines_are_set_beside_with_their_caveats() {
    let (folder, _) = finished_sweep();
    let file = folder.path().join("table.csv");
    fs::write(
        &file,
        "<b>first</b>,second\nPong-v5,14.6 ± 1.0,-20.7 ± 0.0\nBreakout-v5,30.5 ± 3.25,1.7 ± 0.1\nChess-v5,1 ± 1,1 ± 1\n",
    )
    .expect("written");
    let (page, data) = report(folder.path(), Some(&file));
    for words in ["deterministic environments, 3 seeds", "This sweep is stochastic", "Chess-v5"] {
        assert!(page.contains(words), "the page must say {words}");
    }
    assert!(page.contains("&lt;b&gt;first&lt;/b&gt;") && !page.contains("<b>first"));
    // Scores like those of a human and of a random policy.
    let aggregates = &data["report"]["baselines"]["aggregates"];
    for (column, expected) in [(0, [1.0, 1.0, 1.0, 0.0]), (1, [0.0, 0.0, 0.0, 1.0])] {
        for (metric, expected) in expected.into_iter().enumerate() {
            let value = aggregates[column][1][metric][1].as_f64().expect("a number");
            close(value, expected);
        }
    }
    assert_eq!(rows(folder.path(), "baselines").len(), 4);
    report(folder.path(), None);
    assert!(!folder.path().join("report/baselines.csv").exists(), "it is of the earlier report");
}

#[test]
fn arguments_that_make_no_report_are_refused() {
    let (folder, sweep) = finished_sweep();
    let command =
        |sweep: &Path, more: &[&str]| finish(native().arg("report").arg(sweep).args(more));
    let empty = tempfile::tempdir().expect("a folder");
    command(empty.path(), &[])
        .refused_in_one_paragraph(&["not the folder of a sweep", "native bench"]);
    sweep.save(empty.path()).expect("written");
    command(empty.path(), &[]).refused_in_one_paragraph(&["no run", "has begun"]);

    let table = folder.path().join("table.csv");
    let table_name = table.to_str().expect("a plain path");
    command(folder.path(), &["--baselines", table_name])
        .refused_in_one_paragraph(&["cannot read the baselines"]);
    fs::write(&table, "a,b,c\nPong,1 ± 1\n").expect("written");
    command(folder.path(), &["--baselines", table_name]).refused_in_one_paragraph(&[
        "table.csv",
        "line 2",
        "2 fields",
    ]);
    assert!(!folder.path().join("report").exists(), "nothing is written before all is judged");
    // The report has a table of that name, in another form.
    let inside = folder.path().join("report").join("baselines.csv");
    fs::create_dir(inside.parent().expect("a folder")).expect("created");
    fs::write(&inside, "game,a\nPong,1\n").expect("written");
    let inside_name = inside.to_str().expect("a plain path");
    command(folder.path(), &["--baselines", inside_name, "--overwrite"])
        .refused_in_one_paragraph(&["baselines.csv", "in the folder of the report", "move it"]);
    assert_eq!(fs::read(&inside).expect("still there"), b"game,a\nPong,1\n");
}

#[test]
fn only_a_report_on_the_same_sweep_is_replaced() {
    let (folder, sweep) = finished_sweep();
    let out = folder.path().join("elsewhere");
    fs::create_dir(&out).expect("created");
    fs::write(out.join("thesis.txt"), "years of work").expect("written");
    let command = |more: &[&str]| {
        finish(native().arg("report").arg(folder.path()).arg("--out").arg(&out).args(more))
    };
    command(&[]).refused_in_one_paragraph(&["thesis.txt", "--overwrite"]);
    command(&["--overwrite"]).succeeded();
    command(&[]).succeeded();
    assert_eq!(fs::read(out.join("thesis.txt")).expect("still there"), b"years of work");

    Sweep { seeds: 1, ..sweep }.save(folder.path()).expect("written");
    let refused = command(&[]);
    refused.refused_in_one_paragraph(&["another sweep", "seeds is 2, not 1"]);
    // A file that a later report needs, and that was not written by a report.
    fs::write(folder.path().join("table.csv"), "a\nPong,1 ± 1\n").expect("written");
    command(&["--overwrite"]).succeeded();
    fs::write(out.join("baselines.csv"), "mine").expect("written");
    let table = folder.path().join("table.csv");
    let table = table.to_str().expect("a plain path");
    command(&["--baselines", table]).refused_in_one_paragraph(&["baselines.csv", "--overwrite"]);
    assert_eq!(fs::read(out.join("baselines.csv")).expect("still there"), b"mine");
}
