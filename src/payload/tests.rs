//! Known values in each format, and arbitrary bytes.

use super::*;
use proptest::prelude::*;
use std::io::Write;

fn auto(payload: &[u8]) -> Option<(String, String)> {
    let decoded = decode(payload, PayloadDecoding::Auto, Hints::default())?;
    let name = decoded.name();
    match decoded.content {
        Content::Json(json) => Some((name, json)),
        Content::Malformed(problem) => panic!("{name}: {problem}"),
        Content::Unread(why) => Some((name, why.to_owned())),
    }
}

fn found(format: &str, json: &str) -> Option<(String, String)> {
    Some((format.to_owned(), json.to_owned()))
}

fn as_format(format: PayloadFormat, payload: &[u8]) -> Result<String, String> {
    json_of(decode(payload, PayloadDecoding::As(format), Hints::default()).unwrap())
}

fn json_of(decoded: Decoded) -> Result<String, String> {
    match decoded.content {
        Content::Json(json) => Ok(json),
        Content::Malformed(problem) => Err(problem.to_string()),
        Content::Unread(why) => Err(why.to_owned()),
    }
}

pub(super) fn bytes_of(hex: &str) -> Vec<u8> {
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
        ("f820", "\"simple(32)\""),
        ("f6", "null"),
        ("a2616101616102", "{\"a\":1,\"a\":2}"),
        ("a17f61636122ff01", "{\"c\\\"\":1}"),
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
        assert_eq!(as_format(PayloadFormat::Cbor, &bytes_of(hex)).as_deref(), Ok(json), "{hex}");
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
        ("d60100000001", "{\"ext\":1,\"data\":\"0x00000001\"}"),
        ("d5ff0001", "{\"ext\":-1,\"data\":\"0x0001\"}"),
        ("de000101a161", "{\"1\":\"a\"}"),
        ("d90161", "\"a\""),
    ] {
        assert_eq!(as_format(PayloadFormat::MessagePack, &bytes_of(hex)).as_deref(), Ok(json), "{hex}");
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

/// The value of a payload's only metric, with this type and field number.
fn metric_value(data_type: u8, number: u8, content: &[u8]) -> serde_json::Value {
    let metric = [&[0x20, data_type][..], &field(number, content)].concat();
    let json = as_format(PayloadFormat::Sparkplug, &field(2, &metric)).unwrap();
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
    let problem = as_format(PayloadFormat::Sparkplug, &payload).unwrap_err();
    assert!(problem.starts_with("values nested too deeply"), "{problem}");
}

#[test]
fn sparkplug_metrics_are_read() {
    // timestamp 1; metric "T", alias 2, Double 1.5; metric Int32 -2 by alias 3; seq 7.
    let payload =
        bytes_of("08 01 12 10 0a0154 1002 200a 69 000000000000f83f 12 0a 1003 2003 50 feffffff0f 18 07");
    let json = "{\"timestamp\":1,\"seq\":7,\"metrics\":[{\"name\":\"T\",\"alias\":2,\"type\":\"Double\",\"value\":1.5},\
                {\"name\":null,\"alias\":3,\"type\":\"Int32\",\"value\":-2}]}";
    assert_eq!(as_format(PayloadFormat::Sparkplug, &payload).as_deref(), Ok(json));
    let hints = Hints { topic: Some("spBv1.0/g/NBIRTH/e"), ..Hints::default() };
    assert_eq!(decode(&payload, PayloadDecoding::Auto, hints).unwrap().format, PayloadFormat::Sparkplug);
    assert_eq!(decode(&payload, PayloadDecoding::Auto, Hints::default()), None);
}

#[test]
fn unnamed_formats_are_detected_by_their_whole_shape() {
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
    let hints = Hints { content_type: Some("application/CBOR; x=1"), ..Hints::default() };
    assert_eq!(json_of(decode(&[0x18, 42], PayloadDecoding::Auto, hints).unwrap()).as_deref(), Ok("42"));
    for choice in [PayloadDecoding::Text, PayloadDecoding::Hex] {
        assert_eq!(decode(b"{}", choice, hints), None);
    }
    for (format, payload, problem) in [
        (PayloadFormat::Cbor, &[0x82, 1][..], "it ends too early at byte 2"),
        (PayloadFormat::Cbor, &[0x01, 1], "more than one value at byte 1"),
        (PayloadFormat::Cbor, &[0x81, 0x1c], "not well-formed CBOR at byte 1"),
        (PayloadFormat::Cbor, &[0xa1, 0x80, 1], "key is not a single value at byte 1"),
        (PayloadFormat::MessagePack, &[0x91, 0xc1], "not MessagePack at byte 1"),
        (PayloadFormat::Cbor, &[0x62, b'a', 0xff], "not UTF-8 at byte 2"),
        (PayloadFormat::Cbor, &[0xf8, 0x14], "not well-formed CBOR at byte 2"),
        (PayloadFormat::Json, b"{\"a\":\n x}", "not JSON at byte 7"),
        (PayloadFormat::Sparkplug, &[8, 0x80], "it ends too early at byte 2"),
        (PayloadFormat::Gzip, &[0x1f, 0x8b, 8], "damaged compressed data at byte 0"),
    ] {
        assert_eq!(as_format(format, payload), Err(problem.to_owned()), "{format}");
    }
}

#[test]
fn bombs_do_not_go_off() {
    let bomb = gzip(&vec![b' '; 8 << 20]);
    let problem = "more than 1 MiB when decompressed";
    assert_eq!(as_format(PayloadFormat::Gzip, &bomb), Err(problem.to_owned()));
    assert_eq!(auto(&bomb), found("gzip", problem));
    let deep = "values nested too deeply at byte 64";
    assert_eq!(as_format(PayloadFormat::Cbor, &[0x81; 1 << 20]), Err(deep.to_owned()));
    assert_eq!(as_format(PayloadFormat::Cbor, &[0xc1; 1 << 20]), Err(deep.to_owned()));
    assert_eq!(as_format(PayloadFormat::MessagePack, &[0x91; 1 << 20]), Err(deep.to_owned()));
    let announced = bytes_of("9bffffffffffffffff00");
    assert_eq!(as_format(PayloadFormat::Cbor, &announced), Err("it ends too early at byte 10".to_owned()));
}

const GZIP: &str = "1f8b0800000000000003cb2d2c29c91d400c0057396f5d80000000";
const ZLIB: &str = "789ccb2d2c29c91d400c004c3238c1";
const DEFLATE: &str = "cb2d2c29c91d400c00";
const ZSTD: &str = "28b52ffd04585d0000206d7174740100f9d411011b527543";
const LZ4: &str = "04224d186440a70e0000004f6d71747404006450746d71747400000000f1dd2ecc";
const BZIP2: &str =
    "425a6839314159265359d9a02b5600000f818000022400200030cc054181414181c5dc914e142436680ad580";
const XZ: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a3e0007f000a5d00369c4af39d3641e000000000000e556551f19fe022000126800100000001e5fa1bb1c467fb020000000004595a";
const SNAPPY_FRAMED: &str = "ff060000734e61507059001100004db0215580010c6d717474fe0400ee0400";
const SNAPPY_BLOCK: &str = "80010c6d717474fe0400ee0400";

/// Output of encoders in use: bytes, and the library that made them.
#[test]
fn floats_of_single_precision_are_exact_where_they_are_integral() {
    for (hex, json, library) in [
        ("fa4ceb79a3", "123456792.0", "cbor2 6.3.0, canonical"),
        ("fa5a000000", "9007199254740992.0", "cbor 10.0.12 (npm)"),
        ("fa7f7fffff", "340282346638528859811704183484516925440.0", "RFC 8949"),
        ("facceb79a3", "-123456792.0", "cbor2 6.3.0, canonical"),
        ("fa3dcccccd", "0.1", "cbor2 6.3.0, canonical"),
        ("fa80000000", "-0.0", "cbor2 6.3.0, canonical"),
        ("82fb3ff199999999999af97c00", "[1.1,\"inf\"]", "cbor2 6.3.0, canonical"),
    ] {
        assert_eq!(as_format(PayloadFormat::Cbor, &bytes_of(hex)).as_deref(), Ok(json), "{hex} {library}");
    }
    // msgpack 1.2.4, use_single_float; msgpackr 2.1.4, useFloat32.
    let json = "{\"f\":21.1,\"g\":123456792.0}";
    let payload = bytes_of("82a166ca41a8cccda167ca4ceb79a3");
    assert_eq!(as_format(PayloadFormat::MessagePack, &payload).as_deref(), Ok(json));
    let payload = bytes_of("d4724091a166ca41a8cccd");
    assert_eq!(as_format(PayloadFormat::MessagePack, &payload).as_deref(), Ok("{\"f\":21.1}"));
}

#[test]
fn bignums_are_digits() {
    for (hex, json) in [
        // cbor2 6.3.0: 2**64 + 5 and -2**80.
        (
            "a26170c249010000000000000005616ec34affffffffffffffffffff",
            "{\"p\":18446744073709551621,\"n\":-1208925819614629174706176}",
        ),
        // cbor 10.0.12 (npm): a date, a BigInt and -2**70.
        (
            "a36163c11a6553f1006164c248ab54a98ceb1f0ad26165c3493fffffffffffffffff",
            "{\"c\":{\"tag\":1,\"value\":1700000000},\"d\":12345678901234567890,\"e\":-1180591620717411303424}",
        ),
        ("c25f4101420000ff", "65536"),
        ("c240", "0"),
        ("c340", "-1"),
        ("c201", "{\"tag\":2,\"value\":1}"),
    ] {
        assert_eq!(as_format(PayloadFormat::Cbor, &bytes_of(hex)).as_deref(), Ok(json), "{hex}");
    }
    let long = [&[0xc2, 0x59, 0x08, 0x00][..], &[0xff; 2048]].concat();
    assert!(as_format(PayloadFormat::Cbor, &long).unwrap().starts_with("{\"tag\":2,\"value\":\"0xff"));
}

#[test]
fn self_described_cbor_is_recognised() {
    // cbor2 6.3.0.
    assert_eq!(auto(&bytes_of("d9d9f7a1616101")), found("cbor", "{\"a\":1}"));
    assert_eq!(auto(&bytes_of("d9d9f71829")), found("cbor", "41"));
    assert_eq!(auto(&bytes_of("d9d9f7182900")), None);
}

#[test]
fn records_have_the_names_of_their_fields() {
    let json = "[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"b\"}]";
    // cbor-x 1.6.9, useRecords; msgpackr 2.1.4, Packr.
    assert_eq!(
        auto(&bytes_of("82d9dfff8419e00082626964646e616d65016161d9e00082026162")),
        found("cbor", json)
    );
    assert_eq!(auto(&bytes_of("92d4724092a26964a46e616d6501a1614002a162")), found("msgpack", json));
    let json =
        "[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"b\"},{\"x\":{\"id\":9,\"name\":\"z\"}},{\"x\":3}]";
    let payload = bytes_of("94d4724092a26964a46e616d6501a1614002a162d4724191a1784009a17a4103");
    assert_eq!(auto(&payload), found("msgpack", json));
    // Without the definition, which cbor-x need not send again, the tag is named.
    let json = "[{\"tag\":57344,\"value\":[1,\"a\"]},{\"tag\":57344,\"value\":[2,\"b\"]}]";
    assert_eq!(auto(&bytes_of("82d9e00082016161d9e00082026162")), found("cbor", json));
    for (format, hex, problem) in [
        (PayloadFormat::Cbor, "d9dfff83190000806161", "record with more values than names at byte 8"),
        (PayloadFormat::Cbor, "82d9dfff82190000 80 d900001829", "record without values at byte 12"),
        (PayloadFormat::Cbor, "d9dfff01", "invalid record definition at byte 3"),
        (PayloadFormat::MessagePack, "d4724001", "invalid record definition at byte 3"),
        (PayloadFormat::MessagePack, "d572400191a16101", "unsupported record number at byte 1"),
    ] {
        assert_eq!(as_format(format, &bytes_of(hex)), Err(problem.to_owned()), "{hex}");
    }
}

#[test]
fn references_to_long_names_are_bounded() {
    let name = "n".repeat(60_000);
    let mut payload = [&bytes_of("9f d9dfff83 19e000 81 79ea60")[..], name.as_bytes(), &[0]].concat();
    for _ in 0..100 {
        payload.extend(bytes_of("d9e0008100"));
    }
    payload.push(0xff);
    let problem = as_format(PayloadFormat::Cbor, &payload).unwrap_err();
    assert!(problem.starts_with("the names that it refers to exceed 4 MiB"), "{problem}");
}

#[test]
fn timestamps_of_message_pack_are_dates() {
    for (hex, json, library) in [
        ("d6ff6553f100", "2023-11-14T22:13:20Z", "msgpack 1.2.4"),
        ("d7ff773594006553f100", "2023-11-14T22:13:20.5Z", "msgpack 1.2.4"),
        ("c70cff1dcd6500fffffffffffffffe", "1969-12-31T23:59:58.5Z", "msgpack 1.2.4"),
        ("c70cff000000050000000400000000", "2514-05-30T01:53:04.000000005Z", "msgpack 1.2.4"),
        ("d7ff1d5353006553f100", "2023-11-14T22:13:20.123Z", "msgpackr 2.1.4"),
        ("c70cff00000000ffffffffffffffff", "1969-12-31T23:59:59Z", "msgpackr 2.1.4"),
    ] {
        let expected = Ok(format!("\"{json}\""));
        assert_eq!(as_format(PayloadFormat::MessagePack, &bytes_of(hex)), expected, "{hex} {library}");
    }
    let too_late =
        as_format(PayloadFormat::MessagePack, &bytes_of("c70cff000000007fffffffffffffff")).unwrap();
    assert_eq!(too_late, "{\"ext\":-1,\"data\":\"0x000000007fffffffffffffff\"}");
}

#[test]
fn strings_of_other_bytes_do_not_hide_the_rest() {
    // msgpack 1.2.4, use_bin_type=False.
    let payload = bytes_of("82a161a2fffea16e01");
    let json = "{\"a\":{\"base64\":\"//4=\"},\"n\":1}";
    assert_eq!(as_format(PayloadFormat::MessagePack, &payload).as_deref(), Ok(json));
    assert_eq!(
        as_format(PayloadFormat::MessagePack, &bytes_of("81a2fffe01")).as_deref(),
        Ok("{\"0xfffe\":1}")
    );
    assert_eq!(auto(&payload), None, "unasked it could be anything");
}

#[test]
fn content_types_decide_with_their_suffixes_and_prefixes() {
    let typed = |payload: &[u8], content_type| {
        let hints = Hints { content_type: Some(content_type), ..Hints::default() };
        decode(payload, PayloadDecoding::Auto, hints)
            .map(|decoded| (decoded.name(), json_of(decoded).unwrap()))
    };
    for content_type in ["application/senml+cbor", "application/vnd.x+cbor", "application/x-cbor", "cbor"] {
        assert_eq!(typed(&[0x18, 42], content_type), found("cbor", "42"), "{content_type}");
    }
    assert_eq!(typed(&[1, 2, 0x61, b'a'], "application/cbor-seq"), found("cbor-seq", "[1,2,\"a\"]"));
    assert_eq!(typed(b"42", "application/senml+json"), found("json", "42"));
    assert_eq!(typed(b"42", "text/json"), found("json", "42"));
    assert_eq!(typed(&[42], "application/vnd.msgpack"), found("msgpack", "42"));
    assert_eq!(typed(&gzip(b"1"), "application/x-gzip"), found("gzip", "\"1\""));
    let map = bytes_of("a201020304");
    for content_type in ["image/png", "application/x-protobuf", "text/plain"] {
        assert_eq!(typed(&map, content_type), None, "{content_type}");
    }
    assert_eq!(typed(&map, "application/octet-stream"), found("cbor", "{\"1\":2,\"3\":4}"));
}

/// The text "mqtt" 32 times, compressed by the tools of that name.
#[test]
fn compressed_payloads_are_reported_by_their_magic_number() {
    let json = format!("\"{}\"", "mqtt".repeat(32));
    for (format, hex, tool) in [
        (PayloadFormat::Gzip, GZIP, "gzip 1.12"),
        (PayloadFormat::Zlib, ZLIB, "zlib 1.2.13"),
        (PayloadFormat::Zstd, ZSTD, "zstd 1.5.4"),
        (PayloadFormat::Lz4, LZ4, "lz4 1.9.4"),
        (PayloadFormat::Snappy, SNAPPY_FRAMED, "snap 1.1.2"),
    ] {
        let payload = bytes_of(hex);
        assert_eq!(auto(&payload), found(format.name(), &json), "{tool}");
        assert_eq!(as_format(format, &payload).as_deref(), Ok(&json[..]), "{tool}");
        let cut = &payload[..payload.len() / 2];
        assert!(as_format(format, cut).unwrap_err().starts_with("damaged compressed data"), "{tool}");
    }
    assert_eq!(as_format(PayloadFormat::Deflate, &bytes_of(DEFLATE)).as_deref(), Ok(&json[..]));
    assert_eq!(as_format(PayloadFormat::Snappy, &bytes_of(SNAPPY_BLOCK)).as_deref(), Ok(&json[..]));
    for (hex, name) in [(BZIP2, "bzip2"), (XZ, "xz")] {
        assert_eq!(auto(&bytes_of(hex)), found(name, "decompression is not supported"));
    }
}

#[test]
fn zeros_behind_compressed_data_are_padding() {
    let padded = [gzip(b"[1]"), vec![0; 10]].concat();
    assert_eq!(auto(&padded), found("gzip+json", "[1]"));
    assert_eq!(auto(&[gzip(b"[1,"), gzip(b"2]")].concat()), found("gzip+json", "[1,2]"));
    assert_eq!(auto(&[gzip(b"[1]"), vec![1; 10]].concat()), None);
    let zlib = bytes_of(ZLIB);
    assert_eq!(auto(&[&zlib[..], &[1]].concat()), None);
}

#[test]
fn every_compression_is_bounded() {
    // Blocks of snap are 64 KiB, so a thousand of them is enough.
    let block = bytes_of(SNAPPY_FRAMED);
    let stream = &block[10..];
    let bomb = [&block[..10], &stream.repeat(10_000)].concat();
    let too_long = Err("more than 1 MiB when decompressed".to_owned());
    assert_eq!(as_format(PayloadFormat::Snappy, &bomb), too_long);
    assert_eq!(as_format(PayloadFormat::Snappy, &bytes_of("ffffff7f00")), too_long);
    assert_eq!(as_format(PayloadFormat::Zstd, &bytes_of(ZSTD).repeat(10_000)), too_long);
    assert_eq!(as_format(PayloadFormat::Lz4, &bytes_of(LZ4).repeat(10_000)), too_long);
    assert_eq!(as_format(PayloadFormat::Zlib, &bytes_of(ZLIB).repeat(10_000)), too_long);
}

#[test]
fn protocol_buffers_without_a_schema_are_fields() {
    let payload = bytes_of("08 9601 12 07 74657374696e67 1d 0000c03f 21 0100000000000000 2a 02 ff00");
    let json = r#"[{"field":1,"type":"VARINT","value":150},{"field":2,"type":"LEN","value":"testing"},{"field":3,"type":"I32","value":1069547520},{"field":4,"type":"I64","value":1},{"field":5,"type":"LEN","value":"0xff00"}]"#;
    assert_eq!(as_format(PayloadFormat::Protobuf, &payload).as_deref(), Ok(json));
    assert_eq!(as_format(PayloadFormat::Protobuf, &[0, 1]), Err("not protocol buffers at byte 0".to_owned()));
    assert_eq!(auto(&payload), None, "only on request");
}

/// Matches by chance among 200,000 random payloads of each length.
#[test]
fn random_bytes_are_hardly_ever_of_a_format() {
    let mut random = fastrand::Rng::with_seed(1);
    for (length, limit) in [(2, 800), (3, 800), (4, 400), (5, 400), (6, 200), (8, 200), (16, 200), (64, 200)]
    {
        let mut matches = 0;
        for _ in 0..200_000 {
            let payload: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            matches += u32::from(decode(&payload, PayloadDecoding::Auto, Hints::default()).is_some());
        }
        println!("{length} bytes: {} %", f64::from(matches) / 2000.0);
        assert!(matches <= limit, "{length} bytes: {matches}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_json_or_a_place(
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        choice in prop::sample::select(&PayloadDecoding::ALL[..]),
    ) {
        let is_compression = matches!(choice, PayloadDecoding::As(format) if format.is_compression());
        for choice in [choice, PayloadDecoding::Auto] {
            match decode(&payload, choice, Hints::default()).map(|decoded| decoded.content) {
                Some(Content::Json(json)) => {
                    prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok(), "{}", json);
                    let is_bounded = is_compression || json.len() <= 64 + 64 * payload.len();
                    prop_assert!(is_bounded, "{}", json);
                }
                Some(Content::Malformed(problem)) => {
                    prop_assert!(is_compression || problem.at <= payload.len());
                }
                Some(Content::Unread(_)) | None => {}
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
        let json = as_format(PayloadFormat::Cbor, &payload).unwrap();
        let expected = serde_json::to_string(&(std::iter::once(serde_json::Value::from(words.clone()))
            .chain(numbers.iter().map(|number| (*number).into())).collect::<Vec<_>>())).unwrap();
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        prop_assert_eq!(parse(&json), parse(&expected));
    }
}
