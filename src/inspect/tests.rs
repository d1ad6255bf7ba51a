//! Losses in a capture never cause an error or an invented packet: valid conversations with missing or truncated frames.

use super::capture::conversation::Ports;
use super::capture::reader::Frame;
use super::capture::{Capture, Moment};
use super::diagnosis::{Diagnosis, Kind, Scope};
use super::{Direction, Inspector, Item, Linter, Severity};
use proptest::collection::vec;
use proptest::prelude::*;

/// Raw IP.
const LINK_TYPE: u32 = 101;

const CLIENT: Direction = Direction::ClientToServer;
const SERVER: Direction = Direction::ServerToClient;

/// The next action of client or server.
#[derive(Debug, Clone)]
enum Step {
    Subscribe { filters: usize },
    Unsubscribe,
    Ping,
    Publish(Message),
}

#[derive(Debug, Clone)]
struct Message {
    sender: Direction,
    qos: u8,
    topic: u8,
    by_alias: bool,
    has_properties: bool,
    payload: usize,
}

/// The transport of the conversation.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Maximum bytes in a frame.
    size: usize,
    is_web_socket: bool,
    /// The client ends with RST.
    is_reset: bool,
}

/// The losses of the capture.
#[derive(Debug, Clone)]
struct Losses {
    /// The pattern of missing frames, repeated for the whole conversation.
    dropped: Vec<bool>,
    snap_length: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let message = (any::<bool>(), 0..3u8, 0..4u8, any::<bool>(), any::<bool>(), 0..300usize).prop_map(
        |(is_client, qos, topic, by_alias, has_properties, payload)| Message {
            sender: if is_client { CLIENT } else { SERVER },
            qos,
            topic,
            by_alias,
            has_properties,
            payload,
        },
    );
    prop_oneof![
        1 => (1..4usize).prop_map(|filters| Step::Subscribe { filters }),
        1 => Just(Step::Unsubscribe),
        1 => Just(Step::Ping),
        6 => message.prop_map(Step::Publish),
    ]
}

fn losses() -> impl Strategy<Value = Losses> {
    let snap_length = prop_oneof![2 => Just(65_535usize), 1 => 40..140usize];
    (vec(prop::bool::weighted(0.2), 1..40), snap_length)
        .prop_map(|(dropped, snap_length)| Losses { dropped, snap_length })
}

/// A conversation without violations, as packets of both sides.
struct Conversation {
    is_v5: bool,
    packets: Vec<(Direction, Vec<u8>)>,
    /// Time of each packet, in milliseconds.
    times: Vec<u64>,
    now: u64,
    next_id: [u16; 2],
    /// By direction and topic.
    has_alias: [[bool; 4]; 2],
}

impl Conversation {
    fn new(is_v5: bool, steps: &[Step]) -> Conversation {
        let (packets, times) = (Vec::new(), Vec::new());
        let mut it =
            Conversation { is_v5, packets, times, now: 0, next_id: [1; 2], has_alias: [[false; 4]; 2] };
        it.connect();
        it.subscribe(&["#".to_owned()]);
        steps.iter().for_each(|step| it.step(step));
        it.say(CLIENT, 0xe0, Vec::new());
        it
    }

