//! The GPU kernels against the CPU's, in value and gradient. Needs a graphics adapter, which may be a
//! software one (Mesa's lavapipe): without one the tests print SKIPPED and pass; with `CI=true` they
//! fail.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use burn::cubecl::logging::{LaunchObservation, LaunchObserver};
use burn::tensor::{Device, DeviceKind, Tensor, TensorData, capture};
use deepspi_core::algorithm::deep_spi::Learner;
use deepspi_core::collect::evaluate;
use deepspi_core::data::frames::FrameStore;
use deepspi_core::data::minibatch::Targets;
use deepspi_core::golden::fill::{self, fill};
use deepspi_core::model::Model;
use deepspi_core::ops::adam::{AdamStep, clipped_adam_step};
use deepspi_core::ops::choice::chosen;
use deepspi_core::ops::chosen_convolution::{Layout, chosen_convolution};
use deepspi_core::ops::conv::{ConvGeometry, conv2d, conv2d_relu, dense};
use deepspi_core::ops::group_sort::group_sort;
use deepspi_core::ops::heads::actor_and_critic;
use deepspi_core::ops::join::{join, part};
use deepspi_core::ops::memory::device_memory;
use deepspi_core::ops::mixture::{SampleNoise, soft_mixture_sample};
use deepspi_core::ops::noise::{Bound, CounterNoise};
use deepspi_core::ops::policy_objective::{Inputs, policy_objective};
use deepspi_core::ops::power_iteration::{Matrices, divide_by_power_iteration};
use deepspi_core::ops::smooth_l1::smooth_l1_distance;
use deepspi_core::ops::transition_target::transition_target;
use deepspi_core::self_test::fixed_minibatch;
use deepspi_run::config::{Algorithm, Config, Objective, ValueLoss};
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::maze::MazePreset;

/// One test at a time: launches are counted for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// The software adapter, else any adapter; opened once, because a second time is an error.
fn gpu() -> Option<(Device, MutexGuard<'static, ()>)> {
    static DEVICE: OnceLock<Option<Device>> = OnceLock::new();
    let device = DEVICE.get_or_init(|| {
        let open = |kind| Device::wgpu_options().device_kind(kind).init().ok();
        open(DeviceKind::Cpu).or_else(|| open(DeviceKind::DiscreteGpu(0)))
    });
    if device.is_none() {
        assert!(std::env::var("CI").is_err(), "no graphics adapter: install mesa-vulkan-drivers");
        drop(std::io::stderr().write_all(b"SKIPPED: no graphics adapter\n"));
    }
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    device.clone().map(|device| (device, alone))
}

fn tensor<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = fill(seed, shape.iter().product(), -0.5, 0.5);
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32")
}

/// Compares by the largest entry: entries near 0 are differences of larger numbers.
#[track_caller]
fn near(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    assert!(largest > 0.0, "{what}: nothing to compare");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{what}, entry {i}: {a}, not {b}");
    }
}

#[test]
fn power_iteration() {
    let Some((gpu, _alone)) = gpu() else { return };
    for ([a, b], matrices) in [
        ([9, 5], Matrices::Whole),
        ([5, 9], Matrices::Whole),
        ([300, 7], Matrices::Whole),
        ([70, 300], Matrices::Whole),
        ([12, 7], Matrices::TransposedColumns(1)),
        ([270, 12], Matrices::TransposedColumns(3)),
        ([8, 600], Matrices::TransposedColumns(2)),
    ] {
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let kernel = tensor(1, [a, b], &device).require_grad();
            let columns = if matrices == Matrices::Whole { b } else { a };
            let start = tensor(2, [columns], &device);
            let divided = divide_by_power_iteration(kernel.clone(), start, matrices);
            let grads = (divided.clone() * tensor(3, [a, b], &device)).sum().backward();
            [read(divided.inner()), read(kernel.grad(&grads).expect("tracked"))]
        });
        for (i, what) in ["value", "gradient"].into_iter().enumerate() {
            near(&found[i], &expected[i], 1e-4, &format!("{what} of {a} x {b}, {matrices:?}"));
        }
    }
}

