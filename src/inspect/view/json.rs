//! One JSON object per line. `docs/inspect-json.md` documents it for users; keys are only ever added.

use super::super::diagnosis::Report;
use super::clock::TimeFormatter;
use super::secret::{HIDDEN, is_secret};
use super::{Options, View, payload, shown, words};
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::{ConversationEvent, OtherProtocol};
use crate::inspect::capture::reassembly::{Close, Start};
use crate::inspect::field::Bits;
use crate::inspect::inspector::ByteRange;
use crate::inspect::sn::{self, SnItem};
use crate::inspect::statistics::Statistics;
use crate::inspect::tracker::RoundTrip;
use crate::inspect::{Direction, Field, Finding, Item, Name, Packet, Value};
use crate::json::{self, Writer, key};
use crate::message::{to_base64, write_bytes};
use crate::protocol::{PacketType, PropertyId, ProxyFault, ProxyHeader};
use std::fmt::Write;

/// Writes items as JSON.
#[derive(Debug)]
pub(crate) struct JsonView {
    options: Options,
    clock: TimeFormatter,
}

impl View for JsonView {
    fn write(&mut self, item: &Item<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        let start = out.len();
        match item {
            Item::Packet(packet) => self.packet(packet, findings, out),
            Item::Sn(SnItem::Closed { .. }) => return,
            Item::Sn(item) => self.sn(item, findings, out),
            Item::Gap(range) => self.range("gap", range, out),
            Item::Skipped(range) => self.range("skipped", range, out),
            // Only the linter needs it.
            Item::Event(ConversationEvent::Lag { .. } | ConversationEvent::Fin { .. }) => return,
            Item::Event(event) => self.event(event, findings, out),
        }
        if self.options.is_coloured {
            json::colour(out, start);
        }
        out.push(b'\n');
    }

    fn statistics(&self, statistics: &Statistics) -> String {
        self.coloured(statistics.to_json()) + "\n"
    }

    fn diagnosis(&self, report: &Report, _: &str, _: Option<usize>) -> String {
        self.coloured(report.to_json()) + "\n"
    }
}

impl JsonView {
    pub(crate) fn new(options: Options) -> JsonView {
        JsonView { options, clock: TimeFormatter::rfc_3339() }
    }

    fn coloured(&self, text: String) -> String {
        let coloured = if self.options.is_coloured { json::coloured(text.as_bytes()) } else { None };
        coloured.and_then(|coloured| String::from_utf8(coloured).ok()).unwrap_or(text)
    }

    fn packet(&mut self, packet: &Packet<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        self.head("packet", packet.connection, packet.at, out);
        let mut json = Writer::inside_object(out);
        direction(packet.direction, &mut json);
        number(key!("offset"), packet.offset, &mut json);
        number(key!("length"), packet.raw.length as u64, &mut json);
        if let Some(captured) = captured(packet) {
            number(key!("captured"), captured as u64, &mut json);
        }
        word(key!("type"), words::packet_name(packet), &mut json);
        let flags = packet.raw.bytes.first().map_or(0, |first| u64::from(first & 0x0f));
        number(key!("flags"), flags, &mut json);
        if let Some(version) = packet.tracker.version {
            word(key!("version"), words::version(version), &mut json);
        }
        if packet.tracker.is_version_inferred {
            boolean(key!("version_inferred"), true, &mut json);
        }
        if let Some(client_id) = packet.tracker.client_id.as_deref().filter(|_| !has_client_id(packet)) {
            text(key!("client_id"), client_id, &mut json);
        }
        if let Some(topic) = &packet.facts.topic {
            text(key!("resolved_topic"), topic, &mut json);
        }
        if let Some(answers) = &packet.facts.answers {
            round_trip(answers, &mut json);
        }
        FieldWriter { packet, options: self.options }.write(&packet.tree.fields, &mut json);
        if let Some(decoded) = payload::decoded(packet, self.options) {
            decoded.write_keys(false, &mut json);
        }
        write_findings(shown(&packet.tree.findings, findings, self.options.least), &mut json);
        if self.options.shows_ranges {
            ranges(&packet.tree.fields, captured(packet), &mut json);
        }
        json.close_object();
    }

