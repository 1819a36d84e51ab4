//! The second role of the program: it plays on the screens of the Atari room.
//!
//! A player is a worker of its own, so that screens go on while the trainer computes. Its loop takes
//! one request at a time; a request for one screen must not change the other.

mod outbox;
mod screen;

use burn::tensor::Device;
use deepspi_core::checkpoint::CheckpointError;
use deepspi_core::model::Model;
use deepspi_core::player::Player;
use deepspi_playground::emulator::PORT;
use deepspi_playground::packet;
use deepspi_playground::play::{Networks, Report, Request, SCREENS, Source};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessageEvent, MessagePort};

use self::outbox::post;
use self::screen::{Screen, ScreenError};
use super::letters::Letters;
use super::{faults, outbox::scope};

/// A request, and the port of an emulator worker if one was sent with it.
type Letter = (Request, Option<MessagePort>);

/// Starts the worker.
pub fn start() {
    faults::install(|text| post(&Report::Fault { text }));
    let inbox = Letters::<Letter>::default();
    let receiver = inbox.clone();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let data = event.data();
        match packet::message(&data) {
            Ok(request) => receiver.push((request, packet::field(&data, PORT).dyn_into().ok())),
            Err(error) => post(&Report::Fault { text: error.to_string() }),
        }
    });
    scope().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    post(&Report::Listening);
    spawn_local(run(inbox));
}

/// Serves requests; never returns.
async fn run(inbox: Letters<Letter>) {
    let mut screens: [Screen; SCREENS] = Default::default();
    loop {
        let (request, port) = inbox.next().await;
        let screen = match &request {
            Request::Insert { screen, .. }
            | Request::Agent { screen, .. }
            | Request::Reset { screen }
            | Request::Step { screen, .. }
            | Request::Latents { screen }
            | Request::Dream { screen, .. } => *screen,
        };
        let Some(chosen) = screens.get_mut(screen) else {
            post(&Report::Refused { screen, text: format!("there is no screen {screen}") });
            continue;
        };
        if let Err(error) = serve(chosen, request, port).await {
            post(&Report::Refused { screen, text: error.to_string() });
        }
    }
}

async fn serve(
    chosen: &mut Screen,
    request: Request,
    port: Option<MessagePort>,
) -> Result<(), ScreenError> {
    match request {
        Request::Insert { screen, game, games } => {
            let opened = Box::new(chosen.insert(game, *games, port).await?);
            post(&Report::Inserted { screen, opened });
        }
        Request::Agent { screen, source } => {
            let update = matches!(source, Source::Updated(_));
            let (player, global_step) = match source {
                Source::Nobody => (None, None),
                Source::Fresh { config, spec } => {
                    config.validate().map_err(CheckpointError::from)?;
                    let model = Model::new(&spec, &config, &Device::flex());
                    (Some(Player::new(model, &config, &spec, &Device::flex())), Some(0))
                }
                Source::Trained(networks) | Source::Updated(networks) => {
                    let (player, global_step) = load(*networks)?;
                    (Some(player), Some(global_step))
                }
            };
            chosen.set_player(player, update).await?;
            let judged = chosen.judged().map(Box::new);
            post(&Report::Agent { screen, global_step, judged });
        }
        Request::Reset { screen } => outbox::post_step(screen, chosen.reset().await?),
        Request::Step { screen, chooser } => {
            outbox::post_step(screen, chosen.step(chooser).await?);
        }
        Request::Latents { screen } => {
            post(&Report::Latents { screen, picture: chosen.latents() });
        }
        Request::Dream { screen, horizon } => {
            let dream = chosen.dream(horizon).await?;
            post(&Report::Dream { screen, dream });
        }
    }
    Ok(())
}

/// A player with these networks, on the CPU, and the agent steps for which it was trained.
///
/// One observation is too little work for a GPU, and the trainer may be using it.
fn load(networks: Networks) -> Result<(Player, u64), CheckpointError> {
    let checkpoint = networks.into_checkpoint();
    let player = Player::load(&checkpoint, &Device::flex())?;
    let state = &checkpoint.state;
    Ok((player, state.iteration * state.config.batch_size() as u64))
}
