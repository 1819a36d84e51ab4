//! The 57 games of the usual benchmark: names, ROM files, checksums, actions.
//!
//! The table connects a name on the command line, a file on disk and the number of policy outputs,
//! so its entries must not change. Names are those of CleanRL (EnvPool appends `-v5`). The
//! checksums are those of the ROMs in the Python package `ale-py`. A ROM with another checksum is
//! refused: ALE's game rules read fixed RAM addresses, and its mode selection loops for ever on a
//! cartridge that it does not expect.

/// One of the 57 games.
#[derive(Debug, PartialEq, Eq)]
pub struct Game {
    /// Name as CleanRL writes it, such as `MsPacman`.
    pub name: &'static str,
    /// Stem of the ROM file and id of the game inside ALE, such as `ms_pacman`.
    pub stem: &'static str,
    /// MD5 of the ROM: 32 lower-case hexadecimal digits.
    pub md5: &'static str,
    /// ALE ids of the minimal action set, ascending. A policy's action `k` means `actions[k]`.
    pub actions: &'static [u8],
    /// Whether ALE's life counter never moves during play, so that episodic life has no effect.
    pub lives_constant: bool,
}

impl Game {
    /// Size of the minimal action set: the number of policy outputs.
    #[must_use]
    pub const fn n_actions(&self) -> usize {
        self.actions.len()
    }

    /// Whether the minimal action set has the plain FIRE action. FIRE then starts the game after
    /// every reset.
    #[must_use]
    pub fn has_fire(&self) -> bool {
        self.actions.contains(&FIRE)
    }

    /// Name of the ROM file, such as `ms_pacman.bin`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.bin", self.stem)
    }

    /// Finds a game by `MsPacman`, `ms_pacman`, `mspacman`, `MsPacman-v5`, `ALE/MsPacman-v5` or
    /// `MsPacmanNoFrameskip-v4`, in any case.
    ///
    /// # Errors
    /// [`UnknownGame`] with the three most similar names.
    pub fn find(name: &str) -> Result<&'static Self, UnknownGame> {
        let key = normalised(name);
        GAMES.iter().find(|game| normalised(game.stem) == key).ok_or_else(|| {
            let mut nearest: Vec<_> = GAMES
                .iter()
                .map(|game| (strsim::jaro_winkler(&key, &normalised(game.stem)), game.name))
                .collect();
            nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
            UnknownGame {
                given: name.to_owned(),
                nearest: [nearest[0].1, nearest[1].1, nearest[2].1],
            }
        })
    }
}

/// ALE's id of the action that does nothing.
pub const NOOP: u8 = 0;
/// ALE's id of the plain FIRE action.
pub const FIRE: u8 = 1;

/// The name matches none of the 57 games.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown Atari game `{given}`; the nearest names are {}, {} and {}", nearest[0], nearest[1], nearest[2])]
pub struct UnknownGame {
    /// The given name.
    pub given: String,
    /// The most similar names, best first.
    pub nearest: [&'static str; 3],
}

/// The name in lower case, without namespace, version, `NoFrameskip`, `Deterministic` and
/// separators.
pub(crate) fn normalised(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let mut rest = lower.strip_prefix("ale/").unwrap_or(&lower);
    if let Some((stem, version)) = rest.rsplit_once("-v")
        && !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_digit())
    {
        rest = stem;
    }
    for suffix in ["noframeskip", "deterministic"] {
        rest = rest.strip_suffix(suffix).unwrap_or(rest);
    }
    rest.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect()
}

const ALL: [u8; 18] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

const fn game(
    name: &'static str,
    stem: &'static str,
    md5: &'static str,
    actions: &'static [u8],
    lives_constant: bool,
) -> Game {
    Game { name, stem, md5, actions, lives_constant }
}

