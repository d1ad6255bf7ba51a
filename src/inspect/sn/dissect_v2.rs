//! Decodes the packets of MQTT-SN 2.0 into fields. It never fails: the rest of a packet that cannot be decoded becomes one raw
//! field, and a finding has the reason.
//!
//! Where the specification contradicts itself, docs/mqtt-sn-2.md has the decisions.

use super::cursor::{Cursor, DissectResult, EndOfMessage};
use super::{Envelope, MessageKind, Outcome};
use crate::inspect::{Name, Rule};
use crate::protocol::Qos;
use crate::protocol::sn::v2::{PacketType, reason, scheme};
use crate::words::counted;

/// A part of a flags octet: the name, the highest bit and the lowest one.
type Part = (Name, u8, u8);

const CONNECT: [Part; 8] = [
    (Name::Reserved, 7, 7),
    (Name::ServerSuggestions, 6, 6),
    (Name::NetworkAddress, 5, 5),
    (Name::DefaultAwakeFlag, 4, 4),
    (Name::SessionExpiryFlag, 3, 3),
    (Name::AuthenticationFlag, 2, 2),
    (Name::WillFlag, 1, 1),
    (Name::CleanStart, 0, 0),
];
const WILL: [Part; 4] =
    [(Name::Reserved, 7, 5), (Name::WillRetain, 4, 4), (Name::WillQos, 3, 2), (Name::TopicType, 1, 0)];
const CONNACK: [Part; 5] = [
    (Name::Reserved, 7, 4),
    (Name::AuthenticationFlag, 3, 3),
    (Name::ServerKeepAliveFlag, 2, 2),
    (Name::SessionExpiryFlag, 1, 1),
    (Name::SessionPresent, 0, 0),
];
const PUBLISH: [Part; 5] = [
    (Name::Dup, 7, 7),
    (Name::Qos, 6, 5),
    (Name::Retain, 4, 4),
    (Name::Reserved, 3, 2),
    (Name::TopicType, 1, 0),
];
const PUBWOS: [Part; 4] =
    [(Name::Reserved, 7, 5), (Name::Retain, 4, 4), (Name::Reserved, 3, 2), (Name::TopicType, 1, 0)];
const SUBSCRIBE: [Part; 5] = [
    (Name::NoLocal, 7, 7),
    (Name::Qos, 6, 5),
    (Name::RetainAsPublished, 4, 4),
    (Name::RetainHandling, 3, 2),
    (Name::TopicType, 1, 0),
];
const UNSUBSCRIBE: [Part; 2] = [(Name::Reserved, 7, 2), (Name::TopicType, 1, 0)];
const ALIAS_AND_TYPE: [Part; 3] = [(Name::Reserved, 7, 3), (Name::AliasFlag, 2, 2), (Name::TopicType, 1, 0)];
const DISCONNECT: [Part; 4] = [
    (Name::Reserved, 7, 3),
    (Name::ReasonCodeFlag, 2, 2),
    (Name::SessionExpiryFlag, 1, 1),
    (Name::PacketIdFlag, 0, 0),
];
const REGISTER: [Part; 2] = [(Name::Reserved, 7, 1), (Name::AliasFlag, 0, 0)];
const SLEEPREQ: [Part; 2] = [(Name::Reserved, 7, 1), (Name::RetainTopicAliases, 0, 0)];
const SLEEPRESP: [Part; 2] = [(Name::Reserved, 7, 1), (Name::DurationFlag, 0, 0)];
const PROTECTION: [Part; 3] =
    [(Name::TagLength, 7, 4), (Name::CryptoMaterialLength, 3, 2), (Name::CounterLength, 1, 0)];

/// The topic type of a name or filter.
const NAME: u8 = 3;

/// The reserved topic type.
const RESERVED: u8 = 2;

