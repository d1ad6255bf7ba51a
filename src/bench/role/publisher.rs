//! Publishes as fast as the broker acknowledges (a closed loop), or at planned times regardless of the broker (an
//! open loop).

use super::event_context::{EventContext, InFlight, record_times};
use crate::bench::client_slot::ClientSlot;
use crate::bench::context::{Control, LatencyBatch, Measurements, Phase, Timers, nanoseconds};
use crate::bench::error::ClientError;
use crate::bench::generator::GeneratorState;
use crate::bench::payload::Recorded;
use crate::bench::payload_header::PayloadHeader;
use crate::bench::plan::{Group, Plan};
use crate::bench::record::{LatencyKind, Sent, Stage};
use crate::bench::schedule::Schedule;
use crate::bench::template::Values;
use crate::bench::think_time::Pauses;
use crate::protocol::session::Session;
use crate::protocol::sn::client::Rejections;
use crate::protocol::{PropertiesBuf, Publish, Qos, ReasonCode};
use crate::transport::Connection;
use std::cell::Cell;
use std::ops::Range;

/// The maximum number of QoS 0 messages in one write, subject to the limit in bytes.
const MESSAGES_PER_WRITE: u64 = 64;
const BYTES_PER_WRITE: usize = 64 * 1024;

/// A message counts as late when it is sent this long after its planned time.
const LATE_NANOSECONDS: u64 = 1_000_000;

/// A request without an answer is given up after this time, and after this many times the longest one until then. The time doubles
/// with each one in a row: if nothing is answered any more, the run ends by its own timeout.
const SHORTEST_WAIT: u64 = 1_000_000_000;
const LONGEST_TIMES: u64 = 3;

/// The state of a publisher.
pub(in crate::bench) struct Publisher {
    /// Its number among the publishers of all groups.
    number: u32,
    client_id: String,
    topic: String,
    /// Whether each message has a topic of its own.
    has_new_topics: bool,
    /// The properties of each message.
    properties: PropertiesBuf,
    /// The seed of generated values in payloads, and the last values of random walks.
    seed: u64,
    walks: Box<[Cell<f64>]>,
    /// The total number of messages to send; the maximum until it is known.
    goal: u64,
    /// The number of messages encoded so far, which is the next sequence number.
    pub(super) encoded: u64,
    /// The maximum number of those that are still in the connection's output.
    unwritten: u64,
    /// The size on the wire of the shortest message in the output.
    packet_size: usize,
    /// The planned send times of an open loop.
    timing: Option<Box<Timing>>,
    /// The pauses of a closed loop with think times.
    pauses: Option<Box<Pauses>>,
    /// When the publisher asked to be woken.
    wake_at: Option<u64>,
    /// Requests that were answered or given up.
    answered: u64,
    sent: Sent,
    /// The number of rejected messages of QoS 0.
    rejected: u64,
    /// Whether it asked to be woken because no request may be sent before an answer.
    waits_for_answer: bool,
    /// How often in a row it gave up requests.
    given_up: u8,
    is_measuring: bool,
    /// Whether a ping follows each batch of QoS 0 messages, and the next batch waits for its answer.
    is_confirmed: bool,
    sent_final_ping: bool,
    is_finished: bool,
    saw_reconnect: bool,
}

/// The planned times, and the reasons of delays.
struct Timing {
    schedule: Schedule,
    is_counted: bool,
    /// Whether the window or the socket's buffer is full.
    is_blocked: bool,
    /// The time at which the window or the buffer had room again: messages due earlier waited for the broker.
    blocked_until: u64,
    /// The time at which we last noticed our own delay: messages due earlier are late for that reason.
    stalled_until: u64,
}

impl Timing {
    /// Whether a message is late because of this machine alone.
    fn is_our_delay(&mut self, planned_at: u64, now: u64) -> bool {
        if planned_at >= self.blocked_until {
            self.stalled_until = now;
        }
        planned_at <= self.stalled_until
    }
}

