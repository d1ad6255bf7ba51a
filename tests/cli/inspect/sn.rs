//! MQTT-SN in captures and typed.

use super::*;
use crate::support::bytes::hex;
use crate::support::datagrams::datagrams;
use std::net::{SocketAddr, UdpSocket};

/// A client that registers a topic, publishes at every QoS and sleeps.
const SESSION: &str = "
    > 08 04 04 01 001e 'c1'
    < 03 05 00
    > 09 0a 0000 0001 'a/b'
    < 07 0b 0001 0001 00
    > 09 0c 20 0001 0002 'hi'
    < 07 0d 0001 0002 00
    > 09 0c 40 0001 0003 'hi'
    < 04 0f 0003
    > 04 10 0003
    < 04 0e 0003
    > 08 12 20 0004 't/#'
    < 08 13 20 0000 0004 00
    > 04 18 0014
    < 02 18
    wait 20
    > 04 16 'c1'
    < 09 0a 0002 0001 't/x'
    > 07 0b 0002 0001 00
    < 09 0c 20 0002 0001 'zz'
    > 07 0d 0002 0001 00
    < 02 17
    > 02 18
    < 02 18
";

/// The output for a capture.
fn shown(options: &str, script: &str) -> String {
    mq("inspect").words(options).env("TZ", "UTC").stdin(datagrams(script)).run().succeed()
}

/// The objects for a capture.
fn messages(options: &str, script: &str) -> Vec<Value> {
    objects(&shown(&format!("--format json {options}"), script))
}

/// The objects of the messages that a filter selects.
fn filtered(filter: &str, options: &str, script: &str) -> Vec<Value> {
    let command = mq("inspect --format json --filter").arg(filter).words(options);
    let all = objects(&command.stdin(datagrams(script)).run().succeed());
    all.into_iter().filter(|object| object["event"] == "message").collect()
}

/// The messages' lines without time and connection.
fn lines(options: &str, script: &str) -> Vec<String> {
    shown(options, script)
        .lines()
        .map(|line| line.chars().skip(20).collect::<String>().trim_start().to_owned())
        .collect()
}

