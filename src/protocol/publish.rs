//! PUBLISH: a message, in either direction. The only packet whose encoding and decoding must be fast.

use super::error::{DecodeError, Problem};
use super::property::{Context, Properties, PropertyId};
use super::reader::Reader;
use super::writer::{field_length, put_field, put_fixed_header, put_u16, variable_byte_integer_length};
use super::{EncodeError, PacketId, PacketType, Qos, Version, topic};

const DUP: u8 = 1 << 3;
const QOS_SHIFT: u8 = 1;
const RETAIN: u8 = 1;

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Whether it is a retransmission; never at QoS 0.
    pub dup: bool,
    /// The QoS of this transmission.
    pub qos: Qos,
    /// From a client: the server is to retain the message. From a server: the message was retained before the subscription, or the
    /// subscription has Retain As Published.
    pub retain: bool,
    /// The topic name; empty if a topic alias property replaces it.
    pub topic: &'a str,
    /// The packet identifier; present if and only if the QoS is greater than 0.
    pub packet_id: Option<PacketId>,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
    /// The payload.
    pub payload: &'a [u8],
}

/// The fields of the first byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags {
    pub(super) dup: bool,
    pub(super) qos: Qos,
    pub(super) retain: bool,
}

impl Flags {
    #[inline]
    pub(super) fn decode(reader: &Reader<'_>, flags: u8) -> Result<Flags, DecodeError> {
        let qos_bits = flags >> QOS_SHIFT & 0b11;
        let Some(qos) = Qos::from_u8(qos_bits) else {
            let problem = Problem::InvalidValue { field: "QoS", value: qos_bits.into() };
            return Err(reader.error_at(0, problem));
        };
        Ok(Flags { dup: flags & DUP != 0, qos, retain: flags & RETAIN != 0 })
    }
}

/// The fields of a PUBLISH that differ between its deliveries. Encoded beside a message, since a copy of the message for each delivery
/// costs more than its encoding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) dup: bool,
    /// The identifier; `None` at QoS 0.
    pub(super) packet_id: Option<PacketId>,
}

impl<'a> Publish<'a> {
    pub(super) fn decode(
        reader: &mut Reader<'a>,
        version: Version,
        flags: u8,
    ) -> Result<Publish<'a>, DecodeError> {
        let Flags { dup, qos, retain } = Flags::decode(reader, flags)?;
        if dup && qos == Qos::AtMostOnce {
            return Err(reader.error_at(0, Problem::DupAtQosZero));
        }
        let topic_offset = reader.offset();
        let topic = reader.string("topic name")?;
        let packet_id = if qos == Qos::AtMostOnce { None } else { Some(reader.packet_id()?) };
        let properties = Properties::decode_if_v5(reader, version, Context::Publish)?;
        if !topic.is_empty() || !version.is_v5() {
            topic::check_name(topic).map_err(|error| {
                let problem = Problem::Topic { field: "topic name", topic: topic.to_owned(), error };
                reader.error_at(topic_offset, problem)
            })?;
        } else if properties.number(PropertyId::TopicAlias).is_none() {
            return Err(reader.error_at(topic_offset, Problem::NoTopic));
        }
        let payload = reader.rest();
        Ok(Publish { dup, qos, retain, topic, packet_id, properties, payload })
    }

    /// Appends the packet.
    ///
    /// # Errors
    /// If a field or the packet exceeds its maximum length; nothing is appended then.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode_for(Delivery { dup: self.dup, packet_id: self.packet_id }, version, out)
    }

    /// Appends the packet with the fields of this delivery in place of its own.
    ///
    /// # Errors
    /// As [`Publish::encode`].
    pub(super) fn encode_for(
        &self,
        Delivery { dup, packet_id }: Delivery,
        version: Version,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let dup = if dup { DUP } else { 0 };
        let retain = if self.retain { RETAIN } else { 0 };
        let flags = dup | (self.qos as u8) << QOS_SHIFT | retain;
        let length = self.body_length(packet_id, version)?;
        put_fixed_header(out, PacketType::Publish, flags, length)?;
        put_field(out, self.topic.as_bytes());
        if let Some(packet_id) = packet_id {
            put_u16(out, packet_id.value());
        }
        self.properties.encode(version, out);
        out.extend_from_slice(self.payload);
        Ok(())
    }

    /// The size of the packet in bytes, fixed header included.
    ///
    /// # Errors
    /// If the topic exceeds its maximum length.
    pub fn encoded_length(&self, version: Version) -> Result<usize, EncodeError> {
        let body = self.body_length(self.packet_id, version)?;
        Ok(1 + variable_byte_integer_length(body) + body)
    }

    fn body_length(&self, packet_id: Option<PacketId>, version: Version) -> Result<usize, EncodeError> {
        let topic = field_length("topic name", self.topic.as_bytes())?;
        let packet_id = if packet_id.is_some() { 2 } else { 0 };
        Ok(topic + packet_id + self.properties.encoded_length(version) + self.payload.len())
    }
}
