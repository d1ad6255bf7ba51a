//! Payloads of messages: a header that identifies the message if it is measured, and the bytes after it.

use super::payload_header::PayloadHeader;
use super::random;
use super::template::{Template, ValueLengths, Values};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// Upper bounds for values that differ between publishers.
const LONGEST_VALUES: ValueLengths = ValueLengths { publisher: (10, 10), client: (64, 64) };

/// The payloads of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Payload {
    /// Dots, after a header if it fits; the size is fixed, or chosen for each message.
    Size { least: usize, most: usize },
    /// The same bytes each time, after the header if the group has one.
    Bytes(Vec<u8>),
    /// A text for each message, after the header if the group has one.
    Text(Template),
    /// Recorded messages in a loop, each after the header if the group has one. Each publisher starts one message
    /// further than the one before. At least one message.
    Recording(Arc<[Recorded]>),
}

/// One message of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Its topic, if it replaces the group's.
    pub topic: Option<Box<str>>,
    pub payload: Box<[u8]>,
}

impl Recorded {
    /// Its topic, if it replaces the group's.
    pub(super) fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }
}

impl Payload {
    /// An upper bound of the payload sizes in bytes.
    pub(crate) fn most(&self, header: usize) -> usize {
        match self {
            Payload::Size { most, .. } => *most,
            Payload::Bytes(bytes) => header + bytes.len(),
            Payload::Text(template) => header + template.lengths(&LONGEST_VALUES).1,
            Payload::Recording(messages) => {
                header + messages.iter().map(|message| message.payload.len()).max().unwrap_or_default()
            }
        }
    }

    /// The sizes of the shortest and the longest payload in bytes; of a template, their bounds.
    pub(crate) fn sizes(&self, header: usize, values: &ValueLengths) -> (usize, usize) {
        let (shortest, longest) = match self {
            Payload::Size { least, most } => return (*least, *most),
            Payload::Bytes(bytes) => (bytes.len(), bytes.len()),
            Payload::Text(template) => template.lengths(values),
            Payload::Recording(messages) => {
                let lengths = || messages.iter().map(|message| message.payload.len());
                (lengths().min().unwrap_or_default(), lengths().max().unwrap_or_default())
            }
        };
        (header + shortest, header + longest)
    }

    /// Whether it contains the client identifier.
    pub(crate) fn names_client(&self) -> bool {
        matches!(self, Payload::Text(template) if template.names_client())
    }

    /// The first values of a publisher's random walks; empty without any.
    pub(super) fn walks(&self, seed: u64) -> Box<[Cell<f64>]> {
        if let Payload::Text(template) = self { template.walks(seed) } else { Box::default() }
    }

    /// Bytes that every payload has for a header.
    pub(crate) fn room_for_header(&self) -> usize {
        match self {
            Payload::Size { least, .. } => *least,
            Payload::Bytes(_) | Payload::Text(_) | Payload::Recording(_) => usize::MAX,
        }
    }

    /// The recorded message that a publisher sends with this sequence number.
    pub(super) fn recorded(&self, publisher: u32, sequence: u64) -> Option<&Recorded> {
        let Payload::Recording(messages) = self else { return None };
        let number = sequence.wrapping_add(publisher.into());
        let index = number.checked_rem(messages.len() as u64)?;
        messages.get(index as usize)
    }
}

/// A reusable buffer that payloads are composed in.
#[derive(Debug)]
pub(super) struct Composer {
    bytes: Vec<u8>,
    header: usize,
}

impl Composer {
    /// `header` is 0 for payloads without a header.
    pub(super) fn new(payload: &Payload, header: usize) -> Composer {
        let mut bytes = vec![b'.'; header];
        match payload {
            Payload::Size { most, .. } => bytes.resize(*most, b'.'),
            Payload::Bytes(content) => bytes.extend(content),
            Payload::Text(_) | Payload::Recording(_) => {}
        }
        Composer { bytes, header }
    }

