//! Invariants of every packet: it decodes as it was encoded, a truncated one is incomplete, and no bytes make the decoder panic
//! or read past the end. Also a malformed packet for each kind of error.

use super::property::Context;
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// Generated packets borrow from leaked memory, which a test can afford.
fn leak<T: ?Sized>(value: Box<T>) -> &'static T {
    Box::leak(value)
}

fn text() -> impl Strategy<Value = &'static str> {
    "[a-zA-Z0-9 é漢/]{0,20}".prop_map(|text| leak(text.into_boxed_str()))
}

fn topic_name() -> impl Strategy<Value = &'static str> {
    "[a-z/$é]{1,30}".prop_map(|text| leak(text.into_boxed_str()))
}

fn filter() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("#"),
        Just("+/a/#"),
        Just("$share/group/a/+"),
        Just("$queue/a"),
        "[a-z]{1,9}(/\\+|/[a-z]{0,5}){0,3}".prop_map(|text| leak(text.into_boxed_str())),
    ]
}

fn bytes() -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..300).prop_map(|bytes| leak(bytes.into_boxed_slice()))
}

fn qos() -> impl Strategy<Value = Qos> {
    prop_oneof![Just(Qos::AtMostOnce), Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)]
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V31), Just(Version::V311), Just(Version::V5)]
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|value| PacketId::new(value).unwrap())
}

fn property(id: PropertyId) -> BoxedStrategy<PropertyValue<'static>> {
    use super::property::Encoding;
    let least = id.least();
    match id.encoding() {
        Encoding::Flag => (0..=1u32).prop_map(PropertyValue::Number).boxed(),
        Encoding::TwoByteInteger => (least..=65_535).prop_map(PropertyValue::Number).boxed(),
        Encoding::FourByteInteger => (least..=u32::MAX).prop_map(PropertyValue::Number).boxed(),
        Encoding::VariableByteInteger => (least..=268_435_455).prop_map(PropertyValue::Number).boxed(),
        Encoding::Utf8String if id == PropertyId::ResponseTopic => {
            topic_name().prop_map(PropertyValue::Text).boxed()
        }
        Encoding::Utf8String => text().prop_map(PropertyValue::Text).boxed(),
        Encoding::BinaryData => bytes().prop_map(PropertyValue::Binary).boxed(),
        Encoding::Utf8StringPair => {
            (text(), text()).prop_map(|(name, value)| PropertyValue::Pair(name, value)).boxed()
        }
    }
}

/// Any list of properties that the packet may contain.
fn properties(context: Context, version: Version) -> BoxedStrategy<Properties<'static>> {
    if !version.is_v5() {
        return Just(Properties::EMPTY).boxed();
    }
    let allowed: Vec<PropertyId> = PropertyId::ALL.into_iter().filter(|id| id.belongs_in(context)).collect();
    let ids = proptest::sample::subsequence(allowed.clone(), 0..=allowed.len());
    ids.prop_flat_map(|ids| {
        ids.into_iter().map(|id| property(id).prop_map(move |value| (id, value))).collect::<Vec<_>>()
    })
    .prop_map(|chosen| {
        let has_method = chosen.iter().any(|(id, _)| *id == PropertyId::AuthenticationMethod);
        let mut list = PropertiesBuf::new();
        for (id, value) in chosen {
            if id != PropertyId::AuthenticationData || has_method {
                list.push(id, value).unwrap();
            }
        }
        Box::leak(Box::new(list)).as_properties()
    })
    .boxed()
}

fn reason_code(context: Context, version: Version) -> BoxedStrategy<ReasonCode> {
    let codes: Vec<ReasonCode> = match (version, context) {
        (Version::V5, _) => ReasonCode::ALL.into_iter().filter(|code| code.belongs_in(context)).collect(),
        (_, Context::Suback) => [0, 1, 2, 0x80].into_iter().map(ReasonCode).collect(),
        (_, Context::Connack) => (0..=5).filter_map(ReasonCode::from_v3_connack).collect(),
        _ => vec![ReasonCode::SUCCESS],
    };
    proptest::sample::select(codes).boxed()
}

