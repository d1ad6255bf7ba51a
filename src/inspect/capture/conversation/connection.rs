//! Follows one connection from TCP bytes to MQTT.

use super::super::reassembly::{Close, Side, Start};
use super::detect::{Detection, Evidence};
use super::ports;
use super::tls::{Chunk, Decryptor, Plain, Session, Undecryptable};
use super::undecided::{ReplayedEntry, StreamPart, Undecided};
use super::web_socket::{Unwrapped, Unwrapper};
use super::{ConversationEvent, Direction, OtherProtocol, Transport};
use crate::inspect::capture::Moment;
use crate::protocol::{ProxyFault, ProxyHeader};
use std::net::SocketAddr;

/// The most bytes that all connections together may hold while their protocols are undecided.
const MAX_UNDECIDED: usize = 16 << 20;

#[derive(Default)]
pub(super) struct Shared {
    decryptor: Option<Box<dyn Decryptor>>,
    /// Bytes held by connections whose protocol is undecided.
    undecided: usize,
    /// Scratch buffer for unmasking.
    room: Vec<u8>,
}

impl Shared {
    pub(super) fn new(decryptor: Option<Box<dyn Decryptor>>) -> Shared {
        Shared { decryptor, ..Shared::default() }
    }
}

/// A connection that may still produce events. There may be many, so rarely used state is in a box.
pub(super) struct Conversation {
    number: u32,
    /// The side that sent the first FIN.
    first_fin: Option<Side>,
    /// `None` once MQTT was found outside TLS, unless there are FINs to emit.
    opening: Option<Box<Opening>>,
    encryption: Option<Box<Encryption>>,
    state: ConversationState,
}

/// The beginning of a connection.
#[derive(Clone, Copy)]
struct Opening {
    opened: Moment,
    ends: [SocketAddr; 2],
    start: Start,
    proxied: Option<Proxied>,
    /// FINs that are emitted at the end, because bytes before them may still be held.
    held_fins: Pair<Option<Moment>>,
}

/// The PROXY protocol header that preceded the connection's bytes.
#[derive(Debug, Clone, Copy)]
struct Proxied {
    side: Side,
    at: Moment,
    header: Result<ProxyHeader, ProxyFault>,
}

/// TLS that a decryptor reads.
struct Encryption {
    client: Side,
    server_name: Option<String>,
    /// `None` while it reads, and after it was closed.
    session: Option<Box<dyn Session>>,
    /// The number of bytes received of each side's TCP stream.
    stream_offsets: Pair<u64>,
    /// Unreadable directions, held until the conversation that they belong to is opened.
    unreadable: Vec<Unreadable>,
}

/// A direction that cannot be read any further.
struct Unreadable {
    side: Side,
    at: Moment,
    stream_offset: u64,
    reason: Undecryptable,
}

enum ConversationState {
    Undecided(Box<Undecided>),
    Mqtt(Mqtt),
    Over,
}

/// An MQTT conversation.
struct Mqtt {
    client: Side,
    /// `None` if the TCP streams consist of MQTT.
    layers: Option<Box<Layers>>,
}

/// The layers between TCP and MQTT.
struct Layers {
    /// The number of MQTT bytes of each side.
    offsets: Pair<u64>,
    frames: Option<Pair<Frames>>,
}

/// One side of a WebSocket.
struct Frames {
    /// The remaining bytes of the HTTP head before the frames.
    head: usize,
    unwrapper: Unwrapper,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pair<T> {
    a: T,
    b: T,
}

impl<T> Pair<T> {
    fn of(&mut self, side: Side) -> &mut T {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }
}

impl Conversation {
    pub(super) fn new(number: u32, opened: Moment, ends: [SocketAddr; 2], start: Start) -> Conversation {
        Conversation {
            number,
            first_fin: None,
            opening: Some(Box::new(Opening {
                opened,
                ends,
                start,
                proxied: None,
                held_fins: Pair::default(),
            })),
            encryption: None,
            state: ConversationState::Undecided(Box::default()),
        }
    }

