//! One direction of a bridge connection: from the packets of the source to those for the target, and back.

use super::delays::Delays;
use super::drops::Drops;
use super::event::{DropReason, EventKind, Reporter};
use super::flow::{Flow, Overflow, Reception, Silent, Transmission, Window, Wires};
use super::message::{Message, MessageLimits, has_passed};
use super::port::{Port, Ports};
use super::queue::{Entry, Queue};
use super::rate::RateLimit;
use super::routes::{Routes, Target};
use super::rule::Direction;
use super::settings::RetainMode;
use super::snapshot::{Counts, DirectionSnapshot};
use crate::protocol::{
    Ack, PacketId, PacketType, Properties, PropertyId, PropertyValue, Publish, Qos, ReasonCode,
};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The messages at QoS 1 and 2 that may wait for the target. mosquitto 2.0.11 sends more than the receive maximum.
const MAX_WAITING: usize = 64;

/// The rules of one direction, and the limits of its messages.
#[derive(Debug)]
pub(super) struct LaneSettings {
    pub(super) direction: Direction,
    pub(super) routes: Routes,
    pub(super) queue: usize,
    pub(super) retain: RetainMode,
    pub(super) rate: Option<f64>,
    pub(super) maximum_age: Option<Duration>,
    pub(super) hop_mark: Option<String>,
}

/// One direction.
pub(super) struct Lane {
    routes: Routes,
    retain: RetainMode,
    hop_mark: Option<String>,
    flow: Flow<Rc<Message>>,
    queue: Queue,
    desk: Desk,
    /// Whether the source has answered SUBSCRIBE, so that its session has the subscriptions.
    pub(super) is_subscribed: bool,
}

/// The parts of a direction that the flow uses through [`Wires`].
struct Desk {
    direction: Direction,
    rate: Option<RateLimit>,
    maximum_age: Option<Duration>,
    counts: Counts,
    delays: Delays,
    drops: Drops,
    /// Of the connection to the target.
    limits: Option<MessageLimits>,
    reported: Reported,
    reporter: Reporter,
}

/// The events that were reported on the connection to the target; once is enough.
#[derive(Debug, Default)]
struct Reported {
    lowered_qos: bool,
    cleared_retain: bool,
    exceeded_quota: bool,
    forgotten: bool,
}

/// A connection to the target, as far as messages are concerned.
pub(super) struct TargetTerms {
    pub(super) window: Window,
    pub(super) limits: MessageLimits,
    pub(super) session_present: bool,
}

impl Lane {
    pub(super) fn new(settings: LaneSettings, reporter: Reporter, now: Instant) -> Lane {
        let LaneSettings { direction, routes, queue, retain, rate, maximum_age, hop_mark } = settings;
        let desk = Desk {
            direction,
            rate: rate.map(|per_second| RateLimit::new(per_second, now)),
            maximum_age,
            counts: Counts::default(),
            delays: Delays::new(),
            drops: Drops::default(),
            limits: None,
            reported: Reported::default(),
            reporter,
        };
        let flow = Flow::new(routes.maximum_targets());
        Lane { routes, retain, hop_mark, flow, queue: Queue::new(queue), desk, is_subscribed: false }
    }

    pub(super) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The acknowledgements of the direction, for requests that need an identifier of the same connection.
    pub(super) fn flow_mut(&mut self) -> &mut Flow<Rc<Message>> {
        &mut self.flow
    }

    /// Handles PUBLISH from the source.
    ///
    /// # Errors
    /// If the source has too many messages in flight.
    pub(super) fn receive(
        &mut self,
        publish: &Publish<'_>,
        mut ports: Ports<'_>,
        now: Instant,
    ) -> Result<(), Overflow> {
        let Some(packet_id) = publish.packet_id else {
            if let Some(message) = self.accept(publish, now) {
                self.forward_at_most_once(&message, &mut ports, now);
            }
            return Ok(());
        };
        let mut writer = Writer { desk: &mut self.desk, ports: ports.reborrow(), now };
        if self.flow.receive(packet_id, publish.qos, publish.dup, now, &mut writer) == Reception::Known {
            self.desk.counts.redelivered += 1;
            return Ok(());
        }
        // While the flow drains, the source keeps its new messages: they are not acknowledged.
        if self.flow.is_draining() {
            return Ok(());
        }
        let message = self.accept(publish, now);
        if let Some(message) = &message {
            self.forward_at_most_once(message, &mut ports, now);
        }
        let copied = message.clone();
        let copies = copied.iter().flat_map(|message| {
            (0..message.targets.len()).map(|target| (target, message.wanted_qos(target)))
        });
        let copies = copies.filter(|(_, qos)| *qos > Qos::AtMostOnce);
        let mut writer = Writer { desk: &mut self.desk, ports, now };
        self.flow.push(packet_id, publish.qos, message, copies, now, &mut writer)?;
        self.flow.pump(now, &mut writer);
        Ok(())
    }

