//! What all sets of environments of one game do alike.
//!
//! Natively one object holds all environments of a run; in the browser several workers hold some of
//! them each. Both must refuse the same actions, and both store environments in the format of
//! [`join`], so that a checkpoint continues on either side: the name of the game, the number of
//! environments, and what [`super::AtariEnv::store`] writes for each.

use super::error::AtariError;
use super::games::Game;
use crate::snapshot::{Reader, SnapshotError, Writer};

/// Kind and version of the stored state of all games.
const KIND: &str = "atari 1";

/// Checks one action for each of `num_envs` environments.
///
/// # Errors
/// When their number is wrong, or an action is not an index into the game's action set.
pub fn check_actions(game: &Game, num_envs: usize, actions: &[u32]) -> Result<(), AtariError> {
    if actions.len() != num_envs {
        let (expected, found) = (num_envs, actions.len());
        return Err(AtariError::Length { what: "actions", expected, found });
    }
    let n_actions = game.n_actions();
    let allowed = |&action: &u32| usize::try_from(action).is_ok_and(|action| action < n_actions);
    match actions.iter().position(|action| !allowed(action)) {
        None => Ok(()),
        Some(index) => {
            let error = AtariError::Action { game: game.name, action: actions[index], n_actions };
            Err(error.in_env(index))
        }
    }
}

/// Joins the stored environments of a game, in the order of their indices.
#[must_use]
pub fn join<T: AsRef<[u8]>>(game: &Game, environments: &[T]) -> Vec<u8> {
    let mut writer = Writer::new(KIND);
    writer.bytes(game.name.as_bytes());
    writer.u32(u32::try_from(environments.len()).unwrap_or(u32::MAX));
    for environment in environments {
        writer.bytes(environment.as_ref());
    }
    writer.finish()
}

/// Takes the bytes of [`join`] apart: one piece for each environment.
///
/// # Errors
/// If the bytes are damaged, or belong to another game or to another number of environments.
pub fn split<'a>(
    bytes: &'a [u8],
    game: &Game,
    num_envs: usize,
) -> Result<Vec<&'a [u8]>, AtariError> {
    let mut reader = Reader::new(bytes, KIND)?;
    let found = String::from_utf8_lossy(reader.bytes()?).into_owned();
    let count = reader.u32()? as usize;
    if (found.as_str(), count) != (game.name, num_envs) {
        return Err(AtariError::Snapshot(SnapshotError::Misfit(format!(
            "they are {count} of {found}, not {num_envs} of {}",
            game.name
        ))));
    }
    let environments = (0..count).map(|_| reader.bytes()).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(environments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atari::GAMES;

    #[test]
    fn wrong_actions_are_named() {
        let game = &GAMES[0];
        check_actions(game, 2, &[0, 17]).expect("18 actions");
        let error = check_actions(game, 2, &[0]).expect_err("one is missing").to_string();
        assert!(error.contains("expected 2 elements, got 1"), "{error}");
        let error = check_actions(game, 2, &[0, 18]).expect_err("none is 18").to_string();
        assert!(error.starts_with("environment 1: action 18"), "{error}");
    }

    #[test]
    fn stored_environments_come_apart_as_they_were_joined() {
        let [first, second, ..] = &GAMES;
        let parts = [vec![1, 2, 3], vec![], vec![4]];
        let bytes = join(first, &parts);
        assert_eq!(split(&bytes, first, 3).expect("splits"), parts);
        for (game, count) in [(second, 3), (first, 2)] {
            let error = split(&bytes, game, count).expect_err("does not fit").to_string();
            let wanted = format!("3 of {}, not {count} of {}", first.name, game.name);
            assert!(error.contains(&wanted), "{error}");
        }
        for len in 0..bytes.len() {
            assert!(split(&bytes[..len], first, 3).is_err(), "{len} bytes");
        }
    }
}
