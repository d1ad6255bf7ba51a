//! Payloads of libraries in use, and the limits on stored births.

use super::Births;
use crate::payload::tests::bytes_of;
use crate::payload::{Content, Decoded, Hints, PayloadDecoding, PayloadFormat, decode};
use serde_json::{Value, json};

/// pysparkplug 0.6.1: NBIRTH with bdSeq, Temp (Int8), Ratio (Float), Flags, Names (arrays) and When, aliases 7 to 11.
const NBIRTH: &str = "0880d095ffbc31120b0a05626453657120045803120d0a0454656d701007200150d70112100a05526174696f10082009650000c03f\
                      12140a05466c616773100920208201060a0000009a4012180a054e616d6573100a202182010a4142430068656c6c6f0012110a0457\
                      68656e100b200d5880e8c792cc311800";

/// pysparkplug 0.6.1: NDATA with the aliases 7 and 9, without names and types.
const NDATA: &str = "0881d095ffbc31 1205 1007 50d701 120b 1009 8201060a0000009a40 1801";

/// sparkplug-client 3.2.4 (npm): seq 9 and the metric x, Int8 -1, compressed.
const DEFLATE: &str = "12160a09616c676f726974686d200c7a074445464c415445221253504256312e305f434f4d505245535345442a1d789ce368b830\
                       f5ff1e43216e2ec60a05c680ff40c02fc1090069860917";
const GZIP: &str = "12130a09616c676f726974686d200c7a04475a4950221253504256312e305f434f4d505245535345442a291f8b080000000000\
                    0003e368b830f5ff1e43216e2ec60a05c680ff40c02fc10900890a6a2b16000000";

fn on(topic: &str, payload: &[u8], births: &Births) -> Decoded {
    let hints = Hints { topic: Some(topic), births: Some(births), ..Hints::default() };
    decode(payload, PayloadDecoding::Auto, hints).unwrap()
}

