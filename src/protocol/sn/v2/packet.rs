//! The packets of MQTT-SN 2.0 (section 3), decoded and encoded.

use super::encapsulation::{Connection, Forwarder, Protection};
use super::field::{put_packet_id, put_reason, read_flags, read_reason};
use super::{
    Ack, Auth, Connack, Connect, DecodeError, Delivery, Disconnect, PacketType, Publish, Pubwos, Reader,
    Reason, Register, Subscribe, TopicAck, Unsubscribe,
};
use crate::protocol::PacketId;
use crate::protocol::sn::frame::{Header, put_header};
use crate::protocol::sn::{EncodeError, Problem};

/// A packet that borrows from the datagram it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the specification's own
pub enum Packet<'a> {
    Connect(Connect<'a>),
    Connack(Connack<'a>),
    Publish(Publish<'a>),
    Puback(Ack),
    Pubrec(Ack),
    Pubrel(Ack),
    Pubcomp(Ack),
    Subscribe(Subscribe<'a>),
    Suback(TopicAck),
    Unsubscribe(Unsubscribe<'a>),
    Unsuback(Ack),
    Pingreq {
        packet_id: PacketId,
    },
    /// `remaining` is the number of messages that wait; 255 if it is only known to be above 0.
    Pingresp {
        packet_id: PacketId,
        remaining: Option<u8>,
    },
    Disconnect(Disconnect<'a>),
    Auth(Auth<'a>),
    Register(Register<'a>),
    Regack(TopicAck),
    Pubwos(Pubwos<'a>),
    /// `duration` is in seconds.
    Sleepreq {
        packet_id: PacketId,
        duration: u32,
        retains_aliases: bool,
    },
    /// `duration` replaces the requested one.
    Sleepresp {
        packet_id: PacketId,
        duration: Option<u32>,
        reason: Reason,
    },
    Wakeup,
    Advertise {
        gateway_id: u8,
        duration: u16,
    },
    SearchGw {
        information: &'a [u8],
    },
    /// `address` is empty if the gateway itself sends it.
    GwInfo {
        gateway_id: u8,
        address: &'a [u8],
    },
    Forwarder(Forwarder<'a>),
    Connection(Connection<'a>),
    Protection(Protection<'a>),
}

const RETAIN_TOPIC_ALIASES: u8 = 0x01;
const DURATION_PRESENT: u8 = 0x01;

impl<'a> Packet<'a> {
    /// Decodes a datagram.
    ///
    /// # Errors
    /// If the datagram violates the specification.
    pub fn decode(datagram: &'a [u8]) -> Result<Packet<'a>, DecodeError> {
        let reader = &mut open(datagram)?;
        let packet = match reader.message_type() {
            PacketType::Connect => Packet::Connect(Connect::read(reader)?),
            PacketType::Connack => Packet::Connack(Connack::read(reader)?),
            PacketType::Publish => Packet::Publish(Publish::read(reader)?),
            PacketType::Puback => Packet::Puback(Ack::read(reader)?),
            PacketType::Pubrec => Packet::Pubrec(Ack::read(reader)?),
            PacketType::Pubrel => Packet::Pubrel(Ack::read(reader)?),
            PacketType::Pubcomp => Packet::Pubcomp(Ack::read(reader)?),
            PacketType::Subscribe => Packet::Subscribe(Subscribe::read(reader)?),
            PacketType::Suback => Packet::Suback(TopicAck::read(reader)?),
            PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::read(reader)?),
            PacketType::Unsuback => Packet::Unsuback(Ack::read(reader)?),
            PacketType::Pingreq => Packet::Pingreq { packet_id: reader.packet_id()? },
            PacketType::Pingresp => read_pingresp(reader)?,
            PacketType::Disconnect => Packet::Disconnect(Disconnect::read(reader)?),
            PacketType::Auth => Packet::Auth(Auth::read(reader)?),
            PacketType::Register => Packet::Register(Register::read(reader)?),
            PacketType::Regack => Packet::Regack(TopicAck::read(reader)?),
            PacketType::Pubwos => Packet::Pubwos(Pubwos::read(reader)?),
            PacketType::Sleepreq => read_sleepreq(reader)?,
            PacketType::Sleepresp => read_sleepresp(reader)?,
            PacketType::Wakeup => Packet::Wakeup,
            PacketType::Advertise => {
                Packet::Advertise { gateway_id: reader.u8("gateway id")?, duration: reader.u16("duration")? }
            }
            PacketType::SearchGw => Packet::SearchGw { information: reader.rest() },
            PacketType::GwInfo => {
                Packet::GwInfo { gateway_id: reader.u8("gateway id")?, address: reader.rest() }
            }
            PacketType::Forwarder => Packet::Forwarder(Forwarder::read(reader)?),
            PacketType::Connection => Packet::Connection(Connection::read(reader)?),
            PacketType::Protection => Packet::Protection(Protection::read(reader, datagram)?),
        };
        reader.finish()?;
        Ok(packet)
    }

    /// The answer that rejects a message. At QoS 0 there is none, as PUBACK needs a packet identifier.
    pub fn rejection(delivery: Delivery, reason: Reason) -> Option<Packet<'static>> {
        match delivery {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce(packet_id) => Some(Packet::Puback(Ack { packet_id, reason })),
            Delivery::ExactlyOnce(packet_id) => Some(Packet::Pubrec(Ack { packet_id, reason })),
        }
    }

    /// The packet as a datagram; empty if it is too long, which callers check before.
    pub fn to_datagram(&self) -> Vec<u8> {
        let mut datagram = Vec::new();
        let _ = self.encode(&mut datagram);
        datagram
    }

    /// The packet type.
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
            Packet::Pingreq { .. } => PacketType::Pingreq,
            Packet::Pingresp { .. } => PacketType::Pingresp,
            Packet::Disconnect(_) => PacketType::Disconnect,
            Packet::Auth(_) => PacketType::Auth,
            Packet::Register(_) => PacketType::Register,
            Packet::Regack(_) => PacketType::Regack,
            Packet::Pubwos(_) => PacketType::Pubwos,
            Packet::Sleepreq { .. } => PacketType::Sleepreq,
            Packet::Sleepresp { .. } => PacketType::Sleepresp,
            Packet::Wakeup => PacketType::Wakeup,
            Packet::Advertise { .. } => PacketType::Advertise,
            Packet::SearchGw { .. } => PacketType::SearchGw,
            Packet::GwInfo { .. } => PacketType::GwInfo,
            Packet::Forwarder(_) => PacketType::Forwarder,
            Packet::Connection(_) => PacketType::Connection,
            Packet::Protection(_) => PacketType::Protection,
        }
    }

    /// The packet identifier, if it has one.
    pub fn packet_id(&self) -> Option<PacketId> {
        match self {
            Packet::Connect(connect) => Some(connect.packet_id),
            Packet::Connack(connack) => Some(connack.packet_id),
            Packet::Publish(publish) => publish.delivery.packet_id(),
            Packet::Puback(ack)
            | Packet::Pubrec(ack)
            | Packet::Pubrel(ack)
            | Packet::Pubcomp(ack)
            | Packet::Unsuback(ack) => Some(ack.packet_id),
            Packet::Subscribe(subscribe) => Some(subscribe.packet_id),
            Packet::Suback(ack) | Packet::Regack(ack) => Some(ack.packet_id),
            Packet::Unsubscribe(unsubscribe) => Some(unsubscribe.packet_id),
            Packet::Pingreq { packet_id }
            | Packet::Pingresp { packet_id, .. }
            | Packet::Sleepreq { packet_id, .. }
            | Packet::Sleepresp { packet_id, .. } => Some(*packet_id),
            Packet::Disconnect(disconnect) => disconnect.packet_id,
            Packet::Auth(auth) => Some(auth.packet_id),
            Packet::Register(register) => Some(register.packet_id),
            Packet::Pubwos(_)
            | Packet::Wakeup
            | Packet::Advertise { .. }
            | Packet::SearchGw { .. }
            | Packet::GwInfo { .. }
            | Packet::Forwarder(_)
            | Packet::Connection(_)
            | Packet::Protection(_) => None,
        }
    }

    /// Appends the packet: one datagram.
    ///
    /// # Errors
    /// If it exceeds its maximum length, or a field does; nothing is appended then.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut body = Vec::new();
        self.put(&mut body)?;
        put_header(out, self.packet_type() as u8, body.len())?;
        out.append(&mut body);
        Ok(())
    }

    /// Appends the fields after the type.
    fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Packet::Connect(connect) => connect.put(out)?,
            Packet::Connack(connack) => connack.put(out)?,
            Packet::Publish(publish) => publish.put(out)?,
            Packet::Puback(ack)
            | Packet::Pubrec(ack)
            | Packet::Pubrel(ack)
            | Packet::Pubcomp(ack)
            | Packet::Unsuback(ack) => ack.put(out),
            Packet::Subscribe(subscribe) => subscribe.put(out),
            Packet::Suback(ack) | Packet::Regack(ack) => ack.put(out),
            Packet::Unsubscribe(unsubscribe) => unsubscribe.put(out),
            Packet::Pingreq { packet_id } => put_packet_id(out, *packet_id),
            Packet::Pingresp { packet_id, remaining } => {
                put_packet_id(out, *packet_id);
                out.extend(remaining);
            }
            Packet::Disconnect(disconnect) => disconnect.put(out),
            Packet::Auth(auth) => auth.put(out)?,
            Packet::Register(register) => register.put(out),
            Packet::Pubwos(publish) => publish.put(out)?,
            Packet::Sleepreq { packet_id, duration, retains_aliases } => {
                out.push(if *retains_aliases { RETAIN_TOPIC_ALIASES } else { 0 });
                put_packet_id(out, *packet_id);
                out.extend_from_slice(&duration.to_be_bytes());
            }
            Packet::Sleepresp { packet_id, duration, reason } => {
                out.push(if duration.is_some() { DURATION_PRESENT } else { 0 });
                put_packet_id(out, *packet_id);
                out.extend(duration.iter().flat_map(|duration| duration.to_be_bytes()));
                put_reason(out, *reason);
            }
            Packet::Wakeup => {}
            Packet::Advertise { gateway_id, duration } => {
                out.push(*gateway_id);
                out.extend_from_slice(&duration.to_be_bytes());
            }
            Packet::SearchGw { information } => out.extend_from_slice(information),
            Packet::GwInfo { gateway_id, address } => {
                out.push(*gateway_id);
                out.extend_from_slice(address);
            }
            Packet::Forwarder(envelope) => envelope.put(out)?,
            Packet::Connection(envelope) => envelope.put(out)?,
            Packet::Protection(envelope) => envelope.put(out)?,
        }
        Ok(())
    }
}

/// A reader of the fields behind the length and the type. The length covers the whole datagram, packets inside included.
fn open(datagram: &[u8]) -> Result<Reader<'_>, DecodeError> {
    let fail = |problem, offset| Err(DecodeError { problem, message_type: None, offset });
    let Some(header) = Header::read(datagram) else {
        return match datagram.len() {
            0 => fail(Problem::Empty, 0),
            length => fail(Problem::Truncated { field: "header" }, length),
        };
    };
    let Some(packet_type) = PacketType::from_octet(header.type_octet) else {
        return fail(Problem::ReservedType { value: header.type_octet }, header.length_octets);
    };
    let fail = |problem, offset| Err(DecodeError { problem, message_type: Some(packet_type), offset });
    let (announced, actual) = (header.announced, datagram.len());
    if announced < header.size() {
        return fail(Problem::LengthTooSmall { announced }, 0);
    }
    if announced > actual {
        return fail(Problem::LengthTooLarge { announced, actual }, 0);
    }
    if announced < actual {
        return fail(Problem::TrailingBytes { count: actual - announced }, announced);
    }
    let body = datagram.get(header.size()..).unwrap_or_default();
    Ok(Reader::new(packet_type, body, header.size()))
}

fn read_pingresp<'a>(reader: &mut Reader<'a>) -> Result<Packet<'a>, DecodeError> {
    let packet_id = reader.packet_id()?;
    let remaining = if reader.is_empty() { None } else { Some(reader.u8("messages remaining")?) };
    Ok(Packet::Pingresp { packet_id, remaining })
}

fn read_sleepreq<'a>(reader: &mut Reader<'a>) -> Result<Packet<'a>, DecodeError> {
    let (flags, _) = read_flags(reader, RETAIN_TOPIC_ALIASES)?;
    let packet_id = reader.packet_id()?;
    let duration = reader.u32("sleep duration")?;
    Ok(Packet::Sleepreq { packet_id, duration, retains_aliases: flags & RETAIN_TOPIC_ALIASES != 0 })
}

fn read_sleepresp<'a>(reader: &mut Reader<'a>) -> Result<Packet<'a>, DecodeError> {
    let (flags, _) = read_flags(reader, DURATION_PRESENT)?;
    let packet_id = reader.packet_id()?;
    let duration = if flags & DURATION_PRESENT != 0 { Some(reader.u32("sleep duration")?) } else { None };
    Ok(Packet::Sleepresp { packet_id, duration, reason: read_reason(reader)? })
}