    /// Handles PUBREL from the source.
    ///
    /// # Errors
    /// If the source has too many messages in flight.
    pub(super) fn receive_release(
        &mut self,
        packet_id: PacketId,
        ports: Ports<'_>,
        now: Instant,
    ) -> Result<(), Overflow> {
        let mut writer = Writer { desk: &mut self.desk, ports, now };
        self.flow.receive_release(packet_id, now, &mut writer)?;
        self.flow.pump(now, &mut writer);
        Ok(())
    }

    /// Handles PUBACK, PUBREC or PUBCOMP from the target.
    pub(super) fn receive_ack(
        &mut self,
        packet_type: PacketType,
        ack: &Ack<'_>,
        ports: Ports<'_>,
        now: Instant,
    ) {
        let mut writer = Writer { desk: &mut self.desk, ports, now };
        let Ack { packet_id, reason_code, .. } = *ack;
        match packet_type {
            PacketType::Puback => self.flow.receive_puback(packet_id, reason_code, now, &mut writer),
            PacketType::Pubrec => self.flow.receive_pubrec(packet_id, reason_code, now, &mut writer),
            _ => self.flow.receive_pubcomp(packet_id, reason_code, now, &mut writer),
        }
    }

    /// The source accepted a connection.
    pub(super) fn source_connected(&mut self, session_present: bool, ports: Ports<'_>, now: Instant) {
        let mut writer = Writer { desk: &mut self.desk, ports, now };
        self.flow.source_connected(session_present, now, &mut writer);
    }

    pub(super) fn source_lost(&mut self) {
        self.flow.source_lost();
    }

    /// Notes that the source lost its session.
    pub(super) fn note_lost_session(&mut self) {
        self.desk.counts.sessions_lost += 1;
    }

    /// The target accepted a connection. Returns the number of messages that are sent again because it lost its session.
    pub(super) fn target_connected(&mut self, terms: &TargetTerms, ports: Ports<'_>, now: Instant) -> usize {
        let desk = &mut self.desk;
        (desk.limits, desk.reported) = (Some(terms.limits), Reported::default());
        let mut writer = Writer { desk, ports, now };
        let repeated = self.flow.target_connected(terms.window, terms.session_present, now, &mut writer);
        self.desk.counts.maybe_doubled += repeated as u64;
        repeated
    }

    pub(super) fn target_lost(&mut self) {
        self.flow.target_lost();
    }

    /// Whether it matters now that the source has repeated all messages that it has in flight. `is_late`: it has had the time for it.
    pub(super) fn awaits_repetition(&self, is_late: bool) -> bool {
        self.flow.awaits_repetition() || (is_late && self.flow.has_unseen())
    }

    /// The source repeats no more on its connection. If it had the time for it, it does not know the other messages any longer.
    pub(super) fn source_has_repeated(&mut self, is_late: bool, ports: Ports<'_>, now: Instant) {
        self.flow.source_has_repeated();
        if is_late {
            let mut writer = Writer { desk: &mut self.desk, ports, now };
            self.flow.abandon_unseen(now, &mut writer);
        }
    }

    /// Sends waiting messages while the target takes them.
    pub(super) fn pump(&mut self, ports: Ports<'_>, now: Instant) {
        let mut writer = Writer { desk: &mut self.desk, ports, now };
        self.flow.pump(now, &mut writer);
        while let Some(entry) = self.queue.front() {
            if !writer.is_expired(&entry.message) {
                if !writer.has_room() || !writer.is_allowed() {
                    break;
                }
                writer.send_at_most_once(&entry.message, entry.target);
            }
            self.queue.pop();
        }
    }

    /// Sends no new messages at QoS 1 and 2, which the source keeps.
    pub(super) fn drain(&mut self) {
        self.flow.drain();
    }

    /// Whether nothing is in flight, nor waits for a target that is connected.
    pub(super) fn is_drained(&self, is_target_up: bool) -> bool {
        self.flow.is_drained() && (self.queue.is_empty() || !is_target_up)
    }

