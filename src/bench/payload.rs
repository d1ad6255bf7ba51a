//! What messages carry: a stamp where they are to be told apart, and bytes behind it.

use super::stamp::Stamp;
use super::template::{Template, Values};
use std::fmt;

/// No number in a template is longer.
const LONGEST_VALUE: usize = 64;

/// What the payloads of a group are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Dots, a stamp among them where it fits; the number of bytes is the same or chosen for each message.
    #[allow(missing_docs)] // the names say it
    Size { least: usize, most: usize },
    /// The same bytes each time, behind the stamp if there is one.
    Bytes(Vec<u8>),
    /// A text for each message, behind the stamp if there is one.
    Text(Template),
}

impl Payload {
    /// The bytes of the longest one, about.
    pub fn most(&self, stamp: usize) -> usize {
        match self {
            Payload::Size { most, .. } => *most,
            Payload::Bytes(bytes) => stamp + bytes.len(),
            Payload::Text(template) => stamp + template.longest(LONGEST_VALUE),
        }
    }

    /// The bytes that are surely there for a stamp.
    pub fn room_for_stamp(&self) -> usize {
        match self {
            Payload::Size { least, .. } => *least,
            Payload::Bytes(_) | Payload::Text(_) => usize::MAX,
        }
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
            Payload::Text(_) => {}
        }
        Composer { bytes, stamp }
    }

    /// The payload of a message.
    pub(super) fn compose(&mut self, payload: &Payload, stamp: Stamp, values: &Values<'_>) -> &[u8] {
        if let Payload::Text(template) = payload {
            self.bytes.truncate(self.stamp);
            template.fill_in(values, &mut Text(&mut self.bytes));
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
