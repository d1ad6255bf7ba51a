//! The gateway's side of one MQTT-SN 2.0 client, as [`super::Client`] is for 1.2: a state machine between datagrams of the client
//! and packets of the client's own MQTT connection.
//!
//! A client has one open request, and the gateway one towards the client [MQTT-SN-4.9-2]. Reason codes of the broker reach the
//! client.
//!
//! - `connect` has CONNECT, DISCONNECT, and the end of a client.
//! - `sleep` has SLEEPREQ and PINGREQ.
//! - `requests` passes the client's requests to the broker, and the answers back.
//! - `delivery` passes the broker's messages to the client, with REGISTER and retries.

mod connect;
mod delivery;
mod requests;
mod sleep;
#[cfg(test)]
mod tests;

use super::deliveries::Deliveries;
use super::topics::Topics;
use super::{
    Action, Context, Note, Output, Parameters, REMEMBERED, Settings, Undelivered, Will, send_packet,
};
use crate::protocol::session::Limits;
use crate::protocol::sn::late_copy::LateCopies;
use crate::protocol::sn::v2::{Disconnect, Packet, Reason, TopicAlias};
use crate::protocol::{Packet as MqttPacket, PacketId};
use connect::Identity;
use requests::Request;
pub(crate) use requests::pubwos;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The last requests whose copies are ignored.
const REMEMBERED_REQUESTS: usize = 16;

/// The state of a client (section 4.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The broker has not accepted the client yet.
    Connecting,
    Active,
    /// Messages are kept until it wakes up.
    Asleep,
    /// Kept messages are sent; PINGRESP ends it.
    Awake(sleep::Awakening),
    /// It has no virtual connection.
    Disconnected {
        since: Instant,
    },
}

/// A client of a gateway.
#[derive(Debug)]
pub(crate) struct Client {
    id: Box<str>,
    phase: Phase,
    identity: Identity,
    /// The keep alive, or the sleep duration of a sleeping client.
    interval: Duration,
    /// When the last packet arrived.
    heard: Instant,
    /// When CONNACK accepted it; `None` after a change of the address.
    accepted: Option<Instant>,
    /// The broker has kept its session.
    session_present: bool,
    broker_accepts: Limits,
    topics: Topics,
    /// Copies of QoS 2 messages of the client.
    late_copies: LateCopies,
    /// The open request.
    request: Option<Request>,
    /// The packet identifiers of the last requests.
    recent: VecDeque<PacketId>,
    /// A message without an alias has the name of its topic.
    deliveries: Deliveries<Option<TopicAlias>>,
}