    /// Whether the source should send no more messages now.
    pub(super) fn is_full(&self) -> bool {
        self.flow.waiting_count() > MAX_WAITING && !self.flow.needs_source()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.flow.in_flight()
    }

    /// The side that did not answer in time.
    pub(super) fn silent_side(&self, now: Instant, timeout: Duration) -> Option<Silent> {
        self.flow.silent_side(now, timeout)
    }

    /// The target did not answer in time.
    pub(super) fn doubt_target(&mut self) {
        self.flow.doubt_target();
    }

    /// The time at which the rate limit allows the next waiting message.
    pub(super) fn rate_due(&self) -> Option<Instant> {
        let is_waiting = !self.queue.is_empty() || self.flow.waiting_count() > 0;
        self.desk.rate.as_ref().filter(|_| is_waiting).map(RateLimit::due)
    }

    /// Reports drops that are due.
    pub(super) fn report_drops(&mut self, now: Instant, is_end: bool) {
        let Desk { direction, drops, reporter, .. } = &mut self.desk;
        drops.report(*direction, now, is_end, reporter);
    }

    pub(super) fn snapshot(&self) -> DirectionSnapshot {
        let waiting = || self.flow.waiting();
        let waiting_bytes: usize = waiting().map(|message| message.size()).sum();
        DirectionSnapshot {
            counts: self.desk.counts,
            in_flight: self.flow.in_flight(),
            queued: waiting().count() + self.queue.len(),
            queued_bytes: waiting_bytes + self.queue.bytes(),
            delay_p50: self.desk.delays.quantile(0.5),
            delay_p99: self.desk.delays.quantile(0.99),
        }
    }

    /// Counts a message, and finds its targets. `None` if it is not forwarded.
    fn accept(&mut self, publish: &Publish<'_>, now: Instant) -> Option<Rc<Message>> {
        self.desk.counts.received += 1;
        if let Some(mark) = &self.hop_mark
            && has_passed(publish.properties, mark)
        {
            self.desk.note_drop(DropReason::Looped, publish.topic);
            return None;
        }
        let targets = self.targets(publish)?;
        Some(Rc::new(Message::new(publish, targets, self.retain, self.hop_mark.as_deref(), now)))
    }

    fn targets(&mut self, publish: &Publish<'_>) -> Option<Rc<[Target]>> {
        let mut identifiers = Vec::new();
        if self.routes.has_partial_overlaps() && !publish.properties.is_empty() {
            let of_subscription = publish.properties.iter().filter_map(|property| match property.value {
                PropertyValue::Number(number) if property.id == PropertyId::SubscriptionIdentifier => {
                    Some(number)
                }
                _ => None,
            });
            identifiers.extend(of_subscription);
        }
        let targets = self.routes.targets(publish.topic, &identifiers);
        if targets.is_empty() {
            // A copy for another subscription is not forwarded either, but that one's was.
            if identifiers.is_empty() {
                self.desk.note_drop(DropReason::Unmatched, publish.topic);
            }
            return None;
        }
        Some(targets)
    }

    /// Sends a message to its targets at QoS 0, or lets it wait.
    fn forward_at_most_once(&mut self, message: &Rc<Message>, ports: &mut Ports<'_>, now: Instant) {
        for target in 0..message.targets.len() {
            if message.wanted_qos(target) > Qos::AtMostOnce {
                continue;
            }
            let mut writer = Writer { desk: &mut self.desk, ports: ports.reborrow(), now };
            if self.queue.is_empty() && writer.has_room() && writer.is_allowed() {
                writer.send_at_most_once(message, target);
                continue;
            }
            for displaced in self.queue.push(Entry { message: Rc::clone(message), target }) {
                self.desk.note_drop(DropReason::QueueFull, displaced.message.topic(displaced.target));
            }
        }
    }
}

impl Desk {
    /// Counts a message that is not forwarded, and reports it.
    fn note_drop(&mut self, reason: DropReason, topic: &str) {
        let counts = &mut self.counts;
        let count = match reason {
            DropReason::QueueFull => &mut counts.dropped,
            DropReason::TooLarge { .. } => &mut counts.too_large,
            DropReason::Rejected(_) | DropReason::InvalidTopic => &mut counts.rejected,
            DropReason::Expired | DropReason::TooOld => &mut counts.expired,
            DropReason::Looped => &mut counts.looped,
            DropReason::Unmatched => &mut counts.unmatched,
        };
        *count += 1;
        self.drops.note(reason, topic);
    }
}

