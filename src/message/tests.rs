//! Any message is printed as valid JSON and reads back unchanged; no line makes the parser panic.

use super::*;
use crate::json::Writer;
use crate::protocol::{PacketId, PropertyId, PropertyValue, Publish};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn printed(publish: &Publish<'_>, is_pretty: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let arrived = arrived();
    write(publish, arrived, &mut Writer::new(&mut out, is_pretty));
    out
}

fn properties() -> impl Strategy<Value = PropertiesBuf> {
    let text = || option::of("[^\0]{0,20}");
    let users = vec(("\\PC{0,9}", "[^\0]{0,9}"), 0..4);
    let correlation_data = option::of(vec(any::<u8>(), 0..30));
    let numbers = (option::of(0..2u32), option::of(any::<u32>()));
    (numbers, text(), option::of("[a-z/é]{1,20}"), correlation_data, users).prop_map(
        |((indicator, expiry), content_type, response_topic, correlation_data, users)| {
            let mut list = PropertiesBuf::new();
            let mut push = |id, value: Option<PropertyValue<'_>>| {
                value.map_or(Ok(()), |value| list.push(id, value)).unwrap();
            };
            push(PropertyId::PayloadFormatIndicator, indicator.map(PropertyValue::Number));
            push(PropertyId::MessageExpiryInterval, expiry.map(PropertyValue::Number));
            push(PropertyId::ContentType, content_type.as_deref().map(PropertyValue::Text));
            push(PropertyId::ResponseTopic, response_topic.as_deref().map(PropertyValue::Text));
            push(PropertyId::CorrelationData, correlation_data.as_deref().map(PropertyValue::Binary));
            for (name, value) in &users {
                push(PropertyId::UserProperty, Some(PropertyValue::Pair(name, value)));
            }
            list
        },
    )
}

fn arrived() -> Timestamp {
    Timestamp::new(1_795_240_883, 123_456_700).unwrap()
}

fn message() -> impl Strategy<Value = Message> {
    let payload = prop_oneof![vec(any::<u8>(), 0..60), ".{0,60}".prop_map(String::into_bytes)];
    ("[a-z/$é\"\\\\ ]{1,30}", payload, 0..3u8, any::<bool>(), properties()).prop_map(
        |(topic, payload, qos, retain, properties)| Message {
            topic: Some(TopicName::parse(&topic).unwrap()),
            payload,
            is_json: false,
            qos: Qos::from_u8(qos),
            retain: Some(retain),
            time: Some(arrived()),
            properties,
            left_out: Vec::new(),
        },
    )
}

fn as_publish(message: &Message) -> Publish<'_> {
    let qos = message.qos.unwrap();
    Publish {
        dup: qos == Qos::ExactlyOnce,
        qos,
        retain: message.retain.unwrap(),
        topic: message.topic.as_ref().unwrap().as_str(),
        packet_id: if qos == Qos::AtMostOnce { None } else { PacketId::new(7) },
        properties: message.properties.as_properties(),
        payload: &message.payload,
    }
}

proptest! {
    #[test]
    fn printed_json_reads_back_as_the_same_message(message in message(), is_pretty in any::<bool>()) {
        let text = printed(&as_publish(&message), is_pretty);
        prop_assert!(is_pretty || !text.contains(&b'\n'));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
        prop_assert_eq!(read(&text), Ok(message));
    }

    #[test]
    fn no_line_makes_the_reader_panic(line in vec(any::<u8>(), 0..60)) {
        let _ = read(&line);
    }

    #[test]
    fn no_object_makes_the_reader_panic(
        line in "\\{(\"(topic|qos|payload|properties|retain)\":([0-9\"\\[{}\\]a-z,:]{0,12}),?){0,4}\\}"
    ) {
        let _ = read(line.as_bytes());
    }
}

#[test]
fn a_message_is_printed_with_its_keys_in_their_order() {
    let mut list = PropertiesBuf::new();
    list.push(PropertyId::UserProperty, PropertyValue::Pair("k", "1")).unwrap();
    list.push(PropertyId::SubscriptionIdentifier, PropertyValue::Number(7)).unwrap();
    list.push(PropertyId::SubscriptionIdentifier, PropertyValue::Number(8)).unwrap();
    list.push(PropertyId::CorrelationData, PropertyValue::Binary(b"\xff\0")).unwrap();
    list.push(PropertyId::UserProperty, PropertyValue::Pair("k", "2")).unwrap();
    list.push(PropertyId::TopicAlias, PropertyValue::Number(3)).unwrap();
    let publish = Publish {
        dup: true,
        qos: Qos::AtLeastOnce,
        retain: false,
        topic: "home/\"door\"",
        packet_id: PacketId::new(9),
        properties: list.as_properties(),
        payload: b"a\0\n\xc3\xa9",
    };
    let json = String::from_utf8(printed(&publish, false)).unwrap();
    let expected = concat!(
        r#"{"time":"2026-11-21T06:01:23.123456700Z","topic":"home/\"door\"","qos":1,"retain":false,"dup":true,"#,
        r#""packet_id":9,"payload_encoding":"utf8","payload":"a\u0000\né","properties":{"#,
        r#""correlation_data_encoding":"base64","correlation_data":"/wA=","subscription_identifiers":[7,8],"#,
        r#""topic_alias":3,"user_properties":[["k","1"],["k","2"]]}}"#
    );
    assert_eq!(json, expected);
}

