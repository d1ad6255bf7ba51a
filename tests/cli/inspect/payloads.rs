//! What payloads hold.

use super::*;

const CAPTURE: &str = "29-craft-payload-formats.pcap";

/// Topics, formats and values, of what is not plain text.
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
fn lines_have_what_payloads_hold() {
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
        ("json", "not json (no JSON at byte 0): 82 01 02 03"),
    ] {
        let shown = mq("inspect -V 311 --payload").arg(format).arg("--hex").arg(publish).run().succeed();
        assert!(shown.ends_with(&format!("4 bytes {payload}\n")), "{format}: {shown}");
    }
    let hidden = decoded("--payload hex");
    assert!(hidden.is_empty(), "{hidden:?}");
    mq("inspect --payload xml --hex c000").run().fail(2);
}
