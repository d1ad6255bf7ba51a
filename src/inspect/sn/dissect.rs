//! Decodes the messages of MQTT-SN 1.2 into fields. It never fails: the rest of a message that cannot be decoded becomes one
//! raw field, and a finding has the reason.

use super::cursor::{Cursor, DissectResult, EndOfMessage};
use super::{Envelope, MessageKind, Outcome};
use crate::inspect::{Name, Rule};
use crate::protocol::Qos;
use crate::protocol::sn::{Header, MessageType, PROTOCOL_ID, ReturnCode, TopicIdType};
use crate::words::counted;

/// The flags that a message uses.
mod used {
    use crate::protocol::sn::Flags;

    pub(super) const CONNECT: u8 = Flags::WILL | Flags::CLEAN_SESSION;
    pub(super) const WILL_TOPIC: u8 = Flags::QOS | Flags::RETAIN;
    pub(super) const PUBLISH: u8 = Flags::DUP | Flags::QOS | Flags::RETAIN | Flags::TOPIC_ID_TYPE;
    pub(super) const SUBSCRIBE: u8 = Flags::DUP | Flags::QOS | Flags::TOPIC_ID_TYPE;
    pub(super) const SUBACK: u8 = Flags::QOS;
    pub(super) const UNSUBSCRIBE: u8 = Flags::TOPIC_ID_TYPE;
}

/// The parts of the flags, from the highest bit.
const PARTS: [(Name, u8, u8); 6] = [
    (Name::Dup, 7, 7),
    (Name::Qos, 6, 5),
    (Name::Retain, 4, 4),
    (Name::WillFlag, 3, 3),
    (Name::CleanSession, 2, 2),
    (Name::TopicIdType, 1, 0),
];

/// Decodes a message, and one inside it.
pub(super) fn message<'a>(cursor: &mut Cursor<'a>, outcome: &mut Outcome<'a>) -> DissectResult {
    let start = cursor.position();
    let kind = header(cursor, outcome)?;
    match kind {
        MessageType::Encapsulated => return encapsulated(cursor, start, outcome),
        MessageType::Advertise => {
            cursor.number_1(Name::GatewayId)?;
            cursor.number_2(Name::Duration)?;
        }
        MessageType::SearchGw => drop(cursor.number_1(Name::Radius)?),
        MessageType::GwInfo => {
            cursor.number_1(Name::GatewayId)?;
            if !cursor.is_at_end() {
                cursor.rest(Name::GatewayAddress);
            }
        }
        MessageType::Connect => connect(cursor)?,
        MessageType::Connack | MessageType::WillTopicResp | MessageType::WillMsgResp => return_code(cursor)?,
        MessageType::WillTopicReq | MessageType::WillMsgReq | MessageType::Pingresp => {}
        MessageType::WillTopic | MessageType::WillTopicUpd => will_topic(cursor)?,
        MessageType::WillMsg | MessageType::WillMsgUpd => drop(cursor.rest(Name::WillPayload)),
        MessageType::Register => {
            cursor.number_2(Name::TopicId)?;
            cursor.number_2(Name::MessageId)?;
            topic(cursor, Name::TopicName)?;
        }
        MessageType::Regack | MessageType::Puback => {
            cursor.number_2(Name::TopicId)?;
            cursor.number_2(Name::MessageId)?;
            return_code(cursor)?;
        }
        MessageType::Publish => publish(cursor)?,
        MessageType::Pubcomp | MessageType::Pubrec | MessageType::Pubrel | MessageType::Unsuback => {
            cursor.number_2(Name::MessageId)?;
        }
        MessageType::Subscribe => subscription(cursor, used::SUBSCRIBE)?,
        MessageType::Unsubscribe => subscription(cursor, used::UNSUBSCRIBE)?,
        MessageType::Suback => {
            let flags = flags(cursor, used::SUBACK)?;
            qos(cursor, flags);
            cursor.number_2(Name::TopicId)?;
            cursor.number_2(Name::MessageId)?;
            return_code(cursor)?;
        }
        MessageType::Pingreq => {
            if !cursor.is_at_end() {
                cursor.rest_text(Name::ClientIdentifier)?;
            }
        }
        MessageType::Disconnect => {
            if !cursor.is_at_end() {
                cursor.number_2(Name::Duration)?;
            }
        }
    }
    Ok(())
}

