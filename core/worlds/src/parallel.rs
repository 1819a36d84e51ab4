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

/// Calls `work(index, chunks)` for the chunks of `chunk_len` elements of three buffers of one length.
#[cfg(not(target_family = "wasm"))]
pub fn for_each_chunk_of_three<T: Send>(
    [a, b, c]: [&mut [T]; 3],
    chunk_len: usize,
    work: impl Fn(usize, [&mut [T]; 3]) + Send + Sync,
) {
    use rayon::prelude::*;
    a.par_chunks_mut(chunk_len)
        .zip(b.par_chunks_mut(chunk_len))
        .zip(c.par_chunks_mut(chunk_len))
        .enumerate()
        .for_each(|(i, ((a, b), c))| work(i, [a, b, c]));
}

/// Calls `work(index, chunks)` for the chunks of `chunk_len` elements of three buffers of one length.
#[cfg(target_family = "wasm")]
pub fn for_each_chunk_of_three<T: Send>(
    [a, b, c]: [&mut [T]; 3],
    chunk_len: usize,
    work: impl Fn(usize, [&mut [T]; 3]) + Send + Sync,
) {
    let rest = b.chunks_mut(chunk_len).zip(c.chunks_mut(chunk_len));
    let chunks = a.chunks_mut(chunk_len).zip(rest);
    chunks.enumerate().for_each(|(i, (a, (b, c)))| work(i, [a, b, c]));
}
