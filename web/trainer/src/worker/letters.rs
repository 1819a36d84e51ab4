//! A queue of received messages for which an asynchronous task can wait.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// The queue. Clones share it.
#[derive(Debug)]
pub struct Letters<T>(Rc<RefCell<Content<T>>>);

#[derive(Debug)]
struct Content<T> {
    letters: VecDeque<T>,
    waiting: Option<Waker>,
}

impl<T> Default for Letters<T> {
    fn default() -> Self {
        Self(Rc::new(RefCell::new(Content { letters: VecDeque::new(), waiting: None })))
    }
}

impl<T> Clone for Letters<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Letters<T> {
    /// Adds a message at the end.
    pub fn push(&self, letter: T) {
        let mut content = self.0.borrow_mut();
        content.letters.push_back(letter);
        if let Some(waker) = content.waiting.take() {
            waker.wake();
        }
    }

    /// Takes the next message, if there is one.
    pub fn take(&self) -> Option<T> {
        self.0.borrow_mut().letters.pop_front()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().letters.is_empty()
    }

    /// Waits until there is a message.
    pub async fn wait(&self) {
        poll_fn(|context| {
            let mut content = self.0.borrow_mut();
            if content.letters.is_empty() {
                content.waiting = Some(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }

    /// Waits for the next message and takes it.
    pub async fn next(&self) -> T {
        loop {
            if let Some(letter) = self.take() {
                return letter;
            }
            self.wait().await;
        }
    }
}
