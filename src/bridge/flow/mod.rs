//! The acknowledgements of one direction at QoS 1 and 2, as a state machine without sockets and clock.
//!
//! The source gets an acknowledgement only after the target's. The first copy of a message has the same packet identifier at both
//! brokers, so a bridge that was killed continues from the state of the brokers: the source repeats PUBLISH or PUBREL, and the target
//! recognises the identifier. docs/design/bridge.md has the table of all cases.

mod exchange;
#[cfg(test)]
mod tests;

use crate::protocol::{PacketId, PacketType, Qos, ReasonCode};
use exchange::{Exchange, Leg, PacketIds, Source, Stage};
use foldhash::HashMap;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The maximum of exchanges, which only a broker that breaks the protocol exceeds.
const MAX_EXCHANGES: usize = 2 * u16::MAX as usize;

/// The pause after a message that exceeded the target's quota.
const QUOTA_PAUSE: Duration = Duration::from_secs(1);

/// The packets that follow from a step, and facts for the statistics.
pub(super) trait Wires<M> {
    /// Sends an acknowledgement to the source.
    fn acknowledge(&mut self, packet_type: PacketType, packet_id: PacketId);

    /// Sends a copy to the target. `false`: it cannot be sent, now or later.
    fn publish(&mut self, message: &M, copy: &Transmission) -> bool;

    /// Sends PUBREL to the target.
    fn release(&mut self, packet_id: PacketId);

    /// The target took the responsibility for a copy; at QoS 0, it was sent.
    fn delivered(&mut self, message: Option<&M>);

    /// The target refused a copy.
    fn rejected(&mut self, message: Option<&M>, target: usize, reason: ReasonCode);

    /// The target refused a copy for now, which is sent again.
    fn postponed(&mut self);

    /// The target has forgotten a copy that it had received, which is sent again.
    fn forgotten(&mut self);

    /// Whether there is room for more packets to the target.
    fn has_room(&self) -> bool;

    /// Whether a message that was not sent yet is too old to be sent.
    fn is_expired(&mut self, message: &M) -> bool;

    /// Whether the rate limit allows another message now.
    fn is_allowed(&mut self) -> bool;
}

/// The variable parts of PUBLISH to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transmission {
    /// The number of the topic.
    pub(super) target: usize,
    pub(super) qos: Qos,
    /// `None` at QoS 0.
    pub(super) packet_id: Option<PacketId>,
    pub(super) dup: bool,
}

/// The limits of a connection to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The maximum of messages in flight.
    pub(super) total: usize,
    /// The maximum of messages at QoS 2 among them.
    pub(super) exactly_once: usize,
    pub(super) maximum_qos: Qos,
}

/// The meaning of a PUBLISH from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reception {
    /// A message that [`Flow::push`] has to take.
    New,
    /// A repetition of a message that is known.
    Known,
}

/// The side that did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silent {
    Source,
    Target,
}

/// The source sent too many messages at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overflow;

/// The copies in flight on the current connection to the target.
#[derive(Debug, Default)]
struct OnWire {
    total: usize,
    exactly_once: usize,
    /// The numbers of the exchanges, by the identifiers of their copies.
    numbers: HashMap<PacketId, u64>,
}

/// The exchanges of one direction.
#[derive(Debug)]
pub(super) struct Flow<M> {
    /// By the order in which their messages arrived.
    exchanges: BTreeMap<u64, Exchange<M>>,
    /// The exchanges that the source knows by their identifiers.
    at_source: HashMap<PacketId, u64>,
    /// The number of the next message.
    end: u64,
    /// The exchanges before this number are in flight on the current connection to the target.
    next: u64,
    /// The number of waiting exchanges.
    waiting: usize,
    on_wire: OnWire,
    is_target_up: bool,
    window: Window,
    /// The maximum of copies of a message.
    maximum_copies: usize,
    /// Identifiers at the target that other requests hold.
    reserved: Vec<PacketId>,
    /// Whether the source has repeated on its connection all that it has in flight.
    has_repeated: bool,
    /// Whether identifiers at the target may collide: the source forgot an exchange, or a message has several copies.
    may_collide: bool,
    /// Messages that were not sent yet are left to the source.
    is_draining: bool,
    /// Nothing is sent to the target before this time.
    paused_until: Option<Instant>,
    /// The identifiers of complete exchanges at QoS 2, which the target should have forgotten.
    completed: PacketIds,
    /// Whether the target may be in an older state, with exchanges that are complete here.
    is_target_doubted: bool,
    /// The refusals and missing answers of the target since its last acknowledgement.
    doubts: u32,
    /// Whether [`Flow::completed`] has all identifiers that the target may hold: not those of an earlier run of the bridge.
    knows_completed: bool,
    /// The released identifiers of complete exchanges whose PUBCOMP is missing, and the time of the last such PUBCOMP.
    releases: usize,
    last_release: Option<Instant>,
}

