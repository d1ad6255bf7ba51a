//! `-d` under mosquitto's names: libmosquitto's line for each packet, on standard output, since scripts search for them.

use crate::escape;
use crate::inspect::capture::Moment;
use crate::inspect::{Direction, Inspector, Item, Name, Packet, Value};
use crate::protocol::{PacketType, PropertyId, Version};
use crate::transport::Tap;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;
use std::rc::Rc;

/// libmosquitto's text for an unknown client identifier.
const NO_CLIENT_ID: &str = "(null)";

/// The lines of a command's connections, shared by all clones.
#[derive(Debug, Clone)]
pub(super) struct Log(Rc<RefCell<LogState>>);

#[derive(Debug)]
struct LogState {
    version: Version,
    /// Whether to follow SUBACK with mosquitto_sub's line about it.
    logs_subscriptions: bool,
    client_id: String,
    /// libmosquitto numbers messages of QoS 0 as well.
    last_id: u16,
    /// Lines queued for standard output; `None` if they are written immediately.
    waiting: Option<VecDeque<LogLine>>,
}

#[derive(Debug)]
struct LogLine {
    text: String,
    /// Whether the line is about a received message, which the command prints after it.
    is_message: bool,
}

impl Log {
    /// The log of a command, by its name.
    pub(super) fn new(command: &str, is_quiet: bool, version: Version) -> Log {
        Log(Rc::new(RefCell::new(LogState {
            version,
            logs_subscriptions: command == "sub" && !is_quiet,
            client_id: NO_CLIENT_ID.to_owned(),
            last_id: 0,
            waiting: None,
        })))
    }

    /// From now on lines are queued, so that they do not interleave with the command's own output.
    pub(super) fn wait(&self) {
        self.0.borrow_mut().waiting.get_or_insert_default();
    }

    /// Appends the lines up to that of the next printed message.
    pub(super) fn take_until_message(&self, out: &mut Vec<u8>) {
        self.take(out, |line| line.is_message);
    }

    /// Appends all lines.
    pub(super) fn take_all(&self, out: &mut Vec<u8>) {
        self.take(out, |_| false);
    }

    fn take(&self, out: &mut Vec<u8>, is_last: impl Fn(&LogLine) -> bool) {
        let mut state = self.0.borrow_mut();
        let Some(waiting) = &mut state.waiting else { return };
        while let Some(line) = waiting.pop_front() {
            out.extend_from_slice(line.text.as_bytes());
            if is_last(&line) {
                break;
            }
        }
    }

    /// The tap for a new connection.
    pub(super) fn open(&self) -> Box<dyn Tap> {
        let mut inspector = Inspector::new(Some(self.0.borrow().version));
        inspector.open(CONNECTION, true);
        Box::new(LoggingTap { log: self.clone(), inspector })
    }
}

/// The number of an inspector's only connection.
const CONNECTION: u32 = 1;

#[derive(Debug)]
struct LoggingTap {
    log: Log,
    inspector: Inspector,
}

impl LoggingTap {
    fn bytes(&mut self, direction: Direction, bytes: &[u8]) {
        let at = Moment { frame: 0, time: None };
        let LoggingTap { log, inspector } = self;
        inspector.bytes(CONNECTION, direction, at, bytes, &mut |item| {
            if let Item::Packet(packet) = item {
                log.0.borrow_mut().packet(packet);
            }
        });
    }
}

impl Tap for LoggingTap {
    fn sent(&mut self, bytes: &[u8]) {
        self.bytes(Direction::ClientToServer, bytes);
    }

    fn received(&mut self, bytes: &[u8]) {
        self.bytes(Direction::ServerToClient, bytes);
    }
}

impl LogState {
    fn packet(&mut self, packet: &Packet<'_>) {
        let Some(packet_type) = packet.packet_type else { return };
        self.note_client_id(packet_type, packet);
        let verb = match packet.direction {
            Direction::ClientToServer => "sending",
            Direction::ServerToClient => "received",
        };
        let is_message = packet_type == PacketType::Publish && packet.direction == Direction::ServerToClient;
        for details in self.details(packet_type, packet) {
            let client_id = escape::line(&self.client_id);
            let text = format!("Client {client_id} {verb} {}{details}\n", packet_type.name());
            self.line(LogLine { text, is_message });
        }
        if packet_type == PacketType::Suback && self.logs_subscriptions {
            let text = granted(packet);
            self.line(LogLine { text, is_message: false });
        }
    }

    /// Notes the client identifier from CONNECT, or the one assigned by the server.
    fn note_client_id(&mut self, packet_type: PacketType, packet: &Packet<'_>) {
        let name = match packet_type {
            PacketType::Connect => Name::ClientIdentifier,
            PacketType::Connack => Name::Property(PropertyId::AssignedClientIdentifier),
            _ => return,
        };
        if let Some(client_id) = packet.tree.text(name).filter(|client_id| !client_id.is_empty()) {
            client_id.clone_into(&mut self.client_id);
        }
    }

