//! One line per packet: time, connection, direction, type and the most important fields. Findings follow on lines of their own.

use super::clock::TimeFormatter;
use super::payload::{decoded, short};
use super::secret::HIDDEN;
use super::words::{printable, push_duration, push_hex, push_number, version};
use super::{Advice, Fielded, Options, View, shown, words};
use crate::escape::{self, push_quoted, quoted};
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::{ConversationEvent, OtherProtocol, Undecryptable};
use crate::inspect::capture::reassembly::{Close, Start};
use crate::inspect::field::Tree;
use crate::inspect::inspector::ByteRange;
use crate::inspect::sn::{self, SnItem};
use crate::inspect::{Direction, Field, Finding, Item, Name, Packet, Severity, Value};
use crate::payload::PayloadDecoding;
use crate::protocol::{PacketType, PropertyId, ProxyFault, ProxyHeader};
use crate::words::{counted, counted_verb};
use colored::Colorize;
use std::borrow::Cow;
use std::net::SocketAddr;

/// Maximum characters of a payload to show.
const MAX_PAYLOAD: usize = 60;

/// Maximum bytes of a binary payload to show.
const MAX_HEX: usize = 16;

/// The columns of a packet's type, and of a connection's number.
const NAME: usize = 11;
const NUMBER: usize = 3;