impl Publisher {
    pub(super) fn new(plan: &Plan, slot: ClientSlot) -> Publisher {
        let group = plan.group(slot);
        let client_id = plan.client_id(slot);
        let seed = u64::from(plan.seed) << 32 | u64::from(plan.global_number_of(slot));
        let timing = |load| {
            let schedule =
                Schedule::new(load, group.offsets.before.publishers + slot.number, group.whole().publishers);
            Box::new(Timing {
                schedule,
                is_counted: false,
                // Messages that are due while a late client connects wait for the broker.
                is_blocked: group.is_late(),
                blocked_until: 0,
                stalled_until: 0,
            })
        };
        Publisher {
            number: group.first_publisher + slot.number,
            topic: group.topics.topic(slot.number, &client_id),
            has_new_topics: group.topics.are_new_for_each_message() || group.topic_list.is_some(),
            client_id,
            properties: plan.broker.properties.publish.clone(),
            seed,
            walks: group.payload.walks(seed),
            goal: u64::MAX,
            encoded: 0,
            unwritten: 0,
            packet_size: 0,
            timing: group.open_loop.clone().map(timing),
            pauses: group
                .think
                .map(|think| Box::new(Pauses::new(think, group.offsets.before.publishers + slot.number))),
            wake_at: None,
            answered: 0,
            sent: Sent::default(),
            rejected: 0,
            waits_for_answer: false,
            given_up: 0,
            is_measuring: false,
            is_confirmed: plan.is_confirmed(group),
            sent_final_ping: false,
            is_finished: false,
            saw_reconnect: false,
        }
    }

    /// Sets the properties of each message.
    pub(super) fn with_properties(self, properties: PropertiesBuf) -> Publisher {
        Publisher { properties, ..self }
    }

    /// Whether a requested wake-up time has come.
    pub(in crate::bench) fn is_due(&mut self, timers: &Timers) -> bool {
        let is_due = self.wake_at.take_if(|time| *time <= timers.woken_until()).is_some();
        if is_due && std::mem::take(&mut self.waits_for_answer) {
            self.answered = self.encoded;
            self.given_up = self.given_up.saturating_add(1);
        }
        is_due
    }

    /// Asks to be woken when the requests without an answer are given up.
    fn wake_without_answer(&mut self, context: &EventContext<'_>, timer_id: usize) {
        let longest = LONGEST_TIMES.saturating_mul(context.measurements.gauges.slowest.value());
        let wait = longest.max(SHORTEST_WAIT).saturating_mul(1 << self.given_up.min(32));
        if !self.waits_for_answer && wait < nanoseconds(context.plan.timeout) {
            let end = context.now.saturating_add(wait);
            (self.waits_for_answer, self.wake_at) = (true, Some(end));
            context.timers.wake_at(timer_id, end);
        }
    }

    /// Encodes the messages that are due. Returns whether to send a ping, whose answer shows that the broker has read
    /// everything so far.
    ///
    /// # Errors
    /// If the broker's limits exclude such messages.
    pub(in crate::bench) fn publish(
        &mut self,
        context: &EventContext<'_>,
        timer_id: usize,
        session: &mut Session<InFlight>,
        connection: &mut Connection,
        awaits_pingresp: bool,
    ) -> Result<bool, ClientError> {
        let phase = context.control.phase();
        if phase < Phase::Measure || self.is_finished {
            return Ok(false);
        }
        if waits_for_subscriptions(context) {
            return Ok(false);
        }
        if !self.saw_reconnect && context.control.current().is_reconnected {
            self.saw_reconnect = true;
            self.sent.after_gap = Some(self.encoded);
        }
        if phase > Phase::Measure || self.timing.is_none() && context.now >= closed_loop_end(context) {
            self.stop(context);
        }
        if !self.is_through(context) {
            if self.is_confirmed && awaits_pingresp {
                return Ok(false);
            }
            let before = self.encoded;
            self.encode_batch(context, session, connection)?;
            self.schedule_wake_up(context, timer_id, session);
            if !self.is_through(context) {
                return Ok(self.is_confirmed && self.encoded > before);
            }
        }
        Ok(self.conclude(context, session, awaits_pingresp))
    }

    /// Stops sending new messages.
    fn stop(&mut self, context: &EventContext<'_>) {
        self.count_unsent(context);
        self.goal = self.encoded;
    }

    /// Counts the messages that were due before the end of the load and were not sent, once.
    fn count_unsent(&mut self, context: &EventContext<'_>) {
        let Some(timing) = self.timing.as_mut().filter(|timing| !timing.is_counted) else {
            return;
        };
        timing.is_counted = true;
        // A message that just became due is not late yet.
        let end =
            context.now.saturating_sub(LATE_NANOSECONDS).min(context.control.load_end().saturating_sub(1));
        let Some(time) = end.checked_sub(context.control.load_began()) else {
            return;
        };
        let unsent = timing.schedule.count_due(time).min(self.goal.saturating_sub(self.encoded));
        if unsent > 0 {
            let text = "a message was due and was not sent before the run ended";
            context.measurements.record.borrow_mut().errors.add(Stage::Run, text.to_owned(), unsent);
        }
    }

