//! The messages of MQTT-SN 1.2 (section 5.4): their fields, decoded and encoded.

use super::flags::Flags;
use super::frame::{Frame, put_header};
use super::reader::Reader;
use super::{
    DecodeError, EncodeError, MessageType, PROTOCOL_ID, Problem, PublishQos, ReturnCode, ShortName,
    SubscribeTopic, TopicId, TopicIdType,
};
use crate::protocol::Qos;

/// A message that borrows from the datagram it was read from.
///
/// `message_id` is 0 where a message has none: in a PUBLISH of QoS 0 and -1, and in the PUBACK that rejects one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the specification's own
pub enum Message<'a> {
    Advertise {
        gateway_id: u8,
        duration: u16,
    },
    /// `radius` is 0 for all hops.
    SearchGw {
        radius: u8,
    },
    /// `address` is empty if the gateway itself sends it.
    GwInfo {
        gateway_id: u8,
        address: &'a [u8],
    },
    Connect(Connect<'a>),
    Connack {
        return_code: ReturnCode,
    },
    WillTopicReq,
    /// `None` deletes the will.
    WillTopic(Option<WillTopic<'a>>),
    WillMsgReq,
    WillMsg {
        payload: &'a [u8],
    },
    Register(Register<'a>),
    Regack(Regack),
    Publish(Publish<'a>),
    Puback(Regack),
    Pubcomp {
        message_id: u16,
    },
    Pubrec {
        message_id: u16,
    },
    Pubrel {
        message_id: u16,
    },
    Subscribe(Subscribe<'a>),
    Suback(Suback),
    Unsubscribe(Unsubscribe<'a>),
    Unsuback {
        message_id: u16,
    },
    /// `client_id` is that of a sleeping client that wakes up.
    Pingreq {
        client_id: Option<&'a str>,
    },
    Pingresp,
    /// `duration` is that of the sleep, in seconds.
    Disconnect {
        duration: Option<u16>,
    },
    /// `None` deletes the will.
    WillTopicUpd(Option<WillTopic<'a>>),
    WillTopicResp {
        return_code: ReturnCode,
    },
    WillMsgUpd {
        payload: &'a [u8],
    },
    WillMsgResp {
        return_code: ReturnCode,
    },
    Encapsulated(Encapsulated<'a>),
}

/// CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The gateway asks for the will.
    pub has_will: bool,
    /// Subscriptions and will of an earlier connection are deleted.
    pub is_clean: bool,
    /// The keep alive in seconds.
    pub duration: u16,
    /// The client identifier, not empty. The specification allows 23 characters; the decoder does not check this.
    pub client_id: &'a str,
}

/// A will topic with its flags, in WILLTOPIC and WILLTOPICUPD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WillTopic<'a> {
    /// The QoS of the will.
    pub qos: Qos,
    /// The will is retained.
    pub retain: bool,
    /// The topic name.
    pub topic: &'a str,
}

/// REGISTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register<'a> {
    /// The id that the gateway assigned; 0 from a client.
    pub topic_id: u16,
    /// Repeated in REGACK.
    pub message_id: u16,
    /// The topic name, not empty.
    pub topic: &'a str,
}

/// REGACK and PUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regack {
    /// The topic id, or the octets of a short topic name.
    pub topic_id: u16,
    /// That of the REGISTER or PUBLISH.
    pub message_id: u16,
    /// The result.
    pub return_code: ReturnCode,
}

/// PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// The message was sent before.
    pub dup: bool,
    /// The QoS.
    pub qos: PublishQos,
    /// The message is retained.
    pub retain: bool,
    /// The topic.
    pub topic: TopicId,
    /// 0 at QoS 0 and -1.
    pub message_id: u16,
    /// The application message.
    pub payload: &'a [u8],
}

/// SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// The message was sent before.
    pub dup: bool,
    /// The requested QoS.
    pub qos: Qos,
    /// Repeated in SUBACK.
    pub message_id: u16,
    /// The topic, or a filter with wildcards.
    pub topic: SubscribeTopic<'a>,
}

/// SUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suback {
    /// The granted QoS.
    pub qos: Qos,
    /// The topic id; 0 for a filter with wildcards.
    pub topic_id: u16,
    /// That of the SUBSCRIBE.
    pub message_id: u16,
    /// The result.
    pub return_code: ReturnCode,
}

/// UNSUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Repeated in UNSUBACK.
    pub message_id: u16,
    /// The topic as it was subscribed.
    pub topic: SubscribeTopic<'a>,
}

/// A message between a forwarder and a gateway, with the address of the client behind the forwarder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encapsulated<'a> {
    /// The broadcast radius in hops, 0 to 3.
    pub radius: u8,
    /// The address of the wireless node, opaque to the gateway.
    pub node_id: &'a [u8],
    /// The client's or the gateway's message: a whole one with its own length, not decoded.
    pub message: &'a [u8],
}

/// The radius in the control octet of an encapsulated message.
const RADIUS: u8 = 0x03;

impl<'a> Message<'a> {
    /// Decodes a datagram.
    ///
    /// # Errors
    /// If the datagram violates the specification.
    pub fn decode(datagram: &'a [u8]) -> Result<Message<'a>, DecodeError> {
        Message::read(Frame::cut(datagram)?)
    }

    /// Decodes the fields of a message.
    ///
    /// # Errors
    /// If they violate the specification.
    pub fn read(frame: Frame<'a>) -> Result<Message<'a>, DecodeError> {
        let reader = &mut frame.reader();
        let message = match frame.message_type {
            MessageType::Advertise => {
                Message::Advertise { gateway_id: reader.u8("gateway id")?, duration: reader.u16("duration")? }
            }
            MessageType::SearchGw => Message::SearchGw { radius: reader.u8("radius")? },
            MessageType::GwInfo => {
                Message::GwInfo { gateway_id: reader.u8("gateway id")?, address: reader.rest() }
            }
            MessageType::Connect => Message::Connect(Connect::read(reader)?),
            MessageType::Connack => Message::Connack { return_code: return_code(reader)? },
            MessageType::WillTopicReq => Message::WillTopicReq,
            MessageType::WillTopic => Message::WillTopic(WillTopic::read(reader)?),
            MessageType::WillMsgReq => Message::WillMsgReq,
            MessageType::WillMsg => Message::WillMsg { payload: reader.rest() },
            MessageType::Register => Message::Register(Register {
                topic_id: reader.u16("topic id")?,
                message_id: message_id(reader)?,
                topic: reader.non_empty_string("topic name")?,
            }),
            MessageType::Regack => Message::Regack(Regack::read(reader)?),
            MessageType::Publish => Message::Publish(Publish::read(reader)?),
            MessageType::Puback => Message::Puback(Regack::read(reader)?),
            MessageType::Pubcomp => Message::Pubcomp { message_id: message_id(reader)? },
            MessageType::Pubrec => Message::Pubrec { message_id: message_id(reader)? },
            MessageType::Pubrel => Message::Pubrel { message_id: message_id(reader)? },
            MessageType::Subscribe => Message::Subscribe(Subscribe::read(reader)?),
            MessageType::Suback => Message::Suback(Suback::read(reader)?),
            MessageType::Unsubscribe => Message::Unsubscribe(Unsubscribe::read(reader)?),
            MessageType::Unsuback => Message::Unsuback { message_id: message_id(reader)? },
            MessageType::Pingreq => Message::Pingreq { client_id: optional_string(reader)? },
            MessageType::Pingresp => Message::Pingresp,
            MessageType::Disconnect => Message::Disconnect {
                duration: if reader.is_empty() { None } else { Some(reader.u16("duration")?) },
            },
            MessageType::WillTopicUpd => Message::WillTopicUpd(WillTopic::read(reader)?),
            MessageType::WillTopicResp => Message::WillTopicResp { return_code: return_code(reader)? },
            MessageType::WillMsgUpd => Message::WillMsgUpd { payload: reader.rest() },
            MessageType::WillMsgResp => Message::WillMsgResp { return_code: return_code(reader)? },
            MessageType::Encapsulated => return Encapsulated::read(&frame).map(Message::Encapsulated),
        };
        reader.finish()?;
        Ok(message)
    }

    /// The message type.
    pub fn message_type(&self) -> MessageType {
        match self {
            Message::Advertise { .. } => MessageType::Advertise,
            Message::SearchGw { .. } => MessageType::SearchGw,
            Message::GwInfo { .. } => MessageType::GwInfo,
            Message::Connect(_) => MessageType::Connect,
            Message::Connack { .. } => MessageType::Connack,
            Message::WillTopicReq => MessageType::WillTopicReq,
            Message::WillTopic(_) => MessageType::WillTopic,
            Message::WillMsgReq => MessageType::WillMsgReq,
            Message::WillMsg { .. } => MessageType::WillMsg,
            Message::Register(_) => MessageType::Register,
            Message::Regack(_) => MessageType::Regack,
            Message::Publish(_) => MessageType::Publish,
            Message::Puback(_) => MessageType::Puback,
            Message::Pubcomp { .. } => MessageType::Pubcomp,
            Message::Pubrec { .. } => MessageType::Pubrec,
            Message::Pubrel { .. } => MessageType::Pubrel,
            Message::Subscribe(_) => MessageType::Subscribe,
            Message::Suback(_) => MessageType::Suback,
            Message::Unsubscribe(_) => MessageType::Unsubscribe,
            Message::Unsuback { .. } => MessageType::Unsuback,
            Message::Pingreq { .. } => MessageType::Pingreq,
            Message::Pingresp => MessageType::Pingresp,
            Message::Disconnect { .. } => MessageType::Disconnect,
            Message::WillTopicUpd(_) => MessageType::WillTopicUpd,
            Message::WillTopicResp { .. } => MessageType::WillTopicResp,
            Message::WillMsgUpd { .. } => MessageType::WillMsgUpd,
            Message::WillMsgResp { .. } => MessageType::WillMsgResp,
            Message::Encapsulated(_) => MessageType::Encapsulated,
        }
    }

    /// Appends the message: one datagram.
    ///
    /// # Errors
    /// If it exceeds its maximum length; nothing is appended then.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_header(out, self.message_type() as u8, self.body_length())?;
        match *self {
            Message::Advertise { gateway_id, duration } => {
                out.push(gateway_id);
                put_u16(out, duration);
            }
            Message::SearchGw { radius } => out.push(radius),
            Message::GwInfo { gateway_id, address } => {
                out.push(gateway_id);
                out.extend_from_slice(address);
            }
            Message::Connect(connect) => connect.put(out),
            Message::Connack { return_code }
            | Message::WillTopicResp { return_code }
            | Message::WillMsgResp { return_code } => out.push(return_code.0),
            Message::WillTopicReq | Message::WillMsgReq | Message::Pingresp => {}
            Message::WillTopic(topic) | Message::WillTopicUpd(topic) => {
                topic.iter().for_each(|topic| topic.put(out));
            }
            Message::WillMsg { payload } | Message::WillMsgUpd { payload } => out.extend_from_slice(payload),
            Message::Register(Register { topic_id, message_id, topic }) => {
                put_u16(out, topic_id);
                put_u16(out, message_id);
                out.extend_from_slice(topic.as_bytes());
            }
            Message::Regack(ack) | Message::Puback(ack) => ack.put(out),
            Message::Publish(publish) => publish.put(out),
            Message::Pubcomp { message_id }
            | Message::Pubrec { message_id }
            | Message::Pubrel { message_id }
            | Message::Unsuback { message_id } => put_u16(out, message_id),
            Message::Subscribe(subscribe) => subscribe.put(out),
            Message::Suback(ack) => ack.put(out),
            Message::Unsubscribe(unsubscribe) => unsubscribe.put(out),
            Message::Pingreq { client_id } => {
                out.extend_from_slice(client_id.unwrap_or_default().as_bytes());
            }
            Message::Disconnect { duration } => {
                if let Some(duration) = duration {
                    put_u16(out, duration);
                }
            }
            Message::Encapsulated(encapsulated) => encapsulated.put(out),
        }
        Ok(())
    }

    /// The octets after the type. Those of an encapsulated message end with the node id.
    fn body_length(&self) -> usize {
        match self {
            Message::Advertise { .. } => 3,
            Message::SearchGw { .. }
            | Message::Connack { .. }
            | Message::WillTopicResp { .. }
            | Message::WillMsgResp { .. } => 1,
            Message::GwInfo { address, .. } => 1 + address.len(),
            Message::Connect(connect) => 4 + connect.client_id.len(),
            Message::WillTopicReq | Message::WillMsgReq | Message::Pingresp => 0,
            Message::WillTopic(topic) | Message::WillTopicUpd(topic) => {
                topic.map_or(0, |topic| 1 + topic.topic.len())
            }
            Message::WillMsg { payload } | Message::WillMsgUpd { payload } => payload.len(),
            Message::Register(register) => 4 + register.topic.len(),
            Message::Regack(_) | Message::Puback(_) => 5,
            Message::Publish(publish) => 5 + publish.payload.len(),
            Message::Pubcomp { .. }
            | Message::Pubrec { .. }
            | Message::Pubrel { .. }
            | Message::Unsuback { .. } => 2,
            Message::Subscribe(subscribe) => 3 + topic_length(subscribe.topic),
            Message::Suback(_) => 6,
            Message::Unsubscribe(unsubscribe) => 3 + topic_length(unsubscribe.topic),
            Message::Pingreq { client_id } => client_id.map_or(0, str::len),
            Message::Disconnect { duration } => duration.map_or(0, |_| 2),
            Message::Encapsulated(encapsulated) => 1 + encapsulated.node_id.len(),
        }
    }
}

impl<'a> Connect<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Connect<'a>, DecodeError> {
        let flags = Flags(reader.u8("flags")?);
        let place = reader.offset();
        let protocol_id = reader.u8("protocol id")?;
        if protocol_id != PROTOCOL_ID {
            return Err(reader.error_at(place, Problem::UnsupportedProtocolId { value: protocol_id }));
        }
        Ok(Connect {
            has_will: flags.has(Flags::WILL),
            is_clean: flags.has(Flags::CLEAN_SESSION),
            duration: reader.u16("duration")?,
            client_id: reader.non_empty_string("client identifier")?,
        })
    }