impl<M> Flow<M> {
    /// Without exchanges, as after a restart.
    pub(super) fn new(maximum_copies: usize) -> Flow<M> {
        Flow {
            exchanges: BTreeMap::new(),
            at_source: HashMap::default(),
            end: 0,
            next: 0,
            waiting: 0,
            on_wire: OnWire::default(),
            is_target_up: false,
            window: Window { total: 1, exactly_once: 1, maximum_qos: Qos::ExactlyOnce },
            maximum_copies: maximum_copies.max(1),
            reserved: Vec::new(),
            has_repeated: false,
            may_collide: maximum_copies > 1,
            is_draining: false,
            paused_until: None,
            completed: PacketIds::default(),
            is_target_doubted: false,
            doubts: 0,
            knows_completed: false,
            releases: 0,
            last_release: None,
        }
    }

    /// The number of copies between PUBLISH and the target's last acknowledgement.
    pub(super) fn in_flight(&self) -> usize {
        let is_open = |leg: &&Leg| leg.was_sent && leg.stage != Stage::Done;
        self.exchanges.values().flat_map(Exchange::legs).filter(is_open).count()
    }

    /// The messages that were not sent yet.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &M> {
        let is_waiting = |exchange: &&Exchange<M>| !exchange.is_started() && !exchange.is_done();
        self.exchanges.values().filter(is_waiting).filter_map(|exchange| exchange.message.as_ref())
    }

    /// Whether the target has messages at QoS 2, whose PUBREL comes from the source.
    pub(super) fn needs_source(&self) -> bool {
        self.on_wire.exactly_once > 0
    }

    /// The number of messages that wait for the target.
    pub(super) fn waiting_count(&self) -> usize {
        self.waiting
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// Sends no further message that the source will deliver again.
    pub(super) fn drain(&mut self) {
        self.is_draining = true;
    }

    /// Whether a drain is complete: no side of a started exchange has to answer.
    pub(super) fn is_drained(&self) -> bool {
        let is_owed = |exchange: &Exchange<M>| {
            let waits_for_target =
                exchange.legs().any(|leg| matches!(leg.stage, Stage::Sent | Stage::Released));
            exchange.source == Source::Gone
                || (exchange.is_started() && (exchange.is_seen || waits_for_target))
        };
        !self.exchanges.values().any(is_owed)
    }

    /// Whether an exchange or another request holds the identifier at the target.
    pub(super) fn is_taken(&self, packet_id: PacketId) -> bool {
        self.reserved.contains(&packet_id) || self.number_of(packet_id).is_some()
    }

    /// Keeps messages from taking an identifier.
    pub(super) fn reserve(&mut self, packet_id: PacketId) {
        self.reserved.push(packet_id);
    }

    /// Makes an identifier available again.
    pub(super) fn unreserve(&mut self, packet_id: PacketId) {
        self.reserved.retain(|&reserved| reserved != packet_id);
    }

    /// Handles PUBLISH from the source at QoS 1 or 2.
    pub(super) fn receive(
        &mut self,
        packet_id: PacketId,
        qos: Qos,
        dup: bool,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) -> Reception {
        let Some(&number) = self.at_source.get(&packet_id) else { return Reception::New };
        let Some(exchange) = self.exchanges.get_mut(&number) else { return Reception::New };
        // At QoS 2, the identifier alone marks a repetition until PUBREL [MQTT-4.3.3-10].
        let is_same =
            exchange.qos == qos && (dup || (qos == Qos::ExactlyOnce && exchange.source != Source::Released));
        if !is_same {
            self.abandon(number, now, wires);
            return Reception::New;
        }
        exchange.is_seen = true;
        exchange.source = Source::Open;
        self.advance(number, now, wires);
        Reception::Known
    }

    /// Takes a new message from the source with a QoS for each of its topics at the target. Without topics it is acknowledged and
    /// dropped. Call [`Flow::pump`] afterwards.
    ///
    /// # Errors
    /// If the source has far more messages in flight than there are identifiers.
    pub(super) fn push(
        &mut self,
        packet_id: PacketId,
        qos: Qos,
        message: Option<M>,
        copies: impl Iterator<Item = (usize, Qos)>,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) -> Result<(), Overflow> {
        if self.exchanges.len() >= MAX_EXCHANGES {
            return Err(Overflow);
        }
        let mut exchange = Exchange::new(packet_id, qos, message, now);
        for (target, qos) in copies {
            exchange.add_leg(target, qos, Stage::Waiting, now);
        }
        let is_done = exchange.is_done();
        let number = self.insert(exchange);
        if is_done {
            self.advance(number, now, wires);
        }
        Ok(())
    }

    /// Handles PUBREL from the source.
    ///
    /// # Errors
    /// As [`Flow::push`].
    pub(super) fn receive_release(
        &mut self,
        packet_id: PacketId,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) -> Result<(), Overflow> {
        if let Some(&number) = self.at_source.get(&packet_id) {
            if let Some(exchange) = self.exchanges.get_mut(&number) {
                exchange.is_seen = true;
                exchange.source = Source::Released;
            }
            self.advance(number, now, wires);
            return Ok(());
        }
        if self.window.maximum_qos < Qos::ExactlyOnce {
            wires.acknowledge(PacketType::Pubcomp, packet_id);
            return Ok(());
        }
        if self.exchanges.len() >= MAX_EXCHANGES {
            return Err(Overflow);
        }
        // An earlier run of the bridge received the message. The target answers for each copy, known or not.
        let mut exchange = Exchange::new(packet_id, Qos::ExactlyOnce, None, now);
        exchange.source = Source::Released;
        for target in 0..self.maximum_copies {
            exchange.add_leg(target, Qos::ExactlyOnce, Stage::Received, now);
        }
        self.insert(exchange);
        Ok(())
    }

    /// Handles PUBACK from the target.
    pub(super) fn receive_puback(
        &mut self,
        packet_id: PacketId,
        reason: ReasonCode,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) {
        let Some(&number) = self.on_wire.numbers.get(&packet_id) else { return };
        if reason == ReasonCode::QUOTA_EXCEEDED {
            return self.postpone(number, packet_id, Qos::AtLeastOnce, now, wires);
        }
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        let (message, mut legs) = exchange.parts_mut();
        let is_acknowledged = |leg: &&mut Leg| {
            leg.packet_id == packet_id && leg.stage == Stage::Sent && leg.qos == Qos::AtLeastOnce
        };
        let Some(leg) = legs.find(is_acknowledged) else { return };
        report(message, leg.target, reason, wires);
        self.on_wire.finish(leg);
        drop(legs);
        self.doubts = 0;
        self.advance(number, now, wires);
    }

    /// Handles PUBREC from the target.
    pub(super) fn receive_pubrec(
        &mut self,
        packet_id: PacketId,
        reason: ReasonCode,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) {
        let on_wire = self.on_wire.numbers.get(&packet_id).copied();
        if on_wire.is_none() && reason.is_error() {
            return;
        }
        // The target may have received a copy on an earlier connection, and answers before the copy is in flight on this one.
        let Some(number) = on_wire.or_else(|| self.number_of(packet_id)) else {
            // Complete exchanges are released. The source repeats a message of an earlier run of the bridge: if the target had released
            // it before, the target would take it for a new message.
            if self.completed.contains(packet_id) {
                wires.release(packet_id);
            }
            return;
        };
        if reason == ReasonCode::QUOTA_EXCEEDED {
            return self.postpone(number, packet_id, Qos::ExactlyOnce, now, wires);
        }
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        let (message, mut legs) = exchange.parts_mut();
        let is_answered = |leg: &&mut Leg| leg.packet_id == packet_id && leg.qos == Qos::ExactlyOnce;
        let Some(leg) = legs.find(is_answered) else { return };
        match leg.stage {
            Stage::Sent => {
                report(message, leg.target, reason, wires);
                if reason.is_error() {
                    self.on_wire.finish(leg);
                } else {
                    leg.stage = Stage::Received;
                }
            }
            Stage::Released if leg.is_on_wire => wires.release(packet_id),
            Stage::Waiting | Stage::Received | Stage::Released | Stage::Done => {}
        }
        drop(legs);
        self.advance(number, now, wires);
    }

    /// The number of the exchange with a copy of this identifier.
    fn number_of(&self, packet_id: PacketId) -> Option<u64> {
        let has_it = |exchange: &Exchange<M>| exchange.legs().any(|leg| leg.packet_id == packet_id);
        self.exchanges.iter().find_map(|(&number, exchange)| has_it(exchange).then_some(number))
    }

    /// Handles PUBCOMP from the target. An unknown identifier means that the exchange was completed earlier; but if PUBREL was sent
    /// for the first time, the target has forgotten the message, as after a restore from an older state.
    pub(super) fn receive_pubcomp(
        &mut self,
        packet_id: PacketId,
        reason: ReasonCode,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) {
        let Some(&number) = self.on_wire.numbers.get(&packet_id) else { return self.note_release(now) };
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        let has_message = exchange.message.is_some();
        let is_completed = |leg: &&mut Leg| leg.packet_id == packet_id && leg.stage == Stage::Released;
        let Some(leg) = exchange.legs_mut().find(is_completed) else { return };
        self.on_wire.finish(leg);
        let is_first_release = std::mem::take(&mut leg.is_received_earlier);
        if reason == ReasonCode::PACKET_IDENTIFIER_NOT_FOUND && is_first_release && has_message {
            leg.stage = Stage::Waiting;
            self.go_back_to(number);
            return wires.forgotten();
        }
        self.completed.insert(packet_id);
        self.doubts = 0;
        self.advance(number, now, wires);
    }

    /// The target's quota is exceeded: sends the copy again after a pause, before later messages.
    fn postpone(
        &mut self,
        number: u64,
        packet_id: PacketId,
        qos: Qos,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        let is_refused =
            |leg: &&mut Leg| leg.packet_id == packet_id && leg.stage == Stage::Sent && leg.qos == qos;
        let Some(leg) = exchange.legs_mut().find(is_refused) else { return };
        self.on_wire.finish(leg);
        leg.stage = Stage::Waiting;
        self.go_back_to(number);
        // mosquitto closes the connection after this answer.
        if self.paused_until.replace(now + QUOTA_PAUSE).is_none_or(|end| end <= now) {
            self.doubt_target();
            self.release_completed(wires);
        }
        wires.postponed();
    }

    /// Lets an exchange wait again, before later ones.
    fn go_back_to(&mut self, number: u64) {
        self.next = self.next.min(number);
        self.waiting = self.exchanges.range(self.next..).count();
    }

    /// Releases the identifiers of complete exchanges. A target that was restored from an older state waits for that, and counts
    /// them against its quota.
    ///
    /// If that does not help, they are of an earlier run of the bridge. Then it releases all identifiers but those that the source
    /// has in flight, once it has repeated these.
    fn release_completed(&mut self, wires: &mut impl Wires<M>) {
        let is_seen = || self.exchanges.values().all(|exchange| exchange.is_seen);
        let mut released = if self.doubts > 1 && !self.knows_completed && self.has_repeated && is_seen() {
            self.knows_completed = true;
            PacketIds::all()
        } else {
            self.completed.clone()
        };
        let open = self.exchanges.values().flat_map(Exchange::legs).map(|leg| leg.packet_id);
        open.chain(self.reserved.iter().copied()).for_each(|packet_id| released.remove(packet_id));
        for packet_id in released.iter() {
            self.releases += 1;
            wires.release(packet_id);
        }
    }

    /// PUBCOMP for a complete exchange. There can be so many that the answers to messages come late, over a slow network.
    fn note_release(&mut self, now: Instant) {
        if self.releases > 0 {
            self.releases -= 1;
            self.last_release = Some(now);
        }
    }

    /// The target left a message without an answer, perhaps since it is in an older state.
    pub(super) fn doubt_target(&mut self) {
        self.is_target_doubted = true;
        self.doubts += 1;
    }

    /// The source accepted a connection. Without its session, it has forgotten all exchanges.
    pub(super) fn source_connected(
        &mut self,
        session_present: bool,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) {
        self.source_lost();
        // Without a session, there is nothing to repeat.
        self.has_repeated = !session_present;
        if !session_present {
            self.abandon_if(|_| true, now, wires);
        }
    }

    /// The connection to the source ended.
    pub(super) fn source_lost(&mut self) {
        self.has_repeated = false;
        for exchange in self.exchanges.values_mut() {
            exchange.is_seen = false;
        }
    }

    /// The source will repeat no more on its connection.
    pub(super) fn source_has_repeated(&mut self) {
        self.has_repeated = true;
    }

    /// Whether the target waits for the identifiers of an earlier run, and so for the end of the source's repetitions.
    pub(super) fn awaits_repetition(&self) -> bool {
        self.doubts > 0 && !self.knows_completed && !self.has_repeated
    }

    /// Whether the source has not repeated some exchanges on its connection so far.
    pub(super) fn has_unseen(&self) -> bool {
        self.exchanges.values().any(|exchange| exchange.source != Source::Gone && !exchange.is_seen)
    }

    /// The source did not repeat these exchanges on its connection, so it has forgotten them.
    pub(super) fn abandon_unseen(&mut self, now: Instant, wires: &mut impl Wires<M>) {
        self.abandon_if(|exchange| !exchange.is_seen, now, wires);
    }

    /// The target accepted a connection. Returns the number of copies that are sent again and may be doubled, because it lost its
    /// session. Call [`Flow::pump`] afterwards.
    pub(super) fn target_connected(
        &mut self,
        window: Window,
        session_present: bool,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) -> usize {
        self.target_lost();
        self.is_target_up = true;
        self.window = window;
        self.paused_until = None;
        let is_doubted = std::mem::take(&mut self.is_target_doubted);
        let mut repeated = 0;
        if session_present {
            if is_doubted {
                self.release_completed(wires);
            }
        } else {
            (self.completed, self.knows_completed) = (PacketIds::default(), true);
            for exchange in self.exchanges.values_mut() {
                let has_message = exchange.message.is_some();
                for leg in exchange.legs_mut().filter(|leg| leg.was_sent && leg.stage != Stage::Done) {
                    leg.stage = if has_message { Stage::Waiting } else { Stage::Done };
                    repeated += usize::from(has_message);
                }
            }
            self.advance_all(now, wires);
        }
        repeated
    }

    /// The connection to the target ended.
    pub(super) fn target_lost(&mut self) {
        self.is_target_up = false;
        self.on_wire = OnWire::default();
        (self.next, self.waiting) = (0, self.exchanges.len());
        self.reserved.clear();
        (self.releases, self.last_release) = (0, None);
        for leg in self.exchanges.values_mut().flat_map(Exchange::legs_mut) {
            leg.is_on_wire = false;
            leg.is_received_earlier = leg.stage == Stage::Received;
        }
    }

    /// Sends messages to the target while its limits allow it.
    pub(super) fn pump(&mut self, now: Instant, wires: &mut impl Wires<M>) {
        if self.paused_until.is_some_and(|end| now < end) {
            return;
        }
        while self.is_target_up && self.waiting > 0 && wires.has_room() {
            let Some(number) = self.exchanges.range(self.next..).next().map(|(&number, _)| number) else {
                break;
            };
            if !self.admit(number, now, wires) {
                break;
            }
            self.next = number + 1;
            self.waiting -= 1;
            self.advance(number, now, wires);
        }
        if self.exchanges.is_empty() {
            self.may_collide = self.maximum_copies > 1;
        }
    }

    /// The side that owes an answer for longer than `timeout`.
    pub(super) fn silent_side(&self, now: Instant, timeout: Duration) -> Option<Silent> {
        let is_over = |since: Instant| now.saturating_duration_since(since) > timeout;
        let owes = |leg: &Leg| {
            let since = self.last_release.map_or(leg.since, |last| last.max(leg.since));
            leg.is_on_wire && matches!(leg.stage, Stage::Sent | Stage::Released) && is_over(since)
        };
        if self.exchanges.values().flat_map(Exchange::legs).any(owes) {
            return Some(Silent::Target);
        }
        let is_unreleased = |exchange: &Exchange<M>| {
            exchange.is_seen && exchange.source == Source::Recorded && is_over(exchange.acknowledged)
        };
        self.exchanges.values().any(is_unreleased).then_some(Silent::Source)
    }

    /// Sends the copies of an exchange. Returns whether all of them are in flight.
    fn admit(&mut self, number: u64, now: Instant, wires: &mut impl Wires<M>) -> bool {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return false };
        let is_started = exchange.is_started();
        if !is_started {
            if self.is_draining && exchange.source != Source::Gone {
                return false;
            }
            if exchange.message.as_ref().is_some_and(|message| wires.is_expired(message)) {
                exchange.legs_mut().for_each(|leg| leg.stage = Stage::Done);
                return true;
            }
        }
        lower_qos(exchange, self.window);
        let is_held = |id| self.reserved.contains(&id) || (self.may_collide && self.on_wire.holds(id));
        if !self.on_wire.has_room_for(exchange, self.window)
            || exchange.unsent().any(|leg| is_held(leg.packet_id))
            || (!is_started && !wires.is_allowed())
        {
            return false;
        }
        let (message, legs) = exchange.parts_mut();
        for leg in legs.filter(|leg| leg.stage != Stage::Done && !leg.is_on_wire) {
            if self.on_wire.total >= self.window.total {
                return false;
            }
            send(leg, message, now, wires);
            if leg.stage != Stage::Done {
                self.on_wire.add(leg, number);
            }
        }
        true
    }

    /// Sends the acknowledgements that are due in an exchange, and removes it at its end.
    fn advance(&mut self, number: u64, now: Instant, wires: &mut impl Wires<M>) {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        if matches!(exchange.source, Source::Released | Source::Gone) {
            for leg in exchange.legs_mut().filter(|leg| leg.is_on_wire && leg.stage == Stage::Received) {
                wires.release(leg.packet_id);
                (leg.stage, leg.since) = (Stage::Released, now);
            }
        }
        let packet_id = exchange.packet_id;
        let is_settled = exchange.is_seen && exchange.is_done();
        let is_over = match exchange.source {
            Source::Open if exchange.qos == Qos::ExactlyOnce => {
                if exchange.is_seen && exchange.is_received() {
                    wires.acknowledge(PacketType::Pubrec, packet_id);
                    (exchange.source, exchange.acknowledged) = (Source::Recorded, now);
                }
                false
            }
            Source::Open if is_settled => {
                wires.acknowledge(PacketType::Puback, packet_id);
                true
            }
            Source::Released if is_settled => {
                wires.acknowledge(PacketType::Pubcomp, packet_id);
                true
            }
            Source::Open | Source::Recorded | Source::Released => false,
            Source::Gone => exchange.is_done(),
        };
        if is_over {
            self.remove(number, packet_id);
        }
    }

    fn advance_all(&mut self, now: Instant, wires: &mut impl Wires<M>) {
        let numbers: Vec<u64> = self.exchanges.keys().copied().collect();
        for number in numbers {
            self.advance(number, now, wires);
        }
    }

    fn insert(&mut self, exchange: Exchange<M>) -> u64 {
        let number = self.end;
        self.end += 1;
        self.waiting += 1;
        self.at_source.insert(exchange.packet_id, number);
        self.exchanges.insert(number, exchange);
        number
    }

    fn remove(&mut self, number: u64, packet_id: PacketId) {
        self.exchanges.remove(&number);
        self.waiting -= usize::from(number >= self.next);
        // A newer exchange may have the identifier.
        if self.at_source.get(&packet_id) == Some(&number) {
            self.at_source.remove(&packet_id);
        }
    }

    /// The source has forgotten the exchange: it is completed at the target without it.
    fn abandon(&mut self, number: u64, now: Instant, wires: &mut impl Wires<M>) {
        if let Some(exchange) = self.exchanges.get_mut(&number) {
            exchange.source = Source::Gone;
            self.at_source.remove(&exchange.packet_id);
            self.may_collide = true;
        }
        self.advance(number, now, wires);
    }

    fn abandon_if(
        &mut self,
        is_forgotten: impl Fn(&Exchange<M>) -> bool,
        now: Instant,
        wires: &mut impl Wires<M>,
    ) {
        let forgotten = self
            .exchanges
            .iter()
            .filter(|(_, exchange)| exchange.source != Source::Gone && is_forgotten(exchange));
        let numbers: Vec<u64> = forgotten.map(|(&number, _)| number).collect();
        for number in numbers {
            self.abandon(number, now, wires);
        }
    }
}