/// Writes items as lines.
#[derive(Debug)]
pub(crate) struct LineView {
    options: Options,
    clock: TimeFormatter,
    /// The fields of a packet, whose memory the next packet uses again.
    summary: String,
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
        LineView { options, clock: TimeFormatter::time_of_day(), summary: String::new() }
    }

    fn packet(&mut self, packet: &Packet<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        self.head(packet.at, packet.connection, Some(packet.direction), out);
        self.summary.clear();
        push_content(packet, self.options, &mut self.summary);
        if let Cow::Owned(escaped) = escape::line(&self.summary) {
            self.summary = escaped;
        }
        push_round_trip(packet, &mut self.summary);
        self.named(packet, &self.summary, findings, out);
    }

    /// The type with the most important fields, whose text is escaped, and the findings.
    fn named(&self, unit: &impl Fielded, summary: &str, findings: &[Finding], out: &mut Vec<u8>) {
        self.name(unit, findings, out);
        match summary.trim_end() {
            "" => trim_end(out),
            summary => {
                out.push(b' ');
                out.extend_from_slice(summary.as_bytes());
            }
        }
        out.push(b'\n');
        self.findings(unit, findings, out);
    }

    /// The line in front of a packet's fields.
    pub(super) fn heading(&mut self, unit: &impl Fielded, findings: &[Finding], out: &mut Vec<u8>) {
        let (at, connection, direction) = unit.place();
        self.head(at, connection, Some(direction), out);
        self.name(unit, findings, out);
        out.extend_from_slice(format!(" {}\n", unit.size()).as_bytes());
    }

    pub(super) fn findings(&self, unit: &impl Fielded, findings: &[Finding], out: &mut Vec<u8>) {
        shown(&unit.tree().findings, findings, self.options.least)
            .for_each(|finding| self.finding(finding, out));
    }

    fn name(&self, unit: &impl Fielded, findings: &[Finding], out: &mut Vec<u8>) {
        let name = unit.name();
        if !self.options.is_coloured {
            out.extend_from_slice(name.as_bytes());
            return out.resize(out.len() + NAME.saturating_sub(name.len()), b' ');
        }
        let name = format!("{name:<NAME$}");
        let is_error = shown(&unit.tree().findings, findings, self.options.least)
            .any(|finding| finding.severity == Severity::Error);
        let name = if is_error { name.red().bold() } else { name.bold() };
        out.extend_from_slice(name.to_string().as_bytes());
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

    /// A message of MQTT-SN, or a note on its sender.
    fn sn(&mut self, item: &SnItem<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        match item {
            SnItem::Message(message) => {
                self.head(message.at, message.connection, Some(message.direction), out);
                let summary = sn::line::summary(message, self.options);
                self.named(message, &escape::line(&summary), findings, out);
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
        let mut digits = itoa::Buffer::new();
        let number = digits.format(connection);
        out.resize(out.len() + 1 + NUMBER.saturating_sub(number.len()), b' ');
        for text in [number, " ", arrow, " "] {
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Removes the spaces at the end.
fn trim_end(out: &mut Vec<u8>) {
    while out.pop_if(|last| *last == b' ').is_some() {}
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
    format!("skipped {} without a recognisable packet", counted(range.length, "byte"))
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
            let first = if *length == 1 { "one counts" } else { "ones count" };
            let text = format!(
                "{} retransmitted with other contents (at byte {stream_offset}); the first {first}",
                counted_verb(*length, "byte", "was")
            );
            (Some(*direction), text)
        }
        ConversationEvent::ProxyHeader { proxy, header, .. } => {
            (Some(Direction::ClientToServer), proxy_header(*proxy, header))
        }
        ConversationEvent::BadFrame { direction, stream_offset, fault, .. } => {
            (Some(*direction), format!("WebSocket, at byte {stream_offset}: {fault}"))
        }
        ConversationEvent::Undecryptable { direction, stream_offset, reason, .. } => (
            Some(*direction),
            format!("TLS, at byte {stream_offset}: {reason}; the rest of this direction cannot be read"),
        ),
        ConversationEvent::OtherProtocol { client, server, protocol, .. } => {
            (None, format!("{client} to {server}: {}", other_protocol(protocol, advice)))
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

fn other_protocol(protocol: &OtherProtocol, advice: Advice) -> String {
    match protocol {
        OtherProtocol::Tls { server_name, reason } => {
            let name = server_name.as_deref().map(|name| format!(", for {}", escape::line(name)));
            let reason = match reason {
                None | Some(Undecryptable::NoKeyLog) => advice.key_log.to_owned(),
                Some(reason) => reason.to_string(),
            };
            format!("TLS{}; {reason}", name.unwrap_or_default())
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

fn push_round_trip(packet: &Packet<'_>, line: &mut String) {
    if let Some(answers) = &packet.facts.answers {
        add(line, "after ");
        push_duration(answers.nanoseconds, line);
        if let Some(since) = answers.since_publish {
            line.push_str(" (");
            push_duration(since, line);
            line.push_str(" since PUBLISH)");
        }
    }
}

/// The most important fields of a packet.
pub(in crate::inspect) fn content(packet: &Packet<'_>, options: Options) -> String {
    let mut line = String::new();
    push_content(packet, options, &mut line);
    line
}

fn push_content(packet: &Packet<'_>, options: Options, line: &mut String) {
    let tree = packet.tree;
    match packet.packet_type {
        Some(PacketType::Connect) => connect(packet, options, line),
        Some(PacketType::Publish) => publish(packet, options, line),
        Some(PacketType::Subscribe) => {
            id(packet, line);
            for (index, field) in
                tree.fields.iter().enumerate().filter(|(_, field)| field.name == Name::Subscription)
            {
                debug_assert!(!field.is_leaf());
                subscription(tree.inside(index), line);
            }
        }
        _ => {
            id(packet, line);
            for field in &tree.fields {
                match (field.name, field.value) {
                    (Name::SessionPresent, Value::Flag(true)) => add(line, "session present"),
                    (name @ Name::ReturnCode, Value::Code(code @ 1..)) => {
                        let described = described(code, words::code(packet, name, code));
                        add(line, &format!("refused: {described}"));
                    }
                    (name, Value::Code(code)) => {
                        add(line, &described(code, words::code(packet, name, code)));
                    }
                    (Name::FilterToRemove, Value::Text(filter)) => add_quoted(line, "", filter),
                    _ => {}
                }
            }
        }
    }
    properties(&tree.fields, options, line);
    if let Some(undecoded) = undecoded(tree).filter(|bytes| !bytes.is_empty()) {
        add(line, "undecoded: ");
        push_hex(undecoded, MAX_HEX, line);
    }
    if let Some(inferred) = packet.facts.inferred_version {
        add(line, &format!("MQTT {} (inferred; {})", version(inferred), options.advice.version));
    }
}

/// The bytes that were not decoded, which are the last field.
fn undecoded<'a>(tree: &Tree<'a>) -> Option<&'a [u8]> {
    if tree.is_decoded() { None } else { tree.bytes(Name::Undecoded) }
}

/// Adds a part, which more text may follow.
fn add(line: &mut String, text: &str) {
    if !line.is_empty() {
        line.push_str(", ");
    }
    line.push_str(text);
}

/// Adds a part with a quoted text at its end.
fn add_quoted(line: &mut String, before: &str, text: &str) {
    add(line, before);
    push_quoted(text, line);
}

fn id(packet: &Packet<'_>, line: &mut String) {
    if let Some(packet_id) = packet.tree.number(Name::PacketIdentifier) {
        add(line, "id ");
        push_number(packet_id.into(), line);
    }
}

fn connect(packet: &Packet<'_>, options: Options, line: &mut String) {
    let tree = packet.tree;
    if let Some(spoken) = packet.tracker.version {
        add(line, "MQTT ");
        line.push_str(version(spoken));
    }
    if let Some(client_id) = tree.text(Name::ClientIdentifier) {
        add_quoted(line, "client id ", client_id);
    }
    if let Some(user_name) = tree.text(Name::UserName) {
        add_quoted(line, "user name ", user_name);
    }
    if let Some(password) = tree.bytes(Name::Password) {
        add(line, "password ");
        match options.shows_secrets {
            true => push_payload(password, password.len(), line),
            false => line.push_str(HIDDEN),
        }
    }
    if tree.is_set(Name::CleanStart) {
        add(line, "clean start");
    }
    if let Some(keep_alive) = tree.number(Name::KeepAlive) {
        add(line, "keep alive ");
        push_number(keep_alive.into(), line);
        line.push_str(" s");
    }
    if let (Some(topic), Some(content)) = (tree.text(Name::WillTopic), tree.bytes(Name::WillPayload)) {
        add_quoted(line, "will ", topic);
        push_qos(tree.number(Name::WillQos).unwrap_or_default(), line);
        line.push_str(if tree.is_set(Name::WillRetain) { " retain " } else { " " });
        push_payload(content, content.len(), line);
    }
}

fn publish(packet: &Packet<'_>, options: Options, line: &mut String) {
    let tree = packet.tree;
    match (&packet.facts.topic, tree.text(Name::TopicName)) {
        (Some(resolved), _) => {
            add_quoted(line, "", resolved);
            line.push_str(" (by alias)");
        }
        (None, Some(topic)) => add_quoted(line, "", topic),
        (None, None) => {}
    }
    if let Some(qos) = tree.number(Name::Qos) {
        push_qos(qos, line);
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
        add(line, "");
        push_number(length as u64, line);
        line.push_str(if length == 1 { " byte" } else { " bytes" });
        if length > 0 {
            line.push(' ');
            published(packet, content, length, options, line);
        }
    }
}

/// A payload as text, or in hexadecimal if it is binary.
pub(in crate::inspect) fn payload(content: &[u8], length: usize) -> String {
    let mut text = String::new();
    push_payload(content, length, &mut text);
    text
}

/// Appends the decoded payload of a PUBLISH, or the payload itself.
fn published(packet: &Packet<'_>, content: &[u8], length: usize, options: Options, line: &mut String) {
    let push_raw = |out: &mut String| match options.payload {
        PayloadDecoding::Hex => push_hex(content, MAX_HEX, out),
        _ => push_payload(content, length, out),
    };
    match decoded(packet, options) {
        None => push_raw(line),
        Some(decoded) => {
            let mut raw = String::new();
            push_raw(&mut raw);
            line.push_str(&short(&decoded, &raw));
        }
    }
}

fn push_qos(qos: u32, line: &mut String) {
    line.push_str(" QoS ");
    push_number(qos.into(), line);
}

/// Appends the text as [`payload`] returns it.
fn push_payload(content: &[u8], length: usize, line: &mut String) {
    let Some(text) = printable(content) else { return push_hex(content, MAX_HEX, line) };
    // Most payloads have too few bytes to be cut.
    let cut = if text.len() <= MAX_PAYLOAD { None } else { text.char_indices().nth(MAX_PAYLOAD) };
    match cut {
        None if length <= content.len() => push_quoted(text, line),
        cut => {
            let end = cut.map_or(text.len(), |(end, _)| end);
            push_quoted(text.get(..end).unwrap_or_default(), line);
            line.push_str("...");
        }
    }
}

fn subscription(fields: &[Field<'_>], line: &mut String) {
    for field in fields {
        match (field.name, field.value) {
            (Name::TopicFilter, Value::Text(filter)) => add_quoted(line, "", filter),
            (Name::TopicFilter, Value::BadText(bytes)) => {
                add(line, "");
                push_hex(bytes, MAX_HEX, line);
            }
            (Name::MaximumQos, Value::Number(qos)) => push_qos(qos, line),
            (Name::NoLocal, Value::Flag(true)) => line.push_str(" no local"),
            (Name::RetainAsPublished, Value::Flag(true)) => line.push_str(" retain as published"),
            (Name::RetainHandling, Value::Number(handling @ 1..)) => {
                line.push_str(" retain handling ");
                push_number(handling.into(), line);
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
            Value::Bytes(bytes) | Value::BadText(bytes) => {
                let mut text = format!("{name} ");
                push_payload(bytes, bytes.len(), &mut text);
                text
            }
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
