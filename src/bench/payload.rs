//! What messages carry: a stamp where they are to be told apart, and bytes behind it.

use super::stamp::Stamp;
use super::template::{Template, Values};
use std::fmt;
use std::sync::Arc;

/// No number in a template is longer.
const LONGEST_VALUE: usize = 64;

/// What the payloads of a group are.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Dots, a stamp among them where it fits; the number of bytes is the same or chosen for each message.
    #[allow(missing_docs)] // the names say it
    Size { least: usize, most: usize },
    /// The same bytes each time, behind the stamp if there is one.
    Bytes(Vec<u8>),
    /// A text for each message, behind the stamp if there is one.
    Text(Template),
    /// Messages that were recorded before, one after the other and then from the start again, behind the stamp if there is
    /// one. Each publisher begins one further than the one before. There is at least one.
    Recording(Arc<[Recorded]>),
}

/// A message of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Where it goes to, instead of the group's topic.
    pub topic: Option<Box<str>>,
    /// What it carries.
    pub payload: Box<[u8]>,
}

impl Recorded {
    /// Where it goes to, when that is not the group's topic.
    pub(super) fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }
}

impl Payload {
    /// The bytes of the longest one, about.
    pub fn most(&self, stamp: usize) -> usize {
        match self {
            Payload::Size { most, .. } => *most,
            Payload::Bytes(bytes) => stamp + bytes.len(),
            Payload::Text(template) => stamp + template.longest(LONGEST_VALUE),
            Payload::Recording(messages) => {
                stamp + messages.iter().map(|message| message.payload.len()).max().unwrap_or_default()
            }
        }
    }

    /// The bytes that are surely there for a stamp.
    pub fn room_for_stamp(&self) -> usize {
        match self {
            Payload::Size { least, .. } => *least,
            Payload::Bytes(_) | Payload::Text(_) | Payload::Recording(_) => usize::MAX,
        }
    }

    /// The recorded message that a publisher sends as its message of that number.
    pub(super) fn recorded(&self, publisher: u32, sequence: u64) -> Option<&Recorded> {
        let Payload::Recording(messages) = self else { return None };
        let number = sequence.wrapping_add(publisher.into());
        let index = number.checked_rem(messages.len() as u64)?;
        messages.get(index as usize)
    }
}

/// A place where payloads are put together, used again for each message.
#[derive(Debug)]
pub(super) struct Composer {
    bytes: Vec<u8>,
    stamp: usize,
}

impl Composer {
    /// A stamp of 0 bytes is none.
    pub(super) fn new(payload: &Payload, stamp: usize) -> Composer {
        let mut bytes = vec![b'.'; stamp];
        match payload {
            Payload::Size { most, .. } => bytes.resize(*most, b'.'),
            Payload::Bytes(content) => bytes.extend(content),
            Payload::Text(_) | Payload::Recording(_) => {}
        }
        Composer { bytes, stamp }
    }

    /// The payload of a message.
    pub(super) fn compose(&mut self, payload: &Payload, stamp: Stamp, values: &Values<'_>) -> &[u8] {
        if let Payload::Text(template) = payload {
            self.bytes.truncate(self.stamp);
            template.fill_in(values, &mut Text(&mut self.bytes));
        }
        if let Some(message) = payload.recorded(values.publisher, values.sequence) {
            self.bytes.truncate(self.stamp);
            self.bytes.extend_from_slice(&message.payload);
        }
        match self.stamp {
            0 => {}
            Stamp::PLANNED_SIZE => stamp.write_planned(&mut self.bytes),
            _ => stamp.write(&mut self.bytes),
        }
        match payload {
            Payload::Size { least, most } if least < most => {
                let size = fastrand::usize(*least..=*most);
                self.bytes.get(..size).unwrap_or_default()
            }
            _ => &self.bytes,
        }
    }
}

/// Lets text be written into bytes.
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
    use crate::bench::plan::RunId;

    const RUN: RunId = RunId(1);

    fn compose(payload: &Payload, stamp_size: usize, sequence: u64) -> Vec<u8> {
        let stamp = Stamp { run: RUN, publisher: 2, sequence, sent_at: 5, planned_at: 4 };
        let values = Values { run: RUN, publisher: 2, subscriber: 0, client: "c", sequence };
        Composer::new(payload, stamp_size).compose(payload, stamp, &values).to_vec()
    }

    #[test]
    fn a_size_holds_the_stamp() {
        let payload = Payload::Size { least: 30, most: 30 };
        let composed = compose(&payload, Stamp::SIZE, 7);
        assert_eq!((composed.len(), &composed[Stamp::SIZE..]), (30, b"......".as_slice()));
        assert_eq!(Stamp::read(&composed, false).map(|stamp| stamp.sequence), Some(7));
        assert_eq!(compose(&Payload::Size { least: 3, most: 3 }, 0, 7), b"...");
    }

    #[test]
    fn sizes_are_spread_over_their_range() {
        let payload = Payload::Size { least: 24, most: 27 };
        let mut sizes: Vec<_> = (0..200).map(|number| compose(&payload, Stamp::SIZE, number).len()).collect();
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
        assert_eq!(compose(&payload, Stamp::SIZE, 2)[Stamp::SIZE..], *b"bb");
        assert_eq!((payload.most(Stamp::SIZE), payload.room_for_stamp()), (Stamp::SIZE + 2, usize::MAX));
    }

    #[test]
    fn bytes_and_texts_stand_behind_the_stamp() {
        let bytes = Payload::Bytes(b"rest".to_vec());
        assert_eq!(&compose(&bytes, Stamp::SIZE, 7)[Stamp::SIZE..], b"rest");
        let text = Payload::Text(Template::of_payload("{seq}!").unwrap());
        assert_eq!(&compose(&text, Stamp::SIZE, 7)[Stamp::SIZE..], b"7!");
        assert_eq!(compose(&text, 0, 7), b"7!");
        let mut composer = Composer::new(&text, 0);
        let values = Values { run: RUN, publisher: 2, subscriber: 0, client: "c", sequence: 1 };
        let stamp = Stamp { run: RUN, publisher: 2, sequence: 1, sent_at: 0, planned_at: 0 };
        composer.compose(&text, stamp, &values);
        assert_eq!(composer.compose(&text, stamp, &values), b"1!", "nothing is left of the one before");
    }
}
