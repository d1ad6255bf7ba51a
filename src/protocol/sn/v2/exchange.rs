//! Packets about topics and messages: PUBLISH, PUBWOS, SUBSCRIBE, UNSUBSCRIBE, REGISTER and the acknowledgements.

use super::field::{bit, put_packet_id, put_reason, read_flags, read_reason};
use super::topic::{NAME, TOPIC_TYPE};
use super::{DecodeError, Reader, Reason, Topic, TopicAlias};
use crate::protocol::sn::{EncodeError, Problem};
use crate::protocol::{PacketId, Qos, RetainHandling, SubscriptionOptions};

const DUP: u8 = 0x80;
const NO_LOCAL: u8 = 0x80;
const QOS: u8 = 0x60;
const RETAIN: u8 = 0x10;
const RETAIN_AS_PUBLISHED: u8 = 0x10;
const RETAIN_HANDLING: u8 = 0x0c;
/// In SUBACK and REGACK.
const ACK_ALIAS_PRESENT: u8 = 0x04;
/// In REGISTER.
const ALIAS_PRESENT: u8 = 0x01;

/// The topic type of an acknowledgement without an alias.
const NO_ALIAS_TYPE: u8 = 1;

/// PUBACK, PUBREC, PUBREL, PUBCOMP and UNSUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// That of the acknowledged packet.
    pub packet_id: PacketId,
    /// The result.
    pub reason: Reason,
}

/// PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// The message was sent before; only at QoS 2.
    pub dup: bool,
    /// The message is retained.
    pub retain: bool,
    /// The QoS, with the packet identifier above QoS 0.
    pub delivery: Delivery,
    /// The topic.
    pub topic: Topic<'a>,
    /// The application message.
    pub payload: &'a [u8],
}

/// The QoS of a PUBLISH. Only messages above QoS 0 have a packet identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are those of the specification
pub enum Delivery {
    AtMostOnce,
    AtLeastOnce(PacketId),
    ExactlyOnce(PacketId),
}

/// PUBWOS, a message without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pubwos<'a> {
    /// The message is retained.
    pub retain: bool,
    /// The topic; an alias of a session is not allowed.
    pub topic: Topic<'a>,
    /// The application message.
    pub payload: &'a [u8],
}

/// SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Repeated in SUBACK.
    pub packet_id: PacketId,
    /// The maximum QoS and the other options.
    pub options: SubscriptionOptions,
    /// The topic, or a filter.
    pub topic: Topic<'a>,
}

/// UNSUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Repeated in UNSUBACK.
    pub packet_id: PacketId,
    /// The topic, or a filter.
    pub topic: Topic<'a>,
}

/// SUBACK and REGACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicAck {
    /// That of the SUBSCRIBE or REGISTER.
    pub packet_id: PacketId,
    /// The alias of the topic, if it has one.
    pub alias: Option<TopicAlias>,
    /// The result; in SUBACK the granted QoS.
    pub reason: Reason,
}

/// REGISTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register<'a> {
    /// Repeated in REGACK.
    pub packet_id: PacketId,
    /// The alias that the server assigned; `None` from a client.
    pub alias: Option<u16>,
    /// The topic name, not empty.
    pub topic: &'a str,
}

impl Ack {
    /// An acknowledgement without an error.
    pub fn success(packet_id: PacketId) -> Ack {
        Ack { packet_id, reason: Reason::SUCCESS }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Ack, DecodeError> {
        Ok(Ack { packet_id: reader.packet_id()?, reason: read_reason(reader)? })
    }

    pub(super) fn put(self, out: &mut Vec<u8>) {
        put_packet_id(out, self.packet_id);
        put_reason(out, self.reason);
    }
}

impl Delivery {
    /// The delivery at this QoS; `None` if a packet identifier is missing.
    pub fn new(qos: Qos, packet_id: Option<PacketId>) -> Option<Delivery> {
        match qos {
            Qos::AtMostOnce => Some(Delivery::AtMostOnce),
            Qos::AtLeastOnce => packet_id.map(Delivery::AtLeastOnce),
            Qos::ExactlyOnce => packet_id.map(Delivery::ExactlyOnce),
        }
    }

    /// The QoS.
    pub fn qos(self) -> Qos {
        match self {
            Delivery::AtMostOnce => Qos::AtMostOnce,
            Delivery::AtLeastOnce(_) => Qos::AtLeastOnce,
            Delivery::ExactlyOnce(_) => Qos::ExactlyOnce,
        }
    }

