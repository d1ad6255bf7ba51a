//! `mq pub --ndjson`: a message for each line, mistakes in lines, and copies from broker to broker.

use super::support::*;
use std::fmt::Write;

#[test]
fn a_line_says_where_its_message_goes_and_how() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.speak_v5();
        client.expect("10 (`MQTT` 05 02 003c (11 00000e10) `me`)");
        client.send("20 (00 00 ())");
        client.expect("31 (`home/a` (03 `x` 26 `k` `v`) 'hi')");
        client.expect("30 (`t` () ff00)");
        client.expect("30 (`t` () '{\"n\": 1.10}')");
        client.expect("32 (`t` 0001 ())");
        client.send("40 (0001 00 ())");
        client.expect("e0 (00 (11 00000000))");
    });
    let lines = concat!(
        r#"{"topic":"home/a","payload":"hi","retain":true,"#,
        r#""properties":{"content_type":"x","topic_alias":7,"subscription_identifiers":[1],"user_properties":[["k","v"]]}}"#,
        "\n\r\n",
        r#"{"time":"x","dup":true,"packet_id":9,"payload":"/wA=","payload_encoding":"base64"}"#,
        "\r\n\n",
        r#"{"payload":{"n": 1.10}}"#,
        "\n",
        r#"{"qos":1,"payload":null}"#,
    );
    peer.mq("pub -i me -t t --ndjson").stdin(lines).run().succeed();
    peer.finish();
}

#[test]
fn options_hold_where_a_line_says_nothing_else() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("33 (`t` 0001 (03 `json` 26 `k` `v`) 'x')");
        client.expect("30 (`t` (03 `own` 26 `k` `v`) 'x')");
        client.send("40 (0001)");
        client.expect("e0 (00 (11 00000000))");
    });
    let lines = "{\"payload\":\"x\"}\n{\"payload\":\"x\",\"qos\":0,\"retain\":false,\"properties\":{\"content_type\":\"own\"}}\n";
    let options = "-D publish content-type json -D publish user-property k v";
    peer.mq(&format!("pub -t t -q 1 -r --ndjson {options}")).stdin(lines).run().succeed();
    peer.finish();
}

#[test]
fn the_first_bad_line_ends_it_and_earlier_messages_are_acknowledged() {
    for (line, parts) in [
        (r#"{"topci":"a"}"#, &["line 3", "column 8", "topci", "topic"][..]),
        (r#"{"topic":"a" "qos":1}"#, &["line 3", "column 14", "expected"]),
        ("not JSON", &["line 3", "column 2", "expected"]),
        (r#"{"qos":3}"#, &["line 3", "column 8", "QoS"]),
        (r#"{"payload":"x"}"#, &["line 3", "topic", "-t"]),
        (r#"{"topic":"a/#"}"#, &["line 3", "a/#", "wildcard"]),
    ] {
        let peer = ScriptedPeer::accepting_v5("", |client| {
            client.expect("32 (`a` 0001 () 'one')");
            client.expect_quiet();
            client.send("40 (0001)");
            client.expect("e0 (00 (11 00000000))");
        });
        let lines =
            format!("{{\"topic\":\"a\",\"payload\":\"one\",\"qos\":1}}\n\n{line}\n{{\"topic\":\"a\"}}\n");
        let finished = peer.mq("pub --ndjson").stdin(lines).run();
        peer.finish();
        assert_says(&finished.fail(1), parts);
    }
}

#[test]
fn before_mqtt_5_properties_are_left_out_with_a_word() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 'x') 30 (`a` 'y') e0 ()"));
    let line = |payload| format!("{{\"payload\":\"{payload}\",\"properties\":{{\"content_type\":\"t\"}}}}\n");
    let finished = peer.mq("pub -V 311 -t a --ndjson").stdin(line("x") + &line("y")).run();
    peer.finish();
    assert_says(&finished.stderr, &["line 1", "MQTT 5", "-V"]);
    assert_eq!(finished.stderr.lines().count(), 1);
    finished.succeed();
}

#[test]
fn a_message_is_sent_again_as_it_was() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v5("");
        client.expect("32 (`one` 0001 (03 `x`) '1') 35 (`two` 0002 () '2')");
        drop(client);
        let mut client = peer.accept();
        client.speak_v5();
        client.expect_type(0x10);
        client.send("20 (01 00 ())");
        client.expect("3a (`one` 0001 (03 `x`) '1') 3d (`two` 0002 () '2')");
        client.send("40 (0001) 50 (0002)");
        client.expect("62 (0002)");
        client.send("70 (0002)");
        client.expect("e0 ()");
    });
    let lines = concat!(
        r#"{"topic":"one","qos":1,"payload":"1","properties":{"content_type":"x"}}"#,
        "\n",
        r#"{"topic":"two","qos":2,"payload":"2","retain":true}"#,
        "\n"
    );
    peer.mq("pub --ndjson -i me -c").stdin(lines).run().succeed();
    peer.finish();
}

