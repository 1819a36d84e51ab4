//! The only `unsafe` code of the crate: a handle over the C functions of `shim.cpp`.
//!
//! Why it is sound:
//! - Creating and destroying a console writes process-wide statics of ALE, which running consoles
//!   read (the decimal table of its processor). So both hold [`LIFECYCLE`] for writing, and every
//!   emulated frame holds it for reading. The lock is never taken twice by one call, so it cannot
//!   deadlock with a waiting writer.
//! - A [`Handle`] is `Send` (ALE keeps no thread affinity and no thread-local state) but not
//!   `Sync`: it holds a raw pointer, and even reading RAM or the life counter is not promised to be
//!   free of side effects.
//! - The shim catches every exception and checks every action, so no call unwinds into Rust and
//!   none exits.

use std::{
    ffi::{CStr, CString, NulError, c_char},
    marker::{PhantomData, PhantomPinned},
    ptr::NonNull,
    slice,
    sync::{PoisonError, RwLock},
};

// Nothing of its Rust side is used: this puts ALE's static library on the link line.
use ale_sys as _;

/// Serialises access to ALE's process-wide statics.
static LIFECYCLE: RwLock<()> = RwLock::new(());

#[repr(C)]
struct DeepspiAle {
    _opaque: [u8; 0],
    _not_auto_traits: PhantomData<(*mut u8, PhantomPinned)>,
}

unsafe extern "C" {
    fn deepspi_ale_create(
        base_dir: *const c_char,
        rom_path: *const c_char,
        game_id: *const c_char,
        seed: i32,
        repeat_action_probability: f32,
        out: *mut *mut DeepspiAle,
        message: *mut c_char,
        capacity: usize,
    ) -> i32;
    fn deepspi_ale_destroy(atari: *mut DeepspiAle);
    fn deepspi_ale_reset(atari: *mut DeepspiAle, message: *mut c_char, capacity: usize) -> i32;
    fn deepspi_ale_reset_with_seed(
        atari: *mut DeepspiAle,
        seed: i32,
        message: *mut c_char,
        capacity: usize,
    ) -> i32;
    fn deepspi_ale_renew(
        atari: *mut DeepspiAle,
        seed: i32,
        message: *mut c_char,
        capacity: usize,
    ) -> i32;
    fn deepspi_ale_act(
        atari: *mut DeepspiAle,
        action: i32,
        reward: *mut i32,
        message: *mut c_char,
        capacity: usize,
    ) -> i32;
    fn deepspi_ale_game_over(atari: *const DeepspiAle) -> i32;
    fn deepspi_ale_lives(atari: *const DeepspiAle) -> i32;
    fn deepspi_ale_screen(
        atari: *const DeepspiAle,
        height: *mut usize,
        width: *mut usize,
    ) -> *const u8;
    fn deepspi_ale_scanlines(atari: *const DeepspiAle) -> i32;
    fn deepspi_ale_set_difficulty(atari: *mut DeepspiAle, switches: i32);
    fn deepspi_ale_ram(atari: *const DeepspiAle, out128: *mut u8);
    fn deepspi_ale_palette(atari: *mut DeepspiAle, gray128: *mut u8, rgb384: *mut u8);
    fn deepspi_ale_minimal_actions(
        atari: *mut DeepspiAle,
        out18: *mut i32,
        message: *mut c_char,
        capacity: usize,
    ) -> i32;
}

/// ALE's message when it refused a call.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(String);

impl From<NulError> for Refusal {
    fn from(error: NulError) -> Self {
        Self(error.to_string())
    }
}

/// Buffer for the message of a failed call.
struct Message([c_char; 256]);

impl Message {
    const fn new() -> Self {
        Self([0; 256])
    }

    const fn pointer(&mut self) -> *mut c_char {
        self.0.as_mut_ptr()
    }

    const fn capacity(&self) -> usize {
        self.0.len()
    }