    fn connect(&mut self) {
        let level = if self.is_v5 { 5 } else { 4 };
        let mut body = string("MQTT");
        body.extend([level, 2, 0, 60]);
        // Topic alias maximum and receive maximum, and a user property.
        let properties = [&[0x22, 0, 9, 0x21, 0, 50, 0x26][..], &string("name"), &string("value")].concat();
        body.extend(self.properties(&properties));
        body.extend(string("client"));
        self.say(CLIENT, 0x10, body);
        let mut answer = vec![0, 0];
        answer.extend(self.properties(&[0x22, 0, 9, 0x13, 0, 50]));
        self.say(SERVER, 0x20, answer);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Subscribe { filters } => {
                let filters: Vec<String> =
                    (0..*filters).map(|number| format!("some/filter/{number}")).collect();
                self.subscribe(&filters);
            }
            Step::Unsubscribe => self.unsubscribe(),
            Step::Ping => {
                // The keep alive is at least 50 s.
                self.now += 45_000;
                self.say(CLIENT, 0xc0, Vec::new());
                self.say(SERVER, 0xd0, Vec::new());
            }
            Step::Publish(message) => self.publish(message),
        }
    }

    fn subscribe(&mut self, filters: &[String]) {
        let id = self.id(CLIENT);
        let mut body = id.to_vec();
        body.extend(self.properties(&[]));
        for filter in filters {
            body.extend(string(filter));
            body.push(2);
        }
        self.say(CLIENT, 0x82, body);
        let mut answer = id.to_vec();
        answer.extend(self.properties(&[]));
        answer.extend(vec![2; filters.len()]);
        self.say(SERVER, 0x90, answer);
    }

    fn unsubscribe(&mut self) {
        let id = self.id(CLIENT);
        let mut body = id.to_vec();
        body.extend(self.properties(&[]));
        body.extend(string("some/filter/0"));
        self.say(CLIENT, 0xa2, body);
        let mut answer = id.to_vec();
        answer.extend(self.properties(&[]));
        if self.is_v5 {
            answer.push(0);
        }
        self.say(SERVER, 0xb0, answer);
    }

    fn publish(&mut self, message: &Message) {
        let (sender, receiver) = (message.sender, message.sender.reverse());
        let topic = format!("topic/of/{}", ["one", "all", "each", "me"][usize::from(message.topic)]);
        let alias = &mut self.has_alias[sender as usize][usize::from(message.topic)];
        let uses_alias = self.is_v5 && message.by_alias;
        let is_known = uses_alias && *alias;
        *alias |= uses_alias;
        let mut body = string(if is_known { "" } else { &topic });
        let id = self.id(sender);
        if message.qos > 0 {
            body.extend(id);
        }
        let mut properties = Vec::new();
        if uses_alias {
            properties.extend([0x23, 0, message.topic + 1]);
        }
        if message.has_properties {
            properties.extend([&[0x26][..], &string("a name"), &string("and a longer value")].concat());
        }
        body.extend(self.properties(&properties));
        // Letters that cannot start a packet.
        body.extend((0..message.payload).map(|index| b"acdefghijklmno"[index % 14]));
        self.say(sender, 0x30 | message.qos << 1, body);
        match message.qos {
            1 => self.say(receiver, 0x40, id.to_vec()),
            2 => {
                self.say(receiver, 0x50, id.to_vec());
                self.say(sender, 0x62, id.to_vec());
                self.say(receiver, 0x70, id.to_vec());
            }
            _ => {}
        }
    }

    /// A Sparkplug node, in the payloads of pysparkplug: births, data, the death and return of a device, a rebirth and a death.
    fn of_node() -> Conversation {
        let (packets, times) = (Vec::new(), Vec::new());
        let mut it = Conversation {
            is_v5: false,
            packets,
            times,
            now: 0,
            next_id: [1; 2],
            has_alias: [[false; 4]; 2],
        };
        for line in include_str!("../../tests/sparkplug/pysparkplug.txt").lines() {
            let (kind, payload) = line.split_once(' ').unwrap_or((line, ""));
            let payload = bytes_of(payload);
            let topic = |kind| string(&format!("spBv1.0/g/{kind}/n{}", if kind < "E" { "/d" } else { "" }));
            match kind {
                "WILL" => {
                    let head = [&string("MQTT")[..], &[4, 0x0e, 0, 60], &string("c")].concat();
                    let length = (payload.len() as u16).to_be_bytes();
                    it.say(CLIENT, 0x10, [&head[..], &topic("NDEATH"), &length, &payload].concat());
                    it.say(SERVER, 0x20, vec![0, 0]);
                    it.say(CLIENT, 0x82, [&[0, 1][..], &topic("NCMD"), &[1]].concat());
                    it.say(SERVER, 0x90, vec![0, 1, 1]);
                }
                "DISCONNECT" => break,
                "NCMD" => it.say(SERVER, 0x30, [topic(kind), payload].concat()),
                kind => it.say(CLIENT, 0x30, [topic(kind), payload].concat()),
            }
        }
        it.say(CLIENT, 0xe0, Vec::new());
        it
    }

    /// Packet identifiers repeat soon.
    fn id(&mut self, sender: Direction) -> [u8; 2] {
        let next = &mut self.next_id[sender as usize];
        *next = *next % 5 + 1;
        next.to_be_bytes()
    }

    fn properties(&self, properties: &[u8]) -> Vec<u8> {
        if self.is_v5 { [&[properties.len() as u8], properties].concat() } else { Vec::new() }
    }

    fn say(&mut self, sender: Direction, first: u8, body: Vec<u8>) {
        let mut packet = vec![first];
        let mut length = body.len();
        while length > 0x7f {
            packet.push(length as u8 | 0x80);
            length >>= 7;
        }
        packet.push(length as u8);
        packet.extend(body);
        self.now += 1;
        self.packets.push((sender, packet));
        self.times.push(self.now);
    }

    fn frames(&self, way: Way) -> Vec<(u64, Vec<u8>)> {
        let port = if way.is_web_socket { 9001 } else { 1883 };
        let mut line = Line { frames: Vec::new(), next: [1000, 5000], now: 0, port };
        line.send(CLIENT, 0x02, &[]);
        line.send(SERVER, 0x12, &[]);
        if way.is_web_socket {
            line.send(CLIENT, 0x18, REQUEST);
            line.send(SERVER, 0x18, ANSWER);
        }
        let mut times = self.times.iter();
        for run in self.packets.chunk_by(|one, next| one.0 == next.0) {
            line.now = *times.by_ref().take(run.len()).last().unwrap();
            let bytes: Vec<u8> = run.iter().flat_map(|(sender, packet)| way.wrap(*sender, packet)).collect();
            bytes.chunks(way.size).for_each(|chunk| line.send(run[0].0, 0x18, chunk));
        }
        if way.is_reset {
            line.send(CLIENT, 0x14, &[]);
        } else {
            line.send(CLIENT, 0x11, &[]);
            line.send(SERVER, 0x11, &[]);
        }
        line.frames
    }
}

