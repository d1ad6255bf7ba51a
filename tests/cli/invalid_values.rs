//! Messages with values that their publisher should not have sent and that a broker forwards: a subscriber prints them, says
//! what is wrong and acknowledges them. A packet that cannot be read still ends the connection.

use super::support::*;

/// What a bad publisher's message holds between the topic `bad/one` and its payload, and parts of the note.
const BAD_PROPERTIES: &[(&str, &[&str])] = &[
    ("08 `a/#`", &["response topic \"a/#\"", "wildcards", "kept as received"]),
    ("08 0000", &["response topic \"\"", "empty"]),
    ("01 02", &["payload-format-indicator 2", "kept as received"]),
    ("03 0003 61ff62", &["content-type is not valid UTF-8", "U+FFFD"]),
    ("03 0003 610062", &["content-type contains a null character", "U+FFFD"]),
    ("08 0003 61ff62", &["response-topic is not valid UTF-8"]),
    ("26 0001 ff 0001 62", &["user property name is not valid UTF-8"]),
    ("26 0001 61 0002 0062", &["user property value contains a null character"]),
    ("01 00 01 01", &["duplicate property payload-format-indicator", "left out"]),
    ("03 `x` 03 `y`", &["duplicate property content-type", "left out"]),
    ("09 `x` 09 `y`", &["duplicate property correlation-data", "left out"]),
    ("02 00000001 02 00000002", &["duplicate property message-expiry-interval"]),
    ("11 00000001", &["session-expiry-interval is not allowed here", "left out"]),
    ("0b 00", &["subscription-identifier 0"]),
];

/// Accepts `mq sub -q 1` and sends it one PUBLISH of QoS 1 with the identifier 7, which must be acknowledged.
fn peer_with(publish: String) -> ScriptedPeer {
    ScriptedPeer::accepting_v5("", move |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 01)");
        client.send(&publish);
        client.expect("40 (0007) e0 ()");
    })
}

#[test]
fn a_message_with_a_bad_property_is_printed_and_acknowledged() {
    for (properties, parts) in BAD_PROPERTIES {
        let peer = peer_with(format!("32 (`bad/one` 0007 ({properties}) 'payload')"));
        let finished = peer.mq("sub -V 5 -t # -q 1 -v -C 1").run();
        peer.finish();
        assert_says(&finished.stderr, &["mq sub:", "bad/one"]);
        assert_says(&finished.stderr, parts);
        assert_eq!(finished.succeed(), "bad/one payload\n", "{properties}");
    }
}

#[test]
fn a_message_with_a_bad_topic_is_printed_and_acknowledged() {
    for (topic, printed, part) in [
        ("`a/+`", "a/+", "wildcards"),
        ("0003 61ff62", "a\u{fffd}b", "topic name is not valid UTF-8"),
        ("0003 610062", "a\u{fffd}b", "topic name contains a null character"),
        ("0000", "", "empty topic name"),
    ] {
        let peer = peer_with(format!("32 ({topic} 0007 () 'payload')"));
        let finished = peer.mq("sub -V 5 -t # -q 1 -v -C 1").run();
        peer.finish();
        assert_says(&finished.stderr, &[part]);
        assert_eq!(finished.succeed(), format!("{printed} payload\n"));
    }
}

#[test]
fn before_mqtt_5_a_bad_topic_or_flag_does_not_end_it_either() {
    for (publish, printed, part) in [
        ("30 (`a/#` 'x')", "a/# x\n", "wildcards"),
        ("30 (0002 c328 'x')", "\u{fffd}( x\n", "not valid UTF-8"),
        ("30 (0000 'x')", " x\n", "empty"),
        ("38 (`a` 'x')", "a x\n", "DUP is set at QoS 0"),
    ] {
        let peer = ScriptedPeer::accepting(move |client| {
            client.expect_type(0x82);
            client.send(&format!("90 (0001 00) {publish}"));
            client.expect("e0 ()");
        });
        let finished = peer.mq("sub -t # -v -C 1").run();
        peer.finish();
        assert_says(&finished.stderr, &[part]);
        assert_eq!(finished.succeed(), printed);
    }
}

