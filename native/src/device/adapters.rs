//! The graphics adapters of this machine, and the choice among them.

use anyhow::{Context, Result, bail};
use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::wgpu::wgpu::{
    AdapterInfo, Backend, Backends, DeviceType, Instance, InstanceDescriptor,
};
use burn::tensor::{Device, DeviceKind};

use super::choice::{DeviceChoice, Selected, cpu};

/// Opens the chosen adapter; without a real GPU `auto` is the CPU.
pub(super) fn select(choice: &DeviceChoice) -> Result<Selected> {
    // OpenGL is left out: its loader prints error messages on machines without a desktop.
    let descriptor = InstanceDescriptor {
        backends: Backends::PRIMARY,
        ..InstanceDescriptor::new_without_display_handle()
    };
    let adapters =
        pollster::block_on(Instance::new(descriptor).enumerate_adapters(Backends::PRIMARY));
    let infos =
        of_one_api(adapters.iter().map(burn::tensor::wgpu::wgpu::Adapter::get_info).collect());
    match pick(choice, &infos) {
        Ok(kind) => open(kind, infos[0].backend),
        Err(_) if *choice == DeviceChoice::Auto => Ok(cpu()),
        Err(problem) => {
            let found = numbered(&infos);
            bail!(
                "{problem} (adapters here: {found}); install the GPU's Vulkan driver, choose another \
                 adapter with `--device gpu:NAME` or `--device gpu:NUMBER`, or train on the CPU with \
                 `--device cpu`"
            )
        }
    }
}

/// The adapters of one graphics API: the first one with a GPU, else the first one with any adapter. Several
/// APIs show the same GPU, which must be counted once. On Apple's systems Metal is the system's own.
fn of_one_api(adapters: Vec<AdapterInfo>) -> Vec<AdapterInfo> {
    let first = |usable: fn(&AdapterInfo) -> bool| {
        let metal_first = cfg!(target_vendor = "apple");
        let vulkan_and_metal =
            [[Backend::Vulkan, Backend::Metal], [Backend::Metal, Backend::Vulkan]];
        vulkan_and_metal[usize::from(metal_first)]
            .into_iter()
            .chain([Backend::Dx12])
            .find(|api| adapters.iter().any(|info| info.backend == *api && usable(info)))
    };
    let Some(api) = first(|info| info.device_type != DeviceType::Cpu).or_else(|| first(|_| true))
    else {
        return adapters;
    };
    adapters.into_iter().filter(|info| info.backend == api).collect()
}

/// All adapters with their numbers.
fn numbered(adapters: &[AdapterInfo]) -> String {
    let all: Vec<String> =
        adapters.iter().enumerate().map(|(i, info)| format!("{i}: {}", describe(info))).collect();
    if all.is_empty() { "none".to_owned() } else { all.join("; ") }
}

/// Opens an adapter of a graphics API, by its kind and index.
fn open(kind: DeviceKind, api: Backend) -> Result<Selected> {
    let api = match api {
        Backend::Vulkan => WgpuBackend::Vulkan,
        Backend::Metal => WgpuBackend::Metal,
        Backend::Dx12 => WgpuBackend::Dx12,
        _ => WgpuBackend::Auto,
    };
    let (device, setup) =
        Device::wgpu_options().device_kind(kind).graphics_api(api).init_with_setup().context(
            "the graphics adapter was found but could not be opened; try `--device cpu`",
        )?;
    // Kernels are compiled to WGSL: burn's features for SPIR-V and MSL are off.
    let description = format!("{}, kernels in WGSL", describe(&setup.adapter.get_info()));
    Ok(Selected { device, description, is_gpu: true })
}

fn describe(info: &AdapterInfo) -> String {
    let driver = [info.driver.as_str(), info.driver_info.as_str()].join(" ");
    format!("{} ({:?}, {:?}, {})", info.name, info.device_type, info.backend, driver.trim())
}

/// The adapter to open, as its kind and index among adapters of that kind; else what is wrong with the
/// choice.
fn pick(choice: &DeviceChoice, adapters: &[AdapterInfo]) -> Result<DeviceKind, String> {
    let chosen = match choice {
        DeviceChoice::Cpu => return Err("the CPU is no graphics adapter".to_owned()),
        DeviceChoice::Auto | DeviceChoice::Gpu => {
            [DeviceType::DiscreteGpu, DeviceType::IntegratedGpu, DeviceType::VirtualGpu]
                .into_iter()
                .find_map(|wanted| adapters.iter().position(|info| info.device_type == wanted))
                .ok_or("no GPU was found")?
        }
        DeviceChoice::Numbered(number) if *number < adapters.len() => *number,
        // A larger number may be a part of a name, such as 3090.
        DeviceChoice::Numbered(number) => named(&number.to_string(), adapters)
            .map_err(|why| format!("there is no adapter with the number {number}, and {why}"))?,
        DeviceChoice::Named(name) => named(name, adapters)?,
    };
    let device_type = adapters[chosen].device_type;
    let index = adapters[..chosen].iter().filter(|info| info.device_type == device_type).count();
    kind(device_type, index).ok_or_else(|| format!("burn cannot use adapter {chosen}"))
}

