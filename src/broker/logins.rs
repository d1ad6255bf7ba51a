//! The turns of logins: how many of a user at an address, and of an address, are checked at the same time.
//!
//! A pending check counts as a failure until its result is known. So attempts that arrive together are slowed down as much as attempts
//! one after the other: those beyond the free failures (`guesses`) wait in line. Other users and addresses have lines of their own.

use super::guesses::{Attempt, Guesses, Key, Keys, LONGEST_WAIT};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Instant;
use tokio::sync::oneshot;
use tokio::time::{sleep_until, timeout};

/// The number of logins that may be pending, those included that are being checked.
const MAX_PENDING: usize = 10_000;

/// The pending logins of a broker.
#[derive(Debug, Default)]
pub(super) struct Logins {
    guesses: RefCell<Guesses>,
    /// The lines of users at an address and of addresses, with at least one attempt.
    lines: RefCell<HashMap<Key, Line>>,
    /// The pending attempts of each address.
    pending: RefCell<HashMap<Key, usize>>,
    count: Cell<usize>,
}

#[derive(Debug, Default)]
struct Line {
    /// The number of occupied places.
    occupied: usize,
    /// Attempts without a place. The drop of a sender refuses its attempt.
    waiting: VecDeque<oneshot::Sender<Place>>,
}

impl Logins {
    /// Waits until the attempt may be checked. `None` if it is refused, since too many attempts wait.
    pub(super) async fn turn(self: &Rc<Logins>, attempt: Attempt<'_>) -> Option<Turn> {
        let keys = self.guesses.borrow().keys(attempt);
        let pending = Pending::of(self, keys.address)?;
        let places = timeout(LONGEST_WAIT, self.places(keys)).await.ok().flatten()?;
        Some(Turn { logins: Rc::clone(self), keys, places, pending })
    }

    /// The places of an attempt: at first in the line of the user at this address, then in that of the address, unless the user is
    /// known there.
    async fn places(self: &Rc<Logins>, keys: Keys) -> Option<Vec<Place>> {
        let mut places = vec![self.place(keys.both).await?];
        let now = Instant::now();
        if self.guesses.borrow().is_known(keys, now) {
            return Some(places);
        }
        let delay = self.guesses.borrow().delay_of_user(keys, now);
        if let Some(delay) = delay {
            sleep_until((now + delay).into()).await;
        }
        places.push(self.place(keys.address).await?);
        Some(places)
    }

    /// Waits in a line.
    async fn place(self: &Rc<Logins>, key: Key) -> Option<Place> {
        let place = match self.try_place(key)? {
            Ok(place) => place,
            Err(granted) => granted.await.ok()?,
        };
        let next = self.guesses.borrow().next_turn(key, Instant::now());
        if let Some(next) = next {
            sleep_until(next.into()).await;
        }
        Some(place)
    }

    /// A free place, or an end of the line; `None` if the line is too long.
    fn try_place(self: &Rc<Logins>, key: Key) -> Option<Result<Place, oneshot::Receiver<Place>>> {
        let (places, turns) = self.bounds(key);
        let mut lines = self.lines.borrow_mut();
        let line = lines.entry(key).or_default();
        if line.waiting.is_empty() && line.occupied < places {
            line.occupied += 1;
            return Some(Ok(Place { logins: Rc::clone(self), key }));
        }
        if turns.is_some_and(|turns| line.waiting.len() >= turns) {
            return None;
        }
        let (sender, granted) = oneshot::channel();
        line.waiting.push_back(sender);
        Some(Err(granted))
    }

    /// The number of places of a line, and that of attempts that may wait for one, if it is limited.
    fn bounds(&self, key: Key) -> (usize, Option<usize>) {
        let (guesses, now) = (self.guesses.borrow(), Instant::now());
        (guesses.places(key, now), guesses.turns(key, now))
    }

    /// Gives a place back, refuses the logins that would wait too long, and admits the next ones.
    fn leave(self: &Rc<Logins>, key: Key) {
        let (places, turns) = self.bounds(key);
        let mut lines = self.lines.borrow_mut();
        let Some(line) = lines.get_mut(&key) else { return };
        line.occupied -= 1;
        line.waiting.retain(|waiting| !waiting.is_closed());
        line.waiting.truncate(turns.unwrap_or(usize::MAX));
        let free = places.saturating_sub(line.occupied).min(line.waiting.len());
        line.occupied += free;
        let next: Vec<_> = line.waiting.drain(..free).collect();
        if line.occupied == 0 {
            lines.remove(&key);
        }
        drop(lines);
        for waiting in next {
            // The place of an attempt that ended meanwhile is dropped here, which gives it back.
            let _ = waiting.send(Place { logins: Rc::clone(self), key });
        }
    }
}

/// An attempt that may be checked now. Dropped without a result, it counts as if it had not been made.
#[derive(Debug)]
pub(super) struct Turn {
    logins: Rc<Logins>,
    keys: Keys,
    #[allow(dead_code)] // held for their drops
    places: Vec<Place>,
    #[allow(dead_code)] // held for its drop
    pending: Pending,
}

impl Turn {
    /// Ends with the result of the check.
    pub(super) fn end(self, is_right: bool) {
        let mut guesses = self.logins.guesses.borrow_mut();
        let now = Instant::now();
        if is_right { guesses.succeeded(self.keys, now) } else { guesses.failed(self.keys, now) }
    }
}

/// An occupied place of a line.
#[derive(Debug)]
struct Place {
    logins: Rc<Logins>,
    key: Key,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.logins.leave(self.key);
    }
}

