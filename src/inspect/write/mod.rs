//! Writes conversations to a pcapng capture, as plain TCP without the layers that carried MQTT.
//!
//! Addresses, ports and times are the original ones. The rest of IP and TCP is synthesised, so that readers find a complete
//! connection: handshake, sequence numbers, acknowledgements and end. Missing bytes stay missing but are acknowledged, so that a
//! reader notices the gap. It appends bytes to a buffer for each event, and does no I/O.

mod pcapng;
mod segment;

use super::Direction;
use super::capture::Moment;
use super::capture::conversation::ConversationEvent;
use super::capture::reassembly::{Close, Start};
use segment::{SegmentFlags, SegmentHeader};
use std::collections::HashMap;
use std::net::SocketAddr;

/// The longest payload of one segment. Larger than on any network, and small enough for IP's length field.
const MAX_SEGMENT: usize = 60_000;

/// The longest step of sequence numbers; a step of half their range would be backward.
const MAX_STEP: u64 = 1 << 30;

/// Turns events into a capture.
#[derive(Debug, Default)]
pub(crate) struct CaptureWriter {
    connections: HashMap<u32, WrittenConnection>,
}

#[derive(Debug)]
struct WrittenConnection {
    client: SocketAddr,
    server: SocketAddr,
    /// The sequence numbers of the next bytes of client and server.
    next: [u32; 2],
    /// The sides whose FIN was written.
    has_sent_fin: [bool; 2],
}

impl CaptureWriter {
    /// Appends the start of a capture.
    pub(crate) fn begin(&self, out: &mut Vec<u8>) {
        pcapng::begin(out);
    }

    /// Appends the frames of an event.
    pub(crate) fn take(&mut self, event: &ConversationEvent<'_>, out: &mut Vec<u8>) {
        if let ConversationEvent::Opened { connection, at, client, server, start, .. } = *event {
            let mut opened = WrittenConnection { client, server, next: [0, 0], has_sent_fin: [false; 2] };
            if matches!(start, Start::Handshake { .. }) {
                opened.write_handshake(at, out);
            }
            self.connections.insert(connection, opened);
            return;
        }
        if let ConversationEvent::Datagram { at, client, gateway, direction, bytes, .. } = *event {
            let [source, destination] = match direction {
                Direction::ClientToServer => [client, gateway],
                Direction::ServerToClient => [gateway, client],
            };
            return pcapng::packet(at.time.unwrap_or(0), &segment::datagram(source, destination, bytes), out);
        }
        let Some(connection) = self.connections.get_mut(&event.connection()) else { return };
        match *event {
            ConversationEvent::Bytes { at, direction, bytes, .. } => {
                connection.write_bytes(at, direction, bytes, out);
            }
            ConversationEvent::Gap { at, direction, length, .. } => {
                connection.skip(at, direction, length, out);
            }
            ConversationEvent::Fin { at, direction, .. } => connection.write_fin(at, direction, out),
            ConversationEvent::Closed { connection: number, at, by, first_fin } => {
                connection.close(at, by, first_fin, out);
                self.connections.remove(&number);
            }
            ConversationEvent::Opened { .. }
            | ConversationEvent::Datagram { .. }
            | ConversationEvent::Lag { .. }
            | ConversationEvent::Conflict { .. }
            | ConversationEvent::ProxyHeader { .. }
            | ConversationEvent::BadFrame { .. }
            | ConversationEvent::Undecryptable { .. }
            | ConversationEvent::OtherProtocol { .. } => {}
        }
    }
}

impl WrittenConnection {
    fn write_handshake(&mut self, at: Moment, out: &mut Vec<u8>) {
        let first = SegmentFlags { is_syn: true, has_acknowledgment: false, ..SegmentFlags::default() };
        self.send(at, Direction::ClientToServer, first, &[], out);
        self.step(Direction::ClientToServer, 1);
        self.send(
            at,
            Direction::ServerToClient,
            SegmentFlags { is_syn: true, ..SegmentFlags::default() },
            &[],
            out,
        );
        self.step(Direction::ServerToClient, 1);
        self.send(at, Direction::ClientToServer, SegmentFlags::default(), &[], out);
    }

    fn write_bytes(&mut self, at: Moment, direction: Direction, bytes: &[u8], out: &mut Vec<u8>) {
        for part in bytes.chunks(MAX_SEGMENT) {
            self.send(at, direction, SegmentFlags { is_push: true, ..SegmentFlags::default() }, part, out);
            self.step(direction, part.len() as u64);
        }
    }

    /// Acknowledges missing bytes.
    fn skip(&mut self, at: Moment, direction: Direction, length: u64, out: &mut Vec<u8>) {
        // An unknown number of bytes is at least one.
        let mut left = length.max(1);
        while left > 0 {
            let step = left.min(MAX_STEP);
            self.step(direction, step);
            self.send(at, opposite(direction), SegmentFlags::default(), &[], out);
            left -= step;
        }
    }

    /// Writes the FIN of a side, unless it has been written.
    fn write_fin(&mut self, at: Moment, direction: Direction, out: &mut Vec<u8>) {
        let Some(has_sent_fin) = self.has_sent_fin.get_mut(direction as usize) else { return };
        if !std::mem::replace(has_sent_fin, true) {
            self.send(at, direction, SegmentFlags { is_fin: true, ..SegmentFlags::default() }, &[], out);
            self.step(direction, 1);
        }
    }

    fn close(&mut self, at: Moment, by: Close<Direction>, first_fin: Option<Direction>, out: &mut Vec<u8>) {
        match by {
            Close::Fin => {
                let first = first_fin.unwrap_or(Direction::ClientToServer);
                for direction in [first, opposite(first)] {
                    self.write_fin(at, direction, out);
                }
                self.send(at, first, SegmentFlags::default(), &[], out);
            }
            Close::Reset(direction) | Close::Refused(direction) => {
                self.send(
                    at,
                    direction,
                    SegmentFlags { is_reset: true, ..SegmentFlags::default() },
                    &[],
                    out,
                );
            }
            Close::Replaced | Close::Evicted | Close::EndOfCapture => {}
        }
    }

    fn send(&self, at: Moment, direction: Direction, flags: SegmentFlags, bytes: &[u8], out: &mut Vec<u8>) {
        let [client_next, server_next] = self.next;
        let header = match direction {
            Direction::ClientToServer => SegmentHeader {
                source: self.client,
                destination: self.server,
                sequence: client_next,
                acknowledgment: server_next,
                flags,
            },
            Direction::ServerToClient => SegmentHeader {
                source: self.server,
                destination: self.client,
                sequence: server_next,
                acknowledgment: client_next,
                flags,
            },
        };
        pcapng::packet(at.time.unwrap_or(0), &header.packet(bytes), out);
    }

    fn step(&mut self, direction: Direction, count: u64) {
        let [client, server] = &mut self.next;
        let next = match direction {
            Direction::ClientToServer => client,
            Direction::ServerToClient => server,
        };
        // Sequence numbers wrap; no step exceeds their range.
        *next = next.wrapping_add(u32::try_from(count).unwrap_or(0));
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::ClientToServer => Direction::ServerToClient,
        Direction::ServerToClient => Direction::ClientToServer,
    }
}
