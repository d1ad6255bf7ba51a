//! Packet identifiers, acknowledgements, repeated packets, and the limits that each side sets.

use super::support::{assert_found, v5, v5_with, v311};

const PUBLISH_1: &str = "> 32 (`a` 0001 () '1')\n";
const PUBLISH_2: &str = "> 34 (`a` 0001 () '1')\n";

#[test]
fn an_identifier_is_used_for_one_thing_at_a_time() {
    let answered = "< 40 (0001)\n< 40 (0001)";
    assert_found(
        &v5(&format!("{PUBLISH_1}> 32 (`a` 0001 () '2')\n{answered}")),
        &["error MQTT-2.2.1-3 at PUBLISH"],
    );
    assert_found(
        &v311("> 32 (`a` 0001 '1')\n> 32 (`a` 0001 '2')\n< 40 (0001)"),
        &["error MQTT-2.3.1-2 at PUBLISH"],
    );
    assert_found(
        &v5(
            "> 82 (0001 () `#` 02)\n< 90 (0001 () 02)\n< 32 (`a` 0001 () '1')\n< 32 (`b` 0001 () '2')\n> 40 (0001)",
        ),
        &["error MQTT-2.2.1-4 at PUBLISH"],
    );
    assert_found(
        &v5(&format!("{PUBLISH_1}> 82 (0001 () `#` 00)\n< 40 (0001)")),
        &["error MQTT-2.2.1-3 at SUBSCRIBE"],
    );
    // The two sides count each for itself.
    assert_found(
        &v5(
            "> 82 (0001 () `#` 01)\n< 90 (0001 () 01)\n> 32 (`a` 0001 ())\n< 32 (`a` 0001 ())\n> 40 (0001)\n< 40 (0001)",
        ),
        &[],
    );
}

#[test]
fn acknowledgements_belong_to_something() {
    for (answer, expected) in [
        ("< 40 (0007)", "error MQTT-2.2.1-5 at PUBACK"),
        ("< 50 (0007)", "error MQTT-2.2.1-5 at PUBREC"),
        ("< 62 (0007)\n> 70 (0007)", "error MQTT-2.2.1-5 at PUBREL"),
        ("< 70 (0007)", "error MQTT-2.2.1-5 at PUBCOMP"),
        ("< 90 (0007 () 00)", "error MQTT-3.8.4-2 at SUBACK"),
        ("< b0 (0007 () 00)", "error MQTT-3.10.4-5 at UNSUBACK"),
        ("< d0 ()", "warn mq/v5/3.13 at PINGRESP"),
    ] {
        assert_found(&v5(answer), &[expected]);
        // Its request may be in an earlier session, or in bytes that were not captured.
        let resumed = format!("> 10 (`MQTT` 05 00 003c () `c`)\n< 20 (0100 ())\n{answer}");
        assert_found(&resumed, if answer.contains("d0") { &["warn mq/v5/3.13 at PINGRESP"] } else { &[] });
        assert_found(&v5(&format!("lost > 9\n{answer}")), &[]);
        assert_found(&format!("midway\n{answer}\n{answer}"), &[]);
    }
}

#[test]
fn answers_are_of_the_right_kind() {
    assert_found(&v5(&format!("{PUBLISH_1}< 50 (0001)")), &["error MQTT-4.3.2-4 at PUBREC"]);
    assert_found(&v5(&format!("{PUBLISH_2}< 40 (0001)")), &["error MQTT-4.3.3-8 at PUBACK"]);
    assert_found(&v311("> 34 (`a` 0001)\n< 40 (0001)"), &["error MQTT-4.3.3-2 at PUBACK"]);
    assert_found(&v5(&format!("{PUBLISH_2}> 62 (0001)\n< 70 (0001)")), &["error mq/v5/4.3.3 at PUBREL"]);
    assert_found(&v5(&format!("{PUBLISH_2}< 50 (0001)\n< 70 (0001)")), &["error mq/v5/4.3.3 at PUBCOMP"]);
    assert_found(&v5(&format!("{PUBLISH_2}< 50 (0001)\n> 62 (0001)\n< 70 (0001)")), &[]);
    // A refusal ends it, and so does an identifier that is not known.
    assert_found(&v5(&format!("{PUBLISH_2}< 50 (0001 97)\n{PUBLISH_1}< 40 (0001)")), &[]);
    assert_found(&v5(&format!("{PUBLISH_2}< 50 (0001)\n> 62 (0001)\n< 70 (0001 92)")), &[]);
}

#[test]
fn there_is_a_code_for_each_filter() {
    assert_found(&v311("> 82 (0001 `a` 00 `b` 00)\n< 90 (0001 00)"), &["error MQTT-3.8.4-5 at SUBACK"]);
    assert_found(&v5("> a2 (0001 () `a` `b`)\n< b0 (0001 () 11)"), &["error MQTT-3.11.3-1 at UNSUBACK"]);
    assert_found(&v5("> 82 (0001 () `a` 01)\n< 90 (0001 () 02)"), &["warn MQTT-3.8.4-7 at SUBACK"]);
}

