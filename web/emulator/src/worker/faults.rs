//! Panics, which must not be silent: every client and the page are told.

use std::cell::RefCell;

use web_sys::MessagePort;

use super::outbox;

thread_local! {
    static PORTS: RefCell<Vec<MessagePort>> = const { RefCell::new(Vec::new()) };
    static FAULT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the panic hook.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        let text = format!("The emulator failed: {info}");
        let first = FAULT.with(|fault| {
            fault.try_borrow_mut().is_ok_and(|mut fault| fault.replace(text.clone()).is_none())
        });
        if !first {
            return;
        }
        outbox::post_failure_to_page(&text);
        PORTS.with(|ports| {
            for port in ports.try_borrow().iter().flat_map(|ports| ports.iter()) {
                outbox::post_failure(port, &text);
            }
        });
    }));
}

/// The reason why this worker cannot go on, if there is one.
pub fn fault() -> Option<String> {
    FAULT.with(|fault| fault.borrow().clone())
}

/// Tells this client of a later fault.
pub fn add(port: MessagePort) {
    PORTS.with_borrow_mut(|ports| ports.push(port));
}

/// Forgets a client that has left.
pub fn remove(port: &MessagePort) {
    PORTS.with_borrow_mut(|ports| ports.retain(|other| other != port));
}
