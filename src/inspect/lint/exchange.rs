//! Packets and their answers: packet identifiers in use, type and order of acknowledgements, messages in flight, and
//! retransmissions.
//!
//! A capture shows an acknowledgement before its receiver gets it, and a packet after its sender sent it. An identifier that is
//! in use in the capture is therefore also in use at its sender, and the number of messages in flight is a lower bound.

use super::in_flight::{InFlight, OrderedAck, PacketIdsInFlight, Stage};
use super::packet_context::PacketContext;
use super::report::FindingList;
use super::{CaptureCoverage, ConnectionEnd};
use crate::inspect::{Direction, Name, Rule, Severity, Value};
use crate::protocol::{PacketType, ReasonCode};
use foldhash::fast::FixedState;
use std::hash::{BuildHasher, Hash, Hasher};

/// Bytes of a payload that are compared to identify a message.
const COMPARED: usize = 64;

/// Maximum number of packet identifiers that a finding lists.
const MAX_NAMED: usize = 5;

/// Unfinished exchanges of a connection.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    client: PacketIdsInFlight,
    server: PacketIdsInFlight,
    pings: usize,
    pinged: Option<u64>,
    misses_pings: bool,
}

impl Acknowledgements {
    pub(super) fn check(
        &mut self,
        context: &PacketContext<'_>,
        coverage: CaptureCoverage,
        limits_hold: bool,
        report: &mut FindingList,
    ) {
        match context.kind {
            PacketType::Pingreq => {
                self.pings += 1;
                self.pinged = context.time();
            }
            PacketType::Pingresp => self.pingresp(context, coverage, report),
            PacketType::Connect | PacketType::Connack | PacketType::Disconnect | PacketType::Auth => {}
            PacketType::Publish
            | PacketType::Subscribe
            | PacketType::Unsubscribe
            | PacketType::Puback
            | PacketType::Pubrec
            | PacketType::Pubrel
            | PacketType::Pubcomp
            | PacketType::Suback
            | PacketType::Unsuback => {
                if let Some(packet_id) = context.packet_id() {
                    self.identified(context, packet_id, coverage, limits_hold, report);
                }
            }
        }
    }

    /// A packet was not checked, so there may be unknown exchanges.
    pub(super) fn mark_incomplete(&mut self) {
        self.client.misses_some = true;
        self.server.misses_some = true;
    }

    /// Packets were lost, so the unfinished exchanges are unknown.
    pub(super) fn lose_track(&mut self) {
        self.client.forget();
        self.server.forget();
        self.pings = 0;
        self.misses_pings = true;
    }

    /// Reports packets without an answer.
    pub(super) fn end(&self, end: ConnectionEnd, coverage: CaptureCoverage, report: &mut FindingList) {
        for (direction, ids) in
            [(Direction::ClientToServer, &self.client), (Direction::ServerToClient, &self.server)]
        {
            if coverage.is_whole(direction.reverse()) {
                unanswered(direction, ids, end, report);
            }
        }
        if self.pings > 0 && !self.misses_pings {
            let severity = end.severity(self.pinged, Severity::Warning);
            let detail = format!("PINGREQs without PINGRESP: {}", self.pings);
            report.find_as(severity, Rule::AnswerPing, 0..0, detail);
        }
    }

    fn pingresp(&mut self, context: &PacketContext<'_>, coverage: CaptureCoverage, report: &mut FindingList) {
        if self.pings == 0 && !self.misses_pings && coverage.is_complete() {
            report.find(Rule::PingrespUnasked, context.whole(), "PINGRESP without PINGREQ");
        }
        self.pings = self.pings.saturating_sub(1);
    }

