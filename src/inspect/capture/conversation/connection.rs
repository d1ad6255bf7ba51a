//! Follows one connection from TCP bytes to MQTT.

use super::super::reassembly::{Close, Side, Start};
use super::detect::{Verdict, View};
use super::ports::Ports;
use super::tls::{Chunk, Decryptor, Plain, Session, Undecryptable};
use super::undecided::{Held, Part, Replay};
use super::web_socket::{Unwrapped, Unwrapper};
use super::{Direction, Event, Foreign, Transport};
use crate::inspect::capture::Moment;
use crate::protocol::{ProxyFault, ProxyHeader};
use std::net::SocketAddr;

/// The most bytes that all connections together may hold while their protocols are undecided.
const MAX_HELD: usize = 16 << 20;

/// State shared by all connections.
#[derive(Default)]
pub(super) struct Shared {
    ports: Ports,
    decryptor: Option<Box<dyn Decryptor>>,
    /// Bytes held by connections whose protocol is undecided.
    held: usize,
    /// Scratch buffer for unmasking.
    room: Vec<u8>,
}

impl Shared {
    pub(super) fn new(ports: Ports, decryptor: Option<Box<dyn Decryptor>>) -> Shared {
        Shared { ports, decryptor, ..Shared::default() }
    }
}

/// A connection that may still produce events.
pub(super) struct Talk {
    number: u32,
    opened: Moment,
    ends: [SocketAddr; 2],
    start: Start,
    /// The number of bytes received of each side's TCP stream.
    stream_offsets: Pair<u64>,
    proxied: Option<Proxied>,
    encryption: Option<Encryption>,
    state: State,
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
    /// Taken out while it reads.
    session: Option<Box<dyn Session>>,
    /// Unreadable directions, held until the conversation that they belong to is opened.
    lost: Vec<Lost>,
}

/// A direction that cannot be read any further.
struct Lost {
    side: Side,
    at: Moment,
    stream_offset: u64,
    why: Undecryptable,
}

enum State {
    Undecided(Held),
    Mqtt(Mqtt),
    Over,
}

/// An MQTT conversation.
struct Mqtt {
    client: Side,
    /// The number of MQTT bytes of each side.
    offsets: Pair<u64>,
    frames: Option<Box<Pair<Frames>>>,
}

/// One side of a WebSocket.
struct Frames {
    /// The remaining bytes of the HTTP head before the frames.
    head: usize,
    unwrapper: Unwrapper,
}

/// A value for each side.
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

impl Talk {
    pub(super) fn new(number: u32, opened: Moment, ends: [SocketAddr; 2], start: Start) -> Talk {
        let state = State::Undecided(Held::default());
        let stream_offsets = Pair::default();
        Talk { number, opened, ends, start, stream_offsets, proxied: None, encryption: None, state }
    }

