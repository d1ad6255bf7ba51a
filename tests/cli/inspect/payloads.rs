//! What payloads hold.

use super::*;

const CAPTURE: &str = "29-craft-payload-formats.pcap";

/// Topics, formats and values of payloads that are not plain text.
fn decoded(options: &str) -> Vec<(String, String, Value)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    packets(inspect(CAPTURE, options))
        .iter()
        .filter(|packet| packet.get("payload_format").is_some())
        .map(|packet| {
            let value = packet.get("payload_decoded").unwrap_or(&packet["payload_problem"]);
            (text(&packet["topic"]), text(&packet["payload_format"]), value.clone())
        })
        .collect()
}

#[test]
fn formats_are_recognised() {
    let found = decoded("");
    let formats: Vec<_> = found.iter().map(|(topic, format, _)| (topic.as_str(), format.as_str())).collect();
    let expected = [
        ("spBv1.0/Plant1/NBIRTH/Edge1", "sparkplug"),
        ("cbor", "cbor"),
        ("msgpack", "msgpack"),
        ("gz", "gzip+json"),
    ];
    assert_eq!(formats, expected);
    let value: Value = serde_json::from_str(r#"{"a":1000,"b":[true,null]}"#).unwrap();
    assert_eq!((&found[1].2, &found[2].2), (&value, &value));
    let names: Vec<_> =
        found[0].2["metrics"].as_array().unwrap().iter().map(|metric| &metric["name"]).collect();
    assert_eq!(names, ["bdSeq", "Temperature"]);
    assert_eq!(found[0].2["metrics"][1]["value"], 21.5);
}

#[test]
fn lines_show_decoded_payloads() {
    let shown = mq("inspect --filter type=PUBLISH").arg(corpus(CAPTURE)).run().succeed();
    let parts = [
        "\"cbor\" QoS 0, 11 bytes cbor {\"a\":1000,\"b\":[true,null]}\n",
        "bytes gzip+json {",
        "bytes json {\"a\":[1,2,{\"b\":null}],\"s\":\"\u{e9}\"}\n",
        "sparkplug {\"timestamp\":1700000000000,",
        "4 bytes \"21.5\"\n",
    ];
    assert_says(&shown, &parts);
}

#[test]
fn text_has_the_value_indented() {
    let shown = mq("inspect --format text --filter topic=cbor").arg(corpus(CAPTURE)).run().succeed();
    let margin = " ".repeat(20);
    let lines = ["as cbor:", "  {", "    \"a\": 1000,"].map(|line| format!("{margin}{line}\n")).concat();
    assert!(shown.contains(&lines), "{shown}");
}

#[test]
fn a_format_can_be_chosen() {
    let publish = "30 07 00 01 61 82 01 02 03";
    for (format, payload) in [
        ("auto", "82 01 02 03"),
        ("text", "82 01 02 03"),
        ("hex", "82 01 02 03"),
        ("cbor", "not cbor (more than one value at byte 3): 82 01 02 03"),
        ("msgpack", "not msgpack (it ends too early at byte 4): 82 01 02 03"),
        ("gzip", "not gzip (damaged compressed data at byte 0): 82 01 02 03"),
        ("json", "not json (not JSON at byte 0): 82 01 02 03"),
    ] {
        let shown = mq("inspect -V 311 --payload").arg(format).arg("--hex").arg(publish).run().succeed();
        assert!(shown.ends_with(&format!("4 bytes {payload}\n")), "{format}: {shown}");
    }
    let hidden = decoded("--payload hex");
    assert!(hidden.is_empty(), "{hidden:?}");
    mq("inspect --payload xml --hex c000").run().fail(2);
}

/// A PUBLISH of QoS 0 in hexadecimal.
fn publish(topic: &str, payload: &str) -> String {
    let payload = payload.replace(' ', "");
    let topic: String = topic.bytes().map(|byte| format!("{byte:02x}")).collect();
    let length = 2 + topic.len() / 2 + payload.len() / 2;
    assert!(length < 128);
    format!("30{length:02x}{:04x}{topic}{payload}", topic.len() / 2)
}

/// pysparkplug 0.6.1: Temp of type Int8 with the alias 7, and a change of it.
const BIRTH: &str = "0880d095ffbc31120d0a0454656d701007200150d7011800";
const DATA: &str = "0881d095ffbc31 1205 1007 50d701 1801";

fn typed(packets: &[String], options: &str) -> String {
    mq(&format!("inspect -V 311 {options} --hex")).arg(packets.concat()).run().succeed()
}

#[test]
fn sparkplug_data_has_the_names_of_its_birth() {
    let data = publish("spBv1.0/g/NDATA/n", DATA);
    let alone = typed(std::slice::from_ref(&data), "");
    assert_says(&alone, &[r#"{"name":null,"alias":7,"type":null,"raw":"0xd7"}"#]);
    let birth = publish("spBv1.0/g/NBIRTH/n", BIRTH);
    for options in ["", "--filter topic=spBv1.0/+/NDATA/#", "--format json"] {
        let shown = typed(&[birth.clone(), data.clone()], options);
        assert_says(&shown, &[r#"{"name":"Temp","alias":7,"type":"Int8","value":-41}"#]);
    }
}

#[test]
fn births_that_a_broker_keeps_are_read() {
    let birth = publish("$sparkplug/certificates/spBv1.0/g/NBIRTH/n", BIRTH);
    let shown = typed(&[birth, publish("spBv1.0/g/NDATA/n", DATA)], "");
    assert_says(
        &shown,
        &[
            "sparkplug {\"timestamp\":1700000000000,",
            r#"{"name":"Temp","alias":7,"type":"Int8","value":-41}"#,
        ],
    );
}

#[test]
fn sparkplug_below_other_levels_is_read_if_it_is_named() {
    let packets = [publish("site/spBv1.0/g/NBIRTH/n", BIRTH), publish("site/spBv1.0/g/NDATA/n", DATA)];
    assert!(!typed(&packets, "").contains("sparkplug"));
    assert_says(
        &typed(&packets, "--payload sparkplug"),
        &[r#"{"name":"Temp","alias":7,"type":"Int8","value":-41}"#],
    );
}

#[test]
fn json_below_sparkplugs_topics_is_shown_as_json() {
    let packet = [publish("spBv1.0/g/NBIRTH/n", "7b2278223a317d")];
    let problem = "not sparkplug: not protocol buffers at byte 0";
    assert_says(&typed(&packet, ""), &[&format!("json ({problem}) {{\"x\":1}}")]);
    assert_says(&typed(&packet, "--format text"), &[problem, "as json:"]);
    assert_says(&typed(&packet, "--format json"), &[&format!("\"payload_problem\":\"{problem}\"")]);
}

#[test]
fn keys_that_are_there_twice_and_long_numbers_stay_in_every_view() {
    // {"a": 1, "a": 2^64} in CBOR.
    let packet = [publish("t", "a2616101 6161c249010000000000000000")];
    for options in ["", "--format json"] {
        assert_says(&typed(&packet, options), &[r#"{"a":1,"a":18446744073709551616}"#]);
    }
    assert_says(&typed(&packet, "--format text"), &["\"a\": 1,\n", "\"a\": 18446744073709551616\n"]);
}

#[test]
fn compressed_payloads_that_are_not_decompressed_are_named() {
    let xz = "fd377a585a000004e6d6b446";
    assert_says(&typed(&[publish("t", xz)], ""), &["xz (decompression is not supported): fd 37 7a 58 5a"]);
    let packet = [publish("t", xz)];
    let shown = typed(&packet, "--format json");
    assert_says(
        &shown,
        &["\"payload_format\":\"xz\",\"payload_problem\":\"decompression is not supported\""],
    );
    assert_says(&typed(&packet, "--format text"), &["xz: decompression is not supported"]);
}
