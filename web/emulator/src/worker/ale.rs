//! ALE as a [`Console`], over the functions of `ale.js`.
//!
//! The two modules have memories of their own, so a screen must be copied. That is done when the
//! rules ask for it, which is for two frames of four.

use std::cell::{OnceCell, RefCell};

use deepspi_worlds::atari::{
    Console, ConsoleError, FRAME_HEIGHT, FRAME_PIXELS, FRAME_WIDTH, Game, Palette, RAM_BYTES,
};
use js_sys::Error;
use wasm_bindgen::prelude::*;

use crate::client::Emulator;

#[wasm_bindgen]
extern "C" {
    /// ALE, compiled.
    #[derive(Debug, Clone)]
    pub type Ale;
    #[wasm_bindgen(method, catch)]
    fn machine(this: &Ale) -> Result<Machine, JsValue>;

    /// An instance of ALE. A console in it is a number.
    #[derive(Debug, Clone)]
    pub type Machine;
    #[wasm_bindgen(method, catch)]
    fn insert(
        this: &Machine,
        rom: &[u8],
        game: &str,
        seed: i32,
        sticky: f32,
    ) -> Result<u32, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn remove(this: &Machine, console: u32) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn reset(this: &Machine, console: u32) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = resetWithSeed)]
    fn reset_with_seed(this: &Machine, console: u32, seed: i32) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn act(this: &Machine, console: u32, action: u8) -> Result<i32, JsValue>;
    #[wasm_bindgen(method, catch, js_name = gameOver)]
    fn game_over(this: &Machine, console: u32) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn lives(this: &Machine, console: u32) -> Result<i32, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn size(this: &Machine, console: u32) -> Result<Vec<u32>, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn screen(this: &Machine, console: u32, target: &mut [u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn ram(this: &Machine, console: u32, target: &mut [u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn palette(
        this: &Machine,
        console: u32,
        gray: &mut [u8],
        rgb: &mut [u8],
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = minimalActions)]
    fn minimal_actions(this: &Machine, console: u32) -> Result<Vec<i32>, JsValue>;
}

impl Ale {
    /// Starts a new instance of ALE.
    pub(super) fn switch_on(&self) -> Result<Machine, ConsoleError> {
        self.machine().map_err(|error| format!("ALE could not be started: {}", text(&error)).into())
    }
}

impl Emulator for Machine {
    type Console = AleConsole;

    fn insert(
        &self,
        game: &'static Game,
        rom: &[u8],
        seed: i32,
        repeat_action_probability: f32,
    ) -> Result<AleConsole, ConsoleError> {
        let doing = |what| move |error| failed(game, what, &error);
        let handle = Self::insert(self, rom, game.stem, seed, repeat_action_probability)
            .map_err(doing("load"))?;
        let mut console = AleConsole {
            machine: self.clone(),
            handle,
            game,
            palette: Palette { gray: [0; 128], rgb: [[0; 3]; 128] },
            screen: OnceCell::new(),
            spare: RefCell::new(vec![0; FRAME_PIXELS]),
        };
        let found = self.minimal_actions(handle).map_err(doing("list the actions of"))?;
        if !found.iter().copied().eq(game.actions.iter().map(|&id| i32::from(id))) {
            let (name, expected) = (game.name, game.actions);
            return Err(format!("{name} has the minimal actions {found:?} in ALE, but {expected:?} in the table of games").into());
        }
        let size = self.size(handle).map_err(doing("measure"))?;
        if size != [FRAME_HEIGHT as u32, FRAME_WIDTH as u32] {
            return Err(format!(
                "{} draws {size:?} pixels instead of {FRAME_HEIGHT} x {FRAME_WIDTH}",
                game.name
            )
            .into());
        }
        let Palette { gray, rgb } = &mut console.palette;
        self.palette(handle, gray, rgb.as_flattened_mut()).map_err(doing("read the colours of"))?;
        // As natively, where ALE's own `loadROM` ends with a reset: without it every later random
        // draw would be shifted.
        console.reset()?;
        Ok(console)
    }
}

/// A console of ALE with a cartridge in it.
#[derive(Debug)]
pub struct AleConsole {
    machine: Machine,
    handle: u32,
    game: &'static Game,
    palette: Palette,
    /// The last frame, once it was asked for.
    screen: OnceCell<Vec<u8>>,
    /// Memory for the next copy of a frame; empty while `screen` has it.
    spare: RefCell<Vec<u8>>,
}

impl AleConsole {
    /// Must be called before anything that draws.
    fn forget_screen(&mut self) {
        if let Some(pixels) = self.screen.take() {
            self.spare.replace(pixels);
        }
    }
}

impl Console for AleConsole {
    fn game(&self) -> &'static Game {
        self.game
    }

    fn reset(&mut self) -> Result<(), ConsoleError> {
        self.forget_screen();
        self.machine.reset(self.handle).map_err(|error| failed(self.game, "reset", &error))
    }

    fn reset_with_seed(&mut self, seed: i32) -> Result<(), ConsoleError> {
        self.forget_screen();
        let done = self.machine.reset_with_seed(self.handle, seed);
        done.map_err(|error| failed(self.game, "reset", &error))
    }

    fn act(&mut self, action_id: u8) -> Result<i32, ConsoleError> {
        self.forget_screen();
        let reward = self.machine.act(self.handle, action_id);
        reward.map_err(|error| failed(self.game, "run a frame of", &error))
    }

    // The functions below fail only on a machine that has failed before. The next `act` or `reset`
    // reports that, so they need no error of their own.

    fn game_over(&self) -> bool {
        self.machine.game_over(self.handle).unwrap_or(true)
    }

    fn lives(&self) -> i32 {
        self.machine.lives(self.handle).unwrap_or(0)
    }

    fn screen(&self) -> &[u8] {
        self.screen.get_or_init(|| {
            let mut pixels = self.spare.take();
            if self.machine.screen(self.handle, &mut pixels).is_err() {
                pixels.fill(0);
            }
            pixels
        })
    }

    fn palette(&self) -> &Palette {
        &self.palette
    }

    fn ram(&self) -> [u8; RAM_BYTES] {
        let mut ram = [0; RAM_BYTES];
        if self.machine.ram(self.handle, &mut ram).is_err() {
            ram.fill(0);
        }
        ram
    }
}

impl Drop for AleConsole {
    fn drop(&mut self) {
        // This fails only on a machine that has failed before; its memory goes as a whole.
        drop(self.machine.remove(self.handle));
    }
}

fn failed(game: &'static Game, doing: &'static str, error: &JsValue) -> ConsoleError {
    format!("ALE failed to {doing} {}: {}", game.name, text(error)).into()
}

/// The message of a JavaScript error.
fn text(error: &JsValue) -> String {
    error
        .dyn_ref::<Error>()
        .map_or_else(|| format!("{error:?}"), |error| String::from(error.message()))
}