/// The length field and the type.
fn header(cursor: &mut Cursor<'_>, outcome: &mut Outcome<'_>) -> DissectResult<MessageType> {
    let (start, size, bytes) = (cursor.position(), cursor.left(), cursor.peek());
    cursor.group(Name::FixedHeader, |cursor| {
        let announced = cursor.length_field()?;
        let octet = cursor.code(Name::MessageType)?;
        let Some(kind) = MessageType::from_octet(octet) else {
            outcome.kind = MessageKind::Reserved(octet);
            let here = cursor.position() - 1;
            let detail = format!("MQTT-SN 1.2 does not define message type 0x{octet:02x}");
            cursor.find(Rule::SnReservedType, here..here + 1, detail);
            return Err(EndOfMessage);
        };
        outcome.kind = MessageKind::V12(kind);
        check_length(cursor, kind, start, announced, size, Header::read(bytes));
        Ok(kind)
    })
}

/// The length field of an encapsulated message has only that of the envelope.
fn check_length(
    cursor: &mut Cursor<'_>,
    kind: MessageType,
    start: usize,
    announced: usize,
    size: usize,
    header: Option<Header>,
) {
    let length_octets = header.map_or(1, |header| header.length_octets);
    let least = length_octets + 1;
    let is_right = match kind {
        MessageType::Encapsulated => (least..=size).contains(&announced),
        _ => announced == size,
    };
    if !is_right {
        let detail = format!("the length is {announced}, but the datagram has {}", counted(size, "byte"));
        cursor.find(Rule::SnLength, start..start + length_octets, detail);
    }
}

fn encapsulated<'a>(cursor: &mut Cursor<'a>, start: usize, outcome: &mut Outcome<'a>) -> DissectResult {
    if outcome.envelope.is_some() {
        cursor.find(Rule::SnNested, start..cursor.position(), "the message is encapsulated twice");
        return Err(EndOfMessage);
    }
    let announced = cursor.tree.number(Name::Length).unwrap_or_default() as usize;
    let end = (start + announced).max(cursor.position());
    let (radius, node_id) = cursor.area(end, |cursor| {
        let radius = cursor.group(Name::Control, |cursor| {
            let control = cursor.byte(Name::Control)?;
            cursor.bits(Name::Reserved, control, 7, 2);
            Ok(cursor.bits(Name::Radius, control, 1, 0))
        })?;
        Ok((radius, cursor.rest(Name::NodeId)))
    })?;
    outcome.envelope = Some(Envelope { radius, node_id });
    if cursor.is_at_end() {
        let here = cursor.position();
        cursor.find(Rule::SnTooShort, here..here, "the encapsulated message is missing");
        return Ok(());
    }
    outcome.kind = MessageKind::Empty;
    cursor.group(Name::EncapsulatedMessage, |cursor| message(cursor, outcome))
}

fn flags(cursor: &mut Cursor<'_>, used: u8) -> DissectResult<u8> {
    cursor.group(Name::Flags, |cursor| {
        let flags = cursor.byte(Name::Flags)?;
        // Adjacent unused bits are one field.
        let mut unused: Option<(u8, u8)> = None;
        for (name, high, low) in PARTS {
            if used & (1 << low) != 0 {
                if let Some((high, low)) = unused.take() {
                    cursor.bits(Name::Reserved, flags, high, low);
                }
                cursor.bits(name, flags, high, low);
            } else {
                unused = Some((unused.map_or(high, |(high, _)| high), low));
            }
        }
        if let Some((high, low)) = unused {
            cursor.bits(Name::Reserved, flags, high, low);
        }
        if flags & !used != 0 {
            let here = cursor.position() - 1;
            let detail = format!("the flags are {flags:08b}, of which the message uses {used:08b}");
            cursor.find(Rule::SnReservedFlags, here..here + 1, detail);
        }
        Ok(flags)
    })
}

