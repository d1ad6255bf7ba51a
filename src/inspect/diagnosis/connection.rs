//! One connection: its answers, silences and end.

use super::ending::Ending;
use super::pending::{FullPeriod, PendingPackets, Waiting, filters};
use super::sighting::{Party, ProblemKey, Sightings};
use super::time::Time;
use super::topics::Endpoint;
use super::{Kind, Shared};
use crate::inspect::capture::Moment;
use crate::inspect::field::Tree;
use crate::inspect::timing::{CLIENT_GRACE, LONG_PACKET, SECOND, longest_silence};
use crate::inspect::{Direction, Name, Packet, Value};
use crate::protocol::{PacketType, PropertyId, ReasonCode};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// An answer that takes longer is slow, and a packet that waits longer at the end has no answer.
const SLOW: u64 = SECOND;
const UNANSWERED: u64 = 5 * SECOND;

/// A side that has not closed this long after the other one is half open.
const HALF_OPEN: u64 = 5 * SECOND;

/// The server closed because of the client's last packet if no more time than this passed.
const CONSEQUENCE: u64 = SECOND;

/// A server ends a connection for another one with the same client identifier within this time of its CONNECT. One that still
/// sends packets after the shorter time does not.
const TAKE_OVER: u64 = 5 * SECOND;
const STILL_SERVED: u64 = SECOND / 2;

/// The messages and bytes that make a storm of retained messages.
const STORM_MESSAGES: u64 = 1000;
const STORM_BYTES: u64 = 10 << 20;

/// Added to the code of a limit for messages in flight that the receiver did not state.
pub(super) const ASSUMED: u16 = 2;

/// The most characters to keep of a reason string.
const MAX_REASON: usize = 200;

/// The first byte of CONNECT; a record of TLS has other flags.
const CONNECT: u8 = 0x10;

/// The codes of a close by TCP, beside the reason codes of DISCONNECT.
pub(super) const BY_FIN: u16 = 0x100;
pub(super) const BY_RESET: u16 = 0x101;

/// Whether a connection uses MQTT. Captures are sorted beforehand; live traffic is only known by its first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Undecided,
    Mqtt,
    Other,
}

/// An open connection, as the diagnosis sees it. There may be many, so rarely used state is in boxes.
#[derive(Debug)]
pub(super) struct OpenConnection {
    pub(super) number: u32,
    pub(super) protocol: Protocol,
    /// Whether all bytes of the client since CONNECT are known.
    is_complete: bool,
    has_connect: bool,
    is_accepted: Option<bool>,
    /// CONNACK was captured, or may be among the packets that were not.
    is_answered: bool,
    refused: Option<u8>,
    /// Whether the server ended it for another connection with the same client identifier.
    is_taken_over: bool,
    /// Some of its bytes were not captured, late or unreadable.
    is_incomplete: bool,
    /// The client's last packet.
    last_from_client: Option<PacketType>,
    /// The number of the server.
    pub(super) server: Option<u16>,
    /// In seconds; 0 for none.
    keep_alive: u16,
    /// The index of the client, or [`NOBODY`].
    client_index: u32,
    opened: Time,
    /// The time of the client's last packet.
    last_from_client_at: Time,
    /// The time of the last packet of either side.
    last_packet: Time,
    /// The client's address, until CONNECT.
    client: Option<Box<IpAddr>>,
    signs: Option<Box<Signs>>,
    pending: PendingPackets,
    subscriber: Option<Box<Subscriber>>,
}

/// The index of a client that is unknown, or for which there was no room.
const NOBODY: u32 = u32::MAX;

/// Signs of an end, and losses.
#[derive(Debug, Clone, Default)]
struct Signs {
    /// The open connection that had the client identifier before.
    previous: Option<u32>,
    /// The first DISCONNECT.
    disconnect: Option<(Direction, u8)>,
    /// The time of the first DISCONNECT.
    disconnected: Option<Moment>,
    /// The client's silence before the server's DISCONNECT, in nanoseconds.
    silence_at_disconnect: Option<u64>,
    /// The time of the first FIN.
    first_fin: Option<Moment>,
    /// The time at which another connection connected with the same client identifier.
    rivalled: Option<Moment>,
    /// The reason string of the first DISCONNECT.
    reason: Option<Rc<str>>,
    /// For each direction, the moment since which packets are missing; a DISCONNECT may be among them.
    lost: [Option<Moment>; 2],
}