    /// The texts after the packet's name; several if libmosquitto prints a line for each topic filter.
    fn details(&mut self, packet_type: PacketType, packet: &Packet<'_>) -> Vec<String> {
        let is_sent = packet.direction == Direction::ClientToServer;
        let id = self.packet_id(packet_type, packet);
        let code = reason_code(packet);
        let details = match packet_type {
            PacketType::Publish => publish(packet, id),
            PacketType::Subscribe => return subscriptions(packet, id),
            PacketType::Unsubscribe => return removals(packet, id),
            PacketType::Connack => format!(" ({code})"),
            PacketType::Puback | PacketType::Pubrec if is_sent => format!(" (m{id}, rc{code})"),
            PacketType::Pubrel | PacketType::Pubcomp if is_sent => format!(" (m{id})"),
            PacketType::Puback | PacketType::Pubcomp => format!(" (Mid: {id}, RC:{code})"),
            PacketType::Pubrec | PacketType::Pubrel => format!(" (Mid: {id})"),
            PacketType::Disconnect if !is_sent => format!(" ({code})"),
            PacketType::Connect
            | PacketType::Suback
            | PacketType::Unsuback
            | PacketType::Pingreq
            | PacketType::Pingresp
            | PacketType::Disconnect
            | PacketType::Auth => String::new(),
        };
        vec![details]
    }

    /// The packet's identifier; for a message of QoS 0 that is sent, the number that libmosquitto would give it.
    fn packet_id(&mut self, packet_type: PacketType, packet: &Packet<'_>) -> u16 {
        let id = packet.tree.two_bytes(Name::PacketIdentifier);
        if packet.direction == Direction::ServerToClient {
            return id.unwrap_or(0);
        }
        match (packet_type, id) {
            (PacketType::Publish | PacketType::Subscribe | PacketType::Unsubscribe, Some(id)) => {
                self.last_id = id;
            }
            (PacketType::Publish, None) => self.last_id = self.last_id.checked_add(1).unwrap_or(1),
            _ => return id.unwrap_or(0),
        }
        self.last_id
    }

    fn line(&mut self, line: LogLine) {
        match &mut self.waiting {
            Some(waiting) => waiting.push_back(line),
            None => {
                // A closed standard output is ignored here; the command itself may have nothing to print.
                let mut stdout = std::io::stdout().lock();
                let _ = stdout.write_all(line.text.as_bytes()).and_then(|()| stdout.flush());
            }
        }
    }
}

fn publish(packet: &Packet<'_>, id: u16) -> String {
    let tree = packet.tree;
    let flag = |name| tree.number(name).unwrap_or(0);
    let (dup, qos, retain) = (flag(Name::Dup), flag(Name::Qos), flag(Name::Retain));
    let topic = escape::bytes(tree.bytes(Name::TopicName).unwrap_or_default());
    let start = tree.find(Name::Payload).map_or(packet.raw.length, |payload| payload.range.start);
    let length = packet.raw.length.saturating_sub(start);
    format!(" (d{dup}, q{qos}, r{retain}, m{id}, '{topic}', ... ({length} bytes))")
}

fn subscriptions(packet: &Packet<'_>, id: u16) -> Vec<String> {
    let filters = packet.tree.all(Name::TopicFilter);
    let options = packet.tree.all(Name::SubscriptionOptions);
    let lines = filters.zip(options).map(|(filter, options)| {
        let options = packet.raw.bytes.get(options.range.start).copied().unwrap_or(0);
        let (qos, others) = (options & 0x03, options & 0xfc);
        format!(" (Mid: {id}, Topic: {}, QoS: {qos}, Options: 0x{others:02x})", value(filter.value))
    });
    lines.collect()
}

fn removals(packet: &Packet<'_>, id: u16) -> Vec<String> {
    let filters = packet.tree.all(Name::FilterToRemove);
    filters.map(|filter| format!(" (Mid: {id}, Topic: {})", value(filter.value))).collect()
}

/// mosquitto_sub's line about a SUBACK.
fn granted(packet: &Packet<'_>) -> String {
    let id = packet.tree.two_bytes(Name::PacketIdentifier).unwrap_or(0);
    let mut line = format!("Subscribed (mid: {id}):");
    let codes = packet.tree.all(Name::FilterReasonCode).filter_map(|field| match field.value {
        Value::Code(code) => Some(code),
        _ => None,
    });
    for (position, code) in codes.enumerate() {
        let _ = write!(line, "{} {code}", if position > 0 { "," } else { "" });
    }
    line.push('\n');
    line
}

fn reason_code(packet: &Packet<'_>) -> u32 {
    let code = packet.tree.number(Name::ReasonCode);
    code.or_else(|| packet.tree.number(Name::ReturnCode)).unwrap_or(0)
}

fn value(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => escape::line(text).into_owned(),
        Value::BadText(bytes) => escape::bytes(bytes),
        _ => String::new(),
    }
}