/// Reports QoS -1, which only PUBLISH may have.
fn qos(cursor: &mut Cursor<'_>, flags: u8) {
    if Qos::from_u8((flags >> 5) & 3).is_none() {
        let here = cursor.position() - 1;
        cursor.find(Rule::SnQos, here..here + 1, "both QoS bits are set");
    }
}

fn topic_id_type(cursor: &mut Cursor<'_>, flags: u8) -> DissectResult<TopicIdType> {
    let id_type = TopicIdType::from_bits(flags & 3);
    if id_type.is_none() {
        let here = cursor.position() - 1;
        cursor.find(Rule::SnTopicIdType, here..here + 1, "the topic id type is 3, which is reserved");
    }
    id_type.ok_or(EndOfMessage)
}

fn connect(cursor: &mut Cursor<'_>) -> DissectResult {
    flags(cursor, used::CONNECT)?;
    let start = cursor.position();
    let protocol_id = cursor.number_1(Name::ProtocolId)?;
    if protocol_id != PROTOCOL_ID {
        let detail = format!("the protocol id is {protocol_id}");
        cursor.find(Rule::SnProtocolId, start..start + 1, detail);
    }
    cursor.number_2(Name::KeepAlive)?;
    cursor.rest_text(Name::ClientIdentifier)
}

fn will_topic(cursor: &mut Cursor<'_>) -> DissectResult {
    if cursor.is_at_end() {
        return Ok(());
    }
    let flags = flags(cursor, used::WILL_TOPIC)?;
    qos(cursor, flags);
    topic(cursor, Name::WillTopic)
}

/// A name that reaches to the end of the message, and is not empty.
fn topic(cursor: &mut Cursor<'_>, name: Name) -> DissectResult {
    if cursor.is_at_end() {
        let here = cursor.position();
        cursor.find(Rule::SnTooShort, here..here, format!("the {name} is missing"));
        return Ok(());
    }
    cursor.rest_text(name)
}

fn publish(cursor: &mut Cursor<'_>) -> DissectResult {
    let flags = flags(cursor, used::PUBLISH)?;
    match topic_id_type(cursor, flags)? {
        TopicIdType::Normal | TopicIdType::Predefined => drop(cursor.number_2(Name::TopicId)?),
        TopicIdType::Short => cursor.text(2, Name::TopicName)?,
    }
    cursor.number_2(Name::MessageId)?;
    cursor.rest(Name::Payload);
    Ok(())
}

fn subscription(cursor: &mut Cursor<'_>, used: u8) -> DissectResult {
    let flags = flags(cursor, used)?;
    if used == used::SUBSCRIBE {
        qos(cursor, flags);
    }
    let id_type = topic_id_type(cursor, flags)?;
    cursor.number_2(Name::MessageId)?;
    match id_type {
        TopicIdType::Normal => topic(cursor, Name::TopicFilter),
        TopicIdType::Predefined => cursor.number_2(Name::TopicId).map(drop),
        TopicIdType::Short => cursor.text(2, Name::TopicFilter),
    }
}

fn return_code(cursor: &mut Cursor<'_>) -> DissectResult {
    cursor.code(Name::ReturnCode).map(drop)
}

/// The meaning of a coded number.
pub(super) fn meaning(name: Name, code: u8) -> Option<&'static str> {
    match name {
        Name::MessageType => MessageType::from_octet(code).map(MessageType::name),
        Name::ReturnCode => ReturnCode(code).name(),
        _ => None,
    }
}