    fn sn(&mut self, item: &SnItem<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        self.head(sn::json::event(item), item.connection(), item.at(), out);
        let mut json = Writer::inside_object(out);
        sn::json::write(item, findings, self.options, &mut json);
        json.close_object();
    }

    fn range(&mut self, name: &'static str, range: &ByteRange, out: &mut Vec<u8>) {
        self.head(name, range.connection, range.at, out);
        let mut json = Writer::inside_object(out);
        direction(range.direction, &mut json);
        number(key!("offset"), range.offset, &mut json);
        number(key!("length"), range.length, &mut json);
        json.close_object();
    }

    fn event(&mut self, event: &ConversationEvent<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        let (name, connection, at) = match event {
            ConversationEvent::Opened { connection, at, .. } => ("opened", connection, at),
            ConversationEvent::Conflict { connection, at, .. } => ("conflict", connection, at),
            ConversationEvent::ProxyHeader { connection, at, .. } => ("proxy_header", connection, at),
            ConversationEvent::BadFrame { connection, at, .. } => ("bad_frame", connection, at),
            ConversationEvent::Undecryptable { connection, at, .. } => ("undecryptable", connection, at),
            ConversationEvent::OtherProtocol { connection, at, .. } => ("foreign", connection, at),
            ConversationEvent::Fin { connection, at, .. } => ("fin", connection, at),
            ConversationEvent::Closed { connection, at, .. } => ("closed", connection, at),
            ConversationEvent::Bytes { connection, at, .. } => ("bytes", connection, at),
            ConversationEvent::Datagram { connection, at, .. } => ("datagram", connection, at),
            ConversationEvent::Gap { connection, at, .. } => ("gap", connection, at),
            ConversationEvent::Lag { connection, at, .. } => ("lag", connection, at),
        };
        self.head(name, *connection, *at, out);
        let mut json = Writer::inside_object(out);
        event_fields(event, &mut json);
        write_findings(findings.iter(), &mut json);
        json.close_object();
    }

    /// Opens the object, with the keys that all objects have.
    fn head(&mut self, event: &'static str, connection: u32, at: Moment, out: &mut Vec<u8>) {
        let mut json = Writer::new(out, false);
        json.open_object();
        word(key!("event"), event, &mut json);
        if let Some(time) = at.time {
            out.extend_from_slice(b",\"time\":\"");
            self.clock.write(time, 9, out);
            out.extend_from_slice(b"Z\"");
        }
        let mut json = Writer::inside_object(out);
        if at.frame > 0 {
            number(key!("frame"), at.frame, &mut json);
        }
        number(key!("connection"), connection.into(), &mut json);
    }
}

/// Whether a field of the packet has the client identifier.
fn has_client_id(packet: &Packet<'_>) -> bool {
    packet.packet_type == Some(PacketType::Connect) && packet.tree.find(Name::ClientIdentifier).is_some()
}

/// The number of captured bytes, if the packet's end is missing.
fn captured(packet: &Packet<'_>) -> Option<usize> {
    let raw = packet.raw;
    let lacks_end = raw.missing.last().is_some_and(|hole| hole.end >= raw.length);
    (raw.is_cut || lacks_end).then(|| raw.unbroken())
}

fn number(key: &'static str, number: u64, json: &mut Writer<'_>) {
    json.whole_key(key);
    json.integer(number);
}

fn text(key: &'static str, text: &str, json: &mut Writer<'_>) {
    json.whole_key(key);
    json.string(text);
}

/// A text of ours, without characters to escape.
fn word(key: &'static str, word: &'static str, json: &mut Writer<'_>) {
    json.whole_key(key);
    json.plain_string(word.as_bytes());
}

fn boolean(key: &'static str, is_so: bool, json: &mut Writer<'_>) {
    json.whole_key(key);
    json.raw(if is_so { b"true" } else { b"false" });
}