#[test]
fn joined_vectors() {
    let Some((gpu, _alone)) = gpu() else { return };
    // Five parts of one launch and three of their own; one is larger than all units of a launch.
    let lengths = [5, 64, 1, 100_000, 7, 63, 65, 2];
    let mut starts = Vec::new();
    let mut len = 0;
    for length in lengths {
        starts.push(len);
        len += usize::next_multiple_of(length, 64);
    }
    let [found, expected] = [&gpu, &Device::flex()].map(|device| {
        let part = |(i, length): (usize, &usize)| tensor::<1>(i as u64, [*length], device);
        read(join(lengths.iter().enumerate().map(part).collect(), &starts, len))
    });
    assert!(found == expected && found.len() == len);
    // Parts are cut out without copies and read as they were.
    let whole = tensor::<1>(9, [len], &gpu);
    let (all, mut cut) = (read(whole.clone()), Vec::new());
    let copies = launches(|| {
        for (&start, length) in starts.iter().zip(lengths) {
            cut.push((start, part(&whole, start, [length])));
        }
    });
    assert_eq!(copies, 0);
    for (start, part) in cut {
        let length = part.dims()[0];
        assert_eq!(read(part.clone()), all[start..start + length]);
        assert_eq!(read(part * 2.0)[length - 1], all[start + length - 1] * 2.0);
    }
}

#[test]
fn clipped_adam() {
    let Some((gpu, _alone)) = gpu() else { return };
    for max_norm in [0.5, 1e6] {
        let step = AdamStep {
            keep: 0.99,
            beta_1: 0.9,
            beta_2: 0.999,
            rate: 0.01,
            bias_correction_2: 0.5,
            epsilon: 1e-5,
            max_norm,
        };
        // More than all units of a launch, and not a multiple of the alignment.
        let len = 300_001;
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let [parameters, grads, moment_1, moment_2] =
                [1, 2, 3, 4].map(|seed| tensor::<1>(seed, [len], device));
            let moment_2 = moment_2.abs();
            let stepped = clipped_adam_step(parameters, grads, moment_1, moment_2, step);
            [stepped.parameters, stepped.moment_1, stepped.moment_2, stepped.norm].map(read)
        });
        for (i, what) in ["parameters", "moment 1", "moment 2", "norm"].into_iter().enumerate() {
            near(&found[i], &expected[i], 1e-5, what);
        }
    }
}

#[test]
fn sorted_pairs() {
    let Some((gpu, _alone)) = gpu() else { return };
    // More pairs than units of all workgroups that one launch may have would be too slow here.
    let [found, expected] = [&gpu, &Device::flex()].map(|device| {
        let device = device.clone().autodiff();
        let input = tensor(1, [301, 34], &device).require_grad();
        let sorted = group_sort(input.clone());
        let grads = (sorted.clone() * tensor(2, [301, 34], &device)).sum().backward();
        [read(sorted.inner()), read(input.grad(&grads).expect("tracked"))]
    });
    assert!(found == expected);
}

#[test]
fn objective_of_policy_and_value() {
    let Some((gpu, _alone)) = gpu() else { return };
    for (algo, objective) in [
        (Algorithm::DeepSpi, Objective::Clip),
        (Algorithm::DeepMdp, Objective::Clip),
        (Algorithm::DeepSpi, Objective::Drift),
        (Algorithm::Ppo, Objective::Clip),
    ] {
        let mut config = Config { algo, objective, drift_coef: 2.5, ..Config::default() };
        if objective == Objective::Drift {
            config.value_loss = ValueLoss::Huber;
        }
        // More samples than units.
        let (batch, actions) = (300, 6);
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let outputs = tensor(1, [batch, actions + 1], &device).require_grad();
            let [transition, reward] =
                [3, 4].map(|seed| tensor(seed, [batch], &device).require_grad());
            let targets = Targets {
                log_probs: fill(5, batch, -2.2, -1.3),
                advantages: fill(6, batch, -2.0, 2.0),
                returns: fill(7, batch, -1.0, 3.0),
                actions: (0..batch as u32).map(|i| i % actions as u32).collect(),
            };
            let auxiliary = config.uses_world_model().then(|| (transition.clone(), reward.clone()));
            let inputs =
                Inputs { outputs: outputs.clone(), auxiliary, targets: targets.upload(&device) };
            let found = policy_objective(inputs, &config);
            let grads = found.total.backward();
            let mut all = vec![
                read(found.means.inner())[..9].to_vec(),
                read(found.utilities.inner()),
                read(found.ratios.inner()),
                read(found.entropy.inner()),
                read(outputs.grad(&grads).expect("tracked")),
            ];
            all.extend([transition, reward].iter().filter_map(|x| x.grad(&grads)).map(read));
            all
        });
        assert_eq!(found.len(), expected.len());
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            near(found, expected, 1e-5, &format!("part {i} of {algo:?}, {objective:?}"));
        }
    }
}

