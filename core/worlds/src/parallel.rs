//! Splitting a buffer into chunks of fixed size that run in parallel. No other code may use
//! threads.
//!
//! The split must depend on the data alone, never on the number of threads, so that results on one
//! kind of CPU are bit-identical for every number of cores. In the browser the same chunks run one
//! after another.

/// Calls `work(index, chunk)` for each chunk of `chunk_len` elements of `data`.
#[cfg(not(target_family = "wasm"))]
pub fn for_each_chunk<T: Send>(
    data: &mut [T],
    chunk_len: usize,
    work: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    use rayon::prelude::*;
    data.par_chunks_mut(chunk_len).enumerate().for_each(|(i, chunk)| work(i, chunk));
}

/// Calls `work(index, chunk)` for each chunk of `chunk_len` elements of `data`.
#[cfg(target_family = "wasm")]
pub fn for_each_chunk<T: Send>(
    data: &mut [T],
    chunk_len: usize,
    work: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    data.chunks_mut(chunk_len).enumerate().for_each(|(i, chunk)| work(i, chunk));
}
