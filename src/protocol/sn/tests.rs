//! Invariants of every message: it decodes as it was encoded, and no bytes make the decoder panic. Also the octets of each
//! message, and a damaged datagram for each kind of error.

use super::*;
use crate::protocol::Qos;
use proptest::collection::vec;
use proptest::prelude::*;

/// Generated messages borrow from leaked memory, which a test can afford.
fn leak<T: ?Sized>(value: Box<T>) -> &'static T {
    Box::leak(value)
}

fn text() -> impl Strategy<Value = &'static str> {
    "[a-zA-Z0-9 é漢/]{1,30}".prop_map(|text| leak(text.into_boxed_str()))
}

/// Lengths on both sides of the limit of the short form.
fn bytes() -> impl Strategy<Value = &'static [u8]> {
    prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 240..260), vec(any::<u8>(), 60_000..60_010)]
        .prop_map(|bytes| leak(bytes.into_boxed_slice()))
}

fn qos() -> impl Strategy<Value = Qos> {
    prop_oneof![Just(Qos::AtMostOnce), Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)]
}

fn publish_qos() -> impl Strategy<Value = PublishQos> {
    prop_oneof![Just(PublishQos::MinusOne), qos().prop_map(PublishQos::Connected)]
}

fn topic_id() -> impl Strategy<Value = TopicId> {
    prop_oneof![
        any::<u16>().prop_map(TopicId::Normal),
        any::<u16>().prop_map(TopicId::Predefined),
        any::<[u8; 2]>().prop_map(|octets| TopicId::Short(ShortName(octets))),
    ]
}

fn subscribe_topic() -> impl Strategy<Value = SubscribeTopic<'static>> {
    prop_oneof![
        text().prop_map(SubscribeTopic::Name),
        any::<u16>().prop_map(SubscribeTopic::Predefined),
        any::<[u8; 2]>().prop_map(|octets| SubscribeTopic::Short(ShortName(octets))),
    ]
}

fn return_code() -> impl Strategy<Value = ReturnCode> {
    any::<u8>().prop_map(ReturnCode)
}

fn will_topic() -> impl Strategy<Value = Option<WillTopic<'static>>> {
    let topic = (qos(), any::<bool>(), text());
    proptest::option::of(topic.prop_map(|(qos, retain, topic)| WillTopic { qos, retain, topic }))
}

fn connect() -> impl Strategy<Value = Message<'static>> {
    (any::<bool>(), any::<bool>(), any::<u16>(), text()).prop_map(
        |(has_will, is_clean, duration, client_id)| {
            Message::Connect(Connect { has_will, is_clean, duration, client_id })
        },
    )
}

fn ack() -> impl Strategy<Value = Regack> {
    (any::<u16>(), any::<u16>(), return_code()).prop_map(|(topic_id, message_id, return_code)| Regack {
        topic_id,
        message_id,
        return_code,
    })
}

fn publish() -> impl Strategy<Value = Message<'static>> {
    (any::<bool>(), publish_qos(), any::<bool>(), topic_id(), any::<u16>(), bytes()).prop_map(
        |(dup, qos, retain, topic, message_id, payload)| {
            Message::Publish(Publish { dup, qos, retain, topic, message_id, payload })
        },
    )
}

fn subscription() -> impl Strategy<Value = Message<'static>> {
    let suback = (qos(), any::<u16>(), any::<u16>(), return_code()).prop_map(
        |(qos, topic_id, message_id, return_code)| {
            Message::Suback(Suback { qos, topic_id, message_id, return_code })
        },
    );
    let subscribe =
        (any::<bool>(), qos(), any::<u16>(), subscribe_topic()).prop_map(|(dup, qos, message_id, topic)| {
            Message::Subscribe(Subscribe { dup, qos, message_id, topic })
        });
    let unsubscribe = (any::<u16>(), subscribe_topic())
        .prop_map(|(message_id, topic)| Message::Unsubscribe(Unsubscribe { message_id, topic }));
    prop_oneof![subscribe, suback, unsubscribe]
}

fn discovery() -> impl Strategy<Value = Message<'static>> {
    prop_oneof![
        (any::<u8>(), any::<u16>())
            .prop_map(|(gateway_id, duration)| Message::Advertise { gateway_id, duration }),
        any::<u8>().prop_map(|radius| Message::SearchGw { radius }),
        (any::<u8>(), bytes()).prop_map(|(gateway_id, address)| Message::GwInfo { gateway_id, address }),
    ]
}

fn with_message_id() -> impl Strategy<Value = Message<'static>> {
    (0..4, any::<u16>()).prop_map(|(kind, message_id)| match kind {
        0 => Message::Pubcomp { message_id },
        1 => Message::Pubrec { message_id },
        2 => Message::Pubrel { message_id },
        _ => Message::Unsuback { message_id },
    })
}

