//! The worlds to train on: the list of them, and what the rest of the program needs of each.
//!
//! A world is described before it runs: its name, the default hyper-parameters, its networks, and
//! what a run folder records of it. It then opens environments for training and plays whole
//! episodes for an evaluation. No other file distinguishes worlds. To add one, write its file
//! beside [`atari`] and [`maze`] and add it to [`WORLDS`].

pub mod atari;
mod atari_game;
pub mod cartridge;
mod episode;
pub mod maze;
mod world;

use anyhow::{Result, bail};
use deepspi_run::run_files::RunInfo;

pub use self::atari_game::AtariGame;
pub use self::episode::{End, EpisodeRules, episode_seeds};
pub use self::world::{Analysis, Episode, Episodes, Kind, World, WorldArgs};

/// All kinds of worlds. The first kind that knows a name is taken. [`atari`], the last, knows every
/// name, and its error lists the most similar games.
pub static WORLDS: [&Kind; 3] = [&maze::KIND, &cartridge::KIND, &atari::KIND];

/// The world that the command line names; `given` tells whether a field was given explicitly.
///
/// # Errors
/// If the name is missing or unknown, or a field is given that only another kind of world has.
pub fn choose(
    name: Option<&str>,
    args: &WorldArgs,
    given: impl Fn(&str) -> bool,
) -> Result<Box<dyn World>> {
    let Some(name) = name else {
        bail!(
            "which environment? Name a game with --env, for example `--env Breakout`, or `--env maze` or `--env MazeCartridge` (`--env` alone lists all), or continue a run with --resume RUN"
        );
    };
    let kind = kind(name);
    let foreign = |field: &&&str| !kind.fields.contains(field) && given(field);
    if let Some(field) = WORLDS.iter().flat_map(|other| other.fields).find(foreign) {
        // Several kinds may have the field; all of them are named.
        let owners = WORLDS.iter().filter(|other| other.fields.contains(field));
        let owners: Vec<&str> = owners.map(|other| other.title).collect();
        let flag = field.replace('_', "-");
        bail!("--{flag} is for {}, not for {}; leave it out", owners.join(" and "), kind.title);
    }
    (kind.find)(name, args)
}

/// The world of a run folder.
///
/// # Errors
/// If this program does not know the world.
pub fn of_run(info: &RunInfo, env_threads: Option<usize>) -> Result<Box<dyn World>> {
    let RunInfo { stochastic, maze, atari, .. } = *info;
    let args = WorldArgs { stochastic, env_threads, maze, atari };
    (kind(&info.env).find)(&info.env, &args)
}

/// Names of all worlds, each with a few words where the name does not say what it is.
#[must_use]
pub fn names() -> Vec<(&'static str, &'static str)> {
    WORLDS.iter().flat_map(|kind| (kind.names)()).collect()
}

/// The fields of the command line that only some worlds have, and the world of this name has.
#[must_use]
pub fn fields(name: &str) -> &'static [&'static str] {
    kind(name).fields
}

fn kind(name: &str) -> &'static Kind {
    WORLDS.iter().find(|kind| (kind.knows)(name)).unwrap_or(&&atari::KIND)
}

#[cfg(test)]
mod tests {
    use deepspi_worlds::atari::AtariTraining;
    use deepspi_worlds::maze::MazeConfig;

    use super::*;

    /// The part of a run's description that describes a world.
    fn described(world: &dyn World) -> RunInfo {
        let mut info = RunInfo {
            env: world.name().to_owned(),
            stochastic: false,
            device: "cpu".to_owned(),
            version: String::new(),
            revision: String::new(),
            started: 0,
            maze: None,
            atari: None,
            saving: None,
        };
        world.describe(&mut info);
        info
    }

    #[test]
    fn names_find_worlds_and_fields_of_other_kinds_are_refused() {
        let args = WorldArgs { maze: Some(MazeConfig::DEFAULT), ..WorldArgs::default() };
        let name = |name| choose(Some(name), &args, |_| false).map(|world| world.name());
        assert_eq!(name("MAZE").expect("the maze"), "maze");
        assert_eq!(name("ms_pacman").expect("a game"), "MsPacman");
        assert_eq!(name("maze_cartridge").expect("the cartridge"), "MazeCartridge");
        assert!(name("Brekout").expect_err("no game").to_string().contains("Breakout"));
        let error = choose(Some("maze"), &args, |field| field == "env_threads");
        assert_eq!(
            error.expect_err("refused").to_string(),
            "--env-threads is for the cartridge with the maze and Atari games, not for the maze; leave it out"
        );
        let error = choose(Some("Pong"), &args, |field| field == "cue");
        assert_eq!(
            error.expect_err("refused").to_string(),
            "--cue is for the maze and the cartridge with the maze, not for Atari games; leave it out"
        );
        let cartridge = |flag| choose(Some("MazeCartridge"), &args, move |field| field == flag);
        for field in ["stochastic", "env_threads", "preset"] {
            cartridge(field).expect("it has this field");
        }
        for field in ["roms", "max_episode_steps", "network"] {
            let error = cartridge(field).expect_err("refused").to_string();
            assert!(
                error.ends_with("not for the cartridge with the maze; leave it out"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_episode_after_another_is_the_one_that_its_seed_gives() {
        let args = WorldArgs {
            stochastic: true,
            env_threads: Some(1),
            maze: Some(MazeConfig::DEFAULT),
            atari: Some(AtariTraining::DEFAULT),
        };
        for name in ["maze", "Breakout", "MazeCartridge"] {
            let world = choose(Some(name), &args, |_| false).expect("found");
            let games = world.episodes(0.99, &EpisodeRules::default()).expect("episodes");
            // What an agent sees until the end or for 400 steps, with rewards and the end.
            let play = |game: &mut dyn Episode| {
                let mut seen = vec![(game.observation().to_vec(), 0.0, None)];
                for step in 0..400 {
                    let (reward, end) = game.step(step % 7 % 4).expect("played");
                    seen.push((game.observation().to_vec(), reward, end));
                    if end.is_some() {
                        break;
                    }
                }
                seen
            };
            let mut used = games.start(3).expect("started");
            let first = play(&mut *used);
            for seed in [9, 3] {
                used = used.again(seed).expect("started");
                let again = play(&mut *used);
                assert!(again == play(&mut *games.start(seed).expect("started")), "{name}, {seed}");
                assert_eq!(again == first, seed == 3, "{name}: the seed decides");
            }
        }
    }

    #[test]
    fn a_run_folder_finds_its_world_again() {
        let mazes = MazeConfig { cue: 0.5, ..MazeConfig::DEFAULT };
        let games = AtariTraining { max_episode_steps: 7, ..AtariTraining::DEFAULT };
        for (name, stochastic, maze) in [
            ("maze", false, mazes),
            ("Pong", true, mazes),
            ("MazeCartridge", true, MazeConfig::DEFAULT),
        ] {
            let args = WorldArgs {
                stochastic,
                env_threads: Some(2),
                maze: Some(maze),
                atari: Some(games),
            };
            let world = choose(Some(name), &args, |_| false).expect("found");
            let info = described(&*world);
            let again = of_run(&info, Some(2)).expect("found");
            assert_eq!(format!("{again:?}"), format!("{world:?}"));
        }
        let args = WorldArgs { maze: Some(mazes), ..WorldArgs::default() };
        let maze = choose(Some("maze"), &args, |_| false).expect("found");
        let info = RunInfo { maze: None, ..described(&*maze) };
        of_run(&info, None).expect_err("it does not say which maze");
    }
}
