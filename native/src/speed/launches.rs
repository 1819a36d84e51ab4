//! What a piece of work asks of a GPU: kernel launches, uploads and waits.
//!
//! Launches are counted by the runtime's own observer, so nothing has to be built in where kernels
//! are launched; uploads and waits by [`deepspi_core::traffic`]. The counts do not depend on the
//! adapter: a software adapter gives those of a real GPU.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use burn::cubecl::config::{TypeNameFormatLevel, type_name_format};
use burn::cubecl::logging::{LaunchObservation, LaunchObserver, TimingMethod, TimingRequest};
use deepspi_core::traffic::Traffic;
use serde::Serialize;

/// What a piece of work asked of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Kernels launched.
    pub launches: u64,
    /// Bytes of tensors made from numbers of the host.
    pub uploaded_bytes: u64,
    /// Reads that the host waited for.
    pub host_waits: u64,
}

/// Launches of one kind of kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KernelUse {
    /// Short name of the kernel.
    pub kernel: String,
    /// Number of launches.
    pub launches: u64,
    /// Time of all launches together, ms. Each was waited for, so nothing overlapped.
    pub total_ms: f64,
}

/// Collects the launches of this process, with their times if they are wanted.
struct Observer {
    timing: TimingRequest,
    kernels: Mutex<BTreeMap<&'static str, (u64, Duration)>>,
}

impl Observer {
    fn new(timing: TimingRequest) -> Arc<Self> {
        Arc::new(Self { timing, kernels: Mutex::default() })
    }

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

/// Counts what `work` asks of the device; also returns its result.
pub fn counted<T>(work: impl FnOnce() -> T) -> (Counts, T) {
    let observer = Observer::new(TimingRequest::None);
    let before = Traffic::so_far();
    let observation = LaunchObservation::new(Arc::clone(&observer) as Arc<dyn LaunchObserver>);
    let result = work();
    drop(observation);
    let Traffic { uploaded_bytes, host_waits } = Traffic::so_far().since(before);
    let launches = observer.kernels().values().map(|(launches, _)| launches).sum();
    (Counts { launches, uploaded_bytes, host_waits }, result)
}

/// The kernels that `work` launches, the one that took longest first.
///
/// Each launch is waited for. The work takes much longer than usual, and the times do not sum to
/// its usual time.
pub fn kernels<T>(work: impl FnOnce() -> T) -> (Vec<KernelUse>, T) {
    let observer = Observer::new(TimingRequest::Resolved);
    let observation = LaunchObservation::new(Arc::clone(&observer) as Arc<dyn LaunchObserver>);
    let result = work();
    drop(observation);
    let mut kernels: Vec<KernelUse> = observer
        .kernels()
        .iter()
        .map(|(name, (launches, time))| KernelUse {
            kernel: type_name_format(name, TypeNameFormatLevel::Balanced),
            launches: *launches,
            total_ms: time.as_secs_f64() * 1e3,
        })
        .collect();
    kernels.sort_by(|a, b| b.total_ms.total_cmp(&a.total_ms));
    (kernels, result)
}
