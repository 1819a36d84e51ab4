//! A console that keeps every screen it shows.
//!
//! The rules of Atari emulate several frames for one step of the agent and keep two of them. A
//! visitor wants to see all. So the film is taken between the rules and the console, and the rules
//! need not know of it.

use std::cell::{Cell, RefCell};

use deepspi_worlds::atari::{Console, ConsoleError, FRAME_PIXELS, Game, Palette, RAM_BYTES};

/// A console with a film of its screens.
#[derive(Debug)]
pub struct Film<C> {
    console: C,
    running: Cell<bool>,
    /// `[k, 210, 160]`: the screens since the last [`Self::take`].
    screens: RefCell<Vec<u8>>,
}

impl<C: Console> Film<C> {
    /// Wraps a console. Nothing is filmed before [`Self::start`].
    pub const fn new(console: C) -> Self {
        Self { console, running: Cell::new(false), screens: RefCell::new(Vec::new()) }
    }

    /// Films every screen from now on.
    pub fn start(&self) {
        self.running.set(true);
    }

    /// Films nothing until the next start.
    pub fn stop(&self) {
        self.running.set(false);
    }

    /// Films the current screen.
    pub fn shoot(&self) {
        self.screens.borrow_mut().extend_from_slice(self.console.screen());
    }

    /// Moves the filmed screens to the end of `film` and returns their number.
    pub fn take(&self, film: &mut Vec<u8>) -> u32 {
        let mut screens = self.screens.borrow_mut();
        let count = screens.len() / FRAME_PIXELS;
        film.append(&mut screens);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn shoot_if_running(&self) {
        if self.running.get() {
            self.shoot();
        }
    }
}

impl<C: Console> Console for Film<C> {
    fn game(&self) -> &'static Game {
        self.console.game()
    }

    fn reset(&mut self) -> Result<(), ConsoleError> {
        self.console.reset()?;
        self.shoot_if_running();
        Ok(())
    }

    fn reset_with_seed(&mut self, seed: i32) -> Result<(), ConsoleError> {
        self.console.reset_with_seed(seed)?;
        self.shoot_if_running();
        Ok(())
    }

    fn act(&mut self, action_id: u8) -> Result<i32, ConsoleError> {
        let reward = self.console.act(action_id)?;
        self.shoot_if_running();
        Ok(reward)
    }

    fn game_over(&self) -> bool {
        self.console.game_over()
    }

    fn lives(&self) -> i32 {
        self.console.lives()
    }

    fn screen(&self) -> &[u8] {
        self.console.screen()
    }

    fn palette(&self) -> &Palette {
        self.console.palette()
    }

    fn ram(&self) -> [u8; RAM_BYTES] {
        self.console.ram()
    }
}