fn with_return_code() -> impl Strategy<Value = Message<'static>> {
    (0..3, return_code()).prop_map(|(kind, return_code)| match kind {
        0 => Message::Connack { return_code },
        1 => Message::WillTopicResp { return_code },
        _ => Message::WillMsgResp { return_code },
    })
}

fn message() -> impl Strategy<Value = Message<'static>> {
    let register = (any::<u16>(), any::<u16>(), text()).prop_map(|(topic_id, message_id, topic)| {
        Message::Register(Register { topic_id, message_id, topic })
    });
    let encapsulated =
        (0..4u8, vec(any::<u8>(), 0..9), vec(any::<u8>(), 1..300)).prop_map(|(radius, node_id, message)| {
            let (node_id, message) = (leak(node_id.into_boxed_slice()), leak(message.into_boxed_slice()));
            Message::Encapsulated(Encapsulated { radius, node_id, message })
        });
    prop_oneof![
        discovery(),
        connect(),
        with_return_code(),
        Just(Message::WillTopicReq),
        Just(Message::WillMsgReq),
        Just(Message::Pingresp),
        will_topic().prop_map(Message::WillTopic),
        will_topic().prop_map(Message::WillTopicUpd),
        bytes().prop_map(|payload| Message::WillMsg { payload }),
        bytes().prop_map(|payload| Message::WillMsgUpd { payload }),
        register,
        ack().prop_map(Message::Regack),
        ack().prop_map(Message::Puback),
        publish(),
        with_message_id(),
        subscription(),
        proptest::option::of(text()).prop_map(|client_id| Message::Pingreq { client_id }),
        proptest::option::of(any::<u16>()).prop_map(|duration| Message::Disconnect { duration }),
        encapsulated,
    ]
}

fn encoded(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn a_message_decodes_as_it_was_encoded(message in message()) {
        let bytes = encoded(&message);
        prop_assert_eq!(Message::decode(&bytes), Ok(message));
    }

    #[test]
    fn the_long_form_of_the_length_is_accepted_for_short_messages(message in message()) {
        let short = encoded(&message);
        if short[0] == 1 {
            return Ok(());
        }
        let length = u16::from(short[0]) + 2;
        let long = [&[1][..], &length.to_be_bytes(), &short[1..]].concat();
        prop_assert_eq!(Message::decode(&long), Ok(message));
    }

    #[test]
    fn a_datagram_shorter_than_its_length_is_an_error(message in message(), cut in 1..300usize) {
        let bytes = encoded(&message);
        // Its length ends before the message inside.
        if matches!(message, Message::Encapsulated(_)) {
            return Ok(());
        }
        let kept = bytes.len().saturating_sub(cut);
        prop_assert!(Message::decode(&bytes[..kept]).is_err());
    }

    #[test]
    fn a_damaged_datagram_is_decoded_or_rejected(
        message in message(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encoded(&message);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        check(&bytes);
    }

    #[test]
    fn any_bytes_are_decoded_or_rejected(bytes in vec(any::<u8>(), 0..80)) {
        check(&bytes);
    }
}

/// A decoded message has an encoding that means the same; an error is about a place in the datagram.
fn check(bytes: &[u8]) {
    match Message::decode(bytes) {
        Ok(message) => assert_eq!(Message::decode(&encoded(&message)), Ok(message)),
        Err(error) => assert!(error.offset <= bytes.len(), "{error}"),
    }
}

/// The message in hexadecimal digits.
fn decode(octets: &str) -> Result<Message<'static>, DecodeError> {
    let bytes = hex(octets);
    Message::decode(leak(bytes.into_boxed_slice()))
}

