//! A client of the shared connection: its MQTT session, which the gateway holds in place of the broker, and the messages that wait
//! for it.

use super::message::{Delivery, Message};
use crate::protocol::session::{Acknowledgement, Limits, Outgoing, Role, Session};
use crate::protocol::sn::gateway::{Load, Settings, Undelivered};
use crate::protocol::{Packet, PacketId, Properties, Qos, ReasonCode, SubscriptionAck};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Counts connections, so that an answer to an earlier one is recognised.
pub(super) type ConnectionNumber = u64;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) session: Session<Delivery>,
    /// The number of the current connection; `None` while the client is away and its session is kept.
    pub(super) connection: Option<ConnectionNumber>,
    /// The time in seconds for which the session outlasts the connection; `u32::MAX` is forever.
    pub(super) session_expiry: u32,
    /// The end of the session of a client that is away; `None` if it has no end.
    ends: Option<Instant>,
    pub(super) filters: HashSet<Rc<str>>,
    /// The messages that the session has not sent.
    waiting: VecDeque<Delivery>,
    /// The time at which the first of them expires. Earlier if that one was sent.
    next_expiry: Option<Instant>,
    /// Those of QoS 0.
    qos_0: Load,
    /// Those of QoS 1 and 2.
    others: Load,
    /// Messages of an earlier connection may have to be sent again.
    is_resending: bool,
    /// Packets for the client.
    pub(super) answers: Vec<u8>,
    undelivered: Undelivered,
}

impl Member {
    pub(super) fn new(settings: &Settings) -> Member {
        Member {
            session: Session::new(Role::Server, settings.version),
            connection: None,
            session_expiry: 0,
            ends: None,
            filters: HashSet::new(),
            waiting: VecDeque::new(),
            next_expiry: None,
            qos_0: Load::default(),
            others: Load::default(),
            is_resending: false,
            answers: Vec::new(),
            undelivered: Undelivered::default(),
        }
    }

    /// The client connects. Its state machine has one exchange at a time, so the session sends one message at a time.
    pub(super) fn connect(&mut self, number: ConnectionNumber, session_expiry: u32, settings: &Settings) {
        self.connection = Some(number);
        self.session_expiry = session_expiry;
        self.ends = None;
        let client_accepts = Limits { receive_maximum: 1, ..Limits::default() };
        // Nothing is lost: the session is here.
        self.session.start(settings.version, Limits::default(), client_accepts, true);
        self.is_resending = self.session.unsettled() > 0;
    }

    /// The client has gone. Returns whether its session is kept, with messages of QoS 1 and 2.
    pub(super) fn disconnect(&mut self, now: Instant) -> bool {
        self.connection = None;
        let lasts = Duration::from_secs(self.session_expiry.into());
        self.ends = (self.session_expiry != u32::MAX).then(|| now + lasts);
        self.answers = Vec::new();
        self.waiting.retain(|delivery| delivery.qos > Qos::AtMostOnce);
        self.qos_0 = Load::default();
        self.session_expiry > 0
    }

    /// Whether its session has ended.
    pub(super) fn has_expired(&self, now: Instant) -> bool {
        self.connection.is_none() && self.ends.is_some_and(|end| now >= end)
    }

    /// Adds a message, or drops and counts it if the queue is full or no datagram has room for it.
    pub(super) fn push(&mut self, message: &Rc<Message>, qos: Qos, settings: &Settings) {
        if qos == Qos::AtMostOnce && self.connection.is_none() {
            return;
        }
        if !self.load_of(qos).is_within(settings) {
            self.remove_expired(message.arrived);
        }
        let load = self.load_of(qos);
        if !load.is_within(settings) || !message.fits(settings.datagram_size) {
            self.undelivered.dropped += 1;
            return;
        }
        load.add(message.size());
        self.next_expiry = [self.next_expiry, message.expires].into_iter().flatten().min();
        self.waiting.push_back(Delivery { message: Rc::clone(message), qos });
    }

    /// Removes and counts the messages that have expired, as a broker must (MQTT 5.0, section 3.3.2.3.3).
    fn remove_expired(&mut self, now: Instant) {
        if self.next_expiry.is_none_or(|expiry| expiry > now) {
            return;
        }
        let (qos_0, others) = (&mut self.qos_0, &mut self.others);
        let expired = &mut self.undelivered.expired;
        self.waiting.retain(|delivery| {
            let is_kept = delivery.message.expires.is_none_or(|expiry| expiry > now);
            let load = if delivery.qos == Qos::AtMostOnce { &mut *qos_0 } else { &mut *others };
            if !is_kept {
                load.remove(delivery.message.size());
                *expired += 1;
            }
            is_kept
        });
        self.next_expiry = self.waiting.iter().filter_map(|delivery| delivery.message.expires).min();
    }

    fn load_of(&mut self, qos: Qos) -> &mut Load {
        if qos == Qos::AtMostOnce { &mut self.qos_0 } else { &mut self.others }
    }

    /// Whether more messages follow for a client that is awake.
    pub(super) fn has_more(&mut self, now: Instant) -> bool {
        self.remove_expired(now);
        self.is_resending || !self.waiting.is_empty()
    }

    /// Takes the packets for the client: answers, and one message if it has no other one.
    pub(super) fn take_packets(&mut self, wants_message: bool) -> Vec<u8> {
        let mut packets = std::mem::take(&mut self.answers);
        if self.connection.is_none() || !packets.is_empty() || !wants_message {
            return packets;
        }
        if self.is_resending {
            // The session refuses none of its own messages.
            self.session.resend(usize::MAX, &mut packets);
            self.is_resending = !packets.is_empty();
        }
        while packets.is_empty()
            && let Some(next) = self.waiting.front()
            && (next.qos == Qos::AtMostOnce || self.session.quota() > 0)
            && let Some(delivery) = self.waiting.pop_front()
        {
            self.load_of(delivery.qos).remove(delivery.message.size());
            self.send(&delivery, &mut packets);
        }
        if self.waiting.is_empty() {
            self.waiting.shrink_to(8);
        }
        packets
    }

    fn send(&mut self, delivery: &Delivery, packets: &mut Vec<u8>) {
        let publish = delivery.as_publish();
        if self.session.publish(&publish, || delivery.clone(), packets).is_err() {
            self.undelivered.dropped += 1;
        }
    }

    /// The broker has settled a message of the client.
    pub(super) fn acknowledge(&mut self, acknowledgement: Acknowledgement, reason_code: ReasonCode) {
        self.session.acknowledge(acknowledgement, reason_code, &mut self.answers);
    }

    pub(super) fn answer_subscribe(&mut self, packet_id: PacketId, reason_code: ReasonCode) {
        let codes = [reason_code.0];
        self.answer(&Packet::Suback(SubscriptionAck::new(packet_id, Properties::EMPTY, &codes)));
    }

    pub(super) fn answer_unsubscribe(&mut self, packet_id: PacketId, reason_code: ReasonCode) {
        let codes = [reason_code.0];
        self.answer(&Packet::Unsuback(SubscriptionAck::new(packet_id, Properties::EMPTY, &codes)));
    }

    fn answer(&mut self, packet: &Packet<'_>) {
        // A packet of a few bytes is never too long.
        let _ = packet.encode(self.session.version(), &mut self.answers);
    }

    pub(super) fn note_dropped(&mut self, count: u64) {
        self.undelivered.dropped += count;
    }

    pub(super) fn take_undelivered(&mut self) -> Undelivered {
        std::mem::take(&mut self.undelivered)
    }
}
