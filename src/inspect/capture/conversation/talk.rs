//! One connection on its way from bytes to MQTT.

use super::super::reassembly::{Close, Side, Start};
use super::detect::{Verdict, View};
use super::held::{Held, Part, Replay};
use super::ports::Ports;
use super::tls::{Chunk, Decryptor, Plain, Session, Undecryptable};
use super::web_socket::{Unwrapped, Unwrapper};
use super::{Direction, Event, Foreign, Transport};
use crate::inspect::capture::Moment;
use crate::protocol::{ProxyFault, ProxyHeader};
use std::net::SocketAddr;

/// What all connections may keep together while it is not clear what they speak.
const MAX_HELD: usize = 16 << 20;

/// What all connections have in common.
#[derive(Default)]
pub(super) struct Shared {
    ports: Ports,
    decryptor: Option<Box<dyn Decryptor>>,
    /// What is kept until it is clear what is spoken.
    held: usize,
    /// For unmasking.
    room: Vec<u8>,
}

impl Shared {
    pub(super) fn new(ports: Ports, decryptor: Option<Box<dyn Decryptor>>) -> Shared {
        Shared { ports, decryptor, ..Shared::default() }
    }
}

/// A connection, while there is something to be told of it.
pub(super) struct Talk {
    number: u32,
    opened: Moment,
    ends: [SocketAddr; 2],
    start: Start,
    /// How much of each side's TCP stream has come.
    stream_offsets: Pair<u64>,
    proxied: Option<Proxied>,
    encryption: Option<Encryption>,
    state: State,
}

/// The header that a proxy sent in front.
#[derive(Debug, Clone, Copy)]
struct Proxied {
    side: Side,
    at: Moment,
    header: Result<ProxyHeader, ProxyFault>,
}

/// TLS that somebody reads.
struct Encryption {
    client: Side,
    server_name: Option<String>,
    /// Taken out while it reads.
    session: Option<Box<dyn Session>>,
    /// What cannot be read, until there is a conversation that it can be told of.
    lost: Vec<Lost>,
}

/// One direction that cannot be read any further.
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

/// A conversation in MQTT.
struct Mqtt {
    client: Side,
    /// How much MQTT of each side has come.
    offsets: Pair<u64>,
    frames: Option<Box<Pair<Frames>>>,
}

/// One side of a WebSocket.
struct Frames {
    /// How much is left of the HTTP head before them.
    head: usize,
    unwrapper: Unwrapper,
}

/// One of each side.
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

    /// Whether all has been told.
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

    /// Tells of bytes that came again and were others.
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

    /// Tells that the other side has more than came. Before it is known what is spoken, nothing follows from that.
    pub(super) fn lag(&mut self, side: Side, at: Moment, emit: &mut impl FnMut(Event<'_>)) {
        if let State::Mqtt(mqtt) = &self.state {
            emit(Event::Lag { connection: self.number, at, direction: direction(side, mqtt.client) });
        }
    }

    /// The connection is over.
    pub(super) fn close(
        &mut self,
        at: Moment,
        by: Close,
        shared: &mut Shared,
        emit: &mut impl FnMut(Event<'_>),
    ) {
        self.close_session(at, shared, emit);
        // What is decrypted has to be decided on once more.
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

    /// Decrypts, if need be.
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

    /// What a decryptor could not read before may be readable now, or stays unread for a reason.
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

    /// One direction cannot be read on. When neither can, and nothing was read, the connection is given up.
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

    /// Looks whether it is clear what is spoken, and goes on with what was kept.
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

    /// Reads once more what was kept: what had been decrypted does not need that again.
    fn replay(&mut self, part: &Part<'_>, shared: &mut Shared, emit: &mut impl FnMut(Event<'_>)) {
        match self.state {
            State::Mqtt(_) => self.read_plain(part, shared, emit),
            State::Undecided(_) => self.read(part, shared, emit),
            State::Over => {}
        }
    }

    /// Takes what was kept out of the state, which is over until another is set.
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

    /// Asks whether somebody can read the connection, which then begins anew with plain bytes.
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

    /// Nothing of what TLS hides can be read, for this reason or for the first that was found.
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

    /// Nothing was said, or nothing that could be read.
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

    /// The client's and the server's. A proxy's header tells the client's.
    fn addresses(&self, client: Side) -> (SocketAddr, SocketAddr) {
        let (peer, server) = self.ends_of(client);
        let told = self.proxied.and_then(|proxied| proxied.header.ok()?.addresses);
        (told.map_or(peer, |(client, _)| client), server)
    }

    /// The ends of the TCP connection, the client's first.
    fn ends_of(&self, client: Side) -> (SocketAddr, SocketAddr) {
        let [a, b] = self.ends;
        match client {
            Side::A => (a, b),
            Side::B => (b, a),
        }
    }
}

/// What is left of a part when the header before a place in its side's stream is left out.
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
    /// Leaves the head out.
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