fn direction(direction: Direction, json: &mut Writer<'_>) {
    word(key!("direction"), direction.name(), json);
}

fn event_fields(event: &ConversationEvent<'_>, json: &mut Writer<'_>) {
    match event {
        ConversationEvent::Opened { client, server, transport, start, .. } => {
            text(key!("client"), &client.to_string(), json);
            text(key!("server"), &server.to_string(), json);
            let is_handshake_seen = matches!(start, Start::Handshake { .. });
            boolean(key!("tls"), transport.is_encrypted, json);
            boolean(key!("websocket"), transport.is_web_socket, json);
            boolean(key!("handshake_seen"), is_handshake_seen, json);
        }
        ConversationEvent::OtherProtocol { client, server, protocol, .. } => {
            text(key!("client"), &client.to_string(), json);
            text(key!("server"), &server.to_string(), json);
            other_protocol(protocol, json);
        }
        ConversationEvent::Conflict { direction: sender, stream_offset, length, .. } => {
            direction(*sender, json);
            number(key!("stream_offset"), *stream_offset, json);
            number(key!("length"), *length, json);
        }
        ConversationEvent::ProxyHeader { proxy, header, .. } => {
            text(key!("proxy"), &proxy.to_string(), json);
            proxy_header(header, json);
        }
        ConversationEvent::BadFrame { direction: sender, stream_offset, fault, .. } => {
            direction(*sender, json);
            number(key!("stream_offset"), *stream_offset, json);
            text(key!("text"), &fault.to_string(), json);
        }
        ConversationEvent::Undecryptable { direction: sender, stream_offset, reason, .. } => {
            direction(*sender, json);
            number(key!("stream_offset"), *stream_offset, json);
            text(key!("text"), &reason.to_string(), json);
        }
        ConversationEvent::Closed { by, first_fin, .. } => closed(*by, *first_fin, json),
        ConversationEvent::Bytes { .. }
        | ConversationEvent::Datagram { .. }
        | ConversationEvent::Gap { .. }
        | ConversationEvent::Lag { .. }
        | ConversationEvent::Fin { .. } => {}
    }
}

fn closed(by: Close<Direction>, first_fin: Option<Direction>, json: &mut Writer<'_>) {
    let (by, sender) = match by {
        Close::Fin => ("fin", first_fin),
        Close::Reset(sender) => ("reset", Some(sender)),
        Close::Refused(sender) => ("refused", Some(sender)),
        Close::Replaced => ("replaced", None),
        Close::Evicted => ("evicted", None),
        Close::EndOfCapture => ("end_of_capture", None),
    };
    text(key!("by"), by, json);
    if let Some(sender) = sender {
        direction(sender, json);
    }
    if let Some(first_fin) = first_fin {
        text(key!("first_fin"), first_fin.name(), json);
    }
}

fn proxy_header(header: &Result<ProxyHeader, ProxyFault>, json: &mut Writer<'_>) {
    match header {
        Ok(ProxyHeader { version, addresses }) => {
            text(key!("version"), version.name(), json);
            if let Some((client, server)) = addresses {
                text(key!("client"), &client.to_string(), json);
                text(key!("server"), &server.to_string(), json);
            }
        }
        Err(fault) => text(key!("text"), &fault.to_string(), json),
    }
}

fn other_protocol(protocol: &OtherProtocol, json: &mut Writer<'_>) {
    match protocol {
        OtherProtocol::Tls { server_name, reason } => {
            text(key!("protocol"), "tls", json);
            if let Some(name) = server_name {
                text(key!("server_name"), name, json);
            }
            if let Some(reason) = reason {
                text(key!("text"), &reason.to_string(), json);
            }
        }
        OtherProtocol::Http { request, response } => {
            text(key!("protocol"), "http", json);
            for (key, line) in [(key!("request"), request), (key!("response"), response)] {
                if let Some(line) = line {
                    text(key, line, json);
                }
            }
        }
        OtherProtocol::ProxyHeader(fault) => {
            text(key!("protocol"), "proxy", json);
            text(key!("text"), &fault.to_string(), json);
        }
        OtherProtocol::Silent => text(key!("protocol"), "none", json),
        OtherProtocol::Refused { .. } => {
            text(key!("protocol"), "none", json);
            text(key!("by"), "refused", json);
        }
        OtherProtocol::Unknown => text(key!("protocol"), "unknown", json),
    }
}

