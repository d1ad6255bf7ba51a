//! Messages of QoS -1 from clients without a connection: published over one connection of the gateway itself, which the first
//! such message opens.

use super::Event;
use super::link::Link;
use crate::protocol::{Packet, Publish, Version};
use std::rc::Rc;
use std::time::{Duration, Instant};

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
    /// Publishes a message, over a connection from `open` if there is none. Returns an event if earlier messages were dropped.
    pub(super) fn publish(
        &mut self,
        publish: &Publish<'_>,
        version: Version,
        now: Instant,
        open: impl FnOnce() -> Rc<Link>,
    ) -> Option<Event> {
        if let Some((end, _)) = &self.paused
            && now < *end
        {
            self.dropped += 1;
            return None;
        }
        let link = self.link.get_or_insert_with(open);
        if link.is_congested() {
            self.dropped += 1;
        } else {
            let mut packets = Vec::new();
            // The size was checked, as it came in a datagram.
            let _ = Packet::Publish(*publish).encode(version, &mut packets);
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
