//! `mq rr`: the request waits for the subscription, and only its own answer counts.

use super::support::*;

/// Plays the responder of MQTT 5 on a broker: answers the first request on a topic with what it brought.
fn respond(broker: &(impl Server + ?Sized), filter: &str) -> Wire {
    let mut responder = Wire::v5(broker, "responder", "");
    responder.send(&format!("82 (0001 () `{filter}` 00)"));
    responder.expect("90 (0001 () 00)");
    responder
}

/// The value of a property of a message, as it is on the wire.
fn property(message: &wire::Message, id: u8) -> Vec<u8> {
    let all = wire::properties(&message.properties);
    all.into_iter().find(|(found, _)| *found == id).expect("the property is there").1
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut field = (bytes.len() as u16).to_be_bytes().to_vec();
    field.extend(bytes);
    field
}

/// PUBLISH at QoS 0 with these correlation data, which have their length in front.
fn answer(topic: &[u8], correlation_data: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut properties = vec![0x09];
    properties.extend(correlation_data);
    let mut body = string(topic);
    body.push(properties.len() as u8);
    body.extend(properties);
    body.extend(payload);
    let mut packet = vec![0x30, body.len() as u8];
    packet.extend(body);
    packet
}

#[test]
fn the_request_goes_out_after_suback_and_carries_where_to_answer() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.speak_v5();
        client.expect("10 (`MQTT` 05 02 003c () `me`)");
        client.send("20 (00 00 ())");
        client.expect("82 (0001 () `re` 00)");
        client.expect_quiet();
        client.send("90 (0001 () 00)");
        client.expect("30 (`ask` (09 0010 ................................ 08 `re`) 'hello')");
    });
    let mut running = peer.mq("rr -i me -t ask -e re -m hello").spawn();
    peer.finish();
    running.kill();
}

#[test]
fn only_an_answer_with_our_correlation_data_counts() {
    on_each_broker(|broker| {
        let mut responder = respond(broker, "ask");
        let asking = broker.mq("rr -t ask -m question -v").spawn();
        let request = responder.expect_publish();
        assert_eq!(request.payload, b"question");
        let (topic, correlation) = (property(&request, 8), property(&request, 9));
        let mut wrong = correlation.clone();
        wrong[2] ^= 1;
        responder.send_bytes(&answer(&topic[2..], &wrong, b"wrong"));
        responder.send_bytes(&answer(&topic[2..], &correlation, b"right"));
        let finished = asking.finish();
        assert_says(&finished.stderr, &["correlation data"]);
        let topic = String::from_utf8(topic[2..].to_vec()).unwrap();
        assert_eq!(finished.succeed(), format!("{topic} right\n"));
    });
}

#[test]
fn several_answers_can_be_waited_for() {
    on_each_broker(|broker| {
        let mut responder = respond(broker, "ask");
        let asking = broker.mq("rr -t ask -n --count 3").spawn();
        let request = responder.expect_publish();
        let (topic, correlation) = (property(&request, 8), property(&request, 9));
        for payload in [b"one", b"two", b"six"] {
            responder.send_bytes(&answer(&topic[2..], &correlation, payload));
        }
        assert_eq!(asking.finish().succeed(), "one\ntwo\nsix\n");
    });
}

#[test]
fn typed_correlation_data_are_sent_and_checked() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("82 (0001 () `re` 00)");
        client.send("90 (0001 () 00)");
        client.expect("30 (`ask` (09 `mine` 08 `re`))");
        client.send("30 (`re` (09 `yours`) 'no')  30 (`re` () 'no')  30 (`re` (09 `mine`) 'yes')");
        client.expect("e0 ()");
    });
    let finished = peer.mq("rr -t ask -e re -n -D publish correlation-data mine").run();
    peer.finish();
    assert_eq!(finished.succeed(), "yes\n");
}

#[test]
fn before_mqtt_5_the_first_message_is_the_answer_and_the_end_is_a_disconnect() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `re` 01)");
        client.send("90 (0001 01)");
        client.expect("32 (`ask` 0002 'q')");
        client.send("40 (0002)  32 (`re` 0001 'a')");
        client.expect("40 (0001)");
        client.expect("e0 ()");
    });
    let finished = peer.mq("rr -V 311 -t ask -e re -m q -q 1").run();
    peer.finish();
    assert_eq!(finished.succeed(), "a\n");
}

#[test]
fn a_kept_answer_is_left_out_with_R() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `re` 00)");
        client.send("90 (0001 00)  31 (`re` 'old')");
        client.expect("30 (`ask`)");
        client.send("30 (`re` 'new')");
    });
    assert_eq!(peer.mq("rr -V 311 -t ask -e re -n -R").run().succeed(), "new\n");
    peer.finish();
}

