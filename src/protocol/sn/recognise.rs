//! Recognises MQTT-SN among other datagrams, which no field marks as such.

use super::{Header, Message, MessageType, PublishQos, TopicId, Version};
use crate::protocol::Qos;

/// The length that Paho's gateway writes for a message of 257 octets.
const UNCOUNTED: (usize, usize) = (255, 257);

/// The longest client identifier that is taken as a sign of CONNECT. The specification allows 23 characters.
const MAX_CLIENT_ID: usize = 64;

/// The likelihood that a datagram is a message of MQTT-SN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// It is not a message.
    None,
    /// Its length field has the length of the datagram.
    Framed,
    /// It also is a valid message.
    Valid,
    /// It is a valid CONNECT, which hardly anything else looks like.
    Certain,
}

/// The likelihood that a datagram of this length is a message. `datagram` may lack its end.
pub fn likeness(datagram: &[u8], length: usize) -> Likeness {
    if !is_framed(datagram, length) {
        return Likeness::None;
    }
    if is_connect_v2(datagram) {
        return Likeness::Certain;
    }
    match Message::decode(datagram) {
        Ok(Message::Connect(connect)) if is_client_id(connect.client_id) => Likeness::Certain,
        Ok(Message::Encapsulated(envelope)) if is_plain(envelope.message) => {
            likeness(envelope.message, envelope.message.len())
        }
        Ok(_) => Likeness::Valid,
        Err(_) => Likeness::Framed,
    }
}

/// Whether the datagram is a CONNECT of MQTT-SN 2.0, whose reserved flag is 0.
fn is_connect_v2(datagram: &[u8]) -> bool {
    let flags = Header::read(datagram).and_then(|header| datagram.get(header.size()));
    Version::stated(datagram) == Some(Version::V20) && flags.is_some_and(|flags| flags & 0x80 == 0)
}

/// Whether the length field has the length of the datagram; that of an encapsulated message has less.
fn is_framed(datagram: &[u8], length: usize) -> bool {
    let Some(header) = Header::read(datagram) else { return false };
    let is_envelope = header.type_octet == MessageType::Encapsulated as u8;
    header.announced == length
        || (header.announced, length) == UNCOUNTED
        || (is_envelope && (header.size()..length).contains(&header.announced))
}

fn is_client_id(text: &str) -> bool {
    text.len() <= MAX_CLIENT_ID && !text.chars().any(char::is_control)
}

/// Whether a datagram is the answer to a request, with its identifiers. Both must be valid messages.
pub fn answers(answer: &[u8], request: &[u8]) -> bool {
    let (Ok(answer), Ok(request)) = (Message::decode(answer), Message::decode(request)) else {
        return false;
    };
    match (request, answer) {
        (Message::Encapsulated(request), Message::Encapsulated(answer)) => {
            request.node_id == answer.node_id
                && is_plain(request.message)
                && answers(answer.message, request.message)
        }
        (Message::Register(request), Message::Regack(answer)) => request.message_id == answer.message_id,
        (Message::Publish(request), Message::Puback(answer)) => {
            request.qos == PublishQos::Connected(Qos::AtLeastOnce)
                && (request.topic.value(), request.message_id) == (answer.topic_id, answer.message_id)
        }
        (Message::Publish(request), Message::Pubrec { message_id }) => {
            request.qos == PublishQos::Connected(Qos::ExactlyOnce) && request.message_id == message_id
        }
        (Message::Subscribe(request), Message::Suback(answer)) => request.message_id == answer.message_id,
        (Message::Unsubscribe(request), Message::Unsuback { message_id }) => request.message_id == message_id,
        _ => false,
    }
}

/// Whether the message is not an envelope itself, so that envelopes are not nested.
fn is_plain(message: &[u8]) -> bool {
    Header::read(message).is_some_and(|header| header.type_octet != MessageType::Encapsulated as u8)
}

/// Whether a client sent the message, if only a client or only a gateway sends its type.
pub fn is_from_client(datagram: &[u8]) -> Option<bool> {
    if is_connect_v2(datagram) {
        return Some(true);
    }
    match Message::decode(datagram).ok()? {
        Message::SearchGw { .. }
        | Message::Connect(_)
        | Message::WillTopicUpd(_)
        | Message::WillMsgUpd { .. } => Some(true),
        Message::Advertise { .. }
        | Message::GwInfo { address: [], .. }
        | Message::Connack { .. }
        | Message::WillTopicReq
        | Message::WillMsgReq
        | Message::Suback(_)
        | Message::Unsuback { .. }
        | Message::WillTopicResp { .. }
        | Message::WillMsgResp { .. } => Some(false),
        // A message without a connection.
        Message::Publish(publish) if publish.qos == PublishQos::MinusOne => {
            (!matches!(publish.topic, TopicId::Normal(_))).then_some(true)
        }
        Message::Encapsulated(envelope) if is_plain(envelope.message) => is_from_client(envelope.message),
        _ => None,
    }
}