    /// Whether nothing is left to send.
    fn is_through(&self, context: &EventContext<'_>) -> bool {
        let is_over = |timing: &Timing| {
            let next = context.control.load_began().saturating_add(timing.schedule.next());
            next >= context.control.load_end()
        };
        self.encoded >= self.goal || self.timing.as_ref().is_some_and(|timing| is_over(timing))
    }

    /// Waits for the last acknowledgement or, at QoS 0, for the answer to a ping. Returns whether to send that ping.
    fn conclude(
        &mut self,
        context: &EventContext<'_>,
        session: &Session<InFlight>,
        awaits_pingresp: bool,
    ) -> bool {
        if context.qos() != Qos::AtMostOnce {
            if session.unsettled() == 0 {
                self.finish(context.measurements);
            }
            return false;
        }
        if !self.sent_final_ping {
            self.sent_final_ping = true;
            return true;
        }
        if !awaits_pingresp {
            context.measurements.record.borrow_mut().acknowledging.note(context.now);
            self.finish(context.measurements);
        }
        false
    }

    fn encode_batch(
        &mut self,
        context: &EventContext<'_>,
        session: &mut Session<InFlight>,
        connection: &mut Connection,
    ) -> Result<(), ClientError> {
        let room = self.room(context, session, connection);
        let room = if self.pauses.is_some() { self.room_after_pauses(room, context, session) } else { room };
        self.note_room(room, context.now);
        if room == 0 {
            return Ok(());
        }
        let (group, qos) = (context.group(), context.qos());
        let output = connection.output();
        output.reserve((room as usize * self.packet_size).min(BYTES_PER_WRITE));
        let Some(composer) = context.composers.get(context.slot.group) else {
            return Ok(());
        };
        let composer = &mut *composer.borrow_mut();
        let before_batch = self.encoded;
        for _ in 0..room {
            let Some(planned_at) = self.take_due(context) else {
                break;
            };
            let (sequence, sent_at) = (self.encoded, context.now);
            let header = PayloadHeader {
                run: context.plan.run,
                publisher: self.number,
                sequence,
                sent_at,
                planned_at,
            };
            let values = Values {
                run: context.plan.run,
                publisher: context.slot.number,
                subscriber: 0,
                client: &self.client_id,
                sequence,
                generators: GeneratorState { seed: self.seed, walks: &self.walks },
            };
            let mut qos = qos;
            if self.has_new_topics {
                (self.topic, qos) = next_topic(group, &values, qos);
            }
            // Topics know the shard; a payload has the number among the publishers of all shards.
            let publisher = group.offsets.before.publishers + values.publisher;
            let values = Values { publisher, ..values };
            let recorded = group.payload.recorded(publisher, sequence);
            let topic = recorded.and_then(Recorded::topic).unwrap_or(&self.topic);
            let publish = Publish {
                dup: false,
                qos,
                retain: group.retain,
                topic,
                packet_id: None,
                properties: self.properties.as_properties(),
                payload: composer.compose(&group.payload, header, &values),
            };
            let before = output.len();
            let sent = session.publish(&publish, || InFlight { sequence, sent_at, planned_at }, output);
            sent.map_err(|source| ClientError::Unsendable { topic: topic.to_owned(), source })?;
            let size = output.len() - before;
            self.packet_size = if self.unwritten == 0 { size } else { self.packet_size.min(size) };
            self.encoded += 1;
            self.unwritten += 1;
            if output.len() >= BYTES_PER_WRITE {
                break;
            }
        }
        if let Some(pauses) = &mut self.pauses {
            pauses.remove(self.encoded - before_batch);
        }
        if self.encoded > before_batch && self.is_measuring {
            let record = &mut *context.measurements.record.borrow_mut();
            record.sending.note(context.now);
            record.of_group(context.slot.group).sending.note(context.now);
        }
        Ok(())
    }

