//! Numbers the observations of environments that show few different ones.
//!
//! Training computes equal observations once if the environment says which are equal
//! ([`VectorEnv::observation_ids`]). An emulator does not know its states, but a game with few of
//! them shows the same pictures again and again, and these can be compared.

use std::collections::HashMap;

use crate::env::{EnvError, Outcome, Pending, VectorEnv};
use crate::frame::FrameShape;

/// Different observations that are remembered. Others get numbers of their own every time, which is
/// correct, but saves nothing.
const REMEMBERED: usize = 1024;

/// The numbers of observations: equal numbers mean equal observations.
#[derive(Clone, Debug, Default)]
pub struct ObservationIds {
    known: HashMap<Vec<u8>, u32>,
    next: u32,
    ids: Vec<u32>,
}

impl ObservationIds {
    /// Numbers the observations `[N, C, H, W]`, of `len` bytes each.
    pub fn update(&mut self, observations: &[u8], len: usize) {
        self.ids.clear();
        for observation in observations.chunks_exact(len) {
            let id = self.known.get(observation).copied().unwrap_or_else(|| {
                let id = self.next;
                self.next = self.next.wrapping_add(1);
                if self.known.len() < REMEMBERED {
                    self.known.insert(observation.to_vec(), id);
                }
                id
            });
            self.ids.push(id);
        }
    }

    /// The numbers from the last update, `[N]`.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }
}

/// Environments with numbered observations.
#[derive(Debug)]
pub struct Numbered<E> {
    envs: E,
    ids: ObservationIds,
}

impl<E: VectorEnv> Numbered<E> {
    /// Numbers the observations of `envs`.
    pub fn new(envs: E) -> Self {
        let mut numbered = Self { envs, ids: ObservationIds::default() };
        numbered.update();
        numbered
    }

    fn update(&mut self) {
        self.ids.update(self.envs.observations(), self.envs.frame().len());
    }
}

impl<E: VectorEnv> VectorEnv for Numbered<E> {
    fn num_envs(&self) -> usize {
        self.envs.num_envs()
    }

    fn frame(&self) -> FrameShape {
        self.envs.frame()
    }

    fn actions(&self) -> usize {
        self.envs.actions()
    }

    fn send_reset(&mut self) -> Result<(), EnvError> {
        self.envs.send_reset()
    }

    fn send(&mut self, actions: &[u32]) -> Result<(), EnvError> {
        self.envs.send(actions)
    }

    fn receive(&mut self) -> Pending<'_> {
        Box::pin(async move {
            self.envs.receive().await?;
            self.update();
            Ok(())
        })
    }

    fn observations(&self) -> &[u8] {
        self.envs.observations()
    }

    fn observation_ids(&self) -> Option<&[u32]> {
        Some(self.ids.ids())
    }

    fn outcomes(&self) -> &[Outcome] {
        self.envs.outcomes()
    }

    fn snapshot(&mut self) -> Pending<'_, Option<Vec<u8>>> {
        self.envs.snapshot()
    }

    fn restore<'a>(&'a mut self, snapshot: &'a [u8]) -> Pending<'a> {
        Box::pin(async move {
            self.envs.restore(snapshot).await?;
            self.update();
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_mean_equal_observations() {
        let mut ids = ObservationIds::default();
        ids.update(&[1, 2, 3, 4, 1, 2], 2);
        let [first, second, third] = ids.ids() else { panic!("three observations") };
        assert!(first == third && first != second);
        let (first, second) = (*first, *second);
        ids.update(&[3, 4, 5, 6], 2);
        assert!(ids.ids()[0] == second && ![first, second].contains(&ids.ids()[1]));
    }

    #[test]
    fn observations_beyond_the_memory_are_never_mixed_up() {
        let mut ids = ObservationIds::default();
        let many: Vec<u8> = (0..2 * REMEMBERED as u32).flat_map(u32::to_le_bytes).collect();
        for _ in 0..2 {
            ids.update(&many, 4);
            let mut all = ids.ids().to_vec();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 2 * REMEMBERED);
        }
    }
}
