//! Events with their bytes in one piece, so that another thread can take them.

use super::ConversationEvent;
use crate::inspect::Direction;
use crate::inspect::capture::Moment;
use std::net::SocketAddr;

/// A batch with this many bytes or events is full.
const MAX_BYTES: usize = 128 << 10;
const MAX_EVENTS: usize = 1 << 10;

/// Events in order. Its memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    events: Vec<BatchedEvent>,
    /// The bytes of all events, one after the other.
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum BatchedEvent {
    Bytes {
        connection: u32,
        at: Moment,
        direction: Direction,
        offset: u64,
        stream_offset: u64,
        length: usize,
    },
    Datagram {
        connection: u32,
        at: Moment,
        /// Client and gateway.
        ends: Box<[SocketAddr; 2]>,
        direction: Direction,
        length: usize,
        missing: usize,
    },
    /// Boxed, since it is larger and rarer.
    Other(Box<ConversationEvent<'static>>),
}

impl Batch {
    pub(crate) fn push(&mut self, event: ConversationEvent<'_>) {
        use ConversationEvent as Event;
        let other = match event {
            Event::Bytes { connection, at, direction, offset, stream_offset, bytes } => {
                self.bytes.extend_from_slice(bytes);
                let length = bytes.len();
                let event = BatchedEvent::Bytes { connection, at, direction, offset, stream_offset, length };
                return self.events.push(event);
            }
            Event::Datagram { connection, at, client, gateway, direction, bytes, missing } => {
                self.bytes.extend_from_slice(bytes);
                let (ends, length) = (Box::new([client, gateway]), bytes.len());
                let event = BatchedEvent::Datagram { connection, at, ends, direction, length, missing };
                return self.events.push(event);
            }
            Event::Opened { connection, at, client, server, transport, start } => {
                Event::Opened { connection, at, client, server, transport, start }
            }
            Event::Gap { connection, at, direction, offset, length } => {
                Event::Gap { connection, at, direction, offset, length }
            }
            Event::Conflict { connection, at, direction, stream_offset, length } => {
                Event::Conflict { connection, at, direction, stream_offset, length }
            }
            Event::Lag { connection, at, direction } => Event::Lag { connection, at, direction },
            Event::ProxyHeader { connection, at, proxy, header } => {
                Event::ProxyHeader { connection, at, proxy, header }
            }
            Event::BadFrame { connection, at, direction, stream_offset, fault } => {
                Event::BadFrame { connection, at, direction, stream_offset, fault }
            }
            Event::Undecryptable { connection, at, direction, stream_offset, reason } => {
                Event::Undecryptable { connection, at, direction, stream_offset, reason }
            }
            Event::OtherProtocol { connection, at, client, server, protocol } => {
                Event::OtherProtocol { connection, at, client, server, protocol }
            }
            Event::Fin { connection, at, direction } => Event::Fin { connection, at, direction },
            Event::Closed { connection, at, by, first_fin } => {
                Event::Closed { connection, at, by, first_fin }
            }
        };
        self.events.push(BatchedEvent::Other(Box::new(other)));
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= MAX_BYTES || self.events.len() >= MAX_EVENTS
    }

    /// Removes the events, and emits them in order.
    pub(crate) fn drain(&mut self, mut emit: impl FnMut(&ConversationEvent<'_>)) {
        use ConversationEvent as Event;
        let mut rest = self.bytes.as_slice();
        let mut take = |length: usize| {
            let (bytes, following) = rest.split_at(length.min(rest.len()));
            rest = following;
            bytes
        };
        for event in self.events.drain(..) {
            match event {
                BatchedEvent::Bytes { connection, at, direction, offset, stream_offset, length } => {
                    let bytes = take(length);
                    emit(&Event::Bytes { connection, at, direction, offset, stream_offset, bytes });
                }
                BatchedEvent::Datagram { connection, at, ends, direction, length, missing } => {
                    let ([client, gateway], bytes) = (*ends, take(length));
                    emit(&Event::Datagram { connection, at, client, gateway, direction, bytes, missing });
                }
                BatchedEvent::Other(event) => emit(&event),
            }
        }
        self.bytes.clear();
    }
}
