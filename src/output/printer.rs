//! Turns received messages into bytes for standard output.

use crate::protocol::Publish;

/// What is printed of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// The payload as it is.
    Payload,
    /// The topic, a space and the payload.
    TopicAndPayload,
}

/// Prints messages, each the same way.
#[derive(Debug)]
pub struct Printer {
    layout: Layout,
    has_newlines: bool,
}

impl Printer {
    /// A printer for this layout, with a line end after each message or without.
    pub fn new(layout: Layout, has_newlines: bool) -> Printer {
        Printer { layout, has_newlines }
    }

    /// Appends a message to `out`. As in mosquitto's tools, an empty payload prints nothing, not even a line end, unless the
    /// layout asks for more than the payload.
    pub fn print(&mut self, publish: &Publish<'_>, out: &mut Vec<u8>) {
        let is_empty = publish.payload.is_empty();
        match self.layout {
            Layout::TopicAndPayload => {
                if is_empty && !self.has_newlines {
                    return;
                }
                out.extend_from_slice(publish.topic.as_bytes());
                out.push(b' ');
                out.extend_from_slice(if is_empty { b"(null)" } else { publish.payload });
            }
            Layout::Payload if is_empty => return,
            Layout::Payload => out.extend_from_slice(publish.payload),
        }
        if self.has_newlines {
            out.push(b'\n');
        }
    }
}