    /// How many messages may be encoded now, if each waits for the end of a pause. An answered message begins one.
    fn room_after_pauses(
        &mut self,
        room: u64,
        context: &EventContext<'_>,
        session: &Session<InFlight>,
    ) -> u64 {
        let group = context.group();
        let in_flight = match (group.is_answered, context.qos()) {
            (true, _) => self.encoded - self.answered,
            (false, Qos::AtMostOnce) => 0,
            (false, Qos::AtLeastOnce | Qos::ExactlyOnce) => session.unsettled() as u64,
        };
        let Some(pauses) = &mut self.pauses else { return room };
        pauses.begin(u64::from(group.in_flight).saturating_sub(in_flight), context.now);
        room.min(pauses.over(context.now))
    }

    /// Asks to be woken at the end of the first pause.
    fn wake_after_pause(&mut self, context: &EventContext<'_>, timer_id: usize) {
        let end = self.pauses.as_ref().and_then(|pauses| pauses.first_end());
        if let Some(end) = end.filter(|end| *end > context.now && self.wake_at.is_none_or(|at| *end < at)) {
            self.wake_at = Some(end);
            context.timers.wake_at(timer_id, end);
        }
    }

    /// Records the room in the window, to attribute later delays to the broker or to this machine.
    fn note_room(&mut self, room: u64, now: u64) {
        let Some(timing) = &mut self.timing else { return };
        if room == 0 {
            timing.is_blocked = true;
        } else if std::mem::take(&mut timing.is_blocked) {
            timing.blocked_until = now;
        }
    }

    /// The planned time of the next message if it is to be sent now, which is always so in a closed loop.
    fn take_due(&mut self, context: &EventContext<'_>) -> Option<u64> {
        let began = context.control.load_began();
        let planned_at = match &mut self.timing {
            None => context.now,
            Some(timing) => {
                let next = began.saturating_add(timing.schedule.next());
                let is_over = next >= context.control.load_end() || self.encoded >= self.goal;
                let now = context.now.checked_sub(began).filter(|_| !is_over)?;
                began.saturating_add(timing.schedule.due(now)?)
            }
        };
        if !self.is_measuring && planned_at >= context.control.measured_from() {
            self.is_measuring = true;
            self.sent.before_measuring = self.encoded;
            let messages = context.group().messages_of(context.slot.number);
            self.goal = self.goal.min(self.encoded.saturating_add(messages));
        }
        if self.encoded >= self.goal {
            return None;
        }
        if self.is_measuring
            && let Some(timing) = &mut self.timing
            && context.now - planned_at > LATE_NANOSECONDS
        {
            let record = &mut *context.measurements.record.borrow_mut();
            record.late += 1;
            record.late_by_us += u64::from(timing.is_our_delay(planned_at, context.now));
        }
        Some(planned_at)
    }

    /// Asks to be woken for the next message, unless the publisher first has to wait for room in the window or in the
    /// socket's buffer, which wakes it.
    fn schedule_wake_up(&mut self, context: &EventContext<'_>, timer_id: usize, session: &Session<InFlight>) {
        if self.unanswered_room(context) == 0 && !self.is_through(context) {
            self.note_room(0, context.now);
            return self.wake_without_answer(context, timer_id);
        }
        if self.pauses.is_some() {
            return self.wake_after_pause(context, timer_id);
        }
        let has_room = match context.qos() {
            Qos::AtMostOnce => self.unanswered_room(context) > 0,
            Qos::AtLeastOnce | Qos::ExactlyOnce => self.window(context, session) > 0,
        };
        let is_through = self.is_through(context);
        self.note_room(u64::from(has_room), context.now);
        if let Some(timing) = self.timing.as_ref().filter(|_| has_room && !is_through) {
            let next = context.control.load_began().saturating_add(timing.schedule.next());
            if self.wake_at.is_none() && next > context.now {
                self.wake_at = Some(next);
                context.timers.wake_at(timer_id, next);
            }
        }
    }

    /// How many messages may be encoded now.
    fn room(&self, context: &EventContext<'_>, session: &Session<InFlight>, connection: &Connection) -> u64 {
        if connection.unsent() > 0 {
            return 0;
        }
        let room = match context.qos() {
            Qos::AtMostOnce if self.is_confirmed => context.group().in_flight.into(),
            Qos::AtMostOnce => MESSAGES_PER_WRITE.min(self.unanswered_room(context)),
            Qos::AtLeastOnce | Qos::ExactlyOnce => self.window(context, session),
        };
        room.min(self.goal.saturating_sub(self.encoded))
    }