/// A pending attempt of an address. Each address gets at most as many as are left for the others.
#[derive(Debug)]
struct Pending {
    logins: Rc<Logins>,
    address: Key,
}

impl Pending {
    fn of(logins: &Rc<Logins>, address: Key) -> Option<Pending> {
        let mut pending = logins.pending.borrow_mut();
        let own = pending.get(&address).copied().unwrap_or(0);
        if own >= MAX_PENDING.saturating_sub(logins.count.get()) {
            return None;
        }
        pending.insert(address, own + 1);
        logins.count.set(logins.count.get() + 1);
        Some(Pending { logins: Rc::clone(logins), address })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Logins { pending, count, .. } = &*self.logins;
        let mut pending = pending.borrow_mut();
        count.set(count.get() - 1);
        match pending.get_mut(&self.address) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(pending.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    fn from(address: u32, user: &str) -> Attempt<'_> {
        Attempt { network: Some(Ipv4Addr::from_bits(address).into()), user }
    }

    type Waiting<'a> = Pin<Box<dyn Future<Output = Option<Turn>> + 'a>>;

    fn poll(waiting: &mut Waiting<'_>) -> Poll<Option<Turn>> {
        waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    fn in_a_runtime(test: impl AsyncFnOnce(Rc<Logins>)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(test(Rc::default()));
    }

    /// Begins some attempts. Returns those that may be checked now, and those that wait.
    fn begin<'a>(
        logins: &'a Rc<Logins>,
        attempts: impl IntoIterator<Item = Attempt<'a>>,
    ) -> (Vec<Turn>, Vec<Waiting<'a>>) {
        let (mut turns, mut waiting) = (Vec::new(), Vec::new());
        for attempt in attempts {
            let mut future: Waiting<'a> = Box::pin(logins.turn(attempt));
            match poll(&mut future) {
                Poll::Ready(turn) => turns.extend(turn),
                Poll::Pending => waiting.push(future),
            }
        }
        (turns, waiting)
    }

    #[test]
    fn guesses_at_the_same_time_wait_for_the_results_of_the_first_ones() {
        in_a_runtime(async |logins| {
            let (turns, mut waiting) = begin(&logins, (0..100).map(|_| from(1, "ann")));
            assert_eq!((turns.len(), waiting.len()), (5, 95));
            turns.into_iter().for_each(|turn| turn.end(false));
            // The next one is delayed, and so are the others: 40 have their turn in the longest wait.
            let refused = |waiting: &mut Vec<Waiting<'_>>| {
                let polled: Vec<_> = waiting.iter_mut().map(poll).collect();
                assert!(!polled.iter().any(|polled| matches!(polled, Poll::Ready(Some(_)))));
                polled.iter().filter(|polled| polled.is_ready()).count()
            };
            assert_eq!(refused(&mut waiting), 55);
            assert_eq!(logins.count.get(), 40);
            drop(waiting);
            assert_eq!(logins.count.get(), 0);
            assert!(logins.lines.borrow().is_empty() && logins.pending.borrow().is_empty());
        });
    }

    #[test]
    fn right_passwords_at_the_same_time_let_the_next_ones_enter() {
        in_a_runtime(async |logins| {
            let (mut turns, mut waiting) = begin(&logins, (0..100).map(|_| from(1, "ann")));
            let mut checked = 0;
            while let Some(turn) = turns.pop() {
                turn.end(true);
                checked += 1;
                waiting.retain_mut(|future| match poll(future) {
                    Poll::Ready(turn) => {
                        turns.push(turn.unwrap());
                        false
                    }
                    Poll::Pending => true,
                });
                assert!(turns.len() <= 5);
            }
            assert_eq!((checked, waiting.len()), (100, 0));
        });
    }

    #[test]
    fn others_pass_by_the_line_of_a_user_at_an_address() {
        in_a_runtime(async |logins| {
            let (turns, _waiting) = begin(&logins, (0..1000).map(|_| from(1, "ann")));
            assert_eq!(turns.len(), 5);
            let (others, _) = begin(&logins, [from(2, "ann"), from(1, "bob"), from(2, "bob")]);
            assert_eq!(others.len(), 3);
        });
    }

    #[test]
    fn an_address_has_twenty_checks_at_a_time_and_users_who_are_known_there_do_not_count() {
        in_a_runtime(async |logins| {
            logins.turn(from(1, "ann")).await.unwrap().end(true);
            let names: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
            let (turns, waiting) = begin(&logins, names.iter().map(|name| from(1, name)));
            assert_eq!((turns.len(), waiting.len()), (20, 80));
            assert_eq!(begin(&logins, [from(1, "ann"), from(2, "bob")]).0.len(), 2);
            turns.into_iter().for_each(|turn| turn.end(false));
            assert_eq!(begin(&logins, [from(1, "ann"), from(1, "bob")]).0.len(), 1);
        });
    }

    #[test]
    fn an_address_takes_no_more_than_half_of_the_waiting_room() {
        in_a_runtime(async |logins| {
            let (turns, waiting) = begin(&logins, (0..2 * MAX_PENDING).map(|_| from(1, "ann")));
            assert_eq!(turns.len() + waiting.len(), MAX_PENDING / 2);
            let (second, waiting_too) = begin(&logins, (0..2 * MAX_PENDING).map(|_| from(2, "ann")));
            assert_eq!(second.len() + waiting_too.len(), MAX_PENDING / 4);
            assert!(logins.turn(from(3, "ann")).await.is_some());
        });
    }
}
