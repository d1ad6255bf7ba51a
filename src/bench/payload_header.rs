//! The header of a measured payload: the message's identity and send time.

use super::run_id::RunId;

/// A message's identity, at the start of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PayloadHeader {
    /// The run of the message.
    pub run: RunId,
    pub publisher: u32,
    /// Its number among the publisher's messages, counted from 0.
    pub sequence: u64,
    /// Its send time, in nanoseconds since the run's start.
    pub sent_at: u64,
    /// Its planned send time. Only messages of an open loop carry one; otherwise it equals `sent_at`.
    pub planned_at: u64,
}

impl PayloadHeader {
    /// The size in bytes, which is the minimum of a payload that is measured end to end.
    pub(crate) const SIZE: usize = 24;

    /// The size in bytes with the planned time.
    pub(crate) const PLANNED_SIZE: usize = 32;

    /// No publisher sends this many messages; a higher sequence number is not from this program.
    const END_OF_SEQUENCE: u64 = 1 << 48;

    /// Overwrites the start of a payload, without the planned time. Leaves a payload unchanged that is too short.
    pub(crate) fn write(self, payload: &mut [u8]) {
        let Some(start) = payload.first_chunk_mut::<{ PayloadHeader::SIZE }>() else {
            return;
        };
        let rest = put(start, self.run.0.to_be_bytes());
        let rest = put(rest, self.publisher.to_be_bytes());
        let rest = put(rest, self.sequence.to_be_bytes());
        put(rest, self.sent_at.to_be_bytes());
    }

    /// Overwrites the start of a payload, with the planned time last.
    pub(crate) fn write_planned(self, payload: &mut [u8]) {
        self.write(payload);
        if let Some(field) = payload.get_mut(PayloadHeader::SIZE..PayloadHeader::PLANNED_SIZE) {
            field.copy_from_slice(&self.planned_at.to_be_bytes());
        }
    }

    /// Reads the start of a payload, with or without a planned time; `None` if it was not written by `mq bench`.
    pub(crate) fn read(payload: &[u8], is_planned: bool) -> Option<PayloadHeader> {
        let (run, rest) = payload.split_first_chunk()?;
        let (publisher, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (sent_at, rest) = rest.split_first_chunk()?;
        let planned_at = if is_planned { rest.first_chunk()? } else { sent_at };
        let sequence = u64::from_be_bytes(*sequence);
        (sequence < PayloadHeader::END_OF_SEQUENCE).then(|| PayloadHeader {
            run: RunId(u32::from_be_bytes(*run)),
            publisher: u32::from_be_bytes(*publisher),
            sequence,
            sent_at: u64::from_be_bytes(*sent_at),
            planned_at: u64::from_be_bytes(*planned_at),
        })
    }
}

/// Overwrites the first bytes, and returns the rest.
fn put<const N: usize>(bytes: &mut [u8], field: [u8; N]) -> &mut [u8] {
    match bytes.split_first_chunk_mut() {
        Some((start, rest)) => {
            *start = field;
            rest
        }
        None => &mut [],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: PayloadHeader =
        PayloadHeader { run: RunId(0x0102_0304), publisher: 5, sequence: 6, sent_at: 7, planned_at: 7 };

    #[test]
    fn a_written_header_is_read_back() {
        let mut payload = *b"________________________rest";
        HEADER.write(&mut payload);
        assert_eq!(payload, *b"\x01\x02\x03\x04\0\0\0\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0\x07rest");
        assert_eq!(PayloadHeader::read(&payload, false), Some(HEADER));
    }

    #[test]
    fn a_planned_time_follows_the_header() {
        let header = PayloadHeader { planned_at: 3, ..HEADER };
        let mut payload = [b'.'; PayloadHeader::PLANNED_SIZE + 1];
        header.write_planned(&mut payload);
        assert_eq!(&payload[PayloadHeader::SIZE..], b"\0\0\0\0\0\0\0\x03.");
        assert_eq!(PayloadHeader::read(&payload, true), Some(header));
        assert_eq!(
            PayloadHeader::read(&payload[..PayloadHeader::SIZE], true),
            None,
            "too short for a planned time"
        );
    }

    #[test]
    fn foreign_payloads_are_rejected() {
        assert_eq!(PayloadHeader::read(b"", false), None);
        assert_eq!(PayloadHeader::read(&[0; PayloadHeader::SIZE - 1], false), None);
        assert_eq!(PayloadHeader::read(&[0xff; 100], false), None, "a sequence number beyond the limit");
    }
}