#[test]
fn a_packet_that_cannot_be_read_ends_it() {
    for (publish, part) in [
        ("36 (`a` 0007 () 'x')", "QoS 3"),
        ("32 (`a` 0000 () 'x')", "packet identifier 0"),
        ("32 (`a` 0007 (7f 00) 'x')", "unknown property 0x7f"),
        ("32 (`a` 0007 05 01 00)", "truncated properties"),
        ("32 (`a` 0007 (03 0009 61) 'x')", "truncated content-type"),
        ("32 (0009 61)", "truncated topic name"),
        ("32 (`a` 0007 (23 0000) 'x')", "topic-alias 0"),
        ("32 (`a` 0007 (23 0001 23 0001) 'x')", "duplicate property topic-alias"),
    ] {
        let peer = ScriptedPeer::accepting_v5("", move |client| {
            client.expect_type(0x82);
            client.send(&format!("90 (0001 () 01) {publish}"));
        });
        assert_says(&peer.mq("sub -V 5 -t # -q 1").run().fail(7), &["bad packet", "PUBLISH", part]);
        peer.finish();
    }
}

#[test]
fn a_kept_session_gets_past_the_bad_message_of_a_stranger() {
    on_forwarding_mosquitto(|broker, publish| {
        broker.mq("sub -V 5 -c -i s -q 1 -t t/# -E").run().succeed();
        publish("before", "");
        publish("bad", "08 `a/#` 01 02");
        publish("after", "");
        let finished = broker.mq("sub -V 5 -c -i s -q 1 -t t/# -C 3 -F %p").run();
        assert_says(&finished.stderr, &["t/one", "payload-format-indicator 2", "response topic \"a/#\""]);
        assert_eq!(finished.succeed(), "before\nbad\nafter\n");
        publish("last", "");
        assert_eq!(broker.mq("sub -V 5 -c -i s -q 1 -t t/# -C 1").run().succeed(), "last\n");
    });
}

/// Runs a test with mosquitto, if it is installed, and with a function that publishes a payload to `t/one` with such properties.
fn on_forwarding_mosquitto(test: impl FnOnce(&Mosquitto, &mut dyn FnMut(&str, &str))) {
    let Some(broker) = Mosquitto::start() else { return };
    let mut publisher = Wire::v5(&broker, "stranger", "");
    test(&broker, &mut |payload, properties| {
        publisher.send(&format!("32 (`t/one` 0001 ({properties}) '{payload}')"));
        publisher.expect_type(0x40);
    });
}

#[test]
fn a_retained_message_of_a_stranger_is_shown_recorded_executed_and_deleted() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut publisher = Wire::v5(&broker, "stranger", "");
    publisher.send("33 (`t/one` 0001 (08 `a/#` 01 02) 'x')");
    publisher.expect_type(0x40);

    let json = broker.mq("sub -V 5 -t t/# --json -C 1").run().succeed();
    assert_says(&json, &[r#""payload_format_indicator":2"#, r#""response_topic":"a/#""#]);
    let environment = broker.mq("sub -V 5 -t t/# -C 1 --exec").arg("echo $MQTT_TOPIC; cat").run();
    assert_says(&environment.succeed(), &["t/one\nx"]);

    let directory = tempfile::tempdir().unwrap();
    for ending in if cfg!(feature = "sqlite") { &["ndjson", "sqlite"][..] } else { &["ndjson"] } {
        let file = directory.path().join(format!("recording.{ending}"));
        broker.mq("sub -V 5 -t t/# -C 1 --record").arg(&file).run().succeed();
        let subscriber = broker.subscriber("-V 5 -t t/# -R -v -F %t|%p|%R -C 1");
        let replayed = broker.mq("pub --speed max --replay").arg(&file).run();
        assert_says(&replayed.stderr, &["response-topic \"a/#\"", "payload-format-indicator 2", "t/one"]);
        replayed.succeed();
        // Replaying retains the message again, and mosquitto forwards it without RETAIN to existing subscribers.
        assert_eq!(subscriber.finish().succeed(), "t/one|x|\n");
        publisher.send("33 (`t/one` 0001 (08 `a/#` 01 02) 'x')");
        publisher.expect_type(0x40);
    }

    let finished = broker.mq("sub -V 5 -t t/# --remove-retained --retained-only").run();
    assert_says(&finished.stderr, &["deleted 1 ", "t/one"]);
    finished.succeed();
    assert_eq!(broker.mq("sub -V 5 -t t/# --retained-only").run().succeed(), "");
}

#[test]
fn json_output_is_published_without_its_invalid_properties() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("30 (`a` (03 `x`) 'one') 30 (`a` () 'two')");
        client.expect_type(0xe0);
    });
    let lines = concat!(
        r#"{"topic":"a","payload":"one","properties":{"payload_format_indicator":2,"content_type":"x"}}"#,
        "\n",
        r#"{"topic":"a","payload":"two","properties":{"response_topic":"a/#"}}"#,
    );
    let finished = peer.mq("pub --ndjson").stdin(lines).run();
    peer.finish();
    assert_says(
        &finished.stderr,
        &["line 1", "payload-format-indicator 2", "line 2", "response-topic \"a/#\""],
    );
    finished.succeed();
}

