//! All control packets, and splitting a stream of bytes into packets.

use super::error::{DecodeError, Problem};
use super::property::Context;
use super::reader::Reader;
use super::writer::{MAX_REMAINING_LENGTH, put_fixed_header};
use super::{
    Ack, Auth, Connack, Connect, Disconnect, EncodeError, PacketType, Publish, Subscribe, SubscriptionAck,
    Unsubscribe, Version,
};

/// The size of the largest packet that MQTT can express, fixed header included.
pub const MAX_PACKET_SIZE: u32 = MAX_REMAINING_LENGTH as u32 + 5;

/// A control packet that borrows from the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the specification's own
pub enum Packet<'a> {
    Connect(Connect<'a>),
    Connack(Connack<'a>),
    Publish(Publish<'a>),
    Puback(Ack<'a>),
    Pubrec(Ack<'a>),
    Pubrel(Ack<'a>),
    Pubcomp(Ack<'a>),
    Subscribe(Subscribe<'a>),
    Suback(SubscriptionAck<'a>),
    Unsubscribe(Unsubscribe<'a>),
    Unsuback(SubscriptionAck<'a>),
    Pingreq,
    Pingresp,
    Disconnect(Disconnect<'a>),
    Auth(Auth<'a>),
}

/// One packet's bytes, split off a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The kind of packet.
    pub packet_type: PacketType,
    flags: u8,
    header_length: usize,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Splits the first packet off `bytes`; `None` if it is incomplete.
    ///
    /// A packet larger than `maximum_size` bytes, fixed header included, is refused as soon as its length is known, so a caller
    /// never has to hold more than `maximum_size` bytes.
    ///
    /// # Errors
    /// If the bytes cannot be the start of an acceptable packet.
    #[inline]
    pub fn cut(bytes: &'a [u8], maximum_size: u32) -> Result<Option<Frame<'a>>, DecodeError> {
        let Some((&first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let Some(packet_type) = PacketType::from_first_byte(first) else {
            let problem = Problem::ForbiddenPacketType;
            return Err(DecodeError { problem, packet_type: None, offset: 0 });
        };
        let fail = |problem, offset| Err(DecodeError { problem, packet_type: Some(packet_type), offset });
        let flags = first & 0x0f;
        if !packet_type.may_have_flags(flags) {
            return fail(reserved_flags(packet_type, flags), 0);
        }
        let Some((remaining_length, length_bytes)) = cut_remaining_length(packet_type, rest)? else {
            return Ok(None);
        };
        let header_length = 1 + length_bytes;
        let size = header_length + remaining_length;
        if size > maximum_size as usize {
            return fail(Problem::PacketTooLarge { size, limit: maximum_size }, 0);
        }
        let body = bytes.get(header_length..size);
        Ok(body.map(|body| Frame { packet_type, flags, header_length, body }))
    }

    /// The packet's size in bytes, fixed header included.
    pub fn size(&self) -> usize {
        self.header_length + self.body.len()
    }

    /// The lower half of the first byte.
    pub(super) fn flags(&self) -> u8 {
        self.flags
    }

    pub(super) fn reader(&self) -> Reader<'a> {
        Reader::new(self.packet_type, self.body, self.header_length)
    }

    /// The packet, if it is one of the four that acknowledge a PUBLISH. They are the most frequent packets of a publisher, and a
    /// [`Packet`] would copy each of them several times.
    ///
    /// # Errors
    /// As [`Packet::decode`].
    #[inline(always)] // a result in memory, written in narrow parts and read in wide ones, stalls the processor for each acknowledgement
    pub(crate) fn ack(&self, version: Version) -> Result<Option<Ack<'a>>, DecodeError> {
        let context = match self.packet_type {
            PacketType::Puback => Context::Puback,
            PacketType::Pubrec => Context::Pubrec,
            PacketType::Pubrel => Context::Pubrel,
            PacketType::Pubcomp => Context::Pubcomp,
            _ => return Ok(None),
        };
        self.check_flags(version)?;
        let reader = &mut self.reader();
        let ack = Ack::decode(reader, version, context)?;
        reader.finish()?;
        Ok(Some(ack))
    }

    fn check_flags(&self, version: Version) -> Result<(), DecodeError> {
        if self.packet_type.allows_flags(self.flags, version) {
            return Ok(());
        }
        let problem = reserved_flags(self.packet_type, self.flags);
        Err(DecodeError { problem, packet_type: Some(self.packet_type), offset: 0 })
    }
}

fn reserved_flags(packet_type: PacketType, flags: u8) -> Problem {
    Problem::ReservedFlags { flags, expected: packet_type.fixed_flags().unwrap_or(0) }
}

/// Reads the remaining length and the number of its bytes; `None` if its last byte is missing.
fn cut_remaining_length(
    packet_type: PacketType,
    bytes: &[u8],
) -> Result<Option<(usize, usize)>, DecodeError> {
    if let Some(&length) = bytes.first().filter(|&&byte| byte < 0x80) {
        return Ok(Some((length.into(), 1)));
    }
    let Some(end) = bytes.iter().take(4).position(|byte| byte & 0x80 == 0) else {
        if bytes.len() < 4 {
            return Ok(None);
        }
        let problem = Problem::VariableByteIntegerTooLong { field: "remaining length" };
        return Err(DecodeError { problem, packet_type: Some(packet_type), offset: 1 });
    };
    let mut reader = Reader::new(packet_type, bytes, 1);
    let length = reader.variable_byte_integer("remaining length")?;
    Ok(Some((length as usize, end + 1)))
}

impl<'a> Packet<'a> {
    /// Decodes a packet of a connection with this version; CONNECT states its own.
    ///
    /// # Errors
    /// If the packet violates the specification.
    #[inline]
    pub fn decode(frame: Frame<'a>, version: Version) -> Result<Packet<'a>, DecodeError> {
        let reader = &mut frame.reader();
        if frame.packet_type != PacketType::Connect {
            frame.check_flags(version)?;
        }
        let packet = match frame.packet_type {
            PacketType::Connect => {
                let connect = Connect::decode(reader)?;
                frame.check_flags(connect.version)?;
                Packet::Connect(connect)
            }
            PacketType::Connack => Packet::Connack(Connack::decode(reader, version)?),
            PacketType::Publish => Packet::Publish(Publish::decode(reader, version, frame.flags)?),
            PacketType::Puback => Packet::Puback(Ack::decode(reader, version, Context::Puback)?),
            PacketType::Pubrec => Packet::Pubrec(Ack::decode(reader, version, Context::Pubrec)?),
            PacketType::Pubrel => Packet::Pubrel(Ack::decode(reader, version, Context::Pubrel)?),
            PacketType::Pubcomp => Packet::Pubcomp(Ack::decode(reader, version, Context::Pubcomp)?),
            PacketType::Subscribe => Packet::Subscribe(Subscribe::decode(reader, version)?),
            PacketType::Suback => Packet::Suback(SubscriptionAck::decode(reader, version, Context::Suback)?),
            PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::decode(reader, version)?),
            PacketType::Unsuback => {
                Packet::Unsuback(SubscriptionAck::decode(reader, version, Context::Unsuback)?)
            }
            PacketType::Pingreq => Packet::Pingreq,
            PacketType::Pingresp => Packet::Pingresp,
            PacketType::Disconnect => Packet::Disconnect(Disconnect::decode(reader, version)?),
            PacketType::Auth if !version.is_v5() => return Err(reader.error_at(0, Problem::AuthBeforeV5)),
            PacketType::Auth => Packet::Auth(Auth::decode(reader)?),
        };
        reader.finish()?;
        Ok(packet)
    }

    /// Appends the packet in the encoding of `version`; fields that the version lacks are left out.
    ///
    /// # Errors
    /// If a field or the packet exceeds its maximum length; nothing is appended then.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let packet_type = self.packet_type();
        match self {
            Packet::Connect(connect) => connect.encode(out),
            Packet::Connack(connack) => connack.encode(version, out),
            Packet::Publish(publish) => publish.encode(version, out),
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
                ack.encode(packet_type, version, out)
            }
            Packet::Subscribe(subscribe) => subscribe.encode(version, out),
            Packet::Suback(ack) | Packet::Unsuback(ack) => ack.encode(packet_type, version, out),
            Packet::Unsubscribe(unsubscribe) => unsubscribe.encode(version, out),
            Packet::Pingreq | Packet::Pingresp => put_fixed_header(out, packet_type, 0, 0),
            Packet::Disconnect(disconnect) => disconnect.encode(version, out),
            Packet::Auth(auth) => auth.encode(out),
        }
    }

    /// The kind of packet.
    pub fn packet_type(&self) -> PacketType {
        match self {
            Packet::Connect(_) => PacketType::Connect,
            Packet::Connack(_) => PacketType::Connack,
            Packet::Publish(_) => PacketType::Publish,
            Packet::Puback(_) => PacketType::Puback,
            Packet::Pubrec(_) => PacketType::Pubrec,
            Packet::Pubrel(_) => PacketType::Pubrel,
            Packet::Pubcomp(_) => PacketType::Pubcomp,
            Packet::Subscribe(_) => PacketType::Subscribe,
            Packet::Suback(_) => PacketType::Suback,
            Packet::Unsubscribe(_) => PacketType::Unsubscribe,
            Packet::Unsuback(_) => PacketType::Unsuback,
            Packet::Pingreq => PacketType::Pingreq,
            Packet::Pingresp => PacketType::Pingresp,
            Packet::Disconnect(_) => PacketType::Disconnect,
            Packet::Auth(_) => PacketType::Auth,
        }
    }
}