    /// Whether all events have been emitted.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, ConversationState::Over)
    }

    /// Takes the next part of one side's TCP stream.
    pub(super) fn receive(
        &mut self,
        part: &StreamPart<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        self.read(part, shared, emit);
    }

    /// Reports retransmitted bytes that differ from the first ones.
    pub(super) fn conflict(
        &mut self,
        side: Side,
        at: Moment,
        stream_offset: u64,
        length: u64,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        match &mut self.state {
            ConversationState::Undecided(undecided) => {
                let cost = undecided.cost();
                undecided.add_conflict(side, at, stream_offset, length);
                shared.undecided += undecided.cost() - cost;
            }
            ConversationState::Mqtt(mqtt) => {
                let (connection, direction) = (self.number, direction(side, mqtt.client));
                emit(ConversationEvent::Conflict { connection, at, direction, stream_offset, length });
            }
            ConversationState::Over => {}
        }
    }

    /// Reports that the other side acknowledged more than was captured. Ignored until the protocol is known.
    pub(super) fn lag(&mut self, side: Side, at: Moment, emit: &mut impl FnMut(ConversationEvent<'_>)) {
        if let ConversationState::Mqtt(mqtt) = &self.state {
            emit(ConversationEvent::Lag {
                connection: self.number,
                at,
                direction: direction(side, mqtt.client),
            });
        }
    }

    /// Takes the FIN of one side.
    pub(super) fn fin(&mut self, side: Side, at: Moment, emit: &mut impl FnMut(ConversationEvent<'_>)) {
        self.first_fin.get_or_insert(side);
        match &self.state {
            ConversationState::Mqtt(mqtt) if self.encryption.is_none() => {
                let (connection, direction) = (self.number, direction(side, mqtt.client));
                emit(ConversationEvent::Fin { connection, at, direction });
            }
            ConversationState::Mqtt(_) | ConversationState::Undecided(_) => {
                if let Some(opening) = &mut self.opening {
                    opening.held_fins.of(side).get_or_insert(at);
                }
            }
            ConversationState::Over => {}
        }
    }

    /// Handles the end of the connection.
    pub(super) fn close(
        &mut self,
        at: Moment,
        by: Close,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        self.close_session(at, shared, emit);
        // The decrypted bytes need another decision.
        while let ConversationState::Undecided(undecided) = &self.state {
            match undecided.is_empty() {
                true => self.end_in_silence(at, by, shared, emit),
                false => self.decide(at, true, shared, emit),
            }
        }
        if let ConversationState::Mqtt(mqtt) = &self.state {
            let by = match by {
                Close::Reset(side) => Close::Reset(direction(side, mqtt.client)),
                Close::Refused(side) => Close::Refused(direction(side, mqtt.client)),
                Close::Fin => Close::Fin,
                Close::Replaced => Close::Replaced,
                Close::Evicted => Close::Evicted,
                Close::EndOfCapture => Close::EndOfCapture,
            };
            let connection = self.number;
            for (side, at) in self.opening.as_ref().map(|opening| opening.held_fins()).unwrap_or_default() {
                let direction = direction(side, mqtt.client);
                emit(ConversationEvent::Fin { connection, at, direction });
            }
            let first_fin = self.first_fin.map(|side| direction(side, mqtt.client));
            emit(ConversationEvent::Closed { connection, at, by, first_fin });
        }
        self.state = ConversationState::Over;
    }

    /// Reads a part, decrypting it if necessary.
    fn read(
        &mut self,
        part: &StreamPart<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        let Some(encryption) = &mut self.encryption else { return self.read_plain(part, shared, emit) };
        let received = encryption.stream_offsets.of(part.side);
        *received = (*received).max(part.stream_offset + part.chunk.length());
        let mut stream_offsets = encryption.stream_offsets;
        let (client, Some(mut session)) = (encryption.client, encryption.session.take()) else { return };
        let from = direction(part.side, client);
        let result = session.receive(from, part.at, part.chunk, &mut |direction, plain| {
            let side = side(direction, client);
            let stream_offset = if side == part.side { part.stream_offset } else { *stream_offsets.of(side) };
            self.take_plain(side, part.at, stream_offset, plain, shared, emit);
        });
        match (result, &self.state) {
            (Ok(()), _) | (Err(_), ConversationState::Over) => {}
            (Err(reason), ConversationState::Undecided(_)) => {
                self.end_undecrypted(part.at, Some(reason), shared, emit);
            }
            // The conversation goes on without bytes, up to its end.
            (Err(reason), ConversationState::Mqtt(mqtt)) => {
                for side in [Side::A, Side::B] {
                    let (at, stream_offset, reason) = (part.at, *stream_offsets.of(side), reason.clone());
                    emit(Unreadable { side, at, stream_offset, reason }.event(self.number, mqtt.client));
                }
                return;
            }
        }
        if let Some(encryption) = &mut self.encryption {
            encryption.session = Some(session);
        }
    }

    /// Closes the decryptor's session, which emits the bytes that became readable and the reason for the rest.
    fn close_session(
        &mut self,
        at: Moment,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        let Some(encryption) = &mut self.encryption else { return };
        let mut stream_offsets = encryption.stream_offsets;
        let (client, Some(mut session)) = (encryption.client, encryption.session.take()) else { return };
        session.close(&mut |direction, plain| {
            let side = side(direction, client);
            let stream_offset = *stream_offsets.of(side);
            self.take_plain(side, at, stream_offset, plain, shared, emit);
        });
    }

    fn take_plain(
        &mut self,
        side: Side,
        at: Moment,
        stream_offset: u64,
        plain: Plain<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        match plain {
            Plain::Bytes(bytes) => {
                let chunk = Chunk::Bytes(bytes);
                self.read_plain(&StreamPart { side, at, stream_offset, chunk }, shared, emit);
            }
            Plain::Gap(length) => {
                let chunk = Chunk::Gap(length);
                self.read_plain(&StreamPart { side, at, stream_offset, chunk }, shared, emit);
            }
            Plain::Unreadable(reason) => {
                self.mark_unreadable(Unreadable { side, at, stream_offset, reason }, shared, emit);
            }
        }
    }

    /// Handles a direction that cannot be read any further. If neither direction can, and nothing was read, the connection is
    /// given up.
    fn mark_unreadable(
        &mut self,
        unreadable: Unreadable,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        match (&self.state, &mut self.encryption) {
            (ConversationState::Mqtt(mqtt), _) => emit(unreadable.event(self.number, mqtt.client)),
            (ConversationState::Undecided(undecided), Some(encryption)) => {
                let at = unreadable.at;
                encryption.unreadable.push(unreadable);
                if encryption.unreadable.len() > 1 && undecided.is_empty() {
                    self.end_undecrypted(at, None, shared, emit);
                }
            }
            _ => {}
        }
    }

    fn read_plain(
        &mut self,
        part: &StreamPart<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        match &mut self.state {
            ConversationState::Over => {}
            ConversationState::Mqtt(mqtt) => mqtt.read(self.number, part, &mut shared.room, emit),
            ConversationState::Undecided(undecided) => {
                let cost = undecided.cost();
                undecided.add(part);
                shared.undecided += undecided.cost() - cost;
                let is_final = undecided.is_full() || shared.undecided > MAX_UNDECIDED;
                self.decide(part.at, is_final, shared, emit);
            }
        }
    }

    /// Tries to detect the protocol, and continues with the held bytes.
    fn decide(
        &mut self,
        at: Moment,
        is_final: bool,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        let (ConversationState::Undecided(undecided), Some(opening)) = (&self.state, &self.opening) else {
            return;
        };
        let evidence = Evidence {
            undecided,
            start: opening.start,
            ports: opening.ends.map(|end| end.port()),
            is_final,
            proxy: opening.proxied.map(|proxied| proxied.side),
            may_be_proxied: opening.proxied.is_none() && self.encryption.is_none(),
        };
        let (detection, fallback_client) = (evidence.detect(), evidence.client());
        if detection == Detection::Wait && !is_final {
            return;
        }
        let undecided = self.take_undecided(shared);
        let mut left_out = None;
        match detection {
            Detection::Mqtt { client } => self.open(client, None, emit),
            Detection::ProxyHeader { client, header, length } => {
                if let Some(opening) = &mut self.opening {
                    opening.proxied = Some(Proxied { side: client, at, header });
                }
                self.state = ConversationState::Undecided(Box::default());
                left_out = Some((client, length as u64));
            }
            Detection::WebSocket { client, heads, fault } => {
                self.open(client, Some(heads), emit);
                if let Some(fault) = fault {
                    let (connection, direction) = (self.number, fault.sender());
                    emit(ConversationEvent::BadFrame { connection, at, direction, stream_offset: 0, fault });
                }
            }
            Detection::Tls { client, server_name } => {
                self.decrypt(at, client, server_name, &undecided, shared, emit);
            }
            Detection::OtherProtocol { client, protocol } => self.end(at, client, protocol, emit),
            Detection::Wait => self.end(at, fallback_client, OtherProtocol::Unknown, emit),
        }
        for entry in undecided.replay() {
            match entry {
                ReplayedEntry::StreamPart(part) => {
                    if let Some(part) = without(part, left_out) {
                        self.replay(&part, shared, emit);
                    }
                }
                ReplayedEntry::Conflict { side, at, stream_offset, length } => {
                    self.conflict(side, at, stream_offset, length, shared, emit);
                }
            }
        }
    }

    /// Reads a held part again, without decrypting it a second time.
    fn replay(
        &mut self,
        part: &StreamPart<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        match self.state {
            ConversationState::Mqtt(_) => self.read_plain(part, shared, emit),
            ConversationState::Undecided(_) => self.read(part, shared, emit),
            ConversationState::Over => {}
        }
    }

    /// Takes the held bytes out of the state, which is over until another one is set.
    fn take_undecided(&mut self, shared: &mut Shared) -> Box<Undecided> {
        match std::mem::replace(&mut self.state, ConversationState::Over) {
            ConversationState::Undecided(undecided) => {
                shared.undecided -= undecided.cost();
                undecided
            }
            ConversationState::Mqtt(_) | ConversationState::Over => Box::default(),
        }
    }

    fn open(
        &mut self,
        client: Side,
        heads: Option<[usize; 2]>,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        let Some(opening) = self.opening.as_deref().copied() else { return };
        let frames = heads.map(|[a, b]| {
            let frames = |head, side| Frames { head, unwrapper: Unwrapper::new(direction(side, client)) };
            Pair { a: frames(a, Side::A), b: frames(b, Side::B) }
        });
        let transport =
            Transport { is_encrypted: self.encryption.is_some(), is_web_socket: frames.is_some() };
        let Opening { opened: at, start, proxied, .. } = opening;
        let connection = self.number;
        let (client_address, server) = opening.addresses(client);
        emit(ConversationEvent::Opened { connection, at, client: client_address, server, transport, start });
        if let Some(Proxied { at, header, .. }) = proxied {
            let proxy = opening.ends_of(client).0;
            emit(ConversationEvent::ProxyHeader { connection, at, proxy, header });
        }
        let unreadable =
            self.encryption.as_mut().map(|encryption| std::mem::take(&mut encryption.unreadable));
        for unreadable in unreadable.unwrap_or_default() {
            emit(unreadable.event(connection, client));
        }
        let is_layered = frames.is_some() || proxied.is_some() || self.encryption.is_some();
        let layers = is_layered.then(|| Box::new(Layers { offsets: Pair::default(), frames }));
        if self.encryption.is_none() && opening.held_fins().is_empty() {
            self.opening = None;
        }
        self.state = ConversationState::Mqtt(Mqtt { client, layers });
    }

    /// Offers the connection to the decryptor; if it accepts, detection starts again with the decrypted bytes.
    fn decrypt(
        &mut self,
        at: Moment,
        client: Side,
        server_name: Option<String>,
        undecided: &Undecided,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        let is_new = self.encryption.is_none();
        let decryptor = shared.decryptor.as_mut().filter(|_| is_new);
        match decryptor.map(|decryptor| decryptor.session(self.number, undecided.prefix(client))) {
            Some(Ok(session)) => {
                self.encryption = Some(Box::new(Encryption {
                    client,
                    server_name,
                    session: Some(session),
                    stream_offsets: Pair { a: undecided.end(Side::A), b: undecided.end(Side::B) },
                    unreadable: Vec::new(),
                }));
                self.state = ConversationState::Undecided(Box::default());
            }
            Some(Err(reason)) => {
                self.end(at, client, OtherProtocol::Tls { server_name, reason: Some(reason) }, emit);
            }
            None => self.end(at, client, OtherProtocol::Tls { server_name, reason: None }, emit),
        }
    }

    fn end(
        &mut self,
        at: Moment,
        client: Side,
        protocol: OtherProtocol,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        self.state = ConversationState::Over;
        let connection = self.number;
        if let Some(opening) = &self.opening {
            let (client, server) = opening.addresses(client);
            emit(ConversationEvent::OtherProtocol { connection, at, client, server, protocol });
        }
    }

    /// Gives up a connection whose TLS cannot be decrypted, for this reason or else for the first one found.
    fn end_undecrypted(
        &mut self,
        at: Moment,
        reason: Option<Undecryptable>,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        self.take_undecided(shared);
        if let Some(Encryption { client, server_name, unreadable, .. }) = self.encryption.as_deref_mut() {
            let first =
                || unreadable.first().map_or(Undecryptable::Silent, |unreadable| unreadable.reason.clone());
            let reason = Some(reason.unwrap_or_else(first));
            let (client, server_name) = (*client, server_name.take());
            self.end(at, client, OtherProtocol::Tls { server_name, reason }, emit);
        }
    }

    /// Handles the end of a connection without readable bytes.
    fn end_in_silence(
        &mut self,
        at: Moment,
        by: Close,
        shared: &mut Shared,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        if self.encryption.is_some() {
            return self.end_undecrypted(at, None, shared, emit);
        }
        let Some(opening) = self.opening.as_deref().copied() else {
            self.state = ConversationState::Over;
            return;
        };
        let [a, b] = opening.ends;
        let client = match opening.start {
            Start::Handshake { initiator } => initiator,
            Start::Midway => ports::server(a.port(), b.port()).other(),
        };
        let protocol = match by {
            Close::Refused(side) if side == client.other() => {
                let port = opening.ends_of(client).1.port();
                OtherProtocol::Refused { expects_mqtt: ports::usage(port).is_some() }
            }
            _ => OtherProtocol::Silent,
        };
        self.end(at, client, protocol, emit);
    }
}

impl Opening {
    /// The held FINs in the order of their frames.
    fn held_fins(&self) -> Vec<(Side, Moment)> {
        let Pair { a, b } = self.held_fins;
        let mut fins: Vec<_> =
            [(Side::A, a), (Side::B, b)].into_iter().filter_map(|(side, at)| Some((side, at?))).collect();
        fins.sort_by_key(|(_, at)| at.frame);
        fins
    }

    /// The addresses of client and server. A PROXY header may replace the client's.
    fn addresses(&self, client: Side) -> (SocketAddr, SocketAddr) {
        let (peer, server) = self.ends_of(client);
        let stated = self.proxied.and_then(|proxied| proxied.header.ok()?.addresses);
        (stated.map_or(peer, |(client, _)| client), server)
    }

    /// The addresses of the TCP connection, the client's first.
    fn ends_of(&self, client: Side) -> (SocketAddr, SocketAddr) {
        let [a, b] = self.ends;
        match client {
            Side::A => (a, b),
            Side::B => (b, a),
        }
    }
}

/// The rest of a part after removing a header that ends at a given offset of its side's stream.
fn without<'p>(part: StreamPart<'p>, left_out: Option<(Side, u64)>) -> Option<StreamPart<'p>> {
    let (Some((side, end)), Chunk::Bytes(bytes)) = (left_out, part.chunk) else { return Some(part) };
    if side != part.side || part.stream_offset >= end {
        return Some(part);
    }
    let skipped = end - part.stream_offset;
    let rest = bytes.get(usize::try_from(skipped).ok()?..).filter(|rest| !rest.is_empty())?;
    Some(StreamPart { stream_offset: part.stream_offset + skipped, chunk: Chunk::Bytes(rest), ..part })
}