/// Decodes a packet, and those inside it.
pub(super) fn message<'a>(cursor: &mut Cursor<'a>, outcome: &mut Outcome<'a>) -> DissectResult {
    let start = cursor.position();
    let kind = header(cursor, outcome)?;
    match kind {
        PacketType::Connect => connect(cursor),
        PacketType::Connack => connack(cursor),
        PacketType::Publish => publish(cursor),
        PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubrel
        | PacketType::Pubcomp
        | PacketType::Unsuback => {
            packet_id(cursor)?;
            optional_code(cursor)
        }
        PacketType::Subscribe => {
            let flags = flags(cursor, &SUBSCRIBE)?;
            check_qos(cursor, (flags >> 5) & 3);
            subscription(cursor, flags & 3)
        }
        PacketType::Unsubscribe => {
            let flags = flags(cursor, &UNSUBSCRIBE)?;
            subscription(cursor, flags & 3)
        }
        PacketType::Suback | PacketType::Regack => {
            let flags = flags(cursor, &ALIAS_AND_TYPE)?;
            packet_id(cursor)?;
            if flags & 0x04 != 0 {
                cursor.number_2(Name::TopicAlias)?;
            }
            optional_code(cursor)
        }
        PacketType::Pingreq => packet_id(cursor),
        PacketType::Pingresp => {
            packet_id(cursor)?;
            if !cursor.is_at_end() {
                cursor.number_1(Name::MessagesRemaining)?;
            }
            Ok(())
        }
        PacketType::Disconnect => disconnect(cursor),
        PacketType::Auth => auth(cursor),
        PacketType::Register => register(cursor),
        PacketType::Pubwos => {
            let flags = flags(cursor, &PUBWOS)?;
            topic_and_payload(cursor, flags & 3)
        }
        PacketType::Sleepreq => {
            flags(cursor, &SLEEPREQ)?;
            packet_id(cursor)?;
            cursor.number_4(Name::Duration).map(drop)
        }
        PacketType::Sleepresp => {
            let flags = flags(cursor, &SLEEPRESP)?;
            packet_id(cursor)?;
            if flags & 0x01 != 0 {
                cursor.number_4(Name::Duration)?;
            }
            optional_code(cursor)
        }
        PacketType::Wakeup => Ok(()),
        PacketType::Advertise => {
            cursor.number_1(Name::GatewayId)?;
            cursor.number_2(Name::Duration).map(drop)
        }
        PacketType::SearchGw => {
            if !cursor.is_at_end() {
                cursor.rest(Name::NetworkInformation);
            }
            Ok(())
        }
        PacketType::GwInfo => {
            cursor.number_1(Name::GatewayId)?;
            if !cursor.is_at_end() {
                cursor.rest(Name::GatewayAddress);
            }
            Ok(())
        }
        PacketType::Forwarder => forwarder(cursor, start, outcome),
        PacketType::Connection => connection(cursor, start, outcome),
        PacketType::Protection => protection(cursor, start, outcome),
    }
}

/// The length field and the type. The length covers the packets inside, too.
fn header(cursor: &mut Cursor<'_>, outcome: &mut Outcome<'_>) -> DissectResult<PacketType> {
    let (start, size) = (cursor.position(), cursor.left());
    cursor.group(Name::FixedHeader, |cursor| {
        let announced = cursor.length_field()?;
        if announced != size {
            let detail = format!("the length is {announced}, but the datagram has {}", counted(size, "byte"));
            cursor.find(Rule::SnLength, start..cursor.position(), detail);
        }
        let octet = cursor.code(Name::MessageType)?;
        let here = cursor.position() - 1;
        let Some(kind) = PacketType::from_octet(octet) else {
            outcome.kind = MessageKind::Reserved(octet);
            let detail = format!("MQTT-SN 2.0 does not define packet type 0x{octet:02x}");
            cursor.find(Rule::SnReservedType, here..here + 1, detail);
            return Err(EndOfMessage);
        };
        outcome.kind = MessageKind::V20(kind);
        Ok(kind)
    })
}

fn flags(cursor: &mut Cursor<'_>, parts: &[Part]) -> DissectResult<u8> {
    named_flags(cursor, Name::Flags, parts)
}

fn named_flags(cursor: &mut Cursor<'_>, name: Name, parts: &[Part]) -> DissectResult<u8> {
    cursor.group(name, |cursor| {
        let flags = cursor.byte(name)?;
        let here = cursor.position() - 1..cursor.position();
        for &(name, high, low) in parts {
            let value = cursor.bits(name, flags, high, low);
            if name == Name::Reserved && value != 0 {
                let detail = format!("reserved bits of the flags {flags:08b} are set");
                cursor.find(Rule::SnReservedBits, here.clone(), detail);
            }
            if name == Name::TopicType && value == RESERVED {
                cursor.find(Rule::SnTopicIdType, here.clone(), "the topic type is 2, which is reserved");
            }
        }
        Ok(flags)
    })
}

fn check_qos(cursor: &mut Cursor<'_>, qos: u8) {
    if Qos::from_u8(qos).is_none() {
        let here = cursor.position() - 1;
        cursor.find(Rule::SnQos, here..here + 1, "both QoS bits are set");
    }
}

fn packet_id(cursor: &mut Cursor<'_>) -> DissectResult {
    cursor.number_2(Name::PacketIdentifier).map(drop)
}

/// A reason code that is 0 if it is absent.
fn optional_code(cursor: &mut Cursor<'_>) -> DissectResult {
    if cursor.is_at_end() { Ok(()) } else { cursor.code(Name::ReasonCode).map(drop) }
}

