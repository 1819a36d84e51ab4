//! Thousands of damaged links, archives and cartridges, as visitors open and drop them: the page's readers never panic
//! and never take long, and what a link sets can always be saved. The full form belongs to `./check endurance`.

#![expect(clippy::panic, reason = "a panic is how a test fails, in its helpers as well")]

#[path = "../../tests/endurance/mutation.rs"]
mod mutation;

use std::io::{Cursor, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use deepspi_playground::archive::Archive;
use deepspi_run::checkpoint::{Checkpoint, Encoding, FORMAT, Section, State};
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::monitor::EpisodeTracker;
use deepspi_run::run_files::RunInfo;
use deepspi_worlds::maze::MazeConfig;
use deepspi_worlds::rng::Generators;
use mutation::{Mutator, mutated, smallest};
use web::link::Link;
use web::rom_file;

/// Far more than any input needs on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

fn count() -> u64 {
    let is_full = std::env::var_os("DEEPSPI_ENDURANCE").is_some_and(|value| value == "full");
    if is_full { 10_000 } else { 1_000 }
}

/// Reads `count` changed inputs; `read` returns whether the input was refused.
fn campaign(name: &str, seeds: &[Vec<u8>], read: impl Fn(usize, &[u8]) -> bool) {
    let mut mutator = Mutator::new(1);
    let mut refused = 0;
    for _ in 0..count() {
        let seed = mutator.below(seeds.len());
        let changes = mutator.changes();
        let judge = |changes: &[mutation::Mutation]| {
            let bytes = mutated(&seeds[seed], changes);
            let start = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| read(seed, &bytes)));
            result.ok().filter(|_| start.elapsed() < LIMIT)
        };
        match judge(&changes) {
            Some(was_refused) => refused += u64::from(was_refused),
            None => {
                let fewest = smallest(&changes, |fewer| judge(fewer).is_none());
                panic!("{name}, seed {seed}: a panic, or too slow, with {fewest:?}");
            }
        }
    }
    println!("{name}: {} changed inputs, {refused} of them refused; no panic", count());
}

#[test]
fn links() {
    let links = [
        "maze.cue=0.3&a.algo=ppo&b.clip_coef=0.2&seed=3&room=latents&device=cpu&pace=20",
        "env=Breakout&stochastic=true&a.learning_rate=0.001&b.num_envs=16&room=atari&atari.max_episode_steps=500",
        "a.algo=dream-spi&a.progressive=linear&a.imagination_horizon=4&b.transition_density=categorical&b.n_cat=8",
        "b.certified=true&b.gamma=0.9&maze.preset=paper&maze.epsilon=0.3&seed=9007199254740993",
    ];
    let seeds: Vec<Vec<u8>> = links.iter().map(|link| link.as_bytes().to_vec()).collect();
    campaign("links", &seeds, |_, bytes| {
        let (link, ignored) = Link::from_fragment(&String::from_utf8_lossy(bytes));
        // What was understood is a link again, and the same one.
        let (again, none) = Link::from_fragment(&link.to_fragment());
        assert!(again == link && none.is_empty(), "{} is not {none:?}", link.to_fragment());
        assert!(link.experiment.errors().is_empty(), "an error is left");
        for agent in &link.experiment.agents {
            toml::Table::try_from(agent).expect("what is accepted can be saved");
        }
        !ignored.is_empty()
    });
}

fn checkpoint() -> Checkpoint {
    let preset = MazeConfig::DEFAULT.preset;
    let config = preset.hyper_parameters();
    let environments = config.num_envs;
    let section = |name: &str, length| Section {
        name: name.to_owned(),
        encoding: Encoding::Safetensors,
        bytes: (0..=255).cycle().take(length).collect(),
    };
    Checkpoint {
        sections: vec![section("model", 4096), section("optimiser", 8192)],
        state: State {
            format: FORMAT,
            spec: preset.network(),
            iteration: 0,
            optimiser_steps: vec![0],
            generators: Generators::new(config.seed),
            tracker: EpisodeTracker::new(environments),
            dones: vec![false; environments],
            config,
        },
    }
}

fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(path.as_str(), options).expect("started");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("packed").into_inner()
}

#[test]
fn archives() {
    let info = RunInfo {
        env: "maze".into(),
        stochastic: false,
        device: "cpu".into(),
        version: "0.1.0".into(),
        revision: String::new(),
        started: 5,
        maze: Some(MazeConfig::DEFAULT),
        atari: None,
        saving: None,
    };
    let archive = Archive::new(&info, &checkpoint(), 512).expect("packed");
    let is_refused =
        |bytes: &[u8]| Archive::from_upload(&[("run.zip".to_owned(), bytes.to_vec())]).is_err();
    campaign("archives", std::slice::from_ref(&archive.bytes), |_, bytes| is_refused(bytes));
    // A damaged file in a whole archive, as it comes from a program that packed a damaged run.
    let config = info.describe(&checkpoint().state.config).expect("written").into_bytes();
    let mut files = vec![("run/config.toml".to_owned(), config)];
    let parts = checkpoint().to_files().expect("files").into_iter();
    files.extend(parts.map(|(name, bytes)| (format!("run/checkpoints/step_1/{name}"), bytes)));
    let seeds: Vec<Vec<u8>> = files.iter().map(|(_, bytes)| bytes.clone()).collect();
    campaign("files of archives", &seeds, |seed, bytes| {
        let mut files = files.clone();
        files[seed].1 = bytes.to_vec();
        is_refused(&zip(&files))
    });
}

#[test]
fn cartridges() {
    let rom = deepspi_worlds::cartridge::ROM.to_vec();
    let packed = zip(&[
        ("games/maze.a26".to_owned(), rom.clone()),
        ("readme.txt".to_owned(), b"hello".to_vec()),
    ]);
    campaign("cartridges", &[rom, packed], |seed, bytes| {
        let found = rom_file::find(["maze.a26", "roms.zip"][seed], bytes);
        if let Ok(found) = &found {
            // Only the bytes of a known cartridge come out.
            let is_known = |bytes: &[u8], game| rom_file::recognise(bytes) == Some(game);
            assert!(found.cartridges.iter().all(|one| is_known(&one.bytes, one.game)));
        }
        found.is_err()
    });
}
