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
        let packet = Self { message: Object::new(), transfer: Array::new() };
        packet.with_array(BYTES, Some(&Uint8Array::from(bytes)))
    }

    /// Adds an array, if there is one; its buffer is transferred.
    ///
    /// # Errors
    /// Never in a browser.
    pub fn with_array(self, name: &str, array: Option<&Uint8Array>) -> Result<Self, JsValue> {
        let Some(array) = array else { return Ok(self) };
        self.transfer.push(&array.buffer());
        self.with(name, array)
    }

    /// Adds a port or a canvas, if there is one; it is transferred.
    ///
    /// # Errors
    /// Never in a browser.
    pub fn with_object(self, name: &str, object: Option<&JsValue>) -> Result<Self, JsValue> {
        let Some(object) = object else { return Ok(self) };
        self.transfer.push(object);
        self.with(name, object)
    }

    /// Adds a list of ports, if there are any; they are transferred.
    ///
    /// # Errors
    /// Never in a browser.
    pub fn with_list(self, name: &str, objects: &Array) -> Result<Self, JsValue> {
        if objects.length() == 0 {
            return Ok(self);
        }
        for object in objects.iter() {
            self.transfer.push(&object);
        }
        self.with(name, objects)
    }

    fn with(self, name: &str, value: &JsValue) -> Result<Self, JsValue> {
        Reflect::set(&self.message, &name.into(), value)?;
        Ok(self)
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