    fn identified(
        &mut self,
        context: &PacketContext<'_>,
        packet_id: u16,
        coverage: CaptureCoverage,
        limits_hold: bool,
        report: &mut FindingList,
    ) {
        // An answer belongs to an exchange of the other side; PUBREL continues an exchange of its sender.
        let begun_here = match context.kind {
            PacketType::Puback
            | PacketType::Pubrec
            | PacketType::Pubcomp
            | PacketType::Suback
            | PacketType::Unsuback => context.direction.reverse(),
            _ => context.direction,
        };
        let ids = match begun_here {
            Direction::ClientToServer => &mut self.client,
            Direction::ServerToClient => &mut self.server,
        };
        let is_session_new = context.packet.tracker.negotiation.is_session_new() == Some(true);
        let knows_all = is_session_new && coverage.is_complete() && !ids.misses_some;
        let is_late = coverage.is_late(context);
        let mut step = IdentifiedPacket { context, packet_id, ids, knows_all, is_late, report };
        match context.kind {
            PacketType::Publish => step.publish(limits_hold),
            PacketType::Subscribe => {
                step.request(Stage::Subscribed(context.tree.all(Name::Subscription).count()));
            }
            PacketType::Unsubscribe => {
                step.request(Stage::Unsubscribed(context.tree.all(Name::FilterToRemove).count()));
            }
            PacketType::Puback => step.puback(),
            PacketType::Pubrec => step.pubrec(),
            PacketType::Pubrel => step.pubrel(),
            PacketType::Pubcomp => step.pubcomp(),
            PacketType::Suback => step.suback(),
            PacketType::Unsuback => step.unsuback(),
            _ => {}
        }
    }
}

/// A packet with an identifier, beside the identifiers that are in use.
struct IdentifiedPacket<'s, 'p> {
    context: &'s PacketContext<'p>,
    packet_id: u16,
    /// Those of the side that began the exchange.
    ids: &'s mut PacketIdsInFlight,
    /// All unfinished exchanges were captured.
    knows_all: bool,
    /// The capture may show the answer before this packet.
    is_late: bool,
    report: &'s mut FindingList,
}

impl IdentifiedPacket<'_, '_> {
    fn publish(&mut self, limits_hold: bool) {
        let stage = match self.context.qos() {
            1 => Stage::Qos1,
            2 => Stage::Qos2,
            _ => return,
        };
        let Some(message) = fingerprint(self.context).filter(|_| !self.is_late) else {
            // It cannot be compared with another message, or its answer may already have been seen.
            let is_counted = self.ids.get(self.packet_id).is_none_or(|in_flight| in_flight.is_counted);
            return self.set(Stage::Confused, 0, is_counted);
        };
        let is_dup = self.context.tree.is_set(Name::Dup);
        match self.ids.get(self.packet_id) {
            Some(in_flight) => self.publish_in_use(in_flight, stage, message, is_dup),
            None => {
                let is_confused = is_dup && self.publish_again(stage, message);
                let stage = if is_confused { Stage::Confused } else { stage };
                self.set(stage, message, true);
                if limits_hold {
                    self.receive_maximum();
                }
            }
        }
    }

    /// A PUBLISH whose packet identifier is already in use.
    fn publish_in_use(&mut self, in_flight: InFlight, stage: Stage, message: u64, is_dup: bool) {
        let is_same = in_flight.message == message;
        let is_v5 = self.context.is_v5();
        match in_flight.stage {
            Stage::Confused => {}
            Stage::Released if is_same => {
                self.find(Rule::ResentAfterPubrel, "PUBLISH was retransmitted after PUBREL");
            }
            Stage::Qos1 | Stage::Qos2 | Stage::Received if is_same && is_dup => {
                if is_v5 {
                    self.find(Rule::ResentAlive, "PUBLISH was retransmitted in the same connection");
                } else {
                    // MQTT 3 allows this, and the receiver may answer both.
                    self.set(Stage::Confused, message, in_flight.is_counted);
                }
                return;
            }
            Stage::Qos1 | Stage::Qos2 | Stage::Received if is_same && in_flight.stage == stage => {
                self.find(Rule::DupMissing, "PUBLISH was retransmitted without DUP");
            }
            _ => self.in_use(in_flight),
        }
        self.set(Stage::Confused, message, in_flight.is_counted);
    }