/// The state of a client that receives messages.
#[derive(Debug, Default)]
struct Subscriber {
    /// Its subscriptions, as [`Topics`](super::topics::Topics) has numbered them.
    subscriptions: Vec<u32>,
    retained: RetainedMessages,
}

/// The retained messages since the last SUBSCRIBE.
#[derive(Debug, Default, Clone, Copy)]
struct RetainedMessages {
    count: u64,
    bytes: u64,
    first: Moment,
    last: Moment,
}

/// The end of a connection or, while it is open, of the capture.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndOfConnection {
    pub(super) ending: Ending,
    pub(super) at: Moment,
}

impl OpenConnection {
    pub(super) fn new(
        number: u32,
        opened: Moment,
        client: Option<SocketAddr>,
        server: Option<u16>,
    ) -> OpenConnection {
        OpenConnection {
            number,
            // Frame numbers exist in captures only.
            protocol: if opened.frame > 0 { Protocol::Mqtt } else { Protocol::Undecided },
            is_complete: false,
            has_connect: false,
            is_accepted: None,
            is_answered: false,
            refused: None,
            is_taken_over: false,
            is_incomplete: false,
            last_from_client: None,
            server,
            keep_alive: 0,
            client_index: NOBODY,
            opened: Time::of(opened),
            last_from_client_at: Time::UNKNOWN,
            last_packet: Time::UNKNOWN,
            client: client.map(|client| Box::new(client.ip())),
            signs: None,
            pending: PendingPackets::default(),
            subscriber: None,
        }
    }

    /// Whether the connection uses MQTT, as far as the client's packets up to this one show it.
    pub(super) fn may_be_mqtt(&mut self, packet: &Packet<'_>) -> bool {
        if self.protocol == Protocol::Undecided && packet.direction == Direction::ClientToServer {
            let is_connect = packet.raw.bytes.first() == Some(&CONNECT);
            let is_mqtt = is_connect || !packet.tree.is_malformed();
            self.protocol = if is_mqtt { Protocol::Mqtt } else { Protocol::Other };
        }
        self.protocol != Protocol::Other
    }

    /// Takes a packet. After CONNECT it returns the connection that had the client's session before.
    pub(super) fn packet(
        &mut self,
        packet: &Packet<'_>,
        kind: PacketType,
        shared: &mut Shared,
    ) -> Option<u32> {
        let at = packet.at;
        let mut previous = None;
        self.find(packet.direction, at);
        if packet.direction == Direction::ClientToServer {
            self.check_silence(packet, shared);
        } else if kind != PacketType::Disconnect
            && since(self.rivalled(), at).is_some_and(|duration| duration > STILL_SERVED)
        {
            self.unrival();
        }
        match kind {
            PacketType::Connect => previous = self.connect(packet, shared),
            PacketType::Connack => self.connack(packet, shared),
            PacketType::Publish => self.publish(packet, shared),
            PacketType::Subscribe | PacketType::Unsubscribe => self.subscribe(packet, kind),
            PacketType::Suback | PacketType::Unsuback => self.suback(packet, kind, shared),
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubcomp => {
                self.acknowledge(packet, kind, shared);
            }
            PacketType::Pubrel => {
                if let Some(packet_id) = packet.tree.two_bytes(Name::PacketIdentifier)
                    && self.pending.release(packet.direction, packet_id, at)
                {
                    self.repeated(packet, kind, shared);
                }
            }
            PacketType::Pingreq if is_timely(packet) => self.pending.ping(at),
            PacketType::Pingresp => self.pending.pong(),
            PacketType::Disconnect => self.disconnected(packet, shared),
            PacketType::Pingreq | PacketType::Auth => {}
        }
        if packet.direction == Direction::ClientToServer {
            (self.last_from_client, self.last_from_client_at) = (Some(kind), Time::of(at));
        }
        self.sparkplug(packet, kind, shared);
        self.last_packet = Time::of(at);
        self.slow_answer(packet, kind, shared);
        self.oversize(packet, kind, shared);
        previous
    }

