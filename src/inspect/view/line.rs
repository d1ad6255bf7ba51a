//! One line per packet: time, connection, direction, type and the most important fields. Findings follow on lines of their own.

use super::clock::TimeFormatter;
use super::payload::{decoded, short};
use super::secret::HIDDEN;
use super::words::{duration, hex, printable, version};
use super::{Advice, Fielded, Options, View, shown, words};
use crate::escape::{self, quoted};
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::{ConversationEvent, OtherProtocol, Undecryptable};
use crate::inspect::capture::reassembly::{Close, Start};
use crate::inspect::inspector::ByteRange;
use crate::inspect::sn::{self, SnItem};
use crate::inspect::{Direction, Field, Finding, Item, Name, Packet, Severity, Value};
use crate::payload::PayloadDecoding;
use crate::protocol::{PacketType, PropertyId, ProxyFault, ProxyHeader};
use colored::Colorize;
use std::fmt::Write;
use std::net::SocketAddr;

/// Maximum characters of a payload to show.
const MAX_PAYLOAD: usize = 60;

/// Maximum bytes of a binary payload to show.
const MAX_HEX: usize = 16;

/// Writes items as lines.
#[derive(Debug)]
pub(crate) struct LineView {
    options: Options,
    clock: TimeFormatter,
}

impl View for LineView {
    fn write(&mut self, item: &Item<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        match item {
            Item::Packet(packet) => self.packet(packet, findings, out),
            Item::Sn(item) => self.sn(item, findings, out),
            Item::Gap(range) => self.range(range, &gap(range), out),
            Item::Skipped(range) => self.range(range, &skipped(range), out),
            Item::Event(event) => {
                self.event(event, out);
                for finding in findings {
                    self.finding(finding, out);
                }
            }
        }
    }
}

impl LineView {
    pub(crate) fn new(options: Options) -> LineView {
        LineView { options, clock: TimeFormatter::time_of_day() }
    }

    fn packet(&mut self, packet: &Packet<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        self.head(packet.at, packet.connection, Some(packet.direction), out);
        let summary = summary(packet, self.options);
        let line = format!("{} {}", self.name(packet, findings), escape::line(&summary));
        out.extend_from_slice(line.trim_end().as_bytes());
        out.push(b'\n');
        self.findings(packet, findings, out);
    }

    /// The line in front of a packet's fields.
    pub(super) fn heading(&mut self, unit: &impl Fielded, findings: &[Finding], out: &mut Vec<u8>) {
        let (at, connection, direction) = unit.place();
        self.head(at, connection, Some(direction), out);
        let line = format!("{} {}\n", self.name(unit, findings), unit.size());
        out.extend_from_slice(line.as_bytes());
    }

    pub(super) fn findings(&self, unit: &impl Fielded, findings: &[Finding], out: &mut Vec<u8>) {
        shown(&unit.tree().findings, findings, self.options.least)
            .for_each(|finding| self.finding(finding, out));
    }

    fn name(&self, unit: &impl Fielded, findings: &[Finding]) -> String {
        let name = format!("{:<11}", unit.name());
        let is_error = shown(&unit.tree().findings, findings, self.options.least)
            .any(|finding| finding.severity == Severity::Error);
        match (self.options.is_coloured, is_error) {
            (false, _) => name,
            (true, true) => name.red().bold().to_string(),
            (true, false) => name.bold().to_string(),
        }
    }

    fn finding(&self, finding: &Finding, out: &mut Vec<u8>) {
        let severity = format!("{:>5}", finding.severity.name());
        let severity = match finding.severity {
            _ if !self.options.is_coloured => severity,
            Severity::Error => severity.red().to_string(),
            Severity::Warning => severity.yellow().to_string(),
            Severity::Info => severity.blue().to_string(),
        };
        let (start, end) = (finding.range.start, finding.range.end);
        let place = match end.saturating_sub(start) {
            0 if start == 0 => String::new(),
            0 | 1 => format!("byte {start}: "),
            _ => format!("bytes {start}..{end}: "),
        };
        let detail = escape::line(&finding.detail);
        let line = format!(
            "      {severity} {place}{detail}\n            {}: {}; {}\n",
            finding.statement(),
            finding.rule.sentence(),
            finding.rule.hint()
        );
        out.extend_from_slice(line.as_bytes());
    }

