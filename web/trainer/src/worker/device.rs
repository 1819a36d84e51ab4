//! Choosing between WebGPU and the CPU.
//!
//! WebGPU is used only after it has computed the same update as the CPU ([`self_test`]), and is
//! chosen automatically only if it is faster: networks of this size are often faster on the CPU. A
//! browser may offer WebGPU without an adapter (`navigator.gpu` exists, the adapter is `null`) or
//! never answer, so every step has a time limit. A device can be opened only once in the life of a
//! worker.

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuSetup;
use burn::tensor::wgpu::wgpu::DeviceType;
use deepspi_core::self_test;
use deepspi_core::trainer::Trainer;
use deepspi_playground::protocol::{DevicePreference, DeviceReport, Report};
use deepspi_run::config::{Algorithm, Config};
use deepspi_run::world::World;
use deepspi_worlds::env::VectorEnv;
use deepspi_worlds::maze::{Maze, MazeEnvs};
use deepspi_worlds::still::StillEnvs;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{faults, outbox, time};

/// Time limit for a browser to name an adapter, and to open it.
const ANSWER_LIMIT_MS: f64 = 8_000.0;

/// The worker's knowledge of its devices.
#[derive(Debug, Default)]
pub struct Devices {
    gpu: Option<Gpu>,
    /// Why WebGPU cannot be used; determined once.
    unusable: Option<String>,
}

/// An opened WebGPU device.
#[derive(Clone, Debug)]
struct Gpu {
    device: Device,
    setup: WgpuSetup,
    name: String,
    is_software: bool,
    /// Largest relative difference from the CPU, once the self-test has passed.
    error: Option<f64>,
}

/// A device to train on.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The device, without autodiff.
    pub device: Device,
    /// The handles of a WebGPU device, which the code that draws needs.
    pub setup: Option<WgpuSetup>,
    /// The report for the page.
    pub report: DeviceReport,
}

impl Devices {
    /// Chooses the device for this preference.
    pub async fn choose(
        &mut self,
        preference: DevicePreference,
        world: &World,
        config: &Config,
    ) -> Chosen {
        if preference == DevicePreference::Cpu {
            return cpu("chosen in the settings");
        }
        let gpu = match self.gpu(preference, world, config).await {
            Ok(gpu) => gpu,
            Err(why) => return cpu(&why),
        };
        let chosen = |reason: &str, update_ms| Chosen {
            device: gpu.device.clone(),
            setup: Some(gpu.setup.clone()),
            report: DeviceReport {
                is_gpu: true,
                name: format!("WebGPU on {}", gpu.name),
                is_software: gpu.is_software,
                reason: reason.to_owned(),
                self_test: gpu.error,
                update_ms,
            },
        };
        if preference == DevicePreference::Webgpu {
            return chosen("chosen in the settings; the self-test passed", None);
        }
        outbox::post(Report::Preparing { text: "Comparing WebGPU with the CPU".to_owned() });
        let times = (
            milliseconds_of_an_iteration(world, config, &gpu.device).await,
            milliseconds_of_an_iteration(world, config, &Device::flex()).await,
        );
        match times {
            (Some(on_gpu), Some(on_cpu)) if on_gpu < on_cpu => {
                chosen("faster here than the CPU; the self-test passed", Some([on_gpu, on_cpu]))
            }
            (Some(on_gpu), Some(on_cpu)) => {
                let mut chosen = cpu(&format!("faster here than WebGPU on {}", gpu.name));
                chosen.report.update_ms = Some([on_gpu, on_cpu]);
                chosen
            }
            _ => cpu("WebGPU failed in a trial"),
        }
    }

    /// Stops using WebGPU for the life of this worker.
    pub fn give_up_gpu(&mut self, why: &str) {
        self.gpu = None;
        self.unusable = Some(why.to_owned());
    }

    /// The opened and tested WebGPU device, or the reason why it is not used.
    async fn gpu(
        &mut self,
        preference: DevicePreference,
        world: &World,
        config: &Config,
    ) -> Result<Gpu, String> {
        if let Some(why) = &self.unusable {
            return Err(why.clone());
        }
        if self.gpu.is_none() {
            self.gpu = Some(open().await.inspect_err(|why| self.unusable = Some(why.clone()))?);
        }
        let Some(gpu) = &mut self.gpu else { return Err("WebGPU is not open".to_owned()) };
        if gpu.is_software && preference == DevicePreference::Auto {
            let name = &gpu.name;
            return Err(format!(
                "the only WebGPU adapter ({name}) is a program, slower than the CPU itself"
            ));
        }
        if gpu.error.is_none() {
            let tested = test(&gpu.device, world, config).await;
            gpu.error = Some(tested.inspect_err(|why| self.unusable = Some(why.clone()))?);
        }
        Ok(gpu.clone())
    }
}