#[test]
fn messages_are_sent_again_in_a_new_connection_only() {
    let again = "> 3a (`a` 0001 () '1')\n";
    assert_found(&v5(&format!("{PUBLISH_1}{again}< 40 (0001)")), &["error MQTT-4.4.0-1 at PUBLISH"]);
    assert_found(&v5(&format!("{PUBLISH_1}{PUBLISH_1}< 40 (0001)")), &["error MQTT-3.3.1-1 at PUBLISH"]);
    assert_found(
        &v5(&format!("{PUBLISH_1}< 40 (0001 97)\n{again}< 40 (0001 97)")),
        &["error MQTT-4.4.0-2 at PUBLISH"],
    );
    assert_found(
        &v5(&format!("{PUBLISH_2}< 50 (0001)\n> 62 (0001)\n> 3c (`a` 0001 () '1')")),
        &["error MQTT-4.3.3-6 at PUBLISH"],
    );
    assert_found(
        &v5(&format!("{PUBLISH_2}< 50 (0001)\n> 62 (0001)\n> 62 (0001)\n< 70 (0001)")),
        &["error MQTT-4.4.0-1 at PUBREL"],
    );
    assert_found(&v5(&format!("{again}< 40 (0001)")), &["warn MQTT-4.3.2-2 at PUBLISH"]);
    assert_found(
        &v5("> 3c (`a` 0001 () '1')\n< 50 (0001)\n> 62 (0001)\n< 70 (0001)"),
        &["warn MQTT-4.3.3-2 at PUBLISH"],
    );
    let resumed = "> 10 (`MQTT` 05 00 003c () `c`)\n< 20 (0100 ())\n";
    assert_found(&format!("{resumed}{again}< 40 (0001)"), &[]);
}

#[test]
fn clients_of_mqtt_3_may_send_again_when_they_lose_patience() {
    let twice = "> 32 (`a` 0001 '1')\n> 3a (`a` 0001 '1')\n< 40 (0001)\n";
    assert_found(&v311(twice), &[]);
    assert_found(&v311(&format!("{twice}< 40 (0001)")), &[]);
    // The answer was on its way: the client uses the identifier for the next message at once.
    assert_found(&v311(&format!("{twice}> 32 (`b` 0001 '2')\n< 40 (0001)\n< 40 (0001)")), &[]);
    assert_found(&v311("> 32 (`a` 0001 '1')\n< 40 (0001)\n> 3a (`a` 0001 '1')\n< 40 (0001)"), &[]);
    assert_found(
        &v311("> 34 (`a` 0001 '1')\n< 50 (0001)\n> 62 (0001)\n> 62 (0001)\n< 70 (0001)\n< 70 (0001)"),
        &[],
    );
}

#[test]
fn a_client_answers_in_order() {
    let subscribed = "> 82 (0009 () `#` 02)\n< 90 (0009 () 02)\n";
    let three =
        |first: &str| format!("< {first} (`a` 0001 ())\n< {first} (`a` 0002 ())\n< {first} (`a` 0003 ())\n");
    let all = |script: &str| v5(&format!("{subscribed}{script}"));
    assert_found(&all(&format!("{}> 40 (0001)\n> 40 (0002)\n> 40 (0003)", three("32"))), &[]);
    assert_found(
        &all(&format!("{}> 40 (0003)\n> 40 (0001)\n> 40 (0002)", three("32"))),
        &["warn MQTT-4.6.0-2 at PUBACK"],
    );
    assert_found(
        &all(&format!(
            "{}> 50 (0002)\n> 50 (0001)\n> 50 (0003)\n< 62 (0001)\n< 62 (0002)\n< 62 (0003)\n> 70 (0001)\n> 70 (0002)\n> 70 (0003)",
            three("34")
        )),
        &["warn MQTT-4.6.0-3 at PUBREC"],
    );
    assert_found(
        &v5(
            "> 34 (`a` 0001 ())\n> 34 (`a` 0002 ())\n< 50 (0001)\n< 50 (0002)\n> 62 (0002)\n> 62 (0001)\n< 70 (0001)\n< 70 (0002)",
        ),
        &["warn MQTT-4.6.0-4 at PUBREL"],
    );
    // A server may answer as it likes.
    assert_found(&v5("> 32 (`a` 0001 ())\n> 32 (`a` 0002 ())\n< 40 (0002)\n< 40 (0001)"), &[]);
}

#[test]
fn the_receive_maximum_is_kept() {
    let three = "> 32 (`a` 0001 ())\n> 34 (`a` 0002 ())\n> 32 (`a` 0003 ())\n";
    let answers = "< 40 (0001)\n< 50 (0002 97)\n< 40 (0003)";
    assert_found(&v5_with("", "21 0002", &format!("{three}{answers}")), &["error MQTT-3.3.4-7 at PUBLISH"]);
    assert_found(&v5_with("", "21 0003", &format!("{three}{answers}")), &[]);
    let one_by_one =
        "> 34 (`a` 0001 ())\n< 50 (0001)\n> 62 (0001)\n< 70 (0001)\n> 32 (`a` 0002 ())\n< 40 (0002)";
    assert_found(&v5_with("", "21 0001", one_by_one), &[]);
    let delivered = "> 82 (0001 () `a` 01)\n< 90 (0001 () 01)\n< 32 (`a` 0001 ())\n< 32 (`a` 0002 ())\n> 40 (0001)\n> 40 (0002)";
    assert_found(&v5_with("21 0001", "", delivered), &["error MQTT-3.3.4-9 at PUBLISH"]);
}