impl OnWire {
    fn holds(&self, packet_id: PacketId) -> bool {
        self.numbers.contains_key(&packet_id)
    }

    /// Whether the window has room for the unsent copies of an exchange. More copies than the target takes at once go out one
    /// after the other; `lower_qos` keeps QoS 2 out of that.
    fn has_room_for<M>(&self, exchange: &Exchange<M>, window: Window) -> bool {
        let needed = exchange.unsent().count();
        let exactly_once = exchange.unsent().filter(|leg| leg.qos == Qos::ExactlyOnce).count();
        (self.total + needed <= window.total || needed > window.total)
            && (exactly_once == 0 || self.exactly_once + exactly_once <= window.exactly_once)
    }

    fn add(&mut self, leg: &mut Leg, number: u64) {
        leg.is_on_wire = true;
        self.total += 1;
        self.exactly_once += usize::from(leg.qos == Qos::ExactlyOnce);
        self.numbers.insert(leg.packet_id, number);
    }

    /// The target owes nothing more for a copy.
    fn finish(&mut self, leg: &mut Leg) {
        if leg.is_on_wire {
            self.total = self.total.saturating_sub(1);
            self.exactly_once = self.exactly_once.saturating_sub(usize::from(leg.qos == Qos::ExactlyOnce));
            self.numbers.remove(&leg.packet_id);
        }
        (leg.stage, leg.is_on_wire) = (Stage::Done, false);
    }
}

