//! Tests that the shaders in `shaders/` are valid by the rules of WebGPU, and that they compute the
//! same values as a plain reference.
//!
//! The comparison needs a graphics adapter, which may be a software one (Mesa's lavapipe). Without
//! an adapter it prints SKIPPED and passes; with `CI=true` it fails, so that CI cannot pass without
//! drawing.

use std::io::Write;

use burn::tensor::wgpu::wgpu;
use burn::tensor::wgpu::wgpu::naga;
use deepspi_playground::protocol::LatentScene;
use deepspi_playground::scene::colour::{Rgb, viridis};
use deepspi_playground::scene::picture::{Mark, Shape, marks, star_corners};
use deepspi_playground::scene::{Roles, Shot};
use pollster::block_on;
use web_trainer::painter::{Painter, SHADER};

/// Size of the picture in pixels. A row, at 4 bytes per pixel, must be a multiple of 256 bytes,
/// which reading back requires.
const SIZE: [u32; 2] = [128, 96];
/// Largest difference of a colour component from the reference, in steps of 8 bits: each mark over
/// a pixel may round differently.
const TOLERANCE: u8 = 2;

#[test]
fn the_shader_of_the_latents_is_valid_without_any_extension() {
    let module = match naga::front::wgsl::parse_str(SHADER) {
        Ok(module) => module,
        Err(error) => panic!("{}", error.emit_to_string(SHADER)),
    };
    let flags = naga::valid::ValidationFlags::all();
    let mut validator = naga::valid::Validator::new(flags, naga::valid::Capabilities::empty());
    if let Err(error) = validator.validate(&module) {
        panic!("{}", error.emit_to_string(SHADER));
    }
    let storage = module
        .global_variables
        .iter()
        .filter(|(_, variable)| matches!(variable.space, naga::AddressSpace::Storage { .. }));
    assert_eq!(storage.count(), 0, "the header of latents.wgsl promises that there are none");
}

#[test]
fn the_painted_latents_are_those_of_the_reference() {
    let Some((device, queue)) = device() else { return };
    let scene = scene();
    let marks = marks(&scene, ROLES, &shot());
    for shape in [Shape::Disc, Shape::StarUp, Shape::StarDown, Shape::Square, Shape::Segment] {
        assert!(marks.iter().any(|mark| mark.shape == shape), "{shape:?} is not in the picture");
    }
    let painted = paint(&device, &queue, &scene, &marks);
    let expected = reference(scene.background, &marks);
    let worst = painted
        .iter()
        .zip(&expected)
        .enumerate()
        .map(|(index, (a, b))| (a.abs_diff(*b), index))
        .max()
        .expect("there are pixels");
    let (difference, index) = worst;
    let pixel = index / 4;
    assert!(
        difference <= TOLERANCE,
        "pixel ({}, {}) is {:?} and should be {:?}",
        pixel % SIZE[0] as usize,
        pixel / SIZE[0] as usize,
        &painted[pixel * 4..][..4],
        &expected[pixel * 4..][..4],
    );
    // The test would also pass if both were empty.
    let background = &expected[..4];
    let drawn = expected.chunks(4).filter(|pixel| *pixel != background).count();
    assert!(drawn > 500, "only {drawn} pixels are not background");
}

#[test]
fn a_pipeline_that_the_device_refuses_is_an_error() {
    let Some((device, queue)) = device() else { return };
    // A depth format cannot be blended.
    let refused = block_on(Painter::new(&device, &queue, wgpu::TextureFormat::Depth32Float));
    let error = refused.expect_err("a depth texture has no colours");
    assert!(error.contains("shader of the latents"), "{error}");
}

/// The packages that provide an adapter; `tools/setup.sh` has the same names.
const REMEDY: &str = "install a Vulkan driver that is a program: mesa-vulkan-drivers (Debian, Fedora), \
                      vulkan-swrast (Arch) or libvulkan_lvp (openSUSE)";

/// A device with the limits of WebGPU and no extension, from the first adapter there is.
///
/// # Panics
/// If there is no adapter and `CI=true`.
fn device() -> Option<(wgpu::Device, wgpu::Queue)> {
    // Without OpenGL: its loader prints warnings if there is no desktop.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let Ok(adapter) = block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))
    else {
        let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_ci, "no graphics adapter, so nothing was drawn: {REMEDY}");
        // Printed directly, because the test harness hides the output of a passing test.
        let skipped = format!("SKIPPED: no graphics adapter, so nothing was drawn: {REMEDY}\n");
        drop(std::io::stderr().write_all(skipped.as_bytes()));
        return None;
    };
    println!("drawn by {}", adapter.get_info().name);
    let device = block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()));
    Some(device.expect("an adapter with the limits of WebGPU"))
}