    /// The packet identifier above QoS 0.
    pub fn packet_id(self) -> Option<PacketId> {
        match self {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce(packet_id) | Delivery::ExactlyOnce(packet_id) => Some(packet_id),
        }
    }
}

impl<'a> Publish<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Publish<'a>, DecodeError> {
        let (flags, place) = read_flags(reader, DUP | QOS | RETAIN | TOPIC_TYPE)?;
        let delivery = match read_qos(reader, flags, place)? {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            Qos::AtLeastOnce => Delivery::AtLeastOnce(reader.packet_id()?),
            Qos::ExactlyOnce => Delivery::ExactlyOnce(reader.packet_id()?),
        };
        Ok(Publish {
            dup: flags & DUP != 0,
            retain: flags & RETAIN != 0,
            delivery,
            topic: Topic::read_before_payload(reader, flags, place)?,
            payload: reader.rest(),
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let qos = (self.delivery.qos() as u8) << 5;
        out.push(bit(DUP, self.dup) | qos | bit(RETAIN, self.retain) | self.topic.topic_type());
        if let Some(packet_id) = self.delivery.packet_id() {
            put_packet_id(out, packet_id);
        }
        self.topic.put_before_payload(out)?;
        out.extend_from_slice(self.payload);
        Ok(())
    }
}

impl<'a> Pubwos<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Pubwos<'a>, DecodeError> {
        let (flags, place) = read_flags(reader, RETAIN | TOPIC_TYPE)?;
        let value = flags & TOPIC_TYPE;
        if value == 0 {
            return Err(reader.error_at(place, Problem::TopicType { value }));
        }
        Ok(Pubwos {
            retain: flags & RETAIN != 0,
            topic: Topic::read_before_payload(reader, flags, place)?,
            payload: reader.rest(),
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(bit(RETAIN, self.retain) | self.topic.topic_type());
        self.topic.put_before_payload(out)?;
        out.extend_from_slice(self.payload);
        Ok(())
    }
}

impl<'a> Subscribe<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Subscribe<'a>, DecodeError> {
        let (flags, place) = read_flags(reader, u8::MAX)?;
        let maximum_qos = read_qos(reader, flags, place)?;
        let retain_handling = match (flags & RETAIN_HANDLING) >> 2 {
            0 => RetainHandling::Always,
            1 => RetainHandling::New,
            2 => RetainHandling::Never,
            _ => return Err(reader.error_at(place, Problem::InvalidRetainHandling)),
        };
        let options = SubscriptionOptions {
            maximum_qos,
            no_local: flags & NO_LOCAL != 0,
            retain_as_published: flags & RETAIN_AS_PUBLISHED != 0,
            retain_handling,
        };
        let packet_id = reader.packet_id()?;
        Ok(Subscribe { packet_id, options, topic: Topic::read_last(reader, flags, place)? })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let options = self.options;
        let flags = bit(NO_LOCAL, options.no_local)
            | (options.maximum_qos as u8) << 5
            | bit(RETAIN_AS_PUBLISHED, options.retain_as_published)
            | (options.retain_handling as u8) << 2;
        out.push(flags | self.topic.topic_type());
        put_packet_id(out, self.packet_id);
        self.topic.put_last(out);
    }
}

impl<'a> Unsubscribe<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Unsubscribe<'a>, DecodeError> {
        let (flags, place) = read_flags(reader, TOPIC_TYPE)?;
        let packet_id = reader.packet_id()?;
        Ok(Unsubscribe { packet_id, topic: Topic::read_last(reader, flags, place)? })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(self.topic.topic_type());
        put_packet_id(out, self.packet_id);
        self.topic.put_last(out);
    }
}

impl TopicAck {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<TopicAck, DecodeError> {
        let (flags, place) = read_flags(reader, ACK_ALIAS_PRESENT | TOPIC_TYPE)?;
        let value = flags & TOPIC_TYPE;
        if value != NAME && value > NO_ALIAS_TYPE {
            return Err(reader.error_at(place, Problem::TopicType { value }));
        }
        let packet_id = reader.packet_id()?;
        let has_alias = flags & ACK_ALIAS_PRESENT != 0;
        let alias = if has_alias { Some(TopicAlias::read(reader, flags, place)?) } else { None };
        Ok(TopicAck { packet_id, alias, reason: read_reason(reader)? })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let topic_type = self.alias.map_or(NO_ALIAS_TYPE, TopicAlias::topic_type);
        out.push(bit(ACK_ALIAS_PRESENT, self.alias.is_some()) | topic_type);
        put_packet_id(out, self.packet_id);
        if let Some(alias) = self.alias {
            alias.put(out);
        }
        put_reason(out, self.reason);
    }
}

impl<'a> Register<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Register<'a>, DecodeError> {
        let (flags, _) = read_flags(reader, ALIAS_PRESENT)?;
        let packet_id = reader.packet_id()?;
        let alias = if flags & ALIAS_PRESENT != 0 { Some(reader.u16("topic alias")?) } else { None };
        Ok(Register { packet_id, alias, topic: reader.non_empty_string("topic name")? })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(bit(ALIAS_PRESENT, self.alias.is_some()));
        put_packet_id(out, self.packet_id);
        out.extend(self.alias.iter().flat_map(|alias| alias.to_be_bytes()));
        out.extend_from_slice(self.topic.as_bytes());
    }
}

fn read_qos(reader: &Reader<'_>, flags: u8, place: usize) -> Result<Qos, DecodeError> {
    Qos::from_u8((flags & QOS) >> 5).ok_or_else(|| reader.error_at(place, Problem::InvalidQos))
}
