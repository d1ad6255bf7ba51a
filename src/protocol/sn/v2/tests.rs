//! Invariants of every packet: it decodes as it was encoded, and no bytes make the decoder panic. Also the octets of packets, and
//! a damaged datagram for each kind of error.

use super::encapsulation::Counter;
use super::*;
use crate::protocol::sn::EncodeError;
use crate::protocol::{PacketId, Qos, RetainHandling, SubscriptionOptions};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Generated packets borrow from leaked memory, which a test can afford.
fn leak<T: ?Sized>(value: Box<T>) -> &'static T {
    Box::leak(value)
}

fn text() -> impl Strategy<Value = &'static str> {
    "[a-zA-Z0-9 é漢/]{1,30}".prop_map(|text| leak(text.into_boxed_str()))
}

fn text_or_nothing() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), text()]
}

/// Lengths on both sides of the limit of the short form.
fn bytes() -> impl Strategy<Value = &'static [u8]> {
    prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 230..260), vec(any::<u8>(), 60_000..60_010)]
        .prop_map(|bytes| leak(bytes.into_boxed_slice()))
}

fn short_bytes() -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..255).prop_map(|bytes| leak(bytes.into_boxed_slice()))
}

fn qos() -> impl Strategy<Value = Qos> {
    prop_oneof![Just(Qos::AtMostOnce), Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)]
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|value| PacketId::new(value).unwrap())
}

fn reason() -> impl Strategy<Value = Reason> {
    any::<u8>().prop_map(Reason)
}

fn alias() -> impl Strategy<Value = TopicAlias> {
    prop_oneof![any::<u16>().prop_map(TopicAlias::Session), any::<u16>().prop_map(TopicAlias::Predefined)]
}

fn topic() -> impl Strategy<Value = Topic<'static>> {
    prop_oneof![alias().prop_map(Topic::Alias), text().prop_map(Topic::Name)]
}

fn options() -> impl Strategy<Value = SubscriptionOptions> {
    let handling =
        prop_oneof![Just(RetainHandling::Always), Just(RetainHandling::New), Just(RetainHandling::Never)];
    (qos(), any::<bool>(), any::<bool>(), handling).prop_map(
        |(maximum_qos, no_local, retain_as_published, retain_handling)| SubscriptionOptions {
            maximum_qos,
            no_local,
            retain_as_published,
            retain_handling,
        },
    )
}

fn will() -> impl Strategy<Value = Will<'static>> {
    (qos(), any::<bool>(), topic(), short_bytes()).prop_map(|(qos, retain, topic, payload)| Will {
        qos,
        retain,
        topic,
        payload,
    })
}

fn authentication() -> impl Strategy<Value = Authentication<'static>> {
    (text_or_nothing(), short_bytes()).prop_map(|(method, data)| Authentication { method, data })
}

fn connect() -> impl Strategy<Value = Packet<'static>> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let numbers =
        (packet_id(), any::<u16>(), any::<u16>(), option::of(any::<u8>()), option::of(any::<u32>()));
    (flags, numbers, option::of(will()), option::of(authentication()), text_or_nothing()).prop_map(
        |(
            (clean_start, has_changing_address, accepts_suggestions),
            (packet_id, keep_alive, maximum_packet_size, default_awake_messages, session_expiry),
            will,
            authentication,
            client_id,
        )| {
            Packet::Connect(Connect {
                clean_start,
                has_changing_address,
                accepts_suggestions,
                packet_id,
                keep_alive,
                maximum_packet_size,
                default_awake_messages,
                session_expiry,
                will,
                authentication,
                client_id,
            })
        },
    )
}

fn connack() -> impl Strategy<Value = Packet<'static>> {
    let numbers = (packet_id(), reason(), option::of(any::<u32>()), option::of(any::<u16>()));
    (any::<bool>(), numbers, option::of(authentication()), text_or_nothing()).prop_map(
        |(session_present, (packet_id, reason, session_expiry, server_keep_alive), authentication, id)| {
            Packet::Connack(Connack {
                session_present,
                packet_id,
                reason,
                session_expiry,
                server_keep_alive,
                authentication,
                assigned_client_id: id,
            })
        },
    )
}