impl Way {
    /// A packet on the wire: for a WebSocket, in its own frame with a mask of zeros.
    fn wrap(self, sender: Direction, packet: &[u8]) -> Vec<u8> {
        if !self.is_web_socket {
            return packet.to_vec();
        }
        let (mask_bit, mask) = if sender == CLIENT { (0x80, vec![0; 4]) } else { (0, Vec::new()) };
        let length = match packet.len() {
            length @ ..126 => vec![mask_bit | length as u8],
            length => [&[mask_bit | 126][..], &(length as u16).to_be_bytes()].concat(),
        };
        [&[0x82][..], &length, &mask, packet].concat()
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

/// The wire, with the next sequence number of each side.
struct Line {
    frames: Vec<(u64, Vec<u8>)>,
    next: [u32; 2],
    now: u64,
    /// The server's port.
    port: u16,
}

impl Line {
    fn send(&mut self, sender: Direction, flags: u8, bytes: &[u8]) {
        let [client, server] = self.next;
        let (sequence, acknowledgment, ports) = match sender {
            Direction::ClientToServer => (client, server, [40_000, self.port]),
            Direction::ServerToClient => (server, client, [self.port, 40_000]),
        };
        let hosts =
            if sender == CLIENT { [[10, 0, 0, 1], [10, 0, 0, 2]] } else { [[10, 0, 0, 2], [10, 0, 0, 1]] };
        let mut frame = vec![0x45, 0];
        frame.extend((40 + bytes.len() as u16).to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        frame.extend(hosts.concat());
        ports.iter().for_each(|port| frame.extend(port.to_be_bytes()));
        frame.extend(sequence.to_be_bytes());
        frame.extend(if flags == 0x02 { 0 } else { acknowledgment }.to_be_bytes());
        frame.extend([0x50, flags, 255, 255, 0, 0, 0, 0]);
        frame.extend(bytes);
        self.frames.push((self.now, frame));
        self.next[sender as usize] += bytes.len() as u32 + u32::from(flags & 0x03 != 0);
    }
}

/// Findings against a side, and packets that were not sent.
fn faults(conversation: &Conversation, frames: &[(u64, Vec<u8>)], losses: &Losses) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut capture, mut inspector) = (Capture::new(Ports::default(), None), Inspector::new(None));
    let mut linter = Linter::new(Severity::Info);
    let mut diagnosis = Diagnosis::default();
    let mut show = |item: &Item<'_>| {
        diagnosis.observe(item);
        let found = linter.check(item);
        if let Item::Packet(packet) = item {
            let raw = packet.raw;
            let start = raw.bytes.get(..raw.unbroken()).unwrap();
            let is_sent = conversation.packets.iter().any(|(sender, sent)| {
                let fits =
                    sent.len() == raw.length || (raw.unbroken() + 1 == raw.length && !raw.is_complete());
                *sender == packet.direction && fits && sent.starts_with(start)
            });
            if !is_sent {
                faults.push(format!("never sent: {raw:02x?}"));
            }
        }
        let tree = match item {
            Item::Packet(packet) => packet.tree.findings.clone(),
            _ => Vec::new(),
        };
        for finding in tree.iter().chain(&found).filter(|finding| finding.severity > Severity::Info) {
            faults.push(format!("{}: {} in {}", finding.statement(), finding.detail, shown(item)));
        }
    };
    for (index, (time, bytes)) in frames.iter().enumerate() {
        let is_dropped = losses.dropped.get(index % losses.dropped.len()).copied().unwrap_or_default();
        let captured = bytes.get(..losses.snap_length.min(bytes.len())).unwrap();
        let at = Moment { frame: index as u64 + 1, time: Some(time * 1_000_000) };
        let frame = Frame { at, link_type: LINK_TYPE, bytes: captured, original_length: bytes.len() as u32 };
        if !is_dropped {
            capture.frame(&frame, &mut |event| inspector.take(&event, &mut show));
        }
    }
    capture.finish(&mut |event| inspector.take(&event, &mut show));
    let problems = diagnosis.report(&Scope::default()).kinds();
    // The server delivers no message of the client, although it has subscribed to all of them, and packets after a
    // pause take those before them along.
    let blamed = problems.iter().filter(|kind| !matches!(kind, Kind::NotDelivered | Kind::SlowAnswer));
    faults.extend(blamed.map(|kind| format!("diagnosed: {kind:?}")));
    faults
}