    /// A message of MQTT-SN, or what is known of its sender.
    fn sn(&mut self, item: &SnItem<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        match item {
            SnItem::Message(message) => {
                self.head(message.at, message.connection, Some(message.direction), out);
                let summary = sn::line::summary(message, self.options);
                let line = format!("{} {}", self.name(message, findings), escape::line(&summary));
                out.extend_from_slice(line.trim_end().as_bytes());
                out.push(b'\n');
                self.findings(message, findings, out);
            }
            SnItem::Opened(_) | SnItem::End(_) | SnItem::Closed { .. } => {
                if let Some(text) = sn::line::note(item) {
                    self.head(item.at(), item.connection(), None, out);
                    out.extend_from_slice(format!("-- {}\n", escape::line(&text)).as_bytes());
                }
                findings.iter().for_each(|finding| self.finding(finding, out));
            }
        }
    }

    fn range(&mut self, range: &ByteRange, text: &str, out: &mut Vec<u8>) {
        self.head(range.at, range.connection, Some(range.direction), out);
        let line = format!("-- {text} (at byte {})\n", range.offset);
        out.extend_from_slice(line.as_bytes());
    }

    fn event(&mut self, event: &ConversationEvent<'_>, out: &mut Vec<u8>) {
        let Some((sender, text)) = describe(event, self.options.advice) else { return };
        self.head(event.at(), event.connection(), sender, out);
        out.extend_from_slice(format!("-- {}\n", escape::line(&text)).as_bytes());
    }

    /// Time, connection and direction.
    fn head(&mut self, at: Moment, connection: u32, sender: Option<Direction>, out: &mut Vec<u8>) {
        match at.time {
            Some(time) => self.clock.write(time, 6, out),
            None => out.extend_from_slice(b"               "),
        }
        let arrow = match sender {
            Some(Direction::ClientToServer) => "->",
            Some(Direction::ServerToClient) => "<-",
            None => "  ",
        };
        out.extend_from_slice(format!(" {connection:>3} {arrow} ").as_bytes());
    }
}

/// Bytes that were not captured, as text.
pub(in crate::inspect) fn gap(range: &ByteRange) -> String {
    match range.length {
        0 if range.offset == 0 => "the beginning was not captured".to_owned(),
        0 => "an unknown number of bytes was not captured".to_owned(),
        1 => "1 byte was not captured".to_owned(),
        length => format!("{length} bytes were not captured"),
    }
}

/// Bytes without a packet, as text.
pub(in crate::inspect) fn skipped(range: &ByteRange) -> String {
    format!("skipped {} bytes without a recognisable packet", range.length)
}