/// The CPU, which is always available.
pub fn cpu(reason: &str) -> Chosen {
    Chosen {
        device: Device::flex(),
        setup: None,
        report: DeviceReport {
            name: "CPU (WebAssembly SIMD, one thread)".to_owned(),
            reason: reason.to_owned(),
            ..DeviceReport::default()
        },
    }
}

async fn open() -> Result<Gpu, String> {
    outbox::post(Report::Preparing { text: "Asking for WebGPU".to_owned() });
    let limited = |what: &'static str| move || format!("the browser did not {what} in time");
    time::unless(require_adapter(), time::sleep(ANSWER_LIMIT_MS))
        .await
        .ok_or_else(limited("name a WebGPU adapter"))??;
    let (device, setup) =
        time::unless(Device::wgpu_options().init_with_setup_async(), time::sleep(ANSWER_LIMIT_MS))
            .await
            .ok_or_else(limited("open the WebGPU adapter"))?
            .map_err(|error| format!("WebGPU could not be opened: {error}"))?;

    let info = setup.adapter.get_info();
    let is_software = info.device_type == DeviceType::Cpu;
    let name = [info.name.as_str(), &info.driver].join(" ");
    let name = match name.trim() {
        "" if is_software => "a software adapter".to_owned(),
        "" => "an unnamed adapter".to_owned(),
        name => name.to_owned(),
    };
    Ok(Gpu { device, setup, name, is_software, error: None })
}

/// Runs the self-test. Returns the largest relative difference between an update on the device and
/// on the CPU; fails if it is too large.
async fn test(device: &Device, world: &World, config: &Config) -> Result<f64, String> {
    outbox::post(Report::Preparing { text: "Testing WebGPU against the CPU".to_owned() });
    // DeepSPI has every operation that the other algorithms have.
    let config = Config { algo: Algorithm::DeepSpi, ..config.clone() };
    let comparisons = self_test::run(&config, &world.network(), device)
        .await
        .map_err(|error| format!("WebGPU failed its self-test: {error}"))?;
    if let Some(error) = faults::device_error() {
        return Err(format!("WebGPU failed its self-test: {error}"));
    }
    if let Some(wrong) = comparisons.iter().find(|comparison| !comparison.ok()) {
        return Err(format!(
            "WebGPU computes wrong results on this machine ({} is {} there and {} on the CPU)",
            wrong.quantity, wrong.device, wrong.reference
        ));
    }
    Ok(comparisons.iter().map(|comparison| comparison.error).fold(0.0, f64::max))
}

/// Fails with the reason if the browser has no adapter.
async fn require_adapter() -> Result<(), String> {
    // Every JavaScript error here means that WebGPU does not exist.
    let absent = |_: JsValue| "this browser has no WebGPU".to_owned();
    let gpu = Reflect::get(&outbox::scope().navigator(), &"gpu".into()).unwrap_or_default();
    let request = Reflect::get(&gpu, &"requestAdapter".into()).map_err(absent)?;
    let request: Function = request.dyn_into().map_err(absent)?;
    let promise = request.call0(&gpu).map_err(absent)?;
    match JsFuture::from(Promise::from(promise)).await {
        Ok(adapter) if !adapter.is_null() => Ok(()),
        _ => Err("this browser has WebGPU, but no adapter for it".to_owned()),
    }
}

/// Time of the second iteration of a new agent, because the first one compiles shaders. On the
/// emulator a still picture takes the place of the game: emulation costs the same on every device.
async fn milliseconds_of_an_iteration(
    world: &World,
    config: &Config,
    device: &Device,
) -> Option<f64> {
    let spec = world.network();
    let mut env: Box<dyn VectorEnv> = match world {
        World::Maze(maze) => {
            let maze = Maze::new(*maze, config.gamma.into()).ok()?;
            Box::new(MazeEnvs::new(maze, config.num_envs, config.seed))
        }
        World::Cartridge { .. } | World::Game { .. } => {
            Box::new(StillEnvs::new(spec.frame, spec.actions, config.num_envs))
        }
    };
    let mut trainer = Trainer::new(config.clone(), spec, device).ok()?;
    trainer.iterate(&mut *env, |_| ()).await.ok()?;
    let start = time::now_ms();
    trainer.iterate(&mut *env, |_| ()).await.ok()?;
    Some(time::now_ms() - start)
}