fn other_connection() -> impl Strategy<Value = Packet<'static>> {
    let disconnect =
        (option::of(packet_id()), option::of(any::<u32>()), option::of(reason()), text_or_nothing())
            .prop_map(|(packet_id, session_expiry, reason, reason_text)| {
                Packet::Disconnect(Disconnect { packet_id, session_expiry, reason, reason_text })
            });
    let auth =
        (packet_id(), reason(), text_or_nothing(), bytes()).prop_map(|(packet_id, reason, method, data)| {
            Packet::Auth(Auth { packet_id, reason, authentication: Authentication { method, data } })
        });
    prop_oneof![disconnect, auth]
}

fn ack() -> impl Strategy<Value = Packet<'static>> {
    let ack = (packet_id(), reason()).prop_map(|(packet_id, reason)| Ack { packet_id, reason });
    (0..5, ack).prop_map(|(kind, ack)| match kind {
        0 => Packet::Puback(ack),
        1 => Packet::Pubrec(ack),
        2 => Packet::Pubrel(ack),
        3 => Packet::Pubcomp(ack),
        _ => Packet::Unsuback(ack),
    })
}

fn publish() -> impl Strategy<Value = Packet<'static>> {
    let publish = (any::<bool>(), any::<bool>(), qos(), packet_id(), topic(), bytes()).prop_map(
        |(dup, retain, qos, packet_id, topic, payload)| {
            let delivery = Delivery::new(qos, Some(packet_id)).unwrap();
            Packet::Publish(Publish { dup, retain, delivery, topic, payload })
        },
    );
    let of_pubwos = prop_oneof![
        any::<u16>().prop_map(|alias| Topic::Alias(TopicAlias::Predefined(alias))),
        text().prop_map(Topic::Name)
    ];
    let pubwos = (any::<bool>(), of_pubwos, bytes())
        .prop_map(|(retain, topic, payload)| Packet::Pubwos(Pubwos { retain, topic, payload }));
    prop_oneof![publish, pubwos]
}

fn topics() -> impl Strategy<Value = Packet<'static>> {
    let topic_ack = || {
        (packet_id(), option::of(alias()), reason()).prop_map(|(packet_id, alias, reason)| TopicAck {
            packet_id,
            alias,
            reason,
        })
    };
    prop_oneof![
        (packet_id(), options(), topic()).prop_map(|(packet_id, options, topic)| Packet::Subscribe(
            Subscribe { packet_id, options, topic }
        )),
        topic_ack().prop_map(Packet::Suback),
        (packet_id(), topic())
            .prop_map(|(packet_id, topic)| Packet::Unsubscribe(Unsubscribe { packet_id, topic })),
        (packet_id(), option::of(any::<u16>()), text())
            .prop_map(|(packet_id, alias, topic)| Packet::Register(Register { packet_id, alias, topic })),
        topic_ack().prop_map(Packet::Regack),
    ]
}

fn sleep() -> impl Strategy<Value = Packet<'static>> {
    prop_oneof![
        packet_id().prop_map(|packet_id| Packet::Pingreq { packet_id }),
        (packet_id(), option::of(any::<u8>()))
            .prop_map(|(packet_id, remaining)| Packet::Pingresp { packet_id, remaining }),
        (packet_id(), any::<u32>(), any::<bool>()).prop_map(|(packet_id, duration, retains_aliases)| {
            Packet::Sleepreq { packet_id, duration, retains_aliases }
        }),
        (packet_id(), option::of(any::<u32>()), reason())
            .prop_map(|(packet_id, duration, reason)| Packet::Sleepresp { packet_id, duration, reason }),
        Just(Packet::Wakeup),
    ]
}

fn discovery() -> impl Strategy<Value = Packet<'static>> {
    prop_oneof![
        (any::<u8>(), any::<u16>())
            .prop_map(|(gateway_id, duration)| Packet::Advertise { gateway_id, duration }),
        bytes().prop_map(|information| Packet::SearchGw { information }),
        (any::<u8>(), bytes()).prop_map(|(gateway_id, address)| Packet::GwInfo { gateway_id, address }),
    ]
}

/// A packet that every encapsulation may contain.
fn inner() -> impl Strategy<Value = &'static [u8]> {
    packet_id().prop_map(|packet_id| leak(encoded(&Packet::Pingreq { packet_id }).into_boxed_slice()))
}