#[test]
fn the_latency_is_reported_in_four_units() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00)");
        client.expect_type(0x30);
        client.send("30 (`re` 'a')");
    });
    let output = peer.mq("rr -V 311 -t ask -e re -n --latency").run().succeed();
    let line = output.strip_prefix("a\nLatency: ").expect("the answer, and then the latency");
    let units: Vec<&str> = line.trim_end().split(" | ").collect();
    assert!(units[0].ends_with("ns") && units[1].ends_with("µs") && units[2].ends_with("ms"), "{line}");
    let nanoseconds: f64 = units[0].trim_end_matches("ns").parse().unwrap();
    let seconds: f64 = units[3].parse().unwrap();
    assert!((nanoseconds / 1e9 - seconds).abs() < 1e-9, "{line}");
}

#[test]
fn no_answer_in_time_is_status_27() {
    on_each_broker(|broker| {
        let finished = broker.mq("rr -t nobody -n -W 1").run();
        assert_eq!(finished.stdout, b"");
        assert_says(&finished.fail(27), &["1 s"]);
    });
}

#[test]
fn a_rejected_subscription_or_request_is_status_3() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 (1f `not yours`) 87)");
    });
    let finished = peer.mq("rr -t ask -e re -n").run();
    peer.finish();
    assert_says(&finished.fail(3), &["re", "not authorized", "not yours"]);

    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect_type(0x82);
        client.send("90 (0001 () 01)");
        client.expect_type(0x32);
        client.send("40 (0002 87 (1f `not you`))");
    });
    let finished = peer.mq("rr -t ask -e re -n -q 1").run();
    peer.finish();
    assert_says(&finished.fail(3), &["ask", "not authorized", "not you"]);
}

#[test]
fn a_connection_lost_before_the_answer_is_status_7() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect_type(0x82);
        client.send("90 (0001 00)");
        client.expect_type(0x30);
    });
    peer.mq("rr -V 311 -t ask -e re -n").run().fail(7);
    peer.finish();
}

#[test]
fn options_that_cannot_work_are_reported_before_connecting() {
    for (options, parts) in [
        ("-n", &["-t"][..]),
        ("-t a", &["-m", "-n"]),
        ("-t a/# -n", &["-t", "#"]),
        ("-t a -e a/+ -n", &["-e", "+"]),
        ("-t a -n -V 311", &["-e"]),
        ("-t a -e b -n -V 311 --retain-as-published", &["--retain-as-published", "MQTT 5"]),
        ("-t a -n -D publish response-topic b", &["response-topic", "-e"]),
        ("-t a -n -m b", &["-n", "-m"]),
        ("-t a -n --count 0", &["--count", "0"]),
        ("-t a -n -W 0", &["-W", "0"]),
        ("-t a -n -r", &["-r"]),
        ("-t a -l", &["-l"]),
        ("-t a -n -C 1", &["-C"]),
    ] {
        let finished = mq(&format!("rr -h 127.0.0.1 -p 9 {options}")).run();
        assert_says(&finished.fail(2), parts);
    }
}

#[test]
fn an_answer_on_a_renamed_topic_is_an_answer() {
    let peer = ScriptedPeer::accepting_v5("", |client| {
        client.expect("82 (0001 () `rs.1/x` 00)");
        client.send("90 (0001 () 00)");
        client.expect("30 (`ask` (09 `mine` 08 `rs.1/x`))");
        client
            .send("30 (`rs/1/x` (09 `yours`) 'no')  30 (`rs/1/x` () 'no')  30 (`rs/1/x` (09 `mine`) 'yes')");
        client.expect("e0 ()");
    });
    let finished = peer.mq("rr -t ask -e rs.1/x -n -D publish correlation-data mine").run();
    peer.finish();
    let first = "left out a message on rs/1/x with other correlation data";
    assert_says(&finished.stderr, &[first, "left out 2 messages in total"]);
    assert_eq!(finished.succeed(), "yes\n");
}

#[test]
fn before_mqtt_5_an_answer_on_a_renamed_topic_is_an_answer() {
    for (options, connack) in [("", "20 (00 00)"), ("-c -i me", "20 (01 00)")] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.expect_type(0x10);
            client.send(connack);
            client.expect_type(0x82);
            client.send("90 (0001 00)");
            client.expect_type(0x30);
            client.send("30 (`rs/1/x` 'yes')");
            client.expect("e0 ()");
        });
        let finished = peer.mq(&format!("rr -V 311 -t ask -e rs.1/x -n {options}")).run();
        peer.finish();
        assert_eq!(finished.succeed(), "yes\n");
    }
}

#[test]
fn another_subscription_of_a_kept_session_brings_no_answer() {
    let peer = ScriptedPeer::start(|peer| {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send("20 (01 00)");
        client.expect_type(0x82);
        client.send("90 (0001 00)");
        client.expect_type(0x30);
        client.send("30 (`old` 'no')  30 (`re` 'yes')");
        client.expect("e0 ()");
    });
    let finished = peer.mq("rr -V 311 -c -i me -t ask -e re -n").run();
    peer.finish();
    assert_says(&finished.stderr, &["left out a message on old", "another subscription"]);
    assert_eq!(finished.succeed(), "yes\n");
}
