//! Names of the 18 actions of the console, in words and as arrows, for films, screens and tables.
//!
//! An agent's action is an index into its game's action set ([`super::Game::actions`]), which holds
//! the ids that are named here.

/// Names of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionName {
    /// In words, such as `up-right + fire`; without commas.
    pub words: &'static str,
    /// As a sign, such as `↗●`: the direction of the stick, and a dot if the button is pressed.
    pub sign: &'static str,
}

const fn name(words: &'static str, sign: &'static str) -> ActionName {
    ActionName { words, sign }
}

/// By ALE's id.
const NAMES: [ActionName; 18] = [
    name("no-op", "–"),
    name("fire", "●"),
    name("up", "↑"),
    name("right", "→"),
    name("left", "←"),
    name("down", "↓"),
    name("up-right", "↗"),
    name("up-left", "↖"),
    name("down-right", "↘"),
    name("down-left", "↙"),
    name("up + fire", "↑●"),
    name("right + fire", "→●"),
    name("left + fire", "←●"),
    name("down + fire", "↓●"),
    name("up-right + fire", "↗●"),
    name("up-left + fire", "↖●"),
    name("down-right + fire", "↘●"),
    name("down-left + fire", "↙●"),
];

/// The names of the action with this ALE id; question marks for an id above 17, which no game has.
#[must_use]
pub fn action_name(id: u8) -> ActionName {
    NAMES.get(usize::from(id)).copied().unwrap_or(name("?", "?"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::atari::GAMES;
    use crate::atari::games::{FIRE, NOOP};

    #[test]
    fn every_action_of_every_game_has_names_of_its_own() {
        for id in GAMES.iter().flat_map(|game| game.actions) {
            assert_ne!(action_name(*id).words, "?", "action {id}");
        }
        let words: BTreeSet<_> = NAMES.iter().map(|name| name.words).collect();
        let signs: BTreeSet<_> = NAMES.iter().map(|name| name.sign).collect();
        assert_eq!((words.len(), signs.len()), (18, 18));
        assert_eq!(action_name(18), name("?", "?"));
    }

    /// ALE's order: up, right, left, down, then the diagonals, then all eight with the button.
    #[test]
    fn words_and_signs_say_the_same() {
        assert_eq!((action_name(NOOP).words, action_name(FIRE).words), ("no-op", "fire"));
        let directions = ["up", "right", "left", "down"];
        for id in 2..10 {
            let (plain, fire) = (action_name(id), action_name(id + 8));
            assert_eq!(fire.words, format!("{} + fire", plain.words));
            assert_eq!(fire.sign, format!("{}●", plain.sign));
            let diagonal = plain.words.contains('-');
            assert_eq!(diagonal, id >= 6, "{}", plain.words);
            assert!(plain.words.split('-').all(|word| directions.contains(&word)));
        }
        for (id, sign) in
            [(2, "↑"), (3, "→"), (4, "←"), (5, "↓"), (6, "↗"), (7, "↖"), (8, "↘"), (9, "↙")]
        {
            assert_eq!(action_name(id).sign, sign);
        }
    }
}