fn ack(context: Context, version: Version) -> impl Strategy<Value = Ack<'static>> {
    (packet_id(), reason_code(context, version), properties(context, version))
        .prop_map(|(packet_id, reason_code, properties)| Ack { packet_id, reason_code, properties })
}

fn connect(version: Version) -> BoxedStrategy<Packet<'static>> {
    let will = (topic_name(), bytes(), qos(), any::<bool>(), properties(Context::Will, version)).prop_map(
        |(topic, payload, qos, retain, properties)| Will { topic, payload, qos, retain, properties },
    );
    let credentials = (proptest::option::of(text()), proptest::option::of(bytes()));
    let head = (any::<bool>(), any::<bool>(), any::<u16>(), text());
    (head, proptest::option::of(will), credentials, properties(Context::Connect, version))
        .prop_map(move |(head, will, (username, password), properties)| {
            let (is_bridge, clean_start, keep_alive, client_id) = head;
            let password = password.filter(|_| username.is_some() || version.is_v5());
            Packet::Connect(Connect {
                version,
                is_bridge,
                clean_start,
                keep_alive,
                client_id,
                will,
                username,
                password,
                properties,
            })
        })
        .boxed()
}

fn publish(version: Version) -> BoxedStrategy<Packet<'static>> {
    (
        any::<bool>(),
        qos(),
        any::<bool>(),
        topic_name(),
        packet_id(),
        properties(Context::Publish, version),
        bytes(),
    )
        .prop_map(|(dup, qos, retain, topic, packet_id, properties, payload)| {
            let has_ack = qos != Qos::AtMostOnce;
            let packet_id = has_ack.then_some(packet_id);
            Packet::Publish(Publish {
                dup: dup && has_ack,
                qos,
                retain,
                topic,
                packet_id,
                properties,
                payload,
            })
        })
        .boxed()
}

fn subscription(version: Version) -> impl Strategy<Value = Subscription<'static>> {
    let handling =
        prop_oneof![Just(RetainHandling::Always), Just(RetainHandling::New), Just(RetainHandling::Never)];
    (filter(), qos(), any::<bool>(), any::<bool>(), handling).prop_map(
        move |(filter, maximum_qos, no_local, retain_as_published, retain_handling)| {
            let options = SubscriptionOptions { maximum_qos, no_local, retain_as_published, retain_handling };
            let is_shared = filter.starts_with("$share") || filter.starts_with("$queue");
            let options = match version {
                Version::V5 => SubscriptionOptions { no_local: no_local && !is_shared, ..options },
                _ => SubscriptionOptions { maximum_qos, ..SubscriptionOptions::default() },
            };
            Subscription { filter, options }
        },
    )
}

fn subscription_ack(context: Context, version: Version) -> BoxedStrategy<SubscriptionAck<'static>> {
    let has_codes = context == Context::Suback || version.is_v5();
    let count = if has_codes { 1..9 } else { 0..1 };
    let codes = vec(reason_code(context, version).prop_map(|code| code.0), count);
    (packet_id(), properties(context, version), codes)
        .prop_map(|(packet_id, properties, codes)| {
            SubscriptionAck::new(packet_id, properties, leak(codes.into_boxed_slice()))
        })
        .boxed()
}

fn packet() -> impl Strategy<Value = (Version, Packet<'static>)> {
    version().prop_flat_map(|version| (Just(version), packet_of(version)))
}

