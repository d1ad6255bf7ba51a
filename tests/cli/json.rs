//! `mq sub --json`: an object for each message, whatever the message holds.

use super::support::*;

/// What is printed of these packets, without the time.
fn printed(version: &str, packets: &'static str, options: &str) -> Vec<String> {
    let is_v5 = version == "5";
    let peer = ScriptedPeer::start(move |peer| {
        let mut client = if is_v5 { peer.accept_v5("") } else { peer.accept_v311() };
        client.expect_type(0x82);
        client.send(if is_v5 { "90 (0001 () 02)" } else { "90 (0001 02)" });
        client.send(packets);
    });
    let finished = peer.mq(&format!("sub -V {version} -t # -q 2 --json -C 1 {options}")).run();
    peer.finish();
    let stdout = finished.succeed();
    stdout
        .lines()
        .map(|line| line.split_once(",\"topic\"").expect("the topic follows").1.to_owned())
        .collect()
}

#[test]
fn an_object_tells_all_of_a_message() {
    let plain = "33 (`home/\"a\"` 0007 'text')";
    assert_eq!(
        printed("311", plain, ""),
        [r#":"home/\"a\"","qos":1,"retain":true,"packet_id":7,"payload_encoding":"utf8","payload":"text"}"#]
    );
    let v5 = "30 (`a` (26 `k` `1`  0b 07  01 01  02 0000003c  26 `k` `2`  0b 08  03 `x`  08 `r`  09 0001 ff) ff 00)";
    let properties = concat!(
        r#""properties":{"payload_format_indicator":1,"message_expiry_interval":60,"content_type":"x","#,
        r#""response_topic":"r","correlation_data_encoding":"base64","correlation_data":"/w==","#,
        r#""subscription_identifiers":[7,8],"user_properties":[["k","1"],["k","2"]]}}"#
    );
    assert_eq!(
        printed("5", v5, ""),
        [format!(r#":"a","qos":0,"retain":false,"payload_encoding":"base64","payload":"/wA=",{properties}"#)]
    );
}

#[test]
fn the_time_is_universal_and_has_nanoseconds() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`a` 'x')");
    });
    let stdout = peer.mq("sub -t a -C 1 --json").run().succeed();
    peer.finish();
    let object: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let time = object["time"].as_str().unwrap();
    assert_eq!(time.len(), "2026-11-21T06:01:23.123456789Z".len(), "{time}");
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
}

#[test]
fn pretty_takes_more_than_a_line() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00) 30 (`a` 'x')");
    });
    let stdout = peer.mq("sub -t a -C 1 --json --pretty").run().succeed();
    peer.finish();
    assert_says(&stdout, &["{\n\t\"time\":\t\"", "\t\"payload\":\t\"x\"\n}\n"]);
}

#[test]
fn every_payload_makes_valid_json() {
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber("-t a -q 1 --json -C 256");
    // Each byte alone, in hexadecimal, so that line ends and invalid UTF-8 pass.
    let lines: String = (0..=255)
        .map(|byte| format!("{{\"payload\":\"{byte:02x}\",\"payload_encoding\":\"hex\"}}\n"))
        .collect();
    broker.mq("pub -t a -q 1 --ndjson").stdin(lines).run().succeed();
    let stdout = subscriber.finish().succeed();
    assert_eq!(stdout.lines().count(), 256);
    for (line, byte) in stdout.lines().zip(0..=255u8) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        let payload = object["payload"].as_str().unwrap();
        match object["payload_encoding"].as_str().unwrap() {
            "utf8" => assert_eq!(payload.as_bytes(), [byte]),
            encoding => assert_eq!((encoding, payload.len()), ("base64", 4)),
        }
    }
}