#[test]
fn convolutions() {
    let Some((gpu, _alone)) = gpu() else { return };
    // [B, H, W, C], kernel, outputs, stride, padding: those of the paper in small, then odd ones with
    // every width of a tile.
    for ([batch, height, width, channels], kernel, outputs, stride, pad_end) in [
        ([2, 28, 28, 4], 8, 32, 4, 0),
        ([2, 20, 20, 32], 4, 64, 2, 0),
        ([3, 9, 9, 64], 3, 64, 1, 0),
        ([5, 7, 7, 6], 2, 70, 1, 1),
        ([1, 5, 6, 3], 2, 1, 1, 1),
        ([300, 3, 3, 1], 2, 17, 1, 0),
        ([4, 6, 5, 33], 3, 5, 2, 0),
        ([2, 11, 8, 5], 3, 6, 3, 0),
        // Pixels that no patch covers.
        ([2, 9, 7, 3], 2, 4, 3, 0),
    ] {
        for relu in [false, true] {
            let [found, expected] = [&gpu, &Device::flex()].map(|device| {
                let device = device.clone().autodiff();
                let images = tensor(1, [batch, height, width, channels], &device).require_grad();
                let weights =
                    tensor(2, [kernel, kernel, channels, outputs], &device).require_grad();
                let bias = tensor(3, [outputs], &device).require_grad();
                let geometry = ConvGeometry { stride, pad_end };
                let apply = if relu { conv2d_relu } else { conv2d };
                let output = apply(images.clone(), weights.clone(), bias.clone(), geometry);
                let grads = (output.clone() * tensor(4, output.dims(), &device)).sum().backward();
                [
                    read(output.inner()),
                    read(images.grad(&grads).expect("tracked")),
                    read(weights.grad(&grads).expect("tracked")),
                    read(bias.grad(&grads).expect("tracked")),
                ]
            });
            for (i, what) in ["output", "images", "kernel", "bias"].into_iter().enumerate() {
                let what =
                    format!("{what} of {kernel} x {kernel} on {height} x {width}, ReLU {relu}");
                near(&found[i], &expected[i], 2e-5, &what);
            }
        }
    }
}

#[test]
fn dense_layers() {
    let Some((gpu, _alone)) = gpu() else { return };
    for ([batch, inputs, outputs], relu) in
        [([256, 100, 70], true), ([3, 1000, 20], false), ([65, 7, 1], false), ([1, 3, 33], true)]
    {
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let input = tensor(1, [batch, inputs], &device).require_grad();
            let kernel = tensor(2, [inputs, outputs], &device).require_grad();
            let bias = tensor(3, [outputs], &device).require_grad();
            let output = dense(input.clone(), kernel.clone(), bias.clone(), relu);
            let grads = (output.clone() * tensor(4, output.dims(), &device)).sum().backward();
            [
                read(output.inner()),
                read(input.grad(&grads).expect("tracked")),
                read(kernel.grad(&grads).expect("tracked")),
                read(bias.grad(&grads).expect("tracked")),
            ]
        });
        for (i, what) in ["output", "input", "kernel", "bias"].into_iter().enumerate() {
            near(&found[i], &expected[i], 2e-5, &format!("{what} of {inputs} to {outputs}"));
        }
    }
}

#[test]
fn actor_and_critic_layers() {
    let Some((gpu, _alone)) = gpu() else { return };
    // More samples and more hidden activations than units; the most actions a game has.
    for [batch, hidden, actions] in [[300, 520, 18], [2, 7, 1]] {
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let input = tensor(1, [batch, hidden], &device).require_grad();
            let actor = tensor(2, [hidden, actions], &device).require_grad();
            let actor_bias = tensor(3, [actions], &device).require_grad();
            let critic = tensor(4, [hidden, 1], &device).require_grad();
            let critic_bias = tensor(5, [1], &device).require_grad();
            let layers =
                [(actor.clone(), actor_bias.clone()), (critic.clone(), critic_bias.clone())];
            let [first, second] = layers;
            let outputs = actor_and_critic(input.clone(), first, second);
            let grads = (outputs.clone() * tensor(6, outputs.dims(), &device)).sum().backward();
            vec![
                read(outputs.inner()),
                read(input.grad(&grads).expect("tracked")),
                read(actor.grad(&grads).expect("tracked")),
                read(actor_bias.grad(&grads).expect("tracked")),
                read(critic.grad(&grads).expect("tracked")),
                read(critic_bias.grad(&grads).expect("tracked")),
            ]
        });
        for (i, what) in
            ["outputs", "hidden", "actor", "its bias", "critic", "its bias"].into_iter().enumerate()
        {
            near(&found[i], &expected[i], 2e-5, &format!("{what} of {actions} actions"));
        }
    }
}