    /// Another connection connected with the same client identifier. It takes this one over only if the server ends this one.
    pub(super) fn rival(&mut self, server: Option<u16>, at: Moment) {
        let is_alive = self.first_fin().is_none() && self.disconnect().is_none() && self.refused.is_none();
        if is_alive && self.server == server {
            self.signs_mut().rivalled = Some(at);
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// The open connection that had the client identifier before.
    pub(super) fn previous(&self) -> Option<u32> {
        self.signs.as_ref()?.previous
    }

    pub(super) fn set_previous(&mut self, previous: u32) {
        self.signs_mut().previous = Some(previous);
    }

    /// The index of the client; `None` if it is unknown.
    pub(super) fn client_index(&self) -> Option<u32> {
        Some(self.client_index).filter(|index| *index != NOBODY)
    }

    /// The server refused the other connection.
    pub(super) fn unrival(&mut self) {
        if let Some(signs) = &mut self.signs {
            signs.rivalled = None;
        }
    }

    /// Takes the FIN of one side.
    pub(super) fn fin(&mut self, direction: Direction, at: Moment, shared: &mut Shared) {
        if self.first_fin().is_none() {
            self.signs_mut().first_fin = Some(at);
            self.check_take_over(direction, at, shared);
        }
    }

    /// This side ends the connection by TCP. A server that does so soon after another CONNECT obeys MQTT.
    pub(super) fn check_take_over(&mut self, sender: Direction, at: Moment, shared: &mut Shared) {
        let is_soon = since(self.rivalled(), at).is_some_and(|duration| duration <= TAKE_OVER);
        if sender == Direction::ServerToClient && is_soon && self.disconnect().is_none() {
            self.take_over(at, shared);
        }
    }

    fn disconnected(&mut self, packet: &Packet<'_>, shared: &mut Shared) {
        if self.disconnect().is_some() {
            return;
        }
        let at = packet.at;
        let code = packet.tree.number(Name::ReasonCode).unwrap_or_default() as u8;
        let silence = self.silence(at);
        let signs = self.signs_mut();
        signs.silence_at_disconnect = silence;
        signs.disconnect = Some((packet.direction, code));
        signs.reason = reason_string(packet.tree);
        signs.disconnected = Some(at);
        let is_of_server = packet.direction == Direction::ServerToClient;
        if is_of_server && ReasonCode(code) == ReasonCode::SESSION_TAKEN_OVER {
            self.take_over(at, shared);
        }
    }

    fn signs_mut(&mut self) -> &mut Signs {
        self.signs.get_or_insert_default()
    }

    fn disconnect(&self) -> Option<(Direction, u8)> {
        self.signs.as_ref()?.disconnect
    }

    fn first_fin(&self) -> Option<Moment> {
        self.signs.as_ref()?.first_fin
    }

    fn rivalled(&self) -> Option<Moment> {
        self.signs.as_ref()?.rivalled
    }

    fn reason(&self) -> Option<Rc<str>> {
        self.signs.as_ref()?.reason.clone()
    }

    fn lost(&self) -> [Option<Moment>; 2] {
        self.signs.as_ref().map(|signs| signs.lost).unwrap_or_default()
    }

    fn take_over(&mut self, at: Moment, shared: &mut Shared) {
        let is_known = std::mem::replace(&mut self.is_taken_over, true);
        if let Some(record) =
            self.client_index().and_then(|index| shared.clients.get_mut(index)).filter(|_| !is_known)
        {
            record.take_over(at);
        }
    }

    /// Packets of this direction were not captured; DISCONNECT may be among them.
    pub(super) fn lose(&mut self, direction: Direction, at: Moment, shared: &mut Shared) {
        if let Some(lost) = self.signs_mut().lost.get_mut(direction as usize) {
            *lost = Some(at);
        }
        if self.protocol == Protocol::Undecided {
            self.protocol = Protocol::Mqtt;
        }
        self.skip(direction, shared);
    }

    /// Packets of this direction are unknown, so that missing answers and messages prove nothing.
    pub(super) fn skip(&mut self, direction: Direction, shared: &mut Shared) {
        shared.incomplete += u64::from(!std::mem::replace(&mut self.is_incomplete, true));
        self.pending.forget();
        self.is_answered = true;
        shared.topics.unsubscribe(self.subscriptions(), None, None);
        if direction == Direction::ClientToServer {
            self.is_complete = false;
            self.last_from_client = None;
        }
    }

    /// Whether answers to this side were captured up to the end.
    fn answers(&self, sender: Direction) -> bool {
        self.lost().get(sender.reverse() as usize).is_some_and(Option::is_none)
    }

    /// A packet in a later frame follows the missing ones, so they are not the last.
    fn find(&mut self, direction: Direction, at: Moment) {
        let Some(signs) = &mut self.signs else { return };
        let is_later = |lost: Moment| at.frame > lost.frame || at.time > lost.time;
        if let Some(lost) = signs.lost.get_mut(direction as usize).filter(|lost| lost.is_some_and(is_later)) {
            *lost = None;
        }
    }

    /// How the connection ended, with the first sign of its end.
    pub(super) fn ending(&self, tcp: Ending, at: Moment) -> Ending {
        let is_recent = || since(self.first_fin(), at).is_none_or(|duration| duration < HALF_OPEN);
        match (self.disconnect(), self.refused, tcp) {
            (Some((sender, code)), ..) => Ending::Disconnect(sender, code),
            (None, Some(code), _) => Ending::Refused(code),
            (None, None, Ending::Fin(_) | Ending::Reset(_) | Ending::HalfOpen(_)) if self.is_taken_over => {
                Ending::TakenOver
            }
            (None, None, Ending::Fin(_) | Ending::Reset(_) | Ending::HalfOpen(_))
                if self.lost() != [None; 2] =>
            {
                Ending::Unknown
            }
            (None, None, Ending::HalfOpen(first)) if is_recent() => Ending::Fin(first),
            (None, None, tcp) => tcp,
        }
    }

    /// Nanoseconds since its first segment.
    pub(super) fn lifetime(&self, at: Moment) -> Option<u64> {
        self.opened.until(at)
    }

    /// Adds the problems of its end.
    pub(super) fn end(&self, end: EndOfConnection, sightings: &mut Sightings) {
        let last = self.first_sign_of_end(end.at);
        self.closed(end, sightings);
        self.unanswered(last, sightings);
        for period in self.pending.full_periods(last).filter(|period| self.answers(period.sender)) {
            self.full(period, sightings);
        }
        let retained = self.subscriber.as_ref().map(|subscriber| subscriber.retained);
        let RetainedMessages { count, bytes, first, last } = retained.unwrap_or_default();
        if count >= STORM_MESSAGES || bytes >= STORM_BYTES {
            sightings.add_period(self.key(Kind::RetainedStorm, 0), self.number, first, last, count);
        }
    }

    /// The time of DISCONNECT or FIN, after which no answer is due, or else of the end.
    fn first_sign_of_end(&self, end: Moment) -> Moment {
        let disconnected = self.signs.as_ref().and_then(|signs| signs.disconnected);
        let signs = [disconnected, self.first_fin(), Some(end)];
        signs.into_iter().flatten().min_by_key(|at| at.time).unwrap_or(end)
    }

    /// Ends its subscriptions.
    pub(super) fn unsubscribe(&self, at: Moment, shared: &mut Shared) {
        shared.topics.unsubscribe(self.subscriptions(), None, at.time);
    }

    fn subscriptions(&self) -> &[u32] {
        self.subscriber.as_ref().map(|subscriber| subscriber.subscriptions.as_slice()).unwrap_or_default()
    }

    pub(super) fn party(&self) -> Party {
        self.client_index().map_or(Party::Connection(self.number), Party::Client)
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint { client: self.client_index(), server: self.server }
    }

    fn key(&self, kind: Kind, code: u16) -> ProblemKey {
        ProblemKey { kind, code, party: self.party(), text: None }
    }

    /// Adds the problems of Sparkplug nodes. A subscriber is not to blame for the messages it receives.
    fn sparkplug(&self, packet: &Packet<'_>, kind: PacketType, shared: &mut Shared) {
        for problem in shared.nodes.packet(packet, kind, self.server, self.is_complete) {
            let party = if problem.is_publisher { self.party() } else { Party::Everyone };
            let key = ProblemKey { kind: problem.kind, code: 0, party, text: Some(problem.node) };
            shared.sightings.add(key, self.number, packet.at, problem.missing);
        }
    }

    fn connect(&mut self, packet: &Packet<'_>, shared: &mut Shared) -> Option<u32> {
        (self.has_connect, self.is_complete) = (true, true);
        if !self.is_answered {
            self.pending.connect(packet.at);
        }
        self.identify(packet, shared)
    }

    /// Takes the client identifier. Returns the connection that had it before.
    fn identify(&mut self, packet: &Packet<'_>, shared: &mut Shared) -> Option<u32> {
        let id = packet.tracker.client_id.as_ref()?;
        self.client_index = shared.clients.index(id, packet.at).unwrap_or(NOBODY);
        let record = shared.clients.get_mut(self.client_index)?;
        record.connect(self.number, self.client.take().map(|address| *address), packet.at)
    }

    fn connack(&mut self, packet: &Packet<'_>, shared: &mut Shared) {
        self.is_answered = true;
        let tree = packet.tree;
        let Some(code) = tree.number(Name::ReasonCode).or(tree.number(Name::ReturnCode)) else { return };
        self.is_accepted = Some(code == 0);
        self.pending.connack();
        if self.client_index().is_none() {
            // The server may have assigned the identifier.
            self.identify(packet, shared);
        }
        self.keep_alive = packet.tracker.keep_alive.unwrap_or_default();
        if code != 0 {
            self.refused = Some(code as u8);
            let key = ProblemKey { text: reason_string(tree), ..self.key(Kind::Refused, code as u16) };
            shared.sightings.add(key, self.number, packet.at, 0);
        }
    }

    fn publish(&mut self, packet: &Packet<'_>, shared: &mut Shared) {
        let (at, direction, tree) = (packet.at, packet.direction, packet.tree);
        let size = tree.find(Name::Payload).map_or(0, |payload| payload.range.len()) as u64;
        shared.bursts.add(at);
        let endpoint = self.endpoint();
        let topic =
            packet.topic().and_then(|topic| shared.topics.publish(topic, direction, endpoint, size, at));
        if direction == Direction::ServerToClient && tree.is_set(Name::Retain) {
            self.subscriber.get_or_insert_default().retained.add(size, at);
        }
        if tree.is_set(Name::Dup) {
            self.repeated(packet, PacketType::Publish, shared);
        }
        let is_acknowledged = tree.number(Name::Qos).is_some_and(|qos| qos > 0) && is_timely(packet);
        if let Some(packet_id) = tree.two_bytes(Name::PacketIdentifier).filter(|_| is_acknowledged) {
            let packet_type = PacketType::Publish;
            self.pending.add(direction, packet_id, Waiting { packet_type, at, topic, filters: Vec::new() });
            self.check_limit(direction, packet, shared);
        }
    }

    fn subscribe(&mut self, packet: &Packet<'_>, packet_type: PacketType) {
        let packet_id = packet.tree.two_bytes(Name::PacketIdentifier);
        let Some(packet_id) = packet_id.filter(|_| is_timely(packet)) else { return };
        if let Some(subscriber) = &mut self.subscriber {
            subscriber.retained = RetainedMessages::default();
        }
        let waiting = Waiting { packet_type, at: packet.at, topic: None, filters: filters(packet.tree) };
        self.pending.add(packet.direction, packet_id, waiting);
    }

    fn suback(&mut self, packet: &Packet<'_>, kind: PacketType, shared: &mut Shared) {
        let packet_id = packet.tree.two_bytes(Name::PacketIdentifier);
        let answered = packet_id.and_then(|id| self.pending.take(packet.direction.reverse(), id));
        let filters = answered.map(|waiting| waiting.filters).unwrap_or_default();
        let mut filters = filters.into_iter();
        if kind == PacketType::Unsuback {
            return self.unsubscribed(filters, packet, shared);
        }
        for field in packet.tree.all(Name::FilterReasonCode) {
            let Value::Code(code) = field.value else { continue };
            match (filters.next(), ReasonCode(code).is_error()) {
                (filter, true) => {
                    let text = filter.map(|(filter, _)| filter);
                    let key = ProblemKey { text, ..self.key(Kind::SubscriptionDenied, code.into()) };
                    shared.sightings.add(key, self.number, packet.at, 0);
                }
                (Some((filter, no_local)), false) => {
                    let endpoint = self.endpoint();
                    let number = shared.topics.subscribe(&filter, no_local, endpoint, packet.at.time);
                    self.subscriber.get_or_insert_default().subscriptions.extend(number);
                }
                (None, false) => {}
            }
        }
    }

    /// Takes UNSUBACK for these filters; the answers of MQTT 3 have no codes.
    fn unsubscribed(
        &mut self,
        filters: impl Iterator<Item = (Rc<str>, bool)>,
        packet: &Packet<'_>,
        shared: &mut Shared,
    ) {
        let mut codes = packet.tree.all(Name::FilterReasonCode).filter_map(|field| match field.value {
            Value::Code(code) => Some(code),
            _ => None,
        });
        for (filter, _) in filters {
            match codes.next().filter(|code| ReasonCode(*code).is_error()) {
                Some(code) => {
                    let key = self.key(Kind::UnsubscriptionDenied, code.into());
                    let key = ProblemKey { text: Some(filter), ..key };
                    shared.sightings.add(key, self.number, packet.at, 0);
                }
                None => shared.topics.unsubscribe(self.subscriptions(), Some(&filter), packet.at.time),
            }
        }
    }

    fn acknowledge(&mut self, packet: &Packet<'_>, kind: PacketType, shared: &mut Shared) {
        let Some(packet_id) = packet.tree.two_bytes(Name::PacketIdentifier) else { return };
        let sender = packet.direction.reverse();
        let code = packet.tree.number(Name::ReasonCode).unwrap_or_default() as u8;
        let has_failed = ReasonCode(code).is_error();
        let topic = self.pending.topic(sender, packet_id);
        if kind != PacketType::Pubrec || has_failed {
            self.pending.take(sender, packet_id);
            self.check_limit(sender, packet, shared);
        } else {
            self.pending.receive(sender, packet_id, packet.at);
        }
        if has_failed && sender == Direction::ClientToServer && kind != PacketType::Pubcomp {
            if let Some(topic) = &topic {
                shared.topics.deny(topic);
            }
            let key = ProblemKey { text: topic, ..self.key(Kind::PublishDenied, code.into()) };
            shared.sightings.add(key, self.number, packet.at, 0);
        }
    }

    fn check_limit(&mut self, sender: Direction, packet: &Packet<'_>, shared: &mut Shared) {
        let limits = packet.tracker.negotiation.limits(sender);
        let receive_maximum = limits.map(|limits| limits.receive_maximum);
        if let Some(period) = self.pending.check_limit(sender, receive_maximum, packet.at) {
            self.full(period, &mut shared.sightings);
        }
    }

    fn full(&self, period: FullPeriod, sightings: &mut Sightings) {
        let FullPeriod { sender, first, last, is_assumed } = period;
        if let Some(duration) = since(Some(first), last).filter(|duration| *duration >= SLOW) {
            let key = self.key(Kind::InFlightFull, sender as u16 + if is_assumed { ASSUMED } else { 0 });
            sightings.add_period(key, self.number, first, last, duration);
        }
    }

    fn repeated(&self, packet: &Packet<'_>, kind: PacketType, shared: &mut Shared) {
        let key = self.key(Kind::Repeated, code_of(kind, packet.direction));
        shared.sightings.add(key, self.number, packet.at, 0);
    }

    fn slow_answer(&self, packet: &Packet<'_>, kind: PacketType, shared: &mut Shared) {
        let Some(answers) = &packet.facts.answers else { return };
        let nanoseconds = answers.nanoseconds;
        shared.slowest.add(nanoseconds, kind, packet, self.party());
        if nanoseconds >= SLOW {
            let key = self.key(Kind::SlowAnswer, code_of(kind, packet.direction));
            shared.sightings.add(key, self.number, packet.at, nanoseconds);
        }
    }

    fn oversize(&self, packet: &Packet<'_>, kind: PacketType, shared: &mut Shared) {
        let limits = packet.tracker.negotiation.limits(packet.direction);
        let Some(limit) = limits.and_then(|limits| limits.maximum_packet_size) else { return };
        if packet.raw.length as u64 > u64::from(limit) {
            let text = Some(Rc::from(limit.to_string()));
            let key = ProblemKey { text, ..self.key(Kind::Oversize, code_of(kind, packet.direction)) };
            shared.sightings.add(key, self.number, packet.at, packet.raw.length as u64);
        }
    }

    /// Checks the time since the client's last packet.
    fn check_silence(&self, packet: &Packet<'_>, shared: &mut Shared) {
        let silence = self.silence(packet.at).filter(|_| packet.raw.length < LONG_PACKET);
        if let Some(silence) = silence.filter(|silence| *silence > self.keep_alive() + CLIENT_GRACE) {
            let key = self.key(Kind::KeepAliveExceeded, self.keep_alive);
            shared.sightings.add(key, self.number, packet.at, silence);
        }
    }

    /// The time since the client's last packet, if it has a keep alive and all its packets are known.
    fn silence(&self, at: Moment) -> Option<u64> {
        self.last_from_client.filter(|_| self.is_complete && self.keep_alive > 0)?;
        self.last_from_client_at.until(at).filter(|_| self.disconnect().is_none())
    }

    /// In nanoseconds.
    fn keep_alive(&self) -> u64 {
        u64::from(self.keep_alive) * SECOND
    }

    fn closed(&self, end: EndOfConnection, sightings: &mut Sightings) {
        let at = self.first_sign_of_end(end.at);
        let timeout =
            self.silence(at).filter(|silence| *silence >= self.keep_alive() + self.keep_alive() * 2 / 5);
        let mut add = |key: ProblemKey, figure: u64| sightings.add(key, self.number, at, figure);
        let timed_out = self.key(Kind::KeepAliveTimeout, self.keep_alive);
        match end.ending {
            Ending::Disconnect(Direction::ServerToClient, code) => match ReasonCode(code) {
                ReasonCode::SESSION_TAKEN_OVER => add(self.key(Kind::TakeOver, 0), 0),
                ReasonCode::KEEP_ALIVE_TIMEOUT => {
                    let silence = self.signs.as_ref().and_then(|signs| signs.silence_at_disconnect);
                    add(timed_out, silence.unwrap_or_default());
                }
                ReasonCode::SUCCESS => {}
                _ => {
                    add(ProblemKey { text: self.reason(), ..self.key(Kind::ClosedByServer, code.into()) }, 0);
                }
            },
            Ending::Disconnect(Direction::ClientToServer, code) if ReasonCode(code).is_error() => {
                add(ProblemKey { text: self.reason(), ..self.key(Kind::ClientLost, code.into()) }, 0);
            }
            Ending::TakenOver => add(self.key(Kind::TakeOver, 0), 0),
            Ending::Fin(Direction::ServerToClient) | Ending::Reset(Direction::ServerToClient) => {
                if self.has_connect && !self.is_answered {
                    add(self.key(Kind::ConnectUnanswered, code_of_end(end.ending)), 0);
                } else if let Some(silence) = timeout {
                    add(timed_out, silence);
                } else {
                    let text = self.cause(at);
                    let key = ProblemKey { text, ..self.key(Kind::ClosedByServer, code_of_end(end.ending)) };
                    add(key, self.idle(at));
                }
            }
            Ending::Fin(Direction::ClientToServer) | Ending::Reset(Direction::ClientToServer) => {
                if self.is_accepted == Some(true) || !self.has_connect {
                    add(self.key(Kind::ClientLost, code_of_end(end.ending)), self.idle(at));
                }
            }
            Ending::HalfOpen(sender) => {
                let figure = since(Some(at), end.at).unwrap_or_default();
                add(self.key(Kind::HalfOpen, sender as u16 + 1), figure);
            }
            Ending::Replaced => add(self.key(Kind::HalfOpen, 0), 0),
            Ending::Open => {
                let limit = longest_silence(self.keep_alive());
                if let Some(silence) = self.silence(at).filter(|silence| *silence > limit) {
                    add(self.key(Kind::KeepAliveExceeded, self.keep_alive), silence);
                }
            }
            Ending::Disconnect(..) | Ending::Refused(_) | Ending::Unknown => {}
        }
    }

    /// Nanoseconds since the last packet of either side; 0 if later ones may not have been captured.
    fn idle(&self, at: Moment) -> u64 {
        let is_whole = self.lost() == [None; 2];
        self.last_packet.until(at).filter(|_| is_whole).unwrap_or_default()
    }

    /// The client's last packet, if the server closed right after it.
    fn cause(&self, at: Moment) -> Option<Rc<str>> {
        let kind = self.last_from_client?;
        // A server that accepted CONNECT did not close because of it.
        if kind == PacketType::Connect && self.is_accepted == Some(true) {
            return None;
        }
        self.last_from_client_at.until(at).filter(|duration| *duration <= CONSEQUENCE)?;
        Some(Rc::from(kind.name()))
    }

    fn unanswered(&self, at: Moment, sightings: &mut Sightings) {
        let waits = |moment: Moment| since(Some(moment), at).filter(|waited| *waited >= UNANSWERED);
        let mut add = |kind, sender, text, moment: Moment, waited| {
            let key = ProblemKey { text, ..self.key(Kind::Unanswered, code_of(kind, sender)) };
            sightings.add(key, self.number, moment, waited);
        };
        for (publisher, _, waiting) in self.pending.all() {
            // PUBREC belongs to the exchange that the other side began.
            let is_of_receiver = waiting.packet_type == PacketType::Pubrec;
            let sender = if is_of_receiver { publisher.reverse() } else { publisher };
            if let Some(waited) = waits(waiting.at).filter(|_| self.answers(sender)) {
                let filter = waiting.filters.first().map(|(filter, _)| Rc::clone(filter));
                let text = waiting.topic.clone().or(filter);
                add(waiting.packet_type, sender, text, waiting.at, waited);
            }
        }
        let requests =
            self.pending.requests().into_iter().filter(|_| self.answers(Direction::ClientToServer));
        for (kind, moment) in requests {
            if let Some((moment, waited)) = moment.and_then(|moment| Some((moment, waits(moment)?))) {
                add(kind, Direction::ClientToServer, None, moment, waited);
            }
        }
    }
}

impl RetainedMessages {
    fn add(&mut self, size: u64, at: Moment) {
        if self.count == 0 {
            self.first = at;
        }
        self.count += 1;
        self.bytes += size;
        self.last = at;
    }
}

/// Whether the packet was known before its answer. One with missing bytes may end only when they are given up.
fn is_timely(packet: &Packet<'_>) -> bool {
    packet.raw.missing.is_empty()
}

/// Nanoseconds between two moments; `None` if a time is unknown.
pub(super) fn since(from: Option<Moment>, to: Moment) -> Option<u64> {
    to.time?.checked_sub(from?.time?)
}

/// A packet type and its direction as a number.
fn code_of(kind: PacketType, direction: Direction) -> u16 {
    kind as u16 * 2 + direction as u16
}

/// The packet type and direction of such a number.
pub(super) fn packet_of(code: u16) -> (&'static str, Direction) {
    let kind = u8::try_from(code / 2 * 16).ok().and_then(PacketType::from_first_byte);
    let direction =
        if code.is_multiple_of(2) { Direction::ClientToServer } else { Direction::ServerToClient };
    (kind.map_or("RESERVED", PacketType::name), direction)
}

fn code_of_end(ending: Ending) -> u16 {
    if matches!(ending, Ending::Reset(_)) { BY_RESET } else { BY_FIN }
}

/// The reason string of a packet, up to a length that is enough for a sentence.
fn reason_string(tree: &Tree<'_>) -> Option<Rc<str>> {
    let text = tree.text(Name::Property(PropertyId::ReasonString)).filter(|text| !text.is_empty())?;
    let end = text.char_indices().nth(MAX_REASON).map_or(text.len(), |(index, _)| index);
    text.get(..end).map(Rc::from)
}