    /// The free part of the window. It is refilled with every acknowledgement: a broker without TCP_NODELAY delays
    /// its next one until TCP's own acknowledgement arrives, which our next message carries. Waiting for more room
    /// would add the 40 ms of a delayed acknowledgement to the broker's latency.
    fn window(&self, context: &EventContext<'_>, session: &Session<InFlight>) -> u64 {
        let unsettled = session.unsettled();
        let window = usize::from(context.group().in_flight).min(session.quota() + unsettled);
        (window.saturating_sub(unsettled) as u64).min(self.unanswered_room(context))
    }

    /// How many more requests may be unanswered; unlimited for messages without an answer.
    fn unanswered_room(&self, context: &EventContext<'_>) -> u64 {
        let group = context.group();
        if !group.is_answered {
            return u64::MAX;
        }
        let unanswered = self.encoded.saturating_sub(self.answered);
        u64::from(group.in_flight).saturating_sub(unanswered)
    }

    /// Counts an answer to a request.
    pub(super) fn note_answer(&mut self) {
        // The answer to a request that was given up frees nothing.
        self.answered = self.encoded.min(self.answered + 1);
        self.given_up = 0;
        if std::mem::take(&mut self.waits_for_answer) {
            self.wake_at = None;
        }
    }

    /// Handles the last acknowledgement of a message.
    pub(super) fn acknowledged(
        &mut self,
        context: &EventContext<'_>,
        message: InFlight,
        reason_code: ReasonCode,
    ) {
        if reason_code.is_error() {
            let (peer, reason) = context.plan.broker.rejection(reason_code);
            let text = format!("the {peer} rejected a message: {reason}");
            return self.note_rejected(context, message.sequence..message.sequence + 1, text);
        }
        let planned_at = self.timing.is_some().then_some(message.planned_at);
        if reason_code == ReasonCode::NO_MATCHING_SUBSCRIBERS {
            let is_measured = planned_at.unwrap_or(message.sent_at) >= context.control.measured_from();
            context.measurements.note_unmatched(context.slot, context.now, is_measured);
        }
        if let Some(batch) = context.measurements.acknowledged.add(message.sent_at, planned_at) {
            self.note_acknowledged(context, batch);
        }
    }

    /// Counts messages of QoS 0 that an MQTT-SN gateway rejected. It does not say which, so they are the first ones that are not
    /// counted yet.
    pub(super) fn rejected(&mut self, context: &EventContext<'_>, rejections: Rejections) {
        let Rejections { count, return_code } = rejections;
        let first = self.rejected;
        self.rejected = self.encoded.min(first + u64::from(count));
        let text = format!("the gateway rejected a message: {return_code}");
        self.note_rejected(context, first..self.rejected, text);
    }

    fn note_rejected(&mut self, context: &EventContext<'_>, sequences: Range<u64>, text: String) {
        let count = sequences.end - sequences.start;
        if count == 0 {
            return;
        }
        self.sent.rejected.insert(sequences.start, sequences.end);
        context.measurements.gauges.rejected.add(count);
        context.measurements.gauges.excused.add(count * u64::from(context.group().fan_out()));
        let record = &mut *context.measurements.record.borrow_mut();
        record.timeline.at(context.now).rejected += count;
        record.of_group(context.slot.group).rejected += count;
        record.errors.add(Stage::Run, text, count);
    }

    /// Records acknowledged messages, and their latency.
    pub(super) fn note_acknowledged(&self, context: &EventContext<'_>, batch: LatencyBatch) {
        let LatencyBatch { sent_at, planned_at, count } = batch;
        let record = &mut *context.measurements.record.borrow_mut();
        record.acknowledgements += count;
        context.measurements.gauges.acknowledged.add(count);
        let slot = record.timeline.at(context.now);
        slot.acknowledged += count;
        if planned_at.unwrap_or(sent_at) < context.control.measured_from() {
            record.warm_up.acknowledged += count;
            return;
        }
        let latency = context.now.saturating_sub(sent_at);
        if context.plan.subscribers() == 0 {
            slot.latency.record_several(context.now.saturating_sub(planned_at.unwrap_or(sent_at)), count);
        }
        record.acknowledging.note(context.now);
        let group = record.of_group(context.slot.group);
        group.acknowledging.note(context.now);
        let since_planned = planned_at.map(|planned_at| context.now.saturating_sub(planned_at));
        let times =
            [(LatencyKind::Acknowledged, Some(latency)), (LatencyKind::AcknowledgedPlanned, since_planned)];
        record_times(&mut group.latencies, times, count);
        context.note_times_of_broker(record, times, count);
    }