fn round_trip(answers: &RoundTrip, json: &mut Writer<'_>) {
    number(key!("round_trip_ns"), answers.nanoseconds, json);
    if let Some(since) = answers.since_publish {
        number(key!("since_publish_ns"), since, json);
    }
}

/// Writes the fields of a packet under their names, in groups only if names would clash.
struct FieldWriter<'p> {
    packet: &'p Packet<'p>,
    options: Options,
}

impl FieldWriter<'_> {
    fn write(&self, fields: &[Field<'_>], json: &mut Writer<'_>) {
        let mut index = 0;
        while let Some(field) = fields.get(index) {
            index += 1;
            match field.name {
                Name::Properties | Name::WillProperties => {
                    let end = next_sibling(fields, index - 1);
                    self.properties(field.name, fields.get(index..end).unwrap_or_default(), json);
                    index = end;
                }
                Name::Subscription | Name::FilterToRemove | Name::FilterReasonCode => {
                    index = self.list(fields, index - 1, json);
                }
                name => self.field(name, field.value, field.range.len(), json),
            }
        }
    }

    /// Writes adjacent fields of the same name as an array, and returns the index of the next field.
    fn list(&self, fields: &[Field<'_>], start: usize, json: &mut Writer<'_>) -> usize {
        let Some(name) = fields.get(start).map(|field| field.name) else { return start + 1 };
        json.whole_key(name.whole_key());
        json.open_array();
        let mut index = start;
        while let Some(field) = fields.get(index).filter(|field| field.name == name) {
            json.element();
            let end = next_sibling(fields, index);
            if field.is_leaf() {
                self.value(field.value, json);
            } else {
                json.open_object();
                self.write(fields.get(index + 1..end).unwrap_or_default(), json);
                json.close_object();
            }
            index = end;
        }
        json.close_array();
        index
    }

    fn properties(&self, name: Name, fields: &[Field<'_>], json: &mut Writer<'_>) {
        if !fields.iter().any(|field| matches!(field.name, Name::Property(_))) {
            return;
        }
        json.whole_key(name.whole_key());
        json.open_object();
        for (index, field) in fields.iter().enumerate() {
            match field.name {
                Name::Property(id) if is_list(id) => {
                    let before = fields.get(..index).unwrap_or_default();
                    if before.iter().all(|other| other.name != field.name) {
                        self.scattered(field.name, fields, json);
                    }
                }
                Name::Property(_) => self.field(field.name, field.value, field.range.len(), json),
                _ => {}
            }
        }
        json.close_object();
    }

    /// Writes all fields of a name as an array.
    fn scattered(&self, name: Name, fields: &[Field<'_>], json: &mut Writer<'_>) {
        json.whole_key(name.whole_key());
        json.open_array();
        for field in fields.iter().filter(|field| field.name == name) {
            json.element();
            self.value(field.value, json);
        }
        json.close_array();
    }

    fn field(&self, name: Name, value: Value<'_>, length: usize, json: &mut Writer<'_>) {
        match (name, value) {
            (_, Value::Group) | (Name::PacketType | Name::Flags | Name::PropertyLength, _) => {}
            // Reserved bits are shown only if they are set.
            (Name::Reserved, Value::Number(0) | Value::Flag(false)) => {}
            (name, _) if is_secret(name) && !self.options.shows_secrets => {
                word(name.whole_key(), HIDDEN, json);
            }
            (name, Value::Bytes(bytes) | Value::BadText(bytes)) => self.bytes(name, bytes, length, json),
            (name, Value::Code(code)) => {
                number(name.whole_key(), code.into(), json);
                let meaning = words::code(self.packet, name, code);
                word(key!("reason"), meaning.unwrap_or("unknown"), json);
            }
            (name, value) => {
                json.whole_key(name.whole_key());
                self.value(value, json);
            }
        }
    }

    /// Writes bytes as in a message's object: UTF-8 as text, other bytes in Base64.
    fn bytes(&self, name: Name, bytes: &[u8], length: usize, json: &mut Writer<'_>) {
        if name == Name::Payload {
            number(key!("payload_length"), length as u64, json);
        }
        write_bytes(name.key(), bytes, json);
    }

    fn value(&self, value: Value<'_>, json: &mut Writer<'_>) {
        match value {
            Value::Group => json.literal("null"),
            Value::Number(number) => json.integer(number.into()),
            Value::Code(code) => json.integer(code.into()),
            Value::Flag(flag) => json.raw(if flag { b"true" } else { b"false" }),
            Value::Text(text) => json.string(text),
            Value::BadText(bytes) | Value::Bytes(bytes) => json.string(&to_base64(bytes)),
            Value::BadPair(name, value) => {
                json.open_array();
                for bytes in [name, value] {
                    json.element();
                    match std::str::from_utf8(bytes) {
                        Ok(text) => json.string(text),
                        Err(_) => json.string(&hexadecimal(bytes)),
                    }
                }
                json.close_array();
            }
            Value::Pair(name, value) => {
                json.open_array();
                json.element();
                json.string(name);
                json.element();
                json.string(value);
                json.close_array();
            }
        }
    }
}

/// Hexadecimal as in decoded payloads.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_list(id: PropertyId) -> bool {
    matches!(id, PropertyId::UserProperty | PropertyId::SubscriptionIdentifier)
}

/// The index of the next field that is not inside this one.
fn next_sibling(fields: &[Field<'_>], index: usize) -> usize {
    let depth = fields.get(index).map_or(0, |field| field.depth);
    let rest = fields.get(index + 1..).unwrap_or_default();
    index + 1 + rest.iter().position(|field| field.depth <= depth).unwrap_or(rest.len())
}

/// Writes the findings, if there are any.
pub(in crate::inspect) fn write_findings<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    json: &mut Writer<'_>,
) {
    let mut findings = findings.peekable();
    if findings.peek().is_none() {
        return;
    }
    json.whole_key(key!("findings"));
    json.open_array();
    for finding in findings {
        json.element();
        json.open_object();
        text(key!("severity"), finding.severity.name(), json);
        text(key!("statement"), finding.statement(), json);
        if !finding.range.is_empty() || finding.range.start > 0 {
            json.whole_key(key!("bytes"));
            range(&finding.range, json);
        }
        text(key!("detail"), &finding.detail, json);
        text(key!("rule"), finding.rule.sentence(), json);
        json.close_object();
    }
    json.close_array();
}

fn range(range: &std::ops::Range<usize>, json: &mut Writer<'_>) {
    json.open_array();
    for end in [range.start, range.end] {
        json.element();
        json.integer(end as u64);
    }
    json.close_array();
}

/// Writes every field with its byte range, up to the last captured byte.
pub(in crate::inspect) fn ranges(fields: &[Field<'_>], captured: Option<usize>, json: &mut Writer<'_>) {
    let end = captured.unwrap_or(usize::MAX);
    json.whole_key(key!("fields"));
    json.open_array();
    for field in fields {
        json.element();
        json.open_object();
        text(key!("name"), field.name.key(), json);
        number(key!("depth"), field.depth.into(), json);
        json.whole_key(key!("bytes"));
        range(&(field.range.start.min(end)..field.range.end.min(end)), json);
        if let Some(Bits { high, low }) = field.bits {
            json.whole_key(key!("bits"));
            json.open_array();
            for bit in [high, low] {
                json.element();
                json.integer(bit.into());
            }
            json.close_array();
        }
        json.close_object();
    }
    json.close_array();
}
