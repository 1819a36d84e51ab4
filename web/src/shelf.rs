//! The cartridges that can be played: the project's own, those that a visitor brought, and those
//! that the server on this machine offers.
//!
//! Only the bytes of brought cartridges are here from the start; those of the server are loaded
//! when a game is chosen.

use std::collections::BTreeMap;
use std::sync::Arc;

use deepspi_worlds::atari::{GAMES, Game};
use deepspi_worlds::cartridge::{MAZE_CARTRIDGE, ROM};

use crate::rom_file::{Cartridge, Found};

/// Largest number of games that a sentence names.
const NAMED: usize = 3;

/// Where a cartridge is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is part of the page.
    Free,
    /// The visitor brought it.
    Brought,
    /// The server on this machine has it.
    Machine,
}

impl Source {
    /// What a list of games says of it. Nothing of those on this machine: they can be all but one,
    /// and one line says it of all.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Brought => "yours",
            Self::Machine => "",
        }
    }
}

/// All cartridges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// By name of the game.
    brought: BTreeMap<&'static str, Cartridge>,
    /// By name of the game; the bytes once they are loaded.
    machine: BTreeMap<&'static str, Offered>,
}

/// A game that the server on this machine offers, and its bytes once they are loaded.
type Offered = (&'static Game, Option<Arc<[u8]>>);

impl Shelf {
    /// All games: the project's own first, the others by name. A game that was brought counts as
    /// brought, even if the server has it, too.
    #[must_use]
    pub fn games(&self) -> Vec<(&'static Game, Source)> {
        let brought = self.brought.values().map(|cartridge| (cartridge.game, Source::Brought));
        let machine = self.machine.values().map(|(game, _)| (*game, Source::Machine));
        let mut games: Vec<_> =
            machine.filter(|(game, _)| !self.brought.contains_key(game.name)).collect();
        games.extend(brought);
        games.sort_by_key(|(game, _)| game.name);
        games.insert(0, (&MAZE_CARTRIDGE, Source::Free));
        games
    }

    /// Whether a game can be played.
    #[must_use]
    pub fn has(&self, game: &Game) -> bool {
        let name = game.name;
        *game == MAZE_CARTRIDGE
            || self.brought.contains_key(name)
            || self.machine.contains_key(name)
    }

    /// The cartridge of a game; none if its bytes are not here yet, or never.
    #[must_use]
    pub fn cartridge(&self, game: &'static Game) -> Option<Cartridge> {
        if *game == MAZE_CARTRIDGE {
            return Some(Cartridge { game, bytes: ROM[..].into() });
        }
        if let Some(cartridge) = self.brought.get(game.name) {
            return Some(cartridge.clone());
        }
        let (game, bytes) = self.machine.get(game.name)?;
        Some(Cartridge { game, bytes: bytes.clone()? })
    }

    /// The cartridges that the visitor brought.
    #[must_use]
    pub fn brought(&self) -> Vec<Cartridge> {
        self.brought.values().cloned().collect()
    }

    /// All cartridges whose bytes are here, but for the project's own.
    #[must_use]
    pub fn at_hand(&self) -> Vec<Cartridge> {
        self.games().into_iter().skip(1).filter_map(|(game, _)| self.cartridge(game)).collect()
    }

    /// Adds what the visitor brought, and returns what is new. The project's own cartridge is
    /// always here.
    pub fn bring(&mut self, cartridges: &[Cartridge]) -> Vec<Cartridge> {
        let mut new = Vec::new();
        for cartridge in cartridges {
            let name = cartridge.game.name;
            if *cartridge.game != MAZE_CARTRIDGE && !self.brought.contains_key(name) {
                self.brought.insert(name, cartridge.clone());
                new.push(cartridge.clone());
            }
        }
        new
    }

    /// Removes what the visitor brought.
    pub fn forget(&mut self) {
        self.brought.clear();
    }

    /// Sets what the server on this machine offers: stems of file names, of which those that are
    /// not in the table of games are left out.
    pub fn offer(&mut self, stems: &[String]) {
        let games = GAMES.iter().filter(|game| stems.iter().any(|stem| stem == game.stem));
        self.machine = games.map(|game| (game.name, (game, None))).collect();
    }

    /// Keeps the bytes of a game that the server offers.
    pub fn loaded(&mut self, cartridge: &Cartridge) {
        if let Some((_, bytes)) = self.machine.get_mut(cartridge.game.name) {
            *bytes = Some(cartridge.bytes.clone());
        }
    }
}

/// What to say after a file was read: which games are new, and what was damaged.
#[must_use]
pub fn said(file: &str, found: &Found, new: &[Cartridge]) -> String {
    let names = |cartridges: &[Cartridge]| {
        let mut names: Vec<_> = cartridges.iter().map(|cartridge| cartridge.game.name).collect();
        names.sort_unstable();
        match names.len() {
            0..=NAMED => names.join(", "),
            all => format!("{} and {} more", names[..NAMED].join(", "), all - NAMED),
        }
    };
    let mut text = match (new, &*found.cartridges) {
        ([], [one]) => format!("{file} is {}, which was here already.", one.game.name),
        ([], all) => format!("All {} games in {file} were here already.", all.len()),
        ([one], _) => format!("{} is here now.", one.game.name),
        (new, _) => format!("{} games are here now: {}.", new.len(), names(new)),
    };
    if let [first, rest @ ..] = &*found.damaged {
        text += &format!(" {first}");
        if !rest.is_empty() {
            text += &format!(", as are {} more", rest.len());
        }
        text += &format!(": download {file} again to have them all.");
    }
    text
}

#[cfg(test)]
mod tests {
    use deepspi_playground::unzip::UnzipError;

    use super::*;

    fn cartridge(name: &str, byte: u8) -> Cartridge {
        Cartridge { game: Game::find(name).expect("in the table"), bytes: [byte; 4][..].into() }
    }

    fn shown(shelf: &Shelf) -> Vec<(&'static str, &'static str)> {
        shelf.games().into_iter().map(|(game, source)| (game.name, source.label())).collect()
    }

    const FREE: (&str, &str) = (MAZE_CARTRIDGE.name, "free");

    #[test]
    fn the_free_cartridge_is_always_here() {
        let mut shelf = Shelf::default();
        assert_eq!(shown(&shelf), [FREE]);
        let own = shelf.cartridge(&MAZE_CARTRIDGE).expect("part of the page");
        assert_eq!(*own.bytes, ROM[..]);
        assert!(shelf.bring(&[own]).is_empty(), "nothing new");
        assert!(shelf.has(&MAZE_CARTRIDGE) && shelf.brought().is_empty());
    }

    #[test]
    fn what_was_brought_is_forgotten_and_what_the_machine_has_stays() {
        let mut shelf = Shelf::default();
        shelf.offer(&["pong".into(), "air_raid".into(), "../pong".into(), "alien".into()]);
        assert_eq!(shown(&shelf), [FREE, ("Alien", ""), ("Pong", "")]);
        let new = shelf.bring(&[cartridge("Pong", 1), cartridge("Breakout", 2)]);
        assert_eq!(new.len(), 2);
        assert!(shelf.bring(&[cartridge("Pong", 1)]).is_empty());
        let all = [FREE, ("Alien", ""), ("Breakout", "yours"), ("Pong", "yours")];
        assert_eq!(shown(&shelf), all);
        assert_eq!(shelf.brought(), [cartridge("Breakout", 2), cartridge("Pong", 1)]);
        shelf.forget();
        assert_eq!(shown(&shelf), [FREE, ("Alien", ""), ("Pong", "")]);
        assert!(!shelf.has(cartridge("Breakout", 2).game));
    }

    #[test]
    fn bytes_of_this_machine_come_later() {
        let mut shelf = Shelf::default();
        let pong = cartridge("Pong", 1);
        shelf.loaded(&pong);
        assert!(!shelf.has(pong.game), "it is not offered");
        shelf.offer(&["pong".into()]);
        assert!(shelf.has(pong.game));
        assert_eq!(shelf.cartridge(pong.game), None);
        assert_eq!(shelf.at_hand(), []);
        shelf.loaded(&pong);
        assert_eq!(shelf.cartridge(pong.game), Some(pong.clone()));
        let alien = cartridge("Alien", 2);
        shelf.bring(std::slice::from_ref(&alien));
        assert_eq!(shelf.at_hand(), [alien, pong]);
    }

    #[test]
    fn what_is_said_names_few_games_and_all_damage() {
        let all = ["Alien", "Amidar", "Pong", "Qbert"].map(|name| cartridge(name, 0));
        let found = |count: usize| Found { cartridges: all[..count].into(), damaged: vec![] };
        let say = |count, new: usize| said("x.zip", &found(count), &all[..new]);
        assert_eq!(say(1, 1), "Alien is here now.");
        assert_eq!(say(3, 3), "3 games are here now: Alien, Amidar, Pong.");
        assert_eq!(say(4, 4), "4 games are here now: Alien, Amidar, Pong and 1 more.");
        assert_eq!(say(4, 1), "Alien is here now.");
        let backwards: Vec<_> = all.iter().rev().cloned().collect();
        let text = said("x.zip", &found(4), &backwards);
        assert_eq!(text, say(4, 4), "the order in the file does not matter");
        assert_eq!(say(1, 0), "x.zip is Alien, which was here already.");
        assert_eq!(say(2, 0), "All 2 games in x.zip were here already.");
        let damaged =
            |name: &str| UnzipError::Damaged { name: name.into(), why: "checksum".into() };
        let mut found = found(1);
        found.damaged = vec![damaged("a.bin"), damaged("b.bin")];
        let text = said("x.zip", &found, &all[..1]);
        for part in
            ["Alien is here now. a.bin in it is damaged", "as are 1 more", "download x.zip again"]
        {
            assert!(text.contains(part), "`{text}` does not say {part}");
        }
    }
}