impl Client {
    /// A client that is about to connect.
    pub(crate) fn new(id: &str, now: Instant) -> Client {
        Client {
            id: id.into(),
            phase: Phase::Disconnected { since: now },
            identity: Identity::default(),
            interval: Duration::ZERO,
            heard: now,
            accepted: None,
            session_present: false,
            broker_accepts: Limits::default(),
            topics: Topics::default(),
            late_copies: LateCopies::default(),
            request: None,
            recent: VecDeque::new(),
            deliveries: Deliveries::new(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The parameters for [`Action::Open`].
    pub(crate) fn parameters(&self) -> Parameters<'_> {
        self.identity.parameters(&self.id)
    }

    /// Whether it sleeps.
    pub(crate) fn is_asleep(&self) -> bool {
        matches!(self.phase, Phase::Asleep | Phase::Awake(_))
    }

    /// Whether it sends its identifier in Connection Encapsulations, since its address changes.
    pub(crate) fn has_changing_address(&self) -> bool {
        self.identity.has_changing_address && !self.is_disconnected()
    }

    /// Whether it has no identifier of its own, and this is the packet identifier of its CONNECT.
    pub(crate) fn has_assigned_id(&self, packet_id: PacketId) -> bool {
        self.identity.has_assigned_id(packet_id)
    }

    /// It has another address, from which a copy of its CONNECT cannot come.
    pub(crate) fn note_moved(&mut self) {
        self.accepted = None;
    }

    /// Whether the broker has kept its session, according to its CONNACK.
    pub(crate) fn note_session_present(&mut self, session_present: bool) {
        self.session_present = session_present;
    }

    /// Whether it is only remembered.
    pub(crate) fn is_disconnected(&self) -> bool {
        matches!(self.phase, Phase::Disconnected { .. })
    }

    /// Whether the queue has room for more packets of the broker.
    pub(crate) fn has_room(&self, settings: &Settings) -> bool {
        self.deliveries.has_room(settings)
    }

    /// When the last packet arrived.
    pub(crate) fn last_heard(&self) -> Instant {
        self.heard
    }

    /// Whether it takes a message at once: it is awake, and no other message is on its way.
    pub(crate) fn wants_message(&self) -> bool {
        matches!(self.phase, Phase::Active | Phase::Awake(_)) && self.deliveries.is_idle()
    }

    /// The messages that the client did not get since the last call.
    pub(crate) fn take_undelivered(&mut self) -> Undelivered {
        self.deliveries.take_undelivered()
    }

    /// Handles a packet of the client, except for gateway discovery.
    pub(crate) fn receive(&mut self, packet: &Packet<'_>, context: Context<'_>, out: &mut Output) {
        if let Packet::Connect(connect) = packet {
            return self.receive_connect(connect, context, out);
        }
        match self.phase {
            // Other packets are ignored before CONNACK [MQTT-SN-3.1.19-7].
            Phase::Connecting => {
                if let Packet::Disconnect(disconnect) = packet {
                    self.disconnected(disconnect, context, out);
                }
            }
            Phase::Active => {
                self.heard = context.now;
                self.receive_active(packet, context, out);
            }
            Phase::Asleep | Phase::Awake(_) => {
                self.heard = context.now;
                self.receive_asleep(packet, context, out);
            }
            Phase::Disconnected { .. } => out.datagrams.extend(no_connection(packet)),
        }
    }

    fn receive_active(&mut self, packet: &Packet<'_>, context: Context<'_>, out: &mut Output) {
        match packet {
            Packet::Publish(publish) => self.publish(publish, context, out),
            Packet::Pubwos(publish) => self.publish_without_session(publish, context, out),
            Packet::Pubrel(ack) => self.release(ack.packet_id, context, out),
            Packet::Register(register) => self.register(register, context, out),
            Packet::Subscribe(subscribe) => self.subscribe(subscribe, context, out),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(unsubscribe, context, out),
            Packet::Pingreq { packet_id } => self.ping(*packet_id, context, out),
            Packet::Sleepreq { packet_id, duration, retains_aliases } => {
                self.fall_asleep(*packet_id, *duration, *retains_aliases, context, out);
            }
            other => self.receive_answer(other, context, out),
        }
    }

    /// The answers to the gateway's messages, and DISCONNECT.
    fn receive_answer(&mut self, packet: &Packet<'_>, context: Context<'_>, out: &mut Output) {
        match packet {
            Packet::Regack(ack) => self.registered(ack, context, out),
            Packet::Puback(ack) => self.published(*ack, context, out),
            Packet::Pubrec(ack) => self.received(*ack, context, out),
            Packet::Pubcomp(ack) => self.completed(ack.packet_id, context, out),
            Packet::Disconnect(disconnect) => self.disconnected(disconnect, context, out),
            // The client named no authentication method that has steps [MQTT-SN-4.11.1-7].
            Packet::Auth(_) => self.lose(Reason::PROTOCOL_ERROR, Note::Disconnected, context, out),
            // Requests, which come here only from a sleeping client and are late copies, and packets that only gateways send.
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Publish(_)
            | Packet::Pubrel(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq { .. }
            | Packet::Pingresp { .. }
            | Packet::Register(_)
            | Packet::Pubwos(_)
            | Packet::Sleepreq { .. }
            | Packet::Sleepresp { .. }
            | Packet::Wakeup
            | Packet::Advertise { .. }
            | Packet::SearchGw { .. }
            | Packet::GwInfo { .. }
            | Packet::Forwarder(_)
            | Packet::Connection(_)
            | Packet::Protection(_) => {}
        }
    }

    /// Handles a packet of the broker, after CONNACK.
    pub(crate) fn receive_packet(&mut self, packet: &MqttPacket<'_>, context: Context<'_>, out: &mut Output) {
        match packet {
            MqttPacket::Publish(publish) => self.queue(publish, context, out),
            MqttPacket::Puback(ack) => self.broker_acknowledged(ack, out),
            MqttPacket::Pubrec(ack) => self.broker_received(ack, out),
            MqttPacket::Pubcomp(ack) => self.broker_completed(ack, out),
            MqttPacket::Pubrel(ack) => self.broker_released(ack.packet_id, context, out),
            MqttPacket::Suback(ack) => self.broker_subscribed(ack, out),
            MqttPacket::Unsuback(ack) => self.broker_unsubscribed(ack, out),
            MqttPacket::Connect(_)
            | MqttPacket::Connack(_)
            | MqttPacket::Subscribe(_)
            | MqttPacket::Unsubscribe(_)
            | MqttPacket::Pingreq
            | MqttPacket::Pingresp
            | MqttPacket::Disconnect(_)
            | MqttPacket::Auth(_) => {}
        }
    }

    /// Acts on timers that have expired.
    pub(crate) fn tick(&mut self, context: Context<'_>, out: &mut Output) {
        match self.phase {
            Phase::Connecting => {}
            Phase::Active | Phase::Asleep | Phase::Awake(_) => {
                if context.now >= self.silence_limit() {
                    return self.lose(Reason::KEEP_ALIVE_TIMEOUT, Note::Silent, context, out);
                }
                self.repeat_delivery(context, out);
                self.end_awakening_if_idle(context, out);
            }
            Phase::Disconnected { since } => {
                if self.is_forgotten_after(since).is_some_and(|end| context.now >= end) {
                    out.action = Some(Action::Forget);
                }
            }
        }
    }

    /// The time of the next [`Client::tick`].
    pub(crate) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        match &self.phase {
            Phase::Connecting => None,
            Phase::Active => self.deliveries.due(settings).into_iter().chain([self.silence_limit()]).min(),
            Phase::Awake(awakening) => {
                let end = self.deliveries.is_idle().then_some(awakening.until);
                self.deliveries.due(settings).into_iter().chain(end).chain([self.silence_limit()]).min()
            }
            Phase::Asleep => Some(self.silence_limit()),
            Phase::Disconnected { since } => self.is_forgotten_after(*since),
        }
    }

    /// The time after which silence makes the client a lost one: 1.5 times its keep alive or sleep duration [MQTT-SN-3.1.6-2].
    fn silence_limit(&self) -> Instant {
        self.heard + self.interval + self.interval / 2
    }

    /// When the aliases and queued messages of a client without a connection are forgotten: with its session, if that ends.
    fn is_forgotten_after(&self, since: Instant) -> Option<Instant> {
        match self.identity.session_expiry {
            u32::MAX => None,
            seconds => Some(since + REMEMBERED.max(Duration::from_secs(seconds.into()))),
        }
    }
}

/// The answer to a packet that needs a virtual connection: DISCONNECT with its packet identifier (section 3.13).
pub(crate) fn no_connection(packet: &Packet<'_>) -> Option<Vec<u8>> {
    match packet {
        Packet::Publish(_)
        | Packet::Pubrec(_)
        | Packet::Pubrel(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::Pingreq { .. }
        | Packet::Register(_)
        | Packet::Sleepreq { .. } => {}
        // Not DISCONNECT, or two gateways could answer each other forever.
        _ => return None,
    }
    let reason = Some(Reason::NO_VIRTUAL_CONNECTION);
    let disconnect = Disconnect { packet_id: packet.packet_id(), reason, ..Disconnect::default() };
    Some(Packet::Disconnect(disconnect).to_datagram())
}

/// Appends a packet as a datagram.
fn send(packet: &Packet<'_>, out: &mut Output) {
    let mut datagram = Vec::new();
    // Only PUBLISH and REGISTER can be too long, and their sizes are checked before.
    if packet.encode(&mut datagram).is_ok() {
        out.datagrams.push(datagram);
    }
}
