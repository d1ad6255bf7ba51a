//! A flow between two model brokers, over connections that break at any packet, with a bridge that is killed at any packet.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A packet between the flow and a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packet {
    Publish {
        packet_id: u16,
        dup: bool,
        qos: Qos,
        note: Note,
    },
    Ack(PacketType, u16),
    /// PUBCOMP with 0x92, packet identifier not found.
    NotFound(u16),
}

/// A message's number, and the number of its topic at the target.
type Note = (u32, usize);

/// One connection: the packets on their way in both directions.
#[derive(Debug, Default)]
struct Line {
    is_up: bool,
    to_broker: VecDeque<Packet>,
    to_bridge: VecDeque<Packet>,
}

impl Line {
    fn send(&mut self, packet: Packet) {
        if self.is_up {
            self.to_broker.push_back(packet);
        }
    }

    fn cut(&mut self) {
        *self = Line::default();
    }
}

/// The packets that the flow sends.
#[derive(Debug, Default)]
struct Lines {
    source: Line,
    target: Line,
}

impl Wires<u32> for Lines {
    fn acknowledge(&mut self, packet_type: PacketType, packet_id: PacketId) {
        assert!(self.source.is_up, "an acknowledgement without a connection");
        self.source.send(Packet::Ack(packet_type, packet_id.value()));
    }

    fn publish(&mut self, message: &u32, copy: &Transmission) -> bool {
        assert!(self.target.is_up, "a message without a connection");
        let packet_id = copy.packet_id.map_or(0, PacketId::value);
        let note = (*message, copy.target);
        self.target.send(Packet::Publish { packet_id, dup: copy.dup, qos: copy.qos, note });
        true
    }

    fn release(&mut self, packet_id: PacketId) {
        assert!(self.target.is_up, "PUBREL without a connection");
        self.target.send(Packet::Ack(PacketType::Pubrel, packet_id.value()));
    }

    fn delivered(&mut self, _: Option<&u32>) {}
    fn rejected(&mut self, _: Option<&u32>, _: usize, _: ReasonCode) {}
    fn postponed(&mut self) {}
    fn forgotten(&mut self) {}

    fn has_room(&self) -> bool {
        true
    }

    fn is_expired(&mut self, _: &u32) -> bool {
        false
    }

    fn is_allowed(&mut self) -> bool {
        true
    }
}

/// The broker that the messages come from.
#[derive(Debug)]
struct SourceBroker {
    window: usize,
    queue: VecDeque<(u32, Qos)>,
    next_id: u16,
    /// Identifier, message, QoS, and whether PUBREL was sent.
    in_flight: Vec<(u16, u32, Qos, bool)>,
    /// Messages that were lost with the session.
    lost: BTreeSet<u32>,
}

impl SourceBroker {
    fn pump(&mut self, line: &mut Line) {
        while line.is_up && self.in_flight.len() < self.window {
            let Some((message, qos)) = self.queue.pop_front() else { return };
            self.next_id = self.next_id % 9 + 1; // So few that they are reused soon.
            while self.in_flight.iter().any(|flight| flight.0 == self.next_id) {
                self.next_id = self.next_id % 9 + 1;
            }
            self.in_flight.push((self.next_id, message, qos, false));
            let note = (message, 0);
            line.to_bridge.push_back(Packet::Publish { packet_id: self.next_id, dup: false, qos, note });
        }
    }

    fn accept(&mut self, keeps_session: bool, line: &mut Line) {
        line.is_up = true;
        if !keeps_session {
            self.lost.extend(self.in_flight.drain(..).map(|flight| flight.1));
        }
        for &(packet_id, message, qos, is_released) in &self.in_flight {
            line.to_bridge.push_back(match is_released {
                true => Packet::Ack(PacketType::Pubrel, packet_id),
                false => Packet::Publish { packet_id, dup: true, qos, note: (message, 0) },
            });
        }
    }