fn connect(cursor: &mut Cursor<'_>) -> DissectResult {
    let flags = flags(cursor, &CONNECT)?;
    let has = |bit: u8| flags & bit != 0;
    let will = if has(0x02) {
        let will = named_flags(cursor, Name::WillFlags, &WILL)?;
        check_qos(cursor, (will >> 2) & 3);
        Some(will & 3)
    } else {
        None
    };
    packet_id(cursor)?;
    let start = cursor.position();
    let version = cursor.number_1(Name::ProtocolVersion)?;
    if version != 2 {
        let detail = format!("the protocol version is {version}");
        cursor.find(Rule::SnProtocolId, start..start + 1, detail);
    }
    cursor.number_2(Name::KeepAlive)?;
    cursor.number_2(Name::MaximumPacketSize)?;
    if has(0x10) {
        cursor.number_1(Name::DefaultAwakeMessages)?;
    }
    if has(0x08) {
        cursor.number_4(Name::SessionExpiryInterval)?;
    }
    if let Some(topic_type) = will {
        topic(cursor, topic_type, Name::WillTopic)?;
        let length = cursor.number_2(Name::WillPayloadLength)?;
        cursor.bytes(length.into(), Name::WillPayload)?;
    }
    if has(0x04) {
        authentication(cursor)?;
    }
    if !cursor.is_at_end() {
        cursor.rest_text(Name::ClientIdentifier)?;
    }
    Ok(())
}

fn authentication(cursor: &mut Cursor<'_>) -> DissectResult {
    authentication_method(cursor)?;
    let length = cursor.number_2(Name::AuthenticationDataLength)?;
    cursor.bytes(length.into(), Name::AuthenticationData)
}

fn authentication_method(cursor: &mut Cursor<'_>) -> DissectResult {
    let length = cursor.number_1(Name::AuthenticationMethodLength)?;
    cursor.text(length.into(), Name::AuthenticationMethod)
}

fn connack(cursor: &mut Cursor<'_>) -> DissectResult {
    let flags = flags(cursor, &CONNACK)?;
    packet_id(cursor)?;
    cursor.code(Name::ReasonCode)?;
    if flags & 0x02 != 0 {
        cursor.number_4(Name::SessionExpiryInterval)?;
    }
    if flags & 0x04 != 0 {
        cursor.number_2(Name::ServerKeepAlive)?;
    }
    if flags & 0x08 != 0 {
        authentication(cursor)?;
    }
    if !cursor.is_at_end() {
        cursor.rest_text(Name::AssignedClientIdentifier)?;
    }
    Ok(())
}

fn publish(cursor: &mut Cursor<'_>) -> DissectResult {
    let flags = flags(cursor, &PUBLISH)?;
    let qos = (flags >> 5) & 3;
    check_qos(cursor, qos);
    if qos > 0 {
        packet_id(cursor)?;
    }
    topic_and_payload(cursor, flags & 3)
}

fn topic_and_payload(cursor: &mut Cursor<'_>, topic_type: u8) -> DissectResult {
    topic(cursor, topic_type, Name::TopicName)?;
    cursor.rest(Name::Payload);
    Ok(())
}

/// An alias, or a name after its length.
fn topic(cursor: &mut Cursor<'_>, topic_type: u8, name: Name) -> DissectResult {
    match topic_type {
        NAME => {
            let length = cursor.number_2(Name::TopicLength)?;
            cursor.text(length.into(), name)
        }
        RESERVED => Err(EndOfMessage),
        _ => cursor.number_2(Name::TopicAlias).map(drop),
    }
}

/// An alias, or a filter to the end.
fn subscription(cursor: &mut Cursor<'_>, topic_type: u8) -> DissectResult {
    packet_id(cursor)?;
    match topic_type {
        NAME if cursor.is_at_end() => {
            let here = cursor.position();
            cursor.find(Rule::SnTooShort, here..here, "the topic filter is missing");
            Ok(())
        }
        NAME => cursor.rest_text(Name::TopicFilter),
        RESERVED => Err(EndOfMessage),
        _ => cursor.number_2(Name::TopicAlias).map(drop),
    }
}

fn disconnect(cursor: &mut Cursor<'_>) -> DissectResult {
    let flags = flags(cursor, &DISCONNECT)?;
    if flags & 0x01 != 0 {
        packet_id(cursor)?;
    }
    if flags & 0x02 != 0 {
        cursor.number_4(Name::SessionExpiryInterval)?;
    }
    if flags & 0x04 != 0 {
        cursor.code(Name::ReasonCode)?;
    }
    if !cursor.is_at_end() {
        cursor.rest_text(Name::ReasonString)?;
    }
    Ok(())
}

fn auth(cursor: &mut Cursor<'_>) -> DissectResult {
    packet_id(cursor)?;
    cursor.code(Name::ReasonCode)?;
    authentication_method(cursor)?;
    if !cursor.is_at_end() {
        cursor.rest(Name::AuthenticationData);
    }
    Ok(())
}

