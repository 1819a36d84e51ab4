//! What a piece of work asks of a GPU: kernel launches, uploads and waits.
//!
//! Launches are counted by `observer`; uploads and waits by [`deepspi_core::traffic`]. The counts do not
//! depend on the adapter: a software adapter gives those of a real GPU.

use std::time::Duration;

use deepspi_core::traffic::Traffic;
use serde::Serialize;

#[cfg(feature = "gpu")]
use super::observer::observed;

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

/// Without a GPU back end nothing is launched.
#[cfg(not(feature = "gpu"))]
fn observed<T>(_: bool, work: impl FnOnce() -> T) -> (Vec<(String, u64, Duration)>, T) {
    (Vec::new(), work())
}

/// Counts what `work` asks of the device; also returns its result.
pub fn counted<T>(work: impl FnOnce() -> T) -> (Counts, T) {
    let before = Traffic::so_far();
    let (kernels, result) = observed(false, work);
    let Traffic { uploaded_bytes, host_waits } = Traffic::so_far().since(before);
    let launches = kernels.iter().map(|(_, launches, _)| launches).sum();
    (Counts { launches, uploaded_bytes, host_waits }, result)
}

/// The kernels that `work` launches, the one that took longest first.
///
/// Each launch is waited for. The work takes much longer than usual, and the times do not sum to
/// its usual time.
pub fn kernels<T>(work: impl FnOnce() -> T) -> (Vec<KernelUse>, T) {
    let (kernels, result) = observed(true, work);
    let named = |(kernel, launches, time): (String, u64, Duration)| KernelUse {
        kernel,
        launches,
        total_ms: time.as_secs_f64() * 1e3,
    };
    let mut kernels: Vec<KernelUse> = kernels.into_iter().map(named).collect();
    kernels.sort_by(|a, b| b.total_ms.total_cmp(&a.total_ms));
    (kernels, result)
}
