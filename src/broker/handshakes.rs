//! The bounds of TLS handshakes. Their number is limited: a further one ends the oldest one of the network that has the most, so that
//! unfinished handshakes do not keep others out. They compute on other threads, which leave a processor to the broker, and whose places
//! the networks get in turn.

use super::computing::{self, Places};
use super::network::Network;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::sync::Notify;

/// The most unfinished handshakes, and the fewest with little memory.
const MAX_HANDSHAKES: usize = 1000;
const MIN_HANDSHAKES: usize = 16;

/// The memory that an unfinished handshake may take, mostly bytes of the client.
const COST: usize = 32 << 10;

/// The unfinished handshakes of a broker.
#[derive(Debug)]
pub(super) struct Handshakes {
    most: usize,
    next: Cell<u64>,
    count: Cell<usize>,
    /// By network, in the order of their start.
    unfinished: RefCell<HashMap<Network, BTreeMap<u64, Rc<Notify>>>>,
    places: Arc<Places>,
}

impl Handshakes {
    /// As many as fit into the memory, in bytes.
    pub(super) fn within(memory: usize) -> Handshakes {
        let processors = available_parallelism().map_or(1, Into::into);
        Handshakes {
            most: (memory / COST).clamp(MIN_HANDSHAKES, MAX_HANDSHAKES),
            next: Cell::new(0),
            count: Cell::new(0),
            unfinished: RefCell::default(),
            places: Places::new((processors - 1).max(1)),
        }
    }

    /// Begins a handshake, which lasts until the place is dropped. Ends another one if there are too many.
    pub(super) fn begin(&self, network: Network) -> Place<'_> {
        let number = self.next.get();
        self.next.set(number + 1);
        let displaced = Rc::new(Notify::new());
        self.unfinished.borrow_mut().entry(network).or_default().insert(number, Rc::clone(&displaced));
        self.count.set(self.count.get() + 1);
        if self.count.get() > self.most {
            self.displace();
        }
        Place { handshakes: self, network, number, displaced }
    }

    /// Ends the oldest handshake of the network with the most of them.
    fn displace(&self) {
        let unfinished = self.unfinished.borrow();
        let oldest = |places: &BTreeMap<u64, Rc<Notify>>| places.first_key_value().map(|(number, _)| *number);
        let most = unfinished.iter().max_by_key(|(_, places)| (places.len(), oldest(places).map(Reverse)));
        let Some((&network, number)) = most.and_then(|(network, places)| Some((network, oldest(places)?)))
        else {
            return;
        };
        drop(unfinished);
        if let Some(displaced) = self.remove(network, number) {
            displaced.notify_one();
        }
    }

    fn remove(&self, network: Network, number: u64) -> Option<Rc<Notify>> {
        let mut unfinished = self.unfinished.borrow_mut();
        let places = unfinished.get_mut(&network)?;
        let removed = places.remove(&number)?;
        if places.is_empty() {
            unfinished.remove(&network);
        }
        self.count.set(self.count.get() - 1);
        Some(removed)
    }
}

/// An unfinished handshake.
#[derive(Debug)]
pub(super) struct Place<'a> {
    handshakes: &'a Handshakes,
    network: Network,
    number: u64,
    displaced: Rc<Notify>,
}

impl Place<'_> {
    /// Waits for a place on the threads that compute.
    pub(super) async fn compute(&self) -> computing::Place {
        self.handshakes.places.place(self.network).await
    }

    /// Resolves when a newer handshake takes this place.
    pub(super) async fn displaced(&self) {
        self.displaced.notified().await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.handshakes.remove(self.network, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn network(number: u32) -> Network {
        Some(Ipv4Addr::from_bits(number).into())
    }

    fn are_displaced(places: &[Place<'_>]) -> Vec<bool> {
        let is_displaced = |place: &Place<'_>| {
            pin!(place.displaced()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
        };
        places.iter().map(is_displaced).collect()
    }

    #[test]
    fn one_too_many_ends_the_oldest_one() {
        let handshakes = Handshakes::within(0);
        let kinds: [fn(u32) -> Network; 2] = [|_| None, network];
        for of in kinds {
            let places: Vec<_> =
                (0..MIN_HANDSHAKES as u32 + 2).map(|number| handshakes.begin(of(number))).collect();
            let expected: Vec<bool> = (0..MIN_HANDSHAKES + 2).map(|number| number < 2).collect();
            assert_eq!(are_displaced(&places), expected);
            drop(places);
            assert_eq!(are_displaced(&[handshakes.begin(None)]), [false]);
            assert_eq!((handshakes.unfinished.borrow().len(), handshakes.count.get()), (0, 0));
        }
    }

    #[test]
    fn the_handshakes_of_one_network_end_each_other_and_not_those_of_another_one() {
        let handshakes = Handshakes::within(0);
        let others: Vec<_> = (1..4).map(|number| handshakes.begin(network(number))).collect();
        let places: Vec<_> = (0..100).map(|_| handshakes.begin(network(9))).collect();
        assert_eq!(are_displaced(&others), [false; 3]);
        let left = are_displaced(&places).iter().filter(|is_displaced| !**is_displaced).count();
        assert_eq!(left, MIN_HANDSHAKES - 3);
    }

    #[test]
    fn their_number_depends_on_the_memory_within_limits() {
        let numbers = [0, 1 << 20, 64 << 20, usize::MAX].map(|memory| Handshakes::within(memory).most);
        assert_eq!(numbers, [16, 32, 1000, 1000]);
    }
}
