//! What goes on because somebody looks at a screen: it plays, gets an agent of the site, and follows
//! the training on this page.
//!
//! The room and the first screen show the same screens, and either may be absent. A screen at which
//! nobody looks stands still and loads nothing.

use std::cell::RefCell;
use std::rc::Rc;

use deepspi_playground::play::SCREENS;
use deepspi_playground::protocol::Request;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;

use super::agents::Agents;
use super::state::{Arcade, Origin, Screen};
use crate::page::state::{Phase, Room};

impl Screen {
    /// One more part of the page shows the screen.
    pub fn watch(self) {
        self.watched.update(|watched| *watched += 1);
    }

    /// A part of the page does not show the screen any more.
    pub fn unwatch(self) {
        self.watched.update(|watched| *watched -= 1);
    }

    /// Whether a part of the page shows the screen.
    fn is_watched(self) -> bool {
        self.watched.get() > 0
    }
}

/// Keeps the watched screens going; called once for the page.
pub fn follow(arcade: Arcade, agents: Agents) {
    drive(arcade);
    follow_training(arcade);
    for index in 0..SCREENS {
        let watched = Memo::new(move |_| arcade.screens[index].is_watched());
        Effect::new(move || {
            let there = arcade.world.with(Option::is_some);
            if there && watched.get() {
                agents.ask();
                agents.seat_own(arcade, index);
            }
        });
    }
}

/// Passes the networks of the trainer on to the screens. In the room they are always needed, because
/// the visitor may choose them at any time.
fn follow_training(arcade: Arcade) {
    let playground = arcade.playground;
    let wanted = Memo::new(move |_| {
        playground.room.get() == Room::Atari
            || arcade
                .screens
                .iter()
                .any(|screen| screen.is_watched() && screen.origin.get() == Origin::Here)
    });
    // A worker that was started again does not know it.
    let ready = Memo::new(move |_| playground.phase.get() == Phase::Ready);
    Effect::new(move |before: Option<bool>| {
        let wanted = wanted.get();
        if ready.get() && (wanted || before == Some(true)) {
            playground.send(&Request::Networks(wanted));
        }
        wanted
    });
    for index in 0..SCREENS {
        Effect::new(move || {
            let networks = playground.agents[index].networks.get();
            let same = playground.opened.with_untracked(|opened| opened.world().ok())
                == arcade.world.get_untracked();
            match networks {
                Some(networks) if same => arcade.update_agent(index, &networks),
                Some(_) => {}
                // The next ones are those of another run.
                None => arcade.screens[index].follows_run.set_value(false),
            }
        });
    }
}

/// Calls [`Arcade::tick`] with every frame of the browser while a screen is watched.
fn drive(arcade: Arcade) {
    let any = Memo::new(move |_| arcade.screens.iter().any(|screen| screen.is_watched()));
    let running = StoredValue::new(false);
    let start = move || {
        running.set_value(true);
        let callback = OnFrame::default();
        let next = callback.clone();
        let mut last = f64::NAN;
        *callback.borrow_mut() = Some(Closure::new(move |now: f64| {
            if !any.get_untracked() {
                running.set_value(false);
                next.borrow_mut().take();
                return;
            }
            // NaN in the first frame, for which no time has passed.
            arcade.tick((now - last).max(0.0));
            last = now;
            request(&next);
        }));
        request(&callback);
    };
    Effect::new(move || {
        if any.get() && !running.get_value() {
            start();
        }
    });
}

/// The function that the browser calls with every frame; it holds itself.
type OnFrame = Rc<RefCell<Option<Closure<dyn FnMut(f64)>>>>;

fn request(callback: &OnFrame) {
    if let Some(callback) = callback.borrow().as_ref() {
        // Fails only for a page that is being closed.
        drop(window().request_animation_frame(callback.as_ref().unchecked_ref()));
    }
}