/// The sender of an event, if it has one, and the event as text; `None` if it is not shown.
pub(in crate::inspect) fn describe(
    event: &ConversationEvent<'_>,
    advice: Advice,
) -> Option<(Option<Direction>, String)> {
    let described = match event {
        ConversationEvent::Opened { client, server, transport, start, .. } => {
            let how = match (transport.is_encrypted, transport.is_web_socket) {
                (false, false) => "",
                (true, false) => " over TLS",
                (false, true) => " over WebSocket",
                (true, true) => " over secure WebSocket",
            };
            let midway = match start {
                Start::Handshake { .. } => "",
                Start::Midway => "; the beginning was not captured",
            };
            (None, format!("{client} connects to {server}{how}{midway}"))
        }
        ConversationEvent::Conflict { direction, stream_offset, length, .. } => {
            let text = format!(
                "{length} bytes were retransmitted with other contents (at byte {stream_offset}); the first ones count"
            );
            (Some(*direction), text)
        }
        ConversationEvent::ProxyHeader { proxy, header, .. } => {
            (Some(Direction::ClientToServer), proxy_header(*proxy, header))
        }
        ConversationEvent::BadFrame { direction, stream_offset, fault, .. } => {
            (Some(*direction), format!("WebSocket, at byte {stream_offset}: {fault}"))
        }
        ConversationEvent::Undecryptable { direction, stream_offset, why, .. } => (
            Some(*direction),
            format!("TLS, at byte {stream_offset}: {why}; the rest of this direction cannot be read"),
        ),
        ConversationEvent::OtherProtocol { client, server, what, .. } => {
            (None, format!("{client} to {server}: {}", other_protocol(what, advice)))
        }
        ConversationEvent::Closed { by, first_fin, .. } => (None, closed(*by, *first_fin)),
        ConversationEvent::Bytes { .. }
        | ConversationEvent::Datagram { .. }
        | ConversationEvent::Gap { .. }
        | ConversationEvent::Lag { .. }
        | ConversationEvent::Fin { .. } => return None,
    };
    Some(described)
}

fn proxy_header(proxy: SocketAddr, header: &Result<ProxyHeader, ProxyFault>) -> String {
    match header {
        Ok(ProxyHeader { version, addresses: Some((client, server)) }) => {
            format!("PROXY protocol {version}, sent by {proxy}: {client} connected to {server}")
        }
        Ok(ProxyHeader { version, addresses: None }) => {
            format!("PROXY protocol {version}, sent by {proxy}: without a client address")
        }
        Err(fault) => format!("PROXY protocol, sent by {proxy}: invalid header: {fault}"),
    }
}

fn other_protocol(what: &OtherProtocol, advice: Advice) -> String {
    match what {
        OtherProtocol::Tls { server_name, why } => {
            let name = server_name.as_deref().map(|name| format!(", for {}", escape::line(name)));
            let why = match why {
                None | Some(Undecryptable::NoKeyLog) => advice.key_log.to_owned(),
                Some(why) => why.to_string(),
            };
            format!("TLS{}; {why}", name.unwrap_or_default())
        }
        OtherProtocol::Http { request, response } => {
            let line = request.as_deref().or(response.as_deref()).unwrap_or_default();
            format!("HTTP, not MQTT: {}", quoted(line))
        }
        OtherProtocol::ProxyHeader(fault) => format!("PROXY protocol: invalid header: {fault}"),
        OtherProtocol::Silent => "no data".to_owned(),
        OtherProtocol::Refused { .. } => "refused by the server (RST)".to_owned(),
        OtherProtocol::Unknown => "unknown protocol, not MQTT".to_owned(),
    }
}

fn closed(by: Close<Direction>, first_fin: Option<Direction>) -> String {
    let first_fin = first_fin.map(|sender| format!("closed by the {} (FIN)", sender.sender()));
    let end = match by {
        Close::Fin => return first_fin.unwrap_or_else(|| "closed".to_owned()),
        Close::Reset(direction) => format!("reset by the {} (RST)", direction.sender()),
        Close::Refused(direction) => format!("refused by the {} (RST)", direction.sender()),
        Close::Replaced => "replaced by a new connection".to_owned(),
        Close::Evicted => "forgotten: too many connections".to_owned(),
        Close::EndOfCapture => "the capture ends".to_owned(),
    };
    first_fin.map_or(end.clone(), |fin| format!("{fin}, then {end}"))
}

/// The most important fields of a packet, and its round trip.
fn summary(packet: &Packet<'_>, options: Options) -> String {
    let mut line = content(packet, options);
    if let Some(answers) = &packet.facts.answers {
        add(&mut line, &format!("after {}", duration(answers.nanoseconds)));
        if let Some(since) = answers.since_publish {
            line += &format!(" ({} since PUBLISH)", duration(since));
        }
    }
    line
}

