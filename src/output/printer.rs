//! Formats received messages for standard output.

use super::decoding::Decoding;
use super::sparkplug::SessionMemory;
use super::template::{Rendering, Template};
use super::timestamp::MessageTime;
use super::topic_table::{TerminalSize, TopicTable};
use crate::json;
use crate::message::{self, Encoding};
use crate::payload::Decoded;
use crate::payload::sparkplug::Subscriptions;
use crate::protocol::Publish;
use crate::time_zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The form in which messages are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The payload unchanged.
    Payload,
    /// The topic, a space and the payload.
    TopicAndPayload,
    /// The payload in an encoding, on its own line even if it is empty.
    Encoded {
        encoding: Encoding,
        /// Whether the line starts with the topic and a space.
        has_topic: bool,
    },
    /// A format, filled in.
    Template(Template),
    /// The whole message as a JSON object.
    Json,
}

/// Prints messages, each the same way.
#[derive(Debug)]
pub(crate) struct Printer {
    layout: Layout,
    decoding: Option<Decoding>,
    sessions: SessionMemory,
    has_newlines: bool,
    is_pretty: bool,
    is_coloured: bool,
    watch: Option<TopicTable>,
    /// Read when the first message needs local time.
    time_zone: Option<TimeZone>,
    notes: Vec<String>,
}

impl Printer {
    /// A printer for this layout, with a line end after each message or without.
    pub(crate) fn new(layout: Layout, has_newlines: bool) -> Printer {
        Printer {
            layout,
            decoding: None,
            sessions: SessionMemory::new(),
            has_newlines,
            is_pretty: false,
            is_coloured: false,
            watch: None,
            time_zone: None,
            notes: Vec::new(),
        }
    }

    /// Lays JSON out over several lines.
    pub(crate) fn pretty(self, is_pretty: bool) -> Printer {
        Printer { is_pretty, ..self }
    }

    /// Colours JSON, for a terminal. The screen of latest messages stays plain.
    pub(crate) fn coloured(self, is_coloured: bool) -> Printer {
        Printer { is_coloured: is_coloured && self.watch.is_none(), ..self }
    }

    /// Prints decoded payloads.
    pub(crate) fn decoding(self, decoding: Option<Decoding>) -> Printer {
        Printer { decoding, ..self }
    }

    /// Notes anomalies in the Sparkplug sessions of nodes, if these subscriptions deliver all their messages and all
    /// are printed.
    pub(crate) fn subscribed(self, subscriptions: Subscriptions, are_all_printed: bool) -> Printer {
        Printer { sessions: self.sessions.subscribed(subscriptions, are_all_printed), ..self }
    }

    /// Shows on a screen, below the broker's name, the latest message of each topic instead of printing one after the
    /// other.
    pub(crate) fn watching(self, broker: &str) -> Printer {
        Printer { watch: Some(TopicTable::new(broker)), ..self }
    }

    /// Draws the empty screen with the awaited subscriptions, if messages are shown on a screen.
    pub(crate) fn start(&mut self, awaited: &str, out: &mut Vec<u8>) {
        if let Some(watch) = &mut self.watch {
            watch.start(awaited, TerminalSize::of_stdout(), out);
        }
    }

    /// Appends a message to `out`. As in mosquitto's tools, an empty payload prints nothing, not even a line end, unless the
    /// layout asks for more than the payload.
    pub(crate) fn print(&mut self, publish: &Publish<'_>, out: &mut Vec<u8>) {
        if self.watch.is_none() {
            return self.print_decoded(publish, out);
        }
        let mut printed = Vec::new();
        self.print_decoded(publish, &mut printed);
        let line = printed.strip_suffix(b"\n").unwrap_or(&printed);
        if let Some(watch) = &mut self.watch {
            watch.show(publish.topic, line, TerminalSize::of_stdout(), out);
        }
    }