#[test]
fn a_rejected_message_is_named_by_its_own_topic() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("32 (`one` 0001 ()) 32 (`two` 0002 ())");
        client.send("40 (0001) 40 (0002 87)");
        client.expect("e0 (00 (11 00000000))");
    });
    let finished = peer.mq("pub --ndjson -q 1").stdin("{\"topic\":\"one\"}\n{\"topic\":\"two\"}\n").run();
    peer.finish();
    assert_says(&finished.fail(3), &["to two", "not authorized"]);
}

#[test]
fn lines_can_be_long() {
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber("-t a -C 1 -N");
    let payload = "x".repeat(5_000_000);
    broker.mq("pub -t a --ndjson").stdin(format!("{{\"payload\":\"{payload}\"}}\n")).run().succeed();
    assert!(subscriber.finish().succeed() == payload);
}

#[test]
fn options_that_cannot_hold_for_all_lines_are_refused() {
    for (options, parts) in [
        ("--ndjson -l", &["--ndjson", "-l"][..]),
        ("--ndjson -m x", &["--ndjson", "-m"]),
        ("--ndjson -D publish topic-alias 1", &["topic-alias", "topics of their own"]),
        ("-V 311 --ndjson -D publish content-type x", &["-D", "MQTT 5"]),
    ] {
        assert_says(&mq(&format!("pub -h 127.0.0.1 -p 9 {options}")).run().fail(2), parts);
    }
}

/// Messages of all kinds, a line each.
fn mixed_messages(count: usize) -> String {
    let mut lines = String::new();
    for number in 0..count {
        let retain = number % 10 == 0;
        let _ = write!(lines, "{{\"topic\":\"mixed/{}/{}\",\"retain\":{retain},", number % 7, number % 50);
        let _ = match number % 4 {
            0 => write!(lines, "\"payload_encoding\":\"hex\",\"payload\":\"ff00{number:08x}\""),
            1 => write!(lines, "\"payload\":\"é\\u0000\\n {number}\""),
            2 => write!(lines, "\"payload\":{{\"number\":{number}.10}}"),
            _ => write!(lines, "\"payload\":null"),
        };
        let _ = match number % 3 {
            0 => {
                write!(lines, ",\"properties\":{{\"user_properties\":[[\"n\",\"{number}\"],[\"n\",\"é\"]]}}")
            }
            1 => {
                write!(lines, ",\"properties\":{{\"content_type\":\"c\",\"correlation_data\":\"{number}\"}}")
            }
            _ => Ok(()),
        };
        lines += "}\n";
    }
    lines
}

/// The objects on these lines, without what belongs to the connection.
fn objects(lines: &str) -> Vec<serde_json::Value> {
    let object = |line| {
        let mut object: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["time", "packet_id", "dup"] {
            object.as_object_mut().unwrap().remove(key);
        }
        object
    };
    lines.lines().map(object).collect()
}

#[test]
fn ten_thousand_mixed_messages_are_copied_as_they_are() {
    let (one, two) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let options = "-V 5 -t mixed/# -q 1 --retain-as-published --json -C 10000";
    let source = one.subscriber(options);
    let target = two.subscriber(options);
    one.mq("pub -q 1 --ndjson").stdin(mixed_messages(10_000)).run().succeed();
    let original = source.finish().succeed();
    two.mq("pub --ndjson").stdin(original.as_str()).run().succeed();
    let copy = target.finish().succeed();
    let (original, copy) = (objects(&original), objects(&copy));
    assert_eq!(original.len(), 10_000);
    for (original, copy) in original.iter().zip(&copy) {
        assert_eq!(original, copy);
    }
    let kept = ["sub -V 5 -t mixed/# --retained-only --json -q 1 -C 35"; 2];
    let [kept_by_one, kept_by_two] = [one.mq(kept[0]).run().succeed(), two.mq(kept[1]).run().succeed()];
    let sorted = |lines: &str| {
        let mut objects: Vec<String> = objects(lines).iter().map(ToString::to_string).collect();
        objects.sort();
        objects
    };
    assert_eq!(sorted(&kept_by_one), sorted(&kept_by_two));
}

#[test]
fn a_byte_order_mark_may_precede_each_line() {
    let mark = "\u{feff}";
    let line = r#"{"topic":"a","payload":"one"}"#;
    let peer =
        ScriptedPeer::accepting_v5("", |client| client.expect("30 (`a` () 'one') e0 (00 (11 00000000))"));
    peer.mq("pub --ndjson").stdin(format!("{mark}{line}\n")).run().succeed();
    peer.finish();
    // As in files that were concatenated.
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("30 (`a` () 'one') 30 (`a` () 'one') e0 (00 (11 00000000))");
    });
    peer.mq("pub --ndjson").stdin(format!("{mark}{line}\n{mark}{line}\n")).run().succeed();
    peer.finish();
    for lines in [format!("{mark}{mark}{line}\n"), format!(" {mark}{line}")] {
        let peer = ScriptedPeer::accepting_v5("", |client| client.expect("e0 (00 (11 00000000))"));
        assert_says(&peer.mq("pub --ndjson").stdin(lines).run().fail(1), &["line ", "expected"]);
        peer.finish();
    }
}
