//! Draws an agent's latents on a canvas of the page, with the device that trains.
//!
//! The worker can draw whenever its event loop runs, which training allows at each read from the
//! GPU. The latents come from the trainer, the scene and the duration of the motion from the page.

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

/// Background of a canvas before its first scene.
const GREY: Rgb = [0.5; 3];
/// A browser with a software adapter may lose all its devices when a canvas is drawn on (Chromium
/// that does not use Vulkan for its own graphics, visgl/luma.gl#2874). The loss is known after this
/// time.
const SETTLE_MS: f64 = 500.0;

/// A canvas and its picture. Dropping it stops the drawing.
#[derive(Debug)]
pub struct LatentRenderer(Rc<RefCell<Picture>>);

#[derive(Debug)]
struct Picture {
    canvas: Canvas,
    scene: LatentScene,
    roles: Roles,
    motion: Motion,
    /// Callback for the browser's animation frames.
    on_frame: Option<Closure<dyn FnMut()>>,
    /// Id of the requested animation frame.
    frame: Option<i32>,
}

/// A canvas and the device that draws on it.
#[derive(Debug)]
struct Canvas {
    setup: WgpuSetup,
    surface: Surface<'static>,
    configuration: SurfaceConfiguration,
    painter: Painter,
}

impl LatentRenderer {
    /// Prepares the canvas for drawing, and draws an empty picture on it.
    ///
    /// # Errors
    /// If the device cannot draw on the canvas or refuses the shader. The page must then draw.
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

    /// Shows this shot from now on; the points move to their new positions.
    pub fn show(&self, scene: &LatentScene, roles: Roles, shot: Shot) {
        let mut picture = self.0.borrow_mut();
        picture.scene.clone_from(scene);
        picture.roles = roles;
        picture.motion.aim(shot, time::now_ms(), scene.glide);
        // If a frame was requested, it draws the picture.
        if picture.frame.is_none() {
            picture.draw();
        }
    }
}

impl Drop for LatentRenderer {
    fn drop(&mut self) {
        if let Some(frame) = self.0.borrow_mut().frame.take() {
            // Fails only in browsers whose workers have no animation frames.
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
        // Without animation frames (in old browsers) the points jump.
        let now = if self.frame.is_some() { now } else { f64::INFINITY };
        let marks = marks(&self.scene, self.roles, &self.motion.at(now));
        // A failure is ignored, because the next picture may succeed.
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
        // An empty picture is drawn within an error scope, because errors in later pictures would
        // go unnoticed.
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

    /// Paints the marks; false if the canvas has no texture.
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