fn protection() -> impl Strategy<Value = Packet<'static>> {
    let material = prop_oneof![Just(0usize), Just(2), Just(4), Just(12)];
    let counter = prop_oneof![
        Just(None),
        any::<u16>().prop_map(|value| Some(Counter::Two(value))),
        any::<u32>().prop_map(|value| Some(Counter::Four(value))),
    ];
    let scheme = prop_oneof![Just((0x00, 1, 32)), Just((0x00, 4, 8)), Just((0x46, 1, 16))];
    (scheme, any::<[u8; 8]>(), any::<[u8; 4]>(), material, counter, inner()).prop_map(
        |((scheme, tag_bits, tag), sender, random, material, counter, packet)| {
            let material = leak(vec![7; material].into_boxed_slice());
            let tag = leak(vec![9; tag].into_boxed_slice());
            let header = &[];
            let protection =
                Protection { scheme, tag_bits, sender, random, material, counter, packet, tag, header };
            Packet::Protection(protection)
        },
    )
}

fn encapsulation() -> impl Strategy<Value = Packet<'static>> {
    prop_oneof![
        (short_bytes(), inner())
            .prop_map(|(address, packet)| Packet::Forwarder(Forwarder { address, packet })),
        (text_or_nothing(), inner())
            .prop_map(|(client_id, packet)| Packet::Connection(Connection { client_id, packet })),
        protection(),
    ]
}

fn packet() -> impl Strategy<Value = Packet<'static>> {
    prop_oneof![
        connect(),
        connack(),
        other_connection(),
        ack(),
        publish(),
        topics(),
        sleep(),
        discovery(),
        encapsulation(),
    ]
}

fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).unwrap();
    bytes
}

/// The packet as the sender made it: without the header that the receiver of a protected packet needs.
fn without_header(packet: Packet<'_>) -> Packet<'_> {
    match packet {
        Packet::Protection(protection) => Packet::Protection(Protection { header: &[], ..protection }),
        packet => packet,
    }
}

fn decoded(bytes: &[u8]) -> Result<Packet<'_>, DecodeError> {
    Packet::decode(bytes).map(without_header)
}

proptest! {
    #[test]
    fn a_packet_decodes_as_it_was_encoded(packet in packet()) {
        let bytes = encoded(&packet);
        prop_assert_eq!(decoded(&bytes), Ok(packet));
    }

    #[test]
    fn the_long_form_of_the_length_is_accepted_for_short_packets(packet in packet()) {
        let short = encoded(&packet);
        if short[0] == 1 {
            return Ok(());
        }
        let length = u16::from(short[0]) + 2;
        let long = [&[1][..], &length.to_be_bytes(), &short[1..]].concat();
        prop_assert_eq!(decoded(&long), Ok(packet));
    }

    #[test]
    fn a_datagram_of_another_length_is_an_error(packet in packet(), cut in 1..300usize) {
        let mut bytes = encoded(&packet);
        let kept = bytes.len().saturating_sub(cut);
        prop_assert!(Packet::decode(&bytes[..kept]).is_err());
        bytes.push(0);
        prop_assert!(Packet::decode(&bytes).is_err());
    }

    #[test]
    fn a_damaged_datagram_is_decoded_or_rejected(
        packet in packet(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encoded(&packet);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        check(&bytes);
    }

    #[test]
    fn any_bytes_are_decoded_or_rejected(mut bytes in vec(any::<u8>(), 2..80)) {
        check(&bytes);
        bytes[0] = u8::try_from(bytes.len()).unwrap();
        check(&bytes);
    }
}

/// A decoded packet has an encoding that means the same; an error is about a place in the datagram.
fn check(bytes: &[u8]) {
    match decoded(bytes) {
        Ok(packet) => {
            let mut again = Vec::new();
            // Truncated tags of other lengths than the nominal one have several forms.
            packet.encode(&mut again).unwrap();
            assert_eq!(decoded(&again), Ok(packet));
        }
        Err(error) => assert!(error.offset <= bytes.len(), "{error}"),
    }
}

/// The packet in hexadecimal digits.
fn decode(octets: &str) -> Result<Packet<'static>, DecodeError> {
    Packet::decode(leak(hex(octets).into_boxed_slice()))
}

