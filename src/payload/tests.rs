//! Formats with known values, and any bytes.

use super::*;
use proptest::prelude::*;
use std::io::Write;

fn auto(payload: &[u8]) -> Option<(String, String)> {
    let decoded = decode(payload, Choice::Auto, Hints::default())?;
    Some((decoded.name(), decoded.json.clone().unwrap()))
}

fn found(format: &str, json: &str) -> Option<(String, String)> {
    Some((format.to_owned(), json.to_owned()))
}

fn as_format(format: Format, payload: &[u8]) -> Result<String, String> {
    decode(payload, Choice::As(format), Hints::default()).unwrap().json.map_err(|problem| problem.to_string())
}

fn bytes_of(hex: &str) -> Vec<u8> {
    crate::message::decode_hex(&hex.replace(' ', "")).unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Examples of RFC 8949, appendix A.
#[test]
fn cbor_is_read() {
    for (hex, json) in [
        ("1bffffffffffffffff", "18446744073709551615"),
        ("3bffffffffffffffff", "-18446744073709551616"),
        ("f93e00", "1.5"),
        ("f90001", "5.9604645e-8"),
        ("fa47c35000", "100000.0"),
        ("fbc010666666666666", "-4.1"),
        ("f97c00", "\"inf\""),
        ("f4", "false"),
        ("f7", "null"),
        ("f818", "\"simple(24)\""),
        ("c11a514b67b0", "{\"tag\":1,\"value\":1363896240}"),
        ("4401020304", "\"0x01020304\""),
        ("62c3bc", "\"\u{fc}\""),
        ("8301820203820405", "[1,[2,3],[4,5]]"),
        ("a201020304", "{\"1\":2,\"3\":4}"),
        ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
        ("bf6346756ef563416d7421ff", "{\"Fun\":true,\"Amt\":-2}"),
        ("5f42010243030405ff", "\"0x0102030405\""),
        ("7f657374726561646d696e67ff", "\"streaming\""),
    ] {
        assert_eq!(as_format(Format::Cbor, &bytes_of(hex)).as_deref(), Ok(json), "{hex}");
    }
}

#[test]
fn message_pack_is_read() {
    for (hex, json) in [
        ("82a7636f6d70616374c3a6736368656d6100", "{\"compact\":true,\"schema\":0}"),
        ("93ff7fc0", "[-1,127,null]"),
        ("cd0100", "256"),
        ("d1ff00", "-256"),
        ("ca40200000", "2.5"),
        ("cb3ff8000000000000", "1.5"),
        ("c403010203", "\"0x010203\""),
        ("d6ff00000001", "{\"ext\":-1,\"data\":\"0x00000001\"}"),
        ("de000101a161", "{\"1\":\"a\"}"),
        ("d90161", "\"a\""),
    ] {
        assert_eq!(as_format(Format::MessagePack, &bytes_of(hex)).as_deref(), Ok(json), "{hex}");
    }
}

/// A field of protocol buffers that holds bytes, or a message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 0x80 && number < 32);
    let tag = u16::from(number) << 3 | 2;
    let tag = if tag < 0x80 { vec![tag as u8] } else { vec![tag as u8 | 0x80, (tag >> 7) as u8] };
    [&tag[..], &[length], content].concat()
}

/// The value of the only metric, which is of this type and in this field.
fn metric_value(data_type: u8, number: u8, content: &[u8]) -> serde_json::Value {
    let metric = [&[0x20, data_type][..], &field(number, content)].concat();
    let json = as_format(Format::Sparkplug, &field(2, &metric)).unwrap();
    serde_json::from_str::<serde_json::Value>(&json).unwrap()["metrics"][0]["value"].take()
}

