//! A message as the browser carries it between the page and its workers: an object whose field
//! [`BYTES`] holds the encoded message, and further fields for what is not encoded.
//!
//! Large arrays, ports and canvases are fields of their own. Buffers, ports and canvases are
//! transferred, not copied: who sent them cannot use them any more.

use js_sys::{Array, Object, Reflect, Uint8Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::protocol::{BYTES, Unreadable, decode, encode};

/// An object to send, and what is transferred with it.
#[derive(Debug)]
pub struct Packet {
    /// The object.
    pub message: Object,
    /// Buffers, ports and canvases of the object.
    pub transfer: Array,
}

impl Packet {
    /// A packet with this message.
    ///
    /// # Errors
    /// If the message cannot be encoded.
    pub fn new<T: Serialize>(message: &T) -> Result<Self, JsValue> {
        let bytes = encode(message).map_err(|error| JsValue::from(error.to_string()))?;
        Self::of_bytes(&bytes)
    }

    /// A packet with a message that is encoded already.
    ///
    /// # Errors
    /// Never in a browser.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, JsValue> {
        let mut packet = Self { message: Object::new(), transfer: Array::new() };
        packet.add_array(BYTES, &Uint8Array::from(bytes))?;
        Ok(packet)
    }

    /// Adds an array; its buffer is transferred.
    ///
    /// # Errors
    /// Never in a browser.
    pub fn add_array(&mut self, name: &str, array: &Uint8Array) -> Result<(), JsValue> {
        self.transfer.push(&array.buffer());
        self.set(name, array)
    }

    /// Adds a port or a canvas, which is transferred.
    ///
    /// # Errors
    /// Never in a browser.
    pub fn add_object(&mut self, name: &str, object: &JsValue) -> Result<(), JsValue> {
        self.transfer.push(object);
        self.set(name, object)
    }

    /// Adds a list of ports, which are transferred.
    ///
    /// # Errors
    /// Never in a browser.
    pub fn add_list(&mut self, name: &str, objects: &Array) -> Result<(), JsValue> {
        for object in objects.iter() {
            self.transfer.push(&object);
        }
        self.set(name, objects)
    }

    fn set(&self, name: &str, value: &JsValue) -> Result<(), JsValue> {
        Reflect::set(&self.message, &name.into(), value).map(drop)
    }
}

/// The message in what arrived.
///
/// # Errors
/// If it has none, or not one of this version of the program.
pub fn message<T: for<'de> Deserialize<'de>>(data: &JsValue) -> Result<T, Unreadable> {
    decode(&array(data, BYTES).map(|bytes| bytes.to_vec()).unwrap_or_default())
}

/// A field of what arrived; undefined if it has none of this name.
#[must_use]
pub fn field(data: &JsValue, name: &str) -> JsValue {
    Reflect::get(data, &name.into()).unwrap_or_default()
}

/// An array beside the message.
#[must_use]
pub fn array(data: &JsValue, name: &str) -> Option<Uint8Array> {
    field(data, name).dyn_into().ok()
}