#[test]
fn payloads_can_be_written_by_hand() {
    let cases: [(&str, &[u8]); 9] = [
        (r#"{"payload":"text\u0000"}"#, b"text\0"),
        (r#"{"payload":{"t": 21.50,"t":1}}"#, br#"{"t": 21.50,"t":1}"#),
        (r#"{"payload": 12345678901234567890 }"#, b"12345678901234567890"),
        (r#"{"payload":null}"#, b""),
        ("{}", b""),
        (r#"{"payload":"00fF","payload_encoding":"hex"}"#, b"\x00\xff"),
        (r#"{"payload_encoding":"base64","payload":"/wA="}"#, b"\xff\0"),
        (r#"{"payload_encoding":"base64","payload":"/wA"}"#, b"\xff\0"),
        (" {\"time\":\"whenever\",\"dup\":1,\"packet_id\":[],\"payload\":true}\r", b"true"),
    ];
    for (line, payload) in cases {
        assert_eq!(read(line.as_bytes()).unwrap().payload, payload, "{line}");
    }
}

#[test]
fn mistakes_in_json_are_reported_with_their_column() {
    let cases = [
        (r#"{"topic":"a" "qos":1}"#, 14, "expected `,` or `}`"),
        (r#"{"topic":"a""#, 12, "EOF"),
        ("[1]", 1, "expected an object"),
        (r#"{"topci":"a"}"#, 8, "did you mean 'topic'?"),
        (r#"{"colour":"a"}"#, 9, "unknown key \"colour\""),
        (r#"{"qos":1,"qos":2}"#, 14, "duplicate key \"qos\""),
        (r#"{"qos":3}"#, 8, "expected a QoS of 0, 1 or 2, found 3"),
        (r#"{"qos":"1"}"#, 8, "found \"1\""),
        (r#"{"retain":1}"#, 11, "true or false"),
        (r#"{"topic":"a/#"}"#, 10, "wildcards"),
        (r#"{"topic":7}"#, 10, "a string"),
        (r#"{"payload":"0","payload_encoding":"hex"}"#, 12, "odd number"),
        (r#"{"payload":"zz","payload_encoding":"hex"}"#, 12, "hexadecimal"),
        (r#"{"payload":"!","payload_encoding":"base64"}"#, 12, "Base64"),
        (r#"{"payload":1,"payload_encoding":"base64"}"#, 12, "a string in base64"),
        (r#"{"payload_encoding":"rot13"}"#, 21, "found \"rot13\""),
        (r#"{"properties":[]}"#, 15, "an object"),
        (r#"{"properties":{"user_properties":[["a"]]}}"#, 34, "[\"name\", \"value\"]"),
        (r#"{"properties":{"user_property":[]}}"#, 30, "did you mean 'user_properties'?"),
        (r#"{"properties":{"content_type":"a\u0000"}}"#, 31, "null character"),
        (r#"{"properties":{"user_properties":[["a","\u0000"]]}}"#, 34, "null character"),
        (r#"{"properties":{"message_expiry_interval":-1}}"#, 42, "found -1"),
    ];
    for (line, column, part) in cases {
        let error = read(line.as_bytes()).unwrap_err();
        assert!(error.problem.contains(part), "{part:?} is missing for {line}: {error}");
        assert_eq!(error.column, column, "{line}: {error}");
    }
}

#[test]
fn a_property_that_nobody_may_send_is_left_out() {
    let line = r#"{"topic":"a","properties":{"payload_format_indicator":2,"response_topic":"a/+","content_type":"x"}}"#;
    let message = read(line.as_bytes()).unwrap();
    assert_eq!(message.properties.as_properties().text(PropertyId::ContentType), Some("x"));
    assert_eq!(message.properties.as_properties().iter().count(), 1);
    let [indicator, topic] = message.left_out.as_slice() else { panic!("two are left out: {message:?}") };
    assert_eq!(indicator, "invalid payload-format-indicator 2");
    assert!(topic.starts_with("invalid response-topic \"a/+\": "), "{topic}");
}

#[test]
fn the_time_of_a_recorded_message_is_checked() {
    let time = |line: &str| read_recorded(line.as_bytes()).map(|message| message.time);
    for line in ["{}", r#"{"time":null}"#] {
        assert_eq!(time(line), Ok(None), "{line}");
    }
    for line in [
        r#"{"time":"2026-11-21T06:01:23.1234567Z"}"#,
        r#"{"time":"2026-11-21T07:01:23.1234567+01:00"}"#,
        r#"{"time":"2026-11-21 06:01:23.1234567Z"}"#,
    ] {
        assert_eq!(time(line), Ok(Some(arrived())), "{line}");
    }
    for value in [r#""yesterday""#, r#""2026-11-21 06:01:23""#, r#""""#, "1795240883", "{}"] {
        let line = format!("{{\"topic\":\"a\",\"time\":{value}}}");
        let expected = format!("column 21: expected a time such as \"2026-01-31T12:00:00Z\", found {value}");
        assert_eq!(time(&line).unwrap_err().to_string(), expected);
        assert_eq!(read(line.as_bytes()).unwrap().time, None, "the time is not published");
    }
}