#[test]
fn a_retained_message_whose_topic_cannot_be_published_to_is_not_deleted() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 00)  31 (`a/+` () 'x')  31 (0002 c328 () 'x')  31 (`b` () 'x')");
        client.expect("33 (`b` 0002 ())");
        client.send("40 (0002)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -V 5 -t # --remove-retained -C 3").run();
    peer.finish();
    assert_says(&finished.fail(3), &["cannot delete a/+", "cannot delete \u{fffd}(", "deleted 1 "]);
}

#[test]
fn an_answer_with_bad_properties_is_an_answer() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        client.expect_type(0x30);
        client.send("30 (`re` (01 07 09 `mine` 08 `#`) 'yes')");
        client.expect("e0 ()");
    });
    let finished = peer.mq("rr -t ask -e re -n -D publish correlation-data mine").run();
    peer.finish();
    assert_says(&finished.stderr, &["mq rr:", "payload-format-indicator 7", "response topic \"#\""]);
    assert_eq!(finished.succeed(), "yes\n");
}

#[test]
fn a_payload_that_is_not_the_text_it_claims_to_be_is_noted() {
    let peer = peer_with("32 (`bad/one` 0007 (01 01) 'a' ff)".to_owned());
    let finished = peer.mq("sub -V 5 -t # -q 1 -F %x -C 1").run();
    peer.finish();
    assert_says(&finished.stderr, &["bad/one", "payload-format-indicator 1", "not UTF-8"]);
    assert_eq!(finished.succeed(), "61ff\n");
}

#[test]
fn a_flood_of_bad_messages_does_not_flood_standard_error() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 00)");
        client.send_bytes(&bytes::hex("30 (`a` (01 02) 'x')").repeat(1000));
        client.expect("e0 ()");
    });
    let finished = peer.mq("sub -V 5 -t # -C 1000").run();
    peer.finish();
    assert_eq!(finished.stderr.lines().count(), 100);
    assert_says(&finished.stderr, &["further notes of this kind are left out"]);
    assert_eq!(finished.succeed().lines().count(), 1000);
}

#[test]
fn a_load_test_counts_the_bad_message_of_a_stranger_and_goes_on() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept_v5("");
        client.expect_type(0x82);
        client.send("90 (0001 () 00)  30 (`a` (08 `a/#`) 'x')");
        client.expect_type(0xe0);
    });
    let finished = peer.mq("bench sub -V 5 -c 1 -t a --duration 0.5").run();
    peer.finish();
    let report = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(!report.contains("lost the connection"), "{report}");
}

#[test]
fn the_doctor_goes_on_past_the_bad_message_of_a_stranger() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut publisher = Wire::v5(&broker, "stranger", "");
    for topic in ["mq-doctor/check/x", "other"] {
        publisher.send(&format!("33 (`{topic}` 0001 (08 `a/#` 01 02) 'x')"));
        publisher.expect_type(0x40);
    }
    broker.mq("doctor -t mq-doctor/check").run().succeed();
}