    fn receive(&mut self, packet: Packet, line: &mut Line) {
        let Packet::Ack(packet_type, packet_id) = packet else { panic!("the flow published to the source") };
        let known = self.in_flight.iter_mut().find(|flight| flight.0 == packet_id);
        match (packet_type, known) {
            (PacketType::Pubrec, known) => {
                known.into_iter().for_each(|flight| flight.3 = true);
                line.to_bridge.push_back(Packet::Ack(PacketType::Pubrel, packet_id));
            }
            (_, Some(_)) => self.in_flight.retain(|flight| flight.0 != packet_id),
            (_, None) => {}
        }
    }
}

/// The broker that the messages go to.
#[derive(Debug)]
struct TargetBroker {
    window: usize,
    /// Whether subscribers get a message of QoS 2 only after PUBREL.
    delivers_at_release: bool,
    received: BTreeMap<u16, Note>,
    delivered: BTreeMap<Note, u32>,
    /// Whether it takes messages without an answer for now, as mosquitto does beyond its receive maximum.
    is_busy: bool,
    /// The identifiers of these messages.
    unanswered: BTreeSet<u16>,
}

impl TargetBroker {
    /// Answers what it took without an answer, perhaps on an earlier connection.
    fn answer(&mut self, line: &mut Line) {
        self.is_busy = false;
        if line.is_up {
            let answers = std::mem::take(&mut self.unanswered);
            line.to_bridge
                .extend(answers.into_iter().map(|packet_id| Packet::Ack(PacketType::Pubrec, packet_id)));
        }
    }

    fn receive(&mut self, packet: Packet, line: &mut Line) {
        match packet {
            Packet::Publish { packet_id, qos: Qos::AtLeastOnce, note, .. } => {
                *self.delivered.entry(note).or_default() += 1;
                line.to_bridge.push_back(Packet::Ack(PacketType::Puback, packet_id));
            }
            Packet::Publish { packet_id, note, .. } => {
                let is_new = self.received.insert(packet_id, note).is_none();
                if is_new && !self.delivers_at_release {
                    *self.delivered.entry(note).or_default() += 1;
                }
                assert!(self.received.len() <= self.window, "receive maximum exceeded");
                if is_new && self.is_busy {
                    self.unanswered.insert(packet_id);
                } else {
                    line.to_bridge.push_back(Packet::Ack(PacketType::Pubrec, packet_id));
                }
            }
            Packet::Ack(_, packet_id) => {
                self.unanswered.remove(&packet_id);
                let released = self.received.remove(&packet_id);
                line.to_bridge.push_back(match released {
                    Some(_) => Packet::Ack(PacketType::Pubcomp, packet_id),
                    None => Packet::NotFound(packet_id),
                });
                if let Some(note) = released.filter(|_| self.delivers_at_release) {
                    *self.delivered.entry(note).or_default() += 1;
                }
            }
            Packet::NotFound(_) => panic!("the flow sent PUBCOMP to the target"),
        }
    }
}

/// One step of a run.
#[derive(Debug, Clone, Copy)]
enum Step {
    Publish(Qos),
    ToSource,
    FromSource,
    ToTarget,
    FromTarget,
    CutSource,
    CutTarget,
    ConnectSource,
    ConnectTarget,
    KillBridge,
    ForgetSource,
    ForgetTarget,
    /// The target answers no messages until the next [`Step::Answer`].
    Busy,
    Answer,
}

struct World {
    flow: Flow<u32>,
    lines: Lines,
    source: SourceBroker,
    target: TargetBroker,
    copies: usize,
    published: u32,
    source_forgot: bool,
    target_forgot: bool,
    now: Instant,
}

