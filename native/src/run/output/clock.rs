//! Steps per second over a short and a long window.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Length of the short window.
const SHORT: Duration = Duration::from_secs(30);

/// Times of finished iterations.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    first_step: u64,
    recent: VecDeque<(Instant, u64)>,
    latest: Rates,
}

/// Speeds at one time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Seconds since this process began training.
    pub elapsed: f64,
    /// Agent steps per second of the last iteration.
    pub last: f64,
    /// Agent steps per second over about half a minute.
    pub short: f64,
    /// Agent steps per second since this process began training.
    pub long: f64,
    /// Resident memory of the process in MB.
    pub memory_mb: f64,
}

/// Resident memory of this process in MB; 0 if the system does not report it.
#[must_use]
pub fn resident_memory_mb() -> f64 {
    memory_stats::memory_stats().map_or(0.0, |m| m.physical_mem as f64 / 1e6)
}

impl Clock {
    /// Starts counting at `global_step`.
    #[must_use]
    pub fn start(global_step: u64) -> Self {
        let start = Instant::now();
        Self {
            start,
            first_step: global_step,
            recent: VecDeque::from([(start, global_step)]),
            latest: Rates::default(),
        }
    }

    /// Records that an iteration ended at `global_step`.
    pub fn tick(&mut self, global_step: u64) {
        let now = Instant::now();
        let per_second = |(since, step): (Instant, u64)| {
            (global_step - step) as f64 / now.duration_since(since).as_secs_f64().max(1e-9)
        };
        let last = self.recent.back().copied().map_or(0.0, per_second);
        self.recent.push_back((now, global_step));
        while self.recent.len() > 2 && now.duration_since(self.recent[1].0) > SHORT {
            self.recent.pop_front();
        }
        self.latest = Rates {
            elapsed: now.duration_since(self.start).as_secs_f64(),
            last,
            short: self.recent.front().copied().map_or(0.0, per_second),
            long: per_second((self.start, self.first_step)),
            memory_mb: resident_memory_mb(),
        };
    }

    /// Speeds after the last iteration.
    #[must_use]
    pub const fn rates(&self) -> Rates {
        self.latest
    }
}