    /// The payload of a message.
    pub(super) fn compose(&mut self, payload: &Payload, header: PayloadHeader, values: &Values<'_>) -> &[u8] {
        if let Payload::Text(template) = payload {
            self.bytes.truncate(self.header);
            template.fill_in(values, &mut Text(&mut self.bytes));
        }
        if let Some(message) = payload.recorded(values.publisher, values.sequence) {
            self.bytes.truncate(self.header);
            self.bytes.extend_from_slice(&message.payload);
        }
        match self.header {
            0 => {}
            PayloadHeader::PLANNED_SIZE => header.write_planned(&mut self.bytes),
            _ => header.write(&mut self.bytes),
        }
        match payload {
            Payload::Size { least, most } if least < most => {
                let size = size_of(values, *least, *most);
                self.bytes.get(..size).unwrap_or_default()
            }
            _ => &self.bytes,
        }
    }
}

/// Distinguishes random sizes from the other random numbers of a publisher.
const OF_SIZES: u64 = 0x9216_d5d9_8979_fb1b;

/// The size of a message from a range that includes both ends.
fn size_of(values: &Values<'_>, least: usize, most: usize) -> usize {
    let random = random::random(values.generators.seed ^ OF_SIZES, values.publisher, values.sequence);
    let offset = random::below(random, (most - least) as u64 + 1);
    least + usize::try_from(offset).unwrap_or_default()
}

/// Adapts a byte vector to `fmt::Write`.
struct Text<'a>(&'a mut Vec<u8>);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::generator::GeneratorState;
    use crate::bench::run_id::RunId;

    const RUN: RunId = RunId(1);

    fn compose(payload: &Payload, header_size: usize, sequence: u64) -> Vec<u8> {
        let header = PayloadHeader { run: RUN, publisher: 2, sequence, sent_at: 5, planned_at: 4 };
        let values = Values {
            run: RUN,
            publisher: 2,
            subscriber: 0,
            client: "c",
            sequence,
            generators: GeneratorState::default(),
        };
        Composer::new(payload, header_size).compose(payload, header, &values).to_vec()
    }

    #[test]
    fn a_size_includes_the_header() {
        let payload = Payload::Size { least: 30, most: 30 };
        let composed = compose(&payload, PayloadHeader::SIZE, 7);
        assert_eq!((composed.len(), &composed[PayloadHeader::SIZE..]), (30, b"......".as_slice()));
        assert_eq!(PayloadHeader::read(&composed, false).map(|header| header.sequence), Some(7));
        assert_eq!(compose(&Payload::Size { least: 3, most: 3 }, 0, 7), b"...");
    }

    #[test]
    fn sizes_are_spread_over_their_range() {
        let payload = Payload::Size { least: 24, most: 27 };
        let mut sizes: Vec<_> =
            (0..200).map(|number| compose(&payload, PayloadHeader::SIZE, number).len()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        assert_eq!(sizes, [24, 25, 26, 27]);
    }

    #[test]
    fn recorded_messages_follow_each_other_in_a_circle() {
        let recorded = |payload: &str| Recorded { topic: None, payload: payload.as_bytes().into() };
        let payload = Payload::Recording(["a", "bb", ""].map(recorded).into());
        let sent = [0, 1, 2, 3].map(|sequence| compose(&payload, 0, sequence));
        assert_eq!(
            sent,
            [b"".as_slice(), b"a", b"bb", b""],
            "the second publisher after the first one begins at the third"
        );
        assert_eq!(compose(&payload, PayloadHeader::SIZE, 2)[PayloadHeader::SIZE..], *b"bb");
        assert_eq!(
            (payload.most(PayloadHeader::SIZE), payload.room_for_header()),
            (PayloadHeader::SIZE + 2, usize::MAX)
        );
    }

    #[test]
    fn bytes_and_texts_follow_the_header() {
        let bytes = Payload::Bytes(b"rest".to_vec());
        assert_eq!(&compose(&bytes, PayloadHeader::SIZE, 7)[PayloadHeader::SIZE..], b"rest");
        let text = Payload::Text(Template::of_payload("{seq}!").unwrap());
        assert_eq!(&compose(&text, PayloadHeader::SIZE, 7)[PayloadHeader::SIZE..], b"7!");
        assert_eq!(compose(&text, 0, 7), b"7!");
        let mut composer = Composer::new(&text, 0);
        let values = Values {
            run: RUN,
            publisher: 2,
            subscriber: 0,
            client: "c",
            sequence: 1,
            generators: GeneratorState::default(),
        };
        let header = PayloadHeader { run: RUN, publisher: 2, sequence: 1, sent_at: 0, planned_at: 0 };
        composer.compose(&text, header, &values);
        assert_eq!(composer.compose(&text, header, &values), b"1!", "nothing is left of the one before");
    }
}