impl Unreadable {
    fn event(self, connection: u32, client: Side) -> ConversationEvent<'static> {
        let Unreadable { side, at, stream_offset, reason } = self;
        ConversationEvent::Undecryptable {
            connection,
            at,
            direction: direction(side, client),
            stream_offset,
            reason,
        }
    }
}

impl Mqtt {
    fn read(
        &mut self,
        connection: u32,
        part: &StreamPart<'_>,
        room: &mut Vec<u8>,
        emit: &mut impl FnMut(ConversationEvent<'_>),
    ) {
        let StreamPart { side, at, stream_offset, chunk } = *part;
        let direction = direction(side, self.client);
        let Some(layers) = &mut self.layers else {
            let offset = stream_offset;
            return emit(match chunk {
                Chunk::Bytes(bytes) => {
                    ConversationEvent::Bytes { connection, at, direction, offset, stream_offset, bytes }
                }
                Chunk::Gap(length) => ConversationEvent::Gap { connection, at, direction, offset, length },
            });
        };
        let Layers { offsets, frames } = &mut **layers;
        let next_offset = offsets.of(side);
        let mut emit_unwrapped = |unwrapped: Unwrapped<'_>| {
            let offset = *next_offset;
            *next_offset += unwrapped.length();
            emit(match unwrapped {
                Unwrapped::Bytes { stream_offset, bytes } => {
                    ConversationEvent::Bytes { connection, at, direction, offset, stream_offset, bytes }
                }
                Unwrapped::Gap(length) => {
                    ConversationEvent::Gap { connection, at, direction, offset, length }
                }
                Unwrapped::Fault { stream_offset, fault } => {
                    ConversationEvent::BadFrame { connection, at, direction, stream_offset, fault }
                }
            });
        };
        match (frames, chunk) {
            (Some(frames), _) => frames.of(side).read(chunk, stream_offset, room, &mut emit_unwrapped),
            (None, Chunk::Bytes(bytes)) => emit_unwrapped(Unwrapped::Bytes { stream_offset, bytes }),
            (None, Chunk::Gap(length)) => emit_unwrapped(Unwrapped::Gap(length)),
        }
    }
}

impl Frames {
    /// Skips the HTTP head.
    fn read(
        &mut self,
        chunk: Chunk<'_>,
        stream_offset: u64,
        room: &mut Vec<u8>,
        emit: &mut impl FnMut(Unwrapped<'_>),
    ) {
        let (chunk, skipped) = match chunk {
            Chunk::Bytes(bytes) => {
                let skipped = self.head.min(bytes.len());
                self.head -= skipped;
                (Chunk::Bytes(bytes.get(skipped..).unwrap_or_default()), skipped)
            }
            gap @ Chunk::Gap(_) => (gap, 0),
        };
        if !matches!(chunk, Chunk::Bytes([])) {
            self.unwrapper.receive(chunk, stream_offset + skipped as u64, room, emit);
        }
    }
}

fn direction(side: Side, client: Side) -> Direction {
    if side == client { Direction::ClientToServer } else { Direction::ServerToClient }
}

fn side(direction: Direction, client: Side) -> Side {
    match direction {
        Direction::ClientToServer => client,
        Direction::ServerToClient => client.other(),
    }
}