    /// A PUBLISH with DUP whose packet identifier is free. Returns whether later packets cannot be matched to one use of it.
    fn publish_again(&mut self, stage: Stage, message: u64) -> bool {
        match self.ids.settled(self.packet_id).filter(|settled| settled.is_of(message)) {
            Some(_) if !self.context.is_v5() => true,
            Some(settled) if settled.is_refused => {
                self.find(
                    Rule::ResentAfterRefusal,
                    "PUBLISH was retransmitted after a reason code of 0x80 or higher",
                );
                true
            }
            Some(_) => {
                self.find(
                    Rule::ResentAlive,
                    "PUBLISH was retransmitted in the same connection after its answer",
                );
                true
            }
            None => {
                if self.knows_all {
                    let rule = if stage == Stage::Qos1 { Rule::DupFirstQos1 } else { Rule::DupFirstQos2 };
                    self.find(rule, "DUP is set on the first transmission");
                }
                false
            }
        }
    }

    fn receive_maximum(&mut self) {
        let limits = self.context.packet.tracker.negotiation.limits(self.context.direction);
        let Some(limits) = limits else { return };
        let (maximum, count) = (limits.receive_maximum, self.ids.counted());
        if count > maximum.into() {
            let rule = match self.context.direction {
                Direction::ClientToServer => Rule::ReceiveMaximumClient,
                Direction::ServerToClient => Rule::ReceiveMaximumServer,
            };
            let detail = format!("{count} messages are in flight, but the Receive Maximum is {maximum}");
            self.report.find(rule, self.context.whole(), detail);
        }
    }

    /// SUBSCRIBE or UNSUBSCRIBE.
    fn request(&mut self, stage: Stage) {
        let stage = match self.ids.get(self.packet_id) {
            None if self.is_late => Stage::Confused,
            None => stage,
            // MQTT 3.1 has DUP in these packets, too.
            Some(in_flight) => {
                if in_flight.stage != Stage::Confused {
                    self.in_use(in_flight);
                }
                Stage::Confused
            }
        };
        self.set(stage, 0, false);
    }

    fn in_use(&mut self, in_flight: InFlight) {
        let rule = match self.context.direction {
            Direction::ClientToServer => Rule::PacketIdInUseClient,
            Direction::ServerToClient => Rule::PacketIdInUseServer,
        };
        let waits = match in_flight.stage {
            Stage::Qos1 => "a PUBLISH waits for PUBACK",
            Stage::Qos2 => "a PUBLISH waits for PUBREC",
            Stage::Received => "a PUBREC waits for PUBREL",
            Stage::Released => "a PUBREL waits for PUBCOMP",
            Stage::Subscribed(_) => "a SUBSCRIBE waits for SUBACK",
            Stage::Unsubscribed(_) => "an UNSUBSCRIBE waits for UNSUBACK",
            Stage::Confused => "an exchange is unfinished",
        };
        self.find(rule, format!("packet identifier {} is in use: {waits}", self.packet_id));
    }

    fn puback(&mut self) {
        let is_refused = self.is_refused();
        let Some(in_flight) = self.in_flight() else { return };
        match in_flight.stage {
            Stage::Qos1 => {
                self.in_order(OrderedAck::Puback, Rule::PubackOrder);
                self.ids.settle(self.packet_id, is_refused);
            }
            Stage::Confused => self.ids.settle(self.packet_id, is_refused),
            Stage::Qos2 | Stage::Received | Stage::Released => {
                self.confuse(in_flight, Rule::AnswerQos2, "PUBACK answers a message with QoS 2");
            }
            Stage::Subscribed(_) | Stage::Unsubscribed(_) => self.unknown(),
        }
    }

    fn pubrec(&mut self) {
        let is_refused = self.is_refused();
        let Some(in_flight) = self.in_flight() else { return };
        match in_flight.stage {
            Stage::Qos2 => {
                self.in_order(OrderedAck::Pubrec, Rule::PubrecOrder);
                if is_refused {
                    self.ids.settle(self.packet_id, true);
                } else {
                    self.set(Stage::Received, in_flight.message, in_flight.is_counted);
                }
            }
            Stage::Received | Stage::Released | Stage::Confused => {}
            Stage::Qos1 => self.confuse(in_flight, Rule::AnswerQos1, "PUBREC answers a message with QoS 1"),
            Stage::Subscribed(_) | Stage::Unsubscribed(_) => self.unknown(),
        }
    }