    fn put(&self, out: &mut Vec<u8>) {
        let flags =
            Flags::default().with(Flags::WILL, self.has_will).with(Flags::CLEAN_SESSION, self.is_clean);
        out.extend_from_slice(&[flags.0, PROTOCOL_ID]);
        put_u16(out, self.duration);
        out.extend_from_slice(self.client_id.as_bytes());
    }
}

impl<'a> WillTopic<'a> {
    /// Flags and topic, or nothing at all.
    fn read(reader: &mut Reader<'a>) -> Result<Option<WillTopic<'a>>, DecodeError> {
        if reader.is_empty() {
            return Ok(None);
        }
        let (flags, qos) = flags_and_qos(reader)?;
        let topic = reader.non_empty_string("will topic")?;
        Ok(Some(WillTopic { qos, retain: flags.has(Flags::RETAIN), topic }))
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.push(Flags::default().with_qos(self.qos).with(Flags::RETAIN, self.retain).0);
        out.extend_from_slice(self.topic.as_bytes());
    }
}

impl Regack {
    fn read(reader: &mut Reader<'_>) -> Result<Regack, DecodeError> {
        Ok(Regack {
            topic_id: reader.u16("topic id")?,
            message_id: message_id(reader)?,
            return_code: return_code(reader)?,
        })
    }

