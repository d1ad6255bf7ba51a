//! Every specifier with its widths, precisions and absent values; rejected formats; and that no format makes the parser panic.

use super::*;
use crate::output::timestamp::MessageTime;
use crate::protocol::{PacketId, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos};
use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use proptest::prelude::*;

/// Renders a format; also returns the notes.
fn rendered(format: &[u8], publish: &Publish<'_>) -> (Vec<u8>, Vec<String>) {
    let mut out = Vec::new();
    let mut notes = Vec::new();
    let zone = TimeZone::fixed(tz::offset(-5));
    let now = || MessageTime::new(Timestamp::new(1_795_240_883, 123_456_789).unwrap(), &zone);
    let rendering = Rendering { publish, now: &now, is_pretty: false, is_coloured: false, notes: &mut notes };
    Template::parse(format).unwrap().render(rendering, &mut out);
    (out, notes)
}

fn publish<'a>(payload: &'a [u8], properties: &'a PropertiesBuf) -> Publish<'a> {
    Publish {
        dup: false,
        qos: Qos::AtLeastOnce,
        retain: true,
        topic: "home/dör",
        packet_id: PacketId::new(7),
        properties: properties.as_properties(),
        payload,
    }
}

#[track_caller]
fn assert_renders(payload: &[u8], properties: &PropertiesBuf, cases: &[(&str, &str)]) {
    for (format, expected) in cases {
        let (out, notes) = rendered(format.as_bytes(), &publish(payload, properties));
        assert_eq!(String::from_utf8_lossy(&out), *expected, "{format}");
        assert_eq!(notes, Vec::<String>::new(), "{format}");
    }
}

#[test]
fn each_field_is_laid_out_as_in_mosquitto_sub() {
    let cases = [
        (
            "%t|%10t|%-10t|%010t|%.4t|%6.4t|%-6.4t|",
            "home/dör| home/dör|home/dör | home/dör|home|  home|home  |",
        ),
        (
            "%p|%3p|%10p|%-10p|%010p|%-010p|%.2p|",
            "message|mes|   message|message   |000message|message   |message|",
        ),
        ("%l|%3l|%03l|%-3l|%-03l|%.9l|", "7|  7|007|7  |7  |7|"),
        ("%m|%4m|%04m|%-4m|", "7|   7|0007|7   |"),
        ("%q%r|%5q%-5r|", "11|11|"),
        (
            "%x|%X|%3x|%8x|%16x|%-16x|%016x|",
            "6d657373616765|6D657373616765|6d6573|6d657373616765|  6d657373616765|6d657373616765  |006d657373616765|",
        ),
        (
            "%.2x|%.4:x|%.2-x|%.0x|%:x|",
            "6d 65 73 73 61 67 65|6d65:7373:6167:65|6d-65-73-73-61-67-65|6d657373616765|6d657373616765|",
        ),
        (
            "%20.2:x|%-20.2:x|%020.2:x|",
            "  :  :  :6d:65:73:73:61:67:65|6d:65:73:73:61:67:65      |00:00:00:6d:65:73:73:61:67:65|",
        ),
        ("%%|%5%|%-05.3%|", "%|%|%|"),
        ("\\\\|\\0|\\a|\\e|\\n|\\r|\\t|\\v|", "\\|\0|\x07|\x1b|\n|\r|\t|\x0b|"),
        (
            "%U|%I|%30I|%-30I|%.10I|",
            "1795240883.123456789|2026-11-21T01:01:23-0500|      2026-11-21T01:01:23-0500|2026-11-21T01:01:23-0500      |2026-11-21|",
        ),
        ("@Y-@m-@dT@H:@M:@S.@N@z @@ @s", "2026-11-21T01:01:23.123456789-0500 @ 1795240883"),
        (
            "@a|@A|@b|@h|@B|@c|@C|@D|@e|@F|",
            "Sat|Saturday|Nov|Nov|November|Sat Nov 21 01:01:23 2026|20|11/21/26|21|2026-11-21|",
        ),
        ("@g|@G|@I|@j|@k|@l|@p|@P|@r|@R|@T|", "26|2026|01|325| 1| 1|AM|am|01:01:23 AM|01:01|01:01:23|"),
        ("@u|@U|@V|@w|@W|@x|@X|@y|@n|@t|@%|", "6|46|47|6|46|11/21/26|01:01:23|26|\n|\t|%|"),
        ("@Q|@q|@f|@E|@é|@-|", "%Q|%q|%f|%E|%é|%-|"),
        ("é漢", "é漢"),
    ];
    assert_renders(b"message", &PropertiesBuf::new(), &cases);
}