fn bytes_of(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect()
}

fn shown(item: &Item<'_>) -> String {
    match item {
        Item::Packet(packet) => format!("packet at {:?}: {:02x?}", packet.at, packet.raw),
        other => format!("{other:?}"),
    }
}

/// The will is unknown if a part of CONNECT is not in the capture.
#[test]
fn a_part_of_connect_that_is_missing_blames_no_sparkplug_node() {
    let conversation = Conversation::of_node();
    let frames = conversation.frames(Way { size: 33, is_web_socket: false, is_reset: false });
    for first in 0..9 {
        let dropped = (0..9).map(|frame| (first..first + 4).contains(&frame)).collect();
        let mut faults = faults(&conversation, &frames, &Losses { dropped, snap_length: 65_535 });
        faults.retain(|fault| fault.contains("tck-id-"));
        assert_eq!(faults, Vec::<String>::new(), "{first}");
    }
}

proptest! {
    #[test]
    fn gaps_in_a_capture_blame_no_sparkplug_node(size in prop_oneof![Just(1460usize), 7..90usize], losses in losses()) {
        let conversation = Conversation::of_node();
        let frames = conversation.frames(Way { size, is_web_socket: false, is_reset: false });
        let nothing = Losses { dropped: vec![false], snap_length: 65_535 };
        prop_assert_eq!(faults(&conversation, &frames, &nothing), Vec::<String>::new());
        // The bytes of these payloads may look like packets.
        let mut faults = faults(&conversation, &frames, &losses);
        faults.retain(|fault| fault.contains("tck-id-") || fault.contains("Sparkplug"));
        prop_assert_eq!(faults, Vec::<String>::new());
    }

    #[test]
    fn gaps_in_a_capture_cause_no_findings(
        is_v5: bool,
        steps in vec(step(), 0..30),
        size in prop_oneof![Just(1460usize), 7..60usize],
        is_web_socket in prop::bool::weighted(0.2),
        is_reset: bool,
        losses in losses(),
    ) {
        let conversation = Conversation::new(is_v5, &steps);
        let frames = conversation.frames(Way { size, is_web_socket, is_reset });
        let nothing = Losses { dropped: vec![false], snap_length: 65_535 };
        prop_assert_eq!(faults(&conversation, &frames, &nothing), Vec::<String>::new());
        prop_assert_eq!(faults(&conversation, &frames, &losses), Vec::<String>::new());
    }
}