    fn refusal(&self) -> Refusal {
        // SAFETY: the buffer starts zeroed and the shim ends every message with a NUL inside
        // `capacity`.
        let text = unsafe { CStr::from_ptr(self.0.as_ptr()) };
        Refusal(text.to_string_lossy().into_owned())
    }

    /// `Ok` if the shim returned 0 or a count, and the message if it returned -1.
    fn check(&self, status: i32) -> Result<i32, Refusal> {
        if status < 0 { Err(self.refusal()) } else { Ok(status) }
    }
}

/// One emulated console with a cartridge in it.
#[derive(Debug)]
pub(crate) struct Handle {
    atari: NonNull<DeepspiAle>,
}

// SAFETY: the handle owns all it points to, ALE has no thread affinity, and its process-wide
// statics are guarded by `LIFECYCLE`; moving a console to another thread between calls is what
// ALE's own vector environments do.
unsafe impl Send for Handle {}

impl Handle {
    /// Puts the cartridge at `rom_path` into a new console; ALE looks for its side files in
    /// `base_dir` only.
    ///
    /// The bytes must be those of the game `game_id`: with other bytes ALE's mode selection may
    /// never end.
    pub(crate) fn new(
        base_dir: &str,
        rom_path: &str,
        game_id: &str,
        seed: i32,
        repeat_action_probability: f32,
    ) -> Result<Self, Refusal> {
        let (base_dir, rom_path, game_id) =
            (CString::new(base_dir)?, CString::new(rom_path)?, CString::new(game_id)?);
        let mut message = Message::new();
        let mut atari = std::ptr::null_mut();
        let alone = LIFECYCLE.write().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the three strings are NUL-terminated and outlive the call, `atari` and `message`
        // are writable, and the write lock makes this the only thread inside ALE.
        let status = unsafe {
            deepspi_ale_create(
                base_dir.as_ptr(),
                rom_path.as_ptr(),
                game_id.as_ptr(),
                seed,
                repeat_action_probability,
                &raw mut atari,
                message.pointer(),
                message.capacity(),
            )
        };
        drop(alone);
        message.check(status)?;
        NonNull::new(atari)
            .map(|atari| Self { atari })
            .ok_or_else(|| Refusal("no console was returned".to_owned()))
    }

    /// Starts a new game.
    pub(crate) fn reset(&mut self) -> Result<(), Refusal> {
        let mut message = Message::new();
        let _running = LIFECYCLE.read().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the handle is valid until drop and `&mut self` makes this its only use; `message`
        // is writable.
        let status = unsafe {
            deepspi_ale_reset(self.atari.as_ptr(), message.pointer(), message.capacity())
        };
        message.check(status).map(drop)
    }

    /// Starts a new game as on a console that was just switched on; `seed` determines all its
    /// random numbers.
    pub(crate) fn reset_with_seed(&mut self, seed: i32) -> Result<(), Refusal> {
        let mut message = Message::new();
        let _running = LIFECYCLE.read().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: as in `reset`.
        let status = unsafe {
            deepspi_ale_reset_with_seed(
                self.atari.as_ptr(),
                seed,
                message.pointer(),
                message.capacity(),
            )
        };
        message.check(status).map(drop)
    }

    /// Makes this console what [`Handle::new`] with `seed` gives for the same cartridge.
    pub(crate) fn renew(&mut self, seed: i32) -> Result<(), Refusal> {
        let mut message = Message::new();
        let _running = LIFECYCLE.read().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: as in `reset`.
        let status = unsafe {
            deepspi_ale_renew(self.atari.as_ptr(), seed, message.pointer(), message.capacity())
        };
        message.check(status).map(drop)
    }