/// Sends the packet that is due for a copy.
fn send<M>(leg: &mut Leg, message: Option<&M>, now: Instant, wires: &mut impl Wires<M>) {
    leg.since = now;
    match (leg.stage, message) {
        (Stage::Waiting | Stage::Sent, Some(message)) => {
            let packet_id = (leg.qos > Qos::AtMostOnce).then_some(leg.packet_id);
            let dup = leg.stage == Stage::Sent && packet_id.is_some();
            let is_sent =
                wires.publish(message, &Transmission { target: leg.target, qos: leg.qos, packet_id, dup });
            leg.was_sent = true;
            leg.stage = if is_sent && packet_id.is_some() { Stage::Sent } else { Stage::Done };
            if is_sent && packet_id.is_none() {
                wires.delivered(Some(message));
            }
        }
        (Stage::Released, _) => wires.release(leg.packet_id),
        (Stage::Waiting | Stage::Sent, None) => leg.stage = Stage::Done,
        (Stage::Received | Stage::Done, _) => {}
    }
}

/// Lowers the QoS of copies that the target's limits do not allow.
fn lower_qos<M>(exchange: &mut Exchange<M>, window: Window) {
    let is_open = |leg: &&mut Leg| matches!(leg.stage, Stage::Waiting | Stage::Sent);
    let exactly_once = exchange.legs().filter(|leg| leg.qos == Qos::ExactlyOnce && leg.stage != Stage::Done);
    let exceeds = exactly_once.count() > window.exactly_once.min(window.total);
    let maximum = if exceeds { window.maximum_qos.min(Qos::AtLeastOnce) } else { window.maximum_qos };
    for leg in exchange.legs_mut().filter(is_open) {
        leg.qos = leg.qos.min(maximum);
    }
}

/// Notes the target's answer to a copy.
fn report<M>(message: Option<&M>, target: usize, reason: ReasonCode, wires: &mut impl Wires<M>) {
    if reason.is_error() {
        wires.rejected(message, target, reason);
    } else {
        wires.delivered(message);
    }
}