#[test]
fn targets_of_transitions() {
    let Some((gpu, _alone)) = gpu() else { return };
    let [found, expected] = [&gpu, &Device::flex()].map(|device| {
        let device = device.clone().autodiff();
        let latents = tensor(1, [10, 3, 5, 32], &device).require_grad();
        let dones = Tensor::from_floats([0.0, 1.0, 0.0, 1.0, 0.0], &device);
        let targets = transition_target(latents.clone(), dones, 8);
        let grads = (targets.clone() * tensor(2, targets.dims(), &device)).sum().backward();
        [read(targets.inner()), read(latents.grad(&grads).expect("tracked"))]
    });
    assert!(found == expected, "nothing is summed");
}

#[test]
fn sample_of_a_mixture() {
    let Some((gpu, _alone)) = gpu() else { return };
    for ([batch, rows, components, latents], bound) in [
        ([3, 70, 5, 4], None),
        ([2, 5, 1, 3], None),
        ([3, 70, 5, 4], Some(Bound::Clipped)),
        ([2, 5, 1, 3], Some(Bound::Truncated)),
    ] {
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let raw = tensor(1, [batch, rows, 2, components, latents], &device) * 8.0;
            let raw = raw.detach().require_grad();
            let weights = tensor(2, [batch, components], &device).require_grad();
            let noise = match bound {
                None => SampleNoise::Given(tensor(3, [batch, rows, components, latents], &device)),
                Some(bound) => {
                    SampleNoise::Counter(CounterNoise { key: [7, u32::MAX], bound, common: false })
                }
            };
            let sample = soft_mixture_sample(raw.clone(), weights.clone(), noise);
            let grads = (sample.clone() * tensor(4, sample.dims(), &device)).sum().backward();
            [
                read(sample.inner()),
                read(raw.grad(&grads).expect("tracked")),
                read(weights.grad(&grads).expect("tracked")),
            ]
        });
        for (i, what) in ["sample", "raw", "weights"].into_iter().enumerate() {
            near(&found[i], &expected[i], 1e-5, what);
        }
    }
}

/// The CPU's generator gives the published vectors, so the GPU's does if the numbers are equal.
#[test]
fn computed_noise() {
    let Some((gpu, _alone)) = gpu() else { return };
    for (bound, key, common) in [
        (Bound::Clipped, [0, 0], false),
        (Bound::Clipped, [u32::MAX, u32::MAX], false),
        (Bound::Truncated, [0xa409_3822, 0x299f_31d0], false),
        (Bound::Clipped, [1, 2], true),
    ] {
        let noise = CounterNoise { key, bound, common };
        let [found, expected] =
            [&gpu, &Device::flex()].map(|device| read(noise.values([3, 70, 5, 3], device)));
        near(&found, &expected, 1e-6, &format!("{noise:?}"));
    }
}

#[test]
fn gathered_frames() {
    let Some((gpu, _alone)) = gpu() else { return };
    // 35 bytes a plane: the last word is not full.
    let frame = FrameShape { channels: 4, height: 5, width: 7 };
    let num_envs = 3;
    // Fewer are expected than come, so there are several buffers.
    let mut store = FrameStore::new(frame, num_envs, 0);
    let bytes = |seed: u64, len: usize| -> Vec<u8> {
        fill(seed, len, 0.0, 255.99).iter().map(|x| *x as u8).collect()
    };
    let mut stacks = bytes(1, num_envs * frame.len());
    store.push(&stacks);
    for step in 2..40 {
        for stack in stacks.chunks_exact_mut(frame.len()) {
            stack.rotate_left(35);
            stack[3 * 35..].copy_from_slice(&bytes(step, 35));
        }
        store.push(&stacks);
        // Parts arrive between the steps, as they do during a rollout.
        if step % 3 == 0 {
            drop(store.gather(&[0], &gpu));
        }
    }
    let indices: Vec<usize> = (0..store.len()).rev().chain([5, 5, 0]).collect();
    let [found, expected] =
        [&gpu, &Device::flex()].map(|device| read(store.gather(&indices, device)));
    near(&found, &expected, 1e-6, "frames");
    let clone = store.clone();
    near(&read(clone.gather(&indices, &gpu.clone().autodiff())), &expected, 1e-6, "of a clone");
}