    /// Emulates one frame and returns its reward. The shim refuses ids above 17.
    pub(crate) fn act(&mut self, action: u8) -> Result<i32, Refusal> {
        let mut message = Message::new();
        let mut reward = 0;
        let _running = LIFECYCLE.read().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: as in `reset`; `reward` is writable.
        let status = unsafe {
            deepspi_ale_act(
                self.atari.as_ptr(),
                i32::from(action),
                &raw mut reward,
                message.pointer(),
                message.capacity(),
            )
        };
        message.check(status).map(|_| reward)
    }

    /// Whether the game has ended.
    pub(crate) fn game_over(&self) -> bool {
        // SAFETY: the handle is valid, and being neither `Sync` nor shared it is in use by this
        // thread only.
        unsafe { deepspi_ale_game_over(self.atari.as_ptr()) != 0 }
    }

    /// Remaining lives as the game's rules count them.
    pub(crate) fn lives(&self) -> i32 {
        // SAFETY: as in `game_over`.
        unsafe { deepspi_ale_lives(self.atari.as_ptr()) }
    }

    /// The last frame as palette indices (all even), with its height and width.
    pub(crate) fn screen(&self) -> (&[u8], usize, usize) {
        let (mut height, mut width) = (0, 0);
        // SAFETY: the handle is valid and the two sizes are writable.
        let pixels =
            unsafe { deepspi_ale_screen(self.atari.as_ptr(), &raw mut height, &raw mut width) };
        // SAFETY: ALE keeps `height * width` bytes there for the life of the console, and changes
        // them only in calls that need `&mut self`, which the returned borrow excludes.
        let pixels = unsafe { slice::from_raw_parts(pixels, height * width) };
        (pixels, height, width)
    }

    /// Lines of the last frame.
    pub(crate) fn scanlines(&self) -> i32 {
        // SAFETY: as in `game_over`.
        unsafe { deepspi_ale_scanlines(self.atari.as_ptr()) }
    }

    /// Sets the difficulty switches: bit 0 left, bit 1 right; 1 is A.
    pub(crate) fn set_difficulty(&mut self, switches: i32) {
        // SAFETY: the handle is valid and exclusively borrowed.
        unsafe { deepspi_ale_set_difficulty(self.atari.as_ptr(), switches) }
    }

    /// The 128 bytes of RAM after the last frame; index = address & 0x7F.
    pub(crate) fn ram(&self) -> [u8; 128] {
        let mut ram = [0; 128];
        // SAFETY: the handle is valid and the array has the 128 bytes that are written.
        unsafe { deepspi_ale_ram(self.atari.as_ptr(), ram.as_mut_ptr()) };
        ram
    }

    /// Luminance and RGB of the palette indices 0, 2, .. 254.
    pub(crate) fn palette(&mut self) -> ([u8; 128], [[u8; 3]; 128]) {
        let (mut gray, mut rgb) = ([0; 128], [[0; 3]; 128]);
        // SAFETY: the handle is valid and exclusively borrowed; 128 and 384 bytes are written, the
        // arrays' sizes.
        unsafe {
            deepspi_ale_palette(self.atari.as_ptr(), gray.as_mut_ptr(), rgb.as_mut_ptr().cast());
        };
        (gray, rgb)
    }

    /// ALE ids of the minimal action set, ascending.
    pub(crate) fn minimal_actions(&mut self) -> Result<Vec<i32>, Refusal> {
        let mut message = Message::new();
        let mut ids = [0; 18];
        // SAFETY: the handle is valid and exclusively borrowed; at most 18 ids are written.
        let status = unsafe {
            deepspi_ale_minimal_actions(
                self.atari.as_ptr(),
                ids.as_mut_ptr(),
                message.pointer(),
                message.capacity(),
            )
        };
        let count = usize::try_from(message.check(status)?).unwrap_or(0);
        Ok(ids[..count].to_vec())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _alone = LIFECYCLE.write().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the handle came from `deepspi_ale_create`, is destroyed once, and the write
        // lock makes this the only thread inside ALE.
        unsafe { deepspi_ale_destroy(self.atari.as_ptr()) }
    }
}
