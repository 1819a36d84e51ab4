//! A joystick for people: keys and touch buttons become one of the game's actions.

/// What is pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joystick {
    /// Up.
    pub up: bool,
    /// Down.
    pub down: bool,
    /// Left.
    pub left: bool,
    /// Right.
    pub right: bool,
    /// The red button.
    pub fire: bool,
}

/// A part of the joystick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Up.
    Up,
    /// Down.
    Down,
    /// Left.
    Left,
    /// Right.
    Right,
    /// The red button.
    Fire,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 5] = [Self::Up, Self::Down, Self::Left, Self::Right, Self::Fire];

    /// The part for a key, by the key's name in the browser.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "ArrowUp" => Self::Up,
            "ArrowDown" => Self::Down,
            "ArrowLeft" => Self::Left,
            "ArrowRight" => Self::Right,
            " " => Self::Fire,
            _ => return None,
        })
    }

    /// Sign and name of its touch button.
    #[must_use]
    pub const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Up => ("↑", "up"),
            Self::Down => ("↓", "down"),
            Self::Left => ("←", "left"),
            Self::Right => ("→", "right"),
            Self::Fire => ("●", "fire"),
        }
    }
}

impl Joystick {
    /// Presses or releases a part.
    pub const fn set(&mut self, part: Part, pressed: bool) {
        match part {
            Part::Up => self.up = pressed,
            Part::Down => self.down = pressed,
            Part::Left => self.left = pressed,
            Part::Right => self.right = pressed,
            Part::Fire => self.fire = pressed,
        }
    }

    /// ALE's id of what is pressed; opposite directions cancel each other.
    #[must_use]
    pub const fn id(self) -> u8 {
        let fire = self.fire;
        match (self.up as i8 - self.down as i8, self.right as i8 - self.left as i8) {
            (0, 0) => fire as u8,
            (1, 0) => {
                if fire {
                    10
                } else {
                    2
                }
            }
            (0, 1) => {
                if fire {
                    11
                } else {
                    3
                }
            }
            (0, -1) => {
                if fire {
                    12
                } else {
                    4
                }
            }
            (-1, 0) => {
                if fire {
                    13
                } else {
                    5
                }
            }
            (1, 1) => {
                if fire {
                    14
                } else {
                    6
                }
            }
            (1, -1) => {
                if fire {
                    15
                } else {
                    7
                }
            }
            (-1, 1) => {
                if fire {
                    16
                } else {
                    8
                }
            }
            _ => {
                if fire {
                    17
                } else {
                    9
                }
            }
        }
    }

    /// The nearest of the game's actions: an index into their ALE ids. If the game does not have the
    /// combination, the button is left out, then one of two directions, then all of it. None if
    /// nothing is left and the game cannot do nothing.
    #[must_use]
    pub fn action(self, actions: &[u8]) -> Option<u32> {
        let without_fire = Self { fire: false, ..self };
        let across = Self { up: false, down: false, ..without_fire };
        let along = Self { left: false, right: false, ..without_fire };
        let idle = Self::default();
        let mut wanted = vec![self, without_fire];
        if without_fire != idle {
            wanted.extend([across, along].into_iter().filter(|part| *part != idle));
        }
        wanted.push(idle);
        let found = wanted
            .into_iter()
            .find_map(|stick| actions.iter().position(|&action| action == stick.id()));
        found.and_then(|index| u32::try_from(index).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAZE: [u8; 4] = [2, 3, 4, 5];
    const BREAKOUT: [u8; 4] = [0, 1, 3, 4];

    fn stick(parts: &[Part]) -> Joystick {
        let mut stick = Joystick::default();
        for part in parts {
            stick.set(*part, true);
        }
        stick
    }

    #[test]
    fn all_ids_are_different() {
        let mut ids: Vec<u8> = (0..32_u8)
            .map(|bits| {
                let on = |bit: u8| bits >> bit & 1 == 1;
                let [up, down, left, right, fire] = [0, 1, 2, 3, 4].map(on);
                Joystick { up, down, left, right, fire }.id()
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids, (0..18).collect::<Vec<_>>());
    }

    #[test]
    fn a_combination_that_a_game_does_not_have_becomes_the_nearest() {
        assert_eq!(stick(&[Part::Up]).action(&MAZE), Some(0));
        assert_eq!(stick(&[Part::Right, Part::Fire]).action(&MAZE), Some(1));
        assert_eq!(stick(&[Part::Up, Part::Left]).action(&MAZE), Some(2));
        assert_eq!(stick(&[]).action(&MAZE), None, "the maze has no action that does nothing");
        assert_eq!(stick(&[Part::Fire]).action(&MAZE), None);
        assert_eq!(stick(&[]).action(&BREAKOUT), Some(0));
        assert_eq!(stick(&[Part::Fire]).action(&BREAKOUT), Some(1));
        assert_eq!(stick(&[Part::Up]).action(&BREAKOUT), Some(0));
        assert_eq!(stick(&[Part::Left, Part::Right]).action(&BREAKOUT), Some(0));
        assert_eq!(stick(&[Part::Down, Part::Left, Part::Fire]).action(&BREAKOUT), Some(3));
    }
}