fn register(cursor: &mut Cursor<'_>) -> DissectResult {
    let flags = flags(cursor, &REGISTER)?;
    packet_id(cursor)?;
    if flags & 0x01 != 0 {
        cursor.number_2(Name::TopicAlias)?;
    }
    if cursor.is_at_end() {
        let here = cursor.position();
        cursor.find(Rule::SnTooShort, here..here, "the topic is missing");
        return Ok(());
    }
    cursor.rest_text(Name::TopicName)
}

/// The packet inside another.
fn inner<'a>(cursor: &mut Cursor<'a>, outcome: &mut Outcome<'a>) -> DissectResult {
    if cursor.is_at_end() {
        let here = cursor.position();
        cursor.find(Rule::SnTooShort, here..here, "the encapsulated packet is missing");
        return Ok(());
    }
    outcome.kind = MessageKind::Empty;
    cursor.group(Name::EncapsulatedMessage, |cursor| message(cursor, outcome))
}

fn forwarder<'a>(cursor: &mut Cursor<'a>, start: usize, outcome: &mut Outcome<'a>) -> DissectResult {
    if outcome.is_inside(PacketType::Forwarder) || outcome.is_inside(PacketType::Protection) {
        cursor.find(
            Rule::SnNested,
            start..cursor.position(),
            "a forwarder encapsulation is inside another packet",
        );
        return Err(EndOfMessage);
    }
    outcome.enclosing.push(PacketType::Forwarder);
    let length = cursor.number_1(Name::AddressLength)?;
    let from = cursor.position();
    cursor.bytes(length.into(), Name::NodeId)?;
    let node_id = cursor.between(from, cursor.position());
    outcome.envelope = Some(Envelope { radius: 0, node_id });
    inner(cursor, outcome)
}

fn connection<'a>(cursor: &mut Cursor<'a>, start: usize, outcome: &mut Outcome<'a>) -> DissectResult {
    if outcome.is_inside(PacketType::Connection) {
        cursor.find(Rule::SnNested, start..cursor.position(), "a connection encapsulation is inside another");
        return Err(EndOfMessage);
    }
    outcome.enclosing.push(PacketType::Connection);
    let length = cursor.number_2(Name::ClientIdentifierLength)?;
    let from = cursor.position();
    cursor.text(length.into(), Name::ClientIdentifier)?;
    let node_id = cursor.between(from, cursor.position());
    outcome.envelope = outcome.envelope.or(Some(Envelope { radius: 0, node_id }));
    inner(cursor, outcome)
}

/// A packet with a tag, which may also be encrypted.
fn protection<'a>(cursor: &mut Cursor<'a>, start: usize, outcome: &mut Outcome<'a>) -> DissectResult {
    if outcome.is_inside(PacketType::Protection) {
        cursor.find(Rule::SnNested, start..cursor.position(), "a protection encapsulation is inside another");
        return Err(EndOfMessage);
    }
    outcome.enclosing.push(PacketType::Protection);
    let flags = flags(cursor, &PROTECTION)?;
    let number = cursor.code(Name::ProtectionScheme)?;
    cursor.bytes(8, Name::SenderIdentifier)?;
    cursor.bytes(4, Name::Random)?;
    let material = scheme::material_length((flags >> 2) & 3);
    if material > 0 {
        cursor.bytes(material, Name::CryptoMaterial)?;
    }
    match scheme::counter_length(flags & 3) {
        Some(0) => {}
        Some(2) => drop(cursor.number_2(Name::Counter)?),
        Some(_) => drop(cursor.number_4(Name::Counter)?),
        None => {
            let here = cursor.position();
            cursor.find(Rule::SnReservedBits, here..here, "the counter length is 3, which is reserved");
            return Err(EndOfMessage);
        }
    }
    let Some(tag) = scheme::tag_length(flags >> 4, number) else {
        // The rest is the packet and a tag of unknown length.
        cursor.rest(Name::ProtectedPacket);
        return Ok(());
    };
    let body = cursor.left().saturating_sub(tag);
    let end = cursor.position() + body;
    if scheme::is_encrypted(number) && !outcome.is_decrypted {
        cursor.bytes(body, Name::ProtectedPacket)?;
    } else {
        cursor.area(end, |cursor| {
            inner(cursor, outcome)?;
            if cursor.is_at_end() { Ok(()) } else { Err(EndOfMessage) }
        })?;
    }
    cursor.bytes(tag, Name::AuthenticationTag)
}

/// The meaning of a coded number of a packet of this kind.
pub(super) fn meaning(kind: MessageKind, name: Name, code: u8) -> Option<&'static str> {
    match (name, kind) {
        (Name::MessageType, _) => PacketType::from_octet(code).map(PacketType::name),
        (Name::ProtectionScheme, _) => scheme::name(code),
        (Name::ReasonCode, MessageKind::V20(kind)) => reason::name(kind, code),
        _ => None,
    }
}