/// The only adapter whose name contains a text.
fn named(name: &str, adapters: &[AdapterInfo]) -> Result<usize, String> {
    let wanted = name.to_lowercase();
    let mut all = adapters
        .iter()
        .enumerate()
        .filter(|(_, info)| info.name.to_lowercase().contains(&wanted))
        .map(|(i, _)| i);
    match (all.next(), all.count()) {
        (None, _) => Err(format!("no adapter is called `{name}`")),
        (Some(only), 0) => Ok(only),
        (Some(_), others) => Err(format!("{} adapters are called `{name}`", others + 1)),
    }
}

const fn kind(device_type: DeviceType, index: usize) -> Option<DeviceKind> {
    match device_type {
        DeviceType::DiscreteGpu => Some(DeviceKind::DiscreteGpu(index)),
        DeviceType::IntegratedGpu => Some(DeviceKind::IntegratedGpu(index)),
        DeviceType::VirtualGpu => Some(DeviceKind::VirtualGpu(index)),
        // burn opens the first of them only.
        DeviceType::Cpu if index == 0 => Some(DeviceKind::Cpu),
        DeviceType::Cpu | DeviceType::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, device_type: DeviceType, backend: Backend) -> AdapterInfo {
        AdapterInfo { name: name.to_owned(), ..AdapterInfo::new(device_type, backend) }
    }

    fn picked(choice: &str, adapters: &[AdapterInfo]) -> Result<DeviceKind, String> {
        pick(&choice.parse().expect("a device"), adapters)
    }

    #[test]
    fn no_adapter_means_cpu_for_auto_and_an_error_for_gpu() {
        for choice in ["auto", "gpu", "gpu:x", "gpu:0"] {
            picked(choice, &[]).expect_err("nothing to pick");
        }
    }

    #[test]
    fn equal_adapters_are_chosen_by_number() {
        let vulkan = |name, kind| adapter(name, kind, Backend::Vulkan);
        let all = [
            vulkan("NVIDIA H200", DeviceType::DiscreteGpu),
            vulkan("Intel UHD", DeviceType::IntegratedGpu),
            vulkan("NVIDIA H200", DeviceType::DiscreteGpu),
            vulkan("llvmpipe", DeviceType::Cpu),
        ];
        assert_eq!(picked("gpu", &all), Ok(DeviceKind::DiscreteGpu(0)));
        assert_eq!(picked("gpu:2", &all), Ok(DeviceKind::DiscreteGpu(1)));
        assert_eq!(picked("gpu:uhd", &all), Ok(DeviceKind::IntegratedGpu(0)));
        assert_eq!(picked("gpu:llvm", &all), Ok(DeviceKind::Cpu));
        assert_eq!(picked("gpu:h200", &all), Err("2 adapters are called `h200`".into()));
        let refused = picked("gpu:4", &all).expect_err("there are four");
        assert_eq!(refused, "there is no adapter with the number 4, and no adapter is called `4`");
        assert_eq!(picked("gpu:200", &all[..2]), Ok(DeviceKind::DiscreteGpu(0)), "a name");
        let programs = [all[3].clone(), vulkan("WARP", DeviceType::Cpu)];
        picked("gpu:1", &programs).expect_err("burn opens the first program only");
        let list = numbered(&all);
        assert!(list.starts_with("0: NVIDIA H200") && list.contains("; 2: NVIDIA H200"), "{list}");
        assert_eq!(picked("auto", &all[3..]), Err("no GPU was found".into()), "only a program");
    }

    #[test]
    fn a_gpu_that_two_apis_show_is_counted_once() {
        let gpu = |api| adapter("Radeon", DeviceType::DiscreteGpu, api);
        let program = adapter("llvmpipe", DeviceType::Cpu, Backend::Vulkan);
        let apis = |adapters: Vec<AdapterInfo>| -> Vec<Backend> {
            of_one_api(adapters).iter().map(|info| info.backend).collect()
        };
        assert_eq!(apis(vec![gpu(Backend::Dx12), gpu(Backend::Vulkan)]), [Backend::Vulkan]);
        assert_eq!(apis(vec![program.clone(), gpu(Backend::Dx12)]), [Backend::Dx12]);
        assert_eq!(apis(vec![program]), [Backend::Vulkan]);
    }
}