impl World {
    fn new(copies: usize, source_window: usize, delivers_at_release: bool) -> World {
        World {
            flow: Flow::new(copies),
            lines: Lines::default(),
            source: SourceBroker {
                window: source_window,
                queue: VecDeque::new(),
                next_id: 0,
                in_flight: Vec::new(),
                lost: BTreeSet::new(),
            },
            target: TargetBroker {
                window: 4,
                delivers_at_release,
                received: BTreeMap::new(),
                delivered: BTreeMap::new(),
                is_busy: false,
                unanswered: BTreeSet::new(),
            },
            copies,
            published: 0,
            source_forgot: false,
            target_forgot: false,
            now: Instant::now(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish(qos) => {
                self.source.queue.push_back((self.published, qos));
                self.published += 1;
            }
            Step::ToSource => {
                if let Some(packet) = self.lines.source.to_broker.pop_front() {
                    self.source.receive(packet, &mut self.lines.source);
                }
            }
            Step::FromSource => {
                if let Some(packet) = self.lines.source.to_bridge.pop_front() {
                    self.receive_from_source(packet);
                }
            }
            Step::ToTarget => {
                if let Some(packet) = self.lines.target.to_broker.pop_front() {
                    self.target.receive(packet, &mut self.lines.target);
                }
            }
            Step::FromTarget => {
                if let Some(packet) = self.lines.target.to_bridge.pop_front() {
                    self.receive_from_target(packet);
                }
            }
            Step::CutSource => self.cut_source(),
            Step::CutTarget => self.cut_target(),
            Step::ConnectSource => self.connect_source(),
            Step::ConnectTarget => self.connect_target(),
            Step::KillBridge => {
                self.cut_source();
                self.cut_target();
                self.flow = Flow::new(self.copies);
            }
            Step::ForgetSource => {
                self.cut_source();
                self.source_forgot = true;
            }
            Step::ForgetTarget => {
                self.cut_target();
                self.target.received.clear();
                self.target.unanswered.clear();
                self.target_forgot = true;
            }
            Step::Busy => self.target.is_busy = true,
            Step::Answer => self.target.answer(&mut self.lines.target),
        }
        self.source.pump(&mut self.lines.source);
        self.flow.pump(self.now, &mut self.lines);
    }

    fn receive_from_source(&mut self, packet: Packet) {
        let (flow, lines, now) = (&mut self.flow, &mut self.lines, self.now);
        match packet {
            Packet::Publish { packet_id, dup, qos, note } => {
                let packet_id = PacketId::new(packet_id).unwrap();
                if flow.receive(packet_id, qos, dup, now, lines) == Reception::New {
                    let copies = (0..self.copies).map(|target| (target, qos));
                    flow.push(packet_id, qos, Some(note.0), copies, now, lines).unwrap();
                }
            }
            Packet::Ack(_, packet_id) => {
                flow.receive_release(PacketId::new(packet_id).unwrap(), now, lines).unwrap();
            }
            Packet::NotFound(_) => panic!("the source sent PUBCOMP"),
        }
    }

    fn receive_from_target(&mut self, packet: Packet) {
        let (flow, lines, now) = (&mut self.flow, &mut self.lines, self.now);
        let id = |packet_id| PacketId::new(packet_id).unwrap();
        match packet {
            Packet::Ack(PacketType::Puback, packet_id) => {
                flow.receive_puback(id(packet_id), ReasonCode::SUCCESS, now, lines);
            }
            Packet::Ack(PacketType::Pubrec, packet_id) => {
                flow.receive_pubrec(id(packet_id), ReasonCode::SUCCESS, now, lines);
            }
            Packet::Ack(_, packet_id) => flow.receive_pubcomp(id(packet_id), ReasonCode::SUCCESS, now, lines),
            Packet::NotFound(packet_id) => {
                flow.receive_pubcomp(id(packet_id), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, now, lines);
            }
            Packet::Publish { .. } => panic!("the target published"),
        }
    }

    fn cut_source(&mut self) {
        self.lines.source.cut();
        self.flow.source_lost();
    }

    fn cut_target(&mut self) {
        self.lines.target.cut();
        self.flow.target_lost();
    }

    fn connect_source(&mut self) {
        if self.lines.source.is_up {
            return;
        }
        let keeps_session = !std::mem::take(&mut self.source_forgot);
        self.source.accept(keeps_session, &mut self.lines.source);
        self.flow.source_connected(keeps_session, self.now, &mut self.lines);
    }

    fn connect_target(&mut self) {
        if self.lines.target.is_up {
            return;
        }
        self.lines.target.is_up = true;
        let keeps_session = !std::mem::take(&mut self.target_forgot);
        let window = Window { total: 4, exactly_once: 4, maximum_qos: Qos::ExactlyOnce };
        self.flow.target_connected(window, keeps_session, self.now, &mut self.lines);
    }

    /// Both connections work from now on, until nothing is on its way.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100_000, "it never ends: {:?}", self.flow);
            for step in [
                Step::ConnectSource,
                Step::ConnectTarget,
                Step::Answer,
                Step::FromSource,
                Step::ToTarget,
                Step::FromTarget,
                Step::ToSource,
            ] {
                self.step(step);
            }
            let lines = [&self.lines.source, &self.lines.target];
            let is_quiet = lines.iter().all(|line| line.to_bridge.is_empty() && line.to_broker.is_empty());
            if is_quiet && self.source.queue.is_empty() {
                break;
            }
        }
        // The source repeated all that it knows.
        self.flow.source_has_repeated();
        self.flow.abandon_unseen(self.now, &mut self.lines);
        while !self.lines.target.to_broker.is_empty() || !self.lines.target.to_bridge.is_empty() {
            self.step(Step::ToTarget);
            self.step(Step::FromTarget);
        }
    }

    /// How often each message arrived, without those that the source lost.
    fn counts(&self) -> Vec<u32> {
        let notes = (0..self.published).flat_map(|message| (0..self.copies).map(move |copy| (message, copy)));
        let kept = notes.filter(|note| !self.source.lost.contains(&note.0));
        kept.map(|note| self.target.delivered.get(&note).copied().unwrap_or_default()).collect()
    }
}