const ROLES: Roles = Roles { stars: [1, 2], start: 3 };

fn scene() -> LatentScene {
    LatentScene {
        size: SIZE,
        scale: 1.0,
        extent: 1.0,
        range: [0.0, 1.0],
        background: [0.1, 0.2, 0.3],
        grid: [0.3, 0.3, 0.35],
        outline: [1.0, 0.9, 0.8],
        line: [0.6, 0.1, 0.7],
        palette: viridis(),
        glide: 0.0,
    }
}

fn shot() -> Shot {
    Shot {
        // Two points at the same place, one beyond the edge, and none with the same share of a
        // pixel as another.
        points: vec![
            [0.003, 0.51],
            [0.77, 0.28],
            [-0.71, -0.33],
            [0.31, -0.62],
            [-0.52, 0.57],
            [-0.53, 0.56],
            [1.33, -0.7],
        ],
        values: vec![0.1, 0.9, 0.5, 0.2, 0.7, 0.3, 1.0],
        extent: 1.0,
        range: [0.0, 1.0],
    }
}

fn paint(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    scene: &LatentScene,
    marks: &[Mark],
) -> Vec<u8> {
    let format = wgpu::TextureFormat::Rgba8Unorm;
    let mut painter = block_on(Painter::new(device, queue, format)).expect("a valid shader");
    let [width, height] = SIZE;
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    painter.paint(&view, SIZE, scene.background, marks);
    let bytes = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(width * height * 4),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut commands = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    commands.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &bytes,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(width * 4),
                rows_per_image: None,
            },
        },
        size,
    );
    queue.submit([commands.finish()]);
    bytes.slice(..).map_async(wgpu::MapMode::Read, |mapped| mapped.expect("can be read"));
    device.poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
    bytes.slice(..).get_mapped_range().expect("is mapped").to_vec()
}

/// The same picture, pixel by pixel: the distance to a polygon is the smallest distance to all its
/// edges.
fn reference(background: Rgb, marks: &[Mark]) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..SIZE[1] {
        for x in 0..SIZE[0] {
            let pixel = [x as f32 + 0.5, y as f32 + 0.5];
            let colour = marks.iter().fold(background.map(eight_bits), |below, mark| {
                let (colour, share) = seen(mark, pixel);
                std::array::from_fn(|c| eight_bits(share * colour[c] + (1.0 - share) * below[c]))
            });
            let bytes = colour.map(|c| (c * 255.0).round() as u8);
            pixels.extend([bytes[0], bytes[1], bytes[2], 255]);
        }
    }
    pixels
}

fn eight_bits(component: f32) -> f32 {
    (component * 255.0).round() / 255.0
}

/// Colour of a mark at a pixel, and the share of the pixel that the mark covers.
fn seen(mark: &Mark, pixel: [f32; 2]) -> (Rgb, f32) {
    let [[x, y], end] = mark.ends;
    let r = mark.radius;
    let from_centre = (pixel[0] - x).hypot(pixel[1] - y);
    let d = match mark.shape {
        Shape::Disc => from_centre - r,
        Shape::Segment => to_edge(pixel, [x, y], end) - r,
        Shape::Square => {
            to_polygon(pixel, &[[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]])
        }
        Shape::StarUp => to_polygon(pixel, &star_corners([x, y], r, true)),
        Shape::StarDown => to_polygon(pixel, &star_corners([x, y], r, false)),
    };
    let outer = (0.5 - d).clamp(0.0, 1.0);
    let inner = (0.5 - d - mark.border).clamp(0.0, 1.0);
    let mixed = std::array::from_fn(|c| (1.0 - inner) * mark.edge[c] + inner * mark.fill[c]);
    (mixed, outer)
}

fn to_edge([x, y]: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let share = if length > 0.0 { ((x - a[0]) * dx + (y - a[1]) * dy) / length } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (x - a[0] - share * dx).hypot(y - a[1] - share * dy)
}

fn to_polygon(pixel: [f32; 2], corners: &[[f32; 2]]) -> f32 {
    let edges = || corners.iter().zip(corners.iter().cycle().skip(1));
    let distance = edges().map(|(a, b)| to_edge(pixel, *a, *b)).fold(f32::INFINITY, f32::min);
    // A pixel is inside if a ray to the right crosses the outline an odd number of times.
    let crossings = edges().filter(|(a, b)| {
        (a[1] > pixel[1]) != (b[1] > pixel[1])
            && pixel[0] < (b[0] - a[0]) * (pixel[1] - a[1]) / (b[1] - a[1]) + a[0]
    });
    if crossings.count() % 2 == 1 { -distance } else { distance }
}