fn packet_of(version: Version) -> BoxedStrategy<Packet<'static>> {
    let connack =
        (any::<bool>(), reason_code(Context::Connack, version), properties(Context::Connack, version))
            .prop_filter("a v5 refusal of two bytes reads as one of v3", |(_, reason, _)| {
                reason.0 > 5 || reason.0 == 0
            })
            .prop_map(move |(present, reason_code, properties)| {
                let session_present =
                    present && reason_code == ReasonCode::SUCCESS && version != Version::V31;
                Packet::Connack(Connack { session_present, reason_code, properties })
            });
    let subscribe = (packet_id(), properties(Context::Subscribe, version), vec(subscription(version), 1..5))
        .prop_map(|(packet_id, properties, subscriptions)| {
            Packet::Subscribe(Subscribe { packet_id, properties, subscriptions })
        });
    let unsubscribe = (packet_id(), properties(Context::Unsubscribe, version), vec(filter(), 1..5)).prop_map(
        |(packet_id, properties, filters)| {
            Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters })
        },
    );
    let disconnect = (reason_code(Context::Disconnect, version), properties(Context::Disconnect, version))
        .prop_map(|(reason_code, properties)| Packet::Disconnect(Disconnect { reason_code, properties }));
    let mut kinds = vec![
        connect(version),
        connack.boxed(),
        publish(version),
        ack(Context::Puback, version).prop_map(Packet::Puback).boxed(),
        ack(Context::Pubrec, version).prop_map(Packet::Pubrec).boxed(),
        ack(Context::Pubrel, version).prop_map(Packet::Pubrel).boxed(),
        ack(Context::Pubcomp, version).prop_map(Packet::Pubcomp).boxed(),
        subscribe.boxed(),
        subscription_ack(Context::Suback, version).prop_map(Packet::Suback).boxed(),
        unsubscribe.boxed(),
        subscription_ack(Context::Unsuback, version).prop_map(Packet::Unsuback).boxed(),
        Just(Packet::Pingreq).boxed(),
        Just(Packet::Pingresp).boxed(),
        disconnect.boxed(),
    ];
    if version.is_v5() {
        let auth = (reason_code(Context::Auth, version), properties(Context::Auth, version))
            .prop_map(|(reason_code, properties)| Packet::Auth(Auth { reason_code, properties }));
        kinds.push(auth.boxed());
    }
    proptest::strategy::Union::new(kinds).boxed()
}

fn encoded(version: Version, packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn a_packet_reads_back_as_it_was_written((version, packet) in packet()) {
        let bytes = encoded(version, &packet);
        let frame = Frame::cut(&bytes, MAX_PACKET_SIZE).unwrap().expect("the packet is complete");
        prop_assert_eq!(frame.size(), bytes.len());
        prop_assert_eq!(Packet::decode(frame, version).unwrap(), packet);
    }

    #[test]
    fn every_cut_of_a_packet_is_incomplete((version, packet) in packet()) {
        let bytes = encoded(version, &packet);
        for length in 0..bytes.len() {
            prop_assert_eq!(Frame::cut(&bytes[..length], MAX_PACKET_SIZE), Ok(None));
        }
    }

    #[test]
    fn any_split_of_a_stream_gives_the_same_packets(
        packets in version().prop_flat_map(|version| (Just(version), vec(packet_of(version), 1..6))),
        sizes in vec(1..40usize, 1..50),
    ) {
        let (version, packets) = packets;
        let stream: Vec<u8> = packets.iter().flat_map(|packet| encoded(version, packet)).collect();
        let mut buffer: Vec<u8> = Vec::new();
        let mut count = 0;
        let mut rest = stream.as_slice();
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            buffer.extend_from_slice(piece);
            rest = after;
            while let Some(frame) = Frame::cut(&buffer, MAX_PACKET_SIZE).unwrap() {
                prop_assert_eq!(&Packet::decode(frame, version).unwrap(), &packets[count]);
                count += 1;
                let size = frame.size();
                buffer.drain(..size);
            }
        }
        prop_assert_eq!(count, packets.len());
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..200), version in version()) {
        if let Ok(Some(frame)) = Frame::cut(&bytes, MAX_PACKET_SIZE) {
            let _ = Packet::decode(frame, version);
        }
    }

    #[test]
    fn a_changed_byte_makes_no_panic(
        (version, packet) in packet(),
        position in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encoded(version, &packet);
        let position = position.index(bytes.len());
        bytes[position] = byte;
        if let Ok(Some(frame)) = Frame::cut(&bytes, MAX_PACKET_SIZE)
            && let Ok(packet) = Packet::decode(frame, version)
        {
            // Every packet that can be read can be written.
            encoded(version, &packet);
        }
    }

    #[test]
    fn an_acknowledgement_is_decoded_as_in_a_packet(
        (version, packet) in packet(),
        position in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encoded(version, &packet);
        let position = position.index(bytes.len());
        bytes[position] = byte;
        let Ok(Some(frame)) = Frame::cut(&bytes, MAX_PACKET_SIZE) else { return Ok(()) };
        let is_ack = matches!(
            frame.packet_type,
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp
        );
        let expected = match Packet::decode(frame, version) {
            Ok(Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack)) => {
                Ok(Some(ack))
            }
            Err(error) if is_ack => Err(error),
            _ => Ok(None),
        };
        prop_assert_eq!(frame.ack(version), expected);
    }

    #[test]
    fn a_tolerated_message_can_be_written_and_names_its_defects(
        (version, packet) in packet(),
        position in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encoded(version, &packet);
        let position = position.index(bytes.len());
        bytes[position] = byte;
        let Ok(Some(frame)) = Frame::cut(&bytes, MAX_PACKET_SIZE) else { return Ok(()) };
        let (mut mended, mut defects) = (Mended::default(), Vec::new());
        if let Ok(packet) = Packet::decode_tolerantly(frame, version, &mut mended, &mut defects) {
            prop_assert_eq!(defects.is_empty(), Packet::decode(frame, version).is_ok());
            encoded(version, &packet);
        }
    }
}

