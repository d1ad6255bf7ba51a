//! Rules that one packet alone can break.

use super::support::{assert_found, found, v5, v5_with, v311};

/// Each packet, sent by the client or the server of MQTT 5.0, breaks this alone.
#[track_caller]
fn assert_v5(cases: &[(&str, &str)]) {
    for (packet, expected) in cases {
        assert_found(&v5_with("21 0014  22 0005", "22 0005", packet), &[*expected]);
    }
}

#[test]
fn topics_of_messages_are_names() {
    assert_v5(&[
        ("> 30 (`a/+` ())", "error MQTT-3.3.2-2 at PUBLISH"),
        ("> 30 (`` ())", "error mq/v5/3.3.2.1 at PUBLISH"),
        ("> 30 (`a` (08 `r/#`))", "error MQTT-3.3.2-14 at PUBLISH"),
        ("> 30 (`a` (08 ``))", "error MQTT-4.7.3-1 at PUBLISH"),
        ("> 30 (`a\u{85}` ())", "warn mq/v5/1.5.4 at PUBLISH"),
        ("> 30 (`a` (0b 01))", "error MQTT-3.3.4-6 at PUBLISH"),
        ("> 30 (`a` (01 01) ff)", "warn mq/v5/3.3.2.3.2 at PUBLISH"),
        ("> 38 (`a` ())", "error MQTT-3.3.1-2 at PUBLISH"),
        ("> 32 (`a` 0000 ())", "error MQTT-2.2.1-3 at PUBLISH"),
        ("< 32 (`a` 0000 ())", "error MQTT-2.2.1-4 at PUBLISH"),
    ]);
}

#[test]
fn filters_have_their_wildcards_alone() {
    assert_v5(&[
        ("> 82 (0001 () `a#` 00)", "error MQTT-4.7.1-1 at SUBSCRIBE"),
        ("> 82 (0001 () `#/a` 00)", "error MQTT-4.7.1-1 at SUBSCRIBE"),
        ("> 82 (0001 () `a/b+` 00)", "error MQTT-4.7.1-2 at SUBSCRIBE"),
        ("> 82 (0001 () `` 00)", "error MQTT-4.7.3-1 at SUBSCRIBE"),
        ("> 82 (0001 () `$share/` 00)", "error MQTT-4.8.2-1 at SUBSCRIBE"),
        ("> 82 (0001 () `$share//a` 00)", "error MQTT-4.8.2-1 at SUBSCRIBE"),
        ("> 82 (0001 () `$share/g+/a` 00)", "error MQTT-4.8.2-2 at SUBSCRIBE"),
        ("> 82 (0001 () `$share/g` 00)", "error MQTT-4.8.2-2 at SUBSCRIBE"),
        ("> 82 (0001 () `$share/g/a#` 00)", "error MQTT-4.7.1-1 at SUBSCRIBE"),
        ("> 82 (0001 () `$share/g/a` 04)", "error MQTT-3.8.3-4 at SUBSCRIBE"),
        ("> a2 (0000 () `a`)", "error MQTT-2.2.1-3 at UNSUBSCRIBE"),
        ("> a2 (0001 () `a#`)", "error MQTT-4.7.1-1 at UNSUBSCRIBE"),
    ]);
    // A version without shared subscriptions sees a filter like any other.
    assert_found(&v311("> 82 (0001 `$share/g` 00)\n< 90 (0001 00)"), &[]);
}

#[test]
fn reason_codes_stand_in_the_table_of_their_packet() {
    assert_v5(&[
        ("> 40 (0001 81)", "error MQTT-3.4.2-1 at PUBACK"),
        ("> 50 (0001 92)", "error MQTT-3.5.2-1 at PUBREC"),
        ("> 62 (0001 91)", "error MQTT-3.6.2-1 at PUBREL"),
        ("> 70 (0001 91)", "error MQTT-3.7.2-1 at PUBCOMP"),
        ("< 90 (0001 () 03)", "error MQTT-3.9.3-2 at SUBACK"),
        ("< b0 (0001 () 01)", "error MQTT-3.11.3-2 at UNSUBACK"),
        ("> e0 (86)", "error MQTT-3.14.2-1 at DISCONNECT"),
        ("> e0 (8b)", "error MQTT-3.14.2-1 at DISCONNECT"),
        ("< e0 (04)", "error MQTT-3.14.2-1 at DISCONNECT"),
        ("< e0 (8b (11 00000001))", "error MQTT-3.14.2-2 at DISCONNECT"),
        ("> 40 (0000)", "error mq/v5/2.2.1 at PUBACK"),
    ]);
    assert_found("> 10 (`MQTT` 05 02 003c () `c`)\n< 20 (00 a0 ())", &["error MQTT-3.2.2-8 at CONNACK"]);
    assert_found("> 10 (`MQTT` 05 02 003c () `c`)\n< 20 (01 87 ())", &["error MQTT-3.2.2-6 at CONNACK"]);
}