fn steps(qos: Qos, forgets: bool) -> impl Strategy<Value = Vec<Step>> {
    let moves = prop_oneof![
        Just(Step::ToSource),
        Just(Step::FromSource),
        Just(Step::ToTarget),
        Just(Step::FromTarget),
    ];
    let faults = prop_oneof![Just(Step::CutSource), Just(Step::CutTarget), Just(Step::KillBridge)];
    let connects = prop_oneof![Just(Step::ConnectSource), Just(Step::ConnectTarget)];
    let lapses = prop_oneof![Just(Step::ForgetSource), Just(Step::ForgetTarget)];
    let step = prop_oneof![
        60 => moves,
        15 => Just(Step::Publish(qos)),
        10 => connects,
        4 => faults,
        2 => Just(Step::Busy),
        4 => Just(Step::Answer),
        u32::from(forgets) => lapses,
    ];
    proptest::collection::vec(step, 0..400)
}

fn run(steps: &[Step], copies: usize, window: usize, delivers_at_release: bool) -> World {
    let mut world = World::new(copies, window, delivers_at_release);
    world.step(Step::ConnectSource);
    world.step(Step::ConnectTarget);
    for &step in steps {
        world.step(step);
    }
    world.settle();
    world
}

proptest! {
    #[test]
    fn qos_2_is_exactly_once_over_cuts_and_kills(
        steps in steps(Qos::ExactlyOnce, false), window in 1..7usize, at_release: bool,
    ) {
        let world = run(&steps, 1, window, at_release);
        prop_assert!(world.counts().iter().all(|&count| count == 1), "{:?}", world.counts());
        prop_assert!(world.flow.exchanges.is_empty(), "{:?}", world.flow);
    }

    #[test]
    fn qos_2_for_several_topics_is_exactly_once_over_cuts_and_kills(
        steps in steps(Qos::ExactlyOnce, false), copies in 2..4usize, window in 1..4usize, at_release: bool,
    ) {
        let world = run(&steps, copies, window, at_release);
        prop_assert!(world.counts().iter().all(|&count| count == 1), "{:?}", world.counts());
        prop_assert!(world.flow.exchanges.is_empty(), "{:?}", world.flow);
    }

    #[test]
    fn qos_1_is_at_least_once_over_cuts_kills_and_lost_sessions(
        steps in steps(Qos::AtLeastOnce, true), copies in 1..3usize, window in 1..7usize,
    ) {
        let world = run(&steps, copies, window, false);
        prop_assert!(world.counts().iter().all(|&count| count >= 1), "{:?}", world.counts());
    }

    #[test]
    fn qos_2_is_at_least_once_if_the_sessions_are_lost(
        steps in steps(Qos::ExactlyOnce, true), window in 1..7usize,
    ) {
        // A kill as well would lose the message for which the target had sent PUBREC before it lost its session.
        let steps: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::KillBridge)).collect();
        let world = run(&steps, 1, window, false);
        prop_assert!(world.counts().iter().all(|&count| count >= 1), "{:?}", world.counts());
    }
}