    fn put(self, out: &mut Vec<u8>) {
        put_u16(out, self.topic_id);
        put_u16(out, self.message_id);
        out.push(self.return_code.0);
    }
}

impl<'a> Publish<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Publish<'a>, DecodeError> {
        let (flags, id_type) = flags_and_type(reader)?;
        Ok(Publish {
            dup: flags.has(Flags::DUP),
            qos: flags.publish_qos(),
            retain: flags.has(Flags::RETAIN),
            topic: TopicId::new(id_type, reader.two("topic id")?),
            message_id: message_id(reader)?,
            payload: reader.rest(),
        })
    }

    fn put(&self, out: &mut Vec<u8>) {
        let flags = Flags::default()
            .with(Flags::DUP, self.dup)
            .with_publish_qos(self.qos)
            .with(Flags::RETAIN, self.retain)
            .with_type(self.topic.id_type());
        out.push(flags.0);
        put_u16(out, self.topic.value());
        put_u16(out, self.message_id);
        out.extend_from_slice(self.payload);
    }
}

impl<'a> Subscribe<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Subscribe<'a>, DecodeError> {
        let place = reader.offset();
        let (flags, id_type) = flags_and_type(reader)?;
        let qos = flags.qos(|problem| reader.error_at(place, problem))?;
        let message_id = message_id(reader)?;
        let topic = subscribe_topic(reader, id_type)?;
        Ok(Subscribe { dup: flags.has(Flags::DUP), qos, message_id, topic })
    }

    fn put(&self, out: &mut Vec<u8>) {
        let flags =
            Flags::default().with(Flags::DUP, self.dup).with_qos(self.qos).with_type(self.topic.id_type());
        out.push(flags.0);
        put_u16(out, self.message_id);
        put_topic(out, self.topic);
    }
}