#[test]
fn properties_are_laid_out_as_in_mosquitto_sub() {
    let mut list = PropertiesBuf::new();
    list.push(PropertyId::UserProperty, PropertyValue::Pair("k", "1")).unwrap();
    list.push(PropertyId::TopicAlias, PropertyValue::Number(5)).unwrap();
    list.push(PropertyId::ContentType, PropertyValue::Text("text/x")).unwrap();
    list.push(PropertyId::UserProperty, PropertyValue::Pair("k", "2")).unwrap();
    list.push(PropertyId::CorrelationData, PropertyValue::Binary(b"a\0b")).unwrap();
    list.push(PropertyId::MessageExpiryInterval, PropertyValue::Number(4_294_967_295)).unwrap();
    list.push(PropertyId::PayloadFormatIndicator, PropertyValue::Number(1)).unwrap();
    list.push(PropertyId::ResponseTopic, PropertyValue::Text("reply")).unwrap();
    list.push(PropertyId::SubscriptionIdentifier, PropertyValue::Number(8)).unwrap();
    list.push(PropertyId::SubscriptionIdentifier, PropertyValue::Number(9)).unwrap();
    let present = [
        ("%A|%3A|%03A|%-3A|", "5|  5|005|5  |"),
        ("%C|%8C|%-8C|%.4C|", "text/x|  text/x|text/x  |text|"),
        ("%R|%7R|%-7R|%.3R|", "reply|  reply|reply  |rep|"),
        ("%D|%9D|%E|%F|%S|%P|%9P|", "a\0b|a\0b|4294967295|1|8|k:1 k:2|k:1 k:2|"),
    ];
    assert_renders(b"", &list, &present);
    let absent = [
        ("%A|%3A|%03A|%-3A|%-03A|", "|   |000|   |000|"),
        ("%3C|%03C|%3R|%3D|%3P|%2E%2F%2S|", "   |   ||||      |"),
    ];
    assert_renders(b"", &PropertiesBuf::new(), &absent);
}

#[test]
fn numbers_in_binary_are_printed_as_printf_does() {
    let none = PropertiesBuf::new();
    let cases = [("%d|%.2d|%10.2d|%-10.2d|%010.2d|", "-1.500000|-1.50|     -1.50|-1.50     |-000001.50|")];
    assert_renders(&(-1.5f64).to_ne_bytes(), &none, &cases);
    assert_renders(&0.1f32.to_ne_bytes(), &none, &[("%f|%.10f|%.0f", "0.100000|0.1000000015|0")]);
    assert_renders(&f32::INFINITY.to_ne_bytes(), &none, &[("%f|%06f|%-6f|", "inf|   inf|inf   |")]);
    assert_renders(&(-f64::INFINITY).to_ne_bytes(), &none, &[("%06d", "  -inf")]);
    assert_renders(&f64::NAN.to_ne_bytes(), &none, &[("%d", "nan")]);
    let (out, notes) = rendered(b"a%fb%dc", &publish(b"12345", &none));
    assert_eq!(out, b"abc");
    assert!(
        notes.len() == 2 && notes.iter().all(|note| note.contains("non-float") && note.contains("home/d"))
    );
}