#[test]
fn a_connect_agrees_with_itself() {
    let cases = [
        ("> 10 (`MQTT` 05 1e 003c () `c` () `w` `x`)", "error MQTT-3.1.2-12 at CONNECT"),
        ("> 10 (`MQTT` 05 0a 003c () `c`)", "error MQTT-3.1.2-11 at CONNECT"),
        ("> 10 (`MQTT` 05 22 003c () `c`)", "error MQTT-3.1.2-13 at CONNECT"),
        ("> 10 (`MQTT` 05 06 003c () `c` () `w/#` `x`)", "error MQTT-4.7.0-1 at CONNECT"),
        ("> 10 (`MQTT` 05 06 003c () `c` () `` `x`)", "error MQTT-4.7.3-1 at CONNECT"),
        ("> 10 (`MQTT` 05 06 003c () `c` (01 01) `w` 0001 ff)", "warn mq/v5/3.3.2.3.2 at CONNECT"),
        ("> 10 (`MQTT` 05 02 003c (16 0001 ff) `c`)", "error mq/v5/3.1.2.11.10 at CONNECT"),
        ("> 10 (`MQTT` 04 42 003c `c` `p`)", "error MQTT-3.1.2-22 at CONNECT"),
        ("> 10 (`MQTT` 04 00 003c ``)", "error MQTT-3.1.3-7 at CONNECT"),
        ("> 10 (`MQIsdp` 03 02 003c `123456789012345678901234`)", "info mq/v3.1/3.1 at CONNECT"),
    ];
    for (connect, expected) in cases {
        let script = format!("{connect}\nlost < 4");
        assert_found(&script, &[expected]);
    }
    // A password without a user name is allowed since MQTT 5.
    assert_found("> 10 (`MQTT` 05 42 003c () `c` `p`)\n< 20 (0000 ())", &[]);
}

#[test]
fn mistakes_have_the_statement_that_they_break_and_no_other() {
    assert_found(&v5_with("", "22 0005", "> 30 (`t` (23 0000))"), &["error MQTT-3.3.2-8 at PUBLISH"]);
    // Nobody stated a Maximum QoS.
    assert_found(&v5("> 36 (`t` 0001 ())"), &["error MQTT-3.3.1-4 at PUBLISH"]);
}

#[test]
fn each_side_sends_its_own_packets() {
    for packet in ["< 82 (0001 `a` 00)", "< c0 ()", "< e0 ()", "> 90 (0001 00)", "> d0 ()", "> 20 (0000)"] {
        let found = found(&v311(packet));
        assert_eq!(found.len(), 1, "{packet}: {found:?}");
        assert!(found[0].starts_with("error mq/v3/2.2.1 at "), "{packet}: {found:?}");
    }
    assert_found(&v5("< e0 (8b)"), &[]);
}

#[test]
fn text_frames_do_not_carry_mqtt() {
    let upgrade = "> 'GET /mqtt HTTP/1.1' 0d0a 'Host: x' 0d0a 'Upgrade: websocket' 0d0a 'Connection: Upgrade' 0d0a \
                   'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' 0d0a 'Sec-WebSocket-Version: 13' 0d0a \
                   'Sec-WebSocket-Protocol: mqtt' 0d0a 0d0a\n\
                   < 'HTTP/1.1 101 Switching Protocols' 0d0a 'Upgrade: websocket' 0d0a 'Connection: Upgrade' 0d0a \
                   'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=' 0d0a 'Sec-WebSocket-Protocol: mqtt' 0d0a 0d0a\n";
    // Masked with zeros.
    let connect = "> 81 8f 00000000 10 (`MQTT` 04 02 003c `c`)\n< 82 04 20 (0000)\n";
    assert_found(&format!("{upgrade}{connect}"), &["error MQTT-6.0.0-1 at bad_frame"]);
}

#[test]
fn dup_and_the_free_bits_of_connect_are_no_faults_in_version_31() {
    let script = |connect: &str, rest: &str| format!("> {connect}\n< 20 (0000)\n{rest}");
    let again = "> 8a (0001 `a` 01)\n< 90 (0001 01)\n> 34 (`b` 0002 'x')\n< 50 (0002)\n> 6a (0002)\n\
                 < 70 (0002)\n> aa (0003 `a`)\n< b0 (0003)\n> e0 ()";
    for connect in
        ["10 (`MQIsdp` 03 02 003c `c`)", "1f (`MQIsdp` 03 02 003c `c`)", "10 (`MQIsdp` 03 03 003c `c`)"]
    {
        let found = found(&script(connect, again));
        assert!(!found.iter().any(|finding| finding.starts_with("error")), "{connect}: {found:?}");
    }
    let found = found(&script("10 (`MQTT` 04 02 003c `c`)", again));
    for statement in ["MQTT-3.8.1-1", "MQTT-3.6.1-1", "MQTT-3.10.1-1"] {
        assert!(found.iter().any(|finding| finding.contains(statement)), "{statement}: {found:?}");
    }
}