#[test]
fn distances_of_rows() {
    let Some((gpu, _alone)) = gpu() else { return };
    for shape in [[5, 1000], [300, 1], [7, 20]] {
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let [a, b] =
                [1, 2].map(|seed| (tensor(seed, shape, &device) * 4.0).detach().require_grad());
            let distance = smooth_l1_distance(a.clone(), b.clone());
            let grads = (distance.clone() * tensor(3, [shape[0]], &device)).sum().backward();
            let grad = |x: &Tensor<2>| read(x.grad(&grads).expect("tracked"));
            [read(distance.inner()), grad(&a), grad(&b)]
        });
        for (i, what) in ["distance", "first", "second"].into_iter().enumerate() {
            near(&found[i], &expected[i], 1e-5, &format!("{what} of {shape:?}"));
        }
    }
}

#[test]
fn outputs_of_the_chosen_action() {
    let Some((gpu, _alone)) = gpu() else { return };
    for (shape, softmax) in [([300, 5, 6], true), ([7, 1, 18], false)] {
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let all = tensor(1, shape, &device).require_grad();
            let actions = fill::actions(shape[2], 0, shape[0], &device);
            let result = chosen(all.clone(), actions, softmax);
            let grads = (result.clone() * tensor(2, result.dims(), &device)).sum().backward();
            [read(result.inner()), read(all.grad(&grads).expect("tracked"))]
        });
        near(&found[0], &expected[0], 1e-5, "result");
        near(&found[1], &expected[1], 1e-5, "gradient");
    }
}

#[test]
fn convolution_of_the_chosen_action() {
    let Some((gpu, _alone)) = gpu() else { return };
    for ([batch, height, width], own, choices, layout) in [
        ([5, 3, 4], 8, 4, Layout { groups: 3, per_group: 4, components: 5, statistics: 2 }),
        ([70, 2, 2], 2, 6, Layout { groups: 1, per_group: 3, components: 1, statistics: 1 }),
    ] {
        let Layout { groups, per_group, components, statistics } = layout;
        let outputs = groups * per_group * components * statistics * choices;
        let [found, expected] = [&gpu, &Device::flex()].map(|device| {
            let device = device.clone().autodiff();
            let features = tensor(1, [batch, height, width, groups * own], &device).require_grad();
            let kernel = tensor(2, [2, 2, own, outputs], &device).require_grad();
            let bias = tensor(3, [outputs], &device).require_grad();
            let actions = fill::actions(choices, 0, batch, &device);
            let values =
                chosen_convolution(features.clone(), kernel.clone(), bias.clone(), actions, layout);
            let grads = (values.clone() * tensor(4, values.dims(), &device)).sum().backward();
            [
                read(values.inner()),
                read(features.grad(&grads).expect("tracked")),
                read(kernel.grad(&grads).expect("tracked")),
                read(bias.grad(&grads).expect("tracked")),
            ]
        });
        for (i, what) in ["values", "features", "kernel", "bias"].into_iter().enumerate() {
            near(&found[i], &expected[i], 1e-5, &format!("{what} of {layout:?}"));
        }
    }
}

#[derive(Default)]
struct Count(AtomicUsize);

