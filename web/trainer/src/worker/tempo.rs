//! How fast iterations follow one another: the pace that the user chose, and the speed that is
//! reached.

use std::collections::VecDeque;

use deepspi_playground::protocol::Pace;

use super::inbox::Letter;
use super::letters::Letters;
use super::time;

/// Time window in which the speed is measured.
const SPEED_MS: f64 = 1_500.0;

/// The pace, and the iterations of the last moments.
#[derive(Debug)]
pub struct Tempo {
    pace: Pace,
    /// When the next iteration may begin.
    next_due: f64,
    /// End time and number of gradient updates of the last iterations.
    done: VecDeque<(f64, usize)>,
}

impl Tempo {
    /// No iteration yet, at full speed.
    pub const fn new() -> Self {
        Self { pace: Pace::Max, next_due: 0.0, done: VecDeque::new() }
    }

    /// Changes the pace; the next iteration may begin at once.
    pub const fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
        self.next_due = 0.0;
    }

    /// Training begins: the next iteration may begin at once, and the speed is measured anew.
    pub fn begin(&mut self) {
        self.next_due = 0.0;
        self.done.clear();
    }

    /// Notes the gradient updates of an iteration that has just ended.
    pub fn note(&mut self, updates: usize) {
        let now = time::now_ms();
        self.done.push_back((now, updates));
        while self.done.len() > 2 && self.done.front().is_some_and(|(t, _)| now - t > SPEED_MS) {
            self.done.pop_front();
        }
    }

    /// The speed of the last moments; 0 before the second iteration.
    pub fn updates_per_second(&self) -> f64 {
        let (Some((first, _)), Some((last, _))) = (self.done.front(), self.done.back()) else {
            return 0.0;
        };
        // The first entry only gives the time at which the others began.
        let updates: usize = self.done.iter().skip(1).map(|(_, updates)| updates).sum();
        if last > first { updates as f64 * 1000.0 / (last - first) } else { 0.0 }
    }

    /// Waits until the next iteration is due or a request arrives. Returns whether it is due: a timer
    /// may also end a little early, and iterations would then come twice as often.
    pub async fn wait(&mut self, inbox: &Letters<Letter>) -> bool {
        let Pace::PerSecond(rate) = self.pace else { return true };
        let now = time::now_ms();
        if self.next_due > now {
            // In both cases the loop serves requests first and then checks the time again.
            let _: Option<()> = time::unless(time::sleep(self.next_due - now), inbox.wait()).await;
        }
        let due = self.next_due <= time::now_ms();
        if due {
            self.next_due = time::now_ms() + 1000.0 / rate.max(0.01);
        }
        due
    }
}