    fn pubrel(&mut self) {
        // It answers an unexpected PUBREC.
        if self.context.reason_code() == Some(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND) {
            return;
        }
        let Some(in_flight) = self.ids.get(self.packet_id) else {
            if self.knows_all && !self.may_repeat() {
                self.find(
                    Rule::AnswerUnknown,
                    format!("PUBREL for packet identifier {}, which is not in use", self.packet_id),
                );
            }
            return self.set(Stage::Released, 0, false);
        };
        match in_flight.stage {
            Stage::Received => {
                self.in_order(OrderedAck::Pubrel, Rule::PubrelOrder);
                self.set(Stage::Released, in_flight.message, in_flight.is_counted);
            }
            Stage::Qos2 => self.confuse(in_flight, Rule::Qos2Order, "PUBREL before PUBREC"),
            Stage::Qos1 => self.confuse(in_flight, Rule::Qos2Order, "PUBREL for a message with QoS 1"),
            Stage::Released if self.context.is_v5() => {
                self.find(Rule::ResentAlive, "PUBREL was retransmitted in the same connection");
            }
            Stage::Released | Stage::Confused => {}
            Stage::Subscribed(_) | Stage::Unsubscribed(_) => self.unknown(),
        }
    }

    fn pubcomp(&mut self) {
        if self.context.reason_code() == Some(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND) {
            return self.ids.settle(self.packet_id, true);
        }
        let Some(in_flight) = self.in_flight() else { return };
        match in_flight.stage {
            Stage::Released | Stage::Confused => self.ids.settle(self.packet_id, false),
            Stage::Qos2 | Stage::Received => {
                self.confuse(in_flight, Rule::Qos2Order, "PUBCOMP before PUBREL");
            }
            Stage::Qos1 => self.confuse(in_flight, Rule::AnswerQos1, "PUBCOMP answers a message with QoS 1"),
            Stage::Subscribed(_) | Stage::Unsubscribed(_) => self.unknown(),
        }
    }

    fn suback(&mut self) {
        let codes = self.context.tree.all(Name::FilterReasonCode).count();
        match self.ids.get(self.packet_id).map(|in_flight| in_flight.stage) {
            Some(Stage::Subscribed(filters)) => {
                self.count(Rule::SubackCount, filters, codes);
                self.ids.settle(self.packet_id, false);
            }
            Some(Stage::Confused) => self.ids.settle(self.packet_id, false),
            _ => self.unasked(Rule::SubackUnknown),
        }
    }

    fn unsuback(&mut self) {
        let codes = self.context.tree.all(Name::FilterReasonCode).count();
        match self.ids.get(self.packet_id).map(|in_flight| in_flight.stage) {
            Some(Stage::Unsubscribed(filters)) => {
                if self.context.is_v5() {
                    self.count(Rule::UnsubackCount, filters, codes);
                }
                self.ids.settle(self.packet_id, false);
            }
            Some(Stage::Confused) => self.ids.settle(self.packet_id, false),
            _ => self.unasked(Rule::UnsubackUnknown),
        }
    }

    fn count(&mut self, rule: Rule, filters: usize, codes: usize) {
        if filters != codes {
            let detail = format!("expected {filters} codes but found {codes}");
            self.report.find(rule, self.context.whole(), detail);
        }
    }

    /// A SUBACK or UNSUBACK whose packet identifier matches no request.
    fn unasked(&mut self, rule: Rule) {
        if self.knows_all && !self.was_confused() {
            self.find(rule, format!("no request waits for {} {}", self.context.kind, self.packet_id));
        }
    }

    /// The exchange that an acknowledgement belongs to.
    fn in_flight(&mut self) -> Option<InFlight> {
        let in_flight = self.ids.get(self.packet_id);
        if in_flight.is_none() && self.knows_all && !self.may_repeat() {
            self.unknown();
        }
        in_flight
    }

    fn unknown(&mut self) {
        self.find(
            Rule::AnswerUnknown,
            format!("no message waits for {} {}", self.context.kind, self.packet_id),
        );
    }

    /// Whether a second answer is allowed: MQTT 3 allows retransmissions, and each gets an answer.
    fn may_repeat(&self) -> bool {
        self.was_confused() || (!self.context.is_v5() && self.ids.settled(self.packet_id).is_some())
    }

