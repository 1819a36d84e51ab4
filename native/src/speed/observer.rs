//! Watches the launches of this process by the runtime's own observer, so nothing has to be built in where
//! kernels are launched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use burn::cubecl::config::{TypeNameFormatLevel, type_name_format};
use burn::cubecl::logging::{LaunchObservation, LaunchObserver, TimingMethod, TimingRequest};

/// Collects the launches of this process, with their times if they are wanted.
struct Observer {
    timing: TimingRequest,
    kernels: Mutex<BTreeMap<&'static str, (u64, Duration)>>,
}

impl Observer {
    fn kernels(&self) -> MutexGuard<'_, BTreeMap<&'static str, (u64, Duration)>> {
        self.kernels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LaunchObserver for Observer {
    fn launched(&self, kernel: &'static str) {
        self.kernels().entry(kernel).or_default().0 += 1;
    }

    fn timing(&self) -> TimingRequest {
        self.timing
    }

    fn timed(&self, kernel: &'static str, duration: Duration, _method: TimingMethod) {
        self.kernels().entry(kernel).or_default().1 += duration;
    }
}

/// Name, launches and time of the kernels that `work` launches; with `timed` each is waited for, else the times are 0.
pub(super) fn observed<T>(
    timed: bool,
    work: impl FnOnce() -> T,
) -> (Vec<(String, u64, Duration)>, T) {
    let timing = if timed { TimingRequest::Resolved } else { TimingRequest::None };
    let observer = Arc::new(Observer { timing, kernels: Mutex::default() });
    let observation = LaunchObservation::new(Arc::clone(&observer) as Arc<dyn LaunchObserver>);
    let result = work();
    drop(observation);
    let kernels = observer.kernels();
    let used = kernels.iter().map(|(name, (launches, time))| {
        (type_name_format(name, TypeNameFormatLevel::Balanced), *launches, *time)
    });
    (used.collect(), result)
}