fn hex(text: &str) -> Vec<u8> {
    text.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn the_octets_are_those_of_the_specification_and_of_other_programs() {
    let connect = Connect { has_will: false, is_clean: true, duration: 30, client_id: "c1" };
    let publish = Publish {
        dup: true,
        qos: PublishQos::Connected(Qos::AtLeastOnce),
        retain: false,
        topic: TopicId::Normal(7),
        message_id: 0x4d,
        payload: b"S",
    };
    for (octets, message) in [
        ("08 04 04 01 00 1e 63 31", Message::Connect(connect)),
        ("03 05 00", Message::Connack { return_code: ReturnCode::ACCEPTED }),
        ("05 00 01 00 14", Message::Advertise { gateway_id: 1, duration: 20 }),
        ("03 02 01", Message::GwInfo { gateway_id: 1, address: b"" }),
        ("02 06", Message::WillTopicReq),
        ("02 07", Message::WillTopic(None)),
        (
            "05 07 50 77 74",
            Message::WillTopic(Some(WillTopic { qos: Qos::ExactlyOnce, retain: true, topic: "wt" })),
        ),
        ("08 0c a0 00 07 00 4d 53", Message::Publish(publish)),
        (
            "08 0c 62 61 62 00 00 53",
            Message::Publish(Publish {
                dup: false,
                qos: PublishQos::MinusOne,
                topic: TopicId::Short(ShortName(*b"ab")),
                message_id: 0,
                ..publish
            }),
        ),
        (
            "07 0d 00 4d 00 07 02",
            Message::Puback(Regack {
                topic_id: 0x4d,
                message_id: 7,
                return_code: ReturnCode::INVALID_TOPIC_ID,
            }),
        ),
        (
            "08 13 40 00 00 00 1f 00",
            Message::Suback(Suback {
                qos: Qos::ExactlyOnce,
                topic_id: 0,
                message_id: 31,
                return_code: ReturnCode::ACCEPTED,
            }),
        ),
        ("04 0e 00 01", Message::Pubcomp { message_id: 1 }),
        ("04 0f 00 01", Message::Pubrec { message_id: 1 }),
        ("04 10 00 01", Message::Pubrel { message_id: 1 }),
        ("04 16 63 31", Message::Pingreq { client_id: Some("c1") }),
        ("04 18 00 14", Message::Disconnect { duration: Some(20) }),
        (
            "05 fe 01 00 07 03 05 00",
            Message::Encapsulated(Encapsulated { radius: 1, node_id: &[0, 7], message: &[3, 5, 0] }),
        ),
    ] {
        assert_eq!(decode(octets), Ok(message), "{octets}");
        assert_eq!(encoded(&message), hex(octets), "{message:?}");
    }
}

#[test]
fn errors_name_the_place_and_the_reason() {
    for (octets, text) in [
        ("02", "malformed message: truncated header at byte 1"),
        ("01 00 05", "malformed message: truncated header at byte 3"),
        ("02 03", "malformed message: reserved message type 0x03 at byte 1"),
        ("01 00 04 11", "malformed message: reserved message type 0x11 at byte 3"),
        ("05 05 00", "malformed CONNACK: length 5 exceeds the datagram's 3 bytes at byte 0"),
        ("00 17", "malformed PINGRESP: length 0 is shorter than the header at byte 0"),
        ("02 05", "malformed CONNACK: truncated return code at byte 2"),
        ("03 17 00", "malformed PINGRESP: 1 trailing byte at byte 2"),
        ("07 04 04 02 00 1e 63", "malformed CONNECT: unsupported protocol id 2 at byte 3"),
        ("06 04 04 01 00 1e", "malformed CONNECT: empty client identifier at byte 6"),
        ("07 04 04 01 00 1e ff", "malformed CONNECT: client identifier is not valid UTF-8 at byte 6"),
        ("07 0a 00 00 00 01 00", "malformed REGISTER: topic name contains a null character at byte 6"),
        ("06 0a 00 00 00 01", "malformed REGISTER: empty topic name at byte 6"),
        ("07 0c 03 00 01 00 01", "malformed PUBLISH: reserved topic id type 3 at byte 2"),
        ("06 12 60 00 01 61", "malformed SUBSCRIBE: QoS -1 outside PUBLISH at byte 2"),
        ("05 fe 01 00 07", "malformed ENCAPSULATED: empty message at byte 5"),
    ] {
        assert_eq!(decode(octets).unwrap_err().to_string(), text, "{octets}");
    }
    assert_eq!(Message::decode(b"").unwrap_err().to_string(), "malformed message: empty datagram at byte 0");
}

#[test]
fn a_length_that_is_too_small_does_not_shorten_the_message() {
    // Paho's gateway does not count the two octets that the long form adds.
    let mut bytes = vec![1, 0, 0xff, 0x0c, 0, 0, 1, 0, 0];
    bytes.resize(257, b'x');
    let frame = Frame::cut(&bytes).unwrap();
    let Ok(Message::Publish(publish)) = Message::read(frame) else { panic!("it is a PUBLISH") };
    assert_eq!(publish.payload.len(), 248);
}

#[test]
fn the_form_of_the_length_depends_on_the_size() {
    for (payload, start) in [(253, &[255, 9][..]), (254, &[1, 1, 2, 9]), (65_531, &[1, 0xff, 0xff, 9])] {
        let payload = vec![0; payload];
        let bytes = encoded(&Message::WillMsg { payload: &payload });
        assert_eq!(&bytes[..start.len()], start);
    }
    let payload = vec![0; 65_532];
    let mut bytes = Vec::new();
    let error = Message::WillMsg { payload: &payload }.encode(&mut bytes).unwrap_err();
    assert_eq!(error, EncodeError::MessageTooLarge { size: 65_536 });
    assert_eq!(bytes, b"");
}