/// The most important fields of a packet.
pub(in crate::inspect) fn content(packet: &Packet<'_>, options: Options) -> String {
    let tree = packet.tree;
    let mut line = String::new();
    match packet.packet_type {
        Some(PacketType::Connect) => connect(packet, options, &mut line),
        Some(PacketType::Publish) => publish(packet, options, &mut line),
        Some(PacketType::Subscribe) => {
            id(packet, &mut line);
            for (index, field) in
                tree.fields.iter().enumerate().filter(|(_, field)| field.name == Name::Subscription)
            {
                debug_assert!(!field.is_leaf());
                subscription(tree.inside(index), &mut line);
            }
        }
        _ => {
            id(packet, &mut line);
            for field in &tree.fields {
                match (field.name, field.value) {
                    (Name::SessionPresent, Value::Flag(true)) => add(&mut line, "session present"),
                    (name @ Name::ReturnCode, Value::Code(code @ 1..)) => {
                        let described = described(code, words::code(packet, name, code));
                        add(&mut line, &format!("refused: {described}"));
                    }
                    (name, Value::Code(code)) => {
                        add(&mut line, &described(code, words::code(packet, name, code)));
                    }
                    (Name::FilterToRemove, Value::Text(filter)) => add(&mut line, &quoted(filter)),
                    _ => {}
                }
            }
        }
    }
    properties(&tree.fields, options, &mut line);
    if let Some(undecoded) = tree.bytes(Name::Undecoded).filter(|bytes| !bytes.is_empty()) {
        add(&mut line, &format!("undecoded: {}", hex(undecoded, MAX_HEX)));
    }
    if let Some(inferred) = packet.facts.inferred_version {
        add(&mut line, &format!("MQTT {} (inferred; {})", version(inferred), options.advice.version));
    }
    line
}

fn add(line: &mut String, text: &str) {
    if !line.is_empty() {
        line.push_str(", ");
    }
    line.push_str(text);
}

fn id(packet: &Packet<'_>, line: &mut String) {
    if let Some(packet_id) = packet.tree.number(Name::PacketIdentifier) {
        add(line, &format!("id {packet_id}"));
    }
}

fn connect(packet: &Packet<'_>, options: Options, line: &mut String) {
    let tree = packet.tree;
    if let Some(spoken) = packet.tracker.version {
        add(line, &format!("MQTT {}", version(spoken)));
    }
    if let Some(client_id) = tree.text(Name::ClientIdentifier) {
        add(line, &format!("client id {}", quoted(client_id)));
    }
    if let Some(user_name) = tree.text(Name::UserName) {
        add(line, &format!("user name {}", quoted(user_name)));
    }
    if let Some(password) = tree.bytes(Name::Password) {
        let shown = if options.shows_secrets { payload(password, password.len()) } else { HIDDEN.to_owned() };
        add(line, &format!("password {shown}"));
    }
    if tree.is_set(Name::CleanStart) {
        add(line, "clean start");
    }
    if let Some(keep_alive) = tree.number(Name::KeepAlive) {
        add(line, &format!("keep alive {keep_alive} s"));
    }
    if let (Some(topic), Some(content)) = (tree.text(Name::WillTopic), tree.bytes(Name::WillPayload)) {
        let qos = tree.number(Name::WillQos).unwrap_or_default();
        let retain = if tree.is_set(Name::WillRetain) { " retain" } else { "" };
        let shown = payload(content, content.len());
        add(line, &format!("will {} QoS {qos}{retain} {shown}", quoted(topic)));
    }
}