#[test]
fn unavailable_features_are_not_used() {
    for (server, packet, expected) in [
        ("24 00", "> 32 (`a` 0001 ())\n< 40 (0001)", "error MQTT-3.2.2-11 at PUBLISH"),
        ("25 00", "> 31 (`a` ())", "error MQTT-3.2.2-14 at PUBLISH"),
        ("27 00000010", "> 30 (`a` () '0123456789abcdef')", "error MQTT-3.2.2-15 at PUBLISH"),
        ("22 0002", "> 30 (`a` (23 0003))", "error MQTT-3.2.2-17 at PUBLISH"),
        ("", "> 30 (`a` (23 0001))", "error MQTT-3.2.2-18 at PUBLISH"),
        ("22 0002", "> 30 (`` (23 0001))", "error MQTT-3.3.2-7 at PUBLISH"),
        ("28 00", "> 82 (0001 () `a/+` 00)\n< 90 (0001 () a2)", "error mq/v5/3.2.2.3.11 at SUBSCRIBE"),
        ("29 00", "> 82 (0001 (0b 01) `a` 00)\n< 90 (0001 () a1)", "error mq/v5/3.2.2.3.12 at SUBSCRIBE"),
        ("2a 00", "> 82 (0001 () `$share/g/a` 00)\n< 90 (0001 () 9e)", "error mq/v5/3.2.2.3.13 at SUBSCRIBE"),
    ] {
        assert_found(&v5_with("", server, packet), &[expected]);
    }
    // A client that did not wait for CONNACK could not know.
    assert_found("> 10 (`MQTT` 05 02 003c () `c`)\n> 31 (`a` ())\n< 20 (0000 (25 00))\n> 31 (`a` ())", &[]);
}

#[test]
fn the_server_keeps_to_the_limits_of_the_client() {
    let subscribed = "> 82 (0001 () `a` 00)\n< 90 (0001 () 00)\n";
    for (client, packet, expected) in [
        ("27 00000010", "< 30 (`a` () '0123456789abcdef')", "error MQTT-3.1.2-24 at PUBLISH"),
        ("22 0002", "< 30 (`a` (23 0003))", "error MQTT-3.1.2-26 at PUBLISH"),
        ("", "< 30 (`a` (23 0001))", "error MQTT-3.1.2-27 at PUBLISH"),
        ("17 00", "> 32 (`a` 0001 ())\n< 40 (0001 10 (26 `k` `v`))", "error MQTT-3.1.2-29 at PUBACK"),
    ] {
        assert_found(&v5_with(client, "", &format!("{subscribed}{packet}")), &[expected]);
    }
    assert_found(&v5_with("17 00", "", &format!("{subscribed}< e0 (8b (1f `bye`))")), &[]);
}

#[test]
fn an_alias_is_known_unless_something_was_lost() {
    let with = |script: &str| v5_with("", "22 0002", script);
    assert_found(&with("> 30 (`a` (23 0001))\n> 30 (`` (23 0001))"), &[]);
    assert_found(&with("lost > 8\n> 30 (`` (23 0001) 'x')\n> 30 (`` (23 0001) 'x')"), &[]);
}

#[test]
fn unanswered_packets_are_reported_at_the_end() {
    let cases = [
        ("> 32 (`a` 0001 ())", "MQTT-4.3.2-4"),
        ("> 34 (`a` 0001 ())", "MQTT-4.3.3-8"),
        ("> 34 (`a` 0001 ())\n< 50 (0001)", "MQTT-4.3.3-4"),
        ("> 34 (`a` 0001 ())\n< 50 (0001)\n> 62 (0001)", "MQTT-4.3.3-11"),
        ("> 82 (0001 () `a` 00)", "MQTT-3.8.4-1"),
        ("> a2 (0001 () `a`)", "MQTT-3.10.4-4"),
        ("> c0 ()", "MQTT-3.12.4-1"),
    ];
    for (script, statement) in cases {
        let slow = v5(&format!("{script}\nwait 2\nclose"));
        assert_found(&slow, &[&format!("warn {statement} at closed")]);
        // It may have been on its way.
        assert_found(&v5(&format!("{script}\nclose")), &[&format!("info {statement} at closed")]);
        assert_found(&v5(&format!("{script}\nwait 2")), &[&format!("info {statement} at closed")]);
        // Its answer may have been lost.
        assert_found(&v5(&format!("{script}\nlost < 9\nwait 2\nclose")), &[]);
    }
    let long = v5("> 82 (0001 () `a` 00)\nwait 31\n> c0 ()\n< d0 ()");
    assert_found(&long, &["warn MQTT-3.8.4-1 at closed"]);
}
