//! Parameter groups: ranges of the flat vector, each with its own optimiser, schedule and clip
//! norm.
//!
//! All parameters of a run are one vector `[P]`. The groups are consecutive ranges that must cover
//! it; this holds by construction, because only lengths are given. With a single group, as in
//! DeepSPI, no vector is split or joined.

use std::ops::Range;

use burn::tensor::Tensor;
use deepspi_run::schedule::Schedule;

use super::adam::{Adam, AdamSettings};

/// Training settings of one group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupSettings {
    /// Name in logs.
    pub name: &'static str,
    /// Constants of its Adam.
    pub adam: AdamSettings,
    /// Its learning rate over iterations.
    pub schedule: Schedule,
    /// Largest norm of its gradient; a longer gradient is scaled down.
    pub max_norm: f32,
}

/// A range of the parameters with its own settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterGroup {
    /// Its training settings.
    pub settings: GroupSettings,
    /// Its entries of the flat vector.
    pub range: Range<usize>,
}

/// The groups of all parameters with their moments.
#[derive(Clone, Debug)]
pub struct Optimiser {
    groups: Vec<(ParameterGroup, Adam)>,
}

impl Optimiser {
    /// Optimisers with moments at zero for parameters `[P]`, in groups of the given lengths, in the
    /// order of the vector. A length counts the zeros between parameters, too
    /// ([`ParameterInfo::padded_len`](crate::params::ParameterInfo::padded_len)). Entries after the last given length belong to the last group.
    #[must_use]
    pub fn new(parameters: &Tensor<1>, groups: &[(GroupSettings, usize)]) -> Self {
        let total = parameters.dims()[0];
        let mut start = 0;
        let groups = groups.iter().enumerate().map(|(index, (settings, len))| {
            let is_last = index + 1 == groups.len();
            let end = if is_last { total } else { (start + len).min(total) };
            let range = start..end;
            start = end;
            let adam = Adam::new(&part(parameters, &range));
            (ParameterGroup { settings: *settings, range }, adam)
        });
        Self { groups: groups.collect() }
    }

    /// The groups, in the order of the vector.
    pub fn groups(&self) -> impl Iterator<Item = &ParameterGroup> {
        self.groups.iter().map(|(group, _)| group)
    }

    /// Learning rate of each group in an iteration, counted from 0.
    #[must_use]
    pub fn rates_at(&self, iteration: u64) -> Vec<f64> {
        self.groups().map(|group| group.settings.schedule.rate_at(iteration)).collect()
    }

    /// Clips the gradient `[P]` of each group by its norm and takes one step of Adam with the
    /// group's learning rate. Returns the new parameters `[P]` and the norms before clipping, `[1]`
    /// each. No value is read from the device.
    ///
    /// # Panics
    /// If there is not one rate for each group.
    #[must_use]
    pub fn step(
        &mut self,
        parameters: &Tensor<1>,
        grads: &Tensor<1>,
        rates: &[f64],
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let rates: Vec<Option<f64>> = rates.iter().copied().map(Some).collect();
        let (parameters, norms) = self.step_some(parameters, grads, &rates);
        (parameters, norms.into_iter().flatten().collect())
    }

    /// [`Self::step`] of the groups that have a rate; the others keep their parameters and moments and
    /// have no norm.
    ///
    /// # Panics
    /// If there is not one entry for each group.
    #[must_use]
    pub fn step_some(
        &mut self,
        parameters: &Tensor<1>,
        grads: &Tensor<1>,
        rates: &[Option<f64>],
    ) -> (Tensor<1>, Vec<Option<Tensor<1>>>) {
        assert_eq!(rates.len(), self.groups.len(), "each parameter group has one rate");
        let steps = self.groups.iter_mut().zip(rates).map(|((group, adam), &rate)| {
            let parameters = part(parameters, &group.range);
            let Some(rate) = rate else { return (parameters, None) };
            let GroupSettings { adam: constants, max_norm, .. } = group.settings;
            let grads = part(grads, &group.range);
            let (parameters, norm) = adam.step(parameters, grads, rate, constants, max_norm);
            (parameters, Some(norm))
        });
        let (parts, norms): (Vec<_>, Vec<_>) = steps.unzip();
        (joined(parts), norms)
    }

    /// Both moments of all parameters, `[P]` each.
    #[must_use]
    pub fn moments(&self) -> [Tensor<1>; 2] {
        let all = |pick: fn(&Adam) -> &Tensor<1>| {
            joined(self.groups.iter().map(|(_, adam)| pick(adam).clone()).collect())
        };
        [all(|adam| &adam.moment_1), all(|adam| &adam.moment_2)]
    }