#[test]
fn a_message_that_the_target_forgot_before_its_release_is_sent_again() {
    let mut world = World::new(1, 4, true);
    for step in [Step::ConnectSource, Step::ConnectTarget, Step::Publish(Qos::ExactlyOnce)] {
        world.step(step);
    }
    // PUBLISH arrives, and PUBREC comes back.
    for step in [Step::FromSource, Step::ToTarget, Step::FromTarget, Step::CutTarget] {
        world.step(step);
    }
    // The target restores an older state, with the session.
    world.target.received.clear();
    world.settle();
    assert_eq!(world.counts(), [1]);
}

#[test]
fn an_unknown_identifier_after_a_second_release_is_success() {
    let mut world = World::new(1, 4, true);
    for step in [Step::ConnectSource, Step::ConnectTarget, Step::Publish(Qos::ExactlyOnce)] {
        world.step(step);
    }
    for step in [Step::FromSource, Step::ToTarget, Step::FromTarget, Step::ToSource, Step::FromSource] {
        world.step(step);
    }
    // PUBREL arrives, and PUBCOMP is lost.
    for step in [Step::ToTarget, Step::CutTarget] {
        world.step(step);
    }
    world.settle();
    assert_eq!(world.counts(), [1]);
}

/// A message of QoS 2 from the source.
fn send_exactly_once(flow: &mut Flow<u32>, packet_id: PacketId, now: Instant, lines: &mut Lines) {
    flow.receive(packet_id, Qos::ExactlyOnce, false, now, lines);
    let copies = std::iter::once((0, Qos::ExactlyOnce));
    flow.push(packet_id, Qos::ExactlyOnce, Some(0), copies, now, lines).unwrap();
    flow.pump(now, lines);
}

#[test]
fn a_target_that_still_answers_releases_is_not_silent() {
    let (now, timeout) = (Instant::now(), Duration::from_secs(10));
    let after = |seconds| now + Duration::from_secs(seconds);
    let id = |number| PacketId::new(number).unwrap();
    let (mut flow, mut lines) = (Flow::new(1), Lines::default());
    (lines.source.is_up, lines.target.is_up) = (true, true);
    let window = Window { total: 4, exactly_once: 4, maximum_qos: Qos::ExactlyOnce };
    flow.source_connected(true, now, &mut lines);
    flow.target_connected(window, true, now, &mut lines);
    send_exactly_once(&mut flow, id(1), now, &mut lines);
    flow.receive_pubrec(id(1), ReasonCode::SUCCESS, now, &mut lines);
    flow.receive_release(id(1), now, &mut lines).unwrap();
    flow.receive_pubcomp(id(1), ReasonCode::SUCCESS, now, &mut lines);
    send_exactly_once(&mut flow, id(2), now, &mut lines);
    // It does not answer, so the bridge connects again, and releases the first identifier before it repeats the second message.
    flow.doubt_target();
    flow.target_connected(window, true, now, &mut lines);
    flow.pump(now, &mut lines);
    assert_eq!(
        lines.target.to_broker.iter().filter(|packet| **packet == Packet::Ack(PacketType::Pubrel, 1)).count(),
        2
    );
    flow.receive_pubcomp(id(1), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, after(9), &mut lines);
    assert_eq!(flow.silent_side(after(19), timeout), None);
    // A PUBCOMP without a release before it is no sign.
    flow.receive_pubcomp(id(1), ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, after(15), &mut lines);
    assert_eq!(flow.silent_side(after(20), timeout), Some(Silent::Target));
}
