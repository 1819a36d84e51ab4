//! The rooms of the page, which tabs, links and keys refer to.

/// A room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Room {
    /// Policies near a policy.
    #[default]
    Neighbourhood,
    /// The maze and its two agents.
    Maze,
    /// The agents' latents.
    Latents,
    /// The terms of the theorems.
    Theory,
    /// What world models imagine.
    Dream,
    /// Games on the emulator.
    Atari,
}

impl Room {
    /// All rooms, in the order of the tabs.
    pub const ALL: [Self; 6] =
        [Self::Neighbourhood, Self::Maze, Self::Latents, Self::Theory, Self::Dream, Self::Atari];

    /// Name on the tab.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Neighbourhood => "Neighbourhood",
            Self::Maze => "Maze",
            Self::Latents => "Latents",
            Self::Theory => "Theory",
            Self::Dream => "Dream",
            Self::Atari => "Atari",
        }
    }

    /// Name in addresses and ids.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Neighbourhood => "neighbourhood",
            Self::Maze => "maze",
            Self::Latents => "latents",
            Self::Theory => "theory",
            Self::Dream => "dream",
            Self::Atari => "atari",
        }
    }
}
