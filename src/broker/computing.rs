//! The places for computing TLS handshakes. Networks get them in turn, so that a network with many handshakes delays another one by a
//! single turn.

use super::network::Network;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The places, and the queues of the computations that wait for one. Places come back from other threads.
#[derive(Debug)]
pub(super) struct Places {
    lines: Mutex<Lines>,
}

#[derive(Debug)]
struct Lines {
    /// The number of free places. While one is free, the queues are empty.
    free: usize,
    next_number: u64,
    /// The waiting computations of each network, in the order of their arrival. None of the lines is empty.
    waiting: HashMap<Network, BTreeMap<u64, oneshot::Sender<()>>>,
    /// The networks with a line, in the order of their turns.
    order: VecDeque<Network>,
}

impl Places {
    pub(super) fn new(count: usize) -> Arc<Places> {
        let (waiting, order) = (HashMap::new(), VecDeque::new());
        Arc::new(Places { lines: Mutex::new(Lines { free: count, next_number: 0, waiting, order }) })
    }

    /// Waits for a place.
    pub(super) async fn place(self: &Arc<Places>, network: Network) -> Place {
        if let Some(mut waiter) = self.line_up(network) {
            // The sender is used before it is dropped.
            let _ = (&mut waiter.granted).await;
            waiter.has_entered = true;
        }
        Place(Arc::clone(self))
    }

    /// Takes a free place, or joins the line of the network.
    fn line_up(self: &Arc<Places>, network: Network) -> Option<Waiter> {
        let lines = &mut *self.lines();
        if lines.free > 0 {
            lines.free -= 1;
            return None;
        }
        let number = lines.next_number;
        lines.next_number += 1;
        let (sender, granted) = oneshot::channel();
        let line = lines.waiting.entry(network).or_default();
        if line.is_empty() {
            lines.order.push_back(network);
        }
        line.insert(number, sender);
        Some(Waiter { places: Arc::clone(self), network, number, granted, has_entered: false })
    }

    /// Passes a place on, or keeps it free.
    fn release(&self) {
        let lines = &mut *self.lines();
        match lines.take_next() {
            // A waiter that ends meanwhile passes the place on.
            Some(next) => drop(next.send(())),
            None => lines.free += 1,
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// The next one of the network whose turn it is.
    fn take_next(&mut self) -> Option<oneshot::Sender<()>> {
        let network = self.order.pop_front()?;
        let line = self.waiting.get_mut(&network)?;
        let (_, next) = line.pop_first()?;
        if line.is_empty() {
            self.waiting.remove(&network);
        } else {
            self.order.push_back(network);
        }
        Some(next)
    }

    /// Leaves the line. Returns false if it had its turn already.
    fn leave(&mut self, network: Network, number: u64) -> bool {
        let Some(line) = self.waiting.get_mut(&network) else { return false };
        let has_left = line.remove(&number).is_some();
        if line.is_empty() {
            self.waiting.remove(&network);
            self.order.retain(|other| *other != network);
        }
        has_left
    }
}

/// A computation that waits for a place.
#[derive(Debug)]
struct Waiter {
    places: Arc<Places>,
    network: Network,
    number: u64,
    granted: oneshot::Receiver<()>,
    has_entered: bool,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.has_entered {
            return;
        }
        let has_left = self.places.lines().leave(self.network, self.number);
        if !has_left {
            self.places.release();
        }
    }
}

/// An occupied place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    type Waiting<'a> = Pin<Box<dyn Future<Output = Place> + 'a>>;

    fn network(number: u32) -> Network {
        Some(Ipv4Addr::from_bits(number).into())
    }

    fn poll(waiting: &mut Waiting<'_>) -> Option<Place> {
        match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    /// The waiting computations, by the numbers of their networks.
    fn waiting<'a>(
        places: &'a Arc<Places>,
        networks: impl IntoIterator<Item = u32>,
    ) -> Vec<(u32, Waiting<'a>)> {
        let mut all: Vec<(u32, Waiting<'a>)> = Vec::new();
        for number in networks {
            let mut one: Waiting<'a> = Box::pin(places.place(network(number)));
            assert!(poll(&mut one).is_none());
            all.push((number, one));
        }
        all
    }

    /// The networks in the order in which they get the only place.
    fn turns(mut place: Place, mut waiting: Vec<(u32, Waiting<'_>)>) -> Vec<u32> {
        let mut turns = Vec::new();
        while !waiting.is_empty() {
            drop(place);
            let entered: Vec<(usize, Place)> = waiting
                .iter_mut()
                .enumerate()
                .filter_map(|(at, (_, one))| poll(one).map(|place| (at, place)))
                .collect();
            let [(at, next)] = <[_; 1]>::try_from(entered).unwrap();
            turns.push(waiting.remove(at).0);
            place = next;
        }
        turns
    }

    #[test]
    fn a_network_with_many_computations_delays_another_one_by_a_single_turn() {
        let places = Places::new(1);
        let mut first: Waiting<'_> = Box::pin(places.place(network(9)));
        let place = poll(&mut first).unwrap();
        let many = waiting(&places, std::iter::repeat_n(9, 960).chain([1, 2, 1]));
        let turns = turns(place, many);
        assert_eq!(turns[..6], [9, 1, 2, 9, 1, 9]);
        assert_eq!(turns.len(), 963);
        assert!(turns[6..].iter().all(|network| *network == 9));
        let lines = places.lines();
        assert_eq!((lines.free, lines.waiting.len(), lines.order.len()), (1, 0, 0));
    }

    #[test]
    fn those_who_end_leave_their_line_and_pass_their_place_on() {
        let places = Places::new(2);
        let enter = |_| {
            let mut entered: Waiting<'_> = Box::pin(places.place(None));
            poll(&mut entered).unwrap()
        };
        let held = [0; 2].map(enter);
        // The network is not in the order twice.
        (0..100).for_each(|_| drop(waiting(&places, [1, 1])));
        let lines = places.lines();
        assert_eq!((lines.waiting.len(), lines.order.len()), (0, 0));
        drop(lines);
        let mut all = waiting(&places, [1, 2]);
        drop(held);
        // Both have their turn, and the first one ends without looking.
        drop(all.remove(0));
        let place = poll(&mut all[0].1);
        assert!(place.is_some());
        assert_eq!(places.lines().free, 1);
        drop(place);
        assert_eq!(places.lines().free, 2);
    }
}
