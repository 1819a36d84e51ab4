//! A device that promises no more than WebGPU does: its default limits (8 storage buffers in a stage, 128 MiB
//! in a binding, 16 KB of shared memory). And what happens when such a device is lost. Needs an adapter, as
//! `gpu.rs` says.
//!
//! Features are those of the adapter: the runtime asks the adapter for them, not the device. No kernel of
//! this crate uses an optional one.

use std::io::Write;

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuSetup;
use burn::tensor::wgpu::wgpu::{Backends, DeviceDescriptor, Instance, InstanceDescriptor, Limits};
use deepspi_core::self_test;
use deepspi_core::trainer::Trainer;
use deepspi_run::config::{Algorithm, Config, TransitionDensity};
use deepspi_run::maze_preset::TrainingPreset as _;
use deepspi_run::network::NetworkSpec;
use deepspi_worlds::env::reset;
use deepspi_worlds::frame::FrameShape;
use deepspi_worlds::maze::{Maze, MazeConfig, MazeEnvs, MazePreset};

/// A device with WebGPU's default limits, and the handle that can destroy it.
fn smallest() -> Option<(Device, WgpuSetup)> {
    let descriptor = InstanceDescriptor {
        backends: Backends::VULKAN,
        ..InstanceDescriptor::new_without_display_handle()
    };
    let instance = Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(Backends::VULKAN));
    let Some(adapter) = adapters.into_iter().next() else {
        assert!(std::env::var("CI").is_err(), "no graphics adapter: install mesa-vulkan-drivers");
        drop(std::io::stderr().write_all(b"SKIPPED: no graphics adapter\n"));
        return None;
    };
    let wanted = DeviceDescriptor {
        required_features: adapter.features(),
        required_limits: Limits::default(),
        ..DeviceDescriptor::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&wanted)).expect("a device");
    let backend = adapter.get_info().backend;
    let setup = WgpuSetup { instance, adapter, device, queue, backend };
    let device = Device::wgpu_options().setup(setup.clone()).init().expect("a device");
    Some((device, setup))
}

#[test]
fn webgpus_default_limits_are_enough() {
    let Some((device, _)) = smallest() else { return };
    let atari = NetworkSpec::atari(FrameShape { channels: 4, height: 84, width: 84 }, 18);
    let small = MazePreset::Small;
    let mut categorical = Config { algo: Algorithm::DreamSpi, ..small.hyper_parameters() };
    categorical.world_model.transition_density = TransitionDensity::Categorical;
    for (spec, config) in [
        (&atari, Config::default()),
        (&atari, Config { algo: Algorithm::Ppo, ..Config::default() }),
        (&small.network(), small.hyper_parameters()),
        (&small.network(), Config { algo: Algorithm::DreamSpi, ..small.hyper_parameters() }),
        (&small.network(), categorical),
    ] {
        let all = pollster::block_on(self_test::run(&config, spec, &device)).expect("it runs");
        let wrong: Vec<_> = all.iter().filter(|compared| !compared.ok()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn a_lost_device_is_an_error_and_the_run_goes_on_elsewhere() {
    let Some((device, setup)) = smallest() else { return };
    let (spec, config) = (MazePreset::Small.network(), MazePreset::Small.hyper_parameters());
    let maze = Maze::new(MazeConfig::DEFAULT, config.gamma.into()).expect("valid");
    let mut env = MazeEnvs::new(maze.clone(), config.num_envs, config.seed);
    pollster::block_on(reset(&mut env)).expect("the maze");
    let mut trainer = Trainer::new(config, spec.clone(), &device).expect("valid");
    pollster::block_on(trainer.iterate(&mut env, drop)).expect("trains");
    let checkpoint = pollster::block_on(trainer.checkpoint_with(&mut env)).expect("stored");

    setup.device.destroy();
    let error = pollster::block_on(trainer.iterate(&mut env, drop)).expect_err("lost");
    assert!(error.to_string().contains("device"), "{error}");

    let mut again = Trainer::restore(&checkpoint, &spec, &Device::flex()).expect("restored");
    let mut env = MazeEnvs::new(maze, again.config().num_envs, again.environment_seed());
    pollster::block_on(again.restore_environments(&checkpoint, &mut env)).expect("restored");
    pollster::block_on(again.iterate(&mut env, drop)).expect("goes on");
    assert_eq!(again.iteration(), 2);
}