/// The findings of a capture: statement and severity, except for information about the capture.
fn findings(script: &str) -> Vec<String> {
    let output = mq("inspect --lint=info --format json").stdin(datagrams(script)).run();
    let all = objects(&String::from_utf8(output.stdout).unwrap());
    let findings = all.iter().filter_map(|object| object["findings"].as_array()).flatten();
    findings
        .map(|finding| {
            format!("{} {}", finding["severity"].as_str().unwrap(), finding["statement"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn a_session_is_shown_with_topics_and_round_trips() {
    assert_eq!(
        lines("", SESSION),
        [
            "-- MQTT-SN between 10.0.0.1:40000 and the gateway 10.0.1.1:10000",
            "-> CONNECT     MQTT-SN 1.2, clean session, keep alive 30 s, client id \"c1\"",
            "<- CONNACK     accepted, after 1.000 ms",
            "-> REGISTER    \"a/b\", id 1",
            "<- REGACK      \"a/b\" (topic id 1), id 1, accepted, after 1.000 ms",
            "-> PUBLISH     \"a/b\" (topic id 1) QoS 1, id 2, 2 bytes \"hi\"",
            "<- PUBACK      \"a/b\" (topic id 1), id 2, accepted, after 1.000 ms",
            "-> PUBLISH     \"a/b\" (topic id 1) QoS 2, id 3, 2 bytes \"hi\"",
            "<- PUBREC      \"a/b\", id 3, after 1.000 ms",
            "-> PUBREL      \"a/b\", id 3, after 1.000 ms",
            "<- PUBCOMP     \"a/b\", id 3, after 1.000 ms (3.000 ms since PUBLISH)",
            "-> SUBSCRIBE   \"t/#\" QoS 1, id 4",
            "<- SUBACK      \"t/#\" QoS 1, id 4, accepted, after 1.000 ms",
            "-> DISCONNECT  sleep 20 s",
            "<- DISCONNECT  after 1.000 ms",
            "-> PINGREQ     client id \"c1\", asleep for 20.002 s",
            "<- REGISTER    \"t/x\" (topic id 2), id 1",
            "-> REGACK      \"t/x\" (topic id 2), id 1, accepted, after 1.000 ms",
            "<- PUBLISH     \"t/x\" (topic id 2) QoS 1, id 1, 2 bytes \"zz\"",
            "-> PUBACK      \"t/x\" (topic id 2), id 1, accepted, after 1.000 ms",
            "<- PINGRESP    after 5.000 ms",
            "-> DISCONNECT  asleep for 2.000 ms",
            "<- DISCONNECT  after 1.000 ms",
        ]
    );
    assert_eq!(findings(SESSION), [""; 0]);
}

#[test]
fn json_has_every_field() {
    let all = messages("", SESSION);
    assert_eq!(
        all[0],
        serde_json::json!({
            "event": "opened", "time": "2023-11-14T22:13:20.001000000Z", "frame": 1, "connection": 0,
            "protocol": "mqtt-sn", "client": "10.0.0.1:40000", "server": "10.0.1.1:10000"
        })
    );
    assert_eq!(
        all[5],
        serde_json::json!({
            "event": "message", "time": "2023-11-14T22:13:20.005000000Z", "frame": 5, "connection": 0,
            "protocol": "mqtt-sn", "direction": "c2s", "length": 9, "type": "PUBLISH", "version": "1.2",
            "client_id": "c1", "resolved_topic": "a/b", "dup": false, "qos": 1, "retain": false,
            "topic_id_type": 0, "topic_id": 1, "message_id": 2, "payload_length": 2, "payload_encoding": "utf8",
            "payload": "hi"
        })
    );
    assert_eq!(
        (&all[6]["round_trip_ns"], &all[6]["return_code"], &all[6]["reason"]),
        (&1_000_000.into(), &0.into(), &"accepted".into())
    );
    assert_eq!(all[10]["since_publish_ns"], 3_000_000);
    assert_eq!(all[15]["asleep_ns"], 20_002_000_000_u64);
    let ranges = messages("--ranges --filter type=REGACK", SESSION);
    assert_eq!(
        ranges[0]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["bytes"].to_string())
            .collect::<Vec<_>>(),
        ["[0,2]", "[0,1]", "[1,2]", "[2,4]", "[4,6]", "[6,7]"]
    );
}

#[test]
fn text_has_every_field_with_its_bytes() {
    assert_eq!(
        shown("--format text --filter qos=2", SESSION),
        "22:13:20.007000   0 -> PUBLISH     9 bytes\n\
         \u{20}             0..2  fixed header\n\
         \u{20}                0    length: 9\n\
         \u{20}                1    message type: 0x0c PUBLISH\n\
         \u{20}                2  flags\n\
         \u{20}          2 bit 7    dup: no\n\
         \u{20}       2 bits 6-5    QoS: 2\n\
         \u{20}          2 bit 4    retain: no\n\
         \u{20}       2 bits 3-2    reserved: 0b0\n\
         \u{20}       2 bits 1-0    topic id type: 0 (normal id or name)\n\
         \u{20}             3..5  topic id: 1\n\
         \u{20}             5..7  message id: 3\n\
         \u{20}             7..9  payload: \"hi\"\n\n"
    );
    let hex = shown("--format hex --filter type=PUBCOMP", SESSION);
    assert_eq!(
        hex,
        "22:13:20.010000   0 <- PUBCOMP     4 bytes\n\
         \u{20}   0000  04                                               length: 4\n\
         \u{20}   0001  0e                                               message type: 0x0e PUBCOMP\n\
         \u{20}   0002  00 03                                            message id: 3\n\n"
    );
}

#[test]
fn filters_select_messages() {
    for (filter, count) in [
        ("type=REGISTER", 2),
        ("type=PUBLISH,PUBACK", 5),
        ("topic=a/b direction=s2c", 4),
        ("client=c*", 22),
        ("payload=zz", 1),
        ("id=3 qos=2", 1),
        ("rtt>4ms", 1),
        ("frame<3", 2),
        ("code=0", 6),
        ("size>8", 5),
        ("not type=DISCONNECT and direction=c2s", 9),
    ] {
        assert_eq!(filtered(filter, "", SESSION).len(), count, "{filter}");
    }
    assert_eq!(messages("--follow other", SESSION).len(), 0);
    assert_eq!(messages("--follow c1", SESSION).len(), 22);
}

#[test]
fn topics_are_resolved_by_every_kind_of_id() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("predefined");
    std::fs::write(&file, "7 for/all\nc1, for/one, 8\n").unwrap();
    let script = "
        > 08 04 04 01 001e 'c1'
        < 03 05 00
        > 09 0c 01 0007 0000 'hi'
        > 09 0c 01 0008 0000 'hi'
        > 09 0c 02 'ab' 0000 'hi'
        > 07 12 21 0005 0007
        < 08 13 20 0007 0005 00
        > 09 0c 61 0009 0000 'hi'
    ";
    assert_eq!(
        lines(&format!("--predefined {}", file.display()), script)[3..],
        [
            "-> PUBLISH     \"for/all\" (predefined topic id 7) QoS 0, 2 bytes \"hi\"",
            "-> PUBLISH     \"for/one\" (predefined topic id 8) QoS 0, 2 bytes \"hi\"",
            "-> PUBLISH     \"ab\" QoS 0, 2 bytes \"hi\"",
            "-> SUBSCRIBE   \"for/all\" (predefined topic id 7) QoS 1, id 5",
            "<- SUBACK      \"for/all\" (topic id 7) QoS 1, id 5, accepted, after 1.000 ms",
            "-> PUBLISH     predefined topic id 9 QoS -1, 2 bytes \"hi\"",
        ]
    );
}

#[test]
fn repeated_and_unanswered_messages_are_shown() {
    let script = "
        > 08 04 04 01 001e 'c1'
        < 03 05 00
        > 09 0a 0000 0001 'a/b'
        wait 10
        > 09 0a 0000 0001 'a/b'
        < 07 0b 0001 0001 00
        > 09 0c 20 0001 0002 'hi'
        wait 10
        > 09 0c a0 0001 0002 'hi'
        wait 10
        > 09 0c 20 0001 0002 'hi'
    ";
    assert_eq!(
        lines("", script)[3..],
        [
            "-> REGISTER    \"a/b\", id 1",
            "-> REGISTER    \"a/b\", id 1, repeated",
            "<- REGACK      \"a/b\" (topic id 1), id 1, accepted, after 1.000 ms",
            "-> PUBLISH     \"a/b\" (topic id 1) QoS 1, id 2, 2 bytes \"hi\"",
            "-> PUBLISH     \"a/b\" (topic id 1) QoS 1 dup, id 2, 2 bytes \"hi\", repeated",
            "-> PUBLISH     \"a/b\" (topic id 1) QoS 1, id 2, 2 bytes \"hi\", repeated 2 times",
            "-- no answer to PUBLISH of the client with id 2, sent 3 times",
        ]
    );
    assert_eq!(findings(script), ["error mqtt-sn/1.2/5.3.4", "warn mqtt-sn/1.2/6.13"]);
    let all = messages("", script);
    let end = all.last().unwrap();
    assert_eq!(end["event"], "unanswered");
    assert_eq!(
        end["unanswered"],
        serde_json::json!([
            {"direction": "c2s", "type": "PUBLISH", "message_id": 2, "sent": 3, "waited_ns": 20_002_000_000_u64}
        ])
    );
}

#[test]
fn clients_behind_a_forwarder_are_told_apart() {
    let script = "
        > 05 fe 01 0007 08 04 04 01 001e 'c1'
        < 05 fe 00 0007 03 05 00
        > 05 fe 01 0008 08 04 04 01 001e 'c2'
        < 05 fe 00 0008 03 05 00
        > 05 fe 01 0007 09 0a 0000 0001 'a/b'
        < 05 fe 00 0007 07 0b 0001 0001 00
        > 05 fe 01 0008 09 0c 20 0001 0001 'hi'
    ";
    assert_eq!(
        lines("", script)[5..],
        [
            "-> REGISTER    node 00 07, \"a/b\", id 1",
            "<- REGACK      node 00 07, \"a/b\" (topic id 1), id 1, accepted, after 1.000 ms",
            "-> PUBLISH     node 00 08, topic id 1 QoS 1, id 1, 2 bytes \"hi\"",
            "-- node 00 08: no answer to PUBLISH of the client with id 1",
        ]
    );
    assert_eq!(findings(script), ["error mqtt-sn/1.2/6.5", "info mqtt-sn/1.2/6.13"]);
    let all = messages("--filter type=REGACK", script);
    assert_eq!((&all[0]["node_id"], &all[0]["radius"]), (&"0007".into(), &0.into()));
}

#[test]
fn the_datagram_decides_if_the_length_is_wrong() {
    let payload = "78".repeat(248);
    let all = messages(
        "",
        &format!("> 08 04 04 01 001e 'c1'\n< 03 05 00\n< 01 00ff 0c 02 'ab' 0000 {payload}\n> 05 16"),
    );
    let [publish, ping] = [&all[3], &all[4]];
    assert_eq!((&publish["length"], &publish["payload_length"]), (&257.into(), &248.into()));
    for (message, detail) in [
        (publish, "the length is 255, but the datagram has 257 bytes"),
        (ping, "the length is 5, but the datagram has 2 bytes"),
    ] {
        let finding = &message["findings"][0];
        assert_eq!(
            (&finding["severity"], &finding["statement"], &finding["detail"]),
            (&"error".into(), &"mqtt-sn/1.2/5.2.1".into(), &detail.into())
        );
    }
}

#[test]
fn messages_are_recognised_by_port_or_by_their_contents() {
    let ping = "> 02 16";
    for (port, found) in [(10_000, true), (1883, true), (1884, true), (2442, true), (5000, false)] {
        assert_eq!(!messages("", &format!("port {port}\n{ping}")).is_empty(), found, "{port}");
    }
    for option in ["--decode-as 5000=mqtt-sn", "--port 5000=mqtt-sn"] {
        // At a port that the user names, anything is a message.
        let all = messages(option, "port 5000\n> 05 16 00");
        assert_eq!(all[1]["type"], "PINGREQ", "{option}");
    }
    let unusual = |script: &str| messages("", &format!("port 5000\n{script}")).len();
    assert_eq!(unusual("> 08 04 04 01 001e 'c1'\n< 03 05 00\n> ff ff"), 4);
    // A request is recognised by its answer.
    assert_eq!(unusual("> 09 0a 0000 0001 'a/b'\n< 07 0b 0001 0001 00"), 3);
    assert_eq!(unusual("> 09 0a 0000 0001 'a/b'\n< 07 0b 0001 0002 00"), 0);
    assert_eq!(unusual("> 05 00 01 00 14"), 0);
    let skipped = mq("inspect").stdin(datagrams("port 5000\n> 02 16\n> ff 16")).run();
    assert_says(&skipped.stderr, &["2 of 2 frames contain neither TCP nor MQTT-SN"]);
}

#[test]
fn the_gateway_is_the_side_that_a_message_type_or_the_port_says() {
    for (script, direction) in [
        ("< 02 17", "s2c"),
        ("< 09 0c 00 0001 0000 'hi'", "s2c"),
        ("port 5000\n< 08 13 20 0007 0005 00", "s2c"),
        ("port 5000\n> 08 12 20 0005 'ab'\n< 08 13 20 0007 0005 00", "c2s"),
    ] {
        let options = if script.starts_with("port") { "--decode-as 5000=mqtt-sn" } else { "" };
        let all = messages(options, script);
        assert_eq!(all[1]["direction"], direction, "{script}");
        assert_eq!(all[0]["server"].as_str().unwrap().split(':').next(), Some("10.0.1.1"), "{script}");
    }
}

#[test]
fn fragments_and_truncated_datagrams_are_read() {
    let name = "'a/very/long/topic/name/for/a/sensor'";
    let all = messages("", &format!("fragments > 29 0a 0000 0001 {name}"));
    assert_eq!(
        (&all[1]["type"], &all[1]["topic"]),
        (&"REGISTER".into(), &"a/very/long/topic/name/for/a/sensor".into())
    );
    let all = messages("", "lost 4 > 0b 0c 00 0001 0000 'hi!!'");
    assert_eq!((&all[1]["length"], &all[1]["captured"]), (&11.into(), &7.into()));
    assert_eq!(all[1]["findings"][0]["statement"], "mq/capture");
}

#[test]
fn malformed_messages_are_shown_with_the_reason() {
    for (message, kind, statement) in [
        ("> 02 03", "RESERVED", "mqtt-sn/1.2/5.2.2"),
        ("> 03 05", "CONNACK", "mqtt-sn/1.2/5.2.1"),
        ("> 04 17 00 00", "PINGRESP", "mqtt-sn/1.2/5.4"),
        ("> 05 0a 00 00 00", "REGISTER", "mqtt-sn/1.2/5.4"),
        ("> 07 0c 03 0001 0001", "PUBLISH", "mqtt-sn/1.2/5.3.4"),
        ("> 06 12 60 0001 'a'", "SUBSCRIBE", "mqtt-sn/1.2/5.3.4"),
        ("> 07 04 04 02 001e 'c'", "CONNECT", "mqtt-sn/1.2/5.3.8"),
        ("> 07 0a 0000 0001 ff", "REGISTER", "mqtt-sn/1.2/5.3.12"),
        ("> 07 0a 0000 0001 00", "REGISTER", "mqtt-sn/1.2/5.3.12"),
        ("> 05 fe 01 0007 05 fe 01 0008 02 16", "ENCAPSULATED", "mqtt-sn/1.2/5.5"),
    ] {
        let script = format!("> 08 04 04 01 001e 'c1'\n{message}");
        let all = &messages("", &script)[1..];
        let found = all[1]["findings"].as_array().map_or(0, Vec::len);
        assert_eq!(all[1]["type"], kind, "{message}");
        assert!(
            (0..found).any(|index| all[1]["findings"][index]["statement"] == statement),
            "{message}: {}",
            all[1]
        );
    }
}

#[test]
fn rules_about_single_messages_and_connections_are_checked() {
    const CONNECTED: &str = "> 08 04 04 01 001e 'c1'\n< 03 05 00\n";
    for (script, expected) in [
        ("< 08 12 20 0001 'ab'", "error mqtt-sn/1.2/5.4"),
        ("> 09 0c 20 0000 0001 'hi'", "error mqtt-sn/1.2/5.3.11"),
        ("> 09 0c 21 0001 0000 'hi'", "error mqtt-sn/1.2/5.3.7"),
        ("> 09 0c 01 0001 0009 'hi'", "warn mqtt-sn/1.2/5.4.12"),
        ("> 09 0c 81 0001 0000 'hi'", "error mqtt-sn/1.2/5.3.4"),
        ("> 09 0c 60 0001 0000 'hi'", "error mqtt-sn/1.2/6.8"),
        ("> 1f 04 04 01 001e 'abcdefghijklmnopqrstuvwxy'", "warn mqtt-sn/1.2/5.3.1"),
        ("> 09 0a 0001 0001 'a/b'", "warn mqtt-sn/1.2/5.4.10"),
        ("> 09 0a 0000 0001 'a/#'", "warn mqtt-sn/1.2/6.5"),
        ("< 03 05 09", "error mqtt-sn/1.2/5.3.10"),
        ("> 09 0c 00 0001 0000 'hi'", "error mqtt-sn/1.2/6.5"),
        (
            "< 09 0a 0001 0001 'a/b'\n> 07 0b 0001 0001 02\n< 09 0c 00 0001 0000 'hi'",
            "error mqtt-sn/1.2/6.10",
        ),
        ("> 02 18\n< 02 18\n> 09 0a 0000 0001 'a/b'", "error mqtt-sn/1.2/6.2"),
        ("> 08 04 0c 01 001e 'c1'\n< 03 05 00", "error mqtt-sn/1.2/6.2"),
        ("> 09 0a 0000 0001 'a/b'\n> 09 0a 0000 0002 'c/d'", "warn mqtt-sn/1.2/6.6"),
        ("> 09 0a 0000 0001 'a/b'\n> 09 0a 0000 0001 'c/d'", "error mqtt-sn/1.2/6.13"),
        ("< 04 0f 0009", "warn mqtt-sn/1.2/5.4"),
        ("> 04 18 0014\n< 02 18\n< 09 0c 02 'ab' 0000 'hi'", "error mqtt-sn/1.2/6.14"),
        ("wait 100\n> 02 16\n< 02 17", "warn mqtt-sn/1.2/6.11"),
        ("> 04 18 0014\n< 02 18\nwait 100\n> 04 16 'c1'\n< 02 17", "warn mqtt-sn/1.2/6.14"),
    ] {
        let found = findings(&format!("{CONNECTED}{script}"));
        assert!(found.iter().any(|finding| finding == expected), "{script}: {found:?}");
    }
    let explained = mq("inspect --explain mqtt-sn/1.2/6.14").run().succeed();
    assert_says(&explained, &["mqtt-sn/1.2/6.14 (MQTT-SN 1.2)", "a sleeping client must wake up"]);
}

#[test]
fn typed_datagrams_are_decoded() {
    let typed =
        |words: &str, bytes: &str| mq("inspect --sn").words(words).arg("--hex").arg(bytes).run().succeed();
    let connect = "08 04 04 01 00 1e 63 31";
    let line =
        "                  0 -> CONNECT     MQTT-SN 1.2, clean session, keep alive 30 s, client id \"c1\"\n";
    assert_eq!(typed("", connect), line);
    let piped =
        mq("inspect --sn --hex - --format json").stdin(format!("{connect}\ns2c: 03 05 00\n02 17\n")).run();
    let all = objects(&piped.succeed());
    let kinds: Vec<_> = all.iter().map(|object| (&object["type"], &object["direction"])).collect();
    assert_eq!(
        kinds,
        [
            (&"CONNECT".into(), &"c2s".into()),
            (&"CONNACK".into(), &"s2c".into()),
            (&"PINGRESP".into(), &"c2s".into())
        ]
    );
    mq("inspect --sn").stdin("").run().fail(2);
}

#[test]
fn written_captures_have_the_same_messages() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("written.pcapng");
    let options = format!("--write {}", file.display());
    let first = lines(&options, SESSION);
    let again = mq("inspect").arg(&file).env("TZ", "UTC").run().succeed();
    let again: Vec<String> =
        again.lines().map(|line| line.chars().skip(20).collect::<String>().trim_start().to_owned()).collect();
    assert_eq!(again, first);
}

#[test]
fn a_report_names_the_messages_that_it_does_not_cover() {
    let report = mq("inspect --diagnose").stdin(datagrams(SESSION)).run();
    assert_says(&report.stderr, &["22 messages of MQTT-SN are not in the report"]);
}

#[test]
fn statistics_count_messages_round_trips_and_repetitions() {
    let stats = objects(&mq("inspect --stats --format json").stdin(datagrams(SESSION)).run().succeed());
    let sn = &stats[0]["mqtt_sn"];
    assert_eq!(sn["messages"]["PUBLISH"], serde_json::json!({"c2s": 2, "s2c": 1}));
    assert_eq!((&sn["connections"], &sn["repeated"], &sn["unanswered"]), (&1.into(), &0.into(), &0.into()));
    assert_eq!(sn["round_trips_ns"]["REGACK"]["count"], 2);
    let text = mq("inspect --stats").stdin(datagrams(SESSION)).run().succeed();
    assert_says(&text, &["MQTT-SN: 1 connection, 22 messages", "a/b"]);
}

/// The end of a UDP path through a proxy.
fn udp() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Sends a datagram, and checks that it arrives; returns the sender's address.
fn pass(from: &UdpSocket, to: SocketAddr, receiver: &UdpSocket, datagram: &str) -> SocketAddr {
    let bytes = hex(datagram);
    from.send_to(&bytes, to).unwrap();
    let mut buffer = [0; 2000];
    let (length, sender) = receiver.recv_from(&mut buffer).unwrap();
    assert_eq!(buffer[..length], bytes);
    sender
}

#[test]
fn live_messages_between_clients_and_a_gateway_are_forwarded_and_shown() {
    let (gateway, clients) = (udp(), [udp(), udp()]);
    let to = gateway.local_addr().unwrap();
    let mut running =
        mq("inspect --listen udp://127.0.0.1:0 --format json").words(&format!("--to {to}")).spawn();
    let line = running.wait_for_stderr("");
    let place = line.strip_prefix("listening on udp://").and_then(|rest| rest.split_once(',')).unwrap().0;
    let proxy: SocketAddr = place.parse().unwrap();
    let sources = clients.each_ref().map(|client| {
        let source = pass(client, proxy, &gateway, "08 04 04 01 001e 'c1'");
        pass(&gateway, source, client, "03 05 00");
        source
    });
    assert_ne!(sources[0], sources[1]);
    running.signal("INT");
    let finished = running.finish();
    finished.expect_status(130);
    let all = objects(&String::from_utf8(finished.stdout).unwrap());
    let kinds: Vec<_> = all.iter().filter_map(|object| object["type"].as_str()).collect();
    assert_eq!(kinds, ["CONNECT", "CONNACK", "CONNECT", "CONNACK"]);
    assert_eq!((&all[0]["event"], &all[0]["server"]), (&"opened".into(), &to.to_string().into()));
    assert_eq!(all[0]["client"], clients[0].local_addr().unwrap().to_string());
    assert_eq!(all[5]["connection"], 1);
}

#[test]
fn options_that_a_proxy_for_mqtt_sn_cannot_use_are_rejected() {
    for (words, problem) in [
        ("--to x --cafile a", "--cafile cannot be used with --listen udp://"),
        ("--to x:y", "expected HOST[:PORT]"),
        ("--to ws://x", "expected HOST[:PORT]"),
        ("--to x --diagnose", "are for MQTT"),
        ("--to 127.0.0.1:0", "expected HOST[:PORT]"),
    ] {
        let message = mq("inspect --listen udp://0").words(words).run().fail(2);
        assert_says(&message, &[problem]);
    }
}

/// Messages of all types.
const ALL_TYPES: &str = "
    > 03 01 00
    < 03 02 01
    < 05 00 01 0014
    > 08 04 0c 01 001e 'c1'
    < 02 06
    > 06 07 30 'w/t'
    < 02 08
    > 05 09 'bye'
    < 03 05 00
    > 09 0a 0000 0001 'a/b'
    < 07 0b 0001 0001 00
    > 09 0c 00 0001 0000 'hi'
    > 09 0c b0 0001 0002 'hi'
    < 07 0d 0001 0002 00
    > 09 0c 42 'ab' 0003 'hi'
    < 04 0f 0003
    > 04 10 0003
    < 04 0e 0003
    > 08 12 20 0004 't/#'
    < 08 13 20 0000 0004 00
    > 08 14 00 0005 't/#'
    < 04 15 0005
    > 07 1a 20 'w/u!'
    < 03 1b 00
    > 05 1c 'bye'
    < 03 1d 00
    > 04 18 0014
    < 02 18
    > 04 16 'c1'
    < 02 17
    > 09 0c 61 0007 0000 'hi'
    < 07 0d 0009 0000 02
";

/// The fields of tshark and of our objects.
const FIELDS: [(&str, &str); 15] = [
    ("mqttsn.msg.type", "type"),
    ("mqttsn.msg.len", "length"),
    ("mqttsn.topic.id", "topic_id"),
    ("mqttsn.msg.id", "message_id"),
    ("mqttsn.return.code", "return_code"),
    ("mqttsn.qos", "qos"),
    ("mqttsn.dup", "dup"),
    ("mqttsn.retain", "retain"),
    ("mqttsn.client.id", "client_id"),
    ("mqttsn.topic", "topic"),
    ("mqttsn.topic.name.or.id", "topic_filter"),
    ("mqttsn.will.topic", "will_topic"),
    ("mqttsn.sleep.timer", "duration"),
    ("mqttsn.keep.alive", "keep_alive"),
    ("mqttsn.topic.id.type", "topic_id_type"),
];

/// A field of an object as tshark prints it.
fn as_tshark(object: &Value, key: &str, theirs: &str) -> String {
    let number = match (&object[key], key) {
        (Value::String(name), "type") => {
            let kinds = mqkit::protocol::sn::MessageType::ALL;
            kinds.into_iter().find(|kind| kind.name() == name).unwrap() as u64
        }
        // The octets of a short name are in the place of the id.
        (Value::Null, "topic_id") => {
            let name = object["topic"].as_str().unwrap().as_bytes();
            u16::from_be_bytes(name.try_into().unwrap()).into()
        }
        // The bits of all flags, of which this type uses some.
        (Value::Null, "topic_id_type") => 0,
        (Value::Number(number), _) => number.as_u64().unwrap_or(3),
        (Value::Bool(flag), _) => u64::from(*flag),
        (value, _) => return value.as_str().unwrap_or_default().to_owned(),
    };
    if theirs.starts_with("0x") { format!("0x{number:02x}") } else { number.to_string() }
}

#[test]
fn the_fields_are_those_that_tshark_shows() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.pcap");
    std::fs::write(&file, datagrams(ALL_TYPES)).unwrap();
    let mut tshark = std::process::Command::new("tshark");
    tshark.arg("-r").arg(&file).args(["-d", "udp.port==10000,mqttsn", "-T", "fields", "-E", "separator=|"]);
    for (field, _) in FIELDS {
        tshark.args(["-e", field]);
    }
    let Ok(output) = tshark.output() else { return eprintln!("skipped: tshark is not installed") };
    let theirs = String::from_utf8(output.stdout).unwrap();
    let ours = messages("", ALL_TYPES);
    assert_eq!(theirs.lines().count(), 32, "{}", String::from_utf8_lossy(&output.stderr));
    for (line, object) in theirs.lines().zip(ours.iter().filter(|object| object["event"] == "message")) {
        for (value, (field, key)) in line.split('|').zip(FIELDS).filter(|(value, _)| !value.is_empty()) {
            assert_eq!(as_tshark(object, key, value), value, "{field} in {object}");
        }
    }
}

#[test]
fn a_flood_from_many_addresses_is_read_within_bounds() {
    let script: String = (1..=250).map(|client| format!("{client}: > 08 04 04 01 001e 'c1'\n")).collect();
    let all = messages("", &script);
    assert_eq!(all.iter().filter(|object| object["event"] == "message").count(), 250);
}

/// A client of version 2.0 that subscribes, publishes and sleeps.
const SESSION_V2: &str = "
    > 0e 01 01 0001 02 001e 0000 'dev1'
    < 06 02 00 0001 00
    > 08 08 23 0002 'a/b'
    < 08 09 04 0002 0005 01
    > 0a 03 20 0003 0005 'hey'
    < 05 04 0003 00
    > 09 12 01 0007 'hey!'
    > 0b 03 43 0004 0003 'x/y' 'z'
    < 04 05 0004
    > 04 06 0004
    < 04 07 0004
    > 09 13 00 0005 0000003c
    < 05 14 00 0005
    wait 30
    < 02 15
    > 04 0c 0006
    < 08 03 20 0009 0005 'z'
    > 04 04 0009
    < 05 0d 0006 00
    > 03 0e 00
";

#[test]
fn a_session_of_version_2_is_shown_with_aliases_and_round_trips() {
    assert_eq!(
        lines("", SESSION_V2)[1..],
        [
            "-> CONNECT     MQTT-SN 2.0, clean start, id 1, keep alive 30 s, client id \"dev1\"",
            "<- CONNACK     id 1, success, after 1.000 ms",
            "-> SUBSCRIBE   \"a/b\" QoS 1, id 2",
            "<- SUBACK      \"a/b\" (topic alias 5), id 2, granted QoS 1, after 1.000 ms",
            "-> PUBLISH     \"a/b\" (topic alias 5) QoS 1, id 3, 3 bytes \"hey\"",
            "<- PUBACK      \"a/b\", id 3, success, after 1.000 ms",
            "-> PUBWOS      predefined topic alias 7, 4 bytes \"hey!\"",
            "-> PUBLISH     \"x/y\" QoS 2, id 4, 1 byte \"z\"",
            "<- PUBREC      \"x/y\", id 4, after 1.000 ms",
            "-> PUBREL      \"x/y\", id 4, after 1.000 ms",
            "<- PUBCOMP     \"x/y\", id 4, after 1.000 ms (3.000 ms since PUBLISH)",
            "-> SLEEPREQ    id 5, sleep 60 s",
            "<- SLEEPRESP   id 5, after 1.000 ms",
            "<- WAKEUP",
            "-> PINGREQ     id 6, asleep for 30.003 s",
            "<- PUBLISH     \"a/b\" (topic alias 5) QoS 1, id 9, 1 byte \"z\"",
            "-> PUBACK      \"a/b\", id 9, after 1.000 ms",
            "<- PINGRESP    id 6, 0 messages remain, after 3.000 ms",
            "-> DISCONNECT  asleep for 2.000 ms",
        ]
    );
    assert_eq!(findings(SESSION_V2), [""; 0]);
    let all = messages("", SESSION_V2);
    assert_eq!((&all[5]["version"], &all[5]["topic_alias"]), (&"2.0".into(), &5.into()));
}

#[test]
fn the_version_is_that_of_connect_or_inferred_or_set() {
    // SUBSCRIBE of 1.2, or PUBWOS.
    const BOTH: &str = "> 08 12 20 0001 'a/b'";
    for (options, script, index, kind, version) in [
        ("", "> 08 04 04 01 001e 'c1'\n< 03 05 00\n> 04 16 'c1'", 3, "PINGREQ", "1.2"),
        ("", "> 0c 01 01 0001 02 001e 0000 'c1'\n< 06 02 00 0001 00\n< 05 16 01 0014", 3, "ADVERTISE", "2.0"),
        ("", "> 04 0c 0001\n< 04 0d 0001", 1, "PINGREQ", "2.0"),
        ("--sn-version 1.2", BOTH, 1, "SUBSCRIBE", "1.2"),
        ("--sn-version 2.0", BOTH, 1, "PUBWOS", "2.0"),
    ] {
        let all = messages(options, script);
        assert_eq!(
            (&all[index]["type"], &all[index]["version"]),
            (&kind.into(), &version.into()),
            "{script}"
        );
    }
    let all = messages("", "> 04 0c 0001\n< 04 0d 0001");
    assert_eq!(all[1]["version_inferred"], true);
    let unknown = messages("", BOTH);
    assert_eq!((&unknown[1]["type"], &unknown[1]["version"]), (&"SUBSCRIBE".into(), &Value::Null));
    assert_eq!(unknown[1]["findings"][0]["severity"], "info");
}

#[test]
fn packets_of_version_2_that_are_encapsulated_are_shown() {
    const CONNECTED: &str = "> 0c 01 21 0001 02 001e 0000 'c1'\n< 06 02 00 0001 00\n";
    let last = |script: &str| {
        let all = messages("--decode-as 10000=mqtt-sn", &format!("{CONNECTED}{script}"));
        all.into_iter().rfind(|object| object["event"] == "message").unwrap()
    };
    let forwarded = last("> 09 fc 02 0007 04 0c 0002");
    assert_eq!((&forwarded["type"], &forwarded["node_id"]), (&"PINGREQ".into(), &"0007".into()));
    let connection = last("> 0a fe 0002 'c1' 04 0c 0002");
    assert_eq!((&connection["type"], &connection["client_id"]), (&"PINGREQ".into(), &"c1".into()));
    // HMAC-SHA256, cut to 64 bits, with a counter; the packet inside can be read.
    let signed = last("> 1e ff 41 00 0102030405060708 a1a2a3a4 0009 04 0c 0002 1112131415161718");
    assert_eq!(signed["type"], "PINGREQ", "{signed}");
    assert_eq!((&signed["sender_id"], &signed["counter"]), (&"0102030405060708".into(), &9.into()));
    assert_eq!(signed["authentication_tag"], "1112131415161718");
    // AES-GCM with the nominal tag.
    let encrypted = last("> 24 ff 10 46 0102030405060708 a1a2a3a4 c1c2c3c4 11121314151617181112131415161718");
    assert_eq!(encrypted["type"], "PROTECTION");
    assert_eq!(encrypted["reason"], "AES-GCM-128-128");
    assert_eq!(encrypted["authentication_tag"].as_str().unwrap().len(), 32);
}

#[test]
fn rules_of_version_2_are_checked() {
    const CONNECTED: &str = "> 0c 01 01 0001 02 001e 0000 'c1'\n< 06 02 00 0001 00\n";
    for (script, expected) in [
        ("> 0c 01 81 0001 02 001e 0000 'c1'", "error mqtt-sn/2.0/2.1"),
        ("> 0c 01 01 0000 02 001e 0000 'c1'", "error MQTT-SN-2.2-1"),
        ("> 0c 01 01 0001 02 0000 0000 'c1'", "error MQTT-SN-3.1.6-4"),
        ("> 0c 01 01 0001 02 001e 0009 'c1'", "error MQTT-SN-3.1.7-1"),
        ("> 09 03 a1 0002 0007 'hi'", "error MQTT-SN-3.6.2.2.3-1"),
        ("> 0a 10 01 0002 0007 'a/b'", "error MQTT-SN-3.4-1"),
        ("< 08 10 00 0002 'a/b'", "error MQTT-SN-3.4-2"),
        ("> 08 11 04 0002 0007 00", "error MQTT-SN-3.5.4-1"),
        ("< 06 09 00 0002 00", "error MQTT-SN-3.8.2.1-2"),
        ("< 07 0e 02 0000003c", "error MQTT-SN-3.13.5-1"),
        ("> 08 08 23 0002 'a/b'\n< 06 09 01 0002 00", "error MQTT-SN-4.7.2.2-2"),
        ("> 08 08 23 0002 'a/b'\n> 04 0c 0003", "error MQTT-SN-4.9-2"),
        ("> 08 08 23 0002 'a/b'\n> 08 08 23 0002 'c/d'", "error MQTT-SN-4.4.2-7"),
        ("> 0b 03 43 0002 0003 'a/b' 'z'\n> 0b 03 43 0002 0003 'a/b' 'z'", "error MQTT-SN-4.4.1-3"),
        ("> 09 13 00 0002 0000003c\n< 05 14 00 0002\n> 08 08 23 0003 'a/b'", "error MQTT-SN-4.14-2"),
        ("wait 100\n> 04 0c 0002\n< 04 0d 0002", "warn MQTT-SN-3.1.6-2"),
        ("> 03 0e 00\n> 08 08 23 0003 'a/b'", "error mqtt-sn/2.0/4.1"),
        ("> 05 04 0002 20", "error mqtt-sn/2.0/2.3"),
        ("> 0a 03 20 0002 0009 'hey'", "error mqtt-sn/2.0/4.7"),
        ("< 0a 10 01 0002 0007 'a/b'\n> 0b 03 23 0003 0003 'a/b' 'z'", "error MQTT-SN-4.7.2-1"),
        ("> 0b fe 0002 'c1' 05 04 0002 00", "error MQTT-SN-3.18-3"),
    ] {
        let found = findings(&format!("{CONNECTED}{script}"));
        assert!(found.iter().any(|finding| finding == expected), "{script}: {found:?}");
    }
    let before = findings("> 0c 01 01 0001 02 001e 0000 'c1'\n> 0c 01 01 0001 02 001e 0000 'c1'");
    assert!(before.contains(&"error MQTT-SN-4.4.2-1".to_owned()), "{before:?}");
    let unnamed = findings("> 0a 01 01 0001 02 001e 0000\n< 06 02 00 0001 00");
    assert!(unnamed.contains(&"error MQTT-SN-3.2.11-2".to_owned()), "{unnamed:?}");
    let suggested = findings("> 0c 01 01 0001 02 001e 0000 'c1'\n< 08 02 04 0001 00 003c");
    assert!(suggested.contains(&"error MQTT-SN-3.1.2.7-1".to_owned()), "{suggested:?}");
}

/// Protected packets of the same sender, made with Python's `cryptography` and `hmac`: PINGREQ for HMAC-SHA256, CONNECT for the
/// others.
const PROTECTED: [(&str, &str, &str); 6] = [
    (
        "HMAC-SHA256",
        "32",
        "36ff11000102030405060708a1a2a3a40007040c0007bb885f84119894497ca1841e0e3eb72ed0ce5d8218b84997861609afadd4898c",
    ),
    ("AES-CCM-64-128", "16", "26ff11400102030405060708a1a2a3a40007b01de61b9c798245f04a220919703d69bb5f9f6c"),
    (
        "AES-CCM-128-128",
        "16",
        "2eff11430102030405060708a1a2a3a40007e63b9551ff425b1cfc4de55315a8ecf55a54aa1b4e24ceff01ad8fd2",
    ),
    (
        "AES-GCM-128-128",
        "16",
        "2eff11460102030405060708a1a2a3a400073267b85f74b0c5d0b1a200194cadefae1d05e00015cfe51b5f5b35f1",
    ),
    (
        "AES-GCM-256-128",
        "32",
        "2eff11480102030405060708a1a2a3a4000799cac55ca58400e05219522aa5d2897bbc492bc2e552f9588f76882b",
    ),
    (
        "ChaCha20-Poly1305",
        "32",
        "2eff11490102030405060708a1a2a3a40007dbde74e28d7487359d9b104cc36572c95d2e21f424ef5f1229623205",
    ),
];

#[test]
fn protected_packets_are_verified_and_decrypted_with_a_file_of_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let inspect = |datagram: &str| {
        let command =
            mq("inspect --sn --format json --lint=info --hex").arg(datagram).arg("--sn-keys").arg(&file);
        let output = command.run();
        objects(&String::from_utf8(output.stdout).unwrap()).remove(0)
    };
    for (scheme, length, datagram) in PROTECTED {
        let length: u8 = length.parse().unwrap();
        let key: String = (0..length).map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(&file, format!("# keys\n0102030405060708 {key}\n")).unwrap();
        let message = inspect(datagram);
        let inside = if scheme == "HMAC-SHA256" { "PINGREQ" } else { "CONNECT" };
        assert_eq!(
            (&message["verification"], &message["type"]),
            (&"authentic".into(), &inside.into()),
            "{message}"
        );
        if inside == "CONNECT" {
            assert_eq!(message["client_id"], "c1");
        }
        assert!(!message.to_string().contains(&key));
        let changed = inspect(&format!("{}{}", &datagram[..datagram.len() - 2], "00"));
        assert_eq!(changed["verification"], "wrong tag");
        assert_eq!(changed["findings"][0]["statement"], "mqtt-sn/2.0/3.17", "{changed}");
        std::fs::write(&file, format!("0102030405060709 {key}\n")).unwrap();
        assert_eq!(inspect(datagram)["verification"], "no key");
        std::fs::write(&file, "* 07\n").unwrap();
        let verification = if scheme == "HMAC-SHA256" { "wrong tag" } else { "not verified" };
        assert_eq!(inspect(datagram)["verification"], verification);
    }
    std::fs::write(&file, "* secret\n").unwrap();
    let error = mq("inspect --sn --hex 0215 --sn-keys").arg(&file).run().fail(2);
    assert_says(&error, &["line 1: expected SENDER KEY"]);
    assert!(!error.contains("secret"));
}