#[test]
fn json_has_mosquittos_keys_and_is_valid() {
    let mut list = PropertiesBuf::new();
    list.push(PropertyId::UserProperty, PropertyValue::Pair("k", "1")).unwrap();
    list.push(PropertyId::MessageExpiryInterval, PropertyValue::Number(60)).unwrap();
    list.push(PropertyId::UserProperty, PropertyValue::Pair("k", "2")).unwrap();
    list.push(PropertyId::CorrelationData, PropertyValue::Binary(b"c\0\xff")).unwrap();
    let head =
        r#"{"tst":"2026-11-21T01:01:23.123456-0500","topic":"home/dör","qos":1,"retain":true,"payloadlen":"#;
    let properties = r#""properties":{"user-properties":[{"k":"1"},{"k":"2"}],"message-expiry-interval":60,"correlation-data":"c\u0000�"},"#;
    let binary = format!(r#"{head}4,"mid":7,{properties}"payload":"a\u0000�\n"}}"#);
    assert_renders(b"a\0\xff\n", &list, &[("%j", &binary)]);
    let none = PropertiesBuf::new();
    let number = format!(r#"{head}24,"mid":7,"payload":[12345678901234567890]}}"#);
    assert_renders(b" [12345678901234567890 ]", &none, &[("%J", &number)]);
    let empty = format!(r#"{head}0,"mid":7,"payload":null}}"#);
    assert_renders(b"", &none, &[("%j", &empty), ("%J", &empty)]);
}

#[test]
fn a_payload_that_is_no_json_leaves_a_gap_and_a_note() {
    for payload in [&b"nope"[..], b"{}{}", b"\xff", b"{\"a\":1,}"] {
        let none = PropertiesBuf::new();
        let (out, notes) = rendered(b"<%J>", &publish(payload, &none));
        assert_eq!(out, b"<>");
        assert!(matches!(notes.as_slice(), [note] if note.contains("%J") && note.contains("home/d")));
    }
}

#[test]
fn mistakes_are_reported_with_their_place() {
    let cases = [
        ("a%", "'%' at byte 2 is incomplete"),
        ("%0", "'%0' at byte 1 is incomplete"),
        ("%-", "'%-' at byte 1 is incomplete"),
        ("%1", "'%1' at byte 1 is incomplete"),
        ("%.", "'%.' at byte 1 is incomplete"),
        ("%.1", "'%.1' at byte 1 is incomplete"),
        ("%t %Z", "unknown '%Z' at byte 4"),
        ("%0-5l", "unknown '%0-5' at byte 1"),
        ("%é", "unknown '%é' at byte 1"),
        ("%65536p", "the number in '%65536' at byte 1 is over 65535"),
        ("%.99999999999999999999p", "is over 65535"),
        ("x@", "'@' at byte 2 is incomplete"),
        ("\\", "'\\' at byte 1 is incomplete"),
        ("\\Z", "unknown escape '\\Z' at byte 1"),
    ];
    for (format, part) in cases {
        let error = Template::parse(format.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{format}: {error}");
    }
}

proptest! {
    #[test]
    fn no_format_makes_it_panic(
        format in proptest::collection::vec(
            prop_oneof![proptest::sample::select(b"%@\\-0123.:tpxXjJAfdUI".to_vec()), any::<u8>()], 0..12),
        payload in proptest::collection::vec(any::<u8>(), 0..12),
    ) {
        if let Ok(template) = Template::parse(&format) {
            let none = PropertiesBuf::new();
            let (_, _) = rendered(&format, &publish(&payload, &none));
            prop_assert_eq!(template, Template::parse(&format).unwrap());
        }
    }

    #[test]
    fn json_is_valid_whatever_the_message_holds(payload in proptest::collection::vec(any::<u8>(), 0..40)) {
        let none = PropertiesBuf::new();
        let (out, _) = rendered(b"%j", &publish(&payload, &none));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
    }
}
