//! The pace of a screen: which frame is shown now, and when the next step must be asked for.
//!
//! The player computes whole agent steps of several frames; the screen shows single frames, 60 in a
//! second at normal speed. One step is computed ahead, so that the picture does not stop while the
//! player works. This module knows neither the page nor the player.

use std::collections::VecDeque;

/// Steps that are asked for before the frames of the current one have been shown.
const AHEAD: usize = 2;
/// Longest time between two frames of the browser that is made up for. After a pause, such as a
/// hidden tab, the game goes on from where it was.
const LONGEST_GAP_MS: f64 = 100.0;

/// How fast a screen plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This multiple of the speed of a real console: 60 frames in a second.
    Times(f64),
    /// As fast as the player can.
    Most,
}

/// The speeds on offer: name in links, label, speed.
pub const SPEEDS: [(&str, &str, Speed); 7] = [
    ("1", "normal speed", Speed::Times(1.0)),
    ("0.25", "quarter speed", Speed::Times(0.25)),
    ("0.5", "half speed", Speed::Times(0.5)),
    ("2", "twofold", Speed::Times(2.0)),
    ("4", "fourfold", Speed::Times(4.0)),
    ("8", "eightfold", Speed::Times(8.0)),
    ("max", "as fast as it can", Speed::Most),
];

/// Steps that were played and not shown completely.
#[derive(Clone, Debug)]
pub struct Reel<T> {
    waiting: VecDeque<(T, usize)>,
    /// Frames of the first step that were shown.
    shown: usize,
    /// Frames, with fractions, that may be shown.
    credit: f64,
    /// Steps that were asked for and have not arrived.
    pending: usize,
}

impl<T> Default for Reel<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), shown: 0, credit: 0.0, pending: 0 }
    }
}

/// What a screen has to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due<T> {
    /// Steps whose first frame is reached, in order.
    pub begun: Vec<T>,
    /// Index of the frame to show, within the last step that has begun.
    pub frame: Option<usize>,
}

impl<T: Clone> Reel<T> {
    /// Adds a step of `frames` frames that has arrived.
    pub fn push(&mut self, step: T, frames: usize) {
        self.pending = self.pending.saturating_sub(1);
        self.waiting.push_back((step, frames.max(1)));
    }

    /// Notes that a step that was asked for will not come.
    pub fn fail(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    /// Whether the next step should be asked for; the caller must then ask for it.
    pub fn ask(&mut self) -> bool {
        let more = self.waiting.len() + self.pending < AHEAD;
        self.pending += usize::from(more);
        more
    }

    /// Asks for one step outside the pace, unless one is under way.
    pub fn ask_once(&mut self) -> bool {
        let free = self.pending == 0;
        self.pending += usize::from(free);
        free
    }

    /// Asks for one step more, whatever is under way.
    pub fn ask_anyway(&mut self) {
        self.pending += 1;
    }

    /// Lets `elapsed` milliseconds pass.
    pub fn advance(&mut self, elapsed: f64, speed: Speed) -> Due<T> {
        let Speed::Times(times) = speed else { return self.finish() };
        self.credit += elapsed.clamp(0.0, LONGEST_GAP_MS) * 0.06 * times;
        let mut due = Due { begun: Vec::new(), frame: None };
        while self.credit >= 1.0 {
            let Some((step, frames)) = self.waiting.front() else {
                // The player is late; what was not shown is not made up for.
                self.credit = 0.0;
                break;
            };
            self.credit -= 1.0;
            if self.shown == 0 {
                due.begun.push(step.clone());
            }
            due.frame = Some(self.shown);
            self.shown += 1;
            if self.shown == *frames {
                self.waiting.pop_front();
                self.shown = 0;
            }
        }
        due
    }

    /// Goes to the last frame of everything that has arrived.
    pub fn finish(&mut self) -> Due<T> {
        let skip = usize::from(self.shown > 0);
        let frame = self.waiting.back().map(|(_, frames)| frames - 1);
        let begun = self.waiting.drain(..).skip(skip).map(|(step, _)| step).collect();
        (self.shown, self.credit) = (0, 0.0);
        Due { begun, frame }
    }

    /// Forgets all steps, those that were asked for included.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_frames_are_shown_in_a_second_and_each_step_begins_once() {
        let (mut reel, mut asked, mut begun, mut frames) = (Reel::default(), 0, Vec::new(), 0);
        // A browser that draws 50 times in a second.
        for _ in 0..50 {
            while reel.ask() {
                reel.push(asked, 4);
                asked += 1;
            }
            let due = reel.advance(20.0, Speed::Times(1.0));
            assert!(due.frame.is_some_and(|frame| frame < 4));
            begun.extend(due.begun);
            frames += 1;
        }
        assert_eq!((begun, frames), ((0..15).collect::<Vec<_>>(), 50));
        assert!(asked <= 17, "{asked} steps were asked for");
    }

    #[test]
    fn a_late_player_stops_the_picture_and_nothing_is_skipped_afterwards() {
        let mut reel = Reel::default();
        assert!(reel.ask() && reel.ask() && !reel.ask());
        assert_eq!(reel.advance(90.0, Speed::Times(8.0)), Due { begun: vec![], frame: None });
        reel.push('a', 4);
        let due = reel.advance(17.0, Speed::Times(1.0));
        assert_eq!(due, Due { begun: vec!['a'], frame: Some(0) });
        reel.fail();
        assert!(reel.ask());
    }

    #[test]
    fn after_an_hour_in_a_hidden_tab_the_game_goes_on_where_it_was() {
        let mut reel = Reel::default();
        for step in 0..50 {
            reel.push(step, 4);
        }
        let due = reel.advance(3_600_000.0, Speed::Times(1.0));
        assert_eq!(due.begun, [0, 1], "six frames");
    }

    #[test]
    fn at_full_speed_the_last_frame_is_shown_and_no_step_is_lost() {
        let mut reel = Reel::default();
        for step in ['a', 'b', 'c'] {
            reel.push(step, 4);
        }
        reel.advance(17.0, Speed::Times(1.0));
        let due = reel.advance(17.0, Speed::Most);
        assert_eq!(due, Due { begun: vec!['b', 'c'], frame: Some(3) });
        assert_eq!(reel.advance(17.0, Speed::Most), Due { begun: vec![], frame: None });
    }
}