/// All games, in alphabetical order of their names.
pub static GAMES: [Game; 57] = [
    game("Alien", "alien", "f1a0a23e6464d954e3a9579c4ccd01c8", &ALL, false),
    game(
        "Amidar",
        "amidar",
        "acb7750b4d0c4bd34969802a7deb2990",
        &[0, 1, 2, 3, 4, 5, 10, 11, 12, 13],
        false,
    ),
    game("Assault", "assault", "de78b3a064d374390ac0710f95edde92", &[0, 1, 2, 3, 4, 11, 12], false),
    game(
        "Asterix",
        "asterix",
        "89a68746eff7f266bbf08de2483abe55",
        &[0, 2, 3, 4, 5, 6, 7, 8, 9],
        false,
    ),
    game(
        "Asteroids",
        "asteroids",
        "ccbd36746ed4525821a8083b0d6d2c2c",
        &[0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15],
        false,
    ),
    game("Atlantis", "atlantis", "9ad36e699ef6f45d9eb6c4cf90475c9f", &[0, 1, 11, 12], false),
    game("BankHeist", "bank_heist", "00ce0bdd43aed84a983bef38fe7f5ee3", &ALL, false),
    game("BattleZone", "battle_zone", "41f252a66c6301f1e8ab3612c19bc5d4", &ALL, false),
    game(
        "BeamRider",
        "beam_rider",
        "79ab4123a83dc11d468fb2108ea09e2e",
        &[0, 1, 2, 3, 4, 6, 7, 11, 12],
        false,
    ),
    game("Berzerk", "berzerk", "136f75c4dd02c29283752b7e5799f978", &ALL, false),
    game("Bowling", "bowling", "c9b7afad3bfd922e006a6bfc1d4f3fe7", &[0, 1, 2, 5, 10, 13], true),
    game("Boxing", "boxing", "c3ef5c4653212088eda54dc91d787870", &ALL, true),
    game("Breakout", "breakout", "f34f08e5eb96e500e851a80be3277a56", &[0, 1, 3, 4], false),
    game("Centipede", "centipede", "91c2098e88a6b13f977af8c003e0bca5", &ALL, false),
    game("ChopperCommand", "chopper_command", "c1cb228470a87beb5f36e90ac745da26", &ALL, false),
    game(
        "CrazyClimber",
        "crazy_climber",
        "55ef7b65066428367844342ed59f956c",
        &[0, 2, 3, 4, 5, 6, 7, 8, 9],
        false,
    ),
    game("Defender", "defender", "0f643c34e40e3f1daafd9c524d3ffe64", &ALL, false),
    game(
        "DemonAttack",
        "demon_attack",
        "f0e0addc07971561ab80d9abe1b8d333",
        &[0, 1, 3, 4, 11, 12],
        false,
    ),
    game("DoubleDunk", "double_dunk", "368d88a6c071caba60b4f778615aae94", &ALL, true),
    game(
        "Enduro",
        "enduro",
        "94b92a882f6dbaa6993a46e2dcc58402",
        &[0, 1, 3, 4, 5, 8, 9, 11, 12],
        true,
    ),
    game("FishingDerby", "fishing_derby", "b8865f05676e64f3bec72b9defdacfa7", &ALL, true),
    game("Freeway", "freeway", "8e0ab801b1705a740b476b7f588c6d16", &[0, 2, 5], true),
    game("Frostbite", "frostbite", "4ca73eb959299471788f0b685c3ba0b5", &ALL, false),
    game(
        "Gopher",
        "gopher",
        "c16c79aad6272baffb8aae9a7fff0864",
        &[0, 1, 2, 3, 4, 10, 11, 12],
        false,
    ),
    game("Gravitar", "gravitar", "8ac18076d01a6b63acf6e2cab4968940", &ALL, false),
    game("Hero", "hero", "fca4a5be1251927027f2c24774a02160", &ALL, false),
    game("IceHockey", "ice_hockey", "a4c08c4994eb9d24fb78be1793e82e26", &ALL, true),
    game("Jamesbond", "jamesbond", "e51030251e440cffaab1ac63438b44ae", &ALL, false),
    game("Kangaroo", "kangaroo", "4326edb70ff20d0ee5ba58fa5cb09d60", &ALL, false),
    game("Krull", "krull", "4baada22435320d185c95b7dd2bcdb24", &ALL, false),
    game(
        "KungFuMaster",
        "kung_fu_master",
        "5b92a93b23523ff16e2789b820e2a4c5",
        &[0, 2, 3, 4, 5, 8, 9, 11, 12, 13, 14, 15, 16, 17],
        false,
    ),
    game("MontezumaRevenge", "montezuma_revenge", "3347a6dd59049b15a38394aa2dafa585", &ALL, false),
    game(
        "MsPacman",
        "ms_pacman",
        "87e79cd41ce136fd4f72cc6e2c161bee",
        &[0, 2, 3, 4, 5, 6, 7, 8, 9],
        false,
    ),
    game(
        "NameThisGame",
        "name_this_game",
        "36306070f0c90a72461551a7a4f3a209",
        &[0, 1, 3, 4, 11, 12],
        false,
    ),
    game(
        "Phoenix",
        "phoenix",
        "7e52a95074a66640fcfde124fffd491a",
        &[0, 1, 3, 4, 5, 11, 12, 13],
        false,
    ),
    game("Pitfall", "pitfall", "3e90cf23106f2e08b2781e41299de556", &ALL, false),
    game("Pong", "pong", "60e0ea3cbe0913d39803477945e9e5ec", &[0, 1, 3, 4, 11, 12], true),
    game("PrivateEye", "private_eye", "ef3a4f64b6494ba770862768caf04b86", &ALL, true),
    game("Qbert", "qbert", "484b0076816a104875e00467d431c2d2", &[0, 1, 2, 3, 4, 5], false),
    game("Riverraid", "riverraid", "393948436d1f4cc3192410bb918f9724", &ALL, false),
    game("RoadRunner", "road_runner", "ce5cc62608be2cd3ed8abd844efb8919", &ALL, false),
    game("Robotank", "robotank", "4f618c2429138e0280969193ed6c107e", &ALL, false),
    game("Seaquest", "seaquest", "240bfbac5163af4df5ae713985386f92", &ALL, false),
    game("Skiing", "skiing", "b76fbadc8ffb1f83e2ca08b6fb4d6c9f", &[0, 3, 4], true),
    game("Solaris", "solaris", "e72eb8d4410152bdcb69e7fba327b420", &ALL, false),
    game(
        "SpaceInvaders",
        "space_invaders",
        "72ffbef6504b75e69ee1045af9075f66",
        &[0, 1, 3, 4, 11, 12],
        false,
    ),
    game("StarGunner", "star_gunner", "a3c1c70024d7aabb41381adbfb6d3b25", &ALL, false),
    game("Surround", "surround", "4d7517ae69f95cfbc053be01312b7dba", &[0, 2, 3, 4, 5], true),
    game("Tennis", "tennis", "42cdd6a9e42a3639e190722b8ea3fc51", &ALL, true),
    game(
        "TimePilot",
        "time_pilot",
        "fc2104dd2dadf9a6176c1c1c8f87ced9",
        &[0, 1, 2, 3, 4, 5, 10, 11, 12, 13],
        false,
    ),
    game(
        "Tutankham",
        "tutankham",
        "085322bae40d904f53bdcc56df0593fc",
        &[0, 2, 3, 4, 5, 10, 11, 12],
        false,
    ),
    game("UpNDown", "up_n_down", "a499d720e7ee35c62424de882a3351b6", &[0, 1, 2, 5, 10, 13], false),
    game("Venture", "venture", "3e899eba0ca8cd2972da1ae5479b4f0d", &ALL, false),
    game(
        "VideoPinball",
        "video_pinball",
        "107cc025334211e6d29da0b6be46aec7",
        &[0, 1, 2, 3, 4, 5, 10, 11, 12],
        false,
    ),
    game(
        "WizardOfWor",
        "wizard_of_wor",
        "7e8aa18bc9502eb57daaf5e7c1e94da7",
        &[0, 1, 2, 3, 4, 5, 10, 11, 12, 13],
        false,
    ),
    game("YarsRevenge", "yars_revenge", "c5930d0e8cdae3e037349bfa08e871be", &ALL, false),
    game("Zaxxon", "zaxxon", "eea0da9b987d661264cce69a7c13c3bd", &ALL, false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_finds_the_game() {
        for spelling in [
            "MsPacman",
            "ms_pacman",
            "mspacman",
            "MSPACMAN",
            "MsPacman-v5",
            "ALE/MsPacman-v5",
            "MsPacmanNoFrameskip-v4",
            "ms-pacman",
        ] {
            assert_eq!(Game::find(spelling).map(|game| game.name), Ok("MsPacman"), "{spelling}");
        }
        for game in &GAMES {
            assert_eq!(Game::find(game.name), Ok(game));
            assert_eq!(Game::find(game.stem), Ok(game));
            assert_eq!(Game::find(&format!("{}-v5", game.name)), Ok(game));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_nearest() {
        let error = Game::find("Brekout-v5").unwrap_err();
        assert_eq!(error.nearest[0], "Breakout");
        assert!(
            error.to_string().contains("Brekout-v5") && error.to_string().contains("Breakout"),
            "{error}"
        );
        // A part of a name is not accepted, and a RAM variant is a different observation space.
        assert!(Game::find("Pac").is_err());
        assert!(Game::find("").is_err());
        assert!(Game::find("Breakout-ram-v5").is_err());
    }

    #[test]
    fn the_table_is_well_formed() {
        for pair in GAMES.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
        }
        for game in &GAMES {
            assert_eq!(game.md5.len(), 32, "{}", game.name);
            assert!(
                game.md5.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
                "{}",
                game.name
            );
            assert!(game.actions.windows(2).all(|pair| pair[0] < pair[1]), "{}", game.name);
            assert!(
                game.actions[0] == NOOP && game.actions.iter().all(|&id| id < 18),
                "{}",
                game.name
            );
            assert_eq!(normalised(game.name), normalised(game.stem));
        }
        let mut sums: Vec<_> = GAMES.iter().map(|game| game.md5).collect();
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), GAMES.len(), "two games share a checksum");
    }
}