    fn was_confused(&self) -> bool {
        self.ids.settled(self.packet_id).is_some_and(|settled| settled.was_confused)
    }

    /// The specification prescribes an order only to clients.
    fn in_order(&mut self, kind: OrderedAck, rule: Rule) {
        if let Some(first) = self.ids.overtaken(kind, self.packet_id)
            && self.context.is_from_client()
        {
            let detail = format!("{} {} before that of {first}", self.context.kind, self.packet_id);
            self.find(rule, detail);
        }
    }

    fn is_refused(&self) -> bool {
        self.context.is_failure()
    }

    fn confuse(&mut self, in_flight: InFlight, rule: Rule, detail: &str) {
        self.find(rule, detail);
        self.set(Stage::Confused, in_flight.message, in_flight.is_counted);
    }

    fn set(&mut self, stage: Stage, message: u64, is_counted: bool) {
        let in_flight = InFlight { stage, message, last: self.context.time(), order: 0, is_counted };
        self.ids.set(self.packet_id, in_flight);
    }

    fn find(&mut self, rule: Rule, detail: impl Into<String>) {
        self.report.find(rule, self.context.range(Name::PacketIdentifier), detail);
    }
}

/// A hash of topic, payload length and start of the payload, to recognise a message; `None` if these were not captured.
fn fingerprint(context: &PacketContext<'_>) -> Option<u64> {
    let mut hasher = FixedState::default().build_hasher();
    context.topic().hash(&mut hasher);
    if let Some(field) = context.tree.find(Name::Payload)
        && let Value::Bytes(bytes) = field.value
    {
        let raw = context.packet.raw;
        let compared = field.range.len().min(COMPARED);
        if !raw.missing.is_empty() || raw.bytes.len() < field.range.start + compared {
            return None;
        }
        field.range.len().hash(&mut hasher);
        hasher.write(bytes.get(..COMPARED.min(bytes.len())).unwrap_or_default());
    }
    Some(hasher.finish())
}

/// Whether an identifier is in the stage.
type IsStage = fn(Stage) -> bool;

/// Reports packets of this side that the other side did not answer.
fn unanswered(direction: Direction, ids: &PacketIdsInFlight, end: ConnectionEnd, report: &mut FindingList) {
    let kinds: [(Rule, &str, IsStage); 6] = [
        (Rule::AnswerQos1, "PUBLISH with QoS 1", |stage| stage == Stage::Qos1),
        (Rule::AnswerQos2, "PUBLISH with QoS 2", |stage| stage == Stage::Qos2),
        (Rule::AnswerPubrec, "PUBREC", |stage| stage == Stage::Received),
        (Rule::AnswerPubrel, "PUBREL", |stage| stage == Stage::Released),
        (Rule::AnswerSubscribe, "SUBSCRIBE", |stage| matches!(stage, Stage::Subscribed(_))),
        (Rule::AnswerUnsubscribe, "UNSUBSCRIBE", |stage| matches!(stage, Stage::Unsubscribed(_))),
    ];
    for (rule, name, is_so) in kinds {
        let waiting = || ids.iter().filter(|(_, in_flight)| is_so(in_flight.stage));
        let Some(oldest) = waiting().map(|(_, in_flight)| in_flight.last).min() else { continue };
        let mut packet_ids: Vec<u16> = waiting().map(|(packet_id, _)| packet_id).collect();
        packet_ids.sort_unstable();
        let sender = if rule == Rule::AnswerPubrec { direction.reverse() } else { direction };
        let severity = end.severity(oldest, Severity::Warning);
        let detail = format!("unanswered {name} of the {}: {}", sender.sender(), list(&packet_ids));
        report.find_as(severity, rule, 0..0, detail);
    }
}

/// `packet identifiers 1, 2, 3 and 7 more`.
fn list(packet_ids: &[u16]) -> String {
    let named: Vec<String> = packet_ids.iter().take(MAX_NAMED).map(u16::to_string).collect();
    let more = packet_ids.len() - named.len();
    let plural = if packet_ids.len() == 1 { "" } else { "s" };
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("packet identifier{plural} {}{rest}", named.join(", "))
}