    /// The messages that could not be printed since the last call, one sentence each.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn print_decoded(&mut self, publish: &Publish<'_>, out: &mut Vec<u8>) {
        let Some(decoding) = &self.decoding else {
            return self.print_plain(publish, out);
        };
        let session_notes = self.sessions.observe(publish, decoding.of_sparkplug());
        self.notes.extend(self.sessions.take_remark());
        let sessions = self.sessions.context(&session_notes);
        if self.layout == Layout::Json {
            let decoded = decoding.decoded(publish, sessions);
            return self.print_message(publish, decoded.as_ref(), out);
        }
        match decoding.show(publish, sessions, self.is_pretty, &mut self.notes) {
            Ok(payload) => {
                let is_json = decoding.fields.is_empty() && self.has_plain_payload();
                let coloured = if is_json && self.is_coloured { json::coloured(&payload) } else { None };
                self.print_plain(
                    &Publish { payload: coloured.as_deref().unwrap_or(&payload), ..*publish },
                    out,
                );
            }
            Err(problem) if decoding.fields.is_empty() => {
                self.notes
                    .push(format!("the payload of {} {problem}; it is printed unchanged", publish.topic));
                self.print_plain(publish, out);
            }
            Err(problem) => {
                self.notes.push(format!("the payload of {} {problem}; it is not printed", publish.topic));
            }
        }
    }

    /// Whether the payload is printed as it is.
    fn has_plain_payload(&self) -> bool {
        matches!(self.layout, Layout::Payload | Layout::TopicAndPayload)
    }

    fn print_plain(&mut self, publish: &Publish<'_>, out: &mut Vec<u8>) {
        let is_empty = publish.payload.is_empty();
        match &self.layout {
            Layout::TopicAndPayload => {
                if is_empty && !self.has_newlines {
                    return;
                }
                push_topic(publish, out);
                out.extend_from_slice(if is_empty { b"(null)" } else { publish.payload });
            }
            Layout::Payload if is_empty => return,
            Layout::Payload => out.extend_from_slice(publish.payload),
            Layout::Encoded { encoding, has_topic } => {
                if *has_topic {
                    push_topic(publish, out);
                }
                push_encoded(*encoding, publish.payload, out);
            }
            Layout::Template(template) => {
                let zone = match (&self.time_zone, template.has_local_time()) {
                    (Some(zone), _) => zone,
                    (None, true) => {
                        let (zone, note) = time_zone::local();
                        self.notes.extend(note);
                        self.time_zone.insert(zone)
                    }
                    (None, false) => &TimeZone::UTC,
                };
                let now = || MessageTime::now(zone);
                let (is_pretty, is_coloured) = (self.is_pretty, self.is_coloured);
                let rendering =
                    Rendering { publish, now: &now, is_pretty, is_coloured, notes: &mut self.notes };
                template.render(rendering, out);
            }
            Layout::Json => return self.print_message(publish, None, out),
        }
        if self.has_newlines {
            out.push(b'\n');
        }
    }

    /// Prints the whole message as an object, with the decoded payload if it is wanted.
    fn print_message(&self, publish: &Publish<'_>, decoded: Option<&Decoded>, out: &mut Vec<u8>) {
        let start = out.len();
        let mut json = json::Writer::new(out, self.is_pretty);
        message::write_with(publish, Timestamp::now(), &mut json, |json| {
            if let Some(decoded) = decoded {
                decoded.write_keys(true, json);
            }
        });
        if self.is_coloured {
            json::colour(out, start);
        }
        if self.has_newlines {
            out.push(b'\n');
        }
    }
}

fn push_topic(publish: &Publish<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(publish.topic.as_bytes());
    out.push(b' ');
}

fn push_encoded(encoding: Encoding, payload: &[u8], out: &mut Vec<u8>) {
    match encoding {
        Encoding::Utf8 => out.extend_from_slice(payload),
        Encoding::Hex => message::push_hex(payload, out),
        Encoding::Base64 => out.extend_from_slice(message::to_base64(payload).as_bytes()),
    }
}