/// The error that a packet in hexadecimal causes.
fn error(hex: &str, version: Version) -> String {
    let digits: String = hex.split_whitespace().collect();
    let bytes: Vec<u8> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    let decoded = Frame::cut(&bytes, 1000)
        .and_then(|frame| Packet::decode(frame.expect("the packet is complete"), version));
    match decoded {
        Ok(packet) => format!("no error: {packet:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_name_the_fault_and_its_byte() {
    let v3 = [
        ("00 00", "malformed packet: packet type 0 is forbidden at byte 0"),
        ("61 02 0001", "malformed PUBREL: reserved flags 0b0001, expected 0b0010 at byte 0"),
        ("30 ffffffff 7f", "malformed PUBLISH: remaining length is longer than four bytes at byte 1"),
        ("c0 80 00", "malformed PINGREQ: remaining length is not in its shortest form at byte 1"),
        ("c0 01 00", "malformed PINGREQ: 1 trailing byte at byte 2"),
        ("30 e907", "limit exceeded by PUBLISH: 1004 bytes exceed the maximum of 1000 at byte 0"),
        ("36 05 0001 61 0001", "malformed PUBLISH: invalid QoS 3 at byte 0"),
        ("38 03 0001 61", "malformed PUBLISH: DUP is set at QoS 0 at byte 0"),
        ("32 05 0001 61 0000", "protocol error in PUBLISH: packet identifier 0 at byte 5"),
        (
            "30 04 0002 612b",
            "malformed PUBLISH: invalid topic name \"a+\": a topic to publish to must not contain the wildcards + or # at byte 2",
        ),
        ("30 03 0001 ff", "malformed PUBLISH: topic name is not valid UTF-8 at byte 2"),
        ("30 03 0001 00", "malformed PUBLISH: topic name contains a null character at byte 2"),
        ("30 03 0005 61", "malformed PUBLISH: truncated topic name at byte 4"),
        ("30 02 0000", "malformed PUBLISH: invalid topic name \"\": it is empty at byte 2"),
        ("82 06 0001 0001 61 03", "protocol error in SUBSCRIBE: invalid QoS 3 at byte 7"),
        ("82 06 0001 0001 61 04", "malformed SUBSCRIBE: invalid subscription options 4 at byte 7"),
        ("82 02 0001", "protocol error in SUBSCRIBE: missing topic filter at byte 4"),
        ("90 03 0001 03", "malformed SUBACK: invalid reason code 3 at byte 4"),
        ("20 02 02 00", "malformed CONNACK: invalid acknowledge flags 2 at byte 2"),
        ("20 02 00 06", "malformed CONNACK: invalid return code 6 at byte 3"),
        ("20 02 00 87", "malformed CONNACK: invalid return code 135 at byte 3"),
        ("20 01 00", "malformed CONNACK: truncated return code at byte 3"),
        ("20 02 01 05", "protocol error in CONNACK: session present in a refusal at byte 2"),
        (
            "10 0c 0004 4d515454 06 02 003c 0000",
            "protocol error in CONNECT: unknown protocol \"MQTT\" level 6 at byte 2",
        ),
        (
            "10 0c 0004 4d515454 04 03 003c 0000",
            "malformed CONNECT: invalid reserved connect flag 1 at byte 9",
        ),
        ("10 0c 0004 4d515454 04 22 003c 0000", "malformed CONNECT: will flags without a will at byte 9"),
        (
            "10 0c 0004 4d515454 04 42 003c 0000",
            "protocol error in CONNECT: a password without a user name at byte 9",
        ),
        ("f0 00", "protocol error in AUTH: AUTH does not exist before MQTT 5.0 at byte 0"),
    ];
    let v5 = [
        ("30 04 0000 00 61", "protocol error in PUBLISH: empty topic name without a topic alias at byte 2"),
        ("30 07 0001 61 03 230000", "protocol error in PUBLISH: invalid topic-alias 0 at byte 6"),
        ("30 06 0001 61 02 ff01", "malformed PUBLISH: unknown property 0xff at byte 6"),
        ("30 06 0001 61 02 2401", "malformed PUBLISH: property maximum-qos is not allowed here at byte 6"),
        (
            "30 08 0001 61 04 0101 0100",
            "protocol error in PUBLISH: duplicate property payload-format-indicator at byte 8",
        ),
        ("30 06 0001 61 02 0102", "protocol error in PUBLISH: invalid payload-format-indicator 2 at byte 6"),
        (
            "82 10 0001 00 000a 2473686172652f672f61 04",
            "protocol error in SUBSCRIBE: No Local on a shared subscription at byte 5",
        ),
        ("82 07 0001 00 0001 61 30", "protocol error in SUBSCRIBE: invalid retain handling 3 at byte 8"),
        ("40 03 0001 18", "malformed PUBACK: invalid reason code 24 at byte 4"),
        ("e0 01 01", "malformed DISCONNECT: invalid reason code 1 at byte 2"),
        (
            "f0 06 18 04 16 0001 ff",
            "protocol error in AUTH: authentication data without an authentication method at byte 8",
        ),
    ];
    let cases = v3.map(|case| (Version::V311, case)).into_iter().chain(v5.map(|case| (Version::V5, case)));
    for (version, (hex, expected)) in cases {
        assert_eq!(error(hex, version), expected, "{hex}");
    }
}

#[test]
fn short_forms_mean_success_without_properties() {
    let ack = Packet::Puback(Ack::new(PacketId::new(7).unwrap(), ReasonCode::SUCCESS));
    assert_eq!(encoded(Version::V5, &ack), [0x40, 2, 0, 7]);
    let denied = Packet::Puback(Ack::new(PacketId::new(7).unwrap(), ReasonCode::NOT_AUTHORIZED));
    assert_eq!(encoded(Version::V5, &denied), [0x40, 3, 0, 7, 0x87]);
    assert_eq!(encoded(Version::V311, &denied), [0x40, 2, 0, 7]);
    let end =
        Packet::Disconnect(Disconnect { reason_code: ReasonCode::SUCCESS, properties: Properties::EMPTY });
    assert_eq!(encoded(Version::V5, &end), [0xe0, 0]);
}

#[test]
fn overlong_fields_are_not_written() {
    let topic = "t".repeat(65_536);
    let publish = Publish {
        dup: false,
        qos: Qos::AtMostOnce,
        retain: false,
        topic: &topic,
        packet_id: None,
        properties: Properties::EMPTY,
        payload: b"",
    };
    let mut out = vec![1, 2, 3];
    let error = publish.encode(Version::V311, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "topic name of 65536 bytes exceeds the maximum of 65535 bytes");
    let payload = vec![0; 268_435_455];
    let error =
        Publish { topic: "t", payload: &payload, ..publish }.encode(Version::V311, &mut out).unwrap_err();
    assert_eq!(error, EncodeError::PacketTooLarge { size: 268_435_458 });
    assert_eq!(out, [1, 2, 3]);
}