fn value(decoded: &Decoded) -> Value {
    match &decoded.content {
        Content::Json(json) => serde_json::from_str(json).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn metrics(topic: &str, hex: &str, births: &Births) -> Value {
    value(&on(topic, &bytes_of(hex), births))["metrics"].take()
}

#[test]
fn data_has_the_names_and_types_of_its_birth() {
    let flags = json!([true, false, false, true, true, false, true, false, false, true]);
    let mut births = Births::default();
    let unknown = json!([
        {"name": null, "alias": 7, "type": null, "raw": "0xd7"},
        {"name": null, "alias": 9, "type": null, "value": "0x0a0000009a40"},
    ]);
    assert_eq!(metrics("spBv1.0/g/NDATA/n", NDATA, &births), unknown);
    births.learn("spBv1.0/g/NBIRTH/n", &bytes_of(NBIRTH));
    let known = json!([
        {"name": "Temp", "alias": 7, "type": "Int8", "value": -41},
        {"name": "Flags", "alias": 9, "type": "BooleanArray", "value": flags},
    ]);
    assert_eq!(metrics("spBv1.0/g/NDATA/n", NDATA, &births), known);
    assert_eq!(metrics("spBv1.0/g/NCMD/n", NDATA, &births), known);
    for other in ["spBv1.0/g/NDATA/m", "spBv1.0/h/NDATA/n", "spBv1.0/g/DDATA/n/d"] {
        assert_eq!(metrics(other, NDATA, &births), unknown, "{other}");
    }
}

#[test]
fn births_that_a_broker_keeps_count_as_well() {
    let mut births = Births::default();
    let topic = "$sparkplug/certificates/spBv1.0/g/DBIRTH/n/d";
    births.learn(topic, &bytes_of(NBIRTH));
    assert_eq!(metrics(topic, NBIRTH, &births)[1]["name"], "Temp");
    assert_eq!(metrics("spBv1.0/g/DDATA/n/d", NDATA, &births)[0]["value"], -41);
}

#[test]
fn levels_in_front_of_the_namespace_are_passed_over_if_the_format_is_named() {
    let mut births = Births::default();
    births.learn("site/spBv1.0/g/NBIRTH/n", &bytes_of(NBIRTH));
    let hints = Hints { topic: Some("site/spBv1.0/g/NDATA/n"), births: Some(&births), ..Hints::default() };
    let payload = bytes_of(NDATA);
    let decoded = decode(&payload, PayloadDecoding::As(PayloadFormat::Sparkplug), hints).unwrap();
    assert_eq!(value(&decoded)["metrics"][0]["name"], "Temp");
    assert_eq!(decode(&payload, PayloadDecoding::Auto, hints), None);
    let hints = Hints { topic: Some("site/spBv1.0/STATE/h"), ..hints };
    let decoded = decode(b"{\"online\":true}", PayloadDecoding::As(PayloadFormat::Sparkplug), hints).unwrap();
    assert_eq!((decoded.format, decoded.mismatch), (PayloadFormat::Json, None));
}

#[test]
fn a_metric_with_a_name_has_the_type_of_the_birth() {
    let mut births = Births::default();
    births.learn("spBv1.0/g/NBIRTH/n", &bytes_of(NBIRTH));
    // Temp without its type.
    let data = "12 09 0a0454656d70 50d701";
    let known = json!([{"name": "Temp", "type": "Int8", "value": -41}]);
    assert_eq!(metrics("spBv1.0/g/NDATA/n", data, &births), known);
    let unknown = json!([{"name": "Temp", "type": null, "raw": "0xd7"}]);
    assert_eq!(metrics("spBv1.0/g/NDATA/other", data, &births), unknown);
}

#[test]
fn members_of_templates_have_the_types_of_the_definition() {
    let mut births = Births::default();
    // The definition "motor" with the member t of type Int16, in the node's birth.
    births.learn("spBv1.0/g/NBIRTH/n", &bytes_of("12 15 0a056d6f746f72 2013 920109 1205 0a0174 2002 2801"));
    // An instance in a device's data: t without its type.
    let data = "12 18 0a016d 2013 920110 1207 0a0174 50ffff03 22056d6f746f72";
    let members =
        |births: &Births| metrics("spBv1.0/g/DDATA/n/d", data, births)[0]["value"]["metrics"].take();
    assert_eq!(members(&births), json!([{"name": "t", "type": "Int16", "value": -1}]));
    assert_eq!(members(&Births::default()), json!([{"name": "t", "type": null, "raw": "0xffff"}]));
}

#[test]
fn signed_numbers_are_read_in_either_width() {
    let births = Births::default();
    for (hex, library) in [
        ("0880d095ffbc3112080a0178200150ff011801", "pysparkplug 0.6.1"),
        ("0880d095ffbc31120b0a0178200150ffffffff0f1809", "sparkplug-payload 1.0.3 (npm)"),
    ] {
        let expected = json!([{"name": "x", "type": "Int8", "value": -1}]);
        assert_eq!(metrics("spBv1.0/g/NDATA/n", hex, &births), expected, "{library}");
    }
}

#[test]
fn compressed_payloads_are_shown_decompressed() {
    for (hex, compression) in [(DEFLATE, "zlib"), (GZIP, "gzip")] {
        let decoded = on("spBv1.0/g/NDATA/n", &bytes_of(hex), &Births::default());
        let expected = json!({
            "compressed": compression,
            "timestamp": 1_700_000_000_000_u64,
            "seq": 9,
            "metrics": [{"name": "x", "type": "Int8", "value": -1}],
        });
        assert_eq!(value(&decoded), expected);
    }
    let mut births = Births::default();
    births.learn("spBv1.0/g/NBIRTH/n", &bytes_of(GZIP));
    assert_eq!(metrics("spBv1.0/g/NDATA/n", "1206 0a0178 50ff01", &births)[0]["value"], -1);
    let damaged = bytes_of("221253504256312e305f434f4d50524553534544 2a03 1f8b08");
    let problem = on("spBv1.0/g/NDATA/n", &damaged, &births).problem().unwrap();
    assert_eq!(problem, "not sparkplug: damaged compressed data at byte 0");
}

/// sparkplug-payload 1.0.3 (npm) and pysparkplug 0.6.1.
#[test]
fn every_field_of_a_metric_is_shown() {
    let births = Births::default();
    let hex = "0880d095ffbc31120d0a01781003200150ffffffff0f1283010a0170200342150800120178180320012a01663201743a016d42\
               01644a630a04756e69740a036c6f770a026f6b0a037365740a046c6973741205080c4201431208080318d8ffffff0f12040\
               80b3801121408144a100a0161120b080a31000000000000f83f121a081552160a090a01611204080318010a090a0161120408\
               031802500512070a016e200a38011804";
    let expected = json!([
        {"name": "x", "alias": 3, "type": "Int8", "value": -1},
        {
            "name": "p",
            "type": "Int32",
            "metadata": {
                "is_multi_part": false, "content_type": "x", "size": 3, "seq": 1, "file_name": "f",
                "file_type": "t", "md5": "m", "description": "d",
            },
            "properties": {
                "unit": {"type": "String", "value": "C"},
                "low": {"type": "Int32", "value": -40},
                "ok": {"type": "Boolean", "value": true},
                "set": {"type": "PropertySet", "value": {"a": {"type": "Double", "value": 1.5}}},
                "list": {"type": "PropertySetList", "value": [
                    {"a": {"type": "Int32", "value": 1}}, {"a": {"type": "Int32", "value": 2}},
                ]},
            },
            "value": 5,
        },
        {"name": "n", "type": "Double", "is_null": true, "value": null},
    ]);
    assert_eq!(metrics("spBv1.0/g/NDATA/n", hex, &births), expected);
    let hex = "0880d095ffbc31120b0a0168200328013001500512070a016e200a3801120a0a0146200965a379eb4c120a0a01622011820102ff001802";
    let shown = on("spBv1.0/g/NDATA/n", &bytes_of(hex), &births);
    let expected = r#"[{"name":"h","type":"Int32","is_historical":true,"is_transient":true,"value":5},{"name":"n","type":"Double","is_null":true,"value":null},{"name":"F","type":"Float","value":123456792.0},{"name":"b","type":"Bytes","value":"0xff00"}]"#;
    let Content::Json(json) = shown.content else { panic!("{shown:?}") };
    assert!(json.contains(expected), "{json}");
}

/// Output of aiospb.
#[test]
fn json_below_the_namespace_is_json_and_said_to_be_no_sparkplug() {
    let payload = br#"{"timestamp":1700000000000,"metrics":[{"name":"x","value":1}]}"#;
    let decoded = on("spBv1.0/g/NBIRTH/n", payload, &Births::default());
    assert_eq!(decoded.format, PayloadFormat::Json);
    let problem = decoded.problem().unwrap();
    assert!(problem.starts_with("not sparkplug: not protocol buffers at byte 0"), "{problem}");
    let state = on("spBv1.0/STATE/h", b"{\"online\":true}", &Births::default());
    assert_eq!(state.mismatch, None);
}

#[test]
fn births_are_bounded_and_the_oldest_go_first() {
    let mut births = Births::default();
    // 100 metrics with names of 100 bytes each: 16 KiB and more a node.
    let birth: Vec<u8> = (0..100_u8)
        .flat_map(|alias| {
            let name = format!("{alias:0100}");
            [&[0x12, 108, 0x0a, 100][..], name.as_bytes(), &[0x10, alias, 0x20, 1, 0x50, 1]].concat()
        })
        .collect();
    for node in 0..1000 {
        births.learn(&format!("spBv1.0/g/NBIRTH/{node}"), &birth);
    }
    let (size, count) = (births.births.size(), births.births.len());
    assert!(size <= 4 << 20 && count < 300, "{size} of {count}");
    let name =
        |node| metrics(&format!("spBv1.0/g/NDATA/{node}"), "1204 1005 5001", &births)[0]["name"].take();
    assert_eq!((name(0), name(999).as_str().map(str::len)), (Value::Null, Some(100)));
    // Only the first MiB of a larger birth is remembered.
    births.learn("spBv1.0/g/NBIRTH/large", &birth.repeat(1000));
    assert!(births.births.size() <= 4 << 20);
}
