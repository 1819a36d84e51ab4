//! Draws marks with wgpu and `shaders/latents.wgsl`.
//!
//! The painter knows no canvas and no browser. The worker gives it the texture of a canvas; the
//! test of the shader gives it a texture whose pixels it reads back (`tests/tests/shaders.rs`).
//! wgpu, the device and the queue are those of burn, so the device that trains also draws the
//! picture.

use burn::tensor::wgpu::wgpu;
use deepspi_playground::scene::colour::Rgb;
use deepspi_playground::scene::picture::Mark;

/// Source code of the shader.
pub const SHADER: &str = include_str!("../../../shaders/latents.wgsl");
/// Bytes of a mark in the vertex buffer.
const STRIDE: u64 = (Mark::FLOATS * size_of::<f32>()) as u64;
/// Number of marks that fit into the first buffer: those of the largest maze and its grid.
const ROOM: usize = 128;

/// A pipeline with its buffers.
#[derive(Debug)]
pub struct Painter {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::RenderPipeline,
    canvas: wgpu::Buffer,
    bindings: wgpu::BindGroup,
    marks: wgpu::Buffer,
}

impl Painter {
    /// A painter for textures of this format. The shader writes sRGB values unchanged, so the
    /// format must not end in `Srgb`.
    ///
    /// # Errors
    /// If the device refuses the shader or the pipeline. Without the error scope a browser would
    /// only log the error, and the canvas would stay empty.
    pub async fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        format: wgpu::TextureFormat,
    ) -> Result<Self, String> {
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = pipeline(device, format);
        let canvas = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("latents: size of the canvas"),
            size: size_of::<[f32; 2]>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("latents"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: canvas.as_entire_binding() }],
        });
        let marks = buffer_for(device, ROOM);
        match scope.pop().await {
            Some(error) => Err(format!("the device refused the shader of the latents: {error}")),
            None => Ok(Self {
                device: device.clone(),
                queue: queue.clone(),
                pipeline,
                canvas,
                bindings,
                marks,
            }),
        }
    }

    /// Fills `target`, which has `size` pixels, with `background` and draws `marks` on it.
    pub fn paint(
        &mut self,
        target: &wgpu::TextureView,
        size: [u32; 2],
        background: Rgb,
        marks: &[Mark],
    ) {
        let records: Vec<f32> = marks.iter().flat_map(Mark::floats).collect();
        let bytes: &[u8] = bytemuck::cast_slice(&records);
        if self.marks.size() < bytes.len() as u64 {
            self.marks = buffer_for(&self.device, marks.len());
        }
        self.queue.write_buffer(&self.marks, 0, bytes);
        let size = size.map(|pixels| pixels as f32);
        self.queue.write_buffer(&self.canvas, 0, bytemuck::bytes_of(&size));

        let [r, g, b] = background.map(f64::from);
        let mut commands = self
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("latents") });
        let mut pass = commands.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("latents"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: target,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a: 1.0 }),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.set_vertex_buffer(0, self.marks.slice(..));
        pass.draw(0..4, 0..u32::try_from(marks.len()).unwrap_or(u32::MAX));
        drop(pass);
        self.queue.submit([commands.finish()]);
    }
}

fn buffer_for(device: &wgpu::Device, marks: usize) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("latents: marks"),
        size: marks as u64 * STRIDE,
        usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn pipeline(device: &wgpu::Device, format: wgpu::TextureFormat) -> wgpu::RenderPipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("latents.wgsl"),
        source: wgpu::ShaderSource::Wgsl(SHADER.into()),
    });
    let attributes = wgpu::vertex_attr_array![
        0 => Float32x4, 1 => Float32x3, 2 => Float32x3, 3 => Float32x3
    ];
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("latents"),
        layout: None,
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("corner"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(wgpu::VertexBufferLayout {
                array_stride: STRIDE,
                step_mode: wgpu::VertexStepMode::Instance,
                attributes: &attributes,
            })],
        },
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("colour"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(wgpu::ColorTargetState {
                format,
                blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}