    /// Whether all events have been emitted.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Takes the next part of one side's TCP stream.
    pub(super) fn receive(
        &mut self,
        side: Side,
        at: Moment,
        chunk: Chunk<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(Event<'_>),
    ) {
        let offset = self.stream_offsets.of(side);
        let stream_offset = *offset;
        *offset += chunk.length();
        self.read(&Part { side, at, stream_offset, chunk }, shared, emit);
    }

    /// Reports retransmitted bytes that differ from the first ones.
    pub(super) fn conflict(
        &mut self,
        side: Side,
        at: Moment,
        stream_offset: u64,
        length: u64,
        shared: &mut Shared,
        emit: &mut impl FnMut(Event<'_>),
    ) {
        match &mut self.state {
            State::Undecided(held) => {
                let cost = held.cost();
                held.add_conflict(side, at, stream_offset, length);
                shared.held += held.cost() - cost;
            }
            State::Mqtt(mqtt) => {
                let (connection, direction) = (self.number, direction(side, mqtt.client));
                emit(Event::Conflict { connection, at, direction, stream_offset, length });
            }
            State::Over => {}
        }
    }

    /// Reports that the other side acknowledged more than was captured. Ignored until the protocol is known.
    pub(super) fn lag(&mut self, side: Side, at: Moment, emit: &mut impl FnMut(Event<'_>)) {
        if let State::Mqtt(mqtt) = &self.state {
            emit(Event::Lag { connection: self.number, at, direction: direction(side, mqtt.client) });
        }
    }

    /// Handles the end of the connection.
    pub(super) fn close(
        &mut self,
        at: Moment,
        by: Close,
        shared: &mut Shared,
        emit: &mut impl FnMut(Event<'_>),
    ) {
        self.close_session(at, shared, emit);
        // The decrypted bytes need another decision.
        while let State::Undecided(held) = &self.state {
            match held.is_empty() {
                true => self.end_in_silence(at, shared, emit),
                false => self.decide(at, true, shared, emit),
            }
        }
        if let State::Mqtt(mqtt) = &self.state {
            let by = match by {
                Close::Reset(side) => Close::Reset(direction(side, mqtt.client)),
                Close::Fin => Close::Fin,
                Close::Replaced => Close::Replaced,
                Close::Evicted => Close::Evicted,
                Close::EndOfCapture => Close::EndOfCapture,
            };
            emit(Event::Closed { connection: self.number, at, by });
        }
        self.state = State::Over;
    }

    /// Reads a part, decrypting it if necessary.
    fn read(&mut self, part: &Part<'_>, shared: &mut Shared, emit: &mut impl FnMut(Event<'_>)) {
        let Some(encryption) = &mut self.encryption else { return self.read_plain(part, shared, emit) };
        let (client, Some(mut session)) = (encryption.client, encryption.session.take()) else { return };
        let from = direction(part.side, client);
        let result = session.receive(from, part.at, part.chunk, &mut |direction, plain| {
            let side = side(direction, client);
            let stream_offset =
                if side == part.side { part.stream_offset } else { *self.stream_offsets.of(side) };
            self.take_plain(side, part.at, stream_offset, plain, shared, emit);
        });
        if let (Err(why), false) = (result, self.is_over()) {
            self.end_undecrypted(part.at, Some(why), shared, emit);
        }
        if let Some(encryption) = &mut self.encryption {
            encryption.session = Some(session);
        }
    }

    /// Closes the decryptor's session, which emits the bytes that became readable and the reason for the rest.
    fn close_session(&mut self, at: Moment, shared: &mut Shared, emit: &mut impl FnMut(Event<'_>)) {
        let Some(encryption) = &mut self.encryption else { return };
        let (client, Some(mut session)) = (encryption.client, encryption.session.take()) else { return };
        session.close(&mut |direction, plain| {
            let side = side(direction, client);
            let stream_offset = *self.stream_offsets.of(side);
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
        emit: &mut impl FnMut(Event<'_>),
    ) {
        match plain {
            Plain::Bytes(bytes) => {
                let chunk = Chunk::Bytes(bytes);
                self.read_plain(&Part { side, at, stream_offset, chunk }, shared, emit);
            }
            Plain::Lost(why) => self.lose(Lost { side, at, stream_offset, why }, shared, emit),
        }
    }

    /// Handles a direction that cannot be read any further. If that is true of both and nothing was read, the connection is given
    /// up.
    fn lose(&mut self, lost: Lost, shared: &mut Shared, emit: &mut impl FnMut(Event<'_>)) {
        match (&self.state, &mut self.encryption) {
            (State::Mqtt(mqtt), _) => emit(lost.event(self.number, mqtt.client)),
            (State::Undecided(held), Some(encryption)) => {
                let at = lost.at;
                encryption.lost.push(lost);
                if encryption.lost.len() > 1 && held.is_empty() {
                    self.end_undecrypted(at, None, shared, emit);
                }
            }
            _ => {}
        }
    }

    fn read_plain(&mut self, part: &Part<'_>, shared: &mut Shared, emit: &mut impl FnMut(Event<'_>)) {
        match &mut self.state {
            State::Over => {}
            State::Mqtt(mqtt) => mqtt.read(self.number, part, &mut shared.room, emit),
            State::Undecided(held) => {
                let cost = held.cost();
                held.add(part);
                shared.held += held.cost() - cost;
                let is_final = held.is_full() || shared.held > MAX_HELD;
                self.decide(part.at, is_final, shared, emit);
            }
        }
    }

    /// Tries to detect the protocol, and continues with the held bytes.
    fn decide(&mut self, at: Moment, is_final: bool, shared: &mut Shared, emit: &mut impl FnMut(Event<'_>)) {
        let State::Undecided(held) = &self.state else { return };
        let ports = self.ends.map(|end| end.port());
        let view = View {
            held,
            start: self.start,
            ports,
            known_ports: &shared.ports,
            is_final,
            proxy: self.proxied.map(|proxied| proxied.side),
            may_be_proxied: self.proxied.is_none() && self.encryption.is_none(),
        };
        let (verdict, fallback_client) = (view.verdict(), view.client());
        if verdict == Verdict::Wait && !is_final {
            return;
        }
        let held = self.take_held(shared);
        let mut left_out = None;
        match verdict {
            Verdict::Mqtt { client } => self.open(client, None, emit),
            Verdict::ProxyHeader { client, header, length } => {
                self.proxied = Some(Proxied { side: client, at, header });
                self.state = State::Undecided(Held::default());
                left_out = Some((client, length as u64));
            }
            Verdict::WebSocket { client, heads, fault } => {
                self.open(client, Some(heads), emit);
                if let Some(fault) = fault {
                    let (connection, direction) = (self.number, fault.sender());
                    emit(Event::BadFrame { connection, at, direction, stream_offset: 0, fault });
                }
            }
            Verdict::Tls { client, server_name } => {
                self.decrypt(at, client, server_name, &held, shared, emit);
            }
            Verdict::Foreign { client, what } => self.end(at, client, what, emit),
            Verdict::Wait => self.end(at, fallback_client, Foreign::Unknown, emit),
        }
        for entry in held.replay() {
            match entry {
                Replay::Part(part) => {
                    if let Some(part) = without(part, left_out) {
                        self.replay(&part, shared, emit);
                    }
                }
                Replay::Conflict { side, at, stream_offset, length } => {
                    self.conflict(side, at, stream_offset, length, shared, emit);
                }
            }
        }
    }

    /// Reads a held part again, without decrypting it a second time.
    fn replay(&mut self, part: &Part<'_>, shared: &mut Shared, emit: &mut impl FnMut(Event<'_>)) {
        match self.state {
            State::Mqtt(_) => self.read_plain(part, shared, emit),
            State::Undecided(_) => self.read(part, shared, emit),
            State::Over => {}
        }
    }

    /// Takes the held bytes out of the state, which is over until another one is set.
    fn take_held(&mut self, shared: &mut Shared) -> Held {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Undecided(held) => {
                shared.held -= held.cost();
                held
            }
            State::Mqtt(_) | State::Over => Held::default(),
        }
    }

    fn open(&mut self, client: Side, heads: Option<[usize; 2]>, emit: &mut impl FnMut(Event<'_>)) {
        let frames = heads.map(|[a, b]| {
            let frames = |head, side| Frames { head, unwrapper: Unwrapper::new(direction(side, client)) };
            Box::new(Pair { a: frames(a, Side::A), b: frames(b, Side::B) })
        });
        let transport =
            Transport { is_encrypted: self.encryption.is_some(), is_web_socket: frames.is_some() };
        let (connection, at, start) = (self.number, self.opened, self.start);
        let (client_address, server) = self.addresses(client);
        emit(Event::Opened { connection, at, client: client_address, server, transport, start });
        if let Some(Proxied { at, header, .. }) = self.proxied {
            let proxy = self.ends_of(client).0;
            emit(Event::ProxyHeader { connection, at, proxy, header });
        }
        let lost = self.encryption.as_mut().map(|encryption| std::mem::take(&mut encryption.lost));
        for lost in lost.unwrap_or_default() {
            emit(lost.event(connection, client));
        }
        self.state = State::Mqtt(Mqtt { client, offsets: Pair::default(), frames });
    }

    /// Offers the connection to the decryptor; if it accepts, detection starts again with the decrypted bytes.
    fn decrypt(
        &mut self,
        at: Moment,
        client: Side,
        server_name: Option<String>,
        held: &Held,
        shared: &mut Shared,
        emit: &mut impl FnMut(Event<'_>),
    ) {
        let is_new = self.encryption.is_none();
        let decryptor = shared.decryptor.as_mut().filter(|_| is_new);
        match decryptor.map(|decryptor| decryptor.session(self.number, held.prefix(client))) {
            Some(Ok(session)) => {
                let lost = Vec::new();
                self.encryption = Some(Encryption { client, server_name, session: Some(session), lost });
                self.state = State::Undecided(Held::default());
            }
            Some(Err(why)) => self.end(at, client, Foreign::Tls { server_name, why: Some(why) }, emit),
            None => self.end(at, client, Foreign::Tls { server_name, why: None }, emit),
        }
    }

    fn end(&mut self, at: Moment, client: Side, what: Foreign, emit: &mut impl FnMut(Event<'_>)) {
        self.state = State::Over;
        let connection = self.number;
        let (client, server) = self.addresses(client);
        emit(Event::Foreign { connection, at, client, server, what });
    }

    /// Gives up a connection whose TLS cannot be decrypted, for this reason or for the first that was found.
    fn end_undecrypted(
        &mut self,
        at: Moment,
        why: Option<Undecryptable>,
        shared: &mut Shared,
        emit: &mut impl FnMut(Event<'_>),
    ) {
        self.take_held(shared);
        if let Some(Encryption { client, server_name, lost, .. }) = &mut self.encryption {
            let first = || lost.first().map_or(Undecryptable::Silent, |lost| lost.why.clone());
            let why = Some(why.unwrap_or_else(first));
            let (client, server_name) = (*client, server_name.take());
            self.end(at, client, Foreign::Tls { server_name, why }, emit);
        }
    }

    /// Handles a connection without bytes, or without readable ones.
    fn end_in_silence(&mut self, at: Moment, shared: &mut Shared, emit: &mut impl FnMut(Event<'_>)) {
        if self.encryption.is_some() {
            return self.end_undecrypted(at, None, shared, emit);
        }
        let [a, b] = self.ends;
        let client = match self.start {
            Start::Handshake { initiator } => initiator,
            Start::Midway => shared.ports.server(a.port(), b.port()).other(),
        };
        self.end(at, client, Foreign::Silent, emit);
    }

    /// The addresses of client and server. A PROXY header may replace the client's.
    fn addresses(&self, client: Side) -> (SocketAddr, SocketAddr) {
        let (peer, server) = self.ends_of(client);
        let told = self.proxied.and_then(|proxied| proxied.header.ok()?.addresses);
        (told.map_or(peer, |(client, _)| client), server)
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
fn without<'p>(part: Part<'p>, left_out: Option<(Side, u64)>) -> Option<Part<'p>> {
    let (Some((side, end)), Chunk::Bytes(bytes)) = (left_out, part.chunk) else { return Some(part) };
    if side != part.side || part.stream_offset >= end {
        return Some(part);
    }
    let skipped = end - part.stream_offset;
    let rest = bytes.get(usize::try_from(skipped).ok()?..).filter(|rest| !rest.is_empty())?;
    Some(Part { stream_offset: part.stream_offset + skipped, chunk: Chunk::Bytes(rest), ..part })
}

impl Lost {
    fn event(self, connection: u32, client: Side) -> Event<'static> {
        let Lost { side, at, stream_offset, why } = self;
        Event::Undecryptable { connection, at, direction: direction(side, client), stream_offset, why }
    }
}

impl Mqtt {
    fn read(
        &mut self,
        connection: u32,
        part: &Part<'_>,
        room: &mut Vec<u8>,
        emit: &mut impl FnMut(Event<'_>),
    ) {
        let Part { side, at, stream_offset, chunk } = *part;
        let direction = direction(side, self.client);
        let next_offset = self.offsets.of(side);
        let mut tell = |unwrapped: Unwrapped<'_>| {
            let offset = *next_offset;
            *next_offset += unwrapped.length();
            emit(match unwrapped {
                Unwrapped::Bytes { stream_offset, bytes } => {
                    Event::Bytes { connection, at, direction, offset, stream_offset, bytes }
                }
                Unwrapped::Gap(length) => Event::Gap { connection, at, direction, offset, length },
                Unwrapped::Fault { stream_offset, fault } => {
                    Event::BadFrame { connection, at, direction, stream_offset, fault }
                }
            });
        };
        match (&mut self.frames, chunk) {
            (Some(frames), _) => frames.of(side).read(chunk, stream_offset, room, &mut tell),
            (None, Chunk::Bytes(bytes)) => tell(Unwrapped::Bytes { stream_offset, bytes }),
            (None, Chunk::Gap(length)) => tell(Unwrapped::Gap(length)),
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
        if chunk.length() > 0 {
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