fn hex(text: &str) -> Vec<u8> {
    text.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

#[test]
fn the_octets_are_those_of_the_specification() {
    let connect = Connect {
        clean_start: true,
        has_changing_address: false,
        accepts_suggestions: false,
        packet_id: id(1),
        keep_alive: 30,
        maximum_packet_size: 0,
        default_awake_messages: None,
        session_expiry: None,
        will: None,
        authentication: None,
        client_id: "c1",
    };
    let will = Will { qos: Qos::AtLeastOnce, retain: true, topic: Topic::Name("w"), payload: b"x" };
    let full = Connect { session_expiry: Some(60), will: Some(will), ..connect };
    let publish = Publish {
        dup: true,
        retain: false,
        delivery: Delivery::ExactlyOnce(id(7)),
        topic: Topic::Alias(TopicAlias::Session(5)),
        payload: b"S",
    };
    for (octets, packet) in [
        ("0c 01 01 00 01 02 00 1e 00 00 63 31", Packet::Connect(connect)),
        ("17 01 0b 17 00 01 02 00 1e 00 00 00 00 00 3c 00 01 77 00 01 78 63 31", Packet::Connect(full)),
        (
            "06 02 00 00 01 00",
            Packet::Connack(Connack {
                session_present: false,
                packet_id: id(1),
                reason: Reason::SUCCESS,
                session_expiry: None,
                server_keep_alive: None,
                authentication: None,
                assigned_client_id: "",
            }),
        ),
        ("08 03 c0 00 07 00 05 53", Packet::Publish(publish)),
        (
            "08 03 03 00 01 61 68 69",
            Packet::Publish(Publish {
                dup: false,
                delivery: Delivery::AtMostOnce,
                topic: Topic::Name("a"),
                payload: b"hi",
                ..publish
            }),
        ),
        ("04 04 00 07", Packet::Puback(Ack::success(id(7)))),
        ("05 05 00 07 f0", Packet::Pubrec(Ack { packet_id: id(7), reason: Reason::UNKNOWN_TOPIC_ALIAS })),
        (
            "06 08 23 00 07 61",
            Packet::Subscribe(Subscribe {
                packet_id: id(7),
                options: SubscriptionOptions {
                    maximum_qos: Qos::AtLeastOnce,
                    ..SubscriptionOptions::default()
                },
                topic: Topic::Name("a"),
            }),
        ),
        (
            "08 09 04 00 07 00 05 01",
            Packet::Suback(TopicAck {
                packet_id: id(7),
                alias: Some(TopicAlias::Session(5)),
                reason: Reason(1),
            }),
        ),
        (
            "07 0a 01 00 07 00 05",
            Packet::Unsubscribe(Unsubscribe {
                packet_id: id(7),
                topic: Topic::Alias(TopicAlias::Predefined(5)),
            }),
        ),
        ("04 0c 00 07", Packet::Pingreq { packet_id: id(7) }),
        ("05 0d 00 07 02", Packet::Pingresp { packet_id: id(7), remaining: Some(2) }),
        ("03 0e 00", Packet::Disconnect(Disconnect::default())),
        (
            "04 0e 04 8e",
            Packet::Disconnect(Disconnect {
                reason: Some(Reason::SESSION_TAKEN_OVER),
                ..Disconnect::default()
            }),
        ),
        ("06 10 00 00 07 61", Packet::Register(Register { packet_id: id(7), alias: None, topic: "a" })),
        (
            "07 12 01 00 05 68 69",
            Packet::Pubwos(Pubwos {
                retain: false,
                topic: Topic::Alias(TopicAlias::Predefined(5)),
                payload: b"hi",
            }),
        ),
        (
            "09 13 01 00 07 00 00 00 3c",
            Packet::Sleepreq { packet_id: id(7), duration: 60, retains_aliases: true },
        ),
        ("05 14 00 00 07", Packet::Sleepresp { packet_id: id(7), duration: None, reason: Reason::SUCCESS }),
        ("02 15", Packet::Wakeup),
        ("02 17", Packet::SearchGw { information: b"" }),
        ("03 18 01", Packet::GwInfo { gateway_id: 1, address: b"" }),
        ("08 fc 01 09 04 0c 00 07", Packet::Forwarder(Forwarder { address: &[9], packet: &[4, 0x0c, 0, 7] })),
        (
            "09 fe 00 01 63 04 0c 00 07",
            Packet::Connection(Connection { client_id: "c", packet: &[4, 0x0c, 0, 7] }),
        ),
    ] {
        assert_eq!(decode(octets), Ok(packet), "{octets}");
        assert_eq!(encoded(&packet), hex(octets), "{packet:?}");
    }
}

#[test]
fn errors_name_the_place_and_the_reason() {
    for (octets, text) in [
        ("02", "malformed message: truncated header at byte 1"),
        ("02 19", "malformed message: reserved message type 0x19 at byte 1"),
        ("05 04 00", "malformed PUBACK: length 5 exceeds the datagram's 3 bytes at byte 0"),
        ("01 0d", "malformed message: truncated header at byte 2"),
        ("00 15", "malformed WAKEUP: length 0 is shorter than the header at byte 0"),
        ("02 15 00", "malformed WAKEUP: 1 trailing byte at byte 2"),
        ("03 15 00", "malformed WAKEUP: 1 trailing byte at byte 2"),
        ("0a 01 80 00 01 02 00 1e 00 00", "malformed CONNECT: reserved bits in the flags 0x80 at byte 2"),
        ("0a 01 00 00 01 03 00 1e 00 00", "malformed CONNECT: unsupported protocol version 3 at byte 5"),
        ("0a 01 00 00 00 02 00 1e 00 00", "malformed CONNECT: packet identifier 0 at byte 3"),
        ("0f 01 02 0c 00 01 02 00 1e 00 00 00 01 77 00", "malformed CONNECT: invalid QoS 3 at byte 3"),
        ("06 03 60 00 01 61", "malformed PUBLISH: invalid QoS 3 at byte 2"),
        ("06 03 02 00 01 61", "malformed PUBLISH: topic type 2 is not allowed at byte 2"),
        ("06 03 08 00 01 61", "malformed PUBLISH: reserved bits in the flags 0x08 at byte 2"),
        ("05 03 03 00 00", "malformed PUBLISH: empty topic name at byte 3"),
        ("06 03 03 00 02 61", "malformed PUBLISH: truncated topic name at byte 5"),
        ("06 03 03 00 01 ff", "malformed PUBLISH: topic name is not valid UTF-8 at byte 5"),
        ("06 03 03 00 01 00", "malformed PUBLISH: topic name contains a null character at byte 5"),
        ("06 08 0f 00 07 61", "malformed SUBSCRIBE: invalid retain handling 3 at byte 2"),
        ("05 08 03 00 07", "malformed SUBSCRIBE: empty topic filter at byte 5"),
        ("05 12 00 00 05", "malformed PUBWOS: topic type 0 is not allowed at byte 2"),
        ("07 11 07 00 07 00 05", "malformed REGACK: topic type 3 is not allowed at byte 2"),
        ("04 14 00 00", "malformed SLEEPRESP: truncated packet identifier at byte 3"),
        ("06 fc 00 02 fc 00", "malformed FORWARDER: packet type 0xfc is not allowed inside it at byte 4"),
        ("07 fe 00 01 63 02 15", "malformed CONNECTION: packet type 0x15 is not allowed inside it at byte 6"),
        ("05 fe 00 01 63", "malformed CONNECTION: truncated packet at byte 5"),
        (
            "10 ff 20 00 00 00 00 00 00 00 00 00 00 00 00 00",
            "malformed PROTECTION: unknown tag length of protection scheme 0x00 at byte 2",
        ),
        (
            "10 ff 13 00 00 00 00 00 00 00 00 00 00 00 00 00",
            "malformed PROTECTION: reserved bits in the flags 0x13 at byte 2",
        ),
        (
            "10 ff 10 00 00 00 00 00 00 00 00 00 00 00 00 00",
            "malformed PROTECTION: truncated packet at byte 16",
        ),
    ] {
        assert_eq!(decode(octets).unwrap_err().to_string(), text, "{octets}");
    }
    assert_eq!(Packet::decode(b"").unwrap_err().to_string(), "malformed message: empty datagram at byte 0");
}

#[test]
fn a_field_that_is_too_long_is_not_encoded() {
    let (name, payload) = ("x".repeat(65_536), vec![0; 65_532]);
    let topic = Topic::Name(&name);
    let too_long = Packet::Pubwos(Pubwos { retain: false, topic, payload: b"" });
    let topic = Topic::Alias(TopicAlias::Predefined(1));
    let too_large = Packet::Pubwos(Pubwos { retain: false, topic, payload: &payload });
    let mut bytes = Vec::new();
    let error = too_long.encode(&mut bytes).unwrap_err();
    assert_eq!(error.to_string(), "topic name of 65536 bytes cannot be encoded");
    let error = too_large.encode(&mut bytes).unwrap_err();
    assert_eq!(error, EncodeError::MessageTooLarge { size: 65_539 });
    assert_eq!(bytes, b"");
}
