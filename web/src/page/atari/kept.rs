//! Keeps cartridges in the browser's own database (IndexedDB), if the visitor says so.
//!
//! A browser may have no database for this page, or refuse to fill it; every function says so with
//! a sentence, and the page goes on without it. What is read back is not trusted: the caller
//! recognises it again. No connection stays open, because an open one would block the removal.

use js_sys::{Array, Promise, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, IdbDatabase, IdbOpenDbRequest, IdbRequest, IdbTransaction, IdbTransactionMode,
};

use crate::rom_file::Cartridge;

/// Name of the database. A server may host other pages, too.
const DATABASE: &str = "deepspi-playground";
/// Name of the table; its keys are the stems of the games, its values the bytes.
const TABLE: &str = "cartridges";

/// Why cartridges are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptError {
    /// The browser has no room.
    Full,
    /// The browser does not allow it, or something failed.
    Refused(String),
}

impl From<JsValue> for KeptError {
    fn from(error: JsValue) -> Self {
        let Some(error) = error.dyn_ref::<DomException>() else {
            return Self::Refused(
                error.as_string().unwrap_or_else(|| "no reason given".to_owned()),
            );
        };
        match error.name().as_str() {
            "QuotaExceededError" => Self::Full,
            name => Self::Refused(name.to_owned()),
        }
    }
}

impl std::fmt::Display for KeptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("the browser's storage is full"),
            Self::Refused(why) => write!(f, "the browser does not allow it ({why})"),
        }
    }
}

/// The kept bytes.
///
/// # Errors
/// If the database cannot be read.
pub async fn load() -> Result<Vec<Vec<u8>>, KeptError> {
    let database = open().await?;
    let result = async {
        let table = database.transaction_with_str(TABLE)?.object_store(TABLE)?;
        let all: Array = answer(&table.get_all()?).await?.unchecked_into();
        Ok(all.iter().map(|bytes| Uint8Array::new(&bytes).to_vec()).collect())
    };
    let result = result.await;
    database.close();
    result
}

/// Keeps these cartridges, all or none.
///
/// # Errors
/// If the database cannot be written.
pub async fn keep(cartridges: &[Cartridge]) -> Result<(), KeptError> {
    let database = open().await?;
    let result = async {
        let mode = IdbTransactionMode::Readwrite;
        let transaction = database.transaction_with_str_and_mode(TABLE, mode)?;
        let table = transaction.object_store(TABLE)?;
        for cartridge in cartridges {
            let bytes = Uint8Array::from(&*cartridge.bytes);
            table.put_with_key(&bytes, &cartridge.game.stem.into())?;
        }
        complete(&transaction).await
    };
    let result = result.await;
    database.close();
    result
}

/// Removes the database with all that was kept.
///
/// # Errors
/// If the browser refuses.
pub async fn remove() -> Result<(), KeptError> {
    let request = factory()?.delete_database(DATABASE)?;
    answer_of_open(&request).await.map(drop)
}

fn factory() -> Result<web_sys::IdbFactory, KeptError> {
    let none = || KeptError::Refused("it has no IndexedDB".to_owned());
    window().indexed_db()?.ok_or_else(none)
}

async fn open() -> Result<IdbDatabase, KeptError> {
    let request = factory()?.open(DATABASE)?;
    let upgrading = request.clone();
    // Called once, for a new database.
    let create = Closure::once_into_js(move || {
        if let Ok(database) = upgrading.result() {
            // If this fails, so does the first use of the table.
            drop(database.unchecked_into::<IdbDatabase>().create_object_store(TABLE));
        }
    });
    request.set_onupgradeneeded(Some(create.unchecked_ref()));
    Ok(answer_of_open(&request).await?.unchecked_into())
}

async fn answer_of_open(request: &IdbOpenDbRequest) -> Result<JsValue, KeptError> {
    let blocked = Closure::once_into_js({
        let request = request.clone();
        move || {
            // Another tab of the page is in the middle of something; the request would wait for it.
            if let Some(handler) = request.onerror() {
                drop(handler.call0(&JsValue::NULL));
            }
        }
    });
    request.set_onblocked(Some(blocked.unchecked_ref()));
    answer(request).await
}

/// Waits for the answer to a request.
async fn answer(request: &IdbRequest) -> Result<JsValue, KeptError> {
    let done = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    match JsFuture::from(done).await {
        Ok(_) => Ok(request.result()?),
        Err(_) => Err(match request.error() {
            Ok(Some(error)) => JsValue::from(error).into(),
            Ok(None) | Err(_) => KeptError::Refused("another tab uses it".to_owned()),
        }),
    }
}

/// Waits until everything in a transaction is written.
async fn complete(transaction: &IdbTransaction) -> Result<(), KeptError> {
    let done = Promise::new(&mut |resolve, reject| {
        transaction.set_oncomplete(Some(&resolve));
        transaction.set_onabort(Some(&reject));
    });
    match JsFuture::from(done).await {
        Ok(_) => Ok(()),
        Err(_) => Err(match transaction.error() {
            Some(error) => JsValue::from(error).into(),
            None => KeptError::Refused("it stopped".to_owned()),
        }),
    }
}
