//! The canvases that the worker draws on, and their content.
//!
//! A new scene is used at once, even in the middle of an iteration, because the page has already
//! drawn its labels for it.

use std::cell::RefCell;
use std::rc::Rc;

use burn::tensor::wgpu::WgpuSetup;
use deepspi_playground::experiment::AGENTS;
use deepspi_playground::protocol::{AgentView, LatentScene, Report};
use deepspi_playground::scene::{Roles, Shot};
use deepspi_worlds::maze::Maze;
use web_sys::OffscreenCanvas;

use super::latent_renderer::LatentRenderer;
use super::outbox::post;

/// The pictures of all agents.
#[derive(Clone, Debug, Default)]
pub struct Drawings(Rc<RefCell<[Drawing; AGENTS]>>);

#[derive(Debug, Default)]
struct Drawing {
    renderer: Option<LatentRenderer>,
    scene: LatentScene,
    roles: Roles,
    /// Points and values. Extent and range come from the scene when the shot is drawn.
    shot: Shot,
}

impl Drawings {
    /// Draws an agent on this canvas from now on, if the device can, and reports to the page
    /// whether it does.
    pub async fn begin(
        &self,
        agent: usize,
        canvas: Option<OffscreenCanvas>,
        setup: Option<&WgpuSetup>,
    ) {
        let renderer = match (canvas, setup) {
            (Some(canvas), Some(setup)) => LatentRenderer::new(setup, canvas).await,
            _ => Err("there is nothing to draw with".to_owned()),
        };
        if let Err(why) = &renderer {
            web_sys::console::info_1(&format!("The page draws the latents: {why}").into());
        }
        let by_worker = renderer.is_ok();
        self.change(agent, |drawing| drawing.renderer = renderer.ok());
        post(Report::Drawing { agent, by_worker });
    }

    /// Stops drawing when the device is no longer used; the page then draws.
    pub fn end(&self) {
        for (agent, drawing) in self.0.borrow_mut().iter_mut().enumerate() {
            if drawing.renderer.take().is_some() {
                post(Report::Drawing { agent, by_worker: false });
            }
        }
    }

    /// Sets how an agent is drawn.
    pub fn set_scene(&self, agent: usize, scene: LatentScene) {
        self.change(agent, |drawing| drawing.scene = scene);
    }

    /// Sets the latents and values that are drawn.
    pub fn set_view(&self, agent: usize, maze: &Maze, view: &AgentView) {
        self.change(agent, |drawing| {
            drawing.roles = Roles::of(maze);
            let points = view.points.as_deref().unwrap_or_default();
            drawing.shot = Shot::new(points, &view.report.values, 0.0, [0.0; 2]);
        });
    }

    fn change(&self, agent: usize, change: impl FnOnce(&mut Drawing)) {
        let mut drawings = self.0.borrow_mut();
        let Some(drawing) = drawings.get_mut(agent) else { return };
        change(drawing);
        if let Some(renderer) = &drawing.renderer {
            let (extent, range) = (drawing.scene.extent, drawing.scene.range);
            let shot = Shot { extent, range, ..drawing.shot.clone() };
            renderer.show(&drawing.scene, drawing.roles, shot);
        }
    }
}