impl LaunchObserver for Count {
    fn launched(&self, _kernel: &'static str) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn launches(work: impl FnOnce()) -> usize {
    let count = Arc::new(Count::default());
    let observation = LaunchObservation::new(Arc::clone(&count) as Arc<dyn LaunchObserver>);
    work();
    drop(observation);
    count.0.load(Ordering::Relaxed)
}

/// Every launch costs a GPU 6 to 30 microseconds before any arithmetic (docs/performance.md). Who adds
/// an operation to the update sees here what it costs.
#[test]
fn an_update_keeps_its_budget_of_launches() {
    let Some((gpu, _alone)) = gpu() else { return };
    let spec = NetworkSpec::atari(FrameShape { channels: 4, height: 84, width: 84 }, 4);
    for (algo, budget) in [(Algorithm::DeepSpi, 100), (Algorithm::Ppo, 40)] {
        let config = Config { algo, ..Config::default() };
        let lifted = gpu.clone().autodiff();
        let learner = Learner::new(Model::new(&spec, &config, &gpu), &config);
        let batch = fixed_minibatch(&learner, &spec, &config, 2, &lifted);
        let found = launches(|| drop(learner.clone().update(&batch, &config, &[1e-3])));
        assert!((20..=budget).contains(&found), "an update of {algo:?} launches {found} kernels");
        let observations = fill::frames(&spec, 2, 0, false, &gpu);
        let pass = || drop(pollster::block_on(evaluate(&learner.plain(), observations, 4)));
        let found = launches(pass);
        assert!((5..=10).contains(&found), "a policy pass launches {found} kernels");
    }
}

/// Long loops of operations without a read gave wrong values on some drivers (tracel-ai/burn#5563), and
/// an iteration reads only at its end.
#[test]
fn updates_without_reads_equal_updates_with_reads() {
    const UPDATES: usize = 200;
    let Some((gpu, _alone)) = gpu() else { return };
    let (spec, config) = (MazePreset::Small.network(), MazePreset::Small.hyper_parameters());
    let lifted = gpu.clone().autodiff();
    let run = |reads: bool| {
        let mut learner = Learner::new(Model::new(&spec, &config, &gpu), &config);
        let batch = fixed_minibatch(&learner, &spec, &config, 8, &lifted);
        for update in 0..UPDATES {
            let rate = 1e-3 * (1.0 - update as f64 / UPDATES as f64);
            let (next, metrics) = learner.clone().update(&batch, &config, &[rate]);
            learner = next;
            if reads {
                pollster::block_on(metrics.read()).expect("read");
            }
        }
        read(learner.parameters().clone())
    };
    let (with, without) = (run(true), run(false));
    assert!(with == without, "the same kernels on the same numbers");
}

/// Memory of this process in MB, where the system says it.
fn resident_memory() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096.0 / 1e6)
}

/// A recording takes launches alone, so an update that uploads or reads something cannot be recorded. It
/// repeats numbers that the host gives to kernels, so updates are not replayed (decision 23).
#[test]
fn an_update_is_nothing_but_launches() {
    let Some((gpu, _alone)) = gpu() else { return };
    let (spec, config) = (MazePreset::Small.network(), MazePreset::Small.hyper_parameters());
    let lifted = gpu.clone().autodiff();
    let learner = Learner::new(Model::new(&spec, &config, &gpu), &config);
    let batch = fixed_minibatch(&learner, &spec, &config, 8, &lifted);
    let update = || learner.clone().update(&batch, &config, &[1e-3]).0.parameters().clone();
    let expected = read(update());
    let recorded = capture(&gpu, update);
    assert!(recorded.is_hardware(), "it was recorded");
    assert!(read(recorded.output().clone()) == expected);
}

/// As an iteration does it, without reads between its updates. 1,000 updates were measured once:
/// docs/performance.md.
#[test]
fn hundreds_of_updates_need_no_more_memory_than_the_first() {
    const READ_EVERY: usize = 10;
    let Some((gpu, _alone)) = gpu() else { return };
    let (spec, config) = (MazePreset::Small.network(), MazePreset::Small.hyper_parameters());
    let lifted = gpu.clone().autodiff();
    let mut learner = Learner::new(Model::new(&spec, &config, &gpu), &config);
    let mut update = |count: usize| {
        for update in 0..count {
            let batch = fixed_minibatch(&learner, &spec, &config, 8, &lifted);
            let (next, metrics) = learner.clone().update(&batch, &config, &[1e-4]);
            learner = next;
            if update % READ_EVERY == 0 {
                pollster::block_on(metrics.read()).expect("read");
            }
        }
        let device = pollster::block_on(device_memory(&gpu)).expect("read").expect("a GPU");
        (device, resident_memory())
    };
    let (device, host) = update(40);
    let (later_device, later_host) = update(200);
    assert!(device.in_use > 0.1 && device.reserved >= device.in_use, "{device:?}");
    let grown = later_device.in_use - device.in_use;
    assert!(grown < 1.0, "{grown} MB more in use: {device:?}, then {later_device:?}");
    let grown = later_device.reserved - device.reserved;
    assert!(grown < 1.0, "{grown} MB more reserved: {device:?}, then {later_device:?}");
    if let (Some(host), Some(later)) = (host, later_host) {
        // Measured: 1 MB in 1,000 updates. The gradients alone are 0.1 MB an update.
        assert!(later - host < 12.0, "the process grew from {host} to {later} MB");
    }
}