fn publish(packet: &Packet<'_>, options: Options, line: &mut String) {
    let tree = packet.tree;
    let topic = tree.text(Name::TopicName);
    match (&packet.facts.topic, topic) {
        (Some(resolved), _) => add(line, &format!("{} (by alias)", quoted(resolved))),
        (None, Some(topic)) => add(line, &quoted(topic)),
        (None, None) => {}
    }
    if let Some(qos) = tree.number(Name::Qos) {
        let _ = write!(line, " QoS {qos}");
    }
    for (name, word) in [(Name::Dup, " dup"), (Name::Retain, " retain")] {
        line.push_str(if tree.is_set(name) { word } else { "" });
    }
    id(packet, line);
    if let Some(Field { value: Value::Bytes(content), range, .. }) = tree.find(Name::Payload) {
        let length = range.len();
        // Zeros replace missing bytes; do not show them.
        let known = packet.raw.unbroken().saturating_sub(range.start).min(content.len());
        let content = content.get(..known).unwrap_or_default();
        let unit = if length == 1 { "byte" } else { "bytes" };
        add(line, &format!("{length} {unit}"));
        if length > 0 {
            let raw = match options.payload {
                PayloadDecoding::Hex => hex(content, MAX_HEX),
                _ => payload(content, length),
            };
            let shown = decoded(packet, options).map_or_else(|| raw.clone(), |decoded| short(&decoded, &raw));
            let _ = write!(line, " {shown}");
        }
    }
}

/// A payload as text, or in hexadecimal if it is binary.
pub(in crate::inspect) fn payload(content: &[u8], length: usize) -> String {
    match printable(content) {
        Some(text) if length <= content.len() && text.chars().count() <= MAX_PAYLOAD => quoted(text),
        Some(text) => format!("{}...", quoted(&text.chars().take(MAX_PAYLOAD).collect::<String>())),
        None => hex(content, MAX_HEX),
    }
}

fn subscription(fields: &[Field<'_>], line: &mut String) {
    for field in fields {
        match (field.name, field.value) {
            (Name::TopicFilter, Value::Text(filter)) => add(line, &quoted(filter)),
            (Name::TopicFilter, Value::BadText(bytes)) => add(line, &hex(bytes, MAX_HEX)),
            (Name::MaximumQos, Value::Number(qos)) => {
                let _ = write!(line, " QoS {qos}");
            }
            (Name::NoLocal, Value::Flag(true)) => line.push_str(" no local"),
            (Name::RetainAsPublished, Value::Flag(true)) => line.push_str(" retain as published"),
            (Name::RetainHandling, Value::Number(handling @ 1..)) => {
                let _ = write!(line, " retain handling {handling}");
            }
            _ => {}
        }
    }
}

fn described(code: u8, name: Option<&str>) -> String {
    match name {
        Some(name) if code < 0x80 => name.to_owned(),
        Some(name) => format!("{name} (0x{code:02x})"),
        None => format!("unknown code 0x{code:02x}"),
    }
}

fn properties(fields: &[Field<'_>], options: Options, line: &mut String) {
    for field in fields {
        let Name::Property(id) = field.name else { continue };
        let name = field.name;
        let text = match field.value {
            _ if super::secret::is_secret(name) && !options.shows_secrets => format!("{name} {HIDDEN}"),
            Value::BadPair(name, value) => {
                format!("{}={}", words::text_or_hex(name), words::text_or_hex(value))
            }
            Value::Pair(name, value) => format!("{}={}", quoted(name), quoted(value)),
            Value::Text(text) => format!("{name} {}", quoted(text)),
            Value::Bytes(bytes) | Value::BadText(bytes) => format!("{name} {}", payload(bytes, bytes.len())),
            Value::Number(number) if is_seconds(id) => format!("{name} {number} s"),
            Value::Number(number) => format!("{name} {number}"),
            Value::Flag(_) | Value::Code(_) | Value::Group => continue,
        };
        add(line, &text);
    }
}

fn is_seconds(id: PropertyId) -> bool {
    matches!(
        id,
        PropertyId::MessageExpiryInterval
            | PropertyId::SessionExpiryInterval
            | PropertyId::ServerKeepAlive
            | PropertyId::WillDelayInterval
    )
}
