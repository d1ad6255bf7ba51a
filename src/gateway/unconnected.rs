//! Messages of QoS -1 from clients without a connection: published over one connection of the gateway itself, which the first
//! such message opens.

use super::Event;
use super::broker_connection::{Owner, serve};
use super::link::Link;
use super::state::Shared;
use crate::client::{self, Options, Terms};
use crate::protocol::{Packet, Publish};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::spawn_local;

/// The pause after a connection that failed or ended. Messages are dropped meanwhile.
const PAUSE: Duration = Duration::from_secs(1);

/// The connection for messages of QoS -1.
#[derive(Debug, Default)]
pub(super) struct Unconnected {
    link: Option<Rc<Link>>,
    /// Messages that wait for the broker to accept the connection.
    waiting: u64,
    is_accepted: bool,
    /// The end of the pause, and the reason for it.
    paused: Option<(Instant, String)>,
    dropped: u64,
}

impl Unconnected {
    /// Publishes a message. Returns an event if earlier messages were dropped.
    pub(super) fn publish(
        &mut self,
        publish: &Publish<'_>,
        options: &Options,
        shared: &Shared,
        now: Instant,
    ) -> Option<Event> {
        if let Some((end, _)) = &self.paused
            && now < *end
        {
            self.dropped += 1;
            return None;
        }
        let link = self.link.get_or_insert_with(|| open(options, shared));
        if link.is_congested() {
            self.dropped += 1;
        } else {
            let mut packets = Vec::new();
            // The size was checked, as it came in a datagram.
            let _ = Packet::Publish(*publish).encode(options.version, &mut packets);
            link.send(&mut packets);
            self.waiting += u64::from(!self.is_accepted);
        }
        let reason = self.paused.take().map_or_else(|| "congestion".to_owned(), |(_, reason)| reason);
        let count = std::mem::take(&mut self.dropped);
        (count > 0).then_some(Event::UnconnectedDropped { count, reason })
    }

    pub(super) fn link(&self) -> Option<&Rc<Link>> {
        self.link.as_ref()
    }

    pub(super) fn accept(&mut self) {
        (self.is_accepted, self.waiting) = (true, 0);
    }

    /// The connection failed or ended. Returns an event if messages were dropped.
    pub(super) fn pause(&mut self, reason: String, now: Instant) -> Option<Event> {
        (self.link, self.is_accepted) = (None, false);
        self.paused = Some((now + PAUSE, reason.clone()));
        let count = std::mem::take(&mut self.waiting) + std::mem::take(&mut self.dropped);
        (count > 0).then_some(Event::UnconnectedDropped { count, reason })
    }
}

fn open(options: &Options, shared: &Shared) -> Rc<Link> {
    let client_id: String = "mq-gateway-".chars().chain((0..10).map(|_| fastrand::alphanumeric())).collect();
    let options = Options { client_id, clean_start: true, will: None, ..options.clone() };
    let link = Rc::new(Link::default());
    let owner = UnconnectedOwner { shared: Rc::clone(shared) };
    spawn_local(serve(owner, Rc::clone(&link), Box::new(options), None));
    link
}

struct UnconnectedOwner {
    shared: Shared,
}

impl Owner for UnconnectedOwner {
    fn accepted(&self, _: &Rc<Link>, _: &Terms) {
        self.shared.borrow_mut().unconnected_accepted();
    }

    fn refused(&self, _: &Rc<Link>, error: &client::Error) {
        self.shared.borrow_mut().unconnected_ended(error.to_string(), Instant::now());
    }

    fn receive(&self, _: &Packet<'_>) {}

    fn has_room(&self) -> bool {
        true
    }

    fn lost(&self, _: &Rc<Link>, reason: String) {
        self.shared.borrow_mut().unconnected_ended(reason, Instant::now());
    }
}