/// The dates and the flags are examples of the specification.
#[test]
fn sparkplug_arrays_are_read() {
    let dates = bytes_of("c7d0907524010000b8bab89781010000");
    for (data_type, content, json) in [
        (22, &[0xff, 0x7f][..], "[-1,127]"),
        (23, &[0xff, 0xff, 1, 0], "[-1,1]"),
        (24, &[0xfe, 0xff, 0xff, 0xff], "[-2]"),
        (25, &[0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "[-3]"),
        (26, &[0xff, 0], "[255,0]"),
        (27, &[0, 1], "[256]"),
        (28, &[0, 0, 1, 0], "[65536]"),
        (29, &[0, 0, 0, 0, 1, 0, 0, 0], "[4294967296]"),
        (30, &[0, 0, 0xc0, 0x3f], "[1.5]"),
        (31, &[0, 0, 0, 0, 0, 0, 0xf8, 0xbf], "[-1.5]"),
        (
            32,
            &[12, 0, 0, 0, 0x34, 0xd0],
            "[false,false,true,true,false,true,false,false,true,true,false,true]",
        ),
        (33, b"ABC\0hello\0", r#"["ABC","hello"]"#),
        (34, &dates, "[1256102875335,1656107875000]"),
        (22, &[], "[]"),
        (33, &[], "[]"),
        (23, &[1], r#""0x01""#),
        (32, &[9, 0, 0, 0, 1], r#""0x0900000001""#),
        (32, &[0xff, 0xff, 0xff, 0xff], r#""0xffffffff""#),
        (33, b"no end", r#""0x6e6f20656e64""#),
        (17, &[1, 2], r#""0x0102""#),
    ] {
        let expected: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(metric_value(data_type, 16, content), expected, "{data_type} {content:02x?}");
    }
}

#[test]
fn sparkplug_data_sets_are_tables() {
    let value = |content: &[u8]| field(1, content);
    let row = [
        value(&[0x08, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        value(&field(6, b"on")),
        value(&[0x28, 1]),
        value(&[]),
    ]
    .concat();
    for types in [&[0x18, 3, 0x18, 12, 0x18, 11][..], &[0x1a, 3, 3, 12, 11]] {
        let table =
            [&[0x08, 3][..], &field(2, b"a"), &field(2, b"b"), &field(2, b"c"), types, &field(4, &row)]
                .concat();
        let expected = serde_json::json!({
            "columns": ["a", "b", "c"],
            "types": ["Int32", "String", "Boolean"],
            "rows": [[-1, "on", true, null]],
        });
        assert_eq!(metric_value(16, 17, &table), expected);
    }
    assert_eq!(metric_value(16, 17, &[]), serde_json::json!({"columns": [], "types": [], "rows": []}));
}

#[test]
fn sparkplug_templates_hold_metrics() {
    let metric = [field(1, b"t"), vec![0x20, 1, 0x50, 0xff, 0x01]].concat();
    let parameter = [field(1, b"p"), vec![0x10, 12], field(8, b"x")].concat();
    let template =
        [field(1, b"v1"), field(2, &metric), field(3, &parameter), field(4, b"r"), vec![0x28, 0]].concat();
    let expected = serde_json::json!({
        "version": "v1",
        "ref": "r",
        "definition": false,
        "metrics": [{"name": "t", "type": "Int8", "value": -1}],
        "parameters": [{"name": "p", "type": "String", "value": "x"}],
    });
    assert_eq!(metric_value(19, 18, &template), expected);
}

#[test]
fn sparkplug_templates_do_not_go_too_deep() {
    let mut payload = Vec::new();
    for _ in 0..100 {
        // A template in a metric: its length takes up to three bytes.
        for tag in [&[0x92, 0x01][..], &[0x12]] {
            let length = payload.len();
            let length = [length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8];
            payload = [tag, &length, &payload].concat();
        }
    }
    let problem = as_format(Format::Sparkplug, &payload).unwrap_err();
    assert!(problem.starts_with("values too deep in each other"), "{problem}");
}

#[test]
fn sparkplug_metrics_are_read() {
    // timestamp 1; metric "T", alias 2, Double 1.5; metric Int32 -2 by alias 3; seq 7.
    let payload =
        bytes_of("08 01 12 10 0a0154 1002 200a 69 000000000000f83f 12 0a 1003 2003 50 feffffff0f 18 07");
    let json = "{\"timestamp\":1,\"seq\":7,\"metrics\":[{\"name\":\"T\",\"alias\":2,\"type\":\"Double\",\"value\":1.5},\
                {\"alias\":3,\"type\":\"Int32\",\"value\":-2}]}";
    assert_eq!(as_format(Format::Sparkplug, &payload).as_deref(), Ok(json));
    let hints = Hints { topic: Some("spBv1.0/g/NBIRTH/e"), content_type: None };
    assert_eq!(decode(&payload, Choice::Auto, hints).unwrap().format, Format::Sparkplug);
    assert_eq!(decode(&payload, Choice::Auto, Hints::default()), None);
}

#[test]
fn what_nobody_names_is_told_by_its_whole_shape() {
    assert_eq!(auto(&bytes_of("a201020304")), found("cbor", "{\"1\":2,\"3\":4}"));
    assert_eq!(auto(&bytes_of("a20102030400")), None, "something is left");
    assert_eq!(auto(&bytes_of("82a161 01 a162 02")), found("msgpack", "{\"a\":1,\"b\":2}"));
    assert_eq!(auto(b"{ \"a\" : 1 }\n"), found("json", "{\"a\":1}"));
    assert_eq!(auto(b"{ no"), None);
    assert_eq!(auto(b"21.5"), None);
    assert_eq!(auto(&[0x18, 42]), None, "a single number could be anything");
    assert_eq!(auto(&gzip(b"[1, 2]")), found("gzip+json", "[1,2]"));
    assert_eq!(auto(&gzip(b"21.5")), found("gzip", "\"21.5\""));
    assert_eq!(auto(&gzip(&[0, 255])), found("gzip", "\"0x00ff\""));
}

#[test]
fn content_types_and_options_decide_and_mistakes_have_a_place() {
    let hints = Hints { topic: None, content_type: Some("application/CBOR; x=1") };
    assert_eq!(decode(&[0x18, 42], Choice::Auto, hints).unwrap().json.as_deref(), Ok("42"));
    for choice in [Choice::Text, Choice::Hex] {
        assert_eq!(decode(b"{}", choice, hints), None);
    }
    for (format, payload, problem) in [
        (Format::Cbor, &[0x82, 1][..], "it ends too early at byte 2"),
        (Format::Cbor, &[0x01, 1], "more than one value at byte 1"),
        (Format::Cbor, &[0x81, 0x1c], "no CBOR at byte 1"),
        (Format::Cbor, &[0xa1, 0x80, 1], "a key that is no single value at byte 1"),
        (Format::MessagePack, &[0x91, 0xc1], "no MessagePack at byte 1"),
        (Format::MessagePack, &[0xa2, b'a', 0xff], "not UTF-8 at byte 2"),
        (Format::Json, b"{\"a\":\n x}", "no JSON at byte 7"),
        (Format::Sparkplug, &[8, 0x80], "it ends too early at byte 2"),
        (Format::Gzip, &[0x1f, 0x8b, 8], "damaged compressed data at byte 0"),
    ] {
        assert_eq!(as_format(format, payload), Err(problem.to_owned()), "{format}");
    }
}

#[test]
fn bombs_do_not_go_off() {
    let bomb = gzip(&vec![b' '; 8 << 20]);
    let problem = "more than 1 MiB when decompressed; not read on at byte 1048577";
    assert_eq!(as_format(Format::Gzip, &bomb), Err(problem.to_owned()));
    let deep = "values too deep in each other at byte 64";
    assert_eq!(as_format(Format::Cbor, &[0x81; 1 << 20]), Err(deep.to_owned()));
    assert_eq!(as_format(Format::Cbor, &[0xc1; 1 << 20]), Err(deep.to_owned()));
    assert_eq!(as_format(Format::MessagePack, &[0x91; 1 << 20]), Err(deep.to_owned()));
    let announced = bytes_of("9bffffffffffffffff00");
    assert_eq!(as_format(Format::Cbor, &announced), Err("it ends too early at byte 10".to_owned()));
}

proptest! {
    #[test]
    fn any_bytes_give_json_or_a_place(
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        format in prop::sample::select(&[Format::Json, Format::Cbor, Format::MessagePack, Format::Gzip, Format::Sparkplug][..]),
    ) {
        for choice in [Choice::As(format), Choice::Auto] {
            match decode(&payload, choice, Hints::default()).map(|decoded| decoded.json) {
                Some(Ok(json)) => {
                    prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok(), "{}", json);
                    prop_assert!(json.len() <= 64 + 64 * payload.len(), "{}", json);
                }
                Some(Err(problem)) => prop_assert!(format == Format::Gzip || problem.at <= payload.len()),
                None => {}
            }
        }
    }

    #[test]
    fn json_comes_back_out_of_cbor(numbers in proptest::collection::vec(any::<i64>(), 1..50), words in ".{0,20}") {
        let mut payload = vec![0x9f, 0x78, words.len() as u8];
        payload.extend(words.as_bytes());
        for number in &numbers {
            let (major, argument) = if *number < 0 { (0x3b, !number as u64) } else { (0x1b, *number as u64) };
            payload.push(major);
            payload.extend(argument.to_be_bytes());
        }
        payload.push(0xff);
        let json = as_format(Format::Cbor, &payload).unwrap();
        let expected = serde_json::to_string(&(std::iter::once(serde_json::Value::from(words.clone()))
            .chain(numbers.iter().map(|number| (*number).into())).collect::<Vec<_>>())).unwrap();
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        prop_assert_eq!(parse(&json), parse(&expected));
    }
}
