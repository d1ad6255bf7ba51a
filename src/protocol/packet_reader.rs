//! Reads packets from a receive buffer, in place. Clients and brokers read with this type only.

use super::{DecodeError, Frame, Packet, PacketType, Version};

/// The maximum sizes of packets in bytes, fixed header included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeLimits {
    /// The maximum size of PUBLISH.
    pub publish: u32,
    /// The maximum size of all other packets.
    pub other: u32,
}

impl SizeLimits {
    /// One limit for all packets.
    pub fn all(maximum_size: u32) -> SizeLimits {
        SizeLimits { publish: maximum_size, other: maximum_size }
    }

    fn of(self, input: &[u8]) -> u32 {
        let is_publish = input.first().is_some_and(|byte| byte >> 4 == PacketType::Publish as u8);
        if is_publish { self.publish } else { self.other }
    }
}

/// The packets at the front of a receive buffer. The caller removes the [consumed](PacketReader::consumed) bytes, once for
/// all packets.
#[derive(Debug)]
pub struct PacketReader<'a> {
    unread: &'a [u8],
    length: usize,
    limits: SizeLimits,
}

impl<'a> PacketReader<'a> {
    /// Reads from the front of `input`.
    #[inline]
    pub fn new(input: &'a [u8], limits: SizeLimits) -> PacketReader<'a> {
        PacketReader { unread: input, length: input.len(), limits }
    }

    /// The bytes after the packets that were read.
    pub fn unread(&self) -> &'a [u8] {
        self.unread
    }

    /// The size of the packets that were read.
    #[inline]
    pub fn consumed(&self) -> usize {
        self.length - self.unread.len()
    }

    /// The next packet, undecoded; `None` if it is incomplete. The same packet is returned until [`PacketReader::advance`].
    ///
    /// # Errors
    /// If the bytes cannot be the start of a packet, or its size exceeds the limit.
    #[inline]
    pub fn peek(&self) -> Result<Option<Frame<'a>>, DecodeError> {
        Frame::cut(self.unread, self.limits.of(self.unread))
    }

    /// Skips the packet returned by [`PacketReader::peek`].
    #[inline]
    pub fn advance(&mut self, frame: &Frame<'a>) {
        self.unread = self.unread.get(frame.size()..).unwrap_or_default();
    }

    /// Cuts off the next packet, undecoded; `None` if it is incomplete.
    ///
    /// # Errors
    /// As [`PacketReader::peek`].
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'a>>, DecodeError> {
        let frame = self.peek()?;
        if let Some(frame) = &frame {
            self.advance(frame);
        }
        Ok(frame)
    }

    /// Reads the next packet; `None` if it is incomplete.
    ///
    /// # Errors
    /// If the packet violates the specification, or its size exceeds the limit.
    #[inline]
    pub fn read(&mut self, version: Version) -> Result<Option<Packet<'a>>, DecodeError> {
        let Some(frame) = self.next_frame()? else { return Ok(None) };
        Packet::decode(frame, version).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PINGRESP, then PUBLISH with a payload of two bytes, then the first byte of another packet.
    const INPUT: &[u8] = b"\xd0\x00\x30\x05\x00\x01thi\x40";

    #[test]
    fn packets_are_read_up_to_the_incomplete_one() {
        let mut packets = PacketReader::new(INPUT, SizeLimits::all(100));
        assert_eq!(packets.read(Version::V311), Ok(Some(Packet::Pingresp)));
        let frame = packets.peek().unwrap().unwrap();
        assert_eq!((frame.packet_type, packets.consumed()), (PacketType::Publish, 2));
        let Ok(Some(Packet::Publish(publish))) = packets.read(Version::V311) else { panic!("not read") };
        assert_eq!((publish.topic, publish.payload), ("t", &b"hi"[..]));
        assert_eq!(packets.read(Version::V311), Ok(None));
        assert_eq!((packets.consumed(), packets.unread()), (9, &b"\x40"[..]));
    }

    #[test]
    fn publish_has_a_limit_of_its_own() {
        let is_accepted = |publish, other| {
            let mut packets = PacketReader::new(INPUT, SizeLimits { publish, other });
            let _ = packets.read(Version::V311);
            packets.peek().is_ok()
        };
        assert!(is_accepted(7, 2) && !is_accepted(6, 7));
    }
}