impl Suback {
    fn read(reader: &mut Reader<'_>) -> Result<Suback, DecodeError> {
        let (_, qos) = flags_and_qos(reader)?;
        Ok(Suback {
            qos,
            topic_id: reader.u16("topic id")?,
            message_id: message_id(reader)?,
            return_code: return_code(reader)?,
        })
    }

    fn put(self, out: &mut Vec<u8>) {
        out.push(Flags::default().with_qos(self.qos).0);
        put_u16(out, self.topic_id);
        put_u16(out, self.message_id);
        out.push(self.return_code.0);
    }
}

impl<'a> Unsubscribe<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Unsubscribe<'a>, DecodeError> {
        let (_, id_type) = flags_and_type(reader)?;
        let message_id = message_id(reader)?;
        Ok(Unsubscribe { message_id, topic: subscribe_topic(reader, id_type)? })
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.push(Flags::default().with_type(self.topic.id_type()).0);
        put_u16(out, self.message_id);
        put_topic(out, self.topic);
    }
}

impl<'a> Encapsulated<'a> {
    /// The length field ends with the node id; the message inside follows.
    fn read(frame: &Frame<'a>) -> Result<Encapsulated<'a>, DecodeError> {
        let (own, message) = frame.split_announced();
        let mut reader = Reader::new(MessageType::Encapsulated, own, frame.header_size());
        let radius = reader.u8("control")? & RADIUS;
        let node_id = reader.rest();
        if message.is_empty() {
            return Err(reader.error_at(reader.offset(), Problem::EmptyField { field: "message" }));
        }
        Ok(Encapsulated { radius, node_id, message })
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.radius & RADIUS);
        out.extend_from_slice(self.node_id);
        out.extend_from_slice(self.message);
    }
}

fn flags_and_qos(reader: &mut Reader<'_>) -> Result<(Flags, Qos), DecodeError> {
    let place = reader.offset();
    let flags = Flags(reader.u8("flags")?);
    let qos = flags.qos(|problem| reader.error_at(place, problem))?;
    Ok((flags, qos))
}

fn flags_and_type(reader: &mut Reader<'_>) -> Result<(Flags, TopicIdType), DecodeError> {
    let place = reader.offset();
    let flags = Flags(reader.u8("flags")?);
    let id_type = flags.topic_id_type();
    let id_type = id_type.ok_or_else(|| reader.error_at(place, Problem::ReservedTopicIdType))?;
    Ok((flags, id_type))
}

fn message_id(reader: &mut Reader<'_>) -> Result<u16, DecodeError> {
    reader.u16("message id")
}

fn return_code(reader: &mut Reader<'_>) -> Result<ReturnCode, DecodeError> {
    reader.u8("return code").map(ReturnCode)
}

fn optional_string<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a str>, DecodeError> {
    if reader.is_empty() { Ok(None) } else { reader.string("client identifier").map(Some) }
}

fn subscribe_topic<'a>(
    reader: &mut Reader<'a>,
    id_type: TopicIdType,
) -> Result<SubscribeTopic<'a>, DecodeError> {
    Ok(match id_type {
        TopicIdType::Normal => SubscribeTopic::Name(reader.non_empty_string("topic name")?),
        TopicIdType::Predefined => SubscribeTopic::Predefined(reader.u16("topic id")?),
        TopicIdType::Short => SubscribeTopic::Short(ShortName(reader.two("topic name")?)),
    })
}

fn topic_length(topic: SubscribeTopic<'_>) -> usize {
    match topic {
        SubscribeTopic::Name(name) => name.len(),
        SubscribeTopic::Predefined(_) | SubscribeTopic::Short(_) => 2,
    }
}

fn put_topic(out: &mut Vec<u8>, topic: SubscribeTopic<'_>) {
    match topic {
        SubscribeTopic::Name(name) => out.extend_from_slice(name.as_bytes()),
        SubscribeTopic::Predefined(id) => put_u16(out, id),
        SubscribeTopic::Short(name) => out.extend_from_slice(&name.0),
    }
}

fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}
