//! Messages of QoS -1 from clients without a connection: published over one connection of the gateway itself, which the first
//! such message opens.

use super::Event;
use super::link::{CONGESTED, Link};
use crate::protocol::session::Limits;
use crate::protocol::{Packet, Publish, Version};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The pause after a connection that failed or ended. Messages are dropped meanwhile.
const PAUSE: Duration = Duration::from_secs(1);

/// The reason for drops on a connection.
const DROPPED: &str = "the broker does not keep up, or does not accept their size or RETAIN";

/// The connection for messages of QoS -1.
#[derive(Debug, Default)]
pub(super) struct Unconnected {
    link: Option<Rc<Link>>,
    /// Packets that wait for the broker to accept the connection.
    waiting: Vec<Vec<u8>>,
    waiting_bytes: usize,
    /// The broker's limits once it has accepted the connection.
    accepts: Option<Limits>,
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
        let link = Rc::clone(self.link.get_or_insert_with(open));
        let mut packet = Vec::new();
        // The size was checked, as it came in a datagram.
        let _ = Packet::Publish(*publish).encode(version, &mut packet);
        match &self.accepts {
            None if self.waiting_bytes < CONGESTED => {
                self.waiting_bytes += packet.len();
                self.waiting.push(packet);
            }
            Some(limits) if takes(limits, publish.retain, &packet) && !link.is_congested() => {
                link.send(&mut packet);
            }
            None | Some(_) => self.dropped += 1,
        }
        let reason = self.paused.take().map_or_else(|| DROPPED.to_owned(), |(_, reason)| reason);
        self.take_dropped(reason)
    }

    pub(super) fn link(&self) -> Option<&Rc<Link>> {
        self.link.as_ref()
    }

    /// The broker has accepted the connection. Returns an event if it does not take some of the messages that waited.
    pub(super) fn accept(&mut self, limits: &Limits) -> Option<Event> {
        self.accepts = Some(*limits);
        self.waiting_bytes = 0;
        for mut packet in std::mem::take(&mut self.waiting) {
            let is_retained = packet.first().is_some_and(|first| first & 1 == 1);
            match &self.link {
                Some(link) if takes(limits, is_retained, &packet) => link.send(&mut packet),
                _ => self.dropped += 1,
            }
        }
        self.take_dropped(DROPPED.to_owned())
    }

    /// The connection failed or ended. Returns an event if messages were dropped.
    pub(super) fn pause(&mut self, reason: String, now: Instant) -> Option<Event> {
        self.dropped += std::mem::take(&mut self.waiting).len() as u64;
        (self.link, self.accepts, self.waiting_bytes) = (None, None, 0);
        self.paused = Some((now + PAUSE, reason.clone()));
        self.take_dropped(reason)
    }

    fn take_dropped(&mut self, reason: String) -> Option<Event> {
        let count = std::mem::take(&mut self.dropped);
        (count > 0).then_some(Event::UnconnectedDropped { count, reason })
    }
}

/// Whether the broker accepts the packet, according to its CONNACK.
fn takes(limits: &Limits, is_retained: bool, packet: &[u8]) -> bool {
    packet.len() <= limits.maximum_packet_size as usize && (limits.retain_available || !is_retained)
}