    /// Steps taken, one entry for each group.
    #[must_use]
    pub fn steps(&self) -> Vec<u64> {
        self.groups.iter().map(|(_, adam)| adam.steps).collect()
    }

    /// Replaces moments `[P]` and steps by stored ones. Returns false and changes nothing if the
    /// number of steps is not the number of groups.
    #[must_use]
    pub fn restore(&mut self, [moment_1, moment_2]: [Tensor<1>; 2], steps: &[u64]) -> bool {
        if steps.len() != self.groups.len() {
            return false;
        }
        for ((group, adam), &steps) in self.groups.iter_mut().zip(steps) {
            *adam = Adam {
                moment_1: part(&moment_1, &group.range),
                moment_2: part(&moment_2, &group.range),
                steps,
            };
        }
        true
    }
}

/// A range of a vector; the vector itself if the range covers it.
fn part(vector: &Tensor<1>, range: &Range<usize>) -> Tensor<1> {
    if *range == (0..vector.dims()[0]) {
        vector.clone()
    } else {
        vector.clone().narrow(0, range.start, range.len())
    }
}

/// Joins vectors; a single vector is returned unchanged.
fn joined(mut parts: Vec<Tensor<1>>) -> Tensor<1> {
    match parts.len() {
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 0),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn settings(name: &'static str, rate: f64, max_norm: f32) -> GroupSettings {
        let schedule = Schedule::constant(rate);
        GroupSettings { name, adam: AdamSettings::with_epsilon(1e-5), schedule, max_norm }
    }

    fn read(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("f32")
    }

    #[test]
    fn each_group_is_clipped_and_stepped_as_if_it_were_alone() {
        let device = Device::flex();
        let parameters = Tensor::<1>::from_floats([1.0, 2.0, 3.0, 4.0, 5.0], &device);
        let grads = Tensor::<1>::from_floats([3.0, 4.0, 0.1, -0.2, 30.0], &device);
        let (first, second) = (settings("first", 0.1, 0.5), settings("second", 0.01, 1.0));
        let mut both = Optimiser::new(&parameters, &[(first, 2), (second, 3)]);
        let (mut expected, mut norms) = (Vec::new(), Vec::new());
        for (group, range) in [(first, 0..2), (second, 2..5)] {
            let (parameters, grads) = (part(&parameters, &range), part(&grads, &range));
            let mut alone = Optimiser::new(&parameters, &[(group, range.len())]);
            let (_, _) = alone.step(&parameters, &grads, &alone.rates_at(0));
            let (after, norm) = alone.step(&parameters, &grads, &alone.rates_at(0));
            expected.extend(read(after));
            norms.extend(norm.into_iter().flat_map(read));
        }
        let rates = both.rates_at(0);
        let (_, _) = both.step(&parameters, &grads, &rates);
        let (after, found) = both.step(&parameters, &grads, &rates);
        assert_eq!(read(after), expected);
        assert_eq!(found.into_iter().flat_map(read).collect::<Vec<_>>(), norms);
        assert_eq!(both.steps(), [2, 2]);
    }

    #[test]
    fn a_group_without_a_rate_stays_as_it_is() {
        let device = Device::flex();
        let parameters = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device);
        let grads = Tensor::<1>::from_floats([0.3, -0.4, 0.1], &device);
        let groups = [(settings("a", 0.1, 1.0), 1), (settings("b", 0.2, 1.0), 2)];
        let mut optimiser = Optimiser::new(&parameters, &groups);
        let (after, norms) = optimiser.step_some(&parameters, &grads, &[None, Some(0.2)]);
        let (both, _) = Optimiser::new(&parameters, &groups).step(&parameters, &grads, &[0.1, 0.2]);
        let (after, both) = (read(after), read(both));
        assert_eq!((after[0], &after[1..]), (1.0, &both[1..]));
        assert_eq!(norms.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
        assert_eq!(optimiser.steps(), [0, 1]);
    }

    #[test]
    fn stored_moments_continue_and_another_number_of_groups_is_refused() {
        let device = Device::flex();
        let parameters = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device);
        let grads = Tensor::<1>::from_floats([0.3, -0.4, 0.1], &device);
        let groups = [(settings("a", 0.1, 1.0), 1), (settings("b", 0.2, 1.0), 2)];
        let mut whole = Optimiser::new(&parameters, &groups);
        let rates = whole.rates_at(0);
        let (middle, _) = whole.step(&parameters, &grads, &rates);
        let mut continued = Optimiser::new(&parameters, &groups);
        assert!(continued.restore(whole.moments(), &whole.steps()));
        let (expected, _) = whole.step(&middle, &grads, &rates);
        let (found, _) = continued.step(&middle, &grads, &rates);
        assert_eq!(read(found), read(expected));
        assert!(!continued.restore(whole.moments(), &[2]), "steps of one group");
    }
}
