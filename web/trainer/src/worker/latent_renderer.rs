//! An agent's latents on a canvas of the page, drawn by the device that trains.
//!
//! A worker may draw whenever its event loop turns, which training lets it do at each read from the
//! GPU. Nothing is decided here: latents come from the trainer, scene and duration of a glide from the
//! page.

use std::cell::RefCell;
use std::rc::Rc;

use burn::tensor::wgpu::WgpuSetup;
use burn::tensor::wgpu::wgpu::{
    CurrentSurfaceTexture, DeviceType, ErrorFilter, Surface, SurfaceConfiguration, SurfaceTarget,
    TextureViewDescriptor,
};
use deepspi_playground::protocol::LatentScene;
use deepspi_playground::scene::colour::Rgb;
use deepspi_playground::scene::motion::Motion;
use deepspi_playground::scene::picture::{Mark, marks};
use deepspi_playground::scene::{Roles, Shot};
use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use super::{outbox, time};
use crate::painter::Painter;

/// Background of a canvas that has no scene yet.
const GREY: Rgb = [0.5; 3];
/// A browser whose adapter is a program may lose all its devices when a canvas is drawn on (Chromium
/// without Vulkan for its own pictures, visgl/luma.gl#2874): this long afterwards it is known.
const SETTLE_MS: f64 = 500.0;

/// A canvas and what is on it. Dropped, it draws no more.
#[derive(Debug)]
pub struct LatentRenderer(Rc<RefCell<Picture>>);

#[derive(Debug)]
struct Picture {
    canvas: Canvas,
    scene: LatentScene,
    roles: Roles,
    motion: Motion,
    /// What the browser calls for a frame.
    on_frame: Option<Closure<dyn FnMut()>>,
    /// Number of the frame that was asked for.
    frame: Option<i32>,
}

/// A canvas that a device draws on.
#[derive(Debug)]
struct Canvas {
    setup: WgpuSetup,
    surface: Surface<'static>,
    configuration: SurfaceConfiguration,
    painter: Painter,
}

impl LatentRenderer {
    /// Takes possession of the canvas.
    ///
    /// # Errors
    /// If the device cannot draw on it, or refuses the shader: then the page has to draw.
    pub async fn new(setup: &WgpuSetup, canvas: OffscreenCanvas) -> Result<Self, String> {
        let picture = Rc::new(RefCell::new(Picture {
            canvas: Canvas::new(setup, canvas).await?,
            scene: LatentScene::default(),
            roles: Roles::default(),
            motion: Motion::default(),
            on_frame: None,
            frame: None,
        }));
        let weak = Rc::downgrade(&picture);
        picture.borrow_mut().on_frame = Some(Closure::new(move || {
            if let Some(picture) = weak.upgrade() {
                let mut picture = picture.borrow_mut();
                picture.frame = None;
                picture.draw();
            }
        }));
        Ok(Self(picture))
    }

    /// Shows this from now on; the points glide there.
    pub fn show(&self, scene: &LatentScene, roles: Roles, shot: Shot) {
        let mut picture = self.0.borrow_mut();
        picture.scene.clone_from(scene);
        picture.roles = roles;
        picture.motion.aim(shot, time::now_ms(), scene.glide);
        // A frame that is due will draw it.
        if picture.frame.is_none() {
            picture.draw();
        }
    }
}

impl Drop for LatentRenderer {
    fn drop(&mut self) {
        if let Some(frame) = self.0.borrow_mut().frame.take() {
            // Fails where there are no frames to cancel.
            drop(outbox::scope().cancel_animation_frame(frame));
        }
    }
}

impl Picture {
    fn draw(&mut self) {
        if self.scene.size.contains(&0) {
            return;
        }
        let now = time::now_ms();
        if !self.motion.is_over(now) {
            let on_frame = self.on_frame.as_ref().map(|closure| closure.as_ref().unchecked_ref());
            self.frame = on_frame.and_then(|f| outbox::scope().request_animation_frame(f).ok());
        }
        // Without frames (an old browser) there is no glide.
        let now = if self.frame.is_some() { now } else { f64::INFINITY };
        let marks = marks(&self.scene, self.roles, &self.motion.at(now));
        // If it fails now, the next picture may succeed.
        self.canvas.paint(self.scene.size, self.scene.background, &marks);
    }
}

impl Canvas {
    async fn new(setup: &WgpuSetup, canvas: OffscreenCanvas) -> Result<Self, String> {
        let size = [canvas.width(), canvas.height()].map(|pixels| pixels.max(1));
        let surface = setup
            .instance
            .create_surface(SurfaceTarget::OffscreenCanvas(canvas))
            .map_err(|error| error.to_string())?;
        let configuration = surface
            .get_default_config(&setup.adapter, size[0], size[1])
            .ok_or("the canvas has no format that the adapter can draw")?;
        let painter = Painter::new(&setup.device, &setup.queue, configuration.format).await?;
        let mut canvas = Self { setup: setup.clone(), surface, configuration, painter };
        // An empty picture: what fails for the first would fail, unheard, for all.
        let scope = setup.device.push_error_scope(ErrorFilter::Validation);
        canvas.surface.configure(&setup.device, &canvas.configuration);
        let is_painted = canvas.paint(size, GREY, &[]);
        let error = scope.pop().await;
        if setup.adapter.get_info().device_type == DeviceType::Cpu {
            time::sleep(SETTLE_MS).await;
        }
        match error {
            Some(error) => Err(format!("the device refused to draw on the canvas: {error}")),
            None if is_painted => Ok(canvas),
            None => Err("the canvas has no texture to draw on".to_owned()),
        }
    }

    /// Whether there was something to paint on.
    fn paint(&mut self, size: [u32; 2], background: Rgb, marks: &[Mark]) -> bool {
        if size != [self.configuration.width, self.configuration.height] {
            [self.configuration.width, self.configuration.height] = size;
            self.surface.configure(&self.setup.device, &self.configuration);
        }
        let (CurrentSurfaceTexture::Success(frame) | CurrentSurfaceTexture::Suboptimal(frame)) =
            self.surface.get_current_texture()
        else {
            return false;
        };
        let view = frame.texture.create_view(&TextureViewDescriptor::default());
        self.painter.paint(&view, size, background, marks);
        self.setup.queue.present(frame);
        true
    }
}