/// Writes the packets of a direction to the connections that exist.
struct Writer<'a> {
    desk: &'a mut Desk,
    ports: Ports<'a>,
    now: Instant,
}

impl Writer<'_> {
    fn send_at_most_once(&mut self, message: &Rc<Message>, target: usize) {
        let copy = Transmission { target, qos: Qos::AtMostOnce, packet_id: None, dup: false };
        if self.publish(message, &copy) {
            // At QoS 0 there is no acknowledgement, so no delay.
            self.delivered(None);
        }
    }

    /// Counts and reports a QoS or RETAIN that the target does not support.
    fn note_downgrade(&mut self, message: &Message, copy: &Transmission, limits: &MessageLimits) {
        let desk = &mut *self.desk;
        let is_lowered = copy.qos < message.wanted_qos(copy.target);
        let is_cleared = message.retain && !limits.retain_available;
        if copy.dup || !(is_lowered || is_cleared) {
            return;
        }
        desk.counts.downgraded += 1;
        let direction = desk.direction;
        if is_lowered && !std::mem::replace(&mut desk.reported.lowered_qos, true) {
            desk.reporter.report(EventKind::QosLowered { direction, maximum: copy.qos });
        }
        if is_cleared && !std::mem::replace(&mut desk.reported.cleared_retain, true) {
            desk.reporter.report(EventKind::RetainCleared { direction });
        }
    }
}

impl Wires<Rc<Message>> for Writer<'_> {
    fn acknowledge(&mut self, packet_type: PacketType, packet_id: PacketId) {
        append_ack(packet_type, packet_id, self.ports.source.as_mut());
    }

    fn publish(&mut self, message: &Rc<Message>, copy: &Transmission) -> bool {
        let (Some(port), Some(limits)) = (&mut self.ports.target, self.desk.limits) else { return false };
        match message.encode(copy, &limits, self.now, port.output) {
            Ok(()) => {
                self.note_downgrade(message, copy, &limits);
                true
            }
            Err(reason) => {
                self.desk.note_drop(reason, message.topic(copy.target));
                false
            }
        }
    }

    fn release(&mut self, packet_id: PacketId) {
        append_ack(PacketType::Pubrel, packet_id, self.ports.target.as_mut());
    }

    fn delivered(&mut self, message: Option<&Rc<Message>>) {
        self.desk.counts.forwarded += 1;
        if let Some(message) = message {
            self.desk.delays.record(self.now.saturating_duration_since(message.arrived));
        }
    }

    fn rejected(&mut self, message: Option<&Rc<Message>>, target: usize, reason: ReasonCode) {
        let topic = message.map_or("", |message| message.topic(target));
        self.desk.note_drop(DropReason::Rejected(reason), topic);
    }

    fn postponed(&mut self) {
        let desk = &mut *self.desk;
        if !std::mem::replace(&mut desk.reported.exceeded_quota, true) {
            desk.reporter.report(EventKind::QuotaExceeded { side: desk.direction.target() });
        }
    }

    fn forgotten(&mut self) {
        let desk = &mut *self.desk;
        desk.counts.maybe_doubled += 1;
        if !std::mem::replace(&mut desk.reported.forgotten, true) {
            desk.reporter.report(EventKind::TargetForgot { side: desk.direction.target() });
        }
    }

    fn has_room(&self) -> bool {
        self.ports.target.as_ref().is_some_and(Port::has_room)
    }

    fn is_expired(&mut self, message: &Rc<Message>) -> bool {
        let age = self.now.saturating_duration_since(message.arrived);
        let reason = if message.has_expired(self.now) {
            DropReason::Expired
        } else if self.desk.maximum_age.is_some_and(|maximum| age > maximum) {
            DropReason::TooOld
        } else {
            return false;
        };
        self.desk.note_drop(reason, message.topic(0));
        true
    }

    fn is_allowed(&mut self) -> bool {
        self.desk.rate.as_mut().is_none_or(|rate| rate.take(self.now))
    }
}

/// Appends an acknowledgement. It has no field that could be too long.
fn append_ack(packet_type: PacketType, packet_id: PacketId, port: Option<&mut Port<'_>>) {
    if let Some(port) = port {
        let ack = Ack { packet_id, reason_code: ReasonCode::SUCCESS, properties: Properties::EMPTY };
        let encoded = ack.encode(packet_type, port.version, port.output);
        debug_assert!(encoded.is_ok(), "a packet of a few bytes is never too long");
    }
}
