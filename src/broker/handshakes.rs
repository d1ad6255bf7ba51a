//! The bounds of TLS handshakes. Their number is limited: a further one ends the oldest unfinished one, so that connections that
//! stay silent do not keep others out. They compute on other threads, which leave a processor to the broker.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread::available_parallelism;
use tokio::sync::{Notify, Semaphore};

/// The most unfinished handshakes, and the fewest with little memory.
const MOST: usize = 1000;
const FEWEST: usize = 4;

/// The memory that an unfinished handshake may take: rustls limits a message of the client to this size.
const COST: usize = 64 << 10;

/// The unfinished handshakes of a broker.
#[derive(Debug)]
pub(super) struct Handshakes {
    most: usize,
    next: Cell<u64>,
    unfinished: RefCell<BTreeMap<u64, Rc<Notify>>>,
    permits: Semaphore,
}

impl Handshakes {
    /// As many as fit into the memory, in bytes.
    pub(super) fn within(memory: usize) -> Handshakes {
        let processors = available_parallelism().map_or(1, Into::into);
        Handshakes {
            most: (memory / COST).clamp(FEWEST, MOST),
            next: Cell::new(0),
            unfinished: RefCell::default(),
            permits: Semaphore::new((processors - 1).max(1)),
        }
    }

    /// The permits for computing.
    pub(super) fn permits(&self) -> &Semaphore {
        &self.permits
    }

    /// Begins a handshake, which lasts until the place is dropped. Ends the oldest one if there are too many.
    pub(super) fn begin(&self) -> Place<'_> {
        let number = self.next.get();
        self.next.set(number + 1);
        let displaced = Rc::new(Notify::new());
        let mut unfinished = self.unfinished.borrow_mut();
        unfinished.insert(number, Rc::clone(&displaced));
        if unfinished.len() > self.most
            && let Some((_, oldest)) = unfinished.pop_first()
        {
            oldest.notify_one();
        }
        Place { handshakes: self, number, displaced }
    }
}

/// An unfinished handshake.
#[derive(Debug)]
pub(super) struct Place<'a> {
    handshakes: &'a Handshakes,
    number: u64,
    displaced: Rc<Notify>,
}

impl Place<'_> {
    /// Resolves when a newer handshake takes this place.
    pub(super) async fn displaced(&self) {
        self.displaced.notified().await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.handshakes.unfinished.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn is_displaced(place: &Place<'_>) -> bool {
        pin!(place.displaced()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn one_too_many_ends_the_oldest_one() {
        let handshakes = Handshakes::within(0);
        let places: Vec<_> = (0..FEWEST + 2).map(|_| handshakes.begin()).collect();
        let displaced: Vec<bool> = places.iter().map(is_displaced).collect();
        assert_eq!(displaced, [true, true, false, false, false, false]);
        drop(places);
        assert!(!is_displaced(&handshakes.begin()));
        assert!(handshakes.unfinished.borrow().is_empty());
    }

    #[test]
    fn their_number_depends_on_the_memory_within_limits() {
        let numbers = [0, 1 << 20, 64 << 20, usize::MAX].map(|memory| Handshakes::within(memory).most);
        assert_eq!(numbers, [4, 16, 1000, 1000]);
    }
}