    /// Counts the messages that the kernel accepted.
    pub(in crate::bench) fn count_written(&mut self, context: &EventContext<'_>, unsent_bytes: u64) {
        let unwritten = self.count_unwritten(unsent_bytes);
        let written = self.unwritten - unwritten;
        self.unwritten = unwritten;
        let record = &mut *context.measurements.record.borrow_mut();
        record.blocked_sends += u64::from(unsent_bytes > 0);
        if written > 0 {
            context.measurements.gauges.sent.add(written);
            context.measurements.gauges.owed.add(written * u64::from(context.group().fan_out()));
            record.timeline.at(context.now).sent += written;
            let group = record.of_group(context.slot.group);
            group.sent += written;
            if self.is_measuring {
                group.sending.note(context.now);
                record.sending.note(context.now);
            }
        }
    }

    /// The number of messages that the kernel has not fully accepted, if it has not accepted the last `unsent` bytes.
    /// Other packets among those bytes can make the number too high, never too low.
    fn count_unwritten(&self, unsent: u64) -> u64 {
        unsent.div_ceil((self.packet_size as u64).max(1)).min(self.unwritten)
    }

    /// Handles a dropped connection. Messages that the kernel had not accepted were not sent; unacknowledged ones may
    /// have arrived or not.
    pub(super) fn dropped(&mut self, unsent_bytes: u64, unacknowledged: Vec<u64>) {
        let unwritten = self.count_unwritten(unsent_bytes);
        if unacknowledged.is_empty() {
            self.sent.unsent.insert(self.encoded - unwritten, self.encoded);
        }
        self.sent.unacknowledged.extend(unacknowledged);
        self.unwritten = 0;
        self.answered = self.encoded;
        self.waits_for_answer = false;
        self.sent_final_ping = false;
        if let Some(timing) = &mut self.timing {
            timing.is_blocked = true;
        }
    }

    /// Marks the publisher as finished.
    pub(in crate::bench) fn finish(&mut self, measurements: &Measurements) {
        if !self.is_finished {
            self.is_finished = true;
            measurements.gauges.finished.add(1);
        }
    }

    pub(super) fn submit(&mut self, context: &EventContext<'_>, unsent_bytes: u64, unacknowledged: Vec<u64>) {
        self.count_unsent(context);
        let mut sent = std::mem::take(&mut self.sent);
        sent.count = self.encoded - self.count_unwritten(unsent_bytes);
        sent.before_measuring = if self.is_measuring { sent.before_measuring } else { sent.count };
        sent.unacknowledged.extend(unacknowledged);
        context.measurements.record.borrow_mut().sent.insert(self.number, sent);
    }
}

/// Whether a group that starts during the load waits for subscriptions. Their end is new control data, which wakes the client.
fn waits_for_subscriptions(context: &EventContext<'_>) -> bool {
    let group = context.group();
    if !group.is_late() {
        return false;
    }
    let Control { phase, ready_before, .. } = context.control.current();
    phase == Phase::Measure && nanoseconds(group.bounds.start) >= ready_before
}

/// When a group that sends as fast as it can stops.
fn closed_loop_end(context: &EventContext<'_>) -> u64 {
    let of_group = context.group().bounds.end;
    let of_group = of_group.map(|end| context.control.load_began().saturating_add(nanoseconds(end)));
    context.control.load_end().min(of_group.unwrap_or(u64::MAX))
}

/// The topic of a publisher's message, and its QoS, which is at most `highest`.
fn next_topic(group: &Group, values: &Values<'_>, highest: Qos) -> (String, Qos) {
    let Values { publisher, client, sequence, generators, .. } = *values;
    let listed = group.topic_list.as_ref();
    let listed = listed.and_then(|list| list.choose(group.offsets.before.publishers + publisher, sequence));
    let topics = listed.map_or(&group.topics, |listed| &listed.topics);
    let qos = listed.map_or(highest, |listed| listed.qos.min(highest));
    (topics.topic_of(publisher, client, sequence, generators.seed), qos)
}
