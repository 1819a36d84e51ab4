//! Results of GPU kernels by name, so that a test can break each of them and see the self-test refuse.

use super::gpu::CubeTensor;

macro_rules! results {
    ($($name:ident),+ $(,)?) => {
        /// A result of a GPU kernel.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(in crate::ops) enum Made {
            $($name),+
        }

        #[cfg(test)]
        const ALL: &[Made] = &[$(Made::$name),+];
    };
}

results!(
    ActorAndCritic,
    ActorAndCriticGradients,
    AdamStep,
    ChosenConvolution,
    ChosenConvolutionBiasGradient,
    ChosenConvolutionFeaturesGradient,
    ChosenConvolutionKernelGradient,
    ChosenOutputs,
    ChosenOutputsGradient,
    Convolution,
    ConvolutionBiasGradient,
    ConvolutionImagesGradient,
    ConvolutionKernelGradient,
    Distance,
    DistanceGradients,
    DividedKernel,
    DividedKernelGradient,
    Frames,
    Joined,
    MixtureSample,
    MixtureSampleGradient,
    MixtureWeightsGradient,
    Noise,
    Objective,
    ObjectiveGradients,
    SortedPairs,
    TransitionTarget,
    TransitionTargetGradient,
);

/// A result as its kernel made it; only tests change it.
#[cfg(not(test))]
pub(super) const fn made(_: Made, result: CubeTensor) -> CubeTensor {
    result
}

#[cfg(test)]
pub(super) use self::tests::made;

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;
    use std::io::Write;

    use burn::backend::Cube;
    use burn::backend::ops::FloatTensorOps;
    use burn::tensor::{Device, DeviceKind};
    use deepspi_run::config::Config;
    use deepspi_run::maze_preset::TrainingPreset as _;
    use deepspi_worlds::maze::MazePreset;

    use super::{ALL, CubeTensor, Made};
    use crate::self_test;

    /// As if one constant of a kernel were wrong.
    const WRONG: f32 = 1.02;

    thread_local! {
        static BROKEN: Cell<Option<Made>> = const { Cell::new(None) };
        static SEEN: RefCell<BTreeSet<Made>> = const { RefCell::new(BTreeSet::new()) };
    }

    pub(in crate::ops) fn made(which: Made, result: CubeTensor) -> CubeTensor {
        SEEN.with_borrow_mut(|seen| seen.insert(which));
        if BROKEN.get() == Some(which) {
            Cube::float_mul_scalar(result, WRONG.into())
        } else {
            result
        }
    }

    /// Quantities of the self-test that are wrong on a device.
    fn wrong(config: &Config, gpu: &Device) -> Vec<String> {
        let spec = MazePreset::Small.network();
        let all = pollster::block_on(self_test::run(config, &spec, gpu)).expect("a device");
        all.into_iter().filter(|c| !c.ok()).map(|c| c.quantity).collect()
    }

    #[test]
    fn the_self_test_refuses_a_device_on_which_any_kernel_is_wrong() {
        // `core/tests/gpu.rs` says which adapter this is and what happens without one.
        let Ok(gpu) = Device::wgpu_options().device_kind(DeviceKind::Cpu).init() else {
            assert!(std::env::var("CI").is_err(), "no adapter: install mesa-vulkan-drivers");
            drop(std::io::stderr().write_all(b"SKIPPED: no graphics adapter\n"));
            return;
        };
        let config = MazePreset::Small.hyper_parameters();
        assert_eq!(wrong(&config, &gpu), Vec::<String>::new());
        let seen: Vec<Made> = SEEN.take().into_iter().collect();
        assert_eq!(seen, ALL, "the self-test computes everything");
        let unnoticed = ALL.iter().filter(|which| {
            BROKEN.set(Some(**which));
            wrong(&config, &gpu).is_empty()
        });
        let unnoticed: Vec<&Made> = unnoticed.collect();
        BROKEN.set(None);
        assert!(unnoticed.is_empty(), "broken, and the self-test has not noticed: {unnoticed:?}");
    }
}
